"""Batches form by themselves: what comes in while one is recorded, or in the pause after it, is one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from worker.messages import Answer, Meaning
from worker.metrics import Metrics
from worker.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.database import Database


class Ledger:
    """A database that takes its time, and keeps how many answers each batch held."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.asked = asyncio.Event()

    async def record_responses(self, answers: Sequence[Answer]) -> list[Meaning]:
        self.batches.append(len(answers))
        self.asked.set()
        await asyncio.sleep(0.02)
        return [Meaning(request_id=each.request_id, meaning="stale") for each in answers]


def answer() -> Answer:
    return Answer(request_id=uuid4(), sent="no", error="tests", elapsed_ms=1)


async def test_a_first_answer_is_recorded_alone_and_what_comes_in_meanwhile_together() -> None:
    ledger = Ledger()
    recorder = Recorder(database=cast("Database", ledger), metrics=Metrics())
    first = asyncio.create_task(recorder.record(answer()))
    await ledger.asked.wait()
    await asyncio.gather(first, *(recorder.record(answer()) for _ in range(4)))
    assert ledger.batches == [1, 4]


async def test_what_comes_in_the_pause_after_a_batch_goes_together() -> None:
    ledger = Ledger()
    recorder = Recorder(database=cast("Database", ledger), metrics=Metrics())
    await recorder.record(answer())
    await asyncio.gather(*(recorder.record(answer()) for _ in range(5)))
    assert ledger.batches == [1, 5]
