/*
 * compensation/functions_template.sql: plans that most companies have, as
 * documents to start from.  {{word}} is a parameter, a value of its own or
 * within a text; {{word!}} the same as an SQL literal.
 */

CREATE OR REPLACE FUNCTION spm._plan_template()
    RETURNS TABLE (template text, purpose text, parameters jsonb, document jsonb)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
    ('flat', 'One rate for everything that is sold.',
     '[["rate", "5%", "share of every sale"]]'::jsonb,
     '{"components": [{"name": "Commission", "rates": "0: {{rate}}"}]}'::jsonb),

    ('tiered', 'Rates that rise with what was sold since the year began, each for the part above its tier.',
     '[["rates", "0: 5%, 250000: 7%, 500000: 9%", "tiers in the currency of the plan, and their rates"],
       ["accumulate", "year", "where the total starts again: period, or a grain of the calendar"]]',
     '{"components": [{"name": "Commission", "rates": "{{rates}}", "accumulate": "{{accumulate}}"}]}'),

    ('accelerator', 'A base rate up to quota, more above it, and a bonus for reaching it.',
     '[["measure", "bookings", "measure of the quota"], ["base", "8%", "rate up to quota"], ["accelerated", "12%", "rate above quota"],
       ["top_from", "150%", "attainment from which the top rate applies"], ["top", "15%", "top rate"], ["bonus", "0", "amount for reaching quota"]]',
     '{"components": [
         {"name": "Commission", "rates": "0%: {{base}}, 100%: {{accelerated}}, {{top_from}}: {{top}}", "measure": "{{measure}}"},
         {"name": "Quota bonus", "rates": "100%: {{bonus}} bonus", "measure": "{{measure}}"}]}'),

    ('margin', 'A share of the margin of each deal, as long as it is not given away.',
     '[["rate", "20%", "share of the margin"], ["least_margin", "0.10", "margin below which a deal pays nothing: 0.10 is 10 % of its amount"]]',
     '{"components": [{"name": "Margin share", "rates": "0: {{rate}}", "accumulate": "deal", "measure_expression": "amount - cost",
                       "eligibility_expression": "abs(amount - cost) >= {{least_margin}} * abs(amount)"}]}'),

    ('mbo', 'A target bonus by how far weighted objectives were met.',
     '[["target", "target_bonus", "variable that holds the bonus for meeting all of them in a period"],
       ["threshold", "50%", "what must be met for anything to be paid"], ["most", "150%", "the most that counts"]]',
     '{"components": [{"name": "Objectives", "basis": "objective", "rates": "{{threshold}}: 100% whole", "variable": "{{target}}",
                       "modifiers": [{"kind": "cap", "variable": "{{target}}", "value": "{{most}}"}]}]}'),

    ('draw', 'Commission, with an advance against it that later commission pays back.',
     '[["rate", "5%", "share of every sale"], ["draw", "3000", "what is paid at least in a period"], ["method", "floor", "floor: pay is topped up to the draw; advance: the draw is paid besides"],
       ["recover", "100%", "share of the pay above the draw that pays it back"]]',
     '{"components": [{"name": "Commission", "rates": "0: {{rate}}"}],
       "pay_rules": [{"name": "Draw", "kind": "draw", "method": "{{method}}", "amount": "{{draw}}", "recover_share": "{{recover}}"}]}'),

    ('team pool', 'A share of what the team sells, divided among its members by what each of them sold.',
     '[["rate", "2%", "share of the sales of the team that goes into its pool"]]',
     '{"components": [
         {"name": "Own sales", "rates": "0: 0%"},
         {"name": "Team pool", "rates": "0: {{rate}}", "basis": "pool",
          "inputs": [{"of_component": "Own sales", "figure": "amount", "scope": "team"}, {"of_component": "Own sales", "figure": "amount"}]}]}'),

    ('spif', 'A bounty for each unit of a product, for a short time.',
     '[["product", "NEW", "product_key that it is for"], ["bounty", "100", "amount for each unit"], ["first", "2026-01-01", "first day; of a plan, else the one that it holds since"], ["until", "2026-04-01", "day after the last; of a plan, else three months after it holds"]]',
     '{"components": [{"name": "Spif", "rates": "0: {{bounty}}", "unit": "count", "measure_expression": "quantity", "accumulate": "deal",
                       "eligibility_expression": "product_key = {{product!}} AND event_date >= date {{first!}} AND event_date < date {{until!}}"}]}'),

    ('renewal', 'Rates for new business, growth and renewals, and less for all of it when renewals fall behind.',
     '[["measure", "renewals", "measure of what is up for renewal, as a quota"],
       ["new", "10%", "rate of new business"], ["growth", "6%", "rate of growth"], ["renewal", "3%", "rate of renewals"],
       ["new_type", "new", "type of such transactions"], ["growth_type", "growth", "type of such transactions"], ["renewal_type", "renewal", "type of such transactions"],
       ["retention", "90%", "share of what is up for renewal that must be renewed"], ["behind", "50%", "factor of the other rates when it is not"]]',
     '{"components": [
         {"name": "New business", "rates": "0: {{new}}", "eligibility_expression": "type = {{new_type!}}",
          "modifiers": [{"kind": "multiply", "of_components": ["Renewals"], "figures": ["attainment"], "rates": "0%: {{behind}}, {{retention}}: 100% whole"}]},
         {"name": "Growth", "rates": "0: {{growth}}", "eligibility_expression": "type = {{growth_type!}}",
          "modifiers": [{"kind": "multiply", "of_components": ["Renewals"], "figures": ["attainment"], "rates": "0%: {{behind}}, {{retention}}: 100% whole"}]},
         {"name": "Renewals", "rates": "0%: {{renewal}}", "measure": "{{measure}}", "eligibility_expression": "type = {{renewal_type!}}"}]}'),

    ('manager override', 'A share of what comes up the reporting tree, more above the quota of the team.',
     '[["measure", "bookings", "measure of the quota"], ["base", "1%", "rate up to quota"], ["accelerated", "1.5%", "rate above quota"],
       ["gate", "50%", "attainment that must be reached for anything to be paid"]]',
     '{"components": [{"name": "Override", "credit_kind": "rollup", "rates": "0%: {{base}}, 100%: {{accelerated}}", "measure": "{{measure}}",
                       "modifiers": [{"kind": "gate", "of_components": [""], "figures": ["attainment"], "value": "{{gate}}"}]}]}'),

    ('new hire ramp', 'Commission by attainment of a quota that is reduced for the days before the start, for a ramp and for absences, with a guarantee in the first periods.',
     '[["measure", "bookings", "measure of the quota"], ["base", "8%", "rate up to quota"], ["accelerated", "12%", "rate above quota"],
       ["prorate", "calendar", "how days are counted, see spm.day_count()"], ["guarantee", "4000", "what is paid at least in each of the first periods"], ["periods", "2", "how many these are"]]',
     '{"components": [{"name": "Commission", "rates": "0%: {{base}}, 100%: {{accelerated}}", "measure": "{{measure}}", "prorate": "{{prorate}}"}],
       "pay_rules": [{"name": "Guarantee", "kind": "guarantee", "amount": "{{guarantee}}", "first_periods": "{{periods}}"}]}'),

    ('channel', 'Rates by the kind of partner that a deal came through, from a table that can be changed by date.',
     '[["partner", "attributes ->> ''partner''", "expression that says which kind of partner"], ["gold", "8%", "rate of partners of that kind"], ["silver", "5%", "rate of partners of that kind"],
       ["other", "3%", "rate of all others"]]',
     '{"components": [{"name": "Commission", "rates": "0: 100%", "lookup": "{{name}} rates", "lookup_expressions": ["{{partner}}"]}],
       "lookups": [{"name": "{{name}} rates", "dimensions": ["partner"], "otherwise": "{{other}}", "rows": [
           {"span": "(,)", "keys": ["gold"], "ranges": [null], "value": "{{gold}}"}, {"span": "(,)", "keys": ["silver"], "ranges": [null], "value": "{{silver}}"}]}]}');
END;
COMMENT ON FUNCTION spm._plan_template() IS 'Templates of plans: parameters with default and meaning, and the document they are put into.';
REVOKE ALL ON FUNCTION spm._plan_template() FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.plan_template()
    RETURNS TABLE (template text, purpose text, parameter text, default_value text, meaning text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT t.template, t.purpose, p.value ->> 0, p.value ->> 1, p.value ->> 2
    FROM spm._plan_template() WITH ORDINALITY t(template, purpose, parameters, document, nth),
        jsonb_array_elements(t.parameters) WITH ORDINALITY p
    ORDER BY t.nth, p.ordinality;
END;
COMMENT ON FUNCTION spm.plan_template() IS
'Templates that spm.create_plan_from_template() makes plans of, one row for each parameter, with its default and what it means.
Example: SELECT DISTINCT template, purpose FROM spm.plan_template();';

CREATE OR REPLACE FUNCTION spm.plan_template_document(template text, parameters jsonb DEFAULT '{}')
    RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    chosen record;
    given jsonb := jsonb_strip_nulls(coalesce(plan_template_document.parameters, '{}'));
    wrong text;
    said text;
    word record;
BEGIN
    SELECT t.document, t.parameters INTO chosen FROM spm._plan_template() t WHERE t.template = plan_template_document.template;
    IF chosen.document IS NULL THEN
        RAISE EXCEPTION 'there is no plan template "%"', plan_template_document.template
            USING ERRCODE = 'undefined_object',
                  HINT = 'Templates are: ' || (SELECT string_agg(t.template, ', ') FROM spm._plan_template() t) || '.';
    END IF;
    SELECT k INTO wrong FROM jsonb_object_keys(given) k
    WHERE k <> 'name' AND k NOT IN (SELECT p ->> 0 FROM jsonb_array_elements(chosen.parameters) p) ORDER BY k LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'plan template "%" has no parameter "%"', plan_template_document.template, wrong
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Parameters are: ' || (SELECT string_agg(p ->> 0, ', ') FROM jsonb_array_elements(chosen.parameters) p) || '.';
    END IF;
    said := chosen.document::text;
    FOR word IN
        SELECT v.key, v.value,
               -- 5% and 0.05 are numbers where they stand alone
               CASE WHEN v.value ~ '^-?[0-9]+([.][0-9]+)?%$' THEN trim_scale(rtrim(v.value, '%')::numeric / 100)::text
                    WHEN v.value ~ '^-?[0-9]+([.][0-9]+)?$' THEN v.value::numeric::text
                    ELSE to_jsonb(v.value)::text END AS alone
        FROM jsonb_each_text((SELECT jsonb_object_agg(p ->> 0, p ->> 1) FROM jsonb_array_elements(chosen.parameters) p)
                             || jsonb_build_object('name', plan_template_document.template) || given) v
    LOOP
        said := replace(said, format('"{{%s}}"', word.key), word.alone);
        -- as it is written within a string of JSON
        said := replace(said, format('{{%s!}}', word.key), regexp_replace(to_jsonb(quote_literal(word.value))::text, '^"|"$', '', 'g'));
        said := replace(said, format('{{%s}}', word.key), regexp_replace(to_jsonb(word.value)::text, '^"|"$', '', 'g'));
    END LOOP;
    RETURN said::jsonb;
END
$$;
COMMENT ON FUNCTION spm.plan_template_document(text, jsonb) IS
'What a plan template says, with its parameters filled in: components, pay rules and lookup tables, as in a document of spm.export_plan().
template: name, see spm.plan_template(). parameters: an object; those that are not given have their defaults. name: the plan''s, where the template makes names of it.
Errors: 42704 for an unknown template, 22023 for an unknown parameter.
Example: SELECT jsonb_pretty(spm.plan_template_document(''flat'', ''{"rate": "7%"}''));';

CREATE OR REPLACE FUNCTION spm.create_plan_from_template(template text, name text, calendar text, currency text, since date,
                                                         parameters jsonb DEFAULT '{}')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    given jsonb := jsonb_strip_nulls(coalesce(create_plan_from_template.parameters, '{}'));
BEGIN
    IF create_plan_from_template.template = 'spif' THEN
        given := jsonb_strip_nulls(jsonb_build_object('first', create_plan_from_template.since,
                                                      'until', (create_plan_from_template.since + interval '3 months')::date)) || given;
    END IF;
    RETURN spm.import_plan(spm.plan_template_document(create_plan_from_template.template,
                               given || jsonb_build_object('name', create_plan_from_template.name))
        || jsonb_build_object('spm_plan', 1, 'name', create_plan_from_template.name, 'calendar', create_plan_from_template.calendar,
                              'currency_code', create_plan_from_template.currency, 'since', create_plan_from_template.since));
END
$$;
COMMENT ON FUNCTION spm.create_plan_from_template(text, text, text, text, date, jsonb) IS
'Creates a plan from a template, as a draft to be changed, assigned and published, and returns its plan_id.
template: flat, tiered, accelerator, margin, mbo, draw, team pool, spif, renewal, manager override, new hire ramp or channel; spm.plan_template() says what they are for. name: of the plan. calendar, currency, since: as for spm.create_plan(). parameters: an object of what is to differ from the defaults; a spif, unless it says otherwise, is for the first three months of its plan.
Errors: 42704 for an unknown template, calendar, currency, measure or variable; 22023 for an unknown parameter; 23505 when the name is taken; those of rates and expressions made of the parameters.
Example: SELECT spm.create_plan_from_template(''accelerator'', ''Account Executive'', ''fiscal'', ''USD'', ''2026-01-01'', ''{"base": "6%"}'');';
