"""This holds the build: scans and annotations in, a folder of sharded records out."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfptx import provenance
from tfptx.records import checksums, parallel, shards, source, spool, workplace
from tfptx.records import manifest as manifests
from tfptx.records.manifest import Manifest, Shard, Summary
from tfptx.records.shards import Plan
from tfptx.records.source import Source
from tfptx.records.spool import Part, Spooled
from tfptx.records.workplace import Workplace
from tfptx.scans import folds

EXAMINING_SHARE = 0.9  # of a build's time, with its verifying decode


@dataclass(frozen=True)
class Options:
    """How to divide the examples, and how masks are drawn.

    `mask_size_px` is the side of the square masks; None where masks have their image's size.
    """

    num_folds: int = 5
    test_share: float = 0.0
    seed: int = 0
    mask_size_px: int | None = None
    workers: int = 1


def build(
    images: Path,
    annotations_csv: Path | None,
    groups_csv: Path | None,
    out: Path,
    options: Options,
    advance: Callable[[float], None],
) -> Manifest:
    """Write the scans under `images` as records to `out`, whole or not at all.

    A build that was cut off goes on from its folder beside `out`, and ends with the same bytes; as
    do builds with other `workers`. `advance` is called with the share of the work that each step
    has done. A scan that can't be read or has no annotation is left out and listed in
    `skipped.csv`. Without `annotations_csv` the records are unlabelled. Patients are those of
    `groups_csv`, else the scans' own.
    Raises ValueError where nothing is left, a mask does not fit its image, patients are fewer than
    folds, or another process builds `out`; OSError where a scan is gone or the disk is full.
    """
    found = source.find(images, annotations_csv, groups_csv)
    with workplace.alone(out) as place:
        parts = list(found.divide(options.mask_size_px))
        made_from = provenance.fingerprint(
            [found.fingerprint, *(part.name for part in parts)]
            + [repr(each) for each in (options.num_folds, options.test_share, options.seed)]
        )
        if not place.is_whole(made_from):
            _make(place, found, parts, options, advance)
            place.note_whole(made_from)
        result = manifests.read(place.records)
        place.move_to(out.resolve())
    return result


def plan(summaries: Sequence[Summary], options: Options) -> list[Plan]:
    """Divide entries into folds and shards. Raises ValueError where patients are too few."""
    fold_of = folds.assign(
        [summary.patient_id for summary in summaries],
        [summary.kind == "positive" for summary in summaries],
        options.num_folds,
        options.test_share,
        options.seed,
    )
    return shards.divide(summaries, fold_of.tolist(), options.seed)


def finish(
    folder: Path,
    found: Source,
    options: Options,
    summaries: Sequence[Summary],
    plans: Sequence[Plan],
    written: Sequence[Shard],
    skipped: Sequence[tuple[Path, str]],
) -> None:
    """Write what a records folder holds beside its shards."""
    manifests.write_examples(
        folder,
        ((summaries[at], each.fold, each.name) for each in plans for at in each.positions),
    )
    manifests.write_skipped(folder, skipped)
    result = Manifest(
        schema_version=manifests.SCHEMA,
        source_fingerprint=found.fingerprint,
        seed=options.seed,
        num_folds=options.num_folds,
        skipped=len(skipped),
        annotated_without_image=found.annotated_without_image,
        environment=found.environment,
        shards=tuple(written),
    )
    manifests.write(folder, result)
    checksums.write(folder, {shard.file: shard.sha256 for shard in written})


def refuse_nothing(
    found: Source, summaries: Sequence[Summary], skipped: Sequence[tuple[Path, str]]
) -> None:
    """Raise ValueError where no scan can be used."""
    if not summaries:
        path, reason = skipped[0]
        raise ValueError(f"no image under {found.images} can be used: {path}: {reason}")


def _make(
    place: Workplace,
    found: Source,
    parts: Sequence[Part],
    options: Options,
    advance: Callable[[float], None],
) -> None:
    place.keep(place.parts, (name for part in parts for name in spool.file_names(part)))
    spooled: list[Spooled] = []
    skipped: list[tuple[Path, str]] = []
    make = functools.partial(spool.make, place.parts)
    for examined in parallel.in_processes(make, parts, options.workers):
        spooled += examined.spooled
        skipped += examined.skipped
        advance(EXAMINING_SHARE / len(parts))
    summaries = [each.summary for each in spooled]
    refuse_nothing(found, summaries, skipped)
    plans = plan(summaries, options)
    place.keep(place.records, (each.name for each in plans))

    def write(each: Plan) -> Shard:
        members = [spooled[at] for at in each.positions]
        places = (f"{member.part} {member.start_bytes}" for member in members)
        records = (spool.read_record(place.parts, member) for member in members)
        shard = place.shard(
            each.name,
            provenance.fingerprint([str(each.fold), *places]),
            lambda: shards.write(place.records, each, records),
        )
        advance((1 - EXAMINING_SHARE) * len(members) / len(summaries))
        return shard

    written = list(parallel.in_threads(write, plans, options.workers))
    finish(place.records, found, options, summaries, plans, written, skipped)
