"""An instructor's class: collects what a class handed in, has it marked, and writes it up.

It must not judge: every mark comes from `grader`.
"""
