"""The direction of imports, read from the sources."""

import ast
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "tfptx"
LAYERS = {
    "cli": 7,
    "studies": 6,
    "training": 5,
    "serving": 5,
    "inference": 4,
    "pipeline": 3,
    "records": 2,
    "operating_point": 2,
    "scans": 1,
    "network": 1,
    "objectives": 1,
    "runs": 1,
    "config": 0,
    "config_overrides": -1,
    "config_problems": -1,
    "stage_config": -1,
    "schedules": 0,
    "files": 0,
    "provenance": 0,
}
WITHOUT_TENSORFLOW = {"operating_point", "scans", "runs", "config", "schedules"}
ONLY_IMPORTERS = {
    "pydicom": {
        "scans/dicom.py",
        "scans/dicom_reference.py",
        "scans/display.py",
        "scans/phantom/dicom_file.py",
        "scans/radiograph.py",
    },
    "highdicom": {"serving/dicom_seg.py"},
    "albumentations": {"pipeline/augmentation.py"},
    "segmentation_models": {"network/encoders.py"},
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    for name in imported(path):
        package, *rest = name.split(".")
        if package == "tfptx":
            assert rest[0] == room(path) or LAYERS[rest[0]] < LAYERS[room(path)], name
        if room(path) in WITHOUT_TENSORFLOW:
            assert package not in {"tensorflow", "keras"}
        if package in ONLY_IMPORTERS:
            assert str(path.relative_to(PACKAGE)) in ONLY_IMPORTERS[package]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_says_what_it_holds_and_stays_small(path):
    text = path.read_text()
    docstring = ast.get_docstring(ast.parse(text)) or ""
    assert docstring.startswith("This holds ")
    assert len(text.splitlines()) <= 300


def test_package_files_hold_a_docstring_only():
    for path in PACKAGE.rglob("__init__.py"):
        body = ast.parse(path.read_text()).body
        assert len(body) == 1, path
        assert ast.get_docstring(ast.parse(path.read_text())), path


# What runs code that a file holds: none of our formats needs it.
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml"}
UNSAFE_CALLS = {"eval", "exec", "compile", "load_model", "enable_unsafe_deserialization"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_can_bring_code_with_it(path):
    assert not {name.split(".")[0] for name in imported(path)} & UNSAFE_MODULES
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        # A method of ours, as re.compile, is another thing than what Python calls so.
        if isinstance(node.func, ast.Name):
            assert node.func.id not in UNSAFE_CALLS
        for keyword in node.keywords:
            is_false = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            assert keyword.arg != "allow_pickle" or is_false
