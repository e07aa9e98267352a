"""What a metric is, what it is measured on, and the anchors that it is read against."""
