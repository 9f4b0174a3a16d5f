-- What examples/quota_plan.sql shows, from a table of sellers to a plan that waits for approval.
\set QUIET 1
\pset pager off
SET client_min_messages = warning;
\set ECHO none
\i examples/quota_plan.sql
