# Every command a person types. Each target is one line that calls a module.
#   make grade                     mark exercises/
#   make grade PART=01             one part (or several: PART="00 01")
#   make grade SUBMISSION=dir      another folder, for example solutions
#   make stack                     the monitored Airflow, in Docker      (DAGS=solutions shows these)
#   make stack-native              the same without Docker
#   make stack-status              which service is healthy
#   make stack-logs                what they print                     (SERVICE=airflow-scheduler)
#   make stack-down                stop it; data stays
#   make stack-clean               stop it and forget all data
#   make doctor                    what on this machine keeps the stack from running
#   make notebooks                 open the walkthroughs in JupyterLab
#   make test                      everything that proves the course and the grader
#   make test-sandbox              hostile submissions in bubblewrap, and what only that stops
#   make test-notebooks            the notebooks alone, on recorded replies
#   make test-stack                the native stack, live
#   make test-compose              the containers, live
.PHONY: help grade test test-fast test-sandbox test-stack test-compose format lock bench install clean doctor \
    stack stack-native stack-down stack-clean stack-status stack-logs stack-stop stack-start \
    stack-binaries boards notebooks notebook-files notebook-recordings test-notebooks

PART ?=
SUBMISSION ?= exercises
SEED ?= 0
ARGS ?=
SERVICE ?=
DATABASE ?=
export DAGS
PYTHON ?= python3
RUN := .venv/bin/python

help:
	@sed -n 's/^#   //p' Makefile

install:
	@$(PYTHON) -m grader.install

grade: install
	@$(RUN) -m grader grade $(PART) --submission "$(SUBMISSION)" --seed $(SEED) $(ARGS)

test: install
	@$(RUN) -m ruff check --quiet . && $(RUN) -m ruff format --check --quiet . && $(RUN) -m mypy --no-error-summary && $(RUN) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder tests $(ARGS)

test-fast: install
	@$(RUN) -m pytest -q tests/pure tests/test_course.py $(ARGS)

format: install
	@$(RUN) -m ruff check --quiet --fix . && $(RUN) -m ruff format --quiet .

test-sandbox: install
	@SANDBOX=bwrap $(RUN) -m pytest -q -n 2 tests/test_sandbox.py tests/test_hostile.py $(ARGS)

test-notebooks: install
	@$(RUN) -m pytest -q -n 2 tests/notebooks $(ARGS)

test-stack: install
	@$(RUN) -m pytest -q tests/stack/live $(ARGS)

test-compose: install
	@$(RUN) -m pytest -q tests/compose $(ARGS)

stack: install
	@$(RUN) -m stack up

stack-native: install
	@$(RUN) -m stack up --native --database "$(DATABASE)"

stack-down: install
	@$(RUN) -m stack down

stack-clean: install
	@$(RUN) -m stack clean $(ARGS)

stack-status: install
	@$(RUN) -m stack status

stack-logs: install
	@$(RUN) -m stack logs $(if $(SERVICE),--service $(SERVICE)) $(ARGS)

stack-stop: install
	@$(RUN) -m stack stop-service $(SERVICE)

stack-start: install
	@$(RUN) -m stack start-service $(SERVICE)

stack-binaries: install
	@$(RUN) -m stack binaries

doctor: install
	@$(RUN) -m stack doctor

boards: install
	@$(RUN) -m stack.grafana.build

bench: install
	@$(RUN) -m bench $(ARGS)

notebooks: install
	@cd notebooks && ../$(RUN) -m lab open

notebook-files: install
	@cd notebooks && ../$(RUN) -m lab build

notebook-recordings: install
	@cd notebooks && ../$(RUN) -m lab record

lock: install
	@.venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --group dev --custom-compile-command "make lock" pyproject.toml -o requirements.lock

clean:
	@rm -rf .venv .cache .work .mypy_cache .ruff_cache .pytest_cache
