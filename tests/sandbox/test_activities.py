"""FILL activities: what they say, how they are paged, when they show, and what takes them back."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.client import Client, listening
from worker.sandbox.clock import NS
from worker.sandbox.values import parse_time, time_text

if TYPE_CHECKING:
    from worker.sandbox.values import Json

PATH = "/v2/account/activities"


def buy(client: Client, *parts: str, **members: Json) -> str:
    """The id of an order of 10 that was filled by hand in these parts, at 100, a second apart."""
    placed = client.place_limit("100", qty="10", **members)
    for qty in parts:
        client.pass_time()
        client.fill(placed["id"], qty=qty)
    return str(placed["id"])


def test_a_fill_is_an_activity(client: Client) -> None:
    order_id = buy(client, "4", "6")
    whole, part = client.activities()
    assert part == {
        "id": part["id"],
        "activity_type": "FILL",
        "transaction_time": part["transaction_time"],
        "type": "partial_fill",
        "price": "100",
        "qty": "4",
        "side": "buy",
        "symbol": "GOOG",
        "leaves_qty": "6",
        "order_id": order_id,
        "cum_qty": "4",
        "order_status": "partially_filled",
    }
    assert [whole[name] for name in ("type", "qty", "cum_qty", "leaves_qty", "order_status")] == [
        "fill",
        "6",
        "10",
        "0",
        "filled",
    ]


@pytest.mark.parametrize(
    ("at", "prefix"),
    [
        ("2026-10-08T15:10:21.378123456Z", "20261008111021378"),
        ("2026-12-08T15:10:21.378123456Z", "20261208101021378"),
        ("2027-03-14T06:59:59.999Z", "20270314015959999"),
        ("2027-03-14T07:00:00Z", "20270314030000000"),
        ("2027-11-07T05:59:59Z", "20271107015959000"),
        ("2027-11-07T06:00:00Z", "20271107010000000"),
    ],
)
def test_ids_begin_with_the_time_of_new_york(client: Client, at: str, prefix: str) -> None:
    client.clock.advance((parse_time(at) - client.clock.now_ns()) / NS)
    client.clock.advance((parse_time(at) - client.clock.now_ns()) / NS)  # a float has not all the digits
    placed = client.place_limit("100")
    client.fill(placed["id"])
    (activity,) = client.activities()
    assert str(activity["id"]).startswith(f"{prefix}::")
    assert parse_time(str(activity["transaction_time"])) == round(parse_time(at), -3)


def test_fills_of_one_moment_are_in_the_order_of_their_uuids(client: Client) -> None:
    order_id = buy(client)
    client.fill(order_id, price=None, parts=[{"qty": "1", "price": "100"}] * 10)
    found = client.activities(direction="asc")
    assert len({str(activity["id"]).split("::")[0] for activity in found}) == 1
    assert [activity["id"] for activity in found] == sorted(str(activity["id"]) for activity in found)
    assert sorted(int(str(activity["cum_qty"])) for activity in found) == list(range(1, 11))
    assert [activity["id"] for activity in client.activities()] == [
        activity["id"] for activity in reversed(found)
    ]


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("size", ["1", "3", "7"])
def test_paging_by_the_last_id_visits_every_activity_once(client: Client, direction: str, size: str) -> None:
    order_id = buy(client)
    client.pass_time()
    for count in (3, 4, 2):
        client.fill(order_id, price=None, parts=[{"qty": "1", "price": "100"}] * count)
        client.pass_time(0.0005)
    whole = [activity["id"] for activity in client.activities(direction=direction)]
    paged: list[Json] = []
    page = client.activities(direction=direction, page_size=size)
    while page:
        paged += [activity["id"] for activity in page]
        page = client.activities(direction=direction, page_size=size, page_token=str(page[-1]["id"]))
    assert paged == whole
    assert len(whole) == 9


def test_bounds_are_exclusive_and_go_with_a_token(client: Client) -> None:
    order_id = buy(client)
    times = []
    for _ in range(5):
        times.append(time_text(client.clock.now_ns()))
        client.fill(order_id, qty="2")
        client.pass_time(3600)
    bounds = {"after": times[0], "until": times[4], "direction": "asc"}
    found = client.activities(**bounds)
    assert [activity["transaction_time"] for activity in found] == times[1:4]
    rest = client.activities(**bounds, page_token=str(found[0]["id"]))
    assert rest == found[1:]
    assert len(client.activities(until=times[2])) == 2
    assert len(client.activities(after="2026-01-01")) == 5


def test_a_date_is_a_day_of_new_york_without_a_largest_page(client: Client) -> None:
    client.clock.advance((parse_time("2028-06-01T03:59:59Z") - client.clock.now_ns()) / NS)
    placed = client.place_limit("1", qty="300", time_in_force="gtc")
    client.fill(placed["id"], qty="1")
    client.pass_time(2)
    client.fill(placed["id"], price=None, parts=[{"qty": "1", "price": "1"}] * 150)
    assert len(client.activities(date="2028-05-31")) == 1
    assert len(client.activities(date="2028-06-01")) == 150
    assert len(client.activities(date="2028-06-01", page_size="120")) == 120
    assert client.activities(date="2028-06-02") == []
    assert len(client.activities()) == 100


def test_an_hour_that_comes_twice_hides_nothing(client: Client) -> None:
    """The night in which New York's clocks go back: the ids go back, the times go on."""
    client.clock.advance((parse_time("2028-11-05T05:30:00Z") - client.clock.now_ns()) / NS)
    order_id = buy(client, time_in_force="gtc")
    before = time_text(client.clock.now_ns())
    client.pass_time(0.001)
    client.fill(order_id, qty="1")
    client.pass_time(1800)
    client.fill(order_id, qty="1")
    assert len(client.activities(after=before)) == 2
    assert len(client.activities(date="2028-11-05")) == 2
    first, second = sorted(client.activities(), key=lambda activity: str(activity["transaction_time"]))
    assert str(second["id"]) < str(first["id"])


def test_activities_are_narrowed_by_order_and_account(client: Client, other: Client) -> None:
    first, second = buy(client, "10"), buy(client, "1")
    theirs = other.place_limit("100")
    client.fill(theirs["id"])
    assert [activity["order_id"] for activity in client.activities(order_id=first)] == [first]
    assert {activity["order_id"] for activity in client.activities()} == {first, second}
    assert client.activities(order_id=str(uuid.uuid4())) == []


def test_both_paths_and_other_types(client: Client) -> None:
    buy(client, "10")
    for path, query in (
        (PATH, {"activity_types": "FILL"}),
        (PATH, {"activity_types": "DIV,FILL"}),
        (PATH, {}),
    ):
        assert client.http.get(path, params=query).json() == client.activities()
    assert client.http.get(f"{PATH}/DIV").json() == []
    unknown = client.http.get(f"{PATH}/FFFFF")
    assert (unknown.status_code, unknown.json()) == (
        422,
        {"code": 40010001, "message": "invalid activity type: FFFFF"},
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"direction": "up"}, 'direction can only be "asc" or "desc"'),
        ({"page_size": "0"}, "page_size must be a positive number"),
        ({"page_size": "101"}, "page_size must be at most 100"),
        ({"after": "yesterday"}, "invalid after: yesterday"),
        ({"date": "someday"}, "invalid date: someday"),
        ({"date": "2026-10-08", "after": "2026-10-08"}, "date cannot be used with after or until"),
    ],
)
def test_a_bad_query_is_422(client: Client, query: dict[str, str], message: str) -> None:
    response = client.http.get(f"{PATH}/FILL", params=query)
    assert (response.status_code, response.json()) == (422, {"code": 40010001, "message": message})


def test_an_activity_may_show_later_than_its_order(client: Client) -> None:
    client.settings(fill_delay_ms=30_000)
    order_id = buy(client)
    client.fill(order_id, qty="4")
    client.fill(order_id, qty="6", visible_after_s=0)
    assert client.get(order_id)["status"] == "filled"
    assert [activity["qty"] for activity in client.activities()] == ["6"]
    client.pass_time(29.9)
    assert len(client.activities()) == 1
    client.pass_time(0.1)
    late, seen = client.activities(direction="asc")
    assert (late["qty"], seen["qty"]) in {("4", "6"), ("6", "4")}
    assert late["transaction_time"] == seen["transaction_time"], "it took its place among those seen before"


# Busts and corrections


def test_a_busted_fill_never_was(client: Client) -> None:
    order_id = buy(client, "4", "6")
    first = client.activities(direction="asc")[0]
    execution = str(first["id"]).split("::")[1]
    client.pass_time()
    with listening(client) as stream:
        bust = client.tell("POST", f"executions/{execution}/bust", {})
        assert isinstance(bust, dict)
        update = stream.update()
    shown = client.activities()[0]
    assert shown == bust
    assert [shown[name] for name in ("type", "qty", "price", "cum_qty", "previous_execution_id")] == [
        "trade_bust",
        "4",
        "100",
        "6",
        execution,
    ]
    order = client.get(order_id)
    assert (order["status"], order["filled_qty"], order["filled_avg_price"]) == ("filled", "6", "100")
    assert order["updated_at"] == update["at"]
    assert (update["event"], update["previous_execution_id"], update["position_qty"]) == (
        "trade_bust",
        execution,
        "6",
    )
    assert update["execution_id"] == str(shown["id"]).split("::")[1]
    assert client.positions() == {"GOOG": "6"}
    assert client.ask("POST", f"executions/{execution}/bust", {}).status_code == 404, "it counts no more"


def test_a_bust_of_everything_leaves_no_average(client: Client) -> None:
    order_id = buy(client, "10")
    client.tell("POST", f"executions/{str(client.activities()[0]['id']).split('::')[1]}/bust", {})
    order = client.get(order_id)
    assert (order["filled_qty"], order["filled_avg_price"]) == ("0", None)
    assert client.positions() == {}
    account = client.http.get("/v2/account").json()
    assert (account["cash"], account["buying_power"]) == ("100000", "400000")


@pytest.mark.parametrize(
    ("change", "filled_qty", "average"),
    [
        ({"qty": "2"}, "8", "100"),
        ({"price": "95"}, "10", "98"),
        ({"qty": "2", "price": "60"}, "8", "90"),
    ],
)
def test_a_corrected_fill_has_another_quantity_or_price(
    client: Client, change: dict[str, Json], filled_qty: str, average: str
) -> None:
    order_id = buy(client, "4", "6")
    first = next(activity for activity in client.activities() if activity["qty"] == "4")
    execution = str(first["id"]).split("::")[1]
    client.pass_time()
    with listening(client) as stream:
        client.tell("POST", f"executions/{execution}/correct", change)
        update = stream.update()
    shown = client.activities()[0]
    assert (shown["type"], shown["previous_execution_id"]) == ("trade_correct", execution)
    assert (shown["qty"], shown["price"]) == (change.get("qty", "4"), change.get("price", "100"))
    assert (update["event"], update["qty"], update["price"]) == (
        "trade_correct",
        shown["qty"],
        shown["price"],
    )
    order = client.get(order_id)
    assert (order["filled_qty"], order["filled_avg_price"]) == (filled_qty, average)
    assert client.positions() == {"GOOG": filled_qty}


def test_a_correction_can_be_corrected_and_busted(client: Client) -> None:
    order_id = buy(client, "10")
    execution = str(client.activities()[0]["id"]).split("::")[1]
    chain = [execution]
    steps: list[tuple[str, dict[str, Json]]] = [
        ("correct", {"qty": "9"}),
        ("correct", {"qty": "8"}),
        ("bust", {}),
    ]
    for path, body in steps:
        client.pass_time()
        made = client.tell("POST", f"executions/{chain[-1]}/{path}", body)
        assert isinstance(made, dict)
        assert made["previous_execution_id"] == chain[-1]
        chain.append(str(made["id"]).split("::")[1])
    assert client.get(order_id)["filled_qty"] == "0"
    (row,) = client.family()
    assert isinstance(row["fills"], list)
    assert [fill["counts"] for fill in row["fills"] if isinstance(fill, dict)] == [False] * 4


def test_busts_may_be_hidden_from_the_activities(client: Client) -> None:
    client.settings(activity_busts="hidden")
    order_id = buy(client, "4", "6")
    with listening(client) as stream:
        client.tell("POST", f"executions/{str(client.activities()[0]['id']).split('::')[1]}/bust", {})
        assert stream.events(1) == ["trade_bust"]
    assert [activity["type"] for activity in client.activities()] == ["fill", "partial_fill"]
    assert client.get(order_id)["filled_qty"] != "10"
    (row,) = client.family()
    assert isinstance(row["fills"], list)
    assert [fill["visible_at"] for fill in row["fills"] if isinstance(fill, dict)][-1] is None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("bust", {"qty": "1"}, 400),
        ("correct", {}, 400),
        ("correct", {"qty": "0"}, 400),
        ("correct", {"price": "-1"}, 400),
    ],
)
def test_a_reversal_that_makes_no_sense_is_refused(
    client: Client, path: str, body: dict[str, Json], status: int
) -> None:
    buy(client, "10")
    execution = str(client.activities()[0]["id"]).split("::")[1]
    assert client.ask("POST", f"executions/{execution}/{path}", body).status_code == status
    assert client.ask("POST", f"executions/{uuid.uuid4()}/bust", {}).status_code == 404
