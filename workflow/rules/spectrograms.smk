"""Input: the manifest of a data set.
Output: its frame store in one representation (values, index, and what they mean).
"""


rule spectrograms:
    """Render every usable track once; slices of any length are cut from these frames."""
    input:
        manifest="data/{dataset}/manifest.parquet",
    output:
        frames="data/{dataset}/{representation}/frames.npy",
        index="data/{dataset}/{representation}/frames.parquet",
        spec="data/{dataset}/{representation}/frames.json",
    log:
        "logs/spectrograms/{dataset}/{representation}.log",
    cache: True
    conda:
        "../../envs/genredag.yaml"
    threads: max(1, workflow.cores // len(MATRIX["representation"]))
    params:
        values=values("spectrograms"),
        code=code("spectrograms"),
    shell:
        "python workflow/scripts/spectrograms.py --params params.yaml --representation {wildcards.representation}"
        " --manifest {input.manifest} --frames {output.frames} --jobs {threads}"
        " 2>&1 | tee {log}"
