-- What spm has to know of the warehouse.  Everything goes through public
-- functions; schema aw is only read.
\if :{?orders}
\else
\set orders aw.sales_order_header
\endif

-- Where the warehouse says it in other words, a view says it in ours.
CREATE SCHEMA adventureworks;

CREATE VIEW adventureworks.team AS
SELECT e.employee_id, p.first_name || ' ' || p.last_name AS name, e.job_title, e.hire_date,
       CASE WHEN d.name = (SELECT o.name FROM aw.employee_department_history g JOIN aw.department o USING (department_id)
                           WHERE g.employee_id = e.manager_id AND g.end_date IS NULL)
            THEN e.manager_id END AS manager_id
FROM aw.employee e
JOIN aw.person p ON p.person_id = e.employee_id
JOIN aw.employee_department_history h ON h.employee_id = e.employee_id AND h.end_date IS NULL
JOIN aw.department d USING (department_id)
WHERE d.name = 'Sales';
COMMENT ON VIEW adventureworks.team IS 'Who sells, or leads those who do, since when, and whom they report to; the vice president to nobody here.';

CREATE VIEW adventureworks.quota_window AS
SELECT DISTINCT quota_date FROM aw.sales_person_quota_history;
COMMENT ON VIEW adventureworks.quota_window IS 'First days of the windows that quotas are set for.';

\o /dev/null

-- Sales are booked and paid in dollars; reps abroad like to see their own currency as well.
SELECT spm.add_currency(c.currency_code, name => c.name)
FROM aw.currency c
WHERE c.currency_code IN ('USD', 'AUD', 'CAD', 'EUR', 'GBP')
  AND NOT EXISTS (SELECT FROM spm.currency k WHERE k.currency_code = c.currency_code);

-- Twelve windows, not quite quarters: each lasts until the next begins.
SELECT spm.load_periods('adventureworks', 'adventureworks.quota_window', start_column => 'quota_date',
                        grain => 'window', last_day => '2014-05-31');

-- One rate for each window, that of its last day, under a name of its own.
SELECT spm.set_exchange_rate('USD', r.to_currency_code, r.rate_date, r.end_of_day_rate, rate_type => 'window_end')
FROM spm.period p
JOIN spm.calendar c USING (calendar_id)
JOIN aw.currency_rate r ON r.rate_date = upper(p.span) - 1
WHERE c.name = 'adventureworks' AND r.from_currency_code = 'USD' AND r.to_currency_code IN ('AUD', 'CAD', 'EUR', 'GBP')
ORDER BY r.to_currency_code, r.rate_date;

-- People, their titles and the reporting tree, each from the day of hiring on.
SELECT spm.load_payees('adventureworks.team', key => 'employee_id', name => 'name', manager => 'manager_id',
                       title => 'job_title', since_column => 'hire_date');

-- The orders stay where they are.  Online orders have no rep.
SELECT spm.map_source('adventureworks', :'orders', key => 'sales_order_id', date => 'order_date',
                      owner => 'sales_person_id', amount => 'sub_total', account => 'customer_id',
                      fixed_currency => 'USD', fixed_type => 'booking', filter => 'NOT online_order_flag');

SELECT spm.add_measure('sales')
WHERE NOT EXISTS (SELECT FROM spm.measure WHERE name = 'sales');

SELECT spm.set_quota(h.sales_person_id::text, spm.period_on('adventureworks', 'window', h.quota_date), h.sales_quota, 'sales',
                     calendar => 'adventureworks')
FROM aw.sales_person_quota_history h
ORDER BY h.sales_person_id, h.quota_date;

\o
