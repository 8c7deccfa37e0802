"""Exceptions from the linters and type checkers: each line that has one names its reason."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    path
    for folder in ("python", "tests", "benches", "docs")
    for path in sorted((ROOT / folder).rglob("*.py*"))
    if path.suffix in (".py", ".pyi")
]
EXCEPTION = re.compile(r"noqa(: [A-Z]+\d+(, ?[A-Z]+\d+)*)?|(type|pyright): ignore(\[[\w, -]+\])?")


def unexplained(source: str) -> list[str]:
    """The comments with an exception that say nothing else, or that name no rule."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return [
        comment
        for comment in comments
        for found in [list(EXCEPTION.finditer(comment))]
        if found
        and (
            not re.search(r"\w", EXCEPTION.sub("", comment))
            or any(match[1] is None and match[4] is None for match in found)
        )
    ]


@pytest.mark.parametrize(
    ("comment", "is_explained"),
    [
        ("# noqa: S101 - for the type checker", True),
        ("# noqa: D102, ARG002 - see Plane", True),
        ("# type: ignore[assignment] # as in zarr's own", True),
        ("# noqa: F401 # pyright: ignore[reportMissingImports] - the point of the test", True),
        ("# a comment", True),
        ("# noqa: S101", False),
        ("# noqa - for all rules", False),
        ("# type: ignore[assignment]", False),
        ("# type: ignore # whatever it is", False),
        ("# noqa: F401 # pyright: ignore[reportMissingImports]", False),
    ],
)
def test_what_counts_as_a_reason(comment, is_explained):
    assert unexplained(f"x = 1  {comment}\n") == ([] if is_explained else [comment])


def test_every_exception_names_its_rule_and_its_reason():
    assert len(FILES) > 200
    found = {str(path.relative_to(ROOT)): unexplained(path.read_text("utf-8")) for path in FILES}
    assert {path: comments for path, comments in found.items() if comments} == {}
