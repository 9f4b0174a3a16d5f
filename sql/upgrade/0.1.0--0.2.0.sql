/*
 * 0.1.0--0.2.0: compensation gets its tables.
 */
-- include sql/compensation/tables.sql
