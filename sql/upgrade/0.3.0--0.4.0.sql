/*
 * 0.3.0--0.4.0: results are kept by period, and what changes is noted.
 */

-- include sql/compensation/types_book.sql

-- ------------------------------------------------------- the ledger, in parts
--
-- A table cannot become one that is kept in parts: its rows move to a new one.
-- What others have built on it would stay with the old: they are asked first.
DO $$
DECLARE
    strangers text;
BEGIN
    SELECT string_agg(DISTINCT t.name, ', ' ORDER BY t.name) INTO strangers
    FROM (SELECT pg_catalog.pg_describe_object(d.classid, d.objid, 0) AS name, d.classid, d.objid, d.deptype FROM pg_catalog.pg_depend d
          WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid IN ('spm.credit'::pg_catalog.regclass, 'spm.earning'::pg_catalog.regclass)
             OR d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refobjid IN (SELECT c.reltype FROM pg_catalog.pg_class c
                 WHERE c.oid IN ('spm.credit'::pg_catalog.regclass, 'spm.earning'::pg_catalog.regclass))) t
    LEFT JOIN pg_catalog.pg_rewrite r ON t.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = t.objid
    LEFT JOIN pg_catalog.pg_trigger g ON t.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND g.oid = t.objid
    WHERE t.classid IN ('pg_catalog.pg_rewrite'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_trigger'::pg_catalog.regclass,
                        'pg_catalog.pg_policy'::pg_catalog.regclass, 'pg_catalog.pg_publication_rel'::pg_catalog.regclass, 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e'
          AND (e.classid, e.objid) IN ((t.classid, t.objid), ('pg_catalog.pg_class'::pg_catalog.regclass, r.ev_class), ('pg_catalog.pg_proc'::pg_catalog.regclass, g.tgfoid)));
    IF strangers IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist', MESSAGE = 'tables spm.credit and spm.earning are made anew by this update, and others are built on them',
            DETAIL = pg_catalog.format('There are %s.', strangers), HINT = 'Drop them, update, and make them again.';
    END IF;
END
$$;

-- functions that return rows of them
DROP FUNCTION spm.credit_as_of(timestamptz);
DROP FUNCTION spm.earning_as_of(timestamptz);
ALTER TABLE spm.credit RENAME TO credit_before;
ALTER TABLE spm.earning RENAME TO earning_before;
ALTER SEQUENCE spm.credit_credit_id_seq RENAME TO credit_before_seq;
ALTER SEQUENCE spm.earning_earning_id_seq RENAME TO earning_before_seq;

CREATE SEQUENCE spm.credit_credit_id_seq;
CREATE TABLE spm.credit (
    credit_id bigint NOT NULL DEFAULT nextval('spm.credit_credit_id_seq'),
    posting_id int NOT NULL,
    period_id int NOT NULL,
    run_id bigint NOT NULL,
    reverses_id bigint,
    position_id int NOT NULL,
    payee_id int,
    kind text NOT NULL CONSTRAINT credit_kind_check CHECK (kind IN ('direct', 'rollup', 'overlay', 'team', 'rolldown', 'territory')),
    origin_position_id int NOT NULL,
    level smallint NOT NULL CONSTRAINT credit_level_check CHECK (level >= 0),
    share numeric NOT NULL CONSTRAINT credit_share_check CHECK (share > 0 AND share <= 1),
    shares numeric[],
    share_no int,
    credited_amount numeric NOT NULL,
    source text NOT NULL,
    transaction_key text NOT NULL,
    line text NOT NULL,
    event_date date NOT NULL,
    type text NOT NULL,
    owner_key text NOT NULL,
    account_key text,
    product_key text,
    quantity numeric,
    amount numeric NOT NULL,
    cost numeric,
    list_amount numeric,
    currency_code text NOT NULL,
    attributes jsonb NOT NULL,
    event text NOT NULL DEFAULT 'booking',
    reference_key text,
    rule text NOT NULL DEFAULT '',
    factor numeric NOT NULL DEFAULT 1 CONSTRAINT credit_factor_check CHECK (factor > 0),
    part_no int NOT NULL DEFAULT 1,
    part_count int NOT NULL DEFAULT 1,
    CONSTRAINT credit_part CHECK (part_no BETWEEN 1 AND part_count)
) PARTITION BY LIST (period_id);
ALTER SEQUENCE spm.credit_credit_id_seq OWNED BY spm.credit.credit_id;
GRANT USAGE ON SEQUENCE spm.credit_credit_id_seq TO PUBLIC;

CREATE SEQUENCE spm.earning_earning_id_seq;
CREATE TABLE spm.earning (
    earning_id bigint NOT NULL DEFAULT nextval('spm.earning_earning_id_seq'),
    posting_id int NOT NULL,
    period_id int NOT NULL,
    run_id bigint NOT NULL,
    reverses_id bigint,
    component_id int NOT NULL,
    position_id int NOT NULL,
    payee_id int NOT NULL,
    credit_id bigint,
    exchange_rate numeric NOT NULL,
    base_amount numeric NOT NULL,
    from_total numeric NOT NULL,
    schedule_id bigint NOT NULL,
    amount numeric NOT NULL,
    kind text NOT NULL DEFAULT 'deal',
    credit_period_id int,
    CONSTRAINT earning_credit CHECK ((credit_id IS NULL) = (kind NOT IN ('deal', 'refund'))),
    CONSTRAINT earning_credit_period CHECK (credit_period_id IS NULL OR credit_period_id <> period_id AND kind = 'refund')
) PARTITION BY LIST (period_id);
ALTER SEQUENCE spm.earning_earning_id_seq OWNED BY spm.earning.earning_id;
GRANT USAGE ON SEQUENCE spm.earning_earning_id_seq TO PUBLIC;
COMMENT ON COLUMN spm.earning.credit_period_id IS 'Period of the credit, where it is another one: a refund dated before the order that it takes back. NULL: period_id.';
SELECT pg_catalog.pg_extension_config_dump('spm.credit', '');
SELECT pg_catalog.pg_extension_config_dump('spm.credit_credit_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.earning', '');
SELECT pg_catalog.pg_extension_config_dump('spm.earning_earning_id_seq', '');

-- comments, owner, rights and next key of the old
DO $$
DECLARE
    fact record;
BEGIN
    FOR fact IN
        SELECT n.oid AS part, c.oid::regclass::text AS old, t.name, t.key, c.relowner, c.relacl
        FROM (VALUES ('credit', 'credit_id'), ('earning', 'earning_id')) t(name, key)
        JOIN pg_catalog.pg_class n ON n.oid = ('spm.' || t.name)::pg_catalog.regclass
        JOIN pg_catalog.pg_class c ON c.oid = ('spm.' || t.name || '_before')::pg_catalog.regclass
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON TABLE spm.%I IS %L', fact.name, pg_catalog.obj_description(fact.old::pg_catalog.regclass, 'pg_class'));
        EXECUTE (SELECT pg_catalog.string_agg(pg_catalog.format('COMMENT ON COLUMN spm.%I.%I IS %L', fact.name, a.attname, pg_catalog.col_description(a.attrelid, a.attnum)), '; ')
                 FROM pg_catalog.pg_attribute a WHERE a.attrelid = fact.old::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped);
        -- a sequence follows the table that owns it
        EXECUTE pg_catalog.format('ALTER TABLE spm.%I OWNER TO %s', fact.name, fact.relowner::pg_catalog.regrole);
        EXECUTE (SELECT coalesce(pg_catalog.string_agg(pg_catalog.format('GRANT %s ON spm.%I TO %s%s', a.privilege_type, fact.name,
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END), '; '), 'SELECT')
                 FROM pg_catalog.aclexplode(fact.relacl) a WHERE a.grantee <> fact.relowner);
        EXECUTE (SELECT coalesce(pg_catalog.string_agg(pg_catalog.format('GRANT %s (%I) ON spm.%I TO %s%s', a.privilege_type, k.attname, fact.name,
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END), '; '), 'SELECT')
                 FROM pg_catalog.pg_attribute k, pg_catalog.aclexplode(k.attacl) a WHERE k.attrelid = fact.old::pg_catalog.regclass);
        EXECUTE pg_catalog.format('SELECT pg_catalog.setval(''spm.%1$s_%2$s_seq'', s.last_value, s.is_called) FROM spm.%1$I_before_seq s', fact.name, fact.key);
        -- they were given by people: pg_dump must not take them for what an installation gives
        DELETE FROM pg_catalog.pg_init_privs p WHERE p.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.objoid = fact.part;
    END LOOP;
END
$$;

-- the rows, a part for each period that was ever calculated
DO $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT t.name AS whole, t.key, t.columns, p.period_id, t.name || '_' || p.period_id AS name
        FROM (SELECT 'credit' AS name, 'credit_id' AS key, pg_catalog.string_agg('r.' || a.attname, ', ' ORDER BY a.attnum) AS columns
              FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'spm.credit'::pg_catalog.regclass AND a.attnum > 0
              UNION ALL
              SELECT 'earning', 'earning_id', pg_catalog.string_agg(CASE a.attname
                  WHEN 'credit_period_id' THEN '(SELECT nullif(c.period_id, r.period_id) FROM spm.credit_before c WHERE r.kind = ''refund'' AND c.credit_id = r.credit_id)'
                  ELSE 'r.' || a.attname END, ', ' ORDER BY a.attnum)
              FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'spm.earning'::pg_catalog.regclass AND a.attnum > 0) t,
             (SELECT o.period_id FROM spm.posting o UNION SELECT c.period_id FROM spm.credit_before c UNION SELECT e.period_id FROM spm.earning_before e) p
        ORDER BY t.name, p.period_id
    LOOP
        EXECUTE pg_catalog.format('CREATE TABLE spm.%I (LIKE spm.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION)', part.name, part.whole);
        -- a member of the extension would not be dumped
        EXECUTE pg_catalog.format('ALTER EXTENSION spm DROP TABLE spm.%I', part.name);
        EXECUTE (SELECT coalesce(pg_catalog.string_agg(pg_catalog.format('REVOKE ALL ON TABLE spm.%I FROM %s', part.name,
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END), '; '), 'SELECT')
                 FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a WHERE c.oid = ('spm.' || part.name)::pg_catalog.regclass AND a.grantee <> c.relowner);
        EXECUTE pg_catalog.format('COMMENT ON TABLE spm.%I IS %L', part.name,
            pg_catalog.format('Rows of spm.%s of one period. Read and written through spm.%1$s, where their columns are explained.', part.whole));
        EXECUTE pg_catalog.format('INSERT INTO spm.%I SELECT %s FROM spm.%I r WHERE r.period_id = %s ORDER BY r.%I',
                                  part.name, part.columns, part.whole || '_before', part.period_id, part.key);
        EXECUTE pg_catalog.format('ALTER TABLE spm.%I ADD PRIMARY KEY (%I)', part.name, part.key);
        EXECUTE pg_catalog.format('CREATE UNIQUE INDEX %I ON spm.%I (reverses_id) WHERE reverses_id IS NOT NULL', part.name || '_reverses', part.name);
        EXECUTE pg_catalog.format('CREATE INDEX %I ON spm.%I USING brin (posting_id)', part.name || '_posting', part.name);
        EXECUTE pg_catalog.format('CREATE INDEX %I ON spm.%I (payee_id)', part.name || '_payee', part.name);
        IF part.whole = 'credit' THEN
            EXECUTE pg_catalog.format('CREATE INDEX %I ON spm.%I (position_id)', part.name || '_position', part.name);
            EXECUTE pg_catalog.format('CREATE INDEX %I ON spm.%I (transaction_key, source)', part.name || '_transaction', part.name);
        ELSE
            EXECUTE pg_catalog.format('CREATE INDEX %I ON spm.%I (credit_id)', part.name || '_credit', part.name);
            EXECUTE pg_catalog.format('CREATE INDEX %I ON spm.%I (credit_period_id, credit_id) WHERE credit_period_id IS NOT NULL', part.name || '_elsewhere', part.name);
        END IF;
        EXECUTE pg_catalog.format('ALTER TABLE spm.%I ATTACH PARTITION spm.%I FOR VALUES IN (%s)', part.whole, part.name, part.period_id);
    END LOOP;
END
$$;

-- -------------------------------------------------------- what has changed

ALTER TABLE spm.run DROP CONSTRAINT run_kind_check;
ALTER TABLE spm.run ADD CONSTRAINT run_kind_check CHECK (kind IN ('calculate', 'post', 'refresh'));
COMMENT ON TABLE spm.run IS 'One row per calculation, refresh or posting that succeeded; one that failed is rolled back whole.';
COMMENT ON COLUMN spm.run.kind IS 'calculate, refresh or post.';

-- include sql/compensation/tables_change.sql

-- include sql/compensation/tables_job.sql

-- what came out of a calculation, so that it need not be done again
ALTER TABLE spm.period_watermark ADD COLUMN results text;
COMMENT ON COLUMN spm.period_watermark.watermark IS 'Digest of the input.';
COMMENT ON COLUMN spm.period_watermark.results IS 'Digest of what was calculated from it. NULL: not known, and calculated again.';

-- functions that can be asked for a part now
DROP FUNCTION spm._transaction_relation();
DROP FUNCTION spm._judged_sql(text, text);
DROP FUNCTION spm._milestone_sql(daterange, text[], text, text);
DROP FUNCTION spm._claim_sql(daterange, text[], text);
DROP FUNCTION spm._quota_join(int, int);
DROP FUNCTION spm._deal_query(int, daterange, boolean);
DROP FUNCTION spm._measurement_query(int, int);
DROP FUNCTION spm._earning_query(int, int);
DROP FUNCTION spm._component_query(int, int, text);
DROP FUNCTION spm._measure_period(int, int, bigint);
DROP FUNCTION spm._earn_period(int, int, bigint);
DROP FUNCTION spm._sync(text, text[], text[], text[], int, int, bigint);
DROP FUNCTION spm._pay(int, bigint);
DROP FUNCTION spm._balance(int, int, bigint);

-- functions that have another argument now
DROP FUNCTION spm._result(text, text, boolean, int[], text[]);
