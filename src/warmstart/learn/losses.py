"""What learning makes small: losses over lists of items, each with labels of which some may be missing.

Everywhere ``scores`` is a float32 tensor (n, m) with gradient, ``labels`` a float32 tensor (n, m), NaN where there is
nothing to answer; what comes back is a scalar.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from warmstart.errors import require

MARGIN = 1.0
MU = 10.0  # weight of the second part of NDCG-Loss2++, as in the paper

Loss = Callable[[Any, Any], Any]


def binary(scores: Any, labels: Any) -> Any:
    """Binary cross-entropy of logits, mean over answers; labels are 0 or 1."""
    functional, known = require("torch", extra="lm").nn.functional, ~labels.isnan()
    return functional.binary_cross_entropy_with_logits(scores[known], labels[known])


def squared(scores: Any, labels: Any) -> Any:
    """Mean squared error."""
    known = ~labels.isnan()
    return ((scores[known] - labels[known]) ** 2).mean()


def bpr(scores: Any, labels: Any) -> Any:
    """``-log sigmoid(s_i - s_j)``, mean over pairs in a list with label i > label j.

    Source: Rendle et al., BPR: Bayesian personalized ranking from implicit feedback, UAI 2009, arXiv:1205.2618.
    """
    gaps, better = _pairs(scores, labels)
    return require("torch", extra="lm").nn.functional.softplus(-gaps[better]).mean()


def margin(scores: Any, labels: Any) -> Any:
    """``max(0, 1 - (s_i - s_j))``, mean over pairs in a list with label i > label j."""
    gaps, better = _pairs(scores, labels)
    return (MARGIN - gaps[better]).clamp(min=0).mean()


def softmax(scores: Any, labels: Any) -> Any:
    """Cross-entropy between ``softmax(scores)`` and the labels' shares of their sum, mean over lists.

    Labels are lowered so that the least of a list is 0. With one positive it is the usual softmax loss. Source: the
    top-one probabilities of Cao et al., Learning to rank: from pairwise approach to listwise approach, ICML 2007.
    """
    known = ~labels.isnan()
    above = labels.nan_to_num(0) - labels.nan_to_num(float("inf")).min(1, keepdim=True).values
    above = above.masked_fill(~known, 0)
    share = above / above.sum(1, keepdim=True).clamp(min=1e-9)
    log = scores.masked_fill(~known, float("-inf")).log_softmax(1).masked_fill(~known, 0)
    return -(share * log).sum(1).mean()


def lambda_loss(scores: Any, labels: Any) -> Any:
    """NDCG-Loss2++: ``sum w_ij log2(1 + exp(-(s_i - s_j)))`` over pairs with label i > label j, mean over lists.

    ``w_ij = (rho_ij + mu delta_ij) |G_i - G_j|`` with ``G = (2^label - 1) / best DCG``, ``D_r = log2(1 + r)``, ranks r
    by the present scores, ``rho = |1/D_ri - 1/D_rj|`` (LambdaRank), ``delta = |1/D_k - 1/D_(k+1)|``, ``k = |ri - rj|``.
    Source: Wang et al., The LambdaLoss framework for ranking metric optimization, CIKM 2018, section 6.
    """
    torch = require("torch", extra="lm")
    known = ~labels.isnan()
    gain = torch.where(known, 2 ** labels.nan_to_num(0) - 1, 0)
    places = torch.arange(1, labels.shape[1] + 1, device=labels.device)
    best = (gain.sort(1, descending=True).values / (1 + places).log2()).sum(1).clamp(min=1e-9)
    order = scores.detach().masked_fill(~known, float("-inf")).argsort(dim=1, descending=True, stable=True)
    rank = order.argsort(1).float() + 1  # (n, m), the highest score has 1
    apart = (rank[:, :, None] - rank[:, None, :]).abs()
    rho = (1 / (1 + rank[:, :, None]).log2() - 1 / (1 + rank[:, None, :]).log2()).abs()
    delta = (1 / (1 + apart.clamp(min=1)).log2() - 1 / (2 + apart.clamp(min=1)).log2()).abs()
    weight = (rho + MU * delta) * (gain[:, :, None] - gain[:, None, :]).abs() / best[:, None, None]
    gaps, better = _pairs(scores, labels)
    cost = torch.nn.functional.softplus(-gaps) / torch.log(torch.tensor(2.0))
    return (weight * cost).masked_fill(~better, 0).sum((1, 2)).mean()


def _pairs(scores: Any, labels: Any) -> tuple[Any, Any]:
    """Of all pairs in a list, (n, m, m): how far the first stands above the second, and whether it should."""
    return scores[:, :, None] - scores[:, None, :], labels[:, :, None] > labels[:, None, :]


RANKING: dict[str, Loss] = {"bpr": bpr, "margin": margin, "softmax": softmax, "lambda": lambda_loss}
