"""What the registry says when it refuses: the error codes of the OCI distribution spec."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

from aiohttp import web


class Code(StrEnum):
    """Error codes (OCI distribution spec 1.1, "Error Codes"; the last two are distribution's)."""

    BLOB_UNKNOWN = "BLOB_UNKNOWN"
    BLOB_UPLOAD_INVALID = "BLOB_UPLOAD_INVALID"
    BLOB_UPLOAD_UNKNOWN = "BLOB_UPLOAD_UNKNOWN"
    DIGEST_INVALID = "DIGEST_INVALID"
    MANIFEST_BLOB_UNKNOWN = "MANIFEST_BLOB_UNKNOWN"
    MANIFEST_INVALID = "MANIFEST_INVALID"
    MANIFEST_UNKNOWN = "MANIFEST_UNKNOWN"
    NAME_INVALID = "NAME_INVALID"
    NAME_UNKNOWN = "NAME_UNKNOWN"
    SIZE_INVALID = "SIZE_INVALID"
    TAG_INVALID = "TAG_INVALID"
    UNAUTHORIZED = "UNAUTHORIZED"
    DENIED = "DENIED"
    UNSUPPORTED = "UNSUPPORTED"
    TOOMANYREQUESTS = "TOOMANYREQUESTS"
    RANGE_INVALID = "RANGE_INVALID"
    PAGINATION_NUMBER_INVALID = "PAGINATION_NUMBER_INVALID"
    UNKNOWN = "UNKNOWN"


class Refusal(Exception):
    """Ends a handler with an error answer; `answer` is what the client gets."""

    def __init__(
        self,
        status: int,
        code: Code,
        message: str,
        *,
        detail: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail
        self.headers = dict(headers or {})

    def answer(self) -> web.Response:
        """The error as the specification's JSON."""
        error = {"code": self.code, "message": self.message, "detail": self.detail}
        return web.Response(
            status=self.status,
            text=json.dumps({"errors": [error]}),
            content_type="application/json",
            headers=self.headers,
        )
