# farmtui: what a contributor types. Needs make, Python 3.11 or later with venv, and the package index; nothing else.

# The first Python that is new enough; `make PYTHON=/path/to/python` takes another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$python; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# setuptools warns at length of what an editable install is; nobody who types `make demo` needs to know.
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test lint lab lab-up lab-down bench gallery docs pins clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.runtime ## the console on the simulated farm
	@$(BIN)/farmtui demo

test: lint ## all tests that need neither root nor a network; in random order, on all cores
	$(PYTEST) -n auto -m 'not lab and not bench' tests

lint: $(VENV)/.installed ## formatting, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lab: $(VENV)/.lab ## the tests against real services (needs root and Debian)
	tests/lab/install
	$(PYTEST) -m lab --timeout 300 tests/lab

lab-up: $(VENV)/.lab ## the real services left running, and lab.yaml, a config over them (needs root and Debian)
	tests/lab/install
	$(BIN)/python -m tests.lab up

lab-down: $(VENV)/.installed ## end what lab-up has started, and nothing else
	$(BIN)/python -m tests.lab down

bench: $(VENV)/.bench ## every budget, measured beside its floor
	$(PYTEST) -q -s -p no:randomly -m bench tests/bench

gallery: $(VENV)/.runtime ## every widget by itself
	@$(BIN)/python -m widgets

docs: $(VENV)/.installed ## write the generated parts of docs/ anew
	$(BIN)/python -m tests.regenerate

pins: ## renew constraints.txt from a clean environment
	rm -rf $(VENV)/pins && $(PYTHON) -m venv $(VENV)/pins
	$(VENV)/pins/bin/python -m pip install --quiet '.[dev,lab]'
	{ echo '# Exact versions that `make` installs; renewed with `make pins`. One line each, no addresses.'; \
	  $(VENV)/pins/bin/python -m pip freeze --all --exclude farmtui --exclude pip; } > constraints.txt
	rm -rf $(VENV)/pins

clean: ## remove everything that make made
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# An environment of another machine, or of a Python that is gone, is made anew.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "farmtui needs Python 3.11 or later, and there is none on the PATH:" \
		"make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "farmtui needs Python 3.11 or later; $(PYTHON) is older or does not start" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing what farmtui needs into $(VENV) (once) ..."
	@$(PIP) -e .
	@touch $@

$(VENV)/.installed: $(VENV)/.runtime
	@echo "installing what its tests need into $(VENV) (once) ..."
	@$(PIP) -e '.[dev]'
	@touch $@

# What the SSH fan-out is compared with: its dependencies are not ours, so it has an environment of its own.
$(VENV)/.bench: $(VENV)/.installed
	@$(PYTHON) -m venv $(VENV)/bench
	@$(VENV)/bench/bin/python -m pip install --quiet --disable-pip-version-check pyinfra==3.10.0 ansible-core==2.19.14
	@touch $@

$(VENV)/.lab: $(VENV)/.installed
	@$(PIP) -e '.[dev,lab]'
	@touch $@
