"""One run of the worker process: puts the parts together, checks the database, obeys signals."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

import structlog

from worker import OrderlatchError
from worker.broker import Broker, trusted_certificates
from worker.carrier import Carrier
from worker.database import SCHEMA_VERSIONS, Database
from worker.follower import Follower
from worker.health import Health, serve
from worker.life import Life
from worker.metrics import Metrics
from worker.postgres import DatabaseAwayError, StatementRefusedError
from worker.recorder import Recorder
from worker.stream import Stream
from worker.traces import Traces
from worker.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.settings import Account, Settings

# What Postgres says when the schema or the function is not there, and when the login may not use it.
_NOT_INSTALLED = ("3F000", "42883")
_NOT_ALLOWED = "42501"

_POOLED = (
    "DATABASE_URL: a connection pooler is in between, and a worker needs a session of its own: its lock "
    "there is what proves it alive.\nConnect the worker to Postgres itself. Strategies may go on using the "
    "pooler."
)

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class _Companion(Protocol):
    async def run(self) -> None: ...


class WorkerError(OrderlatchError):
    """The worker cannot start or go on; the message says what to do."""


async def run_worker(*, settings: Settings, accounts: Sequence[Account], database_url: str) -> None:
    """Work until SIGTERM or SIGINT; returns when nothing is left in hand. Raises WorkerError.

    A second signal, or a drain that takes longer than `settings.drain_ms`, ends the process with status 1.
    """
    metrics, health = Metrics(), Health()
    metrics.ready.set_function(lambda: health.ready().good)
    if settings.metrics_port is not None:
        try:
            serve(
                health=health,
                registry=metrics.registry,
                host=settings.metrics_host,
                port=settings.metrics_port,
            )
        except OSError as error:
            raise WorkerError(f"ORDERLATCH_METRICS_PORT: cannot be listened on ({error.strerror})") from error

    # Prepared from the second call on: it is checked first that no pooler is in between.
    database = Database(database_url, prepares=True)
    # Of its own, so that no claim and no answer ever waits for what is told beside them.
    beside = Database(database_url, connections=len(accounts) + 1, purpose="stream", prepares=True)
    async with AsyncExitStack() as resources:
        try:
            await resources.enter_async_context(database.opened())
            if "on" in (settings.stream, settings.traces) or settings.metrics_port is not None:
                await resources.enter_async_context(beside.opened())
            schema_version = await _checked_schema_version(database)
            if not await database.reached_directly():
                raise WorkerError(_POOLED)
        except DatabaseAwayError as error:
            raise WorkerError(f"DATABASE_URL: {error}") from error
        tls = trusted_certificates()
        brokers = {each.name: Broker(account=each, connections=settings.slots, tls=tls) for each in accounts}
        for broker in brokers.values():
            resources.push_async_callback(broker.close)

        life = Life(
            database=database,
            worker_name=settings.worker_name,
            accounts=accounts,
            schema_version=schema_version,
        )
        carrier = Carrier(
            database=database,
            life=life,
            recorder=Recorder(database=database, metrics=metrics),
            brokers=brokers,
            metrics=metrics,
            traces=Traces(beside if settings.traces == "on" else None),
            slots=settings.slots,
            poll_ms=settings.poll_ms,
        )
        companions = _companions(
            settings=settings, accounts=accounts, database=beside, life=life, metrics=metrics, health=health
        )
        _obey_signals(carrier, health, drain_ms=settings.drain_ms)
        await _carry_while_alive(carrier, life, companions)
    _log.info("worker_stopped")


def _companions(
    *,
    settings: Settings,
    accounts: Sequence[Account],
    database: Database,
    life: Life,
    metrics: Metrics,
    health: Health,
) -> list[_Companion]:
    """Make what works beside the carrier, and may fail without it."""
    companions: list[_Companion] = []
    if settings.stream == "on":
        tls = trusted_certificates()  # not that of the brokers: httpx says in it what it speaks
        companions += (
            Follower(
                account=each.name,
                stream=Stream(account=each, tls=tls),
                database=database,
                life=life,
                metrics=metrics,
            )
            for each in accounts
        )
    if settings.metrics_port is not None:
        names = [each.name for each in accounts]
        companions.append(Watch(database=database, life=life, accounts=names, metrics=metrics, health=health))
    return companions


async def _carry_while_alive(carrier: Carrier, life: Life, companions: Sequence[_Companion]) -> None:
    """Carry until stopped. When the database lets no new life begin, finish what is in hand and raise."""

    async def keep() -> StatementRefusedError | None:
        try:
            await life.keep()
        except StatementRefusedError as refused:
            carrier.stop()
            return refused
        return None

    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(keep())
        beside = [tasks.create_task(each.run()) for each in companions]
        await carrier.run()
        for each in beside:
            each.cancel()
        # they say goodbye first, because they do it in the name of this life
        await asyncio.gather(*beside, return_exceptions=True)
        keeping.cancel()
    if not keeping.cancelled() and (refused := keeping.result()) is not None:
        raise _explained(refused)


async def _checked_schema_version(database: Database) -> int:
    try:
        version = await database.schema_version()
    except StatementRefusedError as refused:
        raise _explained(refused) from refused
    if version not in SCHEMA_VERSIONS:
        spoken = ", ".join(str(each) for each in sorted(SCHEMA_VERSIONS))
        raise WorkerError(
            f"the database has Orderlatch's schema version {version}, and this worker speaks {spoken}: "
            "install the worker of the same release as the schema, or run `orderlatch migrate`"
        )
    return version


def _explained(refused: StatementRefusedError) -> WorkerError:
    if refused.sqlstate in _NOT_INSTALLED:
        return WorkerError(
            "DATABASE_URL: Orderlatch is not installed in this database: run `orderlatch migrate`"
        )
    if refused.sqlstate == _NOT_ALLOWED:
        return WorkerError(f"the login in DATABASE_URL needs the role orderlatch_worker ({refused})")
    hint = f" ({refused.hint})" if refused.hint else ""
    return WorkerError(f"the database refused this worker: {refused.sqlstate} {refused}{hint}")


def _obey_signals(carrier: Carrier, health: Health, *, drain_ms: int) -> None:
    """First signal: stop in order. Second signal or a drain that takes too long: stop now."""
    loop = asyncio.get_running_loop()
    stopping = False

    def stop_now(why: str) -> None:
        # Sockets close with a reset; what is not recorded counts as lost in the database: safe, only slow.
        _log.error("worker_stopped_at_once", why=why)
        os._exit(1)

    def on_signal(name: str) -> None:
        nonlocal stopping
        if stopping:
            stop_now("second signal")
        stopping = True
        _log.info("worker_stopping", signal=name)
        health.stop()
        loop.call_later(drain_ms / 1000, stop_now, "drain timed out")
        carrier.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number.name)
