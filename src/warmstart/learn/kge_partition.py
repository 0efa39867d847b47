"""The part of 1-vs-all cross-entropy that looks at all entities, at half the cost of what autograd makes of it."""

from __future__ import annotations

from typing import Any

from warmstart.errors import require

BLOCK = 128  # questions whose scores are held at once


def log_partition(points: Any, table: Any, weights: Any) -> Any:
    """``sum_i w_i log sum_j exp(<p_i, t_j>)``, with gradients by points and table.

    The scores of a block of points are taken, exponentiated in place and used for both gradients,
    ``w_i sum_j s_ij t_j`` and ``sum_i w_i s_ij p_i`` with s the softmax, while they are in the processor's cache;
    autograd would keep four matrices of points x entities.

    Parameters
    ----------
    points
        float32, shape (n, width).
    table
        float32, shape (entities, width).
    weights
        float32, shape (n,); they get no gradient.

    Returns
    -------
    torch.Tensor
        A number.

    Examples
    --------
    >>> import torch
    >>> points, table = torch.ones(1, 2, requires_grad=True), torch.zeros(4, 2, requires_grad=True)
    >>> value = log_partition(points, table, torch.ones(1))
    >>> value.backward()
    >>> round(value.exp().item(), 4), table.grad[0].tolist()
    (4.0, [0.25, 0.25])
    """
    torch = require("torch", extra="lm")
    with torch.no_grad():
        by_points, by_table, value = torch.empty_like(points), torch.zeros_like(table), points.new_zeros(())
        held = points.new_empty(min(BLOCK, len(points)), len(table))
        for start in range(0, len(points), BLOCK):
            part, w = points[start : start + BLOCK], weights[start : start + BLOCK, None]
            s = torch.mm(part, table.T, out=held[: len(part)])
            top = s.amax(1, keepdim=True)
            total = s.sub_(top).exp_().sum(1, keepdim=True)
            value += (w * (top + total.log())).sum()
            by_points[start : start + BLOCK] = torch.mm(s, table) * (w / total)
            by_table.addmm_(s.T, part * (w / total))
    # a term whose value is 0 carries the gradients found above
    carrier = (points * by_points).sum() + (table * by_table).sum()
    return value + carrier - carrier.detach()
