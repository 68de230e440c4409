"""What a learner gets: the course without its answers, its checks sealed, as one zip.

It must not change the course: each page has one text, and the learner's is that one with passages
left out.
"""
