"""Any classifier on more rows than it was given."""

from __future__ import annotations

import mne
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci import EEGArray
from skbci.augmentation import GaussianNoise, Mirror, Mixup
from skbci.baselines import csp_lda
from skbci.estimators import AugmentedClassifier
from skbci.features import EuclideanAlignment

RNG = np.random.default_rng(0)
NAMES = ["C3", "Cz", "C4"]
LABELS = np.array(["left", "right"] * 20)
SUBJECT = np.repeat([1, 2], 20)


def imagery():
    """Channels over each hand's area, which is quieter in imagery of the other hand."""
    X = RNG.normal(size=(40, 3, 100))
    X[LABELS == "left", 2] *= 0.6
    X[LABELS == "right", 0] *= 0.6
    return EEGArray(X, {"subject": SUBJECT}, sfreq=100, ch_names=NAMES)


SIGNALS = imagery()
FEATURES = np.log(np.asarray(SIGNALS).var(axis=2))


class Seen(ClassifierMixin, BaseEstimator):
    """Keeps what it was fitted on."""

    def fit(self, X, y, sample_weight=None, groups=None):
        self.X_, self.y_, self.weight_, self.groups_ = X, y, sample_weight, groups
        self.classes_, self.n_features_in_ = np.unique(y), np.shape(X)[1]
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_it_is_the_classifier_fitted_on_both():
    clf = AugmentedClassifier(csp_lda(2)).fit(SIGNALS, LABELS)
    mirrored = EEGArray(np.asarray(SIGNALS)[:, ::-1], {"subject": SUBJECT + 10**9}, sfreq=100,
                        ch_names=NAMES)
    other = np.where(LABELS == "left", "right", "left")
    by_hand = csp_lda(2).fit(np.concatenate([SIGNALS, mirrored]), np.append(LABELS, other))
    for method in ("predict", "predict_proba", "decision_function"):
        np.testing.assert_array_equal(
            getattr(clf, method)(SIGNALS), getattr(by_hand, method)(SIGNALS))
    assert clf.n_augmented_ == 40
    assert clf.classes_.tolist() == ["left", "right"]
    assert clf.n_features_in_ == 3


def test_without_an_augmentation_it_is_the_classifier():
    clf = AugmentedClassifier(csp_lda(2), None).fit(SIGNALS, LABELS)
    np.testing.assert_array_equal(
        clf.predict_proba(SIGNALS), csp_lda(2).fit(SIGNALS, LABELS).predict_proba(SIGNALS))
    assert clf.n_augmented_ == 0


def test_rows_that_are_scored_are_not_augmented():
    fitted = []

    class Spy(Seen):
        def fit(self, X, y, sample_weight=None, groups=None):
            fitted.append(np.asarray(X))
            return super().fit(X, y)

    cross_val_score(AugmentedClassifier(Spy()), SIGNALS, LABELS, groups=SUBJECT,
                    cv=GroupKFold(2))
    bare = np.asarray(SIGNALS)
    for X, train in zip(fitted, (SUBJECT == 1, SUBJECT == 2)):
        wanted = [bare[train], bare[train][:, ::-1]]
        if not np.array_equal(X, np.concatenate(wanted)):  # the folds' order is their own
            wanted = [bare[~train], bare[~train][:, ::-1]]
        np.testing.assert_array_equal(X, np.concatenate(wanted))


def test_subjects_in_the_mirror_are_aligned_by_themselves():
    clf = AugmentedClassifier(csp_lda(2, alignment="euclidean")).fit(SIGNALS, LABELS)
    alignment = next(
        s for _, s in clf.estimator_.steps if isinstance(s, EuclideanAlignment))
    assert set(alignment.references_) == {(1,), (2,), (10**9 + 1,), (10**9 + 2,)}
    np.testing.assert_allclose(
        alignment.references_[(10**9 + 1,)], alignment.references_[(1,)][::-1, ::-1], rtol=1e-10)


# -- weights ----------------------------------------------------------------------------------


def test_mixtures_give_their_weights_to_the_learner():
    new = Mixup().augment(FEATURES, LABELS, random_state=3)
    X, y = np.concatenate([FEATURES, new.X]), np.append(LABELS, new.y)
    weight = np.append(np.ones(40), new.sample_weight)
    for inner, at in (
        (LogisticRegression(), "sample_weight"),
        (make_pipeline(StandardScaler(), LogisticRegression()),
         "logisticregression__sample_weight"),
        (make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), LogisticRegression())),
         "pipeline__logisticregression__sample_weight"),
    ):
        clf = AugmentedClassifier(inner, "mixup", random_state=3).fit(FEATURES, LABELS)
        by_hand = clone(inner).fit(X, y, **{at: weight})
        np.testing.assert_array_equal(
            clf.predict_proba(FEATURES), by_hand.predict_proba(FEATURES))


def test_new_rows_have_their_sources_weight():
    weight = np.linspace(0, 2, 40)
    clf = AugmentedClassifier(Seen()).fit(SIGNALS, LABELS, sample_weight=weight)
    assert clf.estimator_.weight_.tolist() == [*weight, *weight[1:]]
    assert len(clf.estimator_.X_) == 79
    assert AugmentedClassifier(Seen()).fit(SIGNALS, LABELS).estimator_.weight_ is None


def test_a_learner_without_weights_is_named():
    knn = make_pipeline(StandardScaler(), KNeighborsClassifier())
    AugmentedClassifier(knn, "noise").fit(FEATURES, LABELS)
    with pytest.raises(TypeError, match="'mixup' gives.*KNeighborsClassifier takes none"):
        AugmentedClassifier(knn, "mixup").fit(FEATURES, LABELS)
    with pytest.raises(TypeError, match="KNeighborsClassifier takes none"):
        AugmentedClassifier(knn, "noise").fit(FEATURES, LABELS, sample_weight=np.ones(40))


def test_metadata_routing_carries_groups_and_weights():
    with sklearn.config_context(enable_metadata_routing=True):
        inner = Seen().set_fit_request(sample_weight=True, groups=True)
        groups = np.repeat(list("abcd"), 10)
        clf = AugmentedClassifier(inner, "mixup", random_state=0)
        clf.fit(SIGNALS, LABELS, groups=groups)
        new = Mixup().augment(SIGNALS, LABELS, random_state=0)
        assert clf.estimator_.groups_.tolist() == [*groups, *groups[new.source]]
        assert clf.estimator_.weight_.tolist() == [1.0] * 40 + new.sample_weight.tolist()
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="sample_weight"):
            AugmentedClassifier(Seen(), "mixup").fit(SIGNALS, LABELS)


# -- parameters -------------------------------------------------------------------------------


def test_the_augmentation_is_searched_over():
    clf = AugmentedClassifier(csp_lda(2), random_state=0, augmentation="noise",
                              augmentation__scale=0.5)
    assert clone(clf).get_params()["augmentation__scale"] == 0.5
    clf.set_params(augmentation__scale=0.25, estimator__csp__n_components=2)
    other = AugmentedClassifier(csp_lda(2), GaussianNoise(0.25), random_state=0)
    np.testing.assert_array_equal(
        clf.fit(SIGNALS, LABELS).predict_proba(SIGNALS),
        other.fit(SIGNALS, LABELS).predict_proba(SIGNALS))
    grid = {"augmentation": [None, "mirror", Mirror(), ["mirror", "mixup"], "recombine"]}
    search = GridSearchCV(
        AugmentedClassifier(csp_lda(2), random_state=0), grid, cv=3, error_score="raise")
    with pytest.raises(TypeError, match="LinearDiscriminantAnalysis takes none"):
        search.fit(SIGNALS, LABELS)
    grid["augmentation"].pop(3)
    search.fit(SIGNALS, LABELS)
    scores = search.cv_results_["mean_test_score"]
    assert scores[1] == scores[2]
    instance = AugmentedClassifier(GaussianNB(), GaussianNoise())
    assert instance.get_params()["augmentation__scale"] == 0.1
    assert clone(instance.set_params(augmentation__scale=2.0)).get_params()[
        "augmentation__scale"] == 2.0


def test_seeds():
    def proba(seed):
        clf = AugmentedClassifier(GaussianNB(), "noise", random_state=seed, augmentation__scale=1)
        return clf.fit(FEATURES, LABELS).predict_proba(FEATURES)

    state = np.random.get_state()[1].copy()
    np.testing.assert_array_equal(proba(0), proba(0))
    assert not np.array_equal(proba(0), proba(1))
    assert not np.array_equal(proba(None), proba(None))
    np.testing.assert_array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize(("clf", "X", "error", "message"), [
    (AugmentedClassifier(GaussianNB()), FEATURES, ValueError, "Mirror needs rows of channels"),
    (AugmentedClassifier(csp_lda(2, sfreq=100)), np.asarray(SIGNALS), ValueError,
     "Mirror needs the names"),
    (AugmentedClassifier(GaussianNB(), "blur"), FEATURES, ValueError,
     "AugmentedClassifier: augmentation='blur' is unknown"),
    (AugmentedClassifier(GaussianNB(), "noise", augmentation__sigma=1), FEATURES, ValueError,
     "no setting 'sigma'"),
    (AugmentedClassifier(GaussianNB(), "noise", sigma=1), FEATURES, ValueError,
     "no parameter 'sigma'"),
    (AugmentedClassifier(GaussianNB, "noise"), FEATURES, TypeError, "estimator=.*an instance"),
    (AugmentedClassifier(GaussianNB(), "noise", random_state="x"), FEATURES, ValueError,
     "random_state='x'"),
])
def test_what_is_refused(clf, X, error, message):
    with pytest.raises(error, match=message):
        clf.fit(X, LABELS)


# -- kinds of rows ----------------------------------------------------------------------------


def test_data_frames_stay_data_frames():
    frame = pd.DataFrame(FEATURES, columns=NAMES, index=np.arange(40) + 7)
    clf = AugmentedClassifier(Seen(), "noise").fit(frame, LABELS)
    assert list(clf.estimator_.X_.columns) == NAMES
    assert clf.estimator_.X_.shape == (80, 3)
    named = AugmentedClassifier(GaussianNB(), "noise").fit(frame, LABELS)
    assert named.feature_names_in_.tolist() == NAMES


def test_epochs_and_columns_of_labels():
    info = mne.create_info(NAMES, 100.0, "eeg")
    epochs = mne.EpochsArray(np.asarray(SIGNALS) * 1e-6, info, verbose="error")
    clf = AugmentedClassifier(csp_lda(2)).fit(epochs, LABELS)
    assert clf.n_augmented_ == 40
    assert clf.score(epochs, LABELS) > 0.8
    with pytest.warns(sklearn.exceptions.DataConversionWarning):
        AugmentedClassifier(GaussianNB(), "noise").fit(FEATURES, LABELS[:, None])
