"""Everybody does anything: a bounded number of steps from a fixed seed, with answers that may be lies."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.races.broker import CLAIM, RECORD, Answer, said
from tests.races.scene import Scene, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.servers import Database
    from tests.support.sessions import Connect

SESSIONS = 10
STEPS = 100
ACCOUNTS = ["paper", "outside"]
# So short that back-offs, lost requests, lapses and whole proofs of absence happen within the storm.
SETTINGS = {
    "max_in_doubt": 20,
    "max_decision_age": "2 seconds",
    "call_timeout": "20 milliseconds",
    "send_within": "20 milliseconds",
    "answer_grace": "20 milliseconds",
    "lookup_first_wait": "1 millisecond",
    "lookup_max_wait": "5 milliseconds",
    "crowd_lookup_wait": "5 milliseconds",
    "absence_quiet": "0",
    "absence_spacing": "0",
    "backoff_first": "1 millisecond",
    "backoff_max": "5 milliseconds",
    "throttle_wait": "5 milliseconds",
    "duplicate_alarm_after": "20 milliseconds",
}
SYMBOLS = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"]
# What may be refused because somebody else was faster; a lock that is waited for in vain is none of it.
EXPECTED = {"OL203", "OL304"}
SIGNED = '{"seen": "the blotter"}'
MOVES = {
    "withdraw": "select orderlatch.withdraw_decision(%s, 'changed its mind')",
    "evaluate": "select orderlatch.evaluate_decision(%s)",
    "approve": f"select orderlatch.approve_decision(%s, '{SIGNED}')",
    "reject": f"select orderlatch.reject_decision(%s, '{SIGNED}')",
    "declare absent": f"select orderlatch.resolve_in_doubt(%s, 'absent', '{SIGNED}')",
    "look": "select orderlatch.decision_status(%s)",
}
SUBMITTED = """
select count(*) from orderlatch_data.decision_outcomes as o where o.status = 'submitted'
"""
LOST = "select count(*) from orderlatch_data.lost_requests as l"


@dataclass(slots=True)
class Blackboard:
    """What the sessions of a storm know of each other's work."""

    hashes: list[str] = field(default_factory=list)
    granted: int = 0
    unanswered: list[tuple[object, ...]] = field(default_factory=list)
    answered: list[tuple[object, ...]] = field(default_factory=list)
    bodies: list[object] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class Actor:
    """One session of the storm, and its own dice."""

    session: Session
    worker: int
    board: Blackboard
    random: Random
    seen: Counter[str] = field(default_factory=Counter)

    def act(self) -> Counter[str]:
        """Take every step; what was done and what it led to."""
        steps: list[Callable[[], None]] = [self.propose, self.claim, self.record, self.move, self.tidy]
        for step in self.random.choices(steps, weights=[2, 6, 7, 3, 1], k=STEPS):
            try:
                step()
            except psycopg.Error as error:
                if error.sqlstate not in EXPECTED:
                    raise
                self.seen[str(error.sqlstate)] += 1
        return self.seen

    def propose(self) -> None:
        """Deliver a few decisions, some of them known, some for a signal that is taken."""
        batch = [
            {
                "strategy_id": "storm",
                "symbol": self.random.choice(SYMBOLS),
                "event_ts": f"2026-03-02T14:30:{self.random.randrange(40):02}Z",
                "timeframe": "1m",
                "action": "buy",
                "qty": str(self.random.choice([1, 1, 1, 2])),
            }
            for _ in range(self.random.randint(1, 6))
        ]
        query = "select p.decision_hash, p.outcome from orderlatch.propose_decisions(%s, %s) as p"
        rows = self.session.rows(query, self.random.choice(ACCOUNTS), Jsonb(batch))
        self.seen.update(str(outcome) for _, outcome in rows)
        with self.board.lock:
            self.board.hashes += [str(decision_hash) for decision_hash, _ in rows]

    def claim(self) -> None:
        accounts = self.random.sample(ACCOUNTS, self.random.randint(1, 2))
        granted = self.session.rows(CLAIM, self.worker, accounts, self.random.randint(1, 6))
        self.seen.update(str(request[2]) for request in granted)
        with self.board.lock:
            # about every fifth call is never answered
            self.board.granted += len(granted)
            self.board.unanswered += granted[: len(granted) - (self.board.granted % 5 < len(granted))]
            self.board.bodies += [request[4] for request in granted if request[2] == "submit_order"]

    def record(self) -> None:
        """Answer a few requests, whoever claimed them and in any order, and one of them again."""
        with self.board.lock:
            how_many = min(len(self.board.unanswered), self.random.randint(1, 6))
            chosen = self.random.sample(self.board.unanswered, how_many)
            self.board.unanswered = [r for r in self.board.unanswered if r not in chosen]
            again = self.random.sample(self.board.answered, min(len(self.board.answered), 1))
            self.board.answered += chosen
        answers = [self.answer(*request) for request in [*chosen, *again]]
        self.seen.update(str(meaning) for (meaning,) in self.session.rows(RECORD, Jsonb(answers)))

    def answer(
        self, request_id: object, account: object, kind: object, query: object, body: object
    ) -> Answer:
        """Any answer that a request of this kind may get, true or not."""
        order: dict[str, object] | None = None
        if isinstance(body, str):
            (order,) = self.session.rows("select %s::jsonb", body)[0]  # type: ignore[assignment]
        answers = [
            said(request_id, "maybe"),
            said(request_id, "no"),
            said(request_id, "yes", 429, {"message": "too many requests"}),
            self.refusal(request_id, kind),
            self.success(request_id, account, kind, query, order),
        ]
        weights = [3, 2, 1, 8, 3] if kind == "find_order" else [4, 2, 1, 2, 4]
        (answer,) = self.random.choices(answers, weights)
        return answer

    def refusal(self, request_id: object, kind: object) -> Answer:
        if kind == "find_order":
            return said(request_id, "yes", 404, {"code": 40410000, "message": "order not found"})
        status, code, message = self.random.choice(
            [
                (403, 40310000, "insufficient buying power"),
                (422, 40010001, "client_order_id must be unique"),
                (401, 40110000, "unauthorized"),
            ]
        )
        return said(request_id, "yes", status, {"code": code, "message": message})

    def success(
        self,
        request_id: object,
        account: object,
        kind: object,
        query: object,
        order: dict[str, object] | None,
    ) -> Answer:
        if kind == "get_account":
            return said(request_id, "yes", 200, {"id": f"{account}-id"})
        if kind in ("list_fills", "list_positions"):
            return said(request_id, "yes", 200, [])
        if kind == "get_order":
            return said(request_id, "maybe")
        if kind == "submit_order":
            assert order is not None
            return said(request_id, "yes", 200, shown(order))
        with self.board.lock:
            bodies = list(self.board.bodies)
        orders = self.session.rows("select b::jsonb from unnest(%s::text[]) as b", bodies)
        documents = [shown(document) for (document,) in orders if isinstance(document, dict)]
        if kind == "list_orders":
            return said(request_id, "yes", 200, self.random.sample(documents, min(len(documents), 3)))
        assert isinstance(query, dict)
        found = [d for d in documents if d["client_order_id"] == query["client_order_id"]]
        return said(request_id, "yes", 200, found[0]) if found else said(request_id, "maybe")

    def move(self) -> None:
        with self.board.lock:
            known = self.board.hashes[-40:]
        if known:
            name = self.random.choice(list(MOVES))
            self.session.rows(MOVES[name], self.random.choice(known))
            self.seen[name] += 1

    def tidy(self) -> None:
        """What operators do in between; without it the first lie would halt everything for good."""
        self.session.rows("""
            select orderlatch.lift_halt(h.halt_id, 'go on')
            from (select h.halt_id from orderlatch_data.halts as h where h.lifted_at is null
                  order by h.halt_id limit 100 for update skip locked) as h""")
        self.session.rows("select orderlatch.update_account(%s, '{}')", self.random.choice(ACCOUNTS))


def shown(order: dict[str, object]) -> dict[str, object]:
    """The order as the broker shows it; its id is always the same."""
    order_id = f"order-{str(order['client_order_id'])[:16]}"
    return {**order, "id": order_id, "status": "accepted", "submitted_at": "2026-03-02T15:00:00Z"}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm_ends_without_a_deadlock_and_with_the_books_in_order(
    database: Database, connect: Connect, seed: int
) -> None:
    scene = Scene.set(database, connect)
    scene.ground.rows(
        "select orderlatch.create_account('outside', 'paper', '{\"risk_engine\": \"external\"}')"
    )
    for account in ACCOUNTS:
        scene.ground.rows("select orderlatch.update_account(%s, %s)", account, Jsonb(SETTINGS))
    workers = [scene.ground.number("select test.given_worker('paper', 'outside')") for _ in range(4)]
    board = Blackboard()
    actors = [Actor(scene.session(), workers[n % 4], board, Random(f"{seed} {n}")) for n in range(SESSIONS)]
    with ThreadPoolExecutor(SESSIONS) as pool:
        storms = [pool.submit(actor.act) for actor in actors]
        seen = sum((storm.result() for storm in storms), Counter[str]())
    assert scene.violations() == {}
    scene.ground.rows("select test_support.hold_clock(clock_timestamp() + '1 minute')")
    for account in ACCOUNTS:
        scene.claim(scene.ground, workers[0], account)
    assert scene.violations() == {}
    # a storm in which nothing happened proves nothing
    wanted = {
        "created",
        "conflict",
        "submit_order",
        "find_order",
        "order_exists",
        "not_sent",
        "in_doubt",
        "stale",
    }
    assert wanted <= set(seen), seen
    assert scene.ground.number(SUBMITTED) > 0
    assert scene.ground.number(LOST) > 0
