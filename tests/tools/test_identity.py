import json
import re
from pathlib import Path

import pytest

from sc_secure.errors import ConfigError
from sc_secure.tools.identity import parse_identity

ISSUER = "https://token.actions.githubusercontent.com"
DEV = r"dev@acme\.test"
ROOT = {
    "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "certificateAuthorities": [{}],
    "ctlogs": [{}],
    "tlogs": [{}],
    "timestampAuthorities": [{}],
}


@pytest.mark.parametrize(
    ("regexp", "taken", "refused"),
    [
        (DEV, "dev@acme.test", "dev@acme.test.evil.example"),
        (rf"^{DEV}$", "dev@acme.test", "xdev@acme.test"),
        (r"@acme\.test", "@acme.test", "dev@acme.test"),
        (r"^.+@acme\.test$", "dev@acme.test", "dev@acme.test\n"),
        (r"a@acme\.test|b@acme\.test", "b@acme.test", "a@acme.test.example"),
        (r"https://github\.com/acme/.+@refs/(heads|tags)/v\d{1,3}", "https://github.com/acme/a@refs/tags/v1", "x"),
        (r"(?i:DEV)@(?:acme|acme-2)\.test", "dev@acme-2.test", "dev@acme-3.test"),
        (r"(?P<who>[]\w.+-]{1,64}?)@acme\.test", "d.e-v@acme.test", "d e@acme.test"),
        (r"spiffe://acme\.test/ns/[^/]+/sa/\x62uild", "spiffe://acme.test/ns/a/sa/build", "spiffe://acme.test/ns/a/b"),
    ],
)
def test_an_expression_is_for_the_whole_identity(regexp: str, taken: str, refused: str) -> None:
    identity = parse_identity(regexp, ISSUER, None, transparency_log=True)
    flag = identity.flags[0].removeprefix("--certificate-identity-regexp=")
    assert flag.endswith(r"\z")
    whole = re.compile(flag.removesuffix(r"\z") + r"\Z")  # Python's name for the text's end
    assert whole.search(taken)
    assert not whole.search(refused)
    assert (identity.regexp, identity.issuer, identity.trusted_root) == (regexp, ISSUER, None)


@pytest.mark.parametrize(
    "regexp",
    [
        *("", " ", "(", "[a", "*", "a**", "a)|(b", "a{2", "a]"),
        *("(?=dev)dev@acme", "(?<!x)dev@acme", "(?>dev)@acme", "(dev)@\\1", "(?P<a>d)(?P=a)", "(d)?(?(1)a|b)@acme"),
        *("(?#)|(?:)dev@acme", "(?x)dev@acme # )|(?:", "(?a)dev@acme", "(?L)d", "dev++@acme", "d{2}+@acme"),
        *("[[:alpha:])|(?:x]+@acme", "[a[:alpha:]]@acme", r"\Qdev@acme)|(?:\E", r"dev@acme\Z", r"\pLdev@acme"),
        *("dev@acme{,5}", "d{1001}@acme", "a" * 1001, r"\u0064ev@acme", r"\N{BULLET}@acme", r"\07@acme"),
    ],
)
def test_one_that_python_and_cosign_would_not_read_alike(regexp: str) -> None:
    with pytest.raises(ConfigError, match=r"^--certificate-identity-regexp"):
        parse_identity(regexp, ISSUER, None, transparency_log=True)


@pytest.mark.parametrize(
    "regexp",
    [
        *(".*", ".+", "^.*$", "^.+$", "(.*)", "(?s).*", ".*|dev@acme", "", r"\S+", "[^ ]*", r"[\w@:/.-]+", "x*.*"),
        *(".*@.*", ".+@.+", r"^[^@]+@[^@]+$", r".*@.*\.com", "https://.*", "^https?://.+", "spiffe://.*"),
        *("https://github.com/.*", r"^https://github\.com/[^/]+/.*", r"https://gitlab\.com/.*", r".*@gmail\.com"),
        r"https://github\.com/.*/\.github/workflows/.*",
    ],
)
def test_one_that_takes_anybody(regexp: str) -> None:
    with pytest.raises(ConfigError, match="anybody"):
        parse_identity(regexp, ISSUER, None, transparency_log=True)


@pytest.mark.parametrize(
    "issuer", ["", " ", "accounts.google.com", "https://", "ftp://a.b", "https://a.b /c", "https://a\x1b"]
)
def test_an_issuer_is_a_url(issuer: str) -> None:
    with pytest.raises(ConfigError, match=r"^--certificate-oidc-issuer") as error:
        parse_identity(DEV, issuer, None, transparency_log=True)
    assert "\x1b" not in error.value.message


def test_a_trusted_root(tmp_path: Path) -> None:
    file = tmp_path / "root.json"
    file.write_text(json.dumps(ROOT))
    assert parse_identity(DEV, ISSUER, str(file), transparency_log=True).trusted_root == file


@pytest.mark.parametrize(
    ("content", "log", "said"),
    [
        (None, True, "No such file"),
        ("", True, "not a Sigstore trusted root"),
        ("[]", True, "not a Sigstore trusted root"),
        ('{"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"}', True, "not a Sigstore trusted root"),
        (ROOT | {"certificateAuthorities": []}, True, "no certificate authority"),
        (ROOT | {"ctlogs": []}, True, "no certificate-transparency log"),
        (ROOT | {"tlogs": []}, True, "no transparency log"),
        (ROOT | {"timestampAuthorities": []}, False, "no timestamp authority"),
    ],
)
def test_a_trusted_root_that_could_only_refuse(
    tmp_path: Path, content: dict[str, object] | str | None, log: bool, said: str
) -> None:
    file = tmp_path / "root.json"
    if content is not None:
        file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ConfigError, match=f"^--trusted-root .*{said}"):
        parse_identity(DEV, ISSUER, str(file), transparency_log=log)


def test_what_the_log_makes_unnecessary(tmp_path: Path) -> None:
    file = tmp_path / "root.json"
    file.write_text(json.dumps({name: each for name, each in ROOT.items() if name != "timestampAuthorities"}))
    assert parse_identity(DEV, ISSUER, str(file), transparency_log=True)
    file.write_text(json.dumps({name: each for name, each in ROOT.items() if name != "tlogs"}))
    assert parse_identity(DEV, ISSUER, str(file), transparency_log=False)
