"""The drills, each as a person runs it; and what one says when something is wrong."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import ORDERLATCH, ROOT, roomy_memory
from worker.cli import main
from worker.drills import broker, command
from worker.drills.catalogue import DRILLS, Drill
from worker.drills.databases import name_of, place_of
from worker.drills.prompt import DrillError, Prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.servers import Database
    from worker.drills.prompt import Expected
    from worker.drills.stage import Stage

Run = subprocess.CompletedProcess[str]

NAMES = [drill.name for drill in DRILLS]
# The others take their time: `make test THOROUGH=1`.
ALWAYS = {"duplicate-orders"}
CHOSEN = [pytest.param(n, marks=[] if n in ALWAYS else pytest.mark.thorough) for n in NAMES]
WIDTH = 100
PATIENCE_S = 200
PARTS = ("--- break it ---", "--- detect it ---", "--- recover ---")


def orderlatch(*arguments: str, home: Path, said: str = "") -> Run:
    return subprocess.run(
        [ORDERLATCH, *arguments],
        cwd=ROOT,
        env={**os.environ, "ORDERLATCH_HOME": str(home)},
        input=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The embedded server of all drills of this module."""
    home = Path(tempfile.mkdtemp(prefix="orderlatch-drills-", dir=roomy_memory()))
    home.chmod(0o755)
    yield home
    orderlatch("stop", "--remove", home=home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.mark.parametrize("name", CHOSEN)
def test_a_drill_ends_well(home: Path, name: str) -> None:
    done = orderlatch("drill", name, home=home)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (lines[0], lines[-1], done.stderr) == (f"drill {name}", f"drill ok: {name}", "")
    assert [line for line in lines if len(line) > WIDTH] == []
    assert [part for part in PARTS if part not in done.stdout] == []
    assert processes_of(name, home) == []
    # what it has left can be looked at; a server of its own runs for as long as somebody looks
    query = "select 'kept', count(*) from orderlatch.decisions"
    assert "kept" in orderlatch("drill", name, "--psql", home=home, said=query).stdout
    assert processes_of(name, home) == []


def processes_of(drill: str, home: Path) -> list[str]:
    """The processes that a drill has started and not ended."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_text() + (process / "environ").read_text()
        except OSError:  # it has ended, or is somebody else's
            continue
        if str(home) in told and (str(home / "drills" / drill) in told or name_of(drill) in told):
            found.append(told)
    return found


# --- what is around them ---


@dataclass(frozen=True)
class Play:
    """A drill that is no module."""

    play: Callable[[Stage], None]
    __name__ = "worker.drills.rehearsed"
    __doc__ = "What a test plays."


def run_drill(play: Callable[[Stage], None], home: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a drill that a test has made up, as the command does; returns its status."""
    monkeypatch.setenv("ORDERLATCH_HOME", str(home))
    monkeypatch.setattr(command, "DRILLS", (Drill(Play(play)),))
    monkeypatch.setattr("sys.argv", ["orderlatch", "drill", "rehearsed"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_drill_begins_with_nothing_of_its_last_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def play(stage: Stage) -> None:
        stage.create_account()
        stage.prompt.enter("select account from orderlatch.accounts", [("paper",)])

    assert [run_drill(play, home, monkeypatch) for _ in range(2)] == [0, 0]


def test_a_drill_says_what_was_expected_and_what_is(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def play(stage: Stage) -> None:
        stage.create_account()
        stage.start_worker()
        stage.prompt.enter("select account, environment from orderlatch.accounts", [("live", ...)])

    assert run_drill(play, home, monkeypatch) == 1
    said = capsys.readouterr()
    assert "drill ok" not in said.out
    assert said.err == (
        "orderlatch: drill failed: rehearsed\n"
        "select account, environment from orderlatch.accounts;\n"
        "expected:\n  live | ...\nbut it is:\n"
        " account | environment \n---------+-------------\n paper   | paper\n(1 row)\n\n"
    )
    assert processes_of("rehearsed", home) == []


def test_a_drill_compares_the_books_of_the_broker(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def play(stage: Stage) -> None:
        monkeypatch.setattr(broker, "PATIENCE_S", 0)
        stage.broker.show_orders(("GOOG", "buy", "10", "new", "0", "POST", "1", "0123456789ab"))

    assert run_drill(play, home, monkeypatch) == 1
    assert "the broker should have:" in capsys.readouterr().err


def test_a_drill_runs_once_at_a_time(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def play(stage: Stage) -> None:  # noqa: ARG001
        raise AssertionError("it began")

    monkeypatch.setenv("ORDERLATCH_HOME", str(home))
    with place_of("rehearsed"):
        assert run_drill(play, home, monkeypatch) == 1
    assert capsys.readouterr().err == "orderlatch: the drill rehearsed is running already\n"


def test_without_a_name_every_drill_is_listed_with_its_sentence(home: Path) -> None:
    done = orderlatch("drill", home=home)
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert [line.split(maxsplit=1) for line in lines[: len(DRILLS)]] == [
        [drill.name, drill.sentence] for drill in DRILLS
    ]
    assert [line for line in lines if len(line) > WIDTH] == []


def test_the_documentation_lists_the_same_drills() -> None:
    documented = re.findall(
        r"^\| `([a-z-]+)` \| (.*) \|$", (ROOT / "docs" / "drills.md").read_text(), re.MULTILINE
    )
    assert documented == [(drill.name, drill.sentence) for drill in DRILLS]


def test_a_drill_that_does_not_exist_is_answered_with_those_that_do(home: Path) -> None:
    done = orderlatch("drill", "earthquake", home=home)
    assert done.returncode == 1
    assert all(name in done.stderr for name in NAMES)


# --- what is checked is what psql prints ---


@pytest.fixture
def prompt(database: Database, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    monkeypatch.setattr("worker.drills.prompt.PATIENCE_S", 0)
    return Prompt(database.url)


THREE = "select n, '' as empty, 'a | b' as barred from generate_series(1, 3) as n"


@pytest.mark.parametrize(
    "expected",
    [
        [("1", "", "a | b"), ("2", "", "a | b"), ("3", "", "a | b")],
        [("1", "", ...), ..., ("3", ..., "a | b")],
        [..., ("3", "", "a | b")],
        [...],
    ],
)
def test_rows_agree(prompt: Prompt, expected: Expected) -> None:
    assert [row[0] for row in prompt.look(THREE, expected)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "expected",
    [
        [],
        [("1", "", "a | b"), ("2", "", "a | b")],
        [("1", "", "a | b"), ("2", "", "a | b"), ("4", "", "a | b")],
        [("1", ""), ...],
        [..., ("3", "", "a | b"), ("4", "", "a | b")],
    ],
)
def test_rows_do_not_agree(prompt: Prompt, expected: Expected) -> None:
    with pytest.raises(DrillError, match="but it is"):
        prompt.look(THREE, expected)


def test_no_rows_are_expected_of_no_rows_alone(prompt: Prompt) -> None:
    assert prompt.look("select 1 as one where false", []) == []
    with pytest.raises(DrillError, match="does not exist"):
        prompt.look("select 1 from nothing", [])


def test_a_refusal_must_be_one_and_say_why(prompt: Prompt) -> None:
    prompt.refused("delete from orderlatch_data.decision_events", "append_only")
    for statement in ("delete from orderlatch_data.decision_events", "select 'account_unknown'"):
        with pytest.raises(DrillError, match="expected an error"):
            prompt.refused(statement, "account_unknown")


def test_what_is_set_is_known_to_later_statements(prompt: Prompt, capsys: pytest.CaptureFixture[str]) -> None:
    prompt.set("symbol", "GOOG")
    prompt.enter("begin;\nselect :'symbol'\n  as symbol;\ncommit", [("GOOG",)])
    assert capsys.readouterr().out.startswith(
        "drill=# \\set symbol GOOG\n\n"
        "drill=# begin;\ndrill=*# select :'symbol'\ndrill-#   as symbol;\ndrill=*# commit;\n"
    )
