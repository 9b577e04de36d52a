import pytest

from sc_secure.errors import ConfigError
from sc_secure.tools.reference import parse_reference

HEX = "0123456789abcdef" * 4
DIGEST = f"sha256:{HEX}"


@pytest.mark.parametrize(
    ("text", "registry", "repository", "name"),
    [
        ("debian", "index.docker.io", "library/debian", "debian"),
        ("debian:12", "index.docker.io", "library/debian", "debian"),
        ("library/debian", "index.docker.io", "library/debian", "library/debian"),
        ("docker.io/o/app", "index.docker.io", "o/app", "docker.io/o/app"),
        ("localhost/app", "localhost", "app", "localhost/app"),
        ("127.0.0.1:5000/a/b:v1.0_x", "127.0.0.1:5000", "a/b", "127.0.0.1:5000/a/b"),
        ("[::1]:5000/app", "[::1]:5000", "app", "[::1]:5000/app"),
        ("ghcr.io/o/a__b.c-d--e", "ghcr.io", "o/a__b.c-d--e", "ghcr.io/o/a__b.c-d--e"),
    ],
)
def test_the_parts(text: str, registry: str, repository: str, name: str) -> None:
    found = parse_reference(f"{text}@{DIGEST}")
    assert (found.registry, found.repository, found.name) == (registry, repository, name)
    assert found.subject == f"{name}@{DIGEST}"
    assert found.hex == HEX


@pytest.mark.parametrize(
    "text",
    [
        "",
        "debian",
        "debian:12",
        DIGEST,
        f"@{DIGEST}",
        "debian@sha256:abc",
        f"debian@sha512:{HEX}{HEX}",
        f"debian@{DIGEST.upper()}",
        f"debian@{DIGEST}\n",
        f"debian@{DIGEST}@{DIGEST}",
        f"Debian@{DIGEST}",
        f"--help@{DIGEST}",
        f"a b@{DIGEST}",
        f"r.io/../x@{DIGEST}",
        f"r.io/x/@{DIGEST}",
        f"r.io//x@{DIGEST}",
        f"https://r.io/x@{DIGEST}",
        f"r.io/$(id)@{DIGEST}",
        f"r.io/x:@{DIGEST}",
        f"r.io/x:a/b:c:d@{DIGEST}",
        f"r.io/{'x' * 260}@{DIGEST}",
        f"r.io/\u0430pp@{DIGEST}",
        f"r.io/x:\u0661@{DIGEST}",
    ],
)
def test_anything_else_is_refused_and_printed_safely(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_reference(text)
    assert "\n" not in error.value.message


def test_a_tag_gets_the_way_to_a_digest() -> None:
    with pytest.raises(ConfigError) as error:
        parse_reference("ghcr.io/o/app:1")
    assert "crane digest ghcr.io/o/app:1" in error.value.advice
