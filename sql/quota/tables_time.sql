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
