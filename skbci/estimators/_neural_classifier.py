"""A scikit-learn classifier around any torch module."""

from __future__ import annotations

from typing import Any

from skbci.estimators._base_classifier import BaseNeuralClassifier
from skbci.nets import MLP


class NeuralClassifier(BaseNeuralClassifier):
    """Train any torch module as a scikit-learn classifier.

    Parameters
    ----------
    module : torch.nn.Module class, factory or instance, default=MLP
        Gives logits (n_rows, n_classes). Where its constructor has them, ``n_features``,
        ``n_bands``, ``n_channels`` or ``n_chans``, ``n_times``, ``n_outputs`` or ``n_classes`` and
        ``sfreq`` are taken from the data; everything else is ``module__...``. An instance is
        copied and trained from the weights it has.
    criterion : str, torch loss class or instance, default="cross-entropy"
        ``"cross-entropy"`` (softmax over the logits), ``"binary-cross-entropy"`` (one sigmoid unit
        a class, as in the HJB paper), or any torch loss on (logits, class indices).
    optimizer : str or torch.optim.Optimizer class, default="hjb"
        ``"hjb"``, ``"hjb-ad"``, ``"evdhjb"``, ``"lm"``, ``"lf"``, ``"adam"``, ``"adagrad"``,
        ``"rmsprop"``, ``"sgd"`` or a class; its settings are ``optimizer__...``. The rules of
        `skbci.optim` get the loss summed over the mini-batch, all others its mean.
    lr : float, default=0.01
        Step size.
    max_epochs : int, default=100
        Passes over the training rows.
    batch_size : int, default=128
        Rows in a mini-batch; -1 takes all rows at once.
    standardize : bool, default=True
        Scale each feature (2-D input) or channel (3-D and 4-D input, over rows and times) to zero
        mean and unit variance inside, so that predictions do not depend on the unit.
    early_stopping : bool, default=False
        Hold out validation rows by group and time, stop when their loss no longer improves, and
        keep the best epoch's weights. Groups come from ``fit(groups=...)`` or from the metadata of
        an `EEGArray` (subject, else session, else run); without any, the last rows in time are
        held out, and training rows that overlap them are dropped.
    validation_fraction : float, default=0.2
        Share of the rows to hold out, at least.
    n_iter_no_change : int, default=10
        Epochs without improvement before training stops.
    tol : float, default=1e-4
        Smallest decrease of the validation loss that counts as an improvement.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    callbacks : list of skorch callbacks or (name, callback) pairs, optional
        Copied for each fit; reached as ``callbacks__name__parameter``.
    device : str, default="cpu"
        Where to train, for example ``"cuda"``.
    verbose : int, default=0
        Prints a line an epoch when not 0.
    random_state : int, RandomState or None, default=None
        Seeds weights, shuffling, dropout and the drawn validation groups. The global random
        states of numpy and torch are neither used nor changed.
    **routes
        ``module__...``, ``optimizer__...``, ``criterion__...`` and ``callbacks__...`` parameters.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels.
    net_ : skorch.NeuralNet
        The fitted net; the torch module is ``net_.module_``.
    history_ : DataFrame
        A row an epoch: ``train_loss``, ``valid_loss`` (means over rows), ``dur`` (seconds).
    n_iter_ : int
        Epochs run.
    n_features_in_ : int
        Size of the second axis of the input.
    input_shape_ : tuple of int
        Shape of one row.

    See Also
    --------
    MLPClassifier : The same around fully connected layers.

    Notes
    -----
    On the CPU torch runs on one thread during fit and predict, so that a fit gives the same bits
    in every process: parallelize over folds and candidates with ``n_jobs``. A loss that is not
    finite stops training with a `sklearn.exceptions.ConvergenceWarning`, and the last weights
    known to be good are kept.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> class TwoLayers(nn.Module):
    ...     def __init__(self, n_channels, n_times, n_outputs, width=8):
    ...         super().__init__()
    ...         self.layers = nn.Sequential(
    ...             nn.Conv1d(n_channels, width, 5), nn.ELU(), nn.AdaptiveAvgPool1d(1),
    ...             nn.Flatten(), nn.Linear(width, n_outputs))
    ...     def forward(self, X):
    ...         return self.layers(X)
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["left", "right"], 40)
    >>> X = rng.normal(size=(80, 3, 50)) * 1e-5  # volts
    >>> X[:40, 0] += 1e-5
    >>> clf = NeuralClassifier(TwoLayers, module__width=4, optimizer="hjb", random_state=0)
    >>> clf.fit(X, y).score(X, y) > 0.9
    True
    """

    def __init__(
        self,
        module: Any = MLP,
        *,
        criterion: Any = "cross-entropy",
        optimizer: Any = "hjb",
        lr: float = 0.01,
        max_epochs: int = 100,
        batch_size: int = 128,
        standardize: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.2,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        class_weight: Any = None,
        callbacks: Any = None,
        device: str = "cpu",
        verbose: int = 0,
        random_state: Any = None,
        **routes: Any,
    ) -> None:
        self.module = module
        self.criterion = criterion
        self.optimizer = optimizer
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.standardize = standardize
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.device = device
        self.verbose = verbose
        self.random_state = random_state
        self.__dict__.update(routes)

    def _module_and_settings(self) -> tuple[Any, dict[str, Any]]:
        return self.module, self._route("module")
