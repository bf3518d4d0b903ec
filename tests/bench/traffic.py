"""Decisions for accounts, as many as they can send and always some more, while something is measured."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from tests.support.decisions import a_limit_order

if TYPE_CHECKING:
    from collections.abc import Sequence

SYMBOLS = [f"S{first}{second}" for second in "ABCD" for first in "ABCDEFGHIJ"]
PROPOSE = "select count(*) from orderlatch.propose_decisions(%s, %s)"
WAITING = """
select a.account, count(o.decision_id) filter (where o.status = 'approved')
  from orderlatch_data.accounts as a
  left join orderlatch_data.open_decisions as o on o.account_id = a.account_id
 group by a.account
"""


def decisions(first: int, many: int) -> list[dict[str, object]]:
    """Plain limit orders over some symbols."""
    return [
        a_limit_order(
            number,
            strategy_id="bench",
            symbol=SYMBOLS[number % len(SYMBOLS)],
            event_ts="2026-11-20T21:00:00Z",
            limit_price="1.5",
            params={"fast": 10, "slow": 30},
        )
        for number in range(first, first + many)
    ]


@dataclass(slots=True)
class Strategy:
    """Sees to it that every account has decisions waiting; least: the fewest that it found at any."""

    url: str
    accounts: Sequence[str]
    enough: int
    proposed: dict[str, int] = field(default_factory=dict)
    least: int = 1 << 30
    stopping: threading.Event = field(default_factory=threading.Event)

    def fill(self, session: psycopg.Connection) -> None:
        """Propose for each account that has less than enough."""
        for account, waiting in session.execute(WAITING).fetchall():
            self.least = min(self.least, waiting)
            if waiting < self.enough:
                self.propose(session, account, self.enough)

    def propose(self, session: psycopg.Connection, account: str, many: int) -> None:
        """Propose some for one account."""
        first = self.proposed.get(account, 0)
        self.proposed[account] = first + many
        session.execute(PROPOSE, [account, json.dumps(decisions(first, many))])

    def run(self) -> None:
        """Fill up until told to stop."""
        with psycopg.connect(self.url, autocommit=True) as session:
            while not self.stopping.wait(1):
                self.fill(session)
