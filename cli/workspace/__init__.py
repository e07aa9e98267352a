"""What is on this machine: runs, their reports and their disk use, and the base model with the sample data."""
