"""Evaluation: comparisons on shared folds, paired tests, leakage and confounds.

`compare` runs every pipeline on the same folds and gives a `Comparison`: scores by fold and by
subject, times, paired tests against a baseline; `meta_analysis` combines those of several data
sets. `leakage_report` says whether a split leaks, `confound_report` whether something besides the
claimed signal tells the labels, `spatial_patterns` which channels a decoder uses, and
`time_to_loss` when training had converged. Online, `self_paced_scores` counts false activations,
and `information_transfer_rate` gives bits per minute.
"""

from skbci.evaluation._compare import compare
from skbci.evaluation._comparison import Comparison
from skbci.evaluation._confounding.confound_report import confound_report
from skbci.evaluation._confounding.report import ConfoundReport
from skbci.evaluation._convergence import history_table as history_table  # for the rooms below
from skbci.evaluation._convergence import time_to_loss
from skbci.evaluation._information_transfer import information_transfer_rate
from skbci.evaluation._leakage import leakage_report
from skbci.evaluation._leakage_report import LeakageReport
from skbci.evaluation._meta_analysis import MetaAnalysis, meta_analysis
from skbci.evaluation._patterns import spatial_patterns
from skbci.evaluation._self_paced import self_paced_scores

__all__ = [
    "Comparison",
    "ConfoundReport",
    "LeakageReport",
    "MetaAnalysis",
    "compare",
    "confound_report",
    "information_transfer_rate",
    "leakage_report",
    "meta_analysis",
    "self_paced_scores",
    "spatial_patterns",
    "time_to_loss",
]
