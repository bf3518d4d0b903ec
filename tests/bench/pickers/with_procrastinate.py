"""procrastinate's own worker, as its documentation starts it, with a task that notes when it was called."""

from __future__ import annotations

import asyncio
import sys
import time

from procrastinate import App, PsycopgConnector


async def work(url: str, log: str) -> None:
    """Work until killed."""
    app = App(connector=PsycopgConnector(conninfo=url))
    with open(log, "w", buffering=1) as lines:  # noqa: ASYNC230, PTH123

        async def noop(key: str) -> None:
            lines.write(f"{key} {time.monotonic_ns()}\n")

        app.task(name="noop")(noop)
        async with app.open_async():
            print("ready", flush=True)
            await app.run_worker_async(install_signal_handlers=False)


asyncio.run(work(*sys.argv[1:3]))
