"""Hashes and acts are the same in a database whose language sorts, raises and lowers letters its own way."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.hash.test_agreement import VECTORS
from tests.support.servers import ORDERLATCH, ROOT

if TYPE_CHECKING:
    from tests.support.servers import TestServer

pytestmark = pytest.mark.every_major

# Turkish has its own capital of i; "shifted" sorts as if there were no underscores. The wheel is built
# without ICU, but brings all of Unicode's rules for case.
LOCALES = {
    15: (
        "locale_provider icu icu_locale 'tr-TR'",
        "locale_provider icu icu_locale 'da-DK-u-ka-shifted-kf-lower'",
    ),
    18: ("locale_provider builtin builtin_locale 'PG_UNICODE_FAST'",),
}


def test_languages_do_not_change_hashes_and_acts(server: TestServer) -> None:
    for locale in LOCALES[server.major]:
        server.execute(
            f"create database of_a_language template template0 encoding 'UTF8' locale 'C' {locale}"
        )
        url = server.url("of_a_language")
        try:
            subprocess.run(
                [ORDERLATCH, "migrate"], check=True, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}
            )
            with psycopg.connect(url) as session:
                for vector in VECTORS:
                    row = session.execute(
                        "select (r.decisions[1]).intent, encode((r.decisions[1]).decision_hash, 'hex')"
                        " from orderlatch_data.read_decision(%s, %s::jsonb) as r",
                        [vector["account"], vector["decision_json"]],
                    ).fetchone()
                    assert row == (vector["canonical"], vector["sha256"]), (locale, vector["name"])
                session.execute("select orderlatch.create_account('paper', 'paper')")
                acts = session.execute("select distinct split_part(a.act, ' ', 2) from orderlatch.acts as a")
                assert sorted(acts.fetchall()) == [("insert",), ("update",)], locale
        finally:
            server.execute("drop database of_a_language with (force)")
