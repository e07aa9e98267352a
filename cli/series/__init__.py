"""`paracosm series`: synthetic paths of one long series in time, scenarios, and how they compare with a later real stretch."""
