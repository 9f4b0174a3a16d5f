# A refresh leaves what calculating everything anew would, whatever was edited
# before it (SPM_SEQUENCES), and whatever happens to it: it is killed with its
# server or alone, stopped, cancelled, terminated and timed out at moments drawn
# over the time that it takes (SPM_KILLS, SPM_SEED); what was marked is still
# marked then, and the next refresh makes up for it.  Nor is anything lost that
# others change meanwhile.
use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $seed = $ENV{SPM_SEED} || 4711;
my $sequences = $ENV{SPM_SEQUENCES} // 40;
my $wanted = $ENV{SPM_KILLS} // 30;
my @kinds = ('backend', 'postmaster', 'stop', 'cancel', 'terminate', 'timeout');
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# What a killed process wrote stays in the cache of the machine: no need to wait for its disk.
$node->append_conf('postgresql.conf', "restart_after_crash = on\nfsync = off\nlog_statement = none\nclient_min_messages = warning");
$node->start;

# Company number n, in a database of its own.
sub company
{
	my ($database, $n) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION spm CASCADE');
	$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-v', "seed=$n", '-d', $node->connstr($database),
		map { ('-f', "$ENV{TESTDIR}/storm/$_.sql") } 'company', 'edit', 'check' ], "company $n moves into database $database");
}

# What was done in a sequence, to be read with its difference.
sub told
{
	my ($database, $sequence) = @_;

	return $node->safe_psql($database, "SELECT concat_ws('  -- ', statement, outcome) FROM storm.log WHERE seq = $sequence ORDER BY step");
}

# ---- edits
foreach my $n (0 .. int(($sequences - 1) / 20))
{
	my $last = $sequences - 20 * $n < 20 ? $sequences - 20 * $n : 20;

	company("edits_$n", $seed + $n);
	$node->safe_psql("edits_$n", "CALL storm.run(1, $last)");
	my $faults = $node->safe_psql("edits_$n", 'SELECT seq, fault FROM storm.fault');
	is($faults, '', "after each of $last sequences of edits everything is as calculated anew");
	diag(told("edits_$n", $1)) if $faults =~ /^(\d+)/;
	cmp_ok($node->safe_psql("edits_$n", q{SELECT count(*) FROM storm.log WHERE outcome IS NULL AND statement !~ '^(COMMIT|CALL)'}), '>=', $last, 'and most edits are done, not refused');
}

# ---- accidents
company('kills', $seed);
my $marks = q{SELECT string_agg(concat_ws('|', relation, calendar_id, source, transaction_key, position_id, payee_id, currency_code, span, is_pay, marked_at), chr(10) ORDER BY change_id) FROM spm.change};
my $ledger = q{SELECT md5(string_agg(relation || line::text, '' ORDER BY relation, line::text COLLATE "C")) || (SELECT max(run_id) FROM spm.run) FROM storm.ledger()};
my $duration = 1;
my (%done, $deaths);

sub answer
{
	my $sql = shift;

	for (1 .. 600)
	{
		my ($status, $out) = $node->psql('kills', $sql);
		return $out if defined $status && $status == 0;
		sleep(0.1);
	}
	die 'the server does not come back';
}

sub accident
{
	my ($kind, $delay) = @_;
	my ($in, $out, $error) = ('', '', '');
	my $postmaster = $node->{_pid};
	my $timeout = $kind eq 'timeout' ? 'SET statement_timeout = ' . (1 + int(1000 * $delay)) . ";\n" : '';
	$in = "SELECT pg_backend_pid();\n${timeout}CALL spm.refresh();\n";
	my $psql = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('kills') ], '<', \$in, '>', \$out, '2>', \$error, IPC::Run::timeout(180));

	$psql->pump until $out =~ /(\d+)\n/;
	my $pid = $1;
	sleep($delay) if $kind ne 'timeout';
	if ($kind eq 'backend') { kill 'KILL', $pid; }
	# alone, a backend whose postmaster is gone would go on to its end
	if ($kind eq 'postmaster') { $node->kill9; kill 'KILL', $pid; }
	if ($kind eq 'stop') { $node->stop('immediate'); }
	if ($kind eq 'cancel') { $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)"); }
	if ($kind eq 'terminate') { $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)"); }
	eval { $psql->finish };
	$node->start if $kind eq 'stop';
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

for (my $try = 0; ($deaths // 0) < $wanted && $try < 3 * $wanted; $try++)
{
	my $kind = $kinds[$try % @kinds];

	answer("CALL storm.edit(1000 + $try, " . ($try % 2 ? 'true' : 'false') . ')');
	my ($marked, $before) = (answer($marks), answer($ledger));
	accident($kind, rand(0.9) * $duration);
	my $after = answer($ledger);
	if ($after eq $before && answer($marks) ne '')
	{
		is(answer($marks), $marked, "$kind: nothing is changed, and every mark is there");
		$deaths++;
		$done{$kind}++;
	}
	else
	{
		is(answer($marks), '', "$kind: it came to its end, and no mark is left");
	}
	is(answer("SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity a USING (pid) WHERE c.relnamespace = 'spm'::regnamespace AND l.pid <> pg_backend_pid() AND a.backend_type = 'client backend'"), '0', 'nor a lock');
	my $start = time;
	answer('CALL spm.refresh()');
	$duration = time - $start if $after eq $before;
	my $faults = answer('SELECT fault FROM storm.fault(' . ($try % 3 ? 'false' : 'true') . ')');
	is($faults, '', 'the next refresh makes up for it: as calculated anew') or diag(told('kills', 1000 + $try));
	# periods go by meanwhile
	answer("SELECT storm.step(1000 + $try, 1000 + $try)") if $try % 4 == 3;
}
cmp_ok($deaths // 0, '>=', $wanted, 'enough accidents happened during a refresh');
note("$_: $done{$_} times before the end") foreach sort keys %done;

# ---- at the same time
company('crowd', $seed + 1);
my @crowd;
foreach my $n (1 .. 3)
{
	my $sql = $n < 3 ? join('', map { 'CALL storm.edit(' . (1000 * $n + $_) . ', false);' . "\n" } 1 .. 12) : "CALL spm.refresh();\n" x 8;
	my $session = { in => $sql, out => '', error => '' };

	$session->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('crowd') ], '<', \$session->{in}, '>', \$session->{out}, '2>', \$session->{error}, IPC::Run::timeout(180));
	push @crowd, $session;
}
foreach my $session (@crowd)
{
	$session->{run}->finish;
	is($session->{error}, '', 'who edits and who refreshes do not stand in each other\'s way');
}
$node->safe_psql('crowd', 'CALL spm.refresh()');
is($node->safe_psql('crowd', 'SELECT fault FROM storm.fault(true)'), '', 'what two have edited while a third refreshed is as calculated anew')
	or diag($node->safe_psql('crowd', "SELECT concat_ws('  -- ', seq, statement, outcome) FROM storm.log ORDER BY step"));

$node->stop;
done_testing();
