"""Fixtures of the command line's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli_runs import random_mask, write_slide

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    """A folder of three slides, each with a mask of its own beside it."""
    folder = tmp_path / "slides"
    for seed, name in enumerate("abc"):
        write_slide(folder, name, random_mask(seed))
    return folder
