import torch

from warmstart.learn.backbone import Backbone
from warmstart.learn.settings import Tuning
from warmstart.learn.token_dropout import thinned

BATCH = {
    "input_ids": torch.tensor([[1, 5, 6, 7, 8, 2], [1, 9, 2, 0, 0, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]]),
}


def test_ends_stay_and_order_is_kept():
    for seed in range(20):
        torch.manual_seed(seed)
        out = thinned(BATCH, 0.5)
        for ids, mask, whole in zip(out["input_ids"], out["attention_mask"], BATCH["input_ids"], strict=True):
            left = ids[mask.bool()].tolist()
            full = whole[whole > 0].tolist()
            assert (left[0], left[-1]) == (1, 2)
            assert left == [t for t in full if t in left]
            assert mask.tolist() == sorted(mask.tolist(), reverse=True)


def test_the_share_is_taken_out():
    torch.manual_seed(0)
    ids = torch.arange(1, 1002).repeat(4, 1)
    out = thinned({"input_ids": ids, "attention_mask": torch.ones_like(ids)}, 0.2)
    assert abs(out["attention_mask"].sum().item() / ids.numel() - 0.8) < 0.03


def test_nothing_is_dropped_but_while_learning(encoder_folder):
    backbone = Backbone(encoder_folder, Tuning(token_dropout=0.5))
    texts = ["space ship alien horror cowboy west love", "wooden train"]
    backbone.model.train(True)
    torch.manual_seed(0)
    first = backbone.vectors(texts)
    torch.manual_seed(1)
    assert not torch.allclose(first, backbone.vectors(texts))
    torch.manual_seed(0)
    assert torch.equal(first, backbone.vectors(texts))
    backbone.model.train(False)
    assert torch.equal(backbone.vectors(texts), backbone.vectors(texts))
