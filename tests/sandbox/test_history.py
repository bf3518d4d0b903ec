"""A used account: a loaded past, pages over it, reads that lag, and the truth in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.client import PAPER
from worker.sandbox.app import Sandbox
from worker.sandbox.book import Fate
from worker.sandbox.clock import ManualClock
from worker.sandbox.endpoints import Ask, Endpoints
from worker.sandbox.history import load_history
from worker.sandbox.members import Members
from worker.sandbox.reads import Reads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.client import Client
    from worker.sandbox.values import Json


def load(client: Client, **members: Json) -> dict[str, Json]:
    found = client.tell("POST", "history", {"account": "paper", "orders": 40, **members})
    assert isinstance(found, dict)
    return found


def test_a_past_is_loaded(client: Client) -> None:
    told = load(client, fills_per_order=3, open=5, symbols=["GOOG", "KO"])
    assert (told["orders"], told["open"]) == (40, 5)
    orders = client.orders(status="all", direction="asc", limit="500")
    assert [orders[0]["id"], orders[-1]["id"]] == [told["first_id"], told["last_id"]]
    assert {order["symbol"] for order in orders} == {"GOOG", "KO"}
    assert [order["status"] for order in orders[-5:]] == ["new"] * 5
    assert len(client.orders()) == 5
    assert [number for number, order in enumerate(orders) if order["status"] == "canceled"] == [9, 19, 29]
    assert {order["status"] for order in orders[:35]} == {"filled", "canceled"}
    assert told["fills"] == 32 * 3
    assert client.summary()["foreign"] == 0


def test_fills_and_holdings_of_a_past_agree_with_its_orders(client: Client) -> None:
    load(client, fills_per_order=4)
    held: dict[str, int] = {}
    for row in client.family():
        order, fills = row["order"], row["fills"]
        assert isinstance(order, dict)
        assert isinstance(fills, list)
        bought = sum(int(str(fill["qty"])) for fill in fills if isinstance(fill, dict))
        assert str(bought) == order["filled_qty"]
        sign = 1 if order["side"] == "buy" else -1
        held["GOOG"] = held.get("GOOG", 0) + sign * bought
    assert client.positions() == {symbol: str(qty) for symbol, qty in held.items() if qty}
    truth = client.tell("GET", "truth?account=paper")
    assert isinstance(truth, dict)
    assert truth["positions"] == [{"account": "paper", "symbol": "GOOG", "qty": str(held["GOOG"])}]


def test_the_same_seed_makes_the_same_past(client: Client) -> None:
    span: dict[str, Json] = {"from": "2025-01-01", "to": "2025-02-01", "seed": 7}
    load(client, **span)
    once = client.orders(status="all", limit="500")
    client.tell("POST", "reset")
    load(client, **span)
    assert client.orders(status="all", limit="500") == once
    client.tell("POST", "reset")
    load(client, **{**span, "seed": 8})
    assert client.orders(status="all", limit="500") != once


def test_page_edges_may_lie_among_equal_times(client: Client) -> None:
    load(client, orders=30, at_once=10)
    orders = client.orders(status="all", direction="asc", limit="15")
    assert orders[-1]["submitted_at"] == orders[10]["submitted_at"]
    rest = client.orders(status="all", direction="asc", after=str(orders[-1]["submitted_at"]))
    assert len(orders) + len(rest) == 25, "five were skipped, as at Alpaca"


@pytest.mark.parametrize(
    "members",
    [
        {"orders": 0},
        {"orders": 10**7},
        {"orders": 5, "open": 6},
        {"symbols": "GOOG"},
        {"from": "2026-01-01", "to": "2025-01-01"},
        {"from": "long ago"},
        {"color": "red"},
    ],
)
def test_a_past_that_makes_no_sense_is_refused(client: Client, members: dict[str, Json]) -> None:
    body: dict[str, Json] = {"account": "paper", "orders": 5, **members}
    assert client.ask("POST", "history", body).status_code == 400
    assert client.truth() == []


def test_the_truth_comes_in_pages(client: Client) -> None:
    load(client, orders=25)
    whole = client.family()
    paged: list[Json] = []
    after: Json = 0
    while after is not None:
        page = client.tell("GET", f"truth?account=paper&limit=10&after={after}")
        assert isinstance(page, dict)
        assert isinstance(page["orders"], list)
        paged += page["orders"]
        after = page["next"]
    assert paged == whole
    assert len(whole) == 25
    assert client.family("other") == []


# Speed over a long past, measured in the process's own time


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """20,000 orders and 36,000 fills; what a page reads must not depend on how many there are."""
    sandbox = Sandbox(tmp_path_factory.mktemp("past"), [PAPER], ManualClock())
    body: Json = {
        "orders": 20_000,
        "fills_per_order": 2,
        "open": 1000,
        "at_once": 3,
        "symbols": ["GOOG", "KO"],
    }
    load_history(sandbox.book, "paper", Members(body, "history"))
    yield Endpoints(sandbox.book, Reads(sandbox.store, sandbox.clock))
    sandbox.close()


LAST_WEEKS = "2026-08-20T00:00:00Z"
PAGES: list[tuple[str, dict[str, str], int]] = [
    ("/v2/orders", {"status": "all", "limit": "500", "direction": "asc", "nested": "true"}, 500),
    ("/v2/orders", {"status": "all", "limit": "500", "after": LAST_WEEKS, "direction": "asc"}, 500),
    ("/v2/orders", {"status": "all", "limit": "500", "until": LAST_WEEKS}, 500),
    ("/v2/orders", {"status": "open", "limit": "500"}, 500),
    ("/v2/orders", {"status": "closed", "limit": "500"}, 500),
    ("/v2/orders", {"status": "all", "limit": "500", "symbols": "KO", "after": LAST_WEEKS}, 500),
    ("/v2/orders", {"status": "all", "symbols": "NONE"}, 0),
    ("/v2/account/activities/FILL", {"direction": "asc"}, 100),
    ("/v2/account/activities/FILL", {"direction": "asc", "after": LAST_WEEKS}, 100),
    ("/v2/account/activities/FILL", {"until": "2025-12-01T00:00:00Z"}, 100),
    ("/v2/account/activities/FILL", {"page_token": "20260301", "direction": "desc"}, 100),
]


@pytest.mark.parametrize(("path", "query", "rows"), PAGES)
def test_a_page_over_a_long_past_reads_little(
    endpoints: Endpoints, path: str, query: dict[str, str], rows: int
) -> None:
    """Counted in SQLite's own steps, so that a busy machine changes nothing."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 100
        return 0

    db = endpoints._reads.store.db
    db.set_progress_handler(count, 100)
    ask = Ask(account="paper", method="GET", path=path, query=query, members=None, fate=Fate(), call_no=0)
    found = endpoints.perform(ask).body
    db.set_progress_handler(None, 0)
    assert isinstance(found, list)
    assert len(found) == rows
    assert steps < 150 * rows + 2000, f"{steps} steps for {rows} rows"


# Reads that lag behind writes


def test_frozen_reads_lag_behind(client: Client) -> None:
    seen = client.place_limit("100")
    client.pass_time()
    client.tell("PUT", "reads", {"state": "frozen", "seconds": 30})
    client.fill(seen["id"])
    unseen = client.place(client_order_id="unseen")
    client.pass_time(29)
    assert client.get(seen["id"])["status"] == "new"
    assert [order["id"] for order in client.orders(status="all")] == [seen["id"]]
    assert client.find("unseen").status_code == 404
    assert client.activities() == []
    assert client.positions() == {}
    assert client.http.get("/v2/account").json()["cash"] == "100000"
    assert len(client.truth()) == 2, "the truth is not frozen"
    client.pass_time(1)
    assert client.get(seen["id"])["status"] == "filled"
    assert client.find("unseen").json()["id"] == unseen["id"]
    assert len(client.activities()) == 1
    assert client.positions() == {"GOOG": "5"}


def test_writes_go_to_the_truth_while_reads_are_frozen(client: Client) -> None:
    client.tell("PUT", "reads", {"state": "frozen", "seconds": 3600})
    placed = client.place_limit("100", client_order_id="once")
    assert client.submit(client_order_id="once").json()["message"] == "client_order_id must be unique"
    assert client.cancel(placed["id"]).status_code == 204
    assert client.http.get(f"/v2/orders/{placed['id']}").status_code == 404
    client.tell("PUT", "reads", {"state": "current"})
    assert client.get(placed["id"])["status"] == "pending_cancel"


def test_what_was_hidden_when_reads_froze_stays_hidden(client: Client) -> None:
    client.fault("hide", seconds=10)
    client.place(client_order_id="shy")
    client.tell("PUT", "reads", {"state": "frozen", "seconds": 20})
    client.pass_time(15)
    assert client.find("shy").status_code == 404
    client.pass_time(5)
    assert client.find("shy").status_code == 200
