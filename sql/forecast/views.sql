/*
 * forecast/views.sql: what people read about forecasts of series.
 */

CREATE OR REPLACE VIEW spm_bi.forecast WITH (security_invoker = true) AS
SELECT s.forecast_series_id, s.name AS series_name, s.series_key, s.as_of, s.as_of = max(s.as_of) OVER (PARTITION BY s.name, s.series_key) AS is_latest,
    r.step::int AS step, r.period::date AS period_on, extract(hour FROM r.period)::int AS period_hour,
    r.mean::numeric(38,6) AS mean, r.lower::numeric(38,6) AS lower, r.upper::numeric(38,6) AS upper,
    s.level::numeric(9,6) AS level, s.method, s.recorded_at, s.recorded_by
FROM spm.forecast_series AS s
CROSS JOIN LATERAL ROWS FROM (unnest(s.period), unnest(s.mean), unnest(s.lower), unnest(s.upper)) WITH ORDINALITY AS r (period, mean, lower, upper, step);
COMMENT ON VIEW spm_bi.forecast IS 'One row per period of each forecast of a series that was kept.';
COMMENT ON COLUMN spm_bi.forecast.forecast_series_id IS 'Forecast.';
COMMENT ON COLUMN spm_bi.forecast.series_name IS 'What is forecast.';
COMMENT ON COLUMN spm_bi.forecast.series_key IS 'Which of the series; empty where there is one.';
COMMENT ON COLUMN spm_bi.forecast.as_of IS 'Day up to which things were known.';
COMMENT ON COLUMN spm_bi.forecast.is_latest IS 'Whether no later forecast of the series was kept.';
COMMENT ON COLUMN spm_bi.forecast.step IS 'How many periods ahead, from 1.';
COMMENT ON COLUMN spm_bi.forecast.period_on IS 'First day of the period.';
COMMENT ON COLUMN spm_bi.forecast.period_hour IS 'Hour of that day at which the period begins: 0 unless periods are hours.';
COMMENT ON COLUMN spm_bi.forecast.mean IS 'What is expected.';
COMMENT ON COLUMN spm_bi.forecast.lower IS 'Lower limit. NULL: not known.';
COMMENT ON COLUMN spm_bi.forecast.upper IS 'Upper limit. NULL: not known.';
COMMENT ON COLUMN spm_bi.forecast.level IS 'Share of outcomes that lower to upper is to hold.';
COMMENT ON COLUMN spm_bi.forecast.method IS 'Method or model that made it.';
COMMENT ON COLUMN spm_bi.forecast.recorded_at IS 'When it was kept.';
COMMENT ON COLUMN spm_bi.forecast.recorded_by IS 'Login that kept it.';
