import pytest

from tfptx.serving import layout, model_identity


def test_an_export_is_told_by_the_content_of_its_latest_version(tmp_path):
    for version, content in (("1", b"one"), ("2", b"two")):
        (tmp_path / "lungs" / version).mkdir(parents=True)
        (tmp_path / "lungs" / version / layout.SAVED_MODEL).write_bytes(content)
    latest = model_identity.of(tmp_path / "lungs")
    assert (latest.name, latest.version) == ("lungs", "2")
    assert latest == model_identity.of(str(tmp_path / "lungs" / "2"))
    assert latest.fingerprint != model_identity.of(tmp_path / "lungs" / "1").fingerprint
    (tmp_path / "lungs" / "2" / "operating_point.json").write_text("{}")
    assert latest.fingerprint != model_identity.of(tmp_path / "lungs").fingerprint


@pytest.mark.parametrize(
    ("where", "name", "version"),
    [
        ("http://localhost:8501", "tfptx", "served"),
        ("grpc://localhost:8500/lungs/4", "lungs", "4"),
        ("https://host/v1/models/lungs/versions/4", "lungs", "4"),
    ],
)
def test_a_server_is_told_by_its_address(where, name, version):
    identity = model_identity.of(where)
    assert (identity.name, identity.version) == (name, version)


@pytest.mark.parametrize("where", ["missing", "ftp://host/x"])
def test_what_is_no_model_is_refused(tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"no export at|no address of a model"):
        model_identity.of(where)


def test_a_name_fits_a_dicom_attribute(tmp_path):
    (tmp_path / ("\\" * 100) / "1").mkdir(parents=True)
    (tmp_path / ("\\" * 100) / "1" / layout.SAVED_MODEL).touch()
    name = model_identity.of(tmp_path / ("\\" * 100)).name
    assert len(name) <= 64
    assert "\\" not in name
