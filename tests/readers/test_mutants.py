"""A seeded slice of the damaged files that `mutants.py` makes: only overlay errors come out."""

from __future__ import annotations

import sys

import pytest

COUNT = 400


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory by /proc and setrlimit")
def test_damaged_files_give_overlay_errors_in_bounded_time_and_memory():
    from mutants import DECODED, EXPECTED, read_mutants  # noqa: PLC0415 - imports resource

    outcomes = list(read_mutants(1, range(COUNT)))
    assert [outcome for outcome in outcomes if outcome.kind not in EXPECTED] == []
    assert [outcome.number for outcome in outcomes] == list(range(COUNT))
    assert sum(outcome.kind in DECODED for outcome in outcomes) >= COUNT // 2
