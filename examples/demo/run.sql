/*
 * run.sql: a company from its warehouse to its statements, in a database of its own.
 *
 *   createdb demo && psql -d demo -f examples/demo/run.sql        (make demo does it)
 *
 * A second run shows the results again.  -v orders=2000 makes a small company.
 */
\set ON_ERROR_STOP 1
\set QUIET 1
\pset pager off
\pset footer off
\pset null ''
SET client_min_messages = warning;
\if :{?orders}
\else
    \set orders 100000
\endif
SELECT clock_timestamp() AS started \gset
\set clock 'SELECT format(''%s s'', round(extract(epoch FROM clock_timestamp() - :''started''), 1)) AS elapsed'
SELECT pg_catalog.to_regnamespace('demo') IS NOT NULL AS is_there \gset
\if :is_there
    \echo 'The company is there already; here are its results.'
\else
    \ir begin.sql
    \ir calculate.sql
\endif
\ir show.sql
