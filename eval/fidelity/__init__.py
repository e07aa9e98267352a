"""Fidelity metrics: do synthetic records resemble real ones?"""
