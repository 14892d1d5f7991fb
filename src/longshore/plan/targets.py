"""Where a push step pushes to: image_name, image_tag and registry together (spec 5.1 to 5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from longshore.config.model import PushEntry
from longshore.errors import InvalidValue
from longshore.oci.reference import DOCKER_HUB, ImageReference, names_host, normalise_registry
from longshore.plan.facts import flag_of, is_known_to_scm
from longshore.plan.gotime import GoTime
from longshore.plan.tags import sanitise_tag
from longshore.plan.templates import parse_template

TemplateValues = Mapping[str, str | GoTime]


_LEGAL: Final = "a tag is made of letters, digits, underscores, dots and hyphens"


class EmptyTag(InvalidValue):
    """Nothing is left of an image_tag (P-13, Q-31), or something of it has no value."""


def target_repository(entry: PushEntry) -> ImageReference:
    """image_name, on the host that `registry` names when it names none itself (P-11).

    Raises InvalidValue when that `registry` is no address.
    """
    name = ImageReference.parse(entry.image_name)
    host = normalise_registry(entry.registry or "")
    if host == DOCKER_HUB or names_host(entry.image_name):
        return name
    if not names_host(f"{host}/"):
        # An engine would take such a host for the first part of a Docker Hub repository.
        raise InvalidValue(
            f'"{host[:80]}" is not the host of a registry',
            hint='a host looks like "quay.io" or "localhost:5000"',
        )
    return ImageReference.parse(f"{host}/{entry.image_name}")


def spelled_registry(entry: PushEntry, host: str) -> str:
    """The text of `registry` where it means `host`, which `image_name` may have named itself."""
    written = entry.registry
    return written if written and normalise_registry(written) == host else host


def expanded_tag(
    text: str, step: str, values: TemplateValues, unknown: frozenset[str] = frozenset()
) -> str:
    """A tag template with every field filled in and every illegal character removed (P-13).

    Raises EmptyTag when nothing is left, or a field that is `unknown` leaves a gap; InvalidValue
    when the template cannot be expanded. A template with conditions knows what it does.
    """
    template = parse_template(text)
    tag = sanitise_tag(template.expand(values))
    shown = f'image_tag "{text[:80]}" of step "{step}"'
    if not tag:
        hint = _value_hint(template.fields) if any(map(flag_of, template.fields)) else _LEGAL
        raise EmptyTag(f"{shown} is empty after expansion", hint=hint)
    gaps = template.fields & unknown
    if gaps and not template.decides:
        names = ", ".join(sorted(gaps))
        raise EmptyTag(f"{shown} is incomplete: no value for {names}", hint=_value_hint(gaps))
    return tag


def _value_hint(fields: Iterable[str]) -> str:
    given = {name: flag for name in fields if (flag := flag_of(name))}
    hint = f"give it a value with {' '.join(sorted(set(given.values())))}"
    if all(map(is_known_to_scm, given)):
        hint += ", or take it from git with --ci-from-scm"
    return hint
