"""Collects what a class handed in: one folder or archive per learner, however it was packed.

It must not run anything, write anything, or let one learner's files get in the way of another's.
"""

from classroom.submissions.collect import Collected, collect

__all__ = ["Collected", "collect"]
