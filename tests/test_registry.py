"""The registry: all of a provider's ops or none, one name one op, and clashes that name both."""

from __future__ import annotations

import re

import pytest

from opgrad import elementwise
from opgrad.errors import ConflictError, OpDefinitionError, OpgradError, UnknownOpError
from opgrad.op import Op
from opgrad.registry import Registry
from opgrad.types import Provider

ACME = Provider("acme", "opgrad-acme", "1.0", "opgrad_acme")
UMBRELLA = Provider("umbrella", "opgrad-umbrella", "2.1", "opgrad_umbrella")
RIVAL = Provider("acme", "acme-tools", "0.3", "acme_tools")


def make(name, factor=1.0) -> Op:
    """Make an op of that name, new each time."""

    @elementwise(name=name)
    def forward(xp, x):
        return factor * x * x

    @forward.derivative
    def forward_derivative(x):
        return 2.0 * factor * x

    return forward


@pytest.fixture
def registry():
    """A registry of the test's own."""
    return Registry()


# --- what a commit does -------------------------------------------------------------------------


def test_committed_op_is_found_by_its_qualified_name(registry):
    """One name, one op: `namespace.name`, the very object that was handed over."""
    square = make("square")
    registry.commit(ACME, [square])

    assert registry.find("acme.square") is square
    assert registry.get("acme.square") is square


def test_committed_op_knows_who_brought_it(registry):
    """Its name, its description and its repr tell distribution, version, file and line."""
    square = make("square")
    registry.commit(ACME, [square])

    assert square.provider == ACME
    assert square.qualname == "acme.square"
    assert repr(square) == f"<op acme.square (opgrad-acme 1.0) at {square.place}>"
    assert re.fullmatch(rf"{re.escape(__file__)}:\d+", square.place)


def test_op_outside_any_registry_is_local():
    """An op works, and says where it is from, before anybody registers it."""
    square = make("square")

    assert square.qualname == "local.square"
    assert "defined here, not in a plugin" in repr(square)
    assert square(3.0) == 9.0


def test_built_in_names_need_no_namespace(registry):
    """A bare name is one of `core`; another namespace's op needs its own."""
    add, square = make("add"), make("square")
    registry.commit(Provider("core", "opgrad", "1", "opgrad"), [add])
    registry.commit(ACME, [square])

    assert registry.get("add") is registry.get("core.add") is add
    assert registry.get("square") is None


def test_registry_counts_and_lists_its_ops_in_order(registry):
    """Namespaces and ops come in the order in which they were committed."""
    ops = [make("b"), make("a")]
    registry.commit(UMBRELLA, ops)
    registry.commit(ACME, [make("c")])

    assert [op.qualname for op in registry] == ["umbrella.b", "umbrella.a", "acme.c"]
    assert len(registry) == 3
    assert registry.namespaces == ("umbrella", "acme")


def test_same_object_again_changes_nothing(registry):
    """An op handed over twice, in one commit or in two, is one op."""
    square = make("square")
    registry.commit(ACME, [square, square])
    registry.commit(ACME, [square])

    assert [*registry] == [square]


def test_unknown_namespace_has_an_empty_table(registry):
    """Asking for a table is no error and makes none."""
    assert dict(registry.table("acme")) == {}
    assert registry.namespaces == ()


def test_table_cannot_be_written(registry):
    """Nothing enters but through `commit`."""
    registry.commit(ACME, [make("square")])

    with pytest.raises(TypeError):
        registry.table("acme")["cube"] = make("cube")


def test_reader_keeps_the_table_it_holds(registry):
    """Copy on write: a walk over a table is never disturbed by a commit."""
    registry.commit(ACME, [make("square")])
    held = registry.table("acme")
    walk = iter(registry)
    started = next(walk)
    registry.commit(ACME, [*held.values(), make("cube")])

    assert list(held) == ["square"]
    assert [started, *walk] == [held["square"]]
    assert list(registry.table("acme")) == ["square", "cube"]


def test_registered_op_takes_no_more_rules(registry):
    """What others use does not change under them; the error says when rules are added."""
    square = make("square")
    registry.commit(ACME, [square])

    def square_jvp(t, x):
        return 2.0 * t * x

    with pytest.raises(OpDefinitionError, match=r"acme\.square .*registered.*before the plugin"):
        square.jvp(square_jvp)


# --- clashes ------------------------------------------------------------------------------------


def test_second_provider_of_a_namespace_is_refused(registry):
    """The error names both distributions, and the first one stays as it was."""
    square = make("square")
    registry.commit(ACME, [square])

    with pytest.raises(ConflictError, match=r"(?s)opgrad-acme 1\.0.*acme-tools 0\.3"):
        registry.commit(RIVAL, [make("cube")])
    assert [*registry] == [square]


def test_two_ops_of_one_name_are_refused_with_both_places(registry):
    """Neither enters, nor does anything that came with them."""
    first, second = make("square"), make("square")
    expected = re.escape(first.place) + ".*" + re.escape(second.place)

    with pytest.raises(ConflictError, match=rf"opgrad-acme 1\.0 .*acme\.square twice.*{expected}"):
        registry.commit(ACME, [make("cube"), first, second])
    assert (len(registry), registry.namespaces) == (0, ())


def test_op_of_another_namespace_is_refused(registry):
    """An op belongs to whoever registered it; the error names the op, its owner and the taker."""
    square = make("square")
    registry.commit(ACME, [square])

    with pytest.raises(
        ConflictError, match=r"acme\.square \(opgrad-acme 1\.0\).*opgrad-umbrella 2\.1.*'umbrella'"
    ):
        registry.commit(UMBRELLA, [make("cube"), square])
    assert square.provider == ACME
    assert registry.namespaces == ("acme",)


def test_refused_ops_are_still_free(registry):
    """An op that came with a refused one has no provider and can be registered elsewhere."""
    cube, first, second = make("cube"), make("square"), make("square")
    with pytest.raises(ConflictError):
        registry.commit(ACME, [cube, first, second])
    registry.commit(UMBRELLA, [cube])

    assert cube.qualname == "umbrella.cube"
    assert first.provider is None


def test_commit_replaces_the_ops_of_the_same_provider(registry):
    """What a provider defines anew stands alone; nodes keep the op they were recorded with."""
    old, new = make("square"), make("square", factor=3.0)
    registry.commit(ACME, [old, make("cube")])
    registry.commit(ACME, [new])

    assert [*registry] == [new]
    assert old(2.0) == 4.0


# --- names nobody provides ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("sinn", "'sin'"),
        ("acme.softplux2", "'acme.softplus2'"),
        ("softplus2", "'acme.softplus2'"),
        ("umbrella.softplus2", "'acme.softplus2'"),
    ],
)
def test_unknown_name_is_answered_with_the_nearest(registry, asked, meant):
    """What was asked for and what was meant are both in the message."""
    registry.commit(Provider("core", "opgrad", "1", "opgrad"), [make("sin"), make("exp")])
    registry.commit(ACME, [make("softplus2")])

    with pytest.raises(UnknownOpError, match=rf"op '{re.escape(asked)}'.*did you mean.*{meant}"):
        registry.find(asked)


def test_name_far_from_all_others_gets_no_suggestion(registry):
    """A guess that cannot help is not made."""
    registry.commit(ACME, [make("softplus2")])

    with pytest.raises(UnknownOpError) as caught:
        registry.find("zzz")
    assert str(caught.value) == "no installed plugin provides op 'zzz'"


def test_unknown_op_error_is_what_its_askers_catch():
    """As an attribute and as a look-up, each caught as Python's own kind is."""
    assert issubclass(UnknownOpError, AttributeError)
    assert issubclass(UnknownOpError, LookupError)
    assert issubclass(UnknownOpError, OpgradError)


# --- what depends on a registry -----------------------------------------------------------------


def test_subscriber_hears_of_what_is_there_and_of_what_comes(registry):
    """It does not matter whether it subscribes before or after a commit."""
    heard = []
    registry.commit(ACME, [make("square")])
    registry.subscribe(lambda ops: heard.extend(op.qualname for op in ops))
    registry.commit(UMBRELLA, [make("cube")])

    assert heard == ["acme.square", "umbrella.cube"]


def test_refused_commit_changes_nothing_and_tells_nobody(registry):
    """A check refuses before the first op enters, so there is nothing to take back."""
    heard, square = [], make("square")

    def refuse(provider, ops):
        message = f"{provider}: no"
        raise ConflictError(message)

    registry.subscribe(heard.extend, check=refuse)

    with pytest.raises(ConflictError, match=r"opgrad-acme 1\.0: no"):
        registry.commit(ACME, [square])
    assert (heard, [*registry], square.provider) == ([], [], None)


# --- taking out again ---------------------------------------------------------------------------


def test_discarded_namespace_is_unknown_and_its_ops_are_free(registry):
    """Its names are gone; the ops work on, as local ones, and may be registered anew."""
    square = make("square")
    registry.commit(ACME, [square])
    registry.discard("acme")

    assert (registry.namespaces, registry.get("acme.square")) == ((), None)
    assert square.qualname == "local.square"
    registry.commit(UMBRELLA, [square])
    assert registry.find("umbrella.square") is square


def test_discarding_what_is_not_there_is_no_error(registry):
    """Nothing happens, to nobody."""
    registry.commit(ACME, [make("square")])
    registry.discard("umbrella")

    assert registry.namespaces == ("acme",)
