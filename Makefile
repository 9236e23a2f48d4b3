# Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test guests lint types bench docs clean

demo: $(VENV)/.installed
	$(BIN)/baonet run configs/ping-pong.yaml --timeout 60s

test: $(VENV)/.tested
	$(BIN)/pytest

# Third-party guests from Debian: Linux, PREEMPT_RT, U-Boot.
guests: $(VENV)/.tested
	tests/guests/fetch || test $$? -eq 75
	$(BIN)/pytest -m guests

lint: $(VENV)/.checked
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.checked
	$(BIN)/mypy

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

docs: $(VENV)/.installed
	$(BIN)/python -m baonet.config.reference > docs/configuration.md
	$(BIN)/python -m baonet.wire.reference > docs/protocol.md

clean:
	rm -rf $(VENV) build *.egg-info baonet/core/*.so

NATIVE := $(wildcard baonet/core/native/*.[ch])

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml setup.py $(NATIVE)
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/pip install --quiet --group test
	touch $@

$(VENV)/.checked: $(VENV)/.tested
	$(BIN)/pip install --quiet --group check
	touch $@
