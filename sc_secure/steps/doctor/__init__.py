"""What `sc-secure doctor` looks at: whether a deployment would work here, and what to do where it wouldn't.

One file a group of checks. A check changes nothing, in the registry neither, and leaves nothing behind.
"""
