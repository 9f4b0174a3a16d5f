\echo Use "ALTER EXTENSION spm UPDATE" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
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

/*
 * quota/tables_time.sql: what makes a quota smaller for a time. Holidays, ramps
 * of new people, absences, relief.
 */

CREATE TABLE spm.holiday (
    calendar_id int NOT NULL REFERENCES spm.calendar,
    day date NOT NULL CHECK (isfinite(day)),
    name text NOT NULL CHECK (name <> ''),
    PRIMARY KEY (calendar_id, day)
);
COMMENT ON TABLE spm.holiday IS 'Days of a calendar that are no working days, besides Saturdays and Sundays.';
COMMENT ON COLUMN spm.holiday.calendar_id IS 'Calendar.';
COMMENT ON COLUMN spm.holiday.day IS 'Day.';
COMMENT ON COLUMN spm.holiday.name IS 'Name shown to people.';

CREATE TABLE spm.ramp (
    ramp_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    shares numeric[] NOT NULL,
    month_used text NOT NULL DEFAULT 'each' CHECK (month_used IN ('each', 'first', 'last')),
    CONSTRAINT ramp_shares CHECK (cardinality(shares) BETWEEN 1 AND 120 AND array_ndims(shares) = 1 AND array_lower(shares, 1) = 1
        AND array_position(shares, NULL) IS NULL AND 0 <= ALL (shares) AND 'Infinity' > ALL (shares))
);
COMMENT ON TABLE spm.ramp IS 'How the quota of somebody new grows: a share of it for each month, beginning with the month of the start.';
COMMENT ON COLUMN spm.ramp.ramp_id IS 'Key.';
COMMENT ON COLUMN spm.ramp.name IS 'Name, unique.';
COMMENT ON COLUMN spm.ramp.shares IS 'Share of quota in the month of the start, however late in it that is, then in the months after: 0.5 is 50 %. After the last one the quota is whole.';
COMMENT ON COLUMN spm.ramp.month_used IS 'For a period of several months. each: month by month; first, last: the share of that month holds for all of it.';

CREATE TABLE spm.ramp_assignment (
    ramp_assignment_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ramp_id int NOT NULL REFERENCES spm.ramp,
    payee_id int NOT NULL REFERENCES spm.payee,
    span daterange NOT NULL CHECK (NOT isempty(span) AND NOT lower_inf(span) AND isfinite(lower(span))),
    share_before numeric NOT NULL DEFAULT 0 CHECK (share_before >= 0 AND share_before < 'Infinity'),
    CONSTRAINT ramp_assignment_overlap EXCLUDE USING gist (payee_id WITH =, span WITH &&)
);
CREATE INDEX ramp_assignment_payee ON spm.ramp_assignment (payee_id);
CREATE INDEX ramp_assignment_ramp ON spm.ramp_assignment (ramp_id);
COMMENT ON TABLE spm.ramp_assignment IS 'Whose quota grows by which ramp, from which day on.';
COMMENT ON COLUMN spm.ramp_assignment.ramp_assignment_id IS 'Key.';
COMMENT ON COLUMN spm.ramp_assignment.ramp_id IS 'Ramp.';
COMMENT ON COLUMN spm.ramp_assignment.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.ramp_assignment.span IS 'Days; end exclusive. The month of the first day is the first of the ramp; in months that begin at the end or later the quota is whole.';
COMMENT ON COLUMN spm.ramp_assignment.share_before IS 'Share of quota in the months before the start: 0 for somebody new, 1 for somebody who was there.';

CREATE TABLE spm.absence_kind (
    absence_kind_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    is_quota_relieved boolean NOT NULL DEFAULT true,
    is_target_reduced boolean NOT NULL DEFAULT true,
    min_days int NOT NULL DEFAULT 1 CHECK (min_days > 0)
);
COMMENT ON TABLE spm.absence_kind IS 'Kinds of absence, and what they do to quota and pay.';
COMMENT ON COLUMN spm.absence_kind.absence_kind_id IS 'Key.';
COMMENT ON COLUMN spm.absence_kind.name IS 'Name, unique.';
COMMENT ON COLUMN spm.absence_kind.is_quota_relieved IS 'Whether its days do not count towards quota.';
COMMENT ON COLUMN spm.absence_kind.is_target_reduced IS 'Whether its days do not count towards target incentive, salary and tiers either.';
COMMENT ON COLUMN spm.absence_kind.min_days IS 'Calendar days in a row from which it counts, from its first day on. Absences of the kind that touch or overlap are one.';

CREATE TABLE spm.absence (
    absence_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payee_id int NOT NULL REFERENCES spm.payee,
    absence_kind_id int NOT NULL REFERENCES spm.absence_kind,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    superseded_at timestamptz
);
CREATE INDEX absence_payee ON spm.absence (payee_id);
CREATE INDEX absence_of_kind ON spm.absence (absence_kind_id);
COMMENT ON TABLE spm.absence IS 'When a payee was away. Absences may overlap: a day counts once. Nothing is overwritten: what was wrong is ended, and recorded anew.';
COMMENT ON COLUMN spm.absence.absence_id IS 'Key.';
COMMENT ON COLUMN spm.absence.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.absence.absence_kind_id IS 'Kind, which says what it does.';
COMMENT ON COLUMN spm.absence.span IS 'Days; end exclusive. Without end: not back yet.';
COMMENT ON COLUMN spm.absence.reason IS 'Why it was recorded.';
COMMENT ON COLUMN spm.absence.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm.absence.recorded_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm.absence.superseded_at IS 'When it was withdrawn. NULL: it counts.';

CREATE TABLE spm.quota_relief (
    quota_relief_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payee_id int NOT NULL REFERENCES spm.payee,
    measure_id int NOT NULL REFERENCES spm.measure,
    period_id int NOT NULL REFERENCES spm.period,
    amount numeric NOT NULL CHECK (amount >= 0 AND amount < 'Infinity'),
    reason text NOT NULL CHECK (reason <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    superseded_at timestamptz
);
CREATE UNIQUE INDEX quota_relief_current ON spm.quota_relief (payee_id, measure_id, period_id, reason) WHERE superseded_at IS NULL;
CREATE INDEX quota_relief_payee ON spm.quota_relief (payee_id);
CREATE INDEX quota_relief_measure ON spm.quota_relief (measure_id);
CREATE INDEX quota_relief_period ON spm.quota_relief (period_id);
COMMENT ON TABLE spm.quota_relief IS 'Amounts that are taken off the quota of a payee, each for a reason. A change adds a row and ends the one before.';
COMMENT ON COLUMN spm.quota_relief.quota_relief_id IS 'Key.';
COMMENT ON COLUMN spm.quota_relief.payee_id IS 'Payee whose quota gets smaller.';
COMMENT ON COLUMN spm.quota_relief.measure_id IS 'What is measured.';
COMMENT ON COLUMN spm.quota_relief.period_id IS 'Period; it also counts in a longer one that a component accumulates over.';
COMMENT ON COLUMN spm.quota_relief.amount IS 'Amount, in the unit of the measure.';
COMMENT ON COLUMN spm.quota_relief.reason IS 'What it is for. Reliefs for different reasons add up.';
COMMENT ON COLUMN spm.quota_relief.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm.quota_relief.recorded_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm.quota_relief.superseded_at IS 'When a later row took its place. NULL: it counts.';

SELECT pg_catalog.pg_extension_config_dump('spm.holiday', '');
SELECT pg_catalog.pg_extension_config_dump('spm.ramp', '');
SELECT pg_catalog.pg_extension_config_dump('spm.ramp_ramp_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.ramp_assignment', '');
SELECT pg_catalog.pg_extension_config_dump('spm.ramp_assignment_ramp_assignment_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.absence_kind', '');
SELECT pg_catalog.pg_extension_config_dump('spm.absence_kind_absence_kind_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.absence', '');
SELECT pg_catalog.pg_extension_config_dump('spm.absence_absence_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_relief', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_relief_quota_relief_id_seq', '');
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

/*
 * core/tables_event.sql: where the milestones of transactions are.
 */

CREATE TABLE spm.event_source (
    source_id int NOT NULL REFERENCES spm.source ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind NOT IN ('', 'booking')),
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    key_column text NOT NULL,
    line_column text,
    date_column text NOT NULL,
    amount_column text,
    amount_unit text NOT NULL DEFAULT 'money' CHECK (amount_unit IN ('money', 'ratio', 'percent')),
    credited text NOT NULL DEFAULT 'pro rata' CHECK (credited IN ('pro rata', 'first', 'full')),
    over text NOT NULL DEFAULT 'capped' CHECK (over IN ('capped', 'credited')),
    tolerance numeric NOT NULL DEFAULT 0 CHECK (tolerance >= 0 AND tolerance < 1),
    PRIMARY KEY (source_id, kind)
);
COMMENT ON TABLE spm.event_source IS 'A warehouse relation with milestones of a source''s transactions: invoices, payments. Written by spm.map_event().';
COMMENT ON COLUMN spm.event_source.source_id IS 'Source whose transactions have them.';
COMMENT ON COLUMN spm.event_source.kind IS 'Kind of milestone, by which components name it.';
COMMENT ON COLUMN spm.event_source.relation_schema IS 'Schema of the relation.';
COMMENT ON COLUMN spm.event_source.relation_name IS 'Table or view with one row per milestone.';
COMMENT ON COLUMN spm.event_source.key_column IS 'Column with the transaction''s key.';
COMMENT ON COLUMN spm.event_source.line_column IS 'Column with its line. NULL: a milestone is of all lines of the key.';
COMMENT ON COLUMN spm.event_source.date_column IS 'Column with the day.';
COMMENT ON COLUMN spm.event_source.amount_column IS 'Column that says how much of the transaction it is. NULL: all of it.';
COMMENT ON COLUMN spm.event_source.amount_unit IS 'money: in the currency of the transaction; ratio: 1 is all of it; percent: 100 is.';
COMMENT ON COLUMN spm.event_source.credited IS 'pro rata: each milestone credits its part; first: the first one credits all; full: all is credited once it is reached in full.';
COMMENT ON COLUMN spm.event_source.over IS 'What goes beyond the transaction: capped, not credited; credited, like the rest.';
COMMENT ON COLUMN spm.event_source.tolerance IS 'Share that may be missing for the transaction to count as reached in full: 0.01 is 1 %.';

SELECT pg_catalog.pg_extension_config_dump('spm.event_source', '');
/*
 * compensation/tables_credit.sql: what goes up and down the tree, territories,
 * and credits that people enter.
 */

CREATE TABLE spm.rollup_factor (
    rollup_factor_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position_id int REFERENCES spm.position,
    title_id int REFERENCES spm.title,
    level smallint NOT NULL CHECK (level >= 0),
    span daterange NOT NULL CHECK (NOT isempty(span)),
    factor numeric NOT NULL CHECK (factor >= 0 AND factor < 'Infinity'),
    CONSTRAINT rollup_factor_target CHECK (num_nonnulls(position_id, title_id) <= 1),
    CONSTRAINT rollup_factor_overlap EXCLUDE USING gist
        (coalesce(position_id, 0) WITH =, coalesce(title_id, 0) WITH =, level WITH =, span WITH &&)
);
CREATE INDEX rollup_factor_position ON spm.rollup_factor (position_id);
CREATE INDEX rollup_factor_title ON spm.rollup_factor (title_id);
COMMENT ON TABLE spm.rollup_factor IS 'What a credit from below counts for in the seats above, by level. Without a row: 1. What is set for the position goes before its title, and that before everybody.';
COMMENT ON COLUMN spm.rollup_factor.rollup_factor_id IS 'Key.';
COMMENT ON COLUMN spm.rollup_factor.position_id IS 'Position above; at most one of position and title is set, none means everybody.';
COMMENT ON COLUMN spm.rollup_factor.title_id IS 'Title of the position above.';
COMMENT ON COLUMN spm.rollup_factor.level IS 'Levels that the credit has come up; 0: every level without a row of its own.';
COMMENT ON COLUMN spm.rollup_factor.span IS 'Days of the credits; end exclusive.';
COMMENT ON COLUMN spm.rollup_factor.factor IS 'Factor: 0.5 is half, 0 nothing.';

CREATE TABLE spm.rolldown (
    rolldown_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position_id int REFERENCES spm.position,
    title_id int REFERENCES spm.title,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    parts text NOT NULL CHECK (parts IN ('full', 'equal')),
    depth smallint CHECK (depth > 0),
    CONSTRAINT rolldown_target CHECK (num_nonnulls(position_id, title_id) = 1),
    CONSTRAINT rolldown_overlap EXCLUDE USING gist
        (coalesce(position_id, 0) WITH =, coalesce(title_id, 0) WITH =, span WITH &&)
);
CREATE INDEX rolldown_position ON spm.rolldown (position_id);
CREATE INDEX rolldown_title ON spm.rolldown (title_id);
COMMENT ON TABLE spm.rolldown IS 'Positions whose own credits also go to the seats below them. What is set for the position goes before its title.';
COMMENT ON COLUMN spm.rolldown.rolldown_id IS 'Key.';
COMMENT ON COLUMN spm.rolldown.position_id IS 'Position above; exactly one of position and title is set.';
COMMENT ON COLUMN spm.rolldown.title_id IS 'Title of the position above.';
COMMENT ON COLUMN spm.rolldown.span IS 'Days of the credits; end exclusive.';
COMMENT ON COLUMN spm.rolldown.parts IS 'full: every seat below is credited all of it; equal: it is divided among the seats that are taken on that day.';
COMMENT ON COLUMN spm.rolldown.depth IS 'Levels that it goes down. NULL: all.';

CREATE TABLE spm.territory_source (
    territory_source_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    match_expression text NOT NULL,
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    key_column text NOT NULL,
    owner_column text NOT NULL,
    since_column text,
    until_column text,
    share_column text
);
COMMENT ON TABLE spm.territory_source IS 'A relation that says who holds what: accounts, postcodes, products. Written by spm.map_territory(); its rows are in the view spm.territory_claim.';
COMMENT ON COLUMN spm.territory_source.territory_source_id IS 'Key.';
COMMENT ON COLUMN spm.territory_source.name IS 'Name, unique.';
COMMENT ON COLUMN spm.territory_source.match_expression IS 'Checked expression: what of a transaction is looked up in the relation.';
COMMENT ON COLUMN spm.territory_source.relation_schema IS 'Schema of the relation.';
COMMENT ON COLUMN spm.territory_source.relation_name IS 'Table or view with one row per key and holder.';
COMMENT ON COLUMN spm.territory_source.key_column IS 'Column with what is held.';
COMMENT ON COLUMN spm.territory_source.owner_column IS 'Column with the holder''s payee_key.';
COMMENT ON COLUMN spm.territory_source.since_column IS 'Column with the first day. NULL, or NULL in a row: from the beginning.';
COMMENT ON COLUMN spm.territory_source.until_column IS 'Column with the day after the last. NULL, or NULL in a row: for good.';
COMMENT ON COLUMN spm.territory_source.share_column IS 'Column with the holder''s share, as a ratio. NULL: all of it.';

CREATE TABLE spm.manual_credit (
    manual_credit_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payee_id int NOT NULL REFERENCES spm.payee,
    event_date date NOT NULL,
    amount numeric NOT NULL CHECK (abs(amount) < 1e15),
    currency_code text NOT NULL REFERENCES spm.currency,
    type text NOT NULL CHECK (type <> ''),
    account_key text,
    product_key text,
    quantity numeric NOT NULL DEFAULT 0 CHECK (abs(quantity) < 1e15),
    cost numeric NOT NULL DEFAULT 0 CHECK (abs(cost) < 1e15),
    list_amount numeric NOT NULL CHECK (abs(list_amount) < 1e15),
    event text NOT NULL DEFAULT 'booking' CHECK (event <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    author text NOT NULL DEFAULT session_user,
    entered_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX manual_credit_payee ON spm.manual_credit (payee_id);
CREATE INDEX manual_credit_currency ON spm.manual_credit (currency_code);
CREATE INDEX manual_credit_date ON spm.manual_credit (event_date);
COMMENT ON TABLE spm.manual_credit IS 'A credit that somebody entered. It counts once another login has approved it, until it is withdrawn; rows never change.';
COMMENT ON COLUMN spm.manual_credit.manual_credit_id IS 'Key; M-<key> is its transaction_key, in source manual.';
COMMENT ON COLUMN spm.manual_credit.payee_id IS 'Payee who is credited.';
COMMENT ON COLUMN spm.manual_credit.event_date IS 'Day that decides period and seat.';
COMMENT ON COLUMN spm.manual_credit.amount IS 'Amount, in currency_code; negative to take back.';
COMMENT ON COLUMN spm.manual_credit.currency_code IS 'Currency.';
COMMENT ON COLUMN spm.manual_credit.type IS 'Type, for the conditions of components.';
COMMENT ON COLUMN spm.manual_credit.account_key IS 'Account.';
COMMENT ON COLUMN spm.manual_credit.product_key IS 'Product.';
COMMENT ON COLUMN spm.manual_credit.quantity IS 'Quantity.';
COMMENT ON COLUMN spm.manual_credit.cost IS 'Cost, for measures of margin.';
COMMENT ON COLUMN spm.manual_credit.list_amount IS 'Amount at list price, for measures of discount.';
COMMENT ON COLUMN spm.manual_credit.event IS 'booking, or the milestone that it stands for.';
COMMENT ON COLUMN spm.manual_credit.reason IS 'Why.';
COMMENT ON COLUMN spm.manual_credit.author IS 'Login that entered it.';
COMMENT ON COLUMN spm.manual_credit.entered_at IS 'When.';

CREATE TABLE spm.manual_credit_decision (
    manual_credit_decision_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    manual_credit_id int NOT NULL REFERENCES spm.manual_credit,
    decision text NOT NULL CHECK (decision IN ('approved', 'withdrawn')),
    reason text,
    decided_by text NOT NULL DEFAULT session_user,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (manual_credit_id, decision),
    CONSTRAINT manual_credit_decision_reason CHECK (decision = 'approved' OR reason <> '')
);
COMMENT ON TABLE spm.manual_credit_decision IS 'That a manual credit was approved, or withdrawn. Rows never change.';
COMMENT ON COLUMN spm.manual_credit_decision.manual_credit_decision_id IS 'Key.';
COMMENT ON COLUMN spm.manual_credit_decision.manual_credit_id IS 'Manual credit.';
COMMENT ON COLUMN spm.manual_credit_decision.decision IS 'approved: it counts; withdrawn: it counts no more.';
COMMENT ON COLUMN spm.manual_credit_decision.reason IS 'Why.';
COMMENT ON COLUMN spm.manual_credit_decision.decided_by IS 'Login that decided; who approves is another than the author.';
COMMENT ON COLUMN spm.manual_credit_decision.decided_at IS 'When.';

SELECT pg_catalog.pg_extension_config_dump('spm.rollup_factor', '');
SELECT pg_catalog.pg_extension_config_dump('spm.rollup_factor_rollup_factor_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.rolldown', '');
SELECT pg_catalog.pg_extension_config_dump('spm.rolldown_rolldown_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_source', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_source_territory_source_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.manual_credit', '');
SELECT pg_catalog.pg_extension_config_dump('spm.manual_credit_manual_credit_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.manual_credit_decision', '');
SELECT pg_catalog.pg_extension_config_dump('spm.manual_credit_decision_manual_credit_decision_id_seq', '');
/*
 * compensation/tables_component.sql: what a component stands on besides its own
 * credits: results of other components, lookup tables, objectives.
 *
 * Other components are meant by name, within the same plan version: so that a
 * version can be copied, compared and exported as it is.
 */

CREATE TABLE spm.component_input (
    component_id int NOT NULL REFERENCES spm.component ON DELETE CASCADE,
    input_no int NOT NULL CHECK (input_no > 0),
    of_component text NOT NULL CHECK (of_component <> ''),
    figure text NOT NULL CHECK (figure IN ('amount', 'attainment', 'earned', 'quota')),
    scope text NOT NULL DEFAULT 'own' CHECK (scope IN ('own', 'team', 'plan')),
    weight numeric NOT NULL DEFAULT 1 CHECK (weight NOT IN ('NaN', 'Infinity', '-Infinity')),
    PRIMARY KEY (component_id, input_no)
);
COMMENT ON TABLE spm.component_input IS 'What a component with basis result, rank or pool is reckoned from: figures of other components of its version.';
COMMENT ON COLUMN spm.component_input.component_id IS 'Component.';
COMMENT ON COLUMN spm.component_input.input_no IS 'Order among its inputs.';
COMMENT ON COLUMN spm.component_input.of_component IS 'Name of the other component.';
COMMENT ON COLUMN spm.component_input.figure IS 'amount: its total; attainment: total by quota; earned: what it earns; quota: the quota.';
COMMENT ON COLUMN spm.component_input.scope IS 'own: of the same seat; team: of all seats with the same manager; plan: of everybody on the plan.';
COMMENT ON COLUMN spm.component_input.weight IS 'Figures are multiplied by it and added up.';

-- --------------------------------------------------------------- lookup tables

CREATE TABLE spm.lookup (
    lookup_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    dimensions text[] NOT NULL CHECK (cardinality(dimensions) BETWEEN 1 AND 4 AND array_position(dimensions, NULL) IS NULL),
    otherwise numeric CHECK (otherwise NOT IN ('NaN', 'Infinity', '-Infinity'))
);
COMMENT ON TABLE spm.lookup IS 'A table of rates or factors with one to four dimensions.';
COMMENT ON COLUMN spm.lookup.lookup_id IS 'Key.';
COMMENT ON COLUMN spm.lookup.name IS 'Name, unique.';
COMMENT ON COLUMN spm.lookup.dimensions IS 'Names of its dimensions, in order.';
COMMENT ON COLUMN spm.lookup.otherwise IS 'Value where no row matches. NULL: that is an error.';

ALTER TABLE spm.component ADD FOREIGN KEY (lookup_id) REFERENCES spm.lookup;

CREATE TABLE spm.lookup_row (
    lookup_row_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lookup_id int NOT NULL REFERENCES spm.lookup ON DELETE CASCADE,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    keys text[] NOT NULL CHECK (cardinality(keys) BETWEEN 1 AND 4),
    ranges numrange[] NOT NULL CHECK (cardinality(ranges) = cardinality(keys)),
    value numeric NOT NULL CHECK (value NOT IN ('NaN', 'Infinity', '-Infinity'))
);
CREATE INDEX lookup_row_lookup ON spm.lookup_row (lookup_id);
COMMENT ON TABLE spm.lookup_row IS 'A row of a lookup table: for each dimension a value, a range, or neither for any.';
COMMENT ON COLUMN spm.lookup_row.lookup_row_id IS 'Key.';
COMMENT ON COLUMN spm.lookup_row.lookup_id IS 'Lookup table.';
COMMENT ON COLUMN spm.lookup_row.span IS 'Days on which the row holds; end exclusive.';
COMMENT ON COLUMN spm.lookup_row.keys IS 'For each dimension the value that matches, or NULL.';
COMMENT ON COLUMN spm.lookup_row.ranges IS 'For each dimension the range of numbers that matches, or NULL.';
COMMENT ON COLUMN spm.lookup_row.value IS 'Value found.';

-- ------------------------------------------------------------------- modifiers

CREATE TABLE spm.modifier (
    modifier_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    component_id int NOT NULL REFERENCES spm.component ON DELETE CASCADE,
    modifier_no int NOT NULL CHECK (modifier_no > 0),
    kind text NOT NULL CHECK (kind IN ('gate', 'multiply', 'add', 'at most', 'at least', 'cap', 'floor')),
    of_components text[] NOT NULL DEFAULT '{}',
    figures text[] NOT NULL DEFAULT '{}' CHECK (cardinality(figures) <= 4
        AND figures <@ '{amount,attainment,earned,quota,credits}' AND cardinality(figures) = cardinality(of_components)),
    scope text NOT NULL DEFAULT 'own' CHECK (scope IN ('own', 'team', 'plan')),
    rates text,
    lookup_id int REFERENCES spm.lookup,
    variable_id int REFERENCES spm.variable,
    value numeric CHECK (value NOT IN ('NaN', 'Infinity', '-Infinity')),
    is_strict boolean NOT NULL DEFAULT false,
    UNIQUE (component_id, modifier_no),
    CONSTRAINT modifier_value CHECK (num_nonnulls(rates, lookup_id) <= 1
        AND (num_nonnulls(rates, lookup_id) = 0 OR cardinality(figures) > 0)
        AND (rates IS NULL OR cardinality(figures) = 1)),
    CONSTRAINT modifier_gate CHECK (kind <> 'gate' OR (value IS NOT NULL AND cardinality(figures) = 1))
);
CREATE INDEX modifier_lookup ON spm.modifier (lookup_id);
CREATE INDEX modifier_variable ON spm.modifier (variable_id);
COMMENT ON TABLE spm.modifier IS 'What makes a component pay more or less by its own or another component''s result: gates, multipliers, limits. Applied in order.';
COMMENT ON COLUMN spm.modifier.modifier_id IS 'Key.';
COMMENT ON COLUMN spm.modifier.component_id IS 'Component.';
COMMENT ON COLUMN spm.modifier.modifier_no IS 'Order in which modifiers are applied.';
COMMENT ON COLUMN spm.modifier.kind IS 'On the factor of all rates: multiply, add, at most, at least; gate: 0 unless the figure reaches value. On what is earned: cap, floor, in money.';
COMMENT ON COLUMN spm.modifier.of_components IS 'Names of the components whose figures count; empty text: the component itself.';
COMMENT ON COLUMN spm.modifier.figures IS 'For each of them: amount, attainment, earned, quota or credits (their number).';
COMMENT ON COLUMN spm.modifier.scope IS 'own: of the same seat; team: of all seats with the same manager; plan: of everybody on the plan.';
COMMENT ON COLUMN spm.modifier.rates IS 'Rate schedule that turns the figure into a value. NULL: the figure itself, or 1 without figure.';
COMMENT ON COLUMN spm.modifier.lookup_id IS 'Lookup table that turns the figures into a value.';
COMMENT ON COLUMN spm.modifier.variable_id IS 'Variable that the value is multiplied by: a cap of 250 % of salary.';
COMMENT ON COLUMN spm.modifier.value IS 'gate: what the figure must reach; others: a number that the value is multiplied by.';
COMMENT ON COLUMN spm.modifier.is_strict IS 'gate: whether the figure must lie above value.';

-- ------------------------------------------------------------------ objectives

CREATE TABLE spm.objective (
    objective_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payee_id int NOT NULL REFERENCES spm.payee,
    period_id int NOT NULL REFERENCES spm.period,
    name text NOT NULL CHECK (name <> ''),
    weight numeric NOT NULL CHECK (weight > 0 AND weight <= 1),
    rating numeric CHECK (rating >= 0 AND rating < 'Infinity'),
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    superseded_at timestamptz
);
CREATE UNIQUE INDEX objective_current ON spm.objective (payee_id, period_id, name) WHERE superseded_at IS NULL;
CREATE INDEX objective_payee ON spm.objective (payee_id);
CREATE INDEX objective_period ON spm.objective (period_id);
COMMENT ON TABLE spm.objective IS 'A weighted objective (MBO) of a payee in a period, and how far it was met. A change adds a row and ends the one before.';
COMMENT ON COLUMN spm.objective.objective_id IS 'Key.';
COMMENT ON COLUMN spm.objective.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.objective.period_id IS 'Period.';
COMMENT ON COLUMN spm.objective.name IS 'What is to be achieved.';
COMMENT ON COLUMN spm.objective.weight IS 'Share of the whole: 0.4 is 40 %. The weights of a payee and period total 1.';
COMMENT ON COLUMN spm.objective.rating IS 'How far it was met: 1 is fully. NULL: not rated, counts as 0.';
COMMENT ON COLUMN spm.objective.reason IS 'Why it was set, rated or changed.';
COMMENT ON COLUMN spm.objective.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm.objective.recorded_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm.objective.superseded_at IS 'When a later row took its place. NULL: it counts.';

SELECT pg_catalog.pg_extension_config_dump('spm.component_input', '');
SELECT pg_catalog.pg_extension_config_dump('spm.lookup', '');
SELECT pg_catalog.pg_extension_config_dump('spm.lookup_lookup_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.lookup_row', '');
SELECT pg_catalog.pg_extension_config_dump('spm.lookup_row_lookup_row_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.modifier', '');
SELECT pg_catalog.pg_extension_config_dump('spm.modifier_modifier_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.objective', '');
SELECT pg_catalog.pg_extension_config_dump('spm.objective_objective_id_seq', '');
/*
 * compensation/tables_capitalization.sql: commissions as costs of obtaining a
 * contract (ASC 340-40, IFRS 15): which are an asset, over how many months, and
 * what is written off early.  The asset itself is derived from the ledger, by
 * views: it cannot disagree with what was earned.
 */

CREATE TABLE spm.capitalization (
    capitalization_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id int NOT NULL REFERENCES spm.plan,
    component_name text NOT NULL DEFAULT '',
    transaction_type text NOT NULL DEFAULT '',
    span daterange NOT NULL CHECK (NOT isempty(span)),
    months int NOT NULL CHECK (months BETWEEN 1 AND 1200),
    term_attribute text,
    first_month text NOT NULL DEFAULT 'full' CHECK (first_month IN ('full', 'partial', 'half', 'next')),
    is_expedient boolean NOT NULL DEFAULT true,
    late text NOT NULL DEFAULT 'catch-up' CHECK (late IN ('catch-up', 'prospective')),
    CONSTRAINT capitalization_overlap EXCLUDE USING gist
        (plan_id WITH =, component_name WITH =, transaction_type WITH =, span WITH &&)
);
CREATE INDEX capitalization_plan ON spm.capitalization (plan_id);
COMMENT ON TABLE spm.capitalization IS 'Which earnings are incremental costs of obtaining a contract, and over how many months they are spread. The most particular row counts: component and type, component, type, neither.';
COMMENT ON COLUMN spm.capitalization.capitalization_id IS 'Key.';
COMMENT ON COLUMN spm.capitalization.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.capitalization.component_name IS 'Component, by name in every version of the plan. Empty: all.';
COMMENT ON COLUMN spm.capitalization.transaction_type IS 'Type of the transaction, such as renewal. Empty: all.';
COMMENT ON COLUMN spm.capitalization.span IS 'Days of the transactions it is for; end exclusive.';
COMMENT ON COLUMN spm.capitalization.months IS 'Benefit period in months.';
COMMENT ON COLUMN spm.capitalization.term_attribute IS 'Attribute of the transaction that holds the contract term in months, which then counts instead. NULL: the benefit period counts.';
COMMENT ON COLUMN spm.capitalization.first_month IS 'full: the month of the deal counts whole; partial: by its days that are left; half: as half a month; next: the following month is the first.';
COMMENT ON COLUMN spm.capitalization.is_expedient IS 'Practical expedient: what is spread over twelve months or less is expensed at once.';
COMMENT ON COLUMN spm.capitalization.late IS 'What is earned more or less after its period was posted. catch-up: as though it had been there from the start, the past all at once; prospective: spread over the months that are left.';

-- No foreign keys: the deal is the warehouse's.
CREATE TABLE spm.impairment (
    impairment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    transaction_key text NOT NULL,
    line text NOT NULL,
    impaired_on date NOT NULL CHECK (isfinite(impaired_on)),
    share numeric NOT NULL CHECK (share > 0 AND share <= 1),
    kept numeric NOT NULL CHECK (kept >= 0 AND kept < 1),
    reason text NOT NULL CHECK (reason <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user
);
CREATE INDEX impairment_transaction ON spm.impairment (transaction_key, source, line);
COMMENT ON TABLE spm.impairment IS 'Contract costs written off before their time, because the contract is cancelled or worth less. In order of time within a deal.';
COMMENT ON COLUMN spm.impairment.impairment_id IS 'Key, in order of time within a deal.';
COMMENT ON COLUMN spm.impairment.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.impairment.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.impairment.line IS 'Its line.';
COMMENT ON COLUMN spm.impairment.impaired_on IS 'Day; what is left at the end of its month is written off.';
COMMENT ON COLUMN spm.impairment.share IS 'Share of what is left that is written off: 1 is all.';
COMMENT ON COLUMN spm.impairment.kept IS 'What remains of the schedule after this and all earlier ones: 0 is nothing.';
COMMENT ON COLUMN spm.impairment.reason IS 'Why.';
COMMENT ON COLUMN spm.impairment.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm.impairment.recorded_by IS 'Login that recorded it.';

SELECT pg_catalog.pg_extension_config_dump('spm.capitalization', '');
SELECT pg_catalog.pg_extension_config_dump('spm.capitalization_capitalization_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.impairment', '');
SELECT pg_catalog.pg_extension_config_dump('spm.impairment_impairment_id_seq', '');
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
/*
 * compensation/tables_time.sql: what results were before they became what they are.
 *
 * A posted row never changes.  A draft does, at every calculation: what a
 * calculation removes is kept here, so that any instant can be looked at again,
 * at the price of what has changed and not of what there is.
 */

CREATE TABLE spm.superseded (
    superseded_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    relation text NOT NULL,
    posting_id int NOT NULL,
    payee_id int,
    run_id bigint NOT NULL,
    superseded_run_id bigint,
    superseded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    content jsonb NOT NULL
);
CREATE INDEX superseded_posting ON spm.superseded (posting_id, payee_id);
COMMENT ON TABLE spm.superseded IS 'Draft rows of spm.credit, measurement, earning, payout and balance that a later calculation has removed. Written by triggers, never changed.';
COMMENT ON COLUMN spm.superseded.superseded_id IS 'Key.';
COMMENT ON COLUMN spm.superseded.relation IS 'Table that the row was in: credit, measurement, earning, payout or balance.';
COMMENT ON COLUMN spm.superseded.posting_id IS 'Posting that the row was in.';
COMMENT ON COLUMN spm.superseded.payee_id IS 'Payee of the row.';
COMMENT ON COLUMN spm.superseded.run_id IS 'Run that had written the row.';
COMMENT ON COLUMN spm.superseded.superseded_run_id IS 'Run that removed it. NULL: removed by hand.';
COMMENT ON COLUMN spm.superseded.superseded_at IS 'When it was removed; what counts is when the run that did was done.';
COMMENT ON COLUMN spm.superseded.content IS 'The row.';

CREATE TABLE spm.posted_statement (
    posting_id int NOT NULL REFERENCES spm.posting,
    payee_id int NOT NULL REFERENCES spm.payee,
    content text NOT NULL,
    PRIMARY KEY (posting_id, payee_id)
);
CREATE INDEX posted_statement_payee ON spm.posted_statement (payee_id);
COMMENT ON TABLE spm.posted_statement IS 'What the statements of a posting said when it was posted, to the letter: names, words and layout may change later.';
COMMENT ON COLUMN spm.posted_statement.posting_id IS 'Posting.';
COMMENT ON COLUMN spm.posted_statement.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.posted_statement.content IS 'The statement, lines separated by line feeds. Holds the name of the payee.';

SELECT pg_catalog.pg_extension_config_dump('spm.superseded', '');
SELECT pg_catalog.pg_extension_config_dump('spm.superseded_superseded_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.posted_statement', '');
/*
 * compensation/tables_payment.sql: payout -> payment.  What is posted is
 * gathered into batches, approved by somebody else, and paid: once.
 */

CREATE TABLE spm.payment_currency (
    payment_currency_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payee_id int NOT NULL REFERENCES spm.payee,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    currency_code text NOT NULL REFERENCES spm.currency,
    rate_on text NOT NULL DEFAULT 'payment' CHECK (rate_on IN ('payment', 'booking', 'average', 'period end', 'fixed')),
    rate_type text NOT NULL DEFAULT 'spot' CHECK (rate_type <> ''),
    quote text NOT NULL DEFAULT 'direct' CHECK (quote IN ('direct', 'inverse', 'base')),
    base_currency_code text REFERENCES spm.currency,
    round_at text NOT NULL DEFAULT 'payment' CHECK (round_at IN ('payment', 'payout', 'deal')),
    rounding text NOT NULL DEFAULT 'half_up'
        CHECK (rounding IN ('half_up', 'half_even', 'half_down', 'up', 'down', 'floor', 'ceiling')),
    CONSTRAINT payment_currency_base CHECK ((quote = 'base') = (base_currency_code IS NOT NULL)),
    CONSTRAINT payment_currency_overlap EXCLUDE USING gist (payee_id WITH =, span WITH &&)
);
CREATE INDEX payment_currency_payee ON spm.payment_currency (payee_id);
CREATE INDEX payment_currency_currency ON spm.payment_currency (currency_code);
CREATE INDEX payment_currency_base_currency ON spm.payment_currency (base_currency_code);
COMMENT ON TABLE spm.payment_currency IS 'In which currency a payee is paid, and at which rate what the plan pays becomes that. Without a row: in the currency of the plan.';
COMMENT ON COLUMN spm.payment_currency.payment_currency_id IS 'Key.';
COMMENT ON COLUMN spm.payment_currency.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.payment_currency.span IS 'Days of payment; end exclusive.';
COMMENT ON COLUMN spm.payment_currency.currency_code IS 'Currency of the payment.';
COMMENT ON COLUMN spm.payment_currency.rate_on IS 'Day of the rate. payment: that of the payment; booking: that of each deal; average: all days of the period in which it was earned; period end: its last day; fixed: its first day, for rates that are set for a year.';
COMMENT ON COLUMN spm.payment_currency.rate_type IS 'Type of the rates: spot, average, budget ...';
COMMENT ON COLUMN spm.payment_currency.quote IS 'direct: times the rate from the plan''s currency to the payment''s; inverse: divided by the rate the other way round; base: times what one unit of the one is worth in a third currency, divided by what one of the other is.';
COMMENT ON COLUMN spm.payment_currency.base_currency_code IS 'Quote base: that third currency.';
COMMENT ON COLUMN spm.payment_currency.round_at IS 'What is rounded: payment, each payout, or each deal.';
COMMENT ON COLUMN spm.payment_currency.rounding IS 'Rounding mode, to the digits of the currency.';

CREATE TABLE spm.payment_batch (
    payment_batch_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period_id int NOT NULL REFERENCES spm.period,
    pay_on date NOT NULL CHECK (isfinite(pay_on)),
    state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'paid', 'rejected', 'withdrawn')),
    proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    proposed_by text NOT NULL DEFAULT session_user,
    approved_at timestamptz,
    approved_by text,
    paid_on date CHECK (isfinite(paid_on)),
    reference text CHECK (reference <> ''),
    reason text CHECK (reason <> ''),
    CONSTRAINT payment_batch_approved CHECK ((approved_by IS NULL) = (approved_at IS NULL)
        AND (state NOT IN ('approved', 'paid') OR approved_by <> proposed_by AND approved_by IS NOT NULL)),
    CONSTRAINT payment_batch_paid CHECK ((state = 'paid') = (paid_on IS NOT NULL) AND (state = 'paid') = (reference IS NOT NULL)),
    CONSTRAINT payment_batch_reason CHECK ((state IN ('rejected', 'withdrawn')) = (reason IS NOT NULL))
);
CREATE INDEX payment_batch_period ON spm.payment_batch (period_id);
COMMENT ON TABLE spm.payment_batch IS 'What is paid together: proposed, approved by another login, paid; or rejected or withdrawn, and its payouts are free again.';
COMMENT ON COLUMN spm.payment_batch.payment_batch_id IS 'Key.';
COMMENT ON COLUMN spm.payment_batch.period_id IS 'Period up to which posted payouts were gathered.';
COMMENT ON COLUMN spm.payment_batch.pay_on IS 'Day of the payment as planned: it decides on currency and rates.';
COMMENT ON COLUMN spm.payment_batch.state IS 'proposed, approved, paid, rejected or withdrawn.';
COMMENT ON COLUMN spm.payment_batch.proposed_at IS 'When it was proposed.';
COMMENT ON COLUMN spm.payment_batch.proposed_by IS 'Login that proposed it.';
COMMENT ON COLUMN spm.payment_batch.approved_at IS 'When it was approved.';
COMMENT ON COLUMN spm.payment_batch.approved_by IS 'Login that approved it: never the one that proposed.';
COMMENT ON COLUMN spm.payment_batch.paid_on IS 'Day on which it was paid.';
COMMENT ON COLUMN spm.payment_batch.reference IS 'Reference of the payment at the bank or in payroll.';
COMMENT ON COLUMN spm.payment_batch.reason IS 'Why it was rejected or withdrawn.';

CREATE TABLE spm.payment_event (
    payment_event_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_batch_id int NOT NULL REFERENCES spm.payment_batch,
    from_state text NOT NULL,
    to_state text NOT NULL,
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user
);
CREATE INDEX payment_event_batch ON spm.payment_event (payment_batch_id);
COMMENT ON TABLE spm.payment_event IS 'Every change of a batch''s state. Never changed.';
COMMENT ON COLUMN spm.payment_event.payment_event_id IS 'Key, in order of time.';
COMMENT ON COLUMN spm.payment_event.payment_batch_id IS 'Batch that changed.';
COMMENT ON COLUMN spm.payment_event.from_state IS 'State before.';
COMMENT ON COLUMN spm.payment_event.to_state IS 'State after.';
COMMENT ON COLUMN spm.payment_event.reason IS 'Why, where a batch is rejected or withdrawn.';
COMMENT ON COLUMN spm.payment_event.recorded_at IS 'When.';
COMMENT ON COLUMN spm.payment_event.recorded_by IS 'Login that did it.';

CREATE TABLE spm.payment (
    payment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_batch_id int NOT NULL REFERENCES spm.payment_batch,
    payee_id int NOT NULL REFERENCES spm.payee,
    currency_code text NOT NULL REFERENCES spm.currency,
    amount numeric NOT NULL,
    UNIQUE (payment_batch_id, payee_id, currency_code)
);
CREATE INDEX payment_payee ON spm.payment (payee_id);
CREATE INDEX payment_currency_code ON spm.payment (currency_code);
COMMENT ON TABLE spm.payment IS 'One row per batch, payee and currency: what is transferred.';
COMMENT ON COLUMN spm.payment.payment_id IS 'Key.';
COMMENT ON COLUMN spm.payment.payment_batch_id IS 'Batch.';
COMMENT ON COLUMN spm.payment.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.payment.currency_code IS 'Currency of the payment.';
COMMENT ON COLUMN spm.payment.amount IS 'Amount: the sum of its items.';

CREATE TABLE spm.payment_item (
    payment_item_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id bigint NOT NULL REFERENCES spm.payment,
    payout_id bigint NOT NULL REFERENCES spm.payout,
    part_no int NOT NULL CHECK (part_no > 0),
    amount numeric NOT NULL,
    currency_code text NOT NULL REFERENCES spm.currency,
    exchange_rate numeric NOT NULL CHECK (exchange_rate > 0),
    exchange_divisor numeric NOT NULL CHECK (exchange_divisor > 0),
    paid_amount numeric NOT NULL,
    is_live boolean NOT NULL DEFAULT true
);
CREATE INDEX payment_item_payment ON spm.payment_item (payment_id);
CREATE INDEX payment_item_payout ON spm.payment_item (payout_id);
CREATE INDEX payment_item_currency ON spm.payment_item (currency_code);
CREATE UNIQUE INDEX payment_item_live ON spm.payment_item (payout_id, part_no) WHERE is_live;
COMMENT ON TABLE spm.payment_item IS 'Which payouts a payment pays, at which rate: one row per payout and rate. A payout is in one batch at most that is not rejected or withdrawn.';
COMMENT ON COLUMN spm.payment_item.payment_item_id IS 'Key.';
COMMENT ON COLUMN spm.payment_item.payment_id IS 'Payment.';
COMMENT ON COLUMN spm.payment_item.payout_id IS 'Payout.';
COMMENT ON COLUMN spm.payment_item.part_no IS '1, or more where deals of a payout have rates of their own.';
COMMENT ON COLUMN spm.payment_item.amount IS 'What of the payout, in the currency of the plan; the parts add up to it.';
COMMENT ON COLUMN spm.payment_item.currency_code IS 'Currency of the plan.';
COMMENT ON COLUMN spm.payment_item.exchange_rate IS 'Times this ...';
COMMENT ON COLUMN spm.payment_item.exchange_divisor IS '... and divided by this: rates are kept as they were set, so that nothing is lost.';
COMMENT ON COLUMN spm.payment_item.paid_amount IS 'What it is in the currency of the payment, rounded so that the items add up to the payment.';
COMMENT ON COLUMN spm.payment_item.is_live IS 'Whether it counts; false once its batch is rejected or withdrawn.';

CREATE TABLE spm.gl_account (
    gl_account_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('expense', 'waiting', 'payable', 'cash', 'held', 'advance', 'clearing', 'rounding',
                                             'contract cost', 'amortization', 'impairment')),
    plan_id int REFERENCES spm.plan,
    component_name text NOT NULL DEFAULT '',
    span daterange NOT NULL CHECK (NOT isempty(span)),
    account_code text NOT NULL CHECK (account_code <> ''),
    CONSTRAINT gl_account_overlap EXCLUDE USING gist (purpose WITH =, coalesce(plan_id, 0) WITH =, component_name WITH =, span WITH &&)
);
CREATE INDEX gl_account_plan ON spm.gl_account (plan_id);
COMMENT ON TABLE spm.gl_account IS 'Accounts of the general ledger by purpose. What is set for a plan or component goes before what is set for all.';
COMMENT ON COLUMN spm.gl_account.gl_account_id IS 'Key.';
COMMENT ON COLUMN spm.gl_account.purpose IS 'expense: pay; waiting: accrued, not yet approved; payable: approved, not yet paid; cash; held: kept back; advance: draws to be recovered; clearing: between currencies; rounding; contract cost: the asset; amortization, impairment: its expense.';
COMMENT ON COLUMN spm.gl_account.plan_id IS 'Plan. NULL: all.';
COMMENT ON COLUMN spm.gl_account.component_name IS 'Component, by name. Empty: all.';
COMMENT ON COLUMN spm.gl_account.span IS 'Days of the entry; end exclusive.';
COMMENT ON COLUMN spm.gl_account.account_code IS 'Account.';

SELECT pg_catalog.pg_extension_config_dump('spm.payment_currency', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_currency_payment_currency_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_batch', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_batch_payment_batch_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_event', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_event_payment_event_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_payment_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_item', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_item_payment_item_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.gl_account', '');
SELECT pg_catalog.pg_extension_config_dump('spm.gl_account_gl_account_id_seq', '');
/*
 * compensation/tables_acceptance.sql: who has agreed to what a plan says.
 */

CREATE TABLE spm.plan_acceptance (
    plan_acceptance_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_version_id int NOT NULL REFERENCES spm.plan_version,
    payee_id int NOT NULL REFERENCES spm.payee,
    document_hash text NOT NULL,
    document text NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    accepted_by text NOT NULL DEFAULT session_user,
    UNIQUE (plan_version_id, payee_id, document_hash)
);
CREATE INDEX plan_acceptance_payee ON spm.plan_acceptance (payee_id);
COMMENT ON TABLE spm.plan_acceptance IS 'That a payee has accepted a version of a plan, with the text that was accepted. Rows are only added.';
COMMENT ON COLUMN spm.plan_acceptance.plan_acceptance_id IS 'Key.';
COMMENT ON COLUMN spm.plan_acceptance.plan_version_id IS 'Version.';
COMMENT ON COLUMN spm.plan_acceptance.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.plan_acceptance.document_hash IS 'SHA-256 of the document, in hex.';
COMMENT ON COLUMN spm.plan_acceptance.document IS 'The document as it was accepted: the text of spm.plan_document().';
COMMENT ON COLUMN spm.plan_acceptance.accepted_at IS 'When.';
COMMENT ON COLUMN spm.plan_acceptance.accepted_by IS 'Login that recorded it: the payee''s own, or that of a portal.';

SELECT pg_catalog.pg_extension_config_dump('spm.plan_acceptance', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan_acceptance_plan_acceptance_id_seq', '');
/*
 * core/toolbox.sql: expressions over a transaction.
 */

CREATE OR REPLACE FUNCTION spm.checked_expression(expression text, result_type regtype)
    RETURNS text
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET array_nulls = on
    SET bytea_output = 'hex'
    SET datestyle = 'ISO, YMD'
    SET extra_float_digits = 1
    SET intervalstyle = 'iso_8601'
    SET quote_all_identifiers = off
    SET standard_conforming_strings = on
    SET timezone = 'UTC'
    SET transform_null_equals = off
    AS 'MODULE_PATHNAME', 'spm_checked_expression';
COMMENT ON FUNCTION spm.checked_expression(text, regtype) IS
'An expression over the columns of a transaction, checked and written out in full; it is never executed.
expression: one SQL value over the columns of spm.transaction_row, at most 10,000 bytes, as typed and as returned. result_type: boolean for a condition, numeric for a measure; whole numbers become numeric.
Only immutable functions and operators that are built in or spm''s may be used. The result is to be read with search_path pg_catalog and gives itself when checked again.
Errors: 42P17 for what is refused, 42703 for an unknown column, 42804 for another result type, 54000 for one too long, 22023 for a result type that no expression can have, and those of the parser.
Example: spm.checked_expression(''amount - cost'', ''numeric'') is (t.amount - t.cost).';

CREATE OR REPLACE FUNCTION spm.checked_expression(expression text, result_type regtype, relation regclass)
    RETURNS text
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET array_nulls = on
    SET bytea_output = 'hex'
    SET datestyle = 'ISO, YMD'
    SET extra_float_digits = 1
    SET intervalstyle = 'iso_8601'
    SET quote_all_identifiers = off
    SET standard_conforming_strings = on
    SET timezone = 'UTC'
    SET transform_null_equals = off
    AS 'MODULE_PATHNAME', 'spm_checked_expression';
COMMENT ON FUNCTION spm.checked_expression(text, regtype, regclass) IS
'The same over the columns of a table or view, which the result calls t: the filter of a source. Columns of other types than an expression may use can only be tested with IS NULL.
relation: the table or view. Errors: as without a relation, and 42809 for a relation that has no rows, such as an index.
Example: spm.checked_expression(''total > 0'', ''boolean'', ''public.orders'') is (t.total > (0)::numeric).';

CREATE OR REPLACE FUNCTION spm.expression_columns(expression text)
    RETURNS text[]
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET array_nulls = on
    SET datestyle = 'ISO, YMD'
    SET intervalstyle = 'iso_8601'
    SET standard_conforming_strings = on
    SET timezone = 'UTC'
    SET transform_null_equals = off
    AS 'MODULE_PATHNAME', 'spm_expression_columns';
COMMENT ON FUNCTION spm.expression_columns(text) IS
'Columns of spm.transaction_row that an expression uses, in the order of that type. The expression is checked as by spm.checked_expression, whose errors it shares; its type may be any.
Example: spm.expression_columns(''amount - cost'') is {amount,cost}.';
/*
 * core/functions.sql: currencies, calendars and periods.
 *
 * Inside PL/pgSQL a bare name in a query is a column, and an argument is
 * written function.argument.
 */

-- -------------------------------------------------------------- small helpers

CREATE OR REPLACE FUNCTION spm._span(since date, until date)
    RETURNS daterange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT daterange(nullif(since, '-infinity'), nullif(until, 'infinity'), '[)');
    END;
COMMENT ON FUNCTION spm._span(date, date) IS
    'The days from since until the day before until; NULL and infinity both mean without end.';
REVOKE ALL ON FUNCTION spm._span(date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._checked_span(since date, until date)
    RETURNS daterange
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(since, '-infinity') >= coalesce(until, 'infinity') THEN
        RAISE EXCEPTION 'until must be after since'
            USING ERRCODE = '22023',
                DETAIL = format('since is %s, until is %s.', coalesce(since::text, '-infinity'), coalesce(until::text, 'infinity')),
                HINT = 'until is the first day on which it no longer holds; leave it out to leave the end open.';
    END IF;
    RETURN spm._span(since, until);
END
$$;
COMMENT ON FUNCTION spm._checked_span(date, date) IS
    'As spm._span(), but error 22023 when no day would be left.';
REVOKE ALL ON FUNCTION spm._checked_span(date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._near(wanted text, names text[])
    RETURNS text
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT string_agg(n.name, ', ' ORDER BY n.name COLLATE "C")
        FROM (
            SELECT u.name
            FROM unnest(names) AS u (name), (SELECT lower(left(wanted, 63)), lower(right(wanted, 63))) AS w (head, tail)
            ORDER BY (
                SELECT count(*) FILTER (WHERE left(lower(u.name), i) = left(w.head, i))
                    + count(*) FILTER (WHERE right(lower(u.name), i) = right(w.tail, i))
                FROM generate_series(1, least(length(wanted), 63)) AS i
            ) DESC, u.name COLLATE "C"
            LIMIT 6
        ) AS n;
    END;
COMMENT ON FUNCTION spm._near(text, text[]) IS
    'Up to six of the names, those that begin and end most like the wanted one, for the hint of an error.';
REVOKE ALL ON FUNCTION spm._near(text, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._condition(matching jsonb)
    RETURNS text
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT string_agg(format('r.%I = %L', m.key, m.value), ' AND ') FROM jsonb_each_text(matching) AS m;
    END;
COMMENT ON FUNCTION spm._condition(jsonb) IS 'Condition that the columns of r have these values.';
REVOKE ALL ON FUNCTION spm._condition(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._key_columns(relation regclass)
    RETURNS text
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = _key_columns.relation AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attidentity = '' AND a.attname <> 'span';
    END;
COMMENT ON FUNCTION spm._key_columns(regclass) IS 'Columns of a dated table but its identity and its span, quoted.';
REVOKE ALL ON FUNCTION spm._key_columns(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._make_room(relation regclass, matching text, what text, since date, until date)
    RETURNS daterange
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    same CONSTANT jsonb := matching;
    room daterange := spm._checked_span(since, until);
    next_start date;
    clash daterange;
BEGIN
    EXECUTE format('SELECT r.span FROM %s AS r WHERE %s AND CASE WHEN lower_inf($1) THEN lower_inf(r.span) ELSE lower(r.span) = lower($1) END',
        relation, spm._condition(same)) INTO clash USING room;
    IF clash IS NOT NULL THEN
        RAISE EXCEPTION '% is already set from %', what, coalesce(lower(clash)::text, 'the beginning')
            USING ERRCODE = '23P01',
                DETAIL = format('What is there holds for %s.', clash),
                HINT = CASE WHEN lower_inf(clash) THEN 'Give the day of the change: since => ''2026-01-01''.'
                    ELSE format('Give another day, or correct the row of that span in %s.', relation) END;
    END IF;

    EXECUTE format('SELECT min(lower(r.span)) FROM %s AS r WHERE %s AND r.span && $1 AND NOT coalesce(r.span @> lower($1), false)',
        relation, spm._condition(same)) INTO next_start USING room;
    IF next_start IS NOT NULL THEN
        IF NOT upper_inf(room) THEN
            RAISE EXCEPTION '% is already set from %', what, next_start
                USING ERRCODE = '23P01',
                    DETAIL = format('The new span would be %s.', room),
                    HINT = format('Leave until out to let it end on %s, or give an earlier one.', next_start);
        END IF;
        room := daterange(lower(room), next_start);
    END IF;

    -- The one that held until now ends; what it still had beyond a given end stays.
    IF NOT lower_inf(room) THEN
        EXECUTE format($sql$
            WITH held AS MATERIALIZED (
                SELECT r.span FROM %s AS r WHERE %s AND r.span @> lower($1)
            ), cut AS (
                UPDATE %s AS r SET span = daterange(lower(r.span), lower($1))
                WHERE %s AND r.span @> lower($1)
            )
            SELECT daterange(upper($1), upper(held.span)) FROM held
            WHERE NOT upper_inf($1) AND coalesce(upper(held.span) > upper($1), true)$sql$,
            relation, spm._condition(same), relation, spm._condition(same)) INTO clash USING room;
        IF clash IS NOT NULL THEN
            EXECUTE format('INSERT INTO %s (%s, span) SELECT %s, $2 FROM %s AS r WHERE %s AND upper(r.span) = lower($1)',
                relation, spm._key_columns(relation), spm._key_columns(relation), relation, spm._condition(same)) USING room, clash;
        END IF;
    END IF;
    RETURN room;
END
$$;
COMMENT ON FUNCTION spm._make_room(regclass, text, text, date, date) IS
'Frees the days from since for a new row of a dated table and returns the span it may take: until the next one starts, where until is NULL.
The row that holds on since is cut there; when until is given, it holds again from then on. No other row changes.
relation: table with a column span; matching: columns and values of the rows about the same thing, as JSON; what: its name in errors.
Errors: 23P01 when one starts on the same day, or when one starts before until; 22023 when until is not after since.';
REVOKE ALL ON FUNCTION spm._make_room(regclass, text, text, date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._column_type(relation regclass, column_name text, argument text, accepted text[], advice text)
    RETURNS regtype
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
DECLARE
    type oid;
BEGIN
    SELECT coalesce(nullif(t.typbasetype, 0), t.oid) INTO type
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = _column_type.relation AND a.attname = _column_type.column_name
        AND a.attnum > 0 AND NOT a.attisdropped;
    IF type IS NULL THEN
        RAISE EXCEPTION 'column "%" of % does not exist', column_name, relation
            USING ERRCODE = '42703', DETAIL = format('It is named by %s => %L.', argument, column_name),
                HINT = format('Columns that look like it: %s.', spm._near(column_name, ARRAY(
                    SELECT attname::text FROM pg_catalog.pg_attribute
                    WHERE attrelid = _column_type.relation AND attnum > 0 AND NOT attisdropped)));
    END IF;
    IF NOT has_column_privilege(relation, column_name, 'SELECT') THEN
        RAISE EXCEPTION 'you may not read column "%" of %', column_name, relation
            USING ERRCODE = '42501', DETAIL = format('It is named by %s => %L.', argument, column_name),
                HINT = format('Let its owner run: GRANT SELECT ON %s TO %I;', relation, current_user);
    END IF;
    IF NOT (format_type(type, NULL) = ANY (accepted) OR 'enum' = ANY (accepted) AND EXISTS (
        SELECT FROM pg_catalog.pg_type AS t WHERE t.oid = type AND t.typtype = 'e')) THEN
        RAISE EXCEPTION 'column "%" of % has type %, which cannot be %', column_name, relation, format_type(type, NULL), argument
            USING ERRCODE = '42804', DETAIL = format('Possible are %s.', array_to_string(accepted, ', ')),
                HINT = CASE WHEN type IN ('real'::regtype, 'double precision'::regtype)
                    THEN format('Floating point loses cents. Name a view with %I::numeric instead of the table.', column_name)
                    ELSE coalesce(advice, format('Name a view that converts %I instead of the table.', column_name)) END;
    END IF;
    RETURN type;
END
$$;
COMMENT ON FUNCTION spm._column_type(regclass, text, text, text[], text) IS
'Type of a column that a caller named, below domains, after checking it.
argument: what the caller calls it; accepted: names of types that will do; advice: hint for another type.
Errors: 42703 no such column, 42501 not readable, 42804 another type.';
REVOKE ALL ON FUNCTION spm._column_type(regclass, text, text, text[], text) FROM PUBLIC;

-- ----------------------------------------------------------------- currencies

CREATE OR REPLACE FUNCTION spm._check_currency(currency_code text)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM spm.currency AS c WHERE c.currency_code = _check_currency.currency_code) THEN
        RAISE EXCEPTION 'currency "%" does not exist', currency_code
            USING ERRCODE = '42704', HINT = format('Add it: SELECT spm.add_currency(%L);', currency_code);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_currency(text) IS 'Error 42704 when the currency is not in spm.currency.';
REVOKE ALL ON FUNCTION spm._check_currency(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_currency(currency_code text, minor_digits int DEFAULT NULL, name text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    digits int := coalesce(minor_digits, CASE
        WHEN currency_code IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG',
            'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
        WHEN currency_code IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
        WHEN currency_code IN ('CLF', 'UYW') THEN 4
        ELSE 2 END);
BEGIN
    IF currency_code IS NULL OR currency_code !~ '^[A-Z]{3}$' THEN
        RAISE EXCEPTION 'currency code must be three capital letters, not %', coalesce(quote_literal(currency_code), 'NULL')
            USING ERRCODE = '22023', HINT = 'Use the ISO 4217 code, such as USD.';
    END IF;
    IF digits NOT BETWEEN 0 AND 4 THEN
        RAISE EXCEPTION 'minor digits must be between 0 and 4, not %', digits
            USING ERRCODE = '22023', HINT = 'Leave minor_digits out to take those of ISO 4217.';
    END IF;
    INSERT INTO spm.currency (currency_code, minor_digits, name)
    VALUES (add_currency.currency_code, digits, add_currency.name)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'currency "%" already exists', currency_code
            USING ERRCODE = '42710', HINT = 'Change its row in spm.currency if the name or the digits are wrong.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.add_currency(text, int, text) IS
'Adds a currency.
currency_code: ISO 4217; minor_digits: decimal places of a payment, NULL for those of ISO 4217; name: shown to people.
Errors: 22023 for a code that is not three capital letters or digits outside 0 to 4; 42710 when it is there already.
Example: SELECT spm.add_currency(''JPY'') adds it with 0 digits.';

CREATE OR REPLACE FUNCTION spm.set_exchange_rate(from_currency text, to_currency text, since date, rate numeric,
    rate_type text DEFAULT 'spot', until date DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    room daterange;
BEGIN
    PERFORM spm._check_currency(from_currency);
    PERFORM spm._check_currency(to_currency);
    IF from_currency = to_currency THEN
        RAISE EXCEPTION 'a currency needs no rate to itself' USING ERRCODE = '22023',
            DETAIL = format('Both currencies are %s.', from_currency), HINT = 'It is always 1.';
    END IF;
    IF rate IS NULL OR rate <= 0 OR rate IN ('Infinity', 'NaN') THEN
        RAISE EXCEPTION 'exchange rate must be a number above zero, not %', coalesce(rate::text, 'NULL')
            USING ERRCODE = '22023', HINT = format('Give how many %s one %s is worth.', to_currency, from_currency);
    END IF;
    room := spm._make_room('spm.exchange_rate',
        jsonb_build_object('rate_type', rate_type, 'from_currency_code', from_currency, 'to_currency_code', to_currency)::text,
        format('the %s rate from %s to %s', rate_type, from_currency, to_currency), since, until);
    INSERT INTO spm.exchange_rate (rate_type, from_currency_code, to_currency_code, span, rate)
    VALUES (set_exchange_rate.rate_type, from_currency, to_currency, room, set_exchange_rate.rate);
END
$$;
COMMENT ON FUNCTION spm.set_exchange_rate(text, text, date, numeric, text, date) IS
'Adds a rate from a day on. The rate it follows ends the day before; no other changes.
rate: units of to_currency for one of from_currency; rate_type: spot, average, budget ...; until: first day on which it no longer holds, NULL for until the next rate. With until, the rate before holds again afterwards.
Errors: 42704 unknown currency; 22023 for a rate that is not above zero, equal currencies, until not after since; 23P01 when a rate is already set from that day, or starts before until.
Example: SELECT spm.set_exchange_rate(''EUR'', ''USD'', ''2026-01-01'', 1.0842);';

CREATE OR REPLACE FUNCTION spm.exchange_rate_on(from_currency text, to_currency text, date date, rate_type text DEFAULT 'spot')
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT CASE WHEN from_currency = to_currency THEN 1 ELSE (
            SELECT r.rate
            FROM spm.exchange_rate AS r
            WHERE r.from_currency_code = from_currency AND r.to_currency_code = to_currency
                AND r.rate_type = exchange_rate_on.rate_type AND r.span @> exchange_rate_on.date
        ) END;
    END;
COMMENT ON FUNCTION spm.exchange_rate_on(text, text, date, text) IS
'Rate that holds on a day: 1 for the same currency, NULL when none was set. Only the rate of this direction counts; nothing is inverted or crossed.
Example: SELECT 100 * spm.exchange_rate_on(''EUR'', ''USD'', ''2026-01-15'');';

-- ------------------------------------------------------- calendars and periods

CREATE OR REPLACE FUNCTION spm._calendar_id(calendar text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int;
BEGIN
    SELECT calendar_id INTO found_id FROM spm.calendar AS c WHERE c.name = _calendar_id.calendar;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'calendar "%" does not exist', calendar
            USING ERRCODE = '42704', HINT = coalesce(
                'Calendars are: ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM spm.calendar) || '.',
                'There is none yet: SELECT spm.create_calendar(''fiscal'', grain => ''month'', first => ''2026-01-01'', until => ''2028-01-01'');');
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION spm._calendar_id(text) IS 'Key of the calendar of that name; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._calendar_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._period_id(period text, calendar text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted_calendar int := CASE WHEN calendar IS NOT NULL THEN spm._calendar_id(calendar) END;
    ids int[];
    calendars text;
BEGIN
    SELECT array_agg(p.period_id), string_agg(c.name, ', ' ORDER BY c.name) INTO ids, calendars
    FROM spm.period AS p
    JOIN spm.calendar AS c USING (calendar_id)
    WHERE p.name = _period_id.period AND (wanted_calendar IS NULL OR p.calendar_id = wanted_calendar);
    IF cardinality(ids) > 1 THEN
        RAISE EXCEPTION 'period "%" is in more than one calendar', period
            USING ERRCODE = '22023', DETAIL = format('Calendars with it are: %s.', calendars),
                HINT = format('Say which: calendar => %L.', split_part(calendars, ', ', 1));
    ELSIF ids IS NULL THEN
        RAISE EXCEPTION 'period "%" does not exist', period
            USING ERRCODE = '42704', HINT = coalesce(
                'Periods that look like it: ' || spm._near(period, ARRAY(
                    SELECT DISTINCT name FROM spm.period WHERE wanted_calendar IS NULL OR calendar_id = wanted_calendar)) || '.',
                'There is none yet: SELECT spm.create_calendar(''fiscal'', grain => ''month'', first => ''2026-01-01'', until => ''2028-01-01'');');
    END IF;
    RETURN ids[1];
END
$$;
COMMENT ON FUNCTION spm._period_id(text, text) IS
'Key of the period of that name, in the named calendar or, with NULL, in whichever has it.
Errors: 42704 unknown period or calendar; 22023 when several calendars have a period of that name.';
REVOKE ALL ON FUNCTION spm._period_id(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.period_on(calendar text, grain text, date date)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT p.name
        FROM spm.period AS p
        JOIN spm.calendar AS c USING (calendar_id)
        WHERE c.name = period_on.calendar AND p.grain = period_on.grain AND p.span @> period_on.date;
    END;
COMMENT ON FUNCTION spm.period_on(text, text, date) IS
'Name of the period of a calendar and grain that holds a day; NULL when none does.
Example: SELECT spm.period_on(''fiscal'', ''quarter'', current_date);';

CREATE OR REPLACE FUNCTION spm._retail_year_end(year_end text, year int)
    RETURNS date
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    days constant text[] := '{monday,tuesday,wednesday,thursday,friday,saturday,sunday}';
    months constant text[] := '{january,february,march,april,may,june,july,august,september,october,november,december}';
    words text[] := regexp_match(lower(year_end),
        '^\s*(last|nearest)\s+(\w+day)\s+(?:of|to)\s+(?:the\s+end\s+of\s+)?(\w+)\s*$');
    day int := array_position(days, words[2]);
    month int := array_position(months, words[3]);
    month_end date;
    back int;
BEGIN
    IF day IS NULL OR month IS NULL THEN
        RAISE EXCEPTION 'year end "%" is not understood', year_end
            USING ERRCODE = '22023', HINT = 'Write ''last saturday of january'' or ''nearest saturday to january'' (to its last day).';
    END IF;
    month_end := (make_date(year, month, 1) + interval '1 month')::date - 1;
    back := (extract(isodow FROM month_end)::int - day + 7) % 7;
    RETURN month_end - back + CASE WHEN words[1] = 'nearest' AND back > 3 THEN 7 ELSE 0 END;
END
$$;
COMMENT ON FUNCTION spm._retail_year_end(text, int) IS
    'Last day of the retail year whose last month is that of the given calendar year; error 22023 for a rule that is not understood.';
REVOKE ALL ON FUNCTION spm._retail_year_end(text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._year_start(scheme text, first date, year_end text, year int)
    RETURNS date
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE WHEN scheme ~ '-' THEN spm._retail_year_end(year_end, year - 1) + 1
        ELSE make_date(year, extract(month FROM first)::int, extract(day FROM first)::int) END;
END
$$;
COMMENT ON FUNCTION spm._year_start(text, date, text, int) IS
    'First day of the fiscal year: retail years count by the year of their last month, others by the year they start in.';
REVOKE ALL ON FUNCTION spm._year_start(text, date, text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_year_start(scheme text, first date, year_end text, day date, argument text)
    RETURNS int
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    near_year int := extract(year FROM day);
    year int;
BEGIN
    SELECT y INTO year
    FROM generate_series(near_year - 1, near_year + 2) AS y
    ORDER BY abs(spm._year_start(scheme, first, year_end, y) - day)
    LIMIT 1;
    IF spm._year_start(scheme, first, year_end, year) <> day THEN
        RAISE EXCEPTION 'a year of the calendar does not start on %', day
            USING ERRCODE = '22023', DETAIL = format('It is given as %s => %L, and a calendar has whole years.', argument, day),
                HINT = format('The year nearest to it starts on %s.', spm._year_start(scheme, first, year_end, year));
    END IF;
    RETURN year;
END
$$;
COMMENT ON FUNCTION spm._check_year_start(text, date, text, date, text) IS
    'Year that starts on the day, as spm._year_start() counts; error 22023 when none does.';
REVOKE ALL ON FUNCTION spm._check_year_start(text, date, text, date, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._calendar_period(scheme text, first date, until date, year_end text, year_named_by text)
    RETURNS TABLE (grain text, name text, span daterange, parent_name text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    is_retail boolean := scheme ~ '-';
    week_ends int[];        -- 4-4-5: the week of the quarter with which each of its months ends
    first_year int;
    last_year int;
BEGIN
    IF scheme = 'week' THEN
        -- Called after the ISO week that its fourth day is in: one each, whatever day a week starts on.
        RETURN QUERY
        SELECT 'week', to_char(d.day + 3, 'IYYY-"W"IW'), daterange(d.day, d.day + 7), NULL
        FROM (SELECT first + 7 * i AS day FROM generate_series(0, (until - first) / 7 - 1) AS i) AS d;
        RETURN;
    END IF;

    first_year := spm._check_year_start(scheme, first, year_end, first, 'first');
    last_year := spm._check_year_start(scheme, first, year_end, until, 'until') - 1;
    IF is_retail THEN
        week_ends := string_to_array(scheme, '-');
        week_ends := ARRAY[week_ends[1], week_ends[1] + week_ends[2], 13];
    END IF;

    RETURN QUERY
    WITH year AS (
        SELECT y AS year,
            spm._year_start(scheme, first, year_end, y) AS start,
            spm._year_start(scheme, first, year_end, y + 1) AS stop
        FROM generate_series(first_year, last_year) AS y
    ), named AS (
        -- A retail year belongs to the year of its last month, even when it ends some days into the next.
        SELECT start, stop, CASE
            WHEN NOT is_retail THEN extract(year FROM CASE year_named_by WHEN 'start' THEN start ELSE stop - 1 END)::int
            WHEN year_named_by = 'end' OR year_end ~* 'december' THEN year
            ELSE year - 1 END::text AS year
        FROM year
    ), quarter AS (
        SELECT year, q,
            CASE WHEN is_retail THEN start + 91 * (q - 1) ELSE (start + make_interval(months => 3 * (q - 1)))::date END AS start,
            CASE WHEN q = 4 THEN stop WHEN is_retail THEN start + 91 * q ELSE (start + make_interval(months => 3 * q))::date END AS stop
        FROM named, generate_series(1, 4) AS q
    ), month AS (
        SELECT year, q, m,
            CASE WHEN is_retail THEN start + 7 * coalesce(week_ends[m - 1], 0)
                ELSE (start + make_interval(months => m - 1))::date END AS start,
            CASE WHEN m = 3 THEN stop WHEN is_retail THEN start + 7 * week_ends[m]
                ELSE (start + make_interval(months => m))::date END AS stop
        FROM quarter, generate_series(1, 3) AS m
    )
    SELECT 'year', year, daterange(start, stop), NULL FROM named
    UNION ALL
    SELECT 'quarter', year || '-Q' || q, daterange(start, stop), year FROM quarter
    WHERE scheme <> 'year'
    UNION ALL
    SELECT 'month',
        CASE WHEN is_retail OR extract(day FROM start) <> 1 THEN format('%s-M%s', year, lpad((3 * (q - 1) + m)::text, 2, '0'))
            ELSE to_char(start, 'YYYY-MM') END,
        daterange(start, stop), year || '-Q' || q
    FROM month
    WHERE scheme NOT IN ('year', 'quarter');
END
$$;
COMMENT ON FUNCTION spm._calendar_period(text, date, date, text, text) IS
    'Periods that spm.create_calendar() and spm.extend_calendar() make, with the names of their parents.';
REVOKE ALL ON FUNCTION spm._calendar_period(text, date, date, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._add_calendar_periods(calendar_id int, first date, until date)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    calendar spm.calendar;
    level text;
    added bigint := 0;
    n bigint;
BEGIN
    SELECT * INTO calendar FROM spm.calendar AS c WHERE c.calendar_id = _add_calendar_periods.calendar_id;
    IF NOT isfinite(first) OR NOT isfinite(until) OR first IS NULL OR until IS NULL OR first >= until THEN
        RAISE EXCEPTION 'a calendar must end after it begins'
            USING ERRCODE = '22023', DETAIL = format('It would begin on %s and end before %s.', coalesce(first::text, 'NULL'), coalesce(until::text, 'NULL')),
                HINT = 'until is the first day after the last year.';
    END IF;
    IF calendar.scheme = 'week' AND (until - first) % 7 <> 0 THEN
        RAISE EXCEPTION 'a calendar of weeks has whole weeks'
            USING ERRCODE = '22023', DETAIL = format('From %s until %s are %s days.', first, until, until - first),
                HINT = format('Give until => %L.', until + 7 - (until - first) % 7);
    END IF;
    FOREACH level IN ARRAY ARRAY['year', 'quarter', 'month', 'week'] LOOP
        INSERT INTO spm.period (calendar_id, grain, name, span, parent_period_id)
        SELECT calendar.calendar_id, p.grain, p.name, p.span, parent.period_id
        FROM spm._calendar_period(calendar.scheme, _add_calendar_periods.first, _add_calendar_periods.until,
            calendar.year_end, calendar.year_named_by) AS p
        LEFT JOIN spm.period AS parent ON parent.calendar_id = calendar.calendar_id AND parent.name = p.parent_name
        WHERE p.grain = level
        ORDER BY p.span;
        GET DIAGNOSTICS n = ROW_COUNT;
        added := added + n;
    END LOOP;
    RETURN added;
END
$$;
COMMENT ON FUNCTION spm._add_calendar_periods(int, date, date) IS
    'Makes the periods of a calendar that has a scheme, between two days, and returns their number; error 22023 for days that do not fit.';
REVOKE ALL ON FUNCTION spm._add_calendar_periods(int, date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.create_calendar(name text, grain text, first date, until date,
    year_end text DEFAULT NULL, year_named_by text DEFAULT 'end')
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    IF grain IS NULL OR grain NOT IN ('month', 'quarter', 'year', 'week', '4-4-5', '4-5-4', '5-4-4') THEN
        RAISE EXCEPTION 'calendar grain "%" is not known', grain
            USING ERRCODE = '22023', HINT = 'Use month, quarter, year, week, 4-4-5, 4-5-4 or 5-4-4. For other periods: spm.load_periods().';
    END IF;
    IF year_named_by IS NULL OR year_named_by NOT IN ('end', 'start') THEN
        RAISE EXCEPTION 'year_named_by must be end or start, not "%"', year_named_by
            USING ERRCODE = '22023', HINT = 'end: the year from February 2025 to January 2026 is 2026; start: it is 2025.';
    END IF;
    IF year_end IS NOT NULL AND grain !~ '-' THEN
        RAISE EXCEPTION 'year_end is for the retail schemes only'
            USING ERRCODE = '22023', HINT = 'Leave it out: a year of months ends where the next one starts.';
    END IF;
    IF grain !~ '-' AND grain <> 'week' AND extract(day FROM first) > 28 THEN
        RAISE EXCEPTION 'a year of months cannot start on day % of a month', extract(day FROM first)
            USING ERRCODE = '22023', HINT = 'Start on the 28th or before: every month has that day.';
    END IF;
    IF EXISTS (SELECT FROM spm.calendar AS c WHERE c.name = create_calendar.name) THEN
        RAISE EXCEPTION 'calendar "%" already exists', name
            USING ERRCODE = '42710', HINT = format('To go on with it: SELECT spm.extend_calendar(%L, until => %L);', name, until);
    END IF;
    INSERT INTO spm.calendar (name, scheme, year_end, year_named_by)
    VALUES (create_calendar.name, create_calendar.grain,
        CASE WHEN create_calendar.grain ~ '-' THEN coalesce(create_calendar.year_end, 'nearest saturday to january') END,
        create_calendar.year_named_by)
    RETURNING calendar_id INTO new_id;
    RETURN spm._add_calendar_periods(new_id, first, until);
END
$$;
COMMENT ON FUNCTION spm.create_calendar(text, text, date, date, text, text) IS
'Makes a calendar with all its periods, one inside the other, and returns their number.
grain: the finest wanted. month (in quarters, in years), quarter (in years), year; week (weeks alone); 4-4-5, 4-5-4 or 5-4-4: months of whole weeks, in quarters of 13 and years of 52; the 53rd week of a long year goes into its last month.
first: first day of a year (of a week for week); until: first day after the last year.
year_end: for the retail schemes, last or nearest, weekday and month: ''last saturday of september'', ''nearest saturday to january'' (to its last day; the default).
year_named_by: end, a year is called after the calendar year it ends in; start, after the one it starts in.
Names: 2026, 2026-Q1; months 2026-01 where they are calendar months, else 2026-M01; weeks 2026-W01, by the ISO week of their fourth day.
Errors: 42710 when there is one of that name; 22023 for what does not fit, with the nearest day that would.
Example: SELECT spm.create_calendar(''fiscal'', grain => ''month'', first => ''2025-02-01'', until => ''2028-02-01'');';

CREATE OR REPLACE FUNCTION spm.extend_calendar(name text, until date)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int := spm._calendar_id(name);
BEGIN
    IF (SELECT scheme FROM spm.calendar WHERE calendar_id = found_id) IS NULL THEN
        RAISE EXCEPTION 'calendar "%" was loaded from a table', name
            USING ERRCODE = '55000', HINT = 'Load the further periods in the same way, with spm.load_periods().';
    END IF;
    RETURN spm._add_calendar_periods(found_id, (SELECT max(upper(span)) FROM spm.period WHERE calendar_id = found_id), until);
END
$$;
COMMENT ON FUNCTION spm.extend_calendar(text, date) IS
'Goes on with a calendar made by spm.create_calendar(), in the same way, and returns the number of new periods.
until: first day after the last year.
Errors: 42704 unknown calendar; 55000 when its periods were loaded; 22023 for a day on which no year starts, with the nearest.
Example: SELECT spm.extend_calendar(''fiscal'', until => ''2030-02-01'');';

CREATE OR REPLACE FUNCTION spm.load_periods(calendar text, relation regclass, start_column text, end_column text DEFAULT NULL,
    name_column text DEFAULT NULL, grain text DEFAULT 'window', last_day date DEFAULT NULL, parent_grain text DEFAULT NULL,
    is_gapless boolean DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    date_types constant text[] := '{date,timestamp without time zone}';
    label_types constant text[] := '{text,character varying,character,name,integer,bigint,smallint}';
    this_calendar spm.calendar;
    loaded spm.period[];
    wrong record;
    n bigint;
BEGIN
    PERFORM spm._column_type(relation, start_column, 'start_column', date_types, NULL);
    IF end_column IS NOT NULL THEN
        PERFORM spm._column_type(relation, end_column, 'end_column', date_types, NULL);
    END IF;
    IF name_column IS NOT NULL THEN
        PERFORM spm._column_type(relation, name_column, 'name_column', label_types, NULL);
    END IF;
    IF grain IS NULL OR grain !~ '^[a-z][a-z0-9_]*$' THEN
        RAISE EXCEPTION 'period grain must be a word in small letters, not "%"', grain
            USING ERRCODE = '22023', HINT = 'Write, for example, grain => ''window''.';
    END IF;

    INSERT INTO spm.calendar (name, is_gapless)
    VALUES (load_periods.calendar, coalesce(load_periods.is_gapless, true))
    ON CONFLICT DO NOTHING;
    SELECT * INTO this_calendar FROM spm.calendar AS c WHERE c.name = load_periods.calendar;
    IF this_calendar.is_gapless <> load_periods.is_gapless THEN
        RAISE EXCEPTION 'calendar "%" is there already, with is_gapless %', calendar, this_calendar.is_gapless
            USING ERRCODE = '22023', HINT = 'Leave is_gapless out, or load into another calendar.';
    END IF;

    EXECUTE format($sql$
        SELECT array_agg(ROW(NULL, $1, $2, coalesce(r.name, to_char(r.start, 'YYYY-MM-DD')),
            CASE WHEN r.start < r.stop THEN daterange(r.start, r.stop) END, NULL, 'open')::spm.period ORDER BY r.start)
        FROM (
            SELECT p.%I::date AS start, %s::text AS name, coalesce(%s::date + 1, lead(p.%I::date) OVER (ORDER BY p.%I), $3 + 1) AS stop
            FROM %s AS p
        ) AS r$sql$,
        start_column, coalesce(quote_ident(name_column), 'NULL'), coalesce(quote_ident(end_column), 'NULL'), start_column, start_column, relation)
        INTO loaded USING this_calendar.calendar_id, grain, last_day;

    SELECT p.name, p.span INTO wrong FROM unnest(loaded) AS p WHERE p.span IS NULL OR p.name IS NULL OR p.name = '' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period "%" of % has no % ', wrong.name, relation, CASE WHEN wrong.span IS NULL THEN 'last day after its first' ELSE 'name' END
            USING ERRCODE = '22023', HINT = CASE WHEN wrong.span IS NULL AND end_column IS NULL
                THEN 'Each lasts until the next starts; say when the last one ends: last_day => ''2026-12-31''.'
                ELSE 'Correct the row, or name a view without it.' END;
    END IF;
    SELECT p.name, p.next_name, p.span, p.next_span INTO wrong
    FROM (SELECT l.name, l.span, lead(l.name) OVER w AS next_name, lead(l.span) OVER w AS next_span
          FROM (SELECT name, span FROM unnest(loaded) UNION ALL
                SELECT q.name, q.span FROM spm.period AS q WHERE q.calendar_id = this_calendar.calendar_id AND q.grain = load_periods.grain) AS l
          WINDOW w AS (ORDER BY l.span)) AS p
    WHERE p.span && p.next_span
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'periods "%" and "%" overlap', wrong.name, wrong.next_name
            USING ERRCODE = '23P01', DETAIL = format('Their days are %s and %s.', wrong.span, wrong.next_span),
                HINT = 'end_column holds the last day of a period, not the day after it.';
    END IF;

    INSERT INTO spm.period (calendar_id, grain, name, span, parent_period_id)
    SELECT p.calendar_id, p.grain, p.name, p.span, parent.period_id
    FROM unnest(loaded) AS p
    LEFT JOIN spm.period AS parent ON parent.calendar_id = p.calendar_id AND parent.grain = load_periods.parent_grain
        AND parent.span @> lower(p.span)
    ORDER BY p.span;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm.load_periods(text, regclass, text, text, text, text, date, text, boolean) IS
'Loads periods of any length from a table or view, and returns their number. The calendar is made if it does not exist.
start_column: first day; end_column: last day, NULL for the day before the next start (last_day then ends the last one); name_column: name, NULL for the first day; grain: what to call this kind of period; parent_grain: grain of the periods in the same calendar that these are part of; is_gapless: for a new calendar, whether gaps are refused (they are by default).
Errors: 42703, 42804, 42501 for a column that is not there, of another type, or not readable; 22023 for a period without days or name; 23P01 for two that overlap; 23505 for a name used twice; 23514 at the end of the transaction for a gap or a period that reaches beyond its parent.
Example: SELECT spm.load_periods(''campaign'', ''crm.campaign'', ''starts_on'', ''ends_on'', ''title'', is_gapless => false);';

CREATE OR REPLACE FUNCTION spm._guard_period()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    last_event spm.period_event;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'open' THEN
            RAISE EXCEPTION 'period "%" is %', OLD.name, OLD.state
                USING ERRCODE = '55000', DETAIL = 'Only an open period can be deleted.', HINT = 'Results refer to it: keep it.';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.state <> 'open' AND (OLD.span, OLD.calendar_id, OLD.grain) IS DISTINCT FROM (NEW.span, NEW.calendar_id, NEW.grain) THEN
        RAISE EXCEPTION 'period "%" is %, and its days cannot change', OLD.name, OLD.state
            USING ERRCODE = '55000', DETAIL = format('It holds for %s.', OLD.span),
                HINT = 'Results were calculated for these days.';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF OLD.state = 'posted' THEN
        SELECT * INTO last_event
        FROM spm.period_event AS e
        WHERE e.period_id = OLD.period_id
        ORDER BY e.period_event_id DESC
        LIMIT 1;
        -- reopen_period() records first and changes then, both in one transaction.
        IF NEW.state <> 'open' OR last_event.to_state IS DISTINCT FROM 'open' OR last_event.from_state <> 'posted'
            OR last_event.recorded_at < transaction_timestamp() THEN
            RAISE EXCEPTION 'period "%" is posted', OLD.name
                USING ERRCODE = '55000', DETAIL = format('It cannot become %s.', NEW.state),
                    HINT = format('What arrives late is posted as a difference in the open period. To open this one all the same: SELECT spm.reopen_period(%L, reason => ''why'');', OLD.name);
        END IF;
    ELSIF (OLD.state, NEW.state) NOT IN (('open', 'calculated'), ('calculated', 'posted')) THEN
        RAISE EXCEPTION 'period "%" cannot go from % to %', OLD.name, OLD.state, NEW.state
            USING ERRCODE = '55000', DETAIL = 'A period is open, then calculated, then posted.',
                HINT = CASE NEW.state WHEN 'posted' THEN format('Calculate it first: CALL spm.calculate(%L);', OLD.name)
                    ELSE 'Calculate it again: it stays calculated.' END;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_period() IS
    'Trigger: a period goes from open to calculated to posted, and keeps its days from calculated on. Error 55000.';
REVOKE ALL ON FUNCTION spm._guard_period() FROM PUBLIC;
CREATE OR REPLACE TRIGGER period_guard BEFORE UPDATE OR DELETE ON spm.period
    FOR EACH ROW EXECUTE FUNCTION spm._guard_period();

CREATE OR REPLACE FUNCTION spm._record_period_event()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    -- The guard has made sure that reopening was recorded beforehand.
    INSERT INTO spm.period_event (period_id, from_state, to_state)
    SELECT o.period_id, o.state, n.state
    FROM old_period AS o
    JOIN new_period AS n USING (period_id)
    WHERE o.state <> n.state AND o.state <> 'posted'
    ORDER BY lower(n.span), o.period_id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._record_period_event() IS 'Trigger: records every change of a period''s state in spm.period_event.';
REVOKE ALL ON FUNCTION spm._record_period_event() FROM PUBLIC;
CREATE OR REPLACE TRIGGER period_recorded AFTER UPDATE ON spm.period
    REFERENCING OLD TABLE AS old_period NEW TABLE AS new_period
    FOR EACH STATEMENT EXECUTE FUNCTION spm._record_period_event();

CREATE OR REPLACE FUNCTION spm._refuse_change()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'rows of %.% are never changed', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = '55000', DETAIL = format('%s was tried.', TG_OP), HINT = 'What happened is kept as it was recorded.';
END
$$;
COMMENT ON FUNCTION spm._refuse_change() IS 'Trigger for tables that only grow. Error 55000.';
REVOKE ALL ON FUNCTION spm._refuse_change() FROM PUBLIC;
CREATE OR REPLACE TRIGGER period_event_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.period_event
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER run_kept BEFORE DELETE OR TRUNCATE ON spm.run
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();

CREATE OR REPLACE FUNCTION spm._check_period()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    now_there spm.period;
    other spm.period;
    days daterange;
    calendar spm.calendar;
    edge date;
    before date;
    after date;
BEGIN
    -- At the end of the transaction: look at what is there now, not at what was.
    IF TG_OP <> 'DELETE' THEN
        SELECT * INTO now_there FROM spm.period AS p WHERE p.period_id = NEW.period_id;
    END IF;
    SELECT * INTO other
    FROM spm.period AS child
    WHERE child.parent_period_id = coalesce(now_there.period_id, OLD.period_id)
        AND (now_there.period_id IS NULL OR child.calendar_id <> now_there.calendar_id OR NOT child.span <@ now_there.span)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period "%" must lie within the period it is part of', other.name
            USING ERRCODE = '23514', CONSTRAINT = 'period_check', TABLE = 'period',
                DETAIL = CASE WHEN now_there.period_id IS NULL THEN format('Its parent "%s" is gone.', OLD.name)
                    ELSE format('It holds for %s, its parent "%s" for %s.', other.span, now_there.name, now_there.span) END,
                HINT = 'Change both in one transaction, or set parent_period_id to NULL.';
    END IF;
    IF now_there.parent_period_id IS NOT NULL THEN
        SELECT * INTO other FROM spm.period AS p WHERE p.period_id = now_there.parent_period_id FOR KEY SHARE;
        IF other.period_id IS NULL OR other.calendar_id <> now_there.calendar_id OR NOT now_there.span <@ other.span
            OR other.period_id = now_there.period_id THEN
            RAISE EXCEPTION 'period "%" must lie within the period it is part of', now_there.name
                USING ERRCODE = '23514', CONSTRAINT = 'period_check', TABLE = 'period',
                    DETAIL = CASE WHEN other.period_id IS NULL THEN 'Its parent does not exist.'
                        ELSE format('It holds for %s, its parent "%s" for %s.', now_there.span, other.name, other.span) END,
                    HINT = 'Correct span or parent_period_id.';
        END IF;
    END IF;

    -- A gap can only be where this period begins or ends, or where it was.
    FOREACH days IN ARRAY ARRAY[now_there.span, CASE WHEN TG_OP <> 'INSERT' THEN OLD.span END] LOOP
        CONTINUE WHEN days IS NULL;
        SELECT * INTO calendar FROM spm.calendar AS c
        WHERE c.calendar_id = CASE WHEN days = now_there.span THEN now_there.calendar_id ELSE OLD.calendar_id END;
        CONTINUE WHEN calendar.is_gapless IS NOT TRUE;
        FOREACH edge IN ARRAY ARRAY[lower(days) - 1, lower(days), upper(days)] LOOP
            CONTINUE WHEN EXISTS (
                SELECT FROM spm.period AS p
                WHERE p.calendar_id = calendar.calendar_id AND p.grain = CASE TG_OP WHEN 'DELETE' THEN OLD.grain ELSE NEW.grain END
                    AND p.span @> edge);
            SELECT max(upper(p.span)) FILTER (WHERE upper(p.span) <= edge), min(lower(p.span)) FILTER (WHERE lower(p.span) > edge)
            INTO before, after
            FROM spm.period AS p
            WHERE p.calendar_id = calendar.calendar_id AND p.grain = CASE TG_OP WHEN 'DELETE' THEN OLD.grain ELSE NEW.grain END;
            IF before IS NOT NULL AND after IS NOT NULL THEN
                RAISE EXCEPTION 'calendar "%" has a gap from % to %', calendar.name, before, after - 1
                    USING ERRCODE = '23514', CONSTRAINT = 'period_check', TABLE = 'period',
                        DETAIL = format('No period of grain %s holds these days.',
                            CASE TG_OP WHEN 'DELETE' THEN OLD.grain ELSE NEW.grain END),
                        HINT = 'Add the period, or load into a calendar with is_gapless => false.';
            END IF;
        END LOOP;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._check_period() IS
    'Trigger at the end of the transaction: periods of a gapless calendar follow each other, and a period lies within its parent. Error 23514.';
REVOKE ALL ON FUNCTION spm._check_period() FROM PUBLIC;
-- There is no CREATE OR REPLACE for a constraint trigger.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_trigger
        WHERE tgrelid OPERATOR(pg_catalog.=) 'spm.period'::pg_catalog.regclass AND tgname OPERATOR(pg_catalog.=) 'period_check') THEN
        CREATE CONSTRAINT TRIGGER period_check AFTER INSERT OR UPDATE OR DELETE ON spm.period
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spm._check_period();
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION spm.reopen_period(period text, reason text, calendar text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_period spm.period;
BEGIN
    SELECT * INTO this_period FROM spm.period AS p
    WHERE p.period_id = spm._period_id(reopen_period.period, reopen_period.calendar) FOR UPDATE;
    IF reason IS NULL OR btrim(reason) = '' THEN
        RAISE EXCEPTION 'reopening period "%" needs a reason', period
            USING ERRCODE = '22023', HINT = 'It is kept in spm.period_event: reason => ''bank returned the payment''.';
    END IF;
    IF this_period.state <> 'posted' THEN
        RAISE EXCEPTION 'period "%" is % and not posted', period, this_period.state
            USING ERRCODE = '55000', HINT = 'It can be calculated as it is.';
    END IF;
    INSERT INTO spm.period_event (period_id, from_state, to_state, reason)
    VALUES (this_period.period_id, 'posted', 'open', reopen_period.reason);
    UPDATE spm.period SET state = 'open' WHERE period_id = this_period.period_id;
END
$$;
COMMENT ON FUNCTION spm.reopen_period(text, text, text) IS
'Opens a posted period again; the only way to. Who, when and why are kept in spm.period_event. What was posted stays.
Errors: 42704 unknown period or calendar; 22023 without a reason, or when several calendars have the period; 55000 when it is not posted.
Example: SELECT spm.reopen_period(''2026-01'', reason => ''bank returned the payment file'');';
/*
 * core/functions_people.sql: payees, the seats they sit in, and the tree of seats.
 */

-- ------------------------------------------------------ payees and positions

CREATE OR REPLACE FUNCTION spm._payee_id(payee text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int;
BEGIN
    SELECT payee_id INTO found_id FROM spm.payee AS p WHERE p.payee_key = _payee_id.payee;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'payee "%" does not exist', payee
            USING ERRCODE = '42704', HINT = coalesce(
                'Keys that look like it: ' || spm._near(payee, ARRAY(SELECT payee_key FROM spm.payee)) || '.',
                format('Add the payee: SELECT spm.add_payee(%L, ''name'');', payee));
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION spm._payee_id(text) IS 'Key of the payee with that payee_key; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._payee_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._position_id(position_key text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int;
BEGIN
    SELECT position_id INTO found_id FROM spm.position AS p WHERE p.position_key = _position_id.position_key;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'position "%" does not exist', position_key
            USING ERRCODE = '42704', HINT = coalesce(
                'Keys that look like it: ' || spm._near(position_key, ARRAY(SELECT p.position_key FROM spm.position AS p)) || '.',
                format('Add the position: SELECT spm.add_position(%L, ''name'');', position_key));
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION spm._position_id(text) IS 'Key of the position with that position_key; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._position_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._title_id(title text)
    RETURNS int
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id int;
BEGIN
    SELECT title_id INTO found_id FROM spm.title AS t WHERE t.name = _title_id.title;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'title "%" does not exist', title
            USING ERRCODE = '42704', HINT = coalesce(
                'Titles that look like it: ' || spm._near(title, ARRAY(SELECT t.name FROM spm.title AS t)) || '. ', '')
                || format('To add it: SELECT spm.add_title(%L);', title);
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION spm._title_id(text) IS 'Key of the title of that name; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._title_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_text(value text, what text)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF value IS NULL OR value = '' THEN
        RAISE EXCEPTION '% must not be empty', what USING ERRCODE = '22023', HINT = 'Give a text.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_text(text, text) IS 'Error 22023 for a NULL or empty text; what: its name in the error.';
REVOKE ALL ON FUNCTION spm._check_text(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_payee(payee_key text, name text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    PERFORM spm._check_text(payee_key, 'payee_key'), spm._check_text(name, 'name');
    INSERT INTO spm.payee (payee_key, name) VALUES (add_payee.payee_key, add_payee.name)
    ON CONFLICT DO NOTHING RETURNING payee_id INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'payee "%" already exists', payee_key
            USING ERRCODE = '42710', HINT = 'Change the row in spm.payee if the name is wrong.';
    END IF;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION spm.add_payee(text, text) IS
'Adds somebody who is paid, without a seat, and returns the payee_id.
payee_key: key in the warehouse, what owner_key of a transaction holds; name: shown on statements.
Errors: 42710 when the key is taken; 22023 for an empty text.
Example: SELECT spm.add_payee(''U-17'', ''Dana Whitfield'');';

CREATE OR REPLACE FUNCTION spm.add_title(name text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    PERFORM spm._check_text(name, 'name');
    INSERT INTO spm.title (name) VALUES (add_title.name)
    ON CONFLICT DO NOTHING RETURNING title_id INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'title "%" already exists', name
            USING ERRCODE = '42710', HINT = 'Use it: spm.add_position(..., title => ''...'').';
    END IF;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION spm.add_title(text) IS
'Adds a class of positions that share plans, and returns the title_id.
Errors: 42710 when the name is taken; 22023 for an empty one.
Example: SELECT spm.add_title(''Account Executive'');';

CREATE OR REPLACE FUNCTION spm.add_position(position_key text, name text, title text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id int;
BEGIN
    PERFORM spm._check_text(position_key, 'position_key'), spm._check_text(name, 'name');
    INSERT INTO spm.position (position_key, name, title_id)
    VALUES (add_position.position_key, add_position.name,
        CASE WHEN add_position.title IS NOT NULL THEN spm._title_id(add_position.title) END)
    ON CONFLICT DO NOTHING RETURNING position_id INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'position "%" already exists', position_key
            USING ERRCODE = '42710', HINT = 'Change the row in spm.position if the name or the title is wrong.';
    END IF;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION spm.add_position(text, text, text) IS
'Adds a seat, vacant and reporting to nobody, and returns the position_id.
title: name of a title that exists, NULL for none.
Errors: 42710 when the key is taken; 42704 unknown title; 22023 for an empty text.
Example: SELECT spm.add_position(''AE-WEST-3'', ''West 3'', title => ''Account Executive'');';

CREATE OR REPLACE FUNCTION spm.assign_position(position_key text, payee text, since date, until date DEFAULT NULL, is_primary boolean DEFAULT true)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    seat int := spm._position_id(position_key);
    person int := spm._payee_id(payee);
    room daterange;
    other record;
BEGIN
    room := spm._make_room('spm.position_assignment', jsonb_build_object('position_id', seat)::text,
        format('the payee of position "%s"', position_key), since, until);
    IF is_primary THEN
        SELECT p.position_key, a.span INTO other
        FROM spm.position_assignment AS a
        JOIN spm.position AS p USING (position_id)
        WHERE a.payee_id = person AND a.is_primary AND a.span && room
        ORDER BY a.span
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'payee "%" already has the primary seat "%"', payee, other.position_key
                USING ERRCODE = '23P01', DETAIL = format('It is held for %s, the new one would be for %s.', other.span, room),
                    HINT = format('Leave that seat first: SELECT spm.vacate_position(%L, since => %L); or hold both: is_primary => false.',
                        other.position_key, coalesce(lower(room), '-infinity'));
        END IF;
    END IF;
    INSERT INTO spm.position_assignment (position_id, payee_id, span, is_primary)
    VALUES (seat, person, room, assign_position.is_primary);
END
$$;
COMMENT ON FUNCTION spm.assign_position(text, text, date, date, boolean) IS
'Seats a payee from a day on. Whoever sat there leaves the day before; with until, they come back then.
payee: payee_key; until: first day after, NULL for no end or until the next one who is already assigned; is_primary: whether the payee''s own transactions are credited to this seat.
Errors: 42704 unknown position or payee; 23P01 when another assignment of the seat starts the same day or before until, or when the payee has another primary seat then; 22023 when until is not after since.
Example: SELECT spm.assign_position(''AE-WEST-3'', ''U-17'', since => ''2026-02-01'');';

CREATE OR REPLACE FUNCTION spm.vacate_position(position_key text, since date)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    seat int := spm._position_id(position_key);
    n bigint;
BEGIN
    UPDATE spm.position_assignment AS a SET span = daterange(lower(a.span), vacate_position.since)
    WHERE a.position_id = seat AND a.span @> vacate_position.since AND lower(a.span) IS DISTINCT FROM vacate_position.since;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n = 0 THEN
        DELETE FROM spm.position_assignment AS a WHERE a.position_id = seat AND lower(a.span) = vacate_position.since;
        GET DIAGNOSTICS n = ROW_COUNT;
    END IF;
    IF n = 0 THEN
        RAISE EXCEPTION 'nobody is in position "%" on %', position_key, since
            USING ERRCODE = '22023', HINT = 'Its history is in spm_bi.position_history.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.vacate_position(text, date) IS
'Whoever holds a seat on a day leaves it: their last day is the day before. An assignment that starts on that day is taken back.
Errors: 42704 unknown position; 22023 when nobody is in it.
Example: SELECT spm.vacate_position(''AE-WEST-3'', since => ''2026-05-01'');';

CREATE OR REPLACE FUNCTION spm.set_manager(position_key text, manager text, since date, until date DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    seat int := spm._position_id(position_key);
    above int := CASE WHEN manager IS NOT NULL THEN spm._position_id(manager) END;
    room daterange;
BEGIN
    IF seat = above THEN
        RAISE EXCEPTION 'position "%" cannot report to itself', position_key
            USING ERRCODE = '23514', HINT = 'With NULL for the manager it reports to nobody.';
    END IF;
    room := spm._make_room('spm.reporting_line', jsonb_build_object('position_id', seat)::text,
        format('the manager of position "%s"', position_key), since, until);
    IF above IS NOT NULL THEN
        INSERT INTO spm.reporting_line (position_id, manager_position_id, span) VALUES (seat, above, room);
    END IF;
END
$$;
COMMENT ON FUNCTION spm.set_manager(text, text, date, date) IS
'Lets a seat report to another from a day on. The line it follows ends the day before; with until, it holds again then.
manager: position_key of the seat above, NULL for nobody; until: first day after, NULL for no end or until the next line.
Errors: 42704 unknown position; 23514 when it would report to itself, directly or in a circle, which is named; 23P01 when a line starts the same day or before until; 22023 when until is not after since.
Example: SELECT spm.set_manager(''AE-WEST-3'', ''VP-WEST'', since => ''2026-02-01'');';

-- Index scans whatever the planner guesses: a plan made for 20,000 lines would
-- read the whole tree for the change of one.  Not && but isempty(): that leaves
-- the b-tree of position_id, which is faster than the constraint's index.
CREATE OR REPLACE FUNCTION spm._refresh_position_path(touched int[])
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_seqscan = off
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    circle record;
    affected int[];
BEGIN
    -- Below what changed, by the tree as it was: whoever comes in newly comes in by a line that was touched.
    affected := ARRAY(
        SELECT unnest(touched)
        UNION
        SELECT position_id FROM spm.position_path WHERE ancestor_position_id = ANY (touched));

    WITH RECURSIVE up AS (
        SELECT l.position_id, l.manager_position_id, l.span, ARRAY[l.position_id] AS trail
        FROM spm.reporting_line AS l
        WHERE l.position_id = ANY (touched)
        UNION ALL
        SELECT up.position_id, l.manager_position_id, up.span * l.span, up.trail || l.position_id
        FROM up
        JOIN spm.reporting_line AS l ON l.position_id = up.manager_position_id AND NOT isempty(up.span * l.span)
        WHERE up.manager_position_id <> ALL (up.trail)
    )
    SELECT up.trail || up.manager_position_id AS trail, coalesce(lower(up.span), upper(up.span) - 1) AS day INTO circle
    FROM up
    WHERE up.manager_position_id = up.position_id
    ORDER BY cardinality(up.trail), up.span, up.position_id
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'positions would report to each other in a circle'
            USING ERRCODE = '23514', CONSTRAINT = 'reporting_line_circle', TABLE = 'reporting_line',
                DETAIL = format('%s%s.',
                    (SELECT string_agg(p.position_key, ' reports to ' ORDER BY t.i)
                     FROM unnest(circle.trail) WITH ORDINALITY AS t (id, i)
                     JOIN spm.position AS p ON p.position_id = t.id),
                    coalesce(' on ' || to_char(circle.day, 'YYYY-MM-DD'), ' on every day')),
                HINT = 'End one of these lines first: SELECT spm.set_manager(position, NULL, since => day);';
    END IF;

    DELETE FROM spm.position_path WHERE position_id = ANY (affected);
    INSERT INTO spm.position_path (position_id, ancestor_position_id, depth, span)
    WITH RECURSIVE up AS (
        SELECT l.position_id, l.manager_position_id, 1 AS depth, l.span
        FROM spm.reporting_line AS l
        WHERE l.position_id = ANY (affected)
        UNION ALL
        SELECT up.position_id, l.manager_position_id, up.depth + 1, up.span * l.span
        FROM up
        JOIN spm.reporting_line AS l ON l.position_id = up.manager_position_id AND NOT isempty(up.span * l.span)
    )
    SELECT position_id, manager_position_id, depth, span FROM up;
END
$$;
COMMENT ON FUNCTION spm._refresh_position_path(int[]) IS
'Makes spm.position_path anew for the touched positions and everything below them.
Error 23514 when the lines of a touched position lead back to it; DETAIL names the circle and a day.';
REVOKE ALL ON FUNCTION spm._refresh_position_path(int[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._keep_position_path()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    touched int[];
BEGIN
    -- Two who change the tree at once could close a circle that neither of them sees.
    INSERT INTO spm.position_path_version (version) VALUES (1)
    ON CONFLICT (is_only) DO UPDATE SET version = position_path_version.version + 1;
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM spm.position_path;
        RETURN NULL;
    END IF;
    EXECUTE CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT array_agg(DISTINCT position_id) FROM new_line'
        WHEN 'DELETE' THEN 'SELECT array_agg(DISTINCT position_id) FROM old_line'
        ELSE 'SELECT array_agg(DISTINCT position_id) FROM (
            (TABLE old_line EXCEPT TABLE new_line) UNION ALL (TABLE new_line EXCEPT TABLE old_line)) AS changed' END
        INTO touched;
    IF touched <> '{}' THEN
        PERFORM spm._refresh_position_path(touched);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._keep_position_path() IS 'Trigger: keeps spm.position_path in step with spm.reporting_line. Errors: 23514 for a circle, 40001 when another transaction changed the tree in between.';
REVOKE ALL ON FUNCTION spm._keep_position_path() FROM PUBLIC;
CREATE OR REPLACE TRIGGER reporting_line_inserted AFTER INSERT ON spm.reporting_line
    REFERENCING NEW TABLE AS new_line
    FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_position_path();
CREATE OR REPLACE TRIGGER reporting_line_updated AFTER UPDATE ON spm.reporting_line
    REFERENCING OLD TABLE AS old_line NEW TABLE AS new_line
    FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_position_path();
CREATE OR REPLACE TRIGGER reporting_line_deleted AFTER DELETE ON spm.reporting_line
    REFERENCING OLD TABLE AS old_line
    FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_position_path();
CREATE OR REPLACE TRIGGER reporting_line_truncated AFTER TRUNCATE ON spm.reporting_line
    FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_position_path();

CREATE OR REPLACE FUNCTION spm.rebuild_position_path()
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE spm.position_path_version SET version = version + 1;
    DELETE FROM spm.position_path;
    PERFORM spm._refresh_position_path(ARRAY(SELECT DISTINCT position_id FROM spm.reporting_line));
    RETURN (SELECT count(*) FROM spm.position_path);
END
$$;
COMMENT ON FUNCTION spm.rebuild_position_path() IS
'Makes spm.position_path anew from spm.reporting_line and returns its number of rows. Needed only after triggers were switched off, as pg_restore --disable-triggers does.
Errors: 23514 when the lines form a circle.
Example: SELECT spm.rebuild_position_path();';

CREATE OR REPLACE FUNCTION spm.load_payees(relation regclass, key text, name text, manager text DEFAULT NULL, title text DEFAULT NULL,
    since date DEFAULT '-infinity', since_column text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    key_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric}';
    keys text[];
    names text[];
    managers text[];
    titles text[];
    starts date[];
    wrong record;
BEGIN
    PERFORM spm._column_type(relation, key, 'key', key_types, NULL),
        spm._column_type(relation, name, 'name', '{text,character varying,character,name}', NULL);
    IF manager IS NOT NULL THEN
        PERFORM spm._column_type(relation, manager, 'manager', key_types, NULL);
    END IF;
    IF title IS NOT NULL THEN
        PERFORM spm._column_type(relation, title, 'title', '{text,character varying,character,name}', NULL);
    END IF;
    IF since_column IS NOT NULL THEN
        PERFORM spm._column_type(relation, since_column, 'since_column', '{date,timestamp without time zone}', NULL);
    END IF;

    -- One reading of the relation: what follows sees the same rows throughout.
    EXECUTE format('SELECT array_agg(nullif(%s::text, '''')), array_agg(nullif(%s::text, '''')), array_agg(nullif(%s::text, '''')), array_agg(nullif(%s::text, '''')),
            array_agg(nullif(greatest($1, %s::date), ''-infinity'')) FROM %s',
        quote_ident(key), quote_ident(name), coalesce(quote_ident(manager), 'NULL'), coalesce(quote_ident(title), 'NULL'),
        coalesce(quote_ident(since_column), 'NULL'), relation)
        INTO keys, names, managers, titles, starts USING since;

    SELECT u.key, u.name INTO wrong FROM unnest(keys, names) AS u (key, name) WHERE u.key IS NULL OR u.name IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a payee in % has no %', relation, CASE WHEN wrong.key IS NULL THEN 'key' ELSE 'name' END
            USING ERRCODE = '23502', DETAIL = format('It is %s.', coalesce(quote_literal(wrong.key), quote_literal(wrong.name), 'an empty row')),
                HINT = 'Correct the row, or name a view without it.';
    END IF;
    SELECT u.key INTO wrong FROM unnest(keys) AS u (key) GROUP BY u.key HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'payee "%" is in % more than once', wrong.key, relation
            USING ERRCODE = '23505', HINT = 'Name a view with one row per payee. Changes over time: spm.set_manager() and spm.assign_position().';
    END IF;
    SELECT u.key, u.manager INTO wrong
    FROM unnest(keys, managers) AS u (key, manager)
    WHERE u.manager IS NOT NULL
        AND NOT EXISTS (SELECT FROM unnest(keys) AS k (key) WHERE k.key = u.manager)
        AND NOT EXISTS (SELECT FROM spm.position AS p WHERE p.position_key = u.manager)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'manager "%" of payee "%" does not exist', wrong.manager, wrong.key
            USING ERRCODE = '23503', HINT = 'Add the manager to the relation, or leave the column empty.';
    END IF;
    SELECT u.key INTO wrong FROM unnest(keys, managers) AS u (key, manager) WHERE u.key = u.manager LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'position "%" cannot report to itself', wrong.key
            USING ERRCODE = '23514', HINT = format('Name a view with nullif(%I, %I) for the manager.', manager, key);
    END IF;

    INSERT INTO spm.title (name)
    SELECT DISTINCT u.title FROM unnest(titles) AS u (title) WHERE u.title IS NOT NULL ORDER BY 1
    ON CONFLICT DO NOTHING;
    INSERT INTO spm.payee AS p (payee_key, name)
    SELECT u.key, u.name FROM unnest(keys, names) WITH ORDINALITY AS u (key, name, i) ORDER BY u.key COLLATE "C"
    ON CONFLICT (payee_key) DO UPDATE SET name = EXCLUDED.name WHERE p.name <> EXCLUDED.name;
    INSERT INTO spm.position AS p (position_key, name, title_id)
    SELECT u.key, u.name, t.title_id
    FROM unnest(keys, names, titles) AS u (key, name, title)
    LEFT JOIN spm.title AS t ON t.name = u.title
    ORDER BY u.key COLLATE "C"
    ON CONFLICT (position_key) DO UPDATE SET title_id = EXCLUDED.title_id
        WHERE load_payees.title IS NOT NULL AND p.title_id IS DISTINCT FROM EXCLUDED.title_id;

    INSERT INTO spm.position_assignment (position_id, payee_id, span)
    SELECT s.position_id, p.payee_id, daterange(u.start, NULL)
    FROM unnest(keys, starts) AS u (key, start)
    JOIN spm.position AS s ON s.position_key = u.key
    JOIN spm.payee AS p ON p.payee_key = u.key
    WHERE NOT EXISTS (
            SELECT FROM spm.position_assignment AS a WHERE a.position_id = s.position_id AND a.span && daterange(u.start, NULL))
        AND NOT EXISTS (
            SELECT FROM spm.position_assignment AS a WHERE a.payee_id = p.payee_id AND a.is_primary AND a.span && daterange(u.start, NULL))
    ORDER BY s.position_id;

    IF manager IS NULL THEN
        RETURN coalesce(cardinality(keys), 0);
    END IF;
    SELECT u.key, l.span, m.position_key INTO wrong
    FROM unnest(keys, managers, starts) AS u (key, manager, start)
    JOIN spm.position AS s ON s.position_key = u.key
    JOIN spm.reporting_line AS l ON l.position_id = s.position_id
    JOIN spm.position AS m ON m.position_id = l.manager_position_id
    WHERE l.span && daterange(u.start, NULL) AND m.position_key IS DISTINCT FROM u.manager
        AND (u.start IS NULL OR lower(l.span) >= u.start)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'position "%" already reports to "%"', wrong.key, wrong.position_key
            USING ERRCODE = '23P01', DETAIL = format('That line holds for %s.', wrong.span),
                HINT = 'Say from which day the relation holds, later than that: since => ''2026-03-01''.';
    END IF;
    UPDATE spm.reporting_line AS l SET span = daterange(lower(l.span), u.start)
    FROM unnest(keys, managers, starts) AS u (key, manager, start)
    JOIN spm.position AS s ON s.position_key = u.key
    LEFT JOIN spm.position AS m ON m.position_key = u.manager
    WHERE l.position_id = s.position_id AND l.span @> u.start AND l.manager_position_id IS DISTINCT FROM m.position_id;
    INSERT INTO spm.reporting_line (position_id, manager_position_id, span)
    SELECT s.position_id, m.position_id, daterange(u.start, NULL)
    FROM unnest(keys, managers, starts) AS u (key, manager, start)
    JOIN spm.position AS s ON s.position_key = u.key
    JOIN spm.position AS m ON m.position_key = u.manager
    WHERE NOT EXISTS (SELECT FROM spm.reporting_line AS l WHERE l.position_id = s.position_id AND l.span && daterange(u.start, NULL))
    ORDER BY s.position_id;
    RETURN coalesce(cardinality(keys), 0);
END
$$;
COMMENT ON FUNCTION spm.load_payees(regclass, text, text, text, text, date, text) IS
'Makes everybody in a table or view a payee in a seat of their own, and returns the number of rows. Keys of payee and seat are the same.
key, name: columns; manager: column with the key of the manager; title: column with the title, which is added if new; since: day from which seats and lines hold, -infinity for always; since_column: column with a day of one''s own, where that is later.
It can be run again, every night: who is new is added, names and titles follow, and a manager who has changed counts from since on (then give it: since => current_date). Who is gone stays, with spm.vacate_position() to call.
Errors: 42703, 42804, 42501 for a column that is not there, of another type, or not readable; 23502 without key or name; 23505 for a key that is there twice; 23503 unknown manager; 23514 for a circle; 23P01 when another line starts on or after since.
Example: SELECT spm.load_payees(''crm.users'', key => ''id'', name => ''name'', manager => ''manager_id'');';
/*
 * core/stages.sql: source -> transaction.  Warehouse relations are mapped, and
 * the view spm.transaction shows the rows of all of them; nothing is copied.
 *
 * The two views are made here and not by the extension's script, because they
 * are the user's: pg_dump keeps them with the rest of the database.
 */

CREATE OR REPLACE FUNCTION spm._source_argument()
    RETURNS TABLE (argument text, name text, accepted text[])
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT a.argument, a.name, CASE a.kind
            WHEN 'label' THEN '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}'::text[]
            WHEN 'day' THEN '{date,timestamp without time zone,timestamp with time zone}'
            WHEN 'word' THEN '{text,character varying,character,name,enum}'
            ELSE '{numeric,integer,bigint,smallint}' END
        FROM (VALUES
            ('key', 'transaction_key', 'label'), ('date', 'event_date', 'day'), ('owner', 'owner_key', 'label'),
            ('amount', 'amount', 'number'), ('line', 'line', 'label'), ('type', 'type', 'word'),
            ('account', 'account_key', 'label'), ('product', 'product_key', 'label'), ('quantity', 'quantity', 'number'),
            ('cost', 'cost', 'number'), ('list_amount', 'list_amount', 'number'), ('currency', 'currency_code', 'word'),
            ('reference', 'reference_key', 'label')
        ) AS a (argument, name, kind);
    END;
COMMENT ON FUNCTION spm._source_argument() IS
    'Arguments of spm.map_source() that name columns: the column of spm.transaction that each fills, and the types it takes.';
REVOKE ALL ON FUNCTION spm._source_argument() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_relation(relation regclass)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    class record;
BEGIN
    SELECT relkind, relpersistence INTO class FROM pg_catalog.pg_class WHERE oid = _check_relation.relation;
    IF class IS NULL OR class.relkind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
        RAISE EXCEPTION '% cannot be a source', coalesce(relation::text, 'NULL')
            USING ERRCODE = '42809', HINT = 'Name a table, partitioned table, foreign table, view or materialized view.';
    ELSIF class.relpersistence = 't' THEN
        RAISE EXCEPTION 'temporary relation % cannot be a source', relation
            USING ERRCODE = '42809', HINT = 'It would be gone with the session; name one that stays.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_relation(regclass) IS 'Error 42809 for what cannot be a source: not a table or view, or temporary.';
REVOKE ALL ON FUNCTION spm._check_relation(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._type_name(relation regclass, column_name text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN (
        SELECT format_type(atttypid, NULL) FROM pg_catalog.pg_attribute
        WHERE attrelid = _type_name.relation AND attname = _type_name.column_name AND attnum > 0 AND NOT attisdropped);
END
$$;
COMMENT ON FUNCTION spm._type_name(regclass, text) IS 'Type of a column, qualified unless it is built in, without its modifier; NULL when there is no such column.';
REVOKE ALL ON FUNCTION spm._type_name(regclass, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._source_expression(source spm.source, name text, alias text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
DECLARE
    type text := (
        SELECT format_type(atttypid, NULL) FROM pg_catalog.pg_attribute
        WHERE attrelid = 'spm.transaction_row'::regclass AND attname = _source_expression.name);
    mapped record;
    expression text;
BEGIN
    IF name = 'source' THEN
        RETURN format('%L::text', source.name);
    ELSIF name = 'attributes' THEN
        RETURN coalesce((
            SELECT format('jsonb_build_object(%s)', string_agg(format('%L, %s%I', substr(c.name, 12), alias, c.column_name), ', ' ORDER BY c.name COLLATE "C"))
            FROM spm.source_column AS c
            WHERE c.source_id = source.source_id AND c.name LIKE 'attributes.%'
            HAVING count(*) > 0), '''{}''::jsonb');
    END IF;
    SELECT format('%s%I', alias, c.column_name) AS reference, c.column_type, a.attcollation INTO mapped
    FROM spm.source_column AS c
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = to_regclass(format('%I.%I', source.relation_schema, source.relation_name))
        AND a.attname = c.column_name
    WHERE c.source_id = source.source_id AND c.name = _source_expression.name;
    IF NOT FOUND THEN
        RETURN CASE name WHEN 'line' THEN '''''::text'
            WHEN 'type' THEN format('%L::text', source.fixed_type)
            WHEN 'currency_code' THEN format('%L::text', source.fixed_currency_code)
            ELSE 'NULL::' || type END;
    END IF;

    -- A column that is of the type already stays bare: its indexes then serve the
    -- view.  Only numeric loses its digits, or the view's type would be the first source's.
    expression := CASE
        WHEN mapped.column_type = type AND type <> 'numeric' THEN mapped.reference
        WHEN type = 'date' AND mapped.column_type = 'timestamp with time zone'
            THEN format('(%s AT TIME ZONE %L)::date', mapped.reference, source.time_zone)
        ELSE format('%s::%s', mapped.reference, type) END;
    IF type = 'text' AND mapped.attcollation NOT IN (0, '"default"'::regcollation) THEN
        expression := format('(%s) COLLATE "default"', expression);
    END IF;
    RETURN CASE name WHEN 'line' THEN format('coalesce(%s, '''')', expression)
        WHEN 'reference_key' THEN format('nullif(%s, '''')', expression)    -- many write nothing as an empty text
        ELSE expression END;
END
$$;
COMMENT ON FUNCTION spm._source_expression(spm.source, text, text) IS
    'What a source gives for a column of spm.transaction, as SQL over its relation; alias: prefix of its columns, such as t. or nothing.';
REVOKE ALL ON FUNCTION spm._source_expression(spm.source, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._map_source_call(source spm.source)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN format('SELECT spm.map_source(%L, %L', source.name, format('%I.%I', source.relation_schema, source.relation_name))
        || (SELECT string_agg(format(', %s => %L', a.argument, c.column_name), '' ORDER BY a.place)
            FROM spm._source_argument() WITH ORDINALITY AS a (argument, name, accepted, place)
            LEFT JOIN spm.source_column AS c ON c.source_id = source.source_id AND c.name = a.name
            WHERE c.name IS NOT NULL OR a.argument = 'owner')
        || coalesce(', fixed_type => ' || quote_literal(source.fixed_type), '')
        || coalesce(', fixed_currency => ' || quote_literal(source.fixed_currency_code), '')
        || coalesce((SELECT format(', attributes => %L', array_agg(c.column_name ORDER BY c.name)) FROM spm.source_column AS c
            WHERE c.source_id = source.source_id AND c.name LIKE 'attributes.%' HAVING count(*) > 0), '')
        || coalesce(', filter => ' || quote_literal(source.filter), '')
        || CASE WHEN source.time_zone <> 'UTC' THEN format(', time_zone => %L', source.time_zone) ELSE '' END
        || ');';
END
$$;
COMMENT ON FUNCTION spm._map_source_call(spm.source) IS 'The call of spm.map_source() that maps a source as it is mapped.';
REVOKE ALL ON FUNCTION spm._map_source_call(spm.source) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._source_problem()
    RETURNS TABLE (source text, code text, problem text, detail text, repair text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH mapping AS (
        SELECT s.name, s AS source, spm._map_source_call(s) AS repair, 'spm.transaction' AS view,
            format('%I.%I', s.relation_schema, s.relation_name) AS relation,
            to_regclass(format('%I.%I', s.relation_schema, s.relation_name)) AS oid
        FROM spm.source AS s
        UNION ALL
        SELECT s.name, s, format('SELECT spm.map_split(%L, %L, key => %L, owner => %L, share => %L%s, share_unit => %L);', s.name,
                format('%I.%I', p.relation_schema, p.relation_name), p.key_column, p.owner_column, p.share_column,
                coalesce(', line => ' || quote_literal(p.line_column), ''), p.share_unit), 'spm.transaction_split',
            format('%I.%I', p.relation_schema, p.relation_name),
            to_regclass(format('%I.%I', p.relation_schema, p.relation_name))
        FROM spm.split_source AS p
        JOIN spm.source AS s USING (source_id)
        UNION ALL
        SELECT s.name, s, spm._map_event_call(e), 'spm.transaction_event',
            format('%I.%I', e.relation_schema, e.relation_name),
            to_regclass(format('%I.%I', e.relation_schema, e.relation_name))
        FROM spm.event_source AS e
        JOIN spm.source AS s USING (source_id)
    ), mapped AS (
        SELECT m.*, coalesce(a.argument, c.name) AS argument, c.column_name, c.column_type
        FROM mapping AS m
        JOIN spm.source_column AS c ON c.source_id = (m.source).source_id
        LEFT JOIN spm._source_argument() AS a ON a.name = c.name
        WHERE m.view = 'spm.transaction' AND m.oid IS NOT NULL
        UNION ALL
        SELECT m.*, c.argument, c.column_name, NULL
        FROM mapping AS m
        JOIN spm.split_source AS p ON p.source_id = (m.source).source_id
        CROSS JOIN LATERAL (VALUES ('key', p.key_column), ('owner', p.owner_column), ('share', p.share_column), ('line', p.line_column))
            AS c (argument, column_name)
        WHERE m.view = 'spm.transaction_split' AND m.oid IS NOT NULL AND c.column_name IS NOT NULL
        UNION ALL
        SELECT m.*, c.argument, c.column_name, NULL
        FROM mapping AS m
        JOIN spm.event_source AS e ON e.source_id = (m.source).source_id AND spm._map_event_call(e) = m.repair
        CROSS JOIN LATERAL (VALUES ('key', e.key_column), ('date', e.date_column), ('amount', e.amount_column), ('line', e.line_column))
            AS c (argument, column_name)
        WHERE m.view = 'spm.transaction_event' AND m.oid IS NOT NULL AND c.column_name IS NOT NULL
    ), problem AS (
        SELECT m.name, 1 AS place, '42P01' AS code, format('relation %s of source "%s" does not exist', m.relation, m.name) AS problem,
            'It was dropped, renamed or moved to another schema after it was mapped.' AS detail, m.repair
        FROM mapping AS m WHERE m.oid IS NULL
        UNION ALL
        SELECT m.name, 2, '42703', format('column "%s" of %s does not exist', m.column_name, m.relation),
            format('Source "%s" takes it for %s. It was dropped or renamed after it was mapped.', m.name, m.argument), m.repair
        FROM mapped AS m WHERE spm._type_name(m.oid, m.column_name) IS NULL
        UNION ALL
        SELECT m.name, 3, '42804', format('column "%s" of %s has become %s', m.column_name, m.relation, spm._type_name(m.oid, m.column_name)),
            format('Source "%s" took it for %s when it was %s.', m.name, m.argument, m.column_type), m.repair
        FROM mapped AS m WHERE spm._type_name(m.oid, m.column_name) <> m.column_type
        UNION ALL
        SELECT m.name, 4, '42501', format('you may not read column "%s" of %s', m.column_name, m.relation),
            format('Source "%s" takes it for %s.', m.name, m.argument), format('GRANT SELECT ON %s TO %I;', m.relation, current_user)
        FROM mapped AS m
        WHERE CASE WHEN spm._type_name(m.oid, m.column_name) IS NOT NULL THEN NOT has_column_privilege(m.oid, m.column_name, 'SELECT') END
        UNION ALL
        SELECT m.name, 5, '55000', format('source "%s" is missing from %s', m.name, m.view),
            format('The view does not read %s.', m.relation), m.repair
        FROM mapping AS m
        WHERE m.oid IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            JOIN pg_catalog.pg_rewrite AS r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
            WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = m.oid AND r.ev_class = to_regclass(m.view))
    )
    SELECT p.name, p.code, p.problem, p.detail, p.repair FROM problem AS p ORDER BY p.name, p.place, p.problem;
END
$$;
COMMENT ON FUNCTION spm._source_problem() IS
    'What is wrong with mapped sources today, for whoever asks: a relation, column or right that is gone, a type that has changed; with the call that mends it.';
REVOKE ALL ON FUNCTION spm._source_problem() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_sources()
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first record;
BEGIN
    SELECT * INTO first FROM spm._source_problem() LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', first.problem
            USING ERRCODE = first.code, DETAIL = first.detail,
                HINT = CASE WHEN first.repair LIKE 'GRANT%' THEN 'Let its owner run: ' || first.repair
                    ELSE 'Map it as it is now: ' || first.repair END;
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_sources() IS
'Checks every mapped source again before it is used.
Errors: 42P01 relation gone, 42703 column gone, 42804 type changed, 42501 not readable, 55000 missing from the view; the hint has the call that maps it anew.';
REVOKE ALL ON FUNCTION spm._check_sources() FROM PUBLIC;

-- One branch a source.  The last branch of each view has no rows: it ties the
-- view to the extension, so that dropping that says what else would go.
CREATE OR REPLACE FUNCTION spm._transaction_query(broken text[])
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN concat((
        SELECT string_agg(format(E'SELECT %s\nFROM %s AS t%s\nUNION ALL\n', b.columns, b.relation, E'\nWHERE ' || b.filter), '' ORDER BY b.source_id)
        FROM (
            SELECT s.source_id, format('%I.%I', s.relation_schema, s.relation_name) AS relation, s.filter,
                string_agg(format('%s AS %I', spm._source_expression(s, a.attname, 't.'), a.attname), E',\n    ' ORDER BY a.attnum) AS columns
            FROM spm.source AS s, pg_catalog.pg_attribute AS a
            WHERE a.attrelid = 'spm.transaction_row'::regclass AND a.attnum > 0 AND NOT a.attisdropped
                AND s.name <> ALL (broken)
            GROUP BY s.source_id
        ) AS b), 'SELECT (NULL::spm.transaction_row).* WHERE false');
END
$$;
COMMENT ON FUNCTION spm._transaction_query(text[]) IS 'The query of the view spm.transaction, without the broken sources.';
REVOKE ALL ON FUNCTION spm._transaction_query(text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._split_query(broken text[])
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN concat((
        SELECT string_agg(format(E'SELECT %L::text AS source, t.%I::text AS transaction_key, %s::text AS line, t.%I::text AS owner_key, %s AS share\nFROM %I.%I AS t\nUNION ALL\n',
            s.name, p.key_column, coalesce('t.' || quote_ident(p.line_column), 'NULL'), p.owner_column,
            CASE p.share_unit WHEN 'percent' THEN format('t.%I * 0.01', p.share_column) ELSE format('t.%I::numeric', p.share_column) END,
            p.relation_schema, p.relation_name), '' ORDER BY s.source_id)
        FROM spm.split_source AS p
        JOIN spm.source AS s USING (source_id)
        WHERE s.name <> ALL (broken)),
        'SELECT r.source, r.transaction_key, r.line, r.owner_key, r.amount AS share FROM (SELECT (NULL::spm.transaction_row).*) AS r WHERE false');
END
$$;
COMMENT ON FUNCTION spm._split_query(text[]) IS 'The query of the view spm.transaction_split, without the broken splits.';
REVOKE ALL ON FUNCTION spm._split_query(text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.rebuild_transaction_views()
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    broken text[] := '{}';
    broken_splits text[] := '{}';
    broken_events text[] := '{}';
    wrong record;
    described record;
BEGIN
    IF NOT EXISTS (SELECT FROM spm.source) THEN
        EXECUTE 'DROP VIEW IF EXISTS spm.transaction, spm.transaction_split, spm.transaction_event';
        RETURN;
    END IF;
    FOR wrong IN SELECT * FROM spm._source_problem() WHERE code IN ('42P01', '42703', '42804') LOOP
        RAISE WARNING 'source "%" is left out: %', wrong.source, wrong.problem
            USING ERRCODE = wrong.code, HINT = 'Map it as it is now: ' || wrong.repair;
        IF wrong.repair LIKE '%map_split%' THEN
            broken_splits := broken_splits || wrong.source;
        ELSIF wrong.repair LIKE '%map_event%' THEN
            broken_events := broken_events || wrong.source;
        ELSE
            broken := broken || wrong.source;
        END IF;
    END LOOP;

    EXECUTE format('CREATE OR REPLACE VIEW spm.transaction WITH (security_invoker = true) AS %s', spm._transaction_query(broken));
    COMMENT ON VIEW spm.transaction IS
        'One row per transaction line of every mapped source, read from the warehouse as it is now. Made by spm.map_source().';
    FOR described IN
        SELECT attname, col_description(attrelid, attnum) AS description FROM pg_catalog.pg_attribute
        WHERE attrelid = 'spm.transaction_row'::regclass AND attnum > 0 AND NOT attisdropped
    LOOP
        EXECUTE format('COMMENT ON COLUMN spm.transaction.%I IS %L', described.attname, described.description);
    END LOOP;

    EXECUTE format('CREATE OR REPLACE VIEW spm.transaction_split WITH (security_invoker = true) AS %s', spm._split_query(broken_splits));
    COMMENT ON VIEW spm.transaction_split IS
        'One row per transaction (or line) and sharer, where the warehouse says who shares. Made by spm.map_split().';
    COMMENT ON COLUMN spm.transaction_split.source IS 'Source of the transaction.';
    COMMENT ON COLUMN spm.transaction_split.transaction_key IS 'Key of the transaction.';
    COMMENT ON COLUMN spm.transaction_split.line IS 'Its line; NULL when the split holds for all lines.';
    COMMENT ON COLUMN spm.transaction_split.owner_key IS 'payee_key of the sharer.';
    COMMENT ON COLUMN spm.transaction_split.share IS 'Share as a ratio; those of a transaction total 1.';

    EXECUTE format('CREATE OR REPLACE VIEW spm.transaction_event WITH (security_invoker = true) AS %s', spm._event_query(broken_events));
    COMMENT ON VIEW spm.transaction_event IS
        'One row per milestone of a transaction: an invoice, a payment. Made by spm.map_event().';
    COMMENT ON COLUMN spm.transaction_event.source IS 'Source of the transaction.';
    COMMENT ON COLUMN spm.transaction_event.kind IS 'Kind of milestone: invoice, payment ...';
    COMMENT ON COLUMN spm.transaction_event.transaction_key IS 'Key of the transaction.';
    COMMENT ON COLUMN spm.transaction_event.line IS 'Its line; NULL when the milestone is of all lines.';
    COMMENT ON COLUMN spm.transaction_event.event_date IS 'Day of the milestone.';
    COMMENT ON COLUMN spm.transaction_event.amount IS 'How much of the transaction it is, in its currency, or as a ratio. NULL: all of it.';
    -- Whoever maps a view that reads spm.transaction learns it now.
    EXECUTE format('SELECT FROM %s LIMIT 0', to_regclass('spm.transaction'));
END
$$;
COMMENT ON FUNCTION spm.rebuild_transaction_views() IS
'Makes the views spm.transaction, spm.transaction_split and spm.transaction_event anew from the mapped sources; without any, drops them. spm.map_source() and the like do it by themselves.
A source whose relation or column is gone is left out with a warning; what uses sources refuses to run until it is mapped again.
Errors: 2BP01 when something depends on a view that is to be dropped; 42501 for other than the owner of the views.
Example: SELECT spm.rebuild_transaction_views();';

CREATE OR REPLACE FUNCTION spm.map_source(name text, relation regclass, key text, date text, owner text, amount text,
    line text DEFAULT NULL, type text DEFAULT NULL, account text DEFAULT NULL, product text DEFAULT NULL, quantity text DEFAULT NULL,
    cost text DEFAULT NULL, list_amount text DEFAULT NULL, currency text DEFAULT NULL,
    fixed_type text DEFAULT NULL, fixed_currency text DEFAULT NULL, attributes text[] DEFAULT '{}', filter text DEFAULT NULL,
    time_zone text DEFAULT 'UTC', reference text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    given constant jsonb := jsonb_build_object('key', key, 'date', date, 'owner', owner, 'amount', amount, 'line', line,
        'type', type, 'account', account, 'product', product, 'quantity', quantity, 'cost', cost, 'list_amount', list_amount,
        'currency', currency, 'reference', reference);
    attribute_types constant text[] := '{text,character varying,character,name,uuid,boolean,integer,bigint,smallint,numeric,date,timestamp without time zone,json,jsonb,enum}';
    checked_filter text;
    attribute text;
    this_id int;
BEGIN
    PERFORM spm._check_text(name, 'name'), spm._check_text(key, 'key'), spm._check_text(date, 'date'),
        spm._check_text(amount, 'amount'), spm._check_relation(relation);
    IF name = 'manual' THEN
        RAISE EXCEPTION 'no source can be named "manual"' USING ERRCODE = 'reserved_name', HINT = 'That is the source of spm.add_manual_credit(); choose another name.';
    END IF;
    IF type IS NOT NULL AND fixed_type IS NOT NULL THEN
        RAISE EXCEPTION 'give type or fixed_type, not both' USING ERRCODE = '22023',
            HINT = 'type names a column; fixed_type is the type of all rows.';
    END IF;
    IF (currency IS NULL) = (fixed_currency IS NULL) THEN
        RAISE EXCEPTION 'give either currency or fixed_currency' USING ERRCODE = '22023',
            DETAIL = format('%s was given.', CASE WHEN currency IS NULL THEN 'Neither' ELSE 'Each' END),
            HINT = 'currency names a column with ISO codes; fixed_currency is the currency of all rows, such as USD.';
    END IF;
    IF fixed_currency IS NOT NULL THEN
        PERFORM spm._check_currency(fixed_currency);
    END IF;
    IF time_zone IS NULL OR NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS z WHERE z.name = map_source.time_zone) THEN
        RAISE EXCEPTION 'time zone "%" does not exist', time_zone
            USING ERRCODE = '22023', HINT = 'Use a name from pg_timezone_names, such as Europe/Berlin.';
    END IF;
    PERFORM spm._column_type(map_source.relation, given ->> a.argument, a.argument, a.accepted, CASE
        WHEN a.argument = 'date' THEN format('Name a view with %I::date instead of the table.', date) END)
    FROM spm._source_argument() AS a
    WHERE given ->> a.argument IS NOT NULL;
    FOREACH attribute IN ARRAY coalesce(attributes, '{}') LOOP
        PERFORM spm._column_type(relation, attribute, 'attributes', attribute_types, NULL);
    END LOOP;
    IF filter IS NOT NULL THEN
        checked_filter := spm.checked_expression(filter, 'boolean', relation);
    END IF;

    -- Two who map at once: the second must see the first's source when it makes the view.
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO spm.source (name, relation_schema, relation_name, filter, fixed_type, fixed_currency_code, time_zone)
    SELECT map_source.name, (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = c.relnamespace), c.relname, checked_filter,
        CASE WHEN map_source.type IS NULL THEN coalesce(map_source.fixed_type, 'booking') END, map_source.fixed_currency, map_source.time_zone
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = map_source.relation
    ON CONFLICT (name) DO UPDATE SET relation_schema = EXCLUDED.relation_schema, relation_name = EXCLUDED.relation_name,
        filter = EXCLUDED.filter, fixed_type = EXCLUDED.fixed_type, fixed_currency_code = EXCLUDED.fixed_currency_code,
        time_zone = EXCLUDED.time_zone
    RETURNING source_id INTO this_id;
    DELETE FROM spm.source_column WHERE source_id = this_id;
    INSERT INTO spm.source_column (source_id, name, column_name, column_type)
    SELECT this_id, c.name, c.column_name, spm._type_name(map_source.relation, c.column_name)
    FROM (
        SELECT a.name, given ->> a.argument AS column_name FROM spm._source_argument() AS a
        UNION
        SELECT 'attributes.' || u.column_name, u.column_name FROM unnest(map_source.attributes) AS u (column_name)
    ) AS c
    WHERE c.column_name IS NOT NULL;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.map_source(text, regclass, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text[], text, text, text) IS
'Maps a warehouse relation: its rows become transactions in the view spm.transaction. Nothing is copied. Under a name that exists the mapping is replaced.
name: of the source; relation: table, view, materialized, partitioned or foreign table. Names of its columns: key (of the transaction; with line unique), date (date or timestamp; one with time zone is taken in time_zone), owner (payee_key, or NULL), amount, line, type, account, product, quantity, cost, list_amount, currency, reference (key of the transaction that a refund, credit note or cancellation takes back).
fixed_type: type of all rows without a type column, booking unless said otherwise; fixed_currency: currency of all rows without a currency column; attributes: further columns, for expressions as attributes->>''name''; filter: SQL condition over the relation''s columns for the rows that count.
Errors: 42809 not a table or view; 42703 no such column; 42804 a type that does not fit (amounts are numeric or integer, never floating point); 42501 not readable; 22023 currency or time zone missing or unknown; 42704 fixed_currency unknown; 42939 for the name manual; those of spm.checked_expression() for the filter.
Example: SELECT spm.map_source(''orders'', ''crm.deal'', key => ''deal_id'', date => ''closed_on'', owner => ''owner_id'', amount => ''amount'', currency => ''currency'', filter => $$stage = ''won''$$);';

CREATE OR REPLACE FUNCTION spm._source_named(source text)
    RETURNS spm.source
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source;
BEGIN
    SELECT s.* INTO this_source FROM spm.source AS s WHERE s.name = _source_named.source;
    IF this_source.source_id IS NULL THEN
        RAISE EXCEPTION 'source "%" does not exist', source
            USING ERRCODE = '42704', HINT = coalesce(
                'Sources are: ' || (SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM spm.source AS s) || '.',
                'There is none yet: SELECT spm.map_source(...);');
    END IF;
    RETURN this_source;
END
$$;
COMMENT ON FUNCTION spm._source_named(text) IS 'The source of that name; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._source_named(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.unmap_source(name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source := spm._source_named(name);
BEGIN
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.source WHERE source_id = this_source.source_id;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.unmap_source(text) IS
'Takes a source and its split out of spm.transaction; with the last one the view goes. What was calculated from it stays.
Errors: 42704 unknown source; 2BP01 when something depends on the view.
Example: SELECT spm.unmap_source(''orders'');';

CREATE OR REPLACE FUNCTION spm.map_split(source text, relation regclass, key text, owner text, share text,
    line text DEFAULT NULL, share_unit text DEFAULT 'ratio')
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    label_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}';
    this_source spm.source := spm._source_named(source);
BEGIN
    PERFORM spm._check_relation(relation),
        spm._column_type(relation, key, 'key', label_types, NULL),
        spm._column_type(relation, owner, 'owner', label_types, NULL),
        spm._column_type(relation, share, 'share', '{numeric,integer,bigint,smallint}', NULL);
    IF line IS NOT NULL THEN
        PERFORM spm._column_type(relation, line, 'line', label_types, NULL);
    END IF;
    IF share_unit IS NULL OR share_unit NOT IN ('ratio', 'percent') THEN
        RAISE EXCEPTION 'share_unit must be ratio or percent, not "%"', share_unit
            USING ERRCODE = '22023', HINT = 'ratio: the shares of a transaction total 1; percent: 100.';
    END IF;
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.split_source WHERE source_id = this_source.source_id;
    INSERT INTO spm.split_source (source_id, relation_schema, relation_name, key_column, line_column, owner_column, share_column, share_unit)
    SELECT this_source.source_id, (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = c.relnamespace), c.relname, map_split.key, map_split.line, map_split.owner,
        map_split.share, map_split.share_unit
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = map_split.relation;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.map_split(text, regclass, text, text, text, text, text) IS
'Maps a relation that says who shares in the transactions of a source: its rows are in the view spm.transaction_split. A second call for the source replaces the first.
source: name of a mapped source; names of columns: key (of the transaction), owner (payee_key), share, line (NULL, or NULL in a row: for all lines); share_unit: ratio, shares total 1, or percent, they total 100.
Errors: 42704 unknown source; 42809, 42703, 42804, 42501 as for spm.map_source(); 22023 unknown share_unit.
Example: SELECT spm.map_split(''orders'', ''crm.deal_split'', key => ''deal_id'', owner => ''user_id'', share => ''percentage'', share_unit => ''percent'');';

CREATE OR REPLACE FUNCTION spm.unmap_split(source text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source := spm._source_named(source);
BEGIN
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.split_source WHERE source_id = this_source.source_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'source "%" has no split', source USING ERRCODE = '42704', HINT = 'There is nothing to take away.';
    END IF;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.unmap_split(text) IS
'Takes the split of a source away: its transactions belong to their owners alone.
Errors: 42704 for an unknown source or one without a split.
Example: SELECT spm.unmap_split(''orders'');';

CREATE OR REPLACE FUNCTION spm.source_index(name text)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source := spm._source_named(name);
    this_relation regclass := to_regclass(format('%I.%I', this_source.relation_schema, this_source.relation_name));
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = this_relation AND c.relkind IN ('r', 'p', 'm')) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT format('CREATE INDEX IF NOT EXISTS %I ON %s ((%s));', left(format('spm_%s_%s', this_source.name, c.name), 63),
        this_relation, spm._source_expression(this_source, c.name, ''))
    FROM spm.source_column AS c
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = this_relation AND a.attname = c.column_name
    LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE c.source_id = this_source.source_id AND c.name IN ('event_date', 'transaction_key', 'owner_key')
        -- how an enum is written is not immutable, so it cannot be indexed
        AND t.typtype <> 'e'
        AND NOT (spm._source_expression(this_source, c.name, '') = quote_ident(c.column_name) AND EXISTS (
            SELECT FROM pg_catalog.pg_index AS i
            WHERE i.indrelid = this_relation AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indisvalid))
    ORDER BY array_position('{event_date,transaction_key,owner_key}', c.name);
END
$$;
COMMENT ON FUNCTION spm.source_index(text) IS
'Statements that make the indexes with which a filter on event_date, transaction_key or owner_key of spm.transaction finds the rows of a source. None for columns that have one already, and none for views and foreign tables.
Errors: 42704 unknown source.
Example: SELECT * FROM spm.source_index(''orders'') \gexec';

CREATE OR REPLACE FUNCTION spm.doctor()
    RETURNS TABLE (what text, severity text, detail text, repair text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    sources_are_sound boolean := NOT EXISTS (SELECT FROM spm._source_problem());
BEGIN
    RETURN QUERY
    SELECT 'source', 'error', format('%s. %s', p.problem, p.detail), p.repair FROM spm._source_problem() AS p
    UNION ALL
    SELECT 'source', 'info', 'No source of transactions is mapped.', 'SELECT spm.map_source(...);'
    WHERE NOT EXISTS (SELECT FROM spm.source);

    RETURN QUERY
    SELECT 'calendar', 'info', 'There is no calendar.',
        format('SELECT spm.create_calendar(''fiscal'', grain => ''month'', first => ''%s-01-01'', until => ''%s-01-01'');',
            extract(year FROM current_date), extract(year FROM current_date) + 2)
    WHERE NOT EXISTS (SELECT FROM spm.calendar)
    UNION ALL
    -- within a month there should be a period to come
    SELECT 'calendar', 'warning', format('Calendar "%s" ends on %s.', c.name, max(upper(p.span)) - 1),
        CASE WHEN c.scheme IS NULL THEN format('SELECT spm.load_periods(%L, ...);', c.name)
            ELSE format('SELECT spm.extend_calendar(%L, until => %L);', c.name, CASE
                WHEN c.scheme = 'week' THEN max(upper(p.span)) + 364
                WHEN c.scheme ~ '-' THEN (
                    SELECT min(e.day) FROM generate_series(0, 2) AS i,
                        LATERAL (SELECT spm._retail_year_end(c.year_end, extract(year FROM max(upper(p.span)))::int + i) + 1) AS e (day)
                    WHERE e.day > max(upper(p.span)))
                ELSE (max(upper(p.span)) + interval '1 year')::date END) END
    FROM spm.calendar AS c
    JOIN spm.period AS p USING (calendar_id)
    GROUP BY c.calendar_id
    HAVING max(upper(p.span)) BETWEEN current_date - 366 AND current_date + 31
    UNION ALL
    SELECT 'calendar', 'info', format('Calendar "%s" has no period of grain %s from %s to %s.', g.name, g.grain, g.until, g.since - 1),
        'Add the period if days are missing by mistake: INSERT INTO spm.period ...'
    FROM (
        SELECT c.name, p.grain, lag(upper(p.span)) OVER (PARTITION BY p.calendar_id, p.grain ORDER BY p.span) AS until, lower(p.span) AS since
        FROM spm.period AS p
        JOIN spm.calendar AS c USING (calendar_id)
    ) AS g
    WHERE g.until < g.since;

    RETURN QUERY
    SELECT 'payee', 'warning', format('%s payee(s) hold no seat today: %s.', count(*), string_agg(f.payee_key, ', ' ORDER BY f.payee_key) FILTER (WHERE f.place <= 5)),
        format('SELECT spm.assign_position(position, %L, since => %L);', min(f.payee_key), current_date)
    FROM (
        SELECT y.payee_key, row_number() OVER (ORDER BY y.payee_key) AS place FROM spm.payee AS y
        WHERE NOT EXISTS (SELECT FROM spm.position_assignment AS a WHERE a.payee_id = y.payee_id AND a.span @> current_date)
            -- whoever has left is no loss
            AND NOT EXISTS (SELECT FROM spm.position_assignment AS a WHERE a.payee_id = y.payee_id AND a.span << daterange(current_date, NULL))
    ) AS f
    HAVING count(*) > 0
    UNION ALL
    SELECT 'position', 'info', format('%s seat(s) are vacant today: %s.', count(*), string_agg(f.position_key, ', ' ORDER BY f.position_key) FILTER (WHERE f.place <= 5)),
        format('SELECT spm.assign_position(%L, payee, since => %L);', min(f.position_key), current_date)
    FROM (
        SELECT s.position_key, row_number() OVER (ORDER BY s.position_key) AS place FROM spm.position AS s
        WHERE NOT EXISTS (SELECT FROM spm.position_assignment AS a WHERE a.position_id = s.position_id AND a.span @> current_date)
    ) AS f
    HAVING count(*) > 0
    UNION ALL
    SELECT 'hierarchy', 'error', 'spm.position_path does not follow spm.reporting_line: triggers were switched off.', 'SELECT spm.rebuild_position_path();'
    WHERE EXISTS (
        SELECT FROM spm.reporting_line AS l
        LEFT JOIN spm.position_path AS x ON x.position_id = l.position_id AND x.ancestor_position_id = l.manager_position_id AND x.span = l.span AND x.depth = 1
        WHERE x.position_id IS NULL);

    IF sources_are_sound AND to_regclass('spm.transaction') IS NOT NULL THEN
        RETURN QUERY EXECUTE format($sql$
            SELECT p.what, 'error', p.detail, coalesce(p.repair, 'Correct the rows, or leave them out with the filter of spm.map_source().')
            FROM (SELECT source, currency_code, count(*) AS n, count(*) FILTER (WHERE event_date IS NULL) AS dateless
                  FROM %s GROUP BY source, currency_code) AS t
            CROSS JOIN LATERAL (
                SELECT 'currency', CASE WHEN t.currency_code IS NULL THEN format('Source "%%s" has %%s transaction(s) without a currency.', t.source, t.n)
                        ELSE format('Source "%%s" has %%s transaction(s) in %%s, which is not a known currency.', t.source, t.n, t.currency_code) END,
                    CASE WHEN t.currency_code ~ '^[A-Z]{3}$' THEN format('SELECT spm.add_currency(%%L);', t.currency_code) END
                WHERE NOT EXISTS (SELECT FROM spm.currency AS c WHERE c.currency_code = t.currency_code)
                UNION ALL
                SELECT 'source', format('Source "%%s" has %%s transaction(s) without a date: no period pays them.', t.source, t.dateless), NULL
                WHERE t.dateless > 0) AS p (what, detail, repair)
            ORDER BY t.source, t.currency_code$sql$, to_regclass('spm.transaction'));
    END IF;
END
$$;
COMMENT ON FUNCTION spm.doctor() IS
'What is inconsistent or missing, and the call that mends it; no row when all is well. It reads the mapped sources once.
what: source, calendar, payee, position, hierarchy or currency; severity: error (a calculation refuses or is wrong), warning or info.
Example: SELECT * FROM spm.doctor();';
/*
 * core/stages_event.sql: milestones of transactions, such as invoices and
 * payments.  Warehouse relations are mapped, and the view
 * spm.transaction_event shows the rows of all of them; nothing is copied.
 */

CREATE OR REPLACE FUNCTION spm._map_event_call(event spm.event_source)
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT spm.map_event(%L, %L, %L, key => %L, date => %L', s.name, event.kind,
            format('%I.%I', event.relation_schema, event.relation_name), event.key_column, event.date_column)
        || coalesce(', amount => ' || quote_literal(event.amount_column), '') || coalesce(', line => ' || quote_literal(event.line_column), '')
        || CASE WHEN event.amount_unit <> 'money' THEN format(', amount_unit => %L', event.amount_unit) ELSE '' END
        || CASE WHEN event.credited <> 'pro rata' THEN format(', credited => %L', event.credited) ELSE '' END
        || CASE WHEN event.over <> 'capped' THEN format(', over => %L', event.over) ELSE '' END
        || CASE WHEN event.tolerance <> 0 THEN format(', tolerance => %s', event.tolerance) ELSE '' END || ');'
    FROM spm.source s WHERE s.source_id = event.source_id
$$;
COMMENT ON FUNCTION spm._map_event_call(spm.event_source) IS 'The call of spm.map_event() that maps milestones as they are mapped.';
REVOKE ALL ON FUNCTION spm._map_event_call(spm.event_source) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._event_query(broken text[])
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN concat((
        SELECT string_agg(format(E'SELECT %L::text AS source, %L::text AS kind, t.%I::text AS transaction_key, %s::text AS line, %s AS event_date, %s AS amount\nFROM %I.%I AS t\nUNION ALL\n',
            s.name, e.kind, e.key_column, coalesce('t.' || quote_ident(e.line_column), 'NULL'),
            CASE WHEN spm._type_name(to_regclass(format('%I.%I', e.relation_schema, e.relation_name)), e.date_column) = 'timestamp with time zone'
                THEN format('(t.%I AT TIME ZONE %L)::date', e.date_column, s.time_zone) ELSE format('t.%I::date', e.date_column) END,
            CASE WHEN e.amount_column IS NULL THEN 'NULL::numeric'
                WHEN e.amount_unit = 'percent' THEN format('t.%I * 0.01', e.amount_column) ELSE format('t.%I::numeric', e.amount_column) END,
            e.relation_schema, e.relation_name), '' ORDER BY s.source_id, e.kind)
        FROM spm.event_source AS e
        JOIN spm.source AS s USING (source_id)
        WHERE s.name <> ALL (broken)),
        'SELECT r.source, r.type AS kind, r.transaction_key, r.line, r.event_date, r.amount FROM (SELECT (NULL::spm.transaction_row).*) AS r WHERE false');
END
$$;
COMMENT ON FUNCTION spm._event_query(text[]) IS 'The query of the view spm.transaction_event, without the broken sources.';
REVOKE ALL ON FUNCTION spm._event_query(text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.map_event(source text, kind text, relation regclass, key text, date text, amount text DEFAULT NULL,
    line text DEFAULT NULL, amount_unit text DEFAULT 'money', credited text DEFAULT 'pro rata', over text DEFAULT 'capped', tolerance numeric DEFAULT 0)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    label_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}';
    this_source spm.source := spm._source_named(source);
    wrong record;
BEGIN
    PERFORM spm._check_text(map_event.kind, 'kind'), spm._check_relation(relation),
        spm._column_type(relation, key, 'key', label_types, NULL),
        spm._column_type(relation, date, 'date', '{date,timestamp without time zone,timestamp with time zone}', NULL);
    IF amount IS NOT NULL THEN
        PERFORM spm._column_type(relation, amount, 'amount', '{numeric,integer,bigint,smallint}', NULL);
    END IF;
    IF line IS NOT NULL THEN
        PERFORM spm._column_type(relation, line, 'line', label_types, NULL);
    END IF;
    SELECT w.* INTO wrong FROM (VALUES
        ('kind', map_event.kind, map_event.kind <> 'booking', 'Every transaction is its own booking; name the milestone: invoice, payment ...'),
        ('amount_unit', amount_unit, amount_unit IN ('money', 'ratio', 'percent'), 'money: in the currency of the transaction; ratio: 1 is all of it; percent: 100 is.'),
        ('credited', credited, credited IN ('pro rata', 'first', 'full'), 'pro rata: each credits its part; first: the first credits all; full: all is credited once it is reached in full.'),
        ('over', over, over IN ('capped', 'credited'), 'What goes beyond the transaction: capped, not credited; credited, like the rest.'),
        ('tolerance', tolerance::text, tolerance >= 0 AND tolerance < 1, 'The share that may be missing: 0.01 is 1 %.')) AS w (argument, value, is_right, hint)
    WHERE w.is_right IS NOT TRUE;
    IF FOUND THEN
        RAISE EXCEPTION '% cannot be "%"', wrong.argument, wrong.value USING ERRCODE = '22023', HINT = wrong.hint;
    END IF;
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.event_source AS e WHERE e.source_id = this_source.source_id AND e.kind = map_event.kind;
    INSERT INTO spm.event_source (source_id, kind, relation_schema, relation_name, key_column, line_column, date_column, amount_column,
        amount_unit, credited, over, tolerance)
    SELECT this_source.source_id, map_event.kind, (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = c.relnamespace), c.relname,
        map_event.key, map_event.line, map_event.date, map_event.amount, map_event.amount_unit, map_event.credited, map_event.over, map_event.tolerance
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = map_event.relation;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.map_event(text, text, regclass, text, text, text, text, text, text, text, numeric) IS
'Maps a relation with milestones of a source''s transactions, such as invoices or payments: its rows are in the view spm.transaction_event, and components with event => kind are paid by them. A second call for the source and kind replaces the first.
source: name of a mapped source. kind: name of the milestone. Names of columns: key (of the transaction), date, amount (NULL: each is of all of the transaction), line (NULL, or NULL in a row: of all lines). amount_unit: money in the currency of the transaction, ratio, or percent of it.
credited: pro rata, each credits its part; first, the first one credits all; full, all is credited once it is reached. over: what goes beyond the transaction is capped, or credited too. tolerance: share that may be missing for it to be reached in full.
Errors: 42704 unknown source; 42809, 42703, 42804, 42501 as for spm.map_source(); 22023 for another value of an option.
Example: SELECT spm.map_event(''orders'', ''payment'', ''erp.payment'', key => ''order_id'', date => ''received_on'', amount => ''amount'');';

CREATE OR REPLACE FUNCTION spm.unmap_event(source text, kind text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    this_source spm.source := spm._source_named(source);
BEGIN
    LOCK TABLE spm.source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.event_source AS e WHERE e.source_id = this_source.source_id AND e.kind = unmap_event.kind;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'source "%" has no milestones of kind "%"', source, kind USING ERRCODE = '42704', HINT = 'There is nothing to take away.';
    END IF;
    PERFORM spm.rebuild_transaction_views();
END
$$;
COMMENT ON FUNCTION spm.unmap_event(text, text) IS
'Takes milestones of a source away: nothing is credited by them any more.
source: name of a mapped source. kind: name of the milestone.
Errors: 42704 for an unknown source, or a kind that it has not.
Example: SELECT spm.unmap_event(''orders'', ''payment'');';
/*
 * core/views.sql: what BI tools read of calendars, people and runs.
 */

CREATE OR REPLACE VIEW spm_bi.period WITH (security_invoker = true) AS
SELECT p.period_id, c.name AS calendar_name, p.grain, p.name AS period_name,
    lower(p.span) AS period_start, upper(p.span) AS period_end, upper(p.span) - 1 AS last_day,
    p.parent_period_id, parent.name AS parent_period_name, p.state, p.state = 'posted' AS is_posted,
    (row_number() OVER (PARTITION BY p.calendar_id, p.grain ORDER BY p.span))::int AS period_index
FROM spm.period AS p
JOIN spm.calendar AS c USING (calendar_id)
LEFT JOIN spm.period AS parent ON parent.period_id = p.parent_period_id;
COMMENT ON VIEW spm_bi.period IS 'One row per period of every calendar.';
COMMENT ON COLUMN spm_bi.period.period_id IS 'Period.';
COMMENT ON COLUMN spm_bi.period.calendar_name IS 'Calendar it belongs to.';
COMMENT ON COLUMN spm_bi.period.grain IS 'Kind of period: week, month, quarter, year, window.';
COMMENT ON COLUMN spm_bi.period.period_name IS 'Name, unique in its calendar.';
COMMENT ON COLUMN spm_bi.period.period_start IS 'First day.';
COMMENT ON COLUMN spm_bi.period.period_end IS 'Day after the last one, for conditions: day >= period_start and day < period_end.';
COMMENT ON COLUMN spm_bi.period.last_day IS 'Last day, for people.';
COMMENT ON COLUMN spm_bi.period.parent_period_id IS 'Period it is part of. NULL: none.';
COMMENT ON COLUMN spm_bi.period.parent_period_name IS 'Name of the period it is part of. NULL: none.';
COMMENT ON COLUMN spm_bi.period.state IS 'open, calculated or posted.';
COMMENT ON COLUMN spm_bi.period.is_posted IS 'Whether it is closed: what is paid for it is final.';
COMMENT ON COLUMN spm_bi.period.period_index IS 'Place among the periods of its calendar and grain, from 1; subtract 1 for the period before.';

CREATE OR REPLACE VIEW spm_bi.day WITH (security_invoker = true) AS
SELECT c.name AS calendar_name, p.grain, d.day::date AS day, p.period_id, p.name AS period_name,
    CASE 'month' WHEN p.grain THEN p.name WHEN p1.grain THEN p1.name WHEN p2.grain THEN p2.name END AS month_name,
    CASE 'quarter' WHEN p.grain THEN p.name WHEN p1.grain THEN p1.name WHEN p2.grain THEN p2.name END AS quarter_name,
    CASE 'year' WHEN p.grain THEN p.name WHEN p1.grain THEN p1.name WHEN p2.grain THEN p2.name END AS year_name,
    extract(isodow FROM d.day)::int AS weekday_index, extract(isodow FROM d.day) > 5 AS is_weekend,
    d.day::date - lower(p.span) + 1 AS day_index, upper(p.span) - lower(p.span) AS day_count
FROM spm.period AS p
JOIN spm.calendar AS c USING (calendar_id)
CROSS JOIN LATERAL generate_series(lower(p.span)::timestamp, (upper(p.span) - 1)::timestamp, interval '1 day') AS d (day)
LEFT JOIN spm.period AS p1 ON p1.period_id = p.parent_period_id
LEFT JOIN spm.period AS p2 ON p2.period_id = p1.parent_period_id
WHERE NOT EXISTS (SELECT FROM spm.period AS part WHERE part.parent_period_id = p.period_id);
COMMENT ON VIEW spm_bi.day IS 'One row per calendar, day and finest period that holds it: the day dimension. Filter on calendar_name (and grain, where a calendar has windows beside its months).';
COMMENT ON COLUMN spm_bi.day.calendar_name IS 'Calendar.';
COMMENT ON COLUMN spm_bi.day.grain IS 'Kind of the finest period: week, month, quarter, year, window.';
COMMENT ON COLUMN spm_bi.day.day IS 'Day.';
COMMENT ON COLUMN spm_bi.day.period_id IS 'Finest period that holds the day.';
COMMENT ON COLUMN spm_bi.day.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.day.month_name IS 'Month of the calendar. NULL: it has none.';
COMMENT ON COLUMN spm_bi.day.quarter_name IS 'Quarter of the calendar. NULL: it has none.';
COMMENT ON COLUMN spm_bi.day.year_name IS 'Year of the calendar. NULL: it has none.';
COMMENT ON COLUMN spm_bi.day.weekday_index IS 'Day of the week: 1 Monday to 7 Sunday.';
COMMENT ON COLUMN spm_bi.day.is_weekend IS 'Whether it is a Saturday or Sunday.';
COMMENT ON COLUMN spm_bi.day.day_index IS 'Place of the day in its finest period, from 1.';
COMMENT ON COLUMN spm_bi.day.day_count IS 'Days of its finest period. Not additive.';

CREATE OR REPLACE VIEW spm_bi.payee WITH (security_invoker = true) AS
SELECT y.payee_id, y.payee_key, y.name AS payee_name, s.position_id, s.position_key, s.name AS position_name, t.name AS title_name,
    m.position_id AS manager_position_id, m.name AS manager_position_name,
    boss.payee_id AS manager_payee_id, boss.payee_key AS manager_payee_key, boss.name AS manager_payee_name
FROM spm.payee AS y
LEFT JOIN spm.position_assignment AS a ON a.payee_id = y.payee_id AND a.is_primary AND a.span @> current_date
LEFT JOIN spm.position AS s ON s.position_id = a.position_id
LEFT JOIN spm.title AS t ON t.title_id = s.title_id
LEFT JOIN spm.reporting_line AS l ON l.position_id = a.position_id AND l.span @> current_date
LEFT JOIN spm.position AS m ON m.position_id = l.manager_position_id
LEFT JOIN spm.position_assignment AS b ON b.position_id = l.manager_position_id AND b.span @> current_date
LEFT JOIN spm.payee AS boss ON boss.payee_id = b.payee_id;
COMMENT ON VIEW spm_bi.payee IS 'One row per payee, as of today: primary seat, title and manager. For other days see position_history and hierarchy.';
COMMENT ON COLUMN spm_bi.payee.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.payee.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.payee.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.payee.position_id IS 'Primary seat. NULL: none today.';
COMMENT ON COLUMN spm_bi.payee.position_key IS 'Key of the primary seat.';
COMMENT ON COLUMN spm_bi.payee.position_name IS 'Name of the primary seat.';
COMMENT ON COLUMN spm_bi.payee.title_name IS 'Title of that seat. NULL: none.';
COMMENT ON COLUMN spm_bi.payee.manager_position_id IS 'Seat that it reports to. NULL: none.';
COMMENT ON COLUMN spm_bi.payee.manager_position_name IS 'Name of the seat that it reports to.';
COMMENT ON COLUMN spm_bi.payee.manager_payee_id IS 'Who sits there. NULL: vacant, or none.';
COMMENT ON COLUMN spm_bi.payee.manager_payee_key IS 'Key in the warehouse of who sits there.';
COMMENT ON COLUMN spm_bi.payee.manager_payee_name IS 'Name of who sits there.';

CREATE OR REPLACE VIEW spm_bi.position_history WITH (security_invoker = true) AS
SELECT a.position_assignment_id, s.position_id, s.position_key, s.name AS position_name, t.name AS title_name,
    y.payee_id, y.payee_key, y.name AS payee_name,
    lower(a.span) AS since, upper(a.span) AS until, upper(a.span) - 1 AS last_day,
    a.is_primary, a.span @> current_date AS is_current
FROM spm.position_assignment AS a
JOIN spm.position AS s USING (position_id)
JOIN spm.payee AS y USING (payee_id)
LEFT JOIN spm.title AS t USING (title_id);
COMMENT ON VIEW spm_bi.position_history IS 'One row per time that a payee holds a seat: who sat where when.';
COMMENT ON COLUMN spm_bi.position_history.position_assignment_id IS 'Assignment.';
COMMENT ON COLUMN spm_bi.position_history.position_id IS 'Seat.';
COMMENT ON COLUMN spm_bi.position_history.position_key IS 'Key of the seat.';
COMMENT ON COLUMN spm_bi.position_history.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.position_history.title_name IS 'Title of the seat. NULL: none.';
COMMENT ON COLUMN spm_bi.position_history.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.position_history.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.position_history.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.position_history.since IS 'First day. NULL: always.';
COMMENT ON COLUMN spm_bi.position_history.until IS 'Day after the last one. NULL: no end.';
COMMENT ON COLUMN spm_bi.position_history.last_day IS 'Last day. NULL: no end.';
COMMENT ON COLUMN spm_bi.position_history.is_primary IS 'Whether the payee''s own transactions are credited to this seat.';
COMMENT ON COLUMN spm_bi.position_history.is_current IS 'Whether it holds today.';

CREATE OR REPLACE VIEW spm_bi.hierarchy WITH (security_invoker = true) AS
SELECT x.position_id, s.position_key, s.name AS position_name,
    x.ancestor_position_id, a.position_key AS ancestor_position_key, a.name AS ancestor_position_name,
    x.depth::int AS depth, lower(x.span) AS since, upper(x.span) AS until, x.span @> current_date AS is_current
FROM spm.position_path AS x
JOIN spm.position AS s ON s.position_id = x.position_id
JOIN spm.position AS a ON a.position_id = x.ancestor_position_id;
COMMENT ON VIEW spm_bi.hierarchy IS 'One row per seat, seat above it at any distance, and time for which that holds. For the tree of today filter on is_current.';
COMMENT ON COLUMN spm_bi.hierarchy.position_id IS 'Seat below.';
COMMENT ON COLUMN spm_bi.hierarchy.position_key IS 'Key of the seat below.';
COMMENT ON COLUMN spm_bi.hierarchy.position_name IS 'Name of the seat below.';
COMMENT ON COLUMN spm_bi.hierarchy.ancestor_position_id IS 'Seat above.';
COMMENT ON COLUMN spm_bi.hierarchy.ancestor_position_key IS 'Key of the seat above.';
COMMENT ON COLUMN spm_bi.hierarchy.ancestor_position_name IS 'Name of the seat above.';
COMMENT ON COLUMN spm_bi.hierarchy.depth IS 'Levels between them: 1 for the direct manager.';
COMMENT ON COLUMN spm_bi.hierarchy.since IS 'First day. NULL: always.';
COMMENT ON COLUMN spm_bi.hierarchy.until IS 'Day after the last one. NULL: no end.';
COMMENT ON COLUMN spm_bi.hierarchy.is_current IS 'Whether it holds today.';

CREATE OR REPLACE VIEW spm_bi.run WITH (security_invoker = true) AS
SELECT r.run_id, r.kind AS run_kind, r.period_id, c.name AS calendar_name, p.name AS period_name, lower(p.span) AS period_start,
    r.started_at, r.finished_at, (extract(epoch FROM r.finished_at - r.started_at) * 1000)::bigint AS duration_ms,
    r.started_by, r.version AS spm_version,
    r.transaction_count, r.uncredited_count, r.credit_count, r.payee_count, r.earning_count, r.changed_count, r.late_period_count
FROM spm.run AS r
JOIN spm.period AS p USING (period_id)
JOIN spm.calendar AS c USING (calendar_id);
COMMENT ON VIEW spm_bi.run IS 'One row per calculation or posting that succeeded.';
COMMENT ON COLUMN spm_bi.run.run_id IS 'Run, as stamped on every result row that it wrote.';
COMMENT ON COLUMN spm_bi.run.run_kind IS 'calculate or post.';
COMMENT ON COLUMN spm_bi.run.period_id IS 'Period it ran for.';
COMMENT ON COLUMN spm_bi.run.calendar_name IS 'Calendar of the period.';
COMMENT ON COLUMN spm_bi.run.period_name IS 'Name of the period.';
COMMENT ON COLUMN spm_bi.run.period_start IS 'First day of the period.';
COMMENT ON COLUMN spm_bi.run.started_at IS 'When it began.';
COMMENT ON COLUMN spm_bi.run.finished_at IS 'When it ended.';
COMMENT ON COLUMN spm_bi.run.duration_ms IS 'Milliseconds that it took. Additive.';
COMMENT ON COLUMN spm_bi.run.started_by IS 'Login that ran it.';
COMMENT ON COLUMN spm_bi.run.spm_version IS 'Version of spm that ran.';
COMMENT ON COLUMN spm_bi.run.transaction_count IS 'Transactions of the period. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.uncredited_count IS 'Of those, transactions that nobody was credited for. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.credit_count IS 'Credits of the period. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.payee_count IS 'Payees measured. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.earning_count IS 'Deal earnings of the period. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.changed_count IS 'Result rows added or removed; 0 when nothing had changed. Additive.';
COMMENT ON COLUMN spm_bi.run.late_period_count IS 'Posted periods that were recalculated because their input had changed. Additive.';

CREATE OR REPLACE VIEW spm_bi.dictionary WITH (security_invoker = true) AS
SELECT c.relname::text AS view_name, obj_description(c.oid, 'pg_class') AS view_comment,
    row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum)::int AS column_index, a.attname::text AS column_name,
    format_type(a.atttypid, a.atttypmod) AS data_type, col_description(c.oid, a.attnum) AS column_comment
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'spm_bi'::regnamespace AND c.relkind = 'v';
COMMENT ON VIEW spm_bi.dictionary IS 'One row per column of every view in this schema: what it means.';
COMMENT ON COLUMN spm_bi.dictionary.view_name IS 'View.';
COMMENT ON COLUMN spm_bi.dictionary.view_comment IS 'What a row of the view is.';
COMMENT ON COLUMN spm_bi.dictionary.column_index IS 'Place of the column in the view, from 1.';
COMMENT ON COLUMN spm_bi.dictionary.column_name IS 'Column.';
COMMENT ON COLUMN spm_bi.dictionary.data_type IS 'Type of the column.';
COMMENT ON COLUMN spm_bi.dictionary.column_comment IS 'What the column holds, and whether it may be added up.';
/*
 * quota/functions.sql: measures and quotas.
 */

CREATE OR REPLACE FUNCTION spm.add_measure(name text, unit text DEFAULT 'money', falls_back_to text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fallback int := CASE WHEN add_measure.falls_back_to IS NOT NULL THEN spm._measure_id(add_measure.falls_back_to) END;
    id int;
BEGIN
    IF fallback IS NOT NULL AND add_measure.unit <> (SELECT m.unit FROM spm.measure m WHERE m.measure_id = fallback) THEN
        RAISE EXCEPTION 'measure "%" cannot fall back to "%", which has another unit', add_measure.name, add_measure.falls_back_to
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Both must be money, or both count.';
    END IF;
    INSERT INTO spm.measure (name, unit, fallback_measure_id) VALUES (add_measure.name, add_measure.unit, fallback)
    RETURNING measure_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_measure(text, text, text) IS
'Adds a measure that quotas can be set in, and returns its measure_id.
name: unique name. unit: money or count. falls_back_to: measure whose quota counts where none is set in this one: that of bookings for bookings/hardware.
Errors: 23505 when the name is taken, 23514 for another unit, 42704 for an unknown measure to fall back to, 22023 when that has another unit.
Example: SELECT spm.add_measure(''bookings'');';

CREATE OR REPLACE FUNCTION spm._measure_id(measure text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    SELECT m.measure_id INTO id FROM spm.measure m WHERE m.name = _measure_id.measure;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'measure "%" does not exist', _measure_id.measure
            USING ERRCODE = 'undefined_object',
                  HINT = format('SELECT spm.add_measure(%L);', _measure_id.measure);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._measure_id(text) IS 'measure_id of a name, or error 42704.';
REVOKE ALL ON FUNCTION spm._measure_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_fallback()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM spm.measure m WHERE m.fallback_measure_id = OLD.measure_id) THEN
            RAISE EXCEPTION 'measure "%" is fallen back to', OLD.name
                USING ERRCODE = 'foreign_key_violation',
                      DETAIL = format('By "%s".', (SELECT min(m.name) FROM spm.measure m WHERE m.fallback_measure_id = OLD.measure_id)),
                      HINT = 'Set fallback_measure_id of that measure to NULL first.';
        END IF;
        RETURN OLD;
    END IF;
    IF NEW.fallback_measure_id IS NOT NULL AND NOT EXISTS (SELECT FROM spm.measure m WHERE m.measure_id = NEW.fallback_measure_id) THEN
        RAISE EXCEPTION 'measure "%" falls back to one that does not exist', NEW.name USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_fallback() IS 'Keeps measures that others fall back to; error 23503.';
REVOKE ALL ON FUNCTION spm._guard_fallback() FROM PUBLIC;

CREATE OR REPLACE TRIGGER guard_fallback BEFORE DELETE OR UPDATE OF fallback_measure_id ON spm.measure
    FOR EACH ROW EXECUTE FUNCTION spm._guard_fallback();

CREATE OR REPLACE FUNCTION spm.set_quota("position" text, period text, amount numeric, measure text,
                                         calendar text DEFAULT NULL, reason text DEFAULT NULL, title text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seat int := CASE WHEN set_quota."position" <> '*' THEN spm._position_id(set_quota."position") END;
    of_title int := CASE WHEN set_quota.title IS NOT NULL THEN spm._title_id(set_quota.title) END;
    of_measure int := spm._measure_id(set_quota.measure);
    of_period int := spm._period_id(set_quota.period, set_quota.calendar);
    current_quota spm.quota;
    id int;
BEGIN
    IF num_nonnulls(set_quota."position", of_title) <> 1 THEN
        RAISE EXCEPTION 'a quota is for a position or a title, %', CASE WHEN of_title IS NULL THEN 'and neither is given' ELSE 'not for both' END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('SELECT spm.set_quota(NULL, %L, amount, %L, title => %L); for everybody give the position ''*''.',
                                set_quota.period, set_quota.measure, coalesce(set_quota.title, 'title'));
    END IF;
    IF set_quota.amount IS NULL OR set_quota.amount < 0 OR set_quota.amount IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'quota of % for % cannot be %',
            coalesce('position "' || nullif(set_quota."position", '*') || '"', 'title "' || set_quota.title || '"', 'everybody'), set_quota.period,
            coalesce(set_quota.amount::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A quota is zero or more.';
    END IF;
    SELECT q.* INTO current_quota FROM spm.quota q
    WHERE q.position_id IS NOT DISTINCT FROM seat AND q.title_id IS NOT DISTINCT FROM of_title
      AND q.measure_id = of_measure AND q.period_id = of_period AND q.superseded_at IS NULL
    FOR UPDATE;
    IF current_quota.amount = set_quota.amount THEN
        RETURN current_quota.quota_id;
    END IF;
    UPDATE spm.quota q SET superseded_at = clock_timestamp() WHERE q.quota_id = current_quota.quota_id;
    INSERT INTO spm.quota (position_id, title_id, measure_id, period_id, amount, reason)
    VALUES (seat, of_title, of_measure, of_period, set_quota.amount, set_quota.reason)
    RETURNING quota_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_quota(text, text, numeric, text, text, text, text) IS
'Sets the quota of a position, a title or everybody for a period and measure, and returns its quota_id. A quota that is there already is
ended and kept; the same amount again changes nothing. A change to a posted period becomes a difference in the next one.
That of the position goes before that of its title, and that before everybody''s.
position: position_key; * for everybody; NULL with a title: all positions of it. period: period name. amount: in the unit of the measure, zero or more.
measure: its name. calendar: needed when two calendars have a period of that name. reason: kept with the row. title: name of a title.
Errors: 22023 for a negative or missing amount, for position and title or neither of them; 42704 for an unknown position, title, measure or period.
Example: SELECT spm.set_quota(''U-17'', ''2026-Q1'', 250000, ''bookings''); SELECT spm.set_quota(NULL, ''2026-Q1'', 200000, ''bookings'', title => ''AE'');';
/*
 * quota/functions_day.sql: how much of a period somebody was there.
 */

CREATE OR REPLACE FUNCTION spm._weekday_no(day date)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    -- 2000-01-03 was a Monday
    SELECT (5 * floor((_weekday_no.day - date '2000-01-03') / 7.0))::int
         + least(mod(mod(_weekday_no.day - date '2000-01-03', 7) + 7, 7), 5);
END;
COMMENT ON FUNCTION spm._weekday_no(date) IS 'A number that grows by 1 after each Monday to Friday: the difference of two is the weekdays from the one to the day before the other.';
REVOKE ALL ON FUNCTION spm._weekday_no(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._day_360_no(day date)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 360 * extract(year FROM _day_360_no.day)::int + 30 * extract(month FROM _day_360_no.day)::int
         + extract(day FROM _day_360_no.day)::int - 1
         -- the 31st is no day, and the end of February makes up for what it lacks
         - (extract(day FROM _day_360_no.day) = 31)::int;
END;
COMMENT ON FUNCTION spm._day_360_no(date) IS 'A number that grows by 30 a month: the difference of two is the days between them where every month has 30.';
REVOKE ALL ON FUNCTION spm._day_360_no(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._day_365_no(day date)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT _day_365_no.day - date '2000-01-01' - (floor(y.n / 4.0) - floor(y.n / 100.0) + floor(y.n / 400.0))::int
    -- last year whose end of February lies before the day
    FROM (SELECT extract(year FROM _day_365_no.day)::int - (extract(month FROM _day_365_no.day) < 3)::int AS n) y;
END;
COMMENT ON FUNCTION spm._day_365_no(date) IS 'A number that grows by 365 a year, since 29 February is no day: the difference of two is the other days between them.';
REVOKE ALL ON FUNCTION spm._day_365_no(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_prorate(prorate text)
    RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF _check_prorate.prorate ~ '^(none|(calendar|exclusive|working|30/360|365|months|full months|mid month|zero)( rounded [0-9])?)$' THEN
        RETURN _check_prorate.prorate;
    END IF;
    RAISE EXCEPTION 'there is no way of prorating named "%"', coalesce(left(_check_prorate.prorate, 60), 'NULL')
        USING ERRCODE = 'invalid_parameter_value',
              HINT = 'Ways are: none, calendar, exclusive, working, 30/360, 365, months, full months, mid month, zero; and with a rounded factor: calendar rounded 3.';
END
$$;
COMMENT ON FUNCTION spm._check_prorate(text) IS 'The name of a way of prorating, or error 22023 for another.';
REVOKE ALL ON FUNCTION spm._check_prorate(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._day_count(OUT active_days numeric, OUT period_days numeric,
                                          active datemultirange, period daterange, method text, calendar_id int)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    days datemultirange := _day_count.active * datemultirange(_day_count.period);
    way text := regexp_replace(spm._check_prorate(_day_count.method), ' rounded .$', '');
    first date := lower(_day_count.period);
    until date := upper(_day_count.period);
    months int;
BEGIN
    IF isempty(_day_count.period) OR lower_inf(_day_count.period) OR upper_inf(_day_count.period)
       OR NOT isfinite(first) OR NOT isfinite(until) OR until - first > 36600 THEN
        RAISE EXCEPTION 'period % has no days that can be counted', _day_count.period
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It needs a first and a last day, at most 100 years apart.';
    END IF;
    CASE way
    WHEN 'none' THEN
        period_days := until - first;
        active_days := period_days;
    WHEN 'calendar', 'exclusive', 'zero' THEN
        period_days := until - first;
        active_days := (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(days) r);
        IF way = 'exclusive' AND lower(days) > first THEN
            active_days := active_days - 1;
        ELSIF way = 'zero' AND active_days < period_days THEN
            active_days := 0;
        END IF;
    WHEN 'working' THEN
        SELECT spm._weekday_no(until) - spm._weekday_no(first) - count(h.day),
               (SELECT coalesce(sum(spm._weekday_no(upper(r)) - spm._weekday_no(lower(r))), 0) FROM unnest(days) r)
               - count(h.day) FILTER (WHERE h.day <@ days)
        INTO period_days, active_days
        FROM spm.holiday h
        WHERE h.calendar_id = _day_count.calendar_id AND h.day >= first AND h.day < until AND extract(isodow FROM h.day) < 6;
    WHEN '30/360' THEN
        period_days := spm._day_360_no(until) - spm._day_360_no(first);
        active_days := (SELECT coalesce(sum(spm._day_360_no(upper(r)) - spm._day_360_no(lower(r))), 0) FROM unnest(days) r);
    WHEN '365' THEN
        period_days := spm._day_365_no(until) - spm._day_365_no(first);
        active_days := (SELECT coalesce(sum(spm._day_365_no(upper(r)) - spm._day_365_no(lower(r))), 0) FROM unnest(days) r);
    ELSE
        -- as many months as the period is long; in a calendar of weeks they do not begin with those of the year
        months := greatest(round((until - first) / 30.436875), 1);
        period_days := months;
        SELECT count(*) FILTER (WHERE CASE way
                   WHEN 'months' THEN m.span && days
                   WHEN 'full months' THEN m.span <@ days
                   ELSE lower(m.span) + 14 <@ days END)
        INTO active_days
        FROM (SELECT daterange((first + make_interval(months => k))::date,
                               CASE k + 1 WHEN months THEN until ELSE (first + make_interval(months => k + 1))::date END) AS span
              FROM generate_series(0, months - 1) k) m;
    END CASE;
    IF way <> _day_count.method THEN
        active_days := round(active_days / nullif(period_days, 0), right(_day_count.method, 1)::int) * period_days;
    END IF;
    active_days := coalesce(active_days, 0);
END
$$;
COMMENT ON FUNCTION spm._day_count(datemultirange, daterange, text, int) IS 'As spm.day_count(), with the key of the calendar whose holidays count.';
REVOKE ALL ON FUNCTION spm._day_count(datemultirange, daterange, text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.day_count(OUT active_days numeric, OUT period_days numeric,
                                         active datemultirange, period daterange, method text DEFAULT 'calendar', calendar text DEFAULT NULL)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    holidays_of int := CASE WHEN day_count.calendar IS NOT NULL THEN spm._calendar_id(day_count.calendar) END;
BEGIN
    IF day_count.active IS NOT NULL AND day_count.period IS NOT NULL AND day_count.method IS NOT NULL THEN
        SELECT c.active_days, c.period_days INTO day_count.active_days, day_count.period_days
        FROM spm._day_count(day_count.active, day_count.period, day_count.method, holidays_of) c;
    END IF;
END
$$;
COMMENT ON FUNCTION spm.day_count(datemultirange, daterange, text, text) IS
'How much of a period somebody was there: active_days of period_days. An amount for the period times active_days, divided by period_days, is what is left of it.
active: days on which they were there. period: days of the period, end exclusive. calendar: whose holidays are no working days; NULL: none.
method: calendar (days, the first one counted), exclusive (days, the first not counted when it lies within the period), working (Monday to Friday but holidays),
30/360 (every month has 30 days), 365 (29 February is no day), months (a month counts when any day of it is active), full months (when all are), mid month (when its 15th is), zero (all of the period or nothing),
none (always all of it). Each but none may have the factor rounded: "calendar rounded 3"; active_days are then that factor times period_days.
Errors: 22023 for another method, or a period without end or of more than 100 years; 42704 for an unknown calendar.
Example: SELECT * FROM spm.day_count(''{[2026-01-15,2026-02-01)}'', ''[2026-01-01,2026-02-01)'') gives 17 of 31.';
/*
 * quota/functions_seat.sql: the quota of a seat, as a calculation takes it.
 *
 * These run once for each seat and component: no joins that a planner could get
 * wrong, and what most seats do not have is looked for by index.
 */

CREATE OR REPLACE FUNCTION spm._measure_chain(measure_id int)
    RETURNS int[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    chain int[] := ARRAY[_measure_chain.measure_id];
    next int := (SELECT m.fallback_measure_id FROM spm.measure m WHERE m.measure_id = _measure_chain.measure_id);
BEGIN
    WHILE next IS NOT NULL LOOP
        chain := chain || next;
        next := (SELECT m.fallback_measure_id FROM spm.measure m WHERE m.measure_id = next);
    END LOOP;
    RETURN chain;
END
$$;
COMMENT ON FUNCTION spm._measure_chain(int) IS 'A measure, the one it falls back to, and so on.';
REVOKE ALL ON FUNCTION spm._measure_chain(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_rows(position_id int, measure_ids int[], period_ids int[])
    RETURNS TABLE (period_id int, amount numeric, step int, kind text, place int)
    LANGUAGE sql STABLE PARALLEL SAFE
    ROWS 1
BEGIN ATOMIC
    SELECT DISTINCT ON (q.period_id) q.period_id, q.amount, q.step, q.kind, 10 * q.step + q.nth
    FROM (SELECT p.period_id, p.amount, array_position(_quota_rows.measure_ids, p.measure_id) AS step, 'position' AS kind, 1 AS nth
          FROM spm.quota p
          WHERE p.superseded_at IS NULL AND p.position_id = _quota_rows.position_id
            AND p.measure_id = ANY (_quota_rows.measure_ids) AND p.period_id = ANY (_quota_rows.period_ids)
          UNION ALL
          SELECT t.period_id, t.amount, array_position(_quota_rows.measure_ids, t.measure_id), 'title', 2
          FROM spm.quota t
          WHERE t.superseded_at IS NULL AND t.title_id = (SELECT s.title_id FROM spm.position s WHERE s.position_id = _quota_rows.position_id)
            AND t.measure_id = ANY (_quota_rows.measure_ids) AND t.period_id = ANY (_quota_rows.period_ids)
          UNION ALL
          SELECT e.period_id, e.amount, array_position(_quota_rows.measure_ids, e.measure_id), 'everybody', 3
          FROM spm.quota e
          WHERE e.superseded_at IS NULL AND e.position_id IS NULL AND e.title_id IS NULL
            AND e.measure_id = ANY (_quota_rows.measure_ids) AND e.period_id = ANY (_quota_rows.period_ids)) q
    ORDER BY q.period_id, q.step, q.nth;
END;
COMMENT ON FUNCTION spm._quota_rows(int, int[], int[]) IS
'The quota that counts for a position in each of several periods: in the first of the measures that has one, that of the position before that of the title before everybody''s. step: place of the measure; kind: position, title or everybody; place: the smaller, the closer.';
REVOKE ALL ON FUNCTION spm._quota_rows(int, int[], int[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_parts(calendar_id int, span daterange, whole_period_id int, measure_id int)
    RETURNS int[]
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT array_agg(p.period_id ORDER BY p.span)
    FROM spm.period p
    WHERE p.calendar_id = _quota_parts.calendar_id AND p.span <@ _quota_parts.span AND p.period_id IS DISTINCT FROM _quota_parts.whole_period_id
      AND (NOT EXISTS (SELECT FROM spm.period b WHERE b.parent_period_id = p.period_id) OR EXISTS (
          SELECT FROM spm.quota q WHERE q.period_id = p.period_id AND q.measure_id = ANY (spm._measure_chain(_quota_parts.measure_id)) AND q.superseded_at IS NULL));
END;
COMMENT ON FUNCTION spm._quota_parts(int, daterange, int, int) IS
'Periods whose quotas may add up to that of a longer one: the smallest, and the quarters and such that somebody has a quota for.';
REVOKE ALL ON FUNCTION spm._quota_parts(int, daterange, int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.quota_of(position_id int, measure_id int, period_id int)
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT q.amount FROM spm._quota_rows(quota_of.position_id, spm._measure_chain(quota_of.measure_id), ARRAY[quota_of.period_id]) q;
END;
COMMENT ON FUNCTION spm.quota_of(int, int, int) IS
'Quota that counts for a position, measure and period (their keys), in the unit of the measure: that of the position, else of its title, else of everybody; else the same of the measure fallen back to. NULL: none is set.
Example: SELECT spm.quota_of(1, 1, 1);';

CREATE OR REPLACE FUNCTION spm._absent(payee_id int, is_for_quota boolean)
    RETURNS datemultirange
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    days datemultirange := '{}';
    of_kind record;
BEGIN
    -- nobody but the absent pays for what follows
    IF EXISTS (SELECT FROM spm.absence a WHERE a.payee_id = _absent.payee_id AND a.superseded_at IS NULL) THEN
        FOR of_kind IN
            SELECT k.min_days, range_agg(a.span) AS spans
            FROM spm.absence a JOIN spm.absence_kind k USING (absence_kind_id)
            WHERE a.payee_id = _absent.payee_id AND a.superseded_at IS NULL
              AND CASE WHEN _absent.is_for_quota THEN k.is_quota_relieved ELSE k.is_target_reduced END
            GROUP BY k.absence_kind_id
        LOOP
            days := days + coalesce((SELECT range_agg(r) FROM unnest(of_kind.spans) r
                                     WHERE lower_inf(r) OR upper_inf(r) OR upper(r) - lower(r) >= of_kind.min_days), '{}');
        END LOOP;
    END IF;
    RETURN days;
END
$$;
COMMENT ON FUNCTION spm._absent(int, boolean) IS 'Days of absence that relieve the quota of a payee, or else reduce the target: of each kind the stretches that are long enough, all together counted once.';
REVOKE ALL ON FUNCTION spm._absent(int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._ramp_share(payee_id int, span daterange, active datemultirange, prorate text, calendar_id int,
                                           OUT share numeric, OUT whole numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    month date := date_trunc('month', lower(_ramp_share.span)::timestamp)::date;
    days daterange;
    weight numeric;
    of_month numeric;
    used text;
BEGIN
    share := 0;
    whole := 0;
    WHILE month < upper(_ramp_share.span) LOOP
        days := daterange(month, (month + interval '1 month')::date) * _ramp_share.span;
        -- the last ramp begun by then; before the first one, what holds before it
        SELECT CASE WHEN lower(a.span) >= (month + interval '1 month')::date THEN a.share_before
                    WHEN upper(a.span) <= month THEN 1
                    ELSE coalesce(r.shares[1 + 12 * (extract(year FROM month) - extract(year FROM lower(a.span)))::int
                                           + (extract(month FROM month) - extract(month FROM lower(a.span)))::int], 1) END,
               r.month_used
        INTO of_month, used
        FROM spm.ramp_assignment a JOIN spm.ramp r USING (ramp_id)
        WHERE a.payee_id = _ramp_share.payee_id
        ORDER BY lower(a.span) < (month + interval '1 month')::date DESC,
                 CASE WHEN lower(a.span) < (month + interval '1 month')::date THEN -(lower(a.span) - date '2000-01-01') ELSE lower(a.span) - date '2000-01-01' END
        LIMIT 1;
        weight := CASE
            WHEN _ramp_share.prorate = 'none' THEN (upper(days) - lower(days))::numeric / ((month + interval '1 month')::date - month)
            ELSE (SELECT c.active_days FROM spm._day_count(_ramp_share.active, days,
                    regexp_replace(regexp_replace(_ramp_share.prorate, ' rounded .$', ''), '^(exclusive|zero|365)$', 'calendar'), _ramp_share.calendar_id) c) END;
        share := share + of_month * weight;
        whole := whole + weight;
        IF used = 'first' AND lower(days) = lower(_ramp_share.span) OR used = 'last' AND upper(days) = upper(_ramp_share.span) THEN
            share := of_month;
            whole := 1;
            RETURN;
        END IF;
        month := (month + interval '1 month')::date;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._ramp_share(int, daterange, datemultirange, text, int) IS
'Share of quota that the ramp of a payee leaves in a period, as share of whole: the shares of its months, each weighted by the active days in it or, not prorated, by the month.';
REVOKE ALL ON FUNCTION spm._ramp_share(int, daterange, datemultirange, text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._figure(value numeric)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT to_char(trunc(_figure.value), 'FM999,999,999,999,999,999,999,990')
        || coalesce(substring(trim_scale(round(_figure.value, 4))::text FROM '\..*'), '');
END;
COMMENT ON FUNCTION spm._figure(numeric) IS 'A figure as people read it: 12,345.67, at most four places.';
REVOKE ALL ON FUNCTION spm._figure(numeric) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._seat_days(position_id int, payee_id int)
    RETURNS datemultirange
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(range_agg(a.span), '{}') FROM spm.position_assignment a
    WHERE a.position_id = _seat_days.position_id AND a.payee_id = _seat_days.payee_id;
END;
COMMENT ON FUNCTION spm._seat_days(int, int) IS 'Days on which a payee sat in a seat.';
REVOKE ALL ON FUNCTION spm._seat_days(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.seat_share(position_id int, payee_id int, spans datemultirange, period_id int, prorate text,
                                          OUT active_days numeric, OUT period_days numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.period;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = seat_share.period_id;
    IF FOUND THEN
        -- a period without a working day has a share of 0, not one that cannot be reckoned
        SELECT c.active_days, greatest(c.period_days, 1) INTO seat_share.active_days, seat_share.period_days
        FROM spm._day_count(coalesce(seat_share.spans, spm._seat_days(seat_share.position_id, seat_share.payee_id))
            - CASE seat_share.prorate WHEN 'none' THEN '{}' ELSE spm._absent(seat_share.payee_id, false) END,
            this.span, seat_share.prorate, this.calendar_id) c;
    END IF;
END
$$;
COMMENT ON FUNCTION spm.seat_share(int, int, datemultirange, int, text) IS
'Time that a payee was on a plan in a seat in a period: active_days of period_days. A target incentive, a salary or the bounds of tiers for the whole period, times active_days, divided by period_days, is what is left of it.
Absences of a kind that reduces the target do not count; ramps and reliefs are a matter of the quota alone, see spm.seat_quota().
position_id, payee_id, period_id: keys. spans: days on the plan; NULL: those in the seat. prorate: a way of spm.day_count(); none: all of the period.
Returns NULLs for an unknown period. Errors: 22023 for another way.
Example: SELECT * FROM spm.seat_share(1, 1, ''{[2026-01-15,)}'', 1, ''calendar'');';

CREATE OR REPLACE FUNCTION spm.seat_quota(position_id int, payee_id int, spans datemultirange, measure_id int,
                                          whole_period_id int, part_period_ids int[], prorate text, places int,
                                          OUT quota_amount numeric, OUT active_days numeric, OUT period_days numeric, OUT because text, OUT base_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    chain int[] := ARRAY[seat_quota.measure_id];
    this spm.period;
    active datemultirange;
    has_ramp boolean := EXISTS (SELECT FROM spm.ramp_assignment a WHERE a.payee_id = seat_quota.payee_id);
    -- the quotas that count: of which periods, how many steps down the chain, and whose
    period_ids int[];
    amounts numeric[];
    periods daterange[];
    steps int := 1;
    kind text := 'position';
    days numeric;
    of_days numeric;
    share numeric := 1;
    of_share numeric := 1;
    -- what they come to; in words, those in full, those of which nothing is left, the others
    total numeric := 0;
    source text;
    in_full numeric;
    in_vain numeric;
    reduced text[];
    relief numeric;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = seat_quota.whole_period_id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    active := coalesce(seat_quota.spans, spm._seat_days(seat_quota.position_id, seat_quota.payee_id));
    IF seat_quota.prorate <> 'none' THEN
        active := active - spm._absent(seat_quota.payee_id, true);
    END IF;
    IF seat_quota.prorate = 'none' OR seat_quota.prorate = 'calendar' AND active @> this.span THEN
        seat_quota.active_days := upper(this.span) - lower(this.span);
        seat_quota.period_days := seat_quota.active_days;
    ELSE
        SELECT c.active_days, c.period_days INTO seat_quota.active_days, seat_quota.period_days
        FROM spm._day_count(active, this.span, seat_quota.prorate, this.calendar_id) c;
    END IF;

    -- nothing is closer than the seat's own quota of the whole
    SELECT ARRAY[q.period_id], ARRAY[q.amount], ARRAY[this.span] INTO period_ids, amounts, periods
    FROM spm.quota q
    WHERE q.position_id = seat_quota.position_id AND q.measure_id = seat_quota.measure_id AND q.period_id = this.period_id AND q.superseded_at IS NULL;
    IF NOT FOUND THEN
        -- the quota of the whole; or those of its parts, when the closest of them is closer to the seat
        chain := spm._measure_chain(seat_quota.measure_id);
        WITH row AS (
            SELECT r.*, p.span, p.parent_period_id FROM spm._quota_rows(seat_quota.position_id, chain, this.period_id || seat_quota.part_period_ids) r JOIN spm.period p USING (period_id)
        ), part AS (    -- a quarter goes before its months, unless theirs are closer
            SELECT o.* FROM row o
            WHERE o.period_id = this.period_id OR NOT EXISTS (
                SELECT FROM row x WHERE x.period_id NOT IN (o.period_id, this.period_id)
                  -- a quarter of one month has the same days as that
                  AND (x.span @> o.span AND (x.span <> o.span OR x.period_id = o.parent_period_id) AND x.place <= o.place
                       OR x.span <@ o.span AND (x.span <> o.span OR o.period_id = x.parent_period_id) AND x.place < o.place))
        )
        SELECT array_agg(q.period_id ORDER BY q.place, q.span), array_agg(q.amount ORDER BY q.place, q.span), array_agg(q.span ORDER BY q.place, q.span),
               min(q.step), (array_agg(q.kind ORDER BY q.place))[1]
        INTO period_ids, amounts, periods, steps, kind
        FROM (SELECT r.*, min(r.place) FILTER (WHERE r.period_id = this.period_id) OVER () AS whole_place,
                     min(r.place) FILTER (WHERE r.period_id <> this.period_id) OVER () AS part_place
              FROM part r) q
        WHERE CASE WHEN q.part_place < q.whole_place OR q.whole_place IS NULL THEN q.period_id <> this.period_id ELSE q.period_id = this.period_id END;
        IF amounts IS NULL THEN
            RETURN;
        END IF;
        source := concat_ws(' for ',
            CASE kind WHEN 'everybody' THEN 'everybody' WHEN 'title' THEN
                (SELECT 'title ' || t.name FROM spm.position s JOIN spm.title t USING (title_id) WHERE s.position_id = seat_quota.position_id) END,
            CASE WHEN steps > 1 THEN (SELECT m.name FROM spm.measure m WHERE m.measure_id = chain[steps]) END);
    END IF;

    base_amount := 0;
    FOR i IN 1 .. cardinality(amounts) LOOP
        base_amount := base_amount + amounts[i];
        IF period_ids[i] = this.period_id THEN
            days := seat_quota.active_days;
            of_days := seat_quota.period_days;
        ELSIF seat_quota.prorate = 'none' OR active @> periods[i] OR NOT active && periods[i] THEN
            -- all or nothing by any way of counting
            days := (seat_quota.prorate = 'none' OR active && periods[i])::int;
            of_days := 1;
        ELSE
            SELECT c.active_days, c.period_days INTO days, of_days
            FROM spm._day_count(active, periods[i], seat_quota.prorate, this.calendar_id) c;
        END IF;
        IF has_ramp THEN
            SELECT r.share, r.whole INTO share, of_share
            FROM spm._ramp_share(seat_quota.payee_id, periods[i], active, seat_quota.prorate, this.calendar_id) r;
        END IF;
        IF days = of_days AND share = of_share AND of_days > 0 THEN
            total := total + amounts[i];
            in_full := coalesce(in_full, 0) + amounts[i];
        ELSIF days * share = 0 OR of_days = 0 THEN
            in_vain := coalesce(in_vain, 0) + amounts[i];
        ELSE
            -- with places to spare, so that adding up parts does not show
            total := total + amounts[i] * days * share * 1.00000000000000000000 / (of_days * of_share);
            reduced := reduced || concat(spm._figure(amounts[i]),
                CASE WHEN days <> of_days THEN format(' x %s of %s %s', spm._figure(days), spm._figure(of_days),
                    CASE WHEN seat_quota.prorate ~ 'month' THEN 'months' WHEN seat_quota.prorate ~ '^working' THEN 'working days' ELSE 'days' END) END,
                CASE WHEN share <> of_share THEN format(' x %s %% ramp', spm._figure(100 * share / of_share)) END);
        END IF;
    END LOOP;

    relief := (SELECT sum(r.amount) FROM spm.quota_relief r
               WHERE r.payee_id = seat_quota.payee_id AND r.superseded_at IS NULL AND r.measure_id = ANY (chain[1:steps])
                 AND (SELECT p.calendar_id = this.calendar_id AND p.span <@ this.span FROM spm.period p WHERE p.period_id = r.period_id));
    -- what was only added up or taken off stays as it was set
    quota_amount := greatest(total - coalesce(relief, 0), 0);
    IF reduced IS NOT NULL THEN
        quota_amount := round(round(quota_amount, 15), coalesce(seat_quota.places, 2));
    END IF;
    because := array_to_string(
            CASE WHEN in_full IS NOT NULL THEN ARRAY[spm._figure(in_full)] END || reduced
            || CASE WHEN in_vain IS NOT NULL THEN ARRAY[format('nothing of %s', spm._figure(in_vain))] END, ' + ')
        || coalesce(' - ' || spm._figure(nullif(relief, 0)) || ' relief', '')
        || coalesce(' (quota of ' || nullif(source, '') || ')', '');
END
$$;
COMMENT ON FUNCTION spm.seat_quota(int, int, datemultirange, int, int, int[], text, int) IS
'Quota of a payee in a seat, as a calculation takes it, in the unit of the measure; NULL when none is set. With it active_days of period_days; because: the arithmetic in words; base_amount: the quota before days, ramp and relief.
That is the quota of the whole period, else of its parts (position before title before everybody, see spm.quota_of()); times the days on the plan less relieved absences, divided by the days of the period (parts each by their own);
times the share of the ramp, if the payee has one; less reliefs; never below 0; rounded once, at the end, where something was multiplied.
position_id, payee_id, measure_id: keys. spans: days on the plan; NULL: those in the seat. whole_period_id: period; part_period_ids: its parts, NULL: none. prorate: a way of spm.day_count(); none: absences and days on the plan do not matter. places: decimals of what is multiplied.
Errors: 22023 for another way of prorating.
Example: SELECT * FROM spm.seat_quota(1, 1, ''{[2026-01-15,)}'', 1, 1, NULL, ''calendar'', 2) may give 27419.35, 17, 31, "100,000 x 17 of 31 days x 50 % ramp".';

CREATE OR REPLACE FUNCTION spm._is_plain_quota(measure_id int)
    RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM spm.ramp_assignment)
       AND NOT EXISTS (SELECT FROM spm.measure m WHERE m.measure_id = _is_plain_quota.measure_id AND m.fallback_measure_id IS NOT NULL)
       AND NOT EXISTS (SELECT FROM spm.quota_relief r WHERE r.measure_id = _is_plain_quota.measure_id AND r.superseded_at IS NULL)
       AND NOT EXISTS (SELECT FROM spm.quota q WHERE q.measure_id = _is_plain_quota.measure_id AND q.superseded_at IS NULL AND q.position_id IS NULL);
END;
COMMENT ON FUNCTION spm._is_plain_quota(int) IS 'Whether all quotas of a measure belong to seats and nothing reduces them: then a join finds them, and spm.seat_quota() need not be asked seat by seat.';
REVOKE ALL ON FUNCTION spm._is_plain_quota(int) FROM PUBLIC;
/*
 * quota/functions_time.sql: recording what makes a quota smaller for a time.
 */

CREATE OR REPLACE FUNCTION spm.add_holiday(calendar text, day date, name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO spm.holiday (calendar_id, day, name) VALUES (spm._calendar_id(add_holiday.calendar), add_holiday.day, add_holiday.name);
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION '% is a holiday of calendar "%" already', to_char(add_holiday.day, 'YYYY-MM-DD'), add_holiday.calendar
        USING ERRCODE = 'unique_violation', HINT = 'Change its name in spm.holiday, or delete it there.';
END
$$;
COMMENT ON FUNCTION spm.add_holiday(text, date, text) IS
'Adds a day on which nobody works to a calendar; proration by working days leaves it out.
calendar: name. day: the day. name: shown to people.
Errors: 42704 for an unknown calendar, 23505 for a day that is one already.
Example: SELECT spm.add_holiday(''fiscal'', ''2026-01-01'', ''New Year'');';

CREATE OR REPLACE FUNCTION spm.add_ramp(name text, shares numeric[], month_used text DEFAULT 'each')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    INSERT INTO spm.ramp (name, shares, month_used)
    VALUES (add_ramp.name, coalesce(add_ramp.shares, '{}'), add_ramp.month_used)
    RETURNING ramp_id INTO id;
    RETURN id;
EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'ramp "%" exists already', add_ramp.name
            USING ERRCODE = 'unique_violation', HINT = 'Add the new one by another name, and assign that: who has the old one keeps it.';
    WHEN check_violation THEN
        RAISE EXCEPTION 'ramp "%" cannot be %, %', add_ramp.name, coalesce(add_ramp.shares::text, 'NULL'), coalesce(add_ramp.month_used, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'It needs a name, 1 to 120 shares of zero or more, and each, first or last.';
END
$$;
COMMENT ON FUNCTION spm.add_ramp(text, numeric[], text) IS
'Adds a ramp, by which the quota of somebody new grows month by month, and returns its ramp_id.
name: unique name. shares: share of quota in the month of the start (however late in it the start is), in the next month, and so on: 0.5 is 50 %; afterwards the quota is whole.
month_used: what counts in a period of several months: each (each month its own share), first or last (that month''s share for all of the period).
Errors: 23505 when the name is taken, 22023 for shares or a month that make no sense.
Example: SELECT spm.add_ramp(''New AE'', ''{0,0.25,0.5,0.75}'');';

CREATE OR REPLACE FUNCTION spm.assign_ramp(ramp text, payee text, since date, until date DEFAULT NULL, share_before numeric DEFAULT 0)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_payee int := spm._payee_id(assign_ramp.payee);
    of_ramp int := (SELECT r.ramp_id FROM spm.ramp r WHERE r.name = assign_ramp.ramp);
    days daterange := spm._checked_span(assign_ramp.since, assign_ramp.until);
    id int;
BEGIN
    IF of_ramp IS NULL THEN
        RAISE EXCEPTION 'ramp "%" does not exist', assign_ramp.ramp
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_ramp(%L, shares);', assign_ramp.ramp);
    END IF;
    IF lower_inf(days) THEN
        RAISE EXCEPTION 'a ramp begins on a day' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give since.';
    END IF;
    IF assign_ramp.share_before IS NULL OR assign_ramp.share_before < 0 OR assign_ramp.share_before IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'share of quota before the start cannot be %', coalesce(assign_ramp.share_before::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = '0 for somebody new, 1 for somebody who was there.';
    END IF;
    -- one that goes on ends where this one begins
    UPDATE spm.ramp_assignment a SET span = daterange(lower(a.span), lower(days))
    WHERE a.payee_id = of_payee AND upper_inf(a.span) AND lower(a.span) < lower(days);
    INSERT INTO spm.ramp_assignment (ramp_id, payee_id, span, share_before) VALUES (of_ramp, of_payee, days, assign_ramp.share_before)
    RETURNING ramp_assignment_id INTO id;
    RETURN id;
EXCEPTION WHEN exclusion_violation THEN
    RAISE EXCEPTION 'payee "%" has a ramp in that time already', assign_ramp.payee
        USING ERRCODE = 'exclusion_violation', DETAIL = format('The new one would hold for %s.', days),
              HINT = 'End or delete the one that is there in spm.ramp_assignment.';
END
$$;
COMMENT ON FUNCTION spm.assign_ramp(text, text, date, date, numeric) IS
'Lets the quota of a payee grow by a ramp from a day on; returns the ramp_assignment_id. A ramp that goes on ends there.
ramp: name. payee: payee_key. since: the start; its month is the first of the ramp. until: month from whose beginning on the quota is whole in any case; NULL: as the ramp says.
share_before: share of quota in months before the start: 0 for somebody new, 1 for somebody who was there before.
Errors: 42704 for an unknown ramp or payee, 22023 for days or a share that make no sense, 23P01 when a ramp begins later or on that day.
Example: SELECT spm.assign_ramp(''New AE'', ''dana'', ''2026-02-16'');';

CREATE OR REPLACE FUNCTION spm.add_absence_kind(name text, relieves_quota boolean DEFAULT true, reduces_target boolean DEFAULT true, min_days int DEFAULT 1)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    IF add_absence_kind.min_days IS NULL OR add_absence_kind.min_days < 1 THEN
        RAISE EXCEPTION 'an absence cannot count from % days on', coalesce(add_absence_kind.min_days::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'min_days is 1 or more.';
    END IF;
    INSERT INTO spm.absence_kind (name, is_quota_relieved, is_target_reduced, min_days)
    VALUES (add_absence_kind.name, add_absence_kind.relieves_quota, add_absence_kind.reduces_target, add_absence_kind.min_days)
    RETURNING absence_kind_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_absence_kind(text, boolean, boolean, int) IS
'Adds a kind of absence, and returns its absence_kind_id.
name: unique name. relieves_quota: whether its days are taken off the days that a quota is for. reduces_target: the same for target incentive, salary and tiers.
min_days: calendar days in a row from which an absence counts, then from its first day; absences of the kind that touch or overlap are one, separate ones do not add up. Its whole length counts, also where a period shows only a part of it.
Errors: 23505 when the name is taken, 22023 for less than 1 day.
Example: SELECT spm.add_absence_kind(''leave'', min_days => 30);';

CREATE OR REPLACE FUNCTION spm.add_absence(payee text, kind text, since date, until date DEFAULT NULL, reason text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_payee int := spm._payee_id(add_absence.payee);
    of_kind int := (SELECT k.absence_kind_id FROM spm.absence_kind k WHERE k.name = add_absence.kind);
    id int;
BEGIN
    IF of_kind IS NULL THEN
        RAISE EXCEPTION 'absence kind "%" does not exist', add_absence.kind
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_absence_kind(%L);', add_absence.kind);
    END IF;
    IF add_absence.since IS NULL THEN
        RAISE EXCEPTION 'an absence begins on a day' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give since.';
    END IF;
    INSERT INTO spm.absence (payee_id, absence_kind_id, span, reason)
    VALUES (of_payee, of_kind, spm._checked_span(add_absence.since, add_absence.until), add_absence.reason)
    RETURNING absence_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_absence(text, text, date, date, text) IS
'Records when a payee was away, and returns the absence_id. Absences may overlap: a day counts once. Components that prorate take it into account, in posted periods as a difference.
payee: payee_key. kind: name of an absence kind, which says what it does. since: first day away. until: first day back; NULL: not back yet. reason: kept with the row.
Errors: 42704 for an unknown payee or kind, 22023 without a first day or with no day in between.
Example: SELECT spm.add_absence(''dana'', ''leave'', ''2026-03-02'', ''2026-04-13'');';

CREATE OR REPLACE FUNCTION spm.withdraw_absence(absence_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE spm.absence a SET superseded_at = clock_timestamp()
    WHERE a.absence_id = withdraw_absence.absence_id AND a.superseded_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no absence % that counts', coalesce(withdraw_absence.absence_id::text, 'NULL')
            USING ERRCODE = 'undefined_object', HINT = 'SELECT * FROM spm_bi.absence;';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.withdraw_absence(int) IS
'Lets an absence no longer count; its row is kept. One that was recorded wrongly is withdrawn and added anew.
absence_id: key. Errors: 42704 when there is none, or it was withdrawn.
Example: SELECT spm.withdraw_absence(1);';

CREATE OR REPLACE FUNCTION spm.relieve_quota(payee text, period text, amount numeric, measure text, reason text, calendar text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_payee int := spm._payee_id(relieve_quota.payee);
    of_measure int := spm._measure_id(relieve_quota.measure);
    of_period int := spm._period_id(relieve_quota.period, relieve_quota.calendar);
    standing spm.quota_relief;
    id int;
BEGIN
    IF relieve_quota.amount IS NULL OR relieve_quota.amount < 0 OR relieve_quota.amount IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'relief of payee "%" for % cannot be %', relieve_quota.payee, relieve_quota.period, coalesce(relieve_quota.amount::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A relief is zero or more; zero takes it back.';
    END IF;
    IF coalesce(relieve_quota.reason, '') = '' THEN
        RAISE EXCEPTION 'a relief needs a reason' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Reliefs for different reasons add up; one for the same reason takes the place of the one before.';
    END IF;
    SELECT r.* INTO standing FROM spm.quota_relief r
    WHERE r.payee_id = of_payee AND r.measure_id = of_measure AND r.period_id = of_period
      AND r.reason = relieve_quota.reason AND r.superseded_at IS NULL
    FOR UPDATE;
    IF standing.amount = relieve_quota.amount THEN
        RETURN standing.quota_relief_id;
    END IF;
    UPDATE spm.quota_relief r SET superseded_at = clock_timestamp() WHERE r.quota_relief_id = standing.quota_relief_id;
    INSERT INTO spm.quota_relief (payee_id, measure_id, period_id, amount, reason)
    VALUES (of_payee, of_measure, of_period, relieve_quota.amount, relieve_quota.reason)
    RETURNING quota_relief_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.relieve_quota(text, text, numeric, text, text, text) IS
'Takes an amount off the quota of a payee, whatever seat it comes from, and returns the quota_relief_id. Reliefs for different reasons add up; one for the same reason takes the place of the one before, whose row is kept.
payee: payee_key. period: name; the relief counts in components that accumulate over it or over a longer period that holds it. amount: in the unit of the measure; 0 takes it back.
measure: name; counts too where another measure falls back to its quota. reason: what it is for. calendar: needed when two calendars have a period of that name.
Errors: 22023 for a negative or missing amount or no reason, 42704 for an unknown payee, period or measure.
Example: SELECT spm.relieve_quota(''dana'', ''2026-Q2'', 20000, ''bookings'', ''account Acme moved to house'');';

CREATE OR REPLACE FUNCTION spm.spread_quota("position" text, period text, amount numeric, measure text, shares numeric[] DEFAULT NULL,
                                            grain text DEFAULT NULL, calendar text DEFAULT NULL, reason text DEFAULT NULL,
                                            title text DEFAULT NULL, places int DEFAULT 2)
    RETURNS TABLE (part text, part_amount numeric)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    whole spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(spread_quota.period, spread_quota.calendar));
    of_calendar text := (SELECT c.name FROM spm.calendar c WHERE c.calendar_id = whole.calendar_id);
    seat int := CASE WHEN spread_quota."position" <> '*' THEN spm._position_id(spread_quota."position") END;
    of_title int := CASE WHEN spread_quota.title IS NOT NULL THEN spm._title_id(spread_quota.title) END;
    of_measure int := spm._measure_id(spread_quota.measure);
    parts int[];
    weights numeric[];
    cents numeric;
    digits int := greatest(spread_quota.places, scale(trim_scale(spread_quota.amount)));
BEGIN
    SELECT array_agg(p.period_id ORDER BY p.span), array_agg((upper(p.span) - lower(p.span))::numeric ORDER BY p.span) INTO parts, weights
    FROM spm.period p
    WHERE p.calendar_id = whole.calendar_id AND p.span <@ whole.span AND p.period_id <> whole.period_id
      AND CASE WHEN spread_quota.grain IS NOT NULL THEN p.grain = spread_quota.grain
               ELSE NOT EXISTS (SELECT FROM spm.period n WHERE n.parent_period_id = p.period_id) END;
    IF parts IS NULL THEN
        RAISE EXCEPTION 'period % has no part%', whole.name, coalesce(' of the kind "' || spread_quota.grain || '"', '')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a longer period, or a grain that lies within it.';
    END IF;
    IF spread_quota.amount IS NULL OR spread_quota.amount < 0 OR spread_quota.amount IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'quota for % cannot be %', whole.name, coalesce(spread_quota.amount::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A quota is zero or more.';
    END IF;
    IF spread_quota.places IS NULL OR spread_quota.places NOT BETWEEN 0 AND 10 THEN
        RAISE EXCEPTION 'a quota cannot be spread to % places', coalesce(spread_quota.places::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Places are 0 to 10.';
    END IF;
    IF spread_quota.shares IS NOT NULL THEN
        IF cardinality(spread_quota.shares) <> cardinality(parts) OR array_ndims(spread_quota.shares) <> 1 THEN
            RAISE EXCEPTION '% has % parts, not %', whole.name, cardinality(parts), cardinality(spread_quota.shares)
                USING ERRCODE = 'invalid_parameter_value',
                      DETAIL = format('They are %s.', (SELECT string_agg(p.name, ', ' ORDER BY p.span) FROM spm.period p WHERE p.period_id = ANY (parts))),
                      HINT = 'Give a share for each, or choose other parts: grain => ''quarter''.';
        END IF;
        IF array_position(spread_quota.shares, NULL) IS NOT NULL OR NOT 0 <= ALL (spread_quota.shares) OR NOT 'Infinity' > ALL (spread_quota.shares)
           OR NOT 0 < ANY (spread_quota.shares) THEN
            RAISE EXCEPTION 'a quota cannot be spread by %', spread_quota.shares
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Shares are zero or more, and one of them is more; they need not total 1.';
        END IF;
        weights := spread_quota.shares;
    END IF;

    -- what was set for the period, or within it, gives way to the parts
    UPDATE spm.quota q SET superseded_at = clock_timestamp()
    WHERE q.position_id IS NOT DISTINCT FROM seat AND q.title_id IS NOT DISTINCT FROM of_title
      AND q.measure_id = of_measure AND q.superseded_at IS NULL AND q.period_id <> ALL (parts)
      AND q.period_id IN (SELECT p.period_id FROM spm.period p WHERE p.calendar_id = whole.calendar_id AND p.span <@ whole.span);
    cents := spread_quota.amount * 10::numeric ^ digits;
    RETURN QUERY
    SELECT p.name, x.part_amount
    FROM (SELECT s.period_id,
                 -- rounded down, and what is left to those that lost most by it, among equals to the earlier
                 round((s.low + (row_number() OVER (ORDER BY s.lost DESC, s.nth) <= cents - sum(s.low) OVER ())::int) / 10::numeric ^ digits, digits) AS part_amount
          FROM (SELECT u.period_id, u.nth, div(cents * u.weight, t.total) AS low, mod(cents * u.weight, t.total) AS lost
                FROM unnest(parts, weights) WITH ORDINALITY u(period_id, weight, nth),
                     (SELECT sum(w) AS total FROM unnest(weights) w) t) s) x
    JOIN spm.period p ON p.period_id = x.period_id
    CROSS JOIN LATERAL (SELECT spm.set_quota(spread_quota."position", p.name, x.part_amount, spread_quota.measure, of_calendar,
                                             spread_quota.reason, spread_quota.title) AS quota_id) q
    WHERE q.quota_id IS NOT NULL
    ORDER BY p.span;
END
$$;
COMMENT ON FUNCTION spm.spread_quota(text, text, numeric, text, numeric[], text, text, text, text, int) IS
'Sets the quota of a period as quotas of its parts that add up to it exactly, and returns them. What the same position, title or everybody had for the period or other parts of it is ended and kept.
position: position_key; * for everybody; NULL with a title: all positions of it. period: name of the whole. amount: for the whole, in the unit of the measure. measure: its name.
shares: one for each part, in order: 0.2,0.2,0.2,0.4 for a season, 1,1,1 for equal parts (they need not total 1); NULL: by calendar days. grain: which parts; NULL: the finest.
calendar: needed when two calendars have a period of that name. reason: kept with the rows. title: name of a title. places: decimals of the parts, more where the amount has more; what rounding leaves goes to those that lost most by it.
Errors: 22023 for amounts, shares or parts that make no sense, 42704 for unknown names.
Example: SELECT * FROM spm.spread_quota(''U-17'', ''2026'', 100000, ''bookings'', ''{0.2,0.2,0.2,0.4}'', grain => ''quarter'');';
/*
 * quota/views.sql: what BI tools read of quotas, and of what makes them smaller.
 */

CREATE OR REPLACE VIEW spm_bi.quota WITH (security_invoker = true) AS
SELECT q.quota_id, q.period_id, p.name AS period_name, p.grain, lower(p.span) AS period_start, c.name AS calendar_name,
    m.name AS measure_name, m.unit, q.position_id, s.position_key, s.name AS position_name, t.name AS title_name,
    CASE WHEN q.position_id IS NOT NULL THEN 'position' WHEN q.title_id IS NOT NULL THEN 'title' ELSE 'everybody' END AS target_kind,
    q.amount::numeric(24,6) AS quota_amount, q.reason, q.recorded_at, q.recorded_by
FROM spm.quota AS q
JOIN spm.period AS p USING (period_id)
JOIN spm.calendar AS c USING (calendar_id)
JOIN spm.measure AS m USING (measure_id)
LEFT JOIN spm.position AS s USING (position_id)
LEFT JOIN spm.title AS t ON t.title_id = q.title_id
WHERE q.superseded_at IS NULL;
COMMENT ON VIEW spm_bi.quota IS 'One row per quota that counts, as it was set. What a payee''s comes to, with ramp, days and relief, is in spm_bi.attainment.';
COMMENT ON COLUMN spm_bi.quota.quota_id IS 'Quota.';
COMMENT ON COLUMN spm_bi.quota.period_id IS 'Period in which it is to be reached.';
COMMENT ON COLUMN spm_bi.quota.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.quota.grain IS 'Kind of period. Add up amounts of one kind only.';
COMMENT ON COLUMN spm_bi.quota.period_start IS 'First day of the period.';
COMMENT ON COLUMN spm_bi.quota.calendar_name IS 'Calendar of the period.';
COMMENT ON COLUMN spm_bi.quota.measure_name IS 'What is measured.';
COMMENT ON COLUMN spm_bi.quota.unit IS 'money or count.';
COMMENT ON COLUMN spm_bi.quota.position_id IS 'Seat that carries it. NULL: it is for a title or everybody.';
COMMENT ON COLUMN spm_bi.quota.position_key IS 'Key in the warehouse of the seat.';
COMMENT ON COLUMN spm_bi.quota.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.quota.title_name IS 'Title whose seats carry it. NULL: it is for a seat or everybody.';
COMMENT ON COLUMN spm_bi.quota.target_kind IS 'position, title or everybody: the first that a seat has counts.';
COMMENT ON COLUMN spm_bi.quota.quota_amount IS 'Quota, in the unit of the measure. Additive over positions, within a measure and grain.';
COMMENT ON COLUMN spm_bi.quota.reason IS 'Why it was set or changed.';
COMMENT ON COLUMN spm_bi.quota.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm_bi.quota.recorded_by IS 'Login that recorded it.';

CREATE OR REPLACE VIEW spm_bi.holiday WITH (security_invoker = true) AS
SELECT c.name AS calendar_name, h.day, h.name AS holiday_name
FROM spm.holiday AS h
JOIN spm.calendar AS c USING (calendar_id);
COMMENT ON VIEW spm_bi.holiday IS 'One row per day of a calendar on which nobody works, besides Saturdays and Sundays.';
COMMENT ON COLUMN spm_bi.holiday.calendar_name IS 'Calendar.';
COMMENT ON COLUMN spm_bi.holiday.day IS 'Day.';
COMMENT ON COLUMN spm_bi.holiday.holiday_name IS 'Name of the holiday.';

CREATE OR REPLACE VIEW spm_bi.ramp WITH (security_invoker = true) AS
SELECT a.ramp_assignment_id, a.payee_id, y.payee_key, y.name AS payee_name, r.name AS ramp_name,
    lower(a.span) AS start_day, upper(a.span) AS end_day, a.share_before::numeric(18,6) AS share_before, r.month_used,
    (u.nth - 1)::int AS month_index, (date_trunc('month', lower(a.span)::timestamp) + (u.nth - 1) * interval '1 month')::date AS month_start,
    u.share::numeric(18,6) AS share
FROM spm.ramp_assignment AS a
JOIN spm.ramp AS r USING (ramp_id)
JOIN spm.payee AS y USING (payee_id)
CROSS JOIN LATERAL unnest(r.shares) WITH ORDINALITY AS u (share, nth);
COMMENT ON VIEW spm_bi.ramp IS 'One row per payee with a ramp and month of it: the share of quota in that month.';
COMMENT ON COLUMN spm_bi.ramp.ramp_assignment_id IS 'Assignment of the ramp to the payee.';
COMMENT ON COLUMN spm_bi.ramp.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.ramp.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.ramp.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.ramp.ramp_name IS 'Ramp.';
COMMENT ON COLUMN spm_bi.ramp.start_day IS 'Day of the start.';
COMMENT ON COLUMN spm_bi.ramp.end_day IS 'Months that begin on this day or later are whole. NULL: as the ramp says.';
COMMENT ON COLUMN spm_bi.ramp.share_before IS 'Share of quota in the months before. Not additive.';
COMMENT ON COLUMN spm_bi.ramp.month_used IS 'For a period of several months: each, first or last.';
COMMENT ON COLUMN spm_bi.ramp.month_index IS 'Months since that of the start, which is 0.';
COMMENT ON COLUMN spm_bi.ramp.month_start IS 'First day of the month.';
COMMENT ON COLUMN spm_bi.ramp.share IS 'Share of quota in the month: 0.5 is 50 %. Not additive.';

CREATE OR REPLACE VIEW spm_bi.absence WITH (security_invoker = true) AS
SELECT a.absence_id, a.payee_id, y.payee_key, y.name AS payee_name, k.name AS kind_name,
    lower(a.span) AS start_day, upper(a.span) AS end_day, upper(a.span) - lower(a.span) AS day_count,
    k.is_quota_relieved, k.is_target_reduced, k.min_days, a.reason, a.recorded_at, a.recorded_by
FROM spm.absence AS a
JOIN spm.absence_kind AS k USING (absence_kind_id)
JOIN spm.payee AS y USING (payee_id)
WHERE a.superseded_at IS NULL;
COMMENT ON VIEW spm_bi.absence IS 'One row per absence that was recorded and not withdrawn.';
COMMENT ON COLUMN spm_bi.absence.absence_id IS 'Absence.';
COMMENT ON COLUMN spm_bi.absence.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.absence.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.absence.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.absence.kind_name IS 'Kind of absence.';
COMMENT ON COLUMN spm_bi.absence.start_day IS 'First day away.';
COMMENT ON COLUMN spm_bi.absence.end_day IS 'First day back. NULL: not back yet.';
COMMENT ON COLUMN spm_bi.absence.day_count IS 'Calendar days. NULL: not back yet. Additive, but days on which two absences overlap count twice.';
COMMENT ON COLUMN spm_bi.absence.is_quota_relieved IS 'Whether the kind relieves quota.';
COMMENT ON COLUMN spm_bi.absence.is_target_reduced IS 'Whether the kind reduces target incentive, salary and tiers.';
COMMENT ON COLUMN spm_bi.absence.min_days IS 'Days in a row from which the kind counts.';
COMMENT ON COLUMN spm_bi.absence.reason IS 'Why it was recorded.';
COMMENT ON COLUMN spm_bi.absence.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm_bi.absence.recorded_by IS 'Login that recorded it.';

CREATE OR REPLACE VIEW spm_bi.quota_relief WITH (security_invoker = true) AS
SELECT r.quota_relief_id, r.payee_id, y.payee_key, y.name AS payee_name, m.name AS measure_name,
    r.period_id, p.name AS period_name, lower(p.span) AS period_start, r.amount::numeric(24,6) AS relief_amount,
    r.reason, r.recorded_at, r.recorded_by
FROM spm.quota_relief AS r
JOIN spm.payee AS y USING (payee_id)
JOIN spm.measure AS m USING (measure_id)
JOIN spm.period AS p USING (period_id)
WHERE r.superseded_at IS NULL;
COMMENT ON VIEW spm_bi.quota_relief IS 'One row per payee, measure, period and reason: what is taken off the quota.';
COMMENT ON COLUMN spm_bi.quota_relief.quota_relief_id IS 'Relief.';
COMMENT ON COLUMN spm_bi.quota_relief.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.quota_relief.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.quota_relief.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.quota_relief.measure_name IS 'What is measured.';
COMMENT ON COLUMN spm_bi.quota_relief.period_id IS 'Period.';
COMMENT ON COLUMN spm_bi.quota_relief.period_name IS 'Name of the period.';
COMMENT ON COLUMN spm_bi.quota_relief.period_start IS 'First day of the period.';
COMMENT ON COLUMN spm_bi.quota_relief.relief_amount IS 'Amount taken off, in the unit of the measure. Additive within a measure.';
COMMENT ON COLUMN spm_bi.quota_relief.reason IS 'What it is for.';
COMMENT ON COLUMN spm_bi.quota_relief.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm_bi.quota_relief.recorded_by IS 'Login that recorded it.';
/*
 * compensation/toolbox.sql: functions for anybody's tables, no set-up.
 */

CREATE OR REPLACE FUNCTION spm.rate_schedule(floors numeric[], rates numeric[], options text DEFAULT '')
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_schedule';
COMMENT ON FUNCTION spm.rate_schedule(numeric[], numeric[], text) IS
$$Rate schedule whose tier i starts at floors[i] and has rates[i]; each tier ends where the next one starts, the last has no end.
Arguments: floors (money; shares of quota, 0.8 for 80%, with the option 'of quota'), rates (0.05 for 5%; money with the option bonus), options (as in the text form).
Errors: 22023 floors not ascending or arrays of different length; 22004 a null; 22P02 an unknown option.
Example: SELECT spm.rate_schedule('{0,100000}', '{0.05,0.08}') gives 0: 5%, 100000: 8%.$$;

CREATE OR REPLACE FUNCTION spm.for_quota(schedule spm.rate_schedule, quota numeric)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_for_quota';
COMMENT ON FUNCTION spm.for_quota(spm.rate_schedule, numeric) IS
$$The schedule with its bounds in percent of quota turned into amounts, exactly. On a quota of 0 every floor is 0, so the top rate holds from the first cent (a weighted schedule: the sum of its rates), unless the schedule says zero quota nothing or zero quota refuse.
Arguments: schedule (bounds in percent), quota (money, not negative).
Errors: 22023 bounds are amounts already, quota negative, or quota 0 and zero quota refuse.
Example: SELECT spm.for_quota('0%: 8%, 100%: 12%', 50000) gives 0: 8%, 50000: 12%.$$;

CREATE OR REPLACE FUNCTION spm.with_factor(schedule spm.rate_schedule, factor numeric)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_with_factor';
COMMENT ON FUNCTION spm.with_factor(spm.rate_schedule, numeric) IS
$$The schedule with every rate (or bonus) and the base times the factor: a payee's own rate, or a multiplier. Cap and floor are money: they stay as they are, and limit what the new rates earn.
Arguments: schedule, factor (1.5 for one and a half times).
Errors: 22023 factor is not finite; 22003 a rate gets too many digits.
Example: SELECT spm.with_factor('0: 5%, 100000: 8%', 1.5) gives 0: 7.5%, 100000: 12%.$$;

CREATE OR REPLACE FUNCTION spm.per(schedule spm.rate_schedule, divisor numeric)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_per';
COMMENT ON FUNCTION spm.per(spm.rate_schedule, numeric) IS
$$The schedule with what it earns divided by the divisor, exactly: so that a target incentive times attainment is the incentive as a factor, per quota, rounded once. Cap and floor are money and are not divided. A second divisor multiplies the first.
Arguments: schedule, divisor (greater than 0).
Errors: 22023 divisor is not greater than 0 or not finite; 22003 it gets too many digits.
Example: SELECT spm.commission(spm.per(spm.with_factor('0: 1', 24000), 70000), 12345) gives 4232.57, which is 24000 x 12345 / 70000.$$;

CREATE OR REPLACE FUNCTION spm.with_limits(schedule spm.rate_schedule, cap numeric, floor numeric)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_with_limits';
COMMENT ON FUNCTION spm.with_limits(spm.rate_schedule, numeric, numeric) IS
$$The schedule with the smaller of its cap and the given one, and the larger of its floor and the given one. NULL leaves what is there; NULL without a schedule.
Arguments: schedule, cap and floor (money: the most, and the least of a total that is not zero).
Errors: 22023 the cap is negative or below the floor, or a limit is not finite.
Example: SELECT spm.with_limits('0: 5% cap 900', 1000, 50) gives 0: 5% cap 900 floor 50.$$;

CREATE OR REPLACE FUNCTION spm.scaled(schedule spm.rate_schedule, numerator numeric, denominator numeric, places int DEFAULT 2)
    RETURNS spm.rate_schedule
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_scaled';
COMMENT ON FUNCTION spm.scaled(spm.rate_schedule, numeric, numeric, int) IS
$$The schedule with its bounds times numerator / denominator, each rounded once, halves up: tiers given in amounts, prorated for a part of the period. Rates, bonuses, the money of a pay curve, cap and floor stay.
Arguments: schedule (bounds in amounts), numerator and denominator (46 and 92 for half a quarter), places (decimals of the bounds).
Errors: 22023 the schedule is in percent of quota (prorate the quota instead), the ratio is negative, or two bounds fall together; 22012 denominator is 0.
Example: SELECT spm.scaled('0: 5%, 100000: 8%', 31, 92) gives 0: 5%, 33695.65: 8%.$$;

CREATE OR REPLACE FUNCTION spm.commission(schedule spm.rate_schedule, amount numeric)
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_commission';
COMMENT ON FUNCTION spm.commission(spm.rate_schedule, numeric) IS
$$What a total of amount earns, rounded once to cents, halves away from zero. For other places or roundings use spm.commission(schedule, 0, amount, places, rounding).
Arguments: schedule (bounds in amounts), amount (money).
Errors: 22023 the schedule is in percent of quota, amount is not finite; 22003 the amount is above the end of the last tier.
Example: SELECT spm.commission('0: 5%, 100000: 8%', 160000) gives 9800.00.$$;

CREATE OR REPLACE FUNCTION spm.commission(schedule spm.rate_schedule, from_total numeric, to_total numeric,
                                          places int DEFAULT 2, rounding text DEFAULT 'half_up')
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_commission_between';
COMMENT ON FUNCTION spm.commission(spm.rate_schedule, numeric, numeric, int, text) IS
$$What a deal earns that takes the running total from from_total to to_total: the rounded commission of the one less that of the other, so that deals add up to their period to the last cent.
Arguments: schedule (bounds in amounts), from_total and to_total (money), places (decimals of the result), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22023 the schedule is in percent of quota, an amount is not finite, no such rounding; 22003 an amount is above the end of the last tier.
Example: SELECT spm.commission('0: 5%, 100000: 8%', 90000, 110000) gives 1300.00.$$;

CREATE OR REPLACE FUNCTION spm.rate_at(schedule spm.rate_schedule, amount numeric,
                                       places int DEFAULT 6, rounding text DEFAULT 'half_up')
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rate_at';
COMMENT ON FUNCTION spm.rate_at(spm.rate_schedule, numeric, int, text) IS
$$The rate that applies at an amount: the rate of its tier, with method interpolated the rate between two points, with weighted the sum of the shares of the tiers, with excess that of all above the first tier, with bonus or curve the money; divided by the divisor, if there is one.
Arguments: schedule (bounds in amounts), amount (money), places (decimals of the rate), rounding.
Errors: 22023 the schedule is in percent of quota, no such rounding; 22003 the amount is above the end of the last tier.
Example: SELECT spm.rate_at('0: 5%, 100000: 8%', 100000) gives 0.080000.$$;

CREATE OR REPLACE FUNCTION spm.rounded(value numeric, places int DEFAULT 2, rounding text DEFAULT 'half_up')
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_rounded';
COMMENT ON FUNCTION spm.rounded(numeric, int, text) IS
$$The value to a number of decimals. half_up, half_even and half_down differ in where a half goes: away from zero, to the even neighbour, toward zero; up is away from zero, down toward zero, floor and ceil are what they say.
Arguments: value, places (-100 to 100), rounding.
Errors: 22023 no such rounding, places out of range, value is not finite.
Example: SELECT spm.rounded(0.125, 2, 'half_even') gives 0.12.$$;

CREATE OR REPLACE FUNCTION spm.split(total numeric, shares numeric[], places int DEFAULT 2)
    RETURNS numeric[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_split';
COMMENT ON FUNCTION spm.split(numeric, numeric[], int) IS
$$The total in parts that add up to it exactly, in proportion to the shares (which need not total 1), by largest remainder: what rounding leaves goes to those that lost most by it, on a tie to the earlier. A negative total mirrors the positive one.
Arguments: total (money), shares (not negative, one at least above 0), places (decimals of the parts; more where the total has more).
Errors: 22023 a share is negative or all are 0; 22004 a share is null; 54000 more than 100,000 shares.
Example: SELECT spm.split(100, '{1,1,1}') gives {33.34,33.33,33.33}.$$;

CREATE OR REPLACE FUNCTION spm.attainment(amount numeric, quota numeric, places int DEFAULT 6)
    RETURNS numeric
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_attainment';
COMMENT ON FUNCTION spm.attainment(numeric, numeric, int) IS
$$Amount as a share of quota, rounded once, halves away from zero; NULL when the quota is 0, since that has no share.
Arguments: amount and quota (money), places (decimals of the share).
Errors: 22023 a number is not finite.
Example: SELECT spm.attainment(90000, 120000) gives 0.750000.$$;

CREATE OR REPLACE FUNCTION spm.tier(schedule spm.rate_schedule,
                                    OUT tier_no int, OUT tier_from numeric, OUT tier_to numeric, OUT rate numeric)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 5
    AS 'MODULE_PATHNAME', 'spm_tier';
COMMENT ON FUNCTION spm.tier(spm.rate_schedule) IS
$$One row per tier: number, start, end (NULL: none) and rate (money with bonus and curve; before a divisor); shares (0.8 for 80%) where the schedule is in percent of quota.
Argument: schedule.
Example: SELECT * FROM spm.tier('0: 5%, 100000: 8%').$$;

CREATE OR REPLACE FUNCTION spm.commission_slice(schedule spm.rate_schedule, from_total numeric, to_total numeric,
                                                places int DEFAULT 2, rounding text DEFAULT 'half_up',
                                                OUT tier_no int, OUT kind text, OUT slice_from numeric, OUT slice_to numeric,
                                                OUT base numeric, OUT rate numeric, OUT amount numeric)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 3
    AS 'MODULE_PATHNAME', 'spm_commission_slice';
COMMENT ON FUNCTION spm.commission_slice(spm.rate_schedule, numeric, numeric, int, text) IS
$$How spm.commission(schedule, from_total, to_total, places, rounding) comes about: rows whose amounts add up to it exactly.
Kinds: tier (base at the rate of tier_no), base (below the first tier), outside (in a gap or above the end, earns 0), rerate (methods whole, interpolated, weighted, excess: the earlier total, with excess what of it lies above the first tier, at the change of rate), bonus, curve, cap and floor (what they take or add). A refund runs backwards. Rates that do not end are shown to 10 decimals.
Arguments: schedule (bounds in amounts), from_total and to_total (money), places, rounding.
Errors: as spm.commission.
Example: SELECT * FROM spm.commission_slice('0: 5%, 100000: 8%', 90000, 110000).$$;

-- ---------------------------------------------------------------- aggregates

CREATE OR REPLACE FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_add';
REVOKE ALL ON FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule) IS 'State function of spm.period_commission.';

CREATE OR REPLACE FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule, int, text)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_add';
REVOKE ALL ON FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule, int, text) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_add(internal, numeric, spm.rate_schedule, int, text) IS 'State function of spm.period_commission.';

CREATE OR REPLACE FUNCTION spm._period_commission_combine(internal, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_combine';
REVOKE ALL ON FUNCTION spm._period_commission_combine(internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_combine(internal, internal) IS 'Combine function of spm.period_commission.';

CREATE OR REPLACE FUNCTION spm._period_commission_serialize(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_serialize';
REVOKE ALL ON FUNCTION spm._period_commission_serialize(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_serialize(internal) IS 'Serialization of spm.period_commission.';

CREATE OR REPLACE FUNCTION spm._period_commission_deserialize(bytea, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_deserialize';
REVOKE ALL ON FUNCTION spm._period_commission_deserialize(bytea, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_deserialize(bytea, internal) IS 'Deserialization of spm.period_commission.';

CREATE OR REPLACE FUNCTION spm._period_commission_final(internal)
    RETURNS numeric
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_period_commission_final';
REVOKE ALL ON FUNCTION spm._period_commission_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._period_commission_final(internal) IS 'Final function of spm.period_commission.';

CREATE OR REPLACE AGGREGATE spm.period_commission(amount numeric, schedule spm.rate_schedule) (
    SFUNC = spm._period_commission_add, STYPE = internal, SSPACE = 256,
    FINALFUNC = spm._period_commission_final,
    COMBINEFUNC = spm._period_commission_combine,
    SERIALFUNC = spm._period_commission_serialize,
    DESERIALFUNC = spm._period_commission_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.period_commission(numeric, spm.rate_schedule) IS
$$What the total of a group earns: spm.commission(schedule, sum(amount)). Null amounts are left out; no amounts, or a null schedule, give NULL.
Arguments: amount (money), schedule (bounds in amounts, the same on all rows of a group).
Errors: 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 the total is above the end of the last tier.
Example: SELECT rep, spm.period_commission(amount, '0: 5%, 100000: 8%') FROM sales GROUP BY rep.$$;

CREATE OR REPLACE AGGREGATE spm.period_commission(amount numeric, schedule spm.rate_schedule, places int, rounding text) (
    SFUNC = spm._period_commission_add, STYPE = internal, SSPACE = 256,
    FINALFUNC = spm._period_commission_final,
    COMBINEFUNC = spm._period_commission_combine,
    SERIALFUNC = spm._period_commission_serialize,
    DESERIALFUNC = spm._period_commission_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.period_commission(numeric, spm.rate_schedule, int, text) IS
$$What the total of a group earns, to places decimals with a rounding (half_up, half_even, half_down, up, down, floor, ceil); else as spm.period_commission(amount, schedule).
Errors: 22004 places or rounding null; 22023 rows of one group have different schedules, places or roundings.
Example: SELECT rep, spm.period_commission(amount, '0: 5%', 0, 'half_even') FROM sales GROUP BY rep.$$;

CREATE OR REPLACE FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add';
REVOKE ALL ON FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule) IS 'State function of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule, int, text)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add';
REVOKE ALL ON FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule, int, text) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_add(internal, date, bigint, numeric, spm.rate_schedule, int, text) IS 'State function of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add_text';
REVOKE ALL ON FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule) IS 'State function of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule, int, text)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add_text';
REVOKE ALL ON FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule, int, text) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_add(internal, date, text, numeric, spm.rate_schedule, int, text) IS 'State function of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_combine(internal, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_combine';
REVOKE ALL ON FUNCTION spm._deal_commissions_combine(internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_combine(internal, internal) IS 'Combine function of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_serialize(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_serialize';
REVOKE ALL ON FUNCTION spm._deal_commissions_serialize(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_serialize(internal) IS 'Serialization of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_deserialize(bytea, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_deserialize';
REVOKE ALL ON FUNCTION spm._deal_commissions_deserialize(bytea, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_deserialize(bytea, internal) IS 'Deserialization of spm.deal_commissions.';

CREATE OR REPLACE FUNCTION spm._deal_commissions_final(internal)
    RETURNS spm.deal_commission[]
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_final';
REVOKE ALL ON FUNCTION spm._deal_commissions_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deal_commissions_final(internal) IS 'Final function of spm.deal_commissions.';

CREATE OR REPLACE AGGREGATE spm.deal_commissions(deal_date date, deal_key bigint, amount numeric, schedule spm.rate_schedule) (
    SFUNC = spm._deal_commissions_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deal_commissions_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deal_commissions(date, bigint, numeric, spm.rate_schedule) IS
$$What each deal of a group earns, in order of date and key (by number; then amount), in whatever order the rows come: an array of spm.deal_commission whose commissions add up to spm.period_commission to the last cent. Null amounts are left out; amounts are shown with the decimals of the finest one.
Arguments: deal_date, deal_key, amount (money), schedule (bounds in amounts, the same on all rows of a group).
Errors: 22004 a deal has no date or key; 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals in a group than an array holds.
Example: SELECT rep, (d).* FROM (SELECT rep, unnest(spm.deal_commissions(day, deal_id, amount, '0: 5%, 100000: 8%')) AS d FROM sales GROUP BY rep) x.$$;

CREATE OR REPLACE AGGREGATE spm.deal_commissions(deal_date date, deal_key bigint, amount numeric, schedule spm.rate_schedule, places int, rounding text) (
    SFUNC = spm._deal_commissions_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deal_commissions_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deal_commissions(date, bigint, numeric, spm.rate_schedule, int, text) IS
$$What each deal of a group earns, in order of date and key (by number; then amount), in whatever order the rows come: an array of spm.deal_commission whose commissions add up to spm.period_commission to the last cent. Null amounts are left out; amounts are shown with the decimals of the finest one.
Arguments: deal_date, deal_key, amount (money), schedule (bounds in amounts, the same on all rows of a group); places (decimals of the commissions), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22004 a deal has no date or key; 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals in a group than an array holds.
Example: SELECT rep, (d).* FROM (SELECT rep, unnest(spm.deal_commissions(day, deal_id, amount, '0: 5%, 100000: 8%', 0, 'half_even')) AS d FROM sales GROUP BY rep) x.$$;

CREATE OR REPLACE AGGREGATE spm.deal_commissions(deal_date date, deal_key text, amount numeric, schedule spm.rate_schedule) (
    SFUNC = spm._deal_commissions_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deal_commissions_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deal_commissions(date, text, numeric, spm.rate_schedule) IS
$$What each deal of a group earns, in order of date and key (by bytes; then amount), in whatever order the rows come: an array of spm.deal_commission whose commissions add up to spm.period_commission to the last cent. Null amounts are left out; amounts are shown with the decimals of the finest one.
Arguments: deal_date, deal_key, amount (money), schedule (bounds in amounts, the same on all rows of a group).
Errors: 22004 a deal has no date or key; 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals in a group than an array holds.
Example: SELECT rep, (d).* FROM (SELECT rep, unnest(spm.deal_commissions(day, deal_id, amount, '0: 5%, 100000: 8%')) AS d FROM sales GROUP BY rep) x.$$;

CREATE OR REPLACE AGGREGATE spm.deal_commissions(deal_date date, deal_key text, amount numeric, schedule spm.rate_schedule, places int, rounding text) (
    SFUNC = spm._deal_commissions_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deal_commissions_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deal_commissions(date, text, numeric, spm.rate_schedule, int, text) IS
$$What each deal of a group earns, in order of date and key (by bytes; then amount), in whatever order the rows come: an array of spm.deal_commission whose commissions add up to spm.period_commission to the last cent. Null amounts are left out; amounts are shown with the decimals of the finest one.
Arguments: deal_date, deal_key, amount (money), schedule (bounds in amounts, the same on all rows of a group); places (decimals of the commissions), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22004 a deal has no date or key; 22023 rows of one group have different schedules, or the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals in a group than an array holds.
Example: SELECT rep, (d).* FROM (SELECT rep, unnest(spm.deal_commissions(day, deal_id, amount, '0: 5%, 100000: 8%', 0, 'half_even')) AS d FROM sales GROUP BY rep) x.$$;

CREATE OR REPLACE FUNCTION spm._deals_add(internal, date, bigint, numeric)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add';
REVOKE ALL ON FUNCTION spm._deals_add(internal, date, bigint, numeric) FROM PUBLIC;
COMMENT ON FUNCTION spm._deals_add(internal, date, bigint, numeric) IS 'State function of spm.deals.';

CREATE OR REPLACE FUNCTION spm._deals_add(internal, date, text, numeric)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_add_text';
REVOKE ALL ON FUNCTION spm._deals_add(internal, date, text, numeric) FROM PUBLIC;
COMMENT ON FUNCTION spm._deals_add(internal, date, text, numeric) IS 'State function of spm.deals.';

CREATE OR REPLACE FUNCTION spm._deals_final(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_deals_final';
REVOKE ALL ON FUNCTION spm._deals_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._deals_final(internal) IS 'Final function of spm.deals.';

CREATE OR REPLACE AGGREGATE spm.deals(deal_date date, deal_key bigint, amount numeric) (
    SFUNC = spm._deals_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deals_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deals(date, bigint, numeric) IS
$$The deals of a group in one value, to be rated by spm.deal_commissions(deals, schedule): so the schedule is looked up once a group, not once a deal, and the same deals can be rated by several schedules. Null amounts are left out; no amounts give NULL.
Arguments: deal_date, deal_key (ordered by number), amount (money).
Errors: 22004 a deal has no date or key; 22023 an amount is not finite.
Example: SELECT rep, spm.deals(day, deal_id, amount) FROM sales GROUP BY rep.$$;

CREATE OR REPLACE AGGREGATE spm.deals(deal_date date, deal_key text, amount numeric) (
    SFUNC = spm._deals_add, STYPE = internal, SSPACE = 1024,
    FINALFUNC = spm._deals_final,
    COMBINEFUNC = spm._deal_commissions_combine,
    SERIALFUNC = spm._deal_commissions_serialize,
    DESERIALFUNC = spm._deal_commissions_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.deals(date, text, numeric) IS
$$The deals of a group in one value, to be rated by spm.deal_commissions(deals, schedule): so the schedule is looked up once a group, not once a deal, and the same deals can be rated by several schedules. Null amounts are left out; no amounts give NULL.
Arguments: deal_date, deal_key (ordered by bytes), amount (money).
Errors: 22004 a deal has no date or key; 22023 an amount is not finite.
Example: SELECT rep, spm.deals(day, deal_id, amount) FROM sales GROUP BY rep.$$;

CREATE OR REPLACE FUNCTION spm.deal_commissions(deals bytea, schedule spm.rate_schedule, places int DEFAULT 2, rounding text DEFAULT 'half_up')
    RETURNS spm.deal_commission[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'spm_deal_commissions_of';
COMMENT ON FUNCTION spm.deal_commissions(bytea, spm.rate_schedule, int, text) IS
$$What each of the deals collected by spm.deals() earns, in order, as the aggregate spm.deal_commissions.
Arguments: deals (what spm.deals() returned), schedule (bounds in amounts), places (decimals of the commissions), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22P03 or 08P01 the bytes are no deals; 22023 the schedule is in percent of quota; 22003 a running total is above the end of the last tier; 54000 more deals than an array holds.
Example: SELECT rep, unnest(spm.deal_commissions(deals, '0: 5%, 100000: 8%')) FROM (SELECT rep, spm.deals(day, deal_id, amount) AS deals FROM sales GROUP BY rep) x.$$;
/*
 * compensation/functions.sql: plans as data.  Writing them, checking them,
 * publishing them.
 */

-- ------------------------------------------------------------------ look-ups

CREATE OR REPLACE FUNCTION spm._plan_id(plan text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    SELECT p.plan_id INTO id FROM spm.plan p WHERE p.name = _plan_id.plan;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'plan "%" does not exist', _plan_id.plan
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM spm.plan; or spm.create_plan() to make it.';
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._plan_id(text) IS 'plan_id of a name, or error 42704.';
REVOKE ALL ON FUNCTION spm._plan_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._draft_id(plan text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- a look-up that raises stands alone: within a query the planner calls it too, and with an older snapshot
    of_plan int := spm._plan_id(_draft_id.plan);
    id int;
BEGIN
    SELECT v.plan_version_id INTO id FROM spm.plan_version v
    WHERE v.plan_id = of_plan AND v.state = 'draft'
    ORDER BY v.version_no DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'plan "%" has no draft version', _draft_id.plan
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'A published version never changes.',
                  HINT = format('SELECT spm.new_plan_version(%L, since => ...);', _draft_id.plan);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._draft_id(text) IS 'plan_version_id of the draft of a plan, or error 55000.';
REVOKE ALL ON FUNCTION spm._draft_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._target(OUT payee_id int, OUT position_id int, OUT title_id int,
                                       payee text, "position" text, title text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    _target.payee_id := CASE WHEN _target.payee IS NOT NULL THEN spm._payee_id(_target.payee) END;
    _target.position_id := CASE WHEN _target."position" IS NOT NULL THEN spm._position_id(_target."position") END;
    _target.title_id := CASE WHEN _target.title IS NOT NULL THEN spm._title_id(_target.title) END;
END
$$;
COMMENT ON FUNCTION spm._target(text, text, text) IS 'Keys of a payee, a position and a title given by name, or error 42704.';
REVOKE ALL ON FUNCTION spm._target(text, text, text) FROM PUBLIC;

-- ------------------------------------------------------------------ variables

CREATE OR REPLACE FUNCTION spm.set_variable(variable text, value numeric, payee text DEFAULT NULL,
                                            "position" text DEFAULT NULL, title text DEFAULT NULL,
                                            since date DEFAULT '-infinity', until date DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_variable int;
    target record;
    days daterange := daterange(nullif(set_variable.since, '-infinity'), nullif(set_variable.until, 'infinity'));
    id int;
BEGIN
    IF num_nonnulls(set_variable.payee, set_variable."position", set_variable.title) > 1 THEN
        RAISE EXCEPTION 'a value is for a payee, a position or a title, not for more than one of them'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    target := spm._target(set_variable.payee, set_variable."position", set_variable.title);
    INSERT INTO spm.variable (name) VALUES (set_variable.variable) ON CONFLICT (name) DO NOTHING;
    SELECT v.variable_id INTO of_variable FROM spm.variable v WHERE v.name = set_variable.variable;
    -- the value before it ends where this one begins
    UPDATE spm.variable_value v SET span = daterange(lower(v.span), lower(days))
    WHERE v.variable_id = of_variable AND v.span && days AND lower(days) IS NOT NULL
      AND (lower_inf(v.span) OR lower(v.span) < lower(days)) AND upper_inf(v.span)
      AND v.payee_id IS NOT DISTINCT FROM target.payee_id
      AND v.position_id IS NOT DISTINCT FROM target.position_id
      AND v.title_id IS NOT DISTINCT FROM target.title_id;
    INSERT INTO spm.variable_value (variable_id, payee_id, position_id, title_id, span, value)
    VALUES (of_variable, target.payee_id, target.position_id, target.title_id, days, set_variable.value)
    RETURNING variable_value_id INTO id;
    RETURN id;
EXCEPTION WHEN exclusion_violation THEN
    RAISE EXCEPTION 'variable "%" has a value in that time already', set_variable.variable
        USING ERRCODE = 'exclusion_violation',
              DETAIL = format('The new value would hold for %s.', days),
              HINT = 'Give since a later day than the value that is there, or end that one first in spm.variable_value.';
END
$$;
COMMENT ON FUNCTION spm.set_variable(text, numeric, text, text, text, date, date) IS
'Sets the value of a variable from a day on, making the variable if need be; returns the variable_value_id. An open-ended value before it is ended.
variable: name. value: what rates are multiplied by. payee, position, title: whom it is for, by key or name; none: everybody. since: first day. until: day after the last; NULL: for good.
Errors: 42704 for an unknown payee, position or title; 23P01 where a value exists already; 22023 for two targets; 23514 for a value outside of what spm.limit_variable() allows.
Example: SELECT spm.set_variable(''commission_pct'', 0.012, payee => ''275'', since => ''2026-01-01'');';

CREATE OR REPLACE FUNCTION spm.prorate_variable(variable text, is_prorated boolean DEFAULT true)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF prorate_variable.is_prorated IS NULL THEN
        RAISE EXCEPTION 'a variable is an amount for a period, or it is not' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO spm.variable AS v (name, is_prorated) VALUES (prorate_variable.variable, prorate_variable.is_prorated)
    ON CONFLICT (name) DO UPDATE SET is_prorated = EXCLUDED.is_prorated WHERE v.is_prorated <> EXCLUDED.is_prorated;
END
$$;
COMMENT ON FUNCTION spm.prorate_variable(text, boolean) IS
'Says whether a variable is an amount for a whole period, such as a target incentive or a salary, which components that prorate reduce for a part of one; makes the variable if need be. A percentage is not.
variable: name. is_prorated: whether it is one. What is posted follows, as a difference in the next period.
Errors: 22023 for NULL.
Example: SELECT spm.prorate_variable(''target_incentive'');';

CREATE OR REPLACE FUNCTION spm.limit_variable(variable text, allowed numrange)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    other spm.variable_value;
BEGIN
    IF isempty(limit_variable.allowed) THEN
        RAISE EXCEPTION 'a variable cannot keep to an empty range' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a range such as ''[0,1]''.';
    END IF;
    INSERT INTO spm.variable (name) VALUES (limit_variable.variable) ON CONFLICT (name) DO NOTHING;
    UPDATE spm.variable v SET allowed = limit_variable.allowed WHERE v.name = limit_variable.variable AND v.allowed IS DISTINCT FROM limit_variable.allowed;
    SELECT x.* INTO other FROM spm.variable_value x JOIN spm.variable v USING (variable_id)
    WHERE v.name = limit_variable.variable AND NOT x.value <@ v.allowed ORDER BY x.variable_value_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'variable "%" has the value % already, and may be %', limit_variable.variable, trim_scale(other.value), limit_variable.allowed
            USING ERRCODE = 'check_violation', DETAIL = format('It is row %s of spm.variable_value, for %s.', other.variable_value_id, other.span),
                  HINT = 'Correct that value first, or allow more.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.limit_variable(text, numrange) IS
'Says between what the values of a variable must lie, so that 101 % or a slip of the decimal point is refused where it is typed; makes the variable if need be.
variable: name. allowed: range, [0,1] for a percentage; NULL: any value.
Errors: 22023 for an empty range, 23514 when there is a value outside.
Example: SELECT spm.limit_variable(''commission_pct'', ''[0,1]'');';

CREATE OR REPLACE FUNCTION spm._check_variable_value()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_variable spm.variable;
BEGIN
    SELECT v.* INTO of_variable FROM spm.variable v WHERE v.variable_id = NEW.variable_id;
    IF NOT NEW.value <@ of_variable.allowed THEN
        RAISE EXCEPTION 'variable "%" cannot be %', of_variable.name, trim_scale(NEW.value)
            USING ERRCODE = 'check_violation', DETAIL = format('Its values lie in %s.', of_variable.allowed),
                  HINT = format('SELECT spm.limit_variable(%L, range); allows others.', of_variable.name);
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._check_variable_value() IS 'Keeps values of a variable in the range that it allows; error 23514.';
REVOKE ALL ON FUNCTION spm._check_variable_value() FROM PUBLIC;

CREATE OR REPLACE TRIGGER check_value BEFORE INSERT OR UPDATE OF value, variable_id ON spm.variable_value
    FOR EACH ROW EXECUTE FUNCTION spm._check_variable_value();

CREATE OR REPLACE FUNCTION spm.variable_value(variable_id int, payee_id int, position_id int, span daterange)
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT v.value
    FROM spm.variable_value v
    WHERE v.variable_id = variable_value.variable_id AND v.span && variable_value.span
      AND (v.payee_id = variable_value.payee_id OR v.position_id = variable_value.position_id
           OR v.title_id = (SELECT p.title_id FROM spm.position p WHERE p.position_id = variable_value.position_id)
           OR num_nonnulls(v.payee_id, v.position_id, v.title_id) = 0)
    ORDER BY CASE WHEN v.payee_id IS NOT NULL THEN 1 WHEN v.position_id IS NOT NULL THEN 2
                  WHEN v.title_id IS NOT NULL THEN 3 ELSE 4 END, v.span
    LIMIT 1;
END;
COMMENT ON FUNCTION spm.variable_value(int, int, int, daterange) IS
'Value of a variable that counts for a payee in a position during a span: the payee''s own goes before the position''s, the title''s and everybody''s; of several within the span the first. NULL: none.
Example: SELECT spm.variable_value(1, 1, 1, ''[2026-01-01,2026-04-01)'');';

-- -------------------------------------------------------------- writing plans

CREATE OR REPLACE FUNCTION spm.create_plan(name text, calendar text, currency text, since date,
                                           rate_type text DEFAULT 'spot')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_calendar int;
    id int;
BEGIN
    PERFORM spm._check_name('plan', create_plan.name);
    SELECT c.calendar_id INTO of_calendar FROM spm.calendar c WHERE c.name = create_plan.calendar;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'calendar "%" does not exist', create_plan.calendar
            USING ERRCODE = 'undefined_object', HINT = 'spm.create_calendar() or spm.load_periods() makes one.';
    END IF;
    IF NOT EXISTS (SELECT FROM spm.currency c WHERE c.currency_code = create_plan.currency) THEN
        RAISE EXCEPTION 'currency "%" does not exist', create_plan.currency
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_currency(%L);', create_plan.currency);
    END IF;
    INSERT INTO spm.plan (name, calendar_id, currency_code, rate_type)
    VALUES (create_plan.name, of_calendar, create_plan.currency, create_plan.rate_type)
    RETURNING plan_id INTO id;
    INSERT INTO spm.plan_version (plan_id, version_no, span) VALUES (id, 1, daterange(create_plan.since, NULL));
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.create_plan(text, text, text, date, text) IS
'Creates a plan with an empty draft version 1, and returns its plan_id.
name: unique. calendar: whose periods it is calculated for. currency: ISO code it measures and pays in. since: first day. rate_type: exchange rates it converts by.
Errors: 42704 for an unknown calendar or currency, 23505 when the name is taken, 22023 for one that is empty, has a line feed, or more than 200 characters.
Example: SELECT spm.create_plan(''Account Executive'', ''fiscal'', ''USD'', ''2026-01-01'');';

CREATE OR REPLACE FUNCTION spm.new_plan_version(plan text, since date)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := spm._plan_id(new_plan_version.plan);
    before spm.plan_version;
    id int;
BEGIN
    SELECT v.* INTO before FROM spm.plan_version v WHERE v.plan_id = of_plan ORDER BY v.version_no DESC LIMIT 1;
    IF before.state = 'draft' THEN
        RAISE EXCEPTION 'plan "%" has a draft already: version %', new_plan_version.plan, before.version_no
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('SELECT spm.publish_plan(%L);', new_plan_version.plan);
    END IF;
    INSERT INTO spm.plan_version (plan_id, version_no, span)
    VALUES (of_plan, before.version_no + 1, daterange(new_plan_version.since, NULL))
    RETURNING plan_version_id INTO id;
    PERFORM spm._write_content(id, spm._plan_content(before.plan_version_id));
    RETURN before.version_no + 1;
END
$$;
COMMENT ON FUNCTION spm.new_plan_version(text, date) IS
'Starts the next version of a plan as a draft, a copy of the last one, and returns its number.
plan: name. since: first day of the new version; publishing it ends the version before on that day.
Errors: 42704 for an unknown plan, 55000 while there is a draft.
Example: SELECT spm.new_plan_version(''Account Executive'', ''2026-07-01'');';

CREATE OR REPLACE FUNCTION spm.assign_plan(plan text, since date, until date DEFAULT NULL, payee text DEFAULT NULL,
                                           "position" text DEFAULT NULL, title text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target record;
    id int;
BEGIN
    IF num_nonnulls(assign_plan.payee, assign_plan."position", assign_plan.title) <> 1 THEN
        RAISE EXCEPTION 'a plan is assigned to a payee, a position or a title'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('SELECT spm.assign_plan(%L, since => %L, title => ...);', assign_plan.plan, assign_plan.since);
    END IF;
    target := spm._target(assign_plan.payee, assign_plan."position", assign_plan.title);
    INSERT INTO spm.plan_assignment (plan_id, payee_id, position_id, title_id, span)
    VALUES (spm._plan_id(assign_plan.plan), target.payee_id, target.position_id, target.title_id,
            daterange(assign_plan.since, assign_plan.until))
    RETURNING plan_assignment_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.assign_plan(text, date, date, text, text, text) IS
'Puts a payee, a position or everybody in a title on a plan, and returns the plan_assignment_id.
plan: name. since: first day. until: day after the last; NULL: for good. payee, position, title: exactly one, by key or name.
Errors: 22023 unless exactly one is given, 42704 for an unknown name, 23P01 when it is assigned already in that time.
Example: SELECT spm.assign_plan(''Account Executive'', ''2026-01-01'', title => ''AE'');';

-- ---------------------------------------------------------------- publishing

CREATE OR REPLACE FUNCTION spm.publish_plan(plan text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    draft int := spm._draft_id(publish_plan.plan);
    version spm.plan_version;
    defects text;
    number bigint;
BEGIN
    SELECT v.* INTO version FROM spm.plan_version v WHERE v.plan_version_id = draft FOR UPDATE;
    SELECT count(*), string_agg(format('%s: %s', coalesce(d.component, 'plan'), d.defect), E'\n') INTO number, defects
    FROM spm.plan_defect(publish_plan.plan, version.version_no) d;
    IF number > 0 THEN
        RAISE EXCEPTION 'plan "%" version % has % defect(s)', publish_plan.plan, version.version_no, number
            USING ERRCODE = 'check_violation', DETAIL = defects,
                  HINT = format('SELECT * FROM spm.plan_defect(%L); names the repair of each.', publish_plan.plan);
    END IF;
    -- the version before ends where this one begins
    UPDATE spm.plan_version v SET span = v.span * daterange(NULL, lower(version.span)), state = 'retired'
    WHERE v.plan_id = version.plan_id AND v.state = 'published' AND lower(v.span) < lower(version.span);
    UPDATE spm.plan_version v
    SET state = 'published', published_at = clock_timestamp(), published_by = session_user,
        content_hash = spm._plan_hash(v.plan_version_id)
    WHERE v.plan_version_id = version.plan_version_id;
    RETURN version.version_no;
EXCEPTION WHEN exclusion_violation THEN
    RAISE EXCEPTION 'plan "%" version % overlaps a version that is published', publish_plan.plan, version.version_no
        USING ERRCODE = 'exclusion_violation',
              HINT = 'Let it begin after the first day of the version before.';
END
$$;
COMMENT ON FUNCTION spm.publish_plan(text) IS
'Publishes the draft of a plan, and returns its version number. From then on the version never changes; the one before it ends where it begins.
plan: name.
Errors: 23514 with every defect in the detail, 55000 without a draft, 23P01 when it would begin before the published version.
Example: SELECT spm.publish_plan(''Account Executive'');';

CREATE OR REPLACE FUNCTION spm.retire_plan(plan text, until date)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := spm._plan_id(retire_plan.plan);
BEGIN
    UPDATE spm.plan_version v SET span = v.span * daterange(NULL, retire_plan.until), state = 'retired'
    WHERE v.plan_id = of_plan AND v.state = 'published' AND v.span @> retire_plan.until;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'plan "%" has no published version on %', retire_plan.plan, retire_plan.until
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.retire_plan(text, date) IS
'Ends a plan: its published version applies no longer from a day on.
plan: name. until: day after the last one.
Errors: 55000 when no published version holds on that day.
Example: SELECT spm.retire_plan(''Account Executive'', ''2027-01-01'');';

CREATE OR REPLACE FUNCTION spm._guard_plan_version()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.span @> NEW.span AND lower(OLD.span) IS NOT DISTINCT FROM lower(NEW.span)
       AND NEW.state IN (OLD.state, 'retired')
       AND (OLD.plan_id, OLD.version_no, OLD.published_at, OLD.published_by, OLD.content_hash)
           IS NOT DISTINCT FROM (NEW.plan_id, NEW.version_no, NEW.published_at, NEW.published_by, NEW.content_hash) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a published plan version never changes'
        USING ERRCODE = 'restrict_violation', DETAIL = format('Version %s of plan %s is %s.', OLD.version_no, OLD.plan_id, OLD.state),
              HINT = 'SELECT spm.new_plan_version(plan, since);';
END
$$;
COMMENT ON FUNCTION spm._guard_plan_version() IS 'Trigger: a published version may only end.';
REVOKE ALL ON FUNCTION spm._guard_plan_version() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_plan()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (OLD.calendar_id, OLD.currency_code, OLD.rate_type) IS DISTINCT FROM (NEW.calendar_id, NEW.currency_code, NEW.rate_type)
       AND EXISTS (SELECT FROM spm.plan_version v WHERE v.plan_id = OLD.plan_id AND v.state <> 'draft') THEN
        RAISE EXCEPTION 'calendar, currency and rate type of a published plan never change'
            USING ERRCODE = 'restrict_violation', DETAIL = format('Plan "%s" has a published version.', OLD.name),
                  HINT = 'Retire it and import it as another plan: spm.retire_plan(), spm.export_plan(), spm.import_plan().';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_plan() IS 'Trigger: what all versions of a plan share stays as it is once one is published.';
REVOKE ALL ON FUNCTION spm._guard_plan() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_component()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part jsonb := to_jsonb(OLD);
BEGIN
    -- additions are found by the hash of the version: a restore must be able to load them
    IF EXISTS (SELECT FROM spm.plan_version v
               WHERE v.plan_version_id = coalesce((part ->> 'plan_version_id')::int, (
                         SELECT c.plan_version_id FROM spm.component c WHERE c.component_id = (part ->> 'component_id')::int))
                 AND v.state <> 'draft') THEN
        RAISE EXCEPTION 'a published plan version never changes'
            USING ERRCODE = 'restrict_violation', DETAIL = format('This row of spm.%s belongs to one: %s', TG_TABLE_NAME, part),
                  HINT = 'SELECT spm.new_plan_version(plan, since);';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION spm._guard_component() IS 'Trigger: the rows that a published version consists of stay as they are. For tables with component_id or plan_version_id.';
REVOKE ALL ON FUNCTION spm._guard_component() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_name()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    used record;
BEGIN
    SELECT p.name, v.version_no INTO used
    FROM spm.plan p JOIN spm.plan_version v USING (plan_id)
    WHERE v.state <> 'draft' AND NEW.name <> OLD.name
      AND jsonb_path_exists(spm._plan_content(v.plan_version_id), format('strict $.**.%I ? (@ == $name)', TG_TABLE_NAME)::jsonpath,
                            jsonb_build_object('name', OLD.name), true)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a published plan names % "%"', TG_TABLE_NAME, OLD.name
            USING ERRCODE = 'restrict_violation', DETAIL = format('Version %s of plan "%s" does.', used.version_no, used.name),
                  HINT = 'Make another one of the new name, and a new version of the plan that uses it.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_name() IS 'Trigger: what a published version means by its name keeps it.';
REVOKE ALL ON FUNCTION spm._guard_name() FROM PUBLIC;

-- --------------------------------------------------------- guarding the ledger

CREATE OR REPLACE FUNCTION spm._guard_ledger()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM spm.posting p WHERE p.posting_id IN (OLD.posting_id, NEW.posting_id) AND p.state = 'posted') THEN
        RAISE EXCEPTION 'a posted row of spm.% never changes', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation',
                  HINT = 'Correct its cause: the next calculation pays the difference.';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION spm._guard_ledger() IS 'Trigger: rows of a posted posting stay as they are, and no row is moved into one.';
REVOKE ALL ON FUNCTION spm._guard_ledger() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_currency()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- a credit is in the currency of its transaction, a payout in that of its plan
    IF NEW.minor_digits <> OLD.minor_digits AND EXISTS (
        SELECT FROM spm.credit c JOIN spm.posting o USING (posting_id) WHERE o.state = 'posted' AND c.currency_code = OLD.currency_code
        UNION ALL
        SELECT FROM spm.payout y JOIN spm.posting o USING (posting_id) WHERE o.state = 'posted' AND y.currency_code = OLD.currency_code
        UNION ALL
        SELECT FROM spm.adjustment a JOIN spm.period p USING (period_id) WHERE p.state = 'posted' AND a.currency_code = OLD.currency_code
        UNION ALL
        SELECT FROM spm.payment y WHERE y.currency_code = OLD.currency_code) THEN
        RAISE EXCEPTION 'currency % is posted with % digits, and keeps them', OLD.currency_code, OLD.minor_digits
            USING ERRCODE = 'restrict_violation', DETAIL = 'Amounts that are posted were rounded to them, and would be calculated anew.',
                  HINT = 'Round what is paid from now on by its component: places => ... of spm.add_component(), in a new version of the plan.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_currency() IS 'Trigger: a currency in which something is posted keeps its digits. Error 23001.';
REVOKE ALL ON FUNCTION spm._guard_currency() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._refuse_truncate()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'spm.% cannot be emptied', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
COMMENT ON FUNCTION spm._refuse_truncate() IS 'Trigger: a ledger is not truncated.';
REVOKE ALL ON FUNCTION spm._refuse_truncate() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_author()
    RETURNS trigger
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entered jsonb := to_jsonb(NEW);
    fields text;
BEGIN
    -- a restore brings what others have recorded; the owner of the tables runs it
    IF pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'MEMBER') THEN
        RETURN NEW;
    END IF;
    SELECT string_agg(f, ', ' ORDER BY n) INTO fields FROM unnest(TG_ARGV) WITH ORDINALITY a (f, n)
    WHERE entered ->> f IS DISTINCT FROM CASE n WHEN 1 THEN session_user END;
    IF fields IS NOT NULL THEN
        RAISE EXCEPTION 'a row of spm.% is recorded in the name of the login that enters it', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('This is %s. Not so: %s', session_user, fields),
                  HINT = 'Leave these columns out; what is decided later is another call.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_author() IS 'Trigger: the column named first is the login, those named after it are empty, but for the owner of the table. Error 42501.';
REVOKE ALL ON FUNCTION spm._guard_author() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_posted()
    RETURNS trigger
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    paying text;
BEGIN
    -- a restore loads what was posted; the owner of the tables runs it
    IF pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'MEMBER') THEN
        RETURN NULL;
    END IF;
    SELECT p.name INTO paying FROM added n JOIN spm.posting o USING (posting_id) JOIN spm.period p ON p.period_id = o.period_id
    WHERE o.state = 'posted' ORDER BY p.span LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % is posted, and nothing is added to it', paying
            USING ERRCODE = 'restrict_violation', HINT = 'The next calculation pays what is new; by hand: SELECT spm.add_adjustment(payee, period, amount, currency, reason);';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._guard_posted() IS 'Trigger: nobody but the owner of the table adds rows to a posted posting. Error 23001.';
REVOKE ALL ON FUNCTION spm._guard_posted() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_credited()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_used boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM spm.credit c WHERE c.%1$I = ($1).%1$I%2$s)', TG_ARGV[0],
        CASE TG_ARGV[0] WHEN 'position_id' THEN ' OR c.origin_position_id = ($1).position_id' ELSE '' END) INTO is_used USING OLD;
    IF is_used THEN
        RAISE EXCEPTION 'credits refer to this row of spm.%', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation', DETAIL = format('%s', OLD), HINT = 'End it by its span instead.';
    END IF;
    RETURN OLD;
END
$$;
COMMENT ON FUNCTION spm._guard_credited() IS 'Trigger: what a credit refers to is not deleted. Its argument is the key.';
REVOKE ALL ON FUNCTION spm._guard_credited() FROM PUBLIC;

CREATE OR REPLACE TRIGGER guard_credited BEFORE DELETE ON spm.payee
    FOR EACH ROW EXECUTE FUNCTION spm._guard_credited('payee_id');
CREATE OR REPLACE TRIGGER guard_credited BEFORE DELETE ON spm.position
    FOR EACH ROW EXECUTE FUNCTION spm._guard_credited('position_id');
CREATE OR REPLACE TRIGGER guard_credited BEFORE DELETE ON spm.period
    FOR EACH ROW EXECUTE FUNCTION spm._guard_credited('period_id');
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.schedule
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE ON spm.currency
    FOR EACH ROW EXECUTE FUNCTION spm._guard_currency();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE ON spm.plan
    FOR EACH ROW EXECUTE FUNCTION spm._guard_plan();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.plan_version
    FOR EACH ROW EXECUTE FUNCTION spm._guard_plan_version();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.component
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.tier
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.component_input
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.modifier
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE OR REPLACE TRIGGER guard_name BEFORE UPDATE OF name ON spm.measure
    FOR EACH ROW EXECUTE FUNCTION spm._guard_name();
CREATE OR REPLACE TRIGGER guard_name BEFORE UPDATE OF name ON spm.variable
    FOR EACH ROW EXECUTE FUNCTION spm._guard_name();
CREATE OR REPLACE TRIGGER guard_name BEFORE UPDATE OF name ON spm.lookup
    FOR EACH ROW EXECUTE FUNCTION spm._guard_name();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.posting
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.credit
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.measurement
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.earning
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.payout
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.credit
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.measurement
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.earning
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER guard_posted AFTER INSERT ON spm.payout
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spm._guard_posted();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.payout
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
/*
 * compensation/functions_capitalization.sql: the arithmetic of amortisation,
 * and how contract costs are declared and written off.
 *
 * Time is counted in units of a month's part, so that everything stays exact:
 * days of the first month where it counts by days, halves, or whole months.
 */

CREATE OR REPLACE FUNCTION spm._month(date date)
    RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT date_trunc('month', _month.date::timestamp)::date;
END;
COMMENT ON FUNCTION spm._month(date) IS 'First day of the month.';
REVOKE ALL ON FUNCTION spm._month(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._month_unit(since date, first_month text)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE _month_unit.first_month
        WHEN 'partial' THEN extract(day FROM date_trunc('month', _month_unit.since::timestamp) + interval '1 month' - interval '1 day')::int
        WHEN 'half' THEN 2 ELSE 1 END;
END;
COMMENT ON FUNCTION spm._month_unit(date, text) IS 'Into how many units a month is divided: its days, halves, or one.';
REVOKE ALL ON FUNCTION spm._month_unit(date, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._first_units(since date, first_month text)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE _first_units.first_month
        WHEN 'partial' THEN spm._month_unit(_first_units.since, 'partial') - extract(day FROM _first_units.since)::int + 1
        WHEN 'next' THEN 0 ELSE 1 END;
END;
COMMENT ON FUNCTION spm._first_units(date, text) IS 'How many units of spm._month_unit() count in the first month.';
REVOKE ALL ON FUNCTION spm._first_units(date, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._last_no(since date, first_month text, months int)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT _last_no.months - CASE WHEN spm._first_units(_last_no.since, _last_no.first_month) = spm._month_unit(_last_no.since, _last_no.first_month) THEN 1 ELSE 0 END;
END;
COMMENT ON FUNCTION spm._last_no(date, text, int) IS 'Number of the month in which the last part is amortised; the first is 0.';
REVOKE ALL ON FUNCTION spm._last_no(date, text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._month_no(date date)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT (extract(year FROM _month_no.date) * 12 + extract(month FROM _month_no.date))::int;
END;
COMMENT ON FUNCTION spm._month_no(date) IS 'Months up to a day, since the beginning of our era.';
REVOKE ALL ON FUNCTION spm._month_no(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.amortization(amount numeric, months int, since date, first_month text DEFAULT 'full', places int DEFAULT 2,
                                            OUT month date, OUT amortized_amount numeric, OUT carrying_amount numeric)
    RETURNS SETOF record
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF amortization.months NOT BETWEEN 1 AND 1200 THEN
        RAISE EXCEPTION 'months must be from 1 to 1200, not %', amortization.months USING ERRCODE = 'invalid_parameter_value';
    ELSIF amortization.first_month NOT IN ('full', 'partial', 'half', 'next') THEN
        RAISE EXCEPTION 'there is no first_month "%"', left(amortization.first_month, 40)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'full, partial (by days), half or next.';
    ELSIF amortization.since NOT BETWEEN '0001-01-01' AND '9000-01-01' THEN
        RAISE EXCEPTION 'since must be a day of our era, not %', amortization.since USING ERRCODE = 'invalid_parameter_value';
    ELSIF amortization.amount IN ('NaN', 'Infinity', '-Infinity') THEN
        RAISE EXCEPTION 'amount must be a number, not %', amortization.amount USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
        SELECT s.month, coalesce(lag(s.left_amount) OVER (ORDER BY s.month), amortization.amount) - s.left_amount, s.left_amount
        FROM (SELECT (spm._month(amortization.since) + make_interval(months => g.no))::date AS month,
                     spm.rounded(amortization.amount * (t.total - least(t.total, u.first + g.no * u.unit)) / t.total, amortization.places) AS left_amount
              FROM (SELECT spm._month_unit(amortization.since, amortization.first_month) AS unit,
                           spm._first_units(amortization.since, amortization.first_month) AS first) u
              CROSS JOIN LATERAL (SELECT amortization.months * u.unit AS total) t
              CROSS JOIN generate_series(0, spm._last_no(amortization.since, amortization.first_month, amortization.months)) g(no)) s
        ORDER BY s.month;
END
$$;
COMMENT ON FUNCTION spm.amortization(numeric, int, date, text, int) IS
'An amount spread in a straight line, month by month: first day of the month, what is amortised in it, what is left at its end. What is left is rounded, so that the months add up to the amount exactly.
amount: money. months: 1 to 1200. since: day it starts. first_month: full (counts whole), partial (its days that are left; the rest falls into one more month at the end), half, next (begins with the following month). places: decimal places.
Errors: 22023 for an argument that makes no sense.
Example: SELECT * FROM spm.amortization(2400, 24, ''2026-01-15'') is 100 a month.
Source: straight line over the months, ASC 340-40-35-1.';

CREATE OR REPLACE FUNCTION spm.set_capitalization(plan text, component text, months int, term text DEFAULT NULL,
                                                  since date DEFAULT '-infinity', until date DEFAULT NULL, type text DEFAULT NULL,
                                                  first_month text DEFAULT 'full', expedient boolean DEFAULT true, late text DEFAULT 'catch-up')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := spm._plan_id(set_capitalization.plan);
    room daterange;
    posted daterange;
    id int;
BEGIN
    IF set_capitalization.component IS NOT NULL AND NOT EXISTS (
        SELECT FROM spm.component c JOIN spm.plan_version v USING (plan_version_id)
        WHERE v.plan_id = of_plan AND c.name = set_capitalization.component) THEN
        RAISE EXCEPTION 'plan "%" has no component "%"', set_capitalization.plan, set_capitalization.component
            USING ERRCODE = 'undefined_object', HINT = 'Components are: '
                || coalesce((SELECT string_agg(DISTINCT c.name, ', ') FROM spm.component c JOIN spm.plan_version v USING (plan_version_id)
                             WHERE v.plan_id = of_plan), 'none') || '. NULL means all.';
    END IF;
    IF set_capitalization.months IS NULL OR set_capitalization.months NOT BETWEEN 1 AND 1200 THEN
        RAISE EXCEPTION 'months must be from 1 to 1200, not %', coalesce(set_capitalization.months::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give the benefit period; with term it counts where a transaction has no usable term.';
    ELSIF set_capitalization.first_month NOT IN ('full', 'partial', 'half', 'next') THEN
        RAISE EXCEPTION 'there is no first_month "%"', set_capitalization.first_month
            USING ERRCODE = 'invalid_parameter_value', HINT = 'full, partial (by days), half or next.';
    ELSIF set_capitalization.late NOT IN ('catch-up', 'prospective') THEN
        RAISE EXCEPTION 'there is no treatment "%" of late differences', set_capitalization.late
            USING ERRCODE = 'invalid_parameter_value', HINT = 'catch-up or prospective.';
    END IF;
    room := spm._make_room('spm.capitalization',
        jsonb_build_object('plan_id', of_plan, 'component_name', coalesce(set_capitalization.component, ''),
                           'transaction_type', coalesce(set_capitalization.type, ''))::text,
        'the capitalization', set_capitalization.since, set_capitalization.until);
    -- what is posted keeps the treatment that it had
    SELECT p.span INTO posted
    FROM spm.period p JOIN spm.plan n USING (calendar_id)
    WHERE n.plan_id = of_plan AND p.state = 'posted' AND p.span && room
      AND EXISTS (SELECT FROM spm.capitalization k
                  WHERE k.plan_id = of_plan AND k.span && p.span
                    AND (k.component_name = '' OR coalesce(set_capitalization.component, k.component_name) = k.component_name)
                    AND (k.transaction_type = '' OR coalesce(set_capitalization.type, k.transaction_type) = k.transaction_type))
    ORDER BY p.span DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'contract costs of posted periods keep their treatment'
            USING ERRCODE = 'restrict_violation', DETAIL = format('Periods are posted until %s.', upper(posted)),
                  HINT = format('Let it begin later: since => %L.', upper(posted));
    END IF;
    INSERT INTO spm.capitalization (plan_id, component_name, transaction_type, span, months, term_attribute, first_month, is_expedient, late)
    VALUES (of_plan, coalesce(set_capitalization.component, ''), coalesce(set_capitalization.type, ''), room, set_capitalization.months,
            nullif(set_capitalization.term, ''), set_capitalization.first_month, set_capitalization.expedient, set_capitalization.late)
    RETURNING capitalization_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_capitalization(text, text, int, text, date, date, text, text, boolean, text) IS
'Says that what deals earn by a component is a cost of obtaining the contract, spread over months (ASC 340-40, IFRS 15); returns the capitalization_id. One that holds already ends where it begins.
plan: name. component: name, NULL for all. months: benefit period. term: attribute of the transaction with the contract term in months, which goes before months. since, until: days of the transactions, until exclusive. type: type of the transaction, NULL for all; what is more particular counts.
first_month: full, partial (by days), half or next. expedient: whether twelve months or less are expensed at once. late: differences to posted earnings are caught up at once (catch-up) or spread over the rest (prospective).
Errors: 42704 for an unknown plan or component; 22023 for months or a word that makes no sense; 23P01 when one starts on the same day; 23001 when it would change the treatment of what is posted.
Example: SELECT spm.set_capitalization(''Account Executive'', ''Commission'', 60, term => ''term_months'');';

CREATE OR REPLACE FUNCTION spm.impair("transaction" text, impaired_on date, reason text, share numeric DEFAULT 1,
                                      source text DEFAULT NULL, line text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_source text;
    sources bigint;
    last_day date;
    posted spm.period;
    n int;
BEGIN
    IF impair.share IS NULL OR NOT (impair.share > 0 AND impair.share <= 1) THEN
        RAISE EXCEPTION 'share must be above 0 and at most 1, not %', coalesce(impair.share::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = '1 writes all off that is left; 0.25 a quarter of it.';
    ELSIF coalesce(impair.reason, '') = '' THEN
        RAISE EXCEPTION 'an impairment needs a reason' USING ERRCODE = 'invalid_parameter_value', HINT = 'reason => ''contract cancelled''';
    ELSIF impair.impaired_on IS NULL OR NOT isfinite(impair.impaired_on) THEN
        RAISE EXCEPTION 'an impairment needs a day' USING ERRCODE = 'invalid_parameter_value', HINT = 'impaired_on => ''2026-05-10''';
    END IF;
    -- what is left is told by the one before
    LOCK TABLE spm.impairment IN SHARE ROW EXCLUSIVE MODE;
    SELECT min(c.source), count(DISTINCT c.source), max(c.event_date) INTO of_source, sources, last_day
    FROM spm.credit c JOIN spm.earning e USING (credit_id)
    WHERE c.transaction_key = impair."transaction" AND c.source = coalesce(impair.source, c.source) AND c.line = coalesce(impair.line, c.line);
    IF sources = 0 THEN
        RAISE EXCEPTION 'transaction % has earned nothing', impair."transaction"
            USING ERRCODE = 'undefined_object', HINT = 'SELECT * FROM spm_bi.contract_cost; shows what there is.';
    ELSIF sources > 1 THEN
        RAISE EXCEPTION 'transaction % is in more than one source', impair."transaction"
            USING ERRCODE = 'ambiguous_alias', HINT = format('Say which: source => %L.', of_source);
    ELSIF impair.impaired_on < last_day THEN
        RAISE EXCEPTION 'transaction % is of %, after %', impair."transaction", last_day, impair.impaired_on
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT p.* INTO posted FROM spm.period p
    WHERE p.state = 'posted' AND p.span @> impair.impaired_on
      AND EXISTS (SELECT FROM spm.capitalization k JOIN spm.plan n USING (plan_id) WHERE n.calendar_id = p.calendar_id)
    ORDER BY p.span DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % is posted', posted.name
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'What is posted does not change.',
                  HINT = format('Write it off in an open period: impaired_on => %L.', upper(posted.span));
    END IF;
    SELECT max(i.impaired_on) INTO last_day FROM spm.impairment i
    WHERE i.transaction_key = impair."transaction" AND i.source = of_source AND i.line = coalesce(impair.line, i.line);
    IF last_day > impair.impaired_on THEN
        RAISE EXCEPTION 'transaction % has an impairment of % already', impair."transaction", last_day
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'They are recorded in order of time: give a later day.';
    END IF;
    INSERT INTO spm.impairment (source, transaction_key, line, impaired_on, share, kept, reason)
    SELECT of_source, impair."transaction", d.line, impair.impaired_on, impair.share, coalesce(b.kept, 1) * (1 - impair.share), impair.reason
    FROM (SELECT DISTINCT c.line FROM spm.credit c JOIN spm.earning e USING (credit_id)
          WHERE c.transaction_key = impair."transaction" AND c.source = of_source AND c.line = coalesce(impair.line, c.line)) d
    LEFT JOIN LATERAL (SELECT i.kept FROM spm.impairment i
                       WHERE i.transaction_key = impair."transaction" AND i.source = of_source AND i.line = d.line
                       ORDER BY i.impairment_id DESC LIMIT 1) b ON true
    WHERE b.kept IS DISTINCT FROM 0;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n = 0 THEN
        RAISE EXCEPTION 'transaction % is written off already', impair."transaction" USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm.impair(text, date, text, numeric, text, text) IS
'Writes contract costs of a transaction off before their time, at the end of the month of a day; returns the number of lines. Until its period is posted it can be taken back: DELETE FROM spm.impairment.
transaction: key. impaired_on: day of the cancellation. reason: why. share: of what is left; 1 is all. source: needed when two sources have the key. line: NULL for all.
Errors: 42704 when the transaction has earned nothing; 42P09 when two sources have it; 22023 for a share, reason or day that makes no sense; 55000 when the day is posted, lies before another impairment, or nothing is left.
Example: SELECT spm.impair(''SO-1001'', ''2026-05-10'', ''contract cancelled'');';

CREATE OR REPLACE FUNCTION spm.impair_cancelled(period text, calendar text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    this spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(impair_cancelled.period, impair_cancelled.calendar));
    n int;
BEGIN
    IF this.state <> 'calculated' THEN
        RAISE EXCEPTION 'period % is %, not calculated', this.name, this.state
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE this.state WHEN 'open' THEN format('CALL spm.calculate(%L);', this.name) ELSE 'What is posted does not change.' END;
    END IF;
    LOCK TABLE spm.impairment IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO spm.impairment (source, transaction_key, line, impaired_on, share, kept, reason)
    WITH refund AS (    -- what this period takes back of deals, and of what earned nothing of its own
        SELECT c.source, c.reference_key AS transaction_key, c.transaction_key AS refund_key, c.line, min(c.event_date) AS event_date, -sum(c.credited_amount) AS amount
        FROM spm.credit c JOIN spm.posting o USING (posting_id)
        WHERE o.period_id = this.period_id AND o.state = 'draft' AND c.reference_key IS NOT NULL AND c.kind = 'direct' AND c.event = 'booking'
        GROUP BY c.source, c.reference_key, c.transaction_key, c.line
        HAVING sum(c.credited_amount) < 0
    ), deal AS (
        SELECT c.source, c.transaction_key, c.line, sum(c.credited_amount) AS amount
        FROM spm.standing_credit c
        WHERE c.kind = 'direct' AND c.event = 'booking' AND (c.source, c.transaction_key) IN (SELECT r.source, r.transaction_key FROM refund r)
        GROUP BY c.source, c.transaction_key, c.line
    ), before AS (      -- taken back by earlier postings
        SELECT c.source, c.reference_key AS transaction_key, c.line, -sum(c.credited_amount) AS amount
        FROM spm.credit c JOIN spm.posting o USING (posting_id)
        WHERE o.state = 'posted' AND c.kind = 'direct' AND c.event = 'booking'
          AND (c.source, c.reference_key) IN (SELECT r.source, r.transaction_key FROM refund r)
        GROUP BY c.source, c.reference_key, c.line
    ), part AS (        -- of the same line; of all where the deal has no such line
        SELECT d.source, d.transaction_key, d.line, sum(r.amount) AS refunded, max(d.amount) AS amount,
               max(r.event_date) AS event_date, string_agg(r.refund_key, ', ' ORDER BY r.refund_key) AS refund_keys
        FROM refund r
        JOIN deal d ON d.source = r.source AND d.transaction_key = r.transaction_key
        CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM deal e WHERE e.source = r.source AND e.transaction_key = r.transaction_key AND e.line = r.line) AS is_known) k
        WHERE d.amount > 0 AND (d.line = r.line OR NOT k.is_known)
          AND NOT EXISTS (SELECT FROM spm.credit c JOIN spm.earning e USING (credit_id)
                          WHERE c.source = r.source AND c.transaction_key = r.refund_key AND e.amount <> 0)
        GROUP BY d.source, d.transaction_key, d.line
    ), whole AS (       -- a refund without a line of the deal is of the sum of all lines
        SELECT p.*, CASE WHEN EXISTS (SELECT FROM refund r WHERE r.source = p.source AND r.transaction_key = p.transaction_key AND r.line = p.line) THEN p.amount
                         ELSE (SELECT sum(d.amount) FROM deal d WHERE d.source = p.source AND d.transaction_key = p.transaction_key) END
                    - coalesce((SELECT sum(b.amount) FROM before b WHERE b.source = p.source AND b.transaction_key = p.transaction_key
                                AND (b.line = p.line OR NOT EXISTS (SELECT FROM deal d WHERE d.source = b.source AND d.transaction_key = b.transaction_key AND d.line = b.line))), 0) AS left_amount
        FROM part p
    )
    SELECT w.source, w.transaction_key, w.line, greatest(w.event_date, lower(this.span)), s.share, coalesce(b.kept, 1) * (1 - s.share), 'taken back by ' || w.refund_keys
    FROM whole w
    CROSS JOIN LATERAL (SELECT CASE WHEN w.refunded >= w.left_amount THEN 1 ELSE w.refunded / w.left_amount END AS share) s
    LEFT JOIN LATERAL (SELECT i.kept, i.impaired_on FROM spm.impairment i
                       WHERE i.source = w.source AND i.transaction_key = w.transaction_key AND i.line = w.line ORDER BY i.impairment_id DESC LIMIT 1) b ON true
    WHERE b.kept IS DISTINCT FROM 0 AND coalesce(b.impaired_on <= greatest(w.event_date, lower(this.span)), true)
      AND EXISTS (SELECT FROM spm.contract_cost_lot l
                  WHERE l.source = w.source AND l.transaction_key = w.transaction_key AND l.line = w.line AND NOT l.is_expensed)
      AND NOT EXISTS (SELECT FROM spm.impairment i WHERE i.source = w.source AND i.transaction_key = w.transaction_key AND i.line = w.line
                        AND i.reason = 'taken back by ' || w.refund_keys)
    ORDER BY w.source, w.transaction_key, w.line;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION spm.impair_cancelled(text, text) IS
'Writes off the contract costs of deals that a calculated period takes back (by transactions with a reference to them) without taking back any commission; returns the number of lines. What takes back commission takes its asset along anyway; write off by spm.impair() what others keep. A second call adds nothing.
period: name. calendar: needed when two calendars have a period of that name.
The share that is written off is what is taken back of what was left of the deal.
Errors: 55000 unless the period is calculated and not yet posted; 42704 for an unknown period.
Example: SELECT spm.impair_cancelled(''2026-05'');';

CREATE OR REPLACE FUNCTION spm._guard_capitalization()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed datemultirange := datemultirange(OLD.span);
    posted daterange;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - 'span' = to_jsonb(OLD) - 'span' THEN
            changed := datemultirange(OLD.span) + datemultirange(NEW.span) - datemultirange(OLD.span * NEW.span);
        ELSE
            changed := changed + datemultirange(NEW.span);
        END IF;
    END IF;
    SELECT p.span INTO posted
    FROM spm.period p JOIN spm.plan n USING (calendar_id)
    WHERE n.plan_id = OLD.plan_id AND p.state = 'posted' AND p.span && changed
    ORDER BY p.span DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'contract costs of posted periods keep their treatment'
            USING ERRCODE = 'restrict_violation', DETAIL = format('Periods are posted until %s.', upper(posted)),
                  HINT = format('Let a new one begin later: spm.set_capitalization(..., since => %L).', upper(posted));
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION spm._guard_capitalization() IS 'Trigger: the treatment of deals in posted periods does not change. Error 23001.';
REVOKE ALL ON FUNCTION spm._guard_capitalization() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_impairment()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       OR EXISTS (SELECT FROM spm.period p WHERE p.state = 'posted' AND p.span @> OLD.impaired_on
                  AND EXISTS (SELECT FROM spm.capitalization k JOIN spm.plan n USING (plan_id) WHERE n.calendar_id = p.calendar_id))
       OR EXISTS (SELECT FROM spm.impairment i WHERE i.transaction_key = OLD.transaction_key AND i.source = OLD.source AND i.line = OLD.line
                  AND i.impairment_id > OLD.impairment_id) THEN
        RAISE EXCEPTION 'an impairment does not change'
            USING ERRCODE = 'restrict_violation',
                  DETAIL = format('Transaction %s/%s, of %s.', OLD.source, OLD.transaction_key, OLD.impaired_on),
                  HINT = 'The last of a deal can be deleted until its period is posted.';
    END IF;
    RETURN OLD;
END
$$;
COMMENT ON FUNCTION spm._guard_impairment() IS 'Trigger: an impairment does not change; the last of a deal can be deleted until its period is posted. Error 23001.';
REVOKE ALL ON FUNCTION spm._guard_impairment() FROM PUBLIC;

CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.capitalization
    FOR EACH ROW EXECUTE FUNCTION spm._guard_capitalization();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.impairment
    FOR EACH ROW EXECUTE FUNCTION spm._guard_impairment();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.capitalization
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.impairment
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
/*
 * compensation/functions_component.sql: pay elements, and what they stand on.
 */

CREATE OR REPLACE FUNCTION spm._variable_id(variable text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    SELECT v.variable_id INTO id FROM spm.variable v WHERE v.name = _variable_id.variable;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'variable "%" does not exist', _variable_id.variable
            USING ERRCODE = 'undefined_object',
                  HINT = format('SELECT spm.set_variable(%L, value, payee => ...);', _variable_id.variable);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._variable_id(text) IS 'variable_id of a name, or error 42704.';
REVOKE ALL ON FUNCTION spm._variable_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._lookup_id(lookup text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    SELECT l.lookup_id INTO id FROM spm.lookup l WHERE l.name = _lookup_id.lookup;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lookup table "%" does not exist', _lookup_id.lookup
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_lookup(%L, dimensions);', _lookup_id.lookup);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._lookup_id(text) IS 'lookup_id of a name, or error 42704.';
REVOKE ALL ON FUNCTION spm._lookup_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._of_draft(plan text, component text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(_of_draft.plan);
    id int;
BEGIN
    SELECT c.component_id INTO id FROM spm.component c WHERE c.plan_version_id = version AND c.name = _of_draft.component;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the draft of plan "%" has no component "%"', _of_draft.plan, _of_draft.component
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_component(%L, %L, rates);', _of_draft.plan, _of_draft.component);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._of_draft(text, text) IS 'component_id of a name in the draft of a plan, or error 42704.';
REVOKE ALL ON FUNCTION spm._of_draft(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_name(what text, name text)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(_check_name.name, '') = '' THEN
        RAISE EXCEPTION 'name of a % cannot be empty', _check_name.what USING ERRCODE = 'invalid_parameter_value';
    ELSIF _check_name.name <> spm._one_line(_check_name.name) OR length(_check_name.name) > 200 THEN
        RAISE EXCEPTION 'name of a % must be one line of at most 200 characters', _check_name.what
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It begins with "%s", and has %s characters.', left(spm._one_line(_check_name.name), 40), length(_check_name.name));
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_name(text, text) IS 'Error 22023 for a name that is empty, has control characters such as a line feed, or more than 200 characters.';
REVOKE ALL ON FUNCTION spm._check_name(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_choice(argument text, value text, relation regclass, of_column text)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off    -- the constraint is read as text
AS $$
DECLARE
    -- the words are those of the constraint of the column
    words text[] := (
        SELECT array(SELECT m[1] FROM regexp_matches(pg_get_constraintdef(c.oid), '''([^'']*)''::text', 'g') m)
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
        WHERE c.conrelid = _check_choice.relation AND c.contype = 'c' AND a.attname = _check_choice.of_column);
BEGIN
    IF _check_choice.value IS NULL OR _check_choice.value <> ALL (words) THEN
        RAISE EXCEPTION '% cannot be %', _check_choice.argument, coalesce(format('"%s"', _check_choice.value), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = format('It is one of: %s.', array_to_string(words, ', '));
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_choice(text, text, regclass, text) IS 'Error 22023, with the words to choose from, unless a value is one that the check constraint of a column names.';
REVOKE ALL ON FUNCTION spm._check_choice(text, text, regclass, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_component(plan text, name text, rates text, measure text DEFAULT 'amount',
                                             eligible text DEFAULT NULL, credits text DEFAULT 'direct',
                                             quota text DEFAULT NULL, accumulate text DEFAULT 'period',
                                             variable text DEFAULT NULL, unit text DEFAULT 'money',
                                             places int DEFAULT NULL, rounding text DEFAULT 'half_up',
                                             basis text DEFAULT 'credit', pay text DEFAULT 'amount',
                                             against text DEFAULT 'quota', prorate text DEFAULT 'none',
                                             true_up boolean DEFAULT false, group_by text DEFAULT NULL,
                                             credit_cap numeric DEFAULT NULL, lookup text DEFAULT NULL,
                                             lookup_by text[] DEFAULT NULL, ties text DEFAULT 'competition',
                                             event text DEFAULT 'booking', refund text DEFAULT 'running',
                                             refund_window interval DEFAULT NULL, refund_share numeric DEFAULT 1,
                                             earned_over int DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(add_component.plan);
    schedule spm.rate_schedule := add_component.rates::spm.rate_schedule;
    of_quota int := CASE WHEN add_component.quota IS NOT NULL THEN spm._measure_id(add_component.quota) END;
    of_variable int := CASE WHEN add_component.variable IS NOT NULL THEN spm._variable_id(add_component.variable) END;
    of_lookup int := CASE WHEN add_component.lookup IS NOT NULL THEN spm._lookup_id(add_component.lookup) END;
    measured text := spm.checked_expression(add_component.measure, 'numeric');
    condition text := spm.checked_expression(add_component.eligible, 'boolean');
    grouped text := spm.checked_expression(add_component.group_by, 'text');
    looked text[] := CASE WHEN add_component.lookup_by IS NOT NULL THEN
        array(SELECT spm._checked_key(e) FROM unnest(add_component.lookup_by) WITH ORDINALITY u(e, o) ORDER BY o) END;
    total text := CASE WHEN add_component.group_by IS NOT NULL AND add_component.accumulate = 'period' THEN 'group' ELSE add_component.accumulate END;
    id int;
BEGIN
    PERFORM spm._check_name('component', add_component.name);
    PERFORM spm._check_choice('credits', add_component.credits, 'spm.component', 'credit_kind'), spm._check_choice('unit', add_component.unit, 'spm.component', 'unit'),
        spm._check_choice('rounding', CASE add_component.rounding WHEN 'ceil' THEN 'ceiling' ELSE add_component.rounding END, 'spm.component', 'rounding'), spm._check_choice('basis', add_component.basis, 'spm.component', 'basis'),
        spm._check_choice('pay', add_component.pay, 'spm.component', 'pay'), spm._check_choice('against', add_component.against, 'spm.component', 'against'),
        spm._check_choice('ties', add_component.ties, 'spm.component', 'ties');
    IF add_component.basis = 'credit' AND spm._is_of_quota(schedule) AND of_quota IS NULL AND add_component.against = 'quota' THEN
        RAISE EXCEPTION 'component "%" has tiers in percent of quota, but no quota', add_component.name
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Name the measure of the quota: quota => ''bookings''.';
    END IF;
    IF add_component.pay = 'target' AND (of_variable IS NULL OR add_component.basis = 'credit' AND of_quota IS NULL AND add_component.against = 'quota') THEN
        RAISE EXCEPTION 'component "%" pays a target by attainment, but has no %', add_component.name,
            CASE WHEN of_variable IS NULL THEN 'target' ELSE 'quota' END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = CASE WHEN of_variable IS NULL THEN 'Name the variable that holds the target: variable => ''target_incentive''.'
                              ELSE 'Name the measure of the quota: quota => ''bookings''.' END;
    END IF;
    IF add_component.basis <> 'credit' AND total <> 'period' OR total = 'group' AND grouped IS NULL
       OR true_up AND total IN ('deal', 'group', 'period') OR total ~ '^rolling' AND total !~ '^rolling [1-9][0-9]?$' THEN
        RAISE EXCEPTION 'component "%" cannot accumulate over "%"%', add_component.name, total,
            CASE WHEN true_up THEN ' and true up' WHEN add_component.basis <> 'credit' THEN format(' with basis %s', add_component.basis) ELSE '' END
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'Only credits accumulate; a true-up needs a span of several periods; a group needs group_by; a rolling total a number of periods.',
                  HINT = 'accumulate => ''period'', ''deal'', ''group'', ''rolling 3'', or a grain such as ''year''.';
    END IF;
    IF (of_lookup IS NULL) <> (looked IS NULL)
       OR of_lookup IS NOT NULL AND cardinality(looked) <> (SELECT cardinality(l.dimensions) FROM spm.lookup l WHERE l.lookup_id = of_lookup) THEN
        RAISE EXCEPTION 'component "%" needs one expression for each dimension of its lookup table', add_component.name
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Lookup table %s has %s dimensions, %s expressions are given.', coalesce(add_component.lookup, '(none)'),
                      coalesce((SELECT cardinality(l.dimensions) FROM spm.lookup l WHERE l.lookup_id = of_lookup), 0), coalesce(cardinality(looked), 0)),
                  HINT = 'lookup => ''Product rates'', lookup_by => ''{product_key}''.';
    END IF;
    IF add_component.prorate <> 'none' THEN
        PERFORM spm._check_prorate(add_component.prorate);
    END IF;
    PERFORM spm._check_refund(add_component.name, add_component.refund, add_component.refund_window, add_component.refund_share, add_component.earned_over);
    IF add_component.true_up AND add_component.refund <> 'running' THEN
        RAISE EXCEPTION 'component "%" cannot true up and take back what the original earned', add_component.name
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'A true-up is of all deals of the span: none of them has earned it by itself.',
                  HINT = 'refund => ''running'' takes it back.';
    END IF;
    INSERT INTO spm.component (plan_version_id, component_no, name, credit_kind, measure_expression,
        eligibility_expression, unit, measure_id, accumulate, tier_basis, rate_options, variable_id, places, rounding,
        basis, pay, against, prorate, is_true_up, group_expression, credit_cap, lookup_id, lookup_expressions, ties,
        event, refund, refund_window, refund_share, earned_over)
    SELECT version,
           1 + coalesce((SELECT max(c.component_no) FROM spm.component c WHERE c.plan_version_id = version), 0),
           add_component.name, add_component.credits, measured, condition, add_component.unit, of_quota,
           total, CASE WHEN spm._is_of_quota(schedule) THEN 'quota' ELSE 'amount' END,
           spm._rate_options(schedule), of_variable, coalesce(add_component.places, c.minor_digits),
           CASE add_component.rounding WHEN 'ceil' THEN 'ceiling' ELSE add_component.rounding END,
           add_component.basis, add_component.pay, add_component.against, add_component.prorate, add_component.true_up,
           grouped, add_component.credit_cap, of_lookup, looked, add_component.ties,
           add_component.event, add_component.refund, add_component.refund_window, add_component.refund_share, add_component.earned_over
    FROM spm.plan_version v JOIN spm.plan p USING (plan_id) JOIN spm.currency c USING (currency_code)
    WHERE v.plan_version_id = version
    RETURNING component_id INTO id;
    INSERT INTO spm.tier (component_id, bounds, rate)
    SELECT id, numrange(t.tier_from, t.tier_to), t.rate FROM spm.tier(schedule) t;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_component(text, text, text, text, text, text, text, text, text, text, int, text, text, text, text, text, boolean, text, numeric, text, text[], text, text, text, interval, numeric, int) IS
'Adds a pay element to the draft of a plan, and returns its component_id. All but plan, name and rates have a default.
plan, name: names. rates: a rate schedule; its tiers are amounts, or shares of quota when written in percent. measure: expression, what of a transaction counts. eligible: condition, which transactions count; NULL: all.
credits: direct, rollup, overlay, team, territory, rolldown or all. quota: measure whose quota attainment is reckoned against. accumulate: deal, period, group, rolling N, or the grain of a longer period. variable: multiplies all rates. unit: money or count.
places, rounding: how each deal is rounded; places defaults to those of the currency.
basis: credit, fixed, objective, result, rank or pool; the last three take spm.add_input(). pay: amount, or target (rates times attainment times the variable). against: quota, prior period or prior year (growth). prorate: a method of spm.day_count(). true_up: pay what the whole span is worth by now, less what was earned. group_by: expression; each value has its own total. credit_cap: most that one credit counts, money. lookup, lookup_by: table whose value multiplies the measure, and expressions for its dimensions. ties: of ranks: competition, dense, average or share.
event: booking, or a kind of milestone of spm.map_event(). refund: what a transaction that refers to another does: running, counts like any other; original, takes back what that one earned, in proportion; unearned, of that the part not yet earned in earned_over months. refund_window: only so long after the original, inclusive; refund_share: share that is taken back.
Errors: 42P17, 42703 and others for a refused expression, 22P02 for rates that cannot be read, 42704 for an unknown name, 22023 for options that do not fit together, 55000 without a draft.
Example: SELECT spm.add_component(''Account Executive'', ''Commission'', ''0%: 8%, 80%: 10%, 100%: 14%'', quota => ''bookings'');';

CREATE OR REPLACE FUNCTION spm._checked_key(expression text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN spm.checked_expression(_checked_key.expression, 'text');
EXCEPTION WHEN datatype_mismatch THEN
    RETURN spm.checked_expression(_checked_key.expression, 'numeric');
END
$$;
COMMENT ON FUNCTION spm._checked_key(text) IS 'Checked expression for a dimension of a lookup table: text or a number.';
REVOKE ALL ON FUNCTION spm._checked_key(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_input(plan text, component text, of text, figure text DEFAULT 'attainment',
                                         scope text DEFAULT 'own', weight numeric DEFAULT 1)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int := spm._of_draft(add_input.plan, add_input.component);
    number int := 1 + coalesce((SELECT max(i.input_no) FROM spm.component_input i WHERE i.component_id = id), 0);
BEGIN
    PERFORM spm._check_choice('figure', add_input.figure, 'spm.component_input', 'figure'), spm._check_choice('scope', add_input.scope, 'spm.component_input', 'scope');
    IF (SELECT c.basis FROM spm.component c WHERE c.component_id = id) NOT IN ('result', 'rank', 'pool') THEN
        RAISE EXCEPTION 'component "%" is not reckoned from other components', add_input.component
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Add it with basis => ''result'', ''rank'' or ''pool''.';
    END IF;
    PERFORM spm._of_draft(add_input.plan, add_input."of");
    PERFORM spm._check_choice('figure', add_input.figure, 'spm.component_input', 'figure'), spm._check_choice('scope', add_input.scope, 'spm.component_input', 'scope');
    INSERT INTO spm.component_input (component_id, input_no, of_component, figure, scope, weight)
    VALUES (id, number, add_input."of", add_input.figure, add_input.scope, add_input.weight);
    PERFORM spm._component_level(spm._draft_id(add_input.plan));
    RETURN number;
END
$$;
COMMENT ON FUNCTION spm.add_input(text, text, text, text, text, numeric) IS
'Gives a component with basis result, rank or pool a figure of another component to reckon with, and returns its number.
plan, component: names. of: the other component. figure: amount, attainment, earned or quota. scope: own (the same seat), team (all seats with the same manager) or plan (everybody). weight: figures are multiplied by it and added up.
A rank goes by the figure, among the scope of the first input. A pool is filled by the first input; a second one, or the variable of the component, says how it is shared; else all share alike.
Errors: 42704 for an unknown name, 22023 for a component of another basis, 42P19 when components would stand on each other, 55000 without a draft.
Example: SELECT spm.add_input(''AE'', ''Kicker'', of => ''Commission'', figure => ''earned'');';

CREATE OR REPLACE FUNCTION spm.add_modifier(plan text, component text, kind text, of text[] DEFAULT NULL, figure text[] DEFAULT NULL,
                                            rates text DEFAULT NULL, value numeric DEFAULT NULL, variable text DEFAULT NULL,
                                            lookup text DEFAULT NULL, scope text DEFAULT 'own', strict boolean DEFAULT false)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int := spm._of_draft(add_modifier.plan, add_modifier.component);
    figures text[] := coalesce(add_modifier.figure, CASE WHEN "of" IS NOT NULL OR kind = 'gate' OR rates IS NOT NULL THEN
                                                    array_fill('attainment'::text, ARRAY[greatest(cardinality("of"), 1)]) END, '{}');
    -- the component itself by default
    others text[] := coalesce((SELECT array_agg(CASE o WHEN add_modifier.component THEN '' ELSE o END ORDER BY n) FROM unnest(add_modifier."of") WITH ORDINALITY u(o, n)),
                              array_fill(''::text, ARRAY[cardinality(figures)]));
    other text;
    number int := 1 + coalesce((SELECT max(m.modifier_no) FROM spm.modifier m WHERE m.component_id = id), 0);
BEGIN
    PERFORM spm._check_choice('kind', add_modifier.kind, 'spm.modifier', 'kind'), spm._check_choice('scope', add_modifier.scope, 'spm.modifier', 'scope');
    FOREACH other IN ARRAY others LOOP
        IF other <> '' THEN
            PERFORM spm._of_draft(add_modifier.plan, other);
        END IF;
    END LOOP;
    IF '' = ANY (others) AND (add_modifier.scope <> 'own' OR 'earned' = ANY (figures)) THEN
        RAISE EXCEPTION 'component "%" cannot be modified by its own %', add_modifier.component,
            CASE WHEN add_modifier.scope <> 'own' THEN 'results of others' ELSE 'earnings' END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Add a component with rates ''0: 0%'' that measures it, and name that one.';
    END IF;
    IF kind NOT IN ('gate', 'multiply', 'cap', 'floor') AND EXISTS (
        SELECT FROM spm.modifier m WHERE m.component_id = id AND m.kind IN ('cap', 'floor')) THEN
        RAISE EXCEPTION 'modifier "%" of component "%" must come before its limits', add_modifier.kind, add_modifier.component
            USING ERRCODE = 'invalid_parameter_value', HINT = 'After a cap or a floor only gate and multiply have a meaning.';
    END IF;
    IF kind = 'cap' AND add_modifier.value < 0 AND num_nonnulls(rates, variable, add_modifier.lookup) = 0 AND cardinality(figures) = 0 THEN
        RAISE EXCEPTION 'cap of component "%" cannot be %', add_modifier.component, add_modifier.value
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A cap is the most that is earned, in money: 0 or more.';
    END IF;
    IF rates IS NOT NULL THEN
        PERFORM add_modifier.rates::spm.rate_schedule;
    END IF;
    IF kind <> 'gate' AND num_nonnulls(rates, add_modifier.value, variable, add_modifier.lookup) = 0 AND cardinality(figures) = 0
       OR kind = 'gate' AND (add_modifier.value IS NULL OR num_nonnulls(rates, add_modifier.lookup) > 0 OR cardinality(figures) <> 1)
       OR rates IS NOT NULL AND cardinality(figures) <> 1
       OR cardinality(figures) <> cardinality(others)
       OR add_modifier.lookup IS NOT NULL AND cardinality(figures) IS DISTINCT FROM (SELECT cardinality(l.dimensions) FROM spm.lookup l WHERE l.lookup_id = spm._lookup_id(add_modifier.lookup)) THEN
        RAISE EXCEPTION 'modifier "%" of component "%" does not say by what', add_modifier.kind, add_modifier.component
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'A gate needs one figure and a value; rates need one figure; a lookup table one for each dimension; all others a value, a variable or a figure.',
                  HINT = format('SELECT spm.add_modifier(%L, %L, %L, of => ''{other component}'', value => 0.5);', add_modifier.plan, add_modifier.component, add_modifier.kind);
    END IF;
    INSERT INTO spm.modifier (component_id, modifier_no, kind, of_components, figures, scope, rates, lookup_id, variable_id, value, is_strict)
    VALUES (id, number, add_modifier.kind, others, figures, add_modifier.scope, (add_modifier.rates::spm.rate_schedule)::text,
            CASE WHEN add_modifier.lookup IS NOT NULL THEN spm._lookup_id(add_modifier.lookup) END,
            CASE WHEN add_modifier.variable IS NOT NULL THEN spm._variable_id(add_modifier.variable) END,
            add_modifier.value, add_modifier.strict);
    PERFORM spm._component_level(spm._draft_id(add_modifier.plan));
    RETURN number;
END
$$;
COMMENT ON FUNCTION spm.add_modifier(text, text, text, text[], text[], text, numeric, text, text, text, boolean) IS
'Lets a component pay more or less by its own or other components'' results, and returns the number of the modifier. Modifiers are applied in order.
plan, component: names. kind: on the factor of all rates, which starts at 1: gate (0 unless the figure reaches value), multiply, add, at most, at least; on what is earned, in money: cap, floor.
of: components whose figures count; NULL: the component itself. figure: attainment, amount, earned, quota or credits, one for each. rates: rate schedule that turns the figure into a value (methods whole, interpolated ...); lookup: table of as many dimensions as figures. variable, value: multiply it. scope: own, team (seats with the same manager) or plan. strict: a gate must be passed, not only reached.
A cap before a multiply is multiplied too: a cap on what was earned before. A cap that comes to less than 0 is 0; a floor above the cap is the cap.
Errors: 42704 for an unknown name, 22P02 for rates that cannot be read, 22023 for options that do not fit together, 42P19 when components would stand on each other, 55000 without a draft.
Example: SELECT spm.add_modifier(''AE'', ''Commission'', ''multiply'', of => ''{Margin}'', rates => ''0%: 80%, 75%: 90%, 85%: 100% whole'');';

CREATE OR REPLACE FUNCTION spm.drop_modifier(plan text, component text, modifier_no int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int := spm._of_draft(drop_modifier.plan, drop_modifier.component);
BEGIN
    DELETE FROM spm.modifier m WHERE m.component_id = id AND m.modifier_no = drop_modifier.modifier_no;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'component "%" has no modifier %', drop_modifier.component, drop_modifier.modifier_no
            USING ERRCODE = 'undefined_object';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.drop_modifier(text, text, int) IS
'Takes a modifier away from a component of the draft of a plan.
Errors: 42704 when there is none of that number, 55000 without a draft.
Example: SELECT spm.drop_modifier(''AE'', ''Commission'', 1);';

CREATE OR REPLACE FUNCTION spm.drop_component(plan text, name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(drop_component.plan);
BEGIN
    DELETE FROM spm.component c WHERE c.plan_version_id = version AND c.name = drop_component.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the draft of plan "%" has no component "%"', drop_component.plan, drop_component.name
            USING ERRCODE = 'undefined_object';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.drop_component(text, text) IS
'Removes a component from the draft of a plan.
Errors: 42704 when there is none of that name, 55000 without a draft.
Example: SELECT spm.drop_component(''Account Executive'', ''Commission'');';

CREATE OR REPLACE FUNCTION spm._is_of_quota(schedule spm.rate_schedule)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT schedule::text ~ '^[0-9.]+%';
END;
COMMENT ON FUNCTION spm._is_of_quota(spm.rate_schedule) IS 'Whether the tiers of a schedule are shares of quota.';
REVOKE ALL ON FUNCTION spm._is_of_quota(spm.rate_schedule) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._rate_options(schedule spm.rate_schedule)
    RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(substring(schedule::text FROM '[a-z].*$'), '');
END;
COMMENT ON FUNCTION spm._rate_options(spm.rate_schedule) IS 'The options in the text of a schedule: what follows its tiers.';
REVOKE ALL ON FUNCTION spm._rate_options(spm.rate_schedule) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.component_rates(component_id int)
    RETURNS spm.rate_schedule
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT (string_agg(CASE c.tier_basis
                WHEN 'quota' THEN 100 * lower(t.bounds) || '%..' || coalesce(100 * upper(t.bounds) || '%', '')
                ELSE lower(t.bounds) || '..' || coalesce(upper(t.bounds)::text, '')
            END || ': ' || t.rate, ', ' ORDER BY lower(t.bounds)) || ' ' || c.rate_options)::spm.rate_schedule
    FROM spm.component c JOIN spm.tier t USING (component_id)
    WHERE c.component_id = component_rates.component_id
    GROUP BY c.component_id;
END;
COMMENT ON FUNCTION spm.component_rates(int) IS
'Rate schedule of a component, made from its tiers and options. NULL when it has no tiers.
component_id: key. Errors: 22023 for tiers that leave a gap.
Example: SELECT spm.component_rates(1);';

-- --------------------------------------------------------------- lookup tables

CREATE OR REPLACE FUNCTION spm.add_lookup(name text, dimensions text[], otherwise numeric DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    INSERT INTO spm.lookup (name, dimensions, otherwise) VALUES (add_lookup.name, add_lookup.dimensions, add_lookup.otherwise)
    RETURNING lookup_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_lookup(text, text[], numeric) IS
'Adds a lookup table of rates or factors with one to four dimensions, and returns its lookup_id. spm.set_lookup() fills it.
name: unique. dimensions: their names. otherwise: value where no row matches; NULL: that is an error.
Errors: 23505 when the name is taken, 23514 for more than four dimensions.
Example: SELECT spm.add_lookup(''Product rates'', ''{product}'');';

CREATE OR REPLACE FUNCTION spm.set_lookup(lookup text, cell text[], value numeric, since date DEFAULT '-infinity')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_lookup int := spm._lookup_id(set_lookup.lookup);
    named text[] := (SELECT l.dimensions FROM spm.lookup l WHERE l.lookup_id = of_lookup);
    cells text[] := set_lookup.cell;
    these text[] := array(SELECT CASE WHEN e <> '*' AND e !~ '^[[(].*,.*[])]$' THEN e END FROM unnest(cells) WITH ORDINALITY u(e, o) ORDER BY o);
    spans numrange[];
    days daterange := daterange(nullif(set_lookup.since, '-infinity'), NULL);
    other spm.lookup_row;
    id int;
BEGIN
    IF cardinality(cells) IS DISTINCT FROM cardinality(named) OR array_position(cells, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'lookup table "%" has % dimensions', set_lookup.lookup, cardinality(named)
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('They are %s; the row has %s.', named, cells),
                  HINT = 'Give a value, a range such as [0,100), or * for any, for each.';
    END IF;
    spans := array(SELECT CASE WHEN e ~ '^[[(].*,.*[])]$' THEN e::numrange END FROM unnest(cells) WITH ORDINALITY u(e, o) ORDER BY o);
    -- from this day on another value: the row before ends
    UPDATE spm.lookup_row r SET span = daterange(lower(r.span), lower(days))
    WHERE r.lookup_id = of_lookup AND r.keys = these AND r.ranges = spans AND upper_inf(r.span) AND lower(days) > coalesce(lower(r.span), '-infinity');
    SELECT r.* INTO other FROM spm.lookup_row r
    WHERE r.lookup_id = of_lookup AND r.span && days AND NOT EXISTS (
        SELECT FROM generate_subscripts(cells, 1) i
        WHERE (r.keys[i] IS NULL) <> (these[i] IS NULL) OR (r.ranges[i] IS NULL) <> (spans[i] IS NULL)
           OR r.keys[i] <> these[i] OR NOT r.ranges[i] && spans[i]) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'lookup table "%" has a row that covers the same', set_lookup.lookup
            USING ERRCODE = 'exclusion_violation',
                  DETAIL = format('It is %s %s from %s; the new one is %s from %s.', other.keys, other.ranges, coalesce(lower(other.span)::text, 'ever'), cells, set_lookup.since),
                  HINT = 'Give ranges that do not overlap, or since a later day.';
    END IF;
    INSERT INTO spm.lookup_row (lookup_id, span, keys, ranges, value)
    VALUES (of_lookup, days, these, spans, set_lookup.value)
    RETURNING lookup_row_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_lookup(text, text[], numeric, date) IS
'Sets the value of a cell of a lookup table from a day on, and returns its lookup_row_id. Of several rows that match, the one with more dimensions given wins.
lookup: name. cell: for each dimension a value, a range such as (0,50], or * for any. value: rate or factor. since: first day of the transactions.
Errors: 42704 for an unknown table, 22023 for another number of dimensions, 22P02 for a range that cannot be read, 23P01 where a row covers the same.
Example: SELECT spm.set_lookup(''Product rates'', ''{BIKE}'', 0.05);';

CREATE OR REPLACE FUNCTION spm.lookup_value(lookup_id int, cell text[], day date)
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce((
        SELECT r.value FROM spm.lookup_row r
        WHERE r.lookup_id = l.lookup_id AND r.span @> lookup_value.day
          AND (r.keys[1] IS NULL OR r.keys[1] = lookup_value.cell[1])
          AND (r.ranges[1] IS NULL OR r.ranges[1] @> lookup_value.cell[1]::numeric)
          AND (r.keys[2] IS NULL OR r.keys[2] = lookup_value.cell[2])
          AND (r.ranges[2] IS NULL OR r.ranges[2] @> lookup_value.cell[2]::numeric)
          AND (r.keys[3] IS NULL OR r.keys[3] = lookup_value.cell[3])
          AND (r.ranges[3] IS NULL OR r.ranges[3] @> lookup_value.cell[3]::numeric)
          AND (r.keys[4] IS NULL OR r.keys[4] = lookup_value.cell[4])
          AND (r.ranges[4] IS NULL OR r.ranges[4] @> lookup_value.cell[4]::numeric)
        ORDER BY num_nonnulls(r.keys[1], r.keys[2], r.keys[3], r.keys[4], r.ranges[1], r.ranges[2], r.ranges[3], r.ranges[4]) DESC, r.lookup_row_id
        LIMIT 1), l.otherwise)
    FROM spm.lookup l WHERE l.lookup_id = lookup_value.lookup_id;
END;
COMMENT ON FUNCTION spm.lookup_value(int, text[], date) IS
'Value that a lookup table has for a cell on a day; of several rows that match that with more dimensions given. NULL: none matches.
lookup_id: key. cell: for each dimension a value. day: date.
Errors: 22P02 where a dimension with ranges is looked up by something that is no number.
Example: SELECT spm.lookup_value(1, ''{BIKE}'', ''2026-01-31'');';

-- ------------------------------------------------------------------ objectives

CREATE OR REPLACE FUNCTION spm.set_objective(payee text, period text, objective text, weight numeric, rating numeric DEFAULT NULL,
                                             reason text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    who int := spm._payee_id(set_objective.payee);
    of_period int := spm._period_id(set_objective.period, set_objective.calendar);
    id int;
BEGIN
    SELECT o.objective_id INTO id FROM spm.objective o
    WHERE o.payee_id = who AND o.period_id = of_period AND o.name = set_objective.objective AND o.superseded_at IS NULL
      AND o.weight = set_objective.weight AND o.rating IS NOT DISTINCT FROM set_objective.rating
    FOR UPDATE;
    IF FOUND THEN
        RETURN id;
    END IF;
    UPDATE spm.objective o SET superseded_at = clock_timestamp()
    WHERE o.payee_id = who AND o.period_id = of_period AND o.name = set_objective.objective AND o.superseded_at IS NULL;
    INSERT INTO spm.objective (payee_id, period_id, name, weight, rating, reason)
    VALUES (who, of_period, set_objective.objective, set_objective.weight, set_objective.rating, set_objective.reason)
    RETURNING objective_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_objective(text, text, text, numeric, numeric, text, text) IS
'Sets an objective of a payee for a period, or rates it, and returns its objective_id. What was there before is ended and kept. The weights of a payee and period must total 1 when they are paid by.
payee: payee_key. period: name. objective: its name. weight: share of the whole. rating: how far it was met, 1 is fully; NULL: not yet rated, counts as 0. reason: kept with the row. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee or period, 23514 for a weight outside 0 to 1 or a negative rating.
Example: SELECT spm.set_objective(''U-17'', ''2026-Q1'', ''Launch in Spain'', 0.4, 1.1);';
/*
 * compensation/functions_credit.sql: who is credited, by rules, up and down
 * the tree, by territory, and by hand.
 */

-- ---------------------------------------------------------------------- rules

CREATE OR REPLACE FUNCTION spm._specificity(condition text)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    -- attributes by their names; then columns, where no literal may pass for one
    SELECT count(DISTINCT m)::int
    FROM (SELECT a[1] AS m FROM regexp_matches(_specificity.condition, 't\.attributes ->>? (''(?:[^'']|'''')*'')', 'g') a
          UNION ALL
          SELECT c[1] FROM regexp_matches(regexp_replace(_specificity.condition, '''(?:[^'']|'''')*''', '', 'g'), '\mt\.([a-z_]+)', 'g') c
          WHERE c[1] <> 'attributes') n
$$;
COMMENT ON FUNCTION spm._specificity(text) IS 'How many columns and attributes of a transaction a checked condition tests.';
REVOKE ALL ON FUNCTION spm._specificity(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._share_rule()
    RETURNS TABLE (credit_rule_id int, name text, condition text, span daterange, place bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.credit_rule_id, r.name, r.condition, r.span,
           row_number() OVER (ORDER BY r.priority NULLS LAST, CASE WHEN r.priority IS NULL THEN -spm._specificity(r.condition) END, r.credit_rule_id)
    FROM spm.credit_rule r WHERE r.kind = 'share';
END;
COMMENT ON FUNCTION spm._share_rule() IS 'Credit rules that divide transactions, with the place in which they are tried: by priority; those without one after all others, the most specific first.';
REVOKE ALL ON FUNCTION spm._share_rule() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_credit_rule(name text, condition text, payees text[], shares numeric[],
                                               since date, until date DEFAULT NULL, priority int DEFAULT 100)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
    total numeric := (SELECT sum(s) FROM unnest(add_credit_rule.shares) s);
BEGIN
    IF cardinality(add_credit_rule.payees) IS DISTINCT FROM cardinality(add_credit_rule.shares) OR total IS DISTINCT FROM 1 THEN
        RAISE EXCEPTION 'shares of credit rule "%" must total 1, one for each payee', add_credit_rule.name
            USING ERRCODE = 'check_violation',
                  DETAIL = format('%s payees, %s shares, total %s.', cardinality(add_credit_rule.payees),
                                  cardinality(add_credit_rule.shares), total),
                  HINT = 'Write 60 % as 0.6; for credit on top of the 100 % take spm.add_overlay_rule().';
    END IF;
    INSERT INTO spm.credit_rule (name, condition, span, priority)
    VALUES (add_credit_rule.name, spm.checked_expression(add_credit_rule.condition, 'boolean'),
            daterange(add_credit_rule.since, add_credit_rule.until), add_credit_rule.priority)
    RETURNING credit_rule_id INTO id;
    INSERT INTO spm.credit_rule_share (credit_rule_id, payee_id, share)
    SELECT id, (spm._target(s.payee, NULL, NULL)).payee_id, s.share
    FROM unnest(add_credit_rule.payees, add_credit_rule.shares) s(payee, share);
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_credit_rule(text, text, text[], numeric[], date, date, int) IS
'Adds a rule that shares transactions among payees, and returns its credit_rule_id.
name: unique. condition: which transactions. payees, shares: who, and how much each; the shares total 1. since, until: days of the transactions, until exclusive. priority: the smallest wins, among equals the older rule; NULL: after all that have one, the rule whose condition tests the most columns wins.
Errors: 23514 when the shares do not total 1, 42704 for an unknown payee, 42P17 and others for a refused condition.
Example: SELECT spm.add_credit_rule(''Acme'', ''account_key = ''''ACME'''''', ''{U-1,U-2}'', ''{0.6,0.4}'', ''2026-01-01'');';

CREATE OR REPLACE FUNCTION spm.add_overlay_rule(name text, condition text, payees text[], shares numeric[], since date, until date DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    IF coalesce(cardinality(add_overlay_rule.payees), 0) = 0 OR cardinality(add_overlay_rule.payees) IS DISTINCT FROM cardinality(add_overlay_rule.shares)
       OR EXISTS (SELECT FROM unnest(add_overlay_rule.shares) s WHERE NOT coalesce(s > 0 AND s < 'Infinity', false)) THEN
        RAISE EXCEPTION 'overlay rule "%" must have a share above 0 for each payee', add_overlay_rule.name
            USING ERRCODE = 'check_violation',
                  DETAIL = format('%s payees, shares %s.', cardinality(add_overlay_rule.payees), add_overlay_rule.shares),
                  HINT = 'Write 50 % as 0.5; overlays need not total 1.';
    END IF;
    INSERT INTO spm.credit_rule (name, condition, span, kind)
    VALUES (add_overlay_rule.name, spm.checked_expression(add_overlay_rule.condition, 'boolean'),
            spm._checked_span(add_overlay_rule.since, add_overlay_rule.until), 'overlay')
    RETURNING credit_rule_id INTO id;
    INSERT INTO spm.credit_rule_share (credit_rule_id, payee_id, share)
    SELECT id, (spm._target(s.payee, NULL, NULL)).payee_id, s.share
    FROM unnest(add_overlay_rule.payees, add_overlay_rule.shares) s(payee, share);
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_overlay_rule(text, text, text[], numeric[], date, date) IS
'Adds a rule that credits specialists on top of those who share the transaction, and returns its credit_rule_id. Every overlay rule that matches applies; components take them with credits => overlay.
name: unique. condition: which transactions. payees, shares: who, and how much each; any share above 0, 1.5 is 150 %. since, until: days of the transactions, until exclusive.
Errors: 23514 for shares that are missing or not above 0, 42704 for an unknown payee, 22023 for days the wrong way round, 42P17 and others for a refused condition.
Example: SELECT spm.add_overlay_rule(''Cloud specialist'', ''product_key = ''''CLOUD'''''', ''{U-9}'', ''{0.5}'', ''2026-01-01'');';

CREATE OR REPLACE FUNCTION spm.add_team_rule(name text, condition text, since date, until date DEFAULT NULL, payees text[] DEFAULT NULL,
                                             title text DEFAULT NULL, manager text DEFAULT NULL, parts text DEFAULT 'full')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    IF num_nonnulls(nullif(add_team_rule.payees, '{}'), add_team_rule.title, add_team_rule.manager) <> 1 THEN
        RAISE EXCEPTION 'team rule "%" must name payees, a title or a manager', add_team_rule.name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give one of payees, title and manager; manager is the key of a position.';
    ELSIF add_team_rule.parts IS NULL OR add_team_rule.parts NOT IN ('full', 'equal') THEN
        RAISE EXCEPTION 'parts cannot be "%"', add_team_rule.parts
            USING ERRCODE = 'invalid_parameter_value', HINT = 'full: everybody is credited all of it; equal: it is divided among them.';
    END IF;
    INSERT INTO spm.credit_rule (name, condition, span, kind, parts, title_id, manager_position_id)
    SELECT add_team_rule.name, spm.checked_expression(add_team_rule.condition, 'boolean'),
           spm._checked_span(add_team_rule.since, add_team_rule.until), 'team', add_team_rule.parts, t.title_id, t.position_id
    FROM spm._target(NULL, add_team_rule.manager, add_team_rule.title) t
    RETURNING credit_rule_id INTO id;
    INSERT INTO spm.credit_rule_share (credit_rule_id, payee_id, share)
    SELECT id, (spm._target(y, NULL, NULL)).payee_id, 1 FROM unnest(add_team_rule.payees) y;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_team_rule(text, text, date, date, text[], text, text, text) IS
'Adds a rule that credits everybody in a team on top of those who share the transaction, and returns its credit_rule_id. Every team rule that matches applies; components take them with credits => team.
name: unique. condition: which transactions. since, until: days of the transactions, until exclusive. Who, one of: payees; title, whoever holds a primary seat of that title on the day; manager, a position: whoever holds a primary seat below it. parts: full, everybody is credited all of it, or equal, it is divided among them.
Errors: 22023 unless one of payees, title and manager is given, or for other parts; 42704 for an unknown one; 42P17 and others for a refused condition.
Example: SELECT spm.add_team_rule(''West'', ''account_key LIKE ''''W%'''''', ''2026-01-01'', manager => ''west'', parts => ''equal'');';

CREATE OR REPLACE FUNCTION spm._check_rule_shares()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong record;
BEGIN
    SELECT r.name, sum(s.share) AS total INTO wrong
    FROM spm.credit_rule r LEFT JOIN spm.credit_rule_share s USING (credit_rule_id)
    WHERE r.credit_rule_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.credit_rule_id ELSE NEW.credit_rule_id END AND r.kind = 'share'
    GROUP BY r.credit_rule_id HAVING sum(s.share) IS DISTINCT FROM 1;
    IF FOUND THEN
        RAISE EXCEPTION 'shares of credit rule "%" must total 1', wrong.name
            USING ERRCODE = 'check_violation', DETAIL = format('They total %s.', coalesce(wrong.total, 0));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._check_rule_shares() IS 'Trigger at commit: the shares of a rule that divides transactions total 1.';
REVOKE ALL ON FUNCTION spm._check_rule_shares() FROM PUBLIC;

-- a constraint trigger has no OR REPLACE
DROP TRIGGER IF EXISTS shares ON spm.credit_rule_share;
CREATE CONSTRAINT TRIGGER shares AFTER INSERT OR UPDATE OR DELETE ON spm.credit_rule_share
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spm._check_rule_shares();

-- ------------------------------------------------------ up and down the tree

CREATE OR REPLACE FUNCTION spm._end_before(relation regclass, what text, position_id int, title_id int, level int, days daterange)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    clash daterange;
BEGIN
    EXECUTE format('UPDATE %s r SET span = daterange(lower(r.span), lower($1))
        WHERE r.span && $1 AND lower($1) IS NOT NULL AND (lower_inf(r.span) OR lower(r.span) < lower($1)) AND upper_inf(r.span)
          AND r.position_id IS NOT DISTINCT FROM $2 AND r.title_id IS NOT DISTINCT FROM $3
          AND ($4 IS NULL OR to_jsonb(r) ->> ''level'' = $4::text)', _end_before.relation)
        USING days, _end_before.position_id, _end_before.title_id, _end_before.level;
    EXECUTE format('SELECT r.span FROM %s r WHERE r.span && $1
          AND r.position_id IS NOT DISTINCT FROM $2 AND r.title_id IS NOT DISTINCT FROM $3
          AND ($4 IS NULL OR to_jsonb(r) ->> ''level'' = $4::text) LIMIT 1', _end_before.relation)
        INTO clash USING days, _end_before.position_id, _end_before.title_id, _end_before.level;
    IF clash IS NOT NULL THEN
        RAISE EXCEPTION '% is set in that time already', _end_before.what
            USING ERRCODE = 'exclusion_violation',
                  DETAIL = format('What is there holds for %s, the new one would for %s.', clash, days),
                  HINT = format('Give since a later day, or end the row that is there in %s.', _end_before.relation);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._end_before(regclass, text, int, int, int, daterange) IS 'Ends the open row of a position, title or everybody where a new one begins, or error 23P01.';
REVOKE ALL ON FUNCTION spm._end_before(regclass, text, int, int, int, daterange) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.set_rollup(factor numeric, level int DEFAULT NULL, "position" text DEFAULT NULL, title text DEFAULT NULL,
                                          since date DEFAULT '-infinity', until date DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target record := spm._target(NULL, set_rollup."position", set_rollup.title);
    days daterange := spm._checked_span(set_rollup.since, set_rollup.until);
    id int;
BEGIN
    IF num_nonnulls(target.position_id, target.title_id) > 1 THEN
        RAISE EXCEPTION 'a roll-up factor is for a position or a title, not for both' USING ERRCODE = 'invalid_parameter_value';
    ELSIF NOT coalesce(set_rollup.factor >= 0 AND set_rollup.factor < 'Infinity', false) THEN
        RAISE EXCEPTION 'a roll-up factor cannot be %', coalesce(set_rollup.factor::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Write half as 0.5; 0 credits nothing.';
    ELSIF set_rollup.level < 1 THEN
        RAISE EXCEPTION 'level % is not above the credit', set_rollup.level
            USING ERRCODE = 'invalid_parameter_value', HINT = '1 is the manager, 2 the next above; leave it out for every level.';
    END IF;
    PERFORM spm._end_before('spm.rollup_factor', 'the roll-up factor', target.position_id, target.title_id,
                            coalesce(set_rollup.level, 0), days);
    INSERT INTO spm.rollup_factor (position_id, title_id, level, span, factor)
    VALUES (target.position_id, target.title_id, coalesce(set_rollup.level, 0), days, set_rollup.factor)
    RETURNING rollup_factor_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_rollup(numeric, int, text, text, date, date) IS
'Sets what credits from below count for in seats above, and returns the rollup_factor_id. Without any, all of it at every level.
factor: 0.5 is half, 0 nothing. level: how far the credit has come up, 1 is the manager; NULL: every level without a factor of its own. position or title: of the seat above; none: everybody. What is set for the position goes before its title, that before everybody. since, until: days of the credits, until exclusive.
Errors: 22023 for a factor or level that makes no sense, 42704 for an unknown position or title, 23P01 where one is set already.
Example: SELECT spm.set_rollup(0.5, level => 2, title => ''Director'');';

CREATE OR REPLACE FUNCTION spm.set_rolldown(parts text, "position" text DEFAULT NULL, title text DEFAULT NULL, depth int DEFAULT NULL,
                                            since date DEFAULT '-infinity', until date DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target record := spm._target(NULL, set_rolldown."position", set_rolldown.title);
    days daterange := spm._checked_span(set_rolldown.since, set_rolldown.until);
    id int;
BEGIN
    IF num_nonnulls(target.position_id, target.title_id) <> 1 THEN
        RAISE EXCEPTION 'a roll-down is from a position or a title' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give one of position and title.';
    ELSIF set_rolldown.parts IS NULL OR set_rolldown.parts NOT IN ('full', 'equal') THEN
        RAISE EXCEPTION 'parts cannot be "%"', set_rolldown.parts
            USING ERRCODE = 'invalid_parameter_value', HINT = 'full: every seat below is credited all of it; equal: it is divided among them.';
    ELSIF set_rolldown.depth < 1 THEN
        RAISE EXCEPTION 'depth % goes nowhere', set_rolldown.depth
            USING ERRCODE = 'invalid_parameter_value', HINT = '1 reaches those who report directly; leave it out for all below.';
    END IF;
    PERFORM spm._end_before('spm.rolldown', 'the roll-down', target.position_id, target.title_id, NULL, days);
    INSERT INTO spm.rolldown (position_id, title_id, span, parts, depth)
    VALUES (target.position_id, target.title_id, days, set_rolldown.parts, set_rolldown.depth)
    RETURNING rolldown_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_rolldown(text, text, text, int, date, date) IS
'Lets the own credits of a position, or of all of a title, also go to the seats below; returns the rolldown_id. Components take them with credits => rolldown.
parts: full, every seat below is credited all of it, or equal, it is divided among the seats that are taken on the day. position or title: the seat above. depth: levels down; NULL: all. since, until: days of the credits, until exclusive.
Errors: 22023 for other values, or unless one of position and title is given; 42704 for an unknown one; 23P01 where one is set already.
Example: SELECT spm.set_rolldown(''equal'', "position" => ''west'', depth => 1);';

-- ---------------------------------------------------------------- territories

CREATE OR REPLACE FUNCTION spm._territory_query()
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format('SELECT %L::text AS territory, t.%I::text AS match_key, t.%I::text AS owner_key, %s AS share, daterange(%s, %s) AS span FROM %I.%I t',
        s.name, s.key_column, s.owner_column, coalesce('t.' || quote_ident(s.share_column) || '::numeric', '1::numeric'),
        coalesce('t.' || quote_ident(s.since_column) || '::date', 'NULL::date'), coalesce('t.' || quote_ident(s.until_column) || '::date', 'NULL::date'),
        s.relation_schema, s.relation_name), E'\nUNION ALL\n' ORDER BY s.territory_source_id)
    FROM spm.territory_source s
$$;
COMMENT ON FUNCTION spm._territory_query() IS 'The query of the view spm.territory_claim; NULL when nothing is mapped.';
REVOKE ALL ON FUNCTION spm._territory_query() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.rebuild_territory_view()
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM spm.territory_source) THEN
        EXECUTE 'DROP VIEW IF EXISTS spm.territory_claim';
        RETURN;
    END IF;
    EXECUTE format('CREATE OR REPLACE VIEW spm.territory_claim WITH (security_invoker = true) AS %s', spm._territory_query());
    COMMENT ON VIEW spm.territory_claim IS 'Who holds what, and when. Made by spm.map_territory().';
    COMMENT ON COLUMN spm.territory_claim.territory IS 'Name of the mapping.';
    COMMENT ON COLUMN spm.territory_claim.match_key IS 'What is held: it is compared with the match expression of the mapping.';
    COMMENT ON COLUMN spm.territory_claim.owner_key IS 'payee_key of the holder.';
    COMMENT ON COLUMN spm.territory_claim.share IS 'Share of the holder, as a ratio.';
    COMMENT ON COLUMN spm.territory_claim.span IS 'Days; end exclusive.';
END
$$;
COMMENT ON FUNCTION spm.rebuild_territory_view() IS
'Makes the view spm.territory_claim anew from what is mapped; without any, drops it. spm.map_territory() does it by itself.
Errors: 2BP01 when something depends on the view that is to be dropped; 42501 for other than the owner of the view.
Example: SELECT spm.rebuild_territory_view();';

CREATE OR REPLACE FUNCTION spm.map_territory(name text, relation regclass, key text, owner text, match text DEFAULT 'account_key',
    since text DEFAULT NULL, until text DEFAULT NULL, share text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    label_types constant text[] := '{text,character varying,character,name,uuid,integer,bigint,smallint,numeric,enum}';
    day_types constant text[] := '{date,timestamp without time zone}';
BEGIN
    PERFORM spm._check_text(map_territory.name, 'name'), spm._check_relation(map_territory.relation),
        spm._column_type(map_territory.relation, map_territory.key, 'key', label_types, NULL),
        spm._column_type(map_territory.relation, map_territory.owner, 'owner', label_types, NULL);
    IF map_territory.since IS NOT NULL THEN
        PERFORM spm._column_type(map_territory.relation, map_territory.since, 'since', day_types, NULL);
    END IF;
    IF map_territory.until IS NOT NULL THEN
        PERFORM spm._column_type(map_territory.relation, map_territory.until, 'until', day_types, NULL);
    END IF;
    IF map_territory.share IS NOT NULL THEN
        PERFORM spm._column_type(map_territory.relation, map_territory.share, 'share', '{numeric,integer,bigint,smallint}', NULL);
    END IF;
    LOCK TABLE spm.territory_source IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO spm.territory_source (name, match_expression, relation_schema, relation_name, key_column, owner_column, since_column, until_column, share_column)
    SELECT map_territory.name, spm.checked_expression(map_territory.match, 'text'), n.nspname, c.relname, map_territory.key, map_territory.owner,
           map_territory.since, map_territory.until, map_territory.share
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = map_territory.relation
    ON CONFLICT ON CONSTRAINT territory_source_name_key DO UPDATE SET match_expression = EXCLUDED.match_expression,
        relation_schema = EXCLUDED.relation_schema, relation_name = EXCLUDED.relation_name, key_column = EXCLUDED.key_column,
        owner_column = EXCLUDED.owner_column, since_column = EXCLUDED.since_column, until_column = EXCLUDED.until_column, share_column = EXCLUDED.share_column;
    PERFORM spm.rebuild_territory_view();
END
$$;
COMMENT ON FUNCTION spm.map_territory(text, regclass, text, text, text, text, text, text) IS
'Maps a relation that says who holds accounts, postcodes, products or the like: whoever holds what a transaction matches on its day is credited on top of those who share it. Components take such credits with credits => territory. A name that exists is replaced.
name: of the mapping. Names of columns: key (what is held), owner (payee_key of the holder), since and until (days, until exclusive; NULL: without end), share (ratio; NULL: all of it). match: expression over a transaction that must equal the key.
Errors: 42809, 42703, 42804, 42501 as for spm.map_source(); 42P17 and others for a refused expression.
Example: SELECT spm.map_territory(''postcodes'', ''crm.patch'', key => ''postcode'', owner => ''rep_id'', match => $$attributes->>''postcode''$$);';

CREATE OR REPLACE FUNCTION spm.unmap_territory(name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    LOCK TABLE spm.territory_source IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM spm.territory_source s WHERE s.name = unmap_territory.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'territory mapping "%" does not exist', unmap_territory.name
            USING ERRCODE = 'undefined_object', HINT = 'There is nothing to take away.';
    END IF;
    PERFORM spm.rebuild_territory_view();
END
$$;
COMMENT ON FUNCTION spm.unmap_territory(text) IS
'Takes a mapping of territories away; with the last one the view spm.territory_claim goes.
name: of the mapping.
Errors: 42704 for an unknown one; 2BP01 when something depends on the view.
Example: SELECT spm.unmap_territory(''postcodes'');';

-- -------------------------------------------------------------------- by hand

CREATE OR REPLACE FUNCTION spm.add_manual_credit(payee text, date date, amount numeric, currency text, reason text, type text DEFAULT 'adjustment',
                                                 account text DEFAULT NULL, product text DEFAULT NULL, quantity numeric DEFAULT 0,
                                                 cost numeric DEFAULT 0, list_amount numeric DEFAULT NULL, event text DEFAULT 'booking')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    PERFORM spm._check_text(add_manual_credit.reason, 'reason'), spm._check_text(add_manual_credit.type, 'type'),
        spm._check_text(add_manual_credit.event, 'event'), spm._check_currency(add_manual_credit.currency);
    IF add_manual_credit.date IS NULL OR NOT coalesce(abs(add_manual_credit.amount) < 1e15, false) THEN
        RAISE EXCEPTION 'a manual credit must have a date and an amount' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'A negative amount takes credit back.';
    END IF;
    INSERT INTO spm.manual_credit (payee_id, event_date, amount, currency_code, type, account_key, product_key, quantity, cost, list_amount, event, reason)
    VALUES ((spm._target(add_manual_credit.payee, NULL, NULL)).payee_id, add_manual_credit.date, add_manual_credit.amount, add_manual_credit.currency,
            add_manual_credit.type, add_manual_credit.account, add_manual_credit.product, add_manual_credit.quantity, add_manual_credit.cost,
            coalesce(add_manual_credit.list_amount, add_manual_credit.amount), add_manual_credit.event, add_manual_credit.reason)
    RETURNING manual_credit_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_manual_credit(text, date, numeric, text, text, text, text, text, numeric, numeric, numeric, text) IS
'Enters a credit by hand, and returns its manual_credit_id. It counts once another login has approved it (spm.approve_manual_credit), as transaction M-<id> of source manual, credited to the payee alone.
payee: payee_key. date: decides period and seat. amount: in currency, negative to take back. reason: why. type, account, product, quantity, cost, list_amount (NULL: the amount): for the conditions and measures of components. event: booking, or the milestone that it stands for.
Errors: 42704 for an unknown payee or currency; 22023 for what is missing.
Example: SELECT spm.add_manual_credit(''U-17'', ''2026-02-10'', 5000, ''USD'', ''helped to save ACME'');';

CREATE OR REPLACE FUNCTION spm._manual_credit_named(manual_credit_id int)
    RETURNS spm.manual_credit
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.manual_credit;
BEGIN
    SELECT m.* INTO it FROM spm.manual_credit m WHERE m.manual_credit_id = _manual_credit_named.manual_credit_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'manual credit % does not exist', _manual_credit_named.manual_credit_id
            USING ERRCODE = 'undefined_object', HINT = 'They are listed in spm_bi.manual_credit.';
    END IF;
    RETURN it;
END
$$;
COMMENT ON FUNCTION spm._manual_credit_named(int) IS 'The manual credit of that key; error 42704 when there is none.';
REVOKE ALL ON FUNCTION spm._manual_credit_named(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.approve_manual_credit(manual_credit_id int, reason text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.manual_credit := spm._manual_credit_named(approve_manual_credit.manual_credit_id);
    known spm.manual_credit_decision;
BEGIN
    SELECT d.* INTO known FROM spm.manual_credit_decision d
    WHERE d.manual_credit_id = it.manual_credit_id ORDER BY d.decided_at DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'manual credit % is %', it.manual_credit_id, known.decision
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('By %s at %s.', known.decided_by, known.decided_at),
                  HINT = CASE known.decision WHEN 'approved' THEN 'Nothing is left to do.' ELSE 'Enter it anew: SELECT spm.add_manual_credit(...);' END;
    END IF;
    INSERT INTO spm.manual_credit_decision (manual_credit_id, decision, reason) VALUES (it.manual_credit_id, 'approved', approve_manual_credit.reason);
END
$$;
COMMENT ON FUNCTION spm.approve_manual_credit(int, text) IS
'Approves a manual credit: from the next calculation on it counts. Who approves is another login than the author.
manual_credit_id: key. reason: remark, if any.
Errors: 42704 for an unknown one; 42501 for the author; 55000 when it is approved or withdrawn already.
Example: SELECT spm.approve_manual_credit(7);';

CREATE OR REPLACE FUNCTION spm.withdraw_manual_credit(manual_credit_id int, reason text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    it spm.manual_credit := spm._manual_credit_named(withdraw_manual_credit.manual_credit_id);
BEGIN
    PERFORM spm._check_text(withdraw_manual_credit.reason, 'reason');
    INSERT INTO spm.manual_credit_decision (manual_credit_id, decision, reason)
    VALUES (it.manual_credit_id, 'withdrawn', withdraw_manual_credit.reason);
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'manual credit % is withdrawn', it.manual_credit_id
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nothing is left to do.';
END
$$;
COMMENT ON FUNCTION spm.withdraw_manual_credit(int, text) IS
'Withdraws a manual credit, approved or not: it counts no more; where it was posted, the next calculation pays the difference. The row stays.
manual_credit_id: key. reason: why.
Errors: 42704 for an unknown one; 22023 without a reason; 55000 when it is withdrawn already.
Example: SELECT spm.withdraw_manual_credit(7, ''entered twice'');';

CREATE OR REPLACE FUNCTION spm._check_decision()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.decision = 'approved' AND EXISTS (SELECT FROM spm.manual_credit m WHERE m.manual_credit_id = NEW.manual_credit_id AND m.author = NEW.decided_by) THEN
        RAISE EXCEPTION 'manual credit % cannot be approved by its author', NEW.manual_credit_id
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('%s entered it.', NEW.decided_by),
                  HINT = 'Let another login run: ' || format('SELECT spm.approve_manual_credit(%s);', NEW.manual_credit_id);
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._check_decision() IS 'Trigger: who approves a manual credit is not its author.';
REVOKE ALL ON FUNCTION spm._check_decision() FROM PUBLIC;

CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.manual_credit
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('author');
CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.manual_credit_decision
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('decided_by');
CREATE OR REPLACE TRIGGER four_eyes BEFORE INSERT ON spm.manual_credit_decision
    FOR EACH ROW EXECUTE FUNCTION spm._check_decision();
CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.manual_credit
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.manual_credit_decision
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();

-- -------------------------------------------------------- options of components

CREATE OR REPLACE FUNCTION spm._check_refund(component text, refund text, refund_window interval, refund_share numeric, earned_over int)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problem text := CASE
        WHEN _check_refund.refund IS NULL OR _check_refund.refund NOT IN ('running', 'original', 'unearned') THEN 'refund is running, original or unearned'
        WHEN (_check_refund.refund = 'unearned') <> (_check_refund.earned_over IS NOT NULL) THEN 'refund => unearned goes with earned_over, in months'
        WHEN _check_refund.earned_over < 1 THEN 'earned_over is at least 1 month'
        WHEN _check_refund.refund = 'running' AND (_check_refund.refund_window IS NOT NULL OR _check_refund.refund_share <> 1)
            THEN 'refund_window and refund_share go with refund => original or unearned'
        WHEN NOT coalesce(_check_refund.refund_share > 0 AND _check_refund.refund_share <= 1, false) THEN 'refund_share is above 0, at most 1'
        WHEN _check_refund.refund_window <= '0' THEN 'refund_window is longer than nothing' END;
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'component "%" cannot take refunds like that', _check_refund.component
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'What holds: ' || problem || '.',
                  HINT = 'For example: refund => ''unearned'', earned_over => 12, refund_window => ''12 months''.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_refund(text, text, interval, numeric, int) IS 'Error 22023 for options of refunds that do not go together.';
REVOKE ALL ON FUNCTION spm._check_refund(text, text, interval, numeric, int) FROM PUBLIC;
/*
 * compensation/functions_defect.sql: all that can be wrong with a plan version,
 * found before anybody is paid by it.
 */

CREATE OR REPLACE FUNCTION spm._open_periods(calendar_id int, span daterange)
    RETURNS TABLE (period_id int, nth bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT p.period_id, row_number() OVER (ORDER BY p.span)
    FROM spm.period p
    WHERE p.calendar_id = _open_periods.calendar_id AND p.span && _open_periods.span AND p.state <> 'posted'
      AND NOT EXISTS (SELECT FROM spm.period part WHERE part.parent_period_id = p.period_id);
END;
COMMENT ON FUNCTION spm._open_periods(int, daterange) IS 'Periods of a span that are still to be calculated or posted, in order.';
REVOKE ALL ON FUNCTION spm._open_periods(int, daterange) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._component_defect(component_id int)
    RETURNS TABLE (defect text, repair text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    part spm.component;
    of_plan spm.plan;
    said jsonb;
    checked jsonb;
    message text;
    hint text;
BEGIN
    SELECT c.* INTO part FROM spm.component c WHERE c.component_id = _component_defect.component_id;
    SELECT p.* INTO of_plan FROM spm.plan p JOIN spm.plan_version v USING (plan_id) WHERE v.plan_version_id = part.plan_version_id;
    IF NOT EXISTS (SELECT FROM spm.tier t WHERE t.component_id = part.component_id) THEN
        RETURN QUERY SELECT 'it has no tier', 'Insert its tiers into spm.tier.'::text;
    ELSE
        BEGIN
            PERFORM spm.component_rates(part.component_id);
        EXCEPTION WHEN data_exception OR feature_not_supported OR program_limit_exceeded THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            RETURN QUERY SELECT message, hint;
            RETURN;
        END;
    END IF;
    BEGIN
        said := to_jsonb(part);
        checked := spm._keyed(said);
        IF checked <> said THEN
            RETURN QUERY SELECT format('its %s is not written as checking would have written it', replace(e.key, '_', ' ')),
                format('Write it as %s; spm.add_component() does.', checked ->> e.key)
            FROM jsonb_each(said) e WHERE e.value <> checked -> e.key;
        END IF;
    EXCEPTION WHEN others THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        RETURN QUERY SELECT message, hint;
    END;
    BEGIN
        PERFORM spm._check_prorate(part.prorate), (SELECT count(m.rates::spm.rate_schedule) FROM spm.modifier m WHERE m.component_id = part.component_id);
    EXCEPTION WHEN data_exception OR feature_not_supported OR program_limit_exceeded THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        RETURN QUERY SELECT message, hint;
    END;
    IF part.accumulate NOT IN ('deal', 'period', 'group') AND part.accumulate !~ '^rolling [1-9][0-9]?$' AND NOT EXISTS (
        SELECT FROM spm.period p WHERE p.calendar_id = of_plan.calendar_id AND p.grain = part.accumulate) THEN
        RETURN QUERY SELECT format('it accumulates over a %s, but the calendar has none', part.accumulate),
            'Use deal, period, group, rolling 3, or a grain of the calendar.'::text;
    END IF;
    IF part.basis <> 'credit' AND part.accumulate <> 'period' THEN
        RETURN QUERY SELECT format('it accumulates over a %s with basis %s', part.accumulate, part.basis), 'Only credits accumulate: add it with accumulate => ''period''.'::text;
    END IF;
    IF part.event <> 'booking' AND NOT EXISTS (SELECT FROM spm.event_source e WHERE e.kind = part.event)
       AND NOT EXISTS (SELECT FROM spm.manual_credit m WHERE m.event = part.event) THEN
        RETURN QUERY SELECT format('it is paid by "%s", but no such milestone is mapped', part.event),
            format('SELECT spm.map_event(source, %L, relation, key => ..., date => ..., amount => ...);', part.event);
    END IF;
    IF part.is_true_up AND part.accumulate IN ('deal', 'group', 'period') THEN
        RETURN QUERY SELECT 'it trues up, but does not accumulate over several periods', 'Add it with accumulate => ''year'', or without true_up.'::text;
    END IF;
    IF part.is_true_up AND part.refund <> 'running' THEN
        RETURN QUERY SELECT format('it trues up, and refunds go by %s: what came as a true-up would never be taken back', part.refund),
            'Add it with refund => ''running'', or without true_up.'::text;
    END IF;
    IF part.pay = 'target' AND part.variable_id IS NULL THEN
        RETURN QUERY SELECT 'it pays a target by attainment, but has no target', 'Name the variable that holds it: variable => ''target_incentive''.'::text;
    END IF;
    IF part.pay = 'target' AND part.basis = 'credit' AND part.measure_id IS NULL AND part.against = 'quota' THEN
        RETURN QUERY SELECT 'it pays a target by attainment, but has no quota', 'Name the measure of the quota: quota => ''bookings''.'::text;
    END IF;
    -- a pool may be a fixed sum
    IF part.basis <> 'pool' AND part.basis IN ('result', 'rank') <> EXISTS (SELECT FROM spm.component_input i WHERE i.component_id = part.component_id) THEN
        RETURN QUERY SELECT CASE WHEN part.basis IN ('result', 'rank') THEN format('it has basis %s, but no input', part.basis)
                                 ELSE format('it has inputs, but basis %s', part.basis) END,
            CASE WHEN part.basis IN ('result', 'rank', 'pool') THEN format('SELECT spm.add_input(%L, %L, of => component);', of_plan.name, part.name)
                 ELSE 'Add it with basis => ''result'', ''rank'' or ''pool''.' END;
    END IF;
    -- place 1 is where the first step begins: up to there rates that add up have earned nothing
    IF part.basis = 'rank' AND coalesce(part.rate_options, '') !~ '\m(whole|interpolated|weighted|bonus|excess|curve)\M' THEN
        RETURN QUERY SELECT 'it pays places, but by rates that add up from one to the next: the first would earn nothing', 'Write the prizes as ''1: 1000, 2: 600, 3: 0 bonus''.'::text;
    END IF;
    -- an amount that the cap is reached by before the tier begins
    RETURN QUERY
    SELECT format('its tier from %s is never reached: %s earns the cap of %s already', trim_scale(lower(t.bounds)), trim_scale(lower(t.bounds)), k.cap),
        'Raise the cap, or leave the tier out.'::text
    FROM spm.tier t, CAST(substring(part.rate_options FROM '\mcap ([0-9.]+)') AS numeric) k(cap)
    WHERE NOT EXISTS (SELECT FROM spm.modifier m WHERE m.component_id = part.component_id)    -- which change what is earned, not the cap
      AND t.component_id = part.component_id AND part.tier_basis = 'amount' AND part.variable_id IS NULL AND part.pay = 'amount' AND lower(t.bounds) > 0
      AND part.rate_options !~ '\m(whole|interpolated|weighted|bonus|excess|curve|divided|per)\M'
      AND spm.commission(spm.component_rates(part.component_id), lower(t.bounds)) >= k.cap
    ORDER BY t.bounds;
END
$$;
COMMENT ON FUNCTION spm._component_defect(int) IS 'What is wrong with a component by itself.';
REVOKE ALL ON FUNCTION spm._component_defect(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._structure_defect(plan_version_id int)
    RETURNS TABLE (component text, defect text, repair text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH of_plan AS (
        SELECT p.plan_id, p.name, p.calendar_id FROM spm.plan p JOIN spm.plan_version v USING (plan_id) WHERE v.plan_version_id = _structure_defect.plan_version_id
    ), part AS (
        SELECT c.*, c.measure_id IS NULL AND c.against = 'quota' AND (c.basis = 'credit' OR c.tier_basis = 'amount') AS is_without_quota
        FROM spm.component c WHERE c.plan_version_id = _structure_defect.plan_version_id
    ), meant AS (    -- where a component is named, by whom, for what
        SELECT c.component_no AS place, c.name, format('input %s', i.input_no) AS what, i.of_component, i.figure, c.basis
        FROM part c JOIN spm.component_input i USING (component_id)
        UNION ALL
        SELECT c.component_no, c.name, format('modifier %s', m.modifier_no), CASE u.of_component WHEN '' THEN c.name ELSE u.of_component END, u.figure, NULL
        FROM part c JOIN spm.modifier m USING (component_id), unnest(m.of_components, m.figures) u(of_component, figure)
        UNION ALL
        SELECT 100000 + r.rule_no, r.name, 'pay rule', u.of_component, NULL, NULL
        FROM spm.pay_rule r, unnest(r.components) u(of_component)
        WHERE r.plan_version_id = _structure_defect.plan_version_id
    ), looking AS (
        SELECT c.component_no AS place, c.name, 'its measure' AS what, c.lookup_id, cardinality(c.lookup_expressions) AS given FROM part c WHERE c.lookup_id IS NOT NULL
        UNION ALL
        SELECT c.component_no, c.name, format('modifier %s', m.modifier_no), m.lookup_id, cardinality(m.figures)
        FROM part c JOIN spm.modifier m USING (component_id) WHERE m.lookup_id IS NOT NULL
    ), used AS (
        SELECT min(l.place) AS place, min(l.name) AS name, t.lookup_id, t.name AS lookup, t.dimensions, t.otherwise
        FROM looking l JOIN spm.lookup t USING (lookup_id) GROUP BY t.lookup_id
    ), cell AS (    -- ranges of a dimension, where all others are the same
        SELECT u.place, u.name, u.lookup, u.dimensions[i] AS dimension, r.ranges[i] AS span,
               lag(r.ranges[i]) OVER (PARTITION BY u.lookup_id, i, r.span, o.others ORDER BY r.ranges[i]) AS before
        FROM used u JOIN spm.lookup_row r USING (lookup_id)
        CROSS JOIN LATERAL generate_subscripts(r.ranges, 1) i
        CROSS JOIN LATERAL (SELECT string_agg(quote_ident(coalesce(r.keys[j], r.ranges[j]::text, '*')), ',' ORDER BY j) AS others
                            FROM generate_subscripts(r.ranges, 1) j WHERE j <> i) o
        WHERE r.ranges[i] IS NOT NULL AND u.otherwise IS NULL
    )
    SELECT f.name, f.defect, f.repair FROM (
        SELECT n.place, n.name, format('%s names the component "%s", which the version does not have', n.what, n.of_component) AS defect,
               format('SELECT spm.add_component(%L, %L, rates);', p.name, n.of_component) AS repair
        FROM meant n, of_plan p WHERE n.of_component NOT IN (SELECT c.name FROM part c)
        UNION ALL
        SELECT n.place, n.name, format('%s goes by the %s of "%s", which has no quota', n.what, n.figure, n.of_component), 'Add that component with quota => a measure.'
        FROM meant n JOIN part c ON c.name = n.of_component WHERE n.figure IN ('attainment', 'quota') AND c.is_without_quota
        UNION ALL
        SELECT 0, string_agg(c.name, ', ' ORDER BY c.component_no), 'components stand on each other', 'Take out the input or modifier that closes the circle: spm.drop_modifier() or spm.drop_component().'
        FROM spm._component_circle(_structure_defect.plan_version_id) k JOIN part c USING (component_id) HAVING count(*) > 0
        UNION ALL
        SELECT c.component_no, c.name, format('modifier %s goes by %s of the component itself', m.modifier_no, CASE m.scope WHEN 'own' THEN 'earnings' ELSE 'results of others' END),
               format('SELECT spm.drop_modifier(%L, %L, %s); and name a component with rates ''0: 0%%'' that measures the same.', p.name, c.name, m.modifier_no)
        FROM part c JOIN spm.modifier m USING (component_id), of_plan p
        WHERE EXISTS (SELECT FROM unnest(m.of_components, m.figures) u(of_component, figure) WHERE u.of_component = '' AND (m.scope <> 'own' OR u.figure = 'earned'))
        UNION ALL
        SELECT c.component_no, c.name, format('modifier %s, "%s", comes after a limit', m.modifier_no, m.kind),
               format('SELECT spm.drop_modifier(%L, %L, %s); and add it before: after a cap or a floor only gate and multiply have a meaning.', p.name, c.name, m.modifier_no)
        FROM part c JOIN spm.modifier m USING (component_id), of_plan p
        WHERE m.kind IN ('add', 'at most', 'at least')
          AND EXISTS (SELECT FROM spm.modifier b WHERE b.component_id = m.component_id AND b.modifier_no < m.modifier_no AND b.kind IN ('cap', 'floor'))
        UNION ALL
        SELECT c.component_no, c.name, format('modifier %s is a cap of %s', m.modifier_no, m.value),
               format('SELECT spm.drop_modifier(%L, %L, %s); and add one of 0 or more.', p.name, c.name, m.modifier_no)
        FROM part c JOIN spm.modifier m USING (component_id), of_plan p
        WHERE m.kind = 'cap' AND m.value < 0 AND num_nonnulls(m.rates, m.variable_id, m.lookup_id) = 0 AND cardinality(m.figures) = 0
        UNION ALL
        SELECT l.place, l.name, format('%s looks into "%s" by %s, which has %s: %s', l.what, t.name, CASE l.given WHEN 1 THEN '1 dimension' ELSE l.given || ' dimensions' END,
                   cardinality(t.dimensions), array_to_string(t.dimensions, ', ')), 'Give as many expressions or figures as the lookup table has dimensions.'
        FROM looking l JOIN spm.lookup t USING (lookup_id) WHERE l.given <> cardinality(t.dimensions)
        UNION ALL
        SELECT u.place, u.name, format('lookup table "%s" has no rows', u.lookup), format('SELECT spm.set_lookup(%L, %L, value);', u.lookup, u.dimensions)
        FROM used u WHERE u.otherwise IS NULL AND NOT EXISTS (SELECT FROM spm.lookup_row r WHERE r.lookup_id = u.lookup_id)
        UNION ALL
        SELECT u.place, u.name, format('lookup table "%s" has a row with %s cells for %s dimensions', u.lookup, cardinality(r.keys), cardinality(u.dimensions)),
               format('DELETE FROM spm.lookup_row WHERE lookup_row_id = %s; and SELECT spm.set_lookup(%L, %L, value);', r.lookup_row_id, u.lookup, u.dimensions)
        FROM used u JOIN spm.lookup_row r USING (lookup_id) WHERE cardinality(r.keys) <> cardinality(u.dimensions)
        UNION ALL
        SELECT u.place, u.name, format('lookup table "%s" has two rows that cover the same: %s and %s', u.lookup, d.a, d.b), 'End or change one of them in spm.lookup_row.'
        FROM used u JOIN spm.lookup_row a USING (lookup_id) JOIN spm.lookup_row b USING (lookup_id)
        CROSS JOIN LATERAL (
            SELECT string_agg(coalesce(a.keys[i], a.ranges[i]::text, '*'), ' ' ORDER BY i) AS a, string_agg(coalesce(b.keys[i], b.ranges[i]::text, '*'), ' ' ORDER BY i) AS b,
                   bool_and((a.keys[i] IS NULL) = (b.keys[i] IS NULL) AND (a.ranges[i] IS NULL) = (b.ranges[i] IS NULL)
                            AND coalesce(a.keys[i] = b.keys[i], true) AND coalesce(a.ranges[i] && b.ranges[i], true)) AS is_same
            FROM generate_subscripts(a.keys, 1) i) d
        WHERE a.lookup_row_id < b.lookup_row_id AND a.span && b.span AND cardinality(a.keys) = cardinality(b.keys) AND d.is_same
        UNION ALL
        SELECT c.place, c.name, format('lookup table "%s" has nothing between %s and %s of %s', c.lookup, upper(c.before), lower(c.span), c.dimension),
               format('SELECT spm.set_lookup(%L, cell, value); or give the table a value for what no row matches.', c.lookup)
        FROM cell c WHERE NOT c.before -|- c.span AND NOT c.before && c.span
        UNION ALL
        SELECT 100000 + r.rule_no, r.name, format('pay rule holds for a %s, but the calendar has none', r.grain), 'Use period, or a grain of the calendar.'
        FROM spm.pay_rule r, of_plan p
        WHERE r.plan_version_id = _structure_defect.plan_version_id AND r.grain <> 'period'
          AND NOT EXISTS (SELECT FROM spm.period d WHERE d.calendar_id = p.calendar_id AND d.grain = r.grain)
    ) f ORDER BY f.place, f.defect
$$;
COMMENT ON FUNCTION spm._structure_defect(int) IS 'What is wrong with a plan version in how its parts hang together: names, circles, lookup tables.';
REVOKE ALL ON FUNCTION spm._structure_defect(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._input_defect(plan_version_id int)
    RETURNS TABLE (component text, defect text, repair text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
#variable_conflict use_column
DECLARE
    version spm.plan_version := (SELECT v FROM spm.plan_version v WHERE v.plan_version_id = _input_defect.plan_version_id);
    of_plan spm.plan := (SELECT p FROM spm.plan p WHERE p.plan_id = version.plan_id);
    first spm.period;
    part spm.component;
BEGIN
    SELECT p.* INTO first FROM spm._open_periods(of_plan.calendar_id, version.span) o JOIN spm.period p USING (period_id) WHERE o.nth = 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    FOR part IN
        SELECT c.* FROM spm.component c
        WHERE c.plan_version_id = version.plan_version_id AND c.measure_id IS NOT NULL AND c.against = 'quota' AND (c.tier_basis = 'quota' OR c.pay = 'target')
        ORDER BY c.component_no
    LOOP
        RETURN QUERY
        WITH seat AS MATERIALIZED (SELECT a.* FROM spm.plan_seat(of_plan.plan_id, version.span) a),
        due AS (    -- the first open period, and those for which somebody has a quota already
            SELECT p.period_id, p.name, p.span, w.whole,
                   CASE WHEN w.whole IS NOT NULL THEN spm._quota_parts(of_plan.calendar_id, spm._window(p.period_id, part.accumulate), w.whole, part.measure_id)
                        ELSE array(SELECT b.period_id FROM spm.period b
                                   WHERE b.calendar_id = of_plan.calendar_id AND b.span <@ spm._window(p.period_id, part.accumulate) AND spm._is_leaf(b.period_id)) END AS parts
            FROM spm._open_periods(of_plan.calendar_id, version.span) o
            JOIN spm.period p USING (period_id)
            CROSS JOIN LATERAL (SELECT spm._whole(p.period_id, part.accumulate) AS whole) w
            WHERE o.nth = 1 OR EXISTS (SELECT FROM spm.quota q WHERE q.measure_id = ANY (spm._measure_chain(part.measure_id))
                                       AND q.period_id = o.period_id AND q.superseded_at IS NULL))
        SELECT part.name, CASE WHEN q.quota_amount IS NULL THEN format('position %s has no quota for %s in %s', s.position_key, m.name, d.name)
                               ELSE format('position %s has a quota of 0 for %s in %s, and a target that is paid by attainment', s.position_key, m.name, d.name) END,
               format('SELECT spm.set_quota(%L, %L, amount, %L);', s.position_key, d.name, m.name)
        FROM due d JOIN seat a ON a.spans && d.span JOIN spm.position s USING (position_id) JOIN spm.measure m ON m.measure_id = part.measure_id
        CROSS JOIN LATERAL (
            SELECT sum(t.quota_amount) AS quota_amount, sum(t.base_amount) AS base_amount
            FROM unnest(CASE WHEN d.whole IS NULL THEN d.parts ELSE ARRAY[d.whole] END) u(period_id)
            CROSS JOIN LATERAL spm.seat_quota(a.position_id, a.payee_id, a.spans, part.measure_id, u.period_id,
                CASE WHEN d.whole IS NOT NULL THEN d.parts END, part.prorate, 6) t) q
        WHERE q.quota_amount IS NULL OR q.base_amount = 0 AND part.pay = 'target'
        ORDER BY d.span, s.position_key;
    END LOOP;
    RETURN QUERY
    SELECT u.name, format('payee %s has no value of %s in %s', y.payee_key, v.name, first.name),
           format('SELECT spm.set_variable(%L, value, payee => %L);', v.name, y.payee_key)
    FROM (SELECT c.component_no AS place, c.name, c.variable_id FROM spm.component c WHERE c.plan_version_id = version.plan_version_id
          UNION
          SELECT c.component_no, c.name, m.variable_id FROM spm.component c JOIN spm.modifier m USING (component_id) WHERE c.plan_version_id = version.plan_version_id
          UNION    -- a rule that ends may be for some only
          SELECT 100000 + r.rule_no, r.name, r.variable_id FROM spm.pay_rule r
          WHERE r.plan_version_id = version.plan_version_id AND num_nonnulls(r.first_periods, r.until) = 0) u
    JOIN spm.variable v USING (variable_id)
    CROSS JOIN spm.plan_seat(of_plan.plan_id, version.span) a
    JOIN spm.payee y USING (payee_id)
    WHERE a.spans && first.span AND spm.variable_value(v.variable_id, a.payee_id, a.position_id, first.span) IS NULL
    ORDER BY u.place, y.payee_key, v.name;
    RETURN QUERY
    SELECT c.name, format('objectives of payee %s for %s %s', y.payee_key, first.name,
               CASE WHEN o.weight IS NULL THEN 'are missing' ELSE format('have weights that total %s, not 1', o.weight) END),
           format('SELECT spm.set_objective(%L, %L, objective, weight);', y.payee_key, first.name)
    FROM spm.component c
    CROSS JOIN (SELECT DISTINCT a.payee_id FROM spm.plan_seat(of_plan.plan_id, version.span) a WHERE a.spans && first.span) a
    JOIN spm.payee y USING (payee_id)
    CROSS JOIN LATERAL (SELECT sum(o.weight) AS weight FROM spm.objective o
                        WHERE o.payee_id = a.payee_id AND o.period_id = first.period_id AND o.superseded_at IS NULL) o
    WHERE c.plan_version_id = version.plan_version_id AND c.basis = 'objective' AND o.weight IS DISTINCT FROM 1
    ORDER BY c.component_no, y.payee_key;
    -- orders of people on the plan that could not be converted
    IF to_regclass('spm.transaction') IS NOT NULL AND EXISTS (
        SELECT FROM spm.component c WHERE c.plan_version_id = version.plan_version_id AND c.basis = 'credit' AND c.unit = 'money') THEN
        BEGIN
            RETURN QUERY EXECUTE $query$
                SELECT NULL::text, format('no %s rate from %s to %s on %s, the day of an order', $1, t.currency_code, $2, min(t.event_date)),
                       format('SELECT spm.set_exchange_rate(%L, %L, %L, rate, %L);', t.currency_code, $2, min(t.event_date), $1)
                FROM spm.transaction t
                WHERE t.event_date >= lower($3) AND t.event_date < upper($3) AND t.currency_code <> $2
                  AND t.owner_key IN (SELECT y.payee_key FROM spm.plan_seat($4, $3) a JOIN spm.payee y USING (payee_id))
                  AND NOT EXISTS (SELECT FROM spm.exchange_rate x WHERE x.rate_type = $1 AND x.from_currency_code = t.currency_code
                                  AND x.to_currency_code = $2 AND x.span @> t.event_date)
                GROUP BY t.currency_code ORDER BY t.currency_code$query$
                USING of_plan.rate_type, of_plan.currency_code, first.span * version.span, of_plan.plan_id;
        EXCEPTION WHEN insufficient_privilege OR undefined_table OR undefined_column OR data_exception THEN
            -- whoever writes plans need not see the orders; and what is wrong with those, calculating tells
            NULL;
        END;
    END IF;
END
$$;
COMMENT ON FUNCTION spm._input_defect(int) IS 'What a plan version needs and does not find: quotas, variables, objectives, exchange rates.';
REVOKE ALL ON FUNCTION spm._input_defect(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.plan_defect(plan text, version_no int DEFAULT NULL)
    RETURNS TABLE (component text, defect text, repair text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    id int := spm._version_of(plan_defect.plan, plan_defect.version_no);
    version spm.plan_version := (SELECT v FROM spm.plan_version v WHERE v.plan_version_id = id);
    rule spm.pay_rule;
    message text;
    hint text;
BEGIN
    IF NOT EXISTS (SELECT FROM spm.component c WHERE c.plan_version_id = id) THEN
        RETURN QUERY SELECT NULL::text, 'the version has no component',
            format('SELECT spm.add_component(%L, name, rates);', plan_defect.plan);
    END IF;
    IF NOT EXISTS (SELECT FROM spm.period p JOIN spm.plan n USING (calendar_id) WHERE n.plan_id = version.plan_id AND p.span && version.span) THEN
        RETURN QUERY SELECT NULL::text, 'the calendar has no period on or after the first day of the version',
            'Add periods with spm.create_calendar() or spm.load_periods().'::text;
    END IF;
    RETURN QUERY
    SELECT c.name, d.defect, d.repair
    FROM spm.component c CROSS JOIN LATERAL spm._component_defect(c.component_id) d
    WHERE c.plan_version_id = id ORDER BY c.component_no;
    FOR rule IN SELECT r.* FROM spm.pay_rule r WHERE r.plan_version_id = id ORDER BY r.rule_no LOOP
        BEGIN
            PERFORM spm._check_prorate(rule.prorate);
        EXCEPTION WHEN invalid_parameter_value THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            RETURN QUERY SELECT rule.name, message, hint;
        END;
    END LOOP;
    RETURN QUERY SELECT d.* FROM spm._structure_defect(id) d;
    RETURN QUERY SELECT d.* FROM spm._input_defect(id) d;
END
$$;
COMMENT ON FUNCTION spm.plan_defect(text, int) IS
'Everything that keeps a plan version from being published, one row per defect: the component or pay rule, what is wrong, and the call that repairs it. No row: it is sound.
plan: name. version_no: number; NULL: the latest. Quotas are looked for in the first open period and in every later one for which somebody has a quota of that measure; variables, objectives and exchange rates in the first open period.
Errors: 42704 for an unknown plan or version.
Example: SELECT * FROM spm.plan_defect(''Account Executive'');';
/*
 * compensation/functions_pay.sql: pay rules, holds and adjustments.  Writing them.
 */

-- -------------------------------------------------------------------- pay rules

CREATE OR REPLACE FUNCTION spm.add_pay_rule(plan text, kind text, amount numeric DEFAULT NULL, name text DEFAULT NULL, method text DEFAULT NULL,
                                            components text[] DEFAULT NULL, grain text DEFAULT 'period',
                                            variable text DEFAULT NULL, share numeric DEFAULT NULL, prorate text DEFAULT 'none',
                                            recover_share numeric DEFAULT 1, recover_maximum numeric DEFAULT NULL,
                                            recover_after int DEFAULT 0, recover_from date DEFAULT NULL, recover_until date DEFAULT NULL,
                                            minimum numeric DEFAULT NULL, first_periods int DEFAULT NULL, until date DEFAULT NULL,
                                            is_forgiven boolean DEFAULT false, release_after int DEFAULT NULL, release_on date DEFAULT NULL,
                                            rule_no int DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(add_pay_rule.plan);
    of_variable int := CASE WHEN add_pay_rule.variable IS NOT NULL THEN spm._variable_id(add_pay_rule.variable) END;
    way text := spm._check_prorate(add_pay_rule.prorate);
    place int := spm._rule_place(add_pay_rule.kind);
    missing text;
    violated text;
    id int;
BEGIN
    IF place IS NULL THEN
        RAISE EXCEPTION 'there is no pay rule of kind "%"', add_pay_rule.kind
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Kinds are: budget, cap, holdback, guarantee, draw, adjustment, negative.';
    END IF;
    SELECT n INTO missing FROM unnest(add_pay_rule.components) n
    WHERE NOT EXISTS (SELECT FROM spm.component c WHERE c.plan_version_id = version AND c.name = n) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the draft of plan "%" has no component "%"', add_pay_rule.plan, missing
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_component(%L, %L, rates);', add_pay_rule.plan, missing);
    END IF;
    IF add_pay_rule.grain <> 'period' AND NOT EXISTS (
        SELECT FROM spm.plan n JOIN spm.period p USING (calendar_id) WHERE n.name = add_pay_rule.plan AND p.grain = add_pay_rule.grain) THEN
        RAISE EXCEPTION 'the calendar of plan "%" has no period of grain "%"', add_pay_rule.plan, add_pay_rule.grain
            USING ERRCODE = 'invalid_parameter_value', HINT = 'grain => ''period'', or a grain of the calendar, such as ''year''.';
    END IF;
    INSERT INTO spm.pay_rule (plan_version_id, rule_no, name, kind, components, amount, variable_id, share, grain, method, prorate,
        recover_share, recover_maximum, recover_after, recover_from, recover_until, minimum, first_periods, until, is_forgiven, release_after, release_on)
    VALUES (version, coalesce(add_pay_rule.rule_no, place + (SELECT count(*) FROM spm.pay_rule r WHERE r.plan_version_id = version AND r.kind = add_pay_rule.kind)),
        coalesce(add_pay_rule.name, add_pay_rule.kind), add_pay_rule.kind, add_pay_rule.components, add_pay_rule.amount, of_variable, add_pay_rule.share,
        add_pay_rule.grain,
        coalesce(add_pay_rule.method, CASE add_pay_rule.kind WHEN 'budget' THEN 'deal order' WHEN 'cap' THEN 'forfeited' WHEN 'draw' THEN 'floor' WHEN 'negative' THEN 'carried' END),
        way, add_pay_rule.recover_share, add_pay_rule.recover_maximum, add_pay_rule.recover_after, add_pay_rule.recover_from,
        add_pay_rule.recover_until, add_pay_rule.minimum, add_pay_rule.first_periods, add_pay_rule.until, add_pay_rule.is_forgiven,
        add_pay_rule.release_after, add_pay_rule.release_on)
    RETURNING pay_rule_id INTO id;
    RETURN id;
EXCEPTION
    WHEN check_violation THEN
        GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
        RAISE EXCEPTION 'pay rule "%" of kind % cannot have %', coalesce(add_pay_rule.name, add_pay_rule.kind), add_pay_rule.kind,
            CASE violated WHEN 'pay_rule_method' THEN format('the method "%s"', add_pay_rule.method)
                          WHEN 'pay_rule_amount' THEN 'this amount, variable and share'
                          WHEN 'pay_rule_components' THEN 'components of its own'
                          WHEN 'pay_rule_span' THEN format('the grain "%s"', add_pay_rule.grain)
                          WHEN 'pay_rule_prorate' THEN 'a prorated amount'
                          WHEN 'pay_rule_end' THEN 'an end'
                          WHEN 'pay_rule_recovery' THEN 'terms of recovery'
                          WHEN 'pay_rule_forgiven' THEN 'its balance forgiven'
                          WHEN 'pay_rule_release' THEN 'a release'
                          ELSE format('this %s', substring(violated FROM '^pay_rule_(.*)_check$')) END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = CASE violated
                      WHEN 'pay_rule_method' THEN 'budget: deal order, pro rata; cap: forfeited, carried; draw: floor, advance; negative: carried, zeroed; others have none.'
                      WHEN 'pay_rule_amount' THEN 'budget: amount; cap, guarantee, draw: amount, or variable and share of it; holdback: share from 0 to 1; others have none.'
                      WHEN 'pay_rule_span' THEN 'Only a cap holds for more than a period.'
                      WHEN 'pay_rule_prorate' THEN 'Only a cap, a guarantee and a draw are for a time.'
                      WHEN 'pay_rule_end' THEN 'Only a guarantee and a draw end: first_periods or until.'
                      WHEN 'pay_rule_recovery' THEN 'Only a draw and a rule for negative pay have something to recover.'
                      WHEN 'pay_rule_forgiven' THEN 'Only a draw can be forgiven, when it ends: first_periods or until.'
                      WHEN 'pay_rule_components' THEN 'A rule for negative pay, and the place of adjustments, are of all pay.'
                      WHEN 'pay_rule_release' THEN 'Only a holdback is released.'
                      ELSE 'Amounts and numbers are not negative; a share that is recovered is from 0 to 1.' END;
    WHEN unique_violation THEN
        RAISE EXCEPTION 'the draft of plan "%" has a pay rule of that name or number already', add_pay_rule.plan
            USING ERRCODE = 'unique_violation', DETAIL = format('name "%s", number %s.', coalesce(add_pay_rule.name, add_pay_rule.kind), add_pay_rule.rule_no),
                  HINT = 'name => another, or leave rule_no out.';
END
$$;
COMMENT ON FUNCTION spm.add_pay_rule(text, text, numeric, text, text, text[], text, text, numeric, text, numeric, numeric, int, date, date, numeric, int, date, boolean, int, date, int) IS
'Adds a rule between earning and pay to the draft of a plan, and returns its pay_rule_id.
plan: name. kind: budget, cap, holdback, guarantee, draw, adjustment or negative. amount: money in the currency of the plan; or variable, and share of it (2.5 is 250 %). name: shown on the statement; the kind when NULL. components: whose pay counts; NULL: all.
method: budget: deal order (default) or pro rata; cap: forfeited (default) or carried; draw: floor (default) or advance; negative: carried (default) or zeroed. grain: of the span that a cap holds for. prorate: a method of spm.day_count(), for who is on the plan for a part of it.
recover_share, recover_maximum: share of the pay above the minimum, and most of it in a period. recover_after: periods until an amount owed is recovered. recover_from, recover_until: days. minimum: what recovery leaves; NULL: the draw itself, for an advance 0.
first_periods, until: how long a guarantee or draw holds. is_forgiven: write off what is owed then. share: of a holdback, what is kept. release_after: periods; release_on: day; neither: by spm.release_holdback().
rule_no: order; by default budget, cap, holdback, guarantee, draw, adjustment, negative.
Errors: 22023 for options that do not go together, 42704 for an unknown plan, component or variable, 23505 for a name or number that is taken, 55000 without a draft.
Example: SELECT spm.add_pay_rule(''Account Executive'', ''draw'', 2000, recover_share => 0.5, first_periods => 6, is_forgiven => true);';

CREATE OR REPLACE FUNCTION spm.drop_pay_rule(plan text, name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(drop_pay_rule.plan);
BEGIN
    DELETE FROM spm.pay_rule r WHERE r.plan_version_id = version AND r.name = drop_pay_rule.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the draft of plan "%" has no pay rule "%"', drop_pay_rule.plan, drop_pay_rule.name
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM spm.pay_rule;';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.drop_pay_rule(text, text) IS
'Removes a pay rule from the draft of a plan. Balances that it has kept under earlier versions are settled all the same: what is owed is recovered, what is kept is paid.
plan, name: names. Errors: 42704 when there is none of that name, 55000 without a draft.
Example: SELECT spm.drop_pay_rule(''Account Executive'', ''draw'');';

-- -------------------------------------------------------------- holds, releases

CREATE OR REPLACE FUNCTION spm._unsettle(calendar_id int)
    RETURNS void
    LANGUAGE sql
BEGIN ATOMIC
    DELETE FROM spm.period_watermark w USING spm.period p
    WHERE p.period_id = w.period_id AND p.state <> 'posted' AND coalesce(_unsettle.calendar_id, p.calendar_id) = p.calendar_id;
END;
COMMENT ON FUNCTION spm._unsettle(int) IS 'Periods that are calculated and not posted must be calculated again before they are posted. calendar_id: NULL: of all calendars.';
REVOKE ALL ON FUNCTION spm._unsettle(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._unsettle_plan()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM spm.pay_rule r JOIN spm.plan_version v USING (plan_version_id) WHERE v.plan_id = NEW.plan_id) THEN
        PERFORM spm._unsettle(n.calendar_id) FROM spm.plan n WHERE n.plan_id = NEW.plan_id;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._unsettle_plan() IS 'Trigger: when other pay rules apply, a draft is calculated again before it is posted. What a posted period paid by its rules is not looked at again.';
REVOKE ALL ON FUNCTION spm._unsettle_plan() FROM PUBLIC;
CREATE OR REPLACE TRIGGER unsettle AFTER UPDATE OF state, span ON spm.plan_version
    FOR EACH ROW EXECUTE FUNCTION spm._unsettle_plan();

CREATE OR REPLACE FUNCTION spm.release_holdback(plan text, rule text, through text, reason text, payee text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan spm.plan;
    key int := spm._plan_id(release_holdback.plan);
    of_period int;
    of_payee int := CASE WHEN release_holdback.payee IS NOT NULL THEN spm._payee_id(release_holdback.payee) END;
    id int;
BEGIN
    PERFORM spm._check_text(release_holdback.reason, 'reason');
    SELECT n.* INTO of_plan FROM spm.plan n WHERE n.plan_id = key;
    of_period := spm._period_id(release_holdback.through, (SELECT c.name FROM spm.calendar c WHERE c.calendar_id = of_plan.calendar_id));
    IF NOT EXISTS (SELECT FROM spm.pay_rule r JOIN spm.plan_version v USING (plan_version_id)
                   WHERE v.plan_id = key AND r.name = release_holdback.rule AND r.kind = 'holdback') THEN
        RAISE EXCEPTION 'plan "%" has no holdback "%"', release_holdback.plan, release_holdback.rule
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_pay_rule(%L, ''holdback'', share => 0.1);', release_holdback.plan);
    END IF;
    INSERT INTO spm.holdback_release (plan_id, rule_name, through_period_id, payee_id, reason)
    VALUES (key, release_holdback.rule, of_period, of_payee, release_holdback.reason)
    RETURNING holdback_release_id INTO id;
    PERFORM spm._unsettle(of_plan.calendar_id);
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.release_holdback(text, text, text, text, text) IS
'Lets the next posting pay what a holdback has kept in the periods up to one, and returns the holdback_release_id. Calculated periods must be calculated again.
plan, rule: names of the plan and the pay rule. through: name of the last period whose holdback is paid. reason: kept with the release. payee: payee_key; NULL: everybody.
Errors: 42704 for an unknown plan, holdback, period or payee, 22023 without a reason.
Example: SELECT spm.release_holdback(''Account Executive'', ''Warranty'', ''2026-Q1'', ''all projects accepted'');';

CREATE OR REPLACE FUNCTION spm.hold(reason text, payee text DEFAULT NULL, plan text DEFAULT NULL, component text DEFAULT NULL,
                                    transaction_key text DEFAULT NULL, source text DEFAULT NULL, since date DEFAULT '-infinity')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_payee int := CASE WHEN hold.payee IS NOT NULL THEN spm._payee_id(hold.payee) END;
    of_plan int := CASE WHEN hold.plan IS NOT NULL THEN spm._plan_id(hold.plan) END;
    id int;
BEGIN
    PERFORM spm._check_text(hold.reason, 'reason');
    IF num_nonnulls(hold.payee, hold.component, hold.transaction_key) = 0 OR hold.component IS NOT NULL AND hold.plan IS NULL
       OR hold.source IS NOT NULL AND hold.transaction_key IS NULL THEN
        RAISE EXCEPTION 'a hold is of a payee, a component of a plan, or a transaction'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'payee => ''U-17''; plan => ''AE'', component => ''Commission''; or transaction_key => ''D-1007''.';
    END IF;
    IF hold.component IS NOT NULL AND NOT EXISTS (
        SELECT FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) WHERE v.plan_id = of_plan AND c.name = hold.component) THEN
        RAISE EXCEPTION 'plan "%" has no component "%"', hold.plan, hold.component
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM spm.component;';
    END IF;
    IF hold.transaction_key IS NOT NULL AND NOT EXISTS (
        SELECT FROM spm.credit t WHERE t.transaction_key = hold.transaction_key AND coalesce(hold.source, t.source) = t.source) THEN
        RAISE NOTICE 'nobody is credited for transaction "%" so far', hold.transaction_key;
    END IF;
    INSERT INTO spm.hold (payee_id, plan_id, component_name, source, transaction_key, since, reason)
    VALUES (of_payee, of_plan, hold.component, hold.source, hold.transaction_key, hold.since, hold.reason)
    RETURNING hold_id INTO id;
    PERFORM spm._unsettle(NULL);
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.hold(text, text, text, text, text, text, date) IS
'Holds pay back: what is earned stays earned, and is not paid until spm.release(). Returns the hold_id. What was posted before stays paid; calculated periods must be calculated again.
reason: kept, and shown with the payout. payee: payee_key; all that the payee is paid, or what is of the component or transaction named as well. plan, component: names. transaction_key, source: an order; source is needed when two have the key.
since: first day; periods that end before it are paid.
Errors: 22023 when nothing is named or there is no reason, 42704 for an unknown payee, plan or component.
Example: SELECT spm.hold(''customer disputes the invoice'', transaction_key => ''D-1007'');';

CREATE OR REPLACE FUNCTION spm.release(hold_id int, reason text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.hold;
BEGIN
    PERFORM spm._check_text(release.reason, 'reason');
    SELECT h.* INTO this FROM spm.hold h WHERE h.hold_id = release.hold_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'hold % does not exist', release.hold_id USING ERRCODE = 'undefined_object', HINT = 'SELECT * FROM spm_bi.hold;';
    END IF;
    IF this.released_at IS NOT NULL THEN
        RAISE EXCEPTION 'hold % is released already', release.hold_id
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('By %s: %s.', this.released_by, this.release_reason),
                  HINT = 'SELECT spm.hold(reason, ...); makes a new one.';
    END IF;
    UPDATE spm.hold h SET released_at = clock_timestamp(), released_by = session_user, release_reason = release.reason WHERE h.hold_id = release.hold_id;
    PERFORM spm._unsettle(NULL);
END
$$;
COMMENT ON FUNCTION spm.release(int, text) IS
'Releases a hold: the next posting pays what it has kept. Calculated periods must be calculated again.
hold_id: from spm.hold(). reason: kept beside the hold, and shown with the payout.
Errors: 42704 for an unknown hold, 55000 for one that is released, 22023 without a reason.
Example: SELECT spm.release(1, ''invoice paid'');';

-- ------------------------------------------------------------------ adjustments

CREATE OR REPLACE FUNCTION spm.add_adjustment(payee text, period text, amount numeric, currency text, reason text,
                                              plan text DEFAULT NULL, component text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_payee int := spm._payee_id(add_adjustment.payee);
    key int := CASE WHEN add_adjustment.plan IS NOT NULL THEN spm._plan_id(add_adjustment.plan) END;
    of_plan record;
    key_period int := spm._period_id(add_adjustment.period, coalesce(add_adjustment.calendar,
        (SELECT k.name FROM spm.plan n JOIN spm.calendar k USING (calendar_id) WHERE n.plan_id = key)));
    this spm.period;
    digits int;
    of_component int;
    id int;
BEGIN
    PERFORM spm._check_text(add_adjustment.reason, 'reason');
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = key_period;
    SELECT n.* INTO of_plan FROM spm.plan n WHERE n.plan_id = key;
    SELECT u.minor_digits INTO digits FROM spm.currency u WHERE u.currency_code = add_adjustment.currency;
    IF digits IS NULL THEN
        RAISE EXCEPTION 'currency "%" does not exist', add_adjustment.currency
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_currency(%L);', add_adjustment.currency);
    END IF;
    IF of_plan.plan_id IS NOT NULL AND (of_plan.currency_code <> add_adjustment.currency OR of_plan.calendar_id <> this.calendar_id) THEN
        RAISE EXCEPTION 'an adjustment of plan "%" is in its currency and calendar', add_adjustment.plan
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('The plan pays in %s.', of_plan.currency_code),
                  HINT = 'Leave the plan out for an adjustment beside it.';
    END IF;
    IF add_adjustment.amount IS NULL OR add_adjustment.amount IN (0, 'NaN', 'Infinity', '-Infinity')
       OR add_adjustment.amount <> round(add_adjustment.amount, digits) THEN
        RAISE EXCEPTION 'an adjustment cannot be of % %', coalesce(add_adjustment.amount::text, 'NULL'), add_adjustment.currency
            USING ERRCODE = 'invalid_parameter_value', HINT = format('Give an amount other than zero with at most %s decimal places.', digits);
    END IF;
    IF NOT spm._is_leaf(this.period_id) OR this.state = 'posted' THEN
        RAISE EXCEPTION 'period % %', this.name, CASE this.state WHEN 'posted' THEN 'is posted' ELSE 'has parts' END
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Name the period that is to pay it.';
    END IF;
    IF add_adjustment.component IS NOT NULL THEN
        SELECT c.component_id INTO of_component FROM spm.component c JOIN spm.plan_version v USING (plan_version_id)
        WHERE v.plan_id = key AND v.state <> 'draft' AND v.span && this.span AND c.name = add_adjustment.component
        ORDER BY v.span DESC LIMIT 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'plan "%" has no component "%" in %', coalesce(add_adjustment.plan, 'NULL'), add_adjustment.component, this.name
                USING ERRCODE = 'undefined_object', HINT = 'Name the plan and one of its components; or leave the component out.';
        END IF;
    END IF;
    INSERT INTO spm.adjustment (payee_id, period_id, plan_id, component_id, amount, currency_code, reason)
    VALUES (of_payee, this.period_id, key, of_component, add_adjustment.amount, add_adjustment.currency, add_adjustment.reason)
    RETURNING adjustment_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_adjustment(text, text, numeric, text, text, text, text, text) IS
'Enters pay by hand, and returns its adjustment_id. It is paid once somebody else has approved it: spm.approve_adjustment().
payee: payee_key. period: name of the period that pays it. amount: money, negative to take back. currency: code. reason: shown on the statement. plan: whose pay rules it takes part in; NULL: none. component: shown with it. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee, period, currency, plan or component; 22023 without a reason, for an amount that cannot be paid, or another currency than the plan''s; 55000 for a period that is posted or has parts.
Example: SELECT spm.add_adjustment(''U-17'', ''2026-Q1'', 500, ''USD'', ''speaker at the kick-off'');';

CREATE OR REPLACE FUNCTION spm._adjustment(adjustment_id int)
    RETURNS spm.adjustment
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.adjustment;
BEGIN
    SELECT a.* INTO this FROM spm.adjustment a WHERE a.adjustment_id = _adjustment.adjustment_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'adjustment % does not exist', _adjustment.adjustment_id
            USING ERRCODE = 'undefined_object', HINT = 'SELECT * FROM spm_bi.adjustment;';
    END IF;
    IF this.withdrawn_at IS NOT NULL THEN
        RAISE EXCEPTION 'adjustment % is withdrawn', _adjustment.adjustment_id
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('By %s: %s.', this.withdrawn_by, this.withdrawal_reason),
                  HINT = 'SELECT spm.add_adjustment(...); enters a new one.';
    END IF;
    RETURN this;
END
$$;
COMMENT ON FUNCTION spm._adjustment(int) IS 'An adjustment that stands, locked; or error 42704, or 55000 for one that is withdrawn.';
REVOKE ALL ON FUNCTION spm._adjustment(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.approve_adjustment(adjustment_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.adjustment := spm._adjustment(approve_adjustment.adjustment_id);
BEGIN
    IF this.approved_at IS NOT NULL THEN
        RAISE EXCEPTION 'adjustment % is approved already', this.adjustment_id
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('By %s.', this.approved_by), HINT = 'Nothing is left to do.';
    END IF;
    IF this.recorded_by = session_user THEN
        RAISE EXCEPTION 'adjustment % cannot be approved by who entered it', this.adjustment_id
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('%s entered it.', this.recorded_by), HINT = 'Let another login approve it.';
    END IF;
    UPDATE spm.adjustment a SET approved_at = clock_timestamp(), approved_by = session_user WHERE a.adjustment_id = this.adjustment_id;
    PERFORM spm._unsettle((SELECT p.calendar_id FROM spm.period p WHERE p.period_id = this.period_id));
END
$$;
COMMENT ON FUNCTION spm.approve_adjustment(int) IS
'Approves an adjustment that another login has entered: its period pays it, or the first open one after it. Calculated periods must be calculated again.
Errors: 42501 for the login that entered it, 42704 for an unknown one, 55000 for one that is approved or withdrawn.
Example: SELECT spm.approve_adjustment(1);';

CREATE OR REPLACE FUNCTION spm.withdraw_adjustment(adjustment_id int, reason text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.adjustment := spm._adjustment(withdraw_adjustment.adjustment_id);
BEGIN
    PERFORM spm._check_text(withdraw_adjustment.reason, 'reason');
    IF EXISTS (SELECT FROM spm.payout x JOIN spm.posting o USING (posting_id) WHERE x.adjustment_id = this.adjustment_id AND o.state = 'posted') THEN
        RAISE EXCEPTION 'adjustment % is paid', this.adjustment_id
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Enter another that takes it back: spm.add_adjustment() with the opposite amount.';
    END IF;
    UPDATE spm.adjustment a SET withdrawn_at = clock_timestamp(), withdrawn_by = session_user, withdrawal_reason = withdraw_adjustment.reason
    WHERE a.adjustment_id = this.adjustment_id;
    PERFORM spm._unsettle((SELECT p.calendar_id FROM spm.period p WHERE p.period_id = this.period_id));
END
$$;
COMMENT ON FUNCTION spm.withdraw_adjustment(int, text) IS
'Withdraws an adjustment that is not paid yet; the row is kept. Calculated periods must be calculated again.
adjustment_id: key. reason: kept with it.
Errors: 55000 when it is paid or withdrawn, 42704 for an unknown one, 22023 without a reason.
Example: SELECT spm.withdraw_adjustment(1, ''entered twice'');';

-- ----------------------------------------------------------------------- guards

CREATE OR REPLACE FUNCTION spm._guard_decision()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    decided text[] := TG_ARGV;
    before jsonb := to_jsonb(OLD);
    after jsonb;
    fields text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        after := to_jsonb(NEW);
        -- each decision is made once, by whoever makes it
        SELECT string_agg(f, ', ' ORDER BY f) INTO fields FROM jsonb_object_keys(after) f
        WHERE before -> f <> after -> f
          AND NOT (before -> f = 'null' AND f = ANY (decided) AND (f NOT LIKE '%\_by' OR after ->> f = session_user));
        IF fields IS NULL THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a row of spm.% is kept as it was recorded', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', DETAIL = concat('Changed: ' || fields, CASE TG_OP WHEN 'DELETE' THEN 'It was to be deleted.' END),
              HINT = 'SELECT spm.release(hold_id, reason); or spm.withdraw_adjustment(adjustment_id, reason);';
END
$$;
COMMENT ON FUNCTION spm._guard_decision() IS 'Trigger: a row stays as it was recorded; only the columns named in the arguments may be set, once, in the name of the login that does it.';
REVOKE ALL ON FUNCTION spm._guard_decision() FROM PUBLIC;

CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.hold
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('held_by', 'released_by');
CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.adjustment
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('recorded_by', 'approved_by', 'withdrawn_by');
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.hold
    FOR EACH ROW EXECUTE FUNCTION spm._guard_decision('released_at', 'released_by', 'release_reason');
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.hold
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.adjustment
    FOR EACH ROW EXECUTE FUNCTION spm._guard_decision('approved_at', 'approved_by', 'withdrawn_at', 'withdrawn_by', 'withdrawal_reason');
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.adjustment
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.pay_rule
    FOR EACH ROW EXECUTE FUNCTION spm._guard_component();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.balance
    FOR EACH ROW EXECUTE FUNCTION spm._guard_ledger();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.balance
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.holdback_release
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
/*
 * compensation/functions_payment.sql: what is posted becomes payments: in which
 * currency, at which rate, who approves.
 */

-- ------------------------------------------------------------------ currencies

CREATE OR REPLACE FUNCTION spm._quoted(from_currency text, to_currency text, span daterange, rate_type text, OUT total numeric, OUT days numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF _quoted.from_currency = _quoted.to_currency THEN
        total := 1;
        days := 1;
        RETURN;
    END IF;
    SELECT sum(r.rate * (upper(r.span * _quoted.span) - lower(r.span * _quoted.span))), sum(upper(r.span * _quoted.span) - lower(r.span * _quoted.span))
    INTO total, days
    FROM spm.exchange_rate r
    WHERE r.from_currency_code = _quoted.from_currency AND r.to_currency_code = _quoted.to_currency
      AND r.rate_type = _quoted.rate_type AND r.span && _quoted.span;
    IF days IS DISTINCT FROM upper(_quoted.span) - lower(_quoted.span) THEN
        RAISE EXCEPTION 'no % rate from % to % %', _quoted.rate_type, _quoted.from_currency, _quoted.to_currency,
            CASE WHEN upper(_quoted.span) - lower(_quoted.span) = 1 THEN format('on %s', lower(_quoted.span))
                 ELSE format('on each day from %s to %s', lower(_quoted.span), upper(_quoted.span) - 1) END
            USING ERRCODE = 'data_exception',
                  DETAIL = format('%s of %s days have one.', coalesce(days, 0), upper(_quoted.span) - lower(_quoted.span)),
                  HINT = format('SELECT spm.set_exchange_rate(%L, %L, %L, rate, %L);', _quoted.from_currency, _quoted.to_currency, lower(_quoted.span), _quoted.rate_type);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._quoted(text, text, daterange, text) IS 'Sum of the rates of some days, and their number: the average as a fraction. Error 22000 when a day has none.';
REVOKE ALL ON FUNCTION spm._quoted(text, text, daterange, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._payment_rate(from_currency text, to_currency text, span daterange, rate_type text, quote text, base_currency text,
                                             OUT exchange_rate numeric, OUT exchange_divisor numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one record;
    other record;
BEGIN
    IF _payment_rate.from_currency = _payment_rate.to_currency THEN
        exchange_rate := 1;
        exchange_divisor := 1;
        RETURN;
    END IF;
    CASE _payment_rate.quote
        WHEN 'direct' THEN
            one := spm._quoted(_payment_rate.from_currency, _payment_rate.to_currency, _payment_rate.span, _payment_rate.rate_type);
            exchange_rate := one.total;
            exchange_divisor := one.days;
        WHEN 'inverse' THEN
            one := spm._quoted(_payment_rate.to_currency, _payment_rate.from_currency, _payment_rate.span, _payment_rate.rate_type);
            exchange_rate := one.days;
            exchange_divisor := one.total;
        ELSE
            one := spm._quoted(_payment_rate.from_currency, _payment_rate.base_currency, _payment_rate.span, _payment_rate.rate_type);
            other := spm._quoted(_payment_rate.to_currency, _payment_rate.base_currency, _payment_rate.span, _payment_rate.rate_type);
            exchange_rate := one.total * other.days;
            exchange_divisor := other.total * one.days;
    END CASE;
END
$$;
COMMENT ON FUNCTION spm._payment_rate(text, text, daterange, text, text, text) IS 'What an amount is multiplied by and divided by to become another currency. Error 22000 when a rate is missing.';
REVOKE ALL ON FUNCTION spm._payment_rate(text, text, daterange, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.converted(amount numeric, from_currency text, to_currency text, date date, rate_type text DEFAULT 'spot',
                                         quote text DEFAULT 'direct', base_currency text DEFAULT NULL, places int DEFAULT NULL, rounding text DEFAULT 'half_up')
    RETURNS numeric
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    rate record;
BEGIN
    PERFORM spm._check_currency(converted.from_currency), spm._check_currency(converted.to_currency), spm._check_quote(converted.quote, converted.base_currency);
    IF converted.amount IS NULL OR converted.date IS NULL THEN
        RETURN NULL;
    ELSIF NOT isfinite(converted.date) THEN
        RAISE EXCEPTION 'a rate holds on a day, not on %', converted.date USING ERRCODE = 'invalid_parameter_value';
    END IF;
    rate := spm._payment_rate(converted.from_currency, converted.to_currency, daterange(converted.date, converted.date, '[]'),
                              converted.rate_type, converted.quote, converted.base_currency);
    RETURN spm.rounded(converted.amount * rate.exchange_rate / rate.exchange_divisor,
                       coalesce(converted.places, (SELECT c.minor_digits FROM spm.currency c WHERE c.currency_code = converted.to_currency)::int), converted.rounding);
END
$$;
COMMENT ON FUNCTION spm.converted(numeric, text, text, date, text, text, text, int, text) IS
'An amount in another currency, rounded. The rate is looked up as quote says: nothing is inverted or crossed by itself.
amount: money; NULL gives NULL. from_currency, to_currency: ISO codes. date: day of the rate. rate_type: spot, average, budget ... quote: direct (times the rate from the one to the other), inverse (divided by the rate the other way round), base (times what the one is worth in base_currency, divided by what the other is). places: default those of the currency. rounding: mode.
Errors: 42704 for an unknown currency, 22023 for an unknown quote or mode, 22000 when no rate was set.
Example: SELECT spm.converted(100, ''GBP'', ''USD'', ''2026-01-31'');';

CREATE OR REPLACE FUNCTION spm._check_quote(quote text, base_currency text)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF _check_quote.quote IS NULL OR _check_quote.quote NOT IN ('direct', 'inverse', 'base') THEN
        RAISE EXCEPTION 'there is no quote "%"', left(_check_quote.quote, 40) USING ERRCODE = 'invalid_parameter_value', HINT = 'direct, inverse or base.';
    ELSIF (_check_quote.quote = 'base') <> (_check_quote.base_currency IS NOT NULL) THEN
        RAISE EXCEPTION 'quote base needs a base currency, and only that does' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'quote => ''base'', base_currency => ''USD''';
    ELSIF _check_quote.base_currency IS NOT NULL THEN
        PERFORM spm._check_currency(_check_quote.base_currency);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_quote(text, text) IS 'Error 22023 for an unknown quote, or a base currency that is missing or not needed.';
REVOKE ALL ON FUNCTION spm._check_quote(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.set_payment_currency(payee text, currency text, since date DEFAULT '-infinity', until date DEFAULT NULL,
                                                    rate_on text DEFAULT 'payment', rate_type text DEFAULT 'spot', quote text DEFAULT 'direct',
                                                    base_currency text DEFAULT NULL, round_at text DEFAULT 'payment', rounding text DEFAULT 'half_up')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_payee int := spm._payee_id(set_payment_currency.payee);
    room daterange;
    id int;
BEGIN
    PERFORM spm._check_currency(set_payment_currency.currency), spm._check_quote(set_payment_currency.quote, set_payment_currency.base_currency);
    IF set_payment_currency.rate_on IS NULL OR set_payment_currency.rate_on NOT IN ('payment', 'booking', 'average', 'period end', 'fixed') THEN
        RAISE EXCEPTION 'there is no rate_on "%"', set_payment_currency.rate_on
            USING ERRCODE = 'invalid_parameter_value', HINT = 'payment, booking, average, period end or fixed.';
    ELSIF set_payment_currency.round_at IS NULL OR set_payment_currency.round_at NOT IN ('payment', 'payout', 'deal') THEN
        RAISE EXCEPTION 'there is no round_at "%"', set_payment_currency.round_at
            USING ERRCODE = 'invalid_parameter_value', HINT = 'payment, payout or deal.';
    END IF;
    PERFORM spm.rounded(0, 2, set_payment_currency.rounding);
    room := spm._make_room('spm.payment_currency', jsonb_build_object('payee_id', of_payee)::text,
        format('the payment currency of %s', set_payment_currency.payee), set_payment_currency.since, set_payment_currency.until);
    INSERT INTO spm.payment_currency (payee_id, span, currency_code, rate_on, rate_type, quote, base_currency_code, round_at, rounding)
    VALUES (of_payee, room, set_payment_currency.currency, set_payment_currency.rate_on, set_payment_currency.rate_type,
            set_payment_currency.quote, set_payment_currency.base_currency, set_payment_currency.round_at, set_payment_currency.rounding)
    RETURNING payment_currency_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_payment_currency(text, text, date, date, text, text, text, text, text, text) IS
'Says in which currency a payee is paid from a day of payment on, and at which rate; returns the payment_currency_id. Without it a payee is paid in the currency of the plan.
payee: key. currency: ISO code. since, until: days of payment, until exclusive. rate_on: payment (day of the payment), booking (day of each deal; what is of no deal at the end of the period), average (over the days of the period in which it was earned), period end, fixed (first day of that period). rate_type: spot, budget ... quote, base_currency: see spm.converted().
round_at: payment, payout or deal. rounding: mode, to the digits of the currency.
Errors: 42704 for an unknown payee or currency, 22023 for an unknown word, 23P01 when one starts on the same day.
Example: SELECT spm.set_payment_currency(''dana'', ''EUR'', ''2026-01-01'', rate_on => ''average'');';

-- --------------------------------------------------------------------- batches

CREATE OR REPLACE FUNCTION spm.propose_payment(period text, calendar text DEFAULT NULL, pay_on date DEFAULT NULL, negative text DEFAULT 'carry')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    this spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(propose_payment.period, propose_payment.calendar));
    day date := coalesce(propose_payment.pay_on, upper(this.span));
    batch int;
    n bigint;
BEGIN
    IF NOT isfinite(day) THEN
        RAISE EXCEPTION 'a payment needs a day, not %', day USING ERRCODE = 'invalid_parameter_value';
    ELSIF propose_payment.negative IS NULL OR propose_payment.negative NOT IN ('carry', 'include') THEN
        RAISE EXCEPTION 'there is no treatment "%" of negative payments', propose_payment.negative
            USING ERRCODE = 'invalid_parameter_value', HINT = 'carry (until what follows makes up for it) or include.';
    END IF;
    -- two at a time would gather the same
    LOCK TABLE spm.payment_batch IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO spm.payment_batch (period_id, pay_on) VALUES (this.period_id, day) RETURNING payment_batch_id INTO batch;
    WITH free AS (      -- posted, and in no batch that lives
        SELECT x.payout_id, x.posting_id, x.period_id, x.payee_id, x.position_id, x.component_id, x.amount, x.currency_code,
               coalesce(x.kind = 'earning' AND k.rate_on = 'booking', false) AS is_by_deal, coalesce(k.currency_code, x.currency_code) AS paid_currency_code, coalesce(k.rate_type, 'spot') AS rate_type,
               coalesce(k.quote, 'direct') AS quote, k.base_currency_code, coalesce(k.round_at, 'payment') AS round_at,
               coalesce(k.rounding, 'half_up') AS rounding,
               CASE k.rate_on WHEN 'average' THEN e.span
                    WHEN 'fixed' THEN daterange(lower(e.span), lower(e.span), '[]')
                    WHEN 'payment' THEN daterange(day, day, '[]')
                    ELSE daterange(upper(e.span) - 1, upper(e.span)) END AS days
        FROM spm.payout x
        JOIN spm.posting o USING (posting_id)
        JOIN spm.period w ON w.period_id = o.period_id
        JOIN spm.period e ON e.period_id = x.period_id
        LEFT JOIN spm.payment_currency k ON k.payee_id = x.payee_id AND k.span @> day
        WHERE o.state = 'posted' AND w.calendar_id = this.calendar_id AND upper(w.span) <= upper(this.span) AND x.amount <> 0
          AND NOT EXISTS (SELECT FROM spm.payment_item i WHERE i.payout_id = x.payout_id AND i.is_live)
    ), deal AS (        -- each at the rate of its day, where that is asked for
        SELECT f.payout_id, f.currency_code, f.paid_currency_code, f.rate_type, f.quote, f.base_currency_code, e.amount,
               CASE WHEN c.credit_id IS NULL THEN f.days ELSE daterange(c.event_date, c.event_date, '[]') END AS days
        FROM free f
        JOIN spm.earning e USING (posting_id, period_id, payee_id, position_id, component_id)
        LEFT JOIN spm.credit c ON c.credit_id = e.credit_id
        WHERE f.is_by_deal
        UNION ALL
        SELECT f.payout_id, f.currency_code, f.paid_currency_code, f.rate_type, f.quote, f.base_currency_code, f.amount, f.days
        FROM free f WHERE NOT f.is_by_deal
    ), rate AS MATERIALIZED (
        SELECT k.*, r.exchange_rate, r.exchange_divisor
        FROM (SELECT DISTINCT d.currency_code, d.paid_currency_code, d.rate_type, d.quote, d.base_currency_code, d.days FROM deal d) k
        CROSS JOIN LATERAL spm._payment_rate(k.currency_code, k.paid_currency_code, k.days, k.rate_type, k.quote, k.base_currency_code) r
    ), part AS (
        SELECT d.payout_id, row_number() OVER (PARTITION BY d.payout_id ORDER BY r.exchange_rate, r.exchange_divisor)::int AS part_no,
               f.payee_id, f.currency_code, f.paid_currency_code, f.round_at, f.rounding, m.minor_digits::int AS places,
               r.exchange_rate, r.exchange_divisor, sum(d.amount) AS amount,
               CASE f.round_at WHEN 'deal' THEN sum(spm.rounded(d.amount * r.exchange_rate / r.exchange_divisor, m.minor_digits, f.rounding))
                    ELSE sum(d.amount) * r.exchange_rate / r.exchange_divisor END AS converted
        FROM deal d
        JOIN free f USING (payout_id)
        JOIN rate r ON r.currency_code = d.currency_code AND r.paid_currency_code = d.paid_currency_code AND r.rate_type = d.rate_type
            AND r.quote = d.quote AND r.base_currency_code IS NOT DISTINCT FROM d.base_currency_code AND r.days = d.days
        JOIN spm.currency m ON m.currency_code = f.paid_currency_code
        GROUP BY d.payout_id, f.payee_id, f.currency_code, f.paid_currency_code, f.round_at, f.rounding, m.minor_digits, r.exchange_rate, r.exchange_divisor
    ), item AS (        -- running totals are rounded, so that the items add up to the rounded whole
        SELECT p.*, spm.rounded(sum(p.converted) OVER upto, p.places, p.rounding)
                    - coalesce(spm.rounded(sum(p.converted) OVER before, p.places, p.rounding), 0) AS paid_amount
        FROM part p
        WINDOW whole AS (PARTITION BY p.payee_id, p.paid_currency_code, CASE WHEN p.round_at = 'payment' THEN 0 ELSE p.payout_id END
                         ORDER BY p.payout_id, p.part_no),
               upto AS (whole ROWS UNBOUNDED PRECEDING),
               before AS (whole ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), paid AS (
        INSERT INTO spm.payment (payment_batch_id, payee_id, currency_code, amount)
        SELECT batch, i.payee_id, i.paid_currency_code, sum(i.paid_amount)
        FROM item i
        GROUP BY i.payee_id, i.paid_currency_code
        HAVING sum(i.paid_amount) > 0 OR propose_payment.negative = 'include' AND sum(i.paid_amount) < 0
        ORDER BY i.payee_id, i.paid_currency_code
        RETURNING payment_id, payee_id, currency_code
    )
    INSERT INTO spm.payment_item (payment_id, payout_id, part_no, amount, currency_code, exchange_rate, exchange_divisor, paid_amount)
    SELECT p.payment_id, i.payout_id, i.part_no, i.amount, i.currency_code, i.exchange_rate, i.exchange_divisor, i.paid_amount
    FROM item i JOIN paid p ON p.payee_id = i.payee_id AND p.currency_code = i.paid_currency_code
    ORDER BY i.payout_id, i.part_no;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n = 0 THEN
        RAISE EXCEPTION 'nothing is to be paid up to %', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Nothing is posted that is not in a batch already, or what is nets to nothing or less.',
                  HINT = 'SELECT * FROM spm_bi.unpaid; shows what is posted and waits.';
    END IF;
    RETURN batch;
END
$$;
COMMENT ON FUNCTION spm.propose_payment(text, text, date, text) IS
'Gathers what is posted up to the end of a period and not yet in a batch into a new one, and returns its payment_batch_id. One payment per payee and currency.
period: name. calendar: needed when two calendars have a period of that name. pay_on: planned day, which decides on currencies and rates; default the day after the period. negative: carry (payments that net to zero or less are not made: what they stand for waits for the next batch) or include (those below zero are made: payroll deducts them).
Errors: 55000 when nothing is to be paid; 22000 when an exchange rate is missing; 22023 for a day or word that makes no sense; 42704 for an unknown period.
Example: SELECT spm.propose_payment(''2026-01'', pay_on => ''2026-02-15'');';

CREATE OR REPLACE FUNCTION spm._batch(payment_batch_id int, states text[])
    RETURNS spm.payment_batch
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    batch spm.payment_batch;
BEGIN
    SELECT b.* INTO batch FROM spm.payment_batch b WHERE b.payment_batch_id = _batch.payment_batch_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment batch % does not exist', coalesce(_batch.payment_batch_id::text, 'NULL')
            USING ERRCODE = 'undefined_object', HINT = 'SELECT * FROM spm_bi.payment_batch;';
    ELSIF batch.state <> ALL (_batch.states) THEN
        RAISE EXCEPTION 'payment batch % is %, not %', batch.payment_batch_id, batch.state, array_to_string(_batch.states, ' or ')
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE batch.state WHEN 'proposed' THEN format('SELECT spm.approve_payment(%s); by another login.', batch.payment_batch_id)
                              WHEN 'approved' THEN format('SELECT spm.record_payment(%s, reference, paid_on);', batch.payment_batch_id)
                              WHEN 'paid' THEN 'What was paid stays; differences are paid in a later batch.'
                              ELSE 'Its payouts are free: SELECT spm.propose_payment(...);' END;
    END IF;
    RETURN batch;
END
$$;
COMMENT ON FUNCTION spm._batch(int, text[]) IS 'A batch in one of some states, locked. Errors 42704, 55000.';
REVOKE ALL ON FUNCTION spm._batch(int, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.approve_payment(payment_batch_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    batch spm.payment_batch := spm._batch(approve_payment.payment_batch_id, '{proposed}');
BEGIN
    UPDATE spm.payment_batch b SET state = 'approved', approved_at = clock_timestamp(), approved_by = session_user
    WHERE b.payment_batch_id = batch.payment_batch_id;
END
$$;
COMMENT ON FUNCTION spm.approve_payment(int) IS
'Approves a proposed batch: from then on it is in the payroll export, and what it pays is payable. Another login than the one that proposed it.
payment_batch_id: as spm.propose_payment() returned.
Errors: 42501 for the login that proposed it; 42704 for an unknown batch; 55000 unless it is proposed.
Example: SELECT spm.approve_payment(1);';

CREATE OR REPLACE FUNCTION spm.record_payment(payment_batch_id int, reference text, paid_on date)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    batch spm.payment_batch := spm._batch(record_payment.payment_batch_id, '{approved}');
BEGIN
    IF coalesce(record_payment.reference, '') = '' OR record_payment.paid_on IS NULL OR NOT isfinite(record_payment.paid_on) THEN
        RAISE EXCEPTION 'a payment needs a reference and a day'
            USING ERRCODE = 'invalid_parameter_value', HINT = format('SELECT spm.record_payment(%s, ''PAY-2026-02'', ''2026-02-15'');', batch.payment_batch_id);
    END IF;
    UPDATE spm.payment_batch b SET state = 'paid', reference = record_payment.reference, paid_on = record_payment.paid_on
    WHERE b.payment_batch_id = batch.payment_batch_id;
END
$$;
COMMENT ON FUNCTION spm.record_payment(int, text, date) IS
'Records that an approved batch was paid. It never changes again.
payment_batch_id: batch. reference: at the bank or in payroll. paid_on: day.
Errors: 42704 for an unknown batch; 55000 unless it is approved; 22023 without reference or day.
Example: SELECT spm.record_payment(1, ''PAY-2026-02'', ''2026-02-15'');';

CREATE OR REPLACE FUNCTION spm.reject_payment(payment_batch_id int, reason text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    batch spm.payment_batch := spm._batch(reject_payment.payment_batch_id, '{proposed,approved}');
BEGIN
    IF coalesce(reject_payment.reason, '') = '' THEN
        RAISE EXCEPTION 'a batch is rejected for a reason' USING ERRCODE = 'invalid_parameter_value', HINT = 'Say what must be put right.';
    END IF;
    UPDATE spm.payment_batch b SET reason = reject_payment.reason,
           state = CASE WHEN b.state = 'proposed' AND b.proposed_by = session_user THEN 'withdrawn' ELSE 'rejected' END
    WHERE b.payment_batch_id = batch.payment_batch_id;
END
$$;
COMMENT ON FUNCTION spm.reject_payment(int, text) IS
'Takes a batch back that is not paid: rejected, or withdrawn where the login that proposed it does so before it is approved. Nothing is lost: its payouts are free for the next batch.
payment_batch_id: batch. reason: why.
Errors: 42704 for an unknown batch; 55000 unless it is proposed or approved; 22023 without a reason.
Example: SELECT spm.reject_payment(1, ''bonus of dana is disputed'');';

-- --------------------------------------------------------------------- ledgers

CREATE OR REPLACE FUNCTION spm.set_gl_account(purpose text, account_code text, plan text DEFAULT NULL, component text DEFAULT NULL,
                                              since date DEFAULT '-infinity')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := CASE WHEN set_gl_account.plan IS NOT NULL THEN spm._plan_id(set_gl_account.plan) END;
    first date := nullif(set_gl_account.since, '-infinity');
    purposes CONSTANT text[] := '{expense,waiting,payable,cash,held,advance,clearing,rounding,contract cost,amortization,impairment}';
    id int;
BEGIN
    IF set_gl_account.purpose IS NULL OR set_gl_account.purpose <> ALL (purposes) THEN
        RAISE EXCEPTION 'no account is needed for "%"', set_gl_account.purpose
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Purposes are: ' || array_to_string(purposes, ', ') || '.';
    END IF;
    PERFORM spm._check_text(set_gl_account.account_code, 'account_code');
    -- the one before ends where this one begins
    UPDATE spm.gl_account a SET span = daterange(lower(a.span), first)
    WHERE a.purpose = set_gl_account.purpose AND a.plan_id IS NOT DISTINCT FROM of_plan AND a.component_name = coalesce(set_gl_account.component, '')
      AND upper_inf(a.span) AND (lower_inf(a.span) OR lower(a.span) < first) AND first IS NOT NULL;
    INSERT INTO spm.gl_account (purpose, plan_id, component_name, span, account_code)
    VALUES (set_gl_account.purpose, of_plan, coalesce(set_gl_account.component, ''), daterange(first, NULL), set_gl_account.account_code)
    RETURNING gl_account_id INTO id;
    RETURN id;
EXCEPTION WHEN exclusion_violation THEN
    RAISE EXCEPTION 'the account for "%" is already set', set_gl_account.purpose
        USING ERRCODE = 'exclusion_violation', DETAIL = format('The new one would hold from %s.', coalesce(first::text, 'the beginning')),
              HINT = 'Give the day of the change: since => ''2026-01-01''.';
END
$$;
COMMENT ON FUNCTION spm.set_gl_account(text, text, text, text, date) IS
'Sets an account of the general ledger from a day on, and returns the gl_account_id; the one before it ends.
purpose: expense, waiting, payable, cash, held, advance, clearing, rounding, contract cost, amortization or impairment. account_code: account. plan, component: names; NULL for all. since: first day of the entries.
Errors: 22023 for an unknown purpose or an empty account; 42704 for an unknown plan; 23P01 where one is set from that day or later.
Example: SELECT spm.set_gl_account(''expense'', ''6100'');';

CREATE OR REPLACE FUNCTION spm._gl_purpose(kind text, method text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _gl_purpose.kind IN ('holdback', 'hold', 'release', 'carried') OR _gl_purpose.kind = 'cap' AND _gl_purpose.method = 'carried' THEN 'held'
                WHEN _gl_purpose.kind IN ('draw', 'recovery', 'negative') THEN 'advance'
                ELSE 'expense' END;
END;
COMMENT ON FUNCTION spm._gl_purpose(text, text) IS 'What a payout of a kind, by a pay rule of a method, is booked against: pay is an expense, what is kept for later a debt, a draw and pay below zero a claim.';
REVOKE ALL ON FUNCTION spm._gl_purpose(text, text) FROM PUBLIC;

-- --------------------------------------------------------------------- spreading

CREATE OR REPLACE FUNCTION spm.spread_pay(plan text, advance_share numeric, parts int, components text[] DEFAULT NULL, release_after int DEFAULT 1, name text DEFAULT 'Spread')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(spread_pay.plan);
    -- named one by one: what a part holds back or releases is not to be spread again
    spread text[] := coalesce(spread_pay.components, ARRAY(SELECT c.name FROM spm.component c WHERE c.plan_version_id = version ORDER BY c.component_no));
BEGIN
    IF spread_pay.advance_share IS NULL OR NOT (spread_pay.advance_share >= 0 AND spread_pay.advance_share < 1) THEN
        RAISE EXCEPTION 'advance_share must be from 0 to less than 1, not %', coalesce(spread_pay.advance_share::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = '0.75 pays 75 % at once and spreads the rest.';
    ELSIF spread_pay.parts IS NULL OR spread_pay.parts NOT BETWEEN 1 AND 36 THEN
        RAISE EXCEPTION 'parts must be from 1 to 36, not %', coalesce(spread_pay.parts::text, 'NULL') USING ERRCODE = 'invalid_parameter_value';
    ELSIF spread_pay.release_after IS NULL OR spread_pay.release_after NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'release_after must be from 1 to 1000 periods, not %', coalesce(spread_pay.release_after::text, 'NULL') USING ERRCODE = 'invalid_parameter_value';
    ELSIF cardinality(spread) = 0 THEN
        RAISE EXCEPTION 'the draft of plan "%" has no component to spread', spread_pay.plan
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT spm.add_component(%L, ...);', spread_pay.plan);
    END IF;
    PERFORM spm.add_pay_rule(spread_pay.plan, 'holdback', name => format('%s %s', spread_pay.name, n), components => spread,
                             share => round((1 - spread_pay.advance_share) / spread_pay.parts, 20), release_after => spread_pay.release_after + n - 1)
    FROM generate_series(1, spread_pay.parts) n;
    RETURN spread_pay.parts;
END
$$;
COMMENT ON FUNCTION spm.spread_pay(text, numeric, int, text[], int, text) IS
'Pays a share of what components earn at once, and the rest in equal parts in later periods: adds a holdback rule for each part to the draft of a plan, and returns their number. Each part is rounded; what is left of a cent is paid at once.
plan: name. advance_share: share paid at once, from 0 to less than 1. parts: 1 to 36. components: names, which must be there; NULL for all there are. release_after: periods until the first part, 1 or more. name: of the rules, with a number.
Errors: 22023 for a number that makes no sense; 42704 for an unknown plan or component; 23505 when there are rules of that name; 55000 without a draft or components.
Example: SELECT spm.spread_pay(''Agent'', 0.75, 3); pays 990 of 1320 at once, and 110 in each of the three periods after.';

-- ---------------------------------------------------------------------- guards

CREATE OR REPLACE FUNCTION spm._guard_payment_batch()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (OLD.state, NEW.state) NOT IN (('proposed', 'approved'), ('approved', 'paid'), ('proposed', 'withdrawn'),
                                                          ('proposed', 'rejected'), ('approved', 'rejected'))
       OR to_jsonb(NEW) - '{state,approved_at,approved_by,paid_on,reference,reason}'::text[]
          <> to_jsonb(OLD) - '{state,approved_at,approved_by,paid_on,reference,reason}'::text[]
       OR NEW.state <> 'approved' AND (NEW.approved_at, NEW.approved_by) IS DISTINCT FROM (OLD.approved_at, OLD.approved_by) THEN
        RAISE EXCEPTION 'payment batch % is %, and does not change in this way', OLD.payment_batch_id, OLD.state
            USING ERRCODE = 'restrict_violation', DETAIL = 'A batch is proposed, then approved, then paid; or rejected or withdrawn.',
                  HINT = 'spm.approve_payment(), spm.record_payment(), spm.reject_payment()';
    END IF;
    IF NEW.state = 'approved' AND (OLD.proposed_by = session_user OR NEW.approved_by <> session_user) THEN
        RAISE EXCEPTION 'payment batch % must be approved by another login', OLD.payment_batch_id
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('It was proposed by %s; this is %s.', OLD.proposed_by, session_user),
                  HINT = 'Ask somebody else: whoever proposes a payment does not approve it.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION spm._guard_payment_batch() IS 'Trigger: the states of a batch, and that two logins take part. Errors 23001, 42501.';
REVOKE ALL ON FUNCTION spm._guard_payment_batch() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._record_payment_event()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO spm.payment_event (payment_batch_id, from_state, to_state, reason) VALUES (NEW.payment_batch_id, OLD.state, NEW.state, NEW.reason);
    IF NEW.state IN ('rejected', 'withdrawn') THEN
        UPDATE spm.payment_item i SET is_live = false FROM spm.payment p
        WHERE p.payment_id = i.payment_id AND p.payment_batch_id = NEW.payment_batch_id;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._record_payment_event() IS 'Trigger: records a change of state, and frees the payouts of a batch that is not to be paid.';
REVOKE ALL ON FUNCTION spm._record_payment_event() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._guard_payment_item()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.is_live AND NOT NEW.is_live AND to_jsonb(NEW) - 'is_live' = to_jsonb(OLD) - 'is_live'
           AND EXISTS (SELECT FROM spm.payment p JOIN spm.payment_batch b USING (payment_batch_id)
                       WHERE p.payment_id = OLD.payment_id AND b.state IN ('rejected', 'withdrawn')) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'items of a payment do not change'
        USING ERRCODE = 'restrict_violation', HINT = 'Reject the batch and propose another: SELECT spm.reject_payment(batch, reason);';
END
$$;
COMMENT ON FUNCTION spm._guard_payment_item() IS 'Trigger: items stay; they only cease to count when their batch is rejected or withdrawn. Error 23001.';
REVOKE ALL ON FUNCTION spm._guard_payment_item() FROM PUBLIC;

CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.payment_batch
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('proposed_by', 'approved_by', 'paid_on');
CREATE OR REPLACE TRIGGER author BEFORE INSERT ON spm.payment_event
    FOR EACH ROW EXECUTE FUNCTION spm._guard_author('recorded_by');
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.payment_batch
    FOR EACH ROW EXECUTE FUNCTION spm._guard_payment_batch();
CREATE OR REPLACE TRIGGER recorded AFTER UPDATE ON spm.payment_batch
    FOR EACH ROW EXECUTE FUNCTION spm._record_payment_event();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON spm.payment_item
    FOR EACH ROW EXECUTE FUNCTION spm._guard_payment_item();
CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.payment
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.payment_event
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.payment_batch
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON spm.payment_item
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_truncate();
/*
 * compensation/functions_plan.sql: what a plan version says, as one document.
 *
 * The document names things where the tables have keys, and says nothing of
 * what has its default.  It is made from the columns that the tables have, so
 * that a new column needs nothing here, and does not change what older versions
 * say as long as its default means what was before; a new table needs a line in
 * spm._plan_part(), a new reference one in spm._named() and spm._keyed().
 */

CREATE OR REPLACE FUNCTION spm._plan_part()
    RETURNS TABLE (relation text, parent text, field text, number text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES ('component', 'plan_version', 'components', 'component_no'),
           ('tier', 'component', 'tiers', 'bounds'),
           ('component_input', 'component', 'inputs', 'input_no'),
           ('modifier', 'component', 'modifiers', 'modifier_no'),
           ('pay_rule', 'plan_version', 'pay_rules', 'rule_no');
END;
COMMENT ON FUNCTION spm._plan_part() IS
'The tables that a plan version consists of: the table it belongs to, the field of the document that has its rows, and the column they are ordered by.';
REVOKE ALL ON FUNCTION spm._plan_part() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._column_default(relation text)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET intervalstyle = 'postgres'
AS $$
DECLARE
    row_ jsonb;
BEGIN
    EXECUTE (SELECT format('SELECT to_jsonb(d) FROM (SELECT %s) d',
                 string_agg(format('%s AS %I', coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL'), a.attname), ', '))
             FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = format('spm.%I', _column_default.relation)::regclass
               AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '') INTO row_;
    RETURN row_;
END
$$;
COMMENT ON FUNCTION spm._column_default(text) IS 'Columns of a table of the extension that are not generated, with their defaults; null for those without.';
REVOKE ALL ON FUNCTION spm._column_default(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._named(row_ jsonb, defaults jsonb, parent text)
    RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(jsonb_object_agg(CASE WHEN e.key IN ('calendar_id', 'measure_id', 'variable_id', 'lookup_id') THEN left(e.key, -3) ELSE e.key END,
        CASE e.key
            WHEN 'calendar_id' THEN (SELECT to_jsonb(c.name) FROM spm.calendar c WHERE c.calendar_id = e.value::int)
            WHEN 'measure_id' THEN (SELECT to_jsonb(m.name) FROM spm.measure m WHERE m.measure_id = e.value::int)
            WHEN 'variable_id' THEN (SELECT to_jsonb(v.name) FROM spm.variable v WHERE v.variable_id = e.value::int)
            WHEN 'lookup_id' THEN (SELECT to_jsonb(l.name) FROM spm.lookup l WHERE l.lookup_id = e.value::int)
            ELSE e.value END), '{}')
    FROM jsonb_each(_named.row_) e
    -- the row's own key has no place among the defaults
    WHERE _named.defaults ? e.key AND e.value <> _named.defaults -> e.key AND e.key <> _named.parent || '_id';
END;
COMMENT ON FUNCTION spm._named(jsonb, jsonb, text) IS 'A row of a plan version as the document has it: without its keys and defaults, with names for what it refers to.';
REVOKE ALL ON FUNCTION spm._named(jsonb, jsonb, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_expression()
    RETURNS TABLE (field text, result_type text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES ('measure_expression', 'numeric'), ('eligibility_expression', 'boolean'), ('group_expression', 'text'), ('lookup_expressions', 'key');
END;
COMMENT ON FUNCTION spm._plan_expression() IS 'Columns of the tables of a plan version that hold expressions over a transaction, and their types; key: an array of keys for a lookup table.';
REVOKE ALL ON FUNCTION spm._plan_expression() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._keyed(element jsonb)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    row_ jsonb := _keyed.element - '{calendar,measure,variable,lookup}'::text[];
    expression record;
BEGIN
    IF _keyed.element ->> 'calendar' IS NOT NULL THEN
        row_ := row_ || jsonb_build_object('calendar_id', spm._calendar_id(_keyed.element ->> 'calendar'));
    END IF;
    IF _keyed.element ->> 'measure' IS NOT NULL THEN
        row_ := row_ || jsonb_build_object('measure_id', spm._measure_id(_keyed.element ->> 'measure'));
    END IF;
    IF _keyed.element ->> 'variable' IS NOT NULL THEN
        row_ := row_ || jsonb_build_object('variable_id', spm._variable_id(_keyed.element ->> 'variable'));
    END IF;
    IF _keyed.element ->> 'lookup' IS NOT NULL THEN
        row_ := row_ || jsonb_build_object('lookup_id', spm._lookup_id(_keyed.element ->> 'lookup'));
    END IF;
    -- whoever wrote it: nothing becomes part of a plan unchecked
    FOR expression IN SELECT x.* FROM spm._plan_expression() x WHERE row_ ->> x.field IS NOT NULL LOOP
        row_ := row_ || jsonb_build_object(expression.field, CASE expression.result_type
            WHEN 'key' THEN (SELECT jsonb_agg(spm._checked_key(e.value) ORDER BY e.ordinality)
                             FROM jsonb_array_elements_text(row_ -> expression.field) WITH ORDINALITY e)
            ELSE to_jsonb(spm.checked_expression(row_ ->> expression.field, expression.result_type::regtype)) END);
    END LOOP;
    PERFORM (row_ ->> 'rates')::spm.rate_schedule;
    RETURN row_;
END
$$;
COMMENT ON FUNCTION spm._keyed(jsonb) IS 'The way back of spm._named(): keys for names, or error 42704; expressions and rates are checked, with the errors of spm.checked_expression().';
REVOKE ALL ON FUNCTION spm._keyed(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._part_content(parent text, parent_id int)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET intervalstyle = 'postgres'
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    part record;
    elements jsonb;
    content jsonb := '{}';
BEGIN
    FOR part IN
        SELECT p.*, EXISTS (SELECT FROM spm._plan_part() c WHERE c.parent = p.relation) AS is_parent
        FROM spm._plan_part() p WHERE p.parent = _part_content.parent
    LOOP
        EXECUTE format('SELECT jsonb_agg(spm._named(to_jsonb(r), $2, $3)%s ORDER BY r.%I) FROM spm.%I r WHERE r.%I = $1',
            CASE WHEN part.is_parent THEN format(' || spm._part_content(%L, r.%I)', part.relation, part.relation || '_id') ELSE '' END,
            part.number, part.relation, part.parent || '_id')
            INTO elements USING _part_content.parent_id, spm._column_default(part.relation), part.parent;
        IF elements IS NOT NULL THEN
            content := content || jsonb_build_object(part.field, elements);
        END IF;
    END LOOP;
    RETURN content;
END
$$;
COMMENT ON FUNCTION spm._part_content(text, int) IS 'What hangs below a row of a plan version, one field a table.';
REVOKE ALL ON FUNCTION spm._part_content(text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_content(plan_version_id int)
    RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT spm._part_content('plan_version', _plan_content.plan_version_id);
END;
COMMENT ON FUNCTION spm._plan_content(int) IS
'Everything a plan version says: {"components": [{"name": ..., "tiers": [...], "inputs": [...], "modifiers": [...]}]}. What others may change by date, such as the rows of a lookup table, is meant by its name.';
REVOKE ALL ON FUNCTION spm._plan_content(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._write_row(relation text, element jsonb, other jsonb, field text)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET intervalstyle = 'postgres'
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    defaults jsonb := spm._column_default(_write_row.relation);
    row_ jsonb := spm._keyed(_write_row.element);
    key text := (SELECT quote_ident(a.attname) FROM pg_attribute a
                 WHERE a.attrelid = format('spm.%I', _write_row.relation)::regclass AND a.attidentity <> '');
    unknown text;
    id int;
BEGIN
    SELECT k INTO unknown FROM jsonb_object_keys(row_) k WHERE NOT defaults ? k OR _write_row.other ? k ORDER BY k LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" is not known in % of a plan', unknown, _write_row.field
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It stands in %s.', left(_write_row.element::text, 200)),
                  HINT = 'It is misspelt, or only a newer version of spm knows it.';
    END IF;
    EXECUTE format('INSERT INTO spm.%1$I (%2$s) SELECT %2$s FROM jsonb_populate_record(NULL::spm.%1$I, $1) RETURNING %3$s',
        _write_row.relation, (SELECT string_agg(quote_ident(k), ', ') FROM jsonb_object_keys(defaults) k), coalesce(key, 'NULL'))
        INTO id USING defaults || row_ || _write_row.other;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._write_row(text, jsonb, jsonb, text) IS
'Inserts an element of a plan document into its table, with other columns that it does not say, and returns its key if it has one. Error 22023 for what no column knows.';
REVOKE ALL ON FUNCTION spm._write_row(text, jsonb, jsonb, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._with_tiers(element jsonb)
    RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _with_tiers.element ->> 'rates' IS NULL THEN _with_tiers.element ELSE
        _with_tiers.element - 'rates' || jsonb_build_object(
            'tier_basis', CASE WHEN spm._is_of_quota(s.schedule) THEN 'quota' ELSE 'amount' END,
            'rate_options', spm._rate_options(s.schedule),
            'tiers', (SELECT jsonb_agg(jsonb_build_object('bounds', numrange(t.tier_from, t.tier_to), 'rate', t.rate) ORDER BY t.tier_no)
                      FROM spm.tier(s.schedule) t)) END
    FROM (SELECT (_with_tiers.element ->> 'rates')::spm.rate_schedule AS schedule) s;
END;
COMMENT ON FUNCTION spm._with_tiers(jsonb) IS 'A component of a plan document, in which rates may be written as a rate schedule, with its tiers.';
REVOKE ALL ON FUNCTION spm._with_tiers(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._write_part(parent text, parent_id int, content jsonb)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
    element record;
    below text[];
    id int;
BEGIN
    FOR part IN SELECT p.* FROM spm._plan_part() p WHERE p.parent = _write_part.parent LOOP
        below := array(SELECT c.field FROM spm._plan_part() c WHERE c.parent = part.relation);
        FOR element IN
            SELECT CASE part.relation WHEN 'component' THEN spm._with_tiers(e.value) ELSE e.value END AS said, e.ordinality AS nth
            FROM jsonb_array_elements(_write_part.content -> part.field) WITH ORDINALITY e
        LOOP
            id := spm._write_row(part.relation,
                CASE WHEN part.number LIKE '%\_no' THEN jsonb_build_object(part.number, element.nth) ELSE '{}' END || (element.said - below),
                jsonb_build_object(part.parent || '_id', _write_part.parent_id), part.field);
            PERFORM spm._write_part(part.relation, id, element.said);
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._write_part(text, int, jsonb) IS 'Writes what spm._part_content() has read below a row.';
REVOKE ALL ON FUNCTION spm._write_part(text, int, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._write_content(plan_version_id int, content jsonb)
    RETURNS void
    LANGUAGE sql
BEGIN ATOMIC
    SELECT spm._write_part('plan_version', _write_content.plan_version_id, _write_content.content);
END;
COMMENT ON FUNCTION spm._write_content(int, jsonb) IS
'Writes what spm._plan_content() has read into a version that is empty. Elements without number are numbered, and a component may have its rates as a rate schedule instead of tiers.';
REVOKE ALL ON FUNCTION spm._write_content(int, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_hash(plan_version_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT encode(sha256(convert_to(spm._plan_content(_plan_hash.plan_version_id)::text, 'UTF8')), 'hex');
END;
COMMENT ON FUNCTION spm._plan_hash(int) IS 'SHA-256 of everything a plan version says: the same wherever it says the same.';
REVOKE ALL ON FUNCTION spm._plan_hash(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_hash_before(plan_version_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT encode(sha256(convert_to(coalesce(jsonb_agg(jsonb_build_array(
               c.component_id, c.component_no, c.name, c.credit_kind, c.measure_expression, c.eligibility_expression,
               c.unit, c.measure_id, c.accumulate, c.tier_basis, c.rate_options, c.variable_id, c.places, c.rounding,
               (SELECT jsonb_agg(jsonb_build_array(t.bounds::text, t.rate::text) ORDER BY lower(t.bounds))
                FROM spm.tier t WHERE t.component_id = c.component_id)) ORDER BY c.component_no)::text, ''), 'UTF8')), 'hex')
    FROM spm.component c
    WHERE c.plan_version_id = _plan_hash_before.plan_version_id
    -- it covers no more than this, so it is good for nothing that says more
    HAVING spm._plan_content(_plan_hash_before.plan_version_id) - 'components' = '{}'
       AND NOT EXISTS (SELECT FROM jsonb_array_elements(spm._plan_content(_plan_hash_before.plan_version_id) -> 'components') e, jsonb_object_keys(e.value) k
                       WHERE k NOT IN ('component_no', 'name', 'credit_kind', 'measure_expression', 'eligibility_expression', 'unit', 'measure',
                                       'accumulate', 'tier_basis', 'rate_options', 'variable', 'places', 'rounding', 'tiers'));
END;
COMMENT ON FUNCTION spm._plan_hash_before(int) IS
'SHA-256 of a plan version as spm 0.2.0 took it at publishing. NULL for a version that says what 0.2.0 could not.';
REVOKE ALL ON FUNCTION spm._plan_hash_before(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._is_as_published(plan_version_id int)
    RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(v.content_hash IN (spm._plan_hash(v.plan_version_id), spm._plan_hash_before(v.plan_version_id)), false)
    FROM spm.plan_version v WHERE v.plan_version_id = _is_as_published.plan_version_id;
END;
COMMENT ON FUNCTION spm._is_as_published(int) IS 'Whether a published plan version still says what it said then.';
REVOKE ALL ON FUNCTION spm._is_as_published(int) FROM PUBLIC;

-- --------------------------------------------------------------- in and out

CREATE OR REPLACE FUNCTION spm._version_of(plan text, version_no int)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan int := spm._plan_id(_version_of.plan);
    id int;
BEGIN
    SELECT v.plan_version_id INTO id FROM spm.plan_version v
    WHERE v.plan_id = of_plan AND (_version_of.version_no IS NULL OR v.version_no = _version_of.version_no)
    ORDER BY v.version_no DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'plan "%" has no version %', _version_of.plan, _version_of.version_no
            USING ERRCODE = 'undefined_object', HINT = 'SELECT version_no, span, state FROM spm.plan_version;';
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._version_of(text, int) IS 'plan_version_id of a plan and version number, NULL for the latest; or error 42704.';
REVOKE ALL ON FUNCTION spm._version_of(text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._lookup_content(lookup_id int)
    RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET intervalstyle = 'postgres'
    SET datestyle = 'ISO, YMD'
AS $$
    SELECT spm._named(to_jsonb(l), spm._column_default('lookup'), '') || jsonb_strip_nulls(jsonb_build_object('rows',
               (SELECT jsonb_agg(spm._named(to_jsonb(r), spm._column_default('lookup_row'), 'lookup')
                                 ORDER BY r.span, r.keys::text COLLATE "C", r.ranges::text COLLATE "C", r.value)
                FROM spm.lookup_row r WHERE r.lookup_id = l.lookup_id)))
    FROM spm.lookup l WHERE l.lookup_id = _lookup_content.lookup_id
$$;
COMMENT ON FUNCTION spm._lookup_content(int) IS 'A lookup table with its rows, as a plan document has it.';
REVOKE ALL ON FUNCTION spm._lookup_content(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.export_plan(plan text, version_no int DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
    SELECT jsonb_build_object('spm_plan', 1, 'since', lower(v.span))
        || spm._named(to_jsonb(p), spm._column_default('plan'), '') || c.content
        || coalesce((SELECT jsonb_build_object('lookups', jsonb_agg(spm._lookup_content(l.lookup_id) ORDER BY l.name COLLATE "C"))
                     FROM spm.lookup l
                     WHERE to_jsonb(l.name) IN (SELECT jsonb_path_query(c.content, 'strict $.**.lookup', silent => true))
                     HAVING count(*) > 0), '{}')
    FROM spm.plan_version v JOIN spm.plan p USING (plan_id), spm._plan_content(v.plan_version_id) AS c(content)
    WHERE v.plan_version_id = spm._version_of(export_plan.plan, export_plan.version_no)
$$;
COMMENT ON FUNCTION spm.export_plan(text, int) IS
'A version of a plan as one document, to be kept, compared, edited, and read with spm.import_plan(). It names its calendar, measures and variables; lookup tables come along with their rows. What has its default is not said.
plan: name. version_no: number; NULL: the latest.
Errors: 42704 for an unknown plan or version.
Example: SELECT jsonb_pretty(spm.export_plan(''Account Executive''));';

CREATE OR REPLACE FUNCTION spm._import_lookup(content jsonb)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := _import_lookup.content ->> 'name';
    of_row jsonb;
    id int;
BEGIN
    SELECT l.lookup_id INTO id FROM spm.lookup l WHERE l.name = _import_lookup.content ->> 'name';
    IF FOUND THEN
        IF spm._lookup_content(id) <> _import_lookup.content THEN
            RAISE EXCEPTION 'lookup table "%" exists, with other rows', name
                USING ERRCODE = 'duplicate_object', DETAIL = format('Here it is %s.', left(spm._lookup_content(id)::text, 200)),
                      HINT = 'Leave "lookups" out of the document to use the table that is there, or give the one in the document another name.';
        END IF;
        RETURN;
    END IF;
    id := spm._write_row('lookup', _import_lookup.content - 'rows', '{}', 'lookups');
    FOR of_row IN SELECT e.value FROM jsonb_array_elements(_import_lookup.content -> 'rows') e LOOP
        PERFORM spm._write_row('lookup_row', of_row, jsonb_build_object('lookup_id', id), 'rows');
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._import_lookup(jsonb) IS 'Writes a lookup table that spm._lookup_content() has read, unless it is there. Error 42710 when it is, but differs.';
REVOKE ALL ON FUNCTION spm._import_lookup(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._import_content(plan_version_id int, document jsonb)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lookup jsonb;
    digits int;
BEGIN
    SELECT c.minor_digits INTO digits
    FROM spm.plan_version v JOIN spm.plan p USING (plan_id) JOIN spm.currency c USING (currency_code)
    WHERE v.plan_version_id = _import_content.plan_version_id;
    PERFORM spm._check_name('component', e.value ->> 'name') FROM jsonb_array_elements(_import_content.document -> 'components') e WHERE e.value ? 'name';
    FOR lookup IN SELECT e.value FROM jsonb_array_elements(_import_content.document -> 'lookups') e LOOP
        PERFORM spm._import_lookup(lookup);
    END LOOP;
    PERFORM spm._write_content(_import_content.plan_version_id, _import_content.document || jsonb_build_object('components', coalesce(
        (SELECT jsonb_agg(jsonb_build_object('places', digits, 'measure_expression', 'amount') || e.value ORDER BY e.ordinality)
         FROM jsonb_array_elements(_import_content.document -> 'components') WITH ORDINALITY e), '[]')));
END
$$;
COMMENT ON FUNCTION spm._import_content(int, jsonb) IS 'Writes lookup tables and content of a plan document into a version that is empty.';
REVOKE ALL ON FUNCTION spm._import_content(int, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_document(document jsonb)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong text;
BEGIN
    IF jsonb_typeof(_check_document.document) IS DISTINCT FROM 'object' OR NOT _check_document.document ? 'spm_plan' THEN
        RAISE EXCEPTION 'this is no document of a plan'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'A plan is an object with "spm_plan": 1.', HINT = 'SELECT spm.export_plan(plan); gives one.';
    END IF;
    IF _check_document.document -> 'spm_plan' <> '1' THEN
        RAISE EXCEPTION 'a document of a plan in format % cannot be read', _check_document.document ->> 'spm_plan'
            USING ERRCODE = 'feature_not_supported', DETAIL = 'This version of spm reads format 1.', HINT = 'Update spm, or export the plan again.';
    END IF;
    SELECT k INTO wrong FROM jsonb_object_keys(_check_document.document) k
    WHERE k NOT IN ('spm_plan', 'since', 'lookups', 'calendar') AND NOT spm._column_default('plan') - 'calendar_id' ? k
      AND k NOT IN (SELECT p.field FROM spm._plan_part() p WHERE p.parent = 'plan_version')
    ORDER BY k LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" is not known in a plan', wrong
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is misspelt, or only a newer version of spm knows it.';
    END IF;
    SELECT k INTO wrong FROM unnest('{name,calendar,currency_code,since,components}'::text[]) k WHERE _check_document.document ->> k IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the document of the plan has no "%"', wrong
            USING ERRCODE = 'invalid_parameter_value', HINT = 'SELECT spm.export_plan(plan); shows how a plan is written.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_document(jsonb) IS 'Error 0A000 for a plan document of another format, 22023 for one that has too little or too much.';
REVOKE ALL ON FUNCTION spm._check_document(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.import_plan(document jsonb, name text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    said jsonb := CASE WHEN jsonb_typeof(import_plan.document) = 'object'
        THEN import_plan.document || jsonb_strip_nulls(jsonb_build_object('name', import_plan.name)) ELSE import_plan.document END;
    of_plan int;
    version int;
BEGIN
    PERFORM spm._check_document(said);
    PERFORM spm._check_name('plan', said ->> 'name');
    IF NOT EXISTS (SELECT FROM spm.currency c WHERE c.currency_code = said ->> 'currency_code') THEN
        RAISE EXCEPTION 'currency "%" does not exist', said ->> 'currency_code'
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_currency(%L);', said ->> 'currency_code');
    END IF;
    IF EXISTS (SELECT FROM spm.plan p WHERE p.name = said ->> 'name') THEN
        RAISE EXCEPTION 'plan "%" exists already', said ->> 'name'
            USING ERRCODE = 'unique_violation',
                  HINT = 'Give another name, or SELECT spm.import_plan_version(plan, document, since); to make it the next version.';
    END IF;
    of_plan := spm._write_row('plan', (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(said) e
                                       WHERE e.key = 'calendar' OR spm._column_default('plan') ? e.key), '{}', 'plan');
    INSERT INTO spm.plan_version (plan_id, version_no, span) VALUES (of_plan, 1, daterange((said ->> 'since')::date, NULL))
    RETURNING plan_version_id INTO version;
    PERFORM spm._import_content(version, said);
    RETURN of_plan;
END
$$;
COMMENT ON FUNCTION spm.import_plan(jsonb, text) IS
'Creates a plan from a document that spm.export_plan() has written, or somebody by hand, as a draft; returns its plan_id. Its expressions are checked as if they had been typed.
document: the plan; a component may have "rates": "0%: 8%, 100%: 12%" instead of tiers. name: instead of the one in the document.
Errors: 0A000 for a newer format, 22023 for what is missing or not known, 42704 for a calendar, currency, measure, variable or lookup table that is not there, 23505 when the name is taken, 42710 for another lookup table of the same name, 42P17 and others for a refused expression.
Example: SELECT spm.import_plan(spm.export_plan(''Account Executive''), ''Account Executive West'');';

CREATE OR REPLACE FUNCTION spm.import_plan_version(plan text, document jsonb, since date)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_plan spm.plan := (SELECT p FROM spm.plan p WHERE p.plan_id = spm._plan_id(import_plan_version.plan));
    number int;
    draft int;
    other record;
BEGIN
    PERFORM spm._check_document(import_plan_version.document);
    SELECT a.key, a.value AS here, import_plan_version.document ->> a.key AS there INTO other
    FROM jsonb_each_text(spm._named(to_jsonb(of_plan), '{}'::jsonb || spm._column_default('plan'), '')) a
    WHERE a.key <> 'name' AND import_plan_version.document ->> a.key IS DISTINCT FROM a.value LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% of plan "%" is %, that of the document is %', other.key, of_plan.name, other.here, coalesce(other.there, 'not said')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'All versions of a plan share it: import the document as another plan.';
    END IF;
    number := spm.new_plan_version(of_plan.name, import_plan_version.since);
    draft := spm._draft_id(of_plan.name);
    DELETE FROM spm.component c WHERE c.plan_version_id = draft;
    DELETE FROM spm.pay_rule r WHERE r.plan_version_id = draft;
    PERFORM spm._import_content(draft, import_plan_version.document);
    RETURN number;
END
$$;
COMMENT ON FUNCTION spm.import_plan_version(text, jsonb, date) IS
'Makes a document the next version of a plan, as a draft, and returns its number. Name and first day in the document do not count.
plan: name. document: see spm.import_plan(). since: first day of the new version.
Errors: those of spm.import_plan(); 22023 when calendar, currency or rate type are not those of the plan; 55000 while there is a draft.
Example: SELECT spm.import_plan_version(''Account Executive'', document, ''2026-07-01'') FROM reviewed_plan;';

-- -------------------------------------------------------------- what changed

CREATE OR REPLACE FUNCTION spm._said(value jsonb)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE jsonb_typeof(_said.value)
        WHEN 'null' THEN NULL
        WHEN 'array' THEN (SELECT coalesce(string_agg(coalesce(e.value, 'any'), ', ' ORDER BY e.ordinality), 'none')
                           FROM jsonb_array_elements_text(_said.value) WITH ORDINALITY e)
        WHEN 'boolean' THEN CASE WHEN _said.value::boolean THEN 'yes' ELSE 'no' END
        WHEN 'number' THEN trim_scale(_said.value::numeric)::text
        ELSE _said.value #>> '{}' END;
END;
COMMENT ON FUNCTION spm._said(jsonb) IS 'A value of a plan document as people read it.';
REVOKE ALL ON FUNCTION spm._said(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_item(parent text, content jsonb, above jsonb, path text, above_place numeric[])
    RETURNS TABLE (place numeric[], item text, field text, value text, otherwise text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    is_share boolean := _plan_item.above ->> 'tier_basis' = 'quota';
    is_rate boolean := coalesce(_plan_item.above ->> 'unit', 'money') = 'money' AND coalesce(_plan_item.above ->> 'rate_options', '') !~ '\m(bonus|curve)\M';
    part record;
    said jsonb;
    defaults jsonb;
    below text[];
    label text;
    here numeric[];
BEGIN
    FOR part IN SELECT p.*, p.ordinality FROM ROWS FROM (spm._plan_part()) WITH ORDINALITY p WHERE p.parent = _plan_item.parent LOOP
        defaults := spm._column_default(part.relation);
        below := array(SELECT c.field FROM spm._plan_part() c WHERE c.parent = part.relation);
        FOR said IN SELECT e.value FROM jsonb_array_elements(_plan_item.content -> part.field) e LOOP
            IF part.relation = 'tier' THEN
                -- known by where it begins
                said := said - 'bounds' || jsonb_build_object('from', lower((said ->> 'bounds')::numrange), 'to', upper((said ->> 'bounds')::numrange));
            END IF;
            label := concat_ws(', ', _plan_item.path, replace(rtrim(part.field, 's'), '_', ' ') || ' '
                || coalesce(said ->> 'name', said ->> part.number, CASE WHEN is_share THEN spm._percent((said ->> 'from')::numeric) ELSE spm._said(said -> 'from') END));
            -- two versions may have different things in one place
            here := _plan_item.above_place || part.ordinality::numeric || coalesce(said ->> part.number, said ->> 'from')::numeric || hashtext(label)::numeric;
            RETURN QUERY
            SELECT here, label, coalesce(n.word, replace(f.key, '_', ' ')),
                CASE WHEN f.key = 'to' AND is_share OR f.key = 'rate' AND is_rate THEN spm._percent((f.value #>> '{}')::numeric)
                     ELSE spm._said(f.value) END,
                spm._said(coalesce(defaults -> f.key, 'null'))
            FROM jsonb_each(said) f
            LEFT JOIN (VALUES ('measure_expression', 'measure'), ('eligibility_expression', 'eligible'), ('credit_kind', 'credits'), ('measure', 'quota'),
                              ('component_no', 'order')) n(key, word) ON n.key = f.key
            WHERE f.key NOT IN ('name', 'from') AND f.key <> ALL (below) AND (f.key <> part.number OR part.relation = 'component');
            RETURN QUERY SELECT i.* FROM spm._plan_item(part.relation, said, said, label, here) i;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._plan_item(text, jsonb, jsonb, text, numeric[]) IS
'Everything that the document of a plan says, one row a field: where it stands, what it is about, the field, its value, and the one it has where nothing is said.';
REVOKE ALL ON FUNCTION spm._plan_item(text, jsonb, jsonb, text, numeric[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.plan_diff(plan text, from_version int DEFAULT NULL, to_version int DEFAULT NULL)
    RETURNS TABLE (item text, field text, before text, after text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH number AS (
        SELECT coalesce(plan_diff.from_version, v.version_no - 1) AS old, v.version_no AS new
        FROM spm.plan_version v WHERE v.plan_version_id = spm._version_of(plan_diff.plan, plan_diff.to_version)
    ), old AS MATERIALIZED (
        SELECT i.* FROM number n, spm._plan_content(spm._version_of(plan_diff.plan, n.old)) c(content),
            spm._plan_item('plan_version', c.content, NULL, NULL, '{}') i
    ), new AS MATERIALIZED (
        SELECT i.* FROM number n, spm._plan_content(spm._version_of(plan_diff.plan, n.new)) c(content),
            spm._plan_item('plan_version', c.content, NULL, NULL, '{}') i
    )
    SELECT d.item, d.field, d.before, d.after
    FROM (SELECT coalesce(b.place, a.place) AS place, item, field,
                 -- what is not said of something that is there has its default
                 CASE WHEN a.item IS NOT NULL THEN a.value WHEN item IN (SELECT o.item FROM old o) THEN b.otherwise END AS before,
                 CASE WHEN b.item IS NOT NULL THEN b.value WHEN item IN (SELECT n.item FROM new n) THEN a.otherwise END AS after
          FROM old a FULL JOIN new b USING (item, field)) d
    WHERE d.before IS DISTINCT FROM d.after
    ORDER BY d.place, d.item, d.field
$$;
COMMENT ON FUNCTION spm.plan_diff(text, int, int) IS
'What changes from one version of a plan to another, one row a field; before or after is NULL where there is nothing: all of a component that is added stands under after.
plan: name. from_version: number; NULL: the one before. to_version: number; NULL: the latest.
Errors: 42704 for an unknown plan or version.
Example: SELECT * FROM spm.plan_diff(''Account Executive''); says: component Commission, tier 100 % | rate | 12 % | 14 %.';
/*
 * compensation/functions_template.sql: plans that most companies have, as
 * documents to start from.  {{word}} is a parameter, a value of its own or
 * within a text; {{word!}} the same as an SQL literal.
 */

CREATE OR REPLACE FUNCTION spm._plan_template()
    RETURNS TABLE (template text, purpose text, parameters jsonb, document jsonb)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
    ('flat', 'One rate for everything that is sold.',
     '[["rate", "5%", "share of every sale"]]'::jsonb,
     '{"components": [{"name": "Commission", "rates": "0: {{rate}}"}]}'::jsonb),

    ('tiered', 'Rates that rise with what was sold since the year began, each for the part above its tier.',
     '[["rates", "0: 5%, 250000: 7%, 500000: 9%", "tiers in the currency of the plan, and their rates"],
       ["accumulate", "year", "where the total starts again: period, or a grain of the calendar"]]',
     '{"components": [{"name": "Commission", "rates": "{{rates}}", "accumulate": "{{accumulate}}"}]}'),

    ('accelerator', 'A base rate up to quota, more above it, and a bonus for reaching it.',
     '[["measure", "bookings", "measure of the quota"], ["base", "8%", "rate up to quota"], ["accelerated", "12%", "rate above quota"],
       ["top_from", "150%", "attainment from which the top rate applies"], ["top", "15%", "top rate"], ["bonus", "0", "amount for reaching quota"]]',
     '{"components": [
         {"name": "Commission", "rates": "0%: {{base}}, 100%: {{accelerated}}, {{top_from}}: {{top}}", "measure": "{{measure}}"},
         {"name": "Quota bonus", "rates": "100%: {{bonus}} bonus", "measure": "{{measure}}"}]}'),

    ('margin', 'A share of the margin of each deal, as long as it is not given away.',
     '[["rate", "20%", "share of the margin"], ["least_margin", "0.10", "margin below which a deal pays nothing: 0.10 is 10 % of its amount"]]',
     '{"components": [{"name": "Margin share", "rates": "0: {{rate}}", "accumulate": "deal", "measure_expression": "amount - cost",
                       "eligibility_expression": "abs(amount - cost) >= {{least_margin}} * abs(amount)"}]}'),

    ('mbo', 'A target bonus by how far weighted objectives were met.',
     '[["target", "target_bonus", "variable that holds the bonus for meeting all of them in a period"],
       ["threshold", "50%", "what must be met for anything to be paid"], ["most", "150%", "the most that counts"]]',
     '{"components": [{"name": "Objectives", "basis": "objective", "rates": "{{threshold}}: 100% whole", "variable": "{{target}}",
                       "modifiers": [{"kind": "cap", "variable": "{{target}}", "value": "{{most}}"}]}]}'),

    ('draw', 'Commission, with an advance against it that later commission pays back.',
     '[["rate", "5%", "share of every sale"], ["draw", "3000", "what is paid at least in a period"], ["method", "floor", "floor: pay is topped up to the draw; advance: the draw is paid besides"],
       ["recover", "100%", "share of the pay above the draw that pays it back"]]',
     '{"components": [{"name": "Commission", "rates": "0: {{rate}}"}],
       "pay_rules": [{"name": "Draw", "kind": "draw", "method": "{{method}}", "amount": "{{draw}}", "recover_share": "{{recover}}"}]}'),

    ('team pool', 'A share of what the team sells, divided among its members by what each of them sold.',
     '[["rate", "2%", "share of the sales of the team that goes into its pool"]]',
     '{"components": [
         {"name": "Own sales", "rates": "0: 0%"},
         {"name": "Team pool", "rates": "0: {{rate}}", "basis": "pool",
          "inputs": [{"of_component": "Own sales", "figure": "amount", "scope": "team"}, {"of_component": "Own sales", "figure": "amount"}]}]}'),

    ('spif', 'A bounty for each unit of a product, for a short time.',
     '[["product", "NEW", "product_key that it is for"], ["bounty", "100", "amount for each unit"], ["first", "2026-01-01", "first day; of a plan, else the one that it holds since"], ["until", "2026-04-01", "day after the last; of a plan, else three months after it holds"]]',
     '{"components": [{"name": "Spif", "rates": "0: {{bounty}}", "unit": "count", "measure_expression": "quantity", "accumulate": "deal",
                       "eligibility_expression": "product_key = {{product!}} AND event_date >= date {{first!}} AND event_date < date {{until!}}"}]}'),

    ('renewal', 'Rates for new business, growth and renewals, and less for all of it when renewals fall behind.',
     '[["measure", "renewals", "measure of what is up for renewal, as a quota"],
       ["new", "10%", "rate of new business"], ["growth", "6%", "rate of growth"], ["renewal", "3%", "rate of renewals"],
       ["new_type", "new", "type of such transactions"], ["growth_type", "growth", "type of such transactions"], ["renewal_type", "renewal", "type of such transactions"],
       ["retention", "90%", "share of what is up for renewal that must be renewed"], ["behind", "50%", "factor of the other rates when it is not"]]',
     '{"components": [
         {"name": "New business", "rates": "0: {{new}}", "eligibility_expression": "type = {{new_type!}}",
          "modifiers": [{"kind": "multiply", "of_components": ["Renewals"], "figures": ["attainment"], "rates": "0%: {{behind}}, {{retention}}: 100% whole"}]},
         {"name": "Growth", "rates": "0: {{growth}}", "eligibility_expression": "type = {{growth_type!}}",
          "modifiers": [{"kind": "multiply", "of_components": ["Renewals"], "figures": ["attainment"], "rates": "0%: {{behind}}, {{retention}}: 100% whole"}]},
         {"name": "Renewals", "rates": "0%: {{renewal}}", "measure": "{{measure}}", "eligibility_expression": "type = {{renewal_type!}}"}]}'),

    ('manager override', 'A share of what comes up the reporting tree, more above the quota of the team.',
     '[["measure", "bookings", "measure of the quota"], ["base", "1%", "rate up to quota"], ["accelerated", "1.5%", "rate above quota"],
       ["gate", "50%", "attainment that must be reached for anything to be paid"]]',
     '{"components": [{"name": "Override", "credit_kind": "rollup", "rates": "0%: {{base}}, 100%: {{accelerated}}", "measure": "{{measure}}",
                       "modifiers": [{"kind": "gate", "of_components": [""], "figures": ["attainment"], "value": "{{gate}}"}]}]}'),

    ('new hire ramp', 'Commission by attainment of a quota that is reduced for the days before the start, for a ramp and for absences, with a guarantee in the first periods.',
     '[["measure", "bookings", "measure of the quota"], ["base", "8%", "rate up to quota"], ["accelerated", "12%", "rate above quota"],
       ["prorate", "calendar", "how days are counted, see spm.day_count()"], ["guarantee", "4000", "what is paid at least in each of the first periods"], ["periods", "2", "how many these are"]]',
     '{"components": [{"name": "Commission", "rates": "0%: {{base}}, 100%: {{accelerated}}", "measure": "{{measure}}", "prorate": "{{prorate}}"}],
       "pay_rules": [{"name": "Guarantee", "kind": "guarantee", "amount": "{{guarantee}}", "first_periods": "{{periods}}"}]}'),

    ('channel', 'Rates by the kind of partner that a deal came through, from a table that can be changed by date.',
     '[["partner", "attributes ->> ''partner''", "expression that says which kind of partner"], ["gold", "8%", "rate of partners of that kind"], ["silver", "5%", "rate of partners of that kind"],
       ["other", "3%", "rate of all others"]]',
     '{"components": [{"name": "Commission", "rates": "0: 100%", "lookup": "{{name}} rates", "lookup_expressions": ["{{partner}}"]}],
       "lookups": [{"name": "{{name}} rates", "dimensions": ["partner"], "otherwise": "{{other}}", "rows": [
           {"span": "(,)", "keys": ["gold"], "ranges": [null], "value": "{{gold}}"}, {"span": "(,)", "keys": ["silver"], "ranges": [null], "value": "{{silver}}"}]}]}');
END;
COMMENT ON FUNCTION spm._plan_template() IS 'Templates of plans: parameters with default and meaning, and the document they are put into.';
REVOKE ALL ON FUNCTION spm._plan_template() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.plan_template()
    RETURNS TABLE (template text, purpose text, parameter text, default_value text, meaning text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT t.template, t.purpose, p.value ->> 0, p.value ->> 1, p.value ->> 2
    FROM spm._plan_template() WITH ORDINALITY t(template, purpose, parameters, document, nth),
        jsonb_array_elements(t.parameters) WITH ORDINALITY p
    ORDER BY t.nth, p.ordinality;
END;
COMMENT ON FUNCTION spm.plan_template() IS
'Templates that spm.create_plan_from_template() makes plans of, one row for each parameter, with its default and what it means.
Example: SELECT DISTINCT template, purpose FROM spm.plan_template();';

CREATE OR REPLACE FUNCTION spm.plan_template_document(template text, parameters jsonb DEFAULT '{}')
    RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    chosen record;
    given jsonb := jsonb_strip_nulls(coalesce(plan_template_document.parameters, '{}'));
    wrong text;
    said text;
    word record;
BEGIN
    SELECT t.document, t.parameters INTO chosen FROM spm._plan_template() t WHERE t.template = plan_template_document.template;
    IF chosen.document IS NULL THEN
        RAISE EXCEPTION 'there is no plan template "%"', plan_template_document.template
            USING ERRCODE = 'undefined_object',
                  HINT = 'Templates are: ' || (SELECT string_agg(t.template, ', ') FROM spm._plan_template() t) || '.';
    END IF;
    SELECT k INTO wrong FROM jsonb_object_keys(given) k
    WHERE k <> 'name' AND k NOT IN (SELECT p ->> 0 FROM jsonb_array_elements(chosen.parameters) p) ORDER BY k LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'plan template "%" has no parameter "%"', plan_template_document.template, wrong
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Parameters are: ' || (SELECT string_agg(p ->> 0, ', ') FROM jsonb_array_elements(chosen.parameters) p) || '.';
    END IF;
    said := chosen.document::text;
    FOR word IN
        SELECT v.key, v.value,
               -- 5% and 0.05 are numbers where they stand alone
               CASE WHEN v.value ~ '^-?[0-9]+([.][0-9]+)?%$' THEN trim_scale(rtrim(v.value, '%')::numeric / 100)::text
                    WHEN v.value ~ '^-?[0-9]+([.][0-9]+)?$' THEN v.value::numeric::text
                    ELSE to_jsonb(v.value)::text END AS alone
        FROM jsonb_each_text((SELECT jsonb_object_agg(p ->> 0, p ->> 1) FROM jsonb_array_elements(chosen.parameters) p)
                             || jsonb_build_object('name', plan_template_document.template) || given) v
    LOOP
        said := replace(said, format('"{{%s}}"', word.key), word.alone);
        -- as it is written within a string of JSON
        said := replace(said, format('{{%s!}}', word.key), regexp_replace(to_jsonb(quote_literal(word.value))::text, '^"|"$', '', 'g'));
        said := replace(said, format('{{%s}}', word.key), regexp_replace(to_jsonb(word.value)::text, '^"|"$', '', 'g'));
    END LOOP;
    RETURN said::jsonb;
END
$$;
COMMENT ON FUNCTION spm.plan_template_document(text, jsonb) IS
'What a plan template says, with its parameters filled in: components, pay rules and lookup tables, as in a document of spm.export_plan().
template: name, see spm.plan_template(). parameters: an object; those that are not given have their defaults. name: the plan''s, where the template makes names of it.
Errors: 42704 for an unknown template, 22023 for an unknown parameter.
Example: SELECT jsonb_pretty(spm.plan_template_document(''flat'', ''{"rate": "7%"}''));';

CREATE OR REPLACE FUNCTION spm.create_plan_from_template(template text, name text, calendar text, currency text, since date,
                                                         parameters jsonb DEFAULT '{}')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    given jsonb := jsonb_strip_nulls(coalesce(create_plan_from_template.parameters, '{}'));
BEGIN
    IF create_plan_from_template.template = 'spif' THEN
        given := jsonb_strip_nulls(jsonb_build_object('first', create_plan_from_template.since,
                                                      'until', (create_plan_from_template.since + interval '3 months')::date)) || given;
    END IF;
    RETURN spm.import_plan(spm.plan_template_document(create_plan_from_template.template,
                               given || jsonb_build_object('name', create_plan_from_template.name))
        || jsonb_build_object('spm_plan', 1, 'name', create_plan_from_template.name, 'calendar', create_plan_from_template.calendar,
                              'currency_code', create_plan_from_template.currency, 'since', create_plan_from_template.since));
END
$$;
COMMENT ON FUNCTION spm.create_plan_from_template(text, text, text, text, date, jsonb) IS
'Creates a plan from a template, as a draft to be changed, assigned and published, and returns its plan_id.
template: flat, tiered, accelerator, margin, mbo, draw, team pool, spif, renewal, manager override, new hire ramp or channel; spm.plan_template() says what they are for. name: of the plan. calendar, currency, since: as for spm.create_plan(). parameters: an object of what is to differ from the defaults; a spif, unless it says otherwise, is for the first three months of its plan.
Errors: 42704 for an unknown template, calendar, currency, measure or variable; 22023 for an unknown parameter; 23505 when the name is taken; those of rates and expressions made of the parameters.
Example: SELECT spm.create_plan_from_template(''accelerator'', ''Account Executive'', ''fiscal'', ''USD'', ''2026-01-01'', ''{"base": "6%"}'');';
/*
 * compensation/functions_time.sql: drafts that are calculated again leave their
 * rows behind, and any instant's results can be read.
 */

CREATE OR REPLACE FUNCTION spm._keep_superseded()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- others' runs are finished when we see them
    this_run bigint := (SELECT max(r.run_id) FROM spm.run r WHERE r.finished_at IS NULL);
BEGIN
    INSERT INTO spm.superseded (relation, posting_id, payee_id, run_id, superseded_run_id, content)
    SELECT TG_TABLE_NAME, g.posting_id, g.payee_id, g.run_id, this_run, to_jsonb(g)
    FROM gone g
    -- what a run writes and takes back again was never known
    WHERE g.run_id IS DISTINCT FROM this_run;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION spm._keep_superseded() IS 'Trigger: keeps draft rows that are removed or changed in spm.superseded.';
REVOKE ALL ON FUNCTION spm._keep_superseded() FROM PUBLIC;

CREATE OR REPLACE TRIGGER keep_removed AFTER DELETE ON spm.credit
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_changed AFTER UPDATE ON spm.credit
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_removed AFTER DELETE ON spm.measurement
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_changed AFTER UPDATE ON spm.measurement
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_removed AFTER DELETE ON spm.earning
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_changed AFTER UPDATE ON spm.earning
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_removed AFTER DELETE ON spm.payout
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_changed AFTER UPDATE ON spm.payout
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_removed AFTER DELETE ON spm.balance
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER keep_changed AFTER UPDATE ON spm.balance
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spm._keep_superseded();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.superseded
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.posted_statement
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();

-- ------------------------------------------------------------------ as of then

CREATE OR REPLACE FUNCTION spm._superseded(pattern anyelement, relation text, as_of timestamptz, posting_ids int[] DEFAULT NULL, payee_id int DEFAULT NULL)
    RETURNS SETOF anyelement
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_populate_record(_superseded.pattern, s.content)
    FROM spm.superseded s
    JOIN spm.run w ON w.run_id = s.run_id AND w.finished_at <= _superseded.as_of
    LEFT JOIN spm.run g ON g.run_id = s.superseded_run_id
    WHERE s.relation = _superseded.relation AND coalesce(g.finished_at, s.superseded_at) > _superseded.as_of
      AND (_superseded.posting_ids IS NULL OR s.posting_id = ANY (_superseded.posting_ids))
      AND (_superseded.payee_id IS NULL OR s.payee_id = _superseded.payee_id)
$$;
COMMENT ON FUNCTION spm._superseded(anyelement, text, timestamptz, int[], int) IS 'Rows of a result table that held at an instant and are no longer there.';
REVOKE ALL ON FUNCTION spm._superseded(anyelement, text, timestamptz, int[], int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.credit_as_of(as_of timestamptz)
    RETURNS SETOF spm.credit
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.* FROM spm.credit c JOIN spm.run r USING (run_id) WHERE r.finished_at <= credit_as_of.as_of
    UNION ALL
    SELECT * FROM spm._superseded(NULL::spm.credit, 'credit', credit_as_of.as_of);
END;
COMMENT ON FUNCTION spm.credit_as_of(timestamptz) IS
'Rows of spm.credit as they were at an instant: what was posted by then, and drafts as they had last been calculated. Amounts of rows that take back posted ones are negative, so sums are right.
as_of: instant.
Example: SELECT * FROM spm.credit_as_of(''2026-04-02 09:00+00'');';

CREATE OR REPLACE FUNCTION spm.measurement_as_of(as_of timestamptz)
    RETURNS SETOF spm.measurement
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT m.* FROM spm.measurement m JOIN spm.run r USING (run_id) WHERE r.finished_at <= measurement_as_of.as_of
    UNION ALL
    SELECT * FROM spm._superseded(NULL::spm.measurement, 'measurement', measurement_as_of.as_of);
END;
COMMENT ON FUNCTION spm.measurement_as_of(timestamptz) IS
'Rows of spm.measurement as they were at an instant: what was posted by then, and drafts as they had last been calculated. Amounts of rows that take back posted ones are negative, so sums are right.
as_of: instant.
Example: SELECT payee_id, component_id, sum(amount), sum(quota_amount) FROM spm.measurement_as_of(''2026-04-02 09:00+00'') WHERE period_id = 7 GROUP BY 1, 2;';

CREATE OR REPLACE FUNCTION spm.earning_as_of(as_of timestamptz)
    RETURNS SETOF spm.earning
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT e.* FROM spm.earning e JOIN spm.run r USING (run_id) WHERE r.finished_at <= earning_as_of.as_of
    UNION ALL
    SELECT * FROM spm._superseded(NULL::spm.earning, 'earning', earning_as_of.as_of);
END;
COMMENT ON FUNCTION spm.earning_as_of(timestamptz) IS
'Rows of spm.earning as they were at an instant: what was posted by then, and drafts as they had last been calculated. Amounts of rows that take back posted ones are negative, so sums are right.
as_of: instant.
Example: SELECT payee_id, sum(amount) FROM spm.earning_as_of(''2026-04-02 09:00+00'') WHERE period_id = 7 GROUP BY 1;';

CREATE OR REPLACE FUNCTION spm.payout_as_of(as_of timestamptz)
    RETURNS SETOF spm.payout
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT p.* FROM spm.payout p JOIN spm.run r USING (run_id) WHERE r.finished_at <= payout_as_of.as_of
    UNION ALL
    SELECT * FROM spm._superseded(NULL::spm.payout, 'payout', payout_as_of.as_of);
END;
COMMENT ON FUNCTION spm.payout_as_of(timestamptz) IS
'Rows of spm.payout as they were at an instant: what was posted by then, and drafts as they had last been calculated.
as_of: instant.
Example: SELECT payee_id, sum(amount) FROM spm.payout_as_of(''2026-04-02 09:00+00'') GROUP BY 1;';
/*
 * compensation/stages.sql: transaction -> credit -> measurement -> earning ->
 * payout.  Each stage is one query over the stage before it; its rows are
 * compared with the ledger, and only what differs is written.
 */

-- ------------------------------------------------------- who is on what, when

CREATE OR REPLACE FUNCTION spm.plan_seat(plan_id int, span daterange)
    RETURNS TABLE (position_id int, payee_id int, spans datemultirange)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT t.position_id, t.payee_id, range_agg(t.span * plan_seat.span)
    FROM (SELECT s.position_id, s.payee_id, s.span * a.span AS span
          FROM spm.plan_assignment a JOIN spm.position_assignment s USING (payee_id)
          WHERE a.plan_id = plan_seat.plan_id
          UNION ALL
          SELECT s.position_id, s.payee_id, s.span * a.span
          FROM spm.plan_assignment a JOIN spm.position_assignment s USING (position_id)
          WHERE a.plan_id = plan_seat.plan_id
          UNION ALL
          SELECT s.position_id, s.payee_id, s.span * a.span
          FROM spm.plan_assignment a JOIN spm.position p USING (title_id) JOIN spm.position_assignment s ON s.position_id = p.position_id
          WHERE a.plan_id = plan_seat.plan_id) t
    WHERE t.span && plan_seat.span
    GROUP BY t.position_id, t.payee_id;
END;
COMMENT ON FUNCTION spm.plan_seat(int, daterange) IS
'Who is on a plan during a span: position, payee sitting there, and the days.
plan_id: key. span: days looked at.
Example: SELECT * FROM spm.plan_seat(1, ''[2026-01-01,2026-04-01)'');';

CREATE OR REPLACE FUNCTION spm._is_leaf(period_id int)
    RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM spm.period p WHERE p.parent_period_id = _is_leaf.period_id);
END;
COMMENT ON FUNCTION spm._is_leaf(int) IS 'Whether a period has no parts: such periods are calculated.';
REVOKE ALL ON FUNCTION spm._is_leaf(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._whole(period_id int, accumulate text)
    RETURNS int
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _whole.accumulate IN ('deal', 'group', 'period') THEN _whole.period_id ELSE (
        WITH RECURSIVE up AS (
            SELECT p.period_id, p.grain, p.parent_period_id FROM spm.period p WHERE p.period_id = _whole.period_id
            UNION ALL
            SELECT p.period_id, p.grain, p.parent_period_id FROM spm.period p JOIN up ON p.period_id = up.parent_period_id)
        SELECT up.period_id FROM up WHERE up.grain = _whole.accumulate) END;
END;
COMMENT ON FUNCTION spm._whole(int, text) IS 'Period that a component accumulates over, when it is calculated for a period. NULL: a rolling one.';
REVOKE ALL ON FUNCTION spm._whole(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._refuse(message text, detail text, hint text)
    RETURNS numeric
    LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '%', _refuse.message
        USING ERRCODE = 'data_exception', DETAIL = _refuse.detail, HINT = _refuse.hint;
END
$$;
COMMENT ON FUNCTION spm._refuse(text, text, text) IS 'Raises error 22000 from within a query that meets a row it cannot use.';
REVOKE ALL ON FUNCTION spm._refuse(text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._one_line(name text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT regexp_replace(_one_line.name, '[[:cntrl:]\u0085\u2028\u2029]', ' ', 'g');
END;
COMMENT ON FUNCTION spm._one_line(text) IS 'A name as it may stand in an SQL comment: it must not end the line.';
REVOKE ALL ON FUNCTION spm._one_line(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._components(period_id int)
    RETURNS SETOF spm.component
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.*
    FROM spm.period p
    JOIN spm.plan n USING (calendar_id)
    JOIN spm.plan_version v ON v.plan_id = n.plan_id AND v.state <> 'draft' AND v.span && p.span
    JOIN spm.component c USING (plan_version_id)
    WHERE p.period_id = _components.period_id
    ORDER BY c.component_id;
END;
COMMENT ON FUNCTION spm._components(int) IS 'Components that apply in a period.';
REVOKE ALL ON FUNCTION spm._components(int) FROM PUBLIC;

-- --------------------------------------------------------- writing the ledger

CREATE OR REPLACE FUNCTION spm._sync(relation text, keys text[], contents text[], negated text[],
                                     period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off
    SET jit = off
AS $$
DECLARE
    id text := relation || '_id';
    -- coalesce(column, 0) among the keys compares a column that may be NULL; it is written as one of the contents
    written text[] := array(SELECT k FROM unnest(keys || contents) WITH ORDINALITY u(k, o) WHERE k NOT LIKE 'coalesce(%' ORDER BY o);
    columns text := array_to_string(written, ', ');
    same text := (SELECT string_agg(format('%s = %s', p.a, replace(p.a, 'a.', 'b.')), ' AND ' ORDER BY p.a)
                  FROM unnest(keys) k CROSS JOIN LATERAL (SELECT CASE WHEN k LIKE 'coalesce(%' THEN replace(k, '(', '(a.') ELSE 'a.' || k END AS a) p)
        || (SELECT format(' AND (%s) IS NOT DISTINCT FROM (%s)', string_agg('a.' || c, ', ' ORDER BY c), string_agg('b.' || c, ', ' ORDER BY c))
            FROM unnest(contents) c);
    -- originals in closed postings that no closed posting has taken back
    posted text := format('SELECT o.* FROM spm.%1$I o JOIN spm.posting p USING (posting_id)
        WHERE o.period_id = %3$s AND p.state = ''posted'' AND o.reverses_id IS NULL AND NOT EXISTS (
            SELECT FROM spm.%1$I r JOIN spm.posting q USING (posting_id) WHERE r.reverses_id = o.%2$I AND q.state = ''posted'')',
        relation, id, _sync.period_id);
    wanted text := format('SELECT a.* FROM pg_temp.spm_result a WHERE NOT EXISTS (SELECT FROM (%s) b WHERE %s)', posted, same);
    has_posted boolean;
    changed bigint := 0;
    n bigint;
BEGIN
    EXECUTE format('SELECT EXISTS (%s)', posted) INTO has_posted;
    IF has_posted THEN
        EXECUTE format('DELETE FROM spm.%1$I d WHERE d.posting_id = $1 AND d.period_id = $2 AND d.reverses_id IS NOT NULL
            AND EXISTS (SELECT FROM (%2$s) a JOIN pg_temp.spm_result b ON %3$s WHERE a.%4$I = d.reverses_id)', relation, posted, same, id)
            USING _sync.posting_id, _sync.period_id;
        GET DIAGNOSTICS n = ROW_COUNT;
        changed := changed + n;
        EXECUTE format('INSERT INTO spm.%1$I (posting_id, period_id, run_id, reverses_id, %2$s)
            SELECT $1, $2, $3, a.%3$I, %4$s FROM (%5$s) a
            WHERE NOT EXISTS (SELECT FROM pg_temp.spm_result b WHERE %6$s)
              AND NOT EXISTS (SELECT FROM spm.%1$I r WHERE r.reverses_id = a.%3$I)',
            relation, columns, id,
            (SELECT string_agg(CASE WHEN c = ANY (negated) THEN '-a.' ELSE 'a.' END || c, ', ' ORDER BY o)
             FROM unnest(written) WITH ORDINALITY u(c, o)), posted, same)
            USING _sync.posting_id, _sync.period_id, _sync.run_id;
        GET DIAGNOSTICS n = ROW_COUNT;
        changed := changed + n;
    ELSE
        wanted := 'SELECT a.* FROM pg_temp.spm_result a';
    END IF;
    EXECUTE format('DELETE FROM spm.%1$I a WHERE a.posting_id = $1 AND a.period_id = $2 AND a.reverses_id IS NULL
        AND NOT EXISTS (SELECT FROM (%2$s) b WHERE %3$s)', relation, wanted, same)
        USING _sync.posting_id, _sync.period_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    changed := changed + n;
    EXECUTE format('INSERT INTO spm.%1$I (posting_id, period_id, run_id, %2$s)
        SELECT $1, $2, $3, %2$s FROM (%3$s) b
        WHERE NOT EXISTS (SELECT FROM spm.%1$I a WHERE a.posting_id = $1 AND a.period_id = $2 AND a.reverses_id IS NULL AND %4$s)',
        relation, columns, wanted, same)
        USING _sync.posting_id, _sync.period_id, _sync.run_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN changed + n;
END
$$;
COMMENT ON FUNCTION spm._sync(text, text[], text[], text[], int, int, bigint) IS
'Makes the draft of a posting say, together with what is posted, exactly what pg_temp.spm_result says of a period; returns the number of rows written or removed. Rows that are right stay untouched.';
REVOKE ALL ON FUNCTION spm._sync(text, text[], text[], text[], int, int, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._drop_temporary(relation text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass('pg_temp.' || _drop_temporary.relation) IS NOT NULL THEN
        EXECUTE format('DROP TABLE pg_temp.%I', _drop_temporary.relation);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._drop_temporary(text) IS 'Drops a temporary table of an earlier call in the same transaction, without a notice when there is none.';
REVOKE ALL ON FUNCTION spm._drop_temporary(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._result(query text, relation text DEFAULT 'spm_result', is_added boolean DEFAULT false, components int[] DEFAULT NULL, queries text[] DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    -- a stage reads a whole period: where the planner would loop, it has guessed wrong;
    -- and compiling what runs once takes longer than running it
    SET enable_nestloop = off
    SET jit = off
AS $$
DECLARE
    state text;
    message text;
    detail text;
    hint text;
BEGIN
    IF _result.is_added THEN
        EXECUTE format('INSERT INTO pg_temp.%I %s', _result.relation, _result.query);
    ELSE
        PERFORM spm._drop_temporary(_result.relation);
        EXECUTE format('CREATE TEMPORARY TABLE %I ON COMMIT DROP AS %s', _result.relation, _result.query);
    END IF;
    EXECUTE format('ANALYZE pg_temp.%I', _result.relation);
EXCEPTION WHEN data_exception THEN
    -- said again without the query, which would bury it
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    -- 22000 are refusals of our own, which name what they are of; what else goes wrong does so in one of the parts
    IF state <> '22000' THEN
        FOR i IN 1 .. coalesce(cardinality(_result.components), 0) LOOP
            BEGIN
                EXECUTE _result.queries[i];
            EXCEPTION WHEN data_exception THEN
                GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
                IF state <> '22000' THEN
                    detail := concat_ws(' ', spm._component_words(_result.components[i]), nullif(detail, ''));
                    hint := coalesce(nullif(hint, ''), 'Guard the measure with nullif(), or leave such transactions out with a condition.');
                END IF;
                EXIT;
            END;
        END LOOP;
    END IF;
    RAISE EXCEPTION '%', message USING ERRCODE = state, DETAIL = detail, HINT = hint;
END
$$;
COMMENT ON FUNCTION spm._result(text, text, boolean, int[], text[]) IS 'Runs the query of a stage into a temporary table, a new one or, is_added, one that is there. components, queries: what the query is put together from, to find the one that an error of class 22 comes from.';
REVOKE ALL ON FUNCTION spm._result(text, text, boolean, int[], text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._component_words(component_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT format('Component "%s" of plan "%s"%s%s.', c.name, p.name,
                  CASE c.basis WHEN 'credit' THEN ' measures ' || c.measure_expression ELSE ' has basis ' || c.basis END,
                  CASE c.basis WHEN 'credit' THEN ' where ' || c.eligibility_expression END)
    FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
    WHERE c.component_id = _component_words.component_id;
END;
COMMENT ON FUNCTION spm._component_words(int) IS 'Names a component, its plan and what it measures, for the DETAIL of an error.';
REVOKE ALL ON FUNCTION spm._component_words(int) FROM PUBLIC;

-- ------------------------------------------------------- calculating, posting

CREATE OR REPLACE FUNCTION spm._digest(relation text, condition text DEFAULT 'true')
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    digest text;
BEGIN
    EXECUTE format('SELECT count(*) || '':'' || coalesce(sum(hash_record_extended(r, 0)::numeric), 0) FROM %s r WHERE %s',
                   _digest.relation, _digest.condition) INTO digest;
    RETURN digest;
END
$$;
COMMENT ON FUNCTION spm._digest(text, text) IS 'Number of rows of a relation and a sum of their hashes, whatever their order.';
REVOKE ALL ON FUNCTION spm._digest(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._config_relations()
    RETURNS SETOF regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT unnest(ARRAY[
        'spm.currency', 'spm.exchange_rate',
        'spm.payee', 'spm.position', 'spm.position_assignment', 'spm.reporting_line', 'spm.position_path',
        'spm.measure', 'spm.quota', 'spm.quota_relief', 'spm.ramp', 'spm.ramp_assignment',
        'spm.absence', 'spm.absence_kind', 'spm.holiday',
        'spm.plan', 'spm.plan_version', 'spm.plan_assignment',
        'spm.component', 'spm.tier', 'spm.component_input', 'spm.modifier',
        'spm.lookup', 'spm.lookup_row', 'spm.objective', 'spm.variable', 'spm.variable_value',
        'spm.credit_rule', 'spm.credit_rule_share', 'spm.rollup_factor', 'spm.rolldown', 'spm.territory_source',
        'spm.manual_credit', 'spm.manual_credit_decision', 'spm.event_source'])::regclass
$$;
COMMENT ON FUNCTION spm._config_relations() IS 'Tables of plans, quotas, people and rules that results depend on.';
REVOKE ALL ON FUNCTION spm._config_relations() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._config_digest(calendar_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(spm._digest(r), ' ' ORDER BY r)
    FROM (SELECT c::text FROM spm._config_relations() c
          UNION ALL VALUES ('spm.source'), ('spm.source_column'), ('spm.transaction_split'),
              -- these are there once something is mapped
              (CASE WHEN EXISTS (SELECT FROM spm.event_source) THEN to_regclass('spm.transaction_event')::text END),
              (CASE WHEN EXISTS (SELECT FROM spm.territory_source) THEN to_regclass('spm.territory_claim')::text END)) u(r)
    WHERE r IS NOT NULL
$$;
COMMENT ON FUNCTION spm._config_digest(int) IS 'Digest of everything but the transactions that results depend on.';
REVOKE ALL ON FUNCTION spm._config_digest(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._watermark(config text, span daterange)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT md5(_watermark.config || spm._digest('spm.transaction',
        format('r.event_date >= %L AND r.event_date < %L', lower(_watermark.span), upper(_watermark.span)))
        -- what has a milestone in the period may be of another time
        || CASE WHEN EXISTS (SELECT FROM spm.event_source) THEN spm._digest('spm.transaction',
               format('(r.source, r.transaction_key) IN (SELECT e.source, e.transaction_key FROM spm.transaction_event e
                       WHERE e.event_date >= %L AND e.event_date < %L)', lower(_watermark.span), upper(_watermark.span))) ELSE '' END)
$$;
COMMENT ON FUNCTION spm._watermark(text, daterange) IS 'Digest of everything that a period is calculated from, given that of all but its transactions.';
REVOKE ALL ON FUNCTION spm._watermark(text, daterange) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE spm.calculate(period text, calendar text DEFAULT NULL)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    this spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(calculate.period, calculate.calendar));
    run spm.run;
    draft int;
    earlier record;
    config text;
    watermark text;
    is_changed boolean := false;
    is_first boolean;
BEGIN
    -- nobody changes a plan, a quota or a seat under our hands; before the calendar, so that whoever has
    -- changed one may calculate in the same transaction
    FOR earlier IN
        SELECT k.relname FROM (SELECT * FROM spm._config_relations() UNION ALL SELECT * FROM spm._pay_relations()) r(oid) JOIN pg_class k USING (oid) ORDER BY 1
    LOOP
        EXECUTE format('LOCK TABLE spm.%I IN SHARE MODE', earlier.relname);
    END LOOP;
    -- one at a time in a calendar; readers never wait.  A new row version, so that a
    -- transaction with an older snapshot fails instead of missing what the one before wrote
    UPDATE spm.calendar c SET name = c.name WHERE c.calendar_id = this.calendar_id;
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = this.period_id FOR NO KEY UPDATE;
    IF this.state = 'posted' THEN
        RAISE EXCEPTION 'period % is posted', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'What changes in it is paid as a difference in the first open period.',
                  HINT = format('CALL spm.calculate(<the open period>); or SELECT spm.reopen_period(%L, reason);', this.name);
    END IF;
    IF NOT spm._is_leaf(this.period_id) THEN
        RAISE EXCEPTION 'period % has parts', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Calculate its parts, in order.';
    END IF;
    IF to_regclass('spm.transaction') IS NULL THEN
        RAISE EXCEPTION 'no source of transactions is mapped'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT spm.map_source(...);';
    END IF;
    PERFORM spm._check_sources();
    PERFORM spm._check_versions(this.calendar_id);

    INSERT INTO spm.run (kind, period_id, version)
    SELECT 'calculate', this.period_id, e.extversion FROM pg_extension e WHERE e.extname = 'spm'
    RETURNING * INTO run;
    SELECT o.posting_id INTO draft FROM spm.posting o WHERE o.period_id = this.period_id AND o.state = 'draft';
    IF NOT FOUND THEN
        INSERT INTO spm.posting (period_id) VALUES (this.period_id) RETURNING posting_id INTO draft;
    END IF;

    -- the first open period also pays what has changed in posted ones
    config := spm._config_digest(this.calendar_id);
    SELECT coalesce(bool_and(p.state = 'posted'), true) INTO is_first
    FROM spm.period p
    WHERE p.calendar_id = this.calendar_id AND p.span << this.span AND spm._is_leaf(p.period_id);
    IF is_first THEN
        PERFORM spm._withdraw_differences(this.calendar_id, draft);
    END IF;
    FOR earlier IN
        SELECT p.period_id, p.span, p.name, w.watermark AS known
        FROM spm.period p LEFT JOIN spm.period_watermark w USING (period_id)
        WHERE p.calendar_id = this.calendar_id AND (p.span << this.span AND is_first OR p.period_id = this.period_id)
          AND spm._is_leaf(p.period_id)
        ORDER BY p.span
    LOOP
        watermark := spm._watermark(config, earlier.span);
        IF earlier.period_id = this.period_id THEN
            run.input_watermark := md5(watermark || (SELECT string_agg(spm._digest(r::text), ' ') FROM spm._pay_relations() r));
        ELSE
            -- a change also reaches every later period
            is_changed := is_changed OR watermark IS DISTINCT FROM earlier.known;
            CONTINUE WHEN NOT is_changed;
            run.late_period_count := run.late_period_count + 1;
        END IF;
        run.changed_count := run.changed_count
            + spm._credit_period(earlier.period_id, draft, run.run_id)
            + spm._measure_period(earlier.period_id, draft, run.run_id)
            + spm._earn_period(earlier.period_id, draft, run.run_id);
        -- the warehouse is not locked: what came while this ran may go again, and must be looked for then
        INSERT INTO spm.period_watermark (period_id, watermark)
        VALUES (earlier.period_id, CASE watermark WHEN spm._watermark(spm._config_digest(this.calendar_id), earlier.span) THEN watermark ELSE 'unsure' END)
        ON CONFLICT (period_id) DO UPDATE SET watermark = EXCLUDED.watermark;
    END LOOP;
    IF is_first THEN
        PERFORM spm._check_once(draft);
    END IF;
    run.changed_count := run.changed_count + spm._pay(draft, run.run_id);
    -- what accumulates in later periods may stand on what has changed here
    DELETE FROM spm.period_watermark w USING spm.period p
    WHERE run.changed_count > 0 AND p.period_id = w.period_id AND p.calendar_id = this.calendar_id AND p.span >> this.span;

    EXECUTE 'SELECT count(DISTINCT (source, transaction_key, line)) FROM pg_temp.spm_claim' INTO run.transaction_count;
    PERFORM spm._drop_temporary('spm_claim'), spm._drop_temporary('spm_result');
    UPDATE spm.run r
    SET finished_at = clock_timestamp(), input_watermark = run.input_watermark, late_period_count = run.late_period_count,
        changed_count = run.changed_count, transaction_count = run.transaction_count,
        uncredited_count = (SELECT count(DISTINCT (u.source, u.transaction_key, u.line)) FROM spm.uncredited u WHERE u.period_id = this.period_id),
        credit_count = (SELECT count(*) FROM spm.standing_credit c WHERE c.period_id = this.period_id),
        payee_count = (SELECT count(DISTINCT m.payee_id) FROM spm.standing_measurement m WHERE m.period_id = this.period_id),
        earning_count = (SELECT count(*) FROM spm.standing_earning e WHERE e.period_id = this.period_id)
    WHERE r.run_id = run.run_id
    RETURNING r.* INTO run;
    UPDATE spm.period p SET state = 'calculated' WHERE p.period_id = this.period_id AND p.state = 'open';
    RAISE NOTICE 'run %: % transactions, % credits, % payees, % s; % rows changed%', run.run_id, run.transaction_count,
        run.credit_count, run.payee_count, round(extract(epoch FROM run.finished_at - run.started_at), 1), run.changed_count,
        concat(CASE WHEN run.late_period_count > 0 THEN format('; %s posted period(s) looked at again', run.late_period_count) END,
               CASE WHEN run.uncredited_count > 0 THEN format('; %s transaction%s not credited (see spm_bi.uncredited)', run.uncredited_count,
                                                                   CASE WHEN run.uncredited_count <> 1 THEN 's' END) END);
END
$$;
COMMENT ON PROCEDURE spm.calculate(text, text) IS
'Calculates a period: credits, measurements, earnings, payouts. May be called again until the period is posted; rows that are right stay untouched, so a second call in a row changes none. The first open period also takes up what has changed in posted ones, as differences.
period: name. calendar: needed when two calendars have a period of that name.
Errors: 55000 for a posted period, one that has parts, or no mapped source; 22000 for a row that cannot be used, a missing quota, rate or variable; 23505 for a transaction that occurs twice; those of a source that has changed.
Example: CALL spm.calculate(''2026-Q1'');';

CREATE OR REPLACE FUNCTION spm._withdraw_differences(calendar_id int, posting_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    other record;
    relation text;
BEGIN
    FOR other IN
        SELECT o.posting_id, o.period_id FROM spm.posting o JOIN spm.period p USING (period_id)
        WHERE p.calendar_id = _withdraw_differences.calendar_id AND o.state = 'draft' AND o.posting_id <> _withdraw_differences.posting_id
    LOOP
        DELETE FROM spm.period_watermark w
        WHERE w.period_id IN (SELECT m.period_id FROM spm.measurement m WHERE m.posting_id = other.posting_id AND m.period_id <> other.period_id
                              UNION SELECT c.period_id FROM spm.credit c WHERE c.posting_id = other.posting_id AND c.period_id <> other.period_id
                              UNION SELECT e.period_id FROM spm.earning e WHERE e.posting_id = other.posting_id AND e.period_id <> other.period_id);
        FOREACH relation IN ARRAY ARRAY['payout', 'earning', 'measurement', 'credit'] LOOP
            EXECUTE format('DELETE FROM spm.%I r WHERE r.posting_id = $1 AND r.period_id <> $2', relation) USING other.posting_id, other.period_id;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._withdraw_differences(int, int) IS 'Differences are paid by the first open period: takes them out of the drafts of all others, as when an earlier period was reopened.';
REVOKE ALL ON FUNCTION spm._withdraw_differences(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_once(posting_id int)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    -- rows just written have no statistics: by loops this takes the square of them
    SET enable_nestloop = off
AS $$
DECLARE
    twice record;
BEGIN
    SELECT c.source, c.transaction_key, c.line, q.name AS earlier, p.name AS later INTO twice
    FROM spm.credit c
    JOIN spm.period p ON p.period_id = c.period_id
    JOIN spm.standing_credit o ON o.transaction_key = c.transaction_key AND o.source = c.source AND o.line = c.line AND o.kind = c.kind AND o.event = c.event
    JOIN spm.period q ON q.period_id = o.period_id AND q.calendar_id = p.calendar_id AND q.span << p.span
    WHERE c.posting_id = _check_once.posting_id AND c.reverses_id IS NULL AND c.kind = 'direct' AND c.event = 'booking'
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transaction %/% is credited in % and in %', twice.source, twice.transaction_key, twice.earlier, twice.later
            USING ERRCODE = 'unique_violation', DETAIL = format('Line "%s".', twice.line),
                  HINT = 'Key and line must identify a row of the source for all time. If its date has just been changed, calculate again.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_once(int) IS 'Error 23505 when a posting credits a transaction that stands credited in an earlier period.';
REVOKE ALL ON FUNCTION spm._check_once(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_versions(calendar_id int)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong record;
BEGIN
    SELECT p.name, v.version_no INTO wrong
    FROM spm.plan p JOIN spm.plan_version v USING (plan_id)
    WHERE p.calendar_id = _check_versions.calendar_id AND v.state <> 'draft'
      AND NOT spm._is_as_published(v.plan_version_id)
    ORDER BY 1, 2 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'plan "%" version % is not what was published', wrong.name, wrong.version_no
            USING ERRCODE = 'data_corrupted',
                  DETAIL = 'What it says does not match the hash taken when it was published.',
                  HINT = 'Remove what was added to it, or restore it from a backup.';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_versions(int) IS 'Error XX001 when a published version of the calendar''s plans was tampered with.';
REVOKE ALL ON FUNCTION spm._check_versions(int) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE spm.post(period text, calendar text DEFAULT NULL)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    this spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(post.period, post.calendar));
    before text;
    wrong record;
    draft int;
    this_run bigint;
    total text;
BEGIN
    UPDATE spm.calendar c SET name = c.name WHERE c.calendar_id = this.calendar_id;
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = this.period_id FOR NO KEY UPDATE;
    IF this.state <> 'calculated' THEN
        RAISE EXCEPTION 'period % is %, not calculated', this.name, this.state
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE this.state WHEN 'open' THEN format('CALL spm.calculate(%L);', this.name)
                              ELSE 'Nothing is left to do; later changes are paid in the next period.' END;
    END IF;
    SELECT p.name INTO before FROM spm.period p
    WHERE p.calendar_id = this.calendar_id AND p.span << this.span AND p.state <> 'posted' AND spm._is_leaf(p.period_id)
    ORDER BY p.span LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % comes before % and is not posted', before, this.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('CALL spm.calculate(%L); CALL spm.post(%L);', before, before);
    END IF;
    IF NOT EXISTS (SELECT FROM spm.period_watermark w WHERE w.period_id = this.period_id) THEN
        RAISE EXCEPTION 'period % was calculated before something it stands on changed', this.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('CALL spm.calculate(%L);', this.name);
    END IF;
    SELECT o.posting_id INTO STRICT draft FROM spm.posting o WHERE o.period_id = this.period_id AND o.state = 'draft';
    PERFORM spm._check_once(draft);
    SELECT r.* INTO wrong FROM spm.reconciliation r WHERE r.posting_id = draft AND NOT r.is_reconciled LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'results of period % do not add up', this.name
            USING ERRCODE = 'data_corrupted',
                  DETAIL = format('Payee %s, component %s: totals earn %s, deals %s, paid %s.', wrong.payee_id, wrong.component_id,
                                  wrong.measured_amount, wrong.earned_amount, wrong.paid_amount),
                  HINT = format('CALL spm.calculate(%L); and look at spm_bi.reconciliation.', this.name);
    END IF;
    INSERT INTO spm.run (kind, period_id, version, earning_count, payee_count)
    SELECT 'post', this.period_id, e.extversion,
           (SELECT count(*) FROM spm.earning x WHERE x.posting_id = draft),
           (SELECT count(DISTINCT o.payee_id) FROM spm.payout o WHERE o.posting_id = draft)
    FROM pg_extension e WHERE e.extname = 'spm'
    RETURNING run_id INTO this_run;
    UPDATE spm.posting o SET state = 'posted', posted_at = clock_timestamp(), posted_by = session_user, run_id = this_run
    WHERE o.posting_id = draft;
    UPDATE spm.period p SET state = 'posted' WHERE p.period_id = this.period_id;
    PERFORM spm._keep_statements(draft);
    UPDATE spm.run r SET finished_at = clock_timestamp() WHERE r.run_id = this_run;
    SELECT string_agg(s.line, ', ' ORDER BY s.line) INTO total
    FROM (SELECT format('%s %s', sum(o.amount), o.currency_code) AS line FROM spm.payout o WHERE o.posting_id = draft GROUP BY o.currency_code) s;
    RAISE NOTICE 'period % is posted: %', this.name, coalesce(total, 'nothing to pay');
END
$$;
COMMENT ON PROCEDURE spm.post(text, text) IS
'Closes a calculated period: its results can change no more, later changes are paid as differences in the next period. Periods are posted in order, and only when every level adds up.
period: name. calendar: needed when two calendars have a period of that name.
Errors: 55000 unless the period is calculated, since the last change of an earlier one, and all before it are posted; XX001 when the results do not add up.
Example: CALL spm.post(''2026-Q1'');';
/*
 * compensation/stages_credit.sql: transaction -> credit.  Who is credited with
 * each transaction, where that payee sits, and who above or below is, too.
 */

CREATE OR REPLACE FUNCTION spm._transaction_relation()
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    -- a view that an earlier version made lacks what nobody had mapped then
    SELECT CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('spm.transaction') AND a.attname = 'reference_key')
        THEN 'spm.transaction' ELSE '(SELECT x.*, NULL::text AS reference_key FROM spm.transaction x)' END
$$;
COMMENT ON FUNCTION spm._transaction_relation() IS 'What to read transactions from.';
REVOKE ALL ON FUNCTION spm._transaction_relation() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._shared(value numeric, shares numeric[], share_no int, factor numeric, digits int)
    RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _shared.factor = 1 THEN (spm.split(_shared.value, coalesce(_shared.shares, '{1}'), _shared.digits))[coalesce(_shared.share_no, 1)]
                ELSE spm.rounded((spm.split(_shared.value, coalesce(_shared.shares, '{1}'), _shared.digits))[coalesce(_shared.share_no, 1)] * _shared.factor, _shared.digits) END;
END;
COMMENT ON FUNCTION spm._shared(numeric, numeric[], int, numeric, int) IS 'A share of a value, times a factor.';
REVOKE ALL ON FUNCTION spm._shared(numeric, numeric[], int, numeric, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credited(value numeric, shares numeric[], share_no int, factor numeric, part_no int, part_count int, digits int)
    RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _credited.part_count = 1 THEN spm._shared(_credited.value, _credited.shares, _credited.share_no, _credited.factor, _credited.digits)
                ELSE (spm.split(spm._shared(_credited.value, _credited.shares, _credited.share_no, _credited.factor, _credited.digits),
                                array_fill(1::numeric, ARRAY[_credited.part_count]), _credited.digits))[_credited.part_no] END;
END;
COMMENT ON FUNCTION spm._credited(numeric, numeric[], int, numeric, int, int, int) IS 'What of a value is credited: its share, times the factor, in equal parts; each apportioned so that parts add up.';
REVOKE ALL ON FUNCTION spm._credited(numeric, numeric[], int, numeric, int, int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credited_sql(value text, digits text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    -- most credits are of all of it, or of a share
    SELECT format('CASE WHEN t.factor = 1 AND t.part_count = 1 THEN CASE WHEN t.shares IS NULL THEN %1$s ELSE (spm.split(%1$s, t.shares, %2$s))[t.share_no] END
                ELSE spm._credited(%1$s, t.shares, t.share_no, t.factor, t.part_no, t.part_count, %2$s) END', _credited_sql.value, _credited_sql.digits)
$$;
COMMENT ON FUNCTION spm._credited_sql(text, text) IS 'SQL of what credit t counts of a value.';
REVOKE ALL ON FUNCTION spm._credited_sql(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credit_condition(component_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('%s AND t.event = %L', CASE c.credit_kind WHEN 'all' THEN 'true' ELSE format('t.kind = %L', c.credit_kind) END, c.event)
        -- what takes back an original is not part of the running total
        || CASE WHEN c.refund <> 'running' THEN ' AND t.reference_key IS NULL' ELSE '' END
    FROM spm.component c WHERE c.component_id = _credit_condition.component_id
$$;
COMMENT ON FUNCTION spm._credit_condition(int) IS 'SQL condition that credit t is one that a component takes into its total.';
REVOKE ALL ON FUNCTION spm._credit_condition(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._portion(value numeric, fixed numeric, whole numeric, of_all numeric, all_amount numeric,
                                        of_line numeric, line_amount numeric, digits int)
    RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(_portion.value * _portion.fixed,
        round(_portion.value * _portion.whole + coalesce(_portion.value * _portion.of_all / nullif(_portion.all_amount, 0), 0)
              + coalesce(_portion.value * _portion.of_line / nullif(_portion.line_amount, 0), 0), _portion.digits));
END;
COMMENT ON FUNCTION spm._portion(numeric, numeric, numeric, numeric, numeric, numeric, numeric, int) IS
'What of a value is reached: a fixed ratio, or that of milestones as ratios, of the amount of all lines, and of the line, rounded.';
REVOKE ALL ON FUNCTION spm._portion(numeric, numeric, numeric, numeric, numeric, numeric, numeric, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._judged_sql(columns text, condition text)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    -- what takes an order back goes by the rules that hold for the order: of its line, or the first one
    SELECT CASE WHEN EXISTS (SELECT FROM spm.source_column c WHERE c.name = 'reference_key')
                 AND EXISTS (SELECT FROM spm.credit_rule UNION ALL SELECT FROM spm.territory_source) THEN format($sql$(
    SELECT t.*, CASE WHEN x.line IS NULL THEN j.credit_rule_id ELSE x.credit_rule_id END AS credit_rule_id,
           CASE WHEN x.line IS NULL THEN j.extra_rules ELSE x.extra_rules END AS extra_rules,
           CASE WHEN x.line IS NULL THEN j.territory_keys ELSE x.territory_keys END AS territory_keys
    FROM %1$s t
    CROSS JOIN LATERAL (SELECT %2$s) j
    LEFT JOIN (
        SELECT DISTINCT ON (r.source, r.transaction_key, r.line) r.source, r.transaction_key, r.line, o.credit_rule_id, o.extra_rules, o.territory_keys
        FROM (SELECT t.source, t.transaction_key, t.line, t.reference_key FROM %1$s t WHERE t.reference_key IS NOT NULL AND %3$s) r
        JOIN (SELECT t.source, t.transaction_key, t.line, %2$s FROM %1$s t) o ON o.source = r.source AND o.transaction_key = r.reference_key
        ORDER BY r.source, r.transaction_key, r.line, o.line <> r.line, o.line COLLATE "C") x
        ON x.source = t.source AND x.transaction_key = t.transaction_key AND x.line = t.line
    WHERE %3$s)$sql$, spm._transaction_relation(), _judged_sql.columns, _judged_sql.condition)
    ELSE format('(SELECT t.*, %s FROM %s t WHERE %s)', _judged_sql.columns, spm._transaction_relation(), _judged_sql.condition) END
$$;
COMMENT ON FUNCTION spm._judged_sql(text, text) IS 'SQL of the transactions that meet a condition, with the rules that hold for each: its own, or those of the order that it takes back.';
REVOKE ALL ON FUNCTION spm._judged_sql(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._milestone_sql(days daterange, events text[], columns text, condition text)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    -- what is reached by now less what was reached before: so that parts add up to the whole
    parts text := (
        SELECT string_agg(format('spm._portion(o.%1$s, s.fixed, s.whole, s.of_all, s.all_amount, s.of_line, s.amount, %2$s)
           - coalesce(spm._portion(o.%1$s, s.fixed_before, s.whole_before, s.of_all_before, s.all_amount, s.of_line_before, s.amount, %2$s), 0) AS %1$s',
           n.name, n.digits), E',\n           ' ORDER BY n.place)
        FROM (VALUES (1, 'quantity', '6'), (2, 'amount', 'o.digits'), (3, 'cost', 'o.digits'), (4, 'list_amount', 'o.digits')) n (place, name, digits));
BEGIN
    RETURN format($sql$
milestone AS (     -- of transactions that have one in these days
    SELECT e.source, e.transaction_key, e.line, e.kind, e.event_date, g.credited, g.over, g.tolerance,
           CASE WHEN e.amount IS NULL THEN 1 WHEN g.amount_unit = 'money' THEN 0 ELSE e.amount END AS whole,
           CASE WHEN g.amount_unit = 'money' THEN coalesce(e.amount, 0) ELSE 0 END AS money
    FROM spm.transaction_event e
    JOIN spm.source n ON n.name = e.source
    JOIN spm.event_source g ON g.source_id = n.source_id AND g.kind = e.kind
    WHERE e.kind = ANY (%1$L::text[]) AND e.event_date < %3$L AND (e.source, e.transaction_key) IN (
        SELECT i.source, i.transaction_key FROM spm.transaction_event i
        WHERE i.kind = ANY (%1$L::text[]) AND i.event_date >= %2$L AND i.event_date < %3$L)
), ordered AS (
    SELECT t.*, sum(t.amount) OVER (PARTITION BY t.source, t.transaction_key) AS all_amount, coalesce(k.minor_digits, 2) AS digits
    FROM %4$s t LEFT JOIN spm.currency k USING (currency_code)
), reached AS (    -- how much of each line is reached by which day
    SELECT o.source, o.transaction_key, o.line, m.kind, m.event_date, m.credited, m.over, m.tolerance, o.all_amount, o.amount,
           sum(sum(m.whole + CASE WHEN m.money <> 0 AND CASE WHEN m.line IS NULL THEN o.all_amount ELSE o.amount END = 0 THEN 1 ELSE 0 END)) OVER u AS whole,
           sum(sum(CASE WHEN m.line IS NULL THEN m.money ELSE 0 END)) OVER u AS of_all,
           sum(sum(CASE WHEN m.line IS NULL THEN 0 ELSE m.money END)) OVER u AS of_line
    FROM ordered o
    JOIN milestone m ON m.source = o.source AND m.transaction_key = o.transaction_key AND coalesce(m.line, o.line) = o.line
    GROUP BY o.source, o.transaction_key, o.line, m.kind, m.event_date, m.credited, m.over, m.tolerance, o.all_amount, o.amount
    WINDOW u AS (PARTITION BY o.source, o.transaction_key, o.line, m.kind ORDER BY m.event_date)
), judged AS (
    SELECT r.*, i.ratio, CASE
               WHEN r.credited = 'first' THEN CASE WHEN i.ratio > 0 THEN 1 ELSE 0 END
               WHEN r.credited = 'full' THEN CASE WHEN i.ratio >= 1 - r.tolerance THEN 1 ELSE 0 END
               WHEN i.ratio >= 1 - r.tolerance AND (i.ratio <= 1 OR r.over = 'capped') THEN 1
               WHEN i.ratio <= 0 AND r.over = 'capped' THEN 0 END::numeric AS fixed
    FROM reached r
    CROSS JOIN LATERAL (SELECT r.whole + coalesce(r.of_all / nullif(r.all_amount, 0), 0) + coalesce(r.of_line / nullif(r.amount, 0), 0) AS ratio) i
), step AS (
    SELECT j.*, coalesce(j.fixed, j.ratio) AS now, coalesce(lag(coalesce(j.fixed, j.ratio)) OVER w, 0) AS before,
           lag(j.fixed) OVER w AS fixed_before, lag(j.whole) OVER w AS whole_before, lag(j.of_all) OVER w AS of_all_before, lag(j.of_line) OVER w AS of_line_before
    FROM judged j
    WINDOW w AS (PARTITION BY j.source, j.transaction_key, j.line, j.kind ORDER BY j.event_date)
), happened AS (
    SELECT o.source, o.transaction_key, o.line, s.event_date, o.type, o.owner_key, o.account_key, o.product_key,
           %5$s,
           o.currency_code, o.attributes, o.reference_key, s.kind AS event, o.credit_rule_id, o.extra_rules, o.territory_keys
    FROM step s JOIN ordered o USING (source, transaction_key, line)
    WHERE s.now <> s.before AND s.event_date >= %2$L AND s.event_date < %3$L
)$sql$, _milestone_sql.events, lower(_milestone_sql.days), upper(_milestone_sql.days),
        spm._judged_sql(_milestone_sql.columns,
            format('(t.source, t.transaction_key) IN (SELECT m.source, m.transaction_key FROM milestone m) AND (%s)', _milestone_sql.condition)), parts);
END
$$;
COMMENT ON FUNCTION spm._milestone_sql(daterange, text[], text, text) IS 'SQL of the parts of transactions that milestones of some days credit: common table expressions, the last one named happened.';
REVOKE ALL ON FUNCTION spm._milestone_sql(daterange, text[], text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._claim_sql(days daterange, events text[], condition text DEFAULT 'true')
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    rules text;
    extras text;
    territories text;
    territory_names text[];
    columns text;
    sql text;
    -- an order that is taken back may be of any day
    is_any_day boolean := events <> '{booking}' OR EXISTS (SELECT FROM spm.source_column c WHERE c.name = 'reference_key');
    place constant text := 'LEFT JOIN spm.position_assignment seat ON seat.payee_id = y.payee_id AND seat.is_primary AND t.event_date <@ seat.span';
    fields constant text := 't.source, t.transaction_key, t.line, t.event_date, t.type, t.account_key, t.product_key, t.quantity, t.amount,
       t.cost, t.list_amount, t.currency_code, t.attributes, t.reference_key, t.event';
BEGIN
    SELECT string_agg(format(E'\n               WHEN t.event_date <@ %L::daterange AND (%s) THEN %s', r.span, r.condition, r.credit_rule_id),
                      '' ORDER BY r.place) INTO rules
    FROM spm._share_rule() r WHERE is_any_day OR r.span && days;
    SELECT string_agg(format('CASE WHEN t.event_date <@ %L::daterange AND (%s) THEN %s END', r.span, r.condition, r.credit_rule_id),
                      E',\n               ' ORDER BY r.credit_rule_id) INTO extras
    FROM spm.credit_rule r WHERE r.kind <> 'share' AND (is_any_day OR r.span && days);
    IF to_regclass('spm.territory_claim') IS NOT NULL THEN
        SELECT string_agg(format('(%s)::text', s.match_expression), ', ' ORDER BY s.territory_source_id), array_agg(s.name ORDER BY s.territory_source_id)
        INTO territories, territory_names FROM spm.territory_source s;
    END IF;
    -- rules judge the transaction as it was booked, also when a milestone credits a part of it
    columns := format('%s AS credit_rule_id, %s AS extra_rules, %s AS territory_keys', coalesce('CASE' || rules || E'\n          END', 'NULL::int'),
        coalesce('ARRAY[' || extras || ']', 'NULL::int[]'), coalesce('ARRAY[' || territories || ']', 'NULL::text[]'));

    sql := format($sql$
WITH %1$s split AS (    -- shares that the warehouse gives
    SELECT s.source, s.transaction_key, s.line,
           CASE WHEN bool_and(coalesce(s.share >= 0, false)) THEN sum(s.share) END AS total,
           array_agg(s.owner_key ORDER BY s.owner_key COLLATE "C", s.share) FILTER (WHERE s.share <> 0) AS owners,
           array_agg(s.share ORDER BY s.owner_key COLLATE "C", s.share) FILTER (WHERE s.share <> 0) AS shares,
           array_agg(s.owner_key ORDER BY s.owner_key COLLATE "C", s.share) AS all_owners,
           array_agg(s.share ORDER BY s.owner_key COLLATE "C", s.share) AS all_shares
    FROM spm.transaction_split s
    GROUP BY s.source, s.transaction_key, s.line
), rule AS (       -- shares that rules give
    SELECT r.credit_rule_id, array_agg(y.payee_key ORDER BY y.payee_key COLLATE "C") AS owners,
           array_agg(r.share ORDER BY y.payee_key COLLATE "C") AS shares
    FROM spm.credit_rule_share r JOIN spm.payee y USING (payee_id)
    GROUP BY r.credit_rule_id
), booked AS (
    SELECT t.source, t.transaction_key, t.line, t.event_date, t.type, t.owner_key, t.account_key, t.product_key, t.quantity, t.amount, t.cost,
           t.list_amount, t.currency_code, t.attributes, t.reference_key, 'booking' AS event, t.credit_rule_id, t.extra_rules, t.territory_keys
    FROM %2$s t%3$s%4$s
)
SELECT t.source, t.transaction_key, t.line, t.event_date, t.type, t.account_key, t.product_key, t.quantity,
       CASE WHEN t.transaction_key IS NULL OR t.type IS NULL OR t.currency_code IS NULL OR t.amount IS NULL
                 OR t.amount = 'NaN' OR abs(t.amount) >= 1e15
            THEN spm._refuse(format('transaction %%s/%%s has no usable %%s', t.source, coalesce(t.transaction_key, '(no key)'),
                     CASE WHEN t.transaction_key IS NULL THEN 'key' WHEN t.type IS NULL THEN 'type'
                          WHEN t.currency_code IS NULL THEN 'currency' ELSE 'amount' END),
                 format('Line "%%s" of %%s.', t.line, t.event_date),
                 'Repair the row, or leave it out with the filter of spm.map_source().')
            WHEN s.all_shares IS NOT NULL AND s.total IS DISTINCT FROM 1
            THEN spm._refuse(format('shares of transaction %%s/%%s %%s', t.source, t.transaction_key,
                     coalesce('total ' || s.total || ', not 1', 'must be given and not negative')),
                 format('Line "%%s": %%s have %%s.', t.line, s.all_owners, s.all_shares),
                 'Repair the rows of the relation given to spm.map_split().')
            ELSE t.amount END AS amount,
       t.cost, t.list_amount, t.currency_code, t.attributes, t.reference_key, t.event, 'direct' AS kind, '' AS rule,
       coalesce(c.owner_key, '') AS owner_key,
       CASE WHEN cardinality(coalesce(s.shares, r.shares)) > 1 THEN coalesce(s.shares, r.shares) END AS shares,
       CASE WHEN cardinality(coalesce(s.shares, r.shares)) > 1 THEN c.share_no::int END AS share_no,
       coalesce((coalesce(s.shares, r.shares))[c.share_no], 1) AS share, 1::numeric AS factor, 1 AS part_no, 1 AS part_count,
       y.payee_id, seat.position_id,
       CASE WHEN c.owner_key IS NULL THEN 'it has no owner'
            WHEN y.payee_id IS NULL THEN 'its owner is not a payee'
            WHEN seat.position_id IS NULL THEN 'its owner held no position on that day' END AS reason
FROM booked t
LEFT JOIN split s ON s.source = t.source AND s.transaction_key = %6$s AND coalesce(s.line, t.line) = t.line
LEFT JOIN rule r ON r.credit_rule_id = t.credit_rule_id AND s.owners IS NULL
CROSS JOIN LATERAL unnest(coalesce(s.owners, r.owners, ARRAY[t.owner_key])) WITH ORDINALITY c(owner_key, share_no)
LEFT JOIN spm.payee y ON y.payee_key = c.owner_key
%5$s$sql$,
        CASE WHEN events <> '{booking}' AND to_regclass('spm.transaction_event') IS NOT NULL
             THEN spm._milestone_sql(days, events, columns, condition) || ', ' ELSE '' END,
        spm._judged_sql(columns, format('t.event_date >= %L AND t.event_date < %L AND (%s)', lower(days), upper(days), condition)),
        CASE WHEN events <> '{booking}' AND to_regclass('spm.transaction_event') IS NOT NULL
             THEN E'\n    UNION ALL\n    SELECT * FROM happened' ELSE '' END,
        CASE WHEN EXISTS (SELECT FROM spm.manual_credit m WHERE m.event_date <@ days) THEN format($manual$
    UNION ALL
    SELECT t.*, NULL::int, NULL::int[], NULL::text[]
    FROM (SELECT 'manual' AS source, 'M-' || m.manual_credit_id AS transaction_key, '' AS line, m.event_date, m.type, y.payee_key AS owner_key,
                 m.account_key, m.product_key, m.quantity, m.amount, m.cost, m.list_amount, m.currency_code,
                 '{}'::jsonb AS attributes, NULL::text AS reference_key, m.event
          FROM spm.manual_credit m
          JOIN spm.payee y USING (payee_id)
          JOIN spm.manual_credit_decision a ON a.manual_credit_id = m.manual_credit_id AND a.decision = 'approved'
          WHERE NOT EXISTS (SELECT FROM spm.manual_credit_decision w WHERE w.manual_credit_id = m.manual_credit_id AND w.decision = 'withdrawn')) t
    WHERE t.event = ANY (%L::text[]) AND t.event_date >= %L AND t.event_date < %L AND (%s)$manual$,
            events, lower(days), upper(days), condition) ELSE '' END,
        place,
        -- what takes an order back is shared as the order was, unless it says otherwise
        CASE WHEN EXISTS (SELECT FROM spm.source_column c WHERE c.name = 'reference_key') THEN
            'CASE WHEN t.reference_key IS NULL OR (t.source, t.transaction_key) IN (SELECT x.source, x.transaction_key FROM spm.transaction_split x)
        THEN t.transaction_key ELSE t.reference_key END' ELSE 't.transaction_key' END);

    IF extras IS NOT NULL THEN
        sql := sql || format($sql$
UNION ALL          -- specialists, on top
SELECT %1$s, 'overlay', r.name, y.payee_key, NULL, NULL, 1, m.share, 1, 1, y.payee_id, seat.position_id,
       CASE WHEN seat.position_id IS NULL THEN format('a payee of overlay rule "%%s" held no position on that day', r.name) END
FROM booked t
CROSS JOIN LATERAL unnest(t.extra_rules) x(credit_rule_id)
JOIN spm.credit_rule r ON r.credit_rule_id = x.credit_rule_id AND r.kind = 'overlay'
JOIN spm.credit_rule_share m ON m.credit_rule_id = r.credit_rule_id
JOIN spm.payee y ON y.payee_id = m.payee_id
%2$s
UNION ALL          -- teams, on top
SELECT %1$s, 'team', r.name, m.payee_key, NULL, NULL, 1, 1,
       CASE r.parts WHEN 'equal' THEN row_number() OVER w ELSE 1 END::int, CASE r.parts WHEN 'equal' THEN count(*) OVER a ELSE 1 END::int,
       m.payee_id, m.position_id, NULL
FROM booked t
CROSS JOIN LATERAL unnest(t.extra_rules) x(credit_rule_id)
JOIN spm.credit_rule r ON r.credit_rule_id = x.credit_rule_id AND r.kind = 'team'
JOIN spm._team_member() m ON m.credit_rule_id = r.credit_rule_id AND t.event_date <@ m.span
WINDOW a AS (PARTITION BY t.source, t.transaction_key, t.line, t.event, t.event_date, r.credit_rule_id),
       w AS (PARTITION BY t.source, t.transaction_key, t.line, t.event, t.event_date, r.credit_rule_id ORDER BY m.payee_key COLLATE "C", m.position_id)$sql$,
            fields, place);
    END IF;
    IF territories IS NOT NULL THEN
        sql := sql || format($sql$
UNION ALL          -- holders of a territory, on top
SELECT %1$s, 'territory', c.territory, c.owner_key, NULL, NULL, 1,
       CASE WHEN c.share >= 0 THEN c.share ELSE spm._refuse(format('territory %%s gives %%s no usable share', c.territory, c.owner_key),
           format('Key "%%s": share %%s.', c.match_key, coalesce(c.share::text, 'NULL')), 'Repair the rows of the relation given to spm.map_territory().') END, 1, 1,
       y.payee_id, seat.position_id,
       CASE WHEN y.payee_id IS NULL THEN format('the holder of territory "%%s" is not a payee', c.territory)
            WHEN seat.position_id IS NULL THEN format('the holder of territory "%%s" held no position on that day', c.territory) END
FROM booked t
CROSS JOIN LATERAL unnest(%2$L::text[], t.territory_keys) k(territory, match_key)
JOIN spm.territory_claim c ON c.territory = k.territory AND c.match_key = k.match_key AND t.event_date <@ c.span AND c.share IS DISTINCT FROM 0
LEFT JOIN spm.payee y ON y.payee_key = c.owner_key
%3$s
WHERE t.territory_keys IS NOT NULL$sql$, fields, territory_names, place);
    END IF;
    RETURN sql;
END
$$;
COMMENT ON FUNCTION spm._claim_sql(daterange, text[], text) IS 'SQL that finds who is credited with each transaction, or milestone, of some days and a condition on t, and where that payee sits.';
REVOKE ALL ON FUNCTION spm._claim_sql(daterange, text[], text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._team_member()
    RETURNS TABLE (credit_rule_id int, payee_id int, payee_key text, position_id int, span daterange)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.credit_rule_id, y.payee_id, y.payee_key, a.position_id, a.span
    FROM spm.credit_rule r
    JOIN spm.credit_rule_share s USING (credit_rule_id)
    JOIN spm.payee y ON y.payee_id = s.payee_id
    JOIN spm.position_assignment a ON a.payee_id = y.payee_id AND a.is_primary
    WHERE r.kind = 'team'
    UNION ALL
    SELECT r.credit_rule_id, y.payee_id, y.payee_key, a.position_id, a.span
    FROM spm.credit_rule r
    JOIN spm.position p ON p.title_id = r.title_id
    JOIN spm.position_assignment a ON a.position_id = p.position_id AND a.is_primary
    JOIN spm.payee y ON y.payee_id = a.payee_id
    WHERE r.kind = 'team'
    UNION ALL
    SELECT r.credit_rule_id, y.payee_id, y.payee_key, a.position_id, a.span * h.span
    FROM spm.credit_rule r
    JOIN spm.position_path h ON h.ancestor_position_id = r.manager_position_id
    JOIN spm.position_assignment a ON a.position_id = h.position_id AND a.is_primary AND a.span && h.span
    JOIN spm.payee y ON y.payee_id = a.payee_id
    WHERE r.kind = 'team';
END;
COMMENT ON FUNCTION spm._team_member() IS 'Who is in the team of which credit rule, and when: holders of primary seats.';
REVOKE ALL ON FUNCTION spm._team_member() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credited_events(calendar_id int)
    RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT array_agg(DISTINCT e.event ORDER BY e.event)
    FROM (SELECT 'booking' AS event
          UNION ALL
          SELECT c.event FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
          WHERE v.state <> 'draft' AND p.calendar_id = _credited_events.calendar_id) e;
END;
COMMENT ON FUNCTION spm._credited_events(int) IS 'Events that published plans of a calendar pay for; booking always.';
REVOKE ALL ON FUNCTION spm._credited_events(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._claim_query(period_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT spm._claim_sql(p.span, spm._credited_events(p.calendar_id)) FROM spm.period p WHERE p.period_id = _claim_query.period_id
$$;
COMMENT ON FUNCTION spm._claim_query(int) IS 'SQL that finds who is credited with each transaction of a period, and where that payee sits.';
REVOKE ALL ON FUNCTION spm._claim_query(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._taking_seat(calendar_id int, credit_kind text)
    RETURNS TABLE (position_id int, payee_id int, spans datemultirange)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.position_id, s.payee_id, range_agg(d.days)
    FROM spm.plan_version v
    JOIN spm.plan p USING (plan_id)
    CROSS JOIN LATERAL spm.plan_seat(v.plan_id, v.span) s
    CROSS JOIN LATERAL unnest(s.spans) d(days)
    WHERE v.state <> 'draft' AND p.calendar_id = _taking_seat.calendar_id
      AND EXISTS (SELECT FROM spm.component c WHERE c.plan_version_id = v.plan_version_id AND c.credit_kind IN (_taking_seat.credit_kind, 'all'))
    GROUP BY s.position_id, s.payee_id;
END;
COMMENT ON FUNCTION spm._taking_seat(int, text) IS 'Seats whose plan pays for credits of a kind, and when.';
REVOKE ALL ON FUNCTION spm._taking_seat(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credit_query(period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    calendar int := (SELECT p.calendar_id FROM spm.period p WHERE p.period_id = _credit_query.period_id);
    fields constant text := 'd.shares, d.share_no, %s AS factor, %s AS part_no, %s AS part_count, d.source, d.transaction_key, d.line, d.event_date, d.type,
       d.owner_key, d.account_key, d.product_key, d.quantity, d.amount, d.cost, d.list_amount, d.currency_code, d.attributes, d.reference_key, d.event, d.rule';
BEGIN
    RETURN format($sql$
WITH claimed AS (
    SELECT t.*, coalesce(k.minor_digits, 2) AS digits, %1$s AS credited_amount
    FROM pg_temp.spm_claim t LEFT JOIN spm.currency k USING (currency_code)
    WHERE t.reason IS NULL
), above AS (      -- seats whose plan pays for what comes up the tree
    SELECT * FROM spm._taking_seat(%2$s, 'rollup')
)
SELECT d.position_id, d.payee_id, d.kind, d.position_id AS origin_position_id, 0::smallint AS level, d.share, d.credited_amount, %3$s
FROM claimed d
UNION ALL
SELECT a.position_id, a.payee_id, 'rollup', d.position_id, p.depth, d.share, %4$s, %5$s
FROM claimed d
JOIN spm.position_path p ON p.position_id = d.position_id AND d.event_date <@ p.span
JOIN above a ON a.position_id = p.ancestor_position_id AND d.event_date <@ a.spans%6$s
WHERE d.kind = 'direct'%7$s$sql$, spm._credited_sql('t.amount', 'coalesce(k.minor_digits, 2)'), calendar,
        format(fields, 'd.factor', 'd.part_no', 'd.part_count'),
        CASE WHEN EXISTS (SELECT FROM spm.rollup_factor) THEN 'CASE WHEN f.factor = 1 THEN d.credited_amount ELSE spm.rounded(d.credited_amount * f.factor, d.digits) END'
             ELSE 'd.credited_amount' END,
        format(fields, CASE WHEN EXISTS (SELECT FROM spm.rollup_factor) THEN 'f.factor' ELSE '1::numeric' END, '1', '1'),
        CASE WHEN EXISTS (SELECT FROM spm.rollup_factor) THEN $sql$
JOIN spm.position s ON s.position_id = a.position_id
CROSS JOIN LATERAL (SELECT coalesce((SELECT r.factor FROM spm.rollup_factor r
    WHERE r.level IN (0, p.depth) AND d.event_date <@ r.span
      AND (r.position_id = s.position_id OR r.title_id = s.title_id OR num_nonnulls(r.position_id, r.title_id) = 0)
    ORDER BY r.position_id IS NULL, r.title_id IS NULL, r.level DESC LIMIT 1), 1) AS factor) f$sql$ ELSE '' END,
        CASE WHEN EXISTS (SELECT FROM spm.rollup_factor) THEN ' AND f.factor > 0' ELSE '' END)
    || CASE WHEN EXISTS (SELECT FROM spm.rolldown) THEN format($sql$
UNION ALL          -- to the seats below
SELECT d.to_position_id, d.to_payee_id, 'rolldown', d.position_id, d.depth, d.share,
       spm._credited(d.amount, d.shares, d.share_no, d.factor, d.to_part_no, d.to_part_count, d.digits), %1$s
FROM (SELECT d.*, h.position_id AS to_position_id, a.payee_id AS to_payee_id, h.depth,
             CASE g.parts WHEN 'equal' THEN row_number() OVER w ELSE 1 END::int AS to_part_no,
             CASE g.parts WHEN 'equal' THEN count(*) OVER o ELSE 1 END::int AS to_part_count
      FROM claimed d
      JOIN spm.position s ON s.position_id = d.position_id
      CROSS JOIN LATERAL (SELECT r.* FROM spm.rolldown r WHERE (r.position_id = s.position_id OR r.title_id = s.title_id) AND d.event_date <@ r.span
                          ORDER BY r.position_id IS NULL LIMIT 1) g
      JOIN spm.position_path h ON h.ancestor_position_id = d.position_id AND d.event_date <@ h.span AND (g.depth IS NULL OR h.depth <= g.depth)
      JOIN spm.position b ON b.position_id = h.position_id
      JOIN spm.position_assignment a ON a.position_id = h.position_id AND d.event_date <@ a.span
      WHERE d.kind = 'direct'
      WINDOW o AS (PARTITION BY d.source, d.transaction_key, d.line, d.event, d.event_date, d.position_id, d.owner_key),
             w AS (PARTITION BY d.source, d.transaction_key, d.line, d.event, d.event_date, d.position_id, d.owner_key
                   ORDER BY b.position_key COLLATE "C", a.payee_id)) d
JOIN spm._taking_seat(%2$s, 'rolldown') t ON t.position_id = d.to_position_id AND t.payee_id = d.to_payee_id AND d.event_date <@ t.spans$sql$,
        format(fields, 'd.factor', 'd.to_part_no', 'd.to_part_count'), calendar) ELSE '' END;
END
$$;
COMMENT ON FUNCTION spm._credit_query(int) IS 'SQL that makes the credits of a period out of the claims: the claims themselves, and what goes up and down the tree.';
REVOKE ALL ON FUNCTION spm._credit_query(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credit_period(period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    twice record;
BEGIN
    PERFORM spm._result(spm._claim_query(_credit_period.period_id), 'spm_claim');
    -- the claims on one row total 1, whoever makes them: more is a second row
    EXECUTE 'SELECT source, transaction_key, line, ceil(sum(share)) AS rows FROM pg_temp.spm_claim WHERE kind = ''direct''
             GROUP BY source, transaction_key, line, event, CASE WHEN event <> ''booking'' THEN event_date END HAVING sum(share) > 1
             UNION ALL
             SELECT source, transaction_key, line, count(*) FROM pg_temp.spm_claim WHERE kind = ''direct'' AND shares IS NOT NULL
             GROUP BY source, transaction_key, line, event, CASE WHEN event <> ''booking'' THEN event_date END, owner_key HAVING count(*) > 1
             ORDER BY 1, 2, 3 LIMIT 1' INTO twice;
    IF twice.rows IS NOT NULL THEN
        RAISE EXCEPTION 'transaction %/% occurs % times', twice.source, twice.transaction_key, twice.rows
            USING ERRCODE = 'unique_violation', DETAIL = format('Line "%s".', twice.line),
                  HINT = 'Key and line must identify a row of the source, and an owner a share of it: map another key or line, or a filter, with spm.map_source().';
    END IF;
    EXECUTE 'SELECT source, transaction_key, line, rule, owner_key, count(*) AS rows FROM pg_temp.spm_claim WHERE kind = ''territory''
             GROUP BY source, transaction_key, line, event, event_date, rule, owner_key HAVING count(*) > 1
             ORDER BY 1, 2, 3, 4, 5 LIMIT 1' INTO twice;
    IF twice.rows IS NOT NULL THEN
        RAISE EXCEPTION 'territory "%" has holder % % times for transaction %/%', twice.rule, twice.owner_key, twice.rows, twice.source, twice.transaction_key
            USING ERRCODE = 'unique_violation', DETAIL = format('Line "%s".', twice.line),
                  HINT = 'On one day a holder holds a key once: repair the rows of the relation given to spm.map_territory().';
    END IF;
    DELETE FROM spm.uncredited u WHERE u.period_id = _credit_period.period_id;
    -- nobody owns it, and nobody need to, where it is credited on top
    EXECUTE 'INSERT INTO spm.uncredited (period_id, source, transaction_key, line, owner_key, event_date, amount, currency_code, reason, run_id)
             SELECT $1, c.source, c.transaction_key, c.line, c.owner_key, c.event_date, c.amount, c.currency_code, c.reason, $2
             FROM pg_temp.spm_claim c
             WHERE c.reason IS NOT NULL AND NOT (c.kind = ''direct'' AND c.owner_key = '''' AND EXISTS (
                 SELECT FROM pg_temp.spm_claim o WHERE o.kind <> ''direct'' AND o.reason IS NULL AND (o.source, o.transaction_key, o.line) = (c.source, c.transaction_key, c.line)))
             ORDER BY c.kind <> ''direct'', c.event <> ''booking'', c.event_date, c.rule
             ON CONFLICT DO NOTHING'
        USING _credit_period.period_id, _credit_period.run_id;
    PERFORM spm._result(spm._credit_query(_credit_period.period_id));
    RETURN spm._sync('credit',
        ARRAY['position_id', 'transaction_key', 'line', 'source', 'kind', 'origin_position_id', 'owner_key', 'event', 'rule', 'part_no'],
        ARRAY['payee_id', 'level', 'share', 'shares', 'share_no', 'factor', 'part_count', 'credited_amount', 'event_date', 'type', 'account_key',
              'product_key', 'quantity', 'amount', 'cost', 'list_amount', 'currency_code', 'attributes', 'reference_key'],
        ARRAY['credited_amount'], _credit_period.period_id, _credit_period.posting_id, _credit_period.run_id);
END
$$;
COMMENT ON FUNCTION spm._credit_period(int, int, bigint) IS 'First stage: transactions to credits. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._credit_period(int, int, bigint) FROM PUBLIC;
/*
 * compensation/stages_measure.sql: credit -> measurement -> earning.  A
 * component compiles to one query for each of the two.
 */

-- ------------------------------------------------------ what stands on what

CREATE OR REPLACE FUNCTION spm._component_level(plan_version_id int)
    RETURNS TABLE (component_id int, level int)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    most int := (SELECT count(*) FROM spm.component c WHERE c.plan_version_id = _component_level.plan_version_id);
    circle text;
BEGIN
    RETURN QUERY
    WITH RECURSIVE edge AS (
        SELECT c.component_id AS above, b.component_id AS below
        FROM spm.component c
        CROSS JOIN LATERAL (SELECT i.of_component AS name FROM spm.component_input i WHERE i.component_id = c.component_id
                            UNION SELECT unnest(m.of_components) FROM spm.modifier m WHERE m.component_id = c.component_id) n
        JOIN spm.component b ON b.plan_version_id = c.plan_version_id AND b.name = n.name
        WHERE c.plan_version_id = _component_level.plan_version_id
    ), walk AS (
        SELECT c.component_id, 0 AS level FROM spm.component c WHERE c.plan_version_id = _component_level.plan_version_id
        UNION    -- not ALL: in a circle the levels grow to the limit, and no further
        SELECT e.above, w.level + 1 FROM walk w JOIN edge e ON e.below = w.component_id WHERE w.level <= most
    )
    SELECT w.component_id, max(w.level) FROM walk w GROUP BY w.component_id;
    SELECT string_agg(format('"%s"', c.name), ', ' ORDER BY c.component_no) INTO circle
    FROM spm._component_circle(_component_level.plan_version_id) k JOIN spm.component c USING (component_id);
    IF circle IS NOT NULL THEN
        RAISE EXCEPTION 'components % stand on each other', circle
            USING ERRCODE = 'invalid_recursion',
                  HINT = 'Take the input or modifier out that closes the circle: spm.drop_modifier() or spm.drop_component().';
    END IF;
END
$$;
COMMENT ON FUNCTION spm._component_level(int) IS 'Order in which the components of a version are reckoned: 0 for those that stand on credits alone, then those that stand on results of lower ones. Error 42P19 for a circle.';
REVOKE ALL ON FUNCTION spm._component_level(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._component_circle(plan_version_id int)
    RETURNS TABLE (component_id int)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH RECURSIVE edge AS (
        SELECT c.component_id AS above, b.component_id AS below
        FROM spm.component c
        CROSS JOIN LATERAL (SELECT i.of_component AS name FROM spm.component_input i WHERE i.component_id = c.component_id
                            UNION SELECT unnest(m.of_components) FROM spm.modifier m WHERE m.component_id = c.component_id) n
        JOIN spm.component b ON b.plan_version_id = c.plan_version_id AND b.name = n.name
        WHERE c.plan_version_id = _component_circle.plan_version_id
    ), reach AS (
        SELECT e.above, e.below FROM edge e
        UNION
        SELECT r.above, e.below FROM reach r JOIN edge e ON e.above = r.below
    )
    SELECT DISTINCT r.above FROM reach r WHERE r.above = r.below;
END;
COMMENT ON FUNCTION spm._component_circle(int) IS 'Components of a version that stand on their own results.';
REVOKE ALL ON FUNCTION spm._component_circle(int) FROM PUBLIC;

-- ----------------------------------------------------------- pieces of a query

CREATE OR REPLACE FUNCTION spm._window(period_id int, accumulate text)
    RETURNS daterange
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _window.accumulate LIKE 'rolling %' THEN (
        SELECT daterange(min(lower(n.span)), upper(p.span))
        FROM (SELECT b.span FROM spm.period b
              WHERE b.calendar_id = p.calendar_id AND NOT b.span >> p.span AND spm._is_leaf(b.period_id)
              ORDER BY b.span DESC LIMIT substring(_window.accumulate FROM '\d+')::int) n)
    ELSE (SELECT w.span FROM spm.period w WHERE w.period_id = spm._whole(p.period_id, _window.accumulate)) END
    FROM spm.period p WHERE p.period_id = _window.period_id;
END;
COMMENT ON FUNCTION spm._window(int, text) IS 'Days that a component accumulates over, when it is calculated for a period.';
REVOKE ALL ON FUNCTION spm._window(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._prior(component_id int, period_id int)
    RETURNS daterange
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE c.against
        WHEN 'prior year' THEN daterange((lower(w.span) - interval '1 year')::date, (upper(t.span) - interval '1 year')::date)
        WHEN 'prior period' THEN (    -- as much of the span before as is over of this one
            SELECT daterange(lower(b.span), CASE WHEN upper(w.span) = upper(t.span) THEN upper(b.span)
                                                 ELSE least(upper(b.span), lower(b.span) + (upper(t.span) - lower(w.span))) END)
            FROM spm.period b JOIN spm.period o ON o.period_id = spm._whole(t.period_id, c.accumulate)
            WHERE b.calendar_id = t.calendar_id AND upper(b.span) = lower(w.span) AND b.grain = o.grain) END
    FROM spm.component c, spm.period t CROSS JOIN LATERAL (SELECT spm._window(t.period_id, c.accumulate) AS span) w
    WHERE c.component_id = _prior.component_id AND t.period_id = _prior.period_id;
END;
COMMENT ON FUNCTION spm._prior(int, int) IS 'Days that the growth of a component is reckoned against. NULL: none.';
REVOKE ALL ON FUNCTION spm._prior(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._reach(component_id int, period_id int)
    RETURNS datemultirange
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT datemultirange(spm._window(_reach.period_id, c.accumulate) * v.span)
           + datemultirange(coalesce(spm._prior(c.component_id, _reach.period_id), 'empty'))
    FROM spm.component c JOIN spm.plan_version v USING (plan_version_id)
    WHERE c.component_id = _reach.component_id;
END;
COMMENT ON FUNCTION spm._reach(int, int) IS 'Days whose credits a component reckons with in a period.';
REVOKE ALL ON FUNCTION spm._reach(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._quota_join(component_id int, period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    c record;
    today spm.period;
    days daterange;
    before daterange;
    whole int;
    parts int[];
BEGIN
    SELECT k.*, v.plan_id, p.name AS plan_name, m.name AS measure_name, u.minor_digits INTO c
    FROM spm.component k JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
    JOIN spm.currency u USING (currency_code)
    LEFT JOIN spm.measure m USING (measure_id)
    WHERE k.component_id = _quota_join.component_id;
    SELECT p.* INTO today FROM spm.period p WHERE p.period_id = _quota_join.period_id;
    days := spm._window(_quota_join.period_id, c.accumulate);
    IF c.basis <> 'credit' AND c.measure_id IS NULL THEN
        RETURN format(E'\n    CROSS JOIN (SELECT %s::numeric AS quota_amount, NULL::text AS because, NULL::numeric AS base_amount) q',
                      CASE c.tier_basis WHEN 'quota' THEN '1' ELSE 'NULL' END);
    ELSIF c.against <> 'quota' THEN
        -- growth: what the seat brought before stands for the quota
        before := spm._prior(c.component_id, _quota_join.period_id);
        RETURN format($sql$
    LEFT JOIN (SELECT d.position_id, sum(d.base_amount) AS amount FROM (%1$s) d GROUP BY d.position_id) g ON g.position_id = s.position_id
    CROSS JOIN LATERAL (SELECT greatest(coalesce(g.amount, 0), 0) AS quota_amount, %2$L::text AS because, NULL::numeric AS base_amount) q$sql$,
            spm._deal_query(c.component_id, coalesce(before, 'empty'), false),
            format('against what the seat brought in %s', coalesce(before::text, 'no period before')));
    ELSIF c.measure_id IS NULL THEN
        RETURN E'\n    CROSS JOIN (SELECT NULL::numeric AS quota_amount, NULL::text AS because, NULL::numeric AS base_amount) q';
    END IF;
    whole := spm._whole(today.period_id, c.accumulate);
    parts := CASE WHEN whole IS NOT NULL THEN spm._quota_parts(today.calendar_id, days, whole, c.measure_id)
        ELSE array(SELECT p.period_id FROM spm.period p WHERE p.calendar_id = today.calendar_id AND p.span <@ days AND spm._is_leaf(p.period_id) ORDER BY p.span) END;
    RETURN CASE WHEN c.prorate = 'none' AND spm._is_plain_quota(c.measure_id)
        -- and no quarters besides months
        AND NOT EXISTS (SELECT FROM unnest(parts) n WHERE NOT spm._is_leaf(n)) THEN format($sql$
    LEFT JOIN (SELECT q.position_id, coalesce(sum(q.amount) FILTER (WHERE q.period_id = %1$s), sum(q.amount)) AS quota_amount, NULL::text AS because,
                      NULL::numeric AS base_amount
               FROM spm.quota q WHERE q.measure_id = %2$s AND q.period_id = ANY (%3$L::int[]) AND q.superseded_at IS NULL
               GROUP BY q.position_id) w ON w.position_id = s.position_id$sql$, coalesce(whole, 0), c.measure_id, array_append(parts, whole))
        WHEN whole IS NULL THEN format($sql$
    LEFT JOIN LATERAL (SELECT CASE WHEN bool_or(p.quota_amount > 0 AND p.quota_amount <> p.base_amount)    -- rounded once, as a whole
                                   THEN round(sum(p.quota_amount), %4$s) ELSE sum(p.quota_amount) END AS quota_amount,
                              string_agg(p.because, ' + ') AS because, sum(p.base_amount) AS base_amount
                       FROM unnest(%1$L::int[]) part CROSS JOIN LATERAL spm.seat_quota(s.position_id, s.payee_id, s.spans, %2$s, part, NULL, %3$L, 15) p) w ON true$sql$,
            parts, c.measure_id, c.prorate, c.minor_digits)
        ELSE format($sql$
    LEFT JOIN LATERAL spm.seat_quota(s.position_id, s.payee_id, s.spans, %1$s, %2$s, %3$L::int[], %4$L, %5$s) w ON true$sql$,
            c.measure_id, whole, parts, c.prorate, c.minor_digits) END
    || format($sql$
    CROSS JOIN LATERAL (SELECT coalesce(w.quota_amount%1$s) AS quota_amount, w.because, w.base_amount) q$sql$,
        CASE WHEN c.tier_basis = 'quota' OR c.pay = 'target' THEN format($q$, spm._refuse(
            format('position "%%s" has no quota of %%s for %%s', (SELECT position_key FROM spm.position WHERE position_id = s.position_id), %1$L, %2$L),
            %3$L, format('SELECT spm.set_quota(%%L, %%L, amount, %%L);', (SELECT position_key FROM spm.position WHERE position_id = s.position_id), %2$L, %1$L))$q$,
            c.measure_name, coalesce((SELECT p.name FROM spm.period p WHERE p.period_id = whole), today.name),
            format('Component "%s" of plan "%s" needs it.', c.name, c.plan_name)) ELSE '' END);
END
$$;
COMMENT ON FUNCTION spm._quota_join(int, int) IS 'SQL that joins the quota of a component to its seats: q.quota_amount, q.because in words, and q.base_amount, what it was before days, ramp and relief.';
REVOKE ALL ON FUNCTION spm._quota_join(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._variable_sql(variable_id int, component_id int, period_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
    SELECT format($q$coalesce(spm.variable_value(%s, s.payee_id, s.position_id, %L), spm._refuse(
            format('payee "%%s" has no value of variable %%s for %%s', (SELECT payee_key FROM spm.payee WHERE payee_id = s.payee_id), %L, %L),
            %L, format('SELECT spm.set_variable(%%L, value, payee => %%L);', %L, (SELECT payee_key FROM spm.payee WHERE payee_id = s.payee_id))))$q$,
        x.variable_id, t.span, x.name, t.name, format('Component "%s" of plan "%s" needs it.', c.name, p.name), x.name)
    FROM spm.variable x, spm.component c JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id), spm.period t
    WHERE x.variable_id = _variable_sql.variable_id AND c.component_id = _variable_sql.component_id AND t.period_id = _variable_sql.period_id
$$;
COMMENT ON FUNCTION spm._variable_sql(int, int, int) IS 'SQL of a variable''s value for seat s, or error 22000.';
REVOKE ALL ON FUNCTION spm._variable_sql(int, int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._deal_query(component_id int, span daterange, is_seated boolean)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    c record;
    digits int;
BEGIN
    SELECT k.*, v.plan_id, v.span AS version_span, p.calendar_id, p.currency_code, p.rate_type, u.minor_digits, x.name AS lookup_name INTO c
    FROM spm.component k
    JOIN spm.plan_version v USING (plan_version_id)
    JOIN spm.plan p USING (plan_id)
    JOIN spm.currency u USING (currency_code)
    LEFT JOIN spm.lookup x USING (lookup_id)
    WHERE k.component_id = _deal_query.component_id;
    digits := CASE c.unit WHEN 'count' THEN greatest(c.minor_digits, 2) ELSE c.minor_digits END;
    RETURN format($sql$SELECT t.credit_id, t.position_id, t.payee_id, t.event_date, t.transaction_key, t.line, t.source, t.level, t.origin_position_id,
           t.kind, t.rule, t.owner_key, t.part_no, r.exchange_rate, %1$s AS group_key, %2$s AS base_amount
    FROM spm.standing_credit t
$sql$, coalesce('coalesce((' || c.group_expression || '), '''')', 'NULL::text'),
        CASE WHEN c.credit_cap IS NULL THEN 'w.value' ELSE format('greatest(least(w.value, %1$s), -%1$s)', c.credit_cap) END)
    || CASE WHEN is_seated THEN format($sql$    JOIN spm.plan_seat(%s, %L) s ON s.position_id = t.position_id AND s.payee_id = t.payee_id AND t.event_date <@ s.spans
$sql$, c.plan_id, c.version_span) ELSE '' END
    || CASE c.unit WHEN 'count' THEN $sql$    CROSS JOIN LATERAL (SELECT 1::numeric AS exchange_rate) r
$sql$ ELSE format($sql$    LEFT JOIN spm.exchange_rate x ON x.rate_type = %1$L AND x.from_currency_code = t.currency_code
        AND x.to_currency_code = %2$L AND x.span && %3$L::daterange AND t.event_date <@ x.span
    CROSS JOIN LATERAL (SELECT CASE
        WHEN t.currency_code = %2$L THEN 1
        WHEN x.rate IS NULL THEN spm._refuse(
            format('no %%s rate from %%s to %%s on %%s', %1$L, t.currency_code, %2$L, t.event_date),
            format('Transaction %%s/%%s needs it.', t.source, t.transaction_key),
            format('SELECT spm.set_exchange_rate(%%L, %%L, %%L, rate, %%L);', t.currency_code, %2$L, t.event_date, %1$L))
        ELSE x.rate END AS exchange_rate) r
$sql$, c.rate_type, c.currency_code, _deal_query.span) END
    || format($sql$    CROSS JOIN LATERAL (SELECT coalesce((%1$s)::numeric, spm._refuse(
            format('measure of component "%%s" is NULL for transaction %%s/%%s', %2$L, t.source, t.transaction_key),
            %3$L, 'Use coalesce() in the measure, or leave the transaction out with a condition.'))%4$s AS value) m
    CROSS JOIN LATERAL (SELECT %5$s AS value) v
    CROSS JOIN LATERAL (SELECT %6$s AS value) w
    WHERE %7$s AND t.period_id = ANY (%8$L::int[])
      AND t.event_date >= %9$L AND t.event_date < %10$L%11$s$sql$,
        c.measure_expression, c.name, 'It is ' || c.measure_expression || '.',
        CASE WHEN c.lookup_id IS NOT NULL THEN format($q$ * coalesce(spm.lookup_value(%1$s, ARRAY[%2$s], t.event_date), spm._refuse(
            format('lookup table "%%s" has no row for %%s', %3$L, array_to_string(ARRAY[%2$s], ', ', 'NULL')),
            format('Component "%%s" looks there for transaction %%s/%%s.', %4$L, t.source, t.transaction_key),
            format('SELECT spm.set_lookup(%%L, %%L, value);', %3$L, ARRAY[%2$s])))$q$,
            c.lookup_id, (SELECT string_agg(format('(%s)::text', e), ', ' ORDER BY o) FROM unnest(c.lookup_expressions) WITH ORDINALITY u(e, o)), c.lookup_name, c.name) END,
        CASE c.unit WHEN 'count' THEN 'm.value'
             ELSE format('CASE WHEN t.currency_code = %L%s THEN m.value ELSE spm.rounded(m.value * r.exchange_rate, %s) END', c.currency_code,
                         CASE WHEN c.lookup_id IS NOT NULL AND c.accumulate <> 'deal' THEN ' AND scale(m.value) <= ' || c.minor_digits END, c.minor_digits) END,
        spm._credited_sql('v.value', digits::text),
        spm._credit_condition(c.component_id),
        coalesce((SELECT array_agg(p.period_id ORDER BY p.period_id) FROM spm.period p
                  WHERE p.calendar_id = c.calendar_id AND p.span && _deal_query.span AND spm._is_leaf(p.period_id)), '{}'),
        coalesce(lower(_deal_query.span), 'infinity'), coalesce(upper(_deal_query.span), 'infinity'),
        E'\n      AND (' || c.eligibility_expression || ')');
END
$$;
COMMENT ON FUNCTION spm._deal_query(int, daterange, boolean) IS 'SQL of what counts of every credit in some days: base_amount, in the currency of the plan. is_seated: only while the payee is on the plan.';
REVOKE ALL ON FUNCTION spm._deal_query(int, daterange, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._figure_join(alias text, version int, of_component text, scope text)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($sql$
    LEFT JOIN (SELECT %2$s, sum(f.opening_amount + f.amount) AS amount, sum(f.earned_amount) AS earned,
                      sum(f.quota_amount) AS quota, sum(f.credit_count) AS credits
               FROM pg_temp.spm_result f WHERE f.component_id = %3$s GROUP BY %4$s) %1$s ON %5$s$sql$,
        _figure_join.alias,
        CASE _figure_join.scope WHEN 'own' THEN 'f.position_id, f.payee_id' WHEN 'payee' THEN 'f.payee_id' WHEN 'team' THEN 'f.team' ELSE '1 AS one' END,
        coalesce((SELECT c.component_id FROM spm.component c
                  WHERE c.plan_version_id = _figure_join.version AND c.name = _figure_join.of_component), 0),
        CASE _figure_join.scope WHEN 'own' THEN 'f.position_id, f.payee_id' WHEN 'payee' THEN 'f.payee_id' WHEN 'team' THEN 'f.team' ELSE '()' END,
        CASE _figure_join.scope WHEN 'own' THEN format('%1$s.position_id = s.position_id AND %1$s.payee_id = s.payee_id', _figure_join.alias)
            WHEN 'payee' THEN format('%s.payee_id = s.payee_id', _figure_join.alias)
            WHEN 'team' THEN format('%s.team = s.team', _figure_join.alias) ELSE 'true' END)
$$;
COMMENT ON FUNCTION spm._figure_join(text, int, text, text) IS 'SQL that joins the figures of another component to seat s.';
REVOKE ALL ON FUNCTION spm._figure_join(text, int, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._modifier_sql(component_id int, period_id int, OUT joins text, OUT factor text, OUT cap text, OUT floor text, OUT because text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    c spm.component;
    m record;
    k text;
    x text[];
    ratio text[];     -- in numbers, above a quota of 0 infinite: gates, lookup tables and words bear that
    exact text;       -- the first of them, refused where it is not defined
    quota text;
    value text;
    last_day date := (SELECT upper(p.span) - 1 FROM spm.period p WHERE p.period_id = _modifier_sql.period_id);
BEGIN
    SELECT p.* INTO c FROM spm.component p WHERE p.component_id = _modifier_sql.component_id;
    joins := '';
    factor := '1::numeric';
    cap := 'NULL::numeric';
    floor := 'NULL::numeric';
    because := '';
    FOR m IN SELECT d.*, y.name AS variable_name, l.name AS lookup_name
             FROM spm.modifier d LEFT JOIN spm.variable y USING (variable_id) LEFT JOIN spm.lookup l USING (lookup_id)
             WHERE d.component_id = c.component_id ORDER BY d.modifier_no LOOP
        k := m.modifier_no::text;
        x := '{}';
        ratio := '{}';
        FOR i IN 1 .. cardinality(m.figures) LOOP
            IF m.of_components[i] = '' AND m.scope = 'own' THEN    -- the component itself
                joins := joins || format($sql$
    CROSS JOIN LATERAL (SELECT s.opening_amount + s.amount AS amount, s.quota_amount AS quota, s.credit_count::numeric AS credits, NULL::numeric AS earned) x%s_%s$sql$, k, i);
            ELSE
                joins := joins || spm._figure_join(format('x%s_%s', k, i), c.plan_version_id, m.of_components[i], m.scope);
            END IF;
            x := x || format('coalesce(x%s_%s.%s, 0)', k, i, CASE m.figures[i] WHEN 'attainment' THEN 'amount' ELSE m.figures[i] END);
            quota := CASE m.figures[i] WHEN 'attainment' THEN format($q$coalesce(x%s_%s.quota, spm._refuse(
            format('position "%%s" has no quota for the attainment of "%%s"', (SELECT position_key FROM spm.position WHERE position_id = s.position_id), %L),
            %L, 'SELECT spm.set_quota(position, period, amount, measure);'))$q$, k, i, coalesce(nullif(m.of_components[i], ''), c.name),
                format('Modifier %s of component "%s" needs it.', k, c.name)) ELSE '1' END;
            ratio := ratio || CASE m.figures[i] WHEN 'attainment' THEN format('coalesce(spm.attainment(%s, %s, 20), ''Infinity'')', x[i], quota) ELSE x[i] END;
        END LOOP;
        -- of whom nothing is expected for a time earns nothing by it
        exact := CASE WHEN m.figures[1] = 'attainment' THEN format($q$coalesce(spm.attainment(%s, %s, 20), CASE WHEN s.factor = 0 THEN 0 ELSE spm._refuse(
            format('%s "%%s" has a quota of 0, and its attainment is not defined', (SELECT position_key FROM spm.position WHERE position_id = s.position_id)),
            %L, 'SELECT spm.set_quota(position, period, amount, measure); or use rates in percent.') END)$q$, x[1], quota,
            CASE m.scope WHEN 'team' THEN 'the team of position' WHEN 'plan' THEN 'the whole plan of position' ELSE 'position' END,
            format('Modifier %s of component "%s" goes by the attainment of "%s".', k, c.name, coalesce(nullif(m.of_components[1], ''), c.name))) ELSE ratio[1] END;
        value := CASE
            WHEN m.rates IS NOT NULL THEN format('spm.rate_at(%s, %s, 20)', CASE
                WHEN spm._is_of_quota(m.rates::spm.rate_schedule) THEN format('spm.for_quota(%L, %s)', m.rates, quota)
                ELSE format('%L::spm.rate_schedule', m.rates) END,
                CASE WHEN m.figures[1] = 'attainment' AND NOT spm._is_of_quota(m.rates::spm.rate_schedule) THEN exact ELSE x[1] END)
            WHEN m.lookup_id IS NOT NULL THEN format($q$coalesce(spm.lookup_value(%1$s, ARRAY[%2$s], %3$L), spm._refuse(
            format('lookup table "%%s" has no row for %%s', %4$L, array_to_string(ARRAY[%2$s], ', ')), %5$L, format('SELECT spm.set_lookup(%%L, %%L, value);', %4$L, ARRAY[%2$s])))$q$,
                m.lookup_id, (SELECT string_agg(format('trim_scale(round(%s, 10))::text', e), ', ' ORDER BY o) FROM unnest(ratio) WITH ORDINALITY u(e, o)), last_day,
                m.lookup_name, format('Modifier %s of component "%s" looks there.', k, c.name))
            WHEN m.kind = 'gate' THEN '1'
            WHEN cardinality(ratio) = 1 THEN exact
            ELSE '1::numeric' END
            || CASE WHEN m.variable_id IS NOT NULL THEN ' * ' || spm._variable_sql(m.variable_id, c.component_id, _modifier_sql.period_id) ELSE '' END
            || CASE WHEN m.kind <> 'gate' AND m.value IS NOT NULL THEN format(' * (%s)', m.value) ELSE '' END;
        joins := joins || CASE m.kind
            WHEN 'gate' THEN format(E'\n    CROSS JOIN LATERAL (SELECT CASE WHEN %s %s (%s) * %s THEN 1::numeric ELSE 0 END AS value, %s AS shown) m%s',
                x[1], CASE WHEN m.is_strict THEN '>' ELSE '>=' END, m.value,
                CASE WHEN m.figures[1] = 'attainment' THEN quota ELSE value END, ratio[1], k)
            ELSE format(E'\n    CROSS JOIN LATERAL (SELECT (%s)::numeric AS value, %s AS shown) m%s', value, coalesce(ratio[1], 'NULL::numeric'), k) END;
        CASE m.kind
            WHEN 'gate', 'multiply' THEN factor := format('%s * m%s.value', factor, k);
                -- a limit set before is a limit on what was there before
                cap := CASE cap WHEN 'NULL::numeric' THEN cap ELSE format('(%s) * m%s.value', cap, k) END;
                floor := CASE floor WHEN 'NULL::numeric' THEN floor ELSE format('(%s) * m%s.value', floor, k) END;
            WHEN 'add' THEN factor := format('(%s + m%s.value)', factor, k);
            WHEN 'at most' THEN factor := format('least(%s, m%s.value)', factor, k);
            WHEN 'at least' THEN factor := format('greatest(%s, m%s.value)', factor, k);
            WHEN 'cap' THEN cap := format('least(%s, m%s.value)', cap, k);
            WHEN 'floor' THEN floor := format('greatest(%s, m%s.value)', floor, k);
        END CASE;
        because := because || format(', spm._modifier_words(%L, %L, %L, m%s.shown, m%s.value, %L)', m.kind,
            CASE WHEN cardinality(m.figures) > 0 THEN concat_ws(' ', CASE m.scope WHEN 'team' THEN 'team' WHEN 'plan' THEN 'everybody''s' END,
                m.figures[1], CASE WHEN m.of_components[1] <> '' THEN 'of ' || m.of_components[1] END) END,
            coalesce(m.variable_name, ''), k, k, CASE m.kind WHEN 'gate' THEN m.value END);
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._modifier_sql(int, int) IS 'SQL of a component''s modifiers for seat s: joins, and the expressions of the factor, the limits, and the words for them.';
REVOKE ALL ON FUNCTION spm._modifier_sql(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._modifier_words(kind text, figure text, variable text, shown numeric, value numeric, threshold numeric)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE _modifier_words.kind
        WHEN 'gate' THEN format('%s is %s, needs %s: %s', f.label, f.shown,
            CASE WHEN f.is_ratio THEN spm._percent(_modifier_words.threshold) ELSE trim_scale(_modifier_words.threshold)::text END,
            CASE _modifier_words.value WHEN 0 THEN 'pays nothing' ELSE 'reached' END)
        ELSE concat(CASE _modifier_words.kind WHEN 'multiply' THEN 'times ' WHEN 'add' THEN 'factor plus ' WHEN 'at most' THEN 'factor at most '
                         WHEN 'at least' THEN 'factor at least ' WHEN 'cap' THEN 'at most ' ELSE 'at least ' END,
                    trim_scale(round(_modifier_words.value, 6)),
                    ' for ' || f.label || ' ' || f.shown, ' by ' || nullif(_modifier_words.variable, '')) END
    FROM (SELECT _modifier_words.figure AS label, _modifier_words.figure ~ 'attainment' AS is_ratio,
                 CASE WHEN _modifier_words.shown = 'Infinity' THEN 'above a quota of 0'
                      WHEN _modifier_words.figure ~ 'attainment' THEN spm._percent(round(_modifier_words.shown, 4))
                      ELSE trim_scale(_modifier_words.shown)::text END AS shown) f
$$;
COMMENT ON FUNCTION spm._modifier_words(text, text, text, numeric, numeric, numeric) IS 'A modifier and what it came to, in words.';
REVOKE ALL ON FUNCTION spm._modifier_words(text, text, text, numeric, numeric, numeric) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._basis_sql(component_id int, period_id int, OUT joins text, OUT amount text, OUT weight text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c spm.component;
    this spm.period;
    i record;
    figure text;
BEGIN
    SELECT k.* INTO c FROM spm.component k WHERE k.component_id = _basis_sql.component_id;
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = _basis_sql.period_id;
    joins := '';
    amount := '1::numeric';
    weight := '1::numeric';
    IF c.basis = 'objective' THEN
        joins := format($sql$
    LEFT JOIN (SELECT o.payee_id, sum(o.weight * coalesce(o.rating, 0)) AS score, sum(o.weight) AS weight
               FROM spm.objective o WHERE o.period_id = %s AND o.superseded_at IS NULL GROUP BY o.payee_id) o ON o.payee_id = s.payee_id$sql$, this.period_id);
        amount := format($q$CASE WHEN o.weight = 1 THEN o.score ELSE spm._refuse(
            format('objectives of payee "%%s" for %%s %%s', (SELECT payee_key FROM spm.payee WHERE payee_id = s.payee_id), %1$L,
                   CASE WHEN o.weight IS NULL THEN 'are missing' ELSE 'have weights that total ' || o.weight || ', not 1' END),
            %2$L, format('SELECT spm.set_objective(%%L, %%L, objective, weight, rating);', (SELECT payee_key FROM spm.payee WHERE payee_id = s.payee_id), %1$L)) END$q$,
            this.name, format('Component "%s" pays by them.', c.name));
    END IF;
    FOR i IN SELECT n.* FROM spm.component_input n WHERE n.component_id = c.component_id ORDER BY n.input_no LOOP
        joins := joins || spm._figure_join('i' || i.input_no, c.plan_version_id, i.of_component,
            CASE WHEN c.basis = 'rank' OR c.basis = 'pool' AND i.input_no > 1 THEN 'payee' ELSE i.scope END);
        figure := format('%s * %s', i.weight, CASE i.figure
            WHEN 'attainment' THEN format($q$coalesce(spm.attainment(i%1$s.amount, i%1$s.quota, 20), spm._refuse(
            format('attainment of "%%s" is not defined for position "%%s"', %2$L, (SELECT position_key FROM spm.position WHERE position_id = s.position_id)),
            %3$L, 'SELECT spm.set_quota(position, period, amount, measure);'))$q$, i.input_no, i.of_component, format('Component "%s" reckons with it: its quota is missing or 0.', c.name))
            ELSE format('coalesce(i%s.%s, 0)', i.input_no, i.figure) END);
        IF c.basis = 'pool' AND i.input_no > 1 THEN
            weight := CASE weight WHEN '1::numeric' THEN figure ELSE weight || ' + ' || figure END;
        ELSE
            amount := CASE amount WHEN '1::numeric' THEN figure ELSE amount || ' + ' || figure END;
        END IF;
    END LOOP;
    IF c.basis = 'pool' AND weight = '1::numeric' AND c.variable_id IS NOT NULL THEN
        weight := spm._variable_sql(c.variable_id, c.component_id, this.period_id);
    END IF;
END
$$;
COMMENT ON FUNCTION spm._basis_sql(int, int) IS 'SQL of what a component measures that does not stand on credits, for seat s: joins, the figure, and the weight in a pool.';
REVOKE ALL ON FUNCTION spm._basis_sql(int, int) FROM PUBLIC;

-- -------------------------------------------- one component, as a single query

CREATE OR REPLACE FUNCTION spm._measurement_query(component_id int, period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    c record;
    m record;
    b record;
    today spm.period;
    days daterange;
    rounding text;
    schedule text;
    divisor text;
    comrades text;    -- with whom a seat is ranked or shares a pot
BEGIN
    SELECT k.*, v.plan_id, v.span AS version_span, p.name AS plan_name,
           coalesce(x.is_prorated, false) AND k.prorate <> 'none' AS is_part,
           (SELECT i.scope FROM spm.component_input i WHERE i.component_id = k.component_id ORDER BY i.input_no LIMIT 1) AS scope INTO c
    FROM spm.component k
    JOIN spm.plan_version v USING (plan_version_id)
    JOIN spm.plan p USING (plan_id)
    LEFT JOIN spm.variable x USING (variable_id)
    WHERE k.component_id = _measurement_query.component_id;
    SELECT p.* INTO today FROM spm.period p WHERE p.period_id = _measurement_query.period_id;
    days := spm._window(today.period_id, c.accumulate);
    rounding := format('%s, %L', c.places, c.rounding);
    SELECT * INTO m FROM spm._modifier_sql(c.component_id, today.period_id);
    SELECT * INTO b FROM spm._basis_sql(c.component_id, today.period_id);
    comrades := CASE WHEN c.scope = 'team' THEN 's.team' ELSE '1' END;

    schedule := CASE WHEN c.tier_basis = 'quota' THEN 'spm.for_quota(r.schedule, s.quota_amount)'
                     WHEN c.prorate <> 'none' AND c.basis = 'credit' AND c.pay = 'amount'
                     THEN format('spm.scaled(r.schedule, s.active_days, s.period_days, %s)', c.places)
                     ELSE 'r.schedule' END;
    schedule := format('spm.with_factor(%s, s.factor%s * %s)', schedule, CASE WHEN c.is_part THEN ' * s.active_days' END, m.factor);
    divisor := concat_ws(' * ', CASE WHEN c.is_part THEN 's.period_days' END, CASE WHEN c.pay = 'target' THEN
        format($q$CASE WHEN s.quota_amount = 0 AND s.factor = 0 THEN 1 WHEN s.quota_amount = 0 THEN spm._refuse(
            format('position "%%s" has a quota of 0, and its target is paid by attainment', (SELECT position_key FROM spm.position WHERE position_id = s.position_id)),
            %L, 'SELECT spm.set_quota(position, period, amount, measure);') ELSE s.quota_amount END$q$, format('Component "%s" of plan "%s".', c.name, c.plan_name)) END);
    IF divisor <> '' THEN
        schedule := format('spm.per(%s, %s)', schedule, divisor);
    END IF;
    IF m.cap <> 'NULL::numeric' OR m.floor <> 'NULL::numeric' THEN
        -- what was worked out may be below 0, or a floor above a cap
        schedule := format('spm.with_limits(%s, %s, %s)', schedule,
            CASE m.cap WHEN 'NULL::numeric' THEN m.cap ELSE format('greatest(%s, 0)', m.cap) END, CASE WHEN 'NULL::numeric' IN (m.cap, m.floor) THEN m.floor ELSE format('least(%s, greatest(%s, 0))', m.floor, m.cap) END);
    END IF;

    RETURN CASE c.basis WHEN 'credit' THEN format(E'WITH deal AS (\n    %s\n), total AS (\n',
               spm._deal_query(c.component_id, daterange(lower(days), upper(today.span)), true))
        || format($sql$    SELECT d.position_id, d.payee_id,
           count(*) FILTER (WHERE d.event_date >= %1$L) AS credit_count,
           coalesce(sum(d.base_amount) FILTER (WHERE d.event_date < %1$L), 0) AS opening_amount,
           coalesce(sum(d.base_amount) FILTER (WHERE d.event_date >= %1$L), 0) AS amount
    FROM deal d GROUP BY d.position_id, d.payee_id
), $sql$, lower(today.span)) ELSE 'WITH ' END
    || format($sql$rates AS MATERIALIZED (
    SELECT spm.component_rates(%1$s) AS schedule
), seat AS MATERIALIZED (    -- everybody on the plan, and what is expected of them
    SELECT s.position_id, s.payee_id, q.quota_amount, q.because, y.active_days, y.period_days, f.factor,
           coalesce((SELECT h.ancestor_position_id FROM spm.position_path h
                     WHERE h.position_id = s.position_id AND h.depth = 1 AND h.span @> %2$L::date), -s.position_id) AS team
    FROM %9$s s%5$s
    CROSS JOIN LATERAL %6$s y
    CROSS JOIN LATERAL (SELECT %7$s AS factor) f
    WHERE s.spans && %8$L::daterange
), measured AS MATERIALIZED (
$sql$, c.component_id, upper(today.span) - 1, c.plan_id, c.version_span, spm._quota_join(c.component_id, today.period_id),
        CASE c.prorate WHEN 'none' THEN '(SELECT 1::numeric AS active_days, 1::numeric AS period_days)'
             ELSE format('spm.seat_share(s.position_id, s.payee_id, s.spans, %s, %L)', coalesce(spm._whole(today.period_id, c.accumulate), today.period_id), c.prorate) END,
        -- of whom nothing is expected for a time (away, new) earns no part of a target
        CASE WHEN c.pay = 'target' THEN 'CASE WHEN q.quota_amount = 0 AND q.base_amount > 0 THEN 0 ELSE ' ELSE '' END
        || CASE WHEN c.variable_id IS NULL OR c.basis = 'pool' THEN '1::numeric' ELSE spm._variable_sql(c.variable_id, c.component_id, today.period_id) END
        || CASE WHEN c.pay = 'target' THEN ' END' ELSE '' END,
        today.span,
        -- a salary, a prize or a part of a pot is paid once, also to somebody who has changed seats: in the last one
        CASE WHEN c.basis IN ('rank', 'pool') OR c.basis IN ('fixed', 'objective') AND c.prorate = 'none' THEN format(
            '(SELECT DISTINCT ON (p.payee_id) p.* FROM spm.plan_seat(%1$s, %2$L) p WHERE p.spans && %3$L::daterange
          ORDER BY p.payee_id, upper(p.spans * datemultirange(%3$L::daterange)) DESC, p.position_id)', c.plan_id, c.version_span, today.span)
        -- by days it is paid in each, and a day that two seats share in the first
            WHEN c.basis IN ('fixed', 'objective') THEN format('(WITH held AS (SELECT p.*, count(*) OVER (PARTITION BY p.payee_id) AS seats FROM spm.plan_seat(%1$s, %2$L) p)
          SELECT h.position_id, h.payee_id, CASE WHEN h.seats = 1 THEN h.spans ELSE h.spans - coalesce((
              SELECT range_agg(r) FROM held o, unnest(o.spans) r WHERE o.payee_id = h.payee_id AND o.position_id < h.position_id), ''{}'') END AS spans
          FROM held h)', c.plan_id, c.version_span)
            ELSE format('spm.plan_seat(%s, %L)', c.plan_id, c.version_span) END)
    || CASE c.basis
        WHEN 'credit' THEN format($sql$    SELECT s.*, coalesce(t.credit_count, 0) AS credit_count, coalesce(t.opening_amount, 0) AS opening_amount,
           coalesce(t.amount, 0) AS amount, 1::numeric AS weight, %s AS earned_before
    FROM seat s LEFT JOIN total t USING (position_id, payee_id)%s$sql$,
            CASE WHEN c.is_true_up THEN 'coalesce(z.earned_amount, 0)' ELSE '0::numeric' END,
            CASE WHEN c.is_true_up THEN format($sql$
    LEFT JOIN (SELECT e.position_id, e.payee_id, sum(e.earned_amount) AS earned_amount FROM spm.standing_measurement e
               WHERE e.component_id = %s AND e.period_id = ANY (%L::int[]) GROUP BY e.position_id, e.payee_id) z USING (position_id, payee_id)$sql$,
                c.component_id, array(SELECT p.period_id FROM spm.period p WHERE p.calendar_id = today.calendar_id
                                      AND p.span <@ daterange(lower(days), lower(today.span)) AND spm._is_leaf(p.period_id) ORDER BY 1)) END)
        WHEN 'rank' THEN format($sql$    SELECT s.*, 0::bigint AS credit_count, 0::numeric AS opening_amount, %3$s AS amount, s.equals::numeric AS weight, 0::numeric AS earned_before
    FROM (SELECT s.*, rank() OVER (PARTITION BY %4$s ORDER BY s.score DESC) AS place,
                 dense_rank() OVER (PARTITION BY %4$s ORDER BY s.score DESC) AS dense_place,
                 count(*) OVER (PARTITION BY %4$s, s.score) AS equals,
                 row_number() OVER (PARTITION BY %4$s, s.score ORDER BY s.position_id, s.payee_id) AS nth
          FROM (SELECT s.*, %1$s AS score FROM seat s%2$s) s) s$sql$, b.amount, b.joins,
            CASE c.ties WHEN 'dense' THEN 's.dense_place::numeric' WHEN 'average' THEN 's.place + (s.equals - 1) / 2.0' ELSE 's.place::numeric' END, comrades)
        ELSE format($sql$    SELECT s.*, 0::bigint AS credit_count, 0::numeric AS opening_amount, (%s)::numeric AS amount, (%s)::numeric AS weight, 0::numeric AS earned_before
    FROM seat s%s$sql$, b.amount, b.weight, b.joins) END
    || format($sql$
), rated AS MATERIALIZED (    -- their own rates: quota, factor, gates, multipliers and limits worked in
    SELECT s.*, s.factor * %1$s AS all_factor, %2$s AS schedule,
           array_remove(ARRAY[CASE WHEN s.because ~ '[a-z]' THEN s.because END%3$s]::text[], NULL) AS words
    FROM rates r CROSS JOIN measured s%4$s
)$sql$, m.factor, schedule, m.because || CASE c.basis WHEN 'pool' THEN $q$,
           CASE WHEN s.weight < 0 THEN format('a share of %s counts as 0', trim_scale(s.weight)) END$q$ ELSE '' END, m.joins)
    || CASE WHEN c.accumulate IN ('deal', 'group') THEN format($sql$, singly AS (    -- every deal, or group of deals, from zero
    SELECT g.position_id, g.payee_id, sum(spm.commission(s.schedule, 0, g.amount, %1$s)) AS amount
    FROM (SELECT d.position_id, d.payee_id, sum(d.base_amount) AS amount FROM deal d WHERE d.event_date >= %2$L GROUP BY d.position_id, d.payee_id, %3$s) g
    JOIN rated s USING (position_id, payee_id)
    GROUP BY g.position_id, g.payee_id
)$sql$, rounding, lower(today.span), CASE c.accumulate WHEN 'deal' THEN 'd.credit_id' ELSE 'd.group_key' END) ELSE '' END
    || format($sql$
SELECT %1$s AS component_id, s.position_id, s.payee_id, s.team, s.credit_count, s.opening_amount, s.amount, s.quota_amount,
       s.all_factor AS factor, s.schedule, s.earned_before, s.words AS because,
       %2$s AS earned_amount
FROM rated s%3$s$sql$, c.component_id,
        CASE WHEN c.basis = 'rank' AND c.ties = 'share' THEN format($q$(spm.split((SELECT sum(spm.commission(s.schedule, 0, n, %1$s)) FROM generate_series(s.amount, s.amount + s.equals - 1) n),
           array_fill(1::numeric, ARRAY[s.equals::int]), %2$s))[s.nth]$q$, rounding, c.places)
        WHEN c.basis = 'pool' THEN format($q$CASE WHEN sum(greatest(s.weight, 0)) OVER everybody > 0 THEN
           (spm.split(spm.commission(s.schedule, 0, s.amount, %1$s), array_agg(greatest(s.weight, 0)) OVER everybody, %2$s))[row_number() OVER (PARTITION BY %3$s ORDER BY s.position_id, s.payee_id)]
           ELSE 0 END$q$, rounding, c.places, comrades)
        WHEN c.accumulate IN ('deal', 'group') THEN 'coalesce(e.amount, 0)'
        WHEN c.is_true_up THEN format('spm.commission(s.schedule, 0, s.opening_amount + s.amount, %s) - s.earned_before', rounding)
        ELSE format('spm.commission(s.schedule, s.opening_amount, s.opening_amount + s.amount, %s)', rounding) END,
        CASE WHEN c.accumulate IN ('deal', 'group') THEN E'\nLEFT JOIN singly e USING (position_id, payee_id)' ELSE '' END
        || CASE c.basis WHEN 'pool' THEN format(E'\nWINDOW everybody AS (PARTITION BY %s ORDER BY s.position_id, s.payee_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)', comrades) ELSE '' END);
END
$$;
COMMENT ON FUNCTION spm._measurement_query(int, int) IS 'SQL that measures one component for one period: totals, quota, rates, and what the totals earn.';
REVOKE ALL ON FUNCTION spm._measurement_query(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._earning_query(component_id int, period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    c spm.component;
    today spm.period;
    rounding text;
BEGIN
    SELECT k.* INTO c FROM spm.component k WHERE k.component_id = _earning_query.component_id;
    SELECT p.* INTO today FROM spm.period p WHERE p.period_id = _earning_query.period_id;
    rounding := format('%s, %L', c.places, c.rounding);
    IF c.basis <> 'credit' THEN
        RETURN format($sql$SELECT m.component_id, NULL::bigint AS credit_id, m.position_id, m.payee_id, 1::numeric AS exchange_rate,
       m.amount AS base_amount, 0::numeric AS from_total, m.schedule_id, m.earned_amount AS amount, %L AS kind
FROM spm.standing_measurement m
WHERE m.component_id = %s AND m.period_id = %s$sql$,
            CASE WHEN c.basis IN ('rank', 'pool') THEN c.basis ELSE 'total' END, c.component_id, today.period_id);
    END IF;
    RETURN format($sql$WITH deal AS (
    %1$s
), running AS (    -- deals by date, then key
    SELECT d.*, %2$s AS from_total
    FROM deal d
)
SELECT %3$s AS component_id, d.credit_id, d.position_id, d.payee_id, d.exchange_rate, d.base_amount, d.from_total, m.schedule_id,
       spm.commission(k.schedule, d.from_total, d.from_total + d.base_amount, %4$s) AS amount, 'deal' AS kind
FROM running d
JOIN spm.standing_measurement m ON m.component_id = %3$s AND m.period_id = %5$s
    AND m.position_id = d.position_id AND m.payee_id = d.payee_id
JOIN spm.schedule k USING (schedule_id)
WHERE d.event_date >= %6$L$sql$,
        spm._deal_query(c.component_id, daterange(lower(spm._window(today.period_id, c.accumulate)), upper(today.span)), true),
        CASE c.accumulate WHEN 'deal' THEN '0::numeric' ELSE format($w$sum(d.base_amount) OVER (
               PARTITION BY d.position_id, d.payee_id%s
               ORDER BY d.event_date, d.transaction_key COLLATE "C", d.line COLLATE "C", d.source COLLATE "C", d.level, d.origin_position_id,
                        d.kind COLLATE "C", d.rule COLLATE "C", d.owner_key COLLATE "C", d.part_no
               ROWS UNBOUNDED PRECEDING) - d.base_amount$w$, CASE c.accumulate WHEN 'group' THEN ', d.group_key' END) END,
        c.component_id, rounding, today.period_id, lower(today.span))
    || CASE WHEN c.is_true_up THEN format($sql$
UNION ALL
SELECT m.component_id, NULL, m.position_id, m.payee_id, 1, 0, m.opening_amount, m.schedule_id,
       spm.commission(k.schedule, 0, m.opening_amount, %s) - m.earned_before, 'true_up'
FROM spm.standing_measurement m JOIN spm.schedule k USING (schedule_id)
WHERE m.component_id = %s AND m.period_id = %s
  AND spm.commission(k.schedule, 0, m.opening_amount, %1$s) <> m.earned_before$sql$, rounding, c.component_id, today.period_id) ELSE '' END;
END
$$;
COMMENT ON FUNCTION spm._earning_query(int, int) IS 'SQL of what the deals of one component earn in one period, and of what it earns besides.';
REVOKE ALL ON FUNCTION spm._earning_query(int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._component_query(component_id int, period_id int, stage text)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(E'-- %s v%s, component %s "%s", %s: %s\n', spm._one_line(p.name), v.version_no, c.component_no,
                  spm._one_line(c.name), spm._one_line(t.name), _component_query.stage)
        || CASE _component_query.stage WHEN 'measurement' THEN spm._measurement_query(c.component_id, t.period_id)
                ELSE spm._earning_query(c.component_id, t.period_id) END
    FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id), spm.period t
    WHERE c.component_id = _component_query.component_id AND t.period_id = _component_query.period_id
$$;
COMMENT ON FUNCTION spm._component_query(int, int, text) IS 'SQL of one component for one period: stage measurement or earning.';
REVOKE ALL ON FUNCTION spm._component_query(int, int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.plan_query(plan text, period text, stage text DEFAULT 'earning', calendar text DEFAULT NULL)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    of_plan int := spm._plan_id(plan_query.plan);
    of_period int := spm._period_id(plan_query.period, coalesce(plan_query.calendar,
        (SELECT k.name FROM spm.plan p JOIN spm.calendar k USING (calendar_id) WHERE p.plan_id = of_plan)));
    sql text;
BEGIN
    IF plan_query.stage NOT IN ('measurement', 'earning') THEN
        RAISE EXCEPTION 'stage "%" has no query of its own for a plan', plan_query.stage
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Ask for measurement or earning.';
    END IF;
    SELECT string_agg(spm._component_query(c.component_id, of_period, plan_query.stage), E'\n\n' ORDER BY c.component_id) INTO sql
    FROM spm._components(of_period) c JOIN spm.plan_version v USING (plan_version_id)
    WHERE v.plan_id = of_plan;
    RETURN sql;
END
$$;
COMMENT ON FUNCTION spm.plan_query(text, text, text, text) IS
'The very SQL that a plan compiles to for a period, one query per component. It is what spm.calculate() runs.
plan, period: names. stage: measurement (credits to totals, quota and rates) or earning (each deal''s own). calendar: needed only when it is not the plan''s.
Returns NULL when no published version applies.
Errors: 42704 for an unknown plan or period, 22023 for another stage.
Example: SELECT spm.plan_query(''Account Executive'', ''2026-Q1'');';

CREATE OR REPLACE FUNCTION spm._measure_period(period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    components int[];
    queries text[];
    missing record;
BEGIN
    SELECT c.name AS component, p.name AS period INTO missing
    FROM spm._components(_measure_period.period_id) c
    JOIN spm.period this ON this.period_id = _measure_period.period_id
    JOIN spm.period p ON p.calendar_id = this.calendar_id AND p.span << this.span AND p.state = 'open'
        AND p.span && spm._reach(c.component_id, this.period_id)
    WHERE spm._is_leaf(p.period_id)
    ORDER BY p.span LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % is not calculated', missing.period
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Component "%s" reckons with its total.', missing.component),
                  HINT = format('CALL spm.calculate(%L);', missing.period);
    END IF;
    PERFORM spm._result('SELECT 0 AS component_id, 0 AS position_id, 0 AS payee_id, 0 AS team, 0::bigint AS credit_count,
        0.0 AS opening_amount, 0.0 AS amount, 0.0 AS quota_amount, 0.0 AS factor, NULL::spm.rate_schedule AS schedule,
        0.0 AS earned_before, NULL::text[] AS because, 0.0 AS earned_amount WHERE false');
    -- what stands on credits first, then what stands on the results of others
    FOR components, queries IN
        SELECT array_agg(c.component_id ORDER BY c.component_id),
               array_agg(spm._component_query(c.component_id, _measure_period.period_id, 'measurement') ORDER BY c.component_id)
        FROM spm._components(_measure_period.period_id) c
        JOIN (SELECT l.* FROM (SELECT DISTINCT k.plan_version_id FROM spm._components(_measure_period.period_id) k) v
              CROSS JOIN LATERAL spm._component_level(v.plan_version_id) l) l USING (component_id)
        GROUP BY l.level ORDER BY l.level
    LOOP
        PERFORM spm._result(format('(%s)', array_to_string(queries, E')\nUNION ALL\n(')), is_added => true, components => components, queries => queries);
    END LOOP;
    EXECUTE 'INSERT INTO spm.schedule (schedule, definition)
             SELECT DISTINCT ON (schedule::text) schedule, schedule::text FROM pg_temp.spm_result
             ON CONFLICT (definition) DO NOTHING';
    EXECUTE 'ALTER TABLE pg_temp.spm_result ADD COLUMN schedule_id bigint';
    EXECUTE 'UPDATE pg_temp.spm_result r SET schedule_id = k.schedule_id FROM spm.schedule k WHERE k.definition = r.schedule::text';
    RETURN spm._sync('measurement', ARRAY['component_id', 'position_id', 'payee_id'],
        ARRAY['credit_count', 'opening_amount', 'amount', 'quota_amount', 'factor', 'schedule_id', 'earned_amount', 'earned_before', 'because'],
        ARRAY['credit_count', 'opening_amount', 'amount', 'quota_amount', 'earned_amount', 'earned_before'],
        _measure_period.period_id, _measure_period.posting_id, _measure_period.run_id);
END
$$;
COMMENT ON FUNCTION spm._measure_period(int, int, bigint) IS 'Second stage: credits to totals, quota and rates. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._measure_period(int, int, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._earn_period(period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    components int[];
    queries text[];
    refunds record;
BEGIN
    SELECT array_agg(c.component_id ORDER BY c.component_id),
           array_agg(spm._component_query(c.component_id, _earn_period.period_id, 'earning') ORDER BY c.component_id) INTO components, queries
    FROM spm._components(_earn_period.period_id) c;
    PERFORM spm._result(coalesce('(' || array_to_string(queries, E')\nUNION ALL\n(') || ')', 'SELECT 0 AS component_id, 0::bigint AS credit_id, 0 AS position_id, 0 AS payee_id,
        0.0 AS exchange_rate, 0.0 AS base_amount, 0.0 AS from_total, 0::bigint AS schedule_id, 0.0 AS amount, ''deal'' AS kind WHERE false'),
        components => components, queries => queries);
    -- refunds that are no part of the total go by what the deals, these and earlier ones, have earned
    FOR refunds IN SELECT c.component_id, spm._refund_query(c.component_id, _earn_period.period_id) AS query
                   FROM spm._components(_earn_period.period_id) c WHERE c.refund <> 'running' LOOP
        PERFORM spm._result(refunds.query, is_added => true, components => ARRAY[refunds.component_id], queries => ARRAY[refunds.query]);
    END LOOP;
    RETURN spm._sync('earning', ARRAY['component_id', 'position_id', 'payee_id', 'kind', 'coalesce(credit_id, 0)'],
        ARRAY['credit_id', 'exchange_rate', 'base_amount', 'from_total', 'schedule_id', 'amount'],
        ARRAY['base_amount', 'amount'],
        _earn_period.period_id, _earn_period.posting_id, _earn_period.run_id);
END
$$;
COMMENT ON FUNCTION spm._earn_period(int, int, bigint) IS 'Third stage: what each deal earns. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._earn_period(int, int, bigint) FROM PUBLIC;
/*
 * compensation/stages_pay.sql: earning -> payout.
 *
 * What a posting pays is worked out as lines in pg_temp.spm_line: first what was
 * earned and adjusted, then what each pay rule makes of the lines before it, then
 * holds.  A line is new when this posting pays it; the others are what earlier
 * postings have paid of the same spans, so that a rule can pay the difference.
 * Every step is one query for all payees; their balances are those of the
 * postings before.
 */

-- ----------------------------------------------------------------- what is there

CREATE OR REPLACE FUNCTION spm._posting_before(posting_id int)
    RETURNS TABLE (posting_id int, period_id int, span daterange, posted_at timestamptz)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 30
    -- so that it is a small table to be joined once, not looked into row by row
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT o.posting_id, o.period_id, q.span, o.posted_at
    FROM spm.posting this
    JOIN spm.period p ON p.period_id = this.period_id
    JOIN spm.period q ON q.calendar_id = p.calendar_id
    JOIN spm.posting o ON o.period_id = q.period_id AND o.posting_id <> this.posting_id
    WHERE this.posting_id = _posting_before.posting_id AND (o.state = 'posted' OR q.span << p.span);
END;
COMMENT ON FUNCTION spm._posting_before(int) IS 'Postings that a posting stands on: posted ones, and drafts of earlier periods.';
REVOKE ALL ON FUNCTION spm._posting_before(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pay_relations()
    RETURNS SETOF regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT unnest(ARRAY['spm.adjustment', 'spm.hold', 'spm.holdback_release', 'spm.pay_rule'])::regclass
$$;
COMMENT ON FUNCTION spm._pay_relations() IS
'Tables that only what a posting pays depends on, and no earning: a change needs no other look at posted periods.';
REVOKE ALL ON FUNCTION spm._pay_relations() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._leaf(calendar_id int)
    RETURNS TABLE (period_id int, span daterange, nth bigint)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 60
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT p.period_id, p.span, row_number() OVER (ORDER BY p.span) FROM spm.period p
    WHERE p.calendar_id = _leaf.calendar_id AND NOT EXISTS (SELECT FROM spm.period part WHERE part.parent_period_id = p.period_id);
END;
COMMENT ON FUNCTION spm._leaf(int) IS 'Periods of a calendar that are calculated, numbered in order.';
REVOKE ALL ON FUNCTION spm._leaf(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._rule_place(kind text)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 100 * array_position('{budget,cap,holdback,guarantee,draw,adjustment,negative}'::text[], _rule_place.kind);
END;
COMMENT ON FUNCTION spm._rule_place(text) IS 'Where rules of a kind begin in the order when no number is given.';
REVOKE ALL ON FUNCTION spm._rule_place(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._rule_in_force(plan_id int, name text, span daterange)
    RETURNS SETOF spm.pay_rule
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.*
    FROM spm.plan_version v JOIN spm.pay_rule r USING (plan_version_id)
    WHERE v.plan_version_id = (
        SELECT w.plan_version_id FROM spm.plan_version w
        WHERE w.plan_id = _rule_in_force.plan_id AND w.state <> 'draft' AND w.span && _rule_in_force.span
        ORDER BY w.span DESC LIMIT 1)
      AND r.name = _rule_in_force.name;
END;
COMMENT ON FUNCTION spm._rule_in_force(int, text, daterange) IS 'Pay rule of a name as the last version of a plan has it that applies in a span.';
REVOKE ALL ON FUNCTION spm._rule_in_force(int, text, daterange) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_payee(plan_id int, span daterange)
    RETURNS TABLE (payee_id int, position_id int, spans datemultirange)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.payee_id, min(s.position_id), range_agg(r)
    FROM spm.plan_seat(_plan_payee.plan_id, _plan_payee.span) s, unnest(s.spans) r
    GROUP BY s.payee_id;
END;
COMMENT ON FUNCTION spm._plan_payee(int, daterange) IS 'Who is on a plan during a span: the payee, the first of their seats, and the days in any of them.';
REVOKE ALL ON FUNCTION spm._plan_payee(int, daterange) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._rule_amount(rule spm.pay_rule, payee_id int, position_id int, spans datemultirange, period_id int)
    RETURNS numeric
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this spm.period;
    value numeric := rule.amount;
    digits int;
    days record;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = _rule_amount.period_id;
    SELECT u.minor_digits INTO digits
    FROM spm.plan_version v JOIN spm.plan n USING (plan_id) JOIN spm.currency u USING (currency_code)
    WHERE v.plan_version_id = rule.plan_version_id;
    IF rule.variable_id IS NOT NULL THEN
        value := spm.variable_value(rule.variable_id, _rule_amount.payee_id, _rule_amount.position_id, this.span) * coalesce(rule.share, 1);
        IF value IS NULL THEN
            PERFORM spm._refuse(
                format('payee "%s" has no value of variable %s for %s', y.payee_key, x.name, this.name),
                format('Pay rule "%s" needs it.', rule.name), format('SELECT spm.set_variable(%L, value, payee => %L);', x.name, y.payee_key))
            FROM spm.payee y, spm.variable x WHERE y.payee_id = _rule_amount.payee_id AND x.variable_id = rule.variable_id;
        END IF;
    END IF;
    IF rule.prorate <> 'none' THEN
        SELECT c.active_days, c.period_days INTO days
        FROM spm._day_count(_rule_amount.spans - spm._absent(_rule_amount.payee_id, false), this.span, rule.prorate, this.calendar_id) c;
        value := value * days.active_days / nullif(days.period_days, 0);
    END IF;
    RETURN round(coalesce(value, 0), digits);
END
$$;
COMMENT ON FUNCTION spm._rule_amount(spm.pay_rule, int, int, datemultirange, int) IS
'Amount of a cap, guarantee or draw for a payee in a period: given or a share of a variable, prorated by the days on the plan, rounded to the digits of the currency. Error 22000 when the variable has no value.';
REVOKE ALL ON FUNCTION spm._rule_amount(spm.pay_rule, int, int, datemultirange, int) FROM PUBLIC;

-- ------------------------------------------------------------------------ rules

CREATE OR REPLACE FUNCTION spm._pay_budget(rule spm.pay_rule, plan_id int, posting_id int, period_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    digits int := (SELECT u.minor_digits FROM spm.plan n JOIN spm.currency u USING (currency_code) WHERE n.plan_id = _pay_budget.plan_id);
BEGIN
    -- what was paid stays, as far as it is still earned; what is left, or free again, goes to those first in line
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no, amount)
    WITH part AS MATERIALIZED (
        SELECT c.component_id FROM spm.component c
        WHERE c.plan_version_id = rule.plan_version_id AND (rule.components IS NULL OR c.name = ANY (rule.components))
    ), deal AS MATERIALIZED (
        SELECT e.payee_id, coalesce(t.event_date, upper(p.span) - 1) AS event_date, coalesce(t.transaction_key, '') AS transaction_key,
               coalesce(t.line, '') AS line, coalesce(t.source, '') AS source, sum(e.amount) AS amount
        FROM spm.earning e
        JOIN part USING (component_id)
        JOIN spm.period p ON p.period_id = e.period_id
        LEFT JOIN spm.credit t USING (credit_id)
        WHERE e.posting_id IN (SELECT b.posting_id FROM spm._posting_before(_pay_budget.posting_id) b UNION ALL SELECT _pay_budget.posting_id)
        GROUP BY 1, 2, 3, 4, 5
    ), posted AS (
        SELECT x.payee_id, sum(x.amount) AS paid, coalesce(sum(x.amount) FILTER (WHERE x.kind = 'budget'), 0) AS budget
        FROM spm.payout x JOIN spm._posting_before(_pay_budget.posting_id) b USING (posting_id)
        WHERE x.plan_id = _pay_budget.plan_id
          AND (x.kind = 'earning' AND x.component_id IN (SELECT component_id FROM part) OR x.kind = 'budget' AND x.pay_rule_id = rule.pay_rule_id)
        GROUP BY x.payee_id
    ), payee AS MATERIALIZED (
        SELECT d.payee_id, d.earned, least(greatest(coalesce(o.paid, 0), 0), d.earned) AS keep, coalesce(o.budget, 0) AS budget
        FROM (SELECT d.payee_id, sum(d.amount) AS earned FROM deal d GROUP BY d.payee_id) d LEFT JOIN posted o USING (payee_id)
    ), room AS (
        SELECT greatest(rule.amount - coalesce(sum(y.keep), 0), 0) AS room, coalesce(sum(y.earned - y.keep), 0) AS demand FROM payee y
    ), in_line AS (
        SELECT l.payee_id, sum(least(r.room, l.upto) - least(r.room, l.upto - l.unmet)) AS granted
        FROM (SELECT u.payee_id, u.unmet, sum(u.unmet) OVER w AS upto
              FROM (SELECT d.*, greatest(sum(d.amount) OVER v, y.keep, 0) - greatest(sum(d.amount) OVER v - d.amount, y.keep, 0) AS unmet
                    FROM deal d JOIN payee y USING (payee_id)
                    WINDOW v AS (PARTITION BY d.payee_id ORDER BY d.event_date, d.transaction_key COLLATE "C", d.line COLLATE "C", d.source COLLATE "C"
                                 ROWS UNBOUNDED PRECEDING)) u
              WINDOW w AS (ORDER BY u.event_date, u.transaction_key COLLATE "C", u.line COLLATE "C", u.source COLLATE "C", u.payee_id
                           ROWS UNBOUNDED PRECEDING)) l, room r
        GROUP BY l.payee_id
    ), by_share AS (
        SELECT s.payee_ids[u.nth] AS payee_id, u.granted
        FROM (SELECT array_agg(y.payee_id ORDER BY y.payee_id) AS payee_ids, array_agg(y.earned - y.keep ORDER BY y.payee_id) AS demands
              FROM payee y WHERE y.earned > y.keep) s, room r,
             unnest(CASE WHEN r.demand > r.room THEN spm.split(r.room, s.demands, digits) ELSE s.demands END) WITH ORDINALITY u(granted, nth)
    ), granted AS (
        SELECT i.payee_id, i.granted FROM in_line i WHERE rule.method = 'deal order'
        UNION ALL
        SELECT s.payee_id, s.granted FROM by_share s WHERE rule.method = 'pro rata'
    )
    SELECT true, _pay_budget.period_id, _pay_budget.period_id, y.payee_id, n.plan_id, n.currency_code, 'budget', rule.pay_rule_id, rule.name, rule.rule_no,
           y.keep + coalesce(g.granted, 0) - y.earned - y.budget
    FROM payee y LEFT JOIN granted g USING (payee_id), spm.plan n
    WHERE n.plan_id = _pay_budget.plan_id AND y.keep + coalesce(g.granted, 0) - y.earned - y.budget <> 0;
END
$$;
COMMENT ON FUNCTION spm._pay_budget(spm.pay_rule, int, int, int) IS 'Lines of a budget: what is earned beyond what the plan version may spend.';
REVOKE ALL ON FUNCTION spm._pay_budget(spm.pay_rule, int, int, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pay_cap(rule spm.pay_rule, plan_id int, posting_id int, period_id int, is_active boolean)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    this spm.period;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = _pay_cap.period_id;
    PERFORM spm._drop_temporary('spm_cap');
    -- each span that new lines were earned in, under the rule as it was then: everything paid for it so far
    EXECUTE 'CREATE TEMPORARY TABLE spm_cap ON COMMIT DROP AS
    WITH span AS (
        SELECT DISTINCT q.period_id, q.span
        FROM (SELECT l.period_id FROM pg_temp.spm_line l WHERE l.is_new AND l.plan_id = $2 UNION SELECT $3) l
        JOIN spm.period p ON p.period_id = l.period_id
        JOIN spm.period q ON q.calendar_id = p.calendar_id AND q.span @> p.span
            AND CASE ($1).grain WHEN ''period'' THEN q.period_id = p.period_id ELSE q.grain = ($1).grain END
    )
    SELECT w.period_id, w.span @> $4 AS is_own, l.payee_id, k AS in_force,
           coalesce(sum(l.amount) FILTER (WHERE l.rule_no < k.rule_no AND (k.components IS NULL OR l.component_name = ANY (k.components))), 0) AS base,
           coalesce(sum(l.amount) FILTER (WHERE l.rule_name = k.name AND l.kind = ''cap''), 0) AS capped,
           coalesce(sum(l.amount) FILTER (WHERE l.rule_name = k.name AND l.kind = ''carried''), 0) AS carried
    FROM span w
    CROSS JOIN LATERAL spm._rule_in_force($2, ($1).name, w.span) k
    JOIN spm.period p ON p.calendar_id = $5 AND p.span <@ w.span
    JOIN pg_temp.spm_line l ON l.period_id = p.period_id AND l.plan_id = $2
    WHERE k.kind = ''cap''
    GROUP BY w.period_id, w.span, l.payee_id, k' USING rule, _pay_cap.plan_id, this.period_id, this.span, this.calendar_id;
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no, amount)
    SELECT true, this.period_id, CASE WHEN w.is_own THEN this.period_id ELSE w.period_id END, w.payee_id, n.plan_id, n.currency_code,
           'cap', (w.in_force).pay_rule_id, (w.in_force).name, (w.in_force).rule_no, -greatest(w.base - a.amount, 0) - w.capped
    FROM pg_temp.spm_cap w
    JOIN spm.plan n ON n.plan_id = _pay_cap.plan_id
    JOIN spm.period p ON p.period_id = w.period_id
    LEFT JOIN LATERAL spm._plan_payee(n.plan_id, p.span) s ON s.payee_id = w.payee_id AND ((w.in_force).variable_id IS NOT NULL OR (w.in_force).prorate <> 'none')
    CROSS JOIN LATERAL (SELECT CASE WHEN (w.in_force).variable_id IS NULL AND (w.in_force).prorate = 'none' THEN (w.in_force).amount
        ELSE spm._rule_amount(w.in_force, w.payee_id, s.position_id, coalesce(s.spans, '{}'), w.period_id) END AS amount) a
    WHERE (w.base > 0 OR w.capped <> 0) AND -greatest(w.base - a.amount, 0) - w.capped <> 0;
    IF rule.method <> 'carried' THEN
        RETURN;
    END IF;
    -- what earlier spans have left over is paid as far as this one has room; all of it once there is no cap any more
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no, amount)
    SELECT true, this.period_id, this.period_id, b.payee_id, n.plan_id, n.currency_code, 'carried', rule.pay_rule_id, rule.name, rule.rule_no,
           CASE WHEN is_active THEN least(greatest(a.amount - coalesce(w.base, 0), 0), b.owed + coalesce(w.carried, 0)) ELSE b.owed + coalesce(w.carried, 0) END
           - coalesce(w.carried, 0)
    FROM (SELECT u.payee_id, sum(u.amount) AS owed
          FROM (SELECT m.payee_id, m.added_amount - m.recovered_amount - m.forgiven_amount AS amount FROM spm._balance_before(_pay_cap.plan_id, rule.name, _pay_cap.posting_id) m
                UNION ALL
                SELECT l.payee_id, -l.amount FROM pg_temp.spm_line l WHERE l.is_new AND l.kind = 'cap' AND l.plan_id = _pay_cap.plan_id AND l.rule_name = rule.name) u
          GROUP BY u.payee_id) b
    JOIN spm.plan n ON n.plan_id = _pay_cap.plan_id
    LEFT JOIN pg_temp.spm_cap w ON w.is_own AND w.payee_id = b.payee_id
    LEFT JOIN LATERAL (SELECT p.period_id, p.span FROM spm.period p
                       WHERE p.calendar_id = this.calendar_id AND p.span @> this.span
                         AND CASE rule.grain WHEN 'period' THEN p.period_id = this.period_id ELSE p.grain = rule.grain END) p ON true
    LEFT JOIN LATERAL spm._plan_payee(n.plan_id, p.span) s ON s.payee_id = b.payee_id AND (rule.variable_id IS NOT NULL OR rule.prorate <> 'none')
    CROSS JOIN LATERAL (SELECT CASE WHEN NOT is_active THEN NULL WHEN rule.variable_id IS NULL AND rule.prorate = 'none' THEN rule.amount ELSE spm._rule_amount(rule, b.payee_id, s.position_id, coalesce(s.spans, '{}'), p.period_id) END AS amount) a
    WHERE b.owed <> 0 OR w.carried <> 0;
END
$$;
COMMENT ON FUNCTION spm._pay_cap(spm.pay_rule, int, int, int, boolean) IS 'Lines of a cap: what is above it in every span that new lines were earned in, and what is carried into this one.';
REVOKE ALL ON FUNCTION spm._pay_cap(spm.pay_rule, int, int, int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._balance_before(plan_id int, rule_name text, posting_id int)
    RETURNS TABLE (payee_id int, period_id int, span daterange, pay_rule_id int, added_amount numeric, recovered_amount numeric, forgiven_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT m.payee_id, o.period_id, o.span, m.pay_rule_id, m.added_amount, m.recovered_amount, m.forgiven_amount
    FROM spm.plan_version v
    JOIN spm.pay_rule r USING (plan_version_id)
    JOIN spm.balance m USING (pay_rule_id)
    JOIN spm._posting_before(_balance_before.posting_id) o USING (posting_id)
    WHERE v.plan_id = _balance_before.plan_id AND r.name = _balance_before.rule_name;
END;
COMMENT ON FUNCTION spm._balance_before(int, text, int) IS 'What has moved the balances of a pay rule, under all versions of the plan, in the postings that a posting stands on.';
REVOKE ALL ON FUNCTION spm._balance_before(int, text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pay_holdback(rule spm.pay_rule, plan_id int, posting_id int, period_id int, is_active boolean)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    this spm.period;
    of_plan record;
    this_no bigint;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = _pay_holdback.period_id;
    SELECT f.nth INTO this_no FROM spm._leaf(this.calendar_id) f WHERE f.period_id = this.period_id;
    SELECT n.plan_id, n.currency_code, u.minor_digits INTO of_plan FROM spm.plan n JOIN spm.currency u USING (currency_code) WHERE n.plan_id = _pay_holdback.plan_id;
    IF is_active AND (rule.release_on IS NULL OR upper(this.span) <= rule.release_on) THEN
        INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no, amount)
        SELECT true, this.period_id, this.period_id, l.payee_id, of_plan.plan_id, of_plan.currency_code, 'holdback', rule.pay_rule_id, rule.name, rule.rule_no,
               -round(sum(l.amount) * rule.share, of_plan.minor_digits)
        FROM pg_temp.spm_line l
        WHERE l.is_new AND l.plan_id = of_plan.plan_id AND l.rule_no < rule.rule_no AND (rule.components IS NULL OR l.component_name = ANY (rule.components))
        GROUP BY l.payee_id
        HAVING round(sum(l.amount) * rule.share, of_plan.minor_digits) <> 0;
    END IF;
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no, amount)
    SELECT true, this.period_id, this.period_id, m.payee_id, of_plan.plan_id, of_plan.currency_code, 'release', rule.pay_rule_id, rule.name, rule.rule_no,
           coalesce(sum(m.added_amount) FILTER (WHERE upper(this.span) > k.release_on OR this_no >= f.nth + k.release_after
               OR EXISTS (SELECT FROM spm.holdback_release x JOIN spm.period p ON p.period_id = x.through_period_id
                          WHERE x.plan_id = of_plan.plan_id AND x.rule_name = rule.name AND coalesce(x.payee_id, m.payee_id) = m.payee_id
                            AND upper(m.span) <= upper(p.span))), 0)
           - sum(m.recovered_amount) AS due
    FROM (SELECT b.payee_id, b.period_id, b.span, b.pay_rule_id, b.added_amount, b.recovered_amount
          FROM spm._balance_before(of_plan.plan_id, rule.name, _pay_holdback.posting_id) b
          UNION ALL
          SELECT l.payee_id, this.period_id, this.span, l.pay_rule_id, -l.amount, 0
          FROM pg_temp.spm_line l WHERE l.is_new AND l.kind = 'holdback' AND l.pay_rule_id = rule.pay_rule_id) m
    JOIN spm.pay_rule k ON k.pay_rule_id = m.pay_rule_id
    JOIN spm._leaf(this.calendar_id) f ON f.period_id = m.period_id
    GROUP BY m.payee_id;
END
$$;
COMMENT ON FUNCTION spm._pay_holdback(spm.pay_rule, int, int, int, boolean) IS 'Lines of a holdback: the share that is kept of new lines, and what was kept before and is due.';
REVOKE ALL ON FUNCTION spm._pay_holdback(spm.pay_rule, int, int, int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pay_floor(rule spm.pay_rule, plan_id int, posting_id int, period_id int, is_active boolean)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    this spm.period;
    of_plan record;
    this_no bigint;
    is_recovered boolean;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = _pay_floor.period_id;
    SELECT f.nth INTO this_no FROM spm._leaf(this.calendar_id) f WHERE f.period_id = this.period_id;
    SELECT n.plan_id, n.currency_code, u.minor_digits INTO of_plan FROM spm.plan n JOIN spm.currency u USING (currency_code) WHERE n.plan_id = _pay_floor.plan_id;
    is_recovered := coalesce(lower(this.span) >= rule.recover_from, true) AND coalesce(lower(this.span) < rule.recover_until, true);
    -- the period as a whole, with all its postings; this one pays the difference
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no, amount, forgiven, reason)
    WITH leaf AS MATERIALIZED (
        SELECT * FROM spm._leaf(this.calendar_id)
    ), member AS MATERIALIZED (    -- who is on the plan, since when, and whether the guarantee holds
        SELECT s.payee_id, s.position_id, s.spans, f.nth,
               is_active AND rule.kind <> 'negative' AND coalesce(lower(this.span) < rule.until, true) AND coalesce(f.nth <= rule.first_periods, true) AS is_in,
               coalesce(upper(this.span) >= rule.until, false) OR coalesce(f.nth = rule.first_periods, false) AS is_last
        FROM spm._plan_payee(of_plan.plan_id, this.span) s
        LEFT JOIN (SELECT a.payee_id, this_no + 1 - min(l.nth) AS nth
                   FROM spm._plan_payee(of_plan.plan_id, '(,)') a
                   JOIN leaf l ON upper(l.span) > lower(a.spans) OR lower_inf(a.spans)
                   WHERE rule.first_periods IS NOT NULL
                   GROUP BY a.payee_id) f USING (payee_id)
    ), line AS (
        SELECT l.payee_id,
               coalesce(sum(l.amount) FILTER (WHERE l.rule_no < rule.rule_no AND (rule.components IS NULL OR l.component_name = ANY (rule.components))), 0) AS pay,
               coalesce(sum(l.amount) FILTER (WHERE l.rule_name = rule.name AND l.kind = rule.kind), 0) AS added,
               -coalesce(sum(l.amount) FILTER (WHERE l.rule_name = rule.name AND l.kind = 'recovery'), 0) AS recovered
        FROM pg_temp.spm_line l
        WHERE l.plan_id = of_plan.plan_id AND l.posting_period_id = this.period_id
        GROUP BY l.payee_id
    ), owed AS (
        SELECT m.payee_id,
               coalesce(sum(m.added_amount - m.recovered_amount - m.forgiven_amount) FILTER (WHERE m.span << this.span), 0) AS opening,
               coalesce(sum(CASE WHEN f.nth + rule.recover_after <= this_no THEN m.added_amount ELSE 0 END
                            - m.recovered_amount - m.forgiven_amount) FILTER (WHERE m.span << this.span), 0) AS due,
               coalesce(sum(m.forgiven_amount) FILTER (WHERE m.period_id = this.period_id), 0) AS forgiven
        FROM spm._balance_before(of_plan.plan_id, rule.name, _pay_floor.posting_id) m JOIN leaf f USING (period_id)
        GROUP BY m.payee_id
    ), payee AS (
        SELECT y.payee_id, coalesce(l.pay, 0) AS pay, coalesce(l.added, 0) AS added, coalesce(l.recovered, 0) AS recovered,
               coalesce(o.opening, 0) AS opening, coalesce(o.due, 0) AS due, coalesce(o.forgiven, 0) AS forgiven,
               coalesce(m.is_in, false) AS is_in, coalesce(m.is_in AND m.is_last, false) AS is_last,
               CASE WHEN NOT coalesce(m.is_in, false) THEN 0
                    WHEN rule.variable_id IS NULL AND rule.prorate = 'none' THEN round(rule.amount, of_plan.minor_digits)
                    ELSE spm._rule_amount(rule, y.payee_id, m.position_id, m.spans, this.period_id) END AS draw
        FROM (SELECT payee_id FROM member UNION SELECT payee_id FROM line UNION SELECT payee_id FROM owed) y
        LEFT JOIN member m USING (payee_id) LEFT JOIN line l USING (payee_id) LEFT JOIN owed o USING (payee_id)
    ), topped AS (
        SELECT y.*, CASE WHEN rule.kind = 'negative' THEN CASE WHEN is_active THEN greatest(-y.pay, 0) ELSE 0 END
                         WHEN NOT y.is_in THEN 0
                         WHEN rule.method = 'advance' THEN y.draw
                         ELSE greatest(y.draw - y.pay, 0) END AS topup
        FROM payee y
    ), settled AS (
        SELECT t.*, CASE WHEN rule.kind = 'guarantee' OR rule.method = 'zeroed' OR NOT is_recovered OR rule.method <> 'advance' AND t.topup > 0 THEN 0
                    ELSE greatest(least(
                        t.opening + t.topup,
                        CASE rule.recover_after WHEN 0 THEN t.due + t.topup ELSE t.due END,
                        round(greatest(least(t.pay, CASE rule.method
                            WHEN 'floor' THEN t.pay - coalesce(rule.minimum, t.draw)
                            WHEN 'advance' THEN t.pay + t.topup - coalesce(rule.minimum, 0)
                            ELSE t.pay - coalesce(rule.minimum, 0) END), 0) * rule.recover_share, of_plan.minor_digits),
                        rule.recover_maximum), 0) END AS recovery
        FROM topped t
    ), written AS (
        SELECT s.*, CASE WHEN rule.method = 'zeroed' THEN s.topup
                         WHEN rule.is_forgiven AND s.is_last THEN greatest(s.opening + s.topup - s.recovery, 0)
                         ELSE 0 END AS forgiveness
        FROM settled s
    )
    SELECT true, this.period_id, this.period_id, w.payee_id, of_plan.plan_id, of_plan.currency_code, u.kind, rule.pay_rule_id, rule.name, rule.rule_no,
           u.amount, u.forgiven, u.reason
    FROM written w
    CROSS JOIN LATERAL (VALUES
        (rule.kind, w.topup - w.added, 0::numeric, NULL::text),
        ('recovery', w.recovered - w.recovery, 0, NULL),
        ('forgiveness', 0, w.forgiveness - w.forgiven, format('%s written off', w.forgiveness - w.forgiven))) u(kind, amount, forgiven, reason)
    WHERE u.amount <> 0 OR u.forgiven <> 0;
END
$$;
COMMENT ON FUNCTION spm._pay_floor(spm.pay_rule, int, int, int, boolean) IS
'Lines of a guarantee, a draw or a rule for negative pay: what is added to the pay of the period, what is recovered from it, and what is written off.';
REVOKE ALL ON FUNCTION spm._pay_floor(spm.pay_rule, int, int, int, boolean) FROM PUBLIC;

-- ------------------------------------------------------------------------ holds

CREATE OR REPLACE FUNCTION spm._pay_hold(posting_id int, period_id int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    this spm.period;
BEGIN
    SELECT p.* INTO this FROM spm.period p WHERE p.period_id = _pay_hold.period_id;
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, plan_id, currency_code, kind, hold_id, rule_no, amount, reason)
    WITH active AS MATERIALIZED (
        SELECT h.* FROM spm.hold h WHERE h.released_at IS NULL AND h.since < upper(this.span)
    ), held AS MATERIALIZED (    -- what is held by now
        SELECT x.hold_id, x.payee_id, x.plan_id, x.currency_code, -sum(x.amount) AS amount
        FROM spm.payout x JOIN spm._posting_before(_pay_hold.posting_id) USING (posting_id)
        WHERE x.hold_id IS NOT NULL
        GROUP BY x.hold_id, x.payee_id, x.plan_id, x.currency_code HAVING sum(x.amount) <> 0
    ), earned AS (    -- what each hold is meant to keep; an earning is kept by the first
        SELECT e.hold_id, e.payee_id, n.plan_id, n.currency_code, greatest(sum(e.amount), 0) AS amount
        FROM (SELECT DISTINCT ON (e.earning_id) e.earning_id, h.hold_id, e.payee_id, v.plan_id, e.amount
              FROM active h
              JOIN (SELECT b.posting_id, b.span, b.posted_at FROM spm._posting_before(_pay_hold.posting_id) b UNION ALL SELECT _pay_hold.posting_id, this.span, NULL) o ON h.since < upper(o.span)
              JOIN spm.earning e ON e.posting_id = o.posting_id AND coalesce(h.payee_id, e.payee_id) = e.payee_id
              JOIN spm.component c ON c.component_id = e.component_id AND coalesce(h.component_name, c.name) = c.name
              JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id AND coalesce(h.plan_id, v.plan_id) = v.plan_id
              LEFT JOIN spm.credit t ON t.credit_id = e.credit_id
              WHERE num_nonnulls(h.component_name, h.transaction_key) > 0
                AND (h.transaction_key IS NULL OR t.transaction_key = h.transaction_key AND coalesce(h.source, t.source) = t.source)
                -- what was posted before it was held stays paid
                AND (o.posted_at IS NULL OR o.posted_at > h.held_at)
              ORDER BY e.earning_id, h.hold_id) e
        JOIN spm.plan n USING (plan_id)
        GROUP BY e.hold_id, e.payee_id, n.plan_id, n.currency_code
    ), payable AS MATERIALIZED (
        SELECT l.payee_id, l.plan_id, l.currency_code, sum(l.amount) AS amount
        FROM pg_temp.spm_line l WHERE l.is_new GROUP BY l.payee_id, l.plan_id, l.currency_code
    ), demand AS (    -- more to be kept, or less; NULL: all there is
        SELECT h.hold_id, p.payee_id, p.plan_id, p.currency_code, coalesce(k.amount, 0) AS held, NULL::numeric AS amount, h.reason
        FROM active h
        JOIN payable p ON p.payee_id = h.payee_id AND (h.plan_id IS NULL OR h.plan_id = p.plan_id)
        LEFT JOIN held k ON (k.hold_id, k.payee_id, coalesce(k.plan_id, 0), k.currency_code) = (h.hold_id, p.payee_id, coalesce(p.plan_id, 0), p.currency_code)
        WHERE num_nonnulls(h.component_name, h.transaction_key) = 0
        UNION ALL
        SELECT m.hold_id, m.payee_id, m.plan_id, m.currency_code, m.held, m.amount, h.reason
        FROM (SELECT hold_id, payee_id, plan_id, currency_code, coalesce(k.amount, 0) AS held, coalesce(e.amount, 0) - coalesce(k.amount, 0) AS amount
              FROM earned e FULL JOIN held k USING (hold_id, payee_id, plan_id, currency_code)) m
        JOIN active h ON h.hold_id = m.hold_id
        WHERE num_nonnulls(h.component_name, h.transaction_key) > 0
        UNION ALL
        SELECT k.hold_id, k.payee_id, k.plan_id, k.currency_code, k.amount, -k.amount, h.release_reason
        FROM held k JOIN spm.hold h USING (hold_id) WHERE h.released_at IS NOT NULL
    ), base AS (    -- releases first
        SELECT d.*, coalesce(p.amount, 0)
               - coalesce(sum(least(d.amount, 0)) FILTER (WHERE d.amount IS NOT NULL) OVER (PARTITION BY d.payee_id, d.plan_id, d.currency_code), 0) AS base
        FROM demand d
        LEFT JOIN payable p ON (p.payee_id, coalesce(p.plan_id, 0), p.currency_code) = (d.payee_id, coalesce(d.plan_id, 0), d.currency_code)
    ), room AS (    -- then holds of something, then holds of everything, each of what the ones before leave
        SELECT b.*, greatest(b.base - coalesce(sum(greatest(b.amount, 0)) FILTER (WHERE b.amount IS NOT NULL) OVER (
                     PARTITION BY b.payee_id, b.plan_id, b.currency_code
                     ORDER BY b.amount IS NULL, b.hold_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), 0) AS room,
               row_number() OVER (PARTITION BY b.payee_id, b.plan_id, b.currency_code, b.amount IS NULL ORDER BY b.hold_id) AS nth
        FROM base b
    ), kept AS (
        SELECT r.*, CASE WHEN r.amount < 0 THEN r.amount
                         WHEN r.amount >= 0 THEN least(r.amount, r.room)
                         WHEN r.nth > 1 THEN 0
                         -- what takes back pay takes it from what is kept
                         WHEN r.base < 0 THEN greatest(r.base, -r.held)
                         ELSE r.room END AS keep
        FROM room r
    )
    SELECT true, this.period_id, this.period_id, k.payee_id, k.plan_id, k.currency_code, CASE WHEN k.keep > 0 THEN 'hold' ELSE 'release' END, k.hold_id, 2147483647,
           -k.keep, k.reason
    FROM kept k WHERE k.keep <> 0;
END
$$;
COMMENT ON FUNCTION spm._pay_hold(int, int) IS 'Lines of holds: what is kept of new lines, never more than there is to pay, and what was kept and is released.';
REVOKE ALL ON FUNCTION spm._pay_hold(int, int) FROM PUBLIC;

-- ------------------------------------------------------------------------ stage

CREATE OR REPLACE FUNCTION spm._pay(posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    this spm.period := (SELECT p FROM spm.posting o JOIN spm.period p USING (period_id) WHERE o.posting_id = _pay.posting_id);
    step record;
    changed bigint := 0;
    n bigint;
BEGIN
    PERFORM spm._drop_temporary('spm_line');
    CREATE TEMPORARY TABLE spm_line (
        is_new boolean NOT NULL, posting_period_id int NOT NULL, period_id int NOT NULL, payee_id int NOT NULL, position_id int, component_id int,
        component_name text, plan_id int, currency_code text NOT NULL, kind text NOT NULL, pay_rule_id int, rule_name text, rule_no int NOT NULL,
        hold_id int, adjustment_id int, amount numeric NOT NULL, forgiven numeric NOT NULL DEFAULT 0, reason text) ON COMMIT DROP;
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, position_id, component_id, component_name, plan_id, currency_code, kind, rule_no, amount)
    SELECT true, this.period_id, e.period_id, e.payee_id, e.position_id, c.component_id, c.name, p.plan_id, p.currency_code, 'earning', 0, sum(e.amount)
    FROM spm.earning e
    JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
    WHERE e.posting_id = _pay.posting_id
    GROUP BY e.period_id, e.payee_id, e.position_id, c.component_id, p.plan_id
    HAVING sum(e.amount) <> 0 OR e.period_id = this.period_id;
    -- adjustments wait for nothing; rules that come after them see them by their number
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, component_id, component_name, plan_id, currency_code, kind, pay_rule_id, rule_name, rule_no,
                                  adjustment_id, amount, reason)
    SELECT true, this.period_id, a.period_id, a.payee_id, a.component_id, c.name, a.plan_id, a.currency_code, 'adjustment', r.pay_rule_id, r.name,
           coalesce(r.rule_no, spm._rule_place('adjustment')), a.adjustment_id, a.amount, a.reason
    FROM spm.adjustment a
    JOIN spm.period p ON p.period_id = a.period_id AND p.calendar_id = this.calendar_id AND NOT p.span >> this.span
    LEFT JOIN spm.component c ON c.component_id = a.component_id
    LEFT JOIN LATERAL (
        SELECT k.* FROM spm.pay_rule k
        WHERE k.kind = 'adjustment' AND k.plan_version_id = (
            SELECT w.plan_version_id FROM spm.plan_version w WHERE w.plan_id = a.plan_id AND w.state <> 'draft' AND w.span && this.span ORDER BY w.span DESC LIMIT 1)
        ORDER BY k.rule_no LIMIT 1) r ON true
    WHERE a.approved_at IS NOT NULL AND a.withdrawn_at IS NULL
      AND NOT EXISTS (SELECT FROM spm.payout x JOIN spm._posting_before(_pay.posting_id) USING (posting_id) WHERE x.adjustment_id = a.adjustment_id);
    -- what earlier postings have paid in this period, and of the spans that new lines belong to
    INSERT INTO pg_temp.spm_line (is_new, posting_period_id, period_id, payee_id, position_id, component_id, component_name, plan_id, currency_code, kind,
                                  pay_rule_id, rule_name, rule_no, hold_id, adjustment_id, amount, reason)
    SELECT false, o.period_id, x.period_id, x.payee_id, x.position_id, x.component_id, c.name, x.plan_id, x.currency_code, x.kind,
           x.pay_rule_id, r.name, CASE WHEN x.kind = 'earning' THEN 0 WHEN x.hold_id IS NOT NULL THEN 2147483647
                                       ELSE coalesce(r.rule_no, spm._rule_place(x.kind)) END, x.hold_id, x.adjustment_id, x.amount, x.reason
    FROM spm.payout x
    JOIN spm._posting_before(_pay.posting_id) o USING (posting_id)
    JOIN spm.period p ON p.period_id = x.period_id
    LEFT JOIN spm.component c ON c.component_id = x.component_id
    LEFT JOIN spm.pay_rule r ON r.pay_rule_id = x.pay_rule_id
    WHERE x.plan_id IN (SELECT v.plan_id FROM spm.plan_version v JOIN spm.pay_rule k USING (plan_version_id) WHERE v.state <> 'draft')
      AND (o.period_id = this.period_id
           OR upper(p.span) > (SELECT min(lower(q.span)) FROM spm.period q
                               WHERE q.calendar_id = this.calendar_id AND q.span && ANY (
                                   SELECT m.span FROM spm.period m WHERE m.period_id IN (SELECT l.period_id FROM pg_temp.spm_line l UNION SELECT this.period_id))));
    ANALYZE pg_temp.spm_line;
    -- rules in order; one that the last version has no longer only settles its balances
    FOR step IN
        SELECT s.* FROM (
            SELECT DISTINCT ON (v.plan_id, r.name, CASE r.kind WHEN 'budget' THEN r.pay_rule_id END)
                   r AS rule, r.kind, r.rule_no, v.plan_id,
                   v.plan_version_id = (SELECT w.plan_version_id FROM spm.plan_version w
                                        WHERE w.plan_id = v.plan_id AND w.state <> 'draft' AND w.span && this.span ORDER BY w.span DESC LIMIT 1) AS is_active
            FROM spm.plan n JOIN spm.plan_version v USING (plan_id) JOIN spm.pay_rule r USING (plan_version_id)
            WHERE n.calendar_id = this.calendar_id AND v.state <> 'draft' AND NOT v.span >> this.span
            ORDER BY v.plan_id, r.name, CASE r.kind WHEN 'budget' THEN r.pay_rule_id END, v.span DESC) s
        ORDER BY s.rule_no, s.plan_id
    LOOP
        CASE step.kind
            WHEN 'budget' THEN PERFORM spm._pay_budget(step.rule, step.plan_id, _pay.posting_id, this.period_id);
            WHEN 'cap' THEN PERFORM spm._pay_cap(step.rule, step.plan_id, _pay.posting_id, this.period_id, coalesce(step.is_active, false));
            WHEN 'holdback' THEN PERFORM spm._pay_holdback(step.rule, step.plan_id, _pay.posting_id, this.period_id, coalesce(step.is_active, false));
            WHEN 'adjustment' THEN NULL;
            ELSE PERFORM spm._pay_floor(step.rule, step.plan_id, _pay.posting_id, this.period_id, coalesce(step.is_active, false));
        END CASE;
    END LOOP;
    IF EXISTS (SELECT FROM spm.hold) THEN
        PERFORM spm._pay_hold(_pay.posting_id, this.period_id);
    END IF;
    DELETE FROM pg_temp.spm_line l WHERE NOT l.is_new OR l.amount = 0 AND l.kind NOT IN ('earning', 'forgiveness');

    DELETE FROM spm.payout o WHERE o.posting_id = _pay.posting_id AND NOT EXISTS (
        SELECT FROM pg_temp.spm_line l
        WHERE (l.period_id, l.payee_id, coalesce(l.position_id, 0), coalesce(l.component_id, 0), l.kind, coalesce(l.plan_id, 0), coalesce(l.pay_rule_id, 0),
               coalesce(l.hold_id, 0), coalesce(l.adjustment_id, 0), l.currency_code, l.amount, coalesce(l.reason, ''))
            = (o.period_id, o.payee_id, coalesce(o.position_id, 0), coalesce(o.component_id, 0), o.kind, coalesce(o.plan_id, 0), coalesce(o.pay_rule_id, 0),
               coalesce(o.hold_id, 0), coalesce(o.adjustment_id, 0), o.currency_code, o.amount, coalesce(o.reason, '')));
    GET DIAGNOSTICS n = ROW_COUNT;
    changed := changed + n;
    INSERT INTO spm.payout (posting_id, run_id, period_id, payee_id, position_id, component_id, kind, plan_id, pay_rule_id, hold_id, adjustment_id, currency_code, amount, reason)
    SELECT _pay.posting_id, _pay.run_id, l.period_id, l.payee_id, l.position_id, l.component_id, l.kind, l.plan_id, l.pay_rule_id, l.hold_id, l.adjustment_id,
           l.currency_code, l.amount, l.reason
    FROM pg_temp.spm_line l
    ON CONFLICT ON CONSTRAINT payout_key DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    changed := changed + n + spm._balance(_pay.posting_id, this.period_id, _pay.run_id);
    PERFORM spm._drop_temporary('spm_line'), spm._drop_temporary('spm_cap');
    RETURN changed;
END
$$;
COMMENT ON FUNCTION spm._pay(int, bigint) IS 'Fourth stage: the earnings of a posting to payouts, by way of adjustments, pay rules and holds. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._pay(int, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._balance(posting_id int, period_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    changed bigint;
    n bigint;
BEGIN
    PERFORM spm._drop_temporary('spm_balance');
    -- the rule of a name that moves it now, else the one that moved it last
    CREATE TEMPORARY TABLE spm_balance ON COMMIT DROP AS
    SELECT m.payee_id, m.plan_id, m.name, (array_agg(m.pay_rule_id ORDER BY m.is_new DESC, m.pay_rule_id DESC))[1] AS pay_rule_id,
           sum(m.opening) AS opening_amount, sum(m.added) AS added_amount, sum(m.recovered) AS recovered_amount, sum(m.forgiven) AS forgiven_amount
    FROM (SELECT l.payee_id, l.plan_id, r.name, l.pay_rule_id, true AS is_new, 0 AS opening,
                 CASE WHEN l.kind IN ('draw', 'negative') THEN l.amount WHEN l.kind IN ('cap', 'holdback') THEN -l.amount ELSE 0 END AS added,
                 CASE WHEN l.kind = 'recovery' THEN -l.amount WHEN l.kind IN ('carried', 'release') THEN l.amount ELSE 0 END AS recovered, l.forgiven
          FROM pg_temp.spm_line l JOIN spm.pay_rule r USING (pay_rule_id)
          WHERE r.kind IN ('draw', 'negative', 'holdback') OR r.kind = 'cap' AND r.method = 'carried'
          UNION ALL
          SELECT b.payee_id, v.plan_id, r.name, b.pay_rule_id, false, b.added_amount - b.recovered_amount - b.forgiven_amount, 0, 0, 0
          FROM spm.balance b
          JOIN spm._posting_before(_balance.posting_id) USING (posting_id)
          JOIN spm.pay_rule r USING (pay_rule_id) JOIN spm.plan_version v USING (plan_version_id)) m
    GROUP BY m.payee_id, m.plan_id, m.name
    HAVING sum(m.opening) <> 0 OR bool_or(m.added <> 0 OR m.recovered <> 0 OR m.forgiven <> 0);
    DELETE FROM spm.balance b WHERE b.posting_id = _balance.posting_id AND NOT EXISTS (
        SELECT FROM pg_temp.spm_balance m
        WHERE (m.payee_id, m.pay_rule_id, m.opening_amount, m.added_amount, m.recovered_amount, m.forgiven_amount)
            = (b.payee_id, b.pay_rule_id, b.opening_amount, b.added_amount, b.recovered_amount, b.forgiven_amount));
    GET DIAGNOSTICS changed = ROW_COUNT;
    INSERT INTO spm.balance (posting_id, period_id, run_id, payee_id, pay_rule_id, opening_amount, added_amount, recovered_amount, forgiven_amount, closing_amount)
    SELECT _balance.posting_id, _balance.period_id, _balance.run_id, m.payee_id, m.pay_rule_id, m.opening_amount, m.added_amount, m.recovered_amount, m.forgiven_amount,
           m.opening_amount + m.added_amount - m.recovered_amount - m.forgiven_amount
    FROM pg_temp.spm_balance m
    ON CONFLICT (posting_id, payee_id, pay_rule_id) DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM spm._drop_temporary('spm_balance');
    RETURN changed + n;
END
$$;
COMMENT ON FUNCTION spm._balance(int, int, bigint) IS 'Balances of the pay rules after a posting, from its lines and the postings before. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._balance(int, int, bigint) FROM PUBLIC;
/*
 * compensation/stages_refund.sql: what refunds, credit notes and cancellations
 * take back of that which the transaction they refer to has earned.
 */

CREATE OR REPLACE FUNCTION spm._whole_months(since date, until date)
    RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT m.n - CASE WHEN (_whole_months.since + make_interval(months => m.n))::date > _whole_months.until THEN 1 ELSE 0 END
    FROM (SELECT (12 * (extract(year FROM _whole_months.until) - extract(year FROM _whole_months.since))
                  + extract(month FROM _whole_months.until) - extract(month FROM _whole_months.since))::int AS n) m;
END;
COMMENT ON FUNCTION spm._whole_months(date, date) IS 'Whole months from a day to another; a day that a month does not have is its last.';
REVOKE ALL ON FUNCTION spm._whole_months(date, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._refund_query(component_id int, period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET intervalstyle = 'postgres'
AS $$
DECLARE
    c record;
    today spm.period;
BEGIN
    SELECT k.*, v.plan_id, v.span AS version_span INTO c
    FROM spm.component k JOIN spm.plan_version v USING (plan_version_id)
    WHERE k.component_id = _refund_query.component_id;
    SELECT p.* INTO today FROM spm.period p WHERE p.period_id = _refund_query.period_id;
    -- another calendar has credits of the same transactions
    RETURN format($sql$WITH credit AS NOT MATERIALIZED (
    SELECT t.* FROM spm.standing_credit t JOIN spm.period p USING (period_id) WHERE p.calendar_id = %14$s
), refund AS (    -- all up to now: together they take back what was earned, no more
    SELECT t.credit_id, t.position_id, t.payee_id, t.kind, t.rule, t.event_date, t.transaction_key, t.line, t.source, t.reference_key, t.credited_amount,
           t.level, t.origin_position_id, t.owner_key, t.part_no,
           (SELECT min(o.line) FROM credit o WHERE o.transaction_key = t.reference_key AND o.source = t.source
                AND o.line = t.line AND o.event = t.event) AS of_line
    FROM credit t
    JOIN spm.plan_seat(%1$s, '(,)') s ON s.position_id = t.position_id AND s.payee_id = t.payee_id AND t.event_date <@ s.spans
    JOIN (SELECT n.source, n.reference_key FROM credit n WHERE n.period_id = %2$s AND n.reference_key IS NOT NULL
          UNION    -- or came before what they take back
          SELECT b.source, b.reference_key FROM credit n JOIN credit b ON b.source = n.source AND b.reference_key = n.transaction_key
          WHERE n.period_id = %2$s AND b.event_date < %11$L) n ON n.source = t.source AND n.reference_key = t.reference_key
    WHERE %3$s AND t.event = %4$L AND t.event_date < %5$L
), original AS (   -- what they refer to
    SELECT r.payee_id, r.kind, r.rule, r.source, r.reference_key, r.of_line, sum(o.credited_amount) AS credited_amount, min(o.event_date) AS since
    FROM (SELECT DISTINCT payee_id, kind, rule, source, reference_key, of_line FROM refund) r
    JOIN credit o ON o.transaction_key = r.reference_key AND o.source = r.source AND o.payee_id = r.payee_id AND o.kind = r.kind AND o.rule = r.rule
        AND o.event = %4$L AND o.line = coalesce(r.of_line, o.line) AND o.event_date < %5$L
    GROUP BY r.payee_id, r.kind, r.rule, r.source, r.reference_key, r.of_line
), reached AS (
    SELECT r.*, greatest(r.event_date, o.since) AS on_day, o.credited_amount AS whole, -sum(r.credited_amount) OVER w AS until_now, -sum(r.credited_amount) OVER w + r.credited_amount AS before
    FROM refund r
    JOIN original o ON (o.payee_id, o.kind, o.rule, o.source, o.reference_key) = (r.payee_id, r.kind, r.rule, r.source, r.reference_key)
        AND o.of_line IS NOT DISTINCT FROM r.of_line
    WHERE o.credited_amount <> 0
    WINDOW w AS (PARTITION BY r.payee_id, r.kind, r.rule, r.source, r.reference_key, r.of_line
                 ORDER BY greatest(r.event_date, o.since), r.event_date, r.transaction_key COLLATE "C", r.line COLLATE "C", r.position_id, r.level, r.origin_position_id,
                          r.owner_key COLLATE "C", r.part_no)
), part AS (       -- from none to all of the original
    SELECT r.*, CASE WHEN r.whole > 0 THEN least(greatest(r.until_now, 0), r.whole) ELSE greatest(least(r.until_now, 0), r.whole) END AS to_amount,
           CASE WHEN r.whole > 0 THEN least(greatest(r.before, 0), r.whole) ELSE greatest(least(r.before, 0), r.whole) END AS from_amount
    FROM reached r
), namesake AS (
    SELECT k.component_id FROM spm.component k JOIN spm.plan_version v USING (plan_version_id) WHERE v.plan_id = %1$s AND k.name = %6$L
), earned AS (     -- by this component, whatever version of the plan; two may apply within a period
    SELECT e.credit_id, e.amount FROM spm.standing_earning e JOIN namesake USING (component_id) WHERE e.kind = 'deal' AND e.period_id <> %2$s
    UNION ALL
    SELECT e.credit_id, e.amount FROM pg_temp.spm_result e JOIN namesake USING (component_id) WHERE e.kind = 'deal'
)
SELECT %7$s AS component_id, p.credit_id, p.position_id, p.payee_id, 1::numeric AS exchange_rate, 0::numeric AS base_amount, 0::numeric AS from_total,
       m.schedule_id, -sum(spm.rounded(%8$s * p.to_amount%9$s, %10$s) - spm.rounded(%8$s * p.from_amount%9$s, %10$s)) AS amount, 'refund' AS kind
FROM part p
JOIN credit o ON o.transaction_key = p.reference_key AND o.source = p.source AND o.payee_id = p.payee_id AND o.kind = p.kind AND o.rule = p.rule
    AND o.event = %4$L AND o.line = coalesce(p.of_line, o.line) AND o.event_date <= p.on_day
JOIN earned e ON e.credit_id = o.credit_id
JOIN spm.standing_measurement m ON m.component_id = %7$s AND m.period_id = %2$s AND m.position_id = p.position_id AND m.payee_id = p.payee_id
WHERE p.on_day >= %11$L AND p.on_day <@ %12$L::daterange%13$s
GROUP BY p.credit_id, p.position_id, p.payee_id, m.schedule_id$sql$,
        c.plan_id, today.period_id,
        CASE c.credit_kind WHEN 'all' THEN 'true' ELSE format('t.kind = %L', c.credit_kind) END, c.event, upper(today.span), c.name, c.component_id,
        CASE c.refund_share WHEN 1 THEN 'e.amount' ELSE format('e.amount * %s', c.refund_share) END,
        CASE c.refund WHEN 'unearned' THEN format(' * greatest(%1$s - spm._whole_months(o.event_date, p.on_day), 0) / (p.whole * %1$s)', c.earned_over) ELSE ' / p.whole' END,
        format('%s, %L', c.places, c.rounding), lower(today.span), c.version_span,
        CASE WHEN c.refund_window IS NULL THEN '' ELSE format(E'\n  AND p.event_date <= (o.event_date + %L::interval)::date', c.refund_window) END,
        today.calendar_id);
END
$$;
COMMENT ON FUNCTION spm._refund_query(int, int) IS 'SQL of what refunds of a period take back of what a component has paid: earnings of kind refund. Reads what the deals of the period earn from pg_temp.spm_result.';
REVOKE ALL ON FUNCTION spm._refund_query(int, int) FROM PUBLIC;
/*
 * compensation/views.sql: results as they stand, the proof that they add up,
 * and what BI sees of them.
 */

CREATE OR REPLACE VIEW spm.standing_credit WITH (security_invoker = true) AS
SELECT c.* FROM spm.credit c
WHERE c.reverses_id IS NULL AND NOT EXISTS (SELECT FROM spm.credit r WHERE r.reverses_id = c.credit_id);
COMMENT ON VIEW spm.standing_credit IS 'Credits as they stand: originals that nothing has taken back.';
COMMENT ON COLUMN spm.standing_credit.credit_id IS 'Key.';
COMMENT ON COLUMN spm.standing_credit.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.standing_credit.period_id IS 'Period of the event date.';
COMMENT ON COLUMN spm.standing_credit.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.standing_credit.reverses_id IS 'Credit of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.standing_credit.position_id IS 'Position credited.';
COMMENT ON COLUMN spm.standing_credit.payee_id IS 'Who sat there on the event date. NULL: vacant.';
COMMENT ON COLUMN spm.standing_credit.kind IS 'direct: by ownership or split; rollup: from below in the reporting tree; overlay, team, territory: on top, by a rule; rolldown: from above in the tree.';
COMMENT ON COLUMN spm.standing_credit.origin_position_id IS 'Position that holds the direct credit: for kind direct this one.';
COMMENT ON COLUMN spm.standing_credit.level IS 'Levels above the direct credit, for kind rolldown below it; else 0.';
COMMENT ON COLUMN spm.standing_credit.share IS 'Share of the transaction: 0.6 is 60 %.';
COMMENT ON COLUMN spm.standing_credit.shares IS 'Shares of all who share in the transaction, in order. NULL: nobody shares.';
COMMENT ON COLUMN spm.standing_credit.share_no IS 'Place of this share in shares.';
COMMENT ON COLUMN spm.standing_credit.credited_amount IS 'Share of amount, apportioned by largest remainder; negative where a row is reversed. In currency_code.';
COMMENT ON COLUMN spm.standing_credit.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.standing_credit.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.standing_credit.line IS 'Its line; empty when the source has none.';
COMMENT ON COLUMN spm.standing_credit.event_date IS 'Its date.';
COMMENT ON COLUMN spm.standing_credit.type IS 'Its type.';
COMMENT ON COLUMN spm.standing_credit.owner_key IS 'payee_key that the credit goes by: the owner, or the sharer.';
COMMENT ON COLUMN spm.standing_credit.account_key IS 'Its account.';
COMMENT ON COLUMN spm.standing_credit.product_key IS 'Its product.';
COMMENT ON COLUMN spm.standing_credit.quantity IS 'Its quantity, whole, before it is shared.';
COMMENT ON COLUMN spm.standing_credit.amount IS 'Its amount, whole, before it is shared, in currency_code.';
COMMENT ON COLUMN spm.standing_credit.cost IS 'Its cost, whole.';
COMMENT ON COLUMN spm.standing_credit.list_amount IS 'Its amount at list price, whole.';
COMMENT ON COLUMN spm.standing_credit.currency_code IS 'Its currency.';
COMMENT ON COLUMN spm.standing_credit.attributes IS 'Its further attributes.';
COMMENT ON COLUMN spm.standing_credit.event IS 'booking, or the milestone that is credited: amount, quantity, cost and list_amount are then its part of the transaction, event_date its day.';
COMMENT ON COLUMN spm.standing_credit.reference_key IS 'Key of the transaction that it takes back.';
COMMENT ON COLUMN spm.standing_credit.rule IS 'Name of the rule or territory that credits on top; empty for kinds direct, rollup and rolldown.';
COMMENT ON COLUMN spm.standing_credit.factor IS 'What its share is multiplied by: the share of an overlay or a territory, the roll-up factor; else 1.';
COMMENT ON COLUMN spm.standing_credit.part_no IS 'Which of part_count equal parts it is.';
COMMENT ON COLUMN spm.standing_credit.part_count IS 'Equal parts that it is divided into: members of a team; 1: not divided.';

CREATE OR REPLACE VIEW spm.standing_measurement WITH (security_invoker = true) AS
SELECT m.* FROM spm.measurement m
WHERE m.reverses_id IS NULL AND NOT EXISTS (SELECT FROM spm.measurement r WHERE r.reverses_id = m.measurement_id);
COMMENT ON VIEW spm.standing_measurement IS 'Measurements as they stand.';
COMMENT ON COLUMN spm.standing_measurement.measurement_id IS 'Key.';
COMMENT ON COLUMN spm.standing_measurement.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.standing_measurement.period_id IS 'Period measured.';
COMMENT ON COLUMN spm.standing_measurement.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.standing_measurement.reverses_id IS 'Measurement of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.standing_measurement.component_id IS 'Component.';
COMMENT ON COLUMN spm.standing_measurement.position_id IS 'Position.';
COMMENT ON COLUMN spm.standing_measurement.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.standing_measurement.credit_count IS 'Credits of the period that count.';
COMMENT ON COLUMN spm.standing_measurement.opening_amount IS 'What had accumulated before the period; 0 unless the component accumulates over a longer one.';
COMMENT ON COLUMN spm.standing_measurement.amount IS 'Measured in the period, in the currency of the plan or the unit of the measure.';
COMMENT ON COLUMN spm.standing_measurement.quota_amount IS 'Quota of the span that the component accumulates over. NULL: none.';
COMMENT ON COLUMN spm.standing_measurement.factor IS 'What all rates are multiplied by: the component''s variable times its modifiers; 1 when it has none.';
COMMENT ON COLUMN spm.standing_measurement.schedule_id IS 'Rate schedule, with quota and factor worked in.';
COMMENT ON COLUMN spm.standing_measurement.earned_amount IS 'What the totals earn by the schedule: the deals must add up to it.';
COMMENT ON COLUMN spm.standing_measurement.earned_before IS 'True-up: what the earlier periods of the span have earned; else 0.';
COMMENT ON COLUMN spm.standing_measurement.because IS 'How quota, factor and limits came about, in words.';

CREATE OR REPLACE VIEW spm.standing_earning WITH (security_invoker = true) AS
SELECT e.* FROM spm.earning e
WHERE e.reverses_id IS NULL AND NOT EXISTS (SELECT FROM spm.earning r WHERE r.reverses_id = e.earning_id);
COMMENT ON VIEW spm.standing_earning IS 'Deal earnings as they stand.';
COMMENT ON COLUMN spm.standing_earning.earning_id IS 'Key.';
COMMENT ON COLUMN spm.standing_earning.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.standing_earning.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.standing_earning.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.standing_earning.reverses_id IS 'Earning of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.standing_earning.component_id IS 'Component.';
COMMENT ON COLUMN spm.standing_earning.position_id IS 'Position.';
COMMENT ON COLUMN spm.standing_earning.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.standing_earning.credit_id IS 'Credit it is for.';
COMMENT ON COLUMN spm.standing_earning.exchange_rate IS 'Rate from the currency of the transaction to that of the plan on the event date; 1 when they are the same.';
COMMENT ON COLUMN spm.standing_earning.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure; negative where a row is reversed.';
COMMENT ON COLUMN spm.standing_earning.from_total IS 'Running total before the deal; after it: from_total + base_amount.';
COMMENT ON COLUMN spm.standing_earning.schedule_id IS 'Rate schedule, with quota and factor worked in.';
COMMENT ON COLUMN spm.standing_earning.amount IS 'What the deal earns, rounded, in the currency of the plan.';
COMMENT ON COLUMN spm.standing_earning.kind IS 'deal, total, true_up, rank, pool or refund.';

CREATE OR REPLACE VIEW spm.earning_slice WITH (security_invoker = true) AS
SELECT e.earning_id, e.posting_id, e.period_id, e.component_id, e.position_id, e.payee_id, e.credit_id, e.reverses_id,
       s.tier_no, s.kind, s.slice_from, s.slice_to, s.rate,
       CASE WHEN e.reverses_id IS NULL THEN s.base ELSE -s.base END AS base_amount,
       CASE WHEN e.reverses_id IS NULL THEN s.amount ELSE -s.amount END AS amount
FROM spm.earning e
JOIN spm.schedule k USING (schedule_id)
JOIN spm.component c USING (component_id)
CROSS JOIN LATERAL spm.commission_slice(k.schedule, e.from_total,
    e.from_total + CASE WHEN e.reverses_id IS NULL THEN e.base_amount ELSE -e.base_amount END, c.places, c.rounding) s
WHERE e.kind IN ('deal', 'total')
UNION ALL    -- what is not earned along the schedule: one slice
SELECT e.earning_id, e.posting_id, e.period_id, e.component_id, e.position_id, e.payee_id, e.credit_id, e.reverses_id,
       NULL, e.kind, NULL, NULL, NULL, e.base_amount, e.amount
FROM spm.earning e
WHERE e.kind NOT IN ('deal', 'total');
COMMENT ON VIEW spm.earning_slice IS 'One row per deal earning and tier it touches: what is earned there. Adds up to the earning.';
COMMENT ON COLUMN spm.earning_slice.earning_id IS 'Deal earning.';
COMMENT ON COLUMN spm.earning_slice.posting_id IS 'Posting that pays it.';
COMMENT ON COLUMN spm.earning_slice.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.earning_slice.component_id IS 'Component.';
COMMENT ON COLUMN spm.earning_slice.position_id IS 'Position.';
COMMENT ON COLUMN spm.earning_slice.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.earning_slice.credit_id IS 'Credit.';
COMMENT ON COLUMN spm.earning_slice.reverses_id IS 'Posted earning that the row takes back. NULL: an original.';
COMMENT ON COLUMN spm.earning_slice.tier_no IS 'Tier; 0 below the first.';
COMMENT ON COLUMN spm.earning_slice.kind IS 'true_up, rank, pool, refund: an earning that is one piece; tier: the deal at the rate of its tier; rerate: what earlier deals earn more or less; cap, floor: what these take or add.';
COMMENT ON COLUMN spm.earning_slice.slice_from IS 'Running total where the slice begins.';
COMMENT ON COLUMN spm.earning_slice.slice_to IS 'Running total where it ends.';
COMMENT ON COLUMN spm.earning_slice.rate IS 'Rate.';
COMMENT ON COLUMN spm.earning_slice.base_amount IS 'What of the deal lies in the slice.';
COMMENT ON COLUMN spm.earning_slice.amount IS 'What it earns there.';

-- One union and not joins, so that a condition on posting or period reaches every table.
CREATE OR REPLACE VIEW spm.reconciliation WITH (security_invoker = true) AS
SELECT r.posting_id, r.period_id, r.component_id, r.position_id, r.payee_id,
       sum(r.measured_base) AS measured_base, sum(r.earned_base) AS earned_base,
       sum(r.measured_amount) AS measured_amount, sum(r.earned_amount) AS earned_amount,
       sum(r.sliced_amount) AS sliced_amount, sum(r.paid_amount) AS paid_amount,
       sum(r.measured_base) = sum(r.earned_base) AND sum(r.measured_amount) = sum(r.earned_amount)
       AND sum(r.earned_amount) = sum(r.sliced_amount) AND sum(r.earned_amount) = sum(r.paid_amount) AS is_reconciled
FROM (
    SELECT m.posting_id, m.period_id, m.component_id, m.position_id, m.payee_id, m.amount AS measured_base, 0::numeric AS earned_base,
           m.earned_amount AS measured_amount, 0::numeric AS earned_amount, 0::numeric AS sliced_amount, 0::numeric AS paid_amount
    FROM spm.measurement m
    UNION ALL    -- what is taken back is no part of the totals
    SELECT e.posting_id, e.period_id, e.component_id, e.position_id, e.payee_id, 0, 0, e.amount, 0, 0, 0
    FROM spm.earning e WHERE e.kind = 'refund'
    UNION ALL
    SELECT e.posting_id, e.period_id, e.component_id, e.position_id, e.payee_id, 0, e.base_amount, 0, e.amount, 0, 0
    FROM spm.earning e
    UNION ALL
    SELECT s.posting_id, s.period_id, s.component_id, s.position_id, s.payee_id, 0, 0, 0, 0, s.amount, 0
    FROM spm.earning_slice s
    UNION ALL
    SELECT o.posting_id, o.period_id, o.component_id, o.position_id, o.payee_id, 0, 0, 0, 0, 0, o.amount
    FROM spm.payout o WHERE o.kind = 'earning'
) r
GROUP BY r.posting_id, r.period_id, r.component_id, r.position_id, r.payee_id;
COMMENT ON VIEW spm.reconciliation IS 'One row per posting, period of earning, component, position and payee: what the totals earn, what the deals earn, what their slices add up to, and what is paid for them, before pay rules, holds and adjustments. is_reconciled is true in every row, or something is wrong.';
COMMENT ON COLUMN spm.reconciliation.posting_id IS 'Posting that pays it.';
COMMENT ON COLUMN spm.reconciliation.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.reconciliation.component_id IS 'Component.';
COMMENT ON COLUMN spm.reconciliation.position_id IS 'Position.';
COMMENT ON COLUMN spm.reconciliation.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.reconciliation.measured_base IS 'Measured, from the totals.';
COMMENT ON COLUMN spm.reconciliation.earned_base IS 'Measured, added up from the deals.';
COMMENT ON COLUMN spm.reconciliation.measured_amount IS 'Earned, from the totals, less what refunds take back of earlier deals.';
COMMENT ON COLUMN spm.reconciliation.earned_amount IS 'Earned, added up from the deals.';
COMMENT ON COLUMN spm.reconciliation.sliced_amount IS 'Earned, added up from the tier slices.';
COMMENT ON COLUMN spm.reconciliation.paid_amount IS 'Paid.';
COMMENT ON COLUMN spm.reconciliation.is_reconciled IS 'Whether all agree.';

-- ------------------------------------------------------------------- for BI

CREATE OR REPLACE VIEW spm_bi.credit WITH (security_invoker = true) AS
SELECT c.credit_id, c.period_id, p.name AS period_name, lower(p.span) AS period_start,
       pp.period_id AS paid_period_id, pp.name AS paid_period_name, o.state = 'posted' AS is_posted,
       c.reverses_id IS NOT NULL AS is_reversal,
       c.payee_id, y.payee_key, y.name AS payee_name, c.position_id, s.name AS position_name,
       c.kind AS credit_kind, c.level::int AS level, s0.name AS origin_position_name,
       c.share::numeric(12,6) AS share_ratio, c.source, c.transaction_key, c.line, c.event_date, c.type AS transaction_type,
       c.account_key, c.product_key, c.amount::numeric(24,6) AS transaction_amount,
       c.credited_amount::numeric(24,6) AS credited_amount, c.currency_code, c.run_id,
       c.event, c.rule, c.reference_key, c.factor::numeric(18,6) AS factor, c.part_count
FROM spm.credit c
JOIN spm.period p ON p.period_id = c.period_id
JOIN spm.posting o ON o.posting_id = c.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.position s ON s.position_id = c.position_id
JOIN spm.position s0 ON s0.position_id = c.origin_position_id
LEFT JOIN spm.payee y ON y.payee_id = c.payee_id;
COMMENT ON VIEW spm_bi.credit IS 'One row per transaction line and position credited, and one more for each that takes back a posted one.';
COMMENT ON COLUMN spm_bi.credit.credit_id IS 'Credit.';
COMMENT ON COLUMN spm_bi.credit.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.credit.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.credit.period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.credit.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.credit.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.credit.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.credit.is_reversal IS 'Whether the row takes back a posted one; its amounts are negative.';
COMMENT ON COLUMN spm_bi.credit.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.credit.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.credit.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.credit.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.credit.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.credit.credit_kind IS 'direct, rollup, overlay, team, territory or rolldown.';
COMMENT ON COLUMN spm_bi.credit.level IS 'Levels above the direct credit, for kind rolldown below it; else 0.';
COMMENT ON COLUMN spm_bi.credit.origin_position_name IS 'Position that holds the direct credit.';
COMMENT ON COLUMN spm_bi.credit.share_ratio IS 'Share of the transaction: 0.6 is 60 %. Not additive.';
COMMENT ON COLUMN spm_bi.credit.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.credit.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.credit.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.credit.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.credit.transaction_type IS 'Type of the transaction.';
COMMENT ON COLUMN spm_bi.credit.account_key IS 'Account.';
COMMENT ON COLUMN spm_bi.credit.product_key IS 'Product.';
COMMENT ON COLUMN spm_bi.credit.transaction_amount IS 'Amount of the whole transaction, in its own currency. Not additive: it repeats for each credit.';
COMMENT ON COLUMN spm_bi.credit.credited_amount IS 'Credited, in currency_code. Additive within a currency and credit kind.';
COMMENT ON COLUMN spm_bi.credit.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.credit.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm_bi.credit.event IS 'booking, or the milestone that is credited, such as invoice or payment.';
COMMENT ON COLUMN spm_bi.credit.rule IS 'Rule or territory that credits on top; empty for kinds direct, rollup and rolldown.';
COMMENT ON COLUMN spm_bi.credit.reference_key IS 'Key of the transaction that it takes back.';
COMMENT ON COLUMN spm_bi.credit.factor IS 'Roll-up factor, or share of an overlay; else 1. Not additive.';
COMMENT ON COLUMN spm_bi.credit.part_count IS 'Equal parts that it is divided into; 1: not divided. Not additive.';

CREATE OR REPLACE VIEW spm_bi.uncredited WITH (security_invoker = true) AS
SELECT u.period_id, p.name AS period_name, u.source, u.transaction_key, u.line, u.owner_key, u.event_date,
       u.amount::numeric(24,6) AS transaction_amount, u.currency_code, u.reason
FROM spm.uncredited u
JOIN spm.period p USING (period_id);
COMMENT ON VIEW spm_bi.uncredited IS 'One row per transaction line and claimed owner that nobody could be credited for, as of the last calculation.';
COMMENT ON COLUMN spm_bi.uncredited.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.uncredited.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.uncredited.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.uncredited.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.uncredited.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.uncredited.owner_key IS 'Owner or sharer that is not known; empty when there is none.';
COMMENT ON COLUMN spm_bi.uncredited.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.uncredited.transaction_amount IS 'Amount of the whole transaction, in its own currency. Not additive: it repeats for each credit.';
COMMENT ON COLUMN spm_bi.uncredited.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.uncredited.reason IS 'Why nobody was credited.';

CREATE OR REPLACE VIEW spm_bi.attainment WITH (security_invoker = true) AS
SELECT m.measurement_id, m.period_id, p.name AS period_name, lower(p.span) AS period_start,
       m.payee_id, y.payee_key, y.name AS payee_name, m.position_id, s.name AS position_name,
       n.name AS plan_name, v.version_no AS plan_version_no, c.component_no, c.name AS component_name, q.name AS measure_name,
       m.credit_count, m.opening_amount::numeric(24,6) AS opening_amount, m.amount::numeric(24,6) AS credited_amount,
       m.quota_amount::numeric(24,6) AS quota_amount,
       spm.attainment(m.opening_amount + m.amount, m.quota_amount, 6)::numeric(18,6) AS attainment_ratio,
       m.earned_amount::numeric(20,4) AS earned_amount, n.currency_code, m.run_id
FROM spm.standing_measurement m
JOIN spm.period p ON p.period_id = m.period_id
JOIN spm.payee y ON y.payee_id = m.payee_id
JOIN spm.position s ON s.position_id = m.position_id
JOIN spm.component c ON c.component_id = m.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id
LEFT JOIN spm.measure q ON q.measure_id = c.measure_id;
COMMENT ON VIEW spm_bi.attainment IS 'One row per period, payee, position and component, as it stands now: what was credited, the quota, and how far it is reached.';
COMMENT ON COLUMN spm_bi.attainment.measurement_id IS 'Measurement.';
COMMENT ON COLUMN spm_bi.attainment.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.attainment.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.attainment.period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.attainment.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.attainment.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.attainment.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.attainment.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.attainment.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.attainment.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.attainment.plan_version_no IS 'Version of the plan.';
COMMENT ON COLUMN spm_bi.attainment.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.attainment.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.attainment.measure_name IS 'Measure of the quota. NULL: none.';
COMMENT ON COLUMN spm_bi.attainment.credit_count IS 'Credits that count. Additive.';
COMMENT ON COLUMN spm_bi.attainment.opening_amount IS 'Accumulated before the period. Not additive.';
COMMENT ON COLUMN spm_bi.attainment.credited_amount IS 'Credited, in currency_code. Additive within a currency and credit kind.';
COMMENT ON COLUMN spm_bi.attainment.quota_amount IS 'Quota of all that the component accumulates over. Additive over payees only.';
COMMENT ON COLUMN spm_bi.attainment.attainment_ratio IS 'opening plus credited amount, divided by quota: 1 is 100 %. NULL without a quota. Not additive: divide the sums.';
COMMENT ON COLUMN spm_bi.attainment.earned_amount IS 'Earned, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.attainment.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.attainment.run_id IS 'Run that wrote it.';

CREATE OR REPLACE VIEW spm_bi.earning WITH (security_invoker = true) AS
SELECT e.earning_id, e.period_id, p.name AS period_name, lower(p.span) AS period_start,
       pp.period_id AS paid_period_id, pp.name AS paid_period_name, o.state = 'posted' AS is_posted,
       e.reverses_id IS NOT NULL AS is_reversal,
       e.payee_id, y.payee_key, y.name AS payee_name, e.position_id, s.name AS position_name,
       n.name AS plan_name, v.version_no AS plan_version_no, c.component_no, c.name AS component_name,
       e.credit_id, t.source, t.transaction_key, t.line, t.event_date,
       e.exchange_rate::numeric(24,10) AS exchange_rate, e.base_amount::numeric(24,6) AS base_amount,
       e.from_total::numeric(24,6) AS from_total, e.amount::numeric(20,4) AS earned_amount, n.currency_code, e.run_id,
       e.kind AS earning_kind
FROM spm.earning e
LEFT JOIN spm.credit t ON t.credit_id = e.credit_id
JOIN spm.period p ON p.period_id = e.period_id
JOIN spm.posting o ON o.posting_id = e.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.payee y ON y.payee_id = e.payee_id
JOIN spm.position s ON s.position_id = e.position_id
JOIN spm.component c ON c.component_id = e.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id;
COMMENT ON VIEW spm_bi.earning IS 'One row per component and deal: what the deal earned; one per component and seat for what is not of a single deal; and one more for each that takes back a posted one.';
COMMENT ON COLUMN spm_bi.earning.earning_id IS 'Deal earning.';
COMMENT ON COLUMN spm_bi.earning.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.earning.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.earning.period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.earning.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.earning.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.earning.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.earning.is_reversal IS 'Whether the row takes back a posted one; its amounts are negative.';
COMMENT ON COLUMN spm_bi.earning.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.earning.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.earning.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.earning.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.earning.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.earning.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.earning.plan_version_no IS 'Version of the plan.';
COMMENT ON COLUMN spm_bi.earning.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.earning.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.earning.credit_id IS 'Credit. NULL: not of a single deal.';
COMMENT ON COLUMN spm_bi.earning.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.earning.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.earning.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.earning.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.earning.exchange_rate IS 'From the currency of the transaction to that of the plan. Not additive.';
COMMENT ON COLUMN spm_bi.earning.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure. Additive.';
COMMENT ON COLUMN spm_bi.earning.from_total IS 'Running total before the deal. Not additive.';
COMMENT ON COLUMN spm_bi.earning.earned_amount IS 'Earned, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.earning.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.earning.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm_bi.earning.earning_kind IS 'deal, refund: of a deal; total, true_up, rank, pool: not of a single one.';

CREATE OR REPLACE VIEW spm_bi.payout WITH (security_invoker = true) AS
SELECT x.payout_id, pp.period_id AS paid_period_id, pp.name AS paid_period_name, lower(pp.span) AS paid_period_start,
       o.state = 'posted' AS is_posted, x.period_id, p.name AS period_name, x.period_id <> pp.period_id AS is_difference,
       x.payee_id, y.payee_key, y.name AS payee_name, x.position_id, s.name AS position_name,
       n.name AS plan_name, c.component_no, c.name AS component_name,
       x.amount::numeric(20,4) AS paid_amount, x.currency_code, x.run_id, x.kind, r.name AS pay_rule_name, x.reason
FROM spm.payout x
JOIN spm.posting o ON o.posting_id = x.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = x.period_id
JOIN spm.payee y ON y.payee_id = x.payee_id
LEFT JOIN spm.position s ON s.position_id = x.position_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
LEFT JOIN spm.plan n ON n.plan_id = x.plan_id
LEFT JOIN spm.pay_rule r ON r.pay_rule_id = x.pay_rule_id;
COMMENT ON VIEW spm_bi.payout IS 'One row per paying period, payee, component and period of earning: what is paid; and rows beside them for what pay rules, holds and adjustments add or take away.';
COMMENT ON COLUMN spm_bi.payout.payout_id IS 'Payout. NULL while a difference nets to zero.';
COMMENT ON COLUMN spm_bi.payout.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.payout.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.payout.paid_period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.payout.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.payout.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.payout.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.payout.is_difference IS 'Whether it corrects an earlier, posted period.';
COMMENT ON COLUMN spm_bi.payout.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.payout.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.payout.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.payout.position_id IS 'Position. NULL: not of one position.';
COMMENT ON COLUMN spm_bi.payout.position_name IS 'Name of the position. NULL: not of one position.';
COMMENT ON COLUMN spm_bi.payout.plan_name IS 'Plan. NULL: an adjustment beside all plans.';
COMMENT ON COLUMN spm_bi.payout.component_no IS 'Order of the component on the statement. NULL: not of one component.';
COMMENT ON COLUMN spm_bi.payout.component_name IS 'Component of the plan. NULL: not of one component.';
COMMENT ON COLUMN spm_bi.payout.paid_amount IS 'Paid, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.payout.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.payout.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm_bi.payout.kind IS 'earning: what was earned; others add to it or take away: budget, cap, carried, holdback, guarantee, draw, recovery, forgiveness, negative, adjustment, hold, release.';
COMMENT ON COLUMN spm_bi.payout.pay_rule_name IS 'Pay rule that it comes from. NULL: none.';
COMMENT ON COLUMN spm_bi.payout.reason IS 'Why, in words. NULL: the kind says it.';

CREATE OR REPLACE VIEW spm_bi.statement WITH (security_invoker = true) AS
SELECT pp.period_id AS paid_period_id, pp.name AS paid_period_name, lower(pp.span) AS paid_period_start, o.state = 'posted' AS is_posted,
       l.period_id, p.name AS period_name, l.period_id <> pp.period_id AS is_difference,
       l.payee_id, y.payee_key, y.name AS payee_name, l.position_id, s.name AS position_name,
       n.name AS plan_name, v.version_no AS plan_version_no, c.component_no, c.name AS component_name,
       l.tier_no, l.kind AS slice_kind, k.from_value::numeric(24,6) AS tier_from, k.to_value::numeric(24,6) AS tier_to, c.tier_basis,
       l.rate::numeric(18,8) AS rate, l.deal_count, l.base_amount::numeric(24,6) AS base_amount,
       l.amount::numeric(20,4) AS earned_amount, n.currency_code,
       'earning' AS payout_kind, NULL::text AS pay_rule_name, l.amount::numeric(20,4) AS paid_amount
FROM (SELECT e.posting_id, e.period_id, e.payee_id, e.position_id, e.component_id, e.tier_no, e.kind, e.rate,
             count(DISTINCT e.credit_id) AS deal_count, sum(e.base_amount) AS base_amount, sum(e.amount) AS amount
      FROM spm.earning_slice e
      GROUP BY e.posting_id, e.period_id, e.payee_id, e.position_id, e.component_id, e.tier_no, e.kind, e.rate) l
JOIN spm.posting o ON o.posting_id = l.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = l.period_id
JOIN spm.payee y ON y.payee_id = l.payee_id
JOIN spm.position s ON s.position_id = l.position_id
JOIN spm.component c ON c.component_id = l.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id
LEFT JOIN LATERAL (
    SELECT lower(t.bounds) AS from_value, upper(t.bounds) AS to_value
    FROM spm.tier t WHERE t.component_id = l.component_id
    ORDER BY lower(t.bounds) OFFSET greatest(l.tier_no, 1) - 1 LIMIT 1) k ON l.tier_no > 0
UNION ALL    -- what pay rules, holds and adjustments make of it
SELECT pp.period_id, pp.name, lower(pp.span), o.state = 'posted', x.period_id, p.name, x.period_id <> pp.period_id,
       x.payee_id, y.payee_key, y.name, x.position_id, s.name, n.name, v.version_no, c.component_no, c.name,
       NULL::int, NULL::text, NULL::numeric(24,6), NULL::numeric(24,6), NULL::text, NULL::numeric(18,8), NULL::bigint, NULL::numeric(24,6), NULL::numeric(20,4),
       x.currency_code, x.kind, r.name, x.amount::numeric(20,4)
FROM spm.payout x
JOIN spm.posting o ON o.posting_id = x.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = x.period_id
JOIN spm.payee y ON y.payee_id = x.payee_id
LEFT JOIN spm.plan n ON n.plan_id = x.plan_id
LEFT JOIN spm.pay_rule r ON r.pay_rule_id = x.pay_rule_id
LEFT JOIN spm.position s ON s.position_id = x.position_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
LEFT JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
WHERE x.kind <> 'earning';
COMMENT ON VIEW spm_bi.statement IS 'One row per line of a statement: paying period, payee, component, period of earning, tier and rate; and what pay rules, holds and adjustments make of it.';
COMMENT ON COLUMN spm_bi.statement.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.statement.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.statement.paid_period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.statement.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.statement.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.statement.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.statement.is_difference IS 'Whether it corrects an earlier, posted period.';
COMMENT ON COLUMN spm_bi.statement.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.statement.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.statement.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.statement.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.statement.position_name IS 'Name of the position.';
COMMENT ON COLUMN spm_bi.statement.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.statement.plan_version_no IS 'Version of the plan.';
COMMENT ON COLUMN spm_bi.statement.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.statement.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.statement.tier_no IS 'Tier of the rates; 0 below the first.';
COMMENT ON COLUMN spm_bi.statement.slice_kind IS 'tier: the deal at the rate of its tier; rerate: what earlier deals earn more or less; cap, floor: what these take or add.';
COMMENT ON COLUMN spm_bi.statement.tier_from IS 'Where the tier begins, in tier_basis. Not additive.';
COMMENT ON COLUMN spm_bi.statement.tier_to IS 'Where it ends; NULL: it does not.';
COMMENT ON COLUMN spm_bi.statement.tier_basis IS 'amount: tiers are amounts; quota: shares of quota.';
COMMENT ON COLUMN spm_bi.statement.rate IS 'Rate: 0.08 is 8 %. Not additive.';
COMMENT ON COLUMN spm_bi.statement.deal_count IS 'Deals in the line. Additive over tiers only with care: a deal can touch two.';
COMMENT ON COLUMN spm_bi.statement.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure. Additive.';
COMMENT ON COLUMN spm_bi.statement.earned_amount IS 'Earned, in currency_code; NULL for what is not earned. Additive within a currency.';
COMMENT ON COLUMN spm_bi.statement.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.statement.payout_kind IS 'earning: what was earned; others add to it or take away: cap, draw, recovery, adjustment ...';
COMMENT ON COLUMN spm_bi.statement.pay_rule_name IS 'Pay rule. NULL: none.';
COMMENT ON COLUMN spm_bi.statement.paid_amount IS 'Paid: earned, or what a pay rule, hold or adjustment adds or takes. Additive within a currency; adds up to what is payable.';

CREATE OR REPLACE VIEW spm_bi.lineage WITH (security_invoker = true) AS
SELECT x.payout_id, e.earning_id, e.tier_no, e.kind AS slice_kind, e.credit_id,
       pp.period_id AS paid_period_id, pp.name AS paid_period_name, o.state = 'posted' AS is_posted,
       e.period_id, p.name AS period_name, e.reverses_id IS NOT NULL AS is_reversal,
       e.payee_id, y.payee_key, y.name AS payee_name, e.position_id, n.name AS plan_name, c.component_no, c.name AS component_name,
       e.slice_from::numeric(24,6) AS slice_from, e.slice_to::numeric(24,6) AS slice_to, e.rate::numeric(18,8) AS rate,
       e.base_amount::numeric(24,6) AS base_amount, e.amount::numeric(20,4) AS slice_amount, n.currency_code,
       t.kind AS credit_kind, t.level::int AS level, t.share::numeric(12,6) AS share_ratio,
       t.source, t.transaction_key, t.line, t.event_date, t.type AS transaction_type,
       t.amount::numeric(24,6) AS transaction_amount, t.currency_code AS transaction_currency_code,
       'earning' AS payout_kind, NULL::text AS pay_rule_name, e.amount::numeric(20,4) AS paid_amount
FROM spm.earning_slice e
LEFT JOIN spm.credit t ON t.credit_id = e.credit_id
LEFT JOIN spm.payout x ON (x.posting_id, x.period_id, x.payee_id, x.position_id, x.component_id, x.kind)
    = (e.posting_id, e.period_id, e.payee_id, e.position_id, e.component_id, 'earning')
JOIN spm.posting o ON o.posting_id = e.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = e.period_id
JOIN spm.payee y ON y.payee_id = e.payee_id
JOIN spm.component c ON c.component_id = e.component_id
JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id
UNION ALL    -- what pay rules, holds and adjustments make of it
SELECT x.payout_id, NULL, NULL, NULL, NULL, pp.period_id, pp.name, o.state = 'posted', x.period_id, p.name, false,
       x.payee_id, y.payee_key, y.name, x.position_id, n.name, c.component_no, c.name,
       NULL::numeric(24,6), NULL::numeric(24,6), NULL::numeric(18,8), NULL::numeric(24,6), NULL::numeric(20,4), x.currency_code,
       NULL::text, NULL::int, NULL::numeric(12,6), NULL::text, NULL::text, NULL::text, NULL::date, NULL::text, NULL::numeric(24,6), NULL::text,
       x.kind, r.name, x.amount::numeric(20,4)
FROM spm.payout x
JOIN spm.posting o ON o.posting_id = x.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = x.period_id
JOIN spm.payee y ON y.payee_id = x.payee_id
LEFT JOIN spm.plan n ON n.plan_id = x.plan_id
LEFT JOIN spm.pay_rule r ON r.pay_rule_id = x.pay_rule_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
WHERE x.kind <> 'earning';
COMMENT ON VIEW spm_bi.lineage IS 'One row per payout, deal and tier: every cent from what is paid back to the row of the source; and one per payout that is not earned but comes from a pay rule, a hold or an adjustment.';
COMMENT ON COLUMN spm_bi.lineage.payout_id IS 'Payout. NULL while a difference nets to zero.';
COMMENT ON COLUMN spm_bi.lineage.earning_id IS 'Deal earning.';
COMMENT ON COLUMN spm_bi.lineage.tier_no IS 'Tier of the rates; 0 below the first.';
COMMENT ON COLUMN spm_bi.lineage.slice_kind IS 'tier: the deal at the rate of its tier; rerate: what earlier deals earn more or less; cap, floor: what these take or add.';
COMMENT ON COLUMN spm_bi.lineage.credit_id IS 'Credit.';
COMMENT ON COLUMN spm_bi.lineage.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.lineage.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.lineage.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.lineage.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.lineage.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.lineage.is_reversal IS 'Whether the row takes back a posted one; its amounts are negative.';
COMMENT ON COLUMN spm_bi.lineage.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.lineage.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.lineage.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.lineage.position_id IS 'Position.';
COMMENT ON COLUMN spm_bi.lineage.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.lineage.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.lineage.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.lineage.slice_from IS 'Running total where the slice begins. Not additive.';
COMMENT ON COLUMN spm_bi.lineage.slice_to IS 'Running total where it ends. Not additive.';
COMMENT ON COLUMN spm_bi.lineage.rate IS 'Rate: 0.08 is 8 %. Not additive.';
COMMENT ON COLUMN spm_bi.lineage.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure. Additive.';
COMMENT ON COLUMN spm_bi.lineage.slice_amount IS 'Earned in the slice; NULL for what is not earned. Additive within a currency.';
COMMENT ON COLUMN spm_bi.lineage.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.lineage.credit_kind IS 'direct, rollup, overlay, team, territory or rolldown.';
COMMENT ON COLUMN spm_bi.lineage.level IS 'Levels above the direct credit, for kind rolldown below it; else 0.';
COMMENT ON COLUMN spm_bi.lineage.share_ratio IS 'Share of the transaction: 0.6 is 60 %. Not additive.';
COMMENT ON COLUMN spm_bi.lineage.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.lineage.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.transaction_type IS 'Type of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.transaction_amount IS 'Amount of the whole transaction, in its own currency. Not additive: it repeats for each credit.';
COMMENT ON COLUMN spm_bi.lineage.transaction_currency_code IS 'Currency of the transaction.';
COMMENT ON COLUMN spm_bi.lineage.payout_kind IS 'earning: what was earned; others add to it or take away: cap, draw, recovery, adjustment ...';
COMMENT ON COLUMN spm_bi.lineage.pay_rule_name IS 'Pay rule. NULL: none.';
COMMENT ON COLUMN spm_bi.lineage.paid_amount IS 'Paid: the slice, or what a pay rule, hold or adjustment adds or takes. Additive within a currency; adds up to what is payable.';

CREATE OR REPLACE VIEW spm_bi.reconciliation WITH (security_invoker = true) AS
SELECT pp.period_id AS paid_period_id, pp.name AS paid_period_name, r.period_id, p.name AS period_name, r.payee_id, y.payee_key, y.name AS payee_name,
       c.component_no, c.name AS component_name, r.measured_base::numeric(24,6) AS measured_base_amount,
       r.earned_base::numeric(24,6) AS deal_base_amount, r.measured_amount::numeric(20,4) AS measured_amount,
       r.earned_amount::numeric(20,4) AS earned_amount, r.sliced_amount::numeric(20,4) AS sliced_amount,
       r.paid_amount::numeric(20,4) AS paid_amount, r.is_reconciled
FROM spm.reconciliation r
JOIN spm.posting o ON o.posting_id = r.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = r.period_id
JOIN spm.payee y ON y.payee_id = r.payee_id
JOIN spm.component c ON c.component_id = r.component_id;
COMMENT ON VIEW spm_bi.reconciliation IS 'One row per paying period, period of earning, payee and component: the proof that totals, deals, slices and payout agree.';
COMMENT ON COLUMN spm_bi.reconciliation.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.reconciliation.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.reconciliation.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.reconciliation.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.reconciliation.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.reconciliation.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.reconciliation.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.reconciliation.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.reconciliation.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.reconciliation.measured_base_amount IS 'Measured, from the totals.';
COMMENT ON COLUMN spm_bi.reconciliation.deal_base_amount IS 'Measured, added up from the deals.';
COMMENT ON COLUMN spm_bi.reconciliation.measured_amount IS 'Earned, from the totals.';
COMMENT ON COLUMN spm_bi.reconciliation.earned_amount IS 'Earned, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.reconciliation.sliced_amount IS 'Earned, added up from the tier slices.';
COMMENT ON COLUMN spm_bi.reconciliation.paid_amount IS 'Paid, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.reconciliation.is_reconciled IS 'Whether all agree. Always true, or something is wrong.';
/*
 * compensation/views_acceptance.sql: the versions of plans, what
 * they say, and who has accepted them.
 */

CREATE OR REPLACE VIEW spm_bi.plan_acceptance WITH (security_invoker = true) AS
SELECT p.name AS plan_name, v.version_no, lower(v.span) AS since, upper(v.span) AS until, y.payee_id, y.payee_key, y.name AS payee_name,
       a.plan_acceptance_id IS NOT NULL AS is_accepted, a.accepted_at, a.accepted_by, a.document_hash
FROM spm.plan p
JOIN spm.plan_version v USING (plan_id)
CROSS JOIN LATERAL (SELECT DISTINCT s.payee_id FROM spm.plan_seat(v.plan_id, v.span) s) s
JOIN spm.payee y USING (payee_id)
LEFT JOIN spm.plan_acceptance a USING (plan_version_id, payee_id)
WHERE v.state <> 'draft';
COMMENT ON VIEW spm_bi.plan_acceptance IS 'One row per published version of a plan, payee on it, and acceptance; one row without acceptance for who has not accepted it.';
COMMENT ON COLUMN spm_bi.plan_acceptance.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.plan_acceptance.version_no IS 'Version.';
COMMENT ON COLUMN spm_bi.plan_acceptance.since IS 'First day of the version.';
COMMENT ON COLUMN spm_bi.plan_acceptance.until IS 'Day after its last. NULL: for good.';
COMMENT ON COLUMN spm_bi.plan_acceptance.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.plan_acceptance.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.plan_acceptance.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.plan_acceptance.is_accepted IS 'Whether the payee has accepted the version.';
COMMENT ON COLUMN spm_bi.plan_acceptance.accepted_at IS 'When.';
COMMENT ON COLUMN spm_bi.plan_acceptance.accepted_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm_bi.plan_acceptance.document_hash IS 'SHA-256 of the document that was accepted.';

CREATE OR REPLACE VIEW spm_bi.plan_version WITH (security_invoker = true) AS
SELECT p.name AS plan_name, v.version_no, v.state, lower(v.span) AS since, upper(v.span) AS until, k.name AS calendar_name, p.currency_code,
       (SELECT count(*) FROM spm.component c WHERE c.plan_version_id = v.plan_version_id) AS component_count,
       (SELECT count(*) FROM spm.pay_rule r WHERE r.plan_version_id = v.plan_version_id) AS pay_rule_count,
       v.published_at, v.published_by, v.content_hash
FROM spm.plan p
JOIN spm.plan_version v USING (plan_id)
JOIN spm.calendar k USING (calendar_id);
COMMENT ON VIEW spm_bi.plan_version IS 'One row per version of a plan. spm.plan_document() tells what it says, spm.plan_diff() what it changes.';
COMMENT ON COLUMN spm_bi.plan_version.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.plan_version.version_no IS 'Version.';
COMMENT ON COLUMN spm_bi.plan_version.state IS 'draft, published or retired. A retired version still prices the days of its span.';
COMMENT ON COLUMN spm_bi.plan_version.since IS 'First day.';
COMMENT ON COLUMN spm_bi.plan_version.until IS 'Day after the last. NULL: for good.';
COMMENT ON COLUMN spm_bi.plan_version.calendar_name IS 'Calendar whose periods it is calculated for.';
COMMENT ON COLUMN spm_bi.plan_version.currency_code IS 'Currency it measures and pays in.';
COMMENT ON COLUMN spm_bi.plan_version.component_count IS 'Number of components.';
COMMENT ON COLUMN spm_bi.plan_version.pay_rule_count IS 'Number of pay rules.';
COMMENT ON COLUMN spm_bi.plan_version.published_at IS 'When it was published.';
COMMENT ON COLUMN spm_bi.plan_version.published_by IS 'Login that published it.';
COMMENT ON COLUMN spm_bi.plan_version.content_hash IS 'SHA-256 of all that it says, taken at publishing; equal wherever the same is said.';
/*
 * compensation/views_capitalization.sql: the asset that commissions are, month
 * by month, derived from the ledger.
 */

CREATE OR REPLACE VIEW spm.contract_cost_lot WITH (security_invoker = true) AS
SELECT l.posting_id, l.is_posted, l.paid_period_id, l.capitalization_id, l.plan_id, l.component_name, l.payee_id,
       l.source, l.transaction_key, l.line, l.type AS transaction_type, l.event_date, l.currency_code, l.months, l.is_term,
       l.is_expedient AND l.months <= 12 AS is_expensed, l.first_month, l.amount, l.booked_month,
       (spm._month(l.event_date) + make_interval(months => greatest(b.booked_no, b.last_no)))::date AS last_month,
       b.booked_no, greatest(b.booked_no, b.last_no) AS last_no, b.unit, b.first_units, l.months * b.unit AS units,
       -- spread over what is left: as though the months before had not been there
       CASE WHEN l.late = 'catch-up' OR b.booked_no = 0 THEN 0 ELSE least(l.months * b.unit, b.first_units + (b.booked_no - 1) * b.unit) END AS passed_units
FROM (SELECT e.posting_id, o.state = 'posted' AS is_posted, o.period_id AS paid_period_id, k.capitalization_id,
             v.plan_id, m.name AS component_name, e.payee_id, c.source, d.transaction_key, d.line, d.type, d.event_date, n.currency_code,
             greatest(spm._month(c.event_date), spm._month(lower(w.span))) AS booked_month,
             coalesce(t.term, k.months) AS months, t.term IS NOT NULL AS is_term, k.is_expedient, k.first_month,
             CASE WHEN r.transaction_key IS NULL THEN k.late WHEN m.refund = 'unearned' THEN 'prospective' ELSE 'catch-up' END AS late,
             sum(e.amount) AS amount
      FROM spm.earning e
      JOIN spm.posting o USING (posting_id)
      JOIN spm.period w ON w.period_id = o.period_id
      JOIN spm.component m ON m.component_id = e.component_id
      JOIN spm.plan_version v USING (plan_version_id)
      JOIN spm.plan n USING (plan_id)
      JOIN spm.credit c ON c.credit_id = e.credit_id
      -- what takes a deal back belongs to the asset of that deal, as it stood then: booked or paid, as the component goes by
      LEFT JOIN LATERAL (
          SELECT x.transaction_key, x.line, x.type, x.event_date, x.attributes FROM spm.credit x
          WHERE x.transaction_key = c.reference_key AND x.source = c.source AND x.event = m.event AND x.posting_id <= e.posting_id
          ORDER BY x.line = c.line DESC, x.line, x.posting_id DESC, x.reverses_id NULLS FIRST LIMIT 1) r ON true
      CROSS JOIN LATERAL (
          SELECT coalesce(r.transaction_key, c.transaction_key) AS transaction_key, coalesce(r.line, c.line) AS line, coalesce(r.type, c.type) AS type,
                 coalesce(r.event_date, c.event_date) AS event_date, coalesce(r.attributes, c.attributes) AS attributes) d
      CROSS JOIN LATERAL (
          SELECT x.* FROM spm.capitalization x
          WHERE x.plan_id = v.plan_id AND x.component_name IN (m.name, '') AND x.transaction_type IN (d.type, '') AND x.span @> d.event_date
          ORDER BY x.component_name = '', x.transaction_type = '' LIMIT 1) k
      CROSS JOIN LATERAL (
          SELECT CASE WHEN d.attributes ->> k.term_attribute ~ '^0*[1-9][0-9]{0,2}(\.0*)?$|^1[01][0-9]{2}(\.0*)?$|^1200(\.0*)?$'
                      THEN (d.attributes ->> k.term_attribute)::numeric::int END AS term) t
      GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19
      HAVING sum(e.amount) <> 0) l
CROSS JOIN LATERAL (
    SELECT spm._month_no(l.booked_month) - spm._month_no(l.event_date) AS booked_no, spm._last_no(l.event_date, l.first_month, l.months) AS last_no,
           spm._month_unit(l.event_date, l.first_month) AS unit, spm._first_units(l.event_date, l.first_month) AS first_units) b;
COMMENT ON VIEW spm.contract_cost_lot IS 'One row per posting, deal line, payee and component that is a cost of obtaining a contract: what it adds to the asset, and how that is spread. A later posting adds only its difference.';
COMMENT ON COLUMN spm.contract_cost_lot.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.contract_cost_lot.is_posted IS 'Whether that is closed.';
COMMENT ON COLUMN spm.contract_cost_lot.paid_period_id IS 'Period of the posting.';
COMMENT ON COLUMN spm.contract_cost_lot.capitalization_id IS 'Row of spm.capitalization that says so.';
COMMENT ON COLUMN spm.contract_cost_lot.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.contract_cost_lot.component_name IS 'Component.';
COMMENT ON COLUMN spm.contract_cost_lot.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.contract_cost_lot.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.contract_cost_lot.transaction_key IS 'Its key; of a refund, that of the deal which it takes back.';
COMMENT ON COLUMN spm.contract_cost_lot.line IS 'Its line.';
COMMENT ON COLUMN spm.contract_cost_lot.transaction_type IS 'Its type.';
COMMENT ON COLUMN spm.contract_cost_lot.event_date IS 'Its date, on which the spreading starts.';
COMMENT ON COLUMN spm.contract_cost_lot.currency_code IS 'Currency of the plan.';
COMMENT ON COLUMN spm.contract_cost_lot.months IS 'Months it is spread over.';
COMMENT ON COLUMN spm.contract_cost_lot.is_term IS 'Whether they are the term of the contract; else the benefit period.';
COMMENT ON COLUMN spm.contract_cost_lot.is_expensed IS 'Whether it is expensed at once, as it is spread over twelve months or less.';
COMMENT ON COLUMN spm.contract_cost_lot.first_month IS 'How the first month counts.';
COMMENT ON COLUMN spm.contract_cost_lot.amount IS 'What is earned, in the currency of the plan; negative where a difference takes back.';
COMMENT ON COLUMN spm.contract_cost_lot.booked_month IS 'Month in which the asset grows: that of the deal or refund, or for a difference the first of the period that pays it.';
COMMENT ON COLUMN spm.contract_cost_lot.last_month IS 'Month in which the last part is amortised.';
COMMENT ON COLUMN spm.contract_cost_lot.booked_no IS 'Months from that of the deal to the one in which it is booked.';
COMMENT ON COLUMN spm.contract_cost_lot.last_no IS 'Months from that of the deal to the last one.';
COMMENT ON COLUMN spm.contract_cost_lot.unit IS 'Parts of a month: its days, two, or one.';
COMMENT ON COLUMN spm.contract_cost_lot.first_units IS 'Parts that count in the month of the deal.';
COMMENT ON COLUMN spm.contract_cost_lot.units IS 'Parts of months in all.';
COMMENT ON COLUMN spm.contract_cost_lot.passed_units IS 'Parts of months that had passed before a difference that is spread over the rest.';

CREATE OR REPLACE VIEW spm.contract_cost_month WITH (security_invoker = true) AS
WITH impaired AS (      -- what is kept of a schedule, month by month
    SELECT i.source, i.transaction_key, i.line, i.kept,
           daterange(spm._month(i.impaired_on), lead(spm._month(i.impaired_on)) OVER (
               PARTITION BY i.source, i.transaction_key, i.line ORDER BY i.impairment_id)) AS months
    FROM spm.impairment i
)
SELECT l.posting_id, l.is_posted, l.plan_id, l.component_name, l.payee_id, l.source, l.transaction_key, l.line, l.event_date, l.currency_code, m.month,
       CASE WHEN m.no = l.booked_no THEN l.amount ELSE 0 END AS added_amount,
       v.before - v.scheduled AS amortized_amount, v.scheduled - v.carrying AS impaired_amount, v.carrying AS carrying_amount
FROM spm.contract_cost_lot l
JOIN spm.currency u ON u.currency_code = l.currency_code
-- OFFSET 0: what follows uses these more than once, and they are not to be computed again
CROSS JOIN LATERAL (
    SELECT g.no, (spm._month(l.event_date) + make_interval(months => g.no))::date AS month,
           CASE WHEN l.units = l.passed_units THEN 0
                ELSE l.amount * (l.units - least(l.units, l.first_units + g.no * l.unit)) / (l.units - l.passed_units) END AS scheduled,
           CASE WHEN g.no > l.booked_no    -- else all of it is still there
                THEN l.amount * (l.units - least(l.units, l.first_units + (g.no - 1) * l.unit)) / (l.units - l.passed_units) END AS scheduled_before
    FROM generate_series(l.booked_no, l.last_no) g(no) OFFSET 0) m
LEFT JOIN impaired a ON a.source = l.source AND a.transaction_key = l.transaction_key AND a.line = l.line AND a.months @> m.month
LEFT JOIN impaired b ON b.source = l.source AND b.transaction_key = l.transaction_key AND b.line = l.line AND b.months @> (m.month - interval '1 month')::date
CROSS JOIN LATERAL (
    SELECT coalesce(spm.rounded(CASE WHEN b.kept IS NULL THEN m.scheduled_before ELSE m.scheduled_before * b.kept END, u.minor_digits), l.amount) AS before,
           spm.rounded(CASE WHEN b.kept IS NULL OR m.no = l.booked_no THEN m.scheduled ELSE m.scheduled * b.kept END, u.minor_digits) AS scheduled,
           spm.rounded(CASE WHEN a.kept IS NULL THEN m.scheduled ELSE m.scheduled * a.kept END, u.minor_digits) AS carrying OFFSET 0) v
WHERE NOT l.is_expensed;
COMMENT ON VIEW spm.contract_cost_month IS 'One row per month of every row of spm.contract_cost_lot that is an asset. What is carried is rounded; what is amortised and written off is the difference to it, so that all of it adds up.';
COMMENT ON COLUMN spm.contract_cost_month.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.contract_cost_month.is_posted IS 'Whether that is closed.';
COMMENT ON COLUMN spm.contract_cost_month.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.contract_cost_month.component_name IS 'Component.';
COMMENT ON COLUMN spm.contract_cost_month.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.contract_cost_month.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.contract_cost_month.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.contract_cost_month.line IS 'Its line.';
COMMENT ON COLUMN spm.contract_cost_month.event_date IS 'Its date.';
COMMENT ON COLUMN spm.contract_cost_month.currency_code IS 'Currency of the plan.';
COMMENT ON COLUMN spm.contract_cost_month.month IS 'First day of the month.';
COMMENT ON COLUMN spm.contract_cost_month.added_amount IS 'What the asset grows by in the month.';
COMMENT ON COLUMN spm.contract_cost_month.amortized_amount IS 'What is amortised in it.';
COMMENT ON COLUMN spm.contract_cost_month.impaired_amount IS 'What is written off at its end.';
COMMENT ON COLUMN spm.contract_cost_month.carrying_amount IS 'What is left of the asset after that.';

-- ------------------------------------------------------------------- for BI

CREATE OR REPLACE VIEW spm_bi.contract_cost WITH (security_invoker = true) AS
SELECT n.name AS plan_name, l.component_name, l.payee_id, y.payee_key, y.name AS payee_name, l.source, l.transaction_key, l.line,
       l.transaction_type, l.event_date, l.is_posted, NOT l.is_expensed AS is_capitalized, l.months, l.is_term AS is_contract_term,
       min(l.booked_month) AS first_booked_month, max(l.last_month) AS last_month,
       sum(l.amount)::numeric(20,4) AS earned_amount, (CASE WHEN l.is_expensed THEN 0 ELSE sum(l.amount) END)::numeric(20,4) AS asset_amount,
       l.currency_code
FROM spm.contract_cost_lot l
JOIN spm.plan n ON n.plan_id = l.plan_id
JOIN spm.payee y ON y.payee_id = l.payee_id
GROUP BY n.name, l.component_name, l.payee_id, y.payee_key, y.name, l.source, l.transaction_key, l.line, l.transaction_type, l.event_date,
         l.is_posted, l.is_expensed, l.months, l.is_term, l.currency_code;
COMMENT ON VIEW spm_bi.contract_cost IS 'One row per deal line, payee and component that is a cost of obtaining a contract: what was earned, and what of it is an asset over how many months.';
COMMENT ON COLUMN spm_bi.contract_cost.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.contract_cost.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.contract_cost.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.contract_cost.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.contract_cost.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.contract_cost.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.contract_cost.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.contract_cost.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.contract_cost.transaction_type IS 'Type of the transaction.';
COMMENT ON COLUMN spm_bi.contract_cost.event_date IS 'Date of the transaction, on which the spreading starts.';
COMMENT ON COLUMN spm_bi.contract_cost.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.contract_cost.is_capitalized IS 'Whether it is an asset; else it is expensed at once, as it is spread over twelve months or less.';
COMMENT ON COLUMN spm_bi.contract_cost.months IS 'Months it is spread over. Not additive.';
COMMENT ON COLUMN spm_bi.contract_cost.is_contract_term IS 'Whether they are the term of the contract; else the benefit period.';
COMMENT ON COLUMN spm_bi.contract_cost.first_booked_month IS 'Month in which the asset was first booked, its first day.';
COMMENT ON COLUMN spm_bi.contract_cost.last_month IS 'Month in which the last part is amortised, its first day.';
COMMENT ON COLUMN spm_bi.contract_cost.earned_amount IS 'Earned, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.contract_cost.asset_amount IS 'What of it is an asset, before amortisation. Additive within a currency.';
COMMENT ON COLUMN spm_bi.contract_cost.currency_code IS 'Currency of the amounts.';

CREATE OR REPLACE VIEW spm_bi.amortization WITH (security_invoker = true) AS
SELECT m.month, n.name AS plan_name, m.component_name, m.payee_id, y.payee_key, y.name AS payee_name, m.source, m.transaction_key, m.line, m.event_date,
       m.is_posted, sum(m.added_amount)::numeric(20,4) AS added_amount, sum(m.amortized_amount)::numeric(20,4) AS amortized_amount,
       sum(m.impaired_amount)::numeric(20,4) AS impaired_amount, sum(m.carrying_amount)::numeric(20,4) AS carrying_amount, m.currency_code
FROM spm.contract_cost_month m
JOIN spm.plan n ON n.plan_id = m.plan_id
JOIN spm.payee y ON y.payee_id = m.payee_id
GROUP BY m.month, n.name, m.component_name, m.payee_id, y.payee_key, y.name, m.source, m.transaction_key, m.line, m.event_date, m.is_posted, m.currency_code;
COMMENT ON VIEW spm_bi.amortization IS 'One row per month, deal line, payee and component: how the asset is amortised.';
COMMENT ON COLUMN spm_bi.amortization.month IS 'First day of the month.';
COMMENT ON COLUMN spm_bi.amortization.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.amortization.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.amortization.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.amortization.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.amortization.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.amortization.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.amortization.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.amortization.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.amortization.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.amortization.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.amortization.added_amount IS 'What the asset grows by in the month. Additive within a currency.';
COMMENT ON COLUMN spm_bi.amortization.amortized_amount IS 'Amortised in the month. Additive within a currency.';
COMMENT ON COLUMN spm_bi.amortization.impaired_amount IS 'Written off at the end of the month. Additive within a currency.';
COMMENT ON COLUMN spm_bi.amortization.carrying_amount IS 'What is left of the asset at the end of the month. Additive over deals, not over months.';
COMMENT ON COLUMN spm_bi.amortization.currency_code IS 'Currency of the amounts.';

CREATE OR REPLACE VIEW spm_bi.contract_cost_rollforward WITH (security_invoker = true) AS
SELECT w.month, n.name AS plan_name, w.is_posted,
       w.opening_amount::numeric(20,4) AS opening_amount, w.added_amount::numeric(20,4) AS added_amount,
       w.amortized_amount::numeric(20,4) AS amortized_amount, w.impaired_amount::numeric(20,4) AS impaired_amount,
       w.closing_amount::numeric(20,4) AS closing_amount, w.currency_code,
       w.opening_amount + w.added_amount - w.amortized_amount - w.impaired_amount = w.closing_amount AS is_reconciled
FROM (SELECT m.plan_id, m.is_posted, m.currency_code, m.month,
             coalesce(lag(sum(m.carrying_amount)) OVER (PARTITION BY m.plan_id, m.is_posted, m.currency_code ORDER BY m.month), 0) AS opening_amount,
             sum(m.added_amount) AS added_amount, sum(m.amortized_amount) AS amortized_amount, sum(m.impaired_amount) AS impaired_amount,
             sum(m.carrying_amount) AS closing_amount
      FROM spm.contract_cost_month m
      GROUP BY m.plan_id, m.is_posted, m.currency_code, m.month) w
JOIN spm.plan n ON n.plan_id = w.plan_id;
COMMENT ON VIEW spm_bi.contract_cost_rollforward IS 'One row per month and plan: the asset at its beginning, what it grows by, what is amortised and written off, and the asset at its end. Posted and draft pay apart; those that are posted are the books.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.month IS 'First day of the month.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.opening_amount IS 'What was carried at the end of the month before. Not additive over months.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.added_amount IS 'What the asset grows by. Additive within a currency.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.amortized_amount IS 'Amortised. Additive within a currency.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.impaired_amount IS 'Written off. Additive within a currency.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.closing_amount IS 'What is carried at the end of the month, from the schedules of all deals. Not additive over months.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.contract_cost_rollforward.is_reconciled IS 'Whether opening plus additions less amortisation and impairment is what is carried. Always true, or something is wrong.';
/*
 * compensation/views_credit.sql: credits that people entered.
 */

CREATE OR REPLACE VIEW spm_bi.manual_credit WITH (security_invoker = true) AS
SELECT m.manual_credit_id, m.event_date, y.payee_key, y.name AS payee_name, m.amount::numeric(24,6) AS credited_amount, m.currency_code,
       m.type AS transaction_type, m.account_key, m.product_key, m.quantity::numeric(24,6) AS quantity, m.event, m.reason, m.author, m.entered_at,
       coalesce(d.decision, 'entered') AS state, d.decided_by, d.decided_at, d.reason AS decision_reason
FROM spm.manual_credit m
JOIN spm.payee y USING (payee_id)
LEFT JOIN LATERAL (SELECT e.* FROM spm.manual_credit_decision e WHERE e.manual_credit_id = m.manual_credit_id
                   ORDER BY e.decision = 'withdrawn' DESC LIMIT 1) d ON true;
COMMENT ON VIEW spm_bi.manual_credit IS 'One row per credit that somebody entered, and what became of it.';
COMMENT ON COLUMN spm_bi.manual_credit.manual_credit_id IS 'Key; M-<key> is its transaction_key, in source manual.';
COMMENT ON COLUMN spm_bi.manual_credit.event_date IS 'Day that decides period and seat.';
COMMENT ON COLUMN spm_bi.manual_credit.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.manual_credit.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.manual_credit.credited_amount IS 'Amount, in currency_code. Additive within a currency and state.';
COMMENT ON COLUMN spm_bi.manual_credit.currency_code IS 'Currency.';
COMMENT ON COLUMN spm_bi.manual_credit.transaction_type IS 'Type, for the conditions of components.';
COMMENT ON COLUMN spm_bi.manual_credit.account_key IS 'Account.';
COMMENT ON COLUMN spm_bi.manual_credit.product_key IS 'Product.';
COMMENT ON COLUMN spm_bi.manual_credit.quantity IS 'Quantity.';
COMMENT ON COLUMN spm_bi.manual_credit.event IS 'booking, or the milestone that it stands for.';
COMMENT ON COLUMN spm_bi.manual_credit.reason IS 'Why it was entered.';
COMMENT ON COLUMN spm_bi.manual_credit.author IS 'Login that entered it.';
COMMENT ON COLUMN spm_bi.manual_credit.entered_at IS 'When.';
COMMENT ON COLUMN spm_bi.manual_credit.state IS 'entered: waits for another login; approved: it counts; withdrawn: it counts no more.';
COMMENT ON COLUMN spm_bi.manual_credit.decided_by IS 'Login that approved or withdrew it.';
COMMENT ON COLUMN spm_bi.manual_credit.decided_at IS 'When.';
COMMENT ON COLUMN spm_bi.manual_credit.decision_reason IS 'Why it was approved or withdrawn.';
/*
 * compensation/views_difference.sql: what differs from what was there before,
 * deal by deal, and why, in the words of the seller it happens to.
 */

CREATE OR REPLACE FUNCTION spm._money(amount numeric, places int DEFAULT 2)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    -- written without the locale, so that a statement reads the same everywhere
    SELECT CASE WHEN n.value < 0 THEN '-' ELSE '' END
        || regexp_replace(split_part(abs(n.value)::text, '.', 1), '(\d)(?=(\d{3})+$)', '\1,', 'g')
        || CASE WHEN _money.places > 0 THEN '.' || split_part(n.value::text, '.', 2) ELSE '' END
    FROM (SELECT round(_money.amount, _money.places) AS value) n;
END;
COMMENT ON FUNCTION spm._money(numeric, int) IS 'An amount as people read it: 1,234.50.';
REVOKE ALL ON FUNCTION spm._money(numeric, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._percent(ratio numeric)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT trim_scale(round(100 * _percent.ratio, 4))::text || ' %';
END;
COMMENT ON FUNCTION spm._percent(numeric) IS 'A ratio as people read it: 8.5 %.';
REVOKE ALL ON FUNCTION spm._percent(numeric) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.earning_fact(component_id int, earning jsonb, credit jsonb, measurement jsonb)
    RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT jsonb_build_object('version', v.version_no, 'variable', x.name, 'earning', earning_fact.earning,
        'credit', earning_fact.credit, 'measurement', earning_fact.measurement)
    FROM spm.component c
    JOIN spm.plan_version v USING (plan_version_id)
    LEFT JOIN spm.variable x USING (variable_id)
    WHERE c.component_id = earning_fact.component_id;
END;
COMMENT ON FUNCTION spm.earning_fact(int, jsonb, jsonb, jsonb) IS
'What an earning came from, as one document for spm.earning_change(). Used by spm.difference.
component_id: key. earning, credit, measurement: the rows, as documents; NULL: none. Returns NULL for an unknown component.
Example: SELECT spm.earning_fact(e.component_id, to_jsonb(e), NULL, NULL) FROM spm.earning e;';

-- A change is a cause and words for it; several make an array, weightiest first.
CREATE OR REPLACE FUNCTION spm.order_change(before jsonb, after jsonb)
    RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT array_agg(ARRAY[v.cause, v.words] ORDER BY v.nth)
    FROM (SELECT order_change.before AS b, order_change.after AS a) x
    CROSS JOIN LATERAL (VALUES
        (1, 'order changed', CASE WHEN b->'amount' <> a->'amount' THEN format('amount changed from %s to %s',
            to_char((b->>'amount')::numeric, 'FM999,999,999,999,999,990.00'),
            to_char((a->>'amount')::numeric, 'FM999,999,999,999,999,990.00')) END),
        (2, 'order changed', CASE WHEN b->>'currency_code' <> a->>'currency_code'
            THEN format('currency changed from %s to %s', b->>'currency_code', a->>'currency_code') END),
        (3, 'order changed', CASE WHEN b->>'event_date' <> a->>'event_date'
            THEN format('date changed from %s to %s', b->>'event_date', a->>'event_date') END),
        (4, 'order changed', (SELECT 'changed: ' || string_agg(replace(replace(k, '_key', ''), '_', ' '), ', ' ORDER BY k)
            FROM jsonb_object_keys(a || b) k
            WHERE b->k IS DISTINCT FROM a->k
              AND k NOT IN ('credit_id', 'posting_id', 'period_id', 'run_id', 'reverses_id', 'position_id', 'payee_id', 'origin_position_id', 'level',
                            'kind', 'share', 'shares', 'share_no', 'credited_amount', 'owner_key', 'amount', 'currency_code', 'event_date', 'name',
                            'source', 'transaction_key', 'line'))),
        (5, 'split changed', CASE WHEN b->>'payee_id' = a->>'payee_id' AND b->'share' <> a->'share' AND b->>'owner_key' = a->>'owner_key'
            THEN format('%s changed from %s to %s', CASE a->>'kind' WHEN 'direct' THEN 'your share' ELSE 'share' END,
                        (trim_scale(round(100 * (b->>'share')::numeric, 4)) || ' %'), (trim_scale(round(100 * (a->>'share')::numeric, 4)) || ' %')) END),
        (6, 'owner changed', CASE WHEN b->>'owner_key' <> a->>'owner_key'
            THEN format('order moved from %s to %s', coalesce(b->>'name', b->>'owner_key'), coalesce(a->>'name', a->>'owner_key')) END),
        (7, 'hierarchy', CASE WHEN a->>'kind' LIKE 'roll%' AND b->>'kind' LIKE 'roll%'
                AND (b->'origin_position_id', b->'level') IS DISTINCT FROM (a->'origin_position_id', a->'level') AND b->>'owner_key' = a->>'owner_key'
            THEN 'reporting line changed' END),
        (8, 'seat', CASE WHEN b->>'owner_key' = a->>'owner_key' AND b->'position_id' <> a->'position_id'
            THEN 'seat changed' END),
        (9, 'split changed', CASE WHEN b->>'owner_key' = a->>'owner_key' AND b->'share' = a->'share' AND b->'amount' = a->'amount'
                AND b->'credited_amount' <> a->'credited_amount'
            THEN 'shares of others changed' END)) v(nth, cause, words)
    WHERE v.words IS NOT NULL
$$;
COMMENT ON FUNCTION spm.order_change(jsonb, jsonb) IS
'How an order differs between two credits of it, as pairs of cause and words, weightiest first. NULL: not at all.
before, after: rows of spm.credit as documents.
Example: SELECT spm.order_change(to_jsonb(a), to_jsonb(b)) FROM spm.credit a, spm.credit b WHERE a.credit_id = 1 AND b.credit_id = 2;';

CREATE OR REPLACE FUNCTION spm.earning_change(before jsonb, after jsonb, gone jsonb, came jsonb, uncredited text)
    RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(CASE
        WHEN f.tb IS NULL AND f.ta IS NULL THEN NULL    -- not of one deal: see below
        WHEN f.b IS NULL THEN CASE
            WHEN NOT f.is_new THEN ARRAY[ARRAY['plan', 'counts by the plan now']]
            WHEN f.ta->>'source' = 'manual' AND gone IS NULL THEN ARRAY[ARRAY['manual', 'credit entered by hand']]
            WHEN f.ta->>'kind' <> 'direct' AND gone IS NULL AND came IS NULL THEN ARRAY[CASE WHEN f.ta->>'kind' LIKE 'roll%'
                THEN ARRAY['hierarchy', 'reporting line or seat changed'] ELSE ARRAY['rule', 'a rule credits you with it now'] END]
            WHEN gone IS NULL THEN ARRAY[ARRAY['late order', 'late order of ' || (f.ta->>'event_date')]]
            WHEN gone->>'owner_key' <> coalesce(came, f.ta)->>'owner_key' AND f.ta->>'kind' = 'direct' THEN ARRAY[CASE
                WHEN (f.ta->>'share')::numeric < 1 THEN ARRAY['split changed', 'your share is ' || (trim_scale(round(100 * (f.ta->>'share')::numeric, 4)) || ' %') || ' now']
                WHEN (gone->>'share')::numeric < 1 THEN ARRAY['split changed', 'no longer shared']
                ELSE ARRAY['owner changed', 'order moved from ' || coalesce(gone->>'name', gone->>'owner_key')] END]
            ELSE coalesce(spm.order_change(gone, coalesce(came, f.ta)), ARRAY[ARRAY['hierarchy', 'reporting line or seat changed']]) END
        WHEN f.a IS NULL THEN CASE
            WHEN NOT f.is_gone THEN ARRAY[ARRAY['plan', 'no longer counts by the plan']]
            WHEN f.tb->>'source' = 'manual' AND came IS NULL THEN ARRAY[ARRAY['manual', 'credit entered by hand was withdrawn']]
            WHEN f.tb->>'kind' <> 'direct' AND gone IS NULL AND came IS NULL THEN ARRAY[CASE WHEN f.tb->>'kind' LIKE 'roll%'
                THEN ARRAY['hierarchy', 'reporting line or seat changed'] ELSE ARRAY['rule', 'no rule credits you with it any more'] END]
            WHEN came IS NULL AND uncredited IS NOT NULL THEN ARRAY[ARRAY['seat', 'nobody is credited: ' || uncredited]]
            WHEN came IS NULL THEN ARRAY[ARRAY['order deleted', 'order deleted']]
            WHEN came->>'owner_key' <> coalesce(gone, f.tb)->>'owner_key' AND f.tb->>'kind' = 'direct' THEN ARRAY[CASE
                WHEN (came->>'share')::numeric < 1 THEN ARRAY['split changed', 'your share went to others']
                ELSE ARRAY['owner changed', 'order moved to ' || coalesce(came->>'name', came->>'owner_key')] END]
            ELSE coalesce(spm.order_change(coalesce(gone, f.tb), came), ARRAY[ARRAY['hierarchy', 'reporting line or seat changed']]) END
        END, w.changes,
        ARRAY[CASE WHEN f.ea->>'kind' = 'refund' OR f.eb->>'kind' = 'refund' THEN ARRAY['earlier deals', 'what the cancelled order had earned changed']
                   ELSE ARRAY['other', 'calculated anew'] END])
    FROM (SELECT earning_change.before AS b, earning_change.after AS a, nullif(earning_change.before->'credit', 'null') AS tb, nullif(earning_change.after->'credit', 'null') AS ta,
                 nullif(earning_change.before->'measurement', 'null') AS mb, nullif(earning_change.after->'measurement', 'null') AS ma,
                 earning_change.before->'earning' AS eb, earning_change.after->'earning' AS ea,
                 (earning_change.after->>'is_new')::boolean AS is_new, (earning_change.before->>'is_gone')::boolean AS is_gone) f
    CROSS JOIN LATERAL (
        SELECT CASE WHEN f.tb->'credit_id' IS DISTINCT FROM f.ta->'credit_id' THEN spm.order_change(f.tb, f.ta) END
               || array_agg(ARRAY[v.cause, v.words] ORDER BY v.nth) AS changes
        FROM (VALUES
            (1, 'exchange rate', CASE WHEN f.eb->'exchange_rate' <> f.ea->'exchange_rate' AND f.tb->'currency_code' = f.ta->'currency_code'
                THEN format('exchange rate changed from %s to %s', trim_scale((f.eb->>'exchange_rate')::numeric), trim_scale((f.ea->>'exchange_rate')::numeric)) END),
            (2, 'plan', CASE WHEN f.b->'version' <> f.a->'version' THEN format('version %s of the plan applies, not %s', f.a->>'version', f.b->>'version') END),
            (3, 'quota', CASE WHEN f.mb->'quota_amount' IS DISTINCT FROM f.ma->'quota_amount' AND f.mb IS NOT NULL AND f.ma IS NOT NULL
                THEN format('quota changed from %s to %s', coalesce(to_char((f.mb->>'quota_amount')::numeric, 'FM999,999,999,999,999,990.00'), 'none'), coalesce(to_char((f.ma->>'quota_amount')::numeric, 'FM999,999,999,999,999,990.00'), 'none')) END),
            (4, 'variable', CASE WHEN f.mb->'factor' <> f.ma->'factor' AND coalesce(f.mb->'because', '[]') = coalesce(f.ma->'because', '[]')
                THEN format('%s changed from %s to %s', CASE WHEN f.a->>'variable' IS NULL THEN 'factor' ELSE 'your ' || (f.a->>'variable') END,
                            trim_scale((f.mb->>'factor')::numeric), trim_scale((f.ma->>'factor')::numeric)) END),
            (5, 'result', (SELECT string_agg('now ' || n.word, ', ') FROM jsonb_array_elements_text(nullif(f.ma->'because', 'null')) n(word)
                           WHERE f.mb IS NOT NULL AND NOT coalesce(nullif(f.mb->'because', 'null'), '[]') ? n.word)),
            (6, 'result', CASE WHEN f.ta IS NULL AND f.tb IS NULL AND f.eb->'base_amount' <> f.ea->'base_amount'
                THEN format('result changed from %s to %s', trim_scale(round((f.eb->>'base_amount')::numeric, 6)), trim_scale(round((f.ea->>'base_amount')::numeric, 6))) END),
            (7, 'order changed', CASE WHEN f.tb->'credit_id' = f.ta->'credit_id' AND f.eb->'base_amount' <> f.ea->'base_amount' AND f.eb->'exchange_rate' = f.ea->'exchange_rate'
                    AND f.b->'version' = f.a->'version'
                THEN format('what counts of it changed from %s to %s', to_char((f.eb->>'base_amount')::numeric, 'FM999,999,999,999,999,990.00'), to_char((f.ea->>'base_amount')::numeric, 'FM999,999,999,999,999,990.00')) END),
            (8, 'earlier deals', CASE WHEN f.eb->'from_total' <> f.ea->'from_total'
                THEN format('other deals moved the total before it from %s to %s', to_char((f.eb->>'from_total')::numeric, 'FM999,999,999,999,999,990.00'), to_char((f.ea->>'from_total')::numeric, 'FM999,999,999,999,999,990.00')) END),
            (9, 'plan', CASE WHEN f.tb IS NULL AND f.ta IS NULL AND f.b IS NULL THEN 'counts by the plan now' END),
            (10, 'plan', CASE WHEN f.tb IS NULL AND f.ta IS NULL AND f.a IS NULL THEN 'no longer counts by the plan' END)) v(nth, cause, words)
        WHERE v.words IS NOT NULL) w
$$;
COMMENT ON FUNCTION spm.earning_change(jsonb, jsonb, jsonb, jsonb, text) IS 'Why an earning differs, as pairs of cause and words, weightiest first. before, after: spm.earning_fact() of it; gone, came: the direct credit of its order that was taken back and that is new.';

CREATE OR REPLACE VIEW spm.difference WITH (security_invoker = true) AS
WITH fact AS (
    -- what a posting takes back, and what it enters in its place
    SELECT e.posting_id, e.period_id, e.payee_id, e.component_id, e.position_id, e.credit_id, e.kind, e.amount,
           e.reverses_id IS NULL AS is_after, e.earning_id, e.reverses_id
    FROM spm.earning e
    JOIN spm.posting o ON o.posting_id = e.posting_id
    WHERE e.period_id <> o.period_id OR EXISTS (SELECT FROM spm.posting b WHERE b.period_id = o.period_id AND b.posting_id < o.posting_id)
), item AS (
    SELECT f.posting_id, f.period_id, f.payee_id, v.plan_id, c.name AS component_name,
           CASE WHEN f.credit_id IS NULL THEN f.kind ELSE 'deal' END AS kind, t.source, t.transaction_key, t.line,
           min(c.component_no) AS component_no, max(t.event_date) AS event_date,
           coalesce(-sum(f.amount) FILTER (WHERE NOT f.is_after), 0) AS before_amount,
           coalesce(sum(f.amount) FILTER (WHERE f.is_after), 0) AS after_amount,
           min(f.reverses_id) AS before_id, min(f.earning_id) FILTER (WHERE f.is_after) AS after_id
    FROM fact f
    JOIN spm.component c ON c.component_id = f.component_id
    JOIN spm.plan_version v ON v.plan_version_id = c.plan_version_id
    LEFT JOIN spm.credit t ON t.credit_id = f.credit_id
    GROUP BY f.posting_id, f.period_id, f.payee_id, v.plan_id, c.name, CASE WHEN f.credit_id IS NULL THEN f.kind ELSE 'deal' END,
             t.source, t.transaction_key, t.line
)
SELECT i.posting_id, i.period_id, i.payee_id, i.plan_id, i.component_no, i.component_name, i.kind, i.source, i.transaction_key, i.line, i.event_date,
       i.before_amount, i.after_amount, i.after_amount - i.before_amount AS amount,
       w.change[1][1] AS cause,
       (SELECT string_agg(w.change[n][2], '; ' ORDER BY n) FROM generate_subscripts(w.change, 1) n) AS reason
FROM item i
LEFT JOIN LATERAL (
    SELECT spm.earning_fact(e.component_id, to_jsonb(e), to_jsonb(t), to_jsonb(m)) || jsonb_build_object('is_gone', EXISTS (
               SELECT FROM spm.credit r WHERE r.reverses_id = e.credit_id AND r.posting_id = i.posting_id)) AS fact
    FROM spm.earning e
    LEFT JOIN spm.credit t ON t.credit_id = e.credit_id
    LEFT JOIN spm.measurement r ON r.posting_id = i.posting_id AND r.period_id = i.period_id AND r.reverses_id IS NOT NULL
        AND (r.component_id, r.position_id, r.payee_id) = (e.component_id, e.position_id, e.payee_id)
    LEFT JOIN spm.measurement m ON m.measurement_id = r.reverses_id
    WHERE e.earning_id = i.before_id) b ON true
LEFT JOIN LATERAL (
    SELECT spm.earning_fact(e.component_id, to_jsonb(e), to_jsonb(t), to_jsonb(m)) || jsonb_build_object('is_new', t.posting_id = i.posting_id) AS fact
    FROM spm.earning e
    LEFT JOIN spm.credit t ON t.credit_id = e.credit_id
    LEFT JOIN spm.measurement m ON m.posting_id = i.posting_id AND m.period_id = i.period_id AND m.reverses_id IS NULL
        AND (m.component_id, m.position_id, m.payee_id) = (e.component_id, e.position_id, e.payee_id)
    WHERE e.earning_id = i.after_id) a ON true
-- of an order that came or went: what it was, what it is, whoever is credited
LEFT JOIN LATERAL (
    SELECT to_jsonb(c) || jsonb_build_object('name', y.name) AS credit
    FROM spm.credit r JOIN spm.credit c ON c.credit_id = r.reverses_id LEFT JOIN spm.payee y ON y.payee_key = c.owner_key
    WHERE r.posting_id = i.posting_id AND (r.transaction_key, r.source, r.line) = (i.transaction_key, i.source, i.line) AND r.kind = 'direct'
    ORDER BY c.payee_id IS DISTINCT FROM i.payee_id, c.credit_id LIMIT 1) g ON i.before_id IS NULL OR i.after_id IS NULL
LEFT JOIN LATERAL (
    SELECT to_jsonb(c) || jsonb_build_object('name', y.name) AS credit
    FROM spm.credit c LEFT JOIN spm.payee y ON y.payee_key = c.owner_key
    WHERE c.posting_id = i.posting_id AND (c.transaction_key, c.source, c.line) = (i.transaction_key, i.source, i.line) AND c.kind = 'direct'
      AND c.reverses_id IS NULL
    ORDER BY c.payee_id IS DISTINCT FROM i.payee_id, c.credit_id LIMIT 1) n ON i.before_id IS NULL OR i.after_id IS NULL
LEFT JOIN LATERAL (
    SELECT u.reason FROM spm.uncredited u
    WHERE (u.period_id, u.source, u.transaction_key, u.line) = (i.period_id, i.source, i.transaction_key, i.line) LIMIT 1) u ON i.after_id IS NULL
CROSS JOIN LATERAL (SELECT spm.earning_change(b.fact, a.fact, g.credit, n.credit, u.reason) AS change OFFSET 0) w    -- once, not wherever it is used
WHERE i.after_amount <> i.before_amount;
COMMENT ON VIEW spm.difference IS 'One row per posting, period of earning, payee, component and deal: what a posting pays more or less than was posted before, and why. Adds up to the differences paid.';
COMMENT ON COLUMN spm.difference.posting_id IS 'Posting that pays it.';
COMMENT ON COLUMN spm.difference.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.difference.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.difference.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.difference.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm.difference.component_name IS 'Component; the same name in another version of the plan is the same here.';
COMMENT ON COLUMN spm.difference.kind IS 'deal, or the kind of an earning that is not of a single deal.';
COMMENT ON COLUMN spm.difference.source IS 'Source of the transaction. NULL: not of a single deal.';
COMMENT ON COLUMN spm.difference.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.difference.line IS 'Its line.';
COMMENT ON COLUMN spm.difference.event_date IS 'Its date.';
COMMENT ON COLUMN spm.difference.before_amount IS 'What had been posted.';
COMMENT ON COLUMN spm.difference.after_amount IS 'What it is now.';
COMMENT ON COLUMN spm.difference.amount IS 'The difference.';
COMMENT ON COLUMN spm.difference.cause IS 'late order, order changed, order deleted, owner changed, split changed, hierarchy, seat, exchange rate, plan, quota, variable, result, rule, manual, earlier deals; the weightiest when there are several.';
COMMENT ON COLUMN spm.difference.reason IS 'All of them in words.';

CREATE OR REPLACE VIEW spm_bi.difference WITH (security_invoker = true) AS
SELECT pp.period_id AS paid_period_id, pp.name AS paid_period_name, lower(pp.span) AS paid_period_start, o.state = 'posted' AS is_posted,
       d.period_id, p.name AS period_name, d.payee_id, y.payee_key, y.name AS payee_name, n.name AS plan_name, d.component_no, d.component_name,
       d.kind AS earning_kind, d.source, d.transaction_key, d.line, d.event_date,
       d.before_amount::numeric(20,4) AS before_amount, d.after_amount::numeric(20,4) AS after_amount, d.amount::numeric(20,4) AS difference_amount,
       n.currency_code, d.cause, d.reason
FROM spm.difference d
JOIN spm.posting o ON o.posting_id = d.posting_id
JOIN spm.period pp ON pp.period_id = o.period_id
JOIN spm.period p ON p.period_id = d.period_id
JOIN spm.payee y ON y.payee_id = d.payee_id
JOIN spm.plan n ON n.plan_id = d.plan_id;
COMMENT ON VIEW spm_bi.difference IS 'One row per paying period, payee, period of earning, component and deal: what is paid more or less than was posted before, and why.';
COMMENT ON COLUMN spm_bi.difference.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.difference.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.difference.paid_period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.difference.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.difference.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.difference.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.difference.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.difference.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.difference.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.difference.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.difference.component_no IS 'Order of the component on the statement.';
COMMENT ON COLUMN spm_bi.difference.component_name IS 'Component of the plan.';
COMMENT ON COLUMN spm_bi.difference.earning_kind IS 'deal, or the kind of an earning that is not of a single deal.';
COMMENT ON COLUMN spm_bi.difference.source IS 'Source of the transaction. NULL: not of a single deal.';
COMMENT ON COLUMN spm_bi.difference.transaction_key IS 'Key of the transaction.';
COMMENT ON COLUMN spm_bi.difference.line IS 'Line of the transaction; empty when the source has none.';
COMMENT ON COLUMN spm_bi.difference.event_date IS 'Date of the transaction.';
COMMENT ON COLUMN spm_bi.difference.before_amount IS 'What had been posted. Additive within a currency.';
COMMENT ON COLUMN spm_bi.difference.after_amount IS 'What it is now. Additive within a currency.';
COMMENT ON COLUMN spm_bi.difference.difference_amount IS 'What is paid more or less. Additive within a currency; adds up to the differences in spm_bi.payout.';
COMMENT ON COLUMN spm_bi.difference.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.difference.cause IS 'Weightiest cause: late order, order changed, order deleted, owner changed, split changed, hierarchy, seat, exchange rate, plan, quota, variable, result, rule, manual, earlier deals.';
COMMENT ON COLUMN spm_bi.difference.reason IS 'All causes in words.';
/*
 * compensation/views_pay.sql: balances, holds and adjustments for BI.
 */

CREATE OR REPLACE VIEW spm_bi.balance WITH (security_invoker = true) AS
SELECT b.balance_id, p.period_id, p.name AS period_name, lower(p.span) AS period_start, o.state = 'posted' AS is_posted,
       b.payee_id, y.payee_key, y.name AS payee_name, n.name AS plan_name, v.version_no AS plan_version_no, r.name AS pay_rule_name, r.kind AS pay_rule_kind,
       CASE WHEN r.kind IN ('draw', 'negative') THEN 'payee' ELSE 'company' END AS owed_by,
       b.opening_amount::numeric(20,4) AS opening_amount, b.added_amount::numeric(20,4) AS added_amount,
       b.recovered_amount::numeric(20,4) AS recovered_amount, b.forgiven_amount::numeric(20,4) AS forgiven_amount,
       b.closing_amount::numeric(20,4) AS closing_amount, n.currency_code,
       NOT EXISTS (SELECT FROM spm.balance l JOIN spm.pay_rule lr USING (pay_rule_id) JOIN spm.plan_version lv USING (plan_version_id)
                   JOIN spm.period lp ON lp.period_id = l.period_id
                   WHERE l.payee_id = b.payee_id AND lv.plan_id = v.plan_id AND lr.name = r.name
                     AND (lp.span >> p.span OR l.period_id = b.period_id AND l.posting_id > b.posting_id)) AS is_latest,
       NOT EXISTS (SELECT FROM spm.plan_seat(n.plan_id, daterange(upper(p.span), NULL)) s WHERE s.payee_id = b.payee_id) AS is_off_plan,
       (b.added_amount, b.recovered_amount) = (
           SELECT coalesce(sum(CASE WHEN x.kind IN ('draw', 'negative') THEN x.amount WHEN x.kind IN ('cap', 'holdback') THEN -x.amount ELSE 0 END), 0),
                  coalesce(sum(CASE WHEN x.kind = 'recovery' THEN -x.amount WHEN x.kind IN ('carried', 'release') THEN x.amount ELSE 0 END), 0)
           FROM spm.payout x JOIN spm.pay_rule xr USING (pay_rule_id)
           WHERE x.posting_id = b.posting_id AND x.payee_id = b.payee_id AND xr.name = r.name AND x.plan_id = v.plan_id) AS is_reconciled,
       b.run_id
FROM spm.balance b
JOIN spm.posting o ON o.posting_id = b.posting_id
JOIN spm.period p ON p.period_id = b.period_id
JOIN spm.payee y ON y.payee_id = b.payee_id
JOIN spm.pay_rule r ON r.pay_rule_id = b.pay_rule_id
JOIN spm.plan_version v ON v.plan_version_id = r.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id;
COMMENT ON VIEW spm_bi.balance IS 'One row per paying period, payee and pay rule: what is owed or kept before and after, and what has moved it.';
COMMENT ON COLUMN spm_bi.balance.balance_id IS 'Balance.';
COMMENT ON COLUMN spm_bi.balance.period_id IS 'Period that pays.';
COMMENT ON COLUMN spm_bi.balance.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.balance.period_start IS 'Its first day.';
COMMENT ON COLUMN spm_bi.balance.is_posted IS 'Whether the paying period is closed.';
COMMENT ON COLUMN spm_bi.balance.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.balance.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.balance.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.balance.plan_name IS 'Plan.';
COMMENT ON COLUMN spm_bi.balance.plan_version_no IS 'Version of the plan.';
COMMENT ON COLUMN spm_bi.balance.pay_rule_name IS 'Pay rule.';
COMMENT ON COLUMN spm_bi.balance.pay_rule_kind IS 'draw or negative: owed by the payee; cap or holdback: kept for the payee.';
COMMENT ON COLUMN spm_bi.balance.owed_by IS 'Who owes it: payee or company.';
COMMENT ON COLUMN spm_bi.balance.opening_amount IS 'Balance before, in currency_code. Not additive over periods.';
COMMENT ON COLUMN spm_bi.balance.added_amount IS 'Added, in currency_code. Additive within a currency and kind.';
COMMENT ON COLUMN spm_bi.balance.recovered_amount IS 'Recovered from pay, or paid to the payee. Additive within a currency and kind.';
COMMENT ON COLUMN spm_bi.balance.forgiven_amount IS 'Written off. Additive within a currency and kind.';
COMMENT ON COLUMN spm_bi.balance.closing_amount IS 'Balance after. Not additive over periods.';
COMMENT ON COLUMN spm_bi.balance.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.balance.is_latest IS 'Whether no later period has moved or carried it on: the balance as it stands.';
COMMENT ON COLUMN spm_bi.balance.is_off_plan IS 'Whether the payee is off the plan after the period: what is still owed then was overpaid.';
COMMENT ON COLUMN spm_bi.balance.is_reconciled IS 'Whether the payouts say the same. Always true, or something is wrong.';
COMMENT ON COLUMN spm_bi.balance.run_id IS 'Run that wrote it.';

CREATE OR REPLACE VIEW spm_bi.hold WITH (security_invoker = true) AS
SELECT h.hold_id, h.payee_id, y.payee_key, y.name AS payee_name, n.name AS plan_name, h.component_name, h.source, h.transaction_key,
       nullif(h.since, '-infinity') AS since, h.reason, h.held_at, h.held_by, h.released_at, h.released_by, h.release_reason,
       h.released_at IS NOT NULL AS is_released, (-x.amount)::numeric(20,4) AS held_amount, x.currency_code
FROM spm.hold h
LEFT JOIN spm.payee y ON y.payee_id = h.payee_id
LEFT JOIN spm.plan n ON n.plan_id = h.plan_id
LEFT JOIN (SELECT o.hold_id, o.currency_code, sum(o.amount) AS amount FROM spm.payout o WHERE o.hold_id IS NOT NULL GROUP BY o.hold_id, o.currency_code) x
    ON x.hold_id = h.hold_id;
COMMENT ON VIEW spm_bi.hold IS 'One row per hold and currency: what is held, why, by whom, and how much it keeps.';
COMMENT ON COLUMN spm_bi.hold.hold_id IS 'Hold.';
COMMENT ON COLUMN spm_bi.hold.payee_id IS 'Payee. NULL: whoever.';
COMMENT ON COLUMN spm_bi.hold.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.hold.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.hold.plan_name IS 'Plan. NULL: whichever.';
COMMENT ON COLUMN spm_bi.hold.component_name IS 'Component. NULL: all.';
COMMENT ON COLUMN spm_bi.hold.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm_bi.hold.transaction_key IS 'Transaction. NULL: all pay.';
COMMENT ON COLUMN spm_bi.hold.since IS 'First day. NULL: from the start.';
COMMENT ON COLUMN spm_bi.hold.reason IS 'Why it is held.';
COMMENT ON COLUMN spm_bi.hold.held_at IS 'When it was recorded.';
COMMENT ON COLUMN spm_bi.hold.held_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm_bi.hold.released_at IS 'When it was released. NULL: it holds.';
COMMENT ON COLUMN spm_bi.hold.released_by IS 'Login that released it.';
COMMENT ON COLUMN spm_bi.hold.release_reason IS 'Why it was released.';
COMMENT ON COLUMN spm_bi.hold.is_released IS 'Whether it is released.';
COMMENT ON COLUMN spm_bi.hold.held_amount IS 'Kept by now, drafts included, in currency_code. NULL: nothing was ever kept. Additive within a currency.';
COMMENT ON COLUMN spm_bi.hold.currency_code IS 'Currency of the amount.';

CREATE OR REPLACE VIEW spm_bi.adjustment WITH (security_invoker = true) AS
SELECT a.adjustment_id, a.period_id, p.name AS period_name, a.payee_id, y.payee_key, y.name AS payee_name, n.name AS plan_name, c.name AS component_name,
       a.amount::numeric(20,4) AS adjustment_amount, a.currency_code, a.reason, a.recorded_at, a.recorded_by, a.approved_at, a.approved_by,
       a.withdrawn_at, a.withdrawn_by, a.withdrawal_reason,
       CASE WHEN a.withdrawn_at IS NOT NULL THEN 'withdrawn'
            WHEN EXISTS (SELECT FROM spm.payout x JOIN spm.posting o USING (posting_id) WHERE x.adjustment_id = a.adjustment_id AND o.state = 'posted') THEN 'paid'
            WHEN a.approved_at IS NOT NULL THEN 'approved' ELSE 'entered' END AS state
FROM spm.adjustment a
JOIN spm.period p ON p.period_id = a.period_id
JOIN spm.payee y ON y.payee_id = a.payee_id
LEFT JOIN spm.plan n ON n.plan_id = a.plan_id
LEFT JOIN spm.component c ON c.component_id = a.component_id;
COMMENT ON VIEW spm_bi.adjustment IS 'One row per adjustment entered by hand: how much, why, who entered and who approved it.';
COMMENT ON COLUMN spm_bi.adjustment.adjustment_id IS 'Adjustment.';
COMMENT ON COLUMN spm_bi.adjustment.period_id IS 'Period that pays it, or the first open one after it.';
COMMENT ON COLUMN spm_bi.adjustment.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.adjustment.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.adjustment.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.adjustment.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.adjustment.plan_name IS 'Plan whose rules it takes part in. NULL: none.';
COMMENT ON COLUMN spm_bi.adjustment.component_name IS 'Component it is shown with. NULL: none.';
COMMENT ON COLUMN spm_bi.adjustment.adjustment_amount IS 'Amount, in currency_code; negative takes back. Additive within a currency and state.';
COMMENT ON COLUMN spm_bi.adjustment.currency_code IS 'Currency of the amount.';
COMMENT ON COLUMN spm_bi.adjustment.reason IS 'Why.';
COMMENT ON COLUMN spm_bi.adjustment.recorded_at IS 'When it was entered.';
COMMENT ON COLUMN spm_bi.adjustment.recorded_by IS 'Login that entered it.';
COMMENT ON COLUMN spm_bi.adjustment.approved_at IS 'When it was approved. NULL: not yet.';
COMMENT ON COLUMN spm_bi.adjustment.approved_by IS 'Login that approved it.';
COMMENT ON COLUMN spm_bi.adjustment.withdrawn_at IS 'When it was withdrawn. NULL: it stands.';
COMMENT ON COLUMN spm_bi.adjustment.withdrawn_by IS 'Login that withdrew it.';
COMMENT ON COLUMN spm_bi.adjustment.withdrawal_reason IS 'Why it was withdrawn.';
COMMENT ON COLUMN spm_bi.adjustment.state IS 'entered, approved, paid or withdrawn.';
/*
 * compensation/views_payment.sql: what payroll, the general ledger and BI see
 * of payments.
 */

CREATE OR REPLACE VIEW spm_bi.unpaid WITH (security_invoker = true) AS
SELECT x.payout_id, w.period_id AS paid_period_id, w.name AS paid_period_name, p.name AS period_name, x.payee_id, y.payee_key, y.name AS payee_name,
       n.name AS plan_name, c.name AS component_name, x.kind, x.amount::numeric(20,4) AS unpaid_amount, x.currency_code
FROM spm.payout x
JOIN spm.posting o ON o.posting_id = x.posting_id AND o.state = 'posted'
JOIN spm.period w ON w.period_id = o.period_id
JOIN spm.period p ON p.period_id = x.period_id
JOIN spm.payee y ON y.payee_id = x.payee_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
LEFT JOIN spm.plan n ON n.plan_id = x.plan_id
WHERE x.amount <> 0 AND NOT EXISTS (SELECT FROM spm.payment_item i WHERE i.payout_id = x.payout_id AND i.is_live);
COMMENT ON VIEW spm_bi.unpaid IS 'One row per posted payout that is in no payment batch: the next one gathers it.';
COMMENT ON COLUMN spm_bi.unpaid.payout_id IS 'Payout.';
COMMENT ON COLUMN spm_bi.unpaid.paid_period_id IS 'Period that pays it.';
COMMENT ON COLUMN spm_bi.unpaid.paid_period_name IS 'Name of the paying period.';
COMMENT ON COLUMN spm_bi.unpaid.period_name IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.unpaid.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.unpaid.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.unpaid.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.unpaid.plan_name IS 'Plan. NULL: beside all plans.';
COMMENT ON COLUMN spm_bi.unpaid.component_name IS 'Component of the plan. NULL: not of one component.';
COMMENT ON COLUMN spm_bi.unpaid.kind IS 'Kind of the payout: earning, draw, recovery, holdback ...';
COMMENT ON COLUMN spm_bi.unpaid.unpaid_amount IS 'Amount, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.unpaid.currency_code IS 'Currency of the plan.';

CREATE OR REPLACE VIEW spm_bi.payment_batch WITH (security_invoker = true) AS
SELECT b.payment_batch_id, p.period_id, p.name AS period_name, b.pay_on, b.state, b.proposed_at, b.proposed_by, b.approved_at, b.approved_by,
       b.paid_on, b.reference, b.reason, a.payment_count, a.item_count,
       a.is_reconciled AND (b.state NOT IN ('approved', 'paid') OR EXISTS (
           SELECT FROM spm.payment_event e WHERE e.payment_batch_id = b.payment_batch_id AND e.to_state = 'approved'
             AND e.recorded_by = b.approved_by AND e.recorded_by <> b.proposed_by)) AS is_reconciled
FROM spm.payment_batch b
JOIN spm.period p ON p.period_id = b.period_id
CROSS JOIN LATERAL (
    SELECT count(*) AS payment_count, coalesce(sum(i.item_count), 0)::bigint AS item_count,
           coalesce(bool_and(i.paid_amount = m.amount AND i.is_whole AND i.is_live = (b.state NOT IN ('rejected', 'withdrawn'))), false) AS is_reconciled
    FROM spm.payment m
    LEFT JOIN LATERAL (
        SELECT sum(o.part_count) AS item_count, sum(o.paid_amount) AS paid_amount, bool_and(o.amount = x.amount AND g.state = 'posted') AS is_whole,
               bool_and(o.is_live) AS is_live
        FROM (SELECT t.payout_id, count(*) AS part_count, sum(t.amount) AS amount, sum(t.paid_amount) AS paid_amount, bool_and(t.is_live) AS is_live
              FROM spm.payment_item t WHERE t.payment_id = m.payment_id GROUP BY t.payout_id) o
        JOIN spm.payout x ON x.payout_id = o.payout_id
        JOIN spm.posting g ON g.posting_id = x.posting_id) i ON true
    WHERE m.payment_batch_id = b.payment_batch_id) a;
COMMENT ON VIEW spm_bi.payment_batch IS 'One row per payment batch: who proposed, approved and paid it, and the proof that it adds up.';
COMMENT ON COLUMN spm_bi.payment_batch.payment_batch_id IS 'Batch.';
COMMENT ON COLUMN spm_bi.payment_batch.period_id IS 'Period up to which posted payouts were gathered.';
COMMENT ON COLUMN spm_bi.payment_batch.period_name IS 'Its name.';
COMMENT ON COLUMN spm_bi.payment_batch.pay_on IS 'Day of the payment as planned.';
COMMENT ON COLUMN spm_bi.payment_batch.state IS 'proposed, approved, paid, rejected or withdrawn.';
COMMENT ON COLUMN spm_bi.payment_batch.proposed_at IS 'When it was proposed.';
COMMENT ON COLUMN spm_bi.payment_batch.proposed_by IS 'Login that proposed it.';
COMMENT ON COLUMN spm_bi.payment_batch.approved_at IS 'When it was approved.';
COMMENT ON COLUMN spm_bi.payment_batch.approved_by IS 'Login that approved it.';
COMMENT ON COLUMN spm_bi.payment_batch.paid_on IS 'Day on which it was paid.';
COMMENT ON COLUMN spm_bi.payment_batch.reference IS 'Reference of the payment.';
COMMENT ON COLUMN spm_bi.payment_batch.reason IS 'Why it was rejected or withdrawn.';
COMMENT ON COLUMN spm_bi.payment_batch.payment_count IS 'Payments. Additive.';
COMMENT ON COLUMN spm_bi.payment_batch.item_count IS 'Payouts, and parts of them, that are paid. Additive.';
COMMENT ON COLUMN spm_bi.payment_batch.is_reconciled IS 'Whether items add up to payments, parts to posted payouts, and another login approved. Always true, or something is wrong.';

CREATE OR REPLACE VIEW spm_bi.payment WITH (security_invoker = true) AS
SELECT m.payment_id, m.payment_batch_id, b.state, b.pay_on, b.paid_on, b.reference, p.period_id, p.name AS period_name,
       m.payee_id, y.payee_key, y.name AS payee_name, m.amount::numeric(20,4) AS payment_amount, m.currency_code
FROM spm.payment m
JOIN spm.payment_batch b ON b.payment_batch_id = m.payment_batch_id
JOIN spm.period p ON p.period_id = b.period_id
JOIN spm.payee y ON y.payee_id = m.payee_id;
COMMENT ON VIEW spm_bi.payment IS 'One row per batch, payee and currency: what is transferred.';
COMMENT ON COLUMN spm_bi.payment.payment_id IS 'Payment.';
COMMENT ON COLUMN spm_bi.payment.payment_batch_id IS 'Batch.';
COMMENT ON COLUMN spm_bi.payment.state IS 'State of the batch. Those rejected or withdrawn are not paid.';
COMMENT ON COLUMN spm_bi.payment.pay_on IS 'Day of the payment as planned.';
COMMENT ON COLUMN spm_bi.payment.paid_on IS 'Day on which it was paid.';
COMMENT ON COLUMN spm_bi.payment.reference IS 'Reference of the payment.';
COMMENT ON COLUMN spm_bi.payment.period_id IS 'Period up to which posted payouts were gathered.';
COMMENT ON COLUMN spm_bi.payment.period_name IS 'Its name.';
COMMENT ON COLUMN spm_bi.payment.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.payment.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.payment.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.payment.payment_amount IS 'Amount, in currency_code. Additive within a currency and state.';
COMMENT ON COLUMN spm_bi.payment.currency_code IS 'Currency of the payment.';

CREATE OR REPLACE VIEW spm_bi.payment_item WITH (security_invoker = true) AS
SELECT i.payment_item_id, i.payment_id, m.payment_batch_id, b.state, i.payout_id, i.part_no, m.payee_id, y.payee_key, y.name AS payee_name,
       w.name AS paid_period_name, p.name AS period_name, n.name AS plan_name, c.name AS component_name, x.kind,
       i.amount::numeric(20,4) AS payout_amount, i.currency_code, (i.exchange_rate / i.exchange_divisor)::numeric(24,10) AS exchange_rate,
       i.paid_amount::numeric(20,4) AS payment_amount, m.currency_code AS payment_currency_code, i.is_live
FROM spm.payment_item i
JOIN spm.payment m ON m.payment_id = i.payment_id
JOIN spm.payment_batch b ON b.payment_batch_id = m.payment_batch_id
JOIN spm.payout x ON x.payout_id = i.payout_id
JOIN spm.posting o ON o.posting_id = x.posting_id
JOIN spm.period w ON w.period_id = o.period_id
JOIN spm.period p ON p.period_id = x.period_id
JOIN spm.payee y ON y.payee_id = m.payee_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
LEFT JOIN spm.plan n ON n.plan_id = x.plan_id;
COMMENT ON VIEW spm_bi.payment_item IS 'One row per payment, payout and exchange rate: what a payment is made of.';
COMMENT ON COLUMN spm_bi.payment_item.payment_item_id IS 'Item.';
COMMENT ON COLUMN spm_bi.payment_item.payment_id IS 'Payment.';
COMMENT ON COLUMN spm_bi.payment_item.payment_batch_id IS 'Batch.';
COMMENT ON COLUMN spm_bi.payment_item.state IS 'State of the batch.';
COMMENT ON COLUMN spm_bi.payment_item.payout_id IS 'Payout.';
COMMENT ON COLUMN spm_bi.payment_item.part_no IS '1, or more where deals of a payout have rates of their own.';
COMMENT ON COLUMN spm_bi.payment_item.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.payment_item.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.payment_item.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.payment_item.paid_period_name IS 'Period that pays the payout.';
COMMENT ON COLUMN spm_bi.payment_item.period_name IS 'Period in which it was earned.';
COMMENT ON COLUMN spm_bi.payment_item.plan_name IS 'Plan. NULL: beside all plans.';
COMMENT ON COLUMN spm_bi.payment_item.component_name IS 'Component of the plan. NULL: not of one component.';
COMMENT ON COLUMN spm_bi.payment_item.kind IS 'Kind of the payout: earning, draw, recovery, holdback ...';
COMMENT ON COLUMN spm_bi.payment_item.payout_amount IS 'What of the payout, in currency_code. Additive within a currency and state.';
COMMENT ON COLUMN spm_bi.payment_item.currency_code IS 'Currency of the plan.';
COMMENT ON COLUMN spm_bi.payment_item.exchange_rate IS 'Rate into the currency of the payment; 1 when it is the same. Not additive.';
COMMENT ON COLUMN spm_bi.payment_item.payment_amount IS 'What it is in payment_currency_code. Additive within a currency and state.';
COMMENT ON COLUMN spm_bi.payment_item.payment_currency_code IS 'Currency of the payment.';
COMMENT ON COLUMN spm_bi.payment_item.is_live IS 'Whether it counts: false once the batch is rejected or withdrawn.';

CREATE OR REPLACE VIEW spm_bi.payroll_export WITH (security_invoker = true) AS
SELECT m.payment_batch_id, m.payee_key, m.payee_name, m.payment_amount, m.currency_code, m.period_name, m.pay_on, m.state = 'paid' AS is_paid,
       m.paid_on, m.reference, m.payment_id
FROM spm_bi.payment m
WHERE m.state IN ('approved', 'paid');
COMMENT ON VIEW spm_bi.payroll_export IS 'One row per payment that is approved: for payroll or the bank. Nothing that is not posted and approved is here.';
COMMENT ON COLUMN spm_bi.payroll_export.payment_batch_id IS 'Batch.';
COMMENT ON COLUMN spm_bi.payroll_export.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.payroll_export.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.payroll_export.payment_amount IS 'Amount, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.payroll_export.currency_code IS 'Currency.';
COMMENT ON COLUMN spm_bi.payroll_export.period_name IS 'Period up to which posted payouts were gathered.';
COMMENT ON COLUMN spm_bi.payroll_export.pay_on IS 'Day of the payment as planned.';
COMMENT ON COLUMN spm_bi.payroll_export.is_paid IS 'Whether it was paid.';
COMMENT ON COLUMN spm_bi.payroll_export.paid_on IS 'Day on which it was paid.';
COMMENT ON COLUMN spm_bi.payroll_export.reference IS 'Reference of the payment.';
COMMENT ON COLUMN spm_bi.payroll_export.payment_id IS 'Payment.';

-- What happened, as lines: a positive amount is a debit.  Each entry adds up to zero in every currency.
CREATE OR REPLACE VIEW spm.gl_line WITH (security_invoker = true) AS
SELECT 'accrual' AS entry, 'posting ' || o.posting_id AS document, upper(w.span) - 1 AS entry_date, x.plan_id, coalesce(c.name, '') AS component_name, x.payee_id,
       l.purpose, l.amount, x.currency_code
FROM spm.payout x
JOIN spm.posting o ON o.posting_id = x.posting_id AND o.state = 'posted'
JOIN spm.period w ON w.period_id = o.period_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
LEFT JOIN spm.pay_rule r ON r.pay_rule_id = x.pay_rule_id
CROSS JOIN LATERAL (VALUES (spm._gl_purpose(x.kind, r.method), x.amount), ('waiting', -x.amount)) l(purpose, amount)
UNION ALL
SELECT 'forgiveness', 'posting ' || o.posting_id, upper(w.span) - 1, v.plan_id, '', m.payee_id, l.purpose, l.amount, n.currency_code
FROM spm.balance m
JOIN spm.posting o ON o.posting_id = m.posting_id AND o.state = 'posted'
JOIN spm.period w ON w.period_id = o.period_id
JOIN spm.pay_rule r ON r.pay_rule_id = m.pay_rule_id
JOIN spm.plan_version v ON v.plan_version_id = r.plan_version_id
JOIN spm.plan n ON n.plan_id = v.plan_id
CROSS JOIN LATERAL (VALUES ('expense', m.forgiven_amount), ('advance', -m.forgiven_amount)) l(purpose, amount)
WHERE m.forgiven_amount <> 0
UNION ALL      -- what was approved and then rejected is taken back, on the day of the rejection
SELECT t.entry, 'batch ' || b.payment_batch_id, t.entry_date, x.plan_id, coalesce(c.name, ''), m.payee_id, l.purpose, t.sign * l.amount, l.currency_code
FROM spm.payment_item i
JOIN spm.payment m ON m.payment_id = i.payment_id
JOIN spm.payment_batch b ON b.payment_batch_id = m.payment_batch_id AND b.approved_at IS NOT NULL
JOIN spm.payout x ON x.payout_id = i.payout_id
LEFT JOIN spm.component c ON c.component_id = x.component_id
CROSS JOIN LATERAL (
    SELECT 'payable' AS entry, b.pay_on AS entry_date, 1 AS sign
    UNION ALL
    SELECT 'rejection', greatest(b.pay_on, (e.recorded_at AT TIME ZONE 'UTC')::date), -1 FROM spm.payment_event e
    WHERE e.payment_batch_id = b.payment_batch_id AND e.to_state = 'rejected') t
CROSS JOIN LATERAL (VALUES
    ('waiting', i.amount, i.currency_code), ('payable', -i.paid_amount, m.currency_code),
    ('rounding', CASE WHEN i.currency_code = m.currency_code THEN i.paid_amount - i.amount ELSE 0 END, i.currency_code),
    ('clearing', CASE WHEN i.currency_code = m.currency_code THEN 0 ELSE -i.amount END, i.currency_code),
    ('clearing', CASE WHEN i.currency_code = m.currency_code THEN 0 ELSE i.paid_amount END, m.currency_code)) l(purpose, amount, currency_code)
UNION ALL
SELECT 'payment', 'batch ' || b.payment_batch_id, b.paid_on, NULL, '', m.payee_id, l.purpose, l.amount, m.currency_code
FROM spm.payment m
JOIN spm.payment_batch b ON b.payment_batch_id = m.payment_batch_id AND b.state = 'paid'
CROSS JOIN LATERAL (VALUES ('payable', m.amount), ('cash', -m.amount)) l(purpose, amount)
UNION ALL
SELECT l.entry, 'month ' || to_char(k.month, 'YYYY-MM'), (k.month + interval '1 month' - interval '1 day')::date, k.plan_id, k.component_name, k.payee_id,
       l.purpose, l.amount, k.currency_code
FROM (SELECT m.month, m.plan_id, m.component_name, m.payee_id, m.currency_code, sum(m.added_amount) AS added_amount,
             sum(m.amortized_amount) AS amortized_amount, sum(m.impaired_amount) AS impaired_amount
      FROM spm.contract_cost_month m
      WHERE m.is_posted
      GROUP BY m.month, m.plan_id, m.component_name, m.payee_id, m.currency_code) k
CROSS JOIN LATERAL (VALUES
    ('capitalization', 'contract cost', k.added_amount), ('capitalization', 'expense', -k.added_amount),
    ('amortization', 'amortization', k.amortized_amount), ('amortization', 'contract cost', -k.amortized_amount),
    ('impairment', 'impairment', k.impaired_amount), ('impairment', 'contract cost', -k.impaired_amount)) l(entry, purpose, amount);
COMMENT ON VIEW spm.gl_line IS 'What is posted, approved, paid and amortised, as lines of a general ledger: a positive amount is a debit. The lines of a document and entry add up to zero in every currency.';
COMMENT ON COLUMN spm.gl_line.entry IS 'accrual, forgiveness, payable, rejection, payment, capitalization, amortization or impairment.';
COMMENT ON COLUMN spm.gl_line.document IS 'Posting, batch or month.';
COMMENT ON COLUMN spm.gl_line.entry_date IS 'Day of the entry.';
COMMENT ON COLUMN spm.gl_line.plan_id IS 'Plan. NULL: not of one.';
COMMENT ON COLUMN spm.gl_line.component_name IS 'Component. Empty: not of one.';
COMMENT ON COLUMN spm.gl_line.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.gl_line.purpose IS 'What the account is for.';
COMMENT ON COLUMN spm.gl_line.amount IS 'Debit; negative: credit.';
COMMENT ON COLUMN spm.gl_line.currency_code IS 'Currency.';

CREATE OR REPLACE VIEW spm_bi.gl_export WITH (security_invoker = true) AS
SELECT g.entry_date, g.entry, g.document, coalesce(a.account_code, g.purpose) AS account_code, g.purpose, n.name AS plan_name,
       nullif(g.component_name, '') AS component_name, g.payee_id, y.payee_key,
       greatest(g.amount, 0)::numeric(20,4) AS debit_amount, greatest(-g.amount, 0)::numeric(20,4) AS credit_amount, g.currency_code,
       a.account_code IS NOT NULL AS is_mapped
FROM (SELECT l.entry, l.document, l.entry_date, l.plan_id, l.component_name, l.payee_id, l.purpose, l.currency_code, sum(l.amount) AS amount
      FROM spm.gl_line l
      GROUP BY l.entry, l.document, l.entry_date, l.plan_id, l.component_name, l.payee_id, l.purpose, l.currency_code
      HAVING sum(l.amount) <> 0) g
JOIN spm.payee y ON y.payee_id = g.payee_id
LEFT JOIN spm.plan n ON n.plan_id = g.plan_id
LEFT JOIN LATERAL (
    SELECT k.account_code FROM spm.gl_account k
    WHERE k.purpose = g.purpose AND coalesce(k.plan_id = g.plan_id, k.plan_id IS NULL) AND k.component_name IN (g.component_name, '') AND k.span @> g.entry_date
    ORDER BY k.plan_id IS NULL, k.component_name = '' LIMIT 1) a ON true;
COMMENT ON VIEW spm_bi.gl_export IS 'One row per entry, account, plan, component and payee: debits and credits for the general ledger. Debits equal credits in every document, entry and currency.';
COMMENT ON COLUMN spm_bi.gl_export.entry_date IS 'Day of the entry: end of the paying period, day of payment, end of the month.';
COMMENT ON COLUMN spm_bi.gl_export.entry IS 'accrual (expense to waiting, at posting), forgiveness (an advance that is written off becomes an expense), payable (waiting to payable, at approval), rejection (back to waiting, where an approved batch is rejected), payment (payable to cash), capitalization, amortization or impairment of contract costs.';
COMMENT ON COLUMN spm_bi.gl_export.document IS 'Posting, batch or month.';
COMMENT ON COLUMN spm_bi.gl_export.account_code IS 'Account by spm.gl_account; the purpose itself where none is set.';
COMMENT ON COLUMN spm_bi.gl_export.purpose IS 'What the account is for.';
COMMENT ON COLUMN spm_bi.gl_export.plan_name IS 'Plan. NULL: not of one plan.';
COMMENT ON COLUMN spm_bi.gl_export.component_name IS 'Component of the plan. NULL: not of one component.';
COMMENT ON COLUMN spm_bi.gl_export.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.gl_export.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.gl_export.debit_amount IS 'Debit, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.gl_export.credit_amount IS 'Credit, in currency_code. Additive within a currency.';
COMMENT ON COLUMN spm_bi.gl_export.currency_code IS 'Currency of the amounts.';
COMMENT ON COLUMN spm_bi.gl_export.is_mapped IS 'Whether an account is set for it.';
/*
 * compensation/statement.sql: results told to the people they are about.
 *
 * One query writes the statements of everybody, so that posting can keep them.
 */

CREATE OR REPLACE FUNCTION spm._statement_line(label text, base text, rate text, amount text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT rtrim(rpad(CASE WHEN length(_statement_line.label) > w.width THEN left(_statement_line.label, w.width - 1) || '~'
                           ELSE _statement_line.label END, w.width)
        -- lpad() would cut the end off a long amount
        || CASE WHEN w.width = 36 THEN lpad(coalesce(_statement_line.base, ''), greatest(17, 1 + length(_statement_line.base)))
                || lpad(coalesce(_statement_line.rate, ''), greatest(10, 1 + length(_statement_line.rate))) ELSE '' END
        || lpad(coalesce(_statement_line.amount, ''), greatest(17, 1 + length(_statement_line.amount))))
    FROM (SELECT CASE WHEN num_nulls(_statement_line.base, _statement_line.rate) = 2 THEN 63 ELSE 36 END AS width) w;
END;
COMMENT ON FUNCTION spm._statement_line(text, text, text, text) IS 'A line of a statement, 80 columns wide unless an amount needs more.';
REVOKE ALL ON FUNCTION spm._statement_line(text, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._wrapped(words text, indent int)
    RETURNS SETOF text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT repeat(' ', CASE WHEN m.nth = 1 THEN _wrapped.indent ELSE _wrapped.indent + 2 END) || m.found[1]
    FROM regexp_matches(regexp_replace(_wrapped.words, '\s+', ' ', 'g'),
        format('\S(?:.{0,%s}\S)?(?=\s|$)|\S{%s}', 76 - _wrapped.indent, 78 - _wrapped.indent), 'g') WITH ORDINALITY m(found, nth)
    ORDER BY m.nth
$$;
COMMENT ON FUNCTION spm._wrapped(text, int) IS 'Words as lines of at most 80 columns.';
REVOKE ALL ON FUNCTION spm._wrapped(text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plain(expression text)
    RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    e text := _plain.expression;
    before text;
BEGIN
    e := regexp_replace(e, '\mt\.(\w+)', '\1', 'g');
    e := regexp_replace(e, '::(?:pg_catalog\.)?(?:text|numeric|date|integer|bigint|boolean|character varying|interval)(?:\([\d,]+\))?(?:\[\])?', '', 'g');
    e := regexp_replace(e, '\(?attributes ->> ''([^'']*)''\)?', '\1', 'g');
    e := regexp_replace(e, '_key\M', '', 'g');
    e := regexp_replace(e, ' = ANY \(\(?''\{([^}]*)\}''\)?\)', ' is one of \1', 'g');
    e := regexp_replace(e, '\((-?\d+(?:\.\d+)?)\)', '\1', 'g');
    LOOP    -- brackets that say nothing
        before := e;
        e := regexp_replace(e, '\(([^()]* (?:=|<>|<|>|<=|>=|is one of) [^()]*)\)', '\1', 'g');
        e := regexp_replace(e, '^\(([^()]*)\)$', '\1');
        -- a pair around all of it: nowhere inside is everything closed
        IF left(e, 1) = '(' AND right(e, 1) = ')' AND e !~ '''' AND NOT EXISTS (
            SELECT FROM generate_series(1, length(e) - 1) n
            WHERE length(replace(left(e, n), '(', '')) = length(replace(left(e, n), ')', ''))) THEN
            e := substr(e, 2, length(e) - 2);
        END IF;
        EXIT WHEN e = before;
    END LOOP;
    e := regexp_replace(e, '\mAND\M', 'and', 'g');
    RETURN regexp_replace(e, '\mOR\M', 'or', 'g');
END
$$;
COMMENT ON FUNCTION spm._plain(text) IS 'A checked expression without what only PostgreSQL needs.';
REVOKE ALL ON FUNCTION spm._plain(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._method_words(c spm.component, grain text, minor_digits int, is_single boolean)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN words.told IS NULL AND is_single AND c.rounding = 'half_up' AND c.places = minor_digits THEN NULL ELSE concat_ws('; ',
        CASE WHEN NOT is_single THEN concat(
            CASE substring(c.rate_options FROM '^(whole|interpolated|weighted|bonus|excess|curve)')
                WHEN 'whole' THEN 'the rate reached pays for everything'
                WHEN 'interpolated' THEN 'the rate grows evenly between the steps and pays for everything'
                WHEN 'weighted' THEN 'a rate made up from the steps passed pays for everything'
                WHEN 'bonus' THEN 'a fixed amount for the step reached'
                WHEN 'excess' THEN 'all above the first step at the rate reached'
                WHEN 'curve' THEN 'the amount grows evenly between the steps'
                ELSE 'each part at its own rate' END,
            CASE WHEN c.basis <> 'credit' THEN NULL
                WHEN c.accumulate = 'deal' THEN ', every deal by itself'
                WHEN c.accumulate = 'group' THEN format(', every %s by itself', spm._plain(c.group_expression))
                WHEN c.accumulate = 'period' THEN format(', on the %s''s total', grain)
                WHEN c.accumulate ~ '^rolling' THEN format(', on the last %s %ss'' total', substring(c.accumulate FROM '\d+'), grain)
                ELSE format(', on the %s''s total', c.accumulate) END) END,
        words.told,
        CASE WHEN c.rate_options ~ '^bonus' AND c.rounding = 'half_up' THEN NULL ELSE concat(CASE WHEN c.basis = 'credit' THEN 'deals ' ELSE '' END,
            CASE c.rounding WHEN 'up' THEN 'rounded up to ' WHEN 'ceiling' THEN 'rounded up to ' WHEN 'down' THEN 'rounded down to '
                 WHEN 'floor' THEN 'rounded down to ' ELSE 'rounded to ' END,
            CASE c.places WHEN 0 THEN 'whole units' WHEN 2 THEN 'the cent' ELSE format('%s decimals', c.places) END,
            CASE c.rounding WHEN 'half_even' THEN ', halves to the even one' WHEN 'half_down' THEN ', halves down' END) END) END
    FROM (SELECT nullif(concat_ws('; ', CASE WHEN c.basis = 'credit' AND c.is_true_up THEN 'less what was earned before' END,
                                  CASE WHEN c.credit_cap IS NOT NULL THEN format('a deal counts for %s at most', spm._money(c.credit_cap, minor_digits)) END), '') AS told) words
$$;
COMMENT ON FUNCTION spm._method_words(spm.component, text, int, boolean) IS 'How a component is rated, in the words of who is paid by it. NULL: one rate for everything, rounded as usual.';
REVOKE ALL ON FUNCTION spm._method_words(spm.component, text, int, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._known_state(period_id int, as_of timestamptz, OUT posted_count bigint, OUT posting_id int, OUT is_draft boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT p.posted_count, p.posting_id,
           EXISTS (SELECT FROM spm.run r WHERE r.period_id = _known_state.period_id AND r.kind = 'calculate'
                   AND r.finished_at <= _known_state.as_of AND r.finished_at > coalesce(p.posted_at, '-infinity'))
    FROM (SELECT count(*) AS posted_count, max(o.posting_id) AS posting_id, max(o.posted_at) AS posted_at
          FROM spm.posting o WHERE o.period_id = _known_state.period_id AND o.posted_at <= _known_state.as_of) p;
END;
COMMENT ON FUNCTION spm._known_state(int, timestamptz) IS 'Of a paying period at an instant: how often it had been posted, the last posting of these, and whether it had been calculated since.';
REVOKE ALL ON FUNCTION spm._known_state(int, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._statement_lines(period_id int, payee_id int, as_of timestamptz)
    RETURNS TABLE (who int, line_no bigint, line text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    this int := _statement_lines.period_id;
    wanted int := _statement_lines.payee_id;
    instant timestamptz := _statement_lines.as_of;
    is_past boolean := _statement_lines.as_of < 'infinity';
    -- of a period that was reopened, the first posting is told in full, what the others add by line
    postings int[] := array(SELECT o.posting_id FROM spm.posting o WHERE o.period_id = _statement_lines.period_id ORDER BY 1);
    first_posting int := postings[1];
    how_far text := (SELECT concat(CASE WHEN h.posted_count > 1 OR h.posted_count = 1 AND h.is_draft THEN 'posted, reopened, ' END,
                                 CASE WHEN h.is_draft THEN 'calculated, not yet posted' ELSE 'posted' END)
                   FROM spm._known_state(_statement_lines.period_id, _statement_lines.as_of) h);
BEGIN
    RETURN QUERY
    WITH known AS MATERIALIZED (
        SELECT r.run_id FROM spm.run r WHERE r.finished_at <= instant
    ), m AS MATERIALIZED (
        -- as the period itself paid it: what a later posting has taken back still stands here
        SELECT m.* FROM spm.measurement m
        WHERE m.posting_id = first_posting AND m.period_id = this AND m.reverses_id IS NULL AND (wanted IS NULL OR m.payee_id = wanted)
          AND m.run_id IN (SELECT run_id FROM known)
        UNION ALL
        SELECT m.* FROM spm._superseded(NULL::spm.measurement, 'measurement', instant, postings[1:1], wanted) m
        WHERE is_past AND m.period_id = this AND m.reverses_id IS NULL
    ), e AS MATERIALIZED (
        SELECT e.* FROM spm.earning e
        WHERE e.posting_id = first_posting AND e.period_id = this AND e.reverses_id IS NULL AND (wanted IS NULL OR e.payee_id = wanted)
          AND e.run_id IN (SELECT run_id FROM known)
        UNION ALL
        SELECT e.* FROM spm._superseded(NULL::spm.earning, 'earning', instant, postings[1:1], wanted) e
        WHERE is_past AND e.period_id = this AND e.reverses_id IS NULL
    ), x AS MATERIALIZED (
        SELECT x.*, coalesce(x.plan_id, 0) AS of_plan FROM (
            SELECT x.* FROM spm.payout x
            WHERE x.posting_id = ANY (postings) AND (wanted IS NULL OR x.payee_id = wanted) AND x.run_id IN (SELECT run_id FROM known)
            UNION ALL
            SELECT x.* FROM spm._superseded(NULL::spm.payout, 'payout', instant, postings, wanted) x WHERE is_past) x
    ), balance AS MATERIALIZED (
        SELECT b.* FROM spm.balance b
        WHERE b.posting_id = ANY (postings) AND (wanted IS NULL OR b.payee_id = wanted) AND b.run_id IN (SELECT run_id FROM known)
        UNION ALL
        SELECT b.* FROM spm._superseded(NULL::spm.balance, 'balance', instant, postings, wanted) b WHERE is_past
    ), tier AS MATERIALIZED (
        SELECT t.component_id, row_number() OVER (PARTITION BY t.component_id ORDER BY lower(t.bounds)) AS tier_no,
               lower(t.bounds) AS from_value, upper(t.bounds) AS to_value, t.rate
        FROM spm.tier t WHERE t.component_id IN (SELECT m.component_id FROM m)
    ), seat AS MATERIALIZED (
        SELECT a.position_id, a.payee_id, min(lower(a.span)) AS since
        FROM spm.position_assignment a JOIN spm.period q ON q.period_id = this AND a.span && q.span
        GROUP BY a.position_id, a.payee_id
    ), part AS MATERIALIZED (    -- a component as it was measured for somebody
        SELECT m.*, p.plan_id, v.version_no, c AS component, c.component_no, c.name AS component_name, c.rate_options, c.basis, c.tier_basis, c.unit, c.pay, c.places,
               s.name AS seat, u.minor_digits, x.name AS variable_name, q.grain,
               count(*) OVER (PARTITION BY m.payee_id, m.component_id) > 1 AS has_seats,
               min(v.version_no) OVER (PARTITION BY m.payee_id, p.plan_id) < max(v.version_no) OVER (PARTITION BY m.payee_id, p.plan_id) AS has_versions,
               ARRAY[v.version_no::text, lpad(c.component_no::text, 6, '0'), h.since::text, s.name, m.position_id::text] AS place,
               -- the words that all seats share go to the first that has anything to tell
               row_number() OVER (PARTITION BY m.payee_id, m.component_id ORDER BY i.is_idle, h.since, s.name COLLATE "C", m.position_id) AS seat_no, i.is_idle,
               c.basis NOT IN ('credit', 'result') OR c.rate_options !~ '^(whole|interpolated|weighted|bonus|excess|curve)' AND k.n = 1 AS is_single,
               coalesce(w.words, 'all') AS whole_words,
               m.because AS told
        FROM m
        JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
        JOIN spm.currency u USING (currency_code)
        JOIN spm.position s USING (position_id)
        JOIN spm.period q ON q.period_id = this
        LEFT JOIN spm.variable x USING (variable_id)
        LEFT JOIN seat h ON h.position_id = m.position_id AND h.payee_id = m.payee_id
        LEFT JOIN (SELECT tier.component_id, count(*) AS n FROM tier GROUP BY tier.component_id) k ON k.component_id = m.component_id
        LEFT JOIN (SELECT i.component_id, string_agg(concat(CASE i.figure WHEN 'earned' THEN format('what %s earned', i.of_component) WHEN 'amount' THEN 'total of ' || i.of_component
                              ELSE format('%s of %s', i.figure, i.of_component) END, CASE i.scope WHEN 'team' THEN ' by the team' WHEN 'plan' THEN ' by everybody' END), ', ' ORDER BY i.input_no) AS words
                   FROM spm.component_input i GROUP BY i.component_id) w ON w.component_id = m.component_id
        LEFT JOIN (SELECT DISTINCT e.payee_id, e.component_id, e.position_id FROM e) o
            ON o.payee_id = m.payee_id AND o.component_id = m.component_id AND o.position_id = m.position_id
        CROSS JOIN LATERAL (SELECT c.basis = 'credit' AND m.credit_count = 0 AND m.opening_amount = 0 AND o.payee_id IS NULL AS is_idle) i
    ), slice AS MATERIALIZED (
        SELECT e.payee_id, e.component_id, e.position_id, s.tier_no, s.kind, s.rate, sum(s.base) AS base_amount, sum(s.amount) AS amount,
               sum(sum(s.base)) OVER (PARTITION BY e.payee_id, e.component_id, e.position_id, s.kind ORDER BY s.tier_no, s.rate) AS running_base
        FROM e
        JOIN spm.schedule k USING (schedule_id)
        JOIN spm.component c USING (component_id)
        CROSS JOIN LATERAL spm.commission_slice(k.schedule, e.from_total, e.from_total + e.base_amount, c.places, c.rounding) s
        WHERE e.kind IN ('deal', 'total') AND c.basis NOT IN ('fixed', 'objective')
        GROUP BY e.payee_id, e.component_id, e.position_id, s.tier_no, s.kind, s.rate
    ), rated AS MATERIALIZED (    -- by the last calculation
        SELECT DISTINCT o.payee_id FROM spm.objective o
        CROSS JOIN (SELECT max(r.started_at) AS started_at FROM spm.run r WHERE r.period_id = this AND r.kind = 'calculate' AND r.finished_at <= instant) r
        WHERE o.period_id = this AND o.rating IS NOT NULL AND o.recorded_at <= r.started_at AND coalesce(o.superseded_at, 'infinity') > r.started_at
    ), plan AS MATERIALIZED (    -- a section for each plan; 0: beside all plans
        SELECT y.payee_id, y.plan_id, n.name, coalesce(n.currency_code, y.currency_code) AS currency_code, coalesce(u.minor_digits, 2) AS minor_digits, y.versions, y.amount
        FROM (SELECT a.payee_id, a.plan_id, a.currency_code, string_agg(DISTINCT a.version, ', ') AS versions, coalesce(sum(a.amount), 0) AS amount
              FROM (SELECT part.payee_id, part.plan_id, NULL AS currency_code, 'v' || part.version_no AS version, NULL::numeric AS amount FROM part
                    UNION ALL
                    SELECT x.payee_id, x.of_plan, CASE x.of_plan WHEN 0 THEN x.currency_code END, NULL, x.amount FROM x) a
              GROUP BY a.payee_id, a.plan_id, a.currency_code) y
        LEFT JOIN spm.plan n USING (plan_id)
        LEFT JOIN spm.currency u ON u.currency_code = coalesce(n.currency_code, y.currency_code)
    ), difference AS MATERIALIZED (
        SELECT x.payee_id, x.of_plan AS plan_id, x.period_id, p.name AS period_name, c.name AS component_name, x.posting_id, sum(x.amount) AS amount,
               ARRAY[to_char(lower(p.span), 'YYYYMMDD'), lpad(min(c.component_no)::text, 6, '0'), c.name, x.posting_id::text] AS place
        FROM x JOIN spm.component c USING (component_id) JOIN spm.period p ON p.period_id = x.period_id
        WHERE x.kind = 'earning' AND (x.period_id <> this OR x.posting_id <> first_posting) AND x.amount <> 0
        GROUP BY x.payee_id, x.of_plan, x.period_id, p.name, p.span, c.name, x.posting_id
    ), reason AS MATERIALIZED (    -- of what is there now; a draft that is gone has left its amounts only
        SELECT d.payee_id, d.plan_id, d.period_id, d.component_name, d.posting_id, d.transaction_key || coalesce('/' || nullif(d.line, ''), '') AS deal, d.amount, d.cause, d.reason,
               row_number() OVER w AS nth, count(*) OVER (PARTITION BY d.payee_id, d.plan_id, d.period_id, d.component_name, d.posting_id) AS n
        FROM spm.difference d
        WHERE NOT is_past AND d.posting_id = ANY (postings) AND (wanted IS NULL OR d.payee_id = wanted)
        WINDOW w AS (PARTITION BY d.payee_id, d.plan_id, d.period_id, d.component_name, d.posting_id
                     ORDER BY abs(d.amount) DESC, d.transaction_key COLLATE "C", d.line COLLATE "C", d.source COLLATE "C")
    ), titled AS MATERIALIZED (
        SELECT d.*, t.title, t.only_words, r.n IS NOT NULL AND length(t.title) + length(t.only_words) <= 60 AS is_short
        FROM difference d
        LEFT JOIN reason r ON r.n = 1 AND (r.payee_id, r.plan_id, r.period_id, r.component_name, r.posting_id) = (d.payee_id, d.plan_id, d.period_id, d.component_name, d.posting_id)
        CROSS JOIN LATERAL (SELECT format('%s %s: %s', CASE WHEN d.period_id = this THEN 'Reopened' ELSE 'Difference' END, d.period_name, d.component_name) AS title,
                                   concat_ws(': ', r.deal, nullif(r.reason, '')) AS only_words) t
    ), written AS (
        -- ---- whose it is
        SELECT n.payee_id, n.plan_id, n.name AS plan_name, 1 AS section, '{}'::text[] AS place, w.nth::bigint AS nth, 0::bigint AS sub, w.words AS line
        FROM plan n JOIN spm.payee y USING (payee_id) JOIN spm.period p ON p.period_id = this
        CROSS JOIN LATERAL (
            SELECT 1 AS nth, left(concat_ws(' - ', y.name, concat_ws(' ', coalesce(n.name, 'Beside all plans'), n.versions), p.name, n.currency_code), 80) AS words
            UNION ALL SELECT 2, format('%s to %s, %s', lower(p.span), upper(p.span) - 1, how_far)
            UNION ALL SELECT 3, repeat('-', 80)
            UNION ALL SELECT 4, spm._statement_line('', 'base', 'rate', 'earned')) w
        UNION ALL
        -- ---- each component: what counted, what it was measured by, what it earns
        SELECT p.payee_id, p.plan_id, n.name, 2, p.place, w.nth, w.sub, w.words
        FROM part p JOIN plan n USING (payee_id, plan_id)
        CROSS JOIN LATERAL (
            SELECT 1 AS nth, 0::bigint AS sub, left(concat(p.component_name, CASE WHEN p.has_versions THEN ' v' || p.version_no END, CASE WHEN p.has_seats THEN ' in ' || p.seat END, CASE WHEN p.is_idle THEN ': 0 deals' END,
                CASE WHEN p.is_idle THEN ', quota ' || spm._money(p.quota_amount, p.minor_digits) END), 80) AS words
            UNION ALL
            SELECT 2, l.sub, l.words FROM spm._wrapped(concat_ws(', ',
                CASE p.basis WHEN 'credit' THEN format('%s deal%s%s', p.credit_count, CASE WHEN p.credit_count <> 1 THEN 's' END,
                        CASE (p.component).credit_kind WHEN 'direct' THEN NULL WHEN 'rollup' THEN ' of the team' WHEN 'all' THEN ', own and of the team'
                             ELSE ' by ' || (p.component).credit_kind END) END,
                CASE WHEN p.opening_amount <> 0 THEN 'brought forward ' || spm._money(p.opening_amount, p.minor_digits) END,
                CASE WHEN p.quota_amount IS NOT NULL AND p.basis = 'credit' THEN CASE (p.component).against WHEN 'quota' THEN 'quota ' ELSE 'compared with ' END
                        || spm._money(p.quota_amount, p.minor_digits) END,
                CASE WHEN p.quota_amount > 0 AND p.basis = 'credit'
                     THEN 'attainment ' || spm._percent(spm.attainment(p.opening_amount + p.amount, p.quota_amount, 6)) END), 2) WITH ORDINALITY l(words, sub) WHERE NOT p.is_idle
            UNION ALL
            SELECT 3, l.sub, l.words
            FROM (SELECT spm._plain((p.component).measure_expression) AS measure, spm._plain((p.component).eligibility_expression) AS condition) x
            CROSS JOIN LATERAL spm._wrapped(CASE WHEN p.basis = 'credit' AND p.seat_no = 1 THEN concat_ws(' of ',
                CASE WHEN x.measure NOT IN ('amount', '1') THEN 'counts ' || x.measure END,
                CASE WHEN x.condition IS NOT NULL THEN concat(CASE x.measure WHEN 'amount' THEN 'only ' WHEN '1' THEN 'counts ' END, 'deals where ', x.condition) END) END, 2)
                WITH ORDINALITY l(words, sub)
            WHERE NOT p.is_idle
            UNION ALL
            -- of whoever sold nothing, how the quota came about and no more
            SELECT 4, 100 * b.nth + l.sub, l.words FROM unnest(p.told) WITH ORDINALITY b(words, nth)
            CROSS JOIN LATERAL spm._wrapped(b.words, 2) WITH ORDINALITY l(words, sub)
            WHERE NOT p.is_idle OR p.quota_amount IS NOT NULL AND b.nth = 1 AND b.words ~ '^([0-9]|nothing of )'
            UNION ALL
            SELECT 7, l.sub, l.words FROM spm._wrapped(spm._method_words(p.component, p.grain, p.minor_digits, p.is_single), 2) WITH ORDINALITY l(words, sub)
            WHERE p.seat_no = 1 AND NOT p.is_idle
            UNION ALL
            SELECT 8, l.sub, l.words FROM spm._wrapped(format('times your %s of %s', p.variable_name, trim_scale(p.factor)), 2) WITH ORDINALITY l(words, sub)
            WHERE p.variable_name IS NOT NULL AND p.basis IN ('credit', 'result') AND p.told = '{}' AND p.seat_no = 1 AND NOT p.is_idle) w
        UNION ALL
        SELECT p.payee_id, p.plan_id, n.name, 2, p.place, 5,
               row_number() OVER (PARTITION BY p.payee_id, p.component_id, p.position_id ORDER BY s.kind = 'tier' DESC, s.kind, s.tier_no, s.rate),
               spm._statement_line('  ' || CASE s.kind
                   WHEN 'rerate' THEN 'earlier deals at the new rate'
                   WHEN 'cap' THEN 'held back by the cap'
                   WHEN 'floor' THEN 'raised to the minimum'
                   ELSE CASE WHEN coalesce(s.tier_no, 0) = 0 THEN CASE WHEN p.rate_options ~ '^(bonus|curve)' THEN 'not reached' ELSE 'below the first step' END
                             WHEN t.to_value IS NULL AND t.from_value = 0 THEN p.whole_words
                             WHEN p.tier_basis = 'quota' THEN
                                 concat(CASE WHEN t.to_value IS NULL THEN 'from ' END, trim_scale(100 * t.from_value),
                                        ' - ' || trim_scale(100 * t.to_value), ' % of quota')
                             WHEN t.to_value IS NULL THEN 'from ' || spm._money(t.from_value, 0)
                             ELSE spm._money(t.from_value, 0) || ' - ' || spm._money(t.to_value, 0) END END,
                   CASE WHEN s.kind IN ('tier', 'rerate') THEN CASE WHEN p.basis = 'credit'
                        -- so that what is shown adds up to the deals
                        THEN spm._money(round(s.running_base, d.places) - round(s.running_base - s.base_amount, d.places), d.places)
                        ELSE trim_scale(round(s.base_amount, 6))::text END END,
                   CASE WHEN p.rate_options ~ '^(bonus|curve)' THEN NULL
                        WHEN p.pay = 'target' AND s.kind = 'tier' AND s.tier_no > 0 THEN 'x ' || trim_scale(t.rate)
                        WHEN s.rate IS NOT NULL THEN CASE WHEN p.unit = 'count' OR p.basis <> 'credit' THEN trim_scale(s.rate)::text ELSE spm._percent(s.rate) END END,
                   spm._money(s.amount, p.places))
        FROM slice s
        JOIN part p USING (payee_id, component_id, position_id)
        JOIN plan n USING (payee_id, plan_id)
        LEFT JOIN tier t ON t.component_id = s.component_id AND t.tier_no = s.tier_no
        CROSS JOIN LATERAL (SELECT CASE p.unit WHEN 'count' THEN 0 ELSE p.minor_digits END AS places) d
        -- but for the deals before a bonus was reached
        WHERE NOT (s.amount = 0 AND p.earned_amount <> 0 AND p.rate_options ~ '^(bonus|curve)')
        UNION ALL
        SELECT p.payee_id, p.plan_id, n.name, 2, p.place, 6, row_number() OVER (PARTITION BY p.payee_id, p.component_id, p.position_id ORDER BY o.kind),
               spm._statement_line('  ' || CASE
                   WHEN o.kind = 'true_up' THEN 'earlier deals, as they are worth by now'
                   WHEN o.kind = 'rank' THEN format('place %s', trim_scale(p.amount))
                   WHEN o.kind = 'pool' THEN format('your part of %s', spm._money(p.amount, p.minor_digits))
                   WHEN o.kind = 'refund' THEN 'taken back of deals that were cancelled'
                   WHEN p.basis = 'objective' THEN concat(CASE WHEN p.amount = 0 AND NOT EXISTS (SELECT FROM rated r WHERE r.payee_id = p.payee_id) THEN 'objectives not yet rated'
                                                               ELSE 'objectives met to ' || spm._percent(p.amount) END, ', ' || p.variable_name || ' ' || trim_scale(p.factor))
                   ELSE concat('fixed amount', ', ' || p.variable_name || ' ' || trim_scale(p.factor)) END, NULL, NULL, spm._money(o.amount, p.places))
        FROM (SELECT e.payee_id, e.component_id, e.position_id, e.kind, sum(e.amount) AS amount
              FROM e GROUP BY e.payee_id, e.component_id, e.position_id, e.kind) o
        JOIN part p USING (payee_id, component_id, position_id)
        JOIN plan n USING (payee_id, plan_id)
        WHERE o.kind IN ('true_up', 'rank', 'pool', 'refund') OR p.basis IN ('fixed', 'objective')
        UNION ALL
        SELECT n.payee_id, n.plan_id, n.name, 3, '{}', 1, 0, spm._statement_line('Earned in ' || p.name, NULL, NULL, spm._money(sum(z.amount), n.minor_digits))
        FROM plan n JOIN x z ON z.payee_id = n.payee_id AND z.of_plan = n.plan_id JOIN spm.period p ON p.period_id = this
        WHERE z.kind = 'earning' AND z.period_id = this AND z.posting_id = first_posting AND EXISTS (SELECT FROM x WHERE x.payee_id = n.payee_id AND x.of_plan = n.plan_id
                      AND (x.kind <> 'earning' OR x.amount <> 0 AND (x.period_id <> this OR x.posting_id <> first_posting)))
        GROUP BY n.payee_id, n.plan_id, n.name, n.minor_digits, p.name
        UNION ALL
        -- ---- what has changed since it was posted
        SELECT n.payee_id, n.plan_id, n.name, 4, d.place, 0, 0,
               spm._statement_line(concat(d.title, CASE WHEN d.is_short THEN ', ' || d.only_words END), NULL, NULL, spm._money(d.amount, n.minor_digits))
        FROM titled d JOIN plan n USING (payee_id, plan_id)
        UNION ALL
        SELECT n.payee_id, n.plan_id, n.name, 4, d.place, r.nth, l.sub, l.words
        FROM titled d
        JOIN plan n USING (payee_id, plan_id)
        JOIN reason r USING (payee_id, plan_id, period_id, component_name, posting_id)
        CROSS JOIN LATERAL spm._wrapped(concat(r.deal || ': ', CASE WHEN r.n > 1 THEN spm._money(r.amount, n.minor_digits) || ', ' END, r.reason), 2) WITH ORDINALITY l(words, sub)
        WHERE NOT d.is_short AND (r.nth <= 3 OR r.n = 4)
        UNION ALL
        SELECT n.payee_id, n.plan_id, n.name, 4, d.place, 100, l.sub, l.words
        FROM difference d
        JOIN plan n USING (payee_id, plan_id)
        JOIN (SELECT r.payee_id, r.plan_id, r.period_id, r.component_name, r.posting_id, count(*) AS n, sum(r.amount) AS amount, string_agg(DISTINCT r.cause, ', ') AS causes
              FROM reason r WHERE r.n > 4 AND r.nth > 3
              GROUP BY r.payee_id, r.plan_id, r.period_id, r.component_name, r.posting_id) o USING (payee_id, plan_id, period_id, component_name, posting_id)
        CROSS JOIN LATERAL spm._wrapped(format('%s more deals: %s (%s)', o.n, spm._money(o.amount, n.minor_digits), o.causes), 2) WITH ORDINALITY l(words, sub)
        UNION ALL
        -- ---- what pay rules, holds and adjustments made of it, in their order
        SELECT n.payee_id, n.plan_id, n.name, 5, ARRAY[lpad(coalesce(r.rule_no, 999999)::text, 6, '0'), x.kind, lpad(x.payout_id::text, 18, '0')], w.nth, w.sub, w.words
        FROM (SELECT x.payee_id, x.of_plan, x.kind, x.pay_rule_id, x.reason, x.period_id, min(x.payout_id) AS payout_id, sum(x.amount) AS amount
              FROM x WHERE x.kind <> 'earning' GROUP BY x.payee_id, x.of_plan, x.kind, x.pay_rule_id, x.reason, x.period_id) x
        JOIN plan n ON n.payee_id = x.payee_id AND n.plan_id = x.of_plan
        JOIN spm.period p ON p.period_id = x.period_id
        LEFT JOIN spm.pay_rule r USING (pay_rule_id)
        CROSS JOIN LATERAL (SELECT o.title, length(o.title) + coalesce(length(x.reason), 0) <= 60 AS is_short
            FROM (SELECT concat(r.name || ': ', CASE x.kind WHEN 'budget' THEN 'above the budget' WHEN 'cap' THEN 'above the cap'
                    WHEN 'carried' THEN 'paid of what was above the cap before' WHEN 'holdback' THEN 'held back until later' WHEN 'guarantee' THEN 'topped up to the guarantee'
                    WHEN 'draw' THEN 'drawn' WHEN 'recovery' THEN 'paid back' WHEN 'forgiveness' THEN 'written off' WHEN 'negative' THEN 'below zero, not collected now'
                    WHEN 'adjustment' THEN 'Adjustment' WHEN 'hold' THEN 'On hold' WHEN 'release' THEN 'Released' ELSE x.kind END,
                CASE WHEN x.period_id <> this THEN ' ' || p.name END) AS title) o) t
        CROSS JOIN LATERAL (
            SELECT 1 AS nth, 0::bigint AS sub, spm._statement_line(concat(t.title, CASE WHEN t.is_short THEN ': ' || x.reason END), NULL, NULL, spm._money(x.amount, n.minor_digits)) AS words
            UNION ALL
            SELECT 2, l.sub, l.words FROM spm._wrapped(x.reason, 2) WITH ORDINALITY l(words, sub) WHERE NOT t.is_short) w
        UNION ALL
        SELECT n.payee_id, n.plan_id, n.name, 6, ARRAY[lpad(r.rule_no::text, 6, '0'), b.balance_id::text], 1, l.sub, l.words
        FROM balance b
        JOIN spm.pay_rule r USING (pay_rule_id) JOIN spm.plan_version v USING (plan_version_id)
        JOIN plan n ON n.payee_id = b.payee_id AND n.plan_id = v.plan_id
        CROSS JOIN LATERAL spm._wrapped(format('%s by %s: %s before, %s now', CASE WHEN r.kind IN ('draw', 'negative') THEN 'Owed' ELSE 'Kept for you' END, r.name,
            spm._money(b.opening_amount, n.minor_digits), spm._money(b.closing_amount, n.minor_digits)), 0) WITH ORDINALITY l(words, sub)
        WHERE b.opening_amount <> 0 OR b.closing_amount <> 0
        UNION ALL
        SELECT n.payee_id, n.plan_id, n.name, 7, '{}', w.nth, 0, w.words
        FROM plan n
        CROSS JOIN LATERAL (
            SELECT 1 AS nth, repeat('-', 80) AS words
            UNION ALL
            SELECT 2, spm._statement_line('Payable', NULL, n.currency_code, spm._money(n.amount, n.minor_digits))) w
    )
    SELECT w.payee_id, row_number() OVER (PARTITION BY w.payee_id ORDER BY w.plan_name COLLATE "C" NULLS LAST, w.plan_id, w.section, w.place COLLATE "C", w.nth, w.sub), w.line
    FROM (SELECT w.* FROM written w
          UNION ALL    -- a space between plans
          SELECT n.payee_id, n.plan_id, n.name, 0, '{}', 0, 0, ''
          FROM (SELECT n.*, row_number() OVER (PARTITION BY n.payee_id ORDER BY n.name COLLATE "C" NULLS LAST, n.plan_id) AS nth FROM plan n) n WHERE n.nth > 1) w;
END
$$;
COMMENT ON FUNCTION spm._statement_lines(int, int, timestamptz) IS 'The statements of a paying period as they were at an instant, of one payee or, NULL, of everybody.';
REVOKE ALL ON FUNCTION spm._statement_lines(int, int, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._keep_statements(posting_id int)
    RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    -- of everybody, out of rows that may have no statistics yet
    SET enable_nestloop = off
AS $$
    INSERT INTO spm.posted_statement (posting_id, payee_id, content)
    SELECT o.posting_id, s.who, string_agg(s.line, E'\n' ORDER BY s.line_no)
    FROM spm.posting o CROSS JOIN LATERAL spm._statement_lines(o.period_id, NULL, 'infinity') s
    WHERE o.posting_id = _keep_statements.posting_id
    GROUP BY o.posting_id, s.who
$$;
COMMENT ON FUNCTION spm._keep_statements(int) IS 'Keeps what the statements of a posting say, once it is posted.';
REVOKE ALL ON FUNCTION spm._keep_statements(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.statement(payee text, period text, calendar text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    whose spm.payee;
    paid spm.period := (SELECT p FROM spm.period p WHERE p.period_id = spm._period_id(statement.period, statement.calendar));
    instant timestamptz := coalesce(statement.as_of, 'infinity');
    known record;
    part text;
BEGIN
    SELECT y.* INTO whose FROM spm.payee y WHERE y.payee_key = statement.payee;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payee "%" does not exist', statement.payee
            USING ERRCODE = 'undefined_object', HINT = 'SELECT payee_key, name FROM spm.payee;';
    END IF;
    SELECT h.* INTO known FROM spm._known_state(paid.period_id, instant) h;
    IF NOT spm._is_leaf(paid.period_id) THEN
        SELECT p.name INTO part FROM spm.period p
        WHERE p.calendar_id = paid.calendar_id AND p.span <@ paid.span AND spm._is_leaf(p.period_id) ORDER BY p.span LIMIT 1;
        RAISE EXCEPTION 'period % has parts', paid.name
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Statements are of the parts, which are calculated and paid.',
                  HINT = format('SELECT spm.statement(%L, %L);', statement.payee, part);
    END IF;
    IF paid.state = 'open' AND statement.as_of IS NULL OR known.posted_count = 0 AND NOT known.is_draft THEN
        RAISE EXCEPTION '%', CASE WHEN statement.as_of IS NULL THEN format('period %s is not calculated', paid.name)
                                  ELSE format('period %s was not calculated by then', paid.name) END
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE WHEN statement.as_of IS NULL THEN format('CALL spm.calculate(%L);', paid.name)
                              ELSE format('SELECT * FROM spm.statement_version(%L, %L);', statement.payee, paid.name) END;
    END IF;
    IF NOT known.is_draft THEN
        -- what was posted is shown as it was said then
        RETURN QUERY SELECT l.line FROM spm.posted_statement s CROSS JOIN LATERAL string_to_table(s.content, E'\n') l(line)
        WHERE s.posting_id = known.posting_id AND s.payee_id = whose.payee_id;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN QUERY SELECT l.line FROM spm._statement_lines(paid.period_id, whose.payee_id, instant) l ORDER BY l.line_no;
    IF NOT FOUND THEN
        RETURN NEXT format('%s is on no plan in %s.', whose.name, paid.name);
    END IF;
END
$$;
COMMENT ON FUNCTION spm.statement(text, text, text, timestamptz) IS
'What a payee is paid in a period and why, as lines of text of at most 80 columns: for each component what counted, the quota, the attainment and what each step earns; then differences of earlier periods with their reasons; then what caps, draws, holds and adjustments make of it; then the sum.
What was posted is shown to the letter as it was then, whatever has changed since.
payee: payee_key. period: name of the paying period. calendar: needed when two calendars have a period of that name. as_of: an instant, to see what was known then; NULL: now.
Errors: 42704 for an unknown payee or period, 55000 for a period that has parts, while the period is not calculated, or was not by then.
Example: SELECT spm.statement(''U-17'', ''2026-Q1''); SELECT spm.statement(''U-17'', ''2026-Q1'', as_of => ''2026-04-02 09:00+00'');';
/*
 * compensation/statement_credit.sql: who could have been credited, and why not.
 */

CREATE OR REPLACE FUNCTION spm.credit_candidates(source text, transaction_key text, line text DEFAULT NULL)
    RETURNS TABLE (way text, name text, payee_key text, position_name text, event text, event_date date, transaction_line text, share numeric,
                   credited_amount numeric, is_credited boolean, because text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
#variable_conflict use_column
DECLARE
    relation text := spm._transaction_relation();
    chosen text := format('t.source = %L AND t.transaction_key = %L', credit_candidates.source, credit_candidates.transaction_key);
    -- rules judge the order that a transaction takes back
    judging text := CASE WHEN EXISTS (SELECT FROM spm.source_column c WHERE c.name = 'reference_key') THEN format($sql$(
        SELECT DISTINCT ON (t.line) t.line AS of_line, t.event_date AS on_day, o.*
        FROM %1$s t JOIN %1$s o ON o.source = t.source AND (o.transaction_key = t.reference_key OR o.transaction_key = t.transaction_key AND o.line = t.line)
        WHERE %2$s ORDER BY t.line, o.transaction_key = t.transaction_key, o.line <> t.line, o.line COLLATE "C")$sql$, relation, chosen)
        ELSE format('(SELECT t.line AS of_line, t.event_date AS on_day, t.* FROM %s t WHERE %s)', relation, chosen) END;
    known boolean;
    manual spm.manual_credit;
    rules text;
    components text;
    territories text;
BEGIN
    IF to_regclass('spm.transaction') IS NULL THEN
        RAISE EXCEPTION 'no source of transactions is mapped'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT spm.map_source(...);';
    END IF;
    IF credit_candidates.source = 'manual' THEN
        SELECT m.* INTO manual FROM spm.manual_credit m WHERE 'M-' || m.manual_credit_id = credit_candidates.transaction_key;
        known := FOUND;
    ELSE
        EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE %s)', relation, chosen) INTO known;
    END IF;
    IF NOT known THEN
        RAISE EXCEPTION 'transaction %/% does not exist', credit_candidates.source, credit_candidates.transaction_key
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('Sources are: ' || (SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM spm.source s)
                                  || '. A row that the filter of spm.map_source() leaves out is no transaction.', 'SELECT spm.map_source(...);');
    END IF;

    SELECT string_agg(format(E'SELECT t.of_line AS line, %s AS credit_rule_id, t.event_date <@ %L::daterange AS is_in_time, coalesce((%s), false) AS is_met FROM %s t',
                             r.credit_rule_id, r.span, r.condition, judging), E'\nUNION ALL ' ORDER BY r.credit_rule_id) INTO rules FROM spm.credit_rule r;
    SELECT string_agg(format(E'SELECT t.claim_no, %s AS component_id, %s AS is_eligible FROM claim t JOIN spm.plan_seat(%s, %L) s
            ON s.position_id = t.position_id AND s.payee_id = t.payee_id AND t.event_date <@ s.spans WHERE t.reason IS NULL',
                             c.component_id, coalesce('coalesce((' || c.eligibility_expression || '), false)', 'true'), v.plan_id, v.span),
                      E'\nUNION ALL ' ORDER BY c.component_id) INTO components
    FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) WHERE v.state <> 'draft' AND c.basis = 'credit';
    IF to_regclass('spm.territory_claim') IS NOT NULL THEN
        SELECT string_agg(format('SELECT t.of_line AS line, %L::text AS territory, (%s)::text AS match_key, t.on_day AS event_date FROM %s t',
                                 s.name, s.match_expression, judging), E'\nUNION ALL ' ORDER BY s.territory_source_id) INTO territories FROM spm.territory_source s;
    END IF;

    RETURN QUERY EXECUTE format($sql$
WITH claimed AS (%1$s),
claim AS (
    SELECT c.*, row_number() OVER () AS claim_no FROM claimed c
), judged AS (      -- what each rule says of each line
    SELECT u.line, r.credit_rule_id, r.name, r.kind, u.is_in_time, u.is_met, p.place, p.condition, r.span
    FROM (%2$s) u JOIN spm.credit_rule r USING (credit_rule_id) LEFT JOIN spm._share_rule() p USING (credit_rule_id)
), winner AS (
    SELECT DISTINCT ON (j.line) j.* FROM judged j WHERE j.kind = 'share' AND j.is_in_time AND j.is_met ORDER BY j.line, j.place
), line AS (        -- what decides about each
    SELECT t.line, t.event_date, t.owner_key, w.credit_rule_id, w.name AS rule_name,
           EXISTS (SELECT FROM spm.transaction_split s WHERE s.source = t.source
               AND s.transaction_key IN (t.transaction_key, t.reference_key) AND coalesce(s.line, t.line) = t.line AND s.share <> 0) AS is_split
    FROM %3$s t LEFT JOIN winner w USING (line) WHERE %4$s
), element AS (     -- what pays at the seats credited
    SELECT u.claim_no, u.is_eligible, k.*, p.name AS plan_name, bool_or(k.credit_kind IN (c.kind, 'all')) OVER (PARTITION BY u.claim_no) AS is_taken
    FROM (%6$s) u JOIN claim c USING (claim_no) JOIN spm.component k USING (component_id)
    JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id)
), answer AS (
    SELECT 1 AS place, CASE WHEN c.kind <> 'direct' THEN c.kind WHEN c.source = 'manual' THEN 'manual' WHEN l.is_split THEN 'split' WHEN l.credit_rule_id IS NOT NULL THEN 'rule' ELSE 'owner' END AS way,
           CASE WHEN c.kind <> 'direct' THEN c.rule WHEN NOT l.is_split THEN l.rule_name END AS name, nullif(c.owner_key, '') AS payee_key, s.name AS position_name,
           c.event, c.event_date, c.line, c.share * c.factor AS share,
           CASE WHEN c.reason IS NULL THEN spm._credited(c.amount, c.shares, c.share_no, c.factor, c.part_no, c.part_count, coalesce(k.minor_digits, 2)) END AS credited_amount,
           c.reason IS NULL AS is_credited, coalesce(c.reason, CASE WHEN c.part_count > 1 THEN format('part %%s of %%s', c.part_no, c.part_count)
               WHEN c.kind = 'direct' AND c.share = 1 THEN 'all of it' ELSE format('%%s %%%% of it', trim_scale(100 * c.share * c.factor)) END) AS because
    FROM claim c LEFT JOIN line l USING (line) LEFT JOIN spm.position s USING (position_id) LEFT JOIN spm.currency k USING (currency_code)
    UNION ALL
    SELECT 2, CASE j.kind WHEN 'share' THEN 'rule' ELSE j.kind END, j.name, y.payee_key, NULL, 'booking', l.event_date, j.line, m.share, NULL, false,
           CASE WHEN NOT j.is_in_time THEN format('it holds for %%s', j.span)
                WHEN NOT j.is_met THEN format('its condition is false: %%s', (SELECT r.condition FROM spm.credit_rule r WHERE r.credit_rule_id = j.credit_rule_id))
                WHEN j.kind <> 'share' THEN 'nobody in the team held a seat on that day'
                WHEN l.is_split THEN 'shares given by the source go before rules'
                ELSE format('rule "%%s" goes before it', l.rule_name) END
    FROM judged j JOIN line l USING (line)
    LEFT JOIN spm.credit_rule_share m ON m.credit_rule_id = j.credit_rule_id LEFT JOIN spm.payee y ON y.payee_id = m.payee_id
    WHERE NOT (j.is_in_time AND j.is_met) OR j.kind = 'share' AND (l.is_split OR j.credit_rule_id <> l.credit_rule_id)
       OR j.kind = 'team' AND NOT EXISTS (SELECT FROM claim c WHERE c.kind = 'team' AND c.rule = j.name AND c.line = j.line)
    UNION ALL
    SELECT 3, 'owner', NULL, l.owner_key, NULL, 'booking', l.event_date, l.line, NULL, NULL, false,
           CASE WHEN l.is_split THEN 'shares given by the source go before the owner' ELSE format('rule "%%s" goes before the owner', l.rule_name) END
    FROM line l WHERE l.is_split OR l.credit_rule_id IS NOT NULL
    UNION ALL
    SELECT 4, 'territory', u.territory, NULL, NULL, 'booking', u.event_date, u.line, NULL, NULL, false,
           CASE WHEN u.match_key IS NULL THEN 'the transaction has nothing to look for' ELSE format('nobody holds "%%s" on that day', u.match_key) END
    FROM (%5$s) u WHERE NOT EXISTS (SELECT FROM claim c WHERE c.kind = 'territory' AND c.rule = u.territory AND c.line = u.line AND c.event = 'booking')
    UNION ALL           -- up the tree
    SELECT 5, 'rollup', NULL, y.payee_key, s.name, c.event, c.event_date, c.line, c.share * coalesce(f.factor, 1), NULL,
           g.position_id IS NOT NULL AND coalesce(f.factor, 1) > 0,
           concat(format('%%s level(s) up', h.depth), CASE WHEN a.payee_id IS NULL THEN ': nobody held the position' WHEN g.position_id IS NULL THEN ': no plan there takes rollup'
               WHEN f.factor IS NOT NULL THEN format(', times %%s', trim_scale(f.factor)) END)
    FROM claim c
    JOIN spm.position_path h ON h.position_id = c.position_id AND c.event_date <@ h.span
    JOIN spm.position s ON s.position_id = h.ancestor_position_id
    LEFT JOIN spm.position_assignment a ON a.position_id = s.position_id AND c.event_date <@ a.span
    LEFT JOIN spm.payee y ON y.payee_id = a.payee_id
    LEFT JOIN LATERAL (SELECT t.position_id FROM spm.calendar k CROSS JOIN LATERAL spm._taking_seat(k.calendar_id, 'rollup') t
                       WHERE t.position_id = s.position_id AND t.payee_id = a.payee_id AND c.event_date <@ t.spans LIMIT 1) g ON true
    LEFT JOIN LATERAL (SELECT r.factor FROM spm.rollup_factor r
        WHERE r.level IN (0, h.depth) AND c.event_date <@ r.span
          AND (r.position_id = s.position_id OR r.title_id = s.title_id OR num_nonnulls(r.position_id, r.title_id) = 0)
        ORDER BY r.position_id IS NULL, r.title_id IS NULL, r.level DESC LIMIT 1) f ON true
    WHERE c.kind = 'direct' AND c.reason IS NULL
    UNION ALL           -- what pays for it
    SELECT 6, 'component', coalesce(k.plan_name || ': ' || k.name, 'no plan'), c.owner_key, s.name, c.event, c.event_date, c.line, c.share * c.factor, NULL,
           coalesce(k.credit_kind IN (c.kind, 'all') AND k.event = c.event AND k.is_eligible, false),
           CASE WHEN k.component_id IS NULL THEN 'the seat was on no published plan that pays by credits on that day'
                WHEN k.credit_kind NOT IN (c.kind, 'all') THEN format('it takes %%s credits, this is %%s', k.credit_kind, c.kind)
                WHEN k.event <> c.event THEN format('it pays by %%s, this is %%s', k.event, c.event)
                WHEN k.refund <> 'running' AND c.reference_key IS NOT NULL THEN format('it takes back what %%s earned', c.reference_key)
                WHEN NOT k.is_eligible THEN format('its condition is false: %%s', k.eligibility_expression)
                ELSE 'it counts' END
    FROM claim c
    JOIN spm.position s USING (position_id)
    LEFT JOIN element k ON k.claim_no = c.claim_no AND (k.credit_kind IN (c.kind, 'all') OR NOT k.is_taken)
    WHERE c.reason IS NULL
)
SELECT a.way, a.name, a.payee_key, a.position_name, a.event, a.event_date, a.line, trim_scale(a.share), a.credited_amount, a.is_credited, a.because
FROM answer a
WHERE $1 IS NULL OR a.line = $1
ORDER BY a.place = 6, a.line COLLATE "C", a.event <> 'booking', a.event_date, a.place, NOT a.is_credited, a.way, a.name COLLATE "C", a.payee_key COLLATE "C", a.share, a.because
$sql$, spm._claim_sql('[0001-01-01,9999-12-31)', (SELECT array_agg(DISTINCT u.event) FROM (SELECT 'booking' AS event UNION ALL SELECT e.kind FROM spm.event_source e) u), chosen),
        coalesce(rules, 'SELECT ''''::text AS line, 0 AS credit_rule_id, false AS is_in_time, false AS is_met WHERE false'), relation, chosen,
        coalesce(territories, 'SELECT ''''::text AS line, ''''::text AS territory, ''''::text AS match_key, NULL::date AS event_date WHERE false'),
        coalesce(components, 'SELECT 0::bigint AS claim_no, 0 AS component_id, false AS is_eligible WHERE false'))
    USING credit_candidates.line;
    IF manual.manual_credit_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM spm.manual_credit_decision d WHERE d.manual_credit_id = manual.manual_credit_id AND d.decision = 'approved'
          AND NOT EXISTS (SELECT FROM spm.manual_credit_decision w WHERE w.manual_credit_id = d.manual_credit_id AND w.decision = 'withdrawn')) THEN
        RETURN QUERY SELECT 'manual', NULL::text, y.payee_key, NULL::text, manual.event, manual.event_date, '', NULL::numeric, NULL::numeric, false,
            CASE WHEN EXISTS (SELECT FROM spm.manual_credit_decision w WHERE w.manual_credit_id = manual.manual_credit_id AND w.decision = 'withdrawn')
                 THEN 'it is withdrawn' ELSE 'nobody has approved it yet' END
        FROM spm.payee y WHERE y.payee_id = manual.payee_id;
    END IF;
END
$$;
COMMENT ON FUNCTION spm.credit_candidates(text, text, text) IS
'Who could have been credited with a transaction and why not, as it is in the warehouse now: who is credited; then every rule, split and owner that is not, with the first reason; who is above; and each component of their plans, whether it counts there and why not. So it also answers why an order paid nobody.
source, transaction_key: of the transaction. line: only that line; NULL: all.
way: split, rule, owner, manual, overlay, team, territory, rollup or component; name: of the rule, territory or component; share: as a ratio; credited_amount: in the currency of the transaction; is_credited: whether it won, or counts.
Errors: 42704 for a transaction that is not there, 55000 when no source is mapped, those of a calculation for a row that cannot be used.
Example: SELECT way, name, payee_key, is_credited, because FROM spm.credit_candidates(''orders'', ''D-1007'');';
/*
 * compensation/statement_document.sql: a plan told to the people who are paid
 * by it, and that they have agreed to it.
 *
 * What is told is collected as rows (spm._plan_line), then written as text or
 * HTML in one place.  A column that no sentence here knows is told by its name:
 * nothing that a plan says is left out.
 */

CREATE OR REPLACE FUNCTION spm._figure_words(figure text, component text, scope text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT concat_ws(' ', CASE _figure_words.scope WHEN 'team' THEN 'your team''s' WHEN 'plan' THEN 'everybody''s' ELSE 'your' END,
        CASE _figure_words.figure WHEN 'amount' THEN 'total' WHEN 'earned' THEN 'earnings' WHEN 'credits' THEN 'number of orders' ELSE _figure_words.figure END,
        CASE WHEN _figure_words.component <> '' THEN format('of "%s"', _figure_words.component) END);
END;
COMMENT ON FUNCTION spm._figure_words(text, text, text) IS 'A figure of a component in words: your attainment of "Renewals".';
REVOKE ALL ON FUNCTION spm._figure_words(text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._rates_words(rates text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT string_agg(format('%s from %s', CASE WHEN s.schedule::text ~ '\m(bonus|curve)\M' THEN trim_scale(t.rate)::text ELSE spm._percent(t.rate) END,
                             CASE WHEN spm._is_of_quota(s.schedule) THEN spm._percent(t.tier_from) ELSE trim_scale(t.tier_from)::text END), ', ' ORDER BY t.tier_no)
        || coalesce(' (' || nullif(spm._rate_options(s.schedule), '') || ')', '')
    FROM (SELECT _rates_words.rates::spm.rate_schedule AS schedule) s CROSS JOIN LATERAL spm.tier(s.schedule) t
    GROUP BY s.schedule;
END;
COMMENT ON FUNCTION spm._rates_words(text) IS 'A rate schedule within a sentence: 50 % from 0 %, 100 % from 90 % (whole).';
REVOKE ALL ON FUNCTION spm._rates_words(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._modifier_sentence(modifier spm.modifier)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    figures text := (SELECT string_agg(spm._figure_words(u.figure, u.component, modifier.scope), ' and ' ORDER BY u.ordinality)
                     FROM unnest(modifier.figures, modifier.of_components) WITH ORDINALITY u(figure, component, ordinality));
    is_ratio boolean := modifier.figures[1] = 'attainment';
    amount text;
BEGIN
    IF modifier.kind = 'gate' THEN
        RETURN format('Nothing is paid unless %s %s %s.', figures, CASE WHEN modifier.is_strict THEN 'is above' ELSE 'reaches' END,
                      CASE WHEN is_ratio THEN spm._percent(modifier.value) ELSE spm._figure(modifier.value) END
                      || coalesce(' times your ' || (SELECT v.name FROM spm.variable v WHERE v.variable_id = modifier.variable_id), ''));
    END IF;
    amount := concat_ws(' times ',
        CASE WHEN modifier.value IS NOT NULL THEN CASE WHEN modifier.kind IN ('cap', 'floor') OR modifier.value > 10 THEN spm._figure(modifier.value) ELSE spm._percent(modifier.value) END END,
        CASE WHEN modifier.rates IS NOT NULL THEN format('what %s gives: %s', figures, spm._rates_words(modifier.rates))
             WHEN modifier.lookup_id IS NOT NULL THEN format('what table "%s" says of %s', (SELECT l.name FROM spm.lookup l WHERE l.lookup_id = modifier.lookup_id), figures)
             ELSE figures END,
        'your ' || (SELECT v.name FROM spm.variable v WHERE v.variable_id = modifier.variable_id));
    RETURN format(CASE modifier.kind WHEN 'multiply' THEN 'All of it is multiplied by %s.' WHEN 'add' THEN 'To the factor of all rates is added %s.'
                      WHEN 'at most' THEN 'The factor of all rates is at most %s.' WHEN 'at least' THEN 'The factor of all rates is at least %s.'
                      WHEN 'cap' THEN 'No more is earned than %s.' WHEN 'floor' THEN 'No less is earned than %s, once anything is.'
                      ELSE modifier.kind || ': %s.' END, coalesce(amount, '1'));
END
$$;
COMMENT ON FUNCTION spm._modifier_sentence(spm.modifier) IS 'A modifier as a sentence.';
REVOKE ALL ON FUNCTION spm._modifier_sentence(spm.modifier) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._pay_rule_sentence(rule spm.pay_rule, currency text)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    amount text := concat_ws(' of ', CASE WHEN rule.share IS NOT NULL THEN spm._percent(rule.share) END,
        CASE WHEN rule.amount IS NOT NULL THEN spm._figure(rule.amount) || ' ' || currency END,
        'your ' || (SELECT v.name FROM spm.variable v WHERE v.variable_id = rule.variable_id));
    scope text := coalesce('what you earn by ' || array_to_string(rule.components, ', '), 'what you earn');
    term text := concat(CASE WHEN rule.first_periods IS NOT NULL THEN format(' in your first %s periods on the plan', rule.first_periods) END,
                        CASE WHEN rule.until IS NOT NULL THEN format(' until %s', rule.until) END);
BEGIN
    RETURN concat(rule.name, ': ', CASE rule.kind
        WHEN 'budget' THEN format('All payees together are paid no more than %s for %s; what is short is missing %s.', amount, scope,
            CASE rule.method WHEN 'deal order' THEN 'from the last deals' ELSE 'from all in proportion' END)
        WHEN 'cap' THEN format('Of %s no more than %s is paid in a %s. What is above is %s.', scope, amount, rule.grain,
            CASE rule.method WHEN 'carried' THEN 'carried, and paid as soon as there is room' ELSE 'not paid' END)
        WHEN 'holdback' THEN format('Of %s %s is held back%s.', scope, amount, concat(
            CASE WHEN rule.release_after IS NOT NULL THEN format(', and paid %s period(s) later', rule.release_after) END,
            CASE WHEN rule.release_on IS NOT NULL THEN format(', and paid on %s', rule.release_on) END,
            CASE WHEN num_nonnulls(rule.release_after, rule.release_on) = 0 THEN ' until it is released' END))
        WHEN 'guarantee' THEN format('You are paid at least %s%s; it need not be paid back.', amount, term)
        WHEN 'draw' THEN CASE rule.method WHEN 'advance' THEN format('You are advanced %s%s besides what you earn.', amount, term)
                         ELSE format('You are paid at least %s%s; what that is more than you have earned is an advance.', amount, term) END
            || format(' An advance is taken back from later pay: %s of what is above %s%s%s%s.', spm._percent(rule.recover_share),
                coalesce(spm._figure(rule.minimum) || ' ' || currency, CASE rule.method WHEN 'advance' THEN 'nothing' ELSE 'the draw' END),
                CASE WHEN rule.recover_maximum IS NOT NULL THEN format(', at most %s a period', spm._figure(rule.recover_maximum)) END,
                CASE WHEN rule.recover_after > 0 THEN format(', from %s period(s) later', rule.recover_after) END,
                CASE WHEN rule.is_forgiven THEN '; what is owed when it ends is forgiven' END)
        WHEN 'adjustment' THEN 'Adjustments by hand take their place here, each with its reason.'
        WHEN 'negative' THEN CASE rule.method WHEN 'carried' THEN 'When refunds outweigh what you earn, the rest is taken back from later pay.'
                             ELSE 'When refunds outweigh what you earn, you are paid nothing, and owe nothing.' END
        ELSE rule.kind END,
        -- what has no words above
        (SELECT format(' (%s)', string_agg(format('%s: %s', replace(f.key, '_', ' '), spm._said(f.value)), ', ' ORDER BY f.key))
         FROM jsonb_each(spm._named(to_jsonb(rule), spm._column_default('pay_rule'), 'plan_version')) f
         WHERE f.key NOT IN ('name', 'rule_no', 'kind', 'method', 'amount', 'variable', 'share')
           AND f.key <> ALL (CASE rule.kind
               WHEN 'draw' THEN '{recover_share,recover_maximum,recover_after,minimum,first_periods,until,is_forgiven}'
               WHEN 'guarantee' THEN '{first_periods,until}' WHEN 'holdback' THEN '{components,release_after,release_on}'
               WHEN 'cap' THEN '{components,grain}' WHEN 'budget' THEN '{components}' ELSE '{}' END::text[])
         HAVING count(*) > 0));
END
$$;
COMMENT ON FUNCTION spm._pay_rule_sentence(spm.pay_rule, text) IS 'A pay rule as a sentence.';
REVOKE ALL ON FUNCTION spm._pay_rule_sentence(spm.pay_rule, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._example_line(component_id int, currency text)
    RETURNS TABLE (kind text, cells text[])
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    c spm.component := (SELECT p FROM spm.component p WHERE p.component_id = _example_line.component_id);
    schedule spm.rate_schedule := spm.component_rates(c.component_id);
    is_share boolean := c.tier_basis = 'quota';
    -- a round quota, and a total that passes through all tiers
    quota numeric := CASE WHEN c.basis <> 'credit' THEN 1 WHEN c.unit = 'count' THEN 100 ELSE 100000 END;
    last record;
    reached numeric;
    total numeric;
    target numeric := 10000;
    variable text := (SELECT v.name FROM spm.variable v WHERE v.variable_id = c.variable_id);
BEGIN
    IF c.basis NOT IN ('credit', 'objective') OR NOT EXISTS (SELECT FROM spm.tier t WHERE t.component_id = c.component_id AND t.rate <> 0) OR c.accumulate IN ('deal', 'group') AND c.unit = 'count' AND is_share THEN
        RETURN;
    END IF;
    SELECT t.tier_from, t.tier_to INTO last FROM spm.tier(schedule) t ORDER BY t.tier_no DESC LIMIT 1;
    reached := coalesce(last.tier_to, CASE WHEN last.tier_from > 0 THEN 1.2 * last.tier_from WHEN is_share THEN 1 ELSE quota END);
    total := CASE WHEN is_share THEN reached * quota ELSE reached END;
    IF is_share THEN
        schedule := spm.for_quota(schedule, quota);
    END IF;
    IF c.pay = 'target' THEN
        schedule := spm.per(schedule, CASE WHEN is_share THEN quota ELSE 1 END);
    END IF;
    IF variable IS NOT NULL AND (c.pay = 'target' OR c.basis = 'objective') THEN
        schedule := spm.with_factor(schedule, target);
    END IF;
    RETURN QUERY SELECT 'paragraph', ARRAY[format('Example: %s%s is worth %s %s%s.',
        CASE WHEN c.basis = 'objective' THEN format('meeting your objectives by %s', spm._percent(total))
             ELSE concat('a total of ', spm._figure(total), CASE c.unit WHEN 'money' THEN ' ' || currency END, ' against a quota of ' || CASE WHEN is_share THEN spm._figure(quota) END) END,
        CASE WHEN c.lookup_id IS NOT NULL THEN ', with what the table says,' END,
        spm._figure(spm.commission(schedule, 0, total, c.places, c.rounding)), currency,
        CASE WHEN variable IS NOT NULL AND (c.pay = 'target' OR c.basis = 'objective') THEN format(', with a %s of %s', variable, spm._figure(target))
             WHEN variable IS NOT NULL THEN format(', times your %s', variable) ELSE '' END
        || CASE WHEN EXISTS (SELECT FROM spm.modifier m WHERE m.component_id = c.component_id) THEN ', before what the lines above make of it' ELSE '' END)];
    RETURN QUERY SELECT 'head', ARRAY['from', 'to', 'counts', 'rate', 'earns'];
    RETURN QUERY
    SELECT 'row', ARRAY[spm._figure(s.slice_from), spm._figure(s.slice_to), spm._figure(s.base),
        CASE WHEN s.kind IN ('tier', 'base', 'rerate') THEN CASE WHEN c.unit = 'money' AND c.basis = 'credit' THEN spm._percent(s.rate) ELSE spm._figure(s.rate) END ELSE s.kind END,
        spm._figure(s.amount)]
    FROM spm.commission_slice(schedule, 0, total, c.places, c.rounding) s;
END
$$;
COMMENT ON FUNCTION spm._example_line(int, text) IS 'A worked example of a component, reckoned by the very functions that pay.';
REVOKE ALL ON FUNCTION spm._example_line(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._component_line(component_id int, currency text)
    RETURNS TABLE (kind text, cells text[])
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET intervalstyle = 'postgres'
AS $$
#variable_conflict use_column
DECLARE
    c record;
    rates spm.rate_schedule := spm.component_rates(_component_line.component_id);
    is_amount boolean;
    is_flat boolean;
    words text;
BEGIN
    SELECT p.*, m.name AS measure, v.name AS variable, l.name AS lookup, (SELECT max(t.rate) FROM spm.tier t WHERE t.component_id = p.component_id) AS rate INTO c
    FROM spm.component p LEFT JOIN spm.measure m USING (measure_id) LEFT JOIN spm.variable v USING (variable_id) LEFT JOIN spm.lookup l USING (lookup_id)
    WHERE p.component_id = _component_line.component_id;
    is_amount := c.rate_options ~ '\m(bonus|curve)\M';
    is_flat := NOT is_amount AND NOT EXISTS (SELECT FROM spm.tier t WHERE t.component_id = c.component_id AND t.bounds <> numrange(0, NULL));
    RETURN QUERY SELECT 'heading', ARRAY[format('%s. %s', c.component_no, c.name)];
    -- what is measured
    words := CASE c.basis
        WHEN 'credit' THEN format('What counts: %s of %s%s.', spm._plain(c.measure_expression),
            CASE c.credit_kind WHEN 'direct' THEN 'each order that you are credited with' WHEN 'rollup' THEN 'each order that comes up the reporting tree to you'
                WHEN 'all' THEN 'each order that you are credited with or that comes up the reporting tree to you' ELSE format('each order that you have a credit of kind %s for', c.credit_kind) END,
            ', where ' || spm._plain(c.eligibility_expression))
        WHEN 'fixed' THEN 'A fixed amount; it does not depend on sales.'
        WHEN 'objective' THEN 'What counts: how far your objectives are met, each by its weight.'
        ELSE format('What counts: %s%s.', CASE c.basis WHEN 'rank' THEN 'your place by ' WHEN 'pool' THEN 'a pot of ' END, coalesce(
            (SELECT string_agg(concat(CASE WHEN i.weight <> 1 THEN spm._percent(i.weight) || ' of ' END, spm._figure_words(i.figure, i.of_component, i.scope)),
                               CASE c.basis WHEN 'pool' THEN ', shared by ' ELSE ' plus ' END ORDER BY i.input_no)
             FROM spm.component_input i WHERE i.component_id = c.component_id),
            'a fixed sum' || coalesce(', shared by ' || c.variable, ''))) END;
    RETURN QUERY SELECT 'paragraph', ARRAY[words];
    IF c.event <> 'booking' THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('It counts with each %s of the order, by its part of the whole.', c.event)];
    END IF;
    IF c.refund <> 'running' THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('A refund takes back %s of what its order earned%s%s.', spm._percent(c.refund_share),
            CASE c.refund WHEN 'unearned' THEN format(', less what has been earned since: an order is earned in equal parts over %s months', c.earned_over) END,
            CASE WHEN c.refund_window IS NOT NULL THEN format(', when it comes within %s', c.refund_window) END)];
    END IF;
    IF c.credit_cap IS NOT NULL THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('At most %s of one order counts.', spm._figure(c.credit_cap))];
    END IF;
    IF c.lookup IS NOT NULL THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('It is multiplied by what table "%s" says of %s.', c.lookup,
            (SELECT string_agg(spm._plain(e), ' and ' ORDER BY o) FROM unnest(c.lookup_expressions) WITH ORDINALITY u(e, o)))];
    END IF;
    IF c.basis = 'credit' THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[CASE c.accumulate
            WHEN 'deal' THEN 'Every order starts at zero.' WHEN 'period' THEN 'The total starts at zero in each period.'
            WHEN 'group' THEN format('Orders with the same %s have a total of their own, which starts at zero in each period.', spm._plain(c.group_expression))
            ELSE CASE WHEN c.accumulate ~ '^rolling' THEN format('The total is that of the last %s periods.', substr(c.accumulate, 9))
                      ELSE format('The total goes on through the %s.', c.accumulate) END END];
    END IF;
    IF c.is_true_up THEN
        RETURN QUERY SELECT 'paragraph', ARRAY['Each period pays what the whole is worth by then, less what was earned before.'];
    END IF;
    IF c.against <> 'quota' THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('Attainment is the total divided by that of the %s.', CASE c.against WHEN 'prior year' THEN 'same days a year before' ELSE 'period before' END)];
    ELSIF c.measure IS NOT NULL THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('Attainment is the total divided by your quota for %s.', c.measure)];
    END IF;
    IF c.prorate <> 'none' THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('For a part of a period, quota%s reduced to that part (days: %s).', CASE WHEN c.measure IS NULL THEN ' and tiers are' ELSE ' and target are' END, c.prorate)];
    END IF;
    -- what it is worth
    RETURN QUERY SELECT 'paragraph', ARRAY[CASE
        WHEN NOT EXISTS (SELECT FROM spm.tier t WHERE t.component_id = c.component_id AND t.rate <> 0) THEN 'It earns nothing by itself.'
        WHEN is_flat THEN format('All of it is worth %s.', CASE WHEN c.unit = 'count' OR c.basis IN ('rank', 'fixed') THEN spm._figure(c.rate) || ' each' ELSE spm._percent(c.rate) END)
        WHEN c.rate_options ~ '\mbonus\M' THEN 'An amount is paid once the total reaches where it begins; the highest counts.'
        WHEN c.rate_options ~ '\mcurve\M' THEN 'The amount goes up in a straight line from each point to the next.'
        WHEN c.rate_options ~ '\mwhole\M' THEN 'The rate that the total reaches applies to all of it.'
        WHEN c.rate_options ~ '\m(interpolated|weighted|excess)\M' THEN format('Rates apply by method %s.', substring(c.rate_options FROM '\m(interpolated|weighted|excess)\M'))
        ELSE 'Each rate applies to what lies between where it begins and where it ends.' END
        || CASE WHEN c.pay = 'target' THEN ' It is a share of your ' || coalesce(c.variable, 'target') || ' for each full attainment.'
                WHEN c.variable IS NOT NULL AND c.basis <> 'pool' THEN ' All rates are multiplied by your ' || c.variable || '.' ELSE '' END];
    IF NOT is_flat AND EXISTS (SELECT FROM spm.tier t WHERE t.component_id = c.component_id AND t.rate <> 0) THEN
        RETURN QUERY SELECT 'head', ARRAY['from', 'to', CASE WHEN is_amount THEN 'amount' WHEN c.unit = 'count' THEN 'for each' ELSE 'rate' END];
        RETURN QUERY
        SELECT 'row', ARRAY[CASE WHEN c.tier_basis = 'quota' THEN spm._percent(t.tier_from) ELSE spm._figure(t.tier_from) END,
            CASE WHEN t.tier_to IS NULL THEN 'no end' WHEN c.tier_basis = 'quota' THEN spm._percent(t.tier_to) ELSE spm._figure(t.tier_to) END,
            CASE WHEN is_amount OR c.unit = 'count' OR c.basis IN ('rank', 'fixed') THEN spm._figure(t.rate) ELSE spm._percent(t.rate) END]
        FROM spm.tier(rates) t ORDER BY t.tier_no;
    END IF;
    IF btrim(regexp_replace(c.rate_options, '\m(bonus|curve|whole|interpolated|weighted|excess)\M', '')) <> '' THEN
        RETURN QUERY SELECT 'paragraph', ARRAY[format('With: %s.', btrim(regexp_replace(c.rate_options, '\m(bonus|curve|whole|interpolated|weighted|excess)\M', '')))];
    END IF;
    RETURN QUERY SELECT 'item', ARRAY[spm._modifier_sentence(m)] FROM spm.modifier m WHERE m.component_id = c.component_id ORDER BY m.modifier_no;
    -- what has no sentence yet
    RETURN QUERY
    SELECT 'item', ARRAY[format('%s: %s', replace(f.key, '_', ' '), spm._said(f.value))]
    FROM jsonb_each(spm._named(to_jsonb((SELECT p FROM spm.component p WHERE p.component_id = c.component_id)), spm._column_default('component'), 'plan_version')) f
    WHERE f.key NOT IN ('name', 'component_no', 'credit_kind', 'measure_expression', 'eligibility_expression', 'measure', 'accumulate', 'tier_basis', 'rate_options', 'variable',
                        'basis', 'pay', 'against', 'prorate', 'is_true_up', 'group_expression', 'credit_cap', 'lookup', 'lookup_expressions',
                        'event', 'refund', 'refund_window', 'refund_share', 'earned_over')
      AND (f.key, f.value) <> ('unit', '"count"')
      AND NOT (f.key = 'places' AND c.places = (SELECT u.minor_digits FROM spm.currency u WHERE u.currency_code = _component_line.currency))
    ORDER BY f.key;
    RETURN QUERY SELECT e.* FROM spm._example_line(c.component_id, _component_line.currency) e;
END
$$;
COMMENT ON FUNCTION spm._component_line(int, text) IS 'A component told to a payee, line by line.';
REVOKE ALL ON FUNCTION spm._component_line(int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._plan_line(plan_version_id int)
    RETURNS TABLE (kind text, cells text[])
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
#variable_conflict use_column
DECLARE
    version spm.plan_version := (SELECT v FROM spm.plan_version v WHERE v.plan_version_id = _plan_line.plan_version_id);
    of_plan spm.plan := (SELECT p FROM spm.plan p WHERE p.plan_id = version.plan_id);
    of_lookup record;
BEGIN
    RETURN QUERY SELECT 'title', ARRAY[of_plan.name];
    RETURN QUERY SELECT 'paragraph', ARRAY[format('Version %s, from %s.%s', version.version_no, coalesce(lower(version.span)::text, 'the beginning'),
        CASE version.state WHEN 'draft' THEN ' This is a draft.' ELSE '' END)];
    RETURN QUERY SELECT 'paragraph', ARRAY[format('It measures and pays in %s, for each period of calendar %s. Orders in other currencies are converted at the %s rate of their day.',
        of_plan.currency_code, (SELECT c.name FROM spm.calendar c WHERE c.calendar_id = of_plan.calendar_id), of_plan.rate_type)];
    RETURN QUERY
    SELECT l.kind, l.cells FROM spm.component c CROSS JOIN LATERAL spm._component_line(c.component_id, of_plan.currency_code) WITH ORDINALITY l(kind, cells, nth)
    WHERE c.plan_version_id = version.plan_version_id ORDER BY c.component_no, l.nth;
    RETURN QUERY SELECT 'heading', ARRAY['How it is paid'];
    IF NOT EXISTS (SELECT FROM spm.pay_rule r WHERE r.plan_version_id = version.plan_version_id) THEN
        RETURN QUERY SELECT 'paragraph', ARRAY['What is earned in a period is paid when the period is posted.'];
    ELSE
        RETURN QUERY SELECT 'paragraph', ARRAY['What is earned in a period is paid when the period is posted, by these rules in turn:'];
        RETURN QUERY SELECT 'item', ARRAY[spm._pay_rule_sentence(r, of_plan.currency_code)] FROM spm.pay_rule r WHERE r.plan_version_id = version.plan_version_id ORDER BY r.rule_no;
    END IF;
    RETURN QUERY SELECT 'paragraph', ARRAY['Orders that come late, change or are cancelled are reckoned in the period that they belong to; the difference is paid, or taken back, with the next one.'];
    FOR of_lookup IN
        SELECT l.* FROM spm.lookup l
        WHERE EXISTS (SELECT FROM spm.component c WHERE c.plan_version_id = version.plan_version_id
                      AND (c.lookup_id = l.lookup_id OR EXISTS (SELECT FROM spm.modifier m WHERE m.component_id = c.component_id AND m.lookup_id = l.lookup_id)))
        ORDER BY l.name COLLATE "C"
    LOOP
        RETURN QUERY SELECT 'heading', ARRAY[format('Table "%s"', of_lookup.name)];
        RETURN QUERY SELECT 'head', of_lookup.dimensions || ARRAY['from day', 'to day', 'value'];
        RETURN QUERY
        SELECT 'row', (SELECT array_agg(coalesce(r.keys[i], r.ranges[i]::text, 'any') ORDER BY i) FROM generate_subscripts(r.keys, 1) i)
            || ARRAY[coalesce(lower(r.span)::text, 'ever'), coalesce(upper(r.span)::text, 'no end'), trim_scale(r.value)::text]
        FROM spm.lookup_row r WHERE r.lookup_id = of_lookup.lookup_id
        ORDER BY r.keys::text COLLATE "C", r.ranges, r.span;
        IF of_lookup.otherwise IS NOT NULL THEN
            RETURN QUERY SELECT 'paragraph', ARRAY[format('For all else: %s.', trim_scale(of_lookup.otherwise))];
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION spm._plan_line(int) IS 'A plan version told to a payee, line by line: title, heading, paragraph, item, head and row of a table.';
REVOKE ALL ON FUNCTION spm._plan_line(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._escaped(content text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT replace(replace(replace(replace(replace(_escaped.content, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');
END;
COMMENT ON FUNCTION spm._escaped(text) IS 'A text as it may stand anywhere in HTML.';
REVOKE ALL ON FUNCTION spm._escaped(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._document_text(plan_version_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(CASE l.kind
            WHEN 'title' THEN l.content || E'\n' || repeat('=', length(l.content))
            WHEN 'heading' THEN E'\n' || l.content || E'\n' || repeat('-', length(l.content))
            WHEN 'item' THEN '- ' || l.content
            WHEN 'paragraph' THEN l.content
            ELSE '    ' || rtrim((SELECT string_agg(CASE w.nth WHEN 1 THEN rpad(spm._one_line(c.cell), 16) ELSE lpad(spm._one_line(c.cell), greatest(16, 2 + length(c.cell))) END, '' ORDER BY w.nth)
                                  FROM unnest(l.cells) WITH ORDINALITY c(cell, nth) JOIN generate_series(1, 10) w(nth) USING (nth))) END,
        E'\n' ORDER BY l.nth)
    FROM (SELECT l.kind, l.cells, l.nth, spm._one_line(l.cells[1]) AS content
          FROM ROWS FROM (spm._plan_line(_document_text.plan_version_id)) WITH ORDINALITY l(kind, cells, nth)) l
$$;
COMMENT ON FUNCTION spm._document_text(int) IS 'The document of a plan version as plain text.';
REVOKE ALL ON FUNCTION spm._document_text(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._document_html(plan_version_id int)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(E'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n%s\n</body>\n</html>',
        max(spm._escaped(l.cells[1])) FILTER (WHERE l.kind = 'title'),
        'body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;margin:.5em 0}td,th{border-bottom:1px solid #ccc;padding:.2em 1em;text-align:right}',
        string_agg(CASE l.kind
            WHEN 'title' THEN format('<h1>%s</h1>', spm._escaped(l.cells[1]))
            WHEN 'heading' THEN format('<h2>%s</h2>', spm._escaped(l.cells[1]))
            WHEN 'paragraph' THEN format('<p>%s</p>', spm._escaped(l.cells[1]))
            WHEN 'item' THEN concat(CASE WHEN l.before IS DISTINCT FROM 'item' THEN E'<ul>\n' END, format('<li>%s</li>', spm._escaped(l.cells[1])), CASE WHEN l.after IS DISTINCT FROM 'item' THEN E'\n</ul>' END)
            WHEN 'head' THEN E'<table>\n' || format('<tr>%s</tr>', (SELECT string_agg(format('<th>%s</th>', spm._escaped(c)), '' ORDER BY o) FROM unnest(l.cells) WITH ORDINALITY u(c, o)))
            ELSE format('<tr>%s</tr>', (SELECT string_agg(format('<td>%s</td>', spm._escaped(c)), '' ORDER BY o) FROM unnest(l.cells) WITH ORDINALITY u(c, o))) END
            || CASE WHEN l.kind IN ('head', 'row') AND l.after IS DISTINCT FROM 'row' THEN E'\n</table>' ELSE '' END, E'\n' ORDER BY l.nth))
    FROM (SELECT l.*, lag(l.kind) OVER (ORDER BY l.nth) AS before, lead(l.kind) OVER (ORDER BY l.nth) AS after
          FROM ROWS FROM (spm._plan_line(_document_html.plan_version_id)) WITH ORDINALITY l(kind, cells, nth)) l
$$;
COMMENT ON FUNCTION spm._document_html(int) IS 'The document of a plan version as a page of HTML.';
REVOKE ALL ON FUNCTION spm._document_html(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.plan_document(plan text, version_no int DEFAULT NULL, format text DEFAULT 'text')
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int := spm._version_of(plan_document.plan, plan_document.version_no);
BEGIN
    IF coalesce(plan_document.format, '') NOT IN ('text', 'html') THEN
        RAISE EXCEPTION 'a plan document cannot be written as "%"', plan_document.format
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Formats are text and html.';
    END IF;
    RETURN CASE plan_document.format WHEN 'html' THEN spm._document_html(id) ELSE spm._document_text(id) END;
END
$$;
COMMENT ON FUNCTION spm.plan_document(text, int, text) IS
'What a version of a plan says, told to the people who are paid by it: what counts, rates, quota, conditions, a worked example that the engine itself reckons, how it is paid, tables.
plan: name. version_no: number; NULL: the latest. format: text or html, a page of its own with all values escaped.
Errors: 42704 for an unknown plan or version, 22023 for another format.
Example: SELECT spm.plan_document(''Account Executive'', format => ''html'');';

-- ---------------------------------------------------------------- acceptance

CREATE OR REPLACE FUNCTION spm.accept_plan(plan text, version_no int, payee text, document_hash text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_version int := spm._version_of(accept_plan.plan, accept_plan.version_no);
    who int := spm._payee_id(accept_plan.payee);
    version spm.plan_version := (SELECT v FROM spm.plan_version v WHERE v.plan_version_id = of_version);
    said text;
    hash text;
    id int;
BEGIN
    IF version.state = 'draft' THEN
        RAISE EXCEPTION 'plan "%" version % is a draft', accept_plan.plan, version.version_no
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT spm.publish_plan(%L);', accept_plan.plan);
    END IF;
    IF NOT EXISTS (SELECT FROM spm.plan_seat(version.plan_id, version.span) s WHERE s.payee_id = who) THEN
        RAISE EXCEPTION 'payee "%" is not on version % of plan "%"', accept_plan.payee, version.version_no, accept_plan.plan
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('SELECT spm.assign_plan(%L, since => ..., payee => %L);', accept_plan.plan, accept_plan.payee);
    END IF;
    said := spm._document_text(of_version);
    hash := encode(sha256(convert_to(said, 'UTF8')), 'hex');
    IF accept_plan.document_hash <> hash THEN
        RAISE EXCEPTION 'plan "%" version % no longer reads as it did', accept_plan.plan, version.version_no
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('The hash of its document is %s.', hash),
                  HINT = 'A table that it uses has changed: show spm.plan_document() again.';
    END IF;
    SELECT a.plan_acceptance_id INTO id FROM spm.plan_acceptance a
    WHERE a.plan_version_id = of_version AND a.payee_id = who AND a.document_hash = hash;
    IF NOT FOUND THEN
        INSERT INTO spm.plan_acceptance (plan_version_id, payee_id, document_hash, document)
        VALUES (of_version, who, hash, said) RETURNING plan_acceptance_id INTO id;
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.accept_plan(text, int, text, text) IS
'Records that a payee accepts a version of a plan, with the text of its document, and returns the plan_acceptance_id. Accepting the same again changes nothing.
plan: name. version_no: number; NULL: the latest. payee: payee_key. document_hash: SHA-256 in hex of the text that was shown; NULL: of what it says now.
Errors: 42704 for an unknown plan, version or payee; 55000 for a draft, a payee who is not on the plan, or a text that is no longer the same.
Example: SELECT spm.accept_plan(''Account Executive'', 2, ''U-17'');';

CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON spm.plan_acceptance
    FOR EACH STATEMENT EXECUTE FUNCTION spm._refuse_change();
/*
 * compensation/statement_explain.sql: every cent back to the order it comes
 * from, and every order to what it earned.
 */

CREATE OR REPLACE FUNCTION spm._rates_as_amounts(definition text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    -- the point moves two places to the left, and noughts at the end go
    SELECT regexp_replace(regexp_replace(regexp_replace(_rates_as_amounts.definition,
        '(?<![0-9.])([0-9]+)([0-9]{2})(\.[0-9]+)?%', '\1|\2\3%', 'g'),
        '\|([0-9]{2})\.?([0-9]*)%', '.\1\2', 'g'),
        '(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])', '\1', 'g');
END;
COMMENT ON FUNCTION spm._rates_as_amounts(text) IS 'A rate schedule that pays amounts, each unit or all at once: 200 in place of 20000%. Rates below 1 stay percentages.';
REVOKE ALL ON FUNCTION spm._rates_as_amounts(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.explain(payee text, period text, transaction_key text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS TABLE (step text, item text, base_amount numeric, rate numeric, amount numeric, currency_code text, because text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
#variable_conflict use_column
DECLARE
    who int := (spm._target(explain.payee, NULL, NULL)).payee_id;
    paid int := spm._period_id(explain.period, explain.calendar);
BEGIN
    IF to_regclass('spm.transaction') IS NULL THEN
        RAISE EXCEPTION 'no source of transactions is mapped'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT spm.map_source(...);';
    END IF;
    RETURN QUERY EXECUTE $q$
    WITH earned AS MATERIALIZED (
        SELECT e.*, x.payout_id, x.amount AS paid_amount, c.component_no, c.name AS component_name, c.tier_basis, c.accumulate, c.rate_options,
               c.basis, c.unit, p.name AS period_name, n.currency_code, n.name AS plan_name, v.version_no, k.definition, t.transaction_key, t.source, t.line, t.event_date,
               t.kind AS credit_kind, t.level, t.share, t.amount AS transaction_amount, t.currency_code AS transaction_currency, t.credited_amount, t.owner_key, t.type,
               t.rule, t.factor AS credit_factor, t.part_no, t.part_count, t.event, t.reference_key,
               s.name AS seat, s0.name AS origin
        FROM spm.earning e
        JOIN spm.posting o USING (posting_id)
        LEFT JOIN spm.payout x ON (x.posting_id, x.period_id, x.payee_id, x.position_id, x.component_id, x.kind)
            = (e.posting_id, e.period_id, e.payee_id, e.position_id, e.component_id, 'earning')
        JOIN spm.component c ON c.component_id = e.component_id
        JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan n ON n.plan_id = v.plan_id
        JOIN spm.period p ON p.period_id = e.period_id
        JOIN spm.schedule k USING (schedule_id)
        LEFT JOIN spm.credit t USING (credit_id)
        JOIN spm.position s ON s.position_id = e.position_id
        LEFT JOIN spm.position s0 ON s0.position_id = t.origin_position_id
        WHERE e.payee_id = $1 AND o.period_id = $2 AND ($3 IS NULL OR t.transaction_key = $3)
    ), line AS (
        SELECT DISTINCT ON (payout_id, period_id, component_id, position_id)
               ARRAY[period_id, component_no, position_id]::bigint[] AS place, 1 AS depth, 0::bigint AS nth, 'payout' AS step,
               format('%s, %s', component_name, period_name) AS item, NULL::numeric AS base, NULL::numeric AS rate, coalesce(paid_amount, 0) AS amount, currency_code,
               concat(CASE WHEN period_id <> $2 THEN 'difference of a posted period; ' END,
                      format('plan %s v%s, rates %s, total of the %s', plan_name, version_no,
                             CASE WHEN unit = 'count' OR basis IN ('fixed', 'objective') THEN spm._rates_as_amounts(definition)
                                  ELSE definition END, accumulate)) AS because
        FROM earned
        UNION ALL    -- pay rules, holds, adjustments: after what was earned, in their order
        SELECT ARRAY[2147483647, coalesce(r.rule_no, 999999), x.payout_id], 1, 0, 'payout', concat_ws(', ', coalesce(r.name, x.kind), p.name), NULL, NULL, x.amount, x.currency_code,
               concat_ws(': ', x.kind, x.reason)
        FROM spm.payout x
        JOIN spm.posting o USING (posting_id)
        JOIN spm.period p ON p.period_id = x.period_id
        LEFT JOIN spm.pay_rule r USING (pay_rule_id)
        WHERE x.payee_id = $1 AND o.period_id = $2 AND $3 IS NULL AND x.kind <> 'earning'
        UNION ALL
        SELECT ARRAY[period_id, component_no, position_id, coalesce(to_char(event_date, 'J')::int, 0), earning_id], 2, 0, 'earning',
               CASE WHEN credit_id IS NULL THEN replace(kind, '_', ' ') ELSE format('%s/%s%s', source, transaction_key, '/' || nullif(line, '')) END, base_amount, NULL, amount, currency_code,
               CASE WHEN reverses_id IS NOT NULL THEN 'takes back a posted earning'
                    WHEN credit_id IS NULL AND kind <> 'total' THEN NULL
                    WHEN kind = 'refund' THEN format('takes back what %s earned', reference_key)
                    ELSE format('takes the total from %s to %s', from_total, from_total + base_amount) END
        FROM earned
        UNION ALL
        SELECT ARRAY[e.period_id, e.component_no, e.position_id, coalesce(to_char(e.event_date, 'J')::int, 0), e.earning_id], 3, CASE s.kind WHEN 'tier' THEN 0 WHEN 'rerate' THEN 100000 ELSE 200000 END + coalesce(s.tier_no, 0), 'slice',
               CASE s.kind WHEN 'tier' THEN format('tier %s', s.tier_no) ELSE s.kind END, s.base_amount, s.rate, s.amount, e.currency_code,
               CASE WHEN s.slice_from IS NOT NULL THEN format('from %s to %s', s.slice_from, s.slice_to)
                    WHEN s.kind = 'refund' THEN format('by what %s earned, not by the rates', e.reference_key)
                    ELSE 'in one piece, not by the rates' END
        FROM earned e JOIN spm.earning_slice s USING (earning_id)
        UNION ALL
        SELECT ARRAY[period_id, component_no, position_id, coalesce(to_char(event_date, 'J')::int, 0), earning_id], 4, 0, 'credit',
               format('%s to %s', credit_kind, seat), CASE WHEN reverses_id IS NULL THEN credited_amount ELSE -credited_amount END, NULL, NULL, transaction_currency,
               CASE credit_kind WHEN 'rollup' THEN format('%s level(s) up from %s', level, origin)
                    WHEN 'rolldown' THEN format('%s level(s) down from %s', level, origin)
                    WHEN 'direct' THEN format('share %s of owner %s', share, owner_key)
                    ELSE format('%s "%s"', CASE credit_kind WHEN 'territory' THEN 'holder in' ELSE 'rule' END, rule) END
               || CASE WHEN credit_factor <> 1 THEN format(', times %s', trim_scale(credit_factor)) ELSE '' END
               || CASE WHEN part_count > 1 THEN format(', part %s of %s', part_no, part_count) ELSE '' END
               || CASE WHEN exchange_rate <> 1 THEN format(', exchange rate %s', exchange_rate) ELSE '' END
        FROM earned WHERE credit_id IS NOT NULL
        UNION ALL
        SELECT ARRAY[e.period_id, e.component_no, e.position_id, coalesce(to_char(e.event_date, 'J')::int, 0), e.earning_id], 5, 0, 'transaction',
               format('%s of %s', e.type, e.event_date), CASE WHEN e.reverses_id IS NULL THEN e.transaction_amount ELSE -e.transaction_amount END, NULL, NULL, e.transaction_currency,
               CASE WHEN e.source = 'manual' THEN (SELECT format('entered by %s: %s', m.author, m.reason) FROM spm.manual_credit m WHERE 'M-' || m.manual_credit_id = e.transaction_key)
                    WHEN t.transaction_key IS NULL THEN 'no longer in the warehouse'
                    WHEN e.event <> 'booking' THEN format('%s; the part of %s %s that it credits', e.event, t.amount, t.currency_code)
                    WHEN (t.amount, t.event_date, t.currency_code) = (e.transaction_amount, e.event_date, e.transaction_currency) THEN 'as it is in the warehouse'
                    ELSE format('in the warehouse now: %s %s on %s', t.amount, t.currency_code, t.event_date) END
        FROM earned e
        LEFT JOIN spm.transaction t ON t.source = e.source AND t.transaction_key = e.transaction_key AND t.line = e.line
        WHERE e.credit_id IS NOT NULL
    )
    SELECT repeat('  ', depth - 1) || step, item, base, rate, amount, currency_code, because FROM line ORDER BY place, depth, nth
    $q$ USING who, paid, explain.transaction_key;
END
$$;
COMMENT ON FUNCTION spm.explain(text, text, text, text) IS
'Where a payee''s money comes from, as rows in reading order: payout, and under it each earning, its tier slices, its credit, and the transaction, compared with what the warehouse says now; then what pay rules, holds and adjustments make of it. The rows of step payout add up to what is paid; what takes back a posted row is negative throughout.
payee: payee_key. period: name of the paying period. transaction_key: only that transaction; NULL: all. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee or period, 55000 when no source is mapped.
Example: SELECT * FROM spm.explain(''U-17'', ''2026-Q1'', ''D-1007'');';

CREATE OR REPLACE FUNCTION spm.explain_transaction(transaction_key text, source text DEFAULT NULL)
    RETURNS TABLE (step text, payee_key text, item text, amount numeric, currency_code text, because text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    has_rows boolean := false;
BEGIN
    IF to_regclass('spm.transaction') IS NULL THEN
        RAISE EXCEPTION 'no source of transactions is mapped'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT spm.map_source(...);';
    END IF;
    RETURN QUERY EXECUTE $q$
        SELECT 'transaction', t.owner_key, format('%s/%s%s', t.source, t.transaction_key, '/' || nullif(t.line, '')), t.amount, t.currency_code,
               format('%s of %s, as it is in the warehouse', t.type, t.event_date)
        FROM spm.transaction t WHERE t.transaction_key = $1 AND ($2 IS NULL OR t.source = $2) ORDER BY t.source, t.line
    $q$ USING explain_transaction.transaction_key, explain_transaction.source;
    has_rows := FOUND;
    RETURN QUERY
        SELECT 'uncredited', nullif(u.owner_key, ''), format('%s/%s%s', u.source, u.transaction_key, '/' || nullif(u.line, '')), u.amount, u.currency_code, u.reason
        FROM spm.uncredited u
        WHERE u.transaction_key = explain_transaction.transaction_key AND (explain_transaction.source IS NULL OR u.source = explain_transaction.source)
        ORDER BY u.source, u.line, u.owner_key COLLATE "C";
    has_rows := has_rows OR FOUND;
    RETURN QUERY
        WITH credit AS MATERIALIZED (
            SELECT c.*, EXISTS (SELECT FROM spm.credit r WHERE r.reverses_id = c.credit_id) AS is_gone,
                   (SELECT p.name FROM spm.credit r JOIN spm.posting o USING (posting_id) JOIN spm.period p ON p.period_id = o.period_id WHERE r.reverses_id = c.credit_id) AS gone_in
            FROM spm.credit c
            WHERE c.transaction_key = explain_transaction.transaction_key AND (explain_transaction.source IS NULL OR c.source = explain_transaction.source)
              AND c.reverses_id IS NULL
        ), earned AS (
            SELECT c.source, c.line, e.payee_id, k.plan_id, k.plan_name, k.currency_code, k.component_no, k.name AS component_name, e.period_id, e.posting_id, sum(e.amount) AS amount,
                   max(format('v%s, takes the total from %s to %s', k.version_no, trim_scale(e.from_total), trim_scale(e.from_total + e.base_amount)))
                       FILTER (WHERE e.reverses_id IS NULL AND e.kind = 'deal') AS words
            FROM credit c
            JOIN spm.earning e ON e.credit_id = c.credit_id
            JOIN (SELECT k.component_id, k.component_no, k.name, v.version_no, n.plan_id, n.name AS plan_name, n.currency_code
                  FROM spm.component k JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan n USING (plan_id)) k USING (component_id)
            GROUP BY c.source, c.line, e.payee_id, k.plan_id, k.plan_name, k.currency_code, k.component_no, k.name, e.period_id, e.posting_id
        ), line AS (
            SELECT 1 AS section, ARRAY[c.source, c.line, CASE c.kind WHEN 'direct' THEN '0' ELSE c.kind END, lpad(c.level::text, 4, '0'), y.payee_key, lpad(c.credit_id::text, 18, '0')] AS place,
                   'credit' AS step, y.payee_key, format('%s to %s', c.kind, s.name) AS item, c.credited_amount AS amount, c.currency_code,
                   concat_ws('; ', CASE WHEN c.level > 0 THEN format('%s level(s) from %s', c.level, b.name) ELSE format('share %s of owner %s', trim_scale(c.share), c.owner_key) END,
                       CASE WHEN c.is_gone THEN 'taken back in ' || c.gone_in
                            WHEN EXISTS (SELECT FROM spm.standing_earning e WHERE e.credit_id = c.credit_id) THEN NULL
                            WHEN c.payee_id IS NULL THEN 'the seat was vacant: earns nothing'
                            WHEN EXISTS (SELECT FROM spm.plan_version v CROSS JOIN LATERAL spm.plan_seat(v.plan_id, v.span) t
                                         WHERE v.state <> 'draft' AND t.position_id = c.position_id AND t.payee_id = c.payee_id AND c.event_date <@ t.spans)
                            THEN 'no component of the plan takes it: earns nothing' ELSE 'on no plan that day: earns nothing' END) AS because
            FROM credit c
            LEFT JOIN spm.payee y USING (payee_id)
            JOIN spm.position s ON s.position_id = c.position_id
            JOIN spm.position b ON b.position_id = c.origin_position_id
            UNION ALL
            SELECT 2, ARRAY[e.source, e.line, y.payee_key, e.plan_name, lpad(e.component_no::text, 6, '0'), to_char(lower(p.span), 'YYYYMMDD'), lpad(e.posting_id::text, 9, '0')],
                   'earning', y.payee_key, format('%s, %s', e.component_name, p.name), e.amount, e.currency_code,
                   concat_ws('; ', format('paid in %s%s', pp.name, CASE o.state WHEN 'draft' THEN ', not yet posted' END), coalesce(d.reason, 'plan ' || e.plan_name || ' ' || e.words))
            FROM earned e
            JOIN spm.posting o USING (posting_id)
            JOIN spm.period p ON p.period_id = e.period_id
            JOIN spm.period pp ON pp.period_id = o.period_id
            JOIN spm.payee y USING (payee_id)
            LEFT JOIN spm.difference d ON (d.posting_id, d.period_id, d.payee_id, d.plan_id, d.component_name, d.source, d.transaction_key, d.line)
                = (e.posting_id, e.period_id, e.payee_id, e.plan_id, e.component_name, e.source, explain_transaction.transaction_key, e.line)
            WHERE e.amount <> 0 OR e.words IS NOT NULL)
        SELECT l.step, l.payee_key, l.item, l.amount, l.currency_code, l.because FROM line l ORDER BY l.section, l.place COLLATE "C";
    has_rows := has_rows OR FOUND;
    IF NOT has_rows THEN
        RAISE EXCEPTION 'transaction "%" does not exist', explain_transaction.transaction_key
            USING ERRCODE = 'undefined_object', DETAIL = 'It is neither in the warehouse, by the filter of spm.map_source(), nor was it ever credited.',
                  HINT = 'SELECT source, transaction_key FROM spm.transaction;';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.explain_transaction(text, text) IS
'Who earned what from an order and why, whoever and whenever: the order as the warehouse has it, who could not be credited, each credit, and what each component paid for it in which period. The rows of step earning add up to all that was ever paid for it. Who else could have been credited, and why not, says spm.credit_candidates().
transaction_key: key of the order. source: when two sources have that key.
Errors: 42704 for an order that nobody knows, 55000 when no source is mapped.
Example: SELECT * FROM spm.explain_transaction(''D-1007'');';
/*
 * compensation/statement_why.sql: what became of a payee's pay between two
 * instants, in rows that add up.
 */

CREATE OR REPLACE FUNCTION spm.statement_version(payee text, period text, calendar text DEFAULT NULL)
    RETURNS TABLE (version_no bigint, known_at timestamptz, state text, run_id bigint, currency_code text, payable_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    who int := (spm._target(statement_version.payee, NULL, NULL)).payee_id;
    paid int := spm._period_id(statement_version.period, statement_version.calendar);
    postings int[] := array(SELECT o.posting_id FROM spm.posting o WHERE o.period_id = spm._period_id(statement_version.period, statement_version.calendar));
BEGIN
    RETURN QUERY
    WITH live AS MATERIALIZED (
        SELECT x.run_id, NULL::timestamptz AS gone_at, NULL::bigint AS gone_by, x.currency_code, x.amount FROM spm.payout x
        WHERE x.posting_id = ANY (postings) AND x.payee_id = who
        UNION ALL
        SELECT s.run_id, s.superseded_at, s.superseded_run_id, s.content->>'currency_code', (s.content->>'amount')::numeric FROM spm.superseded s
        WHERE s.relation = 'payout' AND s.posting_id = ANY (postings) AND s.payee_id = who
    ), payout AS MATERIALIZED (
        SELECT w.finished_at AS since, coalesce(g.finished_at, l.gone_at, 'infinity') AS until, l.currency_code, l.amount
        FROM live l JOIN spm.run w ON w.run_id = l.run_id LEFT JOIN spm.run g ON g.run_id = l.gone_by
        WHERE w.finished_at IS NOT NULL
    ), instant AS (
        SELECT r.finished_at AS known_at, 'calculated' AS state, r.run_id
        FROM spm.run r
        WHERE r.kind = 'calculate' AND r.period_id = paid AND r.finished_at IS NOT NULL AND r.run_id IN (
            SELECT m.run_id FROM spm.measurement m WHERE m.posting_id = ANY (postings) AND m.payee_id = who
            UNION SELECT e.run_id FROM spm.earning e WHERE e.posting_id = ANY (postings) AND e.payee_id = who
            UNION SELECT x.run_id FROM spm.payout x WHERE x.posting_id = ANY (postings) AND x.payee_id = who
            UNION SELECT u.run_id FROM spm.superseded u WHERE u.posting_id = ANY (postings) AND u.payee_id = who
            UNION SELECT u.superseded_run_id FROM spm.superseded u WHERE u.posting_id = ANY (postings) AND u.payee_id = who)
        UNION ALL
        SELECT o.posted_at, 'posted', o.run_id FROM spm.posting o WHERE o.posting_id = ANY (postings) AND o.state = 'posted'
    )
    SELECT dense_rank() OVER (ORDER BY i.known_at), i.known_at, i.state, i.run_id, p.currency_code, coalesce(sum(p.amount), 0)
    FROM instant i LEFT JOIN payout p ON p.since <= i.known_at AND p.until > i.known_at
    GROUP BY i.known_at, i.state, i.run_id, p.currency_code
    ORDER BY i.known_at, p.currency_code;
END
$$;
COMMENT ON FUNCTION spm.statement_version(text, text, text) IS
'Every version of a payee''s statement of a paying period: each calculation that changed anything of it, and each posting, with what was payable then. known_at is an instant for spm.statement(..., as_of) and spm.why().
payee: payee_key. period: name of the paying period. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee or period.
Example: SELECT * FROM spm.statement_version(''U-17'', ''2026-Q1'');';

CREATE OR REPLACE FUNCTION spm.why(payee text, period text, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS TABLE (earned_in text, plan_name text, item text, before_amount numeric, after_amount numeric, difference numeric, currency_code text, reason text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    who int := (spm._target(why.payee, NULL, NULL)).payee_id;
    paid int := spm._period_id(why.period, why.calendar);
    postings int[] := array(SELECT o.posting_id FROM spm.posting o WHERE o.period_id = spm._period_id(why.period, why.calendar));
    later timestamptz := coalesce(why.until, 'infinity');
    earlier timestamptz := why.since;
    has_before boolean;
BEGIN
    IF earlier IS NULL THEN
        -- the last version that paid something else
        WITH version AS (
            SELECT v.known_at, array_agg(v.payable_amount ORDER BY v.currency_code) AS payable
            FROM spm.statement_version(why.payee, why.period, why.calendar) v WHERE v.known_at <= later GROUP BY v.known_at)
        SELECT max(v.known_at) INTO earlier FROM version v
        WHERE v.payable IS DISTINCT FROM (SELECT l.payable FROM version l ORDER BY l.known_at DESC LIMIT 1);
        earlier := coalesce(earlier, '-infinity');
    END IF;
    IF earlier > later THEN
        RAISE EXCEPTION 'the first instant must come before the second'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('since is %s, until is %s.', earlier, later);
    END IF;
    SELECT h.posted_count > 0 OR h.is_draft INTO has_before FROM spm._known_state(paid, earlier) h;
    RETURN QUERY
    WITH e AS MATERIALIZED (
        SELECT false AS is_after, e.* FROM spm.earning_as_of(earlier) e WHERE e.posting_id = ANY (postings) AND e.payee_id = who
        UNION ALL
        SELECT true, e.* FROM spm.earning_as_of(later) e WHERE e.posting_id = ANY (postings) AND e.payee_id = who
    ), entry AS MATERIALIZED (
        SELECT e.*, count(*) OVER (PARTITION BY e.earning_id) = 1 AS is_changed FROM e
    ), c AS MATERIALIZED (
        SELECT false AS is_after, c.* FROM spm.credit_as_of(earlier) c WHERE c.credit_id = ANY (array(SELECT r.credit_id FROM entry r WHERE NOT r.is_after))
        UNION ALL
        SELECT true, c.* FROM spm.credit_as_of(later) c WHERE c.credit_id = ANY (array(SELECT r.credit_id FROM entry r WHERE r.is_after))
    ), touched AS MATERIALIZED (
        SELECT array_agg(DISTINCT k.transaction_key) AS keys FROM entry r JOIN c k ON k.is_after = r.is_after AND k.credit_id = r.credit_id WHERE r.is_changed
    ), order_credit AS MATERIALIZED (    -- all credits of the orders, on both sides
        SELECT false AS is_after, c.* FROM spm.credit_as_of(earlier) c WHERE c.transaction_key = ANY ((SELECT keys FROM touched)::text[])
        UNION ALL
        SELECT true, c.* FROM spm.credit_as_of(later) c WHERE c.transaction_key = ANY ((SELECT keys FROM touched)::text[])
    ), standing AS MATERIALIZED (
        SELECT o.* FROM order_credit o
        WHERE o.reverses_id IS NULL AND NOT EXISTS (SELECT FROM order_credit r WHERE r.is_after = o.is_after AND r.reverses_id = o.credit_id)
    ), moved AS MATERIALIZED (           -- direct credits that stand on one side only
        SELECT o.is_after, o.source, o.transaction_key, o.line, o.payee_id, o.credit_id, to_jsonb(o) || jsonb_build_object('name', y.name) AS credit
        FROM standing o LEFT JOIN spm.payee y ON y.payee_key = o.owner_key
        WHERE o.kind = 'direct' AND NOT EXISTS (SELECT FROM standing p WHERE p.is_after <> o.is_after AND p.credit_id = o.credit_id)
    ), m AS MATERIALIZED (
        SELECT x.is_after, x.m FROM (
            SELECT false AS is_after, m FROM spm.measurement_as_of(earlier) m WHERE m.payee_id = who
            UNION ALL
            SELECT true, m FROM spm.measurement_as_of(later) m WHERE m.payee_id = who) x
    ), measured AS MATERIALIZED (
        SELECT x.is_after, x.m, (x.m).component_id, (x.m).position_id, (x.m).period_id FROM m x
        WHERE (x.m).reverses_id IS NULL AND NOT EXISTS (SELECT FROM m r WHERE r.is_after = x.is_after AND (r.m).reverses_id = (x.m).measurement_id)
    ), item AS (
        SELECT v.plan_id, g.period_id, k.name AS component_name, min(k.component_no) AS component_no, CASE WHEN g.credit_id IS NULL THEN g.kind ELSE 'deal' END AS kind,
               t.source, t.transaction_key, t.line, max(t.event_date) AS event_date,
               coalesce(sum(g.amount) FILTER (WHERE NOT g.is_after), 0) AS before_amount, coalesce(sum(g.amount) FILTER (WHERE g.is_after), 0) AS after_amount,
               min(g.earning_id) FILTER (WHERE g.is_changed AND NOT g.is_after AND g.reverses_id IS NULL) AS before_id,
               max(g.reverses_id) FILTER (WHERE g.is_changed AND g.is_after) AS reversed_id,
               max(g.reverses_id) FILTER (WHERE g.is_changed AND NOT g.is_after) AS restored_id,
               min(g.earning_id) FILTER (WHERE g.is_changed AND g.is_after AND g.reverses_id IS NULL) AS after_id
        FROM entry g
        JOIN spm.component k USING (component_id) JOIN spm.plan_version v USING (plan_version_id)
        LEFT JOIN c t ON t.is_after = g.is_after AND t.credit_id = g.credit_id
        GROUP BY v.plan_id, g.period_id, k.name, CASE WHEN g.credit_id IS NULL THEN g.kind ELSE 'deal' END, t.source, t.transaction_key, t.line
    ), told AS (
        SELECT i.*, (SELECT string_agg(w.change[n][2], '; ' ORDER BY n) FROM generate_subscripts(w.change, 1) n) AS reason
        FROM item i
        -- what was: the row itself, or the posted one that is taken back now; what is: the new row, or the posted one that stands again
        LEFT JOIN LATERAL (
            SELECT spm.earning_fact((b.e).component_id, to_jsonb(b.e), to_jsonb(t.t), to_jsonb(q.m)) || jsonb_build_object('is_gone', NOT EXISTS (SELECT FROM standing s WHERE s.is_after AND s.credit_id = (b.e).credit_id)) AS fact
            FROM (SELECT x AS e FROM spm.earning_as_of(earlier) x WHERE x.earning_id = coalesce(i.before_id, i.reversed_id)) b
            LEFT JOIN LATERAL (SELECT t FROM spm.credit_as_of(earlier) t WHERE t.credit_id = (b.e).credit_id) t ON true
            LEFT JOIN measured q ON NOT q.is_after AND (q.component_id, q.position_id, q.period_id) = ((b.e).component_id, (b.e).position_id, i.period_id)) b ON true
        LEFT JOIN LATERAL (
            SELECT spm.earning_fact((a.e).component_id, to_jsonb(a.e), to_jsonb(t.t), to_jsonb(q.m)) || jsonb_build_object('is_new', NOT EXISTS (SELECT FROM standing s WHERE NOT s.is_after AND s.credit_id = (a.e).credit_id)) AS fact
            FROM (SELECT x AS e FROM spm.earning_as_of(later) x WHERE x.earning_id = coalesce(i.after_id, i.restored_id)) a
            LEFT JOIN LATERAL (SELECT t FROM spm.credit_as_of(later) t WHERE t.credit_id = (a.e).credit_id) t ON true
            LEFT JOIN measured q ON q.is_after AND (q.component_id, q.position_id, q.period_id) = ((a.e).component_id, (a.e).position_id, i.period_id)) a ON true
        LEFT JOIN LATERAL (
            SELECT o.credit FROM moved o WHERE NOT o.is_after AND (o.source, o.transaction_key, o.line) = (i.source, i.transaction_key, i.line)
            ORDER BY o.payee_id IS DISTINCT FROM who, o.credit_id LIMIT 1) g ON b.fact IS NULL OR a.fact IS NULL
        LEFT JOIN LATERAL (
            SELECT o.credit FROM moved o WHERE o.is_after AND (o.source, o.transaction_key, o.line) = (i.source, i.transaction_key, i.line)
            ORDER BY o.payee_id IS DISTINCT FROM who, o.credit_id LIMIT 1) n ON b.fact IS NULL OR a.fact IS NULL
        CROSS JOIN LATERAL (SELECT CASE WHEN has_before THEN spm.earning_change(b.fact, a.fact, g.credit, n.credit, NULL)
                                        ELSE ARRAY[ARRAY['new', 'first calculation']] END AS change OFFSET 0) w
        WHERE i.before_amount <> i.after_amount
    ), rule AS (
        SELECT x.plan_id, x.period_id, x.currency_code, x.kind, coalesce(r.name, x.kind) AS name, min(coalesce(r.rule_no, 999999)) AS rule_no,
               sum(CASE WHEN x.is_after THEN 0 ELSE x.amount END) AS before_amount, sum(CASE WHEN x.is_after THEN x.amount ELSE 0 END) AS after_amount,
               coalesce(max(x.reason) FILTER (WHERE x.is_after), max(x.reason)) AS reason
        FROM (SELECT false AS is_after, x.* FROM spm.payout_as_of(earlier) x WHERE x.posting_id = ANY (postings) AND x.payee_id = who AND x.kind <> 'earning'
              UNION ALL
              SELECT true, x.* FROM spm.payout_as_of(later) x WHERE x.posting_id = ANY (postings) AND x.payee_id = who AND x.kind <> 'earning') x
        LEFT JOIN spm.pay_rule r USING (pay_rule_id)
        GROUP BY x.plan_id, x.period_id, x.currency_code, x.kind, coalesce(r.name, x.kind)
    )
    SELECT l.period_name, l.plan_name, l.item, l.before_amount, l.after_amount, l.after_amount - l.before_amount, l.currency_code, l.reason
    FROM (SELECT 1 AS section, p.span, p.name AS period_name, n.name AS plan_name, t.component_no, t.event_date,
                 concat(t.component_name, coalesce(', ' || t.transaction_key || coalesce('/' || nullif(t.line, ''), ''), CASE WHEN t.kind <> 'total' THEN ', ' || replace(t.kind, '_', ' ') END)) AS item,
                 t.before_amount, t.after_amount, n.currency_code, t.reason
          FROM told t JOIN spm.period p USING (period_id) JOIN spm.plan n USING (plan_id)
          UNION ALL
          SELECT 2, p.span, p.name, n.name, r.rule_no, NULL, CASE r.name WHEN r.kind THEN r.kind ELSE format('%s, %s', r.name, r.kind) END,
                 r.before_amount, r.after_amount, r.currency_code, coalesce(r.reason, 'follows what was earned')
          FROM rule r JOIN spm.period p USING (period_id) LEFT JOIN spm.plan n USING (plan_id)
          WHERE r.before_amount <> r.after_amount) l
    ORDER BY l.section, l.span, l.plan_name COLLATE "C", l.component_no, l.event_date, l.item COLLATE "C";
END
$$;
COMMENT ON FUNCTION spm.why(text, text, timestamptz, timestamptz, text) IS
'Why what a payee is paid in a period is another sum than it was: one row per deal, or other item, that pays more or less, before and after, with the reason. The differences add up to that of what is payable.
payee: payee_key. period: name of the paying period. since: the earlier instant; NULL: the last version that paid something else. until: the later one; NULL: now. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee or period, 22023 when since comes after until.
Example: SELECT * FROM spm.why(''U-17'', ''2026-Q1''); SELECT * FROM spm.why(''U-17'', ''2026-Q1'', since => ''2026-04-02 09:00+00'', until => ''2026-04-09 09:00+00'');';
