"""Clients of servers with the API of OpenAI: records as JSON, checked, counted and cached."""
