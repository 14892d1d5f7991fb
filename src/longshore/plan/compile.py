"""The two files and the facts of a build, compiled into a plan (spec sections 2 to 5, C-9).

Pure: the Dockerfiles it looks into for ``FROM`` lines come through `read_text`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from longshore.config import codes
from longshore.config.check_steps import all_steps
from longshore.config.credential_keys import CredentialKeys
from longshore.config.model import (
    GroupEntry,
    GroupKind,
    Project,
    PushEntry,
    RunEntry,
    StepEntry,
)
from longshore.config.problem import Place, Problem, Problems, Severity
from longshore.errors import InvalidValue
from longshore.plan.arguments import Arguments
from longshore.plan.expand import Multiplied, sub_steps
from longshore.plan.facts import (
    BuildFacts,
    container_variables,
    template_values,
    unknown_fields,
)
from longshore.plan.focus import focused
from longshore.plan.images import ReadText, image_plans
from longshore.plan.matching import matches
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
    runnable,
)
from longshore.plan.names import StepNames, own_names
from longshore.plan.selection import Selection, skip_reason
from longshore.plan.services import service_plans
from longshore.plan.targets import (
    EmptyTag,
    TemplateValues,
    expanded_tag,
    spelled_registry,
    target_repository,
)


class Compiled(Struct, frozen=True):
    """A plan, or None when `problems` holds an error; `notices` are what users tend to overlook."""

    plan: Plan | None
    problems: tuple[Problem, ...]
    notices: tuple[str, ...] = ()


def compile_plan(
    project: Project, facts: BuildFacts, selection: Selection, read_text: ReadText
) -> Compiled:
    """Compile a project that `longshore.config` and `longshore.plan.check` found no errors in.

    Tags that come out empty, or with gaps, are errors of the steps that will run only (P-13); build
    arguments that cannot be expanded are left in the plan's `faults`.
    Raises UsageError for names in `selection` that no step has.
    """
    problems = Problems()
    values = template_values(facts)
    arguments = Arguments(values, facts.host)
    images, image_of = image_plans(project.services, arguments.expand, read_text)
    compiler = _Compiler(project, selection, values, unknown_fields(facts), image_of)
    plan = Plan(
        directory=project.directory.resolve(),
        root=compiler.root(),
        services=service_plans(project.services, image_of),
        images=images,
        variables=container_variables(facts, selection.tag),
        build_tag=selection.tag,
        faults=arguments.faults_of(image_of),
    )
    plan = focused(plan, selection)
    for step in runnable(plan.root):
        for problem in compiler.faults.get(step.path, ()):
            problems.add(problem)
    failed = bool(problems.errors)
    notices = tuple(_notices(project, facts, selection))
    return Compiled(None if failed else plan, problems.sorted(), notices)


def _notices(project: Project, facts: BuildFacts, selection: Selection) -> Iterator[str]:
    """The branch is not the build tag (Q-9)."""
    steps = tuple(all_steps(project.steps.steps if project.steps else ()))
    if not facts.branch or selection.tag is not None:
        return
    consequences = []
    if any(step.tag for step in steps):
        consequences.append("steps with a tag are skipped")
    if any(step.exclude and matches(step.exclude, facts.branch) for step in steps):
        consequences.append("steps that exclude it run")
    if consequences:
        yield (
            f'the branch "{facts.branch}" is not the build tag, so {" and ".join(consequences)}; '
            f"to go by this branch use --tag {shlex.quote(facts.branch)}"
        )


class _Inherited(Struct, frozen=True):
    """What a step gets from the groups above it."""

    service: str | None = None
    credentials: tuple[CredentialKeys, ...] = ()
    suffix: str = ""

    def below(self, entry: StepEntry, service: str | None) -> _Inherited:
        """What the group or the failed step `entry`, which has `service`, hands down."""
        nearest = _nearest(entry.credentials, self.credentials)
        return replace(self, service=service, credentials=nearest)


@dataclass(slots=True)
class _Compiler:
    project: Project
    selection: Selection
    values: TemplateValues
    unknown: frozenset[str]
    image_of: Mapping[str, ImageKey]
    faults: dict[str, list[Problem]] = field(default_factory=dict)
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
            names=own_names(entry, name, service, inherited.suffix),
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
        names = own_names(entry, name, service, inherited.suffix)
        return PushStep(
            path=path,
            name=name,
            names=names,
            place=entry.place,
            skipped=skip_reason(entry, self.selection),
            service=service,
            push=self._push_plan(entry, names[0], service, path),
            credentials=_nearest(entry.credentials, inherited.credentials),
            on_fail=self._on_fail(entry, path, service, inherited),
        )

    def group(self, entry: GroupEntry, path: str, inherited: _Inherited) -> Group:
        service = entry.service or inherited.service
        name = self.names.of(entry, service, inherited.suffix)
        below = inherited.below(entry, service)
        children = tuple(
            self._child(child, f"{path}.{number}", below)
            for number, child in enumerate(sub_steps(entry, service, inherited.suffix), 1)
        )
        return _GROUPS[entry.kind](
            path=path,
            name=name,
            names=own_names(entry, name, service, inherited.suffix),
            place=entry.place,
            skipped=skip_reason(entry, self.selection),
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
        below = inherited.below(entry, service)
        return tuple(
            self.run_step(handler, f"{path}.on_fail.{number}", below)
            for number, handler in enumerate(entry.on_fail, 1)
        )

    def _push_plan(self, entry: PushEntry, step: str, service: str, path: str) -> PushPlan:
        repository = target_repository(entry)
        tags = self._tags(entry, step, service, path)
        references = tuple(repository.with_tag(tag) for tag in tags)
        if not references:  # a tag nobody knows yet is shown as none
            references = (repository if entry.image_tags else repository.with_default_tag(),)
        return PushPlan(
            image=self.image_of[service],
            targets=references,
            registry=spelled_registry(entry, repository.registry),
            tagged=bool(entry.image_tags),
            eager=entry.eager,
        )

    def _tags(self, entry: PushEntry, step: str, service: str, path: str) -> tuple[str, ...]:
        """The expanded tags, each once; those that cannot be expanded become faults of the step."""
        own = {"StepName": step, "ServiceName": service, "ImageName": entry.image_name}
        values = {**self.values, **own}
        tags: dict[str, None] = {}
        for number, text in enumerate(entry.image_tags):
            try:
                tags[expanded_tag(text, step, values, self.unknown)] = None
            except InvalidValue as fault:
                code = codes.EMPTY_TAG if isinstance(fault, EmptyTag) else codes.TEMPLATE
                problem = _error(code, entry.where("image_tag", number), fault)
                self.faults.setdefault(path, []).append(problem)
        return tuple(tags)


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
