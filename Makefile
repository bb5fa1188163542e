# Two commands for a newcomer: `make demo` and `make test`. The rest serves them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
EXTRAS ?= all,dev,originals

.PHONY: install demo test test-fast lint types docs soak bench clean

install: $(BIN)/.installed

$(BIN)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	touch $@

# Migrates two small applications, runs them, kills one in the middle and starts it again.
demo: $(BIN)/.installed
	$(BIN)/python fixtures/demo/run.py

# Everything, also the comparisons with a real Temporal server and real DBOS.
test: lint types
	$(BIN)/python -m pytest -q

# What needs no server and no other process; less than a minute.
test-fast: $(BIN)/.installed
	$(BIN)/python -m pytest -q -m 'not slow and not original and not server' tests/unit tests/golden tests/tidy

lint: $(BIN)/.installed
	$(BIN)/ruff check .

types: $(BIN)/.installed
	$(BIN)/mypy

# Writes the generated parts of README.md.
docs: $(BIN)/.installed
	$(BIN)/python -m tests.tidy.readme

soak: $(BIN)/.installed
	$(BIN)/python -m pytest -q tests/simulation --seeds 10000

bench: $(BIN)/.installed
	for file in tests/benchmarks/*_bench.py; do $(BIN)/python $$file || exit 1; done

clean:
	rm -rf $(VENV) .demo
