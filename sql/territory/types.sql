/*
 * territory/types.sql: what is known of an account on a day.
 */

CREATE TYPE spm.territory_account AS (
    account_key text,
    type text,
    head_account_key text,
    potential numeric,
    latitude numeric,
    longitude numeric,
    territory_id int,
    is_locked boolean
);
COMMENT ON TYPE spm.territory_account IS 'An account on a day. account_key: its key; type: of the territory; head_account_key: head of its family, NULL for itself; potential: what it is worth; latitude, longitude: degrees; territory_id: territory of that type, NULL for none; is_locked: whether rules and designs leave it alone.';

CREATE TYPE spm.territory_defect AS (
    kind text,
    key text,
    payee_key text,
    territory_key text,
    event_date date,
    amount numeric,
    detail text,
    repair text,
    accept text
);
COMMENT ON TYPE spm.territory_defect IS 'Where people, orders and territories contradict each other. kind: holder, outside, other owner or no territory; key: of the defect; payee_key: whom it is about; territory_key: territory that is named; event_date, amount: of the order; detail: what contradicts what; repair, accept: SQL that ends it.';
