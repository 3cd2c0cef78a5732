"""`dialogue` of the configuration."""

from pydantic import Field

from limaflow.settings import Name, Settings


class DialoguePair(Settings):
    """Two arms whose dialogues are compared as wholes, script by script."""

    first: Name
    second: Name

    @property
    def name(self) -> str:
        return f"{self.first}-vs-{self.second}"


class Dialogue(Settings):
    """Dialogues by script that arms hold, and who grades their turns.

    Without scripts no dialogue is held.
    """

    scripts: list[str] = Field(default_factory=list)
    """Files of scripts; see dialogue/scripts.py."""
    arms: list[Name] = Field(default_factory=list)
    instrument: Name = "quality"
    """By which each turn is graded; the lowest of its values is a failure."""
    judges: list[Name] = Field(default_factory=list)
    with_dialogues: dict[Name, Name] = Field(default_factory=dict)
    """Arm that is tuned on dialogues too → the arm without (Figure 7)."""
    comparisons: list[DialoguePair] = Field(default_factory=list)
    """Whose whole dialogues are compared, by the same judges."""
    compared_by: Name = "dialogues"
    """The pairwise instrument by which they are."""
