/*
 * compensation/tables_component.sql: what a component stands on besides its own
 * credits: results of other components, lookup tables, objectives.
 *
 * Other components are meant by name, within the same plan version: so that a
 * version can be copied, compared and exported as it is.
 */

CREATE TABLE spm.component_input (
    component_id int NOT NULL REFERENCES spm.component ON DELETE CASCADE,
    input_no int NOT NULL CHECK (input_no > 0),
    of_component text NOT NULL CHECK (of_component <> ''),
    figure text NOT NULL CHECK (figure IN ('amount', 'attainment', 'earned', 'quota')),
    scope text NOT NULL DEFAULT 'own' CHECK (scope IN ('own', 'team', 'plan')),
    weight numeric NOT NULL DEFAULT 1 CHECK (weight NOT IN ('NaN', 'Infinity', '-Infinity')),
    PRIMARY KEY (component_id, input_no)
);
COMMENT ON TABLE spm.component_input IS 'What a component with basis result, rank or pool is reckoned from: figures of other components of its version.';
COMMENT ON COLUMN spm.component_input.component_id IS 'Component.';
COMMENT ON COLUMN spm.component_input.input_no IS 'Order among its inputs.';
COMMENT ON COLUMN spm.component_input.of_component IS 'Name of the other component.';
COMMENT ON COLUMN spm.component_input.figure IS 'amount: its total; attainment: total by quota; earned: what it earns; quota: the quota.';
COMMENT ON COLUMN spm.component_input.scope IS 'own: of the same seat; team: of all seats with the same manager; plan: of everybody on the plan.';
COMMENT ON COLUMN spm.component_input.weight IS 'Figures are multiplied by it and added up.';

-- --------------------------------------------------------------- lookup tables

CREATE TABLE spm.lookup (
    lookup_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    dimensions text[] NOT NULL CHECK (cardinality(dimensions) BETWEEN 1 AND 4 AND array_position(dimensions, NULL) IS NULL),
    otherwise numeric CHECK (otherwise NOT IN ('NaN', 'Infinity', '-Infinity'))
);
COMMENT ON TABLE spm.lookup IS 'A table of rates or factors with one to four dimensions.';
COMMENT ON COLUMN spm.lookup.lookup_id IS 'Key.';
COMMENT ON COLUMN spm.lookup.name IS 'Name, unique.';
COMMENT ON COLUMN spm.lookup.dimensions IS 'Names of its dimensions, in order.';
COMMENT ON COLUMN spm.lookup.otherwise IS 'Value where no row matches. NULL: that is an error.';

ALTER TABLE spm.component ADD FOREIGN KEY (lookup_id) REFERENCES spm.lookup;

CREATE TABLE spm.lookup_row (
    lookup_row_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lookup_id int NOT NULL REFERENCES spm.lookup ON DELETE CASCADE,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    keys text[] NOT NULL CHECK (cardinality(keys) BETWEEN 1 AND 4),
    ranges numrange[] NOT NULL CHECK (cardinality(ranges) = cardinality(keys)),
    value numeric NOT NULL CHECK (value NOT IN ('NaN', 'Infinity', '-Infinity'))
);
CREATE INDEX lookup_row_lookup ON spm.lookup_row (lookup_id);
COMMENT ON TABLE spm.lookup_row IS 'A row of a lookup table: for each dimension a value, a range, or neither for any.';
COMMENT ON COLUMN spm.lookup_row.lookup_row_id IS 'Key.';
COMMENT ON COLUMN spm.lookup_row.lookup_id IS 'Lookup table.';
COMMENT ON COLUMN spm.lookup_row.span IS 'Days on which the row holds; end exclusive.';
COMMENT ON COLUMN spm.lookup_row.keys IS 'For each dimension the value that matches, or NULL.';
COMMENT ON COLUMN spm.lookup_row.ranges IS 'For each dimension the range of numbers that matches, or NULL.';
COMMENT ON COLUMN spm.lookup_row.value IS 'Value found.';

-- ------------------------------------------------------------------- modifiers

CREATE TABLE spm.modifier (
    modifier_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    component_id int NOT NULL REFERENCES spm.component ON DELETE CASCADE,
    modifier_no int NOT NULL CHECK (modifier_no > 0),
    kind text NOT NULL CHECK (kind IN ('gate', 'multiply', 'add', 'at most', 'at least', 'cap', 'floor')),
    of_components text[] NOT NULL DEFAULT '{}',
    figures text[] NOT NULL DEFAULT '{}' CHECK (cardinality(figures) <= 4
        AND figures <@ '{amount,attainment,earned,quota,credits}' AND cardinality(figures) = cardinality(of_components)),
    scope text NOT NULL DEFAULT 'own' CHECK (scope IN ('own', 'team', 'plan')),
    rates text,
    lookup_id int REFERENCES spm.lookup,
    variable_id int REFERENCES spm.variable,
    value numeric CHECK (value NOT IN ('NaN', 'Infinity', '-Infinity')),
    is_strict boolean NOT NULL DEFAULT false,
    UNIQUE (component_id, modifier_no),
    CONSTRAINT modifier_value CHECK (num_nonnulls(rates, lookup_id) <= 1
        AND (num_nonnulls(rates, lookup_id) = 0 OR cardinality(figures) > 0)
        AND (rates IS NULL OR cardinality(figures) = 1)),
    CONSTRAINT modifier_gate CHECK (kind <> 'gate' OR (value IS NOT NULL AND cardinality(figures) = 1))
);
CREATE INDEX modifier_lookup ON spm.modifier (lookup_id);
CREATE INDEX modifier_variable ON spm.modifier (variable_id);
COMMENT ON TABLE spm.modifier IS 'What makes a component pay more or less by its own or another component''s result: gates, multipliers, limits. Applied in order.';
COMMENT ON COLUMN spm.modifier.modifier_id IS 'Key.';
COMMENT ON COLUMN spm.modifier.component_id IS 'Component.';
COMMENT ON COLUMN spm.modifier.modifier_no IS 'Order in which modifiers are applied.';
COMMENT ON COLUMN spm.modifier.kind IS 'On the factor of all rates: multiply, add, at most, at least; gate: 0 unless the figure reaches value. On what is earned: cap, floor, in money.';
COMMENT ON COLUMN spm.modifier.of_components IS 'Names of the components whose figures count; empty text: the component itself.';
COMMENT ON COLUMN spm.modifier.figures IS 'For each of them: amount, attainment, earned, quota or credits (their number).';
COMMENT ON COLUMN spm.modifier.scope IS 'own: of the same seat; team: of all seats with the same manager; plan: of everybody on the plan.';
COMMENT ON COLUMN spm.modifier.rates IS 'Rate schedule that turns the figure into a value. NULL: the figure itself, or 1 without figure.';
COMMENT ON COLUMN spm.modifier.lookup_id IS 'Lookup table that turns the figures into a value.';
COMMENT ON COLUMN spm.modifier.variable_id IS 'Variable that the value is multiplied by: a cap of 250 % of salary.';
COMMENT ON COLUMN spm.modifier.value IS 'gate: what the figure must reach; others: a number that the value is multiplied by.';
COMMENT ON COLUMN spm.modifier.is_strict IS 'gate: whether the figure must lie above value.';

-- ------------------------------------------------------------------ objectives

CREATE TABLE spm.objective (
    objective_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payee_id int NOT NULL REFERENCES spm.payee,
    period_id int NOT NULL REFERENCES spm.period,
    name text NOT NULL CHECK (name <> ''),
    weight numeric NOT NULL CHECK (weight > 0 AND weight <= 1),
    rating numeric CHECK (rating >= 0 AND rating < 'Infinity'),
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    superseded_at timestamptz
);
CREATE UNIQUE INDEX objective_current ON spm.objective (payee_id, period_id, name) WHERE superseded_at IS NULL;
CREATE INDEX objective_payee ON spm.objective (payee_id);
CREATE INDEX objective_period ON spm.objective (period_id);
COMMENT ON TABLE spm.objective IS 'A weighted objective (MBO) of a payee in a period, and how far it was met. A change adds a row and ends the one before.';
COMMENT ON COLUMN spm.objective.objective_id IS 'Key.';
COMMENT ON COLUMN spm.objective.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.objective.period_id IS 'Period.';
COMMENT ON COLUMN spm.objective.name IS 'What is to be achieved.';
COMMENT ON COLUMN spm.objective.weight IS 'Share of the whole: 0.4 is 40 %. The weights of a payee and period total 1.';
COMMENT ON COLUMN spm.objective.rating IS 'How far it was met: 1 is fully. NULL: not rated, counts as 0.';
COMMENT ON COLUMN spm.objective.reason IS 'Why it was set, rated or changed.';
COMMENT ON COLUMN spm.objective.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm.objective.recorded_by IS 'Login that recorded it.';
COMMENT ON COLUMN spm.objective.superseded_at IS 'When a later row took its place. NULL: it counts.';

SELECT pg_catalog.pg_extension_config_dump('spm.component_input', '');
SELECT pg_catalog.pg_extension_config_dump('spm.lookup', '');
SELECT pg_catalog.pg_extension_config_dump('spm.lookup_lookup_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.lookup_row', '');
SELECT pg_catalog.pg_extension_config_dump('spm.lookup_row_lookup_row_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.modifier', '');
SELECT pg_catalog.pg_extension_config_dump('spm.modifier_modifier_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.objective', '');
SELECT pg_catalog.pg_extension_config_dump('spm.objective_objective_id_seq', '');
