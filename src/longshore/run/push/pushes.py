"""The pushes of one command, wherever their layers come from: targets grouped by repository,
clients shared, limits kept, every error in the same words, and a receipt for each."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import anyio
from msgspec import Struct, field
from msgspec.structs import replace

from longshore.errors import (
    EngineUnavailable,
    InvalidValue,
    LongshoreError,
    RegistryError,
    RegistryUnavailable,
)
from longshore.image.layer import StoredImage
from longshore.oci.digest import Digest
from longshore.oci.reference import ImageReference
from longshore.registry.clients import Clients
from longshore.registry.placing import Placer
from longshore.registry.publish import PushedImage as Published
from longshore.registry.push import PushOptions, push
from longshore.registry.receipt import Receipt, metadata
from longshore.registry.side_by_side import side_by_side
from longshore.registry.telling import Lines, telling
from longshore.run.push.port import Order, PushedImage
from longshore.run.push.settings import PushSettings
from longshore.secrets.atomic_file import PUBLIC, replace_file

_PLACES_AT_ONCE: Final = 4
_PREFIX: Final = "Image Push error for image"
"""The words of P-23."""


class Job(Struct, frozen=True, kw_only=True):
    """The part of an order that goes into one repository.

    `written` holds, as its last, what is to be told of it if it fails now.
    """

    order: Order
    targets: tuple[ImageReference, ...]
    placer: Placer
    options: PushOptions
    written: list[Receipt]

    @property
    def registry(self) -> str:
        """Its host."""
        return self.targets[0].registry

    @property
    def repository(self) -> str:
        """Its name at the registry."""
        return self.targets[0].repository

    @property
    def tags(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys(target.tag_or_latest for target in self.targets))

    def receipt(self, done: Published, diff_ids: tuple[str, ...], route: str) -> Receipt:
        """What was done; its time is put on later."""
        return Receipt(
            image=self.order.name,
            targets=tuple(one for one in self.targets if one.tag_or_latest in done.tags),
            digest=str(done.manifest.digest),
            manifest=done.manifest,
            deliveries=done.deliveries,
            diff_ids=diff_ids,
            route=route,
            seconds=0.0,
        )

    def noting(self, diff_ids: tuple[str, ...], route: str) -> PushOptions:
        """The options, with an ear for the tags that are written."""

        def on_tags(done: Published) -> None:
            self.written.append(self.receipt(done, diff_ids, route))

        return replace(self.options, on_tags=on_tags)


Work = Callable[[Job], Awaitable[Receipt]]


class Pushes(Struct, kw_only=True):
    """Carries out orders; any number at a time. `unwritten`: why the metadata file lacks some that
    are done."""

    clients: Clients
    settings: PushSettings = field(default_factory=PushSettings)
    unwritten: InvalidValue | None = None
    _receipts: list[Receipt] = field(default_factory=list)
    _early: set[ImageReference] = field(default_factory=set)
    _brought: dict[str, set[Digest]] = field(default_factory=dict)
    """By repository: the blobs some receipt tells of as sent or mounted; each is told once."""

    async def push(self, order: Order, work: Work) -> tuple[PushedImage, ...]:
        """Do `work` for every repository of the order, within the time that is allowed.

        Raises what `work` raises, in the words of P-23 (EngineUnavailable as it is). Whatever was
        written by then is in the metadata file, and the order's `on_pushed` has heard of it.
        """

        async def one(targets: tuple[ImageReference, ...]) -> Receipt:
            return await self._timed(order, targets, work)

        places = _by_repository(order)
        receipts = await side_by_side(one, places, at_once=_PLACES_AT_ONCE)
        return tuple(pushed for receipt in receipts for pushed in _pushed(receipt))

    async def prepare(self, order: Order, work: Callable[[Job], Awaitable[bool]]) -> bool:
        """Do `work` for every repository, one after the other; whether it did something for all."""
        done = True
        for targets in _by_repository(order):
            with telling(Lines(order.on_line)):
                prepared = await work(await self._job(order, targets, []))
            self._early.update(targets if prepared else ())
            done = done and prepared
        return done

    async def _timed(
        self, order: Order, targets: tuple[ImageReference, ...], work: Work
    ) -> Receipt:
        began = time.monotonic()
        written: list[Receipt] = []
        try:
            with named_in_errors(targets, written), telling(Lines(order.on_line)):
                receipt = await self._in_time(order, targets, work, written)
        except BaseException:
            for receipt in written[-1:]:
                self._note(order, receipt, time.monotonic() - began)
            raise
        return self._note(order, receipt, time.monotonic() - began)

    async def _in_time(
        self,
        order: Order,
        targets: tuple[ImageReference, ...],
        work: Work,
        written: list[Receipt],
    ) -> Receipt:
        limit = self.settings.limits.deadline
        with anyio.move_on_after(limit):
            return await work(await self._job(order, targets, written))
        raise RegistryUnavailable(
            f"the push did not finish within {limit:g} s",
            hint="allow more time with --push-timeout, or find out what is slow",
            registry=targets[0].registry,
            repository=targets[0].repository,
        )

    def _note(self, order: Order, receipt: Receipt, seconds: float) -> Receipt:
        """At once: whatever fails beside or after it, this was pushed."""
        early = receipt.targets[0] in self._early
        receipt = self._credited(replace(receipt, seconds=seconds, early=early))
        self._receipts.append(receipt)
        for pushed in _pushed(receipt):
            order.on_pushed(pushed)
        self._write_metadata()
        return receipt

    def _write_metadata(self) -> None:
        if self.settings.metadata_file is None:
            return
        self.unwritten = None
        try:
            replace_file(self.settings.metadata_file, metadata(self._receipts), mode=PUBLIC)
        except InvalidValue as failure:
            failure.hint = "the images are pushed all the same; name another file for the next"
            self.unwritten = failure

    def _credited(self, receipt: Receipt) -> Receipt:
        told = self._brought.setdefault(receipt.targets[0].name, set())
        receipt = receipt.without(told)
        told |= receipt.brought
        return receipt

    async def _job(
        self, order: Order, targets: tuple[ImageReference, ...], written: list[Receipt]
    ) -> Job:
        placer = await self.clients.placer(targets[0].registry, order.credential)
        settings = self.settings
        options = PushOptions(
            compression=settings.compression,
            format=settings.format,
            repack=settings.repack,
            verify=settings.verify,
        )
        return Job(order=order, targets=targets, placer=placer, options=options, written=written)


async def push_stored(job: Job, image: StoredImage) -> Receipt:
    """The whole image from a place where its layers can be opened at any time."""
    route = ", ".join(sorted({layer.origin for layer in image.layers})) or "no layers"
    diff_ids = tuple(map(str, image.parts.diff_ids))
    options, client = job.noting(diff_ids, route), job.placer.client
    done = await push(client, job.repository, job.tags, image, options, job.placer)
    return job.receipt(done, diff_ids, route)


@contextmanager
def named_in_errors(
    targets: Sequence[ImageReference], written: Sequence[Receipt]
) -> Iterator[None]:
    """Errors inside begin with the words of P-23 and name the reference: the first that is not
    `written` by then, unless the error is about the tag of another."""
    try:
        yield
    except EngineUnavailable:
        raise
    except LongshoreError as error:
        if not error.message.startswith(_PREFIX):
            tag = error.tag if isinstance(error, RegistryError) else None
            done = [target for receipt in written[-1:] for target in receipt.targets]
            left = [target for target in targets if target not in done]
            target = next(
                (one for one in targets if one.tag_or_latest == tag), [*left, *targets][0]
            )
            error.message = f"{_PREFIX} {target}, {error.message}"
            error.args = (error.message,)
        raise


def _pushed(receipt: Receipt) -> tuple[PushedImage, ...]:
    return tuple(
        PushedImage(reference=target, digest=receipt.digest, summary=receipt.summary)
        for target in receipt.targets
    )


def grouped(
    targets: tuple[ImageReference, ...], place: Callable[[ImageReference], Hashable]
) -> tuple[tuple[ImageReference, ...], ...]:
    """The targets of each place together, in their order."""
    groups: dict[Hashable, list[ImageReference]] = {}
    for target in targets:
        groups.setdefault(place(target), []).append(target)
    return tuple(map(tuple, groups.values()))


def _by_repository(order: Order) -> tuple[tuple[ImageReference, ...], ...]:
    return grouped(order.targets, lambda target: target.name)
