# What core keeps comes back from a backup to the row: triggers that fire while
# rows are loaded refuse nothing, double nothing, and derive what is not dumped.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION spm CASCADE;
SELECT spm.add_currency('USD'), spm.add_currency('EUR');
SELECT spm.set_exchange_rate('EUR', 'USD', '2026-01-01', 1.1), spm.set_exchange_rate('EUR', 'USD', '2026-02-01', 1.2);
SELECT spm.create_calendar('fiscal', 'month', '2026-01-01', '2027-01-01'), spm.create_calendar('retail', '4-4-5', '2026-02-01', '2027-01-31');
CREATE TABLE campaign (d date, e date);
INSERT INTO campaign VALUES ('2026-01-01', '2026-01-31'), ('2026-03-01', '2026-03-31');
SELECT spm.load_periods('campaigns', 'campaign', 'd', 'e', is_gapless => false);
UPDATE spm.period SET state = 'calculated' WHERE name IN ('2026-01', '2026-02', '2026-03');
UPDATE spm.period SET state = 'posted' WHERE name IN ('2026-01', '2026-02');
SELECT spm.reopen_period('2026-02', 'bank returned the file');
CREATE TABLE staff (id int, name text, boss int, role text);
INSERT INTO staff SELECT i, 'P' || i, nullif((i + 2) / 4, 0), 'AE' FROM generate_series(2, 300) i UNION ALL SELECT 1, 'P1', NULL, 'VP';
SELECT spm.load_payees('staff', 'id', 'name', 'boss', 'role');
-- the later change is the line that is stored first: rows are loaded in any order
SELECT spm.set_manager('300', '1', '2026-06-01'), spm.set_manager('299', '300', '2026-07-01'), spm.set_manager('2', '3', '2026-08-01');
CREATE TABLE deal (id int, on_day date, seller int, amount numeric(12,2), stage text);
INSERT INTO deal SELECT i, '2026-01-01'::date + i, 1 + i % 300, i, CASE WHEN i % 10 = 0 THEN 'lost' ELSE 'won' END FROM generate_series(1, 300) i;
CREATE TABLE sharer (deal int, who int, pct int);
INSERT INTO sharer VALUES (1, 2, 50), (1, 3, 50);
SELECT spm.map_source('deals', 'deal', 'id', 'on_day', 'seller', 'amount', fixed_currency => 'USD', attributes => '{stage}', filter => $$stage = 'won'$$);
SELECT spm.map_split('deals', 'sharer', 'deal', 'who', 'pct', share_unit => 'percent');
CREATE VIEW of_the_user AS SELECT sum(amount) FROM spm.transaction;
INSERT INTO spm.run (kind, period_id, version) SELECT 'calculate', period_id, '1' FROM spm.period WHERE name = '2026-01';
SQL

# Every table of the extension, and what views make of them, as one line each; but
# marks of what has changed are left out, since a restore leaves its own.
my $content = <<'SQL';
SELECT format('%s: %s rows, %s', t.oid::regclass, x[1], x[2])
FROM pg_class t
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e'
CROSS JOIN LATERAL (SELECT xpath('//n/text()|//m/text()', query_to_xml(
	format('SELECT count(*) AS n, md5(string_agg(r::text, chr(10) ORDER BY r::text)) AS m FROM %s r', t.oid::regclass), false, false, ''))::text[]) v (x)
WHERE t.relkind = 'r' AND t.relname NOT IN ('position_path_version', 'change')
UNION ALL SELECT 'transactions: ' || (SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM spm.transaction t)
UNION ALL SELECT 'shares: ' || (SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM spm.transaction_split t)
UNION ALL SELECT 'a view of the user: ' || sum::text FROM of_the_user
UNION ALL SELECT 'view: ' || pg_get_viewdef('spm.transaction'::regclass) || coalesce(array_to_string((SELECT reloptions FROM pg_class WHERE oid = 'spm.transaction'::regclass), ','), '')
	|| col_description('spm.transaction'::regclass, 1)
ORDER BY 1
SQL
my $before = $node->safe_psql('postgres', $content);
like($before, qr/^spm\.position_path: \d{4} rows/m, 'there is a tree to lose');
like($before, qr/^spm\.period_event: 6 rows/m, 'and a history of periods');

my $dump = "$PostgreSQL::Test::Utils::tmp_check/core.dump";
my ($out, $err) = run_command([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ]);
unlike($err, qr/detail: (currency|exchange_rate|calendar|period|payee|title|position|reporting_line|source|split_source|run)/,
	'pg_dump has no warning about a table of core');

# Not with several workers: those load a table of an extension before the one it refers to.
for my $way ([ 'in one transaction', '-1', '-e' ], [ 'table by table', '-e' ])
{
	my ($name, @options) = @$way;
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS copy');
	$node->safe_psql('postgres', 'CREATE DATABASE copy');
	$node->command_ok([ 'pg_restore', @options, '-d', $node->connstr('copy'), $dump ], "the dump is restored $name");
	is($node->safe_psql('copy', $content), $before, "and everything is there $name");
	is($node->safe_psql('copy', 'SELECT spm._check_sources(); SELECT spm.rebuild_position_path()'),
		"\n" . $node->safe_psql('postgres', 'SELECT count(*) FROM spm.position_path'), 'sources are sound and the paths complete');
	$node->safe_psql('copy', <<'SQL');
SELECT spm.add_payee('new', 'New'), spm.add_currency('CHF'), spm.add_position('new', 'New'), spm.add_title('new');
SELECT spm.assign_position('new', 'new', '2026-01-01'), spm.set_manager('new', '1', '2026-01-01'), spm.set_exchange_rate('CHF', 'USD', '2026-01-01', 1.1);
SELECT spm.create_calendar('more', 'month', '2026-01-01', '2027-01-01'), spm.extend_calendar('fiscal', '2028-01-01');
UPDATE spm.period SET state = 'calculated' WHERE name = '2026-04' AND calendar_id = 1;
SELECT spm.map_source('more', 'deal', 'id', 'on_day', 'seller', 'amount', fixed_currency => 'USD');
SQL
	pass('and life goes on with new keys');
}

# Without triggers the paths are not made: the doctor says so, and how to make them.
$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS copy');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->safe_psql('copy', 'CREATE EXTENSION spm CASCADE');
$node->command_ok([ 'pg_restore', '-a', '--disable-triggers', '-n', 'spm', '-d', $node->connstr('copy'), $dump ],
	'rows alone can be restored without triggers');
my $repair = $node->safe_psql('copy', q{SELECT repair FROM spm.doctor() WHERE what = 'hierarchy'});
is($repair, 'SELECT spm.rebuild_position_path();', 'the doctor sees that paths are missing');
is($node->safe_psql('copy', $repair), $node->safe_psql('postgres', 'SELECT count(*) FROM spm.position_path'), 'and mends it');

$node->stop;
done_testing();
