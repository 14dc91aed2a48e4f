# ruff: noqa: INP001 -- a hook of MkDocs, in no package
"""Pages of the reference that are written from the registry, when MkDocs builds the site.

`reference/ops.md` has every op of the built-in and the first-party plugins installed;
`reference/support.md` has what a run of the gradient checks over all of them found;
`reference/activations.md` has a picture of every activation. Pages that link into `pictures/` are
run, and what their blocks show is drawn. Nothing of it is committed. By hand:
`python docs/generate.py ops` or another of `PAGES` prints the page.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import opgrad
from opgrad.cli.showing import facts
from opgrad.plugins import PLUGINS

sys.path.insert(0, str(Path(__file__).parent))
import gallery  # they lie beside this file, in no package
import pages
import support

HERE = Path(__file__).parent
OUTSIDE = re.compile(
    r"""<(?:script|link|img|iframe|source|object)\b[^>]*\b(?:src|srcset|href|data)=["']?(?:\w+:)?//[^>]*"""
)
OURS = ("opgrad", "opgrad-activations", "opgrad-scipy")


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages (a hook of MkDocs)."""
    from mkdocs.structure.files import File  # noqa: PLC0415 -- the tests run without MkDocs

    for name, write in PAGES.items():
        files.append(File.generated(config, f"reference/{name}.md", content=write()))
    for name, image in activations()[1].items():
        files.append(File.generated(config, f"reference/{name}", content=image))
    for page in pages.with_pictures(HERE):
        for link, content in pages.run(page).pictures.items():
            place = page.parent.relative_to(HERE) / link
            files.append(File.generated(config, place.as_posix(), content=content))
    for name, content in course().items():
        files.append(File.generated(config, f"learn/{name}", content=content))

    return files


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Refuse a page that asks the network for a script, a style or a picture (a hook of MkDocs).

    Raises:
        ValueError: It does.
    """
    del config
    found = OUTSIDE.search(output)
    if found:
        message = f"{page.file.src_uri} cannot be read without the network: {found[0]}"
        raise ValueError(message)

    return output


@functools.cache
def first_party() -> tuple[opgrad.Op, ...]:
    """Every op that this project ships and that is installed here, built-in ones first."""
    for namespace in PLUGINS.built_in:
        PLUGINS.load(namespace)
    PLUGINS.load_all()

    return tuple([op for op in PLUGINS.registry if _is_ours(op)])


def _is_ours(op: opgrad.Op) -> bool:
    return op.provider is not None and op.provider.distribution in OURS


def _by_namespace() -> dict[str, list[opgrad.Op]]:
    found: dict[str, list[opgrad.Op]] = {}
    for op in first_party():
        found.setdefault(op.qualname.partition(".")[0], []).append(op)

    return {name: sorted(ops, key=lambda op: op.name) for name, ops in found.items()}


# -- every op -------------------------------------------------------------------------------------


@functools.cache
def ops_page() -> str:
    """Formula, call, operands, attributes, kinks, domain, modes and provider of every op."""
    lines = [
        "# Ops",
        "",
        "Every op of opgrad and of its own plugins, as the registry knows it. Those of `core` are",
        "reached as `opgrad.ops.tanh`, the others with their namespace: `opgrad.ops.linalg.det`.",
        "What was checked of each stands in the [support matrix](support.md), and what holds at",
        "kinks and edges in [Conventions](conventions.md).",
    ]
    for namespace, ops in _by_namespace().items():
        lines += ["", f"## {namespace}", "", f"{len(ops)} ops from {ops[0].provider}."]
        for op in ops:
            lines += ["", *_section(op)]

    return "\n".join(lines) + "\n"


def _section(op: opgrad.Op) -> Iterator[str]:
    known = facts(op)
    yield f"### {op.qualname}"
    yield ""
    yield "```python"
    yield known["signature"]
    yield "```"
    yield ""
    yield "``` { .text .docstring }"
    yield from (line.rstrip() for line in _dedented(known["documentation"]))
    yield "```"
    yield ""
    yield "| | |"
    yield "|---|---|"
    for heading, text in _facts(known):
        yield f"| {heading} | {text.replace('|', chr(92) + '|')} |"


def _facts(known: dict[str, Any]) -> Iterator[tuple[str, str]]:
    operands = [
        f"`{name}`" + ("" if kind == "one" else f" ({kind.removeprefix('one, ')})")
        for name, kind in known["operands"].items()
    ]
    yield "operands", ", ".join(operands)
    attributes = [
        f"`{name}`" if "required" in given else f"`{name}={given['default']!r}`"
        for name, given in known["attributes"].items()
    ]
    if attributes:
        yield "attributes", ", ".join(attributes)
    if known["outputs"] != 1:
        yield "outputs", str(known["outputs"])
    if known["operator"]:
        yield "operator", f"`{known['operator']}`"
    if known["methods"]:
        yield "on a Value", ", ".join([f"`.{name}`" for name in known["methods"]])
    for name, (low, high) in known["domain"].items():
        below = "" if low is None else f"{low:g} < "
        yield "domain", f"{below}{name}{'' if high is None else f' < {high:g}'}"
    if known["kinks"]:
        yield "kinks", f"at {', '.join([f'{kink:g}' for kink in known['kinks']])}"
    rules = [
        rule["kind"] + (f" of `{rule['operand']}`" if rule["operand"] else "")
        for rule in known["rules"]
    ]
    if rules:
        yield "rules", ", ".join(rules)
    if len(set(known["modes"].values())) == 1:
        yield "derivatives", next(iter(known["modes"].values()))
    else:
        yield from known["modes"].items()
    provider = known["provider"]
    yield "from", f"{provider['distribution']} {provider['version']}, `{provider['module']}`"


def _dedented(text: str) -> list[str]:
    first, *rest = text.splitlines() or ["(undocumented)"]

    return [first, *[line.removeprefix("    ") for line in rest]]


# -- what was checked -----------------------------------------------------------------------------


@functools.cache
def support_page() -> str:
    """One line an op: samples checked on floats and on arrays, in each mode."""
    lines = [
        "---",
        "hide: [toc]",
        "---",
        "",
        "# Support matrix",
        "",
        "Written by a run of `opgrad check` over the samples of every op, when this page was",
        "built. A number says on how many samples every entry was compared with differences: of",
        "the gradient (reverse mode), of the tangents (forward mode), and of the derivative of the",
        "gradient, itself taken in both modes (second order). A dash says that there was nothing",
        "to check, and the last column why. `held` names operands for which no derivative exists:",
        "asking for one raises. What an op is known to fail stands behind `but`. The test suite",
        "refuses a cell that fails.",
    ]
    for namespace, ops in _by_namespace().items():
        head = [f"{data}, {mode}" for data in support.DATA for mode in support.MODES]
        lines += ["", f"## {namespace}", "", f"| op | {' | '.join(head)} | |"]
        lines.append("|---" * (len(head) + 2) + "|")
        for qualname, row in support.matrix(ops).items():
            cells = [str(row[data, mode]) for data in support.DATA for mode in support.MODES]
            cells = [" | ".join(cells), "; ".join(_reasons(row))]
            lines.append(f"| `{qualname}` | {' | '.join(cells)} |")

    return "\n".join(lines) + "\n"


def _reasons(row: support.Row) -> list[str]:
    """Why cells are empty, each reason once."""
    found = [cell.why_none for cell in row.values() if cell.state == "none"]

    return list(dict.fromkeys(found))


# -- the gallery ----------------------------------------------------------------------------------


@functools.cache
def activations() -> tuple[str, dict[str, str]]:
    """The gallery of activations and its pictures."""
    return gallery.page(first_party())


# -- the course -----------------------------------------------------------------------------------


def course() -> dict[str, str]:
    """The pages of the course as notebooks, and the modules that these import."""
    notebooks = {
        f"{page.stem}.ipynb": pages.notebook(page)
        for page in sorted((HERE / "learn").glob("*.md"))
        if page.stem != "index"
    }

    return notebooks | pages.modules_in(HERE / "learn")


PAGES = {"ops": ops_page, "support": support_page, "activations": lambda: activations()[0]}

if __name__ == "__main__":
    print(PAGES[sys.argv[1]]())  # noqa: T201 -- the page, by hand
