# Scheduled runs, on a server with pg_cron: they happen, one at a time, are
# recorded whatever becomes of them, and catch up with what they have missed.
use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nrestart_after_crash = on");
$node->start;

sub sql { return $node->safe_psql('sales', @_); }

# The SQLSTATE and the hint of an error.
sub refusal
{
	my (undef, undef, $error) = $node->psql('sales', "\\set VERBOSITY verbose\n$_[0]");
	return $error;
}

# Waits until a query gives an answer; a job may take up to a minute to come.
sub wait_for
{
	my ($query, $answer, $promise, $seconds) = @_;
	my $deadline = time + ($seconds // 100);
	my $out;

	do
	{
		my ($status, $said) = $node->psql('sales', $query);
		$out = $said if defined $status && $status == 0;
		return pass($promise) if defined $out && $out eq $answer;
		sleep(0.2);
	} while (time < $deadline);
	return is($out, $answer, $promise);
}

# Runs something beside us.
sub beside
{
	my ($call) = @_;
	my %job = (in => "SELECT pg_backend_pid();\n$call\n", out => '', error => '');

	$job{psql} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('sales') ], '<', \$job{in}, '>', \$job{out}, '2>', \$job{error}, IPC::Run::timeout(180));
	$job{psql}->pump until $job{out} =~ /^(\d+)\n/;
	$job{pid} = $1;
	return \%job;
}

$node->safe_psql('postgres', 'CREATE DATABASE sales');
sql('CREATE EXTENSION spm CASCADE');
$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('sales'), '-f', "$ENV{TESTDIR}/fixture/company.sql" ], 'the company moves in');
sql(q{SELECT spm.track_source('orders')});
sql(q{CALL spm.calculate('2026-Q1')});
sql('CALL spm.refresh()');
my $paid = q{SELECT sum(paid_amount) FROM spm_bi.payout WHERE period_name = '2026-Q1'};
my $last = q{SELECT outcome, error_code, changed_count > 0 FROM spm.job_run ORDER BY job_run_id DESC LIMIT 1};

# -- without pg_cron
like(refusal('SELECT spm.schedule()'), qr/ERROR:  0A000: pg_cron is not installed.*HINT:.*shared_preload_libraries.*CREATE EXTENSION pg_cron.*crontab/s, 'without pg_cron the hint says what to do');
sql(q{SELECT spm.schedule('* * * * *', runner => 'other')});
my $before = sql($paid);
sql(q{UPDATE company.sales_order SET amount = amount + 5000 WHERE order_id IN (SELECT order_id FROM company.sales_order WHERE ordered_on < '2026-03-31' AND kind = 'booking' ORDER BY order_id LIMIT 20)});
is(sql($paid), $before, 'an order that changes waits');
is(sql('SELECT waiting_count > 0 FROM spm_bi.job_lateness'), 't', 'as can be seen');
$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('sales'), '-c', 'CALL spm.run_job();' ], 'the line for a crontab works');
isnt(sql($paid), $before, 'it brings results up to date');
is(sql($last), 'done||t', 'and is recorded with what it changed');
sql('CALL spm.run_job()');
is(sql($last), 'done||f', 'one that finds nothing to do as well');
like(refusal("BEGIN;\nCALL spm.run_job();"), qr/2D000/, 'within a transaction it is refused');
like(refusal(q{CALL spm.run_job('lunar');}), qr/42704/, 'for an unknown calendar, too');

# -- a period begins
sql(q{SELECT spm.create_calendar('rolling', 'month', (date_trunc('month', now()) - interval '3 months')::date, (date_trunc('month', now()) + interval '9 months')::date)});
sql(q{SELECT spm.schedule('* * * * *', 'rolling', runner => 'other', calculate => true)});
my $states = q{SELECT string_agg(p.state, ' ' ORDER BY p.span) FROM spm.period p JOIN spm.calendar c USING (calendar_id) WHERE c.name = 'rolling' AND p.grain = 'month'};
sql(q{CALL spm.run_job('rolling')});
is(sql($states), join(' ', ('open') x 12), 'a run calculates no period where nobody has begun to');
my $name = sql(q{SELECT p.name FROM spm.period p JOIN spm.calendar c USING (calendar_id) WHERE c.name = 'rolling' AND p.grain = 'month' ORDER BY p.span OFFSET 1 LIMIT 1});
sql(qq{CALL spm.calculate('$name', 'rolling')});
sql(q{CALL spm.run_job('rolling')});
is(sql($states), join(' ', 'open', ('calculated') x 3, ('open') x 8), 'where that is wanted, it calculates the ones that have begun since, and no other');
sql(q{SELECT spm.unschedule('rolling')});

# -- failing, interrupted, one at a time
sql(q{CREATE FUNCTION company.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', 'more' USING ERRCODE = '22012', HINT = 'Try less.'; END $$;
	CREATE TRIGGER fail BEFORE INSERT ON spm.run FOR EACH ROW EXECUTE FUNCTION company.fail();
	UPDATE company.sales_order SET amount = amount + 1 WHERE order_id = 5});
my $waiting = sql('SELECT count(*) FROM spm.change');
cmp_ok($waiting, '>', 0, 'something waits');
like(refusal('CALL spm.run_job();'), qr/22012: no more.*Try less/s, 'what goes wrong in a run is raised');
is(sql($last), 'failed|22012|f', 'and recorded');
is(sql('SELECT message FROM spm.job_run ORDER BY job_run_id DESC LIMIT 1'), 'no more', 'with what it said');
is(sql('SELECT count(*) FROM spm.change'), $waiting, 'and its work is taken back: the changes still wait');

# A run that waits for the calendar, which somebody else holds.
my $holder = beside(q{BEGIN; UPDATE spm.calendar SET name = name; SELECT 'held';});
$holder->{psql}->pump until $holder->{out} =~ /held/;
my $runner = beside('CALL spm.run_job();');
wait_for(q{SELECT outcome FROM spm_bi.job_run ORDER BY job_run_id DESC LIMIT 1}, 'running', 'a run under way is seen by others', 20);
is(sql('SELECT running_since IS NOT NULL FROM spm_bi.job_lateness'), 't', 'and by the lateness view');
is(sql('SELECT job, phase FROM spm.progress'), 'refresh|waiting for another run in this calendar', 'which can say what it waits for');
sql('CALL spm.run_job()');
is(sql('SELECT outcome FROM spm.job_run ORDER BY job_run_id DESC LIMIT 1'), 'skipped', 'a second one beside it is skipped');
like(sql('SELECT message FROM spm.job_run ORDER BY job_run_id DESC LIMIT 1'), qr/process $runner->{pid}/, 'and says for whom');
sql("SELECT pg_cancel_backend($runner->{pid})");
$runner->{psql}->finish;
like($runner->{error}, qr/canceling statement due to user request/, 'a run that is cancelled says so');
is(sql(q{SELECT outcome, error_code FROM spm.job_run WHERE outcome <> 'skipped' ORDER BY job_run_id DESC LIMIT 1}), 'failed|57014', 'and is recorded as such');

$runner = beside('CALL spm.run_job();');
wait_for(q{SELECT outcome FROM spm_bi.job_run ORDER BY job_run_id DESC LIMIT 1}, 'running', 'the next run begins', 20);
sql("SELECT pg_terminate_backend($runner->{pid})");
eval { $runner->{psql}->finish };
wait_for(q{SELECT outcome FROM spm_bi.job_run ORDER BY job_run_id DESC LIMIT 1}, 'interrupted', 'one whose session ends is seen to be interrupted', 20);
eval { $holder->{in} .= "COMMIT;\n\\q\n"; $holder->{psql}->finish };
sql('DROP TRIGGER fail ON spm.run');
sql('CALL spm.run_job()');
is(sql(q{SELECT string_agg(outcome, ' ' ORDER BY job_run_id) FROM (SELECT * FROM spm.job_run ORDER BY job_run_id DESC LIMIT 2) r}), 'interrupted done', 'the next one records that, and does what was left');
is(sql('SELECT count(*) FROM spm.change'), '0', 'nothing waits any more');
sql('SELECT spm.unschedule()');

# -- with pg_cron
my $has_cron = -e sql(q{SELECT setting || '/extension/pg_cron.control' FROM pg_config WHERE name = 'SHAREDIR'});
SKIP:
{
	skip('pg_cron is not installed', 1) unless $has_cron;

	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'sales'\ncron.host = '" . $node->host . "'\ncron.enable_superuser_jobs = off");
	$node->restart;
	sql('CREATE EXTENSION pg_cron');
	# As docs/operations.md has it: a login that may do this and little else.
	sql(q{CREATE ROLE spm_job LOGIN; CREATE ROLE other;
		GRANT USAGE ON SCHEMA spm, spm_bi, cron TO spm_job, other; GRANT EXECUTE ON ALL ROUTINES IN SCHEMA spm TO spm_job, other;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA spm TO spm_job, other; GRANT SELECT ON ALL TABLES IN SCHEMA spm_bi TO spm_job;
		GRANT USAGE ON SCHEMA company TO spm_job; GRANT SELECT ON ALL TABLES IN SCHEMA company TO spm_job});
	my $as_job = 'SET SESSION AUTHORIZATION spm_job;';
	my $runs = sql('SELECT count(*) FROM spm.job_run');
	sql(q{UPDATE company.sales_order SET amount = amount + 10 WHERE order_id = 7});
	is(sql("$as_job SELECT spm.schedule('* * * * *')"), 'spm', 'with pg_cron there is a job');
	is(sql('SELECT jobname, schedule, command, database, username, active FROM cron.job'), 'spm|* * * * *|CALL spm.run_job()|sales|spm_job|t', 'that pg_cron knows');
	sql("$as_job SELECT spm.schedule('* * * * *')");
	is(sql('SELECT count(*) FROM cron.job'), '1', 'and only one, however often it is scheduled');
	like(refusal("SET SESSION AUTHORIZATION other; SELECT spm.schedule('0 0 * * *');"), qr/42501: job "spm" was scheduled by spm_job/, 'nobody else reschedules it');
	like(refusal('SET SESSION AUTHORIZATION other; SELECT spm.unschedule();'), qr/42501/, 'or takes it away');
	is(sql('SELECT is_late FROM spm_bi.job_lateness'), 'f', 'before its first minute it is not late');
	wait_for("SELECT outcome, changed_count > 0, run_by FROM spm.job_run OFFSET $runs LIMIT 1", 'done|t|spm_job', 'within the minute it has run and brought results up to date');
	is(sql('SELECT count(*) FROM spm.change'), '0', 'nothing waits');

	# An outage: the server is down when the job is due, and work has come meanwhile.
	sql(q{UPDATE company.sales_order SET amount = amount + 10 WHERE order_id IN (8, 9)});
	sql(q{UPDATE spm.job SET scheduled_at = scheduled_at - interval '1 hour'});
	$node->stop('immediate');
	$node->start;
	$runs = sql('SELECT count(*) FROM spm.job_run');
	wait_for("SELECT outcome, changed_count > 0 FROM spm.job_run OFFSET $runs LIMIT 1", 'done|t', 'after a crash and a restart the job goes on and catches up');
	is(sql('SELECT count(*) FROM spm.change'), '0', 'nothing waits after the outage');
	is(sql('SELECT is_late FROM spm_bi.job_lateness'), 'f', 'and nothing is late');
	like(refusal("$as_job DELETE FROM spm.job_run;"), qr/55000/, 'what it has recorded, the job cannot delete');
	like(refusal("$as_job SELECT cron.schedule_in_database('x', '* * * * *', 'SELECT 1', 'postgres');"), qr/42501/, 'nor run anything in another database');

	sql('SELECT spm.unschedule()');
	is(sql('SELECT (SELECT count(*) FROM cron.job) + (SELECT count(*) FROM spm.job)'), '0', 'unscheduled, it is gone from both');
	like(refusal(q{SELECT spm.schedule('61 * * * *');}), qr/22023/, 'a schedule that is none is refused here, too');
}
$node->stop;
done_testing();
