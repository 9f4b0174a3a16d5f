# Every table survives pg_dump and pg_restore with its rows.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION spm CASCADE');

my $dump = "$PostgreSQL::Test::Utils::tmp_check/spm.dump";
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ],
	'a database with spm can be dumped');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->command_ok([ 'pg_restore', '-1', '-e', '-d', $node->connstr('copy'), $dump ],
	'the dump can be restored into an empty database');
is( $node->safe_psql('copy', q{SELECT extversion FROM pg_extension WHERE extname = 'spm'}),
	$node->safe_psql('postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'spm'}),
	'the copy has the same version of spm');

$node->stop;
done_testing();
