"""A decision is taken back while in doubt: canceled once its order shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.drills.broker import LOOKUPS, SUBMITS

if TYPE_CHECKING:
    from worker.drills.stage import Stage


def play(stage: Stage) -> None:
    """Withdraw a decision whose order exists and cannot be seen."""
    prompt, broker = stage.prompt, stage.broker
    stage.create_account()

    stage.part("break it")
    stage.say(
        """The broker takes the order and the connection closes without an answer. Lookups fail, and for an
        hour no list shows the order."""
    )
    broker.misbehave(LOOKUPS, "answer", when="before", body="bad_gateway", count=None)
    broker.misbehave(SUBMITS, "hide", seconds=3600)
    broker.misbehave(SUBMITS, "close", when="after")
    decision_hash = stage.propose("GOOG", "10", order_type="limit", limit_price="180")
    prompt.set("hash", decision_hash)
    stage.start_worker()

    stage.part("detect it")
    prompt.look(
        "select symbol, action, cause, proof, wish from orderlatch.in_doubt",
        [("GOOG", "buy", ..., "looking", "")],
    )
    stage.say("Now the trader wants it back. What may exist cannot be taken back, so the wish is noted.")
    prompt.enter(
        """
        select status, outcome
          from orderlatch.withdraw_decision(:'hash', 'changed my mind', p_cancel => true)
        """,
        [("in_doubt", "wish_noted")],
    )
    prompt.look(
        "select symbol, action, cause, proof, wish from orderlatch.in_doubt",
        [("GOOG", "buy", ..., "looking", "changed my mind")],
    )

    stage.part("recover")
    stage.say(
        """An hour passes at the broker and the next list shows the order. It is recorded and canceled. Had
        its absence been proved instead, the decision would be withdrawn."""
    )
    broker.tell("POST", "clock", {"advance_s": 3600})
    order_id = broker.order_id(decision_hash)
    prompt.look(
        "select symbol, reason, state, tries, broker_order_id from orderlatch.cancels",
        [("GOOG", "changed my mind", "canceled", ..., order_id)],
    )
    prompt.look(
        "select symbol, status, order_status, filled_qty from orderlatch.decisions",
        [("GOOG", "submitted", "canceled", "0")],
    )
    broker.show_orders(("GOOG", "buy", "10", "canceled", "0", "POST", "1", decision_hash[:12]))
    stage.show_invariants()
