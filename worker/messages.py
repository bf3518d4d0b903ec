"""What travels between the database, the worker and a broker."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

Sent = Literal["no", "yes", "maybe"]
"""Whether a call left: provably not, answered in whole, or anything between (DESIGN.md, section 6)."""

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsing() -> float:
    """Seconds on a clock that nobody sets and that, where the system has one, also counts suspended time."""
    return time.clock_gettime(_CLOCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP call that the database asks for: a row of `claim_requests`, with the SQL names."""

    request_id: UUID
    account: str
    kind: str
    method: str
    path: str
    query: Mapping[str, str] | None
    body: str | None
    send_within_ms: int
    timeout_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a request: a response (`sent` is "yes"), or how the call failed (`error` says how)."""

    request_id: UUID
    sent: Sent
    elapsed_ms: int
    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: bytes | None = None
    error: str | None = None

    def members(self) -> dict[str, object]:
        """Write it as record_responses reads it; the body as base64, because it may be any bytes."""
        return {
            "request_id": str(self.request_id),
            "sent": self.sent,
            "status": self.status,
            "headers": None if self.headers is None else dict(self.headers),
            "body": None if self.body is None else base64.b64encode(self.body).decode("ascii"),
            "error": self.error,
            "elapsed_ms": self.elapsed_ms,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What was granted; `ask_again_ms` when the database knows that more falls due then."""

    requests: Sequence[Request]
    ask_again_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What the database took an answer to mean: a row of `record_responses`."""

    request_id: UUID
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The trace that the decision of a request was proposed in: a row of `request_traces`."""

    request_id: UUID
    trace_id: str
    parent_id: str

    def members(self) -> dict[str, str]:
        """As log lines of a call carry it; the call is a span of its own: the random half of its id."""
        return {"trace_id": self.trace_id, "span_id": self.request_id.hex[16:], "parent_id": self.parent_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadHealth:
    """How far a standing read of an account has come: a row of `mirror_health`."""

    account: str
    purpose: str
    lag: timedelta
    failures: int
    last_success_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedAccount:
    """An account of this life of the worker, and since when it is verified: a row of `worker_health`."""

    account: str
    verified_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What became of one proposed decision: a row of `propose_decisions`."""

    input_no: int
    decision_hash: str | None
    status: str | None
    outcome: str
    reasons: list[str] | None
    error_code: str | None
    error_message: str | None
