"""The admin API: the ground truth, the world, faults and the stream. Not part of Alpaca.

It needs no key because the whole sandbox listens on loopback only.
"""

from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from worker.sandbox.admin_faults import AdminFaults, AdminStream
from worker.sandbox.admin_tools import Routes, endpoint
from worker.sandbox.admin_truth import AdminTruth
from worker.sandbox.admin_world import AdminWorld
from worker.sandbox.auth import KeyRing
from worker.sandbox.book import Book
from worker.sandbox.faults import Action, Call
from worker.sandbox.gates import Gates
from worker.sandbox.hub import Hub
from worker.sandbox.rates import Rates
from worker.sandbox.reads import Reads
from worker.sandbox.traps import Faults
from worker.sandbox.truth import Truth
from worker.sandbox.values import Json


@dataclass(frozen=True, slots=True)
class Admin:
    """All handlers together, and the one that touches everything."""

    book: Book
    truth: Truth
    reads: Reads
    keys: KeyRing
    rates: Rates
    faults: Faults[Call, Action]
    gates: Gates
    hub: Hub

    def application(self) -> Starlette:
        """The ASGI application under /admin."""
        table = (
            *AdminTruth(self.book, self.truth, self.rates).routes(),
            *AdminWorld(self.book, self.keys).routes(),
            *AdminFaults(self.book, self.reads, self.faults, self.gates).routes(),
            *AdminStream(self.book, self.hub).routes(),
            *self.routes(),
        )
        # Starlette takes a path of two routes as two routes only if each names its own methods.
        return Starlette(
            routes=[Route(path, endpoint(handler), methods=[verb]) for verb, path, handler in table]
        )

    def routes(self) -> Routes:
        """Which path leads to which."""
        return (("POST", "/admin/reset", self.post_reset),)

    async def post_reset(self, _request: Request) -> Json:
        """Forget everything, the ground truth included; accounts keep their ids and keys."""
        self.faults.clear()
        self.gates.release(None, None)
        self.keys.unswap()
        self.rates.forget_everything()
        self.reads.thaw()
        self.hub.forget_everything()
        self.book.forget_everything()
        return {"reset": True}
