-- A payee reads a statement: of the quarter under way, or of one before.
\set who random(1, :payees)
\set quarter random(1, 6)
SELECT spm.statement('S' || lpad(:who::text, 5, '0'), (ARRAY['2025-Q4', '2025-Q4', '2025-Q4', '2025-Q3', '2025-Q2', '2025-Q1'])[:quarter]);
