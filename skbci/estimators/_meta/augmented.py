"""Any classifier, fitted on augmented training rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Tags
from sklearn.utils.metadata_routing import _routing_enabled
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_is_fitted

from skbci._checks import check_fits, check_seed
from skbci._checks.eeg import as_eeg
from skbci._checks.labels import label_column
from skbci._typing import Labels, Seed, Signals
from skbci.augmentation import Augmented, resolve_augmentation, with_new_rows
from skbci.estimators import _setting_types as like
from skbci.estimators._meta.base import AroundOneClassifier, can, route_to_learner
from skbci.estimators._route_types import AugmentationRoutes
from skbci.estimators._routes import RoutedParams
from skbci.pipeline import last_step


class AugmentedClassifier(RoutedParams, AroundOneClassifier):
    """Fit a classifier on its training rows and on others made from them.

    `fit` makes new rows of those that it gets, which in cross-validation are the training rows,
    and a clone of the classifier is fitted on both. Predictions are the classifier's own.

    Parameters
    ----------
    estimator : classifier or Pipeline
        A clone of it is fitted.
    augmentation : str, Augmentation class or instance, list of them, or None, default="mirror"
        ``"mirror"``, ``"recombine"``, ``"mixup"``, ``"noise"``, ``"channel-dropout"``,
        ``"time-shift"``, or what `skbci.augmentation` has; its settings are ``augmentation__...``,
        those of a list's members ``augmentation__noise__scale`` and so on. Of a list, each makes
        its own new rows from the rows given. None adds none.
    random_state : int, RandomState or None, default=None
        Seeds what the augmentation draws; the classifier has its own.
    **routes
        ``augmentation__...`` parameters.

    Attributes
    ----------
    estimator_ : classifier or Pipeline
        The fitted classifier.
    classes_ : ndarray, shape (n_classes,)
        The labels.
    n_augmented_ : int
        Rows added in `fit`.

    Raises
    ------
    ValueError, TypeError
        If the augmentation cannot do with the rows; or if it gives them weights, as "mixup" does,
        and the classifier takes none.

    See Also
    --------
    skbci.augmentation : The augmentations.

    Notes
    -----
    New rows have their source's ``sample_weight``, group, and row of the table; mirrored rows have
    subjects of their own. Rows of weight zero give none.

    Networks have a parameter ``augmentation`` of their own, which is the one to use for them: they
    augment after their validation rows have been held out, so that nothing made of a validation
    row is trained on, and weigh the units of the input by the rows given alone. Here an inner
    early stopping sees new rows too, and only groups keep them with their source.

    A step that needs a recording's rows in order of time, such as `CascadeClassifier`, finds each
    onset twice; let it be outside.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skbci.baselines import csp_lda
    >>> from skbci.datasets import make_motor_imagery
    >>> data = make_motor_imagery(n_subjects=1, n_sessions=1, n_trials=40, random_state=0)
    >>> clf = AugmentedClassifier(csp_lda(4), random_state=0)
    >>> clf.fit(data.X, data.y).n_augmented_
    40
    >>> search = GridSearchCV(clf, {"augmentation": [None, "mirror", ["mirror", "recombine"]]})
    >>> len(search.fit(data.X, data.y).cv_results_["mean_test_score"])
    3
    """

    _route_prefixes = ("augmentation",)
    _takes_sparse = False

    def __init__(
        self, estimator: BaseEstimator, augmentation: like.Augmentation = "mirror", *,
        random_state: Seed = None, **routes: Unpack[AugmentationRoutes],
    ) -> None:
        self.estimator = estimator
        self.augmentation = augmentation
        self.random_state = random_state
        self.__dict__.update(routes)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = False
        tags.non_deterministic |= self.random_state is None and self.augmentation is not None
        return tags

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns, where the classifier was fitted on a data frame."""
        return self.estimator_.feature_names_in_

    def fit(self, X: Signals, y: Labels, **params: Any) -> AugmentedClassifier:
        """Make new rows, and fit a clone of the classifier on them and those given.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.
        y : array-like, shape (n_rows,)
            Labels.
        **params
            ``sample_weight``, ``groups`` if the classifier takes them, or, with metadata routing,
            what it requests.

        Returns
        -------
        self
        """
        self._check_routes()
        check_fits(self.estimator, "estimator", self)
        check_seed(self.random_state, "random_state", self)
        augmentation = resolve_augmentation(
            self.augmentation, self._route("augmentation"), who=self
        )
        self._routed(y, params)  # says what is wrong before anything is made
        self.n_augmented_ = 0
        if augmentation is not None:
            X = as_eeg(X)
            y = label_column(y, None, self)
            weight = params.get("sample_weight")
            new = augmentation.augment(
                X, y, sample_weight=weight, random_state=self.random_state
            )
            params = self._extended(params, new, _num_samples(X))
            X, y, weight = with_new_rows(X, y, weight, new)
            if weight is not None:
                params["sample_weight"] = weight
            self.n_augmented_ = len(new.source)
        self.estimator_ = clone(self.estimator).fit(X, y, **self._inner_params(y, params))
        return self

    @available_if(can("predict", "estimator"))
    def predict(self, X: Signals) -> np.ndarray:
        """Return the classifier's labels.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        return self._ask("predict", X)

    @available_if(can("predict_proba", "estimator"))
    def predict_proba(self, X: Signals) -> np.ndarray:
        """Return the classifier's probabilities.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.

        Returns
        -------
        ndarray, shape (n_rows, n_classes)
        """
        return self._ask("predict_proba", X)

    @available_if(can("decision_function", "estimator"))
    def decision_function(self, X: Signals) -> np.ndarray:
        """Return the classifier's decision values.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.

        Returns
        -------
        ndarray, shape (n_rows,) or (n_rows, n_classes)
        """
        return self._ask("decision_function", X)

    def _ask(self, method: str, X: Signals) -> np.ndarray:
        check_is_fitted(self, "estimator_")
        return getattr(self.estimator_, method)(as_eeg(X))

    # -- metadata -------------------------------------------------------------------------

    def _extended(
        self, params: Mapping[str, Any], new: Augmented, n_rows: int
    ) -> dict[str, Any]:
        """Return what comes one entry a row, for the new rows too: their source's."""
        out = {}
        for name, value in params.items():
            by_row = hasattr(value, "__len__") and not isinstance(value, str)
            if by_row and len(value) == n_rows:
                array = np.asarray(value)
                value = np.concatenate([array, array[new.source]])
            out[name] = value
        return out

    def _inner_params(self, y: Labels, params: dict[str, Any]) -> dict[str, Any]:
        """Return the inner fit's parameters, weights to the step that takes them."""
        if _routing_enabled() or params.get("sample_weight") is None:
            return dict(self._routed(y, params)["estimator"]["fit"])
        weight = params["sample_weight"]
        share = {key: value for key, value in params.items() if key != "sample_weight"}
        share = dict(self._routed(y, share)["estimator"]["fit"])
        route = route_to_learner(self.estimator, "sample_weight")
        if route is None:
            raise TypeError(
                f"{type(self).__name__}: the rows have weights (sample_weight, or those that "
                f"augmentation={self.augmentation!r} gives), and "
                f"{type(last_step(self.estimator)).__name__} takes none. Use a classifier with "
                "sample_weight, or another augmentation."
            )
        return {**share, route: weight}
