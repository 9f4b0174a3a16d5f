/*
 * quota/toolbox_plan.sql: a number divided among many, down a tree and over a
 * season, without any set-up.
 */

CREATE OR REPLACE FUNCTION spm.quota_allocate(total numeric, weights numeric[], lowers numeric[] DEFAULT '{}', uppers numeric[] DEFAULT '{}',
                                              bases numeric[] DEFAULT '{}', unit numeric DEFAULT 0.01)
    RETURNS numeric[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_quota_allocate';
COMMENT ON FUNCTION spm.quota_allocate(numeric, numeric[], numeric[], numeric[], numeric[], numeric) IS
$$The total in parts that add up to it exactly and keep their bounds: part i is base + f x weight, but not below its lower nor above its upper bound, with the one factor f for all that makes the total. Without bases that is in proportion to the weights; who meets a bound leaves the rest to the others.
With bases (what everybody asked for) and weights (how unsure that is, as a variance) it is the least squares reconciliation of the bases with the total: of all parts that keep bounds and total, those with the smallest sum of (part - base)^2 / weight.
Computed exactly; rounded once, down, and the units that leaves go to those that lost most by it, on a tie to the earlier.
Arguments: total (a multiple of the unit), weights (not negative, any scale, 37 digits), lowers and uppers (money; NULL: 0 and none; rounded inward to units), bases (money; NULL: 0), unit (what parts are multiples of: 0.01, 1, 1000). '{}' is none for anybody.
Errors: 22023 the bounds leave no way, or nobody with a weight can take what is left, or the total is no multiple of the unit; 22004 a weight is null; 22003 more than 10^18 units.
Sources: K. M. Bretthauer and B. Shetty, The nonlinear knapsack problem (2002), with breakpoints after P. Brucker (1984); R. P. Byron, The estimation of large social account matrices (1978).
Example: SELECT spm.quota_allocate(100, '{1,1,2}', '{}', '{NULL,NULL,40}') gives {30.00,30.00,40.00}.$$;

CREATE OR REPLACE FUNCTION spm.quota_tree(parents int[], weights numeric[], total numeric, lowers numeric[] DEFAULT '{}', uppers numeric[] DEFAULT '{}',
                                          bases numeric[] DEFAULT '{}', over_assignments numeric[] DEFAULT '{}', unit numeric DEFAULT 0.01,
                                          names text[] DEFAULT '{}')
    RETURNS numeric[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_quota_tree';
COMMENT ON FUNCTION spm.quota_tree(int[], numeric[], numeric, numeric[], numeric[], numeric[], numeric[], numeric, text[]) IS
$$The total divided down a tree: among the tops, then what each has among the nodes below it, each time as by spm.quota_allocate(). One amount for each node. Every node is what the nodes directly below it add up to, divided by 1 + its over-assignment and rounded to the unit; without over-assignment that is the sum itself.
Bounds of all levels are kept at once: what the nodes below must or may have limits those above before anything is divided.
Arguments: parents (for each node the place of its parent among the nodes, from 1; NULL at the top), weights (NULL: the sum of those below), total, lowers, uppers (a node whose two bounds are equal is fixed), bases (NULL: the sum of those below), over_assignments (0.05: the nodes below get 5 % more than the node has; 0 to 1), unit, names (for messages). '{}' is none for anybody.
Errors: 22023 parents are no tree, bounds contradict each other (the message names the node and both sums), or nobody with a weight can take what is left; 22003 more than 10^18 units.
Example: SELECT spm.quota_tree('{NULL,1,1}', '{NULL,2,1}', 1000, over_assignments => '{0.1,0,0}') gives {1000.00,733.33,366.67}.$$;

CREATE OR REPLACE FUNCTION spm.quota_season(parents int[], amounts numeric[], shares numeric[], over_assignments numeric[] DEFAULT '{}',
                                            seasons int[] DEFAULT '{}', unit numeric DEFAULT 0.01, names text[] DEFAULT '{}')
    RETURNS numeric[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_quota_spread';
COMMENT ON FUNCTION spm.quota_season(int[], numeric[], numeric[], numeric[], int[], numeric, text[]) IS
$$The amounts of a tree divided over the parts of the time: an array of nodes by parts. At the bottom, what is due by the end of each part is rounded, so that no part is a unit off and all add up to the amount. Above, what is due by the end of a part is what is due below, divided by 1 + over-assignment and rounded: so months add up to quarters and years, and teams to regions.
Arguments: parents, over_assignments, unit, names as for spm.quota_tree(), amounts as it gives them; shares: of one season, in order, any scale ({1,1,2}), or an array of several seasons; seasons: for each node which of them, from 1 (what counts is that of the nodes at the bottom). '{}' is the first for everybody.
Errors: 22023 an amount is not what is below it, or a season has no share above 0; 22004 an amount or share is null.
Example: SELECT spm.quota_season('{NULL,1,1}', '{100,60,40}', '{1,1,1}') gives {{33.33,33.34,33.33},{20.00,20.00,20.00},{13.33,13.34,13.33}}.$$;
