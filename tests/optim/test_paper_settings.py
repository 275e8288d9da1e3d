"""The settings that the HJB paper states are the optimizers' defaults."""

from __future__ import annotations

import pytest
import torch

from skbci.optim import HJB, HJBAD


@pytest.mark.parametrize("kind", [HJB, HJBAD])
def test_the_papers_step_size_and_costs(kind):
    (group,) = kind([torch.nn.Parameter(torch.ones(2))]).param_groups
    assert (group["lr"], group["r"], group["eps"]) == (0.01, 100, 1e-4)
