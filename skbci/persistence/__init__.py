"""Fitted estimators in files that can be read without running what is in them.

`save` writes a whole fitted pipeline, with its networks, into one file, and `load` reads it, in
another process and on another machine; `export_onnx` writes a network with its standardization
for other programs.
"""

from skbci.persistence._load import load
from skbci.persistence._onnx import export_onnx
from skbci.persistence._save import save

__all__ = ["export_onnx", "load", "save"]
