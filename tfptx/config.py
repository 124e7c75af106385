"""This holds the study's config: strict typed models, TOML in, the resolved config out.

The part that tells of one stage stands in `tfptx.stage_config`.

Every key is required: a config can be read alone, and a default can't change under a study.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import Field, ValidationError, field_validator, model_validator

from tfptx import config_overrides, config_problems
from tfptx.stage_config import OF_HEADS, Count, HeadName, Part, Share, Stage

EncoderName = Literal[
    "resnet18",
    "resnet34",
    "resnet50",
    "seresnet50",
    "seresnext50",
    "efficientnetb0",
    "efficientnetb1",
    "efficientnetb2",
    "efficientnetb3",
    "efficientnetb4",
    "efficientnetb5",
]
StageName = Literal["1", "2"]


class Decoder(Part):
    """How the decoder doubles its features, and whether it weighs them; see `network.decoder`."""

    upsampling: Literal["nearest", "transposed"]
    attention: Literal["none", "scse"]


class Network(Part):
    """The U-Net: `encoder_weights` is "imagenet", "random" or the path of a weight file.

    `heads` are those beside the mask, in any order, see `network.heads`; each needs its loss, of
    OF_HEADS, in the last phase of every stage.
    """

    encoder: EncoderName
    encoder_weights: str
    decoder: Decoder
    heads: list[HeadName]

    @field_validator("heads")
    @classmethod
    def _once_each(cls, heads: list[HeadName]) -> list[HeadName]:
        if len(set(heads)) < len(heads):
            raise ValueError(f"heads {heads} name one twice")
        return sorted(heads)


class Augmentation(Part):
    """The training recipe: the probability of each family, and the reach of the affine one.

    "albumentations" draws it on the processor, "graph" on the device that the network trains on.
    """

    engine: Literal["albumentations", "graph"]
    horizontal_flip: Share
    tone: Share
    distortion: Share
    affine: Share
    shift_share: Share
    scale_share: Share
    rotate_degrees: Annotated[float, Field(ge=0, le=180)]


class Grid(Part):
    """The cells, `first:last:step`, that score each epoch; pixels are those of `size_px`."""

    thresholds: str
    min_pixels: str
    size_px: Count


class Study(Part):
    """A whole study."""

    name: str
    seed: Annotated[int, Field(ge=0)]
    network: Network
    augmentation: Augmentation
    operating_point: Grid
    stage: Annotated[dict[StageName, Stage], Field(min_length=1)]

    @field_validator("stage")
    @classmethod
    def _in_order(cls, stages: dict[StageName, Stage]) -> dict[StageName, Stage]:
        return dict(sorted(stages.items()))

    @model_validator(mode="after")
    def _heads_trained(self) -> Self:
        for name, stage in self.stage.items():
            phases = [{term for term, w in each.weights.items() if w} for each in stage.curriculum]
            for term, head in OF_HEADS.items():
                if head not in self.network.heads and any(term in terms for terms in phases):
                    raise ValueError(
                        f"stage {name} has the loss {term}, network.heads has no {head!r}"
                    )
                # Features that move on would leave behind a head that no longer learns.
                if head in self.network.heads and term not in phases[-1]:
                    raise ValueError(
                        f"network.heads has {head!r}, which the last phase of stage {name} does "
                        f"not train; give {term} a weight there"
                    )
        return self

    @model_validator(mode="after")
    def _compiled_alike(self) -> Self:
        # Keras compiles nothing in a process that has asked for deterministic operations.
        if len({stage.xla for stage in self.stage.values()}) > 1:
            raise ValueError("xla is true in one stage and false in another; set all alike")
        return self

    def plan(self, stage: str) -> Stage:
        """The settings of a stage. Raises ValueError where the study has no such stage."""
        for name, settings in self.stage.items():
            if name == stage:
                return settings
        raise ValueError(f"the study {self.name} has no stage {stage}; it has {list(self.stage)}")


def read(path: Path, overrides: tuple[str, ...] = ()) -> Study:
    """Read a study from TOML, with `key.of.parts=value` overrides applied.

    Raises ValueError that names the file, the key and what is allowed there.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"no config at {path}; name one with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    for override in overrides:
        config_overrides.apply(content, override)
    return parse(content, str(path))


def parse(content: dict[str, Any], source: str) -> Study:
    """Check a config's content; errors name `source`."""
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"{source}: {config_problems.explain(error, Study)}") from error


def to_toml(study: Study) -> str:
    """The resolved config as TOML, which `read` takes back unchanged."""
    return tomli_w.dumps(study.model_dump(mode="json", exclude_none=True))
