"""Splitters for subjects, sessions and overlapping windows; searches; the step-size rule.

The splitters have scikit-learn's signature, so they stand wherever a ``cv=`` does. ``groups`` is
requested by metadata routing; where none is passed, they read the row table of an `EEGArray` or
the metadata of `mne.Epochs`. `largest_stable_step` is a ``refit=`` for searches over learning
rates.
`StackedGridSearchCV` and `StackedRandomizedSearchCV` train the networks of a search all at once;
`HeldOutSearch` compares candidates on the rows that their early stopping holds out;
`search_spaces` says where to look; `data_on_workers` keeps data on a Dask cluster.
"""

from skbci._process.spread import data_on_workers
from skbci.model_selection._held_out_search import HeldOutSearch
from skbci.model_selection._largest_stable_step import largest_stable_step
from skbci.model_selection._leave_subjects_out import LeaveSubjectsOut
from skbci.model_selection._purged_k_fold import PurgedKFold
from skbci.model_selection._session_split import SessionSplit
from skbci.model_selection._spaces.search_spaces import search_spaces
from skbci.model_selection._stacked_randomized_search import StackedRandomizedSearchCV
from skbci.model_selection._stacked_search import StackedGridSearchCV
from skbci.model_selection._within_subject import WithinSubject

__all__ = [
    "HeldOutSearch",
    "LeaveSubjectsOut",
    "PurgedKFold",
    "SessionSplit",
    "StackedGridSearchCV",
    "StackedRandomizedSearchCV",
    "WithinSubject",
    "data_on_workers",
    "largest_stable_step",
    "search_spaces",
]
