"""Packed numbers, read back by a plain loop over bytes as the script does it."""

import base64
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfptx.studies.report import packing

LARGEST = 2**53 - 1


def unpack(text):
    values, value, unit = [], 0, 1
    for byte in zlib.decompress(base64.b64decode(text)):
        value += (byte & 127) * unit
        unit *= 128
        if byte < 128:
            values.append(value)
            value, unit = 0, 1
    return values


@given(st.lists(st.integers(0, LARGEST)))
def test_numbers_come_back(values):
    assert unpack(packing.numbers(np.array(values, np.int64))) == values


def test_numbers_at_the_borders_of_bytes_come_back():
    values = sorted({2**bits + more for bits in range(53) for more in (-1, 0)} | {LARGEST})
    assert unpack(packing.numbers(np.array(values))) == values


def test_tables_are_packed_row_by_row():
    assert unpack(packing.numbers(np.arange(6).reshape(2, 3).T)) == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize("value", [-1, LARGEST + 1])
def test_what_a_script_can_not_hold_is_refused(value):
    with pytest.raises(ValueError, match="can't be packed"):
        packing.numbers(np.array([value]))
