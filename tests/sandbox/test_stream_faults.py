"""Each fault of the stream does what it says; the ground truth is never touched."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage

from tests.sandbox.client import ORDERS, PAPER, Client, connected, headers_of, listening, order
from worker.sandbox.app import Sandbox
from worker.sandbox.clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Message, Scope

    from worker.sandbox.values import Json


def stream_fault(client: Client, action: str, **rest: Json) -> dict[str, Json]:
    body: dict[str, Json] = {"action": action, **rest}
    found = client.tell("POST", "stream/faults", body)
    assert isinstance(found, dict)
    return found


def placed_and_accepted(client: Client) -> str:
    """An order that says pending_new and new."""
    placed = client.place()
    client.pass_time()
    client.get(placed["id"])
    return str(placed["id"])


def test_a_message_is_dropped(client: Client) -> None:
    stream_fault(client, "drop", match={"event": "pending_new"})
    with listening(client) as stream:
        placed_and_accepted(client)
        assert stream.events(1) == ["new"]
        placed_and_accepted(client)
        assert stream.events(2) == ["pending_new", "new"], "only once"


def test_a_message_comes_more_than_once(client: Client) -> None:
    stream_fault(client, "duplicate", match={"event": "new"}, times=3)
    with listening(client) as stream:
        placed_and_accepted(client)
        first, *rest = (stream.update() for _ in range(4))
        assert first["event"] == "pending_new"
        assert rest[0]["event"] == "new"
        assert rest[0] == rest[1] == rest[2], "the same to the last letter"


def test_a_message_comes_late(client: Client) -> None:
    stream_fault(client, "delay", match={"event": "pending_new"}, seconds=30)
    with listening(client) as stream:
        placed_and_accepted(client)
        assert stream.events(1) == ["new"]
        client.pass_time(28.9)
        assert stream.is_silent()
        client.pass_time(0.2)
        assert stream.events(1) == ["pending_new"], "time alone brings it"


def test_later_messages_overtake(client: Client) -> None:
    stream_fault(client, "reorder", match={"event": "pending_new"}, after=2)
    with listening(client) as stream:
        order_id = placed_and_accepted(client)
        client.fill(order_id, qty="1")
        client.fill(order_id)
        assert stream.events(4) == ["new", "partial_fill", "pending_new", "fill"]


@pytest.mark.parametrize("is_early", [False, True])
async def test_an_event_may_come_before_the_response(tmp_path: Path, is_early: bool) -> None:
    """Both ways out of one application lead into one list here, so that their order shows."""
    sent: list[str] = []
    said: asyncio.Queue[Message] = asyncio.Queue()

    async def send(message: Message) -> None:
        is_update = b"pending_new" in (message.get("bytes") or b"")
        sent.append("pending_new" if is_update else str(message["type"]))

    async def body() -> Message:
        return {"type": "http.request", "body": json.dumps(order()).encode()}

    credentials: Json = {"key_id": PAPER.key, "secret_key": PAPER.secret}
    said.put_nowait({"type": "websocket.connect"})
    said.put_nowait(heard({"action": "authenticate", "data": credentials}))
    said.put_nowait(heard({"action": "listen", "data": {"streams": ["trade_updates"]}}))
    with contextlib.closing(Sandbox(tmp_path, [PAPER], ManualClock())) as sandbox:
        hub = sandbox.hub
        socket = asyncio.create_task(sandbox({"type": "websocket", "path": "/stream"}, said.get, send))
        while not hub.listening("paper"):
            await hub.bell.heard()
        await hub.sockets[0].drained()
        if is_early:
            hub.faults.add({"action": "early"})
        sent.clear()
        await sandbox(posting(), body, send)
        await hub.sockets[0].drained()
        response = ["http.response.start", "http.response.body"]
        assert sent == (["pending_new", *response] if is_early else [*response, "pending_new"])
        said.put_nowait({"type": "websocket.disconnect"})
        await socket


def heard(message: Json) -> Message:
    return {"type": "websocket.receive", "text": json.dumps(message)}


def posting() -> Scope:
    headers = [(name.lower().encode(), value.encode()) for name, value in headers_of(PAPER).items()]
    return {"type": "http", "method": "POST", "path": ORDERS, "query_string": b"", "headers": headers}


@pytest.mark.parametrize(("when", "heard"), [("before", []), ("after", ["new"])])
@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_message_ends_the_connection(client: Client, when: str, heard: list[Json], how: str) -> None:
    stream_fault(client, "disconnect", match={"event": "new"}, when=when, how=how)
    with listening(client) as stream:
        order_id = placed_and_accepted(client)
        assert stream.events(1 + len(heard)) == ["pending_new", *heard]
        with pytest.raises(ConnectionClosed):
            stream.raw()
    assert client.get(order_id)["status"] == "new"
    with listening(client) as stream:
        client.put(order_id, "expired")
        assert stream.events(1) == ["expired"], "a new connection is fine"


@pytest.mark.parametrize("body", ["not_json", "truncated", "empty", "html", "not_utf8"])
def test_garbage_comes_before_the_message(client: Client, body: str) -> None:
    stream_fault(client, "garbage", match={"event": "pending_new"}, body=body)
    with listening(client) as stream:
        client.place()
        raw = stream.raw()
        with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
            json.loads(raw)
        assert stream.events(1) == ["pending_new"]


@pytest.mark.parametrize(
    ("options", "frame"),
    [({"body": "scalar"}, b"42"), ({"text": '{"stream":'}, b'{"stream":'), ({"text": "[]"}, b"[]")],
)
def test_garbage_may_come_instead(client: Client, options: dict[str, Json], frame: bytes) -> None:
    stream_fault(client, "garbage", match={"event": "pending_new"}, instead=True, **options)
    with listening(client) as stream:
        placed_and_accepted(client)
        assert stream.raw() == frame
        assert stream.events(1) == ["new"]


def test_a_message_is_altered(client: Client) -> None:
    changes: Json = {"event": "teleported", "execution_id": None, "order": {"status": "frozen", "qty": "7"}}
    stream_fault(client, "alter", match={"event": "fill"}, data=changes)
    with listening(client) as stream:
        order_id = placed_and_accepted(client)
        client.fill(order_id)
        update = [stream.update() for _ in range(3)][-1]
        order = update["order"]
        assert isinstance(order, dict)
        assert (update["event"], update["execution_id"], update["price"]) == ("teleported", None, "100")
        assert (order["status"], order["qty"], order["id"]) == ("frozen", "7", order_id)
    assert client.get(order_id)["status"] == "filled"


def test_the_nth_message_and_so_many_after_it(client: Client) -> None:
    fault = stream_fault(client, "drop", match={"account": "paper", "symbol": "GOOG"}, nth=2, count=2)
    with listening(client) as stream:
        for _ in range(4):
            client.place()
        client.place(symbol="KO", client_order_id="last")
        updates = [stream.update() for _ in range(3)]
        assert len({str(update["event_id"]) for update in updates}) == 3
        found = client.tell("GET", f"stream/faults/{fault['id']}?fired=2")
        assert isinstance(found, dict)
        assert (found["seen"], found["fired"]) == (4, 2)


def test_one_order_alone_may_be_hit(client: Client) -> None:
    hit = client.place(client_order_id="hit")
    spared = client.place(client_order_id="spared")
    stream_fault(client, "drop", match={"client_order_id": "hit", "order_id": hit["id"]}, count=None)
    with listening(client) as stream:
        for order in (hit, spared):
            client.put(order["id"], "expired")
        update = stream.update()
        assert isinstance(update["order"], dict)
        assert update["order"]["id"] == spared["id"]


def test_faults_of_the_stream_are_shown_and_cleared(client: Client) -> None:
    one, two = (stream_fault(client, "drop") for _ in range(2))
    assert client.tell("GET", "stream/faults") == [one, two]
    client.tell("DELETE", f"stream/faults/{one['id']}")
    assert client.tell("GET", "stream/faults") == [two]
    client.tell("DELETE", "stream/faults")
    assert client.tell("GET", "stream/faults") == []
    assert client.ask("GET", f"stream/faults/{two['id']}").status_code == 404


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ({}, "fault.action must be a string"),
        ({"action": "close"}, "fault.action must be one of"),
        ({"action": "drop", "match": {"method": "GET"}}, "match has no member method"),
        ({"action": "alter", "data": 5}, "fault.data must be a JSON object"),
        ({"action": "duplicate", "times": 1}, "fault.times must be a whole number of at least 2"),
        ({"action": "garbage", "body": "soup"}, "fault.body must be one of"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    client: Client, fault: dict[str, Json], complaint: str
) -> None:
    response = client.ask("POST", "stream/faults", fault)
    assert response.status_code == 400
    assert complaint in response.json()["error"]


def test_an_unplugged_stream_takes_nobody(client: Client) -> None:
    with listening(client) as stream:
        client.tell("PUT", "stream", {"state": "unplugged", "seconds": 3600})
        with pytest.raises(ConnectionClosed):
            stream.raw()
    placed = client.place()
    client.pass_time()
    client.fill(placed["id"])
    with pytest.raises((InvalidMessage, ConnectionError)), connected(client):
        pass
    assert client.get(placed["id"])["status"] == "filled", "REST goes on"
    client.pass_time(3600)
    with listening(client) as stream:
        assert stream.is_silent()


def test_a_stream_is_plugged_in_again(client: Client) -> None:
    client.tell("PUT", "stream", {"state": "unplugged", "seconds": 3600})
    client.tell("PUT", "stream", {"state": "open"})
    with listening(client) as stream:
        client.place()
        assert stream.events(1) == ["pending_new"]


def test_anything_can_be_sent(client: Client) -> None:
    placed = client.place()
    with listening(client) as stream:
        assert client.tell("POST", "stream", {"account": "paper", "text": "hello"}) == {"sockets": 1}
        assert stream.raw() == b"hello"
        client.tell("POST", "stream", {"account": "paper", "json": {"stream": "other", "data": [1]}})
        assert stream.hear() == {"stream": "other", "data": [1]}
        client.tell("POST", "stream", {"account": "paper", "event": "moved", "order_id": placed["id"]})
        update = stream.update()
        assert (update["event"], update["order"]) == ("moved", placed)
    assert client.ask("POST", "stream", {"account": "nobody", "text": "x"}).status_code == 404
