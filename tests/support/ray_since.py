"""Marks for tests of what Ray itself can only do since some version."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from packaging.version import Version

RAY = Version(version("ray"))

string_expressions = pytest.mark.skipif(
    Version("2.52") > RAY, reason="Ray has col().str and col().struct since 2.52"
)
planned_schemas = pytest.mark.skipif(
    Version("2.56") > RAY, reason="Ray asks a declared type, and not a row, for schema() since 2.56"
)
