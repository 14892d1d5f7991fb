"""What happens in a run, as a stream of values: every presenter and the journal read only this.

`step` is the step's path in the plan (unique); `name` its label. Times are seconds since the
epoch, put on by the emitter (`longshore.run.stream`).
"""

from __future__ import annotations

from msgspec import Struct

from longshore.run.outcome import Outcome


class RunStarted(Struct, frozen=True, kw_only=True):
    """First event: which run, of what, on which engine."""

    run: str
    project: str
    engine: str


class StepStarted(Struct, frozen=True, kw_only=True):
    """A step or group begins; `kind` is run, push, serial, parallel or manual."""

    step: str
    name: str
    kind: str


class StepFinished(Struct, frozen=True, kw_only=True):
    """A step or group ended (also when it was skipped); `seconds` since it started."""

    step: str
    name: str
    kind: str
    outcome: Outcome
    seconds: float


class ImageStarted(Struct, frozen=True, kw_only=True):
    """A build or a pull begins; `action` is build or pull."""

    image: str
    service: str
    action: str


class ImageOutput(Struct, frozen=True, kw_only=True):
    """Output of a build or pull: one or more whole lines, without the last newline.

    `action` is build or pull.
    """

    image: str
    service: str
    text: str
    action: str = "build"


class ImageFinished(Struct, frozen=True, kw_only=True):
    """A build or a pull ended; `problem` None: it succeeded."""

    image: str
    service: str
    action: str
    problem: str | None
    seconds: float


class ContainerOutput(Struct, frozen=True, kw_only=True):
    """Output of a container: bytes of one or more whole lines, each ended by a newline.

    `dependency`: of a service that the step's own depends on.
    """

    step: str
    name: str
    service: str
    data: bytes
    dependency: bool = False


class ServiceMessage(Struct, frozen=True, kw_only=True):
    """Something about a service worth a line (health, early exit) (spec S-46, Q-13)."""

    step: str
    name: str
    service: str
    text: str


class PushOutput(Struct, frozen=True, kw_only=True):
    """Progress of a push, a line at a time."""

    step: str
    name: str
    service: str
    text: str


class Pushed(Struct, frozen=True, kw_only=True):
    """An image was pushed: `reference` ``name:tag``, `digest` of its manifest (spec P-24)."""

    step: str
    name: str
    reference: str
    digest: str
    summary: str = ""


class Notice(Struct, frozen=True, kw_only=True):
    """Something the user should know that is nobody's failure."""

    text: str


class Detail(Struct, frozen=True, kw_only=True):
    """Why something is done as it is; a log for reading shows it with --debug alone."""

    text: str


class RunFinished(Struct, frozen=True, kw_only=True):
    """Last event of `steps` and `load`; `failed`, `stopped` and `not_run` name steps in file order
    (T-36).

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
