"""
A step whose length comes from the loss
=======================================

Gradient descent stalls on a plateau, where the gradient is small. HJB takes only the direction
from the gradient; the length of its step is the square root of the loss.
"""

# %%
# The surface is flat far from its minimum. Both rules start at the same place with steps that suit
# the slope there.

import matplotlib.pyplot as plt
import numpy as np
import torch

from skbci.optim import HJB


def surface(w):
    """A narrow valley with flat surroundings."""
    return 1 - torch.exp(-0.5 * (w[0] ** 2 / 4 + w[1] ** 2))


def path(make_optimizer, n_steps=60):
    """Follow an optimizer from one start."""
    w = torch.nn.Parameter(torch.tensor([-5.0, 1.5]))
    optimizer = make_optimizer([w])

    def closure():
        optimizer.zero_grad()
        loss = surface(w)
        loss.backward()
        return loss

    points, losses = [w.detach().clone()], []
    for _ in range(n_steps):
        losses.append(optimizer.step(closure).item())
        points.append(w.detach().clone())
    return torch.stack(points).numpy(), losses


paths = {
    "gradient descent": path(lambda p: torch.optim.SGD(p, lr=0.5)),
    "HJB": path(lambda p: HJB(p, lr=0.15, r=1.0)),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
x, y = np.meshgrid(np.linspace(-6, 2, 120), np.linspace(-2.2, 2.2, 80))
left.contourf(x, y, surface(torch.tensor(np.stack([x, y]))).numpy(), 20, cmap="Greys", alpha=0.6)
for color, (name, (points, losses)) in zip(("C1", "C0"), paths.items()):
    left.plot(*points.T, ".-", color=color, label=name)
    right.plot(losses, color=color, label=name)
left.set(xlabel="$w_1$", ylabel="$w_2$")
right.set(xlabel="step", ylabel="loss")
right.legend(frameon=False)
plt.show()
