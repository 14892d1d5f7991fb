"""Go templates in ``image_tag`` and build arguments (spec I-15, P-12, P-16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from longshore.errors import InvalidValue
from longshore.plan.gotemplate.evaluator import run
from longshore.plan.gotemplate.faults import Fault, in_template
from longshore.plan.gotemplate.fields import FieldUse, field_uses
from longshore.plan.gotemplate.limits import LONGEST_SOURCE
from longshore.plan.gotemplate.nodes import Tree
from longshore.plan.gotemplate.parser import parse
from longshore.plan.gotemplate.values import Plain, Root, no_such_field


@dataclass(frozen=True, slots=True)
class Template:
    """A template that parses. `text` is its source."""

    text: str
    _tree: Tree
    _uses: tuple[FieldUse, ...]

    @property
    def fields(self) -> frozenset[str]:
        """The fields of the data it names, whether or not an expansion would come by them."""
        return frozenset(use.name for use in self._uses)

    def expand(self, values: Mapping[str, Plain]) -> str:
        """The text with every action replaced by what it gives.

        Raises InvalidValue for a field that `values` has not, even in a branch that would not
        run (P-16), for what Go refuses when it executes a template, and for templates that run
        away: more than a megabyte, 100,000 steps or 100 levels. Bytes that are no UTF-8, as
        half a character cut off by ``slice``, become U+FFFD.
        """
        try:
            self._check_fields(values)
            return run(self._tree, Root(values)).decode("utf-8", "replace")
        except Fault as fault:
            raise in_template(fault, self.text) from None
        except InvalidValue as fault:
            raise in_template(Fault(fault.message, 0, hint=fault.hint), self.text) from None

    def _check_fields(self, values: Mapping[str, Plain]) -> None:
        for use in self._uses:
            if use.name not in values:
                unknown = no_such_field(use.name, values)
                raise Fault(unknown.message, use.offset, hint=unknown.hint)


def parse_template(text: str) -> Template:
    """Parse a template of Go's ``text/template``, as Go 1.19 has it.

    Raises InvalidValue that says what is wrong, at which offset (characters from 0), and what
    would be right. ``call`` is refused: no field is a function.
    """
    try:
        if len(text) > LONGEST_SOURCE:
            raise Fault(f"it is longer than {LONGEST_SOURCE} characters", LONGEST_SOURCE)
        tree = parse(text)
    except Fault as fault:
        raise in_template(fault, text) from None
    return Template(text, tree, field_uses(tree))
