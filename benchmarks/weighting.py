"""A training step of MIN2Net and FBMSNet, with and without a loss-weighting policy.

Run ``python benchmarks/weighting.py``. A step is forward, losses, backward, Adam and the max-norm
projection, for a batch of 100 rows of 22 channels and 400 samples. "Plain torch" is the same
network from torch's own layers in the published order. The second table compares what a policy
adds to a step: by ``on_batch``, K short backward passes and then ``backward``; by
``weighted_backward``, which goes through each head once; and in the usual way, with a second-order
graph (``create_graph=True``).
"""

from __future__ import annotations

import argparse
import warnings

from _timing import header, interleave, ratio, row, single_thread

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


class PlainMIN2Net(nn.Module):
    def __init__(self, C, T, n_classes):
        super().__init__()
        half, latent = C // 2, C * n_classes // 2

        def conv(a, b, k):
            return nn.Conv2d(a, b, (k, 1), padding="same")

        self.encoder = nn.Sequential(
            *(conv(C, C, 64), nn.ELU(), nn.BatchNorm2d(C), nn.AvgPool2d((T // 100, 1))),
            *(conv(C, half, 32), nn.ELU(), nn.BatchNorm2d(half), nn.AvgPool2d((4, 1))),
            *(nn.Flatten(), nn.Linear(25 * half, latent)),
        )
        self.decoder = nn.Sequential(
            *(nn.Linear(latent, 25 * half), nn.Unflatten(1, (half, 25, 1))),
            *(conv(half, half, 64), nn.UpsamplingNearest2d((100, 1)), nn.ELU()),
            *(conv(half, C, 32), nn.UpsamplingNearest2d((T, 1)), nn.ELU()),
        )
        self.classifier = nn.Linear(latent, n_classes)

    @property
    def shared_parameter(self):
        return self.encoder[-1].weight

    def forward(self, X):
        latent = self.encoder(X[..., None])
        return self.classifier(latent), latent, self.decoder(latent)[..., 0]

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


def min2net(build):
    def make(policy=None, at_once=False):
        torch.manual_seed(0)
        X, y = torch.randn(ROWS, CHANNELS, TIMES), torch.arange(ROWS) % CLASSES
        heads = [SemiHardTripletLoss(), ReconstructionLoss()]
        return stepper(build(CHANNELS, TIMES, CLASSES), X, y, heads, policy, at_once)

    return make


def fbmsnet(plain):
    def make(policy=None):
        torch.manual_seed(0)
        shared = policy is not None
        X, y = torch.randn(ROWS, 9, CHANNELS, TIMES), torch.arange(ROWS) % CLASSES
        if plain:
            net = PlainFBMSNet(CHANNELS, TIMES, CLASSES, shared)
        else:
            net = FBMSNet(9, CHANNELS, TIMES, CLASSES, shared_layer=shared)
        return stepper(net, X, y, [CenterLoss(CLASSES, 1152)], policy)

    return make


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    repeats = 3 if args.quick else 11

    kinds = {
        "MIN2Net": (min2net(PlainMIN2Net), min2net(MIN2Net)),
        "FBMSNet": (fbmsnet(True), fbmsnet(False)),
    }
    print(f"One training step, ({ROWS}, {CHANNELS}, {TIMES}), float32, one thread\n")
    print(header("network", "plain torch", "skbci", "times as fast"))
    for name, (plain, ours) in kinds.items():
        times = interleave({"plain": plain(), "skbci": ours()}, repeats=repeats)
        times_as_fast = f"{ratio(times['plain'], times['skbci']):.2f}"
        print(row(name, times["plain"], times["skbci"], times_as_fast), flush=True)

    print("\nWhat AlphaGrad adds to a step of MIN2Net, against fixed weights\n")
    print(header("network", "fixed", "weighted_backward", "on_batch", "second-order graph"))
    for name, make in (("plain torch", kinds["MIN2Net"][0]), ("skbci", kinds["MIN2Net"][1])):
        work = {"fixed": make(), "once": make(AlphaGrad(), at_once=True)}
        work |= {"twice": make(AlphaGrad())}
        if name != "skbci":  # its convolutions have no second-order graph
            work |= {"usual": make("usual")}
        times = interleave(work, repeats=4 * repeats + 1)
        fixed = times["fixed"]
        added = [f"{t} {t.median / fixed.median - 1:+.1%}" for t in list(times.values())[1:]]
        print(row(name, fixed, *added, *(["-"] if name == "skbci" else [])), flush=True)

    print("\nA policy's own arithmetic for three losses, 1,000 steps\n")
    print(header("policy", "time"))
    gradients = torch.randn(3, 5500).numpy()
    updates = {}
    for name in sorted(set(POLICIES) - {"gramian"}):
        policy = resolve_policy(name).start(3)
        updates[name] = lambda p=policy: [p.update([1.0] * 3, gradients) for _ in range(1000)]
    for name, time in interleave(updates, repeats=3).items():
        print(row(name, time))


if __name__ == "__main__":
    main()
