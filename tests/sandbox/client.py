"""A small client for tests: orders with defaults, admin calls that must succeed, and the ground truth."""

from __future__ import annotations

import contextlib
import json
import uuid
from typing import TYPE_CHECKING

import httpx
from websockets.sync.client import ClientConnection, connect

from worker.sandbox.auth import AccountKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.sandbox.clock import Clock
    from worker.sandbox.values import Json

PAPER = AccountKey("paper", "PK-PAPER", "secret-paper", "11111111-1111-4111-8111-111111111111")
OTHER = AccountKey("other", "PK-OTHER", "secret-other", "22222222-2222-4222-8222-222222222222")

ORDERS = "/v2/orders"
BY_CLIENT_ORDER_ID = "/v2/orders:by_client_order_id"


def headers_of(key: AccountKey) -> dict[str, str]:
    return {"APCA-API-KEY-ID": key.key, "APCA-API-SECRET-KEY": key.secret}


def order(**members: Json) -> dict[str, Json]:
    """A market order that every check lets pass; members override, None removes."""
    whole: dict[str, Json] = {
        "symbol": "GOOG",
        "qty": "5",
        "side": "buy",
        "type": "market",
        "time_in_force": "day",
        "client_order_id": uuid.uuid4().hex,
        **members,
    }
    return {name: value for name, value in whole.items() if value is not None}


def limit(price: str, **members: Json) -> dict[str, Json]:
    return order(type="limit", limit_price=price, **members)


class Client:
    """Talks to one sandbox with the key of one account."""

    def __init__(self, url: str, clock: Clock, key: AccountKey = PAPER, timeout_s: float = 5) -> None:
        self.url = url
        self.clock = clock
        # Plain HTTP: reading the certificates of the machine for each client would take most of the time.
        self.http = httpx.Client(base_url=url, headers=headers_of(key), timeout=timeout_s, verify=False)
        self._admin = httpx.Client(base_url=url, timeout=10, verify=False)

    def close(self) -> None:
        self.http.close()
        self._admin.close()

    # The trading API

    def submit(self, **members: Json) -> httpx.Response:
        return self.http.post(ORDERS, json=order(**members))

    def place(self, **members: Json) -> dict[str, Json]:
        """Submit an order that must be accepted."""
        return self.accepted(self.submit(**members))

    def place_limit(self, price: str, **members: Json) -> dict[str, Json]:
        return self.accepted(self.http.post(ORDERS, json=limit(price, **members)))

    @staticmethod
    def accepted(response: httpx.Response) -> dict[str, Json]:
        assert response.status_code == 200, response.text
        found: dict[str, Json] = response.json()
        return found

    def find(self, client_order_id: object) -> httpx.Response:
        return self.http.get(BY_CLIENT_ORDER_ID, params={"client_order_id": str(client_order_id)})

    def get(self, order_id: object) -> dict[str, Json]:
        return self.accepted(self.http.get(f"{ORDERS}/{order_id}"))

    def orders(self, **query: str) -> list[dict[str, Json]]:
        response = self.http.get(ORDERS, params=query)
        assert response.status_code == 200, response.text
        found: list[dict[str, Json]] = response.json()
        return found

    def cancel(self, order_id: object) -> httpx.Response:
        return self.http.delete(f"{ORDERS}/{order_id}")

    def replace(self, order_id: object, **members: Json) -> httpx.Response:
        return self.http.patch(f"{ORDERS}/{order_id}", json=members)

    def activities(self, **query: str) -> list[dict[str, Json]]:
        response = self.http.get("/v2/account/activities/FILL", params=query)
        assert response.status_code == 200, response.text
        found: list[dict[str, Json]] = response.json()
        return found

    def positions(self) -> dict[str, str]:
        """Quantity by symbol."""
        response = self.http.get("/v2/positions")
        assert response.status_code == 200, response.text
        return {position["symbol"]: position["qty"] for position in response.json()}

    def buying_power(self) -> str:
        return str(self.accepted(self.http.get("/v2/account"))["buying_power"])

    # The admin API

    def tell(self, method: str, path: str, body: Json = None) -> Json:
        """An admin call that must succeed."""
        response = self.ask(method, path, body)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    def ask(self, method: str, path: str, body: Json = None) -> httpx.Response:
        return self._admin.request(method, f"/admin/{path}", json=body)

    def fault(self, action: str, *, match: dict[str, Json] | None = None, **rest: Json) -> dict[str, Json]:
        """Set a fault, for POSTs of orders unless the test says otherwise."""
        matching: Json = {"method": "POST", "path": ORDERS} if match is None else match
        body: dict[str, Json] = {"action": action, "match": matching, **rest}
        found = self.tell("POST", "faults", body)
        assert isinstance(found, dict)
        return found

    def fill(self, order_id: object, **members: Json) -> dict[str, Json]:
        """Fill an order by hand."""
        body: dict[str, Json] = {"price": "100", **members}
        body = {name: value for name, value in body.items() if value is not None}
        found = self.tell("POST", f"orders/{order_id}/fill", body)
        assert isinstance(found, dict)
        return found

    def put(self, order_id: object, status: str, **members: Json) -> None:
        """Put an order into a status."""
        self.tell("PUT", f"orders/{order_id}", {"status": status, **members})

    def family(self, account: str = "paper") -> list[dict[str, Json]]:
        """Every order of an account with its chain and its fills."""
        found = self.tell("GET", f"truth?account={account}")
        assert isinstance(found, dict)
        orders = found["orders"]
        assert isinstance(orders, list)
        return [order for order in orders if isinstance(order, dict)]

    def settings(self, **settings: Json) -> None:
        self.tell("PUT", "settings", settings)

    def price(self, symbol: str, price: Json) -> None:
        self.tell("PUT", "prices", {symbol: price})

    def pass_time(self, seconds: float = 1) -> None:
        self.clock.advance(seconds)

    def truth(self, client_order_id: object = None) -> list[dict[str, Json]]:
        """Every order that exists."""
        return self._rows("orders", client_order_id)

    def posts(self, client_order_id: object) -> dict[str, Json]:
        """What the sandbox saw of the POSTs of one id."""
        (row,) = self._rows("posts", client_order_id)
        return row

    def calls(self) -> list[dict[str, Json]]:
        return self._rows("calls")

    def summary(self) -> dict[str, Json]:
        found = self.tell("GET", "summary")
        assert isinstance(found, dict)
        return found

    def _rows(self, path: str, client_order_id: object = None) -> list[dict[str, Json]]:
        query = "" if client_order_id is None else f"?client_order_id={client_order_id}"
        response = self._admin.get(f"/admin/{path}{query}")
        assert response.status_code == 200, response.text
        rows: list[dict[str, Json]] = response.json()
        return rows


class Stream:
    """A WebSocket, as a test talks to it."""

    def __init__(self, client: Client, socket: ClientConnection) -> None:
        self._client = client
        self.socket = socket

    def say(self, **message: Json) -> None:
        self.socket.send(json.dumps(message))

    def raw(self) -> bytes | str:
        """The next frame."""
        return self.socket.recv(timeout=5)

    def hear(self) -> dict[str, Json]:
        """The next message."""
        found: dict[str, Json] = json.loads(self.raw())
        return found

    def update(self) -> dict[str, Json]:
        """The data of the next trade update."""
        message = self.hear()
        assert message["stream"] == "trade_updates", message
        data = message["data"]
        assert isinstance(data, dict)
        return data

    def events(self, count: int) -> list[Json]:
        """The events of so many updates."""
        return [self.update()["event"] for _ in range(count)]

    def is_silent(self) -> bool:
        """Nothing is on its way: a message that is sent now is the next to come."""
        self._client.tell("POST", "stream", {"account": "paper", "json": {"stream": "silence"}})
        return self.hear() == {"stream": "silence"}


@contextlib.contextmanager
def connected(client: Client) -> Iterator[Stream]:
    """A socket that has said nothing yet."""
    url = client.url.replace("http:", "ws:") + "/stream"
    with connect(url, open_timeout=5, close_timeout=1, ping_interval=None) as socket:
        yield Stream(client, socket)


@contextlib.contextmanager
def listening(client: Client, key: AccountKey = PAPER) -> Iterator[Stream]:
    """A socket that listens until the block ends."""
    with connected(client) as stream:
        stream.say(action="authenticate", data={"key_id": key.key, "secret_key": key.secret})
        assert stream.hear()["data"] == {"status": "authorized", "action": "authenticate"}
        stream.say(action="listen", data={"streams": ["trade_updates"]})
        assert stream.hear() == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        yield stream
