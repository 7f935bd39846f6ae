"""What a trial says about a change: a drop, no difference that could be seen, or nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genredag.evaluation.intervals import Interval, accuracy_interval, cluster_names, difference_interval
from genredag.project.check_params.trial import Trial

if TYPE_CHECKING:
    import pandas as pd

N_RESAMPLES = 2000
# A model has learned something if its accuracy is surely above chance by this factor.
LEARNED = 1.5
TRACK = ["seed", "track_id"]


@dataclass(frozen=True)
class Verdict:
    """Accuracy of one model on test tracks, before and after a change.

    Attributes
    ----------
    change
        Accuracy after minus accuracy before, with its interval; NaN bounds if nothing can be said.
    learns
        Whether the model learned anything before the change.
    """

    model: str
    n_seeds: int
    before: float
    after: float
    change: Interval
    learns: bool

    def is_drop(self, tolerance: float) -> bool:
        """Return whether accuracy dropped by more than `tolerance`, and not by chance."""
        return self.learns and self.change.high < 0 and -self.change.estimate > tolerance

    def words(self, tolerance: float) -> str:
        """Return what the trial showed, in words."""
        if not self.learns:
            return "does not learn on so little data, which shows nothing"
        if math.isnan(self.change.low):
            return "takes too long to train with a second seed, which shows nothing"
        if self.is_drop(tolerance):
            return "drops"
        if self.change.high < 0 or self.change.low > 0:
            return "within the tolerance" if self.change.high < 0 else "rises"
        points = math.ceil(100 * (self.change.estimate - self.change.low))
        return f"no difference seen, but a drop under {points} points could be missed"


def verdicts(before: Trial, after: Trial) -> list[Verdict]:
    """Compare the tracks that both sides of a trial tested with the same model and seed."""
    import pandas as pd

    found = []
    for model in dict.fromkeys(name for name, _ in before.tracks):
        runs = [run for run in before.tracks if run[0] == model and run in after.tracks]
        if not runs:
            continue
        sides = [
            pd.concat([_tested(trial.tracks[run]).assign(seed=run[1]) for run in runs])
            for trial in (before, after)
        ]
        found.append(_verdict(model, len(runs), *sides))
    return found


def _tested(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return whether each test track was predicted correctly."""
    test = tracks[tracks["part"] == "test"]
    return test[["track_id", "artist", "genre"]].assign(correct=test["genre"] == test["predicted"])


def _verdict(model: str, n_seeds: int, before: pd.DataFrame, after: pd.DataFrame) -> Verdict:
    """Compare the same test tracks, or if the change gave other ones, all of them as far as they overlap."""
    both = before.merge(after[[*TRACK, "correct"]], on=TRACK, suffixes=("_before", "_after"))
    learned = accuracy_interval(
        before["correct"].to_numpy(), cluster_names(before), n_resamples=N_RESAMPLES, seed=0
    )
    chance = 1 / before["genre"].nunique()
    change = Interval(math.nan, math.nan, math.nan)
    if len(both):
        change = difference_interval(
            both["correct_after"].to_numpy(),
            both["correct_before"].to_numpy(),
            cluster_names(both),
            both["track_id"].to_numpy(),
            both["seed"].to_numpy(),
            n_resamples=N_RESAMPLES,
            seed=0,
        )
    if n_seeds < 2:  # A single training shows nothing of its luck.
        change = Interval(change.estimate, math.nan, math.nan)
    means = float(before["correct"].mean()), float(after["correct"].mean())
    return Verdict(model, n_seeds, *means, change, learned.low > LEARNED * chance)
