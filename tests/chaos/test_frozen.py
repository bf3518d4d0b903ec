"""A worker that is frozen and thawed long after: it must not send what it was once allowed to send."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.chaos.world import World
    from tests.worker.script import Worker


OVERDUE = """
select count(*)::int from orderlatch_data.open_requests as r where r.answer_by < clock_timestamp()
"""


def freeze_with_a_claim(world: World, worker: Worker) -> str:
    """Stop a worker while its claim is being granted; it has the grant, and has not read it."""
    with world.claims_held_up():
        decision = world.propose()
        world.wait_until_blocked()
        worker.signal(signal.SIGSTOP)
    world.wait_for("submitting", decision)
    return decision


def answers_of(worker: Worker, error: str) -> int:
    return sum(event["error"] == error for event in worker.events("request_carried"))


@pytest.mark.every_major
def test_thawed_after_another_has_sent(world: World) -> None:
    frozen = world.ready_worker()
    decision = freeze_with_a_claim(world, frozen)
    world.worker()
    world.wait_for("submitted", decision)
    assert world.story(decision)[2:] == ["submitting", "in_doubt", "approved", "submitting", "submitted"]
    frozen.signal(signal.SIGCONT)
    world.wait_until(
        lambda: world.meanings(decision) == ["stale", "order_exists"], what="the late answer is recorded"
    )
    assert answers_of(frozen, "deadline_passed") == 1
    assert world.sandbox.posts_of(decision) == 1


@pytest.mark.thorough
def test_thawed_while_the_call_of_another_is_on_the_wire(world: World) -> None:
    """It did not send, but that does not speak for the other's call."""
    frozen = world.ready_worker()
    decision = freeze_with_a_claim(world, frozen)
    world.change_account(call_timeout="20 seconds")
    world.sandbox.fault("gate", gate="wire")
    world.worker()
    world.sandbox.wait_for_held("wire")
    frozen.signal(signal.SIGCONT)
    world.wait_until(lambda: world.meanings(decision)[0] == "stale", what="the late answer is recorded")
    assert world.status(decision) == "submitting"
    world.sandbox.release("wire")
    world.wait_for("submitted", decision)
    assert world.meanings(decision) == ["stale", "order_exists"]


@pytest.mark.thorough
def test_thawed_while_its_silence_is_still_in_doubt(world: World) -> None:
    """Its own late, definite answer ends the doubt: no proof is needed, and the decision stays clean."""
    world.change_account(absence_quiet="1 hour")
    frozen = world.ready_worker()
    decision = freeze_with_a_claim(world, frozen)
    world.worker()
    world.wait_for("in_doubt", decision)
    frozen.signal(signal.SIGCONT)
    world.wait_for("submitted", decision)
    assert world.meanings(decision) == ["not_sent", "order_exists"]
    assert world.rows("select d.clean from orderlatch.decisions as d") == [(True,)]
    assert world.sandbox.posts_of(decision) == 1


def test_frozen_on_the_wire_until_its_order_was_found(world: World) -> None:
    frozen = world.ready_worker()
    world.sandbox.fault("gate", gate="wire", when="before")
    decision = world.propose()
    world.sandbox.wait_for_held("wire")
    frozen.signal(signal.SIGSTOP)
    world.worker()
    world.wait_for("in_doubt", decision)
    world.sandbox.release("wire")
    world.wait_for("submitted", decision)
    frozen.signal(signal.SIGCONT)
    world.wait_until(lambda: world.meanings(decision) != ["lost"], what="the late answer is recorded")
    assert world.sandbox.posts_of(decision) == 1


@pytest.mark.thorough
def test_frozen_alone_until_it_has_lost_its_own_request(world: World) -> None:
    """One worker and nobody else: after the thaw it finds its own request overdue, or answers it."""
    frozen = world.ready_worker()
    decision = freeze_with_a_claim(world, frozen)
    overdue = (
        "select count(*)::int from orderlatch_data.open_requests as r where r.answer_by < clock_timestamp()"
    )
    world.wait_until(lambda: world.number(overdue) == 1, what="the request is overdue")
    frozen.signal(signal.SIGCONT)
    world.wait_for("submitted", decision)
    assert world.meanings(decision) == ["not_sent", "order_exists"]
    assert world.sandbox.posts_of(decision) == 1


@pytest.mark.thorough
def test_thawed_with_an_answer_that_has_waited(world: World) -> None:
    """Its copy reaches the broker after another one's, and is refused: that takes nothing back."""
    frozen = world.ready_worker()
    world.sandbox.fault("gate", gate="wire", when="before")
    decision = world.propose()
    world.sandbox.wait_for_held("wire")
    frozen.signal(signal.SIGSTOP)
    world.worker()
    world.wait_for("submitted", decision)
    world.sandbox.release("wire")
    world.wait_until(lambda: world.sandbox.summary()["calls_under_way"] == 0, what="the broker has answered")
    frozen.signal(signal.SIGCONT)
    world.wait_until(lambda: "stale" in world.meanings(decision), what="the late answer is recorded")
    assert world.status(decision) == "submitted"
    assert world.sandbox.posts_of(decision) == 2
