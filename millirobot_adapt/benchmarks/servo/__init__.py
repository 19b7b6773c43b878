"""What the driver `dynamixel` achieves on a pseudo-terminal: rate, processor time, phase errors, a servo that dies."""
