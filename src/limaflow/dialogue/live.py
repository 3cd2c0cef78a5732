"""A chat in the terminal, saved as one conversation that can be graded turn by turn."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from limaflow.errors import InputError
from limaflow.generation import local
from limaflow.generation.named_model import named_model
from limaflow.generation.prompting import WITH_SHOTS, Format, NoRoom, encoded
from limaflow.generation.settings import Decoding
from limaflow.records import Example, Message


def talk(
    model: str,
    *,
    style: Format,
    decoding: Decoding,
    seed: int,
    precision: Literal["fp32", "bf16"],
    save: Path | None,
) -> None:
    """Answer what is typed, line by line, until an empty line or the end of the input.

    Raises:
        InputError: the model cannot be used, or the chat fills its context; what was said till
            then is saved.
    """
    if style in WITH_SHOTS:
        raise InputError("a chat has no in-context examples", fix="use --format chat or raw")
    named = named_model(model)
    loaded = local.load(named.location, named.revision, precision)
    print(f"{named.name}. An empty line ends the chat.", file=sys.stderr)
    said: tuple[Message, ...] = ()
    try:
        for line in _typed():
            said = (*said, Message(role="user", content=line))
            answer = _answer(loaded, said, style=style, decoding=decoding, seed=seed)
            said = (*said, Message(role="assistant", content=answer))
            print(answer, flush=True)
    except NoRoom as error:
        said = said[:-1]
        raise InputError(f"the chat ends here: {error}") from None
    finally:
        if save and len(said) > 1:
            _add(save, named.name, said)


def _typed() -> Iterator[str]:
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "")
        except (EOFError, KeyboardInterrupt):
            return
        if not line.strip():
            return
        yield line.strip()


def _answer(
    loaded: local.LocalModel,
    said: tuple[Message, ...],
    *,
    style: Format,
    decoding: Decoding,
    seed: int,
) -> str:
    asked = Example(id=f"chat#{len(said)}", messages=said, source="chat", split="test")
    prompts = encoded([asked], loaded.tokenizer, style, context=loaded.context)
    [row] = local.respond(
        loaded, [(prompts[0], 0)], decoding=decoding, style=style, batch=1, seed=seed
    )
    return row.text


def _add(path: Path, model: str, said: tuple[Message, ...]) -> None:
    """One line more; whole lines that stand there stay."""
    # A chat that was typed last and not answered is no turn to grade.
    whole = said if said[-1].role == "assistant" else said[:-1]
    record = {"model": model, "messages": [vars(m) for m in whole]}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")
    print(f"saved in {path}", file=sys.stderr)
