"""JSON Schemas of `class.json` and of a comparison, generated from their models."""
