# make demo    the main job on a shot that the project renders itself
# make test    the whole test suite
# make check   format, lint, types, import rules, tests without Ray
# make lint    format, lint and types alone
PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check lint format clean

demo: $(STAMP)
	$(BIN)/adamatte demo --out demo

test: $(STAMP)
	$(BIN)/pytest -q -n $(JOBS) --dist loadfile -m "not ray"
	$(BIN)/pytest -q -m ray

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint
	$(BIN)/pytest -q -n $(JOBS) --dist loadfile -m "not ray and not slow"

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) demo build *.egg-info
