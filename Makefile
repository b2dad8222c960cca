# The short way to everything; `make` lists it. CMakePresets.json has what is behind it.

PREFIX ?= /usr
DESTDIR ?=
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
# What `make run` passes on: make run ARGS='--port 9090'
ARGS ?=
JOBS ?= $(shell nproc)

HANGU := build/release/bin/hangu
PYTHON := python3 -B

.DEFAULT_GOAL := help
.PHONY: help setup build run demo-canary test bench fmt lint check tidy asan tsan fuzz coverage docs install clean

help: ## List what there is to make
	@awk -F ':.*## ' '/^[a-z ]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' Makefile

setup: ## Install the missing Debian packages
	@scripts/setup build test bench

build: ## Build the release binary, build/release/bin/hangu
	@scripts/setup build
	@mkdir -p build
	@cmake --preset release >build/release.log 2>&1 || { cat build/release.log; exit 1; }
	@cmake --build --preset release --parallel $(JOBS) --target hangu

run: build ## Start the gateway in front of a demo origin, on port 8080
	@$(HANGU) demo $(ARGS)

demo-canary: build ## Two gateways and an etcd: a good and a bad release, in a terminal
	@scripts/setup demo
	@$(PYTHON) scripts/demo-canary $(ARGS)

test: ## Lint, unit, component and integration tests
	@scripts/setup build test
	@scripts/run-tests dev

bench: ## Compare with nginx and HAProxy under load: what a request costs
	@scripts/setup build bench
	@cmake --preset release >/dev/null
	@cmake --build --preset release --parallel $(JOBS) --target hangu hangu_benches
	@$(PYTHON) bench/load/run.py $(ARGS)

fmt: ## Format the C++ files
	@$(PYTHON) tests/lint/check_format.py --fix

lint: ## The checks of tests/lint; builds nothing but the public headers
	@scripts/setup build
	@cmake --preset dev >/dev/null
	@ctest --preset dev -L '^lint$$' --parallel $(JOBS)

check: ## Before a commit: lint, unit and component tests
	@scripts/setup build
	@scripts/run-tests dev -L '^(lint|unit|component)$$'

tidy: ## Build with clang and clang-tidy
	@scripts/setup build
	@cmake --preset tidy >/dev/null
	@cmake --build --preset tidy --parallel $(JOBS)

asan tsan fuzz: ## One sanitizer's tests (ALL=1: all of them), or the fuzz targets, as CI runs them
	@scripts/setup build test
	@ALL=$(ALL) .ci/run $@

coverage: ## Which lines the unit and component tests run: build/coverage/report
	@scripts/setup build test coverage
	@scripts/run-tests coverage
	@mkdir -p build/coverage/report
	@gcovr --root . --filter src --filter include --exclude-throw-branches --print-summary \
	  --html-details build/coverage/report/index.html build/coverage | tail -n 4

docs: ## Write the generated files anew: docs/config.md, config/reference.yaml, golden files
	@scripts/setup build
	@HANGU_UPDATE_GOLDEN=1 scripts/run-tests dev -L '^unit$$'
	@git status --short docs config tests/golden 2>/dev/null || true

install: ## Install binary, config and unit; DESTDIR and PREFIX as usual
	@test -x $(HANGU) || { echo 'first `make build`, then, as root, `make install`' >&2; exit 1; }
	install -D -s -m 755 $(HANGU) $(DESTDIR)$(PREFIX)/bin/hangu
	test -e $(DESTDIR)$(SYSCONFDIR)/hangu/hangu.yaml || \
	  install -D -m 644 config/minimal.yaml $(DESTDIR)$(SYSCONFDIR)/hangu/hangu.yaml
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|/usr/bin/hangu|$(PREFIX)/bin/hangu|; s|/etc/hangu|$(SYSCONFDIR)/hangu|' \
	  packaging/hangu.service >$(DESTDIR)$(UNITDIR)/hangu.service
	install -D -m 644 packaging/hangu.sysusers $(DESTDIR)$(SYSUSERSDIR)/hangu.conf
	@# Type=notify-reload came with systemd 253; Debian 12 has 252.
	if [ "$$(systemctl --version 2>/dev/null | awk 'NR == 1 {print int($$2)}')" = 252 ]; then \
	  install -d $(DESTDIR)$(UNITDIR)/hangu.service.d && \
	  sed 's|/usr/bin/hangu|$(PREFIX)/bin/hangu|; s|/etc/hangu|$(SYSCONFDIR)/hangu|' \
	    packaging/systemd-252.conf >$(DESTDIR)$(UNITDIR)/hangu.service.d/systemd-252.conf; fi

clean: ## Remove build/
	rm -rf build
