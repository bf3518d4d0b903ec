"""A restored backup lacks a decision: its order is found, then adopted."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from worker.drills.prompt import DrillError
from worker.embedded import Login

if TYPE_CHECKING:
    from pathlib import Path

    from worker.drills.stage import Stage
    from worker.embedded import Server

ORDERS = "select symbol, status, order_status from orderlatch.decisions order by decision_id"


def play(stage: Stage) -> None:
    """Back the server up, submit an order, lose the disk, restore."""
    prompt, broker, server = stage.prompt, stage.broker, stage.own_server
    stage.create_account()
    stage.start_worker()
    first_hash = stage.propose("GOOG", "10")
    prompt.look(ORDERS, [("GOOG", "submitted", "new")])

    stage.part("break it")
    stage.say("A base backup is taken. After it another order is sent. Then the disk is lost.")
    backup = stage.place / "backup"
    stage.type("pg_basebackup --pgdata=backup --checkpoint=fast")
    take_backup(server, backup)
    second_hash = stage.propose("KO", "5")
    prompt.look(ORDERS, [("GOOG", "submitted", "new"), ("KO", "submitted", "new")])
    stage.type("rm -rf pg18")
    server.stop("immediate")
    shutil.rmtree(server.data)
    stage.type("mv backup pg18 && touch pg18/recovery.signal && pg_ctl --pgdata=pg18 start")
    restore_backup(server, backup)
    stage.say("The database is back, in the state of the backup: it knows nothing of KO.")
    prompt.look(ORDERS, [("GOOG", "submitted", "new")])

    stage.part("detect it")
    stage.say(
        """The worker has come back by itself. It is told that this is another server now, and that nothing is
        submitted before the orders were read; and that finds an order of nobody."""
    )
    [(changed, *_), _] = prompt.look(
        """
        select incident_id, incident, left(detail ->> 'client_order_id', 12) as client_order_id
          from orderlatch.open_incidents
        """,
        [(..., "cluster_changed", ""), (..., "decision_lost", second_hash[:12])],
    )
    prompt.look(
        "select symbol, side, qty, status, origin from orderlatch.foreign_orders",
        [("KO", "buy", "5", "new", "of a decision that this database does not know")],
    )

    stage.part("recover")
    stage.say(
        """Strategies deliver what they are not sure of again; that is the whole recovery. The decision is
        compared with the order that was seen, and adopted before any call is made."""
    )
    stage.propose("KO", "5", status="submitted")
    prompt.look(ORDERS, [("GOOG", "submitted", "new"), ("KO", "submitted", "new")])
    prompt.look("select symbol, origin from orderlatch.foreign_orders", [])
    stage.say(
        "The lost decision is found, and its incident closed by itself. The other one asks for a signature."
    )
    prompt.enter(f"select orderlatch.close_incident({changed}, 'restored; delivered again')", [("",)])
    stage.say("Two decisions, two orders, one POST each.")
    broker.show_orders(
        ("GOOG", "buy", "10", "new", "0", "POST", "1", first_hash[:12]),
        ("KO", "buy", "5", "new", "0", "POST", "1", second_hash[:12]),
    )
    stage.show_invariants()


def take_backup(server: Server, backup: Path) -> None:
    """Take a base backup of a running server."""
    login = Login.owning(server.data)
    login.make_directory(backup)
    done = login.run(
        server.binaries / "pg_basebackup",
        f"--pgdata={backup}",
        "--checkpoint=fast",
        "-d",
        server.url("postgres"),
    )
    if done.returncode != 0:
        raise DrillError(f"pg_basebackup failed:\n{done.stderr}")


def restore_backup(server: Server, backup: Path) -> None:
    """Start the server from a base backup; there is no archive, so it recovers to the backup's end."""
    with (backup / "postgresql.auto.conf").open("a") as settings:
        settings.write("restore_command = 'false'\n")
    Login.owning(backup).run("touch", backup / "recovery.signal")
    backup.rename(server.data)
    server.start()
