import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import REPOSITORY
from tests.scans import make_dicom
from tests.serving import threshold_model
from tfptx import files, provenance
from tfptx.scans.codec import to_png
from tfptx.serving import claimed, models, waiting, watch
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
    monkeypatch.setattr(
        models, "identify", lambda where: threshold_model.identified(where, threshold_model.answer)
    )
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
    assert (place.reasons()["notes.txt"] / "source").read_text() == "no scan"
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
    # Each time it is asked for the image and for a generated one.
    waits, answers = [], [ValueError("no answer from http://host:1")] * 2

    def model(images):
        if answers:
            raise answers.pop(0)
        return threshold_model.answer(images)

    monkeypatch.setattr(models, "identify", lambda where: threshold_model.identified(where, model))
    with pytest.raises(ValueError, match="no answer from"):
        place.watch()
    assert len(list((place.out / "claimed").iterdir())) == 1

    def sleep(seconds):
        waits.append(seconds)
        if not answers and place.results():
            raise KeyboardInterrupt

    answers.extend([OSError(28, "no space left")] * 4)
    monkeypatch.setattr(watch.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        place.watch(pace=watch.Pace(settle_seconds=0, poll_seconds=7))
    assert waits == [1.0, 2.0, 7]
    assert len(place.results()) == 1
    assert place.reasons() == {}


def test_a_model_that_is_away_at_the_start_ends_the_watch_with_nothing_taken(place, monkeypatch):
    make_dicom.write(place.folder / "one.dcm")

    def gone(images):
        raise RuntimeError("the device is lost")

    monkeypatch.undo()
    monkeypatch.setattr(models, "open_model", lambda where: gone)
    with pytest.raises(waiting.NoAnswerError, match="the model fails: RuntimeError"):
        place.watch(pace=watch.Pace(settle_seconds=0, poll_seconds=7))
    assert (place.folder / "one.dcm").is_file()
    assert not place.out.exists()


def test_one_image_at_which_the_model_fails_does_not_fail_the_others(place, monkeypatch):
    for at in range(3):
        make_dicom.write(place.folder / f"{at}.dcm", spot=(slice(5, 10 + at), slice(5, 10)))

    def model(images):
        answers = threshold_model.answer(images)
        if any(answer.pixel_count == 30 for answer in answers):
            raise RuntimeError("a node of the graph")
        return answers

    monkeypatch.setattr(models, "identify", lambda where: threshold_model.identified(where, model))
    place.watch()
    assert len(place.results()) == 2
    assert place.reason("1.dcm") == "the model fails: RuntimeError"


def test_a_file_at_which_the_process_ends_is_quarantined_in_the_end(place):
    for name in ("good.dcm", "fatal.dcm"):
        path = make_dicom.write(place.folder / name)
        taken = claimed.claim(path, place.folder, place.out / "claimed")
        (taken.folder / "attempts").write_text("3" if name == "fatal.dcm" else "1")
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


def test_a_model_that_fails_for_every_image_quarantines_none(place, monkeypatch):
    for at in range(3):
        make_dicom.write(place.folder / f"{at}.dcm")

    def gone(images):
        raise RuntimeError("the device is lost")

    monkeypatch.setattr(models, "identify", lambda where: threshold_model.identified(where, gone))
    with pytest.raises(waiting.NoAnswerError, match="the model fails: RuntimeError"):
        place.watch()
    assert len(list((place.out / "claimed").iterdir())) == 3
    assert place.reasons() == {}


def test_a_result_is_whole_when_it_appears_and_known_when_it_is_taken(place, monkeypatch):
    made = make_dicom.write(place.folder / "one.dcm", SOPInstanceUID="1.2.3")
    content, put = made.read_bytes(), files.put_folder
    taken = place.out.parent / "taken"

    def put_and_take(folder, path):
        put(folder, path)
        if path.parent.name == "outbox":
            shutil.move(path, taken)

    monkeypatch.setattr(files, "put_folder", put_and_take)
    place.watch()
    assert (taken / "source.dcm").read_bytes() == content
    (place.folder / "again.dcm").write_bytes(content)
    place.watch()
    assert sum(" done: " in line for line in place.told) == 1
    assert "known: it was predicted before" in place.told[-1]


def test_a_result_that_was_prepared_is_only_published(place, monkeypatch):
    make_dicom.write(place.folder / "one.dcm", SOPInstanceUID="1.2.3")

    def full(folder, path):
        raise OSError(28, "No space left on device", str(path))

    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="No space") as raised:
        patch.setattr(files, "put_folder", full_outbox(full))
        place.watch()
    assert raised.value.filename is None
    assert place.results() == {}
    monkeypatch.setattr(models, "identify", lambda where: threshold_model.identified(where, None))
    place.watch()
    assert list(place.results()) == ["1.2.3"]
    assert list((place.out / "claimed").iterdir()) == []


def full_outbox(full):
    """What moves folders, but none to the outbox."""
    put = files.put_folder
    return lambda folder, path: (full if path.parent.name == "outbox" else put)(folder, path)


def test_a_prepared_result_that_is_damaged_is_made_again(place):
    make_dicom.write(place.folder / "one.dcm", SOPInstanceUID="1.2.3")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(watch.claimed, "move", interrupted_after(claimed.move))
        place.watch()
    (result,) = (place.out / "claimed").glob("*/prepared/result.json")
    result.write_text("")
    place.watch()
    assert list(place.results()) == ["1.2.3"]
    assert (place.out / "outbox" / "1.2.3" / "source.dcm").is_file()


def interrupted_after(move):
    """What moves a file and is interrupted, once it is that of a result."""

    def moved(path, target):
        move(path, target)
        if target.parent.name == "prepared":
            raise KeyboardInterrupt

    return moved


def test_a_damaged_note_of_what_was_done_quarantines_only_what_it_is_of(place):
    for at in (3, 4):
        make_dicom.write(place.folder / f"{at}.dcm", SOPInstanceUID=f"1.2.{at}")
    (place.out / "done" / provenance.fingerprint(["1.2.3"])[:2]).mkdir(parents=True)
    (place.out / "done" / provenance.fingerprint(["1.2.3"])[:2] / "1.2.3.json").touch()
    place.watch()
    assert list(place.results()) == ["1.2.4"]
    assert "what was noted of its SOP Instance UID is damaged" in place.reason("3.dcm")


def test_a_disk_that_is_full_counts_against_no_file(place, monkeypatch):
    make_dicom.write(place.folder / "Doe^Jane.dcm", SOPInstanceUID="1.2.3")
    write, failures, waits = files.write_text, ["name.json", "attempts", *["attempts"] * 8], []

    def full(path, text):
        if failures and path.name == failures[0]:
            failures.pop(0)
            raise OSError(28, "No space left on device", str(path))
        write(path, text)

    def sleep(seconds):
        waits.append(seconds)
        if place.results():
            raise KeyboardInterrupt

    monkeypatch.setattr(files, "write_text", full)
    monkeypatch.setattr(waiting.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        place.watch(pace=watch.Pace(settle_seconds=0, poll_seconds=7))
    assert not failures
    assert list(place.results()) == ["1.2.3"]
    assert "nothing can be done: No space left on device" in place.told[0]
    assert "Doe" not in " ".join(place.told)


def test_a_file_that_may_not_be_moved_holds_up_no_other(place, monkeypatch):
    for name in ("a/one.dcm", "b/two.dcm"):
        make_dicom.write(place.folder / name)
    replace = type(place.folder).replace

    def refuse(self, to):
        if self == place.folder / "a" / "one.dcm":
            raise PermissionError(13, "Permission denied", str(self))
        return replace(self, to)

    monkeypatch.setattr(type(place.folder), "replace", refuse)
    (place.out / "claimed").mkdir(parents=True)
    (place.out / "claimed" / ".DS_Store").touch()
    place.watch()
    assert [result["path"] for result in place.results().values()] == ["b/two.dcm"]
    assert place.told[0] == ("left in the inbox: 1 file, permission denied; tried again in 60 s")
    assert (place.folder / "a" / "one.dcm").is_file()


def test_a_file_that_is_tried_again_leaves_no_reason_behind(place, monkeypatch):
    make_dicom.write(place.folder / "one.dcm", SOPInstanceUID="1.2.3")

    def model(images):
        answers = threshold_model.answer(images)
        if any(answer.pixel_count == 900 for answer in answers):
            raise ValueError("no answer from http://host: 500")
        return answers

    monkeypatch.setattr(models, "identify", lambda where: threshold_model.identified(where, model))
    place.watch()
    assert place.reason("one.dcm") == "no answer from http://host: 500"
    shutil.move(place.reasons()["one.dcm"] / "source.dcm", place.folder / "one.dcm")
    monkeypatch.setattr(
        models, "identify", lambda where: threshold_model.identified(where, threshold_model.answer)
    )
    place.watch()
    assert list(place.results()) == ["1.2.3"]
    assert list((place.out / "quarantine").iterdir()) == []


def test_a_picture_keeps_the_suffix_of_what_it_is(place):
    image = to_png(np.full((4, 6), 200, np.uint8))
    (place.folder / "scan").write_bytes(image)
    place.watch()
    (folder,) = (place.out / "outbox").iterdir()
    assert (folder / "source.png").read_bytes() == image


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
