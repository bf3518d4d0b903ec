"""The broker is down: three orders in doubt, the rest waits, all ends well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.drills.broker import SUBMITS

if TYPE_CHECKING:
    from worker.drills.stage import Stage

PROPOSE = """
    select status, outcome, count(*)
      from orderlatch.propose_decisions('paper', (
             select jsonb_agg(jsonb_build_object(
                      'strategy_id', 'drill', 'timeframe', '1Day',
                      'event_ts', '2026-11-20T21:00:00Z', 'symbol', symbol,
                      'action', 'buy', 'qty', 10))
               from unnest('{AAPL,AMZN,GOOG,IBM,KO,META,MSFT,NVDA}'::text[]) as symbol))
     group by status, outcome
"""
STATUSES = "select status, count(*) from orderlatch.decisions group by status order by status"


def play(stage: Stage) -> None:
    """Answer every call with a gateway's page; one of the orders is stored all the same."""
    prompt, broker = stage.prompt, stage.broker
    stage.create_account()
    stage.start_worker()
    prompt.look(
        """
        select purpose, state from orderlatch.reconciliation
         where completed_at is not null order by purpose
        """,
        [("fills", ...), ("open_orders", ...), ("orders", ...), ("positions", ...)],
    )

    stage.part("break it")
    stage.say(
        "From now on every answer is a gateway's page. The first order is stored before it, no other is."
    )
    broker.misbehave(SUBMITS, "answer", when="after", body="bad_gateway")
    submits = broker.misbehave(SUBMITS, "answer", when="before", body="bad_gateway", nth=2, count=None)
    reads = broker.misbehave({"method": "GET"}, "answer", when="before", body="bad_gateway", count=None)
    prompt.enter(PROPOSE, [("approved", "created", "8")])

    stage.part("detect it")
    stage.say(
        """An order may or may not exist after a 502, so each of them is in doubt. At three (max_in_doubt) the
        account stops: an outage must not put one order of every symbol in doubt."""
    )
    prompt.look(
        """
        select purpose, state, failures >= 2 as failed_again
          from orderlatch.reconciliation where purpose = 'orders'
        """,
        [("orders", "failing", "t")],
    )
    prompt.look(STATUSES, [("approved", "5"), ("in_doubt", "3")])
    prompt.look("select distinct proof from orderlatch.in_doubt", [("looking",)])

    stage.part("recover")
    stage.say(
        """The broker is back. The one order that exists is found. Of the two others absence is proved, and
        they are sent again under their ids. Nobody types anything."""
    )
    broker.tell("DELETE", f"faults/{submits}")
    broker.tell("DELETE", f"faults/{reads}")
    prompt.look(STATUSES, [("submitted", "8")])
    broker.show_summary(orders=8, client_order_ids=8, duplicates=0)
    stage.show_invariants()
