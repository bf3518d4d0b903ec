"""What others may ask the worker over HTTP: its metrics, whether it lives, and whether it can work.

Alive means that the event loop turns. Postgres being away is no reason to end a worker: it holds answers that
are not recorded yet. Ready means that calls could be carried now: this life is registered, the database has
just answered, and the keys of at least one account were verified.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from socketserver import ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from worker.messages import elapsing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client import CollectorRegistry

BEAT_S = 1.0

LOOP_SILENT_S = 15.0
"""An event loop that has not turned for so long is stuck: nothing that it does by design takes a second."""

DATABASE_SILENT_S = 20.0
"""An answer of the database that is older says nothing any more; it is asked every few seconds."""


class Verdict(NamedTuple):
    """The answer to a question about health, in words for whoever looks with curl."""

    good: bool
    words: str


class Health:
    """What is known of the worker's health. The event loop writes it, threads that answer read it."""

    def __init__(self) -> None:
        self._turned_at = elapsing()
        self._answered_at = elapsing()
        self._verified: Mapping[str, bool] | None = None
        self._why_not = "not registered yet"
        self._stopping = False

    async def beat(self) -> None:
        """Show that the event loop turns, until cancelled."""
        while True:
            self._turned_at = elapsing()
            await asyncio.sleep(BEAT_S)

    def show_accounts(self, verified: Mapping[str, bool]) -> None:
        """Show what the database has just said: each account of this life, and whether it is verified."""
        self._answered_at = elapsing()
        self._verified = verified

    def show_unready(self, why: str) -> None:
        """Show that no call can be carried now."""
        self._verified = None
        self._why_not = why

    def stop(self) -> None:
        """Show that nothing is claimed any more; what is in hand is still carried and recorded."""
        self._stopping = True

    def alive(self) -> Verdict:
        """Whether the event loop turns."""
        silent_s = elapsing() - self._turned_at
        if silent_s > LOOP_SILENT_S:
            return Verdict(False, f"the event loop has not turned for {silent_s:.0f} s")
        return Verdict(True, "alive")

    def ready(self) -> Verdict:
        """Whether calls could be carried now."""
        if not (alive := self.alive()).good:
            return alive
        if self._stopping:
            return Verdict(False, "stopping")
        verified, silent_s = self._verified, elapsing() - self._answered_at
        if verified is None:
            return Verdict(False, self._why_not)
        if silent_s > DATABASE_SILENT_S:
            return Verdict(False, f"the database has not answered for {silent_s:.0f} s")
        told = ", ".join(f"{each} {'verified' if yes else 'not verified'}" for each, yes in verified.items())
        return Verdict(any(verified.values()), told or "no account")


def serve(*, health: Health, registry: CollectorRegistry, host: str, port: int) -> None:
    """Answer /metrics, /healthz and /readyz from threads; raises OSError when the port is not to be had."""
    [(family, *_), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)

    class Server(_Server):
        address_family = family

    server = make_server(host, port, _answering(health, registry), Server, handler_class=_Handler)
    Thread(target=server.serve_forever, name="health", daemon=True).start()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a caller that hung up or fell silent; the traceback would be no line of the log."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(WSGIRequestHandler):
    timeout = 10  # seconds that a connection may say nothing and keep its thread

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write no line for each probe."""


def _answering(health: Health, registry: CollectorRegistry) -> WSGIApplication:
    show_metrics: WSGIApplication = make_wsgi_app(registry)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                return show_metrics(environ, start_response)
            case "/healthz":
                status, words = _in_http(health.alive())
            case "/readyz":
                status, words = _in_http(health.ready())
            case _:
                status, words = "404 Not Found", "there are /metrics, /healthz and /readyz"
        start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
        return [f"{words}\n".encode()]

    return answer


def _in_http(verdict: Verdict) -> tuple[str, str]:
    return "200 OK" if verdict.good else "503 Service Unavailable", verdict.words
