"""Which of what is attached counts, and where it is said to be: with stand-ins that change their mind (`shelf.py`)."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sc_secure.errors import InfrastructureError
from sc_secure.steps.attachments import FORMS, Attachment, Form, find
from sc_secure.steps.session import Session
from sc_secure.tools.cosign import SIGNATURE, Verifier
from sc_secure.tools.identity import Identity
from sc_secure.tools.key import Key
from sc_secure.tools.legacy import Signed
from sc_secure.tools.services import Services
from sc_secure.tools.statement import Statement
from sc_secure.tools.transient import Retrying, retrying
from tests.steps.shelf import BUNDLE, HEX, IDENTITY, IMAGE, KEY, Shelf, Verifies, bundle, session, statement

BOM = "https://cyclonedx.org/bom"
SBOM = statement(BOM, "sbom")
OURS = (KEY.reference, BOM)
SIGNATURES = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPES = "application/vnd.dsse.envelope.v1+json"


@pytest.fixture
def shelf() -> Shelf:
    """The image, and nothing attached to it."""
    return Shelf({IMAGE.digest: {"layers": []}})


@pytest.fixture
def verifies() -> Verifies:
    return Verifies()


@pytest.fixture(autouse=True)
def once() -> Iterator[None]:
    with retrying(Retrying(attempts=1)):
        yield


Look = Callable[..., Attachment | None]


@pytest.fixture
def look(tmp_path: Path, shelf: Shelf, verifies: Verifies) -> Look:
    run: Session = session(tmp_path, shelf, verifies)

    def look(
        kind: str = BOM,
        verifier: Verifier = KEY,
        accept: Callable[[Statement], bool] = lambda _: True,
        forms: tuple[Form, ...] = FORMS,
    ) -> Attachment | None:
        return find(run, IMAGE, verifier, kind, accept, forms=forms)

    return look


def test_without_anything_attached_cosign_isnt_asked(look: Look, verifies: Verifies) -> None:
    assert look() is None
    assert verifies.asked == []


def test_an_image_that_is_not_there_is_no_image_without_a_signature(look: Look, shelf: Shelf) -> None:
    shelf.manifests.clear()
    with pytest.raises(InfrastructureError) as raised:
        look()
    assert raised.value.message == f"{IMAGE.subject} isn't in its registry"
    assert raised.value.advice == "push the image first; `crane digest` prints its digest"


def test_the_newest_that_is_accepted_is_found_with_its_manifest_and_entry(
    look: Look, shelf: Shelf, verifies: Verifies
) -> None:
    """What is read is verified as it was read; cosign doesn't search."""
    entry = {"logIndex": "7", "logId": {"keyId": "aGk="}, "inclusionProof": {"checkpoint": {"envelope": "log"}}}
    every = {name: statement(BOM, name) for name in ("one", "two", "three")}
    for name, each in every.items():
        content = bundle(each, **({"verificationMaterial": {"tlogEntries": [entry]}} if name == "two" else {}))
        shelf.attach(name, content)
        verifies.good.add(content)
    found = look(accept=lambda each: each != every["three"])
    assert found is not None
    assert (found.statement, found.manifest) == (every["two"], "manifest two")
    assert found.entry is not None
    assert (found.entry.index, found.entry.log_id) == ("7", b"hi".hex())
    assert shelf.read == ["blob three", "blob two"]
    assert look() == Attachment(every["three"], "manifest three", None)
    assert {question[0] for question in verifies.asked} == {"bundle"}


def test_what_is_verified_and_not_accepted_is_not_searched_for(look: Look, shelf: Shelf, verifies: Verifies) -> None:
    shelf.attach("one", bundle(SBOM))
    verifies.known[OURS] = [SBOM]
    assert look(accept=lambda _: False) is None
    assert verifies.asked == [("bundle", IMAGE.digest, *OURS)]


def test_what_is_not_verified_is_not_shown_to_who_accepts(look: Look, shelf: Shelf) -> None:
    shelf.attach("theirs", bundle(SBOM))

    def accept(said: Statement) -> bool:
        raise AssertionError(said)

    assert look(accept=accept) is None


@pytest.mark.parametrize("other", [{"kind": "https://spdx.dev/Document"}, {"image": "b" * 64}])
def test_a_statement_of_another_type_or_image_is_not_verified(
    look: Look, shelf: Shelf, verifies: Verifies, other: dict[str, str]
) -> None:
    said = json.loads(base64.b64decode(SBOM.payload))
    said["predicateType"] = other.get("kind", BOM)
    said["subject"] = [{"digest": {"sha256": other.get("image", HEX)}}]
    payload = base64.b64encode(json.dumps(said).encode()).decode()
    content = bundle(replace(SBOM, payload=payload))
    shelf.attach("one", content)
    verifies.good.add(content)
    assert look() is None
    assert verifies.asked == []


def test_where_one_is_refused_cosign_searches(look: Look, shelf: Shelf, verifies: Verifies) -> None:
    """It may have failed; and what it says when it searches tells that from another's signature."""
    shelf.attach("ours", bundle(SBOM))
    verifies.known[OURS] = [SBOM]
    verifies.only_searches = True
    found = look()
    assert found == Attachment(SBOM, "manifest ours")
    assert [question[0] for question in verifies.asked] == ["bundle", "bundles"]
    assert look(accept=lambda _: False) is None


def test_any_of_the_keys_is_enough_and_the_first_counts(look: Look, shelf: Shelf, verifies: Verifies) -> None:
    other = Key("other.pub", public=True)
    both = Key(KEY.reference, public=True, also=(other,))
    theirs = statement(BOM, "theirs")
    shelf.attach("ours", bundle(SBOM))
    shelf.attach("theirs", bundle(theirs))
    verifies.known[("other.pub", BOM)] = [theirs]
    found = look(verifier=both)
    assert found is not None
    assert found.manifest == "manifest theirs"
    verifies.known[OURS] = [SBOM]
    found = look(verifier=both)
    assert found is not None
    assert found.manifest == "manifest ours"
    assert look(kind="https://spdx.dev/Document", verifier=both) is None
    assert look(verifier=IDENTITY) is None


def test_only_what_may_hold_it_is_read(look: Look, shelf: Shelf, verifies: Verifies) -> None:
    shelf.attach("another kind", bundle(SBOM), kind="https://spdx.dev/Document")
    shelf.attached[IMAGE.digest].append("manifest gone")
    assert look() is None
    assert verifies.asked == []
    shelf.attach("annotated", bundle(SBOM), kind=BOM)
    shelf.attach("not annotated", bundle(statement(BOM, "x")), annotations=None)
    verifies.known[OURS] = [SBOM]
    found = look()
    assert found is not None
    assert found.manifest == "manifest annotated"
    assert shelf.read == ["blob not annotated", "blob annotated"]


@pytest.mark.parametrize(
    "layers",
    [
        None,
        "x",
        [],
        ["x"],
        [{}],
        [{"digest": 1, "mediaType": BUNDLE}],
        [{"digest": "blob odd"}],
        [{"digest": "blob odd", "mediaType": "application/json"}],
        [{"digest": "blob gone", "mediaType": BUNDLE}],
        [{"digest": "blob empty", "mediaType": BUNDLE}],
    ],
)
def test_manifests_that_hold_no_bundle_are_passed_over(
    look: Look, shelf: Shelf, verifies: Verifies, layers: Any
) -> None:
    """The same statement would be found in them, if they were read."""
    shelf.blobs |= {"blob empty": b"", "blob gone": None}
    shelf.attach("ours", bundle(SBOM))
    shelf.attach("odd", bundle(SBOM), layers=layers)
    verifies.known[OURS] = [SBOM]
    found = look()
    assert found is not None
    assert found.manifest == "manifest ours"
    assert verifies.asked == [("bundle", IMAGE.digest, *OURS)]


def test_a_bundle_that_is_not_the_first_layer_is_read_too(look: Look, shelf: Shelf, verifies: Verifies) -> None:
    layers = [{"digest": "blob x", "mediaType": "text/plain"}, {"digest": "blob ours", "mediaType": BUNDLE}]
    shelf.attach("ours", bundle(SBOM), layers=layers)
    verifies.known[OURS] = [SBOM]
    found = look()
    assert found is not None
    assert found.manifest == "manifest ours"


@pytest.mark.parametrize(
    "content",
    [
        b"no JSON",
        b"[]",
        b"{}",
        b'{"dsseEnvelope": []}',
        bundle(replace(SBOM, payload="no base64")),
        bundle(replace(SBOM, payload="W10=")),
        json.dumps({"dsseEnvelope": {"payload": SBOM.payload}}).encode(),
        json.dumps({"dsseEnvelope": {"payload": SBOM.payload, "signatures": {"sig": "sig sbom"}}}).encode(),
        json.dumps({"dsseEnvelope": {"payload": SBOM.payload, "signatures": []}}).encode(),
        json.dumps({"dsseEnvelope": {"payload": SBOM.payload, "signatures": ["sig sbom"]}}).encode(),
        json.dumps({"dsseEnvelope": {"payload": SBOM.payload, "signatures": [{}, {"sig": "sig sbom"}]}}).encode(),
    ],
)
def test_rubbish_beside_what_was_verified_does_no_harm(
    look: Look, shelf: Shelf, verifies: Verifies, content: bytes
) -> None:
    """cosign isn't asked about it, and alone it isn't taken for what cosign found."""
    shelf.attach("ours", bundle(SBOM))
    shelf.attach("rubbish", content)
    verifies.known[OURS] = [SBOM]
    found = look()
    assert found is not None
    assert found.manifest == "manifest ours"
    assert verifies.asked == [("bundle", IMAGE.digest, *OURS)]
    shelf.attached[IMAGE.digest] = ["manifest rubbish"]
    assert look() is None


def test_what_cosign_found_has_to_be_among_the_referrers(look: Look, shelf: Shelf, verifies: Verifies) -> None:
    shelf.attach("another", bundle(statement(BOM, "another")))
    verifies.known[OURS] = [SBOM]
    with pytest.raises(InfrastructureError) as raised:
        look()
    assert raised.value.message == f"{IMAGE.subject}: a {BOM} was verified, but isn't among its referrers"


@pytest.mark.parametrize("changed", ["payload", "signature"])
def test_a_holder_holds_the_very_envelope(look: Look, shelf: Shelf, verifies: Verifies, changed: str) -> None:
    other = statement(BOM, "other")
    shelf.attach("ours", bundle(SBOM))
    shelf.attach("other", bundle(replace(SBOM, **{changed: getattr(other, changed)})))
    verifies.known[OURS] = [SBOM]
    verifies.only_searches = True
    found = look()
    assert found is not None
    assert found.manifest == "manifest ours"
    assert verifies.asked.count(("bundle", IMAGE.digest, *OURS)) == 2, "when it is read; there is one holder alone"


def test_of_two_that_hold_the_same_envelope_the_one_that_is_accepted_is_named(
    look: Look, shelf: Shelf, verifies: Verifies
) -> None:
    """Also of those that are so old that cosign has to search."""
    shelf.attach("ours", bundle(SBOM, certificate="ours"))
    verifies.good = {bundle(SBOM, certificate="ours")}
    for number in range(8):
        shelf.attach(f"forged {number}", bundle(SBOM, certificate=f"forged {number}"))
    verifies.known[OURS] = [SBOM]
    found = look()
    assert found is not None
    assert found.manifest == "manifest ours"
    verifies.good.clear()
    with pytest.raises(InfrastructureError, match="was verified, but isn't among its referrers"):
        look()


@pytest.mark.parametrize(("newer", "found"), [(7, True), (8, False)])
def test_of_many_bundles_the_newest_few_are_read(
    look: Look, shelf: Shelf, verifies: Verifies, newer: int, found: bool
) -> None:
    """And cosign searches the others."""
    shelf.attach("ours", bundle(SBOM))
    for number in range(newer):
        shelf.attach(f"rubbish {number}", b"rubbish")
    verifies.good = {bundle(SBOM)}
    assert (look() is not None) is found
    assert len(shelf.read) == 8
    assert (("bundles", IMAGE.digest, *OURS) in verifies.asked) is not found


# What is kept in cosign's older way.


def tagged(shelf: Shelf, kind: str, layers: list[tuple[str, bytes | None]], **changes: Any) -> None:
    """Fills a tag; `kind` is empty for signatures."""
    media_type = ENVELOPES if kind else SIGNATURES
    annotations = {"annotations": {"predicateType": kind}} if kind else {}
    entry = {"mediaType": media_type, **annotations, **changes}
    tag = f"sha256-{HEX}.{'att' if kind else 'sig'}"
    shelf.manifests[tag] = {"layers": [{"digest": f"blob {name}", **entry} for name, _ in layers]}
    shelf.blobs |= {f"blob {name}": content for name, content in layers}


def signed(said: object, **witnesses: Any) -> Signed:
    """A text that cosign verified; it adds to it what witnesses it."""
    return Signed({"critical": said, "optional": witnesses}, witnesses.get("bundle"), witnesses.get("timestamp"))


TEXT = b'{"critical": 1}'


def test_an_older_signature_is_found_by_its_text(look: Look, shelf: Shelf, verifies: Verifies) -> None:
    tagged(shelf, "", [("older", TEXT), ("ours", TEXT), ("odd", b"odd"), ("list", b"[]"), ("gone", None)])
    verifies.texts = [signed(2), signed(1)]
    with pytest.raises(InfrastructureError) as raised:
        look(SIGNATURE)
    assert raised.value.message == f"{IMAGE.subject}: what was verified isn't there when read back"
    assert raised.value.advice == "try again"
    verifies.texts = [signed(1)]
    found = look(SIGNATURE)
    assert found == Attachment(
        Statement(SIGNATURE, {}, frozenset({HEX}), payload="", signature=""), "blob ours", None
    ), "the newest of those that say it"
    assert look(SIGNATURE, accept=lambda _: False) is None
    verifies.texts = [signed(1, bundle={"Payload": {}})]
    with pytest.raises(InfrastructureError):
        look(SIGNATURE)  # the same text, but no layer with this entry


def test_an_older_attestation_is_found_by_its_envelope(look: Look, shelf: Shelf, verifies: Verifies) -> None:
    ours, other = (replace(statement(BOM, name), envelope=f"blob {name}") for name in ("ours", "other"))
    tagged(shelf, BOM, [("ours", b"x"), ("other", b"x"), ("odd", b"odd"), ("gone", None)])
    verifies.kept_in_tags[OURS] = [other, ours]
    found = look(accept=lambda each: each is ours)
    assert found == Attachment(ours, "blob ours", None)
    assert look(accept=lambda _: False) is None
    assert ("texts", IMAGE.digest, KEY.reference) not in verifies.asked
    verifies.kept_in_tags[OURS] = [replace(ours, envelope="blob lost")]
    with pytest.raises(InfrastructureError, match="isn't there when read back"):
        look()


def test_where_no_tag_may_hold_it_cosign_isnt_asked(look: Look, shelf: Shelf, verifies: Verifies) -> None:
    tagged(shelf, "https://spdx.dev/Document", [("x", b"{}")])
    assert look() is None
    assert look(SIGNATURE) is None
    assert verifies.asked == []


ENTRY = {"SignedEntryTimestamp": "", "Payload": {"body": "", "integratedTime": 1, "logIndex": 7, "logID": "ab"}}
STAMP = {"SignedRFC3161Timestamp": "x"}
STAMPED = Identity("dev@acme[.]test", "https://issuer.test", transparency_log=False)


@pytest.mark.parametrize("verifier", [IDENTITY, Key(KEY.reference, public=True, services=Services())])
def test_where_it_is_logged_is_told_of_who_has_to_be_logged(
    look: Look, shelf: Shelf, verifies: Verifies, verifier: Verifier
) -> None:
    notes = {"annotations": {"dev.sigstore.cosign/bundle": json.dumps(ENTRY)}}
    tagged(shelf, "", [("ours", TEXT)], **notes)
    verifies.texts = [signed(1, bundle=ENTRY)]
    found = look(SIGNATURE, verifier)
    assert found is not None
    assert found.entry is not None
    assert (found.entry.index, found.entry.log_id) == ("7", "ab")
    of_nobody = look(SIGNATURE)
    assert of_nobody is not None
    assert of_nobody.entry is None, "nobody verified it"


@pytest.mark.parametrize("stamped", [True, False])
def test_without_a_log_a_certificate_s_signature_has_to_be_stamped(
    look: Look, shelf: Shelf, verifies: Verifies, stamped: bool
) -> None:
    """cosign takes it without while the certificate is good."""
    notes = {"annotations": {"dev.sigstore.cosign/rfc3161timestamp": json.dumps(STAMP)}} if stamped else {}
    tagged(shelf, "", [("ours", TEXT)], **notes)
    verifies.texts = [signed(1, timestamp=STAMP if stamped else None)]
    assert (look(SIGNATURE, STAMPED) is not None) is stamped
    kept = {"annotations": {**notes.get("annotations", {}), "predicateType": BOM}}
    tagged(shelf, BOM, [("bom", b"x")], **kept)
    verifies.kept_in_tags[(STAMPED.issuer, BOM)] = [replace(SBOM, envelope="blob bom")]
    assert (look(BOM, STAMPED) is not None) is stamped


def test_the_forms_count_in_their_order(look: Look, shelf: Shelf, verifies: Verifies) -> None:
    signature = statement(SIGNATURE, "bundle")
    tagged(shelf, "", [("tag", TEXT)])
    shelf.attach("bundle", bundle(signature))
    verifies.texts = [signed(1)]
    verifies.known[(KEY.reference, SIGNATURE)] = [signature]

    def manifest(*forms: Form) -> str:
        found = look(SIGNATURE, forms=forms)
        return found.manifest if found else ""

    assert manifest(*FORMS) == manifest("bundle", "legacy") == manifest("bundle") == "manifest bundle"
    assert manifest("legacy", "bundle") == manifest("legacy") == "blob tag"
    assert manifest() == ""
    assert FORMS == ("bundle", "legacy")
