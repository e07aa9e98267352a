"""Repeated draws, for generators that cannot restrict a draw to what constraints allow."""
