"""Recipes: how each model is built and trained, the groups under ``models`` in ``params.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from genredag.params.groups.base import Count, Group, Share
from genredag.params.groups.reading import read_group


class Train(Group):
    """What training of every model has in common."""

    precision: Literal["float32", "mixed_bfloat16"] = Field(description="arithmetic of networks")
    threads: Count = Field(description="threads of one training job; part of the result's identity")
    normalisation: Literal["bin", "global", "none"] = Field(
        description="statistics of the training slices used"
    )


class Step(Group):
    """A learning rate that falls every few epochs."""

    kind: Literal["step"]
    factor: Annotated[float, Field(gt=0, lt=1)] = Field(description="what the learning rate is multiplied by")
    epochs: Count = Field(description="epochs between two falls")


class Plateau(Group):
    """A learning rate that falls when the validation loss does not."""

    kind: Literal["plateau"]
    factor: Annotated[float, Field(gt=0, lt=1)] = Field(description="what the learning rate is multiplied by")
    patience: Count = Field(description="epochs without a better validation loss before it falls")
    cooldown: Annotated[int, Field(ge=0)] = Field(
        description="epochs after a fall, the last of which counts for `patience` again"
    )
    floor: Share = Field(description="the learning rate falls no lower")


def _schedule_tag(schedule: Any) -> str:
    kind = schedule.get("kind", "") if isinstance(schedule, dict) else getattr(schedule, "kind", "named")
    return str(kind)


Schedule = Annotated[
    Annotated[Literal["constant", "cosine"], Tag("named")]
    | Annotated[Step, Tag("step")]
    | Annotated[Plateau, Tag("plateau")],
    Discriminator(
        _schedule_tag,
        custom_error_type="schedule",
        custom_error_message="expected constant, cosine, {kind: step, ...} or {kind: plateau, ...}",
    ),
]


Jitter = Annotated[float, Field(gt=0, le=1)]


class Noise(Group):
    """White noise on the spectrogram."""

    kind: Literal["noise"]
    std: Annotated[float, Field(gt=0)] = Field(description="standard deviation, in the frames' unit (dB)")


class Brightness(Group):
    """A random distance from silence."""

    kind: Literal["brightness"]
    share: Jitter = Field(description="largest change, as a share")


class Contrast(Group):
    """A random distance from the slice's mean."""

    kind: Literal["contrast"]
    share: Jitter = Field(description="largest change, as a share")


class Masks(Group):
    """SpecAugment's masks over frames or over bins."""

    kind: Literal["mask_frames", "mask_bins"]
    count: Count = Field(description="masks of a slice")
    width: Count = Field(description="widest mask, in frames or bins")


class Cutout(Group):
    """A silenced rectangle."""

    kind: Literal["cutout"]
    bins: Count = Field(description="its height")
    frames: Count = Field(description="its width")


class DropStripes(Group):
    """Whole bins and whole frames silenced, each drawn alone; some may be drawn twice."""

    kind: Literal["drop_stripes"]
    bins: Count = Field(description="bins drawn")
    frames: Count = Field(description="frames drawn")
    probability: Annotated[float, Field(gt=0, le=1)] = Field(description="share of slices")


class TimeReversal(Group):
    """Slices that run backwards."""

    kind: Literal["time_reversal"]
    probability: Annotated[float, Field(gt=0, le=1)] = Field(description="share of slices")


class Mixup(Group):
    """Blends of two slices and of their genres."""

    kind: Literal["mixup"]
    alpha: Annotated[float, Field(gt=0)] = Field(description="both parameters of the beta distribution")


Augmentation = Annotated[
    Noise | Brightness | Contrast | Masks | Cutout | DropStripes | TimeReversal | Mixup,
    Field(discriminator="kind"),
]


class Pretrained(Group):
    """A network that was trained on pictures, under a new head."""

    architecture: Literal["vgg16", "resnet18", "squeezenet"] = Field(description="which network")
    size: Annotated[int, Field(ge=0)] = Field(
        description="side of the square picture that slices become; 0 keeps their size"
    )
    weights: str | None = Field(
        description="imagenet (the published file, from the user's cache), a file's path, or null: random"
    )
    preprocessing: Literal["imagenet", "none"] = Field(
        description="imagenet makes pixels of slices, as published weights expect"
    )
    frozen_layers: Annotated[int, Field(ge=0)] | Literal["all"] = Field(
        description="layers that are not trained, counted from the input, which counts"
    )
    embed: bool = Field(description="compute the frozen part once for each slice, in the stage `embed`")

    @property
    def has_embedding(self) -> bool:
        """Whether there is a frozen part, to be computed once."""
        return self.embed and self.frozen_layers != 0

    @property
    def weights_path(self) -> Path | None:
        """The user's own file of weights."""
        return None if self.weights in (None, "imagenet") else Path(self.weights)


class Network(Group):
    """A Keras network and its recipe."""

    kind: Literal["network"]
    optimizer: Literal["adam", "sgd", "rmsprop"] = Field(description="Keras optimizer")
    learning_rate: Annotated[float, Field(gt=0, le=10)] = Field(description="its (initial) learning rate")
    schedule: Schedule = Field(description="learning rate over the epochs")
    batch_size: Count = Field(description="slices of a batch")
    epochs: Count = Field(description="most epochs trained")
    patience: Count = Field(description="epochs without a better validation loss before training stops")
    augment: list[Augmentation] = Field(description="changes of training slices, in this order")
    backbone: Pretrained | None = Field(description="what the network stands on, or null")
    options: dict[str, bool | int | float | str | list[int] | None] = Field(
        description="arguments of the builder"
    )


Features = Literal[
    "bin_statistics",
    "features_30",
    "features_42",
    "features_60",
    "features_85",
    "features_87",
    "features_89",
    "features_89_centroid",
    "features_133",
]
Option = bool | int | float | str | None
Options = dict[str, Option | Annotated[list[Option], Field(min_length=1)]]


class Hybrid(Network):
    """A Keras network and its recipe, whose features then go to a scikit-learn classifier."""

    kind: Literal["hybrid"]  # type: ignore[assignment]
    folds: Annotated[int, Field(ge=2)] = Field(description="folds of the search over lists in `classifier`")
    classifier: Options = Field(
        description="arguments of its builder; of a list, cross-validation on the training tracks chooses"
    )


class Estimator(Group):
    """A scikit-learn classifier on features of each slice."""

    kind: Literal["estimator"]
    features: Features | Annotated[list[Features], Field(min_length=1)] = Field(
        description="what it sees: statistics of every bin, or a set of handcrafted ones; of a list, the"
        " first set that can be made of the representation"
    )
    folds: Annotated[int, Field(ge=2)] = Field(description="folds of the search over lists in `options`")
    backbone: None = Field(description="null: networks alone stand on one")
    options: Options = Field(
        description="arguments of the builder; of a list, cross-validation on the training tracks chooses"
    )


Recipe = Network | Hybrid | Estimator


def read_recipe(path: Path, model: str) -> Recipe:
    """Read the recipe of one model from the ``params.yaml`` at `path`.

    Raises
    ------
    ParameterError
        There is no such model, or a value of its recipe can't be used.
    """
    return read_group(path, f"models.{model}", Annotated[Recipe, Field(discriminator="kind")])
