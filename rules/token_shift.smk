# Where the tokens of tuned models stand in the base.


rule shift_tokens:
    """Look up each token of an arm's responses in the base, and in the controls."""
    input:
        model=lambda wildcards: model_of(wildcards.arm),
        references=lambda wildcards: list(shift_references(wildcards.arm).values()),
        prompts="<results>/curation/prompts/test.jsonl",
    output:
        "<results>/token_shift/{arm}.jsonl",
    log:
        "<logs>/shift_tokens/{arm}.log",
    benchmark:
        "<logs>/shift_tokens/{arm}.benchmark.jsonl"
    wildcard_constraints:
        arm=any_of(LOOKED_UP),
    conda:
        "../envs/limaflow.yaml"
    threads: SIZES["shift_tokens"].cpus
    resources:
        mem_mb=memory_of("shift_tokens"),
        runtime=minutes_of("shift_tokens"),
        gres=SIZES["shift_tokens"].gres,
        cards=SIZES["shift_tokens"].gpus,
    params:
        code=code("token_shift", "run"),
        style_words=content(shipped("src/limaflow/token_shift/style_words.txt")),
        references=shift_references_option,
        format=lambda wildcards: CONFIG.arm(wildcards.arm).prompt_format,
        responses=CONFIG.token_shift.responses,
        decoding=CONFIG.generation.decoding.flag(),
        precision=CONFIG.generation.precision,
        seed=CONFIG.seed,
        batch=untracked(CONFIG.token_shift.batch),
        drawn=untracked(CONFIG.generation.batch),
        gpus=untracked(SIZES["shift_tokens"].gpus),
    shell:
        "limaflow shift run --model {input.model} --name {wildcards.arm} {params.references}"
        " --format {params.format} --prompts {input.prompts} --responses {params.responses}"
        " --decoding {params.decoding:q} --seed {params.seed} --batch {params.batch}"
        " --drawn-at-once {params.drawn} --precision {params.precision} --gpus {params.gpus}"
        " --output {output} 2>&1 | tee {log}"


rule summarize_token_shift:
    """Shares of shifted tokens by class and position, with intervals over prompts."""
    input:
        shifted_files,
    output:
        "<results>/analysis/token_shift.json",
    log:
        "<logs>/summarize_token_shift.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("token_shift", "summarize"),
        bootstrap=bootstrap_options(),
    shell:
        "limaflow shift summarize {params.bootstrap} --output {output} {input} 2>&1 | tee {log}"


rule token_shift_page:
    """Responses whose tokens are marked by their shift."""
    input:
        shifted=shifted_files,
        summary="<results>/analysis/token_shift.json",
        prompts="<results>/curation/prompts/test.jsonl",
    output:
        report(
            "<results>/report/token_shift.html",
            caption="../docs/captions/token_shift.rst",
            category="Report",
        ),
    log:
        "<logs>/token_shift_page.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("token_shift", "page"),
        page=content(
            *(
                shipped(f"src/limaflow/token_shift/page.{kind}")
                for kind in ("html", "css")
            )
        ),
        title=shlex.quote(
            f"{'Miniature: ' if CONFIG.miniature else ''}{CONFIG.title}: token shift"
        ),
        seed=CONFIG.seed,
    shell:
        "limaflow shift page --summary {input.summary} --prompts {input.prompts}"
        " --title {params.title} --seed {params.seed} --output {output} {input.shifted}"
        " 2>&1 | tee {log}"
