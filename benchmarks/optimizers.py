"""A step of HJB and HJB-AD against torch's own Adam, on the network 90-50-30-10-2.

Run ``python benchmarks/optimizers.py``. Gradients are given, so that only the step is timed.
"""

from __future__ import annotations

import argparse

from _timing import interleave, single_thread, table

single_thread()

import torch  # noqa: E402

from skbci.nets import MLP  # noqa: E402
from skbci.optim import HJB, HJBAD  # noqa: E402

STEPS = 200


def stepper(optimizer_class, **settings):
    """Give a function that takes many steps with one gradient."""
    net = MLP(90, 2, (50, 30, 10))
    optimizer = optimizer_class(net.parameters(), lr=1e-6, **settings)
    for p in net.parameters():
        p.grad = torch.randn_like(p)
    loss = torch.tensor(3.0)

    def run():
        for _ in range(STEPS):
            optimizer.step(lambda: loss)

    return run


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    args = parser.parse_args(argv)
    torch.manual_seed(0)
    times = interleave(
        {
            "torch Adam (foreach)": stepper(torch.optim.Adam, foreach=True),
            "torch Adam (fused)": stepper(torch.optim.Adam, fused=True),
            "HJB": stepper(HJB),
            "HJB-AD": stepper(HJBAD),
        },
        repeats=5 if args.quick else 25,
    )
    print(f"{STEPS} steps, 90-50-30-10-2, float32, one thread\n")
    print(table(times, "torch Adam (foreach)"))


if __name__ == "__main__":
    main()
