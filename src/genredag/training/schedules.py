"""Learning rates over the epochs, as functions of the validation losses so far."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genredag.params.groups.models import Network, Plateau, Step


def learning_rate(recipe: Network, val_losses: Sequence[float]) -> float:
    """Return the learning rate of the epoch after those of `val_losses`.

    ``cosine`` falls from the initial rate towards 0 after the last epoch (Loshchilov & Hutter 2017).
    """
    epoch, rate, schedule = len(val_losses), recipe.learning_rate, recipe.schedule
    if schedule == "cosine":
        return rate * (1 + math.cos(math.pi * epoch / recipe.epochs)) / 2
    if isinstance(schedule, Step):
        return rate * schedule.factor ** (epoch // schedule.epochs)
    if isinstance(schedule, Plateau):
        return _after_plateaus(rate, schedule, val_losses)
    return rate


def _after_plateaus(rate: float, schedule: Plateau, losses: Sequence[float]) -> float:
    """Lower the rate like Keras's ReduceLROnPlateau: the last epoch of a cooldown already counts as
    waiting.
    """
    best, waited, cooling = math.inf, 0, 0
    for loss in losses:
        cooling = max(cooling - 1, 0)
        waited = 0 if cooling or loss < best else waited + 1
        best = min(best, loss)
        if waited == schedule.patience:
            # A rate that starts below the floor stays unchanged.
            rate = min(rate, max(rate * schedule.factor, schedule.floor))
            waited, cooling = 0, schedule.cooldown
    return rate
