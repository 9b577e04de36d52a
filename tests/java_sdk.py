"""Writes the package's SDK for a program in Java, from the schema.

Stands for `pulumi package gen-sdk --language java`: what that calls, Pulumi's generator for Java, is a Go module of its
own, which can't be had here. This has its names and shapes (packages, builders, getters, annotations), and what they
are made of is Pulumi's own SDK for Java.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PACKAGE = "com.pulumi.scsecure"
_RESERVED = {"package"}
"""Names of properties that are words of Java's own: they get an underscore."""
_SIMPLE = {"string": "String", "boolean": "Boolean", "integer": "Integer", "number": "Double"}
_HEAD = """package {package};

import com.pulumi.core.Output;
import com.pulumi.core.annotations.Export;
import com.pulumi.core.annotations.Import;
import com.pulumi.core.annotations.ResourceType;
import com.pulumi.resources.ComponentResource;
import com.pulumi.resources.ComponentResourceOptions;
import com.pulumi.resources.ResourceArgs;
import java.util.List;
import java.util.Map;

"""


def write_sdk(schema: Mapping[str, Any], folder: Path) -> None:
    """Writes the sources of each resource and type below the folder, as `src/main/java/…`."""
    root = folder / "src/main/java" / PACKAGE.replace(".", "/")
    (root / "inputs").mkdir(parents=True)
    for token, kind in schema["types"].items():
        name = token.rpartition(":")[2] + "Args"
        text = _arguments(name, kind["properties"])
        (root / f"inputs/{name}.java").write_text(_HEAD.format(package=f"{PACKAGE}.inputs") + text)
    imports = f"import {PACKAGE}.inputs.*;\n\n"
    for token, resource in schema["resources"].items():
        name = token.rpartition(":")[2]
        text = _arguments(f"{name}Args", resource["inputProperties"])
        (root / f"{name}Args.java").write_text(_HEAD.format(package=PACKAGE) + imports + text)
        text = _resource(token, name, resource["properties"])
        (root / f"{name}.java").write_text(_HEAD.format(package=PACKAGE) + text)


def _type(described: Mapping[str, Any]) -> str:
    """An input's type in Java; one that isn't plain is an output."""
    if described.get("$ref", "").startswith("pulumi.json"):
        kind = "Object"
    elif "$ref" in described:
        kind = described["$ref"].rpartition(":")[2] + "Args"
    elif described["type"] == "array":
        kind = f"List<{_type(_within(described, 'items'))}>"
    elif described["type"] == "object":
        kind = f"Map<String,{_type(_within(described, 'additionalProperties'))}>"
    else:
        kind = _SIMPLE[described["type"]]
    return kind if described.get("plain") else f"Output<{kind}>"


def _within(described: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    # Within what is an output as a whole, nothing is one again.
    return described[key] if described.get("plain") else {**described[key], "plain": True}


def _arguments(name: str, properties: Mapping[str, Any]) -> str:
    fields = {each + "_" * (each in _RESERVED): (each, described) for each, described in properties.items()}
    lines = [f"public final class {name} extends ResourceArgs {{"]
    for field, (each, described) in fields.items():
        lines.append(f'    @Import(name="{each}") private {_type(described)} {field};')
    lines += [f"    private {name}() {{}}", "    public static Builder builder() { return new Builder(); }"]
    lines += ["    public static final class Builder {", f"        private final {name} made = new {name}();"]
    for each, (_, described) in fields.items():
        kind = _type(described)
        set_it = f"{{ made.{each} = {each}; return this; }}"
        lines.append(f"        public Builder {each}({kind} {each}) {set_it}")
        if kind.startswith("Output<"):
            plain = kind.removeprefix("Output<").removesuffix(">")
            lines.append(f"        public Builder {each}({plain} {each}) {{ return {each}(Output.of({each})); }}")
    lines += [f"        public {name} build() {{ return made; }}", "    }", "}", ""]
    return "\n".join(lines)


def _resource(token: str, name: str, properties: Mapping[str, Any]) -> str:
    lines = [f'@ResourceType(type="{token}")', f"public class {name} extends ComponentResource {{"]
    for each, described in properties.items():
        kind = _type(described)
        refs = {"Output<String>": "{String.class}", "Output<List<String>>": "{List.class,String.class}"}
        tree = {"Output<String>": "[0]", "Output<List<String>>": "[0,1]"}.get(kind, "[0,1,2]")
        exported = refs.get(kind, "{Map.class,String.class,Object.class}")
        lines.append(f'    @Export(name="{each}", refs={exported}, tree="{tree}") private {kind} {each};')
        lines.append(f"    public {kind} {each}() {{ return this.{each}; }}")
    lines += [
        f"    public {name}(String name, {name}Args args) {{ this(name, args, null); }}",
        f"    public {name}(String name, {name}Args args, ComponentResourceOptions options) {{",
        f'        super("{token}", name, args, options, true);',
        "    }",
        "}",
        "",
    ]
    return "\n".join(lines)
