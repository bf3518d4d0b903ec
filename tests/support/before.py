"""Files of today, as they can be applied to the tables of before."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.applier import File

CHANGES = (
    # the column of revision 0028, not the function of that name
    (re.compile(rb"\.is_held\b(?!\()"), b".qty <> 0"),
    # the column of open_decisions of revision 0030: where it is written, read and guarded
    (re.compile(rb"symbol, strategy_id, lock_key"), b"symbol, lock_key"),
    (re.compile(rb"\b(n|p_decision)\.symbol, \1\.strategy_id,"), rb"\1.symbol,"),
    (re.compile(rb"account_id, symbol, strategy_id on orderlatch_data.open_decisions"),
     b"account_id, symbol on orderlatch_data.open_decisions"),
    (re.compile(rb"coalesce\(o\.strategy_id, "), b"coalesce("),
    # the tables of revision 0029
    (re.compile(rb"(?<=to', )orderlatch_data\.days_that_differ\(\)"), b"0::bigint"),
)  # fmt: skip


def as_before(files: Iterable[File]) -> list[File]:
    """The files without the columns that revisions since 0022 have added."""
    return [replace(file, content=_as_before(file.content)) for file in files]


def _as_before(content: bytes) -> bytes:
    for pattern, before in CHANGES:
        content = pattern.sub(before, content)
    return content
