/*
 * compensation/tables_credit.sql: what goes up and down the tree, territories,
 * and credits that people enter.
 */

CREATE TABLE spm.rollup_factor (
    rollup_factor_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position_id int REFERENCES spm.position,
    title_id int REFERENCES spm.title,
    level smallint NOT NULL CHECK (level >= 0),
    span daterange NOT NULL CHECK (NOT isempty(span)),
    factor numeric NOT NULL CHECK (factor >= 0 AND factor < 'Infinity'),
    CONSTRAINT rollup_factor_target CHECK (num_nonnulls(position_id, title_id) <= 1),
    CONSTRAINT rollup_factor_overlap EXCLUDE USING gist
        (coalesce(position_id, 0) WITH =, coalesce(title_id, 0) WITH =, level WITH =, span WITH &&)
);
CREATE INDEX rollup_factor_position ON spm.rollup_factor (position_id);
CREATE INDEX rollup_factor_title ON spm.rollup_factor (title_id);
COMMENT ON TABLE spm.rollup_factor IS 'What a credit from below counts for in the seats above, by level. Without a row: 1. What is set for the position goes before its title, and that before everybody.';
COMMENT ON COLUMN spm.rollup_factor.rollup_factor_id IS 'Key.';
COMMENT ON COLUMN spm.rollup_factor.position_id IS 'Position above; at most one of position and title is set, none means everybody.';
COMMENT ON COLUMN spm.rollup_factor.title_id IS 'Title of the position above.';
COMMENT ON COLUMN spm.rollup_factor.level IS 'Levels that the credit has come up; 0: every level without a row of its own.';
COMMENT ON COLUMN spm.rollup_factor.span IS 'Days of the credits; end exclusive.';
COMMENT ON COLUMN spm.rollup_factor.factor IS 'Factor: 0.5 is half, 0 nothing.';

CREATE TABLE spm.rolldown (
    rolldown_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position_id int REFERENCES spm.position,
    title_id int REFERENCES spm.title,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    parts text NOT NULL CHECK (parts IN ('full', 'equal')),
    depth smallint CHECK (depth > 0),
    CONSTRAINT rolldown_target CHECK (num_nonnulls(position_id, title_id) = 1),
    CONSTRAINT rolldown_overlap EXCLUDE USING gist
        (coalesce(position_id, 0) WITH =, coalesce(title_id, 0) WITH =, span WITH &&)
);
CREATE INDEX rolldown_position ON spm.rolldown (position_id);
CREATE INDEX rolldown_title ON spm.rolldown (title_id);
COMMENT ON TABLE spm.rolldown IS 'Positions whose own credits also go to the seats below them. What is set for the position goes before its title.';
COMMENT ON COLUMN spm.rolldown.rolldown_id IS 'Key.';
COMMENT ON COLUMN spm.rolldown.position_id IS 'Position above; exactly one of position and title is set.';
COMMENT ON COLUMN spm.rolldown.title_id IS 'Title of the position above.';
COMMENT ON COLUMN spm.rolldown.span IS 'Days of the credits; end exclusive.';
COMMENT ON COLUMN spm.rolldown.parts IS 'full: every seat below is credited all of it; equal: it is divided among the seats that are taken on that day.';
COMMENT ON COLUMN spm.rolldown.depth IS 'Levels that it goes down. NULL: all.';

CREATE TABLE spm.territory_source (
    territory_source_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    match_expression text NOT NULL,
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    key_column text NOT NULL,
    owner_column text NOT NULL,
    since_column text,
    until_column text,
    share_column text,
    territory_model_id int REFERENCES spm.territory_model,
    territory_type text,
    CONSTRAINT territory_source_model CHECK ((territory_model_id IS NULL) = (territory_type IS NULL))
);
CREATE INDEX territory_source_model ON spm.territory_source (territory_model_id);
COMMENT ON TABLE spm.territory_source IS 'A relation that says who holds what: accounts, postcodes, products; or a model of territories. Written by spm.map_territory() and spm.credit_territories(); its rows are in the view spm.territory_claim.';
COMMENT ON COLUMN spm.territory_source.territory_source_id IS 'Key.';
COMMENT ON COLUMN spm.territory_source.name IS 'Name, unique.';
COMMENT ON COLUMN spm.territory_source.match_expression IS 'Checked expression: what of a transaction is looked up in the relation.';
COMMENT ON COLUMN spm.territory_source.relation_schema IS 'Schema of the relation.';
COMMENT ON COLUMN spm.territory_source.relation_name IS 'Table or view with one row per key and holder.';
COMMENT ON COLUMN spm.territory_source.key_column IS 'Column with what is held.';
COMMENT ON COLUMN spm.territory_source.owner_column IS 'Column with the holder''s payee_key.';
COMMENT ON COLUMN spm.territory_source.since_column IS 'Column with the first day. NULL, or NULL in a row: from the beginning.';
COMMENT ON COLUMN spm.territory_source.until_column IS 'Column with the day after the last. NULL, or NULL in a row: for good.';
COMMENT ON COLUMN spm.territory_source.share_column IS 'Column with the holder''s share, as a ratio. NULL: all of it.';
COMMENT ON COLUMN spm.territory_source.territory_model_id IS 'Model whose holders are credited: by its assignments or its rules, as relation_name says. NULL: the relation is mapped by the columns above.';
COMMENT ON COLUMN spm.territory_source.territory_type IS 'Type of its territories; NULL without a model.';

CREATE TABLE spm.manual_credit (
    manual_credit_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payee_id int NOT NULL REFERENCES spm.payee,
    event_date date NOT NULL,
    amount numeric NOT NULL CHECK (abs(amount) < 1e15),
    currency_code text NOT NULL REFERENCES spm.currency,
    type text NOT NULL CHECK (type <> ''),
    account_key text,
    product_key text,
    quantity numeric NOT NULL DEFAULT 0 CHECK (abs(quantity) < 1e15),
    cost numeric NOT NULL DEFAULT 0 CHECK (abs(cost) < 1e15),
    list_amount numeric NOT NULL CHECK (abs(list_amount) < 1e15),
    event text NOT NULL DEFAULT 'booking' CHECK (event <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    author text NOT NULL DEFAULT session_user,
    entered_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX manual_credit_payee ON spm.manual_credit (payee_id);
CREATE INDEX manual_credit_currency ON spm.manual_credit (currency_code);
CREATE INDEX manual_credit_date ON spm.manual_credit (event_date);
COMMENT ON TABLE spm.manual_credit IS 'A credit that somebody entered. It counts once another login has approved it, until it is withdrawn; rows never change.';
COMMENT ON COLUMN spm.manual_credit.manual_credit_id IS 'Key; M-<key> is its transaction_key, in source manual.';
COMMENT ON COLUMN spm.manual_credit.payee_id IS 'Payee who is credited.';
COMMENT ON COLUMN spm.manual_credit.event_date IS 'Day that decides period and seat.';
COMMENT ON COLUMN spm.manual_credit.amount IS 'Amount, in currency_code; negative to take back.';
COMMENT ON COLUMN spm.manual_credit.currency_code IS 'Currency.';
COMMENT ON COLUMN spm.manual_credit.type IS 'Type, for the conditions of components.';
COMMENT ON COLUMN spm.manual_credit.account_key IS 'Account.';
COMMENT ON COLUMN spm.manual_credit.product_key IS 'Product.';
COMMENT ON COLUMN spm.manual_credit.quantity IS 'Quantity.';
COMMENT ON COLUMN spm.manual_credit.cost IS 'Cost, for measures of margin.';
COMMENT ON COLUMN spm.manual_credit.list_amount IS 'Amount at list price, for measures of discount.';
COMMENT ON COLUMN spm.manual_credit.event IS 'booking, or the milestone that it stands for.';
COMMENT ON COLUMN spm.manual_credit.reason IS 'Why.';
COMMENT ON COLUMN spm.manual_credit.author IS 'Login that entered it.';
COMMENT ON COLUMN spm.manual_credit.entered_at IS 'When.';

CREATE TABLE spm.manual_credit_decision (
    manual_credit_decision_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    manual_credit_id int NOT NULL REFERENCES spm.manual_credit,
    decision text NOT NULL CHECK (decision IN ('approved', 'withdrawn')),
    reason text,
    decided_by text NOT NULL DEFAULT session_user,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (manual_credit_id, decision),
    CONSTRAINT manual_credit_decision_reason CHECK (decision = 'approved' OR reason <> '')
);
COMMENT ON TABLE spm.manual_credit_decision IS 'That a manual credit was approved, or withdrawn. Rows never change.';
COMMENT ON COLUMN spm.manual_credit_decision.manual_credit_decision_id IS 'Key.';
COMMENT ON COLUMN spm.manual_credit_decision.manual_credit_id IS 'Manual credit.';
COMMENT ON COLUMN spm.manual_credit_decision.decision IS 'approved: it counts; withdrawn: it counts no more.';
COMMENT ON COLUMN spm.manual_credit_decision.reason IS 'Why.';
COMMENT ON COLUMN spm.manual_credit_decision.decided_by IS 'Login that decided; who approves is another than the author.';
COMMENT ON COLUMN spm.manual_credit_decision.decided_at IS 'When.';

SELECT pg_catalog.pg_extension_config_dump('spm.rollup_factor', '');
SELECT pg_catalog.pg_extension_config_dump('spm.rollup_factor_rollup_factor_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.rolldown', '');
SELECT pg_catalog.pg_extension_config_dump('spm.rolldown_rolldown_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_source', '');
SELECT pg_catalog.pg_extension_config_dump('spm.territory_source_territory_source_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.manual_credit', '');
SELECT pg_catalog.pg_extension_config_dump('spm.manual_credit_manual_credit_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.manual_credit_decision', '');
SELECT pg_catalog.pg_extension_config_dump('spm.manual_credit_decision_manual_credit_decision_id_seq', '');
