"""The image's catalogue: made once per digest, in every format from one reading of the image."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sc_secure.errors import ConfigError, InfrastructureError
from sc_secure.steps.canonical import canonical_sbom, is_about, made_by, package_count
from sc_secure.steps.formats import SYFT, SbomFormat
from sc_secure.steps.platforms import parts, platforms_output
from sc_secure.steps.result import StepResult, ToolUsed
from sc_secure.steps.session import Session
from sc_secure.tools.documents import Json, parse_object
from sc_secure.tools.made import is_ours, remember
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


def generate(
    session: Session,
    image: ImageReference,
    form: SbomFormat,
    also: Sequence[SbomFormat] = (),
    *,
    save: Path | None = None,
) -> StepResult:
    """The step `sbom generate`. Of an index, each platform's image gets a catalogue; the first one is the result's.

    Args:
        session: the run.
        image: what to read.
        form: the format.
        also: further formats, made of the same reading.
        save: where to keep a copy; it is the result's path then.

    Raises:
        ConfigError: it can't be kept there.
        ToolMissing, InfrastructureError, NotAuthorised: see `ensure`.
    """
    images = images_of(session, image)
    if save and len(images) > 1:
        raise ConfigError(
            "--save: an image of several platforms has a catalogue for each", advice="they are under --artifacts"
        )
    made = [ensure(session, part, form, also) for _, part in images]
    first = made[0]
    artifacts = [session.artifact(each.path, each.content, form.media_type) for each in made]
    saved = session.save(save, first.content, form.media_type)
    if len(images) == 1:
        paths = [(each, session.folder(images[0][1]) / each.file) for each in also if each is not form]
        saved += [session.artifact(path, path.read_bytes(), each.media_type) for each, path in paths]
    return session.result(
        "sbom",
        image,
        first.tool,
        reused=all(each.reused for each in made),
        outputs={
            "path": saved[0].path if save else artifacts[0].path,
            "sha256": artifacts[0].sha256,
            "format": form.name,
            "packages": sum(each.packages for each in made),
            **platforms_output(images),
        },
        artifacts=[*artifacts, *saved],
    )


def images_of(session: Session, image: ImageReference) -> list[tuple[str, ImageReference]]:
    """What has a catalogue of its own: the image; of an index, each platform's image, with the platform's name.

    Raises:
        InfrastructureError, NotAuthorised, VerificationFailed: see `platforms.platforms`.
    """
    # A catalogue that is here is of one image: the registry needn't be asked.
    return [("", image)] if _here(session, image) else parts(session.registry(image), image)


def ensure(session: Session, image: ImageReference, form: SbomFormat, also: Sequence[SbomFormat] = ()) -> Catalogue:
    """The image's catalogue in that format; the image is read if this machine hasn't one, and never twice at once.

    A reading writes syft-json too, whatever is asked for: the scan reads it, and other formats are made of it.

    Args:
        session: the run.
        image: what to read.
        form: the format that is returned.
        also: formats that are written besides.

    Raises:
        ToolMissing: syft is missing or too old.
        InfrastructureError, NotAuthorised: it failed, after retries.
    """
    used = session.use("syft")
    with session.lock(image, "sbom"):
        native = _here(session, image)
        path = session.folder(image) / form.file
        wanted = {each.name: each for each in (form, *also)}
        if native and native.made_by == used.version:
            content = {
                name: _ours(session, session.folder(image) / each.file) or _convert(session, image, each)
                for name, each in wanted.items()
            }
            return Catalogue(path, content[form.name], native.packages, used, reused=True)
        packages, content = _read_image(session, image, {SYFT.name: SYFT, **wanted})
        return Catalogue(path, content[form.name], packages, used, reused=False)


def _read_image(
    session: Session, image: ImageReference, forms: Mapping[str, SbomFormat]
) -> tuple[int, dict[str, bytes]]:
    """How many packages it holds, and each format's content, from one reading."""
    raw = {name: session.temp / each.file for name, each in forms.items()}
    Syft(session.runner, session.environ, session.temp).catalogue(image, raw)
    native = _made(raw[SYFT.name])
    if not is_about(native, image):
        raise InfrastructureError("syft: its catalogue isn't about the digest that was asked for")
    content = {SYFT.name: _keep(session, image, SYFT, native)}
    _known[_key(content[SYFT.name], image)] = _Native(made_by(native), package_count(native))
    others = {name: each for name, each in forms.items() if each is not SYFT}
    content |= {name: _keep(session, image, each, _made(raw[name])) for name, each in others.items()}
    return package_count(native), content


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
    remember(session.environ, content)
    write_file(session.folder(image) / form.file, content)
    return content


@dataclass(frozen=True)
class _Native:
    """What a syft-json catalogue says of itself."""

    made_by: str
    """The version of syft."""
    packages: int


_known: dict[tuple[str, str], _Native] = {}
"""What this process read or made, by the hash of its content and the image's digest: each step of a release asks."""


def _here(session: Session, image: ImageReference) -> _Native | None:
    """The syft-json catalogue on this machine, if it is whole and of this digest."""
    content = _ours(session, session.folder(image) / SYFT.file)
    if content is None:
        return None
    key = _key(content, image)
    if key not in _known:
        document = parse_object(content, SYFT.file)
        if not is_about(document, image):
            return None
        _known[key] = _Native(made_by(document), package_count(document))
    return _known[key]


def _key(content: bytes, image: ImageReference) -> tuple[str, str]:
    return hashlib.sha256(content).hexdigest(), image.digest


def _ours(session: Session, path: Path) -> bytes | None:
    """The document's content; None: it isn't there, broken, or none that a run of this user made here."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if is_ours(session.environ, content) else None
