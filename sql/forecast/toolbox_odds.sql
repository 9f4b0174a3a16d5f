/*
 * forecast/toolbox_odds.sql: what deals with known odds may bring, for anybody's tables.
 */

CREATE OR REPLACE FUNCTION spm.poisson_binomial(odds double precision[])
    RETURNS double precision[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000
    AS 'MODULE_PATHNAME', 'spm_poisson_binomial';
COMMENT ON FUNCTION spm.poisson_binomial(double precision[]) IS
$$How many of some deals are won when they have nothing in common: element k + 1 is the probability that k are. Exact, in the square of their number.
Arguments: odds (probability of each deal, 0 to 1).
Errors: 22023 odds that are no probability; 22004 a null; 54000 more than 100,000 deals.
Source: the Poisson binomial distribution (Poisson 1837), deal after deal.
Example: SELECT spm.poisson_binomial('{0.5,0.5}') gives {0.25,0.5,0.25}.$$;

CREATE OR REPLACE FUNCTION spm.simulate_deals(odds double precision[], amounts double precision[], paths int DEFAULT 10000,
                                              seed bigint DEFAULT 1, shock double precision DEFAULT 0, goal double precision DEFAULT 0,
                                              OUT mean double precision, OUT sd double precision, OUT q05 double precision,
                                              OUT q10 double precision, OUT q25 double precision, OUT median double precision,
                                              OUT q75 double precision, OUT q90 double precision, OUT q95 double precision,
                                              OUT reached double precision, OUT shortfall double precision)
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000
    AS 'MODULE_PATHNAME', 'spm_simulate_deals';
COMMENT ON FUNCTION spm.simulate_deals(double precision[], double precision[], int, bigint, double precision, double precision) IS
$$What open deals may bring together, by drawing their future many times (Monte Carlo): mean and sd of the sum, what it stays below in 5, 10, 25, 50, 75, 90 and 95 of 100 futures (q05 to q95), reached (share of futures in which it reaches the goal), shortfall (what is missing to the goal, on average over all futures). The same arguments give the same answer.
Arguments: odds (probability that each deal is won), amounts (what it brings then), paths (futures, 100 to 1,000,000), seed, shock (how far the total goes up and down for reasons that all deals share: 0.15 is 15 %; each deal is still won as often as its odds say. 0: deals have nothing in common, which makes limits too narrow in most companies), goal.
Errors: 22023 odds that are no probability, amounts below 0, arrays of different length, paths or shock out of range; 22004 a null.
Example: SELECT mean, q10, q90, reached FROM spm.simulate_deals('{0.5,0.2}', '{1000,5000}', goal => 1000).$$;

CREATE OR REPLACE FUNCTION spm.deal_futures(odds double precision[], amounts double precision[], paths int DEFAULT 1000,
                                            seed bigint DEFAULT 1, shock double precision DEFAULT 0)
    RETURNS double precision[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000
    AS 'MODULE_PATHNAME', 'spm_deal_futures';
COMMENT ON FUNCTION spm.deal_futures(double precision[], double precision[], int, bigint, double precision) IS
$$The futures that spm.simulate_deals() draws, one by one: what the deals bring together in each. For what does not go by the sum alone, such as commission with an accelerator.
Arguments: as there.
Errors: as there.
Example: SELECT avg(spm.commission('0: 5%, 1000: 10%', f::numeric)) FROM unnest(spm.deal_futures('{0.5,0.2}', '{1000,5000}')) f.$$;

CREATE OR REPLACE FUNCTION spm._odds(deal int[], stage int[], segment int[], owner int[], entered date[], seen date[], "left" date[],
                                     event int[], amount double precision[], won_amount double precision[], as_of date, horizon int,
                                     "window" int, reviews int, paths int, seed bigint, shock double precision, parent int[],
                                     already double precision[], goal double precision[], other int[],
                                     date_deal int[], date_told date[], date date[])
    RETURNS TABLE (kind text, item int, numbers double precision[])
    LANGUAGE C STABLE PARALLEL SAFE ROWS 1000 COST 1000000
    AS 'MODULE_PATHNAME', 'spm_odds';
COMMENT ON FUNCTION spm._odds(int[], int[], int[], int[], date[], date[], date[], int[], double precision[], double precision[], date, int, int, int, int, bigint, double precision, int[], double precision[], double precision[], int[], int[], date[], date[]) IS
'Odds of open deals and what they bring with deals to come, from spells in arrays (src/forecast_odds.c says what the rows are). paths NULL: odds alone. shock NULL: as past forecasts turned out. other: the node beside its owner that what a deal brings is added to; NULL: none. date_deal, date_told, date: what the close date of a deal was from the end of a day on, in order of deals and days.';
REVOKE ALL ON FUNCTION spm._odds(int[], int[], int[], int[], date[], date[], date[], int[], double precision[], double precision[], date, int, int, int, int, bigint, double precision, int[], double precision[], double precision[], int[], int[], date[], date[]) FROM PUBLIC;
