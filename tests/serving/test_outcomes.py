import os

import pytest

from tfptx.scans.intake import File
from tfptx.serving.findings import Finding
from tfptx.serving.outcomes import Journal, Outcome


@pytest.fixture
def made(tmp_path):
    """A journal of three outcomes; the files they are of."""
    files = []
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
        files.append(File(tmp_path / name, f"x/{name}", name))
    outcomes = [
        Outcome(files[0], Finding("a", "x/a", True, 3, 0.1 + 0.2, 0.7), "1 2"),
        Outcome(files[1], left="body part HIP, not the chest"),
        Outcome(files[2], Finding("c", "x/c", error="zu \u00e4lt\nlich")),
    ]
    journal = Journal(tmp_path / "journal.jsonl", "this")
    for outcome in outcomes:
        journal.append(outcome)
    journal.close()
    return tmp_path / "journal.jsonl", files, outcomes


def test_outcomes_are_read_again_in_any_order(made):
    path, files, outcomes = made
    journal = Journal(path, "this")
    assert list(journal.outcomes(files[::-1])) == outcomes[::-1]
    assert all(map(journal.has, files))
    assert not journal.has(File(files[0].path, "x/a", "another id"))
    journal.close()


def test_after_any_cut_whole_lines_stay_and_more_can_follow(made):
    path, files, outcomes = made
    content = path.read_bytes()
    for num_bytes in range(len(content) + 1):
        path.write_bytes(content[:num_bytes])
        num_whole = max(content[:num_bytes].count(b"\n") - 1, 0)
        journal = Journal(path, "this")
        assert [journal.has(file) for file in files] == [at < num_whole for at in range(3)]
        for outcome in outcomes[num_whole:]:
            journal.append(outcome)
        journal.close()
        assert path.read_bytes() == content


def test_a_file_that_changed_is_to_be_done_again(made):
    path, files, _ = made
    os.utime(files[0].path, ns=(1, 1))
    files[1].path.write_text("longer")
    files[2].path.unlink()
    journal = Journal(path, "this")
    assert not any(map(journal.has, files))
    again = Outcome(files[0], left="another reason")
    journal.append(again)
    assert journal.has(files[0])
    assert list(journal.outcomes(files[:1])) == [again]
    journal.close()


def test_outcomes_of_another_model_are_refused(made):
    path, files, _ = made
    with pytest.raises(ValueError, match="what another model or other options predicted"):
        Journal(path, "that")
    # Where there is none yet nothing is lost.
    path.write_bytes(path.read_bytes()[: path.read_bytes().index(b"\n") + 10])
    journal = Journal(path, "that")
    assert not journal.has(files[0])
    journal.close()
