"""Parameter texts that the neural estimators share."""

from __future__ import annotations

from skbci._docs import doc_filler

__all__ = ["fill_doc"]

# What comes under a parameter's or attribute's name, type and default.
fill_doc = doc_filler({
    "activation": """
    Follows each hidden layer.
    """,
    "augmentation": """
    Further training rows that `fit` makes of its training rows, never of validation rows:
    ``"mirror"``, ``"recombine"``, ``"mixup"``, ``"noise"``, ``"channel-dropout"``,
    ``"time-shift"``, or what `skbci.augmentation` has; settings are ``augmentation__...``.
    """,
    "batch_size": """
    Rows in a mini-batch; -1 takes all rows at once.
    """,
    "callbacks": """
    Copied for each fit; reached as ``callbacks__name__parameter``.
    """,
    "center_lr": """
    Learning rate of parameters that the losses have of their own, such as the centers of the
    center loss. None: ``lr``.
    """,
    "class_weight": """
    Weights of the classes.
    """,
    "classes": """
    The labels.
    """,
    "density": """
    Share of the weights that are kept, by parameter and in total.
    """,
    "device": """
    Where to train, for example ``"cuda"``.
    """,
    "dropout": """
    Probability of dropping a unit after each hidden layer: one number for all, or one each.
    """,
    "early_stopping": """
    Hold out validation rows by group and time, stop when their loss no longer improves, and
    keep the best epoch's weights. Groups come from ``fit(groups=...)`` or from the metadata of
    an `EEGArray` (subject, else session, else run); without any, the last rows in time are
    held out, and training rows that overlap them are dropped.
    """,
    "early_stopping_of_several": """
    Hold out validation rows by group and time and stop when ``monitor`` no longer improves;
    the best epoch's weights are kept. See `NeuralClassifier`. ``"auto"``: where there are at
    least six rows to hold out.
    """,
    "hidden_layer_sizes": """
    Units of each hidden layer.
    """,
    "history": """
    One row per epoch: ``train_loss``, ``valid_loss`` (means over rows), ``dur`` (seconds).
    """,
    "history_of_several": """
    One row per epoch, with the columns that `NeuralClassifier` lists.
    """,
    "input_shape": """
    Shape of one row.
    """,
    "loss_weighting": """
    How the losses are weighed: ``"fixed"``, ``"alphagrad"``, ``"alphagrad-lead"``,
    ``"alphagrad-project"``, ``"adamt"``, ``"gradapprox"`` (needs early stopping),
    ``"uncertainty"``, ``"dwa"``, ``"gradnorm"`` or ``"gramian"``; settings are
    ``loss_weighting__...``.
    """,
    "loss_weighting_": """
    The policy, with the weights in force.
    """,
    "lr": """
    Learning rate.
    """,
    "lr_of_optimizer": """
    Learning rate. None: what suits the optimizer (`skbci.optim.LEARNING_RATES`: 0.1 for ``"hjb"``,
    0.01 for ``"hjb-ad"``, 0.001 for ``"adam"``), or the default of an optimizer's class.
    """,
    "lr_factor": """
    Between 0 and 1.
    """,
    "lr_patience": """
    Epochs without improvement before the learning rate is multiplied by ``lr_factor``. None: it
    stays.
    """,
    "masks": """
    By the module's parameter names, True where a weight is kept.
    """,
    "max_epochs": """
    Passes over the training rows.
    """,
    "max_epochs_of_several": """
    Passes over the training rows, at most.
    """,
    "max_norm": """
    Whether the norms of each unit's weights are bounded, see the network.
    """,
    "min_lr": """
    The learning rate is not lowered beyond this.
    """,
    "monitor": """
    Column of ``history_`` that early stopping and the falling learning rate go by. None:
    ``"valid_logits"``, the validation loss of the classification, whatever the weights.
    ``"valid_accuracy"``, as published: the share of validation rows that are classified
    right, which is to be large.
    """,
    "n_features_in": """
    Size of the second axis of the input.
    """,
    "n_iter": """
    Epochs run.
    """,
    "n_iter_no_change": """
    Epochs without improvement before training stops.
    """,
    "net": """
    The fitted net; the torch module is ``net_.module_``.
    """,
    "optimizer": """
    ``"hjb"``, ``"hjb-ad"``, ``"evdhjb"``, ``"lm"``, ``"lf"``, ``"adam"``, ``"adamw"``,
    ``"adagrad"``, ``"rmsprop"``, ``"sgd"``, ``"hjb-momentum"``, ``"hjb-nesterov"``,
    ``"hjb-rmsprop"``, ``"hjb-adam"``, ``"hjb-adamw"`` or a class; its settings are
    ``optimizer__...``; with ``optimizer__averaging=True`` HJB's averaged iterate predicts. The
    rules of `skbci.optim` get the loss summed over the mini-batch, all others its mean.
    """,
    "optimizer_of_several": """
    As in `NeuralClassifier`; ``"evdhjb"``, ``"lm"`` and ``"lf"`` are not for several losses.
    """,
    "pruning": """
    Which weights stay: ``"snip"`` chooses before training, ``"lottery"`` in rounds of
    training after each of which the weights go back to the start, ``"magnitude"`` after a
    first training, which a second one follows; settings are ``pruning__...``. See
    `skbci.sparsity`.
    """,
    "random_state": """
    Seeds weights, shuffling, dropout and the drawn validation groups. The global random
    states of numpy and torch are neither used nor changed.
    """,
    "random_state_of_several": """
    Seeds weights, shuffling and the drawn validation groups. The global random states of
    numpy and torch are neither used nor changed.
    """,
    "sparsity": """
    Share of the weights of dense and convolution layers to prune, in [0, 1). Pruned weights
    are zero from the first step to the last, and in `partial_fit`. With 0 none is pruned.
    """,
    "standardize": """
    Scale each feature (2-D input) or channel (3-D and 4-D input, over rows and times) to zero
    mean and unit variance inside, so that predictions do not depend on the unit.
    """,
    "standardize_of_several": """
    Scale each channel (of each band) to zero mean and unit variance inside, so that
    predictions do not depend on the unit.
    """,
    "tol": """
    Smallest change of what is monitored that counts as an improvement.
    """,
    "validation_fraction": """
    Share of the rows to hold out, at least.
    """,
    "verbose": """
    Prints one line per epoch when not 0.
    """,
})
