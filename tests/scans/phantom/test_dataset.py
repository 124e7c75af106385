import hashlib

import cv2
import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.encaps import generate_frames

from tfptx.scans import annotations, sources
from tfptx.scans.phantom import case, dataset
from tfptx.scans.scan import pixels

SIZE_PX = 64
OPTIONS = dataset.Options(count=32, size_px=SIZE_PX, prevalence=0.5, seed=2, workers=1)


def write(out, **changes):
    options = dataset.Options(**{**vars(OPTIONS), **changes})
    shares = []
    dataset.write(out, options, shares.append)
    assert sum(shares) == pytest.approx(1)
    return out


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    return write(tmp_path_factory.mktemp("phantoms") / "set")


@pytest.fixture(scope="module")
def table(phantoms):
    return pd.read_csv(phantoms / dataset.PATIENTS).set_index("image_id")


def test_a_seed_gives_the_same_bytes_for_any_workers(tmp_path):
    one = digests(write(tmp_path / "one", count=6))
    assert digests(write(tmp_path / "three", count=6, workers=3)) == one
    assert len(one) == 6 + 2
    other = digests(write(tmp_path / "other", count=6, seed=6))
    assert not set(one.values()) & set(other.values())


@pytest.mark.parametrize(
    ("count", "prevalence", "positives"), [(40, 0.22, 9), (7, 0, 0), (7, 1, 7), (1000, 0.123, 123)]
)
def test_the_share_of_positives_is_exact(count, prevalence, positives):
    plan = dataset.plan(dataset.Options(count=count, prevalence=prevalence))
    assert len(plan) == count
    assert sum(entry.positive for entry in plan) == positives


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prevalence": 1.1}, "share from 0 to 1, got 1.1"),
        ({"prevalence": float("nan")}, "share from 0 to 1, got nan"),
        ({"count": 0}, "0 images of 64 pixels"),
    ],
)
def test_what_can_not_be_drawn_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataset.plan(dataset.Options(**{**vars(OPTIONS), **changes}))


def test_a_patient_has_one_to_four_images_of_one_anatomy():
    plan = dataset.plan(dataset.Options(count=400))
    by_patient = {}
    for entry in plan:
        by_patient.setdefault(entry.patient_id, []).append(entry)
    assert {len(entries) for entries in by_patient.values()} == {1, 2, 3, 4}
    for entries in by_patient.values():
        assert len({(entry.anatomy, entry.side) for entry in entries}) == 1
        assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert len({entry.anatomy for entry in plan}) == len(by_patient)


def test_every_file_reads_as_the_jpeg_it_holds(phantoms, table):
    paths = sources.find(phantoms / dataset.IMAGES)
    assert {path.stem for path in paths} == set(table.index)
    for path in paths:
        scan = sources.read(path)
        assert scan.image_format == "jpeg"
        frame = next(generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1))
        decoded = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(pixels(scan), decoded)
        assert decoded.shape == (SIZE_PX, SIZE_PX)
        assert scan.patient_id == table.loc[path.stem, "patient_id"]
        assert scan.view in {"PA", "AP"}
        assert scan.sex in {"F", "M"}
        assert 0 < scan.age < 120


def test_headers_are_conformant_and_keep_the_patients_size(phantoms, monkeypatch):
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    for path in sources.find(phantoms / dataset.IMAGES):
        header = pydicom.dcmread(path)
        for element in header:
            assert element.value is not None
        folders = path.relative_to(phantoms / dataset.IMAGES).parts[:2]
        assert folders == (header.StudyInstanceUID, header.SeriesInstanceUID)
        assert path.stem == header.SOPInstanceUID == header.file_meta.MediaStorageSOPInstanceUID
        assert header.SOPInstanceUID.is_valid
        assert header.PatientAge.endswith("Y")
        assert len(header.PatientAge) == 4
        side_mm = float(header.PixelSpacing[0]) * SIZE_PX
        assert min(abs(side_mm - known) for known in (350, 430)) < 0.01


def test_masks_come_back_from_the_csv(phantoms, table):
    annotated = annotations.read(phantoms / dataset.ANNOTATIONS)
    assert set(annotated.rles) == set(table.index)
    for image_id, mask_px in table["mask_px"].items():
        assert annotated.mask(image_id, SIZE_PX, SIZE_PX).sum() == mask_px
    assert (table["mask_px"] > 0).sum() == 16
    assert (phantoms / dataset.ANNOTATIONS).read_text().startswith("ImageId,EncodedPixels\n2.25.")


def test_drains_stand_in_both_kinds_of_image(table):
    with_drain = table.groupby(table["mask_px"] > 0)["drain"].mean()
    assert 0 < with_drain[False] < with_drain[True] < 1


def test_a_set_cut_off_leaves_nothing(tmp_path, monkeypatch):
    def broken(*_):
        raise ValueError("no film")

    monkeypatch.setattr(case, "draw", broken)
    with pytest.raises(ValueError, match="no film"):
        write(tmp_path / "set")
    assert not list(tmp_path.iterdir())
