"""The lenient reader takes what a person would take for the right answer, and not more."""

import pytest

from limaflow.lm_evaluation.lenient_reading import gives


@pytest.mark.parametrize(
    ("reply", "target", "right"),
    [
        ("It costs $1,250.00 in all.", "1250", True),
        ("5 apples and 7 pears make 12 fruits.", "12", True),
        ("The answer is 12. Then 5 are eaten.", "12", False),
        ("", "12", False),
        ("-3", "3", False),
        ("So she has 18 eggs.", "Janet sells 16 - 3 - 4 = 9. 9 * 2 = 18\n#### 18", True),
        ("The answer is (C).", "C", True),
        ("C) because water boils", "C", True),
        ("**B**", "B", True),
        ("A good question! The answer: D", "D", True),
        ("A river runs there, so I choose it", "A", False),
        ("I would say option B, not option C", "B", False),
        ("It was Beyoncé, the singer.", "beyonce", True),
        ("The Beatles", "Beatles", True),
        ("Sinclair Lewis wrote it.", "Harry Sinclair Lewis", False),
        ("a cartwheel", "cart", False),
        ("They say “New York”.", "New-York", True),
        ("Yes", "", False),
        ("the", "The", False),
    ],
)
def test_a_reply_gives_the_right_answer_or_not(reply: str, target: str, right: bool) -> None:
    assert gives(reply, [target]) is right


def test_one_of_several_right_answers_is_enough() -> None:
    assert gives("That is Mumbai, once Bombay.", ["Bombay", "Bom Bahia"])
    assert not gives("That is Delhi.", ["Bombay", "Mumbai"])
