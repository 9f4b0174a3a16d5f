-- What examples/odds.sql shows: odds, pace, attainment and cost of one pipeline, and how good such forecasts would have been.
\set QUIET 1
\pset pager off
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
\set ECHO none
\i examples/odds.sql
