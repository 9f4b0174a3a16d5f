/*
 * quota/tables_workforce.sql: capacity plans, how many people it takes, and when they must start.
 */

CREATE TABLE spm.capacity_plan (
    capacity_plan_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    first_month date NOT NULL CHECK (isfinite(first_month) AND extract(day FROM first_month) = 1),
    months int NOT NULL CHECK (months BETWEEN 1 AND 120),
    service_level numeric NOT NULL DEFAULT 0.8 CHECK (service_level > 0 AND service_level < 1)
);
COMMENT ON TABLE spm.capacity_plan IS 'A plan of how many people it takes, month by month.';
COMMENT ON COLUMN spm.capacity_plan.capacity_plan_id IS 'Key.';
COMMENT ON COLUMN spm.capacity_plan.name IS 'Name, unique.';
COMMENT ON COLUMN spm.capacity_plan.first_month IS 'First day of its first month.';
COMMENT ON COLUMN spm.capacity_plan.months IS 'Number of months.';
COMMENT ON COLUMN spm.capacity_plan.service_level IS 'How likely the target of a month is to be reached by those who are there: 0.8 is four in five.';

CREATE TABLE spm.capacity_role (
    capacity_role_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    capacity_plan_id int NOT NULL REFERENCES spm.capacity_plan ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> ''),
    title_id int REFERENCES spm.title,
    productivity numeric NOT NULL CHECK (productivity > 0 AND productivity < 'Infinity'),
    deviation numeric NOT NULL DEFAULT 0 CHECK (deviation >= 0 AND deviation < 'Infinity'),
    attrition numeric NOT NULL DEFAULT 0 CHECK (attrition >= 0 AND attrition <= 1),
    ramp_id int REFERENCES spm.ramp,
    lead_months int NOT NULL DEFAULT 0 CHECK (lead_months BETWEEN 0 AND 120),
    monthly_cost numeric NOT NULL DEFAULT 0 CHECK (monthly_cost >= 0 AND monthly_cost < 'Infinity'),
    hours numeric NOT NULL DEFAULT 160 CHECK (hours > 0 AND hours < 'Infinity'),
    shrinkage numeric NOT NULL DEFAULT 0 CHECK (shrinkage >= 0 AND shrinkage < 1),
    UNIQUE (capacity_plan_id, name)
);
CREATE INDEX capacity_role_title ON spm.capacity_role (title_id);
CREATE INDEX capacity_role_ramp ON spm.capacity_role (ramp_id);
COMMENT ON TABLE spm.capacity_role IS 'People of a plan who are alike: what one brings, how they come and go.';
COMMENT ON COLUMN spm.capacity_role.capacity_role_id IS 'Key.';
COMMENT ON COLUMN spm.capacity_role.capacity_plan_id IS 'Plan.';
COMMENT ON COLUMN spm.capacity_role.name IS 'Name, unique in its plan.';
COMMENT ON COLUMN spm.capacity_role.title_id IS 'Title of the seats that are meant, for who is there and for quotas. NULL: none.';
COMMENT ON COLUMN spm.capacity_role.productivity IS 'What one brings in a month once they have learned, in the unit of the target.';
COMMENT ON COLUMN spm.capacity_role.deviation IS 'Standard deviation of that from one to another, as a ratio of it. 0: all bring the same.';
COMMENT ON COLUMN spm.capacity_role.attrition IS 'Share of people who leave at the end of a month.';
COMMENT ON COLUMN spm.capacity_role.ramp_id IS 'Ramp: the share of productivity in the first months. NULL: all from the first day.';
COMMENT ON COLUMN spm.capacity_role.lead_months IS 'Months from the decision to hire until the first day.';
COMMENT ON COLUMN spm.capacity_role.monthly_cost IS 'Cost of one in a month.';
COMMENT ON COLUMN spm.capacity_role.hours IS 'Paid hours of one in a month.';
COMMENT ON COLUMN spm.capacity_role.shrinkage IS 'Share of these that is lost to holidays, illness, training and meetings, as a ratio.';

CREATE TABLE spm.capacity_cohort (
    capacity_role_id int NOT NULL REFERENCES spm.capacity_role ON DELETE CASCADE,
    start_month date NOT NULL CHECK (isfinite(start_month) AND extract(day FROM start_month) = 1),
    heads int NOT NULL CHECK (heads > 0),
    PRIMARY KEY (capacity_role_id, start_month)
);
COMMENT ON TABLE spm.capacity_cohort IS 'Who is there, and who is to come: how many started or start in a month.';
COMMENT ON COLUMN spm.capacity_cohort.capacity_role_id IS 'Role.';
COMMENT ON COLUMN spm.capacity_cohort.start_month IS 'First day of the month of their start. Before the first of the plan: they are there, and none of them has left until then.';
COMMENT ON COLUMN spm.capacity_cohort.heads IS 'How many.';

CREATE TABLE spm.capacity_target (
    capacity_role_id int NOT NULL REFERENCES spm.capacity_role ON DELETE CASCADE,
    month date NOT NULL CHECK (isfinite(month) AND extract(day FROM month) = 1),
    amount numeric NOT NULL CHECK (amount >= 0 AND amount < 'Infinity'),
    PRIMARY KEY (capacity_role_id, month)
);
COMMENT ON TABLE spm.capacity_target IS 'What a role is to bring in a month.';
COMMENT ON COLUMN spm.capacity_target.capacity_role_id IS 'Role.';
COMMENT ON COLUMN spm.capacity_target.month IS 'First day of the month.';
COMMENT ON COLUMN spm.capacity_target.amount IS 'Amount, in the unit of productivity.';

CREATE TABLE spm.capacity_workload (
    capacity_workload_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    capacity_role_id int NOT NULL REFERENCES spm.capacity_role ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> ''),
    accounts numeric CHECK (accounts >= 0 AND accounts < 'Infinity'),
    segment_id int REFERENCES spm.segment,
    visits numeric NOT NULL CHECK (visits >= 0 AND visits < 'Infinity'),
    hours numeric NOT NULL CHECK (hours >= 0 AND hours < 'Infinity'),
    other_hours numeric NOT NULL DEFAULT 0 CHECK (other_hours >= 0 AND other_hours < 'Infinity'),
    UNIQUE (capacity_role_id, name),
    CONSTRAINT capacity_workload_accounts CHECK (num_nonnulls(accounts, segment_id) = 1)
);
CREATE INDEX capacity_workload_segment ON spm.capacity_workload (segment_id);
COMMENT ON TABLE spm.capacity_workload IS 'Work that accounts make: how many, how often they are visited, how long a visit takes.';
COMMENT ON COLUMN spm.capacity_workload.capacity_workload_id IS 'Key.';
COMMENT ON COLUMN spm.capacity_workload.capacity_role_id IS 'Role that does it.';
COMMENT ON COLUMN spm.capacity_workload.name IS 'Name, unique in its role: a segment, a region.';
COMMENT ON COLUMN spm.capacity_workload.accounts IS 'Number of accounts. NULL: those of the segment.';
COMMENT ON COLUMN spm.capacity_workload.segment_id IS 'Segment whose accounts are counted. NULL: their number is given.';
COMMENT ON COLUMN spm.capacity_workload.visits IS 'Visits of one account in a month.';
COMMENT ON COLUMN spm.capacity_workload.hours IS 'Hours of a visit.';
COMMENT ON COLUMN spm.capacity_workload.other_hours IS 'Hours besides each visit: preparation, travel.';

SELECT pg_catalog.pg_extension_config_dump('spm.capacity_plan', '');
SELECT pg_catalog.pg_extension_config_dump('spm.capacity_plan_capacity_plan_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.capacity_role', '');
SELECT pg_catalog.pg_extension_config_dump('spm.capacity_role_capacity_role_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.capacity_cohort', '');
SELECT pg_catalog.pg_extension_config_dump('spm.capacity_target', '');
SELECT pg_catalog.pg_extension_config_dump('spm.capacity_workload', '');
SELECT pg_catalog.pg_extension_config_dump('spm.capacity_workload_capacity_workload_id_seq', '');
