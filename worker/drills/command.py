"""The command `orderlatch drill`."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack

import click
import httpx

from worker import OrderlatchError, embedded
from worker.drills.catalogue import DRILLS, Drill
from worker.drills.databases import database_of, fresh_database, fresh_server, own_server, place_of
from worker.drills.stage import Stage


@click.command("drill")
@click.argument("name", required=False)
@click.option("--psql", "look_around", is_flag=True, help="Open psql on what the last run of NAME has left.")
def drill_command(name: str | None, look_around: bool) -> None:
    """Break something on purpose, show how it is detected and how it is put right.

    Without NAME all drills are listed. Each runs on the embedded server, in a database of its own, against
    the sandbox; it ends with "drill ok: NAME", or says what was expected and what is.
    """
    if name is None:
        _list()
        return
    drill = next((each for each in DRILLS if each.name == name), None)
    if drill is None:
        raise OrderlatchError(
            f"there is no drill {name!r}: they are {', '.join(each.name for each in DRILLS)}"
        )
    if look_around:
        _look_around(drill)
    else:
        _run(drill)


def _list() -> None:
    """Name each drill, with its sentence."""
    width = max(len(drill.name) for drill in DRILLS)
    for drill in DRILLS:
        click.echo(f"  {drill.name:<{width}}  {drill.sentence}")
    click.echo(f"\nmake drill NAME={DRILLS[0].name} runs one.")


def _run(drill: Drill) -> None:
    """Run a drill from nothing; what it leaves stays until it runs again."""
    click.echo(click.style(f"drill {drill.name}", bold=True))
    click.echo(f"{drill.sentence}\n")
    with place_of(drill.name) as place, ExitStack() as stack:
        if drill.own_server:
            server = fresh_server(place)
            stack.callback(server.stop)
            stage = Stage(server.url("postgres"), place, server, stack)
        else:
            stage = Stage(fresh_database(drill.name, place), place, None, stack)
        try:
            drill.script.play(stage)
        except (OrderlatchError, httpx.HTTPError) as error:
            raise OrderlatchError(f"drill failed: {drill.name}\n{error}") from error
    click.echo(f"What is left to look at: .venv/bin/orderlatch drill {drill.name} --psql")
    click.secho(f"drill ok: {drill.name}", bold=True)


def _look_around(drill: Drill) -> None:
    """Open psql on what the last run has left."""
    psql = embedded.wheel_binaries() / "psql"
    if not drill.own_server:
        os.execv(psql, (psql, database_of(drill.name)))
    server = own_server(embedded.home() / "drills" / drill.name)
    if not server.data.exists():
        raise OrderlatchError(f"the drill {drill.name} has not run yet")
    server.start()
    try:
        subprocess.run([psql, server.url("postgres")], check=False)
    finally:
        server.stop()
