# Dialogues by script: an arm answers the user's turns one by one, after its own earlier answers.


rule hold_dialogues:
    """Hold all dialogues with a model that runs here."""
    input:
        scripts=dialogue_scripts,
        model=lambda wildcards: model_of(wildcards.arm),
        prompts="<results>/curation/prompts/test.jsonl",
        examples=shots_files,
    output:
        prompts="<results>/dialogues/{arm}/prompts.jsonl",
        responses="<results>/dialogues/{arm}/responses.jsonl",
        cut="<results>/dialogues/{arm}/cut.json",
    log:
        "<logs>/hold_dialogues/{arm}.log",
    wildcard_constraints:
        arm=any_of([a for a in HOLDING if a in answered_by("respond")]),
    conda:
        "../envs/limaflow.yaml"
    threads: SIZES["hold_dialogues"].cpus
    resources:
        mem_mb=memory_of("hold_dialogues"),
        runtime=minutes_of("hold_dialogues"),
        gres=SIZES["hold_dialogues"].gres,
        cards=SIZES["hold_dialogues"].gpus,
    params:
        code=code("dialogue", "hold"),
        format=lambda wildcards: CONFIG.arm(wildcards.arm).prompt_format,
        examples=shots_options,
        decoding=CONFIG.generation.decoding.flag(),
        precision=CONFIG.generation.precision,
        bound=untracked(length_bound),
        seed=CONFIG.seed,
        batch=untracked(responses_at_once()),
        engine=as_is(engine_options()),
        gpus=untracked(SIZES["hold_dialogues"].gpus),
        turns=subpath(output.responses, parent=True),
    shell:
        "limaflow dialogue hold --model {input.model} --name {wildcards.arm}"
        " --format {params.format} {params.examples} --fit-before {input.prompts}"
        " --decoding {params.decoding:q} --seed {params.seed} --batch {params.batch}"
        " --precision {params.precision} {params.engine} --gpus {params.gpus}"
        " --max-length-share {params.bound} --turns {params.turns}/.turns"
        " --prompts {output.prompts} --responses {output.responses} --cut {output.cut}"
        " {input.scripts:q} 2>&1 | tee {log}"


rule ask_dialogues:
    """Hold all dialogues with a model behind an OpenAI-compatible endpoint."""
    input:
        scripts=dialogue_scripts,
    output:
        prompts="<results>/dialogues/{arm}/prompts.jsonl",
        responses="<results>/dialogues/{arm}/responses.jsonl",
        cut="<results>/dialogues/{arm}/cut.json",
    log:
        "<logs>/ask_dialogues/{arm}.log",
    wildcard_constraints:
        arm=any_of([a for a in HOLDING if a in answered_by("ask_endpoint")]),
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    resources:
        api=1,
    params:
        code=code("dialogue", "ask"),
        asked=lambda wildcards: endpoint_identity(wildcards.arm),
        endpoint=untracked(lambda wildcards: CONFIG.arm(wildcards.arm).endpoint.flag()),
        store=as_is(CONFIG.judging.store),
        budget=untracked(budget_options()),
        decoding=CONFIG.generation.decoding.flag(),
        seed=CONFIG.seed,
        turns=subpath(output.responses, parent=True),
    shell:
        "limaflow dialogue ask --endpoint {params.endpoint:q} --decoding {params.decoding:q}"
        " --seed {params.seed} --store {params.store:q} {params.budget}"
        " --turns {params.turns}/.turns --prompts {output.prompts}"
        " --responses {output.responses} --cut {output.cut} {input.scripts:q} 2>&1 | tee {log}"


use rule grade as grade_dialogues with:
    input:
        prompts="<results>/dialogues/{arm}/prompts.jsonl",
        responses="<results>/dialogues/{arm}/responses.jsonl",
    output:
        "<results>/dialogues/{arm}/grades/{instrument}/{judge}.jsonl",
    log:
        "<logs>/grade_dialogues/{instrument}/{judge}/{arm}.log",
    wildcard_constraints:
        instrument=any_of([DIALOGUE.instrument]),
        arm=any_of(HOLDING),
        judge=any_of(DIALOGUE.judges),


rule measure_dialogues:
    """Turns by grade, survival up to the first failure, drift of length, and repetition."""
    input:
        responses=dialogue_files("responses.jsonl"),
        cut=dialogue_files("cut.json"),
        prompts=dialogue_files("prompts.jsonl"),
        grades=dialogue_grade_files,
    output:
        "<results>/analysis/dialogues.json",
    log:
        "<logs>/measure_dialogues.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("dialogue", "measure"),
        scale=content(INSTRUMENT_FILES[DIALOGUE.instrument]),
        instrument=untracked(INSTRUMENT_FILES[DIALOGUE.instrument]),
        options=lambda wildcards, input: " ".join(
            [
                repeated("--grades", input.grades),
                repeated("--cut", input.cut),
                repeated("--prompts", input.prompts),
            ]
        ),
        bootstrap=bootstrap_options(),
    shell:
        "limaflow dialogue measure --instrument {params.instrument:q} {params.options}"
        " {params.bootstrap} --output {output} {input.responses} 2>&1 | tee {log}"


rule whole_dialogues:
    """Each dialogue of an arm as one response to its script."""
    input:
        scripts=dialogue_scripts,
        responses="<results>/dialogues/{arm}/responses.jsonl",
    output:
        prompts="<results>/dialogues/{arm}/whole/prompts.jsonl",
        responses="<results>/dialogues/{arm}/whole/responses.jsonl",
    log:
        "<logs>/whole_dialogues/{arm}.log",
    wildcard_constraints:
        arm=any_of(HOLDING),
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("dialogue", "whole"),
    shell:
        "limaflow dialogue whole --responses {input.responses} --prompts {output.prompts}"
        " --output {output.responses} {input.scripts:q} 2>&1 | tee {log}"


use rule pairwise_verdicts as compare_dialogues with:
    input:
        prompts="<results>/dialogues/{first}/whole/prompts.jsonl",
        first="<results>/dialogues/{first}/whole/responses.jsonl",
        second="<results>/dialogues/{second}/whole/responses.jsonl",
    output:
        "<results>/dialogues/verdicts/{judge}/{first}-vs-{second}.jsonl",
    log:
        "<logs>/compare_dialogues/{judge}/{first}-vs-{second}.log",
    wildcard_constraints:
        first=any_of(pair.first for pair in WHOLES),
        second=any_of(pair.second for pair in WHOLES),
        judge=any_of(DIALOGUE.judges),
    params:
        asked_by=content(INSTRUMENT_FILES[DIALOGUE.compared_by]),
        instrument=untracked(INSTRUMENT_FILES[DIALOGUE.compared_by]),


rule dialogue_preferences:
    """Win, tie and lose of whole dialogues, with intervals over scripts."""
    input:
        verdicts=dialogue_verdict_files,
        responses=collect(
            "<results>/dialogues/{arm}/whole/responses.jsonl", arm=WHOLE_ARMS
        ),
        prompts=collect(
            "<results>/dialogues/{arm}/whole/prompts.jsonl", arm=WHOLE_ARMS[:1]
        ),
    output:
        "<results>/analysis/dialogue_preferences.json",
    log:
        "<logs>/dialogue_preferences.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("measures", "summarize"),
        responses=lambda wildcards, input: repeated("--responses", input.responses),
        merge=CONFIG.judging.merge,
        bootstrap=bootstrap_options(),
        instrument=untracked(INSTRUMENT_FILES[DIALOGUE.compared_by]),
        scale=content(INSTRUMENT_FILES[DIALOGUE.compared_by]),
    shell:
        "limaflow judge summarize --merge {params.merge} {params.bootstrap} {params.responses}"
        " --prompts {input.prompts} --instrument {params.instrument:q} --output {output}"
        " {input.verdicts} 2>&1 | tee {log}"
