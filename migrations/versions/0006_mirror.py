"""The mirror: every order that the broker has shown, fills, positions, how far each account has been read.

executions becomes broker_orders, which also holds replacements, legs and foreign orders; order_reads becomes
broker_reads, which also holds the standing reads of the mirror; foreign_orders becomes seen_orders.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SETTINGS = """
alter table orderlatch_data.accounts
  add column reconcile_from timestamptz,
  add column reconcile_every interval not null default '1 minute',
  add column reconcile_overlap interval not null default '5 minutes',
  add column positions_every interval not null default '5 minutes',
  add column on_foreign_order text not null default 'warn',
  add column drift_grace interval not null default '1 minute',
  add column crypto_fee_allowance numeric not null default 0.003,
  add constraint accounts_on_foreign_order_is_known
    check (on_foreign_order in ('ignore', 'warn', 'halt')),
  add constraint accounts_reading_times_are_bounded check (
    reconcile_every between '1 second' and '1 day'
    and positions_every between '1 second' and '1 day'
    and reconcile_overlap between '0' and '7 days'
    and drift_grace between '0' and '1 day'
  ),
  add constraint accounts_crypto_fee_is_small check (crypto_fee_allowance between 0 and 0.05);
comment on column orderlatch_data.accounts.reconcile_from is
  'orders submitted and fills made before are not read: a used account is taken on from here; null: from '
  'its creation';
comment on column orderlatch_data.accounts.reconcile_every is
  'time between two complete reads of orders, open orders and fills';
comment on column orderlatch_data.accounts.reconcile_overlap is
  'how far before the newest order or fill that was read the next read begins';
comment on column orderlatch_data.accounts.positions_every is
  'time between two comparisons of positions with the broker''s';
comment on column orderlatch_data.accounts.on_foreign_order is
  'ignore, warn (an incident) or halt: what an order that belongs to no decision does';
comment on column orderlatch_data.accounts.drift_grace is
  'how long fills and positions may differ from what the broker shows before that is an incident';
comment on column orderlatch_data.accounts.crypto_fee_allowance is
  'part of the quantity bought that the broker may take as its fee out of the coin, without a fill';

alter table orderlatch_data.open_decisions add column wish_cancels boolean not null default false;
comment on column orderlatch_data.open_decisions.wish_cancels is
  'whether its order, when it is found after all, is to be canceled';

alter table orderlatch_data.account_states
  add column reconcile_after timestamptz,
  add column reconcile_reason text;
comment on column orderlatch_data.account_states.reconcile_after is
  'nothing is submitted before a complete read of orders that began at or after this; null: no such wait';
comment on column orderlatch_data.account_states.reconcile_reason is
  'why the account must be reconciled before it submits again: new, restart, cluster';
"""

ORDERS = """
alter table orderlatch_data.foreign_orders rename to seen_orders;
alter table orderlatch_data.seen_orders rename constraint foreign_orders_pkey to seen_orders_pkey;
alter index orderlatch_data.foreign_orders_by_client_order_id rename to seen_orders_by_client_order_id;
comment on table orderlatch_data.seen_orders is
  'Orders in answers to requests that nobody knows, as after a failover, whose decision is not known '
  'either: adopted when it is proposed again.';

alter table orderlatch_data.executions rename to broker_orders;
alter table orderlatch_data.broker_orders rename column execution_id to order_no;
alter table orderlatch_data.broker_orders rename constraint executions_pkey to broker_orders_pkey;
alter table orderlatch_data.broker_orders
  rename constraint executions_broker_order_is_unique to broker_orders_id_is_unique;
alter table orderlatch_data.broker_orders
  rename constraint executions_belongs_to_decision to broker_orders_belongs_to_decision;
alter table orderlatch_data.broker_orders drop constraint executions_one_order_per_decision;
alter table orderlatch_data.broker_orders
  alter column decision_id drop not null,
  add column relation text not null default 'order',
  add column parent_broker_order_id text,
  add column client_order_id text,
  add column symbol text,
  add column side text,
  add column order_type text,
  add column qty numeric,
  add column notional numeric,
  add column limit_price numeric,
  add column stop_price numeric,
  add column is_open boolean not null default true,
  add column status_at timestamptz,
  add column filled_as_of timestamptz,
  add column shown_filled_qty numeric not null default 0,
  add column fills_qty numeric not null default 0,
  add column fills_value numeric not null default 0,
  add column has_reversals boolean not null default false,
  add column foreign_at timestamptz,
  add column changed_at timestamptz not null default '-infinity',
  add column document jsonb;
update orderlatch_data.broker_orders as b
   set symbol = t.symbol, side = t.action, order_type = t.order_type, qty = t.qty, notional = t.notional,
       limit_price = t.limit_price, stop_price = t.stop_price,
       is_open = b.status not in ('filled', 'canceled', 'expired', 'rejected', 'replaced'),
       status_at = b.updated_at, filled_as_of = b.updated_at, shown_filled_qty = b.filled_qty,
       changed_at = b.recorded_at
  from orderlatch_data.trade_decisions as t
 where t.decision_id = b.decision_id;
alter table orderlatch_data.broker_orders
  alter column changed_at drop default,
  alter column relation drop default,
  alter column is_open drop default,
  add constraint broker_orders_relation_is_known
    check (relation in ('order', 'replacement', 'leg', 'duplicate')),
  add constraint broker_orders_duplicate_has_decision
    check (relation <> 'duplicate' or decision_id is not null),
  add constraint broker_orders_side_is_known check (side in ('buy', 'sell')),
  add constraint broker_orders_belongs_to_account
    foreign key (account_id) references orderlatch_data.accounts;
create unique index broker_orders_one_order_per_decision on orderlatch_data.broker_orders (decision_id)
  where relation = 'order' and decision_id is not null;
create index broker_orders_of_decision on orderlatch_data.broker_orders (decision_id)
  where relation <> 'order' and decision_id is not null;
create index broker_orders_open on orderlatch_data.broker_orders (account_id) where is_open;
create index broker_orders_by_time on orderlatch_data.broker_orders (account_id, submitted_at);
create index broker_orders_by_parent on orderlatch_data.broker_orders (account_id, parent_broker_order_id)
  where parent_broker_order_id is not null;
create index broker_orders_by_client_order_id on orderlatch_data.broker_orders (client_order_id)
  where decision_id is null and client_order_id is not null;
create index broker_orders_to_judge on orderlatch_data.broker_orders (account_id)
  where decision_id is null and foreign_at is null;
create index broker_orders_out_of_balance on orderlatch_data.broker_orders (account_id)
  where (shown_filled_qty <> fills_qty)::integer = 1;
comment on table orderlatch_data.broker_orders is
  'Every order that the broker has shown for an account, as far as it was shown. Those with a decision are '
  'its execution and what hangs on it; those without are foreign.';
comment on column orderlatch_data.broker_orders.decision_id is 'null: no decision is known for the order';
comment on column orderlatch_data.broker_orders.relation is
  'order: the one that the decision asked for, or a foreign one; replacement of, or leg of, its parent; '
  'duplicate: a second order of the decision, which must not be';
comment on column orderlatch_data.broker_orders.parent_broker_order_id is
  'the order that this one replaces, or whose leg it is';
comment on column orderlatch_data.broker_orders.client_order_id is
  'as the broker shows it; null where it is the decision hash';
comment on column orderlatch_data.broker_orders.symbol is
  'as orders have it, pairs with a slash; null while only a fill of the order is known';
comment on column orderlatch_data.broker_orders.status is
  'in the broker''s words, stored as they are; unknown: not shown yet; vanished: the broker says that it '
  'has no such order';
comment on column orderlatch_data.broker_orders.status_at is
  'updated_at of the view of the order that gave the status';
comment on column orderlatch_data.broker_orders.is_open is
  'not filled, canceled, expired, rejected or replaced; a status that nobody knows is open';
comment on column orderlatch_data.broker_orders.filled_qty is
  'shares, coins or contracts; the most that was ever shown, or after a bust what the fills add up to';
comment on column orderlatch_data.broker_orders.filled_as_of is
  'updated_at of the view of the order that gave filled_qty and filled_avg_price';
comment on column orderlatch_data.broker_orders.shown_filled_qty is
  'filled_qty in the newest view of the order; what its fills must add up to';
comment on column orderlatch_data.broker_orders.updated_at is 'of the newest view of the order';
comment on column orderlatch_data.broker_orders.fills_qty is 'sum of its fills, busts taken off';
comment on column orderlatch_data.broker_orders.fills_value is 'sum of quantity times price of its fills';
comment on column orderlatch_data.broker_orders.has_reversals is
  'whether a fill of it was busted or corrected';
comment on column orderlatch_data.broker_orders.foreign_at is
  'when it was found to belong to no decision';
comment on column orderlatch_data.broker_orders.changed_at is 'when this row last changed';
comment on column orderlatch_data.broker_orders.document is
  'the broker''s document, kept while the decision that its client_order_id names is not known';
comment on column orderlatch_data.broker_orders.found_in_request_id is
  'the request whose answer showed the order first; null: the stream, an operator or a restored record';

create type orderlatch_data.shown_order as (
  broker_order_id text,
  client_order_id text,
  decision_hash bytea,
  relation text,
  parent_broker_order_id text,
  replaced_by text,
  symbol text,
  side text,
  order_type text,
  qty numeric,
  notional numeric,
  limit_price numeric,
  stop_price numeric,
  status text,
  is_open boolean,
  status_rank integer,
  filled_qty numeric,
  filled_avg_price numeric,
  submitted_at timestamptz,
  updated_at timestamptz,
  document jsonb
);
revoke all on type orderlatch_data.shown_order from public;
comment on type orderlatch_data.shown_order is
  'An order, or a leg of one, as a document of the broker shows it: one view of it.';
"""

READS = """
alter table orderlatch_data.order_reads rename to broker_reads;
alter table orderlatch_data.broker_reads rename constraint order_reads_pkey to broker_reads_pkey;
alter index orderlatch_data.order_reads_unfinished rename to broker_reads_due;
alter table orderlatch_data.broker_reads
  alter column from_at drop not null,
  alter column after_at drop not null,
  add column purpose text not null default 'proof',
  add column page_token text,
  add column cursor_at timestamptz,
  add column newest_at timestamptz,
  add column covered_at timestamptz,
  add column reason text,
  add column failures integer not null default 0,
  add column failed_at timestamptz,
  add constraint broker_reads_belongs_to_account
    foreign key (account_id) references orderlatch_data.accounts,
  add constraint broker_reads_purpose_is_known
    check (purpose in ('proof', 'orders', 'open_orders', 'fills', 'positions')),
  add constraint broker_reads_proof_begins_somewhere
    check (purpose <> 'proof' or (from_at is not null and after_at is not null));
alter table orderlatch_data.broker_reads alter column purpose drop default;
create unique index broker_reads_one_standing_for_each_purpose on orderlatch_data.broker_reads
  (account_id, purpose) where purpose <> 'proof';
comment on table orderlatch_data.broker_reads is
  'Reads of what the broker lists, page by page: one row for each read that a proof of absence waits for, '
  'and one for each standing read of an account, which begins anew when it is due.';
comment on column orderlatch_data.broker_reads.purpose is
  'proof; or a standing read: orders (all, from cursor_at on), open_orders, fills, positions';
comment on column orderlatch_data.broker_reads.symbol is 'the symbol read for a proof; null: all symbols';
comment on column orderlatch_data.broker_reads.from_at is
  'what was submitted, or filled, after this is read; null: everything';
comment on column orderlatch_data.broker_reads.began_at is
  'when the first page was granted; null: a standing read that is not under way';
comment on column orderlatch_data.broker_reads.after_at is
  'where the next page begins; moves in the transaction that records a page';
comment on column orderlatch_data.broker_reads.page_token is
  'id of the last element of the page before, where pages follow ids';
comment on column orderlatch_data.broker_reads.pages is
  'pages recorded of the read that is, or was last, under way';
comment on column orderlatch_data.broker_reads.request_id is 'the page on its way';
comment on column orderlatch_data.broker_reads.next_page_at is 'when the next page, or the next read, is due';
comment on column orderlatch_data.broker_reads.cursor_at is
  'broker''s time of the newest order or fill of all complete reads';
comment on column orderlatch_data.broker_reads.newest_at is
  'broker''s time of the newest order or fill of the read under way';
comment on column orderlatch_data.broker_reads.covered_at is
  'when the last complete read began: what the broker showed then has been recorded';
comment on column orderlatch_data.broker_reads.completed_at is 'when a read was last complete';
comment on column orderlatch_data.broker_reads.reason is
  'why the read that is, or was last, under way began: cadence, start, outage, ...';
comment on column orderlatch_data.broker_reads.failures is
  'pages that failed since the last one that did not';

create table orderlatch_data.read_wishes (
  wish_id bigint generated always as identity,
  account_id integer not null,
  purpose text not null,
  reason text not null,
  from_at timestamptz,
  due_at timestamptz not null,
  constraint read_wishes_pkey primary key (wish_id),
  constraint read_wishes_belongs_to_account foreign key (account_id) references orderlatch_data.accounts,
  constraint read_wishes_purpose_is_standing
    check (purpose in ('orders', 'open_orders', 'fills', 'positions'))
);
create index read_wishes_of_account on orderlatch_data.read_wishes (account_id, due_at);
comment on table orderlatch_data.read_wishes is
  'Standing reads that are to begin before their time. Inserted by whoever learns that something changed, '
  'removed by the claim that begins the read: nobody waits for anybody.';
comment on column orderlatch_data.read_wishes.from_at is
  'broker''s time from which the read must begin; null: where it would';
comment on column orderlatch_data.read_wishes.due_at is 'not before';

create table orderlatch_data.read_sightings (
  read_id bigint not null,
  order_no bigint not null,
  constraint read_sightings_pkey primary key (read_id, order_no),
  constraint read_sightings_belongs_to_read foreign key (read_id) references orderlatch_data.broker_reads,
  constraint read_sightings_belongs_to_order foreign key (order_no) references orderlatch_data.broker_orders
);
comment on table orderlatch_data.read_sightings is
  'Orders that the read of open orders under way has shown so far; emptied when it is complete.';

create table orderlatch_data.order_checks (
  account_id integer not null,
  broker_order_id text not null,
  reason text not null,
  next_try_at timestamptz not null,
  tries smallint not null default 0,
  request_id uuid,
  absent_at timestamptz,
  constraint order_checks_pkey primary key (account_id, broker_order_id),
  constraint order_checks_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
create index order_checks_due on orderlatch_data.order_checks (account_id, next_try_at);
comment on table orderlatch_data.order_checks is
  'Orders that are to be read one by one, because no list says what became of them.';
comment on column orderlatch_data.order_checks.request_id is 'the get_order on its way';
comment on column orderlatch_data.order_checks.absent_at is
  'when the broker first said that it has no such order; a list or a later look may still show it';

create table orderlatch_data.order_cancels (
  account_id integer not null,
  broker_order_id text not null,
  asked_at timestamptz not null,
  asked_by text not null,
  reason text not null,
  halt_id bigint,
  next_try_at timestamptz,
  tries smallint not null default 0,
  request_id uuid,
  accepted_at timestamptz,
  ended_at timestamptz,
  outcome text,
  constraint order_cancels_pkey primary key (account_id, broker_order_id),
  constraint order_cancels_belongs_to_account foreign key (account_id) references orderlatch_data.accounts,
  constraint order_cancels_belongs_to_halt foreign key (halt_id) references orderlatch_data.halts,
  constraint order_cancels_end_has_outcome check ((ended_at is null) = (outcome is null))
);
create index order_cancels_due on orderlatch_data.order_cancels (account_id, next_try_at)
  where ended_at is null;
comment on table orderlatch_data.order_cancels is
  'Orders that somebody asked to cancel, until the broker shows that each has ended.';
comment on column orderlatch_data.order_cancels.next_try_at is
  'when to ask the broker (again); null: accepted, it is looked at until it has ended';
comment on column orderlatch_data.order_cancels.request_id is 'the cancel_order on its way';
comment on column orderlatch_data.order_cancels.accepted_at is 'when the broker said that it will cancel';
comment on column orderlatch_data.order_cancels.outcome is 'the status in which the order ended';
comment on column orderlatch_data.order_cancels.halt_id is 'the halt that asked for it';

alter table orderlatch_data.broker_requests
  add column broker_order_id text,
  drop constraint broker_requests_kind_is_known,
  drop constraint broker_requests_subject_fits_kind,
  add constraint broker_requests_kind_is_known check (
    kind in ('get_account', 'cancel_order', 'find_order', 'submit_order', 'get_order', 'list_orders',
             'list_fills', 'list_positions')
  ),
  add constraint broker_requests_subject_fits_kind check (
    (decision_id is not null) = (kind in ('find_order', 'submit_order'))
    and (read_id is not null) = (kind in ('list_orders', 'list_fills', 'list_positions'))
    and (broker_order_id is not null) = (kind in ('cancel_order', 'get_order'))
  );
comment on column orderlatch_data.broker_requests.broker_order_id is
  'the order to read or cancel, for get_order and cancel_order';

alter table orderlatch_data.answer_rules
  drop constraint answer_rules_meaning_is_known,
  add constraint answer_rules_meaning_is_known
    check (
      meaning in ('refused', 'throttled', 'duplicate', 'unauthorized', 'absent', 'not_cancelable', 'in_doubt')
    );
insert into orderlatch_data.answer_rules
  (rule_no, kind, status_from, status_to, code, message_pattern, json_only, meaning, why) values
  (51, 'get_order', 404, 404, 40410000, '^order not found', true, 'absent',
   'the broker has no order of this id'),
  (52, 'cancel_order', 404, 404, 40410000, '^order not found', true, 'absent',
   'the broker has no order of this id: it is read before that is believed'),
  (53, 'cancel_order', 422, 422, 42210000, null, true, 'not_cancelable',
   'the order has ended, or cannot be canceled now: it is read to see which');

insert into orderlatch_data.broker_reads (account_id, purpose, next_page_at, cursor_at)
select a.account_id, p.purpose, a.created_at, case when p.purpose in ('orders', 'fills') then a.created_at end
  from orderlatch_data.accounts as a
 cross join unnest(array['orders', 'open_orders', 'fills', 'positions']) as p(purpose);
update orderlatch_data.account_states as s
   set reconcile_after = a.created_at, reconcile_reason = 'new'
  from orderlatch_data.accounts as a
 where a.account_id = s.account_id;
"""

FILLS = """
create table orderlatch_data.fills (
  account_id integer not null,
  activity_id text not null,
  entry text not null,
  order_no bigint not null,
  symbol text not null,
  qty numeric not null,
  price numeric not null,
  activity text not null,
  filled_at timestamptz not null,
  amends text,
  recorded_at timestamptz not null,
  request_id uuid,
  constraint fills_pkey primary key (account_id, activity_id, entry),
  constraint fills_belongs_to_order foreign key (order_no) references orderlatch_data.broker_orders,
  constraint fills_entry_is_known check (entry in ('fill', 'reversal')),
  constraint fills_qty_is_not_zero check (qty <> 0)
);
create index fills_of_order on orderlatch_data.fills (order_no);
create index fills_by_time on orderlatch_data.fills (account_id, symbol, filled_at);
comment on table orderlatch_data.fills is
  'Each trade of each order, from the account''s activities; a bust or correction takes off what it amends '
  'in a row of its own. Written once.';
comment on column orderlatch_data.fills.activity_id is 'the broker''s id of the activity';
comment on column orderlatch_data.fills.entry is
  'fill; reversal: takes off the fill that a bust or a correction amends';
comment on column orderlatch_data.fills.symbol is 'as positions have it: pairs without their slash';
comment on column orderlatch_data.fills.qty is
  'shares, coins or contracts: what the trade adds to the position, negative when it takes away';
comment on column orderlatch_data.fills.price is 'dollars';
comment on column orderlatch_data.fills.activity is
  'the broker''s word: fill, partial_fill, trade_bust or trade_correct';
comment on column orderlatch_data.fills.filled_at is 'transaction_time, the broker''s clock';
comment on column orderlatch_data.fills.amends is
  'execution id of the fill that a bust or correction amends: the part of its activity id after the colons';

create type orderlatch_data.shown_fill as (
  activity_id text,
  execution_ref text,
  broker_order_id text,
  order_symbol text,
  symbol text,
  sign integer,
  qty numeric,
  price numeric,
  activity text,
  amends text,
  filled_at timestamptz
);
revoke all on type orderlatch_data.shown_fill from public;
comment on type orderlatch_data.shown_fill is
  'A trade, bust or correction as a document of the broker shows it.';

create table orderlatch_data.fill_differences (
  order_no bigint not null,
  account_id integer not null,
  first_seen_at timestamptz not null,
  checks smallint not null,
  constraint fill_differences_pkey primary key (order_no),
  constraint fill_differences_belongs_to_order
    foreign key (order_no) references orderlatch_data.broker_orders
);
create index fill_differences_of_account on orderlatch_data.fill_differences (account_id);
comment on table orderlatch_data.fill_differences is
  'Orders whose fills did not add up to filled_qty at the end of a complete read of fills, until they do.';
comment on column orderlatch_data.fill_differences.checks is
  'complete reads of fills after which they differed';

create table orderlatch_data.position_sums (
  account_id integer not null,
  symbol text not null,
  qty numeric not null,
  bought numeric not null,
  sold numeric not null,
  last_fill_at timestamptz,
  constraint position_sums_pkey primary key (account_id, symbol),
  constraint position_sums_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
) with (fillfactor = 70);
comment on table orderlatch_data.position_sums is
  'What the fills and adjustments of each symbol add up to, kept with each of them.';
comment on column orderlatch_data.position_sums.symbol is 'as positions have it: pairs without their slash';
comment on column orderlatch_data.position_sums.qty is 'shares, coins or contracts; negative: short';
comment on column orderlatch_data.position_sums.bought is 'sum of the quantities of buys, busts taken off';
comment on column orderlatch_data.position_sums.sold is 'sum of the quantities of sales, busts taken off';

create table orderlatch_data.position_adjustments (
  adjustment_id bigint generated always as identity,
  account_id integer not null,
  symbol text not null,
  qty numeric not null,
  kind text not null,
  reason text not null,
  adjusted_at timestamptz not null,
  adjusted_by text not null,
  constraint position_adjustments_pkey primary key (adjustment_id),
  constraint position_adjustments_belongs_to_account
    foreign key (account_id) references orderlatch_data.accounts,
  constraint position_adjustments_qty_is_not_zero check (qty <> 0),
  constraint position_adjustments_kind_is_known
    check (kind in ('opening', 'split', 'transfer', 'fee', 'correction'))
);
create index position_adjustments_of_account on orderlatch_data.position_adjustments (account_id, symbol);
comment on table orderlatch_data.position_adjustments is
  'Changes of positions without a fill: opening positions, splits, transfers, fees; signed. Written once.';
comment on column orderlatch_data.position_adjustments.qty is
  'shares, coins or contracts that are added; negative: taken away';

create table orderlatch_data.broker_positions (
  account_id integer not null,
  symbol text not null,
  qty numeric not null,
  avg_entry_price numeric,
  seen_at timestamptz not null,
  constraint broker_positions_pkey primary key (account_id, symbol),
  constraint broker_positions_belongs_to_account foreign key (account_id) references orderlatch_data.accounts
);
comment on table orderlatch_data.broker_positions is
  'Positions as the broker last listed them; what it does not list is flat and has no row.';
comment on column orderlatch_data.broker_positions.qty is 'shares, coins or contracts; negative: short';
comment on column orderlatch_data.broker_positions.seen_at is 'when the quantity was first listed so';

create table orderlatch_data.position_differences (
  account_id integer not null,
  symbol text not null,
  ours numeric not null,
  theirs numeric not null,
  first_seen_at timestamptz not null,
  compared_at timestamptz not null,
  checks smallint not null,
  constraint position_differences_pkey primary key (account_id, symbol),
  constraint position_differences_belongs_to_account
    foreign key (account_id) references orderlatch_data.accounts
);
comment on table orderlatch_data.position_differences is
  'Symbols whose position the broker lists otherwise than the fills add up to, until they agree.';
comment on column orderlatch_data.position_differences.checks is
  'comparisons that differed, each after a complete read of fills';

create table orderlatch_data.stream_states (
  account_id integer not null,
  worker_id integer not null,
  connected_at timestamptz,
  lost_at timestamptz,
  last_update_at timestamptz,
  updates bigint not null default 0,
  unreadable bigint not null default 0,
  constraint stream_states_pkey primary key (account_id, worker_id),
  constraint stream_states_belongs_to_account foreign key (account_id) references orderlatch_data.accounts,
  constraint stream_states_belongs_to_worker foreign key (worker_id) references orderlatch_data.workers
);
comment on table orderlatch_data.stream_states is
  'The trade_updates stream of each account, as each life of a worker hears it.';
comment on column orderlatch_data.stream_states.lost_at is 'null: connected, as far as the worker has said';
comment on column orderlatch_data.stream_states.unreadable is 'messages that could not be understood';

alter table orderlatch_data.incidents add column subject text not null default '';
alter table orderlatch_data.incidents alter column subject drop default;
drop index orderlatch_data.incidents_open;
create index incidents_open on orderlatch_data.incidents
  (incident, coalesce(account_id, 0), coalesce(decision_id, 0), subject) where closed_at is null;
comment on column orderlatch_data.incidents.subject is
  'what it is about besides account and decision: a symbol, an order; empty: nothing else';
"""


def upgrade() -> None:
    op.execute("set local role orderlatch_owner")
    for statement in (SETTINGS, ORDERS, READS, FILLS):
        op.execute(statement)
    op.execute("reset role")


def downgrade() -> None:
    op.execute(
        """
        do $refuse$
        begin
          raise exception 'downgrade refused: what the mirror holds has no place in the tables before it'
            using hint = 'restore a backup from before the upgrade';
        end
        $refuse$
        """
    )
