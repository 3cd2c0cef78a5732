"""A turn of a scripted dialogue has a prompt of its own: its id."""

SEPARATOR = "#"
"""Between a script's id and the number of a turn, in the id of that turn's prompt."""


def turn_id(script: str, turn: int) -> str:
    """Id of the prompt of a turn, counted from 1."""
    return f"{script}{SEPARATOR}{turn}"


def place_of(prompt_id: str) -> tuple[str, int]:
    """Script and turn of a prompt's id; undoes `turn_id`.

    Raises:
        ValueError: it is the id of no turn.
    """
    script, separator, turn = prompt_id.rpartition(SEPARATOR)
    if not (separator and turn.isdecimal()):
        raise ValueError(f"'{prompt_id}' is the id of no turn of a dialogue")
    return script, int(turn)
