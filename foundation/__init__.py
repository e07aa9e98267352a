"""Ground floor: errors, exit codes, atomic files, digests, progress, suggestions and optional packages.

Imports no other package of Paracosm.
"""
