"""The lock: who supplies each op, from which source, and that every change is named."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import opgrad
from opgrad import locking, ops
from opgrad.cli import FINDINGS, FINE, USAGE
from opgrad.cli.commands import cli
from opgrad.errors import OpgradError
from opgrad.locking import Difference

OP = """
import opgrad

@opgrad.elementwise
def {name}(x):
    return x * x

@{name}.derivative
def {name}_derivative(x):
    return 2.0 * x
"""
HOOK = """
@opgrad.hookimpl
def opgrad_ops():
    return [{names}]
"""


def plugin(*names):
    """Write the source of a plugin with these ops."""
    return "".join(OP.format(name=name) for name in names) + HOOK.format(names=", ".join(names))


@pytest.fixture
def package(site):
    """`opgrad-acme`: a package whose two ops, `square` and `cube`, each have a file."""
    folder = site.path / "opgrad_acme"
    folder.mkdir()
    (folder / "squares.py").write_text(OP.format(name="square"))
    (folder / "cubes.py").write_text(OP.format(name="cube"))
    (folder / "__init__.py").write_text(
        "import opgrad\nfrom opgrad_acme.cubes import cube\n"
        "from opgrad_acme.squares import square\n" + HOOK.format(names="square, cube")
    )
    site.add("acme", None)

    return folder


@pytest.fixture
def lock(site):
    """Run `opgrad lock` in a process of its own; return it when it has ended."""

    def run(*arguments, **environment):
        done = site.call(
            "-m", "opgrad", "lock", *arguments, PYTHONDONTWRITEBYTECODE="1", **environment
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


@pytest.fixture
def locked(lock, site):
    """What `opgrad lock acme` writes."""

    def take(*arguments, **environment):
        done = lock("acme", *arguments, **environment)
        assert done.returncode == FINE, done.stderr
        return json.loads((site.elsewhere / "opgrad.lock.json").read_text())

    return take


def changes(lock, *arguments, **environment):
    """Return the exit code of `opgrad lock --check`, and what differs, as (op, what)."""
    done = lock("--check", "--json", *arguments, **environment)

    return done.returncode, [(d["op"], d["what"]) for d in json.loads(done.stdout)["differences"]]


def reinstall(site, version, distribution="opgrad-acme"):
    """Install another version of the distribution, or another distribution, in its place."""
    for info in site.path.glob("*.dist-info"):
        shutil.rmtree(info)
    site.add("acme", None, version=version, distribution=distribution)


# --- what is written ----------------------------------------------------------------------------


def test_the_lock_names_the_supplier_and_the_source_of_each_op(package, locked):
    """Distribution, version, module and a hash; one hash a file, for the ops differ in theirs."""
    found = locked()
    square, cube = found["ops"]["acme.square"], found["ops"]["acme.cube"]

    assert set(found) == {"format", "namespaces", "ops"}
    assert list(found["ops"]) == ["acme.cube", "acme.square"]
    assert square["distribution"] == "opgrad-acme"
    assert square["version"] == "1.0"
    assert square["module"] == "opgrad_acme.squares"
    assert square["source"].startswith("sha256:")
    assert square["source"] != cube["source"]


def test_the_lock_holds_no_path_of_this_machine(package, locked, site):
    """It is kept under version control and read elsewhere."""
    text = json.dumps(locked())

    assert os.fspath(site.path) not in text
    assert sys.prefix not in text
    assert os.fspath(Path(opgrad.__file__).parent) not in text


def test_without_names_everything_that_is_switched_on_is_locked(package, lock, site):
    """The built-in ops, those loaded on first use among them, and each plugin's."""
    done = lock("--json", OPGRAD_PLUGINS="acme")
    facts = json.loads(done.stdout)
    found = json.loads((site.elsewhere / "opgrad.lock.json").read_text())

    assert {"acme.cube", "core.add", "linalg.solve", "fft.fft"} <= set(found["ops"])
    assert found["namespaces"] is None
    assert facts["suppliers"] == [f"opgrad {opgrad.__version__}", "opgrad-acme 1.0"]
    assert facts["ops"] == len(found["ops"])
    assert facts["without_source"] == []
    assert changes(lock, OPGRAD_PLUGINS="acme") == (FINE, [])


def test_line_endings_and_places_make_no_difference(package, locked, lock, site):
    """The same sources, checked out on another system, in another folder, installed editable."""
    locked()
    for file in package.glob("*.py"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    moved = site.path.with_name("moved")
    site.path.rename(moved)
    site.path = moved
    (moved / "opgrad_acme-1.0.dist-info" / "direct_url.json").write_text(
        '{"dir_info": {"editable": true}, "url": "file:///somewhere"}'
    )

    assert changes(lock) == (FINE, [])


# --- what is found ------------------------------------------------------------------------------


def test_an_edited_source_names_the_ops_of_that_file(package, locked, lock):
    """Exactly those."""
    locked()
    file = package / "cubes.py"
    file.write_text(file.read_text().replace("2.0 * x", "3.0 * x"))

    assert changes(lock) == (FINDINGS, [("acme.cube", "source")])


def test_a_rule_in_another_file_counts(site, locked, lock):
    """And so does the function within a decorated one."""
    (site.path / "acme_rules.py").write_text("""
import functools

def square_derivative(x):
    return 2.0 * x

def outer(inner):
    @functools.wraps(inner)
    def call(x):
        return inner(x)
    return call
""")
    (site.path / "acme_forward.py").write_text("def double(x):\n    return x + x\n")
    site.add(
        "acme",
        """
        import opgrad, acme_forward, acme_rules

        @opgrad.elementwise
        def square(x):
            return x * x

        square.derivative(acme_rules.square_derivative)
        decorated = acme_rules.outer(acme_forward.double)
        double = opgrad.composite(elementwise=True, name="double")(decorated)

        @opgrad.hookimpl
        def opgrad_ops():
            return [square, double]
        """,
    )
    locked()
    found = []
    for name in ("acme_forward.py", "acme_rules.py"):
        file = site.path / name
        file.write_text(file.read_text() + "\n# edited\n")
        found.append(changes(lock)[1])

    assert found[0] == [("acme.double", "source")]
    assert found[1] == [("acme.double", "source"), ("acme.square", "source")]


def test_another_version_is_named_for_each_of_its_ops(package, locked, lock, site):
    """Also where no source of an op has changed: what it imports may have."""
    locked()
    reinstall(site, "1.1")

    assert changes(lock) == (FINDINGS, [("acme.cube", "version"), ("acme.square", "version")])


def test_another_supplier_is_named(package, locked, lock, site):
    """The same names from another distribution."""
    locked()
    reinstall(site, "1.0", distribution="acme-tools")

    assert changes(lock)[1] == [("acme.cube", "distribution"), ("acme.square", "distribution")]


def test_new_and_missing_ops_are_named(site, locked, lock):
    """One went, one came."""
    file = site.add("acme", plugin("square", "cube"))
    locked()
    file.write_text(plugin("square", "fourth"))
    code, found = changes(lock)

    assert code == FINDINGS
    assert found[:2] == [("acme.cube", "missing"), ("acme.fourth", "new")]


def test_ops_of_a_plugin_that_cannot_be_used_are_missing_and_say_why(site, locked, lock):
    """Broken, switched off, or gone."""
    file = site.add("acme", plugin("square"))
    locked()
    switched_off = lock("--check", OPGRAD_DISABLE_PLUGINS="acme")
    file.write_text("1 / 0")
    broken = lock("--check")
    shutil.rmtree(site.path / "opgrad_acme-1.0.dist-info")
    gone = lock("--check")

    assert [done.returncode for done in (switched_off, broken, gone)] == [FINDINGS] * 3
    assert "switched off by OPGRAD_DISABLE_PLUGINS" in switched_off.stdout
    assert "ZeroDivisionError" in broken.stdout
    assert "no installed plugin provides 'acme'" in gone.stdout


def test_a_lock_is_complete_or_not_written(site, lock):
    """A plugin that cannot be used would leave its ops out."""
    site.add("acme", "1 / 0")
    done = lock(OPGRAD_PLUGINS="acme")

    assert done.returncode == FINDINGS
    assert "ZeroDivisionError" in done.stderr
    assert not (site.elsewhere / "opgrad.lock.json").exists()


def test_the_check_covers_what_was_locked(package, locked, lock, site):
    """Plugins outside the namespaces that were named are none of its business."""
    locked()
    site.add("umbrella", plugin("square"))

    assert changes(lock) == (FINE, [])
    assert changes(lock, "acme") == (FINE, [])


def test_a_plugin_installed_since_is_new_where_everything_was_locked(package, lock, site):
    """Each of its ops."""
    lock(OPGRAD_PLUGINS="acme,umbrella")
    site.add("umbrella", plugin("square"))

    assert changes(lock, OPGRAD_PLUGINS="acme,umbrella")[1] == [("umbrella.square", "new")]
    assert changes(lock, "acme", OPGRAD_PLUGINS="acme,umbrella") == (FINE, [])


# --- kernels ------------------------------------------------------------------------------------

KERNEL = """
import opgrad

@opgrad.kernel("acme.square", data="scalar")
def fast_square(x):
    return x ** 2

@opgrad.hookimpl
def opgrad_kernels():
    return [fast_square]
"""


def test_a_preferred_kernel_is_locked(package, locked, lock, site):
    """With its supplier and source; that it runs no longer, or is another, is a difference."""
    file = site.add("umbrella", KERNEL)
    found = locked(OPGRAD_PREFER="umbrella")["ops"]
    file.write_text(file.read_text().replace("x ** 2", "x ** 2.0"))

    assert "kernels" not in found["acme.cube"]
    assert found["acme.square"]["kernels"]["scalar"]["distribution"] == "opgrad-umbrella"
    assert changes(lock)[1] == [("acme.square", "scalar kernel")]
    assert changes(lock, OPGRAD_PREFER="umbrella")[1] == [("acme.square", "scalar kernel: source")]


def test_a_kernel_preferred_since_is_a_difference(package, locked, lock, site):
    """What was locked ran the op itself."""
    site.add("umbrella", KERNEL)
    locked()
    done = lock("--check", OPGRAD_PREFER="umbrella")

    assert done.returncode == FINDINGS
    assert "acme.square  scalar kernel  none    opgrad-umbrella 1.0" in done.stdout


# --- ops of no distribution ---------------------------------------------------------------------


def test_a_local_op_is_locked_by_module_and_source():
    """One that no plugin brings, as in a script."""

    @opgrad.composite
    def double(x):
        return x + x

    entry = locking.entries([double])["local.double"]

    assert entry["distribution"] is None
    assert entry["module"] == __name__
    assert entry["source"].startswith("sha256:")


def test_an_op_typed_at_a_prompt_has_no_source():
    """There is no file: it is locked by its module alone, and does not differ from itself."""
    scope = {"opgrad": opgrad, "__name__": "__main__"}
    exec("@opgrad.composite\ndef typed(x):\n    return x + x", scope)  # noqa: S102 -- a prompt does so
    entry = locking.entries([scope["typed"]])["local.typed"]

    assert entry["source"] is None


def test_ops_brought_by_hand_are_locked_with_the_rest():
    """In a frozen application, and in the process that has brought them."""

    class ByHand:
        @opgrad.hookimpl
        def opgrad_ops(self):
            return [opgrad.composite(lambda x: x, name="same")]

    opgrad.load_plugin(ByHand(), "acme")
    try:
        entry = locking.lock_of(locking.in_use(["acme"]))["ops"]["acme.same"]
    finally:
        opgrad.plugins.PLUGINS.forget("acme")

    assert (entry["distribution"], entry["version"]) == ("load_plugin", "by hand")
    assert entry["source"].startswith("sha256:")


# --- the command --------------------------------------------------------------------------------


@pytest.fixture
def invoke(tmp_path):
    """Run `opgrad lock` in this process, on a file of the test's own."""
    path = tmp_path / "my.lock.json"

    def run(*arguments):
        return CliRunner().invoke(cli, ["lock", "--file", str(path), *arguments])

    run.path = path
    return run


def test_lock_says_what_it_wrote_and_check_that_it_holds(invoke):
    """In a sentence each."""
    written = invoke("fft")
    checked = invoke("--check")

    assert (
        f"my.lock.json: {len(opgrad.plugins.REGISTRY.table('fft'))} ops of opgrad" in written.stdout
    )
    assert written.exit_code == checked.exit_code == FINE
    assert checked.stdout.startswith("every op is as")


def test_check_prints_a_line_for_each_difference(invoke):
    """Op, what differs, as it was, as it is; hashes as far as anybody reads them."""
    invoke("fft")
    lock = json.loads(invoke.path.read_text())
    lock["ops"]["fft.fft"] |= {"version": "0.0.1", "source": "sha256:" + "0" * 64}
    lock["ops"]["fft.old"] = lock["ops"]["fft.ifft"]
    invoke.path.write_text(json.dumps(lock))
    result = invoke("--check")
    rows = [line.split() for line in result.stdout.splitlines()[1:]]

    assert result.exit_code == FINDINGS
    assert rows[0] == ["fft.fft", "version", "0.0.1", opgrad.__version__]
    assert rows[1][:3] == ["fft.fft", "source", "sha256:000000000000"]
    assert rows[2][:2] == ["fft.old", "missing"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--check",), "`opgrad lock` writes one"),
        (("nobody",), "no installed plugin provides 'nobody'"),
    ],
)
def test_mistakes_are_usage_errors(invoke, arguments, reason):
    """No lock to check, no plugin to lock."""
    result = invoke(*arguments)

    assert result.exit_code == USAGE
    assert reason in result.stderr
    assert not invoke.path.exists()


def test_a_namespace_that_was_not_locked_cannot_be_checked(invoke):
    """The error says which were."""
    invoke("fft")
    result = invoke("--check", "linalg")

    assert result.exit_code == USAGE
    assert "locks fft, and not linalg" in result.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is no lock of opgrad"),
        ("[]", "not as `opgrad lock` writes it"),
        ('{"format": 2, "namespaces": null, "ops": {}}', "of format 2, and this opgrad reads 1"),
        ('{"format": 2, "suppliers": []}', "of format 2, and this opgrad reads 1"),
        ('{"format": true, "namespaces": null, "ops": {}}', "write it anew"),
        ('{"format": 1, "ops": {}}', "write it anew"),
        ('{"format": 1, "namespaces": "fft", "ops": {}}', "write it anew"),
        ('{"format": 1, "namespaces": [1], "ops": {}}', "write it anew"),
        ('{"format": 1, "namespaces": [], "ops": {}}', "write it anew"),
        ('{"format": 1, "namespaces": ["fft"], "ops": {"fft.fft": 3}}', "write it anew"),
        (
            '{"format": 1, "namespaces": ["fft"], "ops": {"fft.fft": {"kernels": [1]}}}',
            "write it anew",
        ),
    ],
)
def test_what_is_no_lock_is_refused(tmp_path, text, reason):
    """Or one of a later opgrad, or one that was edited: half a lock must not look kept."""
    path = tmp_path / "lock.json"
    path.write_text(text)

    with pytest.raises(OpgradError, match=reason):
        locking.read(path)


def test_a_mark_of_an_editor_is_no_difference(tmp_path):
    """Some write one before UTF-8, and end lines as their system does."""
    path = tmp_path / "lock.json"
    lock = locking.lock_of(locking.in_use(["fft"]))
    locking.write(path, lock)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert locking.read(path) == lock


def test_a_link_to_a_lock_stays_one(tmp_path):
    """What it leads to is written."""
    link, path = tmp_path / "link.json", tmp_path / "lock.json"
    link.symlink_to(path)
    locking.write(link, {"format": 1, "namespaces": None, "ops": {}})

    assert link.is_symlink()
    assert locking.read(path)["ops"] == {}


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    """The place that was asked for, not the file beside it that is written first."""
    path = tmp_path / "nowhere" / "lock.json"
    with pytest.raises(OpgradError, match=rf"{re.escape(str(path))} cannot be written: No such"):
        locking.write(path, {})


def test_differences_are_told_of_the_ops_given():
    """The function behind the command, on a lock made by hand."""
    found = locking.in_use(["fft"])
    lock = locking.lock_of(found)
    name = found.ops[0].qualname
    lock["ops"][name] = {**lock["ops"][name], "module": "elsewhere"}

    assert locking.differences(lock, found) == [
        Difference(name, "module", "elsewhere", found.ops[0].forward.__module__)
    ]


def test_another_process_finds_the_same_source():
    """Whatever it has compiled, and with whatever flags."""
    entry = locking.entries([ops.tanh])["core.tanh"]
    program = (
        "from opgrad import locking, ops; print(locking.entries([ops.tanh])['core.tanh']['source'])"
    )
    printed = subprocess.run(
        [sys.executable, "-O", "-c", program], capture_output=True, text=True, check=True
    ).stdout

    assert printed.strip() == entry["source"]
