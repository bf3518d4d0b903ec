"""Recording what came back, while somebody else records, claims, gives up, withdraws or resolves."""

from __future__ import annotations

import base64
import json
import uuid
from typing import TYPE_CHECKING

import pytest
from psycopg.types.json import Jsonb

from tests.races.scene import only

if TYPE_CHECKING:
    from tests.races.scene import Scene
    from tests.support.sessions import Clock

FOUND = "select test.record(test.answer_order(%s))"
MAYBE = "select test.record(test.answer_maybe(%s))"
NOT_SENT = "select test.record(test.answer_not_sent(%s))"
ABSENT = "select test.record(test.answer_absent(%s))"
REFUSED = "select test.record(test.answer_error(%s, 403, 40310000, 'insufficient buying power'))"
RECORD = "select r.meaning from orderlatch.record_responses(%s) as r order by r.answer_no"
WITHDRAW = "select w.outcome from orderlatch.withdraw_decision(%s, 'changed its mind') as w"
DECLARE_ABSENT = "select orderlatch.resolve_in_doubt(%s, 'absent', '{\"seen\": \"the blotter\"}')"
ADOPT = "select orderlatch.resolve_in_doubt(%s, 'adopt', '{\"broker_order_id\": \"by-hand\"}')"
PROPOSE = "select p.status from orderlatch.propose_decision('paper', %s) as p"
ANOTHER_INTENT = 'select test.a_decision(\'{"event_ts": "2026-03-02T14:30:00Z", "qty": "11"}\')'
HASH = "select orderlatch.decision_hash('paper', %s)"


def answer(request_id: object, document: object) -> dict[str, object]:
    """A success with a document, as the worker reports it."""
    body = base64.b64encode(json.dumps(document).encode()).decode()
    return {"request_id": str(request_id), "sent": "yes", "status": 200, "body": body}


def order(decision_hash: str, order_id: str = "order-x") -> dict[str, str]:
    """The order of a decision that the books need not know."""
    return {
        "id": order_id,
        "client_order_id": decision_hash,
        "status": "accepted",
        "symbol": "GOOG",
        "side": "buy",
        "qty": "10",
        "type": "market",
        "time_in_force": "day",
        "submitted_at": "2026-03-02T15:00:00Z",
    }


def lookup(scene: Scene, clock: Clock) -> object:
    """The next lookup of the one decision in doubt."""
    clock.advance(minutes=5)
    assert scene.claim(scene.ground) == ["find_order"]
    return scene.ground.value("select o.lookup_request_id from orderlatch_data.open_decisions as o")


def page(scene: Scene, clock: Clock) -> object:
    """The page of orders that the proof of absence of the one decision in doubt waits for."""
    for _ in range(2):
        assert scene.ground.text(ABSENT, lookup(scene, clock)) == "absent"
    assert scene.claim(scene.ground) == ["list_orders"]
    return scene.ground.value("select r.request_id from orderlatch_data.broker_reads as r")


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("said", [FOUND, NOT_SENT, REFUSED, MAYBE])
def test_an_answer_recorded_twice_at_once_counts_once(scene: Scene, said: str, committed: bool) -> None:
    decision_hash = scene.given("submitting")
    request_id = scene.holder(decision_hash)
    first = scene.transaction()
    meaning = first.text(said, request_id)
    rival = scene.blocked(said, request_id)
    if committed:
        first.commit()
    else:
        first.rollback()
    assert only(rival) == (meaning,)
    moves = scene.moves(decision_hash)
    assert len(moves) == 4  # none>planned>approved>submitting and where the answer led
    assert scene.ground.number("select count(*) from orderlatch_data.broker_responses") == 2


@pytest.mark.parametrize(("first", "second"), [(FOUND, MAYBE), (MAYBE, FOUND), (NOT_SENT, FOUND)])
def test_of_two_accounts_of_one_call_the_fact_wins(scene: Scene, first: str, second: str) -> None:
    decision_hash = scene.given("submitting")
    request_id = scene.holder(decision_hash)
    recording = scene.transaction()
    recording.rows(first, request_id)
    rival = scene.blocked(second, request_id)
    recording.commit()
    rival.result(timeout=10)
    assert scene.status(decision_hash) == "submitted"


def test_batches_in_opposite_orders_wait_once_and_never_for_each_other(scene: Scene) -> None:
    hashes = sorted((scene.given("submitting") for _ in range(3)), key=scene.lock_key)
    answers = [scene.ground.value("select test.answer_maybe(%s)", scene.holder(h)) for h in hashes]
    # each batch is caught half-way through its locks, holding none that the other needs first
    holder = scene.transaction().hold_decision(hashes[1])
    downwards = scene.blocked(RECORD, Jsonb(answers[::-1]))
    upwards = scene.blocked(RECORD, Jsonb(answers))
    holder.commit()
    assert downwards.result(timeout=10) == upwards.result(timeout=10) == [("in_doubt",)] * 3


def test_facts_in_opposite_orders_wait_once_and_never_for_each_other(scene: Scene) -> None:
    hashes = sorted((scene.given("submitting") for _ in range(3)), key=scene.lock_key)
    answers = [scene.ground.value("select test.answer_order(%s)", scene.holder(h)) for h in hashes]
    holder = scene.transaction().hold_decision(hashes[1])
    downwards = scene.blocked(RECORD, Jsonb(answers[::-1]))
    upwards = scene.blocked(RECORD, Jsonb(answers))
    holder.commit()
    assert downwards.result(timeout=10) == upwards.result(timeout=10) == [("order_exists",)] * 3


def test_failures_of_several_accounts_in_opposite_orders_never_deadlock(scene: Scene, clock: Clock) -> None:
    accounts = ["a", "b", "c"]
    scene.ground.rows("select test.given_account(a) from unnest(%s::text[]) as a", accounts)
    worker = scene.ground.number("select test.given_worker('a', 'b', 'c')")
    propose = (
        "select test.given_approved_decision(a, '{\"symbol\": \"' || s || '\"}') from unnest(%s::text[]) as a"
    )
    for symbol in ("AAA", "BBB"):
        scene.ground.rows(propose.replace("' || s || '", symbol), accounts)
    claim = "select c.account, c.request_id from test.claim(%s) as c order by c.account, c.request_id"
    granted = scene.ground.rows(claim, worker)
    assert [account for account, _ in granted] == ["a", "a", "b", "b", "c", "c"]
    clock.advance(seconds=1)
    maybe = [scene.ground.value("select test.answer_maybe(%s)", request_id) for _, request_id in granted]
    first, second = maybe[0::2], maybe[1::2]  # one of each account: they share its back-off and nothing else
    holder = scene.transaction().hold_account("answering", "b")
    downwards = scene.blocked(RECORD, Jsonb(first[::-1]))
    upwards = scene.blocked(RECORD, Jsonb(second))
    holder.commit()
    assert downwards.result(timeout=10) == upwards.result(timeout=10) == [("in_doubt",)] * 3
    failures = "select distinct b.failures from orderlatch_data.kind_backoffs as b"
    assert scene.ground.rows(failures) == [(1,)]  # calls that were on their way together failed together


def test_a_success_does_not_wait_for_failures_of_its_account_but_for_their_rows(scene: Scene) -> None:
    failed, found = scene.given("submitting"), scene.given("submitting")
    holder = scene.transaction().hold_account("answering")
    assert scene.hasty().text(FOUND, scene.holder(found)) == "order_exists"
    holder.rollback()
    assert scene.ground.text(MAYBE, scene.holder(failed)) == "in_doubt"


def test_a_success_that_ends_a_back_off_while_it_is_extended_is_no_deadlock(scene: Scene) -> None:
    first, second, third = (scene.given("submitting") for _ in range(3))
    scene.ground.rows(MAYBE, scene.holder(first))
    failing = scene.transaction()
    failing.rows(MAYBE, scene.holder(second))
    rival = scene.blocked(FOUND, scene.holder(third))
    failing.commit()
    assert only(rival) == ("order_exists",)
    assert scene.ground.number("select count(*) from orderlatch_data.kind_backoffs") == 0


@pytest.mark.parametrize(
    ("late", "status"),
    [(FOUND, "submitted"), (REFUSED, "refused"), (NOT_SENT, "approved"), (MAYBE, "in_doubt")],
)
@pytest.mark.parametrize("committed", [True, False])
def test_an_answer_that_comes_while_its_request_is_given_up(
    scene: Scene, clock: Clock, late: str, status: str, committed: bool
) -> None:
    decision_hash = scene.given("submitting")
    clock.advance(minutes=1)
    sweeping = scene.transaction()
    assert scene.claim(sweeping) == ["find_order"]
    rival = scene.blocked(late, scene.holder(decision_hash))
    if committed:
        sweeping.commit()
    else:
        sweeping.rollback()
    rival.result(timeout=10)
    assert scene.status(decision_hash) == status
    assert ("submitting>in_doubt" in scene.moves(decision_hash)) == (committed or late == MAYBE)


@pytest.mark.parametrize("committed", [True, False])
def test_a_request_whose_answer_is_being_recorded_is_not_given_up(
    scene: Scene, clock: Clock, committed: bool
) -> None:
    decision_hash = scene.given("submitting")
    clock.advance(minutes=1)
    recording = scene.transaction()
    recording.rows(FOUND, scene.holder(decision_hash))
    assert scene.ask_again_ms(scene.hasty()) == 20
    if committed:
        recording.commit()
    else:
        recording.rollback()
    assert scene.claim(scene.hasty()) == ([] if committed else ["find_order"])


@pytest.mark.parametrize(
    ("said", "outcome", "status"),
    [
        (FOUND, "too_late", "submitted"),
        (MAYBE, "wish_noted", "in_doubt"),
        (NOT_SENT, "withdrawn", "withdrawn"),
    ],
)
def test_a_withdrawal_waits_for_the_answer_that_is_being_recorded(
    scene: Scene, said: str, outcome: str, status: str
) -> None:
    decision_hash = scene.given("submitting")
    recording = scene.transaction()
    recording.rows(said, scene.holder(decision_hash))
    rival = scene.blocked(WITHDRAW, decision_hash)
    recording.commit()
    assert only(rival) == (outcome,)
    assert scene.status(decision_hash) == status


@pytest.mark.parametrize(
    ("said", "status"), [(FOUND, "submitted"), (MAYBE, "in_doubt"), (NOT_SENT, "withdrawn")]
)
def test_an_answer_sees_the_wish_that_was_noted_before_it(scene: Scene, said: str, status: str) -> None:
    decision_hash = scene.given("submitting")
    withdrawing = scene.transaction()
    assert withdrawing.rows(WITHDRAW, decision_hash) == [("wish_noted",)]
    rival = scene.blocked(said, scene.holder(decision_hash))
    withdrawing.commit()
    rival.result(timeout=10)
    assert scene.status(decision_hash) == status


def test_a_claim_leaves_a_decision_alone_whose_answer_is_being_recorded(scene: Scene, clock: Clock) -> None:
    decision_hash = scene.given("submitting")
    recording = scene.transaction()
    assert recording.text(NOT_SENT, scene.holder(decision_hash)) == "not_sent"
    clock.advance(seconds=30)
    assert scene.claim(scene.hasty()) == []
    recording.commit()
    assert scene.claim(scene.hasty()) == ["submit_order"]


def test_an_operator_who_resolves_while_the_order_is_found_is_too_late(scene: Scene, clock: Clock) -> None:
    decision_hash = scene.given("in_doubt")
    asked = lookup(scene, clock)
    recording = scene.transaction()
    assert recording.text(FOUND, asked) == "order_exists"
    rivals = [scene.blocked(verdict, decision_hash) for verdict in (DECLARE_ABSENT, ADOPT)]
    recording.commit()
    assert [getattr(r.exception(timeout=10), "sqlstate", None) for r in rivals] == ["OL203", "OL203"]
    assert scene.status(decision_hash) == "submitted"


def test_an_operator_who_resolves_while_the_submit_is_answered_is_too_late(
    scene: Scene, clock: Clock
) -> None:
    """A success of a simple order holds its decision and nothing of the account."""
    decision_hash = scene.given("submitting")
    clock.advance(minutes=1)
    assert scene.claim(scene.ground) == ["find_order"]
    recording = scene.transaction()
    assert recording.text(FOUND, scene.holder(decision_hash)) == "order_exists"
    rivals = [scene.blocked(verdict, decision_hash) for verdict in (DECLARE_ABSENT, ADOPT)]
    recording.commit()
    assert [getattr(r.exception(timeout=10), "sqlstate", None) for r in rivals] == ["OL203", "OL203"]
    assert scene.status(decision_hash) == "submitted"


def test_an_order_found_while_an_operator_declares_it_absent_is_a_fact(scene: Scene, clock: Clock) -> None:
    decision_hash = scene.given("in_doubt")
    asked = lookup(scene, clock)
    resolving = scene.transaction()
    assert resolving.text(DECLARE_ABSENT, decision_hash) == "approved"
    rival = scene.blocked(FOUND, asked)
    resolving.commit()
    assert only(rival) == ("order_exists",)
    assert scene.moves(decision_hash)[-2:] == ["in_doubt>approved", "approved>submitted"]


def test_absence_said_while_an_operator_adopts_the_order_is_stale(scene: Scene, clock: Clock) -> None:
    decision_hash = scene.given("in_doubt")
    asked = lookup(scene, clock)
    resolving = scene.transaction()
    assert resolving.text(ADOPT, decision_hash) == "submitted"
    rival = scene.blocked(ABSENT, asked)
    resolving.commit()
    assert only(rival) == ("stale",)
    assert scene.status(decision_hash) == "submitted"


def test_two_operators_resolve_a_doubt_once(scene: Scene) -> None:
    decision_hash = scene.given("in_doubt")
    first = scene.transaction()
    assert first.text(ADOPT, decision_hash) == "submitted"
    rival = scene.blocked(DECLARE_ABSENT, decision_hash)
    first.commit()
    assert getattr(rival.exception(timeout=10), "sqlstate", None) == "OL203"


def test_a_proof_does_not_conclude_over_an_order_that_is_being_recorded(scene: Scene, clock: Clock) -> None:
    decision_hash = scene.given("in_doubt")
    asked = page(scene, clock)
    late = scene.holder(decision_hash)
    recording = scene.transaction()
    assert recording.text(FOUND, late) == "order_exists"
    rival = scene.blocked(RECORD, Jsonb([answer(asked, [])]))
    recording.commit()
    assert only(rival) == ("orders_listed",)
    assert scene.moves(decision_hash)[-1] == "in_doubt>submitted"


def test_an_order_that_comes_late_to_a_proof_is_still_recorded(scene: Scene, clock: Clock) -> None:
    decision_hash = scene.given("in_doubt")
    asked = page(scene, clock)
    concluding = scene.transaction()
    assert concluding.rows(RECORD, Jsonb([answer(asked, [])])) == [("orders_listed",)]
    rival = scene.blocked(FOUND, scene.holder(decision_hash))
    concluding.commit()
    assert only(rival) == ("order_exists",)
    assert scene.moves(decision_hash)[-2:] == ["in_doubt>approved", "approved>submitted"]


def test_an_order_on_a_page_waits_for_its_decision_also_when_that_is_not_committed_yet(
    scene: Scene, clock: Clock
) -> None:
    scene.given("in_doubt")
    asked = page(scene, clock)
    decision = Jsonb(scene.ground.value("select test.a_decision()"))
    decision_hash = scene.ground.text(HASH, decision)
    proposing = scene.transaction()
    proposing.rows(PROPOSE, decision)
    rival = scene.blocked(RECORD, Jsonb([answer(asked, [order(decision_hash)])]))
    proposing.commit()
    assert only(rival) == ("orders_listed",)
    assert scene.moves(decision_hash)[-1] == "approved>submitted"


@pytest.mark.parametrize("committed", [True, False])
def test_an_order_of_an_unknown_request_is_seen_by_a_proposal_at_the_same_moment(
    scene: Scene, committed: bool
) -> None:
    decision = Jsonb(scene.ground.value("select test.a_decision()"))
    decision_hash = scene.ground.text(HASH, decision)
    recording = scene.transaction()
    unknown = Jsonb([answer(uuid.uuid4(), order(decision_hash))])
    assert recording.rows(RECORD, unknown) == [("order_exists",)]
    rival = scene.blocked(PROPOSE, decision)
    if committed:
        recording.commit()
    else:
        recording.rollback()
    assert only(rival) == ("submitted" if committed else "approved",)


@pytest.mark.parametrize("committed", [True, False])
def test_a_proposal_is_seen_by_an_order_of_an_unknown_request_at_the_same_moment(
    scene: Scene, committed: bool
) -> None:
    decision = Jsonb(scene.ground.value("select test.a_decision()"))
    decision_hash = scene.ground.text(HASH, decision)
    proposing = scene.transaction()
    assert proposing.rows(PROPOSE, decision) == [("approved",)]
    rival = scene.blocked(RECORD, Jsonb([answer(uuid.uuid4(), order(decision_hash))]))
    if committed:
        proposing.commit()
    else:
        proposing.rollback()
    assert only(rival) == ("order_exists",)
    assert scene.ground.rows(PROPOSE, decision) == [("submitted",)]


def test_orders_of_unknown_requests_in_opposite_orders_are_no_deadlock(scene: Scene) -> None:
    one, two = (answer(uuid.uuid4(), order(f"{n:064x}", f"order-{n}")) for n in (1, 2))
    first = scene.transaction()
    first.rows(RECORD, Jsonb([one]))
    rival = scene.blocked(RECORD, Jsonb([two, one]))
    first.rows(RECORD, Jsonb([two]))  # the rival must not hold it already
    first.commit()
    assert rival.result(timeout=10) == [("order_exists",)] * 2


def test_an_order_found_despite_its_withdrawal_never_waits_for_a_proposal_of_its_signal(
    scene: Scene, clock: Clock
) -> None:
    decision_hash = scene.given("submitting", '{"event_ts": "2026-03-02T14:30:00Z", "symbol": "GOOG"}')
    scene.ground.rows(WITHDRAW, decision_hash)
    late = scene.holder(decision_hash)
    scene.ground.rows(MAYBE, late)
    assert scene.ground.text(DECLARE_ABSENT, decision_hash) == "withdrawn"
    clock.advance(seconds=1)
    again = Jsonb(scene.ground.value(ANOTHER_INTENT))
    proposing = scene.transaction()
    assert proposing.rows(PROPOSE, again) == [("approved",)]
    assert scene.hasty().text(FOUND, late) == "order_exists"
    proposing.commit()
    assert scene.claim(scene.hasty()) == []  # the account stands halted: two decisions live for one signal


def test_a_proposal_sees_the_signal_taken_by_an_order_found_despite_its_withdrawal(scene: Scene) -> None:
    decision_hash = scene.given("submitting", '{"event_ts": "2026-03-02T14:30:00Z", "symbol": "GOOG"}')
    scene.ground.rows(WITHDRAW, decision_hash)
    late = scene.holder(decision_hash)
    scene.ground.rows(MAYBE, late)
    scene.ground.rows(DECLARE_ABSENT, decision_hash)
    again = Jsonb(scene.ground.value(ANOTHER_INTENT))
    recording = scene.transaction()
    assert recording.text(FOUND, late) == "order_exists"
    rival = scene.blocked(PROPOSE, again)
    recording.commit()
    assert only(rival) == ("rejected",)
