import re

import numpy as np
import pytest

from warmstart.evaluate.curves import curve, page, thinned
from warmstart.learn.run import Run


def make(folder, steps=50, name="a"):
    run = Run.begin(folder / name, "retrieval", {"model": "<tiny>", "training": {"steps": steps}}, "d1")
    for step in range(1, steps + 1):
        run.log(step, {"loss": 1 / step})
        if step % 10 == 0:
            run.log(step, {"valid/ndcg@10": step / 100, "valid/recall@10": step / 50})
    return run


def test_a_page_shows_loss_and_every_validation_figure(tmp_path):
    html = page({"a": make(tmp_path), "<b> $x$": make(tmp_path, 30, "b")})
    assert re.findall(r"<h3>(.*?)</h3>", html) == ["loss", "ndcg@10", "recall@10"]
    assert "<b>" not in html
    assert "&lt;b&gt; $x$" in html
    assert "training.steps" in html
    assert "prefers-color-scheme: dark" in html
    drawn = "".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL))
    assert "var(--s0)" in drawn
    assert "var(--s1)" in drawn
    assert not re.findall(r"#[0-9a-f]{6}", drawn), "a colour that does not follow the page"
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert not re.search(r'(src|href)="(?!#)', html)
    assert "<script" not in html


def test_a_run_without_figures_is_a_page_too(tmp_path):
    html = page({"a": Run.begin(tmp_path, "retrieval", {}, "d1")})
    assert "<svg" not in html
    assert "running" in html


def test_long_lines_are_thinned_without_moving():
    steps = np.arange(1, 10_001)
    x, y = thinned(steps.tolist(), (2.0 * steps).tolist())
    assert len(x) <= 300
    np.testing.assert_allclose(y, 2 * x)
    assert x.mean() == pytest.approx(steps.mean(), rel=0.01)
    assert [len(v) for v in thinned([], [])] == [0, 0]


def test_one_run_needs_no_legend():
    assert "legend" not in curve("loss", {"a": ([1, 2], [1.0, 0.5])})
    assert "legend" in curve("loss", {"a": ([1, 2], [1.0, 0.5]), "_b": ([1], [1.0])})
