"""Where a push step pushes to: image_name, image_tag and registry together (spec 5.1 to 5.3)."""

from __future__ import annotations

from collections.abc import Mapping

from longshore.config.model import PushEntry
from longshore.errors import InvalidValue
from longshore.oci.reference import DOCKER_HUB, ImageReference, normalise_registry
from longshore.plan.gotime import GoTime
from longshore.plan.tags import sanitise_tag
from longshore.plan.templates import parse_template

TemplateValues = Mapping[str, str | GoTime]


def targets(entry: PushEntry, step: str, values: TemplateValues) -> tuple[ImageReference, ...]:
    """The references to push, one a tag; InvalidValue for a tag that is empty (P-13, Q-31)."""
    repository = target_repository(entry)
    if not entry.image_tags:
        return (repository.with_default_tag(),)
    return tuple(
        dict.fromkeys(
            repository.with_tag(expanded_tag(text, step, values)) for text in entry.image_tags
        )
    )


def target_repository(entry: PushEntry) -> ImageReference:
    """image_name, on the host that `registry` names when it names none itself (P-11)."""
    name = ImageReference.parse(entry.image_name)
    host = normalise_registry(entry.registry or "")
    if host != DOCKER_HUB and name.registry == DOCKER_HUB:
        return ImageReference.parse(f"{host}/{entry.image_name}")
    return name


def expanded_tag(text: str, step: str, values: TemplateValues) -> str:
    """A tag template with every field filled in and every illegal character removed (P-13)."""
    tag = sanitise_tag(parse_template(text).expand(values))
    if not tag:
        raise InvalidValue(
            f'image_tag "{text}" of step "{step}" is empty after expansion',
            hint="give its fields values, for example with --ci-branch or --ci-from-scm",
        )
    return tag
