"""Input: the manifest and the slices.
Output: the part (train, validation or test) of every slice, checked for leaks.
"""


rule split:
    """Deal the tracks to training, validation and test by a protocol."""
    input:
        manifest=rules.download.output.manifest,
        slices=rules.slices.output.slices,
    output:
        split="data/{dataset}/{representation}/{split}/{seed}/split.parquet",
    log:
        "logs/split/{dataset}/{representation}/{split}/{seed}.log",
    cache: True
    conda:
        "../../envs/genredag.yaml"
    params:
        values=values("split"),
        code=code("split"),
    shell:
        "python workflow/scripts/split.py --params params.yaml --split-name {wildcards.split} --seed {wildcards.seed}"
        " --manifest {input.manifest} --slices {input.slices} --split {output.split}"
        " 2>&1 | tee {log}"
