"""Batches form by themselves: what comes in while one is recorded, or in the pause after it, is one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import psycopg

from worker.messages import Answer, Meaning
from worker.metrics import Metrics
from worker.postgres import StatementRefusedError
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


class BusyLedger(Ledger):
    """A database in which the account of these answers is held by another session."""

    def __init__(self, *held: Answer) -> None:
        super().__init__()
        self._held = {each.request_id for each in held}

    async def record_responses(self, answers: Sequence[Answer]) -> list[Meaning]:
        meanings = await super().record_responses(answers)
        if any(each.request_id in self._held for each in answers):
            raise StatementRefusedError(AccountBusyError("account_busy"))
        return meanings


class AccountBusyError(psycopg.Error):
    sqlstate = "OL201"


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


async def test_an_answer_that_is_tried_again_and_again_holds_up_no_other() -> None:
    """Each waits until it is recorded itself: a slot that is not set free claims nothing, for any account."""
    busy = answer()
    ledger = BusyLedger(busy)
    recorder = Recorder(database=cast("Database", ledger), metrics=Metrics())
    kept = asyncio.create_task(recorder.record(busy))
    await ledger.asked.wait()
    async with asyncio.timeout(10):
        for _ in range(3):
            await asyncio.gather(*(recorder.record(answer()) for _ in range(3)))
    assert not kept.done()
    kept.cancel()


async def test_an_answer_waits_for_one_that_is_tried_again_and_not_for_all_of_them() -> None:
    """Each try may take five seconds, and a request whose answer is not there in five counts as lost."""
    busy = [answer() for _ in range(10)]
    ledger = BusyLedger(*busy)
    recorder = Recorder(database=cast("Database", ledger), metrics=Metrics())
    kept = [asyncio.create_task(recorder.record(each)) for each in busy]
    for _ in range(4):
        ledger.asked.clear()
        await ledger.asked.wait()
    assert ledger.batches == [10, 1, 1, 1]
    await recorder.record(answer())
    assert len(ledger.batches) <= 6, "the try under way, its own, and one more before it at most"
    for each in kept:
        each.cancel()
    await asyncio.gather(*kept, return_exceptions=True)
