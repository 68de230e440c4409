"""Marks a submission: collect, observe, judge, report. See README.md beside this file."""

__version__ = "0.1.0"
