"""Ask a registry for a manifest and print its digest, computed from the bytes it answers with.

``manifest_digest.py URL REPOSITORY TAG``; standard library only, so that it proves something.
"""

import hashlib
import sys
import urllib.error
import urllib.request

_ACCEPTED = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


def main(url: str, repository: str, tag: str) -> int:
    """The exit code; 1 when the registry has no such manifest or contradicts itself."""
    request = urllib.request.Request(  # noqa: S310  # the address is the caller's own registry
        f"{url}/v2/{repository}/manifests/{tag}", headers={"Accept": ", ".join(_ACCEPTED)}
    )
    try:
        # No proxy: the registry is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            body, claimed = answer.read(), answer.headers["Docker-Content-Digest"]
    except urllib.error.URLError as error:
        sys.stderr.write(f"the registry has no manifest {repository}:{tag}: {error}\n")
        return 1
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if claimed not in (None, digest):
        sys.stderr.write(f"the registry says {claimed}, but its manifest is {digest}\n")
        return 1
    sys.stdout.write(f"{repository}:{tag}@{digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
