# How often arms refuse: a target of its own (`-- refusals`), which nothing else asks for.


rule refusals:
    """Class every arm's responses by rule, and count refusals by what prompts test."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        responses=collect("<results>/responses/test/{arm}.jsonl", arm=STUDY.arms),
        grades=[file for file in grade_files if "/grades/refusal/" in file],
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
        grades=lambda wildcards, input: repeated("--grades", input.get("grades", [])),
        bootstrap=bootstrap_options(),
    shell:
        "limaflow refusals rates --prompts {input.prompts} {params.grades} {params.bootstrap}"
        " --output {output.rates} --table {output.table} {input.responses} 2>&1 | tee {log}"
