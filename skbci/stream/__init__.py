"""Decoding while the signal arrives.

`OnlineDecoder` runs a fitted pipeline on a stream of samples and gives, for every window, the
probabilities that the pipeline gives offline, in a fraction of a millisecond: Welch segments are
shared between windows, causal filters carry their state, and scalers, projections and networks run
as plain numpy. `LSLInput` and `LSLOutput` connect it to the Lab Streaming Layer.
"""

from skbci.stream._lsl import LSLInput, LSLOutput
from skbci.stream._online_decoder import OnlineDecoder

__all__ = ["LSLInput", "LSLOutput", "OnlineDecoder"]
