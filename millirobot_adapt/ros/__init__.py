"""What every node needs: lifecycle, parameters, health, conversions, and listeners and publishers of the contract."""
