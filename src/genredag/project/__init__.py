"""Tools for the project around the pipeline: Snakemake, DVC, git and generated files."""
