"""``ratiopath overlap`` stopped: killed, failed, begun anew, and what is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from cli_runs import random_mask, run, write_slide
from overlays import write_overlay

if TYPE_CHECKING:
    from pathlib import Path


def start(folder: Path, output: Path) -> list[str]:
    command = [sys.executable, "-m", "ratiopath", "overlap", str(folder)]
    options = ["--overlay", "../mask.tif", "--tile", "16", "--stride", "4", "--keep", "255>=0.5"]
    return [*command, *options, "-o", str(output)]


def kill_midway(command: list[str], parts: Path, least: int) -> None:
    """Kill a run while it writes a part, some parts being done; it gets no chance to tidy up."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - the product
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        done = [path for path in parts.glob("*.parquet") if not path.name.startswith(".")]
        if len(done) >= least and any(parts.glob(".*.part.parquet")):
            break
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_a_killed_run_goes_on_and_gives_the_same_table(tmp_path):
    folder = tmp_path / "slides"
    for index in range(18):
        write_slide(folder, f"s{index:02}", None, (1024, 768))
    write_overlay(tmp_path / "mask.tif", [random_mask(3, size=(1024, 768))], 4.0)
    whole, killed = tmp_path / "whole.parquet", tmp_path / "killed.parquet"
    subprocess.run(start(folder, whole), check=True, capture_output=True)  # noqa: S603 - the product

    parts = tmp_path / ".killed.parquet.parts"
    kill_midway(start(folder, killed), parts, 3)
    assert not killed.exists()
    kill_midway(start(folder, killed), parts, 6)

    other = subprocess.run(  # noqa: S603 - the product
        [*start(folder, killed), "--roi", "circle"], check=False, capture_output=True, text=True
    )
    assert other.returncode == 2
    assert "other options" in other.stderr
    # A slide that changed meanwhile is done again.
    os.utime(folder / "s00.tif", ns=(1, 1))
    ended = subprocess.run(  # noqa: S603 - the product
        [*start(folder, killed), "--json"], check=True, capture_output=True, text=True
    )
    before = [slide["done_before"] for slide in json.loads(ended.stdout)["slides"]]
    assert before[:6] == [False, True, True, True, True, True]
    assert not all(before[6:])
    assert pq.read_table(killed).equals(pq.read_table(whole))
    assert not parts.exists()


def test_a_run_that_did_nothing_leaves_nothing(slides, tmp_path):
    options = ["-o", tmp_path / "t.parquet"]
    run(slides, *options, overlay="{stem}_musk.tif", code=1)
    assert [path.name for path in tmp_path.iterdir()] == ["slides"]
    run(slides, *options)


def test_a_run_begins_anew_where_it_is_told_to(slides, tmp_path):
    output = tmp_path / "t.parquet"
    (slides / "bad.svs").touch()
    run(slides, "-o", output, code=1)
    (slides / "bad.svs").unlink()
    message = run(slides, "--roi", "circle", "-o", output, code=2).stderr
    assert "roi: tile, now circle" in message.replace("│\n│ ", "")
    run(slides, "--roi", "circle", "-o", output, "--restart")
    assert not (tmp_path / ".t.parquet.parts").exists()


def test_a_failed_write_leaves_the_table_that_was_there(slides, tmp_path, monkeypatch):
    output = tmp_path / "t.parquet"
    output.write_text("before")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ratiopath.runs.table._table", fail)
    result = run(slides, "-o", output, code=1)
    assert "the results cannot be written: [Errno 28] No space left on device" in result.stderr
    assert output.read_text() == "before"
    monkeypatch.undo()
    run(slides, "-o", output)
    assert pq.read_table(output).num_rows == 144


def test_more_values_than_a_table_has_columns_are_refused(slides, tmp_path, monkeypatch):
    monkeypatch.setattr("ratiopath.runs.table.MOST_LABELS", 1)
    result = run(slides, "-o", tmp_path / "t.parquet", code=1)
    assert "the slides hold 2 different values, too many for a column each" in result.stderr
    assert not (tmp_path / "t.parquet").exists()


def test_an_interrupted_run_says_how_to_go_on(slides, tmp_path, monkeypatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ratiopath.cli.steps.measure", interrupt)
    result = run(slides, "-o", tmp_path / "t.parquet", code=130)
    assert "The same command goes on where this one stopped." in result.stderr


def test_threads_hold_for_the_run_only(slides, tmp_path, monkeypatch):
    monkeypatch.setenv("RATIOPATH_NUM_THREADS", "5")
    seen = []

    def merge(*_, **__):
        seen.append(os.environ["RATIOPATH_NUM_THREADS"])
        return 0

    monkeypatch.setattr("ratiopath.cli.steps.merge", merge)
    run(slides, "-o", tmp_path / "t.parquet", "--threads", "1")
    assert seen == ["1"]
    assert os.environ["RATIOPATH_NUM_THREADS"] == "5"
