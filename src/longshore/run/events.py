"""What happens in a run, as a stream of values: every presenter and the journal read only this.

`step` is the step's path in the plan (unique); `name` its label. Times are seconds since the
epoch, put on by the emitter (`longshore.run.stream`).
"""

from __future__ import annotations

from dataclasses import dataclass

from longshore.run.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """First event: which run, of what, on which engine."""

    run: str
    project: str
    engine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step or group begins; `kind` is run, push, serial, parallel or manual."""

    step: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """A step or group ended (also when it was skipped); `seconds` since it started."""

    step: str
    name: str
    kind: str
    outcome: Outcome
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageStarted:
    """A build or a pull begins; `action` is build or pull."""

    image: str
    service: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOutput:
    """Output of a build or pull: one or more whole lines, without the last newline.

    `action` is build or pull.
    """

    image: str
    service: str
    text: str
    action: str = "build"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFinished:
    """A build or a pull ended; `problem` None: it succeeded."""

    image: str
    service: str
    action: str
    problem: str | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerOutput:
    """Output of a container: bytes of one or more whole lines, each ended by a newline."""

    step: str
    name: str
    service: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMessage:
    """Something about a service worth a line (health, early exit) (spec S-46, Q-13)."""

    step: str
    name: str
    service: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOutput:
    """Progress of a push, a line at a time."""

    step: str
    name: str
    service: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """An image was pushed: `reference` ``name:tag``, `digest` of its manifest (spec P-24)."""

    step: str
    name: str
    reference: str
    digest: str
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the user should know that is nobody's failure."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """Why something is done as it is, for those who ask (--debug)."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """Last event; `failed`, `stopped` and `not_run` name steps in file order (T-36).

    `timed_out`: the limit of the whole run ended it; `engine_lost`: a step broke because the engine
    went away. With either, or `interrupted`, a run has not passed, whatever `failed` says.
    """

    failed: tuple[tuple[str, Outcome], ...]
    not_run: tuple[str, ...]
    waiting: tuple[str, ...]
    interrupted: bool
    seconds: float
    stopped: tuple[str, ...] = ()
    timed_out: bool = False
    engine_lost: bool = False


Event = (
    RunStarted
    | StepStarted
    | StepFinished
    | ImageStarted
    | ImageOutput
    | ImageFinished
    | ContainerOutput
    | ServiceMessage
    | PushOutput
    | Pushed
    | Notice
    | Detail
    | RunFinished
)
