import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc_secure.policy.purl import Purl, parse_purl


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("pkg:pypi/sqlparse@0.4.4", Purl("pypi", "", "sqlparse", "0.4.4", (), "")),
        ("pkg:pypi/Typing_Extensions", Purl("pypi", "", "typing-extensions", "", (), "")),
        ("pkg:npm/%40scope/Name@1.2", Purl("npm", "@scope", "Name", "1.2", (), "")),
        ("pkg:npm/@scope/name", Purl("npm", "@scope", "name", "", (), "")),
        (
            "pkg:deb/debian/x@1%3A2?distro=d&arch=all",
            Purl("deb", "debian", "x", "1:2", (("arch", "all"), ("distro", "d")), ""),
        ),
        ("pkg:golang/a.b/C/d@v1#sub/dir", Purl("golang", "a.b/C", "d", "v1", (), "sub/dir")),
        (
            "pkg:oci/app@sha256:ab?repository_url=h%3A1/app",
            Purl("oci", "", "app", "sha256:ab", (("repository_url", "h:1/app"),), ""),
        ),
        ("PKG://pypi/x", Purl("pypi", "", "x", "", (), "")),
    ],
)
def test_the_parts(text: str, parts: Purl) -> None:
    assert parse_purl(text) == parts


@pytest.mark.parametrize("text", ["", "pkg:", "pkg:pypi", "pkg:pypi@1", "pypi/x", "http://pypi/x", "pkg"])
def test_no_package_url(text: str) -> None:
    with pytest.raises(ValueError, match="not a package URL"):
        parse_purl(text)


@given(st.text() | st.text("pkg:/@?#=&%a1").map(lambda text: f"pkg:{text}"))
def test_any_text_is_one_or_a_plain_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        parsed = parse_purl(text)
        assert parsed.covers(parsed)
