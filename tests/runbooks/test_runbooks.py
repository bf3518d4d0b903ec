"""Every command of every runbook is run, and prints what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.runbooks.page import Page, agree, cleaned
from tests.support.servers import ROOT
from worker import embedded
from worker.rehearsal import Keys, sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import Database, TestServer

PLACE = ROOT / "docs" / "runbooks"
PAGES = [Page(path) for path in sorted(PLACE.glob("*.md"))]
RUN = [page for page in PAGES if page.path.stem != "README"]
ROLES = "select r.rolname from pg_roles as r"


@contextmanager
def world(page: Page, server: TestServer) -> Iterator[Database]:
    """A database for a page; the logins that the page makes go with it."""
    server.ensure_login("oncall", "orderlatch_operator")
    with server.database() as keeper, keeper.connect() as session:
        before = {name for (name,) in session.execute(ROLES).fetchall()}
        template = {"template": "template1"} if page.world == "blank" else {}
        with server.database(**template) as database:
            yield database
        for (name,) in session.execute(ROLES).fetchall():
            if name not in before:
                session.execute(f"drop role {name}".encode())


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.path.stem)
def test_a_runbook_does_what_it_says(page: Page, server: TestServer, tmp_path: Path) -> None:
    with ExitStack() as stack:
        database = stack.enter_context(world(page, server))
        environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("ORDERLATCH_", "APCA_", "PG"))
            },
            "PATH": f"{Path(sys.executable).parent}:{embedded.wheel_binaries()}:{os.environ['PATH']}",
            "DATABASE_URL": database.url,
            "HOME": str(tmp_path),
            "TMPDIR": str(tmp_path),
            "TZ": "UTC",
        }
        if "$RESTORED_URL" in page.text:
            environment["RESTORED_URL"] = stack.enter_context(server.database(template="template1")).url
        if page.world == "broker":
            keys = Keys.made_up("paper")
            broker = stack.enter_context(sandbox([keys], tmp_path / "sandbox"))
            environment |= {
                "APCA_API_KEY_ID": keys.key,
                "APCA_API_SECRET_KEY": keys.secret,
                "ORDERLATCH_PAPER_BASE_URL": str(broker.base_url).rstrip("/"),
                # whether the answer or the stream tells of an order first, no page can know
                "ORDERLATCH_STREAM": "off",
            }
        with subprocess.Popen(
            ["bash", "-c", page.script(lambda login: server.url(database.name, login))],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as run:
            printed, _ = run.communicate()
        assert run.returncode == 0, f"{page.path.name} failed\n{printed}"
        differing = page.differences(printed)
    assert not differing, "\n".join(differing)


def test_every_runbook_is_in_the_list() -> None:
    listed = re.findall(r"\]\((\w[\w-]*\.md)\)", (PLACE / "README.md").read_text())
    assert sorted(set(listed)) == sorted(page.path.name for page in RUN)


def test_every_runbook_runs_something() -> None:
    assert len(RUN) >= 10
    for page in RUN:
        assert any(step.kind in ("sql", "sh") for step in page.steps()), page.path.name


def test_what_a_page_shows_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("```sql\nselect 1;\n```\n\n```text\n status | age\n--------+-----\n new    | …\n```\n")
    page = Page(path)
    assert page.differences("@@@ 0\n status | age \n--------+---\n new | 3 s\n") == []
    assert page.differences("@@@ 0\n status | age \n--------+---\n old | 3 s\n") != []
    assert page.differences("@@@ 0\n status | age \n") != []
    assert agree(cleaned(["…", "b"]), ["a", "a", "b"])
    assert not agree(["b"], ["b", "c"])
    path.write_text("```python\nprint()\n```\n")
    with pytest.raises(ValueError, match=r"page\.md:1: a block of python is not run"):
        page.steps()
