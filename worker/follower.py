"""Follows the stream of one account: tells the database what is heard, and when nothing is heard any more.

It works beside the requests and never in their way: with connections of its own to Postgres, a bounded
mailbox, and no failure that gets out. It makes things fast, never correct. So whatever goes wrong is met in
one way: the connection ends and another one begins, which makes the database read the account over REST.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from worker.carrier import WORKER_UNKNOWN
from worker.mailbox import Ending, Mailbox
from worker.postgres import DatabaseAwayError, StatementRefusedError, pauses

if TYPE_CHECKING:
    from worker.database import Database
    from worker.life import Life
    from worker.metrics import Metrics
    from worker.stream import Stream

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
"""The pause after a connection doubles from the one to the other, a random half of it taken off."""

STEADY_S = 60.0
"""After a connection that was listened to for so long, the next pause is the first again."""

LONGEST_RETRY_S = 1.0
FAREWELL_S = 2.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Follower:
    """One account's stream, from connection to connection."""

    def __init__(
        self, *, account: str, stream: Stream, database: Database, life: Life, metrics: Metrics
    ) -> None:
        self._account = account
        self._stream = stream
        self._database = database
        self._life = life
        self._metrics = metrics
        self._stirred = asyncio.Event()
        self._mailbox = Mailbox(self._stirred)
        self._told_as: int | None = None  # the life of which the database believes that it listens
        life.announce(self._stirred)
        metrics.stream_connected.labels(account=account).set_function(lambda: self._mailbox.listening)

    async def run(self) -> None:
        """Follow until cancelled. Nothing that goes wrong in here ends the worker."""
        pause_s = FIRST_PAUSE_S
        while True:
            ending = await self._follow_safely()
            if ending.heard_s >= STEADY_S:
                pause_s = FIRST_PAUSE_S
            await self._rest(ending, rest_s=pause_s * random.uniform(0.5, 1))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _rest(self, ending: Ending, *, rest_s: float) -> None:
        self._metrics.stream_endings.labels(account=self._account, why=ending.why).inc()
        _log.warning(
            "stream_ended",
            account=self._account,
            why=ending.why,
            detail=ending.detail,
            heard_s=round(ending.heard_s, 1),
            next_try_s=round(rest_s, 1),
        )
        await asyncio.sleep(rest_s)

    async def _follow_safely(self) -> Ending:
        """Follow one connection. An error that nobody foresaw costs that connection, not the worker."""
        try:
            return await self._follow()
        except Exception:  # the only such place: elsewhere an unforeseen error ends the program
            _log.exception("stream_failed", account=self._account)
            return Ending(why="failed")
        finally:
            await self._say_farewell()

    async def _follow(self) -> Ending:
        """Follow one connection until it has ended and all that it brought is told."""
        self._mailbox = mailbox = Mailbox(self._stirred)

        async def hear() -> None:
            mailbox.end(await self._stream.hear(mailbox))

        async with asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(hear())
            try:
                return await self._tell(mailbox)
            finally:
                hearing.cancel()
                mailbox.end(Ending(why="stopped"))
                self._count("dropped", mailbox.clear())

    async def _tell(self, mailbox: Mailbox) -> Ending:
        """Tell what comes until no more does and say why; what the database cannot take now is kept."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            async for _ in pauses(longest_s=LONGEST_RETRY_S):
                try:
                    ending = await self._tell_what_waits(mailbox)
                except DatabaseAwayError:
                    continue
                except StatementRefusedError as refused:
                    if refused.lost_a_race or refused.sqlstate == WORKER_UNKNOWN:
                        continue  # when this life is over, the next one is on its way
                    return Ending(why="not_taken", detail=f"{refused.sqlstate} {refused}")
                if ending is not None:
                    return ending
                break

    async def _tell_what_waits(self, mailbox: Mailbox) -> Ending | None:
        """Tell one by one: a batch would hold the account's lock longer, and answers wait for that too.

        Returns the ending once there is one and nothing more to tell.
        """
        while (worker_id := self._life.worker_id) is not None:
            if mailbox.overrun:
                self._count("dropped", mailbox.clear())  # the next connection's read shows it all
            if mailbox.listening and self._told_as != worker_id:
                await self._say(worker_id, connected=True)
            elif (message := mailbox.first()) is not None:
                meaning = await self._database.record_trade_update(
                    worker_id=worker_id, account=self._account, message=message
                )
                mailbox.remove(message)
                self._count(meaning)
            elif not mailbox.listening and self._told_as == worker_id:
                await self._say(worker_id, connected=False)
            else:
                return mailbox.ending
        return mailbox.ending if mailbox.first() is None else None  # a life that is over needs no farewell

    async def _say(self, worker_id: int, *, connected: bool) -> None:
        await self._database.record_stream_state(
            worker_id=worker_id, account=self._account, connected=connected
        )
        self._told_as = worker_id if connected else None
        if connected:
            self._metrics.stream_beginnings.labels(account=self._account).inc()
            _log.info("stream_heard", account=self._account, worker_id=worker_id)

    async def _say_farewell(self) -> None:
        """Say that nobody listens, if that is still unsaid and the database is there to hear it."""
        worker_id = self._life.worker_id
        if worker_id is not None and self._told_as == worker_id:
            with suppress(TimeoutError, DatabaseAwayError, StatementRefusedError):
                async with asyncio.timeout(FAREWELL_S):
                    await self._say(worker_id, connected=False)
        self._told_as = None

    def _count(self, meaning: str, messages: int = 1) -> None:
        self._metrics.stream_messages.labels(account=self._account, meaning=meaning).inc(messages)
