"""Statistics shared by metrics: confidence intervals, resampling, two-sample statistics, attack scores."""
