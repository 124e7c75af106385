"""This holds the entry: all that becomes of one scan and its annotation before it has a fold."""

import dataclasses
import errno
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx.records.manifest import Summary
from tfptx.scans import image_ids, rle, sources
from tfptx.scans.annotations import Annotations
from tfptx.scans.mask_files import MaskFiles
from tfptx.scans.scan import Scan

OTHER_SIZE_HINT = (
    "; where masks are drawn at another size than the images, name it with --mask-size"
)


class FaultyMaskError(ValueError):
    """A mask has a fault, or something odd, where none was to be let pass."""


@dataclass(frozen=True)
class MaskRuns:
    """A mask of `rows` x `columns` as absolute column-major runs, int64.

    `soft` are its probabilities as an 8-bit grey PNG, None where they are 0 and 1 alone.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    rows: int
    columns: int
    soft: bytes | None = None

    @property
    def num_pixels(self) -> int:
        """The number of pixels inside the mask."""
        return int(self.lengths.sum())


@dataclass(frozen=True)
class Entry:
    """A readable scan, and its mask where it has an annotation; `note` tells what is odd there."""

    path: Path
    scan: Scan
    mask: MaskRuns | None
    note: str = ""

    @property
    def summary(self) -> Summary:
        """What folds and tables need of it."""
        scan, mask = self.scan, self.mask
        return Summary(
            image_id=scan.image_id,
            patient_id=scan.patient_id,
            rows=scan.rows,
            columns=scan.columns,
            mask_px=None if mask is None else mask.num_pixels,
            view=scan.view,
            sex=scan.sex,
            age=scan.age,
            spacing_mm=scan.spacing_mm,
            mask_rows=mask.rows if mask else scan.rows,
            mask_columns=mask.columns if mask else scan.columns,
            pixel_aspect=scan.pixel_aspect,
            sample=scan.sample,
            annotation_note=self.note,
        )


def examine(
    path: Path,
    annotated: Annotations | MaskFiles | None,
    groups: dict[str, str] | None,
    mask_size_px: int | None,
    is_strict: bool = False,
) -> Entry | str:
    """An entry, or the reason why there is none.

    Raises FaultyMaskError where a mask is faulty, or odd, and `is_strict`; and OSError where the
    file can't be reached: it was there when the build began, so leaving it out would lose it.
    """
    if not path.name.isprintable():
        return "its name has characters that no table can hold; rename it"
    if annotated is not None and image_ids.of_file(path) not in annotated.ids:
        return "no annotation"
    if groups is not None and image_ids.of_file(path) not in groups:
        return "no row in the csv of groups"
    try:
        scan = sources.read(path)
    except (ValueError, OSError) as error:
        _raise_if_storage_fails(path, error)
        return str(error)
    patient_id = (groups or {}).get(scan.image_id) or scan.patient_id or scan.image_id
    scan = dataclasses.replace(scan, patient_id=patient_id)
    if annotated is None:
        return Entry(path, scan, None)
    rows, columns = (mask_size_px or scan.rows), (mask_size_px or scan.columns)
    try:
        parts, soft = annotated.drawn(scan.image_id, rows, columns)
    except (ValueError, OSError) as error:
        hint = OTHER_SIZE_HINT if isinstance(error, rle.OtherSizeError) else ""
        reason = f"{annotated.name}: {error}{hint}"
        if is_strict:
            raise FaultyMaskError(_faulty(scan.image_id, reason)) from error
        return reason
    mask = MaskRuns(*rle.union(parts), rows, columns, soft)
    parts_px = sum(int(lengths.sum()) for _, lengths in parts)
    note = annotated.oddity(scan.image_id, parts_px, mask.num_pixels)
    if note and is_strict:
        raise FaultyMaskError(_faulty(scan.image_id, f"{annotated.name}: {note}"))
    return Entry(path, scan, mask, note)


def _faulty(image_id: str, reason: str) -> str:
    return f"the mask of {image_id}: {reason}; mend it, or leave --strict out"


def _raise_if_storage_fails(path: Path, error: Exception) -> None:
    """Raise OSError unless the content of a file, or a permission, is what is wrong."""
    cause = error.__cause__ or error
    if not isinstance(cause, OSError) or cause.errno in {None, errno.EACCES, errno.EPERM}:
        return
    reason = (cause.strerror or str(cause)).lower()
    raise OSError(
        f"{path} was there when the build began and can't be reached now ({reason}); when it is "
        "back run the same command again, which goes on from here"
    ) from error
