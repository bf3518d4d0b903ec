"""Shows in health and metrics what the database says of this worker's accounts."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from worker.carrier import WORKER_UNKNOWN
from worker.postgres import DatabaseAwayError, StatementRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.database import Database
    from worker.health import Health
    from worker.life import Life
    from worker.messages import ReadHealth
    from worker.metrics import Metrics

EVERY_S = 5.0
UNREADY_EVERY_S = 1.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Watch:
    """Asks the database every few seconds, and at the beginning of each life of the worker."""

    def __init__(
        self, *, database: Database, life: Life, accounts: Sequence[str], metrics: Metrics, health: Health
    ) -> None:
        self._database = database
        self._life = life
        self._accounts = accounts
        self._metrics = metrics
        self._health = health
        self._begun = asyncio.Event()
        self._refused: str | None = None
        life.announce(self._begun)

    async def run(self) -> None:
        """Show that the event loop turns, and what the database says, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._health.beat())
            while True:
                self._begun.clear()
                await self._look()
                with suppress(TimeoutError):
                    async with asyncio.timeout(EVERY_S if self._health.ready().good else UNREADY_EVERY_S):
                        await self._begun.wait()

    async def _look(self) -> None:
        """Show what the database says, or nothing while it says nothing."""
        verified: Mapping[str, bool] = {}
        reads: Sequence[ReadHealth] = ()
        worker_id = self._life.worker_id
        if worker_id is None:
            self._health.show_unready("not registered: the database is away, or has not let this life begin")
        else:
            try:
                carried = await self._database.worker_health(worker_id=worker_id)
                verified = {each.account: each.verified_at is not None for each in carried}
                self._health.show_accounts(verified)
                reads = await self._database.mirror_health(worker_id=worker_id, accounts=self._accounts)
            except DatabaseAwayError:
                self._health.show_unready("the database is away")
            except StatementRefusedError as refused:
                self._health.show_unready(f"the database refuses to tell ({refused.sqlstate})")
                if refused.sqlstate not in (self._refused, WORKER_UNKNOWN):  # said once
                    _log.warning("health_refused", sqlstate=refused.sqlstate, reason=str(refused))
                    self._refused = refused.sqlstate
        self._metrics.show_accounts(verified)
        self._metrics.show_health(reads)
