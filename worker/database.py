"""The only module that names SQL: the functions of schema `orderlatch` that the worker calls, and LISTEN.

Columns are listed and arguments named, so that a function may gain some while workers run.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.messages import Answer, CarriedAccount, Claim, Meaning, Proposal, ReadHealth, Request, Trace
from worker.postgres import CONNECTIONS, Postgres, errors_named, in_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from uuid import UUID

    import psycopg

    from worker.settings import Account

SCHEMA_VERSIONS = frozenset({1})
"""The values of `orderlatch.schema_version()` that this worker speaks."""

_SCHEMA_VERSION = b"select orderlatch.schema_version()::text as value"

_BACKEND_PID = b"select pg_backend_pid() as value"

_REGISTER_WORKER = b"""
select orderlatch.register_worker(
         p_worker_name => %(worker_name)s,
         p_accounts => %(accounts)s::jsonb,
         p_schema_version => %(schema_version)s::integer
       )
"""

_RELEASE_WORKER = b"select orderlatch.release_worker(p_worker_id => %(worker_id)s::integer)"

_CLAIM_REQUESTS = b"""
select claimed.request_id, claimed.account, claimed.kind, claimed.method, claimed.path, claimed.query,
       claimed.body, claimed.send_within_ms, claimed.timeout_ms, claimed.ask_again_ms
  from orderlatch.claim_requests(
         p_worker_id => %(worker_id)s::integer,
         p_accounts => null,
         p_how_many => %(how_many)s::integer
       ) as claimed
"""

_REQUEST_TRACES = b"""
select traced.request_id, traced.trace_id, traced.parent_id
  from orderlatch.request_traces(p_request_ids => %(request_ids)s::uuid[]) as traced
"""

_RECORD_RESPONSES = b"""
select recorded.request_id, recorded.meaning
  from orderlatch.record_responses(p_answers => %(answers)s::jsonb) as recorded
 order by recorded.answer_no
"""

_RECORD_STREAM_STATE = b"""
select orderlatch.record_stream_state(
         p_worker_id => %(worker_id)s::integer,
         p_account => %(account)s::text,
         p_connected => %(connected)s::boolean
       )::text as value
"""

_RECORD_TRADE_UPDATE = b"""
select orderlatch.record_trade_update(
         p_worker_id => %(worker_id)s::integer,
         p_account => %(account)s::text,
         p_message => %(message)s::bytea
       ) as value
"""

_MIRROR_HEALTH = b"""
select health.account, health.purpose, health.lag, health.failures, health.last_success_at
  from orderlatch.mirror_health(
         p_worker_id => %(worker_id)s::integer,
         p_accounts => %(accounts)s::text[]
       ) as health
"""

_WORKER_HEALTH = b"""
select health.account, health.verified_at
  from orderlatch.worker_health(p_worker_id => %(worker_id)s::integer) as health
"""

_PROPOSE_DECISIONS = b"""
select proposed.input_no, proposed.decision_hash, proposed.status, proposed.outcome, proposed.reasons,
       proposed.error_code, proposed.error_message
  from orderlatch.propose_decisions(
         p_account => %(account)s::text,
         p_decisions => %(decisions)s::jsonb
       ) as proposed
 order by proposed.input_no
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClaimedRow:
    """A request; or, with `request_id` null, the hint when to ask again."""

    request_id: UUID | None
    account: str
    kind: str
    method: str
    path: str
    query: dict[str, str] | None
    body: str | None
    send_within_ms: int
    timeout_ms: int
    ask_again_ms: int | None


class Database:
    """The functions that the worker calls. Each raises DatabaseAwayError or StatementRefusedError."""

    def __init__(
        self, url: str, *, connections: int = CONNECTIONS, purpose: str = "requests", prepares: bool = False
    ) -> None:
        """As Postgres takes them."""
        self._postgres = Postgres(url, connections=connections, purpose=purpose, prepares=prepares)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Keep connections for the block; raises DatabaseAwayError at once when there is no server."""
        async with self._postgres.opened():
            yield

    async def schema_version(self) -> int:
        """Return the version of the installed schema."""
        [version] = await self._postgres.rows(_Text, _SCHEMA_VERSION, {})
        return int(version.value)

    async def reached_directly(self) -> bool:
        """Whether the server process that works is the one that connecting announced.

        A pooler announces a number of its own. Behind one, a session's lock and its LISTEN may belong to
        whoever comes next.
        """
        async with self._postgres.session() as connection:
            cursor = await connection.execute(_BACKEND_PID)
            return await cursor.fetchone() == (connection.info.backend_pid,)

    async def claim_requests(self, *, worker_id: int, how_many: int) -> Claim:
        """Ask for up to `how_many` requests of the accounts that the worker registered.

        What is granted is committed when this returns.
        """
        rows = await self._postgres.rows(
            _ClaimedRow, _CLAIM_REQUESTS, {"worker_id": worker_id, "how_many": how_many}
        )
        return Claim(
            requests=[_request(row, row.request_id) for row in rows if row.request_id is not None],
            ask_again_ms=next((row.ask_again_ms for row in rows if row.request_id is None), None),
        )

    async def request_traces(self, request_ids: Sequence[UUID]) -> list[Trace]:
        """Say in which traces the decisions of requests were proposed; nothing of those without one."""
        return await self._postgres.rows(Trace, _REQUEST_TRACES, {"request_ids": list(request_ids)})

    async def record_responses(self, answers: Sequence[Answer]) -> list[Meaning]:
        """Record answers. Recording one twice changes nothing, so after a lost connection do it again."""
        return await self._postgres.rows(
            Meaning, _RECORD_RESPONSES, {"answers": json.dumps([answer.members() for answer in answers])}
        )

    async def record_stream_state(self, *, worker_id: int, account: str, connected: bool) -> None:
        """Say that an account's stream is heard, or no more."""
        told = {"worker_id": worker_id, "account": account, "connected": connected}
        await self._postgres.rows(_Text, _RECORD_STREAM_STATE, told)

    async def record_trade_update(self, *, worker_id: int, account: str, message: bytes) -> str:
        """Record one message of an account's stream; returns what it was taken to mean."""
        told = {"worker_id": worker_id, "account": account, "message": message}
        [meaning] = await self._postgres.rows(_Text, _RECORD_TRADE_UPDATE, told)
        return meaning.value

    async def mirror_health(self, *, worker_id: int, accounts: Sequence[str]) -> list[ReadHealth]:
        """Say how far each standing read of the accounts has come."""
        asked = {"worker_id": worker_id, "accounts": list(accounts)}
        return await self._postgres.rows(ReadHealth, _MIRROR_HEALTH, asked)

    async def worker_health(self, *, worker_id: int) -> list[CarriedAccount]:
        """Say which accounts the worker carries, and since when each is verified."""
        return await self._postgres.rows(CarriedAccount, _WORKER_HEALTH, {"worker_id": worker_id})

    async def propose_decisions(self, *, account: str, decisions: Sequence[str]) -> list[Proposal]:
        """Propose decisions, each the text of one JSON value, which reaches Postgres to the letter."""
        return await self._postgres.rows(
            Proposal, _PROPOSE_DECISIONS, {"account": account, "decisions": f"[{','.join(decisions)}]"}
        )

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Session]:
        """Open a session of its own that hears NOTIFY, for one life of the worker."""
        async with self._postgres.session() as connection:
            await in_time(connection.execute("listen orderlatch"))
            yield Session(connection)


class Session:
    """The listening session of one life of the worker: it holds the lock that proves the worker alive."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection

    async def register_worker(
        self, *, worker_name: str, accounts: Sequence[Account], schema_version: int
    ) -> int:
        """Begin a life; returns its worker id."""
        described = json.dumps([{"account": each.name, "environment": each.environment} for each in accounts])
        told = {"worker_name": worker_name, "accounts": described, "schema_version": schema_version}
        cursor = await in_time(self._connection.execute(_REGISTER_WORKER, told))
        row = await cursor.fetchone()
        assert row is not None
        assert isinstance(row[0], int)
        return row[0]

    async def notifications(self) -> AsyncIterator[str]:
        """Yield the account of each NOTIFY, until the connection is lost."""
        async for notification in self._connection.notifies():
            yield notification.payload

    async def release_worker(self, worker_id: int) -> None:
        """End a life in order."""
        with errors_named():
            await self._connection.execute(_RELEASE_WORKER, {"worker_id": worker_id})


def _request(row: _ClaimedRow, request_id: UUID) -> Request:
    return Request(
        request_id=request_id,
        account=row.account,
        kind=row.kind,
        method=row.method,
        path=row.path,
        query=row.query,
        body=row.body,
        send_within_ms=row.send_within_ms,
        timeout_ms=row.timeout_ms,
    )
