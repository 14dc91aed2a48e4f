"""README.md and docs/: every snippet runs; tables, listings and commands are what they say."""

import importlib
import inspect
import re
import tomllib
from pathlib import Path

import click
import pytest
from sybil import Document
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import opgrad
from opgrad import hookspecs
from opgrad.cli.commands import cli
from opgrad.plugins import PLUGINS

ROOT = Path(__file__).resolve().parent.parent
# The course has a test of its own, which also compares what its blocks print.
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    if page.parent.name != "learn"
)
PRINTS = re.compile(r'\n*```text title="prints"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
NO_SOURCE = {"__pycache__", "py.typed"}
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
def test_every_python_block_of_the_page_runs(page, capsys, tmp_path, monkeypatch):
    """In their order, each building on those before it; what stands below one is what it prints."""
    document = Document.parse(str(ROOT / page), PythonCodeBlockParser(), SkipParser())
    monkeypatch.chdir(tmp_path)  # some write files

    for block in document.examples():
        capsys.readouterr()
        block.evaluate()
        promised = PRINTS.match(document.text, block.region.end)
        assert promised is None or capsys.readouterr().out == promised[1]


@pytest.mark.parametrize("number", [1, 2])
def test_readme_marks_each_set_up_command_once(number):
    """`.ci/run` runs what stands there; a lost mark would run nothing."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert len(re.findall(rf"<!-- set-up {number} -->\n```bash\npip install .+\n```", readme)) == 1


def test_readme_tells_of_every_verb_of_the_command_line():
    """A verb more, or one that is gone, is a failure until the table says so."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("\n| command | what it is for |\n")[2].partition("\n\n")[0]

    assert sorted(re.findall(r"^\| `opgrad (\w+)", table, re.MULTILINE)) == (
        cli.list_commands(click.Context(cli))
    )


def test_the_plugin_how_to_shows_the_files_of_the_example():
    """What is printed is what the suite builds, installs and uses."""
    page = (ROOT / "docs/howto/ship_a_plugin.md").read_text(encoding="utf-8")
    listings = dict(LISTING.findall(page))
    example = ROOT / "examples/own_plugin"

    for name in ("pyproject.toml", "opgrad_acme/__init__.py"):
        assert listings[name] == (example / name).read_text(encoding="utf-8")


def test_the_architecture_page_names_every_file_of_the_package_once():
    """A file more, or one that is gone, is a failure until the map says so."""
    page = (ROOT / "docs/design/architecture.md").read_text(encoding="utf-8")
    names = " ".join(
        re.findall(r"^\| (`.+?) \|", page.partition("\n## The files\n")[2], re.MULTILINE)
    )
    there = [path for path in (ROOT / "opgrad").iterdir() if path.name not in NO_SOURCE]

    assert sorted(re.findall(r"`([^`]+)`", names)) == sorted(
        f"{path.name}/" if path.is_dir() else path.name for path in there
    )


def test_the_architecture_page_shows_the_layers_that_import_linter_checks():
    """The lowest first."""
    page = (ROOT / "docs/design/architecture.md").read_text(encoding="utf-8")
    shown = page.partition("\n## The layers\n\n```\n")[2].partition("```")[0]
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = [
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]

    assert [set(re.findall(r"\w+", layer)) for layer in shown.split("→")] == [
        set(re.findall(r"\w+", layer)) for layer in reversed(layers)
    ]


@pytest.mark.parametrize(
    "module", ["opgrad", "opgrad.drawing", "opgrad.plotting", "opgrad.testing"]
)
def test_the_api_page_has_a_heading_for_every_public_name(module):
    """As it is imported: `opgrad.plot`, wherever it is defined."""
    page = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8")
    written = re.findall(r"^::: (.+)\n(?:    options:\n      heading: (.+))?", page, re.MULTILINE)
    by_hand = re.findall(r"^### (.+)", page, re.MULTILINE)
    headings = " ".join([*[heading or path for path, heading in written], *by_hand])
    above = opgrad.__all__ if module != "opgrad" else ()
    names = {
        f"{module}.{name}" for name in importlib.import_module(module).__all__ if name not in above
    }

    assert names - set(re.findall(r"[\w.]+", headings)) == set()


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
