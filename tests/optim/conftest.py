"""The dense Jacobian, by autograd, that the optimizers never build."""

from __future__ import annotations

import copy

import pytest
import torch


def trainable(net):
    return [p for p in net.parameters() if p.requires_grad]


def outputs(net, X):
    """All outputs of a forward pass, pattern after pattern in a unit."""
    out = net(X)
    parts = out if isinstance(out, tuple) else (out,)
    return torch.cat([part.reshape(len(X), -1) for part in parts], dim=1).t().reshape(-1)


def jacobian(net, X):
    rows, params = [], trainable(net)
    for value in outputs(net, X):
        gradients = torch.autograd.grad(value, params, retain_graph=True, allow_unused=True)
        rows.append(torch.cat([
            (torch.zeros_like(p) if g is None else g).reshape(-1)
            for p, g in zip(params, gradients)
        ]))
    return torch.stack(rows)


def flat(net):
    return torch.cat([p.detach().reshape(-1) for p in trainable(net)]).clone()


def squared_error(net, X, target, optimizer, weights=None):
    """A closure with half the squared error against targets (n_outputs * n_rows,)."""

    def closure():
        optimizer.zero_grad()
        rows = 0.5 * (outputs(net, X) - target).square()
        if weights is not None:
            rows = rows * weights.repeat(len(target) // len(X))
        loss = rows.sum()
        loss.backward()
        return loss

    return closure


class Dense:
    """Small dense linear algebra around a network."""

    jacobian = staticmethod(jacobian)
    outputs = staticmethod(outputs)
    flat = staticmethod(flat)
    closure = staticmethod(squared_error)

    @staticmethod
    def target(net, X, seed=1):
        generator = torch.Generator().manual_seed(seed)
        state = torch.get_rng_state()
        with torch.no_grad():
            like = outputs(copy.deepcopy(net), X)
        torch.set_rng_state(state)
        return torch.randn(like.shape, generator=generator, dtype=like.dtype)

    @staticmethod
    def step(rule, net, X, target, weights=None, seed=0, **settings):
        """What one step of a rule with lr=1 adds to the weights of a copy of the network."""
        net = copy.deepcopy(net)
        optimizer = rule(trainable(net), lr=1.0, module=net, **settings)
        before = flat(net)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            closure = squared_error(net, X, target, optimizer, weights)
            if weights is None:
                optimizer.step(closure)
            else:
                optimizer.step(closure, row_weights=weights)
        return flat(net) - before


@pytest.fixture(scope="session")
def dense():
    return Dense
