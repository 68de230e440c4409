# %% [markdown]
# # 4. Logs and debugging
#
# Tonight you carry the phone at Heron Mobile, the phone company that trains a churn model. It
# rings: `failure_test_pipeline` is red. This pipeline asks the billing gateway how many bills are
# open, and shows the number on a board in the office; somebody started it before going home. You
# sit down at the laptop and have two tools, a log and a handful of buttons. One of the buttons
# makes everything green. This notebook is about what to read before you press one, and what each
# of them really does.
#
# **You will learn**
#
# - to find the task that is the cause among those that only suffer from it;
# - to find the line of a log that says why, and the log of each try;
# - to read what tasks handed on to each other;
# - what "clear" does, and when it helps;
# - what "mark success" does, and why it can lie;
# - which of all this Prometheus sees.
#
# **You need** less than half an hour, and the stack, with parts 00, 01 and 04 solved:
# `make stack`, or without Docker `make stack-native`. Without a stack you read recorded
# replies; only queries of your own need a running Prometheus.
#
# ```mermaid
# flowchart LR
#     open_session --> sometimes_fails --> publish_count -.-> close_session
#     subgraph refunds
#         read_dropped_calls --> price_refunds --> report
#     end
# ```

# %%
import pandas as pd

import lab

stack = lab.connect("04_logs_and_debugging")
airflow = stack.airflow

# %% [markdown]
# ## 4.1 Let it fail
#
# The gateway is a game: `conf` says what it answers to each try. In this run it refuses our key
# at the first try. At any later one it says how many bills are open, as if somebody had renewed
# the key in the meantime.

# %%
run = airflow.trigger("failure_test_pipeline", {"gateway": ["refused", 412]})
airflow.wait(run)

# %% [markdown]
# Red. Which of the tasks was it?

# %%
airflow.tasks(run)

# %% [markdown]
# The states tell a story, if you read them in the order of the picture.
#
# - `failed`: the task ran and gave up. There is one, and it is where you look first.
# - `upstream_failed`: the task never ran, as something before it failed. `tries` says the same.
#   It suffers; it is not the cause.
# - `success` behind a failure: `close_session` is a **teardown**. It cleans up what
#   `open_session`, its **setup**, has set up, and it runs whatever happened in between.
#
# If the red one is `open_session`, somebody else is in the gateway, which takes one caller at a
# time: wait until that run is over, and run the cells of this section again.
#
# `sometimes_fails` has retries, and yet there was one try. It was told not to: it raised
# `AirflowFailException`, which means that no retry can help.
#
# ## 4.2 Find the line that says why
#
# Each try of each task has a log of its own. You find it on Airflow's page behind the task's
# square, and in the API under the number of the try.

# %%
first_log = airflow.log(run, "sometimes_fails", try_number=1)
print(first_log)

# %% [markdown]
# How to read a log that you have never seen: go to the line that says `ERROR`. What stands above
# it here only says that Airflow found the file with your DAG. The indented rows below it are the
# error, and this one has two, as one error was raised while another was being handled. The upper
# one is what Airflow was told. The lower one is how it began.
#
# In a long log you would let a line of Python do the search:

# %%
lines = first_log.splitlines()
begin = next(number for number, line in enumerate(lines) if " ERROR " in line)
print("\n".join(lines[begin:]))

# %% [markdown]
# What about the task that never ran? It has no try, so it has no log, and Airflow does not find
# one.

# %%
try:
    airflow.log(run, "publish_count")
except lab.LabProblem as problem:
    print(problem)

# %% [markdown]
# ### Your turn 4.2
#
# With which error did the trouble begin? Not what the task made of it, but what the gateway's
# client raised. The name of its class.

# %%
cause = ...
stack.check("4.2", cause)

# %% [markdown]
# ## 4.3 See what was handed on
#
# A log says what a task did. What it *returned* is an XCom, and often the faster way to a bug:
# you walk along the picture, and look where a value stops making sense.

# %%
airflow.xcoms(run)

# %% [markdown]
# There is no row for `sometimes_fails`: it returned nothing before it failed. The refunds have
# nothing to do with it. Some values are longer than the table shows. Get a single value to look
# at it whole:

# %%
calls = airflow.xcom(run, "refunds.read_dropped_calls")
print(f"{len(calls)} dropped calls; the first is")
calls[0]

# %% [markdown]
# Text where you would want numbers, for example in `minutes`. That is no bug here, the next task
# converts it. But it is the kind of thing that you see in an XCom and in no log.
#
# ## 4.4 Clear a task when the cause is gone
#
# You called the billing office, and they renewed the key. Now the work has to be done. **Clear**
# means: forget how this task ended. Airflow reopens the run, finds a task without a state in it,
# and runs it. What comes after it is cleared, too.

# %%
print("cleared:", *airflow.clear(run, "sometimes_fails"))
airflow.wait(run)

# %%
airflow.tasks(run)

# %% [markdown]
# All green. Look at `tries`. `sometimes_fails` was tried a second time, and `publish_count` for
# the first time. The refunds had succeeded and do not depend on it; they were left alone.
#
# But why did `open_session` run again? Nobody asked for it. It is the setup, and the session of
# the first try is long closed. Airflow knows from `as_teardown(setups=...)` that work between
# setup and teardown needs both, and clears both with it. An ordinary first task would have been
# left as it was, and the gateway would have been asked in a session that is no longer open.
#
# The log of the second try is a log of its own. The first one is still there.

# %%
print(airflow.log(run, "sometimes_fails", try_number=2))

# %% [markdown]
# Nothing but `INFO`, and the return value in plain words. And the board in the office:

# %%
airflow.xcom(run, "publish_count")

# %% [markdown]
# ## 4.5 Clear a task when the cause is not gone
#
# Another night. The key is refused again, and this time nobody has renewed it.

# %%
stuck = airflow.trigger("failure_test_pipeline", {"gateway": ["refused"]})
airflow.wait(stuck)

# %%
print("cleared:", *airflow.clear(stuck, "sometimes_fails"))
airflow.wait(stuck)

# %%
airflow.tasks(stuck)

# %% [markdown]
# One more try, the same end. Clearing is "try again", by hand. If nothing has changed since,
# nothing changes. So before you clear: *what is different now?*
#
# ## 4.6 Mark success, and see what follows
#
# It is three in the morning, nobody answers the phone, and there is this other button. It is
# called "Mark success". Press it, and wait for the run to end.

# %%
airflow.mark_success(stuck, "sometimes_fails")
airflow.wait(stuck)

# %%
airflow.tasks(stuck)

# %% [markdown]
# All green, and the phone is quiet. Look closer. `sometimes_fails` is a success with as many
# tries as before: it did not run. Airflow wrote another word into the database, and that is all
# it did for this task. Then it took back the `upstream_failed` of the task behind it, and ran
# that one; setup and teardown stayed as they were, as they had succeeded. With what?

# %%
handed_on = airflow.xcoms(stuck).set_index("task_id")["value"]
print("sometimes_fails returned something:", "sometimes_fails" in handed_on.index)
print("publish_count returned:", handed_on["publish_count"])

# %% [markdown]
# That sentence now hangs on a board in the office. No task is red, no new log has an error, no
# new alert fires. Before, everybody knew that the number was missing.
#
# **Mark success** writes down a state. It makes no data. It is right when the *work* was done in
# another way and Airflow cannot know: you have sent the mail yourself, the file was loaded by
# hand. It lies when somebody needs what the task returns or leaves behind. So ask who reads it.
#
# And whoever reads must be allowed to say no. A `publish_count` that refuses to show nothing
# would have failed here, loudly, and that would have been the better night.
#
# ### Your turn 4.6
#
# Suppose that a colleague had already written the right number on the board, by hand. So the work
# of one task was done, and nothing reads what that task returns. Which task would you mark as a
# success, in the state in which section 4.5 left the run? Its id.

# %%
done_by_hand = ...
stack.check("4.6", done_by_hand)

# %% [markdown]
# ## 4.7 Do the same in a terminal
#
# Older texts tell you to type `airflow tasks logs`. Airflow has no such command. Among what it
# has under `airflow tasks` are `states-for-dag-run` for the table of section 4.1, and `clear`.
# There is no command for "mark success"; that is for the page and the API.
#
# The logs are files, one per try. The first line of each log that you printed is the path of the
# file. Where it begins depends on the machine; from `dag_id=` on it is built from what you know:

# %%
path = next(line for line in lines if line.endswith(".log"))
print(*path[path.index("dag_id=") :].split("/"), sep="\n")

# %% [markdown]
# In the native stack they are in `.work/stack/airflow/logs`. So this finds every try that ended
# with this error, in all runs at once:
#
#     grep -rl AirflowFailException .work/stack/airflow/logs/dag_id=failure_test_pipeline
#
# With Docker they are in a folder that Airflow's containers share:
#
#     docker compose exec airflow-scheduler grep -rl AirflowFailException /opt/airflow/logs
#
# You will see that a file has a JSON object per line, with more in it than the page shows: the
# file and the line of Python that wrote it, and the whole traceback.
#
# A task's log is not what the *scheduler* says. If a task does not start at all, it has no log,
# and the answer is there. This follows it, in both stacks:
#
#     make stack-logs SERVICE=airflow-scheduler ARGS=--follow
#
# ## 4.8 See what Prometheus saw
#
# Did the numbers notice? Here is how the tries of this pipeline ended, counted since the exporter
# started, with a column per state. They cover every run since then, so they are larger than those
# of your two runs. `NaN` means that no try of this task ever ended that way.

# %%
stack.wait_for_scrape()
finished = stack.prometheus.query('airflow_task_finish{dag_id="failure_test_pipeline"}')
finished.pivot_table(index="task_id", columns="state", values="value")

# %% [markdown]
# Now what Airflow's table says of your two runs, side by side:

# %%
both = {"run of 4.1": run, "run of 4.5": stuck}
states = {name: airflow.tasks(r).set_index("task_id")["state"] for name, r in both.items()}
pd.DataFrame(states)

# %% [markdown]
# Airflow's table says how things *stand*: a task is a success, whatever it was an hour ago. The
# counter says what *happened*: each try that ended, until the exporter is restarted. So
#
# - clearing hides a failure in Airflow, and not in Prometheus;
# - marking changes a word in Airflow, and Prometheus hears nothing of it, as no try ended; only
#   of what then ran because of it;
# - a task that never ran has no try, and there is no count of `upstream_failed`.
#
# That is also why the mail about the failure stays true after you have made the run green. It
# reports an event.

# %%
lab.bars(
    stack.prometheus.query(
        "sum by (task_id) (increase("
        'airflow_task_finish{dag_id="failure_test_pipeline", state="failed"}[15m]))'
    ),
    "Tries that failed for good in the last quarter of an hour",
    "tries",
)

# %% [markdown]
# As ever, `increase` gives no whole numbers; [notebook 2](02_prometheus_queries.ipynb) says why.
#
# ### Your turn 4.8
#
# How many tries of `failure_test_pipeline` ended in the last ten minutes, one number for each
# state in which they ended? The tasks do not matter here.

# %%
ended = ...
stack.check("4.8", ended)

# %% [markdown]
# ## What to read next
#
# - [Part 04 of the course](../exercises/04_failures/README.md): make this pipeline fail well,
#   yourself.
# - [The page for the alert](../stack/runbooks/AirflowTaskFailed.md): what to do when its mail
#   arrives.
# - [Alerts](05_alerts.ipynb): how the mail comes about.
#
# ## What is still ugly
#
# The solved pipeline shows "None" on a board without a word of complaint, as its author never
# thought of somebody who marks things green; most pipelines are like that. A log is gone when the
# machine is, until it is sent elsewhere. And the square of a task does not show that a person
# marked it: you have to look into Airflow's audit log, or notice `tries` and the missing XCom.
