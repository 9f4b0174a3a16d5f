/*
 * forecast/functions_pipeline_preset.sql: mappings of CRMs that everybody's loader
 * writes the same way.
 */

-- The first of the candidates that the relation has is taken: loaders differ in how they write a name.
CREATE OR REPLACE FUNCTION spm._pipeline_preset(preset text)
    RETURNS TABLE (relation text, argument text, candidates text[], is_needed boolean)
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT p.relation, p.argument, string_to_array(p.candidates, ' '), p.is_needed
        FROM (VALUES
            ('salesforce', 'opportunity', 'relation', 'opportunity Opportunity opportunities', true),
            ('salesforce', 'opportunity', 'key', 'id Id', true),
            ('salesforce', 'opportunity', 'owner', 'owner_id OwnerId ownerid', true),
            ('salesforce', 'opportunity', 'stage', 'stage_name StageName stagename', true),
            ('salesforce', 'opportunity', 'amount', 'amount Amount', true),
            ('salesforce', 'opportunity', 'created', 'created_date CreatedDate createddate', true),
            ('salesforce', 'opportunity', 'close_date', 'close_date CloseDate closedate', true),
            ('salesforce', 'opportunity', 'account', 'account_id AccountId accountid', false),
            ('salesforce', 'opportunity', 'currency', 'currency_iso_code CurrencyIsoCode currencyisocode', false),
            ('salesforce', 'opportunity', 'deal_name', 'name Name', false),
            ('salesforce', 'opportunity', 'segment', 'type Type', false),
            ('salesforce', 'opportunity', 'category', 'forecast_category_name ForecastCategoryName forecastcategoryname forecast_category ForecastCategory forecastcategory', false),
            ('salesforce', 'opportunity', 'won', 'is_won IsWon iswon', false),
            ('salesforce', 'opportunity', 'closed', 'is_closed IsClosed isclosed', false),
            ('salesforce', 'opportunity', 'entered', 'last_stage_change_date LastStageChangeDate laststagechangedate', false),
            ('salesforce', 'opportunity', 'deleted', 'is_deleted IsDeleted isdeleted', false),
            ('salesforce', 'opportunity', 'removed', '_fivetran_deleted', false),
            ('salesforce', 'history', 'relation', 'opportunity_history OpportunityHistory opportunityhistory', false),
            ('salesforce', 'history', 'opportunity', 'opportunity_id OpportunityId opportunityid', true),
            ('salesforce', 'history', 'entered', 'created_date CreatedDate createddate', true),
            ('salesforce', 'history', 'stage', 'stage_name StageName stagename', true),
            ('salesforce', 'history', 'amount', 'amount Amount', false),
            ('salesforce', 'history', 'close_date', 'close_date CloseDate closedate', false),
            ('salesforce', 'history', 'category', 'forecast_category ForecastCategory forecastcategory', false),
            ('salesforce', 'stage', 'relation', 'opportunity_stage OpportunityStage opportunitystage', false),
            ('salesforce', 'stage', 'stage', 'api_name ApiName apiname master_label MasterLabel masterlabel', true),
            ('salesforce', 'stage', 'label', 'master_label MasterLabel masterlabel', false),
            ('salesforce', 'stage', 'order', 'sort_order SortOrder sortorder', true),
            ('salesforce', 'stage', 'won', 'is_won IsWon iswon', true),
            ('salesforce', 'stage', 'closed', 'is_closed IsClosed isclosed', true),
            ('salesforce', 'stage', 'percent', 'default_probability DefaultProbability defaultprobability', false),
            ('salesforce', 'stage', 'category', 'forecast_category_name ForecastCategoryName forecastcategoryname forecast_category ForecastCategory forecastcategory', false),
            ('hubspot', 'opportunity', 'relation', 'deal', true),
            ('hubspot', 'opportunity', 'key', 'deal_id', true),
            ('hubspot', 'opportunity', 'owner', 'owner_id', true),
            ('hubspot', 'opportunity', 'stage', 'deal_pipeline_stage_id', true),
            ('hubspot', 'opportunity', 'amount', 'property_amount', true),
            ('hubspot', 'opportunity', 'created', 'property_createdate', true),
            ('hubspot', 'opportunity', 'close_date', 'property_closedate', true),
            ('hubspot', 'opportunity', 'account', 'property_hs_primary_associated_company', false),
            ('hubspot', 'opportunity', 'currency', 'property_deal_currency_code', false),
            ('hubspot', 'opportunity', 'deal_name', 'property_dealname', false),
            ('hubspot', 'opportunity', 'segment', 'property_dealtype deal_pipeline_id', false),
            ('hubspot', 'opportunity', 'category', 'property_hs_manual_forecast_category property_hs_forecast_category', false),
            ('hubspot', 'opportunity', 'deleted', 'is_deleted', false),
            ('hubspot', 'opportunity', 'removed', '_fivetran_deleted', false),
            ('hubspot', 'history', 'relation', 'deal_stage', false),
            ('hubspot', 'history', 'opportunity', 'deal_id', true),
            ('hubspot', 'history', 'entered', 'date_entered _fivetran_start', true),
            ('hubspot', 'history', 'stage', 'value', true),
            ('hubspot', 'history', 'amount', 'amount', false),
            ('hubspot', 'history', 'close_date', 'close_date', false),
            ('hubspot', 'stage', 'relation', 'deal_pipeline_stage', false),
            ('hubspot', 'stage', 'stage', 'stage_id', true),
            ('hubspot', 'stage', 'label', 'label', false),
            ('hubspot', 'stage', 'order', 'display_order', true),
            ('hubspot', 'stage', 'won', 'closed_won', true),
            ('hubspot', 'stage', 'closed', 'is_closed', true),
            ('hubspot', 'stage', 'probability', 'probability', false),
            ('crm_maven', 'opportunity', 'relation', 'sales_pipeline', true),
            ('crm_maven', 'opportunity', 'key', 'opportunity_id', true),
            ('crm_maven', 'opportunity', 'owner', 'sales_agent', true),
            ('crm_maven', 'opportunity', 'stage', 'deal_stage', true),
            ('crm_maven', 'opportunity', 'amount', 'close_value', true),
            ('crm_maven', 'opportunity', 'created', 'engage_date', true),
            ('crm_maven', 'opportunity', 'close_date', 'close_date', true),
            ('crm_maven', 'opportunity', 'account', 'account', false),
            ('crm_maven', 'opportunity', 'segment', 'product', false),
            ('crm_maven', 'opportunity', 'list_amount', 'sales_price list_price', false)
        ) AS p (crm, relation, argument, candidates, is_needed)
        WHERE p.crm = CASE preset WHEN 'salesforce_fivetran' THEN 'salesforce' WHEN 'salesforce_airbyte' THEN 'salesforce'
            WHEN 'hubspot_fivetran' THEN 'hubspot' ELSE preset END
            AND preset <> 'salesforce' AND preset <> 'hubspot';
    END;
COMMENT ON FUNCTION spm._pipeline_preset(text) IS 'Relations and columns that a preset looks for, the first candidate that is there; is_needed: without it the mapping, or the relation, makes no sense.';
REVOKE ALL ON FUNCTION spm._pipeline_preset(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.map_opportunities_preset(preset text, schema text, name text DEFAULT NULL, fixed_currency text DEFAULT NULL, time_zone text DEFAULT 'UTC')
    RETURNS TABLE (relation text, argument text, column_name text, note text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    source_name text := coalesce(map_opportunities_preset.name, preset);
    relations jsonb := '{}';
    columns jsonb := '{}';
    deals regclass;
    part text;
    missing text;
    wanted record;
    got jsonb;
    stages text[];
    labels text[];
    places int[];
    won boolean[];
    closed boolean[];
    categories text[];
    chances numeric[];
BEGIN
    IF NOT EXISTS (SELECT FROM spm._pipeline_preset(preset)) THEN
        RAISE EXCEPTION 'preset "%" does not exist', preset
            USING ERRCODE = '42704', HINT = 'Presets are salesforce_fivetran, salesforce_airbyte, hubspot_fivetran and crm_maven; anything else: SELECT spm.map_opportunities(...);';
    ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = schema) THEN
        RAISE EXCEPTION 'schema "%" does not exist', schema USING ERRCODE = '3F000', HINT = coalesce('Schemas that look like it: '
            || spm._near(schema, ARRAY(SELECT n.nspname::text FROM pg_catalog.pg_namespace AS n WHERE n.nspname !~ '^pg_')) || '.', 'Name the schema that the loader writes to.');
    END IF;
    -- a view of that name is the user's own word on what a deal is: it goes before the loader's table
    SELECT jsonb_object_agg(f.relation, f.oid) INTO relations
    FROM (
        SELECT DISTINCT ON (p.relation) p.relation, to_regclass(format('%I.%I', schema, u.candidate))::oid AS oid
        FROM spm._pipeline_preset(preset) AS p
        CROSS JOIN LATERAL unnest(ARRAY['spm_' || p.relation] || p.candidates) WITH ORDINALITY AS u (candidate, place)
        WHERE p.argument = 'relation' AND to_regclass(format('%I.%I', schema, u.candidate)) IS NOT NULL
        ORDER BY p.relation, u.place
    ) AS f;
    IF relations -> 'opportunity' IS NULL THEN
        SELECT p.candidates[1] INTO missing FROM spm._pipeline_preset(preset) AS p WHERE p.relation = 'opportunity' AND p.argument = 'relation';
        RAISE EXCEPTION 'schema "%" has no relation "%"', schema, missing
            USING ERRCODE = '42P01', HINT = 'Name the schema that the loader writes to, or map the relation yourself: SELECT spm.map_opportunities(...);';
    END IF;
    SELECT coalesce(jsonb_object_agg(f.relation || '.' || f.argument, f.candidate), '{}') INTO columns
    FROM (
        SELECT DISTINCT ON (p.relation, p.argument) p.relation, p.argument, u.candidate
        FROM spm._pipeline_preset(preset) AS p
        CROSS JOIN LATERAL unnest(p.candidates) WITH ORDINALITY AS u (candidate, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = (relations ->> p.relation)::oid AND a.attname = u.candidate AND a.attnum > 0 AND NOT a.attisdropped
        WHERE p.argument <> 'relation'
        ORDER BY p.relation, p.argument, u.place
    ) AS f;
    deals := (relations ->> 'opportunity')::oid;
    FOREACH part IN ARRAY ARRAY['opportunity', 'history', 'stage'] LOOP
        SELECT string_agg(p.candidates[1], ', ' ORDER BY p.candidates[1]) INTO missing
        FROM spm._pipeline_preset(preset) AS p
        WHERE p.relation = part AND p.is_needed AND p.argument <> 'relation' AND columns -> (p.relation || '.' || p.argument) IS NULL AND relations -> part IS NOT NULL;
        IF missing IS NOT NULL AND part = 'opportunity' THEN
            RAISE EXCEPTION '% has no column %', deals, missing
                USING ERRCODE = '42703', DETAIL = format('Preset %s looks for all of: %s.', preset, (
                        SELECT string_agg(p.candidates[1], ', ' ORDER BY p.candidates[1]) FROM spm._pipeline_preset(preset) AS p
                        WHERE p.relation = part AND p.is_needed AND p.argument <> 'relation')),
                    HINT = format('Let the loader bring it, or make a view %I.spm_opportunity with it, which goes before the table. To map columns yourself: '
                        'SELECT spm.map_opportunities(%L, %L, ...);', schema, source_name, deals);
        ELSIF missing IS NOT NULL THEN
            relations := relations - part;
        END IF;
    END LOOP;

    got := (SELECT coalesce(jsonb_object_agg(substr(c.key, 13), c.value), '{}') FROM jsonb_each(columns) AS c WHERE c.key LIKE 'opportunity.%');
    PERFORM spm.map_opportunities(source_name, deals, got ->> 'key', got ->> 'owner', got ->> 'stage', got ->> 'amount', got ->> 'created', got ->> 'close_date',
        account => got ->> 'account', currency => CASE WHEN fixed_currency IS NULL THEN got ->> 'currency' END, fixed_currency => fixed_currency,
        deal_name => got ->> 'deal_name', segment => got ->> 'segment', category => got ->> 'category', won => got ->> 'won', closed => got ->> 'closed',
        entered => CASE WHEN relations -> 'history' IS NULL THEN got ->> 'entered' END, list_amount => got ->> 'list_amount', time_zone => time_zone,
        filter => (SELECT string_agg(format('%I IS NOT TRUE', got ->> f), ' AND ') FROM unnest('{deleted,removed}'::text[]) AS f WHERE got -> f IS NOT NULL));
    IF relations -> 'stage' IS NOT NULL THEN
        EXECUTE format($sql$
            SELECT array_agg(%s::text), array_agg(%s::text), array_agg(%s::int), array_agg(coalesce(%s, false)), array_agg(coalesce(%s, false)), array_agg(%s), array_agg(%s)
            FROM %s WHERE %s::text <> ''$sql$,
            quote_ident(columns ->> 'stage.stage'), coalesce(quote_ident(columns ->> 'stage.label'), 'NULL'), quote_ident(columns ->> 'stage.order'),
            quote_ident(columns ->> 'stage.won'), quote_ident(columns ->> 'stage.closed'), coalesce(quote_ident(columns ->> 'stage.category') || '::text', 'NULL::text'),
            coalesce(quote_ident(columns ->> 'stage.probability') || '::numeric', quote_ident(columns ->> 'stage.percent') || '::numeric * 0.01', 'NULL::numeric'),
            (relations ->> 'stage')::oid::regclass, quote_ident(columns ->> 'stage.stage'))
            INTO stages, labels, places, won, closed, categories, chances;
        FOR wanted IN
            SELECT DISTINCT ON (u.stage) u.*
            FROM unnest(stages, labels, places, won, closed, categories, chances) AS u (stage, label, place, won, closed, category, probability)
            ORDER BY u.stage, u.place
        LOOP
            PERFORM spm.set_sales_stage(source_name, wanted.stage, wanted.place,
                CASE WHEN NOT wanted.closed AND NOT wanted.won THEN nullif(spm.forecast_category(wanted.category), 'closed') END,
                wanted.won, wanted.closed OR wanted.won, CASE WHEN wanted.probability BETWEEN 0 AND 1 THEN wanted.probability END);
            UPDATE spm.sales_stage AS s SET label = nullif(wanted.label, s.stage)
            FROM spm.opportunity_source AS o WHERE o.opportunity_source_id = s.opportunity_source_id AND o.name = source_name AND s.stage = wanted.stage;
        END LOOP;
    END IF;
    IF relations -> 'history' IS NOT NULL THEN
        PERFORM spm.map_stage_history(source_name, (relations ->> 'history')::oid::regclass, opportunity => columns ->> 'history.opportunity',
            entered => columns ->> 'history.entered', stage => columns ->> 'history.stage', amount => columns ->> 'history.amount', close_date => columns ->> 'history.close_date', category => columns ->> 'history.category');
    END IF;

    RETURN QUERY
    SELECT p.relation, p.argument, CASE p.argument WHEN 'relation' THEN (relations ->> p.relation)::oid::regclass::text ELSE columns ->> (p.relation || '.' || p.argument) END,
        CASE WHEN relations -> p.relation IS NULL AND p.argument = 'relation' THEN CASE p.relation
                WHEN 'history' THEN 'Not found, or not with its columns: run spm.take_snapshot() every night.'
                ELSE 'Not found: check spm.sales_stage, and correct it with spm.set_sales_stage().' END
            WHEN p.argument = 'relation' THEN 'taken'
            WHEN relations -> p.relation IS NULL THEN 'not looked for'
            WHEN columns -> (p.relation || '.' || p.argument) IS NOT NULL THEN 'taken'
            ELSE format('Not found: %s.', CASE p.argument WHEN 'account' THEN 'deals have no account'
                WHEN 'currency' THEN 'give fixed_currency, if deals have several' WHEN 'category' THEN 'that of the stage counts' WHEN 'list_amount' THEN format('make a view %I.spm_opportunity that joins the products, so that open deals have a value', schema)
                WHEN 'segment' THEN 'all deals are of one kind' WHEN 'won' THEN 'the stage decides' WHEN 'closed' THEN 'the stage decides'
                ELSE 'it is left out' END) END
    FROM spm._pipeline_preset(preset) AS p
    ORDER BY array_position('{opportunity,stage,history}'::text[], p.relation), p.argument <> 'relation', p.argument;
END
$$;
COMMENT ON FUNCTION spm.map_opportunities_preset(text, text, text, text, text) IS
'Maps deals, stages and history that a loader has written, and returns what was found and what was not, with what that means. It may be run again. A view spm_opportunity, spm_history or spm_stage in the schema goes before the loader''s table: for joins of your own.
preset: salesforce_fivetran, salesforce_airbyte, hubspot_fivetran, or crm_maven (the data set "CRM Sales Opportunities"). schema: that the loader writes to. name: of the source, that of the preset when left out. fixed_currency: of all deals, where no column has it. time_zone: in which moments become days.
Errors: 42704 unknown preset; 3F000 unknown schema; 42P01 no deals in it; 42703 a column is missing without which there is no pipeline, all of them named; those of spm.map_opportunities() and spm.map_stage_history().
Example: SELECT * FROM spm.map_opportunities_preset(''salesforce_fivetran'', ''salesforce'');';
