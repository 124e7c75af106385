import json

import numpy as np
import pandas as pd
import pytest

from tests.operating_point import make_maps
from tfptx.operating_point import maps

SHAPES = [(3, 5), (4, 4), (7, 2)]
LEVELS, TRUTHS = make_maps.draw(0, SHAPES)


@pytest.fixture
def folder(tmp_path):
    return make_maps.write(tmp_path / "maps", LEVELS, TRUTHS, stage="2", runs=["a"])


def test_maps_come_back_as_they_were_written(folder):
    found = maps.read(folder)
    assert len(found) == 3
    assert found.source["runs"] == ["a"]
    assert found.source["flip"] is False
    for i in range(3):
        np.testing.assert_array_equal(found.levels(i), LEVELS[i])
        np.testing.assert_array_equal(found.truth(i), TRUTHS[i])
    assert found.index["view"].tolist() == ["PA"] * 3
    assert found.index["spacing_mm"].isna().all()
    assert found.index["truth_rle"].iloc[0] == "-1"
    assert (folder / "previews" / "image2.jpg").read_bytes() == b"jpeg"
    assert (
        np.load(folder / "levels.npy").tolist()
        == np.concatenate([m.ravel() for m in LEVELS]).tolist()
    )


def test_maps_made_elsewhere_need_three_files_and_a_schema(tmp_path):
    np.save(tmp_path / "levels.npy", np.array([7, 8, 9, 1, 2, 3], np.uint16))
    (tmp_path / "maps.json").write_text('{"schema": 1}')
    (tmp_path / "index.csv").write_text(
        "image_id,patient_id,fold,rows,columns,offset,truth_rle\nb,1,0,1,2,4,\na,2,0,2,2,0, -1\n"
    )
    found = maps.read(tmp_path)
    assert found.levels(0).tolist() == [[2, 3]]
    assert found.levels(1).tolist() == [[7, 8], [9, 1]]
    assert not found.truth(1).any()
    with pytest.raises(ValueError, match="b has no truth"):
        found.truth(0)


def shorten(folder):
    np.save(folder / "levels.npy", np.load(folder / "levels.npy")[:-1])


def cut_off(folder):
    (folder / "levels.npy").write_bytes((folder / "levels.npy").read_bytes()[:-4])


def retype(folder):
    np.save(folder / "levels.npy", np.load(folder / "levels.npy").astype(np.int32))


def move(folder):
    index = pd.read_csv(folder / "index.csv")
    index["offset"] += [0, 1, 0]
    index.to_csv(folder / "index.csv", index=False)


def repeat(folder):
    lines = (folder / "index.csv").read_text().splitlines()
    (folder / "index.csv").write_text("\n".join([*lines, lines[-1]]))


def newer(folder):
    (folder / "maps.json").write_text(json.dumps({"schema": 2}))


def no_column(folder):
    pd.read_csv(folder / "index.csv").drop(columns="offset").to_csv(folder / "index.csv")


def no_number(folder):
    index = pd.read_csv(folder / "index.csv", dtype=str)
    index["rows"] = "three"
    index.to_csv(folder / "index.csv", index=False)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (shorten, "has 44 pixels, index.csv lists 45"),
        (cut_off, "no whole NumPy file"),
        (retype, "int32 with 1 axes"),
        (move, "belong together"),
        (repeat, "lists image2 twice"),
        (newer, "has schema 2"),
        (no_column, "lacks the column offset"),
        (no_number, "rows holds something else than numbers"),
        (lambda folder: (folder / "levels.npy").unlink(), "no levels at"),
        (lambda folder: (folder / "maps.json").unlink(), "no maps at"),
    ],
)
def test_damaged_maps_are_refused(folder, damage, message):
    damage(folder)
    with pytest.raises(ValueError, match=message):
        maps.read(folder)


def test_a_truth_past_its_image_is_named(folder):
    text = (folder / "index.csv").read_text().replace("-1", "14 2")
    (folder / "index.csv").write_text(text)
    with pytest.raises(ValueError, match=r"index\.csv: image0: "):
        maps.read(folder).truth(0)


def test_folders_are_joined_only_where_they_belong_together(tmp_path):
    ids = ["x", "y", "z"]
    one = make_maps.write(tmp_path / "one", LEVELS, TRUTHS, stage="2", runs=["a"])
    other = make_maps.write(tmp_path / "other", LEVELS, TRUTHS, ids, stage="2", runs=["b"])
    assert [len(each) for each in maps.read_several([one, other])] == [3, 3]
    with pytest.raises(ValueError, match="3 images are in more than one of these maps"):
        maps.read_several([one, one])
    make_maps.write(other, LEVELS, TRUTHS, ids, stage="1", runs=["b"])
    with pytest.raises(ValueError, match=r"has stage '2', .* '1'"):
        maps.read_several([one, other])


@pytest.mark.parametrize("image_id", ["../photo", "../../secret/photo", "/tmp/photo", "a/../../b"])
def test_a_preview_lies_among_the_previews(folder, image_id):
    with pytest.raises(ValueError, match="leads out of previews/"):
        maps.preview_path(folder, image_id)
    assert maps.preview_path(folder, "a.b c") == folder / "previews" / "a.b c.jpg"


def test_a_preview_that_is_a_link_out_of_the_folder_is_none(folder, tmp_path):
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (folder / "previews" / "linked.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(ValueError, match="leads out of previews/"):
        maps.preview_path(folder, "linked")
