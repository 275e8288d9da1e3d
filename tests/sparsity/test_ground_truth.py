"""On simulated EEG the masks of two tasks find the sources that serve them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from skbci.datasets import make_imagery_execution
from skbci.nets import DualTaskNet
from skbci.sparsity import MultitaskSnip

TASKS = ("imagery", "execution")
SITES = ("C4", "C3", "FC2", "FC1", "CP6", "CP5")
N_COPIES = 8


N_DRAWS = 10


@pytest.fixture(scope="module")
def found():
    """What is kept of the sources' filters, by draws of the sources and the noise."""
    return [kept_filters(seed) for seed in range(N_DRAWS)]


def kept_filters(seed):
    """Share of each source's spatial filters that is kept, squared weights being counted.

    The network's spatial filters are those that part the true sources, eight copies of each with
    random connections above them, the same for both tasks: the masks differ by the data alone.
    Normalization before the ELU is scaled down, which puts the network near its linear range. As
    long as it is far from there, the loss feels a filter of any strong rhythm, because that moves
    the point at which all others are bent.
    """
    data = make_imagery_execution(
        1, 1, 160, snr=20, sfreq=100, tmin=1, duration=2.5, ch_names=SITES, reference=None,
        line_freq=None, blinks=False, random_state=seed,
    )
    filters = np.linalg.inv(data.patterns[0, 0])
    filters /= np.linalg.norm(filters, axis=1, keepdims=True)
    X = np.asarray(data.X) - np.asarray(data.X).mean(-1, keepdims=True)
    X, y = torch.tensor(X / X.std()).float(), torch.tensor(data.y == "right_hand").long()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = DualTaskNet(
            6, 250, dict.fromkeys(TASKS, 2), n_filters=6 * N_COPIES, kernel_size=1, pooling=50,
            separable_size=1, map_pooling=5, max_norm=False,
        )
    with torch.no_grad():
        net.spatial.weight.copy_(torch.tensor(filters)[..., None].repeat(N_COPIES, 1, 1))
        net.temporal.weight.fill_(1.0)
        net.depthwise.weight.fill_(1.0)
        net.map_norm.weight.fill_(0.05)
    for layers in (net.private, net.heads):
        layers["execution"].load_state_dict(layers["imagery"].state_dict())
    task = data.metadata["task"].to_numpy()
    method = MultitaskSnip(0.85, floor="layer")
    masks = method.find(
        net,
        lambda net, X, y, task: F.cross_entropy(net(X, task), y, reduction="none"),
        {name: [(X[task == name], y[task == name])] for name in TASKS},
    )

    def share(mask):
        squares = (mask * net.spatial.weight.detach().square()).sum((1, 2))
        return squares.reshape(N_COPIES, -1).mean(0).numpy()

    shares = {name: share(method.task_masks_[name]["spatial.weight"]) for name in TASKS}
    return shares, share(masks["spatial.weight"]), data.sources


def test_filters_of_shared_sources_are_kept_for_both_tasks_and_private_ones_for_one(found):
    serving, idle, ordered = [], [], []
    for shares, _, sources in found:
        for task in TASKS:
            serves = sources[task].to_numpy()
            serving.append(shares[task][serves])
            idle.append(shares[task][~serves])
            ordered.append(serving[-1][:, None] > idle[-1])
    # Not in every draw: a strong rhythm of the other task can stand out by chance.
    assert np.mean(ordered) > 0.95
    assert np.mean(serving) > 0.4
    assert np.mean(idle) < 0.15
    assert np.median(idle) < 0.05


def test_the_arbiter_keeps_what_either_task_needs(found):
    for shares, final, sources in found:
        assert sources[list(TASKS)].any(axis=1).all()
        for own in shares.values():
            assert (final >= own - 1e-6).all()
    assert np.mean([final.min() for _, final, _ in found]) > 0.4
