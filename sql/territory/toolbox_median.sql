/*
 * territory/toolbox_median.sql: where seats should be, for anybody's tables.
 */

CREATE OR REPLACE FUNCTION spm.p_median(x double precision[], y double precision[], demands double precision[],
                                        capacities double precision[], seats int,
                                        moves bigint DEFAULT 0, seed bigint DEFAULT 1,
                                        OUT unit int, OUT seat int, OUT distance double precision)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1000 COST 1000000
    AS 'MODULE_PATHNAME', 'spm_p_median';
COMMENT ON FUNCTION spm.p_median(double precision[], double precision[], double precision[], double precision[], int, bigint, bigint) IS
$$Where seats should be (capacitated p-median): the units at which the seats are, and whose each unit is, so that no seat serves more than its capacity and the sum of straight distances is as small as simulated annealing over partitions finds it. A row for each unit: unit and seat are positions in the arrays, the seat that of the unit where it is. A seat serves its own unit; units are not divided. The same arguments give the same plan.
Arguments: x, y (places, of one plane: degrees are not), demands (what each unit takes of a seat), capacities (of a seat, were it at this unit; NULL: no seat can be here; infinity: no limit; one number: for all), seats (how many), moves (how long to search; 0: a number that grows with the units, some 15 million for 300), seed (another gives another search).
Errors: 22023 arrays of different length, a number that is negative or not finite, no units, seats that cannot serve all; 22004 a null; 54000 no plan within capacity was found.
Example: SELECT * FROM spm.p_median('{0,1,9,10}', '{0,0,0,0}', '{1,1,1,1}', '{2}', 2) puts units 1 and 2 to one seat, 3 and 4 to the other.$$;

CREATE OR REPLACE FUNCTION spm.p_median(distances double precision[], demands double precision[],
                                        capacities double precision[], seats int,
                                        moves bigint DEFAULT 0, seed bigint DEFAULT 1,
                                        OUT unit int, OUT seat int, OUT distance double precision)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1000 COST 1000000
    AS 'MODULE_PATHNAME', 'spm_p_median_matrix';
COMMENT ON FUNCTION spm.p_median(double precision[], double precision[], double precision[], int, bigint, bigint) IS
$$The same as spm.p_median(x, y, ...) for distances that are no straight lines: hours by road, cost of travel times visits.
Arguments: distances (distances[i][k]: what it costs that the seat at unit k serves unit i, 0 or more), the others as there.
Errors: 2202E distances are no square; the others as there.
Example: SELECT * FROM spm.p_median('{{0,1,9},{1,0,8},{9,8,0}}', '{1,1,1}', '{2}', 2) puts units 1 and 2 to one seat, 3 to the other.$$;

CREATE OR REPLACE FUNCTION spm.p_median_report(x double precision[], y double precision[], demands double precision[],
                                               capacities double precision[], seats int,
                                               moves bigint DEFAULT 0, seed bigint DEFAULT 1,
                                               OUT value double precision, OUT bound double precision,
                                               OUT gap double precision, OUT is_optimal boolean, OUT seat_of int[])
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000
    AS 'MODULE_PATHNAME', 'spm_p_median_report';
COMMENT ON FUNCTION spm.p_median_report(double precision[], double precision[], double precision[], double precision[], int, bigint, bigint) IS
$$The plan of spm.p_median with the same arguments, and how good it is: value (sum of distances), bound (what no plan can be below: Lagrangian relaxation with a knapsack for each seat; Mulvey and Beck 1984), gap ((value - bound) / bound, so 0.01: at most 1% too long; NULL for a bound of 0), is_optimal (value and bound meet), seat_of (the seat of each unit, as positions).
Arguments, errors: as of spm.p_median.
Example: SELECT value, is_optimal FROM spm.p_median_report('{0,1,9,10}', '{0,0,0,0}', '{1,1,1,1}', '{2}', 2) gives 2 and true.$$;

CREATE OR REPLACE FUNCTION spm.p_median_report(distances double precision[], demands double precision[],
                                               capacities double precision[], seats int,
                                               moves bigint DEFAULT 0, seed bigint DEFAULT 1,
                                               OUT value double precision, OUT bound double precision,
                                               OUT gap double precision, OUT is_optimal boolean, OUT seat_of int[])
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000
    AS 'MODULE_PATHNAME', 'spm_p_median_report_matrix';
COMMENT ON FUNCTION spm.p_median_report(double precision[], double precision[], double precision[], int, bigint, bigint) IS
$$The same as spm.p_median_report(x, y, ...) for distances that are no straight lines.
Arguments, errors: as of spm.p_median(distances, ...).
Example: SELECT value FROM spm.p_median_report('{{0,1,9},{1,0,8},{9,8,0}}', '{1,1,1}', '{2}', 2) gives 1.$$;
