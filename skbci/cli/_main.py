"""The command line's entry: an error becomes one line and an exit status."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from skbci.cli._parser import make_parser
from skbci.cli._words import UsageError, in_options, more_files, of_file

__all__ = ["main"]

# What the rooms raise where arguments or recordings are unfit; anything else is a fault of ours.
_EXPECTED = (ValueError, TypeError, OSError, ImportError, RuntimeError)
_FAILED, _MISUSED, _INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; by default the process's own.

    Returns
    -------
    int
        0; 1 where it failed, on what the files hold or where they should be; 2 where the command
        itself is wrong, such as an option that does not exist or excludes another; 130 where it
        was interrupted. On 1 and 2 a line on stderr says what is wrong.

    Examples
    --------
    >>> from skbci.cli import main
    >>> main(["pipelines"])
    csp-lda         common spatial patterns, log-power, linear discriminant analysis
    ...
    0
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = make_parser()
    try:
        args = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has said what is wrong, or has printed its help
        return int(stop.code or 0)
    args.argv = argv
    try:
        with _warnings_in_a_line():
            args.run(args)
    except KeyboardInterrupt:
        print("skbci: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe has gone
        sys.stderr.close()
        return 0
    except _EXPECTED as error:
        if args.debug:
            raise
        print(f"skbci: error: {in_options(error)}", file=sys.stderr)
        return _MISUSED if isinstance(error, UsageError) else _FAILED
    return 0


@contextmanager
def _warnings_in_a_line() -> Iterator[None]:
    """Print each warning once, without the place in the code that it comes from."""
    said: dict[str, set[str]] = {}

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        text = in_options(message)
        place, rest = of_file(text)
        if rest not in said:
            print(f"skbci: warning: {text}", file=sys.stderr)
        said.setdefault(rest, set()).add(place)

    with warnings.catch_warnings():
        warnings.showwarning = show
        try:
            yield
        finally:
            for rest, places in said.items():
                if n_more := len(places) - 1:
                    print(f"skbci: warning: {more_files(n_more)}: {rest}", file=sys.stderr)
