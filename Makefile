# Every target sets up what it needs in .venv first. PYTHON is the interpreter to begin from.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-for

.PHONY: demo test test-compiled test-interpreted lint types docs bench build format clean help

help:
	@echo "make demo    the quick start, and real traces replayed through every policy"
	@echo "make test    the whole suite, compiled and interpreted"
	@echo "make lint    ruff, import-linter       make types   mypy"
	@echo "make docs    the site, built strictly  make bench   speeds beside the peers"

demo: build
	$(BIN)/cachery demo

test: test-compiled test-interpreted

# Compiled, without coverage: what users run.
test-compiled: build servers
	$(BIN)/python -m pytest

# Histories are what processes do in a given time, which is little under coverage: they run compiled.
TIMED := --ignore=tests/distributed/test_histories.py

# Interpreted, from sources without a compiled file and without Cython: the same tests, and the coverage of every line.
test-interpreted: build servers
	tools/interpreted.sh
	PYTHONPATH=build/interpreted $(BIN)/python -m coverage erase
	PYTHONPATH=build/interpreted $(BIN)/python -m pytest --cov --cov-report= $(TIMED)
	$(BIN)/python -m coverage report

.PHONY: servers
servers:
	@tools/servers.sh

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

docs: build
	$(BIN)/mkdocs build --strict

bench: build
	tools/interpreted.sh
	$(BIN)/python -m bench

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The virtual environment with all tools, made anew when pyproject.toml changes.
$(STAMP): pyproject.toml tools/setup.sh
	tools/setup.sh $(PYTHON) $(VENV)
	@touch $(STAMP)

# Compiled in place; where there is no compiler the same files run interpreted.
build: $(STAMP)
	@$(BIN)/python tools/compile.py

clean:
	rm -rf $(VENV) build site .coverage .hypothesis
	find src -name '*.so' -delete -o -path '*/cachery/*.h' -delete
