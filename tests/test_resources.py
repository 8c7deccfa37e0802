"""How many threads and bytes a call may use, and how work is split among threads."""

from __future__ import annotations

import os

import pytest

from ratiopath.resources import cache_bytes, in_parts, thread_count


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    monkeypatch.delenv("RATIOPATH_NUM_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def test_our_variable_comes_first_then_openmp_s_then_the_cpus_allowed(monkeypatch):
    affinity = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))
    assert thread_count() == len(affinity(0))
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert thread_count() == 3
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", "5")
    assert thread_count() == 5


@pytest.mark.parametrize("text", ["0", "-2", "many"])
def test_a_number_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", text)
    with pytest.raises(ValueError, match="RATIOPATH_NUM_THREADS must be a positive whole number"):
        thread_count()


@pytest.mark.parametrize(
    ("threads", "count", "parts"),
    [
        ("1", 100, [range(100)]),
        ("3", 100, [range(33), range(33, 66), range(66, 100)]),
        ("4", 17, [range(8), range(8, 17)]),
        ("4", 0, [range(0)]),
        ("1000000", 8192 * 10, [range(start, start + 80) for start in range(0, 8192 * 10, 80)]),
    ],
)
def test_parts_are_contiguous_and_worth_a_thread(monkeypatch, threads, count, parts):
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", threads)
    assert list(in_parts(lambda part: part, range(count))) == parts


def test_an_error_in_a_part_comes_out(monkeypatch):
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", "2")
    with pytest.raises(ZeroDivisionError):
        in_parts(lambda part: 1 // part.start, range(100))


@pytest.mark.parametrize("text", ["-1", "much", "1.5"])
def test_a_size_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv("RATIOPATH_CACHE_BYTES", text)
    with pytest.raises(ValueError, match="RATIOPATH_CACHE_BYTES"):
        cache_bytes()
