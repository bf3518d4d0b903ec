"""Looks over everybody's shoulder: what was granted, what came back, and whether that was allowed.

It knows the rules from the documentation and what happened from the wire. Of the database it asks only what
nobody outside can know: which halts the core has set.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.races.books import BEFORE_THE_MARKS
from tests.simulator.world import S, ViolationError, short

if TYPE_CHECKING:
    from tests.simulator.base import Base
    from tests.simulator.book import Book, Document
    from tests.simulator.front import Call, Reply
    from tests.simulator.profile import AccountProfile, Profile
    from tests.simulator.world import World

# of each decision: whether a halt holds it back, and how many of its symbol are on their way or in doubt
STANDING = """
select d.decision_hash, exists (
  select from orderlatch_data.halts as h
  left join orderlatch_data.accounts as a on a.account_id = h.account_id
  where h.lifted_at is null and (a.account is null or a.account = d.account)
    and coalesce(h.strategy_id, d.strategy) = d.strategy and coalesce(h.symbol, d.symbol) = d.symbol
), (
  select count(*) from orderlatch_data.open_decisions as o
  join orderlatch_data.accounts as a on a.account_id = o.account_id
  where a.account = d.account and o.symbol = d.symbol and o.status in ('submitting', 'in_doubt')
)
from unnest(%s::text[], %s::text[], %s::text[], %s::text[]) as d(decision_hash, account, strategy, symbol)
"""
MEMBERS = ("action", "order_type", "time_in_force", "qty", "notional", "limit_price", "stop_price",
           "trail_price", "trail_percent", "extended_hours", "order_class", "take_profit",
           "stop_loss")  # fmt: skip
INVARIANTS = "select i.promise, i.violations from orderlatch.invariants as i where i.violations <> 0"
SUBMITTED = """
select a.account, encode(t.decision_hash, 'hex') from orderlatch_data.decision_outcomes as s
join orderlatch_data.trade_decisions as t on t.decision_id = s.decision_id
join orderlatch_data.accounts as a on a.account_id = t.account_id
where s.status = 'submitted' and s.settled_at >= %s
"""


@dataclass(slots=True)
class Known:
    """A decision, as its strategy knows it, with all that was done for it on the wire."""

    decision_hash: str
    account: str
    strategy: str
    symbol: str
    document: Document
    recorded_at: int
    send_until: int
    submits: list[Call] = field(default_factory=list)
    lookups: list[Call] = field(default_factory=list)
    declared_absent_at: int = -1
    parts_lost: bool = False
    """A failover has lost something of it: what the database cannot know it is not measured by."""


@dataclass(slots=True)
class Halt:
    """A halt that an operator has set."""

    halt_id: int
    account: str | None
    strategy: str | None
    symbol: str | None
    at: int

    def covers(self, decision: Known) -> bool:
        """Whether it stops a decision."""
        return (
            self.account in (None, decision.account)
            and self.strategy in (None, decision.strategy)
            and self.symbol in (None, decision.symbol)
        )


class Oracle:
    """The simulator's own books."""

    def __init__(self, world: World, base: Base, profile: Profile, books: dict[str, Book]) -> None:
        self._world, self._base, self._books = world, base, books
        self.accounts: dict[str, AccountProfile] = {account.name: account for account in profile.accounts}
        self.decisions: dict[str, Known] = {}
        self.halts: dict[int, Halt] = {}
        self.core_halted: set[str] = set()
        self._granted: dict[str, list[tuple[int, int]]] = {}
        self.calls: list[Call] = []
        self.incidents: set[tuple[str, str]] = set()
        """Incidents that must exist: (account, kind)."""
        self.duplicates_said: set[str] = set()
        self._lists: dict[str, list[Call]] = {}
        self._spent: dict[str, deque[int]] = {name: deque() for name in self.accounts}
        self._fresh: list[Call] = []
        self._seen: set[str] = set()
        self._checked_at = 0

    # claims ------------------------------------------------------------------------------------------------

    def granted(self, call: Call) -> None:
        """Note a call that was granted; it is judged when its claim is over."""
        if call.request_id in self._seen:
            raise ViolationError(f"request {call.request_id} was granted twice")
        self._seen.add(call.request_id)
        self.calls.append(call)
        self._fresh.append(call)

    def after_claim(self, worker: str) -> None:
        """Judge all that one claim has granted."""
        fresh, self._fresh = self._fresh, []
        for call in fresh:
            self._judge_budget(call)
            if call.kind == "submit_order":
                self._judge_submit(call, worker)
            elif call.kind == "find_order" and call.decision in self.decisions:
                self.decisions[call.decision].lookups.append(call)
            elif call.kind == "list_orders":
                self._lists.setdefault(call.account, []).append(call)
        self._judge_standing([call for call in fresh if call.kind == "submit_order"])

    def _judge_standing(self, submits: list[Call]) -> None:
        """Ask the database what only it can know of the decisions that are submitted now."""
        if not submits:
            return
        decisions = [self.decisions[str(call.decision)] for call in submits]
        columns = zip(*((d.decision_hash, d.account, d.strategy, d.symbol) for d in decisions), strict=True)
        rows = self._base.rows("observer", STANDING, *(list(column) for column in columns))
        for decision_hash, halted, busy in rows:
            decision = self.decisions[str(decision_hash)]
            if halted:
                raise ViolationError(
                    f"{short(decision.decision_hash)} was granted under a halt that the core has set"
                )
            if busy != 1:
                raise ViolationError(
                    f"{busy} decisions of {decision.symbol} are submitting or in doubt together"
                )

    def _judge_budget(self, call: Call) -> None:
        spent = self._spent[call.account]
        spent.append(call.claimed_at)
        while spent[0] <= call.claimed_at - 60 * S:
            spent.popleft()
        if len(spent) > max(self.accounts[call.account].ever("rate_limit")):
            raise ViolationError(f"{len(spent)} calls of {call.account} within a minute")

    def _judge_submit(self, call: Call, worker: str) -> None:
        decision = self.decisions.get(str(call.decision))
        if decision is None:
            raise ViolationError(f"a submit for {call.decision}, which nobody proposed")
        name = short(decision.decision_hash)
        self._judge_body(call, decision)
        if call.send_by > decision.send_until:
            raise ViolationError(f"{name} may be sent after it lapses")
        if self.accounts[call.account].live and call.send_by > self.live_until(call.account):
            raise ViolationError(f"{name} may be sent after the live grant has ended")
        if any(halt.covers(decision) for halt in self.halts.values()) or call.account in self.core_halted:
            raise ViolationError(f"{name} was granted to {worker} under a halt")
        if decision.submits:
            self._judge_repeat(call, decision)
        decision.submits.append(call)

    def _judge_body(self, call: Call, decision: Known) -> None:
        body, wanted = call.body or {}, decision.document
        names = {"action": "side", "order_type": "type"}
        for member in MEMBERS:
            if body.get(names.get(member, member)) != wanted.get(member):
                raise ViolationError(f"{short(call.decision)} was decided with another {member}")

    def _judge_repeat(self, call: Call, decision: Known) -> None:
        """Only after a submit that provably made no order may another one follow."""
        last, name = decision.submits[-1], short(decision.decision_hash)
        if decision.parts_lost or decision.declared_absent_at >= last.claimed_at:
            return
        if any(meaning in ("not_sent", "unauthorized") for meaning in last.meanings):
            return
        looked = [look for look in decision.lookups if look.said_absent and "absent" in look.meanings]
        if "throttled" in last.meanings:
            throttled_at = next(at for at, _, meaning in last.recorded if meaning == "throttled")
            if any(look.claimed_at >= throttled_at for look in looked):
                return
            raise ViolationError(f"{name} was sent again after a 429 without a look")
        if any(meaning == "duplicate" for submit in decision.submits for meaning in submit.meanings):
            raise ViolationError(f"{name} was sent again after the broker had said that its id is taken")
        self._judge_proof(decision, last, looked, name)
        counted = sum(
            1 for submit in decision.submits if not {"not_sent", "unauthorized"} & set(submit.meanings)
        )
        if counted >= max(self.accounts[call.account].ever("max_submits")):
            raise ViolationError(f"{name} is submitted more often than max_submits")

    def _judge_proof(self, decision: Known, last: Call, looked: list[Call], name: str) -> None:
        account = self.accounts[decision.account]
        said_at = min((at for at, _, meaning in last.recorded if meaning != "stale"), default=0)
        quiet_from = max(last.answer_by, said_at) + round(min(account.ever("absence_quiet")) * S)
        counted = [look for look in looked if look.claimed_at >= quiet_from]
        if not counted:
            raise ViolationError(f"{name} was sent again before the quiet time was over, or without a look")
        first = min(min(at for at, _, meaning in look.recorded if meaning == "absent") for look in counted)
        spacing = round(min(account.ever("absence_spacing")) * S)
        if not any(look.claimed_at >= first + spacing for look in counted):
            raise ViolationError(f"{name} was sent again after one look")
        if not any(
            page.claimed_at >= first and page.last_page and "orders_listed" in page.meanings
            for page in self._lists.get(decision.account, [])
            if (page.query or {}).get("status") == "all"
            and (page.query or {}).get("symbols") in (None, decision.symbol)
        ):
            raise ViolationError(f"{name} was sent again without a complete list of orders")

    # answers -----------------------------------------------------------------------------------------------

    def recorded(self, call: Call, sent: str, reply: Reply | None, meaning: str) -> None:
        """Judge what an answer was taken to mean."""
        call.recorded.append((call.tried_at.get(sent, self._world.now), sent, meaning))
        name = f"{call.kind} [{short(call.request_id)}]"
        if meaning in ("order_exists", "order_mismatch", "duplicate_order", "replacement_seen"):
            order = _document(reply)
            if sent != "yes" or order is None or order.get("client_order_id") != call.decision:
                raise ViolationError(f"{name}: an order was read out of an answer that shows none")
        if meaning == "absent" and (reply is None or not reply.absent) and call.kind != "cancel_order":
            raise ViolationError(f"{name}: absence was read out of an answer that does not say so")
        if meaning == "not_sent" and sent != "no":
            raise ViolationError(f"{name}: taken as not sent, and it may have been")
        if meaning == "refused":
            self._judge_refusal(call, reply, name)
        if meaning in ("unauthorized", "account_mismatch", "order_mismatch") and len(call.recorded) == 1:
            self.core_halted.add(call.account)
            self.incidents.add((call.account, meaning))
        if meaning == "duplicate":
            self.duplicates_said.add(str(call.decision))

    def _judge_refusal(self, call: Call, reply: Reply | None, name: str) -> None:
        if reply is None or reply.status not in (400, 403, 422):
            raise ViolationError(f"{name}: taken as refused without a refusal")
        decision = self.decisions[str(call.decision)]
        unclean = [
            s
            for s in decision.submits
            if s is not call and not {"not_sent", "unauthorized"} & set(s.meanings)
        ]
        if unclean and not decision.parts_lost:
            raise ViolationError(f"{name}: a refusal was final although an earlier submit may have landed")

    # in between --------------------------------------------------------------------------------------------

    def look_closer(self) -> None:
        """What is too dear for every step: the database's promises, every order that it claims to have."""
        if broken := self._base.rows("observer", INVARIANTS):
            raise ViolationError(f"the database breaks its promises: {broken}")
        if self._base.rows("observer", BEFORE_THE_MARKS) != [(0,)]:
            raise ViolationError("something that is open lies before the marks that searches begin at")
        rows = self._base.rows("observer", SUBMITTED, self._world.time(self._checked_at))
        self._checked_at = self._world.now
        for account, decision_hash in rows:
            if str(decision_hash) not in self._books[str(account)].by_client_order_id:
                raise ViolationError(f"{short(decision_hash)} is submitted, and the broker has no order")

    def note_grant(self, account: str, at: int, until: int) -> None:
        """An operator let an account submit until then; until the very moment: ended all grants."""
        self._granted.setdefault(account, []).append((at, until))

    def live_until(self, account: str) -> int:
        """Until when an account may submit, by what the database still knows."""
        ends = -1
        for at, until in self._granted.get(account, []):
            ends = at if until == at else max(ends, until)
        return ends

    def forget_since(self, moment: int) -> None:
        """A failover: the database does not know any more what happened after a moment."""
        for decision in self.decisions.values():
            touched = [decision.recorded_at, decision.declared_absent_at]
            touched += [at for call in decision.submits + decision.lookups for at in _moments(call)]
            decision.parts_lost = decision.parts_lost or max(touched) >= moment
        for account, grants in self._granted.items():
            self._granted[account] = [(at, until) for at, until in grants if at < moment]


def _moments(call: Call) -> list[int]:
    return [call.claimed_at, *(at for at, _, _ in call.recorded)]


def _document(reply: Reply | None) -> Document | None:
    try:
        document = json.loads(reply.body) if reply is not None else None
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
