"""``validate --fix``: old spellings of the services file rewritten in place; pure.

Comments, order and quotes stay. What cannot be rewritten without touching other lines stays too:
values behind aliases or over several lines, links beside a depends_on, and maps that merge others
or are merged: what their keys mean is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from msgspec import Struct

from longshore.config import by_hand
from longshore.config.discovery import COMPOSE
from longshore.config.node import Mapping, Node, Scalar
from longshore.config.problem import Place, Problems
from longshore.config.services import services_below
from longshore.config.source import SourceText
from longshore.config.yaml_source import read_yaml

_IN_BUILD = {"path": "context", "dockerfile_path": "dockerfile", "name": "image"}


class Edit(Struct, frozen=True, order=True):
    """Replace the text between two indices; `what` says what was changed."""

    start: int
    end: int
    text: str
    what: str


class Fixed(Struct, frozen=True):
    """The new text, and the edits that made it, in file order."""

    text: str
    edits: tuple[Edit, ...]


def fix_services(source: SourceText) -> Fixed:
    """The services file with deprecated keys rewritten; unchanged when it is no valid YAML.

    The services it defines stay the same, but that ``links`` without aliases become
    ``depends_on`` (and lose the variables of links, S-30).
    """
    problems = Problems()
    root = read_yaml(source, problems)
    if not isinstance(root, Mapping) or problems.errors:
        return Fixed(source.text, ())
    nested = services_below(root, compose=PurePath(source.path).name == COMPOSE)
    services = nested if isinstance(nested, Mapping) else root
    edits: dict[int, Edit] = {}
    for service in _unmerged(services):
        for edit in _service(source, service):
            if edit.text != source.text[edit.start : edit.end]:  # not where aliases and escapes are
                edits.setdefault(edit.start, edit)
    return _applied(source.text, tuple(sorted(edits.values())))


def _unmerged(services: Mapping) -> Iterator[Mapping]:
    """The services without those that merge a map, or are merged, themselves or in their build."""
    found = [service for _, service in services.pairs if isinstance(service, Mapping)]
    maps = [(service, service) for service in found]
    maps += [(one, build) for one in found if isinstance(build := one.get("build"), Mapping)]
    # A merged map stands before the one that merges it, and its keys are shared.
    shared = {key.place for _, node in maps for key, _ in node.pairs if key.place < node.place}
    touched = {id(one) for one, node in maps if not shared.isdisjoint(_places(node))}
    return (service for service in found if id(service) not in touched)


def _places(node: Mapping) -> Iterator[Place]:
    return (key.place for key, _ in node.pairs)


def _applied(text: str, edits: tuple[Edit, ...]) -> Fixed:
    parts, at = [], 0
    for edit in edits:
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return Fixed("".join([*parts, text[at:]]), edits)


def _service(source: SourceText, service: Mapping) -> Iterator[Edit]:
    keys = {key.text: (key, value) for key, value in service.pairs}
    if "encrypted_env" in keys and by_hand.encrypted_env(service) is None:
        yield _renamed(source, keys["encrypted_env"][0], "encrypted_env_file")
    if "links" in keys and by_hand.links(service) is None:
        yield _renamed(source, keys["links"][0], "depends_on")
    build = keys.get("build", (None, None))[1]
    if isinstance(build, Mapping):
        yield from _build(source, build)
    if "dockerfile" in keys and "image" not in keys and by_hand.dockerfile(service) is None:
        yield from _dockerfile(source, keys["dockerfile"], keys.get("build"))


def _build(source: SourceText, build: Mapping) -> Iterator[Edit]:
    for key, _ in build.pairs:
        new = _IN_BUILD.get(key.text)
        if new is not None and by_hand.beside(new)(build) is None:
            yield _renamed(source, key, new)


def _renamed(source: SourceText, key: Scalar, new: str) -> Edit:
    start = source.index_of(key.place)
    written = source.text[start : start + key.length]
    text = written.replace(key.text, new)
    return Edit(start, start + key.length, text, f'"{key.text}" is now "{new}"')


def _dockerfile(
    source: SourceText, own: tuple[Scalar, Node], build: tuple[Scalar, Node] | None
) -> Iterator[Edit]:
    """``dockerfile`` beside a build that is only a directory, or beside none (S-7)."""
    key, value = own
    pair = _written(source, key, value)
    if pair is None:
        return
    what = '"dockerfile" moved below "build"'
    if build is None:
        start = source.index_of(key.place)
        head = f"build:{_newline(source)}{_below(key)}" if _block(source, key) else None
        text = f"{head}dockerfile: {pair}" if head else f'"build": {{"dockerfile": {pair}}}'
        end = source.index_of(value.place) + _length(value)
        yield Edit(start, end, text, what)
        return
    context = _written(source, *build)
    if context is None or not (_block(source, key) and _block(source, build[0])):
        return
    yield from _moved(source, key, build, context, what)


def _moved(
    source: SourceText, key: Scalar, build: tuple[Scalar, Node], context: str, what: str
) -> Iterator[Edit]:
    """The lines ``build: DIR`` and ``dockerfile: NAME`` become one block, comments kept."""
    line = source.line(key.place.line) or ""
    below, newline = _below(build[0]), _newline(source)
    first = source.index_of(build[1].place)
    line_end = source.starts[build[0].place.line - 1] + len(source.line(build[0].place.line) or "")
    comment = source.text[first + len(context) : line_end]
    head = f"{comment}{newline}{below}context: {context}{newline}{below}{line.lstrip()}"
    before = first - 1 if source.text[first - 1] == " " else first
    yield Edit(before, line_end, head, what)
    start = source.starts[key.place.line - 1]
    end = source.starts[key.place.line] if key.place.line < len(source.starts) else len(source.text)
    if end == len(source.text) and start and not source.text.endswith(("\n", "\r")):
        start -= len(newline)  # the line before becomes the last, which had no line break
    yield Edit(start, end, "", what)


def _written(source: SourceText, key: Scalar, value: Node) -> str | None:
    """The source text of a value on its key's line; None behind aliases, anchors and breaks."""
    if not isinstance(value, Scalar) or value.is_null or value.place.line != key.place.line:
        return None
    start = source.index_of(value.place)
    between = source.text[source.index_of(key.place) + key.length : start]
    text = source.text[start : start + value.length]
    if between.strip() != ":" or (value.text not in text and not value.plain):
        return None
    return text if not value.plain or text == value.text else None


def _length(value: Node) -> int:
    return value.length if isinstance(value, Scalar) else 0


def _block(source: SourceText, key: Scalar) -> bool:
    """Whether the key is the first thing in its line and stands in no braces."""
    line = source.line(key.place.line) or ""
    return not line[: key.place.column - 1].strip() and key.plain


def _below(key: Scalar) -> str:
    """The indentation of what stands below `key`: two more than its own."""
    return " " * (key.place.column + 1)


def _newline(source: SourceText) -> str:
    return "\r\n" if "\r\n" in source.text else "\n"
