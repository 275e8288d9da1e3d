"""Several augmentations of the same rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skbci._typing import Signals
from skbci.augmentation._base import Augmentation, Augmented


class AugmentationUnion(Augmentation):
    """The new rows of several augmentations, each made from the rows given.

    Parameters
    ----------
    augmentations : list of Augmentation
        None of them sees what another one makes.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.augmentation import GaussianNoise, Mirror
    >>> both = AugmentationUnion([GaussianNoise(), Mirror(ch_names=["C3", "C4"])])
    >>> new = both.augment(np.random.default_rng(0).normal(size=(2, 2, 9)), ["left", "right"])
    >>> new.source.tolist(), new.y.tolist()
    ([0, 1, 0, 1], ['left', 'right', 'right', 'left'])
    """

    def __init__(self, augmentations: Sequence[Augmentation]) -> None:
        self.augmentations = augmentations

    @property
    def needs_classes(self) -> bool:  # type: ignore[override]
        """Whether one of them needs classes."""
        return any(part.needs_classes for part in self.augmentations)

    def _check_settings(self) -> None:
        for part in self.augmentations:
            part._check_settings()

    def augment_valid(
        self, X: Signals, data: np.ndarray, y: np.ndarray, weight: np.ndarray | None,
        kept: np.ndarray, classes: np.ndarray, rng: np.random.RandomState,
    ) -> Augmented:
        """Make new rows by each in turn; parameters as of `Augmentation.augment_valid`."""
        parts = [
            part.augment_valid(X, data, y, weight, kept, classes, rng)
            for part in self.augmentations
        ]
        weights = None
        if any(part.sample_weight is not None for part in parts):
            weights = np.concatenate([
                np.ones(len(part.y)) if part.sample_weight is None else part.sample_weight
                for part in parts
            ])
        return Augmented(
            np.concatenate([part.X for part in parts]),
            np.concatenate([part.y for part in parts]),
            weights,
            np.concatenate([part.source for part in parts]),
        )
