"""What is like an item: as people and as content see it."""

import numpy as np
import pytest

from warmstart.data.interactions import Interactions
from warmstart.data.toy import checkerboard
from warmstart.explain.similar import nearest
from warmstart.fusion.support import Support


@pytest.fixture
def seen():
    """Items 0 and 1 are taken together, 2 alone, 3 by nobody; 0 and 2 are alike in content."""
    z = np.array([[-1.0, -0.1], [0.0, 1.0], [-0.9, 0.1], [0.0, 1.0]], np.float32)
    user, item = np.nonzero(np.array([[1, 1, 0, 0]] * 4 + [[0, 0, 1, 0]] * 4))
    data = checkerboard(8, 4).with_interactions(Interactions.of(user, item, 8, 4)).with_features(z)
    return z, Support.fit(data)


def test_people_and_content_count_half_each(seen):
    z, support = seen
    item, score, source = nearest(z, support, 0, 3)
    people = support.people[0].toarray().ravel()
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    np.testing.assert_allclose(score, 0.5 * people[item] + 0.5 * (unit @ unit[0])[item], atol=1e-6)
    assert dict(zip(item.tolist(), source.tolist(), strict=True)) == {1: "people", 2: "content", 3: "content"}
    assert (np.diff(score) <= 0).all()


def test_of_an_item_nobody_took_content_alone_speaks(seen):
    z, support = seen
    item, score, source = nearest(z, support, 3, 3)
    assert item[0] == 1
    assert score[0] == pytest.approx(1.0)
    assert set(source) == {"content"}


def test_never_more_than_there_are_and_never_itself(seen):
    z, support = seen
    item, _, _ = nearest(z, support, 1, 99)
    assert sorted(item.tolist()) == [0, 2, 3]
