"""The harness: a server that a test may crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.servers import TestServer


def test_a_crashed_server_comes_back_with_what_was_committed(own_server: TestServer) -> None:
    with own_server.database() as database:
        with database.connect() as connection:
            connection.execute("create table kept as select 1 as one")
        own_server.server.stop("immediate")
        assert not own_server.server.running()
        own_server.server.start()
        with database.connect() as connection:
            assert connection.execute("table kept").fetchone() == (1,)
