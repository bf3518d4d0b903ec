"""The worker and its stream: what the database is told of it, and that nothing of it gets in the way."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from tests.worker.peer import listening_in_a_thread, order_placed
from tests.worker.script import Script, Worker, wait_until
from tests.worker.stream_peer import StreamPeer, streaming_in_a_thread
from tests.worker.world import KEYS, LISTENERS, World, a_free_port, metrics_of
from worker.database import Database
from worker.follower import Follower
from worker.life import Life
from worker.mailbox import MAX_WAITING, Ending, Mailbox
from worker.metrics import Metrics
from worker.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from websockets.asyncio.server import ServerConnection

TOLD = "select t.worker_id, t.connected, t.message from script.told as t order by t.told_no"


class StreamWorld(World):
    """A world with a stream."""

    def __init__(self, world: World, stream: StreamPeer) -> None:
        super().__init__(world.script, world.peer, world._directory)
        self.stream = stream

    def worker(self, **settings: object) -> Worker:
        """Start a worker that follows the stream."""
        return super().worker(**{"stream": "on", "paper_stream_url": self.stream.url, **settings})

    def told(self) -> list[bool | bytes]:
        """What the database was told, in order: states and messages."""
        return [message if connected is None else connected for _, connected, message in self._told()]

    def lives(self) -> list[int]:
        """The lives in whose name it was told so."""
        return [worker_id for worker_id, _, _ in self._told()]

    def wait_for_told(self, *expected: bool | bytes) -> None:
        """Return once the database was told exactly this."""
        wait_until(lambda: len(self.told()) >= len(expected), what=f"{expected} told")
        assert self.told() == list(expected)

    def wait_for_listeners(self, count: int = 1) -> None:
        """Return once so many connections listen."""
        wait_until(lambda: len(self.stream.listeners) == count, what=f"{count} listeners")

    def carries_on(self) -> bool:
        """Whether requests are claimed, carried and answered."""
        requests = self.script.ask_for(3)
        return set(requests) <= set(self.script.wait_for_answers(requests))

    def _told(self) -> list[tuple[int, bool | None, bytes]]:
        return [(worker_id, connected, message) for worker_id, connected, message in self.script.rows(TOLD)]


@pytest.fixture
def world(script: Script, tmp_path: Path) -> Iterator[StreamWorld]:
    with listening_in_a_thread(order_placed) as peer, streaming_in_a_thread() as stream:
        yield StreamWorld(World(script, peer, tmp_path), stream)


def reported(worker: Worker) -> list[tuple[object, object]]:
    """How connections ended, as the log has it."""
    return [(line["why"], line["detail"]) for line in worker.events("stream_ended")]


# --- telling --------------------------------------------------------------------------------------------


def test_messages_are_recorded_unread_in_order_after_the_state(world: StreamWorld) -> None:
    messages = [b'{"stream":"trade_updates"}', b"\x00\xff", b"", '{"text":"\u00fc"}'.encode()]
    with world.worker() as worker:
        world.wait_for_listeners()
        world.stream.send(*messages[:3], messages[3].decode())
        world.wait_for_told(True, *messages)
        assert worker.stop() == 0
    world.wait_for_told(True, *messages, False)
    assert len(set(world.lives())) == 1


def test_a_lost_connection_is_told_and_so_is_the_next_one(world: StreamWorld) -> None:
    with world.worker() as worker:
        world.wait_for_told(True)
        world.stream.reset()
        world.wait_for_told(True, False, True)
        world.stream.send(b"after")
        world.wait_for_told(True, False, True, b"after")
        assert worker.stop() == 0
    assert [why for why, _ in reported(worker)] == ["closed"]


def test_each_life_of_the_worker_says_anew_that_it_listens(world: StreamWorld) -> None:
    """Without a new connection: the stream was not lost, only the session with the database."""
    with world.worker() as worker:
        world.wait_for_told(True)
        world.script.run(LISTENERS)
        world.wait_for_told(True, True)
        world.stream.send(b"after")
        world.wait_for_told(True, True, b"after")
        assert world.stream.connections == 1
        assert worker.stop() == 0
    first, *others = world.lives()
    assert set(others) == {first + 1}


def test_a_stop_closes_the_stream_and_says_so_before_goodbye(world: StreamWorld) -> None:
    with world.worker() as worker:
        world.wait_for_told(True)
        assert worker.stop() == 0
    assert world.told() == [True, False]
    assert world.script.rows("select w.released from script.workers as w") == [(True,)]
    assert world.stream.listeners == []


def test_a_worker_can_be_told_to_do_without(world: StreamWorld) -> None:
    with world.worker(stream="off") as worker:
        assert world.carries_on()
        assert worker.stop() == 0
    assert (world.stream.connections, world.told()) == (0, [])


# --- the database is away, busy, or refuses ---------------------------------------------------------------


def test_messages_wait_for_a_database_that_is_away(world: StreamWorld) -> None:
    with world.worker() as worker:
        world.wait_for_told(True)
        world.script.run("update script.settings set stream_error = '25006'")
        world.stream.send(b"1", b"2", b"3")
        worker.wait_for("database_away")
        world.script.run("update script.settings set stream_error = null")
        world.wait_for_told(True, b"1", b"2", b"3")
        assert worker.stop() == 0
    assert world.stream.connections == 1


@pytest.mark.parametrize("sqlstate", ["OL201", "OL202", "40P01"])
def test_a_message_that_lost_a_race_is_told_until_it_is_taken(world: StreamWorld, sqlstate: str) -> None:
    refused = "select s.xact_rollback::int from pg_stat_database as s where s.datname = current_database()"
    with world.worker() as worker:
        world.wait_for_told(True)
        before = world.script.number(refused)
        world.script.run("update script.settings set stream_error = %s", sqlstate)
        world.stream.send(b"1", b"2")
        wait_until(lambda: world.script.number(refused) >= before + 4, what="refused four times")
        world.script.run("update script.settings set stream_error = null")
        world.wait_for_told(True, b"1", b"2")
        assert worker.stop() == 0
    assert (world.stream.connections, reported(worker)) == (1, [])


def test_more_than_can_wait_is_dropped_and_the_next_connection_begins_with_a_read(world: StreamWorld) -> None:
    port = a_free_port()
    with world.worker(metrics_port=port) as worker:
        world.wait_for_told(True)
        world.script.run("update script.settings set stream_error = '25006'")
        world.stream.send(*[b"message"] * (MAX_WAITING + 1))
        wait_until(lambda: world.stream.listeners == [], what="the connection is given up")
        assert world.carries_on()
        world.script.run("update script.settings set stream_error = null")
        world.wait_for_told(True, False, True)
        lines = metrics_of(port)
        world.stream.send(b"after")
        world.wait_for_told(True, False, True, b"after")
        assert worker.stop() == 0
    assert reported(worker) == [("overrun", None)]
    dropped = f'orderlatch_stream_messages_total{{account="paper",meaning="dropped"}} {MAX_WAITING}.0'
    assert dropped in lines


def test_a_message_that_the_database_will_not_have_costs_one_connection(world: StreamWorld) -> None:
    """What was in it is made up for by the read that the next connection begins with."""
    world.script.run("update script.settings set stream_poison = 'poison'")
    with world.worker() as worker:
        world.wait_for_told(True)
        world.stream.send(b"poison")
        world.wait_for_told(True, False, True)
        world.stream.send(b"after")
        world.wait_for_told(True, False, True, b"after")
        assert worker.stop() == 0
    assert reported(worker) == [("not_taken", "22003 a message that cannot be recorded")]


def test_a_database_that_takes_no_message_holds_up_neither_claims_nor_answers(world: StreamWorld) -> None:
    with world.worker() as worker:
        world.wait_for_told(True)
        with world.script.holding("lock table script.told in exclusive mode"):
            world.stream.send(b"1", b"2")
            waiting = "select count(*)::int from pg_locks as l where not l.granted"
            wait_until(lambda: world.script.number(waiting) == 1, what="a message waits for the lock")
            assert world.carries_on()
            assert world.script.number(waiting) == 1
        world.wait_for_told(True, b"1", b"2")
        assert worker.stop() == 0


# --- the broker misbehaves --------------------------------------------------------------------------------


def test_keys_that_are_never_taken_cost_one_line_for_each_pause(world: StreamWorld) -> None:
    world.stream.takes = ()
    port = a_free_port()
    with world.worker(metrics_port=port) as worker:
        worker.wait_for("stream_ended", 4)
        assert world.carries_on()
        lines = metrics_of(port)
        assert worker.stop() == 0
        ended = worker.events("stream_ended")
        assert "PKTEST" not in worker.log.read_text()
    assert {why for why, _ in reported(worker)} == {"unauthorized"}
    assert abs(len(ended) - world.stream.connections) <= 1, "one line a connection"
    pauses = [float(str(line["next_try_s"])) for line in ended]
    assert all(0.2 <= pause / 2**step <= 0.5 for step, pause in enumerate(pauses)), pauses
    assert 'orderlatch_stream_connected{account="paper"} 0.0' in lines
    [count] = [line for line in lines if line.startswith("orderlatch_stream_endings_total{")]
    assert count.startswith('orderlatch_stream_endings_total{account="paper",why="unauthorized"} ')
    assert world.told() == []


def test_a_broker_without_a_stream_costs_nothing_else(world: StreamWorld) -> None:
    url = f"ws://127.0.0.1:{a_free_port()}/stream"
    with world.worker(paper_stream_url=url) as worker:
        worker.wait_for("stream_ended", 2)
        assert world.carries_on()
        assert worker.stop() == 0
    assert {why for why, _ in reported(worker)} == {"unreachable"}


def test_a_flood_holds_up_neither_claims_nor_answers(script: Script, tmp_path: Path) -> None:
    async def flood(peer: StreamPeer, connection: ServerConnection) -> None:
        await peer.admit(connection)
        peer.listeners.append(connection)
        for _ in range(20 * MAX_WAITING):
            await connection.send(b"x")

    with (
        listening_in_a_thread(order_placed) as peer,
        streaming_in_a_thread(flood) as stream,
        StreamWorld(World(script, peer, tmp_path), stream).worker() as worker,
    ):
        world = StreamWorld(World(script, peer, tmp_path), stream)
        worker.wait_for("stream_ended")
        while len(worker.events("stream_ended")) < 3:
            assert world.carries_on()
        assert worker.stop() == 0
    assert {answer["sent"] for answer in script.answers().values()} == {"yes"}
    assert {why for why, _ in reported(worker)} == {"overrun"}


def test_a_mistake_in_the_stream_s_own_program_does_not_end_the_worker(world: StreamWorld) -> None:
    """A row less than the function ever returns: nothing in the program is ready for that."""
    with world.worker() as worker:
        world.wait_for_told(True)
        world.script.run("update script.settings set stream_rows = 0")
        world.stream.send(b"1")
        worker.wait_for("stream_failed")
        world.script.run("update script.settings set stream_rows = 1")
        wait_until(lambda: world.told()[-2:] == [False, True], what="the next connection is told")
        assert world.carries_on()
        assert worker.stop() == 0
        assert not any(secret in worker.log.read_text() for secret in KEYS.values())
    assert reported(worker) == [("failed", None)]


def test_a_killed_worker_needs_no_farewell(world: StreamWorld) -> None:
    with world.worker() as first:
        world.wait_for_told(True)
        first.signal(signal.SIGKILL)
        first.process.wait()
    with world.worker() as second:
        world.wait_for_told(True, True)
        assert second.stop() == 0
    assert len(set(world.lives())) == 2


class Endings(Stream):
    """A stream whose connections all end at once, as the test has written."""

    def __init__(self, *heard_s: float) -> None:
        self._heard_s = list(heard_s)

    async def hear(self, mailbox: Mailbox) -> Ending:
        assert not mailbox.listening
        return Ending(why="closed", heard_s=self._heard_s.pop(0))


@pytest.mark.parametrize(
    ("heard_s", "rests"),
    [
        ([0.0] * 9, [0.5, 1, 2, 4, 8, 16, 32, 60, 60]),
        ([0, 59.9, 0, 60, 0], [0.5, 1, 2, 0.5, 1]),
    ],
)
async def test_pauses_double_to_a_minute_until_a_connection_was_steady(
    monkeypatch: pytest.MonkeyPatch, heard_s: list[float], rests: list[float]
) -> None:
    slept: list[float] = []
    test, sleep_really = asyncio.current_task(), asyncio.sleep

    async def sleep(seconds: float) -> None:
        if asyncio.current_task() is not test:  # what else is going on in this process
            return await sleep_really(seconds)
        slept.append(seconds)
        if len(slept) >= len(rests):
            raise asyncio.CancelledError
        return None

    database = Database("postgresql://nobody@127.0.0.1:1/none")  # nothing is told, so nobody connects
    life = Life(database=database, worker_name="w", accounts=(), schema_version=1)
    follower = Follower(
        account="paper", stream=Endings(*heard_s), database=database, life=life, metrics=Metrics()
    )
    monkeypatch.setattr("random.uniform", lambda _, most: most)
    monkeypatch.setattr("asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await follower.run()
    assert slept == rests


# --- being watched ----------------------------------------------------------------------------------------


def test_metrics_show_the_stream_and_how_far_the_broker_was_read(world: StreamWorld) -> None:
    port = a_free_port()
    with world.worker(metrics_port=port) as worker:
        world.wait_for_told(True)
        world.stream.send(b"1", b"2")
        world.wait_for_told(True, b"1", b"2")
        shown = 'orderlatch_stream_messages_total{account="paper",meaning="order_updated"} 2.0'
        wait_until(lambda: shown in metrics_of(port), what="two messages counted")
        lag = 'orderlatch_reconcile_lag_seconds{account="paper",purpose="orders"} 90.0'
        wait_until(lambda: lag in metrics_of(port), what="the lag is shown")
        lines = metrics_of(port)
        assert worker.stop() == 0
    for line in (
        'orderlatch_stream_connected{account="paper"} 1.0',
        'orderlatch_stream_beginnings_total{account="paper"} 1.0',
        'orderlatch_reconcile_lag_seconds{account="paper",purpose="fills"} 90.0',
        'orderlatch_reconcile_failures{account="paper",purpose="fills"} 2.0',
        'orderlatch_reconcile_last_success_timestamp_seconds{account="paper",purpose="fills"} 1.795608e+09',
    ):
        assert line in lines
    success = "orderlatch_reconcile_last_success_timestamp_seconds{"
    assert not any(line.startswith(success) and "orders" in line for line in lines), "there was none"


def test_lag_that_nobody_can_tell_is_not_shown(world: StreamWorld) -> None:
    port = a_free_port()
    with world.worker(metrics_port=port, stream="off") as worker:
        worker.wait_for("worker_registered")
        lag = 'orderlatch_reconcile_lag_seconds{account="paper",purpose="orders"} 90.0'
        wait_until(lambda: lag in metrics_of(port), what="the lag is shown")
        world.script.run("update script.settings set health_error = '42501'")
        world.script.run(LISTENERS)  # the next life asks at once
        gone = "orderlatch_reconcile_lag_seconds{"
        wait_until(lambda: not any(gone in line for line in metrics_of(port)), what="nothing is shown")
        world.script.run(LISTENERS)
        world.script.wait_for_worker(3)
        assert worker.stop() == 0
    assert len(worker.events("health_refused")) == 1, "said once"


def test_nobody_asks_for_what_nobody_watches(world: StreamWorld) -> None:
    world.script.run("update script.settings set health_error = '42501'")
    with world.worker() as worker:
        world.wait_for_told(True)
        assert world.carries_on()
        assert worker.stop() == 0
    assert worker.events("health_refused") == []
