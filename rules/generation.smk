# Responses of every arm.


rule respond_dev:
    """Answer the dev prompts with the model of every epoch that is to be judged."""
    input:
        training="<results>/models/{arm}/training.json",
        prompts="<results>/curation/prompts/dev.jsonl",
    output:
        "<results>/responses/dev/{arm}.jsonl",
    log:
        "<logs>/respond_dev/{arm}.log",
    wildcard_constraints:
        arm=any_of(TUNED_ARMS),
    conda:
        "../envs/limaflow.yaml"
    threads: SIZES["respond_dev"].cpus
    resources:
        mem_mb=memory_of("respond_dev"),
        runtime=minutes_of("respond_dev"),
        gres=SIZES["respond_dev"].gres,
        cards=SIZES["respond_dev"].gpus,
    params:
        code=code("generation", "respond"),
        epochs=as_json(CONFIG.selection.epochs),
        format=lambda wildcards: CONFIG.arm(wildcards.arm).prompt_format,
        decoding=CONFIG.generation.decoding.flag(),
        samples=CONFIG.generation.dev_samples,
        precision=CONFIG.generation.precision,
        bound=untracked(length_bound),
        seed=CONFIG.seed,
        # In fp32 it changes no response.
        batch=untracked(responses_at_once()),
        engine=as_is(engine_options()),
        gpus=untracked(SIZES["respond_dev"].gpus),
    shell:
        "limaflow generate respond --model {input.training} --epochs {params.epochs:q}"
        " --name {wildcards.arm} --format {params.format} --prompts {input.prompts}"
        " --decoding {params.decoding:q} --samples {params.samples} --seed {params.seed}"
        " --batch {params.batch} --precision {params.precision} {params.engine}"
        " --gpus {params.gpus}"
        " --max-length-share {params.bound} --output {output} 2>&1 | tee {log}"


rule respond:
    """Answer the test prompts with a model that runs here."""
    input:
        model=lambda wildcards: model_of(wildcards.arm),
        prompts="<results>/curation/prompts/test.jsonl",
        examples=shots_files,
    output:
        "<results>/responses/test/{arm}.jsonl",
    log:
        "<logs>/respond/{arm}.log",
    benchmark:
        "<logs>/respond/{arm}.benchmark.jsonl"
    wildcard_constraints:
        arm=any_of(answered_by("respond")),
    conda:
        "../envs/limaflow.yaml"
    threads: SIZES["respond"].cpus
    resources:
        mem_mb=memory_of("respond"),
        runtime=minutes_of("respond"),
        gres=SIZES["respond"].gres,
        cards=SIZES["respond"].gpus,
    params:
        code=code("generation", "respond"),
        format=lambda wildcards: CONFIG.arm(wildcards.arm).prompt_format,
        examples=shots_options,
        decoding=CONFIG.generation.decoding.flag(),
        samples=CONFIG.generation.decoding.samples,
        precision=CONFIG.generation.precision,
        bound=untracked(length_bound),
        seed=CONFIG.seed,
        batch=untracked(responses_at_once()),
        engine=as_is(engine_options()),
        gpus=untracked(SIZES["respond"].gpus),
    shell:
        "limaflow generate respond --model {input.model} --name {wildcards.arm}"
        " --format {params.format} {params.examples} --prompts {input.prompts}"
        " --decoding {params.decoding:q} --samples {params.samples} --seed {params.seed}"
        " --batch {params.batch} --precision {params.precision} {params.engine}"
        " --gpus {params.gpus}"
        " --max-length-share {params.bound} --output {output} 2>&1 | tee {log}"


rule ask_endpoint:
    """Answer the test prompts with a model behind an OpenAI-compatible endpoint."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
    output:
        "<results>/responses/test/{arm}.jsonl",
    log:
        "<logs>/ask_endpoint/{arm}.log",
    wildcard_constraints:
        arm=any_of(answered_by("ask_endpoint")),
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    resources:
        api=1,
    params:
        code=code("generation", "ask"),
        asked=lambda wildcards: endpoint_identity(wildcards.arm),
        endpoint=untracked(lambda wildcards: CONFIG.arm(wildcards.arm).endpoint.flag()),
        store=as_is(CONFIG.judging.store),
        budget=untracked(budget_options()),
        decoding=CONFIG.generation.decoding.flag(),
        samples=CONFIG.generation.decoding.samples,
        seed=CONFIG.seed,
    shell:
        "limaflow generate ask --endpoint {params.endpoint:q} --prompts {input.prompts}"
        " --decoding {params.decoding:q} --samples {params.samples} --seed {params.seed}"
        " --store {params.store:q} {params.budget} --output {output} 2>&1 | tee {log}"


rule adopt_responses:
    """Take responses that were recorded elsewhere."""
    input:
        recorded=recorded_responses,
        prompts="<results>/curation/prompts/test.jsonl",
    output:
        "<results>/responses/test/{arm}.jsonl",
    log:
        "<logs>/adopt_responses/{arm}.log",
    wildcard_constraints:
        arm=any_of(answered_by("adopt_responses")),
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("generation", "adopt"),
        samples=CONFIG.generation.decoding.samples,
        layout=response_layout,
    shell:
        "limaflow generate adopt --name {wildcards.arm} --prompts {input.prompts}{params.layout}"
        " --samples {params.samples} --output {output} {input.recorded:q} 2>&1 | tee {log}"


rule cut_responses:
    """Cut another arm's responses after their first sentence or paragraph."""
    input:
        lambda wildcards: str(CONFIG.arm(wildcards.arm).responses_cut(RESULTS)),
    output:
        "<results>/responses/test/{arm}.jsonl",
    log:
        "<logs>/cut_responses/{arm}.log",
    wildcard_constraints:
        arm=any_of(answered_by("cut_responses")),
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("generation", "cut"),
        at=lambda wildcards: CONFIG.arm(wildcards.arm).at,
    shell:
        "limaflow generate cut --name {wildcards.arm} --at {params.at} --output {output} {input}"
        " 2>&1 | tee {log}"
