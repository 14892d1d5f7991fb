"""How the readers of the files tell what is wrong."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from longshore.config.node import Node, Scalar
from longshore.config.problem import Place, Problem, Problems, Severity
from longshore.config.suggest import did_you_mean

_SUGGESTIONS = 50


class Report(Struct, frozen=True):
    """Adds problems about nodes or places to one list; `hint` is for those that have none."""

    problems: Problems
    hint: str | None = None

    def error(
        self,
        code: str,
        at: Node | Place,
        message: str,
        hint: str | None = None,
        *,
        harmless: bool = False,
    ) -> None:
        """Something that stops everything; if `harmless`, what `validate` alone minds."""
        self._add(Severity.ERROR, code, at, message, hint, harmless=harmless)

    def warning(self, code: str, at: Node | Place, message: str, hint: str | None = None) -> None:
        """Something that is probably not meant."""
        self._add(Severity.WARNING, code, at, message, hint)

    def did_you_mean(self, name: str, known: Iterable[str]) -> str:
        """As `longshore.config.suggest.did_you_mean`, but silent after many problems.

        Looking for near names costs more than all the rest; a hostile file has 100,000 of them.
        """
        return did_you_mean(name, known) if len(self.problems.found) < _SUGGESTIONS else ""

    def _add(
        self,
        severity: Severity,
        code: str,
        at: Node | Place,
        message: str,
        hint: str | None,
        *,
        harmless: bool = False,
    ) -> None:
        self.problems.add(
            Problem(
                place=at if isinstance(at, Place) else at.place,
                severity=severity,
                code=code,
                message=message,
                hint=hint or self.hint,
                length=at.length if isinstance(at, Scalar) else 1,
                harmless=harmless,
            )
        )
