"""Runs a sandbox: in this process until a signal, or in a thread for tests."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn

from worker.sandbox.app import Sandbox
from worker.sandbox.auth import AccountKey
from worker.sandbox.clock import Clock
from worker.sandbox.transport import Door, SandboxProtocol, listening_socket

HOST: Final = "127.0.0.1"  # nothing else: the admin API knows no keys
KEEP_ALIVE_S: Final = 75  # a reused connection must not die under a POST because the server was bored
STARTUP_S: Final = 10
GRACE_S: Final = 1  # for calls that are under way at the end
PING_S: Final = 20  # the server pings its WebSockets, and ends those that do not answer


class SandboxServer(uvicorn.Server):
    """uvicorn with a door, a word when it is ready, and a quiet end."""

    def __init__(self, sandbox: Sandbox, port: int, on_ready: Callable[[str], None]) -> None:
        super().__init__(
            uvicorn.Config(
                sandbox,
                http=SandboxProtocol,
                ws="websockets-sansio",
                ws_ping_interval=PING_S,
                ws_ping_timeout=PING_S,
                ws_per_message_deflate=False,
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
            )
        )
        self._socket = listening_socket(HOST, port)
        self._url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        self._door = Door(self, sandbox.clock)
        self._on_ready = on_ready

    def run_until_told(self) -> None:
        """Serve until SIGTERM, SIGINT or should_exit."""
        asyncio.run(self.serve([self._socket]))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say where."""
        self.lifespan.state["door"] = self._door
        await super().startup(sockets)
        self._on_ready(self._url)

    async def _wait_tasks_to_complete(self) -> None:
        """Wait for calls that are under way; cut off those that hang, without a word of uvicorn's."""
        try:
            async with asyncio.timeout(GRACE_S):
                await super()._wait_tasks_to_complete()
        except TimeoutError:
            if hanging := set(self.server_state.tasks):
                for each in hanging:
                    each.cancel()
                await asyncio.wait(hanging, timeout=GRACE_S)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 (uvicorn's signature)
        """End in good order on a signal; unlike uvicorn, do not die of it afterwards."""
        self.should_exit = True


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that serves in a thread."""

    url: str
    sandbox: Sandbox

    @property
    def clock(self) -> Clock:
        """Its clock; `advance` is safe from any thread."""
        return self.sandbox.clock


@contextlib.contextmanager
def sandbox_in_thread(
    directory: Path | None, accounts: Sequence[AccountKey], clock: Clock | None = None, port: int = 0
) -> Iterator[RunningSandbox]:
    """Serve a sandbox from a thread of this process until the block ends."""
    sandbox = Sandbox(directory, accounts, clock)
    ready = threading.Event()
    urls: list[str] = []

    def note(url: str) -> None:
        urls.append(url)
        ready.set()

    server = SandboxServer(sandbox, port, note)
    thread = threading.Thread(target=server.run_until_told, name="sandbox", daemon=True)
    thread.start()
    try:
        if not ready.wait(STARTUP_S):
            raise TimeoutError("the sandbox did not start")
        yield RunningSandbox(urls[0], sandbox)
    finally:
        server.should_exit = True
        thread.join()
        sandbox.close()
