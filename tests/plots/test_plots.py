"""Pictures of slides and tiles: what is in the figures, not what their pixels are."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.collections import LineCollection, PolyCollection

from overlays import write_overlay
from ratiopath.plots import plot_contact_sheet, plot_slide
from ratiopath.plots.draw import scale_bar
from ratiopath.plots.thumbnail import as_picture, read_thumbnail
from ratiopath.plots.tiles import Cells, Tiles
from ratiopath.readers.opening import open_reader
from ratiopath.values.conditions import Keep

MPP = 0.5


def table(
    columns: int = 4, rows: int = 3, tile: int = 64, stride: int = 64
) -> dict[str, np.ndarray]:
    """Tiles row by row, of which tissue covers 0, 1/11, 2/11 ... 1."""
    y, x = np.divmod(np.arange(columns * rows), columns)
    share = np.linspace(0, 1, columns * rows)
    size = np.full(len(x), tile)
    mpp = np.full(len(x), MPP)
    return {
        "tile_x": x * stride,
        "tile_y": y * stride,
        "tile_extent_x": size,
        "tile_extent_y": size,
        "mpp_x": mpp,
        "mpp_y": mpp,
        "coverage_background": 1 - share,
        "coverage_tissue": share,
    }


@pytest.fixture
def slide(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (192, 256, 3), np.uint8)
    return write_overlay(tmp_path / "slide.tif", [pixels, pixels[::2, ::2]], MPP, tile=(64, 64))


@pytest.fixture
def mask(tmp_path):
    values = np.zeros((24, 32), np.uint8)
    values[4:12, 4:20] = 255
    return write_overlay(tmp_path / "mask.tif", [values], 8 * MPP)


CLASSES = {0: "background", 255: "tissue"}


def tile_axes(figure):
    return next(axes for axes in figure.axes if axes.get_title().endswith("tiles"))


def legend_texts(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_every_tile_is_a_patch_coloured_by_its_coverage(slide):
    figure = plot_slide(slide, table(), keep="tissue>=0.5", classes=CLASSES)
    axes = tile_axes(figure)
    (filled,) = (one for one in axes.collections if isinstance(one, PolyCollection))
    assert len(filled.get_paths()) == 12
    # Dropped ones first, so that kept ones lie above.
    np.testing.assert_allclose(np.asarray(filled.get_array()), np.linspace(0, 1, 12))
    assert (filled.get_cmap().name, filled.get_clim()) == ("cividis", (0, 1))
    alpha = np.asarray(filled.get_alpha())
    assert alpha[0] == 0
    assert len(set(alpha[1:6])) == len(set(alpha[6:])) == 1
    assert alpha[6] > alpha[1]
    first = np.asarray(filled.get_paths()[0].vertices)
    np.testing.assert_allclose(first.max(axis=0), [64 * MPP / 1000] * 2)
    assert legend_texts(axes) == ["kept: 6", "dropped: 6"]
    assert axes.get_title() == "12 tiles"
    (bar,) = (one for one in figure.axes if one.get_ylabel().startswith("fraction"))
    assert bar.get_ylabel() == "fraction covered by tissue"
    title = "slide.tif: 256 x 192 px at 0.5 µm/px; kept is tissue >= 0.5"
    assert figure.get_suptitle() == title


def test_kept_tiles_are_outlined_and_dropped_ones_hatched(slide):
    axes = tile_axes(plot_slide(slide, table(), keep="tissue>=0.5", classes=CLASSES))
    (hatched,) = (one for one in axes.patches if one.get_hatch())
    assert (hatched.get_label(), hatched.get_hatch()) == ("dropped", "///")
    assert len(np.asarray(hatched.get_path().vertices)) == 6 * 5
    lines = [one for one in axes.collections if isinstance(one, LineCollection)]
    assert [one.get_label() for one in lines] == ["_halo", "kept"]
    # Half a row and a row of four: ten edges go round, seven are shared.
    assert len(lines[1].get_segments()) == 6 * 4 - 2 * 6


def test_the_overlay_s_classes_are_told_apart_by_colour_and_hatch(slide, mask):
    figure = plot_slide(slide, table(), overlay=mask, classes=CLASSES)
    left = figure.axes[0]
    assert left.get_title() == "overlay mask.tif"
    assert legend_texts(left) == ["tissue"]
    legend = left.get_legend()
    assert legend is not None
    (patch,) = legend.get_patches()
    assert patch.get_hatch() == "///"
    outline = next(one for one in left.collections if len(one.get_edgecolor()))
    x, y = np.concatenate([path.vertices for path in outline.get_paths()]).T
    bounds = np.array([x.min(), x.max(), y.min(), y.max()]) * 1000 / MPP / 8
    np.testing.assert_allclose(bounds, [4, 20, 4, 12], atol=0.51)


def test_an_overlay_of_many_values_is_drawn_as_a_heatmap(slide, tmp_path):
    heat = np.linspace(0, 1, 24 * 32, dtype=np.float32).reshape(24, 32)
    overlay = write_overlay(tmp_path / "heat.tif", [heat])
    figure = plot_slide(slide, table(), overlay=overlay, spans_slide=True)
    image = figure.axes[0].images[1]
    np.testing.assert_array_equal(image.get_array(), heat)
    np.testing.assert_allclose(image.get_extent(), (0, 0.128, 0.096, 0))
    assert figure.axes[0].get_legend() is None


def test_histograms_count_all_and_kept_tiles(slide):
    figure = plot_slide(slide, table(), keep="tissue>=0.5", classes=CLASSES)
    tissue, background = (axes for axes in figure.axes if axes.get_ylabel() == "tiles")
    assert tissue.get_title(loc="left") == "tissue >= 0.5"
    assert background.get_title(loc="left") == "background"
    shares = np.linspace(0, 1, 12)
    counts = [[bar.get_height() for bar in container] for container in tissue.containers]
    assert counts[0] == np.histogram(shares, 20, (0, 1))[0].tolist()
    assert counts[1] == np.histogram(shares[6:], 20, (0, 1))[0].tolist()
    (threshold,) = tissue.lines
    assert set(np.asarray(threshold.get_xdata())) == {0.5}
    assert tissue.get_yscale() == "linear"
    assert legend_texts(tissue) == ["all tiles", "kept"]
    many = plot_slide(slide, table(80, 30, 3, 3))
    assert {axes.get_yscale() for axes in many.axes if axes.get_ylabel() == "tiles"} == {"log"}


@pytest.mark.parametrize("make", [dict, pd.DataFrame, pa.table])
def test_tables_of_any_kind_and_of_several_slides(slide, make):
    columns = table() | {"path": [str(slide)] * 8 + ["other"] * 4, "kept": [True] * 5 + [False] * 7}
    tiles = Tiles.of(make(columns), slide, Keep())
    assert len(tiles) == 8
    assert tiles.kept.tolist() == [True] * 5 + [False] * 3
    assert list(tiles.fractions) == ["background", "tissue"]
    with pytest.raises(ValueError, match="no tile of the table has the path 'elsewhere'"):
        Tiles.of(make(columns), "elsewhere", Keep())


def test_a_table_that_lacks_something_is_refused(slide):
    columns = table()
    del columns["tile_y"]
    with pytest.raises(ValueError, match="has no column tile_y"):
        plot_slide(slide, columns)
    with pytest.raises(ValueError, match="has no column coverage_fat"):
        plot_slide(slide, table(), color_by="fat")
    with pytest.raises(ValueError, match="one at a time"):
        plot_slide(slide, table() | {"level": np.arange(12)})
    with pytest.raises(ValueError, match="has no level 7"):
        plot_slide(slide, table() | {"level": np.full(12, 7)})


def test_a_table_without_tiles_or_coverage_is_drawn(slide, tmp_path):
    none = {name: values[:0] for name, values in table().items()}
    figure = plot_slide(slide, none)
    assert legend_texts(tile_axes(figure)) == ["kept: 0", "dropped: 0"]
    figure.savefig(tmp_path / "none.png")
    bare = {name: values for name, values in table().items() if not name.startswith("fraction")}
    plot_slide(slide, bare).savefig(tmp_path / "bare.png")


def test_overlapping_tiles_are_drawn_a_stride_wide():
    tiles = Tiles.of(table(tile=64, stride=16), "", Keep())
    cells = Cells.of(tiles, tiles.fractions["tissue"])
    assert cells.boxes[0].tolist() == [24, 24, 40, 40]
    assert len(cells.outline((1, 1))) == 2 * (4 + 3)


def test_a_tile_shifted_back_begins_where_the_one_before_it_ends():
    columns = table(3, 1) | {"tile_x": np.array([0, 64, 100])}
    boxes = Cells.of(Tiles.of(columns, "", Keep()), np.zeros(3)).boxes
    assert boxes[1][2] <= boxes[2][0] < boxes[2][2]


def test_too_many_tiles_are_drawn_in_blocks():
    tiles = Tiles.of(table(300, 300, 8, 8), "", Keep.parse("1>0", ["1"]))
    shares = np.zeros((300, 300))
    shares[:3, :2] = 1
    kept = shares.ravel() > 0
    cells = Cells.of(
        Tiles(tiles.corner, tiles.extent, tiles.mpp, 0, tiles.fractions, kept), shares.ravel()
    )
    assert cells.block == 3
    assert len(cells.boxes) == 100 * 100
    assert cells.boxes[0].tolist() == [0, 0, 24, 24]
    assert cells.fractions[0] == pytest.approx(2 / 3)
    assert np.flatnonzero(cells.kept).tolist() == [0]


def test_a_contact_sheet_has_a_panel_for_each_slide(slide, tmp_path):
    slides = [(slide, table()), (slide, table(2, 2)), (slide, table(1, 1))]
    figure = plot_contact_sheet(iter(slides), keep="tissue>=0.5", declared=["tissue"], columns=2)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == [
        "slide.tif\n6 of 12 (50%)",
        "slide.tif\n2 of 4 (50%)",
        "slide.tif\n0 of 1 (0%)",
    ]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["kept: 8", "dropped: 9"]
    assert figure.get_suptitle() == "kept is tissue >= 0.5"
    figure.savefig(tmp_path / "sheet.png")
    with pytest.raises(ValueError, match="at least one slide"):
        plot_contact_sheet([])


@pytest.mark.parametrize(
    ("width", "expected"),
    [(4, (1, "1 mm")), (0.128, (0.02, "20 µm")), (50, (10, "10 mm")), (2.4, (0.5, "500 µm"))],
)
def test_scale_bars_have_round_lengths(width, expected):
    length, text = scale_bar(width)
    assert (pytest.approx(length), text) == expected


def test_a_thumbnail_is_every_nth_pixel_of_the_coarsest_level_that_is_large_enough(tmp_path):
    levels = np.random.default_rng(1).integers(0, 5, (300, 200), np.uint8)
    path = write_overlay(tmp_path / "m.tif", [levels, levels[::2, ::2] + 10], 1.0)
    reader = open_reader(path)
    np.testing.assert_array_equal(read_thumbnail(reader, 200)[..., 0], levels[::2, ::2])
    np.testing.assert_array_equal(read_thumbnail(reader, 150)[..., 0], levels[::2, ::2] + 10)
    np.testing.assert_array_equal(read_thumbnail(reader, 31)[..., 0], levels[::10, ::10] + 10)


def test_samples_of_other_kinds_become_pictures():
    grey = np.arange(100, dtype=np.uint16).reshape(10, 10, 1) * 600
    shown = as_picture(grey)
    assert (shown.shape, shown.min(), shown.max()) == ((10, 10), 0, 1)
    assert as_picture(np.full((2, 2, 1), np.nan)).tolist() == [[0, 0], [0, 0]]
    rgb = np.zeros((2, 2, 4), np.uint8)
    assert as_picture(rgb).shape == (2, 2, 3)


@pytest.mark.slow
def test_figures_need_no_display_and_leave_nothing_behind(slide):
    before = dict(mpl.rcParams)
    plot_slide(slide, table())
    assert dict(mpl.rcParams) == before
    code = "import sys, ratiopath.plots; print('matplotlib.pyplot' in sys.modules)"
    run = subprocess.run(  # noqa: S603 - this interpreter, on the line above
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout == "False\n"


def test_a_missing_matplotlib_is_named():
    code = "import sys; sys.modules['matplotlib'] = None; import ratiopath.plots"
    run = subprocess.run(  # noqa: S603 - this interpreter, on the line above
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "run pip install 'ratiopath[plots]'" in run.stderr.splitlines()[-1]
