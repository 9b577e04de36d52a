"""Tags, which nearly every service of AWS's has its own words for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Tags = dict[str, str]


@dataclass(frozen=True)
class Tagging:
    """How a service is asked to add and remove tags, and how it writes them."""

    target: Callable[[str], dict[str, Any]]
    """The arguments that say what is tagged, from its ARN, id or name."""
    add: str = "tag_resource"
    remove: str = "untag_resource"
    key: str = "Key"
    value: str = "Value"
    tags: str = "Tags"
    removed: str = "TagKeys"
    mapped: bool = False
    """A map on the wire, not a list."""

    def written(self, tags: Tags) -> Any:
        """Return the tags as the service takes them."""
        return tags if self.mapped else [{self.key: name, self.value: value} for name, value in sorted(tags.items())]

    def asked(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return the argument of a creating call: none without tags."""
        return {self.tags: self.written(inputs["tags"])} if inputs.get("tags") else {}

    def read(self, tags: Any) -> Tags:
        """Return the tags that the service gave."""
        return dict(tags or {}) if self.mapped else {tag[self.key]: tag[self.value] for tag in tags or ()}

    def seen(self, tags: Any) -> dict[str, Any]:
        """Return the outputs of a resource with the tags that the service gave."""
        read = self.read(tags)
        return {"tags": read or None, "tagsAll": read}

    def change(self, api: Any, name: str, olds: Tags, news: Tags) -> None:
        """Make the calls that turn the old tags into the new ones."""
        if unwanted := sorted(olds.keys() - news.keys()):
            keys = [{self.key: key} for key in unwanted] if self.removed == self.tags else unwanted
            getattr(api, self.remove)(**self.target(name), **{self.removed: keys})
        if wanted := {key: value for key, value in news.items() if olds.get(key) != value}:
            getattr(api, self.add)(**self.target(name), **{self.tags: self.written(wanted)})


ECS = Tagging(lambda arn: {"resourceArn": arn}, key="key", value="value", tags="tags", removed="tagKeys")
ECR = Tagging(lambda arn: {"resourceArn": arn}, tags="tags", removed="tagKeys")
LOGS = Tagging(lambda arn: {"resourceArn": arn}, tags="tags", removed="tagKeys", mapped=True)
IAM_ROLE = Tagging(lambda name: {"RoleName": name}, add="tag_role", remove="untag_role")
EC2 = Tagging(lambda name: {"Resources": [name]}, add="create_tags", remove="delete_tags", removed="Tags")
ELB = Tagging(lambda arn: {"ResourceArns": [arn]}, add="add_tags", remove="remove_tags")
SECRETS = Tagging(lambda arn: {"SecretId": arn})
SSM = Tagging(
    lambda name: {"ResourceType": "Parameter", "ResourceId": name},
    add="add_tags_to_resource",
    remove="remove_tags_from_resource",
)
KMS = Tagging(lambda name: {"KeyId": name}, key="TagKey", value="TagValue")
AUTOSCALING = Tagging(lambda arn: {"ResourceARN": arn}, mapped=True)
DISCOVERY = Tagging(lambda arn: {"ResourceARN": arn})
