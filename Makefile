# spm: sales performance management inside PostgreSQL.
#
# The order of the house: each domain uses only those before it.
DOMAINS = core quota compensation

EXTENSION = spm
SPM_VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" spm.control)
MODULE_big = spm
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c) $(wildcard src/kernel/*.c)))
PG_CPPFLAGS = -I$(srcdir)/src -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare -Wno-cast-function-type

# Shape is never replayed; code is replayed by every upgrade.
SHAPE = types tables
CODE = toolbox functions stages views policies
SQL_FILES = $(foreach d,$(DOMAINS),$(wildcard $(foreach f,$(SHAPE) $(CODE),sql/$(d)/$(f).sql)))

INSTALL_SQL = build/spm--$(SPM_VERSION).sql
DATA_built = $(INSTALL_SQL)

REGRESS = $(sort $(notdir $(basename $(wildcard test/sql/*.sql))))
REGRESS_OPTS = --inputdir=test --outputdir=build --load-extension=pgtap --load-extension=btree_gist --load-extension=spm
EXTRA_CLEAN = build

# A private PostgreSQL below the checkout (tools/cluster makes it): needs no
# rights on the machine's own installation and never touches its clusters.
PRIVATE = $(CURDIR)/.pg/usr/lib/postgresql/15/bin
PG_CONFIG ?= $(if $(wildcard $(PRIVATE)/pg_config),$(PRIVATE)/pg_config,pg_config)
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# An install script creates, it never replaces: OR REPLACE is for upgrades.
$(INSTALL_SQL): $(SQL_FILES) spm.control Makefile
	@mkdir -p $(@D)
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION spm" to load this file. \quit'; \
	   sed 's/^CREATE OR REPLACE /CREATE /' $(SQL_FILES); } > $@
