"""An order shows up after its decision lapsed: recorded, account halted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.drills.broker import SUBMITS

if TYPE_CHECKING:
    from worker.drills.stage import Stage


def play(stage: Stage) -> None:
    """Hide an order until its decision has lapsed, in an account that never sends twice."""
    prompt, broker = stage.prompt, stage.broker
    stage.create_account(on_absent="lapse")

    stage.part("break it")
    stage.say(
        """The broker takes the order and the connection closes without an answer. For an hour no lookup and
        no list shows the order. This account does not send again what is proved absent."""
    )
    broker.misbehave(SUBMITS, "hide", seconds=3600)
    broker.misbehave(SUBMITS, "close", when="after")
    decision_hash = stage.propose("GOOG", "10", order_type="limit", limit_price="180")
    stage.start_worker()
    prompt.look("select symbol, status from orderlatch.decisions", [("GOOG", "lapsed")])
    prompt.look(
        "select to_status, reason from orderlatch.events order by event_id",
        [..., ("in_doubt", ...), ("lapsed", "proved absent: the account does not send again")],
    )

    stage.part("detect it")
    stage.say("An hour passes at the broker, and the order shows in the next list.")
    broker.tell("POST", "clock", {"advance_s": 3600})
    [(incident_id, *_)] = prompt.look(
        """
        select incident_id, incident, detail ->> 'status' as was, left(decision_hash, 12) as hash
          from orderlatch.open_incidents
        """,
        [(..., "order_despite_verdict", "lapsed", decision_hash[:12])],
    )
    [(halt_id, *_)] = prompt.look(
        "select halt_id, account, reason from orderlatch.standing_halts",
        [(..., "paper", "order_despite_verdict")],
    )
    stage.say("The broker is right about orders: the decision is submitted, and its order counts.")
    order_id = broker.order_id(decision_hash)
    prompt.look(
        "select symbol, status, order_status, broker_order_id from orderlatch.decisions",
        [("GOOG", "submitted", "new", order_id)],
    )

    stage.part("recover")
    stage.say("Nobody wants the order any more: it is canceled at the broker.")
    stage.cancel_at_broker(order_id)
    prompt.look(
        "select symbol, status, order_status from orderlatch.decisions", [("GOOG", "submitted", "canceled")]
    )
    prompt.enter(f"select orderlatch.close_incident({incident_id}, 'came too late, canceled')", [("",)])
    prompt.enter(f"select orderlatch.lift_halt({halt_id}, 'the late order is canceled')", [("",)])
    broker.show_orders(("GOOG", "buy", "10", "canceled", "0", "POST", "1", decision_hash[:12]))
    stage.show_invariants()
