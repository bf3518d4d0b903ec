"""A runbook as a program: its commands are run in order, and what it shows is compared with what they print.

```sql             run by psql as the login `oncall`; "sql as=NAME" as another
```sh              run by the shell, one shell for the whole page
```text            what the block before it prints; … stands for anything, alone on a line for any lines
<!-- given SQL --> what has happened before, made with the schema `test`; nobody sees it
<!-- wait SQL -->  goes on once this is true
<!-- world: W -->  blank: an empty database; broker: also a sandbox, with keys; else a migrated database
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Kind = Literal["sql", "sh", "given", "wait"]

BLOCK = re.compile(
    r"^```(?P<language>\w*)(?: as=(?P<login>\w+))?\n(?P<code>.*?)^```$"
    r"|^<!-- (?P<hidden>given|wait)\n(?P<sql>.*?)^-->$",
    re.MULTILINE | re.DOTALL,
)
MARK = "@@@"
# What a page leaves running in the background ends with it.
PREAMBLE = """set -eu
trap 'status=$?; kill $(jobs -p) 2>/dev/null || true; wait || true; exit $status' EXIT"""
PATIENCE_S = 90


@dataclass(slots=True)
class Step:
    """One block that is run, and what it must print if the page shows that."""

    kind: Kind
    code: str
    line: int
    login: str = "oncall"
    shown: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """One runbook."""

    path: Path

    @property
    def text(self) -> str:
        """The whole page."""
        return self.path.read_text()

    @property
    def world(self) -> str:
        """What the page needs around it."""
        found = re.search(r"^<!-- world: (\w+) -->$", self.text, re.MULTILINE)
        return found[1] if found else "database"

    def steps(self) -> list[Step]:
        """The blocks in order. Raises ValueError for a block that nobody runs and nothing prints."""
        steps: list[Step] = []
        for found in BLOCK.finditer(self.text):
            line = self.text.count("\n", 0, found.start()) + 1
            match found["hidden"] or found["language"]:
                case "given" | "wait" as kind:
                    steps.append(Step(kind, found["sql"], line, "postgres"))
                case "sql" | "sh" as kind:
                    steps.append(Step(kind, found["code"], line, found["login"] or "oncall"))
                case "text" if steps and steps[-1].kind in ("sql", "sh") and not steps[-1].shown:
                    steps[-1].shown = found["code"].splitlines()
                case other:
                    raise ValueError(f"{self.path.name}:{line}: a block of {other or 'nothing'} is not run")
        return steps

    def script(self, url: Callable[[str], str]) -> str:
        """The page for bash; every block is announced by its number."""
        return "\n".join([PREAMBLE, *self._commands(url)]) + "\n"

    def _commands(self, url: Callable[[str], str]) -> Iterator[str]:
        for number, step in enumerate(self.steps()):
            yield f"echo '{MARK} {number}'"
            psql = f"psql --no-psqlrc --set=ON_ERROR_STOP=1 --pset=pager=off {shlex.quote(url(step.login))}"
            here = f"<<'END_OF_BLOCK'\n{step.code}\nEND_OF_BLOCK"
            match step.kind:
                case "sh":
                    yield step.code
                case "sql":
                    yield f"{psql} {here}"
                case "given":
                    yield f"{psql} --quiet --output=/dev/null {here}"
                case "wait":
                    asked = f"{psql} --quiet --tuples-only --no-align {here}"
                    yield f"for second in $(seq {PATIENCE_S * 5}); do"
                    yield f'  test "$({asked}\n)" = t && break\n  sleep 0.2\ndone'

    def differences(self, printed: str) -> list[str]:
        """Where the page shows something else than was printed."""
        parts = re.split(rf"^{MARK} \d+\n", printed, flags=re.MULTILINE)[1:]
        steps = self.steps()
        assert len(parts) == len(steps)
        return [
            f"{self.path.name}:{step.line}: shows\n" + "\n".join(step.shown) + f"\nbut it prints\n{part}"
            for step, part in zip(steps, parts, strict=True)
            if step.shown and not agree(cleaned(step.shown), cleaned(part.splitlines()))
        ]


def cleaned(lines: list[str]) -> list[str]:
    """Lines without what only makes them look good: rulers, widths of columns, empty ones."""
    squeezed = (re.sub(r"\s+", " ", line.strip(" |")) for line in lines)
    return [line for line in squeezed if line and not re.fullmatch(r"[-+]+", line)]


def agree(shown: list[str], printed: list[str]) -> bool:
    """Whether lines are what a page shows of them."""
    if not shown:
        return not printed
    if shown[0] == "…":
        return any(agree(shown[1:], printed[some:]) for some in range(len(printed) + 1))
    pattern = ".*".join(re.escape(part) for part in shown[0].split("…"))
    return bool(printed) and re.fullmatch(pattern, printed[0]) is not None and agree(shown[1:], printed[1:])
