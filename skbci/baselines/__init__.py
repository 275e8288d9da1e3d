"""The decoders that every new one is measured against, as ready pipelines.

`csp_lda`, `fbcsp`, `tangent_space_lr`, `riemann_mdm`, `riemann_fgmdm` and
`slow_potentials_lr` for imagery, `ssvep_cca` for flicker,
`erp_lda` and `erp_xdawn_riemann` for evoked potentials put together what MNE, pyRiemann and
scikit-learn have. They take raw broadband epochs (array, `EEGArray` or `mne.Epochs`), in volts or
microvolts, with any reference; every step has a name that `GridSearchCV` can reach.
`DomainTransfer` gives pyRiemann's transfer methods their domains.
`GalanClassifier`, the winner of the mental-imagery competition, takes features, as do `KStar` and
`RotationForest`; `eye_state_pipeline` and `eye_state_ensemble` are the HJB paper's for eyes open
and closed.
"""

from skbci.baselines._band_csp import BandCSP
from skbci.baselines._classifiers.adaptive_forest import adaptive_rotation_forest
from skbci.baselines._classifiers.cca import CCAClassifier
from skbci.baselines._classifiers.galan import GalanClassifier
from skbci.baselines._classifiers.k_star import KStar
from skbci.baselines._classifiers.rotation_forest import RotationForest
from skbci.baselines._csp_lda import csp_lda
from skbci.baselines._domain_transfer import DomainTransfer
from skbci.baselines._erp import erp_lda, erp_xdawn_riemann
from skbci.baselines._eye_state import eye_state_ensemble, eye_state_pipeline
from skbci.baselines._fbcsp import fbcsp
from skbci.baselines._riemann import riemann_fgmdm, riemann_mdm, tangent_space_lr
from skbci.baselines._slow_potentials import slow_potentials_lr
from skbci.baselines._ssvep import ssvep_cca

__all__ = [
    "BandCSP",
    "CCAClassifier",
    "DomainTransfer",
    "GalanClassifier",
    "KStar",
    "RotationForest",
    "adaptive_rotation_forest",
    "csp_lda",
    "erp_lda",
    "erp_xdawn_riemann",
    "eye_state_ensemble",
    "eye_state_pipeline",
    "fbcsp",
    "riemann_fgmdm",
    "riemann_mdm",
    "slow_potentials_lr",
    "ssvep_cca",
    "tangent_space_lr",
]
