"""Transformers from signals to features.

Every step takes rows x channels x times (or rows x times of one channel), `mne.Epochs`, or an
`EEGArray`, whose row table it passes on; takes the sampling rate from what flows where it is not
given; and, but for `FisherSelection`, learns nothing from labels. `WelchPSD` and `BandEnergy` give
named features, `FilterBank`, `Crop`, `SlidingWindows`, `RankReducer` and `ChannelNormalizer` give
signals; `CausalCentering` removes what shifts from session to session.
"""

from skbci.features._band_energy import BandEnergy
from skbci.features._causal_centering import CausalCentering
from skbci.features._channel_normalizer import ChannelNormalizer
from skbci.features._crop import Crop
from skbci.features._filter_bank import FilterBank
from skbci.features._fisher_selection import FisherSelection
from skbci.features._rank_reducer import RankReducer
from skbci.features._sliding_windows import SlidingWindows
from skbci.features._welch_psd import WelchPSD

__all__ = [
    "BandEnergy",
    "CausalCentering",
    "ChannelNormalizer",
    "Crop",
    "FilterBank",
    "FisherSelection",
    "RankReducer",
    "SlidingWindows",
    "WelchPSD",
]
