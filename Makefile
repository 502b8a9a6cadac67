# Each target calls a tool; nothing here decides anything. `make help` lists them.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

# Options for the program of a target: `make run ARGS=--log-level=debug`, `make bench ARGS=--help`.
ARGS ?=
PODMAN ?= podman
VERSIONS := 14 16 17 18

.DEFAULT_GOAL := help
.PHONY: help run demo run-cluster test test-postgres-versions check lint types contracts bench bench-compare bench-scale performance plots soak crash-cluster \
        fuzz attack mutants docs \
        lock packages script-engine console console-packages console-types console-test wheel deb sbom container clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.runtime ## Start the service on SQLite (./wfx.db): northbound on 8081, southbound on 8080
	@$(BIN)/python -m release.script_engine --if-npm-is-found
	@$(BIN)/python -m release.console --if-npm-is-found
	@$(BIN)/python -m wfx.welcome $(ARGS)
	@exec $(BIN)/wfx $(ARGS)

demo: $(VENV)/.runtime ## Watch a simulated device take an update from creation to ACTIVATED
	@$(BIN)/wfx demo

run-cluster: $(VENV)/.runtime ## Run three servers on a private PostgreSQL behind HAProxy, with the demo on top (ARGS=--help)
	@.ci/packages cluster
	@PYTHONPATH=loadtest exec $(BIN)/python -P -m local_cluster $(ARGS)

# Tests of stores by file: they share a database in each file, which every process would make once more.
test: $(VENV)/.dev $(VENV)/.clients $(VENV)/.postgres script-engine console packages check console-test ## Run everything that can fail
	$(BIN)/python -m pytest -n 4 --dist loadfile tests/store
	$(BIN)/python -m pytest -n 4 --dist loadgroup --ignore=tests/store

test-postgres-versions: $(VENV)/.dev $(VENV)/.postgres packages ## Run the tests of the store on PostgreSQL 14, 16, 17 and 18 (a quarter of an hour)
	for version in $(VERSIONS); do \
	  TESTED_POSTGRES=$$version $(BIN)/python -m pytest -n 4 --dist loadfile tests/store/test_*.py tests/store/postgres \
	    -k "not (sqlite or memory)" $(ARGS) || exit 1; \
	done

check: $(VENV)/.dev lint types console-types contracts ## Lint, types and import contracts

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .

types: $(VENV)/.dev
	$(BIN)/mypy wfx wfxctl wfx_viewer plugins/wfx_plugin loadtest release

contracts: $(VENV)/.dev
	PYTHONPATH=loadtest:plugins $(BIN)/lint-imports

bench: $(VENV)/.dev script-engine packages ## Measure throughput and latency (takes minutes)
	@PYTHONPATH=loadtest:. $(BIN)/python -m bench $(ARGS)

bench-compare: $(VENV)/.dev packages ## Measure this work tree against another commit: BASE=<rev>
	@test -n "$(BASE)" || { echo "say which commit to compare with: make bench-compare BASE=<rev>"; exit 1; }
	@PYTHONPATH=loadtest:. $(BIN)/python -m bench.against $(BASE) $(ARGS)

performance: $(VENV)/.dev packages ## Measure the figures of docs/performance.md and write them (seven to eight minutes)
	@PYTHONPATH=loadtest:. $(BIN)/python -m bench.performance $(ARGS)

plots: $(VENV)/.dev ## Write docs/performance.md anew from the figures measured last
	@PYTHONPATH=loadtest:. $(BIN)/python -m bench.page

bench-scale: $(VENV)/.dev packages ## Measure with 1,000,000 jobs in the store, or ARGS="--storage postgres" (takes minutes)
	@PYTHONPATH=loadtest:. $(BIN)/python -m bench.scale $(ARGS)

soak: $(VENV)/.dev ## Fail each operation of the disk; then an hour of load, to see whether anything grows (ARGS="--duration 10m")
	WFX_TEST_ALL_FAULTS=1 $(BIN)/python -m pytest tests/store/sqlite/test_faults.py
	PYTHONPATH=.:tests:plugins $(BIN)/python -m tests.soak $(ARGS)

crash-cluster: $(VENV)/.dev packages ## Let two servers and their PostgreSQL fail in every way for three minutes (ARGS="--duration 30m --seed 7")
	@PYTHONPATH=.:tests:plugins:loadtest $(BIN)/python -m tests.acceptance.cluster $(ARGS)

fuzz: $(VENV)/.dev ## Attack the service with what nobody would send, for half an hour (ARGS="--duration 2h --seed 7")
	PYTHONPATH=.:tests:plugins $(BIN)/python -m tests.fuzz $(ARGS)

attack: $(VENV)/.dev ## Run hostile programs against the service for ten minutes and print what others are answered meanwhile
	@PYTHONPATH=.:tests:plugins $(BIN)/python -m tests.attack $(ARGS)

mutants: $(VENV)/.dev .mutants/.tool ## Change the code in small ways and see which tests notice (hours; ARGS="--sample 20 domain")
	@.mutants/venv/bin/python -m tests.mutants $(ARGS)

docs: $(VENV)/.dev ## Write the generated parts of the documentation anew, and what tests of wfxctl compare with
	$(BIN)/python -m wfx.config.document docs/configuration.md
	$(BIN)/python -m wfx.metrics.document docs/observability.md
	$(BIN)/python -m wfx.rules.document docs/rules.md
	PYTHONPATH=tests $(BIN)/python -m tests.server.document docs/http-edge.md
	$(BIN)/python -m tests.docs.robustness docs/robustness.md
	PYTHONPATH=tests $(BIN)/python -m tests.wfxctl.snapshots
	$(BIN)/python -m wfx_viewer --output-format svg --output docs/viewer-phased.svg spec/workflows/wfx.workflow.dau.phased.yml
	$(BIN)/python -m wfx_viewer --output-format svg --output docs/viewer-kanban.svg spec/workflows/wfx.workflow.kanban.yml

script-engine: $(VENV)/.runtime ## Fetch the engine of scripts, which is no part of the repository (by npm, pinned by its hash)
	@$(BIN)/python -m release.script_engine

console: $(VENV)/.runtime ## Build the console, whose tools and libraries npm fetches, pinned by their hashes
	@$(BIN)/python -m release.console

console-packages: $(VENV)/.dev
	@$(BIN)/python -m release.console --packages

console-types: console-packages
	@cd wfx/console && PATH="$(abspath $(BIN)):$$PATH" node node_modules/typescript/bin/tsc --project .

console-test: console-packages ## Run the unit tests of the console
	@cd wfx/console && PATH="$(abspath $(BIN)):$$PATH" node --test "src/**/*.test.js"

wheel: $(VENV)/.runtime script-engine console ## Build wheel and source archive into dist/
	$(BIN)/python -m hatchling build -d dist

deb: $(VENV)/.runtime script-engine console ## Build the Debian package into dist/ (no root needed)
	@$(BIN)/python -m release.deb dist

sbom: $(VENV)/.runtime ## Write what wfx consists of into dist/, as CycloneDX and SPDX
	@mkdir -p dist
	$(BIN)/python -m release.sbom --format cyclonedx > dist/wfx.cdx.json
	$(BIN)/python -m release.sbom --format spdx > dist/wfx.spdx.json

container: ## Build the container image wfx (needs podman; PODMAN=docker for Docker)
	$(PODMAN) build --build-arg SOURCE_COMMIT=$$(git rev-parse HEAD) --tag wfx --file Containerfile .

lock: $(VENV)/.dev ## Pin all dependencies anew
	$(PIP) uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --upgrade --group build --group lint --group test \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 -q -o requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml --all-extras -c requirements-dev.lock \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 -q -o requirements.lock
	$(BIN)/uv pip compile --group build -c requirements-dev.lock \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 -q -o requirements-build.lock
	$(BIN)/uv pip compile --group mutants -c requirements-dev.lock \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 -q -o requirements-mutants.lock
	$(BIN)/uv pip compile --group npm -c requirements-dev.lock \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 -q -o requirements-npm.lock

packages:
	@.ci/packages

clean: ## Remove what the other targets made
	rm -rf $(VENV) wfx/console/built wfx/console/node_modules .mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "wfx needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11; set PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); PYTHON=$(PYTHON) .ci/packages venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.runtime: requirements.lock requirements-build.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing wfx into $(VENV) (once; about a minute) …"
	$(PIP) --require-hashes -r requirements.lock -r requirements-build.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.mutants/.tool: requirements-mutants.lock | $(VENV)/bin/python
	@$(BIN)/python -m venv .mutants/venv
	.mutants/venv/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements-mutants.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what the tests need into $(VENV) …"
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

# What the tests generate TypeScript clients with, and compile them: from the npm registry, by the hashes of its lock file.
CLIENTS := tests/generated_clients
$(VENV)/.clients: $(CLIENTS)/package-lock.json | $(VENV)/.dev
	@echo "Installing the TypeScript tools of the tests into $(VENV) …"
	@mkdir -p $(VENV)/generated-clients
	@cp $(CLIENTS)/package.json $(CLIENTS)/package-lock.json $(CLIENTS)/.npmrc $(VENV)/generated-clients
	@cd $(VENV)/generated-clients && PATH="$(abspath $(BIN)):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# Further versions of PostgreSQL for the tests, beside Debian's: from the npm registry, by the hashes of its lock file.
# npm passes over packages for other processors, but also those that it cannot fetch.
$(VENV)/.postgres: tests/postgres_versions/package-lock.json | $(VENV)/.dev
	@echo "Installing further versions of PostgreSQL for the tests into $(VENV) …"
	@mkdir -p $(VENV)/postgres-versions
	@cd tests/postgres_versions && cp package.json package-lock.json .npmrc $(abspath $(VENV))/postgres-versions
	@cd $(VENV)/postgres-versions && PATH="$(abspath $(BIN)):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --silent
	@test "$$(uname -m)" != x86_64 || ls -d $(VERSIONS:%=$(VENV)/postgres-versions/node_modules/postgres-%) >/dev/null
	@touch $@
