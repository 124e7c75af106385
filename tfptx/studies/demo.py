"""This holds the demo: the whole method, from generated radiographs to served masks."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfptx import config
from tfptx.config import EncoderName
from tfptx.operating_point import assessment, tables
from tfptx.operating_point.assessment import Assessment
from tfptx.operating_point.grid import Kind
from tfptx.operating_point.tables import Point, Sweep
from tfptx.pipeline.material import Material
from tfptx.records import build
from tfptx.records import manifest as manifests
from tfptx.scans import sources
from tfptx.scans.folds import TEST
from tfptx.scans.phantom import dataset
from tfptx.serving import export, image_output, layout, predictor
from tfptx.studies import experiments, steps
from tfptx.studies.backbones import Plan
from tfptx.studies.report import page
from tfptx.training.fit import fit

CONFIG = Path(__file__).with_name("demo.toml")
FOLD = 0  # held out for validation; the others are trained on
PHANTOMS = dataset.Options(count=450, size_px=256, prevalence=0.3, seed=0)
RECORDS = build.Options(num_folds=4, test_share=0.2)
NUM_PREDICTED = 12  # scans of the test share that the export is shown
ENCODERS: tuple[EncoderName, ...] = ("resnet18", "resnet34")  # what a comparison is of


@dataclass(frozen=True)
class Outcome:
    """What the demo found and where it lies.

    `chosen` are the sweeps on the validation fold, `judged` their points on the test share, whose
    patients nothing was fitted to or chosen on. `study` are the three experiments, where they were
    asked for.
    """

    chosen: dict[Kind, Sweep]
    judged: dict[Kind, Assessment]
    report: Path
    export: Path
    overlays: Path
    study: experiments.Outcome | None


def run(
    out: Path,
    workers: int,
    show: steps.Show,
    announce: Callable[[dict[str, Any]], None],
    compare: bool = False,
) -> Outcome:
    """Run every step in `out`; what stands there already is not made again.

    `compare` adds the paper's three experiments, of ENCODERS, on the same records. `show` opens the
    progress of a named step; `announce` is given each epoch of the fits.
    """
    study = config.read(CONFIG)
    phantoms, records, run_folder = out / "phantoms", out / "records", out / "runs"
    with show("draw phantoms") as advance:
        if not phantoms.exists():
            dataset.write(phantoms, dataclasses.replace(PHANTOMS, workers=workers), advance)
    with show("build records") as advance:
        if not records.exists():
            _build(phantoms, records, dataclasses.replace(RECORDS, workers=workers), advance)
    for stage in study.stage:
        with show(f"fit stage {stage}") as advance:
            fitted = fit(study, Material(records, FOLD), run_folder, stage, advance, announce)
    with show("predict maps") as advance:
        validation, test = (
            steps.maps_of(
                fitted, run_folder, records, fold, out / "maps" / name, lambda s: advance(s / 2)
            )
            for fold, name in ((FOLD, "validation"), (TEST, "test"))
        )
    with show("sweep") as advance:
        chosen = steps.sweeps_of(
            [validation], study.operating_point, out / "study", advance, overwrite=False
        )
    judged = {
        kind: assessment.assess([test], found.point, assessment.Options(), lambda share: None)
        for kind, found in chosen.items()
    }
    with show("write the report") as advance:
        written = page.write(out / "study", [run_folder], [test], advance)
    with show("export") as advance:
        version = _export(run_folder, chosen["joint"].point, out / "export")
        advance(1.0)
    predictions = out / "predictions"
    with show("predict scans") as advance:
        scans = _scans(phantoms, records)
        predictor.predict(version, scans, predictions, advance, begin_anew=True)
    found = None
    if compare:
        plan = Plan(ENCODERS, (FOLD,), tuple(study.stage))
        found = experiments.run(study, records, out / "backbones", plan, show, announce)
    return Outcome(chosen, judged, written, version, predictions / image_output.OVERLAYS, found)


def _build(phantoms: Path, records: Path, options: build.Options, advance: steps.Advance) -> None:
    build.build(
        phantoms / dataset.IMAGES,
        phantoms / dataset.ANNOTATIONS,
        phantoms / dataset.PATIENTS,
        records,
        options,
        advance,
    )


def _export(run_folder: Path, point: Point, out: Path) -> Path:
    """The version of the export that has this point, made where none has it."""
    for version in out.glob("[0-9]*"):
        if tables.read_point(version / layout.POINT) == point:
            return version
    return export.export([run_folder], point, out)


def _scans(phantoms: Path, records: Path) -> list[Path]:
    """The DICOM files of the first positives and negatives of the test share."""
    examples = manifests.read_examples(records)
    test = examples[examples["fold"] == TEST].groupby("positive").head(NUM_PREDICTED // 2)
    wanted = set(test["image_id"])
    return [path for path in sources.find(phantoms / dataset.IMAGES) if path.stem in wanted]
