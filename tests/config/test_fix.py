"""``validate --fix`` keeps comments and meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from longshore.config.fix import fix_services
from longshore.config.load import load
from longshore.config.model import BuildEntry, DependencyEntry, ServiceEntry
from longshore.config.problem import Place, Problems
from longshore.config.report import Report
from longshore.config.services import read_services
from longshore.config.source import SourceText, decode
from longshore.config.yaml_source import read_yaml

_NOWHERE = Place("")


def meaning(text: str) -> list[ServiceEntry]:
    """The services without their places, links without aliases as dependencies."""
    problems = Problems()
    root = read_yaml(SourceText("f", text), problems)
    assert root is not None
    file = read_services(root, "f", Path("/p"), Report(problems))
    return [_bare(entry) for entry in file.services.values()] if file else []


def _bare(entry: ServiceEntry) -> ServiceEntry:
    changes: dict[str, Any] = {"place": _NOWHERE, "places": {}}
    if all(link.alias == link.service for link in entry.links) and not entry.depends_on:
        names = [DependencyEntry(service=link.service) for link in entry.links]
        changes |= {"links": (), "depends_on": tuple(names)}
    if isinstance(entry.build, BuildEntry):
        changes["build"] = replace(entry.build, place=_NOWHERE, places={})
    return replace(entry, **changes)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "app:\n  build:\n    path: .   # here\n    dockerfile_path: D\n",
            "app:\n  build:\n    context: .   # here\n    dockerfile: D\n",
        ),
        (
            '{"app": {"build": {"path": "a", "dockerfile_path": "path"}}}',
            '{"app": {"build": {"context": "a", "dockerfile": "path"}}}',
        ),
        (
            "app:\n  build: .\n  encrypted_env: x\n  links:\n  - db # first\ndb:\n  image: a\n",
            "app:\n  build: .\n  encrypted_env_file: x\n  depends_on:\n  - db # first\n"
            "db:\n  image: a\n",
        ),
        (
            "app:\n  build: ./a # dir\n  cached: true\n  dockerfile: D # file\nx: {image: y}\n",
            "app:\n  build: # dir\n    context: ./a\n    dockerfile: D # file\n  cached: true\n"
            "x: {image: y}\n",
        ),
        (
            "app:\r\n  build: .\r\n  dockerfile: D",
            "app:\r\n  build:\r\n    context: .\r\n    dockerfile: D",
        ),
        (
            "services:\n  build:\n    image: a\n  test:\n    image: a\n    encrypted_env: x\n",
            "services:\n  build:\n    image: a\n  test:\n    image: a\n    encrypted_env_file: x\n",
        ),
        ("app:\n  dockerfile: D\n", "app:\n  build:\n    dockerfile: D\n"),
        ("app: {dockerfile: D}\n", 'app: {"build": {"dockerfile": D}}\n'),
    ],
)
def test_old_spellings_are_rewritten_in_place(before: str, after: str) -> None:
    fixed = fix_services(SourceText("f", before))
    assert fixed.text == after
    assert meaning(fixed.text) == meaning(before)


@pytest.mark.parametrize(
    "text",
    [
        "app:\n  build: .\n  links:\n  - db:x\ndb:\n  image: a\n",
        "app:\n  build: .\n  links: [db]\n  depends_on: [q]\ndb:\n  image: a\nq:\n  image: a\n",
        "app:\n  image: a\n  dockerfile: D\n",
        "app:\n  build: {context: ., path: x}\n",
        'app:\n  build: {"p\\x61th": x}\n',
        "x: &old path\napp:\n  build:\n    *old : x\n",
        "app: [\n",
        "- a\n",
    ],
)
def test_what_cannot_be_rewritten_safely_stays(text: str) -> None:
    assert fix_services(SourceText("f", text)).text == text


def test_every_public_services_file_means_the_same_after_the_fix(corpus: Path) -> None:
    changed = 0
    for path in sorted(corpus.rglob("*services*")):
        source = decode("f", path.read_bytes())
        assert isinstance(source, SourceText)
        fixed = fix_services(source)
        changed += bool(fixed.edits)
        if fixed.edits:
            assert meaning(fixed.text) == meaning(source.text), path
        assert fix_services(SourceText("f", fixed.text)).edits == (), path
    assert changed > 50


_MERGED = {
    "a dockerfile of each": "x-base: &base\n  build: .\napp:\n  <<: *base\n  dockerfile: A\n"
    "test:\n  <<: *base\n  dockerfile: B\n",
    "a dependency of its own": "base: &base\n  image: a\n  links:\n  - db\napp:\n  <<: *base\n"
    "  depends_on: [two]\ndb:\n  image: b\ntwo:\n  image: c\n",
    "another encrypted file": "base: &base\n  image: a\n  encrypted_env: one\napp:\n  <<: *base\n"
    "  encrypted_env_file: two\n",
    "an image instead": "base: &base\n  dockerfile: D\napp:\n  <<: *base\n  image: a\n",
    "a build that is merged": "app:\n  build: &b\n    path: a\n    dockerfile_path: A\n"
    "test:\n  build:\n    <<: *b\n    dockerfile: B\n",
}


@pytest.mark.parametrize("text", _MERGED.values(), ids=_MERGED)
def test_what_is_merged_into_other_maps_stays_as_it_is(text: str) -> None:
    assert fix_services(SourceText("f", text)).text == text


def test_beside_what_is_merged_the_rest_is_fixed() -> None:
    merged = _MERGED["another encrypted file"]
    fixed = fix_services(SourceText("f", f"{merged}own:\n  image: b\n  encrypted_env: x\n"))
    assert fixed.text == f"{merged}own:\n  image: b\n  encrypted_env_file: x\n"


def test_a_whole_service_under_two_names_is_fixed_once_for_both() -> None:
    before = "app: &app\n  image: a\n  encrypted_env: x\ntest: *app\n"
    after = fix_services(SourceText("f", before)).text
    assert after == before.replace("encrypted_env", "encrypted_env_file")
    assert meaning(after) == meaning(before)


@pytest.mark.parametrize(
    "service",
    [
        "image: a; links: [db]",
        "image: a; links: ['db:x']",
        "image: a; links: [db]; depends_on: [db]",
        "image: a; encrypted_env: e",
        "image: a; encrypted_env: e; encrypted_env_file: f",
        "build: .; dockerfile: D",
        "build: {context: .}; dockerfile: D",
        "dockerfile: D",
        "image: a; dockerfile: D",
        "build: {path: .}",
        "build: {path: ., context: .}",
        "build: {name: a, image: b}",
        "build: {dockerfile_path: D}",
    ],
)
def test_the_fix_does_what_the_hint_of_a_deprecated_key_promises(
    service: str, tmp_path: Path
) -> None:
    text = "\n  ".join(["db:\n  image: x\napp:", *service.split("; ")]) + "\n"
    (tmp_path / "codeship-services.yml").write_text(text)
    hints = [p.hint or "" for p in load(tmp_path, need_steps=False).problems if p.code == "LS024"]
    promised = sum("--fix" in hint for hint in hints)
    edits = {edit.what for edit in fix_services(SourceText("f", text)).edits}
    assert promised == len(edits), (text, hints)


def test_what_stays_is_not_said_to_be_changed() -> None:
    assert fix_services(SourceText("f", 'app:\n  build: {"p\\x61th": x}\n')).edits == ()
