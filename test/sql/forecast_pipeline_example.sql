-- What examples/pipeline.sql shows, from the deals of a CRM to why their forecast moved.
\set QUIET 1
\pset pager off
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
\set ECHO none
\i examples/pipeline.sql
