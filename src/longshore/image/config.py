"""The two facts the pusher reads from an image's configuration."""

from __future__ import annotations

from longshore.errors import ContentMismatch
from longshore.image.layer import ImageParts
from longshore.oci.digest import Digest
from longshore.oci.fields import Fields
from longshore.oci.media_types import Format


def read_config(config: bytes, fmt: Format = Format.DOCKER) -> ImageParts:
    """The parts of the image with this configuration (OCI image spec, config.md, ``rootfs``).

    Raises InvalidValue when it lists no diff IDs the way it should.
    """
    rootfs = Fields.load(config, "image configuration").child("rootfs")
    return ImageParts(
        config=config,
        config_digest=Digest.of(config),
        diff_ids=tuple(Digest.parse(text) for text in rootfs.texts("diff_ids")),
        format=fmt,
    )


def parts_of(config: bytes, image_id: Digest, fmt: Format = Format.DOCKER) -> ImageParts:
    """What the configuration of that image says; ContentMismatch when it is damaged."""
    if Digest.of(config) != image_id:
        raise ContentMismatch(
            f"the configuration of image {image_id} is damaged in the engine's store",
            hint="build or pull the image again",
        )
    return read_config(config, fmt)
