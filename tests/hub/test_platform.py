"""What the hub asks of the system."""

import subprocess
import sys

import pytest

ASK = """
import resource, sys
from hub.platform import allow_files
resource.setrlimit(resource.RLIMIT_NOFILE, (200, int(sys.argv[1])))
print(allow_files(300), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sockets are no files there")
@pytest.mark.parametrize(("hard", "told"), [(1000, "300 300 1000"), (250, "250 250 250")])
def test_as_many_files_are_allowed_as_the_hard_limit_has_and_the_answer_is_true(hard, told):
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(hard)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split() == told.split()
