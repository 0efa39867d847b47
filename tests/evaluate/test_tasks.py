"""Ratings and probabilities against known answers."""

import numpy as np
import pytest

from warmstart.errors import DataError
from warmstart.evaluate.tasks import calibration_error, classification, rating_errors


def test_rating_errors_by_hand():
    got = rating_errors(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 1.0]))
    assert got == pytest.approx({"rmse": np.sqrt(5 / 3), "mae": 1.0, "predicted": 1.0})


def test_pairs_without_prediction_are_counted_not_scored():
    assert rating_errors(np.array([1.0, 2.0]), np.array([np.nan, 2.0]))["predicted"] == 0.5
    assert np.isnan(rating_errors(np.array([1.0]), np.array([np.nan]))["rmse"])


def test_a_perfect_classifier():
    got = classification(np.array([0, 1, 1]), np.array([0.0, 1.0, 1.0]))
    assert got == pytest.approx(
        {"auc": 1, "accuracy": 1, "precision": 1, "recall": 1, "f1": 1, "log_loss": 0, "calibration_error": 0}, abs=1e-9
    )


def test_one_class_has_no_auc():
    assert np.isnan(classification(np.array([1, 1]), np.array([0.2, 0.9]))["auc"])


def test_threshold_moves_recall():
    true, p = np.array([0, 1, 1]), np.array([0.3, 0.4, 0.8])
    assert classification(true, p, threshold=0.35)["recall"] == 1
    assert classification(true, p, threshold=0.9)["precision"] == 0


def test_well_calibrated_probabilities_have_no_error():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    true = rng.random(20_000) < p
    assert calibration_error(true, p) < 0.02
    assert calibration_error(true, np.clip(p + 0.2, 0, 1)) > 0.1


@pytest.mark.parametrize("p", [np.array([0.5, np.nan]), np.array([0.5, 2.0]), np.array([0.5])])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(DataError):
        classification(np.array([0, 1]), p)
