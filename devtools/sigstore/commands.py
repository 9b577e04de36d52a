"""The command lines of a local Sigstore's services: everything on loopback, all data in one folder."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from devtools import processes
from devtools.sigstore import issuer, openssl, tokens
from devtools.sigstore.issuer import HOST

CT_ORIGIN = "ct.local.test"
"""The certificate-transparency log's name, and the first part of its paths."""

Command = list[str | Path]


def issuer_and_clock(folder: Path, port: int) -> Command:
    """The OIDC issuer and the timestamp authority."""
    return [sys.executable, "-m", issuer.__name__, folder, str(port)]


def ct_log(folder: Path, program: Path, port: int) -> Command:
    """The certificate-transparency log."""
    options = {
        "http_endpoint": f"{HOST}:{port}",
        "origin": CT_ORIGIN,
        "path_prefix": CT_ORIGIN,
        "private_key": folder / "ct.key",
        "roots_pem_file": folder / "fulcio.pem",
        "storage_dir": folder / "ct",
        # Certificates carry the log's promise; nobody here waits for it to be kept.
        "enable_publication_awaiter": "false",
    }
    return [program, *(f"-{name}={value}" for name, value in options.items())]


def rekor(folder: Path, program: Path, port: int) -> Command:
    """The transparency log."""
    options = {
        "hostname": HOST,
        "http-address": HOST,
        "http-port": port,
        "grpc-address": HOST,
        "grpc-port": processes.free_port(),
        "http-metrics-port": processes.free_port(),
        "storage-dir": folder / "rekor",
        "signer-filepath": folder / "rekor.key",
        # An entry is answered for once it is in a checkpoint: ten seconds, if nothing is said.
        "checkpoint-interval": "100ms",
        "batch-max-age": "10ms",
        "persistent-antispam": "true",
    }
    return _serve(program, options)


def fulcio(folder: Path, program: Path, port: int, urls: Mapping[str, str]) -> Command:
    """The certificate authority. Its metrics are on all addresses, at a free port: it can't be told otherwise."""
    issuers = {
        f"{urls['issuer']}/{kind}": {"IssuerURL": f"{urls['issuer']}/{kind}", "ClientID": tokens.AUDIENCE, "Type": kind}
        for kind in tokens.KINDS
    }
    (folder / "fulcio.json").write_text(json.dumps({"OIDCIssuers": issuers}))
    socket = folder / "fulcio.sock"
    socket.unlink(missing_ok=True)
    options = {
        "ca": "fileca",
        "fileca-cert": folder / "fulcio.pem",
        "fileca-key": folder / "fulcio.key",
        "fileca-key-passwd": openssl.PASSWORD,
        "fileca-watch": "false",
        "config-path": folder / "fulcio.json",
        "ct-log-url": f"{urls['ct']}/{CT_ORIGIN}",
        "ct-log-origin": CT_ORIGIN,
        "ct-log-public-key-path": folder / "ct.pub",
        "host": HOST,
        "port": port,
        "grpc-host": HOST,
        "grpc-port": processes.free_port(),
        "metrics-port": processes.free_port(),
        "legacy-unix-domain-socket": socket,
    }
    return _serve(program, options)


def _serve(program: Path, options: Mapping[str, object]) -> Command:
    return [program, "serve", *(f"--{name}={value}" for name, value in options.items())]
