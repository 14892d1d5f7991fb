"""Whole images through every fault at once.

Every push ends with the right image under its tag, or with a clear error within its limit; none
hangs, none leaves a wrong tag, none sends credentials to another host. How many pushes there are,
LONGSHORE_STORM_PUSHES says (100; 1,000 for a thorough look); a seed makes each push what it is.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import aiohttp
import anyio
import anyio.lowlevel
import pytest

from longshore.environment import Environment
from longshore.errors import RegistryError
from longshore.oci.digest import Digest
from longshore.registry.client import Access, RegistryClient
from longshore.registry.limits import Limits
from longshore.registry.push import PushOptions, push
from longshore.registry.server.routes import Route
from longshore.registry.transport.retry import Clock
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.faults import (
    STORM,
    Answer,
    AnswerEarly,
    BodyLimit,
    Corrupt,
    Drip,
    Fault,
    LocationElsewhere,
    Plan,
    Redirect,
    Script,
    WrongDigest,
    seeded_faults,
)
from longshore.testing.images import RandomLayer
from longshore.testing.line import (
    CutAnswers,
    CutRequests,
    DripAnswers,
    DripRequests,
    FalsifyDigests,
    LimitBodies,
    Meddle,
    Trouble,
    faulty_line,
    http_answer,
)
from longshore.testing.pulled import pull
from longshore.testing.registry import FaultyRegistry, faulty_registry
from longshore.testing.registry_auth import TOKEN_PATH, TokenAuth
from longshore.testing.registry_process import RegistryProcess, Settings, run_registry
from longshore.testing.stored import MemoryImage, MemoryLayer

PUSHES = int(os.environ.get("LONGSHORE_STORM_PUSHES", "100"))
PASSWORD = "pw-of-bob-XYZZY"
USERS = {"bob": PASSWORD}
BOB = Credential(username="bob", password=Secret(PASSWORD), origin="the tests")
AS_BOB = {"Authorization": aiohttp.encode_basic_auth("bob", PASSWORD)}
HANGS = 60.0
"""Seconds of real time after which a push counts as hanging; no pause of the client is real."""
RATES = (0.03, 0.1, 0.2, 0.35, 0.5)
FAULTS: tuple[Fault, ...] = (
    *STORM,
    Answer(status=429, retry_after="3"),
    Answer(status=503, retry_after="Mon, 01 Jan 1990 00:00:00 GMT"),
    Answer(status=504),
    AnswerEarly(answer=Answer(status=429, retry_after="1")),
    BodyLimit(limit=1_000_000),
    WrongDigest(),
    Corrupt(),
    Drip(size=200, pause=0.001),
)
Monkey = pytest.MonkeyPatch
pytestmark = [pytest.mark.slow, pytest.mark.timeout(60 + 2 * PUSHES)]


@pytest.fixture(scope="module")
def layers() -> list[MemoryLayer]:
    """From a few kilobytes to some megabytes."""
    sizes = (2_000, 30_000, 300_000, 700_000, 1_300_000, 2_500_000, 4_000_000, 6_000_000)
    made = (RandomLayer(content=size, files=1 + n, seed=n) for n, size in enumerate(sizes))
    return [MemoryLayer(b"".join(layer.chunks())) for layer in made]


def by_chance(random: Random, layers: Sequence[MemoryLayer]) -> MemoryImage:
    """One to four layers, perhaps one of them twice."""
    return MemoryImage(random.choices(layers, k=random.randint(1, 4)))


class Time:
    """A clock on which waiting takes no time, and everything else the time it takes."""

    def __init__(self, random: Random) -> None:
        self._skipped = 0.0
        self.clock = Clock(
            now=self.now,
            wall=lambda: time.time() + self._skipped,
            sleep=self._sleep,
            chance=random.uniform,
        )

    def now(self) -> float:
        return time.monotonic() + self._skipped

    async def _sleep(self, seconds: float) -> None:
        self._skipped += seconds
        await anyio.lowlevel.checkpoint()


@dataclass(slots=True)
class Tally:
    """The figures of a storm."""

    name: str
    right: int = 0
    longest: float = 0.0
    slowest: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def met(self, fault: Fault | Trouble) -> None:
        status = getattr(fault, "status", "")
        self.faults[f"{type(fault).__name__} {status}".strip()] += 1

    @property
    def pushes(self) -> int:
        return self.right + self.errors.total()

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.pushes} pushes, {self.right} right, refused {dict(self.errors)}, "
            f"longest {self.longest:.0f} s of its clock and {self.slowest:.1f} s of ours; met "
            f"{self.faults.total()} faults {dict(self.faults.most_common())}"
        )


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Shown at the end, also when all is well."""
    found = Tally(request.node.name)
    yield found
    plugins = request.config.pluginmanager
    reporter, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")
    if reporter is not None and capture is not None:
        with capture.global_and_fixture_disabled():
            reporter.write_line(f"\n{found}")


async def attempt(
    host: str, repository: str, image: MemoryImage, random: Random, tally: Tally
) -> Digest | None:
    """A push with limits by chance: its digest, or None after a clear error."""
    timing = Time(random)
    limits = Limits(
        retries=random.choice((3, 8, 12)),
        deadline=random.choice((40.0, 600.0)),
        chunk_size=random.choice((1 << 18, 1 << 20, 1 << 22)),
        stretch=random.choice((1 << 20, 1 << 27)),
        idle=5.0,
    )
    access = Access(environment=Environment({}))
    begun, really = timing.now(), time.monotonic()
    digest: Digest | None = None
    with anyio.fail_after(HANGS):
        async with RegistryClient(
            host=host, access=access, credential=BOB, limits=limits, clock=timing.clock
        ) as client:
            try:
                done = await push(client, repository, ["t"], image, PushOptions(verify=True))
                digest = done.manifest.digest
                tally.right += 1
            except RegistryError as error:
                check_words(error, host, repository)
                tally.errors[type(error).__name__] += 1
    seconds = timing.now() - begun
    # Each call of the client has that long; a push is a handful of them one after the other.
    assert seconds < 6 * limits.deadline
    tally.longest = max(tally.longest, seconds)
    tally.slowest = max(tally.slowest, time.monotonic() - really)
    return digest


def check_words(error: RegistryError, host: str, repository: str) -> None:
    """It names the place, and nothing secret."""
    assert host in error.message
    assert error.repository in (None, repository)
    said = f"{error.message} {error.hint} {error.detail}"
    assert PASSWORD not in said
    assert "Bearer " not in said


async def look(
    http: aiohttp.ClientSession,
    url: str,
    repository: str,
    image: MemoryImage,
    before: MemoryImage | None,
    digest: Digest | None,
) -> None:
    """Under the tag is the image; after an error perhaps what was there before, never another."""
    there = await pull(http, url, repository, "t")
    if digest is not None:
        assert there is not None
        assert there.digest == digest
        assert there.is_image(image.parts)
    elif there is None:
        assert before is None
    else:
        assert there.is_image(image.parts) or (before and there.is_image(before.parts))


# --- the registry that fails -------------------------------------------------------------------


@dataclass(slots=True)
class Narrow:
    """Another plan, behind a proxy that takes no body above 1 MB, now or later."""

    plan: Plan

    def choose(self, method: str, route: Route, path: str) -> Fault | None:
        fault = self.plan.choose(method, route, path)
        return fault or (BodyLimit(limit=1_000_000) if method in ("PATCH", "PUT") else None)


def check_credentials(registry: FaultyRegistry, other: FaultyRegistry) -> None:
    """The password goes to the token endpoint alone, and no token to another host."""
    assert [record.authorization for record in other.recorded if record.authorization] == []
    for record in registry.recorded:
        assert record.headers["Host"] == registry.host
        kind = (record.authorization or "none").partition(" ")[0]
        if record.path.startswith(TOKEN_PATH):
            assert kind in ("Basic", "none")
        else:
            assert kind in ("Bearer", "none")


async def prepared(
    url: str, layers: Sequence[MemoryLayer], random: Random, name: str
) -> MemoryImage | None:
    """In every third repository an older image has the tag already."""
    if random.random() > 1 / 3:
        return None
    older = by_chance(random, layers)
    access = Access(environment=Environment({}))
    async with RegistryClient(host=url.partition("//")[2], access=access, credential=BOB) as client:
        await push(client, name, ["t"], older, PushOptions())
    return older


async def test_every_push_through_a_failing_registry_is_right_or_a_clear_error(
    layers: list[MemoryLayer], tally: Tally
) -> None:
    for seed in range(PUSHES):
        random = Random(seed)
        image, name = by_chance(random, layers), f"storm/app{seed}"
        auth = TokenAuth(users=USERS, expires_in=random.choice((60, 300)))
        async with (
            faulty_registry(auth=auth) as registry,
            faulty_registry(storage=registry.storage) as other,
            aiohttp.ClientSession() as http,
        ):
            before = await prepared(registry.url, layers, random, name)
            elsewhere = (LocationElsewhere(base=other.url), Redirect(base=other.url))
            faults = (*FAULTS, *elsewhere)
            weather = seeded_faults(seed, random.choice(RATES), faults=faults)
            registry.plan = Narrow(weather) if seed % 8 == 0 else weather
            digest = await attempt(registry.host, name, image, random, tally)
            registry.plan, registry.auth = Script(), None
            check_credentials(registry, other)
            for record in registry.recorded:
                if record.fault is not None:
                    tally.met(record.fault)
            # The other one shows the same storage, without a login.
            await look(http, other.url, name, image, before, digest)
    assert tally.right >= PUSHES * 0.7


# --- the line that fails -----------------------------------------------------------------------


def trouble_by_chance(random: Random, data: Path) -> Trouble:
    """What can happen on a line at any byte, or to the uploads of the registry at `data`."""
    anywhere = int(random.choice((400, 5_000, 100_000, 2_000_000)) * random.random())
    kinds: tuple[Callable[[], Trouble], ...] = (
        lambda: CutRequests(after=anywhere),
        lambda: CutRequests(after=anywhere, answer=_refusal(random)),
        lambda: CutAnswers(after=int(3_000 * random.random())),
        lambda: CutAnswers(after=int(3_000 * random.random()), reset=False),
        lambda: LimitBodies(limit=1_000_000, answer=http_answer(413, "Too Large")),
        lambda: DripAnswers(size=97, pause=0.001),
        lambda: DripRequests(size=30_000, pause=0.001),
        lambda: Meddle(after=anywhere, work=lambda: lose_uploads(data)),
        FalsifyDigests,
    )
    return random.choice(kinds)()


def lose_uploads(data: Path) -> None:
    """As a registry does that is restarted without its storage, or shares none with its twins."""
    # os.walk passes over what vanishes while it looks; rglob would raise.
    for folder, names, _ in os.walk(data):
        if "_uploads" in names:
            names.remove("_uploads")
            shutil.rmtree(Path(folder, "_uploads"), ignore_errors=True)


def _refusal(random: Random) -> bytes:
    answers = (
        http_answer(429, "Too Many Requests"),
        http_answer(429, "Too Many Requests", "Retry-After: 2"),
        http_answer(500, "Internal Server Error"),
        http_answer(502, "Bad Gateway"),
        http_answer(503, "Service Unavailable", "Retry-After: Mon, 01 Jan 1990 00:00:00 GMT"),
    )
    return random.choice(answers)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryProcess]:
    """Debian's docker-registry, for bob alone."""
    with run_registry(tmp_path_factory.mktemp("storm"), Settings(users=USERS)) as process:
        yield process


@pytest.mark.registry
async def test_every_push_through_a_failing_line_is_right_or_a_clear_error(
    real: RegistryProcess, layers: list[MemoryLayer], tally: Tally
) -> None:
    async with aiohttp.ClientSession(headers=AS_BOB) as http:
        for seed in range(PUSHES):
            random = Random(seed)
            image, name = by_chance(random, layers), f"line/app{seed}"
            before = await prepared(real.url, layers, random, name)
            rate = random.choice(RATES)

            def trouble(random: Random = random, rate: float = rate) -> Trouble | None:
                if random.random() >= rate:
                    return None
                chosen = trouble_by_chance(random, real.data)
                tally.met(chosen)
                return chosen

            async with faulty_line(real.host, trouble) as line:
                digest = await attempt(line.host, name, image, random, tally)
            await look(http, real.url, name, image, before, digest)
    assert tally.right >= PUSHES * 0.8


@pytest.mark.registry
async def test_a_registry_that_sends_uploads_to_another_host_gets_no_credentials_there(
    real: RegistryProcess,
    layers: list[MemoryLayer],
    tally: Tally,
    tmp_path: Path,
    monkeypatch: Monkey,
) -> None:
    """The second registry has the data of the first and tells clients to upload elsewhere."""
    async with faulty_line(real.host, lambda: None) as stranger:
        monkeypatch.setenv("REGISTRY_HTTP_HOST", f"http://{stranger.host}")
        with run_registry(tmp_path, Settings(users=USERS, data=real.data)) as process:
            for seed in range(max(1, PUSHES // 50)):
                random = Random(seed)
                image, name = by_chance(random, layers), f"elsewhere/app{seed}"
                digest = await attempt(process.host, name, image, random, tally)
                assert digest is None
        assert stranger.requests
        assert not [one for one in stranger.requests if b"authorization" in one.lower()]
    assert set(tally.errors) == {"RegistryDenied"}
