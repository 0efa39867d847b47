"""Which items to ask somebody about: those whose ratings would make the others surest."""

from __future__ import annotations

import numpy as np

from warmstart.data.histories import Histories
from warmstart.experts.ratings.model import FittedRatings
from warmstart.experts.ratings.posterior import Asked, Ladder, believed
from warmstart.experts.ratings.rated import Known

POOL, JUDGED = 300, 300  # items that may be asked about, and items whose ratings are to become surer: the most rated


def worth_asking(ratings: FittedRatings, person: Histories, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Item codes int64 (k,), and how much each would take from the variance of the others' ratings, best first.

    With C the covariance of a person's own weight and factors, ``K = R C R'`` and e the variance of the noise, a
    rating of i leaves ``K_jj - K_ij^2 / (K_ii + e)`` of the variance of j. The gain is the mean of what it takes over
    the most rated items and over draws, times the ratings of i beside those of the most rated item: who does not know
    an item cannot answer. Items are taken one after another, each as if those before had been answered.

    Parameters
    ----------
    person
        One history; its items are not asked about.

    References
    ----------
    D. Cohn, Z. Ghahramani, M. Jordan, Active Learning with Statistical Models, JAIR 1996, eq. 8.
    """
    known, counts = Known.of(person), ratings.counts
    often = np.argsort(-counts, kind="stable")
    pool = np.setdiff1d(often[:POOL], known.item, assume_unique=False)
    judged, chance = often[:JUDGED], counts[pool] / max(counts.max(), 1)
    left = [
        _covariances(ratings, at, person, np.concatenate([pool, judged])) for at in range(len(ratings.machine.draws))
    ]
    joint, noise = np.concatenate([c for c, _ in left]), np.concatenate([n for _, n in left])
    n = len(pool)
    chosen: list[int] = []
    gains: list[float] = []
    for _ in range(min(k, n)):
        own = joint[:, np.arange(n), np.arange(n)] + noise[:, None]
        gain = chance * ((joint[:, :n, n:] ** 2).mean(2) / own).mean(0)
        gain[chosen] = -np.inf
        best = int(gain.argmax())
        chosen.append(best)
        gains.append(float(gain[best]))
        joint -= joint[:, :, [best]] * joint[:, [best], :] / own[:, [best], None]
    return pool[chosen].astype(np.int64), np.array(gains)


def _covariances(
    ratings: FittedRatings, at: int, person: Histories, items: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of a person's ratings of items by a few draws of a run, (S, n, n), and the noise's variance, (S,)."""
    one, known = ratings.machine.draws[at].few(4), Known.of(person)
    before = ratings.machine.before(person, known)[at][: len(one.w0), 0]
    ladder = Ladder(one.cuts.astype(np.float64), ratings.machine.levels) if one.cuts.shape[1] else None
    noise, w0 = one.noise.astype(np.float64), one.w0.astype(np.float64)
    rated, asked = (Asked.of(w0, before, one.item[:, codes].astype(np.float64)) for codes in (known.item, items))
    prior = (one.mean.astype(np.float64), one.precision.astype(np.float64))
    belief = believed(rated, known.value, *prior, noise, ladder)
    found: np.ndarray = asked.rows @ belief.covariance @ asked.rows.transpose(0, 2, 1)
    return found, 1.0 / noise
