"""Errors that say where, and survive the way from a worker to the driver."""

from __future__ import annotations

import pickle
import threading

import imagecodecs
import pytest

from ratiopath.errors import (
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


def test_errors_are_what_python_calls_them():
    assert issubclass(OverlayAccessError, OSError)
    assert issubclass(OverlayError, RuntimeError)
    assert issubclass(OverlayNotFoundError, FileNotFoundError)
    assert issubclass(OverlayValueError, ValueError)
