# The report, and the configuration that it was made from.


rule configuration:
    """Keep the whole configuration beside the results."""
    output:
        "<results>/config.json",
    log:
        "<logs>/configuration.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("config", "keep"),
        config=configuration_file(),
    shell:
        "limaflow config keep --output {output} {params.config} 2>&1 | tee {log}"


rule html_report:
    """One HTML file: claims, figures, tables, samples, provenance, limits."""
    input:
        config="<results>/config.json",
        claims="<results>/analysis/claims.json",
        preferences="<results>/analysis/preferences.json",
        strengths="<results>/analysis/strengths.json",
        agreement="<results>/analysis/agreement.json",
        graders_agreement=graders_agreement,
        grades="<results>/analysis/grades.json",
        tax=tax_file,
        verdicts=verdict_files + further_verdict_files,
        graded=grade_files + further_grade_files,
        responses=collect(
            "<results>/responses/test/{arm}.jsonl", arm=[a.name for a in CONFIG.arms]
        ),
        funnel="<results>/curation/funnel.json",
        datasets=collect(
            "<results>/datasets/{dataset}/frozen/SHA256SUMS",
            dataset=[d.name for d in CONFIG.datasets],
        ),
        refusals=refusals_file,
        figures=figure_files(),
        tables=table_files(),
        models=collect("<results>/models/{arm}/chosen.json", arm=TUNED_ARMS),
    output:
        page=report(
            "<results>/report/index.html",
            caption="../docs/captions/report.rst",
            category="Report",
        ),
        effort="<results>/report/effort.csv",
        beside=["<results>/report/effort.md", "<results>/report/effort.tex"],
    log:
        "<logs>/html_report.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("report", "build"),
        page=content(
            *(
                shipped(f"src/limaflow/report/{file}")
                for file in (
                    "page.html",
                    "answer.html",
                    "claims.html",
                    "style.css",
                    "sort.js",
                )
            )
        ),
        results=subpath(output[0], ancestor=2),
        checkout=untracked(CHECKOUT),
    shell:
        "limaflow report build --results {params.results} --config {input.config}"
        ' --revision "$(git -C {params.checkout:q} describe --always --dirty 2>/dev/null || true)"'
        " --output {output.page} --effort {output.effort} 2>&1 | tee {log}"


rule response_browser:
    """All test prompts, responses and verdicts side by side, to be searched and filtered."""
    input:
        config="<results>/config.json",
        verdicts=verdict_files + further_verdict_files,
        graded=grade_files + further_grade_files,
        grades="<results>/analysis/grades.json",
        responses=collect(
            "<results>/responses/test/{arm}.jsonl", arm=[a.name for a in CONFIG.arms]
        ),
        prompts="<results>/curation/prompts/test.jsonl",
    output:
        report(
            "<results>/report/responses.html",
            caption="../docs/captions/browser.rst",
            category="Report",
        ),
    log:
        "<logs>/response_browser.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("report", "browse"),
        page=content(*page_files("report/browser")),
        results=subpath(output[0], ancestor=2),
    shell:
        "limaflow report browse --results {params.results} --config {input.config}"
        " --prompts {input.prompts} --output {output} 2>&1 | tee {log}"
