"""A small client for tests: orders with defaults, admin calls that must succeed, and the ground truth."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import httpx

from worker.sandbox.auth import AccountKey

if TYPE_CHECKING:
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
