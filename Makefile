# Every command a person types. Each target is one line that calls a module.
#   make grade                     mark exercises/
#   make grade PART=01             one part (or several: PART="00 01")
#   make grade SUBMISSION=dir      another folder than exercises
#   make watch PART=01             grade a part again each time you save it
#   make progress                  what is done, what is left, and how long that takes
#   make hint PART=01              the next hint for the first section that does not pass
#   make show PART=01              your DAG as Airflow sees it, beside the picture of the lesson
#   make solution PART=01          once it passes: your file beside the solution
#   make reset PART=01             begin a part again; your file is kept beside it
#   make quickcheck                whether this machine can run the course at all
#   make stack                     the monitored Airflow, in Docker      (DAGS=dir shows others than yours)
#   make stack-native              the same without Docker
#   make stack-status              which service is healthy
#   make stack-logs                what they print                     (SERVICE=airflow-scheduler)
#   make stack-down                stop it; data stays
#   make stack-clean               stop it and forget all data
#   make doctor                    what on this machine keeps the stack from running
#   make notebooks                 open the walkthroughs in JupyterLab
.PHONY: help install grade watch progress hint show solution reset quickcheck clean doctor \
    stack stack-native stack-down stack-clean stack-status stack-logs stack-stop stack-start \
    stack-binaries notebooks

PART ?=
TASK ?=
SUBMISSION ?= exercises
SEED ?= 0
ARGS ?=
SERVICE ?=
DATABASE ?=
export DAGS
PYTHON ?= python3
RUN := .venv/bin/python

help:
	@sed -n 's/^#   //p' $(MAKEFILE_LIST)

install:
	@$(PYTHON) -m grader.install

grade: install
	@$(RUN) -m grader grade $(PART) --submission "$(SUBMISSION)" --seed $(SEED) $(ARGS)

watch: install
	@$(RUN) -m learner watch $(PART) $(ARGS)

progress: install
	@$(RUN) -m learner progress $(ARGS)

hint: install
	@$(RUN) -m learner hint $(PART) $(if $(TASK),--task $(TASK)) $(ARGS)

show: install
	@$(RUN) -m learner show $(PART) $(ARGS)

solution: install
	@$(RUN) -m learner solution $(PART) $(ARGS)

reset: install
	@$(RUN) -m learner reset $(PART) $(ARGS)

quickcheck: install
	@$(RUN) -m learner quickcheck $(ARGS)

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

notebooks: install
	@cd notebooks && ../$(RUN) -m lab open

clean:
	@rm -rf .venv .cache .work .mypy_cache .ruff_cache .pytest_cache

-include instructors.mk
