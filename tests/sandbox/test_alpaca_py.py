"""Alpaca's own SDK cannot tell the sandbox from Alpaca."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    AccountStatus,
    AssetClass,
    OrderClass,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    QueryOrderStatus,
    TimeInForce,
    TradeEvent,
)
from alpaca.trading.models import (
    Asset,
    Calendar,
    Order,
    Position,
    TradeAccount,
    TradeUpdate,
)
from alpaca.trading.models import Clock as MarketClock
from alpaca.trading.requests import (
    CancelOrderResponse,
    GetCalendarRequest,
    GetOrderByIdRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)
from alpaca.trading.stream import TradingStream

from tests.sandbox.client import BY_CLIENT_ORDER_ID, PAPER, Client, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alpaca.trading.requests import OrderRequest

    from worker.sandbox.values import Json


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


# Changes


def test_a_cancel_of_one_and_of_all(sdk: TradingClient, client: Client) -> None:
    first = submitted(sdk, market("first"))
    sdk.cancel_order_by_id(first.id)
    client.pass_time()
    gone = sdk.get_order_by_id(first.id)
    assert isinstance(gone, Order)
    assert gone.status == OrderStatus.CANCELED
    second = submitted(sdk, market("second"))
    (answer,) = sdk.cancel_orders()
    assert isinstance(answer, CancelOrderResponse)
    assert (answer.id, answer.status) == (second.id, 200)
    with pytest.raises(APIError) as unknown:
        sdk.cancel_order_by_id(uuid.uuid4())
    assert unknown.value.code == 40410000


def test_a_replace(sdk: TradingClient, client: Client) -> None:
    request = LimitOrderRequest(
        symbol="GOOG", qty=5, limit_price=100, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
    )
    old = submitted(sdk, request)
    client.pass_time()
    new = sdk.replace_order_by_id(old.id, ReplaceOrderRequest(qty=7, limit_price=99.5))
    assert isinstance(new, Order)
    assert (new.replaces, new.qty, new.limit_price) == (old.id, "7", "99.5")
    client.pass_time()
    replaced = sdk.get_order_by_id(old.id)
    assert isinstance(replaced, Order)
    assert (replaced.status, replaced.replaced_by) == (OrderStatus.REPLACED, new.id)
    with pytest.raises(APIError) as refused:
        sdk.replace_order_by_id(old.id, ReplaceOrderRequest(limit_price=99))
    assert refused.value.message == "order already replaced"


def exits() -> tuple[TakeProfitRequest, StopLossRequest]:
    return TakeProfitRequest(limit_price=110), StopLossRequest(stop_price=90, limit_price=89.5)


def test_a_bracket_nested_and_not(sdk: TradingClient, client: Client) -> None:
    profit, loss = exits()
    request = MarketOrderRequest(
        symbol="GOOG",
        qty=5,
        side=OrderSide.BUY,
        time_in_force=TimeInForce.GTC,
        order_class=OrderClass.BRACKET,
        take_profit=profit,
        stop_loss=loss,
    )
    order = submitted(sdk, request)
    assert order.order_class == OrderClass.BRACKET
    assert order.legs is not None
    assert [(leg.type, leg.status) for leg in order.legs] == [
        (OrderType.LIMIT, OrderStatus.HELD),
        (OrderType.STOP_LIMIT, OrderStatus.HELD),
    ]
    client.price("GOOG", "100")
    client.pass_time()
    again = sdk.get_order_by_id(order.id, GetOrderByIdRequest(nested=True))
    assert isinstance(again, Order)
    assert again.legs is not None
    assert [leg.status for leg in again.legs] == [OrderStatus.NEW, OrderStatus.HELD]
    everything = GetOrdersRequest(status=QueryOrderStatus.ALL, nested=False)
    assert len(sdk.get_orders(everything)) == 3
    everything.nested = True
    assert len(sdk.get_orders(everything)) == 1


def test_an_oto_an_oco_and_a_trailing_stop(sdk: TradingClient, client: Client) -> None:
    client.price("GOOG", "100")
    profit, loss = exits()
    oto = MarketOrderRequest(
        symbol="GOOG",
        qty=5,
        side=OrderSide.BUY,
        time_in_force=TimeInForce.DAY,
        order_class=OrderClass.OTO,
        stop_loss=loss,
    )
    assert len(submitted(sdk, oto).legs or []) == 1
    client.pass_time()
    sdk.cancel_orders()
    client.pass_time()
    oco = LimitOrderRequest(
        symbol="GOOG",
        qty=5,
        side=OrderSide.SELL,
        time_in_force=TimeInForce.GTC,
        order_class=OrderClass.OCO,
        take_profit=profit,
        stop_loss=loss,
    )
    assert submitted(sdk, oco).limit_price == "110"
    client.pass_time()
    sdk.cancel_orders()
    client.pass_time()
    trailing = TrailingStopOrderRequest(
        symbol="GOOG", qty=5, side=OrderSide.SELL, time_in_force=TimeInForce.DAY, trail_percent=5
    )
    order = submitted(sdk, trailing)
    client.pass_time()
    working = sdk.get_order_by_id(order.id)
    assert isinstance(working, Order)
    assert (working.trail_percent, working.hwm, working.stop_price) == ("5", "100", "95")


# Holdings, fills, the market


def test_positions(sdk: TradingClient, client: Client) -> None:
    client.price("GOOG", "185.02")
    client.price("BTC/USD", "50000")
    submitted(sdk, market("shares"))
    submitted(
        sdk,
        MarketOrderRequest(symbol="BTC/USD", qty=0.5, side=OrderSide.BUY, time_in_force=TimeInForce.GTC),
    )
    client.pass_time()
    coins, shares = (position for position in sdk.get_all_positions() if isinstance(position, Position))
    assert (coins.symbol, coins.asset_class, coins.qty) == ("BTCUSD", AssetClass.CRYPTO, "0.5")
    assert (shares.symbol, shares.side, shares.avg_entry_price) == ("GOOG", PositionSide.LONG, "185.02")
    assert sdk.get_open_position("BTCUSD") == coins
    with pytest.raises(APIError) as none:
        sdk.get_open_position("KO")
    assert none.value.message == "position does not exist"


def test_activities_have_no_call_of_their_own(sdk: TradingClient, client: Client) -> None:
    client.price("GOOG", "185.02")
    order = submitted(sdk, market("filled"))
    client.pass_time()
    (fill,) = sdk.get("/account/activities/FILL", {"page_size": 100, "direction": "asc"})
    assert (fill["order_id"], fill["type"], fill["qty"]) == (str(order.id), "fill", "5")


def test_clock_calendar_and_assets(sdk: TradingClient) -> None:
    clock = sdk.get_clock()
    assert isinstance(clock, MarketClock)
    assert clock.is_open
    days = sdk.get_calendar(GetCalendarRequest(start=date(2026, 10, 9), end=date(2026, 10, 12)))
    assert [day.date for day in days if isinstance(day, Calendar)] == [date(2026, 10, 9), date(2026, 10, 12)]
    asset = sdk.get_asset("GOOG")
    assert isinstance(asset, Asset)
    assert asset.tradable


# The stream


def test_the_stream(client: Client) -> None:
    updates: SimpleQueue[TradeUpdate] = SimpleQueue()

    async def take(update: TradeUpdate) -> None:
        updates.put(update)

    stream = TradingStream(PAPER.key, PAPER.secret, url_override=client.url.replace("http", "ws") + "/stream")
    stream.subscribe_trade_updates(take)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(stream.run)
        client.tell("GET", "stream?listening=1")
        client.price("GOOG", "185.02")
        placed = client.place()
        client.pass_time()
        seen = [updates.get(timeout=10) for _ in range(3)]
        stream.stop()
        client.place()  # wakes its loop, which looks for the stop before each message
        running.result(10)
    assert [update.event for update in seen] == [TradeEvent.PENDING_NEW, TradeEvent.NEW, TradeEvent.FILL]
    fill = seen[-1]
    assert (str(fill.order.id), fill.order.status) == (placed["id"], OrderStatus.FILLED)
    assert (fill.price, fill.qty, fill.position_qty) == (185.02, 5, 5)
    assert str(fill.execution_id) == str(client.activities()[0]["id"]).split("::")[1]


def test_a_message_of_every_kind_can_be_read_by_the_sdk(client: Client) -> None:
    """Its strict models take what goes out: brackets, replacements, busts, events that it does not know."""
    with listening(client) as stream:
        exits: dict[str, Json] = {
            "take_profit": {"limit_price": "110"},
            "stop_loss": {"stop_price": "90"},
        }
        placed = client.place_limit("100", order_class="bracket", **exits)
        client.pass_time()
        cheaper = client.accepted(client.replace(placed["id"], limit_price="99"))
        client.pass_time()
        client.fill(cheaper["id"])
        client.tell("POST", f"executions/{str(client.activities()[0]['id']).split('::')[1]}/bust", {})
        client.http.delete("/v2/orders")
        client.pass_time()
        client.tell("POST", "stream", {"account": "paper", "json": {"stream": "silence"}})
        events = []
        while (message := stream.hear())["stream"] == "trade_updates":
            data = message["data"]
            assert isinstance(data, dict)
            events.append(TradeUpdate.model_validate(data).event)
    assert {"held", "pending_replace", "replaced", "fill", "trade_bust", "pending_cancel", "canceled"} <= {
        event.value if isinstance(event, TradeEvent) else event for event in events
    }
