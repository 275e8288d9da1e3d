"""Parameter texts that several docstrings of this room share."""

from __future__ import annotations

from skbci._docs import doc_filler

__all__ = ["fill_doc"]

fill_doc = doc_filler({
    "blinks": r"""
    blinks : bool, default=True
        Whether subjects blink (about 12 times a minute, 130 uV at Fp1).
    """,
    "duration": r"""
    duration : float, default=4.0
        Length of an epoch in seconds.
    """,
    "line_freq": r"""
    line_freq : float or None, default=50.0
        Mains frequency in Hz. None, or a frequency that ``sfreq`` cannot show, leaves it out.
    """,
    "random_state": r"""
    random_state : None, int, RandomState or Generator, default=None
        The same integer gives the same data. A subject, session or run is the same whether more
        of them are made or not.
    """,
    "reference": r"""
    reference : "average" or None, default="average"
        "average" makes the channels sum to zero, and the data lose one rank.
    """,
})
