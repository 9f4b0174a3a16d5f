# Whoever updates from a released version ends with the same objects as
# whoever installs this one: every released version is installed, updated and
# compared with a fresh installation, object by object.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# One line for each fact about each object; oids and the inner version of
# columns (pg_attver in attoptions) may differ.
my $snapshot = <<'SQL';
WITH extension AS (
    SELECT * FROM pg_extension WHERE extname = 'spm'
), member AS (
    SELECT d.classid, d.objid, i.type || ' ' || i.identity AS name
    FROM extension e
    JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e',
        pg_identify_object(d.classid, d.objid, 0) i
), relation AS (
    SELECT m.name, c.* FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
), fact AS (
    SELECT name || ' exists' AS line FROM member
    UNION ALL
    SELECT name || ' kept by pg_dump: ' || w
    FROM extension e, ROWS FROM (unnest(e.extconfig), unnest(e.extcondition)) u(oid, w) JOIN relation r USING (oid)
    UNION ALL
    SELECT m.name || ' comment: ' || d.description
    FROM member m JOIN pg_description d ON d.classoid = m.classid AND d.objoid = m.objid AND d.objsubid = 0
    UNION ALL
    SELECT name || format(' options %s, persistence %s, row security %s %s, options of view and storage %s',
        relkind, relpersistence, relrowsecurity, relforcerowsecurity, reloptions) FROM relation
    UNION ALL
    SELECT name || format(' right: %s %s %s', coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), a.privilege_type, a.is_grantable)
    FROM relation, aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))) a
    UNION ALL
    SELECT r.name || format(' column %s %s: %s%s%s%s, default %s, identity %s, generated %s, collation %s, storage %s, compression %s, comment: %s',
        row_number() OVER (PARTITION BY r.oid ORDER BY a.attnum), a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN ' not null' END, ' ' || a.attacl::text, ' ' || a.attstattarget,
        pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attcollation::regcollation, a.attstorage, a.attcompression,
        col_description(r.oid, a.attnum))
    FROM relation r
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
    WHERE r.relkind <> 'i'
    UNION ALL
    SELECT coalesce(r.name, t.typname) || format(' constraint %s: %s, validated %s, comment: %s',
        k.conname, pg_get_constraintdef(k.oid), k.convalidated, obj_description(k.oid, 'pg_constraint'))
    FROM pg_constraint k LEFT JOIN relation r ON r.oid = k.conrelid LEFT JOIN pg_type t ON t.oid = k.contypid
    WHERE k.connamespace IN ('spm'::regnamespace, 'spm_bi'::regnamespace)
    UNION ALL
    SELECT r.name || ' index ' || pg_get_indexdef(i.indexrelid) || coalesce(', comment: ' || obj_description(i.indexrelid, 'pg_class'), '')
    FROM relation r JOIN pg_index i ON i.indrelid = r.oid
    UNION ALL
    SELECT r.name || format(' statistics %s', pg_get_statisticsobjdef(s.oid)) FROM relation r JOIN pg_statistic_ext s ON s.stxrelid = r.oid
    UNION ALL
    SELECT r.name || format(' trigger %s, enabled %s, comment: %s', pg_get_triggerdef(t.oid), t.tgenabled, obj_description(t.oid, 'pg_trigger'))
    FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT r.name || format(' policy %s %s %s %s %s %s', p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[],
        pg_get_expr(p.polqual, r.oid), pg_get_expr(p.polwithcheck, r.oid))
    FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
    UNION ALL
    SELECT name || ' definition: ' || pg_get_viewdef(oid) FROM relation WHERE relkind = 'v'
    UNION ALL
    SELECT name || format(' sequence: %s %s %s %s %s %s', seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcycle)
    FROM relation r JOIN pg_sequence s ON s.seqrelid = r.oid
    UNION ALL
    SELECT m.name || ' definition: ' || CASE p.prokind WHEN 'a' THEN format('%s %s %s %s %s %s %s %s %s %s %s %s %s %s %s %s',
            pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn,
            a.aggfinalextra, a.aggfinalmodify, a.aggtranstype::regtype, a.aggtransspace, a.agginitval, p.proparallel, a.aggsortop, a.aggkind,
            a.aggmtransfn)
        ELSE pg_get_functiondef(p.oid) END
    FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
    UNION ALL
    SELECT m.name || format(' right: %s %s', coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), a.privilege_type)
    FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    UNION ALL
    SELECT m.name || format(' right: %s %s', coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), a.privilege_type)
    FROM member m JOIN pg_namespace n ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    UNION ALL
    SELECT m.name || format(' type: %s %s %s %s %s %s %s %s %s %s %s', t.typlen, t.typbyval, t.typalign, t.typstorage, t.typcategory, t.typinput, t.typoutput,
        t.typreceive, t.typsend, t.typnotnull, pg_get_expr(t.typdefaultbin, 0))
        || coalesce((SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '')
    FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
    UNION ALL
    SELECT m.name || format(' operator: %s %s %s %s %s', o.oprcode, o.oprcom::regoper, o.oprnegate::regoper, o.oprrest, o.oprjoin)
    FROM member m JOIN pg_operator o ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
    UNION ALL
    SELECT m.name || format(' cast: %s %s %s', c.castfunc::regprocedure, c.castcontext, c.castmethod)
    FROM member m JOIN pg_cast c ON m.classid = 'pg_cast'::regclass AND m.objid = c.oid
)
SELECT regexp_replace(line, '\s+', ' ', 'g') FROM fact ORDER BY line COLLATE "C"
SQL

# What people had entered, in plain SQL that every released version understands.
my $rows = <<'SQL';
INSERT INTO spm.currency (currency_code, minor_digits) VALUES ('USD', 2), ('JPY', 0);
INSERT INTO spm.exchange_rate (from_currency_code, to_currency_code, span, rate) VALUES ('JPY', 'USD', '[2026-01-01,)', 0.0064);
INSERT INTO spm.payee (payee_key, name) VALUES ('E-1', 'Ada'), ('E-2', 'Ben');
INSERT INTO spm.calendar (name) VALUES ('fiscal');
INSERT INTO spm.period (calendar_id, grain, name, span)
SELECT calendar_id, 'quarter', '2026-Q1', '[2026-01-01,2026-04-01)' FROM spm.calendar;
SQL
my $plans = <<'SQL';
SELECT spm.add_measure('bookings'), spm.set_variable('bonus', 2);
SELECT spm.create_plan('AE', 'fiscal', 'USD', '2026-01-01'), spm.add_component('AE', 'Flat', '0: 5%'),
    spm.add_component('AE', 'Bonus', '0%: 8%, 100%: 12% cap 500', quota => 'bookings', variable => 'bonus', eligible => 'type = ''booking'''), spm.publish_plan('AE');
SQL
my $kept = <<'SQL';
SELECT currency_code, minor_digits FROM spm.currency ORDER BY 1;
SELECT from_currency_code, to_currency_code, span, rate FROM spm.exchange_rate ORDER BY 1;
SELECT payee_id, payee_key, name FROM spm.payee ORDER BY 1;
SELECT c.name, p.grain, p.name, p.span FROM spm.period p JOIN spm.calendar c USING (calendar_id) ORDER BY 1, 3;
SQL

# A quarter that is mapped, paid and posted by the version, and the next one, after the update.
my $quarters = <<'SQL';
CREATE TABLE public.deal (id text, day date, owner text, account text, amount numeric);
INSERT INTO public.deal VALUES ('D-1', '2026-02-01', 'E-1', 'acme', 1000), ('D-2', '2026-02-02', 'E-2', 'bolt', 500), ('D-3', '2026-05-01', 'E-2', 'bolt', 300);
INSERT INTO spm.period (calendar_id, grain, name, span) SELECT calendar_id, 'quarter', '2026-Q2', '[2026-04-01,2026-07-01)' FROM spm.calendar;
SELECT spm.map_source('deals', 'public.deal', key => 'id', date => 'day', owner => 'owner', amount => 'amount', account => 'account', fixed_currency => 'USD');
SELECT spm.add_position(k, k), spm.assign_position(k, k, '2025-01-01') FROM unnest('{E-1,E-2}'::text[]) k;
SELECT spm.add_credit_rule('Acme', 'account_key = ''acme''', '{E-1,E-2}', '{0.6,0.4}', '2026-01-01');
SELECT spm.create_plan('Deals', 'fiscal', 'USD', '2026-01-01'), spm.add_component('Deals', 'All', '0: 5%'),
    spm.assign_plan('Deals', '2026-01-01', payee => 'E-1'), spm.assign_plan('Deals', '2026-01-01', payee => 'E-2'), spm.publish_plan('Deals');
CALL spm.calculate('2026-Q1');
CALL spm.post('2026-Q1');
SQL
my $next = q{CALL spm.calculate('2026-Q2'); SELECT spm.rebuild_transaction_views(); CALL spm.calculate('2026-Q2');
    SELECT count(*) FILTER (WHERE is_difference), sum(paid_amount)::numeric(9,2), (SELECT bool_and(is_reconciled) FROM spm.reconciliation) FROM spm_bi.payout};

# The ledger, which moves into parts.
my $results = q{SELECT 'credit', credit_id::text, concat_ws('|', posting_id, period_id, position_id, payee_id, transaction_key, share, shares, credited_amount, attributes) FROM spm.credit c
	UNION ALL SELECT 'earning', earning_id::text, concat_ws('|', posting_id, period_id, component_id, position_id, payee_id, credit_id, base_amount, from_total, schedule_id, amount) FROM spm.earning e
	UNION ALL SELECT 'next', last_value::text, is_called::text FROM spm.credit_credit_id_seq
	UNION ALL SELECT 'next', last_value::text, is_called::text FROM spm.earning_earning_id_seq ORDER BY 1, 2, 3};
my $parts = q{SELECT c.relname, EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'),
		coalesce(c.relacl, acldefault('r', c.relowner)), (SELECT string_agg(t.tgname, ' ' ORDER BY t.tgname) FROM pg_trigger t WHERE t.tgrelid = c.oid)
	FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent IN ('spm.credit'::regclass, 'spm.earning'::regclass) AND c.relkind = 'r' ORDER BY 1};
my $rights = q{SELECT string_agg(concat_ws('|', c.relname, a.grantee::regrole, a.privilege_type, CASE WHEN p.objoid IS NULL THEN 'dumped' END), ', ' ORDER BY c.relname)
	FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_init_privs p ON p.classoid = 'pg_class'::regclass AND p.objoid = c.oid
	WHERE c.oid IN ('spm.credit'::regclass, 'spm.earning'::regclass) AND a.grantee <> c.relowner};

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

my $current = $node->safe_psql('postgres', q{SELECT default_version FROM pg_available_extensions WHERE name = 'spm'});
my @released = split /\n/, $node->safe_psql('postgres',
	qq{SELECT version FROM pg_available_extension_versions WHERE name = 'spm' AND version <> '$current' ORDER BY string_to_array(version, '.')::int[]});

$node->safe_psql('postgres', 'CREATE EXTENSION spm CASCADE');
$node->safe_psql('postgres', 'CREATE ROLE auditor');
my @fresh = split /\n/, $node->safe_psql('postgres', $snapshot);
cmp_ok(scalar @fresh, '>', 100, 'a fresh installation has something to compare with');

foreach my $version (@released)
{
	my $database = "from_$version";
	$node->safe_psql('postgres', qq{CREATE DATABASE "$database"});
	$node->safe_psql($database, "CREATE EXTENSION spm VERSION '$version' CASCADE");
	$node->safe_psql($database, $rows);
	# a plan that is published, with the hash that this version takes
	my $is_planned = $node->safe_psql($database, q{SELECT to_regproc('spm.publish_plan') IS NOT NULL}) eq 't';
	$node->safe_psql($database, $plans . $quarters) if $is_planned;
	my $before = $node->safe_psql($database, $kept);
	my $ledger = $is_planned ? $node->safe_psql($database, $results) : '';
	$node->safe_psql($database, 'GRANT SELECT ON spm.credit, spm.earning TO auditor') if $is_planned;
	my ($status, undef, $error) = $node->psql($database, 'ALTER EXTENSION spm UPDATE');
	is($status, 0, "version $version can be updated to $current") or diag $error;

	is($node->safe_psql($database, $kept), $before, "what was in version $version is still there");
	is($node->safe_psql($database, q{SELECT bool_and(spm._is_as_published(plan_version_id)) FROM spm.plan_version WHERE state <> 'draft'}), 't',
		"a plan that version $version has published is still what it was") if $is_planned;
	if ($is_planned)
	{
		is($node->safe_psql($database, $results), $ledger, 'rows and keys of the ledger are what they were');
		is($node->safe_psql($database, $parts), "credit_1|f|{postgres=arwdDxt/postgres}|guard guard_part\nearning_1|f|{postgres=arwdDxt/postgres}|guard guard_part",
			'they are in parts, which are no members of the extension, nobody else may read, and are guarded');
		is($node->safe_psql($database, $rights), 'credit|auditor|SELECT|dumped, earning|auditor|SELECT|dumped', 'and who might read them still may, which a dump tells');
		$node->safe_psql($database, 'REVOKE ALL ON spm.credit, spm.earning FROM auditor');
	}
	like($node->safe_psql($database, $next), qr/^0\|90\.00\|t$/m, "what version $version has mapped, paid and posted goes on without a difference") if $is_planned;
	my @updated = split /\n/, $node->safe_psql($database, $snapshot);
	my %fresh = map { $_ => 1 } @fresh;
	my %updated = map { $_ => 1 } @updated;
	my @difference = ((map { "only when updated:   $_" } grep { !$fresh{$_} } @updated),
		(map { "only when installed: $_" } grep { !$updated{$_} } @fresh));
	is(join("\n", @difference), '', "version $version updated is the same as $current installed");
}

# What others have built on tables that an update makes anew stops it, before anything is done.
$node->safe_psql('postgres', 'CREATE DATABASE built');
$node->safe_psql('built', q{CREATE EXTENSION spm VERSION '0.3.0' CASCADE; CREATE VIEW public.theirs AS SELECT credit_id FROM spm.credit;
	CREATE FUNCTION public.one() RETURNS spm.earning LANGUAGE sql AS 'SELECT * FROM spm.earning LIMIT 1'; CREATE PUBLICATION out FOR TABLE spm.earning;
	CREATE POLICY own ON spm.credit USING (true)});
my ($status, undef, $error) = $node->psql('built', 'ALTER EXTENSION spm UPDATE');
isnt($status, 0, 'an update that would leave the objects of others behind is refused');
like($error, qr/There are function public\.one\(\), policy own on table spm\.credit, publication of table spm\.earning in publication out, rule _RETURN on view public\.theirs/, 'and names them');
$node->safe_psql('built', $_) foreach 'DROP VIEW public.theirs; DROP FUNCTION public.one(); DROP PUBLICATION out; DROP POLICY own ON spm.credit', 'ALTER EXTENSION spm UPDATE';
is($node->safe_psql('built', q{SELECT relkind FROM pg_class WHERE oid = 'spm.credit'::regclass}), 'p', 'once they are gone it works');

$node->stop;
done_testing();
