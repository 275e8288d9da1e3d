"""Who needs a setting of the whole process, counted so that Ctrl-C leaves nobody behind."""

from __future__ import annotations

import weakref

__all__ = ["Holder", "Holders"]


class Holder:
    """Whoever needs it, as long as the block that made it runs."""


#: Ctrl-C can come before a holder has left: it counts no longer once it is gone.
Holders = weakref.WeakSet[Holder]
