"""A past of settled decisions, as many as are wanted: a few hundred that were really lived, multiplied.

Proposed, submitted, filled and mirrored through the real functions; then all their rows are copied with keys
of their own (random where they are random in real life) and times that lie further and further back.
Indexes are kept up while the rows of a table come in, one after the other, so that they are as full as they
would be. What nothing reads here is repeated as it is: the hashes of the events' chains.
"""

from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg

from tests.bench.carrying import Carrier, Minutes, RestingBook
from tests.bench.orderlatch import PROPOSE, a_decision, stop_reads
from worker import embedded

if TYPE_CHECKING:
    from tests.bench.carrying import Document, Request

TEMPLATES = 200
SYMBOLS = 50
# Decisions for one transaction.
CHUNK = 20_000
# Left free on the disk: for WAL, for what is measured afterwards, for others.
SPARE = 12_000_000_000

# What a column of a copied row becomes, by its name; n is the number of the copy. Others stay as they are.
SPREAD = {
    "account_id": "(select a.ids[1 + mod(c.n, cardinality(a.ids))] from bench.lanes as a)",
    "decision_id": "t.decision_id + c.n * {decision_id}",
    "event_id": "t.event_id + c.n * {event_id}",
    "order_no": "t.order_no + c.n * {order_no}",
    # after those of the copies before, and in the order of the templates, as calls follow each other
    "request_id": (
        "(lpad(to_hex({first_ms} + c.n), 12, '0') || '7'"
        " || lpad(to_hex(({time_of} - {least}) * 4095 / {span}), 3, '0')"
        " || substr(md5(t.request_id::text || c.n), 17))::uuid"
    ),
    # led by the second of its signal, which lies as far back as the copy
    "signal_key": (
        "(lpad(to_hex({second_of} - {seconds_back}), 10, '0')"
        " || substr(md5(t.signal_key::text || c.n), 11))::uuid"
    ),
    "decision_hash": "sha256(t.decision_hash || c.n::text::bytea)",
    "client_order_id": "encode(sha256(decode(t.client_order_id, 'hex') || c.n::text::bytea), 'hex')",
    "broker_order_id": "md5(t.broker_order_id || c.n)::uuid::text",
    "activity_id": "left(t.activity_id, 19) || md5(t.activity_id || c.n)::uuid::text",
    # as it came: a compressed one that is copied stays compressed, and its filler would not be
    "body": "substr(t.body, 1)",
}
# When a request id was made, in 4,096ths of a millisecond.
TIME_OF = "('x' || translate(left({0}::text, 13), '-', '') || substr({0}::text, 16, 3))::bit(60)::bigint"
SECOND_OF = "('x' || translate(left({0}::text, 11), '-', ''))::bit(40)::bigint"
# A copy is ten seconds of each account, and the past ends two days ago.
SECONDS_BACK = "(172800 + ({copies} - c.n) * 10)"
TABLES = """
select c.relname, array_agg(a.attname::text order by a.attnum),
       array_agg(a.attname::text order by a.attnum) filter (where a.atttypid = 'timestamptz'::regtype)
  from pg_class as c
  join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
 where c.relnamespace = 'orderlatch_data'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
 group by c.oid
having bool_or(a.attname in ('decision_id', 'request_id', 'order_no'))
 order by c.relname
"""
BY_SIZE = """
select c.relname from pg_class as c where c.relnamespace = 'bench'::regnamespace and c.relname <> 'lanes'
 order by pg_table_size(c.oid) desc, c.relname
"""
SEQUENCES = """
select s.seqrelid::regclass::text from pg_sequence as s join pg_class as c on c.oid = s.seqrelid
 where c.relnamespace = 'orderlatch_data'::regnamespace
"""
FILLED = {"status": "filled", "filled_qty": "10", "filled_avg_price": "185.01"}
FILLS_ARE_DUE = """
update orderlatch_data.broker_reads set next_page_at = orderlatch_data.clock() where purpose = 'fills'
"""
REQUESTED = f"""
select min({TIME_OF.format("q.request_id")}), max({TIME_OF.format("q.request_id")})
  from orderlatch_data.broker_requests as q where q.decision_id is not null
"""
OF_DECISIONS = "select q.request_id from orderlatch_data.broker_requests as q where q.decision_id is not null"


@dataclass(slots=True)
class FilledBook(RestingBook):
    """A broker that fills every order at once, and shows the fills and the positions that they make."""

    fills: list[dict[str, object]] = field(default_factory=list)

    def answer(self, request: Request) -> Document:
        """As the resting book, with fills."""
        shown = RestingBook.answer(self, request)
        query = request.query or {}
        if request.kind == "submit_order":
            assert isinstance(shown, dict)
            shown |= FILLED | {"filled_at": shown["submitted_at"]}
            self.fills.append(a_fill(shown, len(self.fills)))
        elif request.kind == "list_fills":
            ids = [fill["id"] for fill in self.fills]
            first = ids.index(query["page_token"]) + 1 if "page_token" in query else 0
            return self.fills[first : first + int(query["page_size"])]
        elif request.kind == "list_orders" and query.get("status") == "open":
            return []
        return shown


def a_fill(order: dict[str, object], number: int) -> dict[str, object]:
    """The fill of an order, with an id as long as Alpaca's."""
    stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    return {
        "id": f"{stamp}{number:03d}::{number:08d}-3f3f-4c4c-8d8d-0123456789ab", "activity_type": "FILL",
        "type": "fill", "transaction_time": order["submitted_at"], "order_id": order["id"],
        "order_status": "filled", "symbol": order["symbol"], "side": "buy", "price": "185.01", "qty": "10",
        "cum_qty": "10", "leaves_qty": "0",
    }  # fmt: skip


def live_templates(url: str, account: str) -> None:
    """Live the decisions that are multiplied, fills and all."""
    with psycopg.connect(url, autocommit=True) as session:
        carrier = Carrier.register(url, FilledBook(Minutes(1_000_000)), [account])
        for first in range(0, TEMPLATES, SYMBOLS):
            decisions = [a_decision(number, f"H{number - first}") for number in range(first, first + SYMBOLS)]
            for decision in decisions:
                decision["params"] = {"fast": 10, "slow": 30}
            session.execute(PROPOSE, [account, json.dumps(decisions)])
        until = time.monotonic() + 60
        while carrier.carried.get("submit_order", 0) < TEMPLATES:
            carrier.carry(1000)
        while session.execute("select count(*) from orderlatch_data.fills").fetchone() != (TEMPLATES,):
            assert time.monotonic() < until, "the fills of the templates are not read"
            session.execute(FILLS_ARE_DUE)
            carrier.carry(1000)
        carrier.session.close()
        stop_reads(session)


def load(url: str, decisions: int, accounts: list[str]) -> tuple[int, float]:
    """Copy the templates until there are so many, or no room for more: how many, in how many seconds."""
    copies = decisions // TEMPLATES
    began = time.monotonic()
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("create schema bench")
        session.execute(
            "create table bench.lanes as select array_agg(a.account_id order by a.account_id) as ids"
            " from orderlatch_data.accounts as a where a.account = any(%s)",
            [accounts],
        )
        statements = {
            table: prepare(session, table, columns, times or [], copies)
            for table, columns, times in session.execute(TABLES).fetchall()
        }
        by_size = [statements[table] for (table,) in session.execute(BY_SIZE).fetchall()]
        halves = (by_size[0::4] + by_size[3::4], by_size[1::4] + by_size[2::4])
        step = max(1, CHUNK // TEMPLATES)
        copied = 0
        with ThreadPoolExecutor(2) as pool:
            while copied < copies and shutil.disk_usage(embedded.home()).free > SPARE:
                end = min(copied + step, copies)
                # each table by one session, as sequences number its rows one after the other
                for done in [pool.submit(copy, url, each, copied + 1, end) for each in halves]:
                    done.result()
                copied = end
        for (sequence,) in session.execute(SEQUENCES).fetchall():
            session.execute(
                f"select setval('{sequence}', 10 * nextval('{sequence}') + {100 * decisions})".encode()
            )
        session.execute("drop schema bench cascade")
        session.execute("set maintenance_work_mem = '512MB'")
        session.execute("vacuum (freeze, analyze)")
        session.execute("checkpoint")
    return TEMPLATES * copied, time.monotonic() - began


def prepare(
    session: psycopg.Connection, table: str, columns: list[str], times: list[str], copies: int
) -> str:
    """Keep the templates of one table aside, and say how they are copied."""
    if "decision_id" in columns:
        kept = "decision_id is not null"
    else:
        kept = "true" if "order_no" in columns else f"request_id in ({OF_DECISIONS})"
    session.execute(
        f"create table bench.{table} as select * from orderlatch_data.{table} where {kept}".encode()
    )
    row = session.execute(REQUESTED.encode()).fetchone()
    assert row is not None
    least, most = row
    requested = {
        "first_ms": most // 4096 + 1, "least": least, "span": most - least,
        "time_of": TIME_OF.format("t.request_id"), "second_of": SECOND_OF.format("t.signal_key"),
        "seconds_back": SECONDS_BACK.format(copies=copies),
    }  # fmt: skip
    spans = {}
    for column in ("decision_id", "event_id", "order_no"):
        if column in columns:
            row = session.execute(
                f"select max({column}) from orderlatch_data.{owner(column)}".encode()
            ).fetchone()
            assert row is not None
            spans[column] = row[0] + 1
    values = [
        SPREAD[column].format(**requested, **spans)
        if column in SPREAD
        else f"t.{column} - {requested['seconds_back']} * interval '1 second'"
        if column in times
        else f"t.{column}"
        for column in columns
    ]
    return (
        f"insert into orderlatch_data.{table} ({', '.join(columns)}) overriding system value"
        f" select {', '.join(values)} from generate_series(%s::integer, %s) as c(n)"
        f" cross join bench.{table} as t order by c.n"
    )


def owner(column: str) -> str:
    """The table whose key a column is."""
    return {"decision_id": "trade_decisions", "event_id": "decision_events", "order_no": "broker_orders"}[
        column
    ]


def copy(url: str, statements: list[str], first: int, last: int) -> None:
    """Make some copies of the rows of some tables, without triggers and foreign keys."""
    with psycopg.connect(url) as session:
        session.execute("set session_replication_role = replica")
        session.execute("set work_mem = '256MB'")
        session.execute("set synchronous_commit = off")
        for statement in statements:
            session.execute(statement.encode(), [first, last])
