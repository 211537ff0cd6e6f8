# farmtui: what a contributor types. Needs Python 3.11+, make and the package index; nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# -n auto runs a test per core; bench and lab want the machine for themselves.
PYTEST := $(BIN)/python -m pytest

.PHONY: demo test lint lab bench docs gallery pins clean

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "farmtui needs Python 3.11 or later: make PYTHON=/path/to/python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: $(VENV)/.installed ## the console on the simulated farm
	$(BIN)/farmtui demo

test: $(VENV)/.installed lint ## all tests that need no root and no network
	$(PYTEST) -n auto -m 'not lab and not bench' tests

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lab: $(VENV)/.installed ## the real-services tests: root and Debian
	tests/lab/install
	$(PYTEST) -m lab tests/lab

bench: $(VENV)/.installed ## every budget, measured beside its floor
	$(PYTEST) -q -s -p no:randomly -m bench tests/bench

gallery: $(VENV)/.installed ## every widget by itself
	$(BIN)/python -m widgets

docs: $(VENV)/.installed ## the generated parts of docs/ (a test holds them up to date)
	$(BIN)/python -m tests.regenerate

pins: ## renew constraints.txt from a clean environment
	rm -rf $(VENV)/pins && $(PYTHON) -m venv $(VENV)/pins
	$(VENV)/pins/bin/python -m pip install --quiet '.[dev]'
	{ echo '# Exact versions that `make` installs; renewed with `make pins`. One line each, no addresses.'; \
	  $(VENV)/pins/bin/python -m pip freeze --exclude farmtui; } > constraints.txt
	rm -rf $(VENV)/pins

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
