"""JSON to Google's protobuf messages and back, as strict as Google's front end is.

Inside the fake, a message is a plain protobuf one, without proto-plus around it: presence can be asked for.
"""

import re
from typing import Any

from google.protobuf import field_mask_pb2, json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.clouds.google.errors import invalid

_UNKNOWN_FIELD = re.compile(r'has no field named "(?P<name>[^"]+)"(?: at "(?P<path>[^"]*)")?')


def new(kind: Any) -> Message:
    """Return an empty message; `kind` is a class of the client libraries, with or without proto-plus."""
    return kind.pb(kind()) if hasattr(kind, "pb") else kind()


def parse(kind: Any, body: Any, where: str) -> Any:
    """Read a message. `where` is the place of the body in the request, as in `service`."""
    message = new(kind)
    try:
        json_format.ParseDict(body, message)
    except json_format.ParseError as error:
        raise invalid(_text(str(error), where), where) from error
    _known_enums(message, where)
    return message


def _text(reason: str, where: str) -> str:
    unknown = _UNKNOWN_FIELD.search(reason)
    if not unknown:
        return f"Invalid JSON payload received. Invalid value at '{where}': {reason}"
    below = (unknown["path"] or "").partition(".")[2]  # without the message's own name
    place = ".".join(part for part in (where, below) if part)
    return f"Invalid JSON payload received. Unknown name \"{unknown['name']}\" at '{place}': Cannot find field."


def _known_enums(message: Message, path: str) -> None:
    # protobuf keeps a number that no name stands for, which Google's front end refuses.
    for field, value in message.ListFields():
        below = f"{path}.{field.name}"
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue
        for item in value if field.is_repeated else [value]:
            if field.type == FieldDescriptor.TYPE_ENUM and item not in field.enum_type.values_by_number:
                raise invalid(f"Invalid value at '{below}' ({field.enum_type.full_name}), {item}", below)
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                _known_enums(item, below)


def document(message: Message, *, numbers: bool) -> dict[str, Any]:
    """Write a message as JSON; with `numbers`, enums are numbers, which Google's clients ask for."""
    return json_format.MessageToDict(message, use_integers_for_enums=numbers)


def mask_of(text: str, kind: Any) -> field_mask_pb2.FieldMask:
    """Read an `updateMask`; a path that the message doesn't have is refused."""
    mask = field_mask_pb2.FieldMask()
    try:
        mask.FromJsonString(text)
    except ValueError:  # snake case, which Google takes too
        mask.paths.extend(text.split(","))
    for path in mask.paths:
        if not field_mask_pb2.FieldMask(paths=[path]).IsValidForDescriptor(new(kind).DESCRIPTOR):
            raise invalid(f"Invalid field mask: {path!r} isn't a field", "update_mask")
    return mask


def merge(mask: field_mask_pb2.FieldMask, source: Message, target: Message) -> None:
    """Put the masked fields of the source into the target in place of what it has, empty ones included."""
    mask.MergeMessage(source, target, replace_message_field=True, replace_repeated_field=True)
