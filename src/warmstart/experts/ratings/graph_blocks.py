"""What a knowledge graph says of items, as blocks of the factorisation machine: one for each relation."""

from __future__ import annotations

import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.experts.graph_features import by_relation, fact_tokens, told_once
from warmstart.experts.ratings.sides import tokens_block


def graph_blocks(data: Dataset, min_count: int = 3) -> list[sp.csr_matrix]:
    """A block for each relation and direction, rows of length 1: float64 CSR, (n_items, width); none without a graph.

    Other ends met by fewer than ``min_count`` items are left out, and so is a relation of which one or none is left, or
    more than one for every eight items: see ``item_facts``. A relation that another one tells as well counts once.
    """
    if data.graph is None:
        return []
    rows = by_relation(told_once(fact_tokens(data.catalog, data.graph), data.graph))
    blocks = [tokens_block(part, min_count) for part in rows.values()]
    return [block for block in blocks if 1 < block.shape[1] <= max(data.n_items / 8, 8)]
