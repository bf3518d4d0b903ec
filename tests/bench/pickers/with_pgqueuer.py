"""pgqueuer's own worker, as its documentation starts it, with a handler that notes when it was called."""

from __future__ import annotations

import asyncio
import sys
import time

import psycopg
from pgqueuer import PgQueuer
from pgqueuer.db import PsycopgDriver
from pgqueuer.queries import Queries


async def work(url: str, log: str) -> None:
    """Install, and work until killed."""
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    driver = PsycopgDriver(connection)
    await Queries(driver).install()
    queuer = PgQueuer(driver)
    with open(log, "w", buffering=1) as lines:  # noqa: ASYNC230, PTH123

        async def noop(job: object) -> None:
            payload: bytes = getattr(job, "payload")  # noqa: B009
            lines.write(f"{payload.decode()} {time.monotonic_ns()}\n")

        queuer.entrypoint("noop")(noop)
        print("ready", flush=True)
        await queuer.run()


asyncio.run(work(*sys.argv[1:3]))
