"""An image of the engine as it flows out of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from longshore.engine.port import Engine
from longshore.engine.spec import ImageInfo
from longshore.image.export import ExportedImage
from longshore.run.push.image_source import diff_ids_of


@asynccontextmanager
async def exported(engine: Engine, image: ImageInfo) -> AsyncIterator[ExportedImage]:
    """One pass of the image through the engine's export."""
    async with engine.export(image.id) as chunks:
        yield ExportedImage(chunks, diff_ids=diff_ids_of(image))
