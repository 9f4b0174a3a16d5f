# pg_upgrade carries a database with results in it to another server: every
# object can be made in the order in which it makes them, nothing is lost, and
# the parts of the ledger stay what they were.  From a version to itself, which
# meets what any two versions do.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = PostgreSQL::Test::Cluster->new('old');
$old->init;
$old->append_conf('postgresql.conf', 'fsync = off');
$old->start;
$old->safe_psql('postgres', 'CREATE EXTENSION spm CASCADE');
$old->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $old->connstr('postgres'), '-f', "$ENV{TESTDIR}/fixture/company.sql" ], 'the company moves in');
$old->safe_psql('postgres', $_) foreach (
	q{CALL spm.calculate('2026-Q1')}, q{CALL spm.post('2026-Q1')},
	q{INSERT INTO company.sales_order VALUES (2001, '2026-02-03', 's03', 'c1', 'goods', 1, 7777.77, 10, 'EUR', 'booking')},
	q{CALL spm.calculate('2026-Q2')},
	q{CREATE ROLE auditor; GRANT SELECT ON spm.credit, spm.earning, spm_bi.payout TO auditor});
my $facts = q{SELECT 'credit', count(*), md5(string_agg(c::text, E'\n' ORDER BY credit_id)) FROM spm.credit c
	UNION ALL SELECT 'earning', count(*), md5(string_agg(e::text, E'\n' ORDER BY earning_id)) FROM spm.earning e
	UNION ALL SELECT 'payout', count(*), md5(string_agg(o::text, E'\n' ORDER BY payout_id)) FROM spm.payout o
	UNION ALL SELECT 'statement', count(*), md5(string_agg(s, E'\n' ORDER BY n)) FROM spm.statement('s03', '2026-Q2') WITH ORDINALITY t(s, n)
	UNION ALL SELECT 'index', count(*), md5(string_agg(pg_get_indexdef(indexrelid), E'\n' ORDER BY indexrelid::regclass::text)) FROM pg_index WHERE indrelid IN (SELECT inhrelid FROM pg_inherits)
	UNION ALL SELECT 'trigger', count(*), md5(string_agg(pg_get_triggerdef(oid), E'\n' ORDER BY tgrelid::regclass::text, tgname)) FROM pg_trigger WHERE NOT tgisinternal
	UNION ALL SELECT 'member', count(*), md5(string_agg(pg_describe_object(classid, objid, 0), E'\n' ORDER BY pg_describe_object(classid, objid, 0))) FROM pg_depend WHERE deptype = 'e'
	UNION ALL SELECT 'right', count(*), md5(string_agg(r, E'\n' ORDER BY r)) FROM (SELECT concat_ws(' ', c.oid::regclass, nullif(a.grantee, 0)::regrole, a.privilege_type) AS r FROM pg_class c, aclexplode(c.relacl) a
		WHERE c.relnamespace IN ('spm'::regnamespace, 'spm_bi'::regnamespace) AND a.grantee <> c.relowner) a};
my $before = $old->safe_psql('postgres', $facts);
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
$new->append_conf('postgresql.conf', 'fsync = off');
my $bin = $old->config_data('--bindir');
chdir $PostgreSQL::Test::Utils::tmp_check;
command_ok([ 'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $bin, '-B', $bin,
	'-s', $new->host, '-p', $old->port, '-P', $new->port ], 'pg_upgrade makes every object in its own order');
$new->start;
is($new->safe_psql('postgres', $facts), $before, 'rows, statements, indexes, triggers, members and rights are what they were');
my (undef, undef, $notice) = $new->psql('postgres', q{CALL spm.calculate('2026-Q2')});
like($notice, qr/; 0 rows changed/, 'there is nothing to calculate anew');
$new->safe_psql('postgres', $_) foreach q{CALL spm.post('2026-Q2')}, q{CALL spm.calculate('2026-Q3')};
is($new->safe_psql('postgres', 'SELECT bool_and(is_reconciled) FROM spm.reconciliation'), 't', 'life goes on, and all adds up');

$new->stop;
done_testing();
