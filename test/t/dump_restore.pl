# A database comes back from a backup as it was, and goes on working: rows,
# next values, guards, statements, and what is calculated next.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;

sub sql { return $node->safe_psql(@_); }

sub refused
{
	my ($database, $sql, $state, $promise) = @_;
	my (undef, undef, $error) = $node->psql($database, "\\set VERBOSITY sqlstate\n$sql");
	like($error, qr/ERROR:  $state/, $promise);
}

# Periods in every state: Q1 and Q3 posted, Q2 opened again and calculated, Q4
# calculated; differences posted and not; a draft of a plan; quotas replaced.
sql('postgres', 'CREATE DATABASE before');
sql('before', 'CREATE EXTENSION spm CASCADE');
$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('before'), '-f', "$ENV{TESTDIR}/fixture/company.sql" ], 'the company moves in');
sql('before', $_) foreach (
	q{CALL spm.calculate('2026-Q1')}, q{CALL spm.post('2026-Q1')}, q{CALL spm.calculate('2026-Q2')}, q{CALL spm.post('2026-Q2')},
	q{INSERT INTO company.sales_order VALUES (2001, '2026-02-03', 's03', 'c1', 'goods', 1, 7777.77, 10, 'EUR', 'booking')},
	q{SELECT spm.set_quota('s03', '2026-Q1', 30000.5, 'bookings', reason => 'it''s "late"')},
	q{DELETE FROM company.sales_order WHERE order_id = (SELECT min(order_id) FROM company.sales_order WHERE ordered_on BETWEEN '2026-04-01' AND '2026-06-30')},
	q{CALL spm.calculate('2026-Q3')}, q{CALL spm.post('2026-Q3')},
	q{SELECT spm.set_capitalization('Seller', NULL, 36), spm.set_gl_account('expense', '6010'), spm.set_payment_currency('s01', 'EUR', '2026-01-01', rate_on => 'payment', quote => 'inverse')},
	q{CREATE ROLE payroll SUPERUSER; SELECT spm.propose_payment('2026-Q1', pay_on => '2026-04-20')},
	q{SET SESSION AUTHORIZATION payroll; SELECT spm.approve_payment(payment_batch_id), spm.record_payment(payment_batch_id, 'SEPA 4711', '2026-04-21') FROM spm.payment_batch},
	q{SELECT spm.impair(c.transaction_key, '2026-11-01', 'went bust', share => 0.5) FROM spm.standing_credit c JOIN spm.standing_earning e USING (credit_id)
		WHERE c.event_date < '2026-04-01' AND e.amount > 0 ORDER BY c.credit_id LIMIT 1},
	q{SELECT spm.reopen_period('2026-Q2', 'the bank returned it')},
	q{UPDATE company.sales_order SET amount = amount + 0.01 WHERE order_id = (SELECT max(order_id) FROM company.sales_order WHERE ordered_on < '2026-04-01')},
	q{SELECT spm.accept_plan('Seller', 1, 's01')},
	q{SELECT spm.new_plan_version('Seller', '2026-11-01')},
	# a draft that says all that a plan can
	q{SELECT spm.import_plan('{"spm_plan": 1, "name": "All", "calendar": "company", "currency_code": "USD", "since": "2026-01-01",
		"components": [{"name": "Sales", "rates": "0: 5%", "lookup": "Sizes", "lookup_expressions": ["quantity"], "modifiers": [{"kind": "cap", "value": 100.50}]},
			{"name": "Kicker", "rates": "0: 10%", "basis": "result", "inputs": [{"of_component": "Sales", "figure": "earned", "weight": 0.250}]}],
		"pay_rules": [{"name": "Draw", "kind": "draw", "method": "advance", "amount": 250.00}],
		"lookups": [{"name": "Sizes", "dimensions": ["size"], "otherwise": 0, "rows": [{"span": "[2026-01-01,)", "keys": [null], "ranges": ["[0,10)"], "value": 1.10}]}]}'),
		spm.set_objective('s01', '2026-Q4', 'Launch in "España"', 1, 0.950)},
	q{SELECT spm.add_measure('bookings/goods', falls_back_to => 'bookings'), spm.add_absence_kind('leave', min_days => 30), spm.add_ramp('new', '{0.5,0.75}'),
		spm.add_holiday((SELECT name FROM spm.calendar LIMIT 1), '2026-12-25', 'Christmas')},
	q{SELECT spm.set_quota('*', '2026-Q4', 12000, 'bookings/goods'), spm.add_absence('s08', 'leave', '2026-04-01', '2026-05-15'),
		spm.assign_ramp('new', 's08', '2026-02-16'), spm.relieve_quota('s09', '2026-Q2', 1500.5, 'bookings', 'account moved')},
	q{SELECT spm.schedule('0 6 * * 1-5', calculate => true, runner => 'other')},
	q{INSERT INTO spm.job_run (job, finished_at, outcome, message, version) VALUES ('spm', clock_timestamp(), 'skipped', 'The run before was still "under way".', '0.4.0')},
	q{CREATE TABLE company.holder AS SELECT 'c1'::text AS account, 's01'::text AS rep},
	q{SELECT spm.set_rollup(0.5, level => 3, "position" => 'd1'), spm.set_rolldown('equal', "position" => 'l2'),
		spm.map_event(s.name, 'payment', 'company.sales_order', key => 'order_id', date => 'ordered_on', amount => 'amount'),
		spm.map_territory('accounts', 'company.holder', key => 'account', owner => 'rep'),
		spm.add_manual_credit('s08', '2026-04-02', 99.99, 'USD', 'saved the "renewal"') FROM spm.source s LIMIT 1},
	q{INSERT INTO spm.manual_credit_decision (manual_credit_id, decision, decided_by) SELECT manual_credit_id, 'approved', 'somebody else' FROM spm.manual_credit},
	q{SELECT spm.create_plan('Safety net', (SELECT name FROM spm.calendar LIMIT 1), 'USD', '2026-04-01'), spm.add_component('Safety net', 'Extra', '0: 1%'),
		spm.add_pay_rule('Safety net', 'draw', 5000, recover_share => 0.5), spm.add_pay_rule('Safety net', 'holdback', share => 0.1, components => '{Extra}'),
		spm.assign_plan('Safety net', '2026-04-01', payee => 's08'), spm.publish_plan('Safety net')},
	q{SELECT spm.release_holdback('Safety net', 'holdback', '2026-Q2', 'on time'), spm.hold('a "dispute"', payee => 's08', plan => 'Safety net')},
	q{INSERT INTO spm.adjustment (payee_id, period_id, amount, currency_code, reason, recorded_by) SELECT y.payee_id, p.period_id, -1.5, 'USD', 'it''s "late"', 'somebody else'
		FROM spm.payee y, spm.period p WHERE y.payee_key = 's03' AND p.name = '2026-Q2'}, q{SELECT spm.approve_adjustment(1)},
	# a model whose children were there before their parents
	q{CREATE TABLE company.account AS SELECT 'c1'::text AS account, 'West "coast"'::text AS region; CREATE TABLE company.region AS SELECT 'West "coast"'::text AS name, 'US'::text AS part_of},
	q{SELECT spm.add_territory_model('2026', 'company.account', 'account'), spm.add_territory_attribute('2026', 'region', 'tree'), spm.load_attribute_tree('region', 'company.region', 'name', 'part_of')},
	q{SELECT spm.add_territory('2026', 'west'), spm.add_territory('2026', 'us')}, q{SELECT spm.move_territory('west', 'us'), spm.hold_territory('west', 's01', '2026-01-01', share => 0.5),
		spm.add_territory_rule('west', '{"region": {"under": "US"}}', reason => 'it''s "ours"'), spm.activate_territory_model('2026')},
	q{SELECT spm.assign_territories(as_of => '2026-02-01'), spm.assign_account('c1', 'us', '2026-03-01', 'asked for'), spm.check_holders('accounts', 'company.holder', payee => 'rep', territory => 'account'),
		spm.accept_territory_defect('holder', 'accounts/s01/c1', 'names an account')},
	# a plan of quotas that somebody else has agreed to, people it takes, accounts by worth, a map
	q{CREATE TABLE company.known AS SELECT position_key AS seat, 100 * position_id + 0.5 AS history FROM spm.position},
	q{SELECT spm.add_quota_plan('H2 "stretch"', '2026-Q4', 'bookings', 500000.05, reason => 'first round')},
	q{SELECT spm.load_quota_input('H2 "stretch"', 'history', 'company.known', 'seat', 'history'),
		spm.set_quota_factors('H2 "stretch"', '{"history": 0.75, "even": 0.25}'), spm.set_over_assignment('H2 "stretch"', 2, 0.05), spm.set_quota_season('H2 "stretch"', '{1}')},
	q{SELECT spm.bound_quota('H2 "stretch"', 's02', 100.50, NULL, 'it''s "theirs"')}, q{SELECT spm.allocate_quota_plan('H2 "stretch"')}, q{SELECT spm.propose_quota_plan('H2 "stretch"', 'for the board')},
	q{SET SESSION AUTHORIZATION payroll; SELECT spm.approve_quota_plan('H2 "stretch"', 'agreed')}, q{SELECT spm.publish_quota_plan('H2 "stretch"')},
	q{SELECT spm.new_quota_plan_version('H2 "stretch"', 'next')},
	q{SELECT spm.add_segmentation('worth', 'company.sales_order', 'order_id', '{amount,quantity}', '{A,B}', 'count', '{0.25}', weights => '{2,1}')},
	q{SELECT FROM spm.segment_accounts('worth', '2026-01-01')}, q{SELECT spm.set_segment('worth', '1', 'A', '2026-03-01', 'said "so"')},
	q{SELECT spm.add_capacity_plan('2027', '2027-01-01'), spm.add_capacity_role('2027', 'Seller', 80000, attrition => 0.02, ramp => 'new', title => 'Seller'),
		spm.add_capacity_heads('2027', 'Seller', '2026-12-01', 12), spm.set_capacity_target('2027', 'Seller', 1000000.05),
		spm.set_workload('2027', 'Seller', 'worthy', 2, 1.5, segmentation => 'worth', segment => 'A')},
	q{CREATE TABLE company.block AS SELECT 'b' || i AS block, 40 + i * 0.01 AS lat, -74 + i % 2 * 0.01 AS lon, 10 + i % 3 AS work FROM generate_series(1, 8) i},
	q{SELECT spm.add_territory_design('town', '{work}', '{0.2}'), spm.load_design_units('town', 'company.block', 'block', 'lat', 'lon'), spm.add_design_seats('town', 2),
		spm.find_design_borders('town', 3), spm.connect_design('town'), spm.set_design_distance('town', 'b1', 'T1', 1.50), spm.lock_design_units('town', '{b8}', false)},
	q{SELECT spm.solve_design('town', moves => 1000)},
	# a CRM, what was known of it on a day, what people and we say of it
	q{CREATE TABLE company.deal AS SELECT 'o' || i AS id, 's0' || 1 + i % 9 AS owner, CASE i % 5 WHEN 0 THEN 'Won' WHEN 1 THEN 'Lost' ELSE 'Talk "it"' END AS stage, 100.5 * i AS amount,
		date '2026-01-01' + i AS opened, date '2026-03-01' + i AS closing FROM generate_series(1, 60) i},
	q{CREATE TABLE company.deal_history AS SELECT id, opened AS day, 'Talk "it"'::text AS stage FROM company.deal UNION ALL SELECT id, closing, stage FROM company.deal WHERE stage IN ('Won', 'Lost')},
	q{SELECT spm.map_opportunities('crm', 'company.deal', key => 'id', owner => 'owner', stage => 'stage', amount => 'amount', created => 'opened', close_date => 'closing', fixed_currency => 'USD'),
		spm.map_stage_history('crm', 'company.deal_history', 'id', 'day', 'stage')},
	q{SELECT spm.take_snapshot('first "look"', '2026-05-01'), spm.submit_call('s01', '2026-Q2', 100.5, as_of => '2026-05-01')},
	q{SELECT spm.forecast_pipeline('2026-06-30', as_of => '2026-05-01', paths => 100)},
	q{INSERT INTO spm.forecast_series (name, series_key, as_of, method, level, period, mean, lower, upper)
		SELECT 'orders', 'all', '2026-06-30', f.method, f.level, f.period, f.mean, f.lower, f.upper
		FROM (SELECT spm.forecast(ordered_on, amount, 3, '{"step": "month"}') AS f FROM company.sales_order) o, LATERAL (SELECT (o.f).*) f},
	q{CALL spm.calculate('2026-Q2')},
	q{UPDATE company.sales_order SET amount = amount + 1 WHERE order_id = (SELECT max(order_id) FROM company.sales_order WHERE ordered_on BETWEEN '2026-04-01' AND '2026-06-30')},
	q{CALL spm.calculate('2026-Q2')}, q{CALL spm.calculate('2026-Q4')}, q{SELECT spm.track_source(name) FROM spm.source}, q{CALL spm.refresh()});

my %dump = map { $_ => "$PostgreSQL::Test::Utils::tmp_check/before.$_" } 'sql', 'dump';
$node->command_ok([ 'pg_dump', '-f', $dump{sql}, $node->connstr('before') ], 'a database with results in it can be dumped as a script');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump{dump}, $node->connstr('before') ], 'and as an archive');
sql('postgres', "CREATE DATABASE $_") foreach 'script', 'archive', 'sections';
$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('script'), '-f', $dump{sql} ], 'the script can be run in an empty database');
$node->command_ok([ 'pg_restore', '-1', '-e', '-d', $node->connstr('archive'), $dump{dump} ], 'the archive can be restored in one transaction');
$node->command_ok([ 'pg_restore', '-e', '--section', $_, '-d', $node->connstr('sections'), $dump{dump} ], "and in parts: $_")
	foreach 'pre-data', 'data', 'post-data';

# position_path_version only counts changes of the tree: a restore makes the tree anew.  It also marks everything as changed.
# So does the version of a territory model: rules are compiled anew.
my @tables = split /\n/, sql('before', q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'spm'::regnamespace AND relkind = 'r'
	AND relname NOT IN ('position_path_version', 'change', 'change_version') ORDER BY 1});
my @sequences = split /\n/, sql('before', q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'spm'::regnamespace AND relkind = 'S' AND relname <> 'change_change_id_seq' ORDER BY 1});
sub rows { return join(' UNION ALL ', map { "SELECT '$_', count(*), md5(string_agg(r::text, E'\\n' ORDER BY r::text COLLATE \"C\")) FROM "
	. ($_ eq 'spm.territory_model' ? "(SELECT to_jsonb(m) - 'version' FROM $_ m)" : $_) . ' r' } @_) . ' ORDER BY 1'; }
my $rows = rows(@tables);
my $results = rows(grep { !/run|uncredited/ } @tables);    # all that bears no number of the last run
my $next = join(' UNION ALL ', map { "SELECT '$_', last_value, is_called FROM $_" } @sequences) . ' ORDER BY 1';
my $views = q{SELECT md5(string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C")) FROM spm.transaction t
	UNION ALL SELECT md5(string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C")) FROM spm.transaction_split t
	UNION ALL SELECT md5(string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C")) FROM spm.transaction_event t
	UNION ALL SELECT md5(string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C")) FROM spm.territory_claim t};
my $triggers = q{SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname ~ '^spm_change' ORDER BY 1};
my $statements = q{SELECT y.payee_key, p.name, s FROM spm.payee y, spm.period p, spm.statement(y.payee_key, p.name) WITH ORDINALITY s(s, n)
	WHERE y.payee_key IN ('s01', 's03', 's08', 's21', 'l2', 'd1') AND p.grain = 'quarter' ORDER BY 1, 2, n};
my $notices = sub {
	my (undef, undef, $error) = $node->psql($_[0], $_[1]);
	return $error;
};

my %expected = map { $_->[0] => sql('before', $_->[1]) } [ rows => $rows ], [ next => $next ], [ views => $views ], [ statements => $statements ];
my @empty = grep { /\|0\|/ } split /\n/, $expected{rows};
is(join(', ', sort map { /^spm\.(\w+)/ } @empty), '', 'no table is empty, so that each proves something');
cmp_ok(length $expected{statements}, '>', 20000, 'statements are long enough to differ');

foreach my $copy ('script', 'archive', 'sections')
{
	is(sql($copy, $rows), $expected{rows}, "$copy: every row of every table is there");
	is(sql($copy, $next), $expected{next}, "$copy: keys go on where they stopped");
	is(sql($copy, $views), $expected{views}, "$copy: spm.transaction and its splits read the warehouse");
	is(sql($copy, $statements), $expected{statements}, "$copy: every statement reads the same");
	cmp_ok(sql($copy, 'SELECT count(*) FROM spm.waiting_change'), '>', 0, "$copy: a refresh will look at everything once");
	is(sql($copy, $triggers), sql('before', $triggers), "$copy: the source is tracked");
	like($notices->($copy, q{CALL spm.calculate('2026-Q2')}), qr/; 0 rows changed(?!; \d+ posted period)/, "$copy: there is nothing to calculate anew");
	is(sql($copy, $results), sql('before', $results),
		"$copy: and nothing but the run is recorded");
}

# Life goes on, in the copy as in the original.
foreach my $database ('before', 'archive')
{
	sql($database, $_) foreach (
		q{CALL spm.post('2026-Q2')},
		q{INSERT INTO company.sales_order VALUES (2002, '2026-05-05', 's08', 'c1', 'service', 1, 4321.09, 10, 'USD', 'booking')},
		q{CALL spm.refresh()}, q{CALL spm.post('2026-Q4')});
}
my $payouts = q{SELECT paid_period_name, period_name, payee_key, position_name, component_name, paid_amount FROM spm_bi.payout ORDER BY 1, 2, 3, 4, 5};
is(sql('archive', $payouts), sql('before', $payouts), 'calculating and posting go on to the same digits');
is(sql('archive', 'SELECT count(*) FROM spm.reconciliation WHERE NOT is_reconciled'), '0', 'and all adds up');

refused('archive', 'UPDATE spm.earning SET amount = 0', '23001', 'posted earnings are guarded in the copy');
refused('archive', 'DELETE FROM spm.payout', '23001', 'posted payouts, too');
refused('archive', 'TRUNCATE spm.payout CASCADE', '23001', 'and not emptied');
refused('archive', q{UPDATE spm.period SET state = 'open'}, '55000', 'periods are guarded');
refused('archive', q{DELETE FROM spm.period_event}, '55000', 'so is what happened to them');
refused('archive', q{DELETE FROM spm.job_run}, '55000', 'and what the schedule did');
refused('archive', q{UPDATE spm.tier SET rate = 1}, '23001', 'published plans are guarded');
refused('archive', q{SELECT spm.set_manager('d1', 's01', '2026-01-01')}, '23514', 'circles in the reporting tree are refused');
is(sql('archive', q{BEGIN; SELECT spm.set_manager('s01', 'l4', '2026-12-01') \g /dev/null
	SELECT a.position_key FROM spm.position_path JOIN spm.position s USING (position_id) JOIN spm.position a ON a.position_id = ancestor_position_id
	WHERE s.position_key = 's01' AND span @> date '2026-12-24' AND depth = 1; ROLLBACK}), 'l4', 'and the tree follows its lines');
refused('archive', q{INSERT INTO spm.tier (component_id, bounds, rate) SELECT component_id, '[1000,)', 9 FROM spm.tier t JOIN spm.component c USING (component_id) WHERE c.name = 'Service' LIMIT 1;
	CALL spm.calculate('2026-Q4')}, '23P01|55000|XX001', 'what is put into a published plan does not go unnoticed');

$node->stop;
done_testing();
