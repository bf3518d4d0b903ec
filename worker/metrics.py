"""What the worker counts, for Prometheus. Labels are few and bounded: accounts, kinds, meanings."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.messages import Answer, ReadHealth, Request

_CALL_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The counters of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Info("orderlatch_worker", "The release of this worker.", registry=self.registry).info(
            {"version": version("orderlatch")}
        )
        self.claims = Counter(
            "orderlatch_claims", "Times that requests were asked for.", ["outcome"], registry=self.registry
        )
        self.in_hand = Gauge(
            "orderlatch_requests_in_hand", "Requests claimed and not yet recorded.", registry=self.registry
        )
        self.calls = Counter(
            "orderlatch_calls", "Calls made, by whether they left.", ["account", "kind", "sent"],
            registry=self.registry,
        )  # fmt: skip
        self.call_seconds = Histogram(
            "orderlatch_call_seconds", "Duration of calls.", ["account", "kind"], buckets=_CALL_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.recorded = Counter(
            "orderlatch_answers_recorded", "Answers, by what the database took them to mean.", ["meaning"],
            registry=self.registry,
        )  # fmt: skip
        self.given_up = Counter(
            "orderlatch_answers_given_up", "Answers that the database refused.", registry=self.registry
        )

        self.stream_connected = Gauge(
            "orderlatch_stream_connected", "Whether the trade_updates stream is heard.", ["account"],
            registry=self.registry,
        )  # fmt: skip
        self.stream_beginnings = Counter(
            "orderlatch_stream_beginnings", "Times that the database was told that the stream is heard.",
            ["account"], registry=self.registry,
        )  # fmt: skip
        self.stream_endings = Counter(
            "orderlatch_stream_endings", "Connections of the stream that ended or never began, and why.",
            ["account", "why"], registry=self.registry,
        )  # fmt: skip
        self.stream_messages = Counter(
            "orderlatch_stream_messages", "Messages, by what the database took them to mean, or dropped.",
            ["account", "meaning"], registry=self.registry,
        )  # fmt: skip
        self.reconcile_lag = Gauge(
            "orderlatch_reconcile_lag_seconds", "Age of the newest moment that is known to be covered.",
            ["account", "purpose"], registry=self.registry,
        )  # fmt: skip
        self.reconcile_failures = Gauge(
            "orderlatch_reconcile_failures", "Pages that failed since the last one that did not.",
            ["account", "purpose"], registry=self.registry,
        )  # fmt: skip
        self.reconcile_success = Gauge(
            "orderlatch_reconcile_last_success_timestamp_seconds", "When a read was last complete.",
            ["account", "purpose"], registry=self.registry,
        )  # fmt: skip

        self.ready = Gauge(
            "orderlatch_worker_ready",
            "Whether calls could be carried now, as /readyz says.",
            registry=self.registry,
        )
        self.account_verified = Gauge(
            "orderlatch_account_verified", "Whether the keys of an account are known to be its own.",
            ["account"], registry=self.registry,
        )  # fmt: skip

    def count_call(self, request: Request, answer: Answer) -> None:
        """Count one call and its duration."""
        self.calls.labels(account=request.account, kind=request.kind, sent=answer.sent).inc()
        self.call_seconds.labels(account=request.account, kind=request.kind).observe(answer.elapsed_ms / 1000)

    def show_health(self, reads: Sequence[ReadHealth]) -> None:
        """Show how far each standing read has come; when nobody can say, nothing rather than what was."""
        if not reads:
            for gauge in (self.reconcile_lag, self.reconcile_failures, self.reconcile_success):
                gauge.clear()
        for read in reads:
            labels = {"account": read.account, "purpose": read.purpose}
            self.reconcile_lag.labels(**labels).set(read.lag.total_seconds())
            self.reconcile_failures.labels(**labels).set(read.failures)
            if read.last_success_at is not None:
                self.reconcile_success.labels(**labels).set(read.last_success_at.timestamp())

    def show_accounts(self, verified: Mapping[str, bool]) -> None:
        """Show which accounts are verified; when nobody can say, nothing rather than what was."""
        self.account_verified.clear()
        for account, yes in verified.items():
            self.account_verified.labels(account=account).set(yes)
