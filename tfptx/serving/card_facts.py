"""This holds the facts that a model card tells: what was exported, and what it is worth."""

from collections.abc import Sequence
from dataclasses import dataclass

from tfptx.operating_point.tables import Point
from tfptx.runs import StageFolder
from tfptx.serving.judgement import Judgement
from tfptx.serving.trial import Trial


@dataclass(frozen=True, eq=False)
class Facts:
    """An export. `is_own_point` says whether its point was chosen on maps of just these networks.

    `folders` are the networks' stages, `size_px` the side of the images that they see.
    """

    folders: Sequence[StageFolder]
    point: Point
    is_own_point: bool
    size_px: int
    xla: bool
    tried: Trial
    judgements: Sequence[Judgement] = ()
