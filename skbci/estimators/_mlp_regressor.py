"""A fully connected network as a scikit-learn regressor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import _check_y

from skbci._checks import refusal
from skbci._checks.kinds import refuse_kinds
from skbci._checks.labels import refuse_missing
from skbci._training import REGRESSION, LossPlan, OneLoss, SlicingNet
from skbci._typing import Labels, Seed, Signals
from skbci.estimators import _setting_types as like
from skbci.estimators._docs import fill_doc
from skbci.estimators._neural.base import BaseNeural
from skbci.estimators._neural.mlp_settings import mlp_settings
from skbci.estimators._route_types import MLPRoutes
from skbci.nets import MLP


@fill_doc
class MLPRegressor(RegressorMixin, BaseNeural):
    """Fully connected network for real targets, whose optimizer is a hyperparameter.

    The targets are standardized inside, and predictions put back into their unit.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(100,)
        %(hidden_layer_sizes)s
    activation : {"relu", "tanh", "logistic", "elu", "identity"}, default="relu"
        %(activation)s
    dropout : float or tuple of float, default=0.0
        %(dropout)s
    criterion : str, torch loss class or instance, default="squared-error"
        ``"squared-error"`` (half the squared error), or any torch loss on (outputs, targets).
    optimizer : str or torch.optim.Optimizer class, default="hjb"
        %(optimizer)s
    lr : float, optional
        %(lr_of_optimizer)s
    max_epochs : int, default=100
        %(max_epochs)s
    batch_size : int, default=128
        %(batch_size)s
    standardize : bool, default=True
        %(standardize)s
    sparsity : float, default=0.0
        %(sparsity)s
    pruning : str, PruningMethod class or instance, default="snip"
        %(pruning)s
    early_stopping : bool, default=False
        %(early_stopping)s
    validation_fraction : float, default=0.2
        %(validation_fraction)s
    n_iter_no_change : int, default=10
        %(n_iter_no_change)s
    tol : float, default=1e-4
        Smallest decrease of the validation loss that counts as an improvement.
    augmentation : str, Augmentation class or instance, list of them, or None, default=None
        Further training rows that `fit` makes of its training rows, never of validation rows:
        ``"mixup"``, ``"noise"``, ``"channel-dropout"``, ``"time-shift"``, or what
        `skbci.augmentation` has that needs no classes; settings are ``augmentation__...``.
    callbacks : list of skorch callbacks or (name, callback) pairs, optional
        %(callbacks)s
    device : str, default="cpu"
        %(device)s
    verbose : int, default=0
        %(verbose)s
    random_state : int, RandomState or None, default=None
        %(random_state)s
    **routes
        ``optimizer__...``, ``criterion__...``, ``pruning__...``, ``augmentation__...`` and
        ``callbacks__...`` parameters.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        %(net)s
    history_ : DataFrame
        %(history)s
    masks_ : dict of str to ndarray of bool
        %(masks)s
    density_ : DataFrame
        %(density)s
    n_iter_ : int
        %(n_iter)s
    n_features_in_ : int
        %(n_features_in)s
    input_shape_ : tuple of int
        %(input_shape)s

    See Also
    --------
    MLPClassifier : The same for labels.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 200)[:, None]
    >>> y = np.sin(3 * X[:, 0])
    >>> reg = MLPRegressor((30,), optimizer="hjb", lr=0.1, random_state=0)
    >>> reg.fit(X, y).score(X, y) > 0.95
    True
    """

    _route_prefixes = ("criterion", "optimizer", "pruning", "augmentation", "callbacks")
    _real_target = True

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        *,
        activation: str = "relu",
        dropout: float | Sequence[float] = 0.0,
        criterion: like.Criterion = "squared-error",
        optimizer: like.Optimizer = "hjb",
        lr: float | None = None,
        max_epochs: int = 100,
        batch_size: int = 128,
        standardize: bool = True,
        sparsity: float = 0.0,
        pruning: like.Pruning = "snip",
        early_stopping: bool = False,
        validation_fraction: float = 0.2,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        augmentation: like.Augmentation = None,
        callbacks: like.Callbacks = None,
        device: str = "cpu",
        verbose: int = 0,
        random_state: Seed = None,
        **routes: Unpack[MLPRoutes],
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.criterion = criterion
        self.optimizer = optimizer
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.standardize = standardize
        self.sparsity = sparsity
        self.pruning = pruning
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.augmentation = augmentation
        self.callbacks = callbacks
        self.device = device
        self.verbose = verbose
        self.random_state = random_state
        self.__dict__.update(routes)

    def _module_and_settings(self) -> tuple[like.Module, dict[str, Any]]:
        return MLP, mlp_settings(self)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(
        self, X: Signals, y: ArrayLike, sample_weight: ArrayLike | None = None,
        groups: Labels | None = None,
    ) -> MLPRegressor:
        """Train the network.

        Parameters
        ----------
        X : array-like, EEGArray, mne.Epochs or list of mne.Epochs
            Rows of features (n_rows, n_features) or epochs (n_rows, n_channels, n_times).
        y : array-like, shape (n_rows,) or (n_rows, n_targets)
            Real targets.
        sample_weight : array-like, shape (n_rows,), optional
            Non-negative weights of the rows' losses; rows of weight zero are left out.
        groups : array-like, shape (n_rows,), optional
            With early stopping, whole groups are held out for validation.

        Returns
        -------
        self
        """
        self._fit(X, y, sample_weight, groups)
        return self

    def partial_fit(
        self, X: Signals, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> MLPRegressor:
        """Go on training for one pass over the rows, in the order given.

        Parameters
        ----------
        X : array-like
            As in `fit`.
        y : array-like, shape (n_rows,) or (n_rows, n_targets)
            Real targets.
        sample_weight : array-like, shape (n_rows,), optional
            Non-negative weights of the rows' losses.

        Returns
        -------
        self
        """
        self._partial_fit(X, y, sample_weight, first=not hasattr(self, "net_"))
        return self

    def predict(self, X: Signals) -> np.ndarray:
        """Return the predicted targets.

        Parameters
        ----------
        X : array-like
            Rows of the shape seen in `fit`.

        Returns
        -------
        ndarray of float, shape (n_rows,) or (n_rows, n_targets)
        """
        output = self._output(X).cpu().numpy()
        output[~np.isfinite(output).all(axis=1)] = 0.0  # the mean, where there is no usable signal
        output = output * self._target_scale_ + self._target_mean_
        return output[:, 0] if self._one_target_ else output

    def _loss_plan(self) -> LossPlan:
        return OneLoss(self.criterion, REGRESSION, self._route("criterion"), SlicingNet)

    def _read_target(self, y: ArrayLike, n_rows: int) -> np.ndarray:
        """Validate what is to be learned, one target a row."""
        refuse_missing(y, f"{type(self).__name__}: y", "leave these rows out")
        refuse_kinds(y, "y", self)
        if getattr(getattr(y, "dtype", None), "kind", "") == "O":
            try:
                y = np.asarray(y, dtype=np.float64)
            except (TypeError, ValueError):
                raise ValueError(refusal(y, "y", self, "must be numbers")) from None
        return _check_y(y, multi_output=True, estimator=self)

    def _encode_target(
        self, y: np.ndarray, weight: np.ndarray | None, reset: bool
    ) -> np.ndarray:
        table = np.asarray(y, dtype=float).reshape(len(y), -1)
        if reset:
            self._one_target_ = y.ndim == 1
            self._target_mean_ = np.average(table, axis=0, weights=weight)
            variance = np.average((table - self._target_mean_) ** 2, axis=0, weights=weight)
            self._target_scale_ = np.where(variance > 0, np.sqrt(variance), 1.0)
        if table.shape[1] != len(self._target_mean_):
            raise ValueError(
                f"y has {table.shape[1]} targets, but {type(self).__name__} was fitted with "
                f"{len(self._target_mean_)}."
            )
        return ((table - self._target_mean_) / self._target_scale_)

    def _prior(self, target: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        return self._target_mean_

    def _n_outputs(self) -> int:
        return len(self._target_mean_)
