"""This holds the outbox of a triage folder: results that appear as a whole, each once.

A result is prepared beside its claim, the radiograph last. From then on it is only noted as done
and moved, so that whoever takes it has all of it, and no radiograph is predicted again.
"""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfptx import files, provenance
from tfptx.scans import intake, rle
from tfptx.scans.scan import Scan, pixels
from tfptx.serving import claimed
from tfptx.serving.claimed import Claim
from tfptx.serving.findings import Finding
from tfptx.serving.model_identity import ModelIdentity

SCHEMA = 1
OUTBOX, DONE = "outbox", "done"
RESULT = "result.json"


@dataclass(frozen=True)
class Outbox:
    """Where results appear, and what was done though somebody has taken it."""

    out: Path

    def known(self, key: str) -> dict[str, Any] | None:
        """The checksums `sha256` and `pixels` of what was predicted under a key, None of nothing.

        Raises ValueError where what was noted of it is damaged.
        """
        for path in (self._done(key), self.out / OUTBOX / key / RESULT):
            if path.is_file():
                found = files.read_json(path, SCHEMA)
                return {name: found[name] for name in ("sha256", "pixels")}
        return None

    def note_of(self, key: str) -> str:
        """The path below the folder of what is noted of a key."""
        return str(self._done(key).relative_to(self.out))

    def publish(self, claim: Claim) -> dict[str, Any]:
        """Move a prepared result to where it appears, and give what it says.

        Raises ValueError where it is damaged, OSError where it can't be moved or noted.
        """
        result = files.read_json(claim.prepared / RESULT, SCHEMA)
        key = result["image_id"]
        checksums = {name: result[name] for name in ("sha256", "pixels")}
        files.write_json(self._done(key), {"schema": SCHEMA, **checksums})
        (self.out / OUTBOX).mkdir(exist_ok=True)
        files.put_folder(claim.prepared, self.out / OUTBOX / key)
        claim.end()
        return result

    def _done(self, key: str) -> Path:
        return self.out / DONE / provenance.fingerprint([key])[:2] / f"{key}.json"


def write_result(
    folder: Path,
    finding: Finding,
    mask: NDArray[np.bool_],
    checksums: dict[str, str],
    model: ModelIdentity,
) -> None:
    """Write what a finding and its mask, rows x columns, say. Raises OSError where it can't be."""
    result = {
        "schema": SCHEMA,
        **asdict(finding),
        "run_lengths": rle.encode(mask),
        "rows": mask.shape[0],
        "columns": mask.shape[1],
        **checksums,
        "model": asdict(model),
    }
    files.write_json(folder / RESULT, result)


def add_source(claim: Claim) -> None:
    """Move the radiograph to its result, which is prepared then. Raises OSError."""
    claimed.move(claim.source, claim.prepared / intake.source_name(claim.source))


def take_back_source(claim: Claim) -> None:
    """Move the radiograph back from a damaged result, which is made again. Raises OSError."""
    for path in claim.prepared.glob(f"{claimed.SOURCE}*"):
        claimed.move(path, claim.source)


def fingerprint(scan: Scan) -> str:
    """What two files of one picture share, however they are coded."""
    image = pixels(scan)
    return hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest()
