"""Workers of the version before go on: what they ask is taken, and answered in columns that they know."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from psycopg import pq

from worker.database import SCHEMA_VERSIONS

if TYPE_CHECKING:
    import psycopg

    from tests.support.sessions import Connect

pytestmark = pytest.mark.every_major

# The statements of the first worker, with the types of their parameters and the columns of their answers.
ASKED = json.loads((Path(__file__).parents[1] / "fixtures" / "worker_interface_1.json").read_text())


def numbered(statement: str) -> bytes:
    """The statement with $1, $2 instead of named parameters, in the order in which they come first."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    return re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement).encode()


def described(session: psycopg.Connection, statement: str) -> dict[str, object]:
    """What Postgres says of a statement without running it."""
    prepared = session.pgconn.prepare(b"asked", numbered(statement))
    assert prepared.status == pq.ExecStatus.COMMAND_OK, prepared.error_message.decode()
    told = session.pgconn.describe_prepared(b"asked")
    names = {
        int(oid): str(name)
        for oid, name in session.execute(
            "select t.oid::bigint, t.oid::regtype::text from pg_type as t"
        ).fetchall()
    }
    session.execute("deallocate asked")
    return {
        "parameters": [names[told.param_type(place)] for place in range(told.nparams)],
        "columns": [
            [(told.fname(place) or b"").decode(), names[told.ftype(place)]] for place in range(told.nfields)
        ],
    }


@pytest.mark.parametrize("name", ASKED)
def test_what_the_first_worker_asks_is_taken_and_answered_as_it_knows(connect: Connect, name: str) -> None:
    told = described(connect(), ASKED[name]["statement"])
    assert told == {each: ASKED[name][each] for each in ("parameters", "columns")}, (
        "workers of interface 1 are running somewhere: make a new function beside the old one"
    )


def test_the_first_interface_is_still_spoken() -> None:
    assert 1 in SCHEMA_VERSIONS
