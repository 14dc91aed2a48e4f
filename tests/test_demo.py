"""The demonstration: it learns, says who did what, and leaves whole files."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from opgrad.cli.commands import cli
from opgrad.demo import moons, record
from opgrad.demo.census import Census

INTERRUPTED = 130
NO_NUMPY = """
import sys
from opgrad.demo import moons
from opgrad.demo.census import Census

census = Census()
last = list(moons.train(moons.Settings(points=6, steps=2), seed=0, census=census))[-1]
assert last.step == 2 and census.tallies()
assert not {"numpy", "scipy", "sklearn"} & set(sys.modules)
"""
INTERRUPTIBLE = """
import signal, sys
from opgrad.cli import run

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(run(["demo", "--out", sys.argv[1]]))
"""


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """One quick demonstration: its folder, what it shows, and the JSON it prints."""
    folder = tmp_path_factory.mktemp("quick")
    result = CliRunner().invoke(cli, ["demo", "--quick", "--json", "--out", str(folder)])
    assert result.exit_code == 0, result.output
    return folder, result.stderr, result.stdout


def test_json_is_the_summary(quick):
    """What was printed on the way stands on stderr, so that a program can read the rest."""
    assert json.loads(quick[2]) == summary_of(quick[0])


def summary_of(folder):
    """The summary a demonstration left."""
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def losses_of(folder):
    """The rows of the loss curve a demonstration left."""
    with (folder / "loss.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_quick_demonstration_learns_both_data_sets(quick):
    """The digits above 96 % on images never trained on, the moons above 85 %."""
    networks = summary_of(quick[0])["networks"]

    assert networks["digits"]["test_accuracy"] > 0.96
    assert networks["moons"]["test_accuracy"] > 0.85


def test_loss_curves_are_written_as_numbers_and_as_a_picture(quick):
    """One line a step in loss.csv, and loss.png is a PNG."""
    folder, *_ = quick
    summary = summary_of(folder)
    rows = losses_of(folder)
    steps = summary["networks"]["moons"]["steps"] + summary["networks"]["digits"]["epochs"]

    assert len(rows) == steps
    assert float(rows[0]["loss"]) > float(rows[-1]["loss"])
    assert (folder / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_table_names_distribution_version_and_calls_of_each_op(quick):
    """An activation of a plugin stands beside the built-in ops, each with its distribution."""
    folder, output, _ = quick
    summary = summary_of(folder)
    ops = {entry["op"]: entry for entry in summary["ops"]}
    epochs, batches = summary["networks"]["digits"]["epochs"], 43

    assert ops[summary["activation"]]["distribution"] == "opgrad-activations"
    assert ops[summary["activation"]]["calls"] == 2 * epochs * batches
    assert ops["core.matmul"]["calls"] == 3 * epochs * batches
    assert ops["core.matmul"]["distribution"] == "opgrad"
    assert all(name in output for name in ops)


def test_output_that_is_no_terminal_gets_a_few_lines(quick):
    """No control codes and no bar in a log file."""
    _, output, _ = quick

    assert "\x1b" not in output
    assert len(output.splitlines()) < 60


def test_only_the_files_that_are_named_are_written(quick):
    """No temporary file stays behind."""
    folder, *_ = quick

    assert sorted(path.name for path in folder.iterdir()) == [
        "loss.csv", "loss.png", "summary.json",
    ]  # fmt: skip


def test_same_seed_gives_the_same_numbers(quick, tmp_path):
    """Loss curve and summary are equal to the last digit; another seed gives others."""
    result = CliRunner().invoke(cli, ["demo", "--quick", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output

    assert losses_of(tmp_path) == losses_of(quick[0])
    assert summary_of(tmp_path) == summary_of(quick[0])


def test_moons_of_another_seed_are_others():
    """The seed reaches the points."""
    one, same, other = (moons.two_moons(4, random.Random(seed)) for seed in (1, 1, 2))

    assert one == same
    assert one != other


def test_built_in_op_serves_as_activation_by_its_bare_name(tmp_path):
    """`--activation tanh` is core.tanh."""
    result = CliRunner().invoke(
        cli, ["demo", "--quick", "--activation", "tanh", "--out", str(tmp_path)]
    )

    assert result.exit_code == 0, result.output
    assert summary_of(tmp_path)["activation"] == "core.tanh"
    assert summary_of(tmp_path)["networks"]["digits"]["test_accuracy"] > 0.9


@pytest.mark.parametrize(
    ("name", "expected"),
    [("geluu", "gelu"), ("activations.sillu", "silu"), ("matmul", "unary"), ("softmax", "unary")],
)
def test_unusable_activation_is_refused_before_training(name, expected, tmp_path):
    """A misspelt name gets the near ones; an op that is not unary elementwise is told so."""
    folder = tmp_path / "out"
    result = CliRunner().invoke(cli, ["demo", "--activation", name, "--out", str(folder)])

    assert result.exit_code == 2
    assert expected in result.output
    assert not folder.exists()


def test_scalar_half_imports_no_array_library():
    """Two moons are trained by Python floats alone."""
    subprocess.run([sys.executable, "-c", NO_NUMPY], check=True)


def test_interruption_leaves_whole_files_and_one_line(tmp_path):
    """Ctrl-C: exit code 130, loss.csv can be read, nothing half-written beside it."""
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "loss.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=30)

    assert process.returncode == INTERRUPTED
    assert complaint == f"opgrad: interrupted; what was written until then is in {tmp_path}\n"
    assert losses_of(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    """A reader sees the old content or the new, never a half."""
    path = tmp_path / "loss.csv"
    record.write_whole(path, b"old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        record.write_whole(path, b"new")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_census_counts_a_shared_result_once():
    """`y * y` after `y = a + b` is two calls, not three."""
    from opgrad import Value

    census = Census()
    y = Value(1.0) + Value(2.0)
    census.count("here", y * y)

    assert {tally.op.name: tally.calls for tally in census.tallies()} == {"add": 1, "multiply": 1}
