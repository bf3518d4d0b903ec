"""Records answers in batches that form by themselves: while one is being recorded, the next one gathers."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from worker.messages import elapsing
from worker.postgres import DatabaseAwayError, StatementRefusedError, gathering_s, pauses

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
    refusals: int = 0
    settled: bool = False


class Recorder:
    """Brings answers into the database, whatever it takes, except what the database will not have."""

    def __init__(self, *, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics
        self._waiting: deque[_Waiting] = deque()
        self._suspects: deque[_Waiting] = deque()  # of a batch that was refused
        self._suspects_turn = False
        self._turn: asyncio.Event | None = None
        self._free_at = elapsing()

    async def record(self, answer: Answer) -> None:
        """Return once the answer is recorded, or given up because the database refuses it for itself."""
        mine = _Waiting(answer)
        self._waiting.append(mine)
        while not mine.settled:
            if self._turn is None:  # whoever gets here first records for all who wait
                self._turn = asyncio.Event()
                try:
                    await self._record_next()
                finally:
                    self._turn.set()
                    self._turn = None
            else:
                await self._turn.wait()

    async def _record_next(self) -> None:
        await asyncio.sleep(self._free_at - elapsing())
        began_at = elapsing()
        await self._record_batch(self._next_batch())
        self._free_at = elapsing() + gathering_s(elapsing() - began_at)

    def _next_batch(self) -> list[_Waiting]:
        """Take what waits, oldest first, up to the limits of one batch.

        In every other turn a suspect, alone: no new answer waits for more than one of them.
        """
        if self._suspects and (self._suspects_turn or not self._waiting):
            self._suspects_turn = False
            return [self._suspects.popleft()]
        self._suspects_turn = True
        batch = [self._waiting.popleft()]
        size = len(batch[0].answer.body or b"")
        while self._waiting and len(batch) < MAX_BATCH:
            size += len(self._waiting[0].answer.body or b"")
            if size > MAX_BATCH_BYTES:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _record_batch(self, batch: Sequence[_Waiting]) -> None:
        try:
            await self._record_when_back([each.answer for each in batch])
        except StatementRefusedError as refused:
            _log.warning("record_refused", answers=len(batch), sqlstate=refused.sqlstate, reason=str(refused))
            if len(batch) == 1:
                await self._put_back(batch[0], refused)
            else:
                self._suspects.extend(batch)  # which of them it was, the error does not say
        else:
            for each in batch:
                each.settled = True

    async def _put_back(self, waiting: _Waiting, refused: StatementRefusedError) -> None:
        """Let a refused answer wait for another try, or give it up.

        Given up, its request will count as lost, which is safe, only slow.
        """
        if not refused.lost_a_race:
            waiting.refusals += 1
        if waiting.refusals == MAX_REFUSALS:
            self._metrics.given_up.inc()
            _log.error(
                "answer_given_up", request_id=str(waiting.answer.request_id), sqlstate=refused.sqlstate
            )
            waiting.settled = True
        else:
            self._suspects.append(waiting)
            await asyncio.sleep(PAUSE_S)

    async def _record_when_back(self, answers: Sequence[Answer]) -> None:
        """Record; as long as the database is away, keep the answers and try again."""
        async for _ in pauses():
            try:
                meanings = await self._database.record_responses(answers)
            except DatabaseAwayError:
                continue
            for each in meanings:
                self._metrics.recorded.labels(meaning=each.meaning).inc()
                _log.info("answer_recorded", request_id=str(each.request_id), meaning=each.meaning)
            return
