# %% [markdown]
# # 1. A tour of the stack
#
# It is your first day on the data team of Heron Mobile, a phone company that wants to know which
# customers will leave. Each night a pipeline trains a model that says so. You get a laptop, a
# login and the sentence "it is all in the monitoring". Before you trust any of it, you want to
# see where things are, and follow one number all the way.
#
# **You will learn**
#
# - which programs there are, and who talks to whom;
# - how to start a run, watch it, and see what its tasks handed on;
# - how a run in Airflow becomes a number in Prometheus, and when the two agree;
# - what a counter, a gauge and a histogram look like.
#
# **You need** about twenty minutes, and the stack, with parts 00, 01 and 04 solved:
# `make stack`, or without Docker `make stack-native`. Without a stack you read recorded
# replies; only queries of your own need a running Prometheus.
#
# ```mermaid
# flowchart LR
#     subgraph airflow [Airflow]
#         scheduler[scheduler: what runs when, and runs it]
#         processor[dag-processor: reads the DAG files]
#         triggerer[triggerer: waits for many things at once]
#         api[api-server: web page and REST API]
#     end
#     airflow -- one line per event --> exporter[StatsD exporter: adds up]
#     exporter -- all sums, every 15 s --> prometheus[Prometheus: keeps them, with the time]
#     prometheus -- queries --> grafana[Grafana: graphs]
#     prometheus -- alerts --> alertmanager[Alertmanager: who hears of it]
#     alertmanager -- mail --> inbox[Inbox]
#     you[You, in this notebook] -.-> api
#     you -.-> prometheus
#     you -.-> inbox
# ```

# %%
import lab

stack = lab.connect("01_tour_of_the_stack")
ask = stack.prometheus.query

# %% [markdown]
# ## 1.1 Ask whether everybody is well
#
# Airflow reports its own health. Three of its four processes write down every few seconds that
# they are alive, and this table says when each last did.

# %%
stack.airflow.health()

# %% [markdown]
# `last_heard` is what counts: a process that died has no way to say so. It only falls silent.
#
# ### Your turn 1.1
#
# Airflow has four processes: the scheduler, the dag-processor, the triggerer and the api-server.
# Which one does the table leave out? Write its name as it stands here. Then think about why
# nobody misses it there.

# %%
process = ...
stack.check("1.1", process)

# %% [markdown]
# ## 1.2 Look around among the DAGs
#
# A DAG is a pipeline: tasks, and what comes after what. `schedule` says when Airflow starts a
# run, in the language of cron: minute, hour, day of the month, month, day of the week. A DAG that
# is paused starts nothing, whatever its schedule says. All DAGs of this stack begin like that,
# and `stack.airflow.trigger` below unpauses the one that it starts.

# %%
stack.airflow.dags()

# %% [markdown]
# Find `ml_training_pipeline`. Its schedule has a minute and an hour, and stars for the rest: once
# a night, in UTC.
#
# ## 1.3 Start a run
#
# Nobody wants to wait for the night. The next cell starts a run by hand, as the play button on
# Airflow's page does, and looks in until some of its tasks are done and others have yet to begin.

# %%
training = stack.airflow.trigger("ml_training_pipeline")
stack.wait_until(
    "the run is halfway",
    lambda: stack.airflow.tasks(training),
    lambda tasks: "success" in set(tasks["state"]),
)

# %% [markdown]
# `none` means that the scheduler has not looked at the task yet. Before it ends, a task is
# `scheduled` (its turn has come), `queued` (a place to run is kept for it) and `running`. Now
# wait for the end.

# %%
stack.airflow.wait(training)

# %%
stack.airflow.tasks(training)

# %% [markdown]
# `tries` tells how often each task was begun. `seconds` is how long its last try took, and a good
# part of that is Airflow's own work: a process for the task, and a look at the DAG file.
#
# The second run greets a person. What you give it when you start it is its `conf`.

# %%
hello = stack.airflow.trigger("hello_airflow", {"name": "Ada"})
stack.airflow.wait(hello)

# %% [markdown]
# What did its tasks hand on? Tasks run in processes of their own and share no variables. A task's
# return value goes into Airflow's database, and the next task fetches it there. Such a value is
# an **XCom**.

# %%
stack.airflow.xcoms(hello)

# %% [markdown]
# ## 1.4 See who is asked for numbers
#
# Now to the other half of the picture. Prometheus fetches. It has a list of targets, and asks
# each of them for all its numbers at a fixed interval; that is a **scrape**. After each it notes
# a number of its own: `up` is one if the scrape worked, and zero if it did not.

# %%
stack.prometheus.query("up")

# %% [markdown]
# Three targets: the exporter, for Airflow, under the name `airflow`; Prometheus itself; and the
# Alertmanager. Note who is *not* there. Airflow is never asked. It throws lines at the exporter
# and does not look whether anybody catches them. So `up` says that the exporter is alive, and
# nothing about Airflow.
#
# ## 1.5 Follow one number
#
# We take the length of a run. First, all lengths of runs of `hello_airflow` that Prometheus
# knows, added up. There are two counters: `_sum` has the seconds, `_count` the runs.

# %%
stack.wait_for_scrape()
greetings = '{dag_id="hello_airflow", run_type="manual", state="success"}'
seconds_before = ask(f"airflow_dagrun_duration_seconds_sum{greetings}")["value"].sum()
runs_before = ask(f"airflow_dagrun_duration_seconds_count{greetings}")["value"].sum()
print(f"{runs_before:.0f} runs, {seconds_before:.3f} seconds in all")

# %% [markdown]
# Now one more run, and what Airflow's database says of it:

# %%
followed = stack.airflow.trigger("hello_airflow", {"name": "Grace"})
stack.airflow.wait(followed)
runs = stack.airflow.runs("hello_airflow").set_index("run_id")
airflow_says = runs.loc[followed.run_id, "seconds"]
print(f"Airflow says that the run took {airflow_says:.3f} seconds")

# %% [markdown]
# And by how much the two counters have grown. Prometheus knows of the run once it has scraped, so
# that has to be waited for.

# %%
stack.wait_for_scrape()
seconds_after = ask(f"airflow_dagrun_duration_seconds_sum{greetings}")["value"].sum()
runs_after = ask(f"airflow_dagrun_duration_seconds_count{greetings}")["value"].sum()
print(f"Prometheus says: {runs_after - runs_before:.0f} more run,", end=" ")
print(f"{seconds_after - seconds_before:.3f} more seconds")

# %% [markdown]
# The same number, and this is why. When the scheduler sees that a run is over, it takes the end
# minus the beginning. It writes both into the database, where the REST API finds them, and sends
# the difference to the exporter, in milliseconds. The exporter turns them into seconds, adds them
# to `_sum`, and adds one to `_count`. Nobody measures twice.
#
# They are not the same for ever, though. The database knows each run by its name. The exporter
# knows sums, has forgotten which run was which, and begins at nothing when it is restarted. For
# "how long did *that* run take" ask Airflow; for "do runs take longer than last week" ask
# Prometheus.
#
# And the mean? It is one counter divided by the other. A rule of this stack does that at fixed
# intervals and gives the result the short name. We wait for one more scrape, so that the rule has
# had its turn.

# %%
stack.wait_for_scrape()
ask("airflow_dagrun_duration_seconds")

# %%
mean = ask(f"airflow_dagrun_duration_seconds{greetings}")["value"].iloc[0]
print(f"sum by count is {seconds_after / runs_after:.3f} seconds, the rule says {mean:.3f}")

# %% [markdown]
# What stands in braces behind a name are **labels**; in the table they are the columns. They tell
# apart what shares a name: here the DAG, who started the run, and how it ended. Each combination
# is a **series** of its own.
#
# ## 1.6 Find out which metrics there are
#
# Prometheus remembers for each metric of what type it is. These are all that Airflow has sent so
# far, so the longer it runs and the more happens, the longer the list.

# %%
types = {name: told[0]["type"] for name, told in stack.prometheus.get("/metadata").items()}
from_airflow = {name: kind for name, kind in types.items() if name.startswith("airflow_")}
for kind in sorted(set(from_airflow.values())):
    names = sorted(name for name in from_airflow if from_airflow[name] == kind)
    print(f"{len(names)} x {kind}: {', '.join(names[:4])} ...")

# %% [markdown]
# Do not learn them by heart. Those on which this course builds stand in [the metric
# contract](../stack/metrics.toml), each with its labels, its unit, who sends it and when. One of
# each type is enough to know them all.
#
# A **counter** counts events and never falls, except to nothing when its keeper restarts. Here:
# how often the scheduler's heart has beaten.

# %%
ask("airflow_scheduler_heartbeat")

# %% [markdown]
# A **gauge** is what you would read off a dial: it goes up and down, and its newest value is the
# one that you want. Here: how many seconds it took to read all DAG files.

# %%
lab.plot(
    stack.prometheus.compare(
        {"all DAG files": "airflow_dag_processing_total_parse_time"}, minutes=10
    ),
    "How long it took to read all DAG files",
    "seconds",
)

# %% [markdown]
# A **histogram** sorts values by size. It is a counter per limit: how many runs took `le` seconds
# or less? With it you can say that nearly all runs are fast and one is very slow. A mean cannot.

# %%
buckets = ask(f"airflow_dagrun_duration_seconds_bucket{greetings}")
buckets["le"] = buckets["le"].astype(float)
buckets[["le", "value"]].sort_values("le").reset_index(drop=True)

# %% [markdown]
# Each row contains the rows above it, so the numbers never fall, and the last row counts all
# runs.
#
# ### Your turn 1.6
#
# Your first query. The dag-processor reads each DAG file again and again, and the gauge
# `airflow_dag_processing_last_run_seconds_ago` says how many seconds ago it did that, per file.
# Its label `file_name` is the name of the file without `.py`. Ask for the file
# `ml_training_pipeline` alone. What chooses stands in braces behind the name, as in
# `airflow_task_start{dag_id="hello_airflow"}`. Your answer is the query itself, as a text in
# quotes; it should give one series, in seconds.

# %%
file_read = ...
stack.check("1.6", file_read)

# %% [markdown]
# ## 1.7 Watch the hearts beat
#
# How do you see that a process died, if it cannot say so? You count its heartbeats. The counter
# itself only climbs; what matters is how much it grew in the last minute, and that is what
# `increase` and the window `[1m]` ask for.

# %%
lab.plot(
    stack.prometheus.compare(
        {
            "scheduler": "increase(airflow_scheduler_heartbeat[1m])",
            "dag-processor": "increase(airflow_dag_processor_heartbeat[1m])",
            "triggerer": "increase(airflow_triggerer_heartbeat[1m])",
        },
        minutes=10,
    ),
    "Heartbeats of Airflow's processes within a minute",
    "beats per minute",
)

# %% [markdown]
# Three lines, well above the ground, except where Airflow was just starting. They lie close
# together, or dip a little now and then, because a beat falls on the other side of a scrape, and
# nothing follows from that. If one falls to zero, somebody has to get up. Where a line begins
# only now, Airflow or the exporter was started then.
#
# ### Your turn 1.7
#
# `rate` asks for the same growth, per second. How many beats per second did the triggerer have
# over the last five minutes? Write the query, as a text in quotes.

# %%
triggerer_beats = ...
stack.check("1.7", triggerer_beats)

# %% [markdown]
# ## 1.8 Open the inbox
#
# The end of the chain. Prometheus looks at rules, and where one is true it tells the
# Alertmanager, which decides who hears of it. Here everything goes to an inbox on your own
# machine.

# %%
stack.inbox.mails()

# %% [markdown]
# If the stack is fresh, the table has few rows, or none. That is good news only if mails arrive
# at all. So one alert, `Watchdog`, is always on, and its mail comes once a day. An inbox without
# it is not quiet but broken. Here are all alerts that are on now:

# %%
ask("ALERTS")

# %% [markdown]
# ## What to read next
#
# - [Prometheus queries](02_prometheus_queries.ipynb): how to ask, and how not to be fooled.
# - [Logs and debugging](04_logs_and_debugging.ipynb): when a task is red.
# - [The stack](../stack/README.md): its addresses, its commands, and why it is built like this.
# - [Part 01 of the course](../exercises/01_ml_training/README.md): build `ml_training_pipeline`
#   yourself.
#
# ## What is still ugly
#
# Airflow throws its lines by UDP, and one that gets lost is lost for good: then the two numbers
# of section 1.5 differ, and nothing tells you. The comparison there also assumes that you are
# alone: if somebody else starts `hello_airflow` in the same half minute, Prometheus counts that
# run, too. And a heartbeat says that a process is alive, not that it does its work.
