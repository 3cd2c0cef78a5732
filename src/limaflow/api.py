"""The parts that others use without the workflow, typed (`py.typed`); docs/api.md shows them.

Statistics of verdicts and grades, verdicts of others, the paper's selection rules, texts as
Markdown, and the alignment tax. What is not listed here may change between versions.
"""

from limaflow.analysis.tax import alignment_tax
from limaflow.curation.filtering import filtered
from limaflow.curation.filters import RULES, objection
from limaflow.curation.filters.rule import Reading
from limaflow.curation.rendering import prose, rendered
from limaflow.curation.settings import Filters
from limaflow.errors import InputError
from limaflow.intervals import Interval, Resampling
from limaflow.jsonl import read_records, write_records
from limaflow.judging.instrument import Instrument, load
from limaflow.measures.grade_agreement import grade_agreements
from limaflow.measures.grade_means import grade_summaries
from limaflow.measures.preferences import preference, preferences
from limaflow.measures.strengths import strengths_by_judge
from limaflow.measures.summaries import (
    Agreement,
    Conditions,
    GradeAgreement,
    GradeSummary,
    Preference,
    Strengths,
    TaskTax,
)
from limaflow.measures.verdict_agreement import agreements
from limaflow.records import BenchmarkItem, Candidate, Example, Grade, Response, Verdict
from limaflow.verdict_import.column_mapping import Layout, layout_of
from limaflow.verdict_import.tables import read_verdicts

__all__ = [
    "RULES",
    "Agreement",
    "BenchmarkItem",
    "Candidate",
    "Conditions",
    "Example",
    "Filters",
    "Grade",
    "GradeAgreement",
    "GradeSummary",
    "InputError",
    "Instrument",
    "Interval",
    "Layout",
    "Preference",
    "Reading",
    "Resampling",
    "Response",
    "Strengths",
    "TaskTax",
    "Verdict",
    "agreements",
    "alignment_tax",
    "filtered",
    "grade_agreements",
    "grade_summaries",
    "layout_of",
    "load",
    "objection",
    "preference",
    "preferences",
    "prose",
    "read_records",
    "read_verdicts",
    "rendered",
    "strengths_by_judge",
    "write_records",
]
