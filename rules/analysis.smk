# Statistics, claims, figures and tables. The paper's own values come from one file, paper.yaml.


rule preferences:
    """Win, tie and lose of every comparison, and strengths of the arms, with intervals."""
    input:
        verdicts=verdict_files,
        responses=collect("<results>/responses/test/{arm}.jsonl", arm=COMPARED_ARMS),
    output:
        preferences="<results>/analysis/preferences.json",
        strengths="<results>/analysis/strengths.json",
    log:
        "<logs>/preferences.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("measures", "summarize"),
        responses=lambda wildcards, input: repeated("--responses", input.responses),
        merge=CONFIG.judging.merge,
        bootstrap=bootstrap_options(),
    shell:
        "limaflow judge summarize --merge {params.merge} {params.bootstrap} {params.responses}"
        " --strengths {output.strengths} --output {output.preferences} {input.verdicts}"
        " 2>&1 | tee {log}"


rule agreement:
    """How far people, models, and a judge with itself agree."""
    input:
        verdict_files,
    output:
        "<results>/analysis/agreement.json",
    log:
        "<logs>/agreement.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("measures", "agreement"),
        bootstrap=bootstrap_options(),
    shell:
        "limaflow judge agreement {params.bootstrap} --output {output} {input} 2>&1 | tee {log}"


rule agreement_of_grades:
    """How far graders of the same responses agree."""
    input:
        grades=grade_files,
        instruments=[INSTRUMENT_FILES[name] for name in GRADED_BY],
    output:
        "<results>/analysis/agreement_of_grades.json",
    log:
        "<logs>/agreement_of_grades.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("measures", "agreement_of_grades"),
        bootstrap=bootstrap_options(),
        instruments=instrument_options(),
    shell:
        "limaflow judge agreement-of-grades {params.bootstrap} {params.instruments} --output {output}"
        " {input.grades} 2>&1 | tee {log}"


rule grades:
    """Mean grade of every arm by every instrument, with intervals."""
    input:
        grades=grade_files,
        instruments=[INSTRUMENT_FILES[name] for name in GRADED_BY],
    output:
        "<results>/analysis/grades.json",
    log:
        "<logs>/grades.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("measures", "summarize_grades"),
        bootstrap=bootstrap_options(),
        instruments=instrument_options(),
    shell:
        "limaflow judge summarize-grades {params.bootstrap} {params.instruments} --output {output}"
        " {input.grades} 2>&1 | tee {log}"


rule tax:
    """Paired benchmark differences, tuned minus base: the alignment tax."""
    input:
        base=collect("<results>/benchmarks/{arm}/items.jsonl", arm=MEASURED_BASE),
        tuned=collect("<results>/benchmarks/{arm}/items.jsonl", arm=MEASURED_TUNED),
    output:
        "<results>/analysis/tax.json",
    log:
        "<logs>/tax.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "tax"),
        bootstrap=bootstrap_options(),
    shell:
        "limaflow analyze tax --base {input.base} {params.bootstrap} --output {output}"
        " {input.tuned} 2>&1 | tee {log}"


rule claims:
    """The paper's claims and the objections to them, each with our verdict."""
    input:
        paper=shipped("src/limaflow/analysis/paper.yaml"),
        preferences="<results>/analysis/preferences.json",
        agreement="<results>/analysis/agreement.json",
        grades=grade_files,
        tax=tax_file,
        training=lima_training,
        dev_grades=lima_dev_grades,
    output:
        "<results>/analysis/claims.json",
    log:
        "<logs>/claims.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "claims"),
        roles=role_options(),
        inputs=claim_options,
        bootstrap=bootstrap_options(),
        label=miniature_option(),
    shell:
        "limaflow analyze claims {params.roles} --preferences {input.preferences}"
        " --agreement {input.agreement} {params.inputs} {params.bootstrap} {params.label}"
        " --output {output} 2>&1 | tee {log}"


rule figure_preferences:
    """Win, tie and lose beside the paper's Figures 1 and 2."""
    input:
        preferences="<results>/analysis/preferences.json",
        paper=shipped("src/limaflow/analysis/paper.yaml"),
    output:
        svg=report(
            "<results>/figures/preferences.svg",
            caption="../docs/captions/preferences.rst",
            category="Preferences",
        ),
        csv="<results>/figures/preferences.csv",
    log:
        "<logs>/figure_preferences.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "figure_preferences"),
        lima=CONFIG.analysis.lima_arm,
        label=miniature_option(),
    shell:
        "limaflow analyze figure preferences --preferences {input.preferences}"
        " --lima {params.lima} {params.label} --output {output.svg} 2>&1 | tee {log}"


rule figure_absolute:
    """Excellent, pass and fail of every arm so graded, in the form of the paper's Figure 3."""
    input:
        grades="<results>/analysis/grades.json",
        paper=shipped("src/limaflow/analysis/paper.yaml"),
    output:
        svg=report(
            "<results>/figures/absolute.svg",
            caption="../docs/captions/absolute.rst",
            category="Quality",
        ),
        csv="<results>/figures/absolute.csv",
    log:
        "<logs>/figure_absolute.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "figure_absolute"),
        label=miniature_option(),
    shell:
        "limaflow analyze figure absolute --grades {input.grades} {params.label}"
        " --output {output.svg} 2>&1 | tee {log}"


rule figure_quality:
    """Mean Likert grade of every arm, in the form of the paper's Figures 5 and 6."""
    input:
        grades="<results>/analysis/grades.json",
        paper=shipped("src/limaflow/analysis/paper.yaml"),
    output:
        svg=report(
            "<results>/figures/quality.svg",
            caption="../docs/captions/quality.rst",
            category="Quality",
        ),
        csv="<results>/figures/quality.csv",
    log:
        "<logs>/figure_quality.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "figure_quality"),
        label=miniature_option(),
    shell:
        "limaflow analyze figure quality --grades {input.grades} {params.label}"
        " --output {output.svg} 2>&1 | tee {log}"


rule figure_epochs:
    """Dev perplexity and judged quality over epochs, in the form of the paper's Figure 9."""
    input:
        training=lima_training,
        dev_grades=lima_dev_grades,
        paper=shipped("src/limaflow/analysis/paper.yaml"),
    output:
        svg=report(
            "<results>/figures/epochs.svg",
            caption="../docs/captions/epochs.rst",
            category="Training",
        ),
        csv="<results>/figures/epochs.csv",
    log:
        "<logs>/figure_epochs.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "figure_epochs"),
        bootstrap=bootstrap_options(),
        label=miniature_option(),
    shell:
        "limaflow analyze figure epochs --training {input.training} {params.bootstrap}"
        " {params.label} --output {output.svg} {input.dev_grades} 2>&1 | tee {log}"


rule figure_tax:
    """Benchmark scores before and after tuning."""
    input:
        "<results>/analysis/tax.json",
    output:
        svg=report(
            "<results>/figures/tax.svg",
            caption="../docs/captions/tax.rst",
            category="Alignment tax",
        ),
        csv="<results>/figures/tax.csv",
    log:
        "<logs>/figure_tax.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "figure_tax"),
        label=miniature_option(),
    shell:
        "limaflow analyze figure tax --tax {input} {params.label} --output {output.svg}"
        " 2>&1 | tee {log}"


rule figure_funnel:
    """Candidates left after each step of curation."""
    input:
        "<results>/curation/funnel.json",
    output:
        svg=report(
            "<results>/figures/funnel.svg",
            caption="../docs/captions/funnel.rst",
            category="Data",
        ),
        csv="<results>/figures/funnel.csv",
    log:
        "<logs>/figure_funnel.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "figure_funnel"),
        label=miniature_option(),
    shell:
        "limaflow analyze figure funnel --funnel {input} {params.label} --output {output.svg}"
        " 2>&1 | tee {log}"


rule figure_lengths:
    """Tokens of the prompts and training responses of the LIMA arm's data set."""
    input:
        data=frozen_of_lima,
        tokenizer="<results>/base/model.json",
    output:
        svg=report(
            "<results>/figures/lengths.svg",
            caption="../docs/captions/lengths.rst",
            category="Data",
        ),
        csv="<results>/figures/lengths.csv",
    log:
        "<logs>/figure_lengths.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "figure_lengths"),
        label=miniature_option(),
    shell:
        "limaflow analyze figure lengths --dev {input.data[1]} --test {input.data[2]}"
        " --tokenizer {input.tokenizer} {params.label} --output {output.svg} {input.data[0]}"
        " 2>&1 | tee {log}"


rule figure_training:
    """Loss, learning rate, gradient norm and dev perplexity of every tuned arm."""
    input:
        collect("<results>/models/{arm}/training.json", arm=TUNED_ARMS),
    output:
        svg=report(
            "<results>/figures/training.svg",
            caption="../docs/captions/training.rst",
            category="Training",
        ),
        csv="<results>/figures/training.csv",
    log:
        "<logs>/figure_training.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "figure_training"),
        label=miniature_option(),
    shell:
        "limaflow analyze figure training {params.label} --output {output.svg} {input}"
        " 2>&1 | tee {log}"


rule table_sources:
    """Sources, examples and lengths beside the paper's Table 1."""
    input:
        data=frozen_of_lima,
        tokenizer="<results>/base/model.json",
        paper=shipped("src/limaflow/analysis/paper.yaml"),
    output:
        "<results>/tables/sources.csv",
    log:
        "<logs>/table_sources.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "table_sources"),
    shell:
        "limaflow analyze table sources --tokenizer {input.tokenizer} --output {output}"
        " {input.data} 2>&1 | tee {log}"


rule table_preferences:
    """Every comparison as one line of CSV."""
    input:
        "<results>/analysis/preferences.json",
    output:
        "<results>/tables/preferences.csv",
    log:
        "<logs>/table_preferences.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "table_preferences"),
    shell:
        "limaflow analyze table preferences --preferences {input} --output {output} 2>&1 | tee {log}"


rule table_agreement:
    """Who agrees with whom, beside the paper's values."""
    input:
        agreement="<results>/analysis/agreement.json",
        paper=shipped("src/limaflow/analysis/paper.yaml"),
    output:
        "<results>/tables/agreement.csv",
    log:
        "<logs>/table_agreement.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "table_agreement"),
    shell:
        "limaflow analyze table agreement --output {output} {input.agreement} 2>&1 | tee {log}"


rule table_tax:
    """Every benchmark task and arm as one line of CSV."""
    input:
        "<results>/analysis/tax.json",
    output:
        "<results>/tables/tax.csv",
    log:
        "<logs>/table_tax.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "table_tax"),
    shell:
        "limaflow analyze table tax --tax {input} --output {output} 2>&1 | tee {log}"
