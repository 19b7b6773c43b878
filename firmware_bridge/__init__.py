"""Talk to the robot: ImageProc packets in XBee frames, transports, the link and its node."""
