"""This holds the export: from runs and an operating point to a SavedModel that serves alone."""

from collections.abc import Sequence
from pathlib import Path

from tfptx import files, provenance, runs
from tfptx.inference import load
from tfptx.operating_point import tables
from tfptx.operating_point.tables import Point
from tfptx.serving import layout, model_card, probe, served_model, server_files, trial, warmup
from tfptx.serving.card_facts import Facts
from tfptx.serving.judgement import Judgement


def export(
    run_folders: Sequence[Path],
    point: Point,
    out: Path,
    any_point: bool = False,
    xla: bool = False,
    judgements: Sequence[Judgement] = (),
) -> Path:
    """Write the next version of an export, and what a server of it needs; give its folder.

    The networks of all runs and folds, in the point's stage, are averaged, over flips too if the
    point's maps were. `xla` compiles them. The model card tells the `judgements` too. The version's
    folder appears whole or not at all.

    Raises ValueError where a stage has not finished, stage or size differ, the point is none that a
    SavedModel can decide by, or it was chosen on maps of other networks and `any_point` does not
    allow that.
    """
    _refuse_what_no_graph_can(point)
    folders = load.finished(run_folders, load.common_folds(run_folders), point.stage)
    is_own_point = sorted(runs.fingerprint(folder) for folder in folders) == sorted(point.runs)
    if not (is_own_point or any_point):
        raise ValueError(
            f"the operating point was not chosen on maps of just the {len(folders)} networks to be "
            f"exported, {', '.join(str(folder.path) for folder in folders)}; choose one with "
            "predict-maps and sweep, or pass --any-point"
        )
    if point.rule.min_presence > 0:
        load.refuse_without(folders, "presence")
    if point.fused:
        load.refuse_without(folders, "distance")
    networks = [load.network(folder) for folder in folders]
    size_px = load.size_px(folders[0])
    versions = provenance.environment()
    fingerprint = provenance.fingerprint(
        [
            *map(runs.fingerprint, folders),
            *(repr(each) for each in (point, xla, versions["packages"], versions["code"])),
        ]
    )
    module, signatures = served_model.build(
        networks, point.rule, size_px, point.flip, fingerprint, point.fused, xla
    )
    version = layout.following(out)
    image = probe.radiograph(size_px)
    with files.writing_folder(version) as temporary:
        served_model.save(module, signatures, temporary)
        tables.write_point(temporary / layout.POINT, point)
        warmup.write(temporary, image, server_files.BATCH_SIZES if xla else (1,))
        tried = trial.run(temporary, image)
        facts = Facts(folders, point, is_own_point, size_px, xla, tried, judgements)
        files.write_text(temporary / layout.CARD, model_card.text(facts))
    server_files.write(out, image, tried.answer, tried.size_bytes, xla)
    return version


def _refuse_what_no_graph_can(point: Point) -> None:
    if point.rule.looks_at_components:
        raise ValueError(
            f"the operating point looks at components ({point.label}), which a SavedModel can't; "
            "choose one with tfptx sweep joint or triplet"
        )
    if point.overlap is not None:
        raise ValueError(
            "the operating point was chosen on maps of sliding windows, which a SavedModel does "
            "not make; choose one on maps of predict-maps without --windows"
        )
