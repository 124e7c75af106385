import pytest
from pydicom.uid import UID

from tfptx.scans import uids


def test_a_name_gives_one_valid_uid():
    found = uids.of_name("study/1")
    assert found == uids.of_name("study/1") != uids.of_name("study/2")
    assert UID(found).is_valid
    assert uids.is_valid(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2.840.10008.1.1", True),
        ("2.25.0", True),
        ("1", False),
        ("", False),
        ("ID_b4a2511f8", False),
        ("1.02.3", False),
        ("1..3", False),
        ("1.2.3\n", False),
        ("1.2/../../etc", False),
        ("1." + "1" * 63, False),
        ("1.\u0662", False),
    ],
)
def test_numbers_and_dots_alone_are_valid(text, expected):
    assert uids.is_valid(text) is expected
