/*
 * quota/tables.sql: what is measured, and how much of it is expected.
 */

CREATE TABLE spm.measure (
    measure_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    unit text NOT NULL DEFAULT 'money' CHECK (unit IN ('money', 'count')),
    fallback_measure_id int,
    -- one that was there before: that keeps chains from closing
    CONSTRAINT measure_fallback CHECK (fallback_measure_id < measure_id)
);
-- No foreign key from a measure to its fallback: pg_dump would warn of it at every
-- backup.  The trigger guard_fallback keeps it.
COMMENT ON TABLE spm.measure IS 'What quotas are set in: bookings, margin, units.';
COMMENT ON COLUMN spm.measure.measure_id IS 'Key.';
COMMENT ON COLUMN spm.measure.name IS 'Name, unique.';
COMMENT ON COLUMN spm.measure.unit IS 'money (in the currency of the plan) or count.';
COMMENT ON COLUMN spm.measure.fallback_measure_id IS 'Measure whose quota counts where none is set in this one. NULL: none.';

CREATE TABLE spm.quota (
    quota_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position_id int REFERENCES spm.position,
    measure_id int NOT NULL REFERENCES spm.measure,
    period_id int NOT NULL REFERENCES spm.period,
    amount numeric NOT NULL CHECK (amount >= 0 AND amount < 'Infinity'),
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    superseded_at timestamptz,
    title_id int REFERENCES spm.title,
    CONSTRAINT quota_target CHECK (num_nonnulls(position_id, title_id) <= 1)
);
CREATE UNIQUE INDEX quota_current ON spm.quota (position_id, measure_id, period_id) WHERE superseded_at IS NULL;
CREATE UNIQUE INDEX quota_current_title ON spm.quota (title_id, measure_id, period_id) WHERE superseded_at IS NULL;
CREATE UNIQUE INDEX quota_current_everybody ON spm.quota (measure_id, period_id)
    WHERE superseded_at IS NULL AND position_id IS NULL AND title_id IS NULL;
CREATE INDEX quota_title ON spm.quota (title_id);
CREATE INDEX quota_position ON spm.quota (position_id);
CREATE INDEX quota_measure ON spm.quota (measure_id);
CREATE INDEX quota_period ON spm.quota (period_id);
COMMENT ON TABLE spm.quota IS 'Quota of a position, of all positions of a title, or of everybody, for a measure and period. That of the position goes before that of the title, and that before everybody''s. A change adds a row and ends the one before; nothing is overwritten.';
COMMENT ON COLUMN spm.quota.quota_id IS 'Key.';
COMMENT ON COLUMN spm.quota.position_id IS 'Position that carries it. NULL: it is for a title or everybody.';
COMMENT ON COLUMN spm.quota.measure_id IS 'What is measured.';
COMMENT ON COLUMN spm.quota.period_id IS 'Period in which it is to be reached.';
COMMENT ON COLUMN spm.quota.amount IS 'Quota, in the unit of the measure.';
COMMENT ON COLUMN spm.quota.reason IS 'Why it was set or changed.';
COMMENT ON COLUMN spm.quota.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm.quota.recorded_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm.quota.superseded_at IS 'When a later row took its place. NULL: it counts.';
COMMENT ON COLUMN spm.quota.title_id IS 'Title whose positions carry it; with no position and no title everybody does.';

SELECT pg_catalog.pg_extension_config_dump('spm.measure', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota', '');
SELECT pg_catalog.pg_extension_config_dump('spm.measure_measure_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.quota_quota_id_seq', '');
