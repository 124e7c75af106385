"""This holds what a model card says of the operating point's worth, and on which images."""

import pandas as pd

from tfptx.operating_point.tables import Point
from tfptx.serving.card_facts import Facts
from tfptx.serving.card_tables import cell, table, with_interval
from tfptx.serving.judgement import Judgement

GROUP_FIGURES = ("mean_dice", "positive_dice", "sensitivity", "specificity")


def where_chosen(facts: Facts) -> str:
    """What the point scored where it was chosen."""
    point = facts.point
    if point.mean_dice is None:
        return "What it scores where it was chosen is not known: the point came without maps."
    origin = "these networks" if facts.is_own_point else "OTHER networks than these"
    nested = (
        "A point chosen on the images that score it scores a little too high there."
        if point.nested_mean_dice is None
        else f"Points chosen in the same way without the images that they were judged on score "
        f"{_interval(point.nested_mean_dice, point.nested_low, point.nested_high)} on these."
    )
    lines = [
        f"On the {point.num_images} images that it was chosen on, with maps of {origin}:",
        "",
        f"- mean Dice {_interval(point.mean_dice, point.low, point.high)}; predicting nothing at "
        f"all scores {cell(point.all_empty_dice)}",
        f"- mean Dice over images with a pneumothorax {cell(point.positive_dice)}",
        "",
        nested,
    ]
    if len(facts.folders) > 1:
        lines.append(
            "Where those images are of several folds, each was scored by the networks that held it "
            "out; the average of all networks, which is served here, was not scored itself."
        )
    return "\n".join(lines)


def where_judged(facts: Facts) -> str:
    """What the point scored where it was judged, and on whom."""
    if not facts.judgements:
        return (
            "It was not judged on other images, as far as this card knows. `tfptx evaluate --out "
            "STUDY/test` judges it, and `tfptx export --study STUDY` then tells the result here."
        )
    return "\n\n".join(_judgement(each, facts.point) for each in facts.judgements)


def people(judgement: Judgement) -> str:
    """Who the images of a judgement are of."""
    images = judgement.images
    ages = images["age"].dropna()
    parts = [
        f"{len(images)} images of {images['patient_id'].nunique()} patients, "
        f"{int((images['truth_px'] > 0).sum())} with a pneumothorax"
    ]
    for name in ("sex", "view"):
        counts = images[name].fillna("unknown").replace("", "unknown").value_counts()
        parts.append(f"{name} {', '.join(f'{value} {count}' for value, count in counts.items())}")
    if len(ages):
        parts.append(f"age {ages.min():.0f} to {ages.max():.0f}, median {ages.median():.0f}")
    else:
        parts.append("age unknown")
    return "; ".join(parts)


def _judgement(judgement: Judgement, point: Point) -> str:
    origin = {
        True: "These are the images that it was chosen on, so expect less on others.",
        False: "It was not chosen on these images.",
        None: "Whether it was chosen on these images is not known.",
    }[judgement.is_where_chosen]
    figures = table(
        ("figure", "value (95 % interval over patients)", "predicting nothing"),
        (
            (
                str(row["figure"]).replace("_", " "),
                with_interval(row["value"], row["low"], row["high"]),
                float(row["all_empty"]),
            )
            for row in judgement.figures.to_dict("records")
            if not pd.isna(row["value"])
        ),
    )
    text = f"Judged in {judgement.place}: {people(judgement)}. {origin}\n\n{figures}"
    return f"{text}\n\n{_groups(judgement.subgroups)}"


def _groups(subgroups: pd.DataFrame) -> str:
    if subgroups.empty:
        return "Subgroups: none, since of these images neither view, sex nor age is known."
    return table(
        ("subgroup", "images", "positives", *(name.replace("_", " ") for name in GROUP_FIGURES)),
        (
            (
                f"{row['column']} {row['value']}",
                row["num_images"],
                row["num_positives"],
                *(
                    with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"])
                    for name in GROUP_FIGURES
                ),
            )
            for row in subgroups.to_dict("records")
        ),
    )


def _interval(value: float, low: float | None, high: float | None) -> str:
    ends = (
        ""
        if low is None or high is None
        else f", 95 % interval over patients {low:.4f} to {high:.4f}"
    )
    return f"{value:.4f}{ends}"
