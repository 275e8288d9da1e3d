"""A fully connected network as a scikit-learn classifier."""

from __future__ import annotations

from typing import Any

from skbci.estimators._neural.classifier import BaseNeuralClassifier
from skbci.estimators._neural.mlp_settings import mlp_settings
from skbci.nets import MLP


class MLPClassifier(BaseNeuralClassifier):
    """Fully connected network whose optimizer is a hyperparameter.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(100,)
        Units of each hidden layer.
    activation : {"relu", "tanh", "logistic", "elu", "identity"}, default="relu"
        Follows each hidden layer.
    dropout : float or tuple of float, default=0.0
        Probability of dropping a unit after each hidden layer: one number for all, or one each.
    criterion : str, torch loss class or instance, default="cross-entropy"
        ``"cross-entropy"`` (softmax over the logits), ``"binary-cross-entropy"`` (one sigmoid unit
        a class, as in the HJB paper), or any torch loss on (logits, class indices).
    optimizer : str or torch.optim.Optimizer class, default="hjb"
        ``"hjb"``, ``"hjb-ad"``, ``"evdhjb"``, ``"lm"``, ``"lf"``, ``"adam"``, ``"adagrad"``,
        ``"rmsprop"``, ``"sgd"``, ``"hjb-momentum"``, ``"hjb-nesterov"``, ``"hjb-rmsprop"``,
        ``"hjb-adam"``, ``"hjb-adamw"`` or a class; its settings are ``optimizer__...``; with
        ``optimizer__averaging=True`` HJB's averaged iterate predicts. The rules of
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
    sparsity : float, default=0.0
        Share of the weights of dense and convolution layers to prune, in [0, 1). Pruned weights
        are zero from the first step to the last, and in `partial_fit`. With 0 none is pruned.
    pruning : str, PruningMethod class or instance, default="snip"
        Which weights stay: ``"snip"`` chooses before training, ``"lottery"`` in rounds of
        training after each of which the weights go back to the start, ``"magnitude"`` after a
        training, which is gone on with; settings are ``pruning__...``. See `skbci.sparsity`.
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
        Smallest change of what is monitored that counts as an improvement.
    monitor : str, optional
        Column of ``history_`` that early stopping goes by. None: ``"valid_loss"``.
        ``"valid_accuracy"`` is the share of validation rows that are classified right, which is to
        be large.
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
        ``optimizer__...``, ``criterion__...`` and ``callbacks__...`` parameters.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels.
    net_ : skorch.NeuralNet
        The fitted net; the torch module is ``net_.module_``.
    history_ : DataFrame
        A row an epoch: ``train_loss``, ``valid_loss`` (means over rows), ``dur`` (seconds).
    masks_ : dict of str to ndarray of bool
        By the module's parameter names, True where a weight is kept.
    density_ : DataFrame
        Share of the weights that are kept, by parameter and in total.
    n_iter_ : int
        Epochs run.
    n_features_in_ : int
        Size of the second axis of the input.
    input_shape_ : tuple of int
        Shape of one row.

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
    .. [1] T. K. Reddy, V. Arora, L. Behera (2018). HJB-Equation-Based Optimal Learning Scheme for
       Neural Networks With Applications in Brain-Computer Interface. IEEE Transactions on
       Emerging Topics in Computational Intelligence. doi:10.1109/TETCI.2018.2858761

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

    _route_prefixes = ("criterion", "optimizer", "pruning", "callbacks")

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        *,
        activation: str = "relu",
        dropout: Any = 0.0,
        criterion: Any = "cross-entropy",
        optimizer: Any = "hjb",
        lr: float = 0.01,
        max_epochs: int = 100,
        batch_size: int = 128,
        standardize: bool = True,
        sparsity: float = 0.0,
        pruning: Any = "snip",
        early_stopping: bool = False,
        validation_fraction: float = 0.2,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        monitor: str | None = None,
        class_weight: Any = None,
        callbacks: Any = None,
        device: str = "cpu",
        verbose: int = 0,
        random_state: Any = None,
        **routes: Any,
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
        self.callbacks = callbacks
        self.device = device
        self.verbose = verbose
        self.random_state = random_state
        self.__dict__.update(routes)

    def _module_and_settings(self) -> tuple[Any, dict[str, Any]]:
        return MLP, mlp_settings(self)
