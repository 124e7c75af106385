"""This holds the quarantine of a triage folder: files without a result, each with the reason."""

import shutil
from pathlib import Path

from tfptx import files
from tfptx.scans import intake
from tfptx.scans.plain_text import plain
from tfptx.serving import claimed
from tfptx.serving.claimed import Claim

SCHEMA = 1
QUARANTINE = "quarantine"
REASON = "reason.json"


def put(out: Path, claim: Claim, checksum: str, reason: str) -> None:
    """Move a claimed file to its folder with the reason, and end the claim.

    Raises OSError where it can't be.
    """
    folder = _folder(out, checksum)
    folder.mkdir(parents=True, exist_ok=True)
    content = {"schema": SCHEMA, "reason": plain(reason), "name": claim.name, "sha256": checksum}
    files.write_json(folder / REASON, content)
    claimed.move(claim.source, folder / intake.source_name(claim.source))
    claim.end()


def forget(out: Path, checksum: str) -> None:
    """Remove the reason of a file that was tried again and has a result now."""
    folder = _folder(out, checksum)
    if folder.is_dir() and not any(folder.glob(f"{claimed.SOURCE}*")):
        shutil.rmtree(folder)


def _folder(out: Path, checksum: str) -> Path:
    return out / QUARANTINE / f"file-{checksum[:32]}"
