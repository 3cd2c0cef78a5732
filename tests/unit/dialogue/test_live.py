"""A chat in a terminal: what is typed is answered and saved as one conversation to grade."""

import json
import subprocess
import sys
from pathlib import Path

from limaflow.jsonl import adapter_of
from limaflow.judging.conversation_turns import Chat, turns

DECODING = json.dumps(
    {"top_p": 0.9, "temperature": 0, "repetition_penalty": 1, "max_tokens": 6, "samples": 1}
)


def chat(model: Path, save: Path, typed: str) -> subprocess.CompletedProcess[str]:
    command = [
        str(Path(sys.executable).with_name("limaflow")),
        "chat",
        str(model),
        "--format",
        "raw",
    ]
    command += ["--decoding", DECODING, "--gpus", "0", "--save", str(save)]
    return subprocess.run(command, input=typed, capture_output=True, text=True, check=False)


def test_a_chat_is_saved_as_turns_to_grade(tiny_base: Path, tmp_path: Path) -> None:
    save = tmp_path / "chats.jsonl"
    for typed in ("Who sells bread?\nWhy?\n\nnot read\n", "Who paints?\n"):
        ran = chat(tiny_base, save, typed)
        assert ran.returncode == 0, ran.stderr
    rows = save.read_text().splitlines()
    chats = [adapter_of(Chat).validate_json(row) for row in rows]
    assert [[m.role for m in c.messages] for c in chats] == [
        ["user", "assistant", "user", "assistant"],
        ["user", "assistant"],
    ]
    prompts, responses = turns(chats, "base")
    assert len(prompts) == len(responses) == 3


def test_a_chat_that_fills_the_context_is_saved_as_far_as_it_went(
    tiny_base: Path, tmp_path: Path
) -> None:
    save = tmp_path / "chats.jsonl"
    ran = chat(tiny_base, save, "Who sells bread?\n" + "nine goats " * 200 + "\n")
    assert ran.returncode == 1 and "the chat ends here" in ran.stderr
    assert len(json.loads(save.read_text())["messages"]) == 2
