"""The database of a simulation: its sessions, calls that get lost on the way, and failovers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from random import Random

    from tests.simulator.world import World
    from tests.support.servers import TestServer

SIMULATOR_SQL = Path(__file__).with_name("simulator.sql")
LIVENESS = "select pg_advisory_lock(orderlatch_data.lock_class('worker'), %s)"
TABLES = """
select string_agg(c.oid::regclass::text, ', ') from pg_class as c
where c.relnamespace = 'orderlatch_data'::regnamespace and c.relkind = 'r'
"""
SETTLED = {
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "TimeZone": "UTC",
    "application_name": "simulator",
}

Row = tuple[object, ...]


class ConnectionLostError(Exception):
    """The session ended before the answer came: the call was committed, or it was not."""


class Base:
    """One database after the other: a failover goes on with an earlier state of it."""

    def __init__(self, server: TestServer, template: str, name: str, world: World) -> None:
        self._server = server
        self._world = world
        self._name = name
        self._databases: list[str] = []
        self._sessions: dict[str, psycopg.Connection] = {}
        self._told: dict[str, int] = {}
        self._alive: dict[str, list[int]] = {}
        self.generation = 0
        self._kept: str | None = None
        self._create(self._next_name(), template)
        self.calls = 0

    def rows(self, who: str, query: str, *arguments: object) -> list[Row]:
        """Call a function in somebody's session."""
        self.calls += 1
        session = self._session(who)
        if self._told.get(who) != self._world.now:
            now = self._world.time().isoformat()
            session.execute("select set_config('simulator.now', %s, false)", [now])
            self._told[who] = self._world.now
        return session.execute(query.encode(), arguments or None).fetchall()

    def shaky_rows(self, who: str, luck: Random, chance: float, query: str, *arguments: object) -> list[Row]:
        """The same over a network that may drop the session, before the commit or after it."""
        if self._world.calm or luck.random() >= chance:
            return self.rows(who, query, *arguments)
        if luck.random() < 0.5:
            with self._session(who).transaction(force_rollback=True):
                self.rows(who, query, *arguments)
            self._told.pop(who, None)
            self._world.say(who, "lost its session before the commit")
        else:
            self.rows(who, query, *arguments)
            self._world.say(who, "lost its session after the commit")
        raise ConnectionLostError

    def analyze(self) -> None:
        """Let the planner know how much there is, as autovacuum does where time goes by."""
        ((tables,),) = self.rows("operator", TABLES)
        self._session("operator").execute(f"analyze {tables}".encode())

    def hold_life(self, who: str, worker_id: int) -> None:
        """Remember that a session holds a worker's life, for whoever moves it to another database."""
        self._alive.setdefault(who, []).append(worker_id)

    def end_life(self, who: str) -> None:
        """Give back what a session that died held; the end of a real one would be noticed a little later."""
        self.rows(who, "select pg_advisory_unlock_all()")
        self._alive.pop(who, None)

    def keep_state(self) -> None:
        """Keep the state of this moment for a failover. Sessions come back as if nothing had been."""
        self._drop(self._kept)
        self._kept = self._next_name()
        current = self._databases[-1]
        self._close()
        self._create(self._kept, current, goes_on=False)
        for who, workers in self._alive.items():
            for worker_id in workers:
                self.rows(who, LIVENESS, worker_id)

    def fail_over(self) -> bool:
        """Go on with the state that was kept: what was committed since is lost, and so are all sessions."""
        if self._kept is None:
            return False
        self._close()
        self._alive.clear()
        self._drop(self._databases.pop())
        self._databases.append(self._kept)
        self._kept = None
        self.generation += 1
        return True

    def close(self) -> None:
        """Drop everything."""
        self._close()
        self._drop(self._kept)
        for name in self._databases:
            self._drop(name)

    @property
    def url(self) -> str:
        """The current database, for people."""
        return self._server.url(self._databases[-1])

    def _session(self, who: str) -> psycopg.Connection:
        if who not in self._sessions:
            session = psycopg.connect(self.url, autocommit=True, prepare_threshold=1)
            for setting, value in SETTLED.items():
                session.execute("select set_config(%s, %s, false)", [setting, value])
            origin = f"{self._world.seed} {self.generation} "
            session.execute("select set_config('simulator.origin', %s, false)", [origin])
            self._sessions[who] = session
            self._told.pop(who, None)
        return self._sessions[who]

    def _close(self) -> None:
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def _next_name(self) -> str:
        self._name += "x"
        return self._name

    def _create(self, name: str, template: str, *, goes_on: bool = True) -> None:
        self._server.execute(f"create database {name} template {template} strategy file_copy")
        if goes_on:
            self._databases.append(name)
            with psycopg.connect(self._server.url(name), autocommit=True) as connection:
                connection.execute(SIMULATOR_SQL.read_bytes())

    def _drop(self, name: str | None) -> None:
        if name is not None:
            self._server.execute(f"drop database {name} with (force)")
