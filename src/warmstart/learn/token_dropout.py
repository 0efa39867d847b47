"""Token dropout: every time a text is read while learning, other words are missing.

A model that sees a catalogue of a thousand texts again and again soon knows each by its rarest word. With a share of
the tokens gone at every reading it has to use the others, and what it learns holds for texts it has never seen
(Iyyer et al., Deep unordered composition rivals syntactic methods, ACL 2015, section 3.1: word dropout).
"""

from __future__ import annotations

from typing import Any

from warmstart.errors import require


def thinned(batch: dict[str, Any], share: float) -> dict[str, Any]:
    """A batch with a random share of its tokens taken out; the first and the last token of a row stay.

    Parameters
    ----------
    batch
        ``input_ids`` and ``attention_mask``, right-padded int64 tensors of shape (n, tokens), and whatever else is
        said of every token.
    share
        In [0, 1). Drawn from torch's generator.
    """
    torch = require("torch", extra="lm")
    mask = batch["attention_mask"]
    place = torch.arange(mask.shape[1], device=mask.device)
    ends = (place == 0) | (place == mask.sum(1, keepdim=True) - 1)
    keep = (torch.rand(mask.shape, device=mask.device) >= share) | ends
    keep &= mask.bool()
    order = torch.argsort((~keep).to(torch.uint8), dim=1, stable=True)[:, : int(keep.sum(1).max())]
    out = {name: value.gather(1, order) for name, value in batch.items()}
    return out | {"attention_mask": keep.to(mask.dtype).gather(1, order)}
