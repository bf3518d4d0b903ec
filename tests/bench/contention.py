"""Sixteen connections on one account, on a thousand, and all of them proposing the same decision.

Each connection is a strategy and a worker in one: it proposes a decision, claims up to ten calls, whoever
proposed them, and records their answers. A convoy would show in the longest call.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from tests.bench.ground import Figures, Size, fresh_database, table
from tests.bench.orderlatch import Seat, a_decision, create_accounts, stop_reads

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECTIONS = 16
CLAIMED = 10
CREATED = "select count(*) from orderlatch_data.trade_decisions"


@dataclass(slots=True)
class Crowd:
    """Sixteen seats in one database."""

    accounts: list[str]
    url: str = field(default_factory=fresh_database)
    seats: list[Seat] = field(default_factory=list)

    def enter(self) -> None:
        """Create the accounts, and register the workers, each for its share of them."""
        with psycopg.connect(self.url, autocommit=True) as session:
            create_accounts(session, self.accounts)
            stop_reads(session)
            for number in range(CONNECTIONS):
                connection = psycopg.connect(self.url, autocommit=True, prepare_threshold=1)
                shared = self.accounts[number::CONNECTIONS] or self.accounts
                self.seats.append(Seat.taken(connection, shared))
            stop_reads(session)
            session.execute("vacuum analyze")

    def leave(self) -> None:
        """Close the sessions."""
        for seat in self.seats:
            seat.connection.close()
            seat.listener.close()

    def account(self, number: int) -> str:
        """Whose turn it is."""
        return self.accounts[number % len(self.accounts)]


def main(size: Size) -> Figures:
    """The three crowds."""
    seconds, many = (2.0, 50) if size.quick else (15.0, 1000)
    figures = {
        "one account": measure(["bench"], seconds, live),
        f"{many:,} accounts": measure([f"bench-{number}" for number in range(many)], seconds, live),
        "the same decision": measure(["bench"], seconds, repeat),
    }
    heads = (f"{CONNECTIONS} connections", "lives or proposals/s", "longest call ms", "p99 ms", "calls")
    names = ("per_s", "longest_ms", "p99_ms", "calls")
    table(heads, [(name, *(one[each] for each in names)) for name, one in figures.items()])
    return {
        "seconds": seconds,
        "connections": CONNECTIONS,
        "crowds": {name: dict(one) for name, one in figures.items()},
    }


def measure(accounts: list[str], seconds: float, step: Callable[[Crowd, int, int], int]) -> dict[str, float]:
    """All connections at once, for some seconds."""
    crowd = Crowd(accounts)
    crowd.enter()
    for lane, seat in enumerate(crowd.seats):
        step(crowd, lane, 0)  # a session plans its statements at their first calls
        seat.took.clear()
    until = time.monotonic() + seconds

    def work(lane: int) -> int:
        done, number = 0, 1
        while time.monotonic() < until:
            done += step(crowd, lane, number)
            number += 1
        return done

    began = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        done = sum(pool.map(work, range(CONNECTIONS)))
    took_s = time.monotonic() - began
    calls = sorted(second for seat in crowd.seats for step_s in seat.took.values() for second in step_s)
    crowd.leave()
    return {
        "per_s": done / took_s,
        "done": done,
        "longest_ms": 1000 * calls[-1],
        "p99_ms": 1000 * calls[int(0.99 * (len(calls) - 1))],
        "calls": len(calls),
    }


def live(crowd: Crowd, lane: int, number: int) -> int:
    """One proposal, one claim of whatever is due, its answers; how many lives ended."""
    mine = lane + CONNECTIONS * number
    seat = crowd.seats[lane]
    assert seat.propose(crowd.account(mine), [a_decision(mine, f"S{mine % 500}")]) == ["created"]
    return seat.carry(CLAIMED)["submit_order"]


def repeat(crowd: Crowd, lane: int, number: int) -> int:
    """The proposal that all others make too; only one of them may have created it."""
    outcomes = crowd.seats[lane].propose(crowd.account(0), [a_decision(number, f"S{number % 500}")])
    assert outcomes in (["created"], ["existing"]), outcomes
    return 1
