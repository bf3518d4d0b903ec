"""What every benchmark stands on: a fresh database on the durable embedded server, tables and results."""

from __future__ import annotations

import json
import os
import platform
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import psycopg

from tests.bench.summary import at, top
from worker import embedded
from worker.applier import read_files
from worker.installer import ROOT, migrate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RESULTS = ROOT / ".bench" / "results.json"
TICKS = os.sysconf("SC_CLK_TCK")
TEMPLATE = "orderlatch_template_of_bench"
MADE = "select d.datname from pg_database as d where d.datname ^@ 'orderlatch_bench'"
STATED = (
    "server_version", "fsync", "synchronous_commit", "full_page_writes",
    "shared_buffers", "max_wal_size", "checkpoint_timeout",
)  # fmt: skip

Figures: TypeAlias = "dict[str, Figures] | list[Figures] | str | int | float | bool | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large: `quick` is a smaller round; minutes are those of the budget, decisions of the past."""

    quick: bool
    minutes: float = 2
    decisions: int | None = None


def start_server() -> None:
    """Start the embedded server anew, with what docs/deploy tells who runs one to set."""
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    deployed = {
        "shared_buffers": f"{memory_mb // 4}MB", "max_wal_size": "8GB", "checkpoint_timeout": "15min",
    }  # fmt: skip
    embedded.stop()
    embedded.ensure_running({**embedded.SETTINGS, **deployed})


def blank_database(name: str, template: str = "template1") -> str:
    """Create an empty database on the embedded server, or a copy of a template, and return its URL."""
    url = embedded.ensure_running()
    with psycopg.connect(url, autocommit=True) as connection:
        drop_database(connection, name)
        connection.execute(f"create database {name} template {template}".encode())
        # what the last benchmark left to be written is none of this one's time
        connection.execute("checkpoint")
    return psycopg.conninfo.make_conninfo(url, dbname=name)


def fresh_database(name: str = "orderlatch_bench") -> str:
    """Create a migrated database on the embedded server, and return its URL."""
    return blank_database(name, migrated_template())


@cache
def migrated_template() -> str:
    """A database that was migrated once in this run, to be copied."""
    with redirect_stdout(StringIO()):
        migrate(blank_database(TEMPLATE), read_files(ROOT / "sql"))
    return TEMPLATE


def drop_database(connection: psycopg.Connection, name: str) -> None:
    """Drop a database of a benchmark, whoever is still in it."""
    connection.execute(f"drop database if exists {name} with (force)".encode())


def clean_up() -> None:
    """Drop every database that a benchmark made: a long past takes much room."""
    with psycopg.connect(embedded.ensure_running(), autocommit=True) as connection:
        for (name,) in connection.execute(MADE).fetchall():
            drop_database(connection, name)


def server_settings() -> dict[str, Figures]:
    """Versions, and what the server promises about durability."""
    with psycopg.connect(embedded.ensure_running(), autocommit=True) as connection:
        stated: dict[str, Figures] = {name: setting(connection, name) for name in STATED}
    return stated | {
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "psycopg": psycopg.__version__,
    }


def setting(connection: psycopg.Connection, name: str) -> str:
    """The value of a setting of the server."""
    row = connection.execute("select current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wal_position(connection: psycopg.Connection) -> int:
    """Bytes of WAL written since the server was made."""
    row = connection.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").fetchone()
    assert row is not None
    return int(row[0])


def keep(name: str, figures: Figures) -> None:
    """Write the figures of one benchmark, and the keys at the top; the figures of the others stay."""
    kept: dict[str, Figures] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept = {each: kept[each] for each in kept if at(kept[each], "figures") is not None} | {name: figures}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(top(kept) | kept, indent=1) + "\n")


def table(heads: Sequence[str], rows: Iterable[Sequence[str | float]]) -> None:
    """Print rows below their heads: the first column to the left, figures to the right."""
    shown = [[cell if isinstance(cell, str) else figure(cell) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in (heads, *shown)) for place in range(len(heads))]
    for row in (heads, *shown):
        cells = [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  " + "  ".join(cells), flush=True)


def figure(value: float) -> str:
    """A number in about three digits."""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
