"""The registry as an aiohttp application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler as WebHandler
from aiohttp.typedefs import Middleware

from longshore.registry.server import blobs, listing, manifests, uploads
from longshore.registry.server.exchange import Body, Exchange, Handler, read_body
from longshore.registry.server.refusals import Code, Refusal
from longshore.registry.server.routes import Kind, route_of
from longshore.registry.server.storage import Storage


async def _base(exchange: Exchange) -> web.StreamResponse:
    return web.json_response({})


_HANDLERS: Final[Mapping[Kind, Mapping[str, Handler]]] = {
    Kind.BASE: {hdrs.METH_GET: _base, hdrs.METH_HEAD: _base},
    Kind.CATALOG: {hdrs.METH_GET: listing.catalog},
    Kind.TAGS: {hdrs.METH_GET: listing.tags},
    Kind.REFERRERS: {hdrs.METH_GET: listing.referrers},
    Kind.MANIFEST: {
        hdrs.METH_GET: manifests.get,
        hdrs.METH_HEAD: manifests.get,
        hdrs.METH_PUT: manifests.put,
        hdrs.METH_DELETE: manifests.delete,
    },
    Kind.BLOB: {
        hdrs.METH_GET: blobs.get,
        hdrs.METH_HEAD: blobs.head,
        hdrs.METH_DELETE: blobs.delete,
    },
    Kind.UPLOADS: {hdrs.METH_POST: uploads.start},
    Kind.UPLOAD: {
        hdrs.METH_GET: uploads.status,
        hdrs.METH_PATCH: uploads.patch,
        hdrs.METH_PUT: uploads.put,
        hdrs.METH_DELETE: uploads.delete,
    },
}


def create_app(
    storage: Storage,
    *,
    middlewares: Iterable[Middleware] = (),
    body: Body = read_body,
) -> web.Application:
    """The OCI distribution API v1.1 over `storage`.

    `middlewares` run around the API (authentication, recording, faults) and may see a `Refusal`'s
    answer but never the exception. `body` reads request bodies.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        route = route_of(request.path)
        if route is None:
            raise Refusal(404, Code.UNSUPPORTED, "the API has no such path")
        exchange = Exchange(request=request, route=route, storage=storage, body=body)
        return await _method(exchange)(exchange)

    app = web.Application(middlewares=[*middlewares, _answer_refusals])
    app.router.add_route("*", "/v2{tail:(/.*)?}", handle)
    app.on_response_prepare.append(_name_version)
    return app


def _method(exchange: Exchange) -> Handler:
    methods = _HANDLERS[exchange.route.kind]
    handler = methods.get(exchange.request.method)
    if handler is None:
        raise Refusal(
            405,
            Code.UNSUPPORTED,
            "the operation is unsupported",
            headers={hdrs.ALLOW: ", ".join(methods)},
        )
    return handler


@web.middleware
async def _answer_refusals(request: web.Request, handler: WebHandler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return refusal.answer()
    except ConnectionError:
        # Nobody is left to read this; aiohttp drops it.
        return Refusal(400, Code.BLOB_UPLOAD_INVALID, "the body broke off").answer()
    except OSError as exc:
        words = (exc.strerror or str(exc)).lower()
        return Refusal(500, Code.UNKNOWN, "the storage failed", detail=words).answer()


async def _name_version(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Docker-Distribution-API-Version"] = "registry/2.0"
