# %% [markdown]
# # 2. Prometheus queries
#
# It is your second week at Heron Mobile. Airflow has been sending numbers to Prometheus all
# along, and today somebody asks you for one of them: "how often did it fail yesterday?" You open
# Prometheus, type the name of a metric that sounds right, and get a number. It is the wrong one.
# This notebook is about the difference between *a* number and *the* number.
#
# **You will learn**
#
# - what a counter, a gauge and a histogram are good for, and what they look like raw;
# - when to ask for `rate` and when for `increase`;
# - how to sum, and what `by` keeps;
# - how to ask for a quantile, and how far to trust it;
# - why nothing is not zero, and why the first failure of a task is so easily missed.
#
# **You need** half an hour, and the stack, with parts 00, 01 and 04 solved: `make stack`, or
# without Docker `make stack-native`. Without a stack you read recorded replies; only queries of
# your own need a running Prometheus.
#
# ```mermaid
# flowchart LR
#     airflow[Airflow] -- one line per event --> exporter[StatsD exporter: adds up]
#     exporter -- all sums, at each scrape --> prometheus[Prometheus: keeps every scrape]
#     prometheus -- a query --> you[a number]
# ```

# %%
import lab

stack = lab.connect("02_prometheus_queries")
ask = stack.prometheus.query

# %% [markdown]
# ## 2.1 Make something to look at
#
# An idle Airflow has little to tell. The next cell starts four runs. The last two fail, on
# purpose: in one the board that shows the result is off, in the other a gateway refuses our key.

# %%
orders = [
    ("hello_airflow", {"name": "Ada"}),
    ("ml_training_pipeline", {}),
    ("failure_test_pipeline", {"gateway": [412], "board": "off"}),
    ("failure_test_pipeline", {"gateway": ["refused"]}),
]
for dag_id, conf in orders:
    run = stack.airflow.trigger(dag_id, conf)
    print(dag_id, stack.airflow.wait(run))

# %% [markdown]
# Airflow has told the exporter. Prometheus may not know yet: it fetches the sums at fixed
# intervals, and a number is as old as the last fetch. So we wait for the next one.

# %%
stack.wait_for_scrape()

# %% [markdown]
# ## 2.2 Ask the first four questions
#
# These are four questions with which everybody begins. First: how long did runs take? You see one
# row for each DAG, kind of run and final state. The value is the mean, in seconds, of all runs
# since the exporter started. The name is one that a rule of this stack records; elsewhere you
# divide `airflow_dagrun_duration_seconds_sum` by `airflow_dagrun_duration_seconds_count`
# yourself.

# %%
ask("airflow_dagrun_duration_seconds")

# %% [markdown]
# Second: how often do tries fail? The value is failures *per second*, which for a task that fails
# now and then is a tiny number. Keep your discomfort; section 2.4 is about it.

# %%
ask("rate(airflow_task_failed[5m])")

# %% [markdown]
# Third: is the scheduler alive? It counts each beat of its heart.

# %%
ask("airflow_scheduler_heartbeat")

# %% [markdown]
# Fourth: how many seconds does it take to read all DAG files? Here the newest value is the whole
# story: it goes up and down, and nobody wants to add it up. Such a metric is a **gauge**.

# %%
ask("airflow_dag_processing_total_parse_time")

# %% [markdown]
# ## 2.3 Turn a counter into a number
#
# The heartbeat is a **counter**. Draw it as it is:

# %%
lab.plot(
    stack.prometheus.query_range("airflow_scheduler_heartbeat", minutes=10),
    "The counter itself: beats since the exporter started",
    "beats",
)

# %% [markdown]
# A line that climbs. How high it stands says only how long ago the exporter was started, so never
# compare a raw counter with anything. What you want is how much it *grew*. `increase` looks back
# over a window, here a minute, and says so. The window slides along, and a dead scheduler would
# draw a line that falls to the ground.

# %%
lab.plot(
    stack.prometheus.query_range("increase(airflow_scheduler_heartbeat[1m])", minutes=10),
    "How much the counter grew within a minute",
    "beats per minute",
)

# %% [markdown]
# The line may wobble, and at times it shows fractions, although beats come in whole numbers. Both
# have the same reason: Prometheus has a few samples in the window, and stretches what it saw
# between the first and the last of them to the full window. Over a longer window that matters
# less.
#
# ### Your turn 2.3
#
# How many tries began in the last five minutes? One number per DAG. The counter is
# `airflow_task_start`, and it has the labels `dag_id` and `task_id`. `sum by (dag_id) (...)` adds
# up what has the same `dag_id`; section 2.5 says more. The answer is the query, as a text in
# quotes.

# %%
tasks_begun = ...
stack.check("2.3", tasks_begun)

# %% [markdown]
# ## 2.4 Choose between rate and increase
#
# `rate` is the same growth per second. The two differ by the length of the window and by nothing
# else:

# %%
growth = stack.prometheus.compare(
    {
        "increase": "increase(airflow_scheduler_heartbeat[5m])",
        "rate": "rate(airflow_scheduler_heartbeat[5m])",
    },
    minutes=5,
)
times = (growth["increase"] / growth["rate"]).mean()
print(f"increase is {times:.0f} times rate: as many as the window of 5 minutes has seconds")

# %% [markdown]
# So which one? `rate` for what streams: requests, bytes, beats, anything that you would say "per
# second" of. `increase` for what you count on fingers. "A few thousandths of a failure per
# second" makes nobody get up; "one failure in five minutes" does.
#
# Two rules for windows. A window needs at least two samples, so it has to be longer than two
# scrapes; four is comfortable. And a short window is nervous, a long one slow to notice.

# %%
tries = "sum(increase(airflow_task_success[{}]))"
windows = {"in the last minute": "1m", "in the last five minutes": "5m"}
both = stack.prometheus.compare(
    {name: tries.format(window) for name, window in windows.items()}, minutes=15
)
lab.plot(both, "The same successes through two windows", "tries")

# %% [markdown]
# ## 2.5 Sum by what you want to keep
#
# One number per task is too much for a question about DAGs. `sum by (dag_id)` puts all series
# with the same `dag_id` together and drops every other label.

# %%
lab.bars(
    ask("sum by (dag_id) (increase(airflow_task_success[15m]))"),
    "Successful tries in the last quarter of an hour",
    "tries",
)

# %% [markdown]
# The order matters: first `increase`, then `sum`. Growth is read series by series. If only some
# fall back to zero, say those of one exporter of two, a sum falls a little, and `increase` would
# take all that is left of it for growth.
#
# Two sums with the same labels can be divided. Prometheus pairs the series whose labels are
# equal, and drops whatever finds no partner.
#
# ### Your turn 2.5
#
# What share of the tries failed in the last ten minutes, per DAG, between 0 and 1? Tries that
# failed are `airflow_task_failed`, tries that began are `airflow_task_start`.

# %%
failed_share = ...
stack.check("2.5", failed_share)

# %% [markdown]
# ## 2.6 Ask for quantiles
#
# A mean hides the one slow run of the night. The duration of a run is therefore kept as a
# **histogram**: one counter, a bucket, for each of several limits. Each bucket counts the runs
# that took `le` seconds or less.

# %%
buckets = ask("sum by (le) (airflow_dagrun_duration_seconds_bucket)")
buckets["le"] = buckets["le"].astype(float)
buckets.sort_values("le").reset_index(drop=True)

# %% [markdown]
# Read it from the top: the limits grow, the numbers never fall, and the last bucket, up to
# infinity, counts all runs. `histogram_quantile` walks down these steps. It has to be told `le`,
# so `le` must survive the sum.

# %%
lab.bars(
    ask(
        "histogram_quantile(0.95, sum by (dag_id, le) (increase("
        "airflow_dagrun_duration_seconds_bucket[15m])))"
    ),
    "Nineteen of twenty runs were faster than this",
    "seconds",
)

# %% [markdown]
# How far can you trust that? Prometheus knows in which bucket the value lies, and nothing of
# where in it; it draws a straight line. If your quantile looks odd, look at the limits around it.
# And never average quantiles: the mean of two medians is the median of nothing. Sum the buckets,
# then ask.
#
# ### Your turn 2.6
#
# How long does each task of `ml_training_pipeline` usually take? The median over the last ten
# minutes, in seconds; keep only `task_id`. The buckets are in
# `airflow_task_duration_seconds_bucket`, and `{dag_id="..."}` behind that name chooses a DAG.

# %%
median_duration = ...
stack.check("2.6", median_duration)

# %% [markdown]
# ## 2.7 Mind the unit
#
# Prometheus knows no units. It is a custom that a name ends in its unit, and that the unit is a
# base unit: seconds, not milliseconds; bytes; shares between 0 and 1. Airflow itself sends
# milliseconds in some places and seconds in others. The exporter of this stack turns all that is
# a duration into seconds. One gauge comes as Airflow names it, without its unit:
# `airflow_dag_processing_total_parse_time`. When in doubt, compare a number with something that
# you know. How many seconds ago was each file read? The dag-processor looks at each one every few
# seconds, so milliseconds would be thousands.

# %%
ask("max by (file_name) (airflow_dag_processing_last_run_seconds_ago)")

# %% [markdown]
# ## 2.8 Tell nothing from zero
#
# A series is born when its event first happens. A task that never failed has no counter of
# failures at all. Not zero: nothing.

# %%
ask('airflow_task_failed{dag_id="hello_airflow"}')

# %% [markdown]
# An empty table. Compare nothing with a limit and you get nothing, so an alert on it is silent,
# whatever the limit. Two ways out. `or vector(0)` puts a zero where nothing is, which is right
# for a count:

# %%
ask('sum(airflow_task_failed{dag_id="hello_airflow"}) or vector(0)')

# %% [markdown]
# And `absent` turns it around: it gives a one exactly while there is nothing. That is for things
# that ought to be there.
#
# ### Your turn 2.8
#
# The person before you swore that a DAG `nightly_backup` runs here each night. Write an
# expression that gives 1 as long as no run of it has ever been counted as a success. Runs are
# counted in `airflow_dagrun_duration_seconds_count`, with the labels `dag_id` and `state`.

# %%
no_backup = ...
stack.check("2.8", no_backup)

# %% [markdown]
# ## 2.9 Ask what is counted
#
# Two tasks failed in section 2.1. Here is the counter of failed tries:

# %%
ask("airflow_task_failed")

# %% [markdown]
# Where is the task whose key was refused? It gave up with `AirflowFailException`, which means "do
# not try again", and Airflow does not count such a try among the failed ones. (If you see
# `sometimes_fails` here, it comes from a run of your own in which the gateway was only busy.) A
# name is a promise that somebody else made. The counter of how tasks *ended* knows both:

# %%
ask('airflow_task_finish{state="failed"}')

# %% [markdown]
# So this stack alerts on the second one. It counts failures for good, and says nothing of a try
# that will be repeated; these end in the state `up_for_retry`.
#
# ## 2.10 Find the failure that nobody saw
#
# Growth needs two samples, and a counter is born with its first event, at one. So the step from
# nothing to one is no growth. The first failure of a task, the one you most want to hear of, does
# not exist for `increase`.
#
# Let the gateway refuse us once more, and look at what is stored.

# %%
run = stack.airflow.trigger("failure_test_pipeline", {"gateway": ["refused"]})
print(stack.airflow.wait(run))
stack.wait_for_scrape()
counter = 'airflow_task_finish{state="failed", task_id="sometimes_fails"}'
stored = stack.prometheus.samples(counter, minutes=10)
stored.drop_duplicates("value")

# %% [markdown]
# If the failure in section 2.1 was the first since the stack was started, the first line of that
# table may surprise you: a zero, although a counter is born at one. This Prometheus runs with a
# feature, `created-timestamp-zero-ingestion`, that asks the exporter *when* a counter was born
# and puts a zero there. Without the feature, which is how most are run, that line is missing, and
# this is what is lost:

# %%
with_zero = stored["value"].iloc[-1] - stored["value"].iloc[0]
without = stored.loc[stored["value"] > 0, "value"]
print(f"growth that this Prometheus sees:   {with_zero:.0f}")
print(f"growth that most others would see:  {without.iloc[-1] - without.iloc[0]:.0f}")

# %% [markdown]
# The same over time. One line is the increase, as it is here. The other compares the counter with
# itself a minute ago and leaves out the zero, as most others have none. Before the first failure
# there is nothing to compare with, and so the first failure leaves no mark on it. We wait until
# it has seen the second one.

# %%
failed = 'airflow_task_finish{state="failed", task_id="sometimes_fails"}'
compared = f"{failed} - ({failed} offset 1m > 0)"
stack.wait_for_data(f"max_over_time(({compared})[2m:5s]) > 0")
both = stack.prometheus.compare(
    {
        "increase, with the zero": f"increase({failed}[1m])",
        "now minus a minute ago": compared,
    },
    minutes=5,
    step=5,
)
lab.plot(both, "Failures within a minute, asked in two ways", "failures")

# %% [markdown]
# The alerts of this stack do not rely on the feature, because the Prometheus at your work may not
# have it. They ask twice: did it grow, *or* is it there now and was not before?

# %%
ask(f"increase({failed}[10m]) > 0 or ({failed} unless {failed} offset 10m)")

# %% [markdown]
# So how often did it fail yesterday? Ask `sum(increase(airflow_task_finish{state="failed"}[1d]
# offset 1d))`, and say that first failures may be missing, as well as whatever happened while
# Prometheus was off.
#
# ## What is still ugly
#
# Everything here forgets: the exporter its sums when it restarts, Prometheus all that is older
# than its retention. A metric that is lost on the way is never missed, because UDP does not ask.
# And no query in this notebook tells you *why* something failed. For that there are logs.
#
# ## What to read next
#
# - [3. A Grafana dashboard](03_grafana_dashboard.ipynb): the same queries, on a wall.
# - [5. Alerts](05_alerts.ipynb): the same queries, at night.
# - [The metric contract](../stack/metrics.toml): every metric there is, with labels and unit.
# - [Part 03](../exercises/03_custom_metrics/README.md): metrics of your own.
