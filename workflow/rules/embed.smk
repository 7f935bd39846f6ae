"""Input: frames, slices and a split.
Output: what the frozen part of the model makes of training and validation slices; empty if it has none.
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
        embeddings="results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/embeddings.npy",
    log:
        "logs/embed/{dataset}/{representation}/{model}/{split}{fold}/{seed}.log",
    cache: True
    conda:
        "../../envs/genredag.yaml"
    threads: PARAMS.train.threads
    params:
        values=values("embed"),
        code=code("embed"),
        weights=lambda wildcards: weights_state(PARAMS, wildcards.model),
    shell:
        "python workflow/scripts/embed.py --params params.yaml --model {wildcards.model} --seed {wildcards.seed}"
        " --frames {input.frames} --slices {input.slices} --split {input.split}"
        " --embeddings {output.embeddings}"
        " 2>&1 | tee {log}"
