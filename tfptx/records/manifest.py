"""This holds the manifest: what a records folder contains, by shard and by example."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from tfptx import files, provenance
from tfptx.scans import image_ids
from tfptx.scans.folds import TEST
from tfptx.scans.plain_text import plain

SCHEMA = 1  # of the whole folder: the manifest, the tables and the example

Kind = Literal["positive", "negative", "unlabelled"]
KINDS: tuple[Kind, ...] = get_args(Kind)

NAME = "manifest.json"
EXAMPLES = "examples.csv"
SKIPPED = "skipped.csv"
TOLD_LATER = ("same_pixels_as", "annotation_note")  # columns that the first records lack
TABLE_ONLY = ("pixel_aspect", *TOLD_LATER)  # columns that are no features of an example
SKIPPED_COLUMNS = ("image_id", "path", "reason")
LONGEST_PATH = 4096  # characters, as in Linux
COLUMNS = (  # of examples.csv
    *("image_id", "patient_id", "fold", "shard", "rows", "columns", "positive", "mask_px"),
    *("view", "sex", "age", "spacing_mm", "pixel_aspect", "same_pixels_as", "annotation_note"),
    *("mask_rows", "mask_columns"),
)


@dataclass(frozen=True, slots=True)
class Summary:
    """One example in `examples.csv`: what is known of it but its image and its mask's runs.

    It is small, since a build holds those of all its examples. `sample` is the scan's, and not
    written; `same_pixels_as` names the first example with the same pixels, where that is another.
    """

    image_id: str
    patient_id: str
    rows: int
    columns: int
    mask_px: int | None
    view: str
    sex: str
    age: int | None
    spacing_mm: float | None
    mask_rows: int
    mask_columns: int
    pixel_aspect: float = 1.0
    sample: str = ""
    same_pixels_as: str = ""
    annotation_note: str = ""

    @property
    def mask_share(self) -> float:
        """The share of the image that the mask has; 0 where there is no annotation."""
        return (self.mask_px or 0) / (self.mask_rows * self.mask_columns)

    @property
    def kind(self) -> Kind:
        """Which shards the example belongs to."""
        if self.mask_px is None:
            return "unlabelled"
        return "positive" if self.mask_px else "negative"


class Shard(BaseModel):
    """One TFRecord file: all its examples are of one fold and one kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    fold: int
    kind: Kind
    examples: int
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """A records folder; fold -1 is the test share.

    Where `folds_given` they were not drawn, and patients may stand in several. Where `soft_masks`
    examples may have one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int
    source_fingerprint: str
    seed: int
    num_folds: int
    skipped: int
    annotated_without_image: int
    folds_given: bool = False
    soft_masks: bool = False
    environment: dict[str, object]
    shards: tuple[Shard, ...]

    @property
    def fingerprint(self) -> str:
        """What tells these records from any others: the checksums of all shards."""
        return provenance.fingerprint(f"{shard.file} {shard.sha256}" for shard in self.shards)

    @property
    def file_names(self) -> set[str]:
        """The files that the folder has, its checksums aside."""
        return {NAME, EXAMPLES, SKIPPED} | {shard.file for shard in self.shards}

    def count(self, kind: Kind) -> int:
        """The number of examples of a kind in all folds and the test share."""
        return sum(shard.examples for shard in self.shards if shard.kind == kind)

    def select(self, folds: Iterable[int], kinds: Iterable[Kind]) -> list[Shard]:
        """The shards of some folds and kinds, in the manifest's order."""
        wanted_folds, wanted_kinds = set(folds), set(kinds)
        return [
            shard
            for shard in self.shards
            if shard.fold in wanted_folds and shard.kind in wanted_kinds
        ]


def check_fold(folder: Path, manifest: Manifest, fold: int) -> None:
    """Raise ValueError where a folder's records have no such fold, or no test share."""
    found = {shard.fold for shard in manifest.shards}
    if fold not in found:
        raise ValueError(f"{folder} has no {named([fold])}; it has {named(found)}")


def named(folds: Iterable[int]) -> str:
    """Folds in words, as `test share, fold 0`."""
    return ", ".join("test share" if fold == TEST else f"fold {fold}" for fold in sorted(folds))


def shard_name(fold: int, kind: Kind, index: int, num_shards: int) -> str:
    """The file name of a shard, as `fold0-positive-00000-of-00003.tfrecord`."""
    share = "test" if fold == TEST else f"fold{fold}"
    return f"{share}-{kind}-{index:05d}-of-{num_shards:05d}.tfrecord"


def write(folder: Path, manifest: Manifest) -> None:
    """Write a folder's manifest."""
    # Versions that know no soft masks read all records but those that have them.
    unknown = set() if manifest.soft_masks else {"soft_masks"}
    content = manifest.model_dump(exclude={"schema_version"} | unknown)
    files.write_json(folder / NAME, {"schema": manifest.schema_version, **content})


def read(folder: Path) -> Manifest:
    """Read a folder's manifest.

    Raises ValueError where the folder holds no records, or those of another schema version.
    """
    path = folder / NAME
    if not path.is_file():
        raise ValueError(f"no records at {folder}: {NAME} is missing; make it with build-records")
    content = files.read_json(path, SCHEMA)
    content["schema_version"] = content.pop("schema")
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise ValueError(
            f"{path} is damaged; make the records anew: {error.errors()[0]}"
        ) from error


def write_examples(folder: Path, rows: Iterable[tuple[Summary, int, str]]) -> None:
    """Write `examples.csv` from each example's summary, fold and shard."""
    with (folder / EXAMPLES).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for summary, fold, shard in rows:
            given = {"fold": fold, "shard": shard, "positive": int(summary.kind == "positive")}
            writer.writerow([given.get(name, getattr(summary, name, None)) for name in COLUMNS])


def write_skipped(folder: Path, skipped: Sequence[tuple[Path, str]]) -> None:
    """Write `skipped.csv` from the path of each scan that is left out and the reason."""
    with (folder / SKIPPED).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SKIPPED_COLUMNS)
        for path, reason in skipped:
            # File systems take names that no csv does.
            shown = (image_ids.of_file(path), str(path))
            writer.writerow([*(plain(text, LONGEST_PATH) for text in shown), reason])


def count_skipped(folder: Path) -> int:
    """How many scans `skipped.csv` lists. Raises ValueError where it can't be read."""
    try:
        return len(pd.read_csv(folder / SKIPPED, usecols=list(SKIPPED_COLUMNS)))
    except ValueError as error:  # pandas' own errors of parsing are such
        raise ValueError(f"it can't be read: {error}") from error


def read_examples(folder: Path) -> pd.DataFrame:
    """Read `examples.csv`: one row an example, ids and views as text.

    Raises ValueError where it is no csv or lacks a column.
    """
    texts = dict.fromkeys(("image_id", "patient_id", "shard", "view", "sex", *TOLD_LATER), str)
    try:
        table = pd.read_csv(
            folder / EXAMPLES,
            dtype=texts,
            keep_default_na=False,
            na_values={"age": [""], "spacing_mm": [""]},
        )
    except ValueError as error:  # pandas' own errors of parsing are such
        raise ValueError(f"{folder / EXAMPLES} is no csv; build it anew: {error}") from error
    missing = [name for name in COLUMNS if name not in {*table, *TABLE_ONLY}]
    if missing:
        raise ValueError(f"{folder / EXAMPLES} lacks the column {missing[0]}; build it anew")
    return table.assign(**{name: "" for name in TOLD_LATER if name not in table})
