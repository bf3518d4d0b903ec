"""Records answers in batches that form by themselves: while one is being recorded, the next one gathers.

Answers of all accounts go together. Those of a batch that was refused go on apart, each account by itself:
one whose lock another session holds takes five seconds for each try, and no other account waits for that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from worker.messages import elapsing
from worker.postgres import APART, DatabaseAwayError, StatementRefusedError, gathering_s, pauses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.database import Database
    from worker.messages import Answer
    from worker.metrics import Metrics

MAX_BATCH = 100
MAX_BATCH_BYTES = 16 * 1024 * 1024
"""Of raw bodies in one batch, well below the 256 MB that one jsonb value can hold."""

MAX_REFUSALS = 3
"""How often the database may refuse one answer alone before it is given up."""

PAUSE_S = 0.1

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Waiting:
    """An answer that is not yet recorded."""

    answer: Answer
    account: str
    queue: _Queue
    refusals: int = 0
    settled: bool = False


@dataclass(slots=True, eq=False)
class _Queue:
    """Answers that are recorded one batch after the other."""

    waiting: deque[_Waiting] = field(default_factory=deque)
    suspects: deque[list[_Waiting]] = field(default_factory=deque)
    """Of batches that were refused; what is together in one was not yet tried without other accounts."""
    suspects_turn: bool = False
    turn: asyncio.Event | None = None
    free_at: float = field(default_factory=elapsing)

    def next_batch(self) -> list[_Waiting]:
        """Take what waits, oldest first, up to the limits of one batch.

        In every other turn suspects, alone: no new answer waits for more than one try of them.
        """
        if self.suspects and (self.suspects_turn or not self.waiting):
            self.suspects_turn = False
            return self.suspects.popleft()
        self.suspects_turn = True
        batch = [self.waiting.popleft()]
        size = len(batch[0].answer.body or b"")
        while self.waiting and len(batch) < MAX_BATCH:
            size += len(self.waiting[0].answer.body or b"")
            if size > MAX_BATCH_BYTES:
                break
            batch.append(self.waiting.popleft())
        return batch

    def move_waiting(self, account: str, apart: _Queue) -> None:
        """Let what waits of an account wait in its own queue."""
        for each in [each for each in self.waiting if each.account == account]:
            self.waiting.remove(each)
            apart.waiting.append(each)
            each.queue = apart


class Recorder:
    """Brings answers into the database, whatever it takes, except what the database will not have."""

    def __init__(self, *, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics
        self._together = _Queue()
        self._apart: dict[str, _Queue] = {}  # of accounts of which an answer was refused
        self._connections_apart = asyncio.Semaphore(APART)

    async def record(self, answer: Answer, *, account: str) -> None:
        """Return once the answer is recorded, or given up because the database refuses it for itself."""
        mine = _Waiting(answer, account, self._apart.get(account, self._together))
        mine.queue.waiting.append(mine)
        while not mine.settled:
            queue = mine.queue
            if queue.turn is None:  # whoever gets here first records for all who wait
                queue.turn = asyncio.Event()
                try:
                    await self._record_next(queue)
                finally:
                    queue.turn.set()
                    queue.turn = None
            else:
                await queue.turn.wait()
        if self._apart.get(account) is mine.queue and not (mine.queue.waiting or mine.queue.suspects):
            del self._apart[account]

    async def _record_next(self, queue: _Queue) -> None:
        await asyncio.sleep(queue.free_at - elapsing())
        began_at = elapsing()
        batch = queue.next_batch()
        try:
            await self._record_when_back(queue, [each.answer for each in batch])
        except StatementRefusedError as refused:
            _log.warning("record_refused", answers=len(batch), sqlstate=refused.sqlstate, reason=str(refused))
            self._put_back(batch, refused)
        else:
            for each in batch:
                each.settled = True
        queue.free_at = max(queue.free_at, elapsing() + gathering_s(elapsing() - began_at))

    def _put_back(self, batch: Sequence[_Waiting], refused: StatementRefusedError) -> None:
        """Let refused answers wait for another try, each account's apart; or give up one that was alone.

        Given up, its request will count as lost, which is safe, only slow.
        """
        if len(batch) == 1 and not refused.lost_a_race:
            batch[0].refusals += 1
            if batch[0].refusals == MAX_REFUSALS:
                self._metrics.given_up.inc()
                _log.error(
                    "answer_given_up", request_id=str(batch[0].answer.request_id), sqlstate=refused.sqlstate
                )
                batch[0].settled = True
                return
        accounts = {each.account for each in batch}
        for account in accounts:
            apart = self._apart.setdefault(account, _Queue())
            its_own = [each for each in batch if each.account == account]
            # which of them it was, the error does not say; nor of which account
            apart.suspects.extend([its_own] if len(accounts) > 1 else [[each] for each in its_own])
            apart.free_at = elapsing() + PAUSE_S
            self._together.move_waiting(account, apart)
            for each in its_own:
                each.queue = apart

    async def _record_when_back(self, queue: _Queue, answers: Sequence[Answer]) -> None:
        """Record; as long as the database is away, keep the answers and try again."""
        async for _ in pauses():
            try:
                async with nullcontext() if queue is self._together else self._connections_apart:
                    meanings = await self._database.record_responses(answers)
            except DatabaseAwayError:
                continue
            for each in meanings:
                self._metrics.recorded.labels(meaning=each.meaning).inc()
                _log.info("answer_recorded", request_id=str(each.request_id), meaning=each.meaning)
            return
