"""What a learner may put into a name, a file or a return value."""

from __future__ import annotations

HOSTILE = (
    "<script>alert(1)</script> \"q\" 'q' ```` | **b** [l](javascript:x) @octocat http://x.invalid "
    "\u202eevil\u202c \ud800 \x00 \x1b[31m &amp; {{ 7*7 }} </textarea>"
)
