"""Arrays and tables of other packages: read as what they hold, or refused by name."""

from __future__ import annotations

import mne
import numpy as np
import pandas as pd
import pytest
import torch

from skbci import EEGArray
from skbci.baselines import slow_potentials_lr
from skbci.estimators import MLPClassifier
from skbci.features import EuclideanAlignment, FisherSelection, WelchPSD

SUBJECTS = np.array([1, 1, 2, 2, 3, 3])
SIGNALS = np.random.default_rng(0).standard_normal((6, 3, 32))


class Stored:
    """An array of a file's, as h5py and zarr have them."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


class Named:
    """An array with named axes, as of xarray."""

    def __init__(self, values, *dims):
        self.values, self.dims, self.ndim, self.shape = values, dims, values.ndim, values.shape

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


@pytest.mark.parametrize(
    "make",
    [
        torch.tensor, lambda s: list(torch.tensor(s)), lambda s: [np.array(one) for one in s],
        lambda s: pd.Series(list(torch.tensor(s))), Stored, lambda s: (int(one) for one in s),
        lambda s: map(int, s), lambda s: dict(enumerate(s)).values(),
        lambda s: pd.Series(s, range(6, 0, -1)),
    ],
    ids=["tensor", "tensors", "arrays", "series", "stored", "iterator", "map", "values", "index"],
)
def test_a_column_is_what_it_holds(make):
    X = EEGArray(SIGNALS, {"subject": make(SUBJECTS), "session": 4}, sfreq=32)
    assert X.metadata["subject"].tolist() == [1, 1, 2, 2, 3, 3]
    assert X.metadata["subject"].nunique() == 3
    assert X.metadata["session"].tolist() == [4] * 6
    known = EEGArray(SIGNALS, {"subject": SUBJECTS}, sfreq=32)
    np.testing.assert_array_equal(
        EuclideanAlignment().fit_transform(X), EuclideanAlignment().fit_transform(known))


def test_a_column_without_order_or_of_several_entries_a_row_is_refused():
    with pytest.raises(TypeError, match=r"metadata\['subject'\].* in their order"):
        EEGArray(SIGNALS, {"subject": set(range(6))})
    with pytest.raises(ValueError, match=r"metadata\['subject'\][\s\S]* shape \(6, 2\)"):
        EEGArray(SIGNALS, {"subject": np.zeros((6, 2))})


@pytest.mark.parametrize(
    "tensor", [torch.zeros(6, 4, requires_grad=True), torch.zeros(6, 4, dtype=torch.bfloat16)],
    ids=["gradients", "bfloat16"],
)
def test_a_tensor_that_numpy_cannot_read_is_refused_by_name(tensor):
    with pytest.raises(TypeError, match=r"X is a tensor .* X\.detach\(\)"):
        FisherSelection(2).fit(tensor, SUBJECTS % 2)
    with pytest.raises(TypeError, match=r"data is a tensor"):
        EEGArray(tensor)
    with pytest.raises(TypeError, match=r"sample_weight is a tensor"):
        MLPClassifier().fit(SIGNALS[:, 0], SUBJECTS % 2, sample_weight=tensor[:, 0])


def test_named_axes_in_another_order_are_refused():
    right = Named(SIGNALS, "epoch", "channel", "time")
    np.testing.assert_array_equal(
        WelchPSD(sfreq=32).fit_transform(right), WelchPSD(sfreq=32).fit_transform(SIGNALS))
    np.testing.assert_array_equal(EEGArray(Named(SIGNALS, "a", "b", "c")), SIGNALS)
    for dims in (("channel", "epoch", "time"), ("epoch", "time", "channel"), ("time", "b", "c")):
        with pytest.raises(ValueError, match=rf"axes {', '.join(dims)}, where rows .*transpose"):
            WelchPSD(sfreq=32).fit(Named(SIGNALS, *dims))


def test_a_list_of_tables_is_refused():
    tables = [pd.DataFrame(epoch.T, columns=["C3", "Cz", "C4"]) for epoch in SIGNALS]
    with pytest.raises(ValueError, match="X is a list of tables"):
        WelchPSD(sfreq=32).fit(tables)


def test_labels_without_a_length_and_weights_as_words_are_those_that_they_hold():
    y, weight = np.arange(6) % 2, np.array([1.0, 2, 1, 2, 1, 3])
    pipe = slow_potentials_lr(sfreq=32)
    keys = {f"{pipe.steps[-1][0]}__sample_weight": weight.astype(object)}
    pipe.fit(SIGNALS, Stored(y), **keys)
    np.testing.assert_allclose(pipe.prior_, [0.3, 0.7])


def test_objects_of_mne_that_are_no_epochs_are_refused_by_name():
    epochs = mne.EpochsArray(SIGNALS, mne.create_info(3, 32, "eeg"), verbose="error")
    evoked, raw = epochs.average(), mne.io.RawArray(SIGNALS[0], epochs.info, verbose="error")
    for data in (epochs, evoked, [evoked, evoked], raw, epochs.info):
        with pytest.raises(TypeError, match=r"data is .*mne's .* EEGArray\.from_epochs"):
            EEGArray(data)
    for data in (evoked, [evoked], epochs.info):
        with pytest.raises(TypeError, match="X is .*mne's"):
            WelchPSD(sfreq=32).fit(data)
    for data in (evoked, raw, [epochs], SIGNALS):
        with pytest.raises(TypeError, match="must be mne.Epochs"):
            EEGArray.from_epochs(data)
