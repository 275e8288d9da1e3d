"""What objects are made of, in parts that any file format can hold."""

from skbci._plain.frozen import Frozen
from skbci._plain.walk import freeze, thaw

__all__ = ["Frozen", "freeze", "thaw"]
