"""Whole calls at random: both functions, by both faces, give the oracle's answer."""

from __future__ import annotations

import itertools
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, seed, settings
from ray.data.expressions import col

import oracle
from case_features import FEATURES, features
from cases import Case, Row, cases
from oracle_values import RefusedError
from ratiopath import OverlayValueError, overlay_overlap, read_overlay
from ratiopath.tiling import tile_overlay, tile_overlay_overlap

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

# The slow profile makes 10,000 cases; a piece that fails is named by its number and the seed.
IS_SLOW = os.environ.get("HYPOTHESIS_PROFILE") == "slow"
PIECES, CASES = (20, 500) if IS_SLOW else (3, 100)
SEED = int(os.environ.get("RATIOPATH_TEST_SEED", "1"))

COLUMNS = ("path", "x", "y", "mpp_x", "mpp_y")

_names = itertools.count()


@pytest.mark.parametrize(
    "piece", [0, *(pytest.param(piece, marks=pytest.mark.slow) for piece in range(1, PIECES))]
)
def test_any_call_is_the_oracle_s(tmp_path: Path, generated: Counter[str], piece: int) -> None:
    found: list[set[str]] = []

    @seed(SEED * 1000 + piece)
    @settings(max_examples=CASES, derandomize=False, database=None, print_blob=False)
    @given(case=cases())
    def compare(case: Case) -> None:
        found.append(features(case))
        Comparison(case, tmp_path).check()

    compare()
    generated.update(["cases"] * len(found))
    for one in found:
        generated.update(one)


def test_what_the_easy_cases_do_not_show_was_common(generated: Counter[str]) -> None:
    if not generated:
        pytest.skip("no case was generated")
    # A few hundred cases scatter.
    least = generated["cases"] / (3 if IS_SLOW else 5)
    for feature in FEATURES:
        assert generated[feature] >= least, feature


class Comparison:
    """One case asked of the product, of the oracle, and compared."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        names = [folder / f"{next(_names)}.tif" for _ in case.overlays]
        self.overlays = [spec.write(name) for spec, name in zip(case.overlays, names, strict=True)]
        self.files = [name for name in names if name.exists()]
        self.missing = str(folder / "missing.tif")

    def check(self) -> None:
        """Compare fractions and patches, by the NumPy functions and by the expressions."""
        try:
            if self.case.dtype is None or len({o.dtype for o in self.case.overlays}) == 1:
                self._check_overlaps()
            if self.case.coverage != "exact" and not self.case.is_huge:
                self._check_patches()
        finally:
            for name in self.files:
                name.unlink()

    def _check_overlaps(self) -> None:
        case = self.case
        choice = case.choice
        options = {"nodata": list(choice.nodata), "classes": choice.classes, "bins": choice.bins}
        expected = []
        refused = False
        for row in case.rows:
            try:
                expected.append(oracle.shares(self._weighed(row), choice))
            except RefusedError:
                refused = True
        if refused:
            with pytest.raises(OverlayValueError, match="row="):
                overlay_overlap(*self._columns(), **self._keywords(), **options)
            return
        found = overlay_overlap(*self._columns(), **self._keywords(), **options)
        for one, truth in zip(found, expected, strict=True):
            self._same({repr(k): v for k, v in one.items()}, _by_key(truth))
        if not case.overlays[0].is_array:
            structs = oracle.structs(expected, choice, case.absent)
            expression = tile_overlay_overlap(
                *self._named(), **self._keywords(col), **options, absent=case.absent
            )
            for row, struct in zip(expression(self._table()).to_pylist(), structs, strict=True):
                self._same(row, struct)

    def _check_patches(self) -> None:
        case = self.case
        keywords = self._keywords() | {"dtype": case.dtype}
        expected = [self._patch(row) for row in case.rows]
        found = read_overlay(*self._columns(), **keywords)
        for data, mask, truth in zip(found.data, found.mask, expected, strict=True):
            _same_pixels(data, truth.data)
            np.testing.assert_array_equal(mask, truth.mask)
        if not case.overlays[0].is_array and len({p.data.dtype for p in expected}) == 1:
            expression = tile_overlay(*self._named(), **self._keywords(col), dtype=case.dtype)
            column = expression(self._table())
            for row, truth in zip(column.to_numpy(zero_copy_only=False), expected, strict=True):
                _same_pixels(row[0], truth.data)
                mask = np.broadcast_to(truth.mask[:, :, np.newaxis], truth.data.shape)
                _same_pixels(row[1], mask.astype(truth.data.dtype))

    def _weighed(self, row: Row) -> list[Any]:
        arguments = (self.case.truth(row), row.tile, self.case.roi, row.mpp)
        return oracle.weigh(*arguments, **self.case.options())

    def _patch(self, row: Row) -> oracle.Patch:
        arguments = (self.case.truth(row, self.case.dtype), row.tile, self.case.roi, row.mpp)
        return oracle.patch(*arguments, **self.case.options(), dtype=self.case.dtype)

    def _same(self, found: dict[Any, Any], expected: dict[Any, Any]) -> None:
        """Counted shares are equal to the last bit; exact areas to 1e-9, and none below 1e-12."""
        if self.case.coverage != "exact":
            assert found == expected
            return
        for name in {*found, *expected}:
            one, truth = found.get(name), expected.get(name)
            if name in found and name in expected and (one is None or truth is None):
                assert one == truth
            assert abs((one or 0.0) - (truth or 0.0)) <= 1e-9, (name, found, expected)
        assert not found or sum(filter(None, found.values())) == pytest.approx(
            1.0 if any(expected.values()) else 0.0, abs=1e-9
        )

    def _roi(self) -> BaseGeometry | None:
        return None if self.case.whole_tile else self.case.roi

    def _columns(self) -> tuple[Any, ...]:
        rows = self.case.rows
        if self.case.overlays[0].is_array:
            overlay: Any = self.overlays[0]
        else:
            overlay = [self._path(row) for row in rows]
        tiles, mpps = [row.tile for row in rows], [row.mpp for row in rows]
        numbers = ([pair[k] for pair in pairs] for pairs in (tiles, mpps) for k in (0, 1))
        return (self._roi(), overlay, *numbers)

    def _path(self, row: Row) -> str:
        return self.missing if row.overlay is None else self.overlays[row.overlay]

    def _named(self) -> tuple[Any, ...]:
        return (self._roi(), *map(col, COLUMNS))

    def _table(self) -> pa.Table:
        columns = dict(zip(COLUMNS, self._columns()[1:], strict=True))
        return pa.table(columns | self._numbers())

    def _keywords(self, face: Callable[[str], Any] | None = None) -> dict[str, Any]:
        """The options of a call; numbers a row as columns of a table, as lists, or as scalars."""
        keywords = self.case.options() | {"on_missing": "empty"}
        for name, values in self._numbers().items():
            if face is not None and self.case.in_columns:
                keywords[name] = face(name)
            else:
                keywords[name] = values if self.case.in_columns else values[0]
        return keywords

    def _numbers(self) -> dict[str, list[float | None]]:
        """The numbers a row that a call may do without, where this one has them."""
        case, count = self.case, len(self.case.rows)
        pairs: dict[str, list[Any]] = {"overlay_mpp": [row.override for row in case.rows]}
        pairs["slide_extent"] = [case.slide_extent] * count
        if case.whole_tile:
            pairs["tile_extent"] = [tuple(map(round, case.roi.bounds[2:]))] * count
        return {
            f"{name}_{axis}": [None if pair is None else pair[k] for pair in rows]
            for name, rows in pairs.items()
            if any(pair is not None for pair in rows)
            for k, axis in enumerate("xy")
        }


def _by_key(shares: dict[tuple[Any, str], float]) -> dict[str, float]:
    return {repr(key): share for (key, _), share in shares.items()}


def _same_pixels(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    if expected.dtype.kind == "f":
        zero = expected == 0
        np.testing.assert_array_equal(np.signbit(found[zero]), np.signbit(expected[zero]))
    assert not math.prod(found.shape) or found.shape == expected.shape
