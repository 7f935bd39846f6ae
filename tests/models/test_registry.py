import pytest

from genredag.errors import ModelError, ParameterError
from genredag.models import registry
from genredag.params.groups.models import Ensemble, Noise, Pretrained
from recipes import LSTM, SVM


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


def test_pretrained_weights_fit_one_number_of_columns(empty):
    for name, n_columns in (("fixed", 5), ("any", None)):
        register = registry.network(name, paper="P", published_input=(9, 5, 1), n_columns=n_columns)
        register(lambda x, n_classes: x)
        registry.learner(name).check_columns(5)
    registry.learner("any").check_columns(4)
    with pytest.raises(ModelError, match=r"fixed: 4 columns; expected 5\. Hint: choose another layer"):
        registry.learner("fixed").check_columns(4)


NOISE = Noise(kind="noise", std=1.0)
VGG16 = Pretrained(
    architecture="vgg16", size=None, weights=None, preprocessing="none", frozen_layers="all", embed=True
)


@pytest.mark.parametrize(
    ("model", "changes", "refused"),
    [
        ("lstm", {}, False),
        ("mlp_42", {"options": {"dropout": 0.1}}, True),
        ("vgg16_ft", {"options": {"dropout": 0.1}, "backbone": VGG16}, True),
        (
            "vgg16_ft",
            {
                "options": {"dropout": 0.1},
                "backbone": VGG16.model_copy(update={"frozen_layers": 0, "embed": False}),
            },
            False,
        ),
    ],
    ids=["slices", "features", "embedding", "trained backbone"],
)
def test_only_networks_that_see_slices_take_augmentation(model, changes, refused):
    recipe = LSTM.model_copy(update=changes)
    registry.features_seen(model, recipe)
    recipe = recipe.model_copy(update={"augment": [NOISE]})
    if not refused:
        registry.features_seen(model, recipe)
        return
    with pytest.raises(ParameterError, match=rf"models.{model}.augment: .*expected \[\]. Hint: augmentation"):
        registry.features_seen(model, recipe)


@pytest.mark.parametrize(
    ("member", "recipe", "message"),
    [
        ("lstm", LSTM, None),
        (
            "lstm",
            LSTM.model_copy(update={"options": {}}),
            r"members\.lstm\.recipe\.options: 'dropout' is missing",
        ),
        ("lstm_windows", LSTM, r"members: 'lstm_windows'; expected another model"),
        (
            "mlp_42",
            LSTM.model_copy(update={"options": {"dropout": 0.1}}),
            r"members: 'mlp_42'; expected another model",
        ),
        (
            "vgg16_ft",
            LSTM.model_copy(update={"options": {"dropout": 0.1}, "backbone": VGG16}),
            r"members: 'vgg16_ft'; expected another model",
        ),
    ],
    ids=["fits", "wrong options", "whole tracks", "features", "backbone"],
)
def test_members_of_an_ensemble_are_checked(monkeypatch, member, recipe, message):
    monkeypatch.setattr(registry, "_LEARNERS", dict(registry.learners()))
    registry.ensemble("pair", paper="P")(lambda: ("svm_rbf", member))
    members = {
        "svm_rbf": {"copies": 1, "weight": 1.0, "recipe": SVM},
        member: {"copies": 1, "weight": 1.0, "recipe": recipe},
    }
    ensemble = Ensemble(kind="ensemble", backbone=None, members=members)
    if message is None:
        assert registry.features_seen("pair", ensemble) is None
        return
    with pytest.raises(ParameterError, match=rf"models\.pair\.{message}"):
        registry.features_seen("pair", ensemble)
