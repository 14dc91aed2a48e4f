"""`opgrad doctor`: what it finds in metadata, variables and trials, and the page it prints.

What plugins do to their process is in test_faults.py.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import opgrad
from opgrad.cli import FINDINGS, FINE, INTERRUPTED, USAGE
from opgrad.cli.commands import cli
from opgrad.diagnosis import checkup
from opgrad.diagnosis.capture import Capture, Import
from opgrad.diagnosis.checkup import check_up
from opgrad.diagnosis.facts import facts
from opgrad.diagnosis.finding import KINDS, Finding
from opgrad.diagnosis.installs import check_installations, check_requirements, installations
from opgrad.diagnosis.trial import Load, Trial, Trials, heaviest
from opgrad.diagnosis.variables import VARIABLES, check_preference_file, check_variables
from opgrad.discovery import Source
from opgrad.errors import UnknownOpError
from opgrad.plugins import Status

GOOD = """
import opgrad

@opgrad.composite
def square(xp, x):
    return x * x

@opgrad.hookimpl
def opgrad_ops():
    return [square]
"""


def run(site, *arguments, **environment):
    """Run `opgrad doctor` in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "OPGRAD_"))}

    return subprocess.run(
        [sys.executable, "-P", "-m", "opgrad", "doctor", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=site.elsewhere,
        env={**kept, "PYTHONPATH": os.fspath(site.path), **environment},
    )


def findings(site, *arguments, **environment):
    """What `opgrad doctor --json` finds."""
    return json.loads(run(site, "--json", *arguments, **environment).stdout)["findings"]


# --- the page -----------------------------------------------------------------------------------


def test_healthy_machine_gives_a_short_page_and_zero(site):
    """What is installed, that all of it loads, and nothing else."""
    site.add("acme", GOOD)
    done = run(site, "acme")

    assert (done.returncode, done.stderr) == (FINE, "")
    assert re.search(r"^acme +opgrad-acme +1\.0 +fine +1 +\d+ ms$", done.stdout, re.MULTILINE)
    assert done.stdout.splitlines()[-1] == "no findings: 1 plugin loads"


def test_finding_is_numbered_with_its_place_and_the_way_out(site):
    """One can act on it without looking anything up."""
    file = site.add("acme", "x = {}['missing']")
    done = run(site, "acme")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    begin = lines.index("1. failure: acme")

    assert done.returncode == FINDINGS
    assert lines[begin + 1 : begin + 4] == [
        "   KeyError: 'missing'",
        f"   at {file}:2",
        "   → repair opgrad-acme 1.0, uninstall it, or set OPGRAD_DISABLE_PLUGINS=acme",
    ]
    assert lines[-1] == "1 finding"


def test_json_has_the_facts_the_plugins_and_the_findings(site):
    """For a machine, and for a bug report."""
    site.add("acme", GOOD, editable=True)
    known = json.loads(run(site, "--json", "acme").stdout)

    assert set(known) == {"facts", "plugins", "findings"}
    assert known["plugins"][0]["state"] == "fine"
    assert known["plugins"][0]["ops"] == 1
    assert known["plugins"][0]["seconds"] > 0
    assert set(known["findings"][0]) == {f.name for f in Finding.__attrs_attrs__}


def test_facts_are_those_of_a_bug_report(monkeypatch):
    """Versions of what opgrad needs, the interpreter, and the switches that are set."""
    monkeypatch.setenv("OPGRAD_STRICT", "1")
    known = facts({"pluggy": "1.7.0", "numpy": "2.3"})

    assert known["opgrad"].startswith(opgrad.__version__)
    assert sys.executable in known["python"]
    assert (known["pluggy"], known["attrs"], known["numpy"]) == ("1.7.0", "not installed", "2.3")
    assert known["OPGRAD_STRICT"] == "1"


def test_switched_off_plugin_is_shown_and_not_imported(site):
    """The doctor tries what a program could use."""
    site.add("acme", GOOD)
    done = run(site, "acme", OPGRAD_DISABLE_PLUGINS="acme")

    assert re.search(r"^acme .* disabled ", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("no findings: 0 plugins load, 1 switched off\n")
    assert site.imports("opgrad_acme") == 0


def test_strict_mode_does_not_let_one_plugin_fail_another(site):
    """Each is tried for itself, whatever OPGRAD_STRICT says."""
    site.add("acme", GOOD)
    site.add("broken", "1 / 0")

    assert findings(site, "acme", OPGRAD_STRICT="1") == []


def test_namespace_that_is_not_installed_is_a_mistake_in_the_usage(site):
    """The message names the nearest."""
    site.add("acme", GOOD)
    done = run(site, "acmee")

    assert done.returncode == USAGE
    assert "no plugin 'acmee' is installed; did you mean 'acme'?" in done.stderr


def test_timeout_is_a_positive_number():
    """Zero seconds are too few for any plugin."""
    assert CliRunner().invoke(cli, ["doctor", "--timeout", "0"]).exit_code == USAGE


def test_doctor_without_packaging_says_what_to_install(site):
    """It reads requirements with it."""
    program = """
        import sys
        sys.modules["packaging"] = sys.modules["packaging.requirements"] = None
        from opgrad.cli import run
        print(run(["doctor"]))
    """

    assert site.run(program) == f"{USAGE}\n"


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_interrupted_doctor_ends_its_processes(site):
    """Ctrl-C is heard at once, however long the limit is, and nothing runs on."""
    source = "import os, time\nwith open(__file__ + '.pid', 'w') as f: f.write(str(os.getpid()))\n"
    file = site.add("acme", f"{source}time.sleep(100)\n")
    written = Path(f"{file}.pid")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OPGRAD_")}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "opgrad", "doctor", "acme", "--timeout=90"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**kept, "PYTHONPATH": os.fspath(site.path)},
        cwd=site.elsewhere,
    ) as doctor:
        for _ in range(600):
            if written.exists() and written.read_text("ascii"):
                break
            time.sleep(0.05)
        doctor.send_signal(2)
        doctor.communicate(timeout=30)

    assert doctor.returncode == INTERRUPTED
    with pytest.raises(ProcessLookupError):
        os.kill(int(written.read_text("ascii")), 0)


@pytest.mark.parametrize(
    ("heading", "known"), [("What the doctor finds", KINDS), ("Switches", VARIABLES)]
)
def test_page_for_users_tells_of_each(heading, known):
    """docs/howto/trust_plugins.md has a row for each kind of finding, and for each variable."""
    page = (Path(__file__).parents[1] / "docs/howto/trust_plugins.md").read_text("utf-8")
    section = page.partition(f"## {heading}")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `([\w ]+)[=\w,]*` \|", section, re.MULTILINE)) == set(known)


# --- plugins ------------------------------------------------------------------------------------


def test_conflict_names_both_distributions(site):
    """One finding, two ways out, and none of the two is imported."""
    site.add("acme", GOOD)
    site.add("acme", None, distribution="acme-tools", version="0.3")
    found = findings(site, "acme")

    assert [one["kind"] for one in found] == ["conflict"]
    assert "acme-tools 0.3 (opgrad_acme) and opgrad-acme 1.0" in found[0]["problem"]
    assert found[0]["remedy"] == "pip uninstall acme-tools or pip uninstall opgrad-acme"
    assert site.imports("opgrad_acme") == 0


def test_namespace_nobody_may_have_is_a_finding(site):
    """Reserved, or malformed: its author has to choose another."""
    site.add("linalg", GOOD, distribution="opgrad-acme")
    found = findings(site, "linalg")

    assert [one["kind"] for one in found] == ["name"]
    assert "reserved" in found[0]["problem"]


def test_plugins_that_are_fine_alone_and_clash_together_are_found(site):
    """Two methods of one name: each plugin loads by itself, and not beside the other."""
    method = GOOD.replace("@opgrad.composite", "@opgrad.composite(methods=('squared', ))")
    site.add("acme", method)
    site.add("umbrella", method)
    found = findings(site, "acme", "umbrella")

    assert [(one["kind"], one["subject"]) for one in found] == [("conflict", "umbrella")]
    assert "acme.square (opgrad-acme 1.0)" in found[0]["problem"]


def test_process_that_ends_with_all_plugins_in_it_is_found(site):
    """Each loads alone; one of them ends the process if it meets the other."""
    site.add("acme", GOOD)
    site.add("umbrella", f"import os, sys\nif 'opgrad_acme' in sys.modules: os._exit(7)\n{GOOD}")
    found = findings(site, "acme", "umbrella")

    assert [(one["kind"], one["subject"]) for one in found] == [("exit", "all plugins")]
    assert "exit code 7" in found[0]["problem"]


def test_plugin_with_a_hook_of_another_opgrad_is_a_failure_that_names_it(site):
    """A hook that this version does not know is not passed over."""
    site.add("acme", f"{GOOD}\n@opgrad.hookimpl\ndef opgrad_executors():\n    return []\n")
    found = findings(site, "acme")

    assert [one["kind"] for one in found] == ["failure"]
    assert "unknown hook 'opgrad_executors'" in found[0]["problem"]


ACME = Source("acme", ("opgrad_acme",), "opgrad-acme", "1.0")


def tried(seconds, own=0.05):
    """A trial whose import took this long."""
    heavy = (Import("heavy_library", seconds),)

    return Trial("fine", loads={"acme": Load(seconds, 1)}, own_seconds=own, heaviest=heavy)


def slow_findings(monkeypatch, *trials):
    """What the doctor finds where the trials of `acme` give these, one after the other."""
    results = iter(trials)
    monkeypatch.setattr(Trials, "run", lambda *_: next(results))
    monkeypatch.setattr(checkup, "_statuses", lambda _: [Status(ACME, "installed")])
    monkeypatch.setattr(checkup, "_check_metadata", lambda *_: [])
    monkeypatch.setattr(checkup, "check_variables", lambda *_: [])
    monkeypatch.setattr(checkup, "check_preference_file", lambda *_: [])

    return [(one.kind, one.problem) for one in check_up().findings]


def test_slow_import_is_found_with_what_is_slow(monkeypatch):
    """More than half a second, and more than five times the import of opgrad."""
    found = slow_findings(monkeypatch, tried(1.5), tried(1.5))

    assert found == [("slow", "its import takes 1.50 s, most of it in heavy_library (1.50 s)")]


def test_import_that_is_slow_once_is_not_slow(monkeypatch):
    """Files are read from disk and compiled but once: the second try counts."""
    assert slow_findings(monkeypatch, tried(1.5), tried(0.1)) == []


def test_import_on_a_slow_machine_is_not_slow(monkeypatch):
    """Where opgrad itself takes long, the machine is to blame."""
    assert slow_findings(monkeypatch, tried(1.5, own=0.4)) == []


def test_heaviest_package_comes_from_the_interpreters_clock(site, monkeypatch):
    """A library that the plugin imports, in a module of its own."""
    (site.path / "heavy_library.py").write_text("import time\ntime.sleep(0.5)\n")
    site.add("acme", f"import heavy_library\n{GOOD}")
    monkeypatch.syspath_prepend(os.fspath(site.path))
    trial = Trials(30.0).run([ACME])

    assert trial.heaviest[0].module == "heavy_library"
    assert trial.heaviest[0].seconds > 0.49


def test_heaviest_are_sums_over_packages_and_modules_of_its_own():
    """What the plugin itself took is what nothing else did."""
    times = [Import("numpy.a", 0.2), Import("numpy", 0.1), Import("opgrad_acme.ops", 0.4)]
    found = heaviest(times, ACME, 1.5)

    assert [one.module for one in found] == ["opgrad_acme", "opgrad_acme.ops", "numpy"]
    assert [round(one.seconds, 6) for one in found] == [0.8, 0.4, 0.3]


def test_result_of_a_trial_in_this_process(site, monkeypatch):
    """The seconds of opgrad and of the plugin are told apart."""
    site.add("acme", f"import time\ntime.sleep(0.2)\n{GOOD}")
    monkeypatch.syspath_prepend(os.fspath(site.path))
    trial = Trials(30.0).run([ACME])

    assert (trial.outcome, trial.ending, trial.printed) == ("fine", "", 0)
    assert trial.own_seconds > 0
    assert trial.loads["acme"].seconds > 0.2


def test_check_up_of_an_unknown_namespace_raises():
    """As any look-up of a name does."""
    with pytest.raises(UnknownOpError, match="no plugin 'nowhere' is installed"):
        check_up(["nowhere"])


# --- what is captured ---------------------------------------------------------------------------


def captured(data, mark=b"MARK "):
    """What a Capture keeps of these bytes."""
    capture = Capture(_Pipe(data), mark)
    capture.start()
    capture.join(10)

    return capture


class _Pipe(io.BytesIO):
    """Bytes that are read by their number, as a pipe's."""

    def __init__(self, data):
        super().__init__()
        self.read_end, write_end = os.pipe()
        with os.fdopen(write_end, "wb") as file:
            file.write(data)

    def fileno(self):
        return self.read_end

    def close(self):
        if not self.closed:
            os.close(self.read_end)
        super().close()


def test_capture_keeps_the_end_and_counts_the_rest():
    """However much is printed, the memory it takes is bounded."""
    capture = captured(b"x\n" * 30_000 + b"the end\n")

    assert capture.printed == 60_008
    assert capture.text().endswith("x\nthe end\n")
    assert len(capture.tail) < 20_000


def test_capture_of_a_line_without_end_is_bounded():
    """Nothing waits for a newline that never comes."""
    capture = captured(b"x" * 60_000)

    assert capture.printed == 60_000
    assert len(capture.text()) <= 8192


def test_capture_takes_the_imports_after_the_mark():
    """Those before it are opgrad's own; text that stands before one is the plugin's."""
    capture = captured(
        b"import time:        10 |         10 | opgrad\n"
        b"MARK /somewhere\n"
        b"hello import time:   2000 |       3000 |   numpy.core\n"
    )

    assert capture.marked == b"/somewhere"
    assert capture.imports == [Import("numpy.core", 0.002)]
    assert capture.text() == "hello "


# --- variables ----------------------------------------------------------------------------------

INSTALLED = ("acme", "umbrella")
BUILT_IN = ("core", "linalg", "fft")


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("OPGRAD_PLUGIN", "acme", r"no variable.*did you mean 'OPGRAD_PLUGINS'\?"),
        ("OPGRAD_DISABLED_PLUGINS", "acme", r"did you mean 'OPGRAD_DISABLE_PLUGINS'\?"),
        ("opgrad_strict", "1", r"did you mean 'OPGRAD_STRICT'\?"),
        ("OPGARD_PLUGINS", "acme", r"did you mean 'OPGRAD_PLUGINS'\?"),
        ("OPGRAD_COLOUR", "red", r"opgrad reads no variable of this name$"),
        ("OPGRAD_PLUGINS", "acme,umbrela", r"'umbrela'.*did you mean 'umbrella'\?"),
        ("OPGRAD_PLUGINS", "acme;umbrella", r"'acme;umbrella'.*separated by commas"),
        ("OPGRAD_DISABLE_PLUGINS", "nowhere", r"'nowhere' is installed$"),
        ("OPGRAD_DISABLE_PLUGINS", "core", r"'core' is built in"),
        ("OPGRAD_STRICT", "false", r"'false' switches strictness on"),
        ("OPGRAD_PREFER", "acmee", r"acmee needs a plugin 'acmee'.*did you mean 'acme'\?"),
        ("OPGRAD_PREFER", "core.tanh=nowhere", r"core\.tanh=nowhere needs a plugin 'nowhere'"),
        ("OPGRAD_PREFER", "nowhere.tanh=acme", r"needs a plugin 'nowhere'"),
        ("OPGRAD_PREFER", "acme core", r"it is written plugin, or op=plugin"),
    ],
)
def test_variable_that_does_not_do_what_it_seems_to(variable, value, problem):
    """One finding, about this variable, with a way out."""
    found = list(check_variables({variable: value, "HOME": "/"}, INSTALLED, BUILT_IN))

    assert [one.subject for one in found] == [variable]
    assert re.search(problem, found[0].problem)
    assert found[0].remedy


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPGRAD_PLUGINS", "acme, umbrella"),
        ("OPGRAD_PLUGINS", ""),
        ("OPGRAD_DISABLE_PLUGINS", "acme,"),
        ("OPGRAD_STRICT", "0"),
        ("OPGRAD_PREFER", "acme, tanh=umbrella"),
        ("OPGRAD_ACME_CACHE", "here"),
        ("MYGRAD_PLUGINS_DIR", "x"),
        ("PLUGINS", "x"),
    ],
)
def test_variable_that_is_right_is_no_finding(variable, value):
    """Nor is a plugin's own, nor what only looks a little like one."""
    assert list(check_variables({variable: value}, INSTALLED, BUILT_IN)) == []


def test_doctor_knows_every_variable_that_opgrad_reads():
    """A new one is known here, or it would be called a mistake."""
    package = Path(opgrad.__file__).parent
    read = {
        name
        for file in package.rglob("*.py")
        if "diagnosis" not in file.parts
        for name in re.findall(r"\bOPGRAD_[A-Z_]+\b", file.read_text("utf-8"))
    }

    assert read == set(VARIABLES)


def test_file_of_preferences_is_looked_at(tmp_path, monkeypatch):
    """A plugin that was uninstalled after somebody preferred it; a file that is damaged."""
    file = tmp_path / "etc/opgrad/prefer.json"
    file.parent.mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", os.fspath(tmp_path))
    file.write_text('{"prefer": ["acme", "core.tanh=nowhere"]}')
    stale = check_preference_file(INSTALLED, BUILT_IN)
    file.write_text("damaged")
    damaged = check_preference_file(INSTALLED, BUILT_IN)

    assert [(one.kind, one.subject) for one in stale] == [("preference", os.fspath(file))]
    assert "core.tanh=nowhere needs a plugin 'nowhere'" in stale[0].problem
    assert [one.remedy for one in damaged] == ["opgrad prefer --clear"]


# --- installations ------------------------------------------------------------------------------


@pytest.fixture
def look(site, monkeypatch):
    """A function that looks at the distributions in `site` alone: its findings."""
    monkeypatch.setattr(sys, "path", [os.fspath(site.path)])
    importlib.invalidate_caches()

    return lambda: list(check_installations(installations()))


def info(site, distribution="opgrad_acme", version="1.0"):
    """The folder of a distribution's metadata."""
    return site.path / f"{distribution}-{version}.dist-info"


def test_installation_in_order_is_no_finding(site, look):
    """Metadata, a module, a record of both."""
    site.add("acme", GOOD)
    (info(site) / "RECORD").write_text("opgrad_acme.py,,\nopgrad_acme-1.0.dist-info/METADATA,,\n")

    assert look() == []


def test_distribution_that_is_no_plugin_is_nobodys_business(site, look):
    """The doctor looks at what has to do with opgrad."""
    site.add("acme", GOOD)
    for copy in ("1.0", "2.0"):
        info(site, "other", copy).mkdir()
        (info(site, "other", copy) / "METADATA").write_text(f"Name: other\nVersion: {copy}\n")

    assert look() == []


def test_leftover_of_an_uninstall_is_found(site, look):
    """A folder without a name: the finding names it, to be deleted."""
    site.add("acme", GOOD)
    (info(site) / "METADATA").unlink()
    found = look()

    assert [one.kind for one in found] == ["stale"]
    assert found[0].remedy == f"delete the folder {info(site)}"


def test_folder_that_pip_was_about_to_delete_is_found(site, look):
    """It begins with a tilde, and has a name and all."""
    site.add("acme", GOOD)
    info(site).rename(site.path / "~pgrad_acme-1.0.dist-info")
    found = look()

    assert [one.kind for one in found] == ["stale"]
    assert found[0].remedy == f"delete the folder {site.path / '~pgrad_acme-1.0.dist-info'}"


def test_metadata_that_cannot_be_read_are_found(site, look):
    """opgrad passes them over, the doctor does not."""
    site.add("acme", GOOD)
    (info(site) / "entry_points.txt").write_bytes(
        b"[opgrad.plugins]\nacme = \xff\n[opgrad.plugins]"
    )
    (info(site) / "entry_points.txt").write_text("[opgrad.plugins]\nacme\n")
    found = look()

    assert [one.kind for one in found] == ["stale"]
    assert "cannot be read" in found[0].problem


def test_distribution_that_is_installed_twice_is_found(site, look, tmp_path, monkeypatch):
    """Both places and versions, and which counts."""
    site.add("acme", GOOD, version="2.0")
    older = tmp_path / "older"
    info(site, version="2.0").rename(site.path / "opgrad_acme-2.0.dist-info")
    folder = older / "Opgrad.Acme-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Name: Opgrad.Acme\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[opgrad.plugins]\nacme = opgrad_acme\n")
    monkeypatch.setattr(sys, "path", [*sys.path, os.fspath(older)])
    found = look()

    assert [one.kind for one in found] == ["stale"]
    assert f"opgrad-acme 2.0 in {site.path}, Opgrad.Acme 1.0 in {older}; the first" in (
        found[0].problem
    )


def test_one_folder_by_two_paths_is_one_installation(site, look, tmp_path, monkeypatch):
    """A link, or a path that is there twice, doubles nothing."""
    site.add("acme", GOOD)
    (tmp_path / "link").symlink_to(site.path)
    monkeypatch.setattr(sys, "path", [*sys.path, os.fspath(tmp_path / "link")])

    assert look() == []


def test_files_that_are_gone_are_found(site, look):
    """What was installed and is no more: the code, not its caches."""
    site.add("acme", GOOD)
    record = "opgrad_acme.py,,\nopgrad_acme_rules.py,,\n__pycache__/opgrad_acme.cpython.pyc,,\n"
    (info(site) / "RECORD").write_text(record)
    found = look()

    assert [one.kind for one in found] == ["stale"]
    assert "1 of its 2 files are gone, among them" in found[0].problem
    assert "opgrad_acme_rules.py" in found[0].problem


@pytest.fixture
def develop(site, tmp_path):
    """A function that installs `acme` editable, from a folder with this pyproject.toml."""

    def install(project):
        folder = tmp_path / "src of acme"
        folder.mkdir()
        (folder / "pyproject.toml").write_text(project)
        site.add("acme", GOOD, editable=True)
        direct = {"dir_info": {"editable": True}, "url": folder.as_uri()}
        (info(site) / "direct_url.json").write_text(json.dumps(direct))

        return folder

    return install


PROJECT = """
[project]
name = "opgrad-acme"
version = "1.0.0"

[project.entry-points."opgrad.plugins"]
acme = "opgrad_acme"
"""


def test_editable_install_that_fits_its_folder_is_no_finding(look, develop):
    """`1.0` and `1.0.0` are one version."""
    develop(PROJECT)

    assert look() == []


def test_editable_install_whose_folder_is_gone_is_found(site, look):
    """Its code cannot be imported any more, and this is why."""
    site.add("acme", GOOD, editable=True)
    found = look()

    assert [one.kind for one in found] == ["editable"]
    assert "its folder /somewhere is gone" in found[0].problem


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"1.0.0"', '"1.1"', "its pyproject.toml says 1.1, its metadata 1.0"),
        ("acme =", "acme2 =", "has the plugins {'acme2': 'opgrad_acme'}, its metadata {'acme'"),
    ],
)
def test_editable_install_that_is_older_than_its_folder_is_found(look, develop, old, new, problem):
    """A new version, or an entry point, that needs `pip install -e` again."""
    folder = develop(PROJECT.replace(old, new))
    found = look()

    assert [one.kind for one in found] == ["editable"]
    assert problem in found[0].problem
    assert found[0].remedy == f"pip install -e {folder}"


def test_entry_point_that_only_the_folder_has_is_found(site, look, develop):
    """A plugin that its author sees in pyproject.toml, and opgrad does not see at all."""
    develop(PROJECT)
    (info(site) / "entry_points.txt").unlink()
    found = look()

    assert [one.kind for one in found] == ["editable"]
    assert found[0].problem.endswith("its metadata {}")


def test_module_that_is_not_there_is_a_stale_installation(site):
    """Not a failure of the plugin's code: there is none."""
    site.add("acme", None)
    found = findings(site, "acme")

    assert [(one["kind"], one["problem"]) for one in found] == [
        ("stale", "its entry point names opgrad_acme, which is not there")
    ]


def test_reason_why_a_module_is_not_there_is_said_once(site):
    """The folder of the editable install is gone: that its module is, too, follows."""
    site.add("acme", None, editable=True)

    assert [one["kind"] for one in findings(site, "acme")] == ["editable"]


def test_package_that_says_another_version_than_its_metadata_is_stale(site):
    """Code and metadata are not of one installation."""
    site.add("acme", f"__version__ = '2.0'\n{GOOD}")
    found = findings(site, "acme")

    assert [(one["kind"], one["problem"]) for one in found] == [
        ("stale", "its metadata say 1.0, its package says 2.0")
    ]


# --- requirements -------------------------------------------------------------------------------


def requirements(site, *lines, installed=()):
    """The findings of a distribution with these lines in its metadata."""
    site.add("acme", GOOD)
    with (info(site) / "METADATA").open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))
    acme = next(one for one in installations() if one.name == "opgrad-acme")

    return list(check_requirements(acme, dict(installed)))


@pytest.mark.usefixtures("look")
def test_plugin_built_for_another_opgrad_is_found(site):
    """It may load, and do what its author never saw."""
    found = requirements(site, "Requires-Dist: opgrad>=99")

    assert [one.kind for one in found] == ["other opgrad"]
    assert found[0].problem == (
        f"it was built for opgrad>=99, and this is opgrad {opgrad.__version__}"
    )


@pytest.mark.usefixtures("look")
@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("Requires-Dist: NumPy>=2", "it needs NumPy>=2, and 1.26 is installed"),
        ("Requires-Dist: scipy", "it needs scipy, which is not installed"),
        ("Requires-Python: >=99", "it needs Python >=99, and this is "),
    ],
)
def test_requirement_that_is_not_met_is_found(site, line, problem):
    """With what is there, and the command that changes it."""
    found = requirements(site, line, installed=[("numpy", "1.26")])

    assert [one.kind for one in found] == ["requirement"]
    assert found[0].problem.startswith(problem)


@pytest.mark.usefixtures("look")
@pytest.mark.parametrize(
    "line",
    [
        "Requires-Dist: opgrad>=0.1",
        "Requires-Dist: numpy>=1",
        "Requires-Dist: torch; extra == 'gpu'",
        "Requires-Dist: tomli; python_version < '3'",
        "Requires-Dist: not a requirement at all",
        "Requires-Python: >=3",
    ],
)
def test_requirement_that_is_met_or_not_asked_for_is_no_finding(site, line):
    """Extras, markers and versions are read as installers read them."""
    assert requirements(site, line, installed=[("numpy", "1.26rc1")]) == []
