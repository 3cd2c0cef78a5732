"""What flags say is said once."""

from limaflow.analysis.claims import in_one_line


def test_what_several_tasks_have_in_common_is_said_once() -> None:
    ceiling = "the base leaves 0% of the scale to gain"
    said = in_one_line([f"facts: {ceiling}", f"plain: {ceiling}", "wordings: at chance"])
    assert said == f"facts, plain: {ceiling}; wordings: at chance"


def test_a_text_without_a_colon_stays_as_it_is() -> None:
    assert in_one_line(["judged by a program", "world-truth alone judged"]) == (
        "judged by a program; world-truth alone judged"
    )
