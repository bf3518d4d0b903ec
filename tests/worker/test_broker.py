"""What `sent` says of every way in which a call can go, against a peer that controls each byte."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections import deque
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from pydantic import SecretStr

from tests.worker.peer import Exchange, listening, order_placed
from worker.broker import MAX_BODY_BYTES, Broker
from worker.messages import Answer, Request, elapsing
from worker.settings import Account

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.worker.certificate import Certificate

BODY = '{"client_order_id": "c0ffee", "note": "ünïcode"}'


def a_request(
    *,
    method: str = "POST",
    path: str = "/v2/orders",
    query: dict[str, str] | None = None,
    body: str | None = BODY,
    send_within_ms: int = 5_000,
    timeout_ms: int = 5_000,
) -> Request:
    return Request(
        request_id=uuid4(),
        account="paper",
        kind="submit_order",
        method=method,
        path=path,
        query=query,
        body=body,
        send_within_ms=send_within_ms,
        timeout_ms=timeout_ms,
    )


@asynccontextmanager
async def a_broker(
    url: str, *, connections: int = 4, clock: Callable[[], float] = elapsing
) -> AsyncIterator[Broker]:
    broker = Broker(
        account=Account(
            name="paper",
            base_url=url,
            stream_url="",
            environment="paper",
            key_id=SecretStr("the-key-id"),
            secret_key=SecretStr("the-secret-key"),
        ),
        connections=connections,
        clock=clock,
    )
    try:
        yield broker
    finally:
        await broker.close()


async def the_answer(url: str, request: Request) -> Answer:
    async with a_broker(url) as broker:
        return await broker.call(request, asked_at=elapsing())


async def soon(future: asyncio.Future[str]) -> str:
    """Wait for what must come, but not for ever."""
    async with asyncio.timeout(10):
        return await future


def told(answer: Answer) -> tuple[str, str | None, int | None]:
    """What an answer claims, without what varies."""
    return answer.sent, answer.error, answer.status


# --- sent: yes ------------------------------------------------------------------------------------------


async def test_a_request_goes_out_to_the_letter_and_its_response_comes_back_raw() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.respond(
            422,
            b'{"code":\xff}\n',
            headers="X-Request-ID: 649c\r\nX-RateLimit-Remaining: 199\r\nSet-Cookie: a=b\r\nX-Secret: s\r\n",
        )

    async with listening(script) as peer:
        answer = await the_answer(peer.url, a_request())

    assert told(answer) == ("yes", None, 422)
    assert answer.body == b'{"code":\xff}\n'
    assert answer.headers == {"x-request-id": "649c", "x-ratelimit-remaining": "199"}
    [received] = peer.received
    assert received.line == "POST /v2/orders HTTP/1.1"
    assert received.body == BODY.encode()
    assert {
        "apca-api-key-id": "the-key-id",
        "apca-api-secret-key": "the-secret-key",
        "content-type": "application/json",
        "accept-encoding": "identity",
    }.items() <= received.headers.items()


async def test_the_colon_of_a_path_stays_and_the_query_is_encoded() -> None:
    async with listening(order_placed) as peer:
        await the_answer(
            peer.url,
            a_request(
                method="GET",
                path="/v2/orders:by_client_order_id",
                query={"client_order_id": "a b&c=d/é+%41", "status": "all"},
                body=None,
            ),
        )
    [received] = peer.received
    assert received.line == (
        "GET /v2/orders:by_client_order_id"
        "?client_order_id=a+b%26c%3Dd%2F%C3%A9%2B%2541&status=all HTTP/1.1"
    )  # fmt: skip
    assert "content-type" not in received.headers


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.respond(307, b"", headers=f"location: {peer.url}/elsewhere\r\n")

    async with listening(script) as peer:
        assert told(await the_answer(peer.url, a_request())) == ("yes", None, 307)
    assert len(peer.received) == 1


async def test_a_gateway_page_is_an_answer() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.respond(502, b"<html>Bad Gateway</html>", headers="content-type: text/html\r\n")

    async with listening(script) as peer:
        answer = await the_answer(peer.url, a_request())
    assert told(answer) == ("yes", None, 502)
    assert answer.body == b"<html>Bad Gateway</html>"


async def test_keys_that_a_gateway_repeats_are_blanked_out() -> None:
    async def script(exchange: Exchange) -> None:
        received = await exchange.receive()
        await exchange.respond(502, json.dumps(received.headers).encode())

    async with listening(script) as peer:
        answer = await the_answer(peer.url, a_request())
    assert answer.body is not None
    shown = json.loads(answer.body)
    assert (shown["apca-api-key-id"], shown["apca-api-secret-key"]) == ("*" * 10, "*" * 14)


async def test_a_cookie_is_not_brought_back() -> None:
    async def script(exchange: Exchange) -> None:
        while True:
            await exchange.receive()
            await exchange.respond(200, b"{}", headers="set-cookie: stick=here\r\n")

    async with listening(script) as peer, a_broker(peer.url) as broker:
        for _ in range(2):
            await broker.call(a_request(), asked_at=elapsing())
    assert peer.connections == 1, "the connection is kept for the next call"
    assert all("cookie" not in received.headers for received in peer.received)


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with listening(order_placed) as peer:
        assert told(await the_answer(peer.url, a_request())) == ("yes", None, 200)


async def test_a_whole_exchange_goes_over_tls_to_a_broker_that_proves_its_name(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(order_placed, tls=certificate.served()) as peer:
        port = peer.url.rpartition(":")[2]
        stranger = await the_answer(f"https://localhost:{port}", a_request())
        monkeypatch.setattr("certifi.where", lambda: str(certificate.file))
        wrong_name = await the_answer(f"https://127.0.0.1:{port}", a_request())
        right_name = await the_answer(f"https://localhost:{port}", a_request())
        late = await the_answer(f"https://localhost:{port}", a_request(send_within_ms=0))
    assert [each.sent for each in (stranger, wrong_name)] == ["no", "no"]
    assert all("CERTIFICATE_VERIFY_FAILED" in (each.error or "") for each in (stranger, wrong_name))
    assert told(right_name) == ("yes", None, 200)
    assert told(late) == ("no", "deadline_passed", None)
    assert len(peer.received) == 1


async def test_a_timed_out_call_over_tls_ends_in_a_reset_too(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        ended.set_result(await exchange.end())

    monkeypatch.setattr("certifi.where", lambda: str(certificate.file))
    async with listening(script, tls=certificate.served()) as peer:
        url = peer.url.replace("http://127.0.0.1", "https://localhost")
        assert told(await the_answer(url, a_request(timeout_ms=300))) == ("maybe", "timeout", None)
        assert await soon(ended) == "reset"


# --- sent: no -------------------------------------------------------------------------------------------


async def test_a_refused_connection_sent_nothing() -> None:
    with socket.socket() as bound:  # bound and not listening: nobody else can take the port
        bound.bind(("127.0.0.1", 0))
        answer = await the_answer(f"http://127.0.0.1:{bound.getsockname()[1]}", a_request())
    assert answer.sent == "no"
    assert answer.error is not None
    assert answer.error.startswith("ConnectError: ")


async def test_an_unknown_host_sent_nothing() -> None:
    answer = await the_answer("https://broker.invalid", a_request())
    assert answer.sent == "no"
    assert answer.error is not None
    assert answer.error.startswith("ConnectError: ")


async def test_a_failed_tls_handshake_sent_nothing() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(script) as peer:
        answer = await the_answer(peer.url.replace("http:", "https:"), a_request())
    assert answer.sent == "no"
    assert answer.error is not None
    assert "SSL" in answer.error


async def test_a_tls_handshake_that_nobody_answers_times_out_and_sent_nothing() -> None:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def script(exchange: Exchange) -> None:
        ended.set_result(await exchange.end())

    async with listening(script) as peer:
        answer = await the_answer(peer.url.replace("http:", "https:"), a_request(timeout_ms=100))
        assert told(answer) == ("no", "timeout", None)
        assert await soon(ended) == "reset"
    assert peer.received == []


async def test_a_connection_that_nobody_accepts_times_out_and_sent_nothing() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        crowd = [socket.socket() for _ in range(3)]
        for each in crowd:  # fills the queue of connections that wait to be accepted
            each.setblocking(False)
            each.connect_ex(address)
        answer = await the_answer(f"http://127.0.0.1:{address[1]}", a_request(timeout_ms=100))
        for each in crowd:
            each.close()
    assert told(answer) == ("no", "timeout", None)


async def test_a_call_that_waits_for_a_connection_until_it_times_out_sent_nothing() -> None:
    arrived = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        arrived.set()
        await exchange.end()

    async with listening(script) as peer, a_broker(peer.url, connections=1) as broker:
        holding = asyncio.create_task(broker.call(a_request(timeout_ms=500), asked_at=elapsing()))
        await arrived.wait()
        assert told(await broker.call(a_request(timeout_ms=50), asked_at=elapsing())) == (
            "no",
            "timeout",
            None,
        )
        assert told(await holding) == ("maybe", "timeout", None)


async def test_a_request_that_cannot_be_written_down_sent_nothing() -> None:
    async with listening(order_placed) as peer:
        illegal_target = await the_answer(peer.url, a_request(path="/v2/\u00e4"))
        illegal_method = await the_answer(peer.url, a_request(method="PO ST"))
    assert (illegal_target.sent, illegal_method.sent) == ("no", "no")
    assert illegal_method.error == "LocalProtocolError"
    assert peer.received == []


async def test_a_path_cannot_lead_to_another_host() -> None:
    async with listening(order_placed) as peer:
        kept = await the_answer(peer.url, a_request(path="//elsewhere.example/v2/orders"))
        refused = await the_answer(peer.url, a_request(path="@elsewhere.example/v2/orders"))
    assert (told(kept), told(refused)) == (("yes", None, 200), ("no", "InvalidURL", None))
    [received] = peer.received
    assert received.headers["host"] == peer.url.removeprefix("http://")


# --- sent: maybe ----------------------------------------------------------------------------------------


async def test_a_reset_before_any_response_may_have_sent_it() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        exchange.reset()

    async with listening(script) as peer:
        assert (await the_answer(peer.url, a_request())).sent == "maybe"
    assert len(peer.received) == 1, "a call is made once"


async def test_a_close_without_a_response_may_have_sent_it() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.receive()

    async with listening(script) as peer:
        assert told(await the_answer(peer.url, a_request())) == ("maybe", "RemoteProtocolError", None)
    assert len(peer.received) == 1, "a call is made once"


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n", id="half the headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{", id="half the body"),
        pytest.param(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a\":", id="half a chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n", id="no last chunk"),
        pytest.param(b"\x16\x03\x01 what is this\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000, id="endless headers"),
    ],
)  # fmt: skip
async def test_a_response_cut_short_or_garbled_may_have_sent_it(response: bytes) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.send(response)

    async with listening(script) as peer:
        answer = await the_answer(peer.url, a_request())
    assert (answer.sent, answer.status, answer.body) == ("maybe", None, None)
    assert len(peer.received) == 1, "a call is made once"


async def test_a_response_that_nobody_asked_for_is_not_the_answer_to_the_next_request() -> None:
    """A gateway that answers twice: what came with the first answer says nothing of what is sent after it."""

    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        refused = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\n{}"
        await exchange.send(
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}" + refused * (peer.connections == 1)
        )
        await order_placed(exchange)

    async with listening(script) as peer, a_broker(peer.url) as broker:
        answers = [told(await broker.call(a_request(), asked_at=elapsing())) for _ in range(3)]
    assert answers == [("yes", None, 200), ("maybe", "unasked_response", None), ("yes", None, 200)]


async def test_a_response_that_nobody_asked_for_is_known_over_tls_too(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a record of its own it is read from the network with the answer, and decrypted after it."""

    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        if peer.connections == 1:
            await exchange.send(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\n{}")
        await order_placed(exchange)

    monkeypatch.setattr("certifi.where", lambda: str(certificate.file))
    async with listening(script, tls=certificate.served()) as peer:
        url = peer.url.replace("http://127.0.0.1", "https://localhost")
        async with a_broker(url) as broker:
            answers = [told(await broker.call(a_request(), asked_at=elapsing())) for _ in range(3)]
    assert answers == [("yes", None, 200), ("maybe", "unasked_response", None), ("yes", None, 200)]


async def test_a_reset_within_the_body_may_have_sent_it() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{")
        exchange.reset()

    async with listening(script) as peer:
        assert (await the_answer(peer.url, a_request())).sent == "maybe"


async def test_a_timed_out_call_ends_in_a_reset_and_its_connection_is_not_used_again() -> None:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def script(exchange: Exchange) -> None:
        if peer.connections == 1:
            await exchange.receive()
            ended.set_result(await exchange.end())
        else:
            await order_placed(exchange)

    async with listening(script) as peer, a_broker(peer.url) as broker:
        first = await broker.call(a_request(timeout_ms=100), asked_at=elapsing())
        assert told(first) == ("maybe", "timeout", None)
        assert await soon(ended) == "reset"
        assert told(await broker.call(a_request(), asked_at=elapsing())) == ("yes", None, 200)
    assert peer.connections == 2


@pytest.mark.parametrize("held_up", ["while it connects", "after its answer"])
async def test_a_time_out_at_any_moment_leaves_a_connection_for_the_next_call(held_up: str) -> None:
    """The loop stands still past the time-out, a few turns after a step of the call: each of them once."""

    async def script(exchange: Exchange) -> None:
        if peer.connections == 1 and held_up == "while it connects":
            await hold_up()
        await exchange.receive()
        await exchange.respond(200, b"{}")
        if peer.connections == 1 and held_up == "after its answer":
            await hold_up()
        await order_placed(exchange)

    async def hold_up() -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        time.sleep(0.03)  # noqa: ASYNC251  in the loop of the caller, on purpose

    for turns in range(25):
        async with listening(script) as peer, a_broker(peer.url, connections=1) as broker:
            await broker.call(a_request(timeout_ms=20), asked_at=elapsing())
            next_one = await broker.call(a_request(timeout_ms=1_000), asked_at=elapsing())
        assert told(next_one) == ("yes", None, 200), f"held up after {turns} turns"


async def test_a_half_sent_body_does_not_arrive_after_the_time_out() -> None:
    """The peer reads nothing before the time-out, so megabytes wait in the caller's buffers."""
    body = '"' + "x" * 30_000_000 + '"'
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        answer = await the_answer(
            f"http://127.0.0.1:{listener.getsockname()[1]}", a_request(body=body, timeout_ms=200)
        )
        connection, _ = listener.accept()  # the system had accepted it long ago
        with connection, pytest.raises(ConnectionResetError):
            deque(iter(partial(connection.recv, 1_000_000), b""), maxlen=0)
    assert told(answer) == ("maybe", "timeout", None)


async def test_an_endless_body_is_bounded_by_the_time_out() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            await exchange.send(b"1\r\n \r\n")
            await asyncio.sleep(0.005)

    async with listening(script) as peer:
        started = time.monotonic()
        assert told(await the_answer(peer.url, a_request(timeout_ms=200))) == ("maybe", "timeout", None)
        assert 0.2 <= time.monotonic() - started < 2


async def test_a_body_of_the_largest_size_is_taken_whole() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.respond(200, b"x" * MAX_BODY_BYTES)

    async with listening(script) as peer:
        answer = await the_answer(peer.url, a_request())
    assert told(answer) == ("yes", None, 200)
    assert answer.body == b"x" * MAX_BODY_BYTES


async def test_a_larger_body_is_given_up_and_its_connection_reset() -> None:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        try:
            await exchange.respond(200, b"x" * (MAX_BODY_BYTES + 1024 * 1024))
            ended.set_result(await exchange.end())
        except ConnectionResetError:
            ended.set_result("reset")

    async with listening(script) as peer:
        assert told(await the_answer(peer.url, a_request())) == ("maybe", "body_too_large", None)
        assert await soon(ended) == "reset"


# --- the deadline ---------------------------------------------------------------------------------------


async def test_a_request_that_is_late_already_is_not_sent() -> None:
    async with listening(order_placed) as peer, a_broker(peer.url) as broker:
        asked_at = elapsing() - 5
        answer = await broker.call(a_request(send_within_ms=5_000), asked_at=asked_at)
    assert told(answer) == ("no", "deadline_passed", None)
    assert peer.received == []


async def test_a_deadline_that_passes_while_a_call_waits_for_a_connection_keeps_it_from_leaving() -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.receive()
        arrived.set()
        await go_on.wait()
        await exchange.respond(200, b"{}")
        await order_placed(exchange)

    now = 1000.0
    async with listening(script) as peer, a_broker(peer.url, connections=1, clock=lambda: now) as broker:
        first = asyncio.create_task(broker.call(a_request(send_within_ms=5_000), asked_at=now))
        await arrived.wait()
        second = asyncio.create_task(broker.call(a_request(send_within_ms=5_000), asked_at=now))
        await asyncio.sleep(0)
        now = 1005.0
        go_on.set()
        assert told(await first) == ("yes", None, 200)
        assert told(await second) == ("no", "deadline_passed", None)
    assert len(peer.received) == 1


async def test_a_deadline_that_passes_while_connecting_keeps_a_call_from_leaving() -> None:
    """The clock jumps, as after a suspend, between the start of the call and the ready connection."""
    readings = iter([1000.0])  # the start; every later look at the clock is past the deadline

    async with (
        listening(order_placed) as peer,
        a_broker(peer.url, clock=lambda: next(readings, 1060.0)) as broker,
    ):
        answer = await broker.call(a_request(send_within_ms=5_000), asked_at=1000.0)
    assert told(answer) == ("no", "deadline_passed", None)
    assert peer.received == []


async def test_a_process_frozen_between_headers_and_body_does_not_complete_the_order() -> None:
    readings = iter([1000.0, 1000.5])  # the start, the headers; at the body the call is long over
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def script(exchange: Exchange) -> None:
        try:
            await exchange.receive()
            ended.set_result("the order arrived")
        except ConnectionResetError:
            ended.set_result("reset")

    async with (
        listening(script) as peer,
        a_broker(peer.url, clock=lambda: next(readings, 1060.0)) as broker,
    ):
        answer = await broker.call(a_request(timeout_ms=1_000), asked_at=1000.0)
        assert told(answer) == ("maybe", "timeout", None)
        assert await soon(ended) == "reset"


async def test_a_connection_after_a_late_request_is_good_for_the_next() -> None:
    async with listening(order_placed) as peer, a_broker(peer.url) as broker:
        await broker.call(a_request(), asked_at=elapsing() - 60)
        assert told(await broker.call(a_request(), asked_at=elapsing())) == ("yes", None, 200)
    assert len(peer.received) == 1


async def test_no_error_quotes_a_key() -> None:
    """An illegal header value is quoted by httpcore; that settings refuse such a key is not relied on."""
    async with listening(order_placed) as peer:
        broker = Broker(
            account=Account(
                name="paper",
                base_url=peer.url,
                stream_url="",
                environment="paper",
                key_id=SecretStr("the-key-id"),
                secret_key=SecretStr("the-secret\nkey"),
            ),
            connections=1,
        )
        answer = await broker.call(a_request(), asked_at=elapsing())
        await broker.close()
    assert told(answer) == ("no", "LocalProtocolError", None)
