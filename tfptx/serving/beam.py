"""This holds the prediction as an Apache Beam pipeline, which many machines can run."""

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.pvalue import AsList, TaggedOutput

from tfptx.records import beam_pipeline
from tfptx.scans.intake import File, Left
from tfptx.scans.radiograph import Take
from tfptx.scans.scan import Scan
from tfptx.serving import asking, models, prediction_folder, prediction_tables, predictor
from tfptx.serving.answers import Model
from tfptx.serving.asking import Answered
from tfptx.serving.faults import OtherModelError
from tfptx.serving.model_identity import ModelIdentity
from tfptx.serving.outcomes import Outcome
from tfptx.serving.predictor import Options

LEFT = "left"  # the name of their own collection


def predict(
    model: str,
    inputs: Sequence[Path],
    out: Path,
    advance: Callable[[float], None],
    options: Options,
    batch_size: int,
    beam_options: Sequence[str],
) -> None:
    """Do as `tfptx.serving.predictor.predict` does, by a runner that Beam's own options name.

    Every worker must see the model, the files and the folder of `out` at the same paths. What a
    runner was cut off in is done again. Raises as the local prediction does, with what a worker
    raises in the words of the runner.
    """
    found, opened = predictor.prepare(model, inputs, out, options)
    identity = opened.identity
    with prediction_folder.begun(out, "beam", begin_anew=True) as (folder, _):
        output = predictor.image_output(folder, identity, options)
        about = predictor.about(identity, options, inputs)
        with beam_pipeline.running(beam_options) as pipeline:
            examined = (
                pipeline
                | "files" >> beam.Create(found)
                | "spread files" >> beam.Reshuffle()
                | "read"
                >> beam.FlatMap(functools.partial(_read, options.take)).with_outputs(
                    LEFT, main="scans"
                )
            )
            answered = examined.scans | "ask" >> RunInference(
                _Handler(opened.where, identity, batch_size)
            )
            # A step whose outcome is needed twice would be done twice, unless it is shuffled.
            outcomes = (
                (answered, examined[LEFT])
                | "all" >> beam.Flatten()
                | "write" >> beam.Map(output.write)
                | "keep outcomes" >> beam.Reshuffle()
            )
            finish = functools.partial(_finish, folder, about)
            _ = (
                pipeline
                | "once" >> beam.Create([None])
                | "finish" >> beam.Map(finish, AsList(outcomes))
            )
        prediction_folder.put(folder, out)
    advance(1.0)


class _Handler(ModelHandler[tuple[File, Scan], Answered, Model]):  # type: ignore[misc]
    """The model in each worker, once for all of its threads."""

    def __init__(self, where: str | Path, identity: ModelIdentity, batch_size: int) -> None:
        super().__init__(max_batch_size=batch_size)
        self._where = where
        self._identity = identity
        self._batch_size = batch_size

    def load_model(self) -> Model:
        """Open the model. Raises ValueError where it is another one than the results will tell."""
        opened = models.identify(self._where)
        if opened.identity != self._identity:
            raise OtherModelError(f"a worker finds another model at {self._where}")
        return opened.model

    def run_inference(
        self,
        batch: Sequence[tuple[File, Scan]],
        model: Model,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterator[Answered]:
        """Ask the model for the scans of a batch."""
        return asking.ask(model, batch, self._batch_size)


def _read(
    take: Take, file: File
) -> Iterator[tuple[File, Scan] | TaggedOutput[Literal["left"], Answered]]:
    _, content = asking.read(take, file)
    if isinstance(content, Left):
        yield TaggedOutput(LEFT, Answered(file, content))
    else:
        yield file, content


def _finish(folder: Path, about: dict[str, Any], _: None, outcomes: list[Outcome]) -> None:
    in_order = sorted(outcomes, key=lambda outcome: (outcome.file.image_id, outcome.file.name))
    prediction_tables.write(folder, lambda: in_order, about)
