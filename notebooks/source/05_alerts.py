# %% [markdown]
# # 5. Alerts
#
# This week you carry the phone. Nobody looks at a dashboard at three in the morning, so a query
# does it for you: Prometheus asks it again and again, and when it gives something, a mail goes
# out. Today you watch one such mail from the first bad number to the "it is over". Then you look
# at three rules that a predecessor left behind. All three look fine, and all three lie.
#
# **You will learn**
#
# - what inactive, pending and firing mean, and what `for` has to do with it;
# - how a mail comes about, and why the second one says that it is over;
# - how to recognise a rule that always fires, one that never does, and one that sleeps through
#   the first failure.
#
# **You need** three quarters of an hour, of which some minutes are waiting, and the stack, with
# parts 00, 01 and 04 solved: `make stack`, or without Docker `make stack-native`. Without a
# stack you read recorded replies; only rules of your own need a running Prometheus.
#
# ```mermaid
# stateDiagram-v2
#     [*] --> inactive
#     inactive --> pending: the query gives something
#     inactive --> firing: the same, and no "for"
#     pending --> inactive: it gives nothing any more
#     pending --> firing: still something after "for", a mail
#     firing --> inactive: nothing any more, a second mail
# ```

# %%
import pandas as pd

import lab

stack = lab.connect("05_alerts")
ask = stack.prometheus.query
DAG = "failure_test_pipeline"

# %% [markdown]
# ## 5.1 See what is watched
#
# Every rule is a query. Each series that it gives is one alert. `for_seconds` is how long the
# query has to go on giving it before anybody is told.

# %%
rules = stack.prometheus.rules()
rules[["alert", "severity", "for_seconds", "state"]]

# %% [markdown]
# One of them fires, and so it should: `Watchdog` always does. As long as its mail arrives each
# day, the whole way from a query to your inbox works. Most others wait a while, so that a hiccup
# of one scrape wakes nobody. Some have no patience at all. Here are the two that this notebook is
# about:

# %%
for name in ("AirflowTaskFailed", "AirflowFailureRatioHigh"):
    rule = rules.set_index("alert").loc[name]
    print(f"{name}, waits {rule['for_seconds']} seconds:\n    {rule['query']}\n")

# %% [markdown]
# The first looks for a task that has just failed for good. It reports an event, and an event does
# not become truer by waiting. The second looks at a share, over a quarter of an hour, and a share
# can jump for a moment.
#
# ## 5.2 Make a task fail
#
# The board in the billing office is off. The task `publish_count` cannot show its number, and
# fails.

# %%
failing = stack.airflow.trigger(DAG, {"gateway": [412], "board": "off"})
print(stack.airflow.wait(failing))
fires = stack.wait_until(
    "AirflowTaskFailed fires",
    lambda: stack.prometheus.alert_state("AirflowTaskFailed", task_id="publish_count"),
    lambda state: state == "firing",
)

# %% [markdown]
# It was not pending before: no `for`, no waiting. (If it fires at once, you come from another
# notebook, and it still fires for a failure there.) What took its time was the way: until the
# next scrape, then until the rules are evaluated again. Now Alertmanager has it. It gathers for
# some seconds what belongs together, and sends one mail.

# %%
mail = stack.wait_until(
    "the mail is there",
    lambda: stack.inbox.text("[ticket]", "AirflowTaskFailed", "publish_count"),
)
print(mail)

# %% [markdown]
# Read it as somebody who knows nothing else. What failed, how bad is it, since when, what does it
# mean, where is the log, and which page says what to do. A mail that lacks one of these is a
# riddle. `ticket` means that the next working hour will do; a `page` is for what has to wake
# somebody.
#
# ## 5.3 Watch an alert that has patience
#
# Your colleague reads the mail, does not read the log, and starts the DAG two more times. Then
# she selects all red squares on Airflow's page and presses *Clear*. And again. The board is still
# off, and each press is three more failures. The next cell presses for her, until more than half
# of the DAG's tries have failed. That may take some minutes, if the DAG has succeeded a lot just
# before.

# %%
red = [failing]
for _ in range(2):
    red.append(stack.airflow.trigger(DAG, {"gateway": [412], "board": "off"}))
    stack.airflow.wait(red[-1])

ratio = f'airflow:task_failure:ratio_15m{{dag_id="{DAG}"}}'
presses = []


def press_clear() -> float:
    for run in red:
        stack.airflow.clear(run, "publish_count", downstream=False, only_failed=True)
    presses.append([stack.airflow.wait(run, quiet=True) for run in red])
    return ask(ratio)["value"].max()


share = stack.wait_until(
    "more than half of the tries failed", press_clear, lambda share: share > 0.5, seconds=600
)
print(f"pressed {len(presses)} times, and {share:.0%} of the tries failed")

# %% [markdown]
# Now the query gives something, and the patience begins.


# %%
def state() -> str:
    return stack.prometheus.alert_state("AirflowFailureRatioHigh", dag_id=DAG)


stack.wait_until("the alert is pending", state, lambda now: now in ("pending", "firing"))
stack.wait_until("the alert fires", state, lambda now: now == "firing")
mail = stack.wait_until(
    "the mail is there", lambda: stack.inbox.text("[ticket]", "AirflowFailureRatioHigh", DAG)
)
print(mail.splitlines()[0])

# %% [markdown]
# ## 5.4 End it
#
# Somebody switches the board on. Nobody tells Prometheus, and nobody has to: good runs follow,
# the share of failures sinks below the limit, the query gives nothing any more, and the alert is
# over.

# %%
good_runs = 0
while state() != "inactive" and good_runs < 15:
    good = stack.airflow.trigger(DAG, {"gateway": [412]})
    stack.airflow.wait(good)
    stack.wait_for_scrape()
    good_runs += 1
print(f"good runs: {good_runs}; the alert is {state()}")
stack.wait_until(
    "the second mail is there", lambda: stack.inbox.text("[over]", "AirflowFailureRatioHigh", DAG)
)
stack.inbox.mails().head(5)

# %% [markdown]
# A mail that begins with `[over]` is as useful as the first: nobody has to run any more. Here is
# the whole story, the share first.

# %%
lab.plot(
    stack.prometheus.query_range(ratio, minutes=15),
    "Share of tries that failed within a quarter of an hour",
    "share of all tries",
    limit=0.5,
)

# %% [markdown]
# And what the alerts made of it. Prometheus keeps its own alerts as a metric, `ALERTS`, with the
# state as a label.

# %%
lab.alert_states(
    stack.prometheus.query_range(
        f'max by (alertname, alertstate) (ALERTS{{dag_id="{DAG}"}})', minutes=15
    ),
    "When the alerts were pending and firing",
)

# %% [markdown]
# `AirflowTaskFailed` went straight to firing, and it still fires. Its query is true for a minute
# only, but its rule says `keep_firing_for: 5m`, so that a person still finds it on the dashboard.
# Its own `[over]` comes after that.
#
# ### Your turn 5.4
#
# For a panel on the wall: how many alerts fire? One number, without the `Watchdog`, and without
# those that are only pending. The metric is `ALERTS`, its labels are `alertname` and
# `alertstate`. `count(...)` counts series, and `!=` in the braces leaves a value out.

# %%
how_many_fire = ...
stack.check("5.4", how_many_fire)

# %% [markdown]
# ## 5.5 Repair a rule that always fires
#
# Your predecessor wrote three rules that should tell when a task has failed for good. What is
# asked of all three: **fire within a minute of each failure, and be silent two minutes after the
# last one.** To see whether a rule can be silent, wait until nothing has failed for three
# minutes.

# %%
quiet = '(sum(increase(airflow_task_finish{state="failed"}[3m])) or vector(0)) == 0'
nothing_failed = stack.wait_for_data(quiet, seconds=240)

# %% [markdown]
# Here is the first rule.

# %%
always = 'airflow_task_finish{state="failed"} > 0'
ask(always)

# %% [markdown]
# It found the failures. It will find them tomorrow, too. The counter does not go back to zero, so
# after the first failure the alert fires until the exporter is restarted, and within a day nobody
# looks at it any more.

# %%
lab.plot(
    stack.prometheus.compare(
        {
            "what the rule sees": f"count({always})",
            "what happened: failures within a minute": (
                'sum(increase(airflow_task_finish{state="failed"}[1m]))'
            ),
        },
        minutes=15,
    ),
    "A rule that cannot stop",
    "failing tasks, or failures",
)

# %% [markdown]
# ### Your turn 5.5
#
# Write a rule that fires when a task has just failed for good, and stops.

# %%
stops_again = ...
stack.check("5.5", stops_again)

# %% [markdown]
# ## 5.6 Repair a rule that never fires
#
# The second rule wants to be clever. It fires when more than a tenth of a task's tries failed.

# %%
never = (
    'increase(airflow_task_finish{state="failed"}[15m]) / increase(airflow_task_start[15m]) > 0.1'
)
ask(never)

# %% [markdown]
# Nothing, in a quarter of an hour with plenty of failures. A rule that never fires looks exactly
# like a healthy system. So never trust a rule that you have not seen fire. Take it apart, and
# look at the labels of both halves:

# %%
left = ask('increase(airflow_task_finish{state="failed"}[15m])')
right = ask("increase(airflow_task_start[15m])")
print("left: ", *left.columns.drop("value"))
print("right:", *right.columns.drop("value"))

# %% [markdown]
# Prometheus pairs series whose labels are all equal. The left half has one more, so nothing finds
# a partner, nothing is divided, and nothing is above a tenth.
#
# ### Your turn 5.6
#
# Make the division find its partners. Take a window of a minute, so that the rule also stops in
# time.

# %%
finds_partners = ...
stack.check("5.6", finds_partners)

# %% [markdown]
# ## 5.7 Repair a rule that misses the first failure
#
# The third rule compares the counter with itself a minute ago. It is silent when nothing happens,
# it has been seen to fire, and it even survived a review.

# %%
failed = 'airflow_task_finish{state="failed"}'
second_only = f"{failed} - {failed} offset 1m > 0"


def first_time(promql):
    """When a query first gave something for each task, within the last hour."""
    seen = stack.prometheus.query_range(f"sum by (task_id) ({promql})", minutes=60)
    moments = pd.to_datetime(seen.apply(pd.Series.first_valid_index))
    return moments.dt.strftime("%H:%M:%S")


pd.DataFrame({"first failure": first_time(f"{failed} > 0"), "first alarm": first_time(second_only)})

# %% [markdown]
# The alarm comes a minute late, or never. For its first minute the new series has nothing to be
# compared with, and a number minus nothing is nothing. After that only later failures count. A
# task that fails once a month, always with a restart in between, never rings.
#
# `increase` would see the step here, because this Prometheus puts a zero before each new counter.
# Yours at work may not. There is a way that needs no such help: `unless` keeps what is on its
# left as long as the right has no series with the same labels.
#
# ### Your turn 5.7
#
# Write a rule that fires for a first failure as well as for every later one. Two halves and an
# `or` between them will do.

# %%
sees_the_first = ...
stack.check("5.7", sees_the_first)

# %% [markdown]
# The rule that this stack uses has one more condition: somebody must have been looking a minute
# ago. Otherwise every counter looks new when Prometheus comes back after a longer pause. It
# stands, with its reasons, in [succeeding.yml](../stack/prometheus/rules/succeeding.yml), and
# tests make each rule there be silent, fire and clear. That is the one habit to take with you:
# **a rule that was never seen to fire is a guess.**
#
# ## What is still ugly
#
# The share of failures is a bad witness for DAGs that run once a day: a quarter of an hour mostly
# holds no try at all. An alert that ends by itself, as these do, says that the number is fine
# again, not that anybody repaired anything. And a mail at night still needs somebody who reads
# it.
#
# ## What to read next
#
# - [The runbooks](../stack/runbooks/README.md): one page for each alert, with what to type.
# - [Part 05](../exercises/05_email_alerts/README.md): mails that Airflow itself sends.
# - [2. Prometheus queries](02_prometheus_queries.ipynb), if `increase` and `by` were too fast
#   here.
