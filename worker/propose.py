"""Proposes decisions from a file of JSON lines. A line that is wrong costs only itself.

Each line reaches Postgres to the letter: no number passes through Python. A line is parsed here only to know
that it is one JSON value; blank lines are skipped and not counted; a member named twice is refused, because
jsonb would keep the last one and drop the first in silence.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from worker.postgres import StatementRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from worker.database import Database
    from worker.messages import Proposal

BATCH_LINES = 100
BATCH_BYTES = 1024 * 1024

# Postgres' own codes for what it cannot take as jsonb, here for what is found before it is asked.
NOT_TEXT = "22021"
NOT_JSON = "22P02"
MEMBER_TWICE = "22030"

# What a single line can cause: data exceptions, and limits such as the depth of nesting.
_LINES_FAULT = ("22", "54")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that is one JSON value; `symbol` only to be shown."""

    number: int
    text: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one line; where no decision came of it, `status` is the SQLSTATE that says why."""

    number: int
    outcome: str
    status: str = ""
    symbol: str = ""
    decision_hash: str = ""
    remark: str = ""


class _MemberTwiceError(ValueError):
    """An object names a member twice."""


async def propose_lines(
    *, database: Database, account: str, lines: Iterable[bytes]
) -> AsyncIterator[Outcome]:
    """Propose every line for the account and yield what became of each, in the order of the lines.

    Raises DatabaseAwayError, and StatementRefusedError for what is no line's fault (an unknown account).
    """
    batch: list[Line] = []
    for checked in _checked(lines):
        if isinstance(checked, Line):
            batch.append(checked)
            if len(batch) < BATCH_LINES and sum(len(line.text) for line in batch) < BATCH_BYTES:
                continue
        async for outcome in _proposed(database, account, batch):
            yield outcome
        batch.clear()
        if isinstance(checked, Outcome):
            yield checked
    async for outcome in _proposed(database, account, batch):
        yield outcome


def summary(outcomes: Counter[str]) -> str:
    """Count the outcomes in one line; a collision, which must not happen, is named when there is one."""
    shown = ["created", "existing", "conflict", "invalid"]
    shown += sorted(set(outcomes) - set(shown))
    return " ".join([f"proposed: lines={outcomes.total()}", *(f"{name}={outcomes[name]}" for name in shown)])


async def _proposed(database: Database, account: str, batch: Sequence[Line]) -> AsyncIterator[Outcome]:
    """Propose a batch; when Postgres cannot take it as jsonb, halve it until the line at fault is found."""
    if not batch:
        return
    try:
        proposals = await database.propose_decisions(account=account, decisions=[line.text for line in batch])
    except StatementRefusedError as refused:
        if not refused.sqlstate.startswith(_LINES_FAULT):
            raise
        if len(batch) == 1:
            yield _invalid(batch[0].number, refused.sqlstate, str(refused))
            return
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            async for outcome in _proposed(database, account, half):
                yield outcome
        return
    for line, proposal in zip(batch, proposals, strict=True):
        yield _outcome(line, proposal)


def _outcome(line: Line, proposal: Proposal) -> Outcome:
    if proposal.error_code is not None:
        return _invalid(line.number, proposal.error_code, proposal.error_message or "")
    return Outcome(
        number=line.number,
        outcome=proposal.outcome,
        status=proposal.status or "",
        symbol=line.symbol,
        decision_hash=proposal.decision_hash or "",
        remark=" ".join(proposal.reasons or ()),
    )


def _invalid(number: int, sqlstate: str, message: str) -> Outcome:
    return Outcome(number=number, outcome="invalid", status=sqlstate, remark=message)


def _checked(lines: Iterable[bytes]) -> Iterator[Line | Outcome]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            text = line.decode().strip()
            value = json.loads(
                text,
                object_pairs_hook=_members_once,
                # Numbers stay text: 1e400 and 5,000 digits are for Postgres to judge.
                parse_int=str,
                parse_float=str,
                parse_constant=_not_a_number,
            )
        except UnicodeDecodeError:
            yield _invalid(number, NOT_TEXT, "not UTF-8")
        except _MemberTwiceError as error:
            yield _invalid(number, MEMBER_TWICE, str(error))
        except json.JSONDecodeError as error:
            yield _invalid(number, NOT_JSON, f"not JSON: {error.msg} at column {error.colno}")
        except (ValueError, RecursionError) as error:
            yield _invalid(number, NOT_JSON, f"not JSON: {error}")
        else:
            symbol = value.get("symbol") if isinstance(value, dict) else None
            yield Line(number=number, text=text, symbol=symbol if isinstance(symbol, str) else "")


def _members_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        raise _MemberTwiceError(f'member "{counted.most_common(1)[0][0]}" is named twice')
    return members


def _not_a_number(token: str) -> NoReturn:
    raise ValueError(f"{token} is not a JSON number")
