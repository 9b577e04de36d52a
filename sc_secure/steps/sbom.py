"""The image's catalogue: made once per digest, in every format from one reading of the image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sc_secure.errors import InfrastructureError
from sc_secure.steps.canonical import canonical_sbom, is_about, made_by, package_count
from sc_secure.steps.formats import SYFT, SbomFormat
from sc_secure.steps.result import StepResult, ToolUsed
from sc_secure.steps.session import Session, shown_path
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.syft import Syft
from sc_secure.tools.workspace import write_file


@dataclass(frozen=True)
class Catalogue:
    """A catalogue on this machine."""

    path: Path
    content: bytes
    packages: int
    tool: ToolUsed
    reused: bool
    """True: the image wasn't read, since this machine has a catalogue of this digest from the same syft."""


def generate(session: Session, image: ImageReference, form: SbomFormat) -> StepResult:
    """The step `sbom generate`.

    Raises:
        ToolMissing, InfrastructureError, NotAuthorised: see `ensure`.
    """
    made = ensure(session, image, form)
    artifact = session.artifact(made.path, made.content, form.media_type)
    return session.result(
        "sbom",
        image,
        made.tool,
        reused=made.reused,
        outputs={
            "path": shown_path(made.path),
            "sha256": artifact.sha256,
            "format": form.name,
            "packages": made.packages,
        },
        artifacts=[artifact],
    )


def ensure(session: Session, image: ImageReference, form: SbomFormat) -> Catalogue:
    """The image's catalogue in that format; the image is read if this machine hasn't one, and never twice at once.

    A reading writes syft-json too, whatever is asked for: the scan reads it, and other formats are made of it.

    Raises:
        ToolMissing: syft is missing or too old.
        InfrastructureError, NotAuthorised: it failed, after retries.
    """
    used = session.use("syft")
    with session.lock(image, "sbom"):
        native = _on_this_machine(session, image, used)
        path = session.folder(image) / form.file
        if native:
            content = _whole(path) or _convert(session, image, form)
            return Catalogue(path, content, package_count(native), used, reused=True)
        return _read_image(session, image, form, used)


def _read_image(session: Session, image: ImageReference, form: SbomFormat, used: ToolUsed) -> Catalogue:
    forms = {each.name: each for each in (SYFT, form)}
    raw = {name: session.temp / each.file for name, each in forms.items()}
    Syft(session.runner, session.environ, session.temp).catalogue(image, raw)
    native = _made(raw[SYFT.name])
    if not is_about(native, image):
        raise InfrastructureError("syft: its catalogue isn't about the digest that was asked for")
    content = {name: _keep(session, image, each, _made(raw[name])) for name, each in forms.items()}
    return Catalogue(session.folder(image) / form.file, content[form.name], package_count(native), used, reused=False)


def _convert(session: Session, image: ImageReference, form: SbomFormat) -> bytes:
    """Another format of a catalogue that is here: the same bytes as if the image were read again."""
    raw = session.temp / form.file
    source = session.folder(image) / SYFT.file
    Syft(session.runner, session.environ, session.temp).convert(source, form.name, raw)
    return _keep(session, image, form, _made(raw))


def _made(raw: Path) -> Json:
    """What syft wrote: its exit code alone is no proof."""
    return parse_object(raw.read_bytes() if raw.is_file() else b"", f"syft's {raw.name}")


def _keep(session: Session, image: ImageReference, form: SbomFormat, document: Json) -> bytes:
    content = canonical_sbom(document, form, image)
    write_file(session.folder(image) / form.file, content)
    return content


def _on_this_machine(session: Session, image: ImageReference, used: ToolUsed) -> Json | None:
    """The syft-json catalogue, if it is whole, of this digest and from this syft."""
    try:
        document = parse_object((session.folder(image) / SYFT.file).read_bytes(), SYFT.file)
    except (OSError, InfrastructureError):
        return None
    return document if is_about(document, image) and made_by(document) == used.version else None


def _whole(path: Path) -> bytes | None:
    """The document's content; None: it isn't there, or broken."""
    try:
        content = path.read_bytes()
        parse_object(content, path.name)
    except (OSError, InfrastructureError):
        return None
    return content
