"""Evaluation: records against records, metrics with anchors, gates, report."""
