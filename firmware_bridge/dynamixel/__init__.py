"""Robots whose legs are Dynamixel servos on one bus: Protocol 2.0, the servos' registers, leg clock, driver."""
