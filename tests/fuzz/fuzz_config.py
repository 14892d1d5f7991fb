"""Mutated configuration files: each ends in success or problems, fast, at places that exist.

``python tests/fuzz/fuzz_config.py [COUNT] [SEED]`` runs COUNT mutations (200,000 unless told) of
the public files; ``tests/fuzz/test_fuzz_config.py`` a short seeded run of the same.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from longshore.config.check import check
from longshore.config.problem import Problem, Problems, Severity
from longshore.config.report import Report
from longshore.config.services import read_services
from longshore.config.source import SourceText, decode
from longshore.config.steps import read_steps
from longshore.config.yaml_source import read_yaml

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "repos"
LIMIT = 2.0
_ALPHABET = "\0\t\n\r \"'#%&*,-.:<>?@[]{}|!`~^$\\/=0aZ_é\u0085\u2028\ufeff😀"
_TOKENS = (
    "<<: *a\n", "&a ", "*a", "- ", "? ", "---\n", "...\n", "|\n", ">\n", "{{ .Branch }}", "null",
    "services:\n", "steps:\n", "type: push\n", "service: [a]\n", "command:\n", "\n  ", "[", "{",
    "}", "links:\n", "tag: ^(\n", "!!binary ", "\\x", '"\\u12', "'",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """The texts of one project of the corpus."""

    name: str
    services: str
    steps: str


def corpus_pairs(corpus: Path) -> tuple[Pair, ...]:
    """Every folder that has both files."""
    found = []
    for services in sorted(corpus.rglob("*services.yml")):
        steps = services.with_name(services.name.replace("services", "steps"))
        if steps.exists():
            texts = (services.read_text("utf-8"), steps.read_text("utf-8"))
            found.append(Pair(str(services.parent.relative_to(corpus)), *texts))
    return tuple(found)


def problems_of(services: bytes, steps: bytes) -> tuple[tuple[Problem, ...], dict[str, SourceText]]:
    """What `longshore.config.load` does, without a disk."""
    problems, sources = Problems(), {}
    report = Report(problems)
    roots = {}
    for name, data in ("services", services), ("steps", steps):
        source = decode(name, data)
        if isinstance(source, Problem):
            problems.add(source)
        else:
            sources[name] = source
            roots[name] = read_yaml(source, problems)
    first, second = roots.get("services"), roots.get("steps")
    check(
        read_services(first, "services", Path("/p"), report) if first else None,
        read_steps(second, "steps", report) if second else None,
        report,
    )
    return problems.sorted(), sources


def mutated(text: str, other: str, random: random.Random) -> bytes:
    """One to four changes of one text, some with a piece of another."""
    for _ in range(random.randint(1, 4)):
        text = random.choice(_MUTATIONS)(text, other, random)
    data = text.encode("utf-8", "surrogatepass")
    if random.random() < 0.05 and data:
        at = random.randrange(len(data))
        data = data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
    return data


def _span(text: str, random: random.Random) -> tuple[int, int]:
    at = random.randint(0, len(text))
    return at, min(len(text), at + random.randint(0, random.choice((1, 8, 80))))


def _delete(text: str, other: str, random: random.Random) -> str:
    start, end = _span(text, random)
    return text[:start] + text[end:]


def _insert(text: str, other: str, random: random.Random) -> str:
    at = random.randint(0, len(text))
    piece = random.choice(_TOKENS) if random.random() < 0.5 else random.choice(_ALPHABET)
    return text[:at] + piece * random.choice((1, 1, 1, 2, 50)) + text[at:]


def _copy(text: str, other: str, random: random.Random) -> str:
    start, end = _span(other, random)
    at = random.randint(0, len(text))
    return text[:at] + other[start:end] + text[at:]


def _lines(text: str, other: str, random: random.Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = random.randrange(len(lines))
    change = random.randrange(4)
    if change == 0:
        lines[at] = " " * random.randint(1, 3) + lines[at]
    elif change == 1:
        lines[at] = lines[at][1:]
    elif change == 2:
        lines.insert(random.randint(0, len(lines)), lines[at])
    else:
        del lines[at]
    return "".join(lines)


_MUTATIONS: Sequence[Callable[[str, str, random.Random], str]] = (_delete, _insert, _copy, _lines)


def run(pairs: Sequence[Pair], count: int, seed: int) -> tuple[float, int]:
    """Mutate and read `count` times; the slowest time and how many files stayed without error."""
    chance = random.Random(seed)
    slowest, clean = 0.0, 0
    for number in range(count):
        pair, other = chance.choice(pairs), chance.choice(pairs)
        services, steps = pair.services.encode(), pair.steps.encode()
        if chance.random() < 0.5:
            services = mutated(pair.services, other.services, chance)
        else:
            steps = mutated(pair.steps, other.steps, chance)
        try:
            taken, failed = _judged(services, steps)
        except BaseException:
            Path("fuzz-services.yml").write_bytes(services)
            Path("fuzz-steps.yml").write_bytes(steps)
            sys.stderr.write(f"number {number}, from {pair.name}; see fuzz-*.yml\n")
            raise
        slowest = max(slowest, taken)
        clean += not failed
    return slowest, clean


def _judged(services: bytes, steps: bytes) -> tuple[float, bool]:
    """Seconds taken, and whether there was an error; asserts what must hold for any file."""
    start = time.process_time()
    found, sources = problems_of(services, steps)
    taken = time.process_time() - start
    assert taken < LIMIT, taken
    for problem in found:
        source = sources.get(problem.place.path)
        if source is not None and problem.place.line:
            line = source.line(problem.place.line)
            assert line is not None, problem
            assert 1 <= problem.place.column <= len(line) + 1, problem
    return taken, any(problem.severity is Severity.ERROR for problem in found)


@dataclass(frozen=True, slots=True)
class Planted:
    """A pair with one fault, and the line its first error must be in."""

    services: str
    steps: str
    file: str
    line: int
    what: str


def planted(pair: Pair, random: random.Random) -> Iterator[Planted]:
    """One fault of every kind that can be planted into this pair."""
    lines = pair.steps.splitlines(keepends=True)
    for what, pattern, change in _FAULTS:
        places = [n for n, line in enumerate(lines) if re.match(pattern, line)]
        if places:
            at = random.choice(places)
            changed = [*lines[:at], re.sub(pattern, change, lines[at]), *lines[at + 1 :]]
            yield Planted(pair.services, "".join(changed), "steps", at + 1, what)


_KEY = r"^(\s*(?:- +)?)"
_FAULTS = (
    ("undefined service", _KEY + r"service: +[\w.-]+ *$", r"\1service: no-such-service"),
    ("misspelt command", _KEY + r"command: (?=[\w./-]+ *$)", r"\1comand: "),
    ("unknown type", _KEY + r"type: +push *$", r"\1type: psh"),
    ("list for a text", _KEY + r"service: +([\w.-]+) *$", r"\1service: [\2, \2]"),
    ("open bracket", _KEY + r"service: +([\w.-]+) *$", r"\1service: [\2"),
    ("at sign", _KEY + r"service: +([\w.-]+) *$", r"\1service: @\2"),
    ("colon in a value", _KEY + r"service: +([\w.-]+) *$", r"\1service: a: \2"),
    ("upper-case push target", _KEY + r"image_name: +[\w./-]+ *$", r"\1image_name: User/APP"),
    ("tag list", _KEY + r"tag: +\w+ *$", r"\1tag: [a, b]"),
    ("unknown alias", _KEY + r"service: +[\w.-]+ *$", r"\1service: *nowhere"),
    ("control character", _KEY + r"service: +([\w.-]+) *$", "\\1service: \\2\x01"),
)


def first_error(found: Sequence[Problem]) -> Problem | None:
    """The first error of the steps file, else of any."""
    errors = [problem for problem in found if problem.severity is Severity.ERROR]
    return next((p for p in errors if p.place.path == "steps"), errors[0] if errors else None)


def main() -> None:
    """Run from the command line."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    start = time.perf_counter()
    slowest, clean = run(corpus_pairs(CORPUS), count, seed)
    sys.stdout.write(
        f"{count:,} mutated pairs in {time.perf_counter() - start:.0f} s, seed {seed}: {clean:,} "
        f"without error, slowest {slowest * 1000:.0f} ms, no traceback, no place outside its file\n"
    )


if __name__ == "__main__":
    main()
