# Two commands for a newcomer: `make demo` and `make test`. The rest serves them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-fast lint types soak bench clean

$(BIN)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all,dev,originals]'
	touch $@

lint: $(BIN)/.installed
	$(BIN)/ruff check .

types: $(BIN)/.installed
	$(BIN)/mypy

test-fast: $(BIN)/.installed
	$(BIN)/python -m pytest -q -m 'not slow and not original and not server' tests/unit tests/golden tests/tidy

test: lint types
	$(BIN)/python -m pytest -q

soak: $(BIN)/.installed
	$(BIN)/python -m pytest -q tests/simulation --seeds 10000

clean:
	rm -rf $(VENV) .demo
