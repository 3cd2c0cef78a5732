"""Trouble with a network, told from what is wrong with a name, a file or a task."""

from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from limaflow.errors import InputError

NETWORK = frozenset(
    {
        "ConnectionError",
        "ConnectTimeout",
        "ConnectTimeoutError",
        "LocalEntryNotFoundError",
        "MaxRetryError",
        "NetworkError",
        "OfflineModeIsEnabled",
        "ReadTimeout",
        "Timeout",
        "TimeoutError",
        "TransportError",
        "URLError",
        "gaierror",
    }
)
"""Classes of errors, of several libraries, that mean that nothing was reached."""


def is_network(error: BaseException) -> bool:
    """Whether nothing was reached; what the hub is said to lack may only be out of reach."""
    chain = list(causes(error))
    if any(kind.__name__ in NETWORK for cause in chain for kind in type(cause).__mro__):
        return True
    return any("Hub" in str(cause) for cause in chain) and not _hub_answers()


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it came from."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def first_line(error: BaseException) -> str:
    """Of an error's text; its class where it has none."""
    text = str(error).strip()
    return text.splitlines()[0] if text else repr(error)


def no_model(location: str, error: Exception) -> InputError:
    """The error where a causal language model could not be loaded from a folder or the hub."""
    is_path = Path(location).exists() or location.startswith(("/", "."))
    if not is_path and is_network(error):
        return InputError(
            f"the network was not reached for the model {location}: {first_line(error)}",
            fix="fetch it where there is a network (`prefetch`), then run again",
            may_pass=True,
        )
    return InputError(f"no causal language model at {location}: {first_line(error)}")


def _hub_answers() -> bool:
    from huggingface_hub import constants

    try:
        with urlopen(constants.ENDPOINT, timeout=5):
            return True
    except HTTPError:
        return True
    except OSError:
        return False
