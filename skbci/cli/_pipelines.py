"""Pipelines by name, which take epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sklearn.base import BaseEstimator

from skbci.cli._words import UsageError

__all__ = ["PIPELINES", "make_pipelines"]

Maker = Callable[[str | None], Any]

# The optimizer is a hyperparameter like any other; each comes with a step that suits it.
_OPTIMIZERS = [
    {"mlp__optimizer": ["hjb"], "mlp__lr": [0.3]},
    {"mlp__optimizer": ["hjb-ad"], "mlp__lr": [0.01]},
    {"mlp__optimizer": ["hjb-adam"], "mlp__lr": [0.003]},
    {"mlp__optimizer": ["adam"], "mlp__lr": [0.003]},
]


def _csp_lda(alignment: str | None) -> BaseEstimator:
    from skbci.baselines import csp_lda

    return csp_lda(alignment=alignment)


def _fbcsp(alignment: str | None) -> BaseEstimator:
    from skbci.baselines import fbcsp

    return fbcsp(alignment=alignment)


def _tangent_space(alignment: str | None) -> BaseEstimator:
    from skbci.baselines import tangent_space_lr

    return tangent_space_lr(alignment=alignment)


def _mdm(alignment: str | None) -> BaseEstimator:
    from skbci.baselines import riemann_mdm

    return riemann_mdm(alignment=alignment)


def _slow_potentials(alignment: str | None) -> BaseEstimator:
    from skbci.baselines import slow_potentials_lr

    return slow_potentials_lr(alignment=alignment or "scale")


def _erp_lda(alignment: str | None) -> BaseEstimator:
    from skbci.baselines import erp_lda

    return erp_lda(alignment=alignment)


def _erp_xdawn(alignment: str | None) -> BaseEstimator:
    from skbci.baselines import erp_xdawn_riemann

    return erp_xdawn_riemann(alignment=alignment)


def _tangent_hjb(alignment: str | None) -> BaseEstimator:
    from skbci.baselines import tangent_space_lr
    from skbci.estimators import DecoderPipeline, MLPClassifier

    # A tangent space has more dimensions than there are epochs: most of them are dropped.
    network = MLPClassifier((100,), dropout=0.8, optimizer="hjb", lr=0.3, max_epochs=40,
                            batch_size=16, random_state=0)
    steps = tangent_space_lr(alignment=alignment).steps[:-1]
    return DecoderPipeline([*steps, ("mlp", network)])


def _tangent_search(alignment: str | None) -> BaseEstimator:
    from skbci.model_selection import StackedGridSearchCV

    return StackedGridSearchCV(_tangent_hjb(alignment), _OPTIMIZERS, cv=3)


def _views(alignment: str | None) -> BaseEstimator:
    from sklearn.pipeline import make_pipeline

    from skbci.baselines import slow_potentials_lr, tangent_space_lr
    from skbci.estimators import MultiViewClassifier

    tangent = tangent_space_lr(alignment=alignment)
    slow = slow_potentials_lr(alignment=alignment or "scale")

    def features(pipeline: BaseEstimator) -> BaseEstimator:
        return make_pipeline(*(step for _, step in pipeline.steps[:-1]))

    return MultiViewClassifier(
        [("tangent", features(tangent)), ("slow", features(slow))],
        view_dropout={"tangent": 0.8, "slow": 0.3}, dropout=0.5, optimizer="hjb-adam", lr=0.003,
        max_epochs=40, batch_size=16, random_state=0,
    )


PIPELINES: dict[str, tuple[str, Maker]] = {
    "csp-lda": ("common spatial patterns, log-power, linear discriminant analysis", _csp_lda),
    "fbcsp": ("nine bands, spatial patterns of each, the most informative features, LDA", _fbcsp),
    "tangent-space": ("covariances in the tangent space, logistic regression", _tangent_space),
    "mdm": ("covariances, nearest Riemannian mean", _mdm),
    "slow-potentials": ("means below 4 Hz, logistic regression: what the cue and the eyes tell",
                        _slow_potentials),
    "erp-lda": ("mean amplitudes in short windows, shrinkage LDA", _erp_lda),
    "erp-xdawn": ("xDAWN, covariances with mean responses, logistic regression", _erp_xdawn),
    "tangent-hjb": ("covariances in the tangent space, a network trained by HJB", _tangent_hjb),
    "tangent-search": ("the same, its optimizer chosen inside each training set: HJB, "
                       "HJB-AD, HJB under Adam, Adam", _tangent_search),
    "views": ("tangent space and slow potentials in one network, HJB under Adam", _views),
}


def make_pipelines(names: Sequence[str], alignment: str | None = None) -> dict[str, Any]:
    """Make pipelines by their names.

    Parameters
    ----------
    names : sequence of str
        Keys of ``PIPELINES``; several in one string may be separated by commas.
    alignment : {"scale", "euclidean", "riemannian"}, optional
        How each subject is aligned by its own rows.

    Returns
    -------
    dict of str to estimator

    Raises
    ------
    UsageError
        If a name is unknown.
    """
    wanted = [part for name in names for part in name.split(",") if part]
    unknown = [name for name in wanted if name not in PIPELINES]
    if unknown or not wanted:
        raise UsageError(f"{', '.join(unknown) or 'nothing'}: no such pipeline; they are "
                         f"{', '.join(PIPELINES)}.")
    return {name: PIPELINES[name][1](alignment) for name in wanted}
