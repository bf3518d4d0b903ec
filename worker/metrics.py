"""What the worker counts, for Prometheus. Labels are few and bounded: accounts, kinds, meanings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

if TYPE_CHECKING:
    from worker.messages import Answer, Request

_CALL_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The counters of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.claims = Counter(
            "orderlatch_claims", "Times that requests were asked for.", ["outcome"], registry=self._registry
        )
        self.in_hand = Gauge(
            "orderlatch_requests_in_hand", "Requests claimed and not yet recorded.", registry=self._registry
        )
        self.calls = Counter(
            "orderlatch_calls", "Calls made, by whether they left.", ["account", "kind", "sent"],
            registry=self._registry,
        )  # fmt: skip
        self.call_seconds = Histogram(
            "orderlatch_call_seconds", "Duration of calls.", ["account", "kind"], buckets=_CALL_SECONDS,
            registry=self._registry,
        )  # fmt: skip
        self.recorded = Counter(
            "orderlatch_answers_recorded", "Answers, by what the database took them to mean.", ["meaning"],
            registry=self._registry,
        )  # fmt: skip
        self.given_up = Counter(
            "orderlatch_answers_given_up", "Answers that the database refused.", registry=self._registry
        )

    def count_call(self, request: Request, answer: Answer) -> None:
        """Count one call and its duration."""
        self.calls.labels(account=request.account, kind=request.kind, sent=answer.sent).inc()
        self.call_seconds.labels(account=request.account, kind=request.kind).observe(answer.elapsed_ms / 1000)

    def serve(self, *, host: str, port: int) -> None:
        """Serve /metrics from a thread of its own; raises OSError when the port is not to be had."""
        start_http_server(port, host, registry=self._registry)
