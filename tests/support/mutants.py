"""Read many damaged files, each watched from another process: only overlay errors may come out.

    python tests/support/mutants.py --count 20000

A child process reads one mutant after the other through `ratiopath.overlay_overlap`, allowed 1 GiB
of memory over what it has at the start. The parent waits 5 seconds for each answer, replaces a
child that is gone, and counts. A mutant is made from the seed and its number alone, so any one can
be had again:

    python tests/support/mutants.py --seed 0 --only 4711 --keep mutant.tif
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import logging
import os
import random
import resource
import selectors
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shapely import box

from mutant_seeds import SEEDS
from mutations import Anatomy, anatomy, mutate
from ratiopath import OverlayError, OverlayResolutionError, overlay_overlap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MEMORY_BYTES = 1 << 30
SECONDS = 5.0
SECONDS_TO_START = 120.0

READ, SEGMENT, OPENING, RESOLUTION = "read", "segment refused", "opening refused", "no resolution"
EXPECTED = (READ, SEGMENT, OPENING, RESOLUTION)
DECODED = (READ, SEGMENT)

REGION = box(0, 0, 40, 40)
TILES: dict[str, Any] = {"tile_x": [0, 24, 40, 100_000], "tile_y": [0, 16, 30, 100_000]}
MPP = {"overlay_mpp_x": 1.0, "overlay_mpp_y": 1.0}


@dataclass(frozen=True)
class Outcome:
    """What came of one mutant.

    Attributes:
        number: The mutant's number.
        made: The seed file and what was done to it.
        kind: One of `EXPECTED`, or what should never be.
        seconds: How long reading took.
        peak: The child's peak memory so far in KiB.
        detail: The error.
    """

    number: int
    made: str
    kind: str
    seconds: float = 0.0
    peak: int = 0
    detail: str = ""


@cache
def seed_file(name: str) -> tuple[bytes, Anatomy]:
    content = SEEDS[name]()
    return content, anatomy(content)


def make_mutant(seed: int, number: int) -> tuple[str, str, bytes]:
    """Return the name of the file it is made of, what was done to it, and the mutant."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311 - seeded noise, not secrets
    name = rng.choice(list(SEEDS))
    return (name, *mutate(*seed_file(name), rng))


def read_file(path: Path, number: int) -> tuple[str, str]:
    """Read a file at a level that depends on the number; return the outcome's kind and detail."""
    # One in sixteen relies on what the file itself says about its resolution.
    mpp: dict[str, Any] = MPP if number % 16 else {}
    try:
        overlay_overlap(REGION, str(path), mpp_x=1.0 + number % 3, mpp_y=1.0, **TILES, **mpp)
    except OverlayError as error:
        causes = [error, *_causes(error)]
        if any(isinstance(cause, MemoryError | RecursionError) for cause in causes):
            return "out of memory", repr(causes[-1])
        if isinstance(error, OverlayResolutionError):
            return RESOLUTION, str(error)
        return (SEGMENT if "segment (row" in str(error) else OPENING), str(error)
    except BaseException as error:  # noqa: BLE001 - a panic is none of Exception
        return "wrong error", repr(error)
    return READ, ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    while error.__cause__ is not None:
        error = error.__cause__
        yield error


def serve(seed: int) -> None:
    """Read the mutants whose numbers come in, and say what came of each."""
    faulthandler.enable()
    logging.disable()
    os.environ["RATIOPATH_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        # Codecs are loaded before the limit is taken.
        for name in SEEDS:
            path = Path(folder, name)
            path.write_bytes(seed_file(name)[0])
            kind, detail = read_file(path, 1)
            assert kind == READ, (name, detail)
        _limit_memory()
        _answer(["ready"])
        for line in sys.stdin:
            _serve_one(seed, int(line), folder)


def _serve_one(seed: int, number: int, folder: str) -> None:
    name, way, content = make_mutant(seed, number)
    path = Path(folder, f"{number}{Path(name).suffix}")
    path.write_bytes(content)
    start = time.perf_counter()
    kind, detail = read_file(path, number)
    seconds = time.perf_counter() - start
    path.unlink()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _answer([number, f"{name}: {way}", kind, round(seconds, 3), peak, detail[:300]])


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _answer(values: list[object]) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


class Child:
    """A process that reads mutants, and may die of them."""

    def __init__(self, seed: int) -> None:
        command = [sys.executable, __file__, "--serve", "--seed", str(seed)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in stop
        self.process = subprocess.Popen(command, **pipes, stderr=self.errors, text=True)  # noqa: S603 - this file
        started = self._wait(SECONDS_TO_START)
        assert started == ["ready"], self.stop()

    def read(self, number: int) -> list[Any] | None:
        """Return the child's answer, or None where it gave none in time."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        return self._wait(SECONDS)

    def _wait(self, seconds: float) -> list[Any] | None:
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if selector.select(seconds) else ""
        return json.loads(line) if line else None

    def stop(self) -> str:
        """End the process; return how it ended and what it wrote at last."""
        hung = self.process.poll() is None
        self.process.kill()
        self.process.communicate()
        self.errors.seek(0)
        with self.errors:
            written = self.errors.read()
        return f"{'hang' if hung else f'exit {self.process.returncode}'}: {written[-800:]}"


def read_mutants(seed: int, numbers: Iterable[int]) -> Iterator[Outcome]:
    """Yield what came of each mutant."""
    child = Child(seed)
    try:
        for number in numbers:
            answer = child.read(number)
            if answer is not None:
                yield Outcome(*answer)
                continue
            detail = child.stop()
            yield Outcome(number, ": ".join(make_mutant(seed, number)[:2]), "died", detail=detail)
            child = Child(seed)
    finally:
        child.stop()


def report(outcomes: Iterable[Outcome]) -> bool:
    """Print what should not be, and the counts; return whether all is well."""
    kinds: Counter[str] = Counter()
    slowest, peak = 0.0, 0
    for outcome in outcomes:
        kinds[outcome.kind] += 1
        slowest, peak = max(slowest, outcome.seconds), max(peak, outcome.peak)
        if outcome.kind not in EXPECTED:
            sys.stdout.write(f"{outcome}\n")
    total = kinds.total()
    decoded = sum(kinds[kind] for kind in DECODED)
    for kind, count in kinds.most_common():
        sys.stdout.write(f"{count:7,}  {kind}\n")
    sys.stdout.write(
        f"{total:7,}  mutants, {decoded / total:.0%} as far as a segment;"
        f" slowest {slowest:.2f} s, peak {peak / 1024:.0f} MiB\n"
    )
    return not kinds.keys() - set(EXPECTED) and 2 * decoded >= total


def main() -> int:
    """Run the command; see the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--start", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="write this mutant and stop")
    parser.add_argument("--keep", type=Path, default=Path("mutant"), help="where to write it")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.seed)
    elif options.only is not None:
        name, way, content = make_mutant(options.seed, options.only)
        options.keep.write_bytes(content)
        sys.stdout.write(f"{name}: {way}\n")
    else:
        numbers = range(options.start, options.start + options.count)
        return 0 if report(read_mutants(options.seed, numbers)) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
