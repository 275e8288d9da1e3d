"""Networks for other programs."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_choice, check_path
from skbci._process.files import replacing
from skbci._process.quiet import without_warnings
from skbci.estimators import (
    BaseNeural,
    FBMSNetClassifier,
    MLPRegressor,
    MultiViewClassifier,
    SparseMultitaskClassifier,
)
from skbci.persistence._describe import describe, plain
from skbci.persistence._graphs import Classes, Mean, Standardized, TaskClasses, Values
from skbci.persistence._needs import import_extra
from skbci.pipeline import last_step

__all__ = ["export_onnx"]


def export_onnx(
    estimator: BaseEstimator, path: str | os.PathLike[str], *, dtype: str = "float32"
) -> None:
    """Write a fitted network, with its standardization, as an ONNX graph.

    Parameters
    ----------
    estimator : estimator
        A fitted neural estimator, or a pipeline or search that ends in one. Of a pipeline, the
        graph begins where the steps before the network end.
    path : str or path-like
        Where to.
    dtype : {"float32", "float64"}, default="float32"
        Of the input. Rows whose values are large beside their spread keep more digits in
        "float64"; the network computes in float32 in any case.

    Raises
    ------
    ImportError
        If onnx or onnxscript are not installed: ``pip install "skbci[onnx]"``.
    TypeError
        If there is no network in the last step.
    ValueError
        If the network cannot be expressed by ONNX's operations, or a `MultiViewClassifier` has
        views that are computed outside of it, or averages mirror images.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    save : Writes whole pipelines.

    Notes
    -----
    The input ``X`` has any number of rows of the shape that the network was fitted with, in the
    same unit. For an `FBMSNetClassifier` that filters signals by itself, they are the bands
    that `FilterBank` gives, of shape (n_rows, n_bands, n_channels, n_times); for a
    `MultiViewClassifier`, the views side by side.

    The output is ``probabilities`` (n_rows, n_classes), in the order of ``classes_``; of a
    regressor ``prediction``; of a `SparseMultitaskClassifier` ``probabilities_0``,
    ``probabilities_1`` ..., one a task. The metadata of the file (``classes``, ``tasks``,
    ``ch_names``, ``sfreq``, ``unit`` ...) are JSON. They equal ``predict_proba`` to 1e-5, but
    for rows without usable signal, for which the estimator predicts the prior and the graph
    what it computes.

    Layers that `MIN2Net` and `FBMSNet` compute by Fourier transforms are told as the ordinary
    convolutions that they equal.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.estimators import MLPClassifier
    >>> from skbci.persistence import export_onnx
    >>> X, y = np.random.default_rng(0).normal(size=(20, 3)), np.tile(["left", "right"], 10)
    >>> network = MLPClassifier((5,), max_epochs=2, random_state=0).fit(X, y)
    >>> export_onnx(network, "network.onnx")  # doctest: +SKIP
    """
    target = check_path(path, "path", "export_onnx")
    import_extra("onnx", "onnx")
    import_extra("onnxscript", "onnx")
    check_choice(dtype, "dtype", "export_onnx", ("float32", "float64"))
    network = last_step(getattr(estimator, "best_estimator_", estimator))
    if not isinstance(network, (BaseNeural, MultiViewClassifier)):
        raise TypeError(
            f"export_onnx: estimator={type(estimator).__name__} ends in "
            f"{type(network).__name__}; what is exported is a network such as MLPClassifier, or "
            "a pipeline that ends in one. save writes whole pipelines."
        )
    check_is_fitted(network)
    graph, shape, outputs, about = _graph(network)
    # More than one row, or the number of rows would be taken for a constant.
    rows = torch.zeros((3, *shape), dtype=getattr(torch, dtype))
    data = _exported(graph.eval(), rows, outputs, type(network).__name__)
    about = {**describe(estimator), **about}
    _write(target, data, {name: json.dumps(value) for name, value in about.items()})


def _graph(
    network: BaseEstimator
) -> tuple[torch.nn.Module, tuple[int, ...], list[str], dict[str, Any]]:
    """The graph's module, the shape of its rows, the names of its outputs, and what they are."""
    if isinstance(network, MultiViewClassifier):
        return _views_graph(network)
    module = copy.deepcopy(network.net_.module_).cpu().float()
    shape, scaling, divisor = tuple(network.input_shape_), network._standardizer_, 1.0
    if isinstance(network, FBMSNetClassifier) and len(shape) < 3:
        assert network._filter_bank_ is not None
        times = shape if len(shape) > 1 else (1, *shape)
        shape = (len(network._filter_bank_.bands_), *times)
        divisor = network._peak_ if len(network.input_shape_) > 1 else 1.0
    channel = len(shape) == 1 and _reads_epochs(network)
    standardized = Standardized(module, scaling, divisor, channel)
    if isinstance(network, SparseMultitaskClassifier):
        tasks = {str(name): plain(labels) for name, labels in network.task_classes_.items()}
        names = [f"probabilities_{k}" for k in range(len(tasks))]
        return TaskClasses(standardized), shape, names, {"tasks": tasks, "classes": None}
    if isinstance(network, MLPRegressor):
        values = Values(standardized, network._target_scale_, network._target_mean_)
        return values, shape, ["prediction"], {}
    classes = Classes(standardized, network._class_loss() == "binary-cross-entropy")
    return classes, shape, ["probabilities"], {}


def _reads_epochs(network: BaseEstimator) -> bool:
    """Whether rows of features are read as epochs of one channel."""
    probe = np.zeros((1, *network.input_shape_), np.float32)
    return network._prepare(probe, probe, False).ndim == 3


def _views_graph(
    network: MultiViewClassifier,
) -> tuple[torch.nn.Module, tuple[int, ...], list[str], dict[str, Any]]:
    outside = [name for name, view in network._fitted_views_.transformers.items()
               if view != "passthrough"]
    if outside:
        raise ValueError(
            f"export_onnx: the views {', '.join(map(repr, outside))} of this "
            "MultiViewClassifier are computed by transformers, which are not part of the network; "
            "transform rows beforehand and give the views as 'passthrough', or use save."
        )
    if network._mirror_ is not None:
        raise ValueError(
            "export_onnx: this MultiViewClassifier averages over mirror images, which are made "
            "outside of its network; set average_mirrored=False, or use save."
        )
    graphs = [_graph(member) for member in network.networks_]
    return Mean([graph for graph, *_ in graphs]), graphs[0][1], ["probabilities"], {}


def _exported(graph: torch.nn.Module, rows: torch.Tensor, outputs: list[str], name: str) -> Any:
    """Have torch write the graph, without its messages."""
    silent = io.StringIO()
    level = logging.root.manager.disable
    try:
        logging.disable(logging.WARNING)
        with (
            without_warnings(), contextlib.redirect_stdout(silent),
            contextlib.redirect_stderr(silent), torch.no_grad(),
        ):
            program = torch.onnx.export(
                graph, (rows,), dynamo=True, input_names=["X"], output_names=outputs,
                dynamic_shapes=({0: torch.export.Dim("n_rows", min=1)},),
            )
    except Exception as error:
        lines = str(error.__cause__ or error).strip().splitlines() or [""]
        raise ValueError(
            f"export_onnx: the network of this {name} cannot be expressed by ONNX's operations: "
            f"{lines[-1][:200]}"
        ) from error
    finally:
        logging.disable(level)
    assert program is not None
    return program.model_proto


def _write(path: Path, model: Any, about: dict[str, str]) -> None:
    del model.metadata_props[:]
    for name, text in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, text
    with replacing(path) as file:
        file.write(model.SerializeToString())
