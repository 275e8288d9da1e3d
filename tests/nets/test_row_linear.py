"""A dense layer's predictions, whatever rows stand beside them."""

from __future__ import annotations

import numpy as np
import torch

from skbci.nets._row_linear import RowLinear


def far_from_zero(n_rows):
    """As log-variances are: sums cancel, and lose the digits that they are rounded to."""
    rng = np.random.default_rng(0)
    return torch.as_tensor(rng.normal(-7, 1, (n_rows, 576)), dtype=torch.float32)


def test_predictions_are_exact_sums_rounded_once():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch_layer, layer = torch.nn.Linear(576, 3), RowLinear(576, 3)
    layer.load_state_dict(torch_layer.state_dict())
    x = far_from_zero(50)
    weight, bias = (p.detach().numpy().astype(np.longdouble) for p in layer.parameters())
    wanted = x.numpy().astype(np.longdouble) @ weight.T + bias
    with torch.no_grad():
        found = layer.eval()(x)
        assert found.dtype == torch.float32
        # Half a unit in the last place of what is rounded, and no more.
        assert (np.abs(found.numpy() - wanted) <= 0.5001 * np.spacing(np.abs(found.numpy()))).all()
        for size in (1, 2, 7, 15, 16, 33):
            assert torch.equal(layer(x[:size]), found[:size])
        assert torch.equal(layer.train()(x), torch_layer(x))
        assert torch.equal(layer.double().eval()(x.double()), torch_layer.double()(x.double()))
