"""The sandbox as one ASGI application: the trading API, and the admin API beside it."""

import secrets
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from worker.sandbox.admin import Admin
from worker.sandbox.auth import AccountKey, KeyRing, RateLimiter
from worker.sandbox.book import Book
from worker.sandbox.clock import Clock
from worker.sandbox.faults import Faults, Gates
from worker.sandbox.model import Account
from worker.sandbox.store import Store
from worker.sandbox.trading import Trading
from worker.sandbox.truth import Truth

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class Sandbox:
    """Everything of one sandbox but its server. Close it when the server has ended."""

    def __init__(self, directory: Path, accounts: Sequence[AccountKey], clock: Clock | None = None) -> None:
        if len({key.name for key in accounts}) < len(accounts) or len({key.key for key in accounts}) < len(
            accounts
        ):
            raise ValueError("two accounts share a name or a key")
        self.clock = clock or Clock()
        self.store = Store(directory)
        try:
            self._open_accounts(accounts)
            self.store.end_calls_of_last_life(self.clock.now_ns())
            self.book = Book(self.store, self.clock)
        except BaseException:
            self.store.close()
            raise
        faults, gates, keys, limiter = Faults(), Gates(), KeyRing(accounts), RateLimiter()
        self._trading = Trading(self.book, keys, limiter, faults, gates)
        self._admin = Admin(self.book, Truth(self.store), keys, limiter, faults, gates).application()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Hand a request to the API that its path names."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        if scope["path"].startswith("/admin"):
            await self._admin(scope, receive, send)
        else:
            await self._trading(scope, receive, send)

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
                            id=key.broker_account_id or str(uuid.uuid4()),
                            account_number=f"PA{secrets.token_hex(5).upper()}",
                            created_ns=self.clock.now_ns(),
                        )
                    )
                elif key.broker_account_id not in (None, account.id):
                    raise ValueError(
                        f"account {key.name} has another broker account id in this data directory"
                    )
