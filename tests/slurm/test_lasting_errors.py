"""An error that would come again is not waited for again."""

import pytest
from site_of_tests import TARGET, Finished

pytestmark = pytest.mark.slow


def test_bad_input_is_submitted_once(finished: Finished) -> None:
    site = finished.site
    site.forget_the_model()
    # No example keeps a trained token.
    short = site.folder / "short.yaml"
    short.write_text("training: {max_tokens: 8, max_trimmed_share: 1.0}\n", encoding="utf-8")
    done = site.run(TARGET, overlays=("short.yaml",))
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert text.count("has been submitted with SLURM jobid") == 1, text
    assert "not sent again, since it would end the same: " in text
    assert "has no trained token" in text
