"""A training step of MIN2Net and FBMSNet, with and without a loss-weighting policy.

Run ``python benchmarks/weighting.py``. A step is forward, losses, backward, Adam and the max-norm
projection, for a batch of 100 rows of 22 channels and 400 samples. "Plain torch" is the same
network from torch's own layers in the published order. The tables of AlphaGrad compare what a
policy adds to a step: by ``on_batch``, K short backward passes and then ``backward``; by
``weighted_backward``, which goes through each head once; and in the usual way, with a second-order
graph (``create_graph=True``).
"""

from __future__ import annotations

from collections.abc import Iterator

from _report import Table, main
from _timing import interleave, ratio, single_thread

single_thread()

import torch  # noqa: E402
from torch import nn  # noqa: E402

from skbci.losses import CenterLoss, ReconstructionLoss, SemiHardTripletLoss  # noqa: E402
from skbci.nets import FBMSNet, MIN2Net  # noqa: E402
from skbci.weighting import (  # noqa: E402
    POLICIES,
    AlphaGrad,
    head_parameters,
    resolve_policy,
    weighted_backward,
)

ROWS, CHANNELS, TIMES, CLASSES = 100, 22, 400, 2
UPDATES = 1000


class PlainMIN2Net(nn.Module):
    """Torch's own layers, with time along the last axis of each image.

    The published code has it along the first; torch is 1.4 times slower then, and its release 2.13
    writes past its memory in ``Conv2d(n, n, (64, 1), padding="same")`` on 25 x 1 for n = 2, 16, 32
    and others.
    """

    def __init__(self, C, T, n_classes):
        super().__init__()
        half, latent = C // 2, C * n_classes // 2

        def conv(a, b, k):
            return nn.Conv2d(a, b, (1, k), padding="same")

        self.encoder = nn.Sequential(
            *(conv(C, C, 64), nn.ELU(), nn.BatchNorm2d(C), nn.AvgPool2d((1, T // 100))),
            *(conv(C, half, 32), nn.ELU(), nn.BatchNorm2d(half), nn.AvgPool2d((1, 4))),
            *(nn.Flatten(), nn.Linear(25 * half, latent)),
        )
        self.decoder = nn.Sequential(
            *(nn.Linear(latent, 25 * half), nn.Unflatten(1, (half, 1, 25))),
            *(conv(half, half, 64), nn.UpsamplingNearest2d((1, 100)), nn.ELU()),
            *(conv(half, C, 32), nn.UpsamplingNearest2d((1, T)), nn.ELU()),
        )
        self.classifier = nn.Linear(latent, n_classes)

    @property
    def shared_parameter(self):
        return self.encoder[-1].weight

    def forward(self, X):
        latent = self.encoder(X[:, :, None])
        return self.classifier(latent), latent, self.decoder(latent)[:, :, 0]

    def apply_max_norm(self):
        layers = [m for m in self.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
        for layer in layers:
            layer.weight.data = torch.renorm(layer.weight.data, p=2, dim=0, maxnorm=1.0)


class PlainFBMSNet(nn.Module):
    def __init__(self, C, T, n_classes, shared_layer):
        super().__init__()
        self.splits = (3, 2, 2, 2)
        self.temporal = nn.ModuleList(
            nn.Conv2d(s, 9, (1, k), padding=(0, k // 2), bias=False)
            for s, k in zip(self.splits, (15, 31, 63, 125))
        )
        self.body = nn.Sequential(
            *(nn.BatchNorm2d(36), nn.Conv2d(36, 288, (C, 1), groups=36)),
            *(nn.BatchNorm2d(288), nn.SiLU()),
        )
        self.latent = nn.Linear(1152, 1152) if shared_layer else nn.Identity()
        self.classifier = nn.Linear(1152, n_classes)

    @property
    def shared_parameter(self):
        return self.latent.weight

    def forward(self, X):
        parts = X.split(self.splits, 1)
        x = self.body(torch.cat([conv(part) for conv, part in zip(self.temporal, parts)], 1))
        x = x.reshape(len(X), 288, 4, -1).var(3).clamp(1e-6, 1e6).log().flatten(1)
        latent = self.latent(x)
        return self.classifier(latent), latent

    def apply_max_norm(self):
        for layer in (self.body[1], self.classifier):
            layer.weight.data = torch.renorm(layer.weight.data, p=2, dim=0, maxnorm=1.0)


def usual_alphagrad(losses, theta, w, lr=0.01):
    """AlphaGrad with gradients of the weighted losses that keep a second-order graph."""
    g = torch.stack([
        torch.autograd.grad(w_k * loss, theta, create_graph=True)[0].norm()
        for w_k, loss in zip(w, losses)
    ])
    w = (w - lr * (g / (g.norm() + 1e-7)).detach()).clamp_min(1e-4)
    return w / w.sum() * len(w)


def stepper(net, X, y, heads, policy=None, at_once=False):
    """Give a function that takes one training step."""
    for loss in heads:
        net.add_module(type(loss).__name__, loss)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    n_losses = 1 + len(heads)
    weights = torch.ones(n_losses)
    above = head_parameters(net(X)[1], net.parameters()) if at_once else []
    if policy not in (None, "usual"):
        policy.start(n_losses)

    def step():
        nonlocal weights
        optimizer.zero_grad()
        logits, *others = net(X)
        targets = [y, X]
        losses = [nn.functional.cross_entropy(logits, y)]
        losses += [loss(out, t) for loss, out, t in zip(heads, others, targets)]
        if policy == "usual":
            weights = usual_alphagrad(losses, net.shared_parameter, weights)
        elif policy is not None and not at_once:
            weights = policy.on_batch(losses, net.shared_parameter)
        if at_once:
            weighted_backward(policy, losses, others[0], net.shared_parameter, above)
        else:
            torch.dot(weights, torch.stack(losses)).backward()
        optimizer.step()
        net.apply_max_norm()

    return step


def min2net(build, n_rows=ROWS):
    def make(policy=None, at_once=False):
        torch.manual_seed(0)
        X, y = torch.randn(n_rows, CHANNELS, TIMES), torch.arange(n_rows) % CLASSES
        heads = [SemiHardTripletLoss(), ReconstructionLoss()]
        return stepper(build(CHANNELS, TIMES, CLASSES), X, y, heads, policy, at_once)

    return make


def fbmsnet(plain, n_rows=ROWS):
    def make(policy=None):
        torch.manual_seed(0)
        shared = policy is not None
        X, y = torch.randn(n_rows, 9, CHANNELS, TIMES), torch.arange(n_rows) % CLASSES
        if plain:
            net = PlainFBMSNet(CHANNELS, TIMES, CLASSES, shared)
        else:
            net = FBMSNet(9, CHANNELS, TIMES, CLASSES, shared_layer=shared)
        return stepper(net, X, y, [CenterLoss(CLASSES, 1152)], policy)

    return make


def steps(n_rows: int, repeats: int) -> Iterator[Table]:
    """One step with all losses weighed by one."""
    kinds = {
        "MIN2Net": (min2net(PlainMIN2Net, n_rows), min2net(MIN2Net, n_rows)),
        "FBMSNet": (fbmsnet(True, n_rows), fbmsnet(False, n_rows)),
    }
    for name, (plain, ours) in kinds.items():
        work = {"torch's own layers": plain(), f"skbci's `{name}`": ours()}
        times = interleave(work, repeats=repeats)
        title = f"A training step of {name}, {n_rows} x {CHANNELS} x {TIMES}"
        yield Table(title, times, next(iter(work)))


def alphagrad(n_rows: int, repeats: int) -> Iterator[Table]:
    """What a policy adds to a step."""
    fixed, once = "fixed weights", "AlphaGrad by `weighted_backward`"
    for name, build in (("torch's own layers", PlainMIN2Net), ("skbci's `MIN2Net`", MIN2Net)):
        make = min2net(build, n_rows)
        work = {fixed: make(), once: make(AlphaGrad(), at_once=True),
                "AlphaGrad by `on_batch`": make(AlphaGrad())}
        if build is PlainMIN2Net:  # skbci's convolutions have no second-order graph
            work["AlphaGrad by a second-order graph"] = make("usual")
        times = interleave(work, repeats=repeats)
        added = {way: 100 * (ratio(t, times[fixed]) - 1) for way, t in times.items()}
        title = f"AlphaGrad in a training step of {name}, {n_rows} x {CHANNELS} x {TIMES}"
        table = Table(title, times, fixed, columns={"added (%)": added})
        if build is MIN2Net:
            work_name = f"what AlphaGrad adds to a step of {name}, batch {n_rows}"
            table.at_most(7, added[once], "% of the step", work=work_name, peer=fixed)
        yield table


def arithmetic(repeats: int) -> Table:
    """The policies' own work, apart from any network."""
    gradients = torch.randn(3, 5500).numpy()
    updates = {}
    for name in sorted(set(POLICIES) - {"gramian"}):
        policy = resolve_policy(name).start(3)
        updates[f"`{name}`"] = lambda p=policy: [
            p.update([1.0] * 3, gradients) for _ in range(UPDATES)
        ]
    times = {name: t / UPDATES for name, t in interleave(updates, repeats=repeats).items()}
    return Table("A policy's own arithmetic for three losses, gradients of 5,500", times,
                 timed="one update")


def tables(quick: bool) -> Iterator[Table]:
    n_rows, repeats = (10, 1) if quick else (ROWS, 11)
    yield from steps(n_rows, repeats)
    yield from alphagrad(n_rows, 3 if quick else 45)
    yield arithmetic(min(repeats, 3))


if __name__ == "__main__":
    main(tables, __doc__)
