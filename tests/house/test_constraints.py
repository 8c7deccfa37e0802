"""The versions in .ci/constraints.txt: all that pyproject.toml asks for, on every system."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SYSTEMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}


def asked() -> list[Requirement]:
    project = PROJECT["project"]
    lists = [
        PROJECT["build-system"]["requires"],
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    ]
    found = [Requirement(one) for wanted in lists for one in wanted]
    return [one for one in found if one.name != project["name"]]


def locked() -> list[Requirement]:
    text = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return [Requirement(line) for line in lines if line]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_locked_versions_are_those_that_pyproject_asks_for(python, system):
    running: dict[str, Any] = dict(default_environment())
    environment = running | {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": system,
        "platform_system": SYSTEMS[system],
    }
    versions: dict[str, str] = {}
    for one in locked():
        if one.marker is None or one.marker.evaluate(environment):
            (exact,) = one.specifier
            assert (exact.operator, one.name in versions) == ("==", False), str(one)
            versions[canonicalize_name(one.name)] = exact.version
    wrong = []
    for one in asked():
        version = versions.get(canonicalize_name(one.name))
        applies = one.marker is None or one.marker.evaluate(environment)
        if applies and (version is None or not one.specifier.contains(version)):
            wrong.append(f"{one} is asked for, {version} is locked")
    assert wrong == [], "bash .ci/lock writes .ci/constraints.txt anew"
