"""The data sets: one module each, from a name to a manifest by `registry`."""

# The module of each data set, for those who need its name and not its code.
MODULE_NAMES = {
    "synthetic": "genredag.datasets.synthetic",
    "gtzan": "genredag.datasets.gtzan",
    "fma_small": "genredag.datasets.fma",
    "fma_medium": "genredag.datasets.fma",
    "gtzan_fma": "genredag.datasets.gtzan_fma",
    "folder": "genredag.datasets.folder",
    "spectrograms": "genredag.datasets.spectrograms",
}
