"""Utility metrics: do models trained on synthetic records work on real ones?"""
