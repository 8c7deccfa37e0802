"""Overlays for generated cases: what they hold, how they are stored, what they say."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from hypothesis import strategies as st

from oracle_levels import Stated

if TYPE_CHECKING:
    from pathlib import Path

UNITS = {"INCH": 25400.0, "CENTIMETER": 10000.0, "MILLIMETER": 1000.0}
DTYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]
FLOATS = [0.0, -0.0, 0.1, 0.5, 1.0, np.nan, 255.0, -1.5, np.inf, 2048.0]


def palette(dtype: str) -> list[Any]:
    """Values that a dtype may confuse: its extremes, what float64 lacks, NaN, both zeros."""
    if dtype == "?":
        return [False, True]
    if dtype[0] == "f":
        return FLOATS
    limits = np.iinfo(dtype)
    wide = [2**53, 2**53 + 1] if limits.bits == 64 else []
    return [0, 1, 2, 7, *wide, int(limits.max), int(limits.max) - 1, int(limits.min)]


@dataclass(frozen=True)
class OverlaySpec:
    """An overlay, complete but for its folder: equal specs make equal files."""

    dtype: str
    channels: int
    sizes: tuple[tuple[int, int], ...]
    seed: int
    block: int
    storage: str
    layout: dict[str, Any]
    stated: Stated

    @property
    def is_array(self) -> bool:
        """Whether it is an array in memory and no file."""
        return self.storage.startswith("array")

    def levels(self) -> list[np.ndarray]:
        """The pixels of every level (H, W, C): each its own labels, in blocks of one colour."""
        return [self._level(index, size) for index, size in enumerate(self.sizes)]

    def _level(self, index: int, size: tuple[int, int]) -> np.ndarray:
        rng = np.random.default_rng((self.seed, index))
        width, height = size
        values = np.array(palette(self.dtype), self.dtype)
        colours = rng.choice(values, (4, self.channels))
        colours[:2] = colours[:2, :1]
        few = rng.integers(0, 4, (height // self.block + 1, width // self.block + 1))
        picked = few.repeat(self.block, 0).repeat(self.block, 1)[:height, :width]
        return colours[picked]

    def write(self, path: Path) -> Any:
        """Write the file and return its path, or return the array."""
        levels = self.levels()
        if self.is_array:
            return _laid_out(levels[0], self.storage)
        arrays = [level[:, :, 0] if self.channels == 1 else level for level in levels]
        if self.layout.get("planarconfig") == "separate":
            arrays = [np.moveaxis(array, 2, 0) for array in arrays]
        nested = self.storage in ("ome", "subifds")
        with tifffile.TiffWriter(path, ome=self.storage == "ome", **self._file()) as tiff:
            for index, array in enumerate(arrays):
                first = index == 0
                tiff.write(
                    array,
                    subfiletype=0 if first else 1,
                    subifds=len(arrays) - 1 if nested and first else None,
                    metadata=self._ome() if self.storage == "ome" and first else None,
                    **(self._stated_tags() if first else {}),
                    **{name: value for name, value in self.layout.items() if name != "byteorder"},
                )
        return str(path)

    def _file(self) -> dict[str, Any]:
        return {"byteorder": self.layout["byteorder"]}

    def _ome(self) -> dict[str, Any]:
        axes = {"axes": "YX" if self.channels == 1 else "YXS"}
        if self.stated.ome is None:
            return axes
        x, y = self.stated.ome
        return axes | {"PhysicalSizeX": x, "PhysicalSizeY": y}

    def _stated_tags(self) -> dict[str, Any]:
        tags: dict[str, Any] = {}
        if self.stated.vendor is not None and self.storage != "ome":
            tags["description"] = f"Aperio Image Library |MPP = {self.stated.vendor[0]!r}"
        if self.stated.tags is not None:
            x, y, unit = self.stated.tags
            tags["resolution"] = tuple((n.numerator, n.denominator) for n in (x, y))
            tags["resolutionunit"] = next(name for name, size in UNITS.items() if size == unit)
        return tags


def _laid_out(pixels: np.ndarray, storage: str) -> np.ndarray:
    if storage == "array fortran":
        return np.asfortranarray(pixels)
    if storage == "array reversed":
        return pixels[::-1, ::-1].copy()[::-1, ::-1]
    if storage == "array swapped":
        return pixels.astype(pixels.dtype.newbyteorder())
    if storage == "array strided":
        return pixels.repeat(2, axis=0).repeat(3, axis=1)[::2, ::3]
    return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels


ARRAYS = ["array", "array fortran", "array reversed", "array swapped", "array strided"]
FILES = ["pages", "pages", "subifds", "ome"]


@st.composite
def overlay_specs(draw: st.DrawFn, dtype: str | None = None) -> OverlaySpec:
    """Any overlay: an array, or a TIFF of one to four levels."""
    storage = draw(st.sampled_from(FILES * 6 + ARRAYS))
    dtypes = [d for d in DTYPES if storage != "ome" or d not in ("?", "u8", "i8", "f2")]
    dtype = draw(st.sampled_from(dtypes + ["u1"] * 4)) if dtype not in dtypes else dtype
    channels = 1 if dtype == "?" else draw(st.sampled_from([1, 1, 1, 1, 3, 3, 4, 2]))
    channels = 3 if storage == "ome" and channels > 1 else channels
    base = draw(st.tuples(st.integers(17, 90), st.integers(17, 90)))
    sizes = (base,) if storage in ARRAYS else draw(_pyramids(base))
    layout = {} if storage in ARRAYS else draw(_layouts(dtype, channels, ome=storage == "ome"))
    return OverlaySpec(
        dtype=dtype,
        channels=channels,
        sizes=sizes,
        seed=draw(st.integers(0, 2**16)),
        block=draw(st.sampled_from([1, 1, 3, 16])),
        storage=storage,
        layout=layout,
        stated=Stated() if storage in ARRAYS else draw(_statements(storage, len(sizes))),
    )


@st.composite
def _pyramids(draw: st.DrawFn, base: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    factors = draw(st.sampled_from([(), (2,), (2, 4), (2, 4, 8), (3,), (4, 12), (2, 3, 5), (7,)]))
    sizes = [base]
    for factor in factors:
        ups = draw(st.tuples(st.integers(0, 1), st.integers(0, 1)))
        # At times off by one more, so that no whole number fits both axes.
        ups = draw(st.sampled_from([ups, ups, ups, (2, ups[1])])) if factor < 7 else ups
        width, height = (
            n // factor + (up if n % factor else up // 2) for n, up in zip(base, ups, strict=True)
        )
        fits = abs(base[0] * height - base[1] * width) <= sum(base)
        if fits and min(width, height) > 1 and width * height < sizes[-1][0] * sizes[-1][1]:
            sizes.append((width, height))
    return tuple(sizes)


@st.composite
def _layouts(draw: st.DrawFn, dtype: str, channels: int, *, ome: bool) -> dict[str, Any]:
    tiled = draw(st.sampled_from([True, True, False]))
    codec = draw(st.sampled_from([None, "deflate", "deflate", "lzw", "zstd"]))
    layout: dict[str, Any] = {"compression": codec, "byteorder": draw(st.sampled_from("<>"))}
    if tiled:
        layout["tile"] = draw(st.sampled_from([(16, 16), (32, 16), (16, 48)]))
    else:
        layout["rowsperstrip"] = draw(st.sampled_from([1, 3, 16, 4096]))
    # tifffile writes no such predictor.
    written = dtype not in ("?", "u8", "i8") and layout["byteorder"] == "<"
    if codec is not None and written:
        layout["predictor"] = draw(st.sampled_from([None, True]))
    if channels > 1:
        apart = not ome and draw(st.sampled_from([False, False, True]))
        layout["planarconfig"] = "separate" if apart else "contig"
    layout["photometric"] = "rgb" if channels > 2 else "minisblack"
    spare = {2: 1, 4: 1}.get(channels, 0)
    if spare:
        layout["extrasamples"] = ("unspecified",) * spare
    return layout


@st.composite
def _statements(draw: st.DrawFn, storage: str, levels: int) -> Stated:
    ome = storage == "ome"
    mpp = draw(st.tuples(base_mpps, base_mpps | st.none()))
    x, y = mpp[0], mpp[1] or mpp[0]
    # An Aperio slide's second page is its thumbnail.
    vendor = (
        (x, x) if not ome and levels == 1 and draw(st.sampled_from([True] + [False] * 5)) else None
    )
    kind = draw(st.sampled_from(["tags", "tags", "tags", "nothing", "default"]))
    tags = None
    if kind == "default":
        tags = (Fraction(draw(st.sampled_from([72, 96, 300]))), Fraction(72), UNITS["INCH"])
    elif kind == "tags":
        unit = draw(st.sampled_from(sorted(UNITS.values())))
        noise = draw(st.sampled_from([1000, 10**4]))
        per_x, per_y = (Fraction(unit / m).limit_denominator(noise) for m in (x, y))
        tags = (per_x, per_y, unit)
    stated_ome = (x, y) if ome and draw(st.sampled_from([True, True, False])) else None
    return Stated(ome=stated_ome, vendor=vendor, tags=tags)


base_mpps = st.one_of(
    st.sampled_from([0.25, 0.5, 0.504, 0.2527, 1.0, 2.0, 0.7, 0.9]),
    st.floats(0.1, 4.0).map(lambda mpp: round(mpp, 6)),
)
