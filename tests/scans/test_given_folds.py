import pytest

from tfptx.scans import given_folds
from tfptx.scans.folds import TEST


def read(tmp_path, text):
    (tmp_path / "folds.csv").write_text(text)
    return given_folds.read(tmp_path / "folds.csv")


@pytest.mark.parametrize(
    "text",
    [
        "fname,split\na.png,0\nb.dcm,1\nc,test\n",
        "patient_id,fold,image_id\np,0,a\np,1,b\nq,-1,c\n",
        "x,fold,ImageId\n1,0,a\n2,1,b\n3,-1,c\n4,stage_2,d\n",
    ],
)
def test_columns_are_known_by_name_or_place(tmp_path, text):
    assert read(tmp_path, text) == {"a": 0, "b": 1, "c": TEST}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("image\na\n", "needs two columns: image id and fold"),
        ("image,fold\na,0\na,1\n", "gives a two folds: 0 and 1"),
        ("image,fold\na,1\nb,2\n", "has the folds 1, 2; give two or more, numbered from 0"),
        ("image,fold\na,0\nb,2\n", "has the folds 0, 2"),
        ("image,fold\na,0\nb,test\n", "has the folds 0;"),
        ("image,fold\na,one\n", "has the folds none"),
    ],
)
def test_what_gives_no_folds_is_an_error(tmp_path, text, reason):
    with pytest.raises(ValueError, match=reason):
        read(tmp_path, text)


def test_the_first_places_folds(real_data):
    found = given_folds.read(real_data / "csv" / "folds_sneddy_2nd_stage.csv")
    assert set(found.values()) == {0, 1, 2, 3, 4}
    assert "stage_2" in (real_data / "csv" / "folds_sneddy_2nd_stage.csv").read_text()
