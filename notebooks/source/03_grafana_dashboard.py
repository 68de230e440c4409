# %% [markdown]
# # 3. A Grafana dashboard
#
# There is a screen on the wall of the data team at Heron Mobile. It was black when you came, and
# today you found the cable. Your colleagues want three things on it: which share of the tasks
# succeeds, how long the runs take, and how much fails. You can get all three from Prometheus.
# What is left is to draw them so that somebody who walks past, with a cup in one hand, draws the
# right conclusion.
#
# That is harder than it sounds. You will build the board that everybody builds first, look at
# what it says on a day of which you know everything, and build a better one.
#
# **You will learn**
#
# - how to give Grafana a datasource, panels and a dashboard by program, and why not by mouse;
# - why the address of Prometheus depends on who asks;
# - where the three usual panels mislead, and what to draw in their place;
# - what units, legends, descriptions and `$__rate_interval` are for.
#
# **You need** not quite half an hour, and the stack, with parts 00, 01 and 04 solved:
# `make stack`, or without Docker `make stack-native`. Without a stack you read recorded
# replies; everything but your own queries works the same. Grafana itself may be missing: each
# panel is drawn here, too.
#
# ```mermaid
# flowchart LR
#     you[this notebook] -- datasource, panels --> grafana[Grafana]
#     you -- the same queries --> prometheus[Prometheus]
#     grafana -- the query of each panel --> prometheus
#     browser[the screen on the wall] -- looks at --> grafana
# ```

# %%
import json

import lab

stack = lab.connect("03_grafana_dashboard")
ask = stack.prometheus.query

# %% [markdown]
# ## 3.1 Make a day to look at
#
# A board is only as good as the day on which you test it. So make one whose truth you know: one
# greeting, one training that succeeds, and two fire drills that fail. In the first drill the
# billing gateway refuses our key. In the second it answers, but the board in the billing office
# is off, and the task that wants to show the number fails. One after the other, because two
# drills at a time would fight over one session.

# %%
wanted = [
    ("hello_airflow", {"name": "Ada"}),
    ("ml_training_pipeline", {}),
    ("failure_test_pipeline", {"gateway": ["refused"]}),
    ("failure_test_pipeline", {"gateway": [412], "board": "off"}),
]
COUNTED = "sum(airflow_dagrun_duration_seconds_count)"
before = ask(COUNTED)["value"].sum()
runs = []
for dag_id, conf in wanted:
    runs.append(stack.airflow.trigger(dag_id, conf))
    print(dag_id, stack.airflow.wait(runs[-1]))

# %%
for drill in runs[2:]:
    tasks = stack.airflow.tasks(drill)
    print("failed:", ", ".join(tasks.loc[tasks["state"] == "failed", "task_id"]))

# %% [markdown]
# That is the truth about these two: each drill has one task that failed for good. If you ran
# other drills in the last quarter of an hour, for example in notebook 2, they are counted below
# as well: Prometheus does not know which runs are yours. Now wait until Prometheus knows: until
# it has counted all four runs, and has worked out a mean from them.

# %%
stack.wait_until(
    "all four runs have arrived",
    lambda: ask(COUNTED)["value"].sum(),
    lambda counted: counted >= before + len(runs) or not stack.live,
)
told = stack.wait_for_data('airflow_dagrun_duration_seconds{state="failed"}')

# %% [markdown]
# ## 3.2 Tell Grafana where Prometheus is
#
# A **datasource** is an address with a name. With a mouse you would open *Connections*, *Data
# sources*, *Add*, choose Prometheus, type the address, and press *Save & test*. A program does
# the same with a few requests, and can do it again tomorrow, on another machine, without you.
#
# Which address? Not the one in your browser: it is Grafana that asks, so it has to be an address
# that *Grafana* can reach. In Docker each service is a machine of its own, and `localhost` inside
# Grafana's container is that container, where no Prometheus listens; there, Prometheus goes by
# the name of its service. In the native stack all programs share one machine, and the name of the
# service means nothing. So the next cell offers both, and lets Grafana say which one it can
# reach. (The stack brings a datasource `Prometheus` along. Yours is a second one, to see how it
# is done.)

# %%
SOURCE = "heron-prometheus"
for address in ("http://prometheus:9090", "http://localhost:9090"):
    datasource = lab.prometheus_datasource(SOURCE, address)
    print(address)
    print("   ", stack.grafana.save_datasource(datasource))
    said = stack.grafana.test_datasource(SOURCE)
    print("   ", said)
    if said.startswith("OK"):
        break

# %% [markdown]
# If there is no Grafana, the lines say so, and what would have been sent. With the address that
# was tried last, this is it:

# %%
print(json.dumps(datasource, indent=4))

# %% [markdown]
# `proxy` means that your browser asks Grafana, and Grafana asks Prometheus. `timeInterval` is how
# often there is something new, the scrape interval; a later section needs it.
#
# ## 3.3 Build the three usual panels
#
# A panel is a query with a title, a description, a unit and a legend. The legend is a template:
# `{{dag_id}}` becomes the label of that name. These are the three panels with which everybody
# begins.

# %%
first = [
    lab.timeseries(
        "Task Success Rate",
        "Successful tries as a share of the tries that began.",
        "rate(airflow_task_success[5m]) / rate(airflow_task_start[5m])",
        unit="short",
        legend="{{dag_id}} {{task_id}}",
    ),
    lab.timeseries(
        "DAG Run Duration",
        "How long a run takes in the mean.",
        "avg(airflow_dagrun_duration_seconds) by (dag_id)",
        unit="short",
        legend="{{dag_id}}",
    ),
    lab.timeseries(
        "Task Failures",
        "Failing tries per second.",
        "sum(rate(airflow_task_failed[5m])) by (dag_id)",
        unit="short",
        legend="{{dag_id}}",
    ),
]
print(stack.grafana.save_dashboard(lab.dashboard("heron-first", "Heron: first try", first, SOURCE)))
print(json.dumps(first[0], indent=2))

# %% [markdown]
# Grafana draws them on its page. To draw them here, take the query out of the panel, put
# something in place of Grafana's variables, which come later, and ask Prometheus.

# %%
MINUTES = 15
AXES = {"short": "", "s": "seconds", "percentunit": "share, 1 is all", "cpm": "per minute"}


def see(panel):
    """Draw a panel as Grafana would, with the time shown set to MINUTES."""
    promql = lab.filled_in(panel["targets"][0]["expr"], MINUTES)
    unit = AXES[panel["fieldConfig"]["defaults"]["unit"]]
    if panel["type"] == "bargauge":
        lab.bars(ask(promql), panel["title"], unit or "number")
    else:
        frame = stack.prometheus.query_range(promql, minutes=MINUTES)
        lab.plot(frame, panel["title"], unit or "a number without a unit")


for panel in first:
    see(panel)

# %% [markdown]
# Look at them as somebody with a cup in one hand. The first has a line per task, and nearly all
# lie on top of one another. The second has numbers, and you have to guess of what. The third says
# that something tiny happened.
#
# The unit is the cheapest repair. Grafana has a list of them, and each turns the same number into
# other words:
#
# | Unit | what it is for | turns a `1` into |
# |---|---|---|
# | `short` | a number, shortened if it is large | `1` |
# | `s` | seconds | `1 s` |
# | `ms` | milliseconds | `1 ms` |
# | `cps` | events per second | `1 c/s` |
# | `percent` | a percentage, all is `100` | `1%` |
# | `percentunit` | a share, all is `1.0` | `100%` |
#
# ### Your turn 3.3
#
# A query such as the first one gives `1` when all tries succeeded, and the wall should then read
# `100%`. Which unit does the panel need? The word in the first column.

# %%
unit = ...
stack.check("3.3", unit)

# %% [markdown]
# ## 3.4 Repair the success rate
#
# Look at the greeting alone, over a short window in which nothing of it ran:

# %%
GREET = 'dag_id="hello_airflow"'
idle = f"rate(airflow_task_start{{{GREET}}}[45s])"
stack.wait_until(
    "no greeting began for a while",
    lambda: ask(idle)["value"],
    lambda values: len(values) and not values.any(),
)
ask(f"rate(airflow_task_success{{{GREET}}}[45s]) / {idle}")

# %% [markdown]
# `NaN`, not a number: nothing succeeded out of nothing. On a board the line stops, as if the data
# were lost. Worse, sums and means that touch `NaN` become it: a mean over all tasks is gone as
# soon as one of them rests. And `NaN` is neither above nor below anything, so an alert on `< 0.9`
# is silent.
#
# A ratio per task has another weakness: it is made of very few tries, so it jumps. It even jumps
# above one: if a scrape falls between the start of a try and its end, the two counters are
# stretched in different ways. So sum first, then divide. A DAG rests less often than a task, and
# the longer the window, the less often it rests. Here are the two forms over the time that is
# shown:

# %%
single = ask("rate(airflow_task_success[15m]) / rate(airflow_task_start[15m])")
summed = ask(
    "sum by (dag_id) (rate(airflow_task_success[15m]))"
    " / sum by (dag_id) (rate(airflow_task_start[15m]))"
)
print(f"one ratio per task: {len(single)} rows; summed first: {len(summed)} rows")
summed

# %% [markdown]
# Compare a ratio of sums with a mean of ratios for the drill. The second gives a task that ran
# once the same weight as one that ran a hundred times. And a task that never succeeded may have
# no ratio at all: its counter of successes was never born, and the division finds no partner.

# %%
DRILL = 'dag_id="failure_test_pipeline"'
ratios = single.loc[single["dag_id"] == "failure_test_pipeline", "value"]
began = ask(f"airflow_task_start{{{DRILL}}}")
print(f"ratio of the sums:  {summed.set_index('dag_id')['value']['failure_test_pipeline']:.3f}")
print(f"mean of the ratios: {ratios.mean():.3f}, from {ratios.count()} of {len(began)} tasks")

# %% [markdown]
# One thing is still odd: the query divides tries that *ended* well by tries that *began*. A task
# that runs for an hour counts as bad for an hour, and then lifts the line above one. It is
# cleaner to stay with ends. `airflow_task_finish` counts each try that ended, with the end in the
# label `state`.
#
# ### Your turn 3.4
#
# Of the tries that ended in the last ten minutes, which share was a success? One number per DAG,
# between 0 and 1. Count as an end the states `success`, `failed` and `up_for_retry`; the others
# are pauses and skips. `state=~"success|failed"`, with a tilde, chooses either of two states. The
# answer is the query, as a text in quotes.

# %%
success_ratio = ...
stack.check("3.4", success_ratio)

# %% [markdown]
# ## 3.5 Repair the duration
#
# `airflow_dagrun_duration_seconds` is a mean already: of all runs since the exporter started, for
# each end and each kind of run. The panel takes the mean of these means. That is wrong twice
# over. A single failed run weighs as much as a hundred successful ones. And a mean of all time
# hardly moves: after some hundred runs, one that takes ten times as long as usual is a step of a
# hair's breadth.

# %%
ask("airflow_dagrun_duration_seconds")

# %%
of_means = ask("avg(airflow_dagrun_duration_seconds) by (dag_id)")
of_runs = ask(
    "sum by (dag_id) (airflow_dagrun_duration_seconds_sum)"
    " / sum by (dag_id) (airflow_dagrun_duration_seconds_count)"
)
of_means.merge(of_runs, on="dag_id", suffixes=(" as mean of means", " as mean of runs"))

# %% [markdown]
# Where a DAG has one row in the first table, both columns agree. Otherwise only the second is the
# mean of anything.
#
# The repair is in the three series that a histogram has: `_sum` is all seconds together, `_count`
# is how many runs they belong to, `_bucket` says how many were that fast or faster. How much the
# sum grew, divided by how much the count grew, is the mean of the runs *in the window*. And the
# buckets give the time that only one of twenty runs exceeds: the bad day that your colleagues
# remember. Successes and failures do not belong in one number: a drill that fails at once would
# look like a fast one.

# %%
duration = lab.timeseries(
    "Run duration, 95 of 100 (success)",
    "Of the successful runs in the time shown, 95 of 100 took this long or less. "
    "Far above its usual value: look at the slowest task of the newest run.",
    "histogram_quantile(0.95, sum by (dag_id, le) (increase("
    'airflow_dagrun_duration_seconds_bucket{state="success"}[$__range])))',
    unit="s",
    legend="{{dag_id}}",
)
see(duration)

# %% [markdown]
# `$__range` is a variable of Grafana: the time that is shown, as the reader chose it at the top
# of the page. For something as rare as a run, look back that far.
#
# But how far do you trust it? Prometheus knows in which bucket the value lies, and no more.
# Compare it with the slowest of the newest runs that Airflow itself remembers:

# %%
promql = lab.filled_in(duration["targets"][0]["expr"], MINUTES)
now = ask(promql).set_index("dag_id")["value"]["ml_training_pipeline"]
slowest = stack.airflow.runs("ml_training_pipeline")["seconds"].max()
print(f"the slowest run took {slowest:.1f} s; the quantile says {now:.1f} s")

# %% [markdown]
# With a handful of runs, what you see is the limits of the buckets. A quantile is for many runs.
# For a few, the mean of the window is the better line: a sum and a count have no buckets.
#
# ### Your turn 3.5
#
# How long did a successful run take on average, for the runs of the last ten minutes? One number
# per DAG, in seconds.

# %%
mean_duration = ...
stack.check("3.5", mean_duration)

# %% [markdown]
# ## 3.6 Repair the failures
#
# Look at the third panel again. A try that fails now and then is a tiny number per second, and
# nobody multiplies in their head. Then, what does it count? Here is what both counters say about
# the drills.

# %%
tries = ask(f"sum by (task_id) (increase(airflow_task_failed{{{DRILL}}}[15m]))")
final = ask(f'sum by (task_id) (increase(airflow_task_finish{{{DRILL}, state="failed"}}[15m]))')
tries.merge(final, on="task_id", how="outer", suffixes=(" as failing tries", " as failed for good"))

# %% [markdown]
# `NaN` means that there is no such series. So the two differ, and there is more to it than this
# table shows.
#
# `airflow_task_failed` counts *tries*. A gateway that is busy, asked again a minute later, and
# answers then, has cost you nothing, and is counted. In `airflow_task_finish` that try has the
# state `up_for_retry`, and only a failure for good has the state `failed`.
#
# And `airflow_task_failed` *misses* a failure. `sometimes_fails` saw that the key was refused,
# and gave up by raising `AirflowFailException`, which says that another try is pointless. Airflow
# takes a short cut then, and does not pass the line in which it counts. Of all failures, those
# that are most certainly worth a look are not on the usual panel. Nor are they in
# `airflow_operator_failures`.
#
# So count what failed for good, over the time that is shown, and draw a bar. A bar is right where
# the reader asks "how many", a line where they ask "since when". The second half of the query
# gives a zero to each DAG that ran and did not fail: an empty board and a good one should not
# look the same.

# %%
failures = lab.bargauge(
    "Tasks that failed for good",
    "Tasks that failed in the time shown and will not be tried again. Each one waits for a person.",
    'sum by (dag_id) (increase(airflow_task_finish{state="failed"}[$__range]))'
    " or 0 * sum by (dag_id) (increase(airflow_task_start[$__range]))",
    unit="short",
    legend="{{dag_id}}",
)
see(failures)

# %% [markdown]
# The bars need not be whole numbers, because `increase` stretches what it saw to the full window;
# Grafana rounds them.
#
# ## 3.7 Choose the window
#
# For what streams, the heartbeat of the scheduler for example, a long window only hides when it
# stopped. There you want the shortest window that works. It needs some scrapes, so it depends on
# the scrape interval; and on a page that shows a month, each pixel covers hours, and the window
# should not leave gaps between pixels. Grafana works out both. `$__rate_interval` is four
# scrapes, or more if the page shows a long time. Here that is:

# %%
scrape = int(datasource["jsonData"]["timeInterval"].removesuffix("s"))
print(
    f"4 scrapes of {scrape} s are {4 * scrape} s, so $__rate_interval is {4 * scrape // 60} minute"
)

# %%
alive = lab.timeseries(
    "Scheduler heartbeat",
    "How often a minute the scheduler says that it lives. Nothing starts while this is 0.",
    "60 * sum(rate(airflow_scheduler_heartbeat[$__rate_interval]))",
    unit="cpm",
    legend="beats",
)
see(alive)

# %% [markdown]
# Two rules of thumb. A stream: `rate` and `$__rate_interval`. Things that one counts on fingers:
# `increase` and `$__range`, or a fixed window that is longer than the time between two of them.
# With `$__rate_interval` on a nightly run you see nothing for a day, a bump for a minute, and
# nothing again.
#
# ## 3.8 Hang up the better board
#
# The success ratio is still missing. It stays with ends, sums before it divides, and looks back a
# quarter of an hour at each moment, so that it can be seen to fall and to recover.

# %%
success = lab.timeseries(
    "Tries that succeeded",
    "Of the tries that ended in the last 15 minutes, the share that succeeded. "
    "Below 100 %: look at the bars for which DAG needs a person.",
    'sum by (dag_id) (rate(airflow_task_finish{state="success"}[15m]))'
    ' / sum by (dag_id) (rate(airflow_task_finish{state=~"success|failed|up_for_retry"}[15m]))',
    unit="percentunit",
    legend="{{dag_id}}",
)
see(success)

# %% [markdown]
# The order is that of the questions: is it alive, does it succeed, what waits for a person, how
# long does it take. A description is what somebody reads who has never seen the board, at night:
# what is good, and where to look if it is not.

# %%
better = lab.dashboard("heron", "Heron Mobile", [alive, success, failures, duration], SOURCE)
print(stack.grafana.save_dashboard(better))
for panel in better["panels"]:
    print(panel["gridPos"], panel["title"])

# %% [markdown]
# Run that cell twice, and there is still one board: it is found by its `uid`. That is the reason
# to build boards by program. They can be read, compared and reviewed, and they come back after
# somebody dragged a panel into the void.
#
# The stack does the same at a larger scale. It brings two boards along, and Grafana reads them
# from files when it starts, which is called *provisioning*: [Airflow
# overview](../stack/grafana/boards/overview.py), whose four rows are the four questions in the
# order in which one asks them, and [DAG](../stack/grafana/boards/dag.py), for which you choose a
# DAG at the top. The files are built from these two modules; nobody edits the JSON, and on the
# page nobody can. The three usual panels are on the overview as well, to the letter, next to
# better ones.
#
# ## What is still ugly
#
# The addresses under `/api` to which this notebook sends are the old ones. Grafana 13 calls them
# deprecated in favour of `/apis`; they still work, and a later major release will remove them.
#
# Boards forget like everything here: when the exporter restarts, the counters begin at zero, and
# what happened while it was away is in no panel. Tasks that never started because one before them
# failed, `upstream_failed`, end without a try and are counted nowhere. Nor is a task whose
# process was killed among those that failed for good: it could not say so any more. The success
# ratio has no row for a DAG of which nothing ever succeeded, because a sum over no series is
# nothing and not zero. And nobody looks at a wall at night. For that there are alerts.
#
# ## What to read next
#
# - [2. Prometheus queries](02_prometheus_queries.ipynb): the language of all this, one word at a
#   time.
# - [4. Logs and debugging](04_logs_and_debugging.ipynb): a bar says how many. Now find out why.
# - [5. Alerts](05_alerts.ipynb): for when nobody looks.
# - [The stack](../stack/README.md): what else is on its boards.
