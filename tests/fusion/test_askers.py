"""Who is asked: of each kind so many, and everybody where they are fewer."""

import numpy as np

from warmstart.fusion.askers import Askers

KIND = np.repeat([-1, 0, 1, 2], [5, 40, 8, 300])


def test_every_kind_is_asked_up_to_the_number():
    drawn = Askers(most=10, seed=1).of(KIND)
    assert np.bincount(KIND[drawn], minlength=3).tolist() == [10, 8, 10]
    assert not drawn[:5].any()


def test_the_seed_decides_who():
    one, same, other = (Askers(most=10, seed=s).of(KIND) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_without_a_number_all_are_asked():
    np.testing.assert_array_equal(Askers().of(KIND), KIND >= 0)
