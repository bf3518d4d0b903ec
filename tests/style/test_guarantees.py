"""Pages that name tests name those that there are."""

from __future__ import annotations

import re

import pytest

from tests.support.servers import ROOT

PAGES = ("guarantees.md", "isolation.md")
NAMED = re.compile(r"`((?:\w+/)+\w+\.(?:py|sql))(?:::(\w+))?`")


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_page_names_exists(page: str) -> None:
    named = NAMED.findall((ROOT / "docs" / page).read_text())
    assert len(named) > 20
    for path, name in named:
        file = ROOT / "tests" / path
        assert file.is_file(), f"{page} names {path}"
        assert not name or f"def {name}(" in file.read_text(), f"{page} names {path}::{name}"
