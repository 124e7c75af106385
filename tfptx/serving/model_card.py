"""This holds the model card: what an export is, how it decides, and what it is not for."""

from collections.abc import Sequence
from typing import cast

from tfptx import provenance, runs
from tfptx.operating_point.tables import Point
from tfptx.runs import StageFolder
from tfptx.serving.trial import Trial

TEMPLATE = """\
# Pneumothorax segmentation: model card

A SavedModel that outlines pneumothorax on a frontal chest radiograph. It takes JPEG or PNG files
and gives a mask in each file's own size, and whether there is one at all.

## Networks

{networks}

A radiograph is scaled until its longer side is {size_px} px; what is left of the square is black.
The probability there is {average}, resized bilinearly to the radiograph's own size.

## Operating point

- A pixel counts from a probability of {rule.bottom_threshold}.
- An image in which fewer than {rule.area_px} pixels, of {rule.size_px} x {rule.size_px}, reach a
  probability of {rule.top_threshold} has an empty mask; at other sizes that number scales with the
  image's area.{presence}

{score}

## Use

For research: to compare methods, to sort radiographs for reading, to draw first masks that a reader
corrects. It is no medical device, and no finding of it, an empty mask least of all, may stand
without a radiologist's.

Limits:

- It knows frontal chest radiographs like those it was fitted on. Lateral views, children, other
  detectors and processing, and images that are no radiograph get an answer too, of unknown worth.
- Chest tubes, skin folds and bullae resemble what it looks for. Where training images of
  pneumothorax show a tube, a network can learn the tube.
- A probability is not calibrated; the largest one of an image is no risk of disease.
- Scores are means over images. They hold for the share of positives of the data they are from.

## Made with

{versions}
"""


def text(
    folders: Sequence[StageFolder], point: Point, is_own_point: bool, size_px: int, tried: Trial
) -> str:
    """The card, in Markdown, of the networks of `folders` at an operating point.

    `is_own_point` says whether the point was chosen on maps of just these networks.
    """
    environment = provenance.environment()
    packages = cast(dict[str, str | None], environment["packages"])
    versions = {"python": environment["python"], **packages}
    return TEMPLATE.format(
        networks="\n".join(_network(folder) for folder in folders),
        average=_average(len(folders), point),
        size_px=size_px,
        rule=point.rule,
        presence=_presence(point),
        score=_score(len(folders), point, is_own_point),
        versions="\n".join(f"- {name} {version}" for name, version in versions.items() if version),
    )


def _presence(point: Point) -> str:
    least = point.rule.min_presence
    if not least:
        return ""
    return f"\n- An image whose presence, a head of its own, is below {least} has an empty mask."


def _average(num_networks: int, point: Point) -> str:
    if num_networks == 1 and not (point.flip or point.fused):
        return "the network's"
    parts = [] if num_networks == 1 else [f"over {num_networks} networks"]
    if point.flip:
        parts.append("over the image and its mirror image")
    if point.fused:
        parts.append("of the mask's probability and (1 + d) / 2, d being the signed distance")
    return f"the mean {' and '.join(parts)}"


def _network(folder: StageFolder) -> str:
    study = runs.read_study(folder)
    return (
        f"- U-Net with encoder {study.network.encoder}, study {study.name}, stage {folder.stage}, "
        f"fold {folder.fold} held out, fingerprint "
        f"{provenance.short(runs.fingerprint(folder))}"
    )


def _score(num_networks: int, point: Point, is_own_point: bool) -> str:
    if point.mean_dice is None:
        return "What it scores there is not known: the point came without maps."
    origin = "these networks" if is_own_point else "OTHER networks than these"
    lines = [
        f"On the {point.num_images} images that it was chosen on, with maps of {origin}:",
        "",
        f"- mean Dice {point.mean_dice:.4f}{_interval(point)}; predicting nothing at all scores "
        f"{_figure(point.all_empty_dice)}",
        f"- mean Dice over images with a pneumothorax {_figure(point.positive_dice)}",
        "",
        "A point chosen on the images that score it scores a little too high there."
        if point.nested_mean_dice is None
        else f"Points chosen in the same way without the images that they were judged on score "
        f"{point.nested_mean_dice:.4f} on these.",
    ]
    if num_networks > 1:
        lines.append(
            "Where those images are of several folds, each was scored by the networks that held it "
            "out; the average of all networks, which is served here, was not scored itself."
        )
    return "\n".join(lines)


def _interval(point: Point) -> str:
    if point.low is None or point.high is None:
        return ""
    return f" (95 % interval over patients {point.low:.4f} to {point.high:.4f})"


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
