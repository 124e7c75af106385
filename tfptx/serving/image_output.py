"""This holds what is written of one image: its overlay and its DICOM Segmentation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx import files
from tfptx.scans import rle
from tfptx.scans.codec import to_png
from tfptx.scans.intake import File, Left
from tfptx.scans.scan import Scan, pixels
from tfptx.serving import overlay
from tfptx.serving.answers import Answer
from tfptx.serving.asking import Answered, mask_of
from tfptx.serving.findings import Finding
from tfptx.serving.model_identity import ModelIdentity
from tfptx.serving.outcomes import Outcome

OVERLAYS = "overlays"
SEGMENTATIONS = "segmentations"
NO_SEGMENTATION = "none: "  # and the reason


@dataclass(frozen=True)
class ImageOutput:
    """Where and what of each image is written, and what its segmentations tell of the model."""

    folder: Path
    model: ModelIdentity
    segmentations: bool = False
    generate_uids: bool = False

    def write(self, answered: Answered) -> Outcome:
        """Write the files of an answered scan by its id, and tell what became of it."""
        file, content, answer = answered.file, answered.content, answered.answer
        if isinstance(content, Left) and not content.has_failed:
            return Outcome(file, left=content.reason)
        if isinstance(content, Left) or answer is None or answer.error:
            reason = content.reason if isinstance(content, Left) else answer.error if answer else ""
            return Outcome(file, Finding(file.image_id, file.name, error=reason))
        mask = mask_of(answer, content)
        names = f"{OVERLAYS}/{file.image_id}.png", f"{SEGMENTATIONS}/{file.image_id}.dcm"
        return Outcome(file, self.finding(file, content, answer, mask, names), rle.encode(mask))

    def finding(
        self,
        file: File,
        scan: Scan,
        answer: Answer,
        mask: NDArray[np.bool_],
        names: tuple[str, str],
    ) -> Finding:
        """Write the overlay of a scan, and its segmentation where there is a mask, by their names.

        A radiograph that no segmentation can refer to has none, and its finding the reason.
        """
        overlay_name, segmentation_name = names
        drawn = to_png(overlay.draw(pixels(scan), mask))
        with files.writing(self.folder / overlay_name) as temporary:
            temporary.write_bytes(drawn)
        return Finding(
            image_id=file.image_id,
            path=file.name,
            decision=answer.decision,
            mask_px=answer.pixel_count,
            area_mm2=None if scan.pixel_mm2 is None else answer.pixel_count * scan.pixel_mm2,
            largest_probability=answer.image_score,
            presence=answer.presence,
            segmentation=self._segmentation(file, mask, segmentation_name),
        )

    def _segmentation(self, file: File, mask: NDArray[np.bool_], name: str) -> str:
        if not self.segmentations:
            return ""
        if not mask.any():
            return f"{NO_SEGMENTATION}the mask is empty"
        from tfptx.serving import dicom_seg  # noqa: PLC0415 - highdicom is not always installed

        try:
            dicom_seg.write(self.folder / name, file, mask, self.model, self.generate_uids)
        except ValueError as error:
            return f"{NO_SEGMENTATION}{error}"
        return name
