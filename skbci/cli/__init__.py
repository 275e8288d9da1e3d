"""``skbci`` on the command line: ``info``, ``compare``, ``fit`` and ``decode``.

Files in, reports out. Everything is done by the other rooms; here are the arguments, the names of
pipelines and splits, and the report.
"""

from skbci.cli._main import main

__all__ = ["main"]
