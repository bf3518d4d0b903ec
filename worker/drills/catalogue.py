"""All drills, in the order in which they are listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from worker.drills import (
    broker_outage,
    duplicate_orders,
    fill_busted,
    foreign_order,
    hash_collision,
    keys_swapped,
    late_order,
    order_despite_verdict,
    order_mismatch,
    partial_commit,
    position_drift,
    restore,
    withdrawn_in_doubt,
)

if TYPE_CHECKING:
    from worker.drills.stage import Stage


class Script(Protocol):
    """The module of a drill; the first line of its documentation says what it shows."""

    __name__: str
    __doc__: str | None

    def play(self, stage: Stage) -> None:
        """Break something, show how it is detected and how it is put right."""


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill."""

    script: Script
    own_server: bool = False

    @property
    def name(self) -> str:
        """The name that a person calls it by."""
        return self.script.__name__.rpartition(".")[2].replace("_", "-")

    @property
    def sentence(self) -> str:
        """What it shows, in one sentence."""
        return (self.script.__doc__ or "").splitlines()[0]


DRILLS: Final = (
    Drill(duplicate_orders),
    Drill(partial_commit),
    Drill(late_order),
    Drill(order_despite_verdict),
    Drill(order_mismatch),
    Drill(hash_collision),
    Drill(restore, own_server=True),
    Drill(foreign_order),
    Drill(withdrawn_in_doubt),
    Drill(broker_outage),
    Drill(keys_swapped),
    Drill(position_drift),
    Drill(fill_busted),
)
