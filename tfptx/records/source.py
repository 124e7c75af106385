"""This holds the source of a build: the scans that were found, and what csv files tell of them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfptx import provenance
from tfptx.records import spool
from tfptx.records.spool import Part
from tfptx.scans import annotations, folds, given_folds, image_ids, mask_files, sources
from tfptx.scans.annotations import Annotations
from tfptx.scans.mask_files import MaskFiles


@dataclass(frozen=True)
class Origin:
    """What a manifest says of its source: csv files by fingerprint, and what made the records."""

    fingerprint: str
    annotated_without_image: int
    folds_given: bool
    environment: dict[str, Any]


@dataclass(frozen=True)
class Source:
    """Scans by name, and what reads them; `annotated`, `groups` and `folds` may be None."""

    images: Path
    paths: list[Path]
    annotated: Annotations | MaskFiles | None
    groups: dict[str, str] | None
    folds: dict[str, int] | None
    fingerprint: str
    environment: dict[str, Any]

    @property
    def origin(self) -> Origin:
        """What the manifest says of it."""
        without_image = set(self.annotated.ids if self.annotated else ()) - self.ids
        has_folds = self.folds is not None
        return Origin(self.fingerprint, len(without_image), has_folds, self.environment)

    @property
    def with_fold(self) -> list[Path]:
        """The scans that have a fold, or may draw one."""
        return [
            path
            for path in self.paths
            if self.folds is None or image_ids.of_file(path) in self.folds
        ]

    @property
    def without_fold(self) -> list[tuple[Path, str]]:
        """The others, and why they are left out."""
        rest = sorted(set(self.paths) - set(self.with_fold))
        return [(path, "no fold in the csv of folds") for path in rest]

    @property
    def ids(self) -> set[str]:
        """The scans' ids."""
        return {image_ids.of_file(path) for path in self.paths}

    def divide(self, mask_size_px: int | None, is_strict: bool) -> Iterator[Part]:
        """Give the parts in which the scans are examined. Raises OSError where one is gone."""
        return spool.divide(
            self.with_fold, self.annotated, self.groups, mask_size_px, is_strict, self.environment
        )


def find(
    images: Path,
    annotations_path: Path | None,
    groups_csv: Path | None,
    folds_csv: Path | None = None,
    soft_masks: bool = False,
) -> Source:
    """Find the scans under `images` and read what is told of them.

    Raises ValueError where there is no scan, a csv or folder of masks can't be read, none of its
    ids is a scan's, or `soft_masks` are to be in no folder.
    """
    if soft_masks and (annotations_path is None or not annotations_path.is_dir()):
        raise ValueError(
            f"soft masks are PNG files in a folder, got {annotations_path or 'no annotations'}; "
            "name their folder with --annotations, or leave --soft-masks out"
        )
    annotated = None if annotations_path is None else _annotations(annotations_path, soft_masks)
    groups = None if groups_csv is None else folds.read_groups(groups_csv)
    given = None if folds_csv is None else given_folds.read(folds_csv)
    paths = sources.find(images)
    told: tuple[tuple[Collection[str] | None, Path | None, str], ...] = (
        (None if annotated is None else annotated.ids, annotations_path, ""),
        (groups, groups_csv, "; its first two columns are to be image id and patient"),
        (given, folds_csv, "; its first two columns are to be image id and fold"),
    )
    for ids, origin, hint in told:
        if ids is not None and not any(image_ids.of_file(path) in ids for path in paths):
            raise ValueError(
                f"none of the {len(paths)} images under {images} has a row in {origin}: an image "
                f"is called {image_ids.of_file(paths[0])!r}, an id {next(iter(ids), '')!r}{hint}"
            )
    fingerprint = provenance.fingerprint(
        "" if each is None else _fingerprint(each)
        for each in (annotations_path, groups_csv, folds_csv)
    )
    environment = provenance.environment()
    return Source(images, paths, annotated, groups, given, fingerprint, environment)


def _annotations(path: Path, are_soft: bool) -> Annotations | MaskFiles:
    return mask_files.find(path, are_soft) if path.is_dir() else annotations.read(path)


def _fingerprint(path: Path) -> str:
    if not path.is_dir():
        return provenance.sha256_of_file(path)
    masks = sorted(mask_files.find(path).paths.items())
    return provenance.fingerprint(
        f"{image_id} {provenance.sha256_of_file(mask)}" for image_id, mask in masks
    )
