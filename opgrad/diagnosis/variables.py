"""The variables of opgrad, and its file of preferences: names of what is not there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping

from opgrad import preferences
from opgrad.diagnosis.finding import Finding
from opgrad.discovery import preference_file
from opgrad.errors import OpgradError, did_you_mean
from opgrad.preferences import Preference

VARIABLES = {
    "OPGRAD_PLUGINS": "only these plugins may load",
    "OPGRAD_DISABLE_PLUGINS": "these plugins never load; wins over OPGRAD_PLUGINS",
    "OPGRAD_STRICT": "every failure of any plugin raises at once",
    "OPGRAD_PREFER": "the suppliers to take ops from, where several offer one",
}
"""Every variable that opgrad reads, and what it does."""

LISTS = ("OPGRAD_PLUGINS", "OPGRAD_DISABLE_PLUGINS")
NEAR = 0.85
ON_OR_OFF = ("", "0", "1")


def check_variables(
    environment: Mapping[str, str], installed: Collection[str], built_in: Collection[str]
) -> Iterator[Finding]:
    """What is wrong with the variables of opgrad in an environment.

    >>> [one.problem for one in check_variables({"OPGRAD_PLUGIN": "acme"}, ["acme"], [])]
    ["opgrad reads no variable of this name; did you mean 'OPGRAD_PLUGINS'?"]
    """
    for name in sorted(environment):
        if name in LISTS:
            yield from _check_list(name, environment[name], installed, built_in)
        elif name == preferences.VARIABLE:
            yield from _check_variable_of_preferences(environment[name], {*installed, *built_in})
        elif name == "OPGRAD_STRICT":
            yield from _check_strict(environment[name])
        else:
            yield from _check_name(name, installed)


def _check_name(name: str, installed: Collection[str]) -> Iterator[Finding]:
    """A variable that means to be one of opgrad's; `OPGRAD_ACME_...` is the plugin's affair."""
    near = difflib.get_close_matches(name.upper(), VARIABLES, 1, NEAR)
    if not near:
        theirs = tuple(f"OPGRAD_{namespace.upper()}" for namespace in installed)
        if not name.upper().startswith("OPGRAD_") or name.startswith(theirs):
            return
    hint = did_you_mean(name.upper(), VARIABLES, cutoff=0.75).rstrip(";")
    remedy = f"rename it, or unset it: the variables are {', '.join(VARIABLES)}"
    yield Finding("variable", name, f"opgrad reads no variable of this name{hint}", remedy)


def _check_list(
    variable: str, value: str, installed: Collection[str], built_in: Collection[str]
) -> Iterator[Finding]:
    for name in filter(None, map(str.strip, value.split(","))):
        if name in built_in and variable == "OPGRAD_DISABLE_PLUGINS":
            problem = f"{name!r} is built in, and cannot be switched off"
            yield Finding("variable", variable, problem, f"take {name!r} out of {variable}")
        elif name not in installed and name not in built_in:
            yield _unknown(variable, name, installed)


def _check_variable_of_preferences(value: str, known: Collection[str]) -> Iterator[Finding]:
    for part in filter(None, map(str.strip, value.split(","))):
        try:
            stated = preferences.parse(part, preferences.VARIABLE)
        except OpgradError as error:
            remedy = f"correct {part!r} in {preferences.VARIABLE}"
            yield Finding("preference", preferences.VARIABLE, str(error), remedy)
        else:
            yield from _check_preference(stated, known)


def check_preference_file(installed: Collection[str], built_in: Collection[str]) -> list[Finding]:
    """What is wrong with the file that `opgrad prefer` writes."""
    known = {*installed, *built_in}
    try:
        stated = preferences.in_file()
    except OpgradError as error:
        remedy = "opgrad prefer --clear"
        return [Finding("preference", preference_file(), str(error), remedy)]

    return [finding for one in stated for finding in _check_preference(one, known)]


def _check_preference(stated: Preference, known: Collection[str]) -> Iterator[Finding]:
    """Whether the supplier and the owner of the op are here."""
    owner = (stated.op or "").rpartition(".")[0]
    for name in dict.fromkeys((stated.supplier, owner)):
        if name and name not in known:
            hint = did_you_mean(name, known).rstrip(";")
            problem = f"{stated} needs a plugin {name!r}, and none is installed{hint}"
            remedy = f"correct {stated} there, or install the plugin"
            yield Finding("preference", stated.where, problem, remedy)


def _unknown(variable: str, name: str, installed: Collection[str]) -> Finding:
    hint = did_you_mean(name, installed).rstrip(";")
    if re.search(r"[\s;:]", name):
        hint = "; names are separated by commas"
    problem = f"no plugin of the namespace {name!r} is installed{hint}"
    remedy = f"correct {name!r} in {variable}, or install the plugin"

    return Finding("variable", variable, problem, remedy)


def _check_strict(value: str) -> Iterator[Finding]:
    if value not in ON_OR_OFF:
        problem = f"{value!r} switches strictness on, as all but 0 and nothing does"
        yield Finding("variable", "OPGRAD_STRICT", problem, "write 1 or 0")
