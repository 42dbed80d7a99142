# `make run` and `make test` need Python 3.11 or newer and nothing else; they bring the rest into .venv.
#
#   make run PORT=8001          another port
#   make test ARGS="-k cancel"  arguments for pytest
#   make run PYTHON=python3.13  another interpreter

PYTHON ?= python3
PORT ?= 8000
ARGS ?=
FUZZ_EXAMPLES ?= 1000

VENV_PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test test-browser test-redis test-messages coverage mutants schema test-schema fuzz test-clients bench lint format environment

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

run: ## serve a demo on http://127.0.0.1:8000
	@$(PYTHON) -m tools.run --port "$(PORT)"

# --- Tests: what needs more than `make test` brings has a mark in pytest.ini and a target of its own here. ------------

test: ## the suite on SQLite and on PostgreSQL
	@$(PYTHON) -m tools.test $(ARGS)

coverage: ## the same, and what it covers
	@$(PYTHON) -m tools.test --coverage $(ARGS)

mutants: environment ## take out each guard and rule in turn: does the suite notice?
	@$(VENV_PYTHON) -m tools.mutants $(ARGS)

test-redis: environment ## the tests that need redis-server (apt install redis-server)
	@$(VENV_PYTHON) -m pytest -m redis $(ARGS)

test-browser: ## the tests that drive Chromium; CHROMIUM=PATH names one
	@$(PYTHON) -m tools.browser $(ARGS)

# --- The description of the API ---------------------------------------------------------------------------------------

schema: environment ## write openapi.yaml anew
	@SECRET_KEY=of-no-use DEBUG=True BOOKING_ENV_FILE=/dev/null \
	  $(VENV_PYTHON) manage.py spectacular --validate --fail-on-warn --file openapi.yaml

test-schema: ## thousands of calls made up from openapi.yaml, the same each time, on both databases
	@$(PYTHON) -m tools.test -m fuzz $(ARGS)

fuzz: environment ## the same for long, other calls each time; FUZZ_EXAMPLES=1000 for each operation and role
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(VENV_PYTHON) -m pytest -m fuzz $(ARGS)

test-clients: environment ## the clients of docs/clients make a booking; needs Node.js
	@command -v npm >/dev/null || { echo "Node.js and npm are missing (on Debian and Ubuntu: apt install nodejs npm)."; exit 1; }
	@$(VENV_PYTHON) -m pytest -m node $(ARGS)

test-messages: environment ## ten thousand e-mails by two workers on PostgreSQL: all arrive, none twice
	@MANY_MESSAGES=10000 $(VENV_PYTHON) -m tools.postgres -- $(VENV_PYTHON) -m pytest -s -k test_many_messages $(ARGS)

# --- Speed ------------------------------------------------------------------------------------------------------------

bench: environment ## how fast it is, against the floor
	@$(VENV_PYTHON) -m benchmarks $(ARGS)

# --- Code -------------------------------------------------------------------------------------------------------------

lint: environment ## check style, format and the direction of imports
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .
	@.venv/bin/lint-imports

format: environment ## mend style and format
	@$(VENV_PYTHON) -m ruff check --fix .
	@$(VENV_PYTHON) -m ruff format .

environment:
	@$(PYTHON) -m tools.bootstrap --for-tests
