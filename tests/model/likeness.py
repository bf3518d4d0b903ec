"""Does to a real database what walks of the model did to theirs, and compares the two after each act."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.races.scene import Session

NOBODY = "3"
KINDS = {"submit": "submit_order", "lookup": "find_order", "list": "list_orders"}

# The waits that the model leaves out are as short as can be; the two that it knows outlast them all together.
ACCOUNT = """
select test.given_account('paper', jsonb_build_object(
  'max_in_doubt', 100, 'max_decision_age', '30 days',
  'lookup_first_wait', '1 millisecond', 'lookup_max_wait', '1 millisecond', 'backoff_first', '1 millisecond',
  'backoff_max', '1 millisecond', 'throttle_wait', '1 millisecond',
  'absence_quiet', '2 hours', 'absence_spacing', '1 hour'
))
"""
ANSWERS = {
    ("submit_order", "order_exists"): "select test.answer_order(%s)",
    ("submit_order", "not_sent"): "select test.answer_not_sent(%s)",
    ("submit_order", "refused"): "select test.answer_error(%s, 403, 40310000, 'insufficient buying power')",
    (
        "submit_order",
        "duplicate",
    ): "select test.answer_error(%s, 422, 40010001, 'client_order_id must be unique')",
    ("submit_order", "throttled"): "select test.answer_error(%s, 429, 42910000, 'rate limit exceeded')",
    ("submit_order", "in_doubt"): "select test.answer_maybe(%s)",
    ("find_order", "order_exists"): "select test.answer_order(%s)",
    ("find_order", "absent"): "select test.answer_absent(%s)",
    ("find_order", "in_doubt"): "select test.answer_status(%s, 404, 'the page of a gateway')",
    ("list_orders", "orders_listed"): "select test.answer_status(%s, 200, '[]')",
    ("list_orders", "in_doubt"): "select test.answer_status(%s, 502, 'the page of a gateway')",
    ("list_orders", "order_exists"): """
      select test.answer_status(
               %s, 200, jsonb_build_array(test.order_document(encode(t.decision_hash, 'hex')))::text
             )
        from orderlatch_data.trade_decisions as t
    """,
}
FORGETFUL = """select orderlatch.update_account('paper', '{"broker_remembers_ids": false}')"""
OVERDUE = """
with overdue as (
  update orderlatch_data.open_requests as r
     set answer_by = orderlatch_data.clock()
   where r.request_id = %s
  returning 1
)
select count(*) from overdue
"""
SWEEP = """
select orderlatch_data.sweep_lost_requests(a, (orderlatch_data.calls_in_time(0, '-infinity')).gone)
  from orderlatch_data.accounts as a
"""
LOOKUPS_WAIT = """
with waiting as (
  update orderlatch_data.doubts as d
     set next_lookup_at = %s::timestamptz
   where d.next_lookup_at is not null
  returning 1
)
select count(*) from waiting
"""
QUIET_IS_OVER = """
select test_support.hold_clock(coalesce(max(d.believe_after), max(r.answer_by) + interval '2 hours'))
  from orderlatch_data.broker_requests as r
  left join orderlatch_data.doubts as d on true
 where r.request_id = %s
"""
SPACING_IS_OVER = """
select test_support.hold_clock(d.first_absent_at + interval '1 hour') from orderlatch_data.doubts as d
"""
STATE = """
select coalesce(o.status, s.status), coalesce(o.clean, s.clean), coalesce(o.lookup_first, false), o.submits,
       o.holder_request_id, o.lookup_request_id, r.request_id, d.next_lookup_at is not null,
       coalesce(d.was_clean, false), coalesce(d.lost, false), coalesce(d.duplicate, false),
       d.refusal is not null,
       case
         when d.second_absent_at is not null then 4
         when d.first_absent_at + interval '1 hour' <= orderlatch_data.clock() then 3
         when d.first_absent_at is not null then 2
         when d.believe_after <= orderlatch_data.clock() then 1
         else 0
       end
  from orderlatch_data.trade_decisions as t
  left join orderlatch_data.open_decisions as o on o.decision_id = t.decision_id
  left join orderlatch_data.decision_outcomes as s on s.decision_id = t.decision_id
  left join orderlatch_data.doubts as d on d.decision_id = t.decision_id
  left join orderlatch_data.broker_reads as r on r.read_id = d.read_id
"""
NAMES = ("status", "clean", "lookup_first", "submits", "holder", "lookup", "page", "lookup_due", "was_clean",
         "lost", "duplicate", "refusal", "proof")  # fmt: skip
REQUESTS = {"holder": "submit_order", "lookup": "find_order", "page": "list_orders"}


def names_in(status: str) -> tuple[str, ...]:
    """What there is to compare: a doubt only of what is in doubt, and little of what has settled."""
    match status:
        case "in_doubt":
            return NAMES
        case "approved" | "submitting":
            return NAMES[:8]
        case "refused" | "lapsed":
            return NAMES[:2]
        case _:
            return NAMES[:1]


@dataclass(slots=True)
class Act:
    """An act of a walk, the state it leads to, and the acts that walks go on with from there."""

    what: str
    told: dict[str, str]
    next: dict[tuple[str, str], Act] = field(default_factory=dict)


def tree(walks: Iterable[Sequence[str]]) -> Act:
    """Every walk from the one beginning; what walks have in common is there once."""
    root = Act("", {})
    for lines in walks:
        at = root
        for what, state in pairwise(lines):
            if state.startswith("state "):
                told = dict(re.findall(r"(\w+)=(\d+)", state)) | {"status": state.split()[1]}
                at = at.next.setdefault((what, state), Act(what, told))
    return root


@dataclass(slots=True)
class Likeness:
    """One decision of a real database, led along the walks of the model."""

    session: Session
    workers: tuple[int, int]
    decision: str
    carried: dict[int, tuple[str, str]] = field(default_factory=dict)  # by worker: kind and request
    newest: dict[str, str] = field(default_factory=dict)  # by kind: the request granted last
    meanings: dict[str, str] = field(default_factory=dict)  # by request: of its first answer
    given: set[tuple[str, str]] = field(default_factory=set)  # kinds of requests and of answers, on all ways

    @classmethod
    def begin(cls, session: Session) -> Self:
        """An account, two workers and a decision that risk has approved."""
        session.rows("select test_support.hold_clock('2026-03-02 15:00:00Z')")
        session.rows(ACCOUNT)
        workers = (session.number("select test.given_worker()"), session.number("select test.given_worker()"))
        return cls(session, workers, session.text("select test.given_approved_decision()"))

    def follow(self, at: Act, path: tuple[str, ...] = ()) -> int:
        """Go every way from here, and come back; how many acts that were."""
        acts = 0
        for act in at.next.values():
            with self.session.connection.transaction():
                there = replace(
                    self, carried=dict(self.carried), newest=dict(self.newest), meanings=dict(self.meanings)
                )
                try:
                    there.do(act.what)
                    there.compare(act.told, before=at.told)
                except (AssertionError, psycopg.Error) as error:
                    error.add_note("\n".join(("the way there:", *path, act.what)))
                    raise
                acts += 1 + there.follow(act, (*path, act.what))
                raise psycopg.Rollback
        if not at.next:
            broken = self.session.value("select test.broken_promises()")
            assert broken == [], f"after {path} the promises {broken} are broken"
        return acts

    def do(self, act: str) -> None:
        """Do one act; those of workers and of the broker leave the database alone."""
        match re.findall(r"\w+", act):
            case ["worker", worker, "is", "granted", kind]:
                self._grant(int(worker), kind)
            case ["worker", worker, "records", meaning, *rest]:
                self._record(int(worker), meaning, stale="stale" in rest)
            case ["database", "the", what, "of", "worker", *_]:
                assert self.session.number(OVERDUE, self.newest[KINDS[what]]) == 1, act
                self.session.rows(SWEEP)
            case ["time", "the", *_]:
                self.session.rows(QUIET_IS_OVER, self.newest["submit_order"])
            case ["time", "absence_spacing", *_]:
                self.session.rows(SPACING_IS_OVER)
            case ["operator", *_]:
                self.session.rows(FORGETFUL)
            case ["strategy", *_]:
                self.session.rows("select orderlatch.withdraw_decision(%s, 'taken back')", self.decision)
            case _:
                return

    def compare(self, told: dict[str, str], before: dict[str, str]) -> None:
        """Both databases must say the same of the decision."""
        (real,) = self.session.rows(STATE)
        names = names_in(told["status"])
        values = dict(zip(names, map(_as_told, real), strict=False))
        expected = {name: self._expected(name, told) for name in names}
        assert values == expected, f"the real database says {values}, that of the model {expected}"
        if told["status"] == "submitted" and before.get("status") in {"refused", "lapsed"}:
            incidents = self.session.value("select test.incidents()")
            assert incidents == ["order_despite_verdict"], f"incidents: {incidents}"

    def _grant(self, worker: int, kind: str) -> None:
        # the claim sweeps too; what that puts off is due again after the shortest wait
        self.session.rows(SWEEP)
        self.session.rows("select test_support.advance_clock('10 milliseconds')")
        if kind == "list_orders":
            self.session.number(LOOKUPS_WAIT, "infinity")
        request = self.session.text(
            "select (test.claim_one(%s, %s)).request_id::text", self.workers[worker - 1], kind
        )
        if kind == "list_orders":
            self.session.number(LOOKUPS_WAIT, "-infinity")
        self.carried[worker] = (kind, request)
        self.newest[kind] = request

    def _record(self, worker: int, meaning: str, *, stale: bool) -> None:
        kind, request = self.carried[worker]
        said = self.session.text(f"select test.record(({ANSWERS[kind, meaning]}))", request)
        if request in self.meanings:
            assert said == self.meanings[request], f"a {kind} that was {self.meanings[request]} is now {said}"
        elif kind != "list_orders":
            assert (said == "stale") == stale, f"the answer {meaning} to a {kind} means {said}"
        self.meanings.setdefault(request, said)
        self.given.add((kind, meaning))

    def _expected(self, name: str, told: dict[str, str]) -> str:
        kind = REQUESTS.get(name)
        if kind is None:
            return told[name]
        return "nobody" if told[name] == NOBODY else self.newest[kind]


def _as_told(value: object) -> str:
    """A value of the real database in the words of the model."""
    match value:
        case None:
            return "nobody"
        case bool():
            return str(int(value))
        case "withdrawn":
            return "lapsed"
        case _:
            return str(value)
