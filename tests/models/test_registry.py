import pytest

from genredag.errors import ModelError, ParameterError
from genredag.models import registry
from genredag.params.groups.models import Pretrained


@pytest.fixture
def empty(monkeypatch):
    registry.learners()
    monkeypatch.setattr(registry, "_LEARNERS", {})


def test_a_decorated_function_is_a_learner(empty):
    @registry.network("tiny", paper="P", published=".5", published_input=(1, 2, 3))
    def tiny(x, n_classes, *, units, dropout):
        return x

    @registry.estimator("forest", paper="P")
    def forest(*, depth, seed):
        return depth

    assert list(registry.learners()) == ["forest", "tiny"]
    found = registry.learner("tiny")
    assert (found.kind, found.build, found.options) == ("network", tiny, ["units", "dropout"])
    assert (found.paper, found.published, found.published_input) == ("P", ".5", (1, 2, 3))
    assert registry.learner("forest").options == ["depth"]


@pytest.mark.parametrize(
    ("smallest", "options", "bins", "frames"),
    [
        ((4, 3), {}, 4, 3),
        (lambda height, **_: (height, 1), {"height": 5, "dropout": 0.5}, 5, 1),
    ],
)
def test_smaller_slices_are_refused(empty, smallest, options, bins, frames):
    register = registry.network("tiny", paper="P", published_input=(9, 9, 1), smallest=smallest)
    register(lambda x, n_classes: x)
    tiny = registry.learner("tiny")
    tiny.check_size(bins, frames, options)
    for size in ((bins - 1, frames), (bins, frames - 1)):
        with pytest.raises(ModelError, match=f"expected at least {bins} bins x {frames} frames"):
            tiny.check_size(*size, options)


def test_duplicate_names_are_refused(empty):
    registry.estimator("forest", paper="P")(lambda *, seed: None)
    with pytest.raises(ModelError, match="'forest' is registered twice"):
        registry.estimator("forest", paper="P")(lambda *, seed: None)


def test_discovers_the_modules_of_the_package():
    assert {"svm_rbf", "cnn_370k", "lstm", "crnn"} <= registry.learners().keys()


def test_unknown_names_get_a_hint():
    with pytest.raises(ParameterError, match=r"'crn' has no builder\. Hint: did you mean 'crnn'\?"):
        registry.learner("crn")
    with pytest.raises(ParameterError, match=r"Hint: one of .*crnn"):
        registry.learner("zzz")


def test_a_network_accepts_only_the_backbones_that_it_lists(empty):
    register = registry.network(
        "tiny", paper="P", published_input=(9, 9, 3), backbones=("vgg16", "squeezenet")
    )
    register(lambda x, n_classes: x)
    values = {"size": None, "weights": None, "preprocessing": "none", "frozen_layers": 0, "embed": False}
    for architecture in ("vgg16", "squeezenet"):
        registry.check_backbone("tiny", Pretrained(architecture=architecture, **values))
    with pytest.raises(ParameterError, match=r"architecture: 'resnet18'; expected 'vgg16' or 'squeezenet'$"):
        registry.check_backbone("tiny", Pretrained(architecture="resnet18", **values))


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("estimator", {"units": 1, "dropout": 0.5}, r"models\.lstm: kind = 'estimator'; expected 'network'"),
        (
            "network",
            {"units": 1},
            r"models\.lstm\.options: 'dropout' is missing; expected the options units, dropout",
        ),
        ("network", {"units": 1, "dropout": 0.5, "unit": 1}, r"models\.lstm\.options: 'unit' is unknown"),
    ],
)
def test_options_must_match_the_builder(kind, options, message):
    with pytest.raises(ParameterError, match=message):
        registry.check_options("lstm", kind, options)
