"""Reports: every output for people and machines, each a rendering of one `Record`.

It must not judge anything, and it never sees a transcript's process or a hidden check's source.
"""

from grader.report.best_marks import BestMarks, PartMarks
from grader.report.json_file import write_json
from grader.report.progress import Progress
from grader.report.terminal import print_report

__all__ = ["BestMarks", "PartMarks", "Progress", "print_report", "write_json"]
