"""What the tests of the papers' scripts share."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def stand_ins():
    """Braindecode is no dependency: a module of its kind takes its networks' place."""

    class Net(torch.nn.Module):
        def __init__(self, n_chans, n_outputs, n_times, sfreq):
            super().__init__()
            self.dense = torch.nn.Linear(n_chans, n_outputs)

        def forward(self, X):
            return self.dense(X.square().mean(dim=-1).log())

    return lambda names=None: {"EEGNet": Net}
