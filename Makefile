# Every command a person types. Each target is one line that calls a module.
#   make grade                     mark exercises/
#   make grade PART=01             one part (or several: PART="00 01")
#   make grade SUBMISSION=dir      another folder, for example solutions
#   make test                      everything that proves the course and the grader
.PHONY: help grade test test-fast format lock bench install clean

PART ?=
SUBMISSION ?= exercises
SEED ?= 0
ARGS ?=
PYTHON ?= python3
RUN := .venv/bin/python

help:
	@sed -n 's/^#   //p' Makefile

install:
	@$(PYTHON) -m grader.install

grade: install
	@$(RUN) -m grader grade $(PART) --submission "$(SUBMISSION)" --seed $(SEED) $(ARGS)

test: install
	@$(RUN) -m ruff check --quiet . && $(RUN) -m ruff format --check --quiet . && $(RUN) -m mypy --no-error-summary && $(RUN) -m pytest -q -n 2 --dist loadfile tests $(ARGS)

test-fast: install
	@$(RUN) -m pytest -q tests/pure tests/test_course.py $(ARGS)

format: install
	@$(RUN) -m ruff check --quiet --fix . && $(RUN) -m ruff format --quiet .

bench: install
	@$(RUN) -m bench $(ARGS)

lock: install
	@.venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --group dev --custom-compile-command "make lock" pyproject.toml -o requirements.lock

clean:
	@rm -rf .venv .cache .work .mypy_cache .ruff_cache .pytest_cache
