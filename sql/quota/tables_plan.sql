/*
 * quota/tables_plan.sql: quota plans.  A number for everybody on its way down
 * the tree of seats, in versions that are proposed, approved and published.
 */

CREATE TABLE spm.quota_plan (
    quota_plan_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    measure_id int NOT NULL REFERENCES spm.measure,
    period_id int NOT NULL REFERENCES spm.period,
    grain text
);
CREATE INDEX quota_plan_measure ON spm.quota_plan (measure_id);
CREATE INDEX quota_plan_period ON spm.quota_plan (period_id);
COMMENT ON TABLE spm.quota_plan IS 'A plan that divides what is expected in a period among seats.';
COMMENT ON COLUMN spm.quota_plan.quota_plan_id IS 'Key.';
COMMENT ON COLUMN spm.quota_plan.name IS 'Name, unique.';
COMMENT ON COLUMN spm.quota_plan.measure_id IS 'What is measured.';
COMMENT ON COLUMN spm.quota_plan.period_id IS 'Period in which the total is to be reached.';
COMMENT ON COLUMN spm.quota_plan.grain IS 'Kind of the periods that quotas are published for: quarter, month. NULL: the period itself.';

CREATE TABLE spm.quota_plan_version (
    quota_plan_version_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quota_plan_id int NOT NULL REFERENCES spm.quota_plan,
    version int NOT NULL CHECK (version > 0),
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'proposed', 'approved', 'published', 'replaced', 'withdrawn')),
    total numeric NOT NULL CHECK (total >= 0 AND total < 'Infinity'),
    unit numeric NOT NULL DEFAULT 0.01 CHECK (unit > 0 AND unit < 'Infinity'),
    method text NOT NULL DEFAULT 'share' CHECK (method IN ('share', 'reconcile')),
    carry_input text,
    carry_ratio numeric CHECK (carry_ratio >= 0 AND carry_ratio < 'Infinity'),
    as_of date NOT NULL,
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    proposed_at timestamptz,
    proposed_by text,
    approved_at timestamptz,
    approved_by text,
    published_at timestamptz,
    published_by text,
    UNIQUE (quota_plan_id, version),
    CONSTRAINT quota_plan_version_carry CHECK (num_nonnulls(carry_input, carry_ratio) IN (0, 2)),
    CONSTRAINT quota_plan_version_approved CHECK (CASE state WHEN 'proposed' THEN proposed_by IS NOT NULL WHEN 'draft' THEN true WHEN 'withdrawn' THEN true
                                                        ELSE num_nonnulls(proposed_by, approved_by) = 2 END),
    CONSTRAINT quota_plan_version_four_eyes CHECK (approved_by <> proposed_by)
);
CREATE UNIQUE INDEX quota_plan_version_open ON spm.quota_plan_version (quota_plan_id) WHERE state IN ('draft', 'proposed', 'approved');
CREATE UNIQUE INDEX quota_plan_version_published ON spm.quota_plan_version (quota_plan_id) WHERE state = 'published';
COMMENT ON TABLE spm.quota_plan_version IS 'A version of a quota plan. Only a draft is changed; one is worked on at a time, one is published at a time, and all are kept.';
COMMENT ON COLUMN spm.quota_plan_version.quota_plan_version_id IS 'Key.';
COMMENT ON COLUMN spm.quota_plan_version.quota_plan_id IS 'Plan.';
COMMENT ON COLUMN spm.quota_plan_version.version IS 'Number within the plan, from 1.';
COMMENT ON COLUMN spm.quota_plan_version.state IS 'draft, proposed, approved, published, replaced (by a later version) or withdrawn.';
COMMENT ON COLUMN spm.quota_plan_version.total IS 'What is divided, in the unit of the measure.';
COMMENT ON COLUMN spm.quota_plan_version.unit IS 'What quotas are multiples of: 0.01, 1, 1000.';
COMMENT ON COLUMN spm.quota_plan_version.method IS 'share: by weighted factors; reconcile: what seats asked for, moved as little as the total allows.';
COMMENT ON COLUMN spm.quota_plan_version.carry_input IS 'Input of which everybody keeps a part before the rest is divided by factors. NULL: all is divided.';
COMMENT ON COLUMN spm.quota_plan_version.carry_ratio IS 'That part: 0.9 is 90 %.';
COMMENT ON COLUMN spm.quota_plan_version.as_of IS 'Day on which the reporting tree was read.';
COMMENT ON COLUMN spm.quota_plan_version.reason IS 'Why there is this version; then why it was proposed, approved or sent back.';
COMMENT ON COLUMN spm.quota_plan_version.recorded_at IS 'When it was made.';
COMMENT ON COLUMN spm.quota_plan_version.recorded_by IS 'Login that made it.';
COMMENT ON COLUMN spm.quota_plan_version.proposed_at IS 'When it was proposed.';
COMMENT ON COLUMN spm.quota_plan_version.proposed_by IS 'Login that proposed it.';
COMMENT ON COLUMN spm.quota_plan_version.approved_at IS 'When it was approved.';
COMMENT ON COLUMN spm.quota_plan_version.approved_by IS 'Login that approved it: another one.';
COMMENT ON COLUMN spm.quota_plan_version.published_at IS 'When its amounts became quotas.';
COMMENT ON COLUMN spm.quota_plan_version.published_by IS 'Login that published it.';

CREATE TABLE spm.quota_plan_node (
    quota_plan_version_id int NOT NULL REFERENCES spm.quota_plan_version,
    position_id int NOT NULL REFERENCES spm.position,
    parent_position_id int REFERENCES spm.position CHECK (parent_position_id <> position_id),
    level smallint NOT NULL CHECK (level > 0),
    at_least numeric CHECK (at_least >= 0 AND at_least < 'Infinity'),
    at_most numeric CHECK (at_most >= 0 AND at_most < 'Infinity'),
    locked_amount numeric CHECK (locked_amount >= 0 AND locked_amount < 'Infinity'),
    bottom_up numeric CHECK (bottom_up >= 0 AND bottom_up < 'Infinity'),
    variance numeric CHECK (variance >= 0 AND variance < 'Infinity'),
    reason text,
    weight numeric,
    amount numeric CHECK (amount >= 0 AND amount < 'Infinity'),
    PRIMARY KEY (quota_plan_version_id, position_id)
);
CREATE INDEX quota_plan_node_position ON spm.quota_plan_node (position_id);
CREATE INDEX quota_plan_node_parent ON spm.quota_plan_node (parent_position_id);
COMMENT ON TABLE spm.quota_plan_node IS 'A seat in a version of a quota plan: where it stands in the tree, what is asked for it, what it gets.';
COMMENT ON COLUMN spm.quota_plan_node.quota_plan_version_id IS 'Version.';
COMMENT ON COLUMN spm.quota_plan_node.position_id IS 'Seat.';
COMMENT ON COLUMN spm.quota_plan_node.parent_position_id IS 'Seat above it in the plan. NULL at the top.';
COMMENT ON COLUMN spm.quota_plan_node.level IS '1 at the top, 2 below it, and so on.';
COMMENT ON COLUMN spm.quota_plan_node.at_least IS 'The least it is to have. NULL: 0.';
COMMENT ON COLUMN spm.quota_plan_node.at_most IS 'The most it is to have. NULL: no limit.';
COMMENT ON COLUMN spm.quota_plan_node.locked_amount IS 'What it is to have, whatever factors say. NULL: it is not locked.';
COMMENT ON COLUMN spm.quota_plan_node.bottom_up IS 'What was asked for by those who know it. NULL: nothing was.';
COMMENT ON COLUMN spm.quota_plan_node.variance IS 'How unsure that is: who is surer is moved less, 0 is not moved at all. NULL: as much as was asked for, which changes everybody by the same percentage.';
COMMENT ON COLUMN spm.quota_plan_node.reason IS 'Why it was bound, locked or asked for.';
COMMENT ON COLUMN spm.quota_plan_node.weight IS 'What its share was reckoned by. Written by spm.allocate_quota_plan().';
COMMENT ON COLUMN spm.quota_plan_node.amount IS 'Quota. Written by spm.allocate_quota_plan().';

CREATE TABLE spm.quota_plan_input (
    quota_plan_version_id int NOT NULL REFERENCES spm.quota_plan_version,
    name text NOT NULL CHECK (name <> '' AND name <> 'even'),
    position_id int NOT NULL REFERENCES spm.position,
    amount numeric NOT NULL CHECK (amount >= 0 AND amount < 'Infinity'),
    PRIMARY KEY (quota_plan_version_id, name, position_id)
);
CREATE INDEX quota_plan_input_position ON spm.quota_plan_input (position_id);
COMMENT ON TABLE spm.quota_plan_input IS 'What is known of seats, and shares can go by: history, potential, pipeline, capacity, last quota.';
COMMENT ON COLUMN spm.quota_plan_input.quota_plan_version_id IS 'Version.';
COMMENT ON COLUMN spm.quota_plan_input.name IS 'What it is.';
COMMENT ON COLUMN spm.quota_plan_input.position_id IS 'Seat.';
COMMENT ON COLUMN spm.quota_plan_input.amount IS 'How much of it the seat has of its own; what is below a seat counts for it too.';

CREATE TABLE spm.quota_plan_factor (
    quota_plan_version_id int NOT NULL REFERENCES spm.quota_plan_version,
    level smallint NOT NULL CHECK (level >= 0),
    name text NOT NULL CHECK (name <> ''),
    weight numeric NOT NULL CHECK (weight > 0 AND weight < 'Infinity'),
    PRIMARY KEY (quota_plan_version_id, level, name)
);
COMMENT ON TABLE spm.quota_plan_factor IS 'By which inputs a version divides, and how much each counts.';
COMMENT ON COLUMN spm.quota_plan_factor.quota_plan_version_id IS 'Version.';
COMMENT ON COLUMN spm.quota_plan_factor.level IS 'Level of the seats that are weighed; 0: all levels that have no factors of their own.';
COMMENT ON COLUMN spm.quota_plan_factor.name IS 'Input; or even: every seat at the bottom counts the same.';
COMMENT ON COLUMN spm.quota_plan_factor.weight IS 'How much it counts; weights need not total 1.';

CREATE TABLE spm.quota_plan_level (
    quota_plan_version_id int NOT NULL REFERENCES spm.quota_plan_version,
    level smallint NOT NULL CHECK (level > 0),
    over_assignment numeric NOT NULL CHECK (over_assignment BETWEEN 0 AND 1 AND scale(over_assignment) <= 6),
    PRIMARY KEY (quota_plan_version_id, level)
);
COMMENT ON TABLE spm.quota_plan_level IS 'How much more than they have the seats of a level assign to those below them.';
COMMENT ON COLUMN spm.quota_plan_level.quota_plan_version_id IS 'Version.';
COMMENT ON COLUMN spm.quota_plan_level.level IS 'Level: 1 at the top.';
COMMENT ON COLUMN spm.quota_plan_level.over_assignment IS 'As a ratio: 0.05 is 5 % more.';

CREATE TABLE spm.quota_plan_season (
    quota_plan_version_id int NOT NULL REFERENCES spm.quota_plan_version,
    position_id int NOT NULL REFERENCES spm.position,
    shares numeric[] NOT NULL CHECK (array_ndims(shares) = 1 AND array_position(shares, NULL) IS NULL AND 0 <= ALL (shares) AND 'Infinity' > ALL (shares) AND 0 < ANY (shares)),
    PRIMARY KEY (quota_plan_version_id, position_id)
);
CREATE INDEX quota_plan_season_position ON spm.quota_plan_season (position_id);
COMMENT ON TABLE spm.quota_plan_season IS 'How the year of a seat and all below it is divided among the periods that quotas are published for. Without one: by calendar days.';
COMMENT ON COLUMN spm.quota_plan_season.quota_plan_version_id IS 'Version.';
COMMENT ON COLUMN spm.quota_plan_season.position_id IS 'Seat; the season of the nearest seat above counts.';
COMMENT ON COLUMN spm.quota_plan_season.shares IS 'A share for each period in order; they need not total 1.';

CREATE TABLE spm.quota_plan_change (
    quota_plan_change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quota_plan_version_id int NOT NULL REFERENCES spm.quota_plan_version,
    position_id int REFERENCES spm.position,
    what text NOT NULL,
    old_value text,
    new_value text,
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user
);
CREATE INDEX quota_plan_change_version ON spm.quota_plan_change (quota_plan_version_id);
CREATE INDEX quota_plan_change_position ON spm.quota_plan_change (position_id);
COMMENT ON TABLE spm.quota_plan_change IS 'Every override and every step of a quota plan: who, when, why. Written by triggers and the functions that change a plan, never changed.';
COMMENT ON COLUMN spm.quota_plan_change.quota_plan_change_id IS 'Key, in order of time.';
COMMENT ON COLUMN spm.quota_plan_change.quota_plan_version_id IS 'Version.';
COMMENT ON COLUMN spm.quota_plan_change.position_id IS 'Seat. NULL: the version as a whole.';
COMMENT ON COLUMN spm.quota_plan_change.what IS 'What was changed: locked amount, at least, at most, bottom up, variance, total, state ...';
COMMENT ON COLUMN spm.quota_plan_change.old_value IS 'Before.';
COMMENT ON COLUMN spm.quota_plan_change.new_value IS 'After.';
COMMENT ON COLUMN spm.quota_plan_change.reason IS 'Why.';
COMMENT ON COLUMN spm.quota_plan_change.recorded_at IS 'When.';
COMMENT ON COLUMN spm.quota_plan_change.recorded_by IS 'Login that did it.';

SELECT pg_catalog.pg_extension_config_dump('spm.quota_plan', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_plan_version', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_plan_node', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_plan_input', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_plan_factor', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_plan_level', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_plan_season', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_plan_change', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_plan_quota_plan_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_plan_version_quota_plan_version_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_plan_change_quota_plan_change_id_seq', '');
