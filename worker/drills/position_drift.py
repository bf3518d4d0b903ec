"""A split that no fill explains: an incident, until an operator accepts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.drills.stage import Stage


def play(stage: Stage) -> None:
    """Split a symbol that is held."""
    prompt, broker = stage.prompt, stage.broker
    stage.create_account()
    broker.tell("PUT", "prices", {"GOOG": "185.02"})
    stage.start_worker()
    decision_hash = stage.propose("GOOG", "10")
    prompt.look(
        "select symbol, qty, broker_qty, state from orderlatch.positions", [("GOOG", "10", "10", "agrees")]
    )

    stage.part("break it")
    broker.tell("POST", "split", {"symbol": "GOOG", "ratio": "2"})

    stage.part("detect it")
    stage.say(
        """What fills add up to is compared with what the broker lists. A difference that a complete read of
        fills does not explain is an incident."""
    )
    prompt.look(
        """
        select incident, subject, detail ->> 'fills_say' as fills_say,
               detail ->> 'broker_says' as broker_says
          from orderlatch.open_incidents
        """,
        [("position_drift", "GOOG", "10", "20")],
    )
    prompt.look(
        "select symbol, qty, broker_qty, state from orderlatch.positions", [("GOOG", "10", "20", "differs")]
    )

    stage.part("recover")
    stage.say(
        """The operator knows of the split, and signs for it. What was traded in the last ten seconds is left
        out until another comparison: a fill may still be on its way."""
    )
    prompt.look(
        "select * from orderlatch.accept_positions('paper', 'split', 'GOOG 2 for 1', 'GOOG')",
        [("GOOG", "10", "20")],
    )
    stage.say("The incident closes by itself, because the positions agree.")
    prompt.look(
        "select symbol, qty, broker_qty, state from orderlatch.positions", [("GOOG", "20", "20", "agrees")]
    )
    prompt.look("select incident, subject from orderlatch.open_incidents", [])
    broker.show_orders(("GOOG", "buy", "10", "filled", "10", "POST", "1", decision_hash[:12]))
    stage.show_invariants()
