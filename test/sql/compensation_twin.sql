-- The money functions against their twin, written anew from the definitions: 20,000 generated cases, equal to the last digit.
\set QUIET 1
\set ECHO none
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SET LOCAL client_min_messages = warning;
\i test/twin/compensation.sql
SELECT no_plan();

-- Each case: a schedule, perhaps in percent of a quota and with a factor, two totals, places and a rounding.
CREATE TEMP TABLE twin_case AS
SELECT i AS case_no, s AS written, quota, factor, places, rounding, absolute,
       twin.make_amount(i, 200, absolute) AS from_total, twin.make_amount(i, 210, absolute) AS to_total
FROM (
    SELECT *, twin.with_factor(CASE WHEN quota IS NULL THEN s ELSE twin.for_quota(s, quota) END, factor) AS absolute
    FROM (
        SELECT i, twin.make_schedule(i, i % 4 = 0) AS s,
               CASE WHEN i % 4 = 0 THEN twin.draw(i, 100, 10)::int::boolean::int * twin.draw(i, 101, 90000000) * 0.01 END AS quota,
               CASE WHEN i % 5 = 0 THEN twin.draw(i, 102, 300) * 0.01 ELSE 1 END AS factor,
               twin.pick(i, 103, '2', '2', '2', '2', '0', '4', '1', '-1', '6')::int AS places,
               twin.pick(i, 104, 'half_up', 'half_up', 'half_even', 'half_down', 'up', 'down', 'floor', 'ceil') AS rounding
        FROM generate_series(1, 20000) AS i OFFSET 0) x
    OFFSET 0) y;

CREATE TEMP TABLE twin_result AS
SELECT *, twin.commission(absolute, from_total, to_total, places, rounding) AS expected,
       twin.is_refused(absolute, from_total) OR twin.is_refused(absolute, to_total) AS is_refused
FROM (
    SELECT *, CASE WHEN quota IS NULL THEN plain ELSE spm.for_quota(plain, quota) END AS by_quota
    FROM (SELECT *, twin.schedule_text(written, case_no % 3 = 0, case_no % 7 < 4)::spm.rate_schedule AS plain FROM twin_case) x) y,
    LATERAL (SELECT CASE WHEN factor = 1 THEN by_quota ELSE spm.with_factor(by_quota, factor) END AS schedule) z;

-- The cases are worth something only if they differ.
SELECT is(count(*), 20000::bigint, 'there are 20,000 cases') FROM twin_result;
SELECT cmp_ok(min(n), '>', 250::bigint, 'every method meets every rounding more than 250 times')
FROM (SELECT count(*) AS n FROM twin_result GROUP BY (written).method, rounding) x;
SELECT cmp_ok(count(*), '>', 500::bigint, 'more than 500 refusals') FROM twin_result WHERE is_refused;
SELECT cmp_ok(count(*), '>', 300::bigint, 'more than 300 quotas of 0') FROM twin_result WHERE quota = 0;
SELECT cmp_ok(count(*), '>', 2000::bigint, 'more than 2,000 totals exactly on an edge')
FROM twin_result WHERE to_total = ANY ((absolute).floors || (absolute).ends);
SELECT cmp_ok(count(*), '>', 1000::bigint, 'more than 1,000 totals of 20 digits and more') FROM twin_result WHERE abs(to_total) > 1e20;
SELECT cmp_ok(count(*), '>', 1000::bigint, 'more than 1,000 totals with 12 decimals') FROM twin_result WHERE min_scale(to_total) > 10;
SELECT cmp_ok(count(*), '>', 2000::bigint, 'more than 2,000 negative totals') FROM twin_result WHERE to_total < 0;
SELECT cmp_ok(count(DISTINCT expected), '>', 11000::bigint, 'more than 11,000 different results') FROM twin_result;

SELECT is(count(*), 0::bigint, 'commission: every digit is that of the twin')
FROM twin_result
WHERE NOT is_refused
    AND spm.commission(schedule, from_total, to_total, places, rounding)::text <> expected::text;
SELECT is(count(*), 0::bigint, 'commission of one total: every digit is that of the twin')
FROM twin_result
WHERE NOT twin.is_refused(absolute, to_total)
    AND spm.commission(schedule, to_total)::text <> twin.commission(absolute, 0, to_total, 2, 'half_up')::text;
SELECT is(count(*), 0::bigint, 'an amount above the last end is refused where the twin refuses it')
FROM twin_result
WHERE is_refused
    AND twin.result_of(format('spm.commission(%L, %s, %s)', schedule, from_total, to_total)) <> '22003';
SELECT is(count(*), 0::bigint, 'rate_at: every digit is that of the twin')
FROM twin_result, twin.rate(absolute, to_total) AS r
WHERE NOT twin.is_refused(absolute, to_total)
    AND spm.rate_at(schedule, to_total, places + 4, rounding)::text <> twin.rounded(r.num, r.den, places + 4, rounding)::text;
SELECT is(count(*), 0::bigint, 'commission_slice: the amounts add up to the commission')
FROM twin_result
WHERE NOT is_refused
    AND (SELECT coalesce(sum(amount), 0) FROM spm.commission_slice(schedule, from_total, to_total, places, rounding)) <> expected;
SELECT is(count(*), 0::bigint, 'commission_slice: the bases add up to the amount of the deal')
FROM twin_result
WHERE NOT is_refused
    AND (SELECT coalesce(sum(base), 0) FROM spm.commission_slice(schedule, from_total, to_total, places, rounding)
         WHERE kind <> 'rerate') <> to_total - from_total;
SELECT is(count(*), 0::bigint, 'commission_slice: to 30 places each row of a marginal schedule is base times rate')
FROM twin_result, spm.commission_slice(schedule, from_total, to_total, 30, 'half_up') AS x
WHERE NOT is_refused AND (written).method = 'marginal' AND kind IN ('tier', 'base', 'outside')
    AND (written).divisor IS NULL AND amount <> base * rate;
SELECT is(count(*), 0::bigint, 'a schedule that is only to be had in numeric earns the same digits as in integers')
FROM twin_result, LATERAL (SELECT (schedule::text || ' ')::text AS t) x,
    LATERAL (SELECT spm.rate_schedule_in(regexp_replace(t, '( floor| outside| zero|$)',
        ' cap 1' || repeat('0', 50) || '\1')::cstring) AS wide) y
WHERE NOT is_refused AND (absolute).cap IS NULL
    AND (spm.commission(wide, from_total, to_total, places, rounding)::text <> expected::text
         OR pg_column_size(wide) <= pg_column_size(schedule));
SELECT is(count(*), 0::bigint, 'per: to 30 places all is earned but for the divisor, whoever divides')
FROM twin_result,
    LATERAL (SELECT twin.draw(case_no, 330, 100000) * 0.001 + 1 AS d) x,
    LATERAL (SELECT ROW((absolute).floors, (absolute).ends, (absolute).rates, (absolute).method, (absolute).edge, (absolute).base, (absolute).cap, (absolute).least,
                        (absolute).outside, (absolute).zero_quota, (absolute).is_percent, coalesce((absolute).divisor, 1) * d)::twin.schedule AS divided) y
WHERE NOT is_refused
    AND spm.commission(spm.per(schedule, d), from_total, to_total, 30, rounding)::text <> twin.commission(divided, from_total, to_total, 30, rounding)::text;
SELECT is(count(*), 0::bigint, 'with_limits: every digit is that of the twin')
FROM twin_result,
    LATERAL (SELECT CASE WHEN case_no % 3 > 0 THEN (twin.draw(case_no, 331, 100000) + 10000) * 0.01 END AS cap,
                    CASE WHEN case_no % 5 > 1 THEN (twin.draw(case_no, 332, 20000) - 10000) * 0.01 END AS minimum) x,
    LATERAL (SELECT twin.with_limits(absolute, cap, minimum) AS limited) y
WHERE NOT is_refused AND coalesce((limited).cap >= (limited).least, true)
    AND spm.commission(spm.with_limits(schedule, cap, minimum), from_total, to_total, places, rounding)::text
        <> twin.commission(limited, from_total, to_total, places, rounding)::text;
CREATE TEMP TABLE twin_scaled AS
SELECT *, twin.scaled(absolute, num, den, scaled_places) AS scaled
FROM (SELECT *, twin.draw(case_no, 333, 92) + 1 AS num, 92::numeric AS den, twin.pick(case_no, 334, '2', '2', '0', '-2', '12')::int AS scaled_places FROM twin_result) x;
SELECT cmp_ok(count(*), '>', 500::bigint, 'more than 500 schedules fall together when scaled') FROM twin_scaled WHERE scaled IS NULL;
SELECT is(count(*), 0::bigint, 'scaled: refused where two bounds of the twin fall together')
FROM twin_scaled WHERE scaled IS NULL AND twin.result_of(format('spm.scaled(%L, %s, %s, %s)', schedule, num, den, scaled_places)) <> '22023';
SELECT is(count(*), 0::bigint, 'scaled: the tiers, and every digit earned, are those of the twin')
FROM twin_scaled, LATERAL (SELECT spm.scaled(schedule, num, den, scaled_places) AS got OFFSET 0) x
WHERE scaled IS NOT NULL
    AND (ARRAY(SELECT ROW(trim_scale(tier_from), trim_scale(tier_to), rate) FROM spm.tier(got) ORDER BY tier_no)
            IS DISTINCT FROM ARRAY(SELECT ROW(trim_scale(f), trim_scale(e), r) FROM unnest((scaled).floors, (scaled).ends, (scaled).rates) WITH ORDINALITY AS t (f, e, r, i) ORDER BY i)
        OR NOT twin.is_refused(scaled, to_total)
           AND spm.commission(got, to_total)::text <> twin.commission(scaled, 0, to_total, 2, 'half_up')::text);

SELECT is(count(*), 0::bigint, 'a schedule written out is the schedule')
FROM twin_result WHERE schedule::text::spm.rate_schedule OPERATOR(spm.<>) schedule OR schedule::text::spm.rate_schedule::text <> schedule::text;
SELECT is(count(*), 0::bigint, 'tier: the rows are the tiers of the twin')
FROM twin_result
WHERE ARRAY(SELECT ROW(tier_from, tier_to, rate) FROM spm.tier(schedule) ORDER BY tier_no)
    IS DISTINCT FROM ARRAY(SELECT ROW(f, e, r) FROM unnest((absolute).floors, (absolute).ends, (absolute).rates) WITH ORDINALITY AS t (f, e, r, i) ORDER BY i);

SELECT is(count(*), 0::bigint, 'rounded: every digit is that of the twin')
FROM twin_result,
    LATERAL (SELECT twin.draw(case_no, 300, 2000001) * twin.pick(case_no, 301, '1', '-0.5', '0.005', '-0.0001', '5e20')::numeric AS value) v
WHERE spm.rounded(value, places, rounding)::text <> twin.rounded(value, 1, places, rounding)::text;

SELECT is(count(*), 0::bigint, 'split: every part is that of the twin, and the parts add up')
FROM (
    SELECT case_no, places, CASE WHEN case_no % 3 = 0 THEN -1 ELSE 1 END * twin.draw(case_no, 310, 10000000) * twin.unit(case_no) AS total,
           ARRAY(SELECT twin.draw(case_no, 320 + k, CASE WHEN case_no % 5 = 0 THEN 2 ELSE 1000 END) * 0.001
                 FROM generate_series(1, 1 + twin.draw(case_no, 311, 9)::int) AS k) || 0.25 AS shares
    FROM twin_result) x
WHERE spm.split(total, shares, places)::text <> twin.split(total, shares, places)::text
    OR (SELECT sum(p) FROM unnest(spm.split(total, shares, places)) AS p) <> total;

SELECT is(count(*), 0::bigint, 'attainment: every digit is that of the twin')
FROM twin_result WHERE quota > 0 AND spm.attainment(to_total, quota)::text <> twin.rounded(to_total, quota, 6, 'half_up')::text;

-- Aggregates: 600 periods of 40 deals, in an order that means nothing.
CREATE TEMP TABLE twin_period AS
SELECT case_no, s AS twin_schedule, twin.schedule_text(s, false, false)::spm.rate_schedule AS schedule, places, rounding
FROM (SELECT case_no, places, rounding,
             ROW((x).floors, (x).ends, (x).rates, (x).method, (x).edge, (x).base, (x).cap, (x).least, 'zero', 'top', false, (x).divisor)::twin.schedule AS s
      FROM (SELECT *, absolute AS x FROM twin_case WHERE quota IS NULL ORDER BY case_no LIMIT 600) y) z;
CREATE TEMP TABLE twin_deal AS
SELECT case_no, date '2026-01-01' + twin.draw(case_no * 100 + k, 400, 20)::int AS deal_date, twin.draw(case_no * 100 + k, 401, 30) - 5 AS deal_key,
       CASE WHEN twin.draw(case_no * 100 + k, 402, 12) = 0 THEN NULL
            ELSE round(twin.make_amount(case_no * 100 + k, 403, twin_schedule) / 8, twin.draw(case_no, 404, 4)::int + 10 * (case_no % 10 = 0)::int) END AS amount
FROM twin_period, generate_series(1, 40) AS k
ORDER BY hashint8extended(case_no * 100 + k, 405);

SELECT is(count(*), 0::bigint, 'period_commission: every digit is that of the twin')
FROM (
    SELECT p.case_no, spm.period_commission(d.amount, p.schedule, p.places, p.rounding)::text AS got,
           spm.period_commission(d.amount, p.schedule)::text AS got_cents, sum(d.amount) AS total
    FROM twin_period p JOIN twin_deal d USING (case_no) GROUP BY p.case_no) x
JOIN twin_period USING (case_no)
WHERE got <> twin.commission(twin_schedule, 0, total, places, rounding)::text
    OR got_cents <> twin.commission(twin_schedule, 0, total, 2, 'half_up')::text;

CREATE TEMP TABLE twin_expected AS
SELECT *, twin.commission(twin_schedule, running_total - amount, running_total, places, rounding) AS commission
FROM (
    SELECT case_no, deal_key, deal_date, round(amount, max(scale(amount)) OVER (PARTITION BY case_no)) AS amount,
           round(sum(amount) OVER (PARTITION BY case_no ORDER BY deal_date, deal_key, amount ROWS UNBOUNDED PRECEDING),
                 max(scale(amount)) OVER (PARTITION BY case_no)) AS running_total,
           row_number() OVER (PARTITION BY case_no ORDER BY deal_date, deal_key, amount) AS n
    FROM twin_deal WHERE amount IS NOT NULL) x
JOIN twin_period USING (case_no);
CREATE TEMP TABLE twin_got AS
SELECT case_no, t.*
FROM (SELECT case_no, spm.deal_commissions(deal_date, deal_key, amount, schedule, places, rounding) AS deals
      FROM twin_deal JOIN twin_period USING (case_no) GROUP BY case_no) x,
    unnest(deals) WITH ORDINALITY AS t (deal_key, deal_date, amount, running_total, commission, n);
SELECT is(count(*), 0::bigint, 'deal_commissions: every deal, in order, to the last digit, is that of the twin')
FROM twin_expected e FULL JOIN twin_got g USING (case_no, n)
WHERE (e.deal_key::text, e.deal_date, e.amount::text, e.running_total::text, e.commission::text)
    IS DISTINCT FROM (g.deal_key, g.deal_date, g.amount::text, g.running_total::text, g.commission::text);
SELECT cmp_ok(count(*), '>', 20000::bigint, 'that is more than 20,000 deals') FROM twin_got;
SELECT is(count(*), 0::bigint, 'the commissions of deals add up to that of their period')
FROM (SELECT case_no, sum(commission) AS deals FROM twin_got GROUP BY case_no) x
JOIN (SELECT case_no, spm.period_commission(amount, schedule, places, rounding) AS period
      FROM twin_deal JOIN twin_period USING (case_no) GROUP BY case_no) y USING (case_no)
WHERE deals <> period;
SELECT is(count(*), 0::bigint, 'any other order of arrival gives the same bytes')
FROM (SELECT case_no, spm.deal_commissions(deal_date, deal_key, amount, schedule, places, rounding ORDER BY deal_key, amount DESC) AS deals,
             spm.deal_commissions(deal_date, deal_key, amount, schedule, places, rounding) AS as_it_comes
      FROM twin_deal JOIN twin_period USING (case_no) GROUP BY case_no) x
WHERE deals::text <> as_it_comes::text;
SELECT is(count(*), 0::bigint, 'deals collected first and rated later earn the same')
FROM (SELECT case_no, places, rounding, schedule, spm.deals(deal_date, deal_key, amount) AS by_number, spm.deals(deal_date, deal_key::text, amount) AS by_text,
             spm.deal_commissions(deal_date, deal_key, amount, schedule, places, rounding) AS one,
             spm.deal_commissions(deal_date, deal_key::text, amount, schedule, places, rounding) AS two
      FROM twin_deal JOIN twin_period USING (case_no) GROUP BY case_no, places, rounding, schedule) x
WHERE spm.deal_commissions(by_number, schedule, places, rounding)::text <> one::text
    OR spm.deal_commissions(by_text, schedule, places, rounding)::text <> two::text;
SELECT is(count(*), 0::bigint, 'text keys are ordered by bytes')
FROM (SELECT case_no, ARRAY(SELECT d.deal_key FROM unnest(spm_deals) AS d) AS got, expected
      FROM (SELECT case_no, spm.deal_commissions(deal_date, deal_key::text, amount, schedule) AS spm_deals,
                   array_agg(deal_key::text ORDER BY deal_date, deal_key::text COLLATE "C", amount) FILTER (WHERE amount IS NOT NULL) AS expected
            FROM twin_deal JOIN twin_period USING (case_no) GROUP BY case_no) x) y
WHERE got <> expected;

SELECT * FROM finish();
ROLLBACK;
