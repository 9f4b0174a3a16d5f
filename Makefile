# spm: sales performance management inside PostgreSQL.
#
#   make demo       a company with its commissions, on a private server
#   make check      everything that can be tested
#   make, make install, make installcheck       the usual, with PG_CONFIG=...
#   make help       the rest
#
# The order of the house: each domain uses only those before it.
DOMAINS = core territory quota compensation forecast

# These work before PostgreSQL is there; they install what is missing, start a
# private server below the checkout and call this file again.
HOUSE = help setup start stop psql demo check oracle unit tap property storm valgrind bench load reference release dist bare

ifneq ($(filter $(HOUSE),$(MAKECMDGOALS)),)

.PHONY: $(HOUSE)

help:
	@sed -n 's/^#: //p' $(MAKEFILE_LIST)

#: demo        fill a realistic company, run the pipeline, show what it earned
#: psql        a shell on the private server, in the demo company
#: check       build with two compilers, all tests, summary
#: oracle      examples that others have published, through the pipeline (needs their data)
#: unit        the kernels alone, with sanitizers
#: tap         the tests with servers of their own; TESTS=name for one
#: property    random plans paid step by step, afresh and by a twin: make property N=10000
#: storm       random edits refreshed, and calculated anew: make storm N=2000
#: start/stop  the private server (tools/cluster has more)
#: setup       only install the packages that the others need
#: reference   write docs/reference.md from the comments in the database
#: valgrind    the SQL tests with the server under valgrind (slow)
#: release     freeze the install script of this version in sql/released
#: bench       what things take, beside SQL, DuckDB and count(*): make bench N=1000000
#: load        sellers, managers and imports beside a refresh: make load DURATION=600 CLIENTS=16
#: dist        a zip file for PGXN
#: bare        prove demo and check in an empty Debian (root; needs debootstrap)
setup:
	@tools/setup check
start stop: setup
	@tools/cluster $@
psql demo check oracle valgrind reference release bare:
	@tools/$@
tap:
	@tools/tap $(TESTS)
property: setup
	@N=$(N) tools/property
storm: setup
	@N=$(N) tools/storm
bench: setup
	@tools/cluster prefix
	@tools/cluster run $(MAKE) -s --no-print-directory all install
	@bench/run
load: setup
	@tools/cluster prefix
	@tools/cluster run $(MAKE) -s --no-print-directory all install
	@bench/load
unit:
	@$(MAKE) -s -C test/unit all memory
dist:
	@v=$$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" spm.control); mkdir -p build && \
	git archive --format=zip --prefix=spm-$$v/ -o build/spm-$$v.zip HEAD && echo build/spm-$$v.zip
.DEFAULT:
	@$(MAKE) --no-print-directory $@

else

EXTENSION = spm
SPM_VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" spm.control)
MODULE_big = spm
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/kernel/*.c)))
HFILES = $(wildcard src/*.h src/kernel/*.h)
PG_CPPFLAGS = -I$(srcdir)/src -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare -Wno-cast-function-type
# One rounding for each operation, also where a processor could do two at once: the same digits everywhere.
PG_CPPFLAGS += -ffp-contract=off

# Shape is never replayed; code is replayed by every upgrade.  What gets long is
# cut: functions.sql, then functions_calendar.sql and so on.
SHAPE = types tables
CODE = toolbox functions stages views statement policies
sql_files = $(foreach d,$(DOMAINS),$(foreach f,$(1),$(wildcard sql/$(d)/$(f).sql) $(sort $(wildcard sql/$(d)/$(f)_*.sql))))
SQL_FILES = $(call sql_files,$(SHAPE) $(CODE))
CODE_FILES = $(call sql_files,$(CODE))

# build/: this version's script, those of all released ones, and a way up from each.
INSTALL_SQL = build/spm--$(SPM_VERSION).sql
RELEASED_SQL = $(filter-out $(INSTALL_SQL),$(patsubst sql/released/%,build/%,$(wildcard sql/released/spm--*.sql)))
UPGRADE_SQL = $(patsubst sql/upgrade/%,build/spm--%,$(wildcard sql/upgrade/*--$(SPM_VERSION).sql))
DATA_built = $(INSTALL_SQL) $(RELEASED_SQL) $(UPGRADE_SQL)

# pg_regress wants sql/, specs/ and expected/ side by side.
REGRESS := $(sort $(notdir $(basename $(wildcard test/sql/*.sql))))
REGRESS_OPTS = --launcher=tools/fresh --inputdir=build/input --outputdir=$(REGRESS_OUT) --load-extension=pgtap --load-extension=btree_gist --load-extension=spm
REGRESS_PREP = build/input
REGRESS_OUT = build
ISOLATION := $(sort $(notdir $(basename $(wildcard test/specs/*.spec))))
# Naming tests of one kind leaves out the other: make installcheck REGRESS=quota_table
ifeq ($(origin REGRESS),command line)
ISOLATION =
else ifeq ($(origin ISOLATION),command line)
REGRESS =
endif
ISOLATION_OPTS = --inputdir=build/input --outputdir=build/isolation --load-extension=btree_gist --load-extension=spm
EXTRA_CLEAN = build

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(PGXS),)
$(error $(PG_CONFIG) not found: install postgresql-server-dev-15, or 'make check' and 'make demo' install it for you)
endif
include $(PGXS)

$(OBJS): $(HFILES)

# An install script creates, it never replaces: OR REPLACE is for upgrades.
# Names and operators mean PostgreSQL's own, whatever else a database holds.
HEAD_LINES = printf '%s\n' '\echo Use "$(1)" to load this file. \quit' 'SET LOCAL search_path = pg_catalog, pg_temp;'
$(INSTALL_SQL): sql/install.sql $(SQL_FILES) spm.control Makefile
	@mkdir -p $(@D)
	@{ $(call HEAD_LINES,CREATE EXTENSION spm); \
	   sed 's/^CREATE OR REPLACE /CREATE /' sql/install.sql $(SQL_FILES); } > $@

$(RELEASED_SQL): build/%: sql/released/%
	@mkdir -p $(@D)
	@cp $< $@

# A step up: what cannot be replayed (a line '-- include FILE' stands for the file), then all code,
# then what can only be done when nothing in the code refers to the old any more: a file of that name with _after.
$(UPGRADE_SQL): build/spm--%: sql/upgrade/% $(wildcard sql/upgrade/*_after.sql) $(SQL_FILES) spm.control Makefile
	@mkdir -p $(@D)
	@{ $(call HEAD_LINES,ALTER EXTENSION spm UPDATE); \
	   awk '$$2 == "include" { while ((getline line < $$3) > 0) print line; next } 1' $<; \
	   cat $(CODE_FILES) $(wildcard $(<:.sql=_after.sql)); } > $@

# A test without an expected file fails by its difference to nothing.
.PHONY: build/input
build/input:
	@rm -rf $@ && mkdir -p $@/expected $(REGRESS_OUT) build/isolation
	@ln -s ../../test/sql $@/sql && ln -s ../../test/specs $@/specs
	@for t in $(REGRESS) $(ISOLATION); do \
		[ -f expected/$$t.out ] || : > $@/expected/$$t.out; \
		for f in expected/$$t.out expected/$${t}_[0-9].out; do [ ! -f $$f ] || ln -s ../../../$$f $@/expected/; done; done

endif
