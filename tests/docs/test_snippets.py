"""Every example that people read is run: on the pages of the manual, in the README and in the docstrings.

One test is one page or one docstring. Its examples run in their order and share their names; a page begins with none, a
docstring with those of its module, which is read as source, for a compiled module shows but a part of its docstrings.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from sybil import Document, Region
from sybil.document import PythonDocStringDocument, PythonDocument
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer
from sybil.parsers.rest import DocTestParser
from tests.servers.redis_servers import flush

import cachery
from cachery.manager import CacheManager
from cachery.settings import VARIABLES

ROOT = Path(__file__).parents[2]
PACKAGE = Path(cachery.__file__).parent
README = ROOT / "README.md"

PAGES = sorted((ROOT / "docs").rglob("*.md")) + [README] * bool(README.read_text(encoding="utf-8").strip())
WITHOUT_EXAMPLES = {"reference.md"}
RUN = {"python", "pycon"}
SHOWN = {"console", "text", "toml"}

# A page forks. From Python 3.12 on that warns where any test has left a thread behind.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test a default manager of its own and an environment that says nothing about caches."""
    managers: list[CacheManager] = []
    monkeypatch.setattr("cachery.manager._managers", managers)
    with patch.dict(os.environ):
        for name in VARIABLES:
            os.environ.pop(name, None)
        yield
    for manager in managers:
        manager.close()


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def parse_pycon(document: Document) -> Iterator[Region]:
    evaluator = DocTestEvaluator()
    for block in CodeBlockParser("pycon", evaluator)(document):
        for prompt in DocTestStringParser(evaluator)(block.parsed, document.path):
            prompt.adjust(block, block.parsed)
            yield prompt


def parse_page(path: Path) -> Document:
    page = Document.parse(str(path), PythonCodeBlockParser(), parse_pycon)
    page.namespace["__name__"] = "__main__"
    return page


def run_examples(document: Document) -> int:
    """Run them in order; return how many there are. An ``AssertionError`` says where the first failing one stands."""
    examples = list(document.examples())
    for example in examples:
        try:
            example.evaluate()
        except Exception as error:
            place = f"{name_of(Path(document.path))}:{example.line}"
            raise AssertionError(f"{place}: {type(error).__name__}: {error}") from error
    return len(examples)


def docstrings_with_examples() -> Iterator[tuple[str, Document]]:
    """Give each with its place, as a document whose lines are numbered as those of its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        for start, _, text in PythonDocStringDocument.extract_docstrings(source):
            above = source.count("\n", 0, start)
            document = PythonDocument("\n" * above + text, str(path))
            for prompt in DocTestParser()(document):
                document.add(prompt)
            if document.regions:
                yield f"{path.relative_to(PACKAGE).as_posix()}:{above + 1}", document


DOCSTRINGS = dict(docstrings_with_examples())


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_page_keeps_its_word(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    text = path.read_text(encoding="utf-8")
    if "RedisCache(" in text or "AIResponseCache(" in text:
        port = request.getfixturevalue("redis_port")
        flush(port)
        monkeypatch.setenv("REDIS_PORT", str(port))
        monkeypatch.setenv("REDIS_URL", f"redis://localhost:{port}")
        if '("redis://localhost:6379"' in text or 'redis_url="redis://localhost:6379"' in text:
            (tmp_path / path.name).write_text(text.replace("localhost:6379", f"localhost:{port}"), encoding="utf-8")
            path = tmp_path / path.name
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE.parent))  # it may be relative
    count = run_examples(parse_page(path))
    assert (count > 0) == (path.name not in WITHOUT_EXAMPLES)


@pytest.mark.parametrize("place", DOCSTRINGS)
def test_a_docstring_keeps_its_word(place: str) -> None:
    run_examples(DOCSTRINGS[place])


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_each_block_names_a_language_that_is_run_or_known_not_to_be(path: Path) -> None:
    fences = RawFencedCodeBlockLexer(re.compile(r"(?P<language>[^\n]*)\n"))
    languages = {block.lexemes["language"].strip() for block in fences(parse_page(path))}
    assert languages <= RUN | SHOWN


def test_the_suite_shown_on_its_page_passes(tmp_path: Path) -> None:
    examples = parse_page(ROOT / "docs" / "testing.md").examples()
    code = [str(example.parsed) for example in examples if isinstance(example.parsed, str)]
    path = tmp_path / "test_my_cache.py"
    path.write_text("from cachery import InMemoryCache\n" + "\n".join(code), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", str(tmp_path), str(path)]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) > 100


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# Title\n\n```pycon\n>>> one = 1\n>>> one\n2\n```\n", r"page\.md:5: SybilFailure"),
        ("```python\none = 1\n```\n\n```python\n\nassert one == 2\n```\n", r"page\.md:5: AssertionError"),
        ("1. a list\n\n    ```python\n    raise RuntimeError(1)\n    ```\n", r"page\.md:3: RuntimeError"),
    ],
)
def test_a_page_that_lies_is_found_out(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError, match=complaint):
        run_examples(parse_page(path))
