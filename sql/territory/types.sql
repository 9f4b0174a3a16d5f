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
