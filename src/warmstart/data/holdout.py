"""Which events, users or items to hold out: the choices behind ``warmstart.data.split``."""

from __future__ import annotations

import numpy as np

from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError


def last(x: Interactions, n: int, share: float | None) -> np.ndarray:
    """Mark each user's last ``n`` events, or the last ``share`` (at least one); never a user's only event.

    Returns
    -------
    bool, shape (n_events,).

    Examples
    --------
    >>> x = Interactions.of(np.array([0, 0, 0, 1]), np.array([2, 1, 0, 2]), n_users=2, n_items=3)
    >>> last(x, 1, None).tolist(), last(x, 5, None).tolist()
    ([False, False, True, False], [False, True, True, False])
    """
    counts = x.user_counts()
    if share is not None:
        check_share(share)
        held = np.maximum(1, np.rint(share * counts)).astype(np.int64)
    elif n < 1:
        raise ConfigError(f"n={n} holds nothing out; give n >= 1")
    else:
        held = np.full(len(counts), n)
    stay = counts - np.minimum(held, np.maximum(counts - 1, 0))
    mask: np.ndarray = x.position() >= stay[x.user]
    return mask


def draw(codes: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Pick a random ``share`` of the codes, at least one: int32, ascending.

    Examples
    --------
    >>> draw(np.arange(10), 0.2, seed=0).tolist()
    [4, 6]
    """
    check_share(share)
    drawn = np.random.default_rng(seed).permutation(codes)[: max(1, round(share * len(codes)))]
    return np.sort(drawn).astype(np.int32)


def check_share(share: float) -> None:
    """Refuse a share that holds out nothing or everything.

    Raises
    ------
    ConfigError
        If ``share`` is not strictly between 0 and 1.

    Examples
    --------
    >>> check_share(0.2)
    """
    if not 0 < share < 1:
        raise ConfigError(f"share={share} is not between 0 and 1; 0.2 holds out a fifth")
