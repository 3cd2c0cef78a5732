"""What went wrong inside lm-eval, a task's own code or its data, as one clear error."""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires
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


def failure(doing: str, error: Exception) -> InputError:
    """The error for a user; `doing` names the task and what was to be done with it."""
    chain = list(_chain(error))
    if isinstance(error, InputError):
        return error
    if _is_network(chain):
        return InputError(
            f"{doing}: the network was not reached: {_first_line(error)}",
            fix="fetch the data where there is a network (`prefetch`), then run again",
        )
    for cause in chain:
        if isinstance(cause, ImportError):
            missing = (cause.name or "").partition(".")[0]
            extra = _extra_with(missing) if missing else ""
            package = (
                f"the Python package '{missing}' is missing" if missing else _first_line(cause)
            )
            install = f"pip install 'lm-eval[{extra}]'" if extra else f"pip install {missing}"
            return InputError(f"{doing}: {package}", fix=install if missing else "")
    if isinstance(error, KeyError):
        return InputError(f"{doing}: it names {_first_line(error)}, which its data do not have")
    return InputError(f"{doing}: {type(error).__name__}: {_first_line(error)}")


def _is_network(chain: Sequence[BaseException]) -> bool:
    """Whether nothing was reached; what the hub is said to lack may only be out of reach."""
    if any(kind.__name__ in NETWORK for error in chain for kind in type(error).__mro__):
        return True
    return any("Hub" in str(error) for error in chain) and not _hub_answers()


def _hub_answers() -> bool:
    from huggingface_hub import constants

    try:
        with urlopen(constants.ENDPOINT, timeout=5):
            return True
    except HTTPError:
        return True
    except OSError:
        return False


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it came from."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else repr(error)


def _extra_with(package: str) -> str:
    """The extra of lm-eval that brings a package; "" if none does."""
    try:
        lines = requires("lm-eval") or []
    except PackageNotFoundError:
        return ""
    wanted = re.sub(r"[-_.]+", "-", package).lower()
    for line in lines:
        name = re.match(r"[A-Za-z0-9._-]+", line)
        extra = re.search(r"extra == ['\"]([^'\"]+)['\"]", line)
        if name and extra and extra[1] not in ("dev", "testing", "all"):
            known = re.sub(r"[-_.]+", "-", name[0]).lower()
            if known == wanted or known.startswith(f"{wanted}-python"):
                return extra[1]
    return ""
