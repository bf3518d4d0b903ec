"""An order with the id of a decision and other terms: a person must sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.drills.stage import Stage


def play(stage: Stage) -> None:
    """Make an order of ten times the quantity by hand, under the id of a decision that is not sent yet."""
    prompt, broker = stage.prompt, stage.broker
    stage.create_account()

    stage.part("break it")
    stage.say("A decision is approved. Before it is sent, somebody places 100 shares under its id, not 10.")
    decision_hash = stage.propose("GOOG", "10", order_type="limit", limit_price="180")
    order = {
        "symbol": "GOOG",
        "side": "buy",
        "qty": "100",
        "type": "limit",
        "limit_price": "180",
        "time_in_force": "day",
        "client_order_id": decision_hash,
    }
    broker.tell("POST", "orders", {"account": "paper", "order": order})
    stage.start_worker()

    stage.part("detect it")
    [(incident_id, *_)] = prompt.look(
        """
        select incident_id, incident, detail -> 'differences' as differences
          from orderlatch.open_incidents
        """,
        [(..., "order_mismatch", ...)],
    )
    [(halt_id, *_)] = prompt.look(
        "select halt_id, account, reason from orderlatch.standing_halts", [(..., "paper", "order_mismatch")]
    )
    prompt.look(
        "select symbol, proof from orderlatch.in_doubt",
        [("GOOG", "its order has other terms: an operator must adopt it or declare it absent")],
    )

    stage.part("recover")
    stage.say("The operator looks at the broker's page: the order is real. It is adopted as what it is.")
    order_id = broker.order_id(decision_hash)
    prompt.set("hash", decision_hash)
    prompt.enter(
        f"""
        select orderlatch.resolve_in_doubt(:'hash', 'adopt', '{{
                 "broker_order_id": "{order_id}",
                 "seen": "on the broker''s page: 100 shares, placed by hand"}}')
        """,
        [("submitted",)],
    )
    prompt.look(
        """
        select symbol, relation, status, qty, limit_price, broker_order_id
          from orderlatch.executions
        """,
        [("GOOG", "order", "new", "100", "180", order_id)],
    )
    prompt.enter(f"select orderlatch.close_incident({incident_id}, 'adopted, 100 shares')", [("",)])
    prompt.enter(f"select orderlatch.lift_halt({halt_id}, 'adopted')", [("",)])
    stage.explain(f"in_doubt became submitted: the broker has order {order_id}")
    stage.say("One order, and no POST of ours.")
    broker.show_orders(("GOOG", "buy", "100", "new", "0", "hand", "0", decision_hash[:12]))
    stage.show_invariants()
