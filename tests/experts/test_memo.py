"""What is fitted once for the same data, and that other data are never mistaken for it."""

import gc
import threading
import weakref

import numpy as np

from warmstart.data.toy import checkerboard
from warmstart.experts.content import ContentMap
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.memo import remembered


def test_the_same_settings_on_the_same_data_are_one_object():
    data = checkerboard(6, 6).with_features(np.eye(2, dtype=np.float32)[np.arange(6) % 2])
    assert PriorMeanEASE().fit(data) is PriorMeanEASE().fit(data)
    assert PriorMeanEASE().fit(data) is not PriorMeanEASE(strength=2.0).fit(data)
    assert ContentMap().fit(data).w is ContentMap(text_weight=2.0).fit(data).w


def test_other_events_or_features_are_other_data():
    data = checkerboard(4, 4)
    count = iter(range(10))
    first = remembered(data, "k", lambda: next(count))
    part = data.with_interactions(data.interactions.select(np.arange(len(data.interactions)) > 0))
    others = [part, data.with_features(np.ones((4, 1), np.float32)), checkerboard(4, 4)]
    assert [remembered(d, "k", lambda: next(count)) for d in others] == [first + 1, first + 2, first + 3]
    assert remembered(data, "k", lambda: next(count)) == first + 4  # only the last data are remembered


def test_threads_with_other_data_never_see_each_others():
    one, two, entered, cleared = checkerboard(4, 4), checkerboard(4, 4), threading.Event(), threading.Event()

    def slow():
        entered.set()
        cleared.wait(10)
        return "one"

    thread = threading.Thread(target=lambda: remembered(one, "k", slow))
    thread.start()
    entered.wait(10)
    assert remembered(two, "j", lambda: "two") == "two"
    cleared.set()
    thread.join()
    assert remembered(two, "k", lambda: "two's own") == "two's own"


def test_what_was_made_goes_with_the_data():
    class Big:
        pass

    data = checkerboard(4, 4)
    alive = weakref.ref(remembered(data, "k", Big))
    assert alive() is not None
    del data
    gc.collect()
    assert alive() is None
