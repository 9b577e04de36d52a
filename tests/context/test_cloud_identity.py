"""Which identity is found where, in the order in which the clouds' own libraries look."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sc_secure.context.cloud_identity import aws_identity, google_identity
from sc_secure.errors import ConfigError

OFF = {"AWS_EC2_METADATA_DISABLED": "true", "GCE_METADATA_HOST": "127.0.0.1:1"}
ACCOUNT = "builder@acme.iam.gserviceaccount.com"


class _Metadata(http.server.BaseHTTPRequestHandler):
    """The two clouds' metadata services, as far as they are asked: nothing here has a machine of theirs.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html;
    https://cloud.google.com/compute/docs/metadata/querying-metadata.
    """

    flavor = "Google"

    def do_PUT(self) -> None:
        self._answer(b"token-sentinel", self.headers.get("X-aws-ec2-metadata-token-ttl-seconds") is not None)

    def do_GET(self) -> None:
        self._answer(ACCOUNT.encode(), self.headers.get("Metadata-Flavor") == "Google")

    def _answer(self, body: bytes, well: bool) -> None:
        self.send_response(200 if well else 403)
        if self.command == "GET":
            self.send_header("Metadata-Flavor", self.flavor)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def metadata() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Metadata)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_nowhere(tmp_path: Path) -> None:
    assert aws_identity({"HOME": str(tmp_path), **OFF}) == ""
    assert google_identity({"HOME": str(tmp_path), **OFF}) == ""


def test_aws_s_order(tmp_path: Path, metadata: str) -> None:
    env = {"HOME": str(tmp_path), "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{metadata}"}
    assert aws_identity(env) == "the machine's role"
    env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/sentinel"
    assert aws_identity(env) == "the container's role"
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("[profile work]\nregion = x\n")
    assert aws_identity(env) == "the container's role"
    assert aws_identity({**env, "AWS_PROFILE": "work"}) == "the profile work"
    (tmp_path / ".aws/credentials").write_text("[default]\naws_secret_access_key = sentinel\n")
    assert aws_identity(env) == "the profile default"
    token = tmp_path / "token"
    token.write_text("sentinel")
    env |= {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": "arn:aws:iam::1:role/deploy"}
    assert aws_identity(env) == "a token for the role arn:aws:iam::1:role/deploy"
    env |= {"AWS_ACCESS_KEY_ID": "sentinel", "AWS_SECRET_ACCESS_KEY": "sentinel"}
    assert aws_identity(env) == "an access key in AWS_ACCESS_KEY_ID"


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "sentinel"}, "AWS_SECRET_ACCESS_KEY: not set"),
        ({"AWS_SECRET_ACCESS_KEY": "sentinel"}, "AWS_ACCESS_KEY_ID: not set"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere", "AWS_ROLE_ARN": "r"}, "AWS_WEB_IDENTITY_TOKEN_FILE: /nowhere"),
        ({"AWS_PROFILE": "gone"}, "no profile gone"),
    ],
)
def test_what_is_wrong_with_aws_s(tmp_path: Path, env: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        aws_identity({"HOME": str(tmp_path), **OFF, **env})
    assert "sentinel" not in raised.value.diagnostics()


def test_google_s_order(tmp_path: Path, metadata: str) -> None:
    env = {"HOME": str(tmp_path), "GCE_METADATA_HOST": metadata}
    assert google_identity(env) == f"the machine's service account {ACCOUNT}"
    folder = tmp_path / ".config/gcloud"
    folder.mkdir(parents=True)
    (folder / "application_default_credentials.json").write_text('{"type": "authorized_user", "refresh_token": "s"}')
    assert google_identity(env) == "authorized user of gcloud"
    file = tmp_path / "key.json"
    file.write_text(json.dumps({"type": "service_account", "client_email": ACCOUNT, "private_key": "sentinel"}))
    env["GOOGLE_APPLICATION_CREDENTIALS"] = str(file)
    assert google_identity(env) == f"service account {ACCOUNT} in GOOGLE_APPLICATION_CREDENTIALS"


@pytest.mark.parametrize("content", [None, "sentinel", "[]"])
def test_what_is_wrong_with_google_s(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "key.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match="GOOGLE_APPLICATION_CREDENTIALS") as raised:
        google_identity({"HOME": str(tmp_path), "GOOGLE_APPLICATION_CREDENTIALS": str(file), **OFF})
    assert "sentinel" not in raised.value.diagnostics()


def test_another_service_at_that_address(tmp_path: Path, metadata: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers everything may be a proxy."""
    monkeypatch.setattr(_Metadata, "flavor", "Other")
    assert google_identity({"HOME": str(tmp_path), "GCE_METADATA_HOST": metadata}) == ""
