"""The tables of the ground truth, and the indexes that keep calls fast over hundreds of thousands of rows."""

from typing import Final

from worker.sandbox.model import TERMINAL

IS_OPEN: Final = f"status not in ({', '.join(repr(status) for status in sorted(TERMINAL))})"

SCHEMA: Final = """
create table if not exists accounts (
  name text primary key, id text not null unique, account_number text not null, created_ns integer not null,
  status text not null, cash text not null, multiplier text not null, shorting_enabled integer not null,
  trading_blocked integer not null, suspend_trade integer not null, long_cost text not null,
  short_cost text not null
) strict;

create table if not exists orders (
  seq integer primary key, id text not null, account text not null references accounts,
  client_order_id text not null, origin text not null, created_ns integer not null,
  updated_ns integer not null, submitted_ns integer not null, expires_ns integer not null,
  visible_ns integer not null, symbol text not null, asset_class text not null, side text not null,
  type text not null, time_in_force text not null, position_intent text not null, status text not null,
  qty text, notional text, limit_price text, stop_price text, extended_hours integer not null,
  reserved text not null, call_no integer, trail_price text, trail_percent text, hwm text,
  due_ns integer, due text, due_qty text, due_price text, resumes text, triggered integer not null,
  filled_qty text not null, filled_avg_price text,
  filled_ns integer, expired_ns integer, canceled_ns integer, failed_ns integer, replaced_ns integer,
  replaced_by text, replaces text, order_class text not null, parent_id text, leg text, waits integer not null
) strict;

create table if not exists activities (
  seq integer primary key, id text not null, execution_id text not null,
  previous_execution_id text, account text not null references accounts, order_id text not null,
  type text not null, at_ns integer not null, visible_ns integer, symbol text not null, side text not null,
  qty text not null, price text not null, cum_qty text not null, leaves_qty text not null,
  order_status text not null, live integer not null
) strict;

create table if not exists positions (
  account text not null references accounts, symbol text not null, qty text not null, cost text not null,
  primary key (account, symbol)
) strict;

create table if not exists quotes (symbol text primary key, price text not null, size text) strict;
create table if not exists assets (symbol text primary key, flags text not null) strict;
create table if not exists settings (name text primary key, value text not null) strict;

create table if not exists late_orders (
  call_no integer primary key, due_ns integer not null, account text not null, body text not null,
  hide_s real not null, reject_after_s real
) strict;

create table if not exists calls (
  call_no integer primary key, at_ns integer not null, ended_ns integer, account text,
  method text not null, path text not null, query text not null, client_order_id text, symbol text, body text,
  faults text not null, status integer, note text
) strict;
"""

# By name, so that they can be set aside while many rows are loaded.
INDEXES: Final = {
    "orders_id": "unique index orders_id on orders (id)",
    "orders_client_order_id": "index orders_client_order_id on orders (account, client_order_id)",
    "orders_submitted": "index orders_submitted on orders (account, submitted_ns, id)",
    "orders_symbol": "index orders_symbol on orders (account, symbol, submitted_ns, id)",
    "orders_open": f"index orders_open on orders (account, submitted_ns, id) where {IS_OPEN}",
    "orders_book": f"index orders_book on orders (symbol, account, side) where {IS_OPEN}",
    "orders_legs": "index orders_legs on orders (parent_id) where parent_id is not null",
    "orders_replaces": "index orders_replaces on orders (replaces) where replaces is not null",
    "activities_id": "unique index activities_id on activities (account, id)",
    "activities_execution": "unique index activities_execution on activities (execution_id)",
    "activities_order": "index activities_order on activities (order_id, seq)",
    "calls_under_way": "index calls_under_way on calls (call_no) where ended_ns is null",
    "calls_posts": "index calls_posts on calls (account, client_order_id) where method = 'POST'",
}

# Everything but the accounts, which outlive a reset.
EMPTIED: Final = (
    "orders", "activities", "late_orders", "positions", "quotes", "assets", "settings", "calls",
)  # fmt: skip
