"""Tells log lines of calls which trace their decision was proposed in, where its strategy said so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from worker.postgres import DatabaseAwayError, StatementRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from worker.database import Database
    from worker.messages import Request, Trace

_PATIENCE_S = 1.0
"""A log line waits no longer for its trace, so that its answer does not wait to be recorded."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Traces:
    """Asks the database, beside all that matters; with `database` None it asks nothing."""

    def __init__(self, database: Database | None) -> None:
        self._database = database
        self._late: set[asyncio.Task[Mapping[UUID, Trace]]] = set()

    async def of(self, requests: Sequence[Request]) -> Mapping[UUID, Trace]:
        """Return the traces of those requests that have one; none when they cannot be had."""
        if self._database is None or self._late:
            return {}
        asking = asyncio.create_task(self._ask(self._database, requests))
        in_time, _ = await asyncio.wait([asking], timeout=_PATIENCE_S)
        if in_time:
            return asking.result()
        # not waited for: a server that hangs does not hear of it, and psycopg waits ten seconds for that
        asking.cancel()
        self._late.add(asking)
        asking.add_done_callback(self._late.discard)
        return {}

    async def _ask(self, database: Database, requests: Sequence[Request]) -> Mapping[UUID, Trace]:
        try:
            found = await database.request_traces([each.request_id for each in requests])
        except DatabaseAwayError:
            return {}
        except StatementRefusedError as refused:
            _log.warning("traces_refused", sqlstate=refused.sqlstate, reason=str(refused))
            return {}
        return {each.request_id: each for each in found}
