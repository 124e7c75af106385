"""Kills watches just before each change of a file, and lets another one go on.

    python -m tests.serving.killed_watches FOLDER [EVERY]

With EVERY only before each such change. There are four files: two radiographs, one of them twice,
and a lateral view. However the first watch was killed, the second one must leave every file where
it belongs, and none twice. Printed is how many watches were killed.
"""

import itertools
import os
import shutil
import signal
import sys
from pathlib import Path

import pydicom

from tests.scans import make_dicom
from tests.serving import threshold_model
from tfptx.serving import models, watch
from tfptx.serving.predictor import Options

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}
PACE = watch.Pace(settle_seconds=0, poll_seconds=0.01, batch_size=2, once=True)


def kill_at_change(number):
    counter = itertools.count(1)

    def count(event, details):
        is_change = event in CHANGES or (event == "open" and details[1] in {"w", "wb"})
        if is_change and next(counter) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def run(folder, change=None):
    """Watch in a fork of this process; tell whether it was killed."""
    process_id = os.fork()
    if process_id:
        _, status = os.waitpid(process_id, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)

    def announce(event):
        with (folder / "log").open("a") as log:
            log.write(f"{event}\n")

    models.open_model = lambda where: threshold_model.answer
    try:
        if change:
            kill_at_change(change)
        watch.watch(
            folder / "export", folder / "in", folder / "out", announce, Options("frontal"), PACE
        )
    except BaseException as error:
        sys.stderr.write(f"{error!r}\n")
        os._exit(1)
    os._exit(0)


def check(folder, originals):
    found = {
        path.read_bytes(): path.parent
        for path in (folder / "out").rglob("source*")
        if path.is_file()
    }
    assert set(found) == set(originals.values())
    for name in ("a", "b"):
        result = found[originals[name]]
        assert result.parent.name == "outbox"
        assert result.name == str(pydicom.dcmread(result / "source.dcm").SOPInstanceUID)
        assert {path.name for path in result.iterdir()} == {
            *("overlay.png", "result.json", "source.dcm")
        }
    assert found[originals["lateral"]].parent.name == "quarantine"
    assert len(list((folder / "out" / "outbox").iterdir())) == 2
    assert not list((folder / "in").iterdir())
    assert not list((folder / "out" / "claimed").iterdir())
    done = [line for line in (folder / "log").read_text().splitlines() if " done: " in line]
    assert len(done) == len({line.split()[0] for line in done}) <= 2


def main():
    base, every = Path(sys.argv[1]), int([*sys.argv, 1][2])
    made = base / "made"
    make_dicom.write(made / "a")
    make_dicom.write(made / "b", level=60)
    make_dicom.write(made / "lateral", ViewPosition="LL")
    originals = {path.name: path.read_bytes() for path in made.iterdir()}
    shutil.copy(made / "a", made / "again")
    for num_killed in itertools.count():
        folder = base / "work"
        threshold_model.write(folder / "export")
        shutil.copytree(made, folder / "in")
        was_killed = run(folder, 1 + num_killed * every)
        if was_killed:
            assert not run(folder)
        check(folder, originals)
        shutil.rmtree(folder)
        if not was_killed:
            sys.stdout.write(f"{num_killed}\n")
            return


if __name__ == "__main__":
    main()
