"""YAML (and so JSON, F-14) text to a tree of nodes; safe for hostile input.

The parser's events are read one by one and the tree is built with a stack of our own: no depth of
nesting reaches Python's or C's recursion limit, and every bound is checked while reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from msgspec import Struct, field
from msgspec.structs import replace

from longshore.config import codes
from longshore.config.json_pairs import Joined, joined
from longshore.config.node import Mapping, Node, Scalar, Sequence
from longshore.config.problem import Place, Problem, Problems, Severity
from longshore.config.source import SourceText
from longshore.config.suggest import did_you_mean
from longshore.config.yaml_errors import explain

if TYPE_CHECKING:
    from yaml.error import Mark
    from yaml.events import Event

MAX_DEPTH = 200
"""Levels of lists and maps; a group of steps takes two."""
MAX_SIZE = 120_000
"""Values in a file once its aliases are written out: twice those of a file of 10,000 steps."""


def read_yaml(source: SourceText, problems: Problems) -> Node | None:
    """The file's one document, or None when an error was added that leaves no tree.

    An empty file gives an empty plain scalar. Duplicate keys (F-21) are errors that leave a tree.
    """
    import yaml

    text = joined(source.text)
    tree = _Tree(source, problems, text)
    try:
        for event in _events(text.text):
            tree.take(event)
    except _Fatal as fatal:
        problems.add(fatal.problem)
        return None
    except yaml.MarkedYAMLError as fault:
        problems.add(explain(SourceText(source.path, text.text), fault))
        return None
    return tree.root or Scalar(Place(source.path), "", True, 0)


def _events(text: str) -> Iterator[Event]:
    import yaml

    try:
        from yaml._yaml import CParser as Parser
    except ImportError:  # PyYAML was built without libyaml
        loader: Any = yaml.Loader(text)
    else:
        loader = Parser(text)
    while loader.check_event():
        yield loader.get_event()


class _Fatal(Exception):
    """No tree can be made."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Open(Struct):
    """A list or map whose end was not read yet."""

    place: Place
    anchor: str | None
    is_map: bool
    items: list[Node] = field(default_factory=list)


class _Tree(Struct):
    source: SourceText
    problems: Problems
    joined: Joined
    root: Node | None = None
    _open: list[_Open] = field(default_factory=list)
    _anchors: dict[str, Node | None] = field(default_factory=dict)
    _read: int = 0
    _plain_lines: bool = True
    _documents: int = 0

    def __post_init__(self) -> None:
        # YAML 1.1 also breaks lines at the first three, editors do not; libyaml miscounts the last.
        odd = any(mark in self.source.text for mark in "\x85\u2028\u2029\ufeff")
        self._plain_lines = not (odd or self.joined.ends)

    def take(self, event: Event) -> None:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._scalar(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._start(event, kind == "MappingStartEvent")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._end()
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind == "DocumentStartEvent":
            self._document(event)

    def _place(self, mark: Mark) -> Place:
        if self._plain_lines:
            return Place(self.source.path, mark.line + 1, mark.column + 1)
        index = self.joined.original(mark.index)
        return self.source.place_at(min(index, len(self.source.text)))

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._fail(
                codes.SEVERAL_DOCUMENTS,
                self._place(event.start_mark),
                "a second document begins here; the file may hold only one",
                'remove the line "---" or move what follows into a file of its own',
            )

    def _scalar(self, event: Any) -> None:
        start, end = event.start_mark, event.end_mark
        length = self.joined.original(end.index) - self.joined.original(start.index)
        node = Scalar(
            self._place(start),
            event.value.replace("\0", ""),
            not event.style and event.tag is None,
            max(1, length) if start.line == end.line else 1,
        )
        if "\0" in event.value:
            self._nul(node)
        self._add(node, event.anchor)

    def _nul(self, node: Scalar) -> None:
        self._report(
            codes.WRONG_VALUE,
            node.place,
            "this text holds a NUL character, which no path, argument or variable can hold",
            "remove '\\0' (JSON's '\\u0000')",
            node.length,
        )

    def _start(self, event: Any, is_map: bool) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Open(self._place(event.start_mark), event.anchor, is_map))
        if len(self._open) > MAX_DEPTH:
            self._too_deep(self._open[-1].place)

    def _end(self) -> None:
        opened = self._open.pop()
        node = self._mapping(opened) if opened.is_map else _sequence(opened)
        self._add(node, opened.anchor)

    def _alias(self, event: Any) -> None:
        place = self._place(event.start_mark)
        node = self._anchors.get(event.anchor)
        if node is None:
            self._unknown_alias(event.anchor, place)
        if len(self._open) + node.height > MAX_DEPTH:
            self._too_deep(place)
        self._count(node.size, place)
        if isinstance(node, Scalar) and self._at_key():
            node = Scalar(place, node.text, node.plain, len(event.anchor) + 1)
        self._add(node, None, counted=True)

    def _at_key(self) -> bool:
        return bool(self._open) and self._open[-1].is_map and len(self._open[-1].items) % 2 == 0

    def _unknown_alias(self, name: str, place: Place) -> NoReturn:
        if name in self._anchors:
            message = f'alias "*{name}" stands inside the value it refers to'
            self._fail(codes.ALIAS, place, message, "put the anchor on another value")
        known = [anchor for anchor, value in self._anchors.items() if value is not None]
        message = f'alias "*{name}" refers to no anchor above it' + did_you_mean(name, known)
        self._fail(codes.ALIAS, place, message, f'mark the value it means with "&{name}", above')

    def _add(self, node: Node, anchor: str | None, *, counted: bool = False) -> None:
        if not counted:
            self._count(1, node.place)
        if anchor is not None:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1].items.append(node)
        else:
            self.root = node

    def _count(self, size: int, place: Place) -> None:
        self._read += size
        if self._read > MAX_SIZE:
            self._fail(
                codes.TOO_MANY,
                place,
                f"here the file passes {MAX_SIZE:,} values, aliases written out; no more are read",
                "split the pipeline, or remove aliases of aliases",
            )

    def _mapping(self, opened: _Open) -> Mapping:
        local: dict[str, tuple[Scalar, Node]] = {}
        merged: dict[str, tuple[Scalar, Node]] = {}
        merges: list[Scalar] = []
        items = iter(opened.items)
        before: Scalar | None = None
        for key, value in zip(items, items, strict=True):
            first: Scalar | None = None
            if not isinstance(key, Scalar):
                self._key_not_text(key, opened.place)
            elif key.text == "<<" and key.plain:
                merges.append(key)
                self._merge(value, merged)
            elif key.text in local:
                first = local[key.text][0]
                self._duplicate(key, first, before)
            else:
                local[key.text] = (key, value)
            before = first
        for key in merges[1:]:
            self._twice(key, merges[0], "write one with a list: <<: [*ONE, *OTHER]")
        pairs = tuple({**merged, **local}.values()) if merged else tuple(local.values())
        return Mapping(
            opened.place,
            pairs,
            1 + sum(1 + value.size for _, value in pairs),
            1 + max((value.height for _, value in pairs), default=0),
        )

    def _merge(self, value: Node, into: dict[str, tuple[Scalar, Node]]) -> None:
        """Earlier maps win over later ones (YAML merge key draft, https://yaml.org/type/merge)."""
        for node in value.items if isinstance(value, Sequence) else (value,):
            if not isinstance(node, Mapping):
                self._report(
                    codes.MERGE,
                    node.place,
                    '"<<" takes a map, or a list of maps',
                    "write <<: *NAME, where &NAME stands before a map",
                )
                continue
            self._count(len(node.pairs), node.place)
            for key, child in node.pairs:
                into.setdefault(key.text, (key, child))

    def _duplicate(self, key: Scalar, first: Scalar, before: Scalar | None) -> None:
        """`before`: the first one of the key before, where that is a duplicate too.

        In a list, duplicates in a row and in order are one fault: a dash is missing.
        """
        hint = "remove one of them, or give it another name"
        if not self._open or self._open[-1].is_map:
            self._twice(key, first, hint)
        elif before is None or first.place <= before.place:
            hint += "; if a new list item was meant, a dash is missing"
            self._twice(key, first, hint)

    def _twice(self, key: Scalar, first: Scalar, hint: str) -> None:
        self._report(
            codes.DUPLICATE_KEY,
            key.place,
            f'key "{key.text[:60]}" is defined twice: in line {first.place.line} '
            f"and in line {key.place.line}",
            hint,
            key.length,
        )

    def _key_not_text(self, key: Node, around: Place) -> None:
        if isinstance(key, Mapping) and key.place == replace(around, column=around.column + 1):
            # The code and place of the type error that would follow: one fault, one message.
            message = 'a text that begins with "{{" must be quoted'
            self._report(codes.WRONG_TYPE, around, message, 'write "{{ ... }}" with the quotes')
            return
        self._report(
            codes.KEY_NOT_TEXT,
            key.place,
            "a key must be a text, not a list or a map",
            "quote it if it begins with [ or {",
        )

    def _too_deep(self, place: Place) -> NoReturn:
        self._fail(
            codes.TOO_DEEP,
            place,
            f"lists and maps are nested more than {MAX_DEPTH} levels deep here",
            "remove levels of nesting",
        )

    def _report(
        self, code: str, place: Place, message: str, hint: str | None, length: int = 1
    ) -> None:
        self.problems.add(
            Problem(
                place=place,
                severity=Severity.ERROR,
                code=code,
                message=message,
                hint=hint,
                length=length,
            )
        )

    def _fail(self, code: str, place: Place, message: str, hint: str | None) -> NoReturn:
        raise _Fatal(
            Problem(place=place, severity=Severity.ERROR, code=code, message=message, hint=hint)
        )


def _sequence(opened: _Open) -> Sequence:
    items = tuple(opened.items)
    return Sequence(
        opened.place,
        items,
        1 + sum(item.size for item in items),
        1 + max((item.height for item in items), default=0),
    )
