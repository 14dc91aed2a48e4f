"""`Offers`: the kernels that loaded plugins offer, and their ops as they run with them."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

import attrs

from opgrad.errors import PluginError, UnknownOpError
from opgrad.kernels import Kernel, fit
from opgrad.op import Op
from opgrad.plugins import Plugins
from opgrad.preferences import Preference


@attrs.define(eq=False)
class Offers:
    """What there is to prefer. A kernel is fitted to its op once."""

    plugins: Plugins
    _fitted: WeakKeyDictionary[Kernel, dict[Op, Op]] = attrs.field(
        factory=WeakKeyDictionary, init=False
    )

    def __iter__(self) -> Iterator[Kernel]:
        for namespace in self.plugins.registry.namespaces:
            yield from self.plugins.kernels(namespace)

    def for_(self, wanted: Preference) -> list[Kernel]:
        """The kernels that a preference is about; none where its plugin is not loaded."""
        kernels = self.plugins.kernels(wanted.supplier)

        return [kernel for kernel in kernels if wanted.op in {None, kernel.op}]

    def wanted(self, wanted: Preference) -> list[Kernel]:
        """The same, those for ops of plugins that are not installed aside.

        Raises:
            UnknownOpError: There is none; the message lists what the plugin offers.
        """
        known = (self.plugins.registry.namespaces, self.plugins.built_in, self.plugins.sources())
        found = [k for k in self.for_(wanted) if any(_namespace(k) in names for names in known)]
        if not found:
            offered = [f"{k.op} for {k.data} data" for k in self.plugins.kernels(wanted.supplier)]
            of = f" for {wanted.op}" if wanted.op else " for an op that is installed here"
            message = (
                f"plugin {wanted.supplier!r} offers no kernel{of}; "
                f"it offers: {', '.join(offered) or 'none at all'}"
            )
            raise UnknownOpError(message)

        return found

    def owner(self, kernel: Kernel) -> Op | None:
        """The op that a kernel is for; None as long as its plugin is not loaded.

        Raises:
            PluginError: The plugin is loaded and has no such op.
        """
        registry = self.plugins.registry
        owner = registry.get(kernel.op)
        if owner is None and _namespace(kernel) in registry.namespaces:
            message = f"{kernel!r} is for an op that is not there: {registry.unknown(kernel.op)}"
            raise PluginError(message)

        return owner

    def fit(self, kernel: Kernel, owner: Op) -> Op:
        """The op that runs where the kernel is preferred, the same one each time.

        Raises:
            PluginError: The kernel does not fit.
        """
        fitted = self._fitted.setdefault(kernel, {})
        made = fitted.get(owner)
        if made is None:
            made = fitted.setdefault(owner, fit(kernel, owner))

        return made


def _namespace(kernel: Kernel) -> str:
    return kernel.op.rpartition(".")[0]
