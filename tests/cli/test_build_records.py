import sys

import cv2
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tests.pipeline.make_records import build_records
from tfptx.cli.main import main
from tfptx.records import manifest, spool
from tfptx.scans import rle

SHAPE = 20, 30
COUNT = 12


def mask_of(index):
    mask = np.zeros(SHAPE, bool)
    if index % 2:
        mask[2 : 4 + index, 5:9] = True
    return mask


@pytest.fixture
def source(tmp_path):
    """Twelve images, each of its own patient; the last one has the pixels of the first one."""
    random = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for index in range(COUNT):
        image = random.integers(0, 256, SHAPE).astype(np.uint8)
        cv2.imwrite(str(tmp_path / "images" / f"i{index:02d}.png"), image)
    first, last = (tmp_path / "images" / f"i{index:02d}.png" for index in (0, COUNT - 1))
    last.write_bytes(first.read_bytes())
    write_csv(tmp_path, [(f"i{index:02d}", rle.encode(mask_of(index))) for index in range(COUNT)])
    return tmp_path


def write_csv(folder, rows):
    table = pd.DataFrame(rows, columns=["ImageId", "EncodedPixels"])
    table.to_csv(folder / "masks.csv", index=False)


def call(folder, *arguments, annotations="masks.csv"):
    given = ("--images", folder / "images", "--annotations", folder / annotations)
    rest = ("--out", folder / "records", *arguments)
    if "--folds-from" not in arguments:
        rest += ("--folds", 2)
    return CliRunner().invoke(main, ["build-records", *map(str, (*given, *rest))])


def examples_of(folder):
    return manifest.read_examples(folder / "records").set_index("image_id")


def test_masks_may_be_png_files(source):
    (source / "masks").mkdir()
    for index in range(COUNT - 1):
        path = str(source / "masks" / f"i{index:02d}.png")
        cv2.imwrite(path, mask_of(index).astype(np.uint8) * 255)
    result = call(source, annotations="masks")
    assert result.exit_code == 0, result.stderr
    assert "5 positive, 6 negative" in result.stdout
    table = examples_of(source)
    for index in range(COUNT - 1):
        assert table.loc[f"i{index:02d}", "mask_px"] == mask_of(index).sum()
    skipped = pd.read_csv(source / "records" / "skipped.csv")
    assert skipped[["image_id", "reason"]].to_numpy().tolist() == [["i11", "no annotation"]]


FAULTS = {
    "i01": ("1 2 3", "line 3: run lengths are pairs of start and length, got 3 numbers"),
    "i03": ("4 0", "line 5: run 1 has the length 0, at least 1 is right"),
    "i05": ("4 2 -3 2", "line 7: run 2 starts at -3: it overlaps what is before it"),
    "i07": ("590 20", "line 9: runs end at pixel 610, past the 600 of a 20 x 30 image"),
}


@pytest.fixture
def faulty(source):
    rows = [
        (f"i{index:02d}", FAULTS.get(f"i{index:02d}", [rle.encode(mask_of(index))])[0])
        for index in range(COUNT)
    ]
    # Parts that overlap, and an empty mask beside one: odd, but no faults.
    rows += [("i09.png", rle.encode(mask_of(9))), (" i11", " -1")]
    write_csv(source, rows)
    return source


def test_faulty_masks_are_left_out_with_their_lines_and_odd_ones_noted(faulty):
    result = call(faulty)
    assert result.exit_code == 0, result.stderr
    assert "4 left out" in result.stdout
    assert "2 annotations have a note" in result.stdout
    skipped = pd.read_csv(faulty / "records" / "skipped.csv").set_index("image_id")["reason"]
    assert {
        image_id: reason.partition("; where masks")[0] for image_id, reason in skipped.items()
    } == {image_id: f"masks.csv: {reason}" for image_id, (_, reason) in FAULTS.items()}
    table = examples_of(faulty)
    assert table.loc["i09", "annotation_note"] == "lines 11, 14: parts that overlap"
    assert table.loc["i11", "annotation_note"] == "line 13: a mask, where another line says -1"
    assert table.loc["i09", "mask_px"] == mask_of(9).sum()
    assert table.loc["i11", "mask_px"] == mask_of(11).sum()


def test_strict_stops_at_the_first_fault_and_goes_on_from_it(faulty, monkeypatch):
    monkeypatch.setattr(spool, "SCANS_PER_PART", 2)
    result = call(faulty, "--strict")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "error: the mask of i01: masks.csv: line 3: run lengths are pairs of start and length, got "
        "3 numbers; mend it, or leave --strict out"
    )
    assert not (faulty / "records").exists()
    mended = [(f"i{index:02d}", rle.encode(mask_of(index))) for index in range(COUNT)]
    write_csv(faulty, [row for row in mended if row[0] != "i05"] + [("i05", FAULTS["i05"][0])])
    assert "the mask of i05" in call(faulty, "--strict").stderr
    write_csv(faulty, mended)
    examined = []
    examine = spool.examine

    def noting(path, *others):
        examined.append(path.stem)
        return examine(path, *others)

    monkeypatch.setattr(spool, "examine", noting)
    assert call(faulty, "--strict").exit_code == 0
    assert "i00" not in examined
    assert {"i04", "i05"} <= set(examined)


def test_strict_stops_at_an_oddity_too_but_not_at_good_masks(source):
    assert call(source, "--strict").exit_code == 0
    rows = [(f"i{index:02d}", rle.encode(mask_of(index))) for index in range(COUNT)]
    write_csv(source, [*rows, ("i05", rle.encode(mask_of(5)))])
    result = call(source, "--strict", "--overwrite")
    assert result.exit_code == 1
    assert "the mask of i05: masks.csv: lines 7, 14: parts that overlap" in result.stderr


def test_equal_images_share_a_fold_and_are_told(source):
    result = call(source, "--test-share", 0.2)
    assert "1 images have the pixels of another one" in result.stdout
    assert "leaks" not in result.stdout
    table = examples_of(source)
    assert table.loc["i11", "same_pixels_as"] == "i00"
    assert table.loc["i11", "fold"] == table.loc["i00", "fold"]


def test_given_folds_are_taken_and_their_leaks_told(source):
    folds = {f"i{index:02d}": index % 3 for index in range(COUNT - 1)} | {"i11": "test"}
    pd.Series(folds, name="fold").to_csv(source / "folds.csv", index_label="image_id")
    patients = {f"i{index:02d}": f"p{index // 2}" for index in range(COUNT)}
    pd.Series(patients, name="patient").to_csv(source / "groups.csv", index_label="image_id")
    arguments = ("--folds-from", source / "folds.csv", "--groups", source / "groups.csv")
    result = call(source, *arguments)
    assert result.exit_code == 0, result.stderr
    assert "leaks: 6 patients and 1 equal images stand in several folds" in result.stdout
    assert manifest.read(source / "records").num_folds == 3
    found = examples_of(source)["fold"].to_dict()
    assert found == {image_id: -1 if fold == "test" else fold for image_id, fold in folds.items()}
    # The folds of records are folds to give.
    again = CliRunner().invoke(
        main,
        [
            *("build-records", "--images", str(source / "images")),
            *("--annotations", str(source / "masks.csv"), "--out", str(source / "again")),
            *("--folds-from", str(source / "records" / manifest.EXAMPLES)),
        ],
    )
    assert again.exit_code == 0, again.stderr
    assert manifest.read_examples(source / "again").set_index("image_id")["fold"].to_dict() == found


def test_an_image_without_a_given_fold_is_left_out(source):
    text = "id,fold\n" + "".join(f"i{index:02d},{index % 2}\n" for index in range(10))
    (source / "folds.csv").write_text(text + "i10,stage_2\n")
    result = call(source, "--folds-from", source / "folds.csv")
    assert result.exit_code == 0, result.stderr
    skipped = pd.read_csv(source / "records" / "skipped.csv")
    assert skipped["image_id"].tolist() == ["i10", "i11"]
    assert set(skipped["reason"]) == {"no fold in the csv of folds"}


@pytest.mark.parametrize("option", [("--folds", 3), ("--test-share", 0.2)])
def test_given_folds_leave_nothing_to_draw(source, option):
    (source / "folds.csv").write_text("id,fold\ni00,0\ni01,1\n")
    result = call(source, "--folds-from", source / "folds.csv", *option)
    assert result.exit_code == 2
    assert f"--folds-from gives the folds; leave {option[0]} out" in result.stderr


def test_the_runner_beam_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(sys.modules, "tfptx.records.beam", raising=False)
    build_records(tmp_path, 3, 3)
    given = ["build-records", f"--images={tmp_path / 'images'}", f"--out={tmp_path / 'out'}"]
    result = CliRunner().invoke(main, [*given, "--runner", "beam"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: --runner beam needs a package that is missing")
    assert result.stderr.endswith("pip install 'tfptx[beam]'\n")


def test_options_of_beam_are_refused_without_its_runner(tmp_path):
    given = ["build-records", f"--images={tmp_path}", "--", "--runner=FlinkRunner"]
    result = CliRunner().invoke(main, given)
    assert result.exit_code == 2
    assert "'--runner=FlinkRunner', which only --runner beam takes" in result.stderr


def write_masks(folder, scale):
    (folder / "masks").mkdir()
    for index in range(COUNT):
        grey = mask_of(index).astype(np.uint8) * scale
        cv2.imwrite(str(folder / "masks" / f"i{index:02d}.png"), grey)


def test_soft_masks_are_positive_from_a_half_on(source):
    write_masks(source, 127)
    cv2.imwrite(str(source / "masks" / "i03.png"), np.full(SHAPE, 128, np.uint8))
    result = call(source, "--soft-masks", annotations="masks")
    assert result.exit_code == 0, result.stderr
    assert "1 positive, 11 negative" in result.stdout
    assert "leave --soft-masks out" not in result.stdout
    assert examples_of(source).loc["i03", "mask_px"] == SHAPE[0] * SHAPE[1]


def test_hard_masks_that_are_taken_for_soft_ones_are_told(source):
    write_masks(source, 1)
    result = call(source, "--soft-masks", annotations="masks")
    assert result.exit_code == 0, result.stderr
    assert "no soft mask reaches grey 128; if they are of 0 and 1, leave" in result.stdout


def test_a_csv_has_no_soft_masks(source):
    for given in (["--annotations", source / "masks.csv"], []):
        arguments = ["--images", source / "images", *given, "--soft-masks", "--out", source / "out"]
        result = CliRunner().invoke(main, ["build-records", *map(str, arguments)])
        assert result.exit_code == 1
        assert "error: soft masks are PNG files in a folder, got" in result.stderr
        assert result.stderr.count("\n") == 1
        assert not (source / "out").exists()
