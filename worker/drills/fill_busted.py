"""The exchange takes a fill back: order and position follow, by a reversal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.drills.stage import Stage


def play(stage: Stage) -> None:
    """Fill an order in two parts and bust the second."""
    prompt, broker = stage.prompt, stage.broker
    stage.create_account()
    stage.start_worker()
    decision_hash = stage.propose("GOOG", "10")
    prompt.look(
        "select symbol, status, order_status from orderlatch.decisions", [("GOOG", "submitted", "new")]
    )
    order_id = broker.order_id(decision_hash)
    broker.tell("POST", f"orders/{order_id}/fill", {"price": "185.02", "qty": "6"})
    broker.tell("POST", f"orders/{order_id}/fill", {"price": "185.15", "qty": "4"})
    prompt.look(
        "select symbol, qty, broker_qty, state from orderlatch.positions", [("GOOG", "10", "10", "agrees")]
    )

    stage.part("break it")
    stage.say("The exchange declares the second trade erroneous.")
    broker.tell("POST", f"executions/{broker.execution_id(order_id, '4')}/bust")

    stage.part("detect it")
    stage.say("No row is changed: what was booked stays, and a reversal takes it off.")
    prompt.look(
        """
        select entry, activity, qty, price
          from orderlatch.fills order by amends nulls first, filled_at
        """,
        [
            ("fill", ..., "6", "185.02"),
            ("fill", ..., "4", "185.15"),
            ("reversal", "trade_bust", "-4", "185.15"),
        ],
    )
    prompt.look(
        "select symbol, qty, broker_qty, state from orderlatch.positions", [("GOOG", "6", "6", "agrees")]
    )
    prompt.look(
        "select symbol, order_status, filled_qty, filled_avg_price from orderlatch.decisions",
        [("GOOG", "filled", "6", "185.020000")],
    )

    stage.part("recover")
    stage.say("The strategy still wants the 4 shares. That is a decision of its own, so it names a leg.")
    again_hash = stage.propose("GOOG", "4", leg="after-bust")
    prompt.look(
        """
        select symbol, size, status, order_status, filled_qty
          from orderlatch.decisions order by decision_id
        """,
        [("GOOG", "10", "submitted", "filled", "6"), ("GOOG", "4", "submitted", "new", "0")],
    )
    broker.show_orders(
        ("GOOG", "buy", "10", "filled", "6", "POST", "1", decision_hash[:12]),
        ("GOOG", "buy", "4", "new", "0", "POST", "1", again_hash[:12]),
    )
    stage.show_invariants()
