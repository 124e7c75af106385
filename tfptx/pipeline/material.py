"""This holds the material of a fit: the records that it trains on, and the share of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from tfptx.pipeline import examples
from tfptx.pipeline.examples import Place
from tfptx.records import manifest as manifests
from tfptx.records.manifest import Kind, Manifest, Shard
from tfptx.scans.folds import TEST

LABELLED: tuple[Kind, ...] = ("positive", "negative")


@dataclass(frozen=True)
class Further:
    """Other records, as pseudo-labelled or generated ones, and their share of every epoch."""

    records: Path
    share: float


@dataclass(frozen=True)
class Beside:
    """The examples of further records that are trained on, and how many of them are left out.

    `has_known_ids` says whether any image or patient of theirs has an id that the first ones have.
    """

    places: list[Place]
    num_left_out: int
    has_known_ids: bool


@dataclass(frozen=True)
class Material:
    """`records` but for the fold `held_out` and the test share, and all folds of `further` ones.

    Of these, too, the test share is left out, and every example whose image or patient stands in
    what is left out of `records`: it would be known when it is scored. For that patients must have
    the same ids in all of them. Raises ValueError where shares leave nothing for `records`.
    """

    records: Path
    held_out: int
    further: tuple[Further, ...] = ()

    def __post_init__(self) -> None:
        shares = [each.share for each in self.further]
        if not (all(share > 0 for share in shares) and sum(shares) < 1):  # nor NaN
            raise ValueError(
                f"further records have shares above 0 that sum up to less than 1, got {shares}; "
                f"the rest is that of {self.records}"
            )

    @property
    def has_soft_masks(self) -> bool:
        """Whether examples may have a soft mask, in any of the records."""
        folders = (self.records, *(each.records for each in self.further))
        return any(manifests.read(folder).soft_masks for folder in folders)

    def shards(self) -> list[Shard]:
        """The labelled shards of `records` to train on.

        Raises ValueError where the records lack the fold, or the other folds have no labelled or no
        positive examples.
        """
        manifest = manifests.read(self.records)
        if self.held_out == TEST:
            raise ValueError("the test share is never trained on; hold out a fold from 0")
        manifests.check_fold(self.records, manifest, self.held_out)
        others = {shard.fold for shard in manifest.shards} - {self.held_out, TEST}
        if not others:
            raise ValueError(
                f"{self.records} has no fold to train on beside fold {self.held_out}; "
                "make it with more --folds"
            )
        shards = select(manifest, others, LABELLED, self.records)
        if not any(shard.kind == "positive" for shard in shards):
            raise ValueError(
                f"{manifests.named(others)} of {self.records}, beside fold {self.held_out}, have "
                "no positive example to train on; make the records with fewer --folds or with "
                "annotations that have masks"
            )
        return shards

    def locate(self) -> None:
        """Find all examples now; else they are found where they are first asked for."""
        _ = self.places, self.beside

    @cached_property
    def places(self) -> list[Place]:
        """The examples of `records` to train on. Raises ValueError as `shards` does."""
        return examples.locate(self.records, self.shards())

    @cached_property
    def beside(self) -> list[Beside]:
        """What is trained on of each of the further records.

        Raises ValueError where that is nothing.
        """
        if not self.further:
            return []
        table = manifests.read_examples(self.records)
        return [_beside(each.records, table, self.held_out) for each in self.further]


def select(
    manifest: Manifest, folds: Iterable[int], kinds: Iterable[Kind], records: Path
) -> list[Shard]:
    """The shards of some folds and kinds. Raises ValueError where a fold, or all, are missing."""
    for fold in folds:
        manifests.check_fold(records, manifest, fold)
    shards = manifest.select(folds, kinds)
    if not shards:
        raise ValueError(
            f"{manifests.named(folds)} of {records} has no labelled example; "
            "make the records with --annotations"
        )
    return shards


def _beside(records: Path, first: pd.DataFrame, held_out: int) -> Beside:
    """What is trained on of `records` beside the `examples.csv` of the first ones."""
    manifest = manifests.read(records)
    folds = {shard.fold for shard in manifest.shards} - {TEST}
    places = examples.locate(records, select(manifest, folds, LABELLED, records))
    table = manifests.read_examples(records)
    is_unseen = _is_among(table, first[first["fold"].isin([held_out, TEST])])
    # Both go through a shard in its order.
    by_shard = {name: iter(part) for name, part in is_unseen.groupby(table["shard"])}
    kept = [place for place in places if not next(by_shard[place.path.name])]
    if not kept:
        raise ValueError(
            f"every example of {records} is of a patient that is held out elsewhere; name records "
            "that hold others"
        )
    return Beside(kept, len(places) - len(kept), bool(_is_among(table, first).any()))


def _is_among(table: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Whether the image or the patient of each row is among the others'."""
    is_known = table["image_id"].isin(others["image_id"])
    return is_known | table["patient_id"].isin(others["patient_id"])
