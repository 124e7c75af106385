import cv2
import nibabel
import numpy as np
import pytest

from tfptx.operating_point import map_files, rule

MAP = np.random.default_rng(0).random((5, 7), np.float32)
MASK = MAP > 0.6


def write(path, image, affine=None):
    """Write rows x columns as the suffix says."""
    if path.suffix == ".png":
        cv2.imwrite(str(path), image)
    elif path.suffix == ".npy":
        np.save(path, image)
    else:
        nibabel.save(nibabel.Nifti1Image(image.T, np.eye(4) if affine is None else affine), path)
    return path


@pytest.mark.parametrize("name", ["a.npy", "a.nii", "a.nii.gz"])
@pytest.mark.parametrize("shape", [(5, 7), (1, 5, 7), (5, 7, 1), (1, 1, 5, 7)])
def test_the_probabilities_are_those_of_the_file(name, shape, tmp_path):
    path = write(tmp_path / name, MAP.reshape(shape))
    assert map_files.size(path) == (5, 7)
    np.testing.assert_array_equal(map_files.read_probability(path), MAP)


def test_a_side_of_one_pixel_is_no_channel(tmp_path):
    path = write(tmp_path / "a.npy", MAP[:1].reshape(1, 1, 7))
    assert map_files.size(path) == (1, 7)


@pytest.mark.parametrize(("dtype", "largest"), [(np.uint8, 255), (np.uint16, 65_535)])
def test_a_png_holds_shares_of_its_largest_value(dtype, largest, tmp_path):
    values = np.round(MAP * largest).astype(dtype)
    values[0, :2] = 0, largest
    path = write(tmp_path / "a.png", values)
    probability = map_files.read_probability(path)
    assert map_files.size(path) == (5, 7)
    assert (probability[0, :2] == [0, 1]).all()
    np.testing.assert_allclose(probability, values / largest, rtol=1e-7)
    assert rule.levels(probability)[0, 1] == rule.LEVELS


@pytest.mark.parametrize("name", ["a.png", "a.npy", "a.nii.gz"])
@pytest.mark.parametrize("value", [1, 255])
def test_a_mask_is_what_is_not_zero(name, value, tmp_path):
    path = write(tmp_path / name, (MASK * value).astype(np.uint8))
    np.testing.assert_array_equal(map_files.read_mask(path), MASK)


@pytest.mark.parametrize(
    ("image", "reader", "message"),
    [
        (MAP * 9 - 4, map_files.read_probability, "logits need a sigmoid"),
        (np.where(MASK, np.nan, MAP), map_files.read_probability, "NaN a look at the network"),
        (MAP, map_files.read_mask, "a mask has 0 and one other"),
        (np.zeros((2, 5, 7)), map_files.read_probability, r"the shape \(2, 5, 7\)"),
        (np.zeros((0, 7)), map_files.read_probability, r"the shape \(0, 7\)"),
        (np.zeros((5, 7), complex), map_files.read_probability, "complex128; give real numbers"),
    ],
)
def test_what_is_no_map_or_mask_is_refused(image, reader, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        reader(write(tmp_path / "a.npy", image))


@pytest.mark.parametrize("name", ["a.png", "a.npy", "a.nii", "a.nii.gz"])
@pytest.mark.parametrize("share", [0, 0.5])
def test_a_cut_file_is_named(name, share, tmp_path):
    path = write(tmp_path / name, (MASK * 255).astype(np.uint8))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=f"{name} is no"):
        map_files.read_mask(path)


def test_ids_are_names_without_suffix(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("1.2.3.npy", "deep/b.nii.gz", "deep/c.PNG", "notes.txt"):
        (tmp_path / name).touch()
    assert set(map_files.find(tmp_path)) == {"1.2.3", "b", "c"}
    (tmp_path / "b.npy").touch()
    with pytest.raises(ValueError, match="two files have the id b"):
        map_files.find(tmp_path)
