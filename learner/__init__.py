"""A learner's daily tools around `make grade`: watch, progress, hints, reset, solution, picture.

It must not judge: every mark comes from `grader`.
"""
