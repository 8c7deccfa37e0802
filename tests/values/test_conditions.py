"""Conditions on coverage: what is one, what it keeps, and what is said of one that is none."""

from __future__ import annotations

import numpy as np
import pytest

from ratiopath.values.conditions import Condition, Keep
from ratiopath.values.keys import key_order, number_text

CLASSES = ["background", "tissue", "blood vessel", "[0,0.5)"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("255>=0.5", [("255", ">=", 0.5)]),
        ("  255.0  >  .25 ", [("255", ">", 0.25)]),
        ("-1<1", [("-1", "<", 1.0)]),
        ("nan<=0", [("nan", "<=", 0.0)]),
        ("255,0,0>=0.1", [("255,0,0", ">=", 0.1)]),
        ("0.1>=1e-3", [("0.1", ">=", 0.001)]),
        ("18446744073709551615>0", [("18446744073709551615", ">", 0.0)]),
        ("1>=0.5 and 2<0.2", [("1", ">=", 0.5), ("2", "<", 0.2)]),
    ],
)
def test_conditions_on_values(text, expected):
    assert Keep.parse(text) == Keep(tuple(Condition(*one) for one in expected))


@pytest.mark.parametrize(
    ("text", "key"),
    [("tissue>=0.5", "tissue"), ("blood vessel > 0", "blood vessel"), ("[0,0.5)<1", "[0,0.5)")],
)
def test_conditions_on_declared_names(text, key):
    assert Keep.parse(text, CLASSES).keys == [key]


def test_several_texts_are_joined():
    keep = Keep.parse(["tissue>=0.5 and background<0.4", "tissue<0.9"], CLASSES)
    assert str(keep) == "tissue >= 0.5 and background < 0.4 and tissue < 0.9"
    assert keep.keys == ["tissue", "background"]


@pytest.mark.parametrize(
    ("text", "declared", "message"),
    [
        ("", None, "'' is no condition: write one such as '255>=0.5'"),
        ("255", None, "'255' is no condition"),
        ("255=0.5", None, "'255=0.5' is no condition"),
        ("0.5<=255<=1", None, "is no condition"),
        ("255>=half", None, "'half' in '255>=half' is no number"),
        ("255>=50", None, "50 in '255>=50' is no fraction: coverage goes from 0 to 1"),
        ("255>=nan", None, "nan in '255>=nan' is no fraction"),
        ("255>=0.5 and", None, "ends in 'and'"),
        ("255>=0.5 or 1>0", None, "is no condition"),
        ("tissue>=0.5", None, "'tissue' is no value of an overlay: declare .* 255=tissue"),
        ("255>=0.5", CLASSES, "'255' is none of the classes or bins: background, tissue, "),
    ],
)
def test_what_is_no_condition_says_what_would_be(text, declared, message):
    with pytest.raises(ValueError, match=message):
        Keep.parse(text, declared)


def test_every_operator_at_its_threshold():
    fractions = np.array([0.25, 0.5, 0.75, np.nan])
    expected = {
        ">": [False, False, True, False],
        ">=": [False, True, True, False],
        "<": [True, False, False, False],
        "<=": [True, True, False, False],
    }
    for sign, kept in expected.items():
        assert Condition("1", sign, 0.5).holds(fractions).tolist() == kept


def test_all_conditions_must_hold_and_what_does_not_occur_covers_nothing():
    coverage = {"1": np.array([0.6, 0.6, 0.1]), "2": np.array([0.1, 0.3, 0.1])}
    assert Keep.parse("1>=0.5 and 2<0.2").mask(coverage, 3).tolist() == [True, False, False]
    assert Keep.parse("7<0.5").mask(coverage, 3).all()
    assert not Keep.parse("7>0").mask(coverage, 3).any()
    assert Keep().mask(coverage, 3).all()


def test_keys_are_sorted_by_value():
    texts = ["tissue", "255,0,0", "nan", "10", "-1", "9", "0,0,1"]
    expected = ["-1", "9", "10", "nan", "0,0,1", "255,0,0", "tissue"]
    assert sorted(texts, key=key_order) == expected


def test_numbers_have_one_text():
    assert [number_text(text) for text in ("+1", "1.0", "0.10", "1,2.0,3")] == [
        "1",
        "1",
        "0.1",
        "1,2,3",
    ]
