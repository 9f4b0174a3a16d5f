/*
 * core/views.sql: what BI tools read of calendars, people and runs.
 */

CREATE OR REPLACE VIEW spm_bi.period WITH (security_invoker = true) AS
SELECT p.period_id, c.name AS calendar_name, p.grain, p.name AS period_name,
    lower(p.span) AS period_start, upper(p.span) AS period_end, upper(p.span) - 1 AS last_day,
    p.parent_period_id, parent.name AS parent_period_name, p.state, p.state = 'posted' AS is_posted,
    (row_number() OVER (PARTITION BY p.calendar_id, p.grain ORDER BY p.span))::int AS period_index
FROM spm.period AS p
JOIN spm.calendar AS c USING (calendar_id)
LEFT JOIN spm.period AS parent ON parent.period_id = p.parent_period_id;
COMMENT ON VIEW spm_bi.period IS 'One row per period of every calendar.';
COMMENT ON COLUMN spm_bi.period.period_id IS 'Period.';
COMMENT ON COLUMN spm_bi.period.calendar_name IS 'Calendar it belongs to.';
COMMENT ON COLUMN spm_bi.period.grain IS 'Kind of period: week, month, quarter, year, window.';
COMMENT ON COLUMN spm_bi.period.period_name IS 'Name, unique in its calendar.';
COMMENT ON COLUMN spm_bi.period.period_start IS 'First day.';
COMMENT ON COLUMN spm_bi.period.period_end IS 'Day after the last one, for conditions: day >= period_start and day < period_end.';
COMMENT ON COLUMN spm_bi.period.last_day IS 'Last day, for people.';
COMMENT ON COLUMN spm_bi.period.parent_period_id IS 'Period it is part of. NULL: none.';
COMMENT ON COLUMN spm_bi.period.parent_period_name IS 'Name of the period it is part of. NULL: none.';
COMMENT ON COLUMN spm_bi.period.state IS 'open, calculated or posted.';
COMMENT ON COLUMN spm_bi.period.is_posted IS 'Whether it is closed: what is paid for it is final.';
COMMENT ON COLUMN spm_bi.period.period_index IS 'Place among the periods of its calendar and grain, from 1; subtract 1 for the period before.';

CREATE OR REPLACE VIEW spm_bi.day WITH (security_invoker = true) AS
SELECT c.name AS calendar_name, p.grain, d.day::date AS day, p.period_id, p.name AS period_name,
    CASE 'month' WHEN p.grain THEN p.name WHEN p1.grain THEN p1.name WHEN p2.grain THEN p2.name END AS month_name,
    CASE 'quarter' WHEN p.grain THEN p.name WHEN p1.grain THEN p1.name WHEN p2.grain THEN p2.name END AS quarter_name,
    CASE 'year' WHEN p.grain THEN p.name WHEN p1.grain THEN p1.name WHEN p2.grain THEN p2.name END AS year_name,
    extract(isodow FROM d.day)::int AS weekday_index, extract(isodow FROM d.day) > 5 AS is_weekend,
    d.day::date - lower(p.span) + 1 AS day_index, upper(p.span) - lower(p.span) AS day_count
FROM spm.period AS p
JOIN spm.calendar AS c USING (calendar_id)
CROSS JOIN LATERAL generate_series(lower(p.span)::timestamp, (upper(p.span) - 1)::timestamp, interval '1 day') AS d (day)
LEFT JOIN spm.period AS p1 ON p1.period_id = p.parent_period_id
LEFT JOIN spm.period AS p2 ON p2.period_id = p1.parent_period_id
WHERE NOT EXISTS (SELECT FROM spm.period AS part WHERE part.parent_period_id = p.period_id);
COMMENT ON VIEW spm_bi.day IS 'One row per calendar, day and finest period that holds it: the day dimension. Filter on calendar_name (and grain, where a calendar has windows beside its months).';
COMMENT ON COLUMN spm_bi.day.calendar_name IS 'Calendar.';
COMMENT ON COLUMN spm_bi.day.grain IS 'Kind of the finest period: week, month, quarter, year, window.';
COMMENT ON COLUMN spm_bi.day.day IS 'Day.';
COMMENT ON COLUMN spm_bi.day.period_id IS 'Finest period that holds the day.';
COMMENT ON COLUMN spm_bi.day.period_name IS 'Name of that period.';
COMMENT ON COLUMN spm_bi.day.month_name IS 'Month of the calendar. NULL: it has none.';
COMMENT ON COLUMN spm_bi.day.quarter_name IS 'Quarter of the calendar. NULL: it has none.';
COMMENT ON COLUMN spm_bi.day.year_name IS 'Year of the calendar. NULL: it has none.';
COMMENT ON COLUMN spm_bi.day.weekday_index IS 'Day of the week: 1 Monday to 7 Sunday.';
COMMENT ON COLUMN spm_bi.day.is_weekend IS 'Whether it is a Saturday or Sunday.';
COMMENT ON COLUMN spm_bi.day.day_index IS 'Place of the day in its finest period, from 1.';
COMMENT ON COLUMN spm_bi.day.day_count IS 'Days of its finest period. Not additive.';

CREATE OR REPLACE VIEW spm_bi.payee WITH (security_invoker = true) AS
SELECT y.payee_id, y.payee_key, y.name AS payee_name, s.position_id, s.position_key, s.name AS position_name, t.name AS title_name,
    m.position_id AS manager_position_id, m.name AS manager_position_name,
    boss.payee_id AS manager_payee_id, boss.payee_key AS manager_payee_key, boss.name AS manager_payee_name
FROM spm.payee AS y
LEFT JOIN spm.position_assignment AS a ON a.payee_id = y.payee_id AND a.is_primary AND a.span @> current_date
LEFT JOIN spm.position AS s ON s.position_id = a.position_id
LEFT JOIN spm.title AS t ON t.title_id = s.title_id
LEFT JOIN spm.reporting_line AS l ON l.position_id = a.position_id AND l.span @> current_date
LEFT JOIN spm.position AS m ON m.position_id = l.manager_position_id
LEFT JOIN spm.position_assignment AS b ON b.position_id = l.manager_position_id AND b.span @> current_date
LEFT JOIN spm.payee AS boss ON boss.payee_id = b.payee_id;
COMMENT ON VIEW spm_bi.payee IS 'One row per payee, as of today: primary seat, title and manager. For other days see position_history and hierarchy.';
COMMENT ON COLUMN spm_bi.payee.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.payee.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.payee.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.payee.position_id IS 'Primary seat. NULL: none today.';
COMMENT ON COLUMN spm_bi.payee.position_key IS 'Key of the primary seat.';
COMMENT ON COLUMN spm_bi.payee.position_name IS 'Name of the primary seat.';
COMMENT ON COLUMN spm_bi.payee.title_name IS 'Title of that seat. NULL: none.';
COMMENT ON COLUMN spm_bi.payee.manager_position_id IS 'Seat that it reports to. NULL: none.';
COMMENT ON COLUMN spm_bi.payee.manager_position_name IS 'Name of the seat that it reports to.';
COMMENT ON COLUMN spm_bi.payee.manager_payee_id IS 'Who sits there. NULL: vacant, or none.';
COMMENT ON COLUMN spm_bi.payee.manager_payee_key IS 'Key in the warehouse of who sits there.';
COMMENT ON COLUMN spm_bi.payee.manager_payee_name IS 'Name of who sits there.';

CREATE OR REPLACE VIEW spm_bi.position_history WITH (security_invoker = true) AS
SELECT a.position_assignment_id, s.position_id, s.position_key, s.name AS position_name, t.name AS title_name,
    y.payee_id, y.payee_key, y.name AS payee_name,
    lower(a.span) AS since, upper(a.span) AS until, upper(a.span) - 1 AS last_day,
    a.is_primary, a.span @> current_date AS is_current
FROM spm.position_assignment AS a
JOIN spm.position AS s USING (position_id)
JOIN spm.payee AS y USING (payee_id)
LEFT JOIN spm.title AS t USING (title_id);
COMMENT ON VIEW spm_bi.position_history IS 'One row per time that a payee holds a seat: who sat where when.';
COMMENT ON COLUMN spm_bi.position_history.position_assignment_id IS 'Assignment.';
COMMENT ON COLUMN spm_bi.position_history.position_id IS 'Seat.';
COMMENT ON COLUMN spm_bi.position_history.position_key IS 'Key of the seat.';
COMMENT ON COLUMN spm_bi.position_history.position_name IS 'Name of the seat.';
COMMENT ON COLUMN spm_bi.position_history.title_name IS 'Title of the seat. NULL: none.';
COMMENT ON COLUMN spm_bi.position_history.payee_id IS 'Payee.';
COMMENT ON COLUMN spm_bi.position_history.payee_key IS 'Key of the payee in the warehouse.';
COMMENT ON COLUMN spm_bi.position_history.payee_name IS 'Name of the payee.';
COMMENT ON COLUMN spm_bi.position_history.since IS 'First day. NULL: always.';
COMMENT ON COLUMN spm_bi.position_history.until IS 'Day after the last one. NULL: no end.';
COMMENT ON COLUMN spm_bi.position_history.last_day IS 'Last day. NULL: no end.';
COMMENT ON COLUMN spm_bi.position_history.is_primary IS 'Whether the payee''s own transactions are credited to this seat.';
COMMENT ON COLUMN spm_bi.position_history.is_current IS 'Whether it holds today.';

CREATE OR REPLACE VIEW spm_bi.hierarchy WITH (security_invoker = true) AS
SELECT x.position_id, s.position_key, s.name AS position_name,
    x.ancestor_position_id, a.position_key AS ancestor_position_key, a.name AS ancestor_position_name,
    x.depth::int AS depth, lower(x.span) AS since, upper(x.span) AS until, x.span @> current_date AS is_current
FROM spm.position_path AS x
JOIN spm.position AS s ON s.position_id = x.position_id
JOIN spm.position AS a ON a.position_id = x.ancestor_position_id;
COMMENT ON VIEW spm_bi.hierarchy IS 'One row per seat, seat above it at any distance, and time for which that holds. For the tree of today filter on is_current.';
COMMENT ON COLUMN spm_bi.hierarchy.position_id IS 'Seat below.';
COMMENT ON COLUMN spm_bi.hierarchy.position_key IS 'Key of the seat below.';
COMMENT ON COLUMN spm_bi.hierarchy.position_name IS 'Name of the seat below.';
COMMENT ON COLUMN spm_bi.hierarchy.ancestor_position_id IS 'Seat above.';
COMMENT ON COLUMN spm_bi.hierarchy.ancestor_position_key IS 'Key of the seat above.';
COMMENT ON COLUMN spm_bi.hierarchy.ancestor_position_name IS 'Name of the seat above.';
COMMENT ON COLUMN spm_bi.hierarchy.depth IS 'Levels between them: 1 for the direct manager.';
COMMENT ON COLUMN spm_bi.hierarchy.since IS 'First day. NULL: always.';
COMMENT ON COLUMN spm_bi.hierarchy.until IS 'Day after the last one. NULL: no end.';
COMMENT ON COLUMN spm_bi.hierarchy.is_current IS 'Whether it holds today.';

CREATE OR REPLACE VIEW spm_bi.run WITH (security_invoker = true) AS
SELECT r.run_id, r.kind AS run_kind, r.period_id, c.name AS calendar_name, p.name AS period_name, lower(p.span) AS period_start,
    r.started_at, r.finished_at, (extract(epoch FROM r.finished_at - r.started_at) * 1000)::bigint AS duration_ms,
    r.started_by, r.version AS spm_version,
    r.transaction_count, r.uncredited_count, r.credit_count, r.payee_count, r.earning_count, r.changed_count, r.late_period_count
FROM spm.run AS r
JOIN spm.period AS p USING (period_id)
JOIN spm.calendar AS c USING (calendar_id);
COMMENT ON VIEW spm_bi.run IS 'One row per calculation, refresh or posting that succeeded.';
COMMENT ON COLUMN spm_bi.run.run_id IS 'Run, as stamped on every result row that it wrote.';
COMMENT ON COLUMN spm_bi.run.run_kind IS 'calculate, refresh or post.';
COMMENT ON COLUMN spm_bi.run.period_id IS 'Period it ran for.';
COMMENT ON COLUMN spm_bi.run.calendar_name IS 'Calendar of the period.';
COMMENT ON COLUMN spm_bi.run.period_name IS 'Name of the period.';
COMMENT ON COLUMN spm_bi.run.period_start IS 'First day of the period.';
COMMENT ON COLUMN spm_bi.run.started_at IS 'When it began.';
COMMENT ON COLUMN spm_bi.run.finished_at IS 'When it ended.';
COMMENT ON COLUMN spm_bi.run.duration_ms IS 'Milliseconds that it took. Additive.';
COMMENT ON COLUMN spm_bi.run.started_by IS 'Login that ran it.';
COMMENT ON COLUMN spm_bi.run.spm_version IS 'Version of spm that ran.';
COMMENT ON COLUMN spm_bi.run.transaction_count IS 'Transactions of the period. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.uncredited_count IS 'Of those, transactions that nobody was credited for. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.credit_count IS 'Credits of the period. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.payee_count IS 'Payees measured. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.earning_count IS 'Deal earnings of the period. Not additive over runs of a period.';
COMMENT ON COLUMN spm_bi.run.changed_count IS 'Result rows added or removed; 0 when nothing had changed. Additive.';
COMMENT ON COLUMN spm_bi.run.late_period_count IS 'Posted periods that were recalculated because their input had changed. Additive.';

CREATE OR REPLACE VIEW spm_bi.dictionary WITH (security_invoker = true) AS
SELECT c.relname::text AS view_name, obj_description(c.oid, 'pg_class') AS view_comment,
    row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum)::int AS column_index, a.attname::text AS column_name,
    format_type(a.atttypid, a.atttypmod) AS data_type, col_description(c.oid, a.attnum) AS column_comment
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'spm_bi'::regnamespace AND c.relkind = 'v';
COMMENT ON VIEW spm_bi.dictionary IS 'One row per column of every view in this schema: what it means.';
COMMENT ON COLUMN spm_bi.dictionary.view_name IS 'View.';
COMMENT ON COLUMN spm_bi.dictionary.view_comment IS 'What a row of the view is.';
COMMENT ON COLUMN spm_bi.dictionary.column_index IS 'Place of the column in the view, from 1.';
COMMENT ON COLUMN spm_bi.dictionary.column_name IS 'Column.';
COMMENT ON COLUMN spm_bi.dictionary.data_type IS 'Type of the column.';
COMMENT ON COLUMN spm_bi.dictionary.column_comment IS 'What the column holds, and whether it may be added up.';
