"""The admin API: prices, faults, gates, hand-made orders, and the ground truth. Not part of Alpaca.

It needs no key because the whole sandbox listens on loopback only.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.sandbox.auth import KeyRing, RateLimiter
from worker.sandbox.book import Book
from worker.sandbox.errors import ApiError
from worker.sandbox.faults import Bell, Fault, Faults, Gates
from worker.sandbox.members import BadRequestError, Members
from worker.sandbox.model import CHECKS, STATUSES, Account, Asset, Order, Quote, account_json, order_json
from worker.sandbox.transport import Door
from worker.sandbox.truth import Truth
from worker.sandbox.validation import read_order
from worker.sandbox.values import Json, decimal_text, decimal_text_or_none, parse_json, time_text, to_json

Handler = Callable[[Request], Awaitable[Json]]

MAX_CALLS: Final = 10_000


class NotHereError(Exception):
    """There is no such thing."""


class NotInTimeError(Exception):
    """What was waited for did not happen in time."""


@dataclass(frozen=True, slots=True)
class Admin:
    """All handlers; `routes` says which path leads to which."""

    book: Book
    truth: Truth
    keys: KeyRing
    limiter: RateLimiter
    faults: Faults
    gates: Gates

    def application(self) -> Starlette:
        """The ASGI application under /admin."""
        table: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/admin/summary", self.get_summary),
            ("GET", "/admin/orders", self.get_orders),
            ("POST", "/admin/orders", self.post_order),
            ("PUT", "/admin/orders/{order_id}", self.put_order),
            ("POST", "/admin/orders/{order_id}/fill", self.post_fill),
            ("GET", "/admin/posts", self.get_posts),
            ("GET", "/admin/calls", self.get_calls),
            ("GET", "/admin/positions", self.get_positions),
            ("GET", "/admin/accounts", self.get_accounts),
            ("PUT", "/admin/accounts/{name}", self.put_account),
            ("POST", "/admin/swap", self.post_swap),
            ("GET", "/admin/prices", self.get_prices),
            ("PUT", "/admin/prices", self.put_prices),
            ("PUT", "/admin/assets", self.put_assets),
            ("GET", "/admin/settings", self.get_settings),
            ("PUT", "/admin/settings", self.put_settings),
            ("GET", "/admin/faults", self.get_faults),
            ("POST", "/admin/faults", self.post_fault),
            ("DELETE", "/admin/faults", self.delete_faults),
            ("GET", "/admin/faults/{fault_id:int}", self.get_fault),
            ("DELETE", "/admin/faults/{fault_id:int}", self.delete_fault),
            ("GET", "/admin/gates", self.get_gates),
            ("POST", "/admin/release", self.post_release),
            ("PUT", "/admin/door", self.put_door),
            ("GET", "/admin/clock", self.get_clock),
            ("POST", "/admin/clock", self.post_clock),
            ("POST", "/admin/reset", self.post_reset),
        )
        # Starlette takes a path of two routes as two routes only if each names its own methods.
        return Starlette(
            routes=[Route(path, _endpoint(handler), methods=[verb]) for verb, path, handler in table]
        )

    # The ground truth

    async def get_summary(self, _request: Request) -> Json:
        """Counts: orders, duplicates, POSTs, calls under way, late orders still to come."""
        self.book.settle()
        return self.truth.summary()

    async def get_orders(self, request: Request) -> Json:
        """Every order that exists; ?account= and ?client_order_id= narrow it."""
        self.book.settle()
        return self.truth.orders(*_chosen(request))

    async def get_posts(self, request: Request) -> Json:
        """POSTs by client_order_id, refused and cut ones included."""
        self.book.settle()
        return self.truth.posts(*_chosen(request))

    async def get_calls(self, request: Request) -> Json:
        """The call log after ?after= call number, at most ?limit=."""
        self.book.settle()
        after, limit = _number(request, "after", 0), _number(request, "limit", MAX_CALLS)
        return self.truth.calls(*_chosen(request), after=after, limit=min(limit, MAX_CALLS))

    async def get_positions(self, _request: Request) -> Json:
        """Every holding that is not flat."""
        self.book.settle()
        return [
            {
                "account": account,
                "symbol": symbol,
                "qty": decimal_text(position.qty),
                "cost": decimal_text(position.cost),
            }
            for account, symbol, position in self.book.store.positions()
        ]

    # The world

    async def post_order(self, request: Request) -> Json:
        """Make an order by hand, as a person at the broker's own screen would."""
        members = await _members(request, "order")
        account = self._account(members.text("account")).name
        order = members.json("order")
        members.finish()
        if not isinstance(order, dict):
            raise BadRequestError("order.order must be the body of a POST /v2/orders")
        self.book.settle()
        return order_json(self.book.place_by_hand(account, read_order(order)))

    async def put_order(self, request: Request) -> Json:
        """Put an order into a status."""
        members = await _members(request, "order")
        status = members.text("status", among=STATUSES)
        members.finish()
        return order_json(self.book.set_status(self._order(request), status))

    async def post_fill(self, request: Request) -> Json:
        """Fill an order at a price; without qty all that is left of it."""
        members = await _members(request, "fill")
        price, qty = members.decimal("price"), members.decimal_or_none("qty")
        members.finish()
        order = self._order(request)
        if not order.is_open or price <= 0 or (qty is not None and qty <= 0):
            raise BadRequestError("fill needs an open order, and a price and a qty above zero")
        return order_json(self.book.fill_by_hand(order, qty, price))

    async def get_accounts(self, _request: Request) -> Json:
        """Every account by name, as its key would see it."""
        self.book.settle()
        now_ns = self.book.clock.now_ns()
        return {account.name: account_json(account, now_ns) for account in self.book.store.accounts()}

    async def put_account(self, request: Request) -> Json:
        """Change an account's money and rights."""
        members = await _members(request, "account")
        account = self._account(request.path_params["name"])
        account = replace(
            account,
            status=members.text("status", account.status),
            cash=members.decimal("cash") if members.has("cash") else account.cash,
            multiplier=members.decimal("multiplier") if members.has("multiplier") else account.multiplier,
            shorting_enabled=members.flag("shorting_enabled", default=account.shorting_enabled),
            trading_blocked=members.flag("trading_blocked", default=account.trading_blocked),
            suspend_trade=members.flag("suspend_trade", default=account.suspend_trade),
        )
        members.finish()
        self.book.save_account(account)
        return account_json(account, self.book.clock.now_ns())

    async def post_swap(self, request: Request) -> Json:
        """Let the keys of two accounts open each other's account."""
        members = await _members(request, "swap")
        one, other = self._account(members.text("one")).name, self._account(members.text("other")).name
        members.finish()
        self.keys.swap(one, other)
        return {"swapped": [one, other]}

    async def get_prices(self, _request: Request) -> Json:
        """Every given price."""
        return _quotes_json(self.book)

    async def put_prices(self, request: Request) -> Json:
        """Give prices: {"GOOG": "100"}, {"GOOG": {"price": "100", "size": "3"}}, or null to forget one."""
        body = await _json(request)
        if not isinstance(body, dict):
            raise BadRequestError("prices must be a JSON object of symbols")
        quotes = {symbol: _quote(symbol, value) for symbol, value in body.items()}
        for symbol, quote in quotes.items():
            self.book.set_price(symbol, quote)
        return _quotes_json(self.book)

    async def put_assets(self, request: Request) -> Json:
        """Say what symbols allow: {"ZZZZ": {"exists": false}}."""
        body = await _json(request)
        if not isinstance(body, dict):
            raise BadRequestError("assets must be a JSON object of symbols")
        shown: dict[str, Json] = {}
        for symbol, value in body.items():
            members = Members(value, symbol)
            before = asdict(self.book.store.asset(symbol))
            asset = Asset(**{name: members.flag(name, default=flag) for name, flag in before.items()})
            members.finish()
            self.book.store.save_asset(symbol, asset)
            shown[symbol] = dict(asdict(asset))
        return shown

    async def get_settings(self, _request: Request) -> Json:
        """How this Alpaca behaves."""
        return _settings_json(self.book)

    async def put_settings(self, request: Request) -> Json:
        """Change some settings."""
        members = await _members(request, "settings")
        now = self.book.settings
        accept_after_ms = now.accept_after_ms
        if members.has("accept_after_ms"):
            accept_after_ms = members.integer_or_none("accept_after_ms")
        settings = replace(
            now,
            checks=_checks(members.json("checks")) if members.has("checks") else now.checks,
            uniqueness=members.text("uniqueness", now.uniqueness, among=("forever", "active")),
            duplicate_status=members.integer("duplicate_status", now.duplicate_status, least=400),
            duplicate_code=members.integer("duplicate_code", now.duplicate_code),
            rewrite_buy_stop=members.flag("rewrite_buy_stop", default=now.rewrite_buy_stop),
            accept_after_ms=accept_after_ms,
            shift_submitted_at=members.flag("shift_submitted_at", default=now.shift_submitted_at),
            market=members.text("market", now.market, among=("open", "closed")),
            rate_limit=members.integer("rate_limit", now.rate_limit),
            rate_window_s=members.integer("rate_window_s", now.rate_window_s, least=1),
        )
        members.finish()
        self.book.change_settings(settings)
        return _settings_json(self.book)

    # Faults, gates, the door, the clock

    async def get_faults(self, _request: Request) -> Json:
        """Every fault with how often it matched and fired."""
        return [fault.shown() for fault in self.faults.all()]

    async def post_fault(self, request: Request) -> Json:
        """Set a fault."""
        return self.faults.add(await _json(request)).shown()

    async def delete_faults(self, _request: Request) -> Json:
        """Clear all faults. Calls that suffer one already go on suffering."""
        self.faults.clear()
        return {"cleared": True}

    async def get_fault(self, request: Request) -> Json:
        """One fault; ?fired=n waits until it has fired that often, at most ?wait_s=."""
        fault = self._fault(request)
        fired = _number(request, "fired", 0)
        await _until(lambda: fault.fired >= fired, self.faults.bell, request)
        return fault.shown()

    async def delete_fault(self, request: Request) -> Json:
        """Clear one fault."""
        fault = self._fault(request)
        self.faults.remove(fault.fault_id)
        return fault.shown()

    async def get_gates(self, request: Request) -> Json:
        """Who is held, at ?gate= or at any; ?held=n waits until that many are, at most ?wait_s=."""
        gate, wanted = request.query_params.get("gate"), _number(request, "held", 0)
        await _until(lambda: len(self.gates.held(gate)) >= wanted, self.gates.bell, request)
        return [held.shown() for held in self.gates.held(gate)]

    async def post_release(self, request: Request) -> Json:
        """Let held calls go: all, those at a gate, or one."""
        members = await _members(request, "release")
        gate, call_no = members.text_or_none("gate"), members.integer_or_none("call_no")
        members.finish()
        return {"released": self.gates.release(gate, call_no)}

    async def put_door(self, request: Request) -> Json:
        """Refuse connections, or hang up on them, for some seconds; or open at once."""
        members = await _members(request, "door")
        state = members.text("state", among=("open", "refuse", "hang_up"))
        seconds = 0.0 if state == "open" else members.seconds("seconds")
        members.finish()
        surroundings = request.scope.get("state", {})
        door, own = surroundings.get("door"), surroundings.get("transport")
        if not isinstance(door, Door):
            raise BadRequestError("there is no door without a server")
        match state:
            case "refuse":
                await door.refuse(seconds, spare=own)
            case "hang_up":
                await door.hang_up(seconds, spare=own)
            case _:
                await door.open()
        return {"state": state, "seconds": seconds}

    async def get_clock(self, _request: Request) -> Json:
        """The sandbox's time."""
        return {"now": time_text(self.book.clock.now_ns())}

    async def post_clock(self, request: Request) -> Json:
        """Push the sandbox's time forward."""
        members = await _members(request, "clock")
        seconds = members.seconds("advance_s")
        members.finish()
        self.book.clock.advance(seconds)
        self.book.settle()
        return {"now": time_text(self.book.clock.now_ns())}

    async def post_reset(self, _request: Request) -> Json:
        """Forget everything, the ground truth included; accounts keep their ids and keys."""
        self.faults.clear()
        self.gates.release(None, None)
        self.keys.unswap()
        self.limiter.forget_everything()
        self.book.forget_everything()
        return {"reset": True}

    def _account(self, name: str) -> Account:
        for account in self.book.store.accounts():
            if account.name == name:
                return account
        raise NotHereError(f"there is no account {name}")

    def _order(self, request: Request) -> Order:
        self.book.settle()
        order = self.book.store.order(request.path_params["order_id"])
        if order is None:
            raise NotHereError("there is no such order")
        return order

    def _fault(self, request: Request) -> Fault:
        fault = self.faults.get(request.path_params["fault_id"])
        if fault is None:
            raise NotHereError("there is no such fault")
        return fault


def _endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            status, body = 200, await handler(request)
        except BadRequestError as error:
            status, body = 400, {"error": str(error)}
        except ApiError as error:
            status, body = 400, {"error": error.message}
        except NotHereError as error:
            status, body = 404, {"error": str(error)}
        except NotInTimeError as error:
            status, body = 408, {"error": str(error)}
        return Response(to_json(body) + b"\n", status, media_type="application/json")

    return endpoint


async def _json(request: Request) -> Json:
    try:
        return parse_json(await request.body())
    except ValueError:
        raise BadRequestError("the body is not JSON") from None


async def _members(request: Request, what: str) -> Members:
    return Members(await _json(request), what)


def _chosen(request: Request) -> tuple[str | None, str | None]:
    return request.query_params.get("account"), request.query_params.get("client_order_id")


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal():
        raise BadRequestError(f"{name} must be a whole number")
    return int(text)


async def _until(holds: Callable[[], bool], bell: Bell, request: Request) -> None:
    """Wait, in real seconds, until something holds."""
    try:
        async with asyncio.timeout(_number(request, "wait_s", 5)):
            while not holds():
                await bell.heard()
    except TimeoutError:
        raise NotInTimeError("it did not happen in time") from None


def _quote(symbol: str, value: Json) -> Quote | None:
    if value is None:
        return None
    members = Members(value if isinstance(value, dict) else {"price": value}, symbol)
    quote = Quote(price=members.decimal("price"), size=members.decimal_or_none("size"))
    members.finish()
    if quote.price <= 0 or (quote.size is not None and quote.size < 0):
        raise BadRequestError(f"{symbol} needs a price above zero and a size of at least zero")
    return quote


def _quotes_json(book: Book) -> Json:
    return {
        symbol: {"price": decimal_text(quote.price), "size": decimal_text_or_none(quote.size)}
        for symbol, quote in book.store.quotes().items()
    }


def _checks(value: Json) -> tuple[str, ...]:
    names = tuple(str(name) for name in value) if isinstance(value, list) else ("",)
    if not set(names) <= set(CHECKS) or len(set(names)) != len(names):
        raise BadRequestError(f"settings.checks must be a list of some of {', '.join(CHECKS)}, each once")
    return names


def _settings_json(book: Book) -> Json:
    shown: dict[str, Json] = dict(asdict(book.settings))
    shown["checks"] = list(book.settings.checks)
    return shown
