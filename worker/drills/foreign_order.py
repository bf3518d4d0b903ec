"""Somebody trades the account by hand: seen, counted, never touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.drills.stage import Stage


def play(stage: Stage) -> None:
    """Fill an order that no decision asked for, in an account that halts for such."""
    prompt, broker = stage.prompt, stage.broker
    stage.create_account(on_foreign_order="halt")
    broker.tell("PUT", "prices", {"GOOG": "185.02", "KO": "70"})
    stage.start_worker()
    decision_hash = stage.propose("GOOG", "10")
    prompt.look(
        "select symbol, status, order_status from orderlatch.decisions", [("GOOG", "submitted", "filled")]
    )

    stage.part("break it")
    stage.say("A person logs in at the broker and sells 4 of the 10 shares.")
    order = {
        "symbol": "GOOG",
        "side": "sell",
        "qty": "4",
        "type": "market",
        "time_in_force": "day",
        "client_order_id": "by-hand-1",
    }
    broker.tell("POST", "orders", {"account": "paper", "order": order})

    stage.part("detect it")
    [(incident_id, *_)] = prompt.look(
        """
        select incident_id, incident, detail ->> 'orders' as orders, detail ->> 'symbol' as symbol
          from orderlatch.open_incidents
        """,
        [(..., "foreign_order", "1", "GOOG")],
    )
    [(halt_id, *_)] = prompt.look(
        "select halt_id, account, reason from orderlatch.standing_halts", [(..., "paper", "foreign_order")]
    )
    prompt.look(
        """
        select symbol, side, qty, status, filled_qty, origin, client_order_id
          from orderlatch.foreign_orders
        """,
        [("GOOG", "sell", "4", "filled", "4", "placed by somebody else", "by-hand-1")],
    )
    stage.say("Its fill counts in the position, so that nobody sells shares that are gone.")
    prompt.look(
        "select symbol, qty, broker_qty, state from orderlatch.positions", [("GOOG", "6", "6", "agrees")]
    )
    waiting_hash = stage.propose("KO", "5")
    prompt.look(
        "select symbol, status, waits_for from orderlatch.waiting",
        [("KO", "approved", "a halt to be lifted")],
    )

    stage.part("recover")
    stage.say(
        """The colleague is found. Nothing is to be undone; from now on such an order is worth an incident
        and no halt."""
    )
    prompt.enter("""select orderlatch.update_account('paper', '{"on_foreign_order": "warn"}')""", [("",)])
    prompt.enter(f"select orderlatch.close_incident({incident_id}, 'Anna sold 4 by hand')", [("",)])
    prompt.enter(f"select orderlatch.lift_halt({halt_id}, 'Anna told us')", [("",)])
    prompt.look(
        "select symbol, status, order_status from orderlatch.decisions order by decision_id",
        [("GOOG", "submitted", "filled"), ("KO", "submitted", "filled")],
    )
    broker.show_orders(
        ("GOOG", "buy", "10", "filled", "10", "POST", "1", decision_hash[:12]),
        ("GOOG", "sell", "4", "filled", "4", "hand", "0", "by-hand-1"),
        ("KO", "buy", "5", "filled", "5", "POST", "1", waiting_hash[:12]),
    )
    stage.show_invariants()
