"""What is like an item: the mean of how people and how content see it."""

from __future__ import annotations

import numpy as np

from warmstart.experts.products import lengths_of, product
from warmstart.fusion.support import Support

PEOPLE, CONTENT = "people", "content"
TINY = 1e-12


def nearest(z: np.ndarray, support: Support, item: int, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ``k`` items nearest to one.

    ``score = (cos(z_i, z_j) + c_ij) / 2``, c = cosine of who took the items; of an item nobody took the first alone.

    Parameters
    ----------
    z
        float32, shape (n_items, dim): item features.
    support
        What is known of every item.
    item
        Its code.

    Returns
    -------
    tuple
        code int64, score float64 in [-1, 1], and which of both sees the pair nearer; each of shape (min(k, n - 1),).
    """
    length = np.maximum(lengths_of(z), TINY)
    content = product(z[item : item + 1], z)[0] / (length * length[item])
    people = support.people[item].toarray().ravel()
    met = bool(support.item[item, 0] > 0)
    score = 0.5 * content + 0.5 * people if met else np.array(content)
    score[item] = -np.inf
    top = np.argsort(-score, kind="stable")[: min(k, len(score) - 1)]
    return top, score[top].astype(np.float64), np.where(people[top] > np.maximum(content[top], 0), PEOPLE, CONTENT)
