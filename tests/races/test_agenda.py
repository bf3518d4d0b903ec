"""The agenda of accounts: nobody waits for it, and nothing that became due is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg.types.json import Jsonb

from tests.races.broker import said
from tests.races.scene import only

if TYPE_CHECKING:
    from tests.races.scene import Scene
    from tests.support.sessions import Clock

PROPOSE = "select p.status from orderlatch.propose_decision('paper', test.a_decision(%s::jsonb)) as p"
WAKES = "select count(*) from orderlatch_data.account_wakes"
CLAIM = "select c.kind from orderlatch.claim_requests(%s, null, 10) as c where c.kind is not null"
SYMBOL = '{"symbol": "S%s"}'
RECORD = "select r.meaning from orderlatch.record_responses(%s) as r"
BUDGET = "select b.may_call_now from orderlatch.budgets as b where b.account = 'paper'"


def test_what_is_proposed_while_a_claim_is_at_it_is_claimed_next(scene: Scene) -> None:
    scene.given("approved")
    claiming = scene.transaction()
    assert scene.claim(claiming) == ["submit_order"]
    assert scene.hasty().rows(PROPOSE, SYMBOL % 1) == [("approved",)], "a proposal waits for no claim"
    assert scene.claim(scene.hasty()) == [], "the account is held for granting"
    claiming.commit()
    assert scene.claim(scene.hasty()) == ["submit_order"]
    assert scene.ground.number(WAKES) == 0


def test_a_claim_that_finds_nothing_does_not_hide_what_is_proposed_meanwhile(scene: Scene) -> None:
    """The account was woken for something that has gone, and woken again while it was visited."""
    scene.ground.rows("select orderlatch_data.wake_accounts(array[test.account_id()])")
    claiming = scene.transaction()
    assert scene.claim(claiming) == []
    scene.hasty().rows(PROPOSE, SYMBOL % 1)
    claiming.commit()
    assert scene.claim(scene.hasty()) == ["submit_order"]


@pytest.mark.parametrize("committed", [True, False])
def test_a_proposal_that_stays_open_holds_up_no_claim(scene: Scene, clock: Clock, committed: bool) -> None:
    scene.given("approved")
    proposing = scene.transaction()
    proposing.rows(PROPOSE, SYMBOL % 1)
    # what was approved before is claimed although the proposal holds the account's row of the agenda
    assert scene.claim(scene.hasty()) == ["submit_order"]
    assert scene.claim(scene.hasty()) == []
    if committed:
        proposing.commit()
    else:
        proposing.rollback()
    assert scene.claim(scene.hasty()) == (["submit_order"] if committed else [])
    clock.advance(seconds=1)
    assert scene.claim(scene.hasty()) == []
    assert scene.ground.number(WAKES) == 0


def test_an_answer_waits_for_no_claim_and_frees_what_waited_for_it(scene: Scene) -> None:
    first, _ = (scene.given("approved", '{"symbol": "GOOG"}') for _ in range(2))
    assert scene.claim(scene.session()) == ["submit_order"]
    scene.ground.rows("select orderlatch_data.wake_accounts(array[test.account_id()])")
    claiming = scene.transaction()
    assert scene.claim(claiming) == [], "the second is behind the first"
    assert (
        scene.hasty().text("select test.record(test.answer_order(%s))", scene.holder(first)) == "order_exists"
    )
    claiming.commit()
    assert scene.claim(scene.hasty()) == ["submit_order"]


SAME_SYMBOL = '{"symbol": "GOOG", "leg": "second"}'
RECORD_ONE = "select test.record(test.answer_order(%s))"


def test_an_answer_that_frees_nothing_makes_no_account_due(scene: Scene) -> None:
    decision = scene.given("submitting")
    assert scene.claim(scene.session()) == []
    due = "select g.due_at <= orderlatch_data.clock() from orderlatch_data.account_agenda as g"
    assert scene.ground.rows(due) == [(False,)]
    assert scene.hasty().text(RECORD_ONE, scene.holder(decision)) == "order_exists"
    assert scene.ground.rows(due) == [(False,)], "a visit would find nothing"
    assert scene.ground.number(WAKES) == 0


@pytest.mark.parametrize("answered_first", [True, False])
@pytest.mark.parametrize("proposal_ends_first", [True, False])
def test_what_is_proposed_while_an_answer_is_recorded_is_not_forgotten(
    scene: Scene, answered_first: bool, proposal_ends_first: bool
) -> None:
    """The answer frees the symbol and sees nobody who waits for it; the proposal sees the symbol taken."""
    decision = scene.given("submitting", '{"symbol": "GOOG"}')
    answer = scene.holder(decision)
    assert scene.claim(scene.session()) == []
    recording, proposing = scene.transaction(), scene.transaction()
    if answered_first:
        assert recording.text(RECORD_ONE, answer) == "order_exists"
    assert proposing.rows(PROPOSE, SAME_SYMBOL) == [("approved",)]
    if not answered_first:
        assert recording.text(RECORD_ONE, answer) == "order_exists"
    first, last = (proposing, recording) if proposal_ends_first else (recording, proposing)
    first.commit()
    assert scene.claim(scene.hasty()) == [], "one of the two is not committed yet"
    last.commit()
    assert scene.claim(scene.hasty()) == ["submit_order"]


SOON = """
select orderlatch.update_account(
  'paper', '{"send_within": "1 second", "call_timeout": "1 second", "answer_grace": "1 second"}'
)
"""


def test_a_request_before_the_mark_holds_its_symbol(scene: Scene, clock: Clock) -> None:
    """A visit that did not get the row of the agenda grants what is to be answered before all it knows of."""
    scene.given("submitting")
    scene.ground.rows(SOON)
    first, _ = (scene.given("approved", '{"symbol": "GOOG"}') for _ in range(2))
    proposing = scene.transaction()
    proposing.rows(PROPOSE, SYMBOL % 1)
    assert scene.claim(scene.hasty()) == ["submit_order"]
    assert scene.claim(scene.hasty()) == [], (
        "the first of its symbol is on its way: the mark is not to be had"
    )
    proposing.rollback()
    assert scene.claim(scene.hasty()) == [], "the first of its symbol is on its way"
    assert scene.hasty().text(RECORD_ONE, scene.holder(first)) == "order_exists"
    assert scene.claim(scene.hasty()) == ["submit_order"]
    clock.advance(seconds=4)
    scene.claim(scene.hasty())
    lost = "select count(*) from orderlatch_data.lost_requests"
    assert scene.ground.number(lost) == 1, "what was granted with less time is lost in time"


@pytest.mark.every_major
def test_a_row_that_is_changed_by_hand_meanwhile_hides_no_request(scene: Scene) -> None:
    """The visit cannot write the mark where it found the row, as that has moved."""
    scene.claim(scene.session())
    for _ in range(2):
        scene.given("approved", '{"symbol": "GOOG"}')
    hand = scene.transaction()
    hand.connection.execute("update orderlatch_data.account_agenda set due_at = due_at")
    claim = scene.blocked(CLAIM, scene.worker)
    hand.commit()
    assert only(claim) == ("submit_order",)
    assert scene.claim(scene.hasty()) == [], "the first of its symbol is on its way"


def test_two_answers_that_both_tell_of_the_limit_wait_for_nobody(scene: Scene) -> None:
    first, second = (scene.given("submitting") for _ in range(2))
    headers = {"x-ratelimit-limit": "200", "x-ratelimit-reset": "99999999999"}
    answers = [
        scene.ground.value("select test.answer_order(%s)", scene.holder(decision))
        for decision in (first, second)
    ]
    for left, answer in zip(("7", "6"), answers, strict=True):
        assert isinstance(answer, dict)
        answer["headers"] = {**headers, "x-ratelimit-remaining": left}
    recording = scene.transaction()
    assert recording.rows(RECORD, Jsonb([answers[0]])) == [("order_exists",)]
    assert scene.hasty().rows(RECORD, Jsonb([answers[1]])) == [("order_exists",)]
    recording.commit()
    said_last = (
        "select l.remaining from orderlatch_data.broker_limits as l where l.account_id = test.account_id()"
    )
    assert scene.ground.number(said_last) == 7, "what the second said is said again by the next"


def test_a_token_is_spent_once(scene: Scene) -> None:
    scene.ground.rows("""select orderlatch.update_account('paper', '{"rate_limit": 200, "burst": 20}')""")
    left = scene.ground.number(BUDGET)
    for _ in range(3):
        scene.given("approved")
    one = scene.transaction()
    query = "select c.kind from orderlatch.claim_requests(%s, null, 1) as c where c.kind is not null"
    assert one.rows(query, scene.worker) == [("submit_order",)]
    assert scene.ground.number(BUDGET) == left, "not before the grant is committed"
    assert scene.hasty().rows(query, scene.worker) == [], "nor does anybody else get at it meanwhile"
    one.commit()
    assert scene.ground.number(BUDGET) == left - 1
    back = scene.transaction()
    assert back.rows(query, scene.worker) == [("submit_order",)]
    back.rollback()
    assert scene.ground.number(BUDGET) == left - 1, "a grant that was taken back costs nothing"


def test_answers_are_recorded_while_the_account_is_held_for_granting(scene: Scene) -> None:
    decision_hash = scene.given("submitting")
    scene.transaction().hold_account("granting")
    answer = said(str(scene.holder(decision_hash)), "maybe")
    assert scene.hasty().rows(RECORD, Jsonb([answer])) == [("in_doubt",)]
