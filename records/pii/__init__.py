"""Personal data: detection and consistent replacement before training."""
