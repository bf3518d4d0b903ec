"""Alpaca's own SDK cannot tell the sandbox from Alpaca."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    AccountStatus,
    OrderSide,
    OrderStatus,
    OrderType,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.models import Order, TradeAccount
from alpaca.trading.requests import (
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    StopLimitOrderRequest,
    StopOrderRequest,
)

from tests.sandbox.client import BY_CLIENT_ORDER_ID, PAPER, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alpaca.trading.requests import OrderRequest


@pytest.fixture
def sdk(client: Client) -> Iterator[TradingClient]:
    """The SDK with its retries of 429 and 504 as they are, but without the pauses between them."""
    sdk = TradingClient(PAPER.key, PAPER.secret, url_override=client.url)
    sdk._retry_wait = 0
    yield sdk
    sdk._session.close()


def submitted(sdk: TradingClient, request: OrderRequest) -> Order:
    order = sdk.submit_order(request)
    assert isinstance(order, Order)
    return order


def market(client_order_id: str, qty: float = 5) -> MarketOrderRequest:
    return MarketOrderRequest(
        symbol="GOOG",
        qty=qty,
        side=OrderSide.BUY,
        time_in_force=TimeInForce.DAY,
        client_order_id=client_order_id,
    )


def test_the_account(sdk: TradingClient) -> None:
    account = sdk.get_account()
    assert isinstance(account, TradeAccount)
    assert (account.id, account.status) == (uuid.UUID(PAPER.broker_account_id), AccountStatus.ACTIVE)
    assert account.buying_power == "400000"


@pytest.mark.parametrize(
    ("request_", "type_"),
    [
        (market("m"), OrderType.MARKET),
        (
            MarketOrderRequest(
                symbol="GOOG", notional=12.5, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
            ),
            OrderType.MARKET,
        ),
        (
            LimitOrderRequest(
                symbol="GOOG",
                qty=1,
                limit_price=78.19,
                side=OrderSide.BUY,
                time_in_force=TimeInForce.GTC,
                extended_hours=True,
            ),
            OrderType.LIMIT,
        ),
        (
            StopOrderRequest(
                symbol="GOOG", qty=1, stop_price=78.19, side=OrderSide.SELL, time_in_force=TimeInForce.DAY
            ),
            OrderType.STOP,
        ),
        (
            StopLimitOrderRequest(
                symbol="GOOG",
                qty=1.5,
                stop_price=78.19,
                limit_price=79,
                side=OrderSide.BUY,
                time_in_force=TimeInForce.DAY,
            ),
            OrderType.STOP_LIMIT,
        ),
        (
            LimitOrderRequest(
                symbol="BTC/USD",
                qty=0.001,
                limit_price=50000,
                side=OrderSide.BUY,
                time_in_force=TimeInForce.IOC,
            ),
            OrderType.LIMIT,
        ),
    ],
)
def test_every_order_type_goes_in_and_comes_back(
    sdk: TradingClient, client: Client, request_: OrderRequest, type_: OrderType
) -> None:
    order = submitted(sdk, request_)
    assert (order.type, order.side, order.symbol) == (type_, request_.side, request_.symbol)
    assert order.status == OrderStatus.PENDING_NEW
    client.pass_time()
    again = sdk.get_order_by_id(order.id)
    assert isinstance(again, Order)
    assert again.id == order.id
    by_client_id = sdk.get_order_by_client_id(order.client_order_id)
    assert by_client_id == again
    assert len(client.truth()) == 1


def test_a_fill(sdk: TradingClient, client: Client) -> None:
    client.price("GOOG", "185.02")
    order = submitted(sdk, market("fill"))
    client.pass_time()
    filled = sdk.get_order_by_id(order.id)
    assert isinstance(filled, Order)
    assert (filled.status, filled.filled_qty, filled.filled_avg_price) == (OrderStatus.FILLED, "5", "185.02")
    assert filled.filled_at is not None


def test_lists(sdk: TradingClient, client: Client) -> None:
    for number in range(3):
        submitted(sdk, market(f"list-{number}"))
        client.pass_time()
    now = datetime.fromtimestamp(client.clock.now_ns() / 1e9, UTC)
    request = GetOrdersRequest(
        status=QueryOrderStatus.ALL,
        limit=2,
        after=now - timedelta(minutes=5),
        until=now,
        direction="asc",
        nested=True,
        symbols=["GOOG", "KO"],
        side=OrderSide.BUY,
    )
    orders = sdk.get_orders(request)
    assert [order.client_order_id for order in orders if isinstance(order, Order)] == ["list-0", "list-1"]
    assert len(sdk.get_orders()) == 3


def test_errors_carry_code_and_message(sdk: TradingClient) -> None:
    with pytest.raises(APIError) as missing:
        sdk.get_order_by_client_id("nobody")
    assert (missing.value.status_code, missing.value.code) == (404, 40410000)
    submitted(sdk, market("once"))
    with pytest.raises(APIError) as duplicate:
        sdk.submit_order(market("once"))
    assert (duplicate.value.status_code, duplicate.value.code) == (422, 40010001)
    assert duplicate.value.message == "client_order_id must be unique"
    with pytest.raises(APIError) as poor:
        sdk.submit_order(
            LimitOrderRequest(
                symbol="GOOG", qty=1e6, limit_price=100, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
            )
        )
    assert (poor.value.status_code, poor.value.message) == (403, "insufficient buying power")


def test_a_bad_key_has_no_code(client: Client) -> None:
    stranger = TradingClient("nobody", "nothing", url_override=client.url)
    with pytest.raises(APIError) as refused:
        stranger.get_account()
    assert refused.value.status_code == 401
    with pytest.raises(KeyError):
        _ = refused.value.code
    stranger._session.close()


def test_the_sdks_own_retry_of_a_504_runs_into_its_first_copy(sdk: TradingClient, client: Client) -> None:
    client.fault("answer", body="gateway_timeout")
    with pytest.raises(APIError) as duplicate:
        sdk.submit_order(market("retried"))
    assert duplicate.value.message == "client_order_id must be unique"
    assert client.posts("retried")["statuses"] == [504, 422]
    assert sdk.get_order_by_client_id("retried") is not None


def test_the_sdk_waits_out_a_429(sdk: TradingClient, client: Client) -> None:
    client.fault("answer", when="before", body="rate_limited", count=2)
    submitted(sdk, market("patient"))
    assert client.posts("patient")["statuses"] == [429, 429, 200]


def test_server_side_rules_hold_for_raw_calls_too(sdk: TradingClient) -> None:
    with pytest.raises(APIError) as refused:
        sdk.post("/orders", {"symbol": "GOOG", "qty": 1, "notional": 5})
    assert refused.value.message == "invalid side"
    assert BY_CLIENT_ORDER_ID.endswith(":by_client_order_id")
