/*
 * territory/tables.sql: models of territories, who holds them, the rules that
 * assign accounts to them, and what was assigned when.
 */

CREATE TABLE spm.territory_model (
    territory_model_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    state text NOT NULL DEFAULT 'plan' CHECK (state IN ('plan', 'active', 'archived')),
    relation_schema text,
    relation_name text,
    key_column text,
    family_column text,
    potential_column text,
    owner_column text,
    latitude_column text,
    longitude_column text,
    version bigint NOT NULL DEFAULT 1,
    CONSTRAINT territory_model_relation CHECK (num_nonnulls(relation_schema, relation_name, key_column) IN (0, 3)),
    CONSTRAINT territory_model_point CHECK (num_nonnulls(latitude_column, longitude_column) IN (0, 2))
);
COMMENT ON TABLE spm.territory_model IS 'A way of dividing the market: a tree of territories with rules, over one relation of accounts. Several may be planned beside the active one.';
COMMENT ON COLUMN spm.territory_model.territory_model_id IS 'Key.';
COMMENT ON COLUMN spm.territory_model.name IS 'Name, unique.';
COMMENT ON COLUMN spm.territory_model.state IS 'plan, active or archived. Credits follow active models; an archived one is no longer changed.';
COMMENT ON COLUMN spm.territory_model.relation_schema IS 'Schema of the relation of accounts. NULL: none is mapped.';
COMMENT ON COLUMN spm.territory_model.relation_name IS 'Table or view with one row per account.';
COMMENT ON COLUMN spm.territory_model.key_column IS 'Column with the account''s key.';
COMMENT ON COLUMN spm.territory_model.family_column IS 'Column with the key of the account that heads its family; a family is kept together. NULL: there are none.';
COMMENT ON COLUMN spm.territory_model.potential_column IS 'Column with what an account is worth, for coverage and gaps. NULL: every account counts 1.';
COMMENT ON COLUMN spm.territory_model.owner_column IS 'Column with the payee_key of the account''s owner, as the warehouse has it, to compare orders with. NULL: none.';
COMMENT ON COLUMN spm.territory_model.latitude_column IS 'Column with the latitude, degrees. NULL: none.';
COMMENT ON COLUMN spm.territory_model.longitude_column IS 'Column with the longitude, degrees. NULL: none.';
COMMENT ON COLUMN spm.territory_model.version IS 'Counted up by every change of its territories, attributes and rules: what a compiled book of rules is known by.';

CREATE TABLE spm.territory (
    territory_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    territory_model_id int NOT NULL REFERENCES spm.territory_model,
    territory_key text NOT NULL CHECK (territory_key <> ''),
    name text NOT NULL CHECK (name <> ''),
    type text NOT NULL DEFAULT 'primary' CHECK (type IN ('primary', 'overlay', 'specialist')),
    parent_territory_id int,
    span daterange NOT NULL DEFAULT '(,)' CHECK (NOT isempty(span)),
    UNIQUE (territory_model_id, territory_key),
    CONSTRAINT territory_parent_other CHECK (parent_territory_id <> territory_id)
);
-- No foreign key from a territory to its parent: pg_dump would warn of it at every
-- backup.  A trigger keeps the tree one.
CREATE INDEX territory_parent ON spm.territory (parent_territory_id);
COMMENT ON TABLE spm.territory IS 'A territory of a model; they form a tree.';
COMMENT ON COLUMN spm.territory.territory_id IS 'Key.';
COMMENT ON COLUMN spm.territory.territory_model_id IS 'Model it belongs to.';
COMMENT ON COLUMN spm.territory.territory_key IS 'Short name, unique in its model.';
COMMENT ON COLUMN spm.territory.name IS 'Name shown to people.';
COMMENT ON COLUMN spm.territory.type IS 'primary, overlay or specialist: an account belongs to one territory of each type at a time.';
COMMENT ON COLUMN spm.territory.parent_territory_id IS 'Territory above it, of the same model. NULL at the top.';
COMMENT ON COLUMN spm.territory.span IS 'Days on which it exists; end exclusive.';

CREATE TABLE spm.territory_holder (
    territory_holder_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    territory_id int NOT NULL REFERENCES spm.territory ON DELETE CASCADE,
    position_id int NOT NULL REFERENCES spm.position,
    role text NOT NULL DEFAULT 'owner' CHECK (role <> ''),
    share numeric NOT NULL DEFAULT 1 CHECK (share > 0 AND share <= 1),
    span daterange NOT NULL CHECK (NOT isempty(span)),
    CONSTRAINT territory_holder_overlap EXCLUDE USING gist (territory_id WITH =, position_id WITH =, role WITH =, span WITH &&)
);
CREATE INDEX territory_holder_territory ON spm.territory_holder (territory_id);
CREATE INDEX territory_holder_position ON spm.territory_holder (position_id);
COMMENT ON TABLE spm.territory_holder IS 'Which seat holds a territory, and when.';
COMMENT ON COLUMN spm.territory_holder.territory_holder_id IS 'Key.';
COMMENT ON COLUMN spm.territory_holder.territory_id IS 'Territory.';
COMMENT ON COLUMN spm.territory_holder.position_id IS 'Seat that holds it; credit goes to whoever sits there on the day.';
COMMENT ON COLUMN spm.territory_holder.role IS 'As what: owner, support ... Only owners are credited.';
COMMENT ON COLUMN spm.territory_holder.share IS 'Share of the credit, as a ratio.';
COMMENT ON COLUMN spm.territory_holder.span IS 'Days; end exclusive.';

CREATE TABLE spm.territory_attribute (
    territory_attribute_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    territory_model_id int NOT NULL REFERENCES spm.territory_model ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> ''),
    kind text NOT NULL CHECK (kind IN ('text', 'number', 'date', 'boolean', 'tree', 'point')),
    column_name text NOT NULL CHECK (column_name <> ''),
    longitude_column text,
    UNIQUE (territory_model_id, name),
    CONSTRAINT territory_attribute_point CHECK ((kind = 'point') = (longitude_column IS NOT NULL))
);
COMMENT ON TABLE spm.territory_attribute IS 'What rules of a model ask of a record.';
COMMENT ON COLUMN spm.territory_attribute.territory_attribute_id IS 'Key.';
COMMENT ON COLUMN spm.territory_attribute.territory_model_id IS 'Model.';
COMMENT ON COLUMN spm.territory_attribute.name IS 'Name in conditions, unique in its model.';
COMMENT ON COLUMN spm.territory_attribute.kind IS 'text (compared by bytes), number, date, boolean, tree (text in a hierarchy) or point (latitude and longitude).';
COMMENT ON COLUMN spm.territory_attribute.column_name IS 'Column of the record, or else key of its jsonb column attributes; of a point the latitude.';
COMMENT ON COLUMN spm.territory_attribute.longitude_column IS 'The same for the longitude of a point; else NULL.';

CREATE TABLE spm.territory_attribute_value (
    territory_attribute_id int NOT NULL REFERENCES spm.territory_attribute ON DELETE CASCADE,
    value text NOT NULL,
    parent_value text CHECK (parent_value <> value),
    PRIMARY KEY (territory_attribute_id, value)
);
COMMENT ON TABLE spm.territory_attribute_value IS 'The hierarchy of a tree attribute: postal code under county under state, industry under sector.';
COMMENT ON COLUMN spm.territory_attribute_value.territory_attribute_id IS 'Attribute of kind tree.';
COMMENT ON COLUMN spm.territory_attribute_value.value IS 'Value.';
COMMENT ON COLUMN spm.territory_attribute_value.parent_value IS 'Value above it. NULL at the top.';

CREATE TABLE spm.territory_rule (
    territory_rule_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    territory_id int NOT NULL REFERENCES spm.territory ON DELETE CASCADE,
    kind text NOT NULL DEFAULT 'rule' CHECK (kind IN ('exception', 'named', 'rule')),
    precedence int NOT NULL DEFAULT 1000,
    is_inherited boolean NOT NULL DEFAULT false,
    span daterange NOT NULL DEFAULT '(,)' CHECK (NOT isempty(span)),
    reason text
);
CREATE INDEX territory_rule_territory ON spm.territory_rule (territory_id);
COMMENT ON TABLE spm.territory_rule IS 'A rule: records that meet all its conditions belong to its territory, unless a rule that goes before it wins. Exceptions go before named accounts, those before rules; then the lower precedence, then more attributes asked, with those that it inherits, then more territories above that it inherits from, then the narrower level of a tree, then the lower key.';
COMMENT ON COLUMN spm.territory_rule.territory_rule_id IS 'Key.';
COMMENT ON COLUMN spm.territory_rule.territory_id IS 'Territory that it assigns to.';
COMMENT ON COLUMN spm.territory_rule.kind IS 'exception, named (a list of accounts) or rule.';
COMMENT ON COLUMN spm.territory_rule.precedence IS 'The lower goes first.';
COMMENT ON COLUMN spm.territory_rule.is_inherited IS 'Whether its conditions also bind the rules of all territories below.';
COMMENT ON COLUMN spm.territory_rule.span IS 'Days on which it holds; end exclusive.';
COMMENT ON COLUMN spm.territory_rule.reason IS 'Why it is there.';

CREATE TABLE spm.territory_condition (
    territory_condition_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    territory_rule_id int NOT NULL REFERENCES spm.territory_rule ON DELETE CASCADE,
    territory_attribute_id int NOT NULL REFERENCES spm.territory_attribute,
    operator text NOT NULL CHECK (operator IN ('in', 'range', 'prefix', 'under', 'null', 'within')),
    is_negated boolean NOT NULL DEFAULT false,
    operands text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX territory_condition_rule ON spm.territory_condition (territory_rule_id);
CREATE INDEX territory_condition_attribute ON spm.territory_condition (territory_attribute_id);
COMMENT ON TABLE spm.territory_condition IS 'A condition of a rule. All conditions of a rule must be met.';
COMMENT ON COLUMN spm.territory_condition.territory_condition_id IS 'Key.';
COMMENT ON COLUMN spm.territory_condition.territory_rule_id IS 'Rule.';
COMMENT ON COLUMN spm.territory_condition.territory_attribute_id IS 'Attribute that is asked.';
COMMENT ON COLUMN spm.territory_condition.operator IS 'in (one of operands), range (from operands[1] to operands[2], both included; NULL: no limit), prefix (begins with one of them), under (is one of them or below it in the tree), null, within (latitude, longitude, kilometres).';
COMMENT ON COLUMN spm.territory_condition.is_negated IS 'Whether it must not be met. As in SQL, a NULL value meets nothing but null, neither in nor its negation.';
COMMENT ON COLUMN spm.territory_condition.operands IS 'What it is compared with, as text.';

CREATE TABLE spm.territory_assignment (
    territory_assignment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    territory_model_id int NOT NULL REFERENCES spm.territory_model,
    account_key text NOT NULL CHECK (account_key <> ''),
    type text NOT NULL DEFAULT 'primary' CHECK (type IN ('primary', 'overlay', 'specialist')),
    territory_id int NOT NULL REFERENCES spm.territory,
    territory_rule_id int,
    origin text NOT NULL CHECK (origin IN ('rule', 'family', 'manual', 'design')),
    is_locked boolean NOT NULL DEFAULT false,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    CONSTRAINT territory_assignment_overlap EXCLUDE USING gist (account_key WITH =, type WITH =, territory_model_id WITH =, span WITH &&)
);
CREATE INDEX territory_assignment_account ON spm.territory_assignment (territory_model_id, account_key);
CREATE INDEX territory_assignment_territory ON spm.territory_assignment (territory_id);
COMMENT ON TABLE spm.territory_assignment IS 'Which account belonged to which territory when: one of each type at a time. Written by spm.assign_territories() and by hand; only what changes is written.';
COMMENT ON COLUMN spm.territory_assignment.territory_assignment_id IS 'Key.';
COMMENT ON COLUMN spm.territory_assignment.territory_model_id IS 'Model.';
COMMENT ON COLUMN spm.territory_assignment.account_key IS 'Account.';
COMMENT ON COLUMN spm.territory_assignment.type IS 'Type of the territory: primary, overlay or specialist.';
COMMENT ON COLUMN spm.territory_assignment.territory_id IS 'Territory.';
COMMENT ON COLUMN spm.territory_assignment.territory_rule_id IS 'Rule that won when it was assigned, which may be gone by now. NULL: none did.';
COMMENT ON COLUMN spm.territory_assignment.origin IS 'rule, family (it follows the head of its family), manual or design.';
COMMENT ON COLUMN spm.territory_assignment.is_locked IS 'Whether rules and designs leave it alone.';
COMMENT ON COLUMN spm.territory_assignment.span IS 'Days; end exclusive.';
COMMENT ON COLUMN spm.territory_assignment.reason IS 'Why, where somebody said so.';
COMMENT ON COLUMN spm.territory_assignment.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN spm.territory_assignment.recorded_by IS 'Login that recorded it.';

SELECT pg_catalog.pg_extension_config_dump('spm.territory_model', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_holder', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_attribute', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_attribute_value', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_rule', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_condition', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_assignment', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_model_territory_model_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_territory_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_holder_territory_holder_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_attribute_territory_attribute_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_rule_territory_rule_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_condition_territory_condition_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_assignment_territory_assignment_id_seq', '');
