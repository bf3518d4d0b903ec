"""The benchmark of the chain leaves the hashes out of the journal as it is today, and nothing else."""

from __future__ import annotations

from tests.bench.chain import whole_journal, without_chain


def test_the_journal_without_its_chain_hashes_nothing_and_writes_the_same_events() -> None:
    whole = whole_journal()
    bare = without_chain(whole)
    assert "orderlatch_data.event_hash(" in whole
    for hashing in ("event_hash(", "digest"):
        assert hashing not in bare
    for kept in (
        "insert into orderlatch_data.decision_events",
        "retake_signals",
        "settle_decisions",
        "is_final",
    ):
        assert bare.count(kept) == whole.count(kept) > 0
