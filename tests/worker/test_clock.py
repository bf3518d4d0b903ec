"""The clock of the worker's machine jumps by days, back and forth: nothing that it does depends on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.worker.script import wait_until
from tests.worker.test_worker import Gate, a_world

if TYPE_CHECKING:
    from tests.worker.script import Script


def libfaketime() -> Path:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.fail("libfaketime is not installed: `make test` installs it")
    return found[0]


def test_a_clock_that_jumps_changes_nothing(script: Script, tmp_path: Path) -> None:
    """Forward while calls are on the wire, back while answers are recorded, and wrong from then on."""
    gate, clock = Gate(), tmp_path / "clock"
    clock.write_text("+0d")
    requests = script.ask_for(2)
    with a_world(script, tmp_path, gate.script) as world:
        world.environment = {
            "LD_PRELOAD": str(libfaketime()),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        with world.worker() as worker:
            wait_until(lambda: gate.standing == len(requests), what="the calls are on the wire")
            clock.write_text("+10d")
            gate.open()
            script.wait_for_answers(requests)
            clock.write_text("-10d")
            answers = script.wait_for_answers([*requests, *script.ask_for(2)])
            assert worker.stop() == 0
            told = [datetime.fromisoformat(str(line["at"])) for line in worker.events("answer_recorded")]
    assert {answer["sent"] for answer in answers.values()} == {"yes"}
    assert all(0 <= int(str(answer["elapsed_ms"])) < 60_000 for answer in answers.values())
    # it is this clock that jumped
    away = [abs(at - datetime.now(UTC)) > timedelta(days=9) for at in told]
    assert any(away), told
