"""This holds the triage of claimed files: results to an outbox, the others to a quarantine."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tfptx import files, provenance
from tfptx.scans import dicom_reference, intake, rle
from tfptx.scans.intake import File, Left
from tfptx.scans.plain_text import plain
from tfptx.scans.radiograph import Take
from tfptx.scans.scan import Scan, pixels
from tfptx.serving.answers import Answer, Model
from tfptx.serving.asking import mask_of
from tfptx.serving.image_output import ImageOutput
from tfptx.serving.inbox import Claim
from tfptx.serving.model_identity import ModelIdentity

SCHEMA = 1
OUTBOX, QUARANTINE, DONE = "outbox", "quarantine", "done"
RESULT, REASON, SOURCE = "result.json", "reason.json", "source.dcm"
FILES = ("overlay.png", "segmentation.dcm")
MAX_ATTEMPTS = 3  # of a file at which the process ended, before it is taken to be why


class NoAnswerError(ValueError):
    """The model gives no answer at all, which is no file's fault."""


@dataclass(frozen=True)
class Read:
    """A claimed file as it was read; `checksum` is the SHA-256 of its bytes."""

    claim: Claim
    file: File
    checksum: str
    content: Scan | Left


@dataclass(frozen=True)
class Triage:
    """Where results go, the model that gives them, and who is told of each file.

    What is told names no patient, file or UID: a file is the beginning of its checksum, which its
    result or reason has whole.
    """

    out: Path
    model: Model
    identity: ModelIdentity
    announce: Callable[[str], None]
    take: Take = "frontal"
    segmentations: bool = False
    generate_uids: bool = False

    def handle(self, claims: Sequence[Claim]) -> None:
        """Bring claims to their ends, all of them with one call of the model.

        Raises NoAnswerError where the model gives no answer, OSError where a result can't be
        written; what has not ended then stays claimed.
        """
        begun = time.monotonic()
        for claim in claims:
            claim.note_attempts(claim.attempts + 1)
        try:
            read = [self._read(claim) for claim in claims]
            to_ask = [each for each in read if self._is_to_ask(each)]
            answers = self._ask([each.content.image for each in to_ask])  # type: ignore[union-attr]
            for each, answer in zip(to_ask, answers, strict=True):
                self._finish(each, answer, (time.monotonic() - begun) / len(claims))
        except (NoAnswerError, OSError, KeyboardInterrupt, SystemExit):
            # None of these is a file's fault.
            for claim in claims:
                if claim.source.is_file():
                    claim.note_attempts(0)
            raise

    def _read(self, claim: Claim) -> Read:
        try:
            checksum = provenance.sha256_of_file(claim.source)
        except PermissionError:
            name = f"unreadable-{claim.folder.name}"
            file = File(claim.source, claim.name, name)
            return Read(claim, file, name, Left("permission denied", has_failed=True))
        key = f"file-{checksum[:32]}"
        if claim.attempts > MAX_ATTEMPTS:
            reason = f"the process ended {MAX_ATTEMPTS} times while it was at work on this file"
            file = File(claim.source, claim.name, key)
            return Read(claim, file, checksum, Left(reason, has_failed=True))
        file = File(claim.source, claim.name, dicom_reference.instance_uid(claim.source) or key)
        return Read(claim, file, checksum, intake.read(file, self.take))

    def _is_to_ask(self, read: Read) -> bool:
        """Whether a file needs the model; it has ended where it does not."""
        if isinstance(read.content, Left):
            kind = "can't be read" if read.content.has_failed else "is not to be predicted"
            self._quarantine(read, read.content.reason, kind)
            return False
        known = self._known(read.file.image_id)
        if known is None:
            return True
        if known["sha256"] == read.checksum:
            self._end(read)
            self._tell(read, "known: it was predicted before")
        else:
            is_equal = known["pixels"] == _fingerprint(read.content)
            what = "its pixels were" if is_equal else "an image with other pixels was"
            reason = f"{what} predicted under its SOP Instance UID before, in a file of other bytes"
            self._quarantine(read, reason, "has a known UID but other bytes")
        return False

    def _known(self, key: str) -> dict[str, Any] | None:
        """The checksums of what was predicted under a key, in the outbox still or not."""
        for path in (self._done(key), self.out / OUTBOX / key / RESULT):
            if path.is_file():
                return files.read_json(path, SCHEMA)
        return None

    def _done(self, key: str) -> Path:
        """What stays when somebody has taken the result out of the outbox."""
        return self.out / DONE / provenance.fingerprint([key])[:2] / f"{key}.json"

    def _ask(self, images: Sequence[bytes]) -> list[Answer]:
        if not images:
            return []
        try:
            return self.model(images)
        except ValueError as error:
            raise NoAnswerError(str(error)) from error
        except OSError as error:
            raise NoAnswerError(f"the model can't be asked ({error.strerror})") from error
        except Exception as error:  # what a graph raises of one image should not end the watch
            if len(images) > 1:
                return [answer for image in images for answer in self._ask([image])]
            return [Answer(b"", 0, False, 0.0, error=f"the model fails: {type(error).__name__}")]

    def _finish(self, read: Read, answer: Answer, seconds: float) -> None:
        # Another one of these claims may have had the same UID.
        if not isinstance(read.content, Scan) or not self._is_to_ask(read):
            return
        try:
            if answer.error:
                raise ValueError(answer.error)
            mask = mask_of(answer, read.content)
        except ValueError as error:
            self._quarantine(read, str(error), "is refused by the model")
            return
        checksums = {"sha256": read.checksum, "pixels": _fingerprint(read.content)}
        with files.writing_folder(self.out / OUTBOX / read.file.image_id) as folder:
            output = ImageOutput(folder, self.identity, self.segmentations, self.generate_uids)
            finding = output.finding(read.file, read.content, answer, mask, FILES)
            result: dict[str, Any] = {
                "schema": SCHEMA,
                **asdict(finding),
                "run_lengths": rle.encode(mask),
                "rows": read.content.rows,
                "columns": read.content.columns,
                **checksums,
                "model": asdict(self.identity),
            }
            files.write_json(folder / RESULT, result)
        files.write_json(self._done(read.file.image_id), {"schema": SCHEMA, **checksums})
        self._end(read)
        decision = "mask" if answer.decision else "no mask"
        self._tell(read, f"done: {decision}, {answer.pixel_count} px, {seconds:.2f} s")

    def _end(self, read: Read) -> None:
        """Move the source to its result, where its bytes may lie already, and end the claim."""
        folder = self.out / OUTBOX / read.file.image_id
        if folder.is_dir() and not (folder / SOURCE).exists():
            read.claim.move_source(folder / SOURCE)
        read.claim.end()

    def _quarantine(self, read: Read, reason: str, kind: str) -> None:
        folder = self.out / QUARANTINE / f"file-{read.checksum[:32]}"
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "schema": SCHEMA,
            "reason": plain(reason),
            "name": read.file.name,
            "sha256": read.checksum,
        }
        files.write_json(folder / REASON, content)
        read.claim.move_source(folder / SOURCE)
        read.claim.end()
        self._tell(read, f"quarantined: {kind}")

    def _tell(self, read: Read, event: str) -> None:
        self.announce(f"{read.checksum[:12]} {event}")


def _fingerprint(scan: Scan) -> str:
    """What two files of one picture share, however they are coded."""
    image = pixels(scan)
    return hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest()
