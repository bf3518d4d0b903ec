"""What makes calls due is announced with the name of its account, so that no worker sleeps over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.races.scene import Scene

NOTHING = "select 1"
QUESTION = "select (test.claim_one({before}, 'get_account')).request_id"
TWICE = """
select h from test.given_decision_in('in_doubt', {worker}) as h,
lateral (select test.given_absent_twice({worker}, h)) as twice
"""
PAGE = "select (test.claim_one({worker}, 'list_orders')).request_id"


@pytest.mark.parametrize(
    ("before", "deed", "announced"),
    [
        (NOTHING, "select test.given_approved_decision()", "paper"),
        (
            "select test.given_halt('tests', 'paper')",
            "select orderlatch.lift_halt({before}, 'tests')",
            "paper",
        ),
        ("select test.given_halt('tests')", "select orderlatch.lift_halt({before}, 'tests')", ""),
        (
            "select test.given_account('live', p_environment => 'live')",
            "select orderlatch.grant_live('live', '1 hour', 'tests')",
            "live",
        ),
        (
            "select test.given_mirrored_account('unread')",
            "select orderlatch.sign_off_reconciliation('unread', 'tests')",
            "unread",
        ),
        (NOTHING, "select orderlatch.reconcile_account('paper', 'tests')", "paper"),
        (
            "select test.given_stranger('paper')",
            f"select test.record(test.answer_account(({QUESTION}), 'paper-id'))",
            "paper",
        ),
        (
            "select test.given_decision_in('in_doubt', {worker})",
            "select orderlatch.resolve_in_doubt('{before}', 'absent', '{{\"note\": \"t\"}}')",
            "paper",
        ),
        (
            TWICE,
            f"select test.record(test.answer_status(({PAGE}), 200, '[]'))",
            "paper",
        ),
    ],
    ids=["verdict", "lift", "lift of all", "grant", "sign-off", "reads", "identity", "resolved", "proved"],
)
def test_what_makes_calls_due_is_announced(scene: Scene, before: str, deed: str, announced: str) -> None:
    made = scene.ground.value(before.format(worker=scene.worker))
    listening = scene.session().connection
    listening.execute("listen orderlatch")
    scene.ground.rows(deed.format(before=made, worker=scene.worker))
    (heard,) = listening.notifies(timeout=20, stop_after=1)
    assert heard.payload == announced
