# Deals, snapshots and calls come back from a backup to the row, and life goes on;
# two who take a snapshot at one time make one.
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
SET client_min_messages = warning;
CREATE TABLE deal (id int, owner text, stage text, amount numeric, opened date, closing date);
INSERT INTO deal SELECT i, 'u' || i % 7, CASE i % 5 WHEN 0 THEN 'Won' WHEN 1 THEN 'Lost' ELSE 'Talk' END, i, date '2025-01-01' + i % 30, date '2025-03-01' + i % 30 FROM generate_series(1, 500) i;
CREATE TABLE history (deal int, at timestamptz, stage text);
SELECT spm.map_opportunities('crm', 'deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing');
SELECT spm.map_opportunities('other', 'deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing');
SELECT spm.map_stage_history('other', 'history', 'deal', 'at', 'stage');
SELECT spm.create_calendar('fiscal', 'month', '2025-01-01', '2026-01-01');
SELECT spm.add_position('top', 'Top'), spm.add_position('u1', 'One');
SELECT spm.set_manager('u1', 'top', '2025-01-01');
SELECT spm.take_snapshot('first', '2025-02-01');
UPDATE deal SET amount = amount + 1 WHERE id % 3 = 0;
DELETE FROM deal WHERE id = 7;
SELECT spm.take_snapshot(as_of => '2025-02-08');
SELECT spm.submit_call('u1', '2025-Q1', 100, as_of => '2025-02-08'), spm.submit_call('u1', '2025-Q1', 90, by => 'top', reason => 'why', as_of => '2025-02-08');
CREATE VIEW of_the_user AS SELECT count(*) FROM spm.opportunity;
SQL
my $content = join("\nUNION ALL ", map { "SELECT \$\$$_\$\$, count(*)::text, md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM $_ t" }
	'spm.opportunity', 'spm.opportunity_change', 'spm.sales_stage', 'spm.pipeline_snapshot', 'spm.opportunity_record', 'spm.forecast_type', 'spm.forecast_call',
	'spm.stage_history_source', "spm.pipeline_on('2025-02-03')", "spm.stage_spell('2025-02-08')", "spm.pipeline_rollup('2025-Q1', '2025-02-08')", 'of_the_user');
my $before = $node->safe_psql('postgres', $content);
like($before, qr/^spm\.opportunity_record\|1\d{3}\|/m, 'there are snapshots to lose');

my $dump = "$PostgreSQL::Test::Utils::tmp_check/pipeline.dump";
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ], 'it is dumped');
for my $way ([ 'in one transaction', '-1', '-e' ], [ 'table by table', '-e' ])
{
	my ($name, @options) = @$way;
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS copy');
	$node->safe_psql('postgres', 'CREATE DATABASE copy');
	$node->command_ok([ 'pg_restore', @options, '-d', $node->connstr('copy'), $dump ], "and restored $name");
	is($node->safe_psql('copy', $content), $before, "with every row $name");
	is($node->safe_psql('copy', <<'SQL'), '3|3', 'and life goes on');
SET client_min_messages = warning;
DO $$BEGIN
	PERFORM spm.submit_call('u1', '2025-Q1', 80, as_of => '2025-02-09'), spm.add_forecast_type('more'), spm.map_opportunities('more', 'deal', key => 'id', owner => NULL, stage => 'stage',
		amount => NULL, created => NULL, close_date => NULL), spm.take_snapshot(as_of => '2025-02-09');
END$$;
SELECT max(pipeline_snapshot_id), (SELECT count(*) FROM spm.forecast_call) FROM spm.pipeline_snapshot;
SQL
}

# One of two waits, and then replaces what the other has made.
my $one = $node->background_psql('postgres', on_error_stop => 1);
$one->query_safe("SET client_min_messages = warning; UPDATE deal SET amount = 5 WHERE id = 11; BEGIN; SELECT spm.take_snapshot(as_of => '2025-02-15')");
my $two = $node->background_psql('postgres', on_error_stop => 1);
$two->query_until(qr/sent/, "SET client_min_messages = warning;\n\\echo sent\nSELECT spm.take_snapshot(as_of => '2025-02-15');\n");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
$one->query_safe('COMMIT');
$two->quit;
$one->quit;
is($node->safe_psql('postgres', q{SELECT count(*) FROM spm.pipeline_snapshot WHERE as_of = '2025-02-15'}), '1', 'two who take it at one time make one snapshot');
is($node->safe_psql('postgres', q{SELECT count(*) FROM spm.opportunity_record WHERE lower(span) = '2025-02-15'}), '2', 'with each change once');

$node->stop;
done_testing();
