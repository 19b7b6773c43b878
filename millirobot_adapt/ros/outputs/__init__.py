"""Publish the topics of the contract."""
