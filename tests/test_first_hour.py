"""docs/howto/first_hour.md, typed as it stands into an empty folder and a fresh environment."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/howto/first_hour.md"
BASH = shutil.which("bash")
INSTALL = 'pip install "opgrad[cli]"'
FENCE = re.compile(
    r'^(?:<!-- (?P<what>[^>]+) -->\n\n)?```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n'
    r"(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PYTHON", "OPGRAD_", "VIRTUAL_ENV", "PYTEST_", "COLUMNS"))
} | {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "NO_COLOR": "1",
}


@attrs.frozen
class Block:
    """A fenced block of the page, and what its mark says is to be done with it."""

    what: str
    text: str
    title: str


def blocks():
    """Every fenced block of the page, in order."""
    return [
        Block(found["what"] or "", found["text"], found["title"] or "")
        for found in FENCE.finditer(PAGE.read_text(encoding="utf-8"))
    ]


class Reader:
    """Someone who types what the page says, into one shell that lives as long as the page."""

    def __init__(self, folder):
        self.folder = folder
        self.log = folder.parent / "log"
        self.shell = subprocess.Popen(
            [BASH, "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=ENVIRONMENT,
        )

    def type(self, commands, *, wanted="0"):
        """Run a block; each of its commands succeeds, or it is one that fails as wanted."""
        mode = "set -e" if wanted == "0" else "set +e"
        self.shell.stdin.write(
            f'{mode}\n{{ {commands}\n}} >"{self.log}" 2>&1 </dev/null\necho "$? $PWD"\n'
        )
        self.shell.stdin.flush()
        code, _, folder = self.shell.stdout.readline().strip().partition(" ")
        printed = self.log.read_text(encoding="utf-8")
        assert code == wanted, f"{commands}{printed}"  # no code: `set -e` has ended the shell
        self.folder = Path(folder)

        return printed

    def close(self):
        """Leave the shell."""
        self.shell.stdin.close()
        self.shell.stdout.close()
        self.shell.wait()


@pytest.fixture
def reader(tmp_path):
    """Someone in an empty folder."""
    (tmp_path / "empty").mkdir()
    someone = Reader(tmp_path / "empty")
    yield someone
    someone.close()


@pytest.fixture
def wheel(tmp_path):
    """What `pip install opgrad` would fetch: a wheel of the files as they are."""
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", tmp_path, ROOT)
    subprocess.run(build, check=True, capture_output=True, cwd=tmp_path)
    (made,) = tmp_path.glob("*.whl")

    return made


def is_alike(printed, shown):
    """Whether words are the same, whatever spaces stand between them; `...` is anything."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

    return doctest.OutputChecker().check_output(shown, printed, flags)


def without_numbers(text):
    """What is left of an output that counts and measures."""
    return re.sub(r"\d[\d.]*(e[-+]?\d+)?", "#", text)


@pytest.mark.skipif(BASH is None, reason="the page is for a Unix shell")
def test_the_first_hour_is_true_to_the_letter(reader, wheel):
    """Its commands do what it says, its files are those that are there, its outputs come out."""
    printed = ""
    for block in blocks():
        file = reader.folder / block.title
        match block.what:
            case "run":
                printed = reader.type(block.text.replace(INSTALL, f'pip install "{wheel}[cli]"'))
            case "run, fails":
                printed = reader.type(block.text, wanted="1")
            case "output":
                assert is_alike(printed, block.text), printed
            case "output, numbers vary":
                assert is_alike(*map(without_numbers, (printed, block.text))), printed
            case "file":
                assert block.text == file.read_text(encoding="utf-8")
            case "write":
                assert file.is_file()
                file.write_text(block.text, encoding="utf-8")
            case "change":
                file.write_text(changed(file.read_text(encoding="utf-8"), block.text))


def changed(text, difference):
    """A text with the lines marked `-` replaced by those marked `+`."""
    lines = difference.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line[0] == sign) for sign in "-+")
    assert text.count(old) == 1

    return text.replace(old, new)


def test_every_block_of_the_first_hour_says_what_is_done_with_it():
    """A lost mark would test nothing; the command that publishes is the only one not typed."""
    kinds = {"run", "run, fails", "output", "output, numbers vary", "file", "write", "change"}
    page = PAGE.read_text(encoding="utf-8")
    others = [block for block in blocks() if block.what not in kinds]

    assert 2 * len(blocks()) == len(re.findall(r"^\s*```", page, re.MULTILINE))
    assert page.count(INSTALL) == 1
    assert [block.what for block in others] == ["not run: it publishes"]
