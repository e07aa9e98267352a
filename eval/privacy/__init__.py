"""Privacy metrics of the synthetic records: copies, distances, membership, GDPR risks."""
