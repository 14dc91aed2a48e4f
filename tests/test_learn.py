"""The course: what its pages print is what they say, and every number in them comes from a run."""

import functools
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the course draws its pictures with matplotlib")

ROOT = Path(__file__).resolve().parent.parent
LEARN = ROOT / "docs/learn"
NUMBER = re.compile(r"(?<![\w.])[-−+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?%?(?![\w]|\.\d)")
COMMANDS = re.compile(r"^```bash\n(.*?)^```$(?:\n+```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
BASH = shutil.which("bash")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
COUNTED = 10
"""Whole numbers up to here are words: two moons, page 4, 3h."""


def load(name):
    """A module of docs/, which is no package."""
    folder = str(ROOT / "docs")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])

    return sys.modules[name]


INDEX = (LEARN / "index.md").read_text(encoding="utf-8")
PAGES = re.findall(r"^\| \d+ \| \[.+?\]\((\w+\.md)\)", INDEX, re.MULTILINE)


@functools.cache
def ran(name):
    """A page of the course, run once."""
    return load("pages").run(LEARN / name)


def numbers_in(text):
    """The numbers of a text, as numbers."""
    return [float(found.rstrip("%").replace("−", "-")) for found in NUMBER.findall(text)]


def test_the_index_lists_every_page_and_two_hours():
    """In the order of the navigation."""
    nav = re.findall(r"learn/(\w+\.md)", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    minutes = re.findall(r"^\| \d+ \| .+? \| (\d+) \|", INDEX, re.MULTILINE)

    assert nav == ["index.md", *PAGES]
    assert sorted(page.name for page in LEARN.glob("*.md")) == sorted(nav)
    assert sum(map(int, minutes)) == 120


@pytest.mark.parametrize("name", PAGES)
def test_the_page_prints_what_it_says(name):
    """To the last character; and a block that prints says what."""
    cells = ran(name).cells

    assert cells
    assert [cell.printed for cell in cells] == [cell.promised or "" for cell in cells]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_has_its_pictures(name):
    """Each drawn by the block above it; an SVG that stands alone, or a page."""
    for link, content in ran(name).pictures.items():
        if link.endswith(".svg"):
            assert ET.fromstring(content.encode()).tag.endswith("svg")  # noqa: S314 -- ours
        else:
            assert content.startswith("<!doctype html>")


@pytest.mark.parametrize("name", PAGES)
def test_every_number_in_the_text_stands_in_code_or_in_what_it_prints(name):
    """So that a changed number fails here or in the test of what is printed."""
    text = (LEARN / name).read_text(encoding="utf-8")
    known = {abs(x) for block in CODE.findall(text) for x in numbers_in(block)}
    told = {abs(x) for x in numbers_in(CODE.sub("", text))}
    loose = {x for x in told - known if x != int(x) or x > COUNTED}

    assert loose == set()


@pytest.mark.parametrize("name", PAGES)
def test_the_notebook_has_the_words_and_the_code_of_the_page(name):
    """What it prints and shows, it will print and show itself."""
    page = LEARN / name
    notebook = json.loads(load("pages").notebook(page))
    words = "\n".join(c["source"] for c in notebook["cells"] if c["cell_type"] == "markdown")
    code = [c["source"] for c in notebook["cells"] if c["cell_type"] == "code"]
    blocks = re.findall(
        r"^```python.*?\n(.*?)\n```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )

    assert code == blocks
    assert words.startswith("# ")
    assert 'title="prints"' not in words
    assert not re.search(r"!\[|\]\((?!http)", words)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


def test_modules_of_the_course_are_what_its_pages_show():
    """`nets.py` is three blocks of one page; both files can be downloaded, as can the notebooks."""
    files = load("generate").course()
    network = (LEARN / "network.md").read_text(encoding="utf-8")
    blocks = re.findall(
        r'^```python title="nets.py"\n(.*?)^```$', network, re.MULTILINE | re.DOTALL
    )

    assert len(blocks) == 3
    assert files["nets.py"] == "\n\n".join(blocks)
    assert sorted(files) == sorted(
        ["moons.py", "nets.py", *(name.replace(".md", ".ipynb") for name in PAGES)]
    )


@pytest.fixture
def learner(tmp_path):
    """Run commands in an environment that has what this one has, without a network."""
    place = tmp_path / "environment"
    venv.create(place, with_pip=True, symlinks=True)
    paths = {"base": str(place), "platbase": str(place)}
    here = sysconfig.get_path("purelib")
    packages, programs = (Path(sysconfig.get_path(n, vars=paths)) for n in ("purelib", "scripts"))
    (packages / "as_here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    (programs / "opgrad").write_text(
        f"#!{programs / 'python'}\nfrom opgrad.cli import main\n\nmain()\n"
    )
    (programs / "opgrad").chmod(0o755)
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "OPGRAD_", "PYTEST"))}
    path = os.pathsep.join([str(programs), own["PATH"]])
    (tmp_path / "folder").mkdir()

    def run(commands):
        done = subprocess.run(
            [BASH, "--noprofile", "--norc", "-euc", commands],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path / "folder",
            env=own | {"PATH": path, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.folder = tmp_path / "folder"
    return run


@pytest.mark.skipif(BASH is None, reason="the commands are for a Unix shell")
def test_the_plugin_of_the_last_page_is_packed_and_installed_offline(learner):
    """Typed as it stands; the file of the op is the first block of the page."""
    page = (LEARN / "plugin.md").read_text(encoding="utf-8")
    make, *others = COMMANDS.findall(page)
    learner(make[0])
    written = learner.folder / "opgrad-bells/src/opgrad_bells"
    op = re.search(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[1]
    (written / "bump.py").write_text(op, encoding="utf-8")
    printed = [learner(commands) for commands, _ in others]

    assert sorted(path.name for path in written.glob("*.py")) == [
        *("__init__.py", "bump.py", "hinge.py")
    ]
    assert [out for out, (_, promised) in zip(printed, others, strict=True) if promised] == [
        promised for _, promised in others if promised
    ]
    assert re.search(r"2 ops, \d+ checks run .* 0 failed, 0 failed as expected", printed[-1])
