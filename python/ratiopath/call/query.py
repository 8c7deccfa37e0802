"""From a public function's arguments to one call: split, checked, and its rows read.

Each of those functions has its signature written out, for people and editors and type checkers to
read, and begins with ``overlay_query(overlap_options, locals())``. What are columns is said by
`ratiopath.call.columns`, what are options by the parameters of the function that checks them; an
argument that is neither raises TypeError at the first call. `locals()` as the first thing in a body
is exactly the arguments: a decorator that binds them would cost each call a frame and its time, and
put its own frame into every stack trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ratiopath.call.annotation_options import annotation_options
from ratiopath.call.batch import Batch
from ratiopath.call.columns import (
    ANNOTATION_COLUMNS,
    OVERLAY_COLUMNS,
    check_annotation_columns,
    check_overlay_columns,
)
from ratiopath.call.region import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ratiopath.call.annotation_options import AnnotationOptions

# Covariant: what can read patches by any options can read them by those of the fractions.
OptionsT_co = TypeVar("OptionsT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Call(Generic[OptionsT_co]):
    """All that is needed to answer, checked.

    Attributes:
        region: The ROI in tile pixels, or None for the whole tile.
        batch: The rows.
        options: What holds for all rows.
    """

    region: Region | None
    batch: Batch
    options: OptionsT_co


@dataclass(frozen=True, slots=True)
class Query(Generic[OptionsT_co]):
    """What a function was asked for, checked as far as can be before any row is read.

    Attributes:
        region: The ROI in tile pixels, or None for the whole tile.
        options: What holds for all rows.
        columns: The columns by name, of any kind; None where not given.
    """

    region: Region | None
    options: OptionsT_co
    columns: Mapping[str, object]

    def of(self, columns: Mapping[str, object]) -> Query[OptionsT_co]:
        """Return the same query of other rows."""
        return Query(self.region, self.options, columns)

    def call(self) -> Call[OptionsT_co]:
        """Read the rows.

        Raises:
            ValueError: Columns differ in length.
            TypeError: A column holds neither numbers nor, where they belong, paths.
        """
        return Call(self.region, Batch.of(**self.columns), self.options)


def overlay_query(
    check: Callable[..., OptionsT_co], arguments: Mapping[str, object]
) -> Query[OptionsT_co]:
    """Check the arguments of a function of overlays.

    Args:
        check: Checks the function's options, which are its parameters, and returns them.
        arguments: All arguments of the function, by name.

    Raises:
        ValueError: An option is wrong, a column is missing, or the ROI is no region.
        TypeError: An option or the ROI has the wrong type.
    """
    return _query(check, check_overlay_columns, OVERLAY_COLUMNS, arguments)


def annotation_query(arguments: Mapping[str, object]) -> Query[AnnotationOptions]:
    """Check the arguments of a function of annotations, as `overlay_query` does."""
    return _query(annotation_options, check_annotation_columns, ANNOTATION_COLUMNS, arguments)


def _query(
    check: Callable[..., OptionsT_co],
    check_columns: Callable[[object, Mapping[str, object]], None],
    names: Sequence[str],
    arguments: Mapping[str, object],
) -> Query[OptionsT_co]:
    rest = dict(arguments)
    columns = {name: rest.pop(name) for name in names}
    roi = rest.pop("roi")
    # Options first and the ROI, which may have many vertices, last.
    options = check(**rest)
    check_columns(roi, columns)
    return Query(None if roi is None else Region.from_geometry(roi), options, columns)
