"""``skbci`` on the command line: ``info``, ``compare``, ``fit`` and ``decode``.

The commands read recordings, do what the library does with them, and print or write the result;
``skbci COMMAND --help`` lists the options of each.
"""

from skbci.cli._main import main

__all__ = ["main"]
