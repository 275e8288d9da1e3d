"""What surrounds the epochs of a training: history, callbacks, and the end of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sklearn.exceptions import ConvergenceWarning

from skbci._training.stop_wish import is_stop_wish
from skbci._warning import warn

if TYPE_CHECKING:
    from skorch import NeuralNet

    from skbci._training.mini_batches import Rows


class EpochLoop:
    """The epochs of one net's training, whether it trains by itself or in a stack.

    Each epoch is `begin_epoch`, then the steps, then `end_epoch`, which returns whether to go on;
    at last `end` and `settle`.

    Parameters
    ----------
    net : SlicingNet
    rows : tuple of Tensor
        The training rows and targets, for callbacks.
    data : dict, optional
        What else callbacks get at the beginning and end of an epoch.
    by_batch : bool
        Whether callbacks are notified of each batch.
    """

    def __init__(
        self,
        net: NeuralNet,
        rows: Rows,
        data: dict[str, Any] | None = None,
        by_batch: bool = False,
    ) -> None:
        self.net = net
        self.rows = {"X": rows[0], "y": rows[1]}
        self.data = data or {}
        self.by_batch = by_batch
        self.diverged = False
        net.notify("on_train_begin", **self.rows)

    def begin_epoch(self) -> None:
        """Notify the callbacks."""
        self.net.notify("on_epoch_begin", **self.data)

    def end_epoch(
        self, loss: float, recover: Callable[[], object],
        validate: Callable[[], float] | None = None,
    ) -> bool:
        """Record an epoch, and say whether to go on.

        Parameters
        ----------
        loss : float
            Mean over the training rows. If it is not finite, training has diverged: that is
            warned of, and over.
        recover : callable
            Brings back weights that are known to be good; called after a divergence.
        validate : callable, optional
            Gives the mean loss on the validation rows.
        """
        net = self.net
        if not self.by_batch:
            net.history.new_batch()  # some callbacks, such as Checkpoint, look for one
            net.history.record_batch("train_loss", loss)
        net.history.record("train_loss", loss)
        finite = math.isfinite(loss)
        if finite and validate is not None:
            net.history.record("valid_loss", validate())
        if not (finite and net.accept_epoch()):
            recover()
            self.diverged = True
            self._warn(net.what_diverged())
            return False
        try:
            net.notify("on_epoch_end", **self.data)
        except KeyboardInterrupt as error:  # how skorch's callbacks stop training
            if not is_stop_wish(error):
                raise
            return False
        return True

    def end(self) -> None:
        """Notify the callbacks."""
        self.net.notify("on_train_end", **self.rows)

    def settle(self, earlier: Sequence[Callable[[], object]]) -> None:
        """Keep the last weights with finite outputs on training rows; warn if those are older.

        Parameters
        ----------
        earlier : sequence of callable
            Bring back earlier weights, the last first.
        """
        X = self.rows["X"]
        if self.net.is_finite(X):
            return
        for restore in earlier:
            restore()
            if self.net.is_finite(X):
                break
        if not self.diverged:
            self._warn("an output")

    def _warn(self, what: str) -> None:
        """Say in which epoch what was not finite, and what to do."""
        warn(
            f"Training diverged in epoch {self.net.history[-1, 'epoch']}: {what} is not finite. "
            "The last weights with a finite loss are kept; try a smaller lr.",
            ConvergenceWarning,
        )
