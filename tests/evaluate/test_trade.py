"""The price of an option, where it is known."""

import json

import numpy as np
import pytest

from warmstart.data.popularity import long_tail
from warmstart.data.split import cold_items, last_n
from warmstart.data.toy import clusters
from warmstart.errors import DataError
from warmstart.evaluate.baselines import best
from warmstart.evaluate.metrics import ranking
from warmstart.evaluate.trade import NDCG, TAIL_RECALL, trade
from warmstart.evaluate.trade_page import page


@pytest.fixture(scope="module")
def task():
    return last_n(clusters(80, 60, 4, seed=2), share=0.3)


def listed(task, *, tail_only=False):
    """Lists of 50 by an oracle that sees half of the targets; of the tail alone, or of everything."""
    rng = np.random.default_rng(0)
    scores = task.targets.toarray() * (rng.random(task.targets.shape) < 0.5) + 0.1 * rng.random(task.targets.shape)
    scores[task.queries.matrix().toarray() > 0] = -np.inf
    if tail_only:
        scores[:, ~long_tail(task.train.interactions.item_counts())] = -np.inf
    return best(scores, 50)


@pytest.fixture(scope="module")
def found(task):
    lists = {"without": listed(task), "same": listed(task), "tail": listed(task, tail_only=True)}
    lists["peer"] = np.full((len(task), 50), -1)
    kinds = {"without": "as it is", "same": "correction", "tail": "floor", "peer": "peer"}
    return trade(lists, kinds, task, k=5, n_boot=50)


def test_the_first_line_is_what_all_are_compared_with(task, found):
    first, same, tail, peer = found.lines
    assert first.values[NDCG].mean == pytest.approx(np.nanmean(ranking(listed(task), task.targets, 5)["ndcg"]))
    assert first.loss() == same.loss() == 0
    assert tail.loss() == pytest.approx(1 - tail.values[NDCG].mean / first.values[NDCG].mean)
    assert peer.loss() == 1
    assert tail.values["head"].mean < first.values["head"].mean
    assert tail.lists["novelty"] > first.lists["novelty"]
    assert tail.changes[TAIL_RECALL].low > 0


def test_the_choice_pays_no_more_than_is_allowed(task, found):
    assert found.lines[2].loss() > 0.01
    assert found.chosen.name in ("without", "same")
    lists = {"without": listed(task), "tail": listed(task, tail_only=True)}
    kinds = {"without": "as it is", "tail": "floor"}
    assert trade(lists, kinds, task, k=5, allowed=0.9, n_boot=20).chosen.name == "tail"
    assert found.best_peer is not None
    assert found.best_peer.name == "peer"


def test_all_figures_are_plain(found):
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [line["chosen"] for line in plain["lines"]].count(True) == 1
    assert plain["lines"][3]["lists"]["gini"] is None


def test_the_page_tells_and_draws_every_line(found):
    text = page(found)
    assert text.count('<tr><th scope="row">') == len(found.lines)
    assert text.count('role="img"') == 1
    assert "&#9670;" in text


def test_groups_that_nobody_asks_for_have_no_figure():
    task = cold_items(clusters(80, 60, 4, seed=2), candidates="cold")
    (line,) = trade({"none": np.full((len(task), 50), -1)}, {"none": "as it is"}, task, n_boot=9).lines
    assert line.values["head"].n == 0
    assert np.isnan(line.loss())  # nothing was found, so there is nothing to lose


def test_lists_are_needed(task):
    with pytest.raises(DataError, match="no lists"):
        trade({}, {}, task)
