"""This holds the build as an Apache Beam pipeline, which many machines can run."""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import apache_beam as beam
from apache_beam.pvalue import AsList, AsSingleton, TaggedOutput

from tfptx.records import beam_pipeline, shards, source, spool, workplace
from tfptx.records import build as builds
from tfptx.records import manifest as manifests
from tfptx.records.build import Options
from tfptx.records.division import marked_twins
from tfptx.records.entry import examine
from tfptx.records.manifest import Manifest, Shard, Summary
from tfptx.records.shards import Plan
from tfptx.records.source import Origin, Source
from tfptx.records.spool import Part
from tfptx.scans import sources

Found = tuple[Summary, Path]  # of an entry, and where its scan lies
Record = tuple[Found, bytes]
Skipped = tuple[Path, str]  # and the reason
SKIPPED = "skipped"  # the name of their own collection


def build(
    images: Path,
    annotations_path: Path | None,
    groups_csv: Path | None,
    out: Path,
    options: Options,
    beam_options: Sequence[str],
    advance: Callable[[float], None],
) -> Manifest:
    """Do as `tfptx.records.build.build` does, by a runner that Beam's own options name.

    Every worker must see `images` and the folder of `out` at the same paths. What a runner was cut
    off in is done again. Raises as the local build does, but for what a worker raises, which is a
    ValueError in the words of the runner.
    """
    found = source.find(images, annotations_path, groups_csv, options.folds_csv, options.soft_masks)
    with workplace.alone(out) as place:
        place.withdraw()
        place.keep(place.records, ())
        parts = list(found.divide(options.mask_size_px, options.is_strict))
        with beam_pipeline.running(beam_options) as pipeline:
            _add_steps(pipeline, parts, found, options, place.records)
        result = manifests.read(place.records)
        place.move_to(out.resolve())
    advance(1.0)
    return result


def _add_steps(
    pipeline: beam.Pipeline, parts: list[Part], found: Source, options: Options, folder: Path
) -> None:
    # A step whose outcome is needed twice would be done twice, unless it is shuffled.
    examined = (
        pipeline
        | "parts" >> beam.Create(parts)
        | "spread parts" >> beam.Reshuffle()
        | "examine" >> beam.FlatMap(_examine).with_outputs(SKIPPED, main="examined")
    )
    records = examined.examined | "keep examined" >> beam.Reshuffle()
    summaries = records | "summaries" >> beam.Keys()
    once = pipeline | "once" >> beam.Create([None])
    # Each step takes along what it is given here: a runner bounds the size of a pipeline.
    divided = once | "divide" >> beam.Map(
        functools.partial(_divide, found.images, found.folds, options),
        AsList(summaries),
        AsList(examined[SKIPPED]),
    )
    written = (
        records
        | "place" >> beam.Map(_place, AsSingleton(divided))
        | "gather shards" >> beam.GroupByKey()
        | "write" >> beam.Map(functools.partial(_write, folder), AsSingleton(divided))
    )
    _ = once | "finish" >> beam.Map(
        functools.partial(_finish, folder, found.origin, found.without_fold, options),
        AsSingleton(divided),
        AsList(written),
        AsList(examined[SKIPPED]),
    )


class Division:
    """All summaries in the order of a local build, their shards, and each image's place there."""

    def __init__(self, summaries: list[Summary], plans: list[Plan]) -> None:
        self.summaries = summaries
        self.plans = plans
        self.place_of = {
            summaries[position].image_id: (number, place)
            for number, plan in enumerate(plans)
            for place, position in enumerate(plan.positions)
        }


def _examine(part: Part) -> Iterator[Record | TaggedOutput[Literal["skipped"], Skipped]]:
    for path in part.paths:
        entry = examine(path, part.annotated, part.groups, part.mask_size_px, part.is_strict)
        if isinstance(entry, str):
            yield TaggedOutput(SKIPPED, (path, entry))
        else:
            yield (entry.summary, path), spool.encode(entry)


def _divide(
    images: Path,
    folds: dict[str, int] | None,
    options: Options,
    _: None,
    found: list[Found],
    skipped: list[Skipped],
) -> Division:
    in_order = sorted(found, key=lambda each: each[0].image_id)
    summaries = [summary for summary, _ in in_order]
    builds.refuse_nothing(images, summaries, skipped)
    marked = marked_twins(summaries, lambda at: sources.read(in_order[at][1]))
    return Division(marked, builds.plan(marked, options, folds))


def _place(record: Record, division: Division) -> tuple[int, tuple[int, bytes]]:
    (summary, _), content = record
    number, place = division.place_of[summary.image_id]
    return number, (place, content)


def _write(
    folder: Path, gathered: tuple[int, Iterable[tuple[int, bytes]]], division: Division
) -> tuple[int, Shard]:
    number, placed = gathered
    records = (content for _, content in sorted(placed, key=lambda each: each[0]))
    return number, shards.write(folder, division.plans[number], records)


def _finish(
    folder: Path,
    origin: Origin,
    without_fold: list[Skipped],
    options: Options,
    _: None,
    division: Division,
    written: list[tuple[int, Shard]],
    skipped: list[Skipped],
) -> None:
    builds.finish(
        folder,
        origin,
        options,
        division.summaries,
        division.plans,
        [shard for _, shard in sorted(written, key=lambda each: each[0])],
        [*skipped, *without_fold],
    )
