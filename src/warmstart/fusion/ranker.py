"""What the gate cannot say: a LambdaMART ranker on top of it, kept only where it wins in a world it never saw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from warmstart.fusion.gate import Gate


@dataclass(frozen=True)
class Ranker:
    """Hyper-parameters of the LightGBM ranker (one for every state).

    References
    ----------
    C. Burges, From RankNet to LambdaRank to LambdaMART, MSR-TR-2010-82.
    """

    rounds: int = 80
    learning_rate: float = 0.05
    leaves: int = 8
    leaf_rows: int = 200
    l2: float = 10.0
    truncation: int = 20
    seed: int = 1

    def fit(
        self,
        features: np.ndarray,
        query: np.ndarray,
        taken: np.ndarray,
        importance: np.ndarray,
        gate: Gate,
        worth: np.ndarray | None = None,
    ) -> FittedRanker:
        """Boost from the gate's scores; ``worth`` is how much a taken candidate counts, as in ``fit_gate``."""
        import lightgbm as lgb

        usable = (np.bincount(query, weights=taken, minlength=len(importance)) > 0)[query]
        weight = importance[query] * (1.0 if worth is None else np.where(taken, worth, 1.0))
        group = np.unique(query[usable], return_counts=True)[1]
        table = lgb.Dataset(
            features[usable],
            taken[usable],
            group=group,
            weight=weight[usable],
            init_score=gate.score(features[usable]),
        )
        booster = lgb.train(
            {
                "objective": "lambdarank",
                "learning_rate": self.learning_rate,
                "num_leaves": self.leaves,
                "min_data_in_leaf": self.leaf_rows,
                "lambda_l2": self.l2,
                "lambdarank_truncation_level": self.truncation,
                "feature_fraction": 0.4,
                "bagging_fraction": 0.8,
                "bagging_freq": 1,
                "max_bin": 63,
                "seed": self.seed,
                "deterministic": True,
                "force_col_wise": True,
                "verbose": -1,
            },
            table,
            self.rounds,
        )
        return FittedRanker(booster.model_to_string())


@dataclass(frozen=True)
class FittedRanker:
    """A LightGBM model, held as its text."""

    text: str

    @cached_property
    def booster(self) -> Any:
        """The model, parsed at first use."""
        import lightgbm as lgb

        return lgb.Booster(model_str=self.text)

    def score(self, features: np.ndarray) -> np.ndarray:
        """What to add to the gate's scores: float64, shape (n_candidates,)."""
        if not len(features):
            return np.zeros(0)
        threads = 1 if len(features) < 5000 else 2
        return np.asarray(self.booster.predict(features, num_threads=threads))
