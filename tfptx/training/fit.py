"""This holds the fit of one stage on one fold, from records to the best weights."""

import contextlib
import logging
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import keras
import tensorflow as tf

from tfptx import files, runs
from tfptx.config import Study
from tfptx.pipeline import batches
from tfptx.pipeline.material import Material
from tfptx.runs import StageFolder
from tfptx.stage_config import Stage
from tfptx.training import assembly, claim, interruption, start, validation
from tfptx.training.calendar import Calendar
from tfptx.training.devices import ONE, Devices
from tfptx.training.selection import Row
from tfptx.training.session import Session

logger = logging.getLogger(__name__)


def fit(
    study: Study,
    material: Material,
    run: Path,
    stage: str,
    advance: Callable[[float], None],
    announce: Callable[[Row], None],
    overwrite: bool = False,
    devices: Devices = ONE,
    pretrained: Path | None = None,
) -> StageFolder:
    """Fit one stage on some material; go on where an earlier call was cut off.

    `start.of` says which weights it starts from; `pretrained` is another run. `advance` is called
    with the share of the fit that each step is, `announce` with the history's row of each epoch.
    Where a fit goes on with other versions or code, a warning is logged. A stage that has finished
    is left as it is, unless `overwrite` asks for a new fit; what stands is then removed once all
    that the new one needs is known to be there. SIGINT and SIGTERM end the fit after its step, with
    the state kept. Of several processes all read records and run where this one does, and the first
    writes.
    Raises ValueError as `start.of` does, where the folder holds a fit of another config, start or
    records or another process fits in it, where `devices` can't share a batch or their processes
    are not to fit the same, where the loss is not finite, or where the device's memory does not do;
    Interrupted after a signal.
    """
    plan, fold = study.plan(stage), material.held_out
    folder = runs.stage_folder(run, fold, stage)
    is_done = folder.is_finished and not overwrite
    processes = devices.processes

    def prepare() -> tuple[StageFolder | None, dict[str, str], Calendar, tf.data.Dataset]:
        devices.check(plan.batch_size, stage)
        validation.cells(study.operating_point)  # refused before anything is read
        predecessor = start.of(run, material, stage, pretrained)
        made_from = claim.made_from(study, material, predecessor)
        if not overwrite:
            claim.check(folder, study, made_from)
        steps = (batches.num_steps(material, study, stage, e) for e in range(plan.epochs))
        held_out = batches.validation(material.records, fold, plan.size_px, plan.batch_size)
        if not is_done:
            material.locate()
        return predecessor, made_from, Calendar(tuple(steps)), held_out

    predecessor, made_from, calendar, held_out = processes.together(prepare)
    shared = {"--overwrite": str(overwrite), "run folder": str(is_done)}
    processes.agree(claim.facts(folder, study, made_from) | shared)
    if is_done:
        advance(1.0)
        # Where the process was killed before it had removed it.
        processes.by_first(partial(shutil.rmtree, folder.state, ignore_errors=True))
        return folder

    processes.by_first(partial(_warn_of_further, material))
    keras.utils.set_random_seed(study.seed)
    if not plan.xla:  # which Keras does not compile with while operations are deterministic
        tf.config.experimental.enable_op_determinism()
    with devices.scope(), contextlib.ExitStack() as claimed:
        parts = assembly.assemble(study, plan, predecessor)
        session = Session(study, material, folder, parts, calendar, devices)

        def begin() -> bool:
            claimed.enter_context(claim.alone(folder))
            if overwrite:
                _clear(folder, run)
            return _begin(folder, study, material, made_from, predecessor, devices)

        if processes.by_first(begin):
            session.restore()
        with _naming_levers(plan, stage), interruption.watching(processes.is_any) as interrupted:
            result = session.run(held_out, interrupted, advance, announce)

        def end() -> None:
            runs.write_result(folder, result)
            shutil.rmtree(folder.state)

        processes.by_first(end)
    return folder


def _warn_of_further(material: Material) -> None:
    """Say of further records what is left out, or that their ids are no help in finding that."""
    for further, beside in zip(material.further, material.beside, strict=True):
        if beside.num_left_out:
            logger.warning(
                "%d examples of %s are left out, whose images or patients are held out of %s",
                beside.num_left_out,
                further.records,
                material.records,
            )
        elif not beside.has_known_ids:
            logger.warning(
                "no image or patient of %s has an id of %s; if some are the same, give them the "
                "same ids, or what is held out is trained on",
                further.records,
                material.records,
            )


def _begin(
    folder: StageFolder,
    study: Study,
    material: Material,
    made_from: dict[str, str],
    predecessor: StageFolder | None,
    devices: Devices,
) -> bool:
    """Take a folder over; tell whether a fit in it goes on."""
    files.remove_begun(folder.path)
    if not claim.holds_fit(folder):
        facts = {
            **made_from,
            "further_left_out": [each.num_left_out for each in material.beside],
            "started_from": start.lineage(predecessor),
            **devices.facts(),
        }
        claim.write(folder, study, facts)
        return False
    if changes := claim.renew(folder, study, devices):
        logger.warning("%s goes on, but %s", folder.path, "; ".join(changes))
    return True


def _clear(folder: StageFolder, run: Path) -> None:
    """Remove a stage's fit; warn of a later one that began with its weights."""
    if not folder.path.exists():
        return
    shutil.rmtree(folder.path)
    for later in runs.stages(run, folder.fold):
        if later.stage > folder.stage and later.is_finished:
            logger.warning(
                "%s was fitted from the weights that are replaced now; fit it anew with "
                "--stage %s --overwrite",
                later.path,
                later.stage,
            )


@contextlib.contextmanager
def _naming_levers(plan: Stage, stage: str) -> Iterator[None]:
    """Say what to do where the device's memory is exhausted."""
    try:
        yield
    except (tf.errors.ResourceExhaustedError, RuntimeError) as error:
        # JAX has one error for all that goes wrong in a step.
        if "RESOURCE_EXHAUSTED" not in str(error) and not isinstance(error, tf.errors.OpError):
            raise
        levers = {
            f"set stage.{stage}.rematerialised=true": not plan.rematerialised,
            f"set stage.{stage}.precision=mixed_bfloat16": plan.precision == "float32",
            f"halve stage.{stage}.batch_size and double stage.{stage}.accumulated_batches": (
                plan.batch_size > 1
            ),
            "take a smaller encoder or size_px": True,
        }
        raise ValueError(
            f"the device's memory does not do for {plan.batch_size} images of {plan.size_px} px; "
            + ", or ".join(lever for lever, is_left in levers.items() if is_left)
        ) from error
