"""Records answers in batches that form by themselves: while one is being recorded, the next one gathers."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from worker.postgres import DatabaseAwayError, StatementRefusedError, pauses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.database import Database
    from worker.messages import Answer
    from worker.metrics import Metrics

MAX_BATCH = 100
MAX_BATCH_BYTES = 16 * 1024 * 1024
"""Of raw bodies in one batch, well below the 256 MB that one jsonb value can hold."""

TRIES_ALONE = 3

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Waiting:
    """An answer that is not yet recorded."""

    answer: Answer
    settled: bool = False


class Recorder:
    """Brings answers into the database, whatever it takes, except what the database will not have."""

    def __init__(self, *, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics
        self._waiting: deque[_Waiting] = deque()
        self._one_batch_at_a_time = asyncio.Lock()

    async def record(self, answer: Answer) -> None:
        """Return once the answer is recorded, or given up because the database refuses it for itself."""
        mine = _Waiting(answer)
        self._waiting.append(mine)
        async with self._one_batch_at_a_time:  # whoever gets here first records for all who wait
            while not mine.settled:
                await self._record_batch(self._next_batch())

    def _next_batch(self) -> list[_Waiting]:
        """Take what waits, oldest first, up to the limits of one batch but at least one."""
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and len(batch) < MAX_BATCH:
            size += len(self._waiting[0].answer.body or b"")
            if batch and size > MAX_BATCH_BYTES:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _record_batch(self, batch: Sequence[_Waiting]) -> None:
        try:
            await self._record_when_back([each.answer for each in batch])
        except StatementRefusedError as refused:
            # Which of them it was, the error does not say.
            _log.warning("batch_refused", answers=len(batch), sqlstate=refused.sqlstate)
            for each in batch:
                await self._record_alone(each.answer)
        for each in batch:
            each.settled = True

    async def _record_alone(self, answer: Answer) -> None:
        """Try one answer a few times. Given up, its request will count as lost, which is safe, only slow."""
        async for tries in pauses():
            try:
                await self._record_when_back([answer])
            except StatementRefusedError as refused:
                if tries < TRIES_ALONE:
                    continue
                self._metrics.given_up.inc()
                _log.error("answer_given_up", request_id=str(answer.request_id), sqlstate=refused.sqlstate)
            return

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
