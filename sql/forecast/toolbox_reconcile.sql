/*
 * forecast/toolbox_reconcile.sql: forecasts of a tree that add up, for anybody's tables.
 */

CREATE OR REPLACE FUNCTION spm._reconcile_combine(internal, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_reconcile_combine';
REVOKE ALL ON FUNCTION spm._reconcile_combine(internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._reconcile_combine(internal, internal) IS 'Combine function of spm.reconcile.';

CREATE OR REPLACE FUNCTION spm._reconcile_serialize(internal)
    RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_reconcile_serialize';
REVOKE ALL ON FUNCTION spm._reconcile_serialize(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._reconcile_serialize(internal) IS 'Serialization of spm.reconcile.';

CREATE OR REPLACE FUNCTION spm._reconcile_deserialize(bytea, internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_reconcile_deserialize';
REVOKE ALL ON FUNCTION spm._reconcile_deserialize(bytea, internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._reconcile_deserialize(bytea, internal) IS 'Deserialization of spm.reconcile.';

CREATE OR REPLACE FUNCTION spm._reconcile_final(internal)
    RETURNS spm.reconciled[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
    AS 'MODULE_PATHNAME', 'spm_reconcile_final';
REVOKE ALL ON FUNCTION spm._reconcile_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._reconcile_final(internal) IS 'Final function of spm.reconcile.';

CREATE OR REPLACE FUNCTION spm._reconcile_add(internal, text, text, spm.forecast_path)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_reconcile_add';
REVOKE ALL ON FUNCTION spm._reconcile_add(internal, text, text, spm.forecast_path) FROM PUBLIC;
COMMENT ON FUNCTION spm._reconcile_add(internal, text, text, spm.forecast_path) IS 'State function of spm.reconcile.';

CREATE OR REPLACE AGGREGATE spm.reconcile(node text, parent text, forecast spm.forecast_path) (
    SFUNC = spm._reconcile_add, STYPE = internal, SSPACE = 65536,
    FINALFUNC = spm._reconcile_final, COMBINEFUNC = spm._reconcile_combine,
    SERIALFUNC = spm._reconcile_serialize, DESERIALFUNC = spm._reconcile_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.reconcile(text, text, spm.forecast_path) IS
'Forecasts of a tree of series, changed so that they add up: of those that add up, the ones that are nearest to the forecasts given, each measured by how far it can be believed. Rows, from the top down: SELECT r.* FROM (SELECT spm.reconcile(node, parent, path) AS tree FROM base) t, unnest(t.tree) r. Children add up to their parent to the last bit, in any order. Limits move with the mean and, without errors of the past, keep their width. A node without a forecast (NULL, or a parent that no row is for) becomes the sum of what is below it, or, having nothing below, what is left of the node above. Without errors of the past, a node is believed by the number of leaves below it (weighted least squares; Athanasopoulos, Hyndman, Kourentzes and Petropoulos 2017). NULL for no rows; neither the order of rows nor the number of workers changes a digit.
Arguments: node (its name), parent (name of the node above; NULL: none), forecast (spm.forecast() of the node''s own series, the same periods for all).
Errors: 21000 a node that is there twice; 22023 a node that is above itself, forecasts of different length or for different periods, limits of different levels, a node whose forecast nothing tells, a number that is NaN, infinite or beyond 1e+30; 22004 a node without a name; 54000 a name of more than 8192 bytes.
Example: SELECT r.node, r.path FROM (SELECT spm.reconcile(n, p, spm.forecast(ARRAY[f], 1, method => ''naive'')) AS tree FROM (VALUES (''all'', NULL, 100), (''east'', ''all'', 40), (''west'', ''all'', 30)) t(n, p, f)) t, unnest(t.tree) r gives 85 for all, 47.5 for east, 37.5 for west.';

CREATE OR REPLACE FUNCTION spm._reconcile_add(internal, text, text, spm.forecast_path, double precision[])
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_reconcile_add';
REVOKE ALL ON FUNCTION spm._reconcile_add(internal, text, text, spm.forecast_path, double precision[]) FROM PUBLIC;
COMMENT ON FUNCTION spm._reconcile_add(internal, text, text, spm.forecast_path, double precision[]) IS 'State function of spm.reconcile.';

CREATE OR REPLACE AGGREGATE spm.reconcile(node text, parent text, forecast spm.forecast_path, past double precision[]) (
    SFUNC = spm._reconcile_add, STYPE = internal, SSPACE = 65536,
    FINALFUNC = spm._reconcile_final, COMBINEFUNC = spm._reconcile_combine,
    SERIALFUNC = spm._reconcile_serialize, DESERIALFUNC = spm._reconcile_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.reconcile(text, text, spm.forecast_path, double precision[]) IS
'The same, where errors of the past tell how far each node can be believed, and who errs together with whom (MinT: Wickramasuriya, Athanasopoulos and Hyndman 2019, with the covariance shrunk to its diagonal as much as Schaefer and Strimmer 2005 find best): of all sums of the forecasts given, those with the least expected error. Nodes that count by the hundred thousand are solved in a second.
past: errors of forecasts one period ahead, oldest first, the last of all nodes of one period: spm.forecast_errors(); NULL or NaN: not known; the latest 500 count. A node with fewer than two, a new seller, is believed as others are for the size of their forecast. Limits become narrower or wider by half of what these errors would have, had they been reconciled (by whichever method but top_down); a sum without a forecast gets limits made of those nearest below it and of how much those have erred together.
Errors: as without; 22023 no node has two errors.
Example: SELECT spm.reconcile(node, parent, spm.forecast(sold, 6, 12), spm.forecast_errors(sold, 12)) FROM monthly.';

CREATE OR REPLACE FUNCTION spm._reconcile_add(internal, text, text, spm.forecast_path, double precision[], text, boolean)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_reconcile_add';
REVOKE ALL ON FUNCTION spm._reconcile_add(internal, text, text, spm.forecast_path, double precision[], text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION spm._reconcile_add(internal, text, text, spm.forecast_path, double precision[], text, boolean) IS 'State function of spm.reconcile.';

CREATE OR REPLACE AGGREGATE spm.reconcile(node text, parent text, forecast spm.forecast_path, past double precision[], method text, positive boolean) (
    SFUNC = spm._reconcile_add, STYPE = internal, SSPACE = 65536,
    FINALFUNC = spm._reconcile_final, COMBINEFUNC = spm._reconcile_combine,
    SERIALFUNC = spm._reconcile_serialize, DESERIALFUNC = spm._reconcile_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.reconcile(text, text, spm.forecast_path, double precision[], text, boolean) IS
'The same by a method of your choice, and if need be without results below 0.
past: as above; for top_down what was sold in the past, by which the top is divided (NULL: divided as the nodes side by side forecast). method: mint (variance and correlation of past errors; the default where there are any), variance (without correlation), structure (the number of leaves below; the default else), ols (all alike), bottom_up (leaves are believed), top_down (the top is believed); NULL: the default. positive: leaves that would fall below 0 are held at 0, and the others reconciled again.
Errors: as without; 22023 an unknown method, or one that is not the same for all rows.
Example: SELECT spm.reconcile(node, parent, path, errors, ''mint'', true) FROM base.';

CREATE OR REPLACE FUNCTION spm._reconcile_add(internal, text, text, double precision[])
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_reconcile_add';
REVOKE ALL ON FUNCTION spm._reconcile_add(internal, text, text, double precision[]) FROM PUBLIC;
COMMENT ON FUNCTION spm._reconcile_add(internal, text, text, double precision[]) IS 'State function of spm.reconcile.';

CREATE OR REPLACE AGGREGATE spm.reconcile(node text, parent text, forecast double precision[]) (
    SFUNC = spm._reconcile_add, STYPE = internal, SSPACE = 65536,
    FINALFUNC = spm._reconcile_final, COMBINEFUNC = spm._reconcile_combine,
    SERIALFUNC = spm._reconcile_serialize, DESERIALFUNC = spm._reconcile_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.reconcile(text, text, double precision[]) IS
'The same for forecasts as arrays of what is expected of each period to come, without limits.
Example: SELECT (r.path).mean FROM (SELECT spm.reconcile(n, p, ARRAY[f]) AS tree FROM (VALUES (''all'', NULL, 100.0), (''east'', ''all'', 40), (''west'', ''all'', 30)) t(n, p, f)) t, unnest(t.tree) r gives {85}, {47.5}, {37.5}.';

CREATE OR REPLACE FUNCTION spm._reconcile_add(internal, text, text, double precision[], double precision[])
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_reconcile_add';
REVOKE ALL ON FUNCTION spm._reconcile_add(internal, text, text, double precision[], double precision[]) FROM PUBLIC;
COMMENT ON FUNCTION spm._reconcile_add(internal, text, text, double precision[], double precision[]) IS 'State function of spm.reconcile.';

CREATE OR REPLACE AGGREGATE spm.reconcile(node text, parent text, forecast double precision[], past double precision[]) (
    SFUNC = spm._reconcile_add, STYPE = internal, SSPACE = 65536,
    FINALFUNC = spm._reconcile_final, COMBINEFUNC = spm._reconcile_combine,
    SERIALFUNC = spm._reconcile_serialize, DESERIALFUNC = spm._reconcile_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.reconcile(text, text, double precision[], double precision[]) IS
'The same for forecasts as arrays, with errors of the past.';

CREATE OR REPLACE FUNCTION spm._reconcile_add(internal, text, text, double precision[], double precision[], text, boolean)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_reconcile_add';
REVOKE ALL ON FUNCTION spm._reconcile_add(internal, text, text, double precision[], double precision[], text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION spm._reconcile_add(internal, text, text, double precision[], double precision[], text, boolean) IS 'State function of spm.reconcile.';

CREATE OR REPLACE AGGREGATE spm.reconcile(node text, parent text, forecast double precision[], past double precision[], method text, positive boolean) (
    SFUNC = spm._reconcile_add, STYPE = internal, SSPACE = 65536,
    FINALFUNC = spm._reconcile_final, COMBINEFUNC = spm._reconcile_combine,
    SERIALFUNC = spm._reconcile_serialize, DESERIALFUNC = spm._reconcile_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spm.reconcile(text, text, double precision[], double precision[], text, boolean) IS
'The same for forecasts as arrays, by a method of your choice.';
