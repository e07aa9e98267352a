"""Data of shipped recipes: where it is published, how it is downloaded and checked, and how it becomes the file that a recipe reads."""
