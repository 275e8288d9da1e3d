"""The Jacobian of a mini-batch's outputs: its Gram matrix and its products, but never itself."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from skbci.optim._jacobian.forward_tap import Call, ForwardTap
from skbci.optim._jacobian.layer_rows import DENSE, NORM, Unfolded, norm_rows, weight_rows
from skbci.optim._jacobian.layers import layer_key, parameters

# Pieces of the Jacobian may have this many entries even where the Gram matrix is smaller.
_PIECE = 1 << 20


class Jacobian:
    r"""Jacobian ``J`` of the outputs that a tap has heard, with respect to a module's parameters.

    Rows are ordered as in `ForwardTap.error`: pattern after pattern for each output unit.

    Parameters
    ----------
    tap : ForwardTap
        Holds one forward pass.
    scale : mapping of parameter to float
        Weights :math:`c_k` in the Gram matrix; parameters that are not in it are taken as fixed.

    Notes
    -----
    A pattern's row for the weights of a dense layer is the outer product of the layer's input
    :math:`h_i` and of :math:`b_{ia}`, the signal back from output unit a. The layer adds
    :math:`(h_i \cdot h_j + 1)(b_{ia} \cdot b_{jb})` to the entry of (i, a) and (j, b) of
    :math:`J J^\top`. Where weights are used at several places of a pattern, as in a convolution,
    the rows are sums of such products; they are built for some weights at a time.
    """

    def __init__(self, tap: ForwardTap, scale: Mapping[Tensor, float]) -> None:
        self.tap = tap
        self.scale = scale
        self.size = tap.n_rows * tap.n_outputs
        self.dtype = torch.promote_types(tap.outputs[0].dtype, torch.float32)
        # Inputs and signals of layers whose rows are single outer products.
        self.products: list[tuple[tuple[Tensor, Tensor | None], Tensor, Tensor]] = []

    def gram(self) -> Tensor:
        r"""Compute :math:`\sum_k c_k J_k J_k^\top` over the parameters k.

        Returns
        -------
        Tensor, shape (n_outputs * n_rows, n_outputs * n_rows)

        Raises
        ------
        ValueError
            If a layer's rows cannot be told to belong to the patterns.
        """
        self.tap.send_signals()
        K = torch.zeros(self.size, self.size, dtype=self.dtype, device=self.tap.outputs[0].device)
        by_weight: dict[tuple[int, int], list[Call]] = {}
        for call in self.tap.calls:
            if call.signal is not None:
                by_weight.setdefault(layer_key(call.layer), []).append(call)
        for calls in by_weight.values():
            for call in calls:
                self._check(call)
            self._add(K, calls)
            for call in calls:
                call.signal = None
        root = self.tap.root
        return K if root is None else K.mul_(root).mul_(root.unsqueeze(1))

    def pull_back(self, vectors: list[Tensor], params: list[Tensor]) -> list[list[Tensor | None]]:
        """Compute J'v for several v, by parameter (None where the output does not depend on it).

        It follows `gram`.
        """
        found: dict[Tensor, list[Tensor | None]] = {}
        stacked = torch.stack(vectors)
        if self.tap.root is not None:
            stacked *= self.tap.root
        stacked = stacked.view(len(vectors), self.tap.n_outputs, self.tap.n_rows, 1)
        for (weight, bias), inputs, signal in self.products:
            delta = (stacked * signal).sum(1)
            if weight in self.scale:
                rows = torch.matmul(delta.mT, inputs).view(-1, *weight.shape)
                found[weight] = list(rows.to(weight.dtype))
            if bias is not None and bias in self.scale:
                found[bias] = list(delta.sum(1).to(bias.dtype))
        rest = [p for p in params if p not in found]
        if rest:
            through_graph = [self.tap.pull_back(v, rest) for v in vectors]
            found.update({p: [part[i] for part in through_graph] for i, p in enumerate(rest)})
        return [[found[p][k] for p in params] for k in range(len(vectors))]

    def _check(self, call: Call) -> None:
        signal = call.returned
        if signal.shape[1] % self.tap.n_rows:
            raise ValueError(
                f"{self.tap.who}: a layer {type(call.layer).__name__} has {signal.shape[1]} "
                f"rows for {self.tap.n_rows} patterns; the first axis must hold the patterns "
                "throughout."
            )
        call.signal, call.input = signal.to(self.dtype), call.input.to(self.dtype)

    def _add(self, K: Tensor, calls: list[Call]) -> None:
        """Add the part of one layer (or of several that share their parameters)."""
        layer, n_rows = calls[0].layer, self.tap.n_rows
        weight, bias = own = parameters(layer)
        c_weight = self.scale.get(weight, 0.0)
        c_bias = 0.0 if bias is None else self.scale.get(bias, 0.0)
        if isinstance(layer, NORM):
            parts = [norm_rows(call, n_rows) for call in calls]
            _accumulate(K, sum(rows for rows, _ in parts), c_weight)
            _accumulate(K, sum(rows for _, rows in parts), c_bias)
            return
        first = calls[0]
        if isinstance(layer, DENSE) and len(calls) == 1 and first.input.shape[:-1] == (n_rows,):
            self._add_product(K, own, first.input, first.returned, c_weight, c_bias)
            return
        unfolded = [Unfolded(call, n_rows) for call in calls]
        if len(calls) == 1 and unfolded[0].n_positions == 1 and unfolded[0].groups == 1:
            self._add_product(K, own, *unfolded[0].factors(), c_weight, c_bias)
            return
        if c_weight:
            for rows in weight_rows(unfolded, max(self.size**2, _PIECE)):
                _accumulate(K, rows, c_weight)
        if c_bias:
            _accumulate(K, sum(call.bias_rows() for call in unfolded), c_bias)

    def _add_product(
        self,
        K: Tensor,
        own: tuple[Tensor, Tensor | None],
        inputs: Tensor,
        signal: Tensor,
        c_weight: float,
        c_bias: float,
    ) -> None:
        """Add a layer whose rows are outer products of (n_rows, .) and (n_outputs, n_rows, .)."""
        self.products.append((own, inputs, signal))
        flat = signal.flatten(0, 1)
        if not c_weight:
            _accumulate(K, flat, c_bias)
            return
        shape = (*signal.shape[:2], *signal.shape[:2])
        between = torch.mm(inputs, inputs.t())
        if c_weight != 1:
            between *= c_weight
        if c_bias:
            between += c_bias
        block = torch.mm(flat, flat.t()).view(shape)
        K.view(shape).addcmul_(block, between[None, :, None])


def _accumulate(K: Tensor, rows: Tensor | int, c: float) -> None:
    if c and isinstance(rows, Tensor):
        K.addmm_(rows, rows.t(), alpha=c)
