-- Each window in its turn: calculated, then posted for good.
SELECT format('CALL spm.%s(%L, %L)', s.step, p.name, c.name)
FROM spm.period p
JOIN spm.calendar c USING (calendar_id)
CROSS JOIN (VALUES (1, 'calculate'), (2, 'post')) s(no, step)
WHERE c.name = 'adventureworks' AND p.state <> 'posted'
ORDER BY p.span, s.no
\gexec
