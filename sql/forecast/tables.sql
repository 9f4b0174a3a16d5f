/*
 * forecast/tables.sql: forecasts of series that were kept, to be read and to be
 * held against what came.
 */

CREATE TABLE spm.forecast_series (
    forecast_series_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    series_key text NOT NULL DEFAULT '',
    as_of date NOT NULL CHECK (isfinite(as_of)),
    method text NOT NULL,
    level numeric NOT NULL CHECK (level > 0 AND level < 1),
    period timestamp[] NOT NULL,
    mean numeric[] NOT NULL,
    lower numeric[] NOT NULL,
    upper numeric[] NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    UNIQUE (name, series_key, as_of),
    CHECK (cardinality(period) > 0 AND cardinality(mean) = cardinality(period)
        AND cardinality(lower) = cardinality(period) AND cardinality(upper) = cardinality(period)),
    CHECK (array_position(period, NULL) IS NULL AND '-infinity' < ALL (period) AND 'infinity' > ALL (period)),
    -- neither NaN nor what numbers of BI cannot hold: one row would be an error for all readers
    CHECK (array_position(mean, NULL) IS NULL AND 1e30 >= ALL (mean || lower || upper) AND -1e30 <= ALL (mean || lower || upper))
);
COMMENT ON TABLE spm.forecast_series IS 'Forecasts that were kept, one row each: INSERT ... SELECT from spm.forecast(). Their periods as rows: spm_bi.forecast.';
COMMENT ON COLUMN spm.forecast_series.forecast_series_id IS 'Key.';
COMMENT ON COLUMN spm.forecast_series.name IS 'What is forecast: bookings by region.';
COMMENT ON COLUMN spm.forecast_series.series_key IS 'Which of the series: a region, a product. Empty: there is one.';
COMMENT ON COLUMN spm.forecast_series.as_of IS 'Day up to which things were known. The same series can be forecast on many days.';
COMMENT ON COLUMN spm.forecast_series.method IS 'Method or model that made it.';
COMMENT ON COLUMN spm.forecast_series.level IS 'Share of outcomes that lower to upper is to hold: 0.95.';
COMMENT ON COLUMN spm.forecast_series.period IS 'First moment of each period, on the clocks of the series.';
COMMENT ON COLUMN spm.forecast_series.mean IS 'What is expected, by period.';
COMMENT ON COLUMN spm.forecast_series.lower IS 'Lower limits. NULL: not known.';
COMMENT ON COLUMN spm.forecast_series.upper IS 'Upper limits. NULL: not known.';
COMMENT ON COLUMN spm.forecast_series.recorded_at IS 'When it was kept.';
COMMENT ON COLUMN spm.forecast_series.recorded_by IS 'Login that kept it.';
SELECT pg_catalog.pg_extension_config_dump('spm.forecast_series', '');
SELECT pg_catalog.pg_extension_config_dump('spm.forecast_series_forecast_series_id_seq', '');
