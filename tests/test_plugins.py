"""Plugins as a stranger meets them: found, loaded on first use, refused whole, told who they are.

Most tests install distributions by hand (`site`, in conftest.py) and load them with `Plugins` of
their own; what touches `opgrad.ops` or the methods of Value runs in a process of its own.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import sysconfig
import textwrap
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

import opgrad
from opgrad.errors import ConflictError, PluginError, UnknownOpError
from opgrad.names import find
from opgrad.plugins import PLUGINS, Plugins
from opgrad.registry import Registry


def healthy(*names, declarations=""):
    """Write the source of a plugin with these ops; the n-th is n · x²."""
    parts = ["import opgrad\n"]
    for factor, name in enumerate(names, 1):
        parts.append(f"""
@opgrad.elementwise({declarations})
def {name}(xp, x):
    return {factor}.0 * x * x

@{name}.derivative
def {name}_derivative(x):
    return {2 * factor}.0 * x
""")
    parts.append(f"""
@opgrad.hookimpl
def opgrad_ops():
    return [{", ".join(names)}]
""")

    return "".join(parts)


def hook(body, before=""):
    """Write the source of a plugin whose hook has this body, with a good op `square` at hand."""
    good = healthy("square").rpartition("@")[0]

    return f"{good}{before}\n@opgrad.hookimpl\ndef opgrad_ops():\n    {body}\n"


def make(factor=1.0, name="square", **declarations):
    """Make an op factor · x², new each time."""

    @opgrad.elementwise(name=name, **declarations)
    def forward(xp, x):
        return factor * x * x

    @forward.derivative
    def forward_derivative(x):
        return 2.0 * factor * x

    return forward


class ByHand:
    """A plugin object for `load_plugin`, as one writes it in a notebook."""

    def __init__(self, *ops):
        self.ops = ops

    @opgrad.hookimpl
    def opgrad_ops(self):
        """Give the ops it was made with."""
        return self.ops


# What a program needs to do the same in a process of its own.
NOTEBOOK = """
import opgrad

class ByHand:
    def __init__(self, *ops):
        self.ops = ops

    @opgrad.hookimpl
    def opgrad_ops(self):
        return self.ops

def make(factor=1.0, name="square", **declarations):
    @opgrad.elementwise(name=name, **declarations)
    def forward(xp, x):
        return factor * x * x

    @forward.derivative
    def forward_derivative(x):
        return 2.0 * factor * x

    return forward
"""


@pytest.fixture
def plugins(site, monkeypatch):
    """`Plugins` with a registry of their own, in this process, seeing `site` and nothing else."""
    paths = sysconfig.get_paths()
    standard = [p for p in sys.path if p.startswith(paths["stdlib"]) and p != paths["purelib"]]
    monkeypatch.setattr(sys, "path", [os.fspath(site.path), *standard])
    for variable in ("OPGRAD_PLUGINS", "OPGRAD_DISABLE_PLUGINS", "OPGRAD_STRICT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    importlib.invalidate_caches()
    before = set(sys.modules)
    own = Plugins(Registry(), PLUGINS.built_in)
    own.load("core")
    yield own
    for name in set(sys.modules) - before:
        if name.startswith("opgrad_"):
            del sys.modules[name]


def loaded(plugins):
    """Return the namespaces of plugins in a registry, in the order in which they came."""
    return [name for name in plugins.registry.namespaces if name not in plugins.built_in]


def status_of(plugins, distribution):
    """Return what the list says of a distribution's plugin."""
    return next(s for s in plugins.statuses() if s.source.distribution == distribution)


# --- discovery: what it costs and what it finds -------------------------------------------------


def test_forty_plugins_cost_an_import_nothing(site):
    """`import opgrad` imports none of them and does not look for any."""
    for number in range(40):
        site.add(f"p{number}", healthy("square"))
    printed = site.run("""
        import sys
        before = set(sys.modules)
        import opgrad
        opgrad.grad(lambda x: opgrad.ops.tanh(x) * x + 1.0)(0.5)
        new = set(sys.modules) - before
        print([n for n in new if n.startswith("opgrad_") or n == "importlib.metadata"])
    """)

    assert printed == "[]\n"
    assert sum(site.imports(f"opgrad_p{number}") for number in range(40)) == 0


def test_built_in_names_never_trigger_a_scan(site):
    """Neither an op, nor its qualified name, nor a method, nor strict mode makes opgrad look."""
    site.add("broken", "1 / 0")
    printed = site.run(
        """
        import importlib.metadata
        def scan(**_):
            raise SystemExit("scanned")
        importlib.metadata.entry_points = importlib.metadata.distributions = scan
        import opgrad
        opgrad.ops.exp(opgrad.Value(1.0)).tanh().backward()
        print(opgrad.ops.core.add(1.0, 2.0))
        """,
        OPGRAD_STRICT="1",
    )

    assert printed == "3.0\n"


def test_name_of_a_namespace_imports_its_owner_and_nobody_else(site):
    """One of twenty plugins is touched, so one is imported."""
    for number in range(20):
        site.add(f"p{number}", healthy("square"))

    assert site.said("opgrad.ops.p7.square(3.0)") == "9.0"
    assert [n for n in range(20) if site.imports(f"opgrad_p{n}")] == [7]


def test_entry_points_are_scanned_once(site, plugins, monkeypatch):
    """However many namespaces are used, one look at what is installed serves all."""
    from importlib import metadata

    calls = []
    for name in ("entry_points", "distributions"):
        real = getattr(metadata, name)
        monkeypatch.setattr(
            metadata, name, lambda _r=real, _n=name, **k: calls.append(_n) or _r(**k)
        )
    site.add("acme", healthy("square"))
    site.add("umbrella", healthy("square"))
    plugins.load("acme")
    found = set(calls)
    calls.clear()
    plugins.load("umbrella")
    plugins.statuses()

    assert found
    assert calls == []


def test_listing_tells_from_metadata_alone(site, plugins):
    """States of all plugins are known while none is imported."""
    site.add("acme", healthy("square"))
    site.add("broken", "1 / 0")
    states = {status.source.namespace: status.state for status in plugins.statuses()}

    assert (states["core"], states["acme"], states["broken"]) == ("loaded", *["installed"] * 2)
    assert site.imports("opgrad_acme") == site.imports("opgrad_broken") == 0


def test_plugins_come_sorted_by_distribution_and_name(site, plugins):
    """The order of folders and lines on disk does not show."""
    for namespace, distribution in [("zz", "b-dist"), ("mm", "a-dist"), ("aa", "b-dist")]:
        site.add(namespace, healthy("square"), distribution=distribution)
    found = [s.source for s in plugins.statuses() if s.source.namespace not in plugins.built_in]

    assert [(s.distribution, s.namespace) for s in found] == [
        ("a-dist", "mm"),
        ("b-dist", "aa"),
        ("b-dist", "zz"),
    ]


def test_one_distribution_may_bring_several_namespaces(site, plugins):
    """Each is loaded by itself."""
    site.add("left", healthy("square"), distribution="opgrad-sides")
    site.add("right", healthy("square"), distribution="opgrad-sides")
    plugins.load("left")

    assert loaded(plugins) == ["left"]
    assert site.imports("opgrad_right") == 0


def test_two_copies_of_one_distribution_are_one(site, plugins, tmp_path, monkeypatch):
    """The first on the path counts, however its name is spelled; that is no conflict."""
    site.add("acme", healthy("square"), distribution="opgrad-acme", version="2.0")
    older = tmp_path / "older"
    info = older / "Opgrad.Acme-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Opgrad.Acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[opgrad.plugins]\nacme = opgrad_acme\n")
    monkeypatch.setattr(sys, "path", [*sys.path, os.fspath(older)])

    assert find(plugins, "acme", "square").provider.version == "2.0"


def test_one_distribution_that_names_a_namespace_twice_is_refused(site, plugins):
    """Two values for one name: neither is dropped in silence, the error names both."""
    site.add("acme", healthy("square"))
    site.add("acme", healthy("cube"), value="other_acme")

    with pytest.raises(ConflictError, match=r"opgrad_acme.*other_acme.*'acme'"):
        plugins.load("acme")


def test_distribution_with_damaged_metadata_hides_nobody(site, plugins):
    """A folder left over by an interrupted uninstall: the others load as ever."""
    site.add("left", healthy("square"), distribution="left-over")
    (site.path / "left_over-1.0.dist-info" / "METADATA").unlink()
    site.add("acme", healthy("square"))
    plugins.load("acme")

    assert loaded(plugins) == ["acme"]


@pytest.mark.parametrize("arguments", [("-c",), ("-m", "opgrad", "list", "--json")])
def test_current_directory_is_never_searched(site, arguments):
    """A folder with a distribution in it is not an installed one, even if Python starts there."""
    site.add("acme", healthy("square"))
    program = "import opgrad\nprint('acme' in dir(opgrad.ops), hasattr(opgrad.ops, 'acme'))"
    last = program if arguments == ("-c",) else "plugins"
    printed = site.run(last, arguments=arguments, cwd=site.path, PYTHONPATH="")

    assert "acme" not in printed.replace("False False", "")
    assert "True" not in printed
    assert site.imports("opgrad_acme") == 0


@pytest.mark.parametrize("value", ["opgrad_acme:plugin", "opgrad_acme : plugin", "opgrad_acme:a.b"])
def test_entry_point_may_name_an_object(site, plugins, value):
    """Module, colon, attributes, with or without spaces: what the entry-point grammar allows."""
    source = """
        import opgrad
        from types import SimpleNamespace

        @opgrad.composite
        def square(xp, x):
            return x * x

        class Plugin:
            @opgrad.hookimpl
            def opgrad_ops(self):
                return [square]

        plugin = Plugin()
        a = SimpleNamespace(b=plugin)
    """
    site.add("acme", source, value=value)

    assert find(plugins, "acme", "square")(3.0) == 9.0


# --- faults: each refused, named, whole, and alone ----------------------------------------------

FAULTS = {
    "raises on import": ("x = {}['missing']", r"KeyError: 'missing'"),
    "raises in a library it calls": (
        "import json\nbroken = json.loads('{')",
        r"JSONDecodeError: Expecting property name",
    ),
    "exits on import": ("raise SystemExit(3)", r"SystemExit: 3"),
    "recurses on import": (
        "def loop():\n    return loop()\n\nloop()",
        r"RecursionError: maximum recursion depth",
    ),
    "cannot be parsed": ("x = (\n", r"SyntaxError: '\(' was never closed"),
    "needs what is not installed": (
        "import a_library_nobody_has",
        r"ModuleNotFoundError: No module named 'a_library_nobody_has'",
    ),
    "has a malformed op": (
        "import opgrad\n\n@opgrad.op\ndef bad(xp, y):\n    return y\n",
        r"OpDefinitionError: .*calls a parameter 'y'",
    ),
    "has no hook": ("import opgrad", r"implements no hook of opgrad.*opgrad_ops"),
    "misspells the hook": (
        healthy("square").replace("opgrad_ops", "opgrad_opps"),
        r"unknown hook 'opgrad_opps'; did you mean 'opgrad_ops'\?",
    ),
    "misspells the prefix of the hook": (
        healthy("square").replace("opgrad_ops", "opgard_ops"),
        r"unknown hook 'opgard_ops'; did you mean 'opgrad_ops'\?",
    ),
    "misspells a second hook": (
        f"{healthy('square')}\n@opgrad.hookimpl\ndef opgrad_op():\n    return []\n",
        r"unknown hook 'opgrad_op'; did you mean 'opgrad_ops'\?",
    ),
    "forgets the marker": (
        healthy("square").replace("@opgrad.hookimpl", ""),
        r"opgrad_ops.*lacks the marker @opgrad\.hookimpl",
    ),
    "has a hook with parameters": (
        healthy("square").replace("opgrad_ops()", "opgrad_ops(registry)"),
        r"opgrad_ops.*registry",
    ),
    "raises in the hook": (hook("return 1 / 0"), r"ZeroDivisionError: division by zero"),
    "raises after some ops": (
        hook("yield square\n    raise OSError('disk')"),
        r"OSError: disk",
    ),
    "forgets to return": (hook("[square]"), r"opgrad_ops.*returned None"),
    "returns one op bare": (hook("return square"), r"opgrad_ops.*returned <op .*list or tuple"),
    "returns a number": (hook("return 7"), r"opgrad_ops.*returned 7.*list or tuple"),
    "returns a string": (hook("return 'square'"), r"opgrad_ops.*returned 'square'.*list or tuple"),
    "returns a dictionary": (
        hook("return {'square': square}"),
        r"handed over 'square', which is not an op",
    ),
    "hands over a function": (
        hook("return [square, square_derivative]"),
        r"handed over <function square_derivative.*, which is not an op.*@opgrad\.elementwise",
    ),
    "defines an op twice": (
        hook(
            "return [square, second]",
            before="@opgrad.composite(name='square')\ndef second(xp, x):\n    return x\n",
        ),
        r"acme\.square twice: at .*opgrad_acme\.py:\d+ and at .*opgrad_acme\.py:\d+",
    ),
    "has a half-defined op": (
        hook("return [square, half]", before="@opgrad.op\ndef half(xp, a, b):\n    return a * b\n"),
        r"acme\.half.*half-defined: no rule for a, b.*composite",
    ),
    "hands over a built-in op": (
        hook("return [square, opgrad.ops.tanh]"),
        r"core\.tanh \(opgrad .*'acme'",
    ),
}  # fmt: skip
# No line of these plugins is to blame: their modules or distributions are named.
NOWHERE = {"has no hook", "hands over a built-in op"}


@pytest.fixture(params=list(FAULTS.values()), ids=list(FAULTS))
def fault(request, site):
    """A plugin `acme` with a fault, beside a healthy one; gives the expected reason."""
    source, reason = request.param
    site.add("acme", source, version="1.5")
    site.add("umbrella", healthy("square"))

    return reason


def failure_of(plugins, namespace="acme"):
    """Load a plugin that cannot be loaded; return its error."""
    with pytest.raises(PluginError) as caught:
        plugins.load(namespace)

    return caught.value


def test_fault_is_named(plugins, fault):
    """The error says what is wrong in the words of the plugin's author."""
    assert re.search(fault, str(failure_of(plugins)), re.DOTALL)


def test_fault_names_its_distribution_and_version(plugins, fault):
    """Whoever reads the error knows what to repair or uninstall."""
    assert "opgrad-acme 1.5" in str(failure_of(plugins))


def test_fault_names_its_line_in_the_plugin(plugins, fault, site, request):
    """The file of the plugin, not of a library it called nor of the import system."""
    if request.node.callspec.id in NOWHERE:
        assert re.search("opgrad[-_]acme", str(failure_of(plugins)))
    else:
        file = re.escape(os.fspath(site.path / "opgrad_acme.py"))

        assert re.search(rf"{file}:\d+", str(failure_of(plugins)))


def test_nothing_of_a_faulty_plugin_stays(plugins, fault):
    """All of its ops or none: the good ones did not enter either."""
    before = [*plugins.registry]
    failure_of(plugins)

    assert loaded(plugins) == []
    assert [*plugins.registry] == before


def test_healthy_plugin_is_unaffected_by_a_faulty_one(plugins, fault):
    """It loads before, after, and works."""
    failure_of(plugins)

    assert find(plugins, "umbrella", "square")(3.0) == 9.0


def test_error_is_chained_to_what_the_plugin_raised(site, plugins):
    """The original exception, with its own traceback, is the cause."""
    site.add("acme", "x = {}['missing']")
    error = failure_of(plugins)

    assert isinstance(error.__cause__, KeyError)
    assert error.__cause__.__traceback__ is not None


def test_failure_says_what_to_do(site, plugins):
    """Repair, uninstall, or switch off by name."""
    site.add("acme", "1 / 0")

    assert "OPGRAD_DISABLE_PLUGINS=acme" in str(failure_of(plugins))


@pytest.mark.parametrize("source", ["1 / 0", hook("return 7"), hook("return 1 / 0")])
def test_failure_is_remembered(site, plugins, source):
    """It is not tried again; whoever asks later gets the same error."""
    site.add("acme", source)
    first = failure_of(plugins)

    assert failure_of(plugins) is first
    assert site.imports("opgrad_acme") == 1


def test_remembered_failure_does_not_grow(site, plugins):
    """Raised a hundred times, its traceback is as long as that of the first."""
    site.add("acme", "1 / 0")
    lengths = []
    for _ in range(100):
        trace, length = failure_of(plugins).__traceback__, 0
        while trace is not None:
            trace, length = trace.tb_next, length + 1
        lengths.append(length)

    assert max(lengths) <= lengths[0]


def test_failed_plugin_shows_in_the_list_with_its_error(site, plugins):
    """Nobody who did not ask for it hears of it, and the list tells all."""
    site.add("acme", "1 / 0")
    error = failure_of(plugins)
    status = status_of(plugins, "opgrad-acme")

    assert (status.state, status.error) == ("failed", error)


def test_loading_all_leaves_failures_in_the_list(site, plugins):
    """One broken plugin does not keep the others from loading."""
    site.add("acme", "1 / 0")
    site.add("umbrella", healthy("square", "cube"))
    states = {s.source.namespace: (s.state, s.ops) for s in plugins.load_all()}

    assert (states["acme"], states["umbrella"]) == (("failed", None), ("loaded", 2))


def test_repaired_plugin_loads_after_a_rescan(site, plugins):
    """Who repairs a plugin in a running session need not start anew."""
    site.add("acme", "1 / 0")
    failure_of(plugins)
    (site.path / "opgrad_acme.py").write_text(healthy("square"))
    plugins.rescan()

    assert find(plugins, "acme", "square")(3.0) == 9.0


def test_plugin_that_fails_is_broken_only_for_who_asks(site):
    """Built-in ops, other plugins, `dir()` and a plain backward pass never meet it."""
    site.add("broken", "raise RuntimeError('boom')")
    site.add("acme", healthy("square"))
    said = site.said(
        "opgrad.grad(lambda x: opgrad.ops.acme.square(x) + opgrad.ops.sin(x))(0.0)",
        "'broken' in dir(opgrad.ops)",
        "opgrad.ops.broken",
    )

    assert said[:2] == ["1.0", "True"]
    assert said[2].startswith("PluginError: plugin 'broken' (opgrad-broken 1.0) failed: Runtime")


def test_keyboard_interrupt_in_an_import_passes_and_is_not_remembered(site, plugins):
    """Ctrl-C is the user's: the program sees it, and the next use loads the plugin."""
    source = (
        f"import os\nif os.path.getsize(__file__ + '.log') == 1:\n    raise KeyboardInterrupt\n"
        f"{healthy('square')}"
    )
    site.add("acme", source)
    with pytest.raises(KeyboardInterrupt):
        plugins.load("acme")

    assert find(plugins, "acme", "square")(3.0) == 9.0


def test_module_that_is_not_there_is_named(site, plugins):
    """The value of the entry point is wrong: the error shows it, not the import system."""
    site.add("acme", None, value="opgrad_nowhere")
    error = str(failure_of(plugins))

    assert "opgrad-acme 1.0" in error
    assert "'opgrad_nowhere'" in error
    assert "importlib" not in error


@pytest.mark.parametrize(
    ("value", "reason"),
    [("opgrad_acme:nothing", "nothing"), ("opgrad_acme:empty", "is None")],
)
def test_object_that_is_not_there_is_named(site, plugins, value, reason):
    """A wrong attribute, or one that is None: the error shows the entry point's value."""
    site.add("acme", "empty = None", value=value)
    error = str(failure_of(plugins))

    assert reason in error
    assert "opgrad_acme" in error
    assert "opgrad-acme 1.0" in error


def test_error_texts_are_sentences(site, plugins):
    """Parts are joined by a mark where there is no near name, too; there is no full stop."""
    site.add("acme", healthy("square").replace("opgrad_ops", "opgrad_zzzzzzzz"))
    with pytest.raises(UnknownOpError) as unknown:
        plugins.load("qqqq")

    assert re.search(
        r"opgrad_zzzzzzzz'[;.:?] ?\S.*opgrad_ops, opgrad_kernels$", str(failure_of(plugins))
    )
    assert re.search(r"a namespace[;.:?] .*acme", str(unknown.value))


# --- namespaces that nobody may have ------------------------------------------------------------


@pytest.mark.parametrize("namespace", ["Acme", "a", "9lives", "my-plugin", "ä" * 3, "x" * 32])
def test_malformed_namespace_is_refused(site, plugins, namespace):
    """[a-z][a-z0-9_]{1,30}: the error shows the rule and the distribution; nothing is imported."""
    site.add(namespace, healthy("square"), distribution="opgrad-acme", value="opgrad_acme")

    with pytest.raises(PluginError, match=r"opgrad-acme 1\.0.*\[a-z\].*" + re.escape(namespace)):
        find(plugins, "core", namespace)
    assert site.imports("opgrad_acme") == 0


@pytest.mark.parametrize("namespace", ["ab", "x" * 31, "a_1"])
def test_wellformed_namespace_is_accepted(site, plugins, namespace):
    """Two to thirty-one letters, digits and underscores."""
    site.add(namespace, healthy("square"))

    assert find(plugins, namespace, "square")(3.0) == 9.0


@pytest.mark.parametrize("namespace", ["core", "linalg", "fft", "opgrad", "local", "test", "tanh"])
def test_reserved_namespace_is_refused(site, plugins, namespace):
    """Names of built-in ops, of parts of the Array API, of opgrad: the list says whose is wrong."""
    site.add(namespace, healthy("square"), distribution="opgrad-acme")
    plugins.load_all()
    status = status_of(plugins, "opgrad-acme")

    assert status.state == "failed"
    assert isinstance(status.error, ConflictError)
    assert re.search(rf"opgrad-acme 1\.0.*{namespace!r} is reserved", str(status.error))
    assert site.imports(f"opgrad_{namespace}") == 0


def test_built_in_names_are_nobody_elses(site):
    """`opgrad.ops.core` and `opgrad.ops.tanh` mean what they always mean."""
    site.add("core", healthy("add"), distribution="a-thief")
    site.add("tanh", healthy("square"), distribution="another-thief")

    assert site.said("opgrad.ops.core.add(1.0, 2.0), opgrad.ops.tanh(0.0)") == "(3.0, 0.0)"


def test_no_namespace_is_hidden_by_a_name_inside_opgrad_ops(site, plugins):
    """A plugin is reachable by its name, or refused: a file or an import of ours never wins."""
    inside = [n for n in vars(opgrad.ops) if re.fullmatch(r"[a-z][a-z0-9_]{1,30}", n)]
    for namespace in inside:
        site.add(namespace, healthy("square"))
    accepted = {s.source.namespace for s in plugins.statuses() if s.state == "installed"}

    assert accepted & set(inside) == set()


# --- conflicts ----------------------------------------------------------------------------------


def test_two_distributions_with_one_namespace_are_both_refused(site, plugins):
    """Neither loads; the error names both with their versions, and says what to do."""
    site.add("acme", healthy("square"), distribution="opgrad-acme")
    site.add("acme", None, distribution="acme-tools", version="0.3")

    with pytest.raises(ConflictError, match=r"acme-tools 0\.3 .*opgrad-acme 1\.0.*uninstall one"):
        plugins.load("acme")
    assert site.imports("opgrad_acme") == 0
    assert [s.state for s in plugins.statuses() if s.source.namespace == "acme"] == ["failed"] * 2


def test_conflict_leaves_other_namespaces_of_the_same_distributions(site, plugins):
    """What is not claimed twice loads."""
    site.add("acme", healthy("square"), distribution="opgrad-acme")
    site.add("acme", None, distribution="acme-tools")
    site.add("tools", healthy("square"), distribution="acme-tools")

    assert find(plugins, "tools", "square")(3.0) == 9.0


THIEF = """
import opgrad
from opgrad_acme import square

@opgrad.composite
def cube(xp, x):
    return x * x * x

@opgrad.hookimpl
def opgrad_ops():
    return [cube, square]
"""


@pytest.mark.parametrize("first", ["acme", "thief"])
def test_op_of_another_plugin_is_refused(site, plugins, first):
    """Whichever loads first, the owner has its op and the other one is told whose it is."""
    site.add("acme", healthy("square"))
    site.add("thief", THIEF)
    errors = {}
    for namespace in sorted(["acme", "thief"], key=lambda name: name != first):
        try:
            plugins.load(namespace)
        except PluginError as error:
            errors[namespace] = str(error)

    assert list(errors) == ["thief"]
    assert re.search(r"square.*opgrad-acme 1\.0.*opgrad-thief 1\.0", errors["thief"])
    assert loaded(plugins) == ["acme"]


def test_method_of_another_plugin_is_refused(site):
    """The error names op and distribution of both; nothing of the second plugin stays."""
    site.add("acme", healthy("square", declarations="methods=('squared', )"))
    site.add("umbrella", healthy("cube", declarations="methods=('squared', )"))
    said = site.said(
        "opgrad.ops.acme.square(3.0)",
        "opgrad.ops.umbrella.cube",
        "opgrad.Value(3.0).squared().op",
        "REGISTRY.namespaces",
        before="from opgrad.plugins import REGISTRY",
    )

    assert said[0] == "9.0"
    assert said[1].startswith("ConflictError")
    assert "Value.squared" in said[1]
    assert "acme.square (opgrad-acme 1.0)" in said[1]
    assert "umbrella.cube (opgrad-umbrella 1.0)" in said[1]
    assert "acme.square" in said[2]
    assert "umbrella" not in said[3]


@pytest.mark.parametrize(
    ("declarations", "taken"),
    [
        ("methods=('backward', )", "Value.backward"),
        ("methods=('tanh', )", "Value.tanh"),
        ("properties=('data', )", "Value.data"),
    ],
)
def test_method_of_a_value_itself_is_refused(site, declarations, taken):
    """What Value is and what built-in ops put on it stays; none of the plugin's methods enters."""
    source = healthy("square", declarations="methods=('squared', )") + healthy(
        "bad", declarations=declarations
    ).replace("[bad]", "[square, bad]")
    site.add("acme", source)
    said = site.said("opgrad.ops.acme", "hasattr(opgrad.Value(1.0), 'squared')")

    assert re.match(rf"ConflictError: .*opgrad-acme 1\.0.*{re.escape(taken)}", said[0])
    assert said[1] == "False"


def test_operator_of_a_built_in_op_is_refused(site):
    """No plugin changes what `*` means."""
    source = healthy("square").replace("[square]", "[square, times]") + (
        "\n@opgrad.composite(operator='*')\ndef times(xp, a, b):\n    return a + b\n"
    )
    site.add("acme", source)
    said = site.said("opgrad.ops.acme", "opgrad.Value(3.0) * opgrad.Value(4.0)")

    assert re.match(r"ConflictError: .*Value\.__mul__.*core\.multiply", said[0])
    assert said[1] == "Value(data=12.0)"


def test_numpy_name_of_another_op_is_refused(site):
    """Two ops that both claim `np.tanh`: an error that names both, not the first one's luck."""
    site.add("acme", healthy("square", declarations="numpy=('tanh', )"))
    said = site.said("opgrad.ops.acme")

    assert re.match(r"ConflictError: .*acme\.square.*tanh.*core\.tanh", said)


# --- circles ------------------------------------------------------------------------------------


def test_two_plugins_that_import_each_other_are_told_so(site):
    """The error shows the circle and the way out."""
    site.add("aa", "import opgrad\nopgrad.ops.bb\n" + healthy("square"))
    site.add("bb", "import opgrad\nopgrad.ops.aa\n" + healthy("square"))
    said = site.said("opgrad.ops.aa")

    assert re.search(r"PluginError: .*circle: aa → bb → aa.*inside rules", said)


def test_plugin_that_imports_itself_is_told_so(site):
    """Its own namespace is not there before it is loaded."""
    site.add("aa", "import opgrad\nopgrad.ops.aa\n" + healthy("square"))

    assert re.search(r"circle: aa → aa", site.said("opgrad.ops.aa"))


def test_circle_is_seen_from_a_plain_import_too(site):
    """`import opgrad_aa` meets itself half-imported: that is a circle, not a missing hook."""
    site.add("aa", "import opgrad\nopgrad.ops.bb\n" + healthy("square"))
    site.add("bb", "import opgrad\nopgrad.ops.aa\n" + healthy("square"))

    assert "circle" in site.said("__import__('opgrad_aa')")


def test_plugin_may_build_on_another(site):
    """An import in one direction is no circle; both are loaded, each with its own provider."""
    site.add("aa", healthy("square"))
    source = """
        import opgrad
        square = opgrad.ops.aa.square

        @opgrad.composite
        def fourth(xp, x):
            return square(square(x))

        @opgrad.hookimpl
        def opgrad_ops():
            return [fourth]
    """
    site.add("bb", source)

    assert site.said("opgrad.grad(opgrad.ops.bb.fourth)(2.0)", "opgrad.ops.aa.square(3.0)") == [
        "32.0",
        "9.0",
    ]


def test_plugin_that_needs_a_broken_one_names_both(site):
    """Who asked for `bb` reads of `bb`, and that `aa` is the reason."""
    site.add("aa", "1 / 0")
    site.add("bb", "import opgrad\nopgrad.ops.aa\n" + healthy("square"))
    said = site.said("opgrad.ops.bb", "opgrad.ops.aa")

    assert re.match(r"PluginError: .*'bb' \(opgrad-bb 1\.0\).*'aa' \(opgrad-aa 1\.0\)", said[0])
    assert "bb" not in said[1]


# --- threads ------------------------------------------------------------------------------------


def in_threads(count, call):
    """Call in several threads at once; return what each got, value or exception."""
    start, results = threading.Barrier(count), []

    def work():
        start.wait(5)
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001 -- it is what the test looks at
            results.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    return results


def test_threads_that_touch_one_namespace_load_it_once(site, plugins):
    """One import, one call of the hook, and the same op for all."""
    hooked = 'return (open(__file__ + ".hook", "a").close() or [square])'
    source = f"import time\ntime.sleep(0.1)\n{hook(hooked)}"
    site.add("acme", source.replace('"a")', '"x")'))
    results = in_threads(4, lambda: find(plugins, "acme", "square"))

    assert results == [plugins.registry.find("acme.square")] * 4
    assert site.imports("opgrad_acme") == 1


def test_threads_that_touch_a_broken_namespace_get_one_error(site, plugins):
    """One import, one error, and nobody finds half of a plugin."""
    site.add("acme", "import time\ntime.sleep(0.1)\n1 / 0")
    results = in_threads(4, lambda: find(plugins, "acme", "square"))

    assert {type(result) for result in results} == {PluginError}
    assert len(set(map(id, results))) == 1
    assert site.imports("opgrad_acme") == 1


def test_readers_do_not_wait_for_a_plugin_that_loads(site):
    """Built-in ops and loaded plugins answer while another one takes its time."""
    site.add("acme", healthy("square"))
    slow = "import sys\nsys.started.set()\nsys.go_on.wait(5)\n"
    site.add("slow", slow + healthy("square"))
    said = site.said(
        "thread.start(), sys.started.wait(5)",
        "opgrad.ops.acme.square(3.0), opgrad.ops.tanh(0.0), thread.is_alive()",
        "sys.go_on.set(), thread.join(5), opgrad.ops.slow.square(3.0)",
        before="""
            import sys, threading
            sys.started, sys.go_on = threading.Event(), threading.Event()
            thread = threading.Thread(target=lambda: opgrad.ops.slow)
            opgrad.ops.acme
        """,
    )

    assert said[1:] == ["(9.0, 0.0, True)", "(None, None, 9.0)"]


def test_plain_import_and_first_use_do_not_wait_for_each_other(site):
    """One thread imports a plugin's module, which uses another plugin; one touches its name."""
    site.add("aa", "import opgrad, time\ntime.sleep(0.4)\nopgrad.ops.bb\n" + healthy("square"))
    site.add("bb", healthy("square"))
    said = site.said(
        "[thread.start() for thread in threads]",
        "[thread.join(2) for thread in threads] and [thread.is_alive() for thread in threads]",
        before="""
            import threading, time
            def touch():
                time.sleep(0.2)
                opgrad.ops.aa
            threads = [
                threading.Thread(target=target, daemon=True)
                for target in (lambda: __import__("opgrad_aa"), touch)
            ]
        """,
    )

    assert said[1] == "[False, False]"


def test_circle_met_by_two_threads_is_an_error_and_no_wait(site):
    """Each thread starts at another end; both are told, and neither waits for the other."""
    site.add("aa", "import opgrad, time\ntime.sleep(0.2)\nopgrad.ops.bb\n" + healthy("square"))
    site.add("bb", "import opgrad, time\ntime.sleep(0.2)\nopgrad.ops.aa\n" + healthy("square"))
    said = site.said(
        "[thread.start() for thread in threads]",
        "[thread.join(3) for thread in threads] and sorted(told)",
        before="""
            import threading
            told, touch = [], opgrad.ops.__getattr__
            threads = [
                threading.Thread(
                    target=lambda n=n: told.append((n, "circle" in said(lambda: touch(n)))),
                    daemon=True,
                )
                for n in ("aa", "bb")
            ]
        """,
    )

    assert said[1] == "[('aa', True), ('bb', True)]"


# --- switches -----------------------------------------------------------------------------------


def test_disabled_plugin_is_not_imported(site, plugins, monkeypatch):
    """The filter acts before the import, and the error names the variable to change."""
    monkeypatch.setenv("OPGRAD_DISABLE_PLUGINS", "other, acme")
    site.add("acme", healthy("square"))

    with pytest.raises(UnknownOpError, match=r"'acme' \(opgrad-acme 1\.0\).*OPGRAD_DISABLE_PLUGIN"):
        find(plugins, "acme", "square")
    assert site.imports("opgrad_acme") == 0
    assert status_of(plugins, "opgrad-acme").state == "disabled"


def test_only_the_plugins_named_are_loaded(site, plugins, monkeypatch):
    """OPGRAD_PLUGINS lists all that may load; the others are switched off."""
    monkeypatch.setenv("OPGRAD_PLUGINS", "umbrella")
    site.add("acme", healthy("square"))
    site.add("umbrella", healthy("square"))
    plugins.load("umbrella")

    with pytest.raises(UnknownOpError, match=r"'acme'.*switched off by OPGRAD_PLUGINS"):
        plugins.load("acme")
    assert site.imports("opgrad_acme") == 0


def test_disabling_wins_over_naming(site, plugins, monkeypatch):
    """A plugin in both lists is off."""
    monkeypatch.setenv("OPGRAD_PLUGINS", "acme")
    monkeypatch.setenv("OPGRAD_DISABLE_PLUGINS", "acme")
    site.add("acme", healthy("square"))

    with pytest.raises(UnknownOpError, match="switched off by OPGRAD_DISABLE_PLUGINS"):
        plugins.load("acme")


def test_empty_list_of_plugins_admits_none(site, plugins, monkeypatch):
    """OPGRAD_PLUGINS= is a list of nothing; without the variable all may load."""
    monkeypatch.setenv("OPGRAD_PLUGINS", "")
    site.add("acme", healthy("square"))

    with pytest.raises(UnknownOpError, match="switched off by OPGRAD_PLUGINS"):
        plugins.load("acme")


def test_being_switched_off_is_not_remembered(site, plugins, monkeypatch):
    """It is a setting, not a failure: without it the plugin loads."""
    monkeypatch.setenv("OPGRAD_DISABLE_PLUGINS", "acme")
    site.add("acme", healthy("square"))
    with pytest.raises(UnknownOpError):
        plugins.load("acme")
    monkeypatch.delenv("OPGRAD_DISABLE_PLUGINS")

    assert find(plugins, "acme", "square")(3.0) == 9.0


def test_built_in_ops_cannot_be_switched_off(site):
    """Neither list touches `core`."""
    said = site.said(
        "opgrad.ops.add(1.0, 2.0)", OPGRAD_PLUGINS="acme", OPGRAD_DISABLE_PLUGINS="core"
    )

    assert said == "3.0"


def test_disabled_plugin_is_not_among_the_names(site):
    """`dir(opgrad.ops)` shows what can be used."""
    site.add("acme", healthy("square"))
    site.add("umbrella", healthy("square"))
    said = site.said(
        "[n for n in ('acme', 'umbrella') if n in dir(opgrad.ops)]", OPGRAD_DISABLE_PLUGINS="acme"
    )

    assert said == "['umbrella']"


@pytest.mark.parametrize("wrong", ["raises", "conflict", "namespace"])
def test_strict_mode_raises_every_failure_at_once(site, plugins, monkeypatch, wrong):
    """With OPGRAD_STRICT=1 a failure nobody asked for is raised when plugins are first needed."""
    monkeypatch.setenv("OPGRAD_STRICT", "1")
    site.add("acme", healthy("square"))
    if wrong == "raises":
        site.add("zz", "1 / 0")
    elif wrong == "conflict":
        site.add("zz", healthy("square"))
        site.add("zz", None, distribution="zz-tools")
    else:
        site.add("Zz", healthy("square"), distribution="opgrad-zz")

    with pytest.raises(PluginError, match=r"opgrad-zz 1\.0"):
        plugins.load("acme")


def test_strict_mode_never_forgets_a_failure(site, plugins, monkeypatch):
    """It raises at the second use as at the first: a caught error does not end strictness."""
    monkeypatch.setenv("OPGRAD_STRICT", "1")
    site.add("broken", "1 / 0")
    site.add("umbrella", healthy("square"))
    failure_of(plugins, "umbrella")

    assert "opgrad-broken" in str(failure_of(plugins, "umbrella"))


def test_strict_mode_leaves_switched_off_plugins_alone(site, plugins, monkeypatch):
    """Disabling the broken one is the way out that the error names."""
    monkeypatch.setenv("OPGRAD_STRICT", "1")
    monkeypatch.setenv("OPGRAD_DISABLE_PLUGINS", "zz")
    site.add("acme", healthy("square"))
    site.add("zz", "1 / 0")

    assert find(plugins, "acme", "square")(3.0) == 9.0
    assert site.imports("opgrad_zz") == 0


@pytest.mark.parametrize("value", ["", "0"])
def test_strict_mode_is_off_where_it_is_empty_or_zero(site, plugins, monkeypatch, value):
    """OPGRAD_STRICT=0 is no strictness."""
    monkeypatch.setenv("OPGRAD_STRICT", value)
    site.add("acme", healthy("square"))
    site.add("zz", "1 / 0")

    assert find(plugins, "acme", "square")(3.0) == 9.0


# --- provenance ---------------------------------------------------------------------------------


def test_repr_of_an_op_says_where_it_comes_from(site, plugins):
    """Qualified name, distribution, version, file and line."""
    file = site.add("acme", healthy("square"), distribution="Acme-Ops", version="3.1.4")
    op = find(plugins, "acme", "square")
    line = file.read_text().splitlines().index("def square(xp, x):")

    assert re.fullmatch(
        rf"<op acme\.square \(Acme-Ops 3\.1\.4\) at {re.escape(os.fspath(file))}:{line}>", repr(op)
    )


@pytest.mark.parametrize("editable", [True, False])
def test_op_knows_whether_its_install_is_editable(site, plugins, editable):
    """In its provider and in its repr: code that may have changed since the version was given."""
    site.add("acme", healthy("square"), editable=editable)
    op = find(plugins, "acme", "square")

    assert op.provider.editable is editable
    assert ("editable" in repr(op)) is editable


def test_op_knows_the_module_of_its_plugin():
    """A plugin of several modules, as the built-in ops are, does not give all to the first."""
    wrong = {
        op.qualname: op.provider.module
        for op in (opgrad.ops.tanh, opgrad.ops.matmul, opgrad.ops.activations.gelu)
        if not op.forward.__module__.startswith(op.provider.module)
    }

    assert wrong == {}


RULES = """
import opgrad

@opgrad.op
def fails_forward(xp, x):
    raise ValueError("no")

@fails_forward.backward
def fails_forward_backward(g):
    return g

@opgrad.op
def fails_backward(xp, x):
    return x * 1.0

@fails_backward.backward
def fails_backward_backward(g):
    raise ValueError("no")

@fails_backward.jvp
def fails_backward_jvp(t):
    raise ValueError("no")

@opgrad.elementwise
def fails_derivative(xp, x):
    return x * 1.0

@fails_derivative.derivative
def fails_derivative_derivative(x):
    raise ValueError("no")

@opgrad.op
def returns_text(xp, x):
    return x * 1.0

@returns_text.backward
def returns_text_backward(g):
    return "text"

@opgrad.hookimpl
def opgrad_ops():
    return [fails_forward, fails_backward, fails_derivative, returns_text]
"""


def test_every_error_of_a_rule_says_whose_rule_it_is(site):
    """Forward, backward, derivative, jvp, and a wrong return: op, distribution, version."""
    site.add("acme", RULES, version="1.2.3")
    calls = {
        "acme.fails_forward(1.0)": "fails_forward",
        "opgrad.grad(acme.fails_forward)(1.0)": "fails_forward",
        "opgrad.grad(acme.fails_backward)(1.0)": "fails_backward",
        "acme.fails_backward(opgrad.Value(1.0)).backward()": "fails_backward",
        "opgrad.jvp(acme.fails_backward, (1.0,), (1.0,))": "fails_backward",
        "opgrad.grad(acme.fails_derivative)(1.0)": "fails_derivative",
        "opgrad.jvp(acme.fails_derivative, (1.0,), (1.0,))": "fails_derivative",
        "opgrad.grad(acme.returns_text)(1.0)": "returns_text",
    }
    said = dict(zip(calls, site.said(*calls, before="acme = opgrad.ops.acme"), strict=True))
    silent = {
        call: text
        for call, text in said.items()
        if f"acme.{calls[call]} (opgrad-acme 1.2.3)" not in text
    }

    assert silent == {}


# --- names --------------------------------------------------------------------------------------


def test_dir_of_the_ops_shows_ops_and_namespaces_and_imports_nothing(site):
    """Built-in ops, installed namespaces, sorted; no helper of ours."""
    site.add("acme", healthy("square"))
    said = site.said(
        "dir(opgrad.ops) == sorted(dir(opgrad.ops))",
        "{'add', 'tanh', 'acme', 'activations'} <= set(dir(opgrad.ops))",
        "{'find', 'names', 'PLUGINS', 'arithmetic', 'core'} & set(dir(opgrad.ops))",
    )

    assert said == ["True", "True", "set()"]
    assert site.imports("opgrad_acme") == 0


def test_dir_of_a_namespace_shows_its_ops(site):
    """And nothing else; its repr shows them too."""
    site.add("acme", healthy("cube", "square"))
    said = site.said("dir(opgrad.ops.acme)", "opgrad.ops.acme")

    assert said == ["['cube', 'square']", "<ops of 'acme': cube, square>"]


def test_near_names_are_suggested(site):
    """An op, a plugin's op, a namespace, a bare name that some plugin has."""
    site.add("acme", healthy("softplus2"))
    said = site.said(
        "opgrad.ops.tanhh",
        "opgrad.ops.acmee",
        "opgrad.ops.acme.softplus",
        "opgrad.ops.softplus2",
        "opgrad.ops.acme.tanh2x",
    )

    assert re.fullmatch(r"UnknownOpError: .*'tanhh'; did you mean 'tanh'.*\?", said[0])
    assert re.fullmatch(r"UnknownOpError: .*'acmee'; did you mean .*'acme'.*\?", said[1])
    assert re.fullmatch(
        r"UnknownOpError: .*'acme\.softplus'; did you mean 'acme\.softplus2'\?", said[2]
    )
    assert re.fullmatch(r"UnknownOpError: .*'softplus2'; did you mean 'acme\.softplus2'\?", said[3])
    assert said[4].startswith("UnknownOpError: no installed plugin provides op 'acme.tanh2x'")


def test_near_namespace_is_suggested_beside_near_ops(site):
    """A misspelled namespace that looks like an op too: both are offered."""
    site.add("tanx", healthy("square"))

    assert "'tanx'" in site.said("opgrad.ops.tanxx")


def test_namespace_is_one_object(site):
    """Using an op by its full name a thousand times leaves nothing behind."""
    site.add("acme", healthy("square"))
    said = site.said(
        "opgrad.ops.acme is opgrad.ops.acme",
        "len(gc.get_objects()) - before < 100",
        before="""
            import gc
            opgrad.ops.acme.square
            gc.collect()
            before = len(gc.get_objects())
            for _ in range(1000):
                opgrad.ops.acme.square
        """,
    )

    assert said == ["True", "True"]


def test_name_is_known_to_the_module_and_to_rules_alike(site):
    """A composite that is differentiated finds what `opgrad.ops` finds: one table serves both."""
    site.add("acme", healthy("square"))
    said = site.said("opgrad.ops.core.acme.square is opgrad.ops.acme.square")

    assert said == "True"


# --- plugins by hand ----------------------------------------------------------------------------


def test_plugin_object_is_loaded_by_hand(plugins):
    """For notebooks, frozen applications and tests: no metadata needed."""
    plugins.load_plugin(ByHand(make()), "acme")
    op = find(plugins, "acme", "square")

    assert op(3.0) == 9.0
    assert op.qualname == "acme.square"


def test_public_load_plugin_is_that_of_the_process():
    """`opgrad.load_plugin` and `opgrad.ops` speak of the same registry."""
    opgrad.load_plugin(ByHand(make()), "by_hand_tests")
    try:
        assert opgrad.grad(opgrad.ops.by_hand_tests.square)(3.0) == 6.0
    finally:
        PLUGINS.forget("by_hand_tests")


def test_module_is_a_plugin_object(site, plugins):
    """A module with a hook, loaded under any free name."""
    site.add("acme", healthy("square"))
    plugins.load_plugin(importlib.import_module("opgrad_acme"), "umbrella")

    assert find(plugins, "umbrella", "square").provider.module == "opgrad_acme"


def test_same_object_again_is_no_redefinition(plugins, capsys):
    """A cell that is run twice without change says nothing."""
    plugin = ByHand(make())
    plugins.load_plugin(plugin, "acme")
    plugins.load_plugin(plugin, "acme")

    assert capsys.readouterr() == ("", "")


def test_installed_plugin_by_hand_under_its_own_name_changes_nothing(site, plugins):
    """The same object again: nothing happens, and it keeps the provider it has."""
    site.add("acme", healthy("square"))
    plugins.load("acme")
    plugins.load_plugin(sys.modules["opgrad_acme"], "acme")

    assert find(plugins, "acme", "square").provider.distribution == "opgrad-acme"


def test_redefinition_from_the_same_script_replaces_with_one_line(plugins, capsys):
    """Cell after cell: the new op counts, one line says so, and it names the namespace."""
    plugins.load_plugin(ByHand(make(1.0)), "acme")
    old = find(plugins, "acme", "square")
    plugins.load_plugin(ByHand(make(5.0)), "acme")
    out, err = capsys.readouterr()

    assert find(plugins, "acme", "square")(1.0) == 5.0
    assert re.fullmatch(r"opgrad: .*'acme'.*replaced\n", out + err)
    assert old(1.0) == 1.0


def test_reloaded_module_redefines_its_namespace(site, plugins, capsys):
    """Edit, `importlib.reload`, hand over again: the new ops count."""
    file = site.add("acme", healthy("square"))
    module = importlib.import_module("opgrad_acme")
    plugins.load_plugin(module, "mine")
    file.write_text(healthy("square").replace("1.0 * x", "5.0 * x"))
    plugins.load_plugin(importlib.reload(module), "mine")

    assert find(plugins, "mine", "square")(1.0) == 5.0
    assert capsys.readouterr().out == "opgrad: 'mine' was defined before and is replaced\n"


def test_redefinition_may_come_in_a_class_of_another_name(plugins):
    """What counts is the script that defines the ops, not what wraps them."""
    plugins.load_plugin(ByHand(make(1.0)), "acme")
    renamed = type("Renamed", (ByHand,), {})(make(5.0))
    plugins.load_plugin(renamed, "acme")

    assert find(plugins, "acme", "square")(1.0) == 5.0


def from_elsewhere():
    """Make an op as another script would define it."""
    scope = {"__name__": "another_script", "opgrad": opgrad}
    source = "@opgrad.composite\ndef square(xp, x):\n    return -x\n"
    exec(compile(source, "another_script.py", "exec"), scope)  # noqa: S102 -- source of this file

    return scope["square"]


def test_redefinition_from_elsewhere_is_refused(plugins):
    """The error names both sources; the first definition stays."""
    plugins.load_plugin(ByHand(make()), "acme")
    kept = find(plugins, "acme", "square")

    with pytest.raises(ConflictError, match=rf"'acme'.*{__name__}.*another_script"):
        plugins.load_plugin(ByHand(from_elsewhere()), "acme")
    assert find(plugins, "acme", "square") is kept


REFUSED = {
    "half-defined": lambda: ByHand(make(9.0), opgrad.op(lambda xp, a: a, name="half")),
    "twice": lambda: ByHand(make(9.0), make(10.0)),
    "a number": lambda: ByHand(make(9.0), 7),
    "raises": lambda: SimpleNamespace(opgrad_ops=opgrad.hookimpl(lambda: 1 / 0)),
    "returns None": lambda: SimpleNamespace(opgrad_ops=opgrad.hookimpl(lambda: None)),
    "no hook": object,
    "None": lambda: None,
    "built-in op": lambda: ByHand(make(9.0), opgrad.ops.tanh),
}


@pytest.mark.parametrize("plugin", REFUSED.values(), ids=list(REFUSED))
def test_refused_redefinition_loses_nothing(plugins, capsys, plugin):
    """A PluginError, no notice of a replacement, and the ops that were there."""
    plugins.load_plugin(ByHand(make(1.0), make(2.0, "double")), "acme")
    held = dict(plugins.registry.table("acme"))

    with pytest.raises(PluginError):
        plugins.load_plugin(plugin(), "acme")
    assert dict(plugins.registry.table("acme")) == held
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("namespace", ["Acme", "linalg", "core", "test", ""])
def test_namespace_nobody_may_have_is_refused_by_hand_too(plugins, namespace):
    """The same names for all, and the error shows the name."""
    with pytest.raises(PluginError, match=re.escape(repr(namespace))):
        plugins.load_plugin(ByHand(make()), namespace)


def test_namespace_of_a_loaded_plugin_is_not_taken_by_hand(site, plugins):
    """The error names the distribution that has it, and its ops stay."""
    site.add("acme", healthy("square"))
    plugins.load("acme")
    kept = find(plugins, "acme", "square")

    with pytest.raises(ConflictError, match=r"'acme'.*opgrad[-_]acme"):
        plugins.load_plugin(ByHand(make()), "acme")
    assert find(plugins, "acme", "square") is kept


def test_namespace_of_an_installed_plugin_is_not_taken_by_hand(site, plugins):
    """Whether it was loaded before makes no difference: its code reads `acme` as its own."""
    site.add("acme", healthy("square"))

    with pytest.raises(ConflictError, match=r"'acme'.*opgrad-acme 1\.0"):
        plugins.load_plugin(ByHand(make()), "acme")


def test_namespace_of_a_disabled_plugin_is_free(site, plugins, monkeypatch):
    """Switching the installed one off is the way to work on it by hand."""
    site.add("acme", healthy("square"))
    monkeypatch.setenv("OPGRAD_DISABLE_PLUGINS", "acme")
    plugins.load_plugin(ByHand(make(5.0)), "acme")

    assert find(plugins, "acme", "square")(1.0) == 5.0


def test_plugin_is_loaded_by_hand_where_nothing_is_installed(tmp_path):
    """A frozen application: one file, no metadata, no folders; ops, gradients and errors work."""
    file = tmp_path / "app.pyz"
    program = """
import opgrad, the_plugin
opgrad.load_plugin(the_plugin, namespace="mine")
print(opgrad.grad(opgrad.ops.mine.square)(3.0), opgrad.grad(opgrad.ops.tanh)(0.0))
print(repr(opgrad.ops.mine.square), hasattr(opgrad.ops, "acme"))
"""
    with zipfile.ZipFile(file, "w") as app:
        for package in map(importlib.import_module, ("attr", "attrs", "opgrad", "pluggy")):
            folder = Path(package.__file__).parent
            for source in folder.rglob("*.py"):
                app.write(source, source.relative_to(folder.parent))
        app.writestr("the_plugin.py", healthy("square"))
        app.writestr("__main__.py", program)
    done = subprocess.run(
        [sys.executable, "-I", "-S", os.fspath(file)],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    first, second = done.stdout.splitlines()

    assert first == "6.0 1.0"
    assert second.startswith("<op mine.square (load_plugin by hand) at ")
    assert second.endswith("> False")


def test_application_that_lacks_a_part_of_opgrad_is_told_so():
    """Not to disable `core`, which nobody can: its modules were not collected."""
    program = """
        import sys
        sys.modules["opgrad.ops.sorting"] = None
        try:
            import opgrad
        except ImportError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert re.match(r"opgrad itself is incomplete: .*opgrad\.ops\.sorting", done.stdout)
    assert "OPGRAD_DISABLE_PLUGINS" not in done.stdout


def test_namespace_that_is_forgotten_can_be_defined_anew(plugins):
    """For tests of plugins: nothing of the first definition is in the way."""
    plugins.load_plugin(ByHand(make()), "acme")
    plugins.forget("acme")
    plugins.load_plugin(ByHand(from_elsewhere()), "acme")

    assert find(plugins, "acme", "square")(1.0) == -1.0


def test_redefinition_reaches_values_and_numpy(site):
    """Methods and NumPy names mean the new op; those it no longer declares are gone."""
    said = site.said(
        "opgrad.load_plugin(ByHand(make(1.0, methods=('sq', 'old'), numpy=('i0',))), 'acme')",
        "opgrad.Value(1.0).sq(), np.i0(v)",
        "opgrad.load_plugin(ByHand(make(5.0, methods=('sq',), numpy=('i0',))), 'acme')",
        "opgrad.Value(1.0).sq()",
        "np.i0(v)",
        "hasattr(opgrad.Value(1.0), 'old')",
        before=f"{NOTEBOOK}\nimport numpy as np\nv = opgrad.Value(np.array([1.0]))\n",
    )

    assert said[1] == "(Value(data=1.0), Value(data=array([1.])))"
    assert said[3:] == ["Value(data=5.0)", "Value(data=array([5.]))", "False"]


def test_forgotten_namespace_leaves_no_methods(site):
    """Neither on Value nor for NumPy, so the next definition of them is no clash."""
    said = site.said(
        "opgrad.load_plugin(ByHand(make(1.0, methods=('sq',), numpy=('i0',))), 'acme')",
        "PLUGINS.forget('acme')",
        "hasattr(opgrad.Value(1.0), 'sq')",
        "opgrad.load_plugin(ByHand(make(5.0, methods=('sq',), numpy=('i0',))), 'umbrella')",
        "opgrad.Value(1.0).sq()",
        before=f"{NOTEBOOK}\nfrom opgrad.plugins import PLUGINS\n",
    )

    assert said[2:] == ["False", "None", "Value(data=5.0)"]
