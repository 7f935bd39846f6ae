# The workflow is in workflow/Snakefile, where the catalog of Snakemake workflows looks for it.


include: "workflow/Snakefile"


# An included file sets no default target.
workflow.default_target = "all"
