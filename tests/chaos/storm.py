"""Everything at once: processes are killed and frozen, servers crash, connections drop, the broker lies.

A strategy proposes all the time, and again what it got no answer to. Which trouble comes when is drawn
from a seed; what the processes make of it is not, so a seed tells what was tried and does not repeat a run.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING

import psycopg

from tests.chaos.sandbox import KEYS, LIST, LOOKUP, SUBMIT
from tests.worker.script import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.chaos.world import World
    from tests.worker.script import Worker
    from worker.sandbox.values import Json

WORKERS = 3
# Beyond the 2 s after which a call of these accounts is given up.
LONGEST_FREEZE_S = 4.0
PROPOSE_EVERY_S = 0.1
QUESTIONS: tuple[dict[str, Json], ...] = (SUBMIT, SUBMIT, SUBMIT, LOOKUP, LIST)
BODIES = ("bad_gateway", "internal_error", "rate_limited", "request_timeout", "insufficient_buying_power")
PROPOSE = "select p.decision_hash from orderlatch.propose_decision(%s, %s) as p"
HALT = "select h.halt_id from orderlatch.halt('a storm', p_account => %s) as h"
LIFT = "select orderlatch.lift_halt(h.halt_id, 'the storm goes on') from orderlatch.standing_halts as h"
DROP = """
select pg_terminate_backend(a.pid) from pg_stat_activity as a
where a.datname = current_database() and a.pid <> pg_backend_pid()
"""


class Strategy:
    """Proposes decisions from a thread of its own, each until it knows the hash of what was recorded."""

    def __init__(self, world: World) -> None:
        self.hashes: list[str] = []
        self.repeats = 0
        self._world = world
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Propose no more; returns once what was begun is recorded."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        for number in count():
            if self._stopping.wait(PROPOSE_EVERY_S):
                return
            self._propose(sorted(KEYS)[number % len(KEYS)], number)

    def _propose(self, account: str, number: int) -> None:
        hours, minutes = divmod(number, 60)
        decision = {
            "strategy_id": "storm",
            "symbol": f"S{chr(65 + number % 26)}{chr(65 + number // 26 % 26)}",
            "event_ts": f"2026-11-{1 + hours // 24:02}T{hours % 24:02}:{minutes:02}:00Z",
            "timeframe": "1Min",
            "action": "buy",
            "qty": "1",
            "order_type": "market",
        }
        while True:
            try:
                with self._world.database.connect() as session:
                    row = session.execute(PROPOSE, [account, json.dumps(decision)]).fetchone()
            except psycopg.OperationalError:  # nobody knows whether it was recorded
                self.repeats += 1
                time.sleep(0.1)
                continue
            assert row is not None
            self.hashes.append(str(row[0]))
            return


class Storm:
    """Trouble of every kind for some time, and then none."""

    def __init__(self, world: World, random: Random) -> None:
        self.met: Counter[str] = Counter()
        self._world = world
        self._random = random
        self._alive: list[Worker] = [self._new_worker() for _ in range(WORKERS)]
        self._troubles: dict[Callable[[], None], int] = {
            self._kill_a_worker: 3,
            self._freeze_a_worker: 3,
            self._crash_postgres: 1,
            self._drop_connections: 3,
            self._crash_the_broker: 1,
            self._cut_calls: 4,
            self._answer_wrongly: 4,
            self._delay_orders: 2,
            self._halt_an_account: 2,
        }

    def rage(self, seconds: float) -> None:
        """Meet one trouble after the other for so long, then clear the sky."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._supervise()
            [trouble] = self._random.choices([*self._troubles], [*self._troubles.values()])
            self.met[trouble.__name__.strip("_")] += 1
            trouble()
            time.sleep(self._random.uniform(0.1, 1))
        self._world.sandbox.tell("DELETE", "faults")
        self._world.run(LIFT)
        wait_until(self._supervise, what="every worker is registered")

    def _supervise(self) -> bool:
        """Start those again that found no database at their start, as a service manager does.

        Returns whether all of them are at work.
        """
        for worker in [each for each in self._alive if each.process.poll() is not None]:
            assert worker.log.read_text().startswith("orderlatch: DATABASE_URL: "), worker.log
            self._alive.remove(worker)
            self._world.workers.remove(worker)  # its one line is for people
            self._alive.append(self._new_worker())
        return all("worker_registered" in worker.log.read_text() for worker in self._alive)

    def _new_worker(self) -> Worker:
        return self._world.worker(*KEYS, poll_ms=500, stream=self._random.choice(["on", "off"]))

    def _kill_a_worker(self) -> None:
        worker = self._alive.pop(self._random.randrange(len(self._alive)))
        worker.signal(signal.SIGKILL)
        worker.process.wait()
        self._alive.append(self._new_worker())

    def _freeze_a_worker(self) -> None:
        worker = self._random.choice(self._alive)
        worker.signal(signal.SIGSTOP)
        time.sleep(self._random.uniform(0.2, LONGEST_FREEZE_S))
        worker.signal(signal.SIGCONT)

    def _crash_postgres(self) -> None:
        self._world.stop_postgres()
        time.sleep(self._random.uniform(0, 2))
        self._world.start_postgres()

    def _drop_connections(self) -> None:
        self._world.run(DROP)

    def _crash_the_broker(self) -> None:
        self._world.sandbox.kill()
        time.sleep(self._random.uniform(0, 1))
        self._world.sandbox.restart()

    def _cut_calls(self) -> None:
        action, match = self._random.choice(["close", "hang"]), self._random.choice(QUESTIONS)
        when = self._random.choice(["before", "after"])
        self._world.sandbox.fault(action, match=match, when=when, count=self._random.randint(1, 3))

    def _answer_wrongly(self) -> None:
        """Refusals before the order is made are true; everything else says nothing."""
        body = self._random.choice(BODIES)
        refusal = body == "insufficient_buying_power"
        match = SUBMIT if refusal else self._random.choice(QUESTIONS)
        when = "before" if refusal else self._random.choice(["before", "after"])
        many = self._random.randint(1, 3)
        self._world.sandbox.fault("answer", match=match, body=body, when=when, count=many)

    def _delay_orders(self) -> None:
        self._world.sandbox.fault("late_order", seconds=round(self._random.uniform(0.1, 2), 1))
        self._world.sandbox.fault("close", when="after")

    def _halt_an_account(self) -> None:
        self._world.rows(HALT, self._random.choice(sorted(KEYS)))
        time.sleep(self._random.uniform(0, 1))
        self._world.run(LIFT)
