"""Input: the manifest of a data set.
Output: the predictions of a published study's experiment, by its own protocol or corrected.
"""

from genredag.audits.as_published.studies import OWN_STAGES, study_values
from genredag.audits.as_published.weights import awaited_state
from genredag.project.stages import read_stages, script_command

# Asked once: what a job is told is what Snakemake records, even if a file comes in between.
awaited = cache(awaited_state)
stages = cache(lambda: read_stages(HOME / "dvc.yaml"))
# A function of parameters that takes `output` would be none of those that Snakemake compares.
STUDY = "results/as_published/{dataset}/{study}/{variant}/{seed}.parquet"


rule run_study:
    """Run the stages of a study in a folder of its own. LEAKY where the study was.

    Not cached: that weights could not be had is a result too, and must not come back. studies.yaml and dvc.yaml
    are no inputs: what a study takes from them is among its parameters, and a reworded `differs` trains nothing.
    """
    input:
        manifest=rules.download.output.manifest,
    output:
        STUDY,
    log:
        "logs/run_study/{dataset}/{study}/{variant}/{seed}.log",
    wildcard_constraints:
        study="[a-z0-9_]+",
        variant="as_published|corrected",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=memory(6000),
        runtime=720,
    params:
        values=lambda wildcards: study_values(PARAMS, STUDIES_FILE, **wildcards),
        awaited=lambda wildcards: awaited(STUDY.format(**wildcards)),
        code=study_code,
        commands=lambda wildcards: [
            script_command(stages()[stage]) for stage in OWN_STAGES
        ],
    shell:
        f"python {SCRIPTS}/run_study.py --params {PARAMS_FILE}"
        f" --studies {STUDIES_FILE} --stages {HOME}/dvc.yaml"
        " --dataset {wildcards.dataset} --study {wildcards.study} --variant {wildcards.variant}"
        " --seed {wildcards.seed} --manifest {input.manifest} --predictions {output} --awaited '{params.awaited}'"
        " 2>&1 | tee {log}"
