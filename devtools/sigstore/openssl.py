"""openssl makes the keys, certificates and timestamps: the standard library can't, and it is on every machine here."""

import shutil
from pathlib import Path

from devtools import cache
from devtools.console import SetupError, capture

PASSWORD = "local"  # noqa: S105 - Fulcio reads no key without a password
CURVE = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
"""What `genpkey` takes for a key of the usual elliptic curve."""
_DAYS = "3"
# What openssl takes from its configuration and not from flags. The serial number is a file's content.
_CONFIG = """\
[req]
distinguished_name = name
prompt = no
[name]
O = sc-secure
CN = local sigstore
[authority]
basicConstraints = critical, CA:true, pathlen:1
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[timestamper]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = clock
[clock]
serial = {folder}/serial
default_policy = 1.3.6.1.4.1.57264.2
digests = sha256, sha384, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
"""


def run(*arguments: str | Path) -> str:
    """What `openssl` prints.

    Raises:
        SetupError: there is none, or it failed.
    """
    if not shutil.which("openssl"):
        raise SetupError("There's no `openssl` on PATH: install it (apt-get install openssl).")
    answer = capture(["openssl", *arguments])
    if answer.returncode:
        raise SetupError(f"`openssl {arguments[0]}` failed:\n{answer.stderr.strip()}")
    return answer.stdout


def make_keys(folder: Path) -> None:
    """Writes every service's private key as `<service>.key`, and beside it what others need to know.

    `fulcio.pem` is the certificate authority's own certificate; `tsa.pem` the timestamp authority's, its issuer's
    after it; `rekor.pub` and `ct.pub` are the logs' public keys. `issuer.key` signs identity tokens.
    """
    (folder / "openssl.cnf").write_text(_CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    secret = ("-aes256", "-pass", f"pass:{PASSWORD}")
    _key(folder, "fulcio", *CURVE, *secret)
    _authority(folder, "fulcio", "/O=sc-secure/CN=local fulcio")
    _key(folder, "tsa-root", *CURVE, *secret)
    _authority(folder, "tsa-root", "/O=sc-secure/CN=local timestamp root")
    _key(folder, "tsa", *CURVE)
    _timestamper(folder)
    _key(folder, "rekor", "-algorithm", "ED25519")
    # The log takes an elliptic curve's key in its older form alone.
    cache.write_private(folder / "ct.key", run("ecparam", "-name", "prime256v1", "-genkey", "-noout"))
    for log in ("rekor", "ct"):
        run("pkey", "-in", folder / f"{log}.key", "-pubout", "-out", folder / f"{log}.pub")
    _key(folder, "issuer", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")


def timestamp(folder: Path, query: Path, answer: Path) -> None:
    """Answers an RFC 3161 query. One at a time: the serial number is in a file.

    Raises:
        SetupError: it isn't a query.
    """
    signer = ("-signer", folder / "tsa-leaf.pem", "-inkey", folder / "tsa.key")
    run("ts", "-reply", "-config", folder / "openssl.cnf", *signer, "-queryfile", query, "-out", answer)


def _key(folder: Path, name: str, *options: str) -> None:
    cache.write_private(folder / f"{name}.key", run("genpkey", *options))


def _authority(folder: Path, name: str, subject: str) -> None:
    settings = ("-config", folder / "openssl.cnf", "-extensions", "authority", "-days", _DAYS, "-sha256")
    key = ("-key", folder / f"{name}.key", "-passin", f"pass:{PASSWORD}")
    run("req", "-x509", "-new", *settings, *key, "-subj", subject, "-out", folder / f"{name}.pem")


def _timestamper(folder: Path) -> None:
    request, leaf, config = folder / "tsa.csr", folder / "tsa-leaf.pem", folder / "openssl.cnf"
    subject = ("-subj", "/O=sc-secure/CN=local timestamps")
    run("req", "-new", "-config", config, "-key", folder / "tsa.key", *subject, "-out", request)
    extensions = ("-extfile", config, "-extensions", "timestamper", "-days", _DAYS, "-sha256")
    issuer = ("-CA", folder / "tsa-root.pem", "-CAkey", folder / "tsa-root.key", "-passin", f"pass:{PASSWORD}")
    run("x509", "-req", "-in", request, *issuer, "-set_serial", "2", *extensions, "-out", leaf)
    (folder / "tsa.pem").write_text(leaf.read_text() + (folder / "tsa-root.pem").read_text())
