"""Sessions that differ: centring, scaling, weighing sessions, and a kernel on mu powers.

Three imagined tasks, BCI Competition III data set V. Each training session is decoded from the
subject's others, and session 4, which chooses nothing, from all of them; ``--subjects`` says whose
(by default 1 and 2). ``--data FOLDER`` as in ``hjb_mental_imagery.py``; simulated without.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from _mental_imagery import CENTERING, UNIT, load_subject, shrinkage_lda
from _study import add_arguments, write_table
from hjb_mental_imagery import find_folder
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skbci import make_pipeline
from skbci.baselines import GalanClassifier
from skbci.features import CausalCentering

N_BANDS, LOWEST, STEP = 12, 8, 2  # of each channel, Hz
MU = (10, 14)  # Hz
TEST = 4

PROTOCOL = """**Protocol.** Log power densities, rows of one second, 16 a second, centred by an
exponentially weighted mean of the session so far (about a minute) unless it says otherwise.
*left out*: mean over training sessions, each decoded from the subject's others; *session 4*:
decoded from all training sessions, and looked at by nobody who chose. *half*: the mean of the
decisions of eight rows, half a second. *mu*: {low} to {high} Hz. *weighted*: a decoder for each
session; their log-probabilities count by how far above chance each decodes the other training
sessions. Subjects with one training session have nothing to leave out."""


def mu_powers(X: Any) -> Any:
    """Those of the mu band of all channels."""
    frequencies = np.tile(LOWEST + STEP * np.arange(N_BANDS), X.shape[1] // N_BANDS)
    return X[:, (frequencies >= MU[0]) & (frequencies <= MU[1])]


class SessionVote(ClassifierMixin, BaseEstimator):
    """A classifier for each session, weighted by how well it predicts the others.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``.

    Attributes
    ----------
    weights_ : dict
        By session, summing to one: accuracy on the other sessions' rows above chance.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: np.ndarray) -> SessionVote:
        """Fit each session's classifier and let it predict the others."""
        self.classes_ = np.unique(y)
        session = X.metadata["session"].to_numpy()
        rows = np.asarray(X)
        self.estimators_ = {
            one: clone(self.estimator).fit(rows[session == one], y[session == one])
            for one in np.unique(session).tolist()
        }
        above = {
            one: max(fitted.score(rows[session != one], y[session != one])
                     - 1 / len(self.classes_), 0.0) if len(self.estimators_) > 1 else 1.0
            for one, fitted in self.estimators_.items()
        }
        total = sum(above.values())
        self.weights_ = {one: value / total if total > 0 else 1 / len(above)
                         for one, value in above.items()}
        return self

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Weighted mean of the sessions' log-probabilities."""
        rows = np.asarray(X)
        return sum(weight * np.log(self.estimators_[one].predict_proba(rows) + 1e-9)
                   for one, weight in self.weights_.items())


def decoders() -> dict[str, Callable[[], Pipeline]]:
    """What is compared, by name."""
    def log() -> FunctionTransformer:
        return FunctionTransformer(np.log)

    def center(scale: bool = False) -> CausalCentering:
        return CausalCentering(scale=scale, **CENTERING)

    return {
        "LDA, not centred": lambda: make_pipeline(log(), shrinkage_lda()),
        "LDA": lambda: make_pipeline(log(), center(), shrinkage_lda()),
        "LDA, scaled": lambda: make_pipeline(log(), center(True), shrinkage_lda()),
        "Galan": lambda: make_pipeline(log(), center(), GalanClassifier(20)),
        "Galan, scaled": lambda: make_pipeline(log(), center(True), GalanClassifier(20)),
        "Galan, sessions weighted": lambda: make_pipeline(
            log(), center(), SessionVote(GalanClassifier(20))),
        "mu powers, RBF": lambda: make_pipeline(
            log(), FunctionTransformer(mu_powers), center(), SVC(random_state=0)),
        "mu powers, RBF, scaled": lambda: make_pipeline(
            log(), FunctionTransformer(mu_powers), center(True), SVC(random_state=0)),
    }


def decisions(pipe: Pipeline, X: Any) -> np.ndarray:
    """One number per class, by which classes are compared."""
    said = "decision_function" if isinstance(pipe[-1], SVC) else "predict_log_proba"
    if isinstance(pipe[-1], GalanClassifier):
        return np.log(pipe.predict_proba(X) + 1e-9)
    return getattr(pipe[-1], said)(pipe[:-1].transform(X))


def accuracies(pipe: Pipeline, X: Any, y: np.ndarray) -> tuple[float, float]:
    """By row, and by half a second."""
    classes, said = np.unique(y), decisions(pipe, X)
    whole = len(y) // UNIT * UNIT
    half = said[:whole].reshape(-1, UNIT, len(classes)).mean(axis=1).argmax(axis=1)
    return (float(np.mean(classes[said.argmax(axis=1)] == y)),
            float(np.mean(classes[half] == y[:whole:UNIT])))


def run_subject(data: str, subject: int, quick: bool) -> pd.DataFrame:
    """A line for each decoder."""
    bunch = load_subject(data, subject, quick)
    X, y = bunch.X, np.asarray(bunch.y)
    session = X.metadata["session"].to_numpy()
    before = [one for one in np.unique(session).tolist() if one != TEST]
    lines = []
    for name, make in decoders().items():
        def judge(train: np.ndarray, test: np.ndarray) -> tuple[float, float]:
            return accuracies(make().fit(X[train], y[train]), X[test], y[test])  # noqa: B023

        left = [judge((session != TEST) & (session != one), session == one)
                for one in before if len(before) > 1]
        row, half = np.mean(left, axis=0) if left else (np.nan, np.nan)
        last = judge(session != TEST, session == TEST)
        lines.append({"subject": subject, "decoder": name, "left out": row,
                      "left out, half": half, "session 4": last[0], "session 4, half": last[1]})
    return pd.DataFrame(lines)


def main(argv: list[str] | None = None) -> pd.DataFrame:
    """Run the decoders; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--subjects", nargs="+", type=int, default=[1, 2])
    args = parser.parse_args(argv)
    data = "simulated" if args.data is None else str(find_folder(args.data))
    table = pd.concat([run_subject(data, one, args.quick) for one in args.subjects])
    stem = f"mental_imagery_sessions{'' if args.data else '_simulated'}"
    stem += "_quick" if args.quick else ""
    print(write_table(table, args.output / stem, "Mental imagery, sessions that differ",
                      PROTOCOL.format(low=MU[0], high=MU[1])))
    return table


if __name__ == "__main__":
    main()
