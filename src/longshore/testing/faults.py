"""Faults a registry can have, and plans that say which request meets which; pure.

A `Plan` is asked once a request, when its head has arrived. `Script` answers by rules,
`seeded_faults` by chance that is the same with the same seed whatever the order of requests.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct, field

from longshore.registry.server.refusals import Code
from longshore.registry.server.routes import Kind, Route


class ResetRequest(Struct, frozen=True, kw_only=True):
    """The connection is reset when `after` bytes of the request's body have arrived.

    The bytes that came are kept, as a registry keeps them; a shorter body meets no fault.
    """

    after: int = 0


class ResetResponse(Struct, frozen=True, kw_only=True):
    """The request takes effect; its answer breaks off by a reset.

    `after` counts bytes of the answer's body; None: not even the head is sent.
    """

    after: int | None = None


class Truncate(Struct, frozen=True, kw_only=True):
    """The answer announces its full length; the connection is closed after `after` bytes of it."""

    after: int = 0


class Answer(Struct, frozen=True, kw_only=True):
    """Another answer instead of the right one; the request has no effect and its body is read.

    `retry_after` is sent as it stands: seconds or an HTTP date.
    """

    status: int
    code: Code | None = None
    message: str = ""
    retry_after: str | None = None


class AnswerEarly(Struct, frozen=True, kw_only=True):
    """The answer comes before the request's body is read, and the connection is closed."""

    answer: Answer


class BodyLimit(Struct, frozen=True, kw_only=True):
    """413 for a request with a body of more than `limit` bytes, as a proxy in front does it.

    It comes before the body is read, or in its middle when no Content-Length announced it.
    """

    limit: int


class LoseUpload(Struct, frozen=True, kw_only=True):
    """The upload session is forgotten; the request meets 404 BLOB_UPLOAD_UNKNOWN."""


class ExpireTokens(Struct, frozen=True, kw_only=True):
    """All tokens given out so far become invalid, beginning with this request's."""


class WrongDigest(Struct, frozen=True, kw_only=True):
    """The answer's Docker-Content-Digest is another than that of the content."""


class Corrupt(Struct, frozen=True, kw_only=True):
    """One bit of the answer's body is changed."""


class Drip(Struct, frozen=True, kw_only=True):
    """The answer's body comes slowly: `size` bytes, then `pause` seconds of nothing."""

    size: int = 1
    pause: float = 0.01


class Late(Struct, frozen=True, kw_only=True):
    """The request takes effect; nothing is heard for `pause` seconds, then the answer comes."""

    pause: float


class LocationElsewhere(Struct, frozen=True, kw_only=True):
    """The answer's Location is absolute and names another host: `base` is ``http://host:port``."""

    base: str


class Redirect(Struct, frozen=True, kw_only=True):
    """The same path on another host: `base` is ``http://host:port``; the request has no effect."""

    base: str
    status: int = 307


Fault = (
    ResetRequest
    | ResetResponse
    | Truncate
    | Answer
    | AnswerEarly
    | BodyLimit
    | LoseUpload
    | ExpireTokens
    | WrongDigest
    | Corrupt
    | Drip
    | Late
    | LocationElsewhere
    | Redirect
)

DISK_FULL: Final = Answer(
    status=500,
    code=Code.UNKNOWN,
    message="filesystem: write /var/lib/registry/docker/registry/v2: no space left on device",
)
READ_ONLY: Final = Answer(status=405, code=Code.UNSUPPORTED, message="the registry is read-only")
FORBIDDEN: Final = Answer(
    status=403, code=Code.DENIED, message="requested access to the resource is denied"
)
SESSION_BROKEN: Final = Answer(
    status=404, code=Code.BLOB_UPLOAD_INVALID, message="blob upload invalid"
)
"""What distribution 2.8 answers on a session whose last chunk broke off: it cannot be resumed."""
TOO_MANY: Final = Answer(status=429, code=Code.TOOMANYREQUESTS, message="too many requests")
WRITING: Final = frozenset({"POST", "PATCH", "PUT", "DELETE"})


class Plan(Protocol):
    """Which request meets which fault."""

    def choose(self, method: str, route: Route, path: str) -> Fault | None:
        """The fault for this request, or None; called once for each, in their order."""
        ...


class Rule(Struct, frozen=True, kw_only=True):
    """One fault and the requests that meet it.

    What is None matches everything. `path` is a regular expression searched in path and query.
    Of the requests that match, those from the `first` on (counted from 1) meet the fault, `times`
    of them, or all when `times` is None.
    """

    fault: Fault
    methods: frozenset[str] | None = None
    kinds: frozenset[Kind] | None = None
    path: str | None = None
    first: int = 1
    times: int | None = 1

    def matches(self, method: str, route: Route, path: str) -> bool:
        """Whether the rule speaks of such a request; counting is the script's."""
        return (
            (self.methods is None or method in self.methods)
            and (self.kinds is None or route.kind in self.kinds)
            and (self.path is None or re.search(self.path, path) is not None)
        )

    def applies(self, nth: int) -> bool:
        """Whether the `nth` matching request, counted from 1, meets the fault."""
        return nth >= self.first and (self.times is None or nth < self.first + self.times)


def on(
    where: str,
    fault: Fault,
    *,
    path: str | None = None,
    first: int = 1,
    times: int | None = 1,
) -> Rule:
    """A rule in short: `where` is ``"PATCH upload"``, ``"GET,HEAD blob,manifest"`` or ``"* *"``.

    ``"* other"`` is the token endpoint. Raises ValueError when a word is no `Kind`.
    """
    methods, _, kinds = where.partition(" ")
    return Rule(
        fault=fault,
        methods=None if methods == "*" else frozenset(methods.split(",")),
        kinds=None if kinds == "*" else frozenset(map(Kind, kinds.split(","))),
        path=path,
        first=first,
        times=times,
    )


class Script(Struct):
    """A plan of rules: the first rule that applies gives the fault; every match is counted."""

    rules: Sequence[Rule] = ()
    _seen: Counter[int] = field(default_factory=Counter)

    def choose(self, method: str, route: Route, path: str) -> Fault | None:
        chosen: Fault | None = None
        for place, rule in enumerate(self.rules):
            if rule.matches(method, route, path):
                self._seen[place] += 1
                if chosen is None and rule.applies(self._seen[place]):
                    chosen = rule.fault
        return chosen


def read_only(answer: Answer = READ_ONLY) -> Script:
    """A registry that refuses every write, with 405 or, given `FORBIDDEN`, with 403."""
    return Script([Rule(fault=answer, methods=WRITING, times=None)])


_IN_A_SESSION: Final = frozenset({"PATCH", "GET", "PUT"})


def possible(fault: Fault, method: str, route: Route) -> bool:
    """Whether a registry can have the fault at such a request.

    Only what goes on with an upload session can be told that the session is lost or broken: of
    anything else 404 is final, and a client that tried again would be wrong.
    """
    if fault != SESSION_BROKEN and not isinstance(fault, LoseUpload):
        return True
    return route.kind is Kind.UPLOAD and method in _IN_A_SESSION


STORM: Final[tuple[Fault, ...]] = (
    ResetRequest(after=0),
    ResetRequest(after=10_000),
    ResetResponse(),
    ResetResponse(after=10),
    Truncate(after=5),
    Answer(status=429, code=Code.TOOMANYREQUESTS),
    Answer(status=429, code=Code.TOOMANYREQUESTS, retry_after="0"),
    Answer(status=500, code=Code.UNKNOWN),
    Answer(status=502),
    AnswerEarly(answer=Answer(status=503)),
    LoseUpload(),
    SESSION_BROKEN,
    ExpireTokens(),
)
"""Faults from which a good client recovers."""


class Storm(Struct):
    """A plan by chance; see `seeded_faults`."""

    seed: int
    rate: float
    faults: Sequence[Fault]
    in_a_row: int
    _seen: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _row: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def choose(self, method: str, route: Route, path: str) -> Fault | None:
        # Upload ids differ from run to run; all else that names a request is the same.
        reference = "" if route.kind is Kind.UPLOAD else route.reference
        key = (method, route.kind.value, route.repository, reference)
        self._seen[key] += 1
        chance = random.Random(f"{self.seed} {key} {self._seen[key]}")  # noqa: S311 - no secret
        if chance.random() >= self.rate or self._row[key] >= self.in_a_row:
            self._row[key] = 0
            return None
        self._row[key] += 1
        fitting = [fault for fault in self.faults if possible(fault, method, route)]
        return chance.choice(fitting) if fitting else None


def seeded_faults(
    seed: int, rate: float, *, faults: Sequence[Fault] = STORM, in_a_row: int = 2
) -> Storm:
    """Each request meets one of the `faults` possible for it with probability `rate` (0 to 1).

    What a request meets depends on the seed, on what it asks for and on how often that was asked
    before; never on the requests between. After `in_a_row` faults for the same thing one request
    is spared, so that a client which tries often enough gets through.
    """
    return Storm(seed=seed, rate=rate, faults=faults, in_a_row=in_a_row)
