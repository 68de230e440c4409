# What those type who mark a class or change the course; a learner's copy does not have this file.
#   make class SUBMISSIONS=dir OUT=dir      mark a class; run again to go on   (SANDBOX=auto)
#   make class-compare OLD=dir NEW=dir      whose mark moved, and why
#   make release                            dist/...-learner.zip: the course without its answers
#   make test                      everything that proves the course and the grader
#   make test-sandbox              hostile submissions in bubblewrap, and what only that stops
#   make test-notebooks            the notebooks alone, on recorded replies
#   make test-stack                the native stack, live
#   make test-compose              the containers, live
#   make bench                     how long grading takes, against plain Airflow
.PHONY: class class-compare release test test-fast test-sandbox test-notebooks test-stack \
    test-compose format boards bench bench-class notebook-files notebook-recordings stubs lock

SUBMISSIONS ?=
OUT ?=
OLD ?=
NEW ?=
SANDBOX ?= auto

class: install
	@$(RUN) -m classroom mark "$(SUBMISSIONS)" "$(OUT)" $(PART) --seed $(SEED) --sandbox $(SANDBOX) $(ARGS)

class-compare: install
	@$(RUN) -m classroom compare "$(OLD)" "$(NEW)" $(ARGS)

release: install
	@$(RUN) -m classroom release $(ARGS)

test: install
	@$(RUN) -m ruff check --quiet . && $(RUN) -m ruff format --check --quiet . && $(RUN) -m mypy --no-error-summary && $(RUN) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder tests $(ARGS)

test-fast: install
	@$(RUN) -m pytest -q tests/pure tests/test_course.py $(ARGS)

test-sandbox: install
	@SANDBOX=bwrap $(RUN) -m pytest -q -n 2 tests/test_sandbox.py tests/test_hostile.py $(ARGS)

test-notebooks: install
	@$(RUN) -m pytest -q -n 2 tests/notebooks $(ARGS)

test-stack: install
	@$(RUN) -m pytest -q tests/stack/live $(ARGS)

test-compose: install
	@$(RUN) -m pytest -q tests/compose $(ARGS)

format: install
	@$(RUN) -m ruff check --quiet --fix . && $(RUN) -m ruff format --quiet .

boards: install
	@$(RUN) -m stack.grafana.build

bench: install
	@$(RUN) -m bench $(ARGS)

bench-class: install
	@$(RUN) -m bench.whole_class $(ARGS)

notebook-files: install
	@cd notebooks && ../$(RUN) -m lab build

notebook-recordings: install
	@cd notebooks && ../$(RUN) -m lab record

stubs: install
	@$(RUN) -m learner.stubs

lock: install
	@.venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --group dev --custom-compile-command "make lock" pyproject.toml -o requirements.lock
