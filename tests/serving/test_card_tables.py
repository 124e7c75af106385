import math

from tfptx.serving import card_tables


def test_a_table_has_a_line_a_row_and_no_cell_that_breaks_it():
    rows = [("a|b", 1, 0.25), ("two\nlines", None, math.nan)]
    assert card_tables.table(("x", "y", "z"), rows).splitlines() == [
        "| x | y | z |",
        "| --- | --- | --- |",
        r"| a\|b | 1 | 0.2500 |",
        "| two lines | unknown | unknown |",
    ]


def test_an_interval_stands_where_there_is_one():
    assert card_tables.with_interval(0.5, 0.25, 0.75) == "0.5000 (0.2500 to 0.7500)"
    assert card_tables.with_interval(0.5, math.nan, math.nan) == "0.5000"
    assert card_tables.with_interval(math.nan, math.nan, math.nan) == "unknown"
