"""Who is asked in a simulated world: of a large crowd so many of each kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Askers:
    """Draws, of every kind of people, ``most`` at most.

    Parameters
    ----------
    most
        Of each kind, at least 1; None = all.
    seed
        Of the draw.

    Examples
    --------
    >>> Askers().of(np.array([2, -1, 0])).tolist()
    [True, False, True]
    >>> drawn = Askers(most=1).of(np.array([0, 0, 0, 5, -1]))
    >>> int(drawn[:3].sum()), drawn[3:].tolist()
    (1, [True, False])
    """

    most: int | None = None
    seed: int = 0

    def of(self, kind: np.ndarray) -> np.ndarray:
        """Who is drawn: bool, shape (n_users,), of int64 kinds; -1 = nobody to ask."""
        drawn: np.ndarray = kind >= 0
        if self.most is None:
            return drawn
        rng = np.random.default_rng(self.seed)
        for one in np.unique(kind[drawn]).tolist():
            mine = np.flatnonzero(kind == one)
            if len(mine) > self.most:
                drawn[mine] = False
                drawn[rng.choice(mine, self.most, replace=False)] = True
        return drawn
