"""The sandbox in the part of the broker: how a drill makes it misbehave, and what it has in its own books."""

from __future__ import annotations

import json
import textwrap
import time
from typing import TYPE_CHECKING, Final

import click

from worker.drills.prompt import LOOK_EVERY_S, PATIENCE_S, DrillError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

WIDTH: Final = 100
COLUMNS: Final = ("symbol", "side", "qty", "status", "filled", "made by", "posts", "client_order_id")
MADE_BY: Final = {"post": "POST", "late": "POST, late", "admin": "hand"}

LOOKUPS: Final = {"method": "GET", "path": "/v2/orders:by_client_order_id"}
READS: Final = {"method": "GET", "path": "/v2/orders*"}
SUBMITS: Final = {"method": "POST", "path": "/v2/orders"}


class Broker:
    """The admin API of the sandbox; every call that a person may want to repeat is shown."""

    def __init__(self, client: httpx.Client, account: str) -> None:
        self._client = client
        self._account = account

    def tell(self, method: str, path: str, body: Mapping[str, object] | None = None) -> None:
        """Make an admin call and show it; it must succeed."""
        _echo_told(f"{method} /admin/{path}" + ("" if body is None else f" {json.dumps(body)}"))
        click.echo()
        self.ask(method, path, body)

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx.Response:
        """Make an admin call that need not be shown; it must succeed."""
        answer = self._client.request(
            method, f"/admin/{path}", json={} if method == "POST" and body is None else body
        )
        if not answer.is_success:
            raise DrillError(f"the sandbox refused {method} /admin/{path}: {answer.text}")
        return answer

    def misbehave(self, match: Mapping[str, str], action: str, **options: object) -> int:
        """Set a fault for the calls that match, and show it; returns its id."""
        fault = {"match": match, "action": action, **options}
        _echo_told(f"POST /admin/faults {json.dumps(fault)}")
        fault_id = int(self.ask("POST", "faults", fault).json()["id"])
        click.echo()
        return fault_id

    def wait_for_held(self, gate: str) -> None:
        """Return once a call stands at a gate."""
        self.ask("GET", f"gates?gate={gate}&held=1&wait_s={PATIENCE_S}")

    def order_id(self, client_order_id: str) -> str:
        """The broker's id of the newest order with a client_order_id."""
        return str(self.ask("GET", f"orders?client_order_id={client_order_id}").json()[-1]["id"])

    def execution_id(self, order_id: str, qty: str) -> str:
        """The broker's id of the fill of an order that has a quantity."""
        for order in self.ask("GET", f"truth?account={self._account}").json()["orders"]:
            for fill in order["fills"]:
                if order["id"] == order_id and fill["qty"] == qty:
                    return str(fill["execution_id"])
        raise DrillError(f"order {order_id} has no fill of {qty}")

    def show_summary(self, **expected: int) -> None:
        """Show the counts in the broker's books; these must be so."""
        _echo_told("GET /admin/summary")
        summary = self.ask("GET", "summary").json()
        click.echo("  ".join(f"{name} {summary[name]}" for name in expected) + "\n")
        if any(summary[name] != count for name, count in expected.items()):
            raise DrillError(f"the broker should have: {expected}")

    def show_orders(self, *expected: tuple[str, ...], account: str | None = None) -> None:
        """Show the broker's own books until they hold these orders; cells as in COLUMNS."""
        account = account or self._account
        give_up_at = time.monotonic() + PATIENCE_S
        while (rows := self._orders(account)) != list(expected) and time.monotonic() < give_up_at:
            time.sleep(LOOK_EVERY_S)
        _echo_told(f"GET /admin/orders?account={account}")
        click.echo(table := _table(rows))
        if rows != list(expected):
            raise DrillError(f"the broker should have:\n{_table(expected)}\nand it has:\n{table}")

    def _orders(self, account: str) -> list[tuple[str, ...]]:
        return [
            (
                order["order"]["symbol"],
                order["order"]["side"],
                order["order"]["qty"],
                order["status"],
                order["order"]["filled_qty"],
                MADE_BY[order["origin"]],
                str(order["posts"]),
                order["client_order_id"][:12],
            )
            for order in self.ask("GET", f"orders?account={account}").json()
        ]


def _echo_told(text: str) -> None:
    """Show what is told to the sandbox, in lines that fit."""
    for number, line in enumerate(textwrap.wrap(text, WIDTH - 9, break_on_hyphens=False)):
        click.echo(click.style("sandbox# " if not number else " " * 9, dim=True) + line)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Lay rows out as psql does."""
    widths = [max(map(len, cells)) for cells in zip(COLUMNS, *rows, strict=True)]
    lines = [
        "|".join(f" {name:^{width}} " for name, width in zip(COLUMNS, widths, strict=True)),
        "+".join("-" * (width + 2) for width in widths),
        *(
            "|".join(f" {cell:<{width}} " for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ),
        f"({len(rows)} row{'s' if len(rows) != 1 else ''})\n",
    ]
    return "\n".join(lines)
