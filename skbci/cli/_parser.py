"""Arguments of the commands."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from skbci._version import __version__

__all__ = ["make_parser"]

_FILES = ("recordings that MNE reads (.edf, .bdf, .gdf, .fif, .vhdr, .set ...), .xdf, .npz, or "
          "folders of them, such as BIDS data sets")


def make_parser() -> argparse.ArgumentParser:
    """Make the parser; each command's function is its argument ``run``."""
    parser = argparse.ArgumentParser(
        prog="skbci", description="Compare decoders on EEG recordings, save one, and run it.",
        epilog="Examples:\n"
               "  skbci info recordings/sub-01_eeg.edf\n"
               "  skbci compare recordings --split leave-subjects-out --report page.html\n"
               "  skbci fit recordings/sub-01_eeg.edf --pipeline csp-lda --output model.skbci\n"
               "  skbci decode model.skbci lsl:BioSemi\n"
               "Options of a command: skbci COMMAND --help\n"
               "Exit status: 0; 1 where the files do not serve; 2 where the command is wrong",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=f"skbci {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)

    info = _command(commands, "info", _run_info,
                    "show what a recording holds, and what is wrong with it")
    info.add_argument("files", nargs="+", metavar="FILE", help=_FILES)
    _add_window(info)

    compare = _command(commands, "compare", _run_compare,
                       "compare pipelines on the same folds, and look for leakage and confounds")
    compare.add_argument("files", nargs="+", metavar="FILE", help=_FILES)
    _add_window(compare)
    compare.add_argument("--pipelines", nargs="+", default=["csp-lda", "tangent-space", "mdm"],
                         metavar="NAME", help="names that `skbci pipelines` lists; the others are "
                         "tested against the first (default: csp-lda tangent-space mdm)")
    compare.add_argument("--split", default="within-session", metavar="NAME",
                         help="within-session (default), within-subject, leave-sessions-out "
                         "(train on earlier ones) or leave-subjects-out")
    compare.add_argument("--folds", type=int, default=5, metavar="N",
                         help="folds within a session or subject, or of subjects (default 5)")
    compare.add_argument("--scoring", default="accuracy", metavar="NAME",
                         help="name of a scorer of scikit-learn, such as balanced_accuracy "
                         "(default accuracy)")
    _add_alignment(compare)
    compare.add_argument("--report", metavar="FILE.html",
                         help="write tables, pictures and verdicts to a web page")
    compare.add_argument("--no-confounds", action="store_true",
                         help="do not look for confounds")
    compare.add_argument("--cache", metavar="FOLDER",
                         help="keep finished fits there; an interrupted comparison goes on from "
                         "them")
    compare.add_argument("--n-jobs", type=int, default=1, metavar="N",
                         help="processes (default 1)")

    fit = _command(commands, "fit", _run_fit, "fit a pipeline on all epochs and save it")
    fit.add_argument("files", nargs="+", metavar="FILE", help=_FILES)
    _add_window(fit)
    fit.add_argument("--pipeline", required=True, metavar="NAME",
                     help="a name that `skbci pipelines` lists")
    _add_alignment(fit)
    fit.add_argument("--output", required=True, metavar="MODEL",
                     help="file to write (by skbci.persistence; by joblib if it ends in .joblib)")

    decode = _command(commands, "decode", _run_decode,
                      "run a saved decoder on a recording or a stream")
    decode.add_argument("model", metavar="MODEL", help="what `skbci fit` has written")
    decode.add_argument("source", metavar="FILE|STREAM",
                        help="a recording, or lsl:NAME for a stream of the Lab Streaming Layer")
    decode.add_argument("--events", nargs="+", metavar="NAME",
                        help="decode at these events (default: all); not with --hop")
    decode.add_argument("--hop", type=float, metavar="SECONDS",
                        help="decode a window every so many seconds, as on a stream, instead of "
                        "the epochs at events (for streams without --markers: default 0.1)")
    decode.add_argument("--markers", metavar="NAME",
                        help="decode the epochs at the markers of the stream of this name")
    decode.add_argument("--output", metavar="FILE.csv",
                        help="write there instead of to the screen")
    _add_xdf(decode)

    _command(commands, "pipelines", _run_pipelines, "list the names of the pipelines")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str,
    run: Callable[[argparse.Namespace], object], about: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=f"{about[:1].upper()}{about[1:]}.")
    parser.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)
    return parser


def _add_window(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", nargs="+", metavar="NAME",
                        help="names of the events to cut epochs around (default: all)")
    parser.add_argument("--tmin", type=float, default=0.0, metavar="SECONDS",
                        help="start of the epochs, relative to their events (default 0)")
    parser.add_argument("--tmax", type=float, default=4.0, metavar="SECONDS",
                        help="end of the epochs, relative to their events (default 4)")
    parser.add_argument("--picks", nargs="+", metavar="CHANNEL",
                        help="channels, or one type of them, to take (default: the data channels "
                        "that are not marked bad)")
    parser.add_argument("--exclude", nargs="+", default=[], metavar="CHANNEL",
                        help="channels to leave out of these, such as one that is loose or an "
                        "EOG that the file calls EEG")
    parser.add_argument("--resample", type=float, metavar="HZ", help="new sampling rate")
    parser.add_argument("--subject", metavar="NAME",
                        help="who the recordings are from, where neither header nor file name "
                        "says it")
    _add_xdf(parser)


def _add_xdf(parser: argparse.ArgumentParser) -> None:
    of = parser.add_argument_group("XDF files (--unit: streams, too)")
    of.add_argument("--stream", metavar="NAME", help="the stream of samples, where there are more")
    of.add_argument("--marker-stream", metavar="NAME",
                    help="the stream of markers, where there are more")
    of.add_argument("--unit", help="unit of the samples, such as uV, where none is stated")


def _add_alignment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--align", choices=["scale", "euclidean", "riemannian"],
                        help="align each subject by its own epochs, without labels (transductive: "
                        "test epochs are aligned by all of their subject)")


# The rooms behind a command are imported when it runs: help and mistakes do not wait for torch.


def _run_info(args: argparse.Namespace) -> None:
    from skbci.cli._info import info

    info(args)


def _run_compare(args: argparse.Namespace) -> None:
    from skbci.cli._compare import compare_files

    compare_files(args)


def _run_fit(args: argparse.Namespace) -> None:
    from skbci.cli._fit import fit

    fit(args)


def _run_decode(args: argparse.Namespace) -> None:
    from skbci.cli._decode import decode

    decode(args)


def _run_pipelines(args: argparse.Namespace) -> None:
    from skbci.cli._pipelines import PIPELINES

    for name, (about, _) in PIPELINES.items():
        print(f"{name:15} {about}")
