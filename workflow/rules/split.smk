"""Input: the manifest, the slices, and the frames they are cut from.
Output: the part (train, validation or test) of every slice, checked for leaks; tracks on two sides that are alike.
"""


rule split:
    """Deal the tracks to training, validation and test by a protocol."""
    input:
        manifest=rules.download.output.manifest,
        frames=rules.slices.input.frames,
        frame_index=rules.slices.input.index,
        frame_spec=rules.slices.input.spec,
        slices=rules.slices.output.slices,
    output:
        split="data/{dataset}/{representation}/{split}{fold}/{seed}/split.parquet",
        near_duplicates="data/{dataset}/{representation}/{split}{fold}/{seed}/near_duplicates.csv",
    log:
        "logs/split/{dataset}/{representation}/{split}{fold}/{seed}.log",
    cache: True
    conda:
        "../../envs/genredag.yaml"
    params:
        values=values("split"),
        code=code("split"),
        fold=fold,
    shell:
        "python workflow/scripts/split.py --params params.yaml --split-name {wildcards.split}"
        " --fold {params.fold} --seed {wildcards.seed}"
        " --manifest {input.manifest} --frames {input.frames} --slices {input.slices}"
        " --split {output.split} --near-duplicates {output.near_duplicates}"
        " 2>&1 | tee {log}"
