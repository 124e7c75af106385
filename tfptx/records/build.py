"""This holds the build: scans and annotations in, a folder of sharded records out."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfptx import provenance
from tfptx.records import checksums, division, parallel, shards, source, spool, workplace
from tfptx.records import manifest as manifests
from tfptx.records.manifest import Manifest, Shard, Summary
from tfptx.records.shards import Plan
from tfptx.records.source import Origin, Source
from tfptx.records.spool import Part, Spooled
from tfptx.records.workplace import Workplace
from tfptx.scans import image_ids

EXAMINING_SHARE = 0.9  # of a build's time, with its verifying decode


@dataclass(frozen=True)
class Options:
    """How to divide the examples, and how masks are drawn.

    `mask_size_px` is the side of the square masks; None where masks have their image's size.
    `folds_csv` gives the folds in place of a draw. `is_strict` makes an annotation with a fault, or
    with anything odd, an error. `soft_masks` are a folder's PNG masks whose grey is a probability.
    """

    num_folds: int = 5
    test_share: float = 0.0
    seed: int = 0
    mask_size_px: int | None = None
    workers: int = 1
    folds_csv: Path | None = None
    is_strict: bool = False
    soft_masks: bool = False


def build(
    images: Path,
    annotations_path: Path | None,
    groups_csv: Path | None,
    out: Path,
    options: Options,
    advance: Callable[[float], None],
) -> Manifest:
    """Write the scans under `images` as records to `out`, whole or not at all.

    A build that was cut off goes on from its folder beside `out`, and ends with the same bytes; as
    do builds with other `workers`. `advance` is called with the share of the work that each step
    has done. `annotations_path` is a csv of run lengths or a folder of PNG masks; without it the
    records are unlabelled. A scan that can't be read, or has no annotation or a faulty one, is left
    out and listed in `skipped.csv`. Patients are those of `groups_csv`, else the scans' own.
    Raises ValueError where nothing is left, masks seem to be of another size than their images,
    soft ones are no folder, patients are fewer than folds, or another process builds `out`;
    FaultyMaskError, which is one too, where `is_strict` and a mask has a fault; OSError where a
    scan is gone or the disk is full.
    """
    found = source.find(images, annotations_path, groups_csv, options.folds_csv, options.soft_masks)
    with workplace.alone(out) as place:
        parts = list(found.divide(options.mask_size_px, options.is_strict))
        made_from = provenance.fingerprint(
            [found.fingerprint, *(part.name for part in parts)]
            + [repr(each) for each in (options.num_folds, options.test_share, options.seed)]
        )
        if not place.is_whole(made_from):
            place.withdraw()
            _make(place, found, parts, options, advance)
            place.note_whole(made_from)
        result = manifests.read(place.records)
        place.move_to(out.resolve())
    return result


def plan(
    summaries: Sequence[Summary], options: Options, given: dict[str, int] | None
) -> list[Plan]:
    """Divide entries into shards, by the folds that are given or else drawn.

    Raises ValueError where patients are too few.
    """
    if given is None:
        fold_of = division.draw(summaries, options.num_folds, options.test_share, options.seed)
    else:
        fold_of = [given[summary.image_id] for summary in summaries]
    return shards.divide(summaries, fold_of, options.seed)


def finish(
    folder: Path,
    origin: Origin,
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
    left_out = sorted(skipped, key=lambda each: (image_ids.of_file(each[0]), str(each[0])))
    manifests.write_skipped(folder, left_out)
    result = Manifest(
        schema_version=manifests.SCHEMA,
        source_fingerprint=origin.fingerprint,
        seed=options.seed,
        num_folds=max(each.fold for each in plans) + 1,
        skipped=len(skipped),
        annotated_without_image=origin.annotated_without_image,
        folds_given=origin.folds_given,
        soft_masks=options.soft_masks,
        environment=origin.environment,
        shards=tuple(written),
    )
    manifests.write(folder, result)
    # Workers of a cluster that were ended leave files that they had begun.
    for path in folder.iterdir():
        if path.name not in result.file_names:
            path.unlink()
    checksums.write(folder, result.file_names, {shard.file: shard.sha256 for shard in written})


def refuse_nothing(
    images: Path, summaries: Sequence[Summary], skipped: Sequence[tuple[Path, str]]
) -> None:
    """Raise ValueError where no scan can be used, or masks seem to be of another size."""
    division.refuse_other_size(summaries, skipped)
    if not summaries:
        path, reason = skipped[0]
        raise ValueError(f"no image under {images} can be used: {path}: {reason}")


def _make(
    place: Workplace,
    found: Source,
    parts: Sequence[Part],
    options: Options,
    advance: Callable[[float], None],
) -> None:
    place.keep(place.parts, (name for part in parts for name in spool.file_names(part)))
    spooled: list[Spooled] = []
    skipped = found.without_fold
    make = functools.partial(spool.make, place.parts)
    for examined in parallel.in_processes(make, parts, options.workers):
        spooled += examined.spooled
        skipped += examined.skipped
        advance(EXAMINING_SHARE / len(parts))
    refuse_nothing(found.images, [each.summary for each in spooled], skipped)
    summaries = division.marked_twins(
        [each.summary for each in spooled],
        lambda at: spool.decode(spool.read_record(place.parts, spooled[at]))[0],
    )
    plans = plan(summaries, options, found.folds)
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
    finish(place.records, found.origin, options, summaries, plans, written, skipped)
