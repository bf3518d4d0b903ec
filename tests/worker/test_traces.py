"""What is asked for log lines alone keeps no answer waiting."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING
from uuid import UUID

from tests.worker.script import wait_until
from worker.database import Database
from worker.messages import Request, elapsing
from worker.traces import Traces

if TYPE_CHECKING:
    from tests.support.servers import Database as TestDatabase

SLOW = """
create schema orderlatch;
create function orderlatch.request_traces(p_request_ids uuid[])
returns table (request_id uuid, trace_id text, parent_id text) language plpgsql as $$
begin
  perform pg_sleep(60);
end $$;
"""
SLEEPING = "select s.pid from pg_stat_activity as s where s.datname = %s and s.wait_event = 'PgSleep'"

REQUEST = Request(
    request_id=UUID(int=1),
    account="paper",
    kind="submit_order",
    method="POST",
    path="/v2/orders",
    query=None,
    body="{}",
    send_within_ms=5000,
    timeout_ms=10_000,
)


async def test_a_log_line_waits_a_second_for_its_trace_also_where_the_server_hangs(
    blank_database: TestDatabase,
) -> None:
    """One that is frozen does not hear that it is canceled, and waiting for that takes ten seconds."""
    database = Database(blank_database.url)
    with blank_database.connect() as watcher:
        watcher.execute(SLOW)
        async with database.opened():
            traces = Traces(database)
            began_at = elapsing()
            asking = asyncio.create_task(traces.of([REQUEST]))
            await asyncio.to_thread(
                wait_until,
                lambda: watcher.execute(SLEEPING, [blank_database.name]).rowcount == 1,
                what="it is asked",
            )
            [(pid,)] = watcher.execute(SLEEPING, [blank_database.name]).fetchall()
            os.kill(pid, signal.SIGSTOP)
            try:
                assert await asking == {}
                assert elapsing() - began_at < 4
                began_at = elapsing()
                assert await traces.of([REQUEST]) == {}
                assert elapsing() - began_at < 0.5, "nothing is asked beside it"
            finally:
                os.kill(pid, signal.SIGCONT)
