"""The sandbox as one ASGI application: the trading API, its stream, and the admin API beside them."""

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from worker.sandbox.admin import Admin
from worker.sandbox.auth import AccountKey, KeyRing
from worker.sandbox.book import Book
from worker.sandbox.clock import Clock
from worker.sandbox.faults import call_faults
from worker.sandbox.gates import Gates
from worker.sandbox.hub import Hub
from worker.sandbox.model import Account
from worker.sandbox.rates import Rates
from worker.sandbox.reads import Reads
from worker.sandbox.store import Store, StoreInMemory, StoreOnDisk
from worker.sandbox.stream import StreamServer
from worker.sandbox.stream_faults import stream_faults
from worker.sandbox.trading import Trading
from worker.sandbox.transport import Wire
from worker.sandbox.truth import Truth
from worker.sandbox.values import new_uuid

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class Sandbox:
    """Everything of one sandbox but its server. Close it when the server has ended."""

    def __init__(
        self, directory: Path | None, accounts: Sequence[AccountKey], clock: Clock | None = None
    ) -> None:
        """Without a directory the ground truth ends with the process."""
        if len({key.name for key in accounts}) < len(accounts) or len({key.key for key in accounts}) < len(
            accounts
        ):
            raise ValueError("two accounts share a name or a key")
        self.clock = clock or Clock()
        self.store: Store = StoreInMemory() if directory is None else StoreOnDisk(directory)
        try:
            self._open_accounts(accounts)
            self.store.calls.end_those_of_last_life(self.clock.now_ns())
            self.hub = Hub(self.store, self.clock, stream_faults())
            self.book = Book(self.store, self.clock, self.hub.tell)
        except BaseException:
            self.store.close()
            raise
        keys, rates, reads = KeyRing(accounts), Rates(), Reads(self.store, self.clock)
        faults, gates = call_faults(), Gates()
        self._trading = Trading(self.book, reads, keys, rates, faults, gates, self.hub)
        self._stream = StreamServer(self.book, self.hub, keys)
        admin = Admin(self.book, Truth(self.store), reads, keys, rates, faults, gates, self.hub)
        self._admin = admin.application()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Hand a request to the API that its path names, then send what it caused."""
        if scope["type"] == "websocket":
            await self._stream(scope, receive, send)
            return
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        try:
            if scope["path"].startswith("/admin"):
                await self._admin(scope, receive, send)
            else:
                await self._trading(scope, receive, send)
        except asyncio.CancelledError:  # only the server's end cancels: then nobody is answered
            await Wire(scope, receive, send).reset()
        finally:
            self.hub.flush()

    def close(self) -> None:
        """Give the data directory back."""
        self.store.close()

    def _open_accounts(self, keys: Sequence[AccountKey]) -> None:
        """Create the accounts that are new; an account keeps its id for ever."""
        known = {account.name: account for account in self.store.accounts()}
        with self.store.transaction():
            for key in keys:
                account = known.get(key.name)
                if account is None:
                    self.store.save_account(
                        Account(
                            name=key.name,
                            id=key.broker_account_id or new_uuid(),
                            account_number=f"PA{secrets.token_hex(5).upper()}",
                            created_ns=self.clock.now_ns(),
                        )
                    )
                elif key.broker_account_id not in (None, account.id):
                    raise ValueError(
                        f"account {key.name} has another broker account id in this data directory"
                    )
