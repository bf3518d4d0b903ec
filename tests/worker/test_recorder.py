"""Batches form by themselves: what comes in while one is recorded, or in the pause after it, is one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import psycopg

from worker.messages import Answer, Meaning
from worker.metrics import Metrics
from worker.postgres import StatementRefusedError
from worker.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

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
    """A database in which another session holds accounts: after a while it refuses their answers."""

    def __init__(self, *held: Answer) -> None:
        super().__init__()
        self._held = {each.request_id for each in held}
        self.refused: list[int] = []
        self.has_refused = asyncio.Event()
        self.patience_s = 0.02

    def release(self) -> None:
        self._held.clear()

    async def record_responses(self, answers: Sequence[Answer]) -> list[Meaning]:
        meanings = await super().record_responses(answers)
        if any(each.request_id in self._held for each in answers):
            await asyncio.sleep(self.patience_s)
            self.refused.append(len(answers))
            self.has_refused.set()
            raise StatementRefusedError(AccountBusyError("account_busy"))
        return meanings


class AccountBusyError(psycopg.Error):
    sqlstate = "OL201"


def answer() -> Answer:
    return Answer(request_id=uuid4(), sent="no", error="tests", elapsed_ms=1)


def recorder_of(ledger: Ledger) -> Recorder:
    return Recorder(database=cast("Database", ledger), metrics=Metrics())


@asynccontextmanager
async def kept_by(recorder: Recorder, answers: Sequence[Answer], *, account: str) -> AsyncIterator[None]:
    """Let answers wait to be recorded, for the block."""
    kept = [asyncio.create_task(recorder.record(each, account=account)) for each in answers]
    yield
    assert not any(each.done() for each in kept)
    for each in kept:
        each.cancel()
    await asyncio.gather(*kept, return_exceptions=True)


async def test_a_first_answer_is_recorded_alone_and_what_comes_in_meanwhile_together() -> None:
    ledger = Ledger()
    recorder = recorder_of(ledger)
    first = asyncio.create_task(recorder.record(answer(), account="paper"))
    await ledger.asked.wait()
    await asyncio.gather(first, *(recorder.record(answer(), account=f"paper-{n}") for n in range(4)))
    assert ledger.batches == [1, 4]


async def test_what_comes_in_the_pause_after_a_batch_goes_together() -> None:
    ledger = Ledger()
    recorder = recorder_of(ledger)
    await recorder.record(answer(), account="paper")
    await asyncio.gather(*(recorder.record(answer(), account=f"paper-{n}") for n in range(5)))
    assert ledger.batches == [1, 5]


async def test_an_answer_that_is_tried_again_and_again_holds_up_no_other() -> None:
    """Each waits until it is recorded itself: a slot that is not set free claims nothing, for any account."""
    busy = answer()
    ledger = BusyLedger(busy)
    recorder = recorder_of(ledger)
    async with kept_by(recorder, [busy], account="paper"), asyncio.timeout(10):
        for _ in range(3):
            await asyncio.gather(*(recorder.record(answer(), account="paper") for _ in range(3)))


async def test_an_answer_waits_for_one_that_is_tried_again_and_not_for_all_of_them() -> None:
    """Each try may take five seconds, and a request whose answer is not there in five counts as lost."""
    busy = [answer() for _ in range(10)]
    ledger = BusyLedger(*busy)
    recorder = recorder_of(ledger)
    async with kept_by(recorder, busy, account="paper"):
        for _ in range(4):
            ledger.asked.clear()
            await ledger.asked.wait()
        assert ledger.batches == [10, 1, 1, 1]
        await recorder.record(answer(), account="paper")
        assert len(ledger.batches) <= 6, "the try under way, its own, and one more before it at most"


async def test_what_was_refused_together_with_a_held_account_waits_once_more_at_most() -> None:
    """And not once for each answer of that account, which may be as many as there are slots."""
    busy, free = [answer() for _ in range(10)], [answer() for _ in range(5)]
    ledger = BusyLedger(*busy)
    recorder = recorder_of(ledger)
    async with kept_by(recorder, busy, account="held"):
        await asyncio.gather(*(recorder.record(each, account="free") for each in free))
        assert ledger.refused in ([15], [15, 10])


async def test_an_account_that_stays_held_keeps_no_other_waiting() -> None:
    busy = [answer() for _ in range(3)]
    ledger = BusyLedger(*busy)
    recorder = recorder_of(ledger)
    async with kept_by(recorder, busy[:1], account="held"):
        await ledger.has_refused.wait()
        ledger.patience_s = 3600
        async with kept_by(recorder, busy[1:], account="held"), asyncio.timeout(10):
            for _ in range(3):
                await asyncio.gather(*(recorder.record(answer(), account="free") for _ in range(3)))
    assert len(ledger.refused) <= 2, "the one that told, and one that was under way"


async def test_an_account_that_is_free_again_is_recorded_with_the_others() -> None:
    busy = answer()
    ledger = BusyLedger(busy)
    recorder = recorder_of(ledger)
    kept = asyncio.create_task(recorder.record(busy, account="held"))
    await ledger.has_refused.wait()
    ledger.release()
    await kept
    ledger.batches.clear()
    await recorder.record(answer(), account="free")
    await asyncio.gather(*(recorder.record(answer(), account=each) for each in ("held", "free")))
    assert ledger.batches == [1, 2]
