"""The data sets, one module each; `registry` builds a manifest from a name."""

# The module of each data set, for callers that need its name without importing it.
MODULE_NAMES = {
    "synthetic": "genredag.datasets.synthetic",
    "gtzan": "genredag.datasets.gtzan",
    "fma_small": "genredag.datasets.fma",
    "fma_medium": "genredag.datasets.fma",
    "gtzan_fma": "genredag.datasets.gtzan_fma",
    "folder": "genredag.datasets.folder",
    "spectrograms": "genredag.datasets.spectrograms",
}
