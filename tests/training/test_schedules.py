import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genredag.params.groups.models import Network, Plateau, Step
from genredag.training.schedules import learning_rate

PLATEAU = {"kind": "plateau", "factor": 0.5, "patience": 2, "cooldown": 1, "floor": 0.02}
COOLING = PLATEAU | {"cooldown": 3}


def recipe(schedule, rate=0.1, epochs=10):
    values = {
        "size": None,
        "backbone": None,
        "kind": "network",
        "optimizer": "adam",
        "batch_size": 1,
        "patience": 1,
        "augment": [],
        "options": {},
    }
    return Network(**values, schedule=schedule, learning_rate=rate, epochs=epochs)


def rates(schedule, losses, **changes):
    return [learning_rate(recipe(schedule, **changes), losses[:n]) for n in range(len(losses) + 1)]


def test_constant():
    assert rates("constant", [1.0, 2.0]) == [0.1] * 3


def test_cosine_is_half_way_at_half_time():
    assert rates("cosine", [1.0] * 10)[::5] == pytest.approx([0.1, 0.05, 0.0])


def test_step_falls_every_few_epochs():
    schedule = Step(kind="step", factor=0.3, epochs=7)
    assert rates(schedule, [1.0] * 14) == pytest.approx([0.1] * 7 + [0.03] * 7 + [0.009])


def test_plateau_waits_drops_and_cools_down():
    schedule = Plateau(**PLATEAU)
    losses = [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.6, 0.6, 0.6]
    # Two epochs that are no better, a fall; two more, a fall; a better one, then two that are not.
    assert rates(schedule, losses) == [0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.025, 0.02, 0.02]


def test_plateau_agrees_with_keras():
    import keras

    losses = [1.0, 0.9, 0.95, 0.93, 0.91, 0.94, 0.96, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]
    callback = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=3, min_lr=0.02, min_delta=0)
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1))
    callback.set_model(model)
    callback.on_train_begin()
    expected = []
    for epoch, loss in enumerate(losses):
        expected.append(float(model.optimizer.learning_rate))
        callback.on_epoch_end(epoch, {"val_loss": loss})
    assert rates(Plateau(**COOLING), losses)[:-1] == pytest.approx(expected)


@given(st.lists(st.floats(0, 10), max_size=40), st.floats(1e-6, 1.0))
def test_plateau_never_rises_nor_falls_below_the_floor(losses, rate):
    found = rates(Plateau(**PLATEAU), losses, rate=rate)
    assert all(later <= earlier for earlier, later in itertools.pairwise(found))
    assert min(found) >= min(rate, 0.02) and math.isfinite(found[-1])
