"""Workers, and the network between them and the broker. They keep the worker's promises, and nothing more."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from psycopg.types.json import Jsonb

from tests.simulator.base import ConnectionLostError
from tests.simulator.front import Call, Reply
from tests.simulator.world import S, ViolationError, short

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.simulator.base import Base, Row
    from tests.simulator.book import Book, Document
    from tests.simulator.front import Front
    from tests.simulator.oracle import Oracle
    from tests.simulator.profile import Profile
    from tests.simulator.world import World

CLAIM = """
select c.request_id::text, c.account, c.kind, c.path, c.query, c.body::jsonb, c.send_within_ms, c.timeout_ms,
       c.ask_again_ms
from orderlatch.claim_requests(%s, %s, %s) as c
"""
# what a claim granted whose rows never reached the worker
GRANTED = """
select q.request_id::text, a.account, q.kind, q.path, q.query, q.body::jsonb, q.send_within_ms, q.timeout_ms,
       null
from orderlatch_data.broker_requests as q join orderlatch_data.accounts as a on a.account_id = q.account_id
where q.worker_id = %s and q.claimed_at = orderlatch_data.clock()
order by q.account_id, q.request_id
"""
REGISTER = "select orderlatch.register_worker(%s, %s, orderlatch.schema_version())"
RELEASE = "select orderlatch.release_worker(%s)"
RECORD = """
select r.answer_no, r.meaning from orderlatch.record_responses(%s) as r order by r.answer_no
"""
UPDATE = "select orderlatch.record_trade_update(%s, %s, %s)"
STREAM = "select orderlatch.record_stream_state(%s, %s, %s)"
FATES = ("slow", "unsent", "lost", "answer lost", "reset", "late", "500", "gateway", "garbage", "429", "404",
         "429 of a proxy")  # fmt: skip
SUBMIT_FATES = ("lost", "answer lost", "reset", "late", "late", "after 500", "after gateway", "after garbage",
                "after 429", "cut after headers")  # fmt: skip
BATCH = 100
POLL_S = 30.0


@dataclass(slots=True)
class Answer:
    """What a worker will report of a call."""

    call: Call
    sent: str
    reply: Reply | None = None
    error: str | None = None

    def document(self) -> Document:
        """As record_responses takes it."""
        report: Document = {"request_id": self.call.request_id, "sent": self.sent, "elapsed_ms": 20}
        if self.reply is not None:
            report["status"] = self.reply.status
            report["headers"] = self.reply.headers
            report["body"] = base64.b64encode(self.reply.body).decode()
        if self.error is not None:
            report["error"] = self.error
        return report


@dataclass(slots=True)
class Worker:
    """A process that carries calls."""

    name: str
    accounts: list[str]
    swapped_keys: bool
    worker_id: int | None = None
    alive: bool = True
    frozen_until: int = 0
    in_flight: int = 0
    idle: int = 0
    """So many claims in a row have found nothing."""
    wake_at: int | None = None
    outbox: list[Answer] = field(default_factory=list)
    flush_at: int | None = None
    said: list[Answer] = field(default_factory=list)
    hears: bool = False


class Carrier:
    """All workers and the network."""

    def __init__(self, world: World, base: Base, front: Front, profile: Profile, oracle: Oracle) -> None:
        self._world, self._base, self._front, self._profile, self._oracle = (
            world,
            base,
            front,
            profile,
            oracle,
        )
        self.workers: list[Worker] = []
        self.weather: dict[str, float] = {}
        """Fates that are likelier than usual now, by name: an outage is not a single call's bad luck."""
        self._turns: dict[tuple[str, str], int] = {}
        self._born = 0
        for book in front.books.values():
            book.listeners.append(self._tell)

    # lives -------------------------------------------------------------------------------------------------

    def start(self) -> Worker:
        """Start another worker; it carries all accounts, or one of them."""
        self._born += 1
        dice = self._world.dice("worker", self._born)
        names = [account.name for account in self._profile.accounts]
        accounts = names if dice.random() < 0.7 or self._world.calm else [dice.choice(names)]
        swapped = not self._world.calm and dice.random() < 0.02
        worker = Worker(f"worker-{self._born}", accounts, swapped)
        self.workers.append(worker)
        self._register(worker)
        return worker

    def kill(self, worker: Worker) -> None:
        """End a process: what it held is free at once, what it knew is gone."""
        worker.alive = False
        self._base.end_life(self._life(worker))
        self.workers.remove(worker)
        self._world.say(worker.name, f"died with {worker.in_flight} calls and {len(worker.outbox)} answers")

    def release(self, worker: Worker) -> None:
        """End a process as it should."""
        if worker.outbox or worker.in_flight or worker.worker_id is None or self._is_frozen(worker):
            return
        self._base.rows(self._life(worker), RELEASE, worker.worker_id)
        self.kill(worker)

    def freeze(self, worker: Worker, seconds: float) -> None:
        """Stop a process for a while; its session lives on. Afterwards it goes on as if nothing had been."""
        worker.frozen_until = self._world.now + round(seconds * S)
        self._world.say(worker.name, f"freezes for {seconds:.0f} s")
        self._world.at(worker.frozen_until, lambda: self.wake(worker, 0))

    def lose_sessions(self) -> None:
        """The database failed over: every worker has to register again; what is under way goes on."""
        for worker in self.workers:
            worker.worker_id = None
            worker.hears = False
            self.wake(worker, self._world.dice("again", worker.name, self._base.generation).uniform(0.1, 3))

    def wake_all(self, chance: float = 0.6) -> None:
        """Let every worker look for work soon, as a notification would; some get lost."""
        for worker in self.workers:
            dice = self._world.dice("wake", worker.name, self._world.now)
            if dice.random() < chance:
                self.wake(worker, dice.uniform(0.002, 0.1))

    def wake(self, worker: Worker, seconds: float) -> None:
        """Let a worker claim, at the latest in so many seconds."""
        moment = self._world.now + round(seconds * S)
        if not worker.alive or (worker.wake_at is not None and worker.wake_at <= moment):
            return
        worker.wake_at = moment

        def claim() -> None:
            if worker.alive and worker.wake_at == moment:
                worker.wake_at = None
                self._claim(worker)

        self._world.at(moment, claim)

    def _register(self, worker: Worker) -> None:
        environments = {
            account.name: "live" if account.live else "paper" for account in self._profile.accounts
        }
        carried = [{"account": name, "environment": environments[name]} for name in worker.accounts]
        who = self._life(worker)
        ((worker_id,),) = self._base.rows(who, REGISTER, worker.name, Jsonb(carried))
        assert isinstance(worker_id, int)
        worker.worker_id = worker_id
        self._base.hold_life(who, worker_id)
        self._world.say(worker.name, f"is worker {worker_id} for {' and '.join(worker.accounts)}")
        self.wake(worker, 0.01)
        self._world.after(1, lambda: self._listen(worker))

    # claiming ----------------------------------------------------------------------------------------------

    def _claim(self, worker: Worker) -> None:
        if self._is_frozen(worker):
            self.wake(worker, (worker.frozen_until - self._world.now) / S)
            return
        luck = self._world.dice("claim", worker.name, self._world.now)
        free = self._profile.scale.slots - worker.in_flight
        if free <= 0:
            return
        if worker.worker_id is None:
            self._register(worker)
            return
        try:
            rows = self._base.shaky_rows(
                self._work(worker), luck, self._bad(0.02), CLAIM, worker.worker_id, worker.accounts, free
            )
        except ConnectionLostError:
            for row in self._base.rows(self._work(worker), GRANTED, worker.worker_id):
                self._note(worker, row)
            self._oracle.after_claim(worker.name)
            self.wake(worker, luck.uniform(0.1, 2))
            return
        except psycopg.Error as error:
            if error.sqlstate != "OL101":
                raise
            self._base.end_life(self._life(worker))
            self._register(worker)
            return
        poll_s = rest = POLL_S if self._world.calm else self._profile.scale.poll_s
        granted = []
        for row in rows:
            if row[0] is None:
                rest = min(rest, int(str(row[8])) / 1000)
            else:
                granted.append(self._note(worker, row))
        self._oracle.after_claim(worker.name)
        worker.idle = 0 if granted else worker.idle + 1
        # who finds nothing again and again looks more seldom, where quiet goes by in long pieces
        rest = max(rest, min(poll_s - POLL_S, 4 * 2**worker.idle))
        late_s = luck.uniform(0.001, 0.02) if self._world.calm or luck.random() > 0.01 else luck.uniform(1, 8)
        for call in granted:
            worker.in_flight += 1
            self._carry(worker, call, late_s)
        if len(granted) < free and len(self.workers) > 1 and luck.random() < 0.5:
            rest = poll_s  # somebody else will be there in time, or nobody
        self.wake(worker, 0.05 if len(granted) == free else rest + luck.uniform(0, 2))

    def _note(self, worker: Worker, row: Row) -> Call:
        request_id, account, kind, path, query, body, send_within_ms, timeout_ms, _ = row
        assert isinstance(send_within_ms, int)
        assert isinstance(timeout_ms, int)
        now = self._world.now
        profile = self._oracle.accounts[str(account)]
        allowed = sum(profile.seconds(name) for name in ("send_within", "call_timeout", "answer_grace"))
        call = Call(
            str(request_id),
            str(account),
            str(kind),
            str(path),
            query if isinstance(query, dict) else None,
            body if isinstance(body, dict) else None,
            now,
            now + send_within_ms * 1000,
            timeout_ms * 1000,
            now + round(allowed * S),
            worker.name,
            self._base.generation,
        )
        about = (call.body or call.query or {}).get("client_order_id")
        call.decision = None if about is None else str(about)
        key = (call.kind, f"{call.decision or call.path} {call.account}")
        call.turn = self._turns[key] = self._turns.get(key, -1) + 1
        subject = short(call.decision) if call.decision else (call.query or {}).get("status", call.path[-8:])
        self._world.say(
            worker.name, f"is granted {call.kind} {call.account} {subject} [{short(call.request_id)}]"
        )
        self._oracle.granted(call)
        return call

    # carrying ----------------------------------------------------------------------------------------------

    def _carry(self, worker: Worker, call: Call, late_s: float) -> None:
        """Decide what will become of a call, and let it happen."""
        luck = self._world.dice(
            "call", call.account, call.kind, call.decision or call.path, call.turn, self._base.generation
        )
        fate = self._fate(call, luck)
        leaves_in = late_s + luck.uniform(0.001, 0.05)
        if not self._world.calm and luck.random() < 0.005:
            leaves_in += luck.uniform(3, 9)  # no connection was free
        self._world.after(leaves_in, lambda: self._leave(worker, call, fate, luck))

    def _leave(self, worker: Worker, call: Call, fate: str, luck: Random) -> None:
        if not worker.alive:
            return
        if self._is_frozen(worker):
            # frozen on the very line: what leaves afterwards, nobody can call back
            half_made = luck.random() < 0.3 and worker.frozen_until <= call.claimed_at + self._latest(
                call, lost=True
            )
            act = self._depart if half_made else self._leave
            self._world.at(worker.frozen_until, lambda: act(worker, call, fate, luck))
            return
        if self._world.now >= call.send_by or fate == "unsent":
            error = "refused connection" if fate == "unsent" else "deadline passed"
            self._answer(worker, call, Answer(call, "no", error=error))
            return
        self._depart(worker, call, fate, luck)

    def _depart(self, worker: Worker, call: Call, fate: str, luck: Random) -> None:
        """The first byte is out: from here on only the network decides."""
        if not worker.alive and luck.random() < 0.5:
            return
        departed = self._world.now
        gives_up = departed + call.timeout_us
        done = False

        def finish(answer: Answer) -> None:
            nonlocal done
            if done or not worker.alive:
                return
            if self._is_frozen(worker):
                self._world.at(worker.frozen_until, lambda: finish(answer))
                return
            done = True
            self._answer(worker, call, answer)

        def arrive(*, answers: bool, late: bool = False, answers_with: str | None = None) -> None:
            call.arrivals += 1
            book = self._book(worker, call)
            late = late or self._world.now > call.answer_by
            lag_s = self._lag(call, luck)
            reply = self._front.answer(call, luck, book=book, lag_s=lag_s, late=late)
            if answers_with is not None:
                reply = self._front.broken(answers_with, luck, call.kind)
            if answers:
                call.said_absent = call.said_absent or reply.absent
                call.last_page = call.last_page or reply.last_page
                self._world.after(luck.uniform(0.005, 0.4), lambda: finish(Answer(call, "yes", reply)))

        if fate == "cut after headers":
            reply = self._front.broken("cut", luck, call.kind)
            self._world.after(0.05, lambda: arrive(answers=False))
            self._world.after(0.3, lambda: finish(Answer(call, "maybe", reply, "cut off")))
            return
        match fate:
            case "ok":
                self._world.after(luck.uniform(0.005, 0.3), lambda: arrive(answers=True))
            case "slow":
                delay = luck.uniform(1, 9.4)
                self._world.after(delay, lambda: arrive(answers=True))
            case "lost":
                pass
            case "answer lost":
                self._world.after(luck.uniform(0.005, 5), lambda: arrive(answers=False))
            case "reset":
                self._world.after(luck.uniform(0.005, 0.2), lambda: arrive(answers=False))
                self._world.after(
                    luck.uniform(0.05, 0.4), lambda: finish(Answer(call, "maybe", error="reset"))
                )
            case "late":
                latest = call.claimed_at + self._latest(call, lost=False)
                moment = luck.randint(departed, max(departed, latest))
                self._world.at(moment, lambda: arrive(answers=moment < gives_up))
            case "twice":
                self._world.after(0.05, lambda: arrive(late=True, answers=luck.random() < 0.5))
                self._world.after(luck.uniform(0.06, 2), lambda: arrive(late=True, answers=True))
            case _ if fate.startswith("after "):
                answers_with = fate.removeprefix("after ")
                self._world.after(0.1, lambda: arrive(answers=True, answers_with=answers_with))
            case _:
                reply = self._front.broken(fate, luck, call.kind)
                self._world.after(luck.uniform(0.05, 0.5), lambda: finish(Answer(call, "yes", reply)))
        self._world.at(gives_up, lambda: finish(Answer(call, "maybe", error="timed out")))

    def _answer(self, worker: Worker, call: Call, answer: Answer) -> None:
        worker.in_flight -= 1
        worker.outbox.append(answer)
        luck = self._world.dice("answer", call.request_id)
        if not self._world.calm and luck.random() < self._bad(0.01):
            delay = luck.uniform(5, 90)  # the database was away from this worker
        else:
            # answers gather while another batch is being recorded
            delay = luck.uniform(*self._profile.scale.gathers_s)
        if worker.flush_at is not None and worker.flush_at <= self._world.now + delay * S:
            return
        self._flush_in(worker, delay)

    def _flush_in(self, worker: Worker, seconds: float) -> None:
        worker.flush_at = self._world.now + round(seconds * S)
        self._world.at(worker.flush_at, lambda: self._flush(worker))

    def _flush(self, worker: Worker) -> None:
        if not worker.alive or not worker.outbox:
            return
        if self._is_frozen(worker):
            self._world.at(worker.frozen_until, lambda: self._flush(worker))
            return
        worker.flush_at = None
        luck = self._world.dice("flush", worker.name, self._world.now)
        batch, worker.outbox = worker.outbox[:BATCH], worker.outbox[BATCH:]
        luck.shuffle(batch)
        if worker.said and luck.random() < self._bad(0.1):
            batch += luck.sample(worker.said, min(2, len(worker.said)))
        reports = Jsonb([answer.document() for answer in batch])
        try:
            rows = self._base.shaky_rows(self._work(worker), luck, self._bad(0.02), RECORD, reports)
        except ConnectionLostError:
            for answer in batch:
                answer.call.tried_at.setdefault(answer.sent, self._world.now)
            worker.outbox = batch + worker.outbox
            self._flush_in(worker, luck.uniform(0.1, 4))
            return
        if len(rows) != len(batch):
            raise ViolationError(f"{len(batch)} answers were recorded as {len(rows)}")
        for answer, (_, meaning) in zip(batch, rows, strict=True):
            outcome = answer.error if answer.reply is None else str(answer.reply.status)
            self._world.say(
                worker.name,
                f"records {answer.call.kind} [{short(answer.call.request_id)}] {outcome}: {meaning}",
            )
            self._oracle.recorded(answer.call, answer.sent, answer.reply, str(meaning))
        worker.said = (worker.said + batch)[-20:]
        if worker.outbox and worker.flush_at is None:
            self._flush_in(worker, 0.01)
        self.wake(worker, 0.001)
        self.wake_all(0.1)

    # the stream --------------------------------------------------------------------------------------------

    def drop_streams(self) -> None:
        """Cut the streams of all workers; each connects again in a while."""
        for worker in self.workers:
            worker.hears = False
            self._world.after(10, lambda worker=worker: self._listen(worker))  # type: ignore[misc]

    def _listen(self, worker: Worker) -> None:
        if not self._profile.streams or not worker.alive or worker.worker_id is None or worker.hears:
            return
        if self._is_frozen(worker):
            self._world.at(worker.frozen_until, lambda: self._listen(worker))
            return
        for account in worker.accounts:
            self._update(worker, STREAM, worker.worker_id, account, True)
        worker.hears = True

    def _tell(self, account: str, event: str, order: Document) -> None:
        """Send a message to whoever hears the account's stream: at once or later, once, twice or never."""
        data: Document = {"event": event, "order": order, "timestamp": order["updated_at"]}
        message = json.dumps({"stream": "trade_updates", "data": data}).encode()
        for worker in self.workers:
            if account not in worker.accounts or not worker.hears or worker.swapped_keys:
                continue
            luck = self._world.dice("stream", worker.name, order["id"], self._world.now, event)
            if luck.random() < self._profile.scale.unheard + self._profile.roughness * 0.3:
                continue  # lost; so many, as reading must do without any
            for _ in range(1 + (luck.random() < 0.1)):
                delay = luck.uniform(0.001, 0.5) if luck.random() < 0.9 else luck.uniform(1, 120)
                hear: Callable[[], None] = lambda worker=worker: self._hear(worker, account, message)  # type: ignore[misc] # noqa: E731
                self._world.after(delay, hear)

    def _hear(self, worker: Worker, account: str, message: bytes) -> None:
        if worker.alive and worker.hears and worker.worker_id is not None and not self._is_frozen(worker):
            self._update(worker, UPDATE, worker.worker_id, account, message)
            self.wake_all()

    def _update(self, worker: Worker, query: str, *arguments: object) -> None:
        try:
            self._base.rows(self._work(worker), query, *arguments)
        except psycopg.Error as error:
            if error.sqlstate != "OL101":
                raise

    # -------------------------------------------------------------------------------------------------------

    def _fate(self, call: Call, luck: Random) -> str:
        """What becomes of a call."""
        if self._world.calm:
            return "ok"
        for fate, chance in self.weather.items():
            if luck.random() < chance:
                return fate
        # each read that failed has four others follow it: fewer, or reading is all that is simulated
        if luck.random() >= self._profile.roughness * (0.4 if call.kind.startswith("list_") else 1):
            return "ok"
        fates = list(FATES)
        if call.kind == "submit_order":
            fates += SUBMIT_FATES
            memory = self._oracle.accounts[call.account].memory
            if memory.unique == "forever":
                fates.append("twice")
        if luck.random() < 0.01:
            return "401"
        return luck.choice(fates)

    def _lag(self, call: Call, luck: Random) -> float:
        """How far a read lags behind what was written."""
        longest = self._oracle.accounts[call.account].memory.longest_lag_s
        if self._world.calm or luck.random() >= self._profile.roughness / 2:
            return 0
        return luck.uniform(0, min(longest, 20) if call.kind in ("get_order", "list_fills") else longest)

    def _latest(self, call: Call, *, lost: bool) -> int:
        memory = self._oracle.accounts[call.account].memory
        return round((memory.latest_lost_arrival_s if lost else memory.latest_arrival_s) * S)

    def _book(self, worker: Worker, call: Call) -> Book:
        """The account whose keys the worker has."""
        names = list(self._front.books)
        place = names.index(call.account) + (1 if worker.swapped_keys else 0)
        return self._front.books[names[place % len(names)]]

    def _bad(self, chance: float) -> float:
        return chance * 2 * self._profile.roughness

    def _is_frozen(self, worker: Worker) -> bool:
        return worker.frozen_until > self._world.now

    def _life(self, worker: Worker) -> str:
        return f"life of {worker.name}"

    def _work(self, worker: Worker) -> str:
        return f"work {int(worker.name.rpartition('-')[2]) % 2}"
