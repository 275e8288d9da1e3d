"""What a net's epochs tell the history, the callbacks and the user."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from skbci._training.epoch_loop import EpochLoop
from skbci._training.mini_batches import batch_sizes, mini_batches


class History(dict):
    def __init__(self):
        super().__init__()
        self.batches = []

    def new_batch(self):
        self.batches.append({})

    def record_batch(self, name, value):
        self.batches[-1][name] = value

    def record(self, name, value):
        self[name] = value

    def __getitem__(self, key):
        return 7 if key == (-1, "epoch") else super().__getitem__(key)


class Net:
    """Notes what it is asked."""

    def __init__(self, finite=(True,), accepts=True):
        self.history, self.heard = History(), []
        self.finite, self.accepts = list(finite), accepts

    def notify(self, event, **kwargs):
        self.heard.append(event)

    def accept_epoch(self):
        return self.accepts

    def what_diverged(self):
        return "the loss"

    def is_finite(self, X):
        return self.finite.pop(0)


ROWS = (torch.zeros(2, 1), torch.zeros(2))


def test_an_epoch_is_recorded_and_told():
    net = Net()
    loop = EpochLoop(net, ROWS)
    loop.begin_epoch()
    assert loop.end_epoch(0.5, pytest.fail, lambda: 0.25)
    loop.end()
    assert net.heard == ["on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end"]
    assert dict(net.history) == {"train_loss": 0.5, "valid_loss": 0.25}
    assert net.history.batches == [{"train_loss": 0.5}]


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_ends_it(loss):
    net, calls = Net(finite=[True]), []
    loop = EpochLoop(net, ROWS, by_batch=True)
    with pytest.warns(ConvergenceWarning, match="epoch 7: the loss is not finite"):
        assert not loop.end_epoch(loss, lambda: calls.append("recover"), pytest.fail)
    assert calls == ["recover"]
    assert loop.diverged
    assert "on_epoch_end" not in net.heard
    assert net.history.batches == []


def test_an_epoch_that_the_net_does_not_accept_ends_it():
    loop = EpochLoop(Net(accepts=False), ROWS)
    with pytest.warns(ConvergenceWarning):
        assert not loop.end_epoch(0.5, lambda: None)


def test_a_callbacks_wish_to_stop_is_no_error_and_ctrl_c_is():
    class Stopping(Net):
        def notify(self, event, **kwargs):
            if event == "on_epoch_end":
                raise KeyboardInterrupt

    assert not EpochLoop(Stopping(), ROWS).end_epoch(0.5, pytest.fail)

    class Interrupted(Net):
        def notify(self, event, **kwargs):
            if event == "on_epoch_end":
                exec("import _thread, time\n_thread.interrupt_main()\ntime.sleep(5)")

    with pytest.raises(KeyboardInterrupt):
        EpochLoop(Interrupted(), ROWS).end_epoch(0.5, pytest.fail)


@pytest.mark.parametrize(
    ("finite", "restored", "warns"),
    [([True], [], False), ([False, True], [0], True), ([False, False, True], [0, 1], True),
     ([False, False, False], [0, 1], True)],
)
def test_the_last_weights_with_finite_outputs_are_kept(finite, restored, warns):
    calls = []
    loop = EpochLoop(Net(finite=finite), ROWS)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        loop.settle([lambda: calls.append(0), lambda: calls.append(1)])
    assert calls == restored
    assert [w.category for w in seen] == [ConvergenceWarning] * warns


@pytest.mark.parametrize("n_rows", [1, 2, 9, 10, 11, 12, 25, 26])
@pytest.mark.parametrize("batch_size", [-1, 1, 2, 5, 100])
def test_mini_batches_hold_every_row_once_and_none_is_alone(n_rows, batch_size):
    sizes = batch_sizes(n_rows, batch_size)
    assert sum(sizes) == n_rows
    if batch_size == -1:
        assert sizes == [n_rows]
    if batch_size > 1 and n_rows > 1:
        assert min(sizes) > 1
        assert max(sizes) <= batch_size + 1
    X, order = torch.arange(n_rows)[:, None], torch.arange(n_rows - 1, -1, -1)
    batches = list(mini_batches((X, X[:, 0], None), sizes, order))
    assert [len(batch[0]) for batch in batches] == sizes
    assert torch.cat([batch[1] for batch in batches]).tolist() == order.tolist()
