"""The history of a net as text, which takes the least room in files."""

from __future__ import annotations

import json

from skorch.history import History

__all__ = ["as_text", "from_text"]


def as_text(history: History) -> str | History:
    """Return the epochs as JSON, or the history where a callback has recorded other things."""
    epochs = history.to_list()
    try:
        text = json.dumps(epochs)
    except (TypeError, ValueError):
        return history
    # Compared as texts: what is not a number is not equal to itself.
    return text if repr(json.loads(text)) == repr(epochs) else history


def from_text(text: str) -> History:
    """Return the history that `as_text` has written."""
    return History(json.loads(text))
