"""What all parts of one expansion share: output, bounds, and the variables of a frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct, field

from longshore.errors import InvalidValue
from longshore.plan.gotemplate.faults import Fault
from longshore.plan.gotemplate.limits import DEEPEST, LONGEST_TEXT, MOST_STEPS, bounded
from longshore.plan.gotemplate.nodes import Node
from longshore.plan.gotemplate.values import Value


class Machine(Struct):
    """The output of an expansion, and how much of its bounds is used up."""

    output: list[bytes] = field(default_factory=list)
    written: int = 0
    steps: int = 0
    depth: int = 0

    def write(self, text: bytes) -> None:
        self.written += len(text)
        if self.written > LONGEST_TEXT:
            raise InvalidValue(f"the expansion is longer than {LONGEST_TEXT} bytes")
        self.output.append(text)

    def result(self) -> bytes:
        return bounded(b"".join(self.output))

    @contextmanager
    def step(self, node: Node) -> Iterator[None]:
        """Around everything that may recurse; faults without a place get that of `node`."""
        self.steps += 1
        self.depth += 1
        if self.steps > MOST_STEPS:
            raise Fault("the template does not come to an end", node.offset)
        if self.depth > DEEPEST:
            raise Fault("templates, blocks or parentheses nested too deep", node.offset)
        try:
            yield
        except Fault:
            raise
        except InvalidValue as fault:
            raise Fault(fault.message, node.offset, hint=fault.hint) from fault
        finally:
            self.depth -= 1


class Variables:
    """The variables of a frame, innermost last; ``$`` is what the frame was given."""

    __slots__ = ("_stack",)

    def __init__(self, root: Value) -> None:
        self._stack: list[tuple[str, Value]] = [("$", root)]

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Variables declared inside end with it."""
        height = len(self._stack)
        try:
            yield
        finally:
            del self._stack[height:]

    def declare(self, name: str, value: Value) -> None:
        self._stack.append((name, value))

    def assign(self, name: str, value: Value, offset: int) -> None:
        """Change the innermost variable of that name."""
        self._stack[self._place(name, offset)] = (name, value)

    def value(self, name: str, offset: int) -> Value:
        return self._stack[self._place(name, offset)][1]

    def _place(self, name: str, offset: int) -> int:
        for place in range(len(self._stack) - 1, -1, -1):
            if self._stack[place][0] == name:
                return place
        raise Fault(f"variable {name} is not declared", offset, hint=f"write {name} := first")
