"""The admin API: hand-made orders and fills, holdings, history, accounts, prices, assets and settings."""

from dataclasses import asdict, dataclass, replace
from decimal import Decimal

from starlette.requests import Request

from worker.sandbox.admin_tools import NotHereError, Routes, account_named, order_of, read_json, read_object
from worker.sandbox.auth import KeyRing
from worker.sandbox.book import Book
from worker.sandbox.history import load_history
from worker.sandbox.members import BadRequestError, Members
from worker.sandbox.model import STATUSES, Activity, Asset, Position, Quote
from worker.sandbox.settings import read_settings, settings_json
from worker.sandbox.shown import account_json, activity_json, asset_json, order_json
from worker.sandbox.validation import read_order
from worker.sandbox.values import Json, decimal_text, decimal_text_or_none


@dataclass(frozen=True, slots=True)
class AdminWorld:
    """Handlers that change what is true."""

    book: Book
    keys: KeyRing

    def routes(self) -> Routes:
        """Which path leads to which."""
        return (
            ("POST", "/admin/orders", self.post_order),
            ("PUT", "/admin/orders/{order_id}", self.put_order),
            ("POST", "/admin/orders/{order_id}/fill", self.post_fill),
            ("POST", "/admin/executions/{execution_id}/bust", self.post_bust),
            ("POST", "/admin/executions/{execution_id}/correct", self.post_correct),
            ("PUT", "/admin/positions", self.put_position),
            ("POST", "/admin/split", self.post_split),
            ("POST", "/admin/history", self.post_history),
            ("GET", "/admin/accounts", self.get_accounts),
            ("PUT", "/admin/accounts/{name}", self.put_account),
            ("POST", "/admin/swap", self.post_swap),
            ("GET", "/admin/prices", self.get_prices),
            ("PUT", "/admin/prices", self.put_prices),
            ("PUT", "/admin/assets", self.put_assets),
            ("GET", "/admin/settings", self.get_settings),
            ("PUT", "/admin/settings", self.put_settings),
        )

    # Orders and fills

    async def post_order(self, request: Request) -> Json:
        """Make an order by hand, as a person at the broker's own screen would."""
        members = await read_object(request, "order")
        account = account_named(self.book, members.text("account")).name
        order = members.json("order")
        members.finish()
        if not isinstance(order, dict):
            raise BadRequestError("order.order must be the body of a POST /v2/orders")
        self.book.settle()
        return order_json(self.book.place_by_hand(account, read_order(order)))

    async def put_order(self, request: Request) -> Json:
        """Put an order into a status, a known one or with unknown any; the stream tells the event, if any."""
        members = await read_object(request, "order")
        unknown = members.flag("unknown", default=False)
        status = members.text("status", among=None if unknown else STATUSES)
        event = members.text_or_none("event")
        members.finish()
        return order_json(self.book.set_status(order_of(self.book, request), status, event))

    async def post_fill(self, request: Request) -> Json:
        """Fill an order at a price; without qty all that is left of it; parts are fills of one moment."""
        members = await read_object(request, "fill")
        parts = _parts(members)
        alone, late = members.flag("alone", default=False), members.flag("late", default=False)
        after_s = members.seconds("visible_after_s") if members.has("visible_after_s") else None
        members.finish()
        order = order_of(self.book, request)
        if not (order.is_open or late) or order.leaves_qty(parts[0][1]) <= 0:
            raise BadRequestError("fill needs an open order, or one that ended with a rest and late")
        return order_json(self.book.fill_by_hand(order, parts, alone=alone, visible_after_s=after_s))

    async def post_bust(self, request: Request) -> Json:
        """Take a fill back."""
        members = await read_object(request, "bust")
        members.finish()
        return activity_json(self.book.bust(self._execution(request)))

    async def post_correct(self, request: Request) -> Json:
        """Set a fill right: its quantity, its price, or both."""
        members = await read_object(request, "correct")
        qty, price = members.decimal_or_none("qty"), members.decimal_or_none("price")
        members.finish()
        given = [number for number in (qty, price) if number is not None]
        if not given or min(given) <= 0:
            raise BadRequestError("correct needs a qty or a price above zero")
        return activity_json(self.book.correct(self._execution(request), qty, price))

    def _execution(self, request: Request) -> Activity:
        self.book.settle()
        execution = self.book.store.activities.get(request.path_params["execution_id"])
        if execution is None or not execution.live:
            raise NotHereError("there is no such execution that counts")
        return execution

    # Holdings and history

    async def put_position(self, request: Request) -> Json:
        """Put a holding, as a transfer does: no order, no fill."""
        members = await read_object(request, "position")
        account = account_named(self.book, members.text("account")).name
        symbol, qty = members.text("symbol"), members.decimal("qty")
        price = members.decimal("avg_entry_price") if members.has("avg_entry_price") else Decimal(0)
        members.finish()
        self.book.settle()
        self.book.put_position(account, symbol, Position(qty=qty, cost=qty * price))
        return {"account": account, "symbol": symbol, "qty": decimal_text(qty)}

    async def post_split(self, request: Request) -> Json:
        """Split a symbol: holdings are multiplied by the ratio, orders stay as they are."""
        members = await read_object(request, "split")
        symbol, ratio = members.text("symbol"), members.decimal("ratio")
        members.finish()
        if ratio <= 0:
            raise BadRequestError("split.ratio must be above zero")
        self.book.settle()
        self.book.split(symbol, ratio)
        return {"symbol": symbol, "ratio": decimal_text(ratio)}

    async def post_history(self, request: Request) -> Json:
        """Load thousands of old orders with their fills."""
        members = await read_object(request, "history")
        account = account_named(self.book, members.text("account")).name
        self.book.settle()
        return load_history(self.book, account, members)

    # Accounts

    async def get_accounts(self, _request: Request) -> Json:
        """Every account by name, as its key would see it."""
        self.book.settle()
        now_ns = self.book.clock.now_ns()
        return {account.name: account_json(account, now_ns) for account in self.book.store.accounts()}

    async def put_account(self, request: Request) -> Json:
        """Change an account's money and rights."""
        members = await read_object(request, "account")
        account = account_named(self.book, request.path_params["name"])
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
        members = await read_object(request, "swap")
        one, other = members.text("one"), members.text("other")
        members.finish()
        for name in (one, other):
            account_named(self.book, name)
        self.keys.swap(one, other)
        return {"swapped": [one, other]}

    # Prices, assets, settings

    async def get_prices(self, _request: Request) -> Json:
        """Every given price."""
        return _quotes_json(self.book)

    async def put_prices(self, request: Request) -> Json:
        """Give prices: {"GOOG": "100"}, {"GOOG": {"price": "100", "size": "3"}}, or null to forget one."""
        body = await read_json(request)
        if not isinstance(body, dict):
            raise BadRequestError("prices must be a JSON object of symbols")
        quotes = {symbol: _quote(symbol, value) for symbol, value in body.items()}
        for symbol, quote in quotes.items():
            self.book.set_price(symbol, quote)
        return _quotes_json(self.book)

    async def put_assets(self, request: Request) -> Json:
        """Say what symbols allow: {"ZZZZ": {"exists": false}}."""
        body = await read_json(request)
        if not isinstance(body, dict):
            raise BadRequestError("assets must be a JSON object of symbols")
        shown: dict[str, Json] = {}
        for symbol, value in body.items():
            members = Members(value, symbol)
            before = asdict(self.book.store.asset(symbol))
            asset = Asset(**{name: members.flag(name, default=flag) for name, flag in before.items()})
            members.finish()
            self.book.store.save_asset(symbol, asset)
            shown[symbol] = asset_json(symbol, asset)
        return shown

    async def get_settings(self, _request: Request) -> Json:
        """How this Alpaca behaves."""
        return settings_json(self.book.settings)

    async def put_settings(self, request: Request) -> Json:
        """Change some settings."""
        members = await read_object(request, "settings")
        self.book.change_settings(read_settings(self.book.settings, members))
        return settings_json(self.book.settings)


def _parts(members: Members) -> list[tuple[Decimal | None, Decimal]]:
    """One fill, or a list of them that happen at once."""
    if members.has("parts"):
        listed = members.json("parts")
        if not isinstance(listed, list) or not listed:
            raise BadRequestError("fill.parts must be a list of fills")
        return [part for one in listed for part in _parts(Members(one, "part"))]
    qty, price = members.decimal_or_none("qty"), members.decimal("price")
    if price <= 0 or (qty is not None and qty <= 0):
        raise BadRequestError("fill needs a price and a qty above zero")
    return [(qty, price)]


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
