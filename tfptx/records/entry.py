"""This holds the entry: all that becomes of one scan and its annotation before it has a fold."""

import dataclasses
import errno
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx.records.manifest import Summary
from tfptx.scans import rle, sources
from tfptx.scans.annotations import Annotations
from tfptx.scans.scan import Scan


@dataclass(frozen=True)
class MaskRuns:
    """A mask of `rows` x `columns` as absolute column-major runs, int64."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    rows: int
    columns: int

    @property
    def num_pixels(self) -> int:
        """The number of pixels inside the mask."""
        return int(self.lengths.sum())


@dataclass(frozen=True)
class Entry:
    """A readable scan, and its mask where it has an annotation."""

    path: Path
    scan: Scan
    mask: MaskRuns | None

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
        )


def examine(
    path: Path,
    annotated: Annotations | None,
    groups: dict[str, str] | None,
    mask_size_px: int | None,
) -> Entry | str:
    """An entry, or the reason why there is none.

    Raises ValueError where a mask can't be read or does not fit, and OSError where the file can't
    be reached: it was there when the build began, so that leaving it out would lose it.
    """
    if annotated is not None and path.stem not in annotated.rles:
        return "no annotation"
    if groups is not None and path.stem not in groups:
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
        runs = union([rle.parse(text, rows, columns) for text in annotated.rles[scan.image_id]])
    except rle.PastImageError as error:
        raise ValueError(
            f"the mask of {scan.image_id} does not fit: {error}; "
            "where masks are drawn at another size than the images, name it with --mask-size"
        ) from error
    except ValueError as error:
        raise ValueError(
            f"the mask of {scan.image_id} can't be read: {error}; correct its row in the csv"
        ) from error
    return Entry(path, scan, MaskRuns(*runs, rows, columns))


def union(
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The runs, starts and lengths, of what is in any of some masks given so.

    They are those of the mask drawn pixel by pixel, which takes a hundred times as long.
    """
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    starts, lengths = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.argsort(starts, kind="stable")
    starts = starts[order]
    reached = np.maximum.accumulate(starts + lengths[order])  # the end of all runs so far
    gaps = np.flatnonzero(starts[1:] > reached[:-1])
    starts = starts[np.concatenate([[0], gaps + 1])[: len(starts)]]
    return starts, reached[np.append(gaps, len(reached) - 1)[: len(reached)]] - starts


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
