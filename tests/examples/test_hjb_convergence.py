"""The convergence study: its problems, its rates, its quick run."""

from __future__ import annotations

import hjb_convergence as script
import numpy as np
import pytest
import torch


@pytest.mark.parametrize("name", script.PROBLEMS)
def test_gradient_and_hessian_are_those_of_the_loss(name):
    task = script.Problem(name)
    w = torch.linspace(-1, 1, script.N_FEATURES, dtype=torch.float64).requires_grad_()
    for rows in (slice(None), np.array([3, 3, 70])):
        (expected,) = torch.autograd.grad(task.loss(w, rows), w)
        torch.testing.assert_close(task.gradient(w.detach(), rows), expected)
    expected = torch.autograd.functional.hessian(task.loss, w.detach())
    torch.testing.assert_close(task.hessian(w.detach()), expected)
    curvature = np.linalg.eigvalsh(expected.numpy())
    assert curvature[-1] <= task.L * (1 + 1e-12)
    if name == "convex":  # and not strongly so
        assert abs(curvature[0]) < 1e-10
    else:
        assert curvature[0] > 0.99
        X, y = task.X.numpy(), task.y.numpy()
        best = np.linalg.solve(X.T @ X + np.eye(script.N_FEATURES), X.T @ y)
        assert task.best == pytest.approx(float(task.loss(torch.tensor(best))), rel=1e-12)


def test_iterations_count_from_where_the_accuracy_stays():
    n = 300
    k = np.array(script.checkpoints(n), dtype=float)
    falls_as_1_over_k = " ".join(f"{value:.8g}" for value in 1 / k)
    found = np.array(script.iterations_to(falls_as_1_over_k, n))
    assert found[:2].tolist() == pytest.approx([10, 100], rel=0.05)
    assert np.isnan(found[3:]).all()
    late = (1 / k).copy()
    late[-1] = 0.5  # it does not stay
    assert np.isnan(script.iterations_to(" ".join(map(str, late)), n)[0])
    levels = np.array(script.LEVELS)
    assert script.slope(levels**-2.0) == pytest.approx(2)


@pytest.mark.studies
def test_the_quick_run_goes_on_where_it_was(tmp_path, capsys, monkeypatch):
    arguments = ["--quick", "--iterations", "40", "--n-jobs", "1", "--output", str(tmp_path)]
    monkeypatch.setattr(script, "STEPS", (1.0, 3.0))
    table = script.main(arguments)
    first = capsys.readouterr().out
    assert "# Table I: iterations to an accuracy" in first
    assert "{" not in first
    assert set(table["algorithm"]) == set(script.ALGORITHMS)
    by_name = table.set_index(["problem", "algorithm"])
    assert int(by_name.loc[("strongly convex", "2GD"), "1e-05"]) == 1  # a quadratic
    assert (tmp_path / "hjb_convergence_quick_40.png").stat().st_size > 10_000

    def refuse(**task):
        raise AssertionError(f"{task} was run again")

    monkeypatch.setattr(script, "descend", refuse)
    script.main(arguments)
    assert capsys.readouterr().out == first
