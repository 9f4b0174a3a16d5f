-- What README.md promises a newcomer: the same statements, the same output.
\set QUIET 1
\pset pager off
SET client_min_messages = warning;
\set ECHO none
\i examples/first_statement.sql
\set ECHO all
-- Lines of the example that README.md does not show:
\! sed -n '/^CREATE EXTENSION/,$p' examples/first_statement.sql | grep -vxF -f README.md
