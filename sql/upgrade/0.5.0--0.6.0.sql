/*
 * 0.5.0--0.6.0: forecasts of series and of the pipeline.
 */

-- include sql/forecast/types.sql
-- include sql/forecast/types_pipeline.sql
-- include sql/forecast/types_reconcile.sql
-- include sql/forecast/tables.sql
-- include sql/forecast/tables_pipeline.sql
-- include sql/forecast/tables_call.sql
-- include sql/forecast/tables_pipeline_odds.sql

-- it has one more argument, with a default
DROP FUNCTION spm._deal_query(int, daterange, boolean, boolean);
