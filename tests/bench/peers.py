"""The peers: pinned packages in environments of their own below .bench, never imported by what is measured.

Python peers are the extra `bench` of pyproject.toml, installed by `make bench`; graphile-worker is fetched by
npm, where there is one. Nothing of theirs is part of this repository.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING

from worker.installer import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = ROOT / ".bench" / "venv" / "bin" / "python"
NODE = ROOT / ".bench" / "node"
# The newest that runs on Node 20, which distributions ship.
GRAPHILE = "graphile-worker@0.17.3"
PACKAGES = ("absurdctl", "pgmq", "pgqueuer", "procrastinate")

# How each package says that its objects are to be made.
INSTALLERS = {
    "absurd": "import absurdctl; print(absurdctl.BUNDLED_SCHEMA_SQL)",
    "pgmq": "from pgmq.install import get_embedded_install_sql as sql; print(sql())",
    "procrastinate": "from procrastinate.schema import SchemaManager; print(SchemaManager.get_schema())",
}
VERSIONS = """
from importlib.metadata import version
from pgmq.install import get_embedded_sql_version
print(*(f"{name}={version(name)}" for name in %r), f"pgmq_sql={get_embedded_sql_version()}")
"""


def ask(program: str) -> str:
    """What a line of Python prints in the peers' environment."""
    done = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout


@cache
def schema(peer: str) -> str:
    """The SQL that a peer installs itself with."""
    return ask(INSTALLERS[peer])


@cache
def versions() -> dict[str, str]:
    """Which versions are measured."""
    found = dict(pair.split("=") for pair in ask(VERSIONS % (PACKAGES,)).split())
    return found | ({"graphile-worker": GRAPHILE.split("@")[1]} if graphile() else {})


@cache
def graphile() -> bool:
    """Whether graphile-worker is there; it is fetched once, if there is an npm."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return False
    if not (NODE / "node_modules" / "graphile-worker").exists():
        NODE.mkdir(parents=True, exist_ok=True)
        fetch: list[str | Path] = [
            "npm",
            "install",
            "--prefix",
            NODE,
            "--no-audit",
            "--no-fund",
            "--no-save",
            GRAPHILE,
        ]
        return subprocess.run(fetch, capture_output=True, check=False).returncode == 0
    return True
