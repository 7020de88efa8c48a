"""Several scenarios at once, each in a process of its own: what it has taken of memory is free when it is over."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from signal import SIG_IGN, SIGINT, signal
from typing import TypeVar

Task = TypeVar("Task")
Done = TypeVar("Done")


class ProcessKilled(RuntimeError):
    """A process was killed from outside: most likely for the memory that it took."""


def each_as_it_ends(work: Callable[[Task], Done], tasks: Sequence[Task], jobs: int) -> Iterator[Done]:
    """Do all tasks, ``jobs`` at once; yield what comes of each when it is done.

    The last begin first: they take longest. Ctrl-C ends those that run. Raises ProcessKilled.
    """
    # A server that only forks: a process of it begins at once, and inherits nothing of what was explored here.
    context = get_context("forkserver")
    context.set_forkserver_preload([work.__module__])
    pool = ProcessPoolExecutor(  # type: ignore[call-overload]  # types are checked as Python 3.10, this runs from 3.11
        jobs, context, _leave_interrupts_to_the_parent, max_tasks_per_child=1
    )
    with pool:
        waiting = [pool.submit(work, task) for task in reversed(tasks)]
        try:
            for future in as_completed(waiting):
                yield future.result()
        except BrokenProcessPool:
            raise ProcessKilled(
                f"a process was killed, most likely for want of memory: a state takes about 1 KB; "
                f"explore fewer at once than {jobs}"
            ) from None
        except (KeyboardInterrupt, GeneratorExit):
            pool.shutdown(wait=False, cancel_futures=True)
            for child in active_children():
                child.terminate()
            raise


def _leave_interrupts_to_the_parent() -> None:
    signal(SIGINT, SIG_IGN)
