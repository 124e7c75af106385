"""This holds the address of a model behind a server: scheme://host:port/name/version?settings."""

import math
import re
from typing import Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tfptx.serving import layout

FORM = (
    "give http://HOST:8501/NAME or grpc://HOST:8500/NAME, https or grpcs where TLS is spoken, with "
    "/VERSION where it must be that one, and ?timeout_seconds=60&requests=4 to change these"
)
GRPC = ("grpc", "grpcs")
# TensorFlow Serving's own paths are taken too.
PATH = re.compile(r"/?(v1/models/)?(?P<name>[^/]+)?(/(versions/)?(?P<version>\d+))?/?")


class Address(BaseModel):
    """Where a model is served and how it is to be asked.

    `host` has the port; `version` None is the latest. `timeout_seconds` is what an answer may take
    with all its tries. At most `requests` are under way at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scheme: Literal["http", "https", "grpc", "grpcs"]
    host: str = Field(min_length=1)
    name: str = layout.MODEL_NAME
    version: int | None = None
    timeout_seconds: float = Field(default=60, gt=0, lt=math.inf)
    requests: int = Field(default=4, ge=1, le=64)

    @model_validator(mode="after")
    def _has_port(self) -> Self:
        if self.scheme in GRPC and not re.search(r":\d+$", self.host):
            raise ValueError("gRPC needs a port")
        return self

    def __str__(self) -> str:
        version = "" if self.version is None else f"/{self.version}"
        return f"{self.scheme}://{self.host}/{self.name}{version}"


def is_address(where: str) -> bool:
    """Whether this names a server, not a folder."""
    return "://" in where


def parse(where: str) -> Address:
    """Read an address. Raises ValueError where it is none, or names a user or a password."""
    parts = urlsplit(where)
    if "@" in parts.netloc:
        # It is not repeated here, as it would be in predictions.json and in messages.
        raise ValueError(f"an address may not hold a user or a password; {FORM}")
    path = PATH.fullmatch(parts.path)
    if path is None:
        raise ValueError(f"{where} is no address of a model; {FORM}")
    named = {key: value for key, value in path.groupdict().items() if value is not None}
    settings = dict(parse_qsl(parts.query, keep_blank_values=True))
    try:
        return Address.model_validate(
            {**settings, "scheme": parts.scheme, "host": parts.netloc, **named}
        )
    except ValidationError as error:
        problem = error.errors()[0]
        what = " ".join([*map(str, problem["loc"]), problem["msg"]])
        raise ValueError(f"{where} is no address of a model: {what}; {FORM}") from error
