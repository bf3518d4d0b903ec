"""Each fault does what it says, and the ground truth knows what really happened."""

from __future__ import annotations

import contextlib
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.sandbox.client import BY_CLIENT_ORDER_ID, ORDERS, PAPER, Client, order
from worker.sandbox.bodies import BODIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.sandbox.values import Json

LOOKUP: dict[str, Json] = {"method": "GET", "path": BY_CLIENT_ORDER_ID}


@pytest.fixture
def impatient(client: Client) -> Iterator[Client]:
    """The same account with a read timeout of 0.2 s."""
    impatient = Client(client.url, client.clock, timeout_s=0.2)
    yield impatient
    impatient.close()


@contextlib.contextmanager
def under_way(client: Client, **members: Json) -> Iterator[httpx.Response | None]:
    """A POST that another thread makes; it must have ended when the block ends."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(client.submit, **members)
        yield None
        future.result(5)


def recorded(client: Client, client_order_id: str) -> tuple[int, int, list[Json]]:
    """(orders, POSTs, statuses answered) of an id."""
    posts = client.posts(client_order_id)
    statuses = posts["statuses"]
    assert isinstance(statuses, list)
    return int(str(posts["orders"])), int(str(posts["posts"])), statuses


# Cutting the connection


@pytest.mark.parametrize(("when", "orders"), [("before", 0), ("after", 1)])
def test_close_ends_the_connection_without_a_response(client: Client, when: str, orders: int) -> None:
    client.fault("close", when=when)
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending a response"):
        client.submit(client_order_id="cut")
    assert recorded(client, "cut") == (orders, 1, [None])


@pytest.mark.parametrize(("when", "orders"), [("before", 0), ("after", 1)])
def test_reset_is_a_real_reset(client: Client, when: str, orders: int) -> None:
    client.fault("reset", when=when)
    with pytest.raises(httpx.ReadError, match="reset by peer"):
        client.submit(client_order_id="cut")
    assert recorded(client, "cut") == (orders, 1, [None])


def test_reset_after_headers_leaves_a_promise(client: Client) -> None:
    client.fault("reset", after_headers=True)
    with client.http.stream("POST", ORDERS, json=order(client_order_id="cut")) as response:
        assert response.status_code == 200
        assert int(response.headers["content-length"]) > 500
        with pytest.raises(httpx.ReadError, match="reset by peer"):
            response.read()
    assert recorded(client, "cut") == (1, 1, [None])


def test_hang_never_answers(client: Client, impatient: Client) -> None:
    client.fault("hang")
    with pytest.raises(httpx.ReadTimeout):
        impatient.submit(client_order_id="cut")
    assert len(client.truth("cut")) == 1


def test_refuse_leaves_nobody_listening(client: Client) -> None:
    client.fault("refuse", seconds=30)
    with pytest.raises(httpx.ReadError):
        client.submit(client_order_id="cut")
    with pytest.raises(httpx.ConnectError, match="refused"):
        client.submit(client_order_id="cut")
    client.pass_time(30)
    _until_it_answers(client)
    assert client.truth("cut") == []
    assert recorded(client, "cut") == (0, 1, [None])


def test_the_door_refuses_until_opened(client: Client) -> None:
    client.tell("PUT", "door", {"state": "refuse", "seconds": 3600})
    with httpx.Client(base_url=client.url) as stranger, pytest.raises(httpx.ConnectError, match="refused"):
        stranger.get("/v2/account")
    client.tell("PUT", "door", {"state": "open"})  # over the connection that asked, which was spared
    assert client.http.get("/v2/account").status_code == 200


def test_the_door_hangs_up_on_whoever_comes(client: Client) -> None:
    client.tell("PUT", "door", {"state": "hang_up", "seconds": 3600})
    host, port = client.url.removeprefix("http://").split(":")
    visitor = socket.create_connection((host, int(port)), timeout=5)
    with visitor, contextlib.suppress(ConnectionResetError):
        assert visitor.recv(1) == b""
    client.tell("PUT", "door", {"state": "open"})
    assert client.http.get("/v2/account").status_code == 200


def _until_it_answers(client: Client) -> None:
    """The listener opens on the sandbox's own loop: retry for as long as that takes."""
    retrying = httpx.HTTPTransport(retries=8)  # with a growing pause, for connection errors only
    with httpx.Client(transport=retrying, base_url=client.url) as patient:
        assert patient.get("/admin/clock").status_code == 200


# Time


@pytest.mark.parametrize(("when", "orders"), [("before", 0), ("after", 1)])
def test_delay_goes_on_after_the_client_has_gone(
    client: Client, impatient: Client, when: str, orders: int
) -> None:
    fault = client.fault("delay", when=when, seconds=20)
    with pytest.raises(httpx.ReadTimeout):
        impatient.submit(client_order_id="slow")
    client.tell("GET", f"faults/{fault['id']}?fired=1")
    assert len(client.truth("slow")) == orders
    client.pass_time(20)
    _until(client, "calls_under_way", 0)
    assert recorded(client, "slow") == (1, 1, [200])


def _until(client: Client, count: str, value: int) -> None:
    """Ask until a count of the summary has a value; each question lets the sandbox's loop run."""
    for _ in range(2000):
        if client.summary()[count] == value:
            return
    raise AssertionError(f"{count} never became {value}")


def test_delay_answers_a_patient_client(client: Client) -> None:
    fault = client.fault("delay", when="after", seconds=20)
    with under_way(client, client_order_id="slow"):
        client.tell("GET", f"faults/{fault['id']}?fired=1")
        _until(client, "orders", 1)
        client.pass_time(20)
    assert recorded(client, "slow") == (1, 1, [200])


def test_a_late_order_is_created_seconds_after_its_post_was_cut(client: Client) -> None:
    client.fault("late_order", seconds=20)
    client.fault("close")
    with pytest.raises(httpx.RemoteProtocolError):
        client.submit(client_order_id="late")
    assert client.find("late").json()["message"] == "order not found for late"
    assert (client.summary()["orders"], client.summary()["late_orders_due"]) == (0, 1)
    client.pass_time(19.999)
    assert client.find("late").status_code == 404
    client.pass_time(0.001)
    assert client.find("late").json()["status"] == "pending_new"
    (truth,) = client.truth("late")
    assert (truth["origin"], client.summary()["late_orders_due"]) == ("late", 0)


def test_a_late_order_hangs_unless_another_fault_answers(client: Client, impatient: Client) -> None:
    client.fault("late_order", seconds=20, count=2)
    with pytest.raises(httpx.ReadTimeout):
        impatient.submit(client_order_id="late")
    client.fault("answer", body="gateway_timeout")
    assert client.submit(client_order_id="late-2").status_code == 504
    client.pass_time(20)
    assert [row["client_order_id"] for row in client.truth()] == ["late", "late-2"]


def test_a_late_order_meets_the_checks_of_its_moment(client: Client) -> None:
    client.fault("late_order", seconds=20)
    client.fault("close")
    with pytest.raises(httpx.RemoteProtocolError):
        client.submit(client_order_id="raced")
    client.place(client_order_id="raced")
    client.pass_time(20)
    assert recorded(client, "raced") == (1, 2, [None, 200])
    assert client.calls()[0]["note"] == "late order refused: 422 client_order_id must be unique"


def test_a_hidden_order_exists_but_is_not_seen(client: Client) -> None:
    client.fault("hide", seconds=10)
    placed = client.place(client_order_id="shy")
    assert client.find("shy").json() == {"code": 40410000, "message": "order not found for shy"}
    assert client.http.get(f"{ORDERS}/{placed['id']}").status_code == 404
    assert client.orders(status="all") == []
    assert client.submit(client_order_id="shy").json()["message"] == "client_order_id must be unique"
    assert [row["client_order_id"] for row in client.truth()] == ["shy"]
    client.pass_time(10)
    assert client.find("shy").json()["id"] == placed["id"]
    assert len(client.orders(status="all")) == 1


def test_an_order_is_rejected_after_its_200(client: Client) -> None:
    client.price("GOOG", "100")
    client.fault("reject_later", seconds=2)
    placed = client.place()
    client.pass_time(1.999)
    assert client.get(placed["id"])["status"] == "pending_new"
    client.pass_time(0.001)
    rejected = client.get(placed["id"])
    assert (rejected["status"], rejected["filled_qty"]) == ("rejected", "0")
    assert rejected["failed_at"] is not None
    assert client.buying_power() == "400000"


# Answers


@pytest.mark.parametrize("body", sorted(BODIES))
@pytest.mark.parametrize(("when", "orders"), [("before", 0), ("after", 1)])
def test_every_ready_made_answer_goes_out(client: Client, body: str, when: str, orders: int) -> None:
    client.fault("answer", body=body, when=when)
    response = client.submit(client_order_id="mine")
    assert len(client.truth("mine")) == orders
    assert recorded(client, "mine") == (orders, 1, [response.status_code])
    assert len(response.headers["x-request-id"]) == 32


def answered(client: Client, body: str, when: str = "after") -> httpx.Response:
    client.fault("answer", body=body, when=when)
    return client.submit(client_order_id="mine")


def test_a_truncated_body_breaks_off(client: Client) -> None:
    response = answered(client, "truncated")
    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        response.json()
    assert '"client_order_id":"mine"' in response.text


def test_bodies_that_databases_choke_on(client: Client) -> None:
    assert b'"\\u0000"' in answered(client, "nul").content
    assert b'"\\ud800"' in answered(client, "lone_surrogate", when="before").content
    assert b"\x00" in answered(client, "raw_nul", when="before").content
    with pytest.raises(UnicodeDecodeError):
        answered(client, "not_utf8", when="before").content.decode()


def test_a_megabyte_of_html(client: Client) -> None:
    response = answered(client, "huge_html")
    assert len(response.content) > 1_000_000
    assert response.headers["content-type"] == "text/html"
    assert response.text.startswith("<html>")


def test_the_answer_of_another_order(client: Client) -> None:
    told = answered(client, "other_order").json()
    (truth,) = client.truth("mine")
    assert (told["symbol"], told["qty"]) == ("GOOG", "5")
    assert told["client_order_id"] != "mine"
    assert told["id"] != truth["id"]


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ("internal_error", 500, 50010000, "internal server error occurred"),
        ("rate_limited", 429, 42910000, "rate limit exceeded"),
        ("duplicate", 422, 40010001, "client_order_id must be unique"),
        ("duplicate_42210000", 422, 42210000, "client_order_id must be unique"),
        ("duplicate_409", 409, 40910000, "client_order_id must be unique"),
        ("endpoint_not_found", 404, 40410000, "endpoint not found"),
        ("unauthorized_with_code", 401, 40110000, "request is not authorized"),
    ],
)
def test_alpacas_own_errors_have_alpacas_words(
    client: Client, body: str, status: int, code: int, message: str
) -> None:
    response = answered(client, body)
    assert (response.status_code, response.json()) == (status, {"code": code, "message": message})


def test_errors_without_a_code(client: Client) -> None:
    assert answered(client, "unauthorized").content == b'{"message": "unauthorized."}\n'
    assert len(answered(client, "forbidden", when="before").content) == 26
    assert answered(client, "rate_limited_without_code", when="before").json() == {
        "message": "too many requests."
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("request_timeout", 408),
        ("too_many_requests_html", 429),
        ("bad_gateway", 502),
        ("service_unavailable", 503),
        ("gateway_timeout", 504),
    ],
)
def test_gateways_speak_html(client: Client, body: str, status: int) -> None:
    response = answered(client, body)
    assert response.status_code == status
    assert f"<h1>{status} " in response.text


def test_an_answer_may_be_made_to_measure(client: Client) -> None:
    client.fault(
        "answer", when="before", status=418, json={"code": 41810000, "qty": 0.5}, headers={"Retry-After": "7"}
    )
    response = client.submit()
    assert (response.status_code, response.text) == (418, '{"code":41810000,"qty":0.5}')
    assert response.headers["retry-after"] == "7"
    client.fault("answer", when="before", status=200, text="<p>", content_type="text/html")
    response = client.submit()
    assert (response.status_code, response.text, response.headers["content-type"]) == (
        200,
        "<p>",
        "text/html",
    )
    client.fault("answer", status=503)
    assert client.submit(client_order_id="told").json()["client_order_id"] == "told", (
        "the truth under a lie of a status"
    )


def test_a_429_has_headers_or_not(client: Client) -> None:
    client.fault("answer", when="before", body="rate_limited")
    with_headers = client.submit()
    assert with_headers.headers["x-ratelimit-remaining"] == "0"
    client.fault("answer", when="before", body="rate_limited", ratelimit_headers=False)
    without = client.submit()
    assert [name for name in without.headers if "ratelimit" in name] == []


def test_an_endless_body_ends_with_its_client(client: Client) -> None:
    client.fault("endless", match={"path": "/v2/account"})
    with client.http.stream("GET", "/v2/account") as response:
        taken = 0
        for chunk in response.iter_raw():
            taken += len(chunk)
            if taken > 2_000_000:
                break
    _until(client, "calls_under_way", 0)
    assert client.http.get("/v2/account").status_code == 200


# Lookups


def test_a_lookup_fails_for_as_long_as_the_fault_is_set(client: Client) -> None:
    placed = client.place(client_order_id="there")
    fault = client.fault("answer", match=LOOKUP, count=None, body="internal_error")
    for _ in range(5):
        assert client.find("there").status_code == 500
    assert client.http.get(ORDERS).status_code == 200, "other calls are spared"
    client.tell("DELETE", f"faults/{fault['id']}")
    assert client.find("there").json()["id"] == placed["id"]


@pytest.mark.parametrize(
    "body", ["endpoint_not_found", "not_found_html", "rate_limited", "empty", "other_order"]
)
def test_a_lookup_lies_once(client: Client, body: str) -> None:
    placed = client.place(client_order_id="there")
    client.fault("answer", match=LOOKUP, body=body)
    lie, truth = client.find("there"), client.find("there")
    assert lie.text != truth.text
    assert truth.json()["id"] == placed["id"]


def test_a_duplicate_answer_though_the_lookup_says_404(client: Client) -> None:
    client.fault("answer", when="before", body="duplicate")
    assert client.submit(client_order_id="ghost").status_code == 422
    assert client.find("ghost").json()["message"] == "order not found for ghost"
    assert recorded(client, "ghost") == (0, 1, [422])


# Which calls a fault hits


def test_a_fault_hits_the_nth_matching_call_and_so_many_after(client: Client) -> None:
    client.fault("answer", when="before", body="internal_error", nth=2, count=2)
    assert [client.submit().status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    (shown,) = client.ask("GET", "faults").json()
    assert (shown["seen"], shown["fired"]) == (5, 2)


@pytest.mark.parametrize(
    "match",
    [
        {"account": "other"},
        {"symbol": "KO"},
        {"client_order_id": "theirs"},
        {"method": "GET"},
        {"path": "/v2/orders:*"},
    ],
)
def test_a_fault_spares_calls_that_do_not_match(client: Client, match: dict[str, Json]) -> None:
    client.fault("answer", match=match, when="before", body="internal_error", count=None)
    client.place(symbol="GOOG", client_order_id="mine")


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"account": "paper"},
        {"symbol": "GOOG"},
        {"client_order_id": "mine"},
        {"method": "POST"},
        {"path": "/v2/ord*"},
        {"path": "/v2/orders", "symbol": "GOOG", "account": "paper"},
    ],
)
def test_a_fault_hits_calls_that_match(client: Client, match: dict[str, Json]) -> None:
    client.fault("answer", match=match, when="before", body="internal_error")
    assert client.submit(symbol="GOOG", client_order_id="mine").status_code == 500


def test_a_lookup_matches_by_its_client_order_id_and_a_list_by_its_symbols(client: Client) -> None:
    client.fault("answer", match={"client_order_id": "a"}, body="bad_gateway")
    client.fault("answer", match={"symbol": "KO"}, body="bad_gateway")
    assert [client.find(name).status_code for name in ("b", "a")] == [404, 502]
    statuses = [
        client.http.get(ORDERS, params={"symbols": symbols}).status_code for symbols in ("GOOG", "GOOG,KO")
    ]
    assert statuses == [200, 502]


def test_faults_on_one_call_act_together(client: Client) -> None:
    client.fault("hide", seconds=10)
    client.fault("answer", body="bad_gateway")
    assert client.submit(client_order_id="both").status_code == 502
    assert client.find("both").status_code == 404
    assert client.calls()[0]["faults"] == [fault["id"] for fault in client.ask("GET", "faults").json()]
    client.pass_time(10)
    assert client.find("both").status_code == 200


def test_cleared_faults_are_gone(client: Client) -> None:
    client.fault("close", count=None)
    client.tell("DELETE", "faults")
    assert client.tell("GET", "faults") == []
    client.place()


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ({}, "fault.action must be a string"),
        ({"action": "explode"}, "fault.action must be one of"),
        ({"action": "hide"}, "fault.seconds must be a number of seconds"),
        ({"action": "hide", "seconds": -1}, "fault.seconds must be a number of seconds"),
        ({"action": "hide", "seconds": 1, "when": "after"}, "fault has no member when"),
        ({"action": "close", "when": "during"}, "fault.when must be one of after, before"),
        ({"action": "close", "nth": 0}, "fault.nth must be a whole number of at least 1"),
        ({"action": "close", "count": 0}, "fault.count must be a whole number of at least 1"),
        ({"action": "close", "match": {"verb": "GET"}}, "match has no member verb"),
        ({"action": "answer", "body": "soup"}, "fault.body must be one of"),
        ({"action": "gate"}, "fault.gate must be a string"),
        ({"action": "reset", "when": "before", "after_headers": True}, "after_headers needs the answer"),
        ([], "fault must be a JSON object"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(client: Client, fault: Json, complaint: str) -> None:
    response = client.ask("POST", "faults", fault)
    assert response.status_code == 400
    assert complaint in response.json()["error"]
    assert client.tell("GET", "faults") == []


def test_a_client_that_leaves_before_its_body_is_no_call(client: Client) -> None:
    host, port = client.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as visitor:
        head = (
            f"POST {ORDERS} HTTP/1.1\r\nHost: x\r\nAPCA-API-KEY-ID: {PAPER.key}\r\nContent-Length: 99\r\n\r\n"
        )
        visitor.sendall(head.encode() + b'{"symbol":')
    assert client.calls() == []


# Gates


def test_a_gate_holds_a_call_before_the_order_exists(client: Client) -> None:
    client.fault("gate", when="before", gate="door-1")
    with under_way(client, client_order_id="held"):
        (held,) = client.ask("GET", "gates?gate=door-1&held=1").json()
        assert (held["client_order_id"], held["when"], held["account"]) == ("held", "before", "paper")
        assert client.truth("held") == []
        assert client.summary()["calls_under_way"] == 1
        assert client.tell("POST", "release", {"gate": "door-1"}) == {"released": 1}
    assert recorded(client, "held") == (1, 1, [200])
    assert client.tell("GET", "gates") == []


def test_a_gate_holds_a_call_after_the_order_exists(client: Client) -> None:
    client.fault("gate", when="after", gate="door-1")
    with under_way(client, client_order_id="held"):
        client.tell("GET", "gates?held=1")
        assert client.find("held").status_code == 200
        client.tell("POST", "release", {})


def test_a_second_copy_overtakes_the_first(client: Client) -> None:
    client.fault("gate", when="before", gate="slow-lane", nth=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.submit, client_order_id="same")
        client.tell("GET", "gates?held=1")
        assert client.submit(client_order_id="same").status_code == 200
        client.tell("POST", "release", {"gate": "slow-lane"})
        assert first.result(5).json()["message"] == "client_order_id must be unique"
    assert client.summary()["duplicates"] == 0


def test_a_held_call_goes_on_though_its_client_has_gone(client: Client, impatient: Client) -> None:
    client.fault("gate", when="before", gate="pipe")
    with pytest.raises(httpx.ReadTimeout):
        impatient.submit(client_order_id="frozen")
    assert client.truth("frozen") == []
    client.tell("GET", "gates?held=1")
    client.tell("POST", "release", {"gate": "pipe"})
    _until(client, "calls_under_way", 0)
    assert recorded(client, "frozen") == (1, 1, [200])


def test_one_of_several_held_calls_is_released(client: Client) -> None:
    client.fault("gate", when="before", gate="a", count=None)
    with ThreadPoolExecutor(2) as pool:
        futures = {name: pool.submit(client.submit, client_order_id=name) for name in ("x", "y")}
        held = {row["client_order_id"]: row["call_no"] for row in client.ask("GET", "gates?held=2").json()}
        client.tell("POST", "release", {"call_no": held["y"]})
        assert futures["y"].result(5).status_code == 200
        assert not futures["x"].done()
        assert client.tell("POST", "release", {"gate": "elsewhere"}) == {"released": 0}
        client.tell("POST", "release", {"gate": "a"})
        assert futures["x"].result(5).status_code == 200


def test_waiting_in_vain_ends_with_408(client: Client) -> None:
    assert client.ask("GET", "gates?held=1&wait_s=0").status_code == 408
    fault = client.fault("close")
    assert client.ask("GET", f"faults/{fault['id']}?fired=1&wait_s=0").status_code == 408


def test_waiting_for_a_fault_ends_when_it_fires(client: Client) -> None:
    fault = client.fault("answer", when="before", body="bad_gateway")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.ask, "GET", f"faults/{fault['id']}?fired=1&wait_s=5")
        client.submit()
        assert waiting.result(5).json()["fired"] == 1
