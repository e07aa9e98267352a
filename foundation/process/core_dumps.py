"""Core dumps: a process that holds records must not leave its memory on the disk when it crashes."""

import resource


def forbid_core_dumps() -> None:
    """Let this process and those that it starts write no core file.

    systemd-coredump obeys this limit; another program that the kernel pipes cores to (`kernel.core_pattern`) may not.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
