"""Build arguments with their values (spec I-14, I-15); pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from longshore.config import codes
from longshore.config.model import Pairs, ServiceEntry
from longshore.config.names import image_name
from longshore.config.problem import Problem, Severity
from longshore.errors import InvalidValue
from longshore.plan.model import ImageKey
from longshore.plan.targets import TemplateValues
from longshore.plan.templates import parse_template


class Arguments(Struct, frozen=True):
    """Expands the templates in build arguments; `faults`, by service, are those that failed.

    An argument without a value takes that of `host`, as it is, or is left out (I-14, S-20).
    """

    values: TemplateValues
    host: Mapping[str, str]
    faults: dict[str, list[Problem]] = field(default_factory=dict)

    def expand(self, entry: ServiceEntry, args: Pairs) -> tuple[tuple[str, str], ...]:
        """The arguments of one service; one that failed is empty, and must not be used."""
        found = (
            (name, self.host.get(name) if text is None else self._value(entry, name, text))
            for name, text in args
        )
        return tuple((name, value) for name, value in found if value is not None)

    def faults_of(self, images: Mapping[str, ImageKey]) -> dict[ImageKey, tuple[Problem, ...]]:
        """The faults of each image, `images` giving the image of each service."""
        found: dict[ImageKey, tuple[Problem, ...]] = {}
        for service, faults in self.faults.items():
            key = images[service]
            found[key] = (*found.get(key, ()), *faults)
        return found

    def _value(self, entry: ServiceEntry, name: str, text: str) -> str:
        own = {"ServiceName": entry.name, "ImageName": image_name(entry)}
        try:
            return parse_template(text).expand({**self.values, **own})
        except InvalidValue as fault:
            self.faults.setdefault(entry.name, []).append(_fault(entry, name, fault))
            return ""


def _fault(entry: ServiceEntry, name: str, fault: InvalidValue) -> Problem:
    return Problem(
        place=entry.where("build", "args", name),
        severity=Severity.ERROR,
        code=codes.TEMPLATE,
        message=f'argument "{name}" of service "{entry.name}": {fault.message}',
        hint=fault.hint,
    )
