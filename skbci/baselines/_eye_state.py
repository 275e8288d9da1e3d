"""The eye-state pipelines of the HJB paper."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.ensemble import VotingClassifier
from sklearn.preprocessing import StandardScaler

from skbci._checks import (
    check_count,
    check_fits,
    check_number,
    check_seed,
    is_list,
    is_number,
    refusal,
)
from skbci._typing import Seed
from skbci.baselines._docs import fill_doc
from skbci.estimators import DecoderPipeline, MLPClassifier
from skbci.features import BandEnergy

__all__ = ["eye_state_ensemble", "eye_state_pipeline"]

_ARCHITECTURES = {1: (50, 30, 10), 2: (50, 30)}
# Optimizer of architecture 1, optimizer of architecture 2.
_ENSEMBLES = {
    "Ens1": ("hjb-ad", "adagrad"),
    "Ens2": ("evdhjb", "evdhjb"),
    "Ens3": ("hjb", "hjb"),
    "Ens4": ("sgd", "sgd"),
}


@fill_doc
def eye_state_pipeline(
    classifier: BaseEstimator | None = None,
    *,
    architecture: int = 1,
    sfreq: float | None = None,
    variance: float = 0.95,
    log: bool = False,
    random_state: Seed = None,
    **network: Any,
) -> DecoderPipeline:
    """Sub-band energies, principal components, z-scores, and a network or any classifier.

    Parameters
    ----------
    classifier : estimator, optional
        Stands last. None: the paper's network, a `MLPClassifier` with dropout 0.2 and one sigmoid
        output a class.
    architecture : {1, 2}, default=1
        Hidden layers of the network: 1 for 50, 30 and 10 units, 2 for 50 and 30.
    %(sfreq)s
    variance : float, default=0.95
        Share of the variance that the principal components keep.
    log : bool, default=False
        Whether to take the logarithm of the energies; the paper does not.
    random_state : int, RandomState or None, default=None
        Seeds the network.
    **network
        Further parameters of the `MLPClassifier`, such as ``optimizer`` and ``lr``.

    Returns
    -------
    DecoderPipeline
        Steps ``energies`` (`BandEnergy`; 448 values for 14 channels), ``pca``, ``scale`` and
        ``classifier``.

    Raises
    ------
    ValueError
        If the architecture is unknown, or network parameters are given beside a classifier.

    References
    ----------
    .. [1] %(hjb_paper)s, section IV.

    Examples
    --------
    >>> from skbci.baselines import eye_state_pipeline
    >>> from skbci.datasets import make_eye_state
    >>> from skbci.model_selection import LeaveSubjectsOut
    >>> eeg = make_eye_state(n_subjects=6, duration=60, random_state=0)
    >>> (train, test), = LeaveSubjectsOut(1, 2, random_state=0).split(eeg.X)
    >>> pipe = eye_state_pipeline(optimizer="hjb", lr=0.1, max_epochs=30, random_state=0)
    >>> pipe.fit(eeg.X[train], eeg.y[train]).score(eeg.X[test], eeg.y[test]) > 0.7
    True
    """
    if isinstance(variance, numbers.Integral):
        variance = check_count(variance, "variance", "eye_state_pipeline")  # so many components
    elif variance is not None:
        variance = check_number(
            variance, "variance", "eye_state_pipeline", low=0, high=1, closed="neither",
            also="an integer or None",
        )
    check_seed(random_state, "random_state", "eye_state_pipeline")
    if classifier is None:
        classifier = _network(architecture, random_state, network)
    elif network:
        raise ValueError(
            f"eye_state_pipeline: {sorted(network)} are parameters of the network, but a "
            "classifier is given; set them there."
        )
    return DecoderPipeline([
        ("energies", BandEnergy(sfreq=sfreq, log=log)),
        ("pca", PCA(variance, svd_solver="full")),
        ("scale", StandardScaler()),
        ("classifier", classifier),
    ])


@fill_doc
def eye_state_ensemble(
    name: str | Sequence[BaseEstimator] = "Ens1",
    *,
    sfreq: float | None = None,
    variance: float = 0.95,
    log: bool = False,
    random_state: Seed = None,
    **network: Any,
) -> DecoderPipeline:
    """Average the probabilities of two networks, one of each architecture.

    Parameters
    ----------
    name : {"Ens1", "Ens2", "Ens3", "Ens4"} or pair of estimators, default="Ens1"
        The paper's ensembles, by the optimizers of architectures 1 and 2: ``"Ens1"`` HJB-AD and
        AdaGrad, ``"Ens2"`` EVDHJB twice, ``"Ens3"`` HJB twice, ``"Ens4"`` SGD (back-propagation)
        twice; or any two (or more) classifiers.
    %(sfreq)s
    variance : float, default=0.95
        Share of the variance that the principal components keep.
    log : bool, default=False
        Whether to take the logarithm of the energies.
    random_state : int, RandomState or None, default=None
        Seeds both networks.
    **network
        Further parameters of both `MLPClassifier`.

    Returns
    -------
    DecoderPipeline
        As of `eye_state_pipeline`, with a soft `VotingClassifier` as ``classifier``; its networks
        are ``network1`` and ``network2``.

    Raises
    ------
    ValueError
        If the name is unknown, or network parameters are given beside classifiers.

    Examples
    --------
    >>> from skbci.baselines import eye_state_ensemble
    >>> voting = eye_state_ensemble("Ens1").named_steps["classifier"]
    >>> [(name, net.hidden_layer_sizes, net.optimizer) for name, net in voting.estimators]
    [('network1', (50, 30, 10), 'hjb-ad'), ('network2', (50, 30), 'adagrad')]
    """
    if isinstance(name, str):
        if name not in _ENSEMBLES:
            raise ValueError(
                f"eye_state_ensemble: name={name!r} is unknown; choose one of "
                f"{list(_ENSEMBLES)} or give classifiers."
            )
        members = [
            _network(architecture, random_state, {**network, "optimizer": optimizer})
            for architecture, optimizer in zip(_ARCHITECTURES, _ENSEMBLES[name])
        ]
    else:
        if network:
            raise ValueError(
                f"eye_state_ensemble: {sorted(network)} are parameters of the networks, but "
                "classifiers are given; set them there."
            )
        if not is_list(name):
            words = f"is neither one of {list(_ENSEMBLES)} nor a pair of classifiers"
            raise ValueError(refusal(name, "name", "eye_state_ensemble", words))
        name = [check_fits(member, "name", "eye_state_ensemble") for member in name]
        members = [clone(member) for member in name]
    check_seed(random_state, "random_state", "eye_state_ensemble")
    voting = VotingClassifier(
        [(f"network{number}", member) for number, member in enumerate(members, 1)], voting="soft"
    )
    return eye_state_pipeline(voting, sfreq=sfreq, variance=variance, log=log)


def _network(architecture: Any, random_state: Seed, network: dict[str, Any]) -> MLPClassifier:
    if not is_number(architecture) or architecture not in _ARCHITECTURES:
        raise ValueError(
            f"architecture={architecture!r} is unknown; choose 1 for "
            f"{_ARCHITECTURES[1]} or 2 for {_ARCHITECTURES[2]}."
        )
    settings: dict[str, Any] = {
        "dropout": 0.2, "criterion": "binary-cross-entropy", "standardize": False, **network,
    }
    return MLPClassifier(_ARCHITECTURES[int(architecture)], random_state=random_state, **settings)
