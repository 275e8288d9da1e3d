"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import hypothesis
import matplotlib
import pytest

matplotlib.use("Agg")
# The same examples everywhere, and none given up because a machine is busy.
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")


@pytest.fixture(autouse=True)
def usual_handler():
    """Ctrl-C ends a call in a run that was started in the background, too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real recordings, or a skip that says where it was looked for."""
    default = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
    folder = Path(os.environ.get("SKBCI_DATA", default)).resolve()
    if not (folder / "eegmmidb").is_dir():
        pytest.skip(f"real recordings not found in {folder}; set SKBCI_DATA to their folder")
    return folder
