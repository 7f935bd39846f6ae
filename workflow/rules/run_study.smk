"""Input: the manifest of a data set.
Output: the predictions of a published study's experiment, by its own protocol or corrected.
"""

from genredag.audits.as_published.studies import OWN_STAGES, study_values
from genredag.audits.as_published.weights import awaited_state
from genredag.project.stages import read_stages, script_command

# Cached: a job gets the same state that Snakemake records, even if a weights file arrives in between.
awaited = cache(awaited_state)
stages = cache(lambda: read_stages(HOME / "dvc.yaml"))
# Snakemake does not compare parameters whose function takes `output`, so the path is formatted here.
STUDY = "results/as_published/{dataset}/{study}/{variant}/{seed}.parquet"


rule run_study:
    """Run the stages of a study in a separate folder. LEAKY if the study was.

    Not cached: missing weights are also a result, and the cache must not restore it. studies.yaml and dvc.yaml
    are not inputs: the parameters hold what a study reads from them, so a reworded `differs` trains nothing.
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
    message:
        "study {wildcards.study}, {wildcards.variant}, on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        f"python {SCRIPTS}/run_study.py --params {PARAMS_FILE}"
        f" --studies {STUDIES_FILE} --stages {HOME}/dvc.yaml"
        " --dataset {wildcards.dataset} --study {wildcards.study} --variant {wildcards.variant}"
        " --seed {wildcards.seed} --manifest {input.manifest} --predictions {output} --awaited '{params.awaited}'"
        " 2>&1 | tee {log}"
