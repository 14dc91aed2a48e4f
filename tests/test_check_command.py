"""`opgrad check`: what it prints, its JSON, and its exit codes."""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from opgrad.cli import FINDINGS, FINE, INTERRUPTED, USAGE
from opgrad.testing import CHECKS

CTRL_C = (
    "    return 0.5 * x\n",
    "    import os, signal\n    os.kill(os.getpid(), signal.SIGINT)\n    return 0.5 * x\n",
)
KERNELS = """
import opgrad

@opgrad.kernel("core.negative", data="numpy")
def negative(x):
    return -x

@opgrad.kernel("core.square", data="numpy")
def square(x):
    return 1.001 * x * x

@opgrad.kernel("core.cubic", data="numpy")
def cubic(x):
    return x * x * x

@opgrad.hookimpl
def opgrad_kernels():
    return [negative, square, cubic]
"""


def check(site, *arguments, **environment):
    """Return what `opgrad check` did, in a process of its own."""
    return site.call("-m", "opgrad", "check", *arguments, **environment)


# --- what is found ------------------------------------------------------------------------------


def test_right_ops_are_a_table_and_exit_code_0(right):
    """One line an op, below its provider, with what was counted, and one with the sums."""
    done = check(right, "acme")

    assert done.returncode == FINE, done.stdout + done.stderr
    heading, provider, *rows = done.stdout.splitlines()
    columns = ["op", "run", "failed", "expected", "skipped", "gradients", "seconds"]
    assert heading.split() == columns
    assert provider == "opgrad-acme 1.0"
    assert re.match(r"  acme\.cube( +\d+){5} +\d+\.\d\d +ok$", rows[0])
    assert re.match(r"  acme\.halve( +\d+){5} +\d+\.\d\d +ok$", rows[1])
    assert re.match(r"2 ops, \d+ checks run \(\d+ of gradients\), \d+ skipped: 0 failed", rows[-1])
    assert done.stderr == ""


def test_wrong_derivative_is_a_finding(wrong):
    """Op, provider, file and line, sample, got and wanted, and a program."""
    done = check(wrong, "acme")
    place = re.escape(str(wrong.path / "opgrad_acme.py"))

    assert done.returncode == FINDINGS
    assert re.search(r"^  acme\.cube .* FAILED$", done.stdout, re.MULTILINE)
    assert re.search(r"^  acme\.halve .* ok$", done.stdout, re.MULTILINE)
    said = rf"acme\.cube \(opgrad-acme 1\.0\) at {place}:\d+ fails 'backward'"
    assert re.search(said, done.stdout)
    assert "sample 1, floats" in done.stdout
    assert "and on 3 more cases" in done.stdout
    assert "got" in done.stdout
    assert "wanted" in done.stdout
    assert "this program shows the first of these:\n\n" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_printed_program_fails_by_itself(wrong):
    """What is copied from the output shows the failure again."""
    printed = check(wrong, "acme.cube", "--check", "backward").stdout
    program = printed.partition("this program shows it:\n\n")[2].partition("\n\n1 op,")[0]
    shown = wrong.call("-c", program)

    assert "import" in program
    assert shown.returncode == 1
    assert "wanted" in shown.stdout + shown.stderr


def test_op_without_samples_is_a_finding(site):
    """It is differentiable, and no gradient of it was checked: not green."""
    site.add("acme", site.WITHOUT_SAMPLES)
    done = check(site, "acme")

    assert done.returncode == FINDINGS
    assert re.search(r"^  acme\.pair .* VACUOUS$", done.stdout, re.MULTILINE)
    assert "had no gradient checked: it has no samples" in done.stdout


def test_expected_failure_is_told_with_its_reason(site):
    """It is counted by itself, and no finding."""
    declared = dict.fromkeys(failed_checks(site), "a term is missing, issue 7")
    samples = "opgrad.sample(-3.0))"
    site.add_acme(site.A_TERM_IS_MISSING, (samples, f"{samples}, expected_failures={declared!r}"))
    done = check(site, "acme")

    assert done.returncode == FINE, done.stdout
    for name in declared:
        line = f"acme.cube fails {name!r} as expected: a term is missing, issue 7"
        assert done.stdout.splitlines().count(line) == 1


def failed_checks(site):
    """The names of the checks that find the missing term."""
    site.add_acme(site.A_TERM_IS_MISSING)
    (op,) = json.loads(check(site, "acme.cube", "--json").stdout)["ops"]

    return sorted({it["check"] for it in op["outcomes"] if it["status"] == "failed"})


def test_json_holds_every_outcome(wrong):
    """A script needs nothing but stdout."""
    done = check(wrong, "acme", "--json")
    found = json.loads(done.stdout)
    cube, halve = found["ops"]

    assert done.returncode == FINDINGS
    assert (found["ok"], found["complete"], found["tier"]) == (False, True, "standard")
    assert (cube["op"], cube["ok"], halve["ok"]) == ("acme.cube", False, True)
    assert (cube["distribution"], cube["version"]) == ("opgrad-acme", "1.0")
    assert cube["place"].startswith(str(wrong.path / "opgrad_acme.py"))
    assert cube["run"] + cube["skipped"] == len(cube["outcomes"])
    assert cube["failed"] == sum(it["status"] == "failed" for it in cube["outcomes"])
    assert {"check", "case", "status", "reason", "script"} <= set(cube["outcomes"][0])


# --- what is checked ----------------------------------------------------------------------------


def test_one_check_can_be_chosen(right):
    """`--check` runs what it names and nothing else."""
    done = check(right, "acme.cube", "--check", "backward", "--json")
    (op,) = json.loads(done.stdout)["ops"]

    assert done.returncode == FINE
    assert {outcome["check"] for outcome in op["outcomes"]} == {"backward"}


def test_check_that_is_no_gradient_is_not_vacuous_when_chosen(right):
    """Who asks for one thing gets it."""
    value = next(name for name, it in CHECKS.items() if not it.gradient)

    assert check(right, "acme.cube", "--check", value).returncode == FINE


def test_higher_tier_runs_more(right):
    """Each tier has what those before it have."""
    runs = [
        json.loads(check(right, "acme", "--tier", tier, "--json").stdout)["ops"][0]["run"]
        for tier in ("quick", "standard", "full")
    ]

    assert runs == sorted(runs)
    assert runs[0] < runs[-1]


def test_op_is_found_by_the_bare_name_it_alone_has(right):
    """As `opgrad show` finds it."""
    done = check(right, "halve", "--json")

    assert [op["op"] for op in json.loads(done.stdout)["ops"]] == ["acme.halve"]


def test_op_that_is_named_twice_is_checked_once(right):
    """Names may overlap."""
    done = check(right, "acme.halve", "acme", "--json")

    assert [op["op"] for op in json.loads(done.stdout)["ops"]] == ["acme.halve", "acme.cube"]


def test_all_checks_built_in_ops_and_strangers_and_reports_broken_plugins(wrong):
    """A plugin that fails to load is a finding, one that is switched off is told."""
    wrong.add("broken", "1 / 0")
    wrong.add("off", "1 / 0")
    done = check(wrong, "--all", "--check", "value", "--json", OPGRAD_DISABLE_PLUGINS="off")
    found = json.loads(done.stdout)
    namespaces = {op["op"].partition(".")[0] for op in found["ops"]}

    assert done.returncode == FINDINGS
    assert {"core", "linalg", "fft", "acme"} <= namespaces
    assert "off" not in namespaces
    assert [plugin["namespace"] for plugin in found["plugins_failed"]] == ["broken"]
    assert "opgrad-broken 1.0" in done.stderr
    assert "switched off, so not checked: off" in done.stderr


def test_broken_plugin_does_not_hide_a_healthy_one(right):
    """What can be checked is checked; the failure is told with its file and line."""
    right.add("broken", "1 / 0")
    done = check(right, "broken", "acme")

    assert done.returncode == FINDINGS
    assert re.search(r"^  acme\.cube .* ok$", done.stdout, re.MULTILINE)
    assert re.search(r"ZeroDivisionError.*opgrad_broken\.py:2", done.stderr)


# --- usage --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a namespace or an op, or give --all"),
        (("acme", "--all"), "name a namespace or an op, or give --all"),
        (("acmee",), "no installed plugin provides 'acmee'"),
        (("acme.cubee",), "did you mean 'acme.cube'"),
        (("acme", "tanhh"), "'tanhh'"),
        (("acme", "--tier", "huge"), "'huge' is not one of 'quick', 'standard', 'full'"),
        (("acme", "--check", "bogus"), "'bogus' is not one of"),
    ],
    ids=lambda it: " ".join(it) or "nothing" if isinstance(it, tuple) else "",
)
def test_mistake_in_the_usage_is_exit_code_2(right, arguments, said):
    """Nothing is checked, and stderr says what would do."""
    done = check(right, *arguments)

    assert done.returncode == USAGE
    assert said in " ".join(done.stderr.split())
    assert done.stdout == ""


def test_namespace_without_ops_is_not_green(site):
    """To check nothing is a mistake."""
    site.add("acme", "import opgrad\n\n@opgrad.hookimpl\ndef opgrad_ops():\n    return []\n")
    done = check(site, "acme")

    assert done.returncode == USAGE
    assert "'acme' has no ops" in done.stderr


# --- while it runs ------------------------------------------------------------------------------


def test_interrupted_run_prints_what_was_found(site):
    """Ctrl-C during the second op leaves the report of the first; the exit code says it."""
    site.add_acme(CTRL_C)
    done = check(site, "acme")

    assert done.returncode == INTERRUPTED
    assert re.search(r"^  acme\.cube .* ok$", done.stdout, re.MULTILINE)
    assert "acme.halve" not in done.stdout
    assert "of 2 ops, 1 was checked" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pty")
def test_bar_shows_on_a_terminal(right):
    """It says how many ops are done, and leaves a table that fits 80 columns."""
    shown = re.sub(r"\x1b\[[\d;?]*\w|\r", "", on_a_terminal(right, "check", "acme"))

    assert "━" in shown
    assert "0/2" in shown
    assert re.search(
        r"^op +run +failed +expected +skipped +gradients +seconds", shown, re.MULTILINE
    )
    assert re.search(r"opgrad-acme 1\.0\s+acme\.cube", shown)


def on_a_terminal(site, *arguments):
    """Return what `opgrad` writes to a terminal."""
    import pty

    mine, terminal = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment = {"PYTHONPATH": os.fspath(site.path), "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(
        [sys.executable, "-m", "opgrad", *arguments],
        cwd=site.elsewhere, env=kept | environment, stdout=terminal, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    shown = b"".join(parts_of(mine))
    os.close(mine)
    process.wait()

    return shown.decode()


def parts_of(terminal):
    """Yield what is written, until the other end is closed."""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # how Linux says that it is
            return
        if not part:
            return
        yield part


def test_piped_output_has_nothing_of_the_bar(right):
    """Not even where colours are forced."""
    done = check(right, "acme", FORCE_COLOR="1", TTY_COMPATIBLE="1")

    assert "━" not in done.stdout + done.stderr


# --- kernels ------------------------------------------------------------------------------------


@pytest.fixture
def kernels(site):
    """A plugin with a right kernel, a wrong one, and one for an op that is not there."""
    site.add("fast", KERNELS)

    return site


def test_compare_holds_every_kernel_of_a_plugin_against_its_op(kernels):
    """Named by the plugin that offers them; a wrong one, or one for no op, is a finding."""
    done = check(kernels, "--compare", "fast", "--json")
    found = {facts["op"]: facts for facts in json.loads(done.stdout)}

    assert done.returncode == FINDINGS
    assert found.keys() == {"core.negative", "core.square"}
    assert found["core.negative"]["ok"]
    assert not found["core.square"]["ok"]
    assert "core.cubic" in done.stderr


def test_compare_takes_the_name_of_the_op(kernels):
    """Then every kernel for it is looked at, whoever offers it."""
    done = check(kernels, "--compare", "negative")

    assert done.returncode == FINE, done.stdout + done.stderr
    assert re.search(r"fast \(opgrad-fast 1\.0\), numpy data +agrees", done.stdout)
    assert "square" not in done.stdout


def test_compare_without_a_kernel_says_so(kernels):
    """What compared nothing must not look right, unless everything was asked for."""
    done = check(kernels, "--compare", "tanh")

    assert done.returncode == FINDINGS
    assert done.stdout == "no plugin here offers a kernel for that\n"


# --- the page -----------------------------------------------------------------------------------

PAGE = Path(__file__).parent.parent / "docs" / "howto" / "check_ops.md"


def test_page_lists_every_check():
    """Its name, its tier and its promise, in the order in which they run."""
    table = PAGE.read_text(encoding="utf-8").partition("<!-- checks -->")[2]
    listed = re.findall(r"^\| `(.+)` \| (.+) \| (.+) \|$", table, re.MULTILINE)

    assert listed == [(it.name, it.tier, it.summary) for it in CHECKS.values()]


def test_page_shows_the_failure_that_is_printed(wrong):
    """Word for word, but for the folder; `...` is anything."""
    page = PAGE.read_text(encoding="utf-8")
    shown = page.partition('```text title="opgrad check acme"\n')[2].partition("```")[0]
    printed = check(wrong, "acme").stdout
    failure = "\n".join(printed.partition("\n\n")[2].splitlines()[:-2]) + "\n"

    assert doctest.OutputChecker().check_output(shown, failure, doctest.ELLIPSIS), printed
