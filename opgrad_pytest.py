"""`pytest --opgrad acme`: every op of a namespace is a test, in a folder with tests or without any.

pytest imports this module wherever opgrad is installed, so it imports nothing of opgrad until a
namespace is asked for. It also prints how much was checked of each op, for these tests and for
those that `opgrad.testing.conformance` makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from opgrad.op import Op

COUNTED = "opgrad conformance"
"""The property of a test report that holds what was counted; workers of xdist send it along."""
TIERS = ("quick", "standard", "full")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all of which start with `--opgrad`."""
    group = parser.getgroup("opgrad", "conformance of differentiable ops")
    group.addoption(
        "--opgrad",
        action="append",
        default=[],
        metavar="NS",
        help="also check every op of this namespace (acme), or one op (acme.swish); repeatable",
    )
    group.addoption(
        "--opgrad-tier",
        choices=TIERS,
        default="standard",
        help="how much to check of the ops of --opgrad (default: standard)",
    )


@pytest.hookimpl(tryfirst=True)  # so that -k, --lf and the like see these tests too
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add a test for each op that was asked for."""
    if config.getoption("opgrad"):
        ops = Ops.from_parent(session, name="opgrad", nodeid="opgrad")
        items.extend(session.genitems(ops))


class Ops(pytest.Collector):
    """The ops of every `--opgrad`, each once."""

    def collect(self) -> Iterator[pytest.Item]:
        """Load the owners of what was asked for; what cannot be used is an error of collection."""
        from opgrad.errors import OpgradError  # noqa: PLC0415 -- not before it is asked for
        from opgrad.testing import ops_named  # noqa: PLC0415 -- as above

        try:
            asked = self.config.getoption("opgrad")
            ops = {op: None for target in asked for op in ops_named(target)}
        except OpgradError as error:
            raise self.CollectError(str(error)) from error
        for op in ops:
            yield OpItem.from_parent(self, name=op.qualname, op=op)


class OpItem(pytest.Item):
    """The test of one op."""

    def __init__(self, *, op: Op, **node: Any) -> None:
        super().__init__(**node)
        self.op = op

    def runtest(self) -> None:
        """Check the op; what was found wrong is the text of the failure."""
        from opgrad.testing.suite import run_in_pytest  # noqa: PLC0415 -- not before it is asked for

        run_in_pytest(
            self.op,
            tier=self.config.getoption("opgrad_tier"),
            record=lambda name, value: self.user_properties.append((name, value)),
        )

    def reportinfo(self) -> tuple[str, int, str]:
        """Where the op is defined, and whose it is."""
        file, _, line = self.op.place.rpartition(":")

        return file, int(line) - 1, self.op.described


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was counted, op by op: a suite that ran nothing must not look green."""
    config = terminalreporter.config
    found = _found(terminalreporter.stats)
    if config.option.collectonly or not (found or config.getoption("opgrad")):
        return
    terminalreporter.section("opgrad conformance")
    if not found:
        terminalreporter.line("no op was checked", red=True)
        return
    from opgrad.testing.suite import COLUMNS, totals  # noqa: PLC0415 -- not before there is something

    counts = [one["counts"] for one in found]
    if terminalreporter.verbosity >= 0:
        cells = [[one["op"], *(str(one[name]) for name in COLUMNS)] for one in counts]
        for line in _table([["op", *COLUMNS.values()], *cells]):
            terminalreporter.line(line)
        for line in (line for one in found for line in one["expected"]):
            terminalreporter.line(line)
    terminalreporter.line(totals(counts))


def _found(stats: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """What the tests of ops recorded, by name; the last of a test that ran again."""
    found = {
        (value["counts"]["op"], report.nodeid): value
        for reports in stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == COUNTED and getattr(report, "when", "") == "call"
    }

    return [found[key] for key in sorted(found)]


def _table(cells: list[list[str]]) -> Iterator[str]:
    """The rows as lines, each column as wide as it needs to be."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for first, *rest in cells:
        numbers = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *numbers])
