import numpy as np
import pandas as pd
import pytest

from tfptx.operating_point import subgroups


@pytest.fixture
def outcomes():
    random = np.random.default_rng(0)
    count = 60
    truth_px = np.where(np.arange(count) % 3 == 0, random.integers(1, 4000, count), 0)
    return pd.DataFrame(
        {
            "image_id": [f"i{number}" for number in range(count)],
            "patient_id": [f"p{number // 2}" for number in range(count)],
            "view": ["PA", "AP", "PA"] * 20,
            "sex": ["M", ""] * 30,
            "age": [np.nan, 17, 18, 39, 40, 99] * 10,
            "rows": 512,
            "columns": 512,
            "truth_px": truth_px,
            "predicted_px": random.integers(0, 2, count) * 10,
            "dice": random.random(count),
        }
    )


def find(outcomes, names=()):
    found = subgroups.find(outcomes, list(names), 200, 0)
    return {(group.column, group.value): group for group in found}


def test_groups_part_the_images_and_have_their_own_figures(outcomes):
    found = find(outcomes)
    values = {}
    for column, value in found:
        values.setdefault(column, []).append(value)
    assert values["view"] == ["AP", "PA"]
    assert values["sex"] == ["M", "unknown"]
    assert values["age"] == [
        "under 18 years",
        "18 to under 40 years",
        "40 to under 60 years",
        "80 years and more",
        "unknown",
    ]
    for column in ("view", "sex", "age"):
        assert sum(found[column, value].num_images for value in values[column]) == 60
    of_pa = outcomes[outcomes["view"] == "PA"]
    group = found["view", "PA"]
    assert group.num_positives == (of_pa["truth_px"] > 0).sum()
    assert group.figures["mean_dice"].value == pytest.approx(of_pa["dice"].mean())
    assert group.figures["mean_dice"].low < of_pa["dice"].mean() < group.figures["mean_dice"].high


def test_sizes_of_true_masks_are_of_an_image_of_1024(outcomes):
    found = find(outcomes)
    small = outcomes["truth_px"].between(1, 499)
    group = found["true mask", "under 2000 px at 1024"]
    assert group.num_images == group.num_positives == small.sum()
    assert sum(group.num_images for key, group in found.items() if key[0] == "true mask") == 20
    # A pixel of an image of 2048 squared is a quarter of one at 1024.
    tiny = outcomes.assign(rows=2048, columns=2048, truth_px=np.minimum(outcomes["truth_px"], 1))
    tiny.loc[0, "truth_px"] = 8000 * 4
    found = find(tiny)
    assert found["true mask", "under 2000 px at 1024"].num_images == 19
    assert found["true mask", "8000 px at 1024 and more"].num_images == 1


def test_a_column_in_which_all_are_alike_is_left_out(outcomes):
    assert not any(column == "view" for column, _ in find(outcomes.assign(view="PA")))


def test_further_columns_come_from_a_csv(outcomes, tmp_path):
    path = tmp_path / "more.csv"
    rows = [f"i{number},{number % 2},{number},V{number % 3}" for number in range(50)]
    path.write_text("id,drain,dose,vendor\n" + "\n".join(rows))
    joined, names = subgroups.add_columns(outcomes, path)
    assert names == ["drain", "dose", "vendor"]
    found = find(joined, names)
    assert found["drain", "0"].num_images == found["drain", "1"].num_images == 25
    assert found["drain", "unknown"].num_images == 10
    assert found["vendor", "V2"].num_images == 16
    quarters = [key for key in found if key[0] == "dose" and key[1] != "unknown"]
    assert len(quarters) == 4
    assert sum(found[key].num_images for key in quarters) == 50
    assert [value for _, value in quarters] == [
        "under 12.25",
        "12.25 to under 24.5",
        "24.5 to under 36.75",
        "36.75 and more",
    ]


def test_a_csv_fills_what_the_maps_know_of_no_image(outcomes, tmp_path):
    path = tmp_path / "more.csv"
    rows = [f"i{n},{'MF'[n % 2]},{'' if n == 59 else n},V{n % 3}" for n in range(60)]
    path.write_text("id,sex,age,vendor\n" + "\n".join(rows))
    unknown = outcomes.assign(sex="", age=np.nan)
    joined, names = subgroups.add_columns(unknown, path)
    assert names == ["vendor"]
    found = find(joined, names)
    assert found["sex", "F"].num_images == found["sex", "M"].num_images == 30
    assert found["age", "under 18 years"].num_images == 18
    assert found["age", "unknown"].num_images == 1
    with pytest.raises(ValueError, match="says of age something else than the maps; rename"):
        subgroups.add_columns(outcomes, path)
    same = ("patient_id", "sex", "age", "rows")
    outcomes.assign(vendor="V").to_csv(path, columns=["image_id", *same, "vendor"], index=False)
    joined, names = subgroups.add_columns(outcomes, path)
    assert names == ["vendor"]
    pd.testing.assert_frame_equal(joined[list(same)], outcomes[list(same)])
    path.write_text("id,age\ni1,old\n")
    with pytest.raises(ValueError, match="age holds something else than numbers"):
        subgroups.add_columns(unknown, path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id\ni1\n", "another column"),
        ("id,x\ni1,1\ni1,2\n", "names i1 twice"),
        ("id,x\nother,1\n", "has none of the images; its first is other"),
    ],
)
def test_a_csv_that_does_not_fit_is_refused(outcomes, tmp_path, text, message):
    path = tmp_path / "more.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        subgroups.add_columns(outcomes, path)
