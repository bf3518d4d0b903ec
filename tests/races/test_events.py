"""Whoever follows events misses none and is given none twice, in whatever order transactions commit."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count, repeat
from threading import Event as ThreadEvent
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.races.scene import Session
from tests.support.servers import ROOT
from tests.support.sessions import in_background

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.races.scene import Scene
    from tests.support.sessions import Connect

EVENTS = "select e.cursor, e.caught_up, e.event_id from orderlatch.events_since(%s, %s) as e"
NOW = """
select e.cursor, array(select d.event_id from orderlatch_data.decision_events as d)
from orderlatch.events_since('now') as e
"""
COMMITTED = "select e.event_id, e.decision_id from orderlatch_data.decision_events as e"
PROPOSE = "select p.decision_hash from orderlatch.propose_decision(%s, %s) as p"
WITHDRAW = "select w.outcome from orderlatch.withdraw_decision(%s, 'changed its mind') as w"
XID = "select pg_current_xact_id()::text"
PAGE = ROOT / "docs" / "events.md"
ACCOUNTS = ("paper", "second", "third", "fourth")

_numbers = count()


@dataclass(slots=True)
class Follower:
    """Reads on from where it is, and keeps what it is given."""

    session: Session
    cursor: str | None = None
    given: list[int] = field(default_factory=list)

    def read(self, how_many: int = 100) -> bool:
        """Make one call; returns whether nothing was left."""
        caught_up = False
        for cursor, last, event_id in self.session.rows(EVENTS, self.cursor, how_many):
            self.cursor, caught_up = str(cursor), bool(last)
            if event_id is not None:
                assert isinstance(event_id, int)
                self.given.append(event_id)
        return caught_up

    def follow(self, how_many: int = 100) -> list[int]:
        """Read until nothing is left; returns what was given."""
        before = len(self.given)
        while not self.read(how_many):
            pass
        return self.given[before:]


@pytest.fixture
def accounts(scene: Scene) -> None:
    """An account for each writer, as whoever proposes holds its account until it commits."""
    for account in ACCOUNTS[1:]:
        scene.ground.rows("select test.given_account(%s)", account)


def follower(scene: Scene) -> Follower:
    """Somebody who has read everything; any wait for a lock would be an error."""
    follower = Follower(scene.hasty())
    follower.follow()
    return follower


def propose(session: Session, account: str) -> str:
    """Propose a decision that risk approves: two events."""
    decision = {
        "strategy_id": "races",
        "symbol": "GOOG",
        "event_ts": "2026-03-02T14:30:00Z",
        "timeframe": "1d",
        "leg": str(next(_numbers)),
        "action": "buy",
        "qty": "1",
    }
    return session.text(PROPOSE, account, json.dumps(decision))


@pytest.mark.parametrize("how_many", [1, 100])
@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.usefixtures("accounts")
def test_who_commits_late_is_not_missed(scene: Scene, how_many: int, committed: bool) -> None:
    reader = follower(scene)
    early, late = scene.transaction(), scene.transaction()
    propose(late, "paper")
    propose(early, "second")
    early.commit()
    assert reader.follow(how_many) == [3, 4]
    if committed:
        late.commit()
    else:
        late.rollback()
    assert reader.follow(how_many) == ([1, 2] if committed else [])
    propose(early, "second")
    early.commit()
    assert reader.follow(how_many) == [5, 6]


@pytest.mark.parametrize("how_many", [1, 100])
@pytest.mark.usefixtures("accounts")
def test_who_is_under_way_and_in_no_snapshot_is_not_missed(scene: Scene, how_many: int) -> None:
    """A snapshot ends with the last transaction that has completed; one after that may run all the same."""
    reader = follower(scene)
    early, late, later = scene.transaction(), scene.transaction(), scene.transaction()
    early.rows(XID)
    late_xid = int(late.text(XID))
    propose(late, "paper")
    later.rows(XID)
    propose(later, "second")
    propose(early, "third")
    early.commit()
    snapshot = scene.ground.text("select pg_current_snapshot()::text")
    assert int(snapshot.split(":")[1]) <= late_xid
    assert reader.follow(how_many) == [5, 6]
    later.commit()
    assert reader.follow(how_many) == [3, 4]
    late.commit()
    assert reader.follow(how_many) == [1, 2]


@pytest.mark.usefixtures("accounts")
def test_a_batch_is_not_disturbed_by_who_commits_meanwhile(scene: Scene) -> None:
    reader = follower(scene)
    late, later = scene.transaction(), scene.transaction()
    propose(late, "paper")
    for _ in range(2):
        propose(later, "second")
    later.commit()
    reader.read(1)
    late.commit()
    propose(later, "second")
    later.commit()
    assert [reader.read(1) for _ in range(3)] == [False] * 3
    assert reader.given == [3, 4, 5, 6]
    assert reader.follow(1) == [1, 2, 7, 8]


@pytest.mark.usefixtures("accounts")
def test_a_transaction_that_stays_open_delays_nobody(scene: Scene) -> None:
    reader = follower(scene)
    hanging = scene.transaction()
    propose(hanging, "paper")
    session = scene.session()
    for number in range(3):
        propose(session, "second")
        assert reader.follow() == [3 + 2 * number, 4 + 2 * number]
    hanging.commit()
    assert reader.follow() == [1, 2]


@pytest.mark.usefixtures("accounts")
def test_what_was_written_within_a_savepoint_counts_as_its_transaction_s(scene: Scene) -> None:
    reader = follower(scene)
    transaction = scene.transaction()
    transaction.rows(XID)
    transaction.connection.execute("savepoint deeper")
    propose(transaction, "paper")
    transaction.connection.execute("release savepoint deeper")
    transaction.connection.execute("savepoint deeper")
    propose(transaction, "paper")
    transaction.connection.execute("rollback to savepoint deeper")
    propose(scene.session(), "second")
    assert reader.follow() == [5, 6]
    transaction.commit()
    assert reader.follow() == [1, 2]


@pytest.mark.parametrize("how_many", [1, 100])
def test_the_moves_of_one_decision_come_in_order(scene: Scene, how_many: int) -> None:
    """Though the transaction that moved it last has the lower number."""
    reader = follower(scene)
    older = scene.transaction()
    older.rows(XID)
    decision_hash = propose(scene.session(), "paper")
    assert older.rows(WITHDRAW, decision_hash) == [("withdrawn",)]
    older.commit()
    assert reader.follow(how_many) == [1, 2, 3]
    statuses = "select e.to_status from orderlatch.events_since() as e where e.event_id is not null"
    assert scene.ground.rows(statuses) == [("planned",), ("approved",), ("withdrawn",)]


def test_a_commit_wakes_who_listens(scene: Scene) -> None:
    listening = scene.session().connection
    listening.execute("listen orderlatch_events")
    listening.execute("select e.cursor from orderlatch.events_since('now') as e")
    transaction = scene.transaction()
    decision_hash = propose(transaction, "paper")
    assert list(listening.notifies(timeout=0)) == []
    transaction.commit()
    (woken,) = listening.notifies(timeout=20, stop_after=1)
    assert woken.payload == "paper"
    scene.session().rows(WITHDRAW, decision_hash)
    (woken,) = listening.notifies(timeout=20, stop_after=1)
    assert woken.payload == "paper"


def test_commits_notify_nobody_until_somebody_follows(scene: Scene) -> None:
    listening, other = scene.session().connection, scene.session()
    listening.execute("listen orderlatch_events")
    propose(other, "paper")
    follower = scene.session().connection
    follower.execute("select e.cursor from orderlatch.events_since('now') as e")
    decision_hash = propose(other, "paper")
    (woken,) = listening.notifies(timeout=20, stop_after=1)
    assert woken.payload == "paper"
    follower.close()
    # its lock goes a moment after the connection
    while scene.ground.number("select count(*) from pg_locks as l where l.classid = 20309") > 0:
        pass
    other.rows(WITHDRAW, decision_hash)
    scene.ground.connection.execute("notify orderlatch_events, 'the next'")
    assert [heard.payload for heard in listening.notifies(timeout=20, stop_after=1)] == ["the next"]


# --- the page on events ---


def block(language: str) -> str:
    """The one block of code of the page in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


def test_the_python_of_the_page_follows(scene: Scene) -> None:
    class EnoughError(Exception):
        pass

    given: list[object] = []
    ready = ThreadEvent()

    def handle(row: Mapping[str, object]) -> None:
        if row["event_id"] is not None:
            given.append(row["to_status"])
        if row["caught_up"]:
            ready.set()
        if given == ["planned", "approved"]:
            raise EnoughError

    names: dict[str, object] = {}
    exec(block("python"), names)
    follow = names["follow"]
    assert callable(follow)
    following = in_background(lambda: follow(scene.database.url, "now", handle))
    assert ready.wait(20)
    propose(scene.session(), "paper")
    with pytest.raises(EnoughError):
        following.result(timeout=20)


def test_the_sql_of_the_page_runs(scene: Scene, tmp_path: Path) -> None:
    script = tmp_path / "follow.sql"
    script.write_text(block("sql"))
    result = scene.database.server.psql(scene.database.name, script)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("||||t|")


# --- many, at random ---

WRITER = st.integers(0, len(ACCOUNTS) - 1)
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["number", "propose", "withdraw", "undo", "commit", "rollback"]), WRITER),
        st.tuples(st.just("read"), st.integers(1, 4)),
        st.tuples(st.just("join"), st.just(0)),
    ),
    min_size=5,
    max_size=30,
)


class Crowd:
    """Transactions that are open at the same time, and those who follow what they write."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._writers = [scene.transaction() for _ in ACCOUNTS]
        self._open: list[list[str]] = [[] for _ in ACCOUNTS]
        self._reading = scene.hasty()
        self.followers: list[tuple[Follower, frozenset[int]]] = []
        self.join()

    def join(self) -> None:
        """Somebody begins to follow; also remembers what had been committed then."""
        [(cursor, known)] = self._reading.rows(NOW)
        assert isinstance(known, list)
        self.followers.append((Follower(self._reading, str(cursor)), frozenset(known)))

    def do(self, deed: str, who: int) -> None:
        """One deed of one writer, or of all who follow."""
        match deed:
            case "number":
                self._writers[who].rows(XID)
            case "propose":
                self._open[who].append(propose(self._writers[who], ACCOUNTS[who]))
            case "withdraw" if self._open[who]:
                self._writers[who].rows(WITHDRAW, self._open[who].pop())
            case "undo":
                self._writers[who].connection.execute("savepoint deeper")
                propose(self._writers[who], ACCOUNTS[who])
                self._writers[who].connection.execute("rollback to savepoint deeper")
            case "commit":
                self._writers[who].commit()
            case "rollback":
                self._writers[who].rollback()
                self._open[who].clear()
            case "read":
                for each, _ in self.followers:
                    each.read(who)
            case "join":
                self.join()

    def end(self) -> None:
        """Everybody commits, and those who follow read to the end."""
        for writer in self._writers:
            writer.commit()
        for each, _ in self.followers:
            each.follow()

    def close(self) -> None:
        """Let go of the sessions."""
        for session in (*self._writers, self._reading):
            session.connection.close()


@pytest.mark.usefixtures("accounts")
def test_nothing_is_missed_and_nothing_comes_twice(scene: Scene) -> None:
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(deeds=DEEDS)
    def play(deeds: Sequence[tuple[str, int]]) -> None:
        crowd = Crowd(scene)
        try:
            for deed, who in deeds:
                crowd.do(deed, who)
            crowd.end()
            for each, known in crowd.followers:
                assert_all_came(scene, each.given, known)
        finally:
            crowd.close()

    play()


def assert_all_came(scene: Scene, given: Sequence[int], known: frozenset[int] = frozenset()) -> None:
    """What was committed came, but for what was known; once, and in order for each decision."""
    committed = {event_id: of for event_id, of in scene.ground.rows(COMMITTED)}  # noqa: C416 - typed
    assert Counter(given) == Counter(committed.keys() - known)
    newest: dict[object, int] = {}
    for event_id in given:
        of = committed[event_id]
        assert event_id > newest.get(of, 0)
        newest[of] = event_id


@pytest.mark.usefixtures("accounts")
def test_a_crowd_that_writes_and_reads_at_once(scene: Scene, connect: Connect) -> None:
    followers = [follower(scene) for _ in range(3)]
    written = ThreadEvent()

    def write(number: int) -> None:
        dice = random.Random(number)
        session = Session(connect(autocommit=False))
        for _ in range(40):
            for _ in range(dice.randint(1, 3)):
                propose(session, ACCOUNTS[number])
            if dice.random() < 0.2:
                session.rollback()
            else:
                session.commit()

    def read(each: Follower, how_many: int) -> None:
        while not written.is_set():
            each.read(how_many)
        each.follow(how_many)

    with ThreadPoolExecutor(len(ACCOUNTS) + len(followers)) as pool:
        reading = list(map(pool.submit, repeat(read), followers, (1, 7, 100)))
        writing = list(map(pool.submit, repeat(write), range(len(ACCOUNTS))))
        try:
            for writer in writing:
                writer.result()
        finally:
            written.set()
        for reader in reading:
            reader.result()
    for each in followers:
        assert_all_came(scene, each.given)
