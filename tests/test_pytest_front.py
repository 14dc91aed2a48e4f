"""`pytest --opgrad acme` and `opgrad.testing.conformance`: tests without writing tests."""

from __future__ import annotations

import re
import textwrap

import pytest

import opgrad_pytest
from opgrad.testing import TIERS, conformance, suite

ONE_LINE = """
import opgrad

test_conformance = opgrad.testing.conformance("acme")
"""
STRICT = """
[pytest]
addopts = --import-mode=importlib --strict-config --strict-markers
filterwarnings = error
xfail_strict = true
"""
UNRELATED = """
import sys

def test_nothing_of_opgrad_is_imported():
    assert "opgrad_pytest" in sys.modules
    assert not [name for name in sys.modules if name.partition(".")[0] == "opgrad"]
    assert "numpy" not in sys.modules
"""
INTERNALS = ("engine.py", "suite.py", "opgrad_pytest.py", "Traceback")


def run_pytest(site, *arguments, **files):
    """Return what pytest did in a folder that holds these files and nothing else."""
    for name, text in files.items():
        (site.elsewhere / name.replace("__", ".")).write_text(textwrap.dedent(text))

    return site.call("-m", "pytest", "-p", "no:cacheprovider", *arguments, COLUMNS="160")


# --- pytest --opgrad ----------------------------------------------------------------------------


def test_every_op_of_a_namespace_is_a_test_where_there_is_no_file(right):
    """An empty folder is enough; the tests are called as the ops are."""
    done = run_pytest(right, "-v", "--opgrad", "acme")

    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "collected 2 items" in done.stdout
    assert re.search(r"^opgrad::acme\.cube PASSED", done.stdout, re.MULTILINE)
    assert re.search(r"^opgrad::acme\.halve PASSED", done.stdout, re.MULTILINE)


def test_summary_counts_what_was_run_of_each_op(right):
    """A suite that ran nothing does not look like one that ran."""
    printed = run_pytest(right, "--opgrad", "acme").stdout

    assert "opgrad conformance" in printed
    assert re.search(r"^op +run +failed +expected +skipped +gradients$", printed, re.MULTILINE)
    rows = re.findall(r"^acme\.\w+((?: +\d+){5})$", printed, re.MULTILINE)
    assert len(rows) == 2
    for run, failed, expected, _, gradients in (map(int, row.split()) for row in rows):
        assert run > gradients > 0
        assert failed == expected == 0
    assert re.search(r"^2 ops, \d+ checks run \(\d+ of gradients\)", printed, re.MULTILINE)


def test_quiet_summary_is_one_line(right):
    """`-q` leaves the sums."""
    printed = run_pytest(right, "-q", "--opgrad", "acme").stdout

    assert re.search(r"^2 ops, \d+ checks run", printed, re.MULTILINE)
    assert "acme.cube" not in printed


def test_wrong_derivative_fails_with_the_findings_and_no_traceback(wrong):
    """Op, provider, file and line, sample, got and wanted, and a program; nothing of opgrad's."""
    done = run_pytest(wrong, "--opgrad", "acme")

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 passed" in done.stdout
    assert_findings(done.stdout, wrong)


def assert_findings(printed, site):
    """The text has all that a failure is to tell."""
    file = site.path / "opgrad_acme.py"
    line = 1 + [text[:10] for text in file.read_text().splitlines()].index("@opgrad.el")
    place = f"{file}:{line}"

    assert f"acme.cube (opgrad-acme 1.0) at {place} fails 'backward'" in printed
    assert "sample 1, floats" in printed
    assert "got" in printed
    assert "wanted" in printed
    assert "this program shows the first of these:" in printed
    assert not [name for name in INTERNALS if name in printed]


def test_printed_program_fails_by_itself(wrong):
    """What is copied from the failure shows it again."""
    printed = run_pytest(wrong, "--opgrad", "acme.cube", "--tb=short").stdout
    program = printed.partition("this program shows the first of these:\n\n")[2].partition(
        "\n====="
    )[0]
    done = wrong.call("-c", program)

    assert program
    assert done.returncode == 1
    assert "wanted" in done.stdout + done.stderr


def test_one_op_can_be_named_and_overlapping_names_run_it_once(right):
    """The option is repeatable."""
    done = run_pytest(right, "--collect-only", "-q", "--opgrad", "acme.cube", "--opgrad", "acme")

    assert done.stdout.splitlines()[:2] == ["opgrad::acme.cube", "opgrad::acme.halve"]


def test_tests_of_ops_are_chosen_by_name(right):
    """`-k` sees them, as it sees those that were collected from files."""
    done = run_pytest(right, "--opgrad", "acme", "-k", "cube")

    assert "1 passed, 1 deselected" in done.stdout


def test_tests_in_files_run_beside_those_of_the_ops(right):
    """The option adds to what pytest collects: in `addopts` it takes nothing away."""
    done = run_pytest(right, "--opgrad", "acme", test_more__py="def test_more(): pass\n")

    assert "3 passed" in done.stdout


def test_unknown_namespace_is_an_error_of_collection(right):
    """The usual sentence, with the near name, and no test runs."""
    done = run_pytest(right, "--opgrad", "acmee", test_more__py="def test_more(): pass\n")

    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert "no installed plugin provides 'acmee'" in done.stdout
    assert "did you mean 'acme'?" in done.stdout
    assert "no op was checked" in done.stdout
    assert not [name for name in INTERNALS if name in done.stdout]


def test_plugin_that_fails_is_an_error_of_collection(site):
    """With its distribution, and the file and line in it."""
    site.add("acme", "1 / 0")
    done = run_pytest(site, "--opgrad", "acme")

    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert re.search(
        r"opgrad-acme 1\.0\) failed: ZeroDivisionError: .*opgrad_acme.py:2", done.stdout
    )


def test_namespace_without_ops_is_not_green(site):
    """To check nothing is an error."""
    site.add("acme", "import opgrad\n\n@opgrad.hookimpl\ndef opgrad_ops():\n    return []\n")
    done = run_pytest(site, "--opgrad", "acme")

    assert done.returncode != pytest.ExitCode.OK
    assert "'acme' has no ops" in done.stdout


def test_op_without_samples_fails(site):
    """It is differentiable, and no gradient of it was checked."""
    site.add("acme", site.WITHOUT_SAMPLES)
    done = run_pytest(site, "--opgrad", "acme")

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "had no gradient checked: it has no samples" in done.stdout


def test_workers_of_xdist_share_the_ops_and_the_summary(wrong):
    """What they count is printed once, by the process that prints."""
    done = run_pytest(wrong, "-n", "2", "--opgrad", "acme")

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 passed" in done.stdout
    assert len(re.findall(r"^acme\.(?:cube|halve)(?: +\d+){5}$", done.stdout, re.MULTILINE)) == 2
    assert_findings(done.stdout, wrong)


def test_strict_settings_change_nothing(right):
    """Import mode importlib, strict markers and configuration, warnings as errors."""
    files = {"pytest__ini": STRICT, "test_acme__py": ONE_LINE}
    done = run_pytest(right, "--opgrad", "acme", **files)

    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "4 passed" in done.stdout
    assert "warning" not in done.stdout


def test_other_projects_pay_nothing(right):
    """Where no op is asked for, pytest imports one module of opgrad's, and prints nothing."""
    done = run_pytest(right, test_unrelated__py=UNRELATED)

    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "opgrad conformance" not in done.stdout


def test_names_written_twice_are_the_same():
    """The plugin imports nothing of opgrad, so it has its own."""
    assert opgrad_pytest.TIERS == TIERS
    assert opgrad_pytest.COUNTED == suite.COUNTED


# --- opgrad.testing.conformance -----------------------------------------------------------------


def test_one_line_gives_a_test_for_each_op(right):
    """They stand under the name it was given, and in the summary."""
    done = run_pytest(right, "-v", test_acme__py=ONE_LINE)

    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert re.search(
        r"^test_acme\.py::test_conformance\[acme\.cube\] PASSED", done.stdout, re.MULTILINE
    )
    assert re.search(r"^2 ops, \d+ checks run", done.stdout, re.MULTILINE)


def test_one_line_fails_with_the_findings_and_no_traceback(wrong):
    """As with the option."""
    done = run_pytest(wrong, test_acme__py=ONE_LINE)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert_findings(done.stdout, wrong)


def test_unknown_namespace_in_a_file_is_an_error_at_its_line(right):
    """The file of the user is shown, and nothing below it."""
    done = run_pytest(right, test_acme__py=ONE_LINE.replace('"acme"', '"acmee"'))

    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert 'conformance("acmee")' in done.stdout
    assert "UnknownOpError: no installed plugin provides 'acmee'" in done.stdout
    assert not [name for name in INTERNALS if name in done.stdout]


def test_conformance_of_first_party_ops_is_made_of_parameters():
    """The same function for built-in ops; the parameters are the ops."""
    (mark,) = conformance("core.tanh").pytestmark

    assert mark.kwargs["ids"] == ["core.tanh"]
