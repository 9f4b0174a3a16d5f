/*
 * compensation/tables.sql: plans, crediting, and the ledger of results.
 */

-- ------------------------------------------------------------------ variables

CREATE TABLE spm.variable (
    variable_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    is_prorated boolean NOT NULL DEFAULT false,
    allowed numrange CHECK (NOT isempty(allowed))
);
COMMENT ON TABLE spm.variable IS 'A figure that differs from payee to payee and that rates are multiplied by: commission_pct, target_bonus.';
COMMENT ON COLUMN spm.variable.variable_id IS 'Key.';
COMMENT ON COLUMN spm.variable.name IS 'Name, unique.';
COMMENT ON COLUMN spm.variable.is_prorated IS 'Whether it is an amount for a whole period, such as a target incentive or a salary, that a component which prorates reduces for a part of one.';
COMMENT ON COLUMN spm.variable.allowed IS 'Range that its values must keep to: [0,1] for a percentage. NULL: any.';

CREATE TABLE spm.variable_value (
    variable_value_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    variable_id int NOT NULL REFERENCES spm.variable,
    payee_id int REFERENCES spm.payee,
    position_id int REFERENCES spm.position,
    title_id int REFERENCES spm.title,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    value numeric NOT NULL CHECK (value NOT IN ('NaN', 'Infinity', '-Infinity')),
    CONSTRAINT variable_value_target CHECK (num_nonnulls(payee_id, position_id, title_id) <= 1),
    CONSTRAINT variable_value_overlap EXCLUDE USING gist
        (variable_id WITH =, coalesce(payee_id, 0) WITH =, coalesce(position_id, 0) WITH =, coalesce(title_id, 0) WITH =, span WITH &&)
);
CREATE INDEX variable_value_payee ON spm.variable_value (payee_id);
CREATE INDEX variable_value_position ON spm.variable_value (position_id);
CREATE INDEX variable_value_title ON spm.variable_value (title_id);
CREATE INDEX variable_value_variable ON spm.variable_value (variable_id);
COMMENT ON TABLE spm.variable_value IS 'Value of a variable by date. That of the payee goes before that of the position, the title, and everybody.';
COMMENT ON COLUMN spm.variable_value.variable_value_id IS 'Key.';
COMMENT ON COLUMN spm.variable_value.variable_id IS 'Variable.';
COMMENT ON COLUMN spm.variable_value.payee_id IS 'Payee it is for; at most one of payee, position and title is set, none means everybody.';
COMMENT ON COLUMN spm.variable_value.position_id IS 'Position it is for.';
COMMENT ON COLUMN spm.variable_value.title_id IS 'Title it is for.';
COMMENT ON COLUMN spm.variable_value.span IS 'Days; end exclusive. The value on the first day of a period counts for the period, or the first one within it.';
COMMENT ON COLUMN spm.variable_value.value IS 'Value.';

-- ---------------------------------------------------------------------- plans

CREATE TABLE spm.plan (
    plan_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    calendar_id int NOT NULL REFERENCES spm.calendar,
    currency_code text NOT NULL REFERENCES spm.currency,
    rate_type text NOT NULL DEFAULT 'spot'
);
CREATE INDEX plan_calendar ON spm.plan (calendar_id);
CREATE INDEX plan_currency ON spm.plan (currency_code);
COMMENT ON TABLE spm.plan IS 'A compensation plan. What it says is in its versions.';
COMMENT ON COLUMN spm.plan.plan_id IS 'Key.';
COMMENT ON COLUMN spm.plan.name IS 'Name, unique.';
COMMENT ON COLUMN spm.plan.calendar_id IS 'Calendar whose periods it is calculated for.';
COMMENT ON COLUMN spm.plan.currency_code IS 'Currency it measures and pays in.';
COMMENT ON COLUMN spm.plan.rate_type IS 'Exchange rates that convert transactions: those of this type on the day of the transaction.';

CREATE TABLE spm.plan_version (
    plan_version_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id int NOT NULL REFERENCES spm.plan,
    version_no int NOT NULL CHECK (version_no > 0),
    span daterange NOT NULL CHECK (NOT isempty(span)),
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'retired')),
    published_at timestamptz,
    published_by text,
    content_hash text,
    UNIQUE (plan_id, version_no),
    CONSTRAINT plan_version_overlap EXCLUDE USING gist (plan_id WITH =, span WITH &&) WHERE (state <> 'draft')
);
COMMENT ON TABLE spm.plan_version IS 'What a plan says from a date on: draft, then published, then retired. A published version never changes, only its end is set.';
COMMENT ON COLUMN spm.plan_version.plan_version_id IS 'Key.';
COMMENT ON COLUMN spm.plan_version.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.plan_version.version_no IS 'Number of the version within the plan: 1, 2, ...';
COMMENT ON COLUMN spm.plan_version.span IS 'Days on which it applies; end exclusive.';
COMMENT ON COLUMN spm.plan_version.state IS 'draft, published or retired. A retired version still prices the days of its span.';
COMMENT ON COLUMN spm.plan_version.published_at IS 'When it was published.';
COMMENT ON COLUMN spm.plan_version.published_by IS 'Login that published it.';
COMMENT ON COLUMN spm.plan_version.content_hash IS 'SHA-256 of all that it says, when it was published; calculating refuses a version that no longer matches.';

CREATE TABLE spm.component (
    component_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_version_id int NOT NULL REFERENCES spm.plan_version,
    component_no int NOT NULL CHECK (component_no > 0),
    name text NOT NULL CHECK (name <> ''),
    credit_kind text NOT NULL DEFAULT 'direct' CHECK (credit_kind IN ('direct', 'rollup', 'all', 'overlay', 'team', 'rolldown', 'territory')),
    measure_expression text NOT NULL,
    eligibility_expression text,
    unit text NOT NULL DEFAULT 'money' CHECK (unit IN ('money', 'count')),
    measure_id int REFERENCES spm.measure,
    accumulate text NOT NULL DEFAULT 'period',
    tier_basis text NOT NULL DEFAULT 'amount' CHECK (tier_basis IN ('amount', 'quota')),
    rate_options text NOT NULL DEFAULT '',
    variable_id int REFERENCES spm.variable,
    places smallint NOT NULL CHECK (places BETWEEN 0 AND 4),
    rounding text NOT NULL DEFAULT 'half_up'
        CHECK (rounding IN ('half_up', 'half_even', 'half_down', 'up', 'down', 'floor', 'ceiling')),
    basis text NOT NULL DEFAULT 'credit' CHECK (basis IN ('credit', 'fixed', 'objective', 'result', 'rank', 'pool')),
    pay text NOT NULL DEFAULT 'amount' CHECK (pay IN ('amount', 'target')),
    against text NOT NULL DEFAULT 'quota' CHECK (against IN ('quota', 'prior period', 'prior year')),
    prorate text NOT NULL DEFAULT 'none',
    is_true_up boolean NOT NULL DEFAULT false,
    group_expression text,
    credit_cap numeric CHECK (credit_cap >= 0 AND credit_cap < 'Infinity'),
    lookup_id int,
    lookup_expressions text[],
    ties text NOT NULL DEFAULT 'competition' CHECK (ties IN ('competition', 'dense', 'average', 'share')),
    event text NOT NULL DEFAULT 'booking' CHECK (event <> ''),
    refund text NOT NULL DEFAULT 'running' CHECK (refund IN ('running', 'original', 'unearned')),
    refund_window interval CHECK (refund_window > '0'),
    refund_share numeric NOT NULL DEFAULT 1 CHECK (refund_share > 0 AND refund_share <= 1),
    earned_over int CHECK (earned_over > 0),
    UNIQUE (plan_version_id, component_no),
    UNIQUE (plan_version_id, name),
    CONSTRAINT component_quota CHECK (tier_basis = 'amount' OR measure_id IS NOT NULL OR against <> 'quota' OR basis <> 'credit'),
    CONSTRAINT component_group CHECK ((accumulate = 'group') = (group_expression IS NOT NULL)),
    CONSTRAINT component_lookup CHECK ((lookup_id IS NULL) = (lookup_expressions IS NULL)),
    CONSTRAINT component_refund CHECK ((refund = 'unearned') = (earned_over IS NOT NULL)
        AND (refund <> 'running' OR (refund_window IS NULL AND refund_share = 1)))
);
CREATE INDEX component_measure ON spm.component (measure_id);
CREATE INDEX component_variable ON spm.component (variable_id);
CREATE INDEX component_lookup_table ON spm.component (lookup_id);
COMMENT ON TABLE spm.component IS 'One pay element of a plan version: which credits, measured how, against which quota, rated and rounded how.';
COMMENT ON COLUMN spm.component.component_id IS 'Key.';
COMMENT ON COLUMN spm.component.plan_version_id IS 'Version it belongs to.';
COMMENT ON COLUMN spm.component.component_no IS 'Order on the statement.';
COMMENT ON COLUMN spm.component.name IS 'Name shown on the statement.';
COMMENT ON COLUMN spm.component.credit_kind IS 'direct: own credits; rollup: what comes up the tree; overlay, team, territory: what such rules credit; rolldown: what comes down the tree; all: every kind.';
COMMENT ON COLUMN spm.component.measure_expression IS 'Checked expression: what of a transaction counts, before it is shared. amount, amount - cost, quantity ...';
COMMENT ON COLUMN spm.component.eligibility_expression IS 'Checked expression: which transactions count. NULL: all.';
COMMENT ON COLUMN spm.component.unit IS 'Unit of the measure expression: money is converted to the currency of the plan, a count is not.';
COMMENT ON COLUMN spm.component.measure_id IS 'Measure whose quota attainment is reckoned against. NULL: no quota.';
COMMENT ON COLUMN spm.component.accumulate IS 'deal: every transaction starts at zero; group: every value of group_expression; period: the total starts with the period; the grain of a longer period that it starts with; rolling N: with the N - 1 periods before.';
COMMENT ON COLUMN spm.component.tier_basis IS 'amount: tiers are amounts; quota: tiers are shares of quota (0.8 is 80 %).';
COMMENT ON COLUMN spm.component.rate_options IS 'Options of the rate schedule: whole, edge lower, cap 5000 ...';
COMMENT ON COLUMN spm.component.variable_id IS 'Variable that all rates are multiplied by. NULL: none.';
COMMENT ON COLUMN spm.component.places IS 'Decimal places that earnings are rounded to.';
COMMENT ON COLUMN spm.component.rounding IS 'Rounding mode.';
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
COMMENT ON COLUMN spm.component.event IS 'Event that is credited: booking, or a kind of milestone mapped by spm.map_event(), such as invoice or payment.';
COMMENT ON COLUMN spm.component.refund IS 'What a transaction with a reference_key does. running: counts like any other, priced top-down; original: takes back what the original earned, in proportion; unearned: of that, only the part not yet earned.';
COMMENT ON COLUMN spm.component.refund_window IS 'How long after the original something is taken back: to that day, inclusive; a day that the month does not have is its last. NULL: always.';
COMMENT ON COLUMN spm.component.refund_share IS 'Share of the commission that is taken back: 0.5 is half.';
COMMENT ON COLUMN spm.component.earned_over IS 'refund unearned: months, from the date of the original, over which its commission is earned in equal parts.';

CREATE TABLE spm.tier (
    tier_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    component_id int NOT NULL REFERENCES spm.component ON DELETE CASCADE,
    bounds numrange NOT NULL CHECK (NOT isempty(bounds) AND NOT lower_inf(bounds) AND lower(bounds) >= 0 AND lower_inc(bounds)),
    rate numeric NOT NULL CHECK (rate NOT IN ('NaN', 'Infinity', '-Infinity')),
    CONSTRAINT tier_overlap EXCLUDE USING gist (component_id WITH =, bounds WITH &&)
);
COMMENT ON TABLE spm.tier IS 'Tiers of a component. They never overlap; gaps are found when the version is published.';
COMMENT ON COLUMN spm.tier.tier_id IS 'Key.';
COMMENT ON COLUMN spm.tier.component_id IS 'Component.';
COMMENT ON COLUMN spm.tier.bounds IS 'Where the tier applies, in the tier_basis of the component. Who owns the edges is an option of the rates, not of this range.';
COMMENT ON COLUMN spm.tier.rate IS 'Rate: 0.08 is 8 %. With the option bonus: an amount of money.';

CREATE TABLE spm.plan_assignment (
    plan_assignment_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id int NOT NULL REFERENCES spm.plan,
    payee_id int REFERENCES spm.payee,
    position_id int REFERENCES spm.position,
    title_id int REFERENCES spm.title,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    CONSTRAINT plan_assignment_target CHECK (num_nonnulls(payee_id, position_id, title_id) = 1),
    CONSTRAINT plan_assignment_overlap EXCLUDE USING gist
        (plan_id WITH =, coalesce(payee_id, 0) WITH =, coalesce(position_id, 0) WITH =, coalesce(title_id, 0) WITH =, span WITH &&)
);
CREATE INDEX plan_assignment_payee ON spm.plan_assignment (payee_id);
CREATE INDEX plan_assignment_position ON spm.plan_assignment (position_id);
CREATE INDEX plan_assignment_title ON spm.plan_assignment (title_id);
CREATE INDEX plan_assignment_plan ON spm.plan_assignment (plan_id);
COMMENT ON TABLE spm.plan_assignment IS 'Who is on which plan when: a payee, a position, or everybody in a title.';
COMMENT ON COLUMN spm.plan_assignment.plan_assignment_id IS 'Key.';
COMMENT ON COLUMN spm.plan_assignment.plan_id IS 'Plan.';
COMMENT ON COLUMN spm.plan_assignment.payee_id IS 'Payee; exactly one of payee, position and title is set.';
COMMENT ON COLUMN spm.plan_assignment.position_id IS 'Position, whoever sits in it.';
COMMENT ON COLUMN spm.plan_assignment.title_id IS 'Title: all positions of it.';
COMMENT ON COLUMN spm.plan_assignment.span IS 'Days; end exclusive.';

-- ------------------------------------------------------------------ crediting

CREATE TABLE spm.credit_rule (
    credit_rule_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    condition text NOT NULL,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    priority int,
    kind text NOT NULL DEFAULT 'share' CHECK (kind IN ('share', 'overlay', 'team')),
    parts text NOT NULL DEFAULT 'full' CHECK (parts IN ('full', 'equal')),
    title_id int REFERENCES spm.title,
    manager_position_id int REFERENCES spm.position,
    CONSTRAINT credit_rule_team CHECK (num_nonnulls(title_id, manager_position_id) <= CASE kind WHEN 'team' THEN 1 ELSE 0 END
        AND (kind = 'team' OR parts = 'full'))
);
CREATE INDEX credit_rule_title ON spm.credit_rule (title_id);
CREATE INDEX credit_rule_manager ON spm.credit_rule (manager_position_id);
COMMENT ON TABLE spm.credit_rule IS 'A rule that credits transactions to payees. One of kind share divides them: shares given by the source go before rules, rules before the owner. Those of kind overlay and team credit on top.';
COMMENT ON COLUMN spm.credit_rule.credit_rule_id IS 'Key.';
COMMENT ON COLUMN spm.credit_rule.name IS 'Name, unique.';
COMMENT ON COLUMN spm.credit_rule.condition IS 'Checked expression: which transactions it shares.';
COMMENT ON COLUMN spm.credit_rule.span IS 'Days of the transactions; end exclusive.';
COMMENT ON COLUMN spm.credit_rule.priority IS 'kind share: the smallest wins; among equals the older rule. NULL: after all that have one, the rule whose condition tests the most columns wins.';
COMMENT ON COLUMN spm.credit_rule.kind IS 'share: divides the transaction, one rule wins; overlay: each of its payees is credited a share on top, team: everybody in the team; of these every rule that matches applies.';
COMMENT ON COLUMN spm.credit_rule.parts IS 'team: full, everybody is credited all of it; equal, it is divided among them.';
COMMENT ON COLUMN spm.credit_rule.title_id IS 'team: all positions of the title. NULL: the payees named, or those below the manager.';
COMMENT ON COLUMN spm.credit_rule.manager_position_id IS 'team: all positions below this one.';

CREATE TABLE spm.credit_rule_share (
    credit_rule_id int NOT NULL REFERENCES spm.credit_rule ON DELETE CASCADE,
    payee_id int NOT NULL REFERENCES spm.payee,
    share numeric NOT NULL CHECK (share > 0 AND share < 'Infinity'),
    PRIMARY KEY (credit_rule_id, payee_id)
);
CREATE INDEX credit_rule_share_payee ON spm.credit_rule_share (payee_id);
COMMENT ON TABLE spm.credit_rule_share IS 'Who is credited by a rule. The shares of a rule of kind share total 1.';
COMMENT ON COLUMN spm.credit_rule_share.credit_rule_id IS 'Rule.';
COMMENT ON COLUMN spm.credit_rule_share.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.credit_rule_share.share IS 'Share: 0.6 is 60 %.';

-- ----------------------------------------------------------------- the ledger
--
-- A posting is what one period pays: its own results, and the differences that
-- were found in earlier, posted periods.  While it is a draft, calculating
-- replaces its rows; once posted it is closed.  A result row of a posted
-- posting is corrected by a row in a later one that reverses it.
--
-- Credits and earnings come by the million, from one function, out of rows that
-- it has just read: a foreign key for each of their columns would cost more than
-- all else.  Triggers keep what they refer to (spm._guard_credited, and the
-- foreign keys of spm.measurement and spm.payout).
--
-- Both are kept by period, in a part each (spm._ledger_partition): calculating
-- one period touches no other, and a period that is read is all that is read.
-- The parts are tables of the database, not of the extension: pg_dump saves them
-- with their rows.  Hence all indexes are theirs, too (spm._index_partition):
-- pg_dump could not join them to an index that the extension had made.  A row
-- that takes another back lies in the same period, so whatever relates rows of
-- the ledger to each other also compares their periods.

CREATE TABLE spm.posting (
    posting_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period_id int NOT NULL REFERENCES spm.period,
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'posted')),
    posted_at timestamptz,
    posted_by text,
    run_id bigint REFERENCES spm.run
);
CREATE UNIQUE INDEX posting_draft ON spm.posting (period_id) WHERE state = 'draft';
CREATE INDEX posting_period ON spm.posting (period_id);
CREATE INDEX posting_run ON spm.posting (run_id);
COMMENT ON TABLE spm.posting IS 'What a period pays. One per period, and one more for each time it was reopened.';
COMMENT ON COLUMN spm.posting.posting_id IS 'Key, in order of time.';
COMMENT ON COLUMN spm.posting.period_id IS 'Period that pays.';
COMMENT ON COLUMN spm.posting.state IS 'draft: may be calculated again; posted: closed.';
COMMENT ON COLUMN spm.posting.posted_at IS 'When it was posted.';
COMMENT ON COLUMN spm.posting.posted_by IS 'Login that posted it.';
COMMENT ON COLUMN spm.posting.run_id IS 'Run that posted it.';

CREATE SEQUENCE spm.credit_credit_id_seq;
CREATE TABLE spm.credit (
    credit_id bigint NOT NULL DEFAULT nextval('spm.credit_credit_id_seq'),
    posting_id int NOT NULL,
    period_id int NOT NULL,
    run_id bigint NOT NULL,
    reverses_id bigint,
    position_id int NOT NULL,
    payee_id int,
    kind text NOT NULL CHECK (kind IN ('direct', 'rollup', 'overlay', 'team', 'rolldown', 'territory')),
    origin_position_id int NOT NULL,
    level smallint NOT NULL CHECK (level >= 0),
    share numeric NOT NULL CHECK (share > 0 AND share <= 1),
    shares numeric[],
    share_no int,
    credited_amount numeric NOT NULL,
    source text NOT NULL,
    transaction_key text NOT NULL,
    line text NOT NULL,
    event_date date NOT NULL,
    type text NOT NULL,
    owner_key text NOT NULL,
    account_key text,
    product_key text,
    quantity numeric,
    amount numeric NOT NULL,
    cost numeric,
    list_amount numeric,
    currency_code text NOT NULL,
    attributes jsonb NOT NULL,
    event text NOT NULL DEFAULT 'booking',
    reference_key text,
    rule text NOT NULL DEFAULT '',
    factor numeric NOT NULL DEFAULT 1 CHECK (factor > 0),
    part_no int NOT NULL DEFAULT 1,
    part_count int NOT NULL DEFAULT 1,
    CONSTRAINT credit_part CHECK (part_no BETWEEN 1 AND part_count)
) PARTITION BY LIST (period_id);
ALTER SEQUENCE spm.credit_credit_id_seq OWNED BY spm.credit.credit_id;
-- as with an identity column, who may insert needs no right on what counts the keys
GRANT USAGE ON SEQUENCE spm.credit_credit_id_seq TO PUBLIC;
COMMENT ON TABLE spm.credit IS 'One row per transaction line and position credited, with all that was used of the transaction: posted pay stays explainable after the warehouse has changed.';
COMMENT ON COLUMN spm.credit.credit_id IS 'Key.';
COMMENT ON COLUMN spm.credit.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.credit.period_id IS 'Period of the event date.';
COMMENT ON COLUMN spm.credit.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.credit.reverses_id IS 'Credit of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.credit.position_id IS 'Position credited.';
COMMENT ON COLUMN spm.credit.payee_id IS 'Who sat there on the event date. NULL: vacant.';
COMMENT ON COLUMN spm.credit.kind IS 'direct: by ownership or split; rollup: from below in the reporting tree; overlay, team, territory: on top, by a rule; rolldown: from above in the tree.';
COMMENT ON COLUMN spm.credit.origin_position_id IS 'Position that holds the direct credit: for kind direct this one.';
COMMENT ON COLUMN spm.credit.level IS 'Levels above the direct credit, for kind rolldown below it; else 0.';
COMMENT ON COLUMN spm.credit.share IS 'Share of the transaction: 0.6 is 60 %.';
COMMENT ON COLUMN spm.credit.shares IS 'Shares of all who share in the transaction, in order. NULL: nobody shares.';
COMMENT ON COLUMN spm.credit.share_no IS 'Place of this share in shares.';
COMMENT ON COLUMN spm.credit.credited_amount IS 'Share of amount, apportioned by largest remainder; negative where a row is reversed. In currency_code.';
COMMENT ON COLUMN spm.credit.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.credit.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.credit.line IS 'Its line; empty when the source has none.';
COMMENT ON COLUMN spm.credit.event_date IS 'Its date.';
COMMENT ON COLUMN spm.credit.type IS 'Its type.';
COMMENT ON COLUMN spm.credit.owner_key IS 'payee_key that the credit goes by: the owner, or the sharer.';
COMMENT ON COLUMN spm.credit.account_key IS 'Its account.';
COMMENT ON COLUMN spm.credit.product_key IS 'Its product.';
COMMENT ON COLUMN spm.credit.quantity IS 'Its quantity, whole, before it is shared.';
COMMENT ON COLUMN spm.credit.amount IS 'Its amount, whole, before it is shared, in currency_code.';
COMMENT ON COLUMN spm.credit.cost IS 'Its cost, whole.';
COMMENT ON COLUMN spm.credit.list_amount IS 'Its amount at list price, whole.';
COMMENT ON COLUMN spm.credit.currency_code IS 'Its currency.';
COMMENT ON COLUMN spm.credit.attributes IS 'Its further attributes.';
COMMENT ON COLUMN spm.credit.event IS 'booking, or the milestone that is credited: amount, quantity, cost and list_amount are then its part of the transaction, event_date its day.';
COMMENT ON COLUMN spm.credit.reference_key IS 'Key of the transaction that it takes back.';
COMMENT ON COLUMN spm.credit.rule IS 'Name of the rule or territory that credits on top; empty for kinds direct, rollup and rolldown.';
COMMENT ON COLUMN spm.credit.factor IS 'What its share is multiplied by: the share of an overlay or a territory, the roll-up factor; else 1.';
COMMENT ON COLUMN spm.credit.part_no IS 'Which of part_count equal parts it is.';
COMMENT ON COLUMN spm.credit.part_count IS 'Equal parts that it is divided into: members of a team; 1: not divided.';

CREATE TABLE spm.uncredited (
    period_id int NOT NULL REFERENCES spm.period,
    source text NOT NULL,
    transaction_key text NOT NULL,
    line text NOT NULL,
    owner_key text NOT NULL,
    event_date date NOT NULL,
    amount numeric,
    currency_code text,
    reason text NOT NULL,
    run_id bigint NOT NULL REFERENCES spm.run,
    PRIMARY KEY (period_id, source, transaction_key, line, owner_key)
);
CREATE INDEX uncredited_run ON spm.uncredited (run_id);
COMMENT ON TABLE spm.uncredited IS 'Transactions, or shares of them, that nobody could be credited for, as of the last calculation of their period.';
COMMENT ON COLUMN spm.uncredited.period_id IS 'Period of the event date.';
COMMENT ON COLUMN spm.uncredited.source IS 'Source of the transaction.';
COMMENT ON COLUMN spm.uncredited.transaction_key IS 'Its key.';
COMMENT ON COLUMN spm.uncredited.line IS 'Its line.';
COMMENT ON COLUMN spm.uncredited.owner_key IS 'Owner or sharer that is not known; empty when the transaction has none.';
COMMENT ON COLUMN spm.uncredited.event_date IS 'Its date.';
COMMENT ON COLUMN spm.uncredited.amount IS 'Its amount, whole, in currency_code.';
COMMENT ON COLUMN spm.uncredited.currency_code IS 'Its currency.';
COMMENT ON COLUMN spm.uncredited.reason IS 'Why nobody was credited.';
COMMENT ON COLUMN spm.uncredited.run_id IS 'Run that found it.';

CREATE TABLE spm.schedule (
    schedule_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule spm.rate_schedule NOT NULL,
    definition text NOT NULL UNIQUE
);
COMMENT ON TABLE spm.schedule IS 'Every rate schedule that anything was rated by, with quota and variable worked in. Rows are never changed.';
COMMENT ON COLUMN spm.schedule.schedule_id IS 'Key.';
COMMENT ON COLUMN spm.schedule.schedule IS 'The schedule.';
COMMENT ON COLUMN spm.schedule.definition IS 'Its text.';

CREATE TABLE spm.measurement (
    measurement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    posting_id int NOT NULL REFERENCES spm.posting,
    period_id int NOT NULL REFERENCES spm.period,
    run_id bigint NOT NULL,
    reverses_id bigint,
    component_id int NOT NULL REFERENCES spm.component,
    position_id int NOT NULL REFERENCES spm.position,
    payee_id int NOT NULL REFERENCES spm.payee,
    credit_count bigint NOT NULL,
    opening_amount numeric NOT NULL,
    amount numeric NOT NULL,
    quota_amount numeric,
    factor numeric NOT NULL,
    schedule_id bigint NOT NULL,
    earned_amount numeric NOT NULL,
    earned_before numeric NOT NULL DEFAULT 0,
    because text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX measurement_posting ON spm.measurement (posting_id, period_id);
CREATE INDEX measurement_period ON spm.measurement (period_id, component_id);
CREATE INDEX measurement_component ON spm.measurement (component_id);
CREATE INDEX measurement_position ON spm.measurement (position_id);
CREATE INDEX measurement_payee ON spm.measurement (payee_id);
CREATE UNIQUE INDEX measurement_reverses ON spm.measurement (reverses_id) WHERE reverses_id IS NOT NULL;
COMMENT ON TABLE spm.measurement IS 'One row per component, position, payee and period: what the credits add up to, against which quota.';
COMMENT ON COLUMN spm.measurement.measurement_id IS 'Key.';
COMMENT ON COLUMN spm.measurement.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.measurement.period_id IS 'Period measured.';
COMMENT ON COLUMN spm.measurement.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.measurement.reverses_id IS 'Measurement of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.measurement.component_id IS 'Component.';
COMMENT ON COLUMN spm.measurement.position_id IS 'Position.';
COMMENT ON COLUMN spm.measurement.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.measurement.credit_count IS 'Credits of the period that count.';
COMMENT ON COLUMN spm.measurement.opening_amount IS 'What had accumulated before the period; 0 unless the component accumulates over a longer one.';
COMMENT ON COLUMN spm.measurement.amount IS 'Measured in the period, in the currency of the plan or the unit of the measure.';
COMMENT ON COLUMN spm.measurement.quota_amount IS 'Quota of the span that the component accumulates over. NULL: none.';
COMMENT ON COLUMN spm.measurement.factor IS 'What all rates are multiplied by: the component''s variable times its modifiers; 1 when it has none.';
COMMENT ON COLUMN spm.measurement.schedule_id IS 'Rate schedule, with quota and factor worked in.';
COMMENT ON COLUMN spm.measurement.earned_amount IS 'What the totals earn by the schedule: the deals must add up to it.';
COMMENT ON COLUMN spm.measurement.earned_before IS 'True-up: what the earlier periods of the span have earned; else 0.';
COMMENT ON COLUMN spm.measurement.because IS 'How quota, factor and limits came about, in words.';

CREATE SEQUENCE spm.earning_earning_id_seq;
CREATE TABLE spm.earning (
    earning_id bigint NOT NULL DEFAULT nextval('spm.earning_earning_id_seq'),
    posting_id int NOT NULL,
    period_id int NOT NULL,
    run_id bigint NOT NULL,
    reverses_id bigint,
    component_id int NOT NULL,
    position_id int NOT NULL,
    payee_id int NOT NULL,
    credit_id bigint,
    exchange_rate numeric NOT NULL,
    base_amount numeric NOT NULL,
    from_total numeric NOT NULL,
    schedule_id bigint NOT NULL,
    amount numeric NOT NULL,
    kind text NOT NULL DEFAULT 'deal',
    credit_period_id int,
    CONSTRAINT earning_credit CHECK ((credit_id IS NULL) = (kind NOT IN ('deal', 'refund'))),
    CONSTRAINT earning_credit_period CHECK (credit_period_id IS NULL OR credit_period_id <> period_id AND kind = 'refund')
) PARTITION BY LIST (period_id);
ALTER SEQUENCE spm.earning_earning_id_seq OWNED BY spm.earning.earning_id;
GRANT USAGE ON SEQUENCE spm.earning_earning_id_seq TO PUBLIC;
COMMENT ON TABLE spm.earning IS 'One row per component and credit: what the deal earns; and rows for what is not earned deal by deal. The running total goes by event date, then key, line, source.';
COMMENT ON COLUMN spm.earning.earning_id IS 'Key.';
COMMENT ON COLUMN spm.earning.posting_id IS 'Posting that it is paid in.';
COMMENT ON COLUMN spm.earning.period_id IS 'Period in which it was earned.';
COMMENT ON COLUMN spm.earning.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.earning.reverses_id IS 'Earning of a closed posting that this row takes back. NULL: an original.';
COMMENT ON COLUMN spm.earning.component_id IS 'Component.';
COMMENT ON COLUMN spm.earning.position_id IS 'Position.';
COMMENT ON COLUMN spm.earning.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.earning.credit_id IS 'Credit it is for. NULL: not for a single deal.';
COMMENT ON COLUMN spm.earning.exchange_rate IS 'Rate from the currency of the transaction to that of the plan on the event date; 1 when they are the same.';
COMMENT ON COLUMN spm.earning.base_amount IS 'What counts of the deal, in the currency of the plan or the unit of the measure; negative where a row is reversed.';
COMMENT ON COLUMN spm.earning.from_total IS 'Running total before the deal; after it: from_total + base_amount.';
COMMENT ON COLUMN spm.earning.schedule_id IS 'Rate schedule, with quota and factor worked in.';
COMMENT ON COLUMN spm.earning.amount IS 'What the deal earns, rounded, in the currency of the plan.';
COMMENT ON COLUMN spm.earning.kind IS 'deal: what a deal adds to its running total; total: what a figure earns that is no sum of deals; true_up: what earlier deals of the span are worth more or less by now; rank, pool: a prize, a part of a pot; refund: what a cancelled deal takes back.';
COMMENT ON COLUMN spm.earning.credit_period_id IS 'Period of the credit, where it is another one: a refund dated before the order that it takes back. NULL: period_id.';

CREATE TABLE spm.payout (
    payout_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    posting_id int NOT NULL REFERENCES spm.posting,
    period_id int NOT NULL REFERENCES spm.period,
    run_id bigint NOT NULL REFERENCES spm.run,
    payee_id int NOT NULL REFERENCES spm.payee,
    position_id int REFERENCES spm.position,
    component_id int REFERENCES spm.component,
    currency_code text NOT NULL REFERENCES spm.currency,
    amount numeric NOT NULL,
    kind text NOT NULL DEFAULT 'earning' CHECK (kind IN ('earning', 'budget', 'cap', 'carried', 'holdback', 'guarantee', 'draw',
        'recovery', 'forgiveness', 'negative', 'adjustment', 'hold', 'release')),
    plan_id int REFERENCES spm.plan,
    pay_rule_id int,
    hold_id int,
    adjustment_id int,
    reason text,
    CONSTRAINT payout_key UNIQUE NULLS NOT DISTINCT
        (posting_id, period_id, payee_id, position_id, component_id, kind, plan_id, pay_rule_id, hold_id, adjustment_id, currency_code),
    CONSTRAINT payout_earning CHECK (kind <> 'earning' OR num_nulls(position_id, component_id) = 0)
);
CREATE INDEX payout_payee ON spm.payout (payee_id);
CREATE INDEX payout_period ON spm.payout (period_id);
CREATE INDEX payout_component ON spm.payout (component_id);
CREATE INDEX payout_position ON spm.payout (position_id);
CREATE INDEX payout_currency ON spm.payout (currency_code);
CREATE INDEX payout_run ON spm.payout (run_id);
CREATE INDEX payout_plan ON spm.payout (plan_id);
CREATE INDEX payout_pay_rule ON spm.payout (pay_rule_id) WHERE pay_rule_id IS NOT NULL;
CREATE INDEX payout_hold ON spm.payout (hold_id) WHERE hold_id IS NOT NULL;
CREATE INDEX payout_adjustment ON spm.payout (adjustment_id) WHERE adjustment_id IS NOT NULL;
COMMENT ON TABLE spm.payout IS 'What is paid: a row per posting, payee, position, component and period of earning for what was earned, and rows beside them for what pay rules, holds and adjustments add or take away.';
COMMENT ON COLUMN spm.payout.payout_id IS 'Key.';
COMMENT ON COLUMN spm.payout.posting_id IS 'Posting.';
COMMENT ON COLUMN spm.payout.period_id IS 'Period in which it was earned; an earlier one than the posting''s for a difference.';
COMMENT ON COLUMN spm.payout.run_id IS 'Run that wrote it.';
COMMENT ON COLUMN spm.payout.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.payout.position_id IS 'Position it was earned in. NULL: not of one position.';
COMMENT ON COLUMN spm.payout.component_id IS 'Component. NULL: not of one component.';
COMMENT ON COLUMN spm.payout.currency_code IS 'Currency.';
COMMENT ON COLUMN spm.payout.amount IS 'Amount paid; negative where something is kept or taken back. kind earning: the sum of the posting''s earnings.';
COMMENT ON COLUMN spm.payout.kind IS 'earning: what was earned; budget, cap, holdback, hold: kept from it; carried, release: what was kept before and is paid now; guarantee, draw: added; recovery: a draw or a negative balance taken back; forgiveness: an amount owed that is written off, pays nothing; negative: less than nothing, not collected now; adjustment: entered by hand.';
COMMENT ON COLUMN spm.payout.plan_id IS 'Plan. NULL: an adjustment beside all plans.';
COMMENT ON COLUMN spm.payout.pay_rule_id IS 'Pay rule that it comes from. NULL: none.';
COMMENT ON COLUMN spm.payout.hold_id IS 'Hold that keeps it, or that was released. NULL: none.';
COMMENT ON COLUMN spm.payout.adjustment_id IS 'Adjustment that it pays. NULL: none.';
COMMENT ON COLUMN spm.payout.reason IS 'Why, in words. NULL: the kind says it.';

CREATE TABLE spm.period_watermark (
    period_id int PRIMARY KEY REFERENCES spm.period,
    watermark text NOT NULL,
    results text
);
COMMENT ON TABLE spm.period_watermark IS 'Digest of the input that a period''s results were last calculated from. Tells which posted periods need another look; a missing or other digest only means that the period is calculated once more.';
COMMENT ON COLUMN spm.period_watermark.period_id IS 'Period.';
COMMENT ON COLUMN spm.period_watermark.watermark IS 'Digest of the input.';
COMMENT ON COLUMN spm.period_watermark.results IS 'Digest of what was calculated from it. NULL: not known, and calculated again.';

-- Without these a backup would lose people's pay.
SELECT pg_catalog.pg_extension_config_dump('spm.variable', '');
SELECT pg_catalog.pg_extension_config_dump('spm.variable_variable_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.variable_value', '');
SELECT pg_catalog.pg_extension_config_dump('spm.variable_value_variable_value_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan_plan_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan_version', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan_version_plan_version_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.component', '');
SELECT pg_catalog.pg_extension_config_dump('spm.component_component_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.tier', '');
SELECT pg_catalog.pg_extension_config_dump('spm.tier_tier_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan_assignment', '');
SELECT pg_catalog.pg_extension_config_dump('spm.plan_assignment_plan_assignment_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.credit_rule', '');
SELECT pg_catalog.pg_extension_config_dump('spm.credit_rule_credit_rule_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.credit_rule_share', '');
SELECT pg_catalog.pg_extension_config_dump('spm.posting', '');
SELECT pg_catalog.pg_extension_config_dump('spm.posting_posting_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.credit', '');
SELECT pg_catalog.pg_extension_config_dump('spm.credit_credit_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.uncredited', '');
SELECT pg_catalog.pg_extension_config_dump('spm.schedule', '');
SELECT pg_catalog.pg_extension_config_dump('spm.schedule_schedule_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.measurement', '');
SELECT pg_catalog.pg_extension_config_dump('spm.measurement_measurement_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.earning', '');
SELECT pg_catalog.pg_extension_config_dump('spm.earning_earning_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payout', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payout_payout_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.period_watermark', '');

