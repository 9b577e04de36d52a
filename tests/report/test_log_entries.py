"""Where a signature is logged stands in the reports, with a link where the log is the public one."""

from typing import Any

from sc_secure.report import html, markdown
from sc_secure.report.building import build
from sc_secure.report.document import Release
from tests.report.documents import DIGEST, HOSTILE, SUBJECT, step

PUBLIC = "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d"
UUID = "108e9186e8c5677a" + "5" * 64


def signed(**logged: Any) -> Release:
    return build(SUBJECT, [step("sign", "sign", outputs={"signatureDigest": DIGEST, **logged})])


def both(release: Release) -> tuple[str, str]:
    return markdown.write(release).decode(), html.write(release).decode()


def test_the_public_log_s_entry_is_linked() -> None:
    release = signed(rekorLogIndex="123", rekorLogId=PUBLIC, rekorUuid=UUID)
    assert (release.attachments[0].log_index, release.attachments[0].log_uuid) == ("123", UUID)
    page = "https://search.sigstore.dev/?logIndex=123"
    text, shown = both(release)
    assert f"[`123 in c0d23d6ad406973f ({UUID})`](<{page}>)" in text
    assert f'<a href="{page}" rel="noopener noreferrer nofollow">123 in c0d23d6ad406973f ({UUID})</a>' in shown


def test_a_private_log_s_entry_is_named() -> None:
    text, shown = both(signed(rekorLogIndex="0", rekorLogId="ab" * 32, rekorUuid=""))
    assert "| `0 in abababababababab` |" in text
    assert '<td data-label="Log entry">0 in abababababababab</td>' in shown
    assert "search.sigstore.dev" not in text + shown


def test_a_private_rekor_1_s_entry_is_linked() -> None:
    page = f"https://rekor.acme.test/api/v1/log/entries/{UUID}"
    text, shown = both(
        signed(rekorLogIndex="7", rekorLogId="ab" * 32, rekorUuid=UUID, rekorUrl="https://rekor.acme.test/")
    )
    assert f"[`7 in abababababababab ({UUID})`](<{page}>)" in text
    assert f'<a href="{page}" rel="noopener noreferrer nofollow">' in shown
    # A Rekor 2 answers with no single entry.
    text, shown = both(signed(rekorLogIndex="7", rekorLogId="ab" * 32, rekorUuid="", rekorUrl="https://r.acme.test"))
    assert "/api/v1/" not in text + shown


def test_without_a_log_there_is_no_entry() -> None:
    text, shown = both(signed(rekorLogIndex="", rekorUuid=""))
    assert f"| Signature | `{DIGEST}` |  |" in text
    assert '<td data-label="Log entry"></td>' in shown


def test_a_hostile_state_makes_no_link() -> None:
    for hostile in HOSTILE:
        text, shown = both(signed(rekorLogIndex=hostile, rekorLogId=PUBLIC, rekorUuid=hostile))
        assert "search.sigstore.dev" not in text + shown
        assert "<script" not in shown
        for uuid, url in ((UUID, hostile), (hostile, "https://rekor.acme.test")):
            text, shown = both(signed(rekorLogIndex="1", rekorLogId="ab" * 32, rekorUuid=uuid, rekorUrl=url))
            assert "/api/v1/log/entries/" not in text + shown
            assert "<script" not in shown
