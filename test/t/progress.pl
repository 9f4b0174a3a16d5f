# A job that is under way shows how far it has come and can be stopped at any
# moment; however it ends, nothing of it is left to be seen.
#
# SPM_ORDERS=400000 makes the jobs longer, SPM_CANCELS=200 stops more of them.
use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $seed = $ENV{SPM_SEED} || 4711;
my $orders = $ENV{SPM_ORDERS} || 30000;
my $cancels = $ENV{SPM_CANCELS} || 16;
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "restart_after_crash = on\nfsync = off");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE many');
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql($_, 'CREATE EXTENSION spm CASCADE') foreach 'many', 'other';
$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-v', "orders=$orders", '-v', 'payees=500', '-d', $node->connstr('many'),
		'-f', "$ENV{TESTDIR}/fixture/many.sql" ], 'many orders are there');

# A session that runs something; its process and what it says.
sub begin
{
	my ($sql) = @_;
	my %job = (in => "SELECT pg_backend_pid();\n$sql;\n", out => '', error => '');

	$job{psql} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('many') ],
		'<', \$job{in}, '>', \$job{out}, '2>', \$job{error}, IPC::Run::timeout(180));
	$job{psql}->pump until $job{out} =~ /^(\d+)\n/;
	$job{pid} = $1;
	return \%job;
}

# One session that looks, all the time: connecting takes longer than some phases.
my ($ask, $told, $complaint) = ('', '', '');
my $watcher;
sub watch
{
	$watcher->finish if $watcher;
	($ask, $told, $complaint) = ('', '', '');
	$watcher = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('many') ], '<', \$ask, '>', \$told, '2>', \$complaint, IPC::Run::timeout(600));
}
sub look
{
	my ($sql) = @_;

	$told = '';
	$ask .= "$sql;\n\\echo .\n";
	$watcher->pump until $told =~ s/^\.\n\z//m;
	chomp $told;
	return $told;
}

watch();
my $state = 'SELECT md5(string_agg(line, chr(10) ORDER BY line COLLATE "C")) FROM (' . join(' UNION ALL ',
	map { "SELECT '$_' || r::text FROM spm.$_ r" } qw(posting credit measurement earning payout schedule uncredited period_watermark period period_event run change)) . ') x(line)';

# -- what is to be seen
is(look('SELECT count(*) FROM spm.progress'), '0', 'nothing is shown while nothing is under way');
my $job = begin(q{CALL spm.calculate('2026-Q1')});
my (@phases, %seen);
my $start = time;
# between its two statements the session is idle for a moment, too
while ($job->{psql}->pumpable && look("SELECT count(*) FROM pg_stat_activity WHERE pid = $job->{pid} AND (state = 'active' OR query !~ '^CALL')") ne '0')
{
	my $line = look("SELECT concat_ws('|', job, period, phase, ratio BETWEEN 0 AND 1, started_at <= phase_started_at) FROM spm.progress WHERE pid = $job->{pid}");
	next if $line eq '' || $seen{$line}++;
	push @phases, $line;
}
$job->{psql}->finish;
my $duration = time - $start;
note("a calculation takes $duration s: ", join(', ', @phases));
ok((grep { /^calculate\|2026-Q1\|crediting/ } @phases) && (grep { /^calculate\|2026-Q1\|earning/ } @phases), 'another session sees the phases of a calculation');
my @of_interest = grep { /crediting|measuring|earning|paying/ } map { (split /\|/)[2] } @phases;
my %place = (crediting => 1, measuring => 2, earning => 3, paying => 4);
is_deeply([ map { $place{$_} // 0 } @of_interest ], [ sort { $a <=> $b } map { $place{$_} // 0 } @of_interest ], 'in their order');
is(scalar(grep { /\|f/ } @phases), 0, 'ratios lie between 0 and 1, phases begin after their job');
is(look('SELECT count(*) FROM spm.progress'), '0', 'nothing is shown once it has ended');

# -- whose eyes
look('CREATE ROLE stranger; CREATE ROLE clerk; GRANT USAGE ON SCHEMA spm TO stranger, clerk; GRANT SELECT ON spm.progress TO clerk');
$job = begin(q{BEGIN; CALL spm.calculate('2026-Q2'); ROLLBACK});
sleep(0.01) until look('SELECT count(*) FROM spm.progress') eq '1' || !$job->{psql}->pumpable;
is(look('SET ROLE clerk; SELECT job, period FROM spm.progress; RESET ROLE'), 'calculate|2026-Q2', 'with SELECT on spm.progress a role sees the jobs of others');
is(look('SET ROLE stranger; SELECT count(*) FROM spm.running_job(); RESET ROLE'), '0', 'without, it does not');
is($node->safe_psql('other', 'SELECT count(*) FROM spm.progress'), '0', 'another database does not show them either');
look("SELECT pg_cancel_backend($job->{pid})");
$job->{psql}->finish;

# -- stopped at any moment
my (@times, %in);
look(q{SELECT spm.track_source('orders')});
look(q{UPDATE many.sales_order SET amount = amount + 1 WHERE order_id % 4 = 0 AND ordered_on < '2026-04-01'});
my %share = (q{CALL spm.calculate('2026-Q2')} => 1, q{CALL spm.refresh()} => 0.5, q{CALL spm.post('2026-Q1')} => 0.25);
foreach my $call (sort keys %share)
{
	$start = time;
	$node->safe_psql('many', "BEGIN; $call; ROLLBACK");
	my $length = time - $start;
	my $before = look($state);

	foreach my $n (1 .. $cancels * $share{$call})
	{
		my $job = begin("BEGIN; $call; ROLLBACK");
		sleep(rand(0.85) * $length);
		my $phase = look("SELECT phase FROM spm.progress WHERE pid = $job->{pid}");
		look("SELECT pg_cancel_backend($job->{pid})");
		my $asked = time;
		# looking from outside: the client may be slower to say so than the server is to stop
		sleep(0.001) while look("SELECT count(*) FROM pg_stat_activity WHERE pid = $job->{pid} AND state = 'active'") ne '0';
		my $time = time - $asked;
		$job->{psql}->finish;
		if ($job->{error} =~ /57014/)
		{
			push @times, $time;
			$in{$phase} = $time if $phase ne '' && $time > ($in{$phase} // 0);
		}
		else { note("$call came to its end before it was asked to stop"); next; }
		is(look('SELECT count(*) FROM spm.progress'), '0', "after a cancel while $phase nothing is shown");
	}
	is(look($state), $before, 'and everything is as it was' . ($call =~ /refresh/ ? ', the marks of what has changed included' : ''));
	# autovacuum may be at work on them
	is(look("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND relation::regclass::text LIKE 'spm.%'"), '0', 'without a lock left');
}
cmp_ok(scalar(@times), '>=', $cancels / 2, 'jobs were stopped under way');
@times = sort { $a <=> $b } @times;
note(sprintf('%d cancels: median %.1f ms, longest %.1f ms', scalar(@times), 1000 * $times[ @times / 2 ], 1000 * $times[-1]));
note(sprintf('  %-50s %.1f ms', $_, 1000 * $in{$_})) foreach sort { $in{$b} <=> $in{$a} } keys %in;

# -- however it ends
$job = begin(q{CALL spm.calculate('2026-Q2')});
sleep(0.01) while look('SELECT count(*) FROM spm.progress') eq '0';
look("SELECT pg_terminate_backend($job->{pid})");
eval { $job->{psql}->finish };
sleep(0.01) until look("SELECT count(*) FROM pg_stat_activity WHERE pid = $job->{pid}") eq '0';
is(look('SELECT count(*) FROM spm.progress'), '0', 'nothing is shown of a session that was terminated');

is(look(q{DO $$ BEGIN CALL spm.calculate('2026-Q3'); RAISE 'no'; EXCEPTION WHEN OTHERS THEN
	RAISE NOTICE 'seen: %', (SELECT count(*) FROM spm.progress); END $$}) . ($complaint =~ /seen: 0/ ? 'none' : 'some'), 'none', 'nor of one that failed within a transaction that goes on');

$job = begin(q{CALL spm.calculate('2026-Q2')});
sleep(0.01) while look('SELECT count(*) FROM spm.progress') eq '0';
kill 'KILL', $job->{pid};
eval { $job->{psql}->finish };
eval { $watcher->finish };
undef $watcher;
sleep(0.2) until $node->psql('many', 'SELECT 1') == 0;
watch();
is(look('SELECT count(*) FROM spm.progress'), '0', 'nor of one that was killed');
$job = begin(q{CALL spm.calculate('2026-Q2')});
sleep(0.01) while look('SELECT count(*) FROM spm.progress') eq '0' && $job->{psql}->pumpable;
is(look('SELECT job FROM spm.progress'), 'calculate', 'and afterwards jobs are shown again');
$job->{psql}->finish;
unlike($job->{error}, qr/ERROR/, 'and run through');

$watcher->finish;
$node->stop;
done_testing();
