"""A fully connected network as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from skbci._typing import ClassWeight, Seed
from skbci.estimators import _setting_types as like
from skbci.estimators._docs import fill_doc
from skbci.estimators._neural.classifier import BaseNeuralClassifier
from skbci.estimators._neural.mlp_settings import mlp_settings
from skbci.estimators._route_types import MLPRoutes
from skbci.nets import MLP


@fill_doc
class MLPClassifier(BaseNeuralClassifier):
    """Fully connected network whose optimizer is a hyperparameter.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(100,)
        %(hidden_layer_sizes)s
    activation : {"relu", "tanh", "logistic", "elu", "identity"}, default="relu"
        %(activation)s
    dropout : float or tuple of float, default=0.0
        %(dropout)s
    criterion : str, torch loss class or instance, default="cross-entropy"
        ``"cross-entropy"`` (softmax over the logits), ``"binary-cross-entropy"`` (one sigmoid unit
        a class, as in the HJB paper), or any torch loss on (logits, class indices).
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
        %(tol)s
    monitor : str, optional
        Column of ``history_`` that early stopping goes by. None: ``"valid_loss"``.
        ``"valid_accuracy"`` is the share of validation rows that are classified right, which is to
        be large.
    class_weight : dict, "balanced" or None, default=None
        %(class_weight)s
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
        ``optimizer__...``, ``criterion__...``, ``pruning__...``, ``augmentation__...`` and
        ``callbacks__...`` parameters.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        %(classes)s
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
    NeuralClassifier : The same around any torch module.
    MLPRegressor : The same for real targets.

    Notes
    -----
    The networks of the HJB paper [1]_ are ``(50, 30)`` with ``dropout=(0.2, 0)`` for mental
    imagery and ``(50, 30, 10)`` or ``(50, 30)`` with ``dropout=0.2`` for the eye state, with
    ``criterion="binary-cross-entropy"``.

    References
    ----------
    .. [1] %(hjb_paper)s

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(
    ...     MLPClassifier((20,), max_epochs=40, batch_size=16, random_state=0),
    ...     {"optimizer": ["hjb", "adam"], "lr": [0.01, 0.1]}, cv=3)
    >>> bool(search.fit(X, y).best_score_ > 0.9)
    True
    """

    _route_prefixes = ("criterion", "optimizer", "pruning", "augmentation", "callbacks")

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        *,
        activation: str = "relu",
        dropout: float | Sequence[float] = 0.0,
        criterion: like.Criterion = "cross-entropy",
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
        monitor: str | None = None,
        class_weight: ClassWeight = None,
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
        self.monitor = monitor
        self.class_weight = class_weight
        self.augmentation = augmentation
        self.callbacks = callbacks
        self.device = device
        self.verbose = verbose
        self.random_state = random_state
        self.__dict__.update(routes)

    def _module_and_settings(self) -> tuple[like.Module, dict[str, Any]]:
        return MLP, mlp_settings(self)
