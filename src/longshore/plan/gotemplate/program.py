"""A template from its text to its expansions, faults told with their place."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from longshore.errors import InvalidValue
from longshore.plan.gotemplate.conditions import decides
from longshore.plan.gotemplate.evaluator import run
from longshore.plan.gotemplate.faults import Fault, in_template
from longshore.plan.gotemplate.fields import FieldUse, field_uses
from longshore.plan.gotemplate.limits import LONGEST_SOURCE
from longshore.plan.gotemplate.nodes import Tree
from longshore.plan.gotemplate.parser import parse
from longshore.plan.gotemplate.values import Plain, Root, no_such_field


class Program(Struct, frozen=True):
    """A template that parses, and every use it makes of a field."""

    source: str
    tree: Tree
    uses: tuple[FieldUse, ...]

    @property
    def decides(self) -> bool:
        """See `longshore.plan.gotemplate.conditions`."""
        return decides(self.tree)

    def expand(self, values: Mapping[str, Plain]) -> str:
        """As `longshore.plan.templates.Template.expand`."""
        try:
            self._check_fields(values)
            return run(self.tree, Root(values)).decode("utf-8", "replace")
        except Fault as fault:
            raise in_template(fault, self.source) from None
        except InvalidValue as fault:
            raise in_template(Fault(fault.message, 0, hint=fault.hint), self.source) from None

    def _check_fields(self, values: Mapping[str, Plain]) -> None:
        for use in self.uses:
            if use.name not in values:
                unknown = no_such_field(use.name, values)
                raise Fault(unknown.message, use.offset, hint=unknown.hint)


def compile_template(source: str) -> Program:
    """As `longshore.plan.templates.parse_template`."""
    try:
        if len(source) > LONGEST_SOURCE:
            raise Fault(f"it is longer than {LONGEST_SOURCE} characters", LONGEST_SOURCE)
        tree = parse(source)
    except Fault as fault:
        raise in_template(fault, source) from None
    return Program(source, tree, field_uses(tree))
