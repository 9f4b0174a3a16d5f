-- Who earns what.
\o /dev/null

-- Every rep has a rate and a bonus of their own.
SELECT spm.set_variable('commission_pct', commission_pct, payee => sales_person_id::text),
       spm.set_variable('bonus', bonus, payee => sales_person_id::text)
FROM aw.sales_person
ORDER BY sales_person_id;

SELECT spm.create_plan('AdventureWorks sales', 'adventureworks', 'USD', since => '2011-05-31');
-- Each deal at one's own rate, from the first dollar.
SELECT spm.add_component('AdventureWorks sales', 'Commission', '0: 100%', variable => 'commission_pct');
-- And on top of it: 8 % up to 80 % of quota, 10 % up to quota, 14 % beyond, each slice at its own rate.
SELECT spm.add_component('AdventureWorks sales', 'Accelerator', '0%: 8%, 80%: 10%, 100%: 14%', quota => 'sales');
-- The whole bonus, once, by the deal that reaches quota.
SELECT spm.add_component('AdventureWorks sales', 'Bonus', '100%: 1 bonus', quota => 'sales', variable => 'bonus');

SELECT spm.create_plan('AdventureWorks management', 'adventureworks', 'USD', since => '2011-05-31');
-- 1 % of all that is sold below, down to the last level; one's own deals are on the sales plan.
SELECT spm.add_component('AdventureWorks management', 'Override', '0: 1%', credits => 'rollup');

-- Whoever carries a quota is on the sales plan from the first one on: 14 reps, and 3 managers who also sell.
SELECT spm.assign_plan('AdventureWorks sales', since => min(quota_date), payee => sales_person_id::text)
FROM aw.sales_person_quota_history
GROUP BY sales_person_id ORDER BY sales_person_id;
-- Managers and the vice president are paid by title, from the day they are in the seat.
SELECT spm.assign_plan('AdventureWorks management', since => '2011-05-31', title => job_title)
FROM adventureworks.team
WHERE employee_id IN (SELECT manager_id FROM adventureworks.team)
GROUP BY job_title ORDER BY job_title;

SELECT spm.publish_plan('AdventureWorks sales');
SELECT spm.publish_plan('AdventureWorks management');

\o
