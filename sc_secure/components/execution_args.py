"""Where the steps' commands run: arguments of `SecuredImage` and of each step. The rules of `args.py` hold here too."""

from typing import NotRequired, TypedDict

import pulumi


class RemoteArgs(TypedDict):
    """A build host, reached by SSH: what pulumi-command calls a connection. The host's key isn't optional here."""

    host: pulumi.Input[str]
    """The host's name or address."""
    host_key: pulumi.Input[str]
    """The key that the host must have, as `ssh-ed25519 AAAA…`: whoever answers in its place could open the gate."""
    port: NotRequired[pulumi.Input[int]]
    """The port. 22 when not said."""
    user: NotRequired[pulumi.Input[str]]
    """The user to log in as. `root` when not said."""
    private_key: NotRequired[pulumi.Input[str]]
    """The text of the user's private key. Kept in state as a secret; an SSH agent leaves nothing there."""
    private_key_password: NotRequired[pulumi.Input[str]]
    """The private key's password. Kept in state as a secret."""
    password: NotRequired[pulumi.Input[str]]
    """The user's password. Kept in state as a secret."""
    agent_socket_path: NotRequired[pulumi.Input[str]]
    """The SSH agent's socket. What SSH_AUTH_SOCK says when not said, which is the same on every machine."""
    dial_error_limit: NotRequired[pulumi.Input[int]]
    """How often connecting may fail before the step does; -1 is no limit. 10 when not said."""
    per_dial_timeout: NotRequired[pulumi.Input[int]]
    """How long one try to connect may take, in seconds; 0 is no limit. 15 when not said."""


class ExecutionArgs(TypedDict):
    """Where the steps' commands run, in place of the machine that runs Pulumi."""

    remote: pulumi.Input[RemoteArgs]
    """The build host. It has `sc-secure`, of this version, and the tools on its PATH."""
    folder: NotRequired[str]
    """The working folder on the host, absolute or relative to the user's home. sc-secure/<project> when not said."""
    files: NotRequired[list[str]]
    """Files and folders in that folder that steps may name, put there by you; `.` is a checkout of the project."""
