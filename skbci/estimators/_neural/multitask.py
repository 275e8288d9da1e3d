"""Rows of several tasks, and the network that they share."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, DTypeLike
from sklearn.metrics import accuracy_score
from sklearn.utils import Tags, check_random_state, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted
from torch import Tensor, nn

from skbci._checks.eeg import as_eeg
from skbci._checks.labels import check_class_weight, check_labels
from skbci._eegarray.rows import rows_by_label
from skbci._training import LossPlan, TaskPlan
from skbci._typing import Label, Labels, Signals
from skbci.eegarray import EEGArray
from skbci.estimators import _setting_types as like
from skbci.estimators._neural.classifier import BaseNeuralClassifier
from skbci.estimators._neural.silent_rows import is_marked
from skbci.estimators._neural.sparse import all_masks, pruning_method
from skbci.estimators._neural.task_masks import NETWORK, head_weights, left_of, masks_by_task
from skbci.estimators._neural.tasks import ONE_TASK, THROUGH_TOOLS, head_names, name_tasks
from skbci.estimators._neural.training_rows import TrainingRows
from skbci.estimators._neural.validation_split import split_validation
from skbci.nets import DualTaskNet
from skbci.sparsity import PruningMethod, Snip, density, overlap


class BaseMultitaskClassifier(BaseNeuralClassifier):
    """A classifier each of whose rows belongs to a task; the tasks share a `DualTaskNet`.

    Labels and tasks travel as one structured array, so that rows are chosen from both together.
    Targets are codes: the classes of the first task, then those of the second, and so on.
    """

    _input_ndim = (2, 3)
    _early_stopping_words = ("auto",)
    _reads_epochs = True

    # Set by the children's __init__.
    task_weights: Mapping[Any, float] | None

    _heads_: dict[Label, str]
    _task_kept_: dict[str, dict[str, Tensor]] | None
    tasks_: list[Label]
    task_classes_: dict[Label, np.ndarray]
    classes_: np.ndarray
    _named_: bool
    _starts_: dict[Label, int]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # Rows of features are read as a channel's samples in time, with weights of bounded norm.
        tags.classifier_tags.poor_score = True
        return tags

    # -- rows of tasks --------------------------------------------------------------------

    def _with_task(self, X: Signals, y: Labels, task: Labels | None, reset: bool) -> np.ndarray:
        """Return labels and tasks as one array, whose rows can be chosen together."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        labels = check_labels(y, None, self, least_classes=1)
        check_consistent_length(X, labels)
        tasks = self._tasks_of(X, task, len(labels), reset)
        bundle = np.empty(len(labels), [("label", labels.dtype), ("task", tasks.dtype)])
        bundle["label"], bundle["task"] = labels, tasks
        return bundle

    def _tasks_of(self, X: Signals, task: Labels | None, n_rows: int, reset: bool) -> np.ndarray:
        """Return the task of each row, all of them known."""
        if reset:
            tasks = name_tasks(X, task, n_rows)
            self._named_ = tasks is not None
            return np.full(n_rows, ONE_TASK) if tasks is None else tasks
        tasks = name_tasks(X if self._named_ else None, task, n_rows)
        if tasks is None:
            if len(self.tasks_) > 1:
                raise ValueError(
                    f"{type(self).__name__} has the tasks {self.tasks_} and must be told which "
                    "one each row belongs to: pass task=..., or an EEGArray whose row table has "
                    f"the column 'task'. {THROUGH_TOOLS}"
                )
            return np.full(n_rows, self.tasks_[0])
        unknown = [label for label in rows_by_label(tasks, "task") if label not in self.tasks_]
        if unknown:
            raise ValueError(
                f"task has {', '.join(map(repr, unknown))}, but {type(self).__name__} was fitted "
                f"on {', '.join(map(repr, self.tasks_))} only. In a cross-validation, every "
                "training fold needs rows of each task."
            )
        return tasks

    def _learn_classes(
        self, labels: np.ndarray, task: np.ndarray,
        classes: ArrayLike | Mapping[Any, ArrayLike] | None = None,
    ) -> None:
        check_classification_targets(labels)
        found = {name: np.unique(labels[rows]) for name, rows in rows_by_label(task, "task")
                 .items()}
        if isinstance(classes, Mapping):
            if set(classes) != set(found):
                raise ValueError(
                    f"classes names the tasks {list(classes)}, but there are rows of "
                    f"{list(found)}."
                )
            found = {name: np.unique(classes[name]) for name in found}
        elif classes is not None:
            found = dict.fromkeys(found, np.unique(classes))
        if NETWORK in found:
            raise ValueError(
                f"{type(self).__name__}: a task cannot be called {NETWORK!r}, because density_ "
                "has a column of that name for what is kept in the end; call it something else."
            )
        for name, own in found.items():
            if len(own) < 2:
                of = f"task {name!r}" if self._named_ else "y"
                raise ValueError(
                    f"{type(self).__name__} needs at least two classes in each task, but {of} has "
                    f"one class only: {own.tolist()}."
                )
        self.tasks_ = list(found)
        self.task_classes_ = found
        self.classes_ = np.unique(np.concatenate(list(found.values())))
        self._heads_ = dict(zip(found, head_names(self.tasks_)))
        self._starts_ = dict(zip(found, np.cumsum([0, *map(len, found.values())])))

    def _check_same_classes(self, classes: ArrayLike | Mapping[Any, ArrayLike]) -> None:
        for name, own in self.task_classes_.items():
            given = classes.get(name) if isinstance(classes, Mapping) else classes
            if given is None or not np.array_equal(np.unique(given), own):
                raise ValueError(
                    f"classes={classes!r} differ from those of the first call, which for task "
                    f"{name!r} were {own.tolist()}."
                )

    def _read_target(self, y: Labels, n_rows: int) -> np.ndarray:
        return np.asarray(y)  # labels with their tasks, which were validated together

    def _encode_target(
        self, y: np.ndarray, weight: np.ndarray | None, reset: bool
    ) -> np.ndarray:
        labels, task = y["label"], y["task"]
        check_classification_targets(labels)
        if reset:
            self._learn_classes(labels, task)
        codes = np.empty(len(y), dtype=np.int64)
        for name, rows in rows_by_label(task, "task").items():
            own = self.task_classes_[name]
            index = np.searchsorted(own, labels[rows]).clip(0, len(own) - 1)
            foreign = own[index] != labels[rows]
            if foreign.any():
                raise ValueError(
                    f"y has labels {np.unique(labels[rows][foreign]).tolist()} that are not among "
                    f"the classes of task {name!r}, {own.tolist()}."
                )
            codes[rows] = self._starts_[name] + index
        return codes

    def _split(
        self, rows: TrainingRows, target: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Hold out the same groups for all tasks, or where they have none in common, of each."""
        train, valid = super()._split(rows, target, seed)
        if valid is None or len(np.unique(rows.y["task"][valid])) == len(self.tasks_):
            return train, valid
        parts = []
        for subset in rows_by_label(rows.y["task"], "task").values():
            part = split_validation(
                rows.X[subset] if isinstance(rows.X, EEGArray) else rows.X,
                len(subset), target[subset],
                None if rows.groups is None else rows.groups[subset], self.validation_fraction,
                check_random_state(seed),
            )
            parts.append([subset[side] for side in part])
        trains, valids = zip(*parts)
        return np.sort(np.concatenate(trains)), np.sort(np.concatenate(valids))

    def _row_weights(self, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray | None:
        if self.class_weight is None:
            return weight
        by_class = check_class_weight(self.class_weight, self.classes_, self)
        factors = np.ones(len(y))
        for name, own in self.task_classes_.items():
            index = y - self._starts_[name]
            subset = (index >= 0) & (index < len(own))
            if subset.any():
                factors[subset] = compute_sample_weight(by_class, own[index[subset]])
        return factors if weight is None else factors * weight

    # -- the network ----------------------------------------------------------------------

    def _loss_plan(self) -> LossPlan:
        return TaskPlan(
            *self._weighting(), self.task_weights, getattr(self, "tasks_", ()), type(self).__name__
        )

    def _module_and_settings(self) -> tuple[like.Module, dict[str, Any]]:
        sizes = {self._heads_[name]: len(own) for name, own in self.task_classes_.items()}
        return DualTaskNet, {
            **_fitting_sizes(self.input_shape_[-1]), **self._route("module"), "tasks": sizes
        }

    def _prepare(
        self, X: Signals, data: np.ndarray, reset: bool, dtype: DTypeLike = np.float32
    ) -> np.ndarray:
        return data[:, np.newaxis] if data.ndim == 2 else data

    def _prior(self, target: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        n_classes = sum(map(len, self.task_classes_.values()))
        counts = np.bincount(target, weight, minlength=n_classes)
        return counts / counts.sum()

    def _fits_one_batch(self, data: np.ndarray, train: np.ndarray) -> bool:
        # However many batches there are: sorted rows are shuffled alike, whatever their order was.
        return self._takes_features()

    # -- masks ----------------------------------------------------------------------------

    def _pruning_method(self) -> PruningMethod:
        return pruning_method(self, several_tasks=True)

    def _ready_method(self) -> PruningMethod:
        method = self._pruning_method()
        if isinstance(method, Snip):
            method.task_weights = head_weights(self, method.task_weights)
        return method

    def _note_masks(self, method: PruningMethod | None) -> None:
        found = getattr(method, "task_masks_", None)
        self._task_kept_ = None if found is None else {
            head: {name: mask.cpu() for name, mask in own.items()} for head, own in found.items()
        }

    def _follow_compaction(self, before: nn.Module) -> None:
        super()._follow_compaction(before)
        if self._task_kept_ is not None:
            self._task_kept_ = {
                head: left_of(own, before) for head, own in self._task_kept_.items()
            }

    @property
    def task_masks_(self) -> dict[Label, dict[str, np.ndarray]]:
        """By task and parameter name, True for the weights that the task asked for."""
        return {
            task: {name: mask.numpy().copy() for name, mask in own.items()}
            for task, own in masks_by_task(self).items()
        }

    @property
    def density_(self) -> pd.DataFrame:
        """Share of the weights that are kept, by parameter, for each task and in the end."""
        final = all_masks(self)
        table = density({**masks_by_task(self), NETWORK: final})
        return table.loc[[*final, table.index[-1]]]

    @property
    def overlap_(self) -> pd.DataFrame:
        """Jaccard index of what two tasks asked for, by shared parameter."""
        masks = masks_by_task(self)
        return pd.DataFrame({
            f"{a} & {b}": overlap(masks[a], masks[b]) for a, b in combinations(masks, 2)
        })

    # -- prediction -----------------------------------------------------------------------

    def _log_proba(self, X: Signals, task: Labels | None) -> np.ndarray:
        """Compute log-probabilities of each task's classes; minus infinity for other tasks'."""
        check_is_fitted(self, "net_")
        X = as_eeg(X)
        logits = self._predicted(X, lambda rows: self._apply(_all_heads, rows)).cpu()
        tasks = self._tasks_of(X, task, len(logits), reset=False)
        ends = {name: start + len(self.task_classes_[name])
                for name, start in self._starts_.items()}
        out = torch.full_like(logits, -torch.inf)
        for name, subset in rows_by_label(tasks, "task").items():
            part = slice(self._starts_[name], ends[name])
            out[subset, part] = torch.log_softmax(logits[subset, part], dim=1)
            silent = subset[is_marked(logits[subset, part]).numpy()]
            if len(silent):
                frequencies = self.prior_[part] / self.prior_[part].sum()
                out[silent, part] = torch.as_tensor(np.log(frequencies), dtype=out.dtype)
        return out.numpy()

    def score(
        self, X: Signals, y: Labels, task: Labels | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Return the mean accuracy over the rows of all tasks together.

        Parameters
        ----------
        X : array-like
            Rows of the shape seen in `fit`.
        y : array-like, shape (n_rows,)
            Labels.
        task : array-like, shape (n_rows,), or str, optional
            As in `predict`.
        sample_weight : array-like, shape (n_rows,), optional
            Weights of the rows.

        Returns
        -------
        float

        See Also
        --------
        TaskScorer : One task's rows, any metric.
        """
        labels = self.predict(X, task)  # type: ignore[call-arg]  # children take it
        return accuracy_score(y, labels, sample_weight=sample_weight)


def _all_heads(net: nn.Module, rows: Tensor) -> Tensor:
    return torch.cat(net(rows), dim=1)


def _fitting_sizes(n_times: int) -> dict[str, int]:
    """Poolings and kernels that fit into short rows; nothing where the usual ones do."""
    pooling = max(1, min(32, n_times // 8))
    n_pooled = n_times // pooling
    separable = max(1, min(5, n_pooled - 3))
    return {
        "kernel_size": min(65, n_times + 1 - n_times % 2),
        "pooling": pooling,
        "separable_size": separable,
        "map_pooling": max(1, min(4, n_pooled - separable + 1)),
    }
