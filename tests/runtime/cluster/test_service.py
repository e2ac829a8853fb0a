"""C++'s end of a process is one of ours."""

import subprocess
import sys


def test_a_termination_by_cpp_calls_the_function():
    program = """
import ctypes, os
from symmflow_jax.runtime.cluster import service
service._end_quietly(lambda: (os.write(1, b"called"), os._exit(75)))
ctypes.CDLL("libstdc++.so.6")._ZSt9terminatev()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (75, b"called", b"")
