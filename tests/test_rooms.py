"""Imports run one way through the house, and importing it stays cheap."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import skbci

ROOT = Path(skbci.__file__).parent
# From the top of the house down: a room imports only from rooms that stand before it.
ROOMS = [
    "datasets", "features", "augmentation", "optim", "weighting", "losses", "nets", "sparsity",
    "_training", "estimators", "baselines", "model_selection", "evaluation", "display", "stream",
    "persistence", "cli", "__main__",
]
GROUND_FLOOR = {"optim", "weighting", "losses", "nets", "sparsity"}
FILES = sorted(ROOT.rglob("*.py"))
FOLDERS = sorted({path.parent for path in FILES})
LONGEST_FILE = 350
MOST_FILES = 20
# What has yet to be divided; these only ever become fewer.
TOO_LONG: set[str] = set()
TOO_FULL: set[str] = set()
# Files that still reach behind another room's front door.
REACHING_IN: set[str] = set()


def rooms_imported(path: Path) -> set[str]:
    """Rooms of skbci that a file's import statements name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            assert node.level == 0, f"{path}: relative imports hide the room"
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "skbci" and len(parts) > 1 and parts[1] in ROOMS:
                found.add(parts[1])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_from_rooms_above_it(path):
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    others = rooms_imported(path) - {room}
    if room not in ROOMS:
        assert not others, "the ground floor knows no room"
        return
    above = set(ROOMS[: ROOMS.index(room)])
    if room in GROUND_FLOOR:
        above -= GROUND_FLOOR
    assert others <= above


def private_imports(source: str, room: str) -> list[str]:
    """What a file imports of other rooms that their front doors do not give.

    A room's front door is the package itself, and what it gives has no leading underscore.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            pairs = [(node.module or "", alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            pairs = [(alias.name, "") for alias in node.names]
        else:
            continue
        for module, name in pairs:
            parts = module.split(".")
            if parts[0] == "skbci" and parts[1:] and parts[1] in set(ROOMS) - {room} and (
                len(parts) > 2 or name.startswith("_")
            ):
                found.append(f"{module}.{name}".rstrip("."))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_speak_through_their_front_doors(path):
    name = str(path.relative_to(ROOT))
    if name in REACHING_IN:
        pytest.skip("reaches in")
    assert private_imports(path.read_text(), path.relative_to(ROOT).parts[0]) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from skbci._training.net import SlicingNet", ["skbci._training.net.SlicingNet"]),
        ("import skbci._training.net", ["skbci._training.net"]),
        ("from skbci.nets import _mlp", ["skbci.nets._mlp"]),
        ("def f():\n    from skbci.nets._mlp import MLP", ["skbci.nets._mlp.MLP"]),
        ("from skbci._training import SlicingNet\nfrom skbci.nets import MLP", []),
        ("from skbci.estimators._neural.base import BaseNeural\nimport skbci.nets", []),
        ("from skbci._checks import check_number", []),
    ],
)
def test_an_import_behind_a_front_door_is_found(line, found):
    source = (ROOT / "estimators" / "_neural" / "base.py").read_text()
    assert private_imports(f"{source}\n{line}\n", "estimators") == found


MOST_CLASSES_ABOVE = 4


def estimator_classes() -> list[type]:
    """Every class of a room that can be fitted."""
    found = set()
    for room in ROOMS:
        module = importlib.import_module(f"skbci.{room}")
        found |= {
            kind for name in getattr(module, "__all__", ()) if isinstance(
                kind := getattr(module, name), type
            ) and hasattr(kind, "fit")
        }
    return sorted(found, key=lambda kind: kind.__qualname__)


def classes_above(kind: type) -> list[str]:
    """The classes of this package that a class inherits from."""
    return [base.__name__ for base in kind.__mro__[1:] if base.__module__.startswith("skbci.")]


@pytest.mark.parametrize("kind", estimator_classes(), ids=lambda kind: kind.__name__)
def test_estimators_are_composed_not_stacked(kind):
    assert len(classes_above(kind)) <= MOST_CLASSES_ABOVE, classes_above(kind)


def test_a_ladder_of_classes_is_found():
    from skbci.estimators import MIN2NetClassifier

    class Named(MIN2NetClassifier):
        __module__ = "skbci.estimators"

    assert len(classes_above(Named)) > MOST_CLASSES_ABOVE


HEAVY = {"torch", "skorch", "mne.viz", "matplotlib.pyplot", "pyriemann", "moabb", "braindecode"}


def test_importing_loads_nothing_heavy_before_it_is_needed():
    """Features, and what wraps any classifier, come without torch and pictures; once for all."""
    code = (
        "import sys, skbci, skbci.features, skbci.estimators\n"
        "from skbci.estimators import DecoderPipeline, EvidenceAccumulator, OnlineClassifier\n"
        "X = skbci.EEGArray([[[0.0, 1.0, 0.5, 2.0]]], sfreq=4)\n"
        "skbci.features.WindowMeans(0.5).fit_transform(X)\n"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not set(run.stdout.split()) & HEAVY


def test_a_lazy_front_door_gives_what_type_checkers_see():
    for room in ROOMS:
        path = ROOT / room / "__init__.py"
        if not path.exists() or "lazy_front_door(" not in path.read_text():
            continue
        tree = ast.parse(path.read_text())
        stated = {
            alias.name: (node.module or "").removeprefix(f"skbci.{room}.")
            for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith(f"skbci.{room}.") for alias in node.names
        }
        places = next(node for node in ast.walk(tree) if isinstance(node, ast.Dict))
        assert ast.literal_eval(places) == stated
        module = importlib.import_module(f"skbci.{room}")
        assert set(module.__all__) <= set(dir(module))
        assert all(hasattr(module, name) for name in stated)
        with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
            module.Nothing  # noqa: B018


def files_imported(path: Path) -> set[Path]:
    """Files of skbci that a file imports from, wherever in it the statement stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("skbci"):
            continue
        module = ROOT.joinpath(*(node.module or "").split(".")[1:])
        for name in node.names:
            places = (module / f"{name.name}.py", module.with_suffix(".py"))
            found |= {place for place in places if place.exists()}
    return found


def test_no_two_files_import_each_other():
    graph = {path: files_imported(path) for path in FILES}
    assert not {
        f"{path.relative_to(ROOT)} and {other.relative_to(ROOT)}"
        for path, others in graph.items() for other in others - {path} if path in graph[other]
    }


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_is_too_long(path):
    is_long = len(path.read_text().splitlines()) > LONGEST_FILE
    assert is_long == (path.relative_to(ROOT).as_posix() in TOO_LONG)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_folder_is_too_full(folder):
    is_full = sum(path.is_file() for path in folder.iterdir()) > MOST_FILES
    assert is_full == (folder.relative_to(ROOT).as_posix() in TOO_FULL)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_folder_is_a_package(folder):
    # What has none is not installed, though a checkout imports it.
    assert (folder / "__init__.py").is_file()
