import pytest

from warmstart.learn.backbone import Backbone
from warmstart.learn.perturbation import Perturbation
from warmstart.learn.settings import Tuning

torch = pytest.importorskip("torch")

TEXTS = ["space ship alien horror", "cowboy west", "love comedy"]


def distance(backbone, target):
    return ((backbone.vectors(TEXTS) - target) ** 2).sum()


@pytest.fixture
def backbone(encoder_folder):
    return Backbone(encoder_folder)


def relative(shift, layer, batch):
    size = layer(batch).flatten(1).norm(dim=1)
    return shift.flatten(1).norm(dim=1) / size


@pytest.mark.parametrize("mode", ["full", "frozen"])
def test_a_shift_has_the_length_and_the_direction_of_the_gradient(encoder_folder, mode):
    backbone = Backbone(encoder_folder, Tuning(mode))
    layer = backbone.model.get_input_embeddings()
    target = torch.randn(3, 32, generator=torch.Generator().manual_seed(0))
    with Perturbation(layer) as shift:
        clean = distance(backbone, target)
        clean.backward()
        gradient = next(iter(shift._gradients.values()))
        shift.point(0.01)
        given = next(iter(shift.shifts.values()))
        moved = distance(backbone, target)
    ids = backbone.tokens(TEXTS)["input_ids"]
    torch.testing.assert_close(relative(given, layer, ids), torch.full((3,), 0.01))
    cosine = torch.nn.functional.cosine_similarity(given.flatten(1), gradient.flatten(1))
    torch.testing.assert_close(cosine, torch.ones(3))
    # to first order the loss grows by length times gradient
    expected = (given * gradient).sum()
    assert float((moved - clean).detach()) == pytest.approx(float(expected), rel=0.1)


def test_climbing_goes_further_up_than_one_step_and_stays_in_the_ball(backbone):
    layer, target = backbone.model.get_input_embeddings(), torch.ones(3, 32)
    heights = []
    for steps, step in ((1, 0.3), (8, 0.1)):
        with Perturbation(layer) as shift:
            for _ in range(steps):
                distance(backbone, target).backward()
                shift.climb(step, 0.3)
            heights.append(float(distance(backbone, target).detach()))
            given = next(iter(shift.shifts.values()))
        assert relative(given, layer, backbone.tokens(TEXTS)["input_ids"]).max() <= 0.3 + 1e-5
    assert heights[0] > float(distance(backbone, target).detach())
    assert heights[1] > heights[0]


def test_nothing_stays_behind(backbone):
    before = backbone.encode(TEXTS)
    weights = {k: v.clone() for k, v in backbone.model.state_dict().items()}
    with Perturbation(backbone.model.get_input_embeddings(), start=0.5):
        assert abs(backbone.encode(TEXTS) - before).max() > 1e-3
    assert abs(backbone.encode(TEXTS) - before).max() == 0
    for name, value in backbone.model.state_dict().items():
        torch.testing.assert_close(value, weights[name], rtol=0, atol=0)


def test_padding_is_not_shifted(backbone):
    with Perturbation(backbone.model.get_input_embeddings()) as shift:
        distance(backbone, torch.ones(3, 32)).backward()
        shift.point(0.5)
        given = next(iter(shift.shifts.values()))
    mask = backbone.tokens(TEXTS)["attention_mask"]
    assert float(given[mask == 0].abs().max()) == 0
    assert float(given.abs().max()) > 0
