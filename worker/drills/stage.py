"""What a drill happens on: a database of its own, the sandbox, an account, and workers that may be killed."""

from __future__ import annotations

import json
import textwrap
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import click

from worker import rehearsal
from worker.drills.broker import WIDTH, Broker
from worker.drills.prompt import Prompt

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path

    from worker.embedded import Server

ACCOUNT: Final = "paper"
STRANGER: Final = "stranger"
"""Another account at the broker, whose keys a person may take for those of the first."""

TIMES: Final[Mapping[str, str | int]] = {
    **rehearsal.SHORT_TIMES,
    "send_within": "2 seconds",
    "call_timeout": "3 seconds",
    "backoff_max": "1 second",
    "reconcile_every": "1 second",
    "positions_every": "1 second",
    "drift_grace": "1 second",
}
"""Settings of the account: a drill cannot wait for what a real account waits for, only in the same order."""

PROPOSE: Final = """
    select p.status, p.outcome, p.decision_hash
      from orderlatch.propose_decision('paper', '{{
             "strategy_id": "drill", "timeframe": "1Day", "event_ts": "2026-11-20T21:00:00Z",
             {members}}}') as p
"""


class Stage:
    """One run of a drill: it acts, shows what it does, and in the end stops what it has started."""

    def __init__(self, url: str, place: Path, server: Server | None, stack: ExitStack) -> None:
        self.place = place
        self._server = server
        self.prompt = Prompt(url)
        self._url = url
        self._keys = {name: rehearsal.Keys.made_up(name) for name in (ACCOUNT, STRANGER)}
        self._sandbox = stack.enter_context(rehearsal.sandbox(list(self._keys.values()), place / "sandbox"))
        self._workers = stack.enter_context(ExitStack())
        self.broker = Broker(self._sandbox, ACCOUNT)
        self.broker.ask("PUT", "settings", {"rate_limit": 0})

    def create_account(self, **settings: str) -> None:
        """Create the account; settings are added to the short times."""
        told = json.dumps({**TIMES, **settings})
        self.prompt.run(f"select orderlatch.create_account('{ACCOUNT}', 'paper', '{told}')")

    @property
    def own_server(self) -> Server:
        """The server that is this drill's own."""
        assert self._server is not None
        return self._server

    # --- what the reader is told ---

    def part(self, title: str) -> None:
        """Begin a part: break it, detect it, recover."""
        head = f"--- {title} "
        click.secho(f"{head:-<{WIDTH}}\n", bold=True)

    def say(self, text: str) -> None:
        """Say what happens next, in lines of a readable length."""
        click.echo(textwrap.fill(" ".join(text.split()), WIDTH) + "\n")

    def type(self, command: str) -> None:
        """Show a command of the shell."""
        click.echo(click.style("$ ", dim=True) + click.style(command, bold=True) + "\n")

    # --- what happens ---

    def propose(self, symbol: str, qty: str, *, status: str = "approved", **members: str) -> str:
        """Propose a new decision to buy, which is then of this status; returns its hash."""
        intent = {"symbol": symbol, "action": "buy", "qty": qty, **members}
        members_shown = "\n".join(textwrap.wrap(json.dumps(intent)[1:-1], 76, subsequent_indent=" " * 13))
        statement = PROPOSE.format(members=members_shown)
        [(_, _, decision_hash)] = self.prompt.enter(statement, [(status, "created", ...)])
        return decision_hash

    def start_worker(self, *, keys_of: str = ACCOUNT, stream: bool = False) -> subprocess.Popen[bytes]:
        """Start a worker for the account; with another account's keys when a person mixes them up."""
        self.type("orderlatch worker &")
        mine, given = self._keys[ACCOUNT], self._keys[keys_of]
        keys = rehearsal.Keys(mine.account, given.key, given.secret)
        return self._workers.enter_context(
            rehearsal.worker(self._url, self._sandbox, keys, self.place / "worker.log", stream=stream)
        )

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """End a worker as a crash does."""
        self.type(f"kill -9 {worker.pid}")
        worker.kill()
        worker.wait()

    def stop_workers(self) -> None:
        """End all workers in good order."""
        self.type("kill %1")
        self._workers.close()

    def cancel_at_broker(self, broker_order_id: str) -> None:
        """Cancel an order with the account's own key, past Orderlatch, as on the broker's web page."""
        keys = self._keys[ACCOUNT]
        self.type(f"curl -X DELETE $BROKER/v2/orders/{broker_order_id}")
        self._sandbox.delete(
            f"/v2/orders/{broker_order_id}",
            headers={"APCA-API-KEY-ID": keys.key, "APCA-API-SECRET-KEY": keys.secret},
        ).raise_for_status()

    # --- what is shown in most drills ---

    def explain(self, ending: str) -> None:
        """Show the story of the decision that was set as hash, which must end with this sentence."""
        self.prompt.look(
            """
            select to_char(at, 'HH24:MI:SS') as at, left(story, 86) as story
              from orderlatch.explain_decision(:'hash')
            """,
            [..., (..., ending), ...],
        )

    def show_invariants(self) -> None:
        """Show that every promise holds."""
        self.prompt.look("select promise, violations from orderlatch.invariants where violations <> 0", [])
