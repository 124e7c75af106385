"""This holds the triage of claimed files: results to an outbox, the others to a quarantine."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tfptx import files, provenance
from tfptx.scans import dicom_reference, intake
from tfptx.scans.intake import File, Left
from tfptx.scans.radiograph import Take
from tfptx.scans.scan import Scan
from tfptx.serving import claimed, faults, outbox, quarantine
from tfptx.serving.answers import Answer, Model
from tfptx.serving.asking import mask_of
from tfptx.serving.claimed import Claim
from tfptx.serving.faults import NoAnswerError
from tfptx.serving.image_output import ImageOutput
from tfptx.serving.model_identity import ModelIdentity
from tfptx.serving.outbox import Outbox

FILES = ("overlay.png", "segmentation.dcm")


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
        """Bring claims to their ends, those that have not ended with one call of the model.

        Raises NoAnswerError where the model gives no answer, OSError where the storage fails; what
        has not ended then stays claimed.
        """
        begun = time.monotonic()
        for claim in claims:
            if claim.is_prepared:
                self._publish_again(claim)
        claims = [claim for claim in claims if claim.source.is_file()]
        try:
            for claim in claims:
                claim.note_begun()
            read = [self._read(claim) for claim in claims]
            to_ask = [each for each in read if self._is_to_ask(each)]
            images = [each.content.image for each in to_ask]  # type: ignore[union-attr]
            answers = faults.answers(self.model, images)
            for each, answer in zip(to_ask, answers, strict=True):
                self._finish(each, answer, (time.monotonic() - begun) / len(claims))
        except (NoAnswerError, OSError, KeyboardInterrupt, SystemExit):
            # None of these is a file's fault.
            for claim in claims:
                if claim.source.is_file():
                    with suppress(OSError):  # the disk that is full tells of itself already
                        claim.note_faultless()
            raise

    def _read(self, claim: Claim) -> Read:
        try:
            checksum = provenance.sha256_of_file(claim.source)
        except PermissionError:
            name = f"unreadable-{claim.folder.name}"
            file = File(claim.source, claim.name, name)
            return Read(claim, file, name, Left("permission denied", has_failed=True))
        key = f"file-{checksum[:32]}"
        if claim.attempts >= claimed.MAX_ATTEMPTS:
            reason = f"the process ended {claim.attempts} times while it was at work on this file"
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
        place = Outbox(self.out)
        try:
            known = place.known(read.file.image_id)
        except (ValueError, KeyError):
            note = place.note_of(read.file.image_id)
            reason = f"what was noted of its SOP Instance UID is damaged; see {note}"
            self._quarantine(read, reason, "has a UID whose note is damaged")
            return False
        if known is None:
            return True
        if known["sha256"] == read.checksum:
            read.claim.end()
            self._tell(read.checksum, "known: it was predicted before")
        else:
            is_equal = known["pixels"] == outbox.fingerprint(read.content)
            what = "its pixels were" if is_equal else "an image with other pixels was"
            reason = f"{what} predicted under its SOP Instance UID before, in a file of other bytes"
            self._quarantine(read, reason, "has a known UID but other bytes")
        return False

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
        checksums = {"sha256": read.checksum, "pixels": outbox.fingerprint(read.content)}
        with files.writing_folder(read.claim.prepared) as folder:
            output = ImageOutput(folder, self.identity, self.segmentations, self.generate_uids)
            finding = output.finding(read.file, read.content, answer, mask, FILES)
            outbox.write_result(folder, finding, mask, checksums, self.identity)
        outbox.add_source(read.claim)
        self._publish(read.claim, f", {seconds:.2f} s")

    def _publish_again(self, claim: Claim) -> None:
        try:
            self._publish(claim, "")
        except (ValueError, KeyError):  # lost with the machine's power
            outbox.take_back_source(claim)

    def _publish(self, claim: Claim, took: str) -> None:
        result = Outbox(self.out).publish(claim)
        quarantine.forget(self.out, result["sha256"])
        decision = "mask" if result["decision"] else "no mask"
        self._tell(result["sha256"], f"done: {decision}, {result['mask_px']} px{took}")

    def _quarantine(self, read: Read, reason: str, kind: str) -> None:
        quarantine.put(self.out, read.claim, read.checksum, reason)
        self._tell(read.checksum, f"quarantined: {kind}")

    def _tell(self, checksum: str, event: str) -> None:
        self.announce(f"{checksum[:12]} {event}")
