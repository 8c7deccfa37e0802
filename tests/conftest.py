"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# Examples are derandomised, so that a run without changes gives the answer of the run before.
settings.register_profile(
    "fast",
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "slow",
    max_examples=1000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real slides and overlays that lie beside the project, never inside it."""
    beside = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
    folder = Path(os.environ.get("RATIOPATH_TEST_DATA", beside)).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real test data at {folder}; RATIOPATH_TEST_DATA names another folder")
    return folder


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """A local Ray of two CPUs, shut down after the last test that asked for it."""
    ray = pytest.importorskip("ray")
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts Ray as slow: that alone takes seconds, whatever the test."""
    for item in items:
        if "ray_session" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


_generated: Counter[str] = Counter()


@pytest.fixture(scope="session")
def generated() -> Counter[str]:
    """How often each feature was generated; printed at the end of the run."""
    return _generated


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the generated cases were made of."""
    if _generated:
        terminalreporter.section("generated cases")
    for feature, count in sorted(_generated.items(), key=lambda item: (-item[1], item[0])):
        terminalreporter.line(f"{count:6} {feature}")
