"""A worker of hundreds of accounts starts before whoever watches it takes it for stuck."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from pydantic import SecretStr

from worker.run import run_worker
from worker.settings import Account, Settings

if TYPE_CHECKING:
    import pytest

    from tests.worker.script import Script


def an_account(number: int) -> Account:
    return Account(
        name=f"paper-{number}",
        base_url="https://127.0.0.1:1",
        stream_url="wss://127.0.0.1:1/stream",
        environment="paper",
        key_id=SecretStr("PKTESTKEYID"),
        secret_key=SecretStr("PKTESTSECRET"),
    )


async def test_certificates_are_read_once_and_not_for_each_account(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes 50 ms and more, in which the event loop does not turn: of 200 accounts half a minute."""
    read, really = [], ssl.create_default_context

    def create_default_context(*, cafile: str) -> ssl.SSLContext:
        read.append(cafile)
        return really(cafile=cafile)

    async def carry_while_alive(*_parts: object) -> None:
        """The worker has started."""

    monkeypatch.setattr("ssl.create_default_context", create_default_context)
    monkeypatch.setattr("worker.run._carry_while_alive", carry_while_alive)
    accounts = [an_account(number) for number in range(20)]
    await run_worker(settings=Settings(), accounts=accounts, database_url=script.url)
    assert len(read) == 2, "for all brokers, and for all streams"
