"""What becomes of a connection of the stream in every way it can go: one ending, and the keys in no log."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

import worker.mailbox
from tests.worker.peer import Exchange, listening
from tests.worker.stream_peer import LISTENING, StreamPeer, authorization, streaming, well
from worker.mailbox import Ending, Mailbox
from worker.settings import Account
from worker.stream import MAX_MESSAGE_BYTES, MAX_PASSED_OVER, Patience, Stream

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

    from tests.worker.certificate import Certificate

KEY, SECRET = "PKTESTKEYID", "PKTESTSECRET"
AUTHENTICATE = {"action": "authenticate", "data": {"key_id": KEY, "secret_key": SECRET}}
AUTH = {"action": "auth", "key": KEY, "secret": SECRET}
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}

# Long enough for a busy machine where something must come, short where a test waits for nothing to come.
PATIENT = Patience()
SHORT = Patience(open_s=0.3, answer_s=0.3, ping_every_s=0.1, pong_s=0.2, close_s=0.1)


def a_stream(url: str, *, patience: Patience = PATIENT) -> Stream:
    account = Account(
        name="paper",
        base_url="",
        stream_url=url,
        environment="paper",
        key_id=SecretStr(KEY),
        secret_key=SecretStr(SECRET),
    )
    return Stream(account=account, patience=patience)


def a_mailbox() -> Mailbox:
    return Mailbox(asyncio.Event())


def contents(mailbox: Mailbox) -> list[bytes]:
    found = []
    while (message := mailbox.first()) is not None:
        found.append(message)
        mailbox.remove(message)
    return found


async def heard(
    url: str, *, patience: Patience = PATIENT, mailbox: Mailbox | None = None
) -> tuple[str, str | None]:
    """Hear one connection out; returns why it ended."""
    async with asyncio.timeout(30):
        ending = await a_stream(url, patience=patience).hear(a_mailbox() if mailbox is None else mailbox)
    return ending.why, ending.detail


async def ended_by_test(peer: StreamPeer, connection: ServerConnection) -> None:
    """Admit, and end the connection in order."""
    assert await peer.admit(connection)


# --- hearing --------------------------------------------------------------------------------------------


async def test_every_message_is_handed_over_as_it_came() -> None:
    messages: list[bytes | str] = [
        b'{"stream":"trade_updates"}',
        b"\xff\x00",
        '{"text":"\u00fc"}',
        b"",
        "not json",
        "[1]",
    ]

    async def script(peer: StreamPeer, connection: ServerConnection) -> None:
        await peer.admit(connection)
        for message in messages:
            await connection.send(message)

    mailbox = a_mailbox()
    async with streaming(script) as peer:
        assert await heard(peer.url, mailbox=mailbox) == ("closed", "code 1000")
    assert mailbox.listening
    raw = [message.encode() if isinstance(message, str) else message for message in messages]
    assert contents(mailbox) == raw


async def test_the_first_words_are_the_keys_and_then_what_to_listen_to() -> None:
    async with streaming(ended_by_test) as peer:
        await heard(peer.url)
        assert peer.said == [AUTHENTICATE, LISTEN]


async def test_the_newer_form_is_tried_when_the_sdks_form_is_not_authorized() -> None:
    async with streaming() as peer:
        peer.takes = ("auth",)
        stream = a_stream(peer.url)
        assert await stream.hear(a_mailbox()) == Ending(why="unauthorized")
        mailbox = a_mailbox()
        hearing = asyncio.create_task(stream.hear(mailbox))
        async with asyncio.timeout(10):
            await peer.listened.wait()
        peer.listeners[0].transport.abort()
        assert (await hearing).why == "closed"
        assert peer.said == [AUTHENTICATE, AUTH, LISTEN]


async def test_the_form_that_was_authorized_is_kept() -> None:
    async with streaming(ended_by_test) as peer:
        stream = a_stream(peer.url)
        for _ in range(3):
            assert (await stream.hear(a_mailbox())).why == "closed"
        assert peer.said == [AUTHENTICATE, LISTEN] * 3


async def test_with_keys_that_are_not_taken_both_forms_are_tried_in_turn() -> None:
    async with streaming() as peer:
        peer.takes = ()
        stream = a_stream(peer.url)
        assert [(await stream.hear(a_mailbox())).why for _ in range(3)] == ["unauthorized"] * 3
        assert peer.said == [AUTHENTICATE, AUTH, AUTHENTICATE]


@pytest.mark.parametrize(
    "answer",
    [
        {"action": "error", "data": {"error_message": "unknown action"}},
        {"stream": "listening", "data": {"streams": []}},
        {"stream": "listening", "data": {"streams": "trade_updates"}},
    ],
)
async def test_a_broker_that_will_not_be_listened_to_has_refused(answer: object) -> None:
    async def script(peer: StreamPeer, connection: ServerConnection) -> None:
        await peer.hear(connection)
        await peer.say(connection, answer)
        await connection.wait_closed()

    mailbox = a_mailbox()
    async with streaming(script) as peer:
        assert await heard(peer.url, mailbox=mailbox) == ("refused", None)
    assert not mailbox.listening


async def test_what_comes_before_the_answers_is_passed_over() -> None:
    """It may be an update of an account that is busy, or of no use at all."""

    async def script(peer: StreamPeer, connection: ServerConnection) -> None:
        await peer.hear(connection)
        for noise in (b"", b"{", b"[" * 100_000, b"\xff", b"null", b'{"stream":"trade_updates"}'):
            await connection.send(noise)
        await peer.say(connection, authorization("authorized"))
        await peer.hear(connection)
        await connection.send(b'{"stream":["listening"],"data":7}')
        await peer.say(connection, LISTENING)
        await connection.send(b"heard")

    mailbox = a_mailbox()
    async with streaming(script) as peer:
        assert await heard(peer.url, mailbox=mailbox) == ("closed", "code 1000")
    assert contents(mailbox) == [b"heard"]


async def test_server_pings_are_answered() -> None:
    async def script(peer: StreamPeer, connection: ServerConnection) -> None:
        await peer.admit(connection)
        async with asyncio.timeout(10):
            await (await connection.ping(b"are you there?"))
        await connection.send(b"answered")

    mailbox = a_mailbox()
    async with streaming(script) as peer:
        await heard(peer.url, mailbox=mailbox)
    assert contents(mailbox) == [b"answered"]


async def test_a_stop_closes_the_connection_in_order() -> None:
    closed: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def script(peer: StreamPeer, connection: ServerConnection) -> None:
        await well(peer, connection)
        closed.set_result(connection.close_code)

    async with streaming(script) as peer:
        hearing = asyncio.create_task(a_stream(peer.url).hear(a_mailbox()))
        async with asyncio.timeout(10):
            await peer.listened.wait()
            hearing.cancel()
            assert await closed == 1000


# --- what goes wrong ------------------------------------------------------------------------------------


async def test_a_broker_that_says_nothing_at_all_is_unreachable() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.end()

    async with listening(script) as peer:
        url = peer.url.replace("http", "ws")
        assert await heard(url, patience=SHORT) == ("unreachable", "TimeoutError")


async def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as bound:  # bound and not listening: nobody else can take the port
        bound.bind(("127.0.0.1", 0))
        why, detail = await heard(f"ws://127.0.0.1:{bound.getsockname()[1]}")
    assert why == "unreachable"
    assert detail is not None
    assert detail.startswith("ConnectionRefusedError: ")


@pytest.mark.parametrize(
    ("response", "detail"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "HTTP 503"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP 200"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "InvalidUpgrade"),
        (b"<html>PKTESTSECRET</html>\r\n\r\n", "InvalidMessage"),
        (b"", "InvalidMessage"),
    ],
)
async def test_what_is_no_websocket_is_unreachable(response: bytes, detail: str) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.send(response)

    async with listening(script) as peer:
        assert await heard(peer.url.replace("http", "ws")) == ("unreachable", detail)


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_no_redirect_is_followed(elsewhere: bool) -> None:
    async with streaming() as other:

        async def script(exchange: Exchange) -> None:
            await exchange.receive()
            target = other.url if elsewhere else "/stream"
            await exchange.respond(307, b"", headers=f"location: {target}\r\n")

        async with listening(script) as peer:
            assert await heard(peer.url.replace("http", "ws")) == ("unreachable", "HTTP 307")
            assert peer.connections == 1
        assert other.connections == 0


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with streaming(ended_by_test) as peer:
        assert await heard(peer.url) == ("closed", "code 1000")


async def test_a_broker_must_prove_its_name_before_it_hears_a_word(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with streaming(ended_by_test, tls=certificate.served()) as peer:
        port = peer.url.split(":")[2]
        stranger = await heard(f"wss://localhost:{port}")
        monkeypatch.setattr("certifi.where", lambda: str(certificate.file))
        wrong_name = await heard(f"wss://127.0.0.1:{port}")
        assert peer.said == []
        assert await heard(f"wss://localhost:{port}") == ("closed", "code 1000")
        assert peer.said == [AUTHENTICATE, LISTEN]
    for why, detail in (stranger, wrong_name):
        assert why == "unreachable"
        assert detail is not None
        assert "CERTIFICATE_VERIFY_FAILED" in detail


async def test_plain_text_where_tls_should_be_is_unreachable() -> None:
    async with streaming() as peer:
        why, _ = await heard(peer.url.replace("ws:", "wss:"))
        assert (why, peer.said) == ("unreachable", [])


async def test_a_broker_that_does_not_answer_the_first_words_is_given_up() -> None:
    async def script(peer: StreamPeer, connection: ServerConnection) -> None:
        await peer.hear(connection)
        await connection.wait_closed()

    async with streaming(script) as peer:
        assert await heard(peer.url, patience=SHORT) == ("no_answer", None)


async def test_a_broker_that_talks_of_everything_else_is_given_up() -> None:
    async def script(peer: StreamPeer, connection: ServerConnection) -> None:
        await peer.hear(connection)
        for _ in range(MAX_PASSED_OVER):
            await connection.send(b"{}")
        await connection.wait_closed()

    async with streaming(script) as peer:
        assert await heard(peer.url) == ("no_answer", None)


async def test_a_connection_that_is_silent_is_given_up() -> None:
    """Half open: the other end is gone, and nothing says so."""

    async def script(peer: StreamPeer, connection: ServerConnection) -> None:
        await peer.admit(connection)
        connection.transport.pause_reading()  # so that no ping is answered
        await connection.wait_closed()

    mailbox = a_mailbox()
    async with streaming(script) as peer:
        assert await heard(peer.url, patience=SHORT, mailbox=mailbox) == ("silent", None)
    assert mailbox.listening


async def test_a_connection_without_updates_is_kept_as_long_as_pings_are_answered() -> None:
    async with streaming() as peer:
        hearing = asyncio.create_task(a_stream(peer.url, patience=SHORT).hear(a_mailbox()))
        await asyncio.sleep(6 * (SHORT.ping_every_s + SHORT.pong_s))
        assert not hearing.done()
        hearing.cancel()


async def test_a_reset_ends_the_connection() -> None:
    async def script(peer: StreamPeer, connection: ServerConnection) -> None:
        await peer.admit(connection)
        connection.transport.abort()

    async with streaming(script) as peer:
        why, _ = await heard(peer.url)
        assert why == "closed"


async def test_a_message_of_any_size_that_is_no_update_ends_the_connection() -> None:
    async def script(peer: StreamPeer, connection: ServerConnection) -> None:
        await peer.admit(connection)
        await connection.send(b"x" * MAX_MESSAGE_BYTES)
        await connection.send(b"x" * (MAX_MESSAGE_BYTES + 1))
        await connection.wait_closed()

    mailbox = a_mailbox()
    async with streaming(script) as peer:
        assert await heard(peer.url, mailbox=mailbox) == ("closed", "code 1009 of ours")
    assert [len(message) for message in contents(mailbox)] == [MAX_MESSAGE_BYTES]


async def test_bytes_that_are_no_frames_end_the_connection() -> None:
    async def script(peer: StreamPeer, connection: ServerConnection) -> None:
        await peer.admit(connection)
        connection.transport.write(b"HTTP/1.1 500 Internal Server Error\r\n" * 10)
        await connection.wait_closed()

    async with streaming(script) as peer:
        assert await heard(peer.url, patience=SHORT) == ("closed", "code 1002 of ours")


async def test_a_full_mailbox_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.mailbox, "MAX_WAITING", 3)

    async def script(peer: StreamPeer, connection: ServerConnection) -> None:
        await peer.admit(connection)
        for _ in range(4):
            await connection.send(b"more")
        await connection.wait_closed()

    mailbox = a_mailbox()
    async with streaming(script) as peer:
        assert await heard(peer.url, mailbox=mailbox) == ("overrun", None)
    assert mailbox.overrun
    assert contents(mailbox) == [b"more"] * 3


async def test_keys_are_in_no_log_however_much_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    async with streaming() as peer:
        peer.takes = ()
        stream = a_stream(peer.url)
        endings = [await stream.hear(a_mailbox()) for _ in range(2)]
    by_us = [r for r in caplog.records if r.name != "websockets.server"]
    assert json.dumps(peer.said).count(SECRET) == 2
    for text in (*(record.getMessage() for record in by_us), *map(repr, endings), repr(stream)):
        assert KEY not in text
        assert SECRET not in text


# --- the mailbox ----------------------------------------------------------------------------------------


def test_a_mailbox_keeps_order_and_both_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.mailbox, "MAX_WAITING", 3)
    monkeypatch.setattr(worker.mailbox, "MAX_WAITING_BYTES", 10)
    by_number, by_size = a_mailbox(), a_mailbox()
    assert [by_number.put(b"%d" % number) for number in range(4)] == [True, True, True, False]
    assert contents(by_number) == [b"0", b"1", b"2"]
    assert by_number.put(b"room again")
    assert not by_number.overrun
    assert [by_size.put(b"12345"), by_size.put(b"123456"), by_size.put(b"12345")] == [True, False, True]
    assert by_size.clear() == 2
    assert by_size.put(b"1234567890")


def test_the_first_ending_counts() -> None:
    mailbox = a_mailbox()
    mailbox.begin()
    mailbox.end(Ending(why="silent"))
    mailbox.end(Ending(why="stopped"))
    assert (mailbox.ending, mailbox.listening) == (Ending(why="silent"), False)
