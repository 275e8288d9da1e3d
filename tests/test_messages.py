"""What is said to somebody whose data or settings are wrong."""

from __future__ import annotations

import mne
import numpy as np
import pandas as pd
import pytest
import torch
from skorch.callbacks import Checkpoint, EarlyStopping, EpochTimer

from skbci import EEGArray
from skbci.baselines import KStar, csp_lda, erp_xdawn_riemann
from skbci.datasets import make_motor_imagery, read_epochs
from skbci.estimators import MLPClassifier
from skbci.features import BandEnergy, Crop, FilterBank, SlidingWindows, WelchPSD
from skbci.optim import HJB

X = np.random.default_rng(0).normal(size=(20, 3, 128))
y = np.tile([0, 1], 10)


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinity")])
@pytest.mark.parametrize("kind", ["float64", "float32", "list", "named"])
def test_what_is_not_finite_is_named_by_epoch_channel_and_sample(value, word, kind):
    hole = X.copy()
    hole[7, 1, 5] = hole[9, 0, 0] = value
    place = "epoch 7, channel 1, time sample 5"
    if kind == "float32":
        hole = hole.astype(np.float32)
    elif kind == "list":
        hole = hole.tolist()
    elif kind == "named":
        hole = EEGArray(hole, sfreq=128, ch_names=["C3", "Cz", "C4"])
        place = "epoch 7, channel 'Cz', time sample 5"
    for learner in (csp_lda(1, sfreq=128), MLPClassifier((4,), max_epochs=1), KStar()):
        with pytest.raises(ValueError, match=rf"X has {word} in {place} \(2 rows .*: 7, 9\)"):
            learner.fit(hole, y)
    with pytest.raises(ValueError, match=f"X has {word} in {place}"):
        WelchPSD(sfreq=128).fit(X).transform(hole)


def test_of_tables_row_and_column_are_named():
    table = pd.DataFrame(X[:, :, 0].copy(), columns=["alpha", "beta", "gamma"])
    table.loc[3, "beta"] = np.nan
    with pytest.raises(ValueError, match="X has NaN in row 3, column 'beta'"):
        KStar().fit(table, y)
    with pytest.raises(ValueError, match="X has NaN in row 3, column 1"):
        MLPClassifier((4,), max_epochs=1).fit(table.to_numpy(), y)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([[1.0, 2.0], [3.0]] * 10, "X has rows of different shapes"),
        (np.full((20, 3), "C3"), "X must hold numbers, got dtype <U2"),
        (np.full((20, 3), "C3", dtype=object), "X must hold numbers, got dtype object"),
    ],
)
def test_what_is_no_array_of_numbers_is_named(data, message):
    for learner in (KStar(), MLPClassifier((4,), max_epochs=1)):
        with pytest.raises(ValueError, match=message):
            learner.fit(data, y)


def test_epochs_of_another_length_are_compared_with_those_of_fit():
    fitted = erp_xdawn_riemann(sfreq=128).fit(X, y)
    with pytest.raises(ValueError, match="X has 100 time samples a row, .* fitted with 128"):
        fitted.predict(X[..., :100])
    network = MLPClassifier((4,), max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="X has 100 time samples a row, .* fitted with 128"):
        network.predict(X[..., :100])


@pytest.mark.parametrize("callback", [EarlyStopping(), EarlyStopping, Checkpoint()])
def test_a_callback_that_needs_a_validation_set_says_how_to_get_one(callback):
    with pytest.raises(ValueError, match="goes by 'valid_loss.*Set early_stopping=True"):
        MLPClassifier((4,), max_epochs=1, callbacks=[callback]).fit(X, y)
    quiet = [("timer", EpochTimer()), EarlyStopping(monitor="train_loss", sink=lambda _: None)]
    MLPClassifier((4,), max_epochs=2, callbacks=quiet).fit(X, y)


def test_a_recording_whose_annotations_are_all_bad_segments_says_so():
    raw = mne.io.RawArray(X[0] * 1e-6, mne.create_info(3, 100, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations([0, 0.5], 0, ["bad eye", "BAD jaw"]))
    with pytest.raises(ValueError, match="'BAD jaw', 'bad eye'.* mark bad segments or edges"):
        read_epochs(raw, tmax=0.2)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: Crop("0.1", sfreq=128).fit(X), "Crop: tmin='0.1' must be a number in seconds"),
        (lambda: Crop(0, np.nan, sfreq=128).fit(X), "Crop: tmax=nan must be a finite number"),
        (lambda: Crop(0, np.inf, sfreq=128).fit(X), "Crop: tmax=inf must be a finite number"),
        (lambda: Crop("0.1").fit(X), "tmin='0.1'|sampling rate"),
        (lambda: WelchPSD(sfreq=128, fmin="8").fit(X), "fmin=.8. must be a number in Hz"),
        (lambda: WelchPSD(sfreq=128, window=1e6, n_per_seg=32).fit(X), "window=1000000.0 is no"),
        (lambda: WelchPSD(sfreq=128, window="hat").fit(X), "window='hat' is not a window"),
        (lambda: WelchPSD(sfreq=128, log="yes").fit(X), "log='yes' must be True or False"),
        (lambda: SlidingWindows(0.25, None, sfreq=128).fit(X), "hop=None must be a number"),
        (lambda: BandEnergy(sfreq=2**70).fit(X), "BandEnergy: sfreq=.* must be at least"),
        (lambda: FilterBank(sfreq=1e300).fit(X), "FilterBank: sfreq=1e[+]300 must be at least"),
        (lambda: FilterBank(sfreq=1e-300).fit(X), "FilterBank: sfreq=1e-300 must be at least"),
        (lambda: MLPClassifier(0.5).fit(X, y), "hidden_layer_sizes=0.5 must be an integer"),
        (lambda: MLPClassifier("50").fit(X, y), "hidden_layer_sizes='50' must be an integer"),
        (lambda: MLPClassifier((4, 0)).fit(X, y), "hidden_layer_sizes=0 must be at least 1"),
        (lambda: MLPClassifier(dropout=None).fit(X, y), "dropout=None must be a number"),
        (lambda: MLPClassifier(dropout=1.0).fit(X, y), "dropout=1.0 must be at least 0 and below"),
        (lambda: MLPClassifier(activation=[]).fit(X, y), r"activation=\[\] is not one of 'elu'"),
        (lambda: MLPClassifier(callbacks="x").fit(X, y), "callbacks='x' must be a list of skorch"),
        (lambda: MLPClassifier(callbacks=5).fit(X, y), "callbacks=5 must be a list of skorch"),
        (lambda: MLPClassifier(callbacks=[5]).fit(X, y), "callbacks holds 5, which is neither"),
        (lambda: MLPClassifier(lr=1e300).fit(X, y), "lr=1e[+]300 must be at least 0 and at most"),
        (lambda: HJB([torch.zeros(1, requires_grad=True)], lr=None), "HJB: lr=None must be a num"),
        (lambda: make_motor_imagery(ch_names=0), "ch_names=0 must be a list of names"),
    ],
)
def test_a_parameter_of_a_wrong_kind_is_named(ask, message):
    with pytest.raises((TypeError, ValueError), match=message):
        ask()


@pytest.mark.parametrize("X", [None, {"a": [1.0, 2.0]}, "rows", {1.0, 2.0}])
def test_what_is_no_array_is_refused_in_the_words_of_the_toolkit(X):
    with pytest.raises(TypeError, match="MLPClassifier: X=.* must be an array of rows"):
        MLPClassifier((2,), max_epochs=1).fit(X, [0, 1])
