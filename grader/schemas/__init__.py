"""JSON Schemas of the two files that the grader writes, generated from their models."""
