"""Input: frames, slices, a split and embeddings.
Output: a bundle (all that prediction needs), the history of its training, and what it cost.
"""


rule train:
    """Train one model on the training slices, stopping early on validation."""
    input:
        frames=rules.slices.input.frames,
        frame_index=rules.slices.input.index,
        frame_spec=rules.slices.input.spec,
        slices=rules.slices.output.slices,
        slice_spec=rules.slices.output.spec,
        split=rules.split.output.split,
        embeddings=rules.embed.output.embeddings,
    output:
        bundle="results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/bundle.zip",
        history="results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/history.csv",
        timing="results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/timing.json",
    log:
        "logs/train/{dataset}/{representation}/{model}/{split}{fold}/{seed}.log",
    cache: True
    conda:
        "../../envs/genredag.yaml"
    threads: PARAMS.train.threads
    params:
        values=values("train"),
        code=code("train"),
        weights=lambda wildcards: weights_state(PARAMS, wildcards.model),
    shell:
        "python workflow/scripts/train.py --params params.yaml --model {wildcards.model} --seed {wildcards.seed}"
        " --frames {input.frames} --slices {input.slices} --split {input.split}"
        " --embeddings {input.embeddings}"
        " --bundle {output.bundle} --history {output.history} --timing {output.timing}"
        " 2>&1 | tee {log}"
