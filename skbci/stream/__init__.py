"""Decoding while the signal arrives.

`OnlineDecoder` runs a fitted pipeline on a stream of samples and gives, for every window or for an
epoch at each marker, the probabilities that the pipeline gives offline, in a fraction of a
millisecond: Welch segments are shared between windows, causal filters carry their state, and
scalers, projections and networks run as plain numpy. `ConfidenceGate` answers where they are sure,
and says nothing yet elsewhere. `LSLInput` and `LSLOutput` connect it to the Lab Streaming Layer.
"""

from skbci.stream._confidence_gate import ConfidenceGate
from skbci.stream._lsl import LSLInput, LSLOutput
from skbci.stream._online_decoder import OnlineDecoder

__all__ = ["ConfidenceGate", "LSLInput", "LSLOutput", "OnlineDecoder"]
