"""No core file of a process that holds records."""

import resource
import subprocess
import sys


def test_a_command_and_what_it_starts_leave_no_core_file() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)

    def allow_core_files() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os; from paracosm.foundation.process.core_dumps import forbid_core_dumps; forbid_core_dumps(); "
            "os.execvp('sh', ['sh', '-c', 'ulimit -c'])",
        ],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=allow_core_files,
    )
    assert done.stdout == "0\n"
