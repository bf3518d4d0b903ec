"""Strategies that decide, repeat themselves and make mistakes; operators who halt, lift, look and sign."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg.types.json import Jsonb

from tests.simulator.base import ConnectionLostError
from tests.simulator.kinds import mixed
from tests.simulator.oracle import Halt, Known
from tests.simulator.profile import SYMBOLS
from tests.simulator.world import S, ViolationError, short

if TYPE_CHECKING:
    from random import Random

    from tests.simulator.base import Base, Row
    from tests.simulator.book import Book, Document
    from tests.simulator.carrier import Carrier
    from tests.simulator.oracle import Oracle
    from tests.simulator.profile import Profile
    from tests.simulator.world import World

PROPOSE = """
select p.decision_hash, p.status, p.outcome, p.error_code
from orderlatch.propose_decisions(%s, %s) as p order by p.input_no
"""
ENSURE = "select e.decision_hash, e.status, e.outcome, null from orderlatch.ensure_decision(%s, %s) as e"
WITHDRAW = "select w.status, w.outcome from orderlatch.withdraw_decision(%s, %s, %s) as w"
HALT = "select h.halt_id, h.what, h.decision_hash from orderlatch.halt(%s, %s, %s, %s, %s) as h"
LIFT = "select orderlatch.lift_halt(%s, 'it is over')"
STANDING = """
select h.halt_id, a.account, h.strategy_id, h.symbol, h.reason
from orderlatch_data.halts as h left join orderlatch_data.accounts as a on a.account_id = h.account_id
where h.lifted_at is null order by h.halt_id
"""
OPEN_INCIDENTS = "select i.incident_id, i.incident from orderlatch.open_incidents as i order by i.incident_id"
CLOSE = "select orderlatch.close_incident(%s, 'looked at')"
GRANT = "select orderlatch.grant_live(%s, %s, 'the desk is manned')"
REVOKE = "select r.what from orderlatch.revoke_live(%s) as r"
LIMIT = "select orderlatch.set_limit(%s, %s, %s, null, %s, %s)"
DOUBTS = """
select a.account, encode(t.decision_hash, 'hex'), d.mismatched, d.duplicate, d.in_doubt_at
from orderlatch_data.doubts as d
join orderlatch_data.open_decisions as o on o.decision_id = d.decision_id and o.status = 'in_doubt'
join orderlatch_data.trade_decisions as t on t.decision_id = d.decision_id
join orderlatch_data.accounts as a on a.account_id = d.account_id
order by d.decision_id
"""
RESOLVE = "select orderlatch.resolve_in_doubt(%s, %s, %s)"
CANCEL = "select c.state from orderlatch.cancel_order(%s, %s, 'not wanted any more') as c"
RECONCILE = "select orderlatch.reconcile_account(%s, 'to be sure')"
ACCEPT = "select p.symbol from orderlatch.accept_positions(%s, 'split', 'seen in the statement') as p"
EVENTS = "select e.cursor, e.caught_up, e.event_key from orderlatch.events_since(%s, 200) as e"
STATUS = "select s.status from orderlatch.decision_status(%s) as s"
STRATEGIES = ("mean-reversion", "momentum")
LOST_A_RACE = ("OL203", "OL131")


class People:
    """Everybody who calls the database, but for workers."""

    def __init__(
        self,
        world: World,
        base: Base,
        profile: Profile,
        books: dict[str, Book],
        oracle: Oracle,
        carrier: Carrier,
    ) -> None:
        self._world, self._base, self._profile, self._books = world, base, profile, books
        self._oracle, self._carrier = oracle, carrier
        self.proposed = 0
        self._delivered: list[tuple[str, Document, Known | None]] = []
        self._cursor: str | None = None
        self.followed: set[str] = set()

    # strategies --------------------------------------------------------------------------------------------

    def propose(self, dice: Random) -> None:
        """Decide a few things, and deliver them until it is known that they have arrived."""
        account = dice.choice(self._profile.accounts)
        count = dice.choice(self._profile.scale.batches)
        batch = [self.decide(dice) for _ in range(count)]
        if self._profile.scale.mixed and dice.random() < 0.1:
            batch.append(_respelt(dice.choice(batch), dice))
        self.deliver(account.name, batch, dice)

    def repeat(self, dice: Random) -> None:
        """Deliver something again, spelt otherwise, or beside something that cannot be read."""
        known = [(account, document) for account, document, _ in self._delivered[-40:]]
        if not known:
            return
        account, document = dice.choice(known)
        batch: list[Document] = [_respelt(document, dice)]
        if dice.random() < 0.4:
            batch.insert(0, {**document, "qty": "none"})
        if dice.random() < 0.3:
            batch.append({"symbol": "AAPL", "limit_prize": "1"})
        self.deliver(account, batch, dice)

    def withdraw(self, dice: Random, *, cancel: bool) -> None:
        """Take a decision of the last minutes back."""
        recent = list(self._oracle.decisions.values())[-30:]
        if not recent:
            return
        decision = dice.choice(recent)
        rows = self._insist("strategy", dice, WITHDRAW, decision.decision_hash, "changed its mind", cancel)
        self._world.say("strategy", f"withdraws {short(decision.decision_hash)}: {rows}")
        self._carrier.wake_all()

    def deliver_all_again(self, since: int) -> None:
        """After a failover: propose again what may have been lost."""
        for account, document, known in self._delivered:
            if known is None or known.recorded_at >= since:
                self.deliver(account, [document], self._world.dice("again", self._world.now, str(document)))

    def follow(self) -> None:
        """Read all events since the last time."""
        while True:
            rows = self._base.rows("strategy", EVENTS, self._cursor)
            for cursor, _, key in rows:
                self._cursor = str(cursor)
                if key is not None:
                    if str(key) in self.followed and self._base.generation == 0:
                        raise ViolationError(f"event {key} came twice")
                    self.followed.add(str(key))
            if not rows or rows[-1][1]:
                return

    def decide(self, dice: Random) -> Document:
        """A decision, as a strategy has it."""
        document = self._decide_simply(dice)
        return mixed(document, dice) if self._profile.scale.mixed else document

    def _decide_simply(self, dice: Random) -> Document:
        symbol = dice.choice(self._profile.scale.symbols)
        crypto = "/" in symbol
        self.proposed += 1
        # a signal is sometimes answered twice, otherwise
        signal = self._world.now // S if dice.random() < 0.95 else self._world.now // (300 * S) * 300
        moment = self._world.time(signal * S)
        document: Document = {
            "strategy_id": dice.choice(STRATEGIES),
            "symbol": symbol,
            "event_ts": moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "timeframe": "1m",
            "leg": str(self.proposed) if signal == self._world.now // S else "",
            "action": "buy" if dice.random() < 0.85 else "sell",
            "order_type": "market",
            "time_in_force": "gtc" if crypto else "day",
        }
        kind = dice.random()
        if kind < 0.1:
            document["notional"] = str(dice.choice((50, 100, 250)))
        else:
            document["qty"] = str(dice.randint(1, 20))
        if kind > 0.5:
            document["order_type"] = "limit"
            document["limit_price"] = str(dice.randint(90, 110))
        if dice.random() < 0.1:
            until = self._world.time(self._world.now + dice.randint(2, 240) * S)
            document["valid_until"] = until.isoformat(timespec="seconds").replace("+00:00", "Z")
        return document

    def deliver(self, account: str, batch: list[Document], dice: Random, *, judged: bool = True) -> list[Row]:
        """Deliver decisions until an answer comes, and judge it."""
        if judged:
            rows = self._insist("strategy", dice, PROPOSE, account, Jsonb(batch))
        else:
            rows = [self._insist("strategy", dice, ENSURE, account, Jsonb(each))[0] for each in batch]
        profile = self._oracle.accounts[account]
        for document, (decision_hash, status, outcome, error) in zip(batch, rows, strict=True):
            if outcome == "invalid":
                if error is None or decision_hash is not None:
                    raise ViolationError(f"an invalid decision came back as {decision_hash}, {error}")
                continue
            if outcome == "collision":
                raise ViolationError("two intents have one hash")
            name = str(decision_hash)
            if name not in self._oracle.decisions:
                send_until = self._world.now + round(profile.seconds("max_decision_age") * S)
                if "valid_until" in document:
                    send_until = min(send_until, self._moment(document["valid_until"]))
                self._oracle.decisions[name] = Known(
                    name, account, str(document["strategy_id"]), str(document["symbol"]), document,
                    self._world.now, send_until,
                )  # fmt: skip
                self._delivered.append((account, document, self._oracle.decisions[name]))
                self._world.say(
                    "strategy", f"proposes {short(name)} {account} {document['symbol']}: {outcome} {status}"
                )
            elif outcome == "created":
                known = self._oracle.decisions[name]
                if not known.parts_lost:
                    raise ViolationError(f"{short(name)} was recorded twice")
                known.send_until = max(
                    known.send_until, self._world.now + round(profile.seconds("max_decision_age") * S)
                )
                known.recorded_at = self._world.now
        self._carrier.wake_all()
        return rows

    # operators ---------------------------------------------------------------------------------------------

    def halt(self, dice: Random) -> None:
        """Halt something; what it returns as in flight is all that may still leave."""
        account = dice.choice([None, *(a.name for a in self._profile.accounts)])
        strategy = dice.choice((None, None, *STRATEGIES))
        mixed_ones = self._profile.scale.symbols if self._profile.scale.mixed else SYMBOLS[:4]
        symbol = dice.choice((None, None, *mixed_ones))
        cancels = dice.random() < 0.3
        spelt = symbol if symbol is None or cancels else symbol.replace("/", "")
        rows = self._insist("operator", dice, HALT, "looks wrong", account, strategy, spelt, cancels)
        halt_id = int(str(rows[0][0]))
        self._oracle.halts[halt_id] = Halt(halt_id, account, strategy, symbol, self._world.now)
        self._world.say("operator", f"halts {account} {strategy} {symbol}{' and cancels' if cancels else ''}")
        self._carrier.wake_all()

    def lift(self, *, everything: bool = False) -> None:
        """Lift what has stood for long enough."""
        for halt_id, account, strategy, symbol, reason in self._base.rows("operator", STANDING):
            known = self._oracle.halts.get(int(str(halt_id)))
            if known is not None and self._world.now - known.at < 240 * S and not everything:
                continue
            self._base.rows("operator", LIFT, halt_id)
            self._oracle.halts.pop(int(str(halt_id)), None)
            if strategy is None and symbol is None:
                self._oracle.core_halted.discard(str(account))
            self._world.say("operator", f"lifts halt {halt_id} of {account} ({reason})")
        self._carrier.wake_all()

    def look_around(self, *, everything: bool = False) -> None:
        """A round of the desk: doubts that only a person ends, incidents, halts, grants, positions."""
        for account, decision_hash, mismatched, duplicate, since in self._base.rows("operator", DOUBTS):
            waited = self._world.time() - since  # type: ignore[operator]
            if (mismatched or duplicate) and (everything or waited.total_seconds() > 600):
                self._resolve(str(account), str(decision_hash))
        for incident_id, incident in self._base.rows("operator", OPEN_INCIDENTS):
            if incident == "position_drift":
                self._accept()
                self._world.after(20, self._accept)  # when the fills have been read for it
            elif incident != "fill_mismatch":  # it goes by itself, or something is wrong
                self._base.rows("operator", CLOSE, incident_id)
        self.lift(everything=everything)
        for account in self._profile.accounts:
            if account.live:
                self.grant(account.name, 1800)

    def _accept(self) -> None:
        """Take over what the broker says of positions."""
        for account in self._profile.accounts:
            self._base.rows("operator", ACCEPT, account.name)

    def grant(self, account: str, seconds: int) -> None:
        """Let a live account submit for a while."""
        self._base.rows("operator", GRANT, account, f"{seconds} seconds")
        self._oracle.note_grant(account, self._world.now, self._world.now + seconds * S)

    def revoke(self) -> None:
        """End the live grants."""
        for account in self._profile.accounts:
            if account.live:
                self._base.rows("operator", REVOKE, account.name)
                self._oracle.note_grant(account.name, self._world.now, self._world.now)
                self._world.say("operator", f"revokes the live grants of {account.name}")

    def limit(self, dice: Random) -> None:
        """Set a limit, or take it back."""
        account = dice.choice(self._profile.accounts).name
        kind, ceiling = dice.choice(self._profile.scale.limits)
        self._base.rows("operator", LIMIT, kind, ceiling, account, None, dice.random() < 0.5)
        self._world.say("operator", f"sets {kind} of {account}")

    def cancel(self, dice: Random) -> None:
        """Cancel an open order of the books."""
        for account, book in self._books.items():
            orders = [order for order in list(book.orders.values())[-20:] if order.is_open]
            if orders:
                order = dice.choice(orders)
                try:
                    rows = self._base.rows("operator", CANCEL, account, order.order_id)
                except psycopg.Error as error:
                    if error.sqlstate not in LOST_A_RACE:
                        raise
                    continue
                self._world.say("operator", f"cancels {short(order.order_id)}: {rows}")
        self._carrier.wake_all()

    def reconcile(self) -> None:
        """Have everything read."""
        for account in self._profile.accounts:
            self._base.rows("operator", RECONCILE, account.name)
        self._carrier.wake_all()

    def learn_halts(self) -> None:
        """After a failover: see which halts are left."""
        self._oracle.halts.clear()
        self._oracle.core_halted.clear()
        for halt_id, account, strategy, symbol, _ in self._base.rows("operator", STANDING):
            halt = Halt(int(str(halt_id)), _text(account), _text(strategy), _text(symbol), self._world.now)
            self._oracle.halts[halt.halt_id] = halt

    def _resolve(self, account: str, decision_hash: str) -> None:
        orders = self._books[account].by_client_order_id.get(decision_hash, [])
        verdict, evidence = (
            ("adopt", {"broker_order_id": orders[0].order_id}) if orders else ("absent", {"seen": "all"})
        )
        decision = self._oracle.decisions[decision_hash]
        try:
            rows = self._base.rows("operator", RESOLVE, decision_hash, verdict, Jsonb(evidence))
        except psycopg.Error as error:
            if error.sqlstate not in LOST_A_RACE:
                raise
            return
        if verdict == "absent":
            decision.declared_absent_at = self._world.now
        self._world.say("operator", f"resolves {short(decision_hash)}: {verdict} -> {rows}")

    # -------------------------------------------------------------------------------------------------------

    def _insist(self, who: str, dice: Random, query: str, *arguments: object) -> list[Row]:
        """Call until an answer comes."""
        while True:
            try:
                return self._base.shaky_rows(who, dice, 0.04 * self._profile.roughness, query, *arguments)
            except ConnectionLostError:
                continue

    def _moment(self, text: object) -> int:
        return self._world.micros(datetime.fromisoformat(str(text)))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _respelt(document: Document, dice: Random) -> Document:
    """The same decision, as another program would write it."""
    spelt = dict(reversed(document.items()))
    if "qty" in spelt:
        whole = str(spelt["qty"]).isdigit()
        spelt["qty"] = dice.choice(
            (
                f"{spelt['qty']}{'.0' if whole else '0'}",
                f"+{spelt['qty']}",
                int(str(spelt["qty"])) if whole else float(str(spelt["qty"])),
                f"0{spelt['qty']}",
            )
        )
    if spelt.get("order_class", "") != "":
        spelt["order_class"] = str(spelt["order_class"]).upper()
    if "limit_price" in spelt:
        spelt["limit_price"] = f"{spelt['limit_price']}{'0' if '.' in str(spelt['limit_price']) else '.00'}"
    spelt["symbol"] = f" {str(spelt['symbol']).lower()}"
    spelt["action"] = str(spelt["action"]).upper()
    spelt["event_ts"] = str(spelt["event_ts"]).replace("Z", "+00:00").replace("T", " ")
    if spelt.get("leg") == "":
        del spelt["leg"]
    spelt.pop("valid_until", None)
    spelt["rationale"] = "again"
    return spelt
