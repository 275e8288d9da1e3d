"""`MultiViewClassifier`: views, their networks, augmentation and wrong input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skbci import EEGArray, LostTableWarning
from skbci.augmentation import Mirror
from skbci.estimators import MultiViewClassifier, NeuralClassifier
from skbci.features import BandEnergy, EuclideanAlignment, WindowMeans
from skbci.nets import MultiViewNet

NAMES = ["C3", "Cz", "C4"]
QUICK = {"optimizer": "adam", "lr": 1e-3, "max_epochs": 2, "hidden_units": 4, "random_state": 0}
SWAP = Mirror({"left": "right", "right": "left"})


def epochs(n_rows=40, n_times=64, seed=0, subjects=2):
    """Noise that is larger at C3 where the label is "left", at C4 where it is "right"."""
    rng = np.random.default_rng(seed)
    y = np.resize(["left", "right"], n_rows)
    X = rng.normal(size=(n_rows, 3, n_times)) * 1e-5
    X[y == "left", 0] *= 3
    X[y == "right", 2] *= 3
    table = {"subject": np.repeat(np.arange(1, subjects + 1), n_rows // subjects)}
    return EEGArray(X, table, sfreq=64.0, ch_names=NAMES), y


def two_views():
    return [("bands", BandEnergy(((8, 13), (13, 30)), log=True)), ("slow", WindowMeans(0.25))]


def test_views_are_what_their_transformers_give():
    X, y = epochs()
    clf = MultiViewClassifier(two_views(), **QUICK).fit(X, y)
    wanted = np.hstack([clone(view).fit(X).transform(X) for _, view in two_views()])
    network = clf.networks_[0]
    assert network.n_features_in_ == wanted.shape[1]
    np.testing.assert_allclose(clf.predict_proba(X), network.predict_proba(wanted))


def test_one_network_of_one_view_is_a_neural_classifier_on_it():
    X, y = epochs()
    features = BandEnergy(log=True).fit(X).transform(X)
    clf = MultiViewClassifier([("bands", BandEnergy(log=True))], **QUICK).fit(X, y)
    alone = NeuralClassifier(
        MultiViewNet, module__views={"bands": features.shape[1:]}, module__hidden_units=4,
        losses={"logits": "cross-entropy", "bands": None}, optimizer="adam", lr=1e-3,
        max_epochs=2, random_state=clf.networks_[0].random_state,
    ).fit(np.asarray(features), y)
    np.testing.assert_array_equal(clf.predict_proba(X), alone.predict_proba(features))


def test_the_heads_add_up():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = MultiViewNet({"a": (5,), "b": (2, 30)}, 3).eval()
        total, a, b = net(torch.randn(4, 65))
    torch.testing.assert_close(total, a + b)


def test_networks_are_averaged():
    X, y = epochs()
    clf = MultiViewClassifier(two_views(), n_networks=3, **QUICK).fit(X, y)
    features = np.hstack([view.transform(X) for view in clf.views_.values()])
    each = [network.predict_proba(features) for network in clf.networks_]
    assert not np.allclose(each[0], each[1])
    np.testing.assert_allclose(clf.predict_proba(X), np.mean(each, axis=0))


def test_held_out_rows_are_seen_by_no_view_and_not_mirrored():
    class Spy(StandardScaler):
        seen: list = []

        def fit(self, X, y=None):
            Spy.seen.append(np.asarray(X).copy())
            return super().fit(X)

    X, y = epochs(n_rows=60, subjects=3)
    views = [("values", make_pipeline(WindowMeans(0.25), Spy()))]
    clf = MultiViewClassifier(views, augmentation=SWAP, early_stopping=True, **QUICK).fit(X, y)
    own = WindowMeans(0.25).fit(X).transform(X)
    (fitted,) = Spy.seen
    subject = X.metadata["subject"].to_numpy()
    held = [s for s in (1, 2, 3)
            if not any(np.array_equal(row, other) for row in np.asarray(own)[subject == s][:1]
                       for other in fitted)]
    assert len(held) == 1
    assert len(fitted) == 40
    assert "valid_logits" in clf.history_


def test_mirrored_rows_are_as_if_they_had_been_given():
    X, y = epochs()
    new = SWAP.augment(X, y)
    both, labels = np.concatenate([X, new.X]), np.concatenate([y, new.y])
    settings = {**QUICK, "batch_size": -1}
    views = [("slow", WindowMeans(0.25))]
    by_setting = MultiViewClassifier(views, augmentation=SWAP, **settings).fit(X, y)
    by_hand = MultiViewClassifier(views, **settings).fit(both, labels)
    np.testing.assert_allclose(by_setting.predict_proba(X), by_hand.predict_proba(X), atol=1e-6)


def test_a_view_that_aligns_aligns_mirrored_subjects_by_themselves():
    X, y = epochs()
    views = [("aligned", make_pipeline(EuclideanAlignment(), BandEnergy(log=True)))]
    clf = MultiViewClassifier(views, augmentation=SWAP, **QUICK).fit(X, y)
    assert list(clf.views_["aligned"][0].references_) == [(1,), (2,)]  # the mirror's not fitted


def test_averaged_over_the_mirror_a_row_and_its_image_are_opposite():
    X, y = epochs()
    clf = MultiViewClassifier(
        two_views(), augmentation=SWAP, average_mirrored=True, **QUICK).fit(X, y)
    there, back = clf.predict_proba(X), clf.predict_proba(SWAP.exchange(X))
    np.testing.assert_allclose(there, back[:, ::-1], atol=1e-7)


def test_views_and_settings_are_searched_by_name():
    X, y = epochs(n_times=128)
    clf = MultiViewClassifier(two_views(), **QUICK)
    grid = {
        "slow__width": [0.25, 0.5], "optimizer": ["adam", "hjb"],
        "bands": ["passthrough", BandEnergy(log=True)],
    }
    search = GridSearchCV(clf, grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 8
    assert clf.get_params()["slow__width"] == 0.25  # the search works on clones


@pytest.mark.parametrize("policy", ["fixed", "alphagrad", "alphagrad-lead", "adamt"])
def test_every_head_has_a_loss_that_the_policy_weighs(policy):
    X, y = epochs()
    clf = MultiViewClassifier(two_views(), loss_weighting=policy, **QUICK).fit(X, y)
    found = [name for name in clf.history_ if name.startswith("weight_")]
    assert found == ["weight_logits", "weight_bands", "weight_slow"]
    assert len(clf.loss_weighting_.weights_) == 3


def test_supervised_views_see_the_labels():
    X, y = epochs()
    views = [("best", make_pipeline(WindowMeans(0.25), SelectKBest(k=2)))]
    assert MultiViewClassifier(views, **QUICK).fit(X, y).networks_[0].n_features_in_ == 2


def test_arrays_by_name():
    X, y = epochs()
    given = {"a": BandEnergy(log=True).fit_transform(X), "b": np.asarray(WindowMeans(0.5)
                                                                       .fit_transform(X))}
    clf = MultiViewClassifier(**QUICK).fit(given, y)
    assert list(clf.views_) == ["a", "b"]
    some = MultiViewClassifier([("b", PCA(2))], **QUICK).fit(given, y)
    assert list(some.views_) == ["b"]
    assert some.networks_[0].n_features_in_ == 2
    with pytest.raises(ValueError, match="no array for the view 'b'"):
        clf.predict({"a": given["a"]})
    with pytest.raises(ValueError, match="different numbers of rows: 'a' 40, 'b' 39"):
        clf.predict({"a": given["a"], "b": given["b"][:39]})
    with pytest.raises(ValueError, match="fitted with a dict of arrays"):
        clf.predict(X)
    with pytest.raises(ValueError, match="a dict without an array"):
        MultiViewClassifier(**QUICK).fit({}, y)


def timed(X, seconds):
    return EEGArray(np.asarray(X), {**X.metadata, "onset": seconds}, sfreq=64.0, ch_names=NAMES)


def test_views_of_other_rows_are_refused():
    X, y = epochs()
    onset = np.arange(40.0) ** 1.5
    rows, turned = timed(X, onset), timed(X, onset)[::-1]
    later = timed(X, onset + 0.5 + np.arange(40) % 2 / 128)  # half a second on, rounded to samples
    clf = MultiViewClassifier([("a", "passthrough"), ("b", WindowMeans(0.25))], **QUICK)
    proba = clf.fit({"a": rows, "b": later}, y).predict_proba({"a": rows, "b": later})
    bare = {"a": np.asarray(rows), "b": rows}
    np.testing.assert_array_equal(clf.fit(bare, y).predict_proba(bare), proba)
    same = EEGArray(rows, {"subject": rows.metadata["subject"].to_numpy()[::-1]})
    for other, column in ((turned, "subject"), (same, "subject"),
                          (timed(X, onset[np.roll(np.arange(40), 1)]), "onset")):
        for method, args in ((clf.fit, (y,)), (clf.predict, ())):
            with pytest.raises(ValueError, match=f"'a' and 'b' have not the same .* '{column}'"):
                method({"a": rows, "b": other}, *args)


def test_channels_rate_and_columns_of_each_view_are_those_of_fit():
    X, y = epochs()
    frame = pd.DataFrame(np.asarray(X)[:, :, 0], columns=NAMES)
    clf = MultiViewClassifier(**QUICK).fit({"signal": X, "frame": frame}, y)
    exchanged = EEGArray(np.asarray(X), sfreq=64.0, ch_names=NAMES[::-1])
    with pytest.raises(ValueError, match="view 'signal': .* in another order: MultiViewClas"):
        clf.predict({"signal": exchanged, "frame": frame})
    with pytest.raises(ValueError, match="view 'signal': .* at 128 Hz"):
        clf.predict({"signal": EEGArray(np.asarray(X), sfreq=128.0), "frame": frame})
    with pytest.raises(ValueError, match="view 'frame': The feature names"):
        clf.predict({"signal": X, "frame": frame[NAMES[::-1]]})


def test_held_out_rows_go_by_the_table_of_whichever_view_has_one():
    X, y = epochs(n_rows=60, subjects=6)
    stops = MultiViewClassifier(**QUICK, early_stopping=True)
    plain = np.asarray(X)[:, :, :2].reshape(60, -1)
    given = {"a": plain, "b": X}
    wanted = stops.fit({"a": EEGArray(plain, X.metadata), "b": X}, y).predict_proba(given)
    np.testing.assert_array_equal(stops.fit(given, y).predict_proba(given), wanted)


def test_a_row_without_signal_gets_the_prior():
    X, y = epochs()
    clf = MultiViewClassifier(two_views(), **QUICK).fit(X, y)
    broken = np.array(X)
    broken[3] = 0.0
    with pytest.warns(UserWarning, match="flat"):
        proba = clf.predict_proba(X.with_data(broken))
    np.testing.assert_array_equal(proba[3], [0.5, 0.5])
    others = np.arange(len(X)) != 3
    np.testing.assert_allclose(proba[others], clf.predict_proba(X)[others], atol=1e-12)


def test_weights_of_rows_reach_the_networks():
    X, y = epochs()
    weight = np.where(y == "left", 2.0, 1.0)
    twice = np.concatenate([np.arange(40), np.flatnonzero(y == "left")])
    settings = {**QUICK, "batch_size": -1, "dropout": 0.0, "view_dropout": 0.0}
    weighted = MultiViewClassifier(two_views(), **settings).fit(X, y, sample_weight=weight)
    repeated = MultiViewClassifier(two_views(), **settings).fit(X[twice], y[twice])
    np.testing.assert_allclose(weighted.prior_, repeated.prior_)
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"views": []}, "views"),
        ({"views": [("a", StandardScaler()), ("a", StandardScaler())]}, "names that differ"),
        ({"views": [("logits", StandardScaler())]}, "none of them 'logits'"),
        ({"views": [("a", 3)]}, "view 'a'"),
        ({"views": [("lr", StandardScaler())]}, "a view 'lr', as one of its parameters is"),
        ({"views": "slow"}, "views"),
        ({"average_mirrored": True}, "needs augmentation='mirror'"),
        ({"augmentation": "mirrors"}, "augmentation"),
        ({"n_networks": 0}, "n_networks"),
        ({"view_dropout": {"fast": 0.5}}, "view_dropout"),
        ({"view_dropout": 1.0}, "view_dropout"),
        ({"step": 3}, "step"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    X, y = epochs()
    settings = dict(settings)
    step = settings.pop("step", None)
    clf = MultiViewClassifier(**{"views": two_views(), **QUICK, **settings})
    if step is not None:
        clf.__dict__["step"] = step
    with pytest.raises((ValueError, TypeError), match=message):
        clf.fit(X, y)


def test_the_mirror_says_what_it_lacks():
    X, y = epochs()
    clf = MultiViewClassifier(two_views()[1:], augmentation="mirror", **QUICK)
    with pytest.raises(ValueError, match="names of the channels"):
        clf.set_params(slow__sfreq=64.0).fit(np.asarray(X), y)
    lame = EEGArray(np.asarray(X), X.metadata, sfreq=64.0, ch_names=["C3", "Cz", "CP4"])
    with pytest.raises(ValueError, match="C3|CP4"):
        clf.fit(lame, y)


def test_a_view_with_other_rows_is_named():
    class Halving(StandardScaler):
        def transform(self, X, copy=None):
            return super().transform(X)[::2]

    X, y = epochs()
    views = [("half", make_pipeline(WindowMeans(0.25), Halving()))]
    with pytest.raises(ValueError, match="'half' has shape .* for 40 rows"):
        MultiViewClassifier(views, **QUICK).fit(X, y)


def test_a_lost_table_is_named_where_early_stopping_needs_it():
    X, y = epochs(n_rows=60, subjects=3)
    clf = MultiViewClassifier([("slow", WindowMeans(0.25))], early_stopping=True, **QUICK)
    pipeline = Pipeline([("scaled", FunctionTransformer(np.array)), ("clf", clf)])
    with pytest.warns(LostTableWarning, match="Early stopping"):
        pipeline.set_params(clf__slow__sfreq=64.0).fit(X, y)


def test_weights_that_are_all_zero_are_refused():
    X, y = epochs()
    with pytest.raises(ValueError, match="non-zero|nothing is left to fit"):
        MultiViewClassifier(two_views(), **QUICK).fit(X, y, sample_weight=np.zeros(len(y)))
