import numpy as np
import pytest

from tfptx.scans import annotations, rle


def read(tmp_path, text):
    (tmp_path / "masks.csv").write_text(text)
    return annotations.read(tmp_path / "masks.csv")


def test_parts_of_an_image_are_gathered_and_empty_masks_have_none(tmp_path):
    text = "EncodedPixels, ImageId\n1 2,a\n -1,b\n4 1,a\n,c\n"
    annotated = read(tmp_path, text)
    assert annotated.rles == {"a": ["1 2", "4 1"], "b": [], "c": []}
    np.testing.assert_array_equal(annotated.mask("a", 3, 2).T.ravel(), [0, 1, 1, 0, 1, 0])
    assert not annotated.mask("b", 3, 2).any()


def test_ids_may_carry_the_suffix_of_an_image_file(tmp_path):
    text = "ImageId,EncodedPixels\n1.2.3.dcm,1 2\n1.2.3,4 1\n b.png , -1\n"
    annotated = read(tmp_path, text)
    assert annotated.rles == {"1.2.3": ["1 2", "4 1"], "b": []}
    assert annotated.repeated == {"1.2.3"}


def test_an_encoding_mark_at_the_start_is_no_part_of_the_header(tmp_path):
    assert read(tmp_path, "\ufeffImageId,EncodedPixels\na,-1\n").rles == {"a": []}


def test_lines_are_those_of_the_file_whatever_is_blank(tmp_path):
    annotated = read(tmp_path, "ImageId,EncodedPixels\n\na,1 2\n  \nb,-1\n,\nc,1 2 3\na,0 1\n\n")
    assert annotated.lines == {"a": [3, 8], "b": [], "c": [7]}
    with pytest.raises(ValueError, match=r"^line 7: run lengths are pairs.*got 3 numbers"):
        annotated.runs("c", 3, 2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 2 3", "pairs of start and length, got 3 numbers"),
        ("0 0", "run 1 has the length 0"),
        ("0 2 -1 2", "run 2 starts at -1: it overlaps"),
        ("1 two", "whole numbers"),
        ("1 6", "past"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path, text, reason):
    annotated = read(tmp_path, f"ImageId,EncodedPixels\na,0 1\nb,-1\na,{text}\n")
    with pytest.raises(ValueError, match=f"^line 4: .*{reason}") as told:
        annotated.mask("a", 3, 2)
    assert isinstance(told.value, rle.OtherSizeError) == (reason == "past")


def test_parts_that_overlap_and_empty_beside_a_mask_are_odd(tmp_path):
    text = "ImageId,EncodedPixels\na,0 2\na,1 2\nb,-1\nb,1 2\nc,0 1\nc,1 1\nd,-1\nd,-1\n"
    annotated = read(tmp_path, text)
    told = {}
    for image_id in annotated.ids:
        parts_px = sum(int(lengths.sum()) for _, lengths in annotated.runs(image_id, 3, 2))
        mask_px = int(annotated.mask(image_id, 3, 2).sum())
        told[image_id] = annotated.oddity(image_id, parts_px, mask_px)
    assert told == {
        "a": "lines 2, 3: parts that overlap",
        "b": "line 5: a mask, where another line says -1",
        "c": "",
        "d": "",
    }


def test_what_is_narrowed_tells_the_same_of_some_images(tmp_path):
    annotated = read(tmp_path, "ImageId,EncodedPixels\na,0 2\nb,-1\na,1 2\nb,1 1\nc,-1\n")
    some = annotated.narrowed(["b", "none"])
    only = frozenset({"b"})
    assert some == annotations.Annotations({"b": ["1 1"]}, "masks.csv", only, only, {"b": [5]})
    assert some.fingerprint != annotated.fingerprint
    assert some.fingerprint == annotated.narrowed(["b"]).fingerprint


@pytest.mark.parametrize("rows", ["id1,3 4,\n", "id1,3 4\nid2,-1,7\n", "id1,3,4,5,6\n"])
def test_cells_without_a_column_are_an_error(tmp_path, rows):
    with pytest.raises(ValueError, match=r"masks\.csv (has a row with more cells|is not a csv)"):
        read(tmp_path, f"ImageId,EncodedPixels\n{rows}")


def test_a_row_without_its_cell_is_no_empty_mask(tmp_path):
    with pytest.raises(ValueError, match=r"masks\.csv: line 4 has 1 cells, the header 2; look"):
        read(tmp_path, "ImageId,EncodedPixels\nid1,3 4\n\nid2")
    annotated = read(tmp_path, "ImageId,EncodedPixels\nid1,3 4\n\nid2,")
    assert annotated.rles == {"id1": ["3 4"], "id2": []}


def test_a_column_that_stands_twice_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"masks\.csv has the column ImageId twice"):
        read(tmp_path, "\nImageId,EncodedPixels, ImageId\na,-1,b\n")


def test_the_runs_of_a_mask_may_be_long(tmp_path):
    text = " ".join(["1"] * 200_000)
    assert read(tmp_path, f"ImageId,EncodedPixels\na,{text}\n").rles == {"a": [text]}


def test_a_missing_file_column_or_id_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no csv at"):
        annotations.read(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="lacks the column EncodedPixels; it has ImageId, Mask"):
        read(tmp_path, "ImageId,Mask\na,-1\n")
    with pytest.raises(ValueError, match="line 3 has no ImageId"):
        read(tmp_path, "ImageId,EncodedPixels\na,-1\n,-1\n")
    with pytest.raises(ValueError, match="is not a csv"):
        read(tmp_path, "")


def test_the_competitions_csv_of_both_stages(real_data):
    truth = annotations.read(real_data / "csv" / "train-rle.csv")
    assert sum(max(len(parts), 1) for parts in truth.rles.values()) == 9830
    assert len(truth.repeated) == 502
    assert truth.contradictory == frozenset()
    assert all(image_id == image_id.strip() for image_id in truth.ids)
    odd = [
        image_id
        for image_id in truth.repeated
        if truth.oddity(
            image_id,
            sum(int(lengths.sum()) for _, lengths in truth.runs(image_id, 1024, 1024)),
            int(truth.mask(image_id, 1024, 1024).sum()),
        )
    ]
    assert len(odd) == 148
    predicted = annotations.read(real_data / "csv" / "pred_stage1_zdaiot_dup_rows.csv")
    assert predicted.repeated
