/*
 * compensation/functions_component.sql: pay elements, and what they stand on.
 */

CREATE OR REPLACE FUNCTION spm._variable_id(variable text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    SELECT v.variable_id INTO id FROM spm.variable v WHERE v.name = _variable_id.variable;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'variable "%" does not exist', _variable_id.variable
            USING ERRCODE = 'undefined_object',
                  HINT = format('SELECT spm.set_variable(%L, value, payee => ...);', _variable_id.variable);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._variable_id(text) IS 'variable_id of a name, or error 42704.';
REVOKE ALL ON FUNCTION spm._variable_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._lookup_id(lookup text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    SELECT l.lookup_id INTO id FROM spm.lookup l WHERE l.name = _lookup_id.lookup;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lookup table "%" does not exist', _lookup_id.lookup
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_lookup(%L, dimensions);', _lookup_id.lookup);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._lookup_id(text) IS 'lookup_id of a name, or error 42704.';
REVOKE ALL ON FUNCTION spm._lookup_id(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._of_draft(plan text, component text)
    RETURNS int
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(_of_draft.plan);
    id int;
BEGIN
    SELECT c.component_id INTO id FROM spm.component c WHERE c.plan_version_id = version AND c.name = _of_draft.component;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the draft of plan "%" has no component "%"', _of_draft.plan, _of_draft.component
            USING ERRCODE = 'undefined_object', HINT = format('SELECT spm.add_component(%L, %L, rates);', _of_draft.plan, _of_draft.component);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm._of_draft(text, text) IS 'component_id of a name in the draft of a plan, or error 42704.';
REVOKE ALL ON FUNCTION spm._of_draft(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_name(what text, name text)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(_check_name.name, '') = '' THEN
        RAISE EXCEPTION 'name of a % cannot be empty', _check_name.what USING ERRCODE = 'invalid_parameter_value';
    ELSIF _check_name.name <> spm._one_line(_check_name.name) OR length(_check_name.name) > 200 THEN
        RAISE EXCEPTION 'name of a % must be one line of at most 200 characters', _check_name.what
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It begins with "%s", and has %s characters.', left(spm._one_line(_check_name.name), 40), length(_check_name.name));
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_name(text, text) IS 'Error 22023 for a name that is empty, has control characters such as a line feed, or more than 200 characters.';
REVOKE ALL ON FUNCTION spm._check_name(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._check_choice(argument text, value text, relation regclass, of_column text)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off    -- the constraint is read as text
AS $$
DECLARE
    -- the words are those of the constraint of the column
    words text[] := (
        SELECT array(SELECT m[1] FROM regexp_matches(pg_get_constraintdef(c.oid), '''([^'']*)''::text', 'g') m)
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
        WHERE c.conrelid = _check_choice.relation AND c.contype = 'c' AND a.attname = _check_choice.of_column);
BEGIN
    IF _check_choice.value IS NULL OR _check_choice.value <> ALL (words) THEN
        RAISE EXCEPTION '% cannot be %', _check_choice.argument, coalesce(format('"%s"', _check_choice.value), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = format('It is one of: %s.', array_to_string(words, ', '));
    END IF;
END
$$;
COMMENT ON FUNCTION spm._check_choice(text, text, regclass, text) IS 'Error 22023, with the words to choose from, unless a value is one that the check constraint of a column names.';
REVOKE ALL ON FUNCTION spm._check_choice(text, text, regclass, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_component(plan text, name text, rates text, measure text DEFAULT 'amount',
                                             eligible text DEFAULT NULL, credits text DEFAULT 'direct',
                                             quota text DEFAULT NULL, accumulate text DEFAULT 'period',
                                             variable text DEFAULT NULL, unit text DEFAULT 'money',
                                             places int DEFAULT NULL, rounding text DEFAULT 'half_up',
                                             basis text DEFAULT 'credit', pay text DEFAULT 'amount',
                                             against text DEFAULT 'quota', prorate text DEFAULT 'none',
                                             true_up boolean DEFAULT false, group_by text DEFAULT NULL,
                                             credit_cap numeric DEFAULT NULL, lookup text DEFAULT NULL,
                                             lookup_by text[] DEFAULT NULL, ties text DEFAULT 'competition',
                                             event text DEFAULT 'booking', refund text DEFAULT 'running',
                                             refund_window interval DEFAULT NULL, refund_share numeric DEFAULT 1,
                                             earned_over int DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(add_component.plan);
    schedule spm.rate_schedule := add_component.rates::spm.rate_schedule;
    of_quota int := CASE WHEN add_component.quota IS NOT NULL THEN spm._measure_id(add_component.quota) END;
    of_variable int := CASE WHEN add_component.variable IS NOT NULL THEN spm._variable_id(add_component.variable) END;
    of_lookup int := CASE WHEN add_component.lookup IS NOT NULL THEN spm._lookup_id(add_component.lookup) END;
    measured text := spm.checked_expression(add_component.measure, 'numeric');
    condition text := spm.checked_expression(add_component.eligible, 'boolean');
    grouped text := spm.checked_expression(add_component.group_by, 'text');
    looked text[] := CASE WHEN add_component.lookup_by IS NOT NULL THEN
        array(SELECT spm._checked_key(e) FROM unnest(add_component.lookup_by) WITH ORDINALITY u(e, o) ORDER BY o) END;
    total text := CASE WHEN add_component.group_by IS NOT NULL AND add_component.accumulate = 'period' THEN 'group' ELSE add_component.accumulate END;
    id int;
BEGIN
    PERFORM spm._check_name('component', add_component.name);
    PERFORM spm._check_choice('credits', add_component.credits, 'spm.component', 'credit_kind'), spm._check_choice('unit', add_component.unit, 'spm.component', 'unit'),
        spm._check_choice('rounding', CASE add_component.rounding WHEN 'ceil' THEN 'ceiling' ELSE add_component.rounding END, 'spm.component', 'rounding'), spm._check_choice('basis', add_component.basis, 'spm.component', 'basis'),
        spm._check_choice('pay', add_component.pay, 'spm.component', 'pay'), spm._check_choice('against', add_component.against, 'spm.component', 'against'),
        spm._check_choice('ties', add_component.ties, 'spm.component', 'ties');
    IF add_component.basis = 'credit' AND spm._is_of_quota(schedule) AND of_quota IS NULL AND add_component.against = 'quota' THEN
        RAISE EXCEPTION 'component "%" has tiers in percent of quota, but no quota', add_component.name
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Name the measure of the quota: quota => ''bookings''.';
    END IF;
    IF add_component.pay = 'target' AND (of_variable IS NULL OR add_component.basis = 'credit' AND of_quota IS NULL AND add_component.against = 'quota') THEN
        RAISE EXCEPTION 'component "%" pays a target by attainment, but has no %', add_component.name,
            CASE WHEN of_variable IS NULL THEN 'target' ELSE 'quota' END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = CASE WHEN of_variable IS NULL THEN 'Name the variable that holds the target: variable => ''target_incentive''.'
                              ELSE 'Name the measure of the quota: quota => ''bookings''.' END;
    END IF;
    IF add_component.basis <> 'credit' AND total <> 'period' OR total = 'group' AND grouped IS NULL
       OR true_up AND total IN ('deal', 'group', 'period') OR total ~ '^rolling' AND total !~ '^rolling [1-9][0-9]?$' THEN
        RAISE EXCEPTION 'component "%" cannot accumulate over "%"%', add_component.name, total,
            CASE WHEN true_up THEN ' and true up' WHEN add_component.basis <> 'credit' THEN format(' with basis %s', add_component.basis) ELSE '' END
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'Only credits accumulate; a true-up needs a span of several periods; a group needs group_by; a rolling total a number of periods.',
                  HINT = 'accumulate => ''period'', ''deal'', ''group'', ''rolling 3'', or a grain such as ''year''.';
    END IF;
    IF (of_lookup IS NULL) <> (looked IS NULL)
       OR of_lookup IS NOT NULL AND cardinality(looked) <> (SELECT cardinality(l.dimensions) FROM spm.lookup l WHERE l.lookup_id = of_lookup) THEN
        RAISE EXCEPTION 'component "%" needs one expression for each dimension of its lookup table', add_component.name
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Lookup table %s has %s dimensions, %s expressions are given.', coalesce(add_component.lookup, '(none)'),
                      coalesce((SELECT cardinality(l.dimensions) FROM spm.lookup l WHERE l.lookup_id = of_lookup), 0), coalesce(cardinality(looked), 0)),
                  HINT = 'lookup => ''Product rates'', lookup_by => ''{product_key}''.';
    END IF;
    IF add_component.prorate <> 'none' THEN
        PERFORM spm._check_prorate(add_component.prorate);
    END IF;
    PERFORM spm._check_refund(add_component.name, add_component.refund, add_component.refund_window, add_component.refund_share, add_component.earned_over);
    IF add_component.true_up AND add_component.refund <> 'running' THEN
        RAISE EXCEPTION 'component "%" cannot true up and take back what the original earned', add_component.name
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'A true-up is of all deals of the span: none of them has earned it by itself.',
                  HINT = 'refund => ''running'' takes it back.';
    END IF;
    INSERT INTO spm.component (plan_version_id, component_no, name, credit_kind, measure_expression,
        eligibility_expression, unit, measure_id, accumulate, tier_basis, rate_options, variable_id, places, rounding,
        basis, pay, against, prorate, is_true_up, group_expression, credit_cap, lookup_id, lookup_expressions, ties,
        event, refund, refund_window, refund_share, earned_over)
    SELECT version,
           1 + coalesce((SELECT max(c.component_no) FROM spm.component c WHERE c.plan_version_id = version), 0),
           add_component.name, add_component.credits, measured, condition, add_component.unit, of_quota,
           total, CASE WHEN spm._is_of_quota(schedule) THEN 'quota' ELSE 'amount' END,
           spm._rate_options(schedule), of_variable, coalesce(add_component.places, c.minor_digits),
           CASE add_component.rounding WHEN 'ceil' THEN 'ceiling' ELSE add_component.rounding END,
           add_component.basis, add_component.pay, add_component.against, add_component.prorate, add_component.true_up,
           grouped, add_component.credit_cap, of_lookup, looked, add_component.ties,
           add_component.event, add_component.refund, add_component.refund_window, add_component.refund_share, add_component.earned_over
    FROM spm.plan_version v JOIN spm.plan p USING (plan_id) JOIN spm.currency c USING (currency_code)
    WHERE v.plan_version_id = version
    RETURNING component_id INTO id;
    INSERT INTO spm.tier (component_id, bounds, rate)
    SELECT id, numrange(t.tier_from, t.tier_to), t.rate FROM spm.tier(schedule) t;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_component(text, text, text, text, text, text, text, text, text, text, int, text, text, text, text, text, boolean, text, numeric, text, text[], text, text, text, interval, numeric, int) IS
'Adds a pay element to the draft of a plan, and returns its component_id. All but plan, name and rates have a default.
plan, name: names. rates: a rate schedule; its tiers are amounts, or shares of quota when written in percent. measure: expression, what of a transaction counts. eligible: condition, which transactions count; NULL: all.
credits: direct, rollup, overlay, team, territory, rolldown or all. quota: measure whose quota attainment is reckoned against. accumulate: deal, period, group, rolling N, or the grain of a longer period. variable: multiplies all rates. unit: money or count.
places, rounding: how each deal is rounded; places defaults to those of the currency.
basis: credit, fixed, objective, result, rank or pool; the last three take spm.add_input(). pay: amount, or target (rates times attainment times the variable). against: quota, prior period or prior year (growth). prorate: a method of spm.day_count(). true_up: pay what the whole span is worth by now, less what was earned. group_by: expression; each value has its own total. credit_cap: most that one credit counts, money. lookup, lookup_by: table whose value multiplies the measure, and expressions for its dimensions. ties: of ranks: competition, dense, average or share.
event: booking, or a kind of milestone of spm.map_event(). refund: what a transaction that refers to another does: running, counts like any other; original, takes back what that one earned, in proportion; unearned, of that the part not yet earned in earned_over months. refund_window: only so long after the original, inclusive; refund_share: share that is taken back.
Errors: 42P17, 42703 and others for a refused expression, 22P02 for rates that cannot be read, 42704 for an unknown name, 22023 for options that do not fit together, 55000 without a draft.
Example: SELECT spm.add_component(''Account Executive'', ''Commission'', ''0%: 8%, 80%: 10%, 100%: 14%'', quota => ''bookings'');';

CREATE OR REPLACE FUNCTION spm._checked_key(expression text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN spm.checked_expression(_checked_key.expression, 'text');
EXCEPTION WHEN datatype_mismatch THEN
    RETURN spm.checked_expression(_checked_key.expression, 'numeric');
END
$$;
COMMENT ON FUNCTION spm._checked_key(text) IS 'Checked expression for a dimension of a lookup table: text or a number.';
REVOKE ALL ON FUNCTION spm._checked_key(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.add_input(plan text, component text, of text, figure text DEFAULT 'attainment',
                                         scope text DEFAULT 'own', weight numeric DEFAULT 1)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int := spm._of_draft(add_input.plan, add_input.component);
    number int := 1 + coalesce((SELECT max(i.input_no) FROM spm.component_input i WHERE i.component_id = id), 0);
BEGIN
    PERFORM spm._check_choice('figure', add_input.figure, 'spm.component_input', 'figure'), spm._check_choice('scope', add_input.scope, 'spm.component_input', 'scope');
    IF (SELECT c.basis FROM spm.component c WHERE c.component_id = id) NOT IN ('result', 'rank', 'pool') THEN
        RAISE EXCEPTION 'component "%" is not reckoned from other components', add_input.component
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Add it with basis => ''result'', ''rank'' or ''pool''.';
    END IF;
    PERFORM spm._of_draft(add_input.plan, add_input."of");
    PERFORM spm._check_choice('figure', add_input.figure, 'spm.component_input', 'figure'), spm._check_choice('scope', add_input.scope, 'spm.component_input', 'scope');
    INSERT INTO spm.component_input (component_id, input_no, of_component, figure, scope, weight)
    VALUES (id, number, add_input."of", add_input.figure, add_input.scope, add_input.weight);
    PERFORM spm._component_level(spm._draft_id(add_input.plan));
    RETURN number;
END
$$;
COMMENT ON FUNCTION spm.add_input(text, text, text, text, text, numeric) IS
'Gives a component with basis result, rank or pool a figure of another component to reckon with, and returns its number.
plan, component: names. of: the other component. figure: amount, attainment, earned or quota. scope: own (the same seat), team (all seats with the same manager) or plan (everybody). weight: figures are multiplied by it and added up.
A rank goes by the figure, among the scope of the first input. A pool is filled by the first input; a second one, or the variable of the component, says how it is shared; else all share alike.
Errors: 42704 for an unknown name, 22023 for a component of another basis, 42P19 when components would stand on each other, 55000 without a draft.
Example: SELECT spm.add_input(''AE'', ''Kicker'', of => ''Commission'', figure => ''earned'');';

CREATE OR REPLACE FUNCTION spm.add_modifier(plan text, component text, kind text, of text[] DEFAULT NULL, figure text[] DEFAULT NULL,
                                            rates text DEFAULT NULL, value numeric DEFAULT NULL, variable text DEFAULT NULL,
                                            lookup text DEFAULT NULL, scope text DEFAULT 'own', strict boolean DEFAULT false)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int := spm._of_draft(add_modifier.plan, add_modifier.component);
    figures text[] := coalesce(add_modifier.figure, CASE WHEN "of" IS NOT NULL OR kind = 'gate' OR rates IS NOT NULL THEN
                                                    array_fill('attainment'::text, ARRAY[greatest(cardinality("of"), 1)]) END, '{}');
    -- the component itself by default
    others text[] := coalesce((SELECT array_agg(CASE o WHEN add_modifier.component THEN '' ELSE o END ORDER BY n) FROM unnest(add_modifier."of") WITH ORDINALITY u(o, n)),
                              array_fill(''::text, ARRAY[cardinality(figures)]));
    other text;
    number int := 1 + coalesce((SELECT max(m.modifier_no) FROM spm.modifier m WHERE m.component_id = id), 0);
BEGIN
    PERFORM spm._check_choice('kind', add_modifier.kind, 'spm.modifier', 'kind'), spm._check_choice('scope', add_modifier.scope, 'spm.modifier', 'scope');
    FOREACH other IN ARRAY others LOOP
        IF other <> '' THEN
            PERFORM spm._of_draft(add_modifier.plan, other);
        END IF;
    END LOOP;
    IF '' = ANY (others) AND (add_modifier.scope <> 'own' OR 'earned' = ANY (figures)) THEN
        RAISE EXCEPTION 'component "%" cannot be modified by its own %', add_modifier.component,
            CASE WHEN add_modifier.scope <> 'own' THEN 'results of others' ELSE 'earnings' END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Add a component with rates ''0: 0%'' that measures it, and name that one.';
    END IF;
    IF kind NOT IN ('gate', 'multiply', 'cap', 'floor') AND EXISTS (
        SELECT FROM spm.modifier m WHERE m.component_id = id AND m.kind IN ('cap', 'floor')) THEN
        RAISE EXCEPTION 'modifier "%" of component "%" must come before its limits', add_modifier.kind, add_modifier.component
            USING ERRCODE = 'invalid_parameter_value', HINT = 'After a cap or a floor only gate and multiply have a meaning.';
    END IF;
    IF kind = 'cap' AND add_modifier.value < 0 AND num_nonnulls(rates, variable, add_modifier.lookup) = 0 AND cardinality(figures) = 0 THEN
        RAISE EXCEPTION 'cap of component "%" cannot be %', add_modifier.component, add_modifier.value
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A cap is the most that is earned, in money: 0 or more.';
    END IF;
    IF rates IS NOT NULL THEN
        PERFORM add_modifier.rates::spm.rate_schedule;
    END IF;
    IF kind <> 'gate' AND num_nonnulls(rates, add_modifier.value, variable, add_modifier.lookup) = 0 AND cardinality(figures) = 0
       OR kind = 'gate' AND (add_modifier.value IS NULL OR num_nonnulls(rates, add_modifier.lookup) > 0 OR cardinality(figures) <> 1)
       OR rates IS NOT NULL AND cardinality(figures) <> 1
       OR cardinality(figures) <> cardinality(others)
       OR add_modifier.lookup IS NOT NULL AND cardinality(figures) IS DISTINCT FROM (SELECT cardinality(l.dimensions) FROM spm.lookup l WHERE l.lookup_id = spm._lookup_id(add_modifier.lookup)) THEN
        RAISE EXCEPTION 'modifier "%" of component "%" does not say by what', add_modifier.kind, add_modifier.component
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'A gate needs one figure and a value; rates need one figure; a lookup table one for each dimension; all others a value, a variable or a figure.',
                  HINT = format('SELECT spm.add_modifier(%L, %L, %L, of => ''{other component}'', value => 0.5);', add_modifier.plan, add_modifier.component, add_modifier.kind);
    END IF;
    INSERT INTO spm.modifier (component_id, modifier_no, kind, of_components, figures, scope, rates, lookup_id, variable_id, value, is_strict)
    VALUES (id, number, add_modifier.kind, others, figures, add_modifier.scope, (add_modifier.rates::spm.rate_schedule)::text,
            CASE WHEN add_modifier.lookup IS NOT NULL THEN spm._lookup_id(add_modifier.lookup) END,
            CASE WHEN add_modifier.variable IS NOT NULL THEN spm._variable_id(add_modifier.variable) END,
            add_modifier.value, add_modifier.strict);
    PERFORM spm._component_level(spm._draft_id(add_modifier.plan));
    RETURN number;
END
$$;
COMMENT ON FUNCTION spm.add_modifier(text, text, text, text[], text[], text, numeric, text, text, text, boolean) IS
'Lets a component pay more or less by its own or other components'' results, and returns the number of the modifier. Modifiers are applied in order.
plan, component: names. kind: on the factor of all rates, which starts at 1: gate (0 unless the figure reaches value), multiply, add, at most, at least; on what is earned, in money: cap, floor.
of: components whose figures count; NULL: the component itself. figure: attainment, amount, earned, quota or credits, one for each. rates: rate schedule that turns the figure into a value (methods whole, interpolated ...); lookup: table of as many dimensions as figures. variable, value: multiply it. scope: own, team (seats with the same manager) or plan. strict: a gate must be passed, not only reached.
A cap before a multiply is multiplied too: a cap on what was earned before. A cap that comes to less than 0 is 0; a floor above the cap is the cap.
Errors: 42704 for an unknown name, 22P02 for rates that cannot be read, 22023 for options that do not fit together, 42P19 when components would stand on each other, 55000 without a draft.
Example: SELECT spm.add_modifier(''AE'', ''Commission'', ''multiply'', of => ''{Margin}'', rates => ''0%: 80%, 75%: 90%, 85%: 100% whole'');';

CREATE OR REPLACE FUNCTION spm.drop_modifier(plan text, component text, modifier_no int)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int := spm._of_draft(drop_modifier.plan, drop_modifier.component);
BEGIN
    DELETE FROM spm.modifier m WHERE m.component_id = id AND m.modifier_no = drop_modifier.modifier_no;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'component "%" has no modifier %', drop_modifier.component, drop_modifier.modifier_no
            USING ERRCODE = 'undefined_object';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.drop_modifier(text, text, int) IS
'Takes a modifier away from a component of the draft of a plan.
Errors: 42704 when there is none of that number, 55000 without a draft.
Example: SELECT spm.drop_modifier(''AE'', ''Commission'', 1);';

CREATE OR REPLACE FUNCTION spm.drop_component(plan text, name text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int := spm._draft_id(drop_component.plan);
BEGIN
    DELETE FROM spm.component c WHERE c.plan_version_id = version AND c.name = drop_component.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the draft of plan "%" has no component "%"', drop_component.plan, drop_component.name
            USING ERRCODE = 'undefined_object';
    END IF;
END
$$;
COMMENT ON FUNCTION spm.drop_component(text, text) IS
'Removes a component from the draft of a plan.
Errors: 42704 when there is none of that name, 55000 without a draft.
Example: SELECT spm.drop_component(''Account Executive'', ''Commission'');';

CREATE OR REPLACE FUNCTION spm._is_of_quota(schedule spm.rate_schedule)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT schedule::text ~ '^[0-9.]+%';
END;
COMMENT ON FUNCTION spm._is_of_quota(spm.rate_schedule) IS 'Whether the tiers of a schedule are shares of quota.';
REVOKE ALL ON FUNCTION spm._is_of_quota(spm.rate_schedule) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm._rate_options(schedule spm.rate_schedule)
    RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(substring(schedule::text FROM '[a-z].*$'), '');
END;
COMMENT ON FUNCTION spm._rate_options(spm.rate_schedule) IS 'The options in the text of a schedule: what follows its tiers.';
REVOKE ALL ON FUNCTION spm._rate_options(spm.rate_schedule) FROM PUBLIC;

CREATE OR REPLACE FUNCTION spm.component_rates(component_id int)
    RETURNS spm.rate_schedule
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT (string_agg(CASE c.tier_basis
                WHEN 'quota' THEN 100 * lower(t.bounds) || '%..' || coalesce(100 * upper(t.bounds) || '%', '')
                ELSE lower(t.bounds) || '..' || coalesce(upper(t.bounds)::text, '')
            END || ': ' || t.rate, ', ' ORDER BY lower(t.bounds)) || ' ' || c.rate_options)::spm.rate_schedule
    FROM spm.component c JOIN spm.tier t USING (component_id)
    WHERE c.component_id = component_rates.component_id
    GROUP BY c.component_id;
END;
COMMENT ON FUNCTION spm.component_rates(int) IS
'Rate schedule of a component, made from its tiers and options. NULL when it has no tiers.
component_id: key. Errors: 22023 for tiers that leave a gap.
Example: SELECT spm.component_rates(1);';

-- --------------------------------------------------------------- lookup tables

CREATE OR REPLACE FUNCTION spm.add_lookup(name text, dimensions text[], otherwise numeric DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id int;
BEGIN
    INSERT INTO spm.lookup (name, dimensions, otherwise) VALUES (add_lookup.name, add_lookup.dimensions, add_lookup.otherwise)
    RETURNING lookup_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.add_lookup(text, text[], numeric) IS
'Adds a lookup table of rates or factors with one to four dimensions, and returns its lookup_id. spm.set_lookup() fills it.
name: unique. dimensions: their names. otherwise: value where no row matches; NULL: that is an error.
Errors: 23505 when the name is taken, 23514 for more than four dimensions.
Example: SELECT spm.add_lookup(''Product rates'', ''{product}'');';

CREATE OR REPLACE FUNCTION spm.set_lookup(lookup text, cell text[], value numeric, since date DEFAULT '-infinity')
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_lookup int := spm._lookup_id(set_lookup.lookup);
    named text[] := (SELECT l.dimensions FROM spm.lookup l WHERE l.lookup_id = of_lookup);
    cells text[] := set_lookup.cell;
    these text[] := array(SELECT CASE WHEN e <> '*' AND e !~ '^[[(].*,.*[])]$' THEN e END FROM unnest(cells) WITH ORDINALITY u(e, o) ORDER BY o);
    spans numrange[];
    days daterange := daterange(nullif(set_lookup.since, '-infinity'), NULL);
    other spm.lookup_row;
    id int;
BEGIN
    IF cardinality(cells) IS DISTINCT FROM cardinality(named) OR array_position(cells, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'lookup table "%" has % dimensions', set_lookup.lookup, cardinality(named)
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('They are %s; the row has %s.', named, cells),
                  HINT = 'Give a value, a range such as [0,100), or * for any, for each.';
    END IF;
    spans := array(SELECT CASE WHEN e ~ '^[[(].*,.*[])]$' THEN e::numrange END FROM unnest(cells) WITH ORDINALITY u(e, o) ORDER BY o);
    -- from this day on another value: the row before ends
    UPDATE spm.lookup_row r SET span = daterange(lower(r.span), lower(days))
    WHERE r.lookup_id = of_lookup AND r.keys = these AND r.ranges = spans AND upper_inf(r.span) AND lower(days) > coalesce(lower(r.span), '-infinity');
    SELECT r.* INTO other FROM spm.lookup_row r
    WHERE r.lookup_id = of_lookup AND r.span && days AND NOT EXISTS (
        SELECT FROM generate_subscripts(cells, 1) i
        WHERE (r.keys[i] IS NULL) <> (these[i] IS NULL) OR (r.ranges[i] IS NULL) <> (spans[i] IS NULL)
           OR r.keys[i] <> these[i] OR NOT r.ranges[i] && spans[i]) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'lookup table "%" has a row that covers the same', set_lookup.lookup
            USING ERRCODE = 'exclusion_violation',
                  DETAIL = format('It is %s %s from %s; the new one is %s from %s.', other.keys, other.ranges, coalesce(lower(other.span)::text, 'ever'), cells, set_lookup.since),
                  HINT = 'Give ranges that do not overlap, or since a later day.';
    END IF;
    INSERT INTO spm.lookup_row (lookup_id, span, keys, ranges, value)
    VALUES (of_lookup, days, these, spans, set_lookup.value)
    RETURNING lookup_row_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_lookup(text, text[], numeric, date) IS
'Sets the value of a cell of a lookup table from a day on, and returns its lookup_row_id. Of several rows that match, the one with more dimensions given wins.
lookup: name. cell: for each dimension a value, a range such as (0,50], or * for any. value: rate or factor. since: first day of the transactions.
Errors: 42704 for an unknown table, 22023 for another number of dimensions, 22P02 for a range that cannot be read, 23P01 where a row covers the same.
Example: SELECT spm.set_lookup(''Product rates'', ''{BIKE}'', 0.05);';

CREATE OR REPLACE FUNCTION spm.lookup_value(lookup_id int, cell text[], day date)
    RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce((
        SELECT r.value FROM spm.lookup_row r
        WHERE r.lookup_id = l.lookup_id AND r.span @> lookup_value.day
          AND (r.keys[1] IS NULL OR r.keys[1] = lookup_value.cell[1])
          AND (r.ranges[1] IS NULL OR r.ranges[1] @> lookup_value.cell[1]::numeric)
          AND (r.keys[2] IS NULL OR r.keys[2] = lookup_value.cell[2])
          AND (r.ranges[2] IS NULL OR r.ranges[2] @> lookup_value.cell[2]::numeric)
          AND (r.keys[3] IS NULL OR r.keys[3] = lookup_value.cell[3])
          AND (r.ranges[3] IS NULL OR r.ranges[3] @> lookup_value.cell[3]::numeric)
          AND (r.keys[4] IS NULL OR r.keys[4] = lookup_value.cell[4])
          AND (r.ranges[4] IS NULL OR r.ranges[4] @> lookup_value.cell[4]::numeric)
        ORDER BY num_nonnulls(r.keys[1], r.keys[2], r.keys[3], r.keys[4], r.ranges[1], r.ranges[2], r.ranges[3], r.ranges[4]) DESC, r.lookup_row_id
        LIMIT 1), l.otherwise)
    FROM spm.lookup l WHERE l.lookup_id = lookup_value.lookup_id;
END;
COMMENT ON FUNCTION spm.lookup_value(int, text[], date) IS
'Value that a lookup table has for a cell on a day; of several rows that match that with more dimensions given. NULL: none matches.
lookup_id: key. cell: for each dimension a value. day: date.
Errors: 22P02 where a dimension with ranges is looked up by something that is no number.
Example: SELECT spm.lookup_value(1, ''{BIKE}'', ''2026-01-31'');';

-- ------------------------------------------------------------------ objectives

CREATE OR REPLACE FUNCTION spm.set_objective(payee text, period text, objective text, weight numeric, rating numeric DEFAULT NULL,
                                             reason text DEFAULT NULL, calendar text DEFAULT NULL)
    RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    who int := spm._payee_id(set_objective.payee);
    of_period int := spm._period_id(set_objective.period, set_objective.calendar);
    id int;
BEGIN
    SELECT o.objective_id INTO id FROM spm.objective o
    WHERE o.payee_id = who AND o.period_id = of_period AND o.name = set_objective.objective AND o.superseded_at IS NULL
      AND o.weight = set_objective.weight AND o.rating IS NOT DISTINCT FROM set_objective.rating
    FOR UPDATE;
    IF FOUND THEN
        RETURN id;
    END IF;
    UPDATE spm.objective o SET superseded_at = clock_timestamp()
    WHERE o.payee_id = who AND o.period_id = of_period AND o.name = set_objective.objective AND o.superseded_at IS NULL;
    INSERT INTO spm.objective (payee_id, period_id, name, weight, rating, reason)
    VALUES (who, of_period, set_objective.objective, set_objective.weight, set_objective.rating, set_objective.reason)
    RETURNING objective_id INTO id;
    RETURN id;
END
$$;
COMMENT ON FUNCTION spm.set_objective(text, text, text, numeric, numeric, text, text) IS
'Sets an objective of a payee for a period, or rates it, and returns its objective_id. What was there before is ended and kept. The weights of a payee and period must total 1 when they are paid by.
payee: payee_key. period: name. objective: its name. weight: share of the whole. rating: how far it was met, 1 is fully; NULL: not yet rated, counts as 0. reason: kept with the row. calendar: needed when two calendars have a period of that name.
Errors: 42704 for an unknown payee or period, 23514 for a weight outside 0 to 1 or a negative rating.
Example: SELECT spm.set_objective(''U-17'', ''2026-Q1'', ''Launch in Spain'', 0.4, 1.1);';
