"""genredag: from music to a report that can be trusted.

    download -> spectrograms -> slices -> split -> embed -> train -> evaluate -> report

Each arrow is one rule, one script in workflow/scripts, one group of params.yaml, and one DVC stage.
Snakemake builds all combinations of `matrix` into data/ and results/; DVC builds one into experiment/.
"""

from snakemake.utils import min_version

min_version("9.10")


configfile: "params.yaml"


include: "workflow/rules/start.smk"
include: "workflow/rules/matrix.smk"


wildcard_constraints:
    dataset="[a-z0-9_]+",
    representation="[a-z0-9_]+",
    model="[a-z0-9_]+",
    split="[a-z0-9_]+",
    fold="(-[0-9]+)?",
    seed="[0-9]+",


report: "workflow/report/workflow.rst"


localrules:
    all,


rule all:
    """The leaderboard and the report of every combination in `matrix`."""
    input:
        "results/leaderboard.csv",
        "results/report.html",


include: "workflow/rules/download.smk"
include: "workflow/rules/spectrograms.smk"
include: "workflow/rules/slices.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/embed.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
# Beside the DAG, when asked for: snakemake leakage_audit, snakemake as_published, snakemake robustness
include: "workflow/rules/audit_split.smk"
include: "workflow/rules/leakage_audit.smk"
include: "workflow/rules/run_study.smk"
include: "workflow/rules/as_published.smk"
include: "workflow/rules/predict_deformed.smk"
include: "workflow/rules/robustness.smk"


# Not in a dry run, when nothing is left to build, or in the jobs of a cluster
onstart:
    if not workflow.touch:
        obtain_weights_of(workflow.dag.needrun_jobs())


onsuccess:
    print(f"The report is ready: {Path('results/report.html').absolute()}")
