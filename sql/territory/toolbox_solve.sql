/*
 * territory/toolbox_solve.sql: transport and assignment, for anybody's tables
 * of costs.
 */

CREATE OR REPLACE FUNCTION spm.transport(costs double precision[], supplies double precision[], capacities double precision[],
    minimums double precision[] DEFAULT '{}')
    RETURNS TABLE (unit int, seat int, amount double precision, cost double precision, unit_price double precision, seat_price double precision)
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1000 COST 1000
    AS 'MODULE_PATHNAME', 'spm_transport';
COMMENT ON FUNCTION spm.transport(double precision[], double precision[], double precision[], double precision[]) IS
'The cheapest way of giving units with a supply to seats with room: which amount of which unit goes to which seat. At most as many units are split as there are seats, less one.
costs: a row for each unit, a column for each seat, the cost of one unit of supply; NULL or infinity forbids the pair. supplies: of units. capacities: most that seats take; infinity is no limit. minimums: least that seats must get; empty: nothing.
Returns rows in the order of unit and seat, counted from 1: the amount, its cost (amount times cost), and prices that prove that nothing is cheaper: unit_price is the least cost + seat_price of any seat; a seat whose price is above 0 is full, one below 0 has its minimum; so sum(amount * unit_price) less the sum over all seats of price times capacity (or minimum) is sum(cost). seat_price is what a further unit of capacity would save.
Found exactly, by successive shortest paths between seats (Ahuja, Magnanti and Orlin, Network Flows, 1993, chapter 9); memory is 8 bytes for each cost, and 12 for each pair of seats.
Errors: 22004 for a NULL supply, 2202E for dimensions that do not agree, 22023 for NaN, negative or infinite supplies, and for what cannot be done: supplies above capacities or below minimums, a unit that may go nowhere, seats that the allowed pairs overfill or leave below their minimum, by number.
Example: SELECT * FROM spm.transport(''{{1,10},{5,1}}'', ''{5,4}'', ''{3,7}'') gives 3 of unit 1 to seat 1, 2 of it to seat 2 and unit 2 to seat 2, for 27 in all; room at seat 1 is worth 9.';

CREATE OR REPLACE FUNCTION spm.linear_assignment(costs double precision[])
    RETURNS TABLE (unit int, seat int, cost double precision)
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1000 COST 1000
    AS 'MODULE_PATHNAME', 'spm_linear_assignment';
COMMENT ON FUNCTION spm.linear_assignment(double precision[]) IS
'Each unit to a seat of its own at the least sum of costs: sellers to territories, for example. Where there are more units than seats, each seat gets a unit and the others have no row.
costs: a row for each unit, a column for each seat; NULL or infinity forbids the pair. Returns rows in the order of unit, counted from 1.
Found exactly, by shortest augmenting paths (Jonker and Volgenant, 1987); 2,000 by 2,000 take a fraction of a second.
Errors: 2202E for an array that has not two dimensions, 22023 for NaN, and where too few pairs are allowed.
Example: SELECT * FROM spm.linear_assignment(''{{4,1},{2,3}}'') gives unit 1 to seat 2 and unit 2 to seat 1, for 3 in all.';

CREATE OR REPLACE FUNCTION spm.generalized_assignment(costs double precision[], loads double precision[], capacities double precision[],
    moves bigint DEFAULT 0, seed bigint DEFAULT 1)
    RETURNS TABLE (job int, agent int, cost double precision, load double precision)
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1000 COST 1000
    AS 'MODULE_PATHNAME', 'spm_generalized_assignment';
COMMENT ON FUNCTION spm.generalized_assignment(double precision[], double precision[], double precision[], bigint, bigint) IS
'Whole jobs to agents within their capacities, at a low sum of costs, each pair with a cost and a load of its own: accounts to sellers, for example, where travel differs. spm.generalized_assignment_report() tells how good the plan is.
costs: a row for each job, a column for each agent; NULL or infinity forbids the pair. loads: the same for what a job takes of an agent''s capacity. capacities: of agents. moves: how many chains of shifts are tried; 0: 2 million, which take a few seconds. seed: of the random choices; the same input, moves and seed give the same plan.
Returns a row for each job, counted from 1, with its agent, and cost and load there.
Prices by a Lagrangian bound, raised with a knapsack for each agent where loads are whole; plans by annealing over ejection chains (after Yagiura, Ibaraki and Glover, INFORMS Journal on Computing 16, 2004). A plan at the bound is the best there is, and ends the search.
Errors: 2202E for dimensions that do not agree, 22004 for a NULL capacity, 22023 for NaN, negative numbers, a job that fits no agent, and jobs that are proven not to fit, 54000 where no plan within capacities was found.
Example: SELECT job, agent FROM spm.generalized_assignment(''{{1,5},{1,4}}'', ''{{6,6},{5,5}}'', ''{10,10}'') gives job 1 to agent 1, job 2 to agent 2.';

CREATE OR REPLACE FUNCTION spm.generalized_assignment_report(costs double precision[], loads double precision[], capacities double precision[],
    moves bigint DEFAULT 0, seed bigint DEFAULT 1,
    OUT value double precision, OUT bound double precision, OUT gap double precision, OUT is_optimal boolean, OUT agent_of int[], OUT load_price double precision[])
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'spm_generalized_assignment_report';
COMMENT ON FUNCTION spm.generalized_assignment_report(double precision[], double precision[], double precision[], bigint, bigint) IS
'The plan of spm.generalized_assignment() with the same arguments, and how good it is: value (sum of costs), bound (what no plan can be below; rounded up where all numbers are whole), gap ((value - bound) / bound, so 0.01: at most 1 % too dear; NULL for a bound of 0), is_optimal (value and bound meet), agent_of (the agent of each job), load_price (what a further unit of capacity of each agent would save in the bound).
Arguments, errors: as of spm.generalized_assignment().
Example: SELECT value, bound FROM spm.generalized_assignment_report(''{{1,5},{1,4}}'', ''{{6,6},{5,5}}'', ''{10,10}'') gives 5 and 5: one of the jobs has to go to the dearer agent whole.';
