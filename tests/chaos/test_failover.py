"""Another server takes over, or a backup is restored, and the last commits are lost.

What was decided and sent before must not be sent again, whatever the database still knows of it: the truth
is the broker's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.chaos.sandbox import SUBMIT
from tests.chaos.verdict import verify
from tests.chaos.world import SHORT, World
from tests.support import copies
from tests.support.servers import Database
from worker.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.chaos.sandbox import SandboxProcess
    from tests.support.servers import TestServer

NAME = "trades"
EVENTS = "select e.cursor, e.caught_up, e.event_key from orderlatch.events_since(%s) as e"
KEYS = """
select orderlatch_data.event_key(e.server_started_at, e.event_id) from orderlatch_data.decision_events as e
"""
WHY = "select c.why from orderlatch.clusters as c order by c.cluster_no"
# Submits that this server has granted, and those of them that came before calls of the other had ended.
GRANTED = """
select count(*)::int from orderlatch_data.broker_requests as q
join orderlatch_data.clusters as c on c.noticed_at <= q.claimed_at
where q.kind = 'submit_order' and c.why <> 'first'
"""
TOO_EARLY = """
select q.claimed_at, c.changed_from from orderlatch_data.broker_requests as q
join orderlatch_data.clusters as c on c.noticed_at <= q.claimed_at and c.why = 'cluster'
join orderlatch_data.accounts as a on a.account_id = q.account_id
where q.kind = 'submit_order'
  and q.claimed_at < c.changed_from + a.send_within + a.call_timeout + a.answer_grace
"""
UNREAD = """
select count(*)::int from orderlatch_data.broker_reads as r
join orderlatch_data.accounts as a on a.account_id = r.account_id and a.account = 'paper'
where r.covered_at is null or r.began_at is not null
  or exists (select from orderlatch_data.read_wishes as w where w.account_id = r.account_id)
"""
READ_FOR = """
select count(*)::int from orderlatch_data.broker_reads as r
join orderlatch_data.accounts as a on a.account_id = r.account_id and a.account = 'paper'
where r.purpose = 'orders' and r.reason = %s and r.began_at is null
"""


@dataclass(slots=True)
class Follower:
    """A strategy that follows its decisions, whichever server it finds."""

    world: World
    cursor: str | None = None
    keys: list[str] = field(default_factory=list)

    def follow(self) -> list[str]:
        """Read until nothing is left; returns what was given."""
        before = len(self.keys)
        caught_up: object = False
        while not caught_up:
            for cursor, caught_up, key in self.world.rows(EVENTS, self.cursor):  # noqa: B007
                self.cursor = str(cursor)
                if key is not None:
                    self.keys.append(str(key))
        return self.keys[before:]


@dataclass(slots=True, kw_only=True)
class Story:
    """What happened before the server failed."""

    follower: Follower
    early: str
    """submitted before the backup"""
    waiting: str
    """approved in the backup, submitted afterwards"""
    unsent: str
    """approved in the backup, of the account `second`, never submitted"""
    lost: str
    """proposed and submitted after the backup"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pid:
    pid: int


@pytest.fixture
def failing_world(own_server: TestServer, sandbox_process: SandboxProcess, tmp_path: Path) -> Iterator[World]:
    """A world of two accounts on a server that is going to fail; whatever takes its place is verified."""
    own_server.execute(f"create database {NAME} template orderlatch_template")
    world = World(Database(own_server, NAME), sandbox_process, tmp_path)
    world.mirrored_account("paper", **SHORT)
    world.mirrored_account("second", **SHORT)
    sandbox_process.reset()
    try:
        yield world
    finally:
        world.close()


def expect(world: World, *servers: TestServer) -> None:
    """Have workers look for the primary among these servers."""
    hosts = ",".join(str(server.server.sockets) for server in servers)
    world.url = f"postgresql://postgres@/{NAME}?host={hosts}&target_session_attrs=read-write"


def live(world: World, save: Callable[[], None], **settings: object) -> Story:
    """Trade until the server fails; `save` makes the state that survives."""
    world.ready_worker("paper", **settings)
    early = world.propose("GOOG")
    world.wait_for("submitted", early)
    world.wait_until(lambda: world.number(UNREAD) == 0, what="the account was read")
    with world.claims_held_up():
        waiting = world.propose("KO")
        unsent = world.propose("PEP", account="second")
        save()
    world.wait_for("submitted", waiting)
    lost = world.propose("IBM", event_ts="2026-11-24T00:00:00Z")
    world.wait_for("submitted", lost)
    follower = Follower(world)
    follower.follow()
    return Story(follower=follower, early=early, waiting=waiting, unsent=unsent, lost=lost)


def fail(world: World, successor: Callable[[], Database]) -> None:
    """Let the server crash, and another take its place."""
    world.stop_postgres()
    world.move_to(successor())


def recover(world: World, story: Story) -> None:
    """What must come after that, without a person's help."""
    assert world.rows("select d.decision_hash from orderlatch.decisions as d where d.symbol = 'IBM'") == []
    world.worker("second")
    world.wait_for("submitted", story.early, story.waiting, story.unsent)
    # what was submitted there was found, and only what was not was sent
    assert world.rows(TOO_EARLY) == []
    assert world.number(GRANTED) == 1
    assert [world.sandbox.posts_of(each) for each in (story.early, story.waiting, story.unsent)] == [1, 1, 1]
    assert world.story(story.waiting)[2:] == ["submitted"]

    world.wait_until(lambda: "decision_lost" in world.incidents(), what="the lost decision is reported")
    assert world.incidents() == ["cluster_changed", "decision_lost"]
    again = world.propose("IBM", status="submitted", event_ts="2026-11-24T00:00:00Z")
    assert again == story.lost
    assert world.sandbox.posts_of(story.lost) == 1

    given = story.follower.follow()
    assert len(given) == len(set(given)), "an event twice"
    assert {str(key) for (key,) in world.rows(KEYS)} <= set(story.follower.keys), "an event missed"
    world.wait_for("submitted", world.propose("ORCL"))  # and life goes on
    verify(world)


def test_a_standby_that_lags_behind_is_promoted(failing_world: World, own_server: TestServer) -> None:
    """A call of the old primary is still alive when the new one looks at the broker for the first time.

    Time passes only where the test lets it.
    """
    world = failing_world
    # a claim that waits while the standby is cut off may still be sent: no time passes for a second try
    world.change_account(call_timeout="1 minute", send_within="20 seconds")
    world.hold_clock()
    with copies.copy_of(own_server) as standby:
        copies.follow(standby, own_server)
        expect(world, own_server, standby)
        on_its_way = []

        def save() -> None:
            on_its_way.append(world.propose("MSFT"))
            world.pass_time(1)
            copies.catch_up(standby, world.database)
            copies.cut_off(standby)
            world.sandbox.fault("gate", match={**SUBMIT, "symbol": "MSFT"}, when="before", gate="wire")

        story = live(world, save, poll_ms=200)
        world.sandbox.wait_for_held("wire")
        fail(world, lambda: promoted(standby))
        world.wait_until(lambda: world.number(READ_FOR, "cluster") == 1, what="the broker was looked at")
        assert world.status(story.waiting) == "submitted"
        assert world.status(on_its_way[0]) == "approved"
        world.sandbox.release("wire")
        world.wait_until(
            lambda: bool(world.sandbox.truth(on_its_way[0])), what="the call of the old primary has arrived"
        )
        world.pass_time(81)
        world.wait_for("submitted", on_its_way[0])
        assert world.sandbox.posts_of(on_its_way[0]) == 1
        recover(world, story)


def promoted(standby: TestServer) -> Database:
    """What a failover manager does."""
    standby.execute("select pg_promote()")
    return Database(standby, NAME)


def test_a_base_backup_is_restored_to_a_point_in_time(failing_world: World, own_server: TestServer) -> None:
    world = failing_world
    with copies.copy_of(own_server) as copy:
        expect(world, own_server, copy)
        story = live(world, lambda: world.run("select pg_create_restore_point('before the accident')"))

        def restored() -> Database:
            copies.restore_to(copy, own_server, "before the accident")
            return Database(copy, NAME)

        fail(world, restored)
        recover(world, story)


def test_a_dump_is_restored_into_another_cluster(
    failing_world: World, own_server: TestServer, bare_server: TestServer
) -> None:
    world = failing_world
    expect(world, own_server, bare_server)
    saved: list[str] = []

    def save() -> None:
        saved.extend((copies.dump(world.database), copies.dump_roles(own_server)))

    story = live(world, save)
    assert world.workers[0].stop() == 0  # half a dump is no database to work on
    fail(world, lambda: copies.restore_dump(saved[0], saved[1], bare_server, NAME))
    world.worker("paper")
    recover(world, story)


def test_a_restart_costs_one_read_of_the_orders(failing_world: World) -> None:
    world = failing_world
    worker = world.ready_worker("paper")
    world.wait_for("submitted", world.propose("GOOG"))
    follower = Follower(world)
    follower.follow()
    assert worker.stop() == 0
    decision = world.propose("KO")
    world.stop_postgres("fast")
    world.start_postgres()
    world.worker("paper")
    world.wait_for("submitted", decision)
    assert world.rows(WHY) == [("first",), ("restart",)]
    assert world.incidents() == []
    assert len(follower.follow()) == len(world.story(decision)) == 4
    verify(world)


@pytest.mark.thorough
def test_a_worker_on_a_standby_says_so_and_begins_when_it_is_promoted(
    failing_world: World, own_server: TestServer
) -> None:
    world = failing_world
    decision = world.propose("GOOG")
    with copies.copy_of(own_server) as standby:
        copies.follow(standby, own_server)
        copies.catch_up(standby, world.database)
        world.url = standby.url(NAME)
        worker = world.worker("paper")
        worker.wait_for("life_not_begun")
        (told,) = worker.events("life_not_begun")
        assert str(told["reason"]).startswith("the server takes no writes (is it a standby?)")
        with (
            Database(standby, NAME).connect() as session,
            pytest.raises(psycopg.Error, match="server_is_standby"),
        ):
            session.execute("select e.cursor from orderlatch.events_since() as e")
        fail(world, lambda: promoted(standby))
        world.wait_for("submitted", decision)
        assert world.sandbox.posts_of(decision) == 1
        verify(world)


async def test_a_connection_to_a_standby_is_used_once(own_server: TestServer) -> None:
    """Its address may lead to the primary by now; on a standby every life of a worker counts as over."""
    with copies.copy_of(own_server) as standby:
        copies.follow(standby, own_server)
        postgres = Postgres(standby.url("postgres"), connections=1)
        async with postgres.opened():
            pids = [await postgres.rows(Pid, b"select pg_backend_pid() as pid", {}) for _ in range(3)]
            standby.execute("select pg_promote()")
            pids += [await postgres.rows(Pid, b"select pg_backend_pid() as pid", {}) for _ in range(3)]
    assert len({pid for [pid] in pids[:3]}) == 3
    assert len({pid for [pid] in pids[4:]}) == 1
