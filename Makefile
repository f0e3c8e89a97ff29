# Everything runs from .venv, which the first target that needs it creates.
PYTHON3 ?= python3
WORKERS ?= 2
BIN := .venv/bin
BUNDLE := $(wildcard web/frontend/*.html web/frontend/*.json web/frontend/vite.config.ts)
BUNDLE += $(shell find web/frontend/src -type f)
INSTALL := $(BIN)/pip install --quiet -c constraints.txt --build-constraint constraints.txt
NPM := $(BIN)/python hatch_build.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help venv demo test lint format types unit e2e pytest js coverage clean tools packages
.DELETE_ON_ERROR:

help: ## this list
	@grep -hE '^[a-z0-9%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([^:]+):.*## (.*)/  make \1\t\2/' | expand -t 20

venv: .venv/.server ## Tongke and its server in .venv, the browser bundle built

demo: venv ## a server, a lab PC and four simulated instruments; prints the addresses
	$(BIN)/tongke demo

test: packages tools lint types js coverage pytest ## everything that must pass

lint: tools ## ruff, style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: tools ## let ruff and Prettier write the format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(NPM) run format

types: tools ## mypy, strict
	$(BIN)/mypy

unit: tools ## pytest without the whole journeys
	$(BIN)/pytest -m "not e2e" -n $(WORKERS)

e2e: packages tools ## only the whole journeys, in a real browser
	$(BIN)/pytest -m e2e

pytest: packages tools ## unit and e2e in one run
	$(BIN)/pytest -n $(WORKERS)

js: web/frontend/node_modules/.package-lock.json ## the browser side: lint, types, tests
	$(NPM) run lint
	$(NPM) run types
	$(NPM) run test

coverage: tools ## each pure core: 100 % branches from its own test file
	$(BIN)/python .ci/core_coverage.py

bench-%: packages tools ## a benchmark, e.g. make bench-commands ARGS="--json FILE"
	$(BIN)/python -m benchmarks.$* $(ARGS)

clean: ## remove everything that the other targets make
	rm -rf .venv build dist web/static web/frontend/node_modules
	rm -rf .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

tools: .venv/.test

packages:
	@.ci/debian-packages chromium ser2net socat
	@fc-list :lang=zh-cn | grep -q . || .ci/debian-packages --package fonts-noto-cjk

.venv/.created:
	@PYTHON3=$(PYTHON3) .ci/create-venv
	$(BIN)/pip install --quiet --upgrade -c constraints.txt pip
	@touch $@

.venv/.server: .venv/.created pyproject.toml constraints.txt hatch_build.py $(BUNDLE)
	$(INSTALL) -e '.[server]'
	@touch $@

.venv/.test: pyproject.toml constraints.txt | .venv/.server
	$(INSTALL) -e '.[server,test]'
	@touch $@

# npm writes this file last; building the bundle has made it already, most of the time.
web/frontend/node_modules/.package-lock.json: web/frontend/package-lock.json | .venv/.test
	$(NPM) ci
	@touch $@
