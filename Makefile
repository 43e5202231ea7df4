# `make` builds, `make check` tests, `make demo` shows the relay at work; `make help` lists the rest.

VERSION = 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
bindir = $(PREFIX)/bin
mandir = $(PREFIX)/share/man/man1
bashdir = $(PREFIX)/share/bash-completion/completions
zshdir = $(PREFIX)/share/zsh/site-functions
fishdir = $(PREFIX)/share/fish/vendor_completions.d

CFLAGS ?= -O2 -g
SANITIZE ?=
export SANITIZE
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
ALL_CPPFLAGS = -Isrc -D_GNU_SOURCE -DSHNEK_VERSION='"$(VERSION)"' $(CPPFLAGS)
ALL_CFLAGS = -std=c11 -pthread $(WARNINGS) $(CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_LDFLAGS = $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))

PROGRAMS = shnek-parse shnek-pub spamlog
BASE = $(patsubst src/%.c,build/%.o,$(wildcard src/base/*.c))
SYSLOG = $(patsubst src/%.c,build/%.o,$(wildcard src/syslog/*.c))
JSON = $(patsubst src/%.c,build/%.o,$(wildcard src/json/*.c))
TLS = $(patsubst src/%.c,build/%.o,$(wildcard src/tls/*.c))
RELAY = $(patsubst src/%.c,build/%.o,$(wildcard src/relay/*.c))
PUBLISH = $(patsubst src/%.c,build/%.o,$(wildcard src/publish/*.c))
LOAD = $(patsubst src/%.c,build/%.o,$(wildcard src/load/*.c))
VERIFY = $(patsubst src/%.c,build/%.o,$(wildcard src/verify/*.c))
REPORT = $(patsubst src/%.c,build/%.o,$(wildcard src/report/*.c))
UNIT = $(patsubst tests/unit/%.c,build/tests/%,$(wildcard tests/unit/*_test.c))

all: $(PROGRAMS)

# What each program is linked from.
shnek-parse: build/shnek-parse.o $(RELAY) $(TLS) $(SYSLOG) $(JSON) $(BASE)
shnek-pub: build/shnek-pub.o $(PUBLISH) $(SYSLOG) $(JSON) $(BASE)
spamlog: build/spamlog.o build/spamlog-config.o $(VERIFY) $(LOAD) $(REPORT) $(TLS) $(SYSLOG) $(JSON) $(BASE)

shnek-parse spamlog: LIBRARIES = $(shell pkg-config --libs libssl libcrypto)
shnek-pub: LIBRARIES = $(shell pkg-config --libs libnats libcrypto)
spamlog: LIBRARIES += -lm
$(PROGRAMS):
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBRARIES)

$(PUBLISH): ALL_CPPFLAGS += $(shell pkg-config --cflags libnats libcrypto)
$(TLS): ALL_CPPFLAGS += $(shell pkg-config --cflags libssl libcrypto)
$(PUBLISH) $(JSON) $(TLS): | build/libraries

build/%.o: src/%.c build/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What is pure enough to be tested by itself.
UNITS = $(SYSLOG) $(JSON) $(BASE) build/publish/window.o build/publish/ring.o \
	build/relay/access.o build/relay/proxy-protocol.o build/load/crc32c.o \
	build/verify/gaps.o build/verify/histogram.o build/verify/sequence-tracker.o build/report/status-line.o build/report/values.o build/report/number.o \
	build/load/sequence.o build/load/progress.o build/load/arrivals.o
build/tests/%_test: tests/unit/%_test.c tests/unit/unit.h $(UNITS) build/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -Itests/unit $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c,$^) $(UNITS) -lm
build/tests/json_fuzz_test: tests/fuzz/json_validate.c tests/fuzz/json_validate.h

# What clang's fuzzer drives.
build/fuzz/%: tests/fuzz/%.c tests/fuzz/%.h $(SYSLOG:build/%.o=src/%.c) $(JSON:build/%.o=src/%.c) $(BASE:build/%.o=src/%.c)
	@mkdir -p $(@D)
	clang -g -O1 -std=c11 -pthread $(ALL_CPPFLAGS) -Itests/unit -fsanitize=fuzzer,address,undefined -o $@ $(filter %.c,$^)

build/tests/subscriber: tests/lib/subscriber.c build/flags | build/libraries
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(shell pkg-config --cflags libnats) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(shell pkg-config --libs libnats)

build/tests/bare: tests/bench/bare.c build/flags | build/libraries
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(shell pkg-config --cflags libnats) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(shell pkg-config --libs libnats)

build/tests/proxy build/tests/many-connections: build/tests/%: tests/lib/%.c build/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $<

# Says which package is missing before a compiler does.
build/libraries:
	@mkdir -p build
	@tests/setup --missing build
	@touch $@

# Objects are made anew when the compiler or its flags change.
FLAGS = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)
build/flags: force
	@mkdir -p build
	@echo '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || echo '$(subst ','\'',$(FLAGS))' >$@

-include $(wildcard build/*.d build/*/*.d)

build-tests: $(PROGRAMS) $(UNIT) build/tests/subscriber build/tests/proxy build/tests/many-connections

check: setup-check
	@$(MAKE) --no-print-directory build-tests
	@tests/run

demo: setup-build
	@$(MAKE) --no-print-directory $(PROGRAMS) build/tests/subscriber
	@tests/demo

bench: all build/tests/bare build/tests/many-connections
	@tests/bench/run

flamegraph: all
	@tests/bench/flamegraph

bench-check: all
	@tests/bench/instructions

setup-build:
	@tests/setup build

setup-check:
	@tests/setup check

lint:
	@tests/lint

install: all
	install -d $(addprefix $(DESTDIR),$(bindir) $(mandir) $(bashdir) $(zshdir) $(fishdir))
	install -m 755 $(PROGRAMS) $(DESTDIR)$(bindir)
	install -m 644 $(PROGRAMS:%=man/%.1) $(DESTDIR)$(mandir)
	for p in $(PROGRAMS); do \
		install -m 644 completions/$$p.bash $(DESTDIR)$(bashdir)/$$p && \
		install -m 644 completions/_$$p $(DESTDIR)$(zshdir)/_$$p && \
		install -m 644 completions/$$p.fish $(DESTDIR)$(fishdir)/$$p.fish || exit 1; \
	done

uninstall:
	rm -f $(PROGRAMS:%=$(DESTDIR)$(bindir)/%) $(PROGRAMS:%=$(DESTDIR)$(mandir)/%.1) \
		$(PROGRAMS:%=$(DESTDIR)$(bashdir)/%) $(PROGRAMS:%=$(DESTDIR)$(zshdir)/_%) \
		$(PROGRAMS:%=$(DESTDIR)$(fishdir)/%.fish)

clean:
	rm -rf build $(PROGRAMS)

help:
	@echo 'make             the three programs (installs nothing)'
	@echo 'make check       all tests; installs what they need'
	@echo 'make demo        the relay for five seconds against a private nats-server'
	@echo 'make bench       what the programs move and cost here, beside others; draws a chart'
	@echo 'make bench-check what a message costs, in instructions, against a baseline'
	@echo 'make flamegraph  where their CPU time goes, as flamegraph/*.svg'
	@echo 'make lint        clang-tidy, cppcheck, shellcheck, mandoc, clang-format'
	@echo 'make install     PREFIX=/usr/local, DESTDIR=; make uninstall takes it back'
	@echo 'make SANITIZE=address,undefined (or thread) builds with sanitizers'

.PHONY: all build-tests check demo bench bench-check flamegraph setup-build setup-check lint install uninstall clean help force
