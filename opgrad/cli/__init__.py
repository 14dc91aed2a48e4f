"""The command line: `opgrad list`, `opgrad show OP`, `opgrad demo`.

click and rich are imported by the modules of this package, and by nothing else in opgrad.
"""

from __future__ import annotations

import sys

FINE, FINDINGS, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes of every verb: 128 + SIGINT is what shells give an interrupted program."""


def main() -> None:
    """Run the command line; the entry point of `opgrad`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; every error on purpose is one line."""
    try:
        import click  # noqa: PLC0415 -- optional
        import rich  # noqa: F401, PLC0415 -- optional
    except ImportError as error:
        return _complain(f'the command line needs {error.name}: pip install "opgrad[cli]"', USAGE)
    from opgrad.cli.commands import cli  # noqa: PLC0415 -- needs click
    from opgrad.errors import OpgradError, UnknownOpError  # noqa: PLC0415 -- with the commands

    try:
        return cli.main(arguments, prog_name="opgrad", standalone_mode=False) or FINE
    except click.Abort:
        return _complain("interrupted", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except UnknownOpError as error:
        return _complain(f"{error}", USAGE)
    except (OpgradError, OSError) as error:
        return _complain(f"{error}", FINDINGS)


def _complain(message: str, code: int) -> int:
    sys.stderr.write(f"opgrad: {message}\n")

    return code
