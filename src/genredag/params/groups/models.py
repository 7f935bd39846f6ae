"""Recipes: how each model is built and trained, the groups under ``models`` in ``params.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from genredag.params.groups.base import Count, Group, Name, Share, Size
from genredag.params.groups.reading import read_group


class Train(Group):
    """Training parameters that all models share."""

    precision: Literal["float32", "mixed_bfloat16", "auto"] = Field(
        description="arithmetic precision of networks; `auto`: bfloat16 where the processor multiplies in it"
    )
    threads: Count = Field(description="threads of one training job; the result depends on them")
    normalisation: Literal["bin", "global", "none"] = Field(
        description="statistics of the training slices by which inputs are normalised"
    )


class Step(Group):
    """A learning rate that drops every few epochs."""

    kind: Literal["step"]
    factor: Annotated[float, Field(gt=0, lt=1)] = Field(description="factor of the learning rate at a drop")
    epochs: Count = Field(description="epochs between two drops")


class Plateau(Group):
    """A learning rate that drops when the validation loss stops improving."""

    kind: Literal["plateau"]
    factor: Annotated[float, Field(gt=0, lt=1)] = Field(description="factor of the learning rate at a drop")
    patience: Count = Field(description="epochs without a better validation loss before a drop")
    cooldown: Annotated[int, Field(ge=0)] = Field(
        description="epochs after a drop that do not count for `patience`, except the last"
    )
    floor: Share = Field(description="lower bound of the learning rate")


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
    """Random scaling of the distance from silence."""

    kind: Literal["brightness"]
    share: Jitter = Field(description="largest relative change")


class Contrast(Group):
    """Random scaling of the distance from the slice's mean."""

    kind: Literal["contrast"]
    share: Jitter = Field(description="largest relative change")


class Equalisation(Group):
    """Random gain and tilt of the spectrum."""

    kind: Literal["equalisation"]
    gain: Annotated[float, Field(ge=0)] = Field(
        description="standard deviation of the gain, as a share of the slice's own standard deviation"
    )
    tilt: Annotated[float, Field(ge=0)] = Field(
        description="the same, of what is added to the highest bin and taken from the lowest"
    )


class Masks(Group):
    """SpecAugment's masks over frames or over bins."""

    kind: Literal["mask_frames", "mask_bins"]
    count: Count = Field(description="masks per slice")
    width: Count = Field(description="widest mask, in frames or bins")


class Cutout(Group):
    """A silenced rectangle."""

    kind: Literal["cutout"]
    bins: Count = Field(description="height, in bins")
    frames: Count = Field(description="width, in frames")


class DropStripes(Group):
    """Silenced bins and frames, drawn one by one with replacement."""

    kind: Literal["drop_stripes"]
    bins: Count = Field(description="bins drawn")
    frames: Count = Field(description="frames drawn")
    probability: Annotated[float, Field(gt=0, le=1)] = Field(description="share of slices that change")


class TimeReversal(Group):
    """Slices reversed in time."""

    kind: Literal["time_reversal"]
    probability: Annotated[float, Field(gt=0, le=1)] = Field(description="share of slices that change")


class Mixup(Group):
    """Blends of two slices and of their genres."""

    kind: Literal["mixup"]
    alpha: Annotated[float, Field(gt=0)] = Field(description="both parameters of the beta distribution")


Augmentation = Annotated[
    Noise | Brightness | Contrast | Equalisation | Masks | Cutout | DropStripes | TimeReversal | Mixup,
    Field(discriminator="kind"),
]


class Pretrained(Group):
    """A network pretrained on images, with a new head."""

    architecture: Literal["vgg16", "resnet18", "squeezenet"] = Field(
        description="architecture of the backbone"
    )
    size: Size | None = Field(
        description="[height, width] in pixels that slices are resized to; null keeps their size"
    )
    weights: str | None = Field(
        description="imagenet (the published file, from the user's cache), a file's path, or null (random)"
    )
    preprocessing: Literal["imagenet", "none"] = Field(
        description="imagenet converts slices to pixels, as published weights expect"
    )
    frozen_layers: Annotated[int, Field(ge=0)] | Literal["all"] = Field(
        description="layers that are not trained, counted from the input layer, which is included"
    )
    embed: bool = Field(description="compute the frozen part once per slice, in the stage `embed`")

    @property
    def has_embedding(self) -> bool:
        """Whether there is a frozen part that is computed once."""
        return self.embed and self.frozen_layers != 0

    @property
    def weights_path(self) -> Path | None:
        """The user's own weights file, if any."""
        return None if self.weights in (None, "imagenet") else Path(self.weights)


class Network(Group):
    """A Keras network and its recipe."""

    kind: Literal["network"]
    optimizer: Literal["adam", "sgd", "rmsprop"] = Field(description="Keras optimizer")
    learning_rate: Annotated[float, Field(gt=0, le=10)] = Field(description="(initial) learning rate")
    schedule: Schedule = Field(description="learning rate over the epochs")
    batch_size: Count = Field(description="slices per batch")
    epochs: Count = Field(description="maximum number of epochs")
    patience: Count = Field(description="epochs without a better validation loss before training stops")
    augment: list[Augmentation] = Field(description="augmentation of training slices, applied in this order")
    size: Size | None = Field(
        description="[height, width] in bins and frames that slices are resized to; null keeps their size"
    )
    backbone: Pretrained | None = Field(description="pretrained backbone, or null")
    options: dict[str, bool | int | float | str | list[int] | None] = Field(
        description="arguments of the model's builder"
    )


# The keys of `genredag.frames.features.FEATURE_SETS`.
HandcraftedFeatures = Literal[
    "features_30",
    "features_42",
    "features_60",
    "features_85",
    "features_87",
    "features_89",
    "features_89_centroid",
    "features_133",
]
Features = Literal["bin_means", "bin_statistics", "textures", "patches", HandcraftedFeatures]
Option = bool | int | float | str | None
Options = dict[str, Option | Annotated[list[Option], Field(min_length=1)]]


class Hybrid(Network):
    """A Keras network and its recipe, with a scikit-learn classifier on the network's features."""

    kind: Literal["hybrid"]  # type: ignore[assignment]
    folds: Annotated[int, Field(ge=2)] = Field(description="folds of the search over lists in `classifier`")
    classifier: Options = Field(
        description="arguments of its builder; cross-validation on training tracks selects from each list"
    )


class Estimator(Group):
    """A scikit-learn classifier on features of each slice."""

    kind: Literal["estimator"]
    features: Features | Annotated[list[Features], Field(min_length=1)] = Field(
        description="its input: means or statistics of every bin, textures or patches of a spectrogram, or a"
        " set of handcrafted features; from a list, the first set that the representation supports"
    )
    folds: Annotated[int, Field(ge=2)] = Field(description="folds of the search over lists in `options`")
    backbone: None = Field(description="always null: only networks have a backbone")
    options: Options = Field(
        description="arguments of the builder; cross-validation on training tracks selects from each list"
    )


Single = Annotated[Network | Hybrid | Estimator, Field(discriminator="kind")]


class Member(Group):
    """A model of an ensemble."""

    copies: Count = Field(description="how often it is trained, each time with another seed")
    weight: Annotated[float, Field(ge=0.001, le=1000)] = Field(
        description="exponent of its probabilities in the product, shared by its copies; only ratios matter"
    )
    recipe: Single = Field(description="its recipe")


class Ensemble(Group):
    """Several models whose probabilities are multiplied."""

    kind: Literal["ensemble"]
    backbone: None = Field(description="always null: only networks have a backbone")
    members: Annotated[dict[Name, Member], Field(min_length=1)] = Field(
        description="the models that its builder names"
    )

    @property
    def options(self) -> dict[str, Option]:
        """None: only members have options."""
        return {}


Recipe = Network | Hybrid | Estimator | Ensemble


def read_recipe(path: Path, model: str) -> Recipe:
    """Read the recipe of one model from the ``params.yaml`` at `path`.

    Raises
    ------
    ParameterError
        There is no such model, or a value of its recipe can't be used.
    """
    return read_group(path, f"models.{model}", Annotated[Recipe, Field(discriminator="kind")])
