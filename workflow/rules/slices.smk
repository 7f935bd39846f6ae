"""Input: a frame store.
Output: the table of its slices (rows of frames, nothing is copied), and their length.
"""


rule slices:
    """Cut every track into overlapping slices."""
    input:
        frames=rules.spectrograms.output.frames,
        index=rules.spectrograms.output.index,
        spec=rules.spectrograms.output.spec,
    output:
        slices="data/{dataset}/{representation}/slices.parquet",
        spec="data/{dataset}/{representation}/slices.json",
    log:
        "logs/slices/{dataset}/{representation}.log",
    cache: True
    conda:
        "../../envs/genredag.yaml"
    params:
        values=values("slices"),
        code=code("slices"),
    shell:
        "python workflow/scripts/slices.py --params params.yaml --frames {input.frames} --slices {output.slices}"
        " 2>&1 | tee {log}"
