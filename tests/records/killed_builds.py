"""Kills builds and runs them again, each in a fork of this process, which has imported TensorFlow.

    python -m tests.records.killed_builds FOLDER IMAGES ANNOTATIONS [--kills 30] [--every N]

Builds are killed at times drawn at random, up to five times in a row; or with --every just before
every N-th change of a file. Each must end with the bytes of a build that was not killed, and the
very files of the shards that were done before. Printed is how many builds were killed, and how many
such shards they had left.
"""

import argparse
import importlib
import itertools
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from tfptx.records import parallel, spool

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}
NUM_KILLS_IN_A_ROW = 5


def kill_at_change(number):
    """Have this process kill itself just before a change of a file."""
    counter, lock = itertools.count(1), threading.Lock()

    def count(event, details):
        if event in CHANGES or (event == "open" and details[1] in {"w", "wb"}):
            with lock:
                if next(counter) == number:
                    os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def start(given, out, change=None):
    """Start a build and give its process id."""
    process_id = os.fork()
    if process_id:
        return process_id
    if change:
        kill_at_change(change)
    # Worker processes import this module too, and are to begin as fast as the command's do.
    from tfptx.records import build  # noqa: PLC0415

    options = build.Options(num_folds=3, workers=given.workers)
    try:
        build.build(given.images, given.annotations, None, out, options, lambda share: None)
    except BaseException as error:
        sys.stderr.write(f"{error!r}\n")
        os._exit(1)
    os._exit(0)


def was_killed(process_id):
    """Wait for a build; it was killed or ended well."""
    _, status = os.waitpid(process_id, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def identities(folder, names):
    """What tells a file from one that was written again."""
    stats = {name: (folder / name).stat() for name in names}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def finish(given, out, expected):
    """Run a build that was killed to its end; give the number of shards that it found done."""
    partial = out.with_name(f"{out.name}.partial")
    noted = {}
    if not out.exists():
        names = [path.stem for path in (partial / "notes").glob("fold*.json")]
        noted = identities(partial / "records", names)
        assert not was_killed(start(given, out))
    assert contents(out) == expected
    assert identities(out, noted) == noted, "a shard was done again"
    shutil.rmtree(out)
    shutil.rmtree(partial, ignore_errors=True)
    return len(noted)


def at_every_change(given, out, expected):
    """Kill one build after the other, each at a later change, until there are no more of these."""
    num_killed, num_kept = 0, 0
    while was_killed(start(given, out, 1 + num_killed * given.every)):
        num_killed += 1
        num_kept += finish(given, out, expected)
    return num_killed, num_kept


def at_random(given, out, expected, seconds):
    draw = random.Random(0)
    num_killed, num_kept = 0, 0
    while num_killed < given.kills:
        for _ in range(draw.randint(1, NUM_KILLS_IN_A_ROW)):
            process_id = start(given, out)
            time.sleep(draw.uniform(0, seconds))
            os.kill(process_id, signal.SIGKILL)
            num_killed += was_killed(process_id)
            if out.exists():
                break
        num_kept += finish(given, out, expected)
    return num_killed, num_kept


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("annotations", type=Path)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--every", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scans-per-part", type=int, default=spool.SCANS_PER_PART)
    parser.add_argument("--processes", action="store_true", help="for so few scans too")
    given = parser.parse_args()
    spool.SCANS_PER_PART = given.scans_per_part
    if given.processes:
        parallel.TASKS_PER_PROCESS = 1
    importlib.import_module("tfptx.records.build")  # once, for all forks
    began = time.monotonic()
    assert not was_killed(start(given, given.folder / "whole"))
    seconds = time.monotonic() - began
    expected, out = contents(given.folder / "whole"), given.folder / "killed"
    if given.every:
        num_killed, num_kept = at_every_change(given, out, expected)
    else:
        num_killed, num_kept = at_random(given, out, expected, seconds)
    sys.stdout.write(json.dumps({"killed": num_killed, "shards_kept": num_kept}) + "\n")


if __name__ == "__main__":
    main()
