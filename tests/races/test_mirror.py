"""The mirror's writers beside each other: pages, the stream, submits, proposals, claims, operators."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from psycopg.types.json import Jsonb

from tests.races.scene import Scene, Session, only

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import Database
    from tests.support.sessions import Clock, Connect

    Document = dict[str, object]

RECORD = "select r.meaning from orderlatch.record_responses(%s) as r order by r.answer_no"
PROPOSE = "select p.status from orderlatch.propose_decision('paper', %s) as p"
HASH = "select orderlatch.decision_hash('paper', %s)"
TELL = "select test.tell(%s, 'new', %s)"
PAGE = "select r.request_id::text from test.standing_read(%s) as r"
WISH = "select orderlatch_data.wish_reads(test.account_id(), array[%s], 'wanted')"
CHECK = "select orderlatch_data.check_order(test.account_id(), %s, 'wanted')"
KINDS = "select coalesce(array_agg(c.kind order by c.kind), '{}') from test.claim(%s) as c"
STATUS = "select b.status from orderlatch_data.broker_orders as b where b.broker_order_id = %s"


@pytest.fixture
def scene(database: Database, connect: Connect, clock: Clock) -> Iterator[Scene]:
    """A mirrored account that has been read once, and its worker; at the end every promise holds."""
    ground = Session(connect())
    settings = Jsonb(
        {"reconcile_from": "2020-01-01T00:00:00Z", "on_foreign_order": "ignore", "rate_limit": 1000}
    )
    ground.rows("select test.given_mirrored_account('paper', %s)", settings)
    scene = Scene(database, connect, ground, ground.number("select test.given_worker()"))
    ground.rows("select test.serve(%s, '{}')", scene.worker)
    clock.advance(seconds=1)
    yield scene
    assert scene.violations() == {}


def order(order_id: str, **members: object) -> Document:
    """An order as the broker shows it."""
    return {
        "id": order_id,
        "client_order_id": f"by-hand-{order_id}",
        "symbol": "GOOG",
        "side": "buy",
        "qty": "10",
        "type": "market",
        "time_in_force": "day",
        "status": "new",
        "filled_qty": "0",
        "submitted_at": "2026-03-02T15:00:00Z",
        "updated_at": "2026-03-02T15:00:00Z",
    } | members


def fill(order_id: str) -> Document:
    return {
        "id": f"20260302::{order_id}",
        "type": "fill",
        "order_id": order_id,
        "symbol": "GOOG",
        "side": "buy",
        "qty": "10",
        "price": "100",
        "transaction_time": "2026-03-02T15:00:01Z",
    }


def said(request_id: object, document: object) -> Jsonb:
    """A batch of one answer: a success with that document."""
    body = base64.b64encode(json.dumps(document).encode()).decode()
    return Jsonb([{"request_id": str(request_id), "sent": "yes", "status": 200, "body": body}])


def page(scene: Scene, purpose: str) -> object:
    """A page of a standing read that is on its way."""
    scene.ground.rows(WISH, purpose)
    scene.ground.rows(KINDS, scene.worker)
    request_id = scene.ground.value(PAGE, purpose)
    assert request_id is not None
    return request_id


def decision(scene: Scene) -> Jsonb:
    return Jsonb(scene.ground.value("select test.a_decision()"))


def booked(scene: Scene) -> object:
    return scene.ground.value("select coalesce(sum(f.qty), 0)::integer from orderlatch_data.fills as f")


@pytest.mark.parametrize("committed", [True, False])
def test_a_claim_neither_waits_for_a_page_that_is_being_recorded_nor_asks_for_it_again(
    scene: Scene, committed: bool
) -> None:
    asked = page(scene, "orders")
    scene.ground.rows(WISH, "orders")
    recording = scene.transaction()
    recording.rows(RECORD, said(asked, [order("a")]))
    hasty = scene.hasty()
    assert hasty.value(KINDS, scene.worker) == []
    if committed:
        recording.commit()
        assert hasty.value(KINDS, scene.worker) == ["list_orders"]
    else:
        recording.rollback()
        assert hasty.value(KINDS, scene.worker) == []
        assert scene.ground.rows(RECORD, said(asked, [order("a")])) == [("orders_listed",)]
    assert scene.ground.rows(STATUS, "a") == [("new",)]


def test_two_workers_that_claim_at_once_are_granted_each_page_once(scene: Scene) -> None:
    second = scene.ground.number("select test.given_worker()")
    scene.ground.rows("select orderlatch.reconcile_account('paper', 'both want it')")
    claiming = scene.transaction()
    assert claiming.value(KINDS, scene.worker) == [
        "list_fills",
        "list_orders",
        "list_orders",
        "list_positions",
    ]
    assert scene.hasty().value(KINDS, second) == []
    claiming.commit()
    assert scene.hasty().value(KINDS, second) == []


def test_a_claim_does_not_wait_for_a_wish_that_is_being_made(scene: Scene) -> None:
    wishing = scene.transaction()
    wishing.rows("select orderlatch.reconcile_account('paper', 'not yet')")
    hasty = scene.hasty()
    assert hasty.value(KINDS, scene.worker) == []
    wishing.commit()
    assert "list_orders" in str(hasty.value(KINDS, scene.worker))


@pytest.mark.parametrize("page_first", [True, False])
def test_a_page_and_the_stream_show_one_order_at_once(scene: Scene, page_first: bool) -> None:
    asked = page(scene, "orders")
    newest = order("a", status="filled", filled_qty="10", updated_at="2026-03-02T15:00:02Z")
    writes: list[tuple[str, list[object]]] = [
        (RECORD, [said(asked, [order("a")])]),
        (TELL, [scene.worker, Jsonb(newest)]),
    ]
    (first, first_given), (second, second_given) = writes if page_first else writes[::-1]
    recording = scene.transaction()
    recording.rows(first, *first_given)
    rival = scene.blocked(second, *second_given)
    recording.commit()
    only(rival)
    assert scene.ground.rows(STATUS, "a") == [("filled",)]


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("shown_by", ["page", "stream"])
def test_a_proposal_sees_the_order_of_its_lost_decision_that_is_being_recorded(
    scene: Scene, shown_by: str, committed: bool
) -> None:
    lost = decision(scene)
    shown = order("a", client_order_id=scene.ground.text(HASH, lost))
    recording = scene.transaction()
    if shown_by == "page":
        recording.rows(RECORD, said(page(scene, "orders"), [shown]))
    else:
        recording.rows(TELL, scene.worker, Jsonb(shown))
    rival = scene.blocked(PROPOSE, lost)
    if committed:
        recording.commit()
    else:
        recording.rollback()
    assert only(rival) == ("submitted" if committed else "approved",)


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("shown_by", ["page", "stream"])
def test_an_order_sees_its_decision_that_is_being_proposed(
    scene: Scene, shown_by: str, committed: bool
) -> None:
    lost = decision(scene)
    decision_hash = scene.ground.text(HASH, lost)
    shown = order("a", client_order_id=decision_hash)
    asked = page(scene, "orders")
    proposing = scene.transaction()
    assert proposing.rows(PROPOSE, lost) == [("approved",)]
    if shown_by == "page":
        rival = scene.blocked(RECORD, said(asked, [shown]))
    else:
        rival = scene.blocked(TELL, scene.worker, Jsonb(shown))
    if committed:
        proposing.commit()
    else:
        proposing.rollback()
    only(rival)
    assert scene.ground.rows(PROPOSE, lost) == [("submitted",)]


def test_a_proposal_of_many_waits_for_no_page_that_shows_orders_which_are_known(scene: Scene) -> None:
    asked = page(scene, "orders")
    recording = scene.transaction()
    recording.rows(RECORD, said(asked, [order("a")]))
    assert scene.hasty().rows(PROPOSE, decision(scene)) == [("approved",)]


@pytest.mark.parametrize("submit_first", [True, False])
def test_a_page_and_the_answer_to_a_submit_show_one_order_at_once(scene: Scene, submit_first: bool) -> None:
    decision_hash = scene.given("submitting", '{"symbol": "GOOG"}')
    asked = page(scene, "orders")
    shown = order("a", client_order_id=decision_hash)
    newest = shown | {"status": "filled", "filled_qty": "10", "updated_at": "2026-03-02T15:00:02Z"}
    writes = [said(scene.holder(decision_hash), shown), said(asked, [newest])]
    recording = scene.transaction()
    recording.rows(RECORD, writes[0 if submit_first else 1])
    rival = scene.blocked(RECORD, writes[1 if submit_first else 0])
    recording.commit()
    only(rival)
    assert scene.ground.rows(STATUS, "a") == [("filled",)]
    assert scene.moves(decision_hash)[-1] == "submitting>submitted"


def test_fills_of_orders_whose_submits_are_being_recorded_are_no_deadlock(scene: Scene) -> None:
    """The page would make room for both orders; the submits insert them one after the other."""
    first, second = (scene.given("submitting") for _ in range(2))
    symbols = scene.ground.rows(
        "select t.symbol from orderlatch_data.trade_decisions as t order by t.decision_id"
    )
    asked = page(scene, "fills")
    answers = [
        said(scene.holder(decision_hash), order(order_id, client_order_id=decision_hash, symbol=symbol))
        for decision_hash, order_id, (symbol,) in zip((first, second), "ba", symbols, strict=True)
    ]
    recording = scene.transaction()
    recording.rows(RECORD, answers[0])
    rival = scene.blocked(RECORD, said(asked, [fill("a"), fill("b")]))
    recording.rows(RECORD, answers[1])  # the page must not hold it already
    recording.commit()
    assert only(rival) == ("fills_listed",)
    assert [scene.status(h) for h in (first, second)] == ["submitted", "submitted"]
    assert booked(scene) == 20


def test_submits_of_orders_whose_fills_are_being_recorded_are_no_deadlock(scene: Scene) -> None:
    first, second = (scene.given("submitting") for _ in range(2))
    asked = page(scene, "fills")
    recording = scene.transaction()
    recording.rows(RECORD, said(asked, [fill("a"), fill("b")]))
    symbols = scene.ground.rows(
        "select t.symbol from orderlatch_data.trade_decisions as t order by t.decision_id"
    )
    batch = [
        said(scene.holder(decision_hash), order(order_id, client_order_id=decision_hash, symbol=symbol)).obj[
            0
        ]
        for decision_hash, order_id, (symbol,) in zip((first, second), "ba", symbols, strict=True)
    ]
    rival = scene.blocked(RECORD, Jsonb(batch))
    recording.commit()
    assert rival.result(timeout=20) == [("order_exists",)] * 2
    assert booked(scene) == 20


def tamper(scene: Scene, query: str) -> None:
    """Do what no function would."""
    session = scene.session().connection
    session.execute("select set_config('session_replication_role', 'replica', false)")
    session.execute(query.encode())


def test_legs_in_the_answer_to_a_submit_wait_for_the_page_that_shows_them(scene: Scene) -> None:
    decision_hash = scene.given("submitting", '{"symbol": "GOOG"}')
    tamper(scene, "update orderlatch_data.trade_decisions set order_class = 'bracket'")
    legs = [order("stop"), order("take")]
    asked = page(scene, "open_orders")
    recording = scene.transaction()
    recording.rows(RECORD, said(asked, legs))
    entry = order("entry", client_order_id=decision_hash, order_class="bracket", legs=legs)
    rival = scene.blocked(RECORD, said(scene.holder(decision_hash), entry))
    recording.commit()
    assert only(rival) == ("order_exists",)
    parents = (
        "select b.parent_broker_order_id from orderlatch_data.broker_orders as b where b.relation = 'leg'"
    )
    assert scene.ground.rows(parents) == [("entry",), ("entry",)]
    tamper(
        scene, "delete from orderlatch_data.broker_orders where relation = 'leg'"
    )  # the books know of one each


@pytest.mark.parametrize("purpose", ["orders", "fills", "positions", "open_orders"])
def test_a_page_recorded_twice_at_once_counts_once(scene: Scene, purpose: str) -> None:
    scene.ground.rows(TELL, scene.worker, Jsonb(order("a")))
    documents: dict[str, list[Document]] = {"orders": [order("a")], "fills": [fill("a")], "positions": []}
    answer = said(page(scene, purpose), documents.get(purpose, [order("a")]))
    recording = scene.transaction()
    meaning = recording.rows(RECORD, answer)
    rival = scene.blocked(RECORD, answer)
    recording.commit()
    assert [only(rival)] == meaning
    assert booked(scene) == (10 if purpose == "fills" else 0)
    pages = "select r.pages from test.standing_read(%s) as r"
    assert scene.ground.number(pages, purpose) == 1


def test_an_adjustment_and_a_page_of_fills_both_count(scene: Scene) -> None:
    scene.ground.rows(TELL, scene.worker, Jsonb(order("a")))
    asked = page(scene, "fills")
    recording = scene.transaction()
    recording.rows(RECORD, said(asked, [fill("a")]))
    adjust = "select orderlatch.adjust_position('paper', 'GOOG', 5, 'transfer', 'moved')::integer"
    rival = scene.blocked(adjust)
    recording.commit()
    assert only(rival) == (15,)


def given_cancel(scene: Scene, clock: Clock, *order_ids: str) -> None:
    """Orders that somebody asked to cancel, and whose calls nobody answered."""
    for order_id in order_ids:
        scene.ground.rows(TELL, scene.worker, Jsonb(order(order_id)))
    scene.ground.rows(
        "select orderlatch_data.ask_cancel(b, 'wanted', null) from orderlatch_data.broker_orders as b"
    )
    assert scene.ground.value(KINDS, scene.worker) == ["cancel_order"] * len(order_ids)
    clock.advance(seconds=21)


def test_a_claim_that_gives_up_a_cancel_does_not_wait_for_the_end_of_its_order(
    scene: Scene, clock: Clock
) -> None:
    given_cancel(scene, clock, "a", "b")
    recording = scene.transaction()
    recording.rows(TELL, scene.worker, Jsonb(order("a", status="canceled")))
    assert scene.hasty().value(KINDS, scene.worker) == ["cancel_order"]  # that of the other
    recording.commit()
    assert scene.hasty().value(KINDS, scene.worker) == []
    lost = "select count(*) from orderlatch_data.lost_requests as l"
    assert scene.ground.number(lost) == 2


def test_the_end_of_an_order_that_is_to_be_canceled_waits_for_the_claim_and_no_longer(
    scene: Scene, clock: Clock
) -> None:
    given_cancel(scene, clock, "a")
    claiming = scene.transaction()
    assert claiming.value(KINDS, scene.worker) == ["cancel_order"]
    rival = scene.blocked(TELL, scene.worker, Jsonb(order("a", status="canceled")))
    claiming.commit()
    only(rival)
    assert scene.ground.rows("select c.state from orderlatch.cancels as c") == [("canceled",)]


def test_a_claim_does_not_wait_for_single_orders_that_are_being_recorded(scene: Scene, clock: Clock) -> None:
    for order_id in ("a", "b"):
        scene.ground.rows(TELL, scene.worker, Jsonb(order(order_id)))
        scene.ground.rows(CHECK, order_id)
    assert scene.ground.value(KINDS, scene.worker) == ["get_order", "get_order"]
    clock.advance(seconds=21)
    recording = scene.transaction()
    query = "select k.request_id from orderlatch_data.order_checks as k where k.broker_order_id = 'a'"
    recording.rows(RECORD, said(scene.ground.value(query), order("a")))
    assert scene.hasty().value(KINDS, scene.worker) == ["get_order"]  # the other was lost
    recording.commit()
    assert scene.hasty().value(KINDS, scene.worker) == []


def test_an_operator_adopts_while_the_order_is_being_recorded(scene: Scene) -> None:
    decision_hash = scene.given("in_doubt", '{"symbol": "GOOG"}')
    asked = page(scene, "orders")
    recording = scene.transaction()
    recording.rows(RECORD, said(asked, [order("a", client_order_id="another")]))
    adopt = "select orderlatch.resolve_in_doubt(%s, 'adopt', '{\"broker_order_id\": \"a\"}')"
    rival = scene.blocked(adopt, decision_hash)
    recording.commit()
    assert only(rival) == ("submitted",)
    assert scene.ground.rows(STATUS, "a") == [("new",)]


def test_the_figures_of_a_stream_keep_no_update_waiting(scene: Scene) -> None:
    connected = "select orderlatch.record_stream_state(%s, 'paper', true)"
    scene.ground.rows(connected, scene.worker)
    connecting = scene.transaction()
    connecting.rows(connected, scene.worker)
    assert scene.hasty().rows(TELL, scene.worker, Jsonb(order("a"))) == [("order_updated",)]
    connecting.rollback()
    recording = scene.transaction()
    recording.rows(TELL, scene.worker, Jsonb(order("b")))
    rival = scene.blocked(connected, scene.worker)
    recording.commit()
    only(rival)


def test_an_operator_who_changes_settings_keeps_no_page_waiting(scene: Scene) -> None:
    asked = page(scene, "orders")
    operator = scene.transaction()
    operator.rows(
        "select orderlatch.update_account('paper', '{\"reconcile_from\": \"2019-01-01T00:00:00Z\"}')"
    )
    assert scene.hasty().rows(RECORD, said(asked, [order("a")])) == [("orders_listed",)]
    assert scene.hasty().value(KINDS, scene.worker) == []
