"""Keys, headers, the rate limit, and paths that lead nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.sandbox.client import BY_CLIENT_ORDER_ID, OTHER, PAPER, headers_of

if TYPE_CHECKING:
    from tests.sandbox.client import Client


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"APCA-API-KEY-ID": PAPER.key},
        {"APCA-API-KEY-ID": PAPER.key, "APCA-API-SECRET-KEY": "wrong"},
        {"APCA-API-KEY-ID": "unknown", "APCA-API-SECRET-KEY": PAPER.secret},
        {"APCA-API-KEY-ID": PAPER.key, "APCA-API-SECRET-KEY": OTHER.secret},
        {"Authorization": "Bearer abc"},
        {"Authorization": "Basic !!!"},
    ],
)
def test_a_call_without_a_good_key_is_401_without_a_code(client: Client, headers: dict[str, str]) -> None:
    response = httpx.get(f"{client.url}/v2/account", headers=headers)
    assert response.status_code == 401
    assert response.content == b'{"message": "unauthorized."}\n'
    assert response.headers["www-authenticate"] == 'Bearer, Basic realm="alpaca.markets"'
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])
    assert "x-ratelimit-limit" not in response.headers


def test_http_basic_opens_the_account_too(client: Client) -> None:
    response = httpx.get(f"{client.url}/v2/account", auth=(OTHER.key, OTHER.secret))
    assert response.json()["id"] == OTHER.broker_account_id


def test_each_key_sees_its_own_account_and_orders(client: Client, other: Client) -> None:
    mine = client.place(client_order_id="same-id")
    its = other.place(client_order_id="same-id")
    assert mine["id"] != its["id"]
    assert client.find("same-id").json()["id"] == mine["id"]
    assert other.http.get(f"/v2/orders/{mine['id']}").status_code == 404
    assert [found["id"] for found in other.orders()] == [its["id"]]


def test_swapped_keys_open_each_others_account(client: Client, other: Client) -> None:
    theirs = other.place()
    client.tell("POST", "swap", {"one": "paper", "other": "other"})
    assert client.http.get("/v2/account").json()["id"] == OTHER.broker_account_id
    assert other.http.get("/v2/account").json()["id"] == PAPER.broker_account_id
    assert client.get(theirs["id"])["id"] == theirs["id"]
    client.tell("POST", "swap", {"one": "other", "other": "paper"})
    assert client.http.get("/v2/account").json()["id"] == PAPER.broker_account_id


def test_every_answer_names_its_request_and_the_budget(client: Client) -> None:
    responses = [
        client.http.get("/v2/account"),
        client.submit(qty="-1"),
        client.find("nobody"),
        client.http.get("/v2/nowhere"),
    ]
    assert [response.status_code for response in responses] == [200, 422, 404, 404]
    assert len({response.headers["x-request-id"] for response in responses}) == 4
    for number, response in enumerate(responses, start=1):
        assert response.headers["x-ratelimit-limit"] == "200"
        assert response.headers["x-ratelimit-remaining"] == str(200 - number)
        assert response.headers["content-type"] == "application/json; charset=UTF-8"


def test_the_rate_limit_counts_every_request_of_a_key_in_a_fixed_window(
    client: Client, other: Client
) -> None:
    client.settings(rate_limit=3, rate_window_s=60)
    client.pass_time(60.001 - client.clock.now_ns() / 1e9 % 60)  # to the start of a window
    client.find("nobody")
    client.submit(qty="-1")
    last = client.http.get("/v2/account")
    assert last.headers["x-ratelimit-remaining"] == "0"
    refused = client.submit(client_order_id="too-many")
    assert refused.status_code == 429
    assert refused.json() == {"code": 42910000, "message": "rate limit exceeded"}
    assert int(refused.headers["x-ratelimit-reset"]) == client.clock.now_ns() // 10**9 + 60
    assert client.truth("too-many") == []
    assert other.http.get("/v2/account").status_code == 200, "another key has its own window"
    client.pass_time(59)
    assert client.http.get("/v2/account").status_code == 429
    client.pass_time(1)
    assert client.http.get("/v2/account").headers["x-ratelimit-remaining"] == "2"


def test_without_a_rate_limit_there_are_no_headers(client: Client) -> None:
    client.settings(rate_limit=0)
    response = client.http.get("/v2/account")
    assert response.status_code == 200
    assert "x-ratelimit-limit" not in response.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v2/nowhere"), ("GET", "/"), ("PUT", "/v2/orders"), ("GET", "/v2/orders:by_client_id")],
)
def test_an_unknown_endpoint_is_a_404_that_says_so(client: Client, method: str, path: str) -> None:
    response = client.http.request(method, path)
    assert response.status_code == 404
    assert response.json() == {"code": 40410000, "message": "endpoint not found"}


ACCOUNT_KEYS = """
id account_number status crypto_status currency cash buying_power regt_buying_power
effective_buying_power non_marginable_buying_power options_buying_power portfolio_value equity
last_equity long_market_value short_market_value position_market_value initial_margin
maintenance_margin last_maintenance_margin sma multiplier accrued_fees pending_reg_taf_fees
intraday_adjustments balance_asof created_at account_blocked trading_blocked transfers_blocked
trade_suspended_by_user shorting_enabled options_approved_level options_trading_level crypto_tier
admin_configurations user_configurations
"""


def test_the_account_has_the_recorded_keys(client: Client) -> None:
    account = client.http.get("/v2/account").json()
    assert account["id"] == PAPER.broker_account_id
    assert set(account) == set(ACCOUNT_KEYS.split())
    money = {name: value for name, value in account.items() if name in ("cash", "buying_power", "multiplier")}
    assert money == {"cash": "100000", "buying_power": "400000", "multiplier": "4"}


def test_an_order_is_found_by_either_id_and_nothing_else(client: Client) -> None:
    placed = client.place(client_order_id="a b/ü?&=%")
    assert client.get(placed["id"])["client_order_id"] == "a b/ü?&=%"
    assert client.find("a b/ü?&=%").json()["id"] == placed["id"]
    unknown = client.find("nobody")
    assert (unknown.status_code, unknown.json()) == (
        404,
        {"code": 40410000, "message": "order not found for nobody"},
    )
    missing = client.http.get("/v2/orders/99999999-9999-4999-8999-999999999999")
    assert missing.json()["message"] == "order not found for 99999999-9999-4999-8999-999999999999"
    no_uuid = client.http.get("/v2/orders/abc")
    assert (no_uuid.status_code, no_uuid.json()) == (
        422,
        {"code": 40010001, "message": "order_id is missing"},
    )
    for path in (BY_CLIENT_ORDER_ID, BY_CLIENT_ORDER_ID + "?client_order_id="):
        empty = client.http.get(path)
        assert (empty.status_code, empty.json()["message"]) == (422, "client_order_id is missing")


def test_keys_and_secrets_are_nowhere_in_what_the_sandbox_keeps(client: Client) -> None:
    client.place()
    httpx.get(f"{client.url}/v2/account", headers=headers_of(OTHER) | {"Authorization": "Bearer token-1"})
    shown = "".join(
        client.ask("GET", path).text for path in ("calls", "orders", "accounts", "settings", "posts")
    )
    assert client.calls(), "the log is not simply empty"
    for secret in (PAPER.key, PAPER.secret, OTHER.key, OTHER.secret, "token-1"):
        assert secret not in shown
    assert PAPER.secret not in repr(PAPER)
