# Whenever the server dies under a calculation or a posting, nothing is lost,
# nothing is paid twice, and the work ends at the same digits.
#
# A year of calculating and posting runs undisturbed in one database and
# disturbed in another: about 20 times the backend is killed, 20 times the
# postmaster with it (SPM_KILLS=n: another number), and further runs are cancelled,
# terminated and timed out, at moments drawn over the time the step took undisturbed (SPM_SEED).
use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $seed = $ENV{SPM_SEED} || 4711;
srand($seed);
# Of each kind of death in a calculation and in a posting of each of the four quarters.
my $kills = $ENV{SPM_KILLS} || 20;
my $rounds = int($kills / 5) || 1;
my $post_rounds = int($kills / 10) || 1;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# What a killed process wrote stays in the cache of the machine: no need to wait for its disk.
$node->append_conf('postgresql.conf', "restart_after_crash = on\nfsync = off\nlog_statement = none");
$node->start;
foreach my $database ('calm', 'storm')
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION spm CASCADE');
	$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', "$ENV{TESTDIR}/fixture/company.sql" ],
		"the company moves into database $database");
}

my @year = (
	[ '2026-Q1' => 'SELECT 1' ],
	[ '2026-Q2' => q{UPDATE company.sales_order SET amount = amount + 100 WHERE ordered_on < '2026-02-01'} ],
	[ '2026-Q3' => q{DELETE FROM company.sales_order WHERE ordered_on BETWEEN '2026-03-01' AND '2026-03-20'} ],
	[ '2026-Q4' => q{SELECT count(spm.set_quota('s' || to_char(i, 'FM00'), '2026-Q2', 20000, 'bookings')) FROM generate_series(1, 9) i} ]);
my @kinds = ('backend', 'postmaster', 'cancel', 'terminate', 'timeout');

# Everything that a run may write.
my $state = 'SELECT md5(string_agg(line, chr(10) ORDER BY line COLLATE "C")) FROM (' . join(' UNION ALL ',
	map { "SELECT '$_' || r::text FROM spm.$_ r" } qw(posting credit measurement earning payout schedule uncredited period_watermark period period_event run)) . ') x(line)';
my $results = <<'SQL';
SELECT 'paid', paid_period_name, period_name, payee_key, position_name, component_name, is_posted::text, paid_amount FROM spm_bi.payout
UNION ALL
SELECT 'earned', paid_period_name, period_name, payee_key, position_name, component_name || transaction_key || is_reversal || base_amount || from_total, is_posted::text, earned_amount FROM spm_bi.earning
UNION ALL
SELECT 'credited', paid_period_name, period_name, payee_key, position_name, credit_kind || transaction_key || is_reversal || origin_position_name, is_posted::text, credited_amount FROM spm_bi.credit
UNION ALL
SELECT 'reconciled', is_reconciled::text, '', '', '', '', '', count(*) FROM spm.reconciliation GROUP BY is_reconciled
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
SQL

my (%duration, %done);

sub answer
{
	my $sql = shift;

	for (1 .. 600)
	{
		my ($status, $out) = $node->psql('storm', $sql);
		return $out if defined $status && $status == 0;
		sleep(0.1);
	}
	die 'the server does not come back';
}

# One try of a step that meets with an accident.
sub accident
{
	my ($kind, $call, $delay) = @_;
	my ($in, $out, $error) = ('', '', '');
	my $postmaster = $node->{_pid};
	my $timeout = $kind eq 'timeout' ? 'SET statement_timeout = ' . (1 + int(1000 * $delay)) . ";\n" : '';
	$in = "SELECT pg_backend_pid();\n$timeout$call;\n";
	my $psql = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('storm') ], '<', \$in, '>', \$out, '2>', \$error, IPC::Run::timeout(180));

	$psql->pump until $out =~ /(\d+)\n/;
	my $pid = $1;
	if ($kind ne 'timeout')
	{
		sleep($delay);
		if ($kind eq 'backend') { kill 'KILL', $pid; }
		# alone, a backend whose postmaster is gone would go on to its end
		if ($kind eq 'postmaster') { $node->kill9; kill 'KILL', $pid; }
		if ($kind eq 'cancel') { $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)"); }
		if ($kind eq 'terminate') { $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)"); }
	}
	eval { $psql->finish };
	if ($kind eq 'postmaster')
	{
		for (1 .. 300)
		{
			last if !kill(0, $postmaster) && $node->start(fail_ok => 1);
			$node->{_pid} = undef;    # else start() takes what the stale file says for running
			sleep(0.2);
		}
	}
	return;
}

sub storm
{
	my ($verb, $period) = @_;
	my $call = "CALL spm.$verb('$period')";
	my $is_done = 0;

	# Deaths: 16 of each kind in calculating, up to 8 in posting; of the gentler kinds half as many.
	foreach my $n (0 .. $rounds - 1)
	{
		foreach my $kind (@kinds)
		{
			my $is_death = $kind eq 'backend' || $kind eq 'postmaster';

			next if $n >= ($verb eq 'post' ? $post_rounds : $is_death ? $rounds : ($rounds + 1) / 2);
			last if $is_done && $verb eq 'post';

			my $before = answer($state);
			accident($kind, $call, rand(0.9) * $duration{"$verb $period"});
			my $after = answer($state);
			$done{$kind}{ $after eq $before ? 'before' : 'after' }++;
			if ($after ne $before)
			{
				# It must have come to its end, whole: one more run, finished, and everything adds up.
				is(answer("SELECT kind || ' ' || name || (r.finished_at IS NOT NULL) || p.state FROM spm.run r JOIN spm.period p USING (period_id) ORDER BY run_id DESC LIMIT 1"),
					"$verb ${period}true" . ($verb eq 'post' ? 'posted' : 'calculated'), "$verb $period was finished when the accident ($kind) happened");
				is(answer('SELECT count(*) FROM spm.reconciliation WHERE NOT is_reconciled'), '0', 'and adds up');
				$is_done = 1;
			}
			is(answer("SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity a USING (pid) WHERE c.relnamespace = 'spm'::regnamespace AND l.pid <> pg_backend_pid() AND a.backend_type = 'client backend'"),
				'0', "no lock is left after $kind") if $kind ne 'postmaster';
		}
	}
	if ($verb eq 'calculate' || !$is_done)
	{
		my (undef, undef, $error) = $node->psql('storm', $call);
		unlike($error, qr/ERROR/, "$verb $period runs through when nobody disturbs it");
	}
}

foreach my $quarter (@year)
{
	my ($period, $edit) = @$quarter;

	$node->safe_psql($_, $edit) foreach 'calm', 'storm';
	foreach my $verb ('calculate', 'post')
	{
		my $start = time;
		$node->safe_psql('calm', "CALL spm.$verb('$period')");
		$duration{"$verb $period"} = time - $start;
	}
	storm($_, $period) foreach 'calculate', 'post';
}

is($node->safe_psql('storm', $results), $node->safe_psql('calm', $results),
	'after the storm everybody is credited, has earned and is paid what the undisturbed have');
is($node->safe_psql('storm', q{SELECT count(*) FROM spm.run WHERE kind = 'post'}), '4', 'each period was posted once');
cmp_ok(($done{$_}{before} // 0) + ($done{$_}{after} // 0), '>=', 4 * $rounds, "the $_ was killed often enough") foreach 'backend', 'postmaster';
foreach my $kind (@kinds) { note(sprintf('%s: %d times before the end, %d after', $kind, $done{$kind}{before} // 0, $done{$kind}{after} // 0)); }

$node->stop;
done_testing();
