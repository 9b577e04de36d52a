import pytest

from sc_secure.errors import ConfigError
from sc_secure.tools.reference import Place, parse_place, parse_reference, parse_registry

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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ghcr.io/acme/app", Place("ghcr.io", "acme/app", "", "ghcr.io/acme/app")),
        ("ghcr.io/acme/app:1.2", Place("ghcr.io", "acme/app", "1.2", "ghcr.io/acme/app")),
        (f"ghcr.io/acme/app:1.2@{DIGEST}", Place("ghcr.io", "acme/app", DIGEST, "ghcr.io/acme/app")),
        ("localhost:5000/app", Place("localhost:5000", "app", "", "localhost:5000/app")),
        ("debian", Place("index.docker.io", "library/debian", "", "debian")),
    ],
)
def test_a_place_needs_no_digest(text: str, expected: Place) -> None:
    assert parse_place(text) == expected


@pytest.mark.parametrize(
    "text", ["", ":1", "app:", "app:-", "app@", "app@sha256:12", "ghcr.io/", "App", "a b", "app:1:2"]
)
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ConfigError, match="--image"):
        parse_place(text)


def test_a_registry_as_a_whole() -> None:
    assert parse_registry("ghcr.io") == Place("ghcr.io", "", "", "ghcr.io")
    assert parse_registry("docker.io").registry == "index.docker.io"
    assert parse_registry("[::1]:5000").registry == "[::1]:5000"
    for text in ("", "https://ghcr.io", "ghcr.io/acme", "user@ghcr.io", "ghcr.io\n", "ghcr.io:"):
        with pytest.raises(ConfigError, match="--registry"):
            parse_registry(text)
