"""What the demo shows at its end, read from the database and from the ground truth of the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx
    import psycopg


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The database and the broker side by side."""

    decisions: int
    orders: int
    duplicates: int
    in_doubt: int
    violations: int
    findings: tuple[str, ...]

    @classmethod
    def read(cls, connection: psycopg.Connection, account: str, broker: httpx.Client) -> Self:
        """Read both; what one has and the other has not is a violation."""
        truth = broker.get("/admin/orders", params={"account": account}).raise_for_status().json()
        orders = {(order["client_order_id"], order["id"]) for order in truth}
        known = {
            (decision_hash, broker_order_id)
            for decision_hash, broker_order_id in connection.execute(
                "select d.decision_hash, d.broker_order_id from orderlatch.decisions as d"
                " where d.account = %s and d.broker_order_id is not null",
                [account],
            )
        }
        broken = connection.execute(
            "select i.promise, i.violations from orderlatch.invariants as i where i.violations > 0"
        ).fetchall()
        counts = connection.execute(
            "select count(*), count(*) filter (where d.status = 'in_doubt')"
            " from orderlatch.decisions as d where d.account = %s",
            [account],
        ).fetchone()
        assert counts is not None
        return cls(
            decisions=counts[0],
            orders=len(orders),
            duplicates=len(truth) - len({order["client_order_id"] for order in truth}),
            in_doubt=counts[1],
            violations=sum(number for _, number in broken) + len(orders ^ known),
            findings=(
                *(f"{number} violations: {promise}" for promise, number in broken),
                *(f"{order} of {name} is at the broker only" for name, order in sorted(orders - known)),
                *(f"{order} of {name} is in the database only" for name, order in sorted(known - orders)),
            ),
        )

    def agree(self, expected: int) -> bool:
        """Tell whether each of the expected decisions has exactly its one order."""
        return (self.decisions, self.orders, self.duplicates, self.in_doubt, self.violations) == (
            expected,
            expected,
            0,
            0,
            0,
        )

    def last_line(self) -> str:
        """Say it in one line that a script can read."""
        return (
            f"demo {'ok' if self.agree(self.decisions) and self.decisions else 'failed'}: "
            f"decisions={self.decisions} orders={self.orders} duplicates={self.duplicates} "
            f"in_doubt={self.in_doubt} violations={self.violations}"
        )


def print_faults(faults: Sequence[tuple[int, str]]) -> None:
    """Say what was done to the calls."""
    click.echo("\nWhat the broker and the demo did to the calls that submit orders:")
    for nth, says in faults:
        click.echo(f"  call {nth:>2}: {says}")


def print_table(connection: psycopg.Connection, account: str) -> None:
    """Show the calls by kind and meaning, as psql would."""
    rows = connection.execute(
        "select w.kind, coalesce(w.meaning, w.state), count(*), count(distinct w.decision_hash)"
        " from orderlatch.wire as w where w.account = %s group by 1, 2 order by 1, 3 desc, 2",
        [account],
    ).fetchall()
    click.echo("\nWhat the answers were taken to mean (view orderlatch.wire):")
    click.echo(f"  {'kind':<14} {'meaning':<20} {'calls':>5} {'decisions':>9}")
    for kind, meaning, calls, decisions in rows:
        click.echo(f"  {kind:<14} {meaning:<20} {calls:>5} {decisions:>9}")


def print_story(connection: psycopg.Connection, account: str) -> None:
    """Tell the life of the decision that took the longest way."""
    row = connection.execute(
        "select e.decision_hash from orderlatch.events as e where e.account = %s"
        " group by e.decision_hash order by count(*) desc, min(e.event_id) limit 1",
        [account],
    ).fetchone()
    assert row is not None
    click.echo(f"\nThe longest way, as psql tells it: select * from orderlatch.explain_decision('{row[0]}');")
    for at, story in connection.execute(
        "select to_char(s.at at time zone 'UTC', 'HH24:MI:SS.MS'), s.story"
        " from orderlatch.explain_decision(%s) as s",
        [row[0]],
    ):
        click.echo(f"  {at}  {story}")
    click.echo("")
