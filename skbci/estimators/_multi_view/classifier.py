"""Several views of a row in one network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skbci._checks.labels import check_class_weight, check_column, check_labels
from skbci._process.threads import on_one_thread
from skbci._training import draw_seed
from skbci._typing import ClassWeight, Labels, Seed, Signals
from skbci._usable import check_classes_left
from skbci._weights import check_weights
from skbci.estimators import _setting_types as like
from skbci.estimators._docs import fill_doc
from skbci.estimators._multi_view.base import BaseMultiView
from skbci.estimators._multi_view.views import take
from skbci.estimators._route_types import MultiViewRoutes

if TYPE_CHECKING:
    from skbci.weighting import WeightingPolicy


@fill_doc
class MultiViewClassifier(ClassifierMixin, BaseMultiView):
    r"""A network that sees a row in several ways, with a loss for each view and for all of them.

    Each view is a chain of transformers of the same rows: slow potentials, tangent spaces, band
    powers, the signal itself. Each has a small encoder into one space, where a layer that all
    share decides for each view; the sum of their logits decides for all. The networks of one fit
    share the views, which are computed once.

    Parameters
    ----------
    views : list of (str, transformer), optional
        Name and transformer of each view; ``"passthrough"`` is the rows as they are. What a
        transformer gives is features (n_rows, n_features), or epochs (n_rows, n_channels,
        n_times), which have filters learned in space and time. None: one view, ``"features"``, of
        the rows as they are, or, of a dict of arrays, a view for each of them.
    hidden_units : int, default=64
        Units of the space into which the encoders map.
    view_dropout : float or dict of str to float, default=0.0
        Probability of dropping a feature of a view (of epochs, a channel), by view or one for all.
        A view of thousands of features wants much (.9); see `skbci.nets.MultiViewNet`.
    dropout : float, default=0.0
        Probability of dropping a unit of an encoder.
    augmentation : str, Augmentation, list of such or None, default=None
        Further training rows, made of the rows that are trained on before the views see them:
        ``"mirror"``, ``"recombine"``, ``"noise"`` ...; see `skbci.augmentation`. Held-out rows
        are left as they are.
    average_mirrored : bool, default=False
        Predict each row and its mirror image, labels exchanged, and average. Needs
        ``augmentation="mirror"`` (or a list with it).
    n_networks : int, default=1
        Networks trained from different seeds; their probabilities are averaged.
    loss_weighting : str, WeightingPolicy class or instance, default="fixed"
        How the cross-entropies of all views together and of each are weighed: ``"fixed"``,
        ``"alphagrad"``, ``"alphagrad-lead"``, ``"adamt"`` ...; settings are
        ``loss_weighting__...``.
    optimizer : str or torch.optim.Optimizer class, default="hjb"
        As in `NeuralClassifier`: ``"hjb"``, ``"hjb-ad"``, ``"adam"`` ...; settings are
        ``optimizer__...``.
    lr : float, optional
        %(lr_of_optimizer)s
    max_epochs : int, default=100
        %(max_epochs_of_several)s
    batch_size : int, default=128
        %(batch_size)s
    sparsity, pruning : float, default=0.0; str or PruningMethod, default="snip"
        Share of the weights to prune, and how they are chosen; see `NeuralClassifier`.
    early_stopping : bool, default=False
        Hold out rows by group and time, and keep the best epoch's weights by the loss of all views
        on them. Views are fitted on the other rows.
    validation_fraction : float, default=0.2
        %(validation_fraction)s
    n_iter_no_change : int, default=10
        %(n_iter_no_change)s
    tol : float, default=1e-4
        Smallest change that counts as an improvement.
    monitor : str, optional
        Column of ``history_`` that early stopping and the falling learning rate go by. None:
        ``"valid_logits"``.
    lr_patience : int, optional
        %(lr_patience)s
    lr_factor, min_lr : float, default=0.5, 1e-5
        See ``lr_patience``; the learning rate is not lowered beyond ``min_lr``.
    class_weight : dict, "balanced" or None, default=None
        %(class_weight)s
    callbacks : list of skorch callbacks or (name, callback) pairs, optional
        Copied for each network.
    device : str, default="cpu"
        %(device)s
    verbose : int, default=0
        %(verbose)s
    random_state : int, RandomState or None, default=None
        Seeds networks, held-out groups and augmentation. Global random states are neither used
        nor changed.
    **routes
        ``module__...`` (other arguments of `MultiViewNet`), ``optimizer__...``,
        ``loss_weighting__...``, ``pruning__...``, ``callbacks__...`` and ``augmentation__...``.
        Views and their parameters are reached by their names: ``slow``, ``slow__filter__order``.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        %(classes)s
    views_ : dict of str to transformer
        The fitted ones.
    networks_ : list of NeuralClassifier
        The trained networks, whose input is the views side by side.
    prior_ : ndarray, shape (n_classes,)
        Frequencies of the classes, predicted for rows without usable signal.
    history_ : DataFrame
        One row per epoch of the first network: ``train_logits``, ``train_<view>``, ...
    loss_weighting_ : WeightingPolicy
        The first network's policy.
    n_iter_ : int
        Epochs that the first network ran.
    n_features_in_ : int
        Size of the second axis of the input, where it is one array.

    See Also
    --------
    skbci.nets.MultiViewNet : The network.
    AugmentedClassifier : Augmentation for any classifier.
    sklearn.pipeline.FeatureUnion : Views in one matrix, for a linear model.

    Notes
    -----
    With logits :math:`z_v` of view v, :math:`z = \sum_v z_v` and cross-entropy :math:`H`, the loss
    is :math:`w_0 H(z) + \sum_v w_v H(z_v)`; the policy says what :math:`w` is.

    Mirrored rows have subjects of their own, so that views that align by subject align them by
    themselves; see `skbci.augmentation.Mirror`.

    A view that aligns is transductive, and so is then the whole: a row's result depends on the
    rows of its subject that come with it.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skbci.datasets import make_motor_imagery
    >>> from skbci.features import BandEnergy, FilterBank, WindowMeans
    >>> data = make_motor_imagery(n_subjects=1, n_sessions=2, ocular=1.0, random_state=0)
    >>> clf = MultiViewClassifier([
    ...     ("slow", make_pipeline(FilterBank(((0.3, 4),), output="channels"), WindowMeans(0.25))),
    ...     ("bands", BandEnergy(((8, 13), (13, 30)), log=True)),
    ... ], loss_weighting="alphagrad-lead", random_state=0)
    >>> first = data.X.metadata["session"] == 1
    >>> clf.fit(data.X[first], data.y[first]).score(data.X[~first], data.y[~first]) > 0.7
    True
    >>> clf.set_params(slow__windowmeans__width=0.5).views[0][1][-1].width
    0.5
    """

    def __init__(
        self,
        views: Sequence[tuple[str, str | BaseEstimator]] | None = None,
        *,
        hidden_units: int = 64,
        view_dropout: float | Mapping[str, float] = 0.0,
        dropout: float = 0.0,
        augmentation: like.Augmentation = None,
        average_mirrored: bool = False,
        n_networks: int = 1,
        loss_weighting: like.Weighting = "fixed",
        optimizer: like.Optimizer = "hjb",
        lr: float | None = None,
        max_epochs: int = 100,
        batch_size: int = 128,
        sparsity: float = 0.0,
        pruning: like.Pruning = "snip",
        early_stopping: bool = False,
        validation_fraction: float = 0.2,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        monitor: str | None = None,
        lr_patience: int | None = None,
        lr_factor: float = 0.5,
        min_lr: float = 1e-5,
        class_weight: ClassWeight = None,
        callbacks: like.Callbacks = None,
        device: str = "cpu",
        verbose: int = 0,
        random_state: Seed = None,
        **routes: Unpack[MultiViewRoutes],
    ) -> None:
        self.views = views
        self.hidden_units = hidden_units
        self.view_dropout = view_dropout
        self.dropout = dropout
        self.augmentation = augmentation
        self.average_mirrored = average_mirrored
        self.n_networks = n_networks
        self.loss_weighting = loss_weighting
        self.optimizer = optimizer
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.sparsity = sparsity
        self.pruning = pruning
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.monitor = monitor
        self.lr_patience = lr_patience
        self.lr_factor = lr_factor
        self.min_lr = min_lr
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.device = device
        self.verbose = verbose
        self.random_state = random_state
        self.__dict__.update(routes)

    @on_one_thread
    def fit(
        self, X: Signals | Mapping[str, Signals], y: Labels,
        sample_weight: ArrayLike | None = None, groups: Labels | None = None,
    ) -> MultiViewClassifier:
        """Fit the views' transformers, then train the networks.

        Parameters
        ----------
        X : array-like, EEGArray, mne.Epochs or dict of str to array-like
            Rows of features (n_rows, n_features) or epochs (n_rows, n_channels, n_times), which
            all views are made from; or an array for each view by its name.
        y : array-like, shape (n_rows,)
            Labels of any kind; at least two classes.
        sample_weight : array-like, shape (n_rows,), optional
            Non-negative weights of the rows' losses; rows of weight zero are left out.
        groups : array-like, shape (n_rows,), optional
            With early stopping, whole groups are held out for validation.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter, a view, the rows or the labels are not what they must be.
        """
        augmentation = self._check_settings()
        X, n_rows, silent = self._read(X, reset=True)
        y = check_labels(y, n_rows, self)
        groups = None if groups is None else check_column(groups, n_rows, "groups")
        check_classes_left(y, ~silent, type(self).__name__)
        weight, kept = check_weights(sample_weight, y), ~silent
        if weight is not None:
            kept &= weight > 0
        if not kept.all():
            rows = np.flatnonzero(kept)
            X, y = take(X, rows), y[rows]
            weight = None if weight is None else weight[rows]
            groups = None if groups is None else groups[rows]
        self.classes_, target = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            only = self.classes_.tolist()
            raise ValueError(f"{type(self).__name__}: y has the class {only[0]!r} only.")
        check_class_weight(self.class_weight, self.classes_, self)
        counts = np.bincount(target, weight)
        self.prior_ = counts / counts.sum()
        seed = draw_seed(self.random_state, self)
        self._fit_rows(X, y, target, weight, groups, augmentation, seed)
        return self

    def predict(self, X: Signals | Mapping[str, Signals]) -> np.ndarray:
        """Return the most probable label of each row.

        Parameters
        ----------
        X : array-like, EEGArray, mne.Epochs or dict of str to array-like
            Rows as in `fit`.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    @on_one_thread
    def predict_proba(self, X: Signals | Mapping[str, Signals]) -> np.ndarray:
        """Compute class probabilities.

        Parameters
        ----------
        X : array-like, EEGArray, mne.Epochs or dict of str to array-like
            Rows as in `fit`.

        Returns
        -------
        ndarray of float, shape (n_rows, n_classes)
            Columns in the order of ``classes_``; rows sum to 1.
        """
        check_is_fitted(self, "networks_")
        X, n_rows, silent = self._read(X, reset=False)
        rows = np.flatnonzero(~silent)
        out = np.tile(self.prior_, (n_rows, 1))
        if len(rows):
            some = X if len(rows) == n_rows else take(X, rows)
            proba = self._probabilities(some)
            if self._mirror_ is not None:
                mirrored = self._probabilities(self._mirror_.exchange(some))
                proba = (proba + mirrored[:, self._mirror_.partners(self.classes_)]) / 2
            out = out.astype(proba.dtype)
            out[rows] = proba
        return out

    @property
    def history_(self) -> pd.DataFrame:
        """One row per epoch of the first network, as `NeuralClassifier` has it."""
        check_is_fitted(self, "networks_")
        return self.networks_[0].history_

    @property
    def loss_weighting_(self) -> WeightingPolicy:
        """The first network's policy, with the weights in force."""
        check_is_fitted(self, "networks_")
        return self.networks_[0].loss_weighting_
