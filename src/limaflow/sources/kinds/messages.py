"""Ready-made conversations from JSON lines, in any layout that authored rows may have.

They pass no selection rule.
"""

from limaflow.sources.kind import Policy, Reader
from limaflow.sources.kinds.authored import FieldOptions, read

READER = Reader(options=FieldOptions, read=read, conversations=True)
POLICY = Policy(prompts_alone=True)
