"""This holds the words for what is wrong with a config."""

from typing import Any

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, root: type[BaseModel]) -> str:
    """Name each key that is wrong, and what is allowed there; `root` is the model of the whole."""
    lines = []
    for problem in error.errors():
        where = ".".join(str(step) for step in problem["loc"] if step != "[key]")
        match problem["type"]:
            case "extra_forbidden":
                lines.append(
                    f"unknown key {where}; allowed there: {_allowed(problem['loc'], root)}"
                )
            case "missing":
                lines.append(f"missing key {where}")
            case _ if isinstance(problem["input"], dict):
                message = problem["msg"].removeprefix("Value error, ")
                lines.append(": ".join(filter(None, (where, message))))
            case _:
                lines.append(f"{where}: {problem['msg']}, got {problem['input']!r}")
    return "; ".join(lines)


def _allowed(location: tuple[int | str, ...], root: type[BaseModel]) -> str:
    model = root
    for step in location[:-1]:
        if not isinstance(step, str) or step not in model.model_fields:
            continue
        found = _part_in(model.model_fields[step].annotation)
        model = found or model
    return ", ".join(model.model_fields)


def _part_in(annotation: Any) -> type[BaseModel] | None:
    """The config part that an annotation is, or holds as a container's last argument."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    arguments = getattr(annotation, "__args__", ())
    return _part_in(arguments[-1]) if arguments else None
