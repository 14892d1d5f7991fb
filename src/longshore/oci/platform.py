"""What an image runs on."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from longshore.oci.fields import Fields

_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm"}


class Platform(Struct, frozen=True, kw_only=True):
    """Operating system and processor in Go's words (OCI image index, ``platform``)."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def read(cls, fields: Fields) -> Platform:
        """From a descriptor's ``platform``; raises InvalidValue."""
        return cls(
            os=fields.text("os"),
            architecture=fields.text("architecture"),
            variant=fields.optional_text("variant"),
        )

    @classmethod
    def of_machine(cls, machine: str) -> Platform:
        """Linux on a processor in the kernel's words (``uname -m``)."""
        return cls(os="linux", architecture=_ARCHITECTURES.get(machine, machine))

    def document(self) -> dict[str, object]:
        """As JSON values."""
        variant = {"variant": self.variant} if self.variant else {}
        return {"architecture": self.architecture, "os": self.os, **variant}

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))
