"""Embeddings first: a loss over many texts at once in the memory of a few.

Vectors are computed without gradient, in chunks; the loss and its gradient are taken with respect to the vectors;
then every chunk runs again, and the gradient flows on into the weights. The result is that of one large batch
(Gao et al., Scaling deep contrastive learning batch size under memory limited setup, RepL4NLP 2021,
arXiv:2101.06983, section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from warmstart.errors import require
from warmstart.learn.processes import Draw, reseed

CHUNK = 32  # texts that are in memory with all their states


def cached_backward(
    encode: Callable[[Sequence[str]], Any],
    texts: Sequence[str],
    loss: Callable[[Any], Any],
    draw: Draw,
    chunk: int = CHUNK,
) -> float:
    """Add the gradients of ``loss(vectors of all processes' texts)`` to the weights; return the loss.

    Parameters
    ----------
    encode
        Texts -> tensor (n, dim) with gradient.
    texts
        This process's share; all shares have the same length.
    loss
        Vectors of all texts, (n processes, dim), those of the first process first -> scalar.
    draw
        The micro-batch: dropout is the same in both passes.
    chunk
        Texts at once.
    """
    torch = require("torch", extra="lm")
    # texts of like length together: little padding
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    chunks = [order[start : start + chunk] for start in range(0, len(order), chunk)]
    seed = int(torch.initial_seed()) % (1 << 31)

    def vectors(number: int) -> Any:
        reseed(seed + 7_368_787 * (number + 1))
        return encode([texts[i] for i in chunks[number]]).float()

    with torch.no_grad():
        mixed = torch.cat([vectors(c) for c in range(len(chunks))])
    back = torch.empty(len(order), dtype=torch.long, device=mixed.device)
    back[torch.tensor(order, device=mixed.device)] = torch.arange(len(order), device=mixed.device)
    whole = draw.processes.gather(mixed[back]).detach().requires_grad_(True)
    with torch.autocast(mixed.device.type, enabled=False):
        value = loss(whole)
    value.backward()
    # gradients are averaged over the processes afterwards; here each process adds a part of one sum
    mine = draw.share(whole.grad) * draw.processes.count
    for number, rows in enumerate(chunks):
        vectors(number).backward(mine[rows])
    return float(value.detach())
