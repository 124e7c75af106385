"""Maps of other tools, scored as a naive loop scores their files."""

import cv2
import nibabel
import numpy as np
import pandas as pd
import pytest

from tests.operating_point.test_map_files import write
from tfptx.operating_point import map_import, maps, rule, score, sweep
from tfptx.scans import rle

SHAPE = (24, 32)
IDS = ["a", "b", "c", "d"]


def draw():
    random = np.random.default_rng(1)
    probabilities = {
        each: cv2.GaussianBlur(random.random(SHAPE, np.float32), (0, 0), 2) for each in IDS
    }
    truths = {each: probabilities[each] > 0.55 for each in IDS[:3]}
    return probabilities, truths | {"d": np.zeros(SHAPE, bool)}


PROBABILITIES, TRUTHS = draw()


@pytest.fixture
def probabilities(tmp_path):
    (tmp_path / "probabilities").mkdir()
    for each, suffix in zip(IDS, ("npy", "nii", "nii.gz", "npy"), strict=True):
        write(tmp_path / "probabilities" / f"{each}.{suffix}", PROBABILITIES[each])
    return tmp_path / "probabilities"


def truth(tmp_path, kind, truths=None):
    truths = TRUTHS if truths is None else truths
    if kind == "csv":
        rows = [(each, rle.encode(mask)) for each, mask in truths.items()]
        path = tmp_path / "truth.csv"
        pd.DataFrame(rows, columns=["ImageId", "EncodedPixels"]).to_csv(path, index=False)
        return path
    (tmp_path / "masks").mkdir()
    for each, mask in truths.items():
        write(tmp_path / "masks" / f"{each}.{kind}", mask.astype(np.uint8))
    return tmp_path / "masks"


def silent(share):
    pass


@pytest.mark.parametrize("kind", ["csv", "png", "npy", "nii.gz"])
@pytest.mark.parametrize("counts_only", [False, True])
def test_a_sweep_scores_them_as_a_loop_over_the_files_does(
    kind, counts_only, probabilities, tmp_path
):
    out = tmp_path / "maps"
    result = map_import.import_maps(
        probabilities, truth(tmp_path, kind), out, silent, counts_only=counts_only
    )
    assert (len(result.maps), result.num_resized, result.num_without_map) == (4, 0, 0)
    axes = {"threshold": (0.45, 0.5, 0.55), "min_pixels": (0, 40, 300)}
    results = sweep.run("joint", axes, [out], 32, silent).results
    for row in results.itertuples():
        point = rule.pair(row.threshold, row.min_pixels, 32)
        dice = [score.dice(rule.mask(PROBABILITIES[i], point), TRUTHS[i]) for i in IDS]
        assert row.mean_dice == pytest.approx(np.mean(dice), abs=1e-12)


def test_a_map_is_resized_to_its_truth(probabilities, tmp_path):
    truths = {each: np.kron(mask, np.ones((2, 2), bool)) for each, mask in TRUTHS.items()}
    out = tmp_path / "maps"
    result = map_import.import_maps(probabilities, truth(tmp_path, "npy", truths), out, silent)
    assert result.num_resized == 4
    # Half-pixel centres: new pixel 2k + 1 lies a quarter of the way from old pixel k to k + 1.
    expected = 0.75 * PROBABILITIES["a"][:, :-1] + 0.25 * PROBABILITIES["a"][:, 1:]
    expected = 0.75 * expected[:-1] + 0.25 * expected[1:]
    levels = result.maps.levels(0)[1:-1:2, 1:-1:2]
    assert np.abs(levels / rule.LEVELS - expected).max() < 1.1 / rule.LEVELS


def test_patients_fold_and_pictures_come_along(probabilities, tmp_path):
    groups = tmp_path / "groups.csv"
    pd.DataFrame({"id": IDS, "patient": ["p", "p", "q", "r"]}).to_csv(groups, index=False)
    (tmp_path / "images").mkdir()
    write(tmp_path / "images" / "b.png", np.full((600, 800), 7, np.uint8))
    found = map_import.import_maps(
        probabilities,
        truth(tmp_path, "csv", {**TRUTHS, "extra": TRUTHS["a"]}),
        tmp_path / "maps",
        silent,
        groups=groups,
        images=tmp_path / "images",
        fold=3,
    )
    assert found.num_without_map == 1
    assert found.maps.index["patient_id"].tolist() == ["p", "p", "q", "r"]
    assert (found.maps.index["fold"] == 3).all()
    previews = tmp_path / "maps" / maps.PREVIEWS
    assert [path.name for path in previews.iterdir()] == ["b.jpg"]
    assert cv2.imread(str(previews / "b.jpg")).shape == (192, 256, 3)


def test_what_does_not_belong_together_is_refused_and_leaves_nothing(probabilities, tmp_path):
    def refused(message, truth, **options):
        with pytest.raises(ValueError, match=message):
            map_import.import_maps(probabilities, truth, tmp_path / "maps", silent, **options)
        assert not (tmp_path / "maps").exists()

    path = truth(tmp_path, "csv", {each: TRUTHS[each] for each in IDS[:3]})
    refused("1 maps have no truth in .*truth.csv, as d", path)
    path = truth(tmp_path, "csv", {**TRUTHS, "a": np.ones((30, 40), bool)})
    refused("truth.csv: a: .*--mask-size", path)
    masks = truth(tmp_path, "nii")
    flipped = nibabel.Nifti1Image(TRUTHS["b"].astype(np.uint8).T, np.diag([-1, -1, 1, 1]))
    nibabel.save(flipped, masks / "b.nii")
    refused(r"axes of .*b.nii point to \('R', 'A'\), .*\('L', 'P'\)", masks)
    groups = tmp_path / "groups.csv"
    groups.write_text("id,patient\na,p\n")
    refused("3 maps have no patient in .*groups.csv, as b", path, groups=groups)
