"""A registry in memory, small enough for a test to have it do whatever is odd."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from longshore.oci.digest import Digest

Odd = Callable[[web.Request], web.Response | None]


def is_piece(request: web.Request) -> bool:
    return request.method == "PATCH" and "Content-Range" in request.headers


def cut(request: web.Request) -> web.Response:
    """The connection is reset; what was sent was received."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


class SmallRegistry:
    """`odd` may answer first, and gets to see every request."""

    def __init__(self, odd: Odd) -> None:
        self._odd = odd
        self._uploads: dict[str, bytearray] = {}
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.asked: list[str] = []

    async def __call__(self, request: web.Request) -> web.Response:
        body = await request.read()
        kind = next(k for k in ("uploads", "blobs", "manifests") if k in request.path)
        self.asked.append(f"{request.method} {kind}")
        return self._odd(request) or self._answer(request, kind, body)

    def count(self, what: str) -> int:
        return self.asked.count(what)

    def _answer(self, request: web.Request, kind: str, body: bytes) -> web.Response:
        name = request.path.rpartition("/")[2]
        if kind == "uploads":
            return self._upload(request, name, body)
        return self._manifest(request, name, body) if kind == "manifests" else self._blob(name)

    def _blob(self, name: str) -> web.Response:
        found = self.blobs.get(name)
        return web.Response(status=404) if found is None else web.Response(body=found)

    def _manifest(self, request: web.Request, name: str, body: bytes) -> web.Response:
        if request.method == "PUT":
            self.manifests[name] = body
            return web.Response(status=201, headers=_digest(body))
        found = self.manifests.get(name)
        if found is None:
            return web.Response(status=404)
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        return web.Response(body=found, headers=_digest(found), content_type=kind)

    def _upload(self, request: web.Request, name: str, body: bytes) -> web.Response:
        if request.method == "POST":
            name = f"u{len(self.asked)}"
            self._uploads[name] = bytearray()
        elif name not in self._uploads:
            return web.Response(status=404)
        got = self._uploads[name]
        got += body
        headers = {"Location": f"/v2/a/b/blobs/uploads/{name}"}
        if request.method == "PUT":
            if str(Digest.of(bytes(got))) != request.query["digest"]:
                return web.Response(status=400)
            self.blobs[request.query["digest"]] = bytes(got)
            return web.Response(status=201, headers=headers)
        headers |= {"Range": f"0-{len(got) - 1}"} if got else {}
        status = {"GET": 204, "DELETE": 204}.get(request.method, 202)
        return web.Response(status=status, headers=headers)


def _digest(content: bytes) -> Mapping[str, str]:
    return {"Docker-Content-Digest": str(Digest.of(content))}
