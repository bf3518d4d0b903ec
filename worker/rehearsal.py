"""What the demo and the drills share: the sandbox and workers as child processes, and short waits."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from worker import OrderlatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROGRAM: Final = Path(sys.executable).parent / "orderlatch"

SHORT_TIMES: Final[Mapping[str, str | int]] = {
    "rate_limit": 1000,
    "burst": 500,
    "max_decision_age": "1 hour",
    "send_within": "1 second",
    "call_timeout": "800 milliseconds",
    "answer_grace": "300 milliseconds",
    "lookup_first_wait": "250 milliseconds",
    "lookup_max_wait": "1 second",
    "absence_quiet": "700 milliseconds",
    "absence_spacing": "500 milliseconds",
    "backoff_first": "200 milliseconds",
}
"""Settings of an account for people who watch.

A real one waits minutes before it believes an absence, and sends 200 calls a minute.
"""


@dataclass(frozen=True, slots=True)
class Keys:
    """The key of one account at the sandbox, made up for one run."""

    account: str
    key: str
    secret: str

    @classmethod
    def made_up(cls, account: str) -> Keys:
        """Make up a key that nobody has seen before."""
        return cls(account, secrets.token_hex(10), secrets.token_hex(20))


@contextmanager
def sandbox(keys: Sequence[Keys], data: Path) -> Iterator[httpx.Client]:
    """Run the sandbox with its ground truth in a directory; yields a client of its admin API."""
    accounts = [{"name": each.account, "key": each.key, "secret": each.secret} for each in keys]
    with subprocess.Popen(
        [PROGRAM, "sandbox", "--data", data],
        env={**os.environ, "ORDERLATCH_SANDBOX_ACCOUNTS": json.dumps(accounts)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            if not line.startswith("sandbox: "):
                raise OrderlatchError(f"the sandbox did not start: {line or 'it said nothing'}")
            url = line.removeprefix("sandbox: ")
            with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
                yield client
        finally:
            process.terminate()


@contextmanager
def worker(
    database_url: str, broker: httpx.Client, keys: Keys, log: Path, *, stream: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker for one account, its log in a file; it is stopped in good order unless it is dead.

    Without the stream, which would tell at once what faults hide, one can see how it is found out.
    """
    prefix = f"ORDERLATCH_{re.sub('[^A-Z0-9]', '_', keys.account.upper())}"
    environment = {
        # what a person has set for a worker of their own is not for this one
        **{
            name: value for name, value in os.environ.items() if not name.startswith(("ORDERLATCH_", "APCA_"))
        },
        "DATABASE_URL": database_url,
        "ORDERLATCH_ACCOUNTS": keys.account,
        "ORDERLATCH_STREAM": "on" if stream else "off",
        f"{prefix}_KEY_ID": keys.key,
        f"{prefix}_SECRET_KEY": keys.secret,
        f"{prefix}_BASE_URL": str(broker.base_url).rstrip("/"),
    }
    with (
        log.open("ab") as lines,
        subprocess.Popen([PROGRAM, "worker"], env=environment, stdout=lines, stderr=lines) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
