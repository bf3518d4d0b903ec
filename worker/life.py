"""The worker's lives: each is one listening session that holds a lock, with a worker id of its own."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from worker.postgres import DatabaseAwayError, StatementRefusedError, pauses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.database import Database, Session
    from worker.settings import Account

TOOK_TOO_LONG = "57014"
"""Canceled, by the time a statement may take or by a person: while an upgrade holds its tables, say."""

_RELEASE_S = 5.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Life:
    """Keeps the worker registered. A lost session is the end of a life; the next has a new id."""

    def __init__(
        self, *, database: Database, worker_name: str, accounts: Sequence[Account], schema_version: int
    ) -> None:
        self.worker_id: int | None = None
        self.woken = asyncio.Event()
        """Set when there may be work to claim: a notification, a new life, whatever else sets it."""
        self._announced = [self.woken]
        self._database = database
        self._worker_name = worker_name
        self._accounts = accounts
        self._schema_version = schema_version
        self._hearing: asyncio.Timeout | None = None

    def announce(self, begun: asyncio.Event) -> None:
        """Set `begun` at the beginning of each life."""
        self._announced.append(begun)

    async def keep(self) -> None:
        """Live one life after the other until cancelled; raises StatementRefusedError when not let in."""
        told = ""
        async for _ in pauses(longest_s=1.0):
            try:
                await self._live()
            except DatabaseAwayError as away:
                reason = str(away)
            except StatementRefusedError as refused:
                if not (refused.lost_a_race or refused.sqlstate == TOOK_TOO_LONG):
                    raise
                reason = str(refused)
            else:
                continue
            if reason != told:
                _log.warning("life_not_begun", reason=reason)
            told = reason

    def doubt(self, worker_id: int) -> None:
        """End a life that the database says is over, though its session has not noticed."""
        if worker_id == self.worker_id and self._hearing is not None and not self._hearing.expired():
            self._hearing.reschedule(0)

    async def _live(self) -> None:
        """Register and listen until the session is lost."""
        async with self._database.listening() as session:
            self.worker_id = await session.register_worker(
                worker_name=self._worker_name,
                accounts=self._accounts,
                schema_version=self._schema_version,
            )
            _log.info("worker_registered", worker_id=self.worker_id)
            try:
                await self._listen(session)
            except asyncio.CancelledError:
                await self._release(session, self.worker_id)
                raise
            finally:
                _log.info("life_ended", worker_id=self.worker_id)
                self.worker_id = None

    async def _listen(self, session: Session) -> None:
        for begun in self._announced:
            begun.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as self._hearing:
                async for _ in session.notifications():
                    self.woken.set()

    async def _release(self, session: Session, worker_id: int) -> None:
        """Say goodbye, if the database is there to hear it."""
        with suppress(TimeoutError, DatabaseAwayError, StatementRefusedError):
            async with asyncio.timeout(_RELEASE_S):
                await session.release_worker(worker_id)
