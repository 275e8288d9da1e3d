"""Networks whose training rows, and no others, are augmented."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV, GroupKFold
from torch import nn

from skbci import EEGArray
from skbci._training import prepare_only
from skbci.augmentation import GaussianNoise, Mirror, Mixup, Recombine
from skbci.estimators import (
    FBMSNetClassifier,
    MIN2NetClassifier,
    MLPClassifier,
    MLPRegressor,
    NeuralClassifier,
    SparseMultitaskClassifier,
)
from skbci.model_selection import HeldOutSearch, StackedGridSearchCV

RNG = np.random.default_rng(0)
NAMES = ["C3", "Cz", "C4"]
MIRRORED = [2, 1, 0]
N_ROWS = 24
LABELS = np.tile(["left", "right", "feet"], 8)
OTHERS = np.tile(["right", "left", "feet"], 8)
SUBJECT = np.repeat([1, 2, 3, 4], 6)
BARE = RNG.normal(size=(N_ROWS, 3, 64))
BARE[LABELS == "left", 2] *= 0.5
BARE[LABELS == "right", 0] *= 0.5
SIGNALS = EEGArray(BARE, {"subject": SUBJECT, "onset": np.tile(np.arange(6) * 2.0, 4)}, sfreq=64,
                   ch_names=NAMES)
FEATURES = np.log(BARE.var(axis=2))
SHORT = {"max_epochs": 3, "random_state": 0}
BANDS = ((8, 12), (12, 20))


class Net(nn.Sequential):
    def __init__(self, n_channels, n_outputs):
        super().__init__(nn.Conv1d(n_channels, 4, 8), nn.ELU(), nn.AdaptiveAvgPool1d(2),
                         nn.Flatten(), nn.Dropout(0.2), nn.Linear(8, n_outputs))


NETWORKS = {
    "mlp": MLPClassifier((6,), dropout=0.3, **SHORT),
    "mlp-batches": MLPClassifier((6,), batch_size=5, **SHORT),
    "mlp-whole": MLPClassifier((6,), batch_size=-1, **SHORT),
    "mlp-pruned": MLPClassifier((6,), sparsity=0.5, **SHORT),
    "neural": NeuralClassifier(Net, batch_size=8, **SHORT),
    "min2net": MIN2NetClassifier(early_stopping=False, **SHORT),
    "fbmsnet": FBMSNetClassifier(sfreq=64, bands=BANDS, depth=2, kernel_sizes=(5,),
                                 early_stopping=False, **SHORT),
    "multitask": SparseMultitaskClassifier(module__pooling=4, **SHORT),
}


@pytest.mark.parametrize("weights", [{}, {"class_weight": "balanced"},
                                     {"class_weight": {"left": 3.0}}], ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_a_fit_on_rows_put_together_by_hand(name, weights):
    network = NETWORKS[name]
    kept = np.r_[0:17, 18:24]  # classes of different sizes
    X, y = SIGNALS[kept], LABELS[kept]
    settings = {"standardize": False, **weights}  # whose statistics are of the rows given
    found = network.set_params(**settings, augmentation="mirror").fit(X, y).predict_proba(SIGNALS)
    twice = EEGArray(np.concatenate([BARE[kept], BARE[kept][:, MIRRORED]]), sfreq=64)
    by_hand = network.set_params(augmentation=None).fit(twice, np.append(y, OTHERS[kept]))
    np.testing.assert_array_equal(found, by_hand.predict_proba(BARE))
    plain = network.fit(X, y).predict_proba(SIGNALS)
    network.set_params(standardize=True, class_weight=None)
    assert not np.array_equal(found, plain)


@pytest.mark.parametrize("weight", [None, np.tile([1.0, 2.0, 0.5, 0.0], 6)], ids=["", "weighted"])
@pytest.mark.parametrize("ndim", [2, 3])
def test_mixtures_weigh_what_they_weigh(ndim, weight):
    X = FEATURES if ndim == 2 else BARE
    network = MLPClassifier((6,), standardize=False, **SHORT)
    found = network.set_params(augmentation="mixup").fit(X, LABELS, weight)
    with prepare_only(network) as waiting:
        network.fit(X, LABELS, weight)
    kept = np.arange(24) if weight is None else np.flatnonzero(weight)
    rows, target, weights = waiting[0].train
    n = len(kept)
    assert len(rows) == 3 * n
    own = np.ones(n) if weight is None else weight[kept]
    np.testing.assert_array_equal(weights[:n], own)
    # Which two rows a mixture is of shows in its weights and label; what it is follows.
    first, second = weights[n::2].numpy(), weights[n + 1 :: 2].numpy()
    share = first / own
    np.testing.assert_array_equal(rows[n::2], rows[n + 1 :: 2])
    assert target[n::2].tolist() == target[:n].tolist()
    for i in range(n):
        mixed = rows[n + 2 * i].double().numpy()
        partners = [
            j for j in range(n) if np.allclose(
                mixed, share[i] * X[kept[i]] + (1 - share[i]) * X[kept[j]], atol=1e-5)
        ]
        assert any(
            target[n + 2 * i + 1] == target[j]
            and np.isclose(second[i], (1 - share[i]) * own[j], atol=1e-5) for j in partners
        )
    network.set_params(augmentation=None).fit(rows.numpy(), found.classes_[target], weights)
    if ndim == 2 or weight is None:
        np.testing.assert_allclose(
            network.predict_proba(X), found.predict_proba(X), rtol=0, atol=1e-5)


# -- training rows only -----------------------------------------------------------------------


class Recording(GaussianNoise):
    """Remembers the rows that it was given."""

    seen: list[np.ndarray] = []

    def _new_rows(self, rows, rng):
        Recording.seen.append(np.array(rows.data))
        return super()._new_rows(rows, rng)


@pytest.mark.parametrize("settings", [
    {}, {"validation_fraction": 0.5}, {"class_weight": "balanced"},
], ids=str)
@pytest.mark.parametrize("name", ["mlp", "neural", "min2net", "fbmsnet", "multitask"])
def test_validation_rows_are_not_augmented(name, settings):
    network = NETWORKS[name]
    before = network.get_params()
    groups = np.tile(np.repeat([0, 1, 2, 3], 3), 2)[:-2]
    X, y = BARE[:-2], LABELS[:-2]  # classes of different sizes
    try:
        network.set_params(early_stopping=True, augmentation=Recording(), **settings)
        fits = []
        for augmentation in (Recording(), None):
            with prepare_only(network) as waiting:
                network.set_params(augmentation=augmentation).fit(X, y, groups=groups)
            fits += waiting
    finally:
        network.set_params(**before)
    augmented, plain = fits
    given = Recording.seen.pop()
    where = [int(np.flatnonzero((row == BARE).all(axis=(1, 2)))[0]) for row in given]
    held_out = set(range(len(X))) - set(where)
    assert held_out
    assert {groups[i] for i in held_out}.isdisjoint({groups[i] for i in where})
    # Split, standardization, and weights to start from are those of the fit without.
    for one, other in zip(augmented.valid, plain.valid):
        assert one is None or torch.equal(one, other)
    n = len(plain.train[0])
    assert n == len(where)
    assert len(augmented.train[0]) == 2 * n
    for one, other in zip(augmented.train[:2], plain.train[:2]):
        assert torch.equal(one[:n], other)
    for one, other in zip(augmented.net.module_.parameters(), plain.net.module_.parameters()):
        assert torch.equal(one, other)


def test_what_is_predicted_without_signal_goes_by_the_rows_given():
    kept = np.r_[0:24][LABELS != "feet"][:11]  # six left, five right
    network = MLPClassifier((4,), augmentation=["mirror", "mixup"], **SHORT)
    network.fit(SIGNALS[kept], LABELS[kept])
    np.testing.assert_allclose(network.prior_, [6 / 11, 5 / 11])


def test_partial_fit_takes_rows_as_they_are():
    one, other = (MLPClassifier((4,), augmentation=a, **SHORT) for a in ("mirror", None))
    for network in (one, other):
        network.partial_fit(SIGNALS, LABELS)
    np.testing.assert_array_equal(one.predict_proba(BARE), other.predict_proba(BARE))


# -- seeds and searches -----------------------------------------------------------------------


@pytest.mark.parametrize("augmentation", ["noise", "recombine", ["mirror", "channel-dropout"]])
def test_seeds(augmentation):
    def proba(seed):
        network = MLPClassifier((4,), augmentation=augmentation, max_epochs=3, random_state=seed)
        return network.fit(SIGNALS, LABELS).predict_proba(BARE)

    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    np.testing.assert_array_equal(proba(0), proba(0))
    assert not np.array_equal(proba(0), proba(1))
    assert not np.array_equal(proba(None), proba(None))
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_what_is_drawn_goes_by_the_seed():
    noise = []
    for seed in (0, 0, 1):
        network = MLPClassifier((4,), augmentation="noise", max_epochs=1, random_state=seed)
        with prepare_only(network) as waiting:
            network.fit(BARE, LABELS)
        rows = waiting[0].train[0]
        noise.append(rows[N_ROWS:] - rows[:N_ROWS])
    assert torch.equal(noise[0], noise[1])
    assert not torch.equal(noise[0], noise[2])


GRID = [
    {"augmentation": [None, "mirror", Mirror(), ["mirror", "mixup"]]},
    {"augmentation": ["noise"], "augmentation__scale": [0.05, 0.5]},
]


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}], ids=str)
def test_searches_over_the_augmentation_are_the_same_stacked_or_not(settings):
    network = MLPClassifier((5,), dropout=0.2, batch_size=8, **SHORT, **settings)
    searches = [
        kind(network, GRID, cv=GroupKFold(2), error_score="raise").fit(
            SIGNALS, LABELS, groups=SUBJECT)
        for kind in (GridSearchCV, StackedGridSearchCV)
    ]
    one, other = (search.cv_results_["mean_test_score"] for search in searches)
    np.testing.assert_array_equal(one, other)
    assert one[1] == one[2]
    assert searches[1].n_stacked_fits_ == 12
    probas = [search.best_estimator_.predict_proba(BARE) for search in searches]
    np.testing.assert_array_equal(*probas)


def test_the_held_out_search_chooses_an_augmentation():
    network = MLPClassifier((5,), early_stopping=True, **SHORT)
    search = HeldOutSearch(network, {"augmentation": [None, "noise", "mirror"]})
    search.fit(SIGNALS, LABELS)
    assert search.best_params_["augmentation"] in (None, "noise", "mirror")


def test_routes():
    network = MLPClassifier((5,), augmentation="noise", augmentation__scale=0.4, **SHORT)
    same = MLPClassifier((5,), augmentation=GaussianNoise(0.4), **SHORT)
    np.testing.assert_array_equal(network.fit(BARE, LABELS).predict_proba(BARE),
                                  same.fit(BARE, LABELS).predict_proba(BARE))
    same.set_params(augmentation__scale=0.8)
    assert same.get_params()["augmentation__scale"] == 0.8
    other = MLPClassifier((5,), augmentation=GaussianNoise(0.8), **SHORT)
    np.testing.assert_array_equal(same.fit(BARE, LABELS).predict_proba(BARE),
                                  other.fit(BARE, LABELS).predict_proba(BARE))


# -- tasks and real targets -------------------------------------------------------------------


def test_rows_are_made_within_a_task():
    task = np.tile(np.repeat(["imagined", "executed"], 3), 4)
    made = []

    class Seen(Recombine):
        def _new_rows(self, rows, rng):
            made.append((np.array(rows.data), rows.y.copy(), rows.classes))
            return super()._new_rows(rows, rng)

    network = SparseMultitaskClassifier(module__pooling=4, augmentation=Seen(4, by=None), **SHORT)
    network.fit(SIGNALS, LABELS, task=task)
    assert len(made) == 2
    for (data, y, classes), name in zip(made, ["executed", "imagined"]):
        np.testing.assert_array_equal(data, BARE[task == name])
        assert y.tolist() == LABELS[task == name].tolist()
        assert classes.tolist() == ["feet", "left", "right"]


def test_labels_are_mirrored_in_their_task():
    task = np.tile(np.repeat(["imagined", "executed"], 3), 4)
    network = SparseMultitaskClassifier(module__pooling=4, standardize=False, **SHORT)
    proba = network.set_params(augmentation="mirror").fit(
        SIGNALS, LABELS, task=task).predict_proba(SIGNALS, task=task)
    # New rows come task by task, in the order of the tasks.
    order = np.concatenate([np.flatnonzero(task == name) for name in ("executed", "imagined")])
    network.set_params(augmentation=None).fit(
        np.concatenate([BARE, BARE[order][:, MIRRORED]]), np.append(LABELS, OTHERS[order]),
        task=np.append(task, task[order]))
    np.testing.assert_array_equal(network.predict_proba(BARE, task=task), proba)


@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("augmentation", ["noise", "mixup", "channel-dropout"])
def test_real_targets(augmentation, n_targets):
    y = RNG.normal(size=(N_ROWS, n_targets))
    y = y[:, 0] if n_targets == 1 else y
    network = MLPRegressor((5,), augmentation=augmentation, **SHORT)
    with prepare_only(network) as waiting:
        network.fit(BARE, y)
    _, target, weight = waiting[0].train
    if augmentation == "mixup":
        assert len(target) == 3 * N_ROWS
        assert torch.equal(target[N_ROWS::2], target[:N_ROWS])
        np.testing.assert_allclose(weight[N_ROWS::2] + weight[N_ROWS + 1 :: 2], 1, atol=1e-6)
    else:
        assert torch.equal(target[N_ROWS:], target[:N_ROWS])
    assert np.isfinite(network.fit(BARE, y).predict(BARE)).all()
    with pytest.raises(ValueError, match="MLPRegressor: augmentation='mirror' needs classes"):
        MLPRegressor((5,), augmentation="mirror", **SHORT).fit(SIGNALS, y)


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(("augmentation", "X", "error", "message"), [
    ("mirror", FEATURES, ValueError, "Mirror needs rows of channels x times.*rows of features"),
    (["noise", "time-shift"], FEATURES, ValueError, "TimeShift needs rows of channels"),
    ("mirror", BARE, ValueError, "Mirror needs the names of the channels"),
    (Mirror({"left": "right", "right": "left"}), SIGNALS, ValueError, "lacks the classes"),
    ("blur", BARE, ValueError, "MLPClassifier: augmentation='blur' is unknown"),
    (3, BARE, TypeError, "MLPClassifier: augmentation=3 must be a name"),
    (GaussianNoise(-1), BARE, ValueError, "scale=-1 must be"),
    (Mixup(0.0), BARE, ValueError, "alpha=0.0 must be"),
])
def test_what_is_refused(augmentation, X, error, message):
    with pytest.raises(error, match=message):
        MLPClassifier((5,), augmentation=augmentation, **SHORT).fit(X, LABELS)


def test_settings_of_no_augmentation():
    with pytest.raises(ValueError, match="no setting 'sigma'; its settings are augmentation__sca"):
        MLPClassifier((5,), augmentation="noise", augmentation__sigma=1).fit(BARE, LABELS)
    with pytest.raises(ValueError, match="augmentation=None takes no augmentation__scale"):
        MLPClassifier((5,), augmentation__scale=1).fit(BARE, LABELS)


def test_a_class_that_is_held_out_is_still_a_class():
    groups = np.where(LABELS == "feet", 0, np.tile([1, 2], 12))
    network = MLPClassifier((5,), early_stopping=True, validation_fraction=0.3,
                            augmentation=Mirror({"left": "right", "right": "left",
                                                 "feet": "feet"}), **SHORT)
    network.fit(SIGNALS, LABELS, groups=groups)
    assert network.classes_.tolist() == ["feet", "left", "right"]
