"""What a claim costs does not depend on the accounts that it does not visit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.counts import rows_since, rows_touched
from tests.support.decisions import a_limit_order

if TYPE_CHECKING:
    from tests.support.servers import Database

NEIGHBOURS = 40
CLAIMS = 20
# Of the account that it visits a claim reads these tables a few times.
TABLES = ("accounts", "account_states", "broker_reads", "account_budgets", "broker_limits", "sign_offs")
BOUND = 12 * CLAIMS
PROPOSE = "select p.status from orderlatch.propose_decisions('paper', %s) as p"
CLAIM = "select count(*) from orderlatch.claim_requests(%s, '{paper}', 1) as c where c.kind = 'submit_order'"


@pytest.mark.every_major
def test_a_claim_reads_nothing_of_other_accounts(database: Database) -> None:
    with database.connect() as session:
        session.execute("select test_support.hold_clock('2026-03-02 12:00:00Z')")
        for number in range(NEIGHBOURS):
            session.execute("select test.given_account(%s)", [f"neighbour-{number}"])
        session.execute("select test.given_account('paper', '{\"max_in_doubt\": 1000, \"burst\": 100}')")
        ((worker,),) = session.execute("select test.given_worker()").fetchall()
        decisions = [
            a_limit_order(
                number,
                strategy_id="neighbours",
                symbol="N" + chr(65 + number),
                event_ts="2026-03-02T11:59:00Z",
                limit_price="1.5",
            )
            for number in range(CLAIMS)
        ]
        assert session.execute(PROPOSE, [json.dumps(decisions)]).fetchall() == [("approved",)] * CLAIMS
        session.execute("analyze")
        before = rows_touched(database, session)
        for _ in range(CLAIMS):
            assert session.execute(CLAIM, [worker]).fetchone() == (1,)
        read = rows_since(before, rows_touched(database, session))
    much = {table: read[table][0] for table in TABLES if table in read and read[table][0] > BOUND}
    assert not much, f"{CLAIMS} claims read {much}"
