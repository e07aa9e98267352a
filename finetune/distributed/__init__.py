"""Distributed training: launch configurations, process groups, heartbeat, sharding."""
