"""Imports run one way through the house, and importing it stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skbci

ROOT = Path(skbci.__file__).parent
# From the top of the house down: a room imports only from rooms that stand before it.
ROOMS = [
    "datasets", "features", "optim", "weighting", "losses", "nets", "sparsity", "_training",
    "estimators", "baselines", "model_selection", "evaluation", "display", "stream",
]
GROUND_FLOOR = {"optim", "weighting", "losses", "nets", "sparsity"}
FILES = sorted(ROOT.rglob("*.py"))
# Files that still reach behind another room's front door.
REACHING_IN: set[str] = {
    "baselines/_fbcsp.py",
    "display/_convergence.py",
    "display/_loss_weights.py",
    "display/_sparsity.py",
    "evaluation/_confounding/confound_report.py",
    "evaluation/_confounding/inputs.py",
    "evaluation/_leakage.py",
    "stream/_causality.py",
    "stream/_classifiers.py",
    "stream/_filtered.py",
    "stream/_history.py",
    "stream/_plan.py",
    "stream/_transforms.py",
    "stream/_welch_segments.py",
}


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
        ("from skbci.estimators._base import BaseNeural\nimport skbci.nets", []),
        ("from skbci._checks import check_number", []),
    ],
)
def test_an_import_behind_a_front_door_is_found(line, found):
    source = (ROOT / "estimators" / "_base.py").read_text()
    assert private_imports(f"{source}\n{line}\n", "estimators") == found


@pytest.mark.parametrize("heavy", ["matplotlib.pyplot", "moabb", "braindecode", "torch"])
def test_importing_skbci_loads_nothing_heavy(heavy):
    code = f"import sys, skbci; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
