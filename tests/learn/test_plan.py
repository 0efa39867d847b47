import pytest

from warmstart.errors import ConfigError
from warmstart.learn.plan import Plan, plans


def test_a_change_of_the_vectors_alone_needs_no_torch_either():
    assert Plan.parse("dims:8").engine == Plan.parse("layers:2").engine == "onnx"
    assert Plan.parse("static+pca:8").engine == "static"
    assert Plan.parse("binary").engine == ""


def test_forms_share_what_computes_them():
    assert Plan.parse("layers:2+int8+dims:8+binary").body == Plan.parse("layers:2+int8").body
    assert Plan.parse("dims:8").body == Plan.parse("onnx").body != Plan.parse("int8").body


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("int4", "'int4' is not known; known are onnx, int8, static, layers:N"),
        ("dims", "'dims' is not known"),
        ("", "not known"),
        ("dims:big", "'big' is no number; write e.g. dims:128"),
        ("prune:half", "'half' is no number; write e.g. prune:0.5"),
        ("dims:0", "dims=0 is below 1"),
        ("int8+static", "says engine twice"),
        ("dims:8+pca:8", "shortens vectors twice"),
        ("layers:2+prune:0.5", "both drops layers and prunes"),
    ],
)
def test_what_means_nothing_is_refused(text, complaint):
    with pytest.raises(ConfigError, match=complaint):
        Plan.parse(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("dims:384", "dims=384 is not below 384"),
        ("pca:512", "give 1 to 383"),
        ("layers:6", "give 1 to 5"),
        ("prune:1", "prune=1.0"),
    ],
)
def test_what_a_model_does_not_allow_is_refused(text, complaint):
    with pytest.raises(ConfigError, match=complaint):
        Plan.parse(text).check(dim=384, depth=6)


def test_a_list_is_read_once_each():
    assert [p.folder for p in plans("layers:3+int8, ,binary,layers:3+int8")] == ["layers-3+int8", "binary"]
