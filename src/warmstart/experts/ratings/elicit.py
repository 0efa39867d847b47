"""Which items to ask somebody about: those whose ratings would make the others surest."""

from __future__ import annotations

import numpy as np

from warmstart.data.histories import Histories
from warmstart.experts.ratings.model import FittedRatings
from warmstart.experts.ratings.rated import Known

DRAWS = 4  # of each run
POOL, JUDGED = 300, 300  # items that may be asked about, and items whose ratings are to become surer: the most rated


def worth_asking(
    ratings: FittedRatings, person: Histories, k: int, allowed: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Item codes int64 (k,), and how much each would take from the variance of the others' ratings, best first.

    With C the covariance of a person's own weight and factors, r_i the row of an item and e the variance of the noise,
    a rating of i takes ``(r_i C r_j)^2 / (r_i C r_i + e)`` from the variance of j: the gain is the mean of that over
    the most rated items and over draws, times the ratings of i beside those of the most rated item, since who does not
    know an item cannot answer. Items are taken one after another, each as if those before had been answered.

    Parameters
    ----------
    person
        One history; items it has rated are not asked about, nor are those that nobody has.
    allowed
        bool, shape (n_items,): items that may be asked about; None = all.

    References
    ----------
    D. Cohn, Z. Ghahramani, M. Jordan, Active Learning with Statistical Models, JAIR 1996, eq. 8.
    """
    known, counts = Known.of(person), ratings.counts
    often = np.argsort(-counts, kind="stable")[: (counts > 0).sum()]
    free = ~np.isin(often, known.item) & (True if allowed is None else allowed[often])
    pool = np.sort(often[free][:POOL])
    chance = counts[pool] / max(counts.max(), 1)
    rows, judged, covariance, noise = _beliefs(ratings, person, pool, often[:JUDGED])
    chosen, gains = list[int](), list[float]()
    for _ in range(min(k, len(pool))):
        turned = rows @ covariance
        own = (turned * rows).sum(2) + noise[:, None]
        gain = chance * (((turned @ judged) * turned).sum(2) / own).mean(0)
        gain[chosen] = -np.inf
        best = int(gain.argmax())
        chosen.append(best)
        gains.append(float(gain[best]))
        covariance = covariance - turned[:, best, :, None] * turned[:, best, None] / own[:, best, None, None]
    return pool[chosen].astype(np.int64), np.array(gains)


def _beliefs(ratings: FittedRatings, person: Histories, pool: np.ndarray, judged: np.ndarray) -> tuple[np.ndarray, ...]:
    """Rows (S, n, d) of a pool, the mean of r'r over judged items (S, d, d), covariances, and the noise's variance."""
    machine, known = ratings.machine, Known.of(person)
    found = []
    for one, before in zip(machine.draws, machine.before(*machine.seen(person)), strict=True):
        few = one.few(DRAWS)
        items = np.concatenate([pool, judged])
        asked, belief, noise, _ = few.met(before[: len(few.w0), 0], known.item, known.value, items, machine.levels)
        rows, seen = asked.rows[:, : len(pool)], asked.rows[:, len(pool) :]
        found.append((rows, seen.transpose(0, 2, 1) @ seen / max(len(judged), 1), belief.covariance, 1.0 / noise))
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))
