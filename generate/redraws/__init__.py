"""What strategies share that cannot restrict a draw to what constraints allow: repeated draws, and settings that they do not have."""
