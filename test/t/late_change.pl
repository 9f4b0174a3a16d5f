# However late and in whatever order changes arrive, everybody is paid in all
# what a calculation from nothing gives, and a posted row never changes.
#
# Random edits of the warehouse, quotas, seats, rates and plans go to two
# databases.  In "main" they are interleaved with calculating, posting and
# reopening; in "fresh" nothing is ever posted, and every comparison calculates
# it from nothing and rolls back.
#
# SPM_EDITS and SPM_SEED run it longer or differently.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $edits = $ENV{SPM_EDITS} || 200;
my $seed = $ENV{SPM_SEED} || 20260101;
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nlog_min_duration_statement = 200");
$node->start;
foreach my $database ('main', 'fresh')
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION spm CASCADE');
	$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', "$ENV{TESTDIR}/fixture/company.sql" ],
		"the company moves into database $database");
	# A year and a half of a third of the orders: more borders in the same time.
	$node->safe_psql($database, <<'SQL');
DELETE FROM company.sales_order WHERE order_id % 3 > 0 AND kind = 'booking';
SELECT spm.extend_calendar('company', '2028-01-01');
SELECT spm.set_quota('s' || to_char(i, 'FM00'), '2027-Q' || q, 9000 + 400 * i, 'bookings') FROM generate_series(1, 20) i, generate_series(1, 4) q;
SELECT spm.set_quota('s' || to_char(i, 'FM00'), '2026-Q' || q, 7000 + 200 * i, 'bookings') FROM generate_series(1, 20) i, generate_series(1, 4) q;
SELECT spm.set_quota(k, p.name, 50000, 'bookings') FROM unnest('{l1,l2,l3,l4,d1}'::text[]) k, spm.period p WHERE p.grain = 'quarter';
SELECT spm.set_variable('target_bonus', 999.99);
SELECT spm.add_absence_kind('leave', min_days => 10), spm.add_ramp('new', '{0.25,0.5,0.75,0.9}');
SQL
}

my @periods = ((map { "2026-Q$_" } 1 .. 4), '2027-Q1', '2027-Q2');
my $end = @periods;
my @state = ('open') x $end;
my $first_open = 0;
my $reached = 0;    # the latest period that was ever the first open one
my $next_id = 10000;
my $version_day = 20;
my $person = 100;

sub any { return $_[ int(rand(@_)) ]; }
sub seller { return sprintf('s%02d', 1 + int(rand(20))); }
sub order { return $node->safe_psql('main', "SELECT order_id FROM company.sales_order ORDER BY md5(order_id::text || '" . int(rand(1e9)) . "') LIMIT 1"); }

# Days of all periods up to the one that is open, mostly of posted ones.
sub day
{
	return "date '2026-01-01' + " . int(rand(($reached + 1) * 91));
}

# A change of dated assignments that does not fit is refused, in both alike.
sub tried { return "DO \$do\$ BEGIN PERFORM $_[0]; EXCEPTION WHEN exclusion_violation OR data_exception OR check_violation THEN NULL; END \$do\$"; }


# Changes of an order or its shares come with what takes them back.
sub changed
{
	my ($order, $sql) = @_;
	my $undo = $node->safe_psql('main', qq{SELECT format('DELETE FROM company.sales_order WHERE order_id IN (%s, $next_id); INSERT INTO company.sales_order SELECT (%L::company.sales_order).*', order_id, o)
		FROM company.sales_order o WHERE order_id = $order});
	return ($sql, $undo);
}

sub shared
{
	my ($order, $sql) = @_;
	my $undo = $node->safe_psql('main', qq{SELECT format('DELETE FROM company.share WHERE order_id = $order; INSERT INTO company.share SELECT * FROM unnest(%L::company.share[])',
		coalesce(array_agg(s), '{}')) FROM company.share s WHERE order_id = $order});
	return ("DELETE FROM company.share WHERE order_id = $order; $sql", $undo);
}

my @orders = (
	[ 10, 'a late order', sub {
		$next_id++;
		my $currency = any('USD', 'EUR');
		my $amount = int(rand(900000)) / 100;
		return ("INSERT INTO company.sales_order SELECT $next_id, " . day() . ", '" . any(seller(), seller(), 'n101', 'l2')
			. "', 'c" . int(rand(40)) . "', '" . any('goods', 'service') . "', 1, $amount, $amount / 2, '$currency', 'booking'",
			"DELETE FROM company.sales_order WHERE order_id = $next_id"); } ],
	[ 6, 'another amount', sub { my $order = order(); changed($order, 'UPDATE company.sales_order SET amount = round(amount * ' . (0.5 + rand()) . ", 2) WHERE order_id = $order") } ],
	[ 4, 'an order that vanishes', sub { my $order = order(); changed($order, "DELETE FROM company.sales_order WHERE order_id = $order") } ],
	[ 5, 'a refund', sub {
		my $order = order();
		$next_id++;
		return ("INSERT INTO company.sales_order SELECT $next_id, ordered_on + " . int(rand(90))
			. ", seller, customer, product, -quantity, -amount, -cost, currency, 'refund' FROM company.sales_order WHERE order_id = $order",
			"DELETE FROM company.sales_order WHERE order_id = $next_id"); } ],
	[ 4, 'another date', sub { my $order = order(); changed($order, 'UPDATE company.sales_order SET ordered_on = ' . day() . " WHERE order_id = $order") } ],
	[ 4, 'another seller', sub { my $order = order(); changed($order, "UPDATE company.sales_order SET seller = '" . seller() . "' WHERE order_id = $order") } ],
	[ 2, 'nobody as seller', sub { my $order = order(); changed($order, "UPDATE company.sales_order SET seller = NULL WHERE order_id = $order") } ],
	[ 2, 'another product', sub { my $order = order(); changed($order, "UPDATE company.sales_order SET product = '" . any('goods', 'service') . "', customer = 'c0' WHERE order_id = $order") } ],
	[ 1, 'another key', sub { my $order = order(); $next_id++; changed($order, "UPDATE company.sales_order SET order_id = $next_id WHERE order_id = $order") } ]);
my @splits = (
	[ 4, 'another split', sub {
		my $order = order();
		my ($x, $y, $n) = (1 + int(rand(40)), 1 + int(rand(30)), int(rand(18)));
		my @sharers = map { sprintf("s%02d", 1 + ($n + $_) % 20) } 0 .. 2;
		shared($order, "INSERT INTO company.share SELECT $order, v.* FROM (VALUES ('$sharers[0]', $x.25), ('$sharers[1]', $y.5), ('$sharers[2]', 99.25 - $x - $y)) v") } ],
	[ 2, 'no split any more', sub { my $order = $node->safe_psql('main', q{SELECT order_id FROM company.share ORDER BY md5(order_id::text || '} . int(rand(1e9)) . q{') LIMIT 1}); shared($order, 'SELECT 1') } ]);
my @settings = (
	[ 8, 'another quota', sub {
		my ($seat, $period) = (seller(), any(@periods[ 0 .. $reached ]));
		my $old = $node->safe_psql('main', "SELECT amount FROM spm.quota q JOIN spm.position USING (position_id) JOIN spm.period p USING (period_id) WHERE position_key = '$seat' AND p.name = '$period' AND superseded_at IS NULL");
		return ("SELECT spm.set_quota('$seat', '$period', " . int(rand(30000)) . ", 'bookings')", "SELECT spm.set_quota('$seat', '$period', $old, 'bookings')"); } ],
	[ 3, 'a relief', sub {
		my ($who, $period) = (seller(), any(@periods[ 0 .. $reached ]));
		return ("SELECT spm.relieve_quota('$who', '$period', " . int(rand(300000)) / 100 . ", 'bookings', 'because')", "SELECT spm.relieve_quota('$who', '$period', 0, 'bookings', 'because')"); } ],
	[ 3, 'an absence', sub {
		my $day = day();
		$person++;
		return ("SELECT spm.add_absence('" . seller() . "', 'leave', $day, $day + " . (1 + int(rand(60))) . ", 'number $person')",
			"SELECT spm.withdraw_absence(absence_id) FROM spm.absence WHERE reason = 'number $person'"); } ],
	[ 1, 'a ramp', sub { tried("spm.assign_ramp('new', '" . seller() . "', " . day() . ", share_before => " . any(0, 1) . ')') } ],
	[ 5, 'a corrected exchange rate', sub { my $day = day(); tried("spm.set_exchange_rate('EUR', 'USD', $day, " . (1 + int(rand(2000)) / 10000) . ", until => $day + " . (1 + int(rand(40))) . ')') } ],
	[ 4, 'a seat that changes hands', sub {
		my ($seat, $day) = (seller(), day());
		$person++;
		return "SELECT spm.add_payee('n$person', 'New $person'); "
			. tried("spm.vacate_position('$seat', $day)") . '; ' . tried("spm.assign_position('$seat', 'n$person', $day)"); } ],
	[ 3, 'a seat under another lead', sub { tried("spm.set_manager('" . seller() . "', 'l" . (1 + int(rand(4))) . "', " . day() . ')') } ],
	[ 3, 'another target bonus', sub { tried("spm.set_variable('target_bonus', " . int(rand(3000)) . ", payee => '" . seller() . "', since => " . day() . ')') } ],
	[ 2, 'a second plan', sub { tried("spm.assign_plan('" . any('Seller', 'Manager') . "', " . day() . ", payee => '" . any(seller(), 'l1', 'd1') . "')") } ],
	[ 2, 'a rule that shares', sub { $person++; tried("spm.add_credit_rule('rule $person', 'account_key = ''c" . int(rand(40)) . "''', '{s04,s06}', '{0.7,0.3}', " . day() . ')') } ],
	[ 1, 'a new version of the plan', sub {
		$version_day += 20 + int(rand(60));
		my $rates = any('0%: 4%, 70%: 8%', '0%: 6%, 90%: 7%, 120%: 12%');
		return "SELECT spm.new_plan_version('Seller', date '2026-01-01' + $version_day), spm.drop_component('Seller', 'Commission'), "
			. "spm.add_component('Seller', 'Commission', '$rates', quota => 'bookings', prorate => '" . any('none', 'calendar', 'working', 'months') . "'), spm.publish_plan('Seller')"; } ]);

# Makes one edit of a kind in both databases, and remembers how to take it back.
my (@undo, @log, @since_last);
my $done = 0;

sub apply
{
	my ($what, $sql) = @_;

	$node->safe_psql($_, $sql) foreach 'main', 'fresh';
	push @since_last, "$what: $sql";
	$done++;
}

sub edit
{
	my $weight = 0;
	$weight += $_->[0] foreach @_;
	my $at = rand($weight);

	foreach my $kind (@_)
	{
		$at -= $kind->[0];
		next if $at >= 0;
		my ($sql, $undo) = $kind->[2]->();
		apply($kind->[1], $sql);
		unshift @undo, $undo if defined $undo;
		return;
	}
}

# What changes between two calculations: anything, orders alone, splits alone
# (then only digests of the warehouse tell), or the last changes are taken back.
sub edits
{
	my $mode = rand();
	my @taken_back = @undo;

	@undo = ();
	if ($mode < 0.2 && @taken_back) { apply('taken back', $_) foreach @taken_back; }
	elsif ($mode < 0.35) { edit(@splits) for 0 .. int(rand(2)); }
	elsif ($mode < 0.7) { edit(@orders) for 0 .. int(rand(6)); }
	else { edit(@orders, @splits, @settings) for 0 .. 3 + int(rand(9)); }
}

# What everybody has got in all, and what stands, for the periods up to one.
my $paid = <<'SQL';
SELECT concat_ws(' | ', 'paid', p.name, y.payee_key, s.position_key, v.version_no, c.name, trim_scale(sum(o.amount)))
FROM spm.payout o JOIN spm.period p USING (period_id) JOIN spm.payee y USING (payee_id) JOIN spm.position s USING (position_id)
JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id)
WHERE p.name <= '%1$s'
GROUP BY p.name, y.payee_key, s.position_key, v.version_no, c.name HAVING sum(o.amount) <> 0
UNION ALL
SELECT concat_ws(' | ', 'measured', p.name, y.payee_key, s.position_key, v.version_no, c.name, m.credit_count, trim_scale(m.opening_amount),
    trim_scale(m.amount), trim_scale(m.quota_amount), trim_scale(m.factor), trim_scale(m.earned_amount))
FROM spm.standing_measurement m JOIN spm.period p USING (period_id) JOIN spm.payee y USING (payee_id) JOIN spm.position s USING (position_id)
JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id)
WHERE p.name <= '%1$s'
UNION ALL
SELECT concat_ws(' | ', 'earned', p.name, y.payee_key, s.position_key, v.version_no, c.name, t.transaction_key, t.kind, t.owner_key, t.level,
    trim_scale(t.credited_amount), trim_scale(e.exchange_rate), trim_scale(e.base_amount), trim_scale(e.from_total), trim_scale(e.amount))
FROM spm.standing_earning e JOIN spm.period p USING (period_id) JOIN spm.payee y USING (payee_id) JOIN spm.position s USING (position_id)
JOIN spm.component c USING (component_id) JOIN spm.plan_version v USING (plan_version_id) JOIN spm.standing_credit t USING (credit_id)
WHERE p.name <= '%1$s'
UNION ALL
SELECT concat_ws(' | ', 'credited', p.name, s.position_key, t.transaction_key, t.kind, t.owner_key, t.payee_id IS NULL, trim_scale(t.credited_amount))
FROM spm.standing_credit t JOIN spm.period p USING (period_id) JOIN spm.position s USING (position_id)
WHERE p.name <= '%1$s'
UNION ALL
SELECT concat_ws(' | ', 'uncredited', p.name, u.transaction_key, u.owner_key, u.reason)
FROM spm.uncredited u JOIN spm.period p USING (period_id)
WHERE p.name <= '%1$s'
ORDER BY 1
SQL

# Everything that a posted posting holds, and nothing of drafts.
my $posted = join(' UNION ALL ', map { "SELECT r.posting_id, '$_:' || count(*) || ':' || sum(hashtextextended(r::text, 0)::numeric) FROM spm.$_ r JOIN spm.posting o USING (posting_id) WHERE o.state = 'posted' GROUP BY 1" }
	qw(posting credit measurement earning payout));
$posted = "SELECT posting_id, string_agg(digest, ' ' ORDER BY digest) FROM ($posted) d(posting_id, digest) GROUP BY 1 ORDER BY 1";
my %digest_of;

# Differences that are paid but not listed, or listed without a reason.
my $differences = <<'SQL';
SELECT format('posting %s, period %s, payee %s: paid %s, listed %s', posting_id, period_id, payee_id, sum(paid), sum(listed))
FROM (SELECT x.posting_id, x.period_id, x.payee_id, x.amount AS paid, 0 AS listed
      FROM spm.payout x JOIN spm.posting o USING (posting_id)
      WHERE x.kind = 'earning' AND (x.period_id <> o.period_id OR EXISTS (SELECT FROM spm.posting b WHERE b.period_id = o.period_id AND b.posting_id < o.posting_id))
      UNION ALL
      SELECT posting_id, period_id, payee_id, 0, amount FROM spm.difference) d
GROUP BY posting_id, period_id, payee_id HAVING sum(paid) <> sum(listed)
UNION ALL
SELECT format('posting %s, %s of payee %s: %s, %s', posting_id, transaction_key, payee_id, cause, reason) FROM spm.difference
WHERE cause IS NULL OR cause = 'other' OR reason IS NULL
LIMIT 20
SQL

my $statements = <<'SQL';
SELECT who, string_agg(line, E'\n' ORDER BY line_no)
FROM (SELECT s.*, replace(substring(line FROM '^(?=.{80}$).*  (-?[0-9][0-9,]*(?:\.[0-9]+)?)$'), ',', '')::numeric AS amount
      FROM spm._statement_lines(spm._period_id('%s'), NULL, 'infinity') s) l
GROUP BY who
HAVING coalesce(sum(amount) FILTER (WHERE line !~ '^(Payable|Earned in) '), 0) <> sum(amount) FILTER (WHERE line ~ '^Payable ')
    OR max(length(line)) > 80
LIMIT 1
SQL

# Two versions of the statements of a few payees.
my $reasons = <<'SQL';
WITH payee AS MATERIALIZED (SELECT payee_key FROM spm.payee ORDER BY md5(payee_key || '%1$s') LIMIT 4),
version AS MATERIALIZED (SELECT p.payee_key, '%2$s' AS period, v.known_at, v.payable_amount,
        row_number() OVER (PARTITION BY p.payee_key ORDER BY md5(v.known_at::text || '%1$s')) AS nth
    FROM payee p, spm.statement_version(p.payee_key, '%2$s') v)
SELECT a.payee_key, a.known_at, a.payable_amount, b.known_at, b.payable_amount, w.difference, w.unexplained
FROM version a
JOIN version b ON b.payee_key = a.payee_key AND b.known_at > a.known_at AND a.nth <= 2 AND b.nth <= 2
CROSS JOIN LATERAL (SELECT coalesce(sum(y.difference), 0) AS difference, string_agg(y.item, ', ') FILTER (WHERE y.reason IS NULL OR y.reason = 'calculated anew') AS unexplained
                    FROM spm.why(a.payee_key, a.period, a.known_at, b.known_at) y) w
WHERE w.difference <> b.payable_amount - a.payable_amount OR w.unexplained IS NOT NULL
SQL

my ($rounds, $failed, $lines, $reopenings) = (0, 0, 0, 0);

sub failure
{
	my ($promise, @details) = @_;

	$failed++;
	fail($promise);
	diag("seed $seed, round $rounds: ", join("\n", @log[ ($#log > 25 ? $#log - 25 : 0) .. $#log ]));
	diag("edits since the last comparison:\n", join("\n", @since_last));
	diag(join("\n", @details));
}

sub calculate { push @log, "calculate $_[0]"; my ($status, undef, $error) = $node->psql('main', "CALL spm.calculate('$_[0]')"); failure("$_[0] can be calculated", $error) if $status; return $error; }

while ($done < $edits && !$failed)
{
	$rounds++;
	edits();
	push @log, @since_last;

	# Somebody opens what was closed.
	# Often the latest: the draft after it may hold differences of it.
	my @posted = grep { $state[$_] eq 'posted' } 0 .. $end - 1;
	if (@posted && (rand() < 0.25 || @posted == $end))
	{
		my $again = rand() < 0.5 ? $posted[-1] : any(@posted);
		$reopenings++;
		push @log, "reopen $periods[$again]";
		$node->safe_psql('main', "SELECT spm.reopen_period('$periods[$again]', 'found by the auditors')");
		$state[$again] = 'open';
	}
	($first_open) = grep { $state[$_] ne 'posted' } 0 .. $end - 1;
	$reached = $first_open if $first_open > $reached;

	my $open = $periods[$first_open];
	calculate($open);
	my $again = calculate($open);
	$again =~ /; 0 rows changed/ or failure('calculating again changes nothing', $again);

	my @main = split /\n/, $node->safe_psql('main', sprintf($paid, $open));
	my @fresh = split /\n/, $node->safe_psql('fresh', join("\n", 'BEGIN;', (map { "CALL spm.calculate('$_');" } @periods[ 0 .. $first_open ]), sprintf($paid, $open), ';ROLLBACK'));
	$lines += @fresh;
	my %main = map { $_ => 1 } @main;
	my %fresh = map { $_ => 1 } @fresh;
	my @difference = ((map { "only in main:  $_" } grep { !$fresh{$_} } @main), (map { "only in fresh: $_" } grep { !$main{$_} } @fresh));
	if (@difference || @main != @fresh) { failure("after round $rounds all is paid as if calculated from nothing", splice(@difference, 0, 40)); }

	my $wrong = $node->safe_psql('main', 'SELECT count(*) FROM spm.reconciliation WHERE NOT is_reconciled');
	if ($wrong) { failure("after round $rounds every level adds up", "$wrong rows do not"); }

	# What everybody gets more or less is explained deal by deal, to the cent.
	my $unexplained = $node->safe_psql('main', $differences);
	if ($unexplained) { failure("after round $rounds every difference that is paid has its reasons", $unexplained); }

	# And on paper: the amounts at the right of a statement add up to what is payable.
	my $unpaid = $node->safe_psql('main', sprintf($statements, $open));
	if ($unpaid) { failure("after round $rounds every statement adds up", $unpaid); }

	# Between any two versions of it, the reasons why it is another sum add up.
	my $why = $node->safe_psql('main', sprintf($reasons, $rounds, $open));
	if ($why) { failure("after round $rounds what changed between two versions is explained", $why); }

	# Somebody looks ahead: the draft of the next period is there before this one is posted.
	$state[$first_open] = 'calculated';
	my ($ahead) = grep { $state[$_] ne 'posted' } $first_open + 1 .. $end - 1;
	if (defined $ahead && rand() < 0.3)
	{
		calculate($periods[$ahead]);
		$state[$ahead] = 'calculated';
	}

	if (rand() < 0.6)
	{
		push @log, "post $open";
		my ($status, undef, $error) = $node->psql('main', "CALL spm.post('$open')");
		if ($status) { failure("$open can be posted", $error); }
		$state[$first_open] = 'posted';
	}
	foreach my $line (split /\n/, $node->safe_psql('main', $posted))
	{
		my ($posting, $digest) = split /\|/, $line;
		if (defined $digest_of{$posting} && $digest_of{$posting} ne $digest) { failure("posting $posting is as it was posted", $digest_of{$posting}, $digest); }
		$digest_of{$posting} = $digest;
	}
	@since_last = ();
}

is($failed, 0, "$done edits in $rounds rounds, " . scalar(keys %digest_of) . " postings, $reopenings reopenings: $lines figures equal those calculated from nothing, and posted ones stay");
cmp_ok(scalar(keys %digest_of), '>=', 2, 'there were postings to keep');
my $late = $node->safe_psql('main', 'SELECT count(*) FROM spm.payout o JOIN spm.posting p USING (posting_id) WHERE o.period_id <> p.period_id');
cmp_ok($late, '>', 0, "and differences to pay: $late");
my $causes = $node->safe_psql('main', q{SELECT string_agg(DISTINCT cause, ', ') FROM spm.difference});
cmp_ok(scalar(split /, /, $causes), '>=', 5, "each with its reasons: $causes");

$node->stop;
done_testing();
