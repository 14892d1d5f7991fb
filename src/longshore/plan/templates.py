"""Go templates in ``image_tag`` and build arguments (spec I-15, P-12, P-16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from longshore.plan.gotime import GoTime

TemplateValue = str | bool | int | GoTime
"""What a field of a template may hold."""


class Template(Struct, frozen=True):
    """A template that parses. `text` is its source.

    `fields` are the fields of the data it names, whether or not an expansion would come by them.
    `decides`: it has conditions, so it may have something to say of fields without a value.
    """

    text: str
    fields: frozenset[str]
    decides: bool
    _expand: Callable[[Mapping[str, TemplateValue]], str] | None

    def expand(self, values: Mapping[str, TemplateValue]) -> str:
        """The text with every action replaced by what it gives.

        Raises InvalidValue for a field that `values` has not, even in a branch that would not
        run (P-16), for what Go refuses when it executes a template, and for templates that run
        away: more than a megabyte, 100,000 steps or 100 levels. Bytes that are no UTF-8, as
        half a character cut off by ``slice``, become U+FFFD.
        """
        return self.text if self._expand is None else self._expand(values)


def parse_template(text: str) -> Template:
    """Parse a template of Go's ``text/template``, as Go 1.19 has it.

    Raises InvalidValue that says what is wrong, at which offset (characters from 0), and what
    would be right. ``call`` is refused: no field is a function.
    """
    if "{{" not in text:
        return Template(text, frozenset(), False, None)
    # Most tags are fixed texts, and need not wait for the template language.
    from longshore.plan.gotemplate.program import compile_template

    program = compile_template(text)
    fields = frozenset(use.name for use in program.uses)
    return Template(text, fields, program.decides, program.expand)
