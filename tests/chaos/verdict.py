"""What must be true after every test, whatever happened in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.chaos.sandbox import SECRETS

if TYPE_CHECKING:
    from tests.chaos.world import World

UNKNOWN = """
select count(*)::int from orderlatch.decisions as d where d.status in ('submitting', 'in_doubt')
"""
EXECUTIONS = """
select d.account, d.decision_hash, d.broker_order_id from orderlatch.decisions as d
where d.broker_order_id is not null
"""
EVERY_TABLE = """
select format('select t::text from %%I.%%I as t', n.nspname, c.relname)
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where n.nspname like 'orderlatch%%' and c.relkind = 'r'
"""
# Beside the text of the rows, in which bytes are digits.
BODIES = "select encode(r.body, 'escape') from orderlatch_data.broker_responses as r"
DEADLOCKS = "select s.deadlocks::int from pg_stat_database as s where s.datname = current_database()"

# A worker's life may end under it, and then it begins another one.
HARMLESS = (None, "OL101")


def verify(world: World) -> None:
    """Nothing stays in doubt; and then, with all at rest, books and broker agree and nothing has leaked."""
    world.wait_until(lambda: world.number(UNKNOWN) == 0, what="the fate of every order is known")
    for worker in world.workers:
        if worker.process.poll() is None:
            worker.wait_for("worker_registered")  # before, a signal just ends it
            assert worker.stop() == 0, worker.log.read_text()
    assert world.rows("select i.* from orderlatch.invariants as i where i.violations <> 0") == []
    assert world.number(DEADLOCKS) == 0
    compare_with_the_truth(world)
    look_for_errors(world)
    look_for_secrets(world)


def compare_with_the_truth(world: World) -> None:
    """Every order of a decision is its execution, every execution is an order, and none is a second one."""
    believed = {(account, of, order) for account, of, order in world.rows(EXECUTIONS)}
    truth = world.sandbox.truth()
    # Not those that a person made at the broker: that one of them became a decision's was an operator's word.
    by_hand = {order["id"] for order in truth if order["origin"] == "admin"}
    orders = [(order["account"], order["client_order_id"], order["id"]) for order in truth]
    assert {order for order in orders if order[2] not in by_hand} == {
        order for order in believed if order[2] not in by_hand
    }
    assert {order[2] for order in believed} <= {order[2] for order in orders}
    assert len({of for _, of, _ in orders}) == len(orders), "a second order for a decision"


def look_for_errors(world: World) -> None:
    """Every line of every log is JSON, and none tells of an error or of a statement refused."""
    for worker in world.workers:
        for line in worker.log.read_text().splitlines():
            event = json.loads(line)
            assert event["level"] in ("info", "warning"), line
            assert event.get("sqlstate") in HARMLESS, line


def look_for_secrets(world: World) -> None:
    """No key and no secret is in any row or any line."""
    queries = [str(query) for (query,) in world.rows(EVERY_TABLE)]
    texts = [str(row) for query in (*queries, BODIES) for row in world.rows(query)]
    texts += [worker.log.read_text() for worker in world.workers]
    assert [text[:500] for text in texts if any(secret in text for secret in SECRETS)] == []
