"""What operators, engines and auditors do in mixed seeds: settings, limits that stand, verdicts, audits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg.types.json import Jsonb

from tests.simulator.oracle import Halt
from tests.simulator.world import ViolationError, short

if TYPE_CHECKING:
    from random import Random

    from tests.simulator.base import Base
    from tests.simulator.book import Book
    from tests.simulator.oracle import Oracle
    from tests.simulator.people import People
    from tests.simulator.profile import AccountProfile, Profile
    from tests.simulator.world import World

LIMIT = "select orderlatch.set_limit(%s, %s, %s, %s)"
UPDATE = "select orderlatch.update_account(%s, %s)"
PLANNED = """
select encode(t.decision_hash, 'hex') from orderlatch_data.open_decisions as o
join orderlatch_data.trade_decisions as t on t.decision_id = o.decision_id
where o.status = 'planned' or (o.status = 'approved' and %s) order by o.decision_id
"""
JUDGE = {
    "approve": "select a.status from orderlatch.approve_decision(%s, %s) as a",
    "reject": "select r.status from orderlatch.reject_decision(%s, %s) as r",
}
EVALUATE = "select e.status, e.reasons from orderlatch.evaluate_decision(%s) as e"
ADJUST = "select orderlatch.adjust_position(%s, %s, %s, 'correction', 'from the statement')"
HALT = "select h.halt_id from orderlatch.halt('for a moment', %s, null, null, %s) as h"
LIFT = "select orderlatch.lift_halt(%s, 'was nothing')"
STANDS = "select count(*) from orderlatch.standing_halts as h where h.halt_id = %s"
HEAD = "select orderlatch.audit_head()"
AGAINST = "select v.* from orderlatch.verify_against(%s) as v where not v.agrees"
FINDINGS = "select v.* from orderlatch.verify_all() as v where v.what <> 'all'"
PREVIEW = "select p.decision_hash, p.status, p.outcome from orderlatch.preview_decision(%s, %s) as p"
ARCHIVE = """
select a.archived, a.more
from orderlatch.archive_before(orderlatch_data.clock() - interval '7 days', 'old', null, %s) as a
"""
VIEWS = """
select v.viewname from pg_views as v where v.schemaname = 'orderlatch' order by v.viewname
"""
EXPLAIN = "select e.story from orderlatch.explain_decision(%s) as e"
DOUBTS = """
select encode(t.decision_hash, 'hex') from orderlatch_data.open_decisions as o
join orderlatch_data.trade_decisions as t on t.decision_id = o.decision_id
where o.status = 'in_doubt' order by o.decision_id
"""
ADOPT = "select orderlatch.resolve_in_doubt(%s, 'adopt', %s)"
CHANGES = {
    "max_decision_age": ("60 seconds", "300 seconds", "900 seconds"),
    "max_in_doubt": (1, 3, 20),
    "max_submits": (1, 2, 3),
    "on_absent": ("resubmit", "lapse"),
    "crowd_size": (1, 2, 10),
    "crowd_lookup_wait": ("60 seconds", "300 seconds"),
    "reconcile_every": ("60 seconds", "600 seconds", "1800 seconds"),
    "positions_every": ("60 seconds", "1700 seconds"),
    "on_foreign_order": ("ignore", "warn", "halt"),
    "rate_limit": (30, 60, 200),
    "send_within": ("2 seconds", "5 seconds"),
    "call_timeout": ("10 seconds", "12 seconds"),
    "answer_grace": ("5 seconds", "20 seconds"),
    "absence_quiet": ("60 seconds", "90 seconds"),
    "absence_spacing": ("30 seconds", "45 seconds"),
    "one_decision_per_signal": (True, False),
    "risk_engine": ("builtin", "external", "external"),
}
STRATEGIES = ("mean-reversion", "momentum")
LOST_A_RACE = ("OL203", "OL304", "OL131")


class Desk:
    """Acts of people who are not strategies."""

    def __init__(
        self,
        world: World,
        base: Base,
        profile: Profile,
        books: dict[str, Book],
        oracle: Oracle,
        people: People,
    ) -> None:
        self._world, self._base, self._profile, self._books = world, base, profile, books
        self._oracle, self._people = oracle, people
        self._heads: list[str] = []

    def bound(self, account: AccountProfile) -> None:
        """Set the limits that stand from the beginning."""
        limits: list[tuple[str, int | None, str | None]] = [
            ("position_quantity", account.ceiling, None),
            *(("position_quantity", account.ceiling_of_strategy, strategy) for strategy in STRATEGIES),
            ("gross_exposure", account.exposure, None),
            ("short_selling", None if account.sells_short else 0, None),
        ]
        for kind, ceiling, strategy in limits:
            if ceiling is not None:
                self._base.rows("operator", LIMIT, kind, ceiling, account.name, strategy)

    def act(self, kind: str, dice: Random) -> None:
        """Do something."""
        account = dice.choice(self._profile.accounts)
        match kind:
            case "settings":
                self._change(account, dice)
            case "engine":
                self._judge(dice)
            case "adjust":
                symbol = dice.choice(self._profile.scale.symbols)
                self._books[account.name].adjusted = True
                self._books[account.name].disturbed.add(symbol)
                self._base.rows("operator", ADJUST, account.name, symbol, dice.choice((-3, 2)))
                self._world.say("operator", f"adjusts {symbol} of {account.name}")
            case "halt for a moment":
                self._halt(account, dice)
            case "keep a head":
                ((head,),) = self._base.rows("auditor", HEAD)
                self._heads.append(str(head))
            case "preview":
                self._preview(account, dice)
            case "ensure":
                self._people.deliver(account.name, [self._people.decide(dice)], dice, judged=False)
            case "evaluate":
                self._evaluate()
            case "watch":
                self._watch(dice)
            case "archive":
                rows = self._base.rows("operator", ARCHIVE, dice.choice((3, 1000)))
                self._world.say("operator", f"archives {rows}")
            case "adopt":
                self._adopt(dice)
            case _:
                raise AssertionError(kind)

    def forget(self) -> None:
        """A failover: heads of what is lost cannot be compared."""
        self._heads.clear()

    def audit(self) -> None:
        """In the end every hash is right, and nothing that a head covers has changed."""
        if not self._profile.scale.mixed:
            return
        for head in self._heads[-3:]:
            if findings := self._base.rows("auditor", AGAINST, head):
                raise ViolationError(f"what a head covers has changed: {findings}")
        if findings := self._base.rows("auditor", FINDINGS):
            raise ViolationError(f"verify_all finds {findings}")

    def _change(self, account: AccountProfile, dice: Random) -> None:
        setting = dice.choice(sorted(CHANGES))
        value = dice.choice(CHANGES[setting])
        self._base.rows("operator", UPDATE, account.name, Jsonb({setting: value}))
        account.change(setting, value)
        self._world.say("operator", f"sets {setting} of {account.name} to {value}")

    def _judge(self, dice: Random) -> None:
        for (name,) in self._base.rows("engine", PLANNED, dice.random() < 0.2):
            verdict = "approve" if dice.random() < 0.8 else "reject"
            try:
                rows = self._base.rows("engine", JUDGE[verdict], name, Jsonb({"model": "seven"}))
            except psycopg.Error as error:
                if error.sqlstate not in LOST_A_RACE:
                    raise
                continue
            self._world.say("engine", f"{verdict}s {short(name)}: {rows}")

    def _evaluate(self) -> None:
        for (name,) in self._base.rows("engine", PLANNED, False):
            try:
                rows = self._base.rows("strategy", EVALUATE, name)
            except psycopg.Error as error:
                if error.sqlstate not in LOST_A_RACE:
                    raise
                continue
            self._world.say("strategy", f"has {short(name)} judged: {rows}")

    def _halt(self, account: AccountProfile, dice: Random) -> None:
        """Halt an account, have everything canceled, and lift the halt in the middle of it."""
        rows = self._base.rows("operator", HALT, account.name, dice.random() < 0.7)
        halt_id = int(str(rows[0][0]))
        self._oracle.halts[halt_id] = Halt(halt_id, account.name, None, None, self._world.now)
        self._world.say("operator", f"halts {account.name} for a moment")

        def lift() -> None:
            if halt_id in self._oracle.halts and self._base.rows("operator", STANDS, halt_id) == [(1,)]:
                self._base.rows("operator", LIFT, halt_id)
                del self._oracle.halts[halt_id]
                self._world.say("operator", f"lifts halt {halt_id}")

        self._world.after(dice.uniform(0.1, 20), lift)

    def _preview(self, account: AccountProfile, dice: Random) -> None:
        """What a preview says is what proposing answers."""
        document = self._people.decide(dice)
        [shown] = self._base.rows("strategy", PREVIEW, account.name, Jsonb(document))
        [row] = self._people.deliver(account.name, [document], dice)
        # one whose answer got lost was delivered again, and exists then
        if row[:3] != shown and row[2] != "existing":
            raise ViolationError(f"previewed as {shown}, proposed as {row}")

    def _watch(self, dice: Random) -> None:
        """Read what people read; nothing of it may fail."""
        for (view,) in self._base.rows("auditor", VIEWS):
            self._base.rows(
                "auditor", f"select count(*) from (select v::text from orderlatch.{view} as v) as n"
            )
        recent = list(self._oracle.decisions)[-40:]
        for name in dice.sample(recent, min(3, len(recent))):
            if not self._base.rows("auditor", EXPLAIN, name) and not self._profile.fails_over:
                raise ViolationError(f"{short(name)} has no story")

    def _adopt(self, dice: Random) -> None:
        """Look for what is in doubt at the broker, and adopt what is there."""
        for (name,) in self._base.rows("operator", DOUBTS):
            known = self._oracle.decisions[str(name)]
            orders = self._books[known.account].by_client_order_id.get(known.decision_hash, [])
            if orders and dice.random() < 0.7:
                evidence = Jsonb({"broker_order_id": orders[0].order_id})
                try:
                    self._base.rows("operator", ADOPT, name, evidence)
                except psycopg.Error as error:
                    if error.sqlstate not in LOST_A_RACE:
                        raise
