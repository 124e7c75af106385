import numpy as np
import pytest

from tfptx.scans import annotations


def read(tmp_path, text):
    (tmp_path / "masks.csv").write_text(text)
    return annotations.read(tmp_path / "masks.csv").rles


def test_parts_of_an_image_are_gathered_and_empty_masks_have_none(tmp_path):
    text = "EncodedPixels, ImageId\n1 2,a\n -1,b\n4 1,a\n,c\n"
    assert read(tmp_path, text) == {"a": ["1 2", "4 1"], "b": [], "c": []}
    mask = annotations.read(tmp_path / "masks.csv").mask("a", 3, 2)
    np.testing.assert_array_equal(mask.T.ravel(), [0, 1, 1, 0, 1, 0])


@pytest.mark.parametrize("rows", ["id1,3 4,\n", "id1,3 4\nid2,-1,7\n", "id1,3,4,5,6\n"])
def test_cells_without_a_column_are_an_error(tmp_path, rows):
    with pytest.raises(ValueError, match=r"masks\.csv (has a row with more cells|is not a csv)"):
        read(tmp_path, f"ImageId,EncodedPixels\n{rows}")


def test_a_row_without_its_cell_is_no_empty_mask(tmp_path):
    with pytest.raises(ValueError, match=r"masks\.csv: line 4 has 1 cells, the header 2; look"):
        read(tmp_path, "ImageId,EncodedPixels\nid1,3 4\n\nid2")
    assert read(tmp_path, "ImageId,EncodedPixels\nid1,3 4\n\nid2,") == {"id1": ["3 4"], "id2": []}


def test_a_column_that_stands_twice_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"masks\.csv has the column ImageId twice"):
        read(tmp_path, "\nImageId,EncodedPixels, ImageId\na,-1,b\n")


def test_the_runs_of_a_mask_may_be_long(tmp_path):
    text = " ".join(["1"] * 200_000)
    assert read(tmp_path, f"ImageId,EncodedPixels\na,{text}\n") == {"a": [text]}


def test_a_missing_file_column_or_id_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no csv at"):
        annotations.read(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="lacks the column EncodedPixels; it has ImageId, Mask"):
        read(tmp_path, "ImageId,Mask\na,-1\n")
    with pytest.raises(ValueError, match="line 3 has no ImageId"):
        read(tmp_path, "ImageId,EncodedPixels\na,-1\n,-1\n")
    with pytest.raises(ValueError, match="is not a csv"):
        read(tmp_path, "")
