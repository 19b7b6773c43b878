"""Listen to the topics of the contract."""
