# mmlag: see README.md. `make help` lists the targets.
# Variants: SAN=address,undefined or SAN=thread builds into a folder of its own.
# CC=clang works; V=1 shows the commands.

VERSION := 0.1.0
CC ?= cc
SAN ?=
WERROR ?=
OPT ?= -O2 -g
comma := ,
VARIANT := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),release)$(if $(filter clang%,$(CC)),-clang)
B := build/$(VARIANT)
Q := $(if $(V),,@)

PKGS := libssh2 libcurl jansson yaml-0.1 sqlite3 libcrypto
# Asked once, and only by targets that compile.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 \
	-Wundef -Wswitch-enum $(if $(WERROR),-Werror)
CPPFLAGS += -D_GNU_SOURCE -DMMLAG_VERSION='"$(VERSION)"' -iquote include -iquote collector
CFLAGS += -std=c11 $(OPT) -fno-strict-aliasing -fstack-protector-strong -pthread $(WARN) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
LDFLAGS += -pthread $(if $(SAN),-fsanitize=$(SAN))
LDLIBS = $(PKG_LIBS) -lm

SRC := $(sort $(wildcard collector/*/*.c))
GEN := $(B)/gen/mapping.c
LIB_SRC := $(filter-out collector/cli/main.c,$(SRC))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o) $(GEN:.c=.o)
MAIN_OBJ := $(B)/collector/cli/main.o
LIB := $(B)/libmmlag.a

UNIT := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all help setup demo test test-all check quick units fuzz lint format clean \
	install lab

all: $(B)/mmlag ## build the program: build/mmlag
	$(Q)ln -sfn $(VARIANT)/mmlag build/mmlag

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' Makefile

$(B)/mmlag: $(MAIN_OBJ) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIB): $(LIB_OBJ)
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c
	@echo "  CC    $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/gen/%.o: $(B)/gen/%.c
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/gen/mapping.c: mappings/mapping.json scripts/embed
	@mkdir -p $(@D)
	$(Q)scripts/embed elastic_builtin_mapping elastic/elastic.h < $< > $@

# A unit test links the library; one that needs fakes or statics includes what it wants.
$(B)/tests/unit/%: tests/unit/%.c $(LIB)
	@echo "  TEST  $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -iquote tests $(PKG_CFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) \
		-o $@ $< $(LIB) -lcmocka $(LDLIBS)

$(B)/tests/fuzz/%: tests/fuzz/%.c tests/fuzz/driver.c $(LIB)
	@echo "  FUZZ  $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -iquote tests $(PKG_CFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) \
		-o $@ $< tests/fuzz/driver.c $(LIB) $(LDLIBS)

units: $(UNIT) $(FUZZ)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

clean: ## remove what was built
	rm -rf build
