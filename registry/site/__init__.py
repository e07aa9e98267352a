"""The registry as a static web site."""
