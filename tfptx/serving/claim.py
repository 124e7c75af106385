"""This holds the checklist CLAIM, filled as far as a run and its study know.

Mongan, Moy, Kahn: Checklist for Artificial Intelligence in Medical Imaging, Radiology: Artificial
Intelligence 2020; 2(2): e200029. The items are in words of our own.
"""

from tfptx.serving import card_training, card_worth
from tfptx.serving.card_facts import Facts
from tfptx.serving.card_tables import table

ITEMS = (
    "the title names the kind of AI",
    "structured abstract",
    "background, intended use and clinical role",
    "objectives and hypotheses",
    "prospective or retrospective",
    "goal of the study",
    "sources of data",
    "who is eligible",
    "preprocessing",
    "subsets of data",
    "definitions of data elements",
    "de-identification",
    "missing data",
    "definition of the reference standard",
    "why that standard",
    "annotators and their qualification",
    "annotation tools",
    "variability between and within raters",
    "intended sample size",
    "assignment to partitions",
    "level at which partitions are disjoint",
    "the model",
    "software",
    "initial parameters",
    "training",
    "choice of the final model",
    "ensembling",
    "metrics",
    "uncertainty",
    "robustness",
    "explainability",
    "external data",
    "flow of cases",
    "demographic and clinical characteristics",
    "performance on every partition",
    "accuracy and its precision",
    "failure analysis",
    "limitations",
    "implications for practice",
    "registration",
    "where the protocol is",
    "funding",
)
OPEN = "to be filled in"


def checklist(facts: Facts) -> str:
    """The items with what is known of each, and how many are still open."""
    known = _known(facts)
    rows = [(i, item, known.get(i, OPEN)) for i, item in enumerate(ITEMS, start=1)]
    filled = f"{len(known)} of {len(ITEMS)} items are filled, some in part."
    return f"{filled}\n\n{table(('', 'item', 'here'), rows)}"


def _known(facts: Facts) -> dict[int, str]:
    records = "the records of the fingerprints above, which `tfptx info RECORDS` describes"
    known = {
        1: "deep learning: segmentation by a U-Net, and a decision whether there is any mask",
        6: "making a model, and choosing and judging its operating point",
        7: f"{records}; where their images are from is to be added",
        9: f"grey levels as displayed, 8 bits, the longer side scaled to {facts.size_px} px, in "
        "the graph itself",
        11: "a pixel is pneumothorax or not; an image is positive where a pixel is",
        20: "folds by patient, of like shares of mask sizes; one held out for each network",
        21: "the patient, as far as the records were built with patients' ids",
        22: "see Networks; all of it in config.toml of the run",
        23: "see Made with",
        24: "see Training",
        25: "see Training",
        26: "the epoch of the largest mean Dice on the held-out fold at the best cell of the grid",
        27: _ensembling(facts),
        28: "Dice per image, 1 where mask and truth are empty; sensitivity and specificity of "
        "images",
        29: "95 % intervals by resampling patients",
        31: "the mask and the probability map are shown; nothing else explains them",
        38: "see Limits",
        39: "see Use",
        41: "config.toml and environment.json of the run",
    }
    if facts.judgements:
        known[30] = "see the subgroups above"
        known[34] = "; ".join(
            f"{each.place}: {card_worth.people(each)}" for each in facts.judgements
        )
        known[36] = "see Operating point"
    return known


def _ensembling(facts: Facts) -> str:
    num_studies = len(card_training.studies(facts.folders))
    plural = "y" if num_studies == 1 else "ies"
    return (
        f"mean probability of {len(facts.folders)} networks of {num_studies} stud{plural}"
        f"{', and of mirrored images' if facts.point.flip else ''}"
    )
