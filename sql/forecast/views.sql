/*
 * forecast/views.sql: what people read about forecasts of series.
 */

CREATE OR REPLACE VIEW spm.forecast_method WITH (security_invoker = true) AS
SELECT m.method, m.about FROM spm.forecast_methods() AS m;
COMMENT ON VIEW spm.forecast_method IS 'Methods of forecasting that spm.forecast() knows by name.';
COMMENT ON COLUMN spm.forecast_method.method IS 'Name, as spm.forecast() takes it.';
COMMENT ON COLUMN spm.forecast_method.about IS 'What it is.';
