"""A step of HJB and HJB-AD against torch's own Adam, on the network 90-50-30-10-2.

Run ``python benchmarks/optimizers.py``. Gradients are given, so that only the step is timed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from _report import Table, main
from _timing import interleave, single_thread

single_thread()

import torch  # noqa: E402

from skbci.nets import MLP  # noqa: E402
from skbci.optim import HJB, HJBAD  # noqa: E402

STEPS = 200


def stepper(optimizer_class: Any, **settings: Any) -> Callable[[], None]:
    """Give a function that takes many steps with one gradient."""
    net = MLP(90, 2, (50, 30, 10))
    optimizer = optimizer_class(net.parameters(), lr=1e-6, **settings)
    for p in net.parameters():
        p.grad = torch.randn_like(p)
    loss = torch.tensor(3.0)

    def run() -> None:
        for _ in range(STEPS):
            optimizer.step(lambda: loss)

    return run


def tables(quick: bool) -> Iterator[Table]:
    torch.manual_seed(0)
    work = {
        "torch Adam (foreach)": stepper(torch.optim.Adam, foreach=True),
        "torch Adam (fused)": stepper(torch.optim.Adam, fused=True),
        "`HJB`": stepper(HJB),
        "`HJBAD`": stepper(HJBAD),
    }
    times = interleave(work, repeats=5 if quick else 25)
    yield Table(
        "An optimizer's step on 90-50-30-10-2, float32",
        {name: timing / STEPS for name, timing in times.items()}, "torch Adam (foreach)",
        timed="one step",
        note=f"Gradients are given. {STEPS} steps are timed together.",
    )


if __name__ == "__main__":
    main(tables, __doc__)
