"""A worker with another account's keys: it sends nothing and is not believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.drills.stage import STRANGER

if TYPE_CHECKING:
    from worker.drills.stage import Stage


def play(stage: Stage) -> None:
    """Start the worker once with the right keys and once with those of the other account."""
    prompt, broker = stage.prompt, stage.broker
    stage.create_account()
    stage.say("A worker with the right keys: the account learns its broker_account_id, an order goes out.")
    stage.start_worker()
    decision_hash = stage.propose("GOOG", "10")
    prompt.look(
        "select symbol, status, order_status from orderlatch.decisions", [("GOOG", "submitted", "new")]
    )

    stage.part("break it")
    stage.say("The worker is started anew, and somebody has pasted the keys of another account.")
    stage.stop_workers()
    second_hash = stage.propose("KO", "5")
    stage.start_worker(keys_of=STRANGER)

    stage.part("detect it")
    stage.say("Before anything else the broker is asked whose keys these are.")
    [(incident_id, *_)] = prompt.look(
        "select incident_id, account, incident from orderlatch.open_incidents",
        [(..., "paper", "account_mismatch")],
    )
    [(halt_id, *_)] = prompt.look(
        "select halt_id, account, reason from orderlatch.standing_halts", [(..., "paper", "account_mismatch")]
    )
    prompt.look(
        "select worker_id, accounts from orderlatch.workers where alive",
        [(..., '{"paper (not verified)"}')],
    )
    prompt.look(
        "select symbol, status, waits_for from orderlatch.waiting",
        [("KO", "approved", "a halt to be lifted")],
    )
    stage.say("Nothing reached the other account:")
    broker.show_orders(account=STRANGER)

    stage.part("recover")
    stage.stop_workers()
    stage.start_worker()
    prompt.enter(f"select orderlatch.close_incident({incident_id}, 'wrong keys, put right')", [("",)])
    prompt.enter(f"select orderlatch.lift_halt({halt_id}, 'keys put right')", [("",)])
    prompt.look(
        "select symbol, status, order_status from orderlatch.decisions order by decision_id",
        [("GOOG", "submitted", "new"), ("KO", "submitted", "new")],
    )
    broker.show_orders(
        ("GOOG", "buy", "10", "new", "0", "POST", "1", decision_hash[:12]),
        ("KO", "buy", "5", "new", "0", "POST", "1", second_hash[:12]),
    )
    broker.show_orders(account=STRANGER)
    stage.show_invariants()
