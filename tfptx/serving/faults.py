"""This holds whose fault it is where a model gives no answer: one image's, or the model's."""

from collections.abc import Sequence

from tfptx.serving import probe
from tfptx.serving.answers import Answer, Model

TRIES = 3  # of an image that is not answered while another one is


class NoAnswerError(ValueError):
    """The model gives no answer at all, which is no image's fault."""


class OtherModelError(NoAnswerError):
    """Another model answers than the one that results are to tell of; waiting does not help."""


def answers(model: Model, images: Sequence[bytes]) -> list[Answer]:
    """The model's answers; an image alone for which it gives none answers for itself.

    Where the model fails, or has an error for every image, it is asked for a generated radiograph.
    If it answers that, the images are at fault; where it failed, they are asked for one by one,
    each up to TRIES times.
    Raises NoAnswerError where the generated radiograph is not answered either, OtherModelError
    where another model answers.
    """
    if not images:
        return []
    try:
        found = model(images)
    except Exception as error:  # what a graph or a client raises is anyone's guess
        _refuse_unless_answering(model, error)
        return [_one(model, image) for image in images]
    if all(answer.error for answer in found):
        _refuse_unless_answering(model, ValueError(found[0].error))
    return found


def asked_probe(model: Model) -> Answer:
    """The answer of a generated radiograph.

    Raises NoAnswerError where there is none, OtherModelError where another model answers.
    """
    try:
        (answer,) = model([probe.radiograph()])
    except NoAnswerError:
        raise
    except Exception as error:  # as in `answers`
        raise NoAnswerError(_reason(error)) from error
    if answer.error:
        raise NoAnswerError(answer.error)
    return answer


def _one(model: Model, image: bytes) -> Answer:
    reason = ""
    for _ in range(TRIES):
        try:
            (answer,) = model([image])
        except Exception as error:  # as above
            _refuse_unless_answering(model, error)
            reason = _reason(error)
        else:
            return answer
    return Answer(b"", 0, False, 0.0, error=reason)


def _refuse_unless_answering(model: Model, error: Exception) -> None:
    if isinstance(error, OtherModelError):
        raise error
    try:
        asked_probe(model)
    except OtherModelError:
        raise
    except NoAnswerError as probed:
        what = _reason(error)
        if str(probed) != what:
            what = f"{what}; nor does it answer a generated one: {probed}"
        raise NoAnswerError(what) from error


def _reason(error: Exception) -> str:
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, OSError):
        return f"the model can't be asked ({error.strerror})"
    return f"the model fails: {type(error).__name__}"
