"""This holds the prediction of files: masks, findings, overlays and DICOM Segmentations."""

import functools
import importlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tfptx import provenance
from tfptx.records import parallel
from tfptx.scans import intake
from tfptx.scans.intake import File
from tfptx.scans.radiograph import Take
from tfptx.serving import asking, models, prediction_folder, prediction_tables
from tfptx.serving.findings import Finding
from tfptx.serving.image_output import ImageOutput
from tfptx.serving.model_identity import ModelIdentity
from tfptx.serving.models import Identified


@dataclass(frozen=True)
class Options:
    """What to predict, and what to write of it.

    `segmentations` asks for DICOM Segmentations; `generate_uids` allows them UIDs of ours where a
    radiograph has none that are valid.
    """

    take: Take = "frontal"
    segmentations: bool = False
    generate_uids: bool = False


def predict(
    model: str | Path,
    inputs: Sequence[Path],
    out: Path,
    advance: Callable[[float], None],
    options: Options = Options(),
    batch_size: int = 4,
    workers: int = 2,
    begin_anew: bool = False,
) -> list[Finding]:
    """Predict the radiographs among files, and those in folders at any depth, into `out`.

    A radiograph that can't be read is a finding with its reason; other files are left out and
    listed with theirs. `model` is what `models.open_model` takes. `out` appears whole or not at
    all; a run that was cut off goes on from OUT.partial, unless it is to `begin_anew`. `advance` is
    called with each finished share.
    Raises ValueError where there is no model, no file, two files of one id, or no image is
    predicted.
    """
    found, opened = prepare(model, inputs, out, options)
    identity = opened.identity
    made_from = provenance.fingerprint([identity.fingerprint, repr(options)])
    with prediction_folder.begun(out, made_from, begin_anew) as (folder, journal):
        todo = [file for file in found if not journal.has(file)]
        advance((len(found) - len(todo)) / len(found))
        if todo:
            output = image_output(folder, identity, options)
            contents = parallel.in_threads(
                functools.partial(asking.read, options.take), todo, workers
            )
            answered = asking.ask(opened.model, contents, batch_size)
            for outcome in parallel.in_threads(output.write, answered, workers):
                journal.append(outcome)
                advance(1 / len(found))
        try:
            findings = prediction_tables.write(
                folder, lambda: journal.outcomes(found), about(identity, options, inputs)
            )
        except ValueError:
            shutil.rmtree(folder)
            raise
        prediction_folder.put(folder, out)
    return findings


def prepare(
    model: str | Path, inputs: Sequence[Path], out: Path, options: Options
) -> tuple[list[File], Identified]:
    """The files to look at and the model, before any work.

    Raises ValueError as `predict` does.
    """
    found = intake.find(inputs)
    for each in inputs:
        if out.resolve().is_relative_to(each.resolve()):
            raise ValueError(f"{out} lies in {each}, which is predicted; choose another --out")
    return found, identify(model, options)


def identify(model: str | Path, options: Options) -> Identified:
    """The model, with the identity that results will tell of.

    Raises ValueError where there is none, or a package that the options need is missing.
    """
    if options.segmentations:
        _refuse_without_highdicom()
    return models.identify(model)


def image_output(folder: Path, identity: ModelIdentity, options: Options) -> ImageOutput:
    """What writes the files of each image to a folder."""
    return ImageOutput(folder, identity, options.segmentations, options.generate_uids)


def about(identity: ModelIdentity, options: Options, inputs: Sequence[Path]) -> dict[str, Any]:
    """What stands beside the predictions of what they were made with."""
    named = [str(path) for path in inputs]
    return {"model": asdict(identity), "options": asdict(options), "inputs": named}


def _refuse_without_highdicom() -> None:
    try:
        importlib.import_module("highdicom")
    except ModuleNotFoundError as error:
        raise ValueError(
            f"DICOM Segmentations need a package that is missing ({error}); "
            "pip install 'tfptx[dicom-seg]'"
        ) from error
