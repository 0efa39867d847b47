"""Measures where a task has labels: ratings to predict, or a yes and a no to tell apart."""

from __future__ import annotations

import numpy as np

from warmstart.errors import DataError


def rating_errors(true: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """RMSE and MAE, in the unit of the ratings; pairs without a prediction (NaN) are left out and counted.

    Parameters
    ----------
    true, predicted
        float, shape (n_pairs,).

    Examples
    --------
    >>> rating_errors(np.array([4.0, 2.0, 5.0]), np.array([3.0, 2.0, np.nan]))
    {'rmse': 0.7071067811865476, 'mae': 0.5, 'predicted': 0.6666666666666666}
    """
    _check_shapes(true, predicted)
    known = ~np.isnan(predicted)
    error = (np.asarray(predicted, np.float64) - np.asarray(true, np.float64))[known]
    if not len(error):
        return {"rmse": float("nan"), "mae": float("nan"), "predicted": 0.0}
    rmse = float(np.sqrt(np.mean(error**2)))
    return {"rmse": rmse, "mae": float(np.abs(error).mean()), "predicted": float(known.mean())}


def classification(true: np.ndarray, probability: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    """AUC, accuracy, precision, recall, F1, log loss and calibration error of probabilities.

    Parameters
    ----------
    true
        bool or 0/1, shape (n_pairs,).
    probability
        float in [0, 1], shape (n_pairs,).
    threshold
        A probability of at least this is a yes.

    Returns
    -------
    dict
        AUC is NaN if only one class occurs; precision is 0 if nothing is a yes.

    Examples
    --------
    >>> values = classification(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9]))
    >>> {name: round(v, 3) for name, v in values.items() if name in ("auc", "accuracy", "f1")}
    {'auc': 0.75, 'accuracy': 0.5, 'f1': 0.5}
    """
    from sklearn import metrics as sk

    _check_probabilities(true, probability)
    true, yes = np.asarray(true).astype(bool), np.asarray(probability) >= threshold
    both = 0 < true.sum() < len(true)
    p, r, f, _ = sk.precision_recall_fscore_support(true, yes, average="binary", zero_division=0.0)
    return {
        "auc": float(sk.roc_auc_score(true, probability)) if both else float("nan"),
        "accuracy": float(sk.accuracy_score(true, yes)),
        "precision": float(p),
        "recall": float(r),
        "f1": float(f),
        "log_loss": float(sk.log_loss(true, probability, labels=[False, True])),
        "calibration_error": calibration_error(true, probability),
    }


def calibration_error(true: np.ndarray, probability: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error, in [0, 1]: ``sum_b (n_b / n) |mean true - mean probability|``.

    Bins are of equal width (Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning",
    AAAI 2015).

    Examples
    --------
    >>> calibration_error(np.array([0, 1, 1, 1]), np.array([0.75, 0.75, 0.75, 0.75]))
    0.0
    """
    _check_probabilities(true, probability)
    at = np.minimum((np.asarray(probability) * bins).astype(int), bins - 1)
    gap = np.bincount(at, weights=np.asarray(true, np.float64) - probability, minlength=bins)
    return float(np.abs(gap).sum() / len(at))


def _check_shapes(true: np.ndarray, predicted: np.ndarray) -> None:
    if np.shape(true) != np.shape(predicted):
        raise DataError(f"{np.shape(true)} labels for {np.shape(predicted)} predictions; give one prediction a label")


def _check_probabilities(true: np.ndarray, probability: np.ndarray) -> None:
    _check_shapes(true, probability)
    p = np.asarray(probability)
    if not len(p) or not ((p >= 0) & (p <= 1)).all():
        raise DataError("probabilities must be numbers in [0, 1], at least one of them; check for NaN or raw scores")
