"""The broker shows an order too late: it is sent again, and stays one order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.drills.broker import SUBMITS

if TYPE_CHECKING:
    from worker.drills.stage import Stage


def play(stage: Stage) -> None:
    """Cut the answer to a submit off, and hide its order for an hour of the broker's time."""
    prompt, broker = stage.prompt, stage.broker
    stage.create_account()

    stage.part("break it")
    stage.say(
        """The broker takes the order and the connection closes without an answer. For an hour no lookup and
        no list shows the order: the broker's readers lag that far behind."""
    )
    broker.misbehave(SUBMITS, "hide", seconds=3600)
    broker.misbehave(SUBMITS, "close", when="after")
    decision_hash = stage.propose("GOOG", "10")
    stage.start_worker()

    stage.part("detect it")
    stage.say(
        """In doubt. Lookups say 404, twice and far enough apart, and a complete list of orders has no match.
        That is all that can be known, so the order is sent again, under the same id."""
    )
    prompt.look(
        "select symbol, proof from orderlatch.in_doubt",
        [("GOOG", "the id is taken: only a found order or an operator ends it")],
    )
    prompt.look(
        "select to_status, reason from orderlatch.events order by event_id",
        [
            ("planned", ...),
            ("approved", "within all limits"),
            ...,
            ("in_doubt", ...),
            ("approved", "proved absent: to be sent again"),
            ...,
            ("in_doubt", "the broker says the id is taken"),
        ],
    )
    stage.say("The same id is the latch: the broker refuses the repeat, and so there is one order still.")
    prompt.look(
        """
        select kind, status, meaning, message from orderlatch.wire
         where kind = 'submit_order' and sent <> 'no' order by claimed_at
        """,
        [
            ("submit_order", "", "in_doubt", ""),
            ("submit_order", "422", "duplicate", "client_order_id must be unique"),
        ],
    )
    broker.show_orders(("GOOG", "buy", "10", "new", "0", "POST", "2", decision_hash[:12]))

    stage.part("recover")
    stage.say("An hour passes at the broker. The next lookup finds the order; nobody types anything.")
    broker.tell("POST", "clock", {"advance_s": 3600})
    prompt.look(
        "select symbol, status, order_status, broker_order_id from orderlatch.decisions",
        [("GOOG", "submitted", "new", broker.order_id(decision_hash))],
    )
    broker.show_orders(("GOOG", "buy", "10", "new", "0", "POST", "2", decision_hash[:12]))
    stage.show_invariants()
