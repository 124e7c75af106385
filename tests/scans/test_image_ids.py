import pytest

from tfptx.scans import image_ids


@pytest.mark.parametrize(
    ("name", "image_id"),
    [
        ("ID_1", "ID_1"),
        (" 1.2.276.0.117800.dcm", "1.2.276.0.117800"),
        ("1.2.276.0.117800", "1.2.276.0.117800"),
        ("a.PNG ", "a"),
        ("a.png.dcm", "a.png"),
        (".png", ".png"),
        ("", ""),
    ],
)
def test_only_the_suffix_of_an_image_file_is_no_part_of_an_id(name, image_id):
    assert image_ids.of(name) == image_id
