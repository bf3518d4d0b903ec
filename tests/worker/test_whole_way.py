"""The real functions, the real worker, and a broker without a fault: the way that others branch off."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tests.worker.peer import Exchange, listening_in_a_thread
from tests.worker.script import Worker, wait_until
from tests.worker.test_propose import FIXTURES, line, propose
from tests.worker.world import a_free_port, ask

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.servers import Database
    from tests.support.sessions import Connect

ACCOUNT = {"id": "904837e3-3b76-47ec-b432-046db621571b", "account_number": "PA1", "status": "ACTIVE"}
OPEN = "select count(*)::int from orderlatch.decisions as d where d.status <> 'submitted'"


class Broker:
    """Remembers orders by client_order_id, and refuses none."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, object]] = {}
        self.posts = 0

    async def script(self, exchange: Exchange) -> None:
        """Speak the endpoints that a calm day needs."""
        while True:
            request = await exchange.receive()
            method, target, _ = request.line.split()
            match method, urlsplit(target).path:
                case "GET", "/v2/account":
                    await exchange.respond(200, json.dumps(ACCOUNT).encode())
                case "POST", "/v2/orders":
                    self.posts += 1
                    order = json.loads(request.body)
                    created = {"id": f"{self.posts:032x}", "status": "new", "filled_qty": "0", **order}
                    self.orders[order["client_order_id"]] = created
                    await exchange.respond(200, json.dumps(created).encode())
                case "GET", "/v2/orders:by_client_order_id":
                    [wanted] = parse_qs(urlsplit(target).query)["client_order_id"]
                    await exchange.respond(200, json.dumps(self.orders[wanted]).encode())
                case "GET", "/v2/orders" | "/v2/account/activities/FILL" | "/v2/positions":
                    await exchange.respond(200, b"[]")
                case _:
                    raise AssertionError(request.line)


def test_every_real_decision_becomes_one_order(database: Database, connect: Connect, tmp_path: Path) -> None:
    session = connect()
    session.execute("select orderlatch.create_account('paper', 'paper')")
    assert propose(database, FIXTURES / "goog-redelivered.jsonl").returncode == 0
    database.server.ensure_login("carries_paper", "orderlatch_worker")
    session.execute("select orderlatch.bind_login('carries_paper', 'paper')")
    broker, port = Broker(), a_free_port()
    with listening_in_a_thread(broker.script) as peer:
        environment = {
            "DATABASE_URL": database.server.url(database.name, "carries_paper"),
            "ORDERLATCH_ACCOUNTS": "paper",
            "ORDERLATCH_PAPER_BASE_URL": peer.url,
            "ORDERLATCH_STREAM": "off",
            "ORDERLATCH_METRICS_PORT": str(port),
            "APCA_API_KEY_ID": "PKTEST",
            "APCA_API_SECRET_KEY": "PKSECRET",
        }
        with Worker(environment, directory=tmp_path) as worker:
            wait_until(lambda: session.execute(OPEN).fetchone() == (0,), what="all decisions submitted")
            wait_until(lambda: ask(port, "/readyz") == (200, "paper verified"), what="it is ready")
            assert worker.stop() == 0
    hashes = session.execute("select d.decision_hash from orderlatch.decisions as d").fetchall()
    assert len(hashes) == broker.posts == 65
    assert set(broker.orders) == {decision_hash for (decision_hash,) in hashes}
    released = "select bool_and(w.released_at is not null) from orderlatch_data.workers as w"
    assert session.execute(released).fetchone() == (True,)


def test_log_lines_of_calls_carry_the_trace_of_their_decision(
    database: Database, connect: Connect, tmp_path: Path
) -> None:
    session = connect()
    session.execute("select orderlatch.create_account('paper', 'paper')")
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    lines = [
        line(symbol="TRACED", metadata={"traceparent": trace}),
        line(symbol="PLAIN", metadata={"desk": "one"}),
        line(symbol="BAD", metadata={"traceparent": "not a trace"}),
    ]
    assert propose(database, b"".join(lines)).returncode == 0
    broker, carried = Broker(), "request_carried"
    with listening_in_a_thread(broker.script) as peer:
        environment = {
            "DATABASE_URL": database.url,
            "ORDERLATCH_ACCOUNTS": "paper",
            "ORDERLATCH_PAPER_BASE_URL": peer.url,
            "ORDERLATCH_STREAM": "off",
            "ORDERLATCH_TRACES": "on",
            "APCA_API_KEY_ID": "PKTEST",
            "APCA_API_SECRET_KEY": "PKSECRET",
        }
        with Worker(environment, directory=tmp_path) as worker:
            wait_until(lambda: session.execute(OPEN).fetchone() == (0,), what="all decisions submitted")
            assert worker.stop() == 0
            submits = {
                each["request_id"]: each for each in worker.events(carried) if each["kind"] == "submit_order"
            }
    assert len(submits) == broker.posts == 3
    [(traced,)] = session.execute(
        "select w.request_id::text from orderlatch.wire as w join orderlatch.decisions as d"
        " on d.decision_hash = w.decision_hash where d.symbol = 'TRACED'"
    ).fetchall()
    told = submits.pop(traced)
    assert told["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert told["parent_id"] == "00f067aa0ba902b7"
    assert told["span_id"] == str(traced).replace("-", "")[16:]
    assert not any("trace_id" in each for each in submits.values())
