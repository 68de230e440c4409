"""The row "Can I trust this board?" of the overview.

The alerts of this question: stack/prometheus/rules/trust.yml.
"""

from __future__ import annotations

from stack.grafana.boards import links
from stack.grafana.boards.kit import GOOD_IS_NONE, NOTE_ANY, Row, bars, lines, numbers
from stack.grafana.boards.queries import counted


def row() -> Row:
    """Can I trust this board?"""
    return "Can I trust this board?", [
        numbers(
            "Scrapes",
            "Whether Prometheus can read each of its sources. "
            "If airflow is down, every panel above shows the past.",
            "short",
            ("min by (job) (up)", "{{job}}"),
            width=8,
            limits=((None, "red"), (1, "green")),
            links=links.TO_TARGETS,
            words={"0": ("down", "red"), "1": ("up", "green")},
        ),
        numbers(
            "Watchdog",
            "An alert that always fires. If it does not, no other alert can be believed.",
            "short",
            ('count(ALERTS{alertname="Watchdog", alertstate="firing"}) or vector(0)', "Watchdog"),
            limits=((None, "red"), (1, "green")),
            links=links.TO_ALERTS,
            words={"0": ("silent", "red"), "1": ("fires", "green")},
        ),
        numbers(
            "Alertmanagers",
            "Programs that Prometheus hands its alerts to. With 0 nobody gets a mail.",
            "short",
            ("min(prometheus_notifications_alertmanagers_discovered)", "found"),
            limits=((None, "red"), (1, "green")),
        ),
        numbers(
            "Rules that failed",
            "Evaluations of rules in the chosen time that broke. Their alerts stay silent.",
            "short",
            ("sum(increase(prometheus_rule_evaluation_failures_total[$__range]))", "evaluations"),
            limits=GOOD_IS_NONE,
        ),
        numbers(
            "Alerts pending",
            "Alerts whose condition holds, but not yet for long enough to fire.",
            "short",
            ('count(ALERTS{alertstate="pending"}) or vector(0)', "alerts"),
            limits=NOTE_ANY,
        ),
        lines(
            "Lines from Airflow",
            "Lines per second that reach the exporter. 0: Airflow sends nothing, or elsewhere. "
            "The exporter keeps the last values, so other panels would still look calm.",
            "cps",
            ('sum(rate(statsd_exporter_lines_total{job="airflow"}[$__rate_interval]))', "lines"),
            width=12,
        ),
        bars(
            "Lines lost or not understood",
            "What the exporter could not use in the chosen time. Anything above 0 is a hole: "
            "a metric without a rule, one name for two kinds, a broken line, a full buffer.",
            "short",
            (f"{counted('statsd_exporter_events_unmapped_total')} or vector(0)", "unmapped"),
            (f"{counted('statsd_exporter_events_conflict_total')} or vector(0)", "conflicts"),
            (f"{counted('statsd_exporter_sample_errors_total')} or vector(0)", "sample errors"),
            (f"{counted('statsd_exporter_udp_packet_drops_total')} or vector(0)", "dropped"),
            width=12,
            limits=GOOD_IS_NONE,
        ),
    ]
