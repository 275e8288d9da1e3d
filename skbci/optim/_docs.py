"""Texts that several docstrings of this room share."""

from __future__ import annotations

from skbci._docs import doc_filler

__all__ = ["fill_doc"]

fill_doc = doc_filler({
    "averaging": r"""
    averaging : bool, default=False
        Whether the averaged iterate is kept; `eval` puts it into the parameters.
    """,
    "eps1": r"""
    eps1 : float, default=1e-8
        :math:`\epsilon_1` of the theorems' learning rates.
    """,
    "last_epoch": r"""
    last_epoch : int, default=-1
        Number of steps taken before, less one, as for torch's own schedulers.
    """,
    "lr": r"""
    lr : float, default=0.01
        Learning rate :math:`\eta`.
    """,
    "lr_schedule": r"""
    lr_schedule : {"theorem-1", "theorem-2"} or None, default=None
        Learning rates of the paper's theorems, with ``lr`` as :math:`\eta_0`. None: ``lr`` always.
    """,
    "max_gram_bytes": r"""
    max_gram_bytes : int, default=2**30
        Largest Gram matrix that a step may build. A step needs about four times as much memory.
    """,
    "module": r"""
    module : torch.nn.Module
        The network that the closure calls. Keyword only, and needed.
    """,
    "n_steps": r"""
    n_steps : int, optional
        Number K of steps that will be taken, for "theorem-2". An estimator sets it to its
        ``max_epochs`` times the mini-batches of an epoch.
    """,
    "params": r"""
    params : iterable of Tensor or of dict
        Parameters to optimize, or parameter groups.
    """,
    "params_of_module": r"""
    params : iterable of Tensor or of dict
        Parameters to optimize, or parameter groups; all of ``module``, in dense, convolutional or
        normalization layers.
    """,
    "r": r"""
    r : float, default=100.0
        Weight of the control effort, :math:`R = r I`. It can differ between parameter groups.
    """,
    "theorem_eps1": r"""
    eps1 : float, default=1e-8
        :math:`\epsilon_1`.
    """,
})
