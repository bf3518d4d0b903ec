"""Servers, databases, clocks and sessions for every test. How to use them: tests/README.md."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.pgtap import TapFile
from tests.support.servers import FIXTURES_SQL, MAJORS, Database, ServerError, Servers, TestServer
from tests.support.sessions import Clock, Connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

TESTS = Path(__file__).parent
# What the database promises is proved on every version; what the worker does with it, on the first of --pg.
EVERY_MAJOR = (TESTS / "database",)
SERVERS = pytest.StashKey[Servers]()
# Whoever waits for the tests gets a short storm.
STORM_MINUTES = "1" if os.environ.get("CI") else "0.2"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pg", default=",".join(map(str, MAJORS)), help="major versions of Postgres: 18,15")
    parser.addoption("--minutes", default=STORM_MINUTES, help="how long the storm of tests/chaos rages")
    parser.addoption("--seed", default="1", help="which troubles it brings")
    parser.addoption("--thorough", action="store_true", help="also variants that take long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--thorough"):
        left_out = [item for item in items if item.get_closest_marker("thorough") is not None]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_configure(config: pytest.Config) -> None:
    try:
        majors = tuple(int(major) for major in str(config.getoption("--pg")).split(","))
    except ValueError as error:
        raise pytest.UsageError("--pg takes major versions, for example --pg=18,15") from error
    if unknown := set(majors) - set(MAJORS):
        raise pytest.UsageError(f"--pg: the tests know no way to start Postgres {unknown.pop()}")
    config.stash[SERVERS] = Servers(majors)


def pytest_unconfigure(config: pytest.Config) -> None:
    if SERVERS in config.stash:
        config.stash[SERVERS].stop_all()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix != ".sql" or TESTS / "database" not in file_path.parents or file_path == FIXTURES_SQL:
        return None
    servers = parent.config.stash[SERVERS]
    return TapFile.build(parent, file_path, servers.majors, servers.get)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    majors = metafunc.config.stash[SERVERS].majors
    everywhere = any(place in metafunc.definition.path.parents for place in EVERY_MAJOR)
    if not everywhere and metafunc.definition.get_closest_marker("every_major") is None:
        majors = majors[:1]
    for fixture in {"server", "bare_server"} & set(metafunc.fixturenames):
        metafunc.parametrize(fixture, majors, ids=[f"pg{major}" for major in majors], indirect=True)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> TestServer:
    """The throw-away server of one major version; parametrised, see every_major."""
    try:
        return request.config.stash[SERVERS].get(request.param)
    except ServerError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def database(server: TestServer) -> Iterator[Database]:
    """A migrated database of this test's own, dropped after it."""
    with server.database() as database:
        yield database


@pytest.fixture
def blank_database(server: TestServer) -> Iterator[Database]:
    """An empty database of this test's own, for tests of installing."""
    with server.database(template="template1") as database:
        yield database


@pytest.fixture
def bare_server(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    """A server of one version for one test alone, on which Orderlatch has never been."""
    server = request.config.stash[SERVERS].start(request.param, migrated=False)
    yield server
    server.server.stop("immediate")


@pytest.fixture
def own_server(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    """A durable server for one test alone, which may crash it; of the first version of --pg."""
    servers = request.config.stash[SERVERS]
    server = servers.start(servers.majors[0], fsync="on")
    yield server
    if server.server.running():
        server.server.stop("immediate")


@pytest.fixture
def connect(database: Database) -> Iterator[Connect]:
    """Opens sessions of the test's database, and closes them after the test."""
    with ExitStack() as stack:

        def connect(*, login: str = "postgres", autocommit: bool = True) -> psycopg.Connection:
            return stack.enter_context(database.connect(login=login, autocommit=autocommit))

        yield connect


@pytest.fixture
def clock(database: Database) -> Clock:
    """Orderlatch's clock in the test's database, held at the real time until the test moves it."""
    clock = Clock(database)
    clock.set()
    return clock
