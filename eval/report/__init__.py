"""The evaluation report: HTML pages, plots, terminal summary."""
