# SPDX-License-Identifier: MIT
# Thin on purpose: set-up is scripts/setup.sh, building is CMake's presets, testing is tests/run.

EXAMPLE ?= todo
PORT ?= 3000
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
BUILD = cmake --build --parallel $(JOBS) --preset

.DEFAULT_GOAL := all
.PHONY: all configure build install dev run test bench fuzz wasm format format-check tidy clean help
MAKEFLAGS += --no-print-directory

all: build ## Build build/release/covara (the default)

# An example with an app.c is an executable of its own.
RUN_TARGET = $(if $(wildcard examples/$(EXAMPLE)/app.c),example_$(EXAMPLE),covara)

build: configure
	@$(BUILD) release --target covara

configure:
	@scripts/setup.sh build
	@cmake --preset release -Wno-dev >/dev/null

install: configure ## Install the command, libraries and headers below PREFIX (/usr/local); DESTDIR stages
	@$(BUILD) release
	@DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(PREFIX)

dev: ## Build build/dev with AddressSanitizer and UndefinedBehaviorSanitizer, and its unit tests
	@scripts/setup.sh test
	@cmake --preset dev -Wno-dev >/dev/null
	@$(BUILD) dev

run: configure ## Serve examples/$(EXAMPLE) at http://localhost:$(PORT)/
	@$(BUILD) release --target $(RUN_TARGET)
	@exec scripts/run_example.sh $(EXAMPLE) $(PORT)

test: ## Run every check and test, set-up included
	@exec tests/run

bench: build ## Measure against nginx, a C loop and fixed limits
	@scripts/setup.sh bench
	@exec bench/run.mjs

fuzz: ## Run every fuzz target for FUZZ_SECONDS (60) seconds
	@scripts/setup.sh test
	@exec scripts/fuzz.sh $(or $(FUZZ_SECONDS),60)

wasm: ## Build the core for wasm32 and check what it needs from outside
	@scripts/setup.sh test
	@cmake --preset wasm -Wno-dev >/dev/null
	@$(BUILD) wasm
	@scripts/check_wasm.sh

format: ## Lay out the C files with clang-format 14
	@scripts/format.sh

format-check:
	@scripts/format.sh --check

tidy: dev ## Run clang-tidy over the sources
	@scripts/tidy.sh

clean: ## Remove build/ (fetched sources in .deps/ stay)
	rm -rf build

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
	    printf '  make %-8s %s\n' "$$name" "$$text"; done
