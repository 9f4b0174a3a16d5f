/*
 * territory/tables_segment.sql: how accounts are scored and banded, and which
 * segment each was in when.
 */

CREATE TABLE spm.segmentation (
    segmentation_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    key_column text NOT NULL,
    bands text NOT NULL CHECK (bands IN ('floors', 'count', 'sum', 'natural')),
    limits numeric[],
    margin numeric NOT NULL DEFAULT 0 CHECK (margin >= 0 AND margin < 'Infinity'),
    CONSTRAINT segmentation_limits CHECK ((bands = 'natural') = (limits IS NULL))
);
COMMENT ON TABLE spm.segmentation IS 'A way to score the rows of a relation and to divide them into segments.';
COMMENT ON COLUMN spm.segmentation.segmentation_id IS 'Key.';
COMMENT ON COLUMN spm.segmentation.name IS 'Name, unique.';
COMMENT ON COLUMN spm.segmentation.relation_schema IS 'Schema of the relation that is scored.';
COMMENT ON COLUMN spm.segmentation.relation_name IS 'Table or view with one row per account.';
COMMENT ON COLUMN spm.segmentation.key_column IS 'Column with the account''s key.';
COMMENT ON COLUMN spm.segmentation.bands IS 'What limits are: floors (of the score), count (share of the accounts), sum (share of the sum of scores: ABC); natural: there are none, scores that are close stay together.';
COMMENT ON COLUMN spm.segmentation.limits IS 'One less than segments. floors: lowest score of each segment but the last, descending; count and sum: share of all that the segment and those above it have, ascending, 0 to 1.';
COMMENT ON COLUMN spm.segmentation.margin IS 'By how much a score must pass a limit before an account that has a segment changes it; 0: at once.';

CREATE TABLE spm.segmentation_factor (
    segmentation_id int NOT NULL REFERENCES spm.segmentation ON DELETE CASCADE,
    column_name text NOT NULL CHECK (column_name <> ''),
    nth smallint NOT NULL CHECK (nth > 0),
    weight numeric NOT NULL DEFAULT 1 CHECK (weight > 0 AND weight < 'Infinity'),
    scale text NOT NULL DEFAULT 'percentile' CHECK (scale IN ('percentile', 'standard', 'value')),
    is_lower_better boolean NOT NULL DEFAULT false,
    PRIMARY KEY (segmentation_id, column_name),
    UNIQUE (segmentation_id, nth)
);
COMMENT ON TABLE spm.segmentation_factor IS 'What a score is made of: the weighted mean of its factors.';
COMMENT ON COLUMN spm.segmentation_factor.segmentation_id IS 'Segmentation.';
COMMENT ON COLUMN spm.segmentation_factor.column_name IS 'Column of the relation: a number, a boolean or a date.';
COMMENT ON COLUMN spm.segmentation_factor.nth IS 'Its place.';
COMMENT ON COLUMN spm.segmentation_factor.weight IS 'Weight, greater than 0.';
COMMENT ON COLUMN spm.segmentation_factor.scale IS 'percentile (0 to 100: share of accounts that have less, and half of those that have the same), standard (50, and 10 for each standard deviation from the mean) or value (as it is).';
COMMENT ON COLUMN spm.segmentation_factor.is_lower_better IS 'Whether less is better.';

CREATE TABLE spm.segment (
    segment_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    segmentation_id int NOT NULL REFERENCES spm.segmentation ON DELETE CASCADE,
    nth smallint NOT NULL CHECK (nth > 0),
    name text NOT NULL CHECK (name <> ''),
    UNIQUE (segmentation_id, nth),
    UNIQUE (segmentation_id, name)
);
COMMENT ON TABLE spm.segment IS 'A segment, best first.';
COMMENT ON COLUMN spm.segment.segment_id IS 'Key.';
COMMENT ON COLUMN spm.segment.segmentation_id IS 'Segmentation it is part of.';
COMMENT ON COLUMN spm.segment.nth IS 'Place: 1 is the best.';
COMMENT ON COLUMN spm.segment.name IS 'Name, unique in its segmentation.';

CREATE TABLE spm.segmentation_run (
    segmentation_run_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    segmentation_id int NOT NULL REFERENCES spm.segmentation ON DELETE CASCADE,
    as_of date NOT NULL CHECK (isfinite(as_of)),
    floors numeric[] NOT NULL,
    account_count bigint NOT NULL CHECK (account_count >= 0),
    change_count bigint NOT NULL CHECK (change_count >= 0),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user
);
CREATE INDEX segmentation_run_of ON spm.segmentation_run (segmentation_id);
COMMENT ON TABLE spm.segmentation_run IS 'When accounts were divided, and where the limits were.';
COMMENT ON COLUMN spm.segmentation_run.segmentation_run_id IS 'Key.';
COMMENT ON COLUMN spm.segmentation_run.segmentation_id IS 'Segmentation.';
COMMENT ON COLUMN spm.segmentation_run.as_of IS 'Day from which on the result holds.';
COMMENT ON COLUMN spm.segmentation_run.floors IS 'Lowest score of each segment, best first. NULL: no account scored for it.';
COMMENT ON COLUMN spm.segmentation_run.account_count IS 'Accounts with a score.';
COMMENT ON COLUMN spm.segmentation_run.change_count IS 'Accounts that came, went or changed their segment.';
COMMENT ON COLUMN spm.segmentation_run.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm.segmentation_run.recorded_by IS 'Login that recorded it.';

CREATE TABLE spm.segment_member (
    segment_member_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    segmentation_id int NOT NULL REFERENCES spm.segmentation,
    account_key text NOT NULL CHECK (account_key <> ''),
    segment_id int NOT NULL REFERENCES spm.segment,
    origin text NOT NULL CHECK (origin IN ('score', 'manual')),
    score numeric CHECK (score NOT IN ('NaN', 'Infinity', '-Infinity')),
    span daterange NOT NULL CHECK (NOT isempty(span)),
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    CONSTRAINT segment_member_score CHECK ((origin = 'score') = (score IS NOT NULL)),
    CONSTRAINT segment_member_overlap EXCLUDE USING gist (account_key WITH =, segmentation_id WITH =, span WITH &&)
);
CREATE INDEX segment_member_segment ON spm.segment_member (segment_id);
CREATE INDEX segment_member_segmentation ON spm.segment_member (segmentation_id);
COMMENT ON TABLE spm.segment_member IS 'Which segment an account was in when. Only what changes is written.';
COMMENT ON COLUMN spm.segment_member.segment_member_id IS 'Key.';
COMMENT ON COLUMN spm.segment_member.segmentation_id IS 'Segmentation.';
COMMENT ON COLUMN spm.segment_member.account_key IS 'Account.';
COMMENT ON COLUMN spm.segment_member.segment_id IS 'Segment.';
COMMENT ON COLUMN spm.segment_member.origin IS 'score, or manual: those are left alone.';
COMMENT ON COLUMN spm.segment_member.score IS 'Score that it came in with. NULL where it was put there by hand.';
COMMENT ON COLUMN spm.segment_member.span IS 'Days; end exclusive.';
COMMENT ON COLUMN spm.segment_member.reason IS 'Why, where somebody said so.';
COMMENT ON COLUMN spm.segment_member.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm.segment_member.recorded_by IS 'Login that recorded it.';

SELECT pg_catalog.pg_extension_config_dump('spm.segmentation', '');
SELECT pg_catalog.pg_extension_config_dump('spm.segmentation_segmentation_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.segmentation_factor', '');
SELECT pg_catalog.pg_extension_config_dump('spm.segment', '');
SELECT pg_catalog.pg_extension_config_dump('spm.segment_segment_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.segmentation_run', '');
SELECT pg_catalog.pg_extension_config_dump('spm.segmentation_run_segmentation_run_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.segment_member', '');
SELECT pg_catalog.pg_extension_config_dump('spm.segment_member_segment_member_id_seq', '');
