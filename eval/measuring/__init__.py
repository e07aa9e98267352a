"""Definitions shared by all metrics: metric, measure, gate, estimate, anchors, and the context of an evaluation."""
