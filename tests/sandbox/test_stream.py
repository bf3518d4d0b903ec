"""The WebSocket: authenticating, listening, and one message for each thing that happens to an order."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import uuid
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.sandbox.client import OTHER, PAPER, Client, connected, listening
from worker.sandbox import server
from worker.sandbox.app import Sandbox
from worker.sandbox.auth import KeyRing
from worker.sandbox.clock import ManualClock
from worker.sandbox.hub import Frame
from worker.sandbox.stream import MAX_WAITING, SocketSession
from worker.sandbox.transport import Corked
from worker.sandbox.values import parse_time

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Message, Scope

    from worker.sandbox.values import Json


def authorization(status: str, action: str = "authenticate") -> dict[str, Json]:
    return {"stream": "authorization", "data": {"status": status, "action": action}}


@pytest.mark.parametrize(
    "message",
    [
        {"action": "authenticate", "data": {"key_id": PAPER.key, "secret_key": PAPER.secret}},
        {"action": "auth", "key": PAPER.key, "secret": PAPER.secret},
    ],
)
def test_both_forms_of_authentication_open_the_stream(client: Client, message: dict[str, Json]) -> None:
    with connected(client) as stream:
        stream.say(**message)
        assert stream.hear() == authorization("authorized")


@pytest.mark.parametrize(
    "message",
    [
        {"action": "authenticate", "data": {"key_id": PAPER.key, "secret_key": OTHER.secret}},
        {"action": "authenticate", "data": {}},
        {"action": "auth", "key": "nobody", "secret": "nothing"},
    ],
)
def test_a_bad_key_is_unauthorized_and_hears_nothing(client: Client, message: dict[str, Json]) -> None:
    with connected(client) as stream:
        stream.say(**message)
        assert stream.hear() == authorization("unauthorized")
        stream.say(action="listen", data={"streams": ["trade_updates"]})
        assert stream.hear() == authorization("unauthorized", "listen")


def test_listening_before_authenticating_is_unauthorized(client: Client) -> None:
    with connected(client) as stream:
        stream.say(action="listen", data={"streams": ["trade_updates"]})
        assert stream.hear() == authorization("unauthorized", "listen")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"action":"dance"}', "unknown action"),
        ("{", "invalid message"),
        ("[]", "invalid message"),
        ('{"stream":"x"}', "invalid message"),
    ],
)
def test_what_makes_no_sense_is_answered_with_an_error(client: Client, text: str, complaint: str) -> None:
    with connected(client) as stream:
        stream.socket.send(text)
        assert stream.hear() == {"action": "error", "data": {"error_message": complaint}}


def test_each_listen_replaces_the_set(client: Client) -> None:
    with listening(client) as stream:
        client.place()
        assert stream.events(1) == ["pending_new"]
        stream.say(action="listen", data={"streams": []})
        assert stream.hear() == {"stream": "listening", "data": {"streams": []}}
        client.place()
        stream.say(action="listen", data={"streams": ["account_updates", "trade_updates"]})
        assert stream.hear() == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        last = client.place()
        update = stream.update()
        assert isinstance(update["order"], dict)
        assert update["order"]["id"] == last["id"], "what came while it did not listen is gone"


def test_another_key_is_another_beginning(client: Client, other: Client) -> None:
    with listening(client) as stream:
        stream.say(action="auth", key=OTHER.key, secret=OTHER.secret)
        assert stream.hear() == authorization("authorized")
        client.place()
        other.place()
        stream.say(action="listen", data={"streams": ["trade_updates"]})
        assert stream.hear()["stream"] == "listening"
        theirs = other.place()
        order = stream.update()["order"]
        assert isinstance(order, dict)
        assert order["id"] == theirs["id"]


def test_only_the_stream_path_is_a_websocket(client: Client) -> None:
    url = client.url.replace("http:", "ws:") + "/v2/stream"
    with pytest.raises(InvalidStatus), connect(url, open_timeout=5):
        pass


def test_paper_sends_binary_frames_and_live_text(client: Client) -> None:
    with listening(client) as stream:
        client.place()
        assert isinstance(stream.raw(), bytes)
        client.settings(stream_frames="text")
        client.place()
        assert isinstance(stream.raw(), str)


def test_the_server_answers_pings(client: Client) -> None:
    with listening(client) as stream:
        assert stream.socket.ping().wait(5)


def test_the_server_pings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not answer is cut; this client knows nothing of WebSockets but their beginning."""
    monkeypatch.setattr(server, "PING_S", 0.2)
    with server.sandbox_in_thread(tmp_path, [PAPER]) as running:
        host, port = running.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as deaf, deaf.makefile("rb") as heard:
            deaf.sendall(HANDSHAKE)
            assert heard.readline().startswith(b"HTTP/1.1 101")
            while heard.readline() != b"\r\n":
                pass
            assert heard.read(2) == bytes([0x89, 4]), "a ping with four bytes"
            heard.read(4)
            assert heard.read(1) == bytes([0x88]), "the end"


HANDSHAKE = (
    b"GET /stream HTTP/1.1\r\nHost: sandbox\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class DeadWire:
    """A transport that takes nothing and notes its end."""

    aborted = False

    def get_extra_info(self, _name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


async def test_a_reader_that_is_far_behind_is_cut(tmp_path: Path) -> None:
    never = asyncio.Event()

    async def send(_message: Message) -> None:
        await never.wait()

    with contextlib.closing(Sandbox(tmp_path, [PAPER], ManualClock())) as sandbox:
        wire = DeadWire()
        scope: Scope = {"state": {"transport": Corked(wire)}}  # type: ignore[arg-type]
        session = SocketSession(sandbox.book, KeyRing([PAPER]), sandbox.hub, scope, send)
        for _ in range(MAX_WAITING):
            session.put(Frame("paper", b"{}"))
        assert not wire.aborted
        session.put(Frame("paper", b"{}"))
        assert wire.aborted


def test_each_account_hears_of_its_own_orders(client: Client, other: Client) -> None:
    with listening(client) as mine, listening(client, OTHER) as theirs:
        other.place(client_order_id="theirs")
        client.place(client_order_id="mine")
        for stream, name in ((mine, "mine"), (theirs, "theirs")):
            order = stream.update()["order"]
            assert isinstance(order, dict)
            assert order["client_order_id"] == name


def test_every_socket_of_an_account_hears_everything(client: Client) -> None:
    with listening(client) as one, listening(client) as two:
        client.place()
        assert one.update() == two.update()


def test_a_life_is_told_event_by_event(client: Client) -> None:
    client.price("GOOG", {"price": "100", "size": "2"})
    with listening(client) as stream:
        placed = client.place(qty="5")
        client.pass_time()
        first = stream.update()
        assert (first["event"], first["execution_id"], first["order"]) == ("pending_new", None, placed)
        assert "price" not in first
        accepted = stream.update()
        assert isinstance(accepted["order"], dict)
        assert (accepted["event"], accepted["order"]["status"]) == ("new", "new")
        part = stream.update()
        assert (part["event"], part["price"], part["qty"], part["position_qty"]) == (
            "partial_fill",
            "100",
            "2",
            "2",
        )
        client.price("GOOG", "101")
        whole = stream.update()
        assert (whole["event"], whole["price"], whole["qty"], whole["position_qty"]) == (
            "fill",
            "101",
            "3",
            "5",
        )
        assert whole["order"] == client.get(placed["id"]), "the order in full, with cumulative quantities"
        assert [first["timestamp"], first["at"]] == [placed["created_at"]] * 2


def test_time_alone_pushes_events_to_who_is_connected(client: Client) -> None:
    """No call comes in: the clock is pushed, and what fell due goes out."""
    with listening(client) as stream:
        placed = client.place()
        assert stream.events(1) == ["pending_new"]
        client.pass_time(0.004)
        accepted = stream.update()
        assert accepted["event"] == "new"
        assert parse_time(str(accepted["at"])) == parse_time(str(placed["created_at"])) + 4_000_000


def test_ids_are_what_they_should_be(client: Client) -> None:
    with listening(client) as stream:
        placed = client.place_limit("100", qty="2")
        client.fill(placed["id"], qty="1")
        client.fill(placed["id"])
        updates = [stream.update() for _ in range(3)]
        assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", str(update["event_id"])) for update in updates)
        assert len({update["event_id"] for update in updates}) == 3
        executions = [str(update["execution_id"]) for update in updates[1:]]
        assert [str(uuid.UUID(execution)) for execution in executions] == executions
        assert [str(activity["id"]).split("::")[1] for activity in client.activities(direction="asc")] == (
            sorted(executions)
        ), "the stream's execution_id is the end of the activity's id"


def test_what_was_refused_is_never_told(client: Client) -> None:
    with listening(client) as stream:
        client.submit(qty="-1")
        client.submit(type="limit", limit_price="1000000")
        assert stream.is_silent()


@pytest.mark.parametrize(
    "status", ["canceled", "expired", "rejected", "done_for_day", "stopped", "suspended", "calculated"]
)
def test_a_hand_made_status_is_told(client: Client, status: str) -> None:
    placed = client.place()
    with listening(client) as stream:
        client.put(placed["id"], status)
        update = stream.update()
        assert isinstance(update["order"], dict)
        assert (update["event"], update["order"]["status"]) == (status, status)


def test_a_hand_made_event_may_have_any_name(client: Client) -> None:
    placed = client.place()
    with listening(client) as stream:
        client.put(placed["id"], "frozen", unknown=True, event="restated")
        update = stream.update()
        assert isinstance(update["order"], dict)
        assert (update["event"], update["order"]["status"]) == ("restated", "frozen")
        client.put(placed["id"], "thawed", unknown=True)
        assert stream.is_silent(), "an unknown status has no event of its own"


def test_nothing_is_replayed_after_a_reconnect(client: Client) -> None:
    with listening(client) as stream:
        client.place()
        assert stream.events(1) == ["pending_new"]
        client.tell("PUT", "stream", {"state": "cut"})
        with pytest.raises(ConnectionClosed):
            stream.raw()
    missed = client.place()
    with listening(client) as stream:
        assert stream.is_silent()
        client.pass_time()
        assert stream.events(2) == ["new", "new"]
        assert client.get(missed["id"])["status"] == "new"


def test_who_is_connected_is_shown(client: Client) -> None:
    with listening(client), listening(client, OTHER):
        found = client.tell("GET", "stream?listening=2")
        assert isinstance(found, dict)
        assert found["state"] == "open"
        assert isinstance(found["sockets"], list)
        assert sorted(str(socket["account"]) for socket in found["sockets"] if isinstance(socket, dict)) == [
            "other",
            "paper",
        ]
        assert client.ask("GET", "stream?listening=2&account=paper&wait_s=0").status_code == 408
