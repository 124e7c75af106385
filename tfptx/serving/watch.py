"""This holds the watch over a triage folder: files as they arrive, until it is stopped."""

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tfptx import files
from tfptx.serving import claimed, predictor
from tfptx.serving.claimed import Claim, ImmovableError
from tfptx.serving.inbox import Inbox
from tfptx.serving.predictor import Options
from tfptx.serving.triage import Triage
from tfptx.serving.waiting import LONGEST_WAIT_SECONDS, Waiting

CLAIMED = "claimed"
Each = TypeVar("Each")


@dataclass(frozen=True)
class Pace:
    """When a file has arrived, how often to look, how many to predict at once.

    `once` ends the watch when no file is left but those that may not be moved, instead of waiting
    for more.
    """

    settle_seconds: float = 10.0
    poll_seconds: float = 1.0
    batch_size: int = 4
    once: bool = False


def watch(
    model: str | Path,
    folder: Path,
    out: Path,
    announce: Callable[[str], None],
    options: Options,
    pace: Pace,
) -> None:
    """Predict files as they arrive in a folder, each once, into OUT/outbox and OUT/quarantine.

    A file is moved to OUT/claimed, worked on, and moved on; where the process ends meanwhile the
    next one goes on there. A model or disk that fails later is waited for, unless it is to be
    `once`. A file that may not be moved is left where it is and tried again later.
    Raises ValueError where there is no such folder, no model that answers at first, another process
    has OUT, or another model answers than at first; with `once` also where the model fails, and
    OSError, which names no file, where the storage does.
    """
    if not folder.is_dir():
        raise ValueError(f"no folder at {folder}; make it, or name the one that files arrive in")
    for one, other in ((out, folder), (folder, out)):
        if one.resolve().is_relative_to(other.resolve()):
            raise ValueError(f"{one} lies in {other}; choose another --out")
    opened = predictor.identify(model, options)
    refusal = f"another process works in {out}; wait until it has ended, or choose another --out"
    with files.alone(out / CLAIMED, refusal):
        waiting = Waiting(announce, pace.once)
        waiting.until_done(functools.partial(files.remove_begun, out))
        triage = Triage(
            out,
            opened.model,
            opened.identity,
            announce,
            options.take,
            options.segmentations,
            options.generate_uids,
        )
        left = waiting.until_done(functools.partial(claimed.left, out / CLAIMED))
        _go_on(triage, left, pace, waiting)
        arrivals = Inbox(folder, pace.settle_seconds)
        while True:
            paths = waiting.until_done(arrivals.arrived)
            for batch in _batches(paths, pace):
                taken = _take(batch, arrivals, folder, out / CLAIMED, waiting)
                waiting.until_done(functools.partial(triage.handle, taken))
            if pace.once and arrivals.is_empty():
                return
            if not paths:
                time.sleep(min(pace.poll_seconds, pace.settle_seconds) or pace.poll_seconds)


def _go_on(triage: Triage, claims: Sequence[Claim], pace: Pace, waiting: Waiting) -> None:
    """Handle what a process left when it ended, those that may be why one by one."""
    prepared = [[claim] for claim in claims if claim.is_prepared]
    others = [claim for claim in claims if not claim.is_prepared]
    suspect = [[claim] for claim in others if claim.attempts]
    begun_well = _batches([claim for claim in others if not claim.attempts], pace)
    # What was prepared is known before a copy of it is looked at.
    for batch in (*prepared, *suspect, *begun_well):
        waiting.until_done(functools.partial(triage.handle, batch))


def _take(
    paths: Sequence[Path], arrivals: Inbox, folder: Path, claims: Path, waiting: Waiting
) -> list[Claim]:
    """Claim files that are still as they were when they were found to have arrived."""
    taken = []
    refused: dict[str, int] = {}
    for path in paths:
        if not arrivals.is_as_seen(path):
            continue
        try:
            claim = waiting.until_done(functools.partial(claimed.claim, path, folder, claims))
        except ImmovableError as error:
            arrivals.put_off(path, LONGEST_WAIT_SECONDS)
            refused[str(error)] = refused.get(str(error), 0) + 1
            continue
        if claim is not None:
            taken.append(claim)
    for reason, count in refused.items():
        waiting.announce(
            f"left in the inbox: {count} file{'' if count == 1 else 's'}, {reason}; "
            f"tried again in {LONGEST_WAIT_SECONDS:g} s"
        )
    return taken


def _batches(all_of: Sequence[Each], pace: Pace) -> Iterator[Sequence[Each]]:
    for begin in range(0, len(all_of), pace.batch_size):
        yield all_of[begin : begin + pace.batch_size]
