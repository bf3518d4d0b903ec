"""The worker as a process, between a database that plays a script and a broker that obeys the test."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.servers import PREFIX, start_server
from tests.worker.peer import Exchange, listening_in_a_thread, order_placed
from tests.worker.script import ORDERLATCH, PATIENCE_S, Script, Worker, wait_until
from tests.worker.world import KEYS, LISTENERS, World, a_free_port, metrics_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from uuid import UUID

    from tests.support.servers import Database, TestServer
    from worker.embedded import Server

CLAIMING = """
select count(*)::int from pg_stat_activity as s
where s.datname = current_database() and s.wait_event = 'PgSleep'
"""


class Gate:
    """Holds back the broker's responses until opened; counts the calls that stand before it."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.standing = 0

    def open(self) -> None:
        """Let all go, from now on."""
        self._open.set()

    async def script(self, exchange: Exchange) -> None:
        """Respond to every request once the gate is open."""
        while True:
            await exchange.receive()
            self.standing += 1
            await asyncio.to_thread(self._open.wait, PATIENCE_S)
            self.standing -= 1
            await exchange.respond(200, b'{"id": "1"}')


@pytest.fixture
def world(script: Script, tmp_path: Path) -> Iterator[World]:
    with listening_in_a_thread(order_placed) as peer:
        yield World(script, peer, tmp_path)


@contextmanager
def a_world(
    script: Script, directory: Path, broker: Callable[[Exchange], Awaitable[None]]
) -> Iterator[World]:
    with listening_in_a_thread(broker) as peer:
        yield World(script, peer, directory)


# --- carrying -------------------------------------------------------------------------------------------


def test_what_is_claimed_is_carried_and_its_answer_recorded(world: World) -> None:
    requests = world.script.ask_for(40, body='{"qty": "1.50"}')
    with world.worker() as worker:
        answers = world.script.wait_for_answers(requests)
        assert worker.stop() == 0
    assert {answer["sent"] for answer in answers.values()} == {"yes"}
    assert {answer["status"] for answer in answers.values()} == {200}
    # {"id": "1", "qty": "1.50"}, raw
    assert {answer["body"] for answer in answers.values()} == {"eyJpZCI6ICIxIiwgInF0eSI6ICIxLjUwIn0="}
    assert [received.body for received in world.peer.received] == [b'{"qty": "1.50"}'] * 40
    assert len(answers) == world.script.number("select count(*)::int from script.answers") == 40


def test_each_account_goes_to_its_own_broker_with_its_own_keys(world: World) -> None:
    with listening_in_a_thread(order_placed) as other:
        world.script.ask_for(3, account="paper")
        world.script.ask_for(3, account="my-live")
        live = {
            "accounts": "paper, my-live",
            "my_live_key_id": "AKLIVE",
            "my_live_secret_key": "AKSECRET",
            "my_live_base_url": other.url,
            "my_live_environment": "live",
        }
        with world.worker(**live) as worker:
            world.script.wait_for_answers(world.script.ask_for())
            wait_until(lambda: len(world.script.answers()) == 7, what="7 answers")
            assert worker.stop() == 0
    assert {received.headers["apca-api-key-id"] for received in world.peer.received} == {"PKTESTKEYID"}
    assert [received.headers["apca-api-key-id"] for received in other.received] == ["AKLIVE"] * 3
    assert world.script.rows("select w.accounts from script.workers as w") == [
        (
            [
                {"account": "paper", "environment": "paper"},
                {"account": "my-live", "environment": "live"},
            ],
        )
    ]


def test_no_more_is_claimed_than_there_are_free_slots(script: Script, tmp_path: Path) -> None:
    gate = Gate()
    with a_world(script, tmp_path, gate.script) as world, world.worker(slots=2, poll_ms=60_000) as worker:
        requests = script.ask_for(5)
        wait_until(lambda: gate.standing == 2, what="two calls at the broker")
        script.ask_for(notify=True)  # a notification makes no slot
        assert script.number("select count(*)::int from script.requests as r where r.worker_id is null") == 4
        gate.open()
        script.wait_for_answers(requests)  # a freed slot asks again, though nothing else would for a minute
        assert worker.stop() == 0
    assert script.rows("select max(c.how_many) from script.claims as c") == [(2,)]


# --- waking ---------------------------------------------------------------------------------------------


def test_a_notification_wakes_the_worker(world: World) -> None:
    with world.worker(poll_ms=60_000):
        world.script.wait_for_worker()
        silent = world.script.ask_for(notify=False)
        world.script.wait_for_answers([*world.script.ask_for(notify=True), *silent])


def test_the_hint_of_a_claim_wakes_the_worker(world: World) -> None:
    world.script.run("update script.settings set ask_again_ms = 50")
    with world.worker(poll_ms=60_000):
        world.script.wait_for_worker()
        world.script.wait_for_answers(world.script.ask_for(notify=False))


def test_the_poll_finds_what_nobody_announced(world: World) -> None:
    with world.worker(poll_ms=200):
        world.script.wait_for_worker()
        world.script.wait_for_answers(world.script.ask_for(notify=False))


def test_an_idle_worker_asks_less_than_twice_a_second(world: World) -> None:
    with world.worker():
        world.script.wait_for_worker()
        count = "select count(*)::int from script.claims"
        claims, began = world.script.number(count), time.monotonic()
        wait_until(lambda: world.script.number(count) >= claims + 3, what="three more claims")
        assert time.monotonic() - began > 1.5


WAITING = "select count(*)::int from pg_locks as l where not l.granted"

# --- lives ----------------------------------------------------------------------------------------------


def test_a_lost_listening_session_begins_a_new_life_and_no_answer_is_lost(
    script: Script, tmp_path: Path
) -> None:
    gate = Gate()
    with a_world(script, tmp_path, gate.script) as world, world.worker() as worker:
        first_life = script.wait_for_worker()
        in_hand = script.ask_for()
        wait_until(lambda: gate.standing == 1, what="a call at the broker")
        script.run(LISTENERS)
        assert script.wait_for_worker(count=2) > first_life
        gate.open()
        script.wait_for_answers([*in_hand, *script.ask_for()])
        assert worker.stop() == 0


def test_a_registration_that_takes_too_long_is_tried_again(world: World) -> None:
    """An upgrade may hold its tables for longer than a statement may wait: that refuses no worker."""
    with ExitStack() as running:
        with world.script.holding("lock table script.workers in exclusive mode"):
            worker = running.enter_context(world.worker())
            wait_until(lambda: world.script.number(WAITING) == 1, what="the registration waits for the lock")
            world.script.run("select pg_cancel_backend(l.pid) from pg_locks as l where not l.granted")
            worker.wait_for("life_not_begun")
        worker.wait_for("worker_registered")
        assert worker.stop() == 0


def test_a_life_that_the_database_disowns_is_ended_and_a_new_one_begun(world: World) -> None:
    with world.worker(poll_ms=100) as worker:
        first_life = world.script.wait_for_worker()
        world.script.run("update script.settings set disowned = %s", first_life)
        assert world.script.wait_for_worker(count=2) > first_life
        world.script.wait_for_answers(world.script.ask_for())
        assert worker.stop() == 0


# --- recording ------------------------------------------------------------------------------------------


@contextmanager
def the_first_answer_being_recorded(script: Script, gate: Gate) -> Iterator[UUID]:
    """Hold up the recording of one answer for the block, so that others gather behind it."""
    script.wait_for_worker()
    with psycopg.connect(script.url) as holding:
        holding.execute("lock table script.answers in exclusive mode")
        [first] = script.ask_for()
        gate.open()
        wait_until(lambda: script.number(WAITING) == 1, what="the first answer waits for the lock")
        yield first


BATCHES = "select count(*)::int from script.answers as a group by a.batch_no order by a.batch_no"


def test_answers_gather_into_one_batch_while_another_is_being_recorded(
    script: Script, tmp_path: Path
) -> None:
    gate = Gate()
    with a_world(script, tmp_path, gate.script) as world, world.worker(slots=20) as worker:
        with the_first_answer_being_recorded(script, gate) as first:
            others = script.ask_for(12)
            worker.wait_for("request_carried", 13)
        script.wait_for_answers([first, *others])
        assert worker.stop() == 0
    assert script.rows(BATCHES) == [(1,), (12,)]


def test_an_answer_that_cannot_be_recorded_costs_only_itself(script: Script, tmp_path: Path) -> None:
    gate = Gate()
    with a_world(script, tmp_path, gate.script) as world, world.worker(slots=20) as worker:
        with the_first_answer_being_recorded(script, gate) as first:
            requests = script.ask_for(6)
            worker.wait_for("request_carried", 7)
            script.run("update script.settings set poison = %s", str(requests[2]))
        script.wait_for_answers([first, *requests[:2], *requests[3:]])
        worker.wait_for("answer_given_up")
        script.wait_for_answers(script.ask_for())
        assert worker.stop() == 0
    assert [line["answers"] for line in worker.events("record_refused")] == [6, 1, 1, 1]
    assert [(line["request_id"], line["sqlstate"]) for line in worker.events("answer_given_up")] == [
        (str(requests[2]), "22P05")
    ]
    assert requests[2] not in script.answers()
    assert script.rows(BATCHES) == [(1,)] * 7


@pytest.mark.parametrize("sqlstate", ["OL201", "40P01", "55P03"])
def test_an_answer_that_lost_a_race_is_tried_until_it_is_recorded(world: World, sqlstate: str) -> None:
    world.script.run("update script.settings set record_error = %s", sqlstate)
    with world.worker() as worker:
        requests = world.script.ask_for(2)
        worker.wait_for("record_refused", 8)  # more often than any other refusal is borne
        world.script.run("update script.settings set record_error = null")
        world.script.wait_for_answers(requests)
        assert worker.stop() == 0
    assert worker.events("answer_given_up") == []


def test_accounts_that_are_held_keep_no_other_waiting(world: World) -> None:
    """Neither its answers nor its claims, while each try takes as long as it may."""
    held = ("one", "two", "three")
    holding = "select pg_advisory_xact_lock(78, hashtext(name)) from unnest('{one,two,three}'::text[]) name"
    others = {
        f"{name}_{what}": value
        for name in held
        for what, value in (("key_id", "K"), ("secret_key", "S"), ("base_url", world.peer.url))
    }
    with world.worker(accounts=",".join(("paper", *held)), **others) as worker:
        world.script.wait_for_worker()
        with world.script.holding(holding):
            waiting = [request for name in held for request in world.script.ask_for(2, account=name)]
            worker.wait_for("record_refused", 8)  # so that each of the three was
            world.script.run("update script.settings set lock_wait_ms = 20000")
            wait_until(lambda: world.script.number(WAITING) == 2, what="two tries wait, all that may")
            refused = len(worker.events("record_refused"))
            for _ in range(5):
                world.script.wait_for_answers(world.script.ask_for(2))
            assert len(worker.events("record_refused")) <= refused + 2, "those that were under way"
        world.script.wait_for_answers(waiting)
        assert worker.stop() == 0


def test_answers_wait_for_a_server_that_cannot_write(world: World) -> None:
    """A standby in a failover, or a full disk: the statement is refused, and it is not the answer's fault."""
    world.script.run("update script.settings set record_error = '25006'")
    with world.worker(slots=1) as worker:
        requests = world.script.ask_for(2)
        worker.wait_for("database_away")
        claims = world.script.number("select count(*)::int from script.claims")
        world.script.run("update script.settings set record_error = null")
        world.script.wait_for_answers(requests)
        assert worker.stop() == 0
    assert claims == 1, "nothing is claimed while the only slot holds an answer that is not recorded"
    assert worker.events("answer_given_up") == []


@pytest.fixture
def own_server(server: TestServer) -> Iterator[Server]:
    """A server that a test may stop; in a place that its user may enter."""
    with tempfile.TemporaryDirectory(prefix=PREFIX) as place:
        Path(place).chmod(0o755)
        own = start_server(server.major, Path(place) / "own")
        try:
            yield own
        finally:
            if own.running():
                own.stop("immediate")


def test_an_absent_postgres_costs_no_answer(own_server: Server, tmp_path: Path) -> None:
    gate = Gate()
    with (
        a_world(Script(own_server.url("postgres")).install(), tmp_path, gate.script) as world,
        world.worker(poll_ms=100) as worker,
    ):
        world.script.wait_for_worker()
        requests = world.script.ask_for(5)
        wait_until(lambda: gate.standing == 5, what="five calls at the broker")
        own_server.stop("immediate")
        gate.open()
        worker.wait_for("request_carried", 5)
        worker.wait_for("database_away")
        time.sleep(3)  # long enough for the pool to have given up on a connection
        own_server.start()
        answers = world.script.wait_for_answers(requests)
        assert set(answers) == set(requests)
        world.script.wait_for_answers(world.script.ask_for())
        assert worker.stop() == 0
    assert [line["event"] for line in worker.events("database_back")] == ["database_back"]
    assert len(world.peer.received) == 6, "no call was made twice"


# --- stopping -------------------------------------------------------------------------------------------


def test_a_stop_lets_calls_end_records_them_and_says_goodbye(script: Script, tmp_path: Path) -> None:
    gate = Gate()
    with a_world(script, tmp_path, gate.script) as world, world.worker() as worker:
        requests = script.ask_for(3)
        wait_until(lambda: gate.standing == 3, what="three calls at the broker")
        worker.signal(signal.SIGTERM)
        worker.wait_for("worker_stopping")
        late = script.ask_for()
        gate.open()
        assert worker.process.wait(PATIENCE_S) == 0
        assert set(script.answers()) == set(requests)
    assert script.rows("select r.worker_id from script.requests as r where r.request_id = %s", late[0]) == [
        (None,)
    ]
    assert script.rows("select w.released from script.workers as w") == [(True,)]


def test_ctrl_c_stops_in_order_too(world: World) -> None:
    with world.worker() as worker:
        world.script.wait_for_worker()
        worker.signal(signal.SIGINT)
        assert worker.process.wait(PATIENCE_S) == 0


def test_a_second_signal_stops_at_once(script: Script, tmp_path: Path) -> None:
    gate = Gate()
    with a_world(script, tmp_path, gate.script) as world, world.worker() as worker:
        script.ask_for()
        wait_until(lambda: gate.standing == 1, what="a call at the broker")
        worker.signal(signal.SIGTERM)
        worker.wait_for("worker_stopping")
        worker.signal(signal.SIGTERM)
        assert worker.process.wait(PATIENCE_S) == 1
        gate.open()


def test_a_drain_has_an_end(script: Script, tmp_path: Path) -> None:
    gate = Gate()
    with a_world(script, tmp_path, gate.script) as world, world.worker(drain_ms=200) as worker:
        script.ask_for()
        wait_until(lambda: gate.standing == 1, what="a call at the broker")
        worker.signal(signal.SIGTERM)
        assert worker.process.wait(PATIENCE_S) == 1
        gate.open()


@pytest.mark.parametrize("output", ["nobody", "nobody with what it says of that", "/dev/full"])
def test_a_log_that_nobody_takes_costs_one_line_and_no_work(
    world: World, tmp_path: Path, output: str
) -> None:
    reader, pipe = os.pipe()
    if output == "/dev/full":
        os.close(pipe)
        pipe = os.open(output, os.O_WRONLY)
    with ExitStack() as ending:
        complaints = ending.enter_context((tmp_path / "complaints").open("w+"))
        worker = subprocess.Popen(
            [ORDERLATCH, "worker"],
            env={"PATH": os.environ["PATH"], **world.settings()},
            stdout=pipe,
            stderr=pipe if "with" in output else complaints,
        )
        ending.callback(worker.kill)
        os.close(pipe)
        os.close(reader)
        for _ in range(3):
            world.script.wait_for_answers(world.script.ask_for(3))
        worker.send_signal(signal.SIGTERM)
        status = worker.wait(PATIENCE_S)
        complaints.seek(0)
        lines = complaints.read().splitlines()
    assert [line for line in lines if "takes no lines (" in line] == lines[:1]
    if output == "/dev/full":
        assert 1 <= len(lines) <= 3, "at the end Python itself has a word about a full disk"
    else:
        assert (status, len(lines)) == (0, int("with" not in output))


# --- the deadline ---------------------------------------------------------------------------------------


def test_a_worker_frozen_past_the_deadline_does_not_send(world: World) -> None:
    """Frozen while the claim is being granted, thawed long after: the clock started before the claim did."""
    world.script.run("update script.settings set claim_sleeps_s = 0.5")
    [request] = world.script.ask_for(send_within_ms=1_000)
    with world.worker() as worker:
        wait_until(lambda: world.script.number(CLAIMING) == 1, what="the claim is under way")
        worker.signal(signal.SIGSTOP)
        time.sleep(1.2)
        worker.signal(signal.SIGCONT)
        answer = world.script.wait_for_answers([request])[request]
        assert worker.stop() == 0
    assert (answer["sent"], answer["error"]) == ("no", "deadline_passed")
    assert world.peer.received == []


# --- refusing to start ----------------------------------------------------------------------------------


def refusal(worker: Worker) -> str:
    with worker:
        assert worker.process.wait(PATIENCE_S) == 1
    return worker.log.read_text()


def test_a_database_without_orderlatch_is_refused(blank_database: Database, tmp_path: Path) -> None:
    with a_world(Script(blank_database.url), tmp_path, order_placed) as world:
        assert "orderlatch migrate" in refusal(world.worker())


def test_a_schema_version_that_the_worker_does_not_speak_is_refused(world: World) -> None:
    world.script.run("update script.settings set schema_version = 99")
    message = refusal(world.worker())
    assert "schema version 99" in message
    assert "speaks 1:" in message
    assert world.script.number("select count(*)::int from script.workers") == 0


def test_a_login_without_the_role_is_refused(world: World, blank_database: Database) -> None:
    blank_database.server.ensure_login("worker_without_role")
    script = Script(blank_database.server.url(blank_database.name, "worker_without_role"))
    world.script.run("revoke usage on schema orderlatch from public")
    world.script = script
    assert "needs the role orderlatch_worker" in refusal(world.worker())


def test_a_refused_registration_ends_the_worker_with_the_database_s_words(world: World) -> None:
    message = refusal(world.worker(worker_name="unwelcome"))
    assert "OL302 environment_mismatch: no (Say paper.)" in message


def test_an_unreachable_database_is_named_without_its_password(world: World) -> None:
    world.script = Script("postgresql://someone:hunter2@127.0.0.1:1/none")
    message = refusal(world.worker())
    assert "DATABASE_URL: " in message
    assert "hunter2" not in message


def test_a_garbled_database_url_is_not_quoted(world: World) -> None:
    world.script = Script("hunter2")
    message = refusal(world.worker())
    assert "DATABASE_URL: must be a Postgres connection URL" in message
    assert "hunter2" not in message


# --- being watched --------------------------------------------------------------------------------------


def test_neither_keys_nor_payloads_are_logged(world: World) -> None:
    requests = world.script.ask_for(3, body='{"client_order_id": "payload"}')
    requests += world.script.ask_for(method="PO ST", body='{"client_order_id": "payload"}')
    requests += world.script.ask_for(method="GET", query='{"client_order_id": "payload"}')
    with world.worker() as worker:
        world.script.wait_for_answers(requests)
        world.script.run(LISTENERS)
        world.script.wait_for_worker(count=2)
        assert worker.stop() == 0
        log = worker.log.read_text()
    assert log.count("request_carried") == 5
    for secret in (*KEYS.values(), "payload"):
        assert secret not in log
    assert worker.events("worker_stopped")


def test_metrics_count_calls_and_answers(world: World) -> None:
    requests = world.script.ask_for(3)
    port = a_free_port()
    with world.worker(metrics_port=port) as worker:
        world.script.wait_for_answers(requests)
        worker.wait_for("answer_recorded", 3)
        lines = metrics_of(port)
        assert worker.stop() == 0
    assert 'orderlatch_calls_total{account="paper",kind="submit_order",sent="yes"} 3.0' in lines
    assert 'orderlatch_answers_recorded_total{meaning="order_exists"} 3.0' in lines
    assert "orderlatch_requests_in_hand 0.0" in lines
