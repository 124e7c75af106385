"""This holds the source of a build: the scans that were found, and what csv files tell of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfptx import provenance
from tfptx.records import spool
from tfptx.records.spool import Part
from tfptx.scans import annotations, folds, sources
from tfptx.scans.annotations import Annotations


@dataclass(frozen=True)
class Source:
    """Scans by name, and what reads them; `annotated` and `groups` are None without their csv."""

    images: Path
    paths: list[Path]
    annotated: Annotations | None
    groups: dict[str, str] | None
    fingerprint: str
    environment: dict[str, Any]

    @property
    def annotated_without_image(self) -> int:
        """How many ids of the annotations are no scan's."""
        return len(set(self.annotated.rles if self.annotated else ()) - self.ids)

    @property
    def ids(self) -> set[str]:
        """The scans' ids."""
        return {path.stem for path in self.paths}

    def divide(self, mask_size_px: int | None) -> Iterator[Part]:
        """Give the parts in which the scans are examined. Raises OSError where one is gone."""
        return spool.divide(self.paths, self.annotated, self.groups, mask_size_px, self.environment)


def find(images: Path, annotations_csv: Path | None, groups_csv: Path | None) -> Source:
    """Find the scans under `images` and read the csv files.

    Raises ValueError where there is no scan, a csv can't be read, or none of its ids is a scan's.
    """
    annotated = None if annotations_csv is None else annotations.read(annotations_csv)
    groups = None if groups_csv is None else folds.read_groups(groups_csv)
    paths = sources.find(images)
    if annotated is not None and not any(path.stem in annotated.rles for path in paths):
        raise ValueError(
            f"none of the {len(paths)} images under {images} has a row in {annotations_csv}: "
            f"an image is called {paths[0].stem!r}, an id {next(iter(annotated.rles), '')!r}"
        )
    if groups is not None and not any(path.stem in groups for path in paths):
        raise ValueError(
            f"none of the {len(paths)} images under {images} has a row in {groups_csv}; its first "
            "two columns are to be image id and patient"
        )
    fingerprint = provenance.fingerprint(
        provenance.sha256_of_file(csv) if csv else "" for csv in (annotations_csv, groups_csv)
    )
    return Source(images, paths, annotated, groups, fingerprint, provenance.environment())
