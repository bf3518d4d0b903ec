"""Claims notice another server once: one of them notes it, the others come again, nobody else waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.races.scene import Scene
    from tests.support.sessions import Clock

NOTED = "select array_agg(c.why order by c.cluster_no) from orderlatch.clusters as c"
WITHDRAW = "select w.outcome from orderlatch.withdraw_decision(%s, 'changed its mind') as w"
HELD = "select s.detail from orderlatch.stuck as s where s.what = 'lock held' and s.detail ~ 'cluster lock'"


@pytest.mark.parametrize("committed", [True, False])
def test_a_server_is_noted_by_one_claim(scene: Scene, committed: bool) -> None:
    scene.ground.rows("select test.given_other_server(7)")
    first = scene.transaction()
    scene.claim(first)
    assert scene.ask_again_ms(scene.hasty()) == 20
    if committed:
        first.commit()
    else:
        first.rollback()
    scene.claim(scene.hasty())
    assert scene.ground.value(NOTED) == ["first", "first", "cluster"]


def test_nothing_is_granted_before_that_is_committed(scene: Scene) -> None:
    scene.given("approved")
    scene.ground.rows("select test.given_other_server(7)")
    first = scene.transaction()
    scene.claim(first)
    assert scene.claim(scene.hasty()) == []
    first.commit()
    assert scene.claim(scene.hasty()) == []


def test_whoever_proposes_answers_or_withdraws_does_not_wait_for_it(scene: Scene) -> None:
    submitting, approved = scene.given("submitting"), scene.given("approved")
    scene.ground.rows("select test.given_other_server(7)")
    noting = scene.transaction()
    scene.claim(noting)
    hasty = scene.hasty()
    hasty.rows("select test.record(test.answer_order(%s))", scene.holder(submitting))
    assert scene.status(submitting) == "submitted"
    assert hasty.rows(WITHDRAW, approved) == [("wish_noted",)]  # it may have been submitted there
    hasty.rows("select test.given_approved_decision()")
    noting.commit()


def test_a_session_that_keeps_everybody_from_claiming_shows(scene: Scene, clock: Clock) -> None:
    scene.ground.rows("select test.given_other_server(7)")
    noting = scene.transaction()
    scene.claim(noting)
    clock.advance(minutes=1)
    [(detail,)] = scene.ground.rows(HELD)
    assert str(detail).startswith(f"session {noting.connection.info.backend_pid} holds the cluster lock")
    assert "of every account" in str(detail)
    noting.rollback()
    assert scene.ground.rows(HELD) == []
