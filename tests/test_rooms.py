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
    "datasets", "features", "optim", "weighting", "losses", "nets", "sparsity", "estimators",
    "baselines", "model_selection", "evaluation", "display", "stream",
]
GROUND_FLOOR = {"optim", "weighting", "losses", "nets", "sparsity"}
FILES = sorted(ROOT.rglob("*.py"))


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


@pytest.mark.parametrize("heavy", ["matplotlib.pyplot", "moabb", "braindecode", "torch"])
def test_importing_skbci_loads_nothing_heavy(heavy):
    code = f"import sys, skbci; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
