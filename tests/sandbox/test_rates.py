"""What the sandbox counts of its clients, and both kinds of windows."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from worker.sandbox.clock import NS
from worker.sandbox.rates import Rates, kind_of
from worker.sandbox.settings import Settings

if TYPE_CHECKING:
    from tests.sandbox.client import Client
    from worker.sandbox.values import Json


def shown(client: Client, account: str = "paper") -> dict[str, Json]:
    found = client.tell("GET", "rates")
    assert isinstance(found, dict)
    row = found[account]
    assert isinstance(row, dict)
    return row


def to_a_new_window(client: Client) -> None:
    client.pass_time(60 - client.clock.now_ns() % (60 * NS) / NS)


def test_every_request_is_counted_by_its_kind(client: Client, other: Client) -> None:
    placed = client.place()
    client.get(placed["id"])
    client.find("nobody")
    client.cancel(placed["id"])
    client.http.get("/v2/positions/GOOG")
    client.http.get("/v2/nowhere/at/all")
    client.orders()
    other.orders()
    row = shown(client)
    assert row["requests"] == 7
    assert row["kinds"] == {
        "POST /v2/orders": 1,
        "GET /v2/orders/*": 1,
        "GET /v2/orders:by_client_order_id": 1,
        "DELETE /v2/orders/*": 1,
        "GET /v2/positions/*": 1,
        "other": 1,
        "GET /v2/orders": 1,
    }
    assert shown(client, "other")["requests"] == 1


def test_counts_stay_with_the_key_when_keys_are_swapped(client: Client) -> None:
    client.tell("POST", "swap", {"one": "paper", "other": "other"})
    client.orders()
    assert shown(client)["requests"] == 1


def test_a_burst_over_the_edge_of_fixed_windows_is_seen(client: Client) -> None:
    client.settings(rate_limit=5)
    to_a_new_window(client)
    client.pass_time(59)
    assert [client.http.get("/v2/account").status_code for _ in range(5)] == [200] * 5
    client.pass_time(2)
    assert [client.http.get("/v2/account").status_code for _ in range(6)] == [200] * 5 + [429]
    row = shown(client)
    assert (row["requests"], row["throttled"]) == (11, 1)
    assert (row["most_in_a_fixed_window"], row["most_in_a_sliding_window"]) == (6, 11)


def test_a_sliding_window_allows_no_such_burst(client: Client) -> None:
    client.settings(rate_limit=5, rate_window="sliding")
    to_a_new_window(client)
    client.pass_time(59)
    assert [client.http.get("/v2/account").status_code for _ in range(5)] == [200] * 5
    client.pass_time(2)
    refused = client.http.get("/v2/account")
    assert refused.status_code == 429
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert int(refused.headers["x-ratelimit-reset"]) == client.clock.now_ns() // NS + 58
    client.pass_time(58)
    assert client.http.get("/v2/account").headers["x-ratelimit-remaining"] == "3", (
        "five left, one refused stays"
    )


def test_a_429_of_a_fault_is_not_one_of_the_limit(client: Client) -> None:
    client.fault("answer", when="before", body="rate_limited")
    assert client.submit().status_code == 429
    assert shown(client)["throttled"] == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_fullest_windows_are_exact(seed: int) -> None:
    """Against counting again for every window that ends with a request."""
    chance, rates, settings = random.Random(seed), Rates(), Settings(rate_window_s=60, rate_limit=50)
    now_ns, times, throttled = 1_791_471_600 * NS, list[int](), 0
    for _ in range(800):
        now_ns += chance.choice([0, 1, NS // 7, NS, 9 * NS])
        times.append(now_ns)
        throttled += rates.spend("key", "GET /v2/orders", now_ns, settings).exceeded
    fixed = Counter(at_ns // (60 * NS) for at_ns in times)
    sliding = max(sum(end_ns - 60 * NS < at_ns <= end_ns for at_ns in times) for end_ns in times)
    row = rates.shown()["key"]
    assert isinstance(row, dict)
    assert (row["requests"], row["throttled"]) == (800, throttled)
    assert row["most_in_a_fixed_window"] == max(fixed.values())
    assert row["most_in_a_sliding_window"] == sliding
    assert throttled == sum(max(0, count - 50) for count in fixed.values())


def test_what_is_remembered_is_one_window() -> None:
    rates, settings = Rates(), Settings()
    for second in range(10_000):
        rates.spend("key", kind_of("GET", f"/v2/{second}"), second * NS, settings)
    (key,) = rates._keys.values()
    assert (len(key.recent), len(key.kinds)) == (60, 1)


def test_a_reset_begins_anew(client: Client) -> None:
    client.orders()
    client.tell("POST", "reset")
    assert client.tell("GET", "rates") == {}
