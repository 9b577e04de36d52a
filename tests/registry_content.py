"""What a registry on loopback holds."""

import http.client
import json
from typing import Any

_ACCEPT = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "docker.distribution.manifest.v2",
        "docker.distribution.manifest.list.v2",
        "oci.image.manifest.v1",
        "oci.image.index.v1",
    )
)


def fetched(server: str, path: str) -> Any:
    """Return the JSON at a path below `/v2/`."""
    return json.loads(fetched_bytes(server, path))


def fetched_bytes(server: str, path: str) -> bytes:
    """Return what is at a path below `/v2/`."""
    connection = http.client.HTTPConnection(server)
    connection.request("GET", f"/v2/{path}", headers={"Accept": _ACCEPT})
    answer = connection.getresponse()
    assert answer.status == 200, f"{answer.status} {path}"
    content = answer.read()
    connection.close()
    return content
