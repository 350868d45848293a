# A front end to Meson and Ninja for the usual verbs; `make help` lists them.

BUILD   := build
PREFIX  ?= /usr/local
DESTDIR ?=
N       ?= 3
SECONDS ?= 60

.DEFAULT_GOAL := all

.PHONY: all
all: $(BUILD)/build.ninja ## release build: build/swimd, build/swimsim, the library
	@ninja -C $(BUILD)

# Tests and benchmarks have build directories of their own.
$(BUILD)/build.ninja: meson_options.txt
	@meson setup $(if $(wildcard $@),--reconfigure) $(BUILD) --prefix=$(PREFIX) -Dtests=false
	@touch $@

.PHONY: cluster
cluster: ## start N nodes (default 3) on 127.0.0.1, until Ctrl-C
	@tools/setup build
	@$(MAKE) --no-print-directory all
	@exec tools/cluster.sh $(N)

.PHONY: test
test: ## everything: builds, tests, sanitizers, foreign architectures, install
	@tools/setup test
	@tools/run-tests

.PHONY: check
check: ## the release build's tests alone
	@tools/setup test
	@tools/run-tests release

build-bench/build.ninja:
	@meson setup build-bench

.PHONY: bench
bench: ## micro-benchmarks and scale, as tables and build-bench/bench.json; ARGS="--help" lists options
	@tools/setup test
	@$(MAKE) --no-print-directory build-bench/build.ninja
	@bench/run.py $(ARGS)

.PHONY: bench-check
bench-check: ## instructions of each benchmark beside bench/baseline.json; ARGS=--update writes it anew
	@tools/setup test
	@$(MAKE) --no-print-directory build-bench/build.ninja
	@bench/compare.py $(ARGS)

.PHONY: bench-cluster
bench-cluster: ## real processes, ours and Serf's, put through the same; ARGS="--help" lists options
	@tools/setup build
	@tools/setup bench || echo "bench-cluster: going on without what could not be installed" >&2
	@$(MAKE) --no-print-directory all
	@ninja -C $(BUILD) bench/cluster/bare
	@bench/cluster/main.py $(ARGS)

.PHONY: fuzz
fuzz: ## libFuzzer over every target, SECONDS in all (default 60), or until EXECUTIONS are done
	@tools/setup test
	@tools/fuzz $(if $(EXECUTIONS),--executions $(EXECUTIONS),$(SECONDS))

.PHONY: soak
soak: ## random tests with ever new seeds, for SECONDS (default 60), swimd killed 1,000 times; as root also test-deb
	@tools/setup test
	@tools/soak $(SECONDS)

.PHONY: deb
deb: ## Debian packages in build-deb, as lintian likes them
	@tools/setup test
	@tools/build-deb build-deb

.PHONY: test-deb
test-deb: ## builds the packages; installs, tries and purges them in a minimal Debian (root)
	@tools/setup test
	@tools/test-deb build-deb/test

.PHONY: evidence
evidence: ## measures what the papers measured, and writes docs/evidence.md
	@tools/setup test
	@tools/evidence

.PHONY: lint
lint: ## formatting, clang-tidy, warnings of both compilers, house rules
	@tools/setup test
	@tools/lint

.PHONY: format
format: ## reformat every C and C++ file in place
	@tools/list-sources | xargs clang-format -i

.PHONY: cover
cover: ## line and branch coverage, in build-cover/coverage
	@tools/setup test
	@tools/cover

.PHONY: install
install: all ## into $(DESTDIR)$(PREFIX)
	@meson configure $(BUILD) --prefix=$(PREFIX)
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --quiet
	@[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || true

.PHONY: clean
clean: ## remove every build directory
	rm -rf $(BUILD) build-*

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16
