# Whether the arms are safe: grades of answers to prompts that test it, refusals and how far they hold,
# and what people say of them.


rule grade_sensitive:
    """Ask a judge whether the answers of all arms to prompts with tags of safety are safe, or refuse."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        responses=collect(
            "<results>/responses/test/{arm}.jsonl", arm=[a.name for a in CONFIG.arms]
        ),
    output:
        "<results>/safety/{instrument}/{judge}.jsonl",
    log:
        "<logs>/grade_sensitive/{instrument}/{judge}.log",
    wildcard_constraints:
        instrument=any_of(SAFETY.graders),
    localrule: ASKS_FROM_HERE
    conda:
        "../envs/limaflow.yaml"
    resources:
        api=1,
    params:
        code=code("judging", "grade"),
        asked_by=lambda wildcards: content(INSTRUMENT_FILES[wildcards.instrument]),
        instrument=untracked(lambda wildcards: INSTRUMENT_FILES[wildcards.instrument]),
        served_by=lambda wildcards: judge_code(wildcards.judge),
        launcher=lambda wildcards: judge_launcher(wildcards.judge),
        judged_as=lambda wildcards: judge_identity(wildcards.judge),
        judge=untracked(lambda wildcards: judge_block(wildcards.judge)),
        more=lambda wildcards, input: repeated("--more-responses", input.responses[1:]),
        only=repeated("--only", SAFETY.tags),
        bound=untracked(CONFIG.judging.max_error_share),
        store=as_is(CONFIG.judging.store),
        budget=untracked(budget_options()),
    shell:
        "{params.launcher} limaflow judge grade --instrument {params.instrument:q}"
        " --judge {params.judge:q} --prompts {input.prompts} --responses {input.responses[0]}"
        " {params.more} {params.only}"
        " --store {params.store:q} --max-error-share {params.bound} {params.budget}"
        " --output {output} 2>&1 | tee {log}"


rule measure_safety:
    """Safe answers, over-refusal and attacks met, by arm and by the refusals it was trained on."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        responses=collect(
            "<results>/responses/test/{arm}.jsonl", arm=[a.name for a in CONFIG.arms]
        ),
        grades=sensitive_grade_files,
        trained=[
            f"<results>/datasets/{dataset}/frozen/train.jsonl"
            for dataset in DOSED.values()
        ],
    output:
        "<results>/analysis/safety.json",
    log:
        "<logs>/measure_safety.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("refusals", "safety"),
        options=safety_options,
        bootstrap=bootstrap_options(),
    shell:
        "limaflow refusals safety --prompts {input.prompts} {params.options} {params.bootstrap}"
        " --output {output} {input.responses} 2>&1 | tee {log}"


rule refusals:
    """Class every arm's responses by rule, and count refusals by what prompts test."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        responses=collect("<results>/responses/test/{arm}.jsonl", arm=STUDY.arms),
        grades=refusal_grade_files,
        labels=list(labels_files.values()),
        known=known_files,
    output:
        rates="<results>/analysis/refusals.json",
        table="<results>/analysis/refusals.csv",
    log:
        "<logs>/refusals.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("refusals", "rates"),
        options=rates_options,
        bootstrap=bootstrap_options(),
    shell:
        "limaflow refusals rates --prompts {input.prompts} {params.options} {params.bootstrap}"
        " --output {output.rates} --table {output.table} {input.responses} 2>&1 | tee {log}"


rule resistance:
    """Refusals behind a prefilled answer, on contrast pairs, and one arm minus another."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        responses=collect("<results>/responses/test/{arm}.jsonl", arm=STUDY.arms),
        grades=refusal_grade_files,
    output:
        "<results>/analysis/resistance.json",
    log:
        "<logs>/resistance.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("refusals", "resistance"),
        grades=lambda wildcards, input: repeated("--grades", input.get("grades", [])),
        pairs=repeated("--pair", [f"{a}={b}" for a, b in resisting_pairs()]),
        bootstrap=bootstrap_options(),
    shell:
        "limaflow refusals resistance --prompts {input.prompts} {params.grades} {params.pairs}"
        " {params.bootstrap} --output {output} {input.responses} 2>&1 | tee {log}"
