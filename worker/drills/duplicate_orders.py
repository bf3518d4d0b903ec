"""A second order of one decision at the broker: the account halts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.drills.stage import Stage


def play(stage: Stage) -> None:
    """Make a second order with the same client_order_id by hand, where the broker does not check ids."""
    prompt, broker = stage.prompt, stage.broker
    stage.create_account()
    decision_hash = stage.propose("GOOG", "10", order_type="limit", limit_price="180")
    stage.start_worker()
    prompt.look(
        "select symbol, status, order_status from orderlatch.decisions", [("GOOG", "submitted", "new")]
    )

    stage.part("break it")
    stage.say(
        """Orderlatch cannot be brought to send a second order, and Alpaca refuses a second one with the same
        client_order_id. So it is made at the broker by hand, past every check."""
    )
    order = {
        "symbol": "GOOG",
        "side": "buy",
        "qty": "10",
        "type": "limit",
        "limit_price": "180",
        "time_in_force": "day",
        "client_order_id": decision_hash,
    }
    first = broker.order_id(decision_hash)
    broker.tell("POST", "orders", {"account": "paper", "order": order})
    second = broker.order_id(decision_hash)

    stage.part("detect it")
    stage.say("The next round of reconciliation sees it. The account is halted in the same transaction.")
    [(incident_id, *_)] = prompt.look(
        """
        select incident_id, incident, detail ->> 'known' as known,
               left(detail ->> 'also', 18) as also
          from orderlatch.open_incidents
        """,
        [(..., "duplicate_order", first, second[:18])],
    )
    [(halt_id, *_)] = prompt.look(
        "select halt_id, account, reason, halted_by from orderlatch.standing_halts",
        [(..., "paper", "duplicate_order", ...)],
    )
    prompt.look(
        """
        select symbol, relation, status, qty, broker_order_id
          from orderlatch.executions order by relation
        """,
        [("GOOG", "duplicate", "new", "10", second), ("GOOG", "order", "new", "10", first)],
    )
    stage.say("Nothing new leaves the account meanwhile.")
    waiting_hash = stage.propose("KO", "5")
    prompt.look(
        "select symbol, status, waits_for from orderlatch.waiting",
        [("KO", "approved", "a halt to be lifted")],
    )

    stage.part("recover")
    stage.say(
        "Which of two orders is to live is a person's decision: the second one is canceled at the broker."
    )
    stage.cancel_at_broker(second)
    prompt.look(
        "select relation, status, broker_order_id from orderlatch.executions order by relation",
        [("duplicate", "canceled", second), ("order", "new", first)],
    )
    prompt.enter(
        f"select orderlatch.close_incident({incident_id}, 'made by hand; the second one canceled')", [("",)]
    )
    prompt.enter(f"select orderlatch.lift_halt({halt_id}, 'one order is left')", [("",)])
    stage.say("What waited goes out.")
    prompt.look(
        "select symbol, status, order_status from orderlatch.decisions order by decision_id",
        [("GOOG", "submitted", "new"), ("KO", "submitted", "new")],
    )
    broker.show_orders(
        ("GOOG", "buy", "10", "new", "0", "POST", "1", decision_hash[:12]),
        ("GOOG", "buy", "10", "canceled", "0", "hand", "1", decision_hash[:12]),
        ("KO", "buy", "5", "new", "0", "POST", "1", waiting_hash[:12]),
    )
    stage.show_invariants()
