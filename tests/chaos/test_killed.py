"""SIGKILL of the worker at every step of a submit: another worker takes over, and there is one order."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.chaos.world import World
    from tests.worker.script import Worker


def kill(worker: Worker) -> None:
    worker.signal(signal.SIGKILL)
    worker.process.wait()


def test_killed_before_the_claim_commits(world: World) -> None:
    worker = world.ready_worker()
    with world.claims_held_up():
        decision = world.propose()
        world.wait_until_blocked()
        kill(worker)
        world.end_blocked_sessions()  # nobody is there to commit for
    assert world.status(decision) == "approved"
    world.worker()
    world.wait_for("submitted", decision)
    assert world.story(decision) == ["planned", "approved", "submitting", "submitted"]
    assert world.sandbox.posts_of(decision) == 1


def test_killed_while_the_claim_commits(world: World) -> None:
    """The session of the dead worker commits what nobody will carry out."""
    worker = world.ready_worker()
    with world.claims_held_up():
        decision = world.propose()
        world.wait_until_blocked()
        kill(worker)
    world.wait_for("submitting", decision)
    world.worker()
    world.wait_for("submitted", decision)
    assert world.meanings(decision) == ["lost", "order_exists"]
    assert world.sandbox.posts_of(decision) == 1


def test_killed_after_the_claim_committed(world: World) -> None:
    worker = world.ready_worker()
    with world.claims_held_up():
        decision = world.propose()
        world.wait_until_blocked()
        worker.signal(signal.SIGSTOP)  # so that it gets no further than this
    world.wait_for("submitting", decision)
    kill(worker)
    world.worker()
    world.wait_for("submitted", decision)
    assert world.meanings(decision) == ["lost", "order_exists"]
    assert world.sandbox.posts_of(decision) == 1


@pytest.mark.every_major
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_the_request_is_on_the_wire(world: World, when: str) -> None:
    """Before and after the broker has stored the order; the answer meets a closed door."""
    worker = world.ready_worker()
    world.sandbox.fault("gate", gate="wire", when=when)
    decision = world.propose()
    world.sandbox.wait_for_held("wire")
    kill(worker)
    world.sandbox.release("wire")
    world.worker()
    world.wait_for("submitted", decision)
    assert world.meanings(decision) == ["lost"]
    assert world.meanings(decision, "find_order")[-1] == "order_exists"
    assert world.sandbox.posts_of(decision) == 1


def test_killed_before_the_answer_is_recorded(world: World) -> None:
    worker = world.ready_worker()
    world.sandbox.fault("gate", gate="answer")
    decision = world.propose()
    world.sandbox.wait_for_held("answer")
    with world.answers_held_up(decision):
        world.sandbox.release("answer")
        world.wait_until_blocked()
        kill(worker)
        world.end_blocked_sessions()
    assert world.status(decision) == "submitting"
    world.worker()
    world.wait_for("submitted", decision)
    assert world.meanings(decision) == ["lost"]
    assert world.sandbox.posts_of(decision) == 1


def test_killed_after_the_answer_is_recorded(world: World) -> None:
    worker = world.ready_worker()
    decision = world.propose()
    world.wait_for("submitted", decision)
    kill(worker)
    world.ready_worker()
    later = world.propose()
    world.wait_for("submitted", later)
    assert world.meanings(decision) == world.meanings(later) == ["order_exists"]
    assert world.sandbox.posts_of(decision) == 1


def test_a_killed_worker_is_missed_at_once(world: World) -> None:
    """Not only when its answer is overdue: looking for the order starts as soon as its life has ended."""
    world.change_account(answer_grace="10 minutes")
    worker = world.ready_worker()
    world.sandbox.fault("gate", gate="wire")
    decision = world.propose()
    world.sandbox.wait_for_held("wire")
    kill(worker)
    world.worker(poll_ms=100)
    world.wait_for("submitted", decision)
    assert world.rows("select l.cause from orderlatch_data.lost_requests as l") == [("worker_gone",)]
    assert world.sandbox.posts_of(decision) == 1


def test_a_lost_submit_is_not_repeated_at_a_broker_that_forgets_ids(world: World) -> None:
    """Its worker might only be frozen, with the call half made."""
    world.change_account(broker_remembers_ids=False)
    worker = world.ready_worker()
    with world.claims_held_up():
        decision = world.propose()
        world.wait_until_blocked()
        worker.signal(signal.SIGSTOP)
    world.wait_for("submitting", decision)
    kill(worker)
    world.worker()
    world.wait_for("lapsed", decision)
    assert world.sandbox.posts_of(decision) == 0
