"""Every public function, with arguments that are right, nearly right, and anything."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import psycopg
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.arguments import Pools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.sessions import Connect

EXAMPLES = 6  # of each function
OF_THE_BUSY = 30  # of those that change most
FUNCTIONS = """
select p.proname, a.name, format_type(a.type, null)
from pg_proc as p
cross join lateral (
  select p.proargnames[t.n], t.type from unnest(p.proargtypes) with ordinality as t(type, n)
) as a(name, type)
where p.pronamespace = 'orderlatch'::regnamespace and p.prokind = 'f'
order by p.proname, array_position(p.proargnames, a.name)
"""
# what is approved comes last, or it would be granted in the place of another
STATUSES = [
    "submitted",
    "refused",
    "withdrawn",
    "lapsed",
    "rejected",
    "submitting",
    "in_doubt",
    "planned",
    "approved",
]
OUTCOMES = """
select encode(t.decision_hash, 'hex'), coalesce(o.status, s.status) from orderlatch_data.trade_decisions as t
left join orderlatch_data.open_decisions as o on o.decision_id = t.decision_id
left join orderlatch_data.decision_outcomes as s on s.decision_id = t.decision_id
"""
BROKEN = "select i.promise, i.violations from orderlatch.invariants as i where i.violations <> 0"
TABLES = """
select string_agg(format(
  'select %L, md5(coalesce(string_agg(x::text, chr(10) order by x::text), %L)) from orderlatch_data.%I as x',
  t.tablename, '', t.tablename), ' union all ' order by t.tablename)
from pg_tables as t where t.schemaname = 'orderlatch_data'
"""
# everything is added up, and nothing is too much
LIMITS = """
select orderlatch.set_limit(k.limit_kind, case k.limit_kind when 'cool_down' then 0 else 1e12 end, 'paper')
from orderlatch.limit_kinds as k where k.takes = 'ceiling'
"""
LIVENESS = "select pg_advisory_lock(orderlatch_data.lock_class('worker'), %s)"
CATALOGUE = "select array_agg(c.sqlstate) from orderlatch.error_codes as c"
BUSY = (
    "record_responses",
    "record_trade_update",
    "propose_decisions",
    "resolve_in_doubt",
    "withdraw_decision",
)
Function = tuple[str, dict[str, str]]


def public_functions(session: psycopg.Connection) -> list[Function]:
    """Every function of the schema orderlatch, and its arguments with their types."""
    functions: dict[str, Function] = {}
    for name, argument, kind in session.execute(FUNCTIONS).fetchall():
        functions.setdefault(name, (name, {}))[1][argument] = kind
    return list(functions.values())


def given_everything(session: psycopg.Connection) -> Pools:
    """An account with a worker, a decision in each status, and a call of each kind on its way."""
    session.execute("select test_support.hold_clock('2026-03-02 15:00:00Z')")
    session.execute("select test.given_account('paper')")
    session.execute(LIMITS)
    ((worker,),) = session.execute("select test.given_worker('paper')").fetchall()
    hashes = []
    for status in STATUSES:
        ((name,),) = session.execute("select test.given_decision_in(%s, %s)", [status, worker]).fetchall()
        hashes.append(name)
    session.execute("select test_support.advance_clock('2 minutes')")
    session.execute("select orderlatch.claim_requests(%s, '{paper}', 1000)", [worker])
    rows = session.execute("select q.request_id::text from orderlatch_data.broker_requests as q").fetchall()
    orders = session.execute("select b.broker_order_id from orderlatch_data.broker_orders as b").fetchall()
    return Pools(["paper"], hashes, [row[0] for row in rows], [row[0] for row in orders], worker)


def statuses(session: psycopg.Connection) -> dict[str, str]:
    return dict(session.execute(OUTCOMES).fetchall())


def digest_of(session: psycopg.Connection, query: str) -> dict[str, str]:
    """A digest of every table."""
    return dict(session.execute(query.encode()).fetchall())


def test_no_function_fails_but_as_documented_and_no_doubt_becomes_success(connect: Connect) -> None:
    session = connect()
    pools = given_everything(session)
    functions = public_functions(session)
    names = {name for name, _ in functions}
    ((catalogue,),) = session.execute(CATALOGUE).fetchall()
    ((digest_query,),) = session.execute(TABLES).fetchall()
    before, digest = statuses(session), digest_of(session, digest_query)
    went_through: set[str] = set()

    def fuzz(data: st.DataObject, name: str, arguments: Mapping[str, str]) -> None:
        sound = data.draw(st.booleans())
        values = {
            argument: (kind, data.draw(pools.of(name, argument, kind, sound=sound)))
            for argument, kind in arguments.items()
        }
        with session.transaction(force_rollback=True):
            error = failure(session, name, values)
            if name == "release_worker":
                session.execute(
                    LIVENESS, [pools.worker]
                )  # a session's lock does not come back with a rollback
            if error is not None:
                assert error.sqlstate in catalogue, f"{name} raised {error.sqlstate}: {error}"
                assert digest_of(session, digest_query) == digest, f"{name} left something behind"
                return
            went_through.add(name)
            assert session.execute(BROKEN).fetchall() == []
            moved = {decision: status for decision, status in statuses(session).items() if decision in before}
            for decision, status in moved.items():
                if status == "submitted" != before[decision]:
                    assert was_shown(name, values, decision), f"{name} took {decision} as submitted"
                if status == "refused" != before[decision]:
                    assert name in {"record_responses", "resolve_in_doubt"}, (
                        f"{name} took {decision} as refused"
                    )

    for function, examples in [(f, OF_THE_BUSY if f[0] in BUSY else EXAMPLES) for f in functions]:
        some = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck),
                        phases=[Phase.generate], derandomize=True)  # fmt: skip
        some(given(data=st.data(), name=st.just(function[0]), arguments=st.just(function[1]))(fuzz))()
    session.execute("select pg_advisory_unlock_all()")
    # functions that are only ever refused are not tested
    assert len(went_through) > len(names) / 2, sorted(names - went_through)


def failure(
    session: psycopg.Connection, name: str, values: Mapping[str, tuple[str, object]]
) -> psycopg.Error | None:
    """Call a function with named arguments; how it failed, if it did."""
    named = ", ".join(f"{argument} => %s::{kind}" for argument, (kind, _) in values.items())
    query = f"select f::text from orderlatch.{name}({named}) as f"
    try:
        with session.transaction():
            session.execute(query.encode(), [value for _, value in values.values()])
    except psycopg.Error as error:
        return error
    return None


def was_shown(name: str, values: Mapping[str, tuple[str, object]], decision: str) -> bool:
    """Whether a call showed an order of the decision, or an operator adopted one."""
    match name:
        case "resolve_in_doubt":
            return values["p_verdict"][1] == "adopt"
        case "record_trade_update":
            message = values["p_message"][1]
            return isinstance(message, bytes) and decision.encode() in message
        case "record_responses":
            reports = getattr(values["p_answers"][1], "obj", [])
            bodies = [str(report.get("body", "")) for report in reports if isinstance(report, dict)]
            return any(decision.encode() in base64.b64decode(f"{body}==") for body in bodies if body)
        case _:
            return False
