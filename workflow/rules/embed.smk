"""Input: frames, slices and a split.
Output: the embeddings of training and validation slices by the frozen part of the model; empty if it has none.
"""


rule embed:
    """Compute the frozen part of a network once for every training and validation slice."""
    input:
        frames=rules.slices.input.frames,
        frame_index=rules.slices.input.index,
        frame_spec=rules.slices.input.spec,
        slices=rules.slices.output.slices,
        slice_spec=rules.slices.output.spec,
        split=rules.split.output.split,
    output:
        embeddings=f"{RUN}/embeddings.npy",
    log:
        f"logs/embed/{CHOICE}.log",
    cache: True
    priority: DATA_FIRST
    conda:
        ENVIRONMENT
    threads: PARAMS.train.threads
    resources:
        mem_mb=memory(1500, pretrained=6000),
        runtime=240,
    params:
        values=values("embed"),
        code=code("embed"),
        weights=lambda wildcards: weights_state(PARAMS, wildcards.model),
    message:
        "frozen part of {wildcards.model} on {wildcards.representation} of {wildcards.dataset}, {wildcards.split}{wildcards.fold}, seed {wildcards.seed}"
    shell:
        f"python {SCRIPTS}/embed.py --params {PARAMS_FILE}"
        " --model {wildcards.model} --seed {wildcards.seed}"
        " --frames {input.frames} --slices {input.slices} --split {input.split}"
        " --embeddings {output.embeddings}"
        " 2>&1 | tee {log}"
