"""Two intents under one hash, by tampering: seen, and nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.drills.stage import Stage

REWRITE = """
    begin;
    alter table orderlatch_data.trade_decisions disable trigger written_once;
    update orderlatch_data.trade_decisions
       set qty = %(to)s, intent = replace(intent, '"qty":"%(was)s"', '"qty":"%(to)s"')
     where decision_hash = decode(:'hash', 'hex');
    alter table orderlatch_data.trade_decisions enable trigger written_once;
    commit
"""
VERIFY = """
    select intact, left(recomputed_hash, 12) as recomputed,
           substring(stored_intent, '"qty":"[0-9]+"') as stored
      from orderlatch.verify_decision(:'hash')
"""
PROPOSE_AGAIN = """
    select p.status, p.outcome
      from orderlatch.propose_decision('paper', '{
             "strategy_id": "drill", "timeframe": "1Day", "event_ts": "2026-11-20T21:00:00Z",
             "symbol": "GOOG", "action": "buy", "qty": "10"}') as p
"""


def play(stage: Stage) -> None:
    """Make 1000 shares of 10 in an approved decision, as only the owner of the tables can."""
    prompt, broker = stage.prompt, stage.broker
    stage.create_account()

    stage.part("break it")
    stage.say(
        """Nobody has ever seen two texts with one sha256, so a collision has to be made by hand: the owner
        of the tables puts another intent under the hash of a decision. No worker runs yet."""
    )
    decision_hash = stage.propose("GOOG", "10")
    prompt.set("hash", decision_hash)
    stage.say("A decision is written once. That holds for the owner too,")
    prompt.refused("update orderlatch_data.trade_decisions set qty = 1000", "append_only")
    stage.say("unless the owner switches the trigger off, and on again to cover the tracks.")
    prompt.enter(REWRITE % {"was": 10, "to": 1000}, [])

    stage.part("detect it")
    stage.say("The intent does not have the hash under which it lies.")
    prompt.look(VERIFY, [("f", ..., '"qty":"1000"')])
    prompt.look(
        "select promise, violations from orderlatch.invariants where violations <> 0",
        [("every decision is the one that was hashed", "1")],
    )
    stage.say("The strategy delivers its decision again, as it may at any time.")
    prompt.enter(PROPOSE_AGAIN, [("", "collision")])
    [(incident_id, *_)] = prompt.look(
        """
        select incident_id, incident, left(decision_hash, 12) as decision_hash
          from orderlatch.open_incidents
        """,
        [(..., "hash_collision", decision_hash[:12])],
    )
    [(halt_id, *_)] = prompt.look(
        "select halt_id, account, reason from orderlatch.standing_halts", [(..., "paper", "hash_collision")]
    )
    stage.say("A worker comes and finds nothing that it may send.")
    stage.start_worker()
    prompt.look("select worker_id, accounts from orderlatch.workers where alive", [(..., "{paper}")])
    prompt.look(
        "select symbol, status, waits_for from orderlatch.waiting",
        [("GOOG", "approved", "a halt to be lifted")],
    )
    broker.show_orders()

    stage.part("recover")
    stage.say("The owner puts back what the strategy says, and the hash proves that this is it.")
    prompt.enter(REWRITE % {"was": 1000, "to": 10}, [])
    prompt.look(VERIFY, [("t", decision_hash[:12], '"qty":"10"')])
    prompt.enter(PROPOSE_AGAIN, [("approved", "existing")])
    prompt.enter(f"select orderlatch.close_incident({incident_id}, 'row put back, see ticket 7')", [("",)])
    prompt.enter(f"select orderlatch.lift_halt({halt_id}, 'row put back')", [("",)])
    prompt.look(
        "select symbol, size, status, order_status from orderlatch.decisions",
        [("GOOG", "10", "submitted", "new")],
    )
    broker.show_orders(("GOOG", "buy", "10", "new", "0", "POST", "1", decision_hash[:12]))
    stage.show_invariants()
