"""What the core refuses is told apart where it enters Python: whose fault it is decides."""

from __future__ import annotations

import numpy as np
import pytest

from ratiopath import _core

SQUARE = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], float)
ENDS = np.array([4])


def stencil(side: int) -> _core.Stencil:
    return _core.Stencil(SQUARE, ENDS, (side, side), (0.0, 0.0, 4.0, 4.0), "center", (0, 1))


def plan() -> _core.Plan:
    origin = np.zeros(1, np.int64)
    return _core.Plan((9, 9), (9, 9), [stencil(4)], origin, origin, np.zeros(1, np.uint32))


def test_a_wrong_argument_is_a_value_error_alone():
    with pytest.raises(ValueError, match="the scale must be a positive finite number") as caught:
        _core.scale_coordinates(np.zeros(1), 0.0)
    assert type(caught.value) is ValueError
    out = np.zeros(16, np.uint8)
    with pytest.raises(ValueError, match="offset 1 do not fit a stride of 16") as caught:
        _core.write_masks(plan(), b"\1", clip=False, out=out, stride=16, offset=1)
    assert type(caught.value) is ValueError
    with pytest.raises(ValueError, match="a pixel must have at least one byte") as caught:
        _core.fill_segment(plan(), 0, b"", out, 16, 0)
    assert type(caught.value) is ValueError
    with pytest.raises(ValueError, match="samples of kind 'f' and 2 bytes") as caught:
        _core.SampleCollector("f", 2, [], plan(), quantiles=False)
    assert type(caught.value) is ValueError


@pytest.mark.parametrize(
    ("shape", "message"),
    [((8, 18), "9 x 8 pixels where at least 9 x 9"), ((9, 19), "rows of 19 bytes are no whole")],
)
def test_a_segment_that_does_not_fit_its_plan_is_a_segment_error(shape, message):
    with pytest.raises(_core.SegmentError, match=message):
        _core.AreaCollector(2).add_segment(plan(), 0, np.zeros(shape, np.uint8), None)
    assert issubclass(_core.SegmentError, ValueError)


def test_what_no_memory_holds_is_a_memory_error():
    with pytest.raises(MemoryError, match="2147483647 x 2147483647 pixels of 8 bytes"):
        stencil(2**31 - 1).weights()
