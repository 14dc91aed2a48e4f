"""`opgrad new`: what it writes, what it leaves alone, and what it refuses."""

import difflib
import errno
import json
import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from opgrad.cli import USAGE
from opgrad.cli.commands import cli
from opgrad.errors import ScaffoldError
from opgrad.plugins import PLUGINS, Source
from opgrad.scaffold.op import new_op
from opgrad.scaffold.plugin import new_plugin
from opgrad.version import __version__

PACKAGE = [
    ".github/workflows/test.yml",
    ".gitignore",
    "README.md",
    "pyproject.toml",
    "src/opgrad_acme/__init__.py",
    "src/opgrad_acme/hinge.py",
    "src/opgrad_acme/py.typed",
    "tests/test_conformance.py",
    "tests/test_hinge.py",
]
HOOK = "src/opgrad_acme/__init__.py"


@pytest.fixture
def plugin(tmp_path):
    """The folder of a new plugin, `acme`."""
    return new_plugin("acme", tmp_path).folder


@pytest.fixture
def invoke(monkeypatch):
    """Run a command in this process, in a folder."""

    def run(folder, *arguments):
        monkeypatch.chdir(folder)
        return CliRunner().invoke(cli, list(arguments))

    return run


def files(folder):
    """Each file below a folder, with what is in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refusal(make, *arguments):
    """What an error says."""
    with pytest.raises(ScaffoldError) as refused:
        make(*arguments)
    return str(refused.value)


def passed(folder):
    """How many tests of a plugin pass where it is installed, each by its name."""
    info = folder / "src" / f"{folder.name.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(exist_ok=True)
    about = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    group, entries = next(iter(about["entry-points"].items()))
    points = "".join(f"{name} = {value}\n" for name, value in entries.items())
    (info / "METADATA").write_text(f"Name: {about['name']}\nVersion: {about['version']}\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{points}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    return {line.split(" ")[0].rpartition("::")[2] for line in lines if " PASSED " in line}


# --- new plugin ---------------------------------------------------------------------------------


def test_a_new_plugin_is_a_whole_package(plugin):
    """Nothing else is in the folder, and the names of the plugin are in the right places."""
    about = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]

    assert plugin.name == "opgrad-acme"
    assert list(files(plugin)) == PACKAGE
    assert about["name"] == "opgrad-acme"
    assert about["entry-points"] == {"opgrad.plugins": {"acme": "opgrad_acme"}}
    assert about["dependencies"] == [f"opgrad>={__version__}"]


def test_no_placeholder_is_left_in_a_new_plugin(plugin):
    """The only `$` is the one that the workflow is meant to have."""
    dollars = {name: text.count(b"$") for name, text in files(plugin).items() if b"$" in text}

    assert dollars == {".github/workflows/test.yml": 1}
    assert b"${{ matrix.python }}" in files(plugin)[".github/workflows/test.yml"]


def test_a_new_plugin_passes_its_tests_and_so_does_a_new_op_in_it(tmp_path):
    """As written, before its author has touched anything; an underscore in the name or not."""
    folder = new_plugin("my_ops", tmp_path).folder
    new_op("cube", folder)

    assert passed(folder) == {
        "test_conformance[my_ops.hinge]",
        "test_conformance[my_ops.cube]",
        "test_hinge_is_what_the_formula_says_by_hand",
        "test_cube_is_what_the_formula_says_by_hand",
    }


def test_the_snippet_of_the_readme_gives_what_its_comments_say(plugin, monkeypatch):
    """The first thing that a user of the plugin types."""
    snippet = (plugin / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    monkeypatch.syspath_prepend(plugin / "src")
    from opgrad_acme import hinge

    for name in [name for name in sys.modules if name.partition(".")[0] == "opgrad_acme"]:
        del sys.modules[name]  # other tests have plugins of this name
    calls = [line.partition("  # ") for line in snippet.splitlines() if "  # " in line]
    import opgrad

    assert calls
    for call, _, result in calls:
        source = call.replace("opgrad.ops.acme.hinge", "hinge")
        assert repr(eval(source, {"opgrad": opgrad, "hinge": hinge})) == result  # noqa: S307


@pytest.mark.skipif(os.name == "nt", reason="permissions are of another kind there")
def test_the_folder_of_a_new_plugin_is_as_open_as_any_new_folder(plugin, tmp_path):
    """The private folder in which it was built has left no mark."""
    (tmp_path / "other").mkdir()

    assert stat.S_IMODE(plugin.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tanh", "the namespace 'tanh' is reserved; choose another name"),
        ("core", "the namespace 'core' is reserved; choose another name"),
        ("linalg", "the namespace 'linalg' is reserved; choose another name"),
        ("class", "'class' is a keyword of Python"),
        ("opgrad-acme", "'opgrad-acme' is not; did you mean 'acme'?"),
        ("My-Ops", "'My-Ops' is not; did you mean 'my_ops'?"),
        ("a", "two to 31 lowercase letters"),
        ("1st", "with a letter first, which '1st' is not"),
        ("é", "which 'é' is not"),
        ("", "which '' is not"),
        ("a" * 32, "is not"),
    ],
)
def test_a_name_that_opgrad_would_not_load_is_refused(name, message, tmp_path):
    """Before anything is written; the error says what a name looks like."""
    assert message in refusal(new_plugin, name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_namespace_of_an_installed_plugin_is_refused(tmp_path, monkeypatch):
    """The error names the distribution that has it, and both ways out."""
    source = Source("taken", ("opgrad_taken",), "opgrad-taken", "2.1")
    monkeypatch.setattr(type(PLUGINS), "sources", lambda _: {"taken": [source]})
    message = refusal(new_plugin, "taken", tmp_path)

    assert message == (
        "the namespace 'taken' belongs to opgrad-taken 2.1, which is installed; "
        "choose another name, or uninstall opgrad-taken"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(plugin, tmp_path):
    """What the author has done in it since is still there."""
    (plugin / "README.md").write_text("mine")
    before = files(tmp_path)
    message = refusal(new_plugin, "acme", tmp_path)

    assert message.startswith(f"{plugin} exists; ")
    assert files(tmp_path) == before


def test_a_plugin_that_cannot_be_written_to_the_end_leaves_nothing(tmp_path, monkeypatch):
    """A full disk, or a Ctrl-C."""
    real = Path.write_text

    def write_text(path, *arguments, **keywords):
        if path.name == "pyproject.toml":
            raise KeyboardInterrupt
        return real(path, *arguments, **keywords)

    monkeypatch.setattr(Path, "write_text", write_text)
    with pytest.raises(KeyboardInterrupt):
        new_plugin("acme", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_a_mistake_in_the_usage(
    invoke, tmp_path, monkeypatch
):
    """The message names the folder and the reason, not a file that nobody asked for."""

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), ".opgrad-acme-x1")

    monkeypatch.setattr("tempfile.TemporaryDirectory", refuse)
    result = invoke(tmp_path, "new", "plugin", "acme")

    assert result.exit_code == USAGE
    assert f"nothing was written, since {tmp_path} refused: Permission denied" in result.stderr
    assert list(tmp_path.iterdir()) == []


# --- new op -------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", ["", "src", "src/opgrad_acme", "tests", ".github/workflows"])
def test_a_new_op_is_two_files_and_two_lines(plugin, inside):
    """From any folder of the plugin."""
    before = files(plugin)
    new_op("symlog", plugin / inside)
    after = files(plugin)
    hook = [files[HOOK].decode().splitlines() for files in (before, after)]
    changes = [line for line in difflib.ndiff(*hook) if line[0] != " "]

    assert set(after) - set(before) == {"src/opgrad_acme/symlog.py", "tests/test_symlog.py"}
    assert changes == ["+ from opgrad_acme.symlog import symlog", "+         symlog,"]
    assert {name for name in before if before[name] != after[name]} == {HOOK}


def test_imports_of_new_ops_stand_in_the_order_that_ruff_wants(plugin):
    """By name, a number in it counted as one; the order of the ops is that of their making."""
    for name in ("b10", "zeta", "b2", "alpha"):
        new_op(name, plugin)
    lines = (plugin / HOOK).read_text().splitlines()

    assert [line.split()[-1] for line in lines if line.startswith("from opgrad_acme")] == [
        *("alpha", "b2", "b10", "hinge", "zeta")
    ]
    assert [line.strip(" ,") for line in lines if line.startswith("        ")] == [
        *("hinge", "b10", "zeta", "b2", "alpha")
    ]


IMPORT = "import opgrad\nfrom opgrad_acme.hinge import hinge\n"
ADDED = f"{IMPORT}from opgrad_acme.symlog import symlog\n"
NAMED = "@opgrad.hookimpl\ndef opgrad_ops():\n    return OPS\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("OPS = (hinge,)\n", "OPS = (hinge, symlog)\n"),
        ("OPS = [hinge]\n", "OPS = [hinge, symlog]\n"),
        ("OPS: tuple = (hinge, hinge2,)\n", "OPS: tuple = (hinge, hinge2, symlog)\n"),
        ("OPS = hinge, hinge2\n", "OPS = hinge, hinge2, symlog\n"),
        ("OPS = ()\n", "OPS = (symlog,)\n"),
        ("OPS = []\n", "OPS = [symlog]\n"),
        ("OPS = (*smooth.OPS, hinge)\n", "OPS = (*smooth.OPS, hinge, symlog)\n"),
        (
            "OPS = [\n    hinge  # no comma, and (a bracket) in a comment\n]\n",
            "OPS = [\n    hinge,  # no comma, and (a bracket) in a comment\n    symlog,\n]\n",
        ),
        (
            "OPS = (\n  hinge,  # ours\n  # more to come,\n)  # the end\n",
            "OPS = (\n  hinge,  # ours\n  # more to come,\n  symlog,\n)  # the end\n",
        ),
        ("OPS = (hinge,\n       hinge2)\n", "OPS = (hinge,\n       hinge2, symlog)\n"),
        ("OPS = (\n    'é', hinge,\n)\n", "OPS = (\n    'é', hinge,\n    symlog,\n)\n"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
def test_the_hook_as_its_author_wrote_it_gets_an_op_more(plugin, before, after, newline):
    """Comments, layout and line ends stay as they are."""
    hook = plugin / HOOK
    hook.write_text(f"{IMPORT}\n{before}\n{NAMED}", encoding="utf-8", newline=newline)
    new_op("symlog", plugin)

    assert hook.read_bytes().decode() == f"{ADDED}\n{after}\n{NAMED}".replace("\n", newline)


def test_the_first_import_of_a_package_is_a_block_of_its_own(plugin):
    """As ruff sorts imports: what is installed, then what is here."""
    hook = plugin / HOOK
    rest = "\n\n@opgrad.hookimpl\ndef opgrad_ops():\n    return []\n"
    hook.write_text(f"import opgrad\n{rest}")
    new_op("symlog", plugin)

    assert hook.read_text() == (
        "import opgrad\n\nfrom opgrad_acme.symlog import symlog\n"
        + rest.replace("return []", "return [symlog]")
    )


@pytest.mark.parametrize(
    "source",
    [
        f"{IMPORT}@opgrad.hookimpl\ndef opgrad_ops():\n    return tuple(all_of_them())\n",
        f"{IMPORT}OPS = tuple(x for x in (hinge,))\n{NAMED}",
        f"{IMPORT}OPS = (hinge,)\nOPS = (hinge, hinge)\n{NAMED}",
        f"{IMPORT}OPS = (\n    hinge\n    ,)\n{NAMED}",
        f"{IMPORT}@opgrad.hookimpl\ndef opgrad_ops():\n    yield hinge\n",
        f"{IMPORT}def opgrad_ops():\n    if x:\n        return [hinge]\n    return []\n",
        "def opgrad_ops():\n    return []\n",
        f"{IMPORT}from elsewhere import opgrad_ops\n",
    ],
)
def test_a_hook_that_cannot_be_added_to_is_left_alone(plugin, source):
    """The error says which lines to write by hand; nothing was written."""
    (plugin / HOOK).write_text(source)
    before = files(plugin)
    message = refusal(new_op, "symlog", plugin)

    assert message.startswith(f"opgrad_ops in {HOOK} does not return ops written out one by one")
    assert "`from opgrad_acme.symlog import symlog`" in message
    assert files(plugin) == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hinge", "'hinge' is defined in src/opgrad_acme/hinge.py, line 15; choose another name"),
        ("hinge_derivative", "'hinge_derivative' is defined in src/opgrad_acme/hinge.py, line"),
        ("opgrad", f"{HOOK} has something named 'opgrad'; choose another name"),
        ("opgrad_ops", f"'opgrad_ops' is defined in {HOOK}"),
        ("helpers", "src/opgrad_acme/helpers.py exists; choose another name"),
        ("tried", "tests/test_tried.py exists; choose another name"),
        ("Symlog", "'Symlog' is not"),
        ("lambda", "'lambda' is not"),
        ("_hidden", "'_hidden' is not"),
        ("symlog_", "no underscore last, no keyword of Python; 'symlog_' is not"),
        ("sym-log", "'sym-log' is not"),
        ("other.symlog", "has the namespaces acme: write one of them before the op"),
    ],
)
def test_a_name_that_is_taken_or_cannot_be_one_is_refused(plugin, name, message):
    """Whatever has it, an op or a file; nothing is written."""
    (plugin / "src/opgrad_acme/helpers.py").write_text("")
    (plugin / "tests/test_tried.py").write_text("")
    before = files(plugin)

    assert message in refusal(new_op, name, plugin)
    assert files(plugin) == before


def test_outside_of_a_plugin_no_op_is_made(tmp_path):
    """The error says where to go, and what makes a plugin."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "no-plugin"\n')
    message = refusal(new_op, "symlog", tmp_path)

    assert message.startswith(f"neither {tmp_path} nor a folder above it has a pyproject.toml")
    assert "`opgrad new plugin NAME`" in message


@pytest.mark.parametrize(
    ("pyproject", "message"),
    [
        ("[project", "cannot be read"),
        (
            '[project.entry-points."opgrad.plugins"]\nacme = "elsewhere"\n',
            "names elsewhere, and {} has no package of that name",
        ),
    ],
    ids=["no TOML", "no such package"],
)
def test_a_plugin_whose_files_are_not_where_they_should_be_is_refused(plugin, pyproject, message):
    """The error says what was looked for, and where."""
    (plugin / "pyproject.toml").write_text(pyproject)

    assert message.format(plugin) in refusal(new_op, "symlog", plugin)


def test_a_hook_in_a_file_that_does_not_parse_is_refused(plugin):
    """With the line that does not."""
    (plugin / HOOK).write_text("import opgrad\ndef opgrad_ops(:\n")

    assert refusal(new_op, "symlog", plugin).startswith(f"{HOOK}, line 2: ")


def test_of_two_namespaces_in_one_package_one_is_named(plugin):
    """Before the op; without it the error names both."""
    pyproject = plugin / "pyproject.toml"
    entry = 'acme = "opgrad_acme"\n'
    text = pyproject.read_text().replace(entry, f'{entry}zinc = "opgrad_acme.zinc.plugin:hooks"\n')
    pyproject.write_text(text)
    zinc = plugin / "src/opgrad_acme/zinc/plugin.py"
    zinc.parent.mkdir()
    zinc.write_text("import opgrad\n\n\ndef opgrad_ops():\n    return []\n")

    assert "has the namespaces acme, zinc: " in refusal(new_op, "symlog", plugin)
    assert new_op("zinc.symlog", plugin).created == (
        "src/opgrad_acme/zinc/symlog.py",
        "tests/test_symlog.py",
    )
    assert "\nfrom opgrad_acme.zinc.symlog import symlog\n" in zinc.read_text()
    assert "opgrad.ops.zinc.symlog" in (plugin / "tests/test_symlog.py").read_text()


def test_without_a_folder_of_tests_no_test_is_written(plugin):
    """A layout of the author's own is not added to."""
    for test in (plugin / "tests").iterdir():
        test.unlink()
    (plugin / "tests").rmdir()

    assert new_op("symlog", plugin).created == ("src/opgrad_acme/symlog.py",)


@pytest.mark.parametrize("failing", ["open", "replace"])
def test_an_op_that_cannot_be_written_to_the_end_leaves_nothing(plugin, monkeypatch, failing):
    """Neither the files nor the line in the hook."""
    real = getattr(Path, failing)
    before = files(plugin)

    def fails(path, *arguments, **keywords):
        if failing == "replace" or path.name == "test_symlog.py":
            raise OSError("no space left")
        return real(path, *arguments, **keywords)

    monkeypatch.setattr(Path, failing, fails)
    with pytest.raises(OSError, match="no space left"):
        new_op("symlog", plugin)
    monkeypatch.undo()

    assert files(plugin) == before


# --- the command --------------------------------------------------------------------------------


def test_the_command_says_what_it_wrote_and_what_to_type_next(invoke, tmp_path):
    """Paths are those from where it was typed."""
    first = invoke(tmp_path, "new", "plugin", "acme")
    second = invoke(tmp_path / "opgrad-acme" / "tests", "new", "op", "symlog")

    assert first.stdout.splitlines() == [
        *[f"created {Path('opgrad-acme', name)}" for name in PACKAGE],
        "next:",
        "  cd opgrad-acme",
        '  pip install -e ".[test]"',
        "  pytest",
    ]
    assert second.stdout.splitlines() == [
        f"created {Path('../src/opgrad_acme/symlog.py')}",
        f"created {Path('../tests/test_symlog.py')}",
        f"changed {Path('..', HOOK)}",
        "next:",
        "  cd ..",
        "  write the formula, its derivative and its samples into src/opgrad_acme/symlog.py",
        "  write numbers known by hand into tests/test_symlog.py",
        '  pip install -e ".[test]"',
        "  pytest",
        "  opgrad check acme.symlog",
    ]


def test_the_command_as_json(invoke, tmp_path):
    """The folder is absolute, what is in it relative to it."""
    made = invoke(tmp_path, "new", "plugin", "acme", "--json")
    added = invoke(tmp_path / "opgrad-acme", "new", "op", "symlog", "--json")

    assert json.loads(made.stdout) == {
        "folder": str(tmp_path / "opgrad-acme"),
        "created": PACKAGE,
        "changed": [],
        "next": ["cd opgrad-acme", 'pip install -e ".[test]"', "pytest"],
    }
    assert json.loads(added.stdout)["created"] == [
        "src/opgrad_acme/symlog.py",
        "tests/test_symlog.py",
    ]
    assert json.loads(added.stdout)["changed"] == [HOOK]


def test_an_op_in_a_plugin_that_is_installed_from_here_needs_no_installing(
    invoke, plugin, monkeypatch
):
    """An editable install sees the new file."""
    source = Source("acme", ("opgrad_acme",), "opgrad-acme", "0.1.0", editable=True)
    monkeypatch.setattr(type(PLUGINS), "sources", lambda _: {"acme": [source]})
    said = invoke(plugin, "new", "op", "symlog").stdout

    assert "pip" not in said
    assert said.endswith("  pytest\n  opgrad check acme.symlog\n")


def test_into_is_the_folder_that_gets_the_new_one(invoke, tmp_path):
    """It exists already; a slip of the pen makes no folder."""
    (tmp_path / "plug ins").mkdir()
    made = invoke(tmp_path, "new", "plugin", "acme", "--into", "plug ins")
    refused = invoke(tmp_path, "new", "plugin", "acme", "--into", "elsewhere")

    assert (tmp_path / "plug ins/opgrad-acme/pyproject.toml").is_file()
    assert "  cd 'plug ins/opgrad-acme'\n" in made.stdout
    assert (refused.exit_code, list(tmp_path.iterdir())) == (USAGE, [tmp_path / "plug ins"])


@pytest.mark.parametrize("arguments", [("plugin", "tanh"), ("op", "symlog"), ("plugin",), ("x",)])
def test_a_refusal_is_a_matter_of_usage(invoke, tmp_path, arguments):
    """Exit code 2, and the reason on stderr."""
    refused = invoke(tmp_path, "new", *arguments)

    assert refused.exit_code == USAGE
    assert "Error: " in refused.stderr
    assert refused.stdout == ""
