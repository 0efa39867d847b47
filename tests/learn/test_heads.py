import pytest
import torch

from warmstart.errors import ConfigError
from warmstart.learn.heads import HEADS, Facts, Head, HeadSettings

N, L, M, DIM = 3, 5, 4, 8


def make(kind, outputs=1, start=(0.0,)):
    torch.manual_seed(0)
    head = Head(HeadSettings(kind, hidden=16), DIM, 2, outputs, start)
    with torch.no_grad():
        for p in head.weights.parameters():  # nothing is zero by chance
            p.add_(0.3 * torch.randn_like(p))
    return head


def question(seed=0):
    rng = torch.Generator().manual_seed(seed)
    known = torch.tensor([[True] * 5, [True, True, False, False, False], [False] * 5])
    facts = Facts(
        torch.randn(N, L, DIM, generator=rng),
        torch.randint(0, 4, (N, L), generator=rng),
        torch.randn(N, L, generator=rng),
        known,
    )
    return torch.randn(N, M, DIM, generator=rng), torch.ones(N, M, dtype=torch.bool), facts


def ask(head, items, asked, facts):
    with torch.no_grad():
        return head(items, asked, facts)


@pytest.mark.parametrize("kind", HEADS)
def test_what_is_not_known_plays_no_part(kind):
    head, (items, asked, facts) = make(kind, 3, (0.0, 1.0, 2.0)), question()
    out = ask(head, items, asked, facts)
    assert out.shape == (N, M, 3)
    assert out.isfinite().all()
    noise = torch.where(facts.known[..., None], facts.vectors, 1e3)
    torch.testing.assert_close(ask(head, items, asked, Facts(noise, facts.kinds, facts.ratings, facts.known)), out)


@pytest.mark.parametrize("kind", HEADS)
def test_facts_have_no_order_and_items_do_not_see_each_other(kind):
    head, (items, asked, facts) = make(kind), question()
    out = ask(head, items, asked, facts)
    mixed = torch.tensor([3, 1, 0, 4, 2])
    turned = Facts(facts.vectors[:, mixed], facts.kinds[:, mixed], facts.ratings[:, mixed], facts.known[:, mixed])
    torch.testing.assert_close(ask(head, items, asked, turned), out)
    torch.testing.assert_close(ask(head, items[:, 1:2], asked[:, 1:2], facts), out[:, 1:2])


@pytest.mark.parametrize("kind", HEADS)
def test_kinds_ratings_and_people_matter(kind):
    head, (items, asked, facts) = make(kind), question()
    out = ask(head, items, asked, facts)
    for other in (
        Facts(facts.vectors, (facts.kinds + 1) % 4, facts.ratings, facts.known),
        Facts(facts.vectors, facts.kinds, facts.ratings + 1, facts.known),
        Facts(facts.vectors + 1, facts.kinds, facts.ratings, facts.known),
    ):
        changed = (ask(head, items, asked, other) - out).abs().amax((1, 2)) > 1e-4
        assert changed.tolist() == [True, True, False]  # the third is nobody known


def test_nobody_known_has_a_vector_that_learns():
    head, (items, asked, facts) = make("attention"), question()
    head(items, asked, facts)[2].sum().backward()
    assert head.weights.nobody.grad.abs().sum() > 0


def test_without_an_item_the_person_is_asked_about():
    head, (items, asked, facts) = make("attention"), question()
    nothing = torch.zeros_like(asked)
    torch.testing.assert_close(ask(head, items, nothing, facts), ask(head, items + 5, nothing, facts))


def test_together_reads_one_vector():
    head = Head(HeadSettings("feed_forward", "together", 16), DIM, 2)
    items, asked, _ = question()
    assert ask(head, items, asked, None).shape == (N, M, 1)


def test_begins_near_what_is_known_without_reading():
    torch.manual_seed(0)
    head = Head(HeadSettings("linear"), DIM, 2, 1, (3.5,))
    assert (ask(head, *question()) - 3.5).abs().max() < 1


def test_vectors_are_standardised():
    head = Head(HeadSettings("linear"), DIM, 1)
    vectors = 7 + 3 * torch.randn(200, DIM)
    head.standardise(vectors)
    standard = (vectors - head.weights.mean) / head.weights.spread
    torch.testing.assert_close(standard.mean(0), torch.zeros(DIM), atol=1e-5, rtol=0)
    torch.testing.assert_close(standard.std(0, correction=0), torch.ones(DIM))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "deep"}, "head='deep' is not known"),
        ({"reads": "never"}, "reads='never' is not known"),
        ({"hidden": 6}, "hidden=6 is no multiple of 4"),
        ({"kind": "attention", "reads": "together"}, "head='attention' needs texts read apart"),
    ],
)
def test_wrong_settings_are_told(settings, message):
    with pytest.raises(ConfigError, match=message):
        HeadSettings(**settings)
