"""The two files and the facts of a build, compiled into a plan (spec sections 2 to 5, C-9).

Pure: the Dockerfiles it looks into for ``FROM`` lines come through `read_text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from longshore.config import codes
from longshore.config.model import (
    CredentialKeys,
    GroupEntry,
    GroupKind,
    Pairs,
    Project,
    PushEntry,
    RunEntry,
    ServiceEntry,
    StepEntry,
)
from longshore.config.problem import Place, Problem, Problems, Severity
from longshore.errors import InvalidValue
from longshore.plan.expand import Multiplied, sub_steps
from longshore.plan.facts import BuildFacts, container_variables, template_values
from longshore.plan.images import ReadText, built_name, image_plans
from longshore.plan.model import (
    Group,
    ImageKey,
    Manual,
    Parallel,
    Plan,
    PushPlan,
    PushStep,
    RunStep,
    Serial,
    Step,
)
from longshore.plan.names import StepNames
from longshore.plan.selection import Selection, skip_reason
from longshore.plan.services import service_plans
from longshore.plan.targets import TemplateValues, target_repository, targets
from longshore.plan.templates import parse_template


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan, or None when `problems` holds an error."""

    plan: Plan | None
    problems: tuple[Problem, ...]


def compile_plan(
    project: Project, facts: BuildFacts, selection: Selection, read_text: ReadText
) -> Compiled:
    """Compile a project that `longshore.config` found no errors in."""
    problems = Problems()
    values = template_values(facts)
    images, image_of = image_plans(project.services, _Arguments(values, problems).expand, read_text)
    compiler = _Compiler(project, selection, values, image_of, problems)
    plan = Plan(
        directory=project.directory.resolve(),
        root=compiler.root(),
        services=service_plans(project.services, image_of),
        images=images,
        variables=container_variables(facts, selection.tag),
        build_tag=selection.tag,
    )
    return Compiled(None if problems.errors else plan, problems.sorted())


@dataclass(frozen=True, slots=True)
class _Arguments:
    """Build arguments with their templates expanded (I-15); faults become problems."""

    values: TemplateValues
    problems: Problems

    def expand(self, entry: ServiceEntry, args: Pairs) -> tuple[tuple[str, str], ...]:
        assert entry.build is not None
        values = {
            **self.values,
            "StepName": "",
            "ServiceName": entry.name,
            "ImageName": built_name(entry),
        }
        expanded = []
        for name, text in args:
            value = self._value(text or "", values, entry.where("build", "args", name))
            expanded.append((name, value))
        return tuple(expanded)

    def _value(self, text: str, values: TemplateValues, place: Place) -> str:
        try:
            return parse_template(text).expand(values)
        except InvalidValue as fault:
            self.problems.add(_error(codes.TEMPLATE, place, fault))
            return ""


@dataclass(frozen=True, slots=True)
class _Inherited:
    """What a step gets from the groups above it."""

    service: str | None = None
    credentials: tuple[CredentialKeys, ...] = ()
    skipped: bool = False
    suffix: str = ""

    def below(self, entry: GroupEntry, skipped: bool) -> _Inherited:
        return replace(
            self,
            credentials=_nearest(entry.credentials, self.credentials),
            skipped=self.skipped or skipped,
        )


@dataclass(slots=True)
class _Compiler:
    project: Project
    selection: Selection
    values: TemplateValues
    image_of: Mapping[str, ImageKey]
    problems: Problems
    names: StepNames = field(init=False)

    def __post_init__(self) -> None:
        self.names = StepNames(self._entries)

    @property
    def _entries(self) -> tuple[StepEntry, ...]:
        return self.project.steps.steps if self.project.steps else ()

    def root(self) -> Serial:
        steps = tuple(
            self.step(entry, str(number), _Inherited())
            for number, entry in enumerate(self._entries, 1)
        )
        path = self.project.steps.path if self.project.steps else ""
        return Serial(path="0", name="", place=Place(path), steps=steps)

    def step(self, entry: StepEntry, path: str, inherited: _Inherited) -> Step:
        if isinstance(entry, RunEntry):
            return self.run_step(entry, path, inherited)
        if isinstance(entry, PushEntry):
            return self.push_step(entry, path, inherited)
        return self.group(entry, path, inherited)

    def run_step(self, entry: RunEntry, path: str, inherited: _Inherited) -> RunStep:
        service = self._service(entry, inherited)
        name = self.names.of(entry, service, inherited.suffix)
        return RunStep(
            path=path,
            name=name,
            place=entry.place,
            skipped=skip_reason(entry, self.selection),
            service=service,
            command=entry.command,
            credentials=_nearest(entry.credentials, inherited.credentials),
            on_fail=self._on_fail(entry, path, service, inherited),
        )

    def push_step(self, entry: PushEntry, path: str, inherited: _Inherited) -> PushStep:
        service = self._service(entry, inherited)
        name = self.names.of(entry, service, inherited.suffix)
        skipped = skip_reason(entry, self.selection)
        runs = skipped is None and not inherited.skipped
        return PushStep(
            path=path,
            name=name,
            place=entry.place,
            skipped=skipped,
            service=service,
            push=self._push_plan(entry, name, service, runs),
            credentials=_nearest(entry.credentials, inherited.credentials),
            on_fail=self._on_fail(entry, path, service, inherited),
        )

    def group(self, entry: GroupEntry, path: str, inherited: _Inherited) -> Group:
        service = entry.service or inherited.service
        name = self.names.of(entry, service, inherited.suffix)
        skipped = skip_reason(entry, self.selection)
        below = inherited.below(entry, skipped is not None)
        children = tuple(
            self._child(child, f"{path}.{number}", below)
            for number, child in enumerate(sub_steps(entry, service, inherited.suffix), 1)
        )
        return _GROUPS[entry.kind](
            path=path,
            name=name,
            place=entry.place,
            skipped=skipped,
            steps=children,
            on_fail=self._on_fail(entry, path, service, inherited),
        )

    def _child(self, child: Multiplied, path: str, inherited: _Inherited) -> Step:
        below = replace(inherited, service=child.service, suffix=child.suffix)
        return self.step(child.entry, path, below)

    def _service(self, entry: StepEntry, inherited: _Inherited) -> str:
        service = entry.service or inherited.service
        if service is None or service not in self.image_of:
            raise AssertionError(f"config.check let step {entry.ordinal} pass without a service")
        return service

    def _on_fail(
        self, entry: StepEntry, path: str, service: str | None, inherited: _Inherited
    ) -> tuple[RunStep, ...]:
        """on_fail steps inherit the failed step's service and credentials (T-41 to T-43)."""
        below = replace(
            inherited,
            service=service,
            credentials=_nearest(entry.credentials, inherited.credentials),
        )
        return tuple(
            self.run_step(handler, f"{path}.on_fail.{number}", below)
            for number, handler in enumerate(entry.on_fail, 1)
        )

    def _push_plan(self, entry: PushEntry, step: str, service: str, runs: bool) -> PushPlan:
        values = {
            **self.values,
            "StepName": step,
            "ServiceName": service,
            "ImageName": entry.image_name,
        }
        try:
            references = targets(entry, step, values)
        except InvalidValue as fault:
            if runs:
                self.problems.add(_error(codes.EMPTY_TAG, entry.where("image_tag"), fault))
            references = (target_repository(entry),)
        return PushPlan(
            image=self.image_of[service],
            targets=references,
            tagged=bool(entry.image_tags),
            eager=entry.eager,
        )


_GROUPS: dict[GroupKind, type[Serial | Parallel | Manual]] = {
    GroupKind.SERIAL: Serial,
    GroupKind.PARALLEL: Parallel,
    GroupKind.MATRIX: Parallel,
    GroupKind.MANUAL: Manual,
}


def _nearest(
    own: CredentialKeys, inherited: tuple[CredentialKeys, ...]
) -> tuple[CredentialKeys, ...]:
    return (own, *inherited) if own else inherited


def _error(code: str, place: Place, fault: InvalidValue) -> Problem:
    return Problem(
        place=place,
        severity=Severity.ERROR,
        code=code,
        message=fault.message,
        hint=fault.hint,
    )
