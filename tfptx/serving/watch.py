"""This holds the watch over a triage folder: files as they arrive, until it is stopped."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfptx import files
from tfptx.serving import inbox, models, predictor
from tfptx.serving.inbox import Claim, Inbox
from tfptx.serving.predictor import Options
from tfptx.serving.triage import NoAnswerError, Triage

CLAIMED = "claimed"
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0  # for a model or a disk that fails


@dataclass(frozen=True)
class Pace:
    """When a file has arrived, how often to look, how many to predict at once.

    `once` ends the watch when no file is left, instead of waiting for more.
    """

    settle_seconds: float = 2.0
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
    next one goes on there. A model or disk that fails is waited for, unless it is to be `once`.
    Raises ValueError where there is no such folder or model, or another process has OUT; with
    `once` also where the model fails, and OSError where results can't be written.
    """
    if not folder.is_dir():
        raise ValueError(f"no folder at {folder}; make it, or name the one that files arrive in")
    for one, other in ((out, folder), (folder, out)):
        if one.resolve().is_relative_to(other.resolve()):
            raise ValueError(f"{one} lies in {other}; choose another --out")
    identity = predictor.identify(model, options)
    refusal = f"another process works in {out}; wait until it has ended, or choose another --out"
    with files.alone(out / CLAIMED, refusal):
        files.remove_begun(out)
        triage = Triage(
            out,
            models.open_model(model),
            identity,
            announce,
            options.take,
            options.segmentations,
            options.generate_uids,
        )
        _go_on(triage, inbox.left_claims(out / CLAIMED), pace)
        arrivals = Inbox(folder, pace.settle_seconds)
        while True:
            claims = (
                inbox.claim(path, folder, out / CLAIMED)
                for path in arrivals.arrived()[: pace.batch_size]
            )
            taken = [claim for claim in claims if claim is not None]
            _handle(triage, taken, pace)
            if pace.once and not taken and arrivals.is_empty():
                return
            if not taken:
                time.sleep(min(pace.poll_seconds, pace.settle_seconds) or pace.poll_seconds)


def _go_on(triage: Triage, claims: Sequence[Claim], pace: Pace) -> None:
    """Handle what a process left when it ended, those that may be why one by one."""
    suspect = [claim for claim in claims if claim.attempts]
    others = (claim for claim in claims if not claim.attempts)
    for claim in suspect:
        _handle(triage, [claim], pace)
    while batch := list(itertools.islice(others, pace.batch_size)):
        _handle(triage, batch, pace)


def _handle(triage: Triage, claims: Sequence[Claim], pace: Pace) -> None:
    waits = FIRST_WAIT_SECONDS
    while claims := [claim for claim in claims if claim.source.is_file()]:
        try:
            triage.handle(claims)
        except (NoAnswerError, OSError) as error:
            if pace.once:
                raise
            reason = error if isinstance(error, NoAnswerError) else error.strerror
            triage.announce(f"nothing can be done: {reason}; tried again in {waits:g} s")
            time.sleep(waits)
            waits = min(2 * waits, LONGEST_WAIT_SECONDS)
