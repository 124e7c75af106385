"""This holds what a folder is, told by its files, and the facts that `tfptx info` tells of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tfptx import provenance, runs
from tfptx.network import weight_files
from tfptx.operating_point import maps as maps_on_disk
from tfptx.operating_point import tables
from tfptx.operating_point.grid import AXES
from tfptx.operating_point.tables import Point
from tfptx.records import balance
from tfptx.records import manifest as manifests
from tfptx.scans import rle
from tfptx.scans.folds import TEST
from tfptx.serving import layout
from tfptx.studies import backbones_table
from tfptx.studies.report import tables as study_tables


@dataclass(frozen=True)
class Description:
    """The kind of a folder, its facts by name, and a table of its parts where it has any."""

    kind: str
    facts: dict[str, Any]
    parts: list[dict[str, Any]]


def describe(folder: Path) -> Description:
    """Say what a folder or file holds. Raises ValueError where it is none that tfptx writes."""
    for is_kind, describe_kind in KINDS:
        if is_kind(folder):
            return describe_kind(folder)
    found = "holds none of" if folder.is_dir() else "is no folder that holds one of"
    raise ValueError(
        f"{folder} {found} {manifests.NAME} (RECORDS), {maps_on_disk.NAME} (MAPS), "
        f"fold<K>/stage<N>/ (RUN), {', '.join(AXES)}/{tables.POINT}, "
        f"{backbones_table.NAME} (STUDY), {layout.SAVED_MODEL}, <version>/{layout.SAVED_MODEL} "
        "(EXPORT), nor is it an h5 file (WEIGHTS); name what tfptx wrote"
    )


def _records(folder: Path) -> Description:
    manifest, examples = manifests.read(folder), manifests.read_examples(folder)
    counts: dict[str, int] = {kind: manifest.count(kind) for kind in manifests.KINDS}
    facts = {
        "examples": len(examples),
        **counts,
        "patients": int(examples["patient_id"].nunique()),
        **balance.leaks(examples),
        "annotations_with_a_note": int((examples["annotation_note"] != "").sum()),
        "sizes_px": _sizes_px(examples),
        "skipped": manifest.skipped,
        "annotated_without_image": manifest.annotated_without_image,
        "soft_masks": manifest.soft_masks,
        "shards": len(manifest.shards),
        "size_mb": _megabytes(shard.bytes for shard in manifest.shards),
        "seed": manifest.seed,
        "fingerprint": manifest.fingerprint,
    }
    parts = [
        {
            "fold": _fold_name(fold),
            **{
                kind: sum(shard.examples for shard in manifest.select([fold], [kind]))
                for kind in manifests.KINDS
            },
            **balance.of_fold(examples[examples["fold"] == fold]),
        }
        for fold in sorted({shard.fold for shard in manifest.shards}, key=_test_last)
    ]
    return Description("RECORDS", facts, parts)


def _maps(folder: Path) -> Description:
    maps = maps_on_disk.read(folder)
    truth, source = maps.index["truth_rle"], maps.source
    is_labelled = truth != ""
    facts = {
        "images": len(maps),
        "positive": int((is_labelled & (truth != rle.EMPTY)).sum()),
        "unlabelled": int((~is_labelled).sum()),
        "folds": [_fold_name(fold) for fold in sorted(maps.index["fold"].unique(), key=_test_last)],
        "sizes_px": _sizes_px(maps.index),
        "stage": source["stage"],
        "network_size_px": source["size_px"],
        **{name: source[name] for name in ("flip", "fused", "overlap", "counts_only")},
        "runs": source["runs"],
        "records": source["records"],
    }
    return Description("MAPS", facts, [])


def _run(folder: Path) -> Description:
    folds = runs.folds(folder)
    places = [place for fold in folds for place in runs.stages(folder, fold)]
    parts = [_stage(place) for place in places if place.config_toml.is_file()]
    return Description("RUN", {"folds": [str(fold) for fold in folds]}, parts)


def _stage(place: runs.StageFolder) -> dict[str, Any]:
    study, is_finished = runs.read_study(place), place.is_finished
    result = runs.read_result(place) if is_finished else {}
    epochs = len(runs.read_history(place)) if place.history_csv.is_file() else 0
    return {
        "fold": place.fold,
        "stage": place.stage,
        "study": study.name,
        "encoder": study.network.encoder,
        "size_px": study.plan(place.stage).size_px,
        "finished": is_finished,
        "epochs": epochs,
        "best_epoch": result.get("epoch"),
        "mean_dice": result.get("mean_dice"),
        "positive_dice": result.get("positive_dice"),
        "records": runs.records_of(runs.read_environment(place)),
        "fingerprint": runs.fingerprint(place) if is_finished else None,
    }


def _study(folder: Path) -> Description:
    numbers = study_tables.read(folder)
    facts: dict[str, Any] = {"sweeps": list(numbers.sweeps)}
    if numbers.backbones is not None:
        facts["sweeps_are_of"] = numbers.backbone or "the study itself"
        facts["backbones"] = {
            str(row["encoder"]): (
                f"nested mean Dice {row['nested_mean_dice']:.4f}, {row['mean_dice']:.4f} where its "
                "pair was chosen"
            )
            for row in numbers.backbones.to_dict("records")
        }
    parts = [
        {"sweep": kind, "cells": len(swept.results), **_point(swept.point)}
        for kind, swept in numbers.sweeps.items()
    ]
    return Description("STUDY", facts, parts)


def _export(folder: Path) -> Description:
    latest = layout.find(folder)
    versions = [latest]
    if latest != folder:
        found = (path.parent for path in folder.glob(f"*/{layout.SAVED_MODEL}"))
        numbered = (version for version in found if version.name.isdecimal())
        versions = sorted(numbered, key=lambda version: int(version.name))
    parts = [
        {
            "version": version.name,
            **_point(tables.read_point(version / layout.POINT)),
            "size_mb": _megabytes(
                each.stat().st_size for each in version.rglob("*") if each.is_file()
            ),
        }
        for version in versions
    ]
    facts = {"latest": latest.name, "signatures": list(layout.SIGNATURES), "input": layout.INPUT}
    return Description("EXPORT", facts, parts)


def _weights(path: Path) -> Description:
    contents = weight_files.read(path)
    facts = {
        "form": contents.form,
        "layers": len(contents.layers),
        "parameters": contents.num_parameters,
        "imagenet_weights_of": _encoders_with(path) if contents.form == weight_files.KERAS2 else [],
        "size_mb": path.stat().st_size / 1e6,
        "sha256": provenance.sha256_of_file(path),
    }
    parts = [
        {"layer": name, "weights": {weight: list(shape) for weight, shape in weights.items()}}
        for name, weights in contents.layers.items()
        if weights
    ]
    return Description("WEIGHTS", facts, parts)


def _encoders_with(path: Path) -> list[str]:
    """The encoders whose published file this is, by its checksum."""
    from tfptx.network import encoders, imagenet  # noqa: PLC0415 - TensorFlow takes seconds

    return [
        name
        for name in encoders.ENCODERS
        if imagenet.is_content_of(path, encoders.weights_file(name))
    ]


def _test_last(fold: int) -> tuple[bool, int]:
    return fold == TEST, fold


def _fold_name(fold: int) -> str:
    return "test" if fold == TEST else str(fold)


def _megabytes(sizes_bytes: Iterable[int]) -> float:
    return sum(sizes_bytes) / 1e6


def _sizes_px(table: pd.DataFrame) -> dict[str, int]:
    """How many images have each size, the commonest first."""
    sizes = (table["rows"].astype(str) + " x " + table["columns"].astype(str)).value_counts()
    return {str(size): int(count) for size, count in sizes.items()}


def _point(point: Point) -> dict[str, Any]:
    scores = ("mean_dice", "nested_mean_dice", "positive_dice", "all_empty_dice", "num_images")
    numbers = {name: getattr(point, name) for name in scores}
    return {**point.cell, "size_px": point.size_px, **numbers}


def _is_study(folder: Path) -> bool:
    points = [folder / kind / tables.POINT for kind in AXES]
    return any(path.is_file() for path in [*points, folder / backbones_table.NAME])


KINDS: tuple[tuple[Callable[[Path], bool], Callable[[Path], Description]], ...] = (
    (weight_files.is_one, _weights),
    (lambda folder: (folder / manifests.NAME).is_file(), _records),
    (lambda folder: (folder / maps_on_disk.NAME).is_file(), _maps),
    (lambda folder: any(folder.glob("fold*/stage*")), _run),
    (_is_study, _study),
    (
        lambda folder: (
            (folder / layout.SAVED_MODEL).is_file()
            or any(folder.glob(f"[0-9]*/{layout.SAVED_MODEL}"))
        ),
        _export,
    ),
)
