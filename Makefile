# `make run` and `make test` need Python 3.11 or newer and nothing else; they bring the rest into .venv.
#
#   make run PORT=8001            another port
#   make test ARGS="-k cancel"    arguments for pytest
#   make test-all PARTS="redis"   some of the parts: schema processes browser node generator redis cluster deploy soak messages
#   make run PYTHON=python3.13    another interpreter

PYTHON ?= python3
PORT ?= 8000
ARGS ?=
PARTS ?=
FUZZ_EXAMPLES ?= 1000

VENV_PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test test-all test-clients coverage mutants fuzz schema bench lint format lock upgrade environment

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

run: ## serve a demo on http://127.0.0.1:8000
	@$(PYTHON) -m tools.run --port "$(PORT)"

# --- Tests: a test that needs more than `make test` brings has a mark in pytest.ini and a part in tools/parts.py. -------

test: ## the suite on SQLite and on PostgreSQL
	@$(PYTHON) -m tools.test $(ARGS)

test-all: ## what needs more or takes longer: made-up calls, real servers, Chromium, Node.js, Redis, PgBouncer, bubblewrap, ten thousand messages, ten minutes of faults; PARTS="browser node" picks some
	@$(PYTHON) -m tools.parts --parts="$(PARTS)" $(ARGS)

test-clients: ## clients made from openapi.yaml, in TypeScript and in Python, book against a real server; needs Node.js
	@$(PYTHON) -m tools.parts --parts="node generator" $(ARGS)

coverage: ## the suite, and which lines it covers
	@$(PYTHON) -m tools.test --coverage $(ARGS)

mutants: environment ## take out each guard and rule in turn: does the suite notice?
	@$(VENV_PYTHON) -m tools.mutants $(ARGS)

fuzz: environment ## made-up calls for long, other calls each time; FUZZ_EXAMPLES=1000 for each operation and role
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(VENV_PYTHON) -m pytest -m fuzz $(ARGS)

# --- The description of the API, and speed ----------------------------------------------------------------------------

schema: environment ## write openapi.yaml anew, and the table of errors in docs/api.md
	@export SECRET_KEY=of-no-use DEBUG=True BOOKING_ENV_FILE=/dev/null; \
	  $(VENV_PYTHON) manage.py spectacular --validate --fail-on-warn --file openapi.yaml && \
	  $(VENV_PYTHON) manage.py write_error_table

bench: environment ## how fast it is, against the floor
	@$(VENV_PYTHON) -m benchmarks $(ARGS)

# --- Code -------------------------------------------------------------------------------------------------------------

lint: environment ## check style, format, the direction of imports, and types
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .
	@.venv/bin/lint-imports
	@SECRET_KEY=of-no-use DEBUG=True BOOKING_ENV_FILE=/dev/null .venv/bin/mypy

format: environment ## mend style and format
	@$(VENV_PYTHON) -m ruff check --fix .
	@$(VENV_PYTHON) -m ruff format .

# --- Packages ---------------------------------------------------------------------------------------------------------

lock: environment ## write requirements.lock anew, after a change of requirements.txt
	@$(VENV_PYTHON) -m tools.lock

upgrade: environment ## take the newest versions of all packages, and write requirements.lock anew
	@$(VENV_PYTHON) -m tools.lock --upgrade

environment: ## make .venv, or mend it
	@$(PYTHON) -m tools.bootstrap --for-tests
