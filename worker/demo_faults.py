"""What the demo's broker does to the calls that submit orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KILL_AT_POST: Final = 33


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What the sandbox does to the nth POST of an order, and how to say it."""

    nth: int
    says: str
    options: dict[str, str | float | bool | dict[str, str]]

    def request(self) -> dict[str, object]:
        """Body of the sandbox's POST /admin/faults."""
        return {"match": {"method": "POST"}, "nth": self.nth, **self.options}


FAULTS: Final = (
    Fault(
        nth=5,
        says="the order is stored, the answer is a gateway's HTML page (502)",
        options={"action": "answer", "when": "after", "body": "bad_gateway"},
    ),
    Fault(
        nth=12,
        says="the connection closes before the order is stored",
        options={"action": "close", "when": "before"},
    ),
    Fault(
        nth=20,
        says="the order is stored, the answer comes after the time-out",
        options={"action": "delay", "when": "after", "seconds": 3},
    ),
    Fault(
        nth=27,
        says="rate limit (429), try again after a second",
        options={
            "action": "answer",
            "when": "before",
            "body": "rate_limited",
            "ratelimit_headers": False,
            "headers": {"Retry-After": "1"},
        },
    ),
    Fault(
        nth=KILL_AT_POST,
        says="the order is stored, the worker is killed (SIGKILL) before the answer",
        options={"action": "gate", "when": "after", "gate": "half-way"},
    ),
    Fault(
        nth=41,
        says="the order is stored two seconds late; until then lookups say 404",
        options={"action": "late_order", "seconds": 2},
    ),
    Fault(
        nth=50,
        says="the order is stored, the connection is reset",
        options={"action": "reset", "when": "after"},
    ),
)
