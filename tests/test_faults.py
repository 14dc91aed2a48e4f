"""Plugins that hang, crash, exit, flood, recurse or vanish, and forty of them that do none of it.

Each row of the table in docs/howto/trust_plugins.md is here: what a program meets that uses the
plugin, and what `opgrad doctor` says of it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from opgrad.diagnosis.trial import Trials
from opgrad.discovery import Source

ACME = Source("acme", ("opgrad_acme",), "opgrad-acme", "1.0")
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and fork are POSIX")

GOOD = """
import opgrad

@opgrad.composite
def square(xp, x):
    return x * x

@opgrad.hookimpl
def opgrad_ops():
    return [square]
"""


@dataclass(frozen=True)
class Fault:
    """One way to misbehave: a module, and what the doctor finds of it."""

    source: str
    kind: str = ""
    says: str = ""
    line: int | None = None
    """Where the plugin is to blame, if the doctor can tell."""


FAULTS = {
    "raises an exception": Fault(
        "x = {}['missing']\n", "failure", r"^KeyError: 'missing'$", line=2
    ),
    "calls `sys.exit`": Fault("import sys\nsys.exit(3)\n", "failure", r"^SystemExit: 3$", line=3),
    "recurses without end": Fault(
        "def loop():\n    return loop()\n\nloop()\n",
        "failure",
        r"^RecursionError: maximum recursion depth",
        line=3,
    ),
    "raises `MemoryError`": Fault("raise MemoryError\n", "failure", r"^MemoryError$", line=2),
    "raises an exception that cannot be printed": Fault(
        "class Mute(Exception):\n    def __str__(self):\n        return 1 / 0\n\nraise Mute\n",
        "failure",
        r"^Mute, which cannot be printed$",
        line=6,
    ),
    "raises `KeyboardInterrupt`": Fault(
        "raise KeyboardInterrupt\n", "failure", r"^KeyboardInterrupt$", line=2
    ),
    "never comes to an end": Fault(
        "import time\nprint('waiting')\ntime.sleep(100)\n",
        "hang",
        r"^it does not come to an end: stopped after 3 s$",
        line=4,
    ),
    "crashes": Fault(
        "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
        "crash",
        r"^SIGSEGV ends the process while it is loaded$",
        line=3,
    ),
    "calls `os._exit`": Fault(
        "import os\nprint('no licence')\nos._exit(4)\n",
        "exit",
        r"^it ends the process with exit code 4 while it is loaded$",
        line=4,
    ),
    "changes the exit code": Fault(
        f"import atexit, os\natexit.register(os._exit, 7)\n{GOOD}",
        "exit",
        r"^it ends the process with exit code 7 after it was loaded$",
    ),
    "floods stderr": Fault(
        f"import sys\nfor _ in range(2000):\n    print('x' * 99, file=sys.stderr)\n{GOOD}",
        "noise",
        r"^it prints 200,000 bytes",
    ),
    "asks for input": Fault("input('name? ')\n", "failure", r"^EOFError", line=2),
    "changes the current directory": Fault(
        f"import os\nos.chdir(os.path.dirname(__file__))\n{GOOD}",
        "side effect",
        r"^its import changes the current directory to .*site$",
    ),
    "leaves a thread running": Fault(
        "import threading\n"
        f"threading.Thread(target=threading.Event().wait, name='poller').start()\n{GOOD}",
        "hang",
        r"^it lets no program end, for it left threads running: poller: stopped after 3 s$",
    ),
    "leaves a process running": Fault(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"with open(__file__ + '.pid', 'w') as file:\n    file.write(str(child.pid))\n{GOOD}"
    ),
    "forks": Fault(f"import os\nos.fork()\n{GOOD}"),
}
"""By the words of the documentation; a plugin without a finding does no harm in another process."""

VANISHING = {"is uninstalled before its first use", "is uninstalled after its first use"}

THE_PAGE = Path(__file__).parents[1] / "docs/howto/trust_plugins.md"


def test_every_fault_that_the_page_tells_of_is_tested_here():
    """The table of the documentation has these rows and no other."""
    rows = re.findall(r"^\| \.\.\. (.*?) \|", THE_PAGE.read_text("utf-8"), re.MULTILINE)

    assert set(rows) == {*FAULTS, *VANISHING}


# --- what the doctor says -----------------------------------------------------------------------


def doctor(site, *arguments, limit=30, **environment):
    """Run `opgrad doctor --json` in a process of its own; its exit code, and what it printed."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "OPGRAD_"))}
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-m",
            "opgrad",
            "doctor",
            "--json",
            f"--timeout={limit}",
            *arguments,
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=site.elsewhere,
        env={**kept, "PYTHONPATH": os.fspath(site.path), **environment},
    )

    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("does", FAULTS)
def test_doctor_names_the_fault_and_its_line(site, does):
    """Whatever a plugin does to its process, the doctor comes to an end and says what it was."""
    if os.name != "posix" and does in {"crashes", "forks"}:
        pytest.skip("signals and fork are POSIX")
    fault = FAULTS[does]
    file = site.add("acme", fault.source)
    code, said = doctor(site, "acme", limit=3 if fault.kind == "hang" else 30)
    places = [f"{file}:{fault.line}"] if fault.line else [""]

    if not fault.kind:
        assert (code, said["findings"]) == (0, [])
    else:
        assert [one["kind"] for one in said["findings"]] == [fault.kind]
        assert re.search(fault.says, said["findings"][0]["problem"])
        assert [one["place"] for one in said["findings"]] == places
        assert code == 1


@pytest.mark.parametrize("does", ["never comes to an end", "calls `os._exit`"])
def test_doctor_shows_the_last_words_of_a_process(site, does):
    """What the plugin printed before the end is often the reason."""
    site.add("acme", FAULTS[does].source)
    _, said = doctor(site, "acme", limit=3)

    assert said["findings"][0]["printed"] in {"waiting", "no licence"}


def test_doctor_tries_the_others_beside_a_plugin_that_hangs(site):
    """One plugin's fault is one finding."""
    site.add("acme", FAULTS["never comes to an end"].source)
    site.add("umbrella", GOOD)
    _, said = doctor(site, "acme", "umbrella", limit=3)
    states = {plugin["namespace"]: plugin["state"] for plugin in said["plugins"]}

    assert states == {"acme": "hung", "umbrella": "fine"}


@POSIX
def test_doctor_ends_what_a_plugin_left_running(site):
    """A process that was started by the import ends with the trial."""
    file = site.add("acme", FAULTS["leaves a process running"].source)
    doctor(site, "acme")
    left = int(Path(f"{file}.pid").read_text("ascii"))

    assert _ended(left)


@POSIX
def test_doctor_ends_what_a_hanging_plugin_started(site):
    """The children of a plugin that is stopped are stopped with it."""
    source = FAULTS["leaves a process running"].source
    file = site.add("acme", f"{source}\nchild.wait()\n")
    doctor(site, "acme", limit=3)

    assert _ended(int(Path(f"{file}.pid").read_text("ascii")))


def _ended(process):
    """Whether a process is gone, or only waits for somebody to take note of its end."""
    try:
        status = Path(f"/proc/{process}/stat").read_text("ascii")
    except OSError:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        return False

    return status.rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize(
    "garbage",
    ["print('{}' * 10)", "import os; os.closerange(0, 50)", "import sys; sys.stdout = None"],
)
def test_doctor_does_not_read_its_answer_from_what_a_plugin_prints(site, monkeypatch, garbage):
    """stdout and stderr are the plugin's, to print on and to close."""
    site.add("acme", f"{garbage}\n{GOOD}")
    monkeypatch.syspath_prepend(os.fspath(site.path))
    trial = Trials(30.0).run([ACME])

    assert (trial.outcome, trial.loads["acme"].ops) == ("fine", 1)


def test_answer_that_is_no_answer_is_none(site, monkeypatch):
    """A plugin that writes into the folder of the trial tells the doctor nothing."""
    source = """
        import glob, os, sys, tempfile
        for folder in glob.glob(os.path.join(tempfile.gettempdir(), "opgrad-doctor-*")):
            with open(os.path.join(folder, "answer.json"), "w") as file:
                file.write('{"loads": [], "own": "nothing"}')
        os._exit(0)
    """
    site.add("acme", source)
    monkeypatch.setenv("TMPDIR", os.fspath(site.elsewhere))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.syspath_prepend(os.fspath(site.path))
    trial = Trials(30.0).run([ACME])

    assert (trial.outcome, trial.ending, trial.loads) == ("exited", "exit code 0", {})


# --- what a program meets -----------------------------------------------------------------------


def ends_with(site, program, typed="", **environment):
    """Run a program that may come to a bad end; its exit code and what it printed."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "OPGRAD_"))}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        check=False,
        input=typed,
        capture_output=True,
        text=True,
        timeout=20,
        cwd=site.elsewhere,
        env={**kept, "PYTHONPATH": os.fspath(site.path), **environment},
    )

    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "does",
    [
        "raises an exception",
        "calls `sys.exit`",
        "recurses without end",
        "raises `MemoryError`",
        "raises an exception that cannot be printed",
    ],
)
def test_failure_is_an_error_of_its_namespace_and_the_program_goes_on(site, does):
    """PluginError, remembered: the second use is told the same, and nothing is imported again."""
    site.add("acme", FAULTS[does].source)
    site.add("umbrella", GOOD)
    first, second, other, built_in = site.said(
        "opgrad.ops.acme", "opgrad.ops.acme", "opgrad.ops.umbrella.square(3.0)",
        "opgrad.ops.add(1.0, 2.0)",
    )  # fmt: skip

    assert re.match(r"PluginError: plugin 'acme' \(opgrad-acme 1\.0\) failed: \w+", first)
    assert second == first
    assert site.imports("opgrad_acme") == 1
    assert (other, built_in) == ("9.0", "3.0")


@pytest.mark.parametrize("does", ["calls `sys.exit`", "raises an exception that cannot be printed"])
def test_failure_of_a_plugin_by_hand_is_the_same_kind_of_error(site, does):
    """A hook that exits does not end the notebook it was typed into."""
    body = FAULTS[does].source.replace("\n", "\n    ").rstrip()
    said = site.said(
        "opgrad.load_plugin(plugin, namespace='acme')",
        before=f"""
import types
@opgrad.hookimpl
def opgrad_ops():
    {body}
plugin = types.SimpleNamespace(opgrad_ops=opgrad_ops)
""",
    )

    assert said.startswith("PluginError: plugin 'acme' (load_plugin by hand) failed: ")


def test_keyboard_interrupt_is_the_users(site):
    """It reaches the program, is not remembered, and the next use tries again."""
    site.add("acme", FAULTS["raises `KeyboardInterrupt`"].source)
    said = site.said("opgrad.ops.acme", "opgrad.ops.acme", "opgrad.ops.add(1.0, 2.0)")

    assert said == ["KeyboardInterrupt: ", "KeyboardInterrupt: ", "3.0"]
    assert site.imports("opgrad_acme") == 2


@POSIX
def test_ctrl_c_ends_the_wait_for_a_plugin_that_hangs(site):
    """The program has its Ctrl-C, and everything else goes on working."""
    pressed = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
    site.add("acme", f"{pressed}{FAULTS['never comes to an end'].source}")
    site.add("umbrella", GOOD)
    said = site.said("opgrad.ops.acme", "opgrad.ops.umbrella.square(3.0)")

    assert said == ["KeyboardInterrupt: ", "9.0"]


def test_plugin_that_hangs_holds_up_those_who_ask_for_it_and_nobody_else(site):
    """One thread waits in its import; built-in ops and other plugins answer meanwhile."""
    site.add("acme", "import sys\nsys.started.set()\nsys.go_on.wait(10)\n")
    site.add("umbrella", GOOD)
    said = site.said(
        "sys.started.wait(10)",
        "opgrad.ops.umbrella.square(3.0), opgrad.ops.add(1.0, 2.0), thread.is_alive()",
        "sys.go_on.set()",
        before="""
            import sys, threading
            sys.started, sys.go_on = threading.Event(), threading.Event()
            thread = threading.Thread(target=lambda: said(lambda: opgrad.ops.acme), daemon=True)
            thread.start()
        """,
    )

    assert said[1] == "(9.0, 3.0, True)"


@POSIX
@pytest.mark.parametrize(("does", "code"), [("crashes", -signal.SIGSEGV), ("calls `os._exit`", 4)])
def test_process_ends_with_a_plugin_that_ends_it_and_not_before_it_is_used(site, does, code):
    """opgrad cannot keep it from doing so; what it can is import nothing that nobody asked for."""
    site.add("acme", FAULTS[does].source)
    until_then = """
        import opgrad
        from opgrad.plugins import PLUGINS
        dir(opgrad.ops), PLUGINS.statuses(), opgrad.grad(opgrad.ops.tanh)(0.0)
        print("fine so far", flush=True)
        try:
            opgrad.ops.acme
        except Exception as error:
            print(type(error).__name__, flush=True)
    """
    ended, printed, _ = ends_with(site, until_then)
    switched_off = ends_with(site, until_then, OPGRAD_DISABLE_PLUGINS="acme")

    assert (ended, printed.splitlines()[0]) == (code, "fine so far")
    assert switched_off[:2] == (0, "fine so far\nUnknownOpError\n")


def test_what_a_plugin_prints_is_passed_on(site):
    """opgrad hides nothing, and loads it."""
    site.add("acme", FAULTS["floods stderr"].source)
    code, printed, flood = ends_with(site, "import opgrad\nprint(opgrad.ops.acme.square(3.0))")

    assert (code, printed, len(flood)) == (0, "9.0\n", 200_000)


def test_plugin_that_asks_for_input_gets_it(site):
    """`input` in its module waits for whoever sits there, as in any module."""
    site.add("acme", f"answer = input()\n{GOOD}")
    program = "import opgrad, sys\nopgrad.ops.acme\nprint(sys.modules['opgrad_acme'].answer)"

    assert ends_with(site, program, typed="yes\n")[:2] == (0, "yes\n")


def test_change_of_directory_stays(site):
    """opgrad does not undo what a plugin does to the process."""
    site.add("acme", FAULTS["changes the current directory"].source)
    printed = site.run("import opgrad, os\nopgrad.ops.acme\nprint(os.path.basename(os.getcwd()))")

    assert printed == "site\n"


def test_plugins_are_found_where_the_current_directory_is_gone(site):
    """A folder that was deleted under a program keeps it from nothing."""
    site.add("acme", GOOD)
    printed = site.run("""
        import os, tempfile
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        os.rmdir(folder)
        import opgrad
        print(opgrad.ops.acme.square(3.0))
    """)

    assert printed == "9.0\n"


def test_thread_that_a_plugin_left_keeps_the_program_from_ending(site):
    """The op works; the program's last line is not its end."""
    endless = FAULTS["leaves a thread running"].source
    site.add(
        "acme", endless.replace("threading.Event().wait", "lambda: __import__('time').sleep(1)")
    )
    code, printed, _ = ends_with(
        site,
        """
        import atexit, opgrad, threading, time
        atexit.register(lambda: print(time.monotonic() - start > 0.5))
        start = time.monotonic()
        print(opgrad.ops.acme.square(3.0))
        """,
    )

    assert (code, printed) == (0, "9.0\nTrue\n")


@POSIX
@pytest.mark.parametrize("does", ["leaves a process running", "forks"])
def test_more_processes_are_no_error(site, does):
    """The plugin loads, in each process that comes out of its import."""
    file = site.add("acme", FAULTS[does].source)
    printed = site.run("""
        import opgrad, os
        os.write(1, f"{opgrad.ops.acme.square(3.0)}\\n".encode())
        if os.path.exists(opgrad.ops.acme.square.forward.__code__.co_filename + ".pid"):
            import opgrad_acme
            opgrad_acme.child.kill()
            opgrad_acme.child.wait()
    """)

    assert set(printed.split()) == {"9.0"}
    assert printed.count("9.0") == (2 if does == "forks" else 1), file


@pytest.mark.parametrize("looked", ["dir(opgrad.ops)", "opgrad.ops.umbrella"])
def test_plugin_uninstalled_before_its_first_use_is_told_apart_from_a_broken_one(site, looked):
    """opgrad has looked at what is installed; then it went: the error says so."""
    site.add("acme", GOOD)
    site.add("umbrella", GOOD)
    said = site.said(
        looked,
        "uninstall()",
        "opgrad.ops.acme",
        "opgrad.ops.umbrella.square(3.0)",
        before=UNINSTALL.format(site=os.fspath(site.path)),
    )

    assert re.match(
        r"PluginError: plugin 'acme' \(opgrad-acme 1\.0\) was uninstalled while this process ran: "
        r"ModuleNotFoundError: .*'opgrad_acme'; install it again",
        said[2],
    )
    assert said[3] == "9.0"


UNINSTALL = """
import os, shutil
def uninstall():
    os.remove("{site}/opgrad_acme.py")
    shutil.rmtree("{site}/opgrad_acme-1.0.dist-info")
"""


def test_plugin_uninstalled_after_its_first_use_works_until_the_end(site):
    """Its code is in memory: values, gradients, errors and `repr` are what they were."""
    site.add("acme", GOOD)
    said = site.said(
        "opgrad.ops.acme.square(3.0)",
        "uninstall()",
        "opgrad.grad(opgrad.ops.acme.square)(3.0)",
        "opgrad.ops.acme.square",
        "opgrad.ops.acme.square('text')",
        before=UNINSTALL.format(site=os.fspath(site.path)),
    )

    assert said[2] == "6.0"
    assert said[3].startswith("<op acme.square (opgrad-acme 1.0) at ")
    assert "acme.square (opgrad-acme 1.0)" in said[4]


def test_module_that_was_never_there_is_not_called_uninstalled(site):
    """The distribution is there, its module is not: that is another fault."""
    site.add("acme", None)
    said = site.said("opgrad.ops.acme")

    assert "uninstalled" not in said
    assert "ModuleNotFoundError" in said


def test_metadata_that_cannot_be_read_hide_no_other_plugin(site):
    """A line that is no entry point, or bytes that are no text: the others load as ever."""
    for namespace, content in (
        ("left", b"[opgrad.plugins]\nleft\n"),
        ("right", b"[opgrad.plugins]\n\xff\n"),
    ):
        site.add(namespace, GOOD)
        (site.path / f"opgrad_{namespace}-1.0.dist-info" / "entry_points.txt").write_bytes(content)
    site.add("acme", GOOD)

    assert site.said("opgrad.ops.acme.square(3.0)") == "9.0"


# --- load: forty plugins of forty ops -----------------------------------------------------------

FORTY = "".join(
    f"@opgrad.composite\ndef op{number}(xp, x):\n    return {number}.0 * x\n\n"
    for number in range(40)
)
HOOK = (
    f"@opgrad.hookimpl\ndef opgrad_ops():\n    return [{', '.join(f'op{n}' for n in range(40))}]\n"
)


@pytest.fixture
def forty(site):
    """Forty distributions with forty ops each."""
    for number in range(40):
        site.add(f"p{number}", f"import opgrad\n\n{FORTY}{HOOK}")

    return site


def imported(site):
    """How often each of the forty was imported, in all processes together."""
    return [site.imports(f"opgrad_p{number}") for number in range(40)]


def test_first_use_of_one_of_forty_imports_that_one(forty):
    """However it is asked for: by attribute, or from the namespace of the built-in ops."""
    assert forty.said("opgrad.ops.p7.op3(2.0)", "opgrad.ops.core.p7.op4(2.0)") == ["6.0", "8.0"]
    assert imported(forty) == [int(number == 7) for number in range(40)]


def test_near_names_among_forty_plugins_import_none(forty):
    """Neither an unknown op nor an unknown namespace is looked for inside plugins."""
    said = forty.said("opgrad.ops.p77", "opgrad.ops.op3", "'p7' in dir(opgrad.ops)")

    assert "'p7'" in said[0]
    assert said[1].startswith("UnknownOpError")
    assert imported(forty) == [0] * 40


def test_list_of_forty_plugins_imports_none(forty):
    """Their names and versions are in the metadata."""
    printed = forty.run("plugins", arguments=("-P", "-m", "opgrad", "list"))

    assert len(re.findall(r"^p\d+ +opgrad-p\d+ +1\.0 +installed", printed, re.MULTILINE)) == 40
    assert imported(forty) == [0] * 40


def test_list_of_their_ops_imports_each_once(forty):
    """Names of ops are in no metadata."""
    printed = forty.run("--json", arguments=("-P", "-m", "opgrad", "list", "ops"))

    assert sum(op["op"].startswith("p") for op in json.loads(printed)) == 1600
    assert imported(forty) == [1] * 40


def test_metadata_of_forty_plugins_are_read_once(forty):
    """One look at the entry points serves every later use, and the description is never parsed."""
    printed = forty.run("""
        import email, importlib.metadata
        real, looked = importlib.metadata.distributions, []
        importlib.metadata.distributions = lambda **k: looked.append(1) or real(**k)
        email.message_from_string = None
        import opgrad
        for number in range(40):
            getattr(opgrad.ops, f"p{number}").op1
        print(len(looked))
    """)

    assert printed == "1\n"


def test_doctor_imports_each_plugin_alone_and_all_together(site):
    """Two imports of each, whatever their number: one in its own process, one beside the others."""
    for number in range(6):
        site.add(f"p{number}", GOOD)
    code, said = doctor(site, *(f"p{number}" for number in range(6)))

    assert (code, said["findings"]) == (0, [])
    assert [site.imports(f"opgrad_p{number}") for number in range(6)] == [2] * 6
