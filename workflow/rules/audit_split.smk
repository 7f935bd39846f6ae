"""Input: the manifest, frames and slices of a data set.
Output: the test slices and tracks that two cheap models classify correctly, with right and wrong scaling and
selection.
"""


rule audit_split:
    """Repeat the mistakes of published evaluations on purpose, on one split. LEAKY."""
    input:
        manifest=rules.download.output.manifest,
        frames=rules.slices.input.frames,
        frame_index=rules.slices.input.index,
        frame_spec=rules.slices.input.spec,
        slices=rules.slices.output.slices,
        slice_spec=rules.slices.output.spec,
    output:
        "results/leakage_audit/{dataset}/{representation}/{split}/{seed}/LEAKY.parquet",
    log:
        "logs/audit_split/{dataset}/{representation}/{split}/{seed}.log",
    cache: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=memory(4000),
        runtime=240,
    params:
        values=values("audit_split"),
        code=code("audit_split"),
    message:
        "repeat the mistakes of published evaluations: {wildcards.split} of {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        f"python {SCRIPTS}/audit_split.py --params {PARAMS_FILE}"
        " --dataset {wildcards.dataset}"
        " --split-name {wildcards.split} --seed {wildcards.seed}"
        " --manifest {input.manifest} --frames {input.frames} --slices {input.slices} --outcomes {output}"
        " 2>&1 | tee {log}"
