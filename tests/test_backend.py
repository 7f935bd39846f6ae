import subprocess
import sys

PROGRAM = """
from genredag.backend import configure_backend
configure_backend(threads=3)
import tensorflow as tf
print(tf.config.threading.get_intra_op_parallelism_threads(), __import__("os").environ["OMP_NUM_THREADS"])
"""


def test_sets_the_threads_of_tensorflow():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split()[1] == "3"
