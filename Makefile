# `make` builds the three programs, `make check` tests them, `make help` lists all targets.

VERSION = 0.1.0

# Directories, as in the GNU coding standards. PREFIX is another name of prefix.
PREFIX ?= /usr/local
prefix ?= $(PREFIX)
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
datarootdir ?= $(prefix)/share
mandir ?= $(datarootdir)/man
bashdir ?= $(datarootdir)/bash-completion/completions
zshdir ?= $(datarootdir)/zsh/site-functions
fishdir ?= $(datarootdir)/fish/vendor_completions.d
unitdir ?= $(prefix)/lib/systemd/system
sysconfdir ?= /etc
DESTDIR ?=
INSTALL ?= install
PKG_CONFIG ?= pkg-config
CFLAGS ?= $(if $(SANITIZE),-O1,-O2) -g

# V=1 prints the commands. HARDEN=no omits the hardening flags. SETUP=no installs no packages.
V ?=
HARDEN ?= yes
SETUP ?= yes

# SANITIZE=address,undefined or SANITIZE=thread builds with sanitizers in another directory:
# build/asan or build/tsan, programs included. Only those of the plain build are in the top one.
SANITIZE ?=
comma = ,
BUILD = build$(if $(SANITIZE),/$(subst address$(comma)undefined,asan,$(subst thread,tsan,$(SANITIZE))))
BIN = $(if $(BUILD:build=),$(BUILD)/)
export SANITIZE

ifneq ($(V),1)
Q = @
# make -s is silent: the first word of MAKEFLAGS contains the options of one letter.
ifeq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
note = $(info $(1) $(2))
endif
endif

# $(call once,NAME,COMMAND): NAME becomes the output of COMMAND when it is first used.
once = $(eval $(1) := $(shell $(2)))$($(1))
# $(call accepted,FLAGS): a command that prints those that the compiler accepts.
accepted = for flag in $(1); do \
	$(CC) -Werror $$flag -S -x c -o /dev/null /dev/null 2>/dev/null && echo $$flag; done

ifeq ($(HARDEN)$(SANITIZE),yes)
# Of -fcf-protection only the shadow stack: Linux does not enforce the landing pads of "branch" in
# processes, and they cost 1 % of the instructions. CFLAGS override all of this.
HARDEN_CFLAGS = -fPIE $(HARDEN_PROBED)
HARDEN_PROBED = $(call once,HARDEN_PROBED,$(call accepted,-fstack-protector-strong \
	-fstack-clash-protection -fcf-protection=return -mbranch-protection=standard -fno-plt))
HARDEN_LDFLAGS = $(if $(filter -static%,$(LDFLAGS)),,-pie) -Wl,-z,relro,-z,now
# Requires optimization. Some compilers define it already; a level that the user sets is kept.
HARDEN_CPPFLAGS = $(if $(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS)))),$(if $(findstring \
	_FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3))
endif

WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
SANITIZER = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_CPPFLAGS = -Isrc -D_GNU_SOURCE $(HARDEN_CPPFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=c11 -pthread $(WARNINGS) $(HARDEN_CFLAGS) $(SANITIZER) $(CFLAGS)
ALL_LDFLAGS = $(HARDEN_LDFLAGS) -Wl,--as-needed $(LDFLAGS)
COMPILE = $(CC) $(ALL_CPPFLAGS) $(EXTRA_CPPFLAGS) $(ALL_CFLAGS)
LINK = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(EXTRA_LDLIBS) $(LDLIBS)

MHD_CFLAGS = $(call once,MHD_CFLAGS,$(PKG_CONFIG) --cflags libmicrohttpd)
MHD_LDLIBS = $(call once,MHD_LDLIBS,$(PKG_CONFIG) --libs libmicrohttpd)
TLS_CFLAGS = $(call once,TLS_CFLAGS,$(PKG_CONFIG) --cflags libssl libcrypto)
TLS_LDLIBS = $(call once,TLS_LDLIBS,$(PKG_CONFIG) --libs libssl libcrypto)
NATS_CFLAGS = $(call once,NATS_CFLAGS,$(PKG_CONFIG) --cflags libnats libcrypto)
NATS_LDLIBS = $(call once,NATS_LDLIBS,$(PKG_CONFIG) --libs libnats libcrypto)

# Each folder of src/ is a static library, which may use those named after it.
FOLDERS = relay publish metrics verify load report json syslog tls base
objects = $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/$(1)/*.c))
libraries = $(patsubst %,$(BUILD)/lib/%.a,$(1))

NAMES = shnek-parse shnek-pub spamlog
PROGRAMS = $(NAMES:%=$(BIN)%)
UNIT_TESTS = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*_test.c))
TOOLS = $(patsubst tests/lib/%.c,$(BUILD)/tests/%,$(filter-out tests/lib/inject.c,$(wildcard tests/lib/*.c)))
INJECT = $(BUILD)/tests/inject.so
BENCH_TOOLS = $(patsubst tests/bench/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/*.c))
FUZZERS = $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))
SOURCES = $(sort $(wildcard src/*.c src/*/*.c))
TEST_SOURCES = $(sort $(wildcard tests/*/*.c))

## make                all three programs; installs nothing
all: $(PROGRAMS)

# The libraries of each program.
$(BIN)shnek-parse: $(BUILD)/shnek-parse.o $(call libraries,relay metrics json syslog tls base)
$(BIN)shnek-pub: $(BUILD)/shnek-pub.o $(call libraries,publish metrics json syslog base)
$(BIN)spamlog: $(BUILD)/spamlog.o $(BUILD)/spamlog-config.o $(call libraries,verify load report json syslog tls base)

$(BIN)shnek-parse: EXTRA_LDLIBS = $(TLS_LDLIBS) $(MHD_LDLIBS)
$(BIN)shnek-pub: EXTRA_LDLIBS = $(NATS_LDLIBS) $(MHD_LDLIBS)
$(BIN)spamlog: EXTRA_LDLIBS = $(TLS_LDLIBS) -lm
$(PROGRAMS):
	$(call note,LD,$@)
	$(Q)$(LINK)

$(call objects,tls): EXTRA_CPPFLAGS = $(TLS_CFLAGS)
$(call objects,publish): EXTRA_CPPFLAGS = $(NATS_CFLAGS)
$(call objects,metrics): EXTRA_CPPFLAGS = $(MHD_CFLAGS)
# The only object that is compiled again if the version changes.
$(BUILD)/base/options.o: EXTRA_CPPFLAGS = -DSHNEK_VERSION='"$(VERSION)"'
$(BUILD)/base/options.o: $(BUILD)/version

$(BUILD)/%.o: src/%.c $(BUILD)/flags | $(BUILD)/packages
	$(call note,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

define library
$(BUILD)/lib/$(1).a: $(call objects,$(1)) $(BUILD)/sources
	$$(call note,AR,$$@)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$(filter %.o,$$^)
endef
$(foreach folder,$(FOLDERS),$(eval $(call library,$(folder))))

# Tests and their tools may use all libraries.
$(BUILD)/tests/%.o: private EXTRA_CPPFLAGS = -Itests/unit -Itests/fuzz $(NATS_CFLAGS)
$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags | $(BUILD)/packages
	$(call note,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

$(UNIT_TESTS): $(BUILD)/tests/%: $(BUILD)/tests/unit/%.o
$(TOOLS): $(BUILD)/tests/%: $(BUILD)/tests/lib/%.o
$(BENCH_TOOLS): $(BUILD)/tests/%: $(BUILD)/tests/bench/%.o
# They feed random input to fuzz targets.
$(BUILD)/tests/json_fuzz_test: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/fuzz/json_validate.c))
$(BUILD)/tests/frame_fuzz_test: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/fuzz/frame.c))
$(BUILD)/tests/template_test: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/fuzz/line_template.c))
$(BUILD)/tests/rfc3164_fast_test: $(BUILD)/tests/fuzz/rfc3164_fast.o

$(UNIT_TESTS) $(TOOLS) $(BENCH_TOOLS): EXTRA_LDLIBS = $(NATS_LDLIBS) $(TLS_LDLIBS) $(MHD_LDLIBS) -lm
$(UNIT_TESTS) $(TOOLS) $(BENCH_TOOLS): $(call libraries,$(FOLDERS))
	$(call note,LD,$@)
	$(Q)$(LINK)

# It is preloaded, and replaces functions that _FORTIFY_SOURCE would declare inline.
$(INJECT): tests/lib/inject.c $(BUILD)/flags
	$(call note,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE $(CPPFLAGS) -U_FORTIFY_SOURCE -std=c11 $(WARNINGS) $(CFLAGS) -fPIC -shared $(LDFLAGS) -o $@ $<

# Reports missing packages before the compiler does.
$(BUILD)/packages:
	@mkdir -p $(@D)
	@{ $(PKG_CONFIG) --exists libnats libssl libcrypto libmicrohttpd && \
		echo '#include <jsmn.h>' | $(CC) $(ALL_CPPFLAGS) -E -x c -; } >/dev/null 2>&1 || \
		tests/setup --missing build
	@touch $@

# Each of these files contains TEXT and is written only if that has changed. All objects depend on
# the compiler and its flags, all libraries on the list of sources.
$(BUILD)/flags: TEXT = $(COMPILE) $(ALL_LDFLAGS) $(LDLIBS)
$(BUILD)/flags: EXTRA_CPPFLAGS =
$(BUILD)/version: TEXT = $(VERSION)
$(BUILD)/sources: TEXT = $(SOURCES)
$(BUILD)/flags $(BUILD)/version $(BUILD)/sources: force
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(TEXT))' | cmp -s - $@ || echo '$(subst ','\'',$(TEXT))' >$@

-include $(SOURCES:src/%.c=$(BUILD)/%.d) $(TEST_SOURCES:%.c=$(BUILD)/%.d)

build-tests: $(PROGRAMS) $(UNIT_TESTS) $(TOOLS) $(INJECT)

ENVIRONMENT = SHNEK_BIN='$(abspath $(or $(BIN),.))' SHNEK_TOOLS='$(abspath $(BUILD)/tests)'
RUN_TESTS = $(ENVIRONMENT) tests/run

## make unit           builds and runs the unit tests: a few seconds
unit: $(UNIT_TESTS)
	@$(RUN_TESTS) --unit

## make check          all tests; installs what they need, but not with SETUP=no;
##                     TESTS='tests/pub.bats tests/tls.bats' runs only these
check: setup-check
	@$(MAKE) --no-print-directory build-tests
	@$(RUN_TESTS) $(TESTS)

## make asan           the same with the address and undefined sanitizers
asan:
	@$(MAKE) --no-print-directory check SANITIZE=address,undefined

## make tsan           the tests of threads and signals with the thread sanitizer
TSAN_TESTS = $(wildcard $(addprefix tests/,faults.bats find-max.bats workers.bats pub.bats relay.bats))
tsan:
	@$(MAKE) --no-print-directory check SANITIZE=thread TESTS='$(or $(TESTS),$(TSAN_TESTS))'

## make coverage       all tests, and the share of lines that they execute
coverage:
	@rm -rf build/coverage
	@$(MAKE) --no-print-directory check BUILD=build/coverage \
		CFLAGS='-O0 -g --coverage -fprofile-update=atomic' || true
	@tests/coverage build/coverage

## make fuzz           libFuzzer, DURATION=60 seconds for each target
DURATION ?= 60
fuzz: $(FUZZERS:=.run)
$(FUZZERS:=.run): %.run: %
	@mkdir -p $*.corpus
	@$* -max_total_time=$(DURATION) -max_len=4096 -verbosity=0 -print_final_stats=1 -artifact_prefix=$*. \
		$(addprefix -dict=,$(wildcard tests/fuzz/$(*F).dict)) $*.corpus >$*.log 2>&1 || { cat $*.log; exit 1; }
	@echo "$*: $$(sed -n 's/^stat::number_of_executed_units: *//p' $*.log) runs, no failure"

ifneq ($(BUILD),build/fuzz)
# One make builds them all, so that two do not write the same libraries.
$(FUZZERS) &: force
	@$(MAKE) --no-print-directory $(FUZZERS) BUILD=build/fuzz CC='$(if $(findstring clang,$(CC)),$(CC),clang)' \
		SANITIZE=fuzzer-no-link,address,undefined
else
$(FUZZERS): private SANITIZER += -fsanitize=fuzzer
$(FUZZERS): EXTRA_LDLIBS = $(NATS_LDLIBS) $(TLS_LDLIBS) $(MHD_LDLIBS) -lm
$(FUZZERS): $(BUILD)/%: $(BUILD)/tests/fuzz/%.o $(call libraries,$(FOLDERS))
	$(call note,LD,$@)
	$(Q)$(LINK)
endif

## make inject         lets each libc call fail; SCENARIOS='tcp core' limits it
inject: build-tests
	@$(ENVIRONMENT) tests/inject $(SCENARIOS)

## make chaos          random kills and cuts for DURATION=60 seconds; SEED= repeats
chaos: build-tests
	@$(ENVIRONMENT) tests/chaos $(DURATION) $(SEED)

## make lint           layout, static analysis, man pages, spelling
lint:
	@tests/lint

## make demo           the relay for five seconds, with a private nats-server
demo: setup-demo
	@$(MAKE) --no-print-directory $(PROGRAMS) $(TOOLS)
	@tests/demo

## make bench          throughput and CPU time beside other relays; draws a chart
bench: all $(TOOLS) $(BENCH_TOOLS)
	@tests/bench/run

## make bench-check    instructions per message, compared with a baseline
bench-check: all
	@tests/bench/instructions

## make flamegraph     profiles the relay: flamegraph/*.svg
flamegraph: all
	@tests/bench/flamegraph

setup-demo setup-check: setup-%:
	@tests/setup $(if $(filter no,$(SETUP)),--missing) $*

## make diagram        draws .github/relay.svg from relay.dot (Graphviz)
diagram: .github/relay.svg
.github/relay.svg: .github/relay.dot
	$(Q)dot -Tsvg $< -o $@

## make compile_commands.json  for clangd
strings = $(foreach word,$(1),"$(subst ",\",$(word))"$(comma))
compile_commands.json: EXTRA_CPPFLAGS = $(NATS_CFLAGS) $(TLS_CFLAGS) $(MHD_CFLAGS) -DSHNEK_VERSION="$(VERSION)" \
	-Itests/unit -Itests/fuzz
compile_commands.json: $(BUILD)/flags $(BUILD)/sources Makefile
	$(file >$@,[)
	$(eval separator =)
	$(foreach source,$(SOURCES) $(TEST_SOURCES),$(file >>$@,$(separator){"directory": "$(CURDIR)"$(comma) \
		"file": "$(source)"$(comma) "arguments": [$(call strings,$(COMPILE) -c) "$(source)"]}) \
		$(eval separator = $(comma)))
	$(file >>$@,])

## make install        programs, man pages, completions; prefix=/usr/local DESTDIR=
##                     SYSTEMD=1 also units (unitdir=) and $(sysconfdir)/default/shnek
MAN = $(notdir $(wildcard man/*.[17]))
man_path = $(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(1)))/$(1)
DIRECTORIES = $(bindir) $(mandir)/man1 $(mandir)/man7 $(bashdir) $(zshdir) $(fishdir)
INSTALL_DATA = $(INSTALL) -m 644
install: all
	$(Q)$(INSTALL) -d $(addprefix $(DESTDIR),$(DIRECTORIES))
	$(Q)$(INSTALL) -m 755 $(PROGRAMS) $(DESTDIR)$(bindir)
	$(Q)$(foreach page,$(MAN),$(INSTALL_DATA) man/$(page) $(call man_path,$(page)) &&) :
	$(Q)$(foreach name,$(NAMES),$(INSTALL_DATA) completions/$(name).bash $(DESTDIR)$(bashdir)/$(name) && \
		$(INSTALL_DATA) completions/_$(name) $(DESTDIR)$(zshdir)/_$(name) && \
		$(INSTALL_DATA) completions/$(name).fish $(DESTDIR)$(fishdir)/$(name).fish &&) :
	$(if $(SYSTEMD),$(Q)$(MAKE) --no-print-directory install-units)

# The configuration of an administrator is kept.
SYSTEMD ?=
UNITS = shnek.socket shnek.service shnek@.service
DEFAULTS = $(DESTDIR)$(sysconfdir)/default/shnek
install-units:
	$(Q)$(INSTALL) -d $(DESTDIR)$(unitdir) $(dir $(DEFAULTS))
	$(Q)$(foreach unit,$(UNITS),sed 's|@bindir@|$(bindir)|g; s|@sysconfdir@|$(sysconfdir)|g' \
		.packaging/systemd/$(unit).in >$(BUILD)/$(unit) && \
		$(INSTALL_DATA) $(BUILD)/$(unit) $(DESTDIR)$(unitdir) &&) :
	$(Q)test -e $(DEFAULTS) || $(INSTALL_DATA) .packaging/systemd/shnek.default $(DEFAULTS)

## make uninstall      removes them, except a changed configuration; same variables
uninstall:
	$(Q)rm -f $(NAMES:%=$(DESTDIR)$(bindir)/%) $(foreach page,$(MAN),$(call man_path,$(page))) \
		$(NAMES:%=$(DESTDIR)$(bashdir)/%) $(NAMES:%=$(DESTDIR)$(zshdir)/_%) \
		$(NAMES:%=$(DESTDIR)$(fishdir)/%.fish)
	$(if $(SYSTEMD),$(Q)rm -f $(UNITS:%=$(DESTDIR)$(unitdir)/%); \
		! cmp -s .packaging/systemd/shnek.default $(DEFAULTS) || rm $(DEFAULTS))

## make dist           shnek-VERSION.tar.gz of the commit that is checked out
dist:
	$(Q)git archive --prefix=shnek-$(VERSION)/ -o shnek-$(VERSION).tar.gz HEAD

## make deb            builds build/deb/shnek_VERSION_*.deb on Debian
DEB = build/deb/shnek-$(VERSION)
deb:
	@tests/setup $(if $(filter no,$(SETUP)),--missing) package
	$(Q)rm -rf build/deb && mkdir -p $(DEB)
	$(Q)cp -R Makefile src tests completions man README.md LICENSE .packaging $(DEB)
	$(Q)cp -R .packaging/debian $(DEB)/debian
	$(Q)cd $(DEB) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SANITIZE dpkg-buildpackage -b -us -uc

## make clean          removes what was built
clean:
	rm -rf build $(NAMES) compile_commands.json

## make help           this list
help:
	@sed -n 's/^## //p' Makefile
	@echo
	@echo 'CC, CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS have their usual meaning.'
	@echo 'V=1 prints commands. HARDEN=no omits the hardening flags.'
	@echo 'SANITIZE=address,undefined or SANITIZE=thread builds in build/asan, build/tsan.'

.PHONY: all build-tests unit check asan tsan coverage fuzz lint demo bench bench-check flamegraph diagram \
	setup-demo setup-check install install-units uninstall dist deb clean help force inject chaos
