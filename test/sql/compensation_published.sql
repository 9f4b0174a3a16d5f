-- Examples published by others, computed by the toolbox alone from their inputs; make oracle takes them through the pipeline.
\set QUIET 1
\set ECHO none
\pset format unaligned
\pset tuples_only true
\pset pager off
\set examples `cat "${SPM_DATA:-../shared/data}/oracle/examples.jsonl" 2>/dev/null`
SELECT :'examples' = '' AS absent \gset
\if :absent
\echo 1..0 # SKIP the published examples are not there: set SPM_DATA to the directory that holds oracle/examples.jsonl
\quit
\endif
BEGIN;
SELECT no_plan();

CREATE TEMP TABLE example AS
SELECT line->>'id' AS id, line->>'category' AS category, line->'inputs' AS i, line->'expected' AS e
FROM (SELECT line::jsonb AS line FROM string_to_table(:'examples', E'\n') AS line WHERE line <> '') x
WHERE line->>'category' IN ('flat_rate', 'marginal_tiers', 'slab_retroactive', 'interpolation', 'rounding',
                            'tax_brackets', 'split_credit', 'manager_override', 'zero_quota', 'accelerator_decelerator', 'threshold_cap_gate')
    -- these need more than what one total earns: a multiplier made of two, and deals that retire no quota
    AND line->>'id' NOT IN ('SLAB-CAT-3', 'SPLIT-OI-8');
CREATE TEMP TABLE answer (id text, options text, expected numeric[], got numeric[]);

-- All numbers of a value, in their order: a list, or one; null is one too.
CREATE FUNCTION pg_temp.numbers(v jsonb) RETURNS numeric[] LANGUAGE sql AS
$$ SELECT array_agg(x::numeric ORDER BY n)
   FROM jsonb_array_elements_text(CASE jsonb_typeof(v) WHEN 'array' THEN v ELSE jsonb_build_array(v) END) WITH ORDINALITY AS t (x, n) $$;

-- A published tier list [lower, upper or null, rate] as a rate schedule.
CREATE FUNCTION pg_temp.schedule(tiers jsonb, options text DEFAULT '') RETURNS spm.rate_schedule LANGUAGE sql AS
$$ SELECT (string_agg(format('%s..%s: %s', t->>0, t->>1, t->>2), ', ' ORDER BY n) || ' ' || options)::spm.rate_schedule
   FROM jsonb_array_elements(tiers) WITH ORDINALITY AS x (t, n) $$;

CREATE FUNCTION pg_temp.flat(rate text) RETURNS spm.rate_schedule LANGUAGE sql AS $$ SELECT ('0: ' || rate)::spm.rate_schedule $$;

-- What each of a list of amounts earns by itself.
CREATE FUNCTION pg_temp.each(schedule spm.rate_schedule, amounts numeric[]) RETURNS numeric[] LANGUAGE sql AS
$$ SELECT array_agg(spm.commission(schedule, x) ORDER BY n) FROM unnest(amounts) WITH ORDINALITY AS t (x, n) $$;

-- What each earns as the deals of one period, one after the other.
CREATE FUNCTION pg_temp.in_turn(schedule spm.rate_schedule, amounts numeric[]) RETURNS numeric[] LANGUAGE sql AS
$$ SELECT array_agg(d.commission ORDER BY d.n)
   FROM (SELECT spm.deal_commissions('2026-01-01', n, x, schedule) AS deals FROM unnest(amounts) WITH ORDINALITY AS t (x, n)) y,
        unnest(deals) WITH ORDINALITY AS d (deal_key, deal_date, amount, running_total, commission, n) $$;

/* --------------------------------------------------------------- flat rates */

INSERT INTO answer
SELECT id, 'rate in percent', pg_temp.numbers(e), ARRAY[spm.commission(pg_temp.flat((i->>'rate_percent') || '%'), (i->>'eligible_amount')::numeric)]
FROM example WHERE id LIKE 'FLAT-ERP-_';

INSERT INTO answer
SELECT id, 'plain rate', pg_temp.numbers(e), ARRAY[spm.commission(pg_temp.flat(i->>'rate'), coalesce(i->>'amount', i->>'team_sales')::numeric)]
FROM example WHERE id IN ('FLAT-CF-4', 'FLAT-CF-5', 'FLAT-MS-2', 'FLAT-TUNE-2', 'OVR-PRW-1', 'FLAT-PREZI-1');

-- What is sold is expense; of that what is not yet invoiced waits, what is invoiced is payable.
INSERT INTO answer
SELECT id, 'a deal that goes from invoiced to sold: what waits',
       array_agg((e->stage->>account)::numeric ORDER BY stage, account),
       array_agg(CASE account
           WHEN 'expense' THEN spm.commission(s, amount)
           WHEN 'waiting' THEN -spm.commission(s, invoiced, amount)
           WHEN 'payable' THEN -spm.commission(s, invoiced)
       END ORDER BY stage, account)
FROM example, pg_temp.flat(i->>'rate') AS s,
    LATERAL (SELECT (i->>'amount')::numeric AS amount) a,
    LATERAL (VALUES ('after_sale', 0), ('after_commission_invoice', amount)) AS t (stage, invoiced),
    unnest('{expense,waiting,payable}'::text[]) AS account
WHERE id = 'FLAT-TRY-3' GROUP BY id;

INSERT INTO answer
SELECT id, 'with_factor for the extra on the commission', pg_temp.numbers(e->'base') || pg_temp.numbers(e->'commission'),
       ARRAY[spm.commission(s, amount), spm.commission(spm.with_factor(s, 1 + (i->>'extra_percent')::numeric / 100), amount)]
FROM example, pg_temp.flat((i->>'rate_percent') || '%') AS s, LATERAL (SELECT (i->>'amount')::numeric AS amount) a
WHERE id = 'OCA-F-1';

INSERT INTO answer
SELECT id, 'with_factor 0 for what is free of commission', pg_temp.numbers(e),
       ARRAY[spm.commission(spm.with_factor(pg_temp.flat((i->>'rate_percent') || '%'), 1 - (i->>'commission_free')::boolean::int), (i->>'amount')::numeric)]
FROM example WHERE id = 'FLAT-OCA-2';

INSERT INTO answer
SELECT id, 'FILTER on the status of a deal', pg_temp.numbers(e->'base'),
       ARRAY[(SELECT spm.period_commission((d->>0)::numeric, '0: 100%') FILTER (WHERE d->>1 = 'won') FROM jsonb_array_elements(i->'deals') AS d)]
FROM example WHERE id = 'FLAT-GH-2';

/* ------------------------------------------------------------ marginal tiers */

INSERT INTO answer
SELECT id, 'marginal', pg_temp.numbers(e), pg_temp.each(pg_temp.schedule(i->'tiers'), pg_temp.numbers(i->'amounts'))
FROM example WHERE id IN ('MARG-GIST-1', 'MARG-MT-1', 'MARG-QAM-1', 'MARG-HF-1', 'MARG-SPG-1', 'TAX-BG-1');

INSERT INTO answer
SELECT id, 'marginal, every transaction from zero; attainment for the blended rate',
       pg_temp.numbers(e->'payout') || pg_temp.numbers(e->'blended_rate_percent') || pg_temp.numbers(e->'total'),
       payout || (SELECT array_agg(spm.attainment(p * 100, t, 3) ORDER BY n) FROM unnest(payout, transactions) WITH ORDINALITY AS x (p, t, n))
              || (SELECT sum(p) FROM unnest(payout) AS p)
FROM example, pg_temp.numbers(i->'transactions') AS transactions,
    pg_temp.each(pg_temp.schedule(i->'tiers'), transactions) AS payout
WHERE id = 'MARG-OF-1';

INSERT INTO answer
SELECT id, 'marginal; commission_slice for the parts', pg_temp.numbers(e->'blended_rate') || pg_temp.numbers(e->'parts'),
       spm.attainment(spm.commission(s, amount), amount)
       || (SELECT array_agg(spm.attainment(x.amount, example_amount.amount) ORDER BY tier_no) FROM spm.commission_slice(s, 0, example_amount.amount) AS x)
FROM example, pg_temp.schedule(i->'tiers') AS s, LATERAL (SELECT (i->>'amount')::numeric AS amount) AS example_amount
WHERE id = 'MARG-OF-2';

INSERT INTO answer
SELECT id, 'of quota, for_quota' || CASE i->>'boundary' WHEN 'lower' THEN ', edge lower' ELSE '' END || CASE (i->>'quota')::numeric WHEN 0 THEN ', zero quota top' ELSE '' END || '; deal_commissions',
       pg_temp.numbers(e),
       pg_temp.in_turn(spm.for_quota(pg_temp.schedule(i->'tiers_of_attainment', 'of quota' || CASE i->>'boundary' WHEN 'lower' THEN ' edge lower' ELSE '' END),
                                     (i->>'quota')::numeric),
                       pg_temp.numbers(i->'transactions'))
FROM example WHERE id IN ('MARG-OI-1', 'MARG-OI-4', 'MARG-OI-5');

INSERT INTO answer
SELECT id, 'of quota, for_quota', pg_temp.numbers(e),
       ARRAY[spm.commission(spm.for_quota(pg_temp.schedule(i->'attainment_tiers', 'of quota'), (i->>'quota')::numeric), (i->>'amount')::numeric)]
FROM example WHERE id = 'MARG-PRW-1';

INSERT INTO answer
SELECT id, 'marginal over years, with_factor for the salary', pg_temp.numbers(e),
       ARRAY[spm.commission(spm.with_factor(pg_temp.schedule(i->'tiers_years'), (i->>'base')::numeric), (i->>'years')::numeric)]
FROM example WHERE id = 'TAX-HR-1';

/* -------------------------------------------------- the whole at the rate reached */

INSERT INTO answer
SELECT id, 'whole', pg_temp.numbers(e), pg_temp.each(pg_temp.schedule(i->'bands', 'whole'), pg_temp.numbers(i->'amounts'))
FROM example WHERE id IN ('SLAB-CF-1', 'SLAB-PASTE-1');

INSERT INTO answer
SELECT id, 'whole; deal_commissions for the pay cycle', pg_temp.numbers(e), pg_temp.in_turn(pg_temp.schedule(i->'bands', 'whole'), pg_temp.numbers(i->'amounts'))
FROM example WHERE id = 'SLAB-MYT-1';

INSERT INTO answer
SELECT id, 'whole; rate_at', pg_temp.numbers(e->'rates'),
       (SELECT array_agg(spm.rate_at(pg_temp.schedule(i->'bands', 'whole'), x) ORDER BY n) FROM unnest(pg_temp.numbers(i->'amounts')) WITH ORDINALITY AS t (x, n))
FROM example WHERE id = 'SLAB-OF-1';

INSERT INTO answer
SELECT id, 'whole; rate_at of two schedules, added', pg_temp.numbers(e),
       (SELECT array_agg(spm.commission(pg_temp.flat((spm.rate_at(pg_temp.schedule(i->'individual_bands', 'whole'), x)
                                                      + spm.rate_at(pg_temp.schedule(i->'team_bands', 'whole'), (i->>'team_total')::numeric))::text), x) ORDER BY n)
        FROM unnest(pg_temp.numbers(i->'sales')) WITH ORDINALITY AS t (x, n))
FROM example WHERE id IN ('SLAB-ZAF-1', 'SLAB-ZAF-3');

-- The contrast takes the band of rate 0 as a threshold: once passed, all below it earns the first rate.
INSERT INTO answer
SELECT id, 'of quota, whole; for contrast marginal with base for what lies below the threshold; for_quota, with_factor for the base rate',
       pg_temp.numbers(e->'retroactive') || pg_temp.numbers(e->'marginal_reading_for_contrast'),
       ARRAY(SELECT spm.commission(spm.with_factor(spm.for_quota(s, (i->>'quota')::numeric), (i->>'base_rate')::numeric), (i->>'net_revenue')::numeric)
             FROM (VALUES (1, pg_temp.schedule(i->'bands', 'of quota whole')),
                          (2, (SELECT pg_temp.schedule(jsonb_agg(b ORDER BY n), 'of quota base ' || (array_agg(b->>2 ORDER BY n))[1])
                               FROM jsonb_array_elements(i->'bands') WITH ORDINALITY AS t (b, n) WHERE (b->>2)::numeric > 0))) AS readings (n, s)
             ORDER BY n)
FROM example WHERE id = 'SLAB-CAT-4';

INSERT INTO answer
SELECT id, 'whole, edge closed, outside zero; with_factor 0.01 for rates in percent', pg_temp.numbers(e),
       pg_temp.each(spm.with_factor(pg_temp.schedule(i->'sections', 'whole edge closed outside zero'), 0.01), pg_temp.numbers(i->'bases'))
FROM example WHERE id = 'OCA-SEC-1';

/* ------------------------------------------------------- accelerators, decelerators */

INSERT INTO answer
SELECT id, 'of quota, excess; for_quota, with_factor for the base rate',
       (SELECT array_agg(v::numeric ORDER BY k) FROM jsonb_each_text(e) AS t (k, v)),
       (SELECT array_agg(CASE k WHEN 'base' THEN spm.commission(s, least(revenue, quota))
                                WHEN 'overage' THEN spm.commission(s, least(revenue, quota), revenue)
                                WHEN 'total' THEN spm.commission(s, revenue) END ORDER BY k)
        FROM jsonb_object_keys(e) AS k)
FROM example, LATERAL (SELECT (i->>'revenue')::numeric AS revenue, (i->>'quota')::numeric AS quota) x,
    LATERAL (SELECT spm.with_factor(spm.for_quota(pg_temp.schedule(coalesce(i->'multiplier_tiers', '[[0, 1, 1], [1, null, 1]]'), 'of quota excess'), quota),
                                    (i->>'effective_rate')::numeric) AS s) y
WHERE id IN ('ACC-TH-2', 'ACC-TH-5', 'ACC-TH-6', 'ACC-TH-7', 'ACC-TH-8', 'ACC-TH-9');

INSERT INTO answer
SELECT id, 'excess; rate_at on the edges', pg_temp.numbers(e->'multiplier'),
       (SELECT array_agg(spm.rate_at(pg_temp.schedule(i->'multiplier_tiers', 'excess'), x) ORDER BY n)
        FROM unnest(pg_temp.numbers(i->'attainments')) WITH ORDINALITY AS t (x, n))
FROM example WHERE id = 'ACC-TH-11';

INSERT INTO answer
SELECT id, 'with_factor for the multiplier of the plan', pg_temp.numbers(e),
       (SELECT array_agg(spm.commission(spm.with_factor(pg_temp.flat(i->>'effective_rate'), m), (i->>'revenue')::numeric) ORDER BY n)
        FROM unnest(pg_temp.numbers(i->'base_rate_multiplier')) WITH ORDINALITY AS t (m, n))
FROM example WHERE id = 'ACC-TH-12';

INSERT INTO answer
SELECT id, 'of quota, marginal; for_quota', pg_temp.numbers(e),
       ARRAY[spm.commission(spm.for_quota(format('0: %s, 1: %s of quota', i->>'base_rate', i->>'above_rate')::spm.rate_schedule, (i->>'quota')::numeric), (i->>'amount')::numeric)]
FROM example WHERE id = 'ACC-GH-2';

INSERT INTO answer
SELECT id, 'a plain rate, and a schedule that starts at the quota, added', pg_temp.numbers(e),
       ARRAY[spm.commission(pg_temp.flat(i->>'flat_rate'), amount)
             + spm.commission(spm.with_factor(spm.for_quota(format('1: %s of quota', i->>'rate')::spm.rate_schedule, (i->>'quota')::numeric), (i->>'multiplier')::numeric), amount)]
FROM example, LATERAL (SELECT (i->>'amount')::numeric AS amount) a WHERE id = 'ACC-OI-3';

INSERT INTO answer
SELECT id, 'of quota, marginal; for_quota, with_factor for the target incentive, per quota',
       pg_temp.numbers(e->'with_accelerator') || pg_temp.numbers(e->'without'),
       ARRAY(SELECT spm.commission(spm.per(spm.with_factor(spm.for_quota(s, quota), (i->>'variable')::numeric), quota), (i->>'actual')::numeric)
             FROM (VALUES (1, pg_temp.schedule(i->'attainment_tiers', 'of quota')), (2, '0%: 1')) AS t (n, s) ORDER BY n)
FROM example, LATERAL (SELECT (i->>'quota')::numeric AS quota) q WHERE id = 'ACC-RM-1';

INSERT INTO answer
SELECT id, 'whole over attainment; with_factor for the target incentive', pg_temp.numbers(e),
       ARRAY[spm.commission(spm.with_factor(format('0: %s, %s: 1 whole', i->>'decelerator', i->>'decelerator_below')::spm.rate_schedule, (i->>'variable')::numeric),
                            (i->>'attainment')::numeric)]
FROM example WHERE id = 'ACC-RM-2';

/* ------------------------------------------------------------- thresholds and caps */

INSERT INTO answer
SELECT id, 'marginal, first tier at 0; for_quota; commission_slice', pg_temp.numbers(e->'slices') || pg_temp.numbers(e->'total'),
       (SELECT array_agg(x.amount ORDER BY tier_no) || sum(x.amount)
        FROM spm.commission_slice(spm.for_quota(pg_temp.schedule(i->'attainment_tiers', 'of quota'), (i->>'quota')::numeric), 0, (i->>'sales')::numeric) AS x)
FROM example WHERE id = 'ACC-PRW-1';

INSERT INTO answer
SELECT id, 'a schedule that starts at the threshold: marginal; whole', pg_temp.numbers(e->'above_threshold_only') || pg_temp.numbers(e->'first_dollar'),
       ARRAY(SELECT spm.commission(format('%s: %s %s', i->>'threshold', i->>'rate', method)::spm.rate_schedule, (i->>'team')::numeric)
             FROM unnest('{marginal,whole}'::text[]) WITH ORDINALITY AS t (method, n) ORDER BY n)
FROM example WHERE id = 'GATE-PRW-1';

INSERT INTO answer
SELECT id, 'of quota, whole, from the gate on; for_quota', pg_temp.numbers(e),
       pg_temp.each(spm.for_quota(format('%s: %s whole of quota', i->>'gate', i->>'rate')::spm.rate_schedule, (i->>'quota')::numeric), pg_temp.numbers(i->'amounts'))
FROM example WHERE id = 'GATE-OI-1';

INSERT INTO answer
SELECT id, 'whole, outside zero', pg_temp.numbers(e),
       ARRAY[spm.commission(format('0..%s: %s whole outside zero', i->>'max_amount', i->>'rate')::spm.rate_schedule, (i->>'amount')::numeric)]
FROM example WHERE id = 'FLAT-CF-9';

INSERT INTO answer
SELECT id, 'with_limits for the cap', pg_temp.numbers(e->'uncapped') || pg_temp.numbers(e->'paid'),
       ARRAY[spm.commission(s, amount), spm.commission(spm.with_limits(s, (i->>'cap')::numeric, NULL), amount)]
FROM example, pg_temp.flat(i->>'rate') AS s, LATERAL (SELECT (i->>'amount')::numeric AS amount) a WHERE id IN ('CAP-SPG-1', 'CAP-AUTO-1');

INSERT INTO answer
SELECT id, 'of quota, whole; with_limits for a cap from a schedule of its own, edge lower, times salary',
       (SELECT array_agg(v::numeric ORDER BY n, k) FROM jsonb_array_elements(e) WITH ORDINALITY AS t (l, n), jsonb_array_elements_text(l) WITH ORDINALITY AS u (v, k)),
       (SELECT array_agg(v ORDER BY n, k)
        FROM jsonb_array_elements(i->'cases') WITH ORDINALITY AS t (x, n),
            LATERAL (SELECT (x->>0)::numeric AS revenue, (x->>1)::numeric AS quota, (x->>2)::numeric AS salary) y,
            LATERAL (SELECT spm.with_factor(spm.for_quota(pg_temp.schedule(i->'bands', 'of quota whole'), quota), (i->>'base_rate')::numeric) AS s,
                            salary * spm.rate_at(spm.for_quota(format('0: %s, 2: %s of quota edge lower', i->>'cap_of_salary', i->>'cap_of_salary_above_200pct')::spm.rate_schedule, quota), revenue) AS cap) z,
            unnest(ARRAY[spm.commission(s, revenue), cap, spm.commission(spm.with_limits(s, cap, NULL), revenue)]) WITH ORDINALITY AS u (v, k))
FROM example WHERE id = 'CAP-CAT-1';

INSERT INTO answer
SELECT id, 'each deal at 100 %, with a cap; attainment', pg_temp.numbers(e),
       (SELECT array_agg(spm.attainment((p->>0)::numeric * spm.commission(('0: 1 cap ' || (i->>'deal_credit_cap'))::spm.rate_schedule, (i->>'deal')::numeric),
                                        (p->>1)::numeric * (i->>'target_per_month')::numeric) ORDER BY n)
        FROM jsonb_array_elements(i->'periods') WITH ORDINALITY AS t (p, n))
FROM example WHERE id = 'CAP-CENT-1';

/* ------------------------------------------------------------- between the tiers */

INSERT INTO answer
SELECT id, 'weighted; rate_at', pg_temp.numbers(e->'rate') || pg_temp.numbers(e->'parts'),
       spm.rate_at(s, amount)
       || (SELECT array_agg(spm.rate_at(s, least(amount, tier_to)) - spm.rate_at(s, tier_from) ORDER BY tier_no) FROM spm.tier(s))
FROM example, pg_temp.schedule(i->'tiers_with_rate', 'weighted') AS s, LATERAL (SELECT (i->>'amount')::numeric AS amount) a
WHERE id = 'INTERP-OF-2';

INSERT INTO answer
SELECT id, 'interpolated; rate_at to 4 places', pg_temp.numbers(e->'value'),
       ARRAY[spm.rate_at((SELECT string_agg(format('%s: %s', p->>0, p->>1), ', ' ORDER BY n) || ' interpolated'
                          FROM jsonb_array_elements(i->'points') WITH ORDINALITY AS t (p, n))::spm.rate_schedule, (i->>'x')::numeric, 4)]
FROM example WHERE id = 'INTERP-SAP-1';

INSERT INTO answer
SELECT id, 'marginal over attainment, cap; with_factor for the target bonus', pg_temp.numbers(e),
       ARRAY[spm.commission(spm.with_factor(format('0: 1, 1: %s cap %s', i->>'slope_above', target * (i->>'cap_percent')::numeric / 100)::spm.rate_schedule, target),
                            (i->>'attainment')::numeric)]
FROM example, LATERAL (SELECT (i->>'target_bonus')::numeric AS target) t WHERE id = 'INTERP-BP-2';

/* ---------------------------------------------------------------------- rounding */

INSERT INTO answer
SELECT id, 'rounded, ' || coalesce(i->>'mode', 'half_up'), pg_temp.numbers(e), ARRAY[spm.rounded((i->>'value')::numeric, (i->>'places')::int, coalesce(i->>'mode', 'half_up'))]
FROM example WHERE id LIKE 'ROUND-OI-%' OR id = 'ROUND-ESPO-1';

INSERT INTO answer
SELECT id, 'with_factor: rounded once; two calls: twice', pg_temp.numbers(e->'single_rounding') || pg_temp.numbers(e->'if_rounded_after_base'),
       ARRAY[spm.commission(spm.with_factor(s, (i->>'multiplier')::numeric), revenue), spm.commission(pg_temp.flat(i->>'multiplier'), spm.commission(s, revenue))]
FROM example, pg_temp.flat(i->>'base_rate') AS s, LATERAL (SELECT (i->>'net_revenue')::numeric AS revenue) r WHERE id = 'ROUND-CAT-1';

INSERT INTO answer
SELECT id, 'with_factor: rounded once', pg_temp.numbers(e),
       (SELECT array_agg(spm.commission(spm.with_factor(pg_temp.flat(i->>'base_rate'), m), (i->>'net_revenue')::numeric) ORDER BY n)
        FROM unnest(pg_temp.numbers(i->'multipliers')) WITH ORDINALITY AS t (m, n))
FROM example WHERE id = 'ROUND-CAT-2';

/* ------------------------------------------------------------------------ splits */

INSERT INTO answer
SELECT id, 'split, then what each part earns', pg_temp.numbers(e), pg_temp.each(pg_temp.flat(i->>'rate'), spm.split((i->>'amount')::numeric, pg_temp.numbers(i->'shares')))
FROM example WHERE id IN ('SPLIT-CARV-1', 'SPLIT-PRW-3', 'SPLIT-OI-1');

INSERT INTO answer
SELECT id, 'split; of quota, for_quota', pg_temp.numbers(e),
       pg_temp.each(spm.for_quota(pg_temp.schedule(i->'tiers_of_attainment', 'of quota'), (i->>'quota_each')::numeric),
                    spm.split((i->>'amount')::numeric, pg_temp.numbers(i->'shares')))
FROM example WHERE id = 'SPLIT-OI-3';

INSERT INTO answer
SELECT id, 'split', pg_temp.numbers(e), spm.split((i->>'quota_credit')::numeric, pg_temp.numbers(i->'shares'))
FROM example WHERE id = 'SPLIT-OI-7';

INSERT INTO answer
SELECT id, 'split', pg_temp.numbers(e),
       (SELECT array_agg((spm.split(x, ARRAY[share, 1 - share]))[1] ORDER BY n) FROM unnest(pg_temp.numbers(i->'amounts')) WITH ORDINALITY AS t (x, n))
FROM example, LATERAL (SELECT (i->>'share')::numeric AS share) s WHERE id = 'SPLIT-RPM-1';

INSERT INTO answer
SELECT id, 'split, then cap each part; attainment', pg_temp.numbers(e->'owner') || pg_temp.numbers(e->'partner'),
       (SELECT array_agg(spm.attainment(spm.commission(s, parts[1]), target) ORDER BY n) || array_agg(spm.attainment(spm.commission(s, parts[2]), target) ORDER BY n)
        FROM unnest(pg_temp.numbers(i->'partner_percent')) WITH ORDINALITY AS t (p, n),
             spm.split((i->>'deal')::numeric, ARRAY[100 - p, p]) AS parts,
             pg_temp.flat('100% cap ' || (i->>'cap')) AS s)
FROM example, LATERAL (SELECT (i->>'target')::numeric AS target) t WHERE id = 'CAP-CENT-2';

INSERT INTO answer
SELECT id, 'each agent earns the full rate; a deal from 0 to the down payment, and from there',
       pg_temp.numbers(e->'all_agents') || pg_temp.numbers(e->'one_agent') || pg_temp.numbers(e->'down_payment') || pg_temp.numbers(e->'final_invoice'),
       ARRAY[(SELECT sum(spm.commission(s, x)) FROM unnest(lines) AS x, generate_series(1, (i->>'agents_per_line')::int)),
             spm.commission(s, total), spm.commission(s, 0, parts[1]), spm.commission(s, parts[1], total)]
FROM example, pg_temp.flat((i->>'rate_percent') || '%') AS s, pg_temp.numbers(i->'lines') AS lines,
    LATERAL (SELECT sum(x) AS total FROM unnest(lines) AS x) t,
    LATERAL (SELECT (i->>'down_payment_percent')::numeric AS percent) p,
    spm.split(total, ARRAY[percent, 100 - percent]) AS parts
WHERE id = 'OCA-A-1';

INSERT INTO answer
SELECT id, 'attainment on a quota of 0 is NULL', pg_temp.numbers(e), ARRAY[spm.attainment((i->>'amount')::numeric, (i->>'quota')::numeric)]
FROM example WHERE id = 'ZERO-OI-2';

SELECT is(got, expected, format('%s: %s', id, options)) FROM answer ORDER BY id COLLATE "C";
SELECT results_eq('SELECT id FROM answer ORDER BY id', 'SELECT id FROM example ORDER BY id', 'every example has been computed, once');
SELECT cmp_ok(count(*), '>=', 76::bigint, 'there are at least 76') FROM example;

SELECT * FROM finish();
ROLLBACK;
