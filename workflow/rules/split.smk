"""Input: the manifest, the slices, and the frames they are cut from.
Output: the part (train, validation or test) of every slice, checked for leakage; near-duplicates
in different parts.
"""


rule split:
    """Split the tracks into training, validation and test by a protocol."""
    input:
        manifest=rules.download.output.manifest,
        frames=rules.slices.input.frames,
        frame_index=rules.slices.input.index,
        frame_spec=rules.slices.input.spec,
        slices=rules.slices.output.slices,
    output:
        split=f"{SPLIT}/split.parquet",
        near_duplicates=f"{SPLIT}/near_duplicates.csv",
    log:
        "logs/split/{dataset}/{representation}/{split}{fold}/{seed}.log",
    cache: True
    priority: DATA_FIRST
    conda:
        ENVIRONMENT
    resources:
        mem_mb=memory(3000),
        runtime=30,
    params:
        values=values("split"),
        code=code("split"),
        fold=fold,
    message:
        "split {wildcards.split}{wildcards.fold} of {wildcards.dataset} ({wildcards.representation}), seed {wildcards.seed}"
    shell:
        f"python {SCRIPTS}/split.py --params {PARAMS_FILE}"
        " --split-name {wildcards.split}"
        " --fold {params.fold} --seed {wildcards.seed}"
        " --manifest {input.manifest} --frames {input.frames} --slices {input.slices}"
        " --split {output.split} --near-duplicates {output.near_duplicates}"
        " 2>&1 | tee {log}"
