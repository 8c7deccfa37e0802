"""The licences that a wheel carries are those of the crates in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "notices.py"


@pytest.mark.skipif(not SCRIPT.exists(), reason="a source distribution has no scripts")
@pytest.mark.skipif(not shutil.which("cargo"), reason="cargo knows the crates, and is not here")
def test_the_notices_are_those_of_the_locked_crates():
    run = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
