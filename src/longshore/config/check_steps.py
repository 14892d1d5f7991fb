"""Checks of the steps file against itself and the services (pure)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from longshore.config import codes
from longshore.config.check_texts import check_command, check_image, check_tag, warn_template
from longshore.config.model import (
    GroupEntry,
    PushEntry,
    RunEntry,
    ServicesFile,
    StepEntry,
    StepsFile,
)
from longshore.config.names import defined, suggestion
from longshore.config.problem import Place
from longshore.config.report import Report
from longshore.config.steps import label

MAX_STEPS = 100_000
"""Steps of a pipeline once its `services` are multiplied out (T-24)."""


def check_steps(file: StepsFile, services: ServicesFile | None, report: Report) -> None:
    """Everything about the steps but manual groups; `services` None: names are not looked up."""
    checker = _Checker(services, report)
    _check_names(file.steps, report)
    for entry in all_steps(file.steps):
        checker.step(entry)
        _check_names(entry.on_fail, report)
        if isinstance(entry, GroupEntry):
            _check_names(entry.steps, report)
    total = sum(_multiplied(entry) for entry in file.steps)
    if total > MAX_STEPS:
        report.error(
            codes.TOO_MANY,
            file.steps[0].place,
            f'the groups with "services" make {total:,} steps; at most {MAX_STEPS:,} are possible',
            'nest fewer groups with "services"',
        )


def all_steps(steps: tuple[StepEntry, ...]) -> Iterator[StepEntry]:
    """Every step below, on_fail steps included, in file order; no recursion, any depth."""
    pending = list(reversed(steps))
    while pending:
        entry = pending.pop()
        yield entry
        pending.extend(reversed(entry.on_fail))
        if isinstance(entry, GroupEntry):
            pending.extend(reversed(entry.steps))


def _check_names(siblings: tuple[StepEntry, ...], report: Report) -> None:
    """Warns where two steps of one group share a name, unless their tags differ.

    Pipelines repeat names on purpose: in every group, and once for every branch.
    """
    taken: dict[str, dict[str | None, Place]] = {}
    for entry in siblings:
        if entry.name is None:
            continue
        place, places = entry.where("name"), taken.setdefault(entry.name, {})
        first = _same_build(places, entry.tag)
        places.setdefault(entry.tag, place)
        if first is not None and first != place:  # an alias stands for one step
            report.warning(
                codes.SAME_STEP_NAME,
                place,
                f'the name "{entry.name}" is used by another step in line {first.line}',
                "give each a name of its own, or the log numbers them and --only takes all",
            )


def _same_build(places: dict[str | None, Place], tag: str | None) -> Place | None:
    """The place of a step that may run where one with `tag` does."""
    if tag is None:
        return next(iter(places.values()), None)
    return places.get(tag) or places.get(None)


def _multiplied(entry: StepEntry) -> int:
    if not isinstance(entry, GroupEntry):
        return 1
    return max(1, len(entry.services)) * sum(_multiplied(step) for step in entry.steps)


class _Checker(Struct, frozen=True):
    services: ServicesFile | None
    report: Report

    def step(self, entry: StepEntry) -> None:
        self._references(entry)
        for key, text in ("tag", entry.tag), ("exclude", entry.exclude):
            if text:
                check_tag(text, key, entry.where(key), self.report)
                warn_template(text, entry.where(key), self.report)
        if isinstance(entry, RunEntry):
            self._command(entry)
        elif isinstance(entry, PushEntry):
            self._push(entry)

    def _references(self, entry: StepEntry) -> None:
        if self.services is None:
            return
        known = self.services.services
        generator = entry.credentials.dockercfg_service
        if generator and generator not in known:
            at = entry.where("dockercfg_service")
            self._undefined(entry, generator, at, self.report.did_you_mean(generator, known))
        names = [(entry.service, entry.where("service"))] if entry.service else []
        if isinstance(entry, GroupEntry):
            names.extend((n, entry.where("services", i)) for i, n in enumerate(entry.services))
        for name, place in names:
            if name not in known:
                self._undefined(entry, name, place, suggestion(name, self.services, self.report))

    def _undefined(self, entry: StepEntry, name: str, place: Place, meant: str) -> None:
        step = label(entry.name, entry.ordinal)
        message = f'{step} refers to undefined service "{name}"{meant}'
        hint = defined(self.services.services if self.services else {})
        self.report.error(codes.SERVICE_IN_STEP, place, message, hint)

    def _command(self, entry: RunEntry) -> None:
        service = self.services.services.get(entry.service or "") if self.services else None
        if service is None or not service.entrypoint:
            check_command(entry.text, entry.command, entry.where("command"), self.report)

    def _push(self, entry: PushEntry) -> None:
        if not entry.image_name:
            return
        name = check_image(entry.image_name, entry.where("image_name"), self.report)
        if name is None or not (name.tag or name.digest) or not entry.image_tags:
            return
        same = entry.image_tags == (name.tag,)
        tell = self.report.warning if same else self.report.error
        tell(
            codes.TAG_TWICE,
            entry.where("image_tag"),
            f'image_name "{entry.image_name}" has a tag already'
            + ("" if same else f', and image_tag is "{entry.image_tags[0][:40]}"'),
            "remove the tag from image_name, or image_tag",
        )
