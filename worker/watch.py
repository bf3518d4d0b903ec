"""Shows in the metrics how far the broker has been read, as the database says it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from worker.carrier import WORKER_UNKNOWN
from worker.postgres import DatabaseAwayError, StatementRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.database import Database
    from worker.life import Life
    from worker.messages import ReadHealth
    from worker.metrics import Metrics

EVERY_S = 15.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Watch:
    """Asks the database every 15 s, and at the beginning of each life of the worker."""

    def __init__(self, *, database: Database, life: Life, accounts: Sequence[str], metrics: Metrics) -> None:
        self._database = database
        self._life = life
        self._accounts = accounts
        self._metrics = metrics
        self._begun = asyncio.Event()
        self._refused: str | None = None
        life.announce(self._begun)

    async def run(self) -> None:
        """Show what the database says, or nothing while it says nothing, until cancelled."""
        while True:
            self._begun.clear()
            self._metrics.show_health(await self._ask())
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._begun.wait()

    async def _ask(self) -> Sequence[ReadHealth]:
        worker_id = self._life.worker_id
        if worker_id is None:
            return ()
        try:
            return await self._database.mirror_health(worker_id=worker_id, accounts=self._accounts)
        except DatabaseAwayError:
            return ()
        except StatementRefusedError as refused:
            if refused.sqlstate not in (self._refused, WORKER_UNKNOWN):  # said once
                _log.warning("health_refused", sqlstate=refused.sqlstate, reason=str(refused))
                self._refused = refused.sqlstate
            return ()
