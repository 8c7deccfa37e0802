"""Which ranges of a remote file are fetched together."""

from __future__ import annotations

import pytest

from ratiopath.storage import remote_file
from ratiopath.storage.remote_file import merged


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([], []),
        ([(0, 10), (10, 5)], [(0, 15)]),
        ([(40, 10), (0, 10), (40, 10)], [(0, 50)]),
        ([(0, 10), (10 + remote_file.GAP, 1)], [(0, 11 + remote_file.GAP)]),
        ([(0, 10), (11 + remote_file.GAP, 1)], [(0, 10), (11 + remote_file.GAP, 1)]),
        ([(0, 100), (5, 10), (99, 2)], [(0, 101)]),
        (
            [(0, remote_file.SPAN), (remote_file.SPAN, 1)],
            [(0, remote_file.SPAN), (remote_file.SPAN, 1)],
        ),
        ([(0, 2 * remote_file.SPAN), (5, 1)], [(0, 2 * remote_file.SPAN)]),
    ],
)
def test_ranges_near_each_other_are_one_request(ranges, expected):
    spans = merged(ranges)
    assert [span for span, _ in spans] == expected
    assert sorted(place for _, members in spans for place in members) == sorted(set(ranges))
