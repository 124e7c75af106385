import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfptx.scans.plain_text import LONGEST, cell, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("  +1", "'+1"),
        ("\t=1", "'=1"),
        ("-2", "'-2"),
        ("@sum", "'@sum"),
        ("\uff1d1", "'\uff1d1"),
        ("PA-1 = 2", "PA-1 = 2"),
        ("one\r\ntwo\x1b[31m", "one two [31m"),
        ("a\u202eb", "a b"),
        ("a\ud800b", "a b"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula_or_has_what_is_unseen(text, expected):
    assert cell(text) == expected


def test_long_texts_are_cut():
    assert len(plain("x" * 10_000)) == LONGEST
    assert plain("x" * LONGEST) == "x" * LONGEST


@given(st.text(st.characters(), max_size=300))
def test_any_text_is_one_safe_cell(text):
    safe = cell(text)
    assert not safe[:1] or safe[0] not in "=+-@\t\r\n\x00"
    assert not {unicodedata.category(each) for each in safe} & {"Cc", "Cs", "Zl", "Zp"}
    safe.encode()
    file = io.StringIO()
    csv.writer(file).writerow([safe])
    assert file.getvalue().count("\n") == 1
