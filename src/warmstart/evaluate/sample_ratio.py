"""Whether the variants of an experiment got the people they should: if not, no other figure of it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy
from scipy.stats import chisquare

from warmstart.errors import DataError

ALARM = 0.01  # of the sequential p value
STRENGTH = 100.0  # of the Dirichlet prior of the sequential test, in people; shares near the wanted ones are likelier


@dataclass(frozen=True)
class SampleRatio:
    """People counted against people expected.

    Parameters
    ----------
    observed, expected
        People of each variant.
    chi_square_p
        Of Pearson's test; it holds at one look, chosen in advance.
    p
        Of the sequential test; it holds at every look.
    """

    observed: tuple[int, ...]
    expected: tuple[float, ...]
    chi_square_p: float
    p: float

    @property
    def mismatch(self) -> bool:
        """Whether something is wrong with who is counted; a false alarm has a chance of 1 %, all looks together."""
        return self.p < ALARM


def sample_ratio(observed: Sequence[int], shares: Sequence[float]) -> SampleRatio:
    """Test the numbers of people against the shares they were assigned by.

    The sequential p value is ``1 / B``, at most 1, with B the Bayes factor of a Dirichlet with parameters
    ``STRENGTH share`` against the shares themselves; it is a martingale where the shares hold (Lindon & Malek,
    "Anytime-valid inference for multinomial count data", arXiv 2011.03567, eq. 6).

    Parameters
    ----------
    observed
        People of each variant, each person counted once.
    shares
        > 0; they are divided by their sum.

    Raises
    ------
    DataError
        If there are not as many shares as numbers, at least two, or one is not above 0.

    Examples
    --------
    >>> fine, wrong = sample_ratio([5050, 4950], [1, 1]), sample_ratio([5300, 4700], [1, 1])
    >>> fine.mismatch, wrong.mismatch, round(fine.chi_square_p, 3)
    (False, True, 0.317)
    """
    counts, wanted = np.asarray(observed, np.float64), np.asarray(shares, np.float64)
    if len(counts) != len(wanted) or len(counts) < 2 or not (wanted > 0).all() or (counts < 0).any():
        raise DataError(
            f"people {list(observed)} and shares {list(shares)} do not match; give two or more, shares above 0"
        )
    wanted, n = wanted / wanted.sum(), counts.sum()
    if n == 0:
        return SampleRatio(tuple(int(c) for c in counts), (0.0,) * len(counts), 1.0, 1.0)
    prior = STRENGTH * wanted
    evidence = gammaln(STRENGTH) - gammaln(STRENGTH + n) + (gammaln(prior + counts) - gammaln(prior)).sum()
    factor = evidence - xlogy(counts, wanted).sum()
    return SampleRatio(
        tuple(int(c) for c in counts),
        tuple(float(e) for e in wanted * n),
        float(chisquare(counts, wanted * n).pvalue),
        float(np.exp(min(0.0, -factor))),
    )
