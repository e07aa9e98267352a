"""What models are asked and what they answer, whichever they are: tasks, the store of answers, and counts."""
