"""The worker's whole story: claim requests, carry each to its broker once, record the answers.

It decides nothing. What to do comes from claim_requests, what an answer means is up to record_responses.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from worker.messages import Claim, Request, elapsing
from worker.postgres import DatabaseAwayError, StatementRefusedError, gathering_s

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from worker.broker import Broker
    from worker.database import Database
    from worker.life import Life
    from worker.messages import Trace
    from worker.metrics import Metrics
    from worker.recorder import Recorder
    from worker.traces import Traces

WORKER_UNKNOWN = "OL101"
SHORTEST_REST_MS = 10

_NOTHING = Claim(requests=(), ask_again_ms=None)
# The first connections after an outage may still be those from before it, and nobody tells when it ends.
_AWAY = Claim(requests=(), ask_again_ms=500)

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Carrier:
    """Carries requests of its accounts; each holds one of `slots` until its answer is recorded."""

    def __init__(
        self,
        *,
        database: Database,
        life: Life,
        recorder: Recorder,
        brokers: Mapping[str, Broker],
        metrics: Metrics,
        traces: Traces,
        slots: int,
        poll_ms: int,
    ) -> None:
        self._database = database
        self._life = life
        self._recorder = recorder
        self._brokers = brokers
        self._metrics = metrics
        self._traces = traces
        self._free_slots = slots
        self._poll_ms = poll_ms
        self._stopping = False

    def stop(self) -> None:
        """Claim nothing more; `run` returns when all that was claimed is carried and recorded."""
        self._stopping = True
        self._life.woken.set()

    async def run(self) -> None:
        """Claim and carry until stopped, and then until the last answer is recorded."""
        async with asyncio.TaskGroup() as carrying:
            while not self._stopping:
                self._life.woken.clear()
                asked_at = elapsing()
                claim = await self._claim()
                took_s = elapsing() - asked_at
                if claim.requests:
                    traces = carrying.create_task(self._traces.of(claim.requests))
                    for request in claim.requests:
                        self._free_slots -= 1
                        carrying.create_task(self._carry(request, asked_at=asked_at, traces=traces))
                    # where they come one by one, whoever comes next is not kept waiting
                    if len(claim.requests) > 1:
                        await asyncio.sleep(gathering_s(took_s))
                await self._rest(claim)

    async def _claim(self) -> Claim:
        worker_id = self._life.worker_id
        if worker_id is None or self._free_slots == 0:
            return _NOTHING
        try:
            claim = await self._database.claim_requests(worker_id=worker_id, how_many=self._free_slots)
        except DatabaseAwayError:
            self._metrics.claims.labels(outcome="away").inc()
            return _AWAY
        except StatementRefusedError as refused:
            self._metrics.claims.labels(outcome="refused").inc()
            _log.warning("claim_refused", worker_id=worker_id, sqlstate=refused.sqlstate, reason=str(refused))
            if refused.sqlstate == WORKER_UNKNOWN:
                self._life.doubt(worker_id)
            return _NOTHING
        self._metrics.claims.labels(outcome="granted" if claim.requests else "nothing").inc()
        return claim

    async def _carry(
        self, request: Request, *, asked_at: float, traces: asyncio.Task[Mapping[UUID, Trace]]
    ) -> None:
        with self._metrics.in_hand.track_inprogress():
            answer = await self._brokers[request.account].call(request, asked_at=asked_at)
            self._metrics.count_call(request, answer)
            trace = (await traces).get(request.request_id)
            _log.info(
                "request_carried",
                request_id=str(request.request_id),
                account=request.account,
                kind=request.kind,
                sent=answer.sent,
                status=answer.status,
                error=answer.error,
                elapsed_ms=answer.elapsed_ms,
                **(trace.members() if trace else {}),
            )
            await self._recorder.record(answer, account=request.account)
        self._free_slots += 1
        self._life.woken.set()  # an answer may set free what waited for it

    async def _rest(self, claim: Claim) -> None:
        """Wait until woken, or until the database said to ask again, but no longer than the poll."""
        rest_ms = self._poll_ms
        if claim.ask_again_ms is not None:
            rest_ms = min(rest_ms, max(claim.ask_again_ms, SHORTEST_REST_MS))
        with suppress(TimeoutError):
            async with asyncio.timeout(rest_ms / 1000):
                await self._life.woken.wait()
