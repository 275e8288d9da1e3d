"""Transformers from signals to features.

Every step takes rows x channels x times (or rows x times of one channel), `mne.Epochs`, or an
`EEGArray`, whose row table it passes on; takes the sampling rate from its input where it is not
given; and, but for `FisherSelection`, learns nothing from labels. `WelchPSD`, `BandEnergy`,
`WindowMeans` and `LogCovariance` give named features; `FilterBank`, `Crop`, `SlidingWindows`,
`BaselineCorrection`, `RankReducer` and `ChannelNormalizer` give signals; `CausalCentering` removes
what shifts from session to session, `ChannelScaling`, `EuclideanAlignment` and
`RiemannianRecentering` what tells subjects or sessions apart as wholes, `GroupScaler` what does so
in their features. `KeepRows` lets other packages' transformers pass the table on, as
`skbci.make_pipeline` does for all steps of a pipeline.
"""

# With "as": for the rooms below, not public.
from skbci.features._alignment.base import GroupAlignment as GroupAlignment
from skbci.features._alignment.base import whiten as whiten
from skbci.features._alignment.channel_scaling import ChannelScaling
from skbci.features._alignment.euclidean_alignment import EuclideanAlignment
from skbci.features._alignment.group_scaler import GroupScaler
from skbci.features._alignment.group_scaler import scaled as scaled
from skbci.features._alignment.riemannian_recentering import RiemannianRecentering
from skbci.features._centering.causal_centering import CausalCentering
from skbci.features._channel_normalizer import ChannelNormalizer
from skbci.features._filtering.filter_bank import NINE_BANDS as NINE_BANDS
from skbci.features._filtering.filter_bank import FilterBank
from skbci.features._filtering.filters import Band as Band
from skbci.features._fisher_selection import FisherSelection
from skbci.features._keep_rows import KeepRows
from skbci.features._rank_reducer import RankReducer
from skbci.features._spectral.band_energy import BandEnergy
from skbci.features._spectral.log_covariance import LogCovariance
from skbci.features._spectral.welch import Limits as Limits
from skbci.features._spectral.welch import WelchPlan as WelchPlan
from skbci.features._spectral.welch import segment_means as segment_means
from skbci.features._spectral.welch import squared_spectra as squared_spectra
from skbci.features._spectral.welch import welch_conditioned as welch_conditioned
from skbci.features._spectral.welch_psd import WelchPSD
from skbci.features._windows.baseline_correction import BaselineCorrection
from skbci.features._windows.crop import Crop
from skbci.features._windows.sliding_windows import SlidingWindows
from skbci.features._windows.window_means import WindowMeans

__all__ = [
    "BandEnergy",
    "BaselineCorrection",
    "CausalCentering",
    "ChannelNormalizer",
    "ChannelScaling",
    "Crop",
    "EuclideanAlignment",
    "FilterBank",
    "FisherSelection",
    "GroupScaler",
    "KeepRows",
    "LogCovariance",
    "RankReducer",
    "RiemannianRecentering",
    "SlidingWindows",
    "WelchPSD",
    "WindowMeans",
]
