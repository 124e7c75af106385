"""This holds the examination of one scan: what its example will be, or why there is none."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from tfptx import provenance
from tfptx.records.manifest import Kind
from tfptx.records.schema import MaskRuns
from tfptx.scans import annotations, folds, given_folds, mask_files, rle, sources
from tfptx.scans.annotations import Annotations
from tfptx.scans.mask_files import MaskFiles
from tfptx.scans.scan import Scan


@dataclass(frozen=True)
class Entry:
    """A readable scan before it is written: where it lies, and all of it but the image's bytes."""

    path: Path
    scan: Scan
    mask: MaskRuns | None
    note: str = ""
    same_pixels_as: str = ""

    @property
    def kind(self) -> Kind:
        """Which shards the example belongs to."""
        if self.mask is None:
            return "unlabelled"
        return "positive" if self.mask.num_pixels else "negative"


@dataclass(frozen=True)
class Skipped:
    """Why a scan is left out, and whether its mask is of another size, so that others may be."""

    reason: str
    is_of_other_size: bool = False


@dataclass(frozen=True)
class Inputs:
    """What is known of the images beside their files; `folds` are those that were given."""

    annotated: Annotations | MaskFiles | None
    annotations_name: str
    groups: dict[str, str]
    folds: dict[str, int]


def read_inputs(
    annotations_path: Path | None, groups_csv: Path | None, folds_csv: Path | None
) -> Inputs:
    """Read what is known of the images. Raises ValueError as the readers do."""
    annotated: Annotations | MaskFiles | None = None
    if annotations_path is not None:
        is_folder = annotations_path.is_dir()
        annotated = (mask_files.find if is_folder else annotations.read)(annotations_path)
    return Inputs(
        annotated,
        annotations_path.name if annotations_path else "",
        folds.read_groups(groups_csv) if groups_csv else {},
        given_folds.read(folds_csv) if folds_csv else {},
    )


def examine(
    path: Path, inputs: Inputs, mask_size_px: int | None, is_strict: bool
) -> Entry | Skipped:
    """An entry, or why there is none.

    `mask_size_px` is the side of the square masks, None where they have their image's size.
    Raises ValueError for a mask with a fault, or with anything odd, if `is_strict`.
    """
    annotated = inputs.annotated
    if annotated is not None and path.stem not in annotated.ids:
        return Skipped("no annotation")
    if inputs.groups and path.stem not in inputs.groups:
        return Skipped("no row in the csv of groups")
    if inputs.folds and path.stem not in inputs.folds:
        return Skipped("no row in the csv of folds")
    try:
        scan = sources.read(path)
    except (ValueError, OSError) as error:
        return Skipped(str(error))
    patient_id = inputs.groups.get(scan.image_id) or scan.patient_id or scan.image_id
    scan = dataclasses.replace(scan, image=b"", patient_id=patient_id)
    if annotated is None:
        return Entry(path, scan, None)
    rows, columns = (mask_size_px or scan.rows), (mask_size_px or scan.columns)
    try:
        mask = annotated.mask(scan.image_id, rows, columns)
        note = annotated.oddity(scan.image_id, mask)
    except (ValueError, OSError) as error:
        reason = f"{inputs.annotations_name}: {error}"
        if is_strict:
            raise ValueError(_faulty(scan.image_id, reason)) from error
        return Skipped(reason, isinstance(error, rle.OtherSizeError))
    if note and is_strict:
        raise ValueError(_faulty(scan.image_id, f"{inputs.annotations_name}: {note}"))
    return Entry(path, scan, MaskRuns(*rle.to_runs(mask), rows, columns), note)


def _faulty(image_id: str, reason: str) -> str:
    return f"the mask of {image_id}: {reason}; mend it, or leave --strict out"


def refuse_other_size(entries: list[Entry], skipped: dict[Path, Skipped]) -> None:
    """Raise ValueError where more masks leave their images than are used.

    Those that stay within them would be wrong too.
    """
    misfits = [(path, each.reason) for path, each in skipped.items() if each.is_of_other_size]
    num_positive = sum(entry.kind == "positive" for entry in entries)
    if len(misfits) > num_positive:
        path, reason = misfits[0]
        raise ValueError(
            f"{len(misfits)} masks do not fit their images, {num_positive} do: {path.stem}: "
            f"{reason}; where masks are drawn at another size than the images, name it with "
            "--mask-size"
        )


def fingerprint(path: Path) -> str:
    """What tells a csv or a folder of masks from any other."""
    if path.is_file():
        return provenance.sha256_of_file(path)
    masks = mask_files.find(path).paths
    return provenance.fingerprint(
        f"{image_id} {provenance.sha256_of_file(mask)}" for image_id, mask in sorted(masks.items())
    )
