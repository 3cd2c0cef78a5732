"""The public interface: what is listed is there, and its page says what the docstrings say."""

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType

import pytest

from limaflow import api


@pytest.fixture(scope="module")
def generator(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("api_page", root / "docs/api_page.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_everything_public_has_a_docstring() -> None:
    for name in api.__all__:
        value = getattr(api, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            assert (value.__doc__ or "").strip(), name


def test_the_page_is_made_from_the_docstrings(generator: ModuleType, root: Path) -> None:
    text = (root / "docs/api.md").read_text(encoding="utf-8")
    assert text == generator.page(), "run: python docs/api_page.py"


def test_the_example_of_the_page_runs(
    generator: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"p{n},ours,base,{'first' if n % 3 else 'tie'},ann\n" for n in range(12))
    Path("verdicts.csv").write_text(f"prompt_id,first,second,choice,annotator\n{rows}")
    code = str(generator.HEAD).split("```python\n")[1].split("```")[0]
    exec(compile(code, "docs/api.md", "exec"), {})
    assert capsys.readouterr().out.startswith("ours-vs-base ann Interval(estimate=0.6666")
