"""Handing a broker's views and activities to the database, in any order and on any way."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from tests.mirror.lives import Document, Life, Story

Way: TypeAlias = Literal["answer", "stream", "read", "orders", "open_orders", "fills"]

RECORD = "select r.meaning from orderlatch.record_responses(%s) as r"
CLAIM = "select orderlatch.claim_requests(%s, '{paper}', 1000)"
TELL = "select orderlatch.record_trade_update(%s, 'paper', %s)"
WISH_READ = "select orderlatch_data.wish_reads(test.account_id('paper'), %s, 'wanted')"
WISH_CHECK = "select orderlatch_data.check_order(test.account_id('paper'), %s, 'wanted')"
PAGE = "select r.request_id::text from test.standing_read(%s) as r"
CHECK = "select c.request_id::text from orderlatch_data.order_checks as c where c.broker_order_id = %s"
# Everything that the mirror knows, without when and how it came to know it.
ORDERS = """
select jsonb_object_agg(
  b.broker_order_id,
  to_jsonb(b) - '{order_no,decision_id,found_in_request_id,recorded_at,changed_at,foreign_at}'::text[]
  || jsonb_build_object(
       'is_ours', b.decision_id is not null,
       'client_order_id', regexp_replace(b.client_order_id, '^[0-9a-f]{64}$', 'the decision hash')))
from orderlatch_data.broker_orders as b
"""
FILLS = """
select jsonb_agg(
  to_jsonb(f) - '{order_no,recorded_at,request_id}'::text[] || jsonb_build_object('order', b.broker_order_id)
  order by f.activity_id, f.entry)
from orderlatch_data.fills as f join orderlatch_data.broker_orders as b on b.order_no = f.order_no
"""
SUMS = "select jsonb_agg(to_jsonb(p) order by p.symbol) from orderlatch_data.position_sums as p"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Some views, or some activities, that arrive together."""

    way: Way
    documents: Sequence[Document]


@dataclass(frozen=True, slots=True)
class Mirror:
    """A verified worker, the account `paper`, and a decision whose submit is on its way."""

    connection: psycopg.Connection
    worker: int
    life: Life

    @classmethod
    def of(cls, connection: psycopg.Connection, story: Story) -> Self:
        """Begin a story; whoever called rolls the transaction back."""
        ((worker,),) = connection.execute("select test.given_worker()").fetchall()
        members = {"symbol": story.symbol, "action": story.side}
        if "/" in story.symbol:
            members["time_in_force"] = "gtc"
        connection.execute("select test.serve(%s, '{}')", [worker])
        query = "select test.given_submitting_decision(%s, %s)"
        ((decision_hash,),) = connection.execute(query, [worker, Jsonb(members)]).fetchall()
        return cls(connection, worker, story.told_of(decision_hash))

    def value(self, query: str, *arguments: object) -> object:
        ((value,),) = self.connection.execute(query.encode(), arguments or None).fetchall()
        return value

    def deliver(self, delivery: Delivery) -> None:
        """Hand over what arrives, as a worker would."""
        match delivery.way:
            case "answer":
                (document,) = delivery.documents
                self._answer(self.value("select test.holder(%s)", self.life.decision_hash), document)
            case "stream":
                for document in delivery.documents:
                    told = {"stream": "trade_updates", "data": {"event": "new", "order": document}}
                    assert self.value(TELL, self.worker, json.dumps(told).encode()) == "order_updated"
            case "read":
                for document in delivery.documents:
                    self.value(WISH_CHECK, document["id"])
                    self.connection.execute(CLAIM, [self.worker])
                    self._answer(self.value(CHECK, document["id"]), document)
            case "orders" | "open_orders" | "fills" as purpose:
                self.value(WISH_READ, [purpose])
                self.connection.execute(CLAIM, [self.worker])
                self._answer(self.value(PAGE, purpose), list(delivery.documents))

    def _answer(self, request_id: object, document: object) -> None:
        assert request_id is not None
        body = base64.b64encode(json.dumps(document).encode()).decode()
        said = {"request_id": str(request_id), "sent": "yes", "status": 200, "body": body}
        meaning = self.value(RECORD, Jsonb([said]))
        assert meaning in {
            "order_exists", "order_shown", "orders_listed", "fills_listed", "replacement_seen"
        }, meaning  # fmt: skip

    def state(self) -> dict[str, object]:
        return {"orders": self.value(ORDERS), "fills": self.value(FILLS), "sums": self.value(SUMS)}
