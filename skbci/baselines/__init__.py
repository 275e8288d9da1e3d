"""The decoders that every new one is measured against, as ready pipelines.

`csp_lda`, `fbcsp`, `tangent_space_lr` and `riemann_mdm` put together what MNE, pyRiemann and
scikit-learn have. They take raw broadband epochs (array, `EEGArray` or `mne.Epochs`), in volts or
microvolts, with any reference; every step has a name that `GridSearchCV` can reach.
"""

from skbci.baselines._band_csp import BandCSP
from skbci.baselines._csp_lda import csp_lda
from skbci.baselines._fbcsp import fbcsp
from skbci.baselines._riemann import riemann_mdm, tangent_space_lr

__all__ = ["BandCSP", "csp_lda", "fbcsp", "riemann_mdm", "tangent_space_lr"]
