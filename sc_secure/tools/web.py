"""How a registry, a log or a timestamp authority is reached: never in the clear, but on this machine."""

from __future__ import annotations

import http.client
import ipaddress
import urllib.parse
import urllib.request
from typing import IO

from sc_secure.errors import InfrastructureError


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects where that is wanted (blobs live in object stores), but never from https to http."""

    def __init__(self, *, follow: bool) -> None:
        self._follow = follow

    def redirect_request(  # noqa: PLR0917 - the base class's signature
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request that follows; None: it isn't followed, and is an error."""
        if not self._follow:
            return None
        target = urllib.parse.urlsplit(newurl)
        if target.scheme != "https" and not (target.scheme == "http" and is_loopback(target.netloc)):
            raise InfrastructureError(f"{req.host}: redirects to a place that isn't https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def opener_for(host: str, *, redirects: bool) -> urllib.request.OpenerDirector:
    """What opens URLs of a host: through the person's proxy, but for this machine.

    Args:
        host: with or without a port.
        redirects: follow them; else nothing is told elsewhere, and an answer from there doesn't count.
    """
    direct = [urllib.request.ProxyHandler({})] if is_loopback(host) else []
    return urllib.request.build_opener(_Redirects(follow=redirects), *direct)


def is_loopback(host: str) -> bool:
    """Whether a host (with or without a port) is this machine: plain http is used for those alone."""
    name = urllib.parse.urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
