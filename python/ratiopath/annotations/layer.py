"""The annotations of one file as a layer to be measured, kept for the process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ratiopath._core import Layer
from ratiopath.annotations.formats import read_features
from ratiopath.annotations.polygons import class_polygons, dissolve, flat, valid_polygons
from ratiopath.errors import OverlayFormatError, OverlayNotFoundError, OverlayValueError
from ratiopath.lru import ForkSafe, Lru
from ratiopath.resources import cache_bytes
from ratiopath.storage.files import file_identity, path_status
from ratiopath.values.selection import OTHER

if TYPE_CHECKING:
    from collections.abc import Callable

    from ratiopath.annotations.features import Features
    from ratiopath.call.annotation_options import AnnotationOptions

# A vertex is in an edge, which may be in several bands, each of four numbers.
_BYTES_OF_A_VERTEX = 64


@dataclass(frozen=True)
class AnnotationLayer:
    """Annotations of one file.

    Attributes:
        keys: The output keys; the last is that of what nothing covers, if asked for, and stands in
            ``native`` for all that is covered.
        native: The polygons of each key.
        nbytes: About how much memory it takes.
    """

    keys: list[str]
    native: Layer
    nbytes: int


def build_layer(features: Features, options: AnnotationOptions, path: str) -> AnnotationLayer:
    """Make a layer of a file's features.

    Args:
        features: The features of a file.
        options: Which of them count, and under which key.
        path: The file, for messages.

    Returns:
        The layer.

    Raises:
        OverlayValueError: A class was not declared, or has the name given to the uncovered part.
        OverlayFormatError: A polygon is invalid and is not to be repaired.
    """
    polygons, index = valid_polygons(features, options.invalid, path)
    keys, of_feature = _keys(features, options, path)
    if options.uncovered in keys:
        reason = f"uncovered={options.uncovered!r} is a class of the file"
        raise OverlayValueError(reason, path, code="taken_name")
    # Disjoint within a class, so that its areas add up and no point of a tile counts twice.
    parts = class_polygons(polygons, of_feature[index], len(keys), exclusive=options.exclusive)
    if options.uncovered is not None:
        # One more class: the union of all. What it leaves of a tile is the uncovered part.
        parts.append(dissolve(polygons))
    classes = np.repeat(np.arange(len(parts), dtype=np.uint32), [len(part) for part in parts])
    vertices, ring_ends, polygon_ends = flat(np.concatenate([np.empty(0, object), *parts]))
    try:
        native = Layer(vertices, ring_ends, polygon_ends, classes, len(parts))
    except ValueError as error:
        # A finite coordinate may still be too far off for exact arithmetic.
        raise OverlayFormatError(str(error), path, code="corrupt") from error
    nbytes = 512 + _BYTES_OF_A_VERTEX * len(vertices)
    return AnnotationLayer([*keys, *options.uncovered_keys], native, nbytes)


def _keys(
    features: Features, options: AnnotationOptions, path: str
) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Return the keys of the classes, and the index of each feature's key."""
    found = sorted(set(features.classes))
    pairs = options.classes or tuple((name, name) for name in found)
    # Several classes may share a key, which stands where the first of them does.
    keys = list(dict.fromkeys(key for _, key in pairs))
    position = {name: keys.index(key) for name, key in pairs}
    rest = position.get(OTHER) if options.classes is not None else None
    number = {name: position.get(name, rest) for name in found}
    undeclared = [name for name, key in number.items() if key is None]
    if undeclared:
        raise OverlayValueError(
            f"class {undeclared[0]!r} is not among the classes", path, code="undeclared_class"
        )
    return keys, np.array([number[name] for name in features.classes], np.intp)


class _Parse:
    """The parse of one file, which other threads that need it wait for.

    Attributes:
        is_over: Set once there is a layer or an error; neither is there if the thread was stopped.
    """

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.layer: AnnotationLayer | None = None
        self.error: Exception | None = None


class LayerCache(ForkSafe):
    """Least recently used layers within a number of bytes; safe to share between threads.

    The latest stays however large it is: blocks of rows of one slide follow one another.
    """

    def __init__(self) -> None:
        self._layers: Lru[object, AnnotationLayer] = Lru(
            lambda _, layer: layer.nbytes, keeps_latest=True
        )
        super().__init__()

    def renew(self) -> None:
        """Start anew; a forked child has none of the threads that parse."""
        self._lock = threading.Lock()
        self._parses: dict[object, _Parse] = {}

    def read(self, path: str | None, options: AnnotationOptions) -> AnnotationLayer | None:
        """Return the layer of a file, from the cache where the file is unchanged.

        Threads that ask for one file at once have it parsed once; other files wait for none.

        Args:
            path: The file, or None for a null path.
            options: Which annotations count.

        Returns:
            The layer; None where the file is missing and that is allowed.

        Raises:
            OverlayError: It is missing, damaged, or holds what the options do not allow.
        """
        try:
            key = (_identity(path), options)
        except OverlayNotFoundError as error:
            if options.on_missing == "empty":
                return None
            raise error.with_remedy("on_missing='empty' allows it") from error.__cause__
        assert path is not None  # noqa: S101 - for the type checker: a null path has no identity

        def parse() -> AnnotationLayer:
            return build_layer(read_features(path, options.class_column), options, path)

        layer = self._layers.get(key)
        while layer is None:
            layer = self._parsed(key, parse)
        self._layers.shrink(cache_bytes())
        return layer

    def clear(self) -> None:
        """Forget everything."""
        self._layers.clear()

    def _parsed(self, key: object, parse: Callable[[], AnnotationLayer]) -> AnnotationLayer | None:
        """Parse a file or wait for the thread that does; None where that thread was stopped."""
        with self._lock:
            # Asked again: the parse may have ended since, and it keeps its layer before it ends.
            layer = self._layers.get(key)
            if layer is not None:
                return layer
            running = self._parses.get(key)
            is_first = running is None
            if running is None:
                running = self._parses[key] = _Parse()
        if is_first:
            return self._run(key, running, parse)
        running.is_over.wait()
        if running.error is not None:
            raise running.error
        return running.layer

    def _run(
        self, key: object, mine: _Parse, parse: Callable[[], AnnotationLayer]
    ) -> AnnotationLayer:
        try:
            mine.layer = self._layers.setdefault(key, parse(), cache_bytes())
        except Exception as error:
            mine.error = error
            raise
        finally:
            # An error is not kept: the file may be there, or be whole, the next time.
            with self._lock:
                del self._parses[key]
            mine.is_over.set()
        return mine.layer


cache = LayerCache()


def _identity(path: str | None) -> tuple[object, ...]:
    if path is None:
        raise OverlayNotFoundError("annotations_path is null", code="null_path")
    return file_identity(path, path_status(path))
