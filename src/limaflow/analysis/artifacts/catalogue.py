"""Every artifact of the paper, by the target that makes it."""

from typing import Any

from limaflow.analysis.artifacts import (
    claims,
    dialogues,
    epochs,
    forms,
    grades,
    instruments,
    outputs,
    preferences,
    sources,
)
from limaflow.analysis.artifacts.artifact import Artifact

ARTIFACTS: dict[str, Artifact[Any]] = {
    "table1": sources.TABLE_1,
    "fig1": preferences.FIGURE_1,
    "fig2": preferences.FIGURE_2,
    "fig3": grades.FIGURE_3,
    "fig4": outputs.FIGURE_4,
    "fig5": grades.FIGURE_5,
    "fig6": grades.FIGURE_6,
    "fig7": dialogues.FIGURE_7,
    "fig8": dialogues.FIGURE_8,
    "fig9": epochs.FIGURE_9,
    "appendix_b": epochs.APPENDIX_B,
    "appendix_c": instruments.APPENDIX_C,
    "appendix_d": instruments.APPENDIX_D,
    "appendix_e": forms.APPENDIX_E,
    "claims": claims.CLAIMS,
}
