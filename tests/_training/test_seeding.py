"""Whose random numbers a training draws, and what is left of the global ones."""

from __future__ import annotations

from contextlib import nullcontext

import torch

from skbci._training.seeding import rewinding, seeded


def test_a_saved_state_seeds_an_accelerator_too(monkeypatch):
    seeds, fork = [], torch.random.fork_rng
    monkeypatch.setattr("torch.random.fork_rng", lambda devices: fork(devices=[]))
    monkeypatch.setattr("torch.cuda.device", lambda device: nullcontext())
    monkeypatch.setattr("torch.cuda.manual_seed", seeds.append)
    states = [torch.Generator().manual_seed(number).get_state() for number in (1, 2, 1)]
    for state in states:
        with seeded(state, "cuda:0"):
            assert torch.equal(torch.get_rng_state(), state)
    assert seeds[0] == seeds[2] != seeds[1]
    with seeded(7, "cuda:0"):
        assert torch.initial_seed() == 7
    assert seeds[3:] == [7]


def test_the_global_states_are_put_back_or_never_touched(monkeypatch):
    seeds = []
    monkeypatch.setattr("torch.cuda.manual_seed_all", seeds.append)
    before = torch.get_rng_state()
    with seeded(1, "cpu"):
        drawn = torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(drawn, torch.rand(3, generator=torch.Generator().manual_seed(1)))
    assert not seeds


def test_what_an_accelerator_draws_can_be_drawn_again(monkeypatch):
    on_cuda = torch.Generator().manual_seed(3)  # stands for the device's
    monkeypatch.setattr("torch.cuda.get_rng_state", lambda device: on_cuda.get_state())
    monkeypatch.setattr("torch.cuda.set_rng_state", lambda state, device: on_cuda.set_state(state))
    with torch.random.fork_rng(devices=[]):
        rewind = rewinding("cuda:0")
        first = torch.rand(2), torch.rand(2, generator=on_cuda)
        rewind()
        again = torch.rand(2), torch.rand(2, generator=on_cuda)
    for drawn, redrawn in zip(first, again):
        assert torch.equal(drawn, redrawn)


def test_without_an_accelerator_only_the_cpus_state_is_put_back():
    with torch.random.fork_rng(devices=[]):
        rewind = rewinding("cpu")
        first = torch.rand(2)
        rewind()
        assert torch.equal(torch.rand(2), first)
