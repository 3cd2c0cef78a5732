"""What the code of language tasks needs beside their data sets: nltk's files, a seeded guesser.

lm-eval fetches nltk's files (`punkt_tab`, of IFEval) where a task's code is imported, says
"Downloaded" also where nothing was reached, and fails once all answers have been made. And
langdetect guesses a short text's language at random unless it has a seed.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from limaflow.errors import InputError

FOLDER = "nltk_data"


@contextmanager
def language_tools(folders: Iterable[Path], copies: Path | None = None) -> Iterator[None]:
    """While it lasts, what imported code wants of nltk's files is fetched below HF_HOME, or said.

    Args:
        folders: of the tasks; nltk takes seconds to load, and is where their code names it.
        copies: folder of local copies, which may hold a folder `nltk_data` too.

    Raises:
        InputError: they are missing and cannot be fetched.
    """
    if not any(map(_names_nltk, folders)):
        yield
        return
    import nltk
    from huggingface_hub import constants

    shared = Path(constants.HF_HOME, FOLDER)
    for place in (shared, *([copies / FOLDER] if copies else [])):
        if str(place) not in nltk.data.path:
            nltk.data.path.insert(0, str(place))
    original = nltk.download

    def download(name: str, *_: Any, **__: Any) -> bool:
        where = f"nltk's '{name}' is missing"
        if constants.HF_HUB_OFFLINE:
            raise InputError(where, path=shared, fix="fetch it where there is a network (prefetch)")
        shared.mkdir(parents=True, exist_ok=True)
        try:
            original(name, download_dir=str(shared), quiet=True, raise_on_error=True)
        except Exception as error:
            raise InputError(
                f"{where} and cannot be fetched: {str(error).splitlines()[0]}",
                path=shared,
                fix="fetch it where there is a network (prefetch), or unpack it into tokenizers/",
            ) from None
        print(f"nltk's {name}: fetched into {shared}", file=sys.stderr)
        return True

    nltk.download = download
    try:
        yield
    finally:
        nltk.download = original
        if detector := sys.modules.get("langdetect"):
            detector.DetectorFactory.seed = 0


def _names_nltk(folder: Path) -> bool:
    return any(b"nltk" in path.read_bytes() for path in folder.rglob("*.py"))
