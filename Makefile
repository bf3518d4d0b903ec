# Targets that a person calls are listed by `make` from their ## comments.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo drill test lint migrate psql bench model simulate mutants coverage chaos docs clean

PYTHON ?= python3
PG ?= 18,15
JOBS ?= 2
BIN := .venv/bin
INSTALLED := .venv/.installed
PEERS := .bench/venv/.installed

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## create .venv and install everything into it (quick when nothing changed)

$(INSTALLED): pyproject.toml
	@.ci/packages python3-venv
	@echo "setup: creating .venv and installing what pyproject.toml pins"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "setup: Python 3.11 or newer is needed")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup ## 65 real decisions, faults and a killed worker; ends with "demo ok"
	@$(BIN)/orderlatch demo

drill: setup ## list the drills; NAME=partial-commit runs one: broken on purpose, detected, put right
	@$(BIN)/orderlatch drill $(NAME)

test: setup ## all tests on Postgres 18 and 15 (PG=18 for one of them, ARGS="-k name" to choose)
	@.ci/packages postgresql-15 postgresql-15-pgtap postgresql-15-plpgsql-check spin gcc libc6-dev pgbouncer faketime
	@$(BIN)/pytest --pg=$(PG) -n $(JOBS) --dist worksteal $(if $(THOROUGH),--thorough) $(ARGS)

lint: setup ## ruff, mypy and the style tests
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/pytest --quiet tests/style

migrate: setup ## bring the database at DATABASE_URL (or the embedded one) up to this checkout
	@$(BIN)/orderlatch migrate

psql: setup ## a psql prompt on the same database, as the auditor: type :help
	@$(BIN)/orderlatch psql --audit

bench: setup $(PEERS) ## all benchmarks, beside the peers (QUICK=1: a smaller round in 5 minutes; ONLY=pickup: one of them)
	@$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick) $(if $(MINUTES),--minutes $(MINUTES)) \
	  $(if $(DECISIONS),--decisions $(DECISIONS))

$(PEERS): pyproject.toml
	@echo "bench: installing the peers that pyproject.toml pins into .bench/venv"
	@$(PYTHON) -m venv .bench/venv
	@.bench/venv/bin/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

model: setup ## check the protocol's model in every state, and print the tables of docs/model.md (a minute)
	@.ci/packages spin gcc libc6-dev
	@$(BIN)/python -m tests.model

simulate: setup ## look for a seed that breaks a promise: 20,000 decisions, minutes (SEED=7 STEPS=200 for one, SEEDS=9)
	@$(BIN)/python -m tests.simulator $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) \
	  $(if $(STEPS),--steps $(STEPS)) $(if $(ONLY),--only $(ONLY))

mutants: setup ## plant bugs into the functions, one at a time, and see that the tests find each (N=name for one)
	@.ci/packages postgresql-15-pgtap
	@$(BIN)/python -m tests.mutants $(N)

coverage: setup ## which statements and branches of PL/pgSQL the tests of the database reach, and which not (minutes)
	@.ci/packages postgresql-15 postgresql-15-pgtap postgresql-15-plpgsql-check
	@$(BIN)/python -m tests.coverage $(ARGS)

chaos: setup ## a full disk, and ten minutes of a storm over real processes (MINUTES=1, SEED=7); "chaos ok"
	@$(BIN)/pytest -q --pg=18 --thorough tests/chaos/test_full_disk.py tests/chaos/test_storm.py --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1)

docs: setup ## write docs/reference.md and docs/generated from a freshly migrated database
	@$(BIN)/python -m tests.support.reference

clean: ## stop the embedded server; remove its data, .venv and caches
	@test ! -x $(BIN)/orderlatch || $(BIN)/orderlatch stop --remove
	@rm -rf .venv .bench/venv .bench/node .orderlatch *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
