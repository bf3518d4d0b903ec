"""The model's database is like the real one: led along the same ways, both say the same after each act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.model.likeness import ANSWERS, Likeness, tree
from tests.model.runs import PAGE
from tests.model.spin import version, walks
from tests.races.scene import Session

if TYPE_CHECKING:
    from tests.support.servers import Database


def test_the_real_database_does_what_that_of_the_model_does(database: Database) -> None:
    ways = walks({"FREEZES": "", "STALE_READS": ""})
    with database.connect() as connection:
        likeness = Likeness.begin(Session(connection))
        acts = likeness.follow(tree(ways))
    assert likeness.given == set(ANSWERS), "not every answer was given"
    assert f"{len(ways):,} ways and {acts:,} acts" in PAGE or f"Spin {version()}" not in PAGE
