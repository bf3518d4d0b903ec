"""Who judges an account, while an operator changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.types.json import Jsonb

from tests.races.scene import only

if TYPE_CHECKING:
    from tests.races.scene import Scene

PROPOSE = "select p.status, p.outcome from orderlatch.propose_decision('paper', %s) as p"
EVALUATE = "select e.status from orderlatch.evaluate_decision(%s) as e"
APPROVE = 'select a.status from orderlatch.approve_decision(%s, \'{"engine": "sure"}\') as a'


def switch(scene: Scene, engine: str) -> None:
    """An operator's change of the engine, made and committed."""
    scene.ground.rows("select orderlatch.update_account('paper', %s)", Jsonb({"risk_engine": engine}))


def test_a_proposal_that_waited_is_left_to_the_engine_that_is_set_by_then(scene: Scene) -> None:
    decision = Jsonb(scene.ground.value("select test.a_decision()"))
    judging = scene.transaction().hold_account("judging")
    rival = scene.blocked(PROPOSE, decision)
    switch(scene, "external")
    judging.commit()
    assert only(rival) == ("planned", "created")


def test_an_evaluation_that_waited_is_refused_where_another_engine_judges_by_then(scene: Scene) -> None:
    decision_hash = scene.given("planned")
    judging = scene.transaction().hold_account("judging")
    rival = scene.blocked(EVALUATE, decision_hash)
    switch(scene, "external")
    judging.commit()
    assert getattr(rival.exception(timeout=10), "sqlstate", None) == "OL304"
    assert scene.status(decision_hash) == "planned"


def test_a_yes_that_waited_is_refused_where_another_engine_judges_by_then(scene: Scene) -> None:
    switch(scene, "external")
    decision_hash = scene.given("planned")
    judging = scene.transaction().hold_account("judging")
    rival = scene.blocked(APPROVE, decision_hash)
    switch(scene, "builtin")
    judging.commit()
    assert getattr(rival.exception(timeout=10), "sqlstate", None) == "OL304"
    assert scene.status(decision_hash) == "planned"
