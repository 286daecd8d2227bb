# mmlag: see README.md. `make help` lists the targets.
# Variants: SAN=address,undefined or SAN=thread builds into a folder of its own.
# CC=clang works; V=1 shows the commands.

VERSION := 0.9.0
CC ?= cc
SAN ?=
WERROR ?=
OPT ?= -O2 -g
comma := ,
VARIANT := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),release)$(if \
	$(filter clang%,$(CC)),-clang)$(if $(WERROR),-werror)
B := build/$(VARIANT)
Q := $(if $(V),,@)

PKGS := libssh2 libcurl jansson yaml-0.1 sqlite3 libssl libcrypto zlib libmicrohttpd gnutls
# Asked once, and only by targets that compile; `flags` tells what is missing.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>&1))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>&1))$(PKG_LIBS)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 \
	-Wundef -Wswitch-enum $(if $(WERROR),-Werror)
# CPPFLAGS, CFLAGS and LDFLAGS are the caller's; they come last, so that they win.
COMPILE = $(CC) -D_GNU_SOURCE -DMMLAG_VERSION='"$(VERSION)"' -iquote include -iquote collector \
	$(PKG_CFLAGS) $(CPPFLAGS) -std=c11 $(OPT) -fno-strict-aliasing -fstack-protector-strong \
	-pthread $(WARN) -ffile-prefix-map=$(CURDIR)=. $(if $(SAN),-fsanitize=$(SAN) \
	-fno-omit-frame-pointer -fno-sanitize-recover=all,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) \
	$(CFLAGS)
LINK = -pthread -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)
LIBS = $(PKG_LIBS) -lm

SRC := $(sort $(wildcard collector/*/*.c))
GEN := $(B)/gen/mapping.c $(B)/gen/page.c $(B)/gen/licenses.c
PAGE := $(sort $(wildcard collector/serve/page/*.*))
# The charts are Debian's dygraphs (see NOTICE), embedded beside our own files.
CHARTS := /usr/share/javascript/dygraphs
CHARTS_PAGE := $(CHARTS)/dygraph.min.js $(CHARTS)/dygraph.min.css \
	dygraph-copyright.txt=/usr/share/doc/libjs-dygraphs/copyright
LIB_SRC := $(filter-out collector/cli/main.c,$(SRC))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o) $(GEN:.c=.o)
MAIN_OBJ := $(B)/collector/cli/main.o
LIB := $(B)/libmmlag.a

UNIT := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
SCENARIOS := $(if $(wildcard tests/scenarios/runner.c),$(B)/tests/scenarios/runner)
# Names tell: test_*_live needs sshd; test_*_threads is for ThreadSanitizer.
LIVE := $(filter %_live,$(UNIT))
THREADS := $(filter %_threads,$(UNIT))
PLAIN := $(filter-out %_live,$(UNIT))
QUICK := $(filter-out %_threads,$(PLAIN))
FUZZ_RUNS := $(foreach f,$(FUZZ),"$f tests/fuzz/corpus/$(f:$(B)/tests/fuzz/fuzz_%=%)")
SCENARIO_RUNS := $(if $(SCENARIOS),"$(SCENARIOS) $(wildcard tests/scenarios/*.scn)")

# What installs missing packages; SETUP=: where they are known to be there.
SETUP := scripts/setup

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all help setup bench demo test test-all torture check units run-units run-threads lint \
	format clean install uninstall manual dist deb lab lab-full lab-up lab-down tools FORCE

all: $(B)/mmlag manual ## build the program: build/mmlag
	$(if $(WERROR),,$(Q)ln -sfn $(VARIANT)/mmlag build/mmlag)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' Makefile

$(B)/mmlag: $(MAIN_OBJ) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ $^ $(LIBS)

$(LIB): $(LIB_OBJ) $(B)/sources
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)

# Everything is compiled anew when the compiler or a flag changes, the library put
# together anew when a source comes or goes: these files change only with their text.
flags = $(COMPILE) $(LINK) $(LIBS)
sources = $(SRC)
page = $(PAGE) $(CHARTS_PAGE)
$(B)/flags: tools
$(B)/flags $(B)/sources $(B)/page: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$($(@F)))' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

tools:
	@command -v $(firstword $(CC)) pkg-config >/dev/null && pkg-config --print-errors --exists $(PKGS) && \
	test -e $(CHARTS)/dygraph.min.js || \
	{ echo "a compiler or a library is missing: 'make setup' installs them" >&2; exit 1; }

$(B)/%.o: %.c $(B)/flags
	@echo "  CC    $<"
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

$(B)/gen/%.o: $(B)/gen/%.c $(B)/flags
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

$(B)/gen/mapping.c: mappings/mapping.json scripts/embed
	@mkdir -p $(@D)
	$(Q)scripts/embed elastic_builtin_mapping elastic/elastic.h < $< > $@

$(B)/gen/licenses.c: LICENSE NOTICE scripts/embed
	@mkdir -p $(@D)
	$(Q)cat LICENSE NOTICE | scripts/embed cli_licenses cli/commands.h > $@

$(B)/gen/page.c: $(PAGE) $(B)/page scripts/embed-page
	@mkdir -p $(@D)
	$(Q)scripts/embed-page $(PAGE) $(CHARTS_PAGE) > $@

$(B)/tests/scenarios/runner: $(wildcard tests/scenarios/*.c tests/scenarios/*.h) $(LIB)
	@echo "  SCN   $@"
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -iquote tests $(LINK) -o $@ $(wildcard tests/scenarios/*.c) $(LIB) $(LIBS)

# A unit test links the library; one that needs fakes or statics includes what it wants.
$(B)/tests/unit/%: tests/unit/%.c $(LIB)
	@echo "  TEST  $<"
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -iquote tests -MMD -MP $(LINK) -o $@ $< $(LIB) -lcmocka $(LIBS)

$(B)/tests/fuzz/%: tests/fuzz/%.c tests/fuzz/driver.c $(LIB)
	@echo "  FUZZ  $<"
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -iquote tests -MMD -MP $(LINK) -o $@ $< tests/fuzz/driver.c $(LIB) $(LIBS)

units: $(UNIT) $(FUZZ) $(SCENARIOS) $(B)/failing.so

LABEL ?= $(VARIANT)
run-units: units
	$(Q)scripts/run-tests "$(LABEL): unit" $(PLAIN:%="%") && ok=0 || ok=1; \
	$(if $(LIVE),scripts/run-tests "$(LABEL): live" $(LIVE:%="%") || ok=1;) \
	$(if $(SCENARIOS),scripts/run-tests "$(LABEL): scenarios" $(SCENARIO_RUNS) || ok=1;) \
	$(if $(FUZZ),scripts/run-tests "$(LABEL): fuzz corpora" $(FUZZ_RUNS) || ok=1;) \
	exit $$ok

# Address-space randomisation of newer kernels is too wide for ThreadSanitizer.
run-threads: units
	$(Q)scripts/run-tests "$(LABEL)" $(THREADS:%="setarch -R %")

setup: ## install the libraries that are missing
	$(Q)$(SETUP) build

check: ## unit tests, scenarios and fuzz corpora: ten seconds
	$(Q)$(SETUP) build check
	$(Q)$(MAKE) -s -j$$(nproc) all units
	$(Q)scripts/run-tests "unit" $(QUICK:%="%")
	$(if $(SCENARIOS),$(Q)scripts/run-tests "scenarios" $(SCENARIO_RUNS))
	$(if $(FUZZ),$(Q)scripts/run-tests "fuzz corpora" $(FUZZ_RUNS))

test: ## everything, with all that it needs
	$(Q)scripts/test $(if $(LINT),lint)

test-all: ## the same and what takes long, by hand
	$(Q)ALL=1 scripts/test

# Preloaded, it lets the n-th allocation, write, fsync or connect fail.
$(B)/failing.so: tests/support/failing.c
	@echo "  SO    $@"
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -std=c11 $(OPT) $(WARN) -fPIC -shared -o $@ $< -ldl

DURATION ?= 60
torture: ## many faults in a row, at random: DURATION seconds, SEED to repeat one
	$(Q)$(SETUP) build test sshd && $(MAKE) -s -j$$(nproc) all $(B)/failing.so && \
	scripts/torture $(DURATION) $(SEED)

bench: ## a thousand topics on twenty SSH servers, figures beside their limits
	$(Q)scripts/bench

demo: ## the lab, mmlag on it, and what to look at; Ctrl-C ends it
	$(Q)$(SETUP) build sshd && { $(SETUP) lab || true; } && \
	$(MAKE) -s -j$$(nproc) all && scripts/demo

lint: ## what is out of style or suspicious
	$(Q)$(SETUP) build test lint && scripts/lint

format: ## lay out the sources as .clang-format says
	$(Q)find collector include tests -name '*.[ch]' -print0 | xargs -0 clang-format -i

lab lab-full: all ## the whole stack: an old Kafka, a slow consumer, mmlag, Prometheus, Alertmanager
	$(Q)$(SETUP) sshd lab && scripts/lab full

lab-up: ## the servers of the end-to-end tests, left running
	$(Q)$(SETUP) sshd lab && scripts/lab up

lab-down: ## take it down
	$(Q)scripts/lab down

PREFIX ?= /usr/local
TO = $(DESTDIR)$(PREFIX)
DOC = $(TO)/share/doc/mmlag
install: all ## program, manual, unit and documents below PREFIX (/usr/local), DESTDIR honoured
	install -D -m 755 $(B)/mmlag $(TO)/bin/mmlag
	install -D -m 644 -t $(TO)/share/man/man1 docs/mmlag.1
	install -D -m 644 -t $(TO)/share/man/man5 $(B)/mmlag.yaml.5
	install -D -m 644 examples/completion.bash $(TO)/share/bash-completion/completions/mmlag
	install -D -m 644 examples/mmlag.sysusers $(TO)/lib/sysusers.d/mmlag.conf
	install -D -m 644 -t $(TO)/lib/systemd/system examples/mmlag.service
	sed -i 's,/usr/local/bin,$(PREFIX)/bin,' $(TO)/lib/systemd/system/mmlag.service
	install -D -m 644 -t $(DOC) README.md CHANGELOG.md NOTICE LICENSE
	install -D -m 644 -t $(DOC)/docs docs/*.md
	install -D -m 644 -t $(DOC)/docs/proofs docs/proofs/*.md
	install -D -m 644 -t $(DOC)/docs/images docs/images/*
	install -D -m 644 -t $(DOC)/examples examples/*.yaml
	install -D -m 644 -t $(DOC)/mappings mappings/mapping.json

uninstall: ## take away what install put there; configuration and state stay
	rm -f $(TO)/bin/mmlag $(TO)/share/man/man1/mmlag.1 $(TO)/share/man/man5/mmlag.yaml.5 \
		$(TO)/share/bash-completion/completions/mmlag $(TO)/lib/sysusers.d/mmlag.conf \
		$(TO)/lib/systemd/system/mmlag.service
	rm -rf $(DOC)

manual: $(B)/mmlag.yaml.5

# Its keys are those of docs/configuration.md, which a test holds to the program's.
$(B)/mmlag.yaml.5: docs/mmlag.yaml.5.in docs/configuration.md scripts/manual-keys
	@mkdir -p $(@D)
	$(Q)scripts/manual-keys $< < docs/configuration.md > $@

NAME := mmlag-$(VERSION)
dist: ## the sources of the last commit: build/mmlag-VERSION.tar.gz
	@mkdir -p build
	$(Q)git archive --prefix=$(NAME)/ HEAD | gzip -9n > build/$(NAME).tar.gz

NOT_FOR_THE_ARCHIVE := bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs
deb: dist ## a package of the last commit: build/deb/mmlag_VERSION_ARCH.deb
	$(Q)$(SETUP) build test deb
	$(Q)rm -rf build/deb && mkdir -p build/deb && tar -xzf build/$(NAME).tar.gz -C build/deb
	$(Q)cd build/deb/$(NAME) && dpkg-buildpackage -b -us -uc
	$(Q)lintian --fail-on error,warning --suppress-tags $(NOT_FOR_THE_ARCHIVE) \
		build/deb/*.changes

-include $(shell find $(B) -name '*.d' 2>/dev/null)

clean: ## remove what was built
	rm -rf build
