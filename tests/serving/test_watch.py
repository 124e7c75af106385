import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY
from tests.scans import make_dicom
from tests.serving import threshold_model
from tfptx import provenance
from tfptx.serving import inbox, models, watch
from tfptx.serving.predictor import Options

ONCE = watch.Pace(settle_seconds=0, poll_seconds=0.01, batch_size=3, once=True)
# A warning of the parser is no error outside of tests.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


class Place:
    """A triage folder, its model, and what is told of it."""

    def __init__(self, folder):
        self.folder, self.out, self.told = folder / "in", folder / "out", []
        self.export = threshold_model.write(folder / "export")
        self.folder.mkdir()

    def watch(self, options=None, pace=ONCE):
        told, options = self.told.append, options or Options()
        watch.watch(self.export, self.folder, self.out, told, options, pace)

    def results(self):
        paths = sorted((self.out / "outbox").glob("*/result.json"))
        return {path.parent.name: json.loads(path.read_text()) for path in paths}

    def reasons(self):
        paths = sorted((self.out / "quarantine").glob("*/reason.json"))
        return {json.loads(path.read_text())["name"]: path.parent for path in paths}

    def reason(self, name):
        return json.loads((self.reasons()[name] / "reason.json").read_text())["reason"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "open_model", lambda where: threshold_model.answer)
    return Place(tmp_path)


def test_results_go_to_the_outbox_and_the_others_to_quarantine(place):
    for at in range(5):
        make_dicom.write(place.folder / f"s{at}" / "IM1", SOPInstanceUID=f"1.2.{at}")
    make_dicom.write(place.folder / "lateral.dcm", ViewPosition="LL")
    (place.folder / "notes.txt").write_text("no scan")
    cut = make_dicom.write(place.folder / "cut.dcm")
    cut.write_bytes(cut.read_bytes()[:-40])
    place.watch()
    results = place.results()
    assert sorted(results) == [f"1.2.{at}" for at in range(5)]
    one = results["1.2.3"]
    assert (one["decision"], one["mask_px"], one["path"]) == (True, 900, "s3/IM1")
    assert one["area_mm2"] == pytest.approx(900 * 0.15**2)
    assert sorted(path.name for path in (place.out / "outbox" / "1.2.3").iterdir()) == [
        *("overlay.png", "result.json", "source.dcm")
    ]
    assert place.reason("lateral.dcm") == "view LL, not PA or AP"
    assert set(place.reasons()) == {"lateral.dcm", "notes.txt", "cut.dcm"}
    assert (place.reasons()["notes.txt"] / "source.dcm").read_text() == "no scan"
    assert not [path for path in place.folder.rglob("*") if path.is_file()]


def test_segmentations_refer_to_what_has_valid_uids(place):
    pytest.importorskip("highdicom")
    make_dicom.write(place.folder / "good.dcm", SOPInstanceUID="1.2.3")
    make_dicom.write(place.folder / "bad.dcm", StudyInstanceUID="")
    make_dicom.write(place.folder / "worse.dcm", SOPInstanceUID="../../../up", level=230)
    place.watch(Options(segmentations=True))
    told = {result["path"]: result["segmentation"] for result in place.results().values()}
    assert told == {
        "good.dcm": "segmentation.dcm",
        "bad.dcm": "none: its StudyInstanceUID is empty",
        "worse.dcm": "none: its SOPInstanceUID is no valid UID",
    }
    assert (place.out / "outbox" / "1.2.3" / "segmentation.dcm").is_file()
    for path in place.out.parent.rglob("*"):
        assert ".." not in path.name


def test_nothing_is_done_twice_and_nothing_of_other_bytes_lost(place):
    made = make_dicom.write(place.folder / "one.dcm", SOPInstanceUID="1.2.3")
    content = made.read_bytes()
    (place.folder / "at the same time.dcm").write_bytes(content)
    make_dicom.write(place.folder / "other pixels.dcm", SOPInstanceUID="1.2.3", level=200)
    place.watch()
    (first,) = place.results().values()
    assert sum(" done: " in line for line in place.told) == 1
    kept = (place.out / "outbox" / "1.2.3" / "source.dcm").read_bytes()
    # Which of the two came first is of no account: the other one is in quarantine.
    (other,) = [path / "source.dcm" for path in place.reasons().values()]
    assert {kept, other.read_bytes()} >= {content}
    assert kept != other.read_bytes()
    # Taken out of the outbox, it stays known.
    shutil.rmtree(place.out / "outbox" / "1.2.3")
    (place.folder / "again.dcm").write_bytes(kept)
    make_dicom.write(place.folder / "mended.dcm", SOPInstanceUID="1.2.3", PatientID="mended")
    place.watch()
    assert place.results() == {}
    assert "known: it was predicted before" in place.told[-2] + place.told[-1]
    assert "predicted under its SOP Instance UID before" in place.reason("mended.dcm")
    assert first["sha256"]


def test_no_patient_file_or_uid_is_told(place, capfd):
    pytest.importorskip("highdicom")
    names = {"PatientName": "Secret^Person", "PatientID": "MRN-4711", "SOPInstanceUID": "1.2.77"}
    make_dicom.write(place.folder / "Secret_Person.dcm", **names)
    make_dicom.write(place.folder / "Secret_Person2.dcm", **names | {"BodyPartExamined": "SECRET"})
    cut = make_dicom.write(place.folder / "Secret_Person3.dcm", **names)
    cut.write_bytes(cut.read_bytes()[:-40])
    make_dicom.write(place.folder / "Secret_Person4.dcm", **names, level=90)
    place.watch(Options(segmentations=True))
    assert len(place.told) == 4
    said = "\n".join([*place.told, *capfd.readouterr()]).lower()
    for secret in ("secret", "person", "4711", "1.2.77", str(place.folder)):
        assert secret not in said


def test_a_model_that_is_away_is_waited_for(place, monkeypatch):
    make_dicom.write(place.folder / "one.dcm")
    waits, answers = [], [ValueError("no answer from http://host:1"), OSError(28, "no space left")]

    def model(images):
        if answers:
            raise answers.pop(0)
        return threshold_model.answer(images)

    monkeypatch.setattr(models, "open_model", lambda where: model)
    with pytest.raises(ValueError, match="no answer from"):
        place.watch()
    assert len(list((place.out / "claimed").iterdir())) == 1

    def sleep(seconds):
        waits.append(seconds)
        if not answers and place.results():
            raise KeyboardInterrupt

    answers.insert(0, ValueError("no answer from http://host:1"))
    monkeypatch.setattr(watch.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        place.watch(pace=watch.Pace(settle_seconds=0, poll_seconds=7))
    assert waits == [1.0, 2.0, 7]
    assert len(place.results()) == 1
    assert place.reasons() == {}


def test_one_image_at_which_the_model_fails_does_not_fail_the_others(place, monkeypatch):
    for at in range(3):
        make_dicom.write(place.folder / f"{at}.dcm", spot=(slice(5, 10 + at), slice(5, 10)))

    def model(images):
        answers = threshold_model.answer(images)
        if any(answer.pixel_count == 30 for answer in answers):
            raise RuntimeError("a node of the graph")
        return answers

    monkeypatch.setattr(models, "open_model", lambda where: model)
    place.watch()
    assert len(place.results()) == 2
    assert place.reason("1.dcm") == "the model fails: RuntimeError"


def test_a_file_at_which_the_process_ends_is_quarantined_in_the_end(place):
    for name in ("good.dcm", "fatal.dcm"):
        path = make_dicom.write(place.folder / name)
        taken = inbox.claim(path, place.folder, place.out / "claimed")
        taken.note_attempts(3 if name == "fatal.dcm" else 1)
    place.watch()
    assert "the process ended 3 times" in place.reason("fatal.dcm")
    assert [result["path"] for result in place.results().values()] == ["good.dcm"]


def test_a_file_that_may_not_be_read_is_quarantined(place, monkeypatch):
    make_dicom.write(place.folder / "one.dcm")

    read = provenance.sha256_of_file

    def refuse(path):
        if path.name == "source":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(provenance, "sha256_of_file", refuse)
    place.watch()
    assert place.reason("one.dcm") == "permission denied"


def test_watches_killed_at_changes_of_files_lose_and_repeat_nothing(tmp_path):
    arguments = [sys.executable, "-m", "tests.serving.killed_watches", tmp_path, "6"]
    done = subprocess.run(arguments, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


@pytest.mark.parametrize(("folder", "out"), [("in", "in/out"), ("in", "."), ("none", "out")])
def test_folders_within_each_other_or_missing_are_refused(place, folder, out):
    base = place.folder.parent
    with pytest.raises(ValueError, match=r"lies in|no folder at"):
        watch.watch(place.export, base / folder, base / out, print, Options(), ONCE)


def test_one_process_at_a_time_works_in_a_folder(place):
    (place.out / "claimed").mkdir(parents=True)
    handle = os.open(place.out / "claimed", os.O_RDONLY)
    try:
        watch.files._lock(handle)
        with pytest.raises(ValueError, match="another process works in"):
            place.watch()
    finally:
        os.close(handle)
