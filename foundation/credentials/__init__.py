"""Credentials in URLs: hides them in every text that is shown or stored, and reads them from the environment."""
