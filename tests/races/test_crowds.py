"""Many at once on real decisions: sixteen who propose, four who carry, and a broker that keeps count."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from psycopg.types.json import Jsonb

from tests.races.broker import Broker, Wire, work
from tests.races.scene import PATIENCE_S, Scene, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.servers import Database
    from tests.support.sessions import Connect

FIXTURES = Path(__file__).parents[1] / "fixtures"
LINES = [json.loads(line) for line in (FIXTURES / "goog-redelivered.jsonl").read_text().splitlines()]
DECISIONS = 65
PRODUCERS = 16
WORKERS = 4
PROPOSE = "select p.outcome from orderlatch.propose_decision(%s, %s) as p"
BATCH = "select p.outcome from orderlatch.propose_decisions(%s, %s) as p order by p.input_no"
UNSETTLED = "select count(*) from orderlatch_data.open_decisions as o"
BIRTHS = "select count(*) from orderlatch_data.decision_events as e where e.from_status = 'none'"
# Time goes on in these tests, and nothing in them may take long.
SETTINGS = {
    "max_in_doubt": 100,
    "lookup_first_wait": "1 millisecond",
    "lookup_max_wait": "5 milliseconds",
    "crowd_lookup_wait": "5 milliseconds",
    "backoff_first": "1 millisecond",
    "backoff_max": "5 milliseconds",
    "rate_limit": 1_000_000,
    "burst": 500_000,
}


@pytest.fixture
def living(database: Database, connect: Connect) -> Iterator[Scene]:
    """The scene with a clock that goes on."""
    scene = Scene.set(database, connect)
    yield scene
    assert scene.violations() == {}


def settle(scene: Scene, *accounts: str) -> None:
    """Give accounts short waits, and let orders of both sides rest: this broker fills none."""
    for account in accounts:
        scene.ground.rows("select orderlatch.update_account(%s, %s)", account, Jsonb(SETTINGS))
        scene.ground.rows("select orderlatch.set_limit('opposite_order', 0, %s, p_enabled => false)", account)


def deliver(session: Session, accounts: list[str], seed: int) -> Counter[str]:
    """Deliver every line to every account, shuffled, singly or in batches of many sizes; the outcomes."""
    random = Random(seed)
    outcomes: Counter[str] = Counter()
    todo = [(account, line) for account in accounts for line in LINES]
    random.shuffle(todo)
    while todo:
        account, line = todo.pop()
        if seed % 4 == 0:
            outcomes.update(str(row[0]) for row in session.rows(PROPOSE, account, Jsonb(line)))
            continue
        size = random.randint(1, 40)
        batch = [line, *(other for name, other in todo[-size:] if name == account)]
        todo[-size:] = [(name, other) for name, other in todo[-size:] if name != account]
        outcomes.update(str(row[0]) for row in session.rows(BATCH, account, Jsonb(batch)))
    return outcomes


def at_once(jobs: list[Callable[[], Counter[str]]]) -> Counter[str]:
    """Run jobs in threads of their own; the sum of what they return, or the first of their errors."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return sum((future.result() for future in [pool.submit(job) for job in jobs]), Counter[str]())


def producers(scene: Scene, accounts: list[str], how_many: int) -> list[Callable[[], Counter[str]]]:
    sessions = [scene.session() for _ in range(how_many)]
    return [
        lambda session=session, seed=seed: deliver(session, accounts, seed)  # type: ignore[misc]
        for seed, session in enumerate(sessions)
    ]


def carrier(
    scene: Scene, accounts: list[str], broker: Broker, wire: Wire, orders: int
) -> Callable[[], Counter[str]]:
    """A worker of its own life that goes on until every decision has its order."""
    listening, session = scene.session(), scene.session()
    environments = [{"account": account, "environment": "paper"} for account in accounts]
    worker = listening.number("select orderlatch.register_worker('w', %s, 1)", Jsonb(environments))

    def carry() -> Counter[str]:
        meanings: Counter[str] = Counter()
        deadline = time.monotonic() + 2 * PATIENCE_S
        while session.number("select count(*) from orderlatch_data.broker_orders") < orders:
            assert time.monotonic() < deadline, f"not done: {meanings}"
            meanings.update(work(session, worker, accounts, broker, wire))
        return meanings

    return carry


def test_sixteen_producers_at_once_record_each_decision_once(living: Scene) -> None:
    outcomes = at_once(producers(living, ["paper"], PRODUCERS))
    assert outcomes == {"created": DECISIONS, "existing": PRODUCERS * len(LINES) - DECISIONS}
    assert living.ground.number(BIRTHS) == DECISIONS
    assert living.ground.number(UNSETTLED) == DECISIONS


def test_sixteen_producers_and_four_workers_of_one_account_make_one_order_of_each_decision(
    living: Scene,
) -> None:
    settle(living, "paper")
    broker = Broker()
    carriers = [
        carrier(living, ["paper"], broker, Wire(Random(n), unsent=0.1, unheard=0.2), DECISIONS)
        for n in range(WORKERS)
    ]
    at_once([*producers(living, ["paper"], PRODUCERS), *carriers])
    assert living.ground.number(BIRTHS) == DECISIONS
    assert living.ground.number(UNSETTLED) == 0
    assert len(broker.posts) == DECISIONS
    assert set(broker.posts.values()) == {1}


@pytest.mark.thorough
def test_workers_of_several_accounts_mix_their_answers_in_every_order(living: Scene) -> None:
    accounts = ["paper", "b", "c"]
    for account in accounts[1:]:
        living.ground.rows("select orderlatch.create_account(%s, 'paper')", account)
    settle(living, *accounts)
    broker = Broker()
    orders = DECISIONS * len(accounts)
    carriers = [
        carrier(
            living, accounts[:: 1 if n % 2 else -1], broker, Wire(Random(n), unsent=0.1, unheard=0.2), orders
        )
        for n in range(WORKERS)
    ]
    at_once([*producers(living, accounts, 6), *carriers])
    assert living.ground.number(UNSETTLED) == 0
    assert len(broker.posts) == orders
    assert set(broker.posts.values()) == {1}
