"""Further training rows, made from those there are: mirrored, recombined, mixed, with noise.

``augment(X, y, random_state=0)`` of each gives new rows, their labels and weights, and which row
each came from. Networks take them by their parameter ``augmentation``, every other classifier in
`skbci.estimators.AugmentedClassifier`: a name of `AUGMENTATIONS`, an instance, or a list.
"""

from skbci.augmentation._base import Augmentation, Augmented
from skbci.augmentation._base import with_new_rows as with_new_rows  # for the rooms below
from skbci.augmentation._braindecode import BraindecodeTransform
from skbci.augmentation._channel_dropout import ChannelDropout
from skbci.augmentation._gaussian_noise import GaussianNoise
from skbci.augmentation._mirror import Mirror
from skbci.augmentation._mixup import Mixup
from skbci.augmentation._recombine import Recombine
from skbci.augmentation._registry import AUGMENTATIONS, resolve_augmentation
from skbci.augmentation._time_shift import TimeShift

__all__ = [
    "AUGMENTATIONS",
    "Augmentation",
    "Augmented",
    "BraindecodeTransform",
    "ChannelDropout",
    "GaussianNoise",
    "Mirror",
    "Mixup",
    "Recombine",
    "TimeShift",
    "resolve_augmentation",
]
