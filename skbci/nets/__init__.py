"""Torch modules: shapes come from constructor arguments, logits come out.

Modules with several heads give the logits first and name what they give in ``head_names``. Their
``shared_parameter`` is the weight at which loss-weighting policies compare gradients, and
``apply_max_norm`` bounds weights after a step. `adapt_batch_norm` gives any network the
moments of the rows at hand.
"""

from skbci.nets._adapt_batch_norm import adapt_batch_norm
from skbci.nets._adapt_batch_norm import has_moments as has_moments
from skbci.nets._dual_task_net import DualTaskNet
from skbci.nets._fbmsnet import FBMSNet
from skbci.nets._min2net import MIN2Net
from skbci.nets._mlp import MLP
from skbci.nets._multi_view_net import MultiViewNet

__all__ = ["MLP", "DualTaskNet", "FBMSNet", "MIN2Net", "MultiViewNet", "adapt_batch_norm"]
