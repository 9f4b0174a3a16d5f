/*
 * forecast/types.sql: what a forecast of a series is.
 */

CREATE TYPE spm.forecast_path AS (
    method text,
    level double precision,
    period timestamp[],
    mean double precision[],
    lower double precision[],
    upper double precision[]
);
COMMENT ON TYPE spm.forecast_path IS 'A forecast: one element per period to come. Rows of it: spm.forecast_rows().';
COMMENT ON COLUMN spm.forecast_path.method IS 'Method or model that made it.';
COMMENT ON COLUMN spm.forecast_path.level IS 'Share of outcomes that lower to upper is to hold: 0.95.';
COMMENT ON COLUMN spm.forecast_path.period IS 'First moment of each period. NULL: the series came without dates.';
COMMENT ON COLUMN spm.forecast_path.mean IS 'What is expected.';
COMMENT ON COLUMN spm.forecast_path.lower IS 'Lower limit.';
COMMENT ON COLUMN spm.forecast_path.upper IS 'Upper limit.';
