"""`check_up`: everything that can be found out, put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import attrs

from opgrad.diagnosis.facts import facts
from opgrad.diagnosis.finding import Finding
from opgrad.diagnosis.installs import (
    check_installations,
    check_requirements,
    installations,
    same_version,
    versions,
)
from opgrad.diagnosis.trial import CRASHED, EXITED, FAILED, FINE, HUNG, Load, Trial, Trials
from opgrad.diagnosis.variables import check_preference_file, check_variables
from opgrad.discovery import Source, normalized
from opgrad.errors import UnknownOpError, did_you_mean
from opgrad.plugins import PLUGINS, Status

LIMIT = 20.0  # seconds a plugin has
AT_ONCE = 4  # processes
SLOW = 0.5  # seconds
SLOWER = 5  # times the import of opgrad itself: on a busy machine both take long
LOUD = 10_000  # bytes

KIND = {FAILED: "failure", HUNG: "hang", CRASHED: "crash", EXITED: "exit"}


@attrs.frozen
class Patient:
    """One plugin, what its metadata say, and what became of it in its own process, if it ran."""

    status: Status
    trial: Trial | None = None

    @property
    def state(self) -> str:
        """`fine`, or what is the matter, in a word."""
        if self.trial is None:
            return self.status.state

        return self.trial.outcome

    @property
    def load(self) -> Load | None:
        """What its load gave, where it came to an end."""
        return self.trial.loads.get(self.status.source.namespace) if self.trial else None


@attrs.frozen
class Diagnosis:
    """All that was looked at, and what is wrong with it."""

    facts: Mapping[str, str]
    patients: tuple[Patient, ...]
    findings: tuple[Finding, ...]


def check_up(
    namespaces: Collection[str] = (),
    *,
    limit: float = LIMIT,
    report: Callable[[str, int], None] = lambda _namespace, _of: None,
) -> Diagnosis:
    """Look at the plugins that are installed here, or at those of these namespaces alone.

    Each enabled plugin is loaded in a process of its own, which has `limit` seconds; `report` is
    called with the namespace of each that was tried, and with how many there are.

    Raises:
        UnknownOpError: No plugin of a namespace is installed.
    """
    statuses = _statuses(namespaces)
    tried = [status.source for status in statuses if status.state in {"installed", "loaded"}]
    trials = _run(tried, limit, report)
    patients = tuple(Patient(status, trials.get(status.source)) for status in statuses)
    installed = versions()
    findings = [
        *check_variables(os.environ, PLUGINS.sources(), PLUGINS.built_in),
        *check_preference_file(PLUGINS.sources(), PLUGINS.built_in),
        *_check_metadata(statuses if namespaces else None, installed),
        *_check_names(statuses),
    ]
    damaged = {one.subject for one in findings if one.kind in {"editable", "stale"}}
    for patient in patients:
        findings += _check_trial(patient, damaged)
    findings += _check_together(patients, limit)

    return Diagnosis(facts(installed), patients, tuple(findings))


def _statuses(namespaces: Collection[str]) -> list[Status]:
    """What is known of the plugins asked for, or of all, in their order."""
    built_in = PLUGINS.built_in.values()
    found = [one for one in PLUGINS.statuses() if one.source not in built_in]
    known = {status.source.namespace for status in found}
    for namespace in namespaces:
        if namespace not in known:
            hint = did_you_mean(namespace, known)
            listed = ", ".join(sorted(known)) or "none"
            message = f"no plugin {namespace!r} is installed{hint} plugins installed: {listed}"
            raise UnknownOpError(message)

    return [one for one in found if not namespaces or one.source.namespace in namespaces]


def _run(
    sources: Sequence[Source], limit: float, report: Callable[[str, int], None]
) -> dict[Source, Trial]:
    """Try each plugin, a few at a time; an interrupt ends the processes that run."""
    trials = Trials(limit)
    found: dict[Source, Trial] = {}
    with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
        running = {pool.submit(_try, trials, source): source for source in sources}
        try:
            for one in as_completed(running):
                found[running[one]] = one.result()
                report(running[one].namespace, len(sources))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            trials.stop()
            raise

    return found


def _try(trials: Trials, source: Source) -> Trial:
    """One trial; a slow one is tried again, since files are read and compiled but once."""
    trial = trials.run([source])
    if not _slow(trial, source):
        return trial
    again = trials.run([source])

    return again if again.outcome == FINE else trial


def _slow(trial: Trial, source: Source) -> bool:
    load = trial.loads.get(source.namespace)

    return load is not None and load.seconds > max(SLOW, SLOWER * trial.own_seconds)


def _check_metadata(
    statuses: Sequence[Status] | None, installed: Mapping[str, str]
) -> Iterator[Finding]:
    """What is wrong with the installations of these plugins, or with all."""
    found = installations()
    if statuses is not None:
        wanted = {normalized(status.source.distribution) for status in statuses}
        found = [one for one in found if normalized(one.name) in wanted]
    yield from check_installations(found)
    seen: set[str] = set()
    for one in found:
        if one.name and normalized(one.name) not in seen:
            seen.add(normalized(one.name))
            yield from check_requirements(one, installed)


def _check_names(statuses: Sequence[Status]) -> Iterator[Finding]:
    """Namespaces that nobody may have, or that two distributions claim."""
    claims: dict[str, list[Status]] = {}
    for status in statuses:
        if status.state == "failed":
            claims.setdefault(status.source.namespace, []).append(status)
    for namespace, claimed in claims.items():
        sources = [status.source for status in claimed]
        if len(sources) > 1:
            both = " and ".join(f"{source} ({source.modules[0]})" for source in sources)
            problem = f"{both} both claim this namespace, so neither is loaded"
            names = sorted({source.distribution for source in sources})
            remedy = " or ".join(f"pip uninstall {name}" for name in names)
            yield Finding("conflict", namespace, problem, remedy)
        else:
            remedy = f"pip uninstall {sources[0].distribution}, and tell its author"
            yield Finding("name", namespace, str(claimed[0].error), remedy)


def _check_trial(patient: Patient, damaged: Collection[str]) -> Iterator[Finding]:
    """What is wrong with a plugin, from what it did in its own process."""
    trial, source = patient.trial, patient.status.source
    if trial is None:
        return
    namespace = source.namespace
    load = patient.load
    if load and load.missing == source.module.partition(".")[0]:
        if source.distribution not in damaged:  # else it was said why
            problem = f"its entry point names {source.module}, which is not there"
            remedy = f"pip install --force-reinstall {source.distribution}, or uninstall it"
            yield Finding("stale", namespace, problem, remedy)
        return
    if trial.outcome != FINE:
        yield _fault(source, trial, load)
        return
    if load and load.version and not same_version(load.version, source.version):
        problem = f"its metadata say {source.version}, its package says {load.version}"
        yield Finding("stale", namespace, problem, f"install {source.distribution} again")
    if load and _slow(trial, source):
        what = ", ".join(f"{one.module} ({one.seconds:.2f} s)" for one in trial.heaviest)
        problem = f"its import takes {load.seconds:.2f} s, most of it in {what}"
        remedy = "let the rules import what is heavy, when they need it; or tell its author"
        yield Finding("slow", namespace, problem, remedy)
    if trial.printed > LOUD:
        problem = f"it prints {trial.printed:,} bytes while it is imported"
        yield Finding("noise", namespace, problem, "tell its author", printed=trial.tail)
    if trial.moved:
        problem = f"its import changes the current directory to {trial.moved}"
        yield Finding("side effect", namespace, problem, "tell its author")


def _fault(source: Source, trial: Trial, load: Load | None) -> Finding:
    namespace = source.namespace
    off = f"set OPGRAD_DISABLE_PLUGINS={namespace}"
    remedy = f"repair {source}, uninstall it, or {off}"
    if load is None or trial.outcome in {CRASHED, EXITED}:
        when = "after it was loaded" if load else "while it is loaded"
        problem = {
            HUNG: f"it does not come to an end: {trial.ending}",
            CRASHED: f"{trial.ending} ends the process {when}",
            EXITED: f"it ends the process with {trial.ending} {when}",
        }[trial.outcome]
    elif trial.outcome == HUNG:
        threads = f", for it left threads running: {', '.join(trial.threads)}"
        problem = f"it lets no program end{threads if trial.threads else ''}: {trial.ending}"
    else:
        problem = load.error
    place = trial.place or (load.place if load else "")

    return Finding(KIND[trial.outcome], namespace, problem, remedy, place, trial.tail)


def _check_together(patients: Sequence[Patient], limit: float) -> Iterator[Finding]:
    """Whether those that are fine alone are fine in one process: methods of a name, say."""
    sources = [patient.status.source for patient in patients if patient.state == FINE]
    if len(sources) < 2:  # noqa: PLR2004 -- one was tried by itself
        return
    trial = Trials(limit).run(sources, limit * len(sources))
    for source in sources:
        load = trial.loads.get(source.namespace)
        if load and load.error:
            remedy = f"disable it, or the other: set OPGRAD_DISABLE_PLUGINS={source.namespace}"
            problem = f"it works alone, and not beside the other plugins: {load.error}"
            yield Finding("conflict", source.namespace, problem, remedy, load.place)
    if not trial.loads:
        problem = f"all plugins loaded in one process: {trial.outcome}, {trial.ending}"
        remedy = "disable half of them with OPGRAD_DISABLE_PLUGINS, and look again"
        yield Finding(KIND[trial.outcome], "all plugins", problem, remedy, printed=trial.tail)
