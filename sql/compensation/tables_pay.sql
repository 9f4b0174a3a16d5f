/*
 * compensation/tables_pay.sql: what stands between earning and pay.  Rules of a
 * plan version, the balances they keep, holds, and adjustments by hand.
 */

CREATE TABLE spm.pay_rule (
    pay_rule_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_version_id int NOT NULL REFERENCES spm.plan_version,
    rule_no int NOT NULL CHECK (rule_no > 0),
    name text NOT NULL CHECK (name <> ''),
    kind text NOT NULL CHECK (kind IN ('budget', 'cap', 'holdback', 'guarantee', 'draw', 'adjustment', 'negative')),
    components text[] CHECK (cardinality(components) > 0),
    amount numeric CHECK (amount >= 0 AND amount < 'Infinity'),
    variable_id int REFERENCES spm.variable,
    share numeric CHECK (share >= 0 AND share < 'Infinity'),
    grain text NOT NULL DEFAULT 'period',
    method text,
    prorate text NOT NULL DEFAULT 'none',
    recover_share numeric NOT NULL DEFAULT 1 CHECK (recover_share >= 0 AND recover_share <= 1),
    recover_maximum numeric CHECK (recover_maximum >= 0 AND recover_maximum < 'Infinity'),
    recover_after int NOT NULL DEFAULT 0 CHECK (recover_after >= 0),
    recover_from date,
    recover_until date,
    minimum numeric CHECK (minimum >= 0 AND minimum < 'Infinity'),
    first_periods int CHECK (first_periods > 0),
    until date,
    is_forgiven boolean NOT NULL DEFAULT false,
    release_after int CHECK (release_after > 0),
    release_on date,
    UNIQUE (plan_version_id, rule_no),
    UNIQUE (plan_version_id, name),
    CONSTRAINT pay_rule_method CHECK (CASE kind
        WHEN 'budget' THEN method IN ('deal order', 'pro rata')
        WHEN 'cap' THEN method IN ('forfeited', 'carried')
        WHEN 'draw' THEN method IN ('floor', 'advance')
        WHEN 'negative' THEN method IN ('carried', 'zeroed')
        ELSE method IS NULL END IS TRUE),
    CONSTRAINT pay_rule_amount CHECK (CASE
        WHEN kind = 'budget' THEN amount IS NOT NULL AND num_nonnulls(variable_id, share) = 0
        WHEN kind IN ('cap', 'guarantee', 'draw') THEN num_nonnulls(amount, variable_id) = 1 AND (share IS NULL OR variable_id IS NOT NULL)
        WHEN kind = 'holdback' THEN share IS NOT NULL AND share <= 1 AND num_nonnulls(amount, variable_id) = 0
        ELSE num_nonnulls(amount, variable_id, share) = 0 END),
    CONSTRAINT pay_rule_components CHECK (components IS NULL OR kind NOT IN ('adjustment', 'negative')),
    CONSTRAINT pay_rule_span CHECK (kind = 'cap' OR grain = 'period'),
    CONSTRAINT pay_rule_prorate CHECK (prorate = 'none' OR kind IN ('cap', 'guarantee', 'draw')),
    CONSTRAINT pay_rule_end CHECK (num_nonnulls(first_periods, until) = 0 OR kind IN ('guarantee', 'draw')),
    CONSTRAINT pay_rule_recovery CHECK (kind IN ('draw', 'negative')
        OR num_nonnulls(recover_maximum, recover_from, recover_until, minimum) = 0 AND recover_share = 1 AND recover_after = 0),
    CONSTRAINT pay_rule_forgiven CHECK (NOT is_forgiven OR kind = 'draw' AND num_nonnulls(first_periods, until) > 0),
    CONSTRAINT pay_rule_release CHECK (num_nonnulls(release_after, release_on) = 0 OR kind = 'holdback')
);
CREATE INDEX pay_rule_version ON spm.pay_rule (plan_version_id);
CREATE INDEX pay_rule_variable ON spm.pay_rule (variable_id);
COMMENT ON TABLE spm.pay_rule IS 'What a plan version does between earning and pay: budgets, caps, holdbacks, guarantees, draws, negative balances. Applied in order; a balance goes on under the rule of the same name in the next version.';
COMMENT ON COLUMN spm.pay_rule.pay_rule_id IS 'Key.';
COMMENT ON COLUMN spm.pay_rule.plan_version_id IS 'Version it belongs to.';
COMMENT ON COLUMN spm.pay_rule.rule_no IS 'Order in which rules are applied: each sees what the ones before have left.';
COMMENT ON COLUMN spm.pay_rule.name IS 'Name shown on the statement, unique in the version.';
COMMENT ON COLUMN spm.pay_rule.kind IS 'budget: what a plan may spend in all; cap: the most a payee is paid; holdback: a share kept until later; guarantee: the least a payee is paid; draw: the same, or an advance, to be paid back; adjustment: the place of adjustments by hand in the order; negative: what becomes of pay below zero.';
COMMENT ON COLUMN spm.pay_rule.components IS 'Names of the components whose pay counts. NULL: all of the plan.';
COMMENT ON COLUMN spm.pay_rule.amount IS 'Amount of the budget, cap, guarantee or draw, in the currency of the plan.';
COMMENT ON COLUMN spm.pay_rule.variable_id IS 'Variable that the amount is a share of: a salary. NULL: amount is given.';
COMMENT ON COLUMN spm.pay_rule.share IS 'Share of the variable (2.5 is 250 %; NULL: all of it); holdback: share that is kept.';
COMMENT ON COLUMN spm.pay_rule.grain IS 'cap: period, or the grain of a longer one that it holds for; the period of earning counts.';
COMMENT ON COLUMN spm.pay_rule.method IS 'budget: deal order, or pro rata; cap: what is above is forfeited, or carried and paid when there is room; draw: floor (pay is topped up to it), or advance (paid besides, and earnings pay it back); negative: carried (taken back from later pay), or zeroed.';
COMMENT ON COLUMN spm.pay_rule.prorate IS 'How the amount is reduced when a payee is on the plan for a part of the time: none, or a way of counting days.';
COMMENT ON COLUMN spm.pay_rule.recover_share IS 'Share of the pay above the minimum that recovery takes: 0.5 is 50 %.';
COMMENT ON COLUMN spm.pay_rule.recover_maximum IS 'The most that is recovered in a period. NULL: no limit.';
COMMENT ON COLUMN spm.pay_rule.recover_after IS 'Periods until an amount owed is recovered: 0 at once, 1 in the next period.';
COMMENT ON COLUMN spm.pay_rule.recover_from IS 'Nothing is recovered in periods that begin before this day. NULL: no such day.';
COMMENT ON COLUMN spm.pay_rule.recover_until IS 'Nothing is recovered in periods that begin on or after this day. NULL: no such day.';
COMMENT ON COLUMN spm.pay_rule.minimum IS 'Pay of a period that recovery must leave. NULL: the draw itself for method floor, else 0.';
COMMENT ON COLUMN spm.pay_rule.first_periods IS 'The guarantee or draw holds for so many periods from the payee''s first on the plan. NULL: no such end.';
COMMENT ON COLUMN spm.pay_rule.until IS 'The guarantee or draw holds in periods that begin before this day. NULL: no such end.';
COMMENT ON COLUMN spm.pay_rule.is_forgiven IS 'Whether what is still owed in the last period of the draw is written off.';
COMMENT ON COLUMN spm.pay_rule.release_after IS 'holdback: so many periods later it is paid. NULL: not by time.';
COMMENT ON COLUMN spm.pay_rule.release_on IS 'holdback: paid by the period with this day, and from then on. NULL: no such day.';

-- -------------------------------------------------------------------- balances

CREATE TABLE spm.balance (
    balance_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    posting_id int NOT NULL REFERENCES spm.posting,
    period_id int NOT NULL REFERENCES spm.period,
    run_id bigint NOT NULL REFERENCES spm.run,
    payee_id int NOT NULL REFERENCES spm.payee,
    pay_rule_id int NOT NULL REFERENCES spm.pay_rule,
    opening_amount numeric NOT NULL,
    added_amount numeric NOT NULL,
    recovered_amount numeric NOT NULL,
    forgiven_amount numeric NOT NULL,
    closing_amount numeric NOT NULL,
    UNIQUE (posting_id, payee_id, pay_rule_id),
    CONSTRAINT balance_sum CHECK (closing_amount = opening_amount + added_amount - recovered_amount - forgiven_amount)
);
CREATE INDEX balance_period ON spm.balance (period_id);
CREATE INDEX balance_run ON spm.balance (run_id);
CREATE INDEX balance_payee ON spm.balance (payee_id);
CREATE INDEX balance_pay_rule ON spm.balance (pay_rule_id);
COMMENT ON TABLE spm.balance IS 'What stands between a payee and the company under a pay rule, as of a posting: owed by the payee (draw, negative), or kept for the payee (carried above a cap, holdback). A posted balance never changes.';
COMMENT ON COLUMN spm.balance.balance_id IS 'Key.';
COMMENT ON COLUMN spm.balance.posting_id IS 'Posting that moved it.';
COMMENT ON COLUMN spm.balance.period_id IS 'Period of the posting.';
COMMENT ON COLUMN spm.balance.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.balance.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.balance.pay_rule_id IS 'Pay rule; the balance goes on under the rule of the same name of a later version.';
COMMENT ON COLUMN spm.balance.opening_amount IS 'Balance before, in the currency of the plan.';
COMMENT ON COLUMN spm.balance.added_amount IS 'Added: drawn, advanced, below zero, above the cap, held back.';
COMMENT ON COLUMN spm.balance.recovered_amount IS 'Taken off: recovered from pay, or paid to the payee.';
COMMENT ON COLUMN spm.balance.forgiven_amount IS 'Written off.';
COMMENT ON COLUMN spm.balance.closing_amount IS 'Balance after: opening + added - recovered - forgiven.';

CREATE TABLE spm.holdback_release (
    holdback_release_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id int NOT NULL REFERENCES spm.plan,
    rule_name text NOT NULL,
    through_period_id int NOT NULL REFERENCES spm.period,
    payee_id int REFERENCES spm.payee,
    reason text NOT NULL CHECK (reason <> ''),
    released_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    released_by text NOT NULL DEFAULT session_user
);
CREATE INDEX holdback_release_plan ON spm.holdback_release (plan_id);
CREATE INDEX holdback_release_period ON spm.holdback_release (through_period_id);
CREATE INDEX holdback_release_payee ON spm.holdback_release (payee_id);
COMMENT ON TABLE spm.holdback_release IS 'Decisions that what was held back is to be paid. Never changed.';
COMMENT ON COLUMN spm.holdback_release.holdback_release_id IS 'Key.';
COMMENT ON COLUMN spm.holdback_release.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.holdback_release.rule_name IS 'Name of the holdback rule.';
COMMENT ON COLUMN spm.holdback_release.through_period_id IS 'Last period whose holdback is paid.';
COMMENT ON COLUMN spm.holdback_release.payee_id IS 'Payee. NULL: everybody.';
COMMENT ON COLUMN spm.holdback_release.reason IS 'Why.';
COMMENT ON COLUMN spm.holdback_release.released_at IS 'When it was decided.';
COMMENT ON COLUMN spm.holdback_release.released_by IS 'Login that decided it.';

-- ----------------------------------------------------------------------- holds

CREATE TABLE spm.hold (
    hold_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payee_id int REFERENCES spm.payee,
    plan_id int REFERENCES spm.plan,
    component_name text,
    source text,
    transaction_key text,
    since date NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    held_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    held_by text NOT NULL DEFAULT session_user,
    released_at timestamptz,
    released_by text,
    release_reason text CHECK (release_reason <> ''),
    CONSTRAINT hold_target CHECK (num_nonnulls(payee_id, component_name, transaction_key) > 0
        AND (source IS NULL OR transaction_key IS NOT NULL) AND (component_name IS NULL OR plan_id IS NOT NULL)),
    CONSTRAINT hold_released CHECK (num_nonnulls(released_at, released_by, release_reason) IN (0, 3))
);
CREATE INDEX hold_payee ON spm.hold (payee_id);
CREATE INDEX hold_plan ON spm.hold (plan_id);
COMMENT ON TABLE spm.hold IS 'What is earned but not to be paid for now: all pay of a payee, a component, a transaction, or what is of all that are named. Never deleted; a release is recorded beside it.';
COMMENT ON COLUMN spm.hold.hold_id IS 'Key.';
COMMENT ON COLUMN spm.hold.payee_id IS 'Payee. NULL: whoever.';
COMMENT ON COLUMN spm.hold.plan_id IS 'Plan. NULL: whichever.';
COMMENT ON COLUMN spm.hold.component_name IS 'Component of the plan. NULL: all.';
COMMENT ON COLUMN spm.hold.source IS 'Source of the transaction. NULL: any.';
COMMENT ON COLUMN spm.hold.transaction_key IS 'Transaction. NULL: all pay.';
COMMENT ON COLUMN spm.hold.since IS 'First day: postings of periods that end later hold what they would pay.';
COMMENT ON COLUMN spm.hold.reason IS 'Why it is held.';
COMMENT ON COLUMN spm.hold.held_at IS 'When it was recorded. What was posted before stays paid.';
COMMENT ON COLUMN spm.hold.held_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm.hold.released_at IS 'When it was released. NULL: it holds.';
COMMENT ON COLUMN spm.hold.released_by IS 'Login that released it.';
COMMENT ON COLUMN spm.hold.release_reason IS 'Why it was released.';

-- ----------------------------------------------------------------- adjustments

CREATE TABLE spm.adjustment (
    adjustment_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payee_id int NOT NULL REFERENCES spm.payee,
    period_id int NOT NULL REFERENCES spm.period,
    plan_id int REFERENCES spm.plan,
    component_id int REFERENCES spm.component,
    amount numeric NOT NULL CHECK (amount <> 0 AND amount NOT IN ('NaN', 'Infinity', '-Infinity')),
    currency_code text NOT NULL REFERENCES spm.currency,
    reason text NOT NULL CHECK (reason <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    approved_at timestamptz,
    approved_by text,
    withdrawn_at timestamptz,
    withdrawn_by text,
    withdrawal_reason text CHECK (withdrawal_reason <> ''),
    CONSTRAINT adjustment_component CHECK (component_id IS NULL OR plan_id IS NOT NULL),
    CONSTRAINT adjustment_four_eyes CHECK (approved_by <> recorded_by),
    CONSTRAINT adjustment_approved CHECK (num_nonnulls(approved_at, approved_by) <> 1),
    CONSTRAINT adjustment_withdrawn CHECK (num_nonnulls(withdrawn_at, withdrawn_by, withdrawal_reason) IN (0, 3))
);
CREATE INDEX adjustment_payee ON spm.adjustment (payee_id);
CREATE INDEX adjustment_period ON spm.adjustment (period_id);
CREATE INDEX adjustment_plan ON spm.adjustment (plan_id);
CREATE INDEX adjustment_of_component ON spm.adjustment (component_id);
CREATE INDEX adjustment_currency ON spm.adjustment (currency_code);
COMMENT ON TABLE spm.adjustment IS 'Pay entered by hand. Paid once somebody else has approved it; withdrawn, never deleted.';
COMMENT ON COLUMN spm.adjustment.adjustment_id IS 'Key.';
COMMENT ON COLUMN spm.adjustment.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.adjustment.period_id IS 'Period that pays it, or the first open one after it.';
COMMENT ON COLUMN spm.adjustment.plan_id IS 'Plan whose pay rules it takes part in. NULL: none.';
COMMENT ON COLUMN spm.adjustment.component_id IS 'Component it is shown with. NULL: none.';
COMMENT ON COLUMN spm.adjustment.amount IS 'Amount, in currency_code; negative to take back.';
COMMENT ON COLUMN spm.adjustment.currency_code IS 'Currency.';
COMMENT ON COLUMN spm.adjustment.reason IS 'Why; it is on the statement.';
COMMENT ON COLUMN spm.adjustment.recorded_at IS 'When it was entered.';
COMMENT ON COLUMN spm.adjustment.recorded_by IS 'Login that entered it.';
COMMENT ON COLUMN spm.adjustment.approved_at IS 'When it was approved. NULL: not yet, and not paid.';
COMMENT ON COLUMN spm.adjustment.approved_by IS 'Login that approved it: never the one that entered it.';
COMMENT ON COLUMN spm.adjustment.withdrawn_at IS 'When it was withdrawn. NULL: it stands.';
COMMENT ON COLUMN spm.adjustment.withdrawn_by IS 'Login that withdrew it.';
COMMENT ON COLUMN spm.adjustment.withdrawal_reason IS 'Why.';

ALTER TABLE spm.payout
    ADD CONSTRAINT payout_pay_rule_id_fkey FOREIGN KEY (pay_rule_id) REFERENCES spm.pay_rule,
    ADD CONSTRAINT payout_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES spm.hold,
    ADD CONSTRAINT payout_adjustment_id_fkey FOREIGN KEY (adjustment_id) REFERENCES spm.adjustment;

SELECT pg_catalog.pg_extension_config_dump('spm.pay_rule', '');
SELECT pg_catalog.pg_extension_config_dump('spm.pay_rule_pay_rule_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.balance', '');
SELECT pg_catalog.pg_extension_config_dump('spm.balance_balance_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.holdback_release', '');
SELECT pg_catalog.pg_extension_config_dump('spm.holdback_release_holdback_release_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.hold', '');
SELECT pg_catalog.pg_extension_config_dump('spm.hold_hold_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.adjustment', '');
SELECT pg_catalog.pg_extension_config_dump('spm.adjustment_adjustment_id_seq', '');
