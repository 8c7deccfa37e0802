"""Errors that say where, and survive the way from a worker to the driver."""

from __future__ import annotations

import ast
import errno
import pickle
import threading
from pathlib import Path

import imagecodecs
import pytest

import ratiopath
from ratiopath.errors import (
    CODES,
    OverlayAccessError,
    OverlayError,
    OverlayFormatError,
    OverlayNotFoundError,
    OverlayResolutionError,
    OverlayValueError,
    redacted,
    redacted_path,
)

KINDS = [
    OverlayAccessError,
    OverlayFormatError,
    OverlayNotFoundError,
    OverlayResolutionError,
    OverlayValueError,
]

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(ratiopath.__file__).parent
RAISED = {kind.__name__ for kind in KINDS} | {"VendorLayoutError"}


def raised(kind, cause=None):
    error = kind("it is torn", "slide.tiff", 7)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_shows_reason_path_and_row(kind):
    error = raised(kind)
    assert str(error) == "it is torn (path='slide.tiff', row=7)"
    assert (error.reason, error.path, error.row) == ("it is torn", "slide.tiff", 7)
    assert str(kind("it is torn")) == "it is torn"


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_pickling_with_its_cause(kind):
    error = pickle.loads(pickle.dumps(raised(kind, EOFError("short"))))  # noqa: S301 - our own
    assert type(error) is kind
    assert str(error) == "it is torn (path='slide.tiff', row=7)"
    assert isinstance(error.__cause__, EOFError)
    assert str(error.__cause__) == "short"


def test_a_cause_that_cannot_be_pickled_keeps_its_text():
    cause = RuntimeError("held", threading.Lock())
    error = pickle.loads(pickle.dumps(raised(OverlayFormatError, cause)))  # noqa: S301 - our own
    assert "held" in str(error.__cause__)


def test_a_cause_that_pickle_can_write_but_not_read_keeps_its_text():
    # imagecodecs' errors are made of two arguments and keep one.
    with pytest.raises(imagecodecs.DeflateError) as caught:
        imagecodecs.deflate_decode(b"torn", out=10)
    error = pickle.loads(pickle.dumps(raised(OverlayFormatError, caught.value)))  # noqa: S301 - our own
    assert "DeflateError" in str(error.__cause__)
    assert (error.path, error.row) == ("slide.tiff", 7)


def test_an_error_can_be_placed_at_a_row():
    error = raised(OverlayFormatError, EOFError("short")).at_row(3)
    assert (error.path, error.row) == ("slide.tiff", 3)
    assert isinstance(error.__cause__, EOFError)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/a.tiff", "s3://bucket/a.tiff"),
        ("https://me:pass@host:80/a.tiff", "https://***@host:80/a.tiff"),
        ("https://host/a.tiff?X-Amz-Signature=abc&b", "https://host/a.tiff?***"),
        ("https://pass@host", "https://***@host"),
        ("https://host/a@b.tiff", "https://host/a@b.tiff"),
        ("simplecache::https://me:pass@host/a", "simplecache::https://***@host/a"),
        ("C:/slides/a?b@c.tiff", "C:/slides/a?b@c.tiff"),
    ],
)
def test_urls_are_shown_without_credentials(url, shown):
    error = OverlayFormatError(f"{url} is torn, and {url!r} too", url)
    assert (error.path, error.reason) == (shown, f"{shown} is torn, and {shown!r} too")
    assert error.at_row(1).path == redacted_path(shown) == shown
    assert redacted(shown) == shown


def test_a_url_with_spaces_is_shown_without_credentials_as_a_path():
    assert redacted_path("https://host/a b.tiff?sig=c") == "https://host/a b.tiff?***"


def test_errors_of_the_system_have_its_attributes():
    for kind, number in ((OverlayNotFoundError, errno.ENOENT), (OverlayAccessError, None)):
        for error in (raised(kind), pickle.loads(pickle.dumps(raised(kind).at_row(3)))):  # noqa: S301 - our own
            assert (error.errno, error.strerror, error.filename) == (
                number,
                "it is torn",
                "slide.tiff",
            )


def test_errors_are_what_python_calls_them():
    assert issubclass(OverlayAccessError, OSError)
    assert issubclass(OverlayError, RuntimeError)
    assert issubclass(OverlayNotFoundError, FileNotFoundError)
    assert issubclass(OverlayValueError, ValueError)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_made_without_a_code_has_its_class_s_and_no_remedy(kind):
    error = kind("it is torn")
    assert (error.code, error.remedy) == (kind.default_code, None)
    assert error.code in CODES


def test_code_and_remedy_go_where_the_error_goes():
    error = OverlayValueError("there is no level 7", "slide.tiff", code="no_such_level")
    assert error.remedy == CODES["no_such_level"].remedy
    for same in (error.at_row(3), pickle.loads(pickle.dumps(error.at_row(3)))):  # noqa: S301 - our own
        assert (same.code, same.remedy, same.row) == (error.code, error.remedy, 3)
        assert str(same) == (
            f"there is no level 7: {CODES['no_such_level'].remedy} (path='slide.tiff', row=3)"
        )


def test_a_remedy_of_its_own_replaces_that_of_the_code():
    error = OverlayNotFoundError("no such file", "a.tif", code="not_found", remedy="look twice")
    assert str(error) == "no such file: look twice (path='a.tif')"
    other = error.with_remedy("look again")
    assert (other.remedy, other.code) == ("look again", "not_found")
    assert str(pickle.loads(pickle.dumps(other))) == "no such file: look again (path='a.tif')"  # noqa: S301 - our own


def test_a_remedy_hides_credentials_too():
    error = OverlayFormatError("torn", code="corrupt", remedy="open https://me:pass@host/a")
    assert str(error) == "torn: open https://***@host/a"


def codes_and_texts():
    """The codes that the package gives to errors, and all its constant texts outside the table."""
    codes, texts = set(), set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "code":
                codes |= {
                    one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)
                }
            elif isinstance(node, ast.Constant) and path.name != "errors.py":
                texts.add(node.value)
    return {code for code in codes if code is not None}, texts


def test_every_code_has_a_meaning_and_is_raised():
    codes, texts = codes_and_texts()
    assert len(codes) > 20
    assert codes <= set(CODES)
    assert set(CODES) - texts <= {kind.default_code for kind in [OverlayError, *KINDS]}


def test_every_error_that_the_package_raises_has_a_code():
    bare = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in RAISED:
                continue
            if not any(keyword.arg == "code" for keyword in node.keywords):
                bare.append(f"{path.name}:{node.lineno}")
    assert bare == []


def test_the_reference_lists_every_code():
    page = (ROOT / "docs" / "api" / "ratiopath.md").read_text(encoding="utf-8")
    rows = [
        f"| `{code}` | {meaning} | {remedy or ''} |" for code, (meaning, remedy) in CODES.items()
    ]
    assert "\n".join(rows) in page
