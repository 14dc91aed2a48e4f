"""README.md and docs/: every snippet runs; tables, listings and commands are what they say."""

import inspect
import re
from pathlib import Path

import pytest
from sybil import Document
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import opgrad
from opgrad import hookspecs
from opgrad.plugins import PLUGINS

ROOT = Path(__file__).resolve().parent.parent
# The course has a test of its own, which also compares what its blocks print.
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    if page.parent.name != "learn"
)
LISTING = re.compile(r'```\w+ title="([^"]+)"\n(.*?)```\n', re.DOTALL)


def table_names(page, heading):
    """Return the first back-quoted name of each row of the first table below a heading."""
    section = (ROOT / page).read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1]
    section = section.split("\n## ", 1)[0]
    return set(re.findall(r"^\| `([\w@.]+)", section, re.MULTILINE))


@pytest.fixture
def tidy():
    """Take out what a page brings in by hand: other tests look at all that is loaded."""
    before = set(PLUGINS.registry.namespaces)
    yield
    for namespace in set(PLUGINS.registry.namespaces) - before - set(PLUGINS.sources()):
        if namespace not in PLUGINS.built_in:
            PLUGINS.forget(namespace)


@pytest.mark.usefixtures("tidy")
@pytest.mark.parametrize("page", PAGES)
def test_every_python_block_of_the_page_runs(page):
    """In their order, each building on those before it."""
    parsers = (PythonCodeBlockParser(), SkipParser())

    for block in Document.parse(str(ROOT / page), *parsers).examples():
        block.evaluate()


@pytest.mark.parametrize("number", [1, 2])
def test_readme_marks_each_set_up_command_once(number):
    """`.ci/run` runs what stands there; a lost mark would run nothing."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert len(re.findall(rf"<!-- set-up {number} -->\n```bash\npip install .+\n```", readme)) == 1


def test_the_plugin_how_to_shows_the_files_of_the_example():
    """What is printed is what the suite builds, installs and uses."""
    page = (ROOT / "docs/howto/ship_a_plugin.md").read_text(encoding="utf-8")
    listings = dict(LISTING.findall(page))
    example = ROOT / "examples/own_plugin"

    for name in ("pyproject.toml", "opgrad_acme/__init__.py"):
        assert listings[name] == (example / name).read_text(encoding="utf-8")


def test_the_contract_page_lists_every_declaration_of_the_decorators():
    """A new declaration is documented, a removed one is not."""
    with pytest.raises(opgrad.errors.OpDefinitionError, match="no declaration 'bogus'") as refused:
        opgrad.op(bogus=1)
    accepted = str(refused.value).partition("that exist: ")[2].split(", ")

    assert table_names("docs/reference/op_contract.md", "Declarations") == set(accepted)


def test_the_hooks_page_shows_every_hook_with_its_exact_signature():
    """A hook more, or a parameter more, is a failure until the page says so."""
    page = (ROOT / "docs/reference/hooks.md").read_text(encoding="utf-8")
    shown = re.findall(
        r"^## `(\w+)`\n\n```python\n@opgrad\.hookimpl\n(def [^`]+): \.\.\.\n```\n",
        page,
        re.MULTILINE,
    )

    assert dict(shown) == {
        name: f"def {name}{inspect.signature(hook)}".replace("'", "")  # annotations are text there
        for name, hook in vars(hookspecs).items()
        if hasattr(hook, f"{hookspecs.PROJECT}_spec")
    }


def test_the_hooks_page_says_of_every_hook_since_when_it_is_there():
    """As its docstring does."""
    page = (ROOT / "docs/reference/hooks.md").read_text(encoding="utf-8")
    said = re.findall(
        r"^## `(\w+)`\n(?:(?!## ).*\n)*?\*\*Since\*\* ([\d.]+)\.$", page, re.MULTILINE
    )

    assert dict(said) == {
        name: re.search(r"Since ([\d.]+)\.", inspect.getdoc(hook))[1]
        for name, hook in vars(hookspecs).items()
        if hasattr(hook, f"{hookspecs.PROJECT}_spec")
    }


@pytest.mark.parametrize(
    "link",
    sorted(
        {
            (page, target)
            for page in ("README.md", "CONTRIBUTING.md")
            for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text(encoding="utf-8"))
        }
    ),
    ids=" -> ".join,
)
def test_links_at_the_top_lead_somewhere(link):
    """MkDocs checks the links of docs/; these pages lie outside."""
    assert (ROOT / link[1]).exists()
