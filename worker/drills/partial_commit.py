"""Order sent, database write lost: reconciliation finds it and records it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.drills.broker import LOOKUPS, READS, SUBMITS

if TYPE_CHECKING:
    from worker.drills.stage import Stage


def play(stage: Stage) -> None:
    """Kill the worker between the broker's yes and the commit, and let no lookup succeed."""
    prompt, broker = stage.prompt, stage.broker
    # long enough for the worker to be killed while its call is on the wire, on any machine
    stage.create_account(call_timeout="30 seconds")

    stage.part("break it")
    stage.say("A worker has read the account. From now on the broker answers no question about any order.")
    worker = stage.start_worker()
    prompt.look(
        "select purpose, pages, submits_wait_for from orderlatch.reconciliation where purpose = 'orders'",
        [("orders", "1", "")],
    )
    broker.misbehave(LOOKUPS, "answer", when="before", body="bad_gateway", count=None)
    reads = broker.misbehave(READS, "answer", when="before", body="bad_gateway", count=None)
    stage.say("It takes an order, and its answer is held back. The worker is killed meanwhile.")
    broker.misbehave(SUBMITS, "gate", when="after", gate="answer")
    decision_hash = stage.propose("GOOG", "10")
    broker.wait_for_held("answer")
    stage.kill(worker)
    broker.tell("POST", "release", {"gate": "answer"})
    stage.say("The order exists, and nobody is left who could write that down.")
    broker.show_orders(("GOOG", "buy", "10", "new", "0", "POST", "1", decision_hash[:12]))
    prompt.look(
        "select symbol, status, broker_order_id from orderlatch.decisions", [("GOOG", "submitting", "")]
    )

    stage.part("detect it")
    stage.say(
        """Another worker comes. The call of the dead one is lost and the decision is in doubt, which is not
        failed. Its lookups fail too, and an error while looking is no evidence."""
    )
    stage.start_worker()
    prompt.look(
        "select symbol, action, cause, proof from orderlatch.in_doubt", [("GOOG", "buy", ..., "looking")]
    )
    prompt.look(
        """
        select distinct kind, status, meaning
          from orderlatch.wire
         where kind in ('find_order', 'list_orders') and meaning = 'in_doubt'
        """,
        [("find_order", "502", "in_doubt"), ("list_orders", "502", "in_doubt")],
    )

    stage.part("recover")
    stage.say(
        "Lists of orders work again, lookups still do not. Nothing need be typed; who is in a hurry may say:"
    )
    broker.tell("DELETE", f"faults/{reads}")
    prompt.enter("select orderlatch.reconcile_account('paper', 'a worker died')", [("",)])
    order_id = broker.order_id(decision_hash)
    prompt.look(
        "select symbol, status, order_status, broker_order_id from orderlatch.decisions",
        [("GOOG", "submitted", "new", order_id)],
    )
    prompt.look(
        "select to_status, reason from orderlatch.events order by event_id",
        [
            ("planned", "proposed by drill"),
            ("approved", "within all limits"),
            ...,
            ("in_doubt", ...),
            ("submitted", f"the broker has order {order_id}, found by reconciliation"),
        ],
    )
    stage.say("One decision, one POST, one order:")
    broker.show_orders(("GOOG", "buy", "10", "new", "0", "POST", "1", decision_hash[:12]))
    stage.show_invariants()
