/*
 * compensation/stages_credit.sql: transaction -> credit.  Who shares in each
 * transaction, where that payee sits, and who above is credited with it.
 */

CREATE OR REPLACE FUNCTION spm._claim_query(period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    days daterange := (SELECT p.span FROM spm.period p WHERE p.period_id = _claim_query.period_id);
    rules text;
BEGIN
    SELECT string_agg(format(E'\n               WHEN t.event_date <@ %L::daterange AND (%s) THEN %s', r.span, r.condition, r.credit_rule_id),
                      '' ORDER BY r.priority, r.credit_rule_id) INTO rules
    FROM spm.credit_rule r WHERE r.span && days;
    RETURN format($sql$
WITH split AS (    -- shares that the warehouse gives
    SELECT s.source, s.transaction_key, s.line,
           CASE WHEN bool_and(coalesce(s.share >= 0, false)) THEN sum(s.share) END AS total,
           array_agg(s.owner_key ORDER BY s.owner_key COLLATE "C", s.share) FILTER (WHERE s.share <> 0) AS owners,
           array_agg(s.share ORDER BY s.owner_key COLLATE "C", s.share) FILTER (WHERE s.share <> 0) AS shares,
           array_agg(s.owner_key ORDER BY s.owner_key COLLATE "C", s.share) AS all_owners,
           array_agg(s.share ORDER BY s.owner_key COLLATE "C", s.share) AS all_shares
    FROM spm.transaction_split s
    GROUP BY s.source, s.transaction_key, s.line
), rule AS (       -- shares that rules give
    SELECT r.credit_rule_id, array_agg(y.payee_key ORDER BY y.payee_key COLLATE "C") AS owners,
           array_agg(r.share ORDER BY y.payee_key COLLATE "C") AS shares
    FROM spm.credit_rule_share r JOIN spm.payee y USING (payee_id)
    GROUP BY r.credit_rule_id
), booked AS (
    SELECT t.*, %s AS credit_rule_id
    FROM spm.transaction t
    WHERE t.event_date >= %L AND t.event_date < %L
)
SELECT t.source, t.transaction_key, t.line, t.event_date, t.type, t.account_key, t.product_key, t.quantity,
       CASE WHEN t.transaction_key IS NULL OR t.type IS NULL OR t.currency_code IS NULL OR t.amount IS NULL
                 OR t.amount = 'NaN' OR abs(t.amount) >= 1e15
            THEN spm._refuse(format('transaction %%s/%%s has no usable %%s', t.source, coalesce(t.transaction_key, '(no key)'),
                     CASE WHEN t.transaction_key IS NULL THEN 'key' WHEN t.type IS NULL THEN 'type'
                          WHEN t.currency_code IS NULL THEN 'currency' ELSE 'amount' END),
                 format('Line "%%s" of %%s.', t.line, t.event_date),
                 'Repair the row, or leave it out with the filter of spm.map_source().')
            WHEN s.all_shares IS NOT NULL AND s.total IS DISTINCT FROM 1
            THEN spm._refuse(format('shares of transaction %%s/%%s %%s', t.source, t.transaction_key,
                     coalesce('total ' || s.total || ', not 1', 'must be given and not negative')),
                 format('Line "%%s": %%s have %%s.', t.line, s.all_owners, s.all_shares),
                 'Repair the rows of the relation given to spm.map_split().')
            ELSE t.amount END AS amount,
       t.cost, t.list_amount, t.currency_code, t.attributes,
       coalesce(c.owner_key, '') AS owner_key,
       CASE WHEN cardinality(coalesce(s.shares, r.shares)) > 1 THEN coalesce(s.shares, r.shares) END AS shares,
       CASE WHEN cardinality(coalesce(s.shares, r.shares)) > 1 THEN c.share_no::int END AS share_no,
       coalesce((coalesce(s.shares, r.shares))[c.share_no], 1) AS share,
       y.payee_id, seat.position_id,
       CASE WHEN c.owner_key IS NULL THEN 'it has no owner'
            WHEN y.payee_id IS NULL THEN 'its owner is not a payee'
            WHEN seat.position_id IS NULL THEN 'its owner held no position on that day' END AS reason
FROM booked t
LEFT JOIN split s ON s.source = t.source AND s.transaction_key = t.transaction_key AND coalesce(s.line, t.line) = t.line
LEFT JOIN rule r ON r.credit_rule_id = t.credit_rule_id AND s.owners IS NULL
CROSS JOIN LATERAL unnest(coalesce(s.owners, r.owners, ARRAY[t.owner_key])) WITH ORDINALITY c(owner_key, share_no)
LEFT JOIN spm.payee y ON y.payee_key = c.owner_key
LEFT JOIN spm.position_assignment seat ON seat.payee_id = y.payee_id AND seat.is_primary AND t.event_date <@ seat.span
$sql$, coalesce('CASE' || rules || E'\n          END', 'NULL::int'), lower(days), upper(days));
END
$$;
COMMENT ON FUNCTION spm._claim_query(int) IS 'SQL that finds who shares in each transaction of a period, and where that payee sits.';
REVOKE ALL ON FUNCTION spm._claim_query(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credit_query(period_id int)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN format($sql$
WITH direct AS (
    SELECT c.*, CASE WHEN c.shares IS NULL THEN c.amount
                     ELSE (spm.split(c.amount, c.shares, coalesce(k.minor_digits, 2)))[c.share_no] END AS credited_amount
    FROM pg_temp.spm_claim c LEFT JOIN spm.currency k USING (currency_code)
    WHERE c.reason IS NULL
), above AS (      -- seats whose plan pays for what comes up the tree
    SELECT s.position_id, s.payee_id, range_agg(d.days) AS spans
    FROM spm.plan_version v
    JOIN spm.plan p USING (plan_id)
    CROSS JOIN LATERAL spm.plan_seat(v.plan_id, v.span) s
    CROSS JOIN LATERAL unnest(s.spans) d(days)
    WHERE v.state <> 'draft' AND p.calendar_id = (SELECT calendar_id FROM spm.period WHERE period_id = %1$s)
      AND EXISTS (SELECT FROM spm.component c WHERE c.plan_version_id = v.plan_version_id AND c.credit_kind <> 'direct')
    GROUP BY s.position_id, s.payee_id
)
SELECT d.position_id, d.payee_id, 'direct' AS kind, d.position_id AS origin_position_id, 0::smallint AS level,
       d.share, d.shares, d.share_no, d.credited_amount, d.source, d.transaction_key, d.line, d.event_date, d.type,
       d.owner_key, d.account_key, d.product_key, d.quantity, d.amount, d.cost, d.list_amount, d.currency_code, d.attributes
FROM direct d
UNION ALL
SELECT a.position_id, a.payee_id, 'rollup', d.position_id, p.depth,
       d.share, d.shares, d.share_no, d.credited_amount, d.source, d.transaction_key, d.line, d.event_date, d.type,
       d.owner_key, d.account_key, d.product_key, d.quantity, d.amount, d.cost, d.list_amount, d.currency_code, d.attributes
FROM direct d
JOIN spm.position_path p ON p.position_id = d.position_id AND d.event_date <@ p.span
JOIN above a ON a.position_id = p.ancestor_position_id AND d.event_date <@ a.spans
$sql$, _credit_query.period_id);
END
$$;
COMMENT ON FUNCTION spm._credit_query(int) IS 'SQL that makes the credits of a period: direct ones, and those that roll up.';
REVOKE ALL ON FUNCTION spm._credit_query(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._credit_period(period_id int, posting_id int, run_id bigint)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    twice record;
BEGIN
    PERFORM spm._result(spm._claim_query(_credit_period.period_id), 'spm_claim');
    -- the claims on one row total 1, whoever makes them: more is a second row
    EXECUTE 'SELECT source, transaction_key, line, ceil(sum(share)) AS rows FROM pg_temp.spm_claim
             GROUP BY source, transaction_key, line HAVING sum(share) > 1
             UNION ALL
             SELECT source, transaction_key, line, count(*) FROM pg_temp.spm_claim WHERE shares IS NOT NULL
             GROUP BY source, transaction_key, line, owner_key HAVING count(*) > 1
             ORDER BY 1, 2, 3 LIMIT 1' INTO twice;
    IF twice.rows IS NOT NULL THEN
        RAISE EXCEPTION 'transaction %/% occurs % times', twice.source, twice.transaction_key, twice.rows
            USING ERRCODE = 'unique_violation', DETAIL = format('Line "%s".', twice.line),
                  HINT = 'Key and line must identify a row of the source, and an owner a share of it: map another key or line, or a filter, with spm.map_source().';
    END IF;
    DELETE FROM spm.uncredited u WHERE u.period_id = _credit_period.period_id;
    EXECUTE 'INSERT INTO spm.uncredited (period_id, source, transaction_key, line, owner_key, event_date, amount, currency_code, reason, run_id)
             SELECT $1, source, transaction_key, line, owner_key, event_date, amount, currency_code, reason, $2
             FROM pg_temp.spm_claim WHERE reason IS NOT NULL'
        USING _credit_period.period_id, _credit_period.run_id;
    PERFORM spm._result(spm._credit_query(_credit_period.period_id));
    RETURN spm._sync('credit',
        ARRAY['position_id', 'transaction_key', 'line', 'source', 'kind', 'origin_position_id', 'owner_key'],
        ARRAY['payee_id', 'level', 'share', 'shares', 'share_no', 'credited_amount', 'event_date', 'type', 'account_key',
              'product_key', 'quantity', 'amount', 'cost', 'list_amount', 'currency_code', 'attributes'],
        ARRAY['credited_amount'], _credit_period.period_id, _credit_period.posting_id, _credit_period.run_id);
END
$$;
COMMENT ON FUNCTION spm._credit_period(int, int, bigint) IS 'First stage: transactions to credits. Returns the number of rows changed.';
REVOKE ALL ON FUNCTION spm._credit_period(int, int, bigint) FROM PUBLIC;
