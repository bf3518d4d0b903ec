"""The end of a simulation: what the database has is compared with the truth, row by row."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.simulator.book import number
from tests.simulator.world import StuckError, ViolationError, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator.base import Base
    from tests.simulator.book import Book, Order
    from tests.simulator.oracle import Known, Oracle
    from tests.simulator.people import People

UNSETTLED = """
select a.account, encode(t.decision_hash, 'hex'), o.status, o.lapse_at, o.next_try_at
from orderlatch_data.open_decisions as o
join orderlatch_data.trade_decisions as t on t.decision_id = o.decision_id
join orderlatch_data.accounts as a on a.account_id = o.account_id order by o.decision_id
"""
UNFINISHED = """
select (select count(*) from orderlatch_data.open_requests)
  + (select count(*) from orderlatch_data.order_checks)
  + (select count(*) from orderlatch_data.order_cancels where ended_at is null)
"""
DECISIONS = """
select encode(t.decision_hash, 'hex'), s.status from orderlatch_data.trade_decisions as t
left join orderlatch_data.decision_outcomes as s on s.decision_id = t.decision_id order by t.decision_id
"""
ORDERS = """
select b.broker_order_id, encode(t.decision_hash, 'hex'), b.relation, b.status, b.filled_qty, b.fills_qty,
       b.foreign_at is not null
from orderlatch_data.broker_orders as b
join orderlatch_data.accounts as a on a.account_id = b.account_id
left join orderlatch_data.trade_decisions as t on t.decision_id = b.decision_id
where a.account = %s
"""
POSITIONS = """
select p.symbol, p.qty from orderlatch_data.position_sums as p
join orderlatch_data.accounts as a on a.account_id = p.account_id where a.account = %s and p.qty <> 0
"""
FILLS = """
select distinct f.activity_id from orderlatch_data.fills as f
join orderlatch_data.accounts as a on a.account_id = f.account_id where a.account = %s
"""
INCIDENTS = """
select a.account, i.incident, encode(t.decision_hash, 'hex'), i.closed_by = 'orderlatch' is true
from orderlatch_data.incidents as i left join orderlatch_data.accounts as a on a.account_id = i.account_id
left join orderlatch_data.trade_decisions as t on t.decision_id = i.decision_id order by i.incident_id
"""
ALL_EVENTS = "select count(*) from orderlatch_data.decision_events"
# incidents that may be there or not, for reasons that the simulator does not follow up
TOLERATED = {"duplicate_without_order", "cluster_changed"}


class Reckoning:
    """Compares a database in which everything has settled with the broker's books."""

    def __init__(
        self, base: Base, books: dict[str, Book], oracle: Oracle, people: People, *, lost: bool
    ) -> None:
        self._base, self._books, self._oracle, self._people, self._lost = base, books, oracle, people, lost

    def unsettled(self) -> list[tuple[object, ...]]:
        """Decisions that are still open."""
        return self._base.rows("observer", UNSETTLED)

    def is_settled(self) -> bool:
        """Whether nothing is open, on its way or to be looked at."""
        return not self.unsettled() and self._base.rows("observer", UNFINISHED) == [(0,)]

    def insist(self) -> None:
        """Raise unless everything has settled."""
        if not self.is_settled():
            raise StuckError(f"not settled: {self.unsettled()} {self._base.rows('observer', UNFINISHED)}")

    def differences(self) -> list[str]:
        """Everything in which the database is not the truth."""
        return [
            *self._decisions(),
            *(line for book in self._books.values() for line in self._orders(book)),
            *(line for book in self._books.values() for line in self._holdings(book)),
            *self._incidents(),
            *self._events(),
        ]

    def _decisions(self) -> Iterator[str]:
        statuses = {str(name): status for name, status in self._base.rows("observer", DECISIONS)}
        for name, decision in self._oracle.decisions.items():
            status = statuses.pop(name, None)
            if status is None:
                yield f"decision {short(name)} is lost"
                continue
            orders = self._orders_of(decision)
            if bool(orders) != (status == "submitted"):
                yield f"decision {short(name)} is {status}, and the broker has {len(orders)} orders of it"
            if (
                status == "refused"
                and not decision.parts_lost
                and not any(
                    meaning in ("refused", "refused_unclean")
                    for call in decision.submits
                    for meaning in call.meanings
                )
            ):
                yield f"decision {short(name)} is refused, and nobody refused it"
        yield from (f"decision {short(name)} was proposed by nobody" for name in statuses)

    def _orders(self, book: Book) -> Iterator[str]:
        kept = {str(row[0]): row[1:] for row in self._base.rows("observer", ORDERS, book.account.name)}
        for order in book.orders.values():
            row = kept.pop(order.order_id, None)
            name = f"order {short(order.order_id)} of {book.account.name}"
            if row is None:
                yield f"{name} is unknown"
                continue
            decision, relation, status, filled, fills, foreign = row
            if status != order.now["status"]:
                yield f"{name} is {order.now['status']}, and is kept as {status}"
            truth = number(order.now["filled_qty"])
            if number(filled) != truth or number(fills) != truth:
                yield f"{name} is filled {truth}, is kept as {filled}, and its fills are {fills}"
            wanted = _owner(order)
            if wanted in self._oracle.decisions:
                if decision != wanted:
                    yield f"{name} belongs to {short(wanted)}, and is kept as that of {decision}"
                second = self._orders_of(self._oracle.decisions[wanted])[0] is not order
                expected = "replacement" if order.replaces else "duplicate" if second else "order"
                expected = "leg" if order.leg_of and not order.replaces else expected
                # what replaced a leg is one too, as soon as its entry was shown with it
                fits = relation == expected or (relation == "leg" and order.leg_of is not None)
                if not fits and book.account.memory.unique == "forever":
                    yield f"{name} is kept as {relation}, not as {expected}"
            elif not foreign or decision is not None:
                yield f"{name} was placed by hand, and is kept as that of {decision}"
        yield from (f"order {short(name)} is kept, and does not exist" for name in kept)

    def _holdings(self, book: Book) -> Iterator[str]:
        account = book.account.name
        truth = {symbol.replace("/", ""): quantity for symbol, quantity in book.positions().items()}
        kept = {
            str(symbol): number(quantity)
            for symbol, quantity in self._base.rows("observer", POSITIONS, account)
        }
        for symbol in sorted(truth | kept):
            if truth.get(symbol, Decimal(0)) != kept.get(symbol, Decimal(0)):
                yield f"{account} holds {truth.get(symbol)} {symbol}, and is kept as {kept.get(symbol)}"
        booked = {str(name) for (name,) in self._base.rows("observer", FILLS, account)}
        happened = {str(trade.document["id"]) for trade in book.trades}
        yield from (f"{account}: trade {name} is not booked" for name in sorted(happened - booked))
        yield from (
            f"{account}: trade {name} is booked, and did not happen" for name in sorted(booked - happened)
        )

    def _incidents(self) -> Iterator[str]:
        seen: set[tuple[str, str]] = set()
        for account, incident, decision, healed in self._base.rows("observer", INCIDENTS):
            kind = (str(account), str(incident))
            seen.add(kind)
            if not healed and not self._may_be(*kind, decision):
                yield f"incident {incident} of {account} {short(decision)} is there for no reason"
        if self._lost:
            if ("None", "cluster_changed") not in seen:
                yield "nobody noticed that the database was put back"
            return
        must = set(self._oracle.incidents)
        for name, book in self._books.items():
            by_hand = any(
                order.by_hand and _owner(order) not in self._oracle.decisions
                for order in book.orders.values()
            )
            policies = [
                book.account.settings["on_foreign_order"],
                *book.account.before.get("on_foreign_order", []),
            ]
            if by_hand and "ignore" not in policies:
                must.add((name, "foreign_order"))
            if book.doubles:
                must.add((name, "duplicate_order"))
        yield from (
            f"incident {incident} of {account} is missing" for account, incident in sorted(must - seen)
        )

    def _may_be(self, account: str, incident: str, decision: object) -> bool:
        book = self._books.get(account)
        if incident in TOLERATED or (account, incident) in self._oracle.incidents:
            return True
        if book is None:
            return False
        orders = book.by_client_order_id.get(str(decision), [])
        match incident:
            case "foreign_order":
                return any(order.by_hand for order in book.orders.values())
            case "order_despite_verdict":
                return self._lost or any(order.late or order.hidden for order in orders)
            case "duplicate_order":
                return len(orders) > 1
            case "order_mismatch":
                return any(order.mismatched for order in orders)
            case "position_drift":
                return bool(book.moved) or book.adjusted
            case "order_vanished":
                return any(order.hidden for order in book.orders.values())
            case "decision_lost":
                return self._lost
            case _:
                return False

    def _events(self) -> Iterator[str]:
        ((kept,),) = self._base.rows("observer", ALL_EVENTS)
        if not self._lost and kept != len(self._people.followed):
            yield f"{kept} events happened, and {len(self._people.followed)} were followed"

    def _orders_of(self, decision: Known) -> list[Order]:
        book = self._books[decision.account]
        return book.by_client_order_id.get(decision.decision_hash, [])


def _owner(order: Order) -> str:
    """The client_order_id of the order that a chain of replacements and legs began with."""
    while (parent := order.replaces or order.leg_of) is not None:
        order = parent
    return order.client_order_id


def raise_for(differences: list[str]) -> None:
    """Raise if there are any."""
    if differences:
        shown = "\n  ".join(differences[:20])
        raise ViolationError(f"{len(differences)} differences from the truth:\n  {shown}")
