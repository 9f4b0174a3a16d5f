/*
 * 0.2.0--0.3.0: plans get all that companies pay by.
 */
COMMENT ON TABLE spm.payee IS 'Who is paid. Names of people are here, and in the texts of posted statements.';

ALTER TABLE spm.variable ADD COLUMN is_prorated boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN spm.variable.is_prorated IS 'Whether it is an amount for a whole period, such as a target incentive or a salary, that a component which prorates reduces for a part of one.';
ALTER TABLE spm.variable ADD COLUMN allowed numrange CHECK (NOT isempty(allowed));
COMMENT ON COLUMN spm.variable.allowed IS 'Range that its values must keep to: [0,1] for a percentage. NULL: any.';

COMMENT ON COLUMN spm.plan_version.content_hash IS 'SHA-256 of all that it says, when it was published; calculating refuses a version that no longer matches.';

ALTER TABLE spm.component
    ADD COLUMN basis text NOT NULL DEFAULT 'credit' CHECK (basis IN ('credit', 'fixed', 'objective', 'result', 'rank', 'pool')),
    ADD COLUMN pay text NOT NULL DEFAULT 'amount' CHECK (pay IN ('amount', 'target')),
    ADD COLUMN against text NOT NULL DEFAULT 'quota' CHECK (against IN ('quota', 'prior period', 'prior year')),
    ADD COLUMN prorate text NOT NULL DEFAULT 'none',
    ADD COLUMN is_true_up boolean NOT NULL DEFAULT false,
    ADD COLUMN group_expression text,
    ADD COLUMN credit_cap numeric CHECK (credit_cap >= 0 AND credit_cap < 'Infinity'),
    ADD COLUMN lookup_id int,
    ADD COLUMN lookup_expressions text[],
    ADD COLUMN ties text NOT NULL DEFAULT 'competition' CHECK (ties IN ('competition', 'dense', 'average', 'share')),
    DROP CONSTRAINT component_quota,
    ADD CONSTRAINT component_quota CHECK (tier_basis = 'amount' OR measure_id IS NOT NULL OR against <> 'quota' OR basis <> 'credit'),
    ADD CONSTRAINT component_group CHECK ((accumulate = 'group') = (group_expression IS NOT NULL)),
    ADD CONSTRAINT component_lookup CHECK ((lookup_id IS NULL) = (lookup_expressions IS NULL));
CREATE INDEX component_lookup_table ON spm.component (lookup_id);
COMMENT ON COLUMN spm.component.basis IS 'What is measured. credit: credits; fixed: 1, for pay that does not depend on sales; objective: the weighted rating of objectives; result: figures of other components; rank: place among others by such a figure; pool: a pot by such figures, shared out.';
COMMENT ON COLUMN spm.component.pay IS 'amount: rates apply to what is measured; target: to the attainment, times the variable (the target incentive).';
COMMENT ON COLUMN spm.component.against IS 'What attainment is reckoned against: the quota, or what was measured in the period or the year before (growth).';
COMMENT ON COLUMN spm.component.prorate IS 'How quota, target and tiers are reduced for a part of a period: none, or a way of counting days of spm.day_count().';
COMMENT ON COLUMN spm.component.is_true_up IS 'Whether each period pays what all of the span is worth by now, less what was earned before; else it goes on from the total at today''s rates.';
COMMENT ON COLUMN spm.component.group_expression IS 'accumulate group: checked expression; deals with the same value have a running total of their own.';
COMMENT ON COLUMN spm.component.credit_cap IS 'The most that one credit counts, after it is shared. NULL: all of it.';
COMMENT ON COLUMN spm.component.lookup_id IS 'Lookup table whose value the measure of each transaction is multiplied by.';
COMMENT ON COLUMN spm.component.lookup_expressions IS 'Checked expressions, one a dimension: where to look.';
COMMENT ON COLUMN spm.component.ties IS 'rank: which place equals take. competition: 1, 2, 2, 4; dense: 1, 2, 2, 3; average: 1, 2.5, 2.5, 4; share: the prizes of the places they fill are shared.';
COMMENT ON COLUMN spm.component.accumulate IS 'deal: every transaction starts at zero; group: every value of group_expression; period: the total starts with the period; the grain of a longer period that it starts with; rolling N: with the N - 1 periods before.';

ALTER TABLE spm.earning
    ALTER COLUMN credit_id DROP NOT NULL,
    ADD COLUMN kind text NOT NULL DEFAULT 'deal',
    ADD CONSTRAINT earning_credit CHECK ((credit_id IS NULL) = (kind NOT IN ('deal', 'refund')));
COMMENT ON TABLE spm.earning IS 'One row per component and credit: what the deal earns; and rows for what is not earned deal by deal. The running total goes by event date, then key, line, source.';
COMMENT ON COLUMN spm.earning.credit_id IS 'Credit it is for. NULL: not for a single deal.';
COMMENT ON COLUMN spm.earning.kind IS 'deal: what a deal adds to its running total; total: what a figure earns that is no sum of deals; true_up: what earlier deals of the span are worth more or less by now; rank, pool: a prize, a part of a pot; refund: what a cancelled deal takes back.';

COMMENT ON TYPE spm.rate_schedule IS $$What a running total earns, as one value: tiers of amounts ('0: 5%, 100000: 8%, 150000: 12%') or of shares of a quota ('0%: 8%, 80%: 10%, 100%: 14%'), and options after them. Equal schedules are written alike.
Options, each with its default first: method marginal | whole | interpolated | weighted | bonus | excess | curve; edge upper | lower | closed; base RATE below the first tier; per DIVISOR of what is earned; cap AMOUNT; floor AMOUNT; outside refuse | zero; zero quota top | nothing | refuse.$$;
ALTER TABLE spm.measurement
    ADD COLUMN earned_before numeric NOT NULL DEFAULT 0,
    ADD COLUMN because text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN spm.measurement.factor IS 'What all rates are multiplied by: the component''s variable times its modifiers; 1 when it has none.';
COMMENT ON COLUMN spm.measurement.earned_before IS 'True-up: what the earlier periods of the span have earned; else 0.';
COMMENT ON COLUMN spm.measurement.because IS 'How quota, factor and limits came about, in words.';

-- their arguments have changed
DROP FUNCTION spm.add_component(text, text, text, text, text, text, text, text, text, text, int, text);
DROP FUNCTION spm._result(text, text);


ALTER TABLE spm.measure
    ADD COLUMN fallback_measure_id int,
    ADD CONSTRAINT measure_fallback CHECK (fallback_measure_id < measure_id);
COMMENT ON COLUMN spm.measure.fallback_measure_id IS 'Measure whose quota counts where none is set in this one. NULL: none.';

ALTER TABLE spm.quota
    ALTER COLUMN position_id DROP NOT NULL,
    ADD COLUMN title_id int REFERENCES spm.title,
    ADD CONSTRAINT quota_target CHECK (num_nonnulls(position_id, title_id) <= 1);
CREATE UNIQUE INDEX quota_current_title ON spm.quota (title_id, measure_id, period_id) WHERE superseded_at IS NULL;
CREATE UNIQUE INDEX quota_current_everybody ON spm.quota (measure_id, period_id)
    WHERE superseded_at IS NULL AND position_id IS NULL AND title_id IS NULL;
CREATE INDEX quota_title ON spm.quota (title_id);
COMMENT ON TABLE spm.quota IS 'Quota of a position, of all positions of a title, or of everybody, for a measure and period. That of the position goes before that of the title, and that before everybody''s. A change adds a row and ends the one before; nothing is overwritten.';
COMMENT ON COLUMN spm.quota.position_id IS 'Position that carries it. NULL: it is for a title or everybody.';
COMMENT ON COLUMN spm.quota.title_id IS 'Title whose positions carry it; with no position and no title everybody does.';
DROP FUNCTION spm.add_measure(text, text);
DROP FUNCTION spm.set_quota(text, text, numeric, text, text, text);

-- include sql/quota/tables_time.sql
ALTER TABLE spm.payout
    ALTER COLUMN position_id DROP NOT NULL,
    ALTER COLUMN component_id DROP NOT NULL,
    ADD COLUMN kind text NOT NULL DEFAULT 'earning' CHECK (kind IN ('earning', 'budget', 'cap', 'carried', 'holdback', 'guarantee', 'draw',
        'recovery', 'forgiveness', 'negative', 'adjustment', 'hold', 'release')),
    ADD COLUMN plan_id int REFERENCES spm.plan,
    ADD COLUMN pay_rule_id int,
    ADD COLUMN hold_id int,
    ADD COLUMN adjustment_id int,
    ADD COLUMN reason text,
    DROP CONSTRAINT payout_posting_id_period_id_payee_id_position_id_component__key,
    ADD CONSTRAINT payout_key UNIQUE NULLS NOT DISTINCT
        (posting_id, period_id, payee_id, position_id, component_id, kind, plan_id, pay_rule_id, hold_id, adjustment_id, currency_code),
    ADD CONSTRAINT payout_earning CHECK (kind <> 'earning' OR num_nulls(position_id, component_id) = 0);
-- the plan of what is posted is no change of what was paid
ALTER TABLE spm.payout DISABLE TRIGGER guard;
UPDATE spm.payout x SET plan_id = v.plan_id
FROM spm.component c JOIN spm.plan_version v USING (plan_version_id)
WHERE c.component_id = x.component_id;
ALTER TABLE spm.payout ENABLE TRIGGER guard;
CREATE INDEX payout_plan ON spm.payout (plan_id);
CREATE INDEX payout_pay_rule ON spm.payout (pay_rule_id) WHERE pay_rule_id IS NOT NULL;
CREATE INDEX payout_hold ON spm.payout (hold_id) WHERE hold_id IS NOT NULL;
CREATE INDEX payout_adjustment ON spm.payout (adjustment_id) WHERE adjustment_id IS NOT NULL;
COMMENT ON TABLE spm.payout IS 'What is paid: a row per posting, payee, position, component and period of earning for what was earned, and rows beside them for what pay rules, holds and adjustments add or take away.';
COMMENT ON COLUMN spm.payout.position_id IS 'Position it was earned in. NULL: not of one position.';
COMMENT ON COLUMN spm.payout.component_id IS 'Component. NULL: not of one component.';
COMMENT ON COLUMN spm.payout.amount IS 'Amount paid; negative where something is kept or taken back. kind earning: the sum of the posting''s earnings.';
COMMENT ON COLUMN spm.payout.kind IS 'earning: what was earned; budget, cap, holdback, hold: kept from it; carried, release: what was kept before and is paid now; guarantee, draw: added; recovery: a draw or a negative balance taken back; forgiveness: an amount owed that is written off, pays nothing; negative: less than nothing, not collected now; adjustment: entered by hand.';
COMMENT ON COLUMN spm.payout.plan_id IS 'Plan. NULL: an adjustment beside all plans.';
COMMENT ON COLUMN spm.payout.pay_rule_id IS 'Pay rule that it comes from. NULL: none.';
COMMENT ON COLUMN spm.payout.hold_id IS 'Hold that keeps it, or that was released. NULL: none.';
COMMENT ON COLUMN spm.payout.adjustment_id IS 'Adjustment that it pays. NULL: none.';
COMMENT ON COLUMN spm.payout.reason IS 'Why, in words. NULL: the kind says it.';
DROP FUNCTION spm.statement(text, text, text);

ALTER TYPE spm.transaction_row ADD ATTRIBUTE reference_key text;
COMMENT ON COLUMN spm.transaction_row.reference_key IS 'Key of the transaction that this one takes back: a refund, credit note or cancellation.';
DROP FUNCTION spm.map_source(text, regclass, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text[], text, text);

ALTER TABLE spm.component
    DROP CONSTRAINT component_credit_kind_check,
    ADD CONSTRAINT component_credit_kind_check CHECK (credit_kind IN ('direct', 'rollup', 'all', 'overlay', 'team', 'rolldown', 'territory')),
    ADD COLUMN event text NOT NULL DEFAULT 'booking' CHECK (event <> ''),
    ADD COLUMN refund text NOT NULL DEFAULT 'running' CHECK (refund IN ('running', 'original', 'unearned')),
    ADD COLUMN refund_window interval CHECK (refund_window > '0'),
    ADD COLUMN refund_share numeric NOT NULL DEFAULT 1 CHECK (refund_share > 0 AND refund_share <= 1),
    ADD COLUMN earned_over int CHECK (earned_over > 0),
    ADD CONSTRAINT component_refund CHECK ((refund = 'unearned') = (earned_over IS NOT NULL)
        AND (refund <> 'running' OR (refund_window IS NULL AND refund_share = 1)));
COMMENT ON COLUMN spm.component.credit_kind IS 'direct: own credits; rollup: what comes up the tree; overlay, team, territory: what such rules credit; rolldown: what comes down the tree; all: every kind.';
COMMENT ON COLUMN spm.component.event IS 'Event that is credited: booking, or a kind of milestone mapped by spm.map_event(), such as invoice or payment.';
COMMENT ON COLUMN spm.component.refund IS 'What a transaction with a reference_key does. running: counts like any other, priced top-down; original: takes back what the original earned, in proportion; unearned: of that, only the part not yet earned.';
COMMENT ON COLUMN spm.component.refund_window IS 'How long after the original something is taken back: to that day, inclusive; a day that the month does not have is its last. NULL: always.';
COMMENT ON COLUMN spm.component.refund_share IS 'Share of the commission that is taken back: 0.5 is half.';
COMMENT ON COLUMN spm.component.earned_over IS 'refund unearned: months, from the date of the original, over which its commission is earned in equal parts.';

ALTER TABLE spm.credit_rule
    ALTER COLUMN priority DROP NOT NULL,
    ADD COLUMN kind text NOT NULL DEFAULT 'share' CHECK (kind IN ('share', 'overlay', 'team')),
    ADD COLUMN parts text NOT NULL DEFAULT 'full' CHECK (parts IN ('full', 'equal')),
    ADD COLUMN title_id int REFERENCES spm.title,
    ADD COLUMN manager_position_id int REFERENCES spm.position,
    ADD CONSTRAINT credit_rule_team CHECK (num_nonnulls(title_id, manager_position_id) <= CASE kind WHEN 'team' THEN 1 ELSE 0 END
        AND (kind = 'team' OR parts = 'full'));
CREATE INDEX credit_rule_title ON spm.credit_rule (title_id);
CREATE INDEX credit_rule_manager ON spm.credit_rule (manager_position_id);
COMMENT ON TABLE spm.credit_rule IS 'A rule that credits transactions to payees. One of kind share divides them: shares given by the source go before rules, rules before the owner. Those of kind overlay and team credit on top.';
COMMENT ON COLUMN spm.credit_rule.priority IS 'kind share: the smallest wins; among equals the older rule. NULL: after all that have one, the rule whose condition tests the most columns wins.';
COMMENT ON COLUMN spm.credit_rule.kind IS 'share: divides the transaction, one rule wins; overlay: each of its payees is credited a share on top, team: everybody in the team; of these every rule that matches applies.';
COMMENT ON COLUMN spm.credit_rule.parts IS 'team: full, everybody is credited all of it; equal, it is divided among them.';
COMMENT ON COLUMN spm.credit_rule.title_id IS 'team: all positions of the title. NULL: the payees named, or those below the manager.';
COMMENT ON COLUMN spm.credit_rule.manager_position_id IS 'team: all positions below this one.';
ALTER TABLE spm.credit_rule_share
    DROP CONSTRAINT credit_rule_share_share_check,
    ADD CONSTRAINT credit_rule_share_share_check CHECK (share > 0 AND share < 'Infinity');
COMMENT ON TABLE spm.credit_rule_share IS 'Who is credited by a rule. The shares of a rule of kind share total 1.';

ALTER TABLE spm.credit
    DROP CONSTRAINT credit_kind_check,
    ADD CONSTRAINT credit_kind_check CHECK (kind IN ('direct', 'rollup', 'overlay', 'team', 'rolldown', 'territory')),
    ADD COLUMN event text NOT NULL DEFAULT 'booking',
    ADD COLUMN reference_key text,
    ADD COLUMN rule text NOT NULL DEFAULT '',
    ADD COLUMN factor numeric NOT NULL DEFAULT 1 CHECK (factor > 0),
    ADD COLUMN part_no int NOT NULL DEFAULT 1,
    ADD COLUMN part_count int NOT NULL DEFAULT 1,
    ADD CONSTRAINT credit_part CHECK (part_no BETWEEN 1 AND part_count);
COMMENT ON COLUMN spm.credit.kind IS 'direct: by ownership or split; rollup: from below in the reporting tree; overlay, team, territory: on top, by a rule; rolldown: from above in the tree.';
COMMENT ON COLUMN spm.credit.level IS 'Levels above the direct credit, for kind rolldown below it; else 0.';
COMMENT ON COLUMN spm.credit.event IS 'booking, or the milestone that is credited: amount, quantity, cost and list_amount are then its part of the transaction, event_date its day.';
COMMENT ON COLUMN spm.credit.reference_key IS 'Key of the transaction that it takes back.';
COMMENT ON COLUMN spm.credit.rule IS 'Name of the rule or territory that credits on top; empty for kinds direct, rollup and rolldown.';
COMMENT ON COLUMN spm.credit.factor IS 'What its share is multiplied by: the share of an overlay or a territory, the roll-up factor; else 1.';
COMMENT ON COLUMN spm.credit.part_no IS 'Which of part_count equal parts it is.';
COMMENT ON COLUMN spm.credit.part_count IS 'Equal parts that it is divided into: members of a team; 1: not divided.';

-- include sql/core/tables_event.sql
-- include sql/compensation/tables_credit.sql
-- include sql/compensation/tables_component.sql
-- include sql/compensation/tables_capitalization.sql
-- include sql/compensation/tables_pay.sql
-- include sql/compensation/tables_time.sql
-- include sql/compensation/tables_payment.sql
-- include sql/compensation/tables_acceptance.sql
