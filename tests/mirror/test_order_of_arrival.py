"""Whatever the broker shows, in whatever order and however often it arrives, the mirror ends the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from tests.mirror.deliveries import Delivery, Mirror
from tests.mirror.lives import STORIES, legs_of, views_without_a_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mirror.deliveries import Way
    from tests.mirror.lives import Document, Life, Story
    from tests.support.servers import Database


@pytest.fixture
def beginning(database: Database, story: Story) -> Iterator[Mirror]:
    """A decision on its way, in an account whose mirror is empty; what an example adds is rolled back."""
    with database.connect(autocommit=False) as session:
        session.execute("select test_support.hold_clock('2026-03-02 16:00:00Z')")
        settings = '{"reconcile_from": "2026-03-02T14:00:00Z", "rate_limit": 1000}'
        session.execute("select test.given_mirrored_account('paper', %s)", [settings])
        yield Mirror.of(session, story)
        session.rollback()


def in_order(life: Life) -> list[Delivery]:
    """Every view by the stream as it happens, and then the activities."""
    return [Delivery("stream", [view]) for view in life.views] + [Delivery("fills", life.fills)]


def ids(view: Document) -> set[object]:
    """The orders that a view shows: its own, and its legs."""
    return {view["id"], *(leg["id"] for leg in legs_of(view))}


def cut_up(life: Life, data: st.DataObject) -> list[Delivery]:
    """The same documents in another order, some of them more than once, each on a way that it may take."""
    everything = [*life.views, *life.fills]
    extra = data.draw(st.lists(st.sampled_from(everything), max_size=4))
    arriving = data.draw(st.permutations(everything + extra))
    deliveries: list[Delivery] = []
    answered = False
    while arriving:
        size = 1
        if arriving[0] in life.fills:
            while size < len(arriving) and arriving[size] in life.fills and data.draw(st.booleans()):
                size += 1
            fills = {str(fill["id"]): fill for fill in arriving[:size]}
            deliveries.append(Delivery("fills", list(fills.values())))
        else:
            view = arriving[0]
            may_answer = (
                not answered and view["client_order_id"] == life.decision_hash and "replaces" not in view
            )
            ways: list[Way] = ["stream", "read", "orders"]
            # a list without nesting does not say whose legs they are
            ways += ["open_orders"] if view["legs"] is None else []
            ways += ["answer"] if may_answer else []
            way = data.draw(st.sampled_from(ways))
            answered = answered or way == "answer"
            page, shown = [view], ids(view)
            while way == "orders" and size < len(arriving) and data.draw(st.booleans()):
                following = arriving[size]
                if following in life.fills or ids(following) & shown:
                    break
                page, shown, size = [*page, following], shown | ids(following), size + 1
            deliveries.append(Delivery(way, page))
        arriving = arriving[size:]
    return deliveries


def differences(one: object, other: object, where: str = "") -> Iterator[str]:
    """Where two states differ, member by member."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from differences(one.get(key), other.get(key), f"{where}.{key}")
    elif one != other:
        yield f"{where}: {one} instead of {other}"


def check(mirror: Mirror, state: dict[str, object]) -> None:
    """What must be true at the end whatever the way: the story's own end, and the sums."""
    orders, life = state["orders"], mirror.life
    assert isinstance(orders, dict)
    ends = {order_id: (row["status"], str(row["filled_qty"])) for order_id, row in orders.items()}
    assert ends == life.expected
    assert (
        str(mirror.value("select coalesce(sum(p.qty), 0) from orderlatch_data.position_sums as p"))
        == life.position
    )
    assert mirror.value("select test.broken_promises()") == []


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_every_order_of_arrival_ends_the_same(beginning: Mirror) -> None:
    with beginning.connection.transaction(force_rollback=True):
        for delivery in in_order(beginning.life):
            beginning.deliver(delivery)
        wanted = beginning.state()
        check(beginning, wanted)

    @settings(
        max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    @given(st.data())
    def arrive(data: st.DataObject) -> None:
        with beginning.connection.transaction(force_rollback=True):
            for delivery in cut_up(beginning.life, data):
                beginning.deliver(delivery)
            state = beginning.state()
            check(beginning, state)
            assert list(differences(state, wanted)) == []

    arrive()


# Of views without a time a list shows only the last, and when the others were is not known then.
@pytest.mark.parametrize("story", [s for s in STORIES if s.tell is not views_without_a_time], ids=str)
def test_the_stream_changes_nothing_but_the_time(beginning: Mirror) -> None:
    """Without it the lists alone lead to the same end, if a minute later."""
    life, ends = beginning.life, []
    for listening in (True, False):
        with beginning.connection.transaction(force_rollback=True):
            for view in life.views if listening else ():
                beginning.deliver(Delivery("stream", [view]))
            for _ in range(3):
                beginning.value("select test_support.advance_clock('1 minute')")
                beginning.value("select test.serve(%s, %s)", beginning.worker, Jsonb(life.book()))
            check(beginning, beginning.state())
            ends.append(beginning.state())
    heard, unheard = ends
    assert list(differences(heard, unheard)) == []
