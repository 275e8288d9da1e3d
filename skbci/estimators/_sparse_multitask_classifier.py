"""Several tasks in one network, most of whose weights are gone before it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks.eeg import as_eeg
from skbci._typing import ClassWeight, Labels, Seed, Signals
from skbci.estimators import _setting_types as like
from skbci.estimators._docs import fill_doc
from skbci.estimators._neural.multitask import BaseMultitaskClassifier
from skbci.estimators._route_types import SparseMultitaskRoutes


@fill_doc
class SparseMultitaskClassifier(BaseMultitaskClassifier):
    r"""One sparse network for several tasks, such as imagined and executed movements.

    Each row belongs to a task. All tasks share the network's feature layers, and each has private
    layers and a head. Before training, each task says which weights its loss depends on; a shared
    weight is dropped if no task misses it [1]_.

    Parameters
    ----------
    sparsity : float, default=0.4
        Share of the weights of dense and convolution layers to prune, in [0, 1). With 0 the
        network is dense.
    pruning : str, PruningMethod class or instance, default="snip-multitask"
        ``"snip-multitask"``: a mask for each task, and an arbiter where they share weights;
        ``"snip"``: one mask by the joint loss; ``"lottery"``: rounds of training, after each of
        which the smallest weights go and the others return to the start; ``"magnitude"``: the
        smallest weights go after a first training, which a second one follows. Settings are
        ``pruning__...``, such as ``pruning__arbiter="and"``. See `skbci.sparsity`.
    task_weights : dict, optional
        A factor :math:`\lambda_k` for the loss of each task, with ``loss_weighting="fixed"``; they
        are scaled to sum to the number of tasks. None: all 1. ``pruning="snip"`` goes by the
        weights that the losses start with, unless ``pruning__task_weights`` says otherwise.
    loss_weighting : str, WeightingPolicy class or instance, default="fixed"
        %(loss_weighting)s
    optimizer : str or torch.optim.Optimizer class, default="adam"
        %(optimizer_of_several)s
    lr : float, default=0.003
        %(lr)s
    max_epochs : int, default=100
        %(max_epochs_of_several)s
    batch_size : int, default=16
        Rows in a mini-batch, each task having its share of them; -1 takes all rows at once.
    standardize : bool, default=True
        %(standardize_of_several)s
    early_stopping : bool or "auto", default=False
        %(early_stopping_of_several)s
    validation_fraction : float, default=0.2
        %(validation_fraction)s
    n_iter_no_change : int, default=20
        %(n_iter_no_change)s
    tol : float, default=1e-4
        Smallest decrease of the monitored loss that counts as an improvement.
    monitor : str, optional
        Column of ``history_`` that early stopping and the falling learning rate go by. None:
        ``"valid_mean"``, the mean of the tasks' validation losses, whatever their weights.
    lr_patience : int or None, default=None
        %(lr_patience)s
    lr_factor : float, default=0.5
        %(lr_factor)s
    min_lr : float, default=1e-4
        %(min_lr)s
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes; "balanced" ones are found for each task.
    augmentation : str, Augmentation class or instance, list of them, or None, default=None
        %(augmentation)s
    callbacks : list of skorch callbacks or (name, callback) pairs, optional
        %(callbacks)s
    device : str, default="cpu"
        %(device)s
    verbose : int, default=0
        %(verbose)s
    random_state : int, RandomState or None, default=None
        %(random_state)s
    **routes
        ``module__...`` (of `skbci.nets.DualTaskNet`), ``pruning__...``, ``loss_weighting__...``,
        ``optimizer__...``, ``augmentation__...`` and ``callbacks__...`` parameters.

    Attributes
    ----------
    tasks_ : list
        The tasks, in order.
    classes_ : ndarray, shape (n_classes,)
        The labels of all tasks.
    task_classes_ : dict of ndarray
        The labels of each task.
    masks_ : dict of str to ndarray of bool
        By the network's parameter names, True where a weight is kept.
    task_masks_ : dict of dict of ndarray
        By task, the weights that the task asked for. Methods with one mask for all give that
        part of it that the task uses.
    density_ : DataFrame
        Share of the weights that are kept, by parameter and in total: one column per task, and
        ``"network"`` for what is kept in the end.
    overlap_ : DataFrame
        Jaccard index of what each pair of tasks asked for, by shared parameter and in total.
    net_ : skorch.NeuralNet
        %(net)s
    history_ : DataFrame
        One row per epoch: ``train_loss``, ``valid_loss`` (weighted sums), for each task t
        ``train_t``, ``valid_t`` (mean losses over its rows, without weights), ``weight_t`` and,
        where the policy compares gradients, ``gradient_norm_t``; ``train_mean``, ``valid_mean``
        (over tasks), ``dur`` (seconds).
    loss_weighting_ : WeightingPolicy
        %(loss_weighting_)s
    n_iter_ : int
        %(n_iter)s
    n_features_in_ : int
        %(n_features_in)s
    input_shape_ : tuple of int
        %(input_shape)s

    See Also
    --------
    skbci.nets.DualTaskNet : The network.
    skbci.sparsity.MultitaskSnip : The masks.
    TaskScorer : A score of one task's rows, for cross-validation.
    compact_estimator : The smaller network that is left.

    Notes
    -----
    What is minimized is :math:`\sum_k \lambda_k \ell^k`, with :math:`\ell^k` the mean
    cross-entropy of the rows of task k in the mini-batch.

    *The tasks* come from the argument ``task`` of `fit`, `predict`, `predict_proba` and `score`,
    one entry a row or one for all; else from the column "task" of an `EEGArray`'s row table, which
    cross-validation slices with the rows; else one task is assumed. With scikit-learn's metadata
    routing, ``task`` is requested by all four and ``groups`` by `fit`, as soon as they are passed:
    ``cross_validate(clf, X, y, params={"task": task, "groups": subject})``.

    With "snip-multitask" more weights are kept than ``1 - sparsity``, the more the less the tasks
    have in common: ``density_`` tells. The saliency is computed on at most 1024 training rows,
    chosen by task and class, whatever the order of the rows and their unit.

    "lottery" and "magnitude" go by the size of weights, and the heads start with small ones: with
    these two, ``pruning__scope="layer"`` prunes all layers alike.

    A `sklearn.model_selection.GridSearchCV` has no ``predict(X, task=...)``: use its
    ``best_estimator_``, or rows with a table.

    Rows x times (2-D) are one channel's epochs. Where rows are shorter than 256 samples, the
    network's kernels and poolings are shortened, unless ``module__...`` sets them.

    References
    ----------
    .. [1] %(sparse_multitask_paper)s

    Examples
    --------
    >>> from skbci.datasets import make_imagery_execution
    >>> data = make_imagery_execution(1, n_trials=20, sfreq=80, snr=4, random_state=0)
    >>> clf = SparseMultitaskClassifier(sparsity=0.8, max_epochs=5, random_state=0)
    >>> clf = clf.fit(data.X, data.y)  # the tasks are in the row table
    >>> clf.tasks_, clf.predict(data.X[:2]).shape
    (['execution', 'imagery'], (2,))
    >>> bool(clf.overlap_.loc["total", "execution & imagery"] < 1)
    True
    """

    _route_prefixes = ("module", "optimizer", "pruning", "augmentation", "callbacks",
                       "loss_weighting")
    # Passed on as soon as they are given, without set_fit_request.
    __metadata_request__fit = {"task": True, "groups": True}
    __metadata_request__partial_fit = {"task": True}
    __metadata_request__predict = {"task": True}
    __metadata_request__predict_proba = {"task": True}
    __metadata_request__score = {"task": True}

    def __init__(
        self,
        *,
        sparsity: float = 0.4,
        pruning: like.Pruning = "snip-multitask",
        task_weights: Mapping[Any, float] | None = None,
        loss_weighting: like.Weighting = "fixed",
        optimizer: like.Optimizer = "adam",
        lr: float = 3e-3,
        max_epochs: int = 100,
        batch_size: int = 16,
        standardize: bool = True,
        early_stopping: bool | str = False,
        validation_fraction: float = 0.2,
        n_iter_no_change: int = 20,
        tol: float = 1e-4,
        monitor: str | None = None,
        lr_patience: int | None = None,
        lr_factor: float = 0.5,
        min_lr: float = 1e-4,
        class_weight: ClassWeight = None,
        augmentation: like.Augmentation = None,
        callbacks: like.Callbacks = None,
        device: str = "cpu",
        verbose: int = 0,
        random_state: Seed = None,
        **routes: Unpack[SparseMultitaskRoutes],
    ) -> None:
        self.sparsity = sparsity
        self.pruning = pruning
        self.task_weights = task_weights
        self.loss_weighting = loss_weighting
        self.optimizer = optimizer
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.standardize = standardize
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.monitor = monitor
        self.lr_patience = lr_patience
        self.lr_factor = lr_factor
        self.min_lr = min_lr
        self.class_weight = class_weight
        self.augmentation = augmentation
        self.callbacks = callbacks
        self.device = device
        self.verbose = verbose
        self.random_state = random_state
        self.__dict__.update(routes)

    # -- fitting --------------------------------------------------------------------------

    def fit(  # type: ignore[override]
        self, X: Signals, y: Labels, task: Labels | None = None,
        sample_weight: ArrayLike | None = None, groups: Labels | None = None,
    ) -> SparseMultitaskClassifier:
        """Choose the weights, and train them.

        Parameters
        ----------
        X : array-like, EEGArray, mne.Epochs or list of mne.Epochs
            Epochs (n_rows, n_channels, n_times), or (n_rows, n_times) of one channel, in any unit.
        y : array-like, shape (n_rows,)
            Labels of any kind; at least two classes in each task.
        task : array-like, shape (n_rows,), or str, optional
            The task of each row. None: the column "task" of X's row table, else one task.
        sample_weight : array-like, shape (n_rows,), optional
            Non-negative weights of the rows' losses; rows of weight zero are left out.
        groups : array-like, shape (n_rows,), optional
            With early stopping, whole groups are held out for validation.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            On NaN or infinity, a constant channel, a task with one class or called "network", a
            saliency that is not finite, or an unknown name or setting. A fit that fails while it
            looks for masks leaves the estimator without a network.
        """
        X = as_eeg(X)
        self._fit(X, self._with_task(X, y, task, reset=True), sample_weight, groups)
        return self

    def partial_fit(  # type: ignore[override]
        self, X: Signals, y: Labels, task: Labels | None = None,
        classes: ArrayLike | Mapping[Any, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> SparseMultitaskClassifier:
        """Go on training for one pass over the rows, in the order given, with the same masks.

        Parameters
        ----------
        X : array-like
            As in `fit`.
        y : array-like, shape (n_rows,)
            Labels, all among the classes of their task.
        task : array-like, shape (n_rows,), or str, optional
            As in `fit`. The first call decides which tasks there are.
        classes : array-like or dict, optional
            All labels, of every task or, as a dict, of each; needed in the first call unless
            ``y`` has them all.
        sample_weight : array-like, shape (n_rows,), optional
            Non-negative weights of the rows' losses.

        Returns
        -------
        self
        """
        first = not hasattr(self, "net_")
        X = as_eeg(X)
        bundle = self._with_task(X, y, task, reset=first)
        if first:
            self._learn_classes(bundle["label"], bundle["task"], classes)
        elif classes is not None:
            self._check_same_classes(classes)
        self._partial_fit(X, bundle, sample_weight, first)
        return self

    # -- prediction -----------------------------------------------------------------------

    def predict(self, X: Signals, task: Labels | None = None) -> np.ndarray:
        """Return the most probable label of each row among the classes of its task.

        Parameters
        ----------
        X : array-like
            Rows of the shape seen in `fit`.
        task : array-like, shape (n_rows,), or str, optional
            The task of each row, or of all. None: the column "task" of X's row table; where there
            is one task only, that one.

        Returns
        -------
        ndarray, shape (n_rows,)

        Raises
        ------
        ValueError
            If a task is unknown, or it is not said which of several a row belongs to.
        """
        log_p = self._log_proba(X, task)
        labels = np.concatenate(list(self.task_classes_.values()))
        return labels[log_p.argmax(axis=1)].astype(self.classes_.dtype, copy=False)

    def predict_proba(self, X: Signals, task: Labels | None = None) -> np.ndarray:
        """Compute class probabilities.

        Parameters
        ----------
        X : array-like
            Rows of the shape seen in `fit`.
        task : array-like, shape (n_rows,), or str, optional
            As in `predict`.

        Returns
        -------
        ndarray of float, shape (n_rows, n_classes)
            Columns in the order of ``classes_``, the labels of all tasks; a label that a row's
            task does not have gets 0. Rows sum to 1. In the precision of X.
        """
        log_p = self._log_proba(X, task)
        out = np.zeros((len(log_p), len(self.classes_)), dtype=log_p.dtype)
        for name, own in self.task_classes_.items():
            start = self._starts_[name]
            columns = np.searchsorted(self.classes_, own)
            out[:, columns] += np.exp(log_p[:, start : start + len(own)])
        return out
