"""The project around the pipeline: Snakemake, DVC, git, and the files derived from others."""
