# Two commands are enough: “make run” and “make test”. Python 3.11 or newer and make are all they need.

VENV ?= .venv
PY := $(VENV)/bin/python
PORT ?= 8000
# One more than the two cores it is measured on: tests in a browser wait about half of their time.
WORKERS ?= 3
TESTS ?= tests
SHELL := /bin/sh

export PORT

.DEFAULT_GOAL := help
.PHONY: help run dev install install-dev test sites check mutants soak bench lint format lock

help:
	@echo "make run      the site with its demo on http://127.0.0.1:$(PORT) (PORT=…)"
	@echo "make dev      the same, reading changed code and templates anew"
	@echo "make test     every test but the long ones (TESTS=tests/lms for a part)"
	@echo "make check    style, types, floors, templates, migrations, translations, deployment"
	@echo "make mutants  plants faults in a copy of the code and shows that a test notices each"
	@echo "make soak     the long tests, and ten minutes of load while everything is killed in turn (SOAK_SECONDS=…)"
	@echo "make bench    the benchmarks"
	@echo "make lint     style only;  make format  puts the style right"
	@echo "make lock     makes the locks anew from pyproject.toml"

run: install
	@DEMO=1 LOG_LEVEL=$${LOG_LEVEL:-WARNING} exec $(PY) -m config.serve

dev: install
	@DEMO=1 DEBUG=1 LOG_LEVEL=$${LOG_LEVEL:-INFO} exec $(PY) -m config.serve

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(PY):
	@python=""; \
	for name in $(PYTHON) python3 python3.13 python3.12 python3.11 python; do \
		if command -v $$name >/dev/null 2>&1 && \
			$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then \
			python=$$name; break; \
		fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11, 3.12 or 3.13 is needed and was not found. Install one, or name it: make run PYTHON=/path/to/python3"; \
		exit 1; \
	fi; \
	echo "  Making a virtual environment with $$($$python --version) …"; \
	$$python -m venv $(VENV) || { \
		rm -rf $(VENV); \
		echo "The virtual environment could not be made. On Debian and Ubuntu install it first: apt-get install python3-venv"; \
		exit 1; \
	}

# Python compiles what it imports and keeps it; pip would compile everything, one file after the other.
PIP_FLAGS := --no-compile --no-deps --require-hashes
export PYTHONDONTWRITEBYTECODE =

# The stamp is older than the lock only where the lock has changed since.
$(VENV)/.installed: requirements.lock | $(PY)
	@echo "  Installing the locked dependencies (the first time takes a minute or two) …"
	@$(PY) -m pip install -qq --disable-pip-version-check $(PIP_FLAGS) -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock | $(PY)
	@echo "  Installing the locked dependencies and the tools for tests …"
	@$(PY) -m pip install -qq --disable-pip-version-check $(PIP_FLAGS) -r requirements-dev.lock
	@touch $@ $(VENV)/.installed

# The lived-in site that some tests begin with is made while others run.
test: install-dev
	@if [ "$(TESTS)" = tests ]; then $(PY) -m tests.database & fi; \
	$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

check: install-dev
	@echo "  Style …";        $(PY) -m ruff check --quiet . && $(PY) -m ruff format --check --quiet .
	@echo "  Types …";        $(PY) -m mypy --no-error-summary
	@$(PY) -m config.check

# What the tests begin with, made beforehand; `make test` would make it too.
sites: install-dev
	@$(PY) -m tests.database

mutants: install-dev
	@$(PY) -m tests.mutants

soak: install-dev
	@SOAK_SECONDS=$${SOAK_SECONDS:-600} $(PY) -m pytest -q -p no:xdist -s tests/faults/test_crashes.py
	@$(PY) -m pytest -q -m long tests
	@EVERY_SCREEN=1 $(PY) -m pytest -q tests/browser/test_access.py
	@EXAMPLES=500 $(PY) -m pytest -q tests/*/test_rules.py tests/lms/test_desk_board.py tests/config/test_api_document.py

bench: install-dev
	@$(PY) -m bench

lint: install-dev
	@$(PY) -m ruff check . && $(PY) -m ruff format --check .

format: install-dev
	@$(PY) -m ruff check --fix --quiet . ; $(PY) -m ruff format .

# Hashes for every platform and Python version that is supported, and no host.
UV_FLAGS := --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --no-annotate
lock:
	@uv pip compile $(UV_FLAGS) pyproject.toml -o requirements.lock
	@uv pip compile $(UV_FLAGS) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	@! grep -nE '://' requirements.lock requirements-dev.lock || { echo "A lock names a host."; exit 1; }
