import pytest

from tfptx.serving import layout, model_identity


def test_an_export_is_told_by_its_latest_version_and_its_answers(tmp_path):
    for version in ("1", "2"):
        (tmp_path / "lungs" / version).mkdir(parents=True)
        (tmp_path / "lungs" / version / layout.SAVED_MODEL).touch()
    latest = model_identity.of(tmp_path / "lungs", "f")
    assert (latest.name, latest.version, latest.fingerprint) == ("lungs", "2", "f")
    assert latest == model_identity.of(str(tmp_path / "lungs" / "2"), "f")


@pytest.mark.parametrize(
    ("where", "name", "version"),
    [
        ("http://localhost:8501", "tfptx", "served"),
        ("grpc://localhost:8500/lungs/4", "lungs", "4"),
        ("https://host/v1/models/lungs/versions/4", "lungs", "4"),
    ],
)
def test_a_server_is_told_by_its_address(where, name, version):
    identity = model_identity.of(where, "f")
    assert (identity.name, identity.version, identity.fingerprint) == (name, version, "f")


@pytest.mark.parametrize("where", ["missing", "ftp://host/x"])
def test_what_is_no_model_is_refused(tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"no export at|no address of a model"):
        model_identity.of(where, "f")


def test_a_name_fits_a_dicom_attribute(tmp_path):
    (tmp_path / ("\\" * 100) / "1").mkdir(parents=True)
    (tmp_path / ("\\" * 100) / "1" / layout.SAVED_MODEL).touch()
    name = model_identity.of(tmp_path / ("\\" * 100), "f").name
    assert len(name) <= 64
    assert "\\" not in name
