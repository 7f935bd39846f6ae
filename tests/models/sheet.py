"""Every network as its source has it, layer by layer; `test_sheet.py` compares ours with it.

Written down from papers and repositories, never from our code. What a source leaves open is marked "ours".
A layer a line, in the order of the data, bins x frames:

    conv 32 @ 12x8, valid, relu     filters, kernel, padding, activation (linear if none); "stride 2" if not 1
    max-pool 4x1                    strides are the pool's size
    batch norm .1                   Keras's momentum, the weight of the past
    dense 200, relu
    lstm 128, sequence              its output at every step; "last" is the last step alone
    sequence 16 x 128               frames become steps, bins and channels their features

A line may be indented below "branch": branches start where the line before them ends. A ReLU after a
max-pool is the ReLU before it. Dropout of 0 and inputs are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sheet:
    """A network as its source has it, for ten genres.

    Attributes
    ----------
    shape
        Its input: bins, frames, channels.
    layers
        A layer a line.
    options
        What differs from the recipe in params.yaml, ``<id>_published`` if there is one.
    """

    id: str
    shape: tuple[int, int, int]
    layers: str
    options: dict[str, int | float | str] = field(default_factory=dict)

    def __str__(self) -> str:
        changes = [f"{option}={value}" for option, value in self.options.items()]
        return " ".join([self.id, "x".join(map(str, self.shape)), *changes])

    @property
    def lines(self) -> list[str]:
        """The layers, without what only serves reading."""
        lines = [line.split("#")[0].rstrip() for line in self.layers.splitlines()]
        indent = min(len(line) - len(line.lstrip()) for line in lines if line)
        return [line[indent:] for line in lines if line]


PONS = [
    Sheet(
        "black_box",
        (40, 80, 1),
        """
        conv 32 @ 12x8, valid, relu
        max-pool 4x1
        flatten
        dropout .5
        dense 200, relu
        dropout .5
        dense 10, softmax
        """,
    ),
    Sheet(  # Intelligent-Systems-MSc leaves the dropouts out
        "black_box",
        (120, 200, 3),
        """
        conv 32 @ 12x8, valid, relu
        max-pool 4x1
        flatten
        dense 200, relu
        dense 10, softmax
        """,
        {"dropout": 0.0},
    ),
    Sheet(
        "time",
        (40, 80, 1),
        """
        conv 32 @ 1x60, valid, relu
        max-pool 40x1
        flatten
        dropout .5
        dense 10, softmax
        """,
    ),
    Sheet(  # Intelligent-Systems-MSc, notebook
        "time",
        (217, 334, 3),
        """
        conv 32 @ 1x8, valid, relu
        max-pool 217x1
        flatten
        dropout .5
        dense 10, softmax
        """,
        {"filter_frames": 8},
    ),
    Sheet(  # Intelligent-Systems-MSc, script; its pool of 40 x 1 was meant for the whole height
        "time",
        (120, 200, 3),
        """
        conv 32 @ 1x4, valid, relu
        max-pool 120x1
        flatten
        dense 10, softmax
        """,
        {"filter_frames": 4, "dropout": 0.0},
    ),
    Sheet(
        "frequency",
        (40, 80, 1),
        """
        conv 32 @ 32x1, valid, relu
        max-pool 1x80
        flatten
        dropout .5
        dense 10, softmax
        """,
    ),
    Sheet(  # Intelligent-Systems-MSc, notebook
        "frequency",
        (217, 334, 3),
        """
        conv 32 @ 4x1, valid, relu
        max-pool 1x334
        flatten
        dense 10, softmax
        """,
        {"filter_bins": 4, "dropout": 0.0},
    ),
    Sheet(  # Intelligent-Systems-MSc, script
        "frequency",
        (120, 200, 3),
        """
        conv 32 @ 60x1, valid, relu
        max-pool 1x200
        flatten
        dense 10, softmax
        """,
        {"filter_bins": 60, "dropout": 0.0},
    ),
    Sheet(  # the text of Intelligent-Systems-MSc has a sigmoid, its code the softmax above
        "time",
        (40, 80, 1),
        """
        conv 32 @ 1x60, valid, relu
        max-pool 40x1
        flatten
        dropout .5
        dense 10, sigmoid
        share of the sum
        """,
        {"output": "sigmoid"},
    ),
    Sheet(
        "frequency",
        (40, 80, 1),
        """
        conv 32 @ 32x1, valid, relu
        max-pool 1x80
        flatten
        dropout .5
        dense 10, sigmoid
        share of the sum
        """,
        {"output": "sigmoid"},
    ),
    *(
        Sheet(
            name,
            (40, 80, 1),
            """
            branch
              conv 32 @ 1x60, valid, relu
              max-pool 40x1
              flatten
            branch
              conv 32 @ 32x1, valid, relu
              max-pool 1x80
              flatten
            concatenate
            dropout .5
            dense 200, relu
            dropout .5
            dense 10, softmax
            """,
        )
        for name in ("time_frequency", "time_frequency_init")
    ),
]

SCHINDLER = [
    Sheet(
        "lidy_shallow",
        (80, 80, 1),
        """
        branch
          conv 16 @ 10x23, same, relu
          max-pool 1x20
          flatten
        branch
          conv 16 @ 21x20, same, relu
          max-pool 20x1
          flatten
        concatenate
        dense 200, linear
        leaky relu .3
        dropout .1
        dense 10, softmax
        """,
    ),
    Sheet(
        "schindler_deep",
        (80, 80, 1),
        """
        branch
          conv 16 @ 10x23, same, relu
          max-pool 2x2
          conv 32 @ 5x11, same, relu
          max-pool 2x2
          conv 64 @ 3x5, same, relu
          max-pool 2x2
          conv 128 @ 2x4, same, relu
          max-pool 1x5
          flatten
        branch
          conv 16 @ 21x20, same, relu
          max-pool 2x2
          conv 32 @ 10x5, same, relu
          max-pool 2x2
          conv 64 @ 5x3, same, relu
          max-pool 2x2
          conv 128 @ 4x2, same, relu
          max-pool 5x1
          flatten
        concatenate
        dense 200, linear
        leaky relu .3
        dropout .25
        dense 10, softmax
        """,
    ),
]

# Intelligent-Systems-MSc
INTELLIGENT = [
    Sheet(
        "cnn_2layers",
        (224, 224, 3),
        """
        conv 64 @ 3x3, valid, relu
        max-pool 2x2
        conv 32 @ 3x3, valid, relu
        max-pool 2x2
        flatten
        dense 256, relu
        dropout .5
        dense 124, relu
        dense 10, softmax
        """,
    ),
    Sheet(
        "cnn_3layers",
        (217, 334, 3),
        """
        conv 64 @ 3x3, valid, relu
        max-pool 2x2
        conv 32 @ 5x5, valid, relu
        max-pool 3x3
        conv 32 @ 3x3, stride 2, valid, relu
        max-pool 2x2
        flatten
        dense 256, relu
        dropout .2
        dense 124, relu
        dense 10, softmax
        """,
    ),
]


def _mlp(name: str, hidden: str, dropout: float) -> Sheet:
    """Return one of ML_Python's networks: `hidden` are units with r for ReLU and l for linear."""
    activation, n_features = {"r": "relu", "l": "linear"}, int(name.split("_")[1])
    after = [f"dropout {dropout}".replace("0.", ".")] if dropout else []
    dense = [[f"dense {layer[:-1]}, {activation[layer[-1]]}", *after] for layer in hidden.split()]
    lines = ["flatten", *(line for layer in dense for line in layer), "dense 10, softmax"]
    return Sheet(name, (n_features, 1, 1), "\n".join(lines), {"dropout": dropout})


MLP = [
    _mlp(name, hidden, dropout)
    for dropout in (0.0, 0.1)  # the source has none
    for name, hidden in {
        "mlp_30": "30r 25r 20l 15l",
        "mlp_42": "42r 35l 24r 15l",
        "mlp_60": "60r 50l 40l 30r 20l",
        "mlp_85": "85r 75r 65l 55r 45l 35r 25r",
        "mlp_87": "87r 75r 65l 55r 45l 35r 25r",
        "mlp_89": "89r 79r 69l 59r 49l 39r 29r",
        "mlp_89_centroid": "89r 79r 69l 59r 49l 39r 29r",
    }.items()
]

# GTZAN+FMA: the source has five convolutions, 370 K weights, LSTM 128, dropout .5 and the dense 150, 100, 50;
# filters, pools and the dense layers of cnn_370k are ours.
GTZAN_FMA = [
    Sheet(
        "cnn_370k",
        (128, 129, 1),
        """
        conv 32 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        conv 64 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        conv 64 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        conv 64 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        conv 128 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        flatten
        dense 96, relu
        dense 64, relu
        dense 10, softmax
        """,
    ),
    Sheet(
        "lstm",
        (128, 130, 1),
        """
        sequence 130 x 128
        lstm 128, sequence
        dropout .5
        flatten
        dense 150, relu
        dense 100, relu
        dense 50, relu
        dense 10, softmax
        """,
    ),
    Sheet(
        "crnn",
        (128, 130, 1),
        """
        conv 32 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        conv 64 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        conv 64 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        conv 64 @ 3x3, same, relu
        max-pool 4x1
        dropout .25
        conv 128 @ 3x3, same, relu
        max-pool 4x1
        dropout .25
        sequence 16 x 128
        lstm 128, last
        dropout .5
        dense 150, relu
        dense 100, relu
        dense 50, relu
        dense 10, softmax
        """,
        {"dropout": 0.25},
    ),
    Sheet(  # ours: each window is the means and deviations of its bins
        "lstm_windows",
        (128, 130, 1),
        """
        branch
          mean over frames
        branch
          deviation over frames
        concatenate bins
        sequence -1 x 256
        lstm 128, sequence
        dropout .5
        dense 150, relu
        dense 100, relu
        dense 50, relu
        dense 10, softmax
        """,
    ),
    Sheet(  # ours: crnn's convolutions on each window
        "crnn_windows",
        (128, 130, 1),
        """
        conv 32 @ 1x3x3, same, relu
        max-pool 1x2x2
        dropout .25
        conv 64 @ 1x3x3, same, relu
        max-pool 1x2x2
        dropout .25
        conv 64 @ 1x3x3, same, relu
        max-pool 1x2x2
        dropout .25
        conv 64 @ 1x3x3, same, relu
        max-pool 1x4x1
        dropout .25
        conv 128 @ 1x3x3, same, relu
        max-pool 1x4x1
        dropout .25
        mean over bins and frames
        lstm 128, sequence
        dropout .5
        dense 150, relu
        dense 100, relu
        dense 50, relu
        dense 10, softmax
        """,
        {"dropout": 0.25},
    ),
]

GTZAN_KERAS = [
    Sheet(
        "cnn2d_2018",
        (128, 129, 1),
        """
        conv 16 @ 3x3, valid, relu
        max-pool 2x2
        dropout .25
        conv 32 @ 3x3, valid, relu
        max-pool 2x2
        dropout .25
        conv 64 @ 3x3, valid, relu
        max-pool 2x2
        dropout .25
        conv 128 @ 3x3, valid, relu
        max-pool 2x2
        dropout .25
        conv 64 @ 3x3, valid, relu
        max-pool 4x4
        dropout .25
        flatten
        dense 10, softmax
        """,
    ),
    Sheet(
        "cnn_2020",
        (128, 129, 1),
        """
        conv 16 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        conv 32 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        conv 64 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        conv 128 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        conv 256 @ 3x3, same, relu
        max-pool 2x2
        dropout .25
        flatten
        dropout .5
        dense 512, relu, L2 .02
        dropout .25
        dense 10, softmax, L2 .02
        """,
    ),
]


def _homebrew(name: str, stages: list[tuple[int, int, str]], units: int) -> Sheet:
    """Return ATML19's network: filters, their height and the pool of each stage."""
    lines = ["resize to 216x216"]
    for filters, height, pool in stages:
        lines += [f"conv {filters} @ {height}x1, valid, linear", "batch norm .1", "leaky relu .2"]
        lines += [f"max-pool {pool}", "dropout .5"]
    lines.append("flatten")
    for width in (364, units):
        lines += [f"dense {width}, linear", "leaky relu .2", "dropout .5"]
    lines.append("dense 10, softmax")
    return Sheet(name, (216, 216, 1), "\n".join(lines), {"units": units})


HOMEBREW_STAGES = [(128, 5, "2x2"), (64, 5, "2x2"), (64, 4, "2x2"), (64, 5, "2x1")]
HOMEBREW = [
    _homebrew("homebrew", HOMEBREW_STAGES, 192),  # its code
    _homebrew("homebrew", HOMEBREW_STAGES, 182),  # its text
    _homebrew("homebrew_deeper", [*HOMEBREW_STAGES, (64, 3, "2x1")], 192),  # the fifth convolution is ours
]


def _vgg16(first_trained: str) -> str:
    """Return the convolutions of VGG16, frozen before the first layer called `first_trained`."""
    frozen, lines = ", frozen", []
    for block, (filters, n_convolutions) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), 1):
        for convolution in range(1, n_convolutions + 1):
            frozen = "" if f"block{block}_conv{convolution}" == first_trained else frozen
            lines.append(f"conv {filters} @ 3x3, same, relu{frozen}")
        lines.append("max-pool 2x2")
    return "\n".join(lines)


def _vgg16_ft(name: str) -> Sheet:
    head = "\nflatten\ndense 512, relu\ndropout .5\ndense 128, elu\ndense 10, softmax"
    return Sheet(name, (217, 334, 3), _vgg16("block4_conv1") + head)  # the last eight layers, pools included


def _resnet18(frozen: str) -> str:
    """Return ResNet-18 with pre-activation, the variant of the weights that there are for Keras."""

    def norm(scale: str = "") -> str:
        return f"batch norm .9{scale}{frozen}"

    def unit(filters: int, stride: str, *, project: bool) -> list[str]:
        activated = [norm(), "relu"]
        shortcut = [f"  conv {filters} @ 1x1{stride}, valid, linear, no bias{frozen}"] if project else []
        main = [
            "pad 1",
            f"conv {filters} @ 3x3{stride}, valid, linear, no bias{frozen}",
            norm(),
            "relu",
            "pad 1",
            f"conv {filters} @ 3x3, valid, linear, no bias{frozen}",
        ]
        if project:
            return [*activated, "branch", *("  " + line for line in main), "branch", *shortcut, "add"]
        return ["branch", *("  " + line for line in activated + main), "branch", "add"]

    lines = [
        "pixels",
        norm(", no scale"),
        "pad 3",
        f"conv 64 @ 7x7, stride 2, valid, linear, no bias{frozen}",
    ]
    lines += [norm(), "relu", "pad 1", "max-pool 3x3, stride 2"]
    for filters in (64, 128, 256, 512):
        lines += unit(filters, "" if filters == 64 else ", stride 2", project=True)
        lines += unit(filters, "", project=False)
    return "\n".join([*lines, norm(), "relu", "mean over the map", "dense 10, softmax"])


def _squeezenet(frozen: str) -> str:
    """Return SqueezeNet 1.1 without its classifier; no source of ours uses it for genres."""

    def fire(squeeze: int, expand: int) -> list[str]:
        return [
            f"conv {squeeze} @ 1x1, same, relu{frozen}",
            "branch",
            f"  conv {expand} @ 1x1, same, relu{frozen}",
            "branch",
            f"  conv {expand} @ 3x3, same, relu{frozen}",
            "concatenate",
        ]

    pool = ["max-pool 3x3, stride 2"]
    lines = ["pixels", f"conv 64 @ 3x3, stride 2, valid, relu{frozen}", *pool, *fire(16, 64), *fire(16, 64)]
    lines += [*pool, *fire(32, 128), *fire(32, 128), *pool, *fire(48, 192), *fire(48, 192)]
    lines += [*fire(64, 256), *fire(64, 256), "mean over the map", "dropout .5", "dense 10, softmax"]
    return "\n".join(lines)


TRANSFER = [
    _vgg16_ft("vgg16_ft"),
    _vgg16_ft("vgg16_svm"),
    Sheet(
        "vgg16_gtzan",
        (128, 129, 3),
        _vgg16("block2_conv2") + "\nflatten\ndense 256, relu\ndropout .5\ndense 10, softmax",
    ),
    Sheet("resnet18_frozen", (216, 216, 3), "resize to 216x216\n" + _resnet18(", frozen")),
    Sheet("resnet18_ft", (216, 216, 3), "resize to 216x216\n" + _resnet18("")),
    Sheet("squeezenet_frozen", (227, 227, 3), _squeezenet(", frozen")),
    Sheet("squeezenet_ft", (227, 227, 3), _squeezenet("")),
]

SHEETS = [*PONS, *SCHINDLER, *INTELLIGENT, *MLP, *GTZAN_FMA, *GTZAN_KERAS, *HOMEBREW, *TRANSFER]
