# The extension does not move in with strangers, and leaves nothing behind.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION btree_gist');

sub refused
{
	my ($prepare, $message, $promise) = @_;

	my (undef, undef, $error) = $node->psql('postgres', "BEGIN; $prepare; CREATE EXTENSION spm; ROLLBACK;");
	like($error, $message, $promise);
}
refused('CREATE SCHEMA spm; CREATE FUNCTION spm.commission(text) RETURNS int RETURN 1',
	qr/ERROR:  schema spm is there already and is not empty\nDETAIL:  It holds function spm\.commission\(text\)/,
	'a schema spm with a function in it is refused, and the function named');
refused('CREATE ROLE mallory; CREATE SCHEMA spm AUTHORIZATION mallory',
	qr/ERROR:  schema spm is there already and belongs to somebody else/,
	'an empty schema spm of somebody else is refused: its owner could add functions later');
refused('CREATE ROLE mallory; CREATE SCHEMA spm_bi AUTHORIZATION mallory',
	qr/ERROR:  schema "spm_bi" already exists/,
	'a schema spm_bi of somebody else is refused');

# Operators in the schema of btree_gist that fit better than PostgreSQL's own.
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION public.trap(numeric, int) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN false;
CREATE OPERATOR public.> (LEFTARG = numeric, RIGHTARG = int, FUNCTION = public.trap);
CREATE OPERATOR public.>= (LEFTARG = numeric, RIGHTARG = int, FUNCTION = public.trap);
CREATE OPERATOR public.= (LEFTARG = numeric, RIGHTARG = int, FUNCTION = public.trap);
CREATE OPERATOR public.<> (LEFTARG = numeric, RIGHTARG = int, FUNCTION = public.trap);
SQL
$node->safe_psql('postgres', 'CREATE EXTENSION spm');
is( $node->safe_psql('postgres', <<'SQL'),
SELECT count(*) FROM pg_depend d WHERE d.refclassid = 'pg_operator'::regclass
    AND d.refobjid IN (SELECT oid FROM pg_operator WHERE oprnamespace = 'public'::regnamespace AND oprcode::text LIKE 'trap%')
SQL
	'0', 'no view, function or constraint uses an operator that stood in the way');

my $objects = q{SELECT count(*) FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'spm%')};
cmp_ok($node->safe_psql('postgres', $objects), '>', 0, 'after that, spm is installed');
$node->safe_psql('postgres', 'DROP EXTENSION spm CASCADE');
is($node->safe_psql('postgres', $objects), '0', 'DROP EXTENSION leaves no table, view or index behind');
$node->safe_psql('postgres', 'CREATE EXTENSION spm');
cmp_ok($node->safe_psql('postgres', $objects), '>', 0, 'it can be installed again');

$node->stop;
done_testing();
