"""A worker process's threads and memory, settled once before its first frame."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8  # malloc.h


def settle_process() -> None:
    """One thread for each operation, and freed tensors kept by the process.

    One thread: how oneDNN splits a convolution among threads changes its last bits, and a result
    must not depend on how many there were. Cores are used by workers instead.

    Freed memory: glibc gives a large tensor's pages back at once and faults them in again for the
    next one; half of a CPU worker's time went there. One arena for all threads: the others cannot
    hold blocks beyond 64 MiB without it.
    """
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_M_ARENA_MAX, 1)
            libc.mallopt(_M_MMAP_MAX, 0)
            libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


@contextmanager
def settled_process() -> Iterator[None]:
    """`settle_process` for as long as it lasts; only what is said of memory stays."""
    import cv2
    import torch

    before = torch.get_num_threads(), cv2.getNumThreads()
    settle_process()
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def settle_thread() -> None:
    """The process's number of threads for this thread too: OpenMP keeps one for each."""
    import torch

    torch.set_num_threads(torch.get_num_threads())
