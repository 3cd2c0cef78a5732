# Whether responses have the forms that prompts ask for, by rule: no judge is asked.


rule check_formats:
    """Check an arm's responses for the forms that the test prompts ask for."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        responses="<results>/responses/test/{arm}.jsonl",
    output:
        "<results>/formats/{arm}.jsonl",
    log:
        "<logs>/check_formats/{arm}.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("format_checks", "check"),
    shell:
        "limaflow format check --prompts {input.prompts} --output {output} {input.responses}"
        " 2>&1 | tee {log}"


rule formats:
    """The share of prompts and of forms that every arm keeps, with intervals."""
    input:
        collect("<results>/formats/{arm}.jsonl", arm=STUDY.arms),
    output:
        "<results>/analysis/formats.json",
    log:
        "<logs>/formats.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("format_checks", "summarize"),
        lima=LIMA,
        bootstrap=bootstrap_options(),
    shell:
        "limaflow format summarize --lima {params.lima} {params.bootstrap} --output {output}"
        " {input} 2>&1 | tee {log}"
