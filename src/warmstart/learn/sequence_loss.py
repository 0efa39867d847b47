"""Losses over what comes next, with negatives that all positions of a step share."""

from __future__ import annotations

from typing import Any

import numpy as np

from warmstart.errors import require

LOSSES = ("softmax", "gbce")


def equal_pairs(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions (i, j) where ``a[i] == b[j]``: found by sorting, as few are.

    Examples
    --------
    >>> [at.tolist() for at in equal_pairs(np.array([3, 5, 9]), np.array([9, 3, 3]))]
    [[0, 0, 2], [1, 2, 0]]
    """
    order = np.argsort(b, kind="stable")
    first = np.searchsorted(b[order], a, side="left")
    many = np.searchsorted(b[order], a, side="right") - first
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    return np.repeat(np.arange(len(a)), many), order[np.repeat(first, many) + within]


def sampled_softmax(positive: Any, negative: Any) -> Any:
    """Mean of ``-log softmax`` of the taken item among the drawn ones.

    Source: Bengio and Senecal, Adaptive importance sampling, 2008, eq. 5; with shared negatives Yi et al.,
    Sampling-bias-corrected neural modeling, RecSys 2019.

    Parameters
    ----------
    positive
        Scores of what was taken, each less the log of how often it is expected among the drawn, (n,).
    negative
        The same of drawn items, (n, m); -inf where the item drawn is the one taken.
    """
    torch = require("torch", extra="lm")
    return torch.nn.functional.softplus(torch.logsumexp(negative, dim=1) - positive).mean()


def gbce(positive: Any, negative: Any, share: float, calibration: float) -> Any:
    """Generalised binary cross-entropy: ``-beta log s(s+) - sum_k log(1 - s(s_k))``, mean over positions.

    ``beta = a (t (1 - 1/a) + 1/a)`` takes back the overconfidence that drawing few negatives brings. Source: Petrov and
    Macdonald, gSASRec, RecSys 2023, arXiv:2308.07192, eq. 6 and 8.

    Parameters
    ----------
    positive, negative
        Scores, (n,) and (n, m); -inf where the item drawn is the one taken.
    share
        a = drawn items over all other items, in (0, 1].
    calibration
        t in [0, 1]: 0 = plain cross-entropy, 1 = scores as if no item had been left out.

    Examples
    --------
    >>> import torch
    >>> round(float(gbce(torch.zeros(1), torch.zeros(1, 2), share=0.5, calibration=1.0)), 4)  # beta = 0.5
    1.7329
    """
    functional = require("torch", extra="lm").nn.functional
    beta = share * (calibration * (1 - 1 / share) + 1 / share)
    return (beta * functional.softplus(-positive) + functional.softplus(negative).sum(1)).mean()
