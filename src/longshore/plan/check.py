"""What only the plan's languages can tell about the files: templates, patterns, push targets.

Every value is looked at, also those of steps that will be skipped, and also when the files have
other errors; what depends on the values of this build is left to `longshore.plan.compile`.
"""

from __future__ import annotations

from longshore.config import codes
from longshore.config.check_steps import all_steps
from longshore.config.model import PushEntry, ServiceEntry, ServicesFile, StepEntry, StepsFile
from longshore.config.problem import Place, Problem, Problems
from longshore.config.report import Report
from longshore.config.steps import label
from longshore.errors import InvalidValue
from longshore.oci.reference import ImageReference, names_host, normalise_registry
from longshore.plan.facts import argument_fields, tag_fields
from longshore.plan.images import ReadText, dockerfile_elsewhere
from longshore.plan.matching import pattern_problem
from longshore.plan.paths import real_path
from longshore.plan.targets import EmptyTag, expanded_tag, target_repository
from longshore.plan.templates import parse_template


def check_plan(
    services: ServicesFile | None, steps: StepsFile | None, read_text: ReadText
) -> tuple[Problem, ...]:
    """Problems by place; a file that could not be read is None."""
    report = Report(Problems())
    for service in services.services.values() if services else ():
        _arguments(service, report)
        if services is not None:
            _dockerfile(service, services, read_text, report)
    for step in all_steps(steps.steps) if steps else ():
        _patterns(step, report)
        if isinstance(step, PushEntry):
            _tags(step, report)
            _target(step, report)
    return report.problems.sorted()


def _arguments(entry: ServiceEntry, report: Report) -> None:
    """Templates in build args: syntax and fields (I-15)."""
    for name, text in entry.build.args if entry.build else ():
        if text and "{{" in text:
            place = entry.where("build", "args", name)
            what = f'argument "{name}" of service "{entry.name}"'
            _template(text, argument_fields(), what, place, report)


def _dockerfile(
    entry: ServiceEntry, file: ServicesFile, read_text: ReadText, report: Report
) -> None:
    """A Dockerfile outside its context is used, and told of (S-5)."""
    build = entry.build
    if build is None or build.dockerfile is None:
        return
    context = real_path(file.directory / (build.context or "."))
    if dockerfile_elsewhere(context, build.dockerfile, file.directory, read_text):
        report.warning(
            codes.DOCKERFILE_ELSEWHERE,
            entry.where("build", "dockerfile"),
            f'there is no Dockerfile "{build.dockerfile}" in the context "{build.context}"; the '
            "one relative to the services file is used",
            "write the path relative to the context",
        )


def _patterns(entry: StepEntry, report: Report) -> None:
    """A pattern that RE2 cannot read matches nothing (T-29); config tells of missing anchors."""
    for key, text in ("tag", entry.tag), ("exclude", entry.exclude):
        anchored = text is not None and ("^" in text or "$" in text)
        problem = pattern_problem(text or "") if anchored else None
        if problem is not None:
            report.warning(
                codes.REGEX,
                entry.where(key),
                f'{key} "{_short(text or "")}" {problem}',
                "RE2 has neither look-ahead nor back references; write one that it can read",
            )


def _tags(entry: PushEntry, report: Report) -> None:
    """image_tag: syntax, fields (P-12, P-16), and fixed texts of which nothing remains (P-13)."""
    step = label(entry.name, entry.ordinal)
    for number, text in enumerate(entry.image_tags):
        place = entry.where("image_tag", number)
        what = f"image_tag of {step}"
        if _template(text, tag_fields(), what, place, report):
            continue
        try:
            if not parse_template(text).fields:
                expanded_tag(text, entry.name or entry.ordinal, {})
        except EmptyTag as fault:
            report.error(codes.EMPTY_TAG, place, fault.message, fault.hint)
        except InvalidValue as fault:
            report.error(codes.TEMPLATE, place, f"{what}: {fault.message}", fault.hint)


def _template(text: str, fields: frozenset[str], what: str, place: Place, report: Report) -> bool:
    """Whether a problem was told."""
    try:
        template = parse_template(text)
    except InvalidValue as fault:
        report.error(codes.TEMPLATE, place, f"{what}: {fault.message}", fault.hint)
        return True
    if template.fields <= fields:
        return False
    try:
        template.expand(dict.fromkeys(fields, ""))
    except InvalidValue as fault:
        report.error(codes.TEMPLATE_FIELD, place, f"{what}: {fault.message}", fault.hint)
    return True


def _target(entry: PushEntry, report: Report) -> None:
    """image_name and registry together (P-10, P-11); image_name itself is config's to judge."""
    try:
        name = ImageReference.parse(entry.image_name)
    except InvalidValue:
        return
    if name.digest is not None:
        report.error(
            codes.IMAGE_NAME,
            entry.where("image_name"),
            f'image_name "{_short(entry.image_name)}" has a digest, but that is known after '
            "the push only",
            'remove it from the "@" on',
        )
        return
    try:
        target = target_repository(entry)
    except InvalidValue as fault:
        report.error(codes.WRONG_VALUE, entry.where("registry"), fault.message, fault.hint)
        return
    _compare(entry, name, target, report)


def _compare(
    entry: PushEntry, name: ImageReference, target: ImageReference, report: Report
) -> None:
    registry = normalise_registry(entry.registry or "")
    if target != name:
        report.warning(
            codes.REGISTRY,
            entry.where("image_name"),
            f'image_name "{_short(entry.image_name)}" names no registry: it is pushed to '
            f'"{target.name}", the registry of this step',
            f'write "image_name: {target.name}"',
        )
    elif entry.registry and names_host(entry.image_name) and registry != name.registry:
        report.warning(
            codes.REGISTRY,
            entry.where("registry"),
            f'registry "{_short(entry.registry)}" has no effect: image_name names the registry '
            f'"{name.registry}"',
            f'write "registry: {name.registry}", or correct image_name',
        )


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
