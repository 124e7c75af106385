"""This holds the model card: what an export is, how it decides, and what it is not for."""

from typing import cast

from tfptx import provenance
from tfptx.operating_point.tables import Point
from tfptx.serving import card_training, card_worth, claim
from tfptx.serving.card_facts import Facts

TEMPLATE = """\
# Pneumothorax segmentation: model card

A SavedModel that outlines pneumothorax on a frontal chest radiograph. It takes JPEG or PNG files
and gives a mask in each file's own size, and whether there is one at all.

**It is no medical device.** No authority has examined it, and no finding of it, an empty mask least
of all, may stand without a radiologist's.

## Use

For research: to compare methods, to sort radiographs for reading, to draw first masks that a reader
corrects. Not for diagnosis, nor for the triage of patients whom nobody else looks at.

## Networks

{networks}

A radiograph is scaled until its longer side is {size_px} px; what is left of the square is black.
The probability there is {average}, resized bilinearly to the radiograph's own size.

## Training

{training}

{seen} Epochs count from 0.

## Operating point

- A pixel counts from a probability of {rule.bottom_threshold}.
- An image in which fewer than {rule.area_px} pixels, of {rule.size_px} x {rule.size_px}, reach a
  probability of {rule.top_threshold} has an empty mask; at other sizes that number scales with the
  image's area.{presence}

{chosen}

{judged}

## Limits

- It knows frontal chest radiographs like those it was fitted on. Lateral views, children, other
  detectors and processing, and images that are no radiograph get an answer too, of unknown worth.
- Chest tubes, skin folds and bullae resemble what it looks for. Where training images of
  pneumothorax show a tube, a network can learn the tube.
- A probability is not calibrated; the largest one of an image is no risk of disease.
- Scores are means over images. They hold for the share of positives of the data they are from.{xla}

## Size and speed

{size_mb:.0f} MB on disk. One generated radiograph of {size_px} px took {later_ms:.0f} ms, the first
one after loading {first_ms:.0f} ms, in this process on {cores} cores ({platform}).

## Licence of the weights

{licence}

## CLAIM

The Checklist for Artificial Intelligence in Medical Imaging of 2020. {claim}

## Made with

{versions}
"""
COMPILED = """
- XLA compiles the networks and rounds otherwise than the maps that the point was chosen on; single
  pixels may differ."""


def text(facts: Facts) -> str:
    """The card in Markdown."""
    environment = provenance.environment()
    packages = cast(dict[str, str | None], environment["packages"])
    versions = {"python": environment["python"], **packages}
    return TEMPLATE.format(
        networks=card_training.networks(facts.folders),
        training=card_training.training(facts.folders),
        seen=card_training.seen(facts.folders),
        average=_average(len(facts.folders), facts.point),
        size_px=facts.size_px,
        rule=facts.point.rule,
        presence=_presence(facts.point),
        chosen=card_worth.where_chosen(facts),
        judged=card_worth.where_judged(facts),
        xla=COMPILED if facts.xla else "",
        size_mb=facts.tried.size_bytes / 1e6,
        later_ms=1000 * facts.tried.later_seconds,
        first_ms=1000 * facts.tried.first_seconds,
        cores=environment["cores"],
        platform=environment["platform"],
        licence=card_training.licence(facts),
        claim=claim.checklist(facts),
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
