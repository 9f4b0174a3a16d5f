/*
 * compensation/functions_pay.sql: pay rules, holds and adjustments.  Writing them.
 */

CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.pay_rule
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.balance
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.balance
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.holdback_release
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
