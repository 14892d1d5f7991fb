"""``longshore push``: an image of the engine, of an OCI layout or of a docker archive."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from msgspec import Struct, field
from msgspec.structs import asdict, replace

from longshore.commands.image_place import FilePlace, find_place, names_file
from longshore.commands.interruption import INTERRUPTED, interruptible
from longshore.commands.masked_failures import masked_failures
from longshore.commands.registry_options import RegistryOptions
from longshore.config.credential_keys import CredentialKeys
from longshore.engine.opening import open_engine
from longshore.engine.port import Engine
from longshore.engine.spec import ImageInfo
from longshore.environment import Environment
from longshore.errors import NotFound, UsageError
from longshore.oci.reference import ImageReference
from longshore.registry.receipt import Receipt
from longshore.registry.side_by_side import side_by_side
from longshore.report.sink import Sink
from longshore.run.credentials import CredentialOptions, Credentials
from longshore.run.files import ProjectFiles
from longshore.run.push.credential_hints import credential_hints
from longshore.run.push.port import Order, PushedImage, PushRequest
from longshore.run.push.pushes import Job, Pushes, grouped, push_stored
from longshore.run.push.registry_pusher import RegistryPusher, opened_pushes
from longshore.run.push.settings import PusherChoice, PushSettings
from longshore.secrets.key_lookup import NO_DECRYPTOR, KeySource
from longshore.secrets.masking import Masker

_ID = re.compile(r"(sha256:)?[0-9a-f]{4,64}")
"""Of an image, or its beginning, as engines take them for a name that they do not have."""

_WHOLE_ID = re.compile(r"[0-9a-f]{64}")
"""As Podman prints it; no image can have it for a name."""


class PushCommand(Struct, frozen=True, kw_only=True):
    """Everything `longshore push` was asked for; no `targets`: the image's own name."""

    image: str
    targets: tuple[str, ...] = ()
    engine: str | None = None
    registries: RegistryOptions = field(default_factory=RegistryOptions)
    settings: PushSettings = field(default_factory=PushSettings)
    dockercfg: str | None = None
    key_path: Path | None = None
    user_credentials: bool = True
    quiet: bool = False


class _Orders(Struct, frozen=True, kw_only=True):
    """One for each registry and login; `credentials` are where theirs come from."""

    orders: list[Order]
    credentials: Credentials

    def tell(self, text: str) -> None:
        """A line about the image itself."""
        self.orders[0].on_line(text)

    async def each(self, push: Callable[[Order], Awaitable[object]]) -> None:
        """Carry all of them out, side by side."""

        async def one(order: Order) -> object:
            async with credential_hints(self.credentials, (), order.targets[0], order.credential):
                return await push(order)

        await side_by_side(one, self.orders, at_once=len(self.orders))


def push_images(
    request: PushCommand, environment: Environment, sink: Sink, leave: Callable[[], None]
) -> int:
    """Push it everywhere; the digests, or the lines about them, go to standard output."""
    if _WHOLE_ID.fullmatch(request.image):
        request = replace(request, image=f"sha256:{request.image}")
    place = find_place(request.image)
    if isinstance(place, FilePlace) and request.settings.pusher is PusherChoice.ENGINE:
        raise UsageError(
            f"{request.image} is a file, which no engine pushes", hint="leave --pusher away"
        )
    targets = _targets(request, place)
    return anyio.run(_run, request, place, targets, environment, sink, leave)


async def _run(
    request: PushCommand,
    place: FilePlace | ImageReference,
    targets: tuple[ImageReference, ...],
    environment: Environment,
    sink: Sink,
    leave: Callable[[], None],
) -> int:
    access = request.registries.access(environment)
    masker = Masker()
    credentials = _credentials(request, environment, masker)

    def on_line(text: str) -> None:
        if not request.quiet:
            sink.tell(f"{masker.mask_text(text)}\n")

    pushed: list[PushedImage] = []
    async with interruptible(sink.tell, leave, sink.patience.hurry) as interruption:
        interruption.opened.set()
        with interruption.scope, masked_failures(masker):
            repositories = {target.name: target for target in targets}
            logins = {
                name: await credentials.for_push((), target)
                for name, target in repositories.items()
            }
            orders = [
                Order(
                    name=request.image,
                    targets=group,
                    credential=logins[group[0].name],
                    on_line=on_line,
                    on_pushed=pushed.append,
                )
                for group in grouped(targets, lambda one: (one.registry, logins[one.name]))
            ]

            try:
                async with opened_pushes(access, request.settings) as pushes:
                    every = _Orders(orders=orders, credentials=credentials)
                    await _push(request, place, every, pushes, environment)
            finally:
                # Whatever failed: nobody else tells of the tags that are there.
                pushed.sort(key=lambda one: targets.index(one.reference))
                sink.write(_report(pushed, quiet=request.quiet))
    return INTERRUPTED if interruption.scope.cancelled_caught else 0


def _credentials(request: PushCommand, environment: Environment, masker: Masker) -> Credentials:
    """Of the file that was named, else of the user's docker login."""
    here = Path.cwd()
    keys = KeySource(environment=environment, directory=here, key_path=request.key_path)
    files = ProjectFiles(lambda: keys.require(NO_DECRYPTOR), masker, lambda _: None)
    options = CredentialOptions(
        flags=CredentialKeys(encrypted_dockercfg_path=request.dockercfg),
        user_login=request.user_credentials,
    )
    return Credentials(here, environment, files, options, _generate)


async def _generate(service: str) -> bytes:
    raise UsageError(f'there is no project that has a service "{service}"')


async def _push(
    request: PushCommand,
    place: FilePlace | ImageReference,
    orders: _Orders,
    pushes: Pushes,
    environment: Environment,
) -> None:
    """What is done, the orders' `on_pushed` hears."""
    if isinstance(place, FilePlace):
        await _of_file(request.image, place, orders, pushes)
        return
    async with open_engine(request.engine, environment) as engine:
        image = await _of_engine(engine, request, place)
        pusher = RegistryPusher(engine=engine, pushes=pushes)

        async def push(order: Order) -> object:
            return await pusher.push(PushRequest(image=image, **asdict(order)))

        await orders.each(push)


async def _of_engine(engine: Engine, request: PushCommand, place: ImageReference) -> ImageInfo:
    text = request.image
    found = await engine.inspect_image(str(place))
    if found is None and _ID.fullmatch(text):
        found = await engine.inspect_image(text)
        if found is not None and not request.targets:
            raise _without_target(text)
    if found is None:
        file = f"to push the file: longshore push ./{text}"
        hint = file if names_file(text) else "build or pull it"
        raise NotFound(f"the engine has no image {text}", hint=hint)
    return found


async def _of_file(name: str, place: FilePlace, orders: _Orders, pushes: Pushes) -> None:
    image = await anyio.to_thread.run_sync(place.open)
    if image.choice:
        left = ", ".join(image.choice.left)
        orders.tell(f"of {name} the image for {image.choice.taken} is pushed, not: {left}")

    async def work(job: Job) -> Receipt:
        return await push_stored(job, image)

    await orders.each(lambda order: pushes.push(order, work))


def _targets(request: PushCommand, place: FilePlace | ImageReference) -> tuple[ImageReference, ...]:
    """Each once, whatever it was called."""
    named = tuple(map(ImageReference.parse, request.targets))
    if not named:
        if isinstance(place, FilePlace) or request.image.startswith("sha256:"):
            raise _without_target(request.image)
        named = (place,)
    for target in named:
        if target.digest is not None:
            raise UsageError(
                f"{target} names a digest, and what is pushed decides its digest itself",
                hint="give a tag instead",
            )
    return tuple(dict.fromkeys(target.with_default_tag() for target in named))


def _without_target(image: str) -> UsageError:
    return UsageError(
        f"{image} says nothing of where to push it",
        hint=f"name a target: longshore push {image} registry/name:tag",
    )


def _report(pushed: list[PushedImage], *, quiet: bool) -> str:
    if quiet:
        return "".join(f"{digest}\n" for digest in dict.fromkeys(one.digest for one in pushed))
    lines = (f"pushed {one.reference}@{one.digest} {one.summary}".rstrip() for one in pushed)
    return "".join(f"{line}\n" for line in lines)
