# The two commands of the README: `make demo` and `make test`. Both set everything up first.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint docs soak clean

demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest --cov --cov-report=term

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Every fault on purpose: half an hour on two cores. `make soak ROWS="disk signals --quick"` for some.
soak: $(VENV)/.installed
	$(BIN)/python -m benchmarks.soak $(ROWS)

docs: $(VENV)/.installed
	$(BIN)/python docs/make_commands.py

# Installed again only when the project's requirements change.
$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@ $(VENV)/.installed

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) separated build dist .mypy_cache .ruff_cache .pytest_cache .coverage*
