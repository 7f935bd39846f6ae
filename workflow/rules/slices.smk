"""Input: a frame store.
Output: the table of its slices (ranges of frames, which are not copied), and their length.
"""


rule slices:
    """Cut every track into overlapping slices."""
    input:
        frames=rules.spectrograms.output.frames,
        index=rules.spectrograms.output.index,
        spec=rules.spectrograms.output.spec,
    output:
        slices=f"{FRAMES}/slices.parquet",
        spec=f"{FRAMES}/slices.json",
    log:
        "logs/slices/{dataset}/{representation}.log",
    cache: True
    priority: DATA_FIRST
    conda:
        ENVIRONMENT
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        values=values("slices"),
        code=code("slices"),
    message:
        "slices of {wildcards.representation} of {wildcards.dataset}"
    shell:
        f"python {SCRIPTS}/slices.py --params {PARAMS_FILE}"
        " --frames {input.frames} --slices {output.slices}"
        " 2>&1 | tee {log}"
