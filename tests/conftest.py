"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")
# The same examples everywhere, and none given up because a machine is busy.
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real recordings, or a skip that says where it was looked for."""
    default = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
    folder = Path(os.environ.get("SKBCI_DATA", default)).resolve()
    if not (folder / "eegmmidb").is_dir():
        pytest.skip(f"real recordings not found in {folder}; set SKBCI_DATA to their folder")
    return folder


@pytest.fixture(autouse=True)
def _global_seeds_untouched(request):
    """Every test fails that changes numpy's or torch's global random state."""
    if request.node.name.startswith("test_check_estimator"):
        yield  # some of scikit-learn's own checks draw from numpy's global state
        return
    numpy_before = np.random.get_state()[1].copy()
    torch_before = torch.get_rng_state()
    yield
    assert (np.random.get_state()[1] == numpy_before).all(), "numpy's global seed was touched"
    assert torch.equal(torch.get_rng_state(), torch_before), "torch's global seed was touched"
